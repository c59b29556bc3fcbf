//! `outlook profile` and `outlook runs`, as tables and as JSON; and the calendars with which `demo` ends.

use std::fs;

use apptsync_tests::Workspace;
use serde_json::{Value, json};

use super::calendar::{Kind, connected, settings};
use super::{at, counts, filled, make, sync_at, synchronised};

fn add(workspace: &Workspace, more: &[&str]) -> apptsync_tests::Ran {
    workspace.run(&[&["outlook", "profile", "add", "barbara", "--employee", "B"], more].concat())
}

/// A profile with nothing but what it must have; what it says can be changed, and is shown as it is.
#[test]
fn profiles_are_added_shown_changed_and_removed() {
    let workspace = Workspace::new();
    assert_eq!(workspace.json(&["outlook", "profile", "list"]), json!([]));
    let made = add(&workspace, &["--connector", "calendar-file", "--output", "json"]).exits(0).json();
    let expected = json!({
        "profile": "barbara", "employee": "B", "connector": "calendar-file", "server": "", "user": "b@example.com",
        "calendar": "", "tasks": "", "credential": null, "private_network": false, "transfer": true,
        "text_priority": "erp", "override_scope": "headquarters-origin", "deletion_policy": "future",
        "guards": made["guards"], "active": true
    });
    assert_eq!(made, expected);
    assert_eq!(
        (&made["guards"]["deletions"], &made["guards"]["mail_attendees"]),
        (&json!(5), &json!(false)),
        "{made:#}"
    );
    assert_eq!(workspace.json(&["outlook", "profile", "list"]), json!([expected]));
    assert_eq!(workspace.json(&["outlook", "profile", "show", "barbara"]), expected);
    let set = ["outlook", "profile", "set", "barbara", "--transfer", "off", "--text-priority", "outlook"];
    let more =
        ["--override-scope", "always", "--deletion-policy", "keep", "--guard-deletions", "9", "--user", "barbara"];
    let changed = workspace.json(&[&set[..], &more].concat());
    for (field, value) in [
        ("transfer", json!(false)),
        ("text_priority", json!("outlook")),
        ("override_scope", json!("always")),
        ("deletion_policy", json!("keep")),
        ("user", json!("barbara")),
        ("employee", json!("B")),
    ] {
        assert_eq!(changed[field], value, "{field}");
    }
    assert_eq!(changed["guards"]["deletions"], 9);
    assert_eq!(workspace.json(&["outlook", "profile", "show", "barbara"]), changed);
    let shown = workspace.run(&["outlook", "profile", "show", "barbara"]).exits(0).stdout;
    for (setting, value) in [
        ("Transfer to Comarch ERP Enterprise", "off"),
        ("Text priority", "Microsoft Outlook"),
        ("Mailbox", "barbara"),
        ("Calendar", "(default)"),
        ("Guards", "9 deletions"),
    ] {
        assert!(shown.lines().any(|line| line.starts_with(setting) && line.contains(value)), "{setting}: {shown}");
    }
    let listed = workspace.run(&["outlook", "profile", "list"]).exits(0).stdout;
    assert!(listed.lines().any(|line| line.starts_with("barbara") && line.contains("off")), "{listed}");
    let gone = workspace.run(&["outlook", "profile", "remove", "barbara"]).exits(0).stdout;
    assert!(gone.contains("what stands in Outlook and in the headquarters stays there"), "{gone}");
    assert_eq!(workspace.json(&["outlook", "profile", "list"]), json!([]));
}

/// What cannot be is refused in plain words, and nothing is stored.
#[test]
fn profiles_that_cannot_be_are_refused() {
    let workspace = Workspace::new();
    for (more, part) in [
        (&["--connector", "calender-file"][..], "did you mean `calendar-file`"),
        (&["--connector", "caldav", "--server", "dav.example.com"], "the server address `dav.example.com`"),
        (&["--connector", "caldav", "--server", "http://dav.example.com"], "the server address"),
        (&["--connector", "calendar-file", "--employee", "X"], "--employee"),
        (&["--connector", "calendar-file", "--text-priority", "mobile"], "mobile"),
    ] {
        let refused = add(&workspace, more).exits(2);
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    let nobody = ["outlook", "profile", "add", "x", "--employee", "X", "--connector", "calendar-file"];
    let refused = workspace.run(&nobody).exits(2);
    assert!(
        refused.stderr.contains("employee `X` is not there: `apptsync employees list` shows who is"),
        "{refused:?}"
    );
    assert_eq!(workspace.json(&["outlook", "profile", "list"]), json!([]));
    let _ = add(&workspace, &["--connector", "calendar-file"]).exits(0);
    let twice = add(&workspace, &["--connector", "calendar-file"]).exits(2);
    assert!(twice.stderr.contains("profile `barbara` is there already"), "{twice:?}");
    for words in [&["show", "x"][..], &["set", "x", "--transfer", "on"], &["remove", "x"]] {
        let refused = workspace.run(&[&["outlook", "profile"], words].concat()).exits(2);
        assert!(refused.stderr.contains("`x` is no profile: there are barbara"), "{refused:?}");
    }
}

/// A removed profile leaves both sides as they are.
#[test]
fn a_removed_profile_leaves_everything() {
    for kind in [Kind::CalDav, Kind::Graph, Kind::File] {
        let (workspace, calendar) = filled(kind, &["--text-priority", "outlook"], 3);
        let before = (calendar.versions(), workspace.activities());
        let _ = workspace.run(&["outlook", "profile", "remove", "b"]).exits(0);
        assert_eq!((calendar.versions(), workspace.activities()), before, "{kind:?}");
    }
}

/// Another calendar is read anew, and nothing is deleted on that account.
#[test]
fn a_change_of_the_calendar_deletes_nothing() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, calendar) = filled(kind, &["--text-priority", "outlook"], 3);
        calendar.make_second("Field sales");
        let set = ["outlook", "profile", "set", "b", "--calendar", "Field sales"];
        let ran = workspace.run(&set).exits(0);
        assert!(
            ran.stderr.contains("the next run reads everything anew, and deletes nothing without approval"),
            "{ran:?}"
        );
        for minute in [1, 2] {
            let report = sync_at(&workspace, &at(minute));
            assert_eq!([counts(&report)[2], counts(&report)[4]], [0; 2], "{kind:?}: {report:#}");
        }
        assert_eq!(calendar.subjects(), ["Visit 00", "Visit 01", "Visit 02"], "{kind:?}");
        assert!(workspace.activities().iter().all(|activity| activity["canceled"] == false), "{kind:?}");
    }
}

/// The runs, newest first, with what each was for and did; of one profile, and as many as asked for.
#[test]
fn the_runs_are_listed() {
    let (workspace, calendar) = connected(Kind::File, &[]);
    assert_eq!(workspace.json(&["outlook", "runs"]), json!([]));
    let colleague = calendar.of_colleague("cezary");
    colleague.connect_for(&workspace, "C", "c", "", &[]);
    let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
    let _ = synchronised(&workspace, &["b", "--plan"], &at(0)).exits(0);
    let done = sync_at(&workspace, &at(1));
    let run = done["run"].to_string();
    let _ = workspace.run(&["outlook", "undo", &run, "--as-of", &at(2)]).exits(0);
    let listed = workspace.json(&["outlook", "runs", "b"]);
    let column = |name: &str| -> Vec<Value> {
        listed.as_array().expect("an array").iter().map(|one| one[name].clone()).collect()
    };
    assert_eq!(column("purpose"), ["undo", "sync", "plan"]);
    assert_eq!(column("state"), ["completed", "completed", "planned"]);
    assert_eq!(column("as_of"), [at(2), at(1), at(0)]);
    assert_eq!((&listed[1]["run"], &listed[1]["plan"]), (&done["run"], &done["plan"]));
    assert_eq!(listed[1]["report"]["operations"], done["operations"]);
    let all = workspace.json(&["outlook", "runs"]);
    assert_eq!(all.as_array().map(Vec::len), Some(4), "with the one of c: {all:#}");
    let one = workspace.json(&["outlook", "runs", "b", "--limit", "1"]);
    assert_eq!((one.as_array().map(Vec::len), &one[0]["purpose"]), (Some(1), &json!("undo")));
    let table = workspace.run(&["outlook", "runs", "b"]).exits(0).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("Run") && lines[0].contains("Put back"), "{table}");
    assert!(
        lines[2].trim().starts_with(&run) && lines[2].contains("sync") && lines[2].contains("Completed"),
        "{table}"
    );
    let refused = workspace.run(&["outlook", "runs", "x"]).exits(2);
    assert!(refused.stderr.contains("`x` is no profile"), "{refused:?}");
}

/// Issue: `demo` ends with a calendar for each representative, and says how to open it in Outlook.
#[test]
fn demo_ends_with_calendars_and_says_how_to_open_them() {
    let place = Workspace::empty();
    let ran = place.run(&["demo", "there"]).exits(0);
    let end: Vec<&str> = ran.stdout.lines().skip_while(|line| !line.starts_with("Outlook: ")).collect();
    let end = end.join("\n");
    assert!(
        end.contains("To see one in Outlook: File > Open & Export") && end.contains("apptsync outlook sync --all"),
        "{end}"
    );
    let folder = place.path("there").join("calendars");
    let files: Vec<_> =
        fs::read_dir(&folder).expect("calendars").map(|entry| entry.expect("an entry").path()).collect();
    let files: Vec<_> = files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "ics")).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in &files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(end.contains(name), "{name}: {end}");
        let text = fs::read_to_string(file).expect("a calendar");
        assert!(text.starts_with("BEGIN:VCALENDAR") && text.trim_end().ends_with("END:VCALENDAR"), "{name}");
        assert!(text.contains("BEGIN:VEVENT") && text.contains("BEGIN:VTIMEZONE"), "{name}");
    }
    // Again: nothing new, and the files are as they were.
    let before: Vec<_> = files.iter().map(|file| fs::read(file).expect("a calendar")).collect();
    let again = place.json(&["demo", "there"]);
    for outcome in again["outlook"].as_array().expect("an array") {
        assert_eq!(counts(outcome), [0; 5], "{outcome:#}");
    }
    assert_eq!(again["calendars"].as_array().map(Vec::len), Some(4));
    assert_eq!(files.iter().map(|file| fs::read(file).expect("a calendar")).collect::<Vec<_>>(), before);
}

/// A profile whose representative is changed takes nothing of the other along.
#[test]
fn a_profile_that_is_given_to_somebody_else_cancels_nothing() {
    let (workspace, calendar) = filled(Kind::File, &[], 3);
    settings(&workspace);
    let _ = workspace.run(&["outlook", "profile", "set", "b", "--employee", "C"]).exits(0);
    let report = sync_at(&workspace, &at(1));
    assert_eq!((counts(&report)[2], counts(&report)[4]), (0, 0), "{report:#}");
    assert_eq!(calendar.subjects(), ["Visit 00", "Visit 01", "Visit 02"]);
    assert!(workspace.activities().iter().all(|activity| activity["canceled"] == false));
}
