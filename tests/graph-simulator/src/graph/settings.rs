//! Users, mailbox settings and the list of time zones.

use serde_json::{Map, Value, json};

use super::calendars::mailbox;
use super::{item, page};
use crate::error::GraphError;
use crate::http::{Answer, Call, Reply};
use crate::mailbox::Mailbox;
use crate::query::{Condition, Paging, select, selected};
use crate::state::State;
use crate::zone::{Zone, supported};

fn user_object(mailbox: &Mailbox) -> Map<String, Value> {
    let mut words = mailbox.display_name.split_whitespace();
    let given = words.next().unwrap_or_default();
    let user = json!({
        "id": mailbox.user_id,
        "displayName": mailbox.display_name,
        "givenName": given,
        "surname": words.last(),
        "mail": mailbox.address,
        "userPrincipalName": mailbox.address,
        "businessPhones": [],
        "jobTitle": null,
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": null,
    });
    user.as_object().cloned().unwrap_or_default()
}

pub(super) fn users(state: &mut State, call: &Call) -> Answer {
    let condition = call.parameter("$filter").map(Condition::parse).transpose()?;
    let users = state.mailboxes.values().map(user_object);
    let users =
        users.filter(|user| condition.as_ref().is_none_or(|condition| condition.holds(user, &Default::default())));
    let users = users.map(|user| select(user, selected(call).as_deref(), &[])).collect();
    Ok(page(call, users, Paging::of(call, None, 100)?))
}

pub(super) fn user(state: &mut State, call: &Call, address: &str) -> Answer {
    if call.method != "GET" {
        return Err(GraphError::not_allowed(&call.method));
    }
    let user = select(user_object(mailbox(state, address)?), selected(call).as_deref(), &[]);
    Ok(item(call, 200, user))
}

fn mailbox_settings(mailbox: &Mailbox) -> Map<String, Value> {
    let off = |zone: &str| json!({"dateTime": "2000-01-01T00:00:00.0000000", "timeZone": zone});
    let settings = json!({
        "timeZone": mailbox.zone.name,
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "userPurpose": "user",
        "language": {"locale": "en-US", "displayName": "English (United States)"},
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": mailbox.zone.name},
        },
        "automaticRepliesSetting": {
            "status": "disabled",
            "externalAudience": "none",
            "internalReplyMessage": "",
            "externalReplyMessage": "",
            "scheduledStartDateTime": off("UTC"),
            "scheduledEndDateTime": off("UTC"),
        },
    });
    settings.as_object().cloned().unwrap_or_default()
}

pub(super) fn mailbox_answer(state: &mut State, call: &Call, address: &str) -> Answer {
    let mailbox = mailbox(state, address)?;
    match (call.method.as_str(), call.path.word(4)) {
        ("GET", "") => Ok(item(call, 200, select(mailbox_settings(mailbox), selected(call).as_deref(), &[]))),
        ("GET", name) => {
            let settings = mailbox_settings(mailbox);
            let found = settings.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            let (_, value) = found.ok_or_else(|| GraphError::unknown_segment(name))?;
            Ok(Reply::json(200, json!({"@odata.context": super::context(call, ""), "value": value})))
        }
        ("PATCH", "") => {
            if let Some(zone) = call.object()?.get("timeZone").and_then(Value::as_str) {
                mailbox.zone = Zone::parse(zone)?;
            }
            Ok(item(call, 200, mailbox_settings(mailbox)))
        }
        (method, _) => Err(GraphError::not_allowed(method)),
    }
}

/// `outlook/supportedTimeZones`, of Windows names or with the argument `Iana` of IANA names; `outlook/masterCategories`.
pub(super) fn outlook(call: &Call, words: &[&str], names: &[String]) -> Answer {
    match words {
        ["outlook", "supportedtimezones", ..] => {
            let iana = names.get(2).is_some_and(|argument| argument.to_lowercase().contains("'iana'"));
            let zones = supported(iana).into_iter().map(|(alias, name)| json!({"alias": alias, "displayName": name}));
            let zones: Vec<Value> = zones.collect();
            Ok(Reply::json(
                200,
                json!({
                    "@odata.context": format!("{}/v1.0/$metadata#Collection(microsoft.graph.timeZoneInformation)", call.root),
                    "value": zones,
                }),
            ))
        }
        ["outlook", "mastercategories"] => Ok(page(call, Vec::new(), Paging::of(call, None, 100)?)),
        _ => Err(GraphError::unknown_segment(words.get(1).copied().unwrap_or("outlook"))),
    }
}
