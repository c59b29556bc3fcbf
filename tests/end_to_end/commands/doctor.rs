//! `doctor`: what is wrong and what to do.

use std::fs;

use apptsync_tests::{MASTER_DATA, Workspace, appointment};
use serde_json::{Value, json};

use crate::support::import;

fn health(workspace: &Workspace) -> (i32, Value) {
    let ran = workspace.run(&["doctor", "--output", "json"]);
    (ran.code, ran.json())
}

fn finding<'a>(report: &'a Value, check: &str) -> (&'a str, &'a str) {
    let checks = report["checks"].as_array().expect("checks");
    let of_check = |finding: &&Value| finding["check"].as_str().is_some_and(|name| name.starts_with(check));
    let worst = |finding: &&Value| ["ok", "warning", "error"].iter().position(|health| finding["health"] == *health);
    let found =
        checks.iter().filter(of_check).max_by_key(worst).unwrap_or_else(|| panic!("no check `{check}`: {report:#}"));
    (found["health"].as_str().expect("a health"), found["text"].as_str().expect("a text"))
}

/// Issue, `doctor`: checks workspace, database, plugins, cache and feed.
#[test]
fn doctor_finds_a_good_workspace_good() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    let (code, report) = health(&workspace);
    assert_eq!((code, &report["health"]), (0, &json!("ok")), "{report:#}");
    for check in [
        "workspace",
        "configuration",
        "database",
        "definition",
        "master data",
        "plugin of source",
        "feed",
        "compile cache",
    ] {
        assert_eq!(finding(&report, check).0, "ok", "{check}");
    }
    assert!(finding(&report, "database").1.contains('1'), "{report:#}");
}

/// Issue, `doctor`: says what to do.
#[test]
fn doctor_says_what_is_wrong_and_what_to_do() {
    let workspace = Workspace::empty();
    workspace.load(MASTER_DATA);
    let (code, report) = health(&workspace);
    assert_eq!(code, 3);
    assert_eq!(
        finding(&report, "definition"),
        (
            "warning",
            "ibus.AppointmentSynchronize is inactive, no activities are imported: `apptsync definitions activate`"
        )
    );

    let workspace = Workspace::empty();
    let (code, report) = health(&workspace);
    assert_eq!(code, 3);
    let (level, text) = finding(&report, "master data");
    assert!(level == "warning" && text.contains("apptsync"), "{report:#}");

    type Harm = fn(&Workspace);
    let harms: [(&str, &str, Harm); 5] = [
        ("feed", "feed", |workspace| fs::remove_dir_all(workspace.path("feed")).expect("removed")),
        ("database", "no database", |workspace| {
            fs::write(workspace.path("headquarters.db"), "x".repeat(5_000)).expect("written")
        }),
        ("database", "there is no database", |workspace| {
            fs::remove_file(workspace.path("headquarters.db")).expect("removed")
        }),
        ("configuration", "apptsync.toml:4:1", |workspace| workspace.configure("soucre = 1")),
        ("plugin of status", "nowhere.wasm", |workspace| workspace.configure("status = { plugin = \"nowhere.wasm\" }")),
    ];
    for (check, part, harm) in harms {
        let workspace = Workspace::new();
        workspace.feed(&appointment("a-1"));
        harm(&workspace);
        let (code, report) = health(&workspace);
        assert_eq!((code, &report["health"]), (1, &json!("error")), "{check}: {report:#}");
        let (level, text) = finding(&report, check);
        assert!(level == "error" && text.contains(part), "{check}: {report:#}");
        let table = workspace.run(&["doctor"]).exits(1).stdout;
        assert!(table.contains("error"), "{table}");
    }
}
