//! What a run of the synchronisation is asked, and what it reports.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use apptsync_model::outlook::SyncRunId;
use apptsync_model::{Instant, Message, Severity};
use apptsync_store::{StoreError, SyncState};
use serde::Serialize;

use super::decide::Action;
use super::plan::{Plan, Step};

/// What is asked of a run.
#[derive(Debug, Clone)]
pub struct SyncRequest {
    /// The instant it takes as now.
    pub as_of: Instant,
    /// Only the plan is drawn up; nothing is applied.
    pub plan_only: bool,
    /// The digest of a held plan that a person approves.
    pub approve: Option<String>,
    /// How long the run may wait, in all, because a server wants a pause.
    pub patience: Duration,
    /// Who follows it.
    pub progress: Option<Arc<dyn SyncProgress>>,
}

/// Follows runs, of several mailboxes side by side.
pub trait SyncProgress: Debug + Send + Sync {
    /// So many more writes to Outlook are to be done.
    fn expect(&self, writes: u64);

    /// So many of them were done, or tried.
    fn advance(&self, writes: u64);
}

/// Counts of what was done, or would be with `--plan`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Operations {
    /// Items made in Outlook.
    pub create: u64,
    /// Items changed in Outlook.
    pub update: u64,
    /// Items deleted in Outlook.
    pub delete: u64,
    /// Items in which edits were put back.
    pub revert: u64,
    /// Activities made, changed or canceled because of Outlook.
    pub import: u64,
}

impl Operations {
    /// Counts a step.
    pub fn count(&mut self, step: &Step) {
        if step.writes_outlook() {
            match step.verdict.action {
                Action::Create | Action::Recreate => self.create += 1,
                Action::Delete => self.delete += 1,
                _ if step.reverts() => self.revert += 1,
                _ => self.update += 1,
            }
        }
        if step.writes_headquarters() {
            self.import += 1;
        }
    }

    /// Counts a whole plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut operations = Self::default();
        plan.steps.iter().for_each(|step| operations.count(step));
        operations
    }
}

/// An item that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldItem {
    /// The object of the headquarters.
    pub headquarters: Option<String>,
    /// The item.
    pub remote_id: Option<String>,
    /// Its subject.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct SyncReport {
    /// Its number.
    pub run: SyncRunId,
    /// How it ended.
    pub state: SyncState,
    /// The plan: what was applied, or is held.
    pub plan: Plan,
    /// Its digest.
    pub hash: String,
    /// Counts.
    pub operations: Operations,
    /// Why the whole plan is held; empty when it is not.
    pub reasons: Vec<String>,
    /// Items that wait for a person.
    pub held: Vec<HeldItem>,
    /// HTTP requests.
    pub requests: u64,
    /// Protocol.
    pub messages: Vec<Message>,
}

/// Why a run could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The arguments or settings do not fit.
    #[error("{0}")]
    Usage(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The protocol of a run.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) messages: Vec<Message>,
}

impl Notes {
    pub(super) fn say(&mut self, severity: Severity, text: impl Into<String>) {
        self.messages.push(Message { severity, text: text.into() });
    }

    pub(super) fn needs_a_look(&self) -> bool {
        self.messages.iter().any(|message| message.severity != Severity::Info)
    }
}
