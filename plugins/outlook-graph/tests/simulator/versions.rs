//! Listings by ids and versions: those of a pass, with few requests and little in them.

use std::collections::BTreeMap;

use apptsync_plugin::connector::{Change, Content, Item, Kind};
use serde_json::json;

use crate::support::{Bench, content, create, visit};

/// What a pass over everything says, by ids and versions.
fn told(bench: &Bench) -> BTreeMap<String, String> {
    let items = bench.pass(None).unwrap().0.into_iter().flat_map(|change| match change {
        Change::Present(item) => vec![item],
        Change::Series(series) => series.occurrences,
        Change::Known(_) | Change::Removed(_) => Vec::new(),
    });
    let shown = items.filter(|item: &Item| !item.private && !item.cancelled);
    shown.map(|item| (item.remote_id, item.etag)).collect()
}

#[test]
fn versions_of_appointments_are_those_of_a_pass() {
    let bench = Bench::new(Kind::Appointment);
    bench.made(1, Content::Entry(visit(0)));
    let series = bench.daily_by_the_user("America/New_York", 5);
    let at = |hour: u32, zone: &str| json!({"dateTime": format!("2026-12-02T{hour:02}:00:00"), "timeZone": zone});
    let days = |day: u32| json!({"dateTime": format!("2026-12-{day:02}T00:00:00"), "timeZone": "Asia/Tokyo"});
    for event in [
        json!({"subject": "Guests", "start": at(9, "UTC"), "end": at(10, "UTC"),
            "attendees": [{"type": "required", "emailAddress": {"address": "guest@example.com"}}]}),
        json!({"subject": "Online", "start": at(9, "Asia/Tokyo"), "end": at(10, "Asia/Tokyo"),
            "isOnlineMeeting": true, "onlineMeetingProvider": "teamsForBusiness"}),
        json!({"subject": "Days", "isAllDay": true, "start": days(3), "end": days(4)}),
        json!({"subject": "Hidden", "sensitivity": "private", "start": at(9, "UTC"), "end": at(10, "UTC")}),
    ] {
        bench.user().request("POST", "events", event).unwrap();
    }
    let found = bench.versions().unwrap();
    assert_eq!((&found, found.len()), (&told(&bench), 1 + 5 + 3));

    let occurrence =
        found.keys().find(|id| bench.fetch_one(id).unwrap().unwrap().occurrence.is_some()).unwrap().clone();
    bench.user().edit_event(&occurrence, json!({"subject": "Another"})).unwrap();
    let changed = bench.versions().unwrap();
    assert_eq!(changed, told(&bench));
    assert_ne!(changed[&occurrence], found[&occurrence]);
    bench.user().delete_event(series["id"].as_str().unwrap()).unwrap();
    assert_eq!(bench.versions().unwrap().len(), 1 + 3);
}

#[test]
fn versions_of_tasks_are_those_of_the_window_and_those_without_a_date() {
    let bench = Bench::new(Kind::Task);
    for number in 0..3 {
        bench.made(number, content(Kind::Task, number));
    }
    let all = told(&bench);
    assert_eq!(bench.versions().unwrap(), all);
    let list = format!("todo/lists/{}/tasks", bench.target.collection);
    let day = |year: u32| json!({"dateTime": format!("{year}-01-10T00:00:00"), "timeZone": "UTC"});
    for (title, due) in [("Long ago", Some(2020)), ("One day", None)] {
        let task = json!({"title": title, "dueDateTime": due.map(day)});
        bench.user().request("POST", &list, task).unwrap();
    }
    let now = bench.versions().unwrap();
    assert_eq!(now.len(), all.len() + 1, "what lies outside is not listed");
    assert!(told(&bench).into_iter().filter(|version| now.get(&version.0) == Some(&version.1)).count() == now.len());
}

#[test]
fn an_address_book_is_not_listed() {
    assert_eq!(Bench::new(Kind::Contact).versions(), None);
}

#[test]
fn a_few_requests_list_what_takes_many_pages_to_read() {
    let bench = Bench::new(Kind::Appointment);
    let creates: Vec<_> = (0..1_200).map(|number| create(number, content(Kind::Appointment, number))).collect();
    creates.chunks(256).for_each(|batch| drop(bench.push(batch)));
    bench.simulator.reset_counters();
    assert_eq!(bench.versions().unwrap().len(), 1_200);
    assert_eq!(bench.simulator.counters().total(), 2);
}
