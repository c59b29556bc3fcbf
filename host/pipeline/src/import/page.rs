//! A page on its way from the source to the store.

use std::collections::HashMap;

use apptsync_model::{Message, Outcome, Severity, SourceItem};
use apptsync_store::{Pending, QuarantinedRecord, RecordWrite, Store};

use crate::ImportError;

/// What the reader hands to a worker.
pub(super) enum Input {
    /// A page of the source.
    Source {
        items: Vec<SourceItem>,
        /// Where the source goes on.
        next: String,
        notices: Vec<String>,
    },
    /// Objects that earlier runs did not import.
    Pending(Vec<Pending>),
}

/// What a worker hands to the writer.
#[derive(Default)]
pub(super) struct Output {
    pub(super) entered: u64,
    pub(super) settled: Vec<Outcome>,
    pub(super) records: Vec<RecordWrite>,
    pub(super) quarantined: Vec<QuarantinedRecord>,
    pub(super) next: Option<String>,
    /// Lines for the protocol that are not about single records.
    pub(super) notices: Vec<String>,
    /// Lines about single records.
    pub(super) lines: Vec<Message>,
    /// Employees whose appointments were skipped because they are not eligible.
    pub(super) not_eligible: Vec<String>,
    pub(super) source_items: u64,
    pub(super) source_broken: u64,
}

impl Output {
    /// Keeps apart a piece of the source that cannot be read.
    pub(super) fn quarantine_source(&mut self, place: String, reason: String) {
        self.entered += 1;
        self.settled.push(Outcome::Quarantined);
        self.source_broken += 1;
        self.lines.push(Message { severity: Severity::Warning, text: format!("{place}: {reason}; it is quarantined") });
        self.quarantined.push(QuarantinedRecord { place, reason });
    }
}

/// What a part of a run does with its pages.
pub(super) trait Work: Sync {
    /// Answers one page. `connection` is the worker's own.
    ///
    /// # Errors
    /// The run must stop.
    fn answer(&self, input: Input, connection: &dyn Store) -> Result<Output, ImportError>;
}

/// Where the same key stands twice in a page, the later counts; the earlier ones are handed out.
pub(super) fn split_repeated<T>(records: Vec<T>, key: impl Fn(&T) -> &str) -> (Vec<T>, Vec<T>) {
    let last: HashMap<String, usize> =
        records.iter().enumerate().map(|(position, record)| (key(record).to_owned(), position)).collect();
    if last.len() == records.len() {
        return (records, Vec::new());
    }
    let mut kept = Vec::with_capacity(last.len());
    let mut repeated = Vec::new();
    for (position, record) in records.into_iter().enumerate() {
        if last.get(key(&record)) == Some(&position) {
            kept.push(record);
        } else {
            repeated.push(record);
        }
    }
    (kept, repeated)
}
