//! A hostile definition plugin in the commands that ask it about itself.

use crate::guests::{self, GUEST, stage};

fn show(behaviour: &str, exit: i32) -> String {
    let workspace = guests::workspace();
    guests::configure(&workspace, "definition", &stage(behaviour, &[], ""));
    let ran = workspace.run(&["definitions", "show"]).exits(exit);
    ran.stdout + &ran.stderr
}

#[test]
fn a_definition_that_loops_or_traps_when_asked_about_itself_is_an_error_that_names_it() {
    for (behaviour, what) in [
        ("describe-loop", "ran longer than its deadline of 200ms in `describe`"),
        ("describe-panic", "trapped in `describe`: wasm trap: wasm `unreachable` instruction executed"),
        ("describe-memory-huge", "wanted more than its 8 MiB of memory in `describe`"),
        ("describe-exit-0", "trapped in `describe`: Exited with i32 exit status 0"),
        ("many-variables", "broke the contract in `describe`: 257 variables, at most 256 are allowed"),
    ] {
        let shown = show(behaviour, 1);
        assert!(shown.starts_with(&format!("error: plugin `{GUEST}` (stage definition) {what}")), "{shown}");
    }
    assert!(show("", 0).contains("{variable-0}"));
}

#[test]
fn a_definition_that_loops_or_traps_when_it_checks_settings_leaves_them_as_they_were() {
    let workspace = guests::workspace();
    let settings = |workspace: &apptsync_tests::Workspace| workspace.json(&["definitions", "list"]);
    let before = settings(&workspace);
    for (behaviour, exit, what) in [
        ("check-loop", 1, "ran longer than its deadline of 200ms in `check`"),
        ("check-panic", 1, "trapped in `check`"),
        ("refuse-settings", 2, "the test guest does not like `{number}`"),
    ] {
        guests::configure(&workspace, "definition", &stage(behaviour, &[], ""));
        let ran = workspace.run(&["definitions", "set", "--subject", "{number}"]).exits(exit);
        assert!(ran.stderr.contains(what), "{ran:#?}");
        assert_eq!(settings(&workspace), before, "{behaviour}");
    }
}

/// Two hundred reasons of 8,000 bytes each: the first 64, cut and cleaned.
#[test]
fn what_a_definition_says_of_settings_is_cut_and_cleaned() {
    let workspace = guests::workspace();
    guests::configure(&workspace, "definition", &stage("refuse-at-length", &[], ""));
    let ran = workspace.run(&["definitions", "set", "--subject", "{number}"]).exits(2);
    assert!(ran.stderr.contains("[31mno"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}') && ran.stderr.len() < 65 * 1_100, "{} bytes", ran.stderr.len());
}
