//! A day's work on a task list.

use apptsync_plugin::connector::{Change, Content, Entry, Fields, Identity, Kind, Operation};
use apptsync_plugin::types::{AllDay, Failure, Period};
use graph_simulator::{Fault, FaultName};
use serde_json::json;

use crate::support::{Bench, MORNING, adopt, create, entry, is_ours, present, reference, update, visit};

fn bench() -> Bench {
    Bench::new(Kind::Task)
}

fn days(start: &str, end: &str) -> Option<Period> {
    Some(Period::AllDay(AllDay { start: start.to_owned(), end: end.to_owned() }))
}

fn call() -> Entry {
    Entry { period: days("2026-12-01", "2026-12-03"), location: String::new(), ..visit(0) }
}

#[test]
fn what_is_created_is_read_back_fetched_pulled_and_found() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(call()));
    assert!(is_ours(&made, "link-1"));
    assert_eq!(entry(&made), call());
    let fetched = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    assert_eq!(fetched, made);
    assert_eq!(bench.find(&["link-2", "link-1"]).unwrap(), [vec![], vec![made.clone()]]);
    let (changes, cursor, full) = bench.pass(None).unwrap();
    assert!(full);
    assert_eq!(present(&changes).iter().filter(|item| is_ours(item, "link-1")).count(), 1);
    bench.simulator.reset_counters();
    assert_eq!(bench.pass(Some(&cursor)).unwrap().0, []);
    assert_eq!(bench.simulator.counters().total(), 1);
}

#[test]
fn completing_goes_both_ways_and_dates_can_be_taken_away() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(call()));
    let done = Entry { completed: Some(MORNING), ..call() };
    let completed = bench.push_one(update(&made, Content::Entry(done), Fields::COMPLETED)).unwrap().unwrap();
    assert!(entry(&completed).completed.is_some());
    let open = Entry { completed: None, period: None, ..call() };
    let opened =
        bench.push_one(update(&completed, Content::Entry(open), Fields::COMPLETED | Fields::PERIOD)).unwrap().unwrap();
    assert_eq!((entry(&opened).completed, entry(&opened).period), (None, None));
    assert_eq!(entry(&opened).subject, call().subject);
}

#[test]
fn adopting_and_disowning_change_links_alone() {
    let bench = bench();
    let list = bench.target.collection.clone();
    bench.user().request("POST", &format!("todo/lists/{list}/tasks"), json!({"title": "Mine"})).unwrap();
    let (changes, _, _) = bench.pass(None).unwrap();
    let found = present(&changes).remove(0).clone();
    assert_eq!(found.identity, Identity::None);
    let adopted = bench.push_one(adopt(&found, "Link-9")).unwrap().unwrap();
    assert!(is_ours(&adopted, "link-9"));
    assert_eq!(bench.find(&["link-9"]).unwrap()[0], std::slice::from_ref(&adopted));
    let again = bench.push_one(adopt(&adopted, "link-10")).unwrap().unwrap();
    assert!(is_ours(&again, "link-10"));
    assert_eq!(bench.push_one(Operation::Disown(reference(&found))), Err(Failure::Conflict));
    let disowned = bench.push_one(Operation::Disown(reference(&again))).unwrap().unwrap();
    assert_eq!(disowned.identity, Identity::None);
    assert_eq!(bench.push_one(Operation::Delete(reference(&disowned))), Ok(None));
    assert_eq!(bench.push_one(Operation::Disown(reference(&disowned))), Err(Failure::Gone));
    assert_eq!(bench.fetch_one(&disowned.remote_id), Ok(None));
}

#[test]
fn operations_that_take_several_requests_keep_their_places() {
    let bench = bench();
    let first = bench.made(1, Content::Entry(call()));
    let second = bench.made(2, Content::Entry(call()));
    let outcomes =
        bench.push(&[adopt(&first, "a"), create(3, Content::Entry(call())), Operation::Disown(reference(&second))]);
    let identity = |place: usize| match &outcomes[place] {
        apptsync_plugin::connector::Outcome::Done(Some(item)) => item.identity.clone(),
        other => panic!("{other:?}"),
    };
    let ours = |id: &str| Identity::Ours(id.to_owned());
    assert_eq!([identity(0), identity(1), identity(2)], [ours("a"), ours("link-3"), Identity::None]);
}

#[test]
fn a_time_of_day_tells_the_day_in_the_accounts_zone() {
    let bench = bench();
    let list = bench.target.collection.clone();
    let task = json!({"title": "Mine", "dueDateTime": {"dateTime": "2026-12-01T00:00:00", "timeZone": "UTC"}});
    bench.user().request("POST", &format!("todo/lists/{list}/tasks"), task).unwrap();
    let (changes, cursor, _) = bench.pass(None).unwrap();
    assert_eq!(entry(present(&changes)[0]).period, days("2026-12-01", "2026-12-02"));
    let id = present(&changes)[0].remote_id.clone();
    bench.user().request("DELETE", &format!("todo/lists/{list}/tasks/{id}"), serde_json::Value::Null).unwrap();
    assert_eq!(bench.pass(Some(&cursor)).unwrap().0, [Change::Removed(id)]);
}

#[test]
fn a_day_that_the_server_shifts_is_read_back_as_shifted() {
    let bench = bench();
    bench.simulator.switch_on(Fault::new(FaultName::DueDateOff));
    let made = bench.made(1, Content::Entry(call()));
    assert_ne!(entry(&made).period, call().period);
}
