//! The way is Mobile → headquarters: nothing made or changed here goes back (domain 1 and 7).

use apptsync_tests::{Workspace, appointment, customer, with};
use serde_json::json;

use crate::support::{batch, feed};

/// Domain 1: imports of every kind and outcome, and changes in the headquarters, leave the feed as it is, byte for byte.
#[test]
fn nothing_that_is_done_in_the_headquarters_reaches_the_feed() {
    let workspace = Workspace::new();
    workspace.feed_customer(&customer("L1"));
    workspace.feed(&appointment("planned"));
    workspace.feed(&with(appointment("lead"), &json!({ "customer": "L1" })));
    workspace.feed(&with(appointment("waiting"), &json!({ "status": "unconfirmed" })));
    workspace.feed_text("appointments.jsonl", "no record\n{\"id\":\"half\",");
    let before = feed(&workspace);
    assert_eq!(before.len(), 2);
    for (application, more) in [
        ("import-activities", &[][..]),
        ("import-customers", &["--deactivate-deleted"]),
        ("import-data", &["--changed-since", "anytime"]),
        ("import-activities", &["--as-of", "2026-12-02T08:00:00Z"]),
    ] {
        let ran = batch(&workspace, application, more);
        assert!(matches!(ran.code, 0 | 3), "{ran:?}");
    }
    for command in [
        &["definitions", "set", "--subject", "{name}"][..],
        &["employees", "set", "C", "--sales-representative", "false"],
        &["partners", "set", "C00001", "--city", "Tarnów"],
        &["channels", "set", "B2B", "--active", "false"],
        &["activities", "show", "planned"],
        &["activities", "export", "all.ics"],
        &["explain", "planned"],
    ] {
        let _ = workspace.run(command).exits(0);
    }
    assert_eq!(feed(&workspace), before);
}
