//! Instants (RFC 3339) and dates (ISO 8601), strictly, years 1970 to 9999.

use apptsync_plugin::calendar::{DAY, LAST_INSTANT, days_from_civil, days_of_month};
use apptsync_plugin::types::Instant;

/// An instant such as `2026-12-01T09:00:00Z` or `2026-12-01T10:00:00.250+01:00`; fractions of a second are cut off.
///
/// A leap second is the last second of its minute, since the contract counts seconds without them.
#[must_use]
pub fn parse_instant(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_at_checked(10)?;
    let &[b'T' | b't' | b' ', h1, h2, b':', m1, m2, b':', s1, s2, ref rest @ ..] = rest else {
        return None;
    };
    let (hour, minute, second) = (pair(h1, h2)?, pair(m1, m2)?, pair(s1, s2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let local = days(date)? * DAY + hour * 3_600 + minute * 60 + second.min(59);
    let instant = local - offset(fraction_cut(rest)?)?;
    (0..=LAST_INSTANT).contains(&instant).then_some(instant)
}

/// A date such as `2026-12-01`, as days since 1970-01-01.
#[must_use]
pub fn parse_date(text: &str) -> Option<i64> {
    days(text.as_bytes())
}

fn days(date: &[u8]) -> Option<i64> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return None;
    };
    let (year, month, day) = (pair(y1, y2)? * 100 + pair(y3, y4)?, pair(m1, m2)?, pair(d1, d2)?);
    let exists = year >= 1970 && (1..=days_of_month(year, month)).contains(&day);
    exists.then(|| days_from_civil(year, month, day))
}

fn fraction_cut(rest: &[u8]) -> Option<&[u8]> {
    let Some(digits) = rest.strip_prefix(b".") else {
        return Some(rest);
    };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    if end == 0 { None } else { digits.get(end..) }
}

fn offset(rest: &[u8]) -> Option<i64> {
    match *rest {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (pair(h1, h2)?, pair(m1, m2)?);
            let seconds = hours * 3_600 + minutes * 60;
            (hours <= 23 && minutes <= 59).then_some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn pair(tens: u8, ones: u8) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_with_any_offset() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-12-01T09:00:00Z", 1_796_115_600),
            ("2026-12-01T10:00:00+01:00", 1_796_115_600),
            ("2026-12-01t02:30:00.999999-06:30", 1_796_115_600),
            ("2026-12-01 09:00:00z", 1_796_115_600),
            ("2000-02-29T12:00:00-00:00", 951_825_600),
            ("9999-12-31T23:59:59Z", LAST_INSTANT),
            ("1970-01-01T23:00:00+23:00", 0),
            ("2016-12-31T23:59:60Z", 1_483_228_799),
        ] {
            assert_eq!(parse_instant(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant() {
        for text in [
            "",
            "2026-12-01",
            "2026-12-01T09:00:00",
            "2026-12-01T09:00Z",
            "2026-12-01T9:00:00Z",
            "2026-12-01T24:00:00Z",
            "2026-12-01T09:60:00Z",
            "2026-12-01T09:00:61Z",
            "2026-12-01T09:00:00.Z",
            "2026-12-01T09:00:00.5",
            "2026-12-01T09:00:00+0100",
            "2026-12-01T09:00:00+24:00",
            "2026-12-01T09:00:00+01:60",
            "2026-12-01T09:00:00Z ",
            "2026-13-01T09:00:00Z",
            "2026-00-01T09:00:00Z",
            "2026-02-29T09:00:00Z",
            "2100-02-29T09:00:00Z",
            "2026-12-32T09:00:00Z",
            "2026-12-00T09:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "+026-12-01T09:00:00Z",
            "2026-12-01T09:00:00٠Z",
            "２０２６-12-01T09:00:00Z",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_date("2024-02-29"), Some(19_782));
        for text in ["2023-02-29", "2026-1-01", "2026-12-01T00:00:00Z", "1969-12-31", "10000-01-01"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(instant in 0..=LAST_INSTANT, minutes in -1_439_i64..=1_439) {
            let local = instant + minutes * 60;
            prop_assume!((0..=LAST_INSTANT).contains(&local));
            let (year, month, day) = apptsync_plugin::calendar::civil_from_days(local / DAY);
            let time = local % DAY;
            let sign = if minutes < 0 { '-' } else { '+' };
            let text = format!(
                "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
                time / 3_600, time / 60 % 60, time % 60, minutes.abs() / 60, minutes.abs() % 60,
            );
            prop_assert_eq!(parse_instant(&text), Some(instant));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            if let Some(instant) = parse_instant(&text) {
                prop_assert!((0..=LAST_INSTANT).contains(&instant));
            }
        }
    }
}
