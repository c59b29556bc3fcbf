//! Outlook.md 2.3: once a day everything is listed, by ids and versions where the server can, and what it forgot to tell is found.

use graph_simulator::{Fault, FaultName};

use super::calendar::{Kind, connected};
use super::{at, counts, filled, make, said, state, sync_at, synchronised};

/// So many days later, and some minutes.
fn later(days: usize, minute: usize) -> String {
    format!("2026-11-{:02}T09:{minute:02}:00Z", 23 + days)
}

stories! {
    /// The check takes few requests, and nothing is done about what is as it was.
    the_daily_check_of_many_items_takes_few_requests(kind) {
        let (workspace, calendar) = filled(kind, &[], 30);
        calendar.add("own", "BEGIN:VEVENT\nUID:own\nDTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nSUMMARY:Dentist\nEND:VEVENT");
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 1]);
        let versions = calendar.versions();
        for days in 1..4 {
            let check = sync_at(&workspace, &later(days, 0));
            assert_eq!((counts(&check), state(&check)), ([0; 5], "completed"), "{check:#}");
            let ordinary = sync_at(&workspace, &later(days, 1));
            let more = check["requests"].as_u64().expect("a count") - ordinary["requests"].as_u64().expect("a count");
            // Appointments and tasks are listed each; of what is not known yet, CalDAV reads once what it is, and what Radicale
            // says of its last change counts only after a moment.
            assert!(more <= if days == 1 { 6 } else { 4 }, "{more} more on day {days}");
        }
        assert_eq!(calendar.versions(), versions, "nothing is written");
    }
}

/// microsoft-graph-docs#11728: a deletion that is never told is found on the next day, and cancels nothing unseen.
#[test]
fn a_deletion_that_graph_never_tells_is_found_by_the_daily_check() {
    let (workspace, calendar) = connected(Kind::Graph, &[]);
    let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
    calendar.add("own", "BEGIN:VEVENT\nUID:own\nDTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nSUMMARY:Dentist\nEND:VEVENT");
    assert_eq!(counts(&sync_at(&workspace, &at(0))), [1, 0, 0, 0, 1]);
    assert_eq!(counts(&sync_at(&workspace, &at(1))), [0; 5]);
    let _ = calendar.simulator().switch_on(Fault::new(FaultName::UnreportedDeletion));
    calendar.delete("SUMMARY:Dentist");
    assert_eq!(counts(&sync_at(&workspace, &at(2))), [0; 5], "no word of it");
    let held = sync_at(&workspace, &later(1, 0));
    assert_eq!((state(&held), counts(&held)), ("held", [0; 5]), "{held:#}");
    assert!(said(&held).contains("G3: 1 items") && said(&held).contains("the daily check"), "{held:#}");
    let hash = held["plan"].as_str().expect("a hash");
    let approved = synchronised(&workspace, &["b", "--approve", hash], &later(1, 1)).json()[0].clone();
    assert_eq!(counts(&approved), [0, 0, 0, 0, 1], "{approved:#}");
    assert_eq!(counts(&sync_at(&workspace, &later(1, 2))), [0; 5]);
}
