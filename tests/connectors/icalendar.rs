//! Components of iCalendar as another program than ours edits them: line by line, whatever else is in them.

pub(crate) mod series;

use apptsync_model::day_start;
use apptsync_model::outlook::ItemKind;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::bench::{ZONE, day};
use crate::calendar::{Edit, Item};

/// A text with folded lines put together.
fn unfolded(text: &str) -> String {
    text.replace("\r\n ", "").replace("\r\n\t", "")
}

fn is_begin(line: &str) -> bool {
    matches!(line, "BEGIN:VEVENT\r\n" | "BEGIN:VTODO\r\n")
}

fn is_end(line: &str) -> bool {
    matches!(line, "END:VEVENT\r\n" | "END:VTODO\r\n")
}

/// The appointments and tasks of a text, each from its first line to its last.
pub(crate) fn components(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in unfolded(text).split_inclusive("\r\n") {
        if is_begin(line) {
            is_inside = true;
            found.push(String::new());
        }
        if let (true, Some(component)) = (is_inside, found.last_mut()) {
            component.push_str(line);
        }
        is_inside &= !is_end(line);
    }
    found
}

/// A calendar of these components, with what is in the text besides.
pub(crate) fn with_components(text: &str, components: &[String]) -> String {
    let mut rest = String::new();
    let mut is_inside = false;
    for line in unfolded(text).split_inclusive("\r\n") {
        is_inside |= is_begin(line);
        if !is_inside && line != "END:VCALENDAR\r\n" {
            rest.push_str(line);
        }
        is_inside &= !is_end(line);
    }
    format!("{rest}{}END:VCALENDAR\r\n", components.concat())
}

/// A calendar without components.
pub(crate) fn empty() -> String {
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Another//Program//EN\r\nEND:VCALENDAR\r\n".to_owned()
}

fn moment(seconds: i64) -> String {
    let moment: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).expect("an instant");
    moment.format("%Y%m%dT%H%M%SZ").to_string()
}

fn date(seconds: i64) -> String {
    day(seconds).format("%Y%m%d").to_string()
}

/// A new appointment or task of another program.
pub(crate) fn component(kind: ItemKind, uid: &str, subject: &str, start: i64, is_private: bool) -> String {
    let class = if is_private { "PRIVATE" } else { "PUBLIC" };
    let (name, times) = match kind {
        ItemKind::Task => ("VTODO", format!("DUE;VALUE=DATE:{}", date(start))),
        _ => ("VEVENT", format!("DTSTART:{}\r\nDTEND:{}", moment(start), moment(start + 3_600))),
    };
    format!(
        "BEGIN:{name}\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\n{times}\r\nSUMMARY:{subject}\r\nDESCRIPTION:mine\r\n\
         CLASS:{class}\r\nX-OTHER-PROGRAM:kept\r\nEND:{name}\r\n"
    )
}

fn is_named(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ';']))
}

/// The lines of a property of the component itself.
fn lines<'a>(component: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let own = component.split("BEGIN:VALARM").next().unwrap_or_default();
    own.split("\r\n").filter(move |line| is_named(line, name))
}

fn line<'a>(component: &'a str, name: &str) -> Option<&'a str> {
    lines(component, name).next()
}

fn value(component: &str, name: &str) -> String {
    line(component, name).and_then(|line| line.split_once(':')).map_or_else(String::new, |(_, value)| value.to_owned())
}

pub(crate) fn uid(component: &str) -> String {
    value(component, "UID")
}

/// The instants that a line says.
fn instants(line: &str) -> Vec<i64> {
    let (parameters, values) = line.split_once(':').expect("a value");
    let zone = parameters.split_once("TZID=").map_or("UTC", |(_, zone)| zone);
    let zone: Tz = zone.trim_matches('"').parse().expect("a zone");
    let instant = |value: &str| {
        let local = NaiveDateTime::parse_from_str(value.trim_end_matches('Z'), "%Y%m%dT%H%M%S").expect("a date");
        zone.from_local_datetime(&local).earliest().expect("it is there").timestamp()
    };
    values.split(',').map(instant).collect()
}

fn instant(component: &str, name: &str) -> i64 {
    instants(line(component, name).expect("a date"))[0]
}

pub(crate) fn item(handle: &str, component: &str) -> Item {
    let alarm = component.split_once("BEGIN:VALARM").and_then(|(_, rest)| rest.split_once("END:VALARM"));
    let mut alarm: Vec<&str> = alarm.map_or("", |(alarm, _)| alarm).split_terminator("\r\n").collect();
    // Servers put lines into an order of their own.
    alarm.sort_unstable();
    let is_task = component.starts_with("BEGIN:VTODO");
    let due = || NaiveDate::parse_from_str(&value(component, "DUE"), "%Y%m%d").expect("a day");
    Item {
        handle: handle.to_owned(),
        kind: if is_task { ItemKind::Task } else { ItemKind::Appointment },
        subject: value(component, "SUMMARY"),
        body: value(component, "DESCRIPTION"),
        start: if is_task { day_start(due(), ZONE).0 } else { instant(component, "DTSTART") },
        is_completed: value(component, "STATUS") == "COMPLETED",
        is_private: value(component, "CLASS") == "PRIVATE",
        local: format!("{} {}", value(component, "CATEGORIES"), value(component, "X-OTHER-PROGRAM")),
        reminder: alarm.join(" "),
        raw: component.to_owned(),
    }
}

/// The component with another line in the place of a property.
pub(crate) fn with_line(component: &str, name: &str, new: &str) -> String {
    match line(component, name) {
        Some(old) => component.replacen(old, new, 1),
        None => component.replacen("\r\n", &format!("\r\n{new}\r\n"), 1),
    }
}

pub(crate) fn edited(component: &str, edit: &Edit) -> String {
    let is_task = component.starts_with("BEGIN:VTODO");
    match edit {
        Edit::Subject(text) => with_line(component, "SUMMARY", &format!("SUMMARY:{text}")),
        Edit::Body(text) => with_line(component, "DESCRIPTION", &format!("DESCRIPTION:{text}")),
        Edit::Start(start) if is_task => with_line(component, "DUE", &format!("DUE;VALUE=DATE:{}", date(*start))),
        Edit::Start(start) => {
            let component = with_line(component, "DTSTART", &format!("DTSTART:{}", moment(*start)));
            with_line(&component, "DTEND", &format!("DTEND:{}", moment(start + 3_600)))
        }
        Edit::Complete => {
            let lines = ["STATUS:COMPLETED", "COMPLETED:20261201T080000Z", "PERCENT-COMPLETE:100"];
            lines.iter().fold(component.to_owned(), |component, line| {
                with_line(&component, line.split_once(':').map_or(*line, |(name, _)| name), line)
            })
        }
        Edit::Local(number) => {
            let component = with_line(component, "CATEGORIES", &format!("CATEGORIES:Mine {number}"));
            let (name, trigger) = if is_task { ("VTODO", "TRIGGER;RELATED=END") } else { ("VEVENT", "TRIGGER") };
            let own =
                component.split("BEGIN:VALARM").next().unwrap_or_default().replace(&format!("END:{name}\r\n"), "");
            format!(
                "{own}BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Mine\r\n{trigger}:-PT{number}M\r\nEND:VALARM\r\n\
                 END:{name}\r\n"
            )
        }
    }
}
