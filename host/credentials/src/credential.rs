//! The kinds of credentials.

use apptsync_model::Instant;
use apptsync_runtime::Origin;
use secrecy::SecretString;

use crate::{Application, AssertionAlgorithm, CredentialError, KeyedCertificate, Validity, environment};

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// User and password, for CalDAV.
    Password,
    /// A registered application that proves itself by a secret.
    ClientSecret,
    /// A registered application that proves itself by a certificate.
    Certificate,
    /// A person who has logged in by device code.
    DeviceCode,
    /// Client Password and User Password of the IBUS settings of Customizing (domain 3).
    Ibus,
}

impl Kind {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::ClientSecret => "client-secret",
            Self::Certificate => "certificate",
            Self::DeviceCode => "device-code",
            Self::Ibus => "ibus",
        }
    }
}

/// A credential.
#[derive(Debug, Clone)]
pub enum Credential {
    /// User and password, for CalDAV.
    Password(Password),
    /// A registered application with a secret.
    ClientSecret(ClientSecret),
    /// A registered application with a certificate.
    Certificate(Box<CertificateLogin>),
    /// A person who has logged in by device code.
    DeviceCode(DeviceCode),
    /// The passwords of IBUS.
    Ibus(Ibus),
}

/// User and password.
#[derive(Debug, Clone, Default)]
pub struct Password {
    /// The user; without one, that of the profile.
    pub user: Option<String>,
    /// The password; none in the file where the environment holds it.
    pub password: Option<SecretString>,
    /// The only server that it is sent to; without one, that of the profile.
    pub server: Option<Origin>,
}

/// An application that proves itself by a secret.
#[derive(Debug, Clone)]
pub struct ClientSecret {
    /// Who it is.
    pub application: Application,
    /// The secret; none in the file where the environment holds it.
    pub secret: Option<SecretString>,
}

/// An application that proves itself by a certificate.
#[derive(Debug, Clone)]
pub struct CertificateLogin {
    /// Who it is.
    pub application: Application,
    /// The certificate and its private key.
    pub certificate: KeyedCertificate,
    /// The password of a protected private key, where the person wanted it stored.
    pub key_password: Option<SecretString>,
    /// How assertions are signed.
    pub assertion: AssertionAlgorithm,
}

/// A person who has logged in by device code.
#[derive(Debug, Clone)]
pub struct DeviceCode {
    /// The application through which the person logged in.
    pub application: Application,
    /// What tokens are fetched with; every fetch may replace it.
    pub refresh_token: SecretString,
    /// When it was fetched last: unused for 90 days, it is worth nothing.
    pub refreshed_at: Instant,
}

/// The passwords of the IBUS settings of Customizing.
#[derive(Debug, Clone)]
pub struct Ibus {
    /// Client Password.
    pub client_password: SecretString,
    /// User Password.
    pub user_password: SecretString,
}

impl Credential {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Password(_) => Kind::Password,
            Self::ClientSecret(_) => Kind::ClientSecret,
            Self::Certificate(_) => Kind::Certificate,
            Self::DeviceCode(_) => Kind::DeviceCode,
            Self::Ibus(_) => Kind::Ibus,
        }
    }

    /// The only origin that it is sent to, where it has one: Graph of its cloud for tokens, its own server for a password.
    ///
    /// # Errors
    /// The address of its Graph is none.
    pub fn origin(&self) -> Result<Option<Origin>, CredentialError> {
        if let Self::Password(login) = self {
            return Ok(login.server.clone());
        }
        let graph = self.application().map(|application| Origin::of_url(application.cloud.graph_server()));
        graph.transpose().map_err(|error| CredentialError::Invalid(error.to_string()))
    }

    /// The registered application, for the kinds that have one.
    #[must_use]
    pub fn application(&self) -> Option<&Application> {
        match self {
            Self::ClientSecret(ClientSecret { application, .. }) | Self::DeviceCode(DeviceCode { application, .. }) => {
                Some(application)
            }
            Self::Certificate(login) => Some(&login.application),
            Self::Password(_) | Self::Ibus(_) => None,
        }
    }

    /// From when until when it is good, as far as that is known.
    #[must_use]
    pub fn validity(&self) -> Option<Validity> {
        match self {
            Self::Certificate(login) => Some(login.certificate.validity()),
            Self::DeviceCode(login) => Some(login.validity()),
            _ => None,
        }
    }

    /// True when a password must be given before it can be used: its private key is protected, and the password stands
    /// neither with it nor in the environment.
    #[must_use]
    pub fn needs_key_password(&self, name: &str) -> bool {
        match self {
            Self::Certificate(login) => {
                login.certificate.is_protected()
                    && login.key_password.is_none()
                    && environment::key_password(name).is_none()
            }
            _ => false,
        }
    }

    /// The same with its secret from the environment, where it is set there.
    pub(crate) fn with_secret_of(mut self, name: &str) -> Self {
        if let Some(place) = self.secret_mut()
            && let Some(secret) = environment::secret(name)
        {
            *place = Some(secret);
        }
        self
    }

    /// The secret that may come from the environment.
    pub(crate) fn secret_mut(&mut self) -> Option<&mut Option<SecretString>> {
        match self {
            Self::Password(Password { password, .. }) => Some(password),
            Self::ClientSecret(ClientSecret { secret, .. }) => Some(secret),
            _ => None,
        }
    }
}

impl DeviceCode {
    /// Days that a refresh token lives without being used.
    const LIFE: i64 = 90;

    fn validity(&self) -> Validity {
        let from = self.refreshed_at;
        // It holds from the moment it is given, whatever instant a rehearsal takes as now.
        Validity { from: Instant(0), until: Instant(from.0.saturating_add(Self::LIFE * Validity::DAY)) }
    }
}
