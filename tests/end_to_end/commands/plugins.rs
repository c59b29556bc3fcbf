//! `plugins`: what is configured, and what a file holds.

use std::fs;

use apptsync_tests::Workspace;
use serde_json::json;

/// Issue, `plugins list`: what is configured or embedded: world, version, imports, grants, limits, digest.
#[test]
fn plugins_lists_what_is_in_force() {
    let workspace = Workspace::new();
    let plugins = workspace.json(&["plugins", "list"]);
    let plugins = plugins.as_array().expect("an array");
    let in_force: Vec<_> = plugins
        .iter()
        .map(|plugin| (plugin["stage"].as_str(), plugin["plugin"].as_str(), plugin["world"].as_str()))
        .collect();
    assert_eq!(
        in_force,
        [
            (Some("source"), Some("ibus-feed"), Some("source")),
            (Some("status"), Some("status-mapping"), Some("status-mapping")),
            (Some("definition"), Some("appointment-synchronize"), Some("activity-definition")),
            (Some("connector calendar-file"), Some("calendar-file"), Some("connector")),
            (Some("connector caldav"), Some("caldav"), Some("connector")),
            (Some("connector outlook-graph"), Some("outlook-graph"), Some("connector")),
        ]
    );
    for plugin in plugins {
        assert_eq!(plugin["sha256"].as_str().map(str::len), Some(64), "{plugin}");
        assert_eq!((&plugin["version"], &plugin["built_in"]), (&json!("0.1.0"), &json!(true)));
        assert!(plugin["imports"].as_array().is_some_and(|imports| !imports.is_empty()), "{plugin}");
        assert!(plugin["limits"]["memory"].as_u64().is_some_and(|bytes| bytes > 0), "{plugin}");
        let granted = plugin["grants"]["read"].as_array().map(Vec::len);
        assert_eq!(
            granted,
            Some(usize::from(plugin["stage"] == "source")),
            "nothing but the source's folder is granted"
        );
    }
    let limited = r#"status = { plugin = "status-mapping", limits = { memory = "32MiB", deadline = "500ms" }, config = { late-results = "never" } }"#;
    workspace.configure(limited);
    let plugins = workspace.json(&["plugins", "list"]);
    assert_eq!(plugins[1]["limits"]["memory"], 32 << 20);
    assert_eq!(plugins[1]["limits"]["deadline_milliseconds"], 500);
    assert_eq!(plugins[1]["config"], json!({ "late-results": "never" }));
    let table = workspace.run(&["plugins", "list"]).exits(0).stdout;
    assert!(table.contains("appointment-synchronize") && table.contains("activity-definition@0.1.0"), "{table}");
}

/// Issue, `plugins inspect`: a built-in plugin or a file.
#[test]
fn plugins_inspect_says_what_a_file_holds() {
    let workspace = Workspace::new();
    let inspected = workspace.json(&["plugins", "inspect", "status-mapping"]);
    assert_eq!(inspected["worlds"], json!([{ "world": "status-mapping", "version": "0.1.0" }]));
    let listed = workspace.json(&["plugins", "list"]);
    assert_eq!(inspected["sha256"], listed[1]["sha256"]);
    for (name, bytes) in [("text.wasm", &b"no component"[..]), ("empty.wasm", b""), ("module.wasm", b"\0asm\x01\0\0\0")]
    {
        fs::write(workspace.path(name), bytes).expect("written");
        let ran = workspace.run(&["plugins", "inspect", name]);
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(name), "{ran:?}");
    }
    let ran = workspace.run(&["plugins", "inspect", "nowhere.wasm"]).exits(2);
    assert!(ran.stderr.contains("nowhere.wasm"), "{ran:?}");
    let ran = workspace.run(&["plugins", "inspect", "status-maping"]).exits(2);
    assert!(ran.stderr.contains("did you mean `status-mapping`?"), "{ran:?}");
}
