//! Runs in the background: a job waits in its queue, and a process of its own carries the jobs of a queue out.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use apptsync_model::{Instant, JobState, Message, Severity};
use apptsync_pipeline::{ImportRequest, JobReport};
use apptsync_store::{Job, JobBegin, JobSettings, Schedule, SqliteStore, Store};

use super::{cancel_on_interrupt, execute};
use crate::context::{Context, UsageError, Workspace};

/// Where a process in the background writes what a terminal would show, beside `apptsync.toml`.
const LOG: &str = "background.log";

/// Puts a job into a queue and starts a process that carries the queue out.
///
/// # Errors
/// The sales channel is not there, the database cannot be written, or the process cannot be started.
pub fn schedule(
    context: &Context,
    workspace: &Workspace,
    settings: &JobSettings,
    queue: String,
) -> anyhow::Result<Job> {
    let store = workspace.store()?;
    if store.channel(&settings.channel)?.is_none() {
        let channel = &settings.channel;
        let message = format!("sales channel `{channel}` is not there: `apptsync channels list` shows which are");
        return Err(UsageError(message).into());
    }
    let schedule = Schedule { queue, scheduled: Instant::from(chrono::Utc::now()), as_of: context.as_of() };
    let job = store.schedule_job(settings, &schedule)?;
    start(workspace, &schedule.queue)
        .with_context(|| format!("job {job} is scheduled, but nothing works on it: `apptsync jobs process`"))?;
    let details = store.job(job)?.with_context(|| format!("job {job} is no longer there"))?;
    Ok(details.job)
}

/// A process that outlives this one and its terminal.
fn start(workspace: &Workspace, queue: &str) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let log = workspace.folder.join(LOG);
    let log = OpenOptions::new().create(true).append(true).open(&log).with_context(|| format!("{}", log.display()))?;
    let mut command = Command::new(program);
    command.arg("--config").arg(&workspace.configuration.file).args(["jobs", "process", "--queue", queue]);
    command.current_dir(&workspace.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().context("a process in the background cannot be started")?;
    Ok(())
}

/// Carries out the jobs of a queue, one after another, until none waits any more or Ctrl-C ends it.
///
/// # Errors
/// The database cannot be used. A job that cannot begin is Failed, and the next one follows.
pub fn process(context: &Context, workspace: &Workspace, queue: &str) -> anyhow::Result<Vec<JobReport>> {
    let store = workspace.store()?;
    let cancel = cancel_on_interrupt()?;
    let mut reports = Vec::new();
    let is_ours = |job: &Job| job.schedule.as_ref().is_some_and(|schedule| schedule.queue == queue);
    while let Some(job) = store.scheduled_jobs()?.into_iter().find(is_ours) {
        if cancel.load(Ordering::Relaxed) {
            break;
        }
        match carry_out(context, workspace, &job) {
            Ok(report) => reports.push(report),
            Err(error) => {
                if cancel.load(Ordering::Relaxed) {
                    break;
                }
                reports.extend(fail(&store, &job, &format!("{error:#}"))?);
            }
        }
    }
    Ok(reports)
}

fn carry_out(context: &Context, workspace: &Workspace, job: &Job) -> anyhow::Result<JobReport> {
    let as_of = job.schedule.as_ref().and_then(|schedule| schedule.as_of);
    let at = as_of.map(|as_of| context.with_as_of(as_of));
    let context = at.as_ref().unwrap_or(context);
    let request = ImportRequest { settings: job.settings.clone(), scheduled: Some(job.id), as_of: context.now() };
    execute(context, workspace, request, false)
}

/// Ends a job that could not begin; none when somebody else took or canceled it meanwhile.
fn fail(store: &SqliteStore, job: &Job, why: &str) -> anyhow::Result<Option<JobReport>> {
    let now = Instant::from(chrono::Utc::now());
    let is_ours = store.begin_scheduled_job(job.id, JobBegin { as_of: now, started: now })?;
    if !is_ours {
        return Ok(None);
    }
    let messages = vec![Message { severity: Severity::Error, text: why.to_owned() }];
    store.finish_job(job.id, JobState::Failed, now, &[], &messages, &[])?;
    Ok(Some(JobReport {
        job: job.id,
        state: JobState::Failed,
        ledger: Default::default(),
        parts: Vec::new(),
        messages,
        stages: Vec::new(),
    }))
}
