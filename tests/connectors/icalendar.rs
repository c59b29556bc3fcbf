//! Events of iCalendar as another program than ours edits them: line by line, whatever else is in them.

use chrono::{DateTime, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::history::{Edit, Item};

/// The events of a text, each from its first line to its last, with folded lines put together.
pub(crate) fn events(text: &str) -> Vec<String> {
    let text = text.replace("\r\n ", "").replace("\r\n\t", "");
    let begins = text.match_indices("BEGIN:VEVENT\r\n");
    begins
        .map(|(begin, _)| {
            let rest = &text[begin..];
            let end = rest.find("END:VEVENT\r\n").expect("an end") + "END:VEVENT\r\n".len();
            rest[..end].to_owned()
        })
        .collect()
}

/// A calendar of these events, with what is in the text besides.
pub(crate) fn with_events(text: &str, events: &[String]) -> String {
    let text = text.replace("\r\n ", "").replace("\r\n\t", "");
    let mut rest = String::new();
    let mut is_event = false;
    for line in text.split_inclusive("\r\n") {
        is_event |= line == "BEGIN:VEVENT\r\n";
        if !is_event && line != "END:VCALENDAR\r\n" {
            rest.push_str(line);
        }
        is_event &= line != "END:VEVENT\r\n";
    }
    format!("{rest}{}END:VCALENDAR\r\n", events.concat())
}

/// A calendar without events.
pub(crate) fn empty() -> String {
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Another//Program//EN\r\nEND:VCALENDAR\r\n".to_owned()
}

fn moment(seconds: i64) -> String {
    let moment: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).expect("an instant");
    moment.format("%Y%m%dT%H%M%SZ").to_string()
}

pub(crate) fn event(uid: &str, subject: &str, start: i64, is_private: bool) -> String {
    let class = if is_private { "PRIVATE" } else { "PUBLIC" };
    format!(
        "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:{}\r\nDTEND:{}\r\nSUMMARY:{subject}\r\n\
         DESCRIPTION:mine\r\nCLASS:{class}\r\nX-OTHER-PROGRAM:kept\r\nEND:VEVENT\r\n",
        moment(start),
        moment(start + 3_600)
    )
}

fn is_named(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ';']))
}

/// The line of a property of the event itself.
fn line<'a>(event: &'a str, name: &str) -> Option<&'a str> {
    let own = event.split("BEGIN:VALARM").next().unwrap_or_default();
    own.split("\r\n").find(|line| is_named(line, name))
}

fn value(event: &str, name: &str) -> String {
    line(event, name).and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, value)| value.to_owned())
}

pub(crate) fn uid(event: &str) -> String {
    value(event, "UID")
}

fn instant(event: &str, name: &str) -> i64 {
    let (parameters, value) = line(event, name).and_then(|line| line.split_once(':')).expect("a date");
    let zone = parameters.split_once("TZID=").map_or("UTC", |(_, zone)| zone);
    let zone: Tz = zone.trim_matches('"').parse().expect("a zone");
    let local = NaiveDateTime::parse_from_str(value.trim_end_matches('Z'), "%Y%m%dT%H%M%S").expect("a date");
    zone.from_local_datetime(&local).earliest().expect("it is there").timestamp()
}

pub(crate) fn item(handle: &str, event: &str) -> Item {
    let alarm = event.split_once("BEGIN:VALARM").and_then(|(_, rest)| rest.split_once("END:VALARM"));
    let mut alarm: Vec<&str> = alarm.map_or("", |(alarm, _)| alarm).split_terminator("\r\n").collect();
    // Servers put lines into an order of their own.
    alarm.sort_unstable();
    Item {
        handle: handle.to_owned(),
        subject: value(event, "SUMMARY"),
        body: value(event, "DESCRIPTION"),
        start: instant(event, "DTSTART"),
        is_private: value(event, "CLASS") == "PRIVATE",
        local: format!("{} {} {alarm:?}", value(event, "CATEGORIES"), value(event, "X-OTHER-PROGRAM")),
        raw: event.to_owned(),
    }
}

/// The event with another line in the place of a property.
pub(crate) fn with_line(event: &str, name: &str, new: &str) -> String {
    match line(event, name) {
        Some(old) => event.replacen(old, new, 1),
        None => event.replacen("BEGIN:VEVENT\r\n", &format!("BEGIN:VEVENT\r\n{new}\r\n"), 1),
    }
}

pub(crate) fn edited(event: &str, edit: &Edit) -> String {
    match edit {
        Edit::Subject(text) => with_line(event, "SUMMARY", &format!("SUMMARY:{text}")),
        Edit::Body(text) => with_line(event, "DESCRIPTION", &format!("DESCRIPTION:{text}")),
        Edit::Start(start) => {
            let event = with_line(event, "DTSTART", &format!("DTSTART:{}", moment(*start)));
            with_line(&event, "DTEND", &format!("DTEND:{}", moment(start + 3_600)))
        }
        Edit::Local(number) => {
            let event = with_line(event, "CATEGORIES", &format!("CATEGORIES:Mine {number}"));
            let event = event.split("BEGIN:VALARM").next().unwrap_or_default().replace("END:VEVENT\r\n", "");
            format!(
                "{event}BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Mine\r\nTRIGGER:-PT{number}M\r\nEND:VALARM\r\n\
                 END:VEVENT\r\n"
            )
        }
    }
}
