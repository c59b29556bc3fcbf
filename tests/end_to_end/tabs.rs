//! The tabs of Activities with the labels that users know, line by line (domain 6 and 7).

use apptsync_tests::{Workspace, appointment, with};
use serde_json::json;

use crate::support::import;

/// The lines of a tab: from its heading to the next empty line.
fn tab<'a>(shown: &'a str, heading: &str) -> Vec<&'a str> {
    shown.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.is_empty()).collect()
}

fn show(workspace: &Workspace) -> String {
    workspace.run(&["activities", "show", "a-1"]).exits(0).stdout
}

/// Domain 6: the fields of an activity, each under its label and in its tab.
#[test]
fn every_field_stands_under_its_label_in_its_tab() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    let shown = show(&workspace);
    assert_eq!(tab(&shown, "References"), ["  Customer      C00001 Delikatesy Krakus"]);
    assert_eq!(tab(&shown, "Tasks"), ["  Employee      B Barbara Nowak", "  Status        Planned"]);
    assert_eq!(tab(&shown, "Results"), ["  Completed on  –", "  Completed by  –"]);
    let general: Vec<_> = tab(&shown, "General").iter().map(|line| line[..16].trim()).collect();
    let labels = ["Start time", "End time", "Priority", "Kind", "Status", "Description"];
    assert_eq!(general[..labels.len()], labels, "{shown}");
    assert!(
        general[labels.len()..].iter().all(|label| label.is_empty()),
        "only the description has more lines: {shown}"
    );
}

/// Domain 7: Planned while all tasks are Planned; the task goes the way of its activity.
#[test]
fn the_task_has_the_status_of_its_activity() {
    let later = ["--as-of", "2026-12-02T08:00:00Z"];
    let completed = json!({ "status": "completed", "completed_on": "2026-11-23T07:30:00Z", "completed_by": "B" });
    let rejected = json!({ "status": "rejected", "reason": "closed down" });
    for (news, run, status) in [
        (json!({}), &[][..], "Planned"),
        (json!({}), &later, "Delayed"),
        (completed, &[], "Completed"),
        (rejected, &[], "Completed unprocessed"),
    ] {
        let workspace = Workspace::new();
        workspace.feed(&appointment("a-1"));
        let _ = import(&workspace, &[]);
        workspace.feed(&with(appointment("a-1"), &news));
        let _ = import(&workspace, run);
        let shown = show(&workspace);
        let line = format!("  Status        {status}");
        for heading in ["General", "Tasks"] {
            assert!(tab(&shown, heading).contains(&line.as_str()), "{status} in {heading}: {shown}");
        }
    }
}
