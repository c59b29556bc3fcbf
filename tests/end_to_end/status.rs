//! The status of an activity (domain 7): what Mobile says, what the clock says, and what nothing changes any more.

use apptsync_tests::{Workspace, appointment, customer, messages, with};
use serde_json::{Value, json};

use crate::support::{assert_ledger, batch, contents, import, texts};

/// The end of [`appointment`].
const END: &str = "2026-12-01T10:00:00Z";
const ONE_SECOND_AFTER: &str = "2026-12-01T10:00:01Z";
const DURING: &str = "2026-12-01T09:30:00Z";
const LONG_AFTER: &str = "2026-12-02T08:00:00Z";

/// A workspace in which the confirmed appointment a-1 was imported.
fn imported() -> Workspace {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    workspace
}

/// A newer version of a-1.
fn change(workspace: &Workspace, fields: &Value) {
    let newer = with(appointment("a-1"), &json!({ "changed_at": "2026-11-23T09:00:00Z" }));
    workspace.feed(&with(newer, fields));
}

fn activity(workspace: &Workspace) -> Value {
    workspace.activity("a-1").expect("an activity")
}

fn description(workspace: &Workspace) -> String {
    activity(workspace)["description"].as_str().expect("a description").to_owned()
}

/// An activity with one field as given.
fn but(activity: &Value, field: &str, value: &str) -> Value {
    with(activity.clone(), &json!({ field: value }))
}

/// Domain 7: Planned until the processing period is over; `end == now` is not yet over.
#[test]
fn an_activity_is_planned_until_its_end_and_delayed_one_second_later() {
    let workspace = imported();
    for now in ["2026-12-01T08:59:59Z", "2026-12-01T09:00:00Z", DURING, END] {
        assert_ledger(&import(&workspace, &["--as-of", now]), &[]);
        assert_eq!(activity(&workspace)["status"], "planned", "{now}");
    }
    let report = import(&workspace, &["--as-of", ONE_SECOND_AFTER]);
    assert_ledger(&report, &[]);
    assert_eq!(activity(&workspace)["status"], "delayed");
    assert!(texts(&report).iter().any(|text| text.contains("1 activities were set to Delayed")), "{report:#}");
    assert!(texts(&import(&workspace, &["--as-of", LONG_AFTER])).is_empty(), "it is said once");
}

/// Domain 7: the end of whole days is midnight in the organization's zone.
#[test]
fn an_all_day_activity_is_delayed_after_midnight_in_the_organizations_zone() {
    let workspace = Workspace::new();
    let days = json!({ "all_day": true, "start": "2026-12-01", "end": "2026-12-02" });
    workspace.feed(&with(appointment("a-1"), &days));
    let _ = import(&workspace, &[]);
    let _ = import(&workspace, &["--as-of", "2026-12-01T23:00:00Z"]);
    assert_eq!(activity(&workspace)["status"], "planned", "midnight in Warsaw is the end, not after it");
    let _ = import(&workspace, &["--as-of", "2026-12-01T23:00:01Z"]);
    assert_eq!(activity(&workspace)["status"], "delayed");
}

/// Domain 7, row Confirmed: stays Planned; subject, times and description follow.
#[test]
fn confirmed_again_subject_times_and_description_follow() {
    let workspace = imported();
    let before = activity(&workspace);
    change(
        &workspace,
        &json!({
            "number": "SA/2026/777", "name": "Winter assortment", "description": "Bring the catalogue",
            "start": "2026-12-03T12:00:00+01:00", "end": "2026-12-03T13:30:00+01:00", "customer": "C00002"
        }),
    );
    assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
    let after = activity(&workspace);
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["status"], "planned");
    assert_eq!((&after["number"], &after["subject"]), (&json!("SA/2026/777"), &json!("SA/2026/777 Winter assortment")));
    assert_eq!((&after["start"], &after["end"]), (&json!("2026-12-03T11:00:00Z"), &json!("2026-12-03T12:30:00Z")));
    assert_eq!(after["customer"], "C00002");
    let description = description(&workspace);
    assert!(description.contains("Bring the catalogue") && description.contains("Sklep Wanda"), "{description}");
}

/// Domain 7, row Unconfirmed, Pending: stays; the status text stands in Description.
#[test]
fn unconfirmed_or_pending_stays_planned_with_the_status_in_the_description() {
    for (status, label) in [("unconfirmed", "Unconfirmed"), ("pending", "Pending")] {
        let workspace = imported();
        change(&workspace, &json!({ "status": status }));
        assert_ledger(&import(&workspace, &["--as-of", DURING]), &[("updated", 1)]);
        assert_eq!(activity(&workspace)["status"], "planned");
        assert!(description(&workspace).contains(&format!("Status: {label}")), "{}", description(&workspace));
    }
}

/// Domain 7, row Suspended: status unchanged, Description says so; resumed, it goes on.
#[test]
fn suspended_stays_planned_and_resumed_goes_on() {
    let workspace = imported();
    change(&workspace, &json!({ "status": "suspended", "reason": "roadworks" }));
    assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
    assert_eq!(activity(&workspace)["status"], "planned");
    let suspended = description(&workspace);
    assert!(suspended.contains("Status: Suspended") && suspended.contains("roadworks"), "{suspended}");
    change(&workspace, &json!({ "status": "pending" }));
    assert_ledger(&import(&workspace, &["--as-of", DURING]), &[("updated", 1)]);
    assert_eq!(activity(&workspace)["status"], "planned");
    let resumed = description(&workspace);
    assert!(resumed.contains("Status: Pending") && !resumed.contains("roadworks"), "{resumed}");
}

/// Domain 7, row Completed: Completed, with Completed on and Completed by.
#[test]
fn completed_becomes_completed_with_instant_and_employee() {
    for now in ["2026-11-23T09:30:00Z", DURING, END] {
        let workspace = imported();
        change(
            &workspace,
            &json!({ "status": "completed", "completed_on": "2026-11-23T10:00:00+01:00", "completed_by": "C" }),
        );
        assert_ledger(&import(&workspace, &["--as-of", now]), &[("updated", 1)]);
        let activity = activity(&workspace);
        assert_eq!(activity["status"], "completed", "{now}");
        assert_eq!(activity["completed_on"], "2026-11-23T09:00:00Z");
        assert_eq!(activity["completed_by"], "C");
        assert!(description(&workspace).contains("Status: Completed"));
    }
}

/// Domain 7, row Rejected, Canceled, deleted: Completed unprocessed, with details in Description.
#[test]
fn rejected_canceled_or_deleted_becomes_completed_unprocessed_with_details_in_the_description() {
    for (fields, detail) in [
        (
            json!({ "status": "rejected", "reason": "closed down" }),
            "Rejected in Mobile on 2026-11-23 09:00 UTC: closed down",
        ),
        (
            json!({ "status": "canceled", "reason": "closed down" }),
            "Rejected in Mobile on 2026-11-23 09:00 UTC: closed down",
        ),
        (json!({ "deleted": true }), "Deleted in Mobile on 2026-11-23 09:00 UTC"),
    ] {
        for now in ["2026-11-23T09:30:00Z", DURING, END] {
            let workspace = imported();
            change(&workspace, &fields);
            assert_ledger(&import(&workspace, &["--as-of", now]), &[("updated", 1)]);
            assert_eq!(activity(&workspace)["status"], "completed-unprocessed", "{fields} at {now}");
            assert!(description(&workspace).contains(detail), "{fields}: {}", description(&workspace));
        }
    }
}

/// Domain 2 and 7: what version 2021 calls Canceled reads as Rejected, also in the text.
#[test]
fn canceled_is_shown_as_rejected() {
    let workspace = imported();
    change(&workspace, &json!({ "status": "canceled" }));
    let _ = import(&workspace, &[]);
    let description = description(&workspace);
    assert!(description.contains("Status: Rejected") && !description.contains("Canceled"), "{description}");
}

/// Domain 7, row rescheduled: new times, status computed anew.
#[test]
fn rescheduled_gets_the_new_times_and_a_status_of_its_new_end() {
    let workspace = imported();
    change(&workspace, &json!({ "start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z" }));
    // The old period is over, the new one is not.
    assert_ledger(&import(&workspace, &["--as-of", LONG_AFTER]), &[("updated", 1)]);
    let activity = activity(&workspace);
    assert_eq!(activity["status"], "planned");
    assert_eq!(
        (&activity["start"], &activity["end"]),
        (&json!("2026-12-05T09:00:00Z"), &json!("2026-12-05T10:00:00Z"))
    );
    let _ = import(&workspace, &["--as-of", "2026-12-05T10:00:01Z"]);
    assert_eq!(self::activity(&workspace)["status"], "delayed");
}

/// Domain 7: rescheduled from a time to whole days and back.
#[test]
fn rescheduled_to_whole_days_and_back() {
    let workspace = imported();
    change(&workspace, &json!({ "all_day": true, "start": "2026-12-05", "end": "2026-12-07" }));
    assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
    let days = activity(&workspace);
    assert_eq!(
        (&days["all_day"], &days["start"], &days["end"]),
        (&json!(true), &json!("2026-12-05"), &json!("2026-12-07"))
    );
    change(&workspace, &json!({}));
    assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
    let timed = activity(&workspace);
    assert_eq!((&timed["all_day"], &timed["start"]), (&json!(false), &json!("2026-12-01T09:00:00Z")));
}

/// Domain 7: where the answer for a new version is Delayed, the status alone changes.
#[test]
fn a_new_version_that_is_delayed_changes_the_status_alone() {
    let elapsed = json!({ "start": "2026-11-24T09:00:00Z", "end": "2026-11-24T10:00:00Z" });
    for (fields, now) in [
        (
            json!({ "name": "Winter assortment", "description": "other", "employee": "C", "customer": "C00002" }),
            LONG_AFTER,
        ),
        (json!({ "status": "suspended", "reason": "roadworks" }), LONG_AFTER),
        (json!({ "status": "pending" }), LONG_AFTER),
        (json!({ "status": "unconfirmed" }), LONG_AFTER),
        (json!({ "status": "completed", "completed_on": LONG_AFTER, "completed_by": "B" }), LONG_AFTER),
        (json!({ "status": "rejected", "reason": "late", "changed_at": LONG_AFTER }), LONG_AFTER),
        (json!({ "deleted": true, "changed_at": LONG_AFTER }), LONG_AFTER),
        (elapsed, "2026-11-25T08:00:00Z"),
    ] {
        let workspace = imported();
        let before = activity(&workspace);
        change(&workspace, &fields);
        assert_ledger(&import(&workspace, &["--as-of", now]), &[("updated", 1)]);
        assert_eq!(activity(&workspace), but(&before, "status", "delayed"), "{fields}");
        let stored = contents(&workspace);
        assert_ledger(&import(&workspace, &["--as-of", now]), &[]);
        assert_ledger(&import(&workspace, &["--as-of", now, "--changed-since", "anytime"]), &[("delayed", 1)]);
        assert_eq!(contents(&workspace), stored, "the same import again writes nothing");
    }
}

/// Domain 7: `end == now` is not yet elapsed, for what Mobile says at that instant too.
#[test]
fn a_new_version_at_the_very_end_is_imported_and_one_second_later_delayed() {
    for status in ["confirmed", "pending", "suspended", "unconfirmed"] {
        for (now, expected) in [(END, "planned"), (ONE_SECOND_AFTER, "delayed")] {
            let workspace = imported();
            change(&workspace, &json!({ "status": status, "name": "Winter assortment" }));
            assert_ledger(&import(&workspace, &["--as-of", now]), &[("updated", 1)]);
            let activity = activity(&workspace);
            assert_eq!(activity["status"], expected, "{status} at {now}");
            let is_new = activity["subject"] == "SA/2026/a-1 Winter assortment";
            assert_eq!(is_new, expected == "planned", "{activity:#}");
        }
    }
}

/// Every kind of news that Mobile can have.
fn every_news() -> [Value; 9] {
    [
        json!({ "name": "Winter assortment" }),
        json!({ "status": "unconfirmed" }),
        json!({ "status": "pending" }),
        json!({ "status": "suspended" }),
        json!({ "status": "completed", "completed_on": DURING, "completed_by": "B" }),
        json!({ "status": "rejected" }),
        json!({ "status": "canceled" }),
        json!({ "deleted": true }),
        json!({ "start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z", "employee": "C" }),
    ]
}

/// Domain 7, column Delayed, and the seed: nothing is imported any more.
#[test]
fn a_delayed_activity_is_frozen_whatever_mobile_says() {
    let workspace = imported();
    let _ = import(&workspace, &["--as-of", ONE_SECOND_AFTER]);
    let frozen = activity(&workspace);
    assert_eq!(frozen["status"], "delayed");
    for news in every_news() {
        change(&workspace, &news);
        for since in ["last-transfer", "anytime"] {
            let more = ["--as-of", LONG_AFTER, "--changed-since", since];
            let report = batch(&workspace, "import-activities", &more).exits(0).json();
            assert_ledger(&report, &[("delayed", 1)]);
            assert_eq!(activity(&workspace), frozen, "{news}, {since}");
        }
    }
}

/// Domain 7, last column: Completed and Completed unprocessed are closed.
#[test]
fn a_completed_activity_is_closed_whatever_mobile_says() {
    for (end, status) in [
        (json!({ "status": "completed", "completed_on": "2026-11-23T08:30:00Z", "completed_by": "B" }), "completed"),
        (json!({ "status": "rejected" }), "completed-unprocessed"),
    ] {
        let workspace = imported();
        change(&workspace, &end);
        let _ = import(&workspace, &[]);
        let closed = activity(&workspace);
        assert_eq!(closed["status"], status);
        // Each is another version than the one before.
        for (position, news) in every_news().into_iter().enumerate() {
            change(&workspace, &with(news.clone(), &json!({ "number": format!("SA/{position}") })));
            let report = batch(&workspace, "import-activities", &["--as-of", LONG_AFTER]).exits(0).json();
            assert_ledger(&report, &[("closed", 1)]);
            assert_eq!(activity(&workspace), closed, "{news}");
        }
    }
}

/// Domain 7, late news: `in-period`, the default, takes over what was completed up to the end.
#[test]
fn late_results_in_period_takes_over_what_was_completed_up_to_the_end() {
    for (completed_on, status) in
        [(DURING, "completed"), (END, "completed"), (ONE_SECOND_AFTER, "delayed"), ("2026-12-01T10:30:00Z", "delayed")]
    {
        let workspace = imported();
        change(&workspace, &json!({ "status": "completed", "completed_on": completed_on, "completed_by": "B" }));
        assert_ledger(&import(&workspace, &["--as-of", LONG_AFTER]), &[("updated", 1)]);
        let activity = activity(&workspace);
        assert_eq!(activity["status"], status, "{completed_on}");
        let expected = if status == "completed" { json!(completed_on) } else { Value::Null };
        assert_eq!(activity["completed_on"], expected);
    }
}

/// Domain 7, late news: the same goes for Rejected; the instant is completed on, else changed at.
#[test]
fn late_rejections_go_by_completed_on_or_else_by_changed_at() {
    for (fields, status) in [
        (json!({ "completed_on": DURING, "changed_at": LONG_AFTER }), "completed-unprocessed"),
        (json!({ "completed_on": ONE_SECOND_AFTER, "changed_at": DURING }), "delayed"),
        (json!({ "changed_at": END }), "completed-unprocessed"),
        (json!({ "changed_at": ONE_SECOND_AFTER }), "delayed"),
    ] {
        for mobile in [json!({ "status": "rejected" }), json!({ "status": "canceled" }), json!({ "deleted": true })] {
            let workspace = imported();
            change(&workspace, &with(fields.clone(), &mobile));
            assert_ledger(&import(&workspace, &["--as-of", LONG_AFTER]), &[("updated", 1)]);
            assert_eq!(activity(&workspace)["status"], status, "{fields} {mobile}");
        }
    }
}

/// Domain 7, late news: without completed on, a completion too goes by changed at.
#[test]
fn a_completion_without_an_instant_goes_by_changed_at() {
    for (changed_at, status) in [(END, "completed"), (ONE_SECOND_AFTER, "delayed")] {
        let workspace = imported();
        change(&workspace, &json!({ "status": "completed", "completed_by": "B", "changed_at": changed_at }));
        assert_ledger(&import(&workspace, &["--as-of", LONG_AFTER]), &[("updated", 1)]);
        assert_eq!(activity(&workspace)["status"], status, "{changed_at}");
    }
}

/// Domain 7, late news: `never` is the literal clock.
#[test]
fn late_results_never_lets_the_clock_decide() {
    for (now, status) in [(DURING, "completed"), (END, "completed"), (ONE_SECOND_AFTER, "delayed")] {
        for (mobile, in_time) in [("completed", "completed"), ("rejected", "completed-unprocessed")] {
            let workspace = Workspace::new();
            workspace.configure(r#"status = { plugin = "status-mapping", config = { late-results = "never" } }"#);
            workspace.feed(&appointment("a-1"));
            let _ = import(&workspace, &[]);
            change(&workspace, &json!({ "status": mobile, "completed_on": "2026-12-01T09:10:00Z" }));
            let _ = import(&workspace, &["--as-of", now]);
            let expected = if status == "completed" { in_time } else { status };
            assert_eq!(activity(&workspace)["status"], expected, "{mobile} at {now}");
        }
    }
}

/// Domain 7, late news: `grace = "30m"` is in-period and thirty minutes more.
#[test]
fn late_results_grace_adds_to_the_period() {
    for (completed_on, status) in [
        (DURING, "completed"),
        (ONE_SECOND_AFTER, "completed"),
        ("2026-12-01T10:30:00Z", "completed"),
        ("2026-12-01T10:30:01Z", "delayed"),
    ] {
        let workspace = Workspace::new();
        workspace
            .configure(r#"status = { plugin = "status-mapping", config = { late-results = "grace", grace = "30m" } }"#);
        workspace.feed(&appointment("a-1"));
        let _ = import(&workspace, &[]);
        change(&workspace, &json!({ "status": "completed", "completed_on": completed_on, "completed_by": "B" }));
        let _ = import(&workspace, &["--as-of", LONG_AFTER]);
        assert_eq!(activity(&workspace)["status"], status, "{completed_on}");
    }
}

/// Domain 7, late news: what an earlier run stored as Delayed stays so under every setting.
#[test]
fn what_is_stored_as_delayed_stays_delayed_under_every_setting_of_late_results() {
    for config in [
        r#"{ late-results = "in-period" }"#,
        r#"{ late-results = "never" }"#,
        r#"{ late-results = "grace", grace = "30d" }"#,
    ] {
        let workspace = Workspace::new();
        workspace.configure(&format!(r#"status = {{ plugin = "status-mapping", config = {config} }}"#));
        workspace.feed(&appointment("a-1"));
        let _ = import(&workspace, &[]);
        let _ = import(&workspace, &["--as-of", ONE_SECOND_AFTER]);
        change(&workspace, &json!({ "status": "completed", "completed_on": DURING, "completed_by": "B" }));
        assert_ledger(&import(&workspace, &["--as-of", LONG_AFTER]), &[("delayed", 1)]);
        assert_eq!(activity(&workspace)["status"], "delayed", "{config}");
    }
}

/// Domain 7: every import run ends by setting what is Planned and elapsed in its scope to Delayed.
#[test]
fn the_end_of_a_run_delays_what_is_elapsed_in_its_scope_only() {
    let workspace = Workspace::new();
    workspace.load(OTHER_CHANNEL);
    for (id, fields) in [
        ("of-b", json!({ "employee": "B" })),
        ("of-c", json!({ "employee": "C" })),
        ("later", json!({ "end": "2026-12-30T10:00:00Z" })),
        ("of-other-channel", json!({ "channel": "B2C" })),
    ] {
        workspace.feed(&with(appointment(id), &fields));
    }
    let _ = import(&workspace, &[]);
    let other = ["run", "import-activities", "--channel", "B2C", "--user", "A", "--output", "json"];
    assert_ledger(&workspace.run(&other).exits(0).json(), &[("created", 1)]);
    let delayed = || {
        let delayed = workspace.json(&["activities", "list", "--status", "delayed", "--sort", "id"]);
        let ids = delayed.as_array().expect("an array").iter().filter_map(|activity| activity["source_id"].as_str());
        ids.map(str::to_owned).collect::<Vec<_>>()
    };
    let _ = batch(&workspace, "import-customers", &["--as-of", LONG_AFTER]).exits(0);
    assert_eq!(delayed(), Vec::<String>::new(), "Import customers is not about activities");
    let _ = import(&workspace, &["--user", "B", "--as-of", LONG_AFTER]);
    assert_eq!(delayed(), ["of-b"]);
    let _ = batch(&workspace, "import-data", &["--user", "A", "--as-of", LONG_AFTER]).exits(0);
    assert_eq!(delayed(), ["of-b", "of-c"]);
    let mut other = other.to_vec();
    other.extend(["--as-of", LONG_AFTER]);
    let _ = workspace.run(&other).exits(0);
    assert_eq!(delayed(), ["of-b", "of-c", "of-other-channel"]);
}

const OTHER_CHANNEL: &str = r#"
[[channel]]
id = "B2C"
organization = "O1"
[[channel_partner]]
channel = "B2C"
partner = "C00001"
external_id = "C00001"
"#;

/// Domain 7: more than a thousand elapsed activities are delayed by one run.
#[test]
fn thousands_of_elapsed_activities_are_delayed_by_one_run() {
    let workspace = Workspace::new();
    let lines: String = (0..2_500).map(|index| format!("{}\n", appointment(&format!("a-{index}")))).collect();
    workspace.feed_text("appointments.jsonl", &lines);
    assert_ledger(&import(&workspace, &[]), &[("created", 2_500)]);
    let report = import(&workspace, &["--as-of", ONE_SECOND_AFTER]);
    assert!(texts(&report).iter().any(|text| text.starts_with("2500 activities")), "{report:#}");
    assert!(workspace.activities().iter().all(|activity| activity["status"] == "delayed"));
}

/// Domain 7: a new version whose customer the headquarters lacks changes nothing and counts in the message.
#[test]
fn a_new_version_with_a_missing_customer_changes_nothing_and_is_counted() {
    let workspace = imported();
    let before = activity(&workspace);
    change(&workspace, &json!({ "customer": "L1", "name": "Winter assortment" }));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("customer-missing", 1)]);
    assert_eq!(
        messages(&report, "warning"),
        [
            "Sales Channel B2B – 1 element(s) of Activities was skipped because connected partner does not exist in CEE system."
        ]
    );
    assert_eq!(activity(&workspace), before);
    workspace.feed_customer(&customer("L1"));
    assert_ledger(&batch(&workspace, "import-data", &[]).exits(0).json(), &[("created", 1), ("updated", 1)]);
    let after = activity(&workspace);
    assert_eq!((&after["customer"], &after["subject"]), (&json!("L1"), &json!("SA/2026/a-1 Winter assortment")));
}

/// Domain 7: a new version whose rep is not eligible changes nothing and counts in the message.
#[test]
fn a_new_version_with_an_ineligible_rep_changes_nothing_and_is_counted() {
    let workspace = imported();
    let before = activity(&workspace);
    let _ = workspace.run(&["employees", "set", "C", "--sales-representative", "false"]).exits(0);
    change(&workspace, &json!({ "employee": "C", "name": "Winter assortment" }));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("rep-not-eligible", 1)]);
    let warnings = messages(&report, "warning");
    assert!(
        matches!(&*warnings, [one] if one.contains("Sales representative") && one.contains("C: 1")),
        "{warnings:?}"
    );
    assert_eq!(activity(&workspace), before);
    let _ = workspace.run(&["employees", "set", "C", "--sales-representative", "true"]).exits(0);
    assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
    assert_eq!(activity(&workspace)["employee"], "C");
}

/// Domain 7: of a new version, customer and rep count before the clock; what is stored is delayed at the end of the run.
#[test]
fn a_new_version_that_cannot_be_imported_does_not_keep_its_activity_from_becoming_delayed() {
    let workspace = imported();
    let before = activity(&workspace);
    change(&workspace, &json!({ "customer": "L1", "end": "2026-12-30T10:00:00Z" }));
    assert_ledger(&import(&workspace, &["--as-of", LONG_AFTER]), &[("customer-missing", 1)]);
    assert_eq!(activity(&workspace), but(&before, "status", "delayed"));
}

/// Domain 7: the mapping's note is no status; what happened in Mobile before the first import is of no concern.
#[test]
fn what_happened_between_two_imports_counts_by_its_last_version() {
    let workspace = imported();
    change(&workspace, &json!({ "status": "rejected", "reason": "by mistake" }));
    change(&workspace, &json!({ "status": "confirmed", "name": "Winter assortment" }));
    assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
    let activity = activity(&workspace);
    assert_eq!(activity["status"], "planned");
    assert!(!description(&workspace).contains("by mistake"), "{activity:#}");
}

/// Domain 8 [C] and 7: the rep changes, the task moves; subject and status stay.
#[test]
fn a_change_of_the_rep_moves_the_task() {
    let workspace = imported();
    let before = activity(&workspace);
    change(&workspace, &json!({ "employee": "D" }));
    assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
    assert_eq!(activity(&workspace), but(&before, "employee", "D"));
    let tasks = crate::support::number(&workspace, "SELECT count(*) FROM task");
    assert_eq!(tasks, 1, "the task moved, it was not doubled");
}

/// Domain 4 and 7: a customer whose address changes in the headquarters is described anew by Anytime.
#[test]
fn a_changed_address_of_the_customer_reaches_planned_activities_with_anytime() {
    let workspace = imported();
    let _ = workspace.run(&["partners", "set", "C00001", "--street", "Krótka 9"]).exits(0);
    assert_ledger(&import(&workspace, &["--changed-since", "anytime"]), &[("updated", 1)]);
    assert!(description(&workspace).contains("Krótka 9"));
    assert_ledger(&import(&workspace, &["--changed-since", "anytime"]), &[("unchanged", 1)]);
}
