//! How a batch job is shown: by `run`, by `demo` and by `jobs show`.

use apptsync_model::{Application, JobId, JobState, Ledger, Message, SkipReason, StageReport};
use apptsync_pipeline::JobReport;
use apptsync_store::JobDetails;
use bytesize::ByteSize;
use serde::Serialize;

use crate::context::{Context, Exit};

/// What is shown of a batch job. Serialized, it is the documented JSON of `run … --output json`; a command that has more to
/// say can flatten it into its own.
#[derive(Debug, Clone, Serialize)]
pub struct JobView<'a> {
    /// Number of the job.
    pub job: JobId,
    /// Its state.
    pub state: JobState,
    /// Counts over all parts.
    pub ledger: &'a Ledger,
    /// Protocol.
    pub messages: &'a [Message],
    /// What each stage did.
    pub stages: &'a [StageReport],
    /// Counts of each part, in the order they ran.
    pub parts: Vec<PartView<'a>>,
}

/// The counts of one part of a job.
#[derive(Debug, Clone, Serialize)]
pub struct PartView<'a> {
    /// What ran.
    pub application: Application,
    /// Its counts.
    pub ledger: &'a Ledger,
}

fn parts(parts: &[(Application, Ledger)]) -> Vec<PartView<'_>> {
    parts.iter().map(|(application, ledger)| PartView { application: *application, ledger }).collect()
}

impl<'a> From<&'a JobReport> for JobView<'a> {
    fn from(report: &'a JobReport) -> Self {
        Self {
            job: report.job,
            state: report.state,
            ledger: &report.ledger,
            messages: &report.messages,
            stages: &report.stages,
            parts: parts(&report.parts),
        }
    }
}

impl<'a> From<&'a JobDetails> for JobView<'a> {
    fn from(details: &'a JobDetails) -> Self {
        Self {
            job: details.job.id,
            state: details.job.state,
            ledger: &details.job.ledger,
            messages: &details.messages,
            stages: &details.stages,
            parts: parts(&details.parts),
        }
    }
}

impl JobView<'_> {
    /// How a command that ran this job ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.state {
            JobState::Completed | JobState::Scheduled | JobState::Running => Exit::Done,
            JobState::CompletedWithWarnings => Exit::Warnings,
            JobState::Failed | JobState::Canceled => Exit::Failed,
        }
    }
}

/// Prints a job: state, protocol, ledger and stages as tables, or all of it as JSON.
///
/// # Errors
/// It cannot be written.
pub fn print_job(context: &Context, view: &JobView<'_>) -> anyhow::Result<()> {
    if context.is_json() {
        return context.print_json(view);
    }
    context.print_line(&format!("Job {}: {}", view.job, view.state))?;
    print_protocol(context, view.messages)?;
    print_ledger(context, view)?;
    print_stages(context, view.stages)
}

fn print_protocol(context: &Context, messages: &[Message]) -> anyhow::Result<()> {
    context.print_line("\nProtocol")?;
    if messages.is_empty() {
        return context.print_line("no messages");
    }
    let rows = messages.iter().map(|message| vec![message.severity.to_string(), message.text.clone()]).collect();
    context.print_table(&["Severity", "Text"], rows)
}

/// A row of the ledger: what it counts, and its count in one ledger.
type LedgerRow = (String, Box<dyn Fn(&Ledger) -> u64>);

/// The rows of the ledger: the outcomes, with the reasons for skipping that occurred.
fn ledger_rows(ledger: &Ledger) -> Vec<LedgerRow> {
    let mut rows: Vec<LedgerRow> = vec![
        ("read".into(), Box::new(|ledger| ledger.read)),
        ("created".into(), Box::new(|ledger| ledger.created)),
        ("updated".into(), Box::new(|ledger| ledger.updated)),
        ("unchanged".into(), Box::new(|ledger| ledger.unchanged)),
    ];
    for reason in SkipReason::ALL.iter().copied().filter(|reason| ledger.skipped_for(*reason) > 0) {
        rows.push((format!("skipped: {}", reason.name()), Box::new(move |ledger| ledger.skipped_for(reason))));
    }
    rows.push(("quarantined".into(), Box::new(|ledger| ledger.quarantined)));
    rows.push(("failed".into(), Box::new(|ledger| ledger.failed)));
    rows
}

fn print_ledger(context: &Context, view: &JobView<'_>) -> anyhow::Result<()> {
    context.print_line("\nLedger")?;
    let mut headings = vec!["Records"];
    let mut columns = Vec::new();
    if view.parts.len() > 1 {
        headings.extend(view.parts.iter().map(|part| part.application.label()));
        columns.extend(view.parts.iter().map(|part| part.ledger));
    }
    headings.push("All");
    columns.push(view.ledger);
    let row = |(name, count): LedgerRow| {
        std::iter::once(name).chain(columns.iter().map(|ledger| count(ledger).to_string())).collect()
    };
    context.print_table(&headings, ledger_rows(view.ledger).into_iter().map(row).collect())
}

fn print_stages(context: &Context, stages: &[StageReport]) -> anyhow::Result<()> {
    if stages.is_empty() {
        return Ok(());
    }
    context.print_line("\nStages")?;
    let row = |stage: &StageReport| {
        vec![
            stage.stage.clone(),
            stage.plugin.clone(),
            short_digest(&stage.digest).to_owned(),
            stage.calls.to_string(),
            stage.records.to_string(),
            milliseconds(stage.microseconds),
            ByteSize::b(stage.memory_peak).display().iec().to_string(),
        ]
    };
    let headings = ["Stage", "Plugin", "Digest", "Calls", "Records", "Time", "Memory peak"];
    context.print_table(&headings, stages.iter().map(row).collect())
}

/// As much of a digest as people need to tell plugins apart.
#[must_use]
pub fn short_digest(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn milliseconds(microseconds: u64) -> String {
    format!("{}.{} ms", microseconds / 1_000, microseconds % 1_000 / 100)
}
