//! What the connector sends has the shapes that Microsoft publishes.

use apptsync_plugin::connector::{Change, Contact, Content, Entry, Fields, Kind, Operation};
use apptsync_plugin::types::{AllDay, Period};
use graph_simulator::clients::check_shapes;

use crate::support::{Bench, MORNING, adopt, content, customer, entry, reference, update, visit};

#[test]
fn a_days_work_has_published_shapes() {
    let mut recorded = Vec::new();
    for kind in [Kind::Appointment, Kind::Task, Kind::Contact] {
        let bench = Bench::new(kind);
        bench.simulator.record();
        a_day(&bench);
        recorded.extend(bench.simulator.exchanges());
    }
    let sent = |method: &str, word: &str| {
        let is_it = |target: &str| target.starts_with(method) && target.contains(word);
        recorded.iter().filter(|one| is_it(&one.target) && one.status < 300).count()
    };
    for word in ["/events", "/tasks", "/contacts"] {
        for method in ["POST", "PATCH", "DELETE", "GET"] {
            assert!(sent(method, word) > 0, "{method} {word}");
        }
    }
    assert!(sent("POST", "/linkedResources") > 0 && sent("GET", "/instances") > 0);
    check_shapes(&recorded).unwrap();
}

fn a_day(bench: &Bench) {
    let kind = bench.target.kind;
    bench.probe().unwrap();
    let made = bench.made(1, content(kind, 1));
    match kind {
        Kind::Appointment => appointments(bench),
        Kind::Task => {
            let open = Entry { completed: None, period: None, ..visit(0) };
            let done = Entry { completed: Some(MORNING), ..visit(2) };
            let fields = Fields::SUBJECT | Fields::BODY | Fields::PRIORITY | Fields::PERIOD | Fields::COMPLETED;
            let task = bench.made(2, Content::Entry(visit(1)));
            let task = bench.push_one(update(&task, Content::Entry(done), fields)).unwrap().unwrap();
            bench.push_one(update(&task, Content::Entry(open), fields)).unwrap();
        }
        Kind::Contact => {
            let contact = bench.made(2, Content::Contact(customer(2)));
            let moved = Contact { street: String::new(), city: "Wieliczka".to_owned(), ..customer(3) };
            bench.push_one(update(&contact, Content::Contact(moved), Fields::CONTACT)).unwrap();
        }
    }
    let adopted = bench.push_one(adopt(&made, "other")).unwrap().unwrap();
    bench.fetch_one(&adopted.remote_id).unwrap();
    bench.find(&["other"]).unwrap();
    bench.pass(None).unwrap();
    let copy = bench.push_one(Operation::Disown(reference(&adopted))).unwrap().unwrap();
    bench.push_one(Operation::Delete(reference(&copy))).unwrap();
}

fn appointments(bench: &Bench) {
    let days = Period::AllDay(AllDay { start: "2026-12-01".to_owned(), end: "2026-12-03".to_owned() });
    let whole = bench.made(2, Content::Entry(Entry { period: Some(days), ..visit(0) }));
    let done = Entry { completed: Some(MORNING), ..visit(5) };
    let fields =
        Fields::SUBJECT | Fields::BODY | Fields::LOCATION | Fields::PRIORITY | Fields::PERIOD | Fields::COMPLETED;
    bench.push_one(update(&whole, Content::Entry(done), fields)).unwrap();
    bench.daily_by_the_user("Europe/Warsaw", 3);
    let (changes, _, _) = bench.pass(None).unwrap();
    let series =
        changes.iter().find_map(|change| if let Change::Series(series) = change { Some(series) } else { None });
    let [first, second, ..] = &series.unwrap().occurrences[..] else { panic!() };
    let moved = Content::Entry(Entry { subject: "Moved".to_owned(), ..entry(first) });
    bench.push(&[update(first, moved, fields), Operation::Delete(reference(second))]);
}
