//! One request and one answer, free of any transport: the same for a connection, a part of `$batch`, and the hand of a
//! user in a test.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::error::GraphError;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// `GET`, `POST`, `PATCH`, `DELETE`, …
    pub(crate) method: String,
    /// Scheme and host as the client wrote them: what links in answers begin with.
    pub(crate) root: String,
    pub(crate) path: Path,
    pub(crate) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// A part of `$batch`.
    pub(crate) batched: bool,
    /// Done by the user in Outlook, or by a test in the user's place: no token, no fault, not counted.
    pub(crate) by_hand: bool,
}

/// The segments of a path, and the same in lower case: Graph's own words may be written either way, ids may not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path {
    pub(crate) names: Vec<String>,
    pub(crate) words: Vec<String>,
}

impl Path {
    /// Splits a path. `users('a')` is `users/a`, `delta()` and `microsoft.graph.delta()` are `delta`.
    pub(crate) fn parse(path: &str) -> Self {
        let mut names = Vec::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let text = percent_decode_str(segment).decode_utf8_lossy().into_owned();
            let text = text.strip_prefix("microsoft.graph.").map_or(text.clone(), str::to_owned);
            match text.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
                Some((word, "")) => names.push(word.to_owned()),
                Some((word, argument)) => {
                    names.push(word.to_owned());
                    let key = argument.strip_prefix('\'').and_then(|argument| argument.strip_suffix('\''));
                    names.push(key.unwrap_or(argument).replace("''", "'"));
                }
                None => names.push(text),
            }
        }
        let words = names.iter().map(|name| name.to_lowercase()).collect();
        Self { names, words }
    }

    pub(crate) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    pub(crate) fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }
}

impl Call {
    /// A call from a method and an address such as `/v1.0/users/a/events?$top=5`.
    pub(crate) fn new(method: &str, root: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_uppercase(),
            root: root.into(),
            path: Path::parse(path),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: Vec::new(),
            body: Vec::new(),
            batched: false,
            by_hand: false,
        }
    }

    /// A header's value; of several the last.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query; names may be written with or without `$`, in any case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let bare = name.trim_start_matches('$');
        let found = self.query.iter().find(|(key, _)| key.trim_start_matches('$').eq_ignore_ascii_case(bare));
        found.map(|(_, value)| value.as_str())
    }

    /// The preferences of all `Prefer` headers: name in lower case, value without quotes.
    pub(crate) fn preferences(&self) -> Vec<(String, String)> {
        let headers = self.headers.iter().filter(|(key, _)| key == "prefer");
        headers
            .flat_map(|(_, value)| value.split([',', ';']))
            .filter_map(|part| {
                let (name, value) = part.split_once('=')?;
                Some((name.trim().to_lowercase(), value.trim().trim_matches(['"', '\'']).to_owned()))
            })
            .collect()
    }

    pub(crate) fn preference(&self, name: &str) -> Option<String> {
        self.preferences().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 400 where it is none.
    pub(crate) fn object(&self) -> Result<serde_json::Map<String, Value>, GraphError> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(GraphError::new(
                400,
                "BadRequest",
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid \
                 JSON format.",
            )),
        }
    }

    /// Method and path with ids replaced by what they are ids of, for counting: `GET /users/{user}/events/{event}`.
    pub(crate) fn template(&self) -> String {
        let mut text = format!("{} ", self.method);
        let mut holder: Option<&'static str> = None;
        for (name, word) in self.path.names.iter().zip(&self.path.words) {
            text.push('/');
            match holder.take() {
                Some(placeholder) if word != "delta" && !word.starts_with('$') => text.push_str(placeholder),
                _ => {
                    text.push_str(name);
                    holder = match word.as_str() {
                        "users" => Some("{user}"),
                        "calendars" => Some("{calendar}"),
                        "events" | "calendarview" | "instances" => Some("{event}"),
                        "lists" => Some("{list}"),
                        "tasks" => Some("{task}"),
                        "linkedresources" => Some("{resource}"),
                        "contactfolders" => Some("{folder}"),
                        "contacts" => Some("{contact}"),
                        "subscriptions" => Some("{subscription}"),
                        "supportedtimezones" => Some("{standard}"),
                        _ => None,
                    };
                }
            }
        }
        text
    }
}

/// How an answer reaches the client, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Delivery {
    Whole,
    /// Half of the body, under headers that promise all of it.
    Truncated,
    /// The connection is closed without an answer.
    Dropped,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) delivery: Delivery,
    /// How long the client waits for it.
    pub(crate) delay: Duration,
    /// The mailbox that it keeps busy until then.
    pub(crate) mailbox: Option<String>,
}

/// What an answer carries.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Text(String, &'static str),
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::empty(status) }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Empty,
            delivery: Delivery::Whole,
            delay: Duration::ZERO,
            mailbox: None,
        }
    }

    pub(crate) fn text(status: u16, text: impl Into<String>, content_type: &'static str) -> Self {
        Self { body: Body::Text(text.into(), content_type), ..Self::empty(status) }
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn value(&self) -> Option<&Value> {
        match &self.body {
            Body::Json(value) => Some(value),
            _ => None,
        }
    }
}

/// What a handler gives back.
pub(crate) type Answer = Result<Reply, GraphError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_in_all_their_spellings() {
        let call =
            Call::new("get", "http://h", "/v1.0/users('a%40b.c')/calendarView/microsoft.graph.delta()?%24top=2&x=");
        assert_eq!(call.path.names, ["v1.0", "users", "a@b.c", "calendarView", "delta"]);
        assert_eq!(call.parameter("$top"), Some("2"));
        assert_eq!(call.template(), "GET /v1.0/users/{user}/calendarView/delta");
        let zones = Path::parse("/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')");
        assert_eq!(zones.word(1), "timezonestandard=microsoft.graph.timezonestandard'iana'");
    }
}
