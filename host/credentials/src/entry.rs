//! A credential as it stands in the file.

use apptsync_model::Instant;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::credential::{CertificateLogin, ClientSecret, Credential, DeviceCode, Ibus, Kind, Password};
use crate::{Application, AssertionAlgorithm, Cloud, KeyedCertificate};

/// One table of the file. Which fields are there depends on the kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Entry {
    kind: Kind,
    user: Option<String>,
    password: Option<Written>,
    server: Option<String>,
    tenant: Option<String>,
    client_id: Option<String>,
    cloud: Option<String>,
    login_server: Option<String>,
    graph_server: Option<String>,
    secret: Option<Written>,
    assertion: Option<AssertionAlgorithm>,
    certificate: Option<String>,
    private_key: Option<Written>,
    key_password: Option<Written>,
    refresh_token: Option<Written>,
    refreshed_at: Option<String>,
    client_password: Option<Written>,
    user_password: Option<Written>,
}

/// A secret that is written to the file. It does not leave this module otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
struct Written(SecretString);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl From<&SecretString> for Written {
    fn from(secret: &SecretString) -> Self {
        Self(secret.clone())
    }
}

impl From<&Credential> for Entry {
    fn from(credential: &Credential) -> Self {
        let mut entry = Self::of_kind(credential.kind());
        if let Some(application) = credential.application() {
            entry.set_application(application);
        }
        match credential {
            Credential::Password(login) => {
                entry.user.clone_from(&login.user);
                entry.password = login.password.as_ref().map(Written::from);
                entry.server = login.server.as_ref().map(ToString::to_string);
            }
            Credential::ClientSecret(login) => entry.secret = login.secret.as_ref().map(Written::from),
            Credential::Certificate(login) => {
                entry.assertion = Some(login.assertion);
                entry.certificate = Some(login.certificate.certificate_pem());
                entry.private_key = Some(login.certificate.private_key_pem().into());
                entry.key_password = login.key_password.as_ref().map(Written::from);
            }
            Credential::DeviceCode(login) => {
                entry.refresh_token = Some((&login.refresh_token).into());
                entry.refreshed_at = Some(login.refreshed_at.to_string());
            }
            Credential::Ibus(login) => {
                entry.client_password = Some((&login.client_password).into());
                entry.user_password = Some((&login.user_password).into());
            }
        }
        entry
    }
}

impl Entry {
    fn of_kind(kind: Kind) -> Self {
        Self {
            kind,
            user: None,
            password: None,
            server: None,
            tenant: None,
            client_id: None,
            cloud: None,
            login_server: None,
            graph_server: None,
            secret: None,
            assertion: None,
            certificate: None,
            private_key: None,
            key_password: None,
            refresh_token: None,
            refreshed_at: None,
            client_password: None,
            user_password: None,
        }
    }

    fn set_application(&mut self, application: &Application) {
        self.tenant = Some(application.tenant.clone());
        self.client_id = Some(application.client_id.clone());
        match &application.cloud {
            Cloud::Custom { login_server, graph_server } => {
                self.login_server = Some(login_server.clone());
                self.graph_server = Some(graph_server.clone());
            }
            named => self.cloud = Some(named.name().to_owned()),
        }
    }

    /// The credential.
    ///
    /// # Errors
    /// What is missing or wrong; never a value of the file, which may be a secret.
    pub(crate) fn credential(self) -> Result<Credential, String> {
        Ok(match self.kind {
            Kind::Password => Credential::Password(Password {
                password: self.password.map(|written| written.0),
                user: self.user,
                server: self.server.map(|server| server.parse().map_err(|_| "`server` is no address")).transpose()?,
            }),
            Kind::ClientSecret => Credential::ClientSecret(ClientSecret {
                application: self.application()?,
                secret: self.secret.map(|written| written.0),
            }),
            Kind::Certificate => Credential::Certificate(Box::new(CertificateLogin {
                application: self.application()?,
                certificate: KeyedCertificate::from_stored(
                    &needed(self.certificate, "certificate")?,
                    needed(self.private_key, "private-key")?.0,
                )?,
                key_password: self.key_password.map(|written| written.0),
                assertion: self.assertion.unwrap_or_default(),
            })),
            Kind::DeviceCode => Credential::DeviceCode(DeviceCode {
                application: self.application()?,
                refresh_token: needed(self.refresh_token, "refresh-token")?.0,
                refreshed_at: instant(&needed(self.refreshed_at, "refreshed-at")?)?,
            }),
            Kind::Ibus => Credential::Ibus(Ibus {
                client_password: needed(self.client_password, "client-password")?.0,
                user_password: needed(self.user_password, "user-password")?.0,
            }),
        })
    }

    fn application(&self) -> Result<Application, String> {
        let invalid = |_| "its tenant, client id or servers cannot be used".to_owned();
        let cloud = match (&self.cloud, &self.login_server, &self.graph_server) {
            (Some(name), None, None) => Cloud::named(name).ok_or("there is no such cloud")?,
            (None, Some(login), Some(graph)) => Cloud::custom(login, graph).map_err(invalid)?,
            _ => return Err("it needs `cloud`, or else `login-server` and `graph-server`".into()),
        };
        let tenant = self.tenant.as_deref().ok_or_else(|| missing("tenant"))?;
        let client_id = self.client_id.as_deref().ok_or_else(|| missing("client-id"))?;
        Application::new(tenant, client_id, cloud).map_err(invalid)
    }
}

fn needed<T>(field: Option<T>, name: &str) -> Result<T, String> {
    field.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> String {
    format!("`{name}` is missing")
}

fn instant(text: &str) -> Result<Instant, String> {
    text.parse().map_err(|_| "`refreshed-at` is no instant".to_owned())
}
