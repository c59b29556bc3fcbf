//! Components as items: what of them is normalised.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test that cannot go on must fail, and its parts are public among each other"
)]

mod common;

use apptsync_calendar::{Calendar, Effort, NotACalendar, Place, Unreadable, Viewer};
use apptsync_plugin::connector::{Change, Identity, Kind, Window};
use apptsync_plugin::types::Priority;
use common::{ALWAYS, NOW, calendar, entry, event, item, period, place, viewer};

#[test]
fn texts_are_unescaped_and_cleaned() {
    let bytes = event(
        "SUMMARY;LANGUAGE=pl:Wizyta\\, Kraków\\; \\\\ A\\nB\nDESCRIPTION:one\\ntwo\nLOCATION:X\nDTSTART:20261201T090000Z",
    );
    let item = item(&bytes);
    let entry = entry(&item);
    assert_eq!(entry.subject, "Wizyta, Kraków; \\ A B");
    assert_eq!(entry.body, "one\ntwo");
    assert_eq!(entry.location, "X");
    assert_eq!(entry.zone, "");
    assert!(item.is_organizer && !item.has_attendees && !item.private && !item.cancelled);
    assert_eq!(item.identity, Identity::None);
}

#[test]
fn a_body_of_html_alone_is_reduced_to_text() {
    let html = "X-ALT-DESC;FMTTYPE=text/html:<html><body><p>One &amp; two</p><p>three</p></body></html>";
    let item = item(&event(&format!("DTSTART:20261201T090000Z\nDESCRIPTION:\\n\n{html}")));
    let body = &entry(&item).body;
    assert!(body.starts_with("One & two") && body.ends_with("three") && !body.contains('<'), "{body:?}");
}

#[test]
fn times_are_read_in_their_zones() {
    for (lines, expected) in [
        ("DTSTART:20261201T090000Z\nDTEND:20261201T100000Z", "2026-12-01T09:00Z/2026-12-01T10:00Z"),
        (
            "DTSTART;TZID=Europe/Warsaw:20261201T090000\nDTEND;TZID=Europe/Warsaw:20261201T100000",
            "2026-12-01T08:00Z/2026-12-01T09:00Z",
        ),
        (
            "DTSTART;TZID=\"Eastern Standard Time\":20261201T090000\nDURATION:PT90M",
            "2026-12-01T14:00Z/2026-12-01T15:30Z",
        ),
        ("DTSTART:20260701T090000\nDTEND:20260701T100000", "2026-07-01T07:00Z/2026-07-01T08:00Z"),
        ("DTSTART;TZID=Nowhere:20260701T090000", "2026-07-01T07:00Z/2026-07-01T07:01Z"),
        ("DTSTART:20261201T090000Z\nDTEND:20261201T080000Z", "2026-12-01T09:00Z/2026-12-01T09:01Z"),
        ("DTSTART;TZID=Europe/Warsaw:20260328T120000\nDURATION:P1D", "2026-03-28T11:00Z/2026-03-29T10:00Z"),
        ("DTSTART;VALUE=DATE:20261201", "2026-12-01/2026-12-02"),
        ("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203", "2026-12-01/2026-12-03"),
        ("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261201", "2026-12-01/2026-12-02"),
        ("DTSTART;VALUE=DATE:20261201\nDURATION:P2D", "2026-12-01/2026-12-03"),
        (
            "DTSTART;TZID=Europe/Warsaw:20261201T000000\nDTEND;TZID=Europe/Warsaw:20261202T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
            "2026-12-01/2026-12-02",
        ),
    ] {
        assert_eq!(period(&event(lines)), expected, "{lines}");
    }
}

#[test]
fn a_zone_that_the_calendar_defines_itself_is_used() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE";
    let bytes = calendar(&format!("{zone}\nBEGIN:VEVENT\nUID:u\nDTSTART;TZID=Ours:20261201T090000\nEND:VEVENT"));
    assert_eq!(period(&bytes), "2026-12-01T03:30Z/2026-12-01T03:31Z");
    assert_eq!(entry(&item(&bytes)).zone, "");
    let windows = event("DTSTART;TZID=Central European Standard Time:20261201T090000");
    assert_eq!(entry(&item(&windows)).zone, "Europe/Warsaw");
}

#[test]
fn tasks_take_whole_days() {
    let task = |lines: &str| calendar(&format!("BEGIN:VTODO\nUID:u\n{lines}\nEND:VTODO"));
    for (lines, expected) in [
        ("SUMMARY:x", "never"),
        ("DUE;VALUE=DATE:20261203", "2026-12-03/2026-12-04"),
        ("DTSTART;VALUE=DATE:20261201\nDUE;VALUE=DATE:20261203", "2026-12-01/2026-12-04"),
        ("DTSTART;VALUE=DATE:20261205\nDUE;VALUE=DATE:20261203", "2026-12-03/2026-12-04"),
        ("DUE:20261201T225959Z", "2026-12-01/2026-12-02"),
        ("DUE:20261201T233000Z", "2026-12-02/2026-12-03"),
        ("DTSTART;TZID=America/New_York:20261201T230000\nDURATION:PT2H", "2026-12-01/2026-12-03"),
    ] {
        assert_eq!(period(&task(lines)), expected, "{lines}");
    }
    let done = |lines: &str| entry(&item(&task(lines))).completed;
    assert_eq!(done("STATUS:COMPLETED\nCOMPLETED:20261201T080000Z"), Some(NOW));
    assert_eq!(done("STATUS:COMPLETED\nLAST-MODIFIED:20261201T080000Z"), Some(NOW));
    assert_eq!(done("PERCENT-COMPLETE:100\nDTSTAMP:20261201T080000Z"), Some(NOW));
    assert_eq!(done("STATUS:IN-PROCESS\nPERCENT-COMPLETE:50"), None);
    assert_eq!(done("STATUS:NEEDS-ACTION\nCOMPLETED:20261201T080000Z"), None);
}

#[test]
fn importance_people_and_marks_are_read() {
    let priority = |lines: &str| entry(&item(&event(&format!("DTSTART:20261201T090000Z\n{lines}")))).priority;
    assert_eq!(priority(""), Priority::Normal);
    assert_eq!(priority("PRIORITY:4"), Priority::High);
    assert_eq!(priority("PRIORITY:5\nX-MICROSOFT-CDO-IMPORTANCE:2"), Priority::Normal);
    assert_eq!(priority("PRIORITY:0\nX-MICROSOFT-CDO-IMPORTANCE:2"), Priority::High);
    assert_eq!(priority("PRIORITY:9"), Priority::Low);
    assert_eq!(priority("X-MICROSOFT-CDO-IMPORTANCE:0"), Priority::Low);

    let people = |lines: &str| {
        let item = item(&event(&format!("DTSTART:20261201T090000Z\n{lines}")));
        (item.is_organizer, item.has_attendees)
    };
    assert_eq!(people("ORGANIZER:MAILTO:Anna@Example.com\nATTENDEE:mailto:b@example.com"), (true, true));
    assert_eq!(people("ORGANIZER;CN=B:mailto:b@example.com\nATTENDEE:mailto:anna@example.com"), (false, false));
    assert_eq!(people("ORGANIZER:mailto:b@example.com"), (true, false));

    let marked = item(&event(
        "DTSTART:20261201T090000Z\nCLASS:CONFIDENTIAL\nSUMMARY:secret\nDESCRIPTION:secret\nLOCATION:secret\nSTATUS:CANCELLED\nX-APPTSYNC-ID:ab-1\nLAST-MODIFIED:20261201T080000Z",
    ));
    assert!(marked.private && marked.cancelled);
    assert!(!format!("{:?}", marked.content).contains("secret"));
    assert_eq!((marked.identity, marked.changed_at), (Identity::Ours("ab-1".to_owned()), Some(NOW)));
    assert_eq!(item(&event("DTSTART:20261201T090000Z\nX-APPTSYNC-ID:Not Ours")).identity, Identity::None);
}

#[test]
fn properties_of_components_within_are_not_the_items() {
    let bytes = event(
        "DTSTART:20261201T090000Z\nBEGIN:VALARM\nTRIGGER:-PT15M\nDESCRIPTION:alarm\nSUMMARY:alarm\nUID:alarm\nEND:VALARM\nSUMMARY:real",
    );
    let item = item(&bytes);
    assert_eq!((entry(&item).subject.as_str(), entry(&item).body.as_str()), ("real", ""));
}

#[test]
fn only_what_lies_in_the_window_is_listed() {
    let bytes = calendar(
        "BEGIN:VEVENT\nUID:in\nDTSTART:20261201T090000Z\nDTEND:20261201T100000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:day\nDTSTART;VALUE=DATE:20261201\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:before\nDTSTART:20261130T090000Z\nDTEND:20261130T230000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nSUMMARY:without an id\nDTSTART:20261201T090000Z\nEND:VEVENT\n\
         BEGIN:VTODO\nUID:undated\nEND:VTODO",
    );
    let calendar = Calendar::parse(&bytes).unwrap();
    // From 2026-11-30T23:00Z, which is midnight in Warsaw.
    let window = Window { start: NOW - 9 * 3_600, end: NOW + 86_400 };
    let listed = calendar.objects().filter_map(|object| {
        let place = Place { remote_id: object.uid(), ..place() };
        match object.change(&window, &place, &viewer(), &mut Effort::default()).unwrap()? {
            Change::Present(item) => Some(item.remote_id),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(listed.collect::<Vec<_>>(), ["in", "day", "undated"]);
    assert!(
        calendar.object(Kind::Task, "undated").is_some() && calendar.object(Kind::Appointment, "undated").is_none()
    );
}

#[test]
fn what_is_broken_is_known_by_its_id_and_its_neighbours_are_read() {
    let bytes = calendar(
        "BEGIN:VEVENT\nUID:open\nDTSTART:20261201T090000Z\nBEGIN:VEVENT\nUID:good\nDTSTART:20261201T090000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:crossed\nBEGIN:VALARM\nEND:VEVENT\nBEGIN:VEVENT\nUID:empty\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:wrong\nDTSTART:yesterday\nEND:VEVENT",
    );
    let calendar = Calendar::parse(&bytes).unwrap();
    let read = |uid: &str| {
        calendar.object(Kind::Appointment, uid).unwrap().item(&place(), &viewer()).map(|item| item.is_some())
    };
    assert_eq!(read("open"), Err(Unreadable::Broken));
    assert_eq!(read("good"), Ok(true));
    assert_eq!(read("crossed"), Err(Unreadable::Broken));
    assert_eq!(read("empty"), Err(Unreadable::NoStart));
    assert_eq!(read("wrong"), Err(Unreadable::Value("DTSTART")));
    assert_eq!(calendar.to_bytes(), bytes);
    assert!(!calendar.has_unidentified());

    let lost = common::calendar("BEGIN:VEVENT\nX-APPTSYNC-ID:ours\nBEGIN:VEVENT\nUID:1\nEND:VEVENT");
    let lost = Calendar::parse(&lost).unwrap();
    assert!(lost.has_unidentified() && lost.unidentified_carries("ours") && !lost.unidentified_carries("other"));
}

#[test]
fn what_is_no_calendar_says_so() {
    let parse = |bytes: &[u8]| Calendar::parse(bytes).map(|_| ()).unwrap_err();
    assert_eq!(parse(b""), NotACalendar::NoCalendar);
    assert_eq!(parse(b"\x89PNG\r\n"), NotACalendar::NoCalendar);
    assert_eq!(parse(b"BEGIN:VCARD\nEND:VCARD\n"), NotACalendar::NoCalendar);
    assert_eq!(parse(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\n"), NotACalendar::CutOff);
    assert_eq!(parse(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n\0\0\0\0"), NotACalendar::CutOff);
    assert!(Calendar::parse("\u{feff}BEGIN:VCALENDAR\nEND:VCALENDAR".as_bytes()).is_ok());
    assert!(Viewer::new("Mars/Olympus", "").is_err());
}

#[test]
fn hostile_streams_cost_little() {
    let long = format!(
        "DTSTART:20261201T090000Z\nSUMMARY:{}\nDESCRIPTION:{}",
        "ą".repeat(5_000_000),
        ";\\n".repeat(1_000_000)
    );
    let bytes = event(&long);
    let entry = entry(&item(&bytes)).clone();
    assert!(entry.subject.len() <= 1_024 && entry.body.len() <= 65_536);

    let nested = event(&format!("DTSTART:20261201T090000Z\n{}", "BEGIN:X\n".repeat(100_000)));
    let nested = Calendar::parse(&nested).unwrap();
    assert_eq!(nested.objects().next().unwrap().item(&place(), &viewer()), Err(Unreadable::Broken));

    let many = calendar(&"BEGIN:VEVENT\nEND:VEVENT\n".repeat(60_000));
    assert_eq!(Calendar::parse(&many).unwrap_err(), NotACalendar::TooMany);
    assert_eq!(Calendar::parse(&vec![b'x'; 17 << 20]).unwrap_err(), NotACalendar::TooLong(17 << 20));

    let foreign = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:\xff\xfe\nSUMMARY:caf\xe9\nDTSTART:20261201T090000Z\nEND:VEVENT\nEND:VCALENDAR";
    let read = Calendar::parse(foreign).unwrap();
    let object = read.objects().next().unwrap();
    assert!(object.change(&ALWAYS, &place(), &viewer(), &mut Effort::default()).unwrap().is_some());
    assert_eq!(read.to_bytes(), foreign);
}

#[test]
fn a_class_that_is_not_known_is_private() {
    for (class, private) in [("X-TEAM", true), ("private", true), ("Public", false), ("", false)] {
        let item = item(&event(&format!("DTSTART:20261201T090000Z\nCLASS:{class}\nSUMMARY:secret")));
        assert_eq!((item.private, entry(&item).subject.is_empty()), (private, private), "{class}");
    }
}

#[test]
fn the_digest_stands_for_the_zones_that_a_calendar_defines_itself() {
    let zoned = |offset: &str, name: &str| {
        calendar(&format!(
            "BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\n\
             END:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:u\nDTSTART;TZID=Mine:20261201T090000\nEND:VEVENT"
        ))
    };
    let digest = |bytes: &[u8]| Calendar::parse(bytes).unwrap().objects().next().unwrap().digest();
    assert_ne!(digest(&zoned("+0100", "Mine")), digest(&zoned("+0200", "Mine")));
    assert_eq!(digest(&zoned("+0100", "Europe/Warsaw")), digest(&zoned("+0200", "Europe/Warsaw")));
}

#[test]
fn a_windows_name_that_nobody_knows_is_what_the_calendar_says() {
    let lines = "BEGIN:VTIMEZONE\nTZID:(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
        TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\n\
        DTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n\
        END:VTIMEZONE\nBEGIN:VEVENT\nUID:u\nDTSTART;TZID=\"(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb\":20260701T090000\n\
        DURATION:PT1H\nEND:VEVENT";
    assert_eq!(period(&calendar(lines)), "2026-07-01T07:00Z/2026-07-01T08:00Z");
}
