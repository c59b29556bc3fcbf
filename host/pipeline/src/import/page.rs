//! A page on its way from the source to the store.

use std::collections::HashMap;

use apptsync_model::{Appointment, ChangedSince, Customer, Instant, JobId, Message, Outcome, Severity, SourceItem};
use apptsync_store::{Known, Pending, QuarantinedRecord, RecordWrite, Store, TransferKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ImportError;

/// What the reader hands to a worker.
pub(super) enum Input {
    /// A page of the source.
    Source {
        items: Vec<SourceItem>,
        /// Where the source goes on.
        next: String,
        notices: Vec<String>,
        /// The run.
        job: JobId,
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
    /// Ids that an earlier page of this pass held too.
    pub(super) repeated: Vec<String>,
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

/// What a collection of a source holds.
pub(super) trait SourceObject: Serialize + DeserializeOwned {
    /// The collection's name.
    const COLLECTION: &'static str;

    /// Takes the object out of an item; gives back an item of another collection.
    fn take(item: SourceItem) -> Result<Self, SourceItem>;
    fn id(&self) -> &str;
    fn changed_at(&self) -> Instant;
}

impl SourceObject for Appointment {
    const COLLECTION: &'static str = "appointments";

    fn take(item: SourceItem) -> Result<Self, SourceItem> {
        if let SourceItem::Appointment(appointment) = item { Ok(*appointment) } else { Err(item) }
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn changed_at(&self) -> Instant {
        self.changed_at
    }
}

impl SourceObject for Customer {
    const COLLECTION: &'static str = "customers";

    fn take(item: SourceItem) -> Result<Self, SourceItem> {
        if let SourceItem::Customer(customer) = item { Ok(*customer) } else { Err(item) }
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn changed_at(&self) -> Instant {
        self.changed_at
    }
}

/// An object to be looked at.
pub(super) struct Candidate<T> {
    pub(super) object: T,
    /// The object as JSON.
    pub(super) record: String,
    pub(super) known: Option<Known>,
}

/// The objects of a page, with what is known of them; what cannot be read is kept apart.
pub(super) fn candidates<T: SourceObject>(
    input: Input,
    channel: &str,
    changed_since: ChangedSince,
    connection: &dyn Store,
    output: &mut Output,
) -> Result<Vec<Candidate<T>>, ImportError> {
    let (items, job) = match input {
        Input::Source { items, next, notices, job } => {
            output.next = Some(next);
            output.notices = notices;
            (items, job)
        }
        Input::Pending(pending) => {
            let candidate = |pending: Pending| {
                let object = serde_json::from_str(&pending.record)?;
                Ok(Candidate { object, record: pending.record, known: Some(pending.known) })
            };
            return pending.into_iter().map(candidate).collect();
        }
    };
    let objects = objects::<T>(items, changed_since, output);
    let ids: Vec<&str> = objects.iter().map(T::id).collect();
    let known = connection.known(&TransferKey { channel, collection: T::COLLECTION }, &ids)?;
    // An id comes once in a pass: what this run has stored came on an earlier page. One that came unchanged left no trace,
    // and another version of it is news as in any run.
    let is_repeated = |known: &Option<Known>| known.as_ref().is_some_and(|known| known.job == job);
    output.repeated =
        ids.iter().zip(&known).filter(|(_, known)| is_repeated(known)).map(|(id, _)| (*id).to_owned()).collect();
    let candidate = |(object, known)| Ok(Candidate { record: serde_json::to_string(&object)?, object, known });
    objects.into_iter().zip(known).map(candidate).collect()
}

fn place(id: &str) -> String {
    format!("record `{id}`")
}

fn foreign<T: SourceObject>() -> String {
    format!("the source gave it although {} were asked for", T::COLLECTION)
}

fn objects<T: SourceObject>(items: Vec<SourceItem>, changed_since: ChangedSince, output: &mut Output) -> Vec<T> {
    output.source_items += items.len() as u64;
    let mut objects = Vec::with_capacity(items.len());
    for item in items {
        match T::take(item) {
            Ok(object) => objects.push(object),
            Err(SourceItem::Broken { place, reason }) => output.quarantine_source(place, reason),
            Err(SourceItem::Appointment(other)) => output.quarantine_source(place(&other.id), foreign::<T>()),
            Err(SourceItem::Customer(other)) => output.quarantine_source(place(&other.id), foreign::<T>()),
        }
    }
    if let ChangedSince::Manual(since) = changed_since {
        objects.retain(|object| object.changed_at() >= since);
    }
    let (objects, repeated) = split_repeated(objects, T::id);
    for object in repeated {
        let reason = "the source gave it more than once in a page; the last one counts".to_owned();
        output.quarantine_source(place(object.id()), reason);
    }
    objects
}

/// Where the same key stands twice in a page, the later counts; the earlier ones are handed out.
fn split_repeated<T>(records: Vec<T>, key: impl Fn(&T) -> &str) -> (Vec<T>, Vec<T>) {
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
