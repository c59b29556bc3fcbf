//! Tasks as they are written.

use apptsync_plugin::connector::{Content, Create, Entry, Fields, Identity, Operation, Outcome, Target, Update};
use apptsync_plugin::types::{Failure, Period};
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::address::encode;
use crate::batch::{Answer, Batches, Part};
use crate::graph::Graph;
use crate::property::Signature;
use crate::push::{self, Expected, Write, has};
use crate::{categories, events, links, moment, normalise};

use super::adopt;

/// Carries operations on tasks out: those of one request first, then those that change a task's links.
///
/// # Errors
///
/// Nothing was done, for a reason that concerns all of it.
pub(crate) fn push(graph: &Graph<'_>, target: &Target, operations: &[Operation]) -> Result<Vec<Outcome>, Failure> {
    let changes_links = |operation: &Operation| match operation {
        Operation::Update(update) => update.our_id.is_some(),
        Operation::Disown(_) => true,
        Operation::Create(_) | Operation::Delete(_) | Operation::Mark(_) => false,
    };
    let (linking, plain): (Vec<&Operation>, Vec<&Operation>) =
        operations.iter().partition(|operation| changes_links(operation));
    let mut batches = Batches::new(graph);
    let looked_at = |operation: &Operation| categories::look(operation, |remote_id| task(graph, target, remote_id));
    let looks: Vec<Part> = plain.iter().filter_map(|operation| looked_at(operation)).collect();
    let mut found = batches.send(&looks).into_iter();
    let write = |operation: &Operation| {
        let present = looked_at(operation).and_then(|_| found.next());
        write(graph, target, operation, present)
    };
    let writes: Vec<_> = plain.into_iter().map(write).collect();
    let read = |task: &Value, signature: Signature| {
        let item = super::read(task, graph.zone, &target.collection)?;
        Ok(apptsync_plugin::connector::Item { identity: signature.identity, ..item })
    };
    let answers = batches.send(&push::parts(&writes));
    let mut plain = push::settle(writes, answers, read).into_iter();
    let mut linking = adopt::push(graph, &mut batches, target, &linking).into_iter();
    let unanswered = || Err(Failure::Throttled(None).into());
    let settled = |operation| if changes_links(operation) { linking.next() } else { plain.next() };
    push::outcomes(operations.iter().map(settled).map(|settled| settled.unwrap_or_else(unanswered)).collect())
}

/// A task of a list.
pub(super) fn task(graph: &Graph<'_>, target: &Target, remote_id: &str) -> String {
    graph.resource(&format!("/todo/lists/{}/tasks/{}", encode(&target.collection), encode(remote_id)))
}

fn write(graph: &Graph<'_>, target: &Target, operation: &Operation, present: Option<Answer>) -> Result<Write, Failure> {
    match operation {
        Operation::Create(create) => self::create(graph, target, create),
        Operation::Update(update) => self::update(graph, target, update),
        Operation::Delete(reference) | Operation::Disown(reference) => {
            let part = Part::delete(task(graph, target, &reference.remote_id), Some(&reference.etag));
            Ok(Write { part, expected: Expected::Nothing })
        }
        Operation::Mark(mark) => categories::write(task(graph, target, &mark.remote_id), mark, present),
    }
}

/// To Do has nothing that would keep a second task from being made: the link goes along with the task, so that the host
/// finds it before it asks again.
fn create(graph: &Graph<'_>, target: &Target, create: &Create) -> Result<Write, Failure> {
    let mut body = fields(entry(&create.content)?, push::all(), graph.zone)?;
    body.retain(|_, value| !value.is_null());
    body.insert("linkedResources".to_owned(), json!([links::write(&create.our_id)]));
    let list = graph.resource(&format!("/todo/lists/{}/tasks", encode(&target.collection)));
    let signature = Signature { identity: Identity::Ours(create.our_id.to_lowercase()), writer: None };
    Ok(Write { part: Part::create(list, Value::Object(body)), expected: Expected::Item(signature) })
}

fn update(graph: &Graph<'_>, target: &Target, update: &Update) -> Result<Write, Failure> {
    let body = fields(entry(&update.content)?, update.fields, graph.zone)?;
    let resource = task(graph, target, &update.remote_id);
    if body.is_empty() {
        return Ok(Write { part: Part::get(resource), expected: Expected::Unchanged(update.etag.clone()) });
    }
    let part = Part::patch(resource, &update.etag, Value::Object(body));
    Ok(Write { part, expected: Expected::Item(Signature::UNREAD) })
}

pub(super) fn entry(content: &Content) -> Result<&Entry, Failure> {
    match content {
        Content::Entry(entry) => Ok(entry),
        Content::Contact(_) => Err(Failure::Permanent("a contact cannot be written into a task list".to_owned())),
    }
}

/// What is written of an entry; null takes away.
pub(super) fn fields(entry: &Entry, wanted: Fields, account: Tz) -> Result<Map<String, Value>, Failure> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if has(wanted, Fields::SUBJECT) {
        set("title", normalise::title(&entry.subject).into());
    }
    if has(wanted, Fields::BODY) {
        set("body", json!({"contentType": "text", "content": entry.body}));
    }
    if has(wanted, Fields::PRIORITY) {
        set("importance", events::importance(entry.priority).into());
    }
    if has(wanted, Fields::PERIOD) {
        let days = entry.period.as_ref().map(|period| days(period, account)).transpose().map_err(Failure::Permanent)?;
        let midnight = |day: Option<NaiveDate>| match day {
            // In UTC no server moves it to the day before.
            Some(day) => moment::write_midnight(day, Tz::UTC).map_err(Failure::Permanent),
            None => Ok(Value::Null),
        };
        set("startDateTime", midnight(days.map(|(start, _)| start))?);
        set("dueDateTime", midnight(days.map(|(_, due)| due))?);
    }
    if has(wanted, Fields::COMPLETED) {
        let at = entry.completed.map(|at| moment::write(at, Tz::UTC)).transpose().map_err(Failure::Permanent)?;
        set("status", if at.is_some() { "completed" } else { "notStarted" }.into());
        set("completedDateTime", at.unwrap_or_default());
    }
    Ok(body)
}

/// The first and the last day.
fn days(period: &Period, account: Tz) -> Result<(NaiveDate, NaiveDate), String> {
    match period {
        Period::AllDay(days) => {
            let date = |text: &str| moment::date(text).ok_or_else(|| format!("`{}` is no date", text.escape_debug()));
            let (start, end) = (date(&days.start)?, date(&days.end)?);
            Ok((start, end.pred_opt().unwrap_or(end).max(start)))
        }
        Period::Timed(times) => {
            let start = moment::date_in(times.start, account);
            Ok((start, moment::date_in(times.end - 1, account).max(start)))
        }
    }
}
