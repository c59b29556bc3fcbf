//! A calendar by RFC 5545, one event for each activity. Written here line by line, because calendars of a million events are
//! written as they come, and long descriptions are folded in one pass.

use std::io::{self, Write};

use apptsync_model::{Activity, ActivityStatus, Instant, Period, Priority};

use super::ActivityWriter;

/// Longest line in bytes, without its end.
const LINE: usize = 75;

/// An export to a calendar.
pub(super) struct Ics<W> {
    out: W,
    stamp: String,
}

impl<W: Write> Ics<W> {
    /// Begins the calendar; `now` is the instant that every event shows as that of its export.
    pub(super) fn new(mut out: W, now: Instant) -> anyhow::Result<Self> {
        for (name, value) in [
            ("BEGIN", "VCALENDAR"),
            ("VERSION", "2.0"),
            ("PRODID", "-//apptsync//Activities//EN"),
            ("CALSCALE", "GREGORIAN"),
        ] {
            property(&mut out, name, value)?;
        }
        Ok(Self { out, stamp: date_time(now) })
    }

    fn event(&mut self, activity: &Activity) -> io::Result<()> {
        let out = &mut self.out;
        property(out, "BEGIN", "VEVENT")?;
        property(out, "UID", &format!("activity-{}@apptsync", activity.id))?;
        property(out, "DTSTAMP", &self.stamp)?;
        match activity.period {
            Period::Timed { start, end } => {
                property(out, "DTSTART", &date_time(start))?;
                property(out, "DTEND", &date_time(end))?;
            }
            Period::AllDay { start, end } => {
                property(out, "DTSTART;VALUE=DATE", &start.format("%Y%m%d").to_string())?;
                property(out, "DTEND;VALUE=DATE", &end.format("%Y%m%d").to_string())?;
            }
        }
        property(out, "SUMMARY", &escaped(&activity.subject))?;
        if !activity.description.is_empty() {
            property(out, "DESCRIPTION", &escaped(&activity.description))?;
        }
        if !activity.kind.is_empty() {
            property(out, "CATEGORIES", &escaped(&activity.kind))?;
        }
        let priority = match activity.priority {
            Priority::High => "1",
            Priority::Normal => "5",
            Priority::Low => "9",
        };
        property(out, "PRIORITY", priority)?;
        // Of all statuses, only one says that the appointment does not take place.
        let cancelled = activity.canceled || activity.status == ActivityStatus::CompletedUnprocessed;
        property(out, "STATUS", if cancelled { "CANCELLED" } else { "CONFIRMED" })?;
        property(out, "END", "VEVENT")
    }
}

impl<W: Write> ActivityWriter for Ics<W> {
    fn add(&mut self, activity: &Activity) -> anyhow::Result<()> {
        Ok(self.event(activity)?)
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        property(&mut self.out, "END", "VCALENDAR")?;
        Ok(self.out.flush()?)
    }
}

fn date_time(instant: Instant) -> String {
    instant.to_utc().format("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a value: backslashes, semicolons, commas and line breaks escaped.
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len() + text.len() / 8);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' | ';' | ',' => value.extend(['\\', character]),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\n' => value.push_str("\\n"),
            character if character.is_control() && character != '\t' => value.push(' '),
            character => value.push(character),
        }
    }
    value
}

/// Writes a property, folded: no line is longer than [`LINE`] bytes, and no character is cut.
fn property(out: &mut impl Write, name: &str, value: &str) -> io::Result<()> {
    let line = format!("{name}:{value}");
    let mut rest = line.as_str();
    let mut room = LINE;
    while rest.len() > room {
        let (first, others) = rest.split_at(rest.floor_char_boundary(room));
        out.write_all(first.as_bytes())?;
        out.write_all(b"\r\n ")?;
        rest = others;
        // The space at the beginning of a continued line counts.
        room = LINE - 1;
    }
    out.write_all(rest.as_bytes())?;
    out.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::activities::columns::tests::{sample, sample_all_day};

    fn exported(activities: &[Activity]) -> String {
        let mut bytes = Vec::new();
        let now = "2026-11-23T08:00:00Z".parse().expect("an instant");
        let mut ics = Box::new(Ics::new(&mut bytes, now).expect("memory takes everything"));
        activities.iter().try_for_each(|activity| ics.add(activity)).expect("memory takes everything");
        ics.finish().expect("memory takes everything");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_timed_activity_is_an_event_in_utc() {
        let expected = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//apptsync//Activities//EN",
            "CALSCALE:GREGORIAN",
            "BEGIN:VEVENT",
            "UID:activity-17@apptsync",
            "DTSTAMP:20261123T080000Z",
            "DTSTART:20261201T090000Z",
            "DTEND:20261201T100000Z",
            "SUMMARY:SA/2026/000001 Autumn assortment",
            "DESCRIPTION:Delikatesy Krakus\\nDługa 1",
            "CATEGORIES:Visit",
            "PRIORITY:5",
            "STATUS:CANCELLED",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ];
        assert_eq!(exported(&[sample()]), expected.join("\r\n"));
    }

    #[test]
    fn whole_days_are_dates_with_the_end_exclusive() {
        let text = exported(&[sample_all_day()]);
        assert!(text.contains("DTSTART;VALUE=DATE:20261201\r\nDTEND;VALUE=DATE:20261203\r\n"), "{text}");
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escaped("a,b;c\\d\r\ne\nf\rg\u{7}\th"), "a\\,b\\;c\\\\d\\ne\\nf\\ng \th");
    }

    #[test]
    fn long_lines_are_folded_at_75_bytes_between_characters() {
        for length in [0, 60, 67, 68, 69, 500] {
            for text in ["x".repeat(length), "ż".repeat(length), "a老".repeat(length)] {
                let mut bytes = Vec::new();
                property(&mut bytes, "SUMMARY", &text).expect("memory takes everything");
                let folded = String::from_utf8(bytes).expect("no character is cut");
                assert!(folded.split("\r\n").all(|line| line.len() <= LINE), "{folded}");
                assert_eq!(folded.replace("\r\n ", ""), format!("SUMMARY:{text}\r\n"));
            }
        }
    }
}
