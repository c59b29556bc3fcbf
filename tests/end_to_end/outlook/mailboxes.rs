//! Many mailboxes in one run (domain 8 and 9): each representative has what is his, whatever becomes of the others.

use std::collections::BTreeMap;
use std::fs;

use apptsync_tests::{Workspace, appointment, with};
use serde_json::{Value, json};

use super::calendar::{Calendar, Kind, settings};
use super::{at, counts, found, import, make_for, said, state, sync_all, synchronised};

/// Representatives B and C, each with a calendar on the same server.
fn two(kind: Kind, more: &[&str]) -> (Workspace, Calendar, Calendar) {
    let workspace = Workspace::new();
    let barbara = Calendar::start(kind, &workspace);
    let cezary = barbara.of_colleague("cezary");
    settings(&workspace);
    barbara.connect_for(&workspace, "B", "b", &barbara.origin(), more);
    cezary.connect_for(&workspace, "C", "c", &cezary.origin(), more);
    (workspace, barbara, cezary)
}

fn counts_of(reports: &BTreeMap<String, Value>) -> Vec<(&str, [u64; 5])> {
    reports.iter().map(|(name, report)| (name.as_str(), counts(report))).collect()
}

const VISIT: &str = "SA/2026/a-1 Autumn assortment";
const NOTHING: [u64; 5] = [0; 5];

stories! {
    /// Domain 8 and 9: the representative changes in Mobile, and the appointment leaves the old calendar for the new one; back
    /// again, too.
    an_appointment_follows_its_representative(kind) {
        let (workspace, barbara, cezary) = two(kind, &[]);
        workspace.feed(&appointment("a-1"));
        let _ = import(&workspace).exits(0);
        assert_eq!(counts_of(&sync_all(&workspace, &at(0))), [("b", [1, 0, 0, 0, 0]), ("c", NOTHING)]);
        assert_eq!((barbara.subjects(), cezary.subjects().len()), (vec![VISIT.to_owned()], 0));
        workspace.feed(&with(appointment("a-1"), &json!({ "employee": "C", "changed_at": "2026-11-23T07:10:00Z" })));
        let _ = import(&workspace).exits(0);
        assert_eq!(counts_of(&sync_all(&workspace, &at(1))), [("b", [0, 0, 1, 0, 0]), ("c", [1, 0, 0, 0, 0])]);
        assert_eq!((barbara.subjects().len(), cezary.subjects()), (0, vec![VISIT.to_owned()]));
        assert_eq!(counts_of(&sync_all(&workspace, &at(2))), [("b", NOTHING), ("c", NOTHING)]);
        workspace.feed(&with(appointment("a-1"), &json!({ "changed_at": "2026-11-23T07:20:00Z" })));
        let _ = import(&workspace).exits(0);
        assert_eq!(counts_of(&sync_all(&workspace, &at(3))), [("b", [1, 0, 0, 0, 0]), ("c", [0, 0, 1, 0, 0])]);
        assert_eq!((barbara.subjects(), cezary.subjects().len()), (vec![VISIT.to_owned()], 0));
        assert_eq!(counts_of(&sync_all(&workspace, &at(4))), [("b", NOTHING), ("c", NOTHING)]);
        assert_eq!(workspace.activities().len(), 1);
    }

    /// Domain 8: what one writes in Outlook is his activity alone, and nobody else's calendar hears of it.
    mailboxes_do_not_mix(kind) {
        let (workspace, barbara, cezary) = two(kind, &["--text-priority", "outlook"]);
        workspace.feed(&appointment("a-1"));
        workspace.feed(&with(appointment("a-2"), &json!({ "employee": "C", "name": "Stocktaking" })));
        workspace.feed(&with(appointment("a-3"), &json!({ "employee": "D", "name": "Nobody's calendar" })));
        let _ = import(&workspace).exits(0);
        assert_eq!(counts_of(&sync_all(&workspace, &at(0))), [("b", [1, 0, 0, 0, 0]), ("c", [1, 0, 0, 0, 0])]);
        let times = "DTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z";
        barbara.add("own-b", &format!("BEGIN:VEVENT\nUID:own-b\n{times}\nSUMMARY:Dentist\nEND:VEVENT"));
        cezary.add("own-c", &format!("BEGIN:VEVENT\nUID:own-c\n{times}\nSUMMARY:Garage\nEND:VEVENT"));
        assert_eq!(counts_of(&sync_all(&workspace, &at(1))), [("b", [0, 0, 0, 0, 1]), ("c", [0, 0, 0, 0, 1])]);
        assert_eq!(counts_of(&sync_all(&workspace, &at(2))), [("b", NOTHING), ("c", NOTHING)]);
        assert_eq!(found(&workspace, "Dentist")["employee"], "B");
        assert_eq!(found(&workspace, "Garage")["employee"], "C");
        assert_eq!(barbara.subjects(), ["Dentist", VISIT]);
        assert_eq!(cezary.subjects(), ["Garage", "SA/2026/a-2 Stocktaking"]);
    }
}

/// A credential that is refused is refused for all mailboxes that share it, and tried once: an identity provider locks out
/// whoever keeps trying.
#[test]
fn a_refused_credential_is_tried_once_for_all_mailboxes() {
    let (workspace, barbara, _) = two(Kind::Graph, &[]);
    barbara.add_credential(&workspace, "login", &barbara.origin(), Some("wrong"));
    barbara.simulator().reset_counters();
    let reports = sync_all(&workspace, &at(0));
    assert!(reports.values().all(|report| state(report) == "reconnect"), "{reports:#?}");
    assert_eq!(barbara.simulator().counters().tokens, 1, "{reports:#?}");
}

/// Issue, *Many mailboxes side by side*: one with a wrong credential and one whose server is down keep nobody else back; each
/// is named; a profile that is not active takes no part.
fn what_fails_keeps_nobody_back(kind: Kind) {
    let workspace = Workspace::new();
    let barbara = Calendar::start(kind, &workspace);
    settings(&workspace);
    let cezary = barbara.of_colleague("cezary");
    let dorota = barbara.of_colleague("dorota");
    let adam = barbara.of_colleague("adam");
    let origin = barbara.origin();
    barbara.add_credential(&workspace, "wrong", &origin, Some("something else"));
    barbara.connect_for(&workspace, "B", "b", &origin, &[]);
    cezary.connect_for(&workspace, "C", "c", &origin, &["--credential", "wrong"]);
    let nowhere = "http://127.0.0.1:1";
    barbara.add_credential(&workspace, "nowhere", nowhere, None);
    dorota.connect_for(&workspace, "D", "d", nowhere, &["--credential", "nowhere"]);
    adam.connect_for(&workspace, "A", "a", &origin, &[]);
    let _ = workspace.run(&["outlook", "profile", "set", "a", "--active", "off"]).exits(0);
    for employee in ["A", "B", "C", "D"] {
        let times = ["--start", "2026-12-02T09:00:00Z", "--end", "2026-12-02T10:00:00Z"];
        let _ = make_for(&workspace, employee, &format!("Visit of {employee}"), &times);
    }
    let ran = synchronised(&workspace, &["--all"], &at(0)).exits(1);
    let reports = ran.json();
    let shown: Vec<_> = reports.as_array().expect("an array").iter().map(|one| one["profile"].as_str()).collect();
    assert_eq!(shown, [Some("b"), Some("c"), Some("d")], "{reports:#}");
    assert_eq!((state(&reports[0]), state(&reports[2])), ("completed", "failed"), "{reports:#}");
    assert!(said(&reports[1]).contains("refuses the credential"), "{reports:#}");
    assert_eq!(counts(&reports[0]), [1, 0, 0, 0, 0]);
    assert_eq!((counts(&reports[1]), counts(&reports[2])), (NOTHING, NOTHING));
    let words = if kind == Kind::Graph { "127.0.0.1 gives no answer" } else { "refuses the connection" };
    assert!(said(&reports[2]).contains(words), "{reports:#}");
    assert_eq!(barbara.subjects(), ["Visit of B"]);
    for other in [&cezary, &dorota, &adam] {
        assert_eq!(other.subjects().len(), 0);
    }
    let table = workspace.run(&["outlook", "sync", "--all", "--as-of", &at(1)]).exits(1).stdout;
    for (profile, is_completed) in [("b", true), ("c", false), ("d", false)] {
        let line = table.lines().find(|line| line.starts_with(&format!("{profile} "))).expect("a row");
        assert_eq!(line.contains("Completed"), is_completed, "{profile}: {table}");
    }
    assert!(!table.contains("something else") && !format!("{ran:?}").contains("something else"));
    // Each of them goes on as soon as it can.
    barbara.add_credential(&workspace, "wrong", &origin, None);
    let set = ["outlook", "profile", "set", "d", "--server", &origin, "--credential", "login"];
    let _ = workspace.run(&set).exits(0);
    let reports = sync_all(&workspace, &at(2));
    assert_eq!(counts_of(&reports), [("b", NOTHING), ("c", [1, 0, 0, 0, 0]), ("d", [1, 0, 0, 0, 0])], "{reports:#?}");
    assert_eq!((cezary.subjects(), dorota.subjects()), (vec!["Visit of C".to_owned()], vec!["Visit of D".to_owned()]));
}

#[test]
fn what_fails_keeps_nobody_back_with_caldav() {
    what_fails_keeps_nobody_back(Kind::CalDav);
}

#[test]
fn what_fails_keeps_nobody_back_with_graph() {
    what_fails_keeps_nobody_back(Kind::Graph);
}

/// Domain 8: the new representative has the appointment even where the old one's calendar cannot be reached; it leaves that
/// one as soon as it can.
fn the_old_calendar_is_tidied_later(kind: Kind) {
    let (workspace, barbara, cezary) = two(kind, &[]);
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace).exits(0);
    assert_eq!(counts_of(&sync_all(&workspace, &at(0))), [("b", [1, 0, 0, 0, 0]), ("c", NOTHING)]);
    let origin = barbara.origin();
    barbara.add_credential(&workspace, "wrong", &origin, Some("something else"));
    let credential = |name: &str| {
        let _ = workspace.run(&["outlook", "profile", "set", "b", "--credential", name]).exits(0);
    };
    credential("wrong");
    workspace.feed(&with(appointment("a-1"), &json!({ "employee": "C", "changed_at": "2026-11-23T07:10:00Z" })));
    let _ = import(&workspace).exits(0);
    for (minute, made) in [(1, 1), (2, 0)] {
        assert_eq!(counts_of(&sync_all(&workspace, &at(minute))), [("b", NOTHING), ("c", [made, 0, 0, 0, 0])]);
    }
    assert_eq!((barbara.subjects().len(), cezary.subjects().len()), (1, 1));
    credential("login");
    assert_eq!(counts_of(&sync_all(&workspace, &at(3))), [("b", [0, 0, 1, 0, 0]), ("c", NOTHING)]);
    assert_eq!((barbara.subjects().len(), cezary.subjects().len()), (0, 1));
}

#[test]
fn the_old_calendar_is_tidied_later_with_caldav() {
    the_old_calendar_is_tidied_later(Kind::CalDav);
}

#[test]
fn the_old_calendar_is_tidied_later_with_graph() {
    the_old_calendar_is_tidied_later(Kind::Graph);
}

/// Three representatives with three kinds of calendars: an appointment wanders through all of them, and is in one at a time.
#[test]
fn an_appointment_wanders_between_kinds_of_calendars() {
    let workspace = Workspace::new();
    settings(&workspace);
    let calendars = [Kind::CalDav, Kind::Graph, Kind::File].map(|kind| Calendar::start(kind, &workspace));
    for (calendar, (employee, name)) in calendars.iter().zip([("B", "b"), ("C", "c"), ("D", "d")]) {
        let (login, origin) = (format!("login-{name}"), calendar.origin());
        let mut more = Vec::new();
        if !origin.is_empty() {
            calendar.add_credential(&workspace, &login, &origin, None);
            more.extend(["--credential", login.as_str()]);
        }
        calendar.connect_for(&workspace, employee, name, &origin, &more);
    }
    for (turn, (employee, place)) in [("B", 0), ("C", 1), ("D", 2), ("B", 0), ("D", 2), ("C", 1)].iter().enumerate() {
        let change = json!({ "employee": employee, "changed_at": format!("2026-11-23T07:{:02}:00Z", turn + 1) });
        workspace.feed(&with(appointment("a-1"), &change));
        let _ = import(&workspace).exits(0);
        let reports = sync_all(&workspace, &at(2 * turn));
        let made: u64 = reports.values().map(|report| counts(report)[0]).sum();
        let deleted: u64 = reports.values().map(|report| counts(report)[2]).sum();
        assert_eq!((made, deleted), (1, u64::from(turn > 0)), "{turn}: {reports:#?}");
        let subjects: Vec<usize> = calendars.iter().map(|calendar| calendar.subjects().len()).collect();
        let wanted: Vec<usize> = (0..3).map(|index| usize::from(index == *place)).collect();
        assert_eq!(subjects, wanted, "{turn}");
        assert!(sync_all(&workspace, &at(2 * turn + 1)).values().all(|report| counts(report) == NOTHING), "{turn}");
    }
    assert_eq!(workspace.activities().len(), 1);
}

/// A profile named alone is the only one that runs, and a name that is none is refused before anything is done.
#[test]
fn only_the_named_profiles_run() {
    let (workspace, barbara, cezary) = two(Kind::File, &[]);
    workspace.feed(&appointment("a-1"));
    workspace.feed(&with(appointment("a-2"), &json!({ "employee": "C" })));
    let _ = import(&workspace).exits(0);
    let refused = synchronised(&workspace, &["b", "x"], &at(0)).exits(2);
    assert!(refused.stderr.contains("`x` is no profile: there are b, c"), "{refused:?}");
    assert!(!fs::exists(barbara.place()).expect("known"));
    let reports = synchronised(&workspace, &["c"], &at(0)).exits(0).json();
    assert_eq!((reports.as_array().map(Vec::len), &reports[0]["profile"]), (Some(1), &json!("c")));
    assert_eq!((barbara.subjects().len(), cezary.subjects().len()), (0, 1));
    let refused = synchronised(&workspace, &[], &at(0)).exits(2);
    assert!(refused.stderr.contains("name a profile, or say --all"), "{refused:?}");
}
