//! Tasks of To Do as items. Their days have no time: To Do keeps the date of what it is given and drops the rest.

pub(crate) mod adopt;
pub(crate) mod write;

use apptsync_plugin::connector::{Content, Entry, Item};
use apptsync_plugin::types::{AllDay, Instant, Period};
use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde_json::Value;

use crate::{etag, events, links, moment, normalise, zones};

/// A day, in seconds.
const DAY: Instant = 86_400;

/// A task that lies in a list, for an account in a zone.
///
/// # Errors
///
/// Something without which it is no task is missing or makes no sense.
pub(crate) fn read(task: &Value, account: Tz, list: &str) -> Result<Item, String> {
    let changed_at = task["lastModifiedDateTime"].as_str().and_then(moment::instant);
    let entry = Entry {
        subject: normalise::line(&task["title"]),
        body: normalise::body(&task["body"]),
        location: String::new(),
        period: period(task, account)?,
        zone: String::new(),
        priority: events::priority(&task["importance"]),
        completed: completed(task, account, changed_at),
    };
    Ok(Item {
        remote_id: events::id(task)?.to_owned(),
        etag: etag::of(task)?.to_owned(),
        collection: list.to_owned(),
        identity: links::read(task),
        // A task of To Do has no place for it, and a linked resource would cost a request of its own with every write.
        writer: None,
        uid: String::new(),
        content: Content::Entry(entry),
        private: false,
        cancelled: false,
        is_organizer: true,
        has_attendees: false,
        occurrence: None,
        changed_at,
    })
}

/// From the day it starts to the day it is due.
pub(crate) fn period(task: &Value, account: Tz) -> Result<Option<Period>, String> {
    let start = day(&task["startDateTime"], account)?;
    let Some(due) = day(&task["dueDateTime"], account)?.or(start) else { return Ok(None) };
    let start = start.unwrap_or(due).min(due);
    let days = AllDay { start: start.to_string(), end: moment::next_day(due).to_string() };
    Ok(Some(Period::AllDay(days)))
}

/// The day of a `dateTimeTimeZone`. At midnight it is what it says. Any other time is midnight of another zone, which lies on
/// the day before in UTC: the account's zone tells the day.
fn day(value: &Value, account: Tz) -> Result<Option<NaiveDate>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let (local, name) = moment::local(value).ok_or("its day cannot be read")?;
    let day = if local.time() == NaiveTime::MIN {
        local.date()
    } else {
        let zone =
            zones::read(name, account).ok_or_else(|| format!("its zone `{}` is not known", name.escape_debug()))?;
        moment::date_in(zones::instant(local, zone), account)
    };
    if moment::is_date(day) { Ok(Some(day)) } else { Err("its day does not lie between 1970 and 9999".to_owned()) }
}

/// To Do keeps the day alone of when a task was completed, as midnight in UTC and perhaps one day off. The last change tells
/// the time where it lies on that day or next to it: completing is usually what a task sees last.
fn completed(task: &Value, account: Tz, changed_at: Option<Instant>) -> Option<Instant> {
    if task["status"] != "completed" {
        return None;
    }
    let Ok(said) = moment::of(&task["completedDateTime"], account) else { return Some(changed_at.unwrap_or_default()) };
    let is_near = |changed: &Instant| (said - DAY..said + 2 * DAY).contains(changed);
    let changed_at = changed_at.filter(|changed| said % DAY == 0 && is_near(changed));
    Some(changed_at.unwrap_or(said))
}
