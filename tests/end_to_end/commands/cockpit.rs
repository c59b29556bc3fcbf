//! Cockpit: filters, columns, the tabs of Activities, and the documented JSON.

use apptsync_tests::{Workspace, appointment, with};
use serde_json::json;

use crate::support::{assert_ledger, import};

/// Ten activities of different kinds for the cockpit.
pub(super) fn cockpit() -> Workspace {
    let workspace = Workspace::new();
    workspace.load("[[channel]]\nid = \"B2C\"\norganization = \"O1\"\n[[channel_partner]]\nchannel = \"B2C\"\npartner = \"C00003\"\nexternal_id = \"C00003\"\n");
    for (id, fields) in [
        ("one", json!({ "name": "Zażółć gęślą jaźń", "start": "2026-12-04T09:00:00Z", "end": "2026-12-04T10:00:00Z" })),
        (
            "two",
            json!({ "employee": "C", "customer": "C00002", "start": "2026-12-03T09:00:00Z", "end": "2026-12-03T10:00:00Z" }),
        ),
        ("three", json!({ "all_day": true, "start": "2026-12-02", "end": "2026-12-05" })),
        ("four", json!({ "name": "=1+1", "description": "@SUM(A1)" , "number": "+48 12" })),
        ("five", json!({ "employee": "D", "start": "2026-12-10T09:00:00Z", "end": "2026-12-10T10:00:00Z" })),
        ("six", json!({ "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z" })),
    ] {
        workspace.feed(&with(appointment(id), &fields));
    }
    workspace.feed(&with(appointment("seven"), &json!({ "channel": "B2C", "customer": "C00003" })));
    assert_ledger(&import(&workspace, &[]), &[("created", 6)]);
    let _ = workspace.run(&["definitions", "set", "--kind", "Shop visit", "--priority", "low"]).exits(0);
    let _ = workspace.run(&["run", "import-activities", "--channel", "B2C", "--user", "A"]).exits(0);
    let _ = workspace.run(&["definitions", "set", "--defaults"]).exits(0);
    workspace.feed(&with(
        appointment("one"),
        &json!({
            "name": "Zażółć gęślą jaźń", "start": "2026-12-04T09:00:00Z", "end": "2026-12-04T10:00:00Z",
            "status": "completed", "completed_on": "2026-11-23T10:30:00Z", "completed_by": "B"
        }),
    ));
    workspace.feed(&with(appointment("five"), &json!({ "employee": "D", "status": "rejected", "reason": "no time" })));
    assert_ledger(&import(&workspace, &["--as-of", "2026-11-23T11:00:00Z"]), &[("updated", 2)]);
    workspace
}

fn found(workspace: &Workspace, more: &[&str]) -> Vec<String> {
    let mut arguments = vec!["activities", "list"];
    arguments.extend(more);
    let activities = workspace.json(&arguments);
    let ids = activities
        .as_array()
        .expect("an array")
        .iter()
        .map(|activity| activity["source_id"].as_str().expect("an id").to_owned());
    ids.collect()
}

/// Issue, `activities`: every filter of the cockpit, and the order.
#[test]
fn the_cockpit_filters_by_every_field_and_sorts() {
    let workspace = cockpit();
    let all = ["six", "four", "seven", "three", "two", "one", "five"];
    let by_start = found(&workspace, &[]);
    assert_eq!(by_start.len(), all.len(), "{by_start:?}");
    for (filter, expected) in [
        (&["--status", "planned"][..], vec!["four", "seven", "three", "two"]),
        (&["--status", "delayed"], vec!["six"]),
        (&["--status", "completed", "--status", "completed-unprocessed"], vec!["one", "five"]),
        (&["--kind", "Shop visit"], vec!["seven"]),
        (&["--kind", "shop visit"], vec![]),
        (&["--priority", "low"], vec!["seven"]),
        (&["--priority", "normal", "--employee", "C"], vec!["two"]),
        (&["--customer", "C00002"], vec!["two"]),
        (&["--customer", "C00002", "--customer", "C00003"], vec!["seven", "two"]),
        (&["--employee", "D"], vec!["five"]),
        (&["--channel", "B2C"], vec!["seven"]),
        (&["--from", "2026-12-03T09:00:00Z", "--to", "2026-12-04T09:00:00Z"], vec!["two"]),
        (&["--from", "2026-12-03", "--to", "2026-12-05", "--status", "planned"], vec!["two"]),
        (&["--to", "2026-11-24"], vec!["six"]),
        (&["--text", "GĘŚLĄ"], vec!["one"]),
        (&["--text", "sklep wanda"], vec!["two"]),
        (&["--text", "no time"], vec!["five"]),
        (&["--text", "100%"], vec![]),
        (&["--text", "_"], vec![]),
        (&["--limit", "1"], vec!["six"]),
    ] {
        let mut found = found(&workspace, filter);
        let mut expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{filter:?}");
    }
    assert_eq!(found(&workspace, &["--sort", "id"])[..3], ["one", "two", "three"]);
    assert_eq!(found(&workspace, &["--sort", "id", "--descending", "--limit", "1"]), ["seven"]);
    assert_eq!(found(&workspace, &["--sort", "completed_on", "--descending", "--limit", "1"]), ["one"]);
    assert_eq!(found(&workspace, &["--sort", "priority", "--limit", "1"]), ["seven"]);
    assert_eq!(found(&workspace, &["--sort", "employee", "--descending", "--limit", "1"]), ["five"]);
    for wrong in [
        ["--status", "open"],
        ["--priority", "urgent"],
        ["--sort", "colour"],
        ["--from", "noon"],
        ["--columns", "colour"],
    ] {
        let _ = workspace.run(&["activities", "list", wrong[0], wrong[1]]).exits(2);
    }
}

/// Issue, formats: the documented JSON of `activities list`, field by field; instants in UTC.
#[test]
fn the_json_of_activities_is_the_documented_one() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    assert_eq!(
        workspace.json(&["activities", "list"]),
        json!([{
            "id": workspace.activities()[0]["id"], "channel": "B2B", "source_id": "a-1", "number": "SA/2026/a-1",
            "subject": "SA/2026/a-1 Autumn assortment", "status": "planned", "start": "2026-12-01T09:00:00Z",
            "end": "2026-12-01T10:00:00Z", "all_day": false, "kind": "Sales appointment", "priority": "normal",
            "customer": "C00001", "employee": "B",
            "description": "Customer: Delikatesy Krakus\nAddress: Długa 1, 31-147 Kraków, PL\nStatus: Confirmed\nShow the new range",
            "completed_on": null, "completed_by": null, "origin": "mobile", "canceled": false
        }])
    );
}

/// Issue, formats: the documented JSON of a run.
#[test]
fn the_json_of_a_run_is_the_documented_one() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    workspace.feed(&with(appointment("a-2"), &json!({ "status": "unconfirmed" })));
    let report = import(&workspace, &[]);
    for field in ["job", "state", "ledger", "messages", "stages"] {
        assert!(report.get(field).is_some(), "{field} is missing: {report:#}");
    }
    assert_eq!(
        report["ledger"],
        json!({
            "read": 2, "created": 1, "updated": 0, "unchanged": 0, "skipped": { "not-confirmed": 1 }, "quarantined": 0,
            "failed": 0
        })
    );
    assert_eq!(report["messages"], json!([]));
    assert_eq!(report["state"], "completed");
}

/// Issue, `activities`: columns in the order asked, tables of 50 rows unless told.
#[test]
fn columns_are_chosen_and_tables_show_fifty_rows_unless_told() {
    let workspace = Workspace::new();
    let lines: String = (0..60).map(|index| format!("{}\n", appointment(&format!("a-{index}")))).collect();
    workspace.feed_text("appointments.jsonl", &lines);
    let _ = import(&workspace, &[]);
    let ran = workspace.run(&["activities", "list", "--columns", "source_id,status"]).exits(0);
    let rows: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(rows.len(), 51, "{rows:?}");
    assert_eq!(
        rows[0].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>(),
        ["Id in Mobile", "Status"]
    );
    assert!(ran.stderr.contains("50 of 60"), "{ran:?}");
    let rows = workspace.run(&["activities", "list", "--limit", "55"]).exits(0).stdout.lines().count();
    assert_eq!(rows, 56);
    assert_eq!(workspace.activities().len(), 60, "other outputs have all");
    let only = workspace.json(&["activities", "list", "--columns", "status,id", "--limit", "1"]);
    assert_eq!(only[0].as_object().map(serde_json::Map::len), Some(2));
}

/// Issue, `activities show`: the tabs General, Results, References and Tasks, by the activity's id, the appointment's id or
/// its number.
#[test]
fn an_activity_is_shown_with_its_four_tabs() {
    let workspace = cockpit();
    let id = workspace.activity("one").expect("an activity")["id"].as_str().expect("an id").to_owned();
    for name in [&*id, "one", "SA/2026/one"] {
        let shown = workspace.run(&["activities", "show", name]).exits(0).stdout;
        let at = |part: &str| shown.find(part).unwrap_or_else(|| panic!("{part} is missing: {shown}"));
        assert!(at("\nGeneral") < at("Start time") && at("Start time") < at("\nResults"));
        assert!(at("\nResults") < at("Completed on") && at("Completed by") < at("\nReferences"));
        assert!(at("\nReferences") < at("C00001 Delikatesy Krakus") && at("\nReferences") < at("\nTasks"));
        assert!(at("\nTasks") < at("B Barbara Nowak"));
        for part in [
            "Subject",
            "End time",
            "Priority",
            "Kind",
            "Description",
            "2026-12-04 10:00 (Europe/Warsaw)",
            "Normal",
            "Sales appointment",
            "2026-11-23 11:30",
            "Completed",
        ] {
            at(part);
        }
    }
    let ran = workspace.run(&["activities", "show", "nothing"]).exits(2);
    assert!(ran.stderr.contains("activities list"), "{ran:?}");
    workspace.feed(&with(appointment("waiting"), &json!({ "status": "unconfirmed" })));
    let _ = import(&workspace, &[]);
    let ran = workspace.run(&["activities", "show", "waiting"]).exits(2);
    assert!(ran.stderr.contains("apptsync explain waiting"), "{ran:?}");
}
