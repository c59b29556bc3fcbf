//! `credentials`: what opens the servers of connectors. A secret is never an argument, and never printed.

mod add;
pub mod secret;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use apptsync_credentials::{Credential, CredentialError, CredentialFile, SecretPlace, Stored};
use apptsync_model::Instant;
use apptsync_store::{OutlookStore, Store};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::commands::credentials::add::AddArguments;
use crate::context::{Context, Exit, UsageError};

const EXAMPLES: &str = "\
Examples:
  apptsync credentials add radicale --kind password --user barbara --secret-file password.txt
  apptsync credentials add contoso --kind certificate --tenant contoso.onmicrosoft.com --client-id ID --certificate contoso.pfx
  apptsync credentials add contoso --kind client-secret --tenant contoso.onmicrosoft.com --client-id ID --stdin < secret.txt
  apptsync credentials add barbara --kind device-code --tenant contoso.onmicrosoft.com --client-id ID
  apptsync credentials list
  apptsync credentials remove radicale --yes

They are kept in credentials.toml beside apptsync.toml (APPTSYNC_CREDENTIALS names another file), for you alone.
APPTSYNC_CREDENTIAL_NAME holds the secret of the credential `name` instead, APPTSYNC_KEY_PASSWORD_NAME the password of its
private key.";

/// Days before its end from which a credential is warned about.
const SOON: i64 = 30;

/// What to do with credentials.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum CredentialsCommand {
    /// Add a credential, or log in by device code
    Add(Box<AddArguments>),
    /// Show all credentials, without their secrets
    List,
    /// Remove a credential for good
    Remove {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Remove it although something uses it
        #[arg(long)]
        force: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: CredentialsCommand, context: &Context) -> anyhow::Result<Exit> {
    let file = file(context)?;
    match command {
        CredentialsCommand::Add(arguments) => add::run(&arguments, &file, context),
        CredentialsCommand::List => list(&file, context),
        CredentialsCommand::Remove { name, yes, force } => {
            if !force {
                refuse_in_use(&file, &name, context)?;
            }
            remove(&file, &name, yes, context)
        }
    }
}

/// The credential file of the workspace.
///
/// # Errors
/// There is no workspace, or the file is not for its owner alone or holds something else: a [`UsageError`].
pub fn file(context: &Context) -> anyhow::Result<CredentialFile> {
    let configuration = context.configuration_file()?;
    let folder = configuration.parent().unwrap_or(Path::new(""));
    CredentialFile::of_workspace(folder).map_err(error)
}

/// What somebody has to set right himself is wrong usage.
pub(super) fn error(error: CredentialError) -> anyhow::Error {
    match error {
        CredentialError::File { .. } => error.into(),
        error => UsageError(error.to_string()).into(),
    }
}

fn list(file: &CredentialFile, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let all = file.list().map_err(error)?;
    if context.is_json() {
        context.print_json(&all.iter().map(|stored| described(stored, now)).collect::<Vec<_>>())?;
    } else {
        let headings = ["Credential", "Kind", "User or client", "Cloud", "Secret", "Valid until", "Days left"];
        context.print_table(&headings, all.iter().map(|stored| row(stored, now)).collect())?;
    }
    for stored in &all {
        if let Some(validity) = stored.credential.validity().filter(|validity| validity.days_left(now) < SOON) {
            let (name, until) = (&stored.name, validity.until);
            let what = if validity.problem(now).is_some() { "cannot be used" } else { "ends soon" };
            context.warn(&format!("the credential `{name}` {what}: valid until {until}"));
        }
    }
    Ok(Exit::Done)
}

/// A credential in the documented JSON.
pub(super) fn described(stored: &Stored, now: Instant) -> Value {
    let Stored { name, credential, .. } = stored;
    let application = credential.application();
    let validity = credential.validity();
    json!({
        "name": name,
        "kind": credential.kind().name(),
        "user": user(credential),
        "server": server(credential),
        "tenant": application.map(|application| &application.tenant),
        "client_id": application.map(|application| &application.client_id),
        "cloud": application.map(|application| application.cloud.name()),
        "login_server": application.map(|application| application.cloud.login_server()),
        "graph_server": application.map(|application| application.cloud.graph_server()),
        "secret": place(stored.secret),
        "key_protected": is_protected(credential),
        "valid_until": validity.map(|validity| validity.until.to_string()),
        "days_left": validity.map(|validity| validity.days_left(now)),
    })
}

fn row(stored: &Stored, now: Instant) -> Vec<String> {
    let Stored { name, credential, .. } = stored;
    let application = credential.application();
    let validity = credential.validity();
    let who = application.map(|application| application.client_id.as_str()).or(user(credential));
    let mut secret = place(stored.secret).to_owned();
    if is_protected(credential) == Some(true) {
        secret.push_str(", protected");
    }
    vec![
        name.clone(),
        credential.kind().name().to_owned(),
        who.unwrap_or("–").to_owned(),
        application.map_or("–", |application| application.cloud.name()).to_owned(),
        secret,
        validity.map_or("–".to_owned(), |validity| validity.until.to_string()),
        validity.map_or("–".to_owned(), |validity| validity.days_left(now).to_string()),
    ]
}

fn user(credential: &Credential) -> Option<&str> {
    match credential {
        Credential::Password(login) => login.user.as_deref(),
        _ => None,
    }
}

fn server(credential: &Credential) -> Option<String> {
    match credential {
        Credential::Password(login) => login.server.as_ref().map(ToString::to_string),
        _ => None,
    }
}

fn is_protected(credential: &Credential) -> Option<bool> {
    match credential {
        Credential::Certificate(login) => Some(login.certificate.is_protected()),
        _ => None,
    }
}

fn place(place: SecretPlace) -> &'static str {
    match place {
        SecretPlace::File => "file",
        SecretPlace::Environment => "environment",
        SecretPlace::Missing => "missing",
    }
}

fn remove(file: &CredentialFile, name: &str, yes: bool, context: &Context) -> anyhow::Result<Exit> {
    if !yes && !is_confirmed(name)? {
        context.hint("nothing was removed");
        return Ok(Exit::Failed);
    }
    file.remove(name).map_err(error)?;
    if context.is_json() {
        context.print_json(&json!({ "removed": name }))?;
    }
    context.print_line(&format!("removed the credential `{name}`"))?;
    Ok(Exit::Done)
}

/// What uses a credential would fail from then on.
fn refuse_in_use(file: &CredentialFile, name: &str, context: &Context) -> anyhow::Result<()> {
    if !file.list().map_err(error)?.iter().any(|stored| stored.name == name) {
        return Ok(());
    }
    let workspace = context.workspace()?;
    let connectors = workspace.configuration.connectors.iter();
    let connectors = connectors.filter(|connector| connector.credential.as_deref() == Some(name));
    let mut users: Vec<_> = connectors.map(|connector| format!("[connectors.{}]", connector.name)).collect();
    if workspace.configuration.database.exists() {
        let store = workspace.store()?;
        let profiles = store.profiles()?.into_iter().map(|stored| stored.profile);
        let profiles = profiles.filter(|profile| profile.credential.as_deref() == Some(name));
        users.extend(profiles.map(|profile| format!("the profile `{}`", profile.name)));
        let master = store.master_data()?;
        for channel in &master.channel {
            let settings = store.ibus_settings(&channel.id)?;
            if settings.is_some_and(|settings| settings.credential.as_deref() == Some(name)) {
                users.push(format!("the IBUS settings of the channel `{}`", channel.id));
            }
        }
        let employees = master.employee.iter().filter(|employee| employee.certificates.iter().any(|own| own == name));
        users.extend(employees.map(|employee| format!("the user `{}`", employee.id)));
    }
    if users.is_empty() {
        return Ok(());
    }
    let users = users.join(", ");
    let message = format!("the credential `{name}` is used by {users}: give another one there, or say --force");
    Err(UsageError(message).into())
}

/// Asks on a terminal. Elsewhere nobody could answer.
fn is_confirmed(name: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        let message = format!("removing the credential `{name}` cannot be undone: say --yes to do it");
        return Err(UsageError(message).into());
    }
    write!(io::stderr(), "Remove the credential `{name}` for good? It cannot be undone. [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
