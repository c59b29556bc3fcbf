//! What comes back to Outlook after it was deleted there: out of the bin, or because a person says so.

use apptsync_model::ActivityStatus;
use apptsync_model::outlook::{LinkState, Origin};
use apptsync_pipeline::outlook::{Resolved, SyncError, resolve};
use apptsync_store::{HeadquartersChange, OutlookStore, SyncState};

use crate::server::{Faults, OTHER};
use crate::world::{DAY, World, writes};

fn word(world: &World, id: i64) -> Result<Option<Resolved>, SyncError> {
    world.with_synchronisation(|with| resolve(with, &id.to_string(), None, world.now))
}

/// A visit that its user deleted twice.
fn left_out(origin: Origin) -> (World, i64, crate::server::Stored) {
    let mut world = World::new();
    let id = world.create(origin, "Visit", DAY);
    world.sync();
    world.server.delete(&world.remote_of(id));
    world.sync();
    let last = world.server.get(&world.remote_of(id)).expect("made anew");
    world.server.delete(&last.item.remote_id);
    world.sync();
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Suppressed);
    (world, id, last)
}

#[test]
fn the_item_of_what_was_made_anew_does_not_stand_in_for_it() {
    // With its key in the pass, or found out by asking.
    for is_terse in [false, true] {
        let mut world = World::new();
        let id = world.create(Origin::Headquarters, "Visit", DAY);
        world.sync();
        let old = world.server.get(&world.remote_of(id)).expect("made");
        world.cancel(id);
        assert_eq!(world.sync().operations.delete, 1);
        let revision = world.activity(id).revision;
        let reinstate = HeadquartersChange::Reinstate { activity: id, revision, status: ActivityStatus::Planned };
        world.store.change_activity(&reinstate, world.now).expect("reinstated");
        assert_eq!(world.sync().operations.create, 1);
        world.settle(2);
        world.server.faults(|faults| faults.is_terse = is_terse);
        world.server.put(old.clone());
        let report = world.sync();
        assert_eq!((report.state, writes(&report)), (SyncState::Completed, 0), "{:#?}", report.plan.steps);
        world.settle(2);
        assert_eq!(world.server.items().len(), 2, "the one out of the bin is its user's");
        assert_eq!(world.server.get(&old.item.remote_id), Some(old));
        assert_eq!(world.activities().len(), 1);
        assert!(world.store.observations(world.profile().id).expect("read").is_empty());
    }
}

#[test]
fn a_person_brings_back_what_was_left_out_as_another_item() {
    for origin in [Origin::Headquarters, Origin::Mobile] {
        let (mut world, id, last) = left_out(origin);
        assert_eq!(word(&world, id).expect("taken"), Some(Resolved::BroughtBack));
        assert_eq!(world.sync().operations.create, 1);
        world.settle(2);
        let link = world.link_of(id).expect("linked");
        assert!(link.state == LinkState::Linked && link.our_id != last.key.expect("a key"));
        // As if it had never been deleted: it comes back once before it is left out again.
        world.server.delete(&world.remote_of(id));
        assert_eq!(world.sync().operations.create, 1);
    }
}

#[test]
fn what_its_user_takes_out_of_the_bin_meanwhile_is_not_made_a_second_time() {
    for is_terse in [false, true] {
        let (mut world, id, last) = left_out(Origin::Headquarters);
        world.server.faults(|faults| faults.is_terse = is_terse);
        assert_eq!(word(&world, id).expect("taken"), Some(Resolved::BroughtBack));
        world.server.put(last.clone());
        let report = world.sync();
        assert_eq!((report.state, report.operations.create), (SyncState::Completed, 0), "{:#?}", report.plan.steps);
        world.settle(2);
        assert_eq!((world.server.items().len(), world.remote_of(id)), (1, last.item.remote_id));
    }
}

#[test]
fn what_was_moved_away_is_moved_back_by_its_user_alone() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.sync();
    let remote = world.remote_of(id);
    let home = world.server.get(&remote).expect("made").item.collection;
    world.server.change(&remote, |item| item.collection = OTHER.to_owned());
    world.sync();
    let why = word(&world, id).expect_err("refused").to_string();
    assert!(why.contains("was moved to a calendar that is not synchronised: move it back"), "{why}");
    world.server.change(&remote, |item| item.collection = home);
    world.settle(2);
    assert_eq!(world.link_of(id).expect("kept").state, LinkState::Linked);
    assert_eq!(world.server.items().len(), 1);
}

#[test]
fn an_undo_whose_answers_are_lost_brings_nothing_back() {
    let mut world = World::new();
    for day in 1..4 {
        world.create(Origin::Mobile, &format!("SA/{day}"), day * DAY);
    }
    let run = world.sync().run;
    world.settle(2);
    world.server.faults(|faults| faults.lose_answers_after = Some(0));
    world.undo(run);
    world.server.faults(|faults| *faults = Faults::default());
    assert!(world.server.items().is_empty(), "it was done");
    world.pass(60);
    world.settle(2);
    assert!(world.server.items().is_empty(), "what the undo deleted is not made again");
    assert!(world.store.unsettled(world.profile().id).expect("read").is_empty());
}

#[test]
fn of_several_that_come_back_one_is_taken_and_the_others_are_their_users() {
    let (mut world, id, last) = left_out(Origin::Headquarters);
    let mut earlier = last.clone();
    earlier.item.remote_id = "zz-earlier".to_owned();
    assert_eq!(word(&world, id).expect("taken"), Some(Resolved::BroughtBack));
    world.server.put(last.clone());
    world.server.put(earlier.clone());
    let report = world.sync();
    assert_eq!((report.state, report.operations.create), (SyncState::Completed, 0), "{:#?}", report.plan.steps);
    world.settle(2);
    assert_eq!(world.remote_of(id), last.item.remote_id);
    assert_eq!((world.server.items().len(), world.activities().len()), (2, 1));
    assert_eq!(world.server.get("zz-earlier"), Some(earlier));
}
