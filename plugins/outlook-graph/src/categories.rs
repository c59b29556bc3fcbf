//! The category of what is no longer put back, among the user's own.

use apptsync_plugin::connector::{Mark, Operation};
use apptsync_plugin::types::Failure;
use serde_json::{Value, json};

use crate::batch::{Answer, Part};
use crate::etag;
use crate::property::Signature;
use crate::push::{Expected, Write, looked_up};

const LOCKED: &str = "Locked by ERP";

/// What has to be read before an operation can be written: categories are written as a whole.
pub(crate) fn look(operation: &Operation, resource: impl Fn(&str) -> String) -> Option<Part> {
    match operation {
        Operation::Mark(mark) => Some(Part::get(resource(&mark.remote_id))),
        _ => None,
    }
}

/// The category added or taken off, as the item was when it was read.
///
/// # Errors
///
/// It could not be read, or is another version.
pub(crate) fn write(resource: String, mark: &Mark, present: Option<Answer>) -> Result<Write, Failure> {
    let (_, etag) = etag::split(&mark.etag);
    let present = looked_up(present.unwrap_or(Answer::Failed(Failure::Throttled(None))), etag)?;
    let found: Vec<&Value> = present["categories"].as_array().into_iter().flatten().collect();
    if found.iter().any(|category| **category == LOCKED) == mark.locked {
        return Ok(Write { part: Part::get(resource), expected: Expected::Unchanged(mark.etag.clone()) });
    }
    let mut wanted: Vec<Value> = found.into_iter().filter(|category| **category != LOCKED).cloned().collect();
    if mark.locked {
        wanted.push(LOCKED.into());
    }
    let part = Part::patch(resource, etag, json!({"categories": wanted}));
    Ok(Write { part, expected: Expected::Item(Signature::UNREAD) })
}
