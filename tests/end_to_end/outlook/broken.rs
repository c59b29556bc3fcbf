//! Connectors that do not do what the contract wants, as components: guards and invariants catch what they do, and nothing is
//! lost, doubled or deleted by them (outlook.md 1, decision 1).

use std::fs;
use std::sync::OnceLock;

use apptsync_tests::{Workspace, component};
use serde_json::Value;

use super::calendar::{Calendar, Kind, settings};
use super::{at, counts, found, make, said, state, sync_at};

const VISITS: usize = 8;
const DENTIST: &str = "BEGIN:VEVENT\r\nUID:dentist\r\nDTSTAMP:20261120T100000Z\r\nDTSTART:20261203T100000Z\r\nDTEND:20261203T110000Z\r\nSUMMARY:Dentist\r\nX-OWN:colour\r\nEND:VEVENT\r\n";
const SECRET: &str = "BEGIN:VEVENT\r\nUID:secret\r\nDTSTAMP:20261120T100000Z\r\nDTSTART:20261203T120000Z\r\nDTEND:20261203T130000Z\r\nCLASS:PRIVATE\r\nSUMMARY:Hidden\r\nEND:VEVENT\r\n";

/// The connector is broken in this way from now on; in no way, where it is empty.
fn broken(workspace: &Workspace, way: &str) {
    static COMPONENT: OnceLock<String> = OnceLock::new();
    let plugin = COMPONENT.get_or_init(|| component("broken-connector").display().to_string());
    let text = fs::read_to_string(workspace.path("apptsync.toml")).expect("a configuration");
    let text = text.split("\n[connectors.broken]").next().unwrap_or_default();
    let connector = format!(
        "\n[connectors.broken]\nplugin = {plugin:?}\nwrite = [\"calendars\"]\nconfig = {{ broken = {way:?} }}\n"
    );
    fs::write(workspace.path("apptsync.toml"), format!("{text}{connector}")).expect("written");
}

/// A representative with visits of the headquarters and with items of one's own, brought together by a connector that is not
/// broken yet; afterwards something is changed on both sides.
fn changed_on_both_sides() -> (Workspace, Calendar) {
    let workspace = Workspace::new();
    let calendar = Calendar::start(Kind::File, &workspace);
    settings(&workspace);
    fs::create_dir_all(workspace.path("calendars")).expect("a folder");
    broken(&workspace, "");
    let add = ["outlook", "profile", "add", "b", "--employee", "B", "--connector", "broken", "--user", &calendar.owner];
    let _ = workspace.run(&add).exits(0);
    for number in 0..VISITS {
        let _ = make(&workspace, &format!("Visit {number:02}"), "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
    }
    assert_eq!(counts(&sync_at(&workspace, &at(0))), [VISITS as u64, 0, 0, 0, 0]);
    calendar.put(
        "",
        &format!("{}{DENTIST}{SECRET}END:VCALENDAR\r\n", text(&calendar).trim_end_matches("END:VCALENDAR\r\n")),
    );
    assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 1]);
    let _ = make(&workspace, "Visit 08", "2026-12-04T09:00:00Z", "2026-12-04T10:00:00Z");
    let id = found(&workspace, "Visit 00")["id"].as_str().expect("an id").to_owned();
    let _ = workspace.run(&["activities", "set", &id, "--location", "Gdynia"]).exits(0);
    calendar.edit("SUMMARY:Visit 01", "SUMMARY:My own words");
    (workspace, calendar)
}

fn text(calendar: &Calendar) -> String {
    fs::read_to_string(calendar.place()).expect("the calendar")
}

/// What never changes, whoever is broken: the owner's own items, and no activity is canceled.
fn assert_untouched(workspace: &Workspace, calendar: &Calendar, way: &str) {
    let text = text(calendar);
    assert!(text.contains(DENTIST) && text.contains(SECRET), "{way}: {text}");
    for number in 0..VISITS {
        let is_there = text.contains(&format!("SUMMARY:Visit {number:02}")) || number == 1;
        assert!(is_there, "{way}: visit {number} is gone: {text}");
    }
    let canceled = |activity: &&Value| activity["canceled"] == true;
    assert_eq!(workspace.activities().iter().find(canceled), None, "{way}");
}

/// Runs while it is broken, of which a person approves none; then it is mended, and all is as it should be.
fn does_no_harm(way: &str) {
    let (workspace, calendar) = changed_on_both_sides();
    broken(&workspace, way);
    for minute in 2..6 {
        let report = sync_at(&workspace, &at(minute));
        assert_untouched(&workspace, &calendar, way);
        assert_eq!(report["operations"]["delete"], 0, "{way}: {report:#}");
    }
    broken(&workspace, "");
    let mut report = Value::Null;
    for minute in 10..16 {
        report = sync_at(&workspace, &at(minute));
        if state(&report) == "held" {
            let hash = report["plan"].as_str().expect("a hash").to_owned();
            let _ = workspace.run(&["outlook", "sync", "b", "--approve", &hash, "--as-of", &at(minute)]);
        }
    }
    assert_eq!(counts(&report), [0; 5], "{way}: it comes to rest: {report:#} {}", said(&report));
    // What was said to be made and was not there twice looks as if somebody did not want it: that is said, and a person
    // brings it back.
    let status = workspace.json(&["outlook", "status"]);
    let left_out: Vec<_> =
        status[0]["items"].as_array().into_iter().flatten().filter(|item| item["state"] == "suppressed").collect();
    for item in &left_out {
        assert_eq!(
            item["subject"],
            format!("Visit {VISITS:02}"),
            "{way}: only what is new may be left out: {status:#}"
        );
        let _ = workspace.run(&["outlook", "resolve", item["headquarters"].as_str().expect("an activity")]).exits(0);
        assert_eq!(counts(&sync_at(&workspace, &at(16))), [1, 0, 0, 0, 0], "{way}");
    }
    let text = text(&calendar);
    for number in 0..=VISITS {
        let visits = text.matches(&format!("SUMMARY:Visit {number:02}\r\n")).count();
        assert_eq!(visits, 1, "{way}: visit {number}: {text}");
    }
    assert_untouched(&workspace, &calendar, way);
    assert_eq!(workspace.activities().len(), VISITS + 2, "{way}: the visits and the dentist, each once");
    assert_eq!(text.matches("LOCATION:Gdynia").count(), 1, "{way}: {text}");
}

#[test]
fn one_that_drops_every_third_item() {
    does_no_harm("drops-every-third");
}

#[test]
fn one_that_takes_everything_for_gone() {
    does_no_harm("takes-everything-for-gone");
}

#[test]
fn one_that_says_removed_of_everything_without_checking() {
    does_no_harm("says-removed-of-everything");
}

#[test]
fn one_that_tells_everything_twice_and_backwards() {
    does_no_harm("tells-everything-twice-and-backwards");
}

#[test]
fn one_that_reports_success_and_does_nothing() {
    does_no_harm("reports-success-and-does-nothing");
}

#[test]
fn one_that_has_no_idempotence_and_loses_answers() {
    does_no_harm("ignores-keys-and-loses-answers");
}

#[test]
fn one_that_traps_after_it_has_written() {
    does_no_harm("traps-after-writing");
}

#[test]
fn one_that_answers_with_another_item() {
    does_no_harm("answers-with-another");
}

#[test]
fn one_without_echo() {
    does_no_harm("has-no-echo");
}

#[test]
fn one_that_says_that_everything_is_somebody_elses() {
    does_no_harm("says-that-everything-is-ours");
}
