//! Real servers: creating, changing, deleting and disowning.

use apptsync_plugin::connector::{Content, Fields, Item, Mark, Operation, Reference, Update};
use apptsync_plugin::http::{Request, Response};
use apptsync_plugin::types::Failure;
use apptsync_tests::calendar_servers::ForeignUser;
use apptsync_tests::radicale::{PASSWORD, Radicale};
use apptsync_tests::xandikos::Xandikos;

use crate::hosts::{Calendar, Real, answer, create, entry, key, meeting, object, ours, reference, visit};

/// A test's way through one server.
type Walk = fn(&Real, &ForeignUser, &str, &str);

/// What a server says about a write that it did: its tag, or nothing.
fn silent(request: &Request, mut response: Response) -> Response {
    if request.method == "PUT" {
        response.headers.retain(|(name, _)| name != "etag");
    }
    response
}

/// Does the same with Radicale, with one that gives no tag after a write, and with Xandikos.
fn with_each_server(walk: Walk) {
    let radicale = Radicale::start();
    let mut host = Real::new(PASSWORD);
    walk(&host, &radicale.foreign_user(), &radicale.origin(), &radicale.calendar("work"));
    host.disguise = silent;
    walk(&host, &radicale.foreign_user(), &radicale.origin(), &radicale.calendar("silent"));
    let xandikos = Xandikos::start();
    walk(&Real::new(""), &xandikos.foreign_user(), &xandikos.origin(), &xandikos.calendar("work"));
}

fn update(item: &Item, change: impl FnOnce(&mut apptsync_plugin::connector::Entry), fields: Fields) -> Operation {
    let mut entry = entry(item).clone();
    change(&mut entry);
    Operation::Update(Update {
        remote_id: item.remote_id.clone(),
        etag: item.etag.clone(),
        content: Content::Entry(entry),
        fields,
        our_id: None,
        writer: "run-2".to_owned(),
    })
}

#[test]
fn an_item_is_created_once_changed_and_deleted() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let item = calendar.create(1, visit("Autumn assortment", 9));
        assert_eq!((item.remote_id.clone(), item.collection.as_str()), (format!("{path}{}.ics", key(1)), path));
        assert_eq!((entry(&item), ours(&item)), (&visit("Autumn assortment", 9), Some("our-1")));
        assert_eq!(calendar.fetch(&[&item.remote_id])[0].as_ref().expect("there").as_ref(), Some(&item));

        // The same once more, as after a lost answer.
        assert_eq!(calendar.push(&[create(1, visit("Autumn assortment", 9))]), [Err(Failure::Conflict)]);
        assert_eq!(foreign.objects(path).len(), 1);

        let changed =
            calendar.push(&[update(&item, |entry| entry.subject = "Winter & <more>".to_owned(), Fields::SUBJECT)]);
        let changed = changed[0].as_ref().expect("done").clone().expect("an item");
        assert_eq!(entry(&changed), &visit("Winter & <more>", 9));
        assert_ne!(changed.etag, item.etag);
        assert_eq!(calendar.fetch(&[&item.remote_id])[0].as_ref().expect("there").as_ref(), Some(&changed));

        // Whoever knows an older version writes nothing.
        let stale = [update(&item, |entry| entry.subject = "Late".to_owned(), Fields::SUBJECT)];
        assert_eq!(calendar.push(&stale), [Err(Failure::Conflict)]);
        assert_eq!(calendar.push(&[Operation::Delete(reference(&item))]), [Err(Failure::Conflict)]);
        assert_eq!(calendar.push(&[Operation::Delete(reference(&changed))]), [Ok(None)]);
        assert_eq!(calendar.push(&[Operation::Delete(reference(&changed))]), [Err(Failure::Gone)]);
        assert_eq!(calendar.push(&[update(&changed, |_| {}, Fields::SUBJECT)]), [Err(Failure::Gone)]);
        assert!(foreign.objects(path).is_empty());
    });
}

#[test]
fn what_is_not_ours_to_write_stays() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let id = format!("{path}theirs.ics");
        let lines = [
            "DTSTART;TZID=Europe/Berlin:20261201T100000",
            "DTEND;TZID=Europe/Berlin:20261201T110000",
            "SUMMARY:Theirs",
            "CATEGORIES:Red",
            "X-COLOUR:blue",
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Soon\r\nEND:VALARM",
        ];
        foreign.put(&id, &object("theirs", &lines));
        let item = calendar.fetch(&[&id])[0].clone().expect("there").expect("an item");
        assert_eq!(ours(&item), None);
        let adopt = Operation::Update(Update {
            remote_id: id.clone(),
            etag: item.etag.clone(),
            content: item.content.clone(),
            fields: Fields::empty(),
            our_id: Some("our-7".to_owned()),
            writer: "run-2".to_owned(),
        });
        let adopted = calendar.push(&[adopt])[0].clone().expect("done").expect("an item");
        assert_eq!((ours(&adopted), entry(&adopted)), (Some("our-7"), entry(&item)));
        assert_eq!([&item, &adopted].map(|item| item.writer.as_deref()), [None, Some("run-2")]);
        let moved = calendar.push(&[update(&adopted, |entry| entry.period = visit("", 12).period, Fields::PERIOD)]);
        let moved = moved[0].clone().expect("done").expect("an item");
        assert_eq!(entry(&moved).subject, "Theirs");
        let stored = foreign.get(&id).expect("there");
        for kept in ["CATEGORIES:Red", "X-COLOUR:blue", "TRIGGER:-PT15M", "SUMMARY:Theirs"] {
            assert!(stored.contains(kept), "{kept} is gone: {stored}");
        }
        assert_eq!(moved.uid, "theirs");
        let mark = |item: &Item, locked| {
            let mark = Mark { remote_id: item.remote_id.clone(), etag: item.etag.clone(), locked };
            calendar.push(&[Operation::Mark(mark)]).remove(0)
        };
        assert_eq!(mark(&adopted, true), Err(Failure::Conflict));
        let marked = mark(&moved, true).expect("done").expect("an item");
        assert_eq!((ours(&marked), entry(&marked)), (Some("our-7"), entry(&moved)));
        assert!(foreign.get(&id).expect("there").contains("CATEGORIES:Locked by ERP"));
        let moved = mark(&marked, false).expect("done").expect("an item");
        assert!(foreign.get(&id).expect("there").contains("CATEGORIES:Red\r\n"));
        let disowned =
            calendar.push(&[Operation::Disown(reference(&moved))])[0].clone().expect("done").expect("an item");
        assert_eq!((ours(&disowned), entry(&disowned)), (None, entry(&moved)));
        assert_eq!(disowned.writer, None);
        assert!(calendar.find(&["our-7"])[0].is_empty());
    });
}

#[test]
fn occurrences_of_one_series_are_changed_together() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let id = format!("{path}daily.ics");
        let daily = ["DTSTART:20261201T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:Daily"];
        foreign.put(&id, &object("daily", &daily));
        let at = |day: u32| format!("{id}#202612{day:02}T090000Z");
        let (second, third, fourth) = (at(2), at(3), at(4));
        let items = calendar.fetch(&[&second, &third, &fourth]);
        let items: Vec<Item> = items.into_iter().map(|item| item.expect("there").expect("an item")).collect();
        host.memory.count();
        let outcomes = calendar.push(&[
            update(&items[0], |entry| entry.subject = "Moved".to_owned(), Fields::SUBJECT),
            Operation::Delete(reference(&items[1])),
            update(&items[2], |entry| entry.location = "Here".to_owned(), Fields::LOCATION),
            Operation::Delete(Reference { remote_id: at(9), etag: items[0].etag.clone() }),
        ]);
        let writes = host.memory.requests.take().into_iter().filter(|request| request.starts_with("PUT")).count();
        assert_eq!(writes, 1);
        let first = outcomes[0].clone().expect("done").expect("an item");
        assert_eq!((first.remote_id.as_str(), entry(&first).subject.as_str()), (second.as_str(), "Moved"));
        assert_eq!(outcomes[1], Ok(None));
        assert_eq!(entry(&outcomes[2].clone().expect("done").expect("an item")).location, "Here");
        assert_eq!(outcomes[3], Err(Failure::Gone));
        let answers = calendar.fetch(&[&second, &third, &id]);
        assert_eq!(answers[0], Ok(Some(first)));
        assert_eq!(answers[1], Ok(None));
        assert_eq!(entry(answers[2].clone().expect("there").as_ref().expect("the series")).subject, "Daily");
    });
}

#[test]
fn a_hundred_creations_cost_a_request_each() {
    let radicale = Radicale::start();
    let (host, path) = (Real::new(PASSWORD), radicale.calendar("work"));
    let calendar = Calendar::new(&host, &radicale.origin(), &path);
    let batch: Vec<Operation> = (0..100).map(|number| create(number, visit(&format!("Visit {number}"), 9))).collect();
    let outcomes = calendar.push(&batch);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Some(_)))), "{outcomes:?}");
    assert_eq!(host.memory.count(), 100);
    assert_eq!(std::fs::read_dir(radicale.folder(&path)).expect("the folder").count(), 102, "besides .Radicale.*");
}

#[test]
fn what_becomes_of_one_operation_does_not_touch_the_others() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let mut items: Vec<Item> = (1..=3).map(|number| calendar.create(number, visit("Visit", 9))).collect();
        foreign.put(&items[1].remote_id, &meeting(&key(2), 3, 9));
        items[2].remote_id = "/user/work/../../x.ics".to_owned();
        let outcomes = calendar.push(&[
            update(&items[0], |entry| entry.subject = "Done".to_owned(), Fields::SUBJECT),
            Operation::Delete(reference(&items[1])),
            Operation::Delete(reference(&items[2])),
            create(4, visit("New", 10)),
        ]);
        assert!(matches!(outcomes[0], Ok(Some(_))), "{outcomes:?}");
        assert_eq!(outcomes[1], Err(Failure::Conflict));
        assert!(matches!(outcomes[2], Err(Failure::Permanent(_))), "{outcomes:?}");
        assert!(matches!(outcomes[3], Ok(Some(_))), "{outcomes:?}");
    });
}

#[test]
fn nothing_is_written_that_would_send_mail() {
    fn schedules(request: &Request, mut response: Response) -> Response {
        if request.method == "OPTIONS" {
            response.headers.push(("dav".to_owned(), "1, calendar-access, calendar-auto-schedule".to_owned()));
        }
        response
    }
    let radicale = Radicale::start();
    let (foreign, path) = (radicale.foreign_user(), radicale.calendar("work"));
    let id = format!("{path}meeting.ics");
    let mut host = Real::new(PASSWORD);
    for (disguise, allowed) in
        [(schedules as fn(&Request, Response) -> Response, false), (|_, response| response, true)]
    {
        host.disguise = disguise;
        let calendar = Calendar::new(&host, &radicale.origin(), &path);
        let people = [
            "DTSTART:20261201T090000Z",
            "DTEND:20261201T100000Z",
            "SUMMARY:Together",
            "ORGANIZER:mailto:user@example.com",
            "ATTENDEE:mailto:other@example.com",
        ];
        foreign.put(&id, &object("meeting", &people));
        let item = calendar.fetch(&[&id])[0].clone().expect("there").expect("an item");
        assert!(item.has_attendees);
        let outcomes = [
            calendar
                .push(&[update(&item, |entry| entry.subject = "Else".to_owned(), Fields::SUBJECT)])
                .remove(0)
                .map(|_| ()),
            calendar.push(&[Operation::Delete(reference(&item))]).remove(0).map(|_| ()),
        ];
        for outcome in outcomes {
            match outcome {
                Err(Failure::Permanent(words)) => {
                    assert!(!allowed && words.contains("would send them mail"), "{words}")
                }
                // The second knows the tag from before the first.
                Ok(()) | Err(Failure::Conflict) => assert!(allowed),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_calendar_that_is_not_there_is_gone() {
    with_each_server(|host, _, origin, path| {
        let calendar = Calendar::new(host, origin, &path.replace("work", "nowhere").replace("silent", "nowhere"));
        assert_eq!(calendar.push(&[create(1, visit("Visit", 9))]), [Err(Failure::Gone)]);
    });
}

#[test]
fn a_server_that_fails_leaves_it_open_whether_something_was_written() {
    let radicale = Radicale::start();
    let path = radicale.calendar("work");
    let mut host = Real::new(PASSWORD);
    host.disguise = |request, response| if request.method == "PUT" { answer(502, &[], "") } else { response };
    let calendar = Calendar::new(&host, &radicale.origin(), &path);
    let outcome = calendar.push(&[create(1, visit("Visit", 9))]).remove(0);
    assert!(matches!(outcome, Err(Failure::Transient(_))), "{outcome:?}");
    // It had been written, and is found.
    assert_eq!(calendar.find(&["our-1"])[0].len(), 1);
}

#[test]
fn a_series_goes_with_its_last_occurrence() {
    with_each_server(|host, foreign, origin, path| {
        let calendar = Calendar::new(host, origin, path);
        let id = format!("{path}daily.ics");
        let daily = ["DTSTART:20261201T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:Daily"];
        foreign.put(&id, &object("daily", &daily));
        let (first, second) = (format!("{id}#20261201T090000Z"), format!("{id}#20261202T090000Z"));
        let delete = |id: &str| {
            let item = calendar.fetch(&[id]).remove(0).expect("there").expect("an item");
            calendar.push(&[Operation::Delete(reference(&item))]).remove(0)
        };
        assert_eq!(delete(&first), Ok(None));
        assert!(foreign.get(&id).is_some());
        assert_eq!(delete(&second), Ok(None));
        assert_eq!(foreign.get(&id), None);
    });
}
