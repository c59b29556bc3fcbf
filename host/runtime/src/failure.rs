//! What can go wrong with a plugin, as something the host can act on.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use apptsync_model::text;

/// Why a plugin cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The engine cannot run here.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The file cannot be read.
    #[error("plugin `{plugin}` cannot be read: {reason}")]
    Unreadable {
        /// As configured.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// The file is not what was configured.
    #[error(
        "plugin `{plugin}` has SHA-256 {found}, the configuration expects {expected}: if the new file is wanted, change `sha256`"
    )]
    Digest {
        /// As configured.
        plugin: String,
        /// Of the file.
        found: String,
        /// In the configuration.
        expected: String,
    },
    /// The file is no component.
    #[error("plugin `{plugin}` {reason}")]
    NotAComponent {
        /// As configured.
        plugin: String,
        /// What it is instead and what to do.
        reason: String,
    },
    /// The component does not fit the stage.
    #[error("plugin `{plugin}` {reason}")]
    Unfit {
        /// As configured.
        plugin: String,
        /// What does not fit and what to do.
        reason: String,
    },
    /// A folder that is granted is not there.
    #[error("plugin `{plugin}` is granted the folder {folder}, which cannot be opened: {reason}")]
    Folder {
        /// As configured.
        plugin: String,
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
}

impl LoadError {
    pub(crate) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(format!("{error:#}"))
    }
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// The plugin gave up: panic, abort, a fault in its memory.
    Trap,
    /// The call took longer than it may.
    Deadline(Duration),
    /// The plugin wanted more memory than it may have, in bytes.
    Memory(usize),
    /// More crossed the boundary than may, or what came back is not what the contract says.
    Contract,
    /// All calls of the run together took longer than they may.
    Budget(Duration),
}

/// A call that failed as a whole: no record of the batch is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailure {
    /// How it failed.
    pub kind: FailureKind,
    /// What is known about it.
    pub report: Box<TrapReport>,
}

/// What is known about a failed call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrapReport {
    /// The plugin as configured.
    pub plugin: String,
    /// The stage it stands in.
    pub stage: String,
    /// The function called.
    pub function: &'static str,
    /// What the engine says, on one line.
    pub detail: String,
    /// The last lines the plugin wrote to stderr or its log.
    pub log: Vec<String>,
}

impl fmt::Display for CallFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrapReport { plugin, stage, function, detail, log } = &*self.report;
        write!(formatter, "plugin `{plugin}` (stage {stage}) ")?;
        match &self.kind {
            FailureKind::Trap => write!(formatter, "trapped in `{function}`: {detail}")?,
            FailureKind::Deadline(limit) => {
                write!(formatter, "ran longer than its deadline of {limit:?} in `{function}`")?;
            }
            FailureKind::Memory(limit) => {
                write!(formatter, "wanted more than its {} MiB of memory in `{function}`", limit >> 20)?;
            }
            FailureKind::Contract => write!(formatter, "broke the contract in `{function}`: {detail}")?,
            FailureKind::Budget(limit) => {
                write!(formatter, "used up its time for the whole run, {limit:?}")?;
            }
        }
        // Behind each panic, Rust's standard library gives advice that nobody can follow here.
        if let Some(last) = log.iter().rfind(|line| !line.starts_with("note: run with `RUST_BACKTRACE")) {
            write!(formatter, "; its last words: {}", text::cut(last, 200))?;
        }
        Ok(())
    }
}

impl std::error::Error for CallFailure {}

/// Why a source does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceFailure {
    /// The plugin itself failed.
    #[error(transparent)]
    Call(#[from] CallFailure),
    /// The source wants a pause of so many seconds.
    #[error("the source wants a pause{}: run again later", .0.map_or(String::new(), |seconds| format!(" of {seconds} s")))]
    Throttled(Option<u32>),
    /// The credential is missing, wrong or expired.
    #[error("the source refuses the credential: {0}")]
    Auth(String),
    /// What the cursor points at is no longer there.
    #[error("the source no longer knows where the last import ended: run with --changed-since anytime")]
    Gone,
    /// It was changed by somebody else meanwhile.
    #[error("the source was changed while it was read: run again")]
    Conflict,
    /// May work when it is tried again.
    #[error("the source cannot be read now: {0}")]
    Transient(String),
    /// Will not work until somebody changes something.
    #[error("the source cannot be read: {0}")]
    Permanent(String),
}
