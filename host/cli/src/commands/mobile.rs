//! `mobile`: a stand-in for Comarch Mobile Management and Mobile Sales. It writes the feed as the intermediary would; who
//! may do what, and what becomes of the status, stands in the model.

mod change;
mod feed;
mod list;
pub(super) mod period;
mod plan;

use apptsync_model::{Employee, Instant, MasterData};
use apptsync_store::Store;
use clap::{Args, Subcommand};

use crate::context::{Context, Exit, UsageError, Workspace};
use list::ListArguments;
use period::PeriodArguments;
use plan::PlanArguments;

/// Subcommands of `mobile`.
#[derive(Debug, Subcommand)]
pub enum MobileCommand {
    /// Plan an appointment: Unconfirmed, or Confirmed at once by a manager
    #[command(after_help = "\
Examples:
  apptsync mobile plan --user B --channel B2B --customer C00001 --name \"Shelf check\" \\
      --start 2026-12-01T09:00:00Z --end 2026-12-01T10:00:00Z
  apptsync mobile plan --user A --employee B --confirmed --channel B2B \\
      --customer C00001 --name \"Trade fair\" --start 2026-12-01 --end 2026-12-03")]
    Plan(Box<PlanArguments>),
    /// Confirm an appointment: Unconfirmed becomes Confirmed; managers and administrators may
    #[command(after_help = "Example:\n  apptsync mobile confirm a-1 --user A")]
    Confirm(TargetArguments),
    /// Start a visit: Confirmed or Suspended becomes Pending
    #[command(after_help = "Example:\n  apptsync mobile start a-1 --user B")]
    Start(TargetArguments),
    /// Suspend a visit, or one that has not begun: Confirmed or Pending becomes Suspended
    #[command(after_help = "Example:\n  apptsync mobile suspend a-1 --user B --reason \"customer is ill\"")]
    Suspend(SuspendArguments),
    /// Resume a visit: Suspended becomes Pending
    #[command(after_help = "Example:\n  apptsync mobile resume a-1 --user B")]
    Resume(TargetArguments),
    /// Complete a visit that was carried out: Confirmed, Pending or Suspended becomes Completed
    #[command(after_help = "\
Examples:
  apptsync mobile complete a-1 --user B
  apptsync mobile complete a-1 --user B --on 2026-12-01T09:45:00Z")]
    Complete(CompleteArguments),
    /// Reject an appointment that is not finished; managers and administrators may
    #[command(after_help = "Example:\n  apptsync mobile reject a-1 --user A --reason \"customer closed down\"")]
    Reject(RejectArguments),
    /// Move an appointment that is not finished to another time
    #[command(after_help = "\
Example:
  apptsync mobile reschedule a-1 --user B --start 2026-12-02T09:00:00Z --end 2026-12-02T10:00:00Z")]
    Reschedule(RescheduleArguments),
    /// Delete an appointment; what is not Unconfirmed any more, managers and administrators delete
    #[command(after_help = "Example:\n  apptsync mobile delete a-1 --user A")]
    Delete(TargetArguments),
    /// List the appointments as Mobile has them now
    #[command(after_help = "\
Examples:
  apptsync mobile list --status unconfirmed
  apptsync --output json mobile list --employee B")]
    List(ListArguments),
}

/// Which appointment, and who acts.
#[derive(Debug, Args)]
pub struct TargetArguments {
    /// Id of the appointment in Mobile
    id: String,
    /// Sales channel, where the same id is in more than one
    #[arg(long)]
    channel: Option<String>,
    /// The employee who acts
    #[arg(long)]
    user: String,
}

/// Arguments of `mobile suspend`.
#[derive(Debug, Args)]
pub struct SuspendArguments {
    #[command(flatten)]
    target: TargetArguments,
    /// Why
    #[arg(long)]
    reason: Option<String>,
}

/// Arguments of `mobile complete`.
#[derive(Debug, Args)]
pub struct CompleteArguments {
    #[command(flatten)]
    target: TargetArguments,
    /// When it was completed [default: now]
    #[arg(long, value_name = "INSTANT")]
    on: Option<Instant>,
}

/// Arguments of `mobile reject`.
#[derive(Debug, Args)]
pub struct RejectArguments {
    #[command(flatten)]
    target: TargetArguments,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Arguments of `mobile reschedule`.
#[derive(Debug, Args)]
pub struct RescheduleArguments {
    #[command(flatten)]
    target: TargetArguments,
    #[command(flatten)]
    period: PeriodArguments,
}

/// Runs a subcommand.
///
/// # Errors
/// The employee may not do it, the status does not allow it, or the feed cannot be read or written.
pub fn run(command: MobileCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        MobileCommand::Plan(arguments) => plan::run(*arguments, context),
        MobileCommand::List(arguments) => list::run(&arguments, context),
        MobileCommand::Confirm(target) => change::confirm(&target, context),
        MobileCommand::Start(target) => change::start(&target, context),
        MobileCommand::Suspend(arguments) => change::suspend(&arguments.target, arguments.reason, context),
        MobileCommand::Resume(target) => change::resume(&target, context),
        MobileCommand::Complete(arguments) => change::complete(&arguments.target, arguments.on, context),
        MobileCommand::Reject(arguments) => change::reject(&arguments.target, arguments.reason, context),
        MobileCommand::Reschedule(arguments) => change::reschedule(&arguments.target, &arguments.period, context),
        MobileCommand::Delete(target) => change::delete(&target, context),
    }
}

/// The master data of the headquarters, which holds the profiles and the manager structure.
fn master_data(workspace: &Workspace) -> anyhow::Result<MasterData> {
    Ok(workspace.store()?.master_data()?)
}

/// An employee by id.
fn employee<'a>(master: &'a MasterData, id: &str) -> Result<&'a Employee, UsageError> {
    master.employee.iter().find(|employee| employee.id == id).ok_or_else(|| {
        UsageError(format!("there is no employee `{}`: see `apptsync employees list`", id.escape_debug()))
    })
}

/// A text that the headquarters can hold: not longer than the import takes, and on one line unless it may have more.
pub(super) fn checked(flag: &str, value: &str, longest: usize, may_have_lines: bool) -> Result<(), UsageError> {
    if value.len() > longest {
        return Err(UsageError(format!("--{flag} has {} bytes: use at most {longest}", value.len())));
    }
    let is_unwanted = |character: char| character.is_control() && !(may_have_lines && matches!(character, '\n' | '\t'));
    if value.chars().any(is_unwanted) {
        return Err(UsageError(format!("--{flag} has control characters in it: leave them out")));
    }
    Ok(())
}

/// An id that the feed can carry.
fn checked_id(flag: &str, value: &str) -> Result<(), UsageError> {
    if apptsync_model::text::is_id(value) {
        Ok(())
    } else {
        let longest = apptsync_model::text::MAX_ID;
        Err(UsageError(format!("--{flag} is no id: use 1 to {longest} bytes without control characters")))
    }
}
