//! The first import of an appointment (domain 5): who may run, what is checked in which order, whom a run covers.

use apptsync_tests::{MASTER_DATA, NOW, Workspace, appointment, customer, messages, with};
use serde_json::{Value, json};

use crate::support::{assert_ledger, batch, import, ledger, number, rows, texts};

/// Employees besides those of the example: E below B, F on her own, S in New York.
const MORE_EMPLOYEES: &str = r#"
[[organization]]
id = "O2"
name = "Comfort Trade US"
time_zone = "America/New_York"
[[employee]]
id = "E"
name = "Ewa Zając"
organization = "O1"
manager = "B"
user = true
sales_representative = true
[[employee]]
id = "F"
name = "Filip Wrona"
organization = "O1"
user = true
sales_representative = true
[[employee]]
id = "S"
name = "Sam Hill"
organization = "O2"
manager = "A"
user = true
sales_representative = true
"#;

fn skipped(report: &Value, reason: &str) -> u64 {
    report["ledger"]["skipped"][reason].as_u64().unwrap_or(0)
}

/// Domain 5: the sales channel of a run is active.
#[test]
fn a_run_of_an_inactive_channel_is_refused() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    workspace.feed_customer(&customer("L1"));
    let _ = workspace.run(&["channels", "set", "B2B", "--active", "false"]).exits(0);
    for application in ["import-activities", "import-customers", "import-data"] {
        let report = batch(&workspace, application, &[]).exits(1).json();
        assert_ledger(&report, &[]);
        assert_eq!(report["state"], "failed");
        let errors = messages(&report, "error");
        assert!(matches!(&*errors, [error] if error.contains("B2B") && error.contains("not active")), "{errors:?}");
    }
    assert_eq!(number(&workspace, "SELECT count(*) FROM transfer"), 0);
    let _ = workspace.run(&["channels", "set", "B2B", "--active", "true"]).exits(0);
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// Domain 5: the running user has Sales representative, else the run is refused.
#[test]
fn a_run_of_a_user_without_sales_representative_is_refused() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    for (field, wrong, right) in [
        ("--sales-representative", "false", "true"),
        ("--user", "false", "true"),
        ("--active", "false", "true"),
        ("--blocked", "true", "false"),
        ("--deletion-mark", "true", "false"),
    ] {
        let _ = workspace.run(&["employees", "set", "A", field, wrong]).exits(0);
        let report = batch(&workspace, "import-activities", &[]).exits(1).json();
        assert_ledger(&report, &[]);
        let errors = messages(&report, "error");
        assert!(matches!(&*errors, [error] if error.contains("Sales representative")), "{field}: {errors:?}");
        let _ = workspace.run(&["employees", "set", "A", field, right]).exits(0);
    }
    assert_eq!(number(&workspace, "SELECT count(*) FROM transfer"), 0);
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// Domain 5: the definition is active; else one error line, and nothing counts as transferred.
#[test]
fn an_inactive_definition_imports_nothing_says_so_once_and_marks_nothing_as_transferred() {
    let workspace = Workspace::empty();
    workspace.load(MASTER_DATA);
    for id in ["a-1", "a-2", "a-3"] {
        workspace.feed(&appointment(id));
    }
    let report = batch(&workspace, "import-activities", &[]).exits(1).json();
    assert_ledger(&report, &[]);
    let errors = messages(&report, "error");
    let is_named = |error: &String| error.contains("ibus.AppointmentSynchronize") && error.contains("not active");
    assert!(matches!(&*errors, [error] if is_named(error)), "{errors:?}");
    assert_eq!(number(&workspace, "SELECT (SELECT count(*) FROM transfer) + (SELECT count(*) FROM cursor)"), 0);
    let _ = workspace.run(&["definitions", "activate"]).exits(0);
    let report = batch(&workspace, "import-activities", &["--changed-since", "last-transfer"]).exits(0).json();
    assert_ledger(&report, &[("created", 3)]);
}

/// Domain 5: deactivating it stops the import of what is new and of new versions alike.
#[test]
fn a_deactivated_definition_leaves_activities_as_they_are() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    let before = workspace.activities();
    let _ = workspace.run(&["definitions", "deactivate"]).exits(0);
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "Winter assortment" })));
    assert_ledger(&batch(&workspace, "import-activities", &["--as-of", "2026-12-02T08:00:00Z"]).exits(1).json(), &[]);
    assert_eq!(workspace.activities(), before);
}

/// Domain 5: Confirmed exactly. Not confirmed is counted, without a warning.
#[test]
fn only_confirmed_appointments_are_imported() {
    let workspace = Workspace::new();
    for status in ["unconfirmed", "pending", "suspended", "completed", "rejected", "canceled", "confirmed"] {
        workspace.feed(&with(appointment(status), &json!({ "status": status })));
    }
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1), ("not-confirmed", 6)]);
    assert_eq!(report["state"], "completed");
    assert_eq!(texts(&report), Vec::<String>::new());
    assert_eq!(workspace.activities()[0]["source_id"], "confirmed");
}

/// Domain 5: deleted before it was ever imported.
#[test]
fn a_deleted_appointment_is_not_imported() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "deleted": true })));
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("deleted", 1)]);
    assert_eq!(workspace.activities(), Vec::<Value>::new());
}

/// Domain 5: timed appointments start after now; a start that is now is not in the future.
#[test]
fn a_timed_appointment_must_start_after_now() {
    let workspace = Workspace::new();
    for (id, start) in [
        ("over", "2026-11-23T06:00:00Z"),
        ("under-way", "2026-11-23T07:59:59Z"),
        ("now", "2026-11-23T08:00:00Z"),
        ("now-in-warsaw", "2026-11-23T09:00:00+01:00"),
        ("in-a-second", "2026-11-23T08:00:01Z"),
    ] {
        let end = if id == "over" { "2026-11-23T07:00:00Z" } else { "2026-11-23T09:00:00Z" };
        workspace.feed(&with(appointment(id), &json!({ "start": start, "end": end })));
    }
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1), ("not-future", 4)]);
    assert_eq!(texts(&report), Vec::<String>::new());
    assert_eq!(workspace.activities()[0]["source_id"], "in-a-second");
}

/// Domain 5: all-day appointments begin after today, and today is a matter of the organization's zone.
#[test]
fn an_all_day_appointment_must_begin_after_today_in_the_organizations_zone() {
    let on = |employee: &str| {
        let fields = json!({ "all_day": true, "start": "2026-12-02", "end": "2026-12-03", "employee": employee });
        with(appointment(employee), &fields)
    };
    for (now, created, why) in [
        ("2026-12-01T22:59:59Z", vec!["B", "S"], "in Warsaw, one second before December 2"),
        ("2026-12-01T23:00:00Z", vec!["S"], "in Warsaw, December 2 has begun"),
        ("2026-12-02T04:59:59Z", vec!["S"], "in New York, one second before December 2"),
        ("2026-12-02T05:00:00Z", vec![], "in New York, December 2 has begun"),
    ] {
        let workspace = Workspace::new();
        workspace.load(MORE_EMPLOYEES);
        workspace.feed(&on("B"));
        workspace.feed(&on("S"));
        let report = import(&workspace, &["--as-of", now]);
        assert_eq!(report["ledger"]["created"], created.len(), "{why}: {report:#}");
        assert_eq!(skipped(&report, "not-future"), 2 - created.len() as u64, "{why}");
        let mut found: Vec<_> = workspace.activities().iter().map(|activity| activity["employee"].clone()).collect();
        found.sort_by_key(Value::to_string);
        assert_eq!(found, created, "{why}");
    }
}

/// Domain 5: the rep is an active user with Sales representative; else an aggregated warning of its own.
#[test]
fn the_rep_must_be_an_active_user_with_sales_representative() {
    for (field, wrong) in [
        ("--sales-representative", "false"),
        ("--user", "false"),
        ("--active", "false"),
        ("--blocked", "true"),
        ("--deletion-mark", "true"),
    ] {
        let workspace = Workspace::new();
        let _ = workspace.run(&["employees", "set", "C", field, wrong]).exits(0);
        for (id, employee) in [("a-1", "B"), ("a-2", "C"), ("a-3", "C")] {
            workspace.feed(&with(appointment(id), &json!({ "employee": employee })));
        }
        let report = batch(&workspace, "import-activities", &[]).exits(3).json();
        assert_ledger(&report, &[("created", 1), ("rep-not-eligible", 2)]);
        assert_eq!(report["state"], "completed-with-warnings");
        let warnings = messages(&report, "warning");
        assert!(
            matches!(&*warnings, [one] if one.contains("B2B") && one.contains("Sales representative") && one.contains("C: 2")),
            "{field}: {warnings:?}"
        );
    }
}

/// Domain 5: an employee that the headquarters does not know is no active user; a run without a user covers them.
#[test]
fn an_employee_that_the_headquarters_does_not_know_is_not_eligible() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "Z9" })));
    let run = ["run", "import-activities", "--channel", "B2B", "--output", "json"];
    let report = workspace.run(&run).exits(3).json();
    assert_ledger(&report, &[("rep-not-eligible", 1)]);
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("out-of-scope", 1)]);
}

/// Domain 5: a rep that becomes eligible brings their appointments with the next run.
#[test]
fn appointments_of_a_rep_who_becomes_eligible_are_imported_by_the_next_run() {
    let workspace = Workspace::new();
    let _ = workspace.run(&["users", "set", "C", "--active", "false"]).exits(0);
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "C" })));
    assert_ledger(&import(&workspace, &[]), &[("rep-not-eligible", 1)]);
    let _ = workspace.run(&["users", "set", "C", "--active", "true"]).exits(0);
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// Domain 3 and 5: the customer is a partner, connected with the channel, and not marked for deletion.
#[test]
fn the_customer_must_be_a_partner_connected_with_the_channel_and_not_marked_for_deletion() {
    let workspace = Workspace::new();
    workspace.load("[[partner]]\nid = \"C00004\"\nname = \"Not connected\"\n");
    let _ = workspace.run(&["partners", "set", "C00002", "--deletion-mark", "true"]).exits(0);
    for customer in ["C00001", "C00002", "C00004", "C99999"] {
        workspace.feed(&with(appointment(customer), &json!({ "customer": customer })));
    }
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 1), ("customer-missing", 3)]);
    let _ = workspace.run(&["partners", "set", "C00002", "--deletion-mark", "false"]).exits(0);
    let _ = workspace.run(&["channel-partners", "add", "B2B", "C00004", "--partner", "C00004"]).exits(0);
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 2), ("customer-missing", 1)]);
}

/// Domain 3 and 5: the customer's id is that of the channel; the reference is the partner connected with it.
#[test]
fn the_reference_is_the_partner_that_the_channel_connects_with_the_customer() {
    let workspace = Workspace::new();
    let _ = workspace.run(&["channel-partners", "add", "B2B", "ext-7", "--partner", "C00002"]).exits(0);
    workspace.feed(&with(appointment("a-1"), &json!({ "customer": "ext-7" })));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    let activity = workspace.activity("a-1").expect("an activity");
    assert_eq!(activity["customer"], "C00002");
    assert!(activity["description"].as_str().expect("a description").contains("Sklep Wanda"), "{activity:#}");
}

/// Domain 5: the checks in their order. Each appointment fails one check and every check after it, and counts once.
#[test]
fn the_checks_run_in_their_order_and_each_appointment_counts_under_the_first_alone() {
    let workspace = Workspace::new();
    workspace.load(MORE_EMPLOYEES);
    for employee in ["F", "C"] {
        let _ = workspace.run(&["employees", "set", employee, "--sales-representative", "false"]).exits(0);
    }
    let failures = [
        ("out-of-scope", json!({ "employee": "F" })),
        ("deleted", json!({ "deleted": true })),
        ("not-confirmed", json!({ "status": "unconfirmed" })),
        ("not-future", json!({ "start": "2026-11-20T09:00:00Z", "end": "2026-11-20T10:00:00Z" })),
        ("rep-not-eligible", json!({ "employee": "C" })),
        ("customer-missing", json!({ "customer": "C99999" })),
    ];
    for first in 0..failures.len() {
        // Applied from the last check to the first, so that F stands where both employees are asked for.
        let appointment = appointment(failures[first].0);
        let failing = failures[first..].iter().rev().fold(appointment, |failing, (_, fields)| with(failing, fields));
        workspace.feed(&failing);
    }
    workspace.feed(&appointment("created"));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    let expected: Vec<_> = failures.iter().map(|(reason, _)| (*reason, 1)).chain([("created", 1)]).collect();
    assert_eq!(report["ledger"], ledger(&expected));
    for (reason, _) in failures {
        let explained = workspace.json(&["explain", reason]);
        assert_eq!(explained[0]["outcome"], reason, "{explained:#}");
    }
    let messages = messages(&report, "warning");
    assert_eq!(messages.len(), 2, "one for the rep, one for the customer: {messages:?}");
    assert!(messages.iter().any(|text| text.contains("– 1 element(s)") && text.contains("connected partner")));
}

/// Domain 5 and the seed: A, the manager of B, C and D, imports for them; here also for E below B.
#[test]
fn the_run_of_a_covers_a_and_everybody_below() {
    let workspace = Workspace::new();
    workspace.load(MORE_EMPLOYEES);
    for employee in ["A", "B", "C", "D", "E", "F"] {
        workspace.feed(&with(appointment(employee), &json!({ "employee": employee })));
    }
    let report = batch(&workspace, "import-activities", &["--user", "A"]).exits(0).json();
    assert_ledger(&report, &[("created", 5), ("out-of-scope", 1)]);
    assert_eq!(workspace.activity("F"), None);
    let report = batch(&workspace, "import-activities", &["--user", "F"]).exits(0).json();
    assert_eq!(report["ledger"]["created"], 1, "{report:#}");
}

/// Domain 5: B has nobody below here, so the run covers B alone; A's later run takes over what it left.
#[test]
fn the_run_of_b_covers_b_only() {
    let workspace = Workspace::new();
    for employee in ["A", "B", "C"] {
        workspace.feed(&with(appointment(employee), &json!({ "employee": employee })));
    }
    let report = batch(&workspace, "import-activities", &["--user", "B"]).exits(0).json();
    assert_ledger(&report, &[("created", 1), ("out-of-scope", 2)]);
    assert_eq!(workspace.activities()[0]["employee"], "B");
    let report = batch(&workspace, "import-activities", &["--user", "A"]).exits(0).json();
    assert_ledger(&report, &[("created", 2)]);
}

/// Domain 5: a run that does not cover an appointment says nothing about it, and leaves what is known of it.
#[test]
fn a_run_that_does_not_cover_an_appointment_leaves_it_to_those_that_do() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "C", "customer": "L1" })));
    assert_ledger(&import(&workspace, &["--user", "A"]), &[("customer-missing", 1)]);
    let report = import(&workspace, &["--user", "B"]);
    assert_ledger(&report, &[("out-of-scope", 1)]);
    assert_eq!(messages(&report, "warning"), Vec::<String>::new());
    let explained = workspace.json(&["explain", "a-1"]);
    assert_eq!(explained[0]["outcome"], "customer-missing", "{explained:#}");
    workspace.feed_customer(&customer("L1"));
    let report = batch(&workspace, "import-data", &["--user", "A"]).exits(0).json();
    assert_ledger(&report, &[("created", 2)]);
}

/// Domain 5: a new version of an activity that the run does not cover waits for a run that does.
#[test]
fn a_new_version_out_of_scope_changes_nothing_until_a_run_covers_it() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "C" })));
    let _ = import(&workspace, &["--user", "A"]);
    let before = workspace.activities();
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "C", "name": "Winter assortment" })));
    assert_ledger(&import(&workspace, &["--user", "B"]), &[("out-of-scope", 1)]);
    assert_eq!(workspace.activities(), before);
    assert_ledger(&import(&workspace, &["--user", "A"]), &[("updated", 1)]);
    assert_eq!(workspace.activities()[0]["subject"], "SA/2026/a-1 Winter assortment");
}

/// Domain 5: the manager structure is read anew by every run.
#[test]
fn an_employee_who_changes_the_manager_leaves_the_scope() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "D" })));
    let _ = workspace.run(&["employees", "set", "D", "--no-manager"]).exits(0);
    assert_ledger(&import(&workspace, &[]), &[("out-of-scope", 1)]);
    let _ = workspace.run(&["employees", "set", "D", "--manager", "B"]).exits(0);
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// Domain 4 and 5: what was skipped stays eligible, and is looked at with the time that has come.
#[test]
fn an_appointment_confirmed_later_is_imported_if_it_still_lies_in_the_future() {
    let workspace = Workspace::new();
    for id in ["a-1", "a-2"] {
        workspace.feed(&with(appointment(id), &json!({ "status": "unconfirmed" })));
    }
    assert_ledger(&import(&workspace, &[]), &[("not-confirmed", 2)]);
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(&workspace, &["--as-of", "2026-12-01T08:59:59Z"]), &[("created", 1), ("not-confirmed", 1)]);
    workspace.feed(&appointment("a-2"));
    assert_ledger(&import(&workspace, &["--as-of", "2026-12-01T09:00:00Z"]), &[("not-future", 1)]);
    assert_eq!(workspace.activities().len(), 1);
}

/// Domain 5: an appointment becomes one activity with one task and one reference.
#[test]
fn an_appointment_becomes_one_activity_with_its_task_and_its_reference() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &["--as-of", NOW]);
    let text = |text: &str| rusqlite::types::Value::from(text.to_owned());
    let found = rows(
        &workspace,
        "SELECT source_id, task.employee, reference.partner FROM activity
         JOIN task ON task.activity = activity.id JOIN reference ON reference.activity = activity.id",
    );
    assert_eq!(found, [[text("a-1"), text("B"), text("C00001")]]);
}
