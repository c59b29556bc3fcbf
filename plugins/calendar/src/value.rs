//! Values of properties: dates, times and durations (RFC 5545 3.3.4 to 3.3.6, 3.3.14).

use apptsync_plugin::calendar::LAST_INSTANT;
use apptsync_plugin::types::Instant;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// A DATE or DATE-TIME as it stands in a value, before its zone is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Date(NaiveDate),
    /// Without a zone of its own: in that of the `TZID`, or floating.
    Local(NaiveDateTime),
    Utc(NaiveDateTime),
}

/// `20261201`, `20261201T090000` or `20261201T090000Z`, of any year.
pub(crate) fn date_or_time(value: &str) -> Option<Written> {
    let value = value.trim();
    let Some((day, time)) = value.split_once(['T', 't']) else {
        return date(value).map(Written::Date);
    };
    let day = date(day)?;
    let (digits, is_utc) = match time.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, true),
        None => (time, false),
    };
    let moment = day.and_time(time_of_day(digits)?);
    Some(if is_utc { Written::Utc(moment) } else { Written::Local(moment) })
}

fn date(value: &str) -> Option<NaiveDate> {
    let digits = digits(value, 8)?;
    let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn time_of_day(value: &str) -> Option<NaiveTime> {
    let digits = digits(value, 6)?;
    // A leap second counts as the one before it.
    NaiveTime::from_hms_opt(digits / 10_000, digits / 100 % 100, (digits % 100).min(59)).filter(|_| digits % 100 <= 60)
}

fn digits(value: &str, count: usize) -> Option<u32> {
    let is_number = value.len() == count && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| value.parse().ok()).flatten()
}

/// A duration: days that are as long as the calendar says, and seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) days: i64,
    pub(crate) seconds: i64,
}

/// `P1DT2H30M`, `P2W` or `-PT15M`. Longer ones than the years of the contract are none.
pub(crate) fn duration(value: &str) -> Option<Span> {
    let value = value.trim();
    let (sign, value) = match value.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, value.strip_prefix('+').unwrap_or(value)),
    };
    let mut span = Span::default();
    let mut number: Option<i64> = None;
    let mut is_time = false;
    for character in value.strip_prefix(['P', 'p'])?.chars() {
        if let Some(digit) = character.to_digit(10) {
            let grown = number.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(digit))?;
            number = Some(grown).filter(|grown| *grown <= LAST_INSTANT);
            number?;
            continue;
        }
        let unit = character.to_ascii_uppercase();
        if unit == 'T' && number.is_none() {
            is_time = true;
            continue;
        }
        let count = number.take()? * sign;
        match (unit, is_time) {
            ('W', false) => span.days += count * 7,
            ('D', false) => span.days += count,
            ('H', true) => span.seconds += count * 3_600,
            ('M', true) => span.seconds += count * 60,
            ('S', true) => span.seconds += count,
            _ => return None,
        }
    }
    let is_sane = |value: i64, limit: i64| value.abs() <= limit;
    (number.is_none() && is_sane(span.days, 3_000_000) && is_sane(span.seconds, LAST_INSTANT)).then_some(span)
}

impl Span {
    /// A local time so much later.
    pub(crate) fn days_after(self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.days >= 0 {
            from.checked_add_days(Days::new(self.days.unsigned_abs()))
        } else {
            from.checked_sub_days(Days::new(self.days.unsigned_abs()))
        }
    }
}

/// `+0100`, `-033000`: seconds east of UTC.
pub(crate) fn offset(value: &str) -> Option<i32> {
    let value = value.trim();
    let (sign, digits_of) = match value.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let number = match digits_of.len() {
        4 => digits(digits_of, 4)? * 100,
        _ => digits(digits_of, 6)?,
    };
    let (hours, minutes, seconds) = (number / 10_000, number / 100 % 100, number % 100);
    let total = i32::try_from(hours * 3_600 + minutes * 60 + seconds).ok()?;
    (minutes < 60 && seconds < 60 && total < 86_400).then_some(sign * total)
}

/// The seconds since 1970 of a time in UTC.
pub(crate) fn instant(utc: NaiveDateTime) -> Instant {
    utc.and_utc().timestamp()
}

/// The time in UTC; an instant outside of the contract's years is moved to their edge.
pub(crate) fn utc(instant: Instant) -> NaiveDateTime {
    DateTime::from_timestamp(instant.clamp(0, LAST_INSTANT), 0).unwrap_or_default().naive_utc()
}

/// `20261201T090000Z`.
pub(crate) fn format_utc(instant: Instant) -> String {
    format!("{}Z", format_local(utc(instant)))
}

/// `20261201T090000`.
pub(crate) fn format_local(time: NaiveDateTime) -> String {
    time.format("%Y%m%dT%H%M%S").to_string()
}

/// `20261201`.
pub(crate) fn format_date(date: NaiveDate) -> String {
    date.format("%Y%m%d").to_string()
}

/// `2026-12-01`, as the contract writes dates.
pub(crate) fn format_contract_date(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

/// A date of the contract, `2026-12-01`.
pub(crate) fn contract_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// A local time some seconds later, which stays within what dates can express.
pub(crate) fn shifted(time: NaiveDateTime, seconds: i64) -> Option<NaiveDateTime> {
    time.checked_add_signed(TimeDelta::try_seconds(seconds)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_strictly() {
        let day = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
        let nine = day.and_hms_opt(9, 0, 0).unwrap();
        assert_eq!(date_or_time("20261201"), Some(Written::Date(day)));
        assert_eq!(date_or_time(" 20261201T090000"), Some(Written::Local(nine)));
        assert_eq!(date_or_time("20261201T090000Z"), Some(Written::Utc(nine)));
        assert_eq!(date_or_time("20261201T235960Z"), Some(Written::Utc(day.and_hms_opt(23, 59, 59).unwrap())));
        for wrong in ["", "2026-12-01", "20261301", "20260230", "20261201T9", "20261201T250000", "T"] {
            assert_eq!(date_or_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_are_days_and_seconds() {
        assert_eq!(duration("P1DT2H30M"), Some(Span { days: 1, seconds: 9_000 }));
        assert_eq!(duration("-PT15M"), Some(Span { days: 0, seconds: -900 }));
        assert_eq!(duration("P2W"), Some(Span { days: 14, seconds: 0 }));
        for wrong in ["", "P", "1D", "P1", "PT1D", "P99999999999999999999D", "P9999999999D", "PTx"] {
            assert!(duration(wrong).is_none_or(|span| wrong == "P" && span == Span::default()), "{wrong}");
        }
    }

    #[test]
    fn offsets_are_seconds_east() {
        assert_eq!(offset("+0100"), Some(3_600));
        assert_eq!(offset("-033015"), Some(-12_615));
        for wrong in ["", "0100", "+1", "+2500", "+0160", "+ab00", "é0100"] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
    }
}
