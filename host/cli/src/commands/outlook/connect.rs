//! `outlook connect` and `outlook calendars`: [Connect] of the add-in's connection settings (domain 8).

use std::io::IsTerminal;
use std::path::PathBuf;

use apptsync_credentials::CredentialFile;
use apptsync_model::outlook::{Connection, ItemKind, RemoteCollection};
use apptsync_pipeline::outlook::choose;
use apptsync_runtime::Connector;
use apptsync_store::Store;
use clap::Args;
use serde::Serialize;

use crate::commands::credentials::secret;
use crate::context::{Context, Exit, Workspace};
use crate::outlook::{Connectors, KeyPasswords, account, configured, credential_of, profile_named, zone_of};

/// Arguments of `outlook connect` and `outlook calendars`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  apptsync outlook connect barbara
  apptsync outlook calendars barbara --output json")]
pub struct ConnectArguments {
    /// Name of the profile
    profile: String,
    /// The password of a protected private key, from a file; without it, a person is asked
    #[command(flatten)]
    key: KeyArguments,
}

/// Where the password of a protected private key comes from.
#[derive(Debug, Default, Args)]
pub struct KeyArguments {
    /// A file with the password of private keys that need one and find it nowhere else; without it, a person at a
    /// terminal is asked for each
    #[arg(long, value_name = "FILE")]
    key_password_file: Option<PathBuf>,
}

impl KeyArguments {
    /// The passwords of the private keys that need one and find it nowhere else: that of the file, or asked for without
    /// echo, one for each credential (domain 8: a private key with a password is asked for before running).
    ///
    /// # Errors
    /// The file or the terminal cannot be read.
    pub fn passwords(&self, workspace: &Workspace, profiles: &[&str]) -> anyhow::Result<KeyPasswords> {
        let from_file = self.key_password_file.as_deref().map(secret::from_file).transpose()?;
        let mut passwords = KeyPasswords::new();
        if from_file.is_none() && !std::io::stdin().is_terminal() {
            return Ok(passwords);
        }
        let (store, file) = (workspace.store()?, CredentialFile::of_workspace(&workspace.folder)?);
        for name in profiles {
            let profile = profile_named(&store, name)?.profile;
            // What is missing is said of its own profile, when that is opened.
            let Ok(connector) = configured(workspace, &profile.connector) else { continue };
            let Some(credential) = credential_of(&profile, connector) else { continue };
            let needs_one = file.get(credential).is_ok_and(|found| found.needs_key_password(credential));
            if !needs_one || passwords.contains_key(credential) {
                continue;
            }
            let password = match &from_file {
                Some(password) => password.clone(),
                None => {
                    let what = format!("Password of the private key of `{credential}`");
                    secret::ask(&what, "name a file with --key-password-file")?
                }
            };
            passwords.insert(credential.to_owned(), password);
        }
        Ok(passwords)
    }
}

/// A collection in JSON.
#[derive(Debug, Serialize)]
struct CollectionView<'a> {
    id: &'a str,
    name: &'a str,
    kind: ItemKind,
    writable: bool,
    default: bool,
    /// The one that the profile synchronises.
    chosen: bool,
}

#[derive(Debug, Serialize)]
struct ConnectionView<'a> {
    profile: &'a str,
    server: &'a str,
    collections: Vec<CollectionView<'a>>,
}

fn probe(arguments: &ConnectArguments, context: &Context) -> anyhow::Result<(Connection, Vec<bool>, Vec<String>)> {
    let workspace = context.workspace()?;
    let store = workspace.store()?;
    let stored = profile_named(&store, &arguments.profile)?;
    let passwords = arguments.key.passwords(&workspace, &[&arguments.profile])?;
    let runtime = workspace.runtime()?;
    let mut connectors = Connectors::new(&workspace, &runtime, context.now(), &passwords);
    let connector = connectors.open(&store, &stored)?;
    let account = account(&stored, zone_of(&store.master_data()?, &stored.profile.employee));
    let connection = connector.plugin.probe(&account).map_err(|failure| {
        let server = if account.server.is_empty() { String::new() } else { format!("{}: ", account.server) };
        anyhow::anyhow!("profile `{}` cannot be connected: {server}{failure}", stored.profile.name)
    })?;
    let mut problems = Vec::new();
    let mut chosen = Vec::new();
    for (kind, wanted) in [(ItemKind::Appointment, &stored.profile.calendar), (ItemKind::Task, &stored.profile.tasks)] {
        match choose(&connection, kind, wanted) {
            Ok(found) => chosen.extend(found.map(|id| (kind, id))),
            Err(problem) => problems.push(problem),
        }
    }
    let is_chosen = |collection: &RemoteCollection| chosen.contains(&(collection.kind, collection.id.clone()));
    let flags = connection.collections.iter().map(is_chosen).collect();
    Ok((connection, flags, problems))
}

/// Proves server address, certificate and rights, and lists what is there.
///
/// # Errors
/// It cannot be connected.
pub fn connect(arguments: &ConnectArguments, context: &Context) -> anyhow::Result<Exit> {
    let (connection, chosen, problems) = probe(arguments, context)?;
    context.print_line(&format!("connected with {}", connection.server))?;
    show(&arguments.profile, &connection, &chosen, context)?;
    for problem in &problems {
        context.warn(problem);
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Warnings })
}

/// Lists the collections to choose from.
///
/// # Errors
/// It cannot be connected.
pub fn calendars(arguments: &ConnectArguments, context: &Context) -> anyhow::Result<Exit> {
    let (connection, chosen, _) = probe(arguments, context)?;
    show(&arguments.profile, &connection, &chosen, context)?;
    Ok(Exit::Done)
}

fn show(profile: &str, connection: &Connection, chosen: &[bool], context: &Context) -> anyhow::Result<()> {
    let collections = connection.collections.iter().zip(chosen);
    if context.is_json() {
        let view = |(collection, chosen): (&'_ RemoteCollection, &bool)| (collection.clone(), *chosen);
        let views: Vec<_> = collections.map(view).collect();
        let collections = views
            .iter()
            .map(|(collection, chosen)| CollectionView {
                id: &collection.id,
                name: &collection.name,
                kind: collection.kind,
                writable: collection.writable,
                default: collection.is_default,
                chosen: *chosen,
            })
            .collect();
        return context.print_json(&ConnectionView { profile, server: &connection.server, collections });
    }
    let row = |(collection, chosen): (&RemoteCollection, &bool)| {
        vec![
            collection.kind.to_string(),
            collection.name.clone(),
            if collection.writable { "" } else { "read only" }.to_owned(),
            if *chosen { "synchronised" } else { "" }.to_owned(),
            collection.id.clone(),
        ]
    };
    context.print_table(&["Kind", "Name", "Rights", "", "Id"], collections.map(row).collect())
}
