//! What the tests share.

#![allow(dead_code, reason = "each test uses a part of it")]

use apptsync_calendar::{Calendar, Effort, Place, Viewer};
use apptsync_plugin::connector::{Change, Content, Entry, Fields, Item, Kind, Window};
use apptsync_plugin::types::{AllDay, Instant, Period, Priority, Timed};

/// 2026-12-01T08:00:00Z.
pub(crate) const NOW: Instant = 1_796_112_000;
pub(crate) const DAY: i64 = 86_400;
/// All the years that the tests speak of.
pub(crate) const ALWAYS: Window = Window { start: 0, end: 4_000_000_000 };

pub(crate) fn viewer() -> Viewer {
    Viewer::new("Europe/Warsaw", "anna@example.com").unwrap()
}

/// A calendar around some lines, which are given with bare line feeds.
pub(crate) fn calendar(lines: &str) -> Vec<u8> {
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//EN\n{}\nEND:VCALENDAR\n", lines.trim());
    text.replace('\n', "\r\n").into_bytes()
}

/// An event around some lines.
pub(crate) fn event(lines: &str) -> Vec<u8> {
    calendar(&format!("BEGIN:VEVENT\nUID:u\n{}\nEND:VEVENT", lines.trim()))
}

pub(crate) fn place() -> Place<'static> {
    Place { remote_id: "u", etag: "1", collection: "c" }
}

/// The one item of a calendar.
pub(crate) fn item(bytes: &[u8]) -> Item {
    let calendar = Calendar::parse(bytes).unwrap();
    let object = calendar.objects().next().unwrap();
    object.item(&place(), &viewer()).unwrap().unwrap()
}

pub(crate) fn entry(item: &Item) -> &Entry {
    match &item.content {
        Content::Entry(entry) => entry,
        Content::Contact(_) => panic!("a contact"),
    }
}

/// The period of a calendar's one item, for people.
pub(crate) fn period(bytes: &[u8]) -> String {
    show(entry(&item(bytes)).period.as_ref())
}

pub(crate) fn show(period: Option<&Period>) -> String {
    match period {
        None => "never".to_owned(),
        Some(Period::AllDay(AllDay { start, end })) => format!("{start}/{end}"),
        Some(Period::Timed(Timed { start, end })) => format!("{}/{}", utc(*start), utc(*end)),
    }
}

/// `2026-12-01T08:00Z`.
pub(crate) fn utc(instant: Instant) -> String {
    chrono::DateTime::from_timestamp(instant, 0).unwrap().format("%Y-%m-%dT%H:%MZ").to_string()
}

/// Start and id of the occurrences of a calendar's one series in a window.
pub(crate) fn occurrences(bytes: &[u8], window: &Window) -> Vec<(String, String)> {
    let calendar = Calendar::parse(bytes).unwrap();
    let object = calendar.objects().next().unwrap();
    let change = object.change(window, &place(), &viewer(), &mut Effort::default()).unwrap();
    let series = match change {
        Some(Change::Series(series)) => series.occurrences,
        Some(other) => panic!("{other:?}"),
        None => Vec::new(),
    };
    for item in &series {
        let original = item.occurrence.as_ref().unwrap().original_start;
        let again = object.occurrence(original, &place(), &viewer()).unwrap();
        assert_eq!(again.as_ref(), Some(item), "an occurrence is the same alone and among the others");
    }
    series.iter().map(|item| (show(entry(item).period.as_ref()), item.remote_id.clone())).collect()
}

pub(crate) fn starts(bytes: &[u8], window: &Window) -> Vec<String> {
    occurrences(bytes, window).into_iter().map(|(period, _)| period.split('/').next().unwrap().to_owned()).collect()
}

pub(crate) fn visit() -> Entry {
    Entry {
        subject: "Visit, Nowak; \\ & Co".to_owned(),
        body: "First line\nsecond, with a long text that has to be folded because it does not fit: żółć".to_owned(),
        location: "Kraków".to_owned(),
        period: Some(Period::Timed(Timed { start: NOW, end: NOW + 3_600 })),
        zone: "Europe/Warsaw".to_owned(),
        priority: Priority::High,
        completed: None,
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn everything() -> Fields {
    Fields::SUBJECT | Fields::BODY | Fields::LOCATION | Fields::PERIOD | Fields::PRIORITY | Fields::COMPLETED
}

pub(crate) const APPOINTMENT: Kind = Kind::Appointment;
