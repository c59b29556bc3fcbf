//! Outlook (domain 8, and 9 walk-through 2) through the binary: against a real CalDAV server, and by a calendar file.

use std::fs;

use apptsync_tests::radicale::{PASSWORD, Radicale, USER};
use apptsync_tests::{Ran, Workspace};
use serde_json::Value;

use crate::support::batch;

/// A representative's calendar, as its owner sees it.
enum Calendar {
    Server { radicale: Radicale, path: String },
    File(std::path::PathBuf),
}

impl Calendar {
    /// Every object, with what its owner needs to change it.
    fn objects(&self) -> Vec<(String, String)> {
        match self {
            Self::Server { radicale, path } => {
                let Ok(entries) = fs::read_dir(radicale.folder(path)) else { return Vec::new() };
                let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
                let names = names.filter(|name| name.ends_with(".ics"));
                names.map(|name| (format!("{path}{name}"), self.get(&format!("{path}{name}")))).collect()
            }
            Self::File(file) => {
                fs::read_to_string(file).map_or_else(|_| Vec::new(), |text| vec![(String::new(), text)])
            }
        }
    }

    fn get(&self, path: &str) -> String {
        match self {
            Self::Server { radicale, .. } => radicale.foreign_user().ask("GET", path, &[], "").body,
            Self::File(file) => fs::read_to_string(file).expect("the calendar"),
        }
    }

    fn text(&self) -> String {
        // Long lines are folded: what is looked for must not be.
        self.objects().into_iter().map(|(_, text)| text.replace("\r\n ", "")).collect()
    }

    /// The owner edits what the calendar says.
    fn edit(&self, from: &str, to: &str) {
        let (path, text) = self.objects().into_iter().find(|(_, text)| text.contains(from)).expect("it is there");
        self.put(&path, &text.replace(from, to));
    }

    fn put(&self, path: &str, text: &str) {
        match self {
            Self::Server { radicale, .. } => {
                let headers = [("content-type", "text/calendar")];
                let status = radicale.foreign_user().ask("PUT", path, &headers, text).status;
                assert!((200..300).contains(&status), "{status}");
            }
            Self::File(file) => fs::write(file, text).expect("written"),
        }
    }

    /// The owner adds something.
    fn add(&self, uid: &str, component: &str) {
        let component = component.replace('\n', "\r\n");
        match self {
            Self::Server { path, .. } => {
                let whole =
                    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{component}\r\nEND:VCALENDAR\r\n");
                self.put(&format!("{path}{uid}.ics"), &whole);
            }
            Self::File(file) => {
                let text = fs::read_to_string(file).expect("the calendar");
                self.put("", &text.replace("END:VCALENDAR", &format!("{component}\r\nEND:VCALENDAR")));
            }
        }
    }

    /// The owner deletes the one object that says this.
    fn delete(&self, what: &str) {
        match self {
            Self::Server { radicale, .. } => {
                let (path, _) = self.objects().into_iter().find(|(_, text)| text.contains(what)).expect("it is there");
                let _ = radicale.foreign_user().ask("DELETE", &path, &[], "");
            }
            Self::File(file) => {
                let text = fs::read_to_string(file).expect("the calendar");
                let mut kept = String::new();
                let mut parts = text.split("BEGIN:VEVENT");
                kept.push_str(parts.next().unwrap_or_default());
                for part in parts {
                    let (event, rest) = part.split_once("END:VEVENT\r\n").expect("an end");
                    if !event.contains(what) {
                        kept.push_str(&format!("BEGIN:VEVENT{event}END:VEVENT\r\n"));
                    }
                    kept.push_str(rest);
                }
                self.put("", &kept);
            }
        }
    }
}

/// A workspace whose representative B has a calendar.
fn connected(is_server: bool, more: &[&str]) -> (Workspace, Calendar) {
    let workspace = Workspace::new();
    let settings =
        ["outlook", "settings", "set", "--level", "database", "--calendar-from", "-7d", "--calendar-to", "+90d"];
    let _ = workspace.run(&[&settings[..], &["--tasks-from", "-7d", "--tasks-to", "+90d"]].concat()).exits(0);
    let mut arguments = vec!["outlook", "profile", "add", "b", "--employee", "B", "--user", USER];
    if !is_server {
        let file = workspace.path(&format!("calendars/{USER}.ics"));
        arguments.extend(["--connector", "calendar-file"]);
        let _ = workspace.run(&[&arguments[..], more].concat()).exits(0);
        return (workspace, Calendar::File(file));
    }
    let radicale = Radicale::start();
    let path = radicale.calendar("Sales");
    fs::write(workspace.path("secret"), PASSWORD).expect("written");
    let secret = workspace.path("secret");
    let credential = ["credentials", "add", "dav", "--kind", "password", "--secret-file"];
    let _ = workspace.run(&[&credential[..], &[secret.to_str().expect("a path")]].concat()).exits(0);
    let origin = radicale.origin();
    arguments.extend(["--connector", "caldav", "--server", &origin, "--calendar", "Sales", "--credential", "dav"]);
    let _ = workspace.run(&[&arguments[..], more].concat()).exits(0);
    (workspace, Calendar::Server { radicale, path })
}

fn sync(workspace: &Workspace) -> Value {
    let ran = workspace.run(&["outlook", "sync", "--all", "--output", "json"]);
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

/// Runs a story with the server and with the file.
macro_rules! stories {
    ($($(#[$meta:meta])* $name:ident($workspace:ident, $calendar:ident, $more:expr) $story:block)+) => { $(
        mod $name {
            use super::*;

            fn story(is_server: bool) {
                let ($workspace, $calendar) = connected(is_server, $more);
                $story
            }

            $(#[$meta])*
            #[test]
            fn with_caldav() {
                story(true);
            }

            $(#[$meta])*
            #[test]
            fn with_a_file() {
                story(false);
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
    let (workspace, calendar) = connected(true, &[]);
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
