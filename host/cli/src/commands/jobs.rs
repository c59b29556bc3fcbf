//! `jobs`: Batch jobs with their protocol, ledger, stages and quarantined records.

use std::time::Duration;

use apptsync_model::{Application, ChangedSince, Instant, JobId, JobState, Ledger, local_date_time};
use apptsync_store::{Job, QuarantinedRecord, Store};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::activities::{TABLE_ROWS, Zones};
use crate::context::{Context, Exit, UsageError};
use crate::report::{JobView, print_job};

/// Subcommands of `jobs`.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List batch jobs, newest first
    #[command(after_help = "\
Examples:
  apptsync jobs list
  apptsync --output json jobs list --limit 1")]
    List(ListArguments),
    /// Show a batch job: protocol, ledger, stages, and the records that were quarantined
    #[command(after_help = "\
Examples:
  apptsync jobs show 3
  apptsync --output json jobs show 3")]
    Show(ShowArguments),
}

/// Arguments of `jobs list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// At most so many; tables show 50 unless told, other outputs all
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Arguments of `jobs show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// Number of the job
    id: JobId,
}

/// Runs a subcommand.
///
/// # Errors
/// The database cannot be read, or there is no such job.
pub fn run(command: JobsCommand, context: &Context) -> anyhow::Result<Exit> {
    let store = context.workspace()?.store()?;
    match command {
        JobsCommand::List(arguments) => list(&store, arguments.limit, context)?,
        JobsCommand::Show(arguments) => show(&store, arguments.id, context)?,
    }
    Ok(Exit::Done)
}

/// What was run and when, in JSON.
#[derive(Debug, Serialize)]
struct JobRun<'a> {
    name: &'a str,
    application: Application,
    channel: &'a str,
    user: Option<&'a str>,
    changed_since: &'static str,
    /// With `changed_since` = `manual`.
    timestamp: Option<String>,
    as_of: String,
    started: String,
    finished: Option<String>,
}

impl<'a> From<&'a Job> for JobRun<'a> {
    fn from(job: &'a Job) -> Self {
        let (since, timestamp) = changed_since(job.new.changed_since);
        Self {
            name: &job.new.name,
            application: job.new.application,
            channel: &job.new.channel,
            user: job.new.user.as_deref(),
            changed_since: since,
            timestamp: timestamp.map(|instant| instant.to_string()),
            as_of: job.new.as_of.to_string(),
            started: job.new.started.to_string(),
            finished: job.finished.map(|instant| instant.to_string()),
        }
    }
}

/// A batch job in JSON, without its protocol.
#[derive(Debug, Serialize)]
pub(super) struct JobHead<'a> {
    job: JobId,
    #[serde(flatten)]
    run: JobRun<'a>,
    state: JobState,
    ledger: &'a Ledger,
}

impl<'a> From<&'a Job> for JobHead<'a> {
    fn from(job: &'a Job) -> Self {
        Self { job: job.id, run: job.into(), state: job.state, ledger: &job.ledger }
    }
}

/// A batch job in JSON: the fields of `run … --output json`, and what else is kept of it.
#[derive(Serialize)]
struct JobShown<'a> {
    #[serde(flatten)]
    view: JobView<'a>,
    #[serde(flatten)]
    run: JobRun<'a>,
    quarantined_records: Vec<Quarantined<'a>>,
}

fn changed_since(value: ChangedSince) -> (&'static str, Option<Instant>) {
    match value {
        ChangedSince::Anytime => ("anytime", None),
        ChangedSince::LastTransfer => ("last-transfer", None),
        ChangedSince::Manual(instant) => ("manual", Some(instant)),
    }
}

fn list(store: &dyn Store, limit: Option<u64>, context: &Context) -> anyhow::Result<()> {
    if context.is_json() {
        let jobs = store.jobs(limit.unwrap_or(u64::MAX))?;
        return context.print_json(&jobs.iter().map(JobHead::from).collect::<Vec<_>>());
    }
    let limit = limit.unwrap_or(TABLE_ROWS);
    // One more than is shown tells whether there are more.
    let mut jobs = store.jobs(limit.saturating_add(1))?;
    let has_more = jobs.len() as u64 > limit;
    if has_more {
        jobs.pop();
    }
    let zones = Zones::new(&store.master_data()?);
    let headings = [
        "Job",
        "Name",
        "Application",
        "Channel",
        "User",
        "State",
        "Started",
        "Duration",
        "Read",
        "Created",
        "Updated",
        "Unchanged",
        "Skipped",
        "Quarantined",
        "Failed",
    ];
    context.print_table(&headings, jobs.iter().map(|job| row(job, &zones)).collect())?;
    if jobs.is_empty() {
        context.hint("no batch jobs yet: `apptsync run import-data --channel ID` runs one");
    } else if has_more {
        context.hint(&format!("the latest {limit} jobs; use --limit"));
    }
    Ok(())
}

fn row(job: &Job, zones: &Zones) -> Vec<String> {
    let ledger = &job.ledger;
    let mut row = vec![
        job.id.to_string(),
        job.new.name.clone(),
        job.new.application.to_string(),
        job.new.channel.clone(),
        job.new.user.clone().unwrap_or_default(),
        job.state.to_string(),
        local_date_time(job.new.started, zones.of_channel(&job.new.channel)),
        duration(job),
    ];
    let counts = [
        ledger.read,
        ledger.created,
        ledger.updated,
        ledger.unchanged,
        ledger.skipped_total(),
        ledger.quarantined,
        ledger.failed,
    ];
    row.extend(counts.iter().map(u64::to_string));
    row
}

fn duration(job: &Job) -> String {
    job.finished.map_or_else(String::new, |finished| {
        let seconds = u64::try_from(finished.0 - job.new.started.0).unwrap_or(0);
        humantime::format_duration(Duration::from_secs(seconds)).to_string()
    })
}

/// A record that was quarantined, in JSON.
#[derive(Serialize)]
struct Quarantined<'a> {
    place: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a QuarantinedRecord> for Quarantined<'a> {
    fn from(record: &'a QuarantinedRecord) -> Self {
        Self { place: &record.place, reason: &record.reason }
    }
}

fn show(store: &dyn Store, id: JobId, context: &Context) -> anyhow::Result<()> {
    let Some(details) = store.job(id)? else {
        return Err(UsageError(format!("there is no batch job {id}: see `apptsync jobs list`")).into());
    };
    if context.is_json() {
        return context.print_json(&JobShown {
            view: JobView::from(&details),
            run: JobRun::from(&details.job),
            quarantined_records: details.quarantined.iter().map(Quarantined::from).collect(),
        });
    }
    let job = &details.job;
    let zone = Zones::new(&store.master_data()?).of_channel(&job.new.channel);
    print_job(context, &JobView::from(&details))?;
    context.print_line("\nBatch application")?;
    let since = match changed_since(job.new.changed_since) {
        (name, Some(instant)) => format!("{name} {}", local_date_time(instant, zone)),
        (name, None) => name.to_owned(),
    };
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let fields = [
        ("Name", job.new.name.clone()),
        ("Application", job.new.application.to_string()),
        ("Sales channel", job.new.channel.clone()),
        ("User", or_nothing(job.new.user.clone())),
        ("Changed since", since),
        ("As of", format!("{} ({zone})", local_date_time(job.new.as_of, zone))),
        ("Started", format!("{} ({zone})", local_date_time(job.new.started, zone))),
        ("Finished", or_nothing(job.finished.map(|instant| format!("{} ({zone})", local_date_time(instant, zone))))),
        ("Duration", duration(job)),
    ];
    for (name, value) in fields {
        context.print_line(format!("  {name:<15}{value}").trim_end())?;
    }
    if !details.quarantined.is_empty() {
        context.print_line("\nQuarantined records")?;
        let rows = details.quarantined.iter().map(|record| vec![record.place.clone(), record.reason.clone()]).collect();
        context.print_table(&["Place", "Reason"], rows)?;
        let shown = details.quarantined.len() as u64;
        if shown < job.ledger.quarantined {
            context.hint(&format!("{shown} of {} quarantined records", job.ledger.quarantined));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use apptsync_store::NewJob;

    use super::*;

    fn job() -> Job {
        let started = "2026-11-23T08:00:00Z".parse().expect("an instant");
        let new = NewJob {
            application: Application::ImportActivities,
            name: "morning".into(),
            channel: "B2B".into(),
            user: None,
            changed_since: ChangedSince::Manual(started),
            as_of: started,
            started,
        };
        let finished = Some(Instant(started.0 + 65));
        Job { id: 3, new, state: JobState::CompletedWithWarnings, finished, ledger: Ledger::default() }
    }

    #[test]
    fn the_head_of_a_job_in_json() {
        assert_eq!(
            serde_json::to_value(JobHead::from(&job())).expect("json"),
            serde_json::json!({
                "job": 3, "name": "morning", "application": "import-activities", "channel": "B2B", "user": null,
                "changed_since": "manual", "timestamp": "2026-11-23T08:00:00Z", "as_of": "2026-11-23T08:00:00Z",
                "started": "2026-11-23T08:00:00Z", "finished": "2026-11-23T08:01:05Z",
                "state": "completed-with-warnings",
                "ledger": { "read": 0, "created": 0, "updated": 0, "unchanged": 0, "skipped": {}, "quarantined": 0, "failed": 0 },
            })
        );
    }

    #[test]
    fn a_row_has_the_label_of_the_state_and_the_duration() {
        let row = row(&job(), &Zones::default());
        assert_eq!(row[5..8], ["Completed with warnings", "2026-11-23 08:00", "1m 5s"]);
    }
}
