//! The manners of a command line: completions, help, pipes, quiet, JSON, the clock.

use std::io::Read;
use std::process::Stdio;

use apptsync_tests::{NOW, Workspace, appointment, binary, with};
use serde_json::{Value, json};

use super::cockpit::cockpit;
use crate::support::{assert_ledger, import};

/// Issue: shell completions.
#[test]
fn completions_are_there_for_every_shell() {
    let workspace = Workspace::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = workspace.run(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("import-activities") && script.contains("changed-since"), "{shell}");
    }
    let _ = workspace.run(&["completions", "dos"]).exits(2);
}

/// Issue: `--help` with examples, everywhere.
#[test]
fn every_command_has_help_with_examples() {
    let workspace = Workspace::empty();
    for command in [
        &[][..],
        &["init"],
        &["demo"],
        &["load"],
        &["organizations"],
        &["partners"],
        &["employees"],
        &["users"],
        &["channels"],
        &["channel-partners"],
        &["definitions"],
        &["run"],
        &["run", "import-data"],
        &["run", "import-customers"],
        &["run", "import-activities"],
        &["jobs", "list"],
        &["jobs", "show"],
        &["activities", "list"],
        &["activities", "show"],
        &["activities", "export"],
        &["mobile", "plan"],
        &["mobile", "confirm"],
        &["mobile", "complete"],
        &["explain"],
        &["plugins"],
        &["completions"],
    ] {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let help = workspace.run(&arguments).exits(0).stdout;
        assert!(
            help.contains("apptsync ") && (help.contains("Example") || help.contains("Begin with")),
            "{command:?}: {help}"
        );
        assert!(
            help.contains("--as-of") && help.contains("--output") && help.contains("--config"),
            "{command:?}: {help}"
        );
    }
    let version = workspace.run(&["--version"]).exits(0).stdout;
    assert!(version.starts_with("apptsync 0."), "{version}");
    let _ = workspace.run(&[]).exits(2);
    let ran = workspace.run(&["actvities", "list"]).exits(2);
    assert!(ran.stderr.contains("activities"), "{ran:?}");
}

/// Design: a broken pipe is no error.
#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let workspace = Workspace::new();
    let lines: String = (0..3_000).map(|index| format!("{}\n", appointment(&format!("a-{index}")))).collect();
    workspace.feed_text("appointments.jsonl", &lines);
    let _ = import(&workspace, &[]);
    for arguments in [
        &["activities", "list", "--output", "json"][..],
        &["activities", "list", "--limit", "3000"],
        &["mobile", "list", "--output", "json"],
        &["explain", "a-1"],
        &["completions", "bash"],
    ] {
        let mut child =
            workspace.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut first = [0; 10];
        child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some bytes");
        // The pipe is closed here; what the command writes now nobody reads.
        let output = child.wait_with_output().expect("a status");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr).matches("error").count(), 0, "{arguments:?}: {output:?}");
    }
}

/// `--quiet` leaves results and errors.
#[test]
fn quiet_leaves_results_and_errors_alone() {
    let workspace = Workspace::new();
    let loud = workspace.run(&["activities", "list"]).exits(0);
    assert!(loud.stderr.contains("no activities"), "{loud:?}");
    let quiet = workspace.run(&["activities", "list", "--quiet"]).exits(0);
    assert_eq!(quiet.stderr, "");
    let ran = workspace.run(&["channels", "show", "XYZ", "--quiet"]).exits(2);
    assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    let _ = workspace.run(&["channels", "list", "--quiet", "--verbose"]).exits(2);
}

/// `--output json` gives JSON for every command that prints results.
#[test]
fn json_is_json_for_every_command() {
    let workspace = cockpit();
    for arguments in [
        &["organizations", "list"][..],
        &["partners", "list"],
        &["employees", "list"],
        &["users", "list"],
        &["channels", "list"],
        &["channel-partners", "list"],
        &["definitions", "list"],
        &["definitions", "show"],
        &["definitions", "activate"],
        &["jobs", "list"],
        &["jobs", "show", "1"],
        &["activities", "list"],
        &["activities", "show", "one"],
        &["activities", "export", "all.csv"],
        &["mobile", "list"],
        &["mobile", "suspend", "two", "--user", "C"],
        &["explain", "one"],
        &["plugins", "list"],
        &["plugins", "inspect", "ibus-feed"],
        &["doctor"],
        &["load", "load.toml"],
        &["partners", "set", "C00001", "--city", "Tarnów"],
        &["channels", "remove", "B2C"],
        &["run", "import-customers", "--channel", "B2B"],
        &["init", "another"],
    ] {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        let ran = workspace.run(&all);
        if arguments == ["channels", "remove", "B2C"] {
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "in use: {ran:?}");
            continue;
        }
        assert!(ran.code == 0 || ran.code == 3, "{arguments:?}: {ran:?}");
        let json: Value = ran.json();
        assert!(json.is_object() || json.is_array(), "{arguments:?}: {json}");
    }
}

/// Design: no clock but `--as-of`; without it, the machine's.
#[test]
fn without_as_of_the_clock_of_the_machine_counts() {
    let workspace = Workspace::new();
    let fields = json!({ "start": "2020-01-01T09:00:00Z", "end": "2020-01-01T10:00:00Z" });
    workspace.feed(&with(appointment("past"), &fields));
    let fields = json!({ "start": "9990-01-01T09:00:00Z", "end": "9990-01-01T10:00:00Z" });
    workspace.feed(&with(appointment("future"), &fields));
    let output = std::process::Command::new(binary())
        .args(["run", "import-activities", "--channel", "B2B", "--user", "A", "--output", "json"])
        .current_dir(workspace.folder())
        .env("APPTSYNC_CACHE", binary().with_file_name("test-compile-cache"))
        .output()
        .expect("the binary starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_ledger(&report, &[("created", 1), ("not-future", 1)]);
    assert_ne!(workspace.json(&["jobs", "show", "1"])["as_of"], NOW);
}
