//! Many requests in one: `$batch`.
//!
//! A batch has at most twenty requests. Exchange runs four requests of a mailbox at a time and refuses what comes beside
//! them, so each request but the first four waits for the one four places before it. What waited for a request that failed is
//! answered 424 and was not carried out.

use apptsync_plugin::http;
use apptsync_plugin::types::Failure;
use serde_json::{Map, Value, json};

use crate::errors::Refusal;
use crate::graph::{self, Graph};

/// Requests in a batch.
const LARGEST: usize = 20;
/// Requests of a batch that wait for no other.
const SIDE_BY_SIDE: usize = 4;

/// A request of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    method: &'static str,
    /// Relative to version 1.0.
    resource: String,
    body: Option<Value>,
    if_match: Option<String>,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// 2xx; null where there is no body.
    Done(Value),
    /// Any other answer to the request itself.
    Refused(Refusal),
    /// There is none; never `gone` or `conflict`, because nothing is known of the item.
    Failed(Failure),
}

impl Part {
    /// Reads.
    pub(crate) fn get(resource: String) -> Self {
        Self { method: "GET", resource, body: None, if_match: None }
    }

    /// Makes something.
    pub(crate) fn post(resource: String, body: Value) -> Self {
        Self { method: "POST", resource, body: Some(body), if_match: None }
    }

    /// Changes what still has an `ETag`.
    pub(crate) fn patch(resource: String, etag: &str, body: Value) -> Self {
        Self { method: "PATCH", resource, body: Some(body), if_match: Some(etag.to_owned()) }
    }

    /// Deletes what still has an `ETag`, or whatever is there without one.
    pub(crate) fn delete(resource: String, etag: Option<&str>) -> Self {
        Self { method: "DELETE", resource, body: None, if_match: etag.map(str::to_owned) }
    }

    /// As it stands in the batch, at this place.
    fn to_json(&self, place: usize) -> Value {
        let mut headers: Map<String, Value> =
            graph::headers().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        if let Some(etag) = &self.if_match {
            headers.insert("If-Match".to_owned(), etag.as_str().into());
        }
        let mut request = json!({"id": name(place), "method": self.method, "url": self.resource});
        if let Some(body) = &self.body {
            headers.insert("Content-Type".to_owned(), "application/json".into());
            request["body"] = body.clone();
        }
        request["headers"] = Value::Object(headers);
        if let Some(before) = place.checked_sub(SIDE_BY_SIDE) {
            request["dependsOn"] = json!([name(before)]);
        }
        request
    }
}

fn name(place: usize) -> String {
    (place + 1).to_string()
}

/// Sends what writes, each request once. When a whole batch fails or is throttled, the rest is not sent.
pub(crate) fn write(graph: &Graph<'_>, parts: &[Part]) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(parts.len());
    for batch in parts.chunks(LARGEST) {
        let (answered, stop) = send(graph, batch);
        answers.extend(answered);
        if let Some(stop) = stop {
            let left = parts.len() - answers.len();
            answers.extend(std::iter::repeat_n(Answer::Failed(stop), left));
        }
        if answers.len() == parts.len() {
            break;
        }
    }
    answers
}

/// Sends what reads. What was not carried out because something before it failed is sent again.
pub(crate) fn read(graph: &Graph<'_>, parts: &[Part]) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = parts.iter().map(|_| None).collect();
    let mut open: Vec<usize> = (0..parts.len()).collect();
    while !open.is_empty() {
        let taken: Vec<usize> = open.drain(..open.len().min(LARGEST)).collect();
        let batch: Vec<Part> = taken.iter().map(|&place| parts[place].clone()).collect();
        let (answered, stop) = send(graph, &batch);
        let mut again = Vec::new();
        for (turn, (place, answer)) in taken.into_iter().zip(answered).enumerate() {
            match answer {
                // The first four wait for nothing, so every round answers some.
                Answer::Refused(refusal) if refusal.is_dependent() && turn >= SIDE_BY_SIDE => again.push(place),
                answer => answers[place] = Some(answer),
            }
        }
        open.splice(0..0, again);
        if let Some(stop) = stop {
            for place in open.drain(..) {
                answers[place] = Some(Answer::Failed(stop.clone()));
            }
        }
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Answer::Failed(unanswered()))).collect()
}

/// Sends one batch; says too why nothing further should be sent, as what is certain of all that was not sent.
fn send(graph: &Graph<'_>, batch: &[Part]) -> (Vec<Answer>, Option<Failure>) {
    let requests: Vec<Value> = batch.iter().enumerate().map(|(place, part)| part.to_json(place)).collect();
    let all = |failure: Failure, rest: Failure| (vec![Answer::Failed(failure); batch.len()], Some(rest));
    let response = match graph.post_batch(&json!({"requests": requests})) {
        Ok(response) => response,
        Err(http::Failure::NotSent(why)) => {
            graph.host.warn("", &format!("a batch could not be sent: {why}"));
            return all(Failure::Throttled(None), Failure::Throttled(None));
        }
        Err(http::Failure::NoAnswer(why)) => return all(Failure::Transient(why), Failure::Throttled(None)),
    };
    if !response.is_success() {
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        return match Refusal::new(response.status, response.header("retry-after"), &body).of_batch() {
            failure @ Failure::Transient(_) => all(failure, Failure::Throttled(None)),
            failure => all(failure.clone(), failure),
        };
    }
    let answers = match graph::parse(&response) {
        Ok(body) => sort(body, batch.len()),
        Err(failure) => return all(failure, Failure::Throttled(None)),
    };
    let throttled = |answer: &Answer| match answer {
        Answer::Refused(refusal) if refusal.is_throttled() || refusal.is_dependent() => Some(refusal.of_write()),
        _ => None,
    };
    let pauses: Vec<_> = answers.iter().map_while(throttled).collect();
    let stop = (pauses.len() == answers.len()).then(|| longest(pauses));
    (answers, stop)
}

/// The answers in the order of their requests; the server gives them in any.
fn sort(mut body: Value, count: usize) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = vec![None; count];
    let responses = body.get_mut("responses").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    for mut response in responses {
        let place = response["id"].as_str().and_then(|id| id.parse::<usize>().ok()).and_then(|id| id.checked_sub(1));
        let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let (Some(slot), Some(status)) = (place.and_then(|place| answers.get_mut(place)), status) else { continue };
        let body = response.get_mut("body").map(Value::take).unwrap_or_default();
        let answer = if (200..300).contains(&status) {
            Answer::Done(body)
        } else {
            Answer::Refused(Refusal::new(status, retry_after(&response["headers"]).as_deref(), &body))
        };
        slot.get_or_insert(answer);
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Answer::Failed(unanswered()))).collect()
}

fn retry_after(headers: &Value) -> Option<String> {
    let (_, value) = headers.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|seconds| seconds.to_string()))
}

fn longest(pauses: Vec<Failure>) -> Failure {
    let seconds = |pause: Failure| if let Failure::Throttled(seconds) = pause { seconds } else { None };
    Failure::Throttled(pauses.into_iter().filter_map(seconds).max())
}

fn unanswered() -> Failure {
    Failure::Transient("the server's answer to a batch leaves this request out".to_owned())
}
