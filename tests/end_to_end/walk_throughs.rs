//! The walk-throughs and acceptance cases of domain 9, as far as they need no Outlook, with the commands an operator types.

use apptsync_tests::{MASTER_DATA, NOW, Workspace, appointment, customer, messages, with};
use serde_json::{Value, json};

use crate::support::{assert_ledger, batch, contents, import, watch_writes, writes};

/// Plans an appointment in Mobile as manager A for employee B, and gives its id.
fn plan(workspace: &Workspace, more: &[&str]) -> String {
    let mut arguments = vec!["mobile", "plan", "--user", "A", "--employee", "B", "--channel", "B2B"];
    arguments.extend(["--customer", "C00001", "--name", "Autumn assortment", "--description", "Show the new range"]);
    arguments.extend(["--start", "2026-12-01T09:00:00Z", "--end", "2026-12-01T10:00:00Z", "--output", "json"]);
    arguments.extend(more);
    let planned = workspace.run(&arguments).exits(0).json();
    planned["id"].as_str().expect("an id").to_owned()
}

fn lead_message(count: u64) -> String {
    format!(
        "Sales Channel B2B – {count} element(s) of Activities was skipped because connected partner does not exist in CEE system."
    )
}

/// Domain 9, walk-through 1.
#[test]
fn walk_through_1_a_confirmed_appointment_is_imported_processed_in_mobile_and_imported_again() {
    let workspace = Workspace::new();
    // 1. Create a new confirmed sales appointment with a future processing date in Mobile Management.
    let id = plan(&workspace, &["--confirmed"]);
    // 2. Import it with BUS: Import activities.
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1)]);
    // 3. It may be found in Activities.
    let activity = workspace.activity(&id).expect("an activity");
    assert_eq!(activity["status"], "planned");
    assert_eq!(activity["subject"], "SA/2026/000001 Autumn assortment");
    assert_eq!((&activity["completed_on"], &activity["completed_by"]), (&Value::Null, &Value::Null));
    // 4. Synchronize and process it in Mobile Sales.
    let _ = workspace.run(&["mobile", "start", &id, "--user", "B", "--as-of", "2026-12-01T09:02:00Z"]).exits(0);
    let _ = workspace.run(&["mobile", "complete", &id, "--user", "B", "--as-of", "2026-12-01T09:50:00Z"]).exits(0);
    // 5. Reimport activities.
    let report = batch(&workspace, "import-activities", &["--as-of", "2026-12-01T09:55:00Z"]).exits(0).json();
    assert_ledger(&report, &[("updated", 1)]);
    // 6. Find it again: Completed, Completed on, Completed by.
    let activity = workspace.activity(&id).expect("an activity");
    assert_eq!(activity["status"], "completed");
    assert_eq!(activity["completed_on"], "2026-12-01T09:50:00Z");
    assert_eq!(activity["completed_by"], "B");
    let shown = workspace.run(&["activities", "show", &id]).exits(0).stdout;
    for part in ["General", "Results", "References", "Tasks", "Completed on", "2026-12-01 10:50", "Delikatesy Krakus"] {
        assert!(shown.contains(part), "{part} is missing: {shown}");
    }
}

/// Domain 9, walk-through 2, all but Outlook: planned by a rep, confirmed by the manager, brought in by BUS Import data.
#[test]
fn walk_through_2_an_appointment_is_confirmed_by_the_manager_imported_processed_and_imported_again() {
    let workspace = Workspace::new();
    let id = plan(&workspace, &[]);
    let report = batch(&workspace, "import-data", &[]).exits(0).json();
    assert_ledger(&report, &[("not-confirmed", 1)]);
    let _ = workspace.run(&["mobile", "confirm", &id, "--user", "A"]).exits(0);
    let report = batch(&workspace, "import-data", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1)]);
    let activity = workspace.activity(&id).expect("an activity");
    assert_eq!((&activity["status"], &activity["employee"]), (&json!("planned"), &json!("B")));
    let _ = workspace.run(&["mobile", "complete", &id, "--user", "B", "--as-of", "2026-12-01T09:50:00Z"]).exits(0);
    let report = batch(&workspace, "import-data", &["--as-of", "2026-12-01T11:00:00Z"]).exits(0).json();
    assert_ledger(&report, &[("updated", 1)]);
    assert_eq!(workspace.activity(&id).expect("an activity")["status"], "completed");
}

/// Domain 9: three appointments of a lead customer.
#[test]
fn appointments_of_a_lead_are_imported_after_import_customers() {
    let workspace = Workspace::new();
    for id in ["a-1", "a-2", "a-3"] {
        workspace.feed(&with(appointment(id), &json!({ "customer": "L1" })));
    }
    workspace.feed_customer(&customer("L1"));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("customer-missing", 3)]);
    assert_eq!(messages(&report, "warning"), [lead_message(3)]);
    assert_eq!(workspace.activities(), Vec::<Value>::new());

    let report = batch(&workspace, "import-customers", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1)]);
    let report = batch(&workspace, "import-activities", &["--changed-since", "last-transfer"]).exits(0).json();
    assert_ledger(&report, &[("created", 3)]);
    assert_eq!(messages(&report, "warning"), Vec::<String>::new());
    assert_eq!(workspace.activities().len(), 3);
    assert_eq!(workspace.activity("a-1").expect("an activity")["customer"], "L1");
}

/// Domain 9: the same in one run.
#[test]
fn bus_import_data_imports_a_lead_and_its_appointments_in_one_run() {
    let workspace = Workspace::new();
    for id in ["a-1", "a-2", "a-3"] {
        workspace.feed(&with(appointment(id), &json!({ "customer": "L1" })));
    }
    workspace.feed_customer(&customer("L1"));
    let report = batch(&workspace, "import-data", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 4)]);
    assert_eq!(messages(&report, "warning"), Vec::<String>::new());
    assert_eq!(workspace.activities().len(), 3);
}

/// Domain 9 and the seed: rejected while future.
#[test]
fn rejected_while_future_becomes_completed_unprocessed_with_details_in_the_description() {
    let workspace = Workspace::new();
    let id = plan(&workspace, &["--confirmed"]);
    let _ = import(&workspace, &[]);
    let reason = ["--reason", "customer closed down"];
    let _ = workspace.run(&["mobile", "reject", &id, "--user", "A", reason[0], reason[1]]).exits(0);
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("updated", 1)]);
    let activity = workspace.activity(&id).expect("an activity");
    assert_eq!(activity["status"], "completed-unprocessed");
    let description = activity["description"].as_str().expect("a description");
    assert!(description.contains("Status: Rejected"), "{description}");
    assert!(description.contains("customer closed down"), "{description}");
}

/// Domain 9 and the seed: suspended.
#[test]
fn suspended_stays_planned_and_the_description_says_so() {
    let workspace = Workspace::new();
    let id = plan(&workspace, &["--confirmed"]);
    let _ = import(&workspace, &[]);
    let _ = workspace.run(&["mobile", "suspend", &id, "--user", "B", "--reason", "roadworks"]).exits(0);
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("updated", 1)]);
    let activity = workspace.activity(&id).expect("an activity");
    assert_eq!(activity["status"], "planned");
    let description = activity["description"].as_str().expect("a description");
    assert!(description.contains("Status: Suspended") && description.contains("roadworks"), "{description}");
}

/// Domain 9 and the seed: the end passes unprocessed.
#[test]
fn unprocessed_after_its_end_becomes_delayed_and_a_later_change_is_not_imported() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    let report = batch(&workspace, "import-activities", &["--as-of", "2026-12-01T10:00:01Z"]).exits(0).json();
    assert_ledger(&report, &[]);
    let delayed = workspace.activity("a-1").expect("an activity");
    assert_eq!(delayed["status"], "delayed");
    workspace
        .feed(&with(appointment("a-1"), &json!({ "name": "Winter assortment", "changed_at": "2026-12-01T11:00:00Z" })));
    let report = batch(&workspace, "import-activities", &["--as-of", "2026-12-01T12:00:00Z"]).exits(0).json();
    assert_ledger(&report, &[("delayed", 1)]);
    assert_eq!(workspace.activity("a-1").expect("an activity"), delayed);
}

/// Domain 9: unconfirmed or past.
#[test]
fn unconfirmed_or_past_appointments_make_no_activity() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "status": "unconfirmed" })));
    let past = json!({ "start": "2026-11-20T09:00:00Z", "end": "2026-11-20T10:00:00Z" });
    workspace.feed(&with(appointment("a-2"), &past));
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("not-confirmed", 1), ("not-future", 1)]);
    assert_eq!(workspace.activities(), Vec::<Value>::new());
}

/// Domain 9 and the seed's example: every rep must have Sales representative.
#[test]
fn without_sales_representative_the_appointments_of_c_are_not_imported() {
    let workspace = Workspace::new();
    let _ = workspace.run(&["employees", "set", "C", "--sales-representative", "false"]).exits(0);
    for (id, employee) in [("a-1", "B"), ("a-2", "C"), ("a-3", "C"), ("a-4", "D"), ("a-5", "A")] {
        workspace.feed(&with(appointment(id), &json!({ "employee": employee })));
    }
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 3), ("rep-not-eligible", 2)]);
    let employees: Vec<_> = workspace.activities().iter().map(|activity| activity["employee"].clone()).collect();
    assert!(!employees.contains(&json!("C")), "{employees:?}");
}

/// Domain 9 and the seed, step 1: the definition must be activated.
#[test]
fn while_the_definition_is_inactive_nothing_is_imported() {
    let workspace = Workspace::empty();
    workspace.load(MASTER_DATA);
    workspace.feed(&appointment("a-1"));
    let report = batch(&workspace, "import-activities", &[]).exits(1).json();
    assert_ledger(&report, &[]);
    assert_eq!(workspace.activities(), Vec::<Value>::new());
    let _ = workspace.run(&["definitions", "activate"]).exits(0);
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// A feed with every outcome that a run can have.
fn every_outcome(workspace: &Workspace) {
    let _ = workspace.run(&["employees", "set", "D", "--sales-representative", "false"]).exits(0);
    workspace.load("[[employee]]\nid = \"X\"\nname = \"Xenia\"\norganization = \"O1\"\nuser = true\n");
    workspace.feed_customer(&customer("L1"));
    workspace.feed_customer(&with(customer("L2"), &json!({ "deleted": true })));
    let past = json!({ "start": "2026-11-20T09:00:00Z", "end": "2026-11-20T10:00:00Z" });
    for (id, fields) in [
        ("planned", json!({})),
        ("whole-day", json!({ "all_day": true, "start": "2026-12-01", "end": "2026-12-03" })),
        ("other-rep", json!({ "employee": "C" })),
        ("out-of-scope", json!({ "employee": "X" })),
        ("deleted", json!({ "deleted": true })),
        ("unconfirmed", json!({ "status": "unconfirmed" })),
        ("past", past),
        ("not-eligible", json!({ "employee": "D" })),
        ("missing", json!({ "customer": "L9" })),
        ("completed", json!({})),
        ("rejected", json!({})),
        ("delayed", json!({ "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z" })),
    ] {
        workspace.feed(&with(appointment(id), &fields));
    }
    let _ = batch(workspace, "import-data", &[]).exits(3);
    let completed = json!({ "status": "completed", "completed_on": "2026-11-23T08:30:00Z", "completed_by": "B" });
    workspace.feed(&with(appointment("completed"), &completed));
    workspace.feed(&with(appointment("rejected"), &json!({ "status": "rejected" })));
    let _ = batch(workspace, "import-data", &["--as-of", LATER]).exits(3);
    workspace.feed(&with(appointment("completed"), &json!({ "name": "too late" })));
    workspace.feed(&with(appointment("delayed"), &json!({ "name": "too late" })));
    let _ = batch(workspace, "import-data", &["--as-of", LATER]).exits(3);
    let statuses: Vec<_> = workspace.activities().iter().map(|activity| activity["status"].clone()).collect();
    for status in ["planned", "delayed", "completed", "completed-unprocessed"] {
        assert!(statuses.contains(&json!(status)), "{statuses:?}");
    }
}

/// When the runs of [`every_outcome`] end.
const LATER: &str = "2026-11-23T12:00:00Z";

/// Domain 9 and 4: the same import twice.
#[test]
fn the_same_import_twice_writes_nothing_with_last_transfer_and_with_anytime() {
    let workspace = Workspace::new();
    every_outcome(&workspace);
    let before = contents(&workspace);
    watch_writes(&workspace);
    for since in ["last-transfer", "anytime", "last-transfer", "anytime"] {
        for application in ["import-activities", "import-data"] {
            let report = batch(&workspace, application, &["--changed-since", since, "--as-of", LATER]).json();
            let ledger = &report["ledger"];
            assert_eq!((&ledger["created"], &ledger["updated"]), (&json!(0), &json!(0)), "{since}: {report:#}");
            assert_eq!(writes(&workspace), Vec::<Vec<_>>::new(), "{application}, {since}");
        }
    }
    assert_eq!(contents(&workspace), before);
    let report = batch(&workspace, "import-activities", &["--changed-since", "anytime", "--as-of", LATER]).json();
    let expected = [
        ("unchanged", 4),
        ("out-of-scope", 1),
        ("deleted", 1),
        ("not-confirmed", 1),
        ("not-future", 1),
        ("rep-not-eligible", 1),
        ("customer-missing", 1),
        ("closed", 1),
        ("delayed", 1),
    ];
    assert_ledger(&report, &expected);
}

/// Domain 8 and 9: the rep changes; here without calendars.
#[test]
fn when_the_rep_changes_in_mobile_the_task_moves() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "C", "changed_at": NOW })));
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("updated", 1)]);
    assert_eq!(workspace.activity("a-1").expect("an activity")["employee"], "C");
    let of = |employee| workspace.json(&["activities", "list", "--employee", employee]).as_array().map(Vec::len);
    assert_eq!((of("B"), of("C")), (Some(0), Some(1)));
}
