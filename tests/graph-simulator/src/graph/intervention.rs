//! Faults that strike a request as a whole: instead of it, or after it was done.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::{Value, json};

use crate::error::GraphError;
use crate::fault::FaultName;
use crate::http::{Body, Call, Delivery, Reply};
use crate::identifier::Kind;
use crate::moment::seven_digits;
use crate::state::State;

fn throttled(seconds: Option<u64>) -> GraphError {
    let error = GraphError::new(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.");
    match seconds {
        Some(seconds) => error.with_header("Retry-After", seconds.to_string()),
        None => error,
    }
}

/// What happens instead of the request, if anything.
///
/// # Errors
/// The fault's error.
pub(super) fn before(state: &mut State, call: &Call) -> Result<Option<Reply>, GraphError> {
    // A batch is one request to the front, and each of its parts is one to a mailbox.
    let part = call.path.word(1) != "$batch";
    if state.strikes(FaultName::LostRequest, call).is_some() {
        return Ok(Some(Reply { delivery: Delivery::Dropped, ..Reply::empty(500) }));
    }
    if let Some(strike) = state.strikes(FaultName::ForeignRedirect, call) {
        return Ok(Some(Reply::empty(302).with_header("Location", strike.text("https://attacker.example/collect"))));
    }
    if state.strikes(FaultName::HtmlErrorPage, call).is_some() {
        let page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Server Error</h1></body></html>";
        return Ok(Some(Reply::text(500, page, "text/html")));
    }
    if state.strikes(FaultName::GatewayTimeout, call).is_some() {
        return Err(GraphError::new(504, "GatewayTimeout", "The server did not answer in time."));
    }
    if let Some(strike) = state.strikes(FaultName::ServiceUnavailable, call) {
        return Err(GraphError::new(503, "ServiceUnavailable", "The service is unavailable.")
            .with_header("Retry-After", strike.number(1).to_string()));
    }
    if state.strikes(FaultName::UnknownError503, call).is_some() {
        return Err(GraphError::new(503, "UnknownError", ""));
    }
    if !part {
        return Ok(None);
    }
    if let Some(strike) = state.strikes(FaultName::Throttled, call) {
        return Err(throttled(Some(strike.number(1))));
    }
    if state.strikes(FaultName::ThrottledWithoutRetryAfter, call).is_some() {
        return Err(throttled(None));
    }
    concurrency(state, call)?;
    if state.strikes(FaultName::AccessDenied, call).is_some() {
        return Err(GraphError::access_denied());
    }
    if state.strikes(FaultName::BandwidthExceeded, call).is_some() {
        return Err(GraphError::new(509, "ErrorExceededConnectionCount", "Bandwidth limit exceeded."));
    }
    let writes = matches!(call.method.as_str(), "POST" | "PATCH" | "PUT" | "DELETE");
    if matches!(call.method.as_str(), "POST" | "PATCH") && state.strikes(FaultName::MailboxFull, call).is_some() {
        return Err(GraphError::new(507, "ErrorQuotaExceeded", "The mailbox has exceeded its quota."));
    }
    if matches!(call.method.as_str(), "PATCH" | "DELETE")
        && state.strikes(FaultName::ConflictWithoutReason, call).is_some()
    {
        return Err(GraphError::conflict());
    }
    if writes
        && let Some(zone) = refused_zone(call)
        && state.strikes(FaultName::ZoneRefused, call).is_some()
    {
        return Err(crate::zone::Zone::not_supported(&zone));
    }
    disappearances(state, call);
    Ok(None)
}

fn concurrency(state: &mut State, call: &Call) -> Result<(), GraphError> {
    let Some(address) = state.mailbox_address(call.path.name(2)) else { return Ok(()) };
    if call.batched || state.under_way.get(&address).copied().unwrap_or(0) <= 4 {
        return Ok(());
    }
    let on = state.faults.list().iter().any(|active| active.fault.name == FaultName::MailboxConcurrency);
    if on { Err(throttled(Some(1))) } else { Ok(()) }
}

/// A zone in the body that is neither UTC nor a Windows name.
fn refused_zone(call: &Call) -> Option<String> {
    let body: Value = serde_json::from_slice(&call.body).ok()?;
    let names = ["start", "end"].iter().filter_map(|name| body[*name]["timeZone"].as_str());
    let mut iana = names.filter(|name| name.contains('/'));
    iana.next().map(str::to_owned)
}

fn disappearances(state: &mut State, call: &Call) {
    let Some(address) = state.mailbox_address(call.path.name(2)) else { return };
    if state.strikes(FaultName::MailboxEmptied, call).is_some()
        && let Some(mailbox) = state.mailboxes.get_mut(&address)
    {
        mailbox.events.clear();
    }
    if call.path.word(3) == "calendars"
        && call.path.names.len() > 4
        && state.strikes(FaultName::CalendarDeleted, call).is_some()
        && let Some(mailbox) = state.mailboxes.get_mut(&address)
        && let Some(number) = mailbox.folder_number(call.path.name(4), Kind::Calendar)
    {
        mailbox.remove_calendar(number);
    }
}

/// What becomes of the answer to a request that was done.
pub(super) fn after(state: &mut State, call: &Call, mut reply: Reply) -> Reply {
    let writes = matches!(call.method.as_str(), "POST" | "PATCH" | "PUT" | "DELETE") && call.path.word(1) != "$batch";
    let failed = |status, code: &str, message: &str| {
        let error = GraphError::new(status, code, message);
        Reply::json(status, error.body("", "", ""))
    };
    if writes && state.strikes(FaultName::SavedBut503, call).is_some() {
        return failed(503, "ConcurrentItemSave", "Failed to save the item: it was saved concurrently.");
    }
    if state.strikes(FaultName::GatewayTimeoutAfter, call).is_some() {
        return failed(504, "GatewayTimeout", "The server did not answer in time.");
    }
    if state.strikes(FaultName::LostAnswer, call).is_some() {
        reply.delivery = reply.delivery.max(Delivery::Dropped);
    }
    if state.strikes(FaultName::TruncatedBody, call).is_some() {
        reply.delivery = reply.delivery.max(Delivery::Truncated);
    }
    if let Body::Json(body) = &mut reply.body {
        rewrite(state, call, body);
    }
    reply
}

fn rewrite(state: &mut State, call: &Call, body: &mut Value) {
    if state.faults.list().is_empty() || call.path.word(1) == "$batch" {
        return;
    }
    let links = ["@odata.nextLink", "@odata.deltaLink"];
    if links.iter().any(|name| body.get(name).is_some())
        && let Some(strike) = state.strikes(FaultName::ForeignNextLink, call)
    {
        let host = strike.text("https://attacker.example");
        for name in links {
            if let Some(link) = body[name].as_str() {
                body[name] = json!(link.replacen(&call.root, &host, 1));
            }
        }
    }
    if state.strikes(FaultName::CustomOriginalZone, call).is_some() {
        for name in ["originalStartTimeZone", "originalEndTimeZone"] {
            each(body, name, &|value| *value = json!("tzone://Microsoft/Custom"));
        }
    }
    for (fault, name) in [(FaultName::DueDateOff, "dueDateTime"), (FaultName::CompletedDateOff, "completedDateTime")] {
        if call.path.word(3) == "todo" && state.strikes(fault, call).is_some() {
            each(body, name, &a_day_earlier);
        }
    }
    let delta = call.path.words.iter().any(|word| word == "delta");
    if delta
        && state.strikes(FaultName::ReplayedEntries, call).is_some()
        && let Some(list) = body["value"].as_array_mut()
    {
        let again: Vec<Value> = list.iter().rev().cloned().collect();
        list.extend(again);
    }
}

/// Does something to each value of a property, however deep.
fn each(value: &mut Value, name: &str, act: &dyn Fn(&mut Value)) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| each(value, name, act)),
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                if key == name && !value.is_null() { act(value) } else { each(value, name, act) }
            }
        }
        _ => {}
    }
}

fn a_day_earlier(value: &mut Value) {
    if let Some(local) = value["dateTime"].as_str().and_then(|text| text.parse::<NaiveDateTime>().ok()) {
        value["dateTime"] = json!(seven_digits(local - TimeDelta::days(1)));
    }
}

/// How long the answer takes.
pub(super) fn slow(state: &mut State, call: &Call, reply: &mut Reply) {
    if call.batched {
        return;
    }
    let slow = state.strikes(FaultName::SlowAnswers, call).map_or(0, |strike| strike.number(200));
    reply.delay = Duration::from_millis(slow);
    // Who was refused keeps nobody waiting.
    if reply.status == 429 {
        return;
    }
    let busy = state.strikes(FaultName::MailboxConcurrency, call).map_or(0, |strike| strike.number(25));
    reply.delay = Duration::from_millis(slow.max(busy));
}
