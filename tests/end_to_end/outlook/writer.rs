//! Outlook.md 2.11: two installations that write one calendar.

use std::fs;

use apptsync_tests::Workspace;
use serde_json::Value;

use super::calendar::{Calendar, Kind, connected};
use super::{at, counts, found, make, said, state, sync_at, synchronised};

/// Somebody copies a workspace, the calendar's file left out, which both write.
fn copy(workspace: &Workspace) -> Workspace {
    let copy = Workspace::empty();
    for entry in fs::read_dir(workspace.folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if path.is_file() {
            let _ = fs::copy(&path, copy.path(&name)).expect("copied");
        }
    }
    copy
}

/// Gives the one activity another subject in the headquarters.
fn rename(workspace: &Workspace, id: &str, subject: &str) {
    let _ = workspace.run(&["activities", "set", id, "--subject", subject]).exits(0);
}

fn assert_held(report: &Value) {
    assert_eq!((state(report), counts(report)), ("held", [0; 5]), "{report:#}");
    assert!(said(report).contains("writer: 1 item") && said(report).contains("another installation"), "{report:#}");
}

/// The file of the calendar is one for both.
fn share(calendar: &Calendar, first: &Workspace, second: &Workspace) {
    if let super::calendar::Server::File(folder) = &calendar.server {
        assert!(folder.starts_with(first.folder()));
        std::os::unix::fs::symlink(folder, second.path("calendars")).expect("linked");
    }
}

stories! {
    /// A copy of the database that synchronises the same calendar is stopped, and a person decides which of the two goes on.
    two_copies_of_one_database_do_not_write_over_each_other_for_ever(kind) {
        let (first, calendar) = connected(kind, &[]);
        let id = make(&first, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        assert_eq!(counts(&sync_at(&first, &at(0))), [1, 0, 0, 0, 0]);
        let second = copy(&first);
        share(&calendar, &first, &second);
        assert_eq!(counts(&sync_at(&second, &at(1))), [0; 5], "what the copy knows is what there is");
        rename(&first, &id, "Visit at noon");
        assert_eq!(counts(&sync_at(&first, &at(2))), [0, 1, 0, 0, 0]);
        let mut now = 3;
        if kind == Kind::Graph {
            // A pass of Graph does not say who wrote an item: it goes round once before anybody asks.
            assert_eq!(counts(&sync_at(&second, &at(3))), [0, 0, 0, 1, 0]);
            assert_eq!(counts(&sync_at(&first, &at(4))), [0, 0, 0, 1, 0]);
            now = 5;
        }
        let held = sync_at(&second, &at(now));
        assert_held(&held);
        assert_eq!(calendar.subjects(), ["Visit at noon"], "nothing is written over");
        let why = second.run(&["outlook", "why", &id]).exits(0).stdout;
        assert!(why.contains("last written to Outlook by another installation"), "{why}");

        let hash = held["plan"].as_str().expect("a hash").to_owned();
        let approved = synchronised(&second, &["b", "--approve", &hash], &at(now)).json()[0].clone();
        assert_eq!(counts(&approved), [0, 0, 0, 1, 0], "{approved:#}");
        assert_eq!(calendar.subjects(), ["Visit"]);
        for more in 1..3 {
            let plan = synchronised(&second, &["--all", "--plan"], &at(now + more)).json()[0].clone();
            assert_eq!((counts(&plan), plan["steps"].as_array().map_or(0, Vec::len)), ([0; 5], 0), "{plan:#}");
            assert_eq!(counts(&sync_at(&second, &at(now + more))), [0; 5]);
        }
        let why = second.run(&["outlook", "why", &id]).exits(0).stdout;
        assert!(why.contains("last written to Outlook by run "), "{why}");
        // The other one is stopped in its turn.
        assert_held(&sync_at(&first, &at(now + 3)));
        assert_eq!(found(&first, "Visit at noon")["id"], found(&second, "Visit")["id"]);
    }
}
