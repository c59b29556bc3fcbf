//! Dates and times as Graph writes them.

use apptsync_plugin::calendar::LAST_INSTANT;
use apptsync_plugin::types::Instant;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::zones;

/// `dateTimeTimeZone` wants seven digits of a second's fraction.
const LOCAL: &str = "%Y-%m-%dT%H:%M:%S.0000000";

/// An instant with an offset: `2026-12-01T09:00:00Z`.
pub(crate) fn instant(text: &str) -> Option<Instant> {
    let found = DateTime::parse_from_rfc3339(text).ok()?.timestamp();
    is_instant(found).then_some(found)
}

/// An instant for a query: `2026-12-01T09:00:00Z`.
pub(crate) fn in_query(instant: Instant) -> String {
    utc(instant).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The local time and the zone's name of a `dateTimeTimeZone`.
pub(crate) fn local(value: &Value) -> Option<(NaiveDateTime, &str)> {
    let text = value["dateTime"].as_str()?;
    let local = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some((local, value["timeZone"].as_str().unwrap_or("UTC")))
}

/// The instant of a `dateTimeTimeZone`.
///
/// # Errors
///
/// It is none, its zone is not known, or it lies before 1970 or after 9999.
pub(crate) fn of(value: &Value, account: Tz) -> Result<Instant, String> {
    let (local, name) = local(value).ok_or("its time cannot be read")?;
    let zone = zones::read(name, account).ok_or_else(|| format!("its zone `{}` is not known", name.escape_debug()))?;
    let found = zones::instant(local, zone);
    if is_instant(found) { Ok(found) } else { Err("its time does not lie between 1970 and 9999".to_owned()) }
}

/// A `dateTimeTimeZone` of an instant in a zone.
///
/// # Errors
///
/// Outlook does not know the zone.
pub(crate) fn write(instant: Instant, zone: Tz) -> Result<Value, String> {
    let (name, zone) = written(zone)?;
    Ok(date_time_zone(zone.from_utc_datetime(&utc(instant)).naive_local(), name))
}

/// A `dateTimeTimeZone` of midnight.
///
/// # Errors
///
/// Outlook does not know the zone.
pub(crate) fn write_midnight(date: NaiveDate, zone: Tz) -> Result<Value, String> {
    let (name, _) = written(zone)?;
    Ok(date_time_zone(date.and_time(NaiveTime::MIN), name))
}

/// Whether the local time that is written says which instant is meant, and not also another.
pub(crate) fn is_clear(instant: Instant, zone: Tz) -> bool {
    let zone = written(zone).map_or(zone, |(_, zone)| zone);
    zones::instant(zone.from_utc_datetime(&utc(instant)).naive_local(), zone) == instant
}

fn written(zone: Tz) -> Result<(&'static str, Tz), String> {
    let unknown = || format!("Outlook does not know the zone {}: choose one of the same region", zone.name());
    zones::written(zone).ok_or_else(unknown)
}

fn date_time_zone(local: NaiveDateTime, name: &str) -> Value {
    json!({"dateTime": local.format(LOCAL).to_string(), "timeZone": name})
}

/// A date of the contract.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|date| is_date(*date))
}

/// Whether the contract has the date, and the day after it.
pub(crate) fn is_date(date: NaiveDate) -> bool {
    let midnight = date.and_time(NaiveTime::MIN).and_utc().timestamp();
    (0..LAST_INSTANT - 86_400).contains(&midnight)
}

/// The day after.
pub(crate) fn next_day(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(1)).unwrap_or(date)
}

/// The date of an instant in a zone.
pub(crate) fn date_in(instant: Instant, zone: Tz) -> NaiveDate {
    zone.from_utc_datetime(&utc(instant)).date_naive()
}

/// Midnight in UTC.
pub(crate) fn midnight(date: NaiveDate) -> Instant {
    date.and_time(NaiveTime::MIN).and_utc().timestamp()
}

fn utc(instant: Instant) -> NaiveDateTime {
    DateTime::from_timestamp(instant, 0).unwrap_or_default().naive_utc()
}

fn is_instant(instant: Instant) -> bool {
    (0..=LAST_INSTANT).contains(&instant)
}
