//! What becomes of a run when a plugin fails again and again, or may not fail at all.

use apptsync_tests::{Workspace, messages};
use serde_json::Value;

use crate::guests::{self, GUEST, STAGES, named, stage};
use crate::support::{assert_ledger, batch, contents, number};

const UNREACHABLE: &str = "wasm trap: wasm `unreachable` instruction executed";

/// A workspace with so many records; those for which `is_bad` says so are bad.
fn workspace(records: usize, is_bad: impl Fn(usize) -> bool) -> Workspace {
    let workspace = guests::workspace();
    let lines: String = (0..records)
        .map(|number| named(&format!("a-{number}"), if is_bad(number) { "BAD" } else { "GOOD" }).to_string() + "\n")
        .collect();
    workspace.feed_text("appointments.jsonl", &lines);
    workspace
}

/// The one error of a run that failed.
#[track_caller]
fn failure(workspace: &Workspace) -> (String, Value) {
    let report = batch(workspace, "import-activities", &[]).exits(1).json();
    assert_eq!(report["state"], "failed", "{report:#}");
    let errors = messages(&report, "error");
    let [error] = &*errors else { panic!("one error: {report:#}") };
    (error.clone(), report)
}

#[test]
fn on_failure_stop_ends_the_run_at_the_first_failure_and_writes_nothing_of_the_page() {
    for (key, name, function) in STAGES {
        let workspace = workspace(4, |number| number == 2);
        let before = contents(&workspace);
        guests::configure(&workspace, key, &stage("panic", &[], ", on-failure = 'stop'"));
        let (error, report) = failure(&workspace);
        assert_eq!(
            error,
            format!(
                "plugin `{GUEST}` (stage {name}) trapped in `{function}`: {UNREACHABLE}; its last words: this record is bad; the stage is configured with on-failure = \"stop\""
            )
        );
        assert_ledger(&report, &[]);
        assert_unchanged_but_for_stage_set(&workspace, before);
        workspace.configure("");
        assert_ledger(&batch(&workspace, "import-activities", &[]).exits(0).json(), &[("created", 4)]);
    }
}

/// Record errors are answers: a stage that stops on failure does not stop for them.
#[test]
fn on_failure_stop_is_about_failed_calls_not_about_record_errors() {
    let workspace = workspace(4, |number| number == 2);
    guests::configure(&workspace, "status", &stage("record-error", &[], ", on-failure = 'stop'"));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 3), ("quarantined", 1)]);
}

/// Pages are whole: what was stored before the page that stopped the run stays, and the next run goes on behind it.
#[test]
fn what_was_stored_before_a_run_was_stopped_stays() {
    let workspace = workspace(1_100, |number| number == 1_050);
    let plenty = ", limits = { deadline = '1m' }";
    guests::configure(&workspace, "definition", &stage("panic", &[], &format!("{plenty}, on-failure = 'stop'")));
    let (_, report) = failure(&workspace);
    assert_ledger(&report, &[("created", 1_024)]);
    assert_eq!(number(&workspace, "SELECT count(*) FROM activity"), 1_024);
    guests::configure(&workspace, "definition", &stage("panic", &[], plenty));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 75), ("quarantined", 1)]);
}

#[test]
fn a_plugin_that_fails_on_everything_stops_the_run_with_one_error_and_writes_nothing() {
    for (key, name, function) in STAGES {
        let workspace = workspace(20, |_| false);
        let before = contents(&workspace);
        guests::configure(&workspace, key, &stage("always-panic", &[], ""));
        let (error, report) = failure(&workspace);
        assert_eq!(
            error,
            format!(
                "plugin `{GUEST}` (stage {name}) trapped in `{function}`: {UNREACHABLE}; its last words: nothing suits this plugin; it failed on 8 records one after the other, so the run was stopped: repair or replace the plugin"
            )
        );
        assert_ledger(&report, &[]);
        assert_unchanged_but_for_stage_set(&workspace, before);
        workspace.configure("");
        assert_ledger(&batch(&workspace, "import-activities", &[]).exits(0).json(), &[("created", 20)]);
    }
}

/// A run of one record cannot tell a bad plugin from a bad record.
#[test]
fn a_plugin_that_fails_on_the_only_record_puts_it_aside() {
    let workspace = workspace(1, |_| false);
    guests::configure(&workspace, "status", &stage("always-panic", &[], ""));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("quarantined", 1)]);
}

#[test]
fn a_plugin_that_fails_on_everything_but_one_record_imports_that_one() {
    let workspace = workspace(8, |number| number != 5);
    guests::configure(&workspace, "extensions", &stage("spare-good", &[], ""));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 1), ("quarantined", 7)]);
    assert!(workspace.activity("a-5").is_some());
    assert_eq!(messages(&report, "warning").len(), 7, "{report:#}");
}

/// Even a plugin that answered before is given up when it fails on 64 records one after the other.
#[test]
fn a_plugin_that_no_longer_answers_stops_the_run() {
    let workspace = workspace(80, |number| number != 0);
    guests::configure(&workspace, "extensions", &stage("spare-good", &[], ""));
    let (error, report) = failure(&workspace);
    assert!(error.contains("it failed on 64 records one after the other"), "{error}");
    assert_ledger(&report, &[]);
    assert_eq!(number(&workspace, "SELECT count(*) FROM activity"), 0);
}

/// Many bad records do not drown the protocol; the job lists them all.
#[test]
fn a_protocol_shows_the_first_bad_records_and_counts_the_others() {
    let workspace = workspace(60, |number| number % 2 == 0);
    guests::configure(&workspace, "status", &stage("record-error", &[], ""));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 30), ("quarantined", 30)]);
    let warnings = messages(&report, "warning");
    assert_eq!(warnings.len(), 21, "{warnings:?}");
    assert_eq!(warnings[20], "10 more lines about single records; `apptsync jobs show` lists what is quarantined");
    let job = workspace.json(&["jobs", "show", &report["job"].to_string()]);
    assert_eq!(job["quarantined_records"].as_array().map(Vec::len), Some(30));
}

/// Calls below the deadline still have an end: that of the whole run.
#[test]
fn a_plugin_that_uses_up_its_time_for_the_run_stops_it() {
    let workspace = workspace(4, |number| number == 2);
    let limits = ", limits = { memory = '8MiB', deadline = '1h', run = '200ms' }";
    guests::configure(&workspace, "status", &stage("loop", &[], limits));
    let (error, report) = failure(&workspace);
    assert_eq!(
        error,
        format!(
            "plugin `{GUEST}` (stage status) used up its time for the whole run, 200ms; the run was stopped: give it more with limits = {{ run = \"…\" }}, or make it faster"
        )
    );
    assert_ledger(&report, &[]);
}

/// `explain` asks the stages again: one that fails then fails for `explain` too, and the answer says so.
#[test]
fn explaining_a_culprit_asks_the_plugin_again_and_survives_it() {
    for (behaviour, answer) in [
        ("loop", "ran longer than its deadline of 200ms in `decide`"),
        ("exit-0", "trapped in `decide`: Exited with i32 exit status 0"),
        ("zero", "broke the contract in `decide`: 0 answers came back for 1 records"),
    ] {
        let workspace = workspace(2, |number| number == 1);
        guests::configure(&workspace, "status", &stage(behaviour, &[], ""));
        let _ = batch(&workspace, "import-activities", &[]).exits(3);
        let ran = workspace.run(&["explain", "a-1", "--output", "json"]).exits(0);
        let explained = &ran.json()[0];
        let answer = format!("plugin `{GUEST}` (stage status) {answer}");
        assert_eq!(explained["outcome"], "quarantined", "{explained:#}");
        assert_eq!(explained["rule"], *answer, "{explained:#}");
        assert_eq!(explained["stages_now"][0]["answer"], *answer, "{explained:#}");
    }
}

/// A record that is kept out again for another reason is explained by the new one.
#[test]
fn what_keeps_a_record_out_is_what_the_last_run_found() {
    let workspace = workspace(2, |number| number == 1);
    for (behaviour, reason) in [("abort", "trapped in `decide`"), ("zero", "broke the contract in `decide`")] {
        guests::configure(&workspace, "status", &stage(behaviour, &[], ""));
        let report = batch(&workspace, "import-activities", &[]).exits(3).json();
        assert!(messages(&report, "warning")[0].contains(reason), "{report:#}");
        let explained = workspace.json(&["explain", "a-1"]);
        let rule = explained[0]["rule"].as_str().expect("a rule");
        assert!(rule.contains(reason), "{behaviour}: {rule}");
    }
}

/// The stages in force are noted before the first page; nothing else may have been written.
#[track_caller]
fn assert_unchanged_but_for_stage_set(
    workspace: &Workspace,
    mut before: std::collections::BTreeMap<&str, Vec<Vec<rusqlite::types::Value>>>,
) {
    let mut after = contents(workspace);
    before.remove("stage_set");
    after.remove("stage_set");
    assert_eq!(after, before);
}
