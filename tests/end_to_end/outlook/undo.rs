//! `outlook undo` (outlook.md 1 and 2.11): what a run changed is put back on the side that it changed, itself planned and
//! guarded; what somebody edited since is left and named.

use apptsync_tests::{Ran, Workspace};
use serde_json::Value;

use super::calendar::{Calendar, Kind};
use super::{at, counts, filled, found, make, sync_at};
use crate::support::feed;

fn undo(workspace: &Workspace, run: &Value, more: &[&str], minute: usize) -> Ran {
    let before = feed(workspace);
    let (run, now) = (run.to_string(), at(minute));
    let command = ["outlook", "undo", &run, "--output", "json", "--as-of", &now];
    let ran = workspace.run(&[&command[..], more].concat());
    assert_eq!(feed(workspace), before, "nothing goes to Mobile");
    ran
}

fn id(activity: &Value) -> &str {
    activity["id"].as_str().expect("an id")
}

fn rests(workspace: &Workspace, minute: usize) {
    let report = sync_at(workspace, &at(minute));
    assert_eq!((counts(&report), &report["state"]), ([0; 5], &Value::from("completed")), "{report:#}");
}

/// The steps of an undo: side, what the run had done, subject, why it is left.
fn steps(report: &Value) -> Vec<[&str; 4]> {
    let steps = report["steps"].as_array().expect("steps").iter();
    let mut steps: Vec<_> = steps
        .map(|step| ["side", "undoes", "subject", "left"].map(|name| step[name].as_str().unwrap_or_default()))
        .collect();
    steps.sort_unstable();
    steps
}

fn add_there(calendar: &Calendar, subject: &str) {
    let times = "DTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z";
    calendar.add(subject, &format!("BEGIN:VEVENT\nUID:{subject}\n{times}\nSUMMARY:{subject}\nEND:VEVENT"));
}

const OUTLOOK: [&str; 2] = ["--text-priority", "outlook"];

stories! {
    /// What was made in Outlook is taken away there; the activities stay, and are not sent again.
    creations_are_undone(kind) {
        let (workspace, calendar) = filled(kind, &OUTLOOK, 2);
        let _ = make(&workspace, "Another", "2026-12-04T09:00:00Z", "2026-12-04T10:00:00Z");
        let run = sync_at(&workspace, &at(1))["run"].clone();
        let planned = undo(&workspace, &run, &["--plan"], 2).exits(0).json();
        assert_eq!((&planned["state"], &planned["done"]), (&Value::from("planned"), &Value::from(0)), "{planned:#}");
        assert_eq!(steps(&planned), [["outlook", "created", "Another", ""]]);
        assert_eq!(calendar.subjects(), ["Another", "Visit 00", "Visit 01"], "a plan changes nothing");
        let report = undo(&workspace, &run, &[], 3).exits(0).json();
        assert_eq!((&report["state"], &report["done"]), (&Value::from("completed"), &Value::from(1)), "{report:#}");
        assert_eq!(report["plan"], planned["plan"], "what was shown is what is done");
        assert_eq!(calendar.subjects(), ["Visit 00", "Visit 01"]);
        assert_eq!(found(&workspace, "Another")["canceled"], false);
        rests(&workspace, 4);
        assert_eq!(calendar.subjects(), ["Visit 00", "Visit 01"]);
    }

    /// What came from Outlook is canceled in the headquarters; the item stays, and is not imported again.
    imports_are_undone(kind) {
        let (workspace, calendar) = filled(kind, &OUTLOOK, 2);
        add_there(&calendar, "Dentist");
        let report = sync_at(&workspace, &at(1));
        assert_eq!(counts(&report), [0, 0, 0, 0, 1]);
        let report = undo(&workspace, &report["run"], &[], 2).exits(0).json();
        assert_eq!(steps(&report), [["headquarters", "created", "Dentist", ""]]);
        assert_eq!(found(&workspace, "Dentist")["canceled"], true);
        assert_eq!(calendar.subjects(), ["Dentist", "Visit 00", "Visit 01"]);
        rests(&workspace, 3);
        assert_eq!(calendar.subjects(), ["Dentist", "Visit 00", "Visit 01"]);
        assert_eq!(workspace.activities().len(), 3);
    }

    /// What was deleted in Outlook because it was canceled here is there again, with what it said.
    deletions_are_undone(kind) {
        let (workspace, calendar) = filled(kind, &OUTLOOK, 2);
        let _ = workspace.run(&["activities", "cancel", id(&found(&workspace, "Visit 01")), "--yes"]).exits(0);
        let report = sync_at(&workspace, &at(1));
        assert_eq!((counts(&report), calendar.subjects()), ([0, 0, 1, 0, 0], vec!["Visit 00".to_owned()]));
        let report = undo(&workspace, &report["run"], &[], 2).exits(0).json();
        assert_eq!(steps(&report), [["outlook", "deleted", "Visit 01", ""]]);
        assert_eq!(calendar.subjects(), ["Visit 00", "Visit 01"]);
        rests(&workspace, 3);
        assert_eq!(calendar.subjects(), ["Visit 00", "Visit 01"]);
        assert_eq!(found(&workspace, "Visit 01")["canceled"], true);
    }

    /// What was canceled here because it was deleted in Outlook counts again.
    cancellations_are_undone(kind) {
        let (workspace, calendar) = filled(kind, &OUTLOOK, 2);
        add_there(&calendar, "Dentist");
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 1]);
        calendar.delete("SUMMARY:Dentist");
        let report = sync_at(&workspace, &at(2));
        assert_eq!(counts(&report), [0, 0, 0, 0, 1]);
        assert_eq!(found(&workspace, "Dentist")["canceled"], true);
        let report = undo(&workspace, &report["run"], &[], 3).exits(0).json();
        assert_eq!(steps(&report), [["headquarters", "deleted", "Dentist", ""]]);
        let back = found(&workspace, "Dentist");
        assert_eq!((&back["canceled"], &back["status"]), (&Value::from(false), &Value::from("planned")));
        rests(&workspace, 4);
        assert_eq!(calendar.subjects(), ["Visit 00", "Visit 01"]);
    }

    /// What was changed on either side says again what it said; `--item` puts back one of them.
    changes_are_undone_one_by_one(kind) {
        let (workspace, calendar) = filled(kind, &OUTLOOK, 3);
        let [zero, one] = ["Visit 00", "Visit 01"].map(|subject| id(&found(&workspace, subject)).to_owned());
        let _ = workspace.run(&["activities", "set", &zero, "--subject", "Here"]).exits(0);
        calendar.edit("SUMMARY:Visit 01", "SUMMARY:There");
        let report = sync_at(&workspace, &at(1));
        assert_eq!(counts(&report), [0, 1, 0, 0, 1]);
        let run = &report["run"];
        let all = undo(&workspace, run, &["--plan"], 2).exits(0).json();
        assert_eq!(steps(&all), [["headquarters", "updated", "Visit 01", ""], ["outlook", "updated", "Visit 00", ""]]);
        let report = undo(&workspace, run, &["--item", &zero], 2).exits(0).json();
        assert_eq!(steps(&report), [["outlook", "updated", "Visit 00", ""]]);
        assert_eq!(calendar.subjects(), ["There", "Visit 00", "Visit 02"]);
        assert_eq!(found(&workspace, "There")["id"], Value::from(one.as_str()));
        let report = undo(&workspace, run, &["--item", &one], 3).exits(0).json();
        assert_eq!(steps(&report), [["headquarters", "updated", "Visit 01", ""]]);
        assert_eq!(found(&workspace, "Visit 01")["id"], Value::from(one.as_str()));
        rests(&workspace, 4);
        assert_eq!(calendar.subjects(), ["There", "Visit 00", "Visit 02"]);
    }

    /// What somebody edited since is left, and named; the rest is put back.
    what_was_edited_since_is_left_and_named(kind) {
        let (workspace, calendar) = filled(kind, &OUTLOOK, 4);
        for number in [0, 1] {
            let activity = found(&workspace, &format!("Visit {number:02}"));
            let _ = workspace.run(&["activities", "set", id(&activity), "--subject", &format!("Here {number}")]).exits(0);
        }
        for number in [2, 3] {
            calendar.edit(&format!("SUMMARY:Visit {number:02}"), &format!("SUMMARY:There {number}"));
        }
        let report = sync_at(&workspace, &at(1));
        assert_eq!(counts(&report), [0, 2, 0, 0, 2]);
        calendar.edit("SUMMARY:Here 1", "SUMMARY:Edited since");
        let three = found(&workspace, "There 3");
        let _ = workspace.run(&["activities", "set", id(&three), "--subject", "Set since"]).exits(0);
        let run = report["run"].to_string();
        let shown = workspace.run(&["outlook", "undo", &run, "--plan", "--as-of", &at(2)]).exits(0).stdout;
        for (subject, why) in [("Visit 01", "the item was changed since"), ("Visit 03", "the activity was changed since")] {
            let is_named = |line: &str| line.contains(subject) && line.contains(&format!("left as it is: {why}"));
            assert!(shown.lines().any(is_named), "{subject}: {shown}");
        }
        let report = undo(&workspace, &report["run"], &[], 3).exits(3).json();
        assert_eq!(report["done"], 2, "{report:#}");
        assert!(report["messages"].to_string().contains("2 changes were left as they are"), "{report:#}");
        assert_eq!(calendar.subjects(), ["Edited since", "There 2", "There 3", "Visit 00"]);
        assert_eq!(found(&workspace, "Visit 02")["canceled"], false);
        assert_eq!(found(&workspace, "Set since")["canceled"], false);
    }

    /// Guard G1 holds an undo as it holds a plan; the hash that is shown lets it through, another one does not.
    an_undo_of_much_is_held_until_it_is_approved(kind) {
        let (workspace, calendar) = filled(kind, &OUTLOOK, 8);
        let run = workspace.json(&["outlook", "runs", "b"])[0]["run"].clone();
        let held = undo(&workspace, &run, &[], 1).exits(3).json();
        assert_eq!((&held["state"], &held["done"]), (&Value::from("held"), &Value::from(0)), "{held:#}");
        let hash = held["plan"].as_str().expect("a hash").to_owned();
        assert!(held["messages"].to_string().contains("G1: 8 of 8 linked items would be deleted"), "{held:#}");
        assert!(held["messages"].to_string().contains(&format!("--approve {hash}")), "{held:#}");
        let refused = undo(&workspace, &run, &["--approve", "0000000000000000"], 2).exits(3).json();
        assert_eq!((&refused["state"], &refused["plan"]), (&Value::from("held"), &Value::from(hash.as_str())));
        assert_eq!(calendar.subjects().len(), 8);
        let done = undo(&workspace, &run, &["--approve", &hash], 3).exits(0).json();
        assert_eq!((&done["state"], &done["done"]), (&Value::from("completed"), &Value::from(8)), "{done:#}");
        assert_eq!(calendar.subjects().len(), 0);
        assert!(workspace.activities().iter().all(|activity| activity["canceled"] == false));
        rests(&workspace, 4);
    }
}

/// A run that is not there, and an item that the run did not touch.
#[test]
fn what_cannot_be_undone_is_said() {
    let (workspace, calendar) = filled(Kind::File, &[], 2);
    let refused = workspace.run(&["outlook", "undo", "99"]).exits(2);
    assert!(refused.stderr.contains("run 99 is not there: `apptsync outlook runs` lists them"), "{refused:?}");
    let run = workspace.json(&["outlook", "runs", "b"])[0]["run"].clone();
    let report = undo(&workspace, &run, &["--item", "4711"], 1).json();
    assert_eq!((steps(&report).len(), &report["done"]), (0, &Value::from(0)), "{report:#}");
    assert_eq!(calendar.subjects(), ["Visit 00", "Visit 01"]);
}

/// Twenty operations go in one request, in an undo as in a run.
#[test]
fn writes_of_an_undo_go_together() {
    let (workspace, calendar) = filled(Kind::Graph, &[], 40);
    let run = workspace.json(&["outlook", "runs", "b"])[0]["run"].clone();
    let hash = undo(&workspace, &run, &["--plan"], 2).exits(0).json()["plan"].clone();
    calendar.simulator().reset_counters();
    let report = undo(&workspace, &run, &["--approve", hash.as_str().expect("a hash")], 3).exits(0).json();
    assert_eq!((&report["state"], &report["done"]), (&Value::from("completed"), &Value::from(40)), "{report:#}");
    assert_eq!(calendar.subjects(), [""; 0]);
    let requests = calendar.simulator().counters().total();
    assert!(requests <= 10, "2 to look at what is there and 2 to delete, and some to connect: {requests}");
}
