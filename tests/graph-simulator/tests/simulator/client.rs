//! A plain client: no retries, no followed links, every status an answer.

use std::sync::Arc;

use graph_simulator::{MailboxOptions, Options, Simulator};
use serde_json::Value;
use ureq::Agent;

/// The mailbox that most tests use; its zone is that of Berlin.
pub(crate) const ANNA: &str = "anna@contoso.example";

/// A simulator with one mailbox, its clock stopped, and a client with a token of the application.
pub(crate) struct World {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) client: Client,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `error.code`
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The body of an answer that must have this status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// A client with a token and headers for every request.
#[derive(Clone)]
pub(crate) struct Client {
    /// Runs as long as anybody asks it.
    _simulator: Arc<Simulator>,
    agent: Agent,
    base: String,
    pub(crate) token: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let options = Options {
            now: Some("2026-04-01T08:00:00Z".parse().unwrap()),
            mailboxes: vec![MailboxOptions::new(ANNA, "W. Europe Standard Time")],
            ..options
        };
        let simulator = Arc::new(Simulator::start(options).unwrap());
        let client = Client::new(&simulator, None);
        Self { simulator, client }
    }
}

impl Client {
    /// A client of the application, or of a user who logged in.
    pub(crate) fn new(simulator: &Arc<Simulator>, user: Option<&str>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Self {
            _simulator: Arc::clone(simulator),
            agent: Agent::new_with_config(config),
            base: simulator.base_url().into(),
            token: simulator.access_token(user),
            headers: vec![("prefer", "IdType=\"ImmutableId\"".into())],
        }
    }

    pub(crate) fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut changed = self.clone();
        changed.headers.push((name, value.into()));
        changed
    }

    pub(crate) fn without_preferences(&self) -> Self {
        Self { headers: Vec::new(), ..self.clone() }
    }

    /// Asks for an address below `/v1.0/users/anna…/`, for one with a leading slash, or for a whole link.
    pub(crate) fn try_send(&self, method: &str, address: &str, body: Option<Value>) -> Result<Answer, ureq::Error> {
        let uri = if address.starts_with("http") {
            address.to_owned()
        } else if address.starts_with('/') {
            format!("{}{address}", self.base)
        } else {
            format!("{}/v1.0/users/{ANNA}/{address}", self.base)
        };
        let mut request = ureq::http::Request::builder().method(method).uri(uri.replace(' ', "%20"));
        request = request.header("authorization", format!("Bearer {}", self.token));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let mut response = match body {
            Some(body) => self.agent.run(request.header("content-type", "application/json").body(body.to_string())?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let text = response.body_mut().read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status: response.status().as_u16(), headers, body })
    }

    pub(crate) fn send(&self, method: &str, address: &str, body: Option<Value>) -> Answer {
        self.try_send(method, address, body).unwrap()
    }

    pub(crate) fn get(&self, address: &str) -> Answer {
        self.send("GET", address, None)
    }

    pub(crate) fn post(&self, address: &str, body: Value) -> Answer {
        self.send("POST", address, Some(body))
    }

    pub(crate) fn patch(&self, address: &str, body: Value) -> Answer {
        self.send("PATCH", address, Some(body))
    }

    pub(crate) fn delete(&self, address: &str) -> Answer {
        self.send("DELETE", address, None)
    }
}

/// An event on a day of April 2026, from an hour to the next, in Berlin.
pub(crate) fn visit(subject: &str, day: u32, hour: u32) -> Value {
    serde_json::json!({
        "subject": subject,
        "start": {"dateTime": format!("2026-04-{day:02}T{hour:02}:00:00"), "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": format!("2026-04-{day:02}T{:02}:00:00", hour + 1), "timeZone": "W. Europe Standard Time"},
    })
}

/// The text of a property that must be text.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// The `value` of a collection.
pub(crate) fn list(body: &Value) -> &[Value] {
    body["value"].as_array().unwrap_or_else(|| panic!("{body} is no collection"))
}
