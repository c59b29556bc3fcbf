//! The stand-in for Mobile (domain 2): rights, transitions, and what it writes into the feed.

use std::fs;

use apptsync_tests::{Ran, Workspace};
use serde_json::Value;

use crate::support::{assert_ledger, import};

/// Plans an appointment of B, confirmed at once by A, with id a-1.
fn planned() -> Workspace {
    let workspace = Workspace::new();
    let _ = plan(&workspace, &["--user", "A", "--employee", "B", "--confirmed"]).exits(0);
    workspace
}

fn plan(workspace: &Workspace, more: &[&str]) -> Ran {
    let mut arguments =
        vec!["mobile", "plan", "--channel", "B2B", "--customer", "C00001", "--name", "Autumn assortment"];
    arguments.extend(["--start", "2026-12-01T09:00:00Z", "--end", "2026-12-01T10:00:00Z"]);
    arguments.extend(more);
    workspace.run(&arguments)
}

/// The appointments as Mobile has them.
fn mobile(workspace: &Workspace, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["mobile", "list"];
    arguments.extend(more);
    workspace.json(&arguments).as_array().expect("an array").clone()
}

fn feed(workspace: &Workspace) -> String {
    fs::read_to_string(workspace.path("feed").join("appointments.jsonl")).unwrap_or_default()
}

/// Domain 2: an Employee may add, not confirm or reject, nor create an appointment already confirmed.
#[test]
fn an_employee_may_plan_but_not_confirm_or_reject() {
    let workspace = Workspace::new();
    let _ = plan(&workspace, &["--user", "B"]).exits(0);
    assert_eq!(mobile(&workspace, &[])[0]["status"], "unconfirmed");
    let before = feed(&workspace);
    for command in [
        &["mobile", "confirm", "a-1", "--user", "B"][..],
        &["mobile", "reject", "a-1", "--user", "B", "--reason", "no time"],
    ] {
        let ran = workspace.run(command).exits(1);
        assert!(
            ran.stderr.contains("profile Employee") && ran.stderr.contains("a manager or administrator can"),
            "{ran:?}"
        );
    }
    let ran = plan(&workspace, &["--user", "B", "--confirmed"]).exits(1);
    assert!(ran.stderr.contains("profile Employee"), "{ran:?}");
    assert_eq!(feed(&workspace), before, "what was refused is not in the feed");
}

/// Domain 2: Manager and Administrator may; a manager for those below, an administrator for everybody.
#[test]
fn a_manager_confirms_and_rejects_for_those_below_and_an_administrator_for_all() {
    let workspace = Workspace::new();
    workspace.load(
        r#"
[[employee]]
id = "M"
name = "Another manager"
organization = "O1"
profile = "manager"
[[employee]]
id = "Z"
name = "Administrator"
organization = "O1"
profile = "administrator"
"#,
    );
    for _ in 0..3 {
        let _ = plan(&workspace, &["--user", "B"]).exits(0);
    }
    let ran = workspace.run(&["mobile", "confirm", "a-1", "--user", "M"]).exits(1);
    assert!(ran.stderr.contains("cannot confirm for B"), "{ran:?}");
    let _ = workspace.run(&["mobile", "confirm", "a-1", "--user", "A"]).exits(0);
    let _ = workspace.run(&["mobile", "confirm", "a-2", "--user", "Z"]).exits(0);
    let _ = workspace.run(&["mobile", "reject", "a-3", "--user", "A", "--reason", "no time"]).exits(0);
    let statuses: Vec<_> = mobile(&workspace, &[]).iter().map(|version| version["status"].clone()).collect();
    assert_eq!(statuses, ["confirmed", "confirmed", "rejected"]);
    let ran = plan(&workspace, &["--user", "C", "--employee", "B"]).exits(1);
    assert!(ran.stderr.contains("for B"), "C plans for C alone: {ran:?}");
    let _ = plan(&workspace, &["--user", "A", "--confirmed", "--employee", "D"]).exits(0);
}

/// Domain 2: the life of an appointment, each step a new line of the append-only feed.
#[test]
fn every_step_in_mobile_is_a_new_version_in_the_feed() {
    let workspace = planned();
    let mut lines = 1;
    let mut step = |command: &[&str], field: &str, value: &str| {
        let before = feed(&workspace);
        let _ = workspace.run(command).exits(0);
        lines += 1;
        let after = feed(&workspace);
        assert!(after.starts_with(&before) && after.lines().count() == lines, "lines are added only: {after}");
        let current = mobile(&workspace, &["--deleted"]);
        assert_eq!(current[0][field], value, "{command:?}");
    };
    step(&["mobile", "start", "a-1", "--user", "B"], "status", "pending");
    step(&["mobile", "suspend", "a-1", "--user", "B", "--reason", "roadworks"], "reason", "roadworks");
    step(&["mobile", "resume", "a-1", "--user", "B"], "status", "pending");
    let later = ["--start", "2026-12-02T10:00:00+01:00", "--end", "2026-12-02T11:00:00+01:00"];
    step(
        &["mobile", "reschedule", "a-1", "--user", "B", later[0], later[1], later[2], later[3]],
        "start",
        "2026-12-02T09:00:00Z",
    );
    step(
        &["mobile", "complete", "a-1", "--user", "B", "--on", "2026-11-23T07:30:00Z"],
        "completed_on",
        "2026-11-23T07:30:00Z",
    );
    step(
        &["mobile", "delete", "a-1", "--user", "A", "--as-of", "2026-11-23T09:00:00Z"],
        "changed_at",
        "2026-11-23T09:00:00Z",
    );
    assert_eq!(mobile(&workspace, &[]), Vec::<Value>::new(), "what is deleted is not listed");
}

/// What the status does not allow is refused, with what is possible.
#[test]
fn what_the_status_does_not_allow_is_refused_with_what_is_possible() {
    let workspace = planned();
    let _ = workspace.run(&["mobile", "complete", "a-1", "--user", "B"]).exits(0);
    let before = feed(&workspace);
    for command in ["start", "complete", "resume", "confirm"] {
        let ran = workspace.run(&["mobile", command, "a-1", "--user", "A"]).exits(1);
        assert!(ran.stderr.contains("Completed") && ran.stderr.contains("possible now: delete"), "{ran:?}");
    }
    let ran = workspace.run(&["mobile", "start", "nobody", "--user", "A"]).exits(2);
    assert!(ran.stderr.contains("nobody"), "{ran:?}");
    let ran = workspace.run(&["mobile", "start", "a-1", "--user", "Q"]).exits(2);
    assert!(ran.stderr.contains("`Q`"), "{ran:?}");
    for period in [["2026-12-01T10:00:00Z", "2026-12-01T09:00:00Z"], ["2026-12-01", "2026-12-01"], ["noon", "later"]] {
        let arguments = ["mobile", "plan", "--user", "B", "--channel", "B2B", "--customer", "C00001", "--name", "x"];
        let mut arguments = arguments.to_vec();
        arguments.extend(["--start", period[0], "--end", period[1]]);
        let _ = workspace.run(&arguments).exits(2);
    }
    assert_eq!(feed(&workspace), before);
}

/// `mobile list` filters, and what `mobile` writes is what the import reads.
#[test]
fn mobile_list_filters_and_the_import_reads_what_mobile_writes() {
    let workspace = planned();
    let _ = plan(&workspace, &["--user", "C", "--all-day", "--start", "x"]).exits(2);
    let all_day = ["--start", "2026-12-05", "--end", "2026-12-07"];
    let mut arguments = vec!["mobile", "plan", "--user", "A", "--employee", "C", "--confirmed", "--channel", "B2B"];
    arguments.extend([
        "--customer",
        "C00002",
        "--name",
        "Fair",
        "--id",
        "fair",
        "--number",
        "F/1",
        "--priority",
        "high",
    ]);
    arguments.extend(all_day);
    let _ = workspace.run(&arguments).exits(0);
    let _ = plan(&workspace, &["--user", "D"]).exits(0);
    let ids = |more: &[&str]| mobile(&workspace, more).iter().map(|version| version["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&[]).len(), 3);
    assert_eq!(ids(&["--status", "unconfirmed"]), ["a-2"]);
    assert_eq!(ids(&["--employee", "C"]), ["fair"]);
    assert_eq!(ids(&["--channel", "B2C"]), Vec::<Value>::new());
    assert_eq!(ids(&["--limit", "1"]).len(), 1);
    assert_ledger(&import(&workspace, &[]), &[("created", 2), ("not-confirmed", 1)]);
    assert_eq!(workspace.activity("fair").expect("an activity")["subject"], "F/1 Fair");
}
