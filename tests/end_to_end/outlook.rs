//! Outlook (domain 8, and 9 walk-through 2) through the binary: against a real CalDAV server, against the simulator of
//! Microsoft Graph, and by a calendar file.

mod calendar;
mod gate;
mod kill;
mod trouble;

use std::fs;

use apptsync_tests::radicale::PASSWORD;
use apptsync_tests::{Ran, Workspace};
use serde_json::Value;

use self::calendar::{Kind, connected};
use crate::support::batch;

fn sync(workspace: &Workspace) -> Value {
    sync_at(workspace, "2026-11-23T08:00:00Z")
}

fn sync_at(workspace: &Workspace, now: &str) -> Value {
    let ran = workspace.run(&["outlook", "sync", "--all", "--output", "json", "--as-of", now]);
    ran.json()[0].clone()
}

fn counts(report: &Value) -> [u64; 5] {
    ["create", "update", "delete", "revert", "import"].map(|name| report["operations"][name].as_u64().expect("a count"))
}

fn plan(workspace: &Workspace) -> String {
    let mut arguments = vec!["mobile", "plan", "--user", "A", "--employee", "B", "--channel", "B2B", "--confirmed"];
    arguments.extend(["--customer", "C00001", "--name", "Autumn assortment"]);
    arguments.extend(["--start", "2026-12-01T09:00:00Z", "--end", "2026-12-01T10:00:00Z", "--output", "json"]);
    workspace.run(&arguments).exits(0).json()["id"].as_str().expect("an id").to_owned()
}

fn import(workspace: &Workspace) -> Ran {
    batch(workspace, "import-data", &[])
}

/// Runs a story with each connector.
macro_rules! stories {
    ($($(#[$meta:meta])* $name:ident($workspace:ident, $calendar:ident, $more:expr) $story:block)+) => { $(
        mod $name {
            use super::*;

            fn story(kind: Kind) {
                let ($workspace, $calendar) = connected(kind, $more);
                $story
            }

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

stories! {
    /// Domain 9, walk-through 2: into the calendar of the rep it is assigned to, and on to its new state.
    walk_through_2(workspace, calendar, &[]) {
        let id = plan(&workspace);
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
        let _ = plan(&workspace);
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

    /// Domain 8: new Outlook items and their later changes come to the headquarters, and the other way around.
    new_items_come_and_go_both_ways(workspace, calendar, &["--text-priority", "outlook"]) {
        let _ = sync(&workspace);
        let _ = workspace.run(&["activities", "add", "--employee", "B", "--subject", "Visit", "--start",
            "2026-12-02T09:00:00Z", "--end", "2026-12-02T10:00:00Z"]).exits(0);
        let _ = sync(&workspace);
        calendar.add("own", "BEGIN:VEVENT\nUID:own\nDTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nSUMMARY:Dentist\nEND:VEVENT");
        calendar.add("secret", "BEGIN:VEVENT\nUID:secret\nDTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nCLASS:PRIVATE\nSUMMARY:Hidden from everybody\nEND:VEVENT");
        calendar.add("todo", "BEGIN:VTODO\nUID:todo\nDTSTAMP:20261120T100000Z\nSUMMARY:Call back\nEND:VTODO");
        let feed = fs::read_dir(workspace.path("feed")).expect("the feed").count();
        assert_eq!(counts(&sync(&workspace)), [0, 0, 0, 0, 2]);
        assert_eq!(counts(&sync(&workspace)), [0; 5], "and agree at once");
        let subjects: Vec<String> =
            workspace.activities().iter().map(|activity| activity["subject"].as_str().unwrap_or_default().to_owned()).collect();
        assert!(subjects.contains(&"Dentist".to_owned()) && subjects.contains(&"Call back".to_owned()), "{subjects:?}");
        assert_eq!(fs::read_dir(workspace.path("feed")).expect("the feed").count(), feed, "nothing goes to Mobile");
        let database = fs::read(workspace.path("headquarters.db")).expect("the database");
        let log = fs::read(workspace.path("headquarters.db-wal")).unwrap_or_default();
        let secret = b"Hidden from everybody";
        let has_secret = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!has_secret(&database) && !has_secret(&log), "private items never leave Outlook");
        calendar.edit("SUMMARY:Visit", "SUMMARY:Visit at noon");
        assert_eq!(counts(&sync(&workspace)), [0, 0, 0, 0, 1]);
        let find = |subject: &str| {
            let all = workspace.activities();
            let found = all.iter().find(|activity| activity["subject"] == subject).expect("an activity").clone();
            found["id"].as_str().expect("an id").to_owned()
        };
        let visit = find("Visit at noon");
        let _ = workspace.run(&["activities", "cancel", &visit, "--yes"]).exits(0);
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
    let _ = plan(&workspace);
    let _ = import(&workspace).exits(0);
    let _ = sync(&workspace);
    fs::write(workspace.path("secret"), "wrong").expect("written");
    let secret = workspace.path("secret");
    let path = secret.to_str().expect("a path");
    let _ = workspace
        .run(&["credentials", "add", "dav", "--kind", "password", "--replace", "--secret-file", path])
        .exits(0);
    let report = sync(&workspace);
    assert_eq!((report["state"].as_str(), counts(&report)), (Some("reconnect"), [0; 5]), "{report}");
    assert!(calendar.text().contains("Autumn assortment"));
    let status = workspace.run(&["outlook", "status"]).exits(3).stdout;
    assert!(status.contains("Reconnect") && !status.contains(PASSWORD), "{status}");
}
