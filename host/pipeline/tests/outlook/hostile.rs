//! Guards, and broken and hostile connectors and servers: what is there stays there.

use apptsync_model::ActivityStatus;
use apptsync_model::outlook::{Content, ItemKind, LinkState, Occurrence, Origin};
use apptsync_model::{Instant, Period};
use apptsync_pipeline::outlook::reconnect;
use apptsync_store::{OutlookStore, SyncState};

use crate::server::Faults;
use crate::world::{DAY, HOUR, World, entry, text, writes};

/// So many activities, linked.
fn linked(world: &mut World, origin: Origin, count: i64) -> Vec<i64> {
    let ids = (0..count).map(|number| world.create(origin, &format!("Visit {number}"), DAY + number * HOUR)).collect();
    world.settle(2);
    ids
}

/// Nothing was canceled here, and nothing deleted there.
fn assert_nothing_lost(world: &World, count: usize) {
    assert!(world.activities().iter().all(|activity| !activity.canceled), "nothing is canceled");
    assert_eq!(world.activities().len(), count);
}

#[test]
fn guard_1_many_deletions_wait_for_approval_by_hash() {
    let mut world = World::new();
    let ids = linked(&mut world, Origin::Headquarters, 20);
    ids.iter().take(6).for_each(|id| world.cancel(*id));
    let report = world.sync();
    assert_eq!((report.state, writes(&report)), (SyncState::Held, 0));
    assert!(report.reasons[0].starts_with("G1: 6 of 20"), "{:?}", report.reasons);
    assert_eq!(world.server.items().len(), 20, "nothing partial is applied");
    assert_eq!(world.approve("0000000000000000").state, SyncState::Held, "another hash approves nothing");
    let hash = world.store.held_plan(world.profile().id).expect("read").expect("kept").hash;
    assert_eq!(hash, report.plan.hash());
    assert_eq!(world.approve(&hash).operations.delete, 6);
    assert_eq!(world.server.items().len(), 14);
    assert_eq!(world.store.held_plan(world.profile().id).expect("read"), None);
}

#[test]
fn guard_1_counts_cancellations_of_activities_too() {
    let mut world = World::new();
    let start = world.now.0 + DAY;
    let ids: Vec<String> = (0..8)
        .map(|number| world.server.add(ItemKind::Appointment, entry(&format!("Mine {number}"), start), |_| {}))
        .collect();
    world.settle(2);
    ids.iter().for_each(|id| world.server.delete(id));
    assert_eq!(world.sync().state, SyncState::Held);
    assert_nothing_lost(&world, 8);
}

#[test]
fn guard_2_an_emptied_calendar_holds_the_plan() {
    let mut world = World::new();
    linked(&mut world, Origin::Mobile, 10);
    world.server.empty();
    world.pass(DAY);
    let report = world.sync();
    assert_eq!((report.state, writes(&report)), (SyncState::Held, 0));
    assert!(report.reasons.iter().any(|reason| reason.starts_with("G2")), "{:?}", report.reasons);
    assert_nothing_lost(&world, 10);
}

#[test]
fn guard_3_nothing_is_deleted_right_after_a_cursor_expired() {
    let mut world = World::new();
    let start = world.now.0 + DAY;
    let id = world.server.add(ItemKind::Appointment, entry("Mine", start), |_| {});
    linked(&mut world, Origin::Headquarters, 5);
    world.server.delete(&id);
    world.server.faults(|faults| faults.expire = true);
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held);
    assert!(report.reasons[0].starts_with("G3"), "{:?}", report.reasons);
    assert_nothing_lost(&world, 6);
    // It stays so until somebody approves.
    assert_eq!(world.sync().state, SyncState::Held);
    let hash = world.plan().plan.hash();
    assert_eq!(world.approve(&hash).operations.import, 1);
}

#[test]
fn guard_3_holds_after_the_connection_was_made_anew() {
    let mut world = World::new();
    let ids = linked(&mut world, Origin::Headquarters, 5);
    reconnect(&world.store, world.profile().id).expect("reconnected");
    world.cancel(ids[0]);
    assert_eq!(world.sync().state, SyncState::Held);
    assert_eq!(world.server.items().len(), 5);
}

#[test]
fn guard_4_many_updates_and_one_shift_for_all_hold_the_plan() {
    let mut world = World::new();
    let ids = linked(&mut world, Origin::Headquarters, 30);
    for id in &ids {
        world.edit(*id, |fields| fields.description = "rewritten".to_owned());
    }
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held);
    assert!(report.reasons[0].starts_with("G4: 30 of 30"), "{:?}", report.reasons);
    let mut world = World::new();
    let ids = linked(&mut world, Origin::Headquarters, 30);
    for id in ids.iter().take(5) {
        let remote = world.remote_of(*id);
        world.server.edit(&remote, |entry| {
            if let Some(Period::Timed { start, end }) = &mut entry.period {
                (*start, *end) = (Instant(start.0 + HOUR), Instant(end.0 + HOUR));
            }
        });
    }
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held);
    assert!(report.reasons[0].contains("moved by 60 minutes"), "{:?}", report.reasons);
}

#[test]
fn guard_5_fields_that_become_empty_hold_the_plan() {
    let mut world = World::with(|profile| profile.text_priority = apptsync_model::outlook::TextPriority::Outlook);
    let ids = linked(&mut world, Origin::Headquarters, 20);
    for id in ids.iter().take(5) {
        let remote = world.remote_of(*id);
        world.server.edit(&remote, |entry| entry.body.clear());
    }
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held);
    assert!(report.reasons[0].starts_with("G5"), "{:?}", report.reasons);
    assert_eq!(world.activity(ids[0]).description, "as agreed");
}

#[test]
fn guard_6_a_write_that_would_mail_people_holds_the_plan() {
    let mut world = World::new();
    let start = world.now.0 + DAY;
    let remote = world.server.add(ItemKind::Appointment, entry("Board", start), |item| item.has_attendees = true);
    world.settle(2);
    let id = world.activities()[0].id;
    world.edit(id, |fields| fields.subject = "Ours".to_owned());
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held);
    assert!(report.reasons[0].starts_with("G6"), "{:?}", report.reasons);
    assert_eq!(text(&world.server.get(&remote).expect("there").item.content).0, "Board");
    world.change_profile(|profile| profile.guards.mail_attendees = true);
    assert_eq!(world.sync().operations.update, 1);
}

#[test]
fn guard_7_a_series_that_explodes_holds_the_plan() {
    let mut world = World::with(|profile| profile.guards.occurrences = 20);
    for hour in 0..21 {
        let start = Instant(world.now.0 + DAY + hour * HOUR);
        world.server.add(ItemKind::Appointment, entry("Every hour", start.0), |item| {
            item.occurrence = Some(Occurrence { series: "series".to_owned(), original_start: start });
        });
    }
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held);
    assert!(report.reasons[0].starts_with("G7: one series would become 21"), "{:?}", report.reasons);
    assert!(world.activities().is_empty());
}

#[test]
fn guard_8_what_goes_back_and_forth_is_put_in_quarantine() {
    let mut world = World::with(|profile| profile.text_priority = apptsync_model::outlook::TextPriority::Outlook);
    let id = world.create(Origin::Headquarters, "Tick", DAY);
    world.sync();
    let remote = world.remote_of(id);
    for round in 0..12 {
        let subject = if round % 2 == 0 { "Tock" } else { "Tick" };
        world.server.edit(&remote, |entry| entry.subject = subject.to_owned());
        world.sync();
    }
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Quarantined);
    world.server.edit(&remote, |entry| entry.subject = "Again".to_owned());
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn caps_leave_the_rest_to_the_next_run() {
    let mut world = World::with(|profile| profile.guards.creations_a_run = 3);
    for number in 0..7 {
        world.create(Origin::Headquarters, &format!("Visit {number}"), DAY + number * HOUR);
    }
    let created: Vec<u64> = (0..4).map(|_| world.sync().operations.create).collect();
    assert_eq!(created, [3, 3, 1, 0]);
}

#[test]
fn a_connector_that_drops_every_third_item_loses_nothing() {
    let mut world = World::new();
    linked(&mut world, Origin::Headquarters, 30);
    world.server.faults(|faults| faults.drops_every_third = true);
    for _ in 0..5 {
        world.pass(DAY);
        world.sync();
    }
    assert_nothing_lost(&world, 30);
    assert_eq!(world.server.items().len(), 30, "and nothing is doubled");
}

#[test]
fn a_connector_that_takes_everything_for_gone_is_held() {
    let mut world = World::new();
    let start = world.now.0 + DAY;
    for number in 0..10 {
        world.server.add(ItemKind::Appointment, entry(&format!("Mine {number}"), start), |_| {});
    }
    world.settle(2);
    world.server.faults(|faults| {
        *faults = Faults { denies: true, drops_every_third: true, always_full: true, ..Faults::default() }
    });
    for _ in 0..4 {
        world.pass(DAY);
        world.sync();
    }
    let canceled = world.activities().iter().filter(|activity| activity.canceled).count();
    assert!(canceled <= 5, "no more than the guard allows: {canceled}");
    assert_eq!(world.server.items().len(), 10);
}

#[test]
fn a_connector_that_lies_about_its_writes_is_found_out() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.server.faults(|faults| faults.lies = true);
    world.sync();
    world.server.faults(|faults| *faults = Faults::default());
    assert!(world.server.items().is_empty());
    // The daily check of everything does not find it.
    world.pass(DAY);
    world.settle(4);
    assert_eq!(world.server.items().len(), 1, "made after all");
    assert!(!world.activity(id).canceled);
}

#[test]
fn a_connector_without_echo_comes_to_rest() {
    let mut world = World::new();
    linked(&mut world, Origin::Mobile, 5);
    world.server.faults(|faults| faults.has_no_echo = true);
    for _ in 0..3 {
        assert_eq!(writes(&world.sync()), 0, "what says the same is the same, whatever its etag");
    }
}

#[test]
fn a_connector_without_idempotence_doubles_nothing_when_answers_are_lost() {
    let mut world = World::new();
    world.create(Origin::Headquarters, "Visit", DAY);
    world
        .server
        .faults(|faults| *faults = Faults { ignores_keys: true, lose_answers_after: Some(0), ..Faults::default() });
    for _ in 0..3 {
        world.sync();
    }
    assert_eq!(world.server.items().len(), 1, "it is looked for before it is made again");
}

#[test]
fn a_refused_credential_is_never_a_deletion() {
    let mut world = World::new();
    linked(&mut world, Origin::Headquarters, 5);
    world.server.faults(|faults| faults.refuses = true);
    let report = world.sync();
    assert_eq!((report.state, writes(&report)), (SyncState::Reconnect, 0));
    assert_nothing_lost(&world, 5);
    world.server.faults(|faults| *faults = Faults::default());
    assert_eq!(world.sync().state, SyncState::Completed);
}

#[test]
fn a_throttled_run_says_so_and_the_next_goes_on() {
    let mut world = World::new();
    for number in 0..6 {
        world.create(Origin::Headquarters, &format!("Visit {number}"), DAY + number * HOUR);
    }
    world.server.faults(|faults| faults.throttles = 3);
    let report = world.sync();
    assert_eq!((report.state, world.server.items().len()), (SyncState::Throttled, 3));
    world.settle(2);
    assert_eq!(world.server.items().len(), 6);
}

#[test]
fn row_p8_a_delayed_activity_of_mobile_is_frozen() {
    let mut world = World::new();
    let id = world.create(Origin::Mobile, "Visit", HOUR);
    world.sync();
    let remote = world.remote_of(id);
    world.pass(3 * HOUR);
    world.delay(id);
    assert_eq!(world.activity(id).status, ActivityStatus::Delayed);
    world.server.edit(&remote, |entry| entry.subject = "Mine".to_owned());
    assert_eq!(writes(&world.sync()), 0, "row P8");
    let Content::Entry(stored) = world.server.get(&remote).expect("there").item.content else { panic!("an entry") };
    assert_eq!(stored.subject, "Mine");
}
