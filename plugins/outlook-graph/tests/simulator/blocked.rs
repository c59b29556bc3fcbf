//! What keeps all of a push from being done: no item is to blame.

use apptsync_plugin::connector::{Content, Fields, Kind, Operation, Outcome};
use apptsync_plugin::types::Failure;
use graph_simulator::{Fault, FaultName};
use serde_json::Value;

use crate::support::{Bench, adopt, content, create, done, entry, reference, update};

const KINDS: [Kind; 3] = [Kind::Appointment, Kind::Task, Kind::Contact];

fn creates(kind: Kind, numbers: std::ops::Range<usize>) -> Vec<Operation> {
    numbers.map(|number| create(number, content(kind, number))).collect()
}

#[track_caller]
fn assert_fails(bench: &Bench, operations: &[Operation], word: &str) {
    let batches = bench.batches().len();
    let failure = bench.try_push(operations);
    let Err(Failure::Permanent(why)) = &failure else { panic!("{failure:?}") };
    assert!(why.contains(word), "{why}");
    assert_eq!(bench.batches().len() - batches, 1, "nothing more is sent");
}

#[test]
fn a_full_mailbox_fails_the_call() {
    for kind in KINDS {
        let bench = Bench::new(kind);
        let made = bench.made(0, content(kind, 0));
        for name in [FaultName::MailboxFull, FaultName::BandwidthExceeded] {
            let word = if name == FaultName::MailboxFull { "full" } else { "bandwidth" };
            let number = bench.simulator.switch_on(Fault::new(name));
            assert_fails(&bench, &creates(kind, 1..46), word);
            let fields = if kind == Kind::Contact { Fields::CONTACT } else { Fields::SUBJECT };
            assert_fails(&bench, &[update(&made, content(kind, 9), fields)], word);
            bench.simulator.switch_off(number);
        }
        assert_eq!(bench.fetch_one(&made.remote_id), Ok(Some(made)), "{kind:?}");
    }
}

#[test]
fn a_collection_that_vanished_fails_the_call() {
    for kind in KINDS {
        let (bench, path) = Bench::new(kind).in_own_collection();
        bench.user().request("DELETE", &path, Value::Null).unwrap();
        assert_fails(&bench, &creates(kind, 0..45), "no longer there");
    }
}

#[test]
fn what_was_done_before_is_told_and_the_rest_was_not_done() {
    for kind in KINDS {
        let bench = Bench::new(kind);
        bench.simulator.switch_on(Fault::new(FaultName::MailboxFull).after(5));
        let outcomes = bench.try_push(&creates(kind, 0..45)).unwrap();
        assert!(outcomes[..5].iter().all(|outcome| !done(outcome).etag.is_empty()));
        assert_eq!(outcomes[5..], vec![Outcome::Failed(Failure::Throttled(None)); 40], "{kind:?}");
        assert_eq!(bench.batches().len(), 1);
    }
}

#[test]
fn what_may_have_been_done_is_told_too() {
    let bench = Bench::new(Kind::Appointment);
    bench.simulator.switch_on(Fault::new(FaultName::SavedBut503).times(1).on("POST /v1.0/users"));
    bench.simulator.switch_on(Fault::new(FaultName::MailboxFull).after(1));
    let outcomes = bench.try_push(&creates(Kind::Appointment, 0..3)).unwrap();
    assert!(matches!(outcomes[0], Outcome::Failed(Failure::Transient(_))), "{outcomes:?}");
    assert_eq!(outcomes[1..], vec![Outcome::Failed(Failure::Throttled(None)); 2]);
}

#[test]
fn an_item_of_its_own_is_to_blame_for_itself() {
    let bench = Bench::new(Kind::Appointment);
    let made = bench.made(0, content(Kind::Appointment, 0));
    bench.user().delete_event(&made.remote_id).unwrap();
    let without_a_time = apptsync_plugin::connector::Entry { period: None, ..entry(&made) };
    let operations = [Operation::Delete(reference(&made)), create(1, Content::Entry(without_a_time))];
    let outcomes = bench.try_push(&operations).unwrap();
    assert_eq!(outcomes[0], Outcome::Failed(Failure::Gone));
    assert!(matches!(outcomes[1], Outcome::Failed(Failure::Permanent(_))), "{outcomes:?}");
}

#[test]
fn a_task_that_was_written_in_part_may_have_been_done() {
    let bench = Bench::new(Kind::Task);
    let made = bench.made(0, content(Kind::Task, 0));
    bench.simulator.switch_on(Fault::new(FaultName::MailboxFull).on("linkedResources"));
    let Operation::Update(mut change) = adopt(&made, "other") else { panic!() };
    // The link alone: nothing was done.
    assert_fails_later(&bench, Operation::Update(change.clone()));
    change.fields = Fields::SUBJECT;
    let outcome = bench.push_one(Operation::Update(change));
    assert!(matches!(&outcome, Err(Failure::Transient(why)) if why.contains("in part")), "{outcome:?}");
}

#[track_caller]
fn assert_fails_later(bench: &Bench, operation: Operation) {
    let failure = bench.try_push(&[operation]);
    assert!(matches!(&failure, Err(Failure::Permanent(why)) if why.contains("full")), "{failure:?}");
}
