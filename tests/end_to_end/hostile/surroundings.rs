//! What a plugin sees of the machine, and what it can leave behind: nothing.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;

use apptsync_tests::{NOW, Workspace, messages};
use serde_json::Value;

use super::stage_of;
use crate::guests::{self, STAGES, named, stage};
use crate::support::{assert_ledger, batch};

/// Limits for what has much to do, on a machine that has more to do.
const PLENTY: &str = ", limits = { deadline = '1m' }";

/// The descriptions of all activities of an import with the guest as extension.
fn descriptions(workspace: &Workspace, behaviour: &str, config: &[(&str, &str)], now: &str) -> Vec<String> {
    guests::configure(workspace, "extensions", &stage(behaviour, config, PLENTY));
    let report = workspace.import_at(now);
    assert_eq!(report["state"], "completed", "{report:#}");
    // What the definition puts in front of the description is not the guest's.
    let own = |activity: &Value| {
        let text = activity["description"].as_str().expect("a text");
        text.split_once("Status: Confirmed\n").map_or(text, |(_, own)| own).trim_end().to_owned()
    };
    workspace.activities().iter().map(own).collect()
}

fn workspace(records: usize) -> Workspace {
    let workspace = guests::workspace();
    let lines: String = (0..records).map(|number| named(&format!("a-{number}"), "Visit").to_string() + "\n").collect();
    workspace.feed_text("appointments.jsonl", &lines);
    workspace
}

#[test]
fn a_plugin_sees_no_environment_no_arguments_no_files_no_network_no_threads_no_processes() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("does not wait");
    let port = listener.local_addr().expect("an address").port().to_string();
    let workspace = workspace(1);
    let found = descriptions(&workspace, "look-around", &[("port", &port)], NOW);
    assert_eq!(
        found,
        ["environment = 0
arguments = 0
input = 0
/etc/passwd = nothing
/proc/self/environ = nothing
apptsync.toml = nothing
../apptsync.toml = nothing
. = nothing
.. = nothing
/ = nothing
write = nothing
connect = nothing
listen = nothing
udp = nothing
resolve = nothing
thread = nothing
process = nothing"]
    );
    let connected = listener.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(connected, Err(ErrorKind::WouldBlock), "nobody came");
    assert!(!workspace.path("found.txt").exists());
}

#[test]
fn clocks_show_the_instant_of_the_run_and_randomness_repeats_from_run_to_run() {
    let at = |now: &str| descriptions(&workspace(3), "tell-time", &[], now);
    let (first, second, later) = (at(NOW), at(NOW), at("2026-11-23T08:00:01Z"));
    assert_eq!(first, second, "the same run twice is the same");
    assert!(first.iter().all(|text| text.starts_with("1795420800 ")), "{first:?}");
    assert!(later.iter().all(|text| text.starts_with("1795420801 ")), "{later:?}");
    let randomness = |texts: &[String]| -> Vec<String> {
        texts.iter().filter_map(|text| text.split_once(' ').map(|(_, random)| random.to_owned())).collect()
    };
    let (first, later) = (randomness(&first), randomness(&later));
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|random| !later.contains(random)), "another run, other numbers: {first:?} {later:?}");
    assert!(first[0] != first[1] && first[1] != first[2], "numbers within a run differ: {first:?}");
}

/// A page has at most 1,024 records, so these are three batches.
#[test]
fn no_state_leaks_from_one_batch_to_the_next() {
    let workspace = workspace(2_100);
    let found = descriptions(&workspace, "count", &[], NOW);
    assert_eq!(found.len(), 2_100);
    assert!(found.iter().all(|text| text == "call 1 of this instance"), "{:?}", found.first());
    let report = workspace.json(&["jobs", "show", "1"]);
    assert_eq!(stage_of(&report, "extension 1")["calls"], 3, "{report:#}");
}

/// Runs an import in which the guest floods its log, with everything it says shown on stderr.
fn flood(behaviour: &str) -> (Value, String) {
    let workspace = guests::workspace();
    workspace.feed(&named("a-1", "BAD"));
    guests::configure(&workspace, "extensions", &stage(behaviour, &[], PLENTY));
    let output = workspace
        .command(&["run", "import-activities", "--channel", "B2B", "--user", "A", "--output", "json"])
        .env("RUST_LOG", "plugin=trace")
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{output:?}");
    // Nothing of what a plugin writes to its standard output mixes with the results.
    let report = serde_json::from_slice(&output.stdout).expect("JSON alone");
    assert_ledger(&report, &[("created", 1)]);
    (report, String::from_utf8(output.stderr).expect("UTF-8"))
}

#[test]
fn a_log_keeps_a_thousand_lines_of_a_call_and_counts_the_others() {
    for behaviour in ["flood-log", "flood-stdout", "flood-stderr"] {
        let (report, log) = flood(behaviour);
        assert_eq!(log.lines().filter(|line| line.contains("plugins/guest.wasm")).count(), 1_000, "{behaviour}");
        assert_eq!(log.lines().count(), 1_000, "{behaviour}: a line of the plugin is one line of the log");
        assert!(!log.contains(['\u{1b}', '\r', '\u{202e}']), "{behaviour}: {}", log.lines().next().unwrap_or_default());
        assert_eq!(stage_of(&report, "extension 1")["log_lines"], 5_000, "{behaviour}");
    }
}

#[test]
fn a_log_line_that_never_ends_is_broken_and_kept_up_to_a_limit() {
    let (report, log) = flood("no-newline");
    let kept: usize = log.lines().map(|line| line.matches('x').count()).sum();
    assert!((200 << 10..=256 << 10).contains(&kept), "{kept} bytes of 1,024,000");
    assert!(stage_of(&report, "extension 1")["log_lines"].as_u64() >= Some(999), "{report:#}");
}

/// What plugins print is for those who develop them: it does not reach the operator unless asked for.
#[test]
fn what_a_plugin_prints_is_not_shown_unless_asked_for() {
    let workspace = guests::workspace();
    for (key, ..) in STAGES {
        workspace.feed(&named(key, "BAD"));
        guests::configure(&workspace, key, &stage("flood-stderr", &[], PLENTY));
        let ran = batch(&workspace, "import-activities", &[]).exits(0);
        assert_eq!(ran.stderr, "", "{key}");
    }
}

/// A source reads the folders it is granted, whatever they are called, and nothing through them.
#[cfg(unix)]
#[test]
fn a_source_reads_its_folders_and_writes_nothing() {
    let workspace = guests::workspace();
    fs::create_dir(workspace.path("granted")).expect("a folder");
    fs::write(workspace.path("granted/inside.txt"), "inside").expect("a file");
    std::os::unix::fs::symlink(workspace.path("apptsync.toml"), workspace.path("granted/link.txt")).expect("a link");
    std::os::unix::fs::symlink(workspace.folder(), workspace.path("granted/link")).expect("a link");
    guests::configure(&workspace, "source", &stage("look-around", &[], ", read = ['granted']"));
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_eq!(
        messages(&report, "info"),
        [
            "read granted/inside.txt: inside",
            "read granted/../apptsync.toml: nothing",
            "read granted/./../apptsync.toml: nothing",
            "read granted/link.txt: nothing",
            "read granted/link/apptsync.toml: nothing",
            "read granted//etc/passwd: nothing",
            "write granted/inside.txt: refused",
            "write granted/new.txt: refused",
            "remove: refused",
        ]
    );
    assert_eq!(fs::read_to_string(workspace.path("granted/inside.txt")).expect("still there"), "inside");
    assert!(!workspace.path("granted/new.txt").exists());
}
