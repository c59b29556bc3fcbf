//! Events of a calendar as items.

mod siblings;
pub(crate) mod write;

use apptsync_plugin::connector::{Content, Entry, Item, Occurrence};
use apptsync_plugin::types::{AllDay, Instant, Period, Priority, Timed};
use chrono::{NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde_json::Value;

use crate::etag::{self, Marks};
use crate::property::Signature;
use crate::{moment, normalise, property, zones};

/// What an event is asked for. `originalStart` comes only when it is asked for.
pub(crate) const SELECT: &str = "id,iCalUId,subject,body,start,end,isAllDay,location,importance,sensitivity,isCancelled,isOrganizer,\
     attendees,isOnlineMeeting,type,seriesMasterId,originalStart,originalStartTimeZone,lastModifiedDateTime";

/// Longest identifier, in bytes.
const LONGEST_ID: usize = 1_024;
/// Seconds that an appointment without any length gets.
const SHORTEST: Instant = 60;
/// Half a day, in seconds.
const NOON: Instant = 43_200;

/// The id of an entity.
///
/// # Errors
///
/// It has none, or one that the contract has no room for.
pub(crate) fn id(entity: &Value) -> Result<&str, String> {
    let id = entity["id"].as_str().filter(|id| (1..=LONGEST_ID).contains(&id.len()) && !id.contains(char::is_control));
    id.ok_or_else(|| "it has no id".to_owned())
}

/// An event that lies in a collection, for an account in a zone.
///
/// # Errors
///
/// Something without which it is no appointment is missing or makes no sense.
pub(crate) fn read(event: &Value, account: Tz, collection: &str, signature: Signature) -> Result<Item, String> {
    let remote_id = id(event)?.to_owned();
    let is_all_day = event["isAllDay"].as_bool().unwrap_or(false);
    let has_attendees = event["attendees"].as_array().is_some_and(|people| !people.is_empty());
    let is_organizer = event["isOrganizer"].as_bool().unwrap_or(!has_attendees);
    let private = is_private(&event["sensitivity"]);
    let text = |value: &Value| if private { String::new() } else { normalise::line(value) };
    let zone = own_zone(event, account);
    let occurrence = occurrence(event, is_all_day, account)?;
    let entry = Entry {
        subject: text(&event["subject"]),
        body: if private { String::new() } else { normalise::body(&event["body"]) },
        location: text(&event["location"]["displayName"]),
        period: Some(period(event, is_all_day, account)?),
        zone: zone.map(|zone| zone.name().to_owned()).unwrap_or_default(),
        priority: priority(&event["importance"]),
        completed: None,
    };
    Ok(Item {
        remote_id,
        etag: version(event, account)?,
        collection: collection.to_owned(),
        identity: signature.identity,
        writer: signature.writer,
        uid: uid(event),
        content: Content::Entry(entry),
        private,
        cancelled: event["isCancelled"].as_bool().unwrap_or(false),
        is_organizer,
        has_attendees,
        occurrence,
        changed_at: event["lastModifiedDateTime"].as_str().and_then(moment::instant),
    })
}

/// The version of an event, with what has to be known when it is written: of a listing it needs no more than that.
///
/// # Errors
///
/// It has no `ETag`.
pub(crate) fn version(event: &Value, account: Tz) -> Result<String, String> {
    let has_attendees = event["attendees"].as_array().is_some_and(|people| !people.is_empty());
    let is_master = event["type"] == "seriesMaster";
    let series = match event["type"].as_str() {
        Some("occurrence" | "exception") => event["seriesMasterId"].as_str(),
        Some("seriesMaster") => event["id"].as_str(),
        _ => None,
    };
    let marks = Marks {
        is_online_meeting: event["isOnlineMeeting"].as_bool().unwrap_or(false),
        has_guests: has_attendees && event["isOrganizer"].as_bool().unwrap_or(!has_attendees),
        is_master,
        has_more: false,
        series: series.map(etag::series).unwrap_or_default(),
        // UTC is no zone that somebody chose.
        zone: own_zone(event, account)
            .filter(|zone| *zone != account && !zones::is_utc(*zone))
            .map_or_else(String::new, |zone| zone.name().to_owned()),
    };
    Ok(etag::with_marks(etag::of(event)?, &marks))
}

/// The zone that it is shown in; none of whole days.
fn own_zone(event: &Value, account: Tz) -> Option<Tz> {
    let is_all_day = event["isAllDay"].as_bool().unwrap_or(false);
    event["originalStartTimeZone"].as_str().filter(|_| !is_all_day).and_then(|name| zones::read(name, account))
}

/// The iCalendar UID: of an occurrence its own.
fn uid(event: &Value) -> String {
    let uid = event["iCalUId"].as_str().filter(|uid| uid.len() <= LONGEST_ID && !uid.contains(char::is_control));
    uid.unwrap_or_default().to_owned()
}

/// An event that was read with our properties and its calendar expanded: identity and collection are its own.
///
/// # Errors
///
/// As [`read`], or it does not say in which calendar it lies.
pub(crate) fn read_expanded(event: &Value, account: Tz) -> Result<Item, String> {
    let calendar = id(&event["calendar"]).map_err(|_| "it does not say in which calendar it lies".to_owned())?;
    read(event, account, calendar, property::read(event))
}

/// Anything but `normal` and `personal` is private, so that a word that we do not know hides rather than shows.
pub(crate) fn is_private(sensitivity: &Value) -> bool {
    !(sensitivity.is_null() || sensitivity == "normal" || sensitivity == "personal")
}

pub(crate) fn priority(importance: &Value) -> Priority {
    match importance.as_str() {
        Some("low") => Priority::Low,
        Some("high") => Priority::High,
        _ => Priority::Normal,
    }
}

pub(crate) fn importance(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
    }
}

fn period(event: &Value, is_all_day: bool, account: Tz) -> Result<Period, String> {
    if !is_all_day {
        let (start, end) = (moment::of(&event["start"], account)?, moment::of(&event["end"], account)?);
        if end < start {
            return Err("it ends before it starts".to_owned());
        }
        // Outlook has appointments without any length, the contract has none.
        return Ok(Period::Timed(Timed { start, end: end.max(start.saturating_add(SHORTEST)) }));
    }
    // Days are days in every zone: what is said about zones is not looked at.
    let ((start, _), (end, _)) =
        moment::local(&event["start"]).zip(moment::local(&event["end"])).ok_or("its days cannot be read")?;
    let end = if end.time() == NaiveTime::MIN { end.date() } else { moment::next_day(end.date()) };
    let end = end.max(moment::next_day(start.date()));
    if !moment::is_date(start.date()) || !moment::is_date(end) {
        return Err("its days do not lie between 1970 and 9999".to_owned());
    }
    Ok(Period::AllDay(AllDay { start: start.date().to_string(), end: end.to_string() }))
}

/// Which occurrence of a series it is; none for a single event and for the master itself.
fn occurrence(event: &Value, is_all_day: bool, account: Tz) -> Result<Option<Occurrence>, String> {
    let kind = event["type"].as_str().unwrap_or_default();
    if !matches!(kind, "occurrence" | "exception") {
        return Ok(None);
    }
    let series = event["seriesMasterId"].as_str().filter(|id| (1..=LONGEST_ID).contains(&id.len()));
    let series = series.ok_or("it is an occurrence of a series that it does not name")?.to_owned();
    let original = event["originalStart"].as_str().and_then(moment::instant);
    let original_start = match (original, is_all_day) {
        // What the pattern itself made is where the pattern puts it.
        (_, true) if kind == "occurrence" => {
            let (start, _) = moment::local(&event["start"]).ok_or("its days cannot be read")?;
            moment::midnight(start.date())
        }
        (Some(original), true) => original_day(original, event["originalStartTimeZone"].as_str(), account),
        (Some(original), false) => original,
        (None, _) if kind == "occurrence" => moment::of(&event["start"], account)?,
        (None, _) => return Err("it is an exception of a series and does not say of which day".to_owned()),
    };
    Ok(Some(Occurrence { series, original_start }))
}

/// Midnight in UTC of the day of an instant that is midnight somewhere: in the zone that is said, or else in the nearest.
fn original_day(original: Instant, zone: Option<&str>, account: Tz) -> Instant {
    let is_midnight = |zone: &Tz| {
        let offset = zone.timestamp_opt(original, 0).earliest();
        offset.is_some_and(|local| local.time() == NaiveTime::MIN)
    };
    let said = zone.and_then(|name| zones::read(name, account));
    let zone = said.into_iter().chain([account, Tz::UTC]).find(is_midnight);
    let day = zone.map_or_else(|| moment::date_in(original + NOON, Tz::UTC), |zone| moment::date_in(original, zone));
    moment::midnight(day)
}
