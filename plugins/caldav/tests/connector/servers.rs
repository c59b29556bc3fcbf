//! Real servers: finding calendars, pulling, fetching and looking for items.

use std::collections::BTreeMap;

use apptsync_plugin::connector::{Change, Item, Kind};
use apptsync_plugin::types::Failure;
use apptsync_tests::calendar_servers::ForeignUser;
use apptsync_tests::radicale::{PASSWORD, Radicale};
use apptsync_tests::xandikos::Xandikos;
use caldav::CalDav;

use crate::hosts::{Calendar, Real, WINDOW, account, entry, meeting, object, ours, visit};

/// A test's way through one server.
type Walk = fn(&Real, &ForeignUser, &str, &str);

/// Does the same with Radicale and with Xandikos.
fn with_each_server(walk: Walk) {
    let radicale = Radicale::start();
    walk(&Real::new(PASSWORD), &radicale.foreign_user(), &radicale.origin(), &radicale.calendar("work"));
    let xandikos = Xandikos::start();
    walk(&Real::new(""), &xandikos.foreign_user(), &xandikos.origin(), &xandikos.calendar("work"));
}

fn removed(changes: &BTreeMap<String, Change>) -> Vec<&str> {
    changes.iter().filter(|(_, change)| matches!(change, Change::Removed(_))).map(|(id, _)| id.as_str()).collect()
}

#[test]
fn calendars_are_found_from_the_servers_address_a_principal_a_home_or_a_calendar() {
    let radicale = Radicale::start();
    let work = radicale.calendar("work");
    radicale.foreign_user().make_calendar("/user/tasks/", "To &lt;do&gt;", &["VTODO"]);
    let host = Real::new(PASSWORD);
    for path in ["", "/", "/user/", "/user", work.as_str(), "/.well-known/caldav"] {
        let connection = CalDav::new(&host).probe(&account(&format!("{}{path}", radicale.origin()))).expect(path);
        assert!(connection.server.starts_with(&radicale.origin()), "{}", connection.server);
        assert!(connection.reads_own_writes);
        let found: Vec<_> = connection
            .collections
            .iter()
            .map(|found| (found.id.as_str(), found.name.as_str(), found.kind, found.writable, found.is_default))
            .collect();
        let expected = [
            ("/user/work/", "work", Kind::Appointment, true, true),
            ("/user/tasks/", "To <do>", Kind::Task, true, true),
            ("/user/work/", "work", Kind::Task, true, false),
        ];
        assert_eq!(found.len(), expected.len(), "{path}: {found:?}");
        for (id, name, kind, writable, _) in expected {
            assert!(
                found.iter().any(|found| (found.0, found.1, found.2, found.3) == (id, name, kind, writable)),
                "{found:?}"
            );
        }
        for kind in [Kind::Appointment, Kind::Task] {
            assert_eq!(found.iter().filter(|found| found.2 == kind && found.4).count(), 1);
        }
    }
    let xandikos = Xandikos::start();
    let connection = CalDav::new(&Real::new("")).probe(&account(&xandikos.origin())).expect("found");
    assert!(connection.collections.iter().any(|found| found.id == "/user/calendars/calendar/" && found.writable));
}

#[test]
fn what_keeps_from_connecting_is_said() {
    let mut radicale = Radicale::start();
    let probe = |host: &Real, server: &str| CalDav::new(host).probe(&account(server)).expect_err("a failure");
    match probe(&Real::new("wrong"), &radicale.origin()) {
        Failure::Auth(words) => assert!(words.contains("wrong or expired"), "{words}"),
        other => panic!("{other:?}"),
    }
    match probe(&Real::new(PASSWORD), &radicale.origin()) {
        Failure::Permanent(words) => assert!(words.contains("there is no calendar in /user/"), "{words}"),
        other => panic!("{other:?}"),
    }
    match probe(&Real::new(PASSWORD), &format!("{}/other/", radicale.origin())) {
        Failure::Auth(words) => assert!(words.contains("no right"), "{words}"),
        other => panic!("{other:?}"),
    }
    let origin = radicale.origin();
    radicale.stop();
    assert!(matches!(probe(&Real::new(PASSWORD), &origin), Failure::Transient(_)));
}

#[test]
fn a_first_pass_lists_the_window_and_later_ones_what_changed() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let at = |name: &str| format!("{path}{name}.ics");
        for day in 1..=3 {
            foreign.put(&at(&format!("meeting%20{day}")), &meeting(&format!("m{day}"), day, 9));
        }
        foreign.put(&at("long-ago"), &meeting("long-ago", 1, 9).replace("202612", "202501"));
        let weekly = ["DTSTART:20260105T090000Z", "DTEND:20260105T100000Z", "RRULE:FREQ=WEEKLY", "SUMMARY:Weekly"];
        foreign.put(&at("weekly"), &object("weekly", &weekly));
        let task = meeting("task", 1, 9).replace("VEVENT", "VTODO").replace("DTEND", "DUE");
        foreign.put(&at("task"), &task);

        let (changes, cursor) = calendar.pass(None);
        let listed: Vec<&str> = changes.keys().map(String::as_str).collect();
        assert_eq!(listed, [at("meeting%201"), at("meeting%202"), at("meeting%203"), at("weekly")]);
        let Change::Series(weekly) = &changes[&at("weekly")] else { panic!("{changes:?}") };
        assert_eq!(weekly.occurrences.len(), 4, "Mondays of December 2026");
        assert!(weekly.occurrences.iter().all(|item| item.remote_id.starts_with(&format!("{}#", at("weekly")))));

        host.memory.count();
        let (changes, cursor) = calendar.pass(Some(&cursor));
        assert!(changes.is_empty(), "{changes:?}");
        let reports = host.memory.requests.take().into_iter().filter(|request| request.starts_with("REPORT")).count();
        assert_eq!(reports, 1, "nothing new costs one report");

        foreign.put(&at("meeting%202"), &meeting("m2", 2, 15));
        foreign.delete(&at("meeting%203"));
        foreign.put(&at("new"), &meeting("new", 4, 9));
        let (changes, cursor) = calendar.pass(Some(&cursor));
        assert_eq!(changes.len(), 3, "{changes:?}");
        assert_eq!(removed(&changes), [at("meeting%203")]);
        let Change::Present(moved) = &changes[&at("meeting%202")] else { panic!("{changes:?}") };
        assert_eq!((entry(moved).subject.as_str(), moved.collection.as_str()), ("Meeting m2", path));

        foreign.delete(&at("weekly"));
        let (changes, _) = calendar.pass(Some(&cursor));
        assert_eq!(removed(&changes), [at("weekly")]);
    });
}

#[test]
fn tasks_are_listed_with_and_without_a_date() {
    with_each_server(|host, foreign, origin, path| {
        let task = |uid: &str, line: &str| object(uid, &[line, "SUMMARY:Call"]).replace("VEVENT", "VTODO");
        foreign.put(&format!("{path}dated.ics"), &task("dated", "DUE;VALUE=DATE:20261224"));
        foreign.put(&format!("{path}undated.ics"), &task("undated", "PRIORITY:1"));
        foreign.put(&format!("{path}event.ics"), &meeting("event", 1, 9));
        let (changes, _) = Calendar::of_kind(host, origin, path, Kind::Task).pass(None);
        assert_eq!(changes.into_keys().collect::<Vec<_>>(), [format!("{path}dated.ics"), format!("{path}undated.ics")]);
    });
}

/// What a pass over everything says of what lies in the window, by ids and versions.
fn told(calendar: &Calendar<'_>) -> BTreeMap<String, String> {
    let lies_in = |item: &Item| {
        let zone = apptsync_calendar::Viewer::new("Europe/Warsaw", "user").expect("a zone").zone;
        let times = entry(item).period.as_ref().map(|period| apptsync_calendar::instants(period, zone).expect("days"));
        times.is_none_or(|(start, end)| start < WINDOW.end && end > WINDOW.start)
    };
    let items = calendar.pass(None).0.into_values().flat_map(|change| match change {
        Change::Present(item) => vec![item],
        Change::Series(series) => series.occurrences,
        Change::Known(_) | Change::Removed(_) => Vec::new(),
    });
    let shown = items.filter(|item| !item.private && !item.cancelled && lies_in(item));
    shown.map(|item| (item.remote_id, item.etag)).collect()
}

#[test]
fn versions_are_those_of_a_pass_and_what_is_known_is_not_read_again() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        for number in 1..=3 {
            calendar.create(number, visit(&format!("Visit {number}"), 9));
        }
        let at = |name: &str| format!("{path}{name}.ics");
        let hour = "DTSTART:20261201T080000Z";
        foreign.put(&at("weekly"), &object("weekly", &["DTSTART:20261103T080000Z", "RRULE:FREQ=WEEKLY"]));
        foreign.put(&at("private"), &object("private", &[hour, "CLASS:PRIVATE"]));
        foreign.put(&at("cancelled"), &object("cancelled", &[hour, "STATUS:CANCELLED"]));
        foreign.put(&at("days"), &object("days", &["DTSTART;VALUE=DATE:20261231", "DTEND;VALUE=DATE:20270102"]));
        // A day wider than the window is what the server is asked for.
        foreign.put(&at("before"), &object("before", &["DTSTART:20261130T120000Z", "DTEND:20261130T130000Z"]));
        let first = calendar.versions();
        assert_eq!(first, told(&calendar));
        assert_eq!(first.len(), 3 + 5 + 1, "{first:?}");
        host.memory.count();
        assert_eq!(calendar.versions(), first);
        let requests = host.memory.count();
        assert!(requests <= 2, "a listing, and the series: {requests}");

        foreign.put(&at("days"), &object("days", &["DTSTART;VALUE=DATE:20261230", "DTEND;VALUE=DATE:20261231"]));
        foreign.put(&at("private"), &object("private", &[hour]));
        foreign.put(&at("weekly"), &object("weekly", &["DTSTART:20261103T080000Z"]));
        foreign.delete(&at("before"));
        let second = calendar.versions();
        assert_eq!(second, told(&calendar));
        assert_eq!(second.len(), 3 + 1 + 1, "{second:?}");
        assert_ne!(second[&at("days")], first[&at("days")]);
        // Whatever became of what is kept, the answer is the same.
        host.memory.kept.borrow_mut().retain(|key, _| !key.starts_with("single/"));
        assert_eq!(calendar.versions(), second);
    });
}

#[test]
fn versions_of_tasks_are_those_of_the_window_and_those_without_a_date() {
    let radicale = Radicale::start();
    let host = Real::new(PASSWORD);
    let (foreign, path) = (radicale.foreign_user(), radicale.calendar("work"));
    let task = |uid: &str, line: &str| object(uid, &[line]).replace("VEVENT", "VTODO");
    for (uid, line) in
        [("a", "SUMMARY:x"), ("b", "DUE;VALUE=DATE:20261203"), ("c", "DUE;VALUE=DATE:20250103"), ("d", "CLASS:PRIVATE")]
    {
        foreign.put(&format!("{path}{uid}.ics"), &task(uid, line));
    }
    let calendar = Calendar::of_kind(&host, &radicale.origin(), &path, Kind::Task);
    let found = calendar.versions();
    assert_eq!(
        found.keys().map(|path| path.rsplit('/').next().expect("a name")).collect::<Vec<_>>(),
        ["a.ics", "b.ics"]
    );
    assert_eq!(found, told(&calendar));
}

#[test]
fn a_token_that_the_server_does_not_know_is_gone() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        foreign.put(&format!("{path}m.ics"), &meeting("m", 1, 9));
        let cursor = calendar.pass(None).1;
        let other = cursor.replace(|character: char| character.is_ascii_hexdigit(), "0");
        for unknown in [other.as_str(), "nonsense", r#"{"changes":{"from":"x","page":null}}"#] {
            assert_eq!(calendar.page(Some(unknown)), Err(Failure::Gone), "{unknown}");
        }
        foreign.delete(path);
        assert_eq!(calendar.page(Some(&cursor)), Err(Failure::Gone));
        assert_eq!(calendar.page(None), Err(Failure::Gone));
    });
}

#[test]
fn items_are_fetched_wherever_they_lie() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let other = path.replace("/work/", "/other/");
        foreign.make_calendar(&other, "other", &["VEVENT"]);
        foreign.put(&format!("{path}a.ics"), &meeting("a", 1, 9));
        foreign.put(&format!("{other}b.ics"), &meeting("b", 1, 9));
        let daily = ["DTSTART:20261201T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Daily"];
        foreign.put(&format!("{path}daily.ics"), &object("daily", &daily));
        let daily = format!("{path}daily.ics");
        let (second, fourth) = (format!("{daily}#20261202T090000Z"), format!("{daily}#20261204T090000Z"));
        let missing = format!("{path}missing.ics");
        let nowhere = path.replace("/work/", "/nowhere/") + "c.ics";
        let (a, b) = (format!("{path}a.ics"), format!("{other}b.ics"));
        let answers = calendar.fetch(&[&a, &missing, &b, &daily, &second, &fourth, &nowhere, "https://evil.example/x"]);
        let item = |position: usize| answers[position].as_ref().expect("an answer").as_ref();
        assert_eq!(item(0).expect("an item").collection, path);
        assert_eq!(item(1), None);
        assert_eq!(item(2).expect("an item").collection, other);
        assert_eq!(item(3).expect("the series").occurrence, None);
        let occurrence = item(4).expect("an occurrence");
        assert_eq!(
            (occurrence.remote_id.as_str(), occurrence.etag.as_str()),
            (second.as_str(), item(3).expect("it").etag.as_str())
        );
        assert_eq!(item(5), None);
        assert_eq!(item(6), None);
        assert!(matches!(answers[7], Err(Failure::Permanent(_))), "{answers:?}");
    });
}

#[test]
fn items_are_found_by_our_ids() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        foreign.put(&format!("{path}foreign.ics"), &meeting("foreign", 1, 9));
        for number in 1..=10 {
            calendar.create(number, visit(&format!("Visit {number}"), 9));
        }
        let found = calendar.find(&["our-3", "our-99", "our-1"]);
        let subjects: Vec<Vec<&str>> =
            found.iter().map(|items| items.iter().map(|item| entry(item).subject.as_str()).collect()).collect();
        assert_eq!(subjects, [vec!["Visit 3"], vec![], vec!["Visit 1"]]);
        host.memory.count();
        let ids: Vec<String> = (1..=20).map(|number| format!("our-{number}")).collect();
        let found = calendar.find(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(host.memory.count(), 2, "a query and what it found");
        for (id, items) in ids.iter().zip(found).take(10) {
            assert_eq!(items.iter().map(ours).collect::<Vec<_>>(), [Some(id.as_str())]);
        }
        assert!(calendar.find(&[]).is_empty());
    });
}

/// What is not found is made again: of what cannot be read nobody may say that it is not there.
#[test]
fn an_object_with_our_id_that_cannot_be_read_is_not_taken_for_missing() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let ours = object("a", &["DTSTART:18001201T090000Z", "X-APPTSYNC-ID:our-1"]);
        foreign.put(&format!("{path}a.ics"), &ours);
        let failure = calendar.try_find(&["our-1", "our-2"]).expect_err("not known");
        assert!(
            matches!(&failure, Failure::Transient(why) if why.contains("a.ics is ours is not known")),
            "{failure:?}"
        );
        assert_eq!(calendar.find(&["our-2"]), [vec![]]);
    });
}

#[test]
fn an_object_that_cannot_be_read_keeps_no_other_away_and_is_never_removed() {
    let radicale = Radicale::start();
    let (host, foreign, path) = (Real::new(PASSWORD), radicale.foreign_user(), radicale.calendar("work"));
    let calendar = Calendar::new(&host, &radicale.origin(), &path);
    let etag = foreign.put(&format!("{path}good.ics"), &meeting("good", 1, 9));
    assert!(!etag.is_empty());
    foreign.put(
        &format!("{path}odd.ics"),
        &object("odd", &["DTSTART:20261201T090000Z", "RRULE:FREQ=SECONDLY", "SUMMARY:Odd"]),
    );
    let (changes, cursor) = calendar.pass(None);
    assert_eq!(changes.into_keys().collect::<Vec<_>>(), [format!("{path}good.ics")]);
    let warnings = host.memory.warnings.take();
    assert!(
        warnings.iter().any(|warning| warning.starts_with(&format!("{path}odd.ics: left out, because"))),
        "{warnings:?}"
    );
    foreign.put(
        &format!("{path}odd.ics"),
        &object("odd", &["DTSTART:20261201T090000Z", "RRULE:FREQ=SECONDLY", "SUMMARY:Odder"]),
    );
    assert!(calendar.pass(Some(&cursor)).0.is_empty());
}

#[test]
fn a_thousand_objects_are_one_page_and_more_are_several() {
    let radicale = Radicale::start();
    let (host, foreign, path) = (Real::new(PASSWORD), radicale.foreign_user(), radicale.calendar("work"));
    let calendar = Calendar::new(&host, &radicale.origin(), &path);
    let meetings: Vec<String> = (0..1_000).map(|number| meeting(&number.to_string(), number % 28 + 1, 9)).collect();
    foreign.replace_calendar(&path, &meetings);
    let page = calendar.page(None).expect("a page");
    assert_eq!((page.changes.len(), page.done), (1_000, true));
    assert_eq!(host.memory.count(), 12, "how to follow, the listing, and ten times a hundred objects");
    for number in 1_000..1_100 {
        foreign.put(&format!("{path}{number}.ics"), &meeting(&number.to_string(), 1, 9));
    }
    let first = calendar.page(None).expect("a page");
    assert_eq!((first.changes.len(), first.done), (1_024, false));
    // What changes while a pass is under way is told by the next one.
    foreign.put(&format!("{path}0.ics"), &meeting("0", 20, 9));
    host.memory.count();
    let second = calendar.page(Some(&first.next)).expect("a page");
    assert_eq!((second.changes.len(), second.done, second.full), (76, true, true));
    assert_eq!(host.memory.count(), 1, "what is listed is kept from page to page");
    assert!(host.memory.kept.take().is_empty());
    let again = calendar.page(Some(&first.next)).expect("a page");
    assert_eq!((again.changes.len(), host.memory.count()), (76, 2), "and asked for again where it is not kept");
    let (changes, _) = calendar.pass(Some(&second.next));
    assert_eq!(changes.into_keys().collect::<Vec<_>>(), [format!("{path}0.ics")]);
    // More changes than a page holds.
    let (changes, _) = calendar.pass(Some(&page.next));
    assert_eq!(changes.len(), 101);
}

#[test]
fn what_was_moved_to_another_calendar_is_there_and_not_gone() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let other = path.replace("/work/", "/other/");
        foreign.make_calendar(&other, "other", &["VEVENT"]);
        let item = calendar.create(1, visit("Moved", 9));
        let daily = ["DTSTART:20261201T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Daily"];
        let series = format!("{path}daily.ics");
        foreign.put(&series, &object("daily", &daily));
        for id in [&item.remote_id, &series] {
            let moved = foreign.get(id).expect("there");
            foreign.delete(id);
            foreign.put(&id.replace(path, &other), &moved);
        }
        // Another object may have the name.
        foreign.put(&format!("{other}gone.ics"), &meeting("another", 1, 9));
        let (occurrence, gone) = (format!("{series}#20261202T090000Z"), format!("{path}gone.ics"));
        let answers = calendar.fetch(&[&item.remote_id, &occurrence, &gone]);
        let found = answers[0].as_ref().expect("an answer").as_ref().expect("an item");
        assert_eq!((&found.remote_id, found.collection.as_str()), (&item.remote_id, other.as_str()));
        assert_eq!((ours(found), entry(found)), (ours(&item), entry(&item)));
        let found = answers[1].as_ref().expect("an answer").as_ref().expect("an occurrence");
        assert_eq!((&found.remote_id, found.collection.as_str()), (&occurrence, other.as_str()));
        assert_eq!(answers[2], Ok(None));
    });
}

#[test]
fn what_was_written_here_is_told_as_known_and_what_others_changed_since_is_read() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let (_, token) = calendar.pass(None);
        let made: Vec<_> = (1..=3).map(|number| calendar.create(number, visit("Visit", 9))).collect();
        let edited = foreign.get(&made[0].remote_id).expect("there").replace("SUMMARY:Visit", "SUMMARY:Theirs");
        foreign.put(&made[0].remote_id, &edited);
        let weekly = ["DTSTART:20261201T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:Weekly"];
        foreign.put(&format!("{path}weekly.ics"), &object("weekly", &weekly));
        let (changes, token) = calendar.pass(Some(&token));
        for item in &made[1..] {
            match &changes[&item.remote_id] {
                Change::Known(known) => assert_eq!(known.etag, item.etag),
                other => panic!("{other:?}"),
            }
        }
        match &changes[&made[0].remote_id] {
            Change::Present(item) => assert_eq!(entry(item).subject, "Theirs"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(changes[&format!("{path}weekly.ics")], Change::Series(_)));
        assert_eq!(calendar.pass(Some(&token)).0, BTreeMap::new());
        // A pass that lists everything reads everything.
        let (everything, _) = calendar.pass(None);
        assert!(made.iter().all(|item| matches!(everything[&item.remote_id], Change::Present(_))));
    });
}
