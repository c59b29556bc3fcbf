//! Hostile and broken plugins: the run survives, the culprit is found and put aside, the good records arrive.

mod answers;
mod definitions;
mod machine;
mod policy;
mod raw;
mod source;
mod surroundings;

use std::cell::Cell;

use apptsync_tests::{Workspace, messages};
use serde_json::{Value, json};

use crate::guests::{self, GUEST, STAGES, named, stage};
use crate::support::{assert_ledger, batch};

/// A workspace in which the guest strikes round after round, each with records of its own.
struct Arena {
    workspace: Workspace,
    round: Cell<u32>,
}

impl Arena {
    fn new() -> Self {
        Self { workspace: guests::workspace(), round: Cell::new(0) }
    }

    /// Feeds three good records and a bad one, third in the row, and gives their ids.
    fn feed(&self) -> [String; 4] {
        let round = self.round.replace(self.round.get() + 1);
        let ids = [0, 1, 2, 3].map(|number| format!("r{round}-{number}"));
        for (id, name) in ids.iter().zip(["Good", "Also good", "BAD", "Good too"]) {
            self.workspace.feed(&named(id, name));
        }
        ids
    }

    /// What the guest does to one of four records in a stage (a key of the configuration) costs that record alone, and only
    /// until the guest is replaced. Gives the reason that the protocol states.
    #[track_caller]
    fn culprit(&self, key: &str, behaviour: &str, config: &[(&str, &str)]) -> String {
        let name = STAGES.iter().find(|(known, ..)| *known == key).expect("a stage").1;
        let ids = self.feed();
        let bad = &ids[2];
        guests::configure(&self.workspace, key, &stage(behaviour, config, ""));
        let report = batch(&self.workspace, "import-activities", &[]).exits(3).json();
        assert_eq!(report["state"], "completed-with-warnings", "{report:#}");
        assert_ledger(&report, &[("created", 3), ("quarantined", 1)]);
        let used = stage_of(&report, name);
        assert_eq!(
            (&used["plugin"], &used["records"], &used["passed"], &used["refused"]),
            (&json!(GUEST), &json!(4), &json!(3), &json!(1)),
            "{report:#}"
        );
        // The protocol names the record, the plugin and the stage, once; the job keeps the same.
        let warnings = messages(&report, "warning");
        let [warning] = &*warnings else { panic!("one warning: {warnings:?}") };
        let place = format!("record `{bad}`");
        let reason =
            warning.strip_prefix(&format!("{place}: ")).and_then(|text| text.strip_suffix("; it is quarantined"));
        let reason = reason.unwrap_or_else(|| panic!("names the record: {warning}"));
        let job = self.workspace.json(&["jobs", "show", &report["job"].to_string()]);
        assert_eq!(job["quarantined_records"], json!([{ "place": place, "reason": reason }]));
        let activities = self.workspace.activities();
        let arrived = ids.each_ref().map(|id| activities.iter().any(|activity| activity["source_id"] == **id));
        assert_eq!(arrived, [true, true, false, true]);
        self.heal(1);
        assert!(self.workspace.activity(bad).is_some(), "imported without the guest");
        let what = reason.strip_prefix(&format!("plugin `{GUEST}` (stage {name}) "));
        what.unwrap_or_else(|| panic!("names plugin and stage: {reason}")).to_owned()
    }

    /// Takes the guest out of the pipeline; what it kept out is imported.
    #[track_caller]
    fn heal(&self, kept_out: u64) {
        self.workspace.configure("");
        let report = batch(&self.workspace, "import-activities", &[]).exits(0).json();
        let created: &[_] = if kept_out > 0 { &[("created", kept_out)] } else { &[] };
        assert_ledger(&report, created);
    }

    /// The guest does its worst in every stage, and always the same becomes of it; `{}` stands for the function called.
    #[track_caller]
    fn costs_one_record_in_every_stage(&self, behaviour: &str, reason: &str) {
        for (key, _, function) in STAGES {
            assert_eq!(self.culprit(key, behaviour, &[]), reason.replace("{}", function), "{behaviour} in {key}");
        }
    }
}

/// What a report says of a stage.
#[track_caller]
fn stage_of<'a>(report: &'a Value, name: &str) -> &'a Value {
    let stages = report["stages"].as_array().expect("stages");
    stages.iter().find(|stage| stage["stage"] == name).unwrap_or_else(|| panic!("no stage {name}: {report:#}"))
}
