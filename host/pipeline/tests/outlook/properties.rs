//! The properties I1 to I9 of the reconciliation, over random histories. A failure prints its history; with
//! `PROPTEST_CASES` more of them are tried, and a seed that failed is tried again first.

use apptsync_model::outlook::{Origin, TextPriority};
use proptest::prelude::*;

use crate::history::{Event, History, event};
use crate::world::World;

fn priority() -> impl Strategy<Value = TextPriority> {
    prop::sample::select(vec![TextPriority::Erp, TextPriority::Outlook])
}

fn play(priority: TextPriority, (reads_own_writes, has_versions): (bool, bool), events: &[Event]) -> History {
    let mut history = History::new(World::with(|profile| profile.text_priority = priority));
    history.world.server.faults(|faults| {
        faults.reads_own_writes = reads_own_writes;
        faults.has_versions = has_versions;
    });
    for event in events {
        history.happen(event);
    }
    history
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// I1 to I5: whatever people, servers and crashes do, it comes to rest, nothing is lost, nothing is doubled, Mobile's
    /// items are the headquarters', and what was never ours is untouched.
    #[test]
    fn i1_to_i5_hold_after_any_history(
        priority in priority(), server in any::<(bool, bool)>(), events in prop::collection::vec(event(), 1..30),
    ) {
        play(priority, server, &events).check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// I6: time alone neither makes nor deletes anything that is linked.
    #[test]
    fn i6_a_window_that_slides_changes_nothing(hours in prop::collection::vec(-24_i64..500, 1..6), days in 1_i64..40) {
        let mut history = History::new(World::new());
        for hours in hours {
            history.happen(&Event::CreateHere { origin: Origin::Headquarters, hours });
        }
        history.world.settle(3);
        let items = history.world.server.items().len();
        for _ in 0..days {
            history.happen(&Event::Pass(24));
            let report = history.world.sync();
            prop_assert_eq!(report.operations.delete, 0);
            prop_assert_eq!(report.operations.import, 0);
        }
        prop_assert!(history.world.server.items().len() >= items);
    }

    /// I7 and I8: expired cursors, pages in another order, pages given twice: the end is the same.
    #[test]
    fn i7_and_i8_disturbed_reading_comes_to_the_same_end(
        priority in priority(), events in prop::collection::vec(event(), 1..20), page in 0_usize..3,
        reversed in any::<bool>(), replayed in any::<bool>(), expires in any::<bool>(), at_once in any::<(bool, bool)>(),
    ) {
        let is_quiet = |event: &&Event| !matches!(
            event,
            Event::CrashedSync(_) | Event::SyncWithLostAnswers(_) | Event::ExpiredSync | Event::DisturbedSync { .. }
        );
        let events: Vec<Event> = events.iter().filter(is_quiet).cloned().collect();
        let mut calm = play(priority, at_once, &events);
        let disturbed: Vec<Event> = events
            .iter()
            .map(|event| match event {
                Event::Sync if expires => Event::ExpiredSync,
                Event::Sync => Event::DisturbedSync { reversed, replayed, page },
                other => other.clone(),
            })
            .collect();
        let mut troubled = play(priority, at_once, &disturbed);
        calm.world.settle(8);
        troubled.world.settle(8);
        prop_assert_eq!(calm.picture(), troubled.picture());
    }

    /// I9: a server's clock that is wrong by a day changes nothing, except where the later edit is asked for.
    #[test]
    fn i9_a_wrong_clock_changes_nothing(
        priority in priority(), events in prop::collection::vec(event(), 1..20), skew in prop::sample::select(vec![-86_400_i64, 86_400]),
    ) {
        let mut right = History::new(World::with(|profile| profile.text_priority = priority));
        let mut wrong = History::new(World::with(|profile| profile.text_priority = priority));
        for event in &events {
            right.happen(event);
            wrong.world.server.faults(|faults| faults.skew = skew);
            wrong.happen(event);
        }
        right.world.settle(8);
        wrong.world.settle(8);
        prop_assert_eq!(right.picture(), wrong.picture());
    }
}
