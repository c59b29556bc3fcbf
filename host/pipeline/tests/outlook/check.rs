//! The daily check by ids and versions (outlook.md 2.3): what a server forgot to tell is found, and only that is read.

use apptsync_model::outlook::{Entry, ItemKind, LinkState, Origin, RemoteItem, TextPriority};
use apptsync_store::{OutlookStore, SyncState};

use crate::world::{DAY, HOUR, World, entry, text, writes};

/// A world whose server lists versions, with so many items of the user's own that are linked.
fn listing(count: i64) -> World {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Outlook);
    world.server.faults(|faults| faults.has_versions = true);
    for number in 0..count {
        let start = world.now.0 + 3 * DAY + number * HOUR;
        world.server.add(ItemKind::Appointment, entry(&format!("Mine {number}"), start), |_| {});
    }
    world.settle(2);
    world
}

fn id_of(world: &World, subject: &str) -> String {
    world.server.find(subject).expect("there").item.remote_id
}

fn cursor(world: &World) -> apptsync_model::outlook::SyncCursor {
    let cursor = world.store.sync_cursor(world.profile().id, ItemKind::Appointment).expect("read");
    cursor.expect("a cursor")
}

fn rename(subject: &str) -> impl FnOnce(&mut RemoteItem) + use<'_> {
    move |item| {
        if let apptsync_model::outlook::Content::Entry(Entry { subject: written, .. }) = &mut item.content {
            subject.clone_into(written);
        }
    }
}

#[test]
fn a_day_without_news_reads_nothing() {
    let mut world = listing(20);
    for page in [0, 7] {
        let (listed, full) = world.server.checks();
        let (asked, before) = (world.server.fetched(), cursor(&world));
        world.server.faults(|faults| faults.page = page);
        world.pass(DAY + HOUR);
        assert_eq!(writes(&world.sync()), 0);
        let now = cursor(&world);
        assert_eq!((&now.cursor, now.listed, now.full_at), (&before.cursor, before.listed, world.now));
        assert!(world.server.checks().0 > listed && world.server.checks().1 == full, "no second full reading");
        assert_eq!(world.server.fetched(), asked);
        world.pass(HOUR);
        let (listed, _) = world.server.checks();
        assert_eq!(writes(&world.sync()), 0);
        assert_eq!(world.server.checks(), (listed, full), "once a day is enough");
    }
}

#[test]
fn what_the_server_forgot_to_tell_is_found_and_nothing_else_is_read() {
    let mut world = listing(20);
    let edited = id_of(&world, "Mine 3");
    world.server.change_silently(&edited, rename("Mine, edited"));
    let start = world.now.0 + 5 * DAY;
    let new = world.server.add(ItemKind::Appointment, entry("New", start), |_| {});
    world.server.change_silently(&new, |_| {});
    world.server.forget_last();
    world.server.lose(&id_of(&world, "Mine 7"));
    assert_eq!(writes(&world.sync()), 0, "no word of it");
    let ((_, full), asked) = (world.server.checks(), world.server.fetched());

    world.pass(DAY + HOUR);
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held, "{:#?}", report.plan.steps);
    assert!(report.reasons[0].starts_with("G3: 1 items"), "{:?}", report.reasons);
    let found = world.server.fetched() - asked;
    assert!((3..=4).contains(&found), "the three, and the one that is gone once more: {found}");
    assert_eq!(world.approve(&report.plan.hash()).operations.import, 3);
    let subjects: Vec<String> =
        world.activities().iter().filter(|activity| !activity.canceled).map(|found| found.subject.clone()).collect();
    assert!(subjects.contains(&"Mine, edited".to_owned()) && subjects.contains(&"New".to_owned()), "{subjects:?}");
    assert!(!subjects.contains(&"Mine 7".to_owned()));
    assert_eq!(world.server.checks().1, full);
    world.settle(2);
}

#[test]
fn an_edit_alone_is_taken_over_without_a_word_of_the_guards() {
    let mut world = listing(20);
    let edited = id_of(&world, "Mine 3");
    world.server.change_silently(&edited, rename("Mine, edited"));
    world.pass(DAY + HOUR);
    let report = world.sync();
    assert_eq!((report.state, report.operations.import), (SyncState::Completed, 1), "{:?}", report.reasons);
    assert!(!cursor(&world).rebuilt);
}

#[test]
fn what_slides_into_the_window_is_new_on_that_day() {
    let mut world = World::new();
    world.server.faults(|faults| faults.has_versions = true);
    let start = world.now.0 + 30 * DAY + 3 * HOUR;
    world.server.add(ItemKind::Appointment, entry("Later", start), |_| {});
    world.settle(2);
    assert!(world.activities().is_empty());
    world.pass(DAY + HOUR);
    assert_eq!(world.sync().operations.import, 1);
    assert_eq!(world.server.checks().1, 2, "for appointments and tasks, when they were connected");
}

#[test]
fn a_private_item_is_looked_at_and_forgotten() {
    let mut world = listing(1);
    let start = world.now.0 + 5 * DAY;
    world.server.add(ItemKind::Appointment, entry("Hidden", start), |item| item.private = true);
    for _ in 0..3 {
        world.pass(DAY + HOUR);
        assert_eq!(writes(&world.sync()), 0);
        assert_eq!(world.activities().len(), 1);
        assert!(world.store.observations(world.profile().id).expect("read").is_empty(), "not even that it is there");
    }
}

#[test]
fn a_server_that_does_not_say_whether_it_is_gone_is_asked_again() {
    let mut world = World::new();
    world.server.faults(|faults| faults.has_versions = true);
    let id = world.create(Origin::Headquarters, "Visit", 3 * DAY);
    world.settle(2);
    world.server.lose(&world.remote_of(id));
    world.pass(DAY + HOUR);
    world.server.faults(|faults| faults.does_not_say = true);
    assert_eq!(writes(&world.sync()), 0);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Linked);
    world.server.faults(|faults| faults.does_not_say = false);
    assert_eq!(world.sync().operations.create, 1, "made anew once it is known");
    assert_eq!(text(&world.server.get(&world.remote_of(id)).expect("there").item.content).0, "Visit");
}

#[test]
fn a_server_that_refuses_to_list_is_read_whole() {
    let mut world = listing(3);
    world.server.lose(&id_of(&world, "Mine 1"));
    world.server.faults(|faults| faults.refuses_listings = true);
    let full = world.server.checks().1;
    world.pass(DAY + HOUR);
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held, "what is missing is found: {:?}", report.messages);
    assert!(world.server.checks().1 > full);
    assert!(report.messages.iter().any(|message| message.text.contains("reads everything")), "{:?}", report.messages);
}
