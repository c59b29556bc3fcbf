//! Events and calendars as answers show them.

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};

use crate::clock::{short_stamp, stamp};
use crate::event::Event;
use crate::identifier::{Identifier, Kind, calendar_uid};
use crate::mailbox::{Calendar, Mailbox};
use crate::query::Expand;
use crate::view::View;

/// Properties that an answer has only when `$select` names them.
pub(crate) const ON_DEMAND: [&str; 2] = ["originalStart", "cancelledOccurrences"];

/// The id of an event, or of an instance of a series.
pub(crate) fn event_id(mailbox: &Mailbox, event: &Event, date: Option<NaiveDate>, immutable: bool) -> String {
    let generation = if date.is_some() { event.generation } else { 0 };
    Identifier { kind: Kind::Event, item: event.number, folder: event.calendar, date, generation }
        .write(mailbox.key, immutable)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn kind(event: &Event, date: Option<NaiveDate>) -> &'static str {
    match date {
        Some(date) if event.exceptions.contains_key(&date) => "exception",
        Some(_) => "occurrence",
        None if event.is_master() => "seriesMaster",
        None => "singleInstance",
    }
}

/// All properties of an event or an instance.
pub(crate) fn event(mailbox: &Mailbox, event: &Event, date: Option<NaiveDate>, view: &View) -> Map<String, Value> {
    let exception = date.and_then(|date| event.exceptions.get(&date));
    let content = exception.map_or(&event.content, |exception| &exception.content);
    let times = event.times_on(date);
    let id = event_id(mailbox, event, date, view.immutable);
    let mut item = content.fields.clone();
    item.insert("body".into(), content.body.json(view.text));
    let mine = event.organizer.is_none();
    let organizer = event
        .organizer
        .clone()
        .unwrap_or_else(|| json!({"emailAddress": {"name": mailbox.display_name, "address": mailbox.address}}));
    item.extend(object(json!({
        "@odata.etag": mailbox.etag(event.change),
        "id": id,
        "changeKey": mailbox.change_key(event.change),
        "createdDateTime": stamp(event.created),
        "lastModifiedDateTime": stamp(event.modified),
        "transactionId": event.transaction_id,
        "originalStartTimeZone": times.start.zone.windows(),
        "originalEndTimeZone": times.end.zone.windows(),
        "iCalUId": calendar_uid(mailbox.key, event.number, date),
        "hasAttachments": false,
        "bodyPreview": content.body.preview(),
        "isAllDay": times.all_day,
        "isCancelled": false,
        "isOrganizer": mine,
        "isDraft": false,
        "seriesMasterId": date.map(|_| event_id(mailbox, event, None, view.immutable)),
        "type": kind(event, date),
        "webLink": format!("https://outlook.office365.com/owa/?itemid={id}&exvsurl=1&path=/calendar/item"),
        "onlineMeetingUrl": null,
        "onlineMeeting": null,
        "recurrence": match date {
            Some(_) => Value::Null,
            None => event.recurrence.as_ref().map_or(Value::Null, crate::recurrence::Recurrence::json),
        },
        "responseStatus": {
            "response": if mine { "organizer" } else { "notResponded" },
            "time": "0001-01-01T00:00:00Z",
        },
        "start": times.start.json(times.all_day, &view.shown),
        "end": times.end.json(times.all_day, &view.shown),
        "organizer": organizer,
    })));
    if let Some(date) = date {
        item.insert("originalStart".into(), json!(original_start(mailbox, event, date)));
    }
    if date.is_none() && event.is_master() {
        let cancelled =
            event.cancelled.iter().map(|date| format!("OID.{}.{date}", event_id(mailbox, event, None, view.immutable)));
        item.insert("cancelledOccurrences".into(), cancelled.collect());
    }
    item
}

/// When the series wanted the instance: an instant, and for an all-day one the midnight of the mailbox's zone.
fn original_start(mailbox: &Mailbox, event: &Event, date: NaiveDate) -> String {
    let times = event.times.on(date);
    let instant =
        if times.all_day { mailbox.zone.instant(date.and_time(NaiveTime::MIN)) } else { times.start.instant() };
    short_stamp(instant)
}

/// Adds what `$expand` asks for.
pub(crate) fn expand(
    mailbox: &Mailbox,
    event: &Event,
    date: Option<NaiveDate>,
    view: &View,
    wanted: &Expand,
    item: &mut Map<String, Value>,
) {
    let extended =
        date.and_then(|date| event.exceptions.get(&date)).map_or(&event.extended, |exception| &exception.extended);
    extended.show(&wanted.extended, item);
    if wanted.exceptions && date.is_none() && event.is_master() {
        let exceptions =
            event.exceptions.keys().map(|date| Value::Object(self::event(mailbox, event, Some(*date), view)));
        item.insert("exceptionOccurrences".into(), exceptions.collect());
    }
    if wanted.calendar
        && let Some(found) = mailbox.calendars.get(&event.calendar)
    {
        item.insert("calendar".into(), Value::Object(calendar(mailbox, found)));
    }
}

/// An instance in delta: those of a series say only when they are.
pub(crate) fn delta_entry(
    mailbox: &Mailbox,
    event: &Event,
    date: Option<NaiveDate>,
    view: &View,
) -> Map<String, Value> {
    let whole = self::event(mailbox, event, date, view);
    let mut item = if kind(event, date) == "occurrence" {
        let few = ["@odata.etag", "id", "seriesMasterId", "type", "start", "end"];
        whole.into_iter().filter(|(name, _)| few.contains(&name.as_str())).collect()
    } else {
        crate::query::select(whole, None, &ON_DEMAND)
    };
    item.insert("@odata.type".into(), json!("#microsoft.graph.event"));
    item
}

/// All properties of a calendar.
pub(crate) fn calendar(mailbox: &Mailbox, calendar: &Calendar) -> Map<String, Value> {
    let default = calendar.number == mailbox.default_calendar();
    object(json!({
        "id": mailbox.folder_id(Kind::Calendar, calendar.number),
        "name": calendar.name,
        "color": calendar.color,
        "hexColor": "",
        "isDefaultCalendar": default,
        "changeKey": mailbox.change_key(calendar.change),
        "canShare": calendar.can_edit,
        "canViewPrivateItems": true,
        "canEdit": calendar.can_edit,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": default,
        "isRemovable": !default,
        "owner": {"name": mailbox.display_name, "address": mailbox.address},
    }))
}
