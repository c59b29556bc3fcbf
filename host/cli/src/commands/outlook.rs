//! `outlook`: the synchronisation with Microsoft Outlook (domain 8).

pub(super) mod connect;
mod contacts;
mod profile;
mod progress;
mod resolve;
mod runs;
mod settings;
mod status;
pub(super) mod sync;
mod undo;
mod value;
mod why;

use clap::Subcommand;

use crate::context::{Context, Exit};

const EXAMPLES: &str = "\
Examples:
  apptsync outlook settings set --level database --calendar-from -7d --calendar-to +90d
  apptsync outlook profile add barbara --employee B --connector calendar-file --user barbara
  apptsync outlook sync --all --plan
  apptsync outlook sync --all
  apptsync outlook status";

/// Subcommands of `outlook`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum OutlookCommand {
    /// Activity synchronization settings: windows and criteria of Calendar entries and Tasks
    #[command(subcommand)]
    Settings(settings::SettingsCommand),
    /// Profiles: who synchronises with which calendar, and how
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// [Connect]: prove server address, certificate and rights, and list what is there
    Connect(connect::ConnectArguments),
    /// The calendars, task lists and address books to choose from
    Calendars(connect::ConnectArguments),
    /// Synchronize appointments and tasks
    Sync(sync::SyncArguments),
    /// Synchronize address books: partners and representatives become contacts, one way
    Contacts(contacts::ContactsArguments),
    /// Put back what a run changed, itself planned and guarded
    Undo(undo::UndoArguments),
    /// Say whose version counts of an item that waits for a decision, or try one in quarantine again
    Resolve(resolve::ResolveArguments),
    /// Why an item is as it is: base, headquarters, Outlook, the row of the decision table, field by field
    Why(why::WhyArguments),
    /// The runs of the synchronisation, newest first
    Runs(runs::RunsArguments),
    /// Per profile: freshness, held plans, what was put back, what is quarantined, days left of credentials
    Status,
}

/// Runs a subcommand.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: OutlookCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        OutlookCommand::Settings(command) => settings::run(command, context),
        OutlookCommand::Profile(command) => profile::run(command, context),
        OutlookCommand::Connect(arguments) => connect::connect(&arguments, context),
        OutlookCommand::Calendars(arguments) => connect::calendars(&arguments, context),
        OutlookCommand::Sync(arguments) => sync::run(&arguments, context),
        OutlookCommand::Contacts(arguments) => contacts::run(&arguments, context),
        OutlookCommand::Undo(arguments) => undo::run(&arguments, context),
        OutlookCommand::Resolve(arguments) => resolve::run(&arguments, context),
        OutlookCommand::Why(arguments) => why::run(&arguments, context),
        OutlookCommand::Runs(arguments) => runs::run(&arguments, context),
        OutlookCommand::Status => status::run(context),
    }
}
