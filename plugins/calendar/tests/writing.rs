//! Writing: what is ours is replaced, every other byte stays.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test that cannot go on must fail, and its parts are public among each other"
)]

mod common;

use apptsync_calendar::{Calendar, Change, Effort, Key, Place, Unreadable, WriteError};
use apptsync_plugin::connector::{Entry, Fields, Identity, Item, Kind};
use apptsync_plugin::types::{AllDay, Failure, Period, Priority, Timed};
use common::{
    ALWAYS, APPOINTMENT, DAY, NOW, calendar, entry, event, everything, item, occurrences, place, starts, text, viewer,
    visit,
};
use proptest::prelude::*;

const UID: &str = "6f0b1a52-3c1e-4b7d-9a55-0c9d8e7f6a5b";

fn key(uid: &str) -> Key<'_> {
    Key { kind: APPOINTMENT, uid, original_start: None }
}

fn occurrence(original_start: i64) -> Key<'static> {
    Key { kind: APPOINTMENT, uid: "u", original_start: Some(original_start) }
}

fn created(kind: Kind, entry: &Entry) -> Vec<u8> {
    let mut calendar = Calendar::feed("Anna");
    let key = Key { kind, uid: UID, original_start: None };
    calendar.create(&key, "our-1", "run-1", entry, &viewer(), NOW).unwrap();
    calendar.to_bytes()
}

fn updated(bytes: &[u8], entry: &Entry, fields: Fields) -> Vec<u8> {
    changed(bytes, |calendar| {
        calendar.update(&key("u"), &Change { entry, fields, our_id: None, writer: "run-2" }, &viewer(), NOW).unwrap();
    })
}

fn changed(bytes: &[u8], change: impl FnOnce(&mut Calendar<'_>)) -> Vec<u8> {
    let mut calendar = Calendar::parse(bytes).unwrap();
    change(&mut calendar);
    calendar.to_bytes()
}

#[test]
fn a_new_appointment_is_as_outlook_wants_it() {
    let bytes = created(Kind::Appointment, &visit());
    let written = text(&bytes);
    for line in [
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Anna",
        "X-PUBLISHED-TTL:PT15M",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Warsaw",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        &format!("UID:{UID}"),
        "X-APPTSYNC-ID:our-1",
        "X-APPTSYNC-WRITER:run-1",
        "SEQUENCE:0",
        "DTSTAMP:20261201T080000Z",
        "LAST-MODIFIED:20261201T080000Z",
        "DTSTART;TZID=Europe/Warsaw:20261201T090000",
        "DTEND;TZID=Europe/Warsaw:20261201T100000",
        "PRIORITY:1",
        "X-MICROSOFT-CDO-IMPORTANCE:2",
        "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
        "X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
        "TRANSP:OPAQUE",
        "SUMMARY:Visit\\, Nowak\\; \\\\ & Co",
    ] {
        assert!(written.lines().any(|other| other == line), "{line} is not in\n{written}");
    }
    assert_eq!(written.matches("BEGIN:VTIMEZONE").count(), 1);
    assert!(written.find("BEGIN:VTIMEZONE") < written.find("BEGIN:VEVENT"));
    assert!(!written.replace("\r\n", "").contains(['\r', '\n']));
    assert!(!written.contains("ATTENDEE") && !written.contains("ORGANIZER") && !written.contains("REQUEST"));
    let read = item(&bytes);
    assert_eq!(entry(&read), &visit());
    assert_eq!(read.identity, Identity::Ours("our-1".to_owned()));
    assert!(!text(&Calendar::resource().to_bytes()).contains("METHOD"));
}

#[test]
fn definitions_of_zones_are_compact_and_agree_with_the_zone() {
    for (zone, start, observances) in [
        ("Europe/Warsaw", NOW, 2),
        ("America/New_York", NOW, 2),
        ("Asia/Kolkata", NOW, 1),
        ("Europe/Moscow", 1_300_000_000, 3),
        ("Africa/Casablanca", NOW, 2),
        ("Australia/Lord_Howe", NOW, 2),
        ("Pacific/Apia", 1_324_000_000, 5),
    ] {
        let entry = Entry {
            zone: zone.to_owned(),
            period: Some(Period::Timed(Timed { start, end: start + 3_600 })),
            ..visit()
        };
        // The definition alone has to do: its name is one that nobody knows.
        let bytes = text(&created(Kind::Appointment, &entry)).replace(zone, "Alone");
        let definition = bytes.split("END:VTIMEZONE").next().unwrap();
        let count = definition.matches("BEGIN:STANDARD").count() + definition.matches("BEGIN:DAYLIGHT").count();
        assert!(count <= observances, "{zone} has {count} observances:\n{definition}");
        assert!(definition.len() < 2_500, "{zone} takes {} bytes", definition.len());
        let tz: chrono_tz::Tz = zone.parse().unwrap();
        for day in 0..700 {
            let instant = start + day * DAY / 2;
            let local = chrono::DateTime::from_timestamp(instant, 0).unwrap().with_timezone(&tz).naive_local();
            let moved = bytes.split("DTSTART;TZID=Alone:").next().unwrap().to_owned()
                + &format!("DTSTART;TZID=Alone:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", local.format("%Y%m%dT%H%M%S"));
            if day % 100 == 0 || tz_changes(tz, instant) {
                let read = item(moved.as_bytes());
                let Some(Period::Timed(timed)) = &common::entry(&read).period else { panic!("{read:?}") };
                assert_eq!(timed.start, instant, "{zone} at {local}");
            }
        }
    }
}

/// Whether the clock changes within two days, but not within some hours.
fn tz_changes(tz: chrono_tz::Tz, instant: i64) -> bool {
    use chrono::{Offset, TimeZone};
    let offset = |at: i64| tz.timestamp_opt(at, 0).unwrap().offset().fix().local_minus_utc();
    offset(instant - DAY) != offset(instant + DAY) && offset(instant - DAY / 8) == offset(instant + DAY / 8)
}

#[test]
fn a_definition_grows_with_the_years_and_a_foreign_one_stays() {
    let casablanca = |start| Entry {
        zone: "Africa/Casablanca".to_owned(),
        period: Some(Period::Timed(Timed { start, end: start + 60 })),
        ..visit()
    };
    let first = created(Kind::Appointment, &casablanca(NOW));
    assert!(text(&first).contains("X-APPTSYNC-COVERS:2026-2031"));
    let later = changed(&first, |calendar| {
        calendar.create(&key("later"), "our-2", "run-1", &casablanca(NOW + 3_000 * DAY), &viewer(), NOW).unwrap()
    });
    assert!(text(&later).contains("X-APPTSYNC-COVERS:2026-2040"), "{}", text(&later));
    assert_eq!(text(&later).matches("BEGIN:VTIMEZONE").count(), 1);
    let twice = changed(&Calendar::feed("A").to_bytes(), |calendar| {
        calendar.create(&key("1"), "a", "run-1", &casablanca(NOW), &viewer(), NOW).unwrap();
        calendar.create(&key("2"), "b", "run-1", &casablanca(NOW + 3_000 * DAY), &viewer(), NOW).unwrap();
    });
    assert_eq!(text(&twice).matches("BEGIN:VTIMEZONE").count(), 1);

    let foreign = calendar(
        "BEGIN:VTIMEZONE\nTZID:Central European Standard Time\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE",
    );
    let with =
        changed(&foreign, |calendar| calendar.create(&key("1"), "a", "run-1", &visit(), &viewer(), NOW).unwrap());
    assert!(text(&with).contains("DTSTART;TZID=Central European Standard Time:20261201T090000"));
    assert_eq!(text(&with).matches("BEGIN:VTIMEZONE").count(), 1);
    assert_eq!(entry(&item(&with)), &visit());
}

#[test]
fn whole_days_and_the_hour_that_comes_twice_are_written_so_that_they_are_read_back() {
    let days = Entry {
        period: Some(Period::AllDay(AllDay { start: "2026-12-01".to_owned(), end: "2026-12-03".to_owned() })),
        zone: String::new(),
        ..visit()
    };
    let bytes = created(Kind::Appointment, &days);
    assert!(
        text(&bytes)
            .contains("DTSTART;VALUE=DATE:20261201\r\nDTEND;VALUE=DATE:20261203\r\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE")
    );
    assert!(!text(&bytes).contains("VTIMEZONE"));
    assert_eq!(entry(&item(&bytes)), &days);
    // 2026-10-25 02:30, the second time.
    let twice = 1_792_891_800;
    let entry_twice = Entry { period: Some(Period::Timed(Timed { start: twice, end: twice + 3_600 })), ..visit() };
    let bytes = created(Kind::Appointment, &entry_twice);
    assert_eq!(entry(&item(&bytes)).period, entry_twice.period);
}

#[test]
fn tasks_are_due_on_their_last_day() {
    let days = |start: &str, end: &str| Some(Period::AllDay(AllDay { start: start.to_owned(), end: end.to_owned() }));
    for (period, expected, not) in [
        (days("2026-12-01", "2026-12-02"), "DUE;VALUE=DATE:20261201\r\n", "DTSTART"),
        (days("2026-12-01", "2026-12-04"), "DTSTART;VALUE=DATE:20261201\r\nDUE;VALUE=DATE:20261203\r\n", "DTEND"),
        (None, "BEGIN:VTODO\r\n", "DUE"),
    ] {
        let task = Entry { period, zone: String::new(), completed: Some(NOW), ..visit() };
        let bytes = created(Kind::Task, &task);
        assert!(text(&bytes).contains(expected), "{}", text(&bytes));
        assert!(!text(&bytes).contains(not), "{}", text(&bytes));
        assert!(text(&bytes).contains("STATUS:COMPLETED\r\nCOMPLETED:20261201T080000Z\r\nPERCENT-COMPLETE:100"));
        assert_eq!(entry(&item(&bytes)), &task);
    }
}

const FOREIGN: &str = "DTSTAMP:20200101T000000Z\nSUMMARY;LANGUAGE=pl:Old\nX-CUSTOM;P=\"a:b\":kept\nSEQUENCE:4\nCATEGORIES:Red\n\
    ATTENDEE;CN=\"B, C\":mailto:b@example.com\nDTSTART;TZID=America/New_York:20261201T090000\nDURATION:PT30M\nX-ALT-DESC;FMTTYPE=text/html:<b>old</b>\n\
    BEGIN:VALARM\nTRIGGER:-PT15M\nACTION:DISPLAY\nDESCRIPTION:alarm\nEND:VALARM\nBEGIN:VLOCATION\nNAME:x\nEND:VLOCATION";

#[test]
fn only_what_is_named_is_replaced() {
    let before = event(FOREIGN);
    let after = text(&updated(&before, &visit(), Fields::SUBJECT));
    let expected = text(&before)
        .replace("SUMMARY;LANGUAGE=pl:Old", "SUMMARY:Visit\\, Nowak\\; \\\\ & Co")
        .replace("DTSTAMP:20200101T000000Z", "DTSTAMP:20261201T080000Z")
        .replace("SEQUENCE:4", "SEQUENCE:5")
        .replace("BEGIN:VALARM", "LAST-MODIFIED:20261201T080000Z\r\nX-APPTSYNC-WRITER:run-2\r\nBEGIN:VALARM");
    assert_eq!(after, expected);

    let all = updated(&before, &visit(), everything());
    let all = text(&all);
    for kept in [
        "X-CUSTOM;P=\"a:b\":kept",
        "CATEGORIES:Red",
        "ATTENDEE;CN=\"B, C\":mailto:b@example.com",
        "TRIGGER:-PT15M",
        "NAME:x",
    ] {
        assert!(all.contains(kept), "{kept}");
    }
    assert!(!all.contains("DURATION") && !all.contains("X-ALT-DESC"));
    assert!(all.contains("DTSTART;TZID=Europe/Warsaw:20261201T090000"));
}

#[test]
fn without_a_zone_of_its_own_a_time_is_written_in_the_zone_that_it_had() {
    let entry = Entry { zone: String::new(), ..visit() };
    let bytes = updated(&event(FOREIGN), &entry, Fields::PERIOD);
    assert!(text(&bytes).contains("DTSTART;TZID=America/New_York:20261201T030000"), "{}", text(&bytes));
    assert!(text(&bytes).contains("TZID:America/New_York"));
}

#[test]
fn a_completed_appointment_is_free_and_has_no_reminder() {
    let done = Entry { completed: Some(NOW), ..visit() };
    let bytes = text(&updated(&event(FOREIGN), &done, Fields::COMPLETED));
    assert!(bytes.contains("TRANSP:TRANSPARENT\r\n") && bytes.contains("X-MICROSOFT-CDO-BUSYSTATUS:FREE\r\n"));
    assert!(!bytes.contains("VALARM") && bytes.contains("NAME:x") && bytes.contains("SUMMARY;LANGUAGE=pl:Old"));
    // There is no way back that would touch what is the person's own.
    let undone = text(&updated(bytes.as_bytes(), &visit(), Fields::COMPLETED));
    assert!(undone.contains("TRANSP:TRANSPARENT"));
}

#[test]
fn adopting_and_disowning_touch_nothing_else() {
    let before = event(FOREIGN);
    let adopted = changed(&before, |calendar| {
        let change = Change { entry: &visit(), fields: Fields::empty(), our_id: Some("our-9"), writer: "run-2" };
        calendar.update(&key("u"), &change, &viewer(), NOW).unwrap();
    });
    assert_eq!(item(&adopted).identity, Identity::Ours("our-9".to_owned()));
    assert_eq!(item(&adopted).writer.as_deref(), Some("run-2"));
    let disowned = changed(&adopted, |calendar| calendar.disown(&key("u"), &viewer()).unwrap());
    assert_eq!(text(&disowned), text(&before));
}

#[test]
fn the_writer_is_the_last_one_and_nothing_of_somebody_elses() {
    let writer = |bytes: &[u8]| item(bytes).writer;
    let before = event("DTSTART:20261201T080000Z\nX-APPTSYNC-WRITER:run-1");
    assert_eq!(writer(&before).as_deref(), Some("run-1"));
    assert_eq!(writer(&updated(&before, &visit(), Fields::SUBJECT)).as_deref(), Some("run-2"));
    assert_eq!(text(&updated(&before, &visit(), Fields::empty())), text(&before), "nothing is written");
    for foreign in ["", "Run 1", "run_1", &"a".repeat(65)] {
        assert_eq!(writer(&event(&format!("DTSTART:20261201T080000Z\nX-APPTSYNC-WRITER:{foreign}"))), None);
    }
}

/// Who moves an occurrence in a calendar program copies the pattern into an exception, and the writer with it.
#[test]
fn an_exception_has_the_writer_of_itself_and_not_of_the_pattern() {
    let before = event(&format!("{WEEKLY}\nX-APPTSYNC-WRITER:run-1"));
    let writers = |bytes: &[u8]| -> Vec<Option<String>> {
        let calendar = Calendar::parse(bytes).unwrap();
        let object = calendar.object(APPOINTMENT, "u").unwrap();
        let place = Place { remote_id: "u", etag: "1", collection: "calendar" };
        let found = object.occurrences(&ALWAYS, &place, &viewer(), &mut Effort::default()).unwrap();
        found.items.into_iter().map(|item| item.writer).collect()
    };
    assert_eq!(writers(&before), [None, None, None, None]);
    let change = Change { entry: &visit(), fields: Fields::SUBJECT, our_id: None, writer: "run-2" };
    let changed = changed(&before, |calendar| calendar.update(&occurrence(SECOND), &change, &viewer(), NOW).unwrap());
    assert_eq!(writers(&changed), [None, Some("run-2".to_owned()), None, None]);
    let copied = text(&changed).replace("run-2", "run-1");
    assert_eq!(writers(copied.as_bytes()), [None, None, None, None]);
}

#[test]
fn a_mark_is_one_category_among_the_users_own() {
    let own = "SUMMARY:Visit\nDTSTART:20261201T080000Z\nDTEND:20261201T090000Z\nCATEGORIES;LANGUAGE=de:Rot,A\\, B\nX-OWN:1\nCATEGORIES:Blue";
    for (properties, with, without) in [
        (own, "CATEGORIES;LANGUAGE=de:Rot,A\\, B\r\n", "X-OWN:1\r\nCATEGORIES:Blue\r\n"),
        ("SUMMARY:Visit\nDTSTART:20261201T080000Z", "CATEGORIES:Locked by ERP\r\n", ""),
    ] {
        let before = event(properties);
        let mark = |bytes: &[u8], is_locked| {
            changed(bytes, |calendar| calendar.mark(&key("u"), is_locked, &viewer(), NOW).unwrap())
        };
        let marked = mark(&before, true);
        assert!(text(&marked).contains(with) && text(&marked).contains("CATEGORIES:Locked by ERP\r\n"));
        assert_eq!(item(&marked).content, item(&before).content);
        assert_eq!(text(&mark(&marked, true)), text(&marked), "twice is once");
        let unmarked = text(&mark(&marked, false)).to_owned();
        assert!(!unmarked.contains("Locked") && unmarked.contains(without), "{unmarked}");
        assert_eq!(unmarked.contains("X-OWN:1"), properties.contains("X-OWN"));
        assert_eq!(text(&mark(&before, false)), text(&before), "there is nothing to take off");
    }
}

#[test]
fn a_mark_that_a_client_put_into_its_own_list_is_taken_out_of_it() {
    for (list, rest) in [
        ("CATEGORIES;LANGUAGE=de:Rot,Locked by ERP,A\\, B", "CATEGORIES;LANGUAGE=de:Rot,A\\, B\r\n"),
        ("categories:Locked by ERP,Rot", "categories:Rot\r\n"),
        ("CATEGORIES:Rot\nCATEGORIES:Locked by ERP\nCATEGORIES:Blau", "CATEGORIES:Rot\r\nCATEGORIES:Blau\r\n"),
    ] {
        let before = event(&format!("SUMMARY:Visit\nDTSTART:20261201T080000Z\n{list}"));
        let after = changed(&before, |calendar| calendar.mark(&key("u"), false, &viewer(), NOW).unwrap());
        assert!(text(&after).contains(rest) && !text(&after).contains("Locked"), "{}", text(&after));
    }
}

#[test]
fn one_occurrence_is_marked_by_an_exception() {
    let before = event(WEEKLY);
    let marked = changed(&before, |calendar| calendar.mark(&occurrence(SECOND), true, &viewer(), NOW).unwrap());
    let pattern = text(&before).replace("END:VCALENDAR\r\n", "");
    assert!(text(&marked).starts_with(&pattern));
    assert!(text(&marked)[pattern.len()..].contains("CATEGORIES:Locked by ERP\r\n"));
    assert_eq!(starts(&marked, &ALWAYS), starts(&before, &ALWAYS));
}

const WEEKLY: &str = "SUMMARY:weekly\nX-APPTSYNC-ID:ours\nX-CUSTOM:kept\nDTSTART;TZID=Europe/Warsaw:20261201T080000\n\
    DTEND;TZID=Europe/Warsaw:20261201T090000\nRRULE:FREQ=WEEKLY;COUNT=4\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM";
/// 2026-12-08 08:00 in Warsaw.
const SECOND: i64 = 1_796_713_200;

#[test]
fn one_occurrence_is_changed_by_an_exception() {
    let before = event(WEEKLY);
    let moved = Entry { period: Some(Period::Timed(Timed { start: SECOND + 7_200, end: SECOND + 9_000 })), ..visit() };
    let change = |fields, our_id| Change { entry: &moved, fields, our_id, writer: "run-2" };
    let after = changed(&before, |calendar| {
        calendar.update(&occurrence(SECOND), &change(Fields::SUBJECT, Some("one")), &viewer(), NOW).unwrap();
    });
    // The pattern is as it was, byte for byte.
    let pattern = text(&before).replace("END:VCALENDAR\r\n", "");
    assert!(text(&after).starts_with(&pattern));
    let exception = text(&after)[pattern.len()..].to_owned();
    for line in [
        "RECURRENCE-ID;TZID=Europe/Warsaw:20261208T080000",
        "DTSTART;TZID=Europe/Warsaw:20261208T080000",
        "DTEND;TZID=Europe/Warsaw:20261208T090000",
        "X-APPTSYNC-ID:one",
        "X-CUSTOM:kept",
        "TRIGGER:-PT5M",
    ] {
        assert!(exception.lines().any(|other| other == line), "{line} is not in\n{exception}");
    }
    assert!(!exception.contains("RRULE"));
    assert_eq!(
        starts(&after, &ALWAYS),
        ["2026-12-01T07:00Z", "2026-12-08T07:00Z", "2026-12-15T07:00Z", "2026-12-22T07:00Z"]
    );
    let again = changed(&after, |calendar| {
        calendar.update(&occurrence(SECOND), &change(Fields::PERIOD, None), &viewer(), NOW).unwrap();
    });
    assert_eq!(text(&again).matches("RECURRENCE-ID").count(), 1);
    assert_eq!(starts(&again, &ALWAYS)[1], "2026-12-08T09:00Z");
    assert_eq!(occurrences(&again, &ALWAYS)[1].1, "u#20261208T070000Z");
    let disowned = changed(&again, |calendar| calendar.disown(&occurrence(SECOND), &viewer()).unwrap());
    assert!(!text(&disowned).contains("X-APPTSYNC-ID:one") && text(&disowned).contains("X-APPTSYNC-ID:ours"));

    let deleted = changed(&again, |calendar| calendar.delete(&occurrence(SECOND), &viewer(), NOW).unwrap());
    assert!(
        text(&deleted).contains("EXDATE;TZID=Europe/Warsaw:20261208T080000\r\n")
            && !text(&deleted).contains("RECURRENCE-ID")
    );
    assert_eq!(starts(&deleted, &ALWAYS), ["2026-12-01T07:00Z", "2026-12-15T07:00Z", "2026-12-22T07:00Z"]);
    let gone = Calendar::parse(&deleted).unwrap().delete(&occurrence(SECOND), &viewer(), NOW);
    assert_eq!(gone, Err(WriteError::NoSuchItem));
}

#[test]
fn recurring_tasks_and_whole_days_get_exceptions_of_their_own_kind() {
    let bytes = event("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203\nRRULE:FREQ=WEEKLY;COUNT=2");
    let change = Change { entry: &visit(), fields: Fields::SUBJECT, our_id: None, writer: "run-2" };
    let second = 1_796_688_000;
    let after = changed(&bytes, |calendar| calendar.update(&occurrence(second), &change, &viewer(), NOW).unwrap());
    assert!(
        text(&after).contains("RECURRENCE-ID;VALUE=DATE:20261208")
            && text(&after).contains("DTEND;VALUE=DATE:20261210")
    );

    let bytes = calendar(
        "BEGIN:VTODO\nUID:u\nDTSTART;VALUE=DATE:20261201\nDUE;VALUE=DATE:20261202\nRRULE:FREQ=WEEKLY;COUNT=2\nEND:VTODO",
    );
    let after = changed(&bytes, |calendar| {
        let key = Key { kind: Kind::Task, ..occurrence(second) };
        calendar.update(&key, &Change { fields: Fields::COMPLETED, ..change }, &viewer(), NOW).unwrap();
    });
    assert!(text(&after).contains("DUE;VALUE=DATE:20261209") && text(&after).contains("STATUS:NEEDS-ACTION"));
}

#[test]
fn what_must_not_be_written_is_refused_and_changes_nothing() {
    let refused = |bytes: &[u8], write: &dyn Fn(&mut Calendar<'_>) -> Result<(), WriteError>| {
        let mut calendar = Calendar::parse(bytes).unwrap();
        let error = write(&mut calendar).unwrap_err();
        assert_eq!(calendar.to_bytes(), bytes);
        error
    };
    let all = Change { entry: &visit(), fields: everything(), our_id: None, writer: "run-2" };
    let weekly = event(WEEKLY);
    let broken = calendar("BEGIN:VEVENT\nUID:u\nBEGIN:VALARM\nEND:VEVENT");
    assert!(matches!(
        refused(&weekly, &|calendar| calendar.update(&key("u"), &all, &viewer(), NOW)),
        WriteError::Refused(_)
    ));
    assert_eq!(
        refused(&weekly, &|calendar| calendar.update(&occurrence(NOW), &all, &viewer(), NOW)),
        WriteError::NoSuchItem
    );
    assert_eq!(
        refused(&weekly, &|calendar| calendar.update(&key("other"), &all, &viewer(), NOW)),
        WriteError::NoSuchItem
    );
    assert_eq!(
        refused(&weekly, &|calendar| calendar.create(&key("u"), "a", "run-1", &visit(), &viewer(), NOW)),
        WriteError::Exists
    );
    assert_eq!(
        refused(&broken, &|calendar| calendar.update(&key("u"), &all, &viewer(), NOW)),
        WriteError::Unreadable(Unreadable::Broken)
    );
    let timeless = Entry { period: None, ..visit() };
    assert!(matches!(
        refused(&weekly, &|calendar| calendar.create(&key("n"), "a", "run-1", &timeless, &viewer(), NOW)),
        WriteError::Refused(_)
    ));
    assert_eq!(Failure::from(WriteError::Exists), Failure::Conflict);
    assert_eq!(Failure::from(WriteError::NoSuchItem), Failure::Gone);
    assert!(matches!(Failure::from(WriteError::Unreadable(Unreadable::NoStart)), Failure::Permanent(_)));
}

#[test]
fn an_object_goes_with_all_that_belongs_to_it_and_nothing_else() {
    let bytes = calendar(
        "X-HEAD:1\nBEGIN:VEVENT\nUID:a\nDTSTART:20261201T090000Z\nRRULE:FREQ=DAILY\nEND:VEVENT\nBEGIN:VJOURNAL\nUID:a\nEND:VJOURNAL\n\
         BEGIN:VEVENT\nUID:b\nDTSTART:20261201T090000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261202T090000Z\nDTSTART:20261202T100000Z\nEND:VEVENT",
    );
    let after = changed(&bytes, |calendar| calendar.delete(&key("a"), &viewer(), NOW).unwrap());
    let expected = calendar(
        "X-HEAD:1\nBEGIN:VJOURNAL\nUID:a\nEND:VJOURNAL\nBEGIN:VEVENT\nUID:b\nDTSTART:20261201T090000Z\nEND:VEVENT",
    );
    assert_eq!(text(&after), text(&expected));
    let mut calendar = Calendar::parse(&bytes).unwrap();
    calendar.delete(&key("a"), &viewer(), NOW).unwrap();
    assert!(calendar.object(APPOINTMENT, "a").is_none());
    calendar.create(&key("a"), "again", "run-1", &visit(), &viewer(), NOW).unwrap();
    assert_eq!(
        calendar.object(APPOINTMENT, "a").unwrap().item(&place(), &viewer()).unwrap().unwrap().identity,
        Identity::Ours("again".to_owned())
    );
}

#[test]
fn a_file_with_bare_line_feeds_keeps_them() {
    let bytes = text(&event(FOREIGN)).replace("\r\n", "\n");
    let after = updated(bytes.as_bytes(), &visit(), everything());
    assert!(!text(&after).contains('\r'));
}

fn any_text(longest: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any_character(), 0..longest)
        .prop_map(|characters| characters.into_iter().collect::<String>().trim().to_owned())
}

fn any_character() -> impl Strategy<Value = char> {
    prop_oneof![
        prop::sample::select(vec!['a', ' ', ',', ';', ':', '\\', '"', 'ż', '😀', '=']),
        prop::char::range('a', 'z')
    ]
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let zones = prop::sample::select(vec![
        "Europe/Warsaw",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "",
    ]);
    let period = prop_oneof![
        (0_i64..4_000_000_000, 1_i64..1_000_000).prop_map(|(start, minutes)| {
            let start = start / 60 * 60;
            Period::Timed(Timed { start, end: start + minutes * 60 })
        }),
        (0_i64..40_000, 1_i64..400).prop_map(|(day, days)| {
            let date = |day: i64| common::utc(day * DAY)[..10].to_owned();
            Period::AllDay(AllDay { start: date(day), end: date(day + days) })
        }),
    ];
    let priority = prop::sample::select(vec![Priority::Low, Priority::Normal, Priority::High]);
    (any_text(200), any_text(300), any_text(50), period, zones, priority).prop_map(
        |(subject, body, location, period, zone, priority)| Entry {
            subject,
            body: body.replace('=', "\n").trim().to_owned(),
            location,
            zone: if matches!(period, Period::AllDay(_)) { String::new() } else { zone.to_owned() },
            period: Some(period),
            priority,
            completed: None,
        },
    )
}

/// What is read of what was written: the zone may be another way of saying nothing.
fn read_back(item: &Item, written: &Entry) -> Entry {
    Entry { zone: written.zone.clone(), ..entry(item).clone() }
}

fn foreign_lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "X-[A-Z]{1,8}:[ -~]{0,100}",
        Just("BEGIN:VALARM\nTRIGGER:-PT5M\nSUMMARY:x\nEND:VALARM".to_owned()),
        Just("COMMENT;X=\"a;b\":folded\n  here\n\tand here".to_owned()),
        Just("no content line".to_owned()),
        Just("DESCRIPTION;ALTREP=\"cid:x\":two\\nlines".to_owned()),
    ];
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn what_is_written_is_read(entry in any_entry()) {
        let bytes = created(Kind::Appointment, &entry);
        prop_assert_eq!(read_back(&item(&bytes), &entry), entry);
    }

    #[test]
    fn what_is_changed_is_read_and_the_rest_stays(first in any_entry(), second in any_entry(), foreign in foreign_lines(), fields in 0_u8..64) {
        let fields = Fields::from_bits_retain(fields);
        let before = text(&created(Kind::Appointment, &first)).replace(UID, "u").replace("END:VEVENT", &format!("{}\nEND:VEVENT", foreign).replace('\n', "\r\n"));
        let other = "BEGIN:VEVENT\r\nUID:other\r\nDTSTART:2026\r\nX:\u{0}\u{1}\r\nEND:VEVENT\r\n";
        let before = before.replace("END:VCALENDAR", &format!("{other}END:VCALENDAR"));
        let after = text(&updated(before.as_bytes(), &second, fields));
        prop_assert!(after.contains(other));
        for kept in foreign.lines().filter(|line| !line.starts_with("DESCRIPTION") && !line.starts_with(['B', 'T', 'S', 'E', ' ', '\t'])) {
            prop_assert!(after.contains(kept), "{} is gone from\n{}", kept, after);
        }
        let read = item(after.as_bytes());
        let has = |field| fields & field == field;
        let had = item(before.as_bytes());
        let (had, read) = (entry(&had), entry(&read));
        prop_assert_eq!(&read.subject, if has(Fields::SUBJECT) { &second.subject } else { &had.subject });
        prop_assert_eq!(&read.body, if has(Fields::BODY) { &second.body } else { &had.body });
        prop_assert_eq!(&read.location, if has(Fields::LOCATION) { &second.location } else { &had.location });
        prop_assert_eq!(&read.period, if has(Fields::PERIOD) { &second.period } else { &had.period });
        prop_assert_eq!(&read.priority, if has(Fields::PRIORITY) { &second.priority } else { &had.priority });
    }

    #[test]
    fn any_stream_is_kept_and_ends(lines in prop::collection::vec(prop::sample::select(vec![
        "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTODO", "END:VTODO", "BEGIN:VALARM", "END:VALARM",
        "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD", "UID:1", "UID:2", "DTSTART:20261201T090000Z", "DTSTART;VALUE=DATE:20261201",
        "RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=WEEKLY;BYDAY=1MO", "RECURRENCE-ID:20261202T090000Z", "EXDATE:20261202T090000Z", "RDATE:x", " folded", "",
        "\u{0}", "TZID:Own", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "DTSTART;TZID=Own:20261201T090000", "DUE:20261201", "X-APPTSYNC-ID:a",
    ]), 0..40)) {
        let stream = format!("BEGIN:VCALENDAR\n{}\nEND:VCALENDAR\n", lines.join("\n"));
        let Ok(calendar) = Calendar::parse(stream.as_bytes()) else { return Ok(()) };
        prop_assert_eq!(text(&calendar.to_bytes()), stream.clone());
        let objects: Vec<(Kind, String)> = calendar.objects().map(|object| (object.kind(), object.uid().to_owned())).collect();
        for (kind, uid) in objects {
            let object = calendar.object(kind, &uid).unwrap();
            let _ = object.change(&ALWAYS, &place(), &viewer(), &mut Effort::default());
            for original_start in [None, Some(NOW), Some(1_796_202_000)] {
                let key = Key { kind, uid: &uid, original_start };
                let change = Change { entry: &visit(), fields: everything(), our_id: Some("b"), writer: "run-2" };
                for write in 0..3 {
                    let mut copy = calendar.clone();
                    let done = match write {
                        0 => copy.update(&key, &change, &viewer(), NOW),
                        1 => copy.delete(&key, &viewer(), NOW),
                        _ => copy.disown(&key, &viewer()),
                    };
                    let bytes = copy.to_bytes();
                    prop_assert!(Calendar::parse(&bytes).is_ok());
                    if done.is_err() {
                        prop_assert_eq!(text(&bytes), stream.as_str());
                    }
                }
            }
        }
    }
}

#[test]
fn what_has_a_copy_with_the_same_uid_is_not_deleted_with_it() {
    let bytes = common::calendar(&"BEGIN:VEVENT\nUID:u\nDTSTART:20261201T080000Z\nEND:VEVENT\n".repeat(2));
    let mut calendar = Calendar::parse(&bytes).unwrap();
    assert!(matches!(calendar.delete(&key("u"), &viewer(), NOW), Err(WriteError::Refused(_))));
    assert_eq!(calendar.to_bytes(), bytes);
}

#[test]
fn a_series_goes_with_its_last_occurrence() {
    let daily = event("DTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3");
    let mut calendar = Calendar::parse(&daily).unwrap();
    for day in 0..3 {
        assert!(calendar.object(APPOINTMENT, "u").is_some());
        calendar.delete(&occurrence(NOW + day * DAY), &viewer(), NOW).unwrap();
    }
    assert!(calendar.object(APPOINTMENT, "u").is_none() && !text(&calendar.to_bytes()).contains("VEVENT"));
    // What was moved is an occurrence, whatever the pattern still makes; so is the last one of a series that is not here.
    let moved = "BEGIN:VEVENT\nUID:u\nRECURRENCE-ID:20261202T080000Z\nDTSTART:20261209T080000Z\nEND:VEVENT";
    let rest = common::calendar(&format!(
        "BEGIN:VEVENT\nUID:u\nDTSTART:20261201T080000Z\nRRULE:FREQ=DAILY;UNTIL=20261202T080000Z\nEND:VEVENT\n{moved}"
    ));
    let rest = changed(&rest, |calendar| calendar.delete(&occurrence(NOW), &viewer(), NOW).unwrap());
    assert_eq!(starts(&rest, &ALWAYS), ["2026-12-09T08:00Z"]);
    for last in [rest, common::calendar(moved)] {
        let nothing = changed(&last, |calendar| calendar.delete(&occurrence(NOW + DAY), &viewer(), NOW).unwrap());
        assert!(!text(&nothing).contains("VEVENT"), "{}", text(&nothing));
    }
    let endless = event("DTSTART:20261201T080000Z\nRRULE:FREQ=DAILY");
    let rest = changed(&endless, |calendar| calendar.delete(&occurrence(NOW), &viewer(), NOW).unwrap());
    assert!(text(&rest).contains("EXDATE:20261201T080000Z"));
}

#[test]
fn an_exception_that_holds_for_all_that_follow_is_not_written() {
    let bytes = common::calendar(
        "BEGIN:VEVENT\nUID:u\nDTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:u\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261203T080000Z\nDTSTART:20261203T103000Z\nDURATION:PT2H\nEND:VEVENT",
    );
    let change = Change { entry: &visit(), fields: Fields::PERIOD, our_id: None, writer: "run-2" };
    let mut calendar = Calendar::parse(&bytes).unwrap();
    for day in [2, 3] {
        let key = occurrence(NOW + day * DAY);
        assert!(matches!(calendar.update(&key, &change, &viewer(), NOW), Err(WriteError::Refused(_))), "{day}");
    }
    let deleted = calendar.delete(&occurrence(NOW + 2 * DAY), &viewer(), NOW);
    assert!(matches!(deleted, Err(WriteError::Refused(_))));
    assert_eq!(calendar.to_bytes(), bytes);
    calendar.update(&occurrence(NOW + DAY), &change, &viewer(), NOW).unwrap();
}

/// RFC 5545 3.8.4.4: RECURRENCE-ID is written as DTSTART is, EXDATE too.
#[test]
fn whole_days_that_are_written_as_times_are_excepted_by_times() {
    let midnights = "DTSTART;TZID=Europe/Warsaw:20261201T000000\nDTEND;TZID=Europe/Warsaw:20261202T000000\n\
        X-MICROSOFT-CDO-ALLDAYEVENT:TRUE\nRRULE:FREQ=WEEKLY;COUNT=3";
    let second = 1_796_688_000;
    let change = Change { entry: &visit(), fields: Fields::SUBJECT, our_id: None, writer: "run-2" };
    let after = changed(&event(midnights), |calendar| {
        calendar.update(&occurrence(second), &change, &viewer(), NOW).unwrap();
        calendar.delete(&occurrence(second + 7 * DAY), &viewer(), NOW).unwrap();
    });
    for line in [
        "RECURRENCE-ID;TZID=Europe/Warsaw:20261208T000000",
        "DTSTART;TZID=Europe/Warsaw:20261208T000000",
        "DTEND;TZID=Europe/Warsaw:20261209T000000",
        "EXDATE;TZID=Europe/Warsaw:20261215T000000",
    ] {
        assert!(text(&after).lines().any(|other| other == line), "{line} is not in\n{}", text(&after));
    }
    assert_eq!(starts(&after, &ALWAYS), ["2026-12-01", "2026-12-08"]);

    let task =
        "BEGIN:VTODO\nUID:u\nDTSTART:20261201T080000Z\nDUE:20261201T100000Z\nRRULE:FREQ=WEEKLY;COUNT=2\nEND:VTODO";
    let key = Key { kind: Kind::Task, ..occurrence(NOW + 7 * DAY) };
    let after = changed(&common::calendar(task), |calendar| calendar.update(&key, &change, &viewer(), NOW).unwrap());
    assert!(text(&after).contains("RECURRENCE-ID:20261208T080000Z\r\n"), "{}", text(&after));
}
