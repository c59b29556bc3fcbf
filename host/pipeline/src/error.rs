//! Why a batch application does not run, or stops.

use apptsync_runtime::{CallFailure, LoadError, SourceFailure};
use apptsync_store::StoreError;

/// An error of a batch application.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The arguments do not fit the headquarters' data.
    #[error("{0}")]
    Usage(String),
    /// A plugin cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source does not go on.
    #[error(transparent)]
    Source(#[from] SourceFailure),
    /// A plugin fails, and its stage says to stop.
    #[error("{0}; the stage is configured with on-failure = \"stop\"")]
    Stopped(CallFailure),
    /// A plugin fails on everything.
    #[error(
        "{failure}; it failed on {records} records one after the other, so the run was stopped: repair or replace the plugin"
    )]
    FailsOnEverything {
        /// The last failure.
        failure: CallFailure,
        /// Records it failed on, each asked about alone.
        records: u64,
    },
    /// A plugin does not accept its configuration.
    #[error("{plugin} does not accept its `config` in apptsync.toml: {message}")]
    Misconfigured {
        /// The plugin and its stage.
        plugin: String,
        /// What it says.
        message: String,
    },
    /// A plugin used up its time.
    #[error("{0}; the run was stopped: give it more with limits = {{ run = \"…\" }}, or make it faster")]
    Budget(CallFailure),
    /// A stored record cannot be read.
    #[error("a stored record cannot be read: {0}")]
    Record(#[from] serde_json::Error),
    /// A thread of the run ended early.
    #[error("the run ended early: {0}")]
    Thread(String),
}
