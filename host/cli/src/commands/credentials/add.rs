//! `credentials add`.

use std::path::PathBuf;
use std::thread::sleep;

use apptsync_credentials::{
    Application, AssertionAlgorithm, BundleError, CertificateLogin, ClientSecret, Cloud, Credential, CredentialFile,
    DeviceLogin, Ibus, KeyedCertificate, LoginError, Password, SecretString,
};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::{described, error, secret};
use crate::context::{Context, Exit, UsageError, to_stderr};
use crate::outlook::{certificates, origin_of};

/// A credential to add.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// Its name: lower-case letters, digits and hyphens
    name: String,
    /// What it is
    #[arg(long, value_enum)]
    kind: KindName,
    /// The user; without it, the user of the profile (kind password)
    #[arg(long, value_name = "U")]
    user: Option<String>,
    /// The only server that the password is sent to; without it, the server of the profile (kind password)
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Directory (tenant) id, or a domain of the tenant
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// Application (client) id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The cloud of the tenant
    #[arg(long, value_name = "C", default_value = "global", value_parser = PossibleValuesParser::new(Cloud::NAMED.map(|cloud| cloud.name())))]
    cloud: String,
    /// A token server that is in no named cloud, such as a simulator's
    #[arg(long, value_name = "URL", conflicts_with = "cloud", requires = "graph_server")]
    login_server: Option<String>,
    /// The Graph that belongs to it
    #[arg(long, value_name = "URL", conflicts_with = "cloud", requires = "login_server")]
    graph_server: Option<String>,
    /// A file with the secret: password, client secret, or Client Password (kind ibus)
    #[arg(long, value_name = "FILE", group = "source")]
    secret_file: Option<PathBuf>,
    /// Read the secret from standard input; for kind ibus, Client Password and User Password on a line each
    #[arg(long, group = "source")]
    stdin: bool,
    /// Keep no secret: APPTSYNC_CREDENTIAL_NAME holds it whenever it is needed
    #[arg(long, group = "source")]
    secret_in_environment: bool,
    /// A file with the User Password (kind ibus)
    #[arg(long, value_name = "FILE", conflicts_with = "stdin")]
    user_password_file: Option<PathBuf>,
    /// The certificate: PEM with the private key in it, or PKCS#12 (.p12, .pfx)
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The private key as PEM, where the certificate's file has none
    #[arg(long, value_name = "FILE", requires = "certificate")]
    private_key: Option<PathBuf>,
    /// A file with the password of the certificate's file or private key
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_password_file: Option<PathBuf>,
    /// Keep the password of the private key beside it, instead of asking for it when it is used
    #[arg(long, requires = "certificate")]
    store_key_password: bool,
    /// How the application's assertions are signed
    #[arg(long, value_enum, value_name = "ALGORITHM", requires = "certificate")]
    assertion: Option<AlgorithmName>,
    /// Replace the credential of that name
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindName {
    /// User and password, for CalDAV
    Password,
    /// An application with a client secret, for Microsoft Graph
    ClientSecret,
    /// An application with a certificate, for Microsoft Graph
    Certificate,
    /// A person who logs in now, for Microsoft Graph
    DeviceCode,
    /// Client Password and User Password of the IBUS settings
    Ibus,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AlgorithmName {
    /// RSA-PSS, the certificate named by its SHA-256
    Ps256,
    /// RSA as of PKCS#1, the certificate named by its SHA-1, for old servers
    Rs256,
}

/// Runs the command.
pub(super) fn run(arguments: &AddArguments, file: &CredentialFile, context: &Context) -> anyhow::Result<Exit> {
    let name = &*arguments.name;
    file.check_new(name, arguments.replace).map_err(error)?;
    arguments.check_flags()?;
    let credential = match arguments.kind {
        KindName::Password => {
            let server = arguments.server.as_deref().map(origin_of).transpose()?;
            let password = arguments.secret("the password")?;
            Credential::Password(Password { user: arguments.user.clone(), password, server })
        }
        KindName::ClientSecret => Credential::ClientSecret(ClientSecret {
            application: arguments.application()?,
            secret: arguments.secret("the client secret")?,
        }),
        KindName::Certificate => Credential::Certificate(Box::new(arguments.certificate()?)),
        KindName::DeviceCode => {
            let connectors = context.workspace()?.configuration.connectors;
            let certificates = connectors.iter().map(certificates).collect::<Result<Vec<_>, _>>()?.concat();
            log_in(arguments.application()?, &certificates)?
        }
        KindName::Ibus => Credential::Ibus(arguments.ibus()?),
    };
    file.put(name, &credential, arguments.replace).map_err(error)?;
    let now = context.now();
    let stored = file.list().map_err(error)?.into_iter().find(|stored| stored.name == name);
    let Some(stored) = stored else { anyhow::bail!("the credential `{name}` was removed at once by somebody else") };
    if context.is_json() {
        context.print_json(&described(&stored, now))?;
    }
    let days = stored.credential.validity().map(|validity| format!(", {} days left", validity.days_left(now)));
    let kind = stored.credential.kind().name();
    context.print_line(&format!(
        "added the credential `{name}` ({kind}{}) to {}",
        days.unwrap_or_default(),
        file.path().display()
    ))?;
    if let Some(problem) = stored.credential.validity().and_then(|validity| validity.problem(now)) {
        context.warn(&format!("the credential `{name}` cannot be used: {problem}"));
        return Ok(Exit::Warnings);
    }
    Ok(Exit::Done)
}

impl AddArguments {
    /// A flag that says nothing for this kind may be a mistake about the kind.
    fn check_flags(&self) -> anyhow::Result<()> {
        use KindName::{Certificate, ClientSecret, DeviceCode, Ibus, Password};
        let servers = self.login_server.is_some();
        let flags: [(&str, bool, &[KindName]); 10] = [
            ("--user", self.user.is_some(), &[Password]),
            ("--server", self.server.is_some(), &[Password]),
            ("--tenant", self.tenant.is_some(), &[ClientSecret, Certificate, DeviceCode]),
            ("--client-id", self.client_id.is_some(), &[ClientSecret, Certificate, DeviceCode]),
            ("--login-server", servers, &[ClientSecret, Certificate, DeviceCode]),
            ("--secret-file", self.secret_file.is_some(), &[Password, ClientSecret, Ibus]),
            ("--stdin", self.stdin, &[Password, ClientSecret, Ibus]),
            ("--secret-in-environment", self.secret_in_environment, &[Password, ClientSecret]),
            ("--user-password-file", self.user_password_file.is_some(), &[Ibus]),
            ("--certificate", self.certificate.is_some(), &[Certificate]),
        ];
        let kind = self.kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        match flags.iter().find(|(_, is_given, kinds)| *is_given && !kinds.contains(&self.kind)) {
            Some((flag, ..)) => {
                Err(UsageError(format!("{flag} says nothing for a credential of kind {kind}: leave it out")).into())
            }
            None => Ok(()),
        }
    }

    /// The secret, unless the environment is to hold it.
    fn secret(&self, what: &str) -> anyhow::Result<Option<SecretString>> {
        if self.secret_in_environment {
            return Ok(None);
        }
        if self.stdin {
            return Ok(secret::from_stdin(1)?.pop());
        }
        let otherwise = "name a file with --secret-file, or say --stdin";
        let asked = || secret::ask(what, otherwise);
        self.secret_file.as_deref().map_or_else(asked, secret::from_file).map(Some)
    }

    fn application(&self) -> anyhow::Result<Application> {
        let needed = |value: &Option<String>, flag: &str| {
            let kind = self.kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            value.clone().ok_or_else(|| UsageError(format!("{flag} is needed for a credential of kind {kind}")))
        };
        let cloud = match (&self.login_server, &self.graph_server) {
            (Some(login), Some(graph)) => Cloud::custom(login, graph).map_err(error)?,
            _ => Cloud::named(&self.cloud).ok_or_else(|| UsageError(format!("there is no cloud {}", self.cloud)))?,
        };
        let (tenant, client_id) = (needed(&self.tenant, "--tenant")?, needed(&self.client_id, "--client-id")?);
        Application::new(&tenant, &client_id, cloud).map_err(error)
    }

    fn certificate(&self) -> anyhow::Result<CertificateLogin> {
        let application = self.application()?;
        let path = self.certificate.as_deref();
        let path =
            path.ok_or_else(|| UsageError("--certificate is needed for a credential of kind certificate".into()))?;
        let bytes = secret::bytes_of(path)?;
        let key = self.private_key.as_deref().map(secret::bytes_of).transpose()?;
        let key = key.as_ref().map(|key| key.as_slice());
        let mut password = secret::key_password(&self.name, self.certificate_password_file.as_deref())?;
        let mut read = KeyedCertificate::read(&bytes, key, password.as_ref());
        if matches!(read, Err(BundleError::NeedsPassword)) {
            let otherwise = "name a file with --certificate-password-file";
            password = Some(secret::ask("the password of the certificate", otherwise)?);
            read = KeyedCertificate::read(&bytes, key, password.as_ref());
        }
        let certificate = read.map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
        let key_password = password.filter(|_| self.store_key_password && certificate.is_protected());
        let assertion = match self.assertion {
            Some(AlgorithmName::Rs256) => AssertionAlgorithm::Rs256,
            Some(AlgorithmName::Ps256) | None => AssertionAlgorithm::Ps256,
        };
        Ok(CertificateLogin { application, certificate, key_password, assertion })
    }

    fn ibus(&self) -> anyhow::Result<Ibus> {
        if self.stdin {
            let mut both = secret::from_stdin(2)?.into_iter();
            if let (Some(client_password), Some(user_password)) = (both.next(), both.next()) {
                return Ok(Ibus { client_password, user_password });
            }
        }
        let read = |path: &Option<PathBuf>, what: &str, flag: &str| match path {
            Some(path) => secret::from_file(path),
            None => secret::ask(what, &format!("name a file with {flag}, or say --stdin")),
        };
        Ok(Ibus {
            client_password: read(&self.secret_file, "the Client Password", "--secret-file")?,
            user_password: read(&self.user_password_file, "the User Password", "--user-password-file")?,
        })
    }
}

/// Shows the person where to log in, and waits.
fn log_in(application: Application, certificates: &[Vec<u8>]) -> anyhow::Result<Credential> {
    let login = DeviceLogin::begin(application, certificates)?;
    // Nobody can log in without it, so it is said with `--quiet` too.
    to_stderr(&format!("open {} and type the code {}", login.verification_uri(), login.user_code()));
    match login.finish(sleep) {
        Ok(login) => Ok(Credential::DeviceCode(login)),
        Err(error @ (LoginError::Declined | LoginError::Expired)) => Err(anyhow::anyhow!("{error}")),
        Err(error) => Err(error.into()),
    }
}
