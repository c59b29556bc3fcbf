//! `outlook sync`: its JSON as the README documents it, `--plan`, and the approval of a plan by its hash.

use std::collections::BTreeSet;

use apptsync_tests::{Workspace, appointment};
use serde_json::{Value, json};

use super::calendar::{Kind, connected};
use super::{at, counts, filled, found, import, make, state, sync_at, synchronised};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn plan(workspace: &Workspace, minute: usize) -> Value {
    synchronised(workspace, &["b", "--plan"], &at(minute)).json()[0].clone()
}

fn cancel_all(workspace: &Workspace) {
    for activity in workspace.activities().iter().filter(|activity| activity["canceled"] == false) {
        let _ = workspace.run(&["activities", "cancel", activity["id"].as_str().expect("an id"), "--yes"]).exits(0);
    }
}

const KEYS: [&str; 8] = ["profile", "run", "plan", "state", "operations", "held", "requests", "messages"];

stories! {
    /// README: these keys and no others, with `--plan` the steps besides; a run that has nothing to do asks the server little.
    the_json_has_the_documented_keys_and_a_run_without_news_few_requests(kind) {
        let (workspace, calendar) = connected(kind, &[]);
        // Of each of the two kinds, Radicale is asked when it changed and, within two seconds of a change, what did.
        let most = if kind == Kind::CalDav { 4 } else { 2 };
        let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        let planned = plan(&workspace, 0);
        assert_eq!(keys(&planned), KEYS.into_iter().chain(["steps"]).collect());
        assert_eq!((state(&planned), counts(&planned)), ("planned", [1, 0, 0, 0, 0]));
        let first = sync_at(&workspace, &at(1));
        assert_eq!(keys(&first), BTreeSet::from(KEYS));
        assert_eq!(keys(&first["operations"]), BTreeSet::from(["create", "update", "delete", "revert", "import"]));
        assert_eq!((&first["profile"], state(&first), &first["held"]), (&json!("b"), "completed", &json!([])));
        assert_eq!(first["plan"].as_str().map(str::len), Some(16));
        assert!(first["plan"].as_str().is_some_and(|hash| hash.chars().all(|digit| digit.is_ascii_hexdigit())));
        let is_remote = !calendar.origin().is_empty();
        assert_eq!(first["requests"].as_u64().is_some_and(|requests| requests > 0), is_remote, "{first:#}");
        // The first run afterwards is told of what was written.
        assert_eq!(counts(&sync_at(&workspace, &at(2))), [0; 5]);
        for minute in [3, 4] {
            let idle = sync_at(&workspace, &at(minute));
            assert_eq!((state(&idle), counts(&idle)), ("completed", [0; 5]));
            assert!(idle["requests"].as_u64().is_some_and(|requests| requests <= most), "{idle:#}");
        }
    }
}

stories! {
    /// `--plan` shows each step with its row, field by field, and changes nothing on either side.
    a_plan_shows_each_step_and_changes_nothing(workspace, calendar, &["--text-priority", "outlook"]) {
        workspace.feed(&appointment("a-1"));
        let _ = import(&workspace).exits(0);
        let one = make(&workspace, "One", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        let two = make(&workspace, "Two", "2026-12-03T09:00:00Z", "2026-12-03T10:00:00Z");
        let three = make(&workspace, "Three", "2026-12-04T09:00:00Z", "2026-12-04T10:00:00Z");
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [4, 0, 0, 0, 0]);
        let _ = workspace.run(&["activities", "set", &one, "--subject", "One more"]).exits(0);
        calendar.edit("SUMMARY:Two", "SUMMARY:Two more");
        let _ = workspace.run(&["activities", "cancel", &three, "--yes"]).exits(0);
        calendar.edit("Autumn assortment", "My own words");
        let four = make(&workspace, "Four", "2026-12-05T09:00:00Z", "2026-12-05T10:00:00Z");
        let times = "DTSTAMP:20261120T100000Z\nDTSTART:20261206T100000Z\nDTEND:20261206T110000Z";
        calendar.add("five", &format!("BEGIN:VEVENT\nUID:five\n{times}\nSUMMARY:Five\nEND:VEVENT"));
        let before = (workspace.activities(), calendar.versions(), calendar.text());
        let planned = plan(&workspace, 1);
        assert_eq!((workspace.activities(), calendar.versions(), calendar.text()), before);
        assert_eq!(counts(&planned), [1, 1, 1, 1, 2], "{planned:#}");
        let steps = planned["steps"].as_array().expect("steps");
        let step = |subject: &str| {
            let found = steps.iter().find(|step| step["subject"].as_str().is_some_and(|text| text.contains(subject)));
            found.unwrap_or_else(|| panic!("no step for {subject}: {planned:#}"))
        };
        for (subject, row, action, object) in [
            ("One more", "8", "update", Some(&one)),
            ("Two", "9", "update", Some(&two)),
            ("Three", "13", "delete", Some(&three)),
            ("Four", "1", "create", Some(&four)),
            ("Five", "3", "import", None),
            ("Autumn assortment", "P2", "update", None),
        ] {
            let step = step(subject);
            assert_eq!((&step["row"], &step["action"]), (&json!(row), &json!(action)), "{subject}: {planned:#}");
            if let Some(object) = object {
                assert_eq!(step["headquarters"], format!("activity/{object}"), "{subject}");
            }
        }
        let text = |text: &str| json!({ "text": text });
        for (subject, base, headquarters, outlook, direction) in [
            ("One more", "One", "One more", "One", "to-outlook"),
            ("Two", "Two", "Two", "Two more", "to-headquarters"),
        ] {
            let expected = json!([{
                "field": "subject", "base": text(base), "headquarters": text(headquarters), "outlook": text(outlook),
                "direction": direction, "overrules": false
            }]);
            assert_eq!(step(subject)["changes"], expected, "{planned:#}");
        }
        let shown = workspace.run(&["outlook", "sync", "b", "--plan", "--as-of", &at(1)]).exits(0).stdout;
        let hash = planned["plan"].as_str().expect("a hash");
        assert!(shown.contains(&format!("Plan {hash} of profile b")), "{shown}");
        for (row, values) in [
            ("8 ", ["One more", "One", "to Outlook"]),
            ("9 ", ["Two", "Two more", "to the headquarters"]),
            ("P2", ["Autumn assortment", "My own words", "to Outlook, overrules"]),
        ] {
            let line = shown.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("{row}: {shown}"));
            assert!(values.iter().all(|value| line.contains(value)), "{values:?}: {line}");
        }
        assert_eq!((workspace.activities(), calendar.versions(), calendar.text()), before);
        // What was shown is what is done.
        let done = sync_at(&workspace, &at(1));
        assert_eq!((&done["plan"], counts(&done)), (&planned["plan"], counts(&planned)));
        assert_eq!(counts(&sync_at(&workspace, &at(2))), [0; 5]);
        let _ = found(&workspace, "Two more");
    }
}

stories! {
    /// A held plan that is approved is applied exactly; one that has changed since is refused, with the new hash.
    a_plan_that_changed_since_it_was_shown_is_refused(kind) {
        let (workspace, calendar) = filled(kind, &[], 8);
        cancel_all(&workspace);
        let first = sync_at(&workspace, &at(1));
        assert_eq!(state(&first), "held");
        let shown = first["plan"].as_str().expect("a hash").to_owned();
        let _ = make(&workspace, "New since", "2026-12-05T09:00:00Z", "2026-12-05T10:00:00Z");
        let refused = synchronised(&workspace, &["b", "--approve", &shown], &at(2)).exits(3).json()[0].clone();
        let new = refused["plan"].as_str().expect("a hash").to_owned();
        assert_eq!((state(&refused), counts(&refused)), ("held", [0; 5]), "{refused:#}");
        assert_ne!(new, shown);
        let words = format!("the plan is no longer the one that was approved; it is {new} now");
        assert!(refused["messages"].to_string().contains(&words), "{refused:#}");
        assert_eq!(calendar.subjects().len(), 8, "nothing of it was applied");
        let planned = plan(&workspace, 3);
        assert_eq!(planned["plan"], new.as_str(), "what is shown is what is asked for");
        let done = synchronised(&workspace, &["b", "--approve", &new], &at(4)).exits(0).json()[0].clone();
        assert_eq!((state(&done), counts(&done), &done["plan"]), ("completed", counts(&planned), &planned["plan"]));
        assert_eq!(counts(&done), [1, 0, 8, 0, 0]);
        assert_eq!(calendar.subjects(), ["New since"]);
        assert_eq!(counts(&sync_at(&workspace, &at(5))), [0; 5]);
    }
}

/// What cannot be approved: nothing named, several, or together with --plan.
#[test]
fn an_approval_belongs_to_one_profile_and_one_plan() {
    let (workspace, _calendar) = connected(Kind::File, &[]);
    for (words, part) in [
        (&["--all", "--approve", "0123456789abcdef"][..], "--all"),
        (&["b", "b", "--approve", "0123456789abcdef"], "--approve belongs to one profile"),
        (&["b", "--plan", "--approve", "0123456789abcdef"], "--plan"),
    ] {
        let refused = synchronised(&workspace, words, &at(0)).exits(2);
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
}
