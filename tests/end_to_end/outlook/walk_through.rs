//! Domain 9, walk-through 2, and its acceptance cases, step by step: import, synchronise, see it in the calendar, process it in
//! Mobile, import, synchronise, see the new state.

use apptsync_tests::{Ran, Workspace, appointment, with};
use serde_json::{Value, json};

use super::calendar::{Calendar, Kind, Server, connected};
use super::{counts, make, plan_visit, sync_at};
use crate::support::batch;

/// An hour in which the visit has not begun, one within it, and one after it.
const BEFORE: &str = "2026-11-30T08:00:00Z";
const DURING: &str = "2026-12-01T09:40:00Z";
const AFTER: &str = "2026-12-01T11:00:00Z";

const NOTHING: [u64; 5] = [0; 5];

fn import_at(workspace: &Workspace, now: &str) -> Ran {
    batch(workspace, "import-data", &["--as-of", now])
}

/// Import and synchronise.
fn round(workspace: &Workspace, now: &str) -> [u64; 5] {
    let ran = import_at(workspace, now);
    assert!(matches!(ran.code, 0 | 3), "{ran:?}");
    counts(&sync_at(workspace, now))
}

/// A visit that stands in the calendar.
fn planned(kind: Kind) -> (Workspace, Calendar, String) {
    let (workspace, calendar) = connected(kind, &[]);
    let id = plan_visit(&workspace);
    assert_eq!(round(&workspace, BEFORE), [1, 0, 0, 0, 0]);
    shows(&calendar, "Confirmed", "OPAQUE");
    (workspace, calendar, id)
}

/// The one appointment of the calendar says this status, and is shown as free or busy.
#[track_caller]
fn shows(calendar: &Calendar, status: &str, transparency: &str) {
    let text = calendar.text();
    assert_eq!(calendar.subjects(), ["SA/2026/000001 Autumn assortment"]);
    assert!(text.contains(&format!("Status: {status}")), "{status}: {text}");
    assert!(text.contains(&format!("TRANSP:{transparency}")), "{transparency}: {text}");
}

fn mobile(workspace: &Workspace, words: &[&str], now: &str) {
    let _ = workspace.run(&[&["mobile"], words, &["--as-of", now]].concat()).exits(0);
}

/// What the simulator was asked to write.
fn writes(calendar: &Calendar) -> Option<u64> {
    let Server::Graph(simulator) = &calendar.server else { return None };
    let counters = simulator.counters();
    let written = ["POST", "PATCH", "DELETE"].map(|method| counters.batched_of(method)).iter().sum::<u64>();
    let single = ["PATCH", "DELETE", "events", "tasks"].map(|what| match what {
        "events" | "tasks" => counters.of(&format!("POST /v1.0/users/{}/{what}", calendar.owner)),
        method => counters.of(method),
    });
    Some(written + single.iter().sum::<u64>())
}

stories! {
    /// Carried out by the representative: Completed, with the instant, and the time is free again.
    completed_in_mobile(kind) {
        let (workspace, calendar, id) = planned(kind);
        mobile(&workspace, &["start", &id, "--user", "B"], DURING);
        assert_eq!(round(&workspace, DURING), [0, 1, 0, 0, 0]);
        shows(&calendar, "Pending", "OPAQUE");
        mobile(&workspace, &["complete", &id, "--user", "B"], "2026-12-01T09:50:00Z");
        assert_eq!(round(&workspace, "2026-12-01T09:55:00Z"), [0, 1, 0, 0, 0]);
        shows(&calendar, "Completed", "TRANSPARENT");
        let activity = &workspace.activities()[0];
        assert_eq!((&activity["status"], &activity["completed_by"]), (&json!("completed"), &json!("B")));
        assert_eq!(activity["completed_on"], "2026-12-01T09:50:00Z");
        assert_eq!(round(&workspace, AFTER), NOTHING);
    }

    /// Suspended: still Planned, the description says so, and the time stays taken; resumed, it says that.
    suspended_in_mobile(kind) {
        let (workspace, calendar, id) = planned(kind);
        mobile(&workspace, &["start", &id, "--user", "B"], DURING);
        mobile(&workspace, &["suspend", &id, "--user", "B", "--reason", "the buyer is ill"], DURING);
        assert_eq!(round(&workspace, DURING), [0, 1, 0, 0, 0]);
        shows(&calendar, "Suspended", "OPAQUE");
        assert_eq!(workspace.activities()[0]["status"], "planned");
        mobile(&workspace, &["resume", &id, "--user", "B"], DURING);
        assert_eq!(round(&workspace, DURING), [0, 1, 0, 0, 0]);
        shows(&calendar, "Pending", "OPAQUE");
    }

    /// The end passes: Delayed, and from then on neither a change in Mobile nor a second run writes anything.
    delayed_and_then_frozen(kind) {
        let (workspace, calendar, id) = planned(kind);
        let _ = round(&workspace, AFTER);
        assert_eq!(workspace.activities()[0]["status"], "delayed");
        let before = (calendar.text(), calendar.versions());
        let change = json!({
            "id": id, "number": "SA/2026/000001", "name": "Another name", "changed_at": "2026-12-01T11:10:00Z"
        });
        workspace.feed(&with(appointment("x"), &change));
        assert_eq!(round(&workspace, "2026-12-01T11:15:00Z"), NOTHING);
        let finished = json!({ "status": "completed", "completed_on": "2026-12-01T11:20:00Z", "completed_by": "B" });
        workspace.feed(&with(with(appointment("x"), &change), &finished));
        assert_eq!(round(&workspace, "2026-12-01T11:25:00Z"), NOTHING);
        assert_eq!((calendar.text(), calendar.versions()), before);
        assert_eq!(workspace.activities()[0]["status"], "delayed");
    }

    /// Rescheduled in Mobile: the same item, at another time.
    rescheduled_in_mobile(kind) {
        let (workspace, calendar, id) = planned(kind);
        let times = ["--start", "2026-12-02T13:00:00Z", "--end", "2026-12-02T14:00:00Z"];
        mobile(&workspace, &[&["reschedule", &id, "--user", "A"], &times[..]].concat(), BEFORE);
        assert_eq!(round(&workspace, BEFORE), [0, 1, 0, 0, 0]);
        shows(&calendar, "Confirmed", "OPAQUE");
        match &calendar.server {
            Server::Graph(_) => {
                let event = &calendar.events()[0];
                let time = [&event["start"]["dateTime"], &event["start"]["timeZone"]].map(|part| part.as_str());
                let time = time.map(|part| part.expect("a text").to_owned());
                // 14:00 in Warsaw and Berlin.
                assert!(time[0].starts_with("2026-12-02T14:00") || time[0].starts_with("2026-12-02T13:00"), "{time:?}");
                assert_eq!(time[0].starts_with("2026-12-02T13:00"), time[1] == "UTC", "{time:?}");
            }
            _ => assert!(calendar.text().contains("20261202T140000"), "in the organization's zone: {}", calendar.text()),
        }
    }

    /// Deleted in Mobile: Completed unprocessed, and what stands in the calendar is free.
    deleted_in_mobile(kind) {
        let (workspace, calendar, id) = planned(kind);
        mobile(&workspace, &["delete", &id, "--user", "A"], BEFORE);
        let _ = round(&workspace, BEFORE);
        assert_eq!(workspace.activities()[0]["status"], "completed-unprocessed");
        assert!(calendar.text().contains("TRANSP:TRANSPARENT"), "{}", calendar.text());
        assert_eq!(round(&workspace, BEFORE), NOTHING);
    }

    /// Unconfirmed, past, or of a representative without the flag: nothing is imported, and nothing comes into a calendar.
    what_is_not_imported_is_in_no_calendar(kind) {
        let (workspace, calendar) = connected(kind, &[]);
        workspace.feed(&with(appointment("a-1"), &json!({ "status": "unconfirmed" })));
        let past = json!({ "start": "2026-11-20T09:00:00Z", "end": "2026-11-20T10:00:00Z" });
        workspace.feed(&with(appointment("a-2"), &past));
        workspace.feed(&appointment("a-3"));
        let _ = workspace.run(&["employees", "set", "B", "--sales-representative", "false"]).exits(0);
        assert_eq!(round(&workspace, BEFORE), NOTHING);
        assert_eq!((workspace.activities().len(), calendar.subjects().len()), (0, 0));
        // With the flag, only the third is what it takes.
        let _ = workspace.run(&["employees", "set", "B", "--sales-representative", "true"]).exits(0);
        assert_eq!(round(&workspace, BEFORE), [1, 0, 0, 0, 0]);
        assert_eq!(calendar.subjects(), ["SA/2026/a-3 Autumn assortment"]);
    }

    /// The definition is not active: nothing comes into a calendar.
    without_the_definition_nothing_is_in_a_calendar(kind) {
        let (workspace, calendar) = connected(kind, &[]);
        let _ = workspace.run(&["definitions", "deactivate"]).exits(0);
        let _ = plan_visit(&workspace);
        let _ = import_at(&workspace, BEFORE);
        assert_eq!(counts(&sync_at(&workspace, BEFORE)), NOTHING);
        assert_eq!(calendar.subjects().len(), 0);
    }

    /// The same import and synchronisation twice write nothing: on the server not one request that would, in the headquarters
    /// not one row.
    the_same_twice_writes_nothing(kind) {
        let (workspace, calendar, _) = planned(kind);
        let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        assert_eq!(round(&workspace, BEFORE), [1, 0, 0, 0, 0]);
        let before = (calendar.versions(), workspace.activities());
        if let Server::Graph(simulator) = &calendar.server {
            simulator.reset_counters();
        }
        for now in ["2026-11-30T08:05:00Z", "2026-11-30T08:10:00Z"] {
            assert_eq!(round(&workspace, now), NOTHING);
        }
        assert_eq!((calendar.versions(), workspace.activities()), before);
        assert!(writes(&calendar).is_none_or(|written| written == 0), "{:?}", calendar.simulator().counters());
    }
}

/// The simulator's counter of writes is none that is always 0.
#[test]
fn writes_to_the_simulator_are_counted() {
    let (_workspace, calendar, _) = planned(Kind::Graph);
    assert!(writes(&calendar).is_some_and(|written| written > 0), "{:?}", calendar.simulator().counters());
    let untouched: Value = calendar.user().contents()["mails"].clone();
    assert_eq!(untouched, json!({ "invitations": 0, "updates": 0, "cancellations": 0 }));
}
