//! `outlook undo`: puts back what a run changed.

use std::time::Duration;

use apptsync_model::outlook::SyncRunId;
use apptsync_pipeline::outlook::{SyncRequest, Synchronisation, UndoReport, UndoStep, undo};
use apptsync_store::{OutlookStore, Store, SyncState};
use clap::Args;
use serde::Serialize;

use super::connect::KeyArguments;
use crate::context::{Context, Exit, UsageError};
use crate::outlook::{Connectors, settings_of, zone_of};

/// Arguments of `outlook undo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  apptsync outlook undo 12 --plan
  apptsync outlook undo 12
  apptsync outlook undo 12 --item 4711

The number of a run stands in the output of `outlook sync --output json`, `outlook runs` and `outlook why`. What somebody \
changed since is left as it is.")]
pub struct UndoArguments {
    /// Number of the run
    run: SyncRunId,
    /// Only this item: the number of an activity, or a remote id
    #[arg(long, value_name = "ID")]
    item: Option<String>,
    /// Show what would be put back; change nothing
    #[arg(long)]
    plan: bool,
    /// Do it although much would be deleted; the hash stands in what is said when it is held
    #[arg(long, value_name = "HASH", conflicts_with = "plan")]
    approve: Option<String>,
    /// Where the password of a protected private key comes from
    #[command(flatten)]
    key: KeyArguments,
}

#[derive(Debug, Serialize)]
struct UndoView<'a> {
    profile: &'a str,
    run: SyncRunId,
    state: SyncState,
    plan: &'a str,
    done: u64,
    steps: &'a [UndoStep],
    messages: &'a [apptsync_model::Message],
}

/// Runs the command.
///
/// # Errors
/// The arguments do not fit, or the workspace cannot be used.
pub fn run(arguments: &UndoArguments, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let store = workspace.store()?;
    let Some(found) = store.sync_run(arguments.run)? else {
        let message = format!("run {} is not there: `apptsync outlook runs` lists them", arguments.run);
        return Err(UsageError(message).into());
    };
    let Some(stored) = store.profiles()?.into_iter().find(|stored| stored.id == found.new.profile) else {
        return Err(UsageError(format!("the profile of run {} is no longer there", arguments.run)).into());
    };
    let name = stored.profile.name.clone();
    let Some(_lock) = store.try_lock_profile(stored.id)? else {
        anyhow::bail!("another process is synchronising profile `{name}`: nothing was done");
    };
    let passwords = arguments.key.passwords(&workspace, &[&name])?;
    let runtime = workspace.runtime()?;
    let connector = Connectors::new(&workspace, &runtime, context.now(), &passwords).open(&store, &stored)?;
    let settings = settings_of(&store, &stored.profile.employee)?.unwrap_or_default();
    let with = Synchronisation {
        store: &store,
        connector: &connector.plugin,
        state: Some(&connector.state),
        profile: &stored,
        settings: &settings,
        zone: zone_of(&store.master_data()?, &stored.profile.employee),
    };
    let request = SyncRequest {
        as_of: context.now(),
        plan_only: arguments.plan,
        approve: arguments.approve.clone(),
        patience: Duration::from_secs(30),
        progress: None,
    };
    let report = undo(&with, arguments.run, arguments.item.as_deref(), &request)?;
    show(&name, &report, context)?;
    Ok(match report.state {
        SyncState::Completed | SyncState::Planned => Exit::Done,
        SyncState::CompletedWithWarnings | SyncState::Held => Exit::Warnings,
        _ => Exit::Failed,
    })
}

fn show(profile: &str, report: &UndoReport, context: &Context) -> anyhow::Result<()> {
    let UndoReport { run, state, hash, steps, done, messages } = report;
    if context.is_json() {
        let view = UndoView { profile, run: *run, state: *state, plan: hash, done: *done, steps, messages };
        return context.print_json(&view);
    }
    let row = |step: &UndoStep| {
        vec![
            step.side.to_string(),
            step.undoes.to_string(),
            step.headquarters.clone().unwrap_or_default(),
            step.subject.clone(),
            step.left.as_ref().map_or(String::new(), |why| format!("left as it is: {why}")),
        ]
    };
    context.print_table(&["Side", "The run had", "Object", "Subject", ""], steps.iter().map(row).collect())?;
    for message in messages {
        context.print_line(&format!("{}: {}", message.severity, message.text))?;
    }
    context.print_line(&format!("{state}: {done} of {} changes put back", steps.len()))
}
