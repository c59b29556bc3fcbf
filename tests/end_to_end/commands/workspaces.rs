//! `demo`, `init`, and the configuration of a workspace.

use std::fs;

use apptsync_tests::{Workspace, appointment};
use serde_json::{Value, json};

/// Issue, what a newcomer does: `demo` makes everything, imports, and shows protocol, ledger and cockpit; a second one in
/// the same folder says that nothing changed.
#[test]
fn demo_imports_and_shows_and_a_second_one_says_that_nothing_changed() {
    let place = Workspace::empty();
    let ran = place.run(&["demo", "there"]).exits(0);
    for part in ["element(s) of Activities was skipped", "quarantined", "created", "Planned", "Barbara Nowak"] {
        assert!(ran.stdout.contains(part), "{part} is missing: {}", ran.stdout);
    }
    let file = place.path("there").join("apptsync.toml");
    let inside = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--config", file.to_str().expect("UTF-8")]);
        place.json(&all)
    };
    let activities = inside(&["activities", "list"]);
    assert!(activities.as_array().is_some_and(|activities| activities.len() > 100), "{activities}");
    let statuses: std::collections::BTreeSet<_> = inside(&["mobile", "list"])
        .as_array()
        .expect("an array")
        .iter()
        .map(|version| version["status"].to_string())
        .collect();
    assert_eq!(statuses.len(), 7, "every status: {statuses:?}");
    assert_eq!(inside(&["definitions", "list"])[0]["active"], true);
    let employees = inside(&["employees", "list"]);
    let managers: Vec<_> =
        employees.as_array().expect("an array").iter().map(|employee| employee["manager"].clone()).collect();
    assert_eq!(managers, [Value::Null, json!("A"), json!("A"), json!("A")]);

    let ran = place.run(&["demo", "there"]).exits(0);
    assert!(ran.stdout.contains("Nothing changed"), "{}", ran.stdout);
    assert_eq!(inside(&["activities", "list"]), activities);
    let again = place.json(&["demo", "there"]);
    assert_eq!(again["changed"], false);
}

/// `demo` without a folder makes `apptsync-demo`, and leaves a folder alone that is something else.
#[test]
fn demo_makes_apptsync_demo_and_leaves_foreign_folders_alone() {
    let place = Workspace::empty();
    fs::create_dir(place.path("mine")).expect("a folder");
    fs::write(place.path("mine").join("letter.txt"), "dear").expect("written");
    let ran = place.run(&["demo", "mine"]).exits(2);
    assert!(ran.stderr.contains("mine"), "{ran:?}");
    assert_eq!(fs::read_dir(place.path("mine")).expect("a folder").count(), 1);
    let report = place.json(&["demo"]);
    assert_eq!(report["changed"], true);
    assert!(place.path("apptsync-demo").join("feed").is_dir());
}

/// Issue, `init`: an empty workspace with comments, database and feed folder, and never over one that is there.
#[test]
fn init_makes_an_empty_workspace_and_never_over_one_that_is_there() {
    let place = Workspace::empty();
    let _ = place.run(&["init", "new/sales"]).exits(0);
    let text = fs::read_to_string(place.path("new/sales/apptsync.toml")).expect("a configuration");
    assert!(text.lines().filter(|line| line.starts_with('#')).count() > 5, "with comments: {text}");
    assert!(place.path("new/sales/feed").is_dir() && place.path("new/sales/headquarters.db").is_file());
    let ran = place.run(&["init", "new/sales"]).exits(2);
    assert!(ran.stderr.contains("already"), "{ran:?}");
    assert_eq!(fs::read_to_string(place.path("new/sales/apptsync.toml")).expect("a configuration"), text);
}

/// The workspace is found from the current folder upwards, or named.
#[test]
fn the_configuration_is_found_upwards_or_named() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    fs::create_dir_all(workspace.path("deep/down")).expect("a folder");
    let deep =
        workspace.command(&["channels", "list"]).current_dir(workspace.path("deep/down")).output().expect("starts");
    assert!(deep.status.success() && String::from_utf8_lossy(&deep.stdout).contains("B2B"), "{deep:?}");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = workspace.path("apptsync.toml");
    let mut named = workspace.command(&["channels", "list", "--config", file.to_str().expect("UTF-8")]);
    let named = named.current_dir(elsewhere.path()).output().expect("starts");
    assert!(named.status.success() && String::from_utf8_lossy(&named.stdout).contains("B2B"), "{named:?}");
    let lost = workspace.command(&["channels", "list"]).current_dir(elsewhere.path()).output().expect("starts");
    let said = String::from_utf8_lossy(&lost.stderr);
    assert_eq!(lost.status.code(), Some(2));
    assert!(said.contains("apptsync init") && said.contains("--config"), "{said}");
}

/// Design, the configuration: an unknown key, a wrong type, a missing file: file, line, column and the nearest right name.
#[test]
fn mistakes_in_the_configuration_are_named_with_their_place_and_the_nearest_name() {
    let workspace = Workspace::new();
    for (text, parts) in [
        ("databse = \"x.db\"\n", vec!["apptsync.toml:1:1", "`databse`", "did you mean `database`?"]),
        ("[pipelin]\n", vec!["apptsync.toml:1:2", "`pipelin`", "`pipeline`"]),
        ("[pipeline]\nsoucre = { plugin = \"ibus-feed\" }\n", vec!["apptsync.toml:2:1", "`source`"]),
        ("[pipeline]\nsource = { plugn = \"ibus-feed\" }\n", vec!["apptsync.toml:2:12", "`plugin`"]),
        ("[pipeline]\nsource = { plugin = \"ibus-fed\" }\n", vec!["apptsync.toml:2:21", "did you mean `ibus-feed`?"]),
        ("[pipeline]\nstatus = { plugin = \"ibus-feed\" }\n", vec!["apptsync.toml:2:21", "status-mapping"]),
        ("[pipeline]\nsource = 7\n", vec!["apptsync.toml:2:10", "table"]),
        ("[pipeline]\nstatus = { plugin = \"gone.wasm\" }\n", vec!["apptsync.toml:2:21", "gone.wasm"]),
        ("[pipeline]\nsource = { plugin = \"ibus-feed\", read = [\"gone\"] }\n", vec!["apptsync.toml:2:42", "gone"]),
        (
            "[pipeline]\nstatus = { plugin = \"status-mapping\", limits = { memory = \"much\" } }\n",
            vec!["apptsync.toml:2:59", "32MiB"],
        ),
        (
            "[pipeline]\nstatus = { plugin = \"status-mapping\", limits = { deadline = \"soon\" } }\n",
            vec!["apptsync.toml:2", "500ms"],
        ),
        (
            "[pipeline]\nstatus = { plugin = \"status-mapping\", on-failure = \"ignore\" }\n",
            vec!["apptsync.toml:2", "quarantine"],
        ),
        ("[pipeline]\nstatus = { plugin = \"status-mapping\", read = [\"feed\"] }\n", vec!["apptsync.toml:2", "read"]),
        ("[batch]\nusr = \"A\"\n", vec!["apptsync.toml:2:1", "`user`"]),
        ("database = \"postgres://here\"\n", vec!["apptsync.toml:1:12", "not supported"]),
        ("database = \n", vec!["apptsync.toml:1"]),
    ] {
        fs::write(workspace.path("apptsync.toml"), text).expect("written");
        let ran = workspace.run(&["run", "import-activities", "--channel", "B2B", "--user", "A"]).exits(2);
        for part in parts {
            assert!(ran.stderr.contains(part), "{part} is missing for {text}: {}", ran.stderr);
        }
    }
}
