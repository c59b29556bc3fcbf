//! What must hold when circumstances are unusual: something comes back, is called off, turns private, is done by hand, or
//! breaks half-way.

use apptsync_model::outlook::{
    Contact, Content, DeletionPolicy, Entry, Identity, ItemKind, LinkState, Occurrence, Origin, TextPriority,
};
use apptsync_model::{ActivityStatus, Instant, Partner, Period};
use apptsync_pipeline::outlook::{Resolved, Row, resolve, synchronise};
use apptsync_store::{NewSyncRun, OutlookStore, Side, SyncState};

use crate::server::{OTHER, Stored};
use crate::world::{DAY, HOUR, NOON, World, entry, text, writes};

fn period(content: &Content) -> Option<Period> {
    match content {
        Content::Entry(entry) => entry.period,
        Content::Contact(_) => None,
    }
}

#[test]
fn what_was_gone_and_came_back_before_approval_is_neither_made_anew_nor_canceled() {
    let mut world = World::new();
    world.server.faults(|faults| faults.always_full = true);
    for number in 0..8 {
        world.server.add(ItemKind::Appointment, entry(&format!("Mine {number}"), world.now.0 + DAY), |_| {});
        world.create(Origin::Headquarters, &format!("Visit {number}"), DAY);
    }
    world.settle(2);
    let before = world.server.items();
    world.server.empty();
    let held = world.sync();
    assert_eq!(held.state, SyncState::Held);
    for stored in &before {
        world.server.put(stored.clone());
    }
    let report = world.sync();
    assert_eq!((report.state, writes(&report)), (SyncState::Completed, 0), "{:?}", report.reasons);
    assert_eq!(world.approve(&held.plan.hash()).operations, report.operations, "the held plan is no more");
    assert_eq!(world.server.items(), before);
    assert!(world.activities().iter().all(|activity| !activity.canceled));
}

#[test]
fn an_edit_that_was_taken_back_while_the_plan_was_held_is_none() {
    let mut world = World::new();
    world.server.faults(|faults| faults.always_full = true);
    let ids: Vec<i64> =
        (0..6).map(|number| world.create(Origin::Headquarters, &format!("Visit {number}"), DAY)).collect();
    world.settle(2);
    world.change_profile(|profile| profile.text_priority = TextPriority::Outlook);
    let before = world.server.items();
    for id in &ids {
        let remote = world.remote_of(*id);
        world.server.edit(&remote, |entry| entry.body = String::new());
    }
    assert_eq!(world.sync().state, SyncState::Held, "G5");
    for stored in &before {
        world.server.put(stored.clone());
    }
    let report = world.sync();
    assert_eq!((report.state, writes(&report)), (SyncState::Completed, 0), "{:?}", report.reasons);
    assert!(ids.iter().all(|id| world.activity(*id).description == "as agreed"));
}

#[test]
fn guard_3_what_the_daily_check_missed_waits_until_it_is_approved() {
    for has_versions in [false, true] {
        what_the_daily_check_missed_waits(has_versions);
    }
}

fn what_the_daily_check_missed_waits(has_versions: bool) {
    let mut world = World::new();
    world.server.faults(|faults| faults.has_versions = has_versions);
    for number in 0..8 {
        world.server.add(ItemKind::Appointment, entry(&format!("Mine {number}"), world.now.0 + 3 * DAY), |_| {});
    }
    world.settle(2);
    let missed: Vec<Stored> = world.server.items().into_iter().take(3).collect();
    missed.iter().for_each(|stored| world.server.lose(&stored.item.remote_id));
    world.pass(DAY + HOUR);
    let first = world.sync();
    assert_eq!(first.state, SyncState::Held);
    assert!(first.reasons[0].starts_with("G3: 3 items"), "{:?}", first.reasons);
    let second = world.sync();
    assert_eq!((second.state, writes(&second)), (SyncState::Held, 0), "the next run may not do it either");
    assert!(world.activities().iter().all(|activity| !activity.canceled));
    assert_eq!(world.approve(&second.plan.hash()).operations.import, 3);
}

#[test]
fn guard_2_a_listing_that_shrank_waits_until_it_is_approved() {
    let mut world = World::new();
    world.server.faults(|faults| faults.always_full = true);
    // Many of them are nobody's business.
    world.change_profile(|profile| profile.transfer = false);
    for number in 0..20 {
        world.server.add(ItemKind::Appointment, entry(&format!("Mine {number}"), world.now.0 + DAY), |_| {});
    }
    for number in 0..10 {
        world.create(Origin::Headquarters, &format!("Visit {number}"), DAY + number * HOUR);
    }
    world.settle(2);
    for stored in world.server.items() {
        let is_visit = text(&stored.item.content).0.starts_with("Visit");
        let is_last = ["Visit 7", "Visit 8", "Visit 9"].contains(&text(&stored.item.content).0);
        if !is_visit || is_last {
            world.server.lose(&stored.item.remote_id);
        }
    }
    for _ in 0..2 {
        let report = world.sync();
        assert_eq!((report.state, writes(&report)), (SyncState::Held, 0), "{:?}", report.plan.steps);
        assert!(
            report.reasons.iter().any(|reason| reason.starts_with("G2: Outlook listed 30")),
            "{:?}",
            report.reasons
        );
    }
}

#[test]
fn guard_3_a_clock_that_jumped_deletes_nothing() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", 3 * DAY);
    world.settle(2);
    world.pass(2 * DAY);
    world.settle(1);
    world.cancel(id);
    world.pass(-2 * DAY);
    for _ in 0..2 {
        let report = world.sync();
        assert_eq!((report.state, writes(&report)), (SyncState::Held, 0));
        assert!(report.reasons[0].starts_with("G3: 1 items"), "{:?}", report.reasons);
    }
    world.pass(2 * DAY);
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held, "only a person or an empty plan ends it");
    assert_eq!(world.approve(&report.plan.hash()).operations.delete, 1);
}

#[test]
fn caps_hide_nothing_from_the_guards_and_an_approved_plan_is_applied_whole() {
    let mut world = World::with(|profile| profile.guards.deletions_a_run = 3);
    let ids: Vec<i64> =
        (0..20).map(|number| world.create(Origin::Headquarters, &format!("Visit {number}"), DAY)).collect();
    world.settle(2);
    ids.iter().take(10).for_each(|id| world.cancel(*id));
    let report = world.sync();
    assert_eq!(report.state, SyncState::Held);
    assert!(report.reasons[0].starts_with("G1: 10 of 20"), "{:?}", report.reasons);
    assert_eq!(world.approve(&report.plan.hash()).operations.delete, 10);
    // What needs no approval goes on run by run, whatever rounds a run has.
    ids.iter().skip(10).take(5).for_each(|id| world.cancel(*id));
    let report = world.sync();
    assert_eq!(report.operations.delete, 3);
    assert!(report.messages.iter().any(|message| message.text.starts_with("2 steps are more")));
    assert_eq!(world.sync().operations.delete, 2);
}

#[test]
fn what_is_private_or_somebody_elses_is_never_taken_for_ours() {
    let mut world = World::new();
    let visit = world.create(Origin::Mobile, "Visit", DAY);
    let start = world.activity(visit).start.0;
    let meeting = world.server.add(ItemKind::Appointment, entry("Visit", start), |item| item.is_organizer = false);
    let off = world.server.add(ItemKind::Appointment, entry("Visit", start), |item| item.cancelled = true);
    let before = (world.server.get(&meeting), world.server.get(&off));
    world.settle(3);
    world.edit(visit, |fields| fields.subject = "Visit, later".to_owned());
    world.settle(3);
    assert_eq!((world.server.get(&meeting), world.server.get(&off)), before, "neither is written to");
    assert!(world.server.find("Visit, later").is_some());
}

#[test]
fn an_item_that_turned_private_after_it_was_left_alone_keeps_its_secrets() {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Outlook);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    let all = world.settings.clone();
    for scope in [&mut world.settings.calendar, &mut world.settings.tasks].into_iter().flatten() {
        scope.criteria.kind = vec!["Audit".to_owned()];
    }
    world.sync();
    world.pass(8 * DAY);
    world.edit(id, |fields| {
        let start = Instant(fields.start.0 + 9 * DAY);
        fields.period = Period::Timed { start, end: Instant(start.0 + HOUR) };
    });
    world.settle(3);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Unlinked);
    world.server.change(&remote, |item| item.private = true);
    world.settings = all;
    world.settle(3);
    let activity = world.activity(id);
    assert_eq!((activity.subject.as_str(), activity.description.as_str()), ("Visit", "as agreed"));
}

#[test]
fn a_private_item_that_was_linked_is_left_alone_and_comes_to_rest() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    world.server.change(&remote, |item| item.private = true);
    world.sync();
    world.edit(id, |fields| fields.subject = "Visit, later".to_owned());
    world.sync();
    let before = world.server.get(&remote);
    let report = world.sync();
    assert_eq!((writes(&report), report.state), (0, SyncState::Completed), "{:?}", report.messages);
    assert_eq!(world.server.get(&remote), before);
    world.server.change(&remote, |item| item.private = false);
    world.settle(2);
    assert!(world.server.find("Visit, later").is_some(), "until it is no longer private");
}

#[test]
fn what_was_canceled_and_taken_out_of_the_bin_is_its_users_own() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let thrown = world.server.find("Visit").expect("made");
    world.cancel(id);
    world.settle(2);
    assert!(world.server.items().is_empty());
    world.server.put(thrown.clone());
    world.settle(4);
    let kept = world.server.get(&thrown.item.remote_id).expect("it is not deleted again");
    assert_eq!(kept.item.identity, Identity::None);
}

#[test]
fn row_14_keeps_what_the_deletion_policy_keeps() {
    let mut world = World::with(|profile| profile.deletion_policy = DeletionPolicy::Keep);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    world.server.edit(&remote, |entry| entry.body = "mine".to_owned());
    world.cancel(id);
    world.settle(2);
    assert!(world.server.get(&remote).is_some());
}

#[test]
fn rows_15_and_16_what_was_made_here_comes_back_once_under_every_text_priority() {
    for priority in [TextPriority::Erp, TextPriority::Outlook, TextPriority::Newest] {
        for is_changed in [false, true] {
            let mut world = World::with(|profile| profile.text_priority = priority);
            let id = world.create(Origin::Headquarters, "Visit", DAY);
            world.settle(2);
            world.server.delete(&world.remote_of(id));
            if is_changed {
                world.edit(id, |fields| fields.subject = "Visit, later".to_owned());
            }
            world.settle(2);
            assert_eq!(world.server.items().len(), 1, "{priority}");
            world.server.delete(&world.remote_of(id));
            let report = world.sync();
            assert_eq!(report.state, SyncState::CompletedWithWarnings, "reported");
            world.settle(2);
            assert!(world.server.items().is_empty(), "{priority}");
        }
    }
}

#[test]
fn row_22_under_ask_what_was_moved_away_waits_for_a_person() {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Ask);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    world.server.change(&world.remote_of(id), |item| item.collection = OTHER.to_owned());
    let report = world.sync();
    assert_eq!((writes(&report), report.held.len()), (0, 1), "{:?}", report.plan.steps);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Linked);
}

#[test]
fn a_canceled_task_without_a_date_goes_however_old_it_is() {
    let mut world = World::new();
    let id = world.create_task("Order samples");
    world.settle(2);
    assert_eq!(world.server.items().len(), 1);
    world.pass(20 * DAY);
    world.cancel(id);
    world.settle(2);
    assert!(world.server.items().is_empty());
}

#[test]
fn what_is_put_off_beyond_the_window_is_put_off_there_too_and_then_left_alone() {
    let mut world = World::new();
    let id = world.create(Origin::Mobile, "Visit", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    let start = Instant(world.now.0 + 90 * DAY);
    let later = Period::Timed { start, end: Instant(start.0 + HOUR) };
    world.edit(id, |fields| fields.period = later);
    assert_eq!(world.sync().operations.update, 1);
    assert_eq!(world.server.get(&remote).and_then(|stored| period(&stored.item.content)), Some(later));
    world.edit(id, |fields| fields.subject = "Another".to_owned());
    assert_eq!(writes(&world.sync()), 0, "row 18");
}

#[test]
fn a_location_that_is_taken_away_here_goes_there() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.edit(id, |fields| fields.location = "Room 7".to_owned());
    world.settle(2);
    world.edit(id, |fields| fields.location = String::new());
    world.settle(2);
    let Content::Entry(Entry { location, .. }) = world.server.find("Visit").expect("there").item.content else {
        panic!("an entry")
    };
    assert_eq!(location, "");
}

#[test]
fn row_19_the_days_begin_anew_when_it_met_the_criteria_in_between() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", 25 * DAY);
    world.settle(2);
    let all = world.settings.clone();
    let mut none = all.clone();
    for scope in [&mut none.calendar, &mut none.tasks].into_iter().flatten() {
        scope.criteria.kind = vec!["Audit".to_owned()];
    }
    world.settings = none.clone();
    world.sync();
    world.pass(6 * DAY);
    world.settings = all;
    world.sync();
    world.settings = none;
    world.sync();
    world.pass(2 * DAY);
    world.sync();
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Linked, "two days are not seven");
}

#[test]
fn a_refused_creation_is_tried_again_when_it_was_corrected() {
    let mut world = World::new();
    world.server.faults(|faults| faults.refuses_creations = true);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    let link = world.link_of(id).expect("a link");
    assert_eq!((link.state, link.remote_id), (LinkState::Quarantined, None));
    let why = link.note.clone();
    world.server.faults(|faults| faults.refuses_creations = false);
    assert_eq!(writes(&world.sync()), 0, "not before it was corrected");
    assert_eq!(world.link_of(id).expect("a link").note, why, "and why stays known");
    world.edit(id, |fields| fields.subject = "Corrected".to_owned());
    world.settle(2);
    assert!(world.server.find("Corrected").is_some());
    assert_eq!(world.link_of(id).expect("a link").state, LinkState::Linked);
}

#[test]
fn what_a_mailbox_refuses_as_a_whole_puts_nothing_in_quarantine() {
    let mut world = World::new();
    let ids: Vec<i64> =
        (0..3).map(|number| world.create(Origin::Headquarters, &format!("Visit {number}"), DAY)).collect();
    world.server.faults(|faults| faults.is_full = true);
    let report = world.sync();
    assert_eq!(report.state, SyncState::Failed);
    assert!(report.messages.iter().any(|message| message.text.contains("the mailbox is full")));
    world.server.faults(|faults| faults.is_full = false);
    world.settle(2);
    assert_eq!(world.server.items().len(), 3);
    assert!(ids.iter().all(|id| world.link_of(*id).expect("a link").state == LinkState::Linked));
}

#[test]
fn an_answer_that_names_another_item_is_not_believed() {
    let mut world = World::new();
    let first = world.create(Origin::Headquarters, "First", DAY);
    world.settle(2);
    let remote = world.remote_of(first);
    world.server.faults(|faults| faults.answers_with_another = true);
    let second = world.create(Origin::Headquarters, "Second", 2 * DAY);
    world.sync();
    world.server.faults(|faults| faults.answers_with_another = false);
    world.pass(60);
    world.settle(3);
    assert_eq!(world.remote_of(first), remote);
    assert_eq!(world.server.items().len(), 2, "nothing is doubled");
    assert_ne!(world.remote_of(second), remote);
}

#[test]
fn what_a_server_made_of_a_write_without_an_answer_is_no_edit() {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Outlook);
    world.server.faults(|faults| {
        faults.lose_answers_after = Some(0);
        faults.cuts = 5;
    });
    let id = world.create(Origin::Headquarters, "A long subject", DAY);
    world.sync();
    world.server.faults(|faults| faults.cuts = 5);
    world.pass(60);
    world.settle(4);
    assert_eq!(world.activity(id).subject, "A long subject", "the server's cut does not come back");
    assert_eq!(text(&world.server.items()[0].item.content).0, "A lon");
}

#[test]
fn a_plan_that_is_only_shown_sends_nothing_again() {
    let mut world = World::new();
    world.server.faults(|faults| faults.crash_after = Some(3));
    world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.server.faults(|faults| faults.crash_after = None);
    let is_made = !world.server.items().is_empty();
    world.pass(60);
    let report = world.plan();
    assert_eq!(report.state, SyncState::Planned);
    assert_eq!(!world.server.items().is_empty(), is_made);
    world.settle(3);
    assert_eq!(world.server.items().len(), 1);
}

#[test]
fn between_two_attempts_a_server_gets_its_time() {
    let mut world = World::new();
    world.server.faults(|faults| faults.loses_creations = true);
    world.create(Origin::Headquarters, "Visit", DAY);
    for (seconds, expected) in [(0, 1), (10, 1), (25, 2), (10, 2), (25, 3), (40, 4), (40, 4)] {
        world.now = Instant(world.now.0 + seconds);
        world.with_synchronisation(|with| synchronise(with, &world.request())).expect("a run");
        assert_eq!(world.server.attempts(), expected, "after {seconds} seconds");
    }
    assert!(world.server.items().is_empty());
}

#[test]
fn guard_8_counts_the_runs_of_its_own_profile() {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Outlook);
    let id = world.create(Origin::Headquarters, "One", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    for turn in 0..8 {
        let subject = if turn % 2 == 0 { "Two" } else { "One" };
        world.server.edit(&remote, |entry| entry.subject = subject.to_owned());
        world.sync();
        // Other profiles run many times in between.
        for _ in 0..15 {
            let run = NewSyncRun {
                profile: world.profile().id + 1,
                purpose: "sync".to_owned(),
                as_of: world.now,
                started: world.now,
                writer: String::new(),
            };
            world.store.begin_sync(&run).expect("a run");
        }
    }
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Quarantined);
}

#[test]
fn an_item_with_the_key_of_another_mailbox_is_left_as_it_is_however_many_there_are() {
    let mut world = World::new();
    let start = world.now.0 + DAY;
    let foreign = |item: &mut apptsync_model::outlook::RemoteItem| {
        item.identity = Identity::Ours("11111111-2222-5333-8444-555555555555".to_owned());
    };
    world.server.add(ItemKind::Appointment, entry("Copied", start), foreign);
    world.settle(2);
    world.server.add(ItemKind::Appointment, entry("Copied again", start), foreign);
    let before = world.server.items();
    world.settle(2);
    assert_eq!(world.server.items(), before);
    assert!(world.activities().is_empty());
}

#[test]
fn a_profile_that_is_removed_and_added_again_finds_its_items() {
    let mut world = World::new();
    for number in 0..4 {
        world.create(Origin::Mobile, &format!("Visit {number}"), DAY + number * HOUR);
    }
    world.settle(2);
    let before = world.server.items();
    world.add_profile_again();
    world.settle(3);
    let after = world.server.items();
    assert_eq!(after.len(), before.len(), "nothing is doubled");
    assert_eq!(world.activities().len(), 4);
    assert_eq!(world.links().iter().filter(|link| link.state == LinkState::Linked).count(), 4);
}

#[test]
fn what_waits_for_outlook_does_not_become_delayed() {
    let mut world = World::new();
    let start = world.now.0 + DAY;
    let remote = world.server.add(ItemKind::Task, crate::world::entry("Order", start), |_| {});
    world.settle(2);
    let id = world.activities()[0].id;
    world.server.edit(&remote, |entry| entry.completed = Some(Instant(start)));
    world.pass(3 * DAY);
    world.change_profile(|profile| profile.guards.updates_a_run = 0);
    world.sync();
    assert_eq!(world.activity(id).status, ActivityStatus::Planned, "that it was done in time is not taken over yet");
    world.change_profile(|profile| profile.guards.updates_a_run = 100);
    world.settle(2);
    assert_eq!(world.activity(id).status, ActivityStatus::Completed);
}

#[test]
fn a_plan_shows_whole_what_is_made_and_its_hash_covers_it() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    let shown = world.plan();
    assert_eq!(shown.plan.steps[0].verdict.row, Row::R1);
    let fields: Vec<&str> = shown.plan.steps[0].verdict.changes.iter().map(|change| change.field.name()).collect();
    assert_eq!(fields, ["subject", "body", "period", "priority", "completed"]);
    world.edit(id, |fields| fields.description = "something else".to_owned());
    assert_ne!(world.plan().plan.hash(), shown.plan.hash());
}

#[test]
fn a_contact_keeps_what_its_user_added_and_follows_the_rest() {
    let world = World::new();
    assert_eq!(world.contacts().state, SyncState::Completed);
    let find = |world: &World, name: &str| {
        let found = world.server.find(name).expect("a contact");
        let Content::Contact(contact) = found.item.content else { panic!("a contact") };
        (found.item.remote_id, contact)
    };
    let (id, _) = find(&world, "Customer");
    world.server.change(&id, |item| {
        if let Content::Contact(contact) = &mut item.content {
            contact.note = "likes coffee".to_owned();
            contact.phone = "+48 600 000 000".to_owned();
            contact.name = "Customer".to_owned();
        }
    });
    let report = world.contacts();
    assert_eq!(writes(&report), 0, "what the headquarters does not say is the user's own: {:?}", report.plan.steps);
    world.load_partner(Partner {
        id: "C".into(),
        name: "Customer".into(),
        city: "Kraków".into(),
        ..Partner::default()
    });
    assert_eq!(world.contacts().operations.update, 1);
    let (_, contact) = find(&world, "Customer");
    let expected = Contact {
        name: "Customer".into(),
        company: "Customer".into(),
        city: "Kraków".into(),
        phone: "+48 600 000 000".into(),
        note: "likes coffee".into(),
        ..Contact::default()
    };
    assert_eq!(contact, expected);
    assert_eq!(writes(&world.contacts()), 0);
}

#[test]
fn a_linked_item_that_becomes_a_series_keeps_its_activity_and_the_others_are_new() {
    for origin in [Origin::Headquarters, Origin::Outlook] {
        let mut world = World::new();
        let start = world.now.0 + DAY;
        if origin == Origin::Outlook {
            world.server.add(ItemKind::Appointment, entry("Visit", start), |_| {});
        } else {
            world.create(origin, "Visit", DAY);
        }
        world.settle(2);
        let id = world.activities()[0].id;
        let start = world.activity(id).start;
        let series = world.remote_of(id);
        for week in 0..3 {
            let at = Instant(start.0 + week * 7 * DAY);
            let visit = Entry { period: Some(Period::Timed { start: at, end: Instant(at.0 + HOUR) }), ..visit() };
            world.server.add(ItemKind::Appointment, Content::Entry(visit), |item| {
                item.occurrence = Some(Occurrence { series: series.clone(), original_start: at });
            });
        }
        world.settle(3);
        assert_eq!(world.activities().len(), 3, "{origin}: one for each occurrence");
        assert!(world.activities().iter().all(|activity| !activity.canceled));
        let link = world.link_of(id).expect("kept");
        assert_eq!(link.occurrence.map(|occurrence| occurrence.original_start), Some(start));
        assert_eq!(writes(&world.sync()), 0);
    }
}

#[test]
fn occurrences_that_get_other_ids_keep_their_activities() {
    let mut world = World::new();
    let occurrence = |world: &World, id: &str, week: i64, subject: &str| {
        let at = Instant(world.now.0 + DAY + week * 7 * DAY);
        let visit = Entry {
            subject: subject.to_owned(),
            period: Some(Period::Timed { start: at, end: Instant(at.0 + HOUR) }),
            ..visit()
        };
        let original_start = Instant(NOON + DAY + week * 7 * DAY);
        world.server.add(ItemKind::Appointment, Content::Entry(visit), |item| {
            item.occurrence = Some(Occurrence { series: id.to_owned(), original_start });
        })
    };
    let old: Vec<String> = (0..3).map(|week| occurrence(&world, "series", week, "Visit")).collect();
    world.settle(2);
    assert_eq!(world.activities().len(), 3);
    // The series is edited: all have other ids, and one another subject.
    old.iter().for_each(|id| world.server.delete(id));
    for week in 0..3 {
        occurrence(&world, "series", week, if week == 1 { "Visit, renamed" } else { "Visit" });
    }
    world.settle(3);
    let activities = world.activities();
    assert_eq!(activities.len(), 3, "no second activity");
    assert!(activities.iter().all(|activity| !activity.canceled), "and none is canceled");
    assert_eq!(activities.iter().filter(|activity| activity.subject == "Visit, renamed").count(), 1);
    assert!(world.store.observations(world.profile().id).expect("read").is_empty(), "nothing is asked for ever");
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_05_what_is_equal_on_both_sides_is_linked_without_a_write() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.edit(id, |fields| {
        fields.description = "mine".to_owned();
        fields.location = "Kraków".to_owned();
    });
    let start = world.activity(id).start.0;
    let remote = world.server.add(ItemKind::Appointment, entry("Visit", start), |_| {});
    let before = world.server.items();
    let report = world.sync();
    let rows: Vec<Row> = report.plan.steps.iter().map(|step| step.verdict.row).collect();
    assert_eq!((rows, writes(&report)), (vec![Row::R5], 0), "{:?}", report.plan.steps);
    assert_eq!((world.server.items(), world.remote_of(id)), (before, remote));
}

fn visit() -> Entry {
    let Content::Entry(visit) = entry("Visit", 0) else { panic!("an entry") };
    Entry { body: "as agreed".to_owned(), ..visit }
}

#[test]
fn a_contact_goes_with_its_partner_unless_its_user_added_something() {
    for has_own in [false, true] {
        let world = World::new();
        world.contacts();
        let id = world.server.find("Customer").expect("made").item.remote_id;
        if has_own {
            world.server.change(&id, |item| {
                if let Content::Contact(contact) = &mut item.content {
                    contact.note = "likes coffee".to_owned();
                }
            });
        }
        world.load_partner(Partner {
            id: "C".into(),
            name: "Customer".into(),
            deletion_mark: true,
            ..Partner::default()
        });
        world.contacts();
        assert_eq!(world.server.get(&id).is_some(), has_own);
    }
}

#[test]
fn another_plan_than_the_approved_one_is_not_applied_however_harmless() {
    let mut world = World::new();
    world.create(Origin::Headquarters, "Visit", DAY);
    let report = world.approve("0123456789abcdef");
    assert_eq!((report.state, writes(&report)), (SyncState::Held, 0));
    assert!(report.reasons[0].contains("no longer the one that was approved"));
    assert_eq!(world.approve(&report.plan.hash()).operations.create, 1);
}

#[test]
fn an_undo_leaves_an_activity_that_somebody_worked_on() {
    let mut world = World::new();
    world.server.add(ItemKind::Appointment, entry("Dentist", world.now.0 + DAY), |_| {});
    let run = world.sync().run;
    let id = world.activities()[0].id;
    world.edit(id, |fields| fields.description = "brought along".to_owned());
    let report = world.undo(run);
    assert_eq!(report.done, 0, "{:?}", report.steps);
    assert!(report.steps[0].left.as_deref().is_some_and(|why| why.contains("changed since")));
    assert!(!world.activity(id).canceled);
}

#[test]
fn an_undo_of_a_merge_puts_both_sides_back_and_both_stay() {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Outlook);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    world.edit(id, |fields| fields.description = "from here".to_owned());
    world.server.edit(&remote, |entry| entry.subject = "From there".to_owned());
    let run = world.sync();
    assert_eq!((run.operations.update, run.operations.import), (1, 1), "{:?}", run.plan.steps);
    let report = world.undo(run.run);
    assert_eq!((report.done, report.state), (2, SyncState::Completed), "{:?}", report.steps);
    let sides = |world: &World| {
        let item = world.server.get(&remote).expect("there").item.content;
        let activity = world.activity(id);
        (text(&item).0.to_owned(), text(&item).1.to_owned(), activity.subject, activity.description)
    };
    let undone = sides(&world);
    let expected = ["From there", "as agreed", "Visit", "from here"].map(str::to_owned);
    assert_eq!([undone.0.clone(), undone.1.clone(), undone.2.clone(), undone.3.clone()], expected);
    assert_eq!(writes(&world.sync()), 0, "and neither run by itself does it again");
    assert_eq!(sides(&world), undone);
}

#[test]
fn an_undo_that_the_server_refuses_leaves_nothing_open() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    world.cancel(id);
    let run = world.sync().run;
    world.server.faults(|faults| faults.refuses_creations = true);
    assert_eq!(world.undo(run).done, 0);
    assert!(world.store.unsettled(world.profile().id).expect("read").is_empty());
    world.server.faults(|faults| faults.refuses_creations = false);
    assert_eq!(world.undo(run).done, 1);
    assert_eq!(world.server.items().len(), 1);
    world.settle(3);
    assert_eq!(world.server.items().len(), 1, "it is the user's own and stays");
}

#[test]
fn writes_to_a_calendar_that_is_gone_are_done_with() {
    let mut world = World::new();
    world.server.faults(|faults| faults.lose_answers_after = Some(0));
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.server.faults(|faults| faults.lose_answers_after = None);
    world.server.remove_calendar();
    world.pass(60);
    world.sync();
    world.change_profile(|profile| profile.calendar = OTHER.to_owned());
    world.with_synchronisation(|with| {
        apptsync_pipeline::outlook::reconnect(with.store, with.profile.id).expect("connected anew");
    });
    world.settle(4);
    assert!(world.store.unsettled(world.profile().id).expect("read").is_empty());
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Linked);
    assert_eq!(world.server.items().len(), 1);
}

#[test]
fn a_person_decides_what_waits_for_a_decision() {
    for (keep, subject) in [(Side::Headquarters, "from here"), (Side::Outlook, "from there")] {
        let mut world = World::with(|profile| profile.text_priority = TextPriority::Ask);
        let id = world.create(Origin::Headquarters, "Visit", DAY);
        world.settle(2);
        let remote = world.remote_of(id);
        world.edit(id, |fields| fields.subject = "from here".to_owned());
        world.server.edit(&remote, |entry| entry.subject = "from there".to_owned());
        assert_eq!(world.sync().held.len(), 1);
        let word = |keep| world.with_synchronisation(|with| resolve(with, &id.to_string(), keep, world.now));
        assert!(word(None).is_err(), "it must be said whose version counts");
        assert_eq!(word(Some(keep)).expect("a word"), Some(Resolved::Answered(keep)));
        world.settle(2);
        assert_eq!(world.activity(id).subject, subject);
        assert_eq!(text(&world.server.get(&remote).expect("there").item.content).0, subject);
        assert!(world.store.answers(world.profile().id).expect("read").is_empty(), "it counts once");
    }
}

#[test]
fn a_person_decides_about_a_deletion_that_waits() {
    for (origin, keep) in [
        (Origin::Headquarters, Side::Headquarters),
        (Origin::Headquarters, Side::Outlook),
        (Origin::Outlook, Side::Outlook),
    ] {
        let mut world = World::with(|profile| profile.text_priority = TextPriority::Ask);
        if origin == Origin::Outlook {
            world.server.add(ItemKind::Appointment, entry("Visit", world.now.0 + DAY), |_| {});
        } else {
            world.create(origin, "Visit", DAY);
        }
        world.settle(2);
        let id = world.activities()[0].id;
        world.server.delete(&world.remote_of(id));
        assert_eq!(world.sync().held.len(), 1);
        world
            .with_synchronisation(|with| resolve(with, &id.to_string(), Some(keep), world.now))
            .expect("a word")
            .expect("known");
        world.settle(2);
        assert_eq!(world.server.items().len(), usize::from(keep == Side::Headquarters), "{origin} {keep}");
        assert_eq!(world.activity(id).canceled, origin == Origin::Outlook);
    }
}

#[test]
fn what_is_in_quarantine_is_tried_again_when_a_person_says_so() {
    let mut world = World::new();
    world.server.faults(|faults| faults.refuses_creations = true);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.server.faults(|faults| faults.refuses_creations = false);
    let word = world.with_synchronisation(|with| resolve(with, &id.to_string(), None, world.now));
    assert_eq!(word.expect("a word"), Some(Resolved::Released));
    world.settle(2);
    assert!(world.server.find("Visit").is_some());
    let word = world.with_synchronisation(|with| resolve(with, &id.to_string(), None, world.now));
    assert!(word.is_err_and(|error| error.to_string().contains("waits for a decision")));
}
