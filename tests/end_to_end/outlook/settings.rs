//! Activity synchronization settings (domain 8): levels, windows and criteria.

use apptsync_tests::{Workspace, appointment, with};
use serde_json::json;

use super::calendar::{Calendar, Kind, connected};
use super::{at, counts, found, import, make, make_for, sync_at, synchronised};

fn set(workspace: &Workspace, words: &[&str]) {
    let _ = workspace.run(&[&["outlook", "settings", "set"], words].concat()).exits(0);
}

const NEAR: [&str; 4] = ["--start", "2026-11-24T09:00:00Z", "--end", "2026-11-24T10:00:00Z"];
const FAR: [&str; 4] = ["--start", "2026-12-20T09:00:00Z", "--end", "2026-12-20T10:00:00Z"];

/// Domain 8: User wins as a whole over Database: its window, and also that it has no tab Tasks.
#[test]
fn the_settings_of_a_user_win_as_a_whole() {
    let (workspace, calendar) = connected(Kind::File, &[]);
    set(&workspace, &["--level", "user", "--employee", "B", "--calendar-from", "-7d", "--calendar-to", "+2d"]);
    let colleague = calendar.of_colleague("cezary");
    colleague.connect_for(&workspace, "C", "c", "", &[]);
    for employee in ["B", "C"] {
        let _ = make_for(&workspace, employee, "Near", &NEAR);
        let _ = make_for(&workspace, employee, "Far", &FAR);
        let _ = make_for(&workspace, employee, "Call", &[&["--task"], &NEAR[..]].concat());
    }
    let _ = synchronised(&workspace, &["--all"], &at(0)).exits(0);
    assert_eq!(calendar.subjects(), ["Near"]);
    assert_eq!(colleague.subjects(), ["Call", "Far", "Near"]);
    let shown = workspace.json(&["outlook", "settings", "show"]);
    let levels: Vec<_> =
        shown.as_array().expect("an array").iter().map(|one| (&one["level"], &one["employee"])).collect();
    assert_eq!(levels, [(&json!("database"), &json!(null)), (&json!("user"), &json!("B"))], "{shown:#}");
    assert!(shown[1]["tasks"].is_null() && shown[0]["tasks"].is_object(), "{shown:#}");
    let table = workspace.run(&["outlook", "settings", "show"]).exits(0).stdout;
    let rows = ["Database", "User"].map(|level| table.lines().filter(|line| line.starts_with(level)).count());
    assert_eq!(rows, [2, 1], "{table}");
    // Without them, the database's count again.
    set(&workspace, &["--level", "user", "--employee", "B", "--remove"]);
    let _ = synchronised(&workspace, &["--all"], &at(1)).exits(0);
    assert_eq!(calendar.subjects(), ["Call", "Far", "Near"]);
}

/// Domain 8: none → nothing is synchronised, said clearly by every command, and nothing that was sent is touched.
#[test]
fn without_settings_everything_stays_as_it_is_and_that_is_said() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, calendar) = connected(kind, &[]);
        let id = make(&workspace, "Visit", NEAR[1], NEAR[3]);
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [1, 0, 0, 0, 0]);
        set(&workspace, &["--level", "database", "--remove"]);
        let _ = workspace.run(&["activities", "set", &id, "--subject", "Another"]).exits(0);
        calendar.edit("SUMMARY:Visit", "SUMMARY:Visit edited");
        let before = calendar.versions();
        let ran = synchronised(&workspace, &["--all"], &at(1)).exits(1);
        let report = ran.json()[0].clone();
        assert_eq!(report["state"], "failed");
        assert!(report["messages"][0]["text"].as_str().is_some_and(|text| text.contains("nothing is synchronised")));
        for words in [&["sync", "--all"][..], &["settings", "show"], &["status"]] {
            let said = workspace.run(&[&["outlook"], words].concat()).stdout;
            assert!(said.contains("nothing is synchronised"), "{words:?}: {said}");
        }
        assert_eq!(calendar.versions(), before);
        assert_eq!(found(&workspace, "Another")["status"], "planned");
        assert_eq!(calendar.subjects(), ["Visit edited"]);
    }
}

/// What is set must be a window with two ends that is not empty, and of one level.
#[test]
fn settings_that_cannot_be_are_refused() {
    let workspace = Workspace::new();
    for (words, part) in [
        (&["--level", "user", "--calendar-from", "-7d", "--calendar-to", "+2d"][..], "--employee"),
        (&["--level", "database", "--employee", "B", "--calendar-from", "-7d", "--calendar-to", "+2d"], "--level user"),
        (&["--level", "database"], "no window is set"),
        (&["--level", "database", "--calendar-from", "-7d"], "a window has two ends"),
        (&["--level", "database", "--tasks-to", "+7d"], "--tasks-from"),
        (&["--level", "everybody", "--calendar-from", "-7d", "--calendar-to", "+2d"], "everybody"),
        (&["--level", "database", "--calendar-from", "tomorrow", "--calendar-to", "+2d"], "tomorrow"),
        (&["--level", "database", "--calendar-from", "+7d", "--calendar-to", "-7d"], "ends"),
        (&["--level", "database", "--calendar-from", "-7d", "--calendar-to", "+2d", "--status", "open"], "open"),
    ] {
        let refused = workspace.run(&[&["outlook", "settings", "set"], words].concat()).exits(2);
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    let shown = workspace.json(&["outlook", "settings", "show"]);
    assert_eq!(shown, json!([]));
}

/// Domain 8: each criterion alone decides what takes part; with none, everything does.
#[test]
fn each_criterion_decides_what_takes_part() {
    let workspace = Workspace::new();
    set(&workspace, &["--level", "database", "--calendar-from", "-7d", "--calendar-to", "+90d"]);
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace).exits(0);
    let mobile = "SA/2026/a-1 Autumn assortment";
    let _ = make_for(&workspace, "B", "Plain", &NEAR);
    let _ = make_for(&workspace, "B", "Urgent", &[&["--priority", "high"], &NEAR[..]].concat());
    let _ = make_for(&workspace, "B", "Fair", &[&["--kind", "Trade fair"], &NEAR[..]].concat());
    let done = make_for(&workspace, "B", "Done", &NEAR);
    let _ = workspace.run(&["activities", "complete", &done]).exits(0);
    let all = ["Done", "Fair", "Plain", mobile, "Urgent"];
    for (number, (criteria, wanted)) in [
        (&["--kind", "all"][..], &all[..]),
        (&["--kind", "Trade fair"], &["Fair"]),
        (&["--kind", "Trade fair", "--kind", "Sales appointment"], &["Fair", mobile]),
        (&["--kind", "all", "--status", "completed"], &["Done"]),
        (&["--status", "planned"], &["Fair", "Plain", mobile, "Urgent"]),
        (&["--status", "all", "--priority", "high"], &["Urgent"]),
        (&["--priority", "all", "--definition", "ibus.AppointmentSynchronize"], &[mobile]),
        (&["--definition", "all", "--assigned", "C"], &[]),
        (&["--assigned", "B"], &all),
        (&["--assigned", "B", "--kind", "Sales appointment", "--status", "planned"], &[mobile]),
        (&["--priority", "high"], &[]),
    ]
    .iter()
    .enumerate()
    {
        set(&workspace, &[&["--level", "database"], *criteria].concat());
        // A calendar of its own for each, so that nothing is there yet.
        let owner = format!("user-{number}");
        let calendar = Calendar::start(Kind::File, &workspace).of_colleague(&owner);
        calendar.connect_for(&workspace, "B", &owner, "", &[]);
        let report = synchronised(&workspace, &[&owner], &at(0)).exits(0).json()[0].clone();
        let mut subjects = calendar.subjects();
        subjects.sort_by_key(|subject| all.iter().position(|one| one == subject));
        assert_eq!(subjects, *wanted, "{criteria:?}: {report:#}");
    }
    let table = workspace.run(&["outlook", "settings", "show"]).exits(0).stdout;
    for part in ["kind Sales appointment", "status Planned", "priority High", "assigned user B"] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

stories! {
    /// Domain 8: an item outside of the window is not sent; what was sent and leaves the window is left alone on both sides,
    /// and taken up again when it is back.
    the_window_never_deletes(workspace, calendar, &["--text-priority", "outlook"]) {
        let later = ["--start", "2027-06-01T09:00:00Z", "--end", "2027-06-01T10:00:00Z"];
        let _ = make_for(&workspace, "B", "Much later", &later);
        let id = make(&workspace, "Visit", NEAR[1], NEAR[3]);
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [1, 0, 0, 0, 0]);
        assert_eq!(calendar.subjects(), ["Visit"]);
        let after = "2027-01-10T08:00:00Z";
        assert_eq!(counts(&sync_at(&workspace, after)), [0; 5]);
        let _ = workspace.run(&["activities", "set", &id, "--subject", "Changed here"]).exits(0);
        calendar.edit("SUMMARY:Visit", "SUMMARY:Changed there");
        for now in [after, "2027-01-20T08:00:00Z", "2027-01-30T08:00:00Z"] {
            assert_eq!(counts(&sync_at(&workspace, now)), [0; 5]);
        }
        assert_eq!(calendar.subjects(), ["Changed there"]);
        assert_eq!(found(&workspace, "Changed here")["canceled"], false);
        // Deleted in Outlook out there, it stays in the headquarters.
        calendar.delete("SUMMARY:Changed there");
        assert_eq!(counts(&sync_at(&workspace, "2027-01-31T08:00:00Z")), [0; 5]);
        assert_eq!(found(&workspace, "Changed here")["canceled"], false);
    }

    /// Domain 8, the tab Tasks: its own window, and nothing of it without the tab.
    tasks_have_a_window_of_their_own(workspace, calendar, &[]) {
        set(&workspace, &["--level", "database", "--tasks-from", "-1d", "--tasks-to", "+10d"]);
        let task = |subject: &str, when: &[&str]| {
            let _ = make_for(&workspace, "B", subject, &[&["--task"], when].concat());
        };
        task("Soon", &NEAR);
        task("Far", &FAR);
        task("Undated", &[]);
        let _ = make_for(&workspace, "B", "Far but no task", &FAR);
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [3, 0, 0, 0, 0]);
        assert_eq!(calendar.tasks(), ["Soon", "Undated"]);
        assert!(calendar.subjects().contains(&"Far but no task".to_owned()));
        // The window moves on with the day.
        assert_eq!(counts(&sync_at(&workspace, "2026-12-12T08:00:00Z")), [1, 0, 0, 0, 0]);
        assert_eq!(calendar.tasks(), ["Far", "Soon", "Undated"]);
        assert_eq!(counts(&sync_at(&workspace, "2026-12-12T08:05:00Z")), [0; 5]);
    }
}

/// Criteria that an item no longer meets take nothing away: it is left alone (row 19), and said in the plan.
#[test]
fn what_no_longer_meets_the_criteria_is_left_alone() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, calendar) = connected(kind, &[]);
        workspace.feed(&with(appointment("a-1"), &json!({ "name": "One" })));
        let _ = import(&workspace).exits(0);
        let _ = make(&workspace, "Visit", NEAR[1], NEAR[3]);
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [2, 0, 0, 0, 0]);
        let both = calendar.subjects();
        set(&workspace, &["--level", "database", "--kind", "Sales appointment"]);
        for now in [at(1), "2026-11-24T08:00:00Z".to_owned(), "2026-12-05T08:00:00Z".to_owned()] {
            assert_eq!(counts(&sync_at(&workspace, &now)), [0; 5], "{kind:?}");
            assert_eq!(calendar.subjects(), both, "{kind:?}");
        }
        assert_eq!(found(&workspace, "Visit")["canceled"], false);
    }
}
