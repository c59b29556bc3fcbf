//! Many requests in one: `$batch`.
//!
//! A batch has at most twenty requests, and none of ours waits for another: Graph takes batches that are wholly parallel or
//! wholly sequential and refuses any mixture. Of a parallel one it runs four requests of a mailbox at a time by itself; what
//! Exchange refuses all the same is answered 429 one by one.

use apptsync_plugin::http;
use apptsync_plugin::types::Failure;
use serde_json::{Map, Value, json};

use crate::errors::Refusal;
use crate::graph::{self, Graph};

/// Requests in a batch.
const LARGEST: usize = 20;

/// A request of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    method: &'static str,
    /// Relative to version 1.0.
    resource: String,
    body: Option<Value>,
    if_match: Option<String>,
    /// What is not there, where it is answered so, is the place for a new item.
    creates: bool,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// 2xx; null where there is no body.
    Done(Value),
    /// Any other answer to the request itself.
    Refused(Refusal),
    /// It was not done, for a reason that concerns the whole mailbox or collection; in plain words.
    Blocked(String),
    /// There is none; never `gone` or `conflict`, because nothing is known of the item.
    Failed(Failure),
}

impl Answer {
    /// What was read; none where the server says that there is no such item.
    ///
    /// # Errors
    ///
    /// It does not say.
    pub(crate) fn read(self) -> Result<Option<Value>, Failure> {
        match self {
            Self::Done(entity) => Ok(Some(entity)),
            Self::Refused(refusal) if refusal.is_missing_item() => Ok(None),
            Self::Refused(refusal) => Err(refusal.of_read()),
            Self::Blocked(why) => Err(Failure::Permanent(why)),
            Self::Failed(failure) => Err(failure),
        }
    }
}

impl Part {
    /// Reads.
    pub(crate) fn get(resource: String) -> Self {
        Self { method: "GET", resource, body: None, if_match: None, creates: false }
    }

    /// Makes an item in a calendar, a list or a folder.
    pub(crate) fn create(resource: String, body: Value) -> Self {
        Self { creates: true, ..Self::post(resource, body) }
    }

    /// Adds something to an item.
    pub(crate) fn post(resource: String, body: Value) -> Self {
        Self { method: "POST", body: Some(body), ..Self::get(resource) }
    }

    /// Changes what still has an `ETag`.
    pub(crate) fn patch(resource: String, etag: &str, body: Value) -> Self {
        Self { method: "PATCH", body: Some(body), if_match: Some(etag.to_owned()), ..Self::get(resource) }
    }

    /// Deletes what still has an `ETag`, or whatever is there without one.
    pub(crate) fn delete(resource: String, etag: Option<&str>) -> Self {
        Self { method: "DELETE", if_match: etag.map(str::to_owned), ..Self::get(resource) }
    }

    /// The `ETag` that what is written must still have.
    pub(crate) fn if_match(&self) -> Option<&str> {
        self.if_match.as_deref()
    }

    /// The same for what has another `ETag` by now.
    pub(crate) fn renew(&mut self, etag: &str) {
        self.if_match = Some(etag.to_owned());
    }

    /// Asks which `ETag` the item has that this part writes.
    pub(crate) fn version(&self) -> Self {
        Self::get(format!("{}?$select=id", self.resource))
    }

    /// It changes something, where it is carried out.
    pub(crate) fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// As it stands in the batch, at this place.
    fn to_json(&self, place: usize) -> Value {
        let (name, value) = graph::preferences();
        let mut headers = Map::from_iter([(name.to_owned(), value.into())]);
        if let Some(etag) = &self.if_match {
            headers.insert("If-Match".to_owned(), etag.as_str().into());
        }
        let mut request = json!({"id": (place + 1).to_string(), "method": self.method, "url": self.resource});
        if let Some(body) = &self.body {
            headers.insert("Content-Type".to_owned(), "application/json".into());
            request["body"] = body.clone();
        }
        request["headers"] = Value::Object(headers);
        request
    }
}

/// The batches of one call, one after the other. Each request is sent once.
///
/// Nothing is sent into a pause that the server asked for, and nothing more after a batch that was lost or refused as a whole:
/// what is left is answered with what is certain of it, that it was not done.
pub(crate) struct Batches<'a> {
    graph: &'a Graph<'a>,
    stopped: Option<Failure>,
}

impl<'a> Batches<'a> {
    pub(crate) fn new(graph: &'a Graph<'a>) -> Self {
        Self { graph, stopped: None }
    }

    /// The answers to some requests, in order.
    pub(crate) fn send(&mut self, parts: &[Part]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(parts.len());
        for batch in parts.chunks(LARGEST) {
            match &self.stopped {
                Some(why) => answers.extend(vec![Answer::Failed(why.clone()); batch.len()]),
                None => answers.extend(self.send_one(batch)),
            }
        }
        answers
    }

    fn send_one(&mut self, batch: &[Part]) -> Vec<Answer> {
        let requests: Vec<Value> = batch.iter().enumerate().map(|(place, part)| part.to_json(place)).collect();
        let unsent = Failure::Throttled(None);
        let response = match self.graph.post_batch(&json!({"requests": requests})) {
            Ok(response) => response,
            Err(http::Failure::NotSent(why)) => {
                self.graph.host.warn("", &format!("a batch could not be sent: {why}"));
                return self.stop(batch, Answer::Failed(unsent.clone()), unsent);
            }
            Err(http::Failure::NoAnswer(why)) => {
                return self.stop(batch, Answer::Failed(Failure::Transient(why)), unsent);
            }
        };
        if !response.is_success() {
            let body = serde_json::from_slice(&response.body).unwrap_or_default();
            let refusal = Refusal::new(response.status, response.header("retry-after"), &body);
            let writes = batch.iter().any(Part::writes);
            return match (refusal.of_place(false).filter(|_| writes), refusal.of_batch()) {
                (Some(why), _) | (None, Failure::Permanent(why)) => self.stop(batch, Answer::Blocked(why), unsent),
                (None, failure @ Failure::Transient(_)) => self.stop(batch, Answer::Failed(failure), unsent),
                (None, failure) => self.stop(batch, Answer::Failed(failure.clone()), failure),
            };
        }
        let answers = match graph::parse(&response) {
            Ok(body) => sort(body, batch),
            Err(failure) => return self.stop(batch, Answer::Failed(failure), unsent),
        };
        let pauses = answers.iter().filter_map(|answer| match answer {
            Answer::Refused(refusal) => refusal.wants_pause(),
            Answer::Blocked(_) => Some(None),
            Answer::Done(_) | Answer::Failed(_) => None,
        });
        self.stopped = pauses.max().map(Failure::Throttled);
        answers
    }

    /// All of a batch has the same answer, and what comes after it another.
    fn stop(&mut self, batch: &[Part], answer: Answer, rest: Failure) -> Vec<Answer> {
        self.stopped = Some(rest);
        vec![answer; batch.len()]
    }
}

/// The answers in the order of their requests; the server gives them in any.
fn sort(mut body: Value, batch: &[Part]) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = vec![None; batch.len()];
    let responses = body.get_mut("responses").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    for mut response in responses {
        let place = response["id"].as_str().and_then(|id| id.parse::<usize>().ok()).and_then(|id| id.checked_sub(1));
        let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let (Some(place), Some(status)) = (place.filter(|place| *place < batch.len()), status) else { continue };
        let body = response.get_mut("body").map(Value::take).unwrap_or_default();
        let answer = if (200..300).contains(&status) {
            Answer::Done(body)
        } else {
            let refusal = Refusal::new(status, retry_after(&response["headers"]).as_deref(), &body);
            let part = &batch[place];
            match refusal.of_place(part.creates).filter(|_| part.writes()) {
                Some(why) => Answer::Blocked(why),
                None => Answer::Refused(refusal),
            }
        };
        answers[place].get_or_insert(answer);
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Answer::Failed(unanswered()))).collect()
}

fn retry_after(headers: &Value) -> Option<String> {
    let (_, value) = headers.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|seconds| seconds.to_string()))
}

fn unanswered() -> Failure {
    Failure::Transient("the server's answer to a batch leaves this request out".to_owned())
}
