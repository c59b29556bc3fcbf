//! What a batch application is asked to do, and what it reports.

use std::sync::atomic::AtomicBool;

use apptsync_model::{Application, Instant, JobId, JobState, Ledger, Message, StageReport};
use apptsync_store::JobSettings;

/// What is asked of a batch application (domain 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRequest {
    /// Which one, and how: without a running user it covers everybody.
    pub settings: JobSettings,
    /// The job to begin, where it was scheduled before.
    pub scheduled: Option<JobId>,
    /// The instant the run takes as now.
    pub as_of: Instant,
}

/// Told how far a run is.
pub trait Progress: Sync {
    /// A page was stored; the counts of its part so far.
    fn advance(&self, part: Application, ledger: &Ledger);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn advance(&self, _part: Application, _ledger: &Ledger) {}
}

/// How a run is watched and ended from outside.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// When set, the run ends after the page under way.
    pub cancel: &'a AtomicBool,
    /// Told how far the run is.
    pub progress: &'a dyn Progress,
}

/// What a batch job did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobReport {
    /// Its number.
    pub job: JobId,
    /// How it ended.
    pub state: JobState,
    /// Counts over all parts.
    pub ledger: Ledger,
    /// Counts of each part.
    pub parts: Vec<(Application, Ledger)>,
    /// Protocol.
    pub messages: Vec<Message>,
    /// What each stage did.
    pub stages: Vec<StageReport>,
}
