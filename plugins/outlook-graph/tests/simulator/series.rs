//! Series and their occurrences.

use apptsync_plugin::connector::{Change, Content, Entry, Fields, Item, Kind, Operation, Outcome, Series};
use apptsync_plugin::types::{Failure, Period, Timed};
use serde_json::{Value, json};

use crate::support::{Bench, DAY, HOUR, MORNING, done, entry, reference, update, visit};

fn bench() -> Bench {
    Bench::new(Kind::Appointment)
}

fn series(bench: &Bench) -> Value {
    bench.daily_by_the_user("Europe/Warsaw", 5)
}

fn only_series(changes: &[Change]) -> &apptsync_plugin::connector::Series {
    match changes {
        [Change::Series(series)] => series,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_series_comes_whole_and_its_deleted_occurrences_do_not() {
    let bench = bench();
    let master = series(&bench);
    let (changes, cursor, _) = bench.pass(None).unwrap();
    let all = only_series(&changes);
    assert_eq!(master["id"], *all.id);
    assert_eq!(all.occurrences.len(), 5);
    let originals: Vec<_> =
        all.occurrences.iter().map(|item| item.occurrence.as_ref().unwrap().original_start).collect();
    // 09:00 in Warsaw is 08:00 in UTC.
    assert_eq!(originals, (0..5).map(|day| MORNING - HOUR + day * DAY).collect::<Vec<_>>());
    assert!(all.occurrences.iter().all(|item| entry(item).zone == "Europe/Warsaw"));

    bench.user().delete_event(&all.occurrences[1].remote_id).unwrap();
    let moved = json!({
        "start": {"dateTime": "2026-12-03T15:00:00", "timeZone": "Europe/Warsaw"},
        "end": {"dateTime": "2026-12-03T16:00:00", "timeZone": "Europe/Warsaw"},
    });
    bench.user().edit_event(&all.occurrences[2].remote_id, moved).unwrap();
    let (changes, cursor, full) = bench.pass(Some(&cursor)).unwrap();
    assert!(!full);
    let found = changes.iter().find_map(|change| if let Change::Series(series) = change { Some(series) } else { None });
    let now = found.unwrap();
    assert_eq!(now.occurrences.len(), 4);
    let exception = now.occurrences.iter().find(|item| item.remote_id == all.occurrences[2].remote_id).unwrap();
    assert_eq!(exception.occurrence.as_ref().unwrap().original_start, MORNING - HOUR + 2 * DAY);
    assert_eq!(
        entry(exception).period,
        Some(Period::Timed(Timed { start: MORNING + 2 * DAY + 5 * HOUR, end: MORNING + 2 * DAY + 6 * HOUR }))
    );

    // One occurrence is changed and another deleted by us; the master keeps its zone.
    let content =
        Content::Entry(apptsync_plugin::connector::Entry { zone: "Europe/Warsaw".into(), ..visit(3 * 24 + 2) });
    let done = bench.push_one(update(&now.occurrences[2], content, Fields::PERIOD)).unwrap().unwrap();
    assert_eq!(done.occurrence.as_ref().unwrap().original_start, MORNING - HOUR + 3 * DAY);
    assert_eq!(entry(&done).period, visit(3 * 24 + 2).period);
    let last = bench.fetch_one(&now.occurrences[3].remote_id).unwrap().unwrap();
    assert_eq!(bench.push_one(Operation::Delete(reference(&last))), Ok(None));
    let (changes, cursor, _) = bench.pass(Some(&cursor)).unwrap();
    let found = changes.iter().find_map(|change| if let Change::Series(series) = change { Some(series) } else { None });
    assert_eq!(found.unwrap().occurrences.len(), 3);

    bench.user().delete_event(&all.id).unwrap();
    let (changes, _, _) = bench.pass(Some(&cursor)).unwrap();
    assert!(!changes.is_empty() && changes.iter().all(|change| matches!(change, Change::Removed(_))), "{changes:?}");
    assert_eq!(bench.fetch_one(&all.id), Ok(None));
}

#[test]
fn occurrences_of_whole_days_are_told_apart_by_midnight_in_utc() {
    let bench = bench();
    let midnight = |day: u32| json!({"dateTime": format!("2026-12-0{day}T00:00:00"), "timeZone": "Europe/Warsaw"});
    let master = series(&bench);
    let whole = json!({"isAllDay": true, "start": midnight(1), "end": midnight(2)});
    bench.user().edit_event(master["id"].as_str().unwrap(), whole).unwrap();
    let (changes, cursor, _) = bench.pass(None).unwrap();
    let midnight = MORNING - 9 * HOUR;
    let days = |series: &apptsync_plugin::connector::Series| -> Vec<i64> {
        series
            .occurrences
            .iter()
            .map(|item| (item.occurrence.as_ref().unwrap().original_start - midnight) / DAY)
            .collect()
    };
    let all = only_series(&changes);
    assert_eq!(days(all), [0, 1, 2, 3, 4]);
    bench.user().edit_event(&all.occurrences[2].remote_id, json!({"subject": "Other"})).unwrap();
    let (changes, _, _) = bench.pass(Some(&cursor)).unwrap();
    let mut found = days(only_series(&changes));
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3, 4]);
}

/// A bench with a series, and how it was read.
fn with_a_series() -> (Bench, Series) {
    let bench = bench();
    series(&bench);
    let found = only_series(&bench.pass(None).unwrap().0).clone();
    (bench, found)
}

fn edited(item: &Item, subject: &str) -> Operation {
    update(item, Content::Entry(Entry { subject: subject.to_owned(), ..entry(item) }), Fields::SUBJECT)
}

/// The series of a pass, in the order of their first occurrence.
fn all_series(changes: Vec<Change>) -> Vec<Series> {
    let series = |change| match change {
        Change::Series(series) => Some(series),
        Change::Present(_) | Change::Known(_) | Change::Removed(_) => None,
    };
    changes.into_iter().filter_map(series).collect()
}

#[test]
fn occurrences_of_one_series_are_written_one_after_the_other() {
    let bench = bench();
    series(&bench);
    series(&bench);
    let (changes, cursor, _) = bench.pass(None).unwrap();
    let found = all_series(changes);
    let operations: Vec<Operation> = found
        .iter()
        .flat_map(|series| {
            let [first, second, third, fourth, _] = &series.occurrences[..] else { panic!() };
            let delete = |item| Operation::Delete(reference(item));
            [edited(first, "first"), delete(second), edited(third, "third"), delete(fourth)]
        })
        .collect();
    let sent = bench.batches().len();
    let outcomes = bench.push(&operations);
    for pair in outcomes.chunks(2) {
        assert!(done(&pair[0]).occurrence.is_some());
        assert_eq!(pair[1], Outcome::Done(None));
    }
    // Both series side by side: four writes, one question after the first deletion, and what exceptions do not say.
    let sizes: Vec<usize> = bench.batches()[sent..].iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 2, 2, 2, 4]);
    let now = all_series(bench.pass(Some(&cursor)).unwrap().0);
    let subjects = |series: &Series| -> Vec<String> {
        let mut items: Vec<&Item> = series.occurrences.iter().collect();
        items.sort_by_key(|item| item.occurrence.as_ref().unwrap().original_start);
        items.into_iter().map(|item| entry(item).subject).collect()
    };
    assert_eq!(now.iter().map(subjects).collect::<Vec<_>>(), vec![vec!["first", "third", "Round"]; 2]);
}

#[test]
fn what_somebody_else_changed_stays_a_conflict_for_all_siblings() {
    let (bench, stale) = with_a_series();
    bench.user().edit_event(&stale.occurrences[4].remote_id, json!({"subject": "Mine"})).unwrap();
    let operations: Vec<Operation> = stale.occurrences.iter().map(|item| edited(item, "Ours")).collect();
    assert_eq!(bench.push(&operations), vec![Outcome::Failed(Failure::Conflict); 5]);
    // One that was looked at since does not help the others.
    let fresh = bench.fetch_one(&stale.occurrences[0].remote_id).unwrap().unwrap();
    let outcomes = bench.push(&[edited(&fresh, "Ours"), edited(&stale.occurrences[4], "Ours")]);
    assert_eq!(entry(done(&outcomes[0])).subject, "Ours");
    assert_eq!(outcomes[1], Outcome::Failed(Failure::Conflict));
}

#[test]
fn a_pause_stops_the_siblings_that_wait() {
    let (bench, found) = with_a_series();
    let patch = "PATCH /v1.0/users/{user}/events/{event}";
    bench.simulator.switch_on(
        graph_simulator::Fault::new(graph_simulator::FaultName::Throttled).on(patch).after(1).times(1).value(8),
    );
    let operations: Vec<Operation> = found.occurrences.iter().map(|item| edited(item, "Ours")).collect();
    let outcomes = bench.push(&operations);
    assert!(matches!(outcomes[0], Outcome::Failed(Failure::Transient(_))), "written, and not to be read: {outcomes:?}");
    assert_eq!(outcomes[1..], vec![Outcome::Failed(Failure::Throttled(Some(8))); 4]);
}

#[test]
fn ten_series_are_read_in_one_batch() {
    let bench = bench();
    (0..20).for_each(|_| drop(bench.daily_by_the_user("Europe/Warsaw", 2)));
    let page = bench.pull(None).unwrap();
    assert!(page.done && all_series(page.changes).len() == 20);
    assert_eq!(bench.batches().iter().map(Vec::len).collect::<Vec<_>>(), [20, 20]);
}

#[test]
fn series_that_a_page_has_no_room_for_come_with_the_next() {
    let mut bench = bench();
    bench.window.end = MORNING + 900 * DAY;
    (0..5).for_each(|_| drop(bench.daily_by_the_user("Europe/Warsaw", 850)));
    let first = bench.pull(None).unwrap();
    assert!(!first.done);
    let second = bench.pull(Some(&first.next)).unwrap();
    assert!(second.done);
    let (first, second) = (all_series(first.changes), all_series(second.changes));
    assert_eq!((first.len(), second.len()), (4, 1));
    let mut ids: Vec<&String> = first.iter().chain(&second).map(|series| &series.id).collect();
    assert!(first.iter().chain(&second).all(|series| series.occurrences.len() == 850));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[test]
fn a_series_keeps_the_zone_that_somebody_chose_for_it() {
    let bench = bench();
    bench.daily_by_the_user("Pacific Standard Time", 5);
    let (changes, _, _) = bench.pass(None).unwrap();
    let found = only_series(&changes);
    let start = MORNING + 8 * HOUR + DAY;
    let period = Some(Period::Timed(Timed { start, end: start + HOUR }));
    let wanted = |zone: &str| Content::Entry(Entry { period: period.clone(), zone: zone.to_owned(), ..visit(0) });
    let moved =
        bench.push_one(update(&found.occurrences[1], wanted("Europe/Warsaw"), Fields::PERIOD)).unwrap().unwrap();
    assert_eq!((entry(&moved).period, entry(&moved).zone.as_str()), (period.clone(), "America/Los_Angeles"));
    let master = bench.fetch_one(&found.id).unwrap().unwrap();
    let moved = bench.push_one(update(&master, wanted("UTC"), Fields::PERIOD)).unwrap().unwrap();
    assert_eq!((entry(&moved).period, entry(&moved).zone.as_str()), (period, "America/Los_Angeles"));
}
