//! `run`: batch applications (domain 4).

mod background;
mod lock;
mod progress;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use apptsync_model::{Application, ChangedSince, ContentLanguage, Instant};
use apptsync_pipeline::{Control, ImportRequest, JobReport, import};
use apptsync_store::JobSettings;
use clap::{Args, Subcommand, ValueEnum};

pub use self::background::process;

use crate::context::{Context, Exit, UsageError, Workspace, to_stderr};
use crate::report::{JobView, print_job};

const EXAMPLES: &str = "\
Examples:
  apptsync run import-data --channel B2B --user A
  apptsync run import-activities --channel B2B --changed-since anytime
  apptsync run import-customers --channel B2B --changed-since anytime --deactivate-deleted
  apptsync run import-data --channel B2B --output json --no-wait
  apptsync run import-data --channel B2B --background --queue night

One run at a time works on a database; another waits for it. Ctrl-C ends a run after the page under way; the next run \
goes on from there. Exit codes: 0 completed, 1 failed or canceled, 2 wrong usage, 3 completed with warnings.";

/// Which batch application to run.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum RunCommand {
    /// Import customers: customers of the feed become partners
    #[command(name = "import-customers")]
    Customers {
        /// What to import
        #[command(flatten)]
        arguments: RunArguments,
        /// What to do with customers that Mobile deleted
        #[command(flatten)]
        deleted: DeletedArguments,
    },
    /// BUS: Import activities: confirmed appointments of the feed become activities
    #[command(name = "import-activities")]
    Activities {
        /// What to import
        #[command(flatten)]
        arguments: RunArguments,
    },
    /// BUS Import data: customers, then activities
    #[command(name = "import-data")]
    Data {
        /// What to import
        #[command(flatten)]
        arguments: RunArguments,
        /// What to do with customers that Mobile deleted
        #[command(flatten)]
        deleted: DeletedArguments,
    },
}

/// What every batch application takes.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The sales channel
    #[arg(long, value_name = "ID")]
    channel: String,
    /// Which objects to look at
    #[arg(long, value_enum, default_value_t = Since::LastTransfer, value_name = "WHICH")]
    changed_since: Since,
    /// With --changed-since manual: changed at or after this instant
    #[arg(long, value_name = "INSTANT")]
    timestamp: Option<Instant>,
    /// The running user: the run covers them and everybody below [default: `user` of [batch] in apptsync.toml]
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Name of the job [default: that of the application]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Language of the texts, such as de or de-AT: see `definitions set --language` [default: `content-language` of [batch]]
    #[arg(long, value_name = "LANGUAGE")]
    content_language: Option<ContentLanguage>,
    /// Do not wait for another run on this database
    #[arg(long, conflicts_with = "background")]
    no_wait: bool,
    /// Go on in the background: `apptsync jobs list` and `jobs wait` follow it, `jobs cancel` ends it
    #[arg(long)]
    background: bool,
    /// With --background: the processing queue; its jobs are carried out one after another [default: `queue` of [batch], else
    /// "default"]
    #[arg(long, value_name = "NAME", requires = "background")]
    queue: Option<String>,
}

/// What Import customers takes besides.
#[derive(Debug, Args)]
pub struct DeletedArguments {
    /// Deactivate deleted customer accounts: mark their partners for deletion
    #[arg(long)]
    deactivate_deleted: bool,
}

/// Which objects a run looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Since {
    /// All that the feed has
    Anytime,
    /// What earlier runs did not import, and what changed since
    LastTransfer,
    /// What changed at or after --timestamp
    Manual,
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: RunCommand, context: &Context) -> anyhow::Result<Exit> {
    let (application, arguments, deactivate_deleted) = match command {
        RunCommand::Customers { arguments, deleted } => {
            (Application::ImportCustomers, arguments, deleted.deactivate_deleted)
        }
        RunCommand::Activities { arguments } => (Application::ImportActivities, arguments, false),
        RunCommand::Data { arguments, deleted } => (Application::ImportData, arguments, deleted.deactivate_deleted),
    };
    let workspace = context.workspace()?;
    let batch = &workspace.configuration.batch;
    let settings = JobSettings {
        application,
        name: arguments.name.unwrap_or_else(|| application.label().to_owned()),
        channel: arguments.channel,
        user: arguments.user.or_else(|| batch.user.clone()),
        changed_since: changed_since(arguments.changed_since, arguments.timestamp)?,
        deactivate_deleted,
        content_language: arguments.content_language.or_else(|| batch.content_language.clone()),
    };
    if arguments.background {
        let queue = arguments.queue.unwrap_or_else(|| batch.queue.clone());
        let job = background::schedule(context, &workspace, &settings, queue)?;
        return super::jobs::print_scheduled(context, &job);
    }
    let request = ImportRequest { settings, scheduled: None, as_of: context.now() };
    let report = execute(context, &workspace, request, arguments.no_wait)?;
    let view = JobView::from(&report);
    print_job(context, &view)?;
    Ok(view.exit())
}

fn changed_since(since: Since, timestamp: Option<Instant>) -> anyhow::Result<ChangedSince> {
    match (since, timestamp) {
        (Since::Anytime, None) => Ok(ChangedSince::Anytime),
        (Since::LastTransfer, None) => Ok(ChangedSince::LastTransfer),
        (Since::Manual, Some(instant)) => Ok(ChangedSince::Manual(instant)),
        (Since::Manual, None) => {
            Err(UsageError("--changed-since manual needs --timestamp, such as 2026-12-01T09:00:00Z".into()).into())
        }
        (_, Some(_)) => Err(UsageError("--timestamp belongs to --changed-since manual: add that".into()).into()),
    }
}

/// Waits for its turn, runs a batch application, and shows how far it is.
///
/// # Errors
/// It could not begin.
pub fn execute(
    context: &Context,
    workspace: &Workspace,
    mut request: ImportRequest,
    no_wait: bool,
) -> anyhow::Result<JobReport> {
    let specs = workspace.stage_specs()?;
    let store = workspace.store()?;
    let cancel = cancel_on_interrupt()?;
    let Some(_lock) = lock::take(&store, &cancel, no_wait)? else {
        anyhow::bail!("canceled while waiting for another run on this database: nothing was run");
    };
    // Waiting may have taken long.
    request.as_of = context.now();
    let runtime = workspace.runtime()?;
    let progress = progress::Bar::new(context);
    let control = Control { cancel: &cancel, progress: &progress };
    let report = import(&store, &runtime, &specs, &request, &control);
    progress.finish();
    Ok(report?)
}

/// The flag that Ctrl-C sets. The first asks the run to end after the page under way, the second ends the program.
fn cancel_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    use std::sync::atomic::Ordering;
    static CANCEL: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(cancel) = CANCEL.get() {
        return Ok(cancel.clone());
    }
    let cancel = CANCEL.get_or_init(Arc::default).clone();
    let flag = cancel.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            // What is stored is whole: every page is one transaction.
            std::process::exit(1);
        }
        to_stderr("stopping; a run ends after the page under way (Ctrl-C again ends at once)");
    })
    .context("Ctrl-C cannot be watched")?;
    Ok(cancel)
}
