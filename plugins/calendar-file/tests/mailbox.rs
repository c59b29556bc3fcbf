//! The connector's answers, natively, on files in a temporary folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use apptsync_plugin::connector::{
    Account, Change, Content, Create, Entry, Fields, Identity, Item, Kind, Mark, Operation, Outcome, Reference, Update,
    Window,
};
use apptsync_plugin::types::{Failure, Instant, Period, Priority, Timed};
use calendar_file::Mailbox;
use proptest::prelude::*;
use tempfile::TempDir;

/// 2026-12-01T08:00:00Z.
const NOW: Instant = 1_796_112_000;
const DAY: i64 = 86_400;
const WINDOW: Window = Window { start: NOW - 400 * DAY, end: NOW + 400 * DAY };
const EVENT: Kind = Kind::Appointment;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a file around some components, which are given with bare line feeds.
    fn with(components: &str) -> Self {
        let folder = Self::new();
        fs::write(folder.path(), calendar(components)).unwrap();
        folder
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("anna@example.com.ics")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn mailbox(&self) -> Mailbox {
        let (server, mailbox, zone) = (String::new(), "anna@example.com".to_owned(), "Europe/Warsaw".to_owned());
        Mailbox::new(self.0.path().to_owned(), &Account { server, mailbox, zone }, NOW).unwrap()
    }

    fn push(&self, batch: &[Operation]) -> Vec<Outcome> {
        self.mailbox().push(EVENT, batch).unwrap()
    }

    fn only(&self, operation: Operation) -> Outcome {
        self.push(&[operation]).remove(0)
    }

    /// All that a pull lists, page by page.
    fn pulled(&self, kind: Kind) -> (Vec<Item>, String) {
        let (mut items, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.mailbox().pull(kind, &WINDOW, cursor.as_deref()).unwrap();
            assert!(page.full && page.changes.len() <= 1_024);
            for change in page.changes {
                match change {
                    Change::Present(item) => items.push(item),
                    Change::Series(series) => items.extend(series.occurrences),
                    Change::Removed(id) => panic!("{id} removed in a full listing"),
                    Change::Known(known) => panic!("{known:?} in a full listing"),
                }
            }
            if page.done {
                return (items, page.next);
            }
            cursor = Some(page.next);
        }
    }

    fn fetched(&self, id: &str) -> Result<Option<Item>, Failure> {
        self.mailbox().fetch(EVENT, &[id.to_owned()]).unwrap().remove(0)
    }
}

fn calendar(components: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nX-MINE:kept\n{}\nEND:VCALENDAR\n", components.trim()).replace('\n', "\r\n")
}

fn event(uid: &str, lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nDTSTART:20261201T090000Z\nDTEND:20261201T100000Z\n{}\nEND:VEVENT", lines.trim())
}

fn visit(subject: &str) -> Entry {
    Entry {
        subject: subject.to_owned(),
        body: "Two\nlines".to_owned(),
        location: "Kraków".to_owned(),
        period: Some(Period::Timed(Timed { start: NOW + DAY, end: NOW + DAY + 3_600 })),
        zone: "Europe/Warsaw".to_owned(),
        priority: Priority::Normal,
        completed: None,
    }
}

fn key(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn create(number: usize) -> Operation {
    let content = Content::Entry(visit(&format!("Visit {number}")));
    Operation::Create(Create { key: key(number), our_id: format!("our-{number}"), writer: "run-1".to_owned(), content })
}

fn update(item: &Item, entry: Entry, fields: Fields) -> Operation {
    let (remote_id, etag) = (item.remote_id.clone(), item.etag.clone());
    Operation::Update(Update {
        remote_id,
        etag,
        content: Content::Entry(entry),
        fields,
        our_id: None,
        writer: "run-2".to_owned(),
    })
}

fn reference(item: &Item) -> Reference {
    Reference { remote_id: item.remote_id.clone(), etag: item.etag.clone() }
}

fn done(outcome: Outcome) -> Item {
    match outcome {
        Outcome::Done(Some(item)) => item,
        other => panic!("{other:?}"),
    }
}

fn entry(item: &Item) -> &Entry {
    match &item.content {
        Content::Entry(entry) => entry,
        Content::Contact(_) => panic!("a contact"),
    }
}

#[test]
fn without_a_file_the_calendar_is_empty_and_the_first_write_makes_it() {
    let folder = Folder::new();
    let connection = folder.mailbox().probe().unwrap();
    assert!(connection.reads_own_writes);
    let kinds: Vec<_> =
        connection.collections.iter().map(|found| (found.id.as_str(), found.kind, found.writable)).collect();
    assert_eq!(kinds, [("calendar", Kind::Appointment, true), ("tasks", Kind::Task, true)]);
    assert_eq!(folder.pulled(EVENT).0, []);
    assert!(!folder.path().exists());

    let made = done(folder.only(create(1)));
    assert_eq!((made.remote_id.as_str(), &made.identity), (key(1).as_str(), &Identity::Ours("our-1".to_owned())));
    assert_eq!(entry(&made), &visit("Visit 1"));
    assert!(folder.text().contains("METHOD:PUBLISH\r\nX-WR-CALNAME:anna@example.com\r\n"));
    assert_eq!(folder.pulled(EVENT).0, std::slice::from_ref(&made));
    assert_eq!(folder.pulled(Kind::Task).0, []);
    assert_eq!(folder.fetched(&made.remote_id), Ok(Some(made.clone())));
    assert_eq!(folder.mailbox().find(EVENT, &["our-2".to_owned(), "our-1".to_owned()]).unwrap(), [vec![], vec![made]]);
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 1);
    // Made once: the second attempt finds it.
    let before = folder.text();
    assert_eq!(folder.only(create(1)), Outcome::Failed(Failure::Conflict));
    assert_eq!(folder.text(), before);
}

#[test]
fn a_large_file_comes_in_pages_of_one_state() {
    let events: Vec<String> = (0..2_500).map(|number| event(&format!("e{number}"), "")).collect();
    let folder = Folder::with(&events.join("\n"));
    let (items, _) = folder.pulled(EVENT);
    let ids: Vec<String> = items.into_iter().map(|item| item.remote_id).collect();
    assert_eq!(ids, (0..2_500).map(|number| format!("e{number}")).collect::<Vec<_>>());

    let first = folder.mailbox().pull(EVENT, &WINDOW, None).unwrap();
    assert!(!first.done);
    fs::write(folder.path(), calendar(&events[1..].join("\n"))).unwrap();
    // The next pass begins anew; nothing has expired.
    let saved = folder.mailbox().pull(EVENT, &WINDOW, Some(&first.next));
    assert!(matches!(saved, Err(Failure::Transient(_))), "{saved:?}");
    assert_eq!(folder.mailbox().pull(EVENT, &WINDOW, Some("x+y")), Err(Failure::Gone));
}

#[test]
fn pages_stay_within_what_an_answer_may_have() {
    let long = "x".repeat(60_000);
    let events: Vec<String> =
        (0..150).map(|number| event(&format!("e{number}"), &format!("DESCRIPTION:{long}"))).collect();
    // More than an answer holds, out of very little.
    let bomb = event("bomb", &format!("RRULE:FREQ=DAILY\nDESCRIPTION:{long}"));
    let folder = Folder::with(&format!("{bomb}\n{}", events.join("\n")));
    let (mut cursor, mut pages, mut items) = (None, 0, 0);
    loop {
        let page = folder.mailbox().pull(EVENT, &WINDOW, cursor.as_deref()).unwrap();
        let bytes: usize = page
            .changes
            .iter()
            .map(|change| match change {
                Change::Present(item) => apptsync_calendar::size(item),
                other => panic!("{other:?}"),
            })
            .sum();
        assert!(bytes < 5 << 20, "{bytes} bytes");
        (pages, items) = (pages + 1, items + page.changes.len());
        if page.done {
            break;
        }
        cursor = Some(page.next);
    }
    assert_eq!((items, pages > 1), (150, true));
    // It is still there for those who ask for it.
    assert!(folder.fetched("bomb#20261202T090000Z").unwrap().is_some());
}

#[test]
fn writes_ask_for_the_state_that_they_were_decided_on() {
    let folder = Folder::new();
    let made = done(folder.only(create(1)));
    let renamed = done(folder.only(update(&made, visit("Renamed"), Fields::SUBJECT)));
    assert_eq!(entry(&renamed).subject, "Renamed");
    assert_ne!(renamed.etag, made.etag);
    assert_eq!([made.writer.as_deref(), renamed.writer.as_deref()], [Some("run-1"), Some("run-2")]);
    let stale = [
        update(&made, visit("Stale"), Fields::SUBJECT),
        Operation::Delete(reference(&made)),
        Operation::Disown(reference(&made)),
        update(&Item { remote_id: "nobody".to_owned(), ..made.clone() }, visit(""), Fields::SUBJECT),
    ];
    let before = folder.text();
    let outcomes = folder.push(&stale);
    let expected = [Failure::Conflict, Failure::Conflict, Failure::Conflict, Failure::Gone].map(Outcome::Failed);
    assert_eq!(outcomes, expected);
    assert_eq!(folder.text(), before);

    let mark = |item: &Item, locked| {
        Operation::Mark(Mark { remote_id: item.remote_id.clone(), etag: item.etag.clone(), locked })
    };
    assert_eq!(folder.only(mark(&made, true)), Outcome::Failed(Failure::Conflict));
    let marked = done(folder.only(mark(&renamed, true)));
    assert_eq!((&marked.content, marked.uid.as_str()), (&renamed.content, made.remote_id.as_str()));
    assert!(folder.text().contains("CATEGORIES:Locked by ERP"));
    let renamed = done(folder.only(mark(&marked, false)));
    assert!(!folder.text().contains("Locked by ERP"));

    let disowned = done(folder.only(Operation::Disown(reference(&renamed))));
    assert_eq!((&disowned.identity, &disowned.writer), (&Identity::None, &None));
    assert_eq!(folder.only(Operation::Delete(reference(&disowned))), Outcome::Done(None));
    assert_eq!(folder.fetched(&made.remote_id), Ok(None));
    assert!(!folder.text().contains("VEVENT"));
}

#[test]
fn occurrences_of_one_series_are_written_in_one_batch() {
    let folder = Folder::with(&event("w#1", "SUMMARY:weekly\nRRULE:FREQ=WEEKLY;COUNT=4"));
    let items = folder.pulled(EVENT).0;
    let ids: Vec<&str> = items.iter().map(|item| item.remote_id.as_str()).collect();
    assert_eq!(ids[..2], ["w#1#20261201T090000Z", "w#1#20261208T090000Z"]);
    let outcomes = folder.push(&[
        update(&items[1], visit("Changed"), Fields::SUBJECT | Fields::PERIOD),
        Operation::Delete(reference(&items[2])),
        update(&items[3], visit("Changed"), Fields::SUBJECT),
    ]);
    assert_eq!(entry(&done(outcomes[0].clone())).subject, "Changed");
    assert_eq!(outcomes[1], Outcome::Done(None));
    let after = folder.pulled(EVENT).0;
    let subjects: Vec<&str> = after.iter().map(|item| entry(item).subject.as_str()).collect();
    assert_eq!(subjects, ["weekly", "Changed", "Changed"]);
    assert_eq!(folder.fetched("w#1#20261215T090000Z"), Ok(None));
    let series = folder.fetched("w#1").unwrap().unwrap();
    assert_eq!((series.occurrence, series.remote_id.as_str()), (None, "w#1"));
    let shifted = folder.only(update(
        &Item { occurrence: None, remote_id: "w#1".to_owned(), ..after[0].clone() },
        visit(""),
        Fields::PERIOD,
    ));
    assert!(matches!(shifted, Outcome::Failed(Failure::Permanent(_))));
}

#[test]
fn what_cannot_be_read_is_kept_and_is_not_taken_for_gone() {
    let broken = "BEGIN:VEVENT\nUID:broken\nX-APPTSYNC-ID:our-9\nBEGIN:VALARM\nEND:VEVENT";
    let undated = "BEGIN:VEVENT\nUID:undated\nDTSTART:soon\nEND:VEVENT";
    let folder = Folder::with(&format!("{broken}\n{undated}\n{}", event("good", "")));
    let before = folder.text();
    let (items, _) = folder.pulled(EVENT);
    assert_eq!(items.len(), 1);
    for id in ["broken", "undated"] {
        assert!(matches!(folder.fetched(id), Err(Failure::Permanent(_))), "{id}");
    }
    assert_eq!(folder.fetched("absent"), Ok(None));
    // Nobody may conclude from it that our item is not there.
    assert!(matches!(folder.mailbox().find(EVENT, &["our-9".to_owned()]), Err(Failure::Transient(_))));
    assert_eq!(folder.mailbox().find(EVENT, &["our-8".to_owned()]).unwrap(), [vec![]]);
    done(folder.only(update(&items[0], visit("Changed"), Fields::SUBJECT)));
    let kept = before.split("BEGIN:VEVENT\r\nUID:good").next().unwrap();
    assert!(folder.text().starts_with(kept));

    let nameless = Folder::with(&format!("BEGIN:VEVENT\nSUMMARY:cut off\n{}", event("good", "")));
    assert!(nameless.fetched("good").unwrap().is_some());
    assert!(matches!(nameless.fetched("absent"), Err(Failure::Transient(_))));
}

#[test]
fn a_file_that_is_no_calendar_is_left_alone() {
    for (content, is_temporary) in [
        ("", true),
        ("{\"calendar\": true}", false),
        ("BEGIN:VCARD\nEND:VCARD\n", false),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n", true),
    ] {
        let folder = Folder::new();
        fs::write(folder.path(), content).unwrap();
        let failures = [
            folder.mailbox().probe().map(drop),
            folder.mailbox().pull(EVENT, &WINDOW, None).map(drop),
            folder.mailbox().fetch(EVENT, &["1".to_owned()]).map(drop),
            folder.mailbox().find(EVENT, &["1".to_owned()]).map(drop),
            folder.mailbox().push(EVENT, &[create(1)]).map(drop),
        ];
        for failure in failures {
            match failure {
                Err(Failure::Transient(why)) if is_temporary => {
                    assert!(why.contains("ends in the middle") || why.contains("is empty"), "{why}");
                }
                Err(Failure::Permanent(why)) if !is_temporary => assert!(why.contains("no iCalendar stream"), "{why}"),
                other => panic!("{content}: {other:?}"),
            }
        }
        assert_eq!(folder.text(), content);
    }
}

/// A fault of the file or its folder is no fault of an item: nothing was done, and nothing is said of the items.
#[test]
fn what_keeps_the_file_from_being_written_fails_the_whole_batch() {
    let folder = Folder::with(&event("theirs", ""));
    let before = folder.text();
    let beside = folder.path().with_extension("ics.new");
    fs::create_dir(&beside).unwrap();
    let failure = folder.mailbox().push(EVENT, &[create(1), create(2)]);
    assert!(matches!(failure, Err(Failure::Transient(_))), "{failure:?}");
    assert_eq!(folder.text(), before);
    fs::remove_dir(&beside).unwrap();

    let full = Folder::with(&event("long", &format!("X-LONG:{}", "x".repeat((16 << 20) - 1_000))));
    let many = Folder::with(&"BEGIN:VEVENT\nUID:u\nEND:VEVENT\n".repeat(50_000));
    for folder in [full, many] {
        let before = folder.text();
        let failure = folder.mailbox().push(EVENT, &[create(1), create(2)]);
        assert!(matches!(&failure, Err(Failure::Permanent(why)) if why.contains(" than ")), "{failure:?}");
        assert!(folder.text() == before);
    }
    fs::remove_dir_all(folder.0.path()).unwrap();
    let failure = folder.mailbox().push(EVENT, &[create(1)]);
    assert!(matches!(failure, Err(Failure::Transient(_))), "{failure:?}");
}

#[test]
fn private_items_never_give_their_texts() {
    let texts =
        "SUMMARY:secret\nDESCRIPTION:secret\nLOCATION:secret\nX-ALT-DESC;FMTTYPE=text/html:secret\nCLASS:PRIVATE";
    let folder = Folder::with(&format!(
        "{}\n{}",
        event("one", texts),
        event("many", &format!("{texts}\nRRULE:FREQ=DAILY;COUNT=3"))
    ));
    let (items, _) = folder.pulled(EVENT);
    assert_eq!(items.len(), 4);
    assert!(items.iter().all(|item| item.private));
    let answers = format!("{items:?}{:?}{:?}", folder.fetched("one"), folder.fetched("many"));
    assert!(!answers.contains("secret"));
}

#[test]
fn tasks_lie_in_the_same_file() {
    let folder = Folder::with(&event("a", ""));
    let task = Entry { period: None, zone: String::new(), completed: Some(NOW), ..visit("Call") };
    let create = Create {
        key: key(1),
        our_id: "our-1".to_owned(),
        writer: "run-1".to_owned(),
        content: Content::Entry(task.clone()),
    };
    let outcomes = folder.mailbox().push(Kind::Task, &[Operation::Create(create)]).unwrap();
    let made = done(outcomes[0].clone());
    assert_eq!((entry(&made), made.collection.as_str()), (&task, "tasks"));
    assert_eq!(folder.pulled(Kind::Task).0, [made]);
    assert_eq!(folder.pulled(EVENT).0.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Any batches against what a list of items would do, in a file with foreign items.
    #[test]
    fn the_file_is_what_was_written_and_what_was_there(
        batches in prop::collection::vec(prop::collection::vec((0_usize..6, 0_u8..4, "[a-z ,;]{0,80}"), 1..8), 1..6),
    ) {
        let foreign = event("foreign", "X-ODD;P=\"a:b\":1\nno content line\nATTENDEE:mailto:b@example.com\nCOMMENT:folded\n  on");
        let folder = Folder::with(&foreign);
        let mut expected: BTreeMap<String, Item> = BTreeMap::new();
        for batch in batches {
            let mut seen = std::collections::BTreeSet::new();
            // Operations of a batch are about different items.
            let chosen: Vec<_> = batch.into_iter().filter(|(number, ..)| seen.insert(*number)).collect();
            let operations: Vec<Operation> = chosen.iter().map(|(number, action, subject)| {
                match (expected.get(&key(*number)), action) {
                    (None, _) | (Some(_), 0) => create(*number),
                    (Some(item), 1) => Operation::Delete(reference(item)),
                    (Some(item), 2) => Operation::Disown(reference(item)),
                    (Some(item), _) => update(item, visit(subject.trim()), Fields::SUBJECT),
                }
            }).collect();
            let outcomes = folder.push(&operations);
            for ((number, action, subject), outcome) in chosen.into_iter().zip(outcomes) {
                match (expected.contains_key(&key(number)), action) {
                    (true, 0) => prop_assert_eq!(outcome, Outcome::Failed(Failure::Conflict)),
                    (true, 1) => {
                        prop_assert_eq!(outcome, Outcome::Done(None));
                        expected.remove(&key(number));
                    }
                    (was_there, _) => {
                        let item = done(outcome);
                        if was_there && action == 3 {
                            prop_assert_eq!(entry(&item).subject.as_str(), subject.trim());
                        }
                        expected.insert(key(number), item);
                    }
                }
            }
            let listed: BTreeMap<String, Item> = folder.pulled(EVENT).0.into_iter()
                .filter(|item| item.remote_id != "foreign")
                .map(|item| (item.remote_id.clone(), item)).collect();
            prop_assert_eq!(&listed, &expected);
            prop_assert!(folder.text().contains(&foreign.replace('\n', "\r\n")));
            prop_assert!(folder.text().contains("X-MINE:kept\r\n"));
        }
    }
}
