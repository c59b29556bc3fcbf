//! A day's work on a task list.

use apptsync_plugin::connector::{Change, Content, Entry, Fields, Identity, Kind, Operation};
use apptsync_plugin::types::{AllDay, Failure, Period};
use graph_simulator::{Fault, FaultName};
use serde_json::json;

use crate::support::{
    Bench, DAY, HOUR, MORNING, adopt, create, entry, is_ours, mark, present, reference, update, visit,
};

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
    assert_eq!((&disowned.identity, &disowned.writer), (&Identity::None, &None));
    assert_eq!(bench.push_one(Operation::Delete(reference(&disowned))), Ok(None));
    assert_eq!(bench.push_one(Operation::Disown(reference(&disowned))), Err(Failure::Gone));
    assert_eq!(bench.fetch_one(&disowned.remote_id), Ok(None));
}

#[test]
fn a_mark_is_one_category_among_the_users_own() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(call()));
    let path = format!("todo/lists/{}/tasks/{}", bench.target.collection, made.remote_id);
    bench.user().request("PATCH", &path, json!({"categories": ["Blue"]})).unwrap();
    let seen = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    let categories = || bench.user().request("GET", &path, json!(null)).unwrap()["categories"].clone();
    let marked = bench.push_one(mark(&seen, true)).unwrap().unwrap();
    assert_eq!((categories(), &marked.content), (json!(["Blue", "Locked by ERP"]), &seen.content));
    bench.push_one(mark(&marked, false)).unwrap();
    assert_eq!(categories(), json!(["Blue"]));
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

#[test]
fn a_failure_after_a_link_was_changed_may_have_been_a_success() {
    let task = "/todo/lists/{list}/tasks/{task}";
    let reads = Fault::new(FaultName::Throttled).on(format!("GET /v1.0/users/{{user}}{task}"));
    let denied = Fault::new(FaultName::AccessDenied).on(format!("GET /v1.0/users/{{user}}{task}"));
    let unlinks = Fault::new(FaultName::Throttled).on("DELETE").value(9);
    for (fault, is_linked) in [(reads.after(1).times(1), true), (denied.after(1).times(1), true), (unlinks, true)] {
        let bench = bench();
        let made = bench.made(1, Content::Entry(call()));
        bench.simulator.switch_on(fault.clone());
        let outcome = bench.push_one(adopt(&made, "other"));
        assert!(matches!(&outcome, Err(Failure::Transient(why)) if why.contains("in part")), "{fault:?}: {outcome:?}");
        bench.simulator.switch_all_off();
        let links = bench.user().tasks("Tasks").remove(0)["linkedResources"].clone();
        assert_eq!(links.as_array().unwrap().iter().any(|link| link["externalId"] == "other"), is_linked);
    }
    // Before anything was written, it was certainly not done.
    let bench = bench();
    let made = bench.made(1, Content::Entry(call()));
    bench.simulator.switch_on(Fault::new(FaultName::Throttled).on("POST").value(9));
    assert_eq!(bench.push_one(adopt(&made, "other")), Err(Failure::Throttled(Some(9))));
}

#[test]
fn a_new_link_is_made_before_the_old_one_goes() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(call()));
    let sent = bench.batches().len();
    bench.push_one(adopt(&made, "other")).unwrap();
    let methods: Vec<Vec<String>> = bench.batches()[sent..]
        .iter()
        .map(|parts| parts.iter().map(|part| part["method"].as_str().unwrap().to_owned()).collect())
        .collect();
    assert_eq!(methods, [["GET"], ["POST"], ["DELETE"], ["GET"]]);
}

#[test]
fn when_a_task_was_completed_is_told_by_its_last_change() {
    let noon = "2026-12-01T12:00:00Z".parse().unwrap();
    for fault in [None, Some(FaultName::CompletedDateOff)] {
        let bench = bench();
        bench.simulator.set_clock(Some(noon));
        let made = bench.made(1, Content::Entry(call()));
        if let Some(name) = fault {
            bench.simulator.switch_on(Fault::new(name));
        }
        let done = Entry { completed: Some(MORNING), ..call() };
        let completed = bench.push_one(update(&made, Content::Entry(done), Fields::COMPLETED)).unwrap().unwrap();
        assert_eq!(entry(&completed).completed, Some(MORNING + 3 * HOUR), "{fault:?}");
    }
    // What is changed long after says nothing about it.
    let bench = bench();
    bench.simulator.set_clock(Some(noon));
    let done = Entry { completed: Some(MORNING - 5 * DAY), ..call() };
    let made = bench.made(1, Content::Entry(done));
    assert_eq!(entry(&made).completed, Some(MORNING - 9 * HOUR - 5 * DAY));
}

#[test]
fn where_there_is_no_delta_all_tasks_are_listed_each_time() {
    let mut bench = bench();
    bench.in_cloud("https://microsoftgraph.chinacloudapi.cn");
    for chunk in (0..450).map(|number| create(number, Content::Entry(call()))).collect::<Vec<_>>().chunks(225) {
        bench.push(chunk);
    }
    let (changes, cursor, full) = bench.pass(None).unwrap();
    let first = present(&changes)[0].clone();
    assert!(full && present(&changes).len() == 450);
    assert!(present(&changes).iter().all(|item| matches!(item.identity, Identity::Ours(_))));
    assert_eq!(bench.push_one(Operation::Delete(reference(&first))), Ok(None));
    // What is no longer listed is no longer there.
    let (changes, cursor, full) = bench.pass(Some(&cursor)).unwrap();
    assert!(full && present(&changes).len() == 449);
    assert!(!present(&changes).iter().any(|item| item.remote_id == first.remote_id));
    let (changes, _, full) = bench.pass(Some(&cursor)).unwrap();
    assert!(full && changes.len() == 449);
    let sent = bench.sent();
    let cloud = sent.iter().filter(|request| request.url.starts_with("https://microsoftgraph.chinacloudapi.cn/"));
    assert_eq!(cloud.count(), sent.len() - 4, "all but the first look around");
    assert!(sent.iter().all(|request| !request.url.contains("/tasks/delta")));
}

#[test]
fn a_task_that_appears_late_is_found() {
    let bench = bench();
    let others: Vec<_> = (10..260).map(|number| create(number, Content::Entry(call()))).collect();
    bench.push(&others);
    let (_, cursor, _) = bench.pass(None).unwrap();
    bench.simulator.switch_on(Fault::new(FaultName::FilterLag).value(2));
    bench.simulator.switch_on(Fault::new(FaultName::LateVisibility).value(2));
    bench.simulator.switch_on(Fault::new(FaultName::LostAnswer).on("$batch").times(1));
    let lost = bench.push_one(create(1, Content::Entry(call())));
    assert!(matches!(lost, Err(Failure::Transient(_))), "{lost:?}");
    // Neither what changed since a cursor nor the listing shows it yet.
    assert_eq!(bench.pass(Some(&cursor)).unwrap().0, []);
    assert_eq!(bench.find(&["link-1"]).unwrap(), [vec![]]);
    let found = bench.find(&["link-1", "link-259"]).unwrap();
    assert!(found.iter().all(|items| items.len() == 1), "{found:?}");
    assert!(is_ours(&found[0][0], "link-1"));
    let listings: Vec<String> =
        bench.sent().into_iter().map(|request| request.url).filter(|url| url.contains("/tasks?")).collect();
    // Two pages each, from the first one on.
    let is_first = |url: &String| !url.contains("skip");
    assert_eq!(listings.iter().map(is_first).collect::<Vec<_>>(), [true, false, true, false]);
}
