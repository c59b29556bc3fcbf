//! `outlook status`: what an operator should know of each profile, and exit code 3 when something needs a look.

use apptsync_tests::certificates::TestCertificate;
use apptsync_tests::{Workspace, appointment, with};
use serde_json::{Value, json};

use super::calendar::{APPLICATION, Kind, connected};
use super::{at, counts, filled, found, import, make, state, sync_at};

/// The status at a minute, with the exit code that it must have.
fn status(workspace: &Workspace, minute: usize, code: i32) -> Value {
    let ran = workspace.run(&["outlook", "status", "--output", "json", "--as-of", &at(minute)]).exits(code);
    ran.json()[0].clone()
}

/// The row of the table of a profile, by its headings.
fn row(workspace: &Workspace, minute: usize, code: i32) -> Vec<(String, String)> {
    let shown = workspace.run(&["outlook", "status", "--as-of", &at(minute)]).exits(code).stdout;
    let mut lines = shown.lines();
    let (head, row) = (lines.next().expect("headings"), lines.next().expect("a row"));
    let mut starts: Vec<usize> = vec![0];
    let bytes = head.as_bytes();
    let is_start = |at: &usize| *at > 1 && bytes[at - 1] == b' ' && bytes[at - 2] == b' ' && bytes[*at] != b' ';
    starts.extend((0..bytes.len()).filter(is_start));
    let cell = |line: &str, index: usize| {
        let end = starts.get(index + 1).copied().unwrap_or(usize::MAX);
        let chars = line.chars().skip(starts[index]).take(end.saturating_sub(starts[index]));
        chars.collect::<String>().trim().to_owned()
    };
    (0..starts.len()).map(|index| (cell(head, index), cell(row, index))).collect()
}

#[track_caller]
fn shows(row: &[(String, String)], wanted: &[(&str, &str)]) {
    for (heading, value) in wanted {
        let found = row.iter().find(|(name, _)| name == heading).map(|(_, value)| value.as_str());
        assert_eq!(found, Some(*value), "{heading}: {row:?}");
    }
}

/// Before the first run, after it, and later: how fresh it is, whatever failed since.
#[test]
fn it_says_how_fresh_a_profile_is() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, calendar) = connected(kind, &[]);
        let never = status(&workspace, 0, 0);
        assert_eq!(
            (&never["state"], &never["synchronised"], &never["age"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        shows(&row(&workspace, 0, 0), &[("Profile", "b"), ("Last run", "never run"), ("Linked", "0")]);
        let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [1, 0, 0, 0, 0]);
        let fresh = status(&workspace, 10, 0);
        let expected = json!({
            "profile": "b", "active": true, "state": "completed", "synchronised": "2026-11-23T08:00:00Z", "age": 600,
            "linked": 1, "held_plan": null, "reasons": [], "unconfirmed": 0, "put_back": 0, "left_out": 0,
            "quarantined": 0, "days_left": null, "problems": [], "items": []
        });
        assert_eq!(fresh, expected, "{kind:?}");
        shows(
            &row(&workspace, 10, 0),
            &[("Last run", "Completed"), ("Synchronised", "2026-11-23T08:00:00Z"), ("Linked", "1")],
        );
        // A plan is no synchronisation, and a failed run makes nothing fresher.
        let _ = workspace.run(&["outlook", "sync", "b", "--plan", "--as-of", &at(20)]).exits(0);
        calendar.add_credential(&workspace, "login", &calendar.origin(), Some("wrong"));
        let report = sync_at(&workspace, &at(30));
        assert_ne!(state(&report), "completed", "{kind:?}: {report:#}");
        let stale = status(&workspace, 40, 3);
        assert_eq!((&stale["state"], &stale["age"]), (&report["state"], &json!(2400)), "{stale:#}");
        assert!(
            stale["problems"][0].as_str().is_some_and(|text| text.starts_with("the last run ended as")),
            "{stale:#}"
        );
        // What is not active needs no look.
        let _ = workspace.run(&["outlook", "profile", "set", "b", "--active", "off"]).exits(0);
        assert_eq!(status(&workspace, 40, 0)["active"], false);
    }
}

/// A plan that is held: its hash and the reasons, until it is approved.
#[test]
fn it_shows_a_held_plan_with_its_reasons() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, _calendar) = filled(kind, &[], 8);
        for activity in workspace.activities() {
            let _ = workspace.run(&["activities", "cancel", activity["id"].as_str().expect("an id"), "--yes"]).exits(0);
        }
        let report = sync_at(&workspace, &at(1));
        let held = status(&workspace, 2, 3);
        assert_eq!((&held["state"], &held["held_plan"]), (&json!("held"), &report["plan"]), "{held:#}");
        assert!(held["reasons"][0].as_str().is_some_and(|reason| reason.starts_with("G1: 8 of 8")), "{held:#}");
        assert_eq!(held["problems"], json!(["a plan waits for approval"]));
        let hash = report["plan"].as_str().expect("a hash");
        shows(&row(&workspace, 2, 3), &[("Last run", "Held"), ("Held plan", hash)]);
        let text = workspace.run(&["outlook", "status", "--as-of", &at(2)]).exits(3).stdout;
        assert!(text.contains("b: a plan waits for approval") && text.contains("b: G1: 8 of 8"), "{text}");
        let _ = workspace.run(&["outlook", "sync", "b", "--approve", hash, "--as-of", &at(3)]).exits(0);
        let done = status(&workspace, 4, 0);
        assert_eq!((&done["held_plan"], &done["reasons"], &done["linked"]), (&Value::Null, &json!([]), &json!(0)));
    }
}

/// Edits that were put back today, and what is left out because its owner does not want it.
#[test]
fn it_counts_what_was_put_back_and_what_is_left_out() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, calendar) = connected(kind, &[]);
        workspace.feed(&with(appointment("a-1"), &json!({ "name": "One" })));
        workspace.feed(&with(appointment("a-2"), &json!({ "name": "Two" })));
        let _ = import(&workspace).exits(0);
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [2, 0, 0, 0, 0]);
        calendar.edit("SA/2026/a-1 One", "My own words");
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 1, 0]);
        for minute in [2, 3] {
            calendar.delete("SA/2026/a-2 Two");
            let _ = sync_at(&workspace, &at(minute));
        }
        let shown = status(&workspace, 4, 0);
        assert_eq!(
            (&shown["put_back"], &shown["left_out"], &shown["linked"]),
            (&json!(1), &json!(1), &json!(1)),
            "{shown:#}"
        );
        shows(&row(&workspace, 4, 0), &[("Put back", "1"), ("Left out", "1")]);
        let ran = workspace.run(&["outlook", "status", "--output", "json", "--as-of", "2026-11-24T09:00:00Z"]).exits(0);
        assert_eq!((&ran.json()[0]["put_back"], &ran.json()[0]["left_out"]), (&json!(0), &json!(1)));
        // A person brings it back, as another item: it may be deleted once before it is left out again.
        let item = &ran.json()[0]["items"][0];
        let id = item["headquarters"].as_str().expect("an activity");
        let _ = workspace.run(&["outlook", "resolve", id, "--keep", "outlook"]).exits(2);
        let said = workspace.run(&["outlook", "resolve", id]).exits(0).stdout;
        assert!(said.contains("no longer left out: the next run makes it in Outlook again"), "{said}");
        assert_eq!(counts(&sync_at(&workspace, &at(5))), [1, 0, 0, 0, 0]);
        assert_eq!(counts(&sync_at(&workspace, &at(6))), [0; 5]);
        calendar.delete("SA/2026/a-2 Two");
        assert_eq!(counts(&sync_at(&workspace, &at(7))), [1, 0, 0, 0, 0]);
        assert_eq!(status(&workspace, 8, 0)["left_out"], json!(0));
    }
}

/// Guard G8: what goes back and forth is in quarantine, which needs a look, until somebody changes it.
#[test]
fn it_names_what_is_in_quarantine() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, calendar) = filled(kind, &["--text-priority", "outlook"], 1);
        let id = found(&workspace, "Visit 00")["id"].as_str().expect("an id").to_owned();
        let mut minute = 1;
        // Somebody in Outlook and somebody here want different things.
        for _ in 0..4 {
            calendar.edit("SUMMARY:Visit 00", "SUMMARY:Visit there");
            let _ = sync_at(&workspace, &at(minute));
            let _ = workspace.run(&["activities", "set", &id, "--subject", "Visit 00"]).exits(0);
            let _ = sync_at(&workspace, &at(minute + 1));
            minute += 2;
            if status_of(&workspace, minute)["quarantined"] == 1 {
                break;
            }
        }
        let shown = status(&workspace, minute, 3);
        assert_eq!(shown["quarantined"], 1, "{kind:?}: {shown:#}");
        assert!(shown["problems"].to_string().contains("1 items are in quarantine"), "{shown:#}");
        shows(&row(&workspace, minute, 3), &[("Quarantined", "1")]);
    }
}

fn status_of(workspace: &Workspace, minute: usize) -> Value {
    workspace.run(&["outlook", "status", "--output", "json", "--as-of", &at(minute)]).json()[0].clone()
}

/// The days that a certificate has left, and a warning in time.
#[test]
fn it_says_how_many_days_a_certificate_has_left() {
    let workspace = Workspace::new();
    super::calendar::settings(&workspace);
    let own = TestCertificate::new(2026, 2027);
    let (certificate, key) = (workspace.path("own.pem"), workspace.path("own.key"));
    std::fs::write(&certificate, own.pem()).expect("written");
    std::fs::write(&key, own.key_pem()).expect("written");
    let files = [&certificate, &key].map(|path| path.to_str().expect("UTF-8"));
    let add = ["credentials", "add", "contoso", "--kind", "certificate", "--certificate", files[0]];
    let _ = workspace.run(&[&add[..], &["--private-key", files[1]], &APPLICATION].concat()).exits(0);
    let profile = ["outlook", "profile", "add", "b", "--employee", "B", "--connector", "outlook-graph"];
    let _ = workspace.run(&[&profile[..], &["--credential", "contoso"]].concat()).exits(0);
    for (now, code, days, words) in [
        ("2026-11-23T08:00:00Z", 0, 38, None),
        ("2026-12-10T08:00:00Z", 3, 21, Some("its credential ends in 21 days")),
        ("2027-01-03T08:00:00Z", 3, -3, Some("its credential has ended")),
    ] {
        let ran = workspace.run(&["outlook", "status", "--output", "json", "--as-of", now]).exits(code);
        let shown = ran.json()[0].clone();
        assert_eq!(shown["days_left"], days, "{now}: {shown:#}");
        let problems = words.map_or(json!([]), |words| json!([words]));
        assert_eq!(shown["problems"], problems, "{now}");
        let table = workspace.run(&["outlook", "status", "--as-of", now]).exits(code).stdout;
        assert!(table.contains(&days.to_string()) && words.is_none_or(|words| table.contains(words)), "{table}");
    }
}

/// Without profiles there is nothing to look at, and that is said.
#[test]
fn without_a_profile_it_says_how_to_make_one() {
    let workspace = Workspace::new();
    let ran = workspace.run(&["outlook", "status"]).exits(0);
    assert!(ran.stdout.contains("there is no profile: `apptsync outlook profile add` makes one"), "{ran:?}");
    assert_eq!(workspace.json(&["outlook", "status"]), json!([]));
}
