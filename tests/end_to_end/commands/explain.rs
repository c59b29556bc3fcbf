//! `explain`: why an appointment is as it is, or is not there.

use apptsync_tests::{Workspace, appointment, customer, with};
use serde_json::{Value, json};

use crate::guests;
use crate::support::{assert_ledger, batch, import};

/// Issue, `explain`: for an imported appointment: source record, each stage's answer, plugin digests, rule, run.
#[test]
fn explain_says_why_an_imported_appointment_is_as_it_is() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "number": "SA/7" })));
    let report = import(&workspace, &[]);
    for name in ["a-1", "SA/7"] {
        let explained = workspace.json(&["explain", name]);
        let explained = &explained[0];
        assert_eq!((&explained["outcome"], &explained["source_id"]), (&json!("created"), &json!("a-1")));
        assert_eq!(explained["activity"]["status"], "planned");
        assert_eq!(explained["job"]["job"], report["job"]);
        assert_eq!(explained["source_record"]["name"], "Autumn assortment");
        assert_eq!(explained["rule"], "its period is not over");
        let stages = explained["stages_now"].as_array().expect("stages");
        let answers: Vec<_> =
            stages.iter().map(|stage| (stage["stage"].as_str(), stage["same_plugin_as_then"].as_bool())).collect();
        assert_eq!(answers, [(Some("status"), Some(true)), (Some("definition"), Some(true))]);
        assert!(stages[0]["answer"].as_str().is_some_and(|answer| answer.contains("Planned")), "{stages:?}");
        assert!(
            stages[1]["answer"].as_str().is_some_and(|answer| answer.contains("SA/7 Autumn assortment")),
            "{stages:?}"
        );
        for stage in report["stages"].as_array().expect("stages").iter().skip(1) {
            assert!(stages.iter().any(|now| now["digest"] == stage["digest"]), "{stage}");
        }
    }
    let table = workspace.run(&["explain", "a-1"]).exits(0).stdout;
    for part in ["a-1", "created", "its period is not over", "status-mapping", "Autumn assortment", "Next run"] {
        assert!(table.contains(part), "{part} is missing: {table}");
    }
}

/// Issue, `explain`: why an appointment is not there, and what the next run will do with it.
#[test]
fn explain_says_why_a_skipped_appointment_is_not_there_and_what_comes_next() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "customer": "L1" })));
    workspace.feed(&with(appointment("a-2"), &json!({ "status": "unconfirmed" })));
    let _ = import(&workspace, &[]);
    for (id, outcome) in [("a-1", "customer-missing"), ("a-2", "not-confirmed")] {
        let explained = workspace.json(&["explain", id]);
        assert_eq!((&explained[0]["outcome"], &explained[0]["activity"]), (&json!(outcome), &Value::Null));
        assert_eq!(explained[0]["pending"], true);
        assert!(explained[0]["next_run"].as_str().is_some_and(|text| !text.is_empty()), "{explained:#}");
    }
    let table = workspace.run(&["explain", "a-1"]).exits(0).stdout;
    assert!(table.contains("customer missing"), "{table}");
    workspace.feed_customer(&customer("L1"));
    let _ = batch(&workspace, "import-customers", &[]).exits(0);
    let explained = workspace.json(&["explain", "a-1"]);
    assert!(explained[0]["next_run"].as_str().is_some_and(|text| !text.contains("skips")), "{explained:#}");
    let of_customer = workspace.json(&["explain", "L1"]);
    assert_eq!((&of_customer[0]["collection"], &of_customer[0]["outcome"]), (&json!("customers"), &json!("created")));
}

/// Issue, `explain`: a record that a stage could not answer.
#[test]
fn explain_says_why_a_quarantined_appointment_is_not_there() {
    let workspace = guests::workspace();
    guests::configure(&workspace, "status", &guests::stage("record-error", &[], ""));
    workspace.feed(&guests::named("a-1", "BAD"));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("quarantined", 1)]);
    let explained = workspace.json(&["explain", "a-1"]);
    assert_eq!(explained[0]["outcome"], "quarantined");
    let rule = explained[0]["rule"].as_str().expect("a rule");
    for part in [guests::GUEST, "stage status", "no price list"] {
        assert!(rule.contains(part), "{part} is missing: {rule}");
    }
    workspace.configure("");
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// Issue, `explain` and the feed: a line that cannot be read is no version, but its id leads to place, reason and job.
#[test]
fn explain_names_the_broken_lines_of_an_id_with_job_place_and_reason() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "priority": 7 })));
    workspace.feed_text("appointments.jsonl", "{\"id\":\"a-1\",\n");
    workspace.feed(&with(appointment("a-10"), &json!({ "status": "done" })));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("quarantined", 3)]);
    let expected = [
        ("appointments.jsonl:1", "record `a-1`: `priority` is 7: text in quotes is needed"),
        ("appointments.jsonl:2", "record `a-1`: not JSON: the line ends in the middle of the record"),
    ];
    let kept_apart = |explained: &Value| -> Vec<(String, String)> {
        let of = explained.as_array().expect("an array").iter().filter(|known| !known["place"].is_null());
        of.map(|known| {
            assert_eq!((&known["outcome"], &known["job"]["job"]), (&json!("quarantined"), &report["job"]));
            (known["place"].as_str().expect("a place").into(), known["rule"].as_str().expect("a rule").into())
        })
        .collect()
    };
    let explained = workspace.json(&["explain", "a-1"]);
    assert_eq!(kept_apart(&explained), expected.map(|(place, reason)| (place.to_owned(), reason.to_owned())));
    let table = workspace.run(&["explain", "a-1"]).exits(0).stdout;
    for part in ["Quarantined of a-1", "Job", expected[0].0, expected[0].1, expected[1].0, expected[1].1] {
        assert!(table.contains(part), "{part} is missing: {table}");
    }
    // Repaired: what became of it comes first, and what was quarantined is still said.
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    let explained = workspace.json(&["explain", "a-1"]);
    assert_eq!(explained[0]["outcome"], "created");
    assert_eq!(kept_apart(&explained).len(), 2);
}

/// `explain` of something that no run has read.
#[test]
fn explain_of_something_unknown_says_where_to_look() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let ran = workspace.run(&["explain", "a-1"]).exits(2);
    assert!(ran.stderr.contains("a-1") && ran.stderr.contains("mobile list"), "{ran:?}");
}

/// `explain` of an activity that a newer version could not change.
#[test]
fn explain_says_why_a_newer_version_was_not_imported() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    let _ = import(&workspace, &["--as-of", "2026-12-02T08:00:00Z"]);
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "Winter assortment" })));
    let _ = import(&workspace, &["--as-of", "2026-12-02T09:00:00Z"]);
    let explained = workspace.json(&["explain", "a-1"]);
    assert_eq!((&explained[0]["outcome"], &explained[0]["is_current"]), (&json!("delayed"), &json!(false)));
    assert_eq!(explained[0]["activity"]["status"], "delayed");
    assert_eq!(explained[0]["source_record"]["name"], "Winter assortment");
}
