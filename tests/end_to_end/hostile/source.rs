//! A hostile source: what it says is checked like what any stage says, and what was stored before it failed stays.

use apptsync_tests::{Workspace, messages};
use serde_json::{Value, json};

use super::stage_of;
use crate::guests::{self, GUEST, stage};
use crate::support::{assert_ledger, batch, number};

/// Imports from the guest: so many records in pages of two; the behaviour shows in the second page.
#[track_caller]
fn import(workspace: &Workspace, behaviour: &str, records: u32, exit: i32) -> Value {
    import_with(workspace, behaviour, records, exit, &[])
}

#[track_caller]
fn import_with(workspace: &Workspace, behaviour: &str, records: u32, exit: i32, more: &[&str]) -> Value {
    let records = records.to_string();
    let config = [("records", &*records), ("page", "2"), ("turn", "1")];
    guests::configure(workspace, "source", &stage(behaviour, &config, ", read = []"));
    batch(workspace, "import-activities", more).exits(exit).json()
}

/// The errors of a report.
fn errors(report: &Value) -> Vec<String> {
    messages(report, "error")
}

/// Each round, the first page is stored and the second fails; the next run goes on with the third record.
#[test]
fn a_source_that_fails_keeps_what_was_stored_and_goes_on_there() {
    let workspace = guests::workspace();
    let own = |what: &str| format!("plugin `{GUEST}` (stage source) {what}");
    let unreachable = "trapped in `next`: wasm trap: wasm `unreachable` instruction executed";
    let mut records = 0;
    for (behaviour, error) in [
        ("panic", own(&format!("{unreachable}; its last words: this record is bad"))),
        ("abort", own(unreachable)),
        ("exit-0", own("trapped in `next`: Exited with i32 exit status 0")),
        ("loop", own("ran longer than its deadline of 200ms in `next`")),
        (
            "memory-huge",
            own(
                "wanted more than its 8 MiB of memory in `next`; its last words: memory allocation of 1073741824 bytes failed",
            ),
        ),
        ("more-than-asked", own("broke the contract in `next`: 1025 items came back, 1024 were asked for")),
        ("long-cursor", own("broke the contract in `next`: the cursor has 65537 bytes, at most 65536 are allowed")),
        ("throttled", "the source wants a pause of 30 s: run again later".into()),
        ("auth", "the source refuses the credential: the  [31mpassword expired ".into()),
        ("conflict", "the source was changed while it was read: run again".into()),
        ("transient", "the source cannot be read now: the server is asleep".into()),
        ("permanent", "the source cannot be read: there is no such server".into()),
    ] {
        records += 6;
        let report = import(&workspace, behaviour, records, 1);
        assert_eq!(report["state"], "failed", "{report:#}");
        assert_eq!(errors(&report), [error], "{behaviour}");
        assert_ledger(&report, &[("created", 2)]);
        let report = import(&workspace, "", records, 0);
        assert_ledger(&report, &[("created", 4)]);
        assert_eq!(number(&workspace, "SELECT count(*) FROM activity"), i64::from(records));
    }
}

#[test]
fn a_source_that_no_longer_knows_its_cursor_says_what_to_run() {
    let workspace = guests::workspace();
    let report = import(&workspace, "gone", 6, 1);
    let error = "the source no longer knows where the last import ended: run with --changed-since anytime";
    assert_eq!(errors(&report), [error]);
    let report = import_with(&workspace, "", 6, 0, &["--changed-since", "anytime"]);
    assert_ledger(&report, &[("created", 4), ("unchanged", 2)]);
}

#[test]
fn a_source_that_fails_when_it_is_opened_imports_nothing() {
    let workspace = guests::workspace();
    for (behaviour, error) in [
        ("open-panic", "trapped in `open`: wasm trap: wasm `unreachable` instruction executed"),
        ("open-exit-0", "trapped in `open`: Exited with i32 exit status 0"),
        ("open-loop", "ran longer than its deadline of 200ms in `open`"),
        ("open-throttled", "the source wants a pause of 30 s: run again later"),
    ] {
        let report = import(&workspace, behaviour, 6, 1);
        let found = errors(&report);
        assert!(found.len() == 1 && found[0].contains(error), "{found:?}");
        assert_ledger(&report, &[]);
        assert_eq!(number(&workspace, "SELECT count(*) FROM activity"), 0);
    }
    assert_ledger(&import(&workspace, "", 6, 0), &[("created", 6)]);
}

#[test]
fn an_item_that_breaks_the_contract_is_put_aside_and_the_others_arrive() {
    let workspace = guests::workspace();
    let long = "i".repeat(125);
    let long_shown = "i".repeat(77);
    let mut records = 0;
    for (behaviour, expected) in [
        (
            "foreign-channel",
            "record `s-9000`: the channel `XYZ [31m` is no identifier: 1 to 128 bytes without control characters"
                .into(),
        ),
        ("other-channel", "record `s-9000`: it belongs to the sales channel `XYZ`, not `B2B`".into()),
        ("no-id", "record ``: the id `` is no identifier: 1 to 128 bytes without control characters".into()),
        (
            "long-id",
            format!(
                "record `{long}…`: the id `{long_shown}…` is no identifier: 1 to 128 bytes without control characters"
            ),
        ),
        (
            "control-id",
            "record `i  [31m`: the id `i  [31m` is no identifier: 1 to 128 bytes without control characters".into(),
        ),
        (
            "backwards",
            "record `s-9000`: the end 2026-12-01T09:00:00Z does not lie after the start 2026-12-01T09:00:00Z".into(),
        ),
        ("customer", "record `C9`: the source gave it although appointments were asked for".to_owned()),
    ] {
        records += 6;
        let report = import(&workspace, behaviour, records, 3);
        assert_ledger(&report, &[("created", 6), ("quarantined", 1)]);
        assert_eq!(messages(&report, "warning"), [format!("{expected}; it is quarantined")], "{behaviour}");
        let source = stage_of(&report, "source");
        assert_eq!((&source["records"], &source["passed"], &source["refused"]), (&json!(7), &json!(6), &json!(1)));
    }
}

#[test]
fn what_a_source_says_of_a_broken_line_is_cut_and_cleaned() {
    let workspace = guests::workspace();
    let report = import(&workspace, "broken", 6, 3);
    assert_ledger(&report, &[("created", 6), ("quarantined", 1)]);
    let warnings = messages(&report, "warning");
    let [warning] = &*warnings else { panic!("one warning: {warnings:?}") };
    assert!(warning.starts_with("feed [31m:1ppp"), "{warning}");
    assert!(warning.ends_with("p…: error: the  host  is broken; it is quarantined"), "{warning}");
    assert!(warning.len() < 1_200 && !warning.contains(char::is_control), "{} bytes", warning.len());
}

#[test]
fn of_the_notices_of_a_page_64_arrive_cut_and_cleaned() {
    let workspace = guests::workspace();
    let report = import(&workspace, "notices", 6, 0);
    let notices: Vec<_> = messages(&report, "info").into_iter().filter(|text| text.contains("a notice")).collect();
    assert_eq!(notices.len(), 64);
    assert!(notices.iter().all(|text| text.len() <= 1_024 && !text.contains(char::is_control)), "{}", notices[0]);
}

/// Over the pages of a pass, the later version counts; nothing is there twice, and the plugin is named.
#[test]
fn an_id_that_comes_again_in_a_later_page_is_said_and_changes_the_same_activity() {
    let workspace = guests::workspace();
    let report = import(&workspace, "again", 6, 3);
    assert_ledger(&report, &[("created", 6), ("updated", 1)]);
    let warning = format!(
        "plugin `{GUEST}` (stage source) broke the contract: 1 record(s) came again on a later page of one pass, such as record `s-0`; the last version counts"
    );
    assert_eq!(messages(&report, "warning"), [warning]);
    assert_eq!(number(&workspace, "SELECT count(*) FROM activity"), 6);
    assert_eq!(workspace.activity("s-0").expect("an activity")["subject"], "SA/9000 The later version");
    // In the next run, an id that came in an earlier one is just a newer version.
    let report = import(&workspace, "again", 10, 0);
    assert_ledger(&report, &[("created", 4), ("unchanged", 1)]);
}

#[test]
fn an_id_that_comes_twice_in_a_page_is_said_and_the_later_counts() {
    let workspace = guests::workspace();
    guests::configure(&workspace, "source", &stage("again", &[], ", read = []"));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 4), ("quarantined", 1)]);
    let warning = "record `s-0`: the source gave it more than once in a page; the last one counts; it is quarantined";
    assert_eq!(messages(&report, "warning"), [warning]);
    assert_eq!(workspace.activity("s-0").expect("an activity")["subject"], "SA/9000 The later version");
}

/// Identifiers are text: paths, SQL, device names, formulas and look-alikes are neither obeyed nor mixed up.
#[test]
fn ids_that_mean_something_elsewhere_are_just_ids() {
    let workspace = guests::workspace();
    let report = import(&workspace, "hostile-ids", 6, 0);
    assert_ledger(&report, &[("created", 12)]);
    for id in ["../../etc/passwd", "'; drop table activity; --", "CON", "=1+1", "а-1", "a\u{300}"] {
        let explained = workspace.json(&["explain", id]);
        let [explained] = &**explained.as_array().expect("an array") else { panic!("one: {explained:#}") };
        assert_eq!((&explained["source_id"], &explained["outcome"]), (&json!(id), &json!("created")), "{explained:#}");
    }
    let _ = workspace.run(&["activities", "export", "all.csv"]).exits(0);
    assert_ledger(&import(&workspace, "hostile-ids", 6, 0), &[]);
}

/// Pages without items that promise more come to an end, by their number or with the time of the run.
#[test]
fn a_source_that_promises_more_for_ever_is_stopped() {
    let workspace = guests::workspace();
    for (limits, error) in [
        (
            "deadline = '1m'",
            format!(
                "the source cannot be read: plugin `{GUEST}` gave 10000 empty pages one after the other and never said that it is done"
            ),
        ),
        ("run = '1ms'", format!("plugin `{GUEST}` (stage source) used up its time for the whole run, 1ms")),
    ] {
        let limits = format!(", read = [], limits = {{ {limits} }}");
        guests::configure(&workspace, "source", &stage("empty-for-ever", &[], &limits));
        let report = batch(&workspace, "import-activities", &[]).exits(1).json();
        assert_eq!(errors(&report), [error]);
        assert_ledger(&report, &[]);
    }
}

/// One instance serves all pages of a pass: what it logs is counted once, not again with every page.
#[test]
fn the_log_lines_of_a_source_are_counted_by_call() {
    let workspace = guests::workspace();
    let report = import(&workspace, "log-each-page", 20, 0);
    assert_ledger(&report, &[("created", 20)]);
    assert_eq!(stage_of(&report, "source")["log_lines"], 10);
}
