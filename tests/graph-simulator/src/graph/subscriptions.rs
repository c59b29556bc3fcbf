//! Subscriptions: taken and renewed. No notification is ever sent: they may only hasten a run, never carry truth.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::item;
use crate::clock::stamp;
use crate::error::GraphError;
use crate::http::{Answer, Call, Reply};
use crate::identifier::guid;
use crate::query::Paging;
use crate::state::State;

/// The longest that a subscription to events, contacts or tasks lives.
const LONGEST_MINUTES: i64 = 4230;

fn expiration(body: &serde_json::Map<String, Value>, now: DateTime<Utc>) -> Result<String, GraphError> {
    let text = body.get("expirationDateTime").and_then(Value::as_str).unwrap_or_default();
    let instant = DateTime::parse_from_rfc3339(text).map(|instant| instant.with_timezone(&Utc));
    let instant =
        instant.map_err(|_| GraphError::new(400, "InvalidRequest", "expirationDateTime is missing or no instant."))?;
    if instant <= now || instant > now + TimeDelta::minutes(LONGEST_MINUTES) {
        return Err(GraphError::new(
            400,
            "InvalidRequest",
            format!("Subscription expiration can only be {LONGEST_MINUTES} minutes in the future."),
        ));
    }
    Ok(stamp(instant))
}

pub(super) fn answer(state: &mut State, call: &Call) -> Answer {
    let now = state.clock.now();
    let id = call.path.name(2).to_owned();
    let known = |state: &State| {
        state
            .subscriptions
            .get(&id)
            .cloned()
            .ok_or_else(|| GraphError::new(404, "ResourceNotFound", "The object was not found."))
    };
    match (call.method.as_str(), call.path.names.len()) {
        ("POST", 2) => {
            let body = call.object()?;
            let expires = expiration(&body, now)?;
            for name in ["changeType", "notificationUrl", "resource"] {
                if !body.get(name).is_some_and(Value::is_string) {
                    return Err(GraphError::new(400, "InvalidRequest", format!("{name} is missing.")));
                }
            }
            let id = guid(&format!("subscription {} {}", state.options.seed, state.request));
            let subscription = json!({
                "id": id,
                "resource": body["resource"],
                "changeType": body["changeType"],
                "notificationUrl": body["notificationUrl"],
                "lifecycleNotificationUrl": body.get("lifecycleNotificationUrl"),
                "clientState": body.get("clientState"),
                "expirationDateTime": expires,
                "applicationId": null,
                "creatorId": null,
            });
            state.subscriptions.insert(id, subscription.clone());
            Ok(item(call, 201, subscription.as_object().cloned().unwrap_or_default()))
        }
        ("GET", 2) => {
            let all = state.subscriptions.values().filter_map(Value::as_object).cloned().collect();
            Ok(super::page(call, all, Paging { skip: 0, size: 1000 }))
        }
        ("GET", 3) => Ok(item(call, 200, known(state)?.as_object().cloned().unwrap_or_default())),
        ("PATCH", 3) => {
            let mut subscription = known(state)?;
            subscription["expirationDateTime"] = json!(expiration(&call.object()?, now)?);
            state.subscriptions.insert(id, subscription.clone());
            Ok(item(call, 200, subscription.as_object().cloned().unwrap_or_default()))
        }
        ("POST", 4) if call.path.word(3) == "reauthorize" => known(state).map(|_| Reply::empty(202)),
        ("DELETE", 3) => {
            known(state)?;
            state.subscriptions.remove(&id);
            Ok(Reply::empty(204))
        }
        (method, _) => Err(GraphError::not_allowed(method)),
    }
}
