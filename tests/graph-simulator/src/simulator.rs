//! The simulator as a value: started, asked, changed, stopped.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::control::contents;
use crate::error::GraphError;
use crate::fault::{ActiveFault, Fault, FaultName, catalogue};
use crate::graph;
use crate::http::{Body, Call};
use crate::server::Listeners;
use crate::state::State;
use crate::{Counters, Exchange, Options, Shared};

/// A running simulator. It stops when it is dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Simulator {
    /// Starts the listeners in a thread of their own.
    ///
    /// # Errors
    /// Where a port is taken, or a mailbox names an unknown time zone.
    pub fn start(options: Options) -> io::Result<Self> {
        let listeners = Listeners::bind(options.http_port, options.https_port)?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(options).map_err(io::Error::other)?),
            http: format!("http://127.0.0.1:{}", listeners.http_port),
            https: format!("https://localhost:{}", listeners.https_port),
            certificate: listeners.certificate.clone(),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("graph-simulator".into())
            .spawn(move || listeners.serve(served, stopped))?;
        Ok(Self { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`: Graph is below `/v1.0`, the token endpoint at `/{tenant}/oauth2/v2.0/token`.
    pub fn base_url(&self) -> &str {
        &self.shared.http
    }

    /// `https://localhost:PORT`, the same over TLS.
    pub fn https_url(&self) -> &str {
        &self.shared.https
    }

    /// The certificate of the https port, PEM.
    pub fn certificate(&self) -> &str {
        &self.shared.certificate
    }

    /// An access token without asking the token endpoint: of the first application, and where a mailbox is named, with
    /// its user logged in.
    pub fn access_token(&self, user: Option<&str>) -> String {
        let mut state = self.shared.state();
        let client_id = state.options.applications.first().map(|application| application.client_id.clone());
        let issued = state.issue(&client_id.unwrap_or_default(), user, false, None);
        issued["access_token"].as_str().unwrap_or_default().to_owned()
    }

    /// Makes all access tokens worthless, as if they had expired.
    pub fn revoke_tokens(&self) {
        self.shared.state().revoke_access();
    }

    /// Lets the key of a certificate (PEM) sign client assertions of the first application.
    pub fn register_certificate(&self, pem: &str) {
        self.shared.state().register_certificate(pem);
    }

    /// Approves a device code in the name of a user, or declines it. Says whether there is such a code.
    pub fn decide_device_code(&self, user_code: &str, user: Option<&str>) -> bool {
        self.shared.state().decide_device_code(user_code, user)
    }

    /// Adds a mailbox, or empties it.
    ///
    /// # Errors
    /// Where the time zone is unknown.
    pub fn add_mailbox(&self, address: &str, time_zone: &str) -> Result<(), GraphError> {
        let name = address.split('@').next().unwrap_or_default();
        self.shared.state().add_mailbox(address, name, time_zone)
    }

    /// The user of a mailbox, as whom a test can act.
    pub fn user(&self, address: impl Into<String>) -> User<'_> {
        User { simulator: self, address: address.into() }
    }

    /// Switches a fault on, and gives its number.
    pub fn switch_on(&self, fault: Fault) -> u64 {
        self.shared.state().faults.add(fault)
    }

    /// Switches a fault off.
    pub fn switch_off(&self, number: u64) {
        self.shared.state().faults.remove(number);
    }

    /// Switches all faults off.
    pub fn switch_all_off(&self) {
        self.shared.state().faults.clear();
    }

    /// The faults that are on, and how often they struck.
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.shared.state().faults.list().to_vec()
    }

    /// How often the faults of a name struck that are on.
    pub fn struck(&self, name: FaultName) -> u64 {
        self.faults().iter().filter(|active| active.fault.name == name).map(|active| active.struck).sum()
    }

    /// What was counted since the start or the last [`Self::reset_counters`].
    pub fn counters(&self) -> Counters {
        self.shared.state().counters()
    }

    /// Begins to count anew.
    pub fn reset_counters(&self) {
        self.shared.state().reset_counters();
    }

    /// Stops the mailboxes' clock at an instant, or with none lets it follow the machine.
    pub fn set_clock(&self, instant: Option<DateTime<Utc>>) {
        self.shared.state().clock.set(instant);
    }

    /// Moves the mailboxes' clock and that of the token endpoint.
    pub fn advance_clock(&self, by: TimeDelta) {
        self.shared.state().clock.advance(by);
    }

    /// Keeps requests and answers from now on.
    pub fn record(&self) {
        self.shared.state().recording = true;
    }

    /// The requests and answers that were kept.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.state().exchanges.clone()
    }

    /// Everything as at the start.
    ///
    /// # Errors
    /// None in practice: the options were accepted before.
    pub fn reset(&self) -> Result<(), GraphError> {
        let mut state = self.shared.state();
        *state = State::new(state.options.clone())?;
        Ok(())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Whatever became of it, the simulator is gone.
            let _ = thread.join();
        }
    }
}

/// The user of a mailbox: what is done here is not counted, needs no token, and no fault strikes it.
pub struct User<'a> {
    simulator: &'a Simulator,
    address: String,
}

impl User<'_> {
    /// Does what the user does in Outlook, in Graph's words: `request("PATCH", "events/ID", …)`. Ids are immutable ones.
    /// `POST events/ID/move` with `{"destinationId"}` moves to another calendar; a `POST` of an event with an `organizer`
    /// makes a meeting of someone else's; `PATCH calendars/ID` with `canEdit` takes the right to write away.
    ///
    /// # Errors
    /// As Graph would answer.
    pub fn request(&self, method: &str, path: &str, body: Value) -> Result<Value, GraphError> {
        let mut call = Call::new(method, self.simulator.base_url(), &format!("/v1.0/users/{}/{path}", self.address));
        call.headers.push(("prefer".into(), "IdType=\"ImmutableId\"".into()));
        if !body.is_null() {
            call.body = body.to_string().into_bytes();
        }
        let reply = graph::by_hand(&mut self.simulator.shared.state(), call)?;
        Ok(match reply.body {
            Body::Json(value) => value,
            _ => Value::Null,
        })
    }

    /// All that is in the mailbox: `calendars` with `events` (with extended properties and the body as `text`), `lists`
    /// with `tasks`, `contactFolders` with `contacts`, `mails`.
    pub fn contents(&self) -> Value {
        let state = self.simulator.shared.state();
        state.mailboxes.get(&self.address.to_lowercase()).map_or(Value::Null, contents)
    }

    /// The events of a calendar by its name: single ones and masters.
    pub fn events(&self, calendar: &str) -> Vec<Value> {
        let found = named(&self.contents()["calendars"], "name", calendar);
        found["events"].as_array().cloned().unwrap_or_default()
    }

    /// The tasks of a list by its name.
    pub fn tasks(&self, list: &str) -> Vec<Value> {
        let found = named(&self.contents()["lists"], "displayName", list);
        found["tasks"].as_array().cloned().unwrap_or_default()
    }

    /// The contacts of a folder by its name.
    pub fn contacts(&self, folder: &str) -> Vec<Value> {
        let found = named(&self.contents()["contactFolders"], "displayName", folder);
        found["contacts"].as_array().cloned().unwrap_or_default()
    }

    /// The id of a calendar by its name; empty if there is none.
    pub fn calendar_id(&self, name: &str) -> String {
        named(&self.contents()["calendars"], "name", name)["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Makes a calendar, and gives its id.
    ///
    /// # Errors
    /// Where there is one of that name.
    pub fn create_calendar(&self, name: &str) -> Result<String, GraphError> {
        let made = self.request("POST", "calendars", json!({"name": name}))?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Changes an event, or an occurrence.
    ///
    /// # Errors
    /// As Graph would answer.
    pub fn edit_event(&self, id: &str, change: Value) -> Result<Value, GraphError> {
        self.request("PATCH", &format!("events/{id}"), change)
    }

    /// Deletes an event, or an occurrence.
    ///
    /// # Errors
    /// As Graph would answer.
    pub fn delete_event(&self, id: &str) -> Result<(), GraphError> {
        self.request("DELETE", &format!("events/{id}"), Value::Null).map(|_| ())
    }

    /// Moves an event to another calendar.
    ///
    /// # Errors
    /// As Graph would answer.
    pub fn move_event(&self, id: &str, calendar_id: &str) -> Result<(), GraphError> {
        self.request("POST", &format!("events/{id}/move"), json!({"destinationId": calendar_id})).map(|_| ())
    }
}

fn named(list: &Value, property: &str, name: &str) -> Value {
    let mut all = list.as_array().into_iter().flatten();
    all.find(|one| one[property] == name).cloned().unwrap_or(Value::Null)
}

/// The faults as a table in Markdown.
pub fn fault_table() -> String {
    let mut table = String::from("| fault | what happens | value (default) | seen |\n|---|---|---|---|\n");
    for fault in catalogue() {
        table.push_str(&format!("| `{}` | {} | {} | {} |\n", fault.name.text(), fault.what, fault.value, fault.seen));
    }
    table
}
