//! What people do, one story each.

use apptsync_model::ActivityStatus;
use apptsync_model::outlook::{
    Content, Entry, Identity, ItemKind, LinkState, Occurrence, Origin, OverrideScope, TextPriority,
};
use apptsync_model::{Instant, Period, Priority};
use apptsync_pipeline::outlook::{Row, reconnect, why};
use apptsync_store::{OutlookStore, SyncState};

use crate::server::{CALENDAR, OTHER};
use crate::world::{DAY, HOUR, World, entry, text, writes};

#[test]
fn row_01_what_is_new_here_is_made_there_once() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    let report = world.sync();
    assert_eq!((report.operations.create, report.state), (1, SyncState::Completed), "{:?}", report.messages);
    let stored = world.server.find("Visit").expect("made");
    assert_eq!(text(&stored.item.content), ("Visit", "as agreed"));
    assert_eq!(world.remote_of(id), stored.item.remote_id);
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_02_what_lies_outside_the_window_is_not_made() {
    let mut world = World::new();
    world.create(Origin::Headquarters, "Next year", 60 * DAY);
    world.create(Origin::Headquarters, "At the edge", 30 * DAY + 2 * HOUR);
    assert_eq!(writes(&world.sync()), 0);
    assert!(world.server.items().is_empty() && world.links().is_empty());
}

#[test]
fn row_03_what_is_new_there_becomes_an_activity_and_agrees_at_once() {
    let mut world = World::new();
    world.server.add(ItemKind::Appointment, entry("Dentist", world.now.0 + DAY), |_| {});
    let report = world.sync();
    assert_eq!(report.operations.import, 1, "{:?}", report.messages);
    let activities = world.activities();
    assert_eq!(activities.len(), 1);
    assert_eq!((activities[0].subject.as_str(), activities[0].location()), ("Dentist", "Kraków"));
    assert_eq!((activities[0].origin.as_str(), activities[0].status), ("outlook", ActivityStatus::Planned));
    assert_eq!(writes(&world.sync()), 0, "nothing goes back");
    assert_eq!(world.server.items().len(), 1);
}

#[test]
fn row_04_without_transfer_and_private_items_stay_in_outlook() {
    let mut world = World::with(|profile| profile.transfer = false);
    let start = world.now.0 + DAY;
    world.server.add(ItemKind::Appointment, entry("Mine", start), |_| {});
    assert_eq!(writes(&world.sync()), 0);
    assert!(world.activities().is_empty());
    // Turning it on is for new items only.
    world.change_profile(|profile| profile.transfer = true);
    world.server.add(ItemKind::Appointment, entry("Secret", start), |item| item.private = true);
    world.server.add(ItemKind::Appointment, entry("New", start), |_| {});
    assert_eq!(world.sync().operations.import, 1);
    let subjects: Vec<_> = world.activities().into_iter().map(|activity| activity.subject).collect();
    assert_eq!(subjects, ["New"]);
    assert!(world.store.observations(world.profile().id).expect("read").is_empty(), "nothing is kept of private items");
}

#[test]
fn rows_05_and_06_what_is_there_on_both_sides_is_tied_together() {
    for (priority, expected) in [(TextPriority::Erp, "as agreed"), (TextPriority::Outlook, "mine")] {
        let mut world = World::with(|profile| profile.text_priority = priority);
        let id = world.create(Origin::Headquarters, "Visit", DAY);
        let start = world.activity(id).start.0;
        world.server.add(ItemKind::Appointment, entry("Visit", start), |_| {});
        world.settle(2);
        assert_eq!(world.server.items().len(), 1, "no second item");
        assert_eq!(world.activities().len(), 1, "no second activity");
        let stored = world.server.find("Visit").expect("there");
        assert_eq!(text(&stored.item.content).1, expected);
        assert_eq!(world.activity(id).description, expected);
    }
}

#[test]
fn row_06_several_alike_wait_for_a_person() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    let start = world.activity(id).start.0;
    world.server.add(ItemKind::Appointment, entry("Visit", start), |_| {});
    world.server.add(ItemKind::Appointment, entry("Visit", start), |_| {});
    let report = world.sync();
    assert_eq!((writes(&report), report.held.len()), (0, 3), "{:?}", report.held);
    assert_eq!(report.state, SyncState::CompletedWithWarnings);
    assert_eq!(world.sync().held.len(), 3, "and goes on waiting");
}

#[test]
fn row_07_what_nobody_changed_is_left_as_it_is() {
    for origin in [Origin::Headquarters, Origin::Mobile] {
        let mut world = World::new();
        let id = world.create(origin, "Visit", 2 * DAY);
        world.sync();
        let before = (world.link_of(id), world.server.items(), world.activity(id));
        let report = world.sync();
        assert_eq!((writes(&report), report.plan.steps.len(), report.state), (0, 0, SyncState::Completed));
        // Everything listed anew, and told anew, is no change either.
        world.server.faults(|faults| faults.always_full = true);
        let report = world.sync();
        assert_eq!((writes(&report), report.state), (0, SyncState::Completed));
        assert_eq!((world.link_of(id), world.server.items(), world.activity(id)), before);
        assert!(world.store.audit(report.run).expect("audit").is_empty());
        let why = world.with_synchronisation(|with| why(with, &id.to_string(), world.now)).expect("why");
        assert_eq!(why[0].row, "7");
    }
}

#[test]
fn row_08_a_change_here_is_written_there_and_local_fields_stay() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    let remote = world.remote_of(id);
    world.server.edit(&remote, |entry| entry.location = "Room 7".to_owned());
    world.sync();
    world.edit(id, |fields| fields.subject = "Visit, later".to_owned());
    assert_eq!(world.sync().operations.update, 1);
    let Content::Entry(stored) = world.server.get(&remote).expect("there").item.content else { panic!("an entry") };
    assert_eq!((stored.subject.as_str(), stored.location.as_str()), ("Visit, later", "Room 7"));
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_09_text_edited_there_is_put_back_or_taken_over_by_text_priority() {
    for (priority, scope, expected) in [
        (TextPriority::Erp, OverrideScope::HeadquartersOrigin, "Visit"),
        (TextPriority::Erp, OverrideScope::ConflictsOnly, "Edited"),
        (TextPriority::Outlook, OverrideScope::HeadquartersOrigin, "Edited"),
    ] {
        let mut world = World::with(|profile| {
            profile.text_priority = priority;
            profile.override_scope = scope;
        });
        let id = world.create(Origin::Headquarters, "Visit", DAY);
        world.sync();
        let remote = world.remote_of(id);
        let later = Instant(world.now.0 + 2 * DAY);
        world.server.edit(&remote, |entry| {
            entry.subject = "Edited".to_owned();
            entry.period = Some(Period::Timed { start: later, end: Instant(later.0 + HOUR) });
        });
        world.settle(2);
        let stored = world.server.get(&remote).expect("there");
        assert_eq!(text(&stored.item.content).0, expected, "{priority} {scope}");
        assert_eq!(world.activity(id).subject, expected, "{priority} {scope}");
        assert_eq!(world.activity(id).start, later, "what is no text flows to the headquarters");
    }
}

#[test]
fn row_09_an_item_of_outlook_may_be_edited_there_under_either_priority() {
    for priority in [TextPriority::Erp, TextPriority::Outlook] {
        let mut world = World::with(|profile| profile.text_priority = priority);
        let remote = world.server.add(ItemKind::Appointment, entry("Mine", world.now.0 + DAY), |_| {});
        world.sync();
        world.server.edit(&remote, |entry| entry.subject = "Mine, edited".to_owned());
        world.settle(2);
        assert_eq!(world.activities()[0].subject, "Mine, edited");
        assert_eq!(text(&world.server.get(&remote).expect("there").item.content).0, "Mine, edited");
    }
}

#[test]
fn row_10_different_fields_are_merged_both_ways() {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Outlook);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    let remote = world.remote_of(id);
    world.edit(id, |fields| fields.priority = Priority::High);
    world.server.edit(&remote, |entry| entry.subject = "Edited".to_owned());
    world.settle(2);
    let Content::Entry(stored) = world.server.get(&remote).expect("there").item.content else { panic!("an entry") };
    assert_eq!((stored.subject.as_str(), stored.priority), ("Edited", Priority::High));
    assert_eq!((world.activity(id).subject.as_str(), world.activity(id).priority), ("Edited", Priority::High));
}

#[test]
fn row_11_the_same_field_is_decided_by_priority_and_the_loser_is_kept() {
    for (priority, expected) in
        [(TextPriority::Erp, "Ours"), (TextPriority::Outlook, "Theirs"), (TextPriority::Newest, "Theirs")]
    {
        let mut world = World::with(|profile| profile.text_priority = priority);
        let id = world.create(Origin::Headquarters, "Visit", DAY);
        world.sync();
        let remote = world.remote_of(id);
        world.edit(id, |fields| fields.subject = "Ours".to_owned());
        world.pass(60);
        world.server.edit(&remote, |entry| entry.subject = "Theirs".to_owned());
        let report = world.sync();
        assert_eq!(world.activity(id).subject, expected);
        assert_eq!(text(&world.server.get(&remote).expect("there").item.content).0, expected);
        let kept = world.store.audit(report.run).expect("audit");
        let lost = if expected == "Ours" { "Theirs" } else { "Ours" };
        assert!(
            kept.iter().filter_map(|entry| entry.before.as_ref()).any(|before| text(before).0 == lost),
            "{priority}: the value that lost is in the audit"
        );
    }
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Ask);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.edit(id, |fields| fields.subject = "Ours".to_owned());
    world.server.edit(&world.remote_of(id), |entry| entry.subject = "Theirs".to_owned());
    let report = world.sync();
    assert_eq!((writes(&report), report.held.len()), (0, 1));
}

#[test]
fn row_12_the_same_change_on_both_sides_is_agreed() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.edit(id, |fields| fields.subject = "Same".to_owned());
    world.server.edit(&world.remote_of(id), |entry| entry.subject = "Same".to_owned());
    assert_eq!(writes(&world.sync()), 0);
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_13_a_cancellation_deletes_what_lies_in_the_future_and_leaves_the_past() {
    let mut world = World::new();
    let future = world.create(Origin::Headquarters, "Future", DAY);
    let past = world.create(Origin::Headquarters, "Past", -DAY);
    world.sync();
    world.cancel(future);
    world.cancel(past);
    assert_eq!(world.sync().operations.delete, 1);
    assert!(world.server.find("Future").is_none() && world.server.find("Past").is_some());
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_14_an_edit_there_against_a_cancellation_here() {
    for (priority, is_kept) in [(TextPriority::Erp, false), (TextPriority::Outlook, true)] {
        let mut world = World::with(|profile| profile.text_priority = priority);
        let id = world.create(Origin::Headquarters, "Visit", DAY);
        world.sync();
        let remote = world.remote_of(id);
        world.cancel(id);
        world.server.edit(&remote, |entry| entry.subject = "I want this".to_owned());
        world.settle(3);
        assert_eq!(world.server.get(&remote).is_some(), is_kept, "{priority}");
        let own: Vec<_> = world.activities().into_iter().filter(|activity| activity.origin == "outlook").collect();
        assert_eq!(own.len(), usize::from(is_kept), "the edit beats the deletion and becomes an activity of Outlook");
    }
}

#[test]
fn row_15_deleted_there_comes_back_once_then_is_left_out() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.server.delete(&world.remote_of(id));
    assert_eq!(world.sync().operations.create, 1);
    assert!(world.server.find("Visit").is_some());
    world.server.delete(&world.remote_of(id));
    let report = world.sync();
    assert_eq!((writes(&report), report.state), (0, SyncState::CompletedWithWarnings), "and it is reported");
    assert_eq!(writes(&world.sync()), 0);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Suppressed);
    assert!(!world.activity(id).canceled, "the activity stays");
}

#[test]
fn row_15_an_item_of_outlook_deleted_there_cancels_its_activity() {
    let mut world = World::new();
    let remote = world.server.add(ItemKind::Appointment, entry("Mine", world.now.0 + DAY), |_| {});
    world.sync();
    world.server.delete(&remote);
    assert_eq!(world.sync().operations.import, 1);
    let activity = world.activities().remove(0);
    assert!(activity.canceled && activity.status == ActivityStatus::CompletedUnprocessed);
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_16_deleted_there_and_changed_here() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.server.delete(&world.remote_of(id));
    world.edit(id, |fields| fields.subject = "New values".to_owned());
    assert_eq!(world.sync().operations.create, 1);
    assert!(world.server.find("New values").is_some());
}

#[test]
fn row_17_gone_on_both_sides_is_buried() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.server.delete(&world.remote_of(id));
    world.cancel(id);
    assert_eq!(writes(&world.sync()), 0);
    assert!(world.link_of(id).is_none(), "a tombstone");
}

#[test]
fn row_18_the_window_slides_past_without_a_deletion() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    for _ in 0..30 {
        world.pass(DAY);
        assert_eq!(writes(&world.sync()), 0);
    }
    assert!(world.server.find("Visit").is_some());
    world.edit(id, |fields| fields.subject = "Too late".to_owned());
    assert_eq!(writes(&world.sync()), 0, "frozen");
}

#[test]
fn row_19_what_no_longer_meets_the_criteria_is_unlinked_after_seven_days() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", 20 * DAY);
    world.sync();
    if let Some(scope) = &mut world.settings.calendar {
        scope.criteria.kind = vec!["Other".to_owned()];
    }
    world.pass(DAY);
    assert_eq!(writes(&world.sync()), 0);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Linked);
    world.pass(8 * DAY);
    assert_eq!(writes(&world.sync()), 0);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Unlinked);
    assert!(world.server.find("Visit").is_some(), "never deleted");
    // It meets them again: tied together again, no second item.
    if let Some(scope) = &mut world.settings.calendar {
        scope.criteria.kind.clear();
    }
    world.settle(3);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Linked);
    assert_eq!(world.server.items().len(), 1);
}

#[test]
fn row_19_what_was_edited_while_it_did_not_meet_the_criteria_is_dealt_with_when_it_does_again() {
    let mut world = World::new();
    let id = world.create(Origin::Mobile, "SA/1", 20 * DAY);
    world.sync();
    let criteria = |world: &mut World, kinds: &[&str]| {
        if let Some(scope) = &mut world.settings.calendar {
            scope.criteria.kind = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        }
    };
    criteria(&mut world, &["Other"]);
    world.server.edit(&world.remote_of(id), |entry| entry.subject = "My own words".to_owned());
    assert_eq!(writes(&world.sync()), 0);
    criteria(&mut world, &[]);
    assert_eq!(world.sync().operations.revert, 1, "although the server told of it only once");
    assert!(world.server.find("My own words").is_none());
}

#[test]
fn row_20_moved_out_of_the_window_there_is_a_change_of_time() {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Outlook);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    let far = Instant(world.now.0 + 60 * DAY);
    world.server.edit(&world.remote_of(id), |entry| {
        entry.period = Some(Period::Timed { start: far, end: Instant(far.0 + HOUR) });
    });
    world.sync();
    assert_eq!(world.activity(id).start, far);
    assert_eq!(world.server.items().len(), 1);
}

#[test]
fn row_21_moved_to_the_calendar_that_is_synchronised_now_its_link_moves_too() {
    for origin in [Origin::Headquarters, Origin::Mobile] {
        let mut world = World::new();
        let id = world.create(origin, "Visit", DAY);
        let canceled = world.create(origin, "Canceled", 2 * DAY);
        world.sync();
        let remote = world.remote_of(id);
        let moved = [remote.clone(), world.remote_of(canceled)];
        world.change_profile(|profile| profile.calendar = OTHER.to_owned());
        reconnect(&world.store, world.profile().id).expect("reconnected");
        for remote in &moved {
            world.server.change(remote, |item| item.collection = OTHER.to_owned());
        }
        let plan = world.plan().plan;
        assert!(plan.steps.iter().all(|step| step.verdict.row == Row::R21), "{origin}: {:#?}", plan.steps);
        assert_eq!((writes(&world.sync()), world.server.items().len()), (0, 2), "no second item");
        let link = world.link_of(id).expect("kept");
        assert_eq!((link.collection.as_str(), link.state), (OTHER, LinkState::Linked));
        // It goes on there.
        world.edit(id, |fields| fields.subject = "Visit, later".to_owned());
        world.cancel(canceled);
        let report = world.sync();
        assert_eq!((report.operations.update, report.operations.delete), (1, 1), "{origin}: {:?}", report.messages);
        assert_eq!(text(&world.server.get(&remote).expect("there").item.content).0, "Visit, later");
        assert_eq!(writes(&world.sync()), 0);
    }
}

#[test]
fn row_21_moved_and_canceled_at_once_is_a_cancellation() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    let remote = world.remote_of(id);
    world.change_profile(|profile| profile.calendar = OTHER.to_owned());
    reconnect(&world.store, world.profile().id).expect("reconnected");
    world.server.change(&remote, |item| item.collection = OTHER.to_owned());
    world.cancel(id);
    world.settle(2);
    assert!(world.server.items().is_empty(), "it lies where we synchronise, so it goes");
    assert!(world.link_of(id).is_none(), "a tombstone");
}

#[test]
fn row_22_moved_to_another_calendar_is_left_alone() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    world.server.change(&world.remote_of(id), |item| item.collection = OTHER.to_owned());
    assert_eq!(writes(&world.sync()), 0);
    assert_eq!(writes(&world.sync()), 0);
    assert!(!world.activity(id).canceled);
    assert_eq!(world.server.items().len(), 1, "no second item");
}

#[test]
fn row_23_what_is_not_known_waits_and_the_cursor_goes_on() {
    let mut world = World::new();
    let ids = [world.create(Origin::Headquarters, "Visit", DAY), world.create(Origin::Mobile, "SA/1", 2 * DAY)];
    world.sync();
    let cursor = |world: &World| {
        let known = world.store.sync_cursor(world.profile().id, ItemKind::Appointment).expect("read");
        known.and_then(|known| known.cursor).expect("a cursor")
    };
    let before = cursor(&world);
    for id in ids {
        world.server.delete(&world.remote_of(id));
        world.edit(id, |fields| fields.description = "rewritten".to_owned());
    }
    world.server.faults(|faults| faults.does_not_say = true);
    for _ in 0..2 {
        let report = world.sync();
        assert_eq!(writes(&report), 0, "{:#?}", report.plan.steps);
        assert!(report.plan.steps.iter().all(|step| step.verdict.row == Row::R23));
        assert!(ids.iter().all(|id| !world.activity(*id).canceled), "what is not known is not deleted");
    }
    let after = cursor(&world);
    assert_ne!(before, after, "no roll back of the cursor");
    world.server.faults(|faults| *faults = crate::server::Faults::default());
    assert_eq!(world.sync().operations.create, 2, "now it is known: rows 16 and P4");
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_24_what_is_completed_is_written_and_kept() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", HOUR);
    world.sync();
    let remote = world.remote_of(id);
    let done = world.now;
    world.edit(id, |fields| fields.completed = Some(done));
    assert_eq!(world.sync().operations.update, 1);
    let Content::Entry(stored) = world.server.get(&remote).expect("kept").item.content else { panic!("an entry") };
    assert!(stored.completed.is_some(), "shown as free, without reminder");
    world.server.edit(&remote, |entry| entry.subject = "My notes".to_owned());
    assert_eq!(writes(&world.sync()), 0);
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_25_somebody_elses_meeting_is_followed_and_never_written() {
    let mut world = World::new();
    let start = world.now.0 + DAY;
    let remote = world.server.add(ItemKind::Appointment, entry("Board", start), |item| {
        item.is_organizer = false;
        item.has_attendees = true;
    });
    assert_eq!(world.sync().operations.import, 1);
    let before = world.server.get(&remote);
    let id = world.activities()[0].id;
    world.edit(id, |fields| fields.subject = "Ours".to_owned());
    world.settle(2);
    assert_eq!(world.server.get(&remote), before, "never written to");
    world.server.edit(&remote, |entry| entry.subject = "Board, moved".to_owned());
    world.settle(2);
    assert_eq!(world.activity(id).subject, "Board, moved");
}

#[test]
fn row_25_somebody_elses_meeting_is_not_deleted_when_its_activity_is_canceled() {
    let mut world = World::with(|profile| profile.guards.mail_attendees = true);
    let remote = world.server.add(ItemKind::Appointment, entry("Board", world.now.0 + DAY), |item| {
        item.is_organizer = false;
        item.has_attendees = true;
    });
    world.sync();
    let before = world.server.get(&remote);
    world.cancel(world.activities()[0].id);
    world.settle(2);
    assert_eq!(world.server.get(&remote), before);
    world.server.edit(&remote, |entry| entry.subject = "Board, moved".to_owned());
    assert_eq!(writes(&world.sync()), 0, "it is no longer followed");
}

#[test]
fn rows_p1_to_p3_mobile_always_wins_and_local_fields_stay() {
    let mut world = World::with(|profile| profile.text_priority = TextPriority::Outlook);
    let id = world.create(Origin::Mobile, "SA/1 Visit", DAY);
    world.sync();
    let remote = world.remote_of(id);
    world.edit(id, |fields| fields.description = "Status: Suspended".to_owned());
    assert_eq!(world.sync().operations.update, 1);
    world.server.edit(&remote, |entry| {
        entry.subject = "Mine now".to_owned();
        entry.location = "Car park".to_owned();
    });
    assert_eq!(world.sync().operations.revert, 1);
    world.edit(id, |fields| fields.subject = "SA/1 Visit, new".to_owned());
    world.server.edit(&remote, |entry| entry.subject = "Mine again".to_owned());
    world.sync();
    let Content::Entry(stored) = world.server.get(&remote).expect("there").item.content else { panic!("an entry") };
    assert_eq!((stored.subject.as_str(), stored.location.as_str()), ("SA/1 Visit, new", "Car park"));
    assert_eq!(world.activity(id).subject, "SA/1 Visit, new");
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_p4_a_deletion_comes_back_once() {
    let mut world = World::new();
    let id = world.create(Origin::Mobile, "Visit", 20 * DAY);
    world.sync();
    world.server.delete(&world.remote_of(id));
    assert_eq!(world.sync().operations.create, 1);
    world.server.delete(&world.remote_of(id));
    assert_eq!(writes(&world.sync()), 0);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Suppressed);
}

#[test]
fn row_p5_rejected_in_mobile_is_kept_and_shown_and_withdrawn_goes_only_from_the_future() {
    let mut world = World::new();
    let starts = [DAY, DAY + HOUR, 2 * HOUR, HOUR / 2];
    let [rejected, future, current, past] = starts.map(|start| world.create(Origin::Mobile, "SA/1", start));
    world.sync();
    assert_eq!(world.server.items().len(), 4);
    let remotes = [rejected, future, current, past].map(|id| world.remote_of(id));
    world.reject(rejected, "Rejected in Mobile: customer closed down");
    let report = world.sync();
    assert_eq!((report.operations.update, report.operations.delete), (1, 0), "{:#?}", report.plan.steps);
    let Content::Entry(stored) = world.server.get(&remotes[0]).expect("kept").item.content else { panic!("an entry") };
    assert!(stored.completed.is_some(), "shown as free");
    assert_eq!(stored.body, "Rejected in Mobile: customer closed down");
    assert_eq!(world.activity(rejected).status, ActivityStatus::CompletedUnprocessed);
    // One is under way by then, another is over.
    world.pass(9 * HOUR / 4);
    for id in [future, current, past] {
        world.cancel(id);
    }
    let report = world.sync();
    let rows: Vec<_> = report.plan.steps.iter().map(|step| step.verdict.row).collect();
    assert_eq!((rows, report.operations.delete), (vec![Row::P5; 3], 1), "{:#?}", report.plan.steps);
    let is_there = remotes.map(|remote| world.server.get(&remote).is_some());
    assert_eq!(is_there, [true, false, true, true]);
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_p6_a_copy_loses_our_key_and_counts_as_new() {
    let mut world = World::new();
    let id = world.create(Origin::Mobile, "Visit", DAY);
    world.sync();
    let original = world.server.get(&world.remote_of(id)).expect("there");
    let Identity::Ours(key) = original.item.identity.clone() else { panic!("it carries our key") };
    let copy = world.server.add(ItemKind::Appointment, original.item.content.clone(), |item| {
        item.identity = Identity::Ours(key);
    });
    world.server.edit(&copy, |entry| entry.subject = "Copy".to_owned());
    world.settle(3);
    let copied = world.server.get(&copy).expect("never deleted");
    assert_eq!(copied.item.identity, Identity::None);
    assert!(world.server.get(&original.item.remote_id).is_some(), "the original stays");
    assert_eq!(world.activities().iter().filter(|activity| activity.origin == "outlook").count(), 1);
}

#[test]
fn row_p6_of_several_copies_of_what_is_gone_one_takes_its_place() {
    // With the link, and without it.
    for is_forgotten in [false, true] {
        let mut world = World::new();
        let id = world.create(Origin::Headquarters, "Visit", DAY);
        world.sync();
        let original = world.server.get(&world.remote_of(id)).expect("there").item;
        let copies = ["One", "Two"].map(|subject| {
            let copy = world.server.add(ItemKind::Appointment, original.content.clone(), |copy| {
                copy.identity = original.identity.clone();
            });
            world.server.edit(&copy, |entry| entry.subject = subject.to_owned());
            copy
        });
        world.server.delete(&original.remote_id);
        if is_forgotten {
            world.forget_links();
        }
        world.settle(4);
        let identities = copies.map(|copy| world.server.get(&copy).expect("never deleted").item.identity);
        assert_eq!(identities, [original.identity.clone(), Identity::None]);
        assert_eq!((world.server.items().len(), world.activities().len()), (2, 2));
    }
}

#[test]
fn row_p7_after_three_times_a_day_it_is_left_until_tomorrow() {
    let mut world = World::new();
    let id = world.create(Origin::Mobile, "Visit", 10 * DAY);
    world.sync();
    let remote = world.remote_of(id);
    for round in 0..5 {
        world.server.edit(&remote, |entry| entry.subject = format!("Mine {round}"));
        let report = world.sync();
        assert_eq!(report.operations.revert, u64::from(round < 3), "round {round}");
        assert_eq!(report.operations.update, u64::from(round == 3), "marked once, in round {round}");
        let stored = world.server.get(&remote).expect("there");
        assert_eq!(stored.is_locked, round >= 3, "round {round}");
        assert_eq!(writes(&world.sync()), 0);
    }
    world.pass(DAY);
    let report = world.sync();
    assert_eq!((report.operations.revert, report.operations.update), (1, 1), "tomorrow it is put back after all");
    let stored = world.server.get(&remote).expect("there");
    assert_eq!((stored.is_locked, text(&stored.item.content).0), (false, "Visit"));
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn row_p7_the_headquarters_version_opens_the_lock_and_a_server_without_categories_does_no_harm() {
    for has_no_categories in [false, true] {
        let mut world = World::new();
        world.server.faults(|faults| faults.has_no_categories = has_no_categories);
        let id = world.create(Origin::Mobile, "Visit", 10 * DAY);
        world.sync();
        let remote = world.remote_of(id);
        for round in 0..4 {
            world.server.edit(&remote, |entry| entry.subject = format!("Mine {round}"));
            world.sync();
        }
        assert_eq!(world.server.get(&remote).expect("there").is_locked, !has_no_categories);
        assert_eq!(writes(&world.sync()), 0);
        world.edit(id, |fields| fields.description = "Changed in Mobile".to_owned());
        world.settle(2);
        let stored = world.server.get(&remote).expect("there");
        assert_eq!((stored.is_locked, text(&stored.item.content)), (false, ("Visit", "Changed in Mobile")));
    }
}

#[test]
fn row_p9_the_representative_changes() {
    let mut world = World::new();
    let id = world.create(Origin::Mobile, "Visit", DAY);
    world.sync();
    world.change_profile(|profile| profile.employee = "A".to_owned());
    let report = world.sync();
    assert_eq!(report.operations.delete, 1, "{:?}", report.messages);
    assert!(world.server.items().is_empty() && !world.activity(id).canceled);
}

#[test]
fn row_p10_our_own_write_seen_again_is_no_change() {
    // A server that cuts what it is given, and one that changes its etags by itself.
    for (cuts, redates) in [(0, false), (8, false), (0, true), (8, true)] {
        for origin in [Origin::Mobile, Origin::Headquarters] {
            let mut world = World::new();
            world.server.faults(|faults| faults.cuts = cuts);
            let id = world.create(origin, "SA/1 A visit", DAY);
            assert_eq!(world.sync().operations.create, 1);
            let remote = world.remote_of(id);
            for round in 0..3 {
                if redates {
                    world.server.edit(&remote, |_| {});
                }
                let report = world.sync();
                assert_eq!(writes(&report), 0, "{:#?}", report.plan.steps);
                assert!(report.plan.steps.iter().all(|step| step.verdict.row == Row::P10));
                assert_eq!(report.plan.steps.len(), usize::from(redates), "its etag alone says that it is our own");
                assert_eq!(world.link_of(id).expect("kept").etag, world.server.get(&remote).expect("there").item.etag);
                world.edit(id, |fields| fields.description = format!("version {round}"));
                assert_eq!(world.sync().operations.update, 1);
            }
            assert_eq!(writes(&world.sync()), 0);
            assert!(world.link_of(id).expect("kept").flaps.is_empty());
        }
    }
}

#[test]
fn a_new_task_of_outlook_becomes_an_activity_and_its_completion_comes_too() {
    let mut world = World::new();
    let task = Content::Entry(Entry {
        subject: "Call the customer".to_owned(),
        body: String::new(),
        location: String::new(),
        period: None,
        zone: String::new(),
        priority: Priority::High,
        completed: None,
    });
    let remote = world.server.add(ItemKind::Task, task, |_| {});
    assert_eq!(world.sync().operations.import, 1);
    assert_eq!(writes(&world.sync()), 0);
    let id = world.activities()[0].id;
    assert_eq!((world.activity(id).entry, world.activity(id).is_undated()), (ItemKind::Task, true));
    let done = world.now;
    world.server.edit(&remote, |entry| entry.completed = Some(done));
    world.sync();
    assert_eq!(world.activity(id).status, ActivityStatus::Completed);
    assert_eq!(writes(&world.sync()), 0);
}

#[test]
fn each_occurrence_is_an_activity_and_a_deleted_one_has_a_run_of_grace() {
    let mut world = World::new();
    let start = world.now.0 + DAY;
    let mut ids = Vec::new();
    for week in 0..3 {
        let original = Instant(start + week * 7 * DAY);
        ids.push(world.server.add(ItemKind::Appointment, entry("Weekly", original.0), |item| {
            item.occurrence = Some(Occurrence { series: "series".to_owned(), original_start: original });
        }));
    }
    assert_eq!(world.sync().operations.import, 3);
    assert_eq!(writes(&world.sync()), 0);
    world.server.edit(&ids[1], |entry| entry.subject = "Weekly, special".to_owned());
    world.settle(2);
    assert_eq!(world.activities().iter().filter(|activity| activity.subject == "Weekly, special").count(), 1);
}

#[test]
fn what_was_carried_to_another_server_keeps_its_activities() {
    let mut world = World::new();
    let ours = world.create(Origin::Headquarters, "Visit", 3 * DAY);
    let start = world.now.0 + DAY;
    world.server.add(ItemKind::Appointment, entry("Dentist", start), |_| {});
    for week in 0..3 {
        let original = Instant(start + week * 7 * DAY);
        world.server.add(ItemKind::Appointment, entry("Weekly", original.0), |item| {
            "weekly".clone_into(&mut item.uid);
            item.occurrence = Some(Occurrence { series: "series".to_owned(), original_start: original });
        });
    }
    world.settle(2);
    let before = world.activities();
    assert_eq!(before.len(), 5);
    world.server.carry_over();
    for stored in world.server.items() {
        world.server.change(&stored.item.remote_id, |item| {
            if let Some(occurrence) = &mut item.occurrence {
                "carried-series".clone_into(&mut occurrence.series);
            }
        });
    }
    let carried = world.server.items().into_iter().find(|stored| stored.item.uid.starts_with("uid-"));
    world.server.edit(&carried.expect("the dentist").item.remote_id, |entry| entry.location = "Gdynia".to_owned());
    world.settle(2);
    let after = world.activities();
    assert_eq!(after.len(), before.len(), "nothing came twice");
    assert!(after.iter().all(|activity| !activity.canceled), "nothing was canceled");
    assert!(world.server.get(&world.remote_of(ours)).is_some());
    assert_eq!(world.server.items().len(), 5);
}

#[test]
fn what_was_written_is_read_back_before_the_run_ends_where_the_server_shows_it_at_once() {
    for reads_own_writes in [false, true] {
        let mut world = World::new();
        world.server.faults(|faults| faults.reads_own_writes = reads_own_writes);
        let ids: Vec<_> = (0..3).map(|day| world.create(Origin::Headquarters, "Visit", (day + 1) * DAY)).collect();
        assert_eq!(world.sync().operations.create, 3);
        // Deleted before the server told that it was made: it is never spoken of again.
        let deleted = world.remote_of(ids[0]);
        world.server.lose(&deleted);
        let report = world.sync();
        assert_eq!(report.operations.create, u64::from(!reads_own_writes), "else the daily check finds it");
        world.pass(25 * HOUR);
        world.settle(3);
        assert!(world.server.get(&world.remote_of(ids[0])).is_some());
    }
}

#[test]
fn a_cancellation_never_deletes_what_its_user_made_a_series() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", 10 * DAY);
    world.sync();
    let series = world.remote_of(id);
    // None of its occurrences takes place when the appointment did.
    for week in 1..3 {
        let original = Instant(world.now.0 + 10 * DAY + week * 7 * DAY);
        world.server.add(ItemKind::Appointment, entry("Visit", original.0), |item| {
            item.occurrence = Some(Occurrence { series: series.clone(), original_start: original });
        });
    }
    world.settle(3);
    world.cancel(id);
    world.settle(3);
    assert!(world.server.get(&series).is_some(), "the series stays");
    assert_eq!(world.server.items().len(), 3);
}

#[test]
fn a_lost_answer_makes_no_second_item() {
    let mut world = World::new();
    for number in 0..5 {
        world.create(Origin::Headquarters, &format!("Visit {number}"), DAY + number * HOUR);
    }
    world.server.faults(|faults| faults.lose_answers_after = Some(2));
    world.sync();
    world.server.faults(|faults| *faults = crate::server::Faults::default());
    assert_eq!(world.server.items().len(), 5, "all were made");
    assert_eq!(writes(&world.sync()), 0, "they are found by their keys");
    assert_eq!(world.server.items().len(), 5);
    assert!(world.links().iter().all(|link| link.state == LinkState::Linked));
}

#[test]
fn a_task_that_was_completed_before_its_answer_was_looked_for_is_completed_here() {
    let mut world = World::new();
    let id = world.create_task("Call back");
    world.server.faults(|faults| faults.lose_answers_after = Some(0));
    world.sync();
    world.server.faults(|faults| faults.lose_answers_after = None);
    let task = world.server.find("Call back").expect("it was made").item.remote_id;
    let now = world.now;
    world.server.edit(&task, |entry| entry.completed = Some(now));
    world.pass(60);
    world.settle(3);
    assert_eq!(world.activity(id).status, ActivityStatus::Completed);
}

#[test]
fn an_item_whose_answer_was_lost_goes_with_an_undo_of_its_run() {
    // Found by its key, or seen before anybody looked for it.
    for is_seen_first in [false, true] {
        let mut world = World::new();
        world.create(Origin::Headquarters, "Visit", DAY);
        world.server.faults(|faults| faults.lose_answers_after = Some(0));
        let run = world.sync().run;
        world.server.faults(|faults| faults.lose_answers_after = None);
        if is_seen_first {
            world.sync();
        }
        world.pass(60);
        world.settle(2);
        assert_eq!(world.server.items().len(), 1);
        world.undo(run);
        assert!(world.server.items().is_empty(), "seen first: {is_seen_first}");
    }
}

#[test]
fn what_a_write_without_an_answer_wrote_over_is_in_the_audit() {
    let mut world = World::new();
    let [deleted, reverted] =
        [("Deleted", DAY), ("Kept", 2 * DAY)].map(|(subject, start)| world.create(Origin::Mobile, subject, start));
    world.sync();
    world.cancel(deleted);
    world.server.edit(&world.remote_of(reverted), |entry| entry.subject = "My notes".to_owned());
    world.server.faults(|faults| faults.lose_answers_after = Some(0));
    world.sync();
    // The next run sees its own write before it can ask what became of it.
    world.server.faults(|faults| *faults = crate::server::Faults { does_not_say: true, ..Default::default() });
    world.sync();
    world.server.faults(|faults| *faults = crate::server::Faults::default());
    world.settle(3);
    let runs = world.store.sync_runs(world.profile().id, u64::MAX).expect("runs");
    let audit = runs.iter().flat_map(|run| world.store.audit(run.id).expect("audit"));
    let before: Vec<String> = audit.filter_map(|entry| entry.before).map(|before| text(&before).0.to_owned()).collect();
    assert!(before.iter().any(|subject| subject == "Deleted"), "{before:?}");
    assert!(before.iter().any(|subject| subject == "My notes"), "{before:?}");
}

#[test]
fn an_undo_puts_back_what_was_overwritten_and_it_stays() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    let remote = world.remote_of(id);
    world.server.edit(&remote, |entry| entry.body = "my long notes".to_owned());
    let run = world.sync().run;
    assert_eq!(text(&world.server.get(&remote).expect("there").item.content).1, "as agreed");
    let request = world.request();
    let undone = world
        .with_synchronisation(|with| apptsync_pipeline::outlook::undo(with, run, None, &request))
        .expect("an undo");
    assert_eq!(undone.done, 1, "{undone:?}");
    assert_eq!(text(&world.server.get(&remote).expect("there").item.content).1, "my long notes");
    assert_eq!(writes(&world.sync()), 0, "what was put back is not overwritten again");
    assert_eq!(CALENDAR, world.link_of(id).expect("linked").collection);
}
