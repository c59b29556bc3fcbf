//! Both sides changed something (domain 8): *Text priority* decides, for text and for every other field that both changed; what
//! only one side changed goes both ways; and without *Transfer* what is new in Outlook stays there.

use apptsync_tests::Workspace;
use serde_json::{Value, json};

use super::calendar::{Calendar, Kind};
use super::{at, counts, filled, found, make, state, sync_at};

/// An appointment that both sides agree on, and then both give another subject.
fn in_conflict(kind: Kind, priority: &str) -> (Workspace, Calendar, String) {
    let (workspace, calendar) = filled(kind, &["--text-priority", priority], 2);
    let id = found(&workspace, "Visit 00")["id"].as_str().expect("an id").to_owned();
    let _ = workspace.run(&["activities", "set", &id, "--subject", "Ours", "--as-of", &at(1)]).exits(0);
    calendar.edit("SUMMARY:Visit 00", "SUMMARY:Theirs");
    (workspace, calendar, id)
}

fn subject(workspace: &Workspace, id: &str) -> String {
    let all = workspace.activities();
    let activity = all.iter().find(|activity| activity["id"] == id).expect("an activity");
    activity["subject"].as_str().expect("a subject").to_owned()
}

fn why(workspace: &Workspace, id: &str) -> Value {
    workspace.json(&["outlook", "why", id, "--as-of", &at(5)])[0].clone()
}

stories! {
    /// Text priority Comarch ERP: the headquarters' subject counts, and the other one is kept for an undo.
    the_headquarters_wins_under_erp(kind) {
        let (workspace, calendar, id) = in_conflict(kind, "erp");
        let report = sync_at(&workspace, &at(2));
        assert_eq!(counts(&report)[1] + counts(&report)[3], 1, "{report:#}");
        assert_eq!((subject(&workspace, &id), calendar.subjects()), ("Ours".into(), vec!["Ours".into(), "Visit 01".to_owned()]));
        assert_eq!(why(&workspace, &id)["history"].as_array().and_then(|all| all.last()).map(|one| &one["row"]), Some(&json!("11")));
        assert_eq!(counts(&sync_at(&workspace, &at(3))), [0; 5]);
        let run = report["run"].to_string();
        let _ = workspace.run(&["outlook", "undo", &run, "--as-of", &at(4)]).exits(0);
        assert_eq!(calendar.subjects(), ["Theirs", "Visit 01"]);
    }

    /// Text priority Microsoft Outlook: the other way.
    outlook_wins_under_outlook(kind) {
        let (workspace, calendar, id) = in_conflict(kind, "outlook");
        assert_eq!(counts(&sync_at(&workspace, &at(2))), [0, 0, 0, 0, 1]);
        assert_eq!((subject(&workspace, &id), calendar.subjects()), ("Theirs".into(), vec!["Theirs".into(), "Visit 01".to_owned()]));
        assert_eq!(counts(&sync_at(&workspace, &at(3))), [0; 5]);
    }

    /// `ask`: neither is written; the item is named with the reason until one side gives way.
    a_person_decides_under_ask(kind) {
        let (workspace, calendar, id) = in_conflict(kind, "ask");
        for minute in [2, 3] {
            let report = sync_at(&workspace, &at(minute));
            assert_eq!((state(&report), counts(&report)), ("completed-with-warnings", [0; 5]), "{report:#}");
            let held = &report["held"][0];
            assert_eq!(held["headquarters"], format!("activity/{id}"), "{report:#}");
            assert_eq!(held["reason"], "both sides changed the same field: which counts?");
        }
        assert_eq!((subject(&workspace, &id), calendar.subjects()), ("Ours".into(), vec!["Theirs".into(), "Visit 01".to_owned()]));
        let table = workspace.run(&["outlook", "sync", "b", "--as-of", &at(4)]).exits(3).stdout;
        assert!(table.contains("held: `Ours`: both sides changed the same field"), "{table}");
        let _ = workspace.run(&["activities", "set", &id, "--subject", "Theirs"]).exits(0);
        let report = sync_at(&workspace, &at(5));
        assert_eq!((state(&report), counts(&report)), ("completed", [0; 5]), "{report:#}");
    }

    /// What each side changed for itself goes to the other, in one run.
    different_fields_are_merged(kind) {
        let (workspace, calendar) = filled(kind, &["--text-priority", "outlook"], 1);
        let id = found(&workspace, "Visit 00")["id"].as_str().expect("an id").to_owned();
        let times = ["--start", "2026-12-02T13:00:00Z", "--end", "2026-12-02T14:00:00Z"];
        let _ = workspace.run(&[&["activities", "set", &id], &times[..]].concat()).exits(0);
        calendar.edit("SUMMARY:Visit 00", "SUMMARY:Theirs");
        let report = sync_at(&workspace, &at(1));
        assert_eq!(counts(&report), [0, 1, 0, 0, 1], "{report:#}");
        let activity = found(&workspace, "Theirs");
        assert_eq!((&activity["start"], &activity["end"]), (&json!(times[1]), &json!(times[3])));
        assert_eq!(calendar.subjects(), ["Theirs"]);
        assert_eq!(counts(&sync_at(&workspace, &at(2))), [0; 5]);
    }

    /// Transfer to Comarch ERP Enterprise is off: what is new in Outlook stays there, what is new here goes there all the same.
    without_transfer_new_items_stay_in_outlook(kind) {
        let (workspace, calendar) = filled(kind, &["--transfer", "off", "--text-priority", "outlook"], 1);
        let times = "DTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z";
        calendar.add("own", &format!("BEGIN:VEVENT\nUID:own\n{times}\nSUMMARY:Dentist\nEND:VEVENT"));
        let _ = make(&workspace, "Another", "2026-12-04T09:00:00Z", "2026-12-04T10:00:00Z");
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [1, 0, 0, 0, 0]);
        assert_eq!(calendar.subjects(), ["Another", "Dentist", "Visit 00"]);
        assert_eq!(workspace.activities().len(), 2);
        // What is tied together still goes both ways.
        calendar.edit("SUMMARY:Visit 00", "SUMMARY:Visit at noon");
        assert_eq!(counts(&sync_at(&workspace, &at(2))), [0, 0, 0, 0, 1]);
        assert_eq!(found(&workspace, "Visit at noon")["canceled"], false);
    }
}

/// `outlook why`: both sides and what was agreed, field by field, with the row; and an id that nothing is known of.
#[test]
fn why_shows_both_sides_field_by_field() {
    let (workspace, _calendar, id) = in_conflict(Kind::File, "ask");
    let _ = sync_at(&workspace, &at(2));
    let shown = why(&workspace, &id);
    assert_eq!(
        (&shown["profile"], &shown["row"], &shown["action"]),
        (&json!("b"), &json!("11"), &json!("hold")),
        "{shown:#}"
    );
    let fields = shown["fields"].as_array().expect("fields");
    let field = fields.iter().find(|field| field["field"] == "subject").expect("the subject");
    let text = |text: &str| json!({ "text": text });
    assert_eq!(
        (&field["base"], &field["headquarters"], &field["outlook"]),
        (&text("Visit 00"), &text("Ours"), &text("Theirs")),
        "{shown:#}"
    );
    let table = workspace.run(&["outlook", "why", &id, "--as-of", &at(3)]).exits(0).stdout;
    let line = table.lines().find(|line| line.starts_with("Subject")).expect("the subject");
    for part in ["Visit 00", "Ours", "Theirs", "held"] {
        assert!(line.contains(part), "{part}: {table}");
    }
    assert!(table.contains("row 11: changed on both sides, in the same field"), "{table}");
    let unknown = workspace.run(&["outlook", "why", "4711"]).exits(2);
    assert!(unknown.stderr.contains("`4711` is no activity or item of a profile"), "{unknown:?}");
}
