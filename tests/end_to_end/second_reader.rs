//! What goes into a calendar file is read by a program that is not ours (icalendar): Outlook is not the only one that must
//! understand it.

use std::path::Path;
use std::process::Command;

use apptsync_tests::calendar_servers::programs;
use apptsync_tests::{Workspace, appointment, with};
use serde_json::{Value, json};

use crate::support::batch;

fn read(file: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/read_calendar.py");
    let output = Command::new(programs().join("python")).arg(script).arg(file).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(read["errors"], json!([]), "every line has a meaning");
    read["items"].clone()
}

/// Outlook.md 6, and the clock changes: instants by the file's own VTIMEZONE, whole days, tasks, and texts with everything
/// that must be escaped or folded.
#[test]
fn another_program_reads_in_a_calendar_file_what_the_cockpit_shows() {
    let workspace = Workspace::new();
    let hours = [
        ("winter", "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z"),
        ("summer", "2027-06-01T09:00:00Z", "2027-06-01T10:30:00Z"),
        ("before the clock goes forward", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"),
        ("the hour that comes twice, first", "2027-10-31T00:15:00Z", "2027-10-31T00:45:00Z"),
        ("the hour that comes twice, then", "2027-10-31T01:15:00Z", "2027-10-31T01:45:00Z"),
        ("across both", "2027-10-30T23:30:00Z", "2027-10-31T02:30:00Z"),
        ("over midnight", "2026-12-31T22:00:00Z", "2027-01-01T03:00:00Z"),
    ];
    let long = "Zażółć gęślą jaźń; a, b \\ c: \"d\" 🗓️ ".repeat(12);
    for (at, (name, start, end)) in hours.iter().enumerate() {
        let fields = json!({ "name": name, "start": start, "end": end, "description": long });
        workspace.feed(&with(appointment(&format!("a-{at}")), &fields));
    }
    let days = json!({ "name": "fair", "all_day": true, "start": "2027-03-27", "end": "2027-03-30" });
    workspace.feed(&with(appointment("a-days"), &days));
    let _ = batch(&workspace, "import-data", &[]).exits(0);
    let task = [
        "activities",
        "add",
        "--employee",
        "B",
        "--task",
        "--subject",
        "Call back; please, now",
        "--description",
        "a\nb",
    ];
    let _ = workspace.run(&task).exits(0);
    let settings =
        ["outlook", "settings", "set", "--level", "database", "--calendar-from", "-7d", "--calendar-to", "+400d"];
    let _ = workspace.run(&[&settings[..], &["--tasks-from", "-7d", "--tasks-to", "+400d"]].concat()).exits(0);
    let profile = ["outlook", "profile", "add", "b", "--employee", "B", "--connector", "calendar-file", "--user", "b"];
    let _ = workspace.run(&profile).exits(0);
    let _ = workspace.run(&["outlook", "sync", "b"]).exits(0);

    let items = read(&workspace.path("calendars/b.ics"));
    let items = items.as_array().expect("a list");
    let activities = workspace.activities();
    assert_eq!((items.len(), activities.len()), (9, 9));
    for activity in activities {
        let found = items.iter().find(|item| item["subject"] == activity["subject"]);
        let item = found.unwrap_or_else(|| panic!("{activity:#} is not in {items:#?}"));
        assert_eq!(item["description"], activity["description"]);
        if activity["subject"] == "Call back; please, now" {
            assert_eq!((&item["kind"], &item["start"], &item["due"]), (&json!("VTODO"), &Value::Null, &Value::Null));
            continue;
        }
        assert_eq!((&item["kind"], &item["free"]), (&json!("VEVENT"), &json!(false)));
        assert_eq!((&item["start"], &item["end"]), (&activity["start"], &activity["end"]), "{}", activity["subject"]);
    }

    // And again after it has come to an end in Mobile.
    workspace.feed(&with(
        appointment("a-0"),
        &json!({
            "name": "winter", "status": "rejected", "reason": "closed", "changed_at": "2026-11-23T07:30:00Z",
            "completed_on": "2026-11-23T07:30:00Z", "completed_by": "B", "description": long,
        }),
    ));
    let _ = batch(&workspace, "import-data", &[]).exits(0);
    let _ = workspace.run(&["outlook", "sync", "b"]).exits(0);
    let items = read(&workspace.path("calendars/b.ics"));
    let free: Vec<_> = items.as_array().expect("a list").iter().filter(|item| item["free"] == true).collect();
    assert_eq!(free.len(), 1, "{items:#}");
    assert_eq!(free[0]["subject"], "SA/2026/a-0 winter");
}
