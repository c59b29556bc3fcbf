//! A headquarters with representatives who have many appointments.

use std::fmt::Write as _;
use std::process::Command;

use apptsync_tests::{Workspace, appointment, with};
use serde_json::{Value, json};

use crate::process::{self, Taken};

/// A workspace with the representatives B, or R000 and so on where there are several.
pub(crate) fn workspace(representatives: usize) -> Workspace {
    let workspace = Workspace::new();
    let mut more = String::new();
    for number in 0..representatives {
        let _ = writeln!(
            more,
            "[[employee]]\nid = \"R{number:03}\"\nname = \"Representative {number}\"\norganization = \"O1\"\nmanager = \"A\"\n\
             user = true\nsales_representative = true\n"
        );
    }
    workspace.load(&more);
    let set = ["outlook", "settings", "set", "--level", "database", "--calendar-from", "-7d", "--calendar-to", "+400d"];
    let _ = workspace.run(&set).exits(0);
    workspace
}

/// Some confirmed appointments of a representative, spread over half a year; written again, they are a newer version.
pub(crate) fn visits(workspace: &Workspace, employee: &str, numbers: std::ops::Range<usize>, name: &str) {
    let mut lines = String::new();
    for number in numbers {
        let (month, day, hour) = (number % 6 + 1, number / 6 % 28 + 1, number % 9 + 8);
        let time = |minute: usize| format!("2027-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z");
        let id = format!("{employee}-{number}");
        let fields = json!({
            "name": name, "employee": employee, "start": time(0), "end": time(45),
            "description": "Show the new range, take the order for the winter and check the shelf by the entrance.",
        });
        lines.push_str(&with(appointment(&id), &fields).to_string());
        lines.push('\n');
    }
    workspace.feed_text("appointments.jsonl", &lines);
}

/// BUS: Import activities.
pub(crate) fn import(workspace: &Workspace) {
    let _ = workspace.run(&["run", "import-activities", "--channel", "B2B", "--user", "A"]).exits(0);
}

/// `outlook sync --all`, and the reports of the profiles.
pub(crate) fn sync(workspace: &Workspace) -> (Taken, Vec<Value>) {
    let mut command: Command = workspace.command(&["outlook", "sync", "--all", "--output", "json"]);
    let (taken, text) = process::run(&mut command);
    (taken, serde_json::from_str(&text).expect("reports"))
}

/// The sum of a count over all profiles.
pub(crate) fn sum(reports: &[Value], operation: &str) -> u64 {
    reports.iter().map(|report| report["operations"][operation].as_u64().expect("a count")).sum()
}

/// The requests of all profiles.
pub(crate) fn requests(reports: &[Value]) -> u64 {
    reports.iter().map(|report| report["requests"].as_u64().expect("a count")).sum()
}
