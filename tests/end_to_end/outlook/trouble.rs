//! What goes wrong with servers, credentials, calendars and clocks (issue *What must hold*): a clear state, clear words, and
//! nothing lost.

use std::fs;

use apptsync_tests::Workspace;
use graph_simulator::{Fault, FaultName, Options, Simulator};
use serde_json::{Value, json};

use super::calendar::{Calendar, Kind, SALES, Server, connected, settings};
use super::{at, counts, filled, make, said, state, sync_at};

fn has_all(workspace: &Workspace, calendar: &Calendar, count: usize) {
    assert_eq!(calendar.text().matches("SUMMARY:Visit").count(), count);
    let visits = workspace.activities();
    let visits = visits.iter().filter(|one| one["subject"].as_str().is_some_and(|text| text.starts_with("Visit")));
    assert_eq!(visits.count(), count);
}

/// Anything that a server does for an hour: no run does harm, each says so, and the first good one brings both sides together.
fn an_hour_of(fault: &Fault, states: &[&str], words: &str) {
    let (workspace, calendar) = filled(Kind::Graph, &["--text-priority", "outlook"], 6);
    let simulator = calendar.simulator();
    simulator.switch_on(fault.clone());
    let _ = make(&workspace, "Visit 06", "2026-12-03T09:00:00Z", "2026-12-03T10:00:00Z");
    calendar.edit("SUMMARY:Visit 00", "SUMMARY:Visit 00 later");
    for minute in (1..60).step_by(12) {
        let report = sync_at(&workspace, &at(minute));
        assert!(states.contains(&state(&report)) && counts(&report) == [0; 5], "{report:#}");
        assert!(said(&report).contains(words), "{report:#}");
    }
    assert!(simulator.struck(fault.name) >= 5);
    let shown = workspace.run(&["outlook", "status"]).exits(3).stdout;
    assert!(!shown.contains("simulated-secret"), "{shown}");
    simulator.switch_all_off();
    let report = sync_at(&workspace, &at(61));
    assert_eq!((state(&report), counts(&report)), ("completed", [1, 0, 0, 0, 1]), "{report:#}");
    has_all(&workspace, &calendar, 7);
    assert_eq!(counts(&sync_at(&workspace, &at(62))), [0; 5]);
}

#[test]
fn an_hour_of_503_loses_nothing() {
    let fault = Fault::new(FaultName::ServiceUnavailable).value(3600);
    an_hour_of(&fault, &["throttled"], "the server wants a pause of 3600 s");
}

#[test]
fn an_hour_of_503_that_says_nothing_loses_nothing() {
    an_hour_of(&Fault::new(FaultName::GatewayTimeout), &["failed"], "504");
}

#[test]
fn a_storm_of_429_loses_nothing() {
    an_hour_of(&Fault::new(FaultName::Throttled).value(900), &["throttled"], "the server wants a pause of 900 s");
}

#[test]
fn revoked_rights_change_nothing_and_say_what_to_do() {
    an_hour_of(&Fault::new(FaultName::AccessDenied), &["reconnect"], "grant the application its permissions");
}

#[test]
fn refused_tokens_change_nothing_and_say_what_to_do() {
    an_hour_of(&Fault::new(FaultName::TokenRefused), &["reconnect"], "connect again");
}

#[test]
fn a_token_that_expires_in_the_middle_of_a_run_is_renewed() {
    let (workspace, calendar) = filled(Kind::Graph, &[], 3);
    let simulator = calendar.simulator();
    simulator.switch_on(Fault::new(FaultName::TokenExpired).times(1));
    let _ = make(&workspace, "Visit 03", "2026-12-03T09:00:00Z", "2026-12-03T10:00:00Z");
    let report = sync_at(&workspace, &at(1));
    assert_eq!((state(&report), counts(&report)), ("completed", [1, 0, 0, 0, 0]), "{report:#}");
    assert_eq!(simulator.struck(FaultName::TokenExpired), 1);
    has_all(&workspace, &calendar, 4);
}

/// Guard G2: an emptied server is no wish to cancel everything.
fn an_emptied_server(kind: Kind) {
    let (workspace, calendar) = filled(kind, &["--text-priority", "outlook"], 8);
    calendar.empty();
    let report = sync_at(&workspace, &at(1));
    assert_eq!((state(&report), counts(&report)), ("held", [0; 5]), "{report:#}");
    assert_eq!(workspace.activities().len(), 8);
    let why = report["held"].to_string();
    assert!(why.contains("G1") || why.contains("G2"), "{why}");
    let shown = workspace.run(&["outlook", "status"]).exits(3).stdout;
    assert!(shown.contains(report["plan"].as_str().expect("a plan")), "{shown}");
}

#[test]
fn an_emptied_caldav_server_is_held() {
    an_emptied_server(Kind::CalDav);
}

#[test]
fn an_emptied_file_is_held() {
    an_emptied_server(Kind::File);
}

#[test]
fn an_emptied_mailbox_is_held() {
    an_emptied_server(Kind::Graph);
}

#[test]
fn a_calendar_that_is_deleted_under_us_cancels_nothing() {
    for kind in [Kind::Graph, Kind::CalDav] {
        let (workspace, calendar) = filled(kind, &["--text-priority", "outlook"], 8);
        let place = calendar.place();
        match &calendar.server {
            Server::Graph(_) => {
                let _ = calendar.user().request("DELETE", &place, Value::Null).expect("deleted");
            }
            Server::CalDav(radicale) => radicale.foreign_user().delete(&place),
            Server::File(_) => unreachable!("a file has one calendar"),
        }
        for minute in 1..4 {
            let report = sync_at(&workspace, &at(minute));
            assert_eq!((state(&report), counts(&report)), ("failed", [0; 5]), "{kind:?}: {report:#}");
            let advice = ["outlook calendars b", "outlook profile set b", "make one at the server"];
            assert!(advice.iter().any(|advice| said(&report).contains(advice)), "{kind:?}: {report:#}");
        }
        assert_eq!(workspace.activities().len(), 8);
    }
}

/// What is synchronised is the calendar, not its name.
#[test]
fn a_calendar_that_is_renamed_under_us_goes_on() {
    let (workspace, calendar) = filled(Kind::Graph, &[], 3);
    let user = calendar.user();
    let path = format!("calendars/{}", user.calendar_id(SALES));
    let _ = user.request("PATCH", &path, json!({ "name": "Field sales" })).expect("renamed");
    let _ = make(&workspace, "Visit 03", "2026-12-03T09:00:00Z", "2026-12-03T10:00:00Z");
    let report = sync_at(&workspace, &at(1));
    assert_eq!((state(&report), counts(&report)), ("completed", [1, 0, 0, 0, 0]), "{report:#}");
    let _ = user.request("PATCH", &path, json!({ "name": SALES })).expect("renamed");
    has_all(&workspace, &calendar, 4);
}

#[test]
fn two_processes_at_once_double_nothing() {
    for kind in [Kind::CalDav, Kind::Graph, Kind::File] {
        let (workspace, calendar) = connected(kind, &[]);
        for number in 0..12 {
            let _ = make(&workspace, &format!("Visit {number:02}"), "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        }
        let mut both: Vec<_> = (0..3)
            .map(|_| {
                let mut command = workspace.command(&["outlook", "sync", "--all", "--output", "json"]);
                command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
                command.spawn().expect("the binary starts")
            })
            .collect();
        for child in &mut both {
            let _ = child.wait().expect("an end");
        }
        let report = sync_at(&workspace, &at(2));
        assert_eq!((state(&report), counts(&report)), ("completed", [0; 5]), "{kind:?}: {report:#}");
        has_all(&workspace, &calendar, 12);
    }
}

/// The hours around both clock changes are the same instants on both sides, and stay so.
#[test]
fn appointments_around_a_clock_change_are_the_same_instants_and_no_echo_follows() {
    for kind in [Kind::CalDav, Kind::Graph, Kind::File] {
        let workspace = Workspace::new();
        let calendar = Calendar::start(kind, &workspace);
        settings(&workspace);
        let wide = ["outlook", "settings", "set", "--level", "database", "--calendar-to", "+400d"];
        let _ = workspace.run(&wide).exits(0);
        calendar.connect(&workspace, "b", &["--text-priority", "outlook"]);
        let hours = [
            ("2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"),
            ("2027-10-31T00:15:00Z", "2027-10-31T00:45:00Z"),
            ("2027-10-31T01:15:00Z", "2027-10-31T01:45:00Z"),
            ("2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"),
        ];
        for (number, (start, end)) in hours.iter().enumerate() {
            let _ = make(&workspace, &format!("Visit {number}"), start, end);
        }
        let times = |workspace: &Workspace| {
            let mut times: Vec<_> = workspace
                .activities()
                .iter()
                .map(|one| format!("{} {} {}", one["subject"], one["start"], one["end"]))
                .collect();
            times.sort();
            times
        };
        let before = times(&workspace);
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [4, 0, 0, 0, 0], "{kind:?}");
        for now in [at(1), at(2), "2026-11-25T08:00:00Z".to_owned()] {
            assert_eq!(counts(&sync_at(&workspace, &now)), [0; 5], "{kind:?}");
        }
        // A change of the subject alone comes over, and the times stay.
        calendar.edit("SUMMARY:Visit 1", "SUMMARY:Visit 1 b");
        assert_eq!(counts(&sync_at(&workspace, "2026-11-25T08:01:00Z")), [0, 0, 0, 0, 1], "{kind:?}");
        let after: Vec<_> = times(&workspace).iter().map(|line| line.replace("Visit 1 b", "Visit 1")).collect();
        assert_eq!(after, before, "{kind:?}");
    }
}

/// A certificate that nobody vouches for, and one that was replaced, are never spoken to.
#[test]
fn a_server_whose_certificate_changed_gets_nothing() {
    let workspace = Workspace::new();
    let simulator = Simulator::start(Options::default()).expect("a simulator");
    let stranger = Simulator::start(Options::default()).expect("another");
    let trusted = workspace.path("trusted.pem");
    let trust = |certificate: &str| fs::write(&trusted, certificate).expect("written");
    trust(simulator.certificate());
    let configured = fs::read_to_string(workspace.path("apptsync.toml")).expect("the configuration");
    let connector = "\n[connectors.outlook-graph]\ncertificates = [\"trusted.pem\"]\n";
    fs::write(workspace.path("apptsync.toml"), configured + connector).expect("written");
    settings(&workspace);
    let calendar = Calendar::of_simulator(simulator);
    let simulator = calendar.simulator();
    let address = simulator.https_url().to_owned();
    calendar.connect_at(&workspace, "b", &address, &[]);
    let _ = make(&workspace, "Visit 00", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
    trust(stranger.certificate());
    let report = sync_at(&workspace, &at(0));
    assert!(state(&report) != "completed" && counts(&report) == [0; 5], "{report:#}");
    assert!(said(&report).contains("certificate"), "{report:#}");
    assert_eq!(simulator.counters().total(), 0, "not a word");
    trust(simulator.certificate());
    let report = sync_at(&workspace, &at(1));
    assert_eq!((state(&report), counts(&report)), ("completed", [1, 0, 0, 0, 0]), "{report:#}");
    has_all(&workspace, &calendar, 1);
}

/// `outlook undo` puts back what a run changed in Outlook, `why` says which row decided, `status` how fresh it is.
#[test]
fn undo_puts_back_and_why_and_status_tell() {
    for kind in [Kind::CalDav, Kind::Graph, Kind::File] {
        let (workspace, calendar) = filled(kind, &["--text-priority", "outlook"], 3);
        let id = workspace.activities()[0]["id"].as_str().expect("an id").to_owned();
        let subject = workspace.activities()[0]["subject"].as_str().expect("a subject").to_owned();
        let _ = workspace.run(&["activities", "set", &id, "--subject", "Visit wrong"]).exits(0);
        let report = sync_at(&workspace, &at(1));
        assert_eq!(counts(&report), [0, 1, 0, 0, 0], "{kind:?}");
        let why = workspace.run(&["outlook", "why", &id]).exits(0).stdout;
        assert!(why.contains("row 8") && why.contains("Visit wrong"), "{kind:?}: {why}");
        let run = report["run"].to_string();
        let plan = workspace.run(&["outlook", "undo", &run, "--plan"]).exits(0).stdout;
        assert!(plan.contains(&subject) && calendar.text().contains("Visit wrong"), "{kind:?}: {plan}");
        let _ = workspace.run(&["outlook", "undo", &run, "--as-of", &at(2)]).exits(0);
        assert!(calendar.text().contains(&format!("SUMMARY:{subject}")), "{kind:?}: {}", calendar.text());
        assert!(!calendar.text().contains("Visit wrong"), "{kind:?}");
        assert_eq!(counts(&sync_at(&workspace, &at(3))), [0; 5], "{kind:?}: what was undone stays undone");
        let status = workspace.run(&["outlook", "status", "--as-of", &at(4)]).exits(0).stdout;
        assert!(status.contains("Completed"), "{kind:?}: {status}");
    }
}
