//! Wrong answers: about others, too many, beyond the limits of the contract, or made to deceive.

use apptsync_tests::messages;
use serde_json::json;

use super::{Arena, stage_of};
use crate::guests::{self, GUEST, STAGES, stage};
use crate::support::{assert_ledger, batch};

#[test]
fn too_few_answers_cost_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("few", "broke the contract in `{}`: 0 answers came back for 1 records");
}

#[test]
fn no_answers_cost_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("zero", "broke the contract in `{}`: 0 answers came back for 1 records");
}

#[test]
fn too_many_answers_cost_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("many", "broke the contract in `{}`: 2 answers came back for 1 records");
}

#[test]
fn an_answer_about_a_record_that_was_not_asked_about_costs_one_record() {
    let arena = Arena::new();
    for (key, _, function) in STAGES {
        let reason = arena.culprit(key, "foreign-id", &[]);
        let asked = "is about `somebody [31m else's`, without being asked about it";
        assert!(
            reason.starts_with(&format!("broke the contract in `{function}`: the answer for record `r")),
            "{reason}"
        );
        assert!(reason.ends_with(asked), "{reason}");
    }
}

/// Alone, each record gets its own answer: nothing is lost, nothing is mistaken for another.
#[test]
fn answers_in_another_order_or_all_with_one_id_reach_their_own_records() {
    let arena = Arena::new();
    for behaviour in ["other-order", "same-id"] {
        for (key, name, _) in STAGES {
            let ids = arena.feed();
            guests::configure(&arena.workspace, key, &stage(behaviour, &[], ""));
            let report = arena.workspace.import();
            assert_ledger(&report, &[("created", 4)]);
            // The batch was broken, so it was asked about again in parts.
            assert!(stage_of(&report, name)["calls"].as_u64() > Some(1), "{report:#}");
            for (id, expected) in ids.iter().zip(["Good", "Also good", "BAD", "Good too"]) {
                let activity = arena.workspace.activity(id).expect("an activity");
                assert!(activity["subject"].as_str().expect("a subject").ends_with(expected), "{activity:#}");
            }
        }
    }
}

#[test]
fn what_an_extension_answers_beyond_the_limits_of_the_contract_costs_one_record() {
    let arena = Arena::new();
    let beyond = |reason: &str| format!("gives no usable answer: {reason} (limits)");
    for (behaviour, reason) in [
        ("long-name", "the name has 2000 bytes, at most 1024 are allowed"),
        ("long-reason", "the reason has 5000 bytes, at most 4096 are allowed"),
        ("attributes", "100 attributes, at most 64 are allowed"),
        ("attribute-name", "the name of an attribute has 65 bytes, at most 64 are allowed"),
        ("nameless-attribute", "an attribute has no name"),
        ("no-id", "the id `` is no identifier: 1 to 128 bytes without control characters"),
    ] {
        assert_eq!(arena.culprit("extensions", behaviour, &[]), beyond(reason), "{behaviour}");
    }
}

#[test]
fn periods_that_cannot_be_cost_one_record() {
    let arena = Arena::new();
    for (behaviour, reason) in [
        ("year-0", "start `0000-01-01` is no date such as 2026-12-01 between 1970 and 9999"),
        ("year-10000", "end `10000-01-01` is no date such as 2026-12-01 between 1970 and 9999"),
        ("no-date", "start `2026-02-30` is no date such as 2026-12-01 between 1970 and 9999"),
        ("end-before-start", "the end 2027-01-15T08:00:00Z does not lie after the start 2030-03-17T17:46:40Z"),
        ("before-1970", "start -1 is no instant between 0 and 253402300799"),
        ("after-9999", "end 9223372036854775807 is no instant between 0 and 253402300799"),
    ] {
        let expected = format!("gives no usable answer: {reason} (limits)");
        assert_eq!(arena.culprit("extensions", behaviour, &[]), expected, "{behaviour}");
    }
}

#[test]
fn what_the_other_stages_answer_beyond_the_limits_costs_one_record() {
    let arena = Arena::new();
    for (key, behaviour, reason) in [
        ("status", "long-rule", "the rule has 257 bytes, at most 256 are allowed"),
        ("status", "long-note", "the note has 4097 bytes, at most 4096 are allowed"),
        ("definition", "long-kind", "the kind has 1024 bytes, at most 128 are allowed"),
        ("definition", "long-subject", "the subject has 1025 bytes, at most 1024 are allowed"),
        ("definition", "long-description", "the description has 65537 bytes, at most 65536 are allowed"),
        ("definition", "backwards", "the end 2033-05-18T03:33:20Z does not lie after the start 2033-05-18T03:33:20Z"),
    ] {
        assert_eq!(
            arena.culprit(key, behaviour, &[]),
            format!("gives no usable answer: {reason} (limits)"),
            "{behaviour}"
        );
    }
}

/// The contract: a rule has 1 to 256 bytes, a kind 1 to 128.
#[test]
fn an_empty_rule_and_an_empty_kind_cost_one_record() {
    let arena = Arena::new();
    for (key, behaviour) in [("status", "no-rule"), ("definition", "no-kind")] {
        let reason = arena.culprit(key, behaviour, &[]);
        assert!(reason.contains("empty") && reason.ends_with("(limits)"), "{reason}");
    }
}

/// Ten megabytes fit through the boundary and are refused by the limit of the text; twenty do not fit.
#[test]
fn texts_of_many_megabytes_cost_one_record() {
    let arena = Arena::new();
    let limits = ", limits = { memory = '64MiB', deadline = '1m' }";
    for (bytes, reason) in [
        ("10485760", "gives no usable answer: the description has 10485760 bytes, at most 65536 are allowed (limits)"),
        ("20971520", "broke the contract in `apply`: "),
    ] {
        let ids = arena.feed();
        let huge = stage("longer-than-a-call", &[("bytes", bytes)], limits);
        guests::configure(&arena.workspace, "extensions", &huge);
        let report = batch(&arena.workspace, "import-activities", &[]).exits(3).json();
        assert_ledger(&report, &[("created", 3), ("quarantined", 1)]);
        let warnings = messages(&report, "warning");
        let expected = format!("record `{}`: plugin `{GUEST}` (stage extension 1) {reason}", ids[2]);
        assert!(warnings.len() == 1 && warnings[0].starts_with(&expected), "{warnings:?}");
        arena.heal(1);
    }
}

/// By which rule an appointment is as it is, or is not there.
#[track_caller]
fn rule_of(arena: &Arena, id: &str) -> String {
    arena.workspace.json(&["explain", id])[0]["rule"].as_str().expect("a rule").to_owned()
}

#[test]
fn control_characters_of_every_stage_arrive_as_spaces_and_line_breaks() {
    let arena = Arena::new();
    let texts = |key: &str| {
        let ids = arena.feed();
        guests::configure(&arena.workspace, key, &stage("control", &[], ""));
        let report = batch(&arena.workspace, "import-activities", &[]).exits(0).json();
        assert_ledger(&report, &[("created", 4)]);
        let activity = arena.workspace.activity(&ids[2]).expect("an activity");
        let text = |field: &str| activity[field].as_str().expect("a text").to_owned();
        (text("subject"), text("description"), text("kind"), rule_of(&arena, &ids[2]))
    };
    let (subject, description, ..) = texts("extensions");
    assert!(subject.ends_with("BAD   [31mred [0m  backwards second line"), "{subject:?}");
    assert!(description.ends_with("one\ntwo\nthree  ]0;title   end\ttab"), "{description:?}");
    let (_, description, _, rule) = texts("status");
    assert!(description.contains("a note  with  [31m all sorts\nof things"), "{description:?}");
    assert_eq!(rule, "a rule with  [31m");
    let (subject, description, kind, _) = texts("definition");
    assert_eq!(subject, "=cmd|' /C calc'!A0  [31m   end");
    assert_eq!(description, "<script>alert(1)</script>\n'; drop table activity; -- ");
    assert_eq!(kind, "Visit [31m");
}

#[test]
fn a_record_error_is_the_reason_of_the_quarantine() {
    let arena = Arena::new();
    let reason = "gives no usable answer: this customer has no price list (no-price-list)";
    arena.costs_one_record_in_every_stage("record-error", reason);
}

/// A megabyte that looks like the host's own words: cleaned, cut, and said to be the plugin's.
#[test]
fn a_record_error_cannot_pass_for_the_hosts_own_words() {
    let arena = Arena::new();
    for (key, ..) in STAGES {
        let reason = arena.culprit(key, "record-error-hostile", &[]);
        let start = "gives no usable answer:  [2J  error: the database is gone ; plugin `status-mapping` (stage status) trapped !!!";
        assert!(reason.starts_with(start), "{reason}");
        assert!(reason.len() < 1_200 && !reason.contains(char::is_control), "{} bytes: {reason:?}", reason.len());
    }
}

#[test]
fn an_extension_cannot_change_the_identity_of_an_appointment() {
    let arena = Arena::new();
    let ids = arena.feed();
    guests::configure(&arena.workspace, "extensions", &stage("identity", &[], ""));
    let report = batch(&arena.workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 4)]);
    let warning = format!(
        "plugin `{GUEST}` tried to change the identity of appointment `{}`; id, channel, customer, employee and changed-at were put back",
        ids[2]
    );
    assert_eq!(messages(&report, "warning"), [warning]);
    // The rest of what it changed counts, and the customer and the representative are those of Mobile.
    let activity = arena.workspace.activity(&ids[2]).expect("an activity");
    assert_eq!((&activity["customer"], &activity["employee"]), (&json!("C00001"), &json!("B")), "{activity:#}");
    assert!(activity["subject"].as_str().expect("a subject").ends_with("BAD adjusted"), "{activity:#}");
    assert!(activity["description"].as_str().expect("a text").contains("Delikatesy Krakus"), "{activity:#}");
    assert_eq!(arena.workspace.activities().len(), 4);
}

#[test]
fn an_extension_cannot_make_importable_what_may_not_be_imported_nor_the_other_way_around() {
    let arena = Arena::new();
    for (behaviour, reason) in [("into-the-past", "not-future"), ("unconfirm", "not-confirmed"), ("delete", "deleted")]
    {
        let _ = arena.feed();
        guests::configure(&arena.workspace, "extensions", &stage(behaviour, &[], ""));
        let report = batch(&arena.workspace, "import-activities", &[]).exits(0).json();
        assert_ledger(&report, &[("created", 3), (reason, 1)]);
        assert_eq!(stage_of(&report, "status")["records"], 3, "{report:#}");
        arena.heal(1);
    }
}

#[test]
fn a_veto_of_a_megabyte_is_cut_and_cleaned() {
    let arena = Arena::new();
    let ids = arena.feed();
    guests::configure(&arena.workspace, "extensions", &stage("veto-hostile", &[], ""));
    let report = batch(&arena.workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 3), ("vetoed", 1)]);
    let rule = rule_of(&arena, &ids[2]);
    assert!(rule.starts_with(&format!("{GUEST} vetoed:  [2Jerror:  nonono")), "{rule}");
    assert!(rule.len() < 1_200 && !rule.contains(char::is_control), "{} bytes: {rule:?}", rule.len());
}
