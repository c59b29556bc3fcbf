//! `jobs`: Batch jobs with their protocol, ledger, stages and quarantined records.

use std::time::Duration;

use apptsync_model::{Application, ChangedSince, ContentLanguage, Instant, JobId, JobState, Ledger, local_date_time};
use apptsync_store::{Cancellation, Job, QuarantinedRecord, SqliteStore, Store};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::activities::{TABLE_ROWS, Zones};
use crate::context::{Context, Exit, UsageError, Workspace};
use crate::report::{JobView, print_job};

/// Time between two looks at a job that is waited for.
const POLL: Duration = Duration::from_millis(100);
/// Time within which a process in the background has begun.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// Wait until a batch job has ended, and show it
    #[command(after_help = "\
Examples:
  apptsync run import-data --channel B2B --background
  apptsync jobs wait 3

Exit codes: as those of `apptsync run`.")]
    Wait(ShowArguments),
    /// Cancel a batch job: one that is scheduled does not begin, one that runs ends after the page under way
    #[command(after_help = "\
Examples:
  apptsync jobs cancel 3")]
    Cancel(ShowArguments),
    /// Carry out the scheduled jobs of a queue, one after another; `run --background` starts this by itself
    #[command(after_help = "\
Examples:
  apptsync jobs process
  apptsync jobs process --queue night

Exit codes: 0 completed or nothing to do, 1 a job failed or was canceled, 3 completed with warnings.")]
    Process(ProcessArguments),
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

/// Arguments of `jobs process`.
#[derive(Debug, Args)]
pub struct ProcessArguments {
    /// The processing queue [default: `queue` of [batch], else "default"]
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
}

/// Runs a subcommand.
///
/// # Errors
/// The database cannot be read, or there is no such job.
pub fn run(command: JobsCommand, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let store = workspace.store()?;
    match command {
        JobsCommand::Wait(arguments) => return wait(&store, arguments.id, context),
        JobsCommand::Cancel(arguments) => cancel(&store, arguments.id, context)?,
        JobsCommand::Process(arguments) => return process(&workspace, arguments, context),
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
    content_language: Option<&'a ContentLanguage>,
    /// Of a job in the background.
    queue: Option<&'a str>,
    scheduled: Option<String>,
    as_of: Option<String>,
    started: Option<String>,
    finished: Option<String>,
}

impl<'a> From<&'a Job> for JobRun<'a> {
    fn from(job: &'a Job) -> Self {
        let (since, timestamp) = changed_since(job.settings.changed_since);
        Self {
            name: &job.settings.name,
            application: job.settings.application,
            channel: &job.settings.channel,
            user: job.settings.user.as_deref(),
            changed_since: since,
            timestamp: timestamp.map(|instant| instant.to_string()),
            content_language: job.settings.content_language.as_ref(),
            queue: job.schedule.as_ref().map(|schedule| schedule.queue.as_str()),
            scheduled: job.schedule.as_ref().map(|schedule| schedule.scheduled.to_string()),
            as_of: job.begin.map(|begin| begin.as_of.to_string()),
            started: job.begin.map(|begin| begin.started.to_string()),
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
        job.settings.name.clone(),
        job.settings.application.to_string(),
        job.settings.channel.clone(),
        job.settings.user.clone().unwrap_or_default(),
        job.state.to_string(),
        job.begin
            .map_or_else(String::new, |begin| local_date_time(begin.started, zones.of_channel(&job.settings.channel))),
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
    job.begin.zip(job.finished).map_or_else(String::new, |(begin, finished)| {
        let seconds = u64::try_from(finished.0 - begin.started.0).unwrap_or(0);
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

/// Says that a job was put into its queue.
///
/// # Errors
/// It cannot be written.
pub(super) fn print_scheduled(context: &Context, job: &Job) -> anyhow::Result<Exit> {
    if context.is_json() {
        context.print_json(&JobHead::from(job))?;
        return Ok(Exit::Done);
    }
    let queue = job.schedule.as_ref().map_or("", |schedule| &schedule.queue);
    context.print_line(&format!("Job {}: {} in queue {queue}", job.id, JobState::Scheduled))?;
    context.hint(&format!("`apptsync jobs wait {0}` waits for its end, `apptsync jobs cancel {0}` cancels it", job.id));
    Ok(Exit::Done)
}

fn no_job(id: JobId) -> anyhow::Error {
    UsageError(format!("there is no batch job {id}: see `apptsync jobs list`")).into()
}

fn wait(store: &SqliteStore, id: JobId, context: &Context) -> anyhow::Result<Exit> {
    let begun = std::time::Instant::now();
    let mut is_told = false;
    loop {
        let details = store.job(id)?.ok_or_else(|| no_job(id))?;
        match details.job.state {
            JobState::Scheduled | JobState::Running => {}
            _ => {
                show(store, id, context)?;
                return Ok(JobView::from(&details).exit());
            }
        }
        // Whoever carries jobs out holds the lock; with nobody there, waiting would have no end.
        if !is_told && begun.elapsed() > PATIENCE && store.try_lock_runs()?.is_some() {
            is_told = true;
            let queue = details.job.schedule.map(|schedule| format!(" --queue {}", schedule.queue)).unwrap_or_default();
            context
                .warn(&format!("nothing works on job {id}: `apptsync jobs process{queue}` in another terminal does"));
        }
        std::thread::sleep(POLL);
    }
}

fn cancel(store: &SqliteStore, id: JobId, context: &Context) -> anyhow::Result<()> {
    let done = store.cancel_job(id, Instant::from(chrono::Utc::now()))?.ok_or_else(|| no_job(id))?;
    if let Cancellation::Over(state) = done {
        let message = format!("job {id} has ended: {state}; what it stored stays");
        return Err(UsageError(message).into());
    }
    if context.is_json() {
        let job = store.job(id)?.ok_or_else(|| no_job(id))?.job;
        return context.print_json(&JobHead::from(&job));
    }
    context.print_line(&match done {
        Cancellation::Canceled => format!("Job {id}: {}", JobState::Canceled),
        _ => format!("Job {id}: ends after the page under way"),
    })
}

fn process(workspace: &Workspace, arguments: ProcessArguments, context: &Context) -> anyhow::Result<Exit> {
    let queue = arguments.queue.unwrap_or_else(|| workspace.configuration.batch.queue.clone());
    let reports = super::run::process(context, workspace, &queue)?;
    let views: Vec<JobView<'_>> = reports.iter().map(JobView::from).collect();
    if context.is_json() {
        context.print_json(&views)?;
    } else if views.is_empty() {
        context.print_line(&format!("no job is scheduled in queue {queue}"))?;
    }
    let mut exit = Exit::Done;
    for view in &views {
        if !context.is_json() {
            print_job(context, view)?;
        }
        exit = match (exit, view.exit()) {
            (_, Exit::Failed) | (Exit::Failed, _) => Exit::Failed,
            (Exit::Warnings, _) => Exit::Warnings,
            (_, other) => other,
        };
    }
    Ok(exit)
}

fn show(store: &dyn Store, id: JobId, context: &Context) -> anyhow::Result<()> {
    let details = store.job(id)?.ok_or_else(|| no_job(id))?;
    if context.is_json() {
        return context.print_json(&JobShown {
            view: JobView::from(&details),
            run: JobRun::from(&details.job),
            quarantined_records: details.quarantined.iter().map(Quarantined::from).collect(),
        });
    }
    let job = &details.job;
    let zone = Zones::new(&store.master_data()?).of_channel(&job.settings.channel);
    print_job(context, &JobView::from(&details))?;
    context.print_line("\nBatch application")?;
    let since = match changed_since(job.settings.changed_since) {
        (name, Some(instant)) => format!("{name} {}", local_date_time(instant, zone)),
        (name, None) => name.to_owned(),
    };
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let at = |instant: Option<Instant>| {
        or_nothing(instant.map(|instant| format!("{} ({zone})", local_date_time(instant, zone))))
    };
    let fields = [
        ("Name", job.settings.name.clone()),
        ("Application", job.settings.application.to_string()),
        ("Sales channel", job.settings.channel.clone()),
        ("User", or_nothing(job.settings.user.clone())),
        ("Changed since", since),
        ("Language", or_nothing(job.settings.content_language.as_ref().map(ToString::to_string))),
        ("Queue", or_nothing(job.schedule.as_ref().map(|schedule| schedule.queue.clone()))),
        ("Scheduled", at(job.schedule.as_ref().map(|schedule| schedule.scheduled))),
        ("As of", at(job.begin.map(|begin| begin.as_of))),
        ("Started", at(job.begin.map(|begin| begin.started))),
        ("Finished", at(job.finished)),
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
    use apptsync_store::{JobBegin, JobSettings};

    use super::*;

    fn job() -> Job {
        let started = "2026-11-23T08:00:00Z".parse().expect("an instant");
        let settings = JobSettings {
            application: Application::ImportActivities,
            name: "morning".into(),
            channel: "B2B".into(),
            user: None,
            changed_since: ChangedSince::Manual(started),
            deactivate_deleted: false,
            content_language: None,
        };
        let begin = Some(JobBegin { as_of: started, started });
        let finished = Some(Instant(started.0 + 65));
        let state = JobState::CompletedWithWarnings;
        Job { id: 3, settings, schedule: None, begin, state, finished, ledger: Ledger::default() }
    }

    #[test]
    fn the_head_of_a_job_in_json() {
        assert_eq!(
            serde_json::to_value(JobHead::from(&job())).expect("json"),
            serde_json::json!({
                "job": 3, "name": "morning", "application": "import-activities", "channel": "B2B", "user": null,
                "changed_since": "manual", "timestamp": "2026-11-23T08:00:00Z", "content_language": null,
                "queue": null, "scheduled": null, "as_of": "2026-11-23T08:00:00Z",
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
