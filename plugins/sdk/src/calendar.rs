//! Calendar arithmetic in UTC, without a time zone database: years 1970 to 9999.

use std::fmt::Write;

use crate::types::Instant;

/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// The last instant of the contract: the end of 9999.
pub const LAST_INSTANT: Instant = 253_402_300_799;

/// Days from 1970-01-01 to a date of the Gregorian calendar; the date must exist.
#[must_use]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last of a year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of the day that many days after 1970-01-01.
#[must_use]
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// How many days a month has; 0 for what is no month.
#[must_use]
pub fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Appends an instant for people: `2026-12-01 10:00 UTC`.
pub fn push_instant(text: &mut String, instant: Instant) {
    let (year, month, day) = civil_from_days(instant.div_euclid(DAY));
    let minutes = instant.rem_euclid(DAY) / 60;
    // Writing into a String cannot fail.
    let _ = write!(text, "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse_and_dates_follow_each_other() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..=LAST_INSTANT / DAY {
            assert_eq!(civil_from_days(days), (year, month, day));
            assert_eq!(days_from_civil(year, month, day), days);
            day += 1;
            if day > days_of_month(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }

    #[test]
    fn an_instant_is_written_in_utc_to_the_minute() {
        let mut text = String::new();
        push_instant(&mut text, 1_796_119_259);
        assert_eq!(text, "2026-12-01 10:00 UTC");
    }
}
