//! Weekly series of iCalendar: a component with the rule, and one for each occurrence that differs.

use apptsync_model::outlook::ItemKind;

use super::{component, edited, instant, instants, line, lines, moment, value, with_line};
use crate::bench::{DAY, HOUR};
use crate::calendar::{Edit, Occurrence, Series, SeriesEdit};

pub(crate) fn series(uid: &str, subject: &str, start: i64, count: u32) -> String {
    let first = component(ItemKind::Appointment, uid, subject, start, false);
    with_line(&first, "RRULE", &format!("RRULE:FREQ=WEEKLY;COUNT={count}"))
}

/// True for the components of series.
pub(crate) fn is_of_series(component: &str) -> bool {
    line(component, "RRULE").or(line(component, "RECURRENCE-ID")).is_some()
}

fn master(components: &[String]) -> Option<&String> {
    components.iter().find(|component| line(component, "RRULE").is_some())
}

fn exception(components: &[String], at: i64) -> Option<usize> {
    let is_meant = |component: &String| line(component, "RECURRENCE-ID").is_some_and(|line| instants(line)[0] == at);
    components.iter().position(is_meant)
}

/// The series that the components of one UID make up.
pub(crate) fn read(components: &[String]) -> Option<Series> {
    let master = master(components)?;
    let rule = value(master, "RRULE");
    let count: i64 = rule.split(';').find_map(|part| part.strip_prefix("COUNT="))?.parse().expect("a number");
    let excluded: Vec<i64> = lines(master, "EXDATE").flat_map(instants).collect();
    let first = instant(master, "DTSTART");
    let starts = (0..count).map(|week| first + week * 7 * DAY).filter(|start| !excluded.contains(start));
    let occurrence = |original_start| match exception(components, original_start) {
        Some(index) => Occurrence {
            original_start,
            start: instant(&components[index], "DTSTART"),
            subject: value(&components[index], "SUMMARY"),
        },
        None => Occurrence { original_start, start: original_start, subject: value(master, "SUMMARY") },
    };
    Some(Series { subject: value(master, "SUMMARY"), occurrences: starts.map(occurrence).collect() })
}

/// The components of one UID after an edit.
pub(crate) fn with_edit(mut components: Vec<String>, edit: &SeriesEdit) -> Vec<String> {
    let pattern = components.iter().position(|component| line(component, "RRULE").is_some()).expect("a pattern");
    match edit {
        SeriesEdit::Subject(text) => {
            components[pattern] = edited(&components[pattern], &Edit::Subject(text.clone()));
        }
        SeriesEdit::SubjectOfOne(at, text) => change_one(&mut components, pattern, *at, &Edit::Subject(text.clone())),
        SeriesEdit::StartOfOne(at, start) => change_one(&mut components, pattern, *at, &Edit::Start(*start)),
        SeriesEdit::DeleteOne(at) => {
            let excluded = format!("\r\nEXDATE:{}\r\n", moment(*at));
            components[pattern] = components[pattern].replacen("\r\n", &excluded, 1);
            if let Some(index) = exception(&components, *at) {
                components.remove(index);
            }
        }
    }
    components
}

/// One occurrence is an exception from then on.
fn change_one(components: &mut Vec<String>, pattern: usize, at: i64, edit: &Edit) {
    if let Some(index) = exception(components, at) {
        components[index] = edited(&components[index], edit);
        return;
    }
    let is_of_pattern = |line: &&str| !line.starts_with("RRULE") && !line.starts_with("EXDATE");
    let one: String = components[pattern].split_inclusive("\r\n").filter(is_of_pattern).collect();
    let one = with_line(&one, "RECURRENCE-ID", &format!("RECURRENCE-ID:{}", moment(at)));
    let one = with_line(&one, "DTSTART", &format!("DTSTART:{}", moment(at)));
    let one = with_line(&one, "DTEND", &format!("DTEND:{}", moment(at + HOUR)));
    components.push(edited(&one, edit));
}
