//! Feed files that were changed within and appended to as well, through the binary.

use std::fs;

use apptsync_tests::{Workspace, appointment, messages, with};
use serde_json::json;

use crate::support::{assert_ledger, batch, import};

const FILE: &str = "appointments.jsonl";

/// Issue, the feed: a rewritten file is noticed, although it grew and neither its beginning nor the place up to which it was
/// read has changed.
#[test]
fn a_change_in_the_middle_of_a_file_that_was_appended_to_is_noticed_and_imported() {
    let workspace = Workspace::new();
    let line = |id: usize, name: &str| {
        let fields = json!({ "name": name, "description": "A long visit. ".repeat(20) });
        format!("{}\n", with(appointment(&format!("a-{id}")), &fields))
    };
    let text: String = (0..60).map(|id| line(id, "Autumn")).collect();
    workspace.feed_text(FILE, &text);
    assert_ledger(&import(&workspace, &[]), &[("created", 60)]);

    let changed = text.replace(&line(30, "Autumn"), &line(30, "Winter"));
    assert!(changed != text && changed.len() == text.len());
    fs::write(workspace.path("feed").join(FILE), changed + &line(60, "Autumn")).expect("written");
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1), ("updated", 1), ("unchanged", 59)]);
    assert_eq!(
        messages(&report, "info"),
        [
            "appointments.jsonl was rewritten or truncated since the last import; all files are read again from the start"
        ]
    );
    let activity = workspace.activity("a-30").expect("an activity");
    assert!(activity["subject"].as_str().is_some_and(|subject| subject.ends_with("Winter")), "{activity:#}");
    assert_ledger(&import(&workspace, &[]), &[]);
}

/// Domain 4, Last transfer: a file that was only touched, or appended to, has nothing changed.
#[test]
fn a_file_that_was_written_to_without_a_change_is_not_read_again() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    let file = fs::File::options().append(true).open(workspace.path("feed").join(FILE)).expect("opened");
    let written = file.metadata().and_then(|metadata| metadata.modified()).expect("a time");
    file.set_modified(written + std::time::Duration::from_secs(1)).expect("set");
    let report = import(&workspace, &[]);
    assert_ledger(&report, &[]);
    assert_eq!(messages(&report, "info"), Vec::<String>::new());
    workspace.feed(&appointment("a-2"));
    let report = import(&workspace, &[]);
    assert_ledger(&report, &[("created", 1)]);
    assert_eq!(messages(&report, "info"), Vec::<String>::new());
}
