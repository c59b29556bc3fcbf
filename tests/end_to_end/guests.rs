//! Stages made of the test guest, see `tests/guest`.

use std::fs;

use apptsync_tests::{Workspace, appointment, guest, with};
use serde_json::{Value, json};

/// The test guest in a workspace, as the configuration names it.
pub(crate) const GUEST: &str = "plugins/guest.wasm";

/// What the guest may use: little, so that the tests are quick, but many times what an honest call needs.
pub(crate) const LIMITS: &str = r#"memory = "8MiB", deadline = "200ms""#;

/// The stages that are asked about batches: their key in the configuration, their name in the protocol, their function.
pub(crate) const STAGES: [(&str, &str, &str); 3] =
    [("extensions", "extension 1", "apply"), ("status", "status", "decide"), ("definition", "definition", "render")];

/// A workspace with the test guest at hand.
pub(crate) fn workspace() -> Workspace {
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("plugins")).expect("a folder");
    fs::copy(guest(), workspace.path(GUEST)).expect("the guest is copied");
    workspace
}

/// The guest as a stage: how it behaves, more of its configuration, and more keys of the stage.
pub(crate) fn stage(behaviour: &str, config: &[(&str, &str)], more: &str) -> String {
    let config: String = config.iter().map(|(key, value)| format!(", {key} = '{value}'")).collect();
    let limits = if more.contains("limits") { String::new() } else { format!(", limits = {{ {LIMITS} }}") };
    format!("{{ plugin = '{GUEST}', config = {{ behaviour = '{behaviour}'{config} }}{limits}{more} }}")
}

/// Puts a stage into the pipeline, all others as they are delivered.
pub(crate) fn configure(workspace: &Workspace, key: &str, stage: &str) {
    workspace.configure(&match key {
        "extensions" => format!("extensions = [ {stage} ]"),
        key => format!("{key} = {stage}"),
    });
}

/// An appointment with a name; what contains `BAD` is what the guest acts upon.
pub(crate) fn named(id: &str, name: &str) -> Value {
    with(appointment(id), &json!({ "name": name }))
}
