//! The control interface over HTTP, below `/_simulator/`: the same that [`crate::Simulator`] offers to tests in Rust.
//!
//! | request | does |
//! |---|---|
//! | `GET /_simulator` | addresses, clock, faults that are on |
//! | `GET /_simulator/state[/MAILBOX]` | all that is in the mailboxes |
//! | `PUT /_simulator/mailboxes/MAILBOX` | adds a mailbox, or empties it: `{"display_name", "time_zone"}` |
//! | any `/_simulator/as-user/MAILBOX/PATH` | what the user does in Outlook, in Graph's words: `PATCH …/events/ID`; also `POST …/events/ID/move` |
//! | `GET`, `POST`, `DELETE /_simulator/faults[/NUMBER]` | faults that are on; switches one on ([`crate::Fault`]) or off |
//! | `GET /_simulator/faults/catalogue` | all that there are |
//! | `GET`, `DELETE /_simulator/counters` | what was counted; begins anew |
//! | `GET`, `PUT /_simulator/clock` | `{"now": T}` stops the mailboxes' clock, `{"now": null}` lets it go, `{"advance": SECONDS}` moves both clocks |
//! | `POST /_simulator/tokens` | an access token: `{"client_id"?, "user"?}` |
//! | `DELETE /_simulator/tokens` | makes all access tokens worthless |
//! | `GET /_simulator/device-codes`, `POST …/device-codes/CODE` | codes that were handed out; `{"user": MAILBOX}` approves, `{}` declines |
//! | `POST /_simulator/client-certificates` | registers a certificate (PEM) for assertions of the first application |
//! | `GET`, `PUT`, `DELETE /_simulator/exchanges` | requests with answers since recording was switched on by `PUT`; `DELETE` switches it off |
//! | `GET /_simulator/certificate` | the certificate of the https port, PEM |
//! | `POST /_simulator/reset` | everything as at the start |

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::Shared;
use crate::error::GraphError;
use crate::fault::{Fault, catalogue};
use crate::graph;
use crate::http::{Answer, Call, Path, Reply};
use crate::identity::Decision;
use crate::mailbox::Mailbox;
use crate::options::MailboxOptions;
use crate::render;
use crate::state::State;
use crate::view::View;

fn wrong(message: impl Into<String>) -> GraphError {
    GraphError::new(400, "BadRequest", message)
}

pub(crate) fn answer(shared: &Shared, call: &Call) -> Reply {
    let mut state = shared.state();
    let words: Vec<&str> = call.path.words.iter().skip(1).map(String::as_str).collect();
    let answer = match (call.method.as_str(), words.as_slice()) {
        ("GET", []) => Ok(Reply::json(200, overview(shared, &state))),
        ("GET", ["certificate"]) => Ok(Reply::text(200, shared.certificate.clone(), "application/x-pem-file")),
        ("POST", ["reset"]) => State::new(state.options.clone()).map(|fresh| {
            *state = fresh;
            Reply::empty(204)
        }),
        _ => within(&mut state, call, &words),
    };
    answer.unwrap_or_else(|error| Reply {
        headers: error.headers.clone(),
        ..Reply::json(error.status, error.body("", "", ""))
    })
}

fn overview(shared: &Shared, state: &State) -> Value {
    json!({
        "http": shared.http,
        "https": shared.https,
        "tenant": state.options.tenant,
        "now": state.clock.now(),
        "mailboxes": state.mailboxes.keys().collect::<Vec<_>>(),
        "faults": state.faults.list(),
    })
}

fn within(state: &mut State, call: &Call, words: &[&str]) -> Answer {
    let body = || if call.body.is_empty() { Ok(serde_json::Map::new()) } else { call.object() };
    match (call.method.as_str(), words) {
        ("GET", ["state"]) => {
            let all: serde_json::Map<String, Value> =
                state.mailboxes.iter().map(|(address, mailbox)| (address.clone(), contents(mailbox))).collect();
            Ok(Reply::json(200, Value::Object(all)))
        }
        ("GET", ["state", address]) => {
            let mailbox = state.mailboxes.get(*address).ok_or_else(GraphError::item_not_found)?;
            Ok(Reply::json(200, contents(mailbox)))
        }
        ("PUT", ["mailboxes", address]) => {
            let mut body = body()?;
            body.insert("address".into(), json!(address));
            let options: MailboxOptions =
                serde_json::from_value(Value::Object(body)).map_err(|error| wrong(error.to_string()))?;
            state.add_mailbox(&options.address, &options.display_name, &options.time_zone)?;
            Ok(Reply::empty(204))
        }
        (_, ["as-user", address, ..]) => graph::by_hand(state, as_user(call, address)),
        ("GET", ["faults"]) => Ok(Reply::json(200, json!(state.faults.list()))),
        ("GET", ["faults", "catalogue"]) => Ok(Reply::json(200, json!(catalogue()))),
        ("POST", ["faults"]) => {
            let fault: Fault = serde_json::from_slice(&call.body).map_err(|error| wrong(error.to_string()))?;
            Ok(Reply::json(201, json!({"number": state.faults.add(fault)})))
        }
        ("DELETE", ["faults"]) => {
            state.faults.clear();
            Ok(Reply::empty(204))
        }
        ("DELETE", ["faults", number]) => {
            let number = number.parse().map_err(|_| wrong("a fault is switched off by its number"))?;
            Ok(Reply::empty(if state.faults.remove(number) { 204 } else { 404 }))
        }
        ("GET", ["counters"]) => Ok(Reply::json(200, json!(state.counters()))),
        ("DELETE", ["counters"]) => {
            state.reset_counters();
            Ok(Reply::empty(204))
        }
        ("GET", ["clock"]) => Ok(Reply::json(200, json!({"now": state.clock.now()}))),
        ("PUT", ["clock"]) => {
            let body = body()?;
            if let Some(now) = body.get("now") {
                let now: Option<DateTime<Utc>> =
                    serde_json::from_value(now.clone()).map_err(|error| wrong(error.to_string()))?;
                state.clock.set(now);
            }
            if let Some(seconds) = body.get("advance").and_then(Value::as_i64) {
                state.clock.advance(TimeDelta::try_seconds(seconds).ok_or_else(|| wrong("that is too far"))?);
            }
            Ok(Reply::json(200, json!({"now": state.clock.now()})))
        }
        ("POST", ["tokens"]) => {
            let body = body()?;
            let user = body.get("user").and_then(Value::as_str);
            let first =
                state.options.applications.first().map(|application| application.client_id.clone()).unwrap_or_default();
            let client_id = body.get("client_id").and_then(Value::as_str).map_or(first, str::to_owned);
            Ok(Reply::json(201, state.issue(&client_id, user, user.is_some(), None)))
        }
        ("DELETE", ["tokens"]) => {
            state.revoke_access();
            Ok(Reply::empty(204))
        }
        ("GET", ["device-codes"]) => {
            let codes: Vec<&str> = state.identity.device_codes.iter().map(|code| code.user_code.as_str()).collect();
            Ok(Reply::json(200, json!(codes)))
        }
        ("POST", ["device-codes", code]) => {
            let user = body()?.get("user").and_then(Value::as_str).map(str::to_owned);
            if state.decide_device_code(code, user.as_deref()) {
                Ok(Reply::empty(204))
            } else {
                Err(GraphError::item_not_found())
            }
        }
        ("POST", ["client-certificates"]) => {
            let pem = String::from_utf8(call.body.clone()).map_err(|_| wrong("a certificate is PEM"))?;
            if state.register_certificate(&pem) { Ok(Reply::empty(204)) } else { Err(GraphError::item_not_found()) }
        }
        ("GET", ["exchanges"]) => Ok(Reply::json(200, json!(state.exchanges))),
        ("PUT", ["exchanges"]) => {
            state.recording = true;
            Ok(Reply::empty(204))
        }
        ("DELETE", ["exchanges"]) => {
            state.recording = false;
            state.exchanges.clear();
            Ok(Reply::empty(204))
        }
        (_, _) => Err(wrong("the control interface knows no such request")),
    }
}

/// The call that a user's deed is, in Graph's words.
fn as_user(call: &Call, address: &str) -> Call {
    let rest = call.path.names.get(3..).unwrap_or_default();
    let names: Vec<String> =
        ["v1.0", "users", address].into_iter().map(str::to_owned).chain(rest.iter().cloned()).collect();
    let words = names.iter().map(|name| name.to_lowercase()).collect();
    Call { path: Path { names, words }, ..call.clone() }
}

/// All that is in a mailbox, with what answers of Graph leave out.
pub(crate) fn contents(mailbox: &Mailbox) -> Value {
    let view = View::plain();
    let events = |calendar: u32| -> Vec<Value> {
        let events = mailbox.events.values().filter(move |event| event.calendar == calendar);
        events
            .map(|event| {
                let mut item = render::event(mailbox, event, None, &view);
                item.insert("singleValueExtendedProperties".into(), event.extended.all());
                item.insert("text".into(), json!(event.content.body.text()));
                if event.is_master() {
                    let exceptions = event
                        .exceptions
                        .keys()
                        .map(|date| Value::Object(render::event(mailbox, event, Some(*date), &view)));
                    item.insert("exceptionOccurrences".into(), exceptions.collect());
                }
                Value::Object(item)
            })
            .collect()
    };
    let calendars: Vec<Value> = mailbox
        .calendars
        .values()
        .map(|calendar| {
            let mut object = render::calendar(mailbox, calendar);
            object.insert("events".into(), Value::Array(events(calendar.number)));
            Value::Object(object)
        })
        .collect();
    let (lists, folders) = (graph::task_lists(mailbox), graph::contact_folders(mailbox));
    json!({
        "calendars": calendars,
        "lists": lists,
        "contactFolders": folders,
        "mails": mailbox.mails,
        "timeZone": mailbox.zone.name,
    })
}

impl State {
    /// What was counted, with the mail of all mailboxes.
    pub(crate) fn counters(&self) -> crate::Counters {
        let mut counters = self.counters.clone();
        for mailbox in self.mailboxes.values() {
            counters.mails.add(mailbox.mails);
        }
        counters
    }

    /// Begins to count anew.
    pub(crate) fn reset_counters(&mut self) {
        self.counters = crate::Counters::default();
        for mailbox in self.mailboxes.values_mut() {
            mailbox.mails = crate::Mails::default();
        }
    }

    /// Lets the key of a certificate sign assertions of the first application. Says whether there is one.
    pub(crate) fn register_certificate(&mut self, pem: &str) -> bool {
        let Some(application) = self.options.applications.first_mut() else { return false };
        application.certificates.push(pem.into());
        true
    }

    /// Approves a device code in the name of a user, or declines it. Says whether there is such a code.
    pub(crate) fn decide_device_code(&mut self, user_code: &str, user: Option<&str>) -> bool {
        let mut codes = self.identity.device_codes.iter_mut();
        let Some(code) = codes.find(|code| code.user_code.eq_ignore_ascii_case(user_code)) else { return false };
        code.decision = user.map_or(Decision::Declined, |user| Decision::Approved(user.into()));
        true
    }
}
