//! Activities by hand: made, changed, completed and canceled; those of Mobile only by force, and Mobile wins (domain 1).

use apptsync_tests::{NOW, Ran, Workspace, appointment, with};
use serde_json::{Value, json};

use crate::support::{assert_ledger, import};

/// Makes an activity of B and gives its JSON.
fn add(workspace: &Workspace, more: &[&str]) -> Value {
    let mut arguments = vec!["activities", "add", "--employee", "B"];
    arguments.extend(more);
    workspace.json(&arguments)
}

/// An hour's meeting of B.
fn meeting(workspace: &Workspace) -> Value {
    let times = ["--start", "2026-12-01T10:00", "--end", "2026-12-01T11:00"];
    add(workspace, &[&["--subject", "Team meeting"], &times[..]].concat())
}

fn id(activity: &Value) -> &str {
    activity["id"].as_str().expect("an id")
}

fn run(workspace: &Workspace, command: &str, id: &str, more: &[&str]) -> Ran {
    workspace.run(&[&["activities", command, id], more].concat())
}

fn show(workspace: &Workspace, id: &str) -> Value {
    workspace.json(&["activities", "show", id])
}

/// Times without a zone are those of the employee's organization; the JSON is that of `activities list`.
#[test]
fn an_activity_is_made_in_the_headquarters() {
    let workspace = Workspace::new();
    let made = add(
        &workspace,
        &[
            "--subject",
            "Team meeting",
            "--start",
            "2026-12-01T10:00",
            "--end",
            "2026-12-01T11:00",
            "--customer",
            "C00001",
            "--description",
            "Bring samples",
            "--priority",
            "high",
            "--location",
            "Kraków",
        ],
    );
    let expected = json!({
        "id": "1", "channel": "", "source_id": "1", "number": "", "subject": "Team meeting", "status": "planned",
        "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z", "all_day": false, "kind": "Appointment",
        "priority": "high", "customer": "C00001", "employee": "B", "description": "Bring samples",
        "completed_on": null, "completed_by": null, "origin": "headquarters", "canceled": false
    });
    assert_eq!(made, expected);
    assert_eq!(workspace.activities(), [expected]);
    let shown = show(&workspace, "1");
    assert_eq!((&shown["entry"], &shown["attributes"]), (&json!("appointment"), &json!({ "location": "Kraków" })));
    assert_eq!(shown["changed_at"], NOW);

    let fair = add(
        &workspace,
        &["--subject", "Trade fair", "--start", "2026-12-01", "--end", "2026-12-03", "--all-day", "--kind", "Fair"],
    );
    assert_eq!(
        (&fair["start"], &fair["end"], &fair["kind"]),
        (&json!("2026-12-01"), &json!("2026-12-03"), &json!("Fair"))
    );
    assert_eq!((&fair["all_day"], &fair["customer"]), (&json!(true), &json!("")));
    assert_ne!(id(&fair), "1");
    let shown = workspace.run(&["activities", "show", "1"]).exits(0).stdout;
    for part in ["Headquarters", "Calendar entry", "2026-12-01 10:00 (Europe/Warsaw)", "Kraków"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Id in Mobile"), "{shown}");
    let checked = workspace.run(&["doctor"]).stdout;
    assert!(checked.contains("database              ok"), "{checked}");
}

#[test]
fn a_task_may_do_without_a_date() {
    let workspace = Workspace::new();
    let undated = add(&workspace, &["--subject", "Call back", "--task"]);
    assert_eq!((&undated["start"], &undated["end"]), (&json!("2026-11-23"), &json!("2026-11-24")));
    assert_eq!((&undated["kind"], &show(&workspace, id(&undated))["entry"]), (&json!("Task"), &json!("task")));
    let shown = workspace.run(&["activities", "show", id(&undated)]).exits(0).stdout;
    assert!(shown.contains("Task") && shown.contains("Date") && !shown.contains("Start time"), "{shown}");
    let dated = ["--start", "2026-12-01", "--end", "2026-12-02"];
    let ran = run(&workspace, "set", id(&undated), &dated).exits(0);
    assert!(ran.stdout.contains("2026-12-01, for B"), "{ran:?}");
}

#[test]
fn what_cannot_be_an_activity_is_wrong_usage() {
    let workspace = Workspace::new();
    let day = ["--start", "2026-12-01", "--end", "2026-12-02"];
    for (more, part) in [
        (vec!["--employee", "B", "--subject", "x"], "--start"),
        (vec!["--employee", "B", "--subject", "x", "--task", "--start", "2026-12-01"], "--end"),
        ([&["--employee", "nobody", "--subject", "x"], &day[..]].concat(), "employees list"),
        ([&["--employee", "B", "--subject", "x", "--customer", "nobody"], &day[..]].concat(), "partners list"),
        ([&["--employee", "B", "--subject", " "], &day[..]].concat(), "--subject"),
        (
            vec!["--employee", "B", "--subject", "x", "--start", "2026-12-01T10:00", "--end", "2026-12-01T09:00"],
            "after --start",
        ),
        (
            vec![
                "--employee",
                "B",
                "--subject",
                "x",
                "--start",
                "2026-12-01T10:00",
                "--end",
                "2026-12-01T11:00",
                "--all-day",
            ],
            "--all-day",
        ),
    ] {
        let ran = workspace.run(&[&["activities", "add"], &*more].concat()).exits(2);
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    assert!(workspace.activities().is_empty());
}

#[test]
fn fields_that_are_not_given_stay() {
    let workspace = Workspace::new();
    let made = meeting(&workspace);
    let id = id(&made);
    let later = workspace.json(&["activities", "set", id, "--end", "2026-12-01T12:30", "--location", "Hall 2"]);
    assert_eq!(later, with(made.clone(), &json!({ "end": "2026-12-01T11:30:00Z" })));
    let ran = run(&workspace, "set", id, &["--subject", "Moved", "--priority", "low"]).exits(0);
    assert_eq!(ran.stdout, "Activity 1: Planned, 2026-12-01 10:00 to 2026-12-01 12:30 (Europe/Warsaw), for B: Moved\n");
    assert_eq!(ran.stderr, "");
    assert_eq!(show(&workspace, id)["attributes"]["location"], "Hall 2");
    let _ = run(&workspace, "set", id, &["--location", ""]).exits(0);
    assert_eq!(show(&workspace, id)["attributes"], json!({}));
    for wrong in [&[][..], &["--start", "2026-12-02T10:00"], &["--end", "2026-12-03"]] {
        let _ = run(&workspace, "set", id, wrong).exits(2);
    }
    let _ = run(&workspace, "set", "99", &["--subject", "x"]).exits(2);
}

#[test]
fn a_planned_activity_is_completed_once() {
    let workspace = Workspace::new();
    let made = meeting(&workspace);
    let id = id(&made);
    let early = run(&workspace, "complete", id, &["--on", "2026-12-01T10:00:00Z"]).exits(2);
    assert!(early.stderr.contains("after now"), "{early:?}");
    let done = workspace.json(&["activities", "complete", id]);
    let expected = json!({ "status": "completed", "completed_on": NOW, "completed_by": "B" });
    assert_eq!(done, with(made.clone(), &expected));
    let ran = run(&workspace, "complete", id, &[]).exits(1);
    assert!(ran.stderr.contains("one way only"), "{ran:?}");
}

#[test]
fn a_canceled_activity_is_closed_and_shown_so() {
    let workspace = Workspace::new();
    let made = meeting(&workspace);
    let id = id(&made);
    let asked = run(&workspace, "cancel", id, &[]).exits(2);
    assert!(asked.stderr.contains("--yes"), "nobody is there to answer: {asked:?}");
    assert_eq!(workspace.activities(), std::slice::from_ref(&made));
    let canceled = workspace.json(&["activities", "cancel", id, "--yes"]);
    assert_eq!(canceled, with(made.clone(), &json!({ "status": "completed-unprocessed", "canceled": true })));
    let listed = workspace.run(&["activities", "list"]).exits(0).stdout;
    assert!(listed.contains("Canceled"), "{listed}");
    let shown = workspace.run(&["activities", "show", id]).exits(0).stdout;
    assert!(shown.contains("Status        Canceled"), "{shown}");
    for command in [&["set", "--subject", "x"][..], &["cancel", "--yes"]] {
        let ran = run(&workspace, command[0], id, &command[1..]).exits(1);
        assert!(ran.stderr.contains("is canceled"), "{ran:?}");
    }
}

/// Imports an appointment and gives its activity.
fn imported(workspace: &Workspace) -> Value {
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(workspace, &[]), &[("created", 1)]);
    workspace.activity("a-1").expect("an activity")
}

/// Domain 1: appointments of Mobile origin should not be modified by hand; who does is warned once.
#[test]
fn an_activity_of_mobile_is_changed_by_force_alone_and_with_one_warning() {
    let workspace = Workspace::new();
    let mobile = imported(&workspace);
    let id = id(&mobile);
    let warning = "appointments of Mobile origin should not be modified by hand";
    for command in [&["set", "--subject", "x"][..], &["complete"], &["cancel", "--yes"]] {
        let ran = run(&workspace, command[0], id, &command[1..]).exits(2);
        assert!(ran.stderr.matches(warning).count() == 1 && ran.stderr.contains("--force"), "{ran:?}");
        assert_eq!(workspace.activity("a-1"), Some(mobile.clone()));
    }
    let ran = run(&workspace, "set", id, &["--subject", "x", "--force"]).exits(0);
    assert_eq!(ran.stderr, format!("warning: {warning}: Mobile wins at the next run\n"));
    let ran = run(&workspace, "set", id, &["--subject", "y", "--force", "--quiet"]).exits(0);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
}

/// Domain 1: Mobile wins at the next run, which restores every field, whichever objects it looks at, and once.
#[test]
fn the_next_import_puts_mobiles_version_back() {
    for changed_since in ["last-transfer", "anytime"] {
        let workspace = Workspace::new();
        let mobile = imported(&workspace);
        let edits = ["--subject", "by hand", "--description", "", "--priority", "high", "--location", "elsewhere"];
        let times = ["--start", "2026-12-05", "--end", "2026-12-06", "--force"];
        let _ = run(&workspace, "set", id(&mobile), &[&edits[..], &times].concat()).exits(0);
        assert_eq!(workspace.activity("a-1").expect("an activity")["subject"], "by hand");
        let explained = workspace.run(&["explain", "a-1"]).exits(0).stdout;
        assert!(explained.contains("changed by hand in the headquarters"), "{explained}");

        let more = ["--changed-since", changed_since];
        assert_ledger(&import(&workspace, &more), &[("updated", 1)]);
        assert_eq!(workspace.activity("a-1"), Some(mobile.clone()), "{changed_since}");
        assert_eq!(show(&workspace, id(&mobile))["attributes"], json!({}));
        assert_ledger(&import(&workspace, &more), if changed_since == "anytime" { &[("unchanged", 1)] } else { &[] });
    }
}

/// Domain 7: transitions run one way only. What was canceled stays closed, whatever Mobile says later.
#[test]
fn a_canceled_activity_of_mobile_stays_closed() {
    let workspace = Workspace::new();
    let mobile = imported(&workspace);
    let ran = run(&workspace, "cancel", id(&mobile), &["--yes", "--force"]).exits(0);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    let canceled = workspace.activity("a-1");
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "Later", "changed_at": "2026-11-23T07:30:00Z" })));
    assert_ledger(&import(&workspace, &[]), &[("closed", 1)]);
    assert_eq!(workspace.activity("a-1"), canceled);
    assert_eq!(canceled.expect("an activity")["canceled"], true);
}

/// Domain 7: a synchronisation sets what was planned in the headquarters and elapsed to Delayed, as an import does for Mobile's.
#[test]
fn what_was_planned_here_and_elapsed_is_delayed_by_the_next_synchronisation() {
    let workspace = Workspace::new();
    let made = meeting(&workspace);
    let settings =
        ["outlook", "settings", "set", "--level", "database", "--calendar-from", "-7d", "--calendar-to", "+90d"];
    let _ = workspace.run(&settings).exits(0);
    let profile = ["outlook", "profile", "add", "b", "--employee", "B", "--connector", "calendar-file", "--user", "b"];
    let _ = workspace.run(&profile).exits(0);
    let sync = |now: &str| {
        let _ = workspace.run(&["outlook", "sync", "b", "--as-of", now]).exits(0);
        show(&workspace, id(&made))["status"].clone()
    };
    let end = "2026-12-01T10:00:00Z";
    assert_eq!(made["end"], end);
    assert_eq!(sync(end), "planned", "at its end it is not yet elapsed");
    let plan = ["outlook", "sync", "b", "--plan", "--as-of", "2026-12-01T10:00:01Z"];
    let _ = workspace.run(&plan).exits(0);
    assert_eq!(show(&workspace, id(&made))["status"], "planned", "a plan changes nothing");
    assert_eq!(sync("2026-12-01T10:00:01Z"), "delayed");
    let report =
        workspace.run(&["outlook", "sync", "b", "--as-of", "2026-12-01T10:00:02Z", "--output", "json"]).exits(0).json();
    assert!(report[0]["operations"].as_object().expect("counts").values().all(|count| count == 0), "{report:#}");
}
