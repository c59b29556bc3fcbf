//! Batch applications (domain 4): parameters, order, messages, protocol, states and exit codes.

use apptsync_tests::{NOW, Workspace, appointment, customer, messages, with};
use serde_json::{Value, json};

use crate::support::{assert_ledger, batch, contents, import, number, texts};

fn lead_message(channel: &str, count: u64) -> String {
    format!(
        "Sales Channel {channel} – {count} element(s) of Activities was skipped because connected partner does not exist in CEE system."
    )
}

/// Domain 4: the sales channel is mandatory, exactly one, and must be there.
#[test]
fn the_sales_channel_is_mandatory_exactly_one_and_known() {
    let workspace = Workspace::new();
    for application in ["import-activities", "import-customers", "import-data"] {
        let ran = workspace.run(&["run", application, "--user", "A"]).exits(2);
        assert!(ran.stderr.contains("--channel"), "{ran:?}");
        let ran = workspace.run(&["run", application, "--user", "A", "--channel", "B2B", "--channel", "B2C"]).exits(2);
        assert!(ran.stderr.contains("--channel"), "{ran:?}");
        let ran = workspace.run(&["run", application, "--user", "A", "--channel", "XYZ"]).exits(2);
        assert!(ran.stderr.contains("XYZ") && ran.stderr.contains("channels list"), "{ran:?}");
    }
    assert_eq!(number(&workspace, "SELECT count(*) FROM job"), 0);
}

/// Domain 4 and 5: a running user that is not there.
#[test]
fn an_unknown_running_user_is_wrong_usage() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let ran = batch(&workspace, "import-activities", &["--user", "Z"]).exits(2);
    assert!(ran.stderr.contains("`Z`"), "{ran:?}");
    assert_eq!(workspace.activities(), Vec::<Value>::new());
}

/// Domain 4: Changed since = Last transfer, the default: not imported by earlier runs, or changed since.
#[test]
fn last_transfer_takes_what_was_not_imported_or_changed_since() {
    let workspace = Workspace::new();
    for id in ["imported", "changed", "unconfirmed"] {
        workspace.feed(&appointment(id));
    }
    workspace.feed(&with(appointment("unconfirmed"), &json!({ "status": "unconfirmed" })));
    workspace.feed(&with(appointment("missing"), &json!({ "customer": "L1" })));
    assert_ledger(&import(&workspace, &[]), &[("created", 2), ("not-confirmed", 1), ("customer-missing", 1)]);

    workspace.feed(&with(appointment("changed"), &json!({ "name": "Winter assortment" })));
    workspace.feed(&appointment("unconfirmed"));
    workspace.load("[[partner]]\nid = \"L1\"\nname = \"Lead\"\n[[channel_partner]]\nchannel = \"B2B\"\npartner = \"L1\"\nexternal_id = \"L1\"\n");
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    // The one that is imported and unchanged is not even read.
    assert_ledger(&report, &[("created", 2), ("updated", 1)]);
}

/// Domain 4: a bare time watermark would be wrong: what was skipped stays eligible, however old it is.
#[test]
fn what_was_skipped_stays_eligible_although_newer_appointments_were_imported() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("old"), &json!({ "customer": "L1", "changed_at": "2020-01-01T00:00:00Z" })));
    workspace.feed(&with(appointment("new"), &json!({ "changed_at": "2026-11-23T07:59:59Z" })));
    assert_ledger(&import(&workspace, &[]), &[("created", 1), ("customer-missing", 1)]);
    workspace.feed_customer(&customer("L1"));
    let _ = batch(&workspace, "import-customers", &[]).exits(0);
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    assert!(workspace.activity("old").is_some());
}

/// Domain 4: Changed since = Anytime: all.
#[test]
fn anytime_looks_at_everything_that_the_feed_has() {
    let workspace = Workspace::new();
    for id in ["a-1", "a-2", "a-3"] {
        workspace.feed(&appointment(id));
    }
    let _ = import(&workspace, &[]);
    assert_ledger(&import(&workspace, &["--changed-since", "last-transfer"]), &[]);
    assert_ledger(&import(&workspace, &["--changed-since", "anytime"]), &[("unchanged", 3)]);
}

/// Domain 4: Manual with a Timestamp, for activities too.
#[test]
fn manual_takes_what_changed_at_or_after_the_timestamp() {
    let workspace = Workspace::new();
    for (id, changed_at) in
        [("before", "2026-11-20T09:59:59Z"), ("at", "2026-11-20T11:00:00+01:00"), ("after", "2026-11-21T10:00:00Z")]
    {
        workspace.feed(&with(appointment(id), &json!({ "changed_at": changed_at })));
    }
    let manual = ["--changed-since", "manual", "--timestamp", "2026-11-20T10:00:00Z"];
    assert_ledger(&import(&workspace, &manual), &[("created", 2)]);
    assert_ledger(&import(&workspace, &manual), &[("unchanged", 2)]);
    assert_eq!(workspace.activity("before"), None);
    // It says nothing about where Last transfer goes on.
    assert_ledger(&import(&workspace, &[]), &[("created", 1), ("unchanged", 2)]);
}

/// Domain 4: Manual is documented for Import customers.
#[test]
fn import_customers_takes_manual_with_a_timestamp() {
    let workspace = Workspace::new();
    workspace.feed_customer(&with(customer("L1"), &json!({ "changed_at": "2026-11-19T10:00:00Z" })));
    workspace.feed_customer(&with(customer("L2"), &json!({ "changed_at": "2026-11-20T10:00:00Z" })));
    let manual = ["--changed-since", "manual", "--timestamp", "2026-11-20T00:00:00Z"];
    assert_ledger(&batch(&workspace, "import-customers", &manual).exits(0).json(), &[("created", 1)]);
    let _ = workspace.run(&["partners", "show", "L2"]).exits(0);
    let _ = workspace.run(&["partners", "show", "L1"]).exits(2);
}

/// Domain 4: the parameters belong together.
#[test]
fn manual_needs_a_timestamp_and_a_timestamp_needs_manual() {
    let workspace = Workspace::new();
    let ran = batch(&workspace, "import-activities", &["--changed-since", "manual"]).exits(2);
    assert!(ran.stderr.contains("--timestamp"), "{ran:?}");
    for more in [
        &["--timestamp", NOW][..],
        &["--timestamp", NOW, "--changed-since", "anytime"],
        &["--timestamp", "yesterday", "--changed-since", "manual"],
        &["--changed-since", "whenever"],
    ] {
        let _ = batch(&workspace, "import-activities", more).exits(2);
    }
    assert_eq!(number(&workspace, "SELECT count(*) FROM job"), 0);
}

/// Domain 4: the message for missing customers: its exact words, once a channel and run, with the number; none when it is 0.
#[test]
fn the_message_for_missing_customers_stands_once_with_its_number_and_not_at_all_for_none() {
    let workspace = Workspace::new();
    workspace.load("[[channel]]\nid = \"C-3\"\norganization = \"O1\"\n");
    for index in 0..1_500 {
        workspace.feed(&with(appointment(&format!("m-{index}")), &json!({ "customer": format!("L{}", index % 7) })));
    }
    workspace.feed(&with(appointment("other"), &json!({ "channel": "C-3" })));
    workspace.feed(&appointment("good"));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 1), ("customer-missing", 1_500)]);
    assert_eq!(report["state"], "completed-with-warnings");
    assert_eq!(messages(&report, "warning"), [lead_message("B2B", 1_500)]);
    let other = ["run", "import-activities", "--channel", "C-3", "--user", "A", "--output", "json"];
    assert_eq!(messages(&workspace.run(&other).exits(3).json(), "warning"), [lead_message("C-3", 1)]);
    // It is said again as long as it holds.
    let report = batch(&workspace, "import-data", &[]).exits(3).json();
    assert_eq!(messages(&report, "warning"), [lead_message("B2B", 1_500)]);
    for index in 0..7 {
        workspace.feed_customer(&customer(&format!("L{index}")));
    }
    let report = batch(&workspace, "import-data", &[]).exits(0).json();
    assert_eq!(messages(&report, "warning"), Vec::<String>::new());
    assert!(!texts(&report).iter().any(|text| text.contains("element(s)")), "{report:#}");
}

/// Domain 4: BUS Import data runs customers, sales orders, attachments, activities; the two in the middle are named as not
/// part of this system.
#[test]
fn bus_import_data_runs_customers_before_activities_and_names_what_it_leaves_out() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "customer": "L1" })));
    workspace.feed_customer(&customer("L1"));
    let report = batch(&workspace, "import-data", &[]).exits(0).json();
    let parts: Vec<_> = report["parts"].as_array().expect("parts").iter().map(|part| &part["application"]).collect();
    assert_eq!(parts, ["import-customers", "import-activities"]);
    for part in report["parts"].as_array().expect("parts") {
        assert_eq!(part["ledger"], crate::support::ledger(&[("created", 1)]), "{part}");
    }
    let infos = messages(&report, "info");
    let says_so = |text: &&String| {
        text.contains("sales orders")
            && text.contains("BUS Import attachments")
            && text.contains("not part of this system")
    };
    assert_eq!(infos.iter().filter(says_so).count(), 1, "{infos:?}");
    for application in ["import-customers", "import-activities"] {
        assert_eq!(texts(&batch(&workspace, application, &[]).exits(0).json()), Vec::<String>::new());
    }
}

/// Domain 4: not fatal: the rest of the run goes on, and customers are imported although the definition is inactive.
#[test]
fn bus_import_data_keeps_the_customers_when_activities_cannot_be_imported() {
    let workspace = Workspace::new();
    let _ = workspace.run(&["definitions", "deactivate"]).exits(0);
    workspace.feed_customer(&customer("L1"));
    workspace.feed(&appointment("a-1"));
    let report = batch(&workspace, "import-data", &[]).exits(1).json();
    assert_ledger(&report, &[("created", 1)]);
    let _ = workspace.run(&["partners", "show", "L1"]).exits(0);
    assert_eq!(workspace.activities(), Vec::<Value>::new());
}

/// Domain 4: Import customers makes partners and connects them with the channel; changes follow; the same again is no write.
#[test]
fn import_customers_makes_and_updates_partners() {
    let workspace = Workspace::new();
    workspace.feed_customer(&customer("L1"));
    workspace.feed_customer(&with(customer("C00001"), &json!({ "name": "Delikatesy Krakus II", "city": "Tarnów" })));
    let report = batch(&workspace, "import-customers", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1), ("updated", 1)]);
    let partner = workspace.json(&["partners", "show", "L1"]);
    assert_eq!((&partner["name"], &partner["city"]), (&json!("Customer L1"), &json!("Poznań")));
    let connected = workspace.json(&["channel-partners", "show", "B2B", "L1"]);
    assert_eq!(connected["partner"], "L1");
    assert_eq!(workspace.json(&["partners", "show", "C00001"])["city"], "Tarnów");
    let before = contents(&workspace);
    assert_ledger(&batch(&workspace, "import-customers", &[]).exits(0).json(), &[]);
    let anytime = ["--changed-since", "anytime"];
    assert_ledger(&batch(&workspace, "import-customers", &anytime).exits(0).json(), &[("unchanged", 2)]);
    assert_eq!(contents(&workspace), before);
    workspace.feed_customer(&with(customer("L1"), &json!({ "name": "Customer L1 renamed" })));
    assert_ledger(&batch(&workspace, "import-customers", &[]).exits(0).json(), &[("updated", 1)]);
    assert_eq!(workspace.json(&["partners", "show", "L1"])["name"], "Customer L1 renamed");
}

/// Domain 4: Deactivate deleted customer accounts.
#[test]
fn deleted_customers_are_deactivated_only_when_asked() {
    let workspace = Workspace::new();
    let deleted = json!({ "deleted": true });
    workspace.feed_customer(&with(customer("C00001"), &deleted));
    workspace.feed_customer(&with(customer("never-there"), &deleted));
    let report = batch(&workspace, "import-customers", &[]).exits(0).json();
    assert_ledger(&report, &[("deleted", 2)]);
    assert_eq!(workspace.json(&["partners", "show", "C00001"])["deletion_mark"], false);
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);

    let report = batch(&workspace, "import-customers", &["--deactivate-deleted"]).exits(0).json();
    assert_ledger(&report, &[("updated", 1), ("deleted", 1)]);
    assert_eq!(workspace.json(&["partners", "show", "C00001"])["deletion_mark"], true);
    let _ = workspace.run(&["partners", "show", "never-there"]).exits(2);
    workspace.feed(&appointment("a-2"));
    assert_ledger(&import(&workspace, &[]), &[("customer-missing", 1)]);
    let ran = batch(&workspace, "import-activities", &["--deactivate-deleted"]).exits(2);
    assert!(ran.stderr.contains("--deactivate-deleted"), "it belongs to Import customers: {ran:?}");
}

/// Domain 4: a customer that Mobile has again is an account again.
#[test]
fn a_customer_that_comes_back_is_taken_over() {
    let workspace = Workspace::new();
    workspace.feed_customer(&customer("L1"));
    let _ = batch(&workspace, "import-customers", &[]).exits(0);
    workspace.feed_customer(&with(customer("L1"), &json!({ "deleted": true })));
    let report = batch(&workspace, "import-data", &["--deactivate-deleted"]).exits(0).json();
    assert_ledger(&report, &[("updated", 1)]);
    workspace.feed_customer(&with(customer("L1"), &json!({ "name": "Customer L1 again" })));
    assert_ledger(&batch(&workspace, "import-customers", &[]).exits(0).json(), &[("updated", 1)]);
    assert_eq!(workspace.json(&["partners", "show", "L1"])["name"], "Customer L1 again");
}

/// Domain 4: batch settings: the job's name and the running user, also from the configuration.
#[test]
fn jobs_have_a_name_and_a_running_user() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "C" })));
    let _ = batch(&workspace, "import-activities", &["--user", "B", "--name", "Morning import"]).exits(0);
    workspace.configure("");
    let file = workspace.path("apptsync.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    std::fs::write(&file, format!("{text}\n[batch]\nuser = \"A\"\n")).expect("written");
    let run = ["run", "import-activities", "--channel", "B2B", "--output", "json"];
    assert_ledger(&workspace.run(&run).exits(0).json(), &[("created", 1)]);
    let jobs = workspace.json(&["jobs", "list"]);
    let of = |index: usize| {
        let job = &jobs[index];
        (job["job"].as_i64(), job["name"].as_str(), job["user"].as_str(), job["application"].as_str())
    };
    assert_eq!(of(0), (Some(2), Some("BUS: Import activities"), Some("A"), Some("import-activities")), "newest first");
    assert_eq!(of(1), (Some(1), Some("Morning import"), Some("B"), Some("import-activities")));
}

/// Domain 4: a run without a user covers everybody, and says so.
#[test]
fn a_run_without_a_user_covers_everybody_and_says_so() {
    let workspace = Workspace::new();
    for employee in ["A", "B", "C"] {
        workspace.feed(&with(appointment(employee), &json!({ "employee": employee })));
    }
    let run = ["run", "import-activities", "--channel", "B2B", "--output", "json"];
    let report = workspace.run(&run).exits(0).json();
    assert_ledger(&report, &[("created", 3)]);
    assert!(messages(&report, "info").iter().any(|text| text.contains("no running user")), "{report:#}");
}

/// Domain 4: Batch jobs with protocol (severity, text, counts), and the stages of the run.
#[test]
fn batch_jobs_are_kept_with_protocol_ledger_and_stages() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    workspace.feed(&with(appointment("a-2"), &json!({ "customer": "L1" })));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_eq!(report["job"], 1);
    let shown = workspace.json(&["jobs", "show", "1"]);
    for field in ["job", "state", "ledger", "messages", "stages"] {
        assert_eq!(shown[field], report[field], "{field}");
    }
    for (field, value) in [("channel", "B2B"), ("user", "A"), ("changed_since", "last-transfer"), ("as_of", NOW)] {
        assert_eq!(shown[field], value);
    }
    let stages = report["stages"].as_array().expect("stages");
    let names: Vec<_> = stages.iter().map(|stage| (stage["stage"].as_str(), stage["plugin"].as_str())).collect();
    assert_eq!(
        names,
        [
            (Some("source"), Some("ibus-feed")),
            (Some("status"), Some("status-mapping")),
            (Some("definition"), Some("appointment-synchronize"))
        ]
    );
    for stage in stages {
        assert_eq!(stage["digest"].as_str().map(str::len), Some(64), "{stage}");
        for counted in ["calls", "microseconds", "memory_peak"] {
            assert!(stage[counted].as_u64().is_some_and(|count| count > 0), "{counted}: {stage}");
        }
    }
    let records: Vec<_> = stages.iter().map(|stage| stage["records"].as_u64()).collect();
    assert_eq!(records, [Some(2), Some(1), Some(1)]);
    let table = workspace.run(&["jobs", "show", "1"]).exits(0).stdout;
    for part in ["Completed with warnings", "Warning", &lead_message("B2B", 1), "status-mapping", "ibus-feed"] {
        assert!(table.contains(part), "{part} is missing: {table}");
    }
    let ran = workspace.run(&["jobs", "show", "99"]).exits(2);
    assert!(ran.stderr.contains("99"), "{ran:?}");
}

/// Domain 4: `jobs list` shows the latest first, as many as asked.
#[test]
fn jobs_are_listed_newest_first() {
    let workspace = Workspace::new();
    for _ in 0..3 {
        let _ = batch(&workspace, "import-activities", &[]).exits(0);
    }
    let numbers = |more: &[&str]| {
        let mut arguments = vec!["jobs", "list"];
        arguments.extend(more);
        let jobs = workspace.json(&arguments);
        jobs.as_array().expect("an array").iter().filter_map(|job| job["job"].as_i64()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&[]), [3, 2, 1]);
    assert_eq!(numbers(&["--limit", "2"]), [3, 2]);
    let table = workspace.run(&["jobs", "list"]).exits(0).stdout;
    assert!(table.contains("BUS: Import activities") && table.contains("Completed"), "{table}");
}

/// Domain 4: states and exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done with warnings.
#[test]
fn states_and_exit_codes_tell_how_a_run_ended() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    assert_eq!(batch(&workspace, "import-activities", &[]).exits(0).json()["state"], "completed");
    workspace.feed_text("appointments.jsonl", "no record\n");
    assert_eq!(batch(&workspace, "import-activities", &[]).exits(3).json()["state"], "completed-with-warnings");
    let _ = workspace.run(&["definitions", "deactivate"]).exits(0);
    assert_eq!(batch(&workspace, "import-activities", &[]).exits(1).json()["state"], "failed");
    let _ = batch(&workspace, "import-activities", &["--channel", "no"]).exits(2);
    workspace.configure("soucre = { plugin = \"ibus-feed\" }");
    let _ = batch(&workspace, "import-activities", &[]).exits(2);
}

/// Domain 4: `--as-of` is the instant that a run takes as now, and is kept with the job.
#[test]
fn as_of_is_the_now_of_a_run() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let report = import(&workspace, &["--as-of", "2026-12-01T10:00:00+01:00"]);
    assert_ledger(&report, &[("not-future", 1)]);
    assert_eq!(workspace.json(&["jobs", "show", "1"])["as_of"], "2026-12-01T09:00:00Z");
    // A rehearsal of an earlier time is a run like any other.
    assert_ledger(&import(&workspace, &["--as-of", "2026-12-01T08:59:59Z"]), &[("created", 1)]);
    let _ = batch(&workspace, "import-activities", &["--as-of", "noon"]).exits(2);
}

/// Domain 4: the protocol for people has the same as the JSON, and no progress bar in a pipe.
#[test]
fn the_protocol_for_people_has_state_messages_and_ledger_and_nothing_that_moves() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    workspace.feed(&with(appointment("a-2"), &json!({ "customer": "L1" })));
    let ran = workspace.run(&["run", "import-activities", "--channel", "B2B", "--user", "A"]).exits(3);
    for part in ["Completed with warnings", &lead_message("B2B", 1), "skipped: customer-missing", "definition"] {
        assert!(ran.stdout.contains(part), "{part} is missing: {}", ran.stdout);
    }
    for stream in [&ran.stdout, &ran.stderr] {
        assert!(!stream.contains(['\u{1b}', '\r']), "{stream:?}");
    }
}

/// Section 4, *Deactivate deleted customer accounts*: what a run marked for deletion comes back with the customer.
#[test]
fn a_customer_that_comes_back_loses_the_deletion_mark_of_an_earlier_run() {
    let workspace = Workspace::new();
    let imported = |fields: &Value| {
        workspace.feed_customer(&with(customer("L1"), fields));
        let _ = batch(&workspace, "import-customers", &["--deactivate-deleted"]).exits(0);
        workspace.json(&["partners", "show", "L1"])["deletion_mark"].clone()
    };
    assert_eq!(imported(&json!({})), false);
    assert_eq!(imported(&json!({ "deleted": true })), true);
    assert_eq!(imported(&json!({ "deleted": false, "changed_at": "2026-11-23T07:30:00Z" })), false);
}
