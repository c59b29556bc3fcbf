//! Series: rules in local time, exceptions, and bounded work.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test that cannot go on must fail, and its parts are public among each other"
)]

mod common;

use apptsync_calendar::{Calendar, Change, Effort, Key, Occurrences, Unreadable, occurrence_id, split_occurrence_id};
use apptsync_plugin::connector::{Fields, Identity, Kind, Window};
use common::{ALWAYS, DAY, NOW, calendar, entry, event, occurrences, place, show, starts, utc, viewer, visit};
use proptest::prelude::*;

fn warsaw(start: &str, rule: &str) -> Vec<u8> {
    event(&format!(
        "DTSTART;TZID=Europe/Warsaw:{start}\nDTEND;TZID=Europe/Warsaw:{}\n{rule}",
        start.replace("T08", "T09").replace("T02", "T03")
    ))
}

#[test]
fn a_series_keeps_its_local_time_when_the_clock_changes() {
    let bytes = warsaw("20261022T080000", "RRULE:FREQ=DAILY;COUNT=5");
    assert_eq!(
        starts(&bytes, &ALWAYS),
        ["2026-10-22T06:00Z", "2026-10-23T06:00Z", "2026-10-24T06:00Z", "2026-10-25T07:00Z", "2026-10-26T07:00Z"]
    );
    let ids: Vec<String> = occurrences(&bytes, &ALWAYS).into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids.first().map(String::as_str), Some("u#20261022T060000Z"));
}

#[test]
fn an_occurrence_in_the_hour_that_the_clock_jumps_over_takes_place_after_it() {
    let bytes = warsaw("20260328T023000", "RRULE:FREQ=DAILY;COUNT=3");
    assert_eq!(starts(&bytes, &ALWAYS), ["2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"]);
    let without = warsaw("20260328T023000", "RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Warsaw:20260329T023000");
    assert_eq!(starts(&without, &ALWAYS), ["2026-03-28T01:30Z", "2026-03-30T00:30Z"]);
}

#[test]
fn an_occurrence_takes_as_long_when_the_clock_is_put_back() {
    let bytes = warsaw("20261024T023000", "SUMMARY:x\nRRULE:FREQ=DAILY;COUNT=3");
    let second = occurrences(&bytes, &ALWAYS).swap_remove(1);
    assert_eq!(second, ("2026-10-25T00:30Z/2026-10-25T01:30Z".to_owned(), "u#20261025T003000Z".to_owned()));
    // An exception for it says the same.
    let mut calendar = Calendar::parse(&bytes).unwrap();
    let key = Key { kind: Kind::Appointment, uid: "u", original_start: Some(1_792_888_200) };
    let change = Change { entry: &visit(), fields: Fields::SUBJECT, our_id: None, writer: "run-2" };
    calendar.update(&key, &change, &viewer(), NOW).unwrap();
    assert_eq!(occurrences(&calendar.to_bytes(), &ALWAYS).swap_remove(1), second);
}

#[test]
fn dates_are_taken_out_and_put_in() {
    let bytes = warsaw(
        "20261201T080000",
        "RRULE:FREQ=WEEKLY;UNTIL=20261222T070000Z\nEXDATE;TZID=Europe/Warsaw:20261208T080000\nEXDATE:20261215T070000Z\n\
         RDATE;TZID=Europe/Warsaw:20261203T100000\nRDATE;VALUE=PERIOD:20261204T100000Z/PT3H",
    );
    let periods: Vec<String> = occurrences(&bytes, &ALWAYS).into_iter().map(|(period, _)| period).collect();
    assert_eq!(
        periods,
        [
            "2026-12-01T07:00Z/2026-12-01T08:00Z",
            "2026-12-03T09:00Z/2026-12-03T10:00Z",
            "2026-12-04T10:00Z/2026-12-04T13:00Z",
            "2026-12-22T07:00Z/2026-12-22T08:00Z",
        ]
    );
}

#[test]
fn whole_days_recur_as_dates() {
    let bytes = event(
        "DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203\nRRULE:FREQ=MONTHLY;UNTIL=20270201\nEXDATE;VALUE=DATE:20270101",
    );
    assert_eq!(
        occurrences(&bytes, &ALWAYS),
        [
            ("2026-12-01/2026-12-03".to_owned(), "u#20261201T000000Z".to_owned()),
            ("2027-02-01/2027-02-03".to_owned(), "u#20270201T000000Z".to_owned())
        ]
    );
}

#[test]
fn exceptions_take_the_place_of_what_they_replace() {
    let bytes = calendar(
        "BEGIN:VEVENT\nUID:u\nX-APPTSYNC-ID:ours\nSUMMARY:weekly\nDTSTART;TZID=Europe/Warsaw:20261201T080000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:u\nX-APPTSYNC-ID:ours\nSUMMARY:moved\nRECURRENCE-ID;TZID=Europe/Warsaw:20261208T080000\nDTSTART:20270101T100000Z\nDURATION:PT2H\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:u\nX-APPTSYNC-ID:adopted\nSUMMARY:off\nSTATUS:CANCELLED\nRECURRENCE-ID:20261215T070000Z\nDTSTART:20261215T070000Z\nEND:VEVENT",
    );
    let december = Window { start: NOW - DAY, end: NOW + 30 * DAY };
    assert_eq!(starts(&bytes, &december), ["2026-12-01T07:00Z", "2026-12-15T07:00Z"]);
    assert_eq!(starts(&bytes, &ALWAYS), ["2026-12-01T07:00Z", "2027-01-01T10:00Z", "2026-12-15T07:00Z"]);
    let calendar = Calendar::parse(&bytes).unwrap();
    let object = calendar.objects().next().unwrap();
    let items = object.occurrences(&ALWAYS, &place(), &viewer(), &mut Effort::default()).unwrap().items;
    let subjects: Vec<&str> = items.iter().map(|item| entry(item).subject.as_str()).collect();
    assert_eq!(subjects, ["weekly", "moved", "off"]);
    assert!(items[2].cancelled);
    let identities: Vec<&Identity> = items.iter().map(|item| &item.identity).collect();
    assert_eq!(identities, [&Identity::None, &Identity::None, &Identity::Ours("adopted".to_owned())]);
    // The series as such carries its own id.
    let series = object.item(&place(), &viewer()).unwrap().unwrap();
    assert_eq!((series.identity, series.occurrence), (Identity::Ours("ours".to_owned()), None));
    assert_eq!(object.carrying("ours", &place(), &viewer()).unwrap().len(), 1);
    assert_eq!(object.carrying("adopted", &place(), &viewer()).unwrap()[0].remote_id, "u#20261215T070000Z");
    assert_eq!(object.carrying("nobody", &place(), &viewer()).unwrap(), []);
    assert_eq!(object.occurrence(NOW, &place(), &viewer()).unwrap(), None);
}

#[test]
fn an_exception_may_hold_for_all_that_follow() {
    let bytes = calendar(
        "BEGIN:VEVENT\nUID:u\nDTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:u\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261203T080000Z\nDTSTART:20261203T103000Z\nDURATION:PT2H\nEND:VEVENT",
    );
    let periods: Vec<String> = occurrences(&bytes, &ALWAYS).into_iter().map(|(period, _)| period).collect();
    assert_eq!(
        periods[1..],
        [
            "2026-12-02T08:00Z/2026-12-02T09:00Z",
            "2026-12-03T10:30Z/2026-12-03T12:30Z",
            "2026-12-04T10:30Z/2026-12-04T12:30Z"
        ]
    );
}

#[test]
fn occurrences_of_a_series_that_is_not_here_are_a_series_too() {
    let bytes = event("RECURRENCE-ID:20261201T080000Z\nDTSTART:20261201T093000Z\nDURATION:PT1H");
    assert_eq!(
        occurrences(&bytes, &ALWAYS),
        [("2026-12-01T09:30Z/2026-12-01T10:30Z".to_owned(), "u#20261201T080000Z".to_owned())]
    );
    let calendar = Calendar::parse(&bytes).unwrap();
    assert_eq!(calendar.objects().next().unwrap().item(&place(), &viewer()), Ok(None));
}

#[test]
fn recurring_tasks_have_their_days() {
    let bytes = calendar(
        "BEGIN:VTODO\nUID:u\nDTSTART;TZID=Europe/Warsaw:20261201T080000\nDUE;TZID=Europe/Warsaw:20261202T080000\nRRULE:FREQ=WEEKLY;COUNT=2\nEND:VTODO",
    );
    let periods: Vec<String> = occurrences(&bytes, &ALWAYS).into_iter().map(|(period, _)| period).collect();
    assert_eq!(periods, ["2026-12-01/2026-12-03", "2026-12-08/2026-12-10"]);
}

#[test]
fn an_old_series_without_an_end_is_found_where_the_window_is() {
    let bytes = warsaw("19700105T080000", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;INTERVAL=2");
    assert_eq!(starts(&bytes, &Window { start: NOW - DAY, end: NOW + 14 * DAY }).len(), 2);
    let window = Window { start: NOW, end: NOW + DAY };
    assert_eq!(occurrences(&event("DTSTART:20000101T000000Z\nRRULE:FREQ=HOURLY"), &window).len(), 24);
}

#[test]
fn a_series_that_explodes_is_cut_or_refused() {
    let calendar_of = |rule: &str| event(&format!("DTSTART:20260101T000000Z\nRRULE:{rule}"));
    let read = |rule: &str, effort: &mut Effort| {
        let bytes = calendar_of(rule);
        let calendar = Calendar::parse(&bytes).unwrap();
        let object = calendar.objects().next().unwrap();
        object.occurrences(&Window { start: NOW, end: NOW + 100 * DAY }, &place(), &viewer(), effort)
    };
    let hourly = read("FREQ=HOURLY", &mut Effort::default()).unwrap();
    assert!(hourly.truncated && hourly.items.len() == Occurrences::MOST);
    for rule in ["FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;COUNT=2000000000"] {
        let mut effort = Effort::new(3 * Effort::SERIES);
        assert_eq!(read(rule, &mut effort), Err(Unreadable::Endless), "{rule}");
        assert!(effort != Effort::new(3 * Effort::SERIES) && !effort.is_spent(), "{rule}");
    }
    assert_eq!(read("FREQ=SOMETIMES", &mut Effort::default()), Err(Unreadable::Value("RRULE")));
    // The series as such can still be fetched.
    assert_eq!(
        show(entry(&common::item(&calendar_of("FREQ=SECONDLY"))).period.as_ref()),
        "2026-01-01T00:00Z/2026-01-01T00:01Z"
    );
}

#[test]
fn ids_of_occurrences_are_told_from_others() {
    assert_eq!(occurrence_id("a#b", NOW), "a#b#20261201T080000Z");
    assert_eq!(split_occurrence_id("a#b#20261201T080000Z"), Some(("a#b", NOW)));
    for other in ["a", "a#20261201", "#20261201T080000Z", "a#20261201T080000", "a# 20261201T080000Z"] {
        assert_eq!(split_occurrence_id(other), None, "{other}");
    }
}

proptest! {
    /// The crate's own way through the years, zone and all, is a second opinion on how we walk local time ourselves.
    #[test]
    fn occurrences_are_those_of_the_rule_in_its_zone(
        frequency in prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        interval in 1_u16..5,
        by in prop::sample::select(vec!["", ";BYDAY=MO,TH", ";BYMONTH=3,10", ";BYDAY=SU;BYMONTH=3,10"]),
        day in 1_u32..28,
        window in 0_i64..3_000,
    ) {
        use rrule::{RRuleSet, Tz};
        let rule = format!("FREQ={frequency};INTERVAL={interval}{by}");
        let bytes = event(&format!("DTSTART;TZID=Europe/Warsaw:202001{day:02}T081500\nDURATION:PT1H\nRRULE:{rule}"));
        let window = Window { start: 1_580_000_000 + window * DAY, end: 1_580_000_000 + (window + 400) * DAY };
        let set: RRuleSet = format!("DTSTART;TZID=Europe/Warsaw:202001{day:02}T081500\nRRULE:{rule}").parse().unwrap();
        let expected: Vec<i64> = set.into_iter().map(|date| date.with_timezone(&Tz::UTC).timestamp())
            .skip_while(|start| *start + 3_600 <= window.start)
            .take_while(|start| *start < window.end)
            .collect();
        // A rule that meets no month at all is refused, after so many steps.
        prop_assume!(!expected.is_empty());
        let first = format!("202001{day:02}T");
        let found: Vec<i64> = occurrences(&bytes, &window).into_iter()
            .map(|(_, id)| split_occurrence_id(&id).unwrap().1)
            // The first is always there, whether the rule would put it there or not.
            .filter(|start| !common::utc(*start).replace('-', "").starts_with(&first))
            .collect();
        let expected: Vec<i64> = expected.into_iter().filter(|start| !common::utc(*start).replace('-', "").starts_with(&first)).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn long_texts_of_many_occurrences_are_not_read_again_and_again() {
    let long = "x".repeat(4 << 20);
    let daily = "DTSTART:20261201T080000Z\nRRULE:FREQ=DAILY;COUNT=500";
    let bytes = event(&format!("{daily}\nSUMMARY:{long}"));
    let calendar = Calendar::parse(&bytes).unwrap();
    let object = calendar.objects().next().unwrap();
    let mut effort = Effort::default();
    assert_eq!(object.change(&ALWAYS, &place(), &viewer(), &mut effort), Err(Unreadable::TooMany));
    assert_ne!(effort, Effort::default());
}

#[test]
fn more_dates_or_rules_than_are_looked_at_cannot_be_read() {
    let dates = |name: &str, count: i64| {
        let dates: Vec<String> = (0..count).map(|day| utc(NOW + day * DAY)[..10].replace('-', "")).collect();
        event(&format!("DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY\n{name};VALUE=DATE:{}", dates.join(",")))
    };
    let read = |bytes: &[u8]| {
        let calendar = Calendar::parse(bytes).unwrap();
        let window = Window { start: NOW, end: NOW + 30 * DAY };
        calendar.objects().next().unwrap().change(&window, &place(), &viewer(), &mut Effort::default())
    };
    assert!(read(&dates("EXDATE", 20_000)).is_ok());
    assert_eq!(read(&dates("EXDATE", 20_001)), Err(Unreadable::TooMany));
    assert_eq!(read(&dates("RDATE", 20_001)), Err(Unreadable::TooMany));
    let rules = event(&format!("DTSTART:20261201T080000Z\n{}", "RRULE:FREQ=DAILY;COUNT=1\n".repeat(17)));
    assert_eq!(read(&rules), Err(Unreadable::Endless));
}
