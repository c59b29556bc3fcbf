//! Time zones by name, and as a calendar defines them itself (RFC 5545 3.6.5).

use std::collections::HashMap;
use std::rc::Rc;
use std::str::FromStr;

use apptsync_plugin::types::Instant;
use calcard::common::timezone::Tz as KnownZone;
use chrono::{LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use xxhash_rust::xxh64::xxh64;

use crate::Effort;
use crate::component::Component;
use crate::line::{Boundary, boundary, lines};
use crate::rule::Rule;
use crate::value::{self, Written};

/// The most definitions, and observances of one, that are looked at.
const MOST_DEFINITIONS: usize = 64;
const MOST_OBSERVANCES: usize = 64;
/// The most changes of the clock in one definition: two a year for longer than anybody plans.
const MOST_ONSETS: usize = 2_048;
/// The most changes of the clock within four days that are looked at; no clock changes more than once in them.
const MOST_NEARBY: usize = 16;
/// The longest name of a zone that is looked at, in bytes.
const LONGEST_NAME: usize = 255;
const DAY: i64 = 86_400;

/// A time zone.
#[derive(Debug, Clone)]
pub(crate) enum Zone {
    Named(Tz),
    /// Defined by the calendar under a name that nobody else knows.
    Own(Rc<Definition>),
}

impl Zone {
    /// The instant of a local time. One that the clock jumps over counts as before the jump, one that it shows twice as the
    /// first (RFC 5545 3.3.5).
    pub(crate) fn instant(&self, local: NaiveDateTime) -> Instant {
        match self {
            Self::Named(tz) => named_instant(*tz, local),
            Self::Own(definition) => definition.instant(value::instant(local)),
        }
    }

    /// The local time at an instant.
    pub(crate) fn local(&self, instant: Instant) -> NaiveDateTime {
        let utc = value::utc(instant);
        let offset = match self {
            Self::Named(tz) => tz.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
            Self::Own(definition) => definition.offset_at(instant),
        };
        value::shifted(utc, i64::from(offset)).unwrap_or(utc)
    }

    /// The IANA name; empty for a zone that has none.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Named(tz) => tz.name(),
            Self::Own(_) => "",
        }
    }
}

fn named_instant(tz: Tz, local: NaiveDateTime) -> Instant {
    // Samoa once jumped over a whole day.
    for hours in [0, 3, 26] {
        let earlier = value::shifted(local, -hours * 3_600).unwrap_or(local);
        match tz.from_local_datetime(&earlier) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => return time.timestamp() + hours * 3_600,
            LocalResult::None => {}
        }
    }
    value::instant(local)
}

/// The zone of a `TZID`: an IANA name, also behind a prefix, or a name that Windows or Outlook uses.
pub(crate) fn named(id: &str) -> Option<Tz> {
    if id.len() > LONGEST_NAME {
        return None;
    }
    if let Ok(tz) = id.parse() {
        return Some(tz);
    }
    // What is made of the offset in `(UTC+01:00) Somewhere` is only a guess, see `guessed`.
    let is_of_offset = |tz: &Tz| id.trim_start().starts_with('(') && tz.name().starts_with("Etc/GMT");
    match KnownZone::from_str(id) {
        Ok(KnownZone::Tz(tz)) if !is_of_offset(&tz) => Some(tz),
        _ => ends_in_a_name(id),
    }
}

/// `/citadel.org/20210210_1/Europe/Warsaw`.
fn ends_in_a_name(id: &str) -> Option<Tz> {
    let path = id.strip_prefix('/')?;
    path.match_indices('/').find_map(|(slash, _)| path[slash + 1..].parse().ok())
}

/// `(GMT+01:00) Somewhere` says little, but more than nothing.
fn guessed(id: &str) -> Option<Zone> {
    let written = id.trim_start().strip_prefix('(')?.split_once(')')?.0.trim();
    let written = written.strip_prefix("UTC").or_else(|| written.strip_prefix("GMT"))?;
    let digits: String = written.chars().filter(|character| !matches!(character, ':' | '.')).collect();
    let before = if digits.is_empty() { 0 } else { value::offset(&digits)? };
    Some(Zone::Own(Rc::new(Definition { before, onsets: Vec::new() })))
}

/// The zones that a calendar defines, as far as their names do not say which they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    zones: HashMap<String, Zone>,
    /// Stands for the bytes of these definitions; 0 where there are none.
    digest: u64,
}

impl Definitions {
    /// Reads the definitions among some components `VTIMEZONE`.
    pub(crate) fn read<'a>(components: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut zones, mut digest) = (HashMap::new(), 0);
        let mut effort = Effort::new(4 * Effort::SERIES);
        for bytes in components.take(MOST_DEFINITIONS) {
            let component = Component::parse(bytes);
            let Some(id) = component.text("TZID").filter(|id| named(id).is_none()) else { continue };
            let location = component.text("X-LIC-LOCATION").and_then(|location| named(&location));
            let zone =
                location.map(Zone::Named).or_else(|| Some(Zone::Own(Rc::new(Definition::read(bytes, &mut effort)?))));
            zones.extend(zone.map(|zone| (id, zone)));
            digest = xxh64(bytes, digest);
        }
        Self { zones, digest }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    /// The zone of a `TZID`; none where nobody knows it.
    pub(crate) fn zone(&self, id: &str) -> Option<Zone> {
        if id.len() > LONGEST_NAME {
            return None;
        }
        named(id).map(Zone::Named).or_else(|| self.zones.get(id).cloned()).or_else(|| guessed(id))
    }
}

/// A zone by the changes of its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    /// Seconds east of UTC before the first change.
    before: i32,
    /// When, and to how many seconds east of UTC; ascending.
    onsets: Vec<(Instant, i32)>,
}

impl Definition {
    /// Reads a component `VTIMEZONE`; none where it has no observance that can be read.
    fn read(bytes: &[u8], effort: &mut Effort) -> Option<Self> {
        let mut onsets: Vec<(Instant, i32, i32)> = Vec::new();
        for observance in observances(bytes).into_iter().take(MOST_OBSERVANCES) {
            add_onsets(&Component::parse(&observance), &mut onsets, effort);
        }
        onsets.sort_unstable();
        onsets.dedup();
        let before = onsets.first()?.1;
        Some(Self { before, onsets: onsets.into_iter().map(|(at, _, to)| (at, to)).collect() })
    }

    fn offset_at(&self, instant: Instant) -> i32 {
        let after = self.onsets.partition_point(|(at, _)| *at <= instant);
        after.checked_sub(1).and_then(|last| self.onsets.get(last)).map_or(self.before, |(_, offset)| *offset)
    }

    fn instant(&self, local: i64) -> Instant {
        let before = self.offset_at(local - 2 * DAY);
        let first = self.onsets.partition_point(|(at, _)| *at < local - 2 * DAY);
        let nearby = self.onsets.iter().skip(first).take(MOST_NEARBY);
        let changes = nearby.take_while(|(at, _)| *at <= local + 2 * DAY);
        let fits = |offset: i32| {
            let instant = local - i64::from(offset);
            (self.offset_at(instant) == offset).then_some(instant)
        };
        let mut offsets = std::iter::once(before).chain(changes.map(|(_, offset)| *offset));
        offsets.find_map(fits).unwrap_or(local - i64::from(before))
    }
}

/// The components `STANDARD` and `DAYLIGHT` of a `VTIMEZONE`.
fn observances(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut is_within = false;
    for line in lines(bytes) {
        let is_of = |name: &str| matches!(name, "STANDARD" | "DAYLIGHT");
        match boundary(line) {
            Some((Boundary::Begin, name)) if is_of(&name) => {
                found.push(Vec::new());
                is_within = true;
            }
            Some((Boundary::End, name)) if is_of(&name) => is_within = false,
            _ => {}
        }
        if let Some(last) = found.last_mut().filter(|_| is_within) {
            last.extend_from_slice(line);
        }
    }
    found
}

/// Adds when an observance begins: instant, offset before and after.
fn add_onsets(observance: &Component, onsets: &mut Vec<(Instant, i32, i32)>, effort: &mut Effort) {
    let offset = |name| observance.text(name).and_then(|text| value::offset(&text));
    let (Some(from), Some(to)) = (offset("TZOFFSETFROM"), offset("TZOFFSETTO")) else { return };
    let local = |written| match written {
        Written::Local(time) => Some(time),
        Written::Date(date) => date.and_hms_opt(0, 0, 0),
        Written::Utc(utc) => value::shifted(utc, i64::from(from)),
    };
    let Some(start) = observance.first("DTSTART").and_then(|start| local(value::date_or_time(&start.value)?)) else {
        return;
    };
    let mut starts = vec![start];
    for dates in observance.all("RDATE") {
        let room = MOST_ONSETS.saturating_sub(starts.len());
        starts.extend(dates.value.split(',').take(room).filter_map(|date| local(value::date_or_time(date)?)));
    }
    if let Some(rule) = observance.first("RRULE").and_then(|rule| Rule::parse(&rule.value)) {
        let until = rule.until.and_then(local);
        let year =
            |year| NaiveDate::from_ymd_opt(year, 1, 1).and_then(|date| date.and_hms_opt(0, 0, 0)).unwrap_or(start);
        let range = year(1969).max(start)..=year(2101);
        // A zone whose rules are not sane is taken as far as it goes.
        starts.extend(rule.starts(start, until, &range, effort).unwrap_or_default());
    }
    starts.dedup();
    starts.truncate(MOST_ONSETS.saturating_sub(onsets.len()));
    onsets.extend(starts.into_iter().map(|start| (value::instant(start) - i64::from(from), from, to)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOM: &str = "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone 1\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\n\
        TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n\
        BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
        RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";

    #[test]
    fn names_of_windows_and_prefixes_are_known() {
        for (id, expected) in [
            ("Europe/Warsaw", "Europe/Warsaw"),
            ("Central European Standard Time", "Europe/Warsaw"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("Eastern Standard Time", "America/New_York"),
            ("/citadel.org/20210210_1/Europe/Warsaw", "Europe/Warsaw"),
            ("/freeassociation.sourceforge.net/Europe/Warsaw", "Europe/Warsaw"),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
        ] {
            assert_eq!(named(id).map(|tz| tz.name()), Some(expected), "{id}");
        }
        for unknown in ["Customized Time Zone 1", "(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb", &"/a".repeat(10_000)]
        {
            assert_eq!(named(unknown), None);
        }
    }

    #[test]
    fn a_zone_that_a_calendar_defines_is_as_good_as_a_named_one() {
        let zones = Definitions::read(std::iter::once(CUSTOM.as_bytes()));
        let own = zones.zone("Customized Time Zone 1").unwrap();
        let named = Zone::Named(Tz::Europe__Warsaw);
        assert!(matches!(own, Zone::Own(_)));
        // A day in steps of half an hour around each change of the clock, and some that have none.
        for first in [1_774_670_000, 1_792_810_000, 1_800_000_000, 2_000_000_000, 900_000_000] {
            for step in 0..96 {
                let instant = first + step * 1_800;
                let local = named.local(instant);
                assert_eq!(own.local(instant), local);
                assert_eq!(own.instant(local), named.instant(local), "{local}");
            }
            let mut local = value::utc(first);
            for _ in 0..96 {
                assert_eq!(own.instant(local), named.instant(local), "{local}");
                local = value::shifted(local, 1_800).unwrap();
            }
        }
    }

    #[test]
    fn a_name_that_says_only_an_offset_is_a_guess_where_nothing_is_defined() {
        let id = "(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb";
        let (summer, winter) = (1_782_900_000, 1_796_119_200);
        let seconds_east = |zone: &Zone, at| (value::instant(zone.local(at)) - at, value::instant(zone.local(at)));
        let defined = CUSTOM.replace("Customized Time Zone 1", id);
        let own = Definitions::read(std::iter::once(defined.as_bytes())).zone(id).unwrap();
        let guessed = Definitions::default().zone(id).unwrap();
        for (at, defined, guess) in [(summer, 7_200, 3_600), (winter, 3_600, 3_600)] {
            assert_eq!(seconds_east(&own, at), (defined, at + defined));
            assert_eq!(seconds_east(&guessed, at), (guess, at + guess));
        }
        for (id, expected) in [
            ("(UTC+05:30) Somewhere", Some(19_800)),
            ("(GMT-03.30) Somewhere", Some(-12_600)),
            ("(UTC) Somewhere", Some(0)),
            ("(UTC+5) Somewhere", None),
            ("(home) Somewhere", None),
            ("Somewhere", None),
        ] {
            let zone = Definitions::default().zone(id);
            assert_eq!(zone.map(|zone| seconds_east(&zone, summer).0), expected, "{id}");
        }
    }

    #[test]
    fn what_the_clock_jumps_over_counts_as_before_the_jump() {
        let local = |text| match value::date_or_time(text) {
            Some(Written::Local(time)) => time,
            other => panic!("{other:?}"),
        };
        let warsaw = Zone::Named(Tz::Europe__Warsaw);
        assert_eq!(value::format_utc(warsaw.instant(local("20260329T023000"))), "20260329T013000Z");
        assert_eq!(value::format_utc(warsaw.instant(local("20261025T023000"))), "20261025T003000Z");
        let samoa = Zone::Named(Tz::Pacific__Apia);
        assert_eq!(value::format_utc(samoa.instant(local("20111230T120000"))), "20111230T220000Z");
    }

    #[test]
    fn hostile_definitions_end() {
        let endless = CUSTOM.replace("FREQ=YEARLY", "FREQ=SECONDLY");
        let zones = Definitions::read(std::iter::once(endless.as_bytes()));
        assert!(zones.zone("Customized Time Zone 1").is_some());
        let dates = vec!["20261201T090000"; 10_000].join(",");
        let dates = format!("RDATE:{dates}\r\nEND:STANDARD");
        let many = CUSTOM.replace("END:STANDARD", &dates).repeat(8);
        let zones = Definitions::read(std::iter::once(many.as_bytes()));
        let Some(Zone::Own(definition)) = zones.zone("Customized Time Zone 1") else { panic!("{zones:?}") };
        assert!(definition.onsets.len() <= MOST_ONSETS);
        for bytes in [&b"BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\n"[..], b"", b"BEGIN:STANDARD\nBEGIN:STANDARD\n"] {
            assert!(Definitions::read(std::iter::once(bytes)).zone("x").is_none());
        }
    }
}
