//! Appointments as they are written. People, reminders, colours and the user's categories are never part of it, except that
//! completing an appointment shows its time as free and takes its reminder away.

use apptsync_plugin::connector::{Content, Create, Entry, Fields, Mark, Operation, Outcome, Reference, Target, Update};
use apptsync_plugin::types::{Failure, Period};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::address::encode;
use crate::batch::{Answer, Batches, Part};
use crate::etag::{self, Marks};
use crate::graph::Graph;
use crate::property::Signature;
use crate::push::{self, Expected, Write, has};
use crate::{categories, moment, normalise, property, zones};

use super::siblings;

/// What of a meeting its guests would get mail about.
fn mailed() -> Fields {
    Fields::SUBJECT | Fields::BODY | Fields::LOCATION | Fields::PERIOD | Fields::PRIORITY
}

/// Carries operations on appointments out.
///
/// # Errors
///
/// Nothing was done, for a reason that concerns all of it.
pub(crate) fn push(graph: &Graph<'_>, target: &Target, operations: &[Operation]) -> Result<Vec<Outcome>, Failure> {
    let mut batches = Batches::new(graph);
    let looked_at = |operation: &Operation| categories::look(operation, |remote_id| event(graph, remote_id));
    let mut found = batches.send(&operations.iter().filter_map(looked_at).collect::<Vec<_>>()).into_iter();
    let write = |operation: &Operation| {
        let present = looked_at(operation).and_then(|_| found.next());
        write(graph, target, operation, present)
    };
    let writes: Vec<_> = operations.iter().map(write).collect();
    let series =
        operations.iter().zip(&writes).filter(|(_, write)| write.is_ok()).map(|(operation, _)| series(operation));
    let mut answers = siblings::send(&mut batches, push::parts(&writes).into_iter().zip(series).collect());
    complete(graph, &mut batches, &mut answers);
    let read = |event: &Value, signature| super::read(event, graph.zone, &target.collection, signature);
    push::outcomes(push::settle(writes, answers, read))
}

/// The mark of the series that an operation writes to; empty for a single appointment.
fn series(operation: &Operation) -> String {
    match operation {
        Operation::Create(_) => String::new(),
        Operation::Update(Update { etag, .. })
        | Operation::Delete(Reference { etag, .. })
        | Operation::Disown(Reference { etag, .. })
        | Operation::Mark(Mark { etag, .. }) => etag::split(etag).0.series,
    }
}

/// Which day of its series an exception stands for is said only to who asks for it: exceptions are read back.
fn complete(graph: &Graph<'_>, batches: &mut Batches<'_>, answers: &mut [Answer]) {
    let is_silent = |event: &Value| event["type"] == "exception" && event["originalStart"].is_null();
    let (places, parts): (Vec<usize>, Vec<Part>) = answers
        .iter()
        .enumerate()
        .filter_map(|(place, answer)| match answer {
            Answer::Done(found) if is_silent(found) => {
                let resource = format!("{}?$select={}", event(graph, found["id"].as_str()?), super::SELECT);
                Some((place, Part::get(resource)))
            }
            _ => None,
        })
        .unzip();
    for (place, answer) in places.into_iter().zip(batches.send(&parts)) {
        // Whatever went wrong here, it was written: the answer to the write stays, and is found unreadable.
        if let Answer::Done(_) = answer {
            answers[place] = answer;
        }
    }
}

fn write(graph: &Graph<'_>, target: &Target, operation: &Operation, present: Option<Answer>) -> Result<Write, Failure> {
    match operation {
        Operation::Create(create) => self::create(graph, target, create),
        Operation::Update(update) => self::update(graph, update),
        Operation::Delete(reference) => delete(graph, reference),
        Operation::Disown(reference) => {
            let (_, etag) = etag::split(&reference.etag);
            let body = json!({"singleValueExtendedProperties": property::clear()});
            let part = Part::patch(event(graph, &reference.remote_id), etag, body);
            Ok(Write { part, expected: Expected::Item(Signature::NONE) })
        }
        Operation::Mark(mark) => categories::write(event(graph, &mark.remote_id), mark, present),
    }
}

fn create(graph: &Graph<'_>, target: &Target, create: &Create) -> Result<Write, Failure> {
    let entry = entry(&create.content)?;
    let mut body = fields(graph, entry, push::all(), &Marks::default())?;
    body.insert("transactionId".to_owned(), create.key.as_str().into());
    body.insert("singleValueExtendedProperties".to_owned(), property::write(Some(&create.our_id), &create.writer));
    let resource = graph.resource(&format!("/calendars/{}/events", encode(&target.collection)));
    let signature = Signature::written(Some(&create.our_id), &create.writer);
    Ok(Write {
        part: Part::create(resource, Value::Object(body)),
        expected: Expected::Created(signature, create.key.clone()),
    })
}

fn update(graph: &Graph<'_>, update: &Update) -> Result<Write, Failure> {
    let entry = entry(&update.content)?;
    let (marks, etag) = etag::split(&update.etag);
    let mut wanted = update.fields;
    if marks.has_guests && has(wanted, mailed()) {
        return Err(Failure::Permanent("not changed: its attendees would get mail about it".to_owned()));
    }
    if marks.is_online_meeting && has(wanted, Fields::BODY) {
        graph.host.warn(&update.remote_id, "its description holds how to join an online meeting and is left as it is");
        wanted = wanted ^ Fields::BODY;
    }
    let mut body = fields(graph, entry, wanted, &marks)?;
    let our_id = update.our_id.as_deref();
    let resource = event(graph, &update.remote_id);
    if body.is_empty() && our_id.is_none() {
        let expected = Expected::Unchanged(update.etag.clone());
        return Ok(Write { part: Part::get(resource), expected });
    }
    body.insert("singleValueExtendedProperties".to_owned(), property::write(our_id, &update.writer));
    let expected = Expected::Item(Signature::written(our_id, &update.writer));
    Ok(Write { part: Part::patch(resource, etag, Value::Object(body)), expected })
}

fn delete(graph: &Graph<'_>, reference: &Reference) -> Result<Write, Failure> {
    let (marks, etag) = etag::split(&reference.etag);
    if marks.has_guests {
        return Err(Failure::Permanent("not deleted: its attendees would get mail about it".to_owned()));
    }
    let part = Part::delete(event(graph, &reference.remote_id), Some(etag));
    Ok(Write { part, expected: Expected::Nothing })
}

fn event(graph: &Graph<'_>, remote_id: &str) -> String {
    graph.resource(&format!("/events/{}", encode(remote_id)))
}

fn entry(content: &Content) -> Result<&Entry, Failure> {
    match content {
        Content::Entry(entry) => Ok(entry),
        Content::Contact(_) => Err(Failure::Permanent("a contact cannot be written into a calendar".to_owned())),
    }
}

fn fields(graph: &Graph<'_>, entry: &Entry, wanted: Fields, marks: &Marks) -> Result<Map<String, Value>, Failure> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if has(wanted, Fields::SUBJECT) {
        set("subject", normalise::title(&entry.subject).into());
    }
    if has(wanted, Fields::BODY) {
        // A null body is refused.
        set("body", json!({"contentType": "text", "content": entry.body}));
    }
    if has(wanted, Fields::LOCATION) {
        set("location", json!({"displayName": entry.location}));
    }
    if has(wanted, Fields::PRIORITY) {
        set("importance", super::importance(entry.priority).into());
    }
    if has(wanted, Fields::COMPLETED) && entry.completed.is_some() {
        set("showAs", "free".into());
        set("isReminderOn", false.into());
    }
    if has(wanted, Fields::PERIOD) {
        let (start, end) = times(entry, graph.zone, marks).map_err(Failure::Permanent)?;
        set("isAllDay", matches!(entry.period, Some(Period::AllDay(_))).into());
        set("start", start);
        set("end", end);
    }
    Ok(body)
}

/// Start and end in the zone that somebody chose for the item, or else in the one that is asked for, or the account's. UTC is
/// no zone that somebody chose, and a series in UTC would move with the clocks.
fn times(entry: &Entry, account: Tz, marks: &Marks) -> Result<(Value, Value), String> {
    let known = |name: &String| name.parse::<Tz>().ok().filter(|zone| !zones::is_utc(*zone));
    let zone = known(&marks.zone).or_else(|| known(&entry.zone)).unwrap_or(account);
    match entry.period.as_ref().ok_or("an appointment needs a start and an end")? {
        Period::AllDay(days) => {
            let date = |text: &str| moment::date(text).ok_or_else(|| format!("`{}` is no date", text.escape_debug()));
            let midnight = |text: &str| moment::write_midnight(date(text)?, zone);
            Ok((midnight(&days.start)?, midnight(&days.end)?))
        }
        Period::Timed(times) => {
            let is_clear = moment::is_clear(times.start, zone) && moment::is_clear(times.end, zone);
            // The hour that clocks repeat: only UTC says which of the two is meant.
            let zone = if is_clear || marks.is_master { zone } else { Tz::UTC };
            Ok((moment::write(times.start, zone)?, moment::write(times.end, zone)?))
        }
    }
}
