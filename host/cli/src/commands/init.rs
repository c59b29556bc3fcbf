//! `init`: an empty workspace.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use apptsync_model::APPOINTMENT_SYNCHRONIZE;
use apptsync_pipeline::definition_plugin;
use apptsync_store::{SqliteStore, Store, StoredDefinition};
use clap::Args;

use crate::configuration::{Configuration, FILE_NAME};
use crate::context::{Context, Exit, UsageError, Workspace};
use crate::position::shown;

const EXAMPLES: &str = "\
Example:
  apptsync init sales && cd sales
  apptsync load master-data.toml
  apptsync definitions activate
  apptsync doctor";

/// The configuration of a new workspace.
const CONFIGURATION: &str = include_str!("init/apptsync.toml");

/// What of a workspace belongs into no version control: secrets, and what is made again or is large.
const IGNORED: &str = "\
# For you alone: never under version control.
credentials.toml*
# The headquarters database.
*.db
*.db-*
";

/// Where to make a workspace.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InitArguments {
    /// The folder; made where needed
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// The folder has a workspace already, or one cannot be made there.
pub fn run(arguments: &InitArguments, context: &Context) -> anyhow::Result<Exit> {
    let folder = &arguments.folder;
    if folder.join(FILE_NAME).exists() {
        let message = format!("{} has an {FILE_NAME} already: name another folder", folder.display());
        return Err(UsageError(message).into());
    }
    let workspace = make(folder, context)?;
    if context.is_json() {
        context.print_json(&serde_json::json!({ "workspace": workspace.folder }))?;
        return Ok(Exit::Done);
    }
    context.print_line(&format!("made a workspace in {}", shown(&workspace.folder)))?;
    context.hint(&format!(
        "next: `cd {}`, `apptsync load FILE.toml` with your master data, `apptsync definitions activate`, and put the feed into {}",
        shown(&workspace.folder),
        shown(&workspace.feed_folder()?)
    ));
    Ok(Exit::Done)
}

/// Makes a workspace: .gitignore, feed folder, database with the delivered activity definition, inactive, and `apptsync.toml` at last.
///
/// # Errors
/// Something cannot be made.
pub fn make(folder: &Path, context: &Context) -> anyhow::Result<Workspace> {
    let folder = std::path::absolute(folder).with_context(|| format!("{} is no folder", folder.display()))?;
    fs::create_dir_all(&folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let file = folder.join(FILE_NAME);
    let configuration = Configuration::parse(&file, CONFIGURATION).map_err(UsageError::from)?;
    let workspace = Workspace { folder, configuration };
    let ignored = workspace.folder.join(".gitignore");
    // One that is there already is somebody's own.
    if !ignored.exists() {
        write_new(&ignored, IGNORED)?;
    }
    let feed = workspace.feed_folder()?;
    fs::create_dir_all(&feed).with_context(|| format!("the folder {} cannot be made", feed.display()))?;
    // A database from an attempt that was broken off, or of a workspace that lost its configuration.
    let store = if workspace.configuration.database.exists() {
        workspace.store()?
    } else {
        SqliteStore::create(&workspace.configuration.database)?
    };
    deliver_definition(&store, &workspace, context)?;
    write_new(&file, CONFIGURATION)?;
    Ok(workspace)
}

fn write_new(file: &Path, text: &str) -> anyhow::Result<()> {
    let written = OpenOptions::new().write(true).create_new(true).open(file).and_then(|mut created| {
        created.write_all(text.as_bytes())?;
        created.sync_all()
    });
    written.with_context(|| format!("{} cannot be written", file.display()))
}

/// The definition comes with the adapter and is inactive until somebody activates it (domain 6).
fn deliver_definition(store: &dyn Store, workspace: &Workspace, context: &Context) -> anyhow::Result<()> {
    if store.definitions()?.iter().any(|definition| definition.settings.name == APPOINTMENT_SYNCHRONIZE) {
        return Ok(());
    }
    let stage = workspace.configuration.definition.stage_spec();
    let plugin = definition_plugin(&workspace.runtime()?, &stage, context.now())?;
    let settings = plugin.describe()?.settings;
    Ok(store.put_definition(&StoredDefinition {
        settings,
        active: false,
        changed: false,
        translations: BTreeMap::new(),
    })?)
}
