//! Outlook (domain 8, and 9 walk-through 2) through the binary: against a real CalDAV server, against the simulator of
//! Microsoft Graph, and by a calendar file.

/// Runs a story with each connector: with a workspace whose representative B has a calendar, or with a kind of calendar.
macro_rules! stories {
    ($($(#[$meta:meta])* $name:ident($workspace:ident, $calendar:ident, $more:expr) $story:block)+) => {
        stories! { $($(#[$meta])* $name(kind) {
            let ($workspace, $calendar) = connected(kind, $more);
            $story
        })+ }
    };
    ($($(#[$meta:meta])* $name:ident($kind:ident) $story:block)+) => { $(
        mod $name {
            use super::*;

            fn story($kind: Kind) $story

            $(#[$meta])*
            #[test]
            fn with_caldav() {
                story(Kind::CalDav);
            }

            $(#[$meta])*
            #[test]
            fn with_a_file() {
                story(Kind::File);
            }

            $(#[$meta])*
            #[test]
            fn with_graph() {
                story(Kind::Graph);
            }
        }
    )+ };
}

mod broken;
mod calendar;
mod check;
mod conflicts;
mod connect;
mod contacts;
mod gate;
mod kill;
mod mailboxes;
mod meetings;
mod plan;
mod profiles;
mod series;
mod settings;
mod status;
mod tasks;
mod trouble;
mod undo;
mod walk_through;
mod writer;

use std::collections::BTreeMap;
use std::fs;

use apptsync_tests::radicale::PASSWORD;
use apptsync_tests::{Ran, Workspace};
use serde_json::Value;

use self::calendar::{Calendar, Kind, connected};
use crate::support::{batch, feed};

fn sync(workspace: &Workspace) -> Value {
    sync_at(workspace, "2026-11-23T08:00:00Z")
}

/// What came of the first profile.
fn sync_at(workspace: &Workspace, now: &str) -> Value {
    synchronised(workspace, &["--all"], now).json()[0].clone()
}

/// What came of each profile.
fn sync_all(workspace: &Workspace, now: &str) -> BTreeMap<String, Value> {
    let reports = synchronised(workspace, &["--all"], now).json();
    let reports = reports.as_array().expect("an array");
    reports.iter().map(|report| (report["profile"].as_str().expect("a name").to_owned(), report.clone())).collect()
}

/// A run of `outlook sync`. Whatever it does, nothing goes to Mobile: the feed stays as it was, byte for byte.
fn synchronised(workspace: &Workspace, more: &[&str], now: &str) -> Ran {
    let before = feed(workspace);
    let command = ["outlook", "sync", "--output", "json", "--as-of", now];
    let ran = workspace.run(&[&command[..], more].concat());
    assert_eq!(feed(workspace), before, "nothing goes to Mobile");
    ran
}

fn counts(report: &Value) -> [u64; 5] {
    ["create", "update", "delete", "revert", "import"].map(|name| report["operations"][name].as_u64().expect("a count"))
}

fn state(report: &Value) -> &str {
    report["state"].as_str().expect("a state")
}

fn said(report: &Value) -> String {
    report["messages"].to_string()
}

/// A minute of the day.
fn at(minute: usize) -> String {
    format!("2026-11-23T{:02}:{:02}:00Z", 8 + minute / 60, minute % 60)
}

/// Makes an activity of representative B in the headquarters, and gives its number.
fn make(workspace: &Workspace, subject: &str, start: &str, end: &str) -> String {
    make_for(workspace, "B", subject, &["--start", start, "--end", end])
}

/// Makes an activity in the headquarters, and gives its number.
fn make_for(workspace: &Workspace, employee: &str, subject: &str, more: &[&str]) -> String {
    let add = ["activities", "add", "--employee", employee, "--subject", subject, "--output", "json"];
    workspace.run(&[&add[..], more].concat()).exits(0).json()["id"].as_str().expect("an id").to_owned()
}

/// The activity with this subject.
#[track_caller]
fn found(workspace: &Workspace, subject: &str) -> Value {
    let all = workspace.activities();
    let activity = all.iter().find(|activity| activity["subject"] == subject);
    activity.unwrap_or_else(|| panic!("no activity {subject}: {all:#?}")).clone()
}

/// Some appointments of the headquarters that are in the calendar.
fn filled(kind: Kind, more: &[&str], count: usize) -> (Workspace, Calendar) {
    let (workspace, calendar) = connected(kind, more);
    for number in 0..count {
        let _ = make(&workspace, &format!("Visit {number:02}"), "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
    }
    assert_eq!(counts(&sync_at(&workspace, &at(0))), [count as u64, 0, 0, 0, 0]);
    (workspace, calendar)
}

/// True when the text stands anywhere in the database or its log.
fn database_has(workspace: &Workspace, text: &str) -> bool {
    ["headquarters.db", "headquarters.db-wal"].iter().any(|name| {
        let bytes = fs::read(workspace.path(name)).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

fn plan_visit(workspace: &Workspace) -> String {
    let mut arguments = vec!["mobile", "plan", "--user", "A", "--employee", "B", "--channel", "B2B", "--confirmed"];
    arguments.extend(["--customer", "C00001", "--name", "Autumn assortment"]);
    arguments.extend(["--start", "2026-12-01T09:00:00Z", "--end", "2026-12-01T10:00:00Z", "--output", "json"]);
    workspace.run(&arguments).exits(0).json()["id"].as_str().expect("an id").to_owned()
}

fn import(workspace: &Workspace) -> Ran {
    batch(workspace, "import-data", &[])
}

stories! {
    /// Domain 9, walk-through 2: into the calendar of the rep it is assigned to, and on to its new state.
    walk_through_2(workspace, calendar, &[]) {
        let id = plan_visit(&workspace);
        let _ = import(&workspace).exits(0);
        assert_eq!(counts(&sync(&workspace)), [1, 0, 0, 0, 0]);
        let text = calendar.text();
        assert!(text.contains("SUMMARY:SA/2026/000001 Autumn assortment"), "{text}");
        assert!(text.contains("Status: Confirmed") && text.contains("TRANSP:OPAQUE"), "{text}");
        assert_eq!(counts(&sync(&workspace)), [0; 5], "the same again does nothing");
        let _ = workspace.run(&["mobile", "reject", &id, "--user", "A", "--reason", "closed down"]).exits(0);
        let _ = import(&workspace).exits(0);
        assert_eq!(counts(&sync(&workspace)), [0, 1, 0, 0, 0]);
        let text = calendar.text();
        assert!(text.contains("Status: Rejected") && text.contains("TRANSP:TRANSPARENT"), "{text}");
        assert_eq!(counts(&sync(&workspace)), [0; 5]);
    }

    /// Domain 9: text edited in Outlook under Text priority Comarch ERP is put back; a deletion comes back once.
    text_is_put_back_and_a_deletion_comes_back(workspace, calendar, &[]) {
        let _ = plan_visit(&workspace);
        let _ = import(&workspace).exits(0);
        let _ = sync(&workspace);
        calendar.edit("Autumn assortment", "My own words");
        assert_eq!(counts(&sync(&workspace)), [0, 0, 0, 1, 0]);
        assert!(!calendar.text().contains("My own words"));
        calendar.delete("Autumn assortment");
        assert_eq!(counts(&sync(&workspace)), [1, 0, 0, 0, 0]);
        calendar.delete("Autumn assortment");
        let report = sync(&workspace);
        assert_eq!((counts(&report), report["state"].as_str()), ([0; 5], Some("completed-with-warnings")));
    }

    /// Outlook.md 2.9, row P7: what is edited again and again is left until tomorrow, marked, and listed.
    what_is_edited_again_and_again_is_locked_until_tomorrow(workspace, calendar, &[]) {
        let _ = plan_visit(&workspace);
        let _ = import(&workspace).exits(0);
        let _ = sync_at(&workspace, &at(0));
        for round in 0..5 {
            let before = if round < 4 { "Autumn assortment" } else { "My own words 3" };
            calendar.edit(before, &format!("My own words {round}"));
            let report = sync_at(&workspace, &at(2 * round + 1));
            let expected = match round { 0..3 => [0, 0, 0, 1, 0], 3 => [0, 1, 0, 0, 0], _ => [0; 5] };
            assert_eq!(counts(&report), expected, "round {round}: {report:#}");
            assert_eq!(calendar.text().contains("Locked by ERP"), round >= 3);
            assert_eq!(counts(&sync_at(&workspace, &at(2 * round + 2))), [0; 5]);
        }
        assert!(calendar.text().contains("My own words 4"));
        let status = workspace.run(&["outlook", "status", "--as-of", &at(20)]).stdout;
        assert!(status.contains("put back three times today"), "{status}");
        let tomorrow = "2026-11-24T09:00:00Z";
        let report = sync_at(&workspace, tomorrow);
        assert_eq!(counts(&report), [0, 1, 0, 1, 0], "{report:#}");
        let text = calendar.text();
        assert!(text.contains("Autumn assortment") && !text.contains("Locked by ERP"), "{text}");
        assert_eq!(counts(&sync_at(&workspace, "2026-11-24T09:01:00Z")), [0; 5]);
    }

    /// Domain 8: new Outlook items and their later changes come to the headquarters, and the other way around.
    new_items_come_and_go_both_ways(workspace, calendar, &["--text-priority", "outlook"]) {
        let _ = sync(&workspace);
        let _ = workspace.run(&["activities", "add", "--employee", "B", "--subject", "Visit", "--start",
            "2026-12-02T09:00:00Z", "--end", "2026-12-02T10:00:00Z"]).exits(0);
        let _ = sync(&workspace);
        calendar.add("own", "BEGIN:VEVENT\nUID:own\nDTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nSUMMARY:Dentist\nEND:VEVENT");
        calendar.add("secret", "BEGIN:VEVENT\nUID:secret\nDTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nCLASS:PRIVATE\nSUMMARY:Hidden from everybody\nEND:VEVENT");
        calendar.add("todo", "BEGIN:VTODO\nUID:todo\nDTSTAMP:20261120T100000Z\nSUMMARY:Call back\nEND:VTODO");
        assert_eq!(counts(&sync(&workspace)), [0, 0, 0, 0, 2]);
        assert_eq!(counts(&sync(&workspace)), [0; 5], "and agree at once");
        let subjects: Vec<String> =
            workspace.activities().iter().map(|activity| activity["subject"].as_str().unwrap_or_default().to_owned()).collect();
        assert!(subjects.contains(&"Dentist".to_owned()) && subjects.contains(&"Call back".to_owned()), "{subjects:?}");
        assert!(!database_has(&workspace, "Hidden from everybody"), "private items never leave Outlook");
        calendar.edit("SUMMARY:Visit", "SUMMARY:Visit at noon");
        assert_eq!(counts(&sync(&workspace)), [0, 0, 0, 0, 1]);
        let visit = found(&workspace, "Visit at noon");
        let _ = workspace.run(&["activities", "cancel", visit["id"].as_str().expect("an id"), "--yes"]).exits(0);
        assert_eq!(counts(&sync(&workspace)), [0, 0, 1, 0, 0]);
        assert!(!calendar.text().contains("Visit at noon"), "canceling removes its item");
        calendar.delete("SUMMARY:Dentist");
        assert_eq!(counts(&sync(&workspace)), [0, 0, 0, 0, 1], "deleted there, canceled here");
    }

    /// Outlook.md 2.7: a plan that deletes much is held until a person approves it by its hash.
    a_held_plan_is_approved_by_its_hash(workspace, calendar, &[]) {
        let _ = sync(&workspace);
        for number in 0..8 {
            let subject = format!("Visit {number}");
            let _ = workspace.run(&["activities", "add", "--employee", "B", "--subject", &subject, "--start",
                "2026-12-02T09:00:00Z", "--end", "2026-12-02T10:00:00Z"]).exits(0);
        }
        assert_eq!(counts(&sync(&workspace)), [8, 0, 0, 0, 0]);
        for activity in workspace.activities() {
            let id = activity["id"].as_str().expect("an id").to_owned();
            let _ = workspace.run(&["activities", "cancel", &id, "--yes"]).exits(0);
        }
        let ran = workspace.run(&["outlook", "sync", "b", "--output", "json"]).exits(3);
        let report = ran.json()[0].clone();
        assert_eq!((report["state"].as_str(), counts(&report)), (Some("held"), [0; 5]));
        assert!(report["held"][0]["reason"].as_str().is_some_and(|reason| reason.starts_with("G1: 8 of 8")), "{report}");
        assert_eq!(calendar.text().matches("SUMMARY:Visit").count(), 8);
        let _ = workspace.run(&["outlook", "sync", "b", "--approve", "0000000000000000"]).exits(3);
        let hash = report["plan"].as_str().expect("a hash");
        let _ = workspace.run(&["outlook", "sync", "b", "--approve", hash]).exits(0);
        assert_eq!(calendar.text().matches("SUMMARY:Visit").count(), 0);
    }
}

/// Domain 8: without settings nothing is synchronised, and that is said clearly.
#[test]
fn without_settings_nothing_is_synchronised() {
    let workspace = Workspace::new();
    let _ = workspace
        .run(&["outlook", "profile", "add", "b", "--employee", "B", "--connector", "calendar-file", "--user", "b"])
        .exits(0);
    let ran = workspace.run(&["outlook", "sync", "--all"]).exits(1);
    assert!(ran.stdout.contains("nothing is synchronised"), "{}", ran.stdout);
}

/// A wrong password is never a deletion: the state says what to do.
#[test]
fn a_wrong_password_changes_nothing() {
    let (workspace, calendar) = connected(Kind::CalDav, &[]);
    let _ = plan_visit(&workspace);
    let _ = import(&workspace).exits(0);
    let _ = sync(&workspace);
    calendar.add_credential(&workspace, "login", &calendar.origin(), Some("wrong"));
    let report = sync(&workspace);
    assert_eq!((report["state"].as_str(), counts(&report)), (Some("reconnect"), [0; 5]), "{report}");
    assert!(calendar.text().contains("Autumn assortment"));
    let status = workspace.run(&["outlook", "status"]).exits(3).stdout;
    assert!(status.contains("Reconnect") && !status.contains(PASSWORD), "{status}");
}

/// Outlook.md 2.4 c: what its owner exports and puts back elsewhere is the same activity, because its UID is.
#[test]
fn what_is_put_back_under_another_path_keeps_its_activity() {
    let (workspace, calendar) = connected(Kind::CalDav, &["--text-priority", "outlook"]);
    let event = |subject: &str| {
        format!(
            "BEGIN:VEVENT\nUID:own\nDTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nSUMMARY:{subject}\nEND:VEVENT"
        )
    };
    calendar.add("own", &event("Dentist"));
    assert_eq!(counts(&sync_at(&workspace, &at(0))), [0, 0, 0, 0, 1]);
    let activity = found(&workspace, "Dentist");
    calendar.delete("SUMMARY:Dentist");
    calendar.add("elsewhere", &event("Dentist again"));
    let report = sync_at(&workspace, &at(1));
    assert_eq!(counts(&report), [0, 0, 0, 0, 1], "{report:#}");
    let now = found(&workspace, "Dentist again");
    assert_eq!((&now["id"], workspace.activities().len()), (&activity["id"], 1));
    assert_eq!(counts(&sync_at(&workspace, &at(2))), [0; 5]);
}
