//! `outlook runs`: the runs of the synchronisation.

use apptsync_store::{OutlookStore, SyncRun, SyncState};
use clap::Args;
use serde::Serialize;

use crate::context::{Context, Exit};
use crate::outlook::profile_named;

/// Arguments of `outlook runs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  apptsync outlook runs
  apptsync outlook runs barbara --limit 5")]
pub struct RunsArguments {
    /// Name of a profile [default: all]
    profile: Option<String>,
    /// At most so many of each profile
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u64,
}

#[derive(Debug, Serialize)]
struct RunView {
    run: i64,
    profile: String,
    purpose: String,
    as_of: String,
    state: SyncState,
    plan: String,
    report: serde_json::Value,
    messages: Vec<apptsync_model::Message>,
}

/// Runs the command.
///
/// # Errors
/// The database cannot be read.
pub fn run(arguments: &RunsArguments, context: &Context) -> anyhow::Result<Exit> {
    let store = context.workspace()?.store()?;
    let profiles = match &arguments.profile {
        Some(name) => vec![profile_named(&store, name)?],
        None => store.profiles()?,
    };
    let mut views = Vec::new();
    for stored in profiles {
        let runs = store.sync_runs(stored.id, arguments.limit)?;
        views.extend(runs.into_iter().map(|run| view(stored.profile.name.clone(), run)));
    }
    views.sort_by_key(|view| std::cmp::Reverse(view.run));
    if context.is_json() {
        context.print_json(&views)?;
        return Ok(Exit::Done);
    }
    let row = |view: &RunView| {
        let count =
            |name: &str| view.report["operations"][name].as_u64().map_or(String::new(), |count| count.to_string());
        vec![
            view.run.to_string(),
            view.profile.clone(),
            view.purpose.clone(),
            view.as_of.clone(),
            view.state.to_string(),
            count("create"),
            count("update"),
            count("delete"),
            count("revert"),
            count("import"),
        ]
    };
    let headings = ["Run", "Profile", "Purpose", "As of", "State", "Create", "Update", "Delete", "Put back", "Import"];
    context.print_table(&headings, views.iter().map(row).collect())?;
    Ok(Exit::Done)
}

fn view(profile: String, run: SyncRun) -> RunView {
    let report = run.result.as_ref().and_then(|result| serde_json::from_str(&result.report).ok());
    RunView {
        run: run.id,
        profile,
        purpose: run.new.purpose,
        as_of: run.new.as_of.to_string(),
        // A run without a result was interrupted, or is under way.
        state: run.result.as_ref().map_or(SyncState::Running, |result| result.state),
        plan: run.result.as_ref().map(|result| result.plan.clone()).unwrap_or_default(),
        report: report.unwrap_or_default(),
        messages: run.result.map(|result| result.messages).unwrap_or_default(),
    }
}
