//! Instants are UTC inside; zones are for display and for whole days.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::Period;

/// Seconds since 1970-01-01T00:00:00Z. Shown as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub i64);

/// Text that is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an instant: write it as 2026-12-01T09:00:00Z, with Z or an offset such as +01:00")]
pub struct InvalidInstant(String);

impl Instant {
    /// The end of the year 9999.
    pub const MAX: Self = Self(253_402_300_799);

    /// True from 1970 to the end of 9999, the range the contract with plugins allows.
    #[must_use]
    pub fn is_valid(self) -> bool {
        (0..=Self::MAX.0).contains(&self.0)
    }

    /// The same instant for calendar arithmetic; what is out of range becomes 1970.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(value: DateTime<Utc>) -> Self {
        Self(value.timestamp())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.to_utc().format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        let instant = DateTime::parse_from_rfc3339(text).map(|value| Self(value.timestamp()));
        instant.ok().filter(|value| value.is_valid()).ok_or_else(|| InvalidInstant(text.escape_debug().to_string()))
    }
}

/// The instant at which a day begins in a zone. Where the clock jumps over midnight, the day begins after the jump.
#[must_use]
pub fn day_start(date: NaiveDate, zone: Tz) -> Instant {
    let midnight = date.and_time(NaiveTime::MIN);
    for quarter_hours in 0..=96 {
        let local = midnight + chrono::TimeDelta::minutes(15 * quarter_hours);
        match zone.from_local_datetime(&local) {
            LocalResult::Single(value) | LocalResult::Ambiguous(value, _) => return Instant(value.timestamp()),
            LocalResult::None => {}
        }
    }
    Instant(midnight.and_utc().timestamp())
}

/// `2026-12-01 10:00` in a zone.
#[must_use]
pub fn local_date_time(instant: Instant, zone: Tz) -> String {
    use chrono::{Datelike, Timelike};
    let local = instant.to_utc().with_timezone(&zone);
    let (date, time) = (local.date_naive(), local.time());
    let mut text = String::with_capacity(16);
    // Written by hand: this runs for every appointment, and formatting by pattern costs more than a stage does.
    push_digits(&mut text, date.year().unsigned_abs(), 1000);
    text.push('-');
    push_digits(&mut text, date.month(), 10);
    text.push('-');
    push_digits(&mut text, date.day(), 10);
    text.push(' ');
    push_digits(&mut text, time.hour(), 10);
    text.push(':');
    push_digits(&mut text, time.minute(), 10);
    text
}

fn push_digits(text: &mut String, mut value: u32, mut unit: u32) {
    while unit > 0 {
        let digit = u8::try_from(value / unit % 10).unwrap_or(0);
        text.push(char::from(b'0' + digit));
        value %= unit;
        unit /= 10;
    }
}

/// Start and end of a period for people: date and time in the zone, or the first and the last day.
#[must_use]
pub fn local_period(period: &Period, zone: Tz) -> (String, String) {
    match period {
        Period::Timed { start, end } => (local_date_time(*start, zone), local_date_time(*end, zone)),
        Period::AllDay { start, end } => {
            let last = end.checked_sub_days(Days::new(1)).unwrap_or(*end);
            (start.to_string(), last.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_after_the_jump_where_midnight_does_not_exist() {
        // Beirut jumped from 00:00 to 01:00 on 2022-03-27.
        let date = NaiveDate::from_ymd_opt(2022, 3, 27).expect("a date");
        assert_eq!(day_start(date, Tz::Asia__Beirut).to_string(), "2022-03-26T22:00:00Z");
    }

    #[test]
    fn instants_are_read_with_any_offset_and_written_in_utc() {
        let instant: Instant = "2026-12-01T10:00:00+01:00".parse().expect("an instant");
        assert_eq!(instant.to_string(), "2026-12-01T09:00:00Z");
        assert_eq!(local_date_time(instant, Tz::Europe__Warsaw), "2026-12-01 10:00");
        assert!("2026-12-01".parse::<Instant>().is_err());
    }
}
