//! Stages swapped by configuration alone: another status mapping, another definition, extensions of the customer's.

use std::fs;

use apptsync_tests::{Workspace, appointment, component, messages, with};
use serde_json::{Value, json};

use crate::guests::{self, GUEST, stage};
use crate::support::{assert_ledger, batch, import};

/// The example of a customer extension, in a workspace.
const VIP_VISITS: &str = "plugins/vip-visits.wasm";

fn with_vip_visits() -> Workspace {
    let workspace = guests::workspace();
    fs::copy(component("vip-visits"), workspace.path(VIP_VISITS)).expect("the extension is copied");
    workspace
}

#[track_caller]
fn activity(workspace: &Workspace, id: &str) -> Value {
    workspace.activity(id).unwrap_or_else(|| panic!("no activity of {id}: {:#?}", workspace.activities()))
}

#[track_caller]
fn text<'a>(activity: &'a Value, field: &str) -> &'a str {
    activity[field].as_str().unwrap_or_else(|| panic!("no text {field}: {activity:#}"))
}

/// The digests of the plugins of a report's stages, by stage.
fn digest<'a>(report: &'a Value, stage: &str) -> &'a str {
    let stages = report["stages"].as_array().expect("stages");
    let found = stages.iter().find(|reported| reported["stage"] == stage);
    found.and_then(|found| found["digest"].as_str()).unwrap_or_else(|| panic!("no stage {stage}: {report:#}"))
}

/// What the built-in mapping leaves Planned, another closes; its note reaches the description.
#[test]
fn another_status_mapping_decides_otherwise() {
    let suspended = || {
        let workspace = guests::workspace();
        workspace.feed(&appointment("a-1"));
        assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
        workspace.feed(&with(
            appointment("a-1"),
            &json!({ "status": "suspended", "reason": "ill", "changed_at": "2026-11-23T07:30:00Z" }),
        ));
        workspace
    };
    let workspace = suspended();
    let built_in = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_eq!(text(&activity(&workspace, "a-1"), "status"), "planned");

    let workspace = suspended();
    guests::configure(&workspace, "status", &stage("suspended-is-done", &[], ""));
    let swapped = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&swapped, &[("updated", 1)]);
    let done = activity(&workspace, "a-1");
    assert_eq!(text(&done, "status"), "completed-unprocessed");
    assert!(text(&done, "description").contains("Put aside, says the test guest"), "{done:#}");

    // The job tells which component was asked; the other stages are the same.
    assert_ne!(digest(&built_in, "status"), digest(&swapped, "status"));
    assert_eq!(digest(&built_in, "definition"), digest(&swapped, "definition"));
    assert_eq!(
        digest(&workspace.json(&["jobs", "show", &swapped["job"].to_string()]), "status"),
        digest(&swapped, "status")
    );
}

/// An answer is an answer, however odd: all it may not do is break an invariant of the headquarters.
#[test]
fn a_mapping_that_completes_everything_is_believed() {
    let workspace = guests::workspace();
    workspace.feed(&appointment("a-1"));
    guests::configure(&workspace, "status", &stage("all-completed", &[], ""));
    assert_ledger(&batch(&workspace, "import-activities", &[]).exits(0).json(), &[("created", 1)]);
    let completed = activity(&workspace, "a-1");
    assert_eq!(
        (&completed["status"], &completed["completed_on"]),
        (&json!("completed"), &json!("2026-11-23T07:00:00Z")),
        "{completed:#}"
    );
    // What is completed stays so under every mapping: a new version changes nothing any more.
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "Later", "changed_at": "2026-11-23T07:30:00Z" })));
    workspace.configure("");
    assert_ledger(&import(&workspace, &[]), &[("closed", 1)]);
    assert_eq!(activity(&workspace, "a-1"), completed);
}

#[test]
fn another_definition_writes_other_texts() {
    let workspace = guests::workspace();
    workspace.feed(&appointment("a-1"));
    guests::configure(&workspace, "definition", &stage("", &[], ""));
    assert_ledger(&batch(&workspace, "import-activities", &[]).exits(0).json(), &[("created", 1)]);
    let activity = activity(&workspace, "a-1");
    assert_eq!((text(&activity, "subject"), text(&activity, "description")), ("Swapped: Autumn assortment", "No note"));
    // Kind and priority are still those of the definition's settings, which belong to the headquarters.
    let definitions = workspace.json(&["definitions", "list"]);
    assert_eq!((&activity["kind"], &activity["priority"]), (&definitions[0]["kind"], &definitions[0]["priority"]));
}

/// A swapped definition brings its own variables; the settings of the headquarters stay until somebody changes them.
#[test]
fn another_definition_shows_its_own_variables_and_defaults() {
    let workspace = guests::workspace();
    guests::configure(&workspace, "definition", &stage("", &[], ""));
    let shown = workspace.json(&["definitions", "show"]);
    assert_eq!(shown["variables"], json!([{ "name": "variable-0", "meaning": "nothing" }]), "{shown:#}");
    let _ = workspace.run(&["definitions", "set", "--defaults"]).exits(0);
    let shown = workspace.json(&["definitions", "show"]);
    assert_eq!(
        (&shown["kind"], &shown["priority"], &shown["subject"]),
        (&json!("Test visit"), &json!("low"), &json!("the test guest's subject")),
        "{shown:#}"
    );
}

/// Between the rules of the headquarters and the definition: an extension sees what is eligible alone, adjusts one
/// appointment, vetoes another, and the definition renders what is left as adjusted.
#[test]
fn an_extension_adjusts_and_vetoes_between_eligibility_and_definition() {
    let workspace = with_vip_visits();
    workspace
        .configure(&format!("extensions = [ {{ plugin = '{VIP_VISITS}', config = {{ customers = ['C00002'] }} }} ]"));
    for (id, fields) in [
        ("plain", json!({})),
        ("important", json!({ "customer": "C00002" })),
        ("private", json!({ "description": "dentist #no-headquarters" })),
        ("unconfirmed", json!({ "status": "unconfirmed", "customer": "C00002" })),
        ("stranger", json!({ "customer": "C99999" })),
    ] {
        workspace.feed(&with(appointment(id), &fields));
    }
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 2), ("vetoed", 1), ("not-confirmed", 1), ("customer-missing", 1)]);
    assert_eq!(text(&activity(&workspace, "plain"), "subject"), "SA/2026/plain Autumn assortment");
    assert_eq!(text(&activity(&workspace, "important"), "subject"), "SA/2026/important VIP: Autumn assortment");
    assert!(workspace.activity("private").is_none());
    let counts = |stage: &str| {
        let stages = report["stages"].as_array().expect("stages");
        let stage = stages.iter().find(|reported| reported["stage"] == stage).expect("the stage");
        ["records", "passed", "stopped", "refused"].map(|count| stage[count].as_u64().expect("a count"))
    };
    assert_eq!(counts("source"), [5, 5, 0, 0]);
    assert_eq!(counts("extension 1"), [3, 2, 1, 0]);
    assert_eq!(counts("status"), [2, 2, 0, 0]);
    assert_eq!(counts("definition"), [2, 2, 0, 0]);
    // What was vetoed says by whom, and is asked about again.
    let explained = workspace.json(&["explain", "private"]);
    let rule = format!("{VIP_VISITS} vetoed: its description contains #no-headquarters");
    assert_eq!((&explained[0]["outcome"], &explained[0]["rule"]), (&json!("vetoed"), &json!(rule)));
    workspace
        .configure(&format!("extensions = [ {{ plugin = '{VIP_VISITS}', config = {{ veto-word = '#never' }} }} ]"));
    assert_ledger(&import(&workspace, &[]), &[("created", 1), ("not-confirmed", 1), ("customer-missing", 1)]);
}

/// Times that an extension moved are the activity's.
#[test]
fn an_extension_may_move_an_appointment() {
    let workspace = guests::workspace();
    workspace.feed(&guests::named("a-1", "BAD"));
    guests::configure(&workspace, "extensions", &stage("a-day-later", &[], ""));
    assert_ledger(&batch(&workspace, "import-activities", &[]).exits(0).json(), &[("created", 1)]);
    let moved = activity(&workspace, "a-1");
    assert_eq!((text(&moved, "start"), text(&moved, "end")), ("2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z"));
}

/// Each extension sees what the one before made of an appointment.
#[test]
fn extensions_work_in_the_order_configured() {
    for (marks, ending) in [([" one", " two"], "range one two"), ([" two", " one"], "range two one")] {
        let workspace = guests::workspace();
        workspace.feed(&appointment("a-1"));
        let stages = marks.map(|mark| stage("mark", &[("mark", mark)], ""));
        workspace.configure(&format!("extensions = [ {} ]", stages.join(", ")));
        let report = batch(&workspace, "import-activities", &[]).exits(0).json();
        let names: Vec<_> = report["stages"].as_array().expect("stages").iter().map(|stage| &stage["stage"]).collect();
        assert_eq!(names, ["source", "extension 1", "extension 2", "status", "definition"]);
        let description = activity(&workspace, "a-1");
        assert!(text(&description, "description").ends_with(ending), "{description:#}");
    }
}

/// What one extension vetoes, the next is not asked about.
#[test]
fn a_veto_ends_the_chain() {
    let workspace = guests::workspace();
    workspace.feed(&guests::named("a-1", "BAD"));
    workspace.feed(&guests::named("a-2", "Good"));
    workspace.configure(&format!("extensions = [ {}, {} ]", stage("veto", &[], ""), stage("panic", &[], "")));
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1), ("vetoed", 1)]);
}

/// A swap alone changes nothing that is there: the run says so, and how to apply it.
#[test]
fn after_a_swap_the_run_says_what_was_imported_with_other_stages_and_anytime_applies_it() {
    let workspace = guests::workspace();
    for id in ["a-1", "a-2", "a-3"] {
        workspace.feed(&appointment(id));
    }
    assert_ledger(&import(&workspace, &[]), &[("created", 3)]);
    guests::configure(&workspace, "definition", &stage("", &[], ""));
    let hint =
        "3 planned activities were imported with other stages or settings; --changed-since anytime imports them anew";
    for _ in 0..2 {
        let report = batch(&workspace, "import-activities", &[]).exits(0).json();
        assert_ledger(&report, &[]);
        assert_eq!(messages(&report, "info"), [hint]);
        assert_eq!(text(&activity(&workspace, "a-1"), "subject"), "SA/2026/a-1 Autumn assortment");
    }
    // What changes meanwhile comes with the new stages.
    workspace.feed(&with(appointment("a-2"), &json!({ "name": "Spring", "changed_at": "2026-11-23T07:30:00Z" })));
    let report = import(&workspace, &[]);
    assert_ledger(&report, &[("updated", 1)]);
    assert_eq!(messages(&report, "info"), [hint.replace('3', "2")]);
    let report = import(&workspace, &["--changed-since", "anytime"]);
    assert_ledger(&report, &[("updated", 2), ("unchanged", 1)]);
    for (id, subject) in [("a-1", "Swapped: Autumn assortment"), ("a-2", "Swapped: Spring")] {
        assert_eq!(text(&activity(&workspace, id), "subject"), subject);
    }
    assert_eq!(messages(&import(&workspace, &[]), "info"), [""; 0]);
}

/// The configuration of a plugin decides what it answers, so changing it counts as a swap.
#[test]
fn another_configuration_of_the_same_plugin_counts_as_a_swap() {
    let workspace = guests::workspace();
    workspace.feed(&appointment("a-1"));
    guests::configure(&workspace, "extensions", &stage("mark", &[("mark", " one")], ""));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    guests::configure(&workspace, "extensions", &stage("mark", &[("mark", " two")], ""));
    assert_eq!(messages(&import(&workspace, &[]), "info").len(), 1);
    assert_ledger(&import(&workspace, &["--changed-since", "anytime"]), &[("updated", 1)]);
    assert!(text(&activity(&workspace, "a-1"), "description").ends_with(" two"));
}

/// `explain` tells the stages then from the stages now.
#[test]
fn explain_tells_which_plugin_answered_then_and_what_the_one_in_force_answers_now() {
    let workspace = guests::workspace();
    workspace.feed(&appointment("a-1"));
    let report = import(&workspace, &[]);
    guests::configure(&workspace, "status", &stage("all-completed", &[], ""));
    let explained = workspace.json(&["explain", "a-1"]);
    let of = |list: &str, stage: &str| {
        let stages = explained[0][list].as_array().expect("stages");
        stages.iter().find(|reported| reported["stage"] == stage).expect("the stage").clone()
    };
    let (then, now) = (of("stages_then", "status"), of("stages_now", "status"));
    assert_eq!((text(&then, "plugin"), text(&then, "digest")), ("status-mapping", digest(&report, "status")));
    assert_eq!((text(&now, "plugin"), &now["same_plugin_as_then"]), (GUEST, &json!(false)));
    assert!(text(&now, "answer").to_lowercase().contains("completed"), "{now:#}");
    assert_eq!(of("stages_now", "definition")["same_plugin_as_then"], true);
    // Asking writes nothing.
    assert_eq!(text(&activity(&workspace, "a-1"), "status"), "planned");
}

/// A setting that the built-in mapping does not know ends the run with one error that names key and value.
#[test]
fn a_wrong_configuration_of_the_built_in_mapping_imports_nothing_and_says_what_is_wrong() {
    let workspace = guests::workspace();
    workspace.feed(&appointment("a-1"));
    workspace.configure("status = { plugin = 'status-mapping', config = { late-results = 'sometimes' } }");
    let report = batch(&workspace, "import-activities", &[]).exits(1).json();
    let errors = messages(&report, "error");
    let words = ["does not accept its `config`", "late-results", "sometimes", "in-period"];
    assert!(errors.len() == 1 && words.iter().all(|word| errors[0].contains(word)), "{errors:?}");
    assert_eq!(workspace.activities(), [Value::Null; 0]);
    workspace.configure("");
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}
