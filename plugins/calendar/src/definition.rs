//! Definitions of time zones as we write them: `VTIMEZONE` for the years that are needed (RFC 5545 3.6.5).
//!
//! Outlook takes a `TZID` without a definition for no zone at all, and refuses definitions that carry a zone's whole history.

use std::collections::BTreeMap;

use apptsync_plugin::types::Instant;
use chrono::{Datelike, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

use crate::calendar::Calendar;
use crate::component::Component;
use crate::line::{LineEnd, push, quoted};
use crate::value;
use crate::zone::named;

/// Says that a definition is ours, and the years that it holds for: `2026-2031`.
const COVERS: &str = "X-APPTSYNC-COVERS";
/// Years defined beyond those that are needed, so that a definition does not change with every new appointment.
const AHEAD: i32 = 5;
const LAST_YEAR: i32 = 9_999;
const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// The years that a definition has to hold for, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Years {
    pub(crate) first: i32,
    pub(crate) last: i32,
}

impl Years {
    /// From the year of one instant to that of another.
    pub(crate) fn between(start: Instant, end: Instant) -> Self {
        Self { first: value::utc(start).year(), last: value::utc(end).year() }
    }

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        Some(Self { first: first.parse().ok()?, last: last.parse().ok()? }).filter(|years| years.first <= years.last)
    }

    fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    fn and(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

impl Calendar<'_> {
    /// Sees to it that a zone is defined for some years, and gives the name under which it is.
    ///
    /// A definition that somebody else wrote stays as it is, and ours is made to hold for more years where it has to.
    pub(crate) fn define(&mut self, tz: Tz, years: Years) -> String {
        let mut ours = None;
        for (index, bytes) in self.zones() {
            let component = Component::parse(bytes);
            let Some(id) = component.text("TZID") else { continue };
            let covered = component.text(COVERS).and_then(|text| Years::parse(&text));
            match covered {
                Some(covered) if id == tz.name() => ours = Some((index, covered)),
                None if named(&id) == Some(tz) => return id,
                _ => {}
            }
        }
        let line_end = self.line_end();
        match ours {
            Some((_, covered)) if covered.covers(years) => {}
            Some((index, covered)) => self.replace(index, definition(tz, covered.and(years), line_end)),
            None => self.define_anew(tz, years, line_end),
        }
        tz.name().to_owned()
    }

    /// Defines a zone that the stream did not define when it was read.
    fn define_anew(&mut self, tz: Tz, years: Years, line_end: LineEnd) {
        let defined = self.added_zones().remove(&tz.name());
        let needed = defined.map_or(years, |(covered, _)| covered.and(years));
        let bytes = definition(tz, needed, line_end);
        self.added_zones().insert(tz.name(), (needed, bytes));
    }
}

/// A change of the clock, or the state at the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Onset {
    /// In local time as it was before.
    local: NaiveDateTime,
    state: State,
    before: i32,
}

/// What a clock shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    /// Seconds east of UTC.
    offset: i32,
    is_daylight: bool,
    name: Option<String>,
}

/// The definition of a zone for at least some years.
fn definition(tz: Tz, needed: Years, end: LineEnd) -> Vec<u8> {
    let years = Years { first: needed.first - 1, last: needed.last.saturating_add(AHEAD) };
    let mut groups: BTreeMap<(i32, State), Vec<NaiveDateTime>> = BTreeMap::new();
    for onset in onsets(tz, years) {
        groups.entry((onset.before, onset.state)).or_default().push(onset.local);
    }
    let is_regular = groups.values().all(|onsets| yearly(onsets, years).is_some());
    let last = if is_regular { LAST_YEAR } else { years.last };
    let mut lines = vec![
        "BEGIN:VTIMEZONE".to_owned(),
        format!("TZID:{}", tz.name()),
        format!("X-LIC-LOCATION:{}", tz.name()),
        format!("{COVERS}:{}-{last}", needed.first),
    ];
    for ((before, state), onsets) in &groups {
        let rule = if is_regular { yearly(onsets, years) } else { None };
        observance(*before, state, onsets, rule, &mut lines);
    }
    lines.push("END:VTIMEZONE".to_owned());
    let mut bytes = Vec::new();
    lines.iter().for_each(|line| push(&mut bytes, line, end));
    bytes
}

fn observance(before: i32, state: &State, onsets: &[NaiveDateTime], rule: Option<String>, lines: &mut Vec<String>) {
    let kind = if state.is_daylight { "DAYLIGHT" } else { "STANDARD" };
    let first = onsets.first().copied().unwrap_or_default();
    lines.push(format!("BEGIN:{kind}"));
    lines.push(format!("DTSTART:{}", value::format_local(first)));
    lines.push(format!("TZOFFSETFROM:{}", offset(before)));
    lines.push(format!("TZOFFSETTO:{}", offset(state.offset)));
    lines.extend(state.name.as_ref().map(|name| format!("TZNAME:{name}")));
    match rule {
        Some(rule) => lines.extend((!rule.is_empty()).then(|| format!("RRULE:{rule}"))),
        None => lines.extend(onsets.iter().skip(1).map(|onset| format!("RDATE:{}", value::format_local(*onset)))),
    }
    lines.push(format!("END:{kind}"));
}

/// The rule by which a change of the clock happens in each of the years; empty for what holds from the beginning on and
/// never changes. None where there is no such rule.
fn yearly(onsets: &[NaiveDateTime], years: Years) -> Option<String> {
    let first = onsets.first()?;
    let is_beginning = |onset: &NaiveDateTime| onset.date() == beginning(years).date();
    if onsets.len() == 1 && is_beginning(first) {
        return Some(String::new());
    }
    let is_each_year = onsets.iter().map(Datelike::year).eq(years.first..=years.last);
    let is_same = |onset: &NaiveDateTime| {
        (onset.month(), onset.weekday(), onset.time()) == (first.month(), first.weekday(), first.time())
    };
    if !is_each_year || !onsets.iter().all(is_same) {
        return None;
    }
    let is_last = |onset: &NaiveDateTime| (onset.date() + chrono::Days::new(7)).month() != onset.month();
    let ordinal = |onset: &NaiveDateTime| i64::from(onset.day0() / 7 + 1);
    let number = if onsets.iter().all(is_last) {
        -1
    } else if onsets.iter().all(|onset| ordinal(onset) == ordinal(first)) {
        ordinal(first)
    } else {
        return None;
    };
    let weekday = WEEKDAYS.get(first.weekday().num_days_from_monday() as usize)?;
    Some(format!("FREQ=YEARLY;BYMONTH={};BYDAY={number}{weekday}", first.month()))
}

/// The changes of a zone's clock in some years. Where there is none in the first of them: what its clock shows when they
/// begin, too.
fn onsets(tz: Tz, years: Years) -> Vec<Onset> {
    let start = value::instant(beginning(years));
    let end = value::instant(beginning(Years { first: years.last.saturating_add(1), ..years }));
    let mut onsets = Vec::new();
    let mut at = start;
    let mut state = state_at(tz, at);
    let initial = state.clone();
    while at < end {
        let next = at + 7 * DAY;
        let changed = state_at(tz, next);
        if changed != state {
            let onset = change_between(tz, at, next);
            let local = value::utc(onset + i64::from(state.offset));
            onsets.push(Onset { local, state: changed.clone(), before: state.offset });
            state = changed;
        }
        at = next;
    }
    onsets.retain(|onset| onset.local < beginning(Years { first: years.last.saturating_add(1), ..years }));
    if onsets.first().is_none_or(|onset| onset.local.year() > years.first) {
        let before = initial.offset;
        onsets.insert(0, Onset { local: beginning(years), state: initial, before });
    }
    onsets
}

fn beginning(years: Years) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(years.first, 1, 1).and_then(|date| date.and_hms_opt(0, 0, 0)).unwrap_or_default()
}

/// The first instant at which the clock shows something else than at the start.
fn change_between(tz: Tz, start: Instant, end: Instant) -> Instant {
    let before = state_at(tz, start);
    let (mut same, mut other) = (start, end);
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        if state_at(tz, middle) == before { same = middle } else { other = middle }
    }
    other
}

fn state_at(tz: Tz, instant: Instant) -> State {
    let offset = tz.offset_from_utc_datetime(&value::utc(instant));
    // Some names are only an offset, which says nothing.
    let name = offset.abbreviation().filter(|name| name.chars().all(char::is_alphabetic)).map(str::to_owned);
    State { offset: offset.fix().local_minus_utc(), is_daylight: !offset.dst_offset().is_zero(), name }
}

fn offset(seconds: i32) -> String {
    let (sign, size) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let (hours, minutes, rest) = (size / 3_600, size / 60 % 60, size % 60);
    let rest = if rest == 0 { String::new() } else { format!("{rest:02}") };
    format!("{sign}{hours:02}{minutes:02}{rest}")
}

/// The parameter that names a zone.
pub(crate) fn zone_parameter(id: &str) -> String {
    format!(";TZID={}", quoted(id))
}
