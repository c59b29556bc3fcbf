//! Operations that are one request each, and what their answers mean.

use apptsync_plugin::connector::{Fields, Identity, Item, Outcome};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::batch::{self, Answer, Part};
use crate::graph::Graph;

/// A request, and what a good answer to it holds.
pub(crate) struct Write {
    pub(crate) part: Part,
    pub(crate) expected: Expected,
}

/// What a good answer holds.
pub(crate) enum Expected {
    /// The item as it is now. Its identity is what was written: answers to writes do not say.
    Item(Identity),
    /// A new item, and the key under which it was made.
    Created(Identity, String),
    /// The item, which had nothing to be written, if it still has this `ETag`.
    Unchanged(String),
    /// Nothing.
    Nothing,
}

/// Sends what can be sent, in batches, and says what became of each; `complete` adds what answers to writes leave out.
pub(crate) fn run(
    graph: &Graph<'_>,
    writes: Vec<Result<Write, Failure>>,
    complete: impl FnOnce(&mut [Answer]),
    read: impl Fn(&Value, Identity) -> Result<Item, String>,
) -> Vec<Outcome> {
    let parts: Vec<Part> = writes.iter().flatten().map(|write| write.part.clone()).collect();
    let mut answers = batch::write(graph, &parts);
    complete(&mut answers);
    let mut answers = answers.into_iter();
    let mut outcome = |write: Result<Write, Failure>| {
        let expected = write?.expected;
        let answer = answers.next().unwrap_or(Answer::Failed(Failure::Throttled(None)));
        judge(answer, expected, &read)
    };
    writes.into_iter().map(|write| outcome(write).map_or_else(Outcome::Failed, Outcome::Done)).collect()
}

/// Whether one of some fields is to be written.
pub(crate) fn has(fields: Fields, some: Fields) -> bool {
    fields & some != Fields::empty()
}

/// Every field of an appointment or a task.
pub(crate) fn all() -> Fields {
    Fields::SUBJECT | Fields::BODY | Fields::LOCATION | Fields::PERIOD | Fields::PRIORITY | Fields::COMPLETED
}

fn judge(
    answer: Answer,
    expected: Expected,
    read: impl Fn(&Value, Identity) -> Result<Item, String>,
) -> Result<Option<Item>, Failure> {
    let entity = match answer {
        Answer::Done(entity) => entity,
        // What has to be there for a new item is its calendar, list or folder.
        Answer::Refused(refusal) if matches!(expected, Expected::Created(..)) => return Err(refusal.of_creation()),
        Answer::Refused(refusal) => return Err(refusal.of_write()),
        Answer::Failed(failure) => return Err(failure),
    };
    let read = |identity| {
        let unreadable =
            |why| Failure::Transient(format!("it was written, but the server's answer cannot be read: {why}"));
        read(&entity, identity).map(Some).map_err(unreadable)
    };
    match expected {
        Expected::Nothing => Ok(None),
        Expected::Item(identity) => read(identity),
        Expected::Created(identity, key) => match entity["transactionId"].as_str() {
            Some(found) if !found.eq_ignore_ascii_case(&key) => Err(Failure::Conflict),
            _ => read(identity),
        },
        Expected::Unchanged(etag) => read(Identity::Unread).and_then(|item| {
            if item.as_ref().is_some_and(|item| item.etag == etag) { Ok(item) } else { Err(Failure::Conflict) }
        }),
    }
}
