//! `outlook connect` and `outlook calendars`: [Connect] of the add-in's connection settings (domain 8).

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Context as _;
use apptsync_credentials::CredentialFile;
use apptsync_model::outlook::{Connection, ItemKind, RemoteCollection};
use apptsync_pipeline::outlook::choose;
use apptsync_runtime::Connector;
use apptsync_store::Store;
use clap::Args;
use secrecy::SecretString;
use serde::Serialize;

use crate::context::{Context, Exit, Workspace};
use crate::outlook::{Connectors, account, configured, profile_named, zone_of};

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
    /// A file with the password of a protected private key; without it, a person at a terminal is asked
    #[arg(long, value_name = "FILE")]
    key_password_file: Option<PathBuf>,
}

impl KeyArguments {
    /// The password, asked for without echo where one of the profiles needs it and nothing else gives it (domain 8: a
    /// private key with a password is asked for before running).
    ///
    /// # Errors
    /// The file or the terminal cannot be read.
    pub fn password(&self, workspace: &Workspace, profiles: &[&str]) -> anyhow::Result<Option<SecretString>> {
        if let Some(file) = &self.key_password_file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("the password cannot be read from {}", file.display()))?;
            return Ok(Some(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned())));
        }
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        let store = workspace.store()?;
        for name in profiles {
            let profile = profile_named(&store, name)?.profile;
            let connector = configured(workspace, &profile.connector)?;
            let Some(credential) = profile.credential.as_ref().or(connector.credential.as_ref()) else { continue };
            if CredentialFile::of_workspace(&workspace.folder)?.get(credential)?.needs_key_password(credential) {
                let asked = rpassword::prompt_password(format!("Password of the private key of `{credential}`: "));
                return Ok(Some(SecretString::from(asked.context("the password cannot be read")?)));
            }
        }
        Ok(None)
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
    let password = arguments.key.password(&workspace, &[&arguments.profile])?;
    let runtime = workspace.runtime()?;
    let mut connectors = Connectors::new(&workspace, &runtime, context.now(), password.as_ref());
    let connector = connectors.open(&store, &stored)?;
    let account = account(&stored, zone_of(&store.master_data()?, &stored.profile.employee));
    let connection = connector
        .plugin
        .probe(&account)
        .map_err(|failure| anyhow::anyhow!("profile `{}` cannot be connected: {failure}", stored.profile.name))?;
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
