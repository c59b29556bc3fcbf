//! How many requests a day's work takes, and what none of them says.

use apptsync_plugin::connector::{Fields, Item, Kind, Operation};
use serde_json::Value;

use crate::support::{Bench, content, create, done, present, reference, update};

const KINDS: [Kind; 3] = [Kind::Appointment, Kind::Task, Kind::Contact];
/// Operations, or ids, in one call.
const AT_ONCE: usize = 256;

fn counted<R>(bench: &Bench, work: impl FnOnce() -> R) -> (R, u64) {
    bench.simulator.reset_counters();
    let result = work();
    (result, bench.simulator.counters().total())
}

fn push(bench: &Bench, operations: &[Operation]) -> Vec<Item> {
    let outcomes = operations.chunks(AT_ONCE).flat_map(|batch| bench.push(batch));
    outcomes.map(|outcome| done(&outcome).clone()).collect()
}

#[test]
fn a_thousand_of_anything_takes_at_most_sixty_requests() {
    for kind in KINDS {
        let bench = Bench::new(kind);
        let creates: Vec<_> = (0..1_000).map(|number| create(number, content(kind, number))).collect();
        let (made, creating) = counted(&bench, || push(&bench, &creates));
        let fields = if kind == Kind::Contact { Fields::CONTACT } else { Fields::SUBJECT | Fields::PERIOD };
        let updates: Vec<_> =
            made.iter().enumerate().map(|(at, item)| update(item, content(kind, at + 1), fields)).collect();
        let (made, changing) = counted(&bench, || push(&bench, &updates));
        assert_eq!(made[7].content, bench.fetch_one(&made[7].remote_id).unwrap().unwrap().content);

        let ((changes, cursor, _), first) = counted(&bench, || bench.pass(None).unwrap());
        assert!(present(&changes).len() >= 1_000);
        let ((changes, _, _), nothing) = counted(&bench, || bench.pass(Some(&cursor)).unwrap());
        assert!(changes.is_empty());

        let deletes: Vec<_> = made.iter().map(|item| Operation::Delete(reference(item))).collect();
        let (gone, deleting) =
            counted(&bench, || deletes.chunks(AT_ONCE).flat_map(|batch| bench.push(batch)).collect::<Vec<_>>());
        assert!(gone.iter().all(|outcome| *outcome == apptsync_plugin::connector::Outcome::Done(None)));
        let ids: Vec<String> = made.iter().map(|item| item.remote_id.clone()).collect();
        let (gone, looking) =
            counted(&bench, || ids.chunks(AT_ONCE).flat_map(|ids| bench.fetch(ids)).collect::<Vec<_>>());
        assert!(gone.iter().all(|answer| *answer == Ok(None)));

        let counts = [creating, changing, first, deleting, looking];
        assert!(counts.iter().all(|count| *count <= 60) && nothing <= 2, "{kind:?}: {counts:?}, {nothing}");
    }
}

#[test]
fn parts_wait_for_no_others_and_no_request_says_who_it_is() {
    for kind in KINDS {
        let bench = Bench::new(kind);
        let creates: Vec<_> = (0..21).map(|number| create(number, content(kind, number))).collect();
        let made = push(&bench, &creates);
        let _ = bench.fetch_one(&made[0].remote_id);
        let _ = bench.find(&["link-1"]);
        let is_named = |name: &str| name.eq_ignore_ascii_case("client-request-id");
        // The host gives each attempt an identifier; the same sandbox twice would give the same one twice.
        assert!(bench.sent().iter().all(|request| !request.headers.iter().any(|(name, _)| is_named(name))));
        let batches = bench.batches();
        assert!(batches.len() >= 3 && batches.iter().all(|parts| parts.len() <= 20));
        for part in batches.concat() {
            assert_eq!(part["dependsOn"], Value::Null);
            assert!(!part["headers"].as_object().unwrap().keys().any(|name| is_named(name)), "{part}");
        }
    }
}
