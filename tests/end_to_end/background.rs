//! Batch settings and runs in the background (domain 4): scheduled, followed, canceled, in a queue and a content language.

use apptsync_model::{Application, ChangedSince, Instant};
use apptsync_store::{JobSettings, Schedule, SqliteStore, Store};
use apptsync_tests::{Workspace, appointment, messages, with};
use serde_json::{Value, json};

#[cfg(unix)]
use crate::crash::with_many;
use crate::support::batch;

/// Keeps every run waiting as long as it lives, as a run does that is under way.
fn hold(workspace: &Workspace) -> impl Drop + use<> {
    let store = SqliteStore::open(&workspace.path("headquarters.db")).expect("the database");
    store.try_lock_runs().expect("a lock").expect("nobody runs")
}

fn schedule(workspace: &Workspace, more: &[&str]) -> Value {
    batch(workspace, "import-activities", &[&["--background"], more].concat()).exits(0).json()
}

fn wait(workspace: &Workspace, job: &Value, code: i32) -> Value {
    workspace.run(&["jobs", "wait", &job["job"].to_string(), "--output", "json"]).exits(code).json()
}

fn with_one() -> Workspace {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    workspace
}

#[test]
fn a_batch_run_goes_on_in_the_background_and_is_followed_in_batch_jobs() {
    let workspace = with_one();
    let held = hold(&workspace);
    let job = schedule(&workspace, &["--name", "Night", "--queue", "night"]);
    assert_eq!((&job["state"], &job["queue"], &job["started"]), (&json!("scheduled"), &json!("night"), &Value::Null));
    let listed = workspace.json(&["jobs", "list"]);
    assert_eq!((&listed[0]["state"], &listed[0]["name"]), (&json!("scheduled"), &json!("Night")));
    assert!(workspace.activities().is_empty());
    assert!(!workspace.run(&["doctor"]).stdout.contains("scheduled jobs"), "somebody works on it");
    drop(held);
    let done = wait(&workspace, &job, 0);
    assert_eq!((&done["state"], &done["ledger"]["created"]), (&json!("completed"), &json!(1)), "{done:#}");
    assert_eq!((&done["job"], &done["as_of"]), (&job["job"], &json!("2026-11-23T08:00:00Z")), "--as-of is kept");
    assert!(done["started"].is_string() && done["finished"].is_string());
    assert_eq!(workspace.activities().len(), 1);
}

#[test]
fn the_jobs_of_a_queue_are_carried_out_in_their_order_and_other_queues_are_left_alone() {
    let workspace = with_one();
    let held = hold(&workspace);
    // The processes that these start wait for the lock; the first to get it takes the oldest.
    let jobs: Vec<Value> = (0..3).map(|_| schedule(&workspace, &[])).collect();
    let _ = workspace.run(&["jobs", "process", "--queue", "other"]).exits(0);
    drop(held);
    let ends: Vec<Value> = jobs.iter().map(|job| wait(&workspace, job, 0)).collect();
    let created: Vec<_> = ends.iter().map(|end| end["ledger"]["created"].as_u64().expect("a count")).collect();
    assert_eq!(created, [1, 0, 0]);
}

/// Whoever cancels a job that runs cancels that one: the next of its queue follows.
#[cfg(unix)]
#[test]
fn a_running_job_that_is_canceled_ends_after_its_page_and_the_next_one_follows() {
    let workspace = with_many();
    let held = hold(&workspace);
    let (first, second) = (schedule(&workspace, &[]), schedule(&workspace, &[]));
    drop(held);
    let id = first["job"].to_string();
    let read = || workspace.json(&["jobs", "show", &id])["ledger"]["read"].as_u64().expect("a count");
    while read() == 0 {
        std::thread::yield_now();
    }
    let _ = workspace.run(&["jobs", "cancel", &id]).exits(0);
    let canceled = wait(&workspace, &first, 1);
    assert_eq!(canceled["state"], "canceled", "{canceled:#}");
    let stored = canceled["ledger"]["read"].as_u64().expect("a count");
    let followed = workspace.run(&["jobs", "wait", &second["job"].to_string(), "--output", "json"]).json();
    assert!(followed["state"].as_str().is_some_and(|state| state.starts_with("completed")), "{followed:#}");
    assert!(followed["ledger"]["created"].as_u64() > Some(0) && stored > 0, "it went on from there");
}

/// As after a restart of the machine.
#[test]
fn what_is_scheduled_and_left_alone_is_said_by_doctor_and_carried_out_by_hand() {
    let workspace = with_one();
    let store = SqliteStore::open(&workspace.path("headquarters.db")).expect("the database");
    let settings = JobSettings {
        application: Application::ImportActivities,
        name: "Night".into(),
        channel: "B2B".into(),
        user: Some("A".into()),
        changed_since: ChangedSince::LastTransfer,
        deactivate_deleted: false,
        content_language: None,
    };
    let schedule =
        Schedule { queue: "night".into(), scheduled: Instant(0), as_of: "2026-11-23T08:00:00Z".parse().ok() };
    let job = store.schedule_job(&settings, &schedule).expect("a job");
    let said = workspace.run(&["doctor"]).stdout;
    assert!(said.contains("`apptsync jobs process --queue night` carries its jobs out"), "{said}");
    let done = workspace.run(&["jobs", "process", "--queue", "night", "--output", "json"]).exits(0).json();
    assert_eq!((&done[0]["job"], &done[0]["ledger"]["created"]), (&json!(job), &json!(1)));
}

#[test]
fn a_scheduled_job_that_is_canceled_does_not_begin() {
    let workspace = with_one();
    let held = hold(&workspace);
    let job = schedule(&workspace, &[]);
    let id = job["job"].to_string();
    let canceled = workspace.run(&["jobs", "cancel", &id, "--output", "json"]).exits(0).json();
    assert_eq!((&canceled["state"], &canceled["started"]), (&json!("canceled"), &Value::Null));
    drop(held);
    let shown = wait(&workspace, &job, 1);
    assert_eq!(messages(&shown, "warning"), ["canceled before it began: nothing was run"]);
    let _ = workspace.run(&["jobs", "process"]).exits(0);
    assert!(workspace.activities().is_empty());
    let again = workspace.run(&["jobs", "cancel", &id]).exits(2);
    assert!(again.stderr.contains(&format!("job {id} has ended: Canceled")), "{}", again.stderr);
    let unknown = workspace.run(&["jobs", "cancel", "99"]).exits(2);
    assert!(unknown.stderr.contains("there is no batch job 99"), "{}", unknown.stderr);
}

#[test]
fn a_scheduled_job_that_cannot_begin_has_failed_and_says_why() {
    let workspace = with_one();
    let held = hold(&workspace);
    let job = schedule(&workspace, &[]);
    workspace.configure("extensions = [ { plugin = 'plugins/missing.wasm' } ]");
    drop(held);
    let _ = workspace.run(&["jobs", "process"]);
    let shown = wait(&workspace, &job, 1);
    assert_eq!(shown["state"], "failed");
    assert!(messages(&shown, "error")[0].contains("missing.wasm"), "{shown:#}");
    let unknown = workspace.run(&["run", "import-data", "--channel", "B2X", "--background"]).exits(2);
    assert!(unknown.stderr.contains("sales channel `B2X` is not there"), "{}", unknown.stderr);
}

/// Domain 4, content language: the texts of the definition in that language, without its country where need be, and else its
/// own.
#[test]
fn the_content_language_of_a_run_chooses_the_texts() {
    let workspace = Workspace::new();
    let german = ["--language", "de", "--subject", "{name} am Vormittag", "--description", "Kunde: {customer}"];
    let _ = workspace.run(&[&["definitions", "set"], &german[..]].concat()).exits(0);
    for (id, language) in [("a-1", "de"), ("a-2", "de-AT"), ("a-3", "pl")] {
        workspace.feed(&with(appointment(id), &json!({ "number": id, "name": "Besuch" })));
        let report = batch(&workspace, "import-activities", &["--content-language", language]).json();
        assert_eq!(report["ledger"]["created"], 1, "{report:#}");
    }
    let subject = |id: &str| workspace.activity(id).expect("an activity")["subject"].clone();
    assert_eq!(
        [subject("a-1"), subject("a-2"), subject("a-3")],
        ["Besuch am Vormittag", "Besuch am Vormittag", "a-3 Besuch"]
    );
    let shown = workspace.json(&["jobs", "show", "2"]);
    assert_eq!(shown["content_language"], "de-AT");
    let definition = workspace.json(&["definitions", "show"]);
    assert_eq!(definition["translations"]["de"]["subject"], "{name} am Vormittag");
    let _ = workspace.run(&["definitions", "set", "--language", "de", "--defaults"]).exits(0);
    assert_eq!(workspace.json(&["definitions", "show"])["translations"], json!({}));
    let wrong = workspace.run(&["definitions", "set", "--language", "de", "--subject", "{nmber}"]).exits(2);
    assert!(wrong.stderr.contains("did you mean `{number}`?"), "{}", wrong.stderr);
    let wrong = batch(&workspace, "import-activities", &["--content-language", "german"]).exits(2);
    assert!(wrong.stderr.contains("a content language is two or three letters"), "{}", wrong.stderr);
}

/// Domain 3 and 5: an import asks whether the customer exists; one that is blocked does.
#[test]
fn appointments_with_a_blocked_customer_are_imported() {
    let workspace = with_one();
    let _ = workspace.run(&["partners", "set", "C00001", "--blocked", "true"]).exits(0);
    let report = workspace.import();
    assert_eq!(report["ledger"]["created"], 1, "{report:#}");
}
