//! Operations that are one request each, and what their answers mean.

use apptsync_plugin::connector::{Fields, Item, Outcome};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::batch::{Answer, Part};
use crate::property::Signature;

/// A request, and what a good answer to it holds.
pub(crate) struct Write {
    pub(crate) part: Part,
    pub(crate) expected: Expected,
}

/// What a good answer holds.
pub(crate) enum Expected {
    /// The item as it is now. What it says of us is what was written: answers to writes do not say.
    Item(Signature),
    /// A new item, and the key under which it was made.
    Created(Signature, String),
    /// The item, which had nothing to be written, if it still has this `ETag`.
    Unchanged(String),
    /// Nothing.
    Nothing,
}

/// What became of an operation.
pub(crate) type Settled = Result<Option<Item>, Undone>;

/// Why an operation was not done.
#[derive(Debug, Clone)]
pub(crate) enum Undone {
    /// For a reason of its own.
    Alone(Failure),
    /// It was certainly not done, for a reason that concerns the whole mailbox or collection; in plain words.
    All(String),
}

impl From<Failure> for Undone {
    fn from(failure: Failure) -> Self {
        Self::Alone(failure)
    }
}

/// The requests of the operations that have one.
pub(crate) fn parts(writes: &[Result<Write, Failure>]) -> Vec<Part> {
    writes.iter().flatten().map(|write| write.part.clone()).collect()
}

/// What the answers to those requests say of each operation.
pub(crate) fn settle(
    writes: Vec<Result<Write, Failure>>,
    answers: Vec<Answer>,
    read: impl Fn(&Value, Signature) -> Result<Item, String>,
) -> Vec<Settled> {
    let mut answers = answers.into_iter();
    let mut settled = |write: Result<Write, Failure>| {
        let expected = write?.expected;
        let answer = answers.next().unwrap_or(Answer::Failed(Failure::Throttled(None)));
        judge(answer, expected, &read)
    };
    writes.into_iter().map(&mut settled).collect()
}

/// The outcomes of a push. Where nothing of it was done and the reason concerns all of it, no item is to blame: the call has
/// failed. Where some was done, the rest was certainly not.
///
/// # Errors
///
/// The mailbox is full, or what is to be written into is no longer there.
pub(crate) fn outcomes(settled: Vec<Settled>) -> Result<Vec<Outcome>, Failure> {
    let may_have_written = settled.iter().any(|one| matches!(one, Ok(_) | Err(Undone::Alone(Failure::Transient(_)))));
    let concerns_all = settled.iter().find_map(|one| match one {
        Err(Undone::All(why)) => Some(why),
        Ok(_) | Err(Undone::Alone(_)) => None,
    });
    if let (false, Some(why)) = (may_have_written, concerns_all) {
        return Err(Failure::Permanent(why.clone()));
    }
    let outcome = |one| match one {
        Ok(item) => Outcome::Done(item),
        Err(Undone::Alone(failure)) => Outcome::Failed(failure),
        Err(Undone::All(_)) => Outcome::Failed(Failure::Throttled(None)),
    };
    Ok(settled.into_iter().map(outcome).collect())
}

/// What was read of an item before it is written, in the version that is to be written over.
///
/// # Errors
///
/// It is another version, or could not be read: nothing was written.
pub(crate) fn looked_up(answer: Answer, etag: &str) -> Result<Value, Failure> {
    match answer.read() {
        Ok(Some(present)) if present["@odata.etag"] == *etag => Ok(present),
        Ok(Some(_)) => Err(Failure::Conflict),
        Ok(None) => Err(Failure::Gone),
        Err(Failure::Transient(_)) => Err(Failure::Throttled(None)),
        Err(failure) => Err(failure),
    }
}

/// Whether one of some fields is to be written.
pub(crate) fn has(fields: Fields, some: Fields) -> bool {
    fields & some != Fields::empty()
}

/// Every field of an appointment or a task.
pub(crate) fn all() -> Fields {
    Fields::SUBJECT | Fields::BODY | Fields::LOCATION | Fields::PERIOD | Fields::PRIORITY | Fields::COMPLETED
}

fn judge(answer: Answer, expected: Expected, read: impl Fn(&Value, Signature) -> Result<Item, String>) -> Settled {
    let entity = match answer {
        Answer::Done(entity) => entity,
        Answer::Refused(refusal) => return Err(refusal.of_write().into()),
        Answer::Blocked(why) => return Err(Undone::All(why)),
        Answer::Failed(failure) => return Err(failure.into()),
    };
    let read = |signature| {
        let unreadable =
            |why| Failure::Transient(format!("it was written, but the server's answer cannot be read: {why}"));
        read(&entity, signature).map(Some).map_err(unreadable)
    };
    let settled = match expected {
        Expected::Nothing => Ok(None),
        Expected::Item(signature) => read(signature),
        Expected::Created(signature, key) => match entity["transactionId"].as_str() {
            Some(found) if !found.eq_ignore_ascii_case(&key) => Err(Failure::Conflict),
            _ => read(signature),
        },
        Expected::Unchanged(etag) => read(Signature::UNREAD).and_then(|item| {
            if item.as_ref().is_some_and(|item| item.etag == etag) { Ok(item) } else { Err(Failure::Conflict) }
        }),
    };
    settled.map_err(Undone::Alone)
}
