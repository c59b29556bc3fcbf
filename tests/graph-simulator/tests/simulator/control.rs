//! The control interface over HTTP, and the program itself.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use graph_simulator::{FaultName, catalogue, fault_table};
use serde_json::{Value, json};

use crate::client::{ANNA, World, list, text, visit};

#[test]
fn a_test_acts_as_the_user_without_being_counted() {
    let World { simulator, client } = World::new();
    let hand = format!("/_simulator/as-user/{ANNA}");
    let made = client.post(&format!("{hand}/events"), visit("by hand", 15, 9)).expect(201);
    client.post("/_simulator/faults", json!({"name": "access-denied"})).expect(201);
    client.patch(&format!("{hand}/events/{}", text(&made["id"])), json!({"subject": "again"})).expect(200);
    assert_eq!(simulator.counters().total(), 0);
    assert_eq!(client.get("events").status, 403);
    let state = client.get(&format!("/_simulator/state/{ANNA}")).expect(200);
    assert_eq!(state["calendars"][0]["events"][0]["subject"], "again");
    client.delete("/_simulator/faults").expect(204);
    assert_eq!(list(&client.get("events").expect(200)).len(), 1);
    let counters = client.get("/_simulator/counters").expect(200);
    assert_eq!(counters["requests"]["GET /v1.0/users/{user}/events"], 2);
    assert_eq!(counters["statuses"], json!({"200": 1, "403": 1}));
}

#[test]
fn someone_elses_meeting_and_a_read_only_calendar_can_be_made() {
    let World { simulator, client } = World::new();
    let anna = simulator.user(ANNA);
    let mut meeting = visit("Invited", 15, 9);
    meeting["organizer"] = json!({"emailAddress": {"name": "Boss", "address": "boss@example.com"}});
    let made = anna.request("POST", "events", meeting.clone()).unwrap();
    assert_eq!(
        (&made["isOrganizer"], &made["organizer"]["emailAddress"]["address"]),
        (&json!(false), &json!("boss@example.com"))
    );
    assert_eq!(client.post("events", meeting).expect(201)["isOrganizer"], true, "a client cannot");
    let holidays = anna.create_calendar("Holidays").unwrap();
    anna.request("PATCH", &format!("calendars/{holidays}"), json!({"canEdit": false})).unwrap();
    assert_eq!(client.post(&format!("calendars/{holidays}/events"), visit("A", 15, 9)).status, 403);
}

#[test]
fn the_clock_stops_and_goes_on() {
    let World { simulator, client } = World::new();
    let stamp = |client: &crate::client::Client| {
        text(&client.post("events", visit("A", 15, 9)).expect(201)["createdDateTime"]).to_owned()
    };
    assert_eq!(stamp(&client), "2026-04-01T08:00:00.0000000Z");
    client.send("PUT", "/_simulator/clock", Some(json!({"advance": 90}))).expect(200);
    assert_eq!(stamp(&client), "2026-04-01T08:01:30.0000000Z");
    client.send("PUT", "/_simulator/clock", Some(json!({"now": "2027-01-01T00:00:00Z"}))).expect(200);
    assert_eq!(stamp(&client), "2027-01-01T00:00:00.0000000Z");
    client.post("/_simulator/reset", Value::Null).expect(204);
    assert!(simulator.user(ANNA).events("Calendar").is_empty());
    assert_eq!(client.get("events").status, 401, "a fresh service knows no token");
}

#[test]
fn two_simulators_say_the_same() {
    let tell = || {
        let World { client, .. } = World::new();
        let made = client.post("events", visit("A", 15, 9)).expect(201);
        (made["id"].clone(), made["changeKey"].clone(), client.token.clone())
    };
    assert_eq!(tell(), tell());
}

#[test]
fn the_table_of_faults_is_in_the_documentation() {
    let written = include_str!("../../faults.md");
    assert_eq!(
        written,
        fault_table(),
        "write it anew: graph-simulator --list-faults > tests/graph-simulator/faults.md"
    );
    assert!(
        catalogue().len() >= 20 && catalogue().iter().all(|fault| !fault.seen.is_empty() && !fault.what.is_empty())
    );
    let name: FaultName = serde_json::from_value(json!(FaultName::SavedBut503.text())).unwrap();
    assert_eq!((name, name.text().as_str()), (FaultName::SavedBut503, "saved-but-503"));
}

#[test]
fn the_program_says_where_it_listens_and_ends_with_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("certificate.pem");
    let mut program = Command::new(env!("CARGO_BIN_EXE_graph-simulator"))
        .args(["--until-input-closes", "--mailbox", "otto@contoso.example=Europe/Berlin", "--certificate"])
        .arg(&certificate)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let mut overview = ureq::get(format!("{}/_simulator", text(&said["http"]))).call().unwrap();
    let overview: Value = overview.body_mut().read_json().unwrap();
    assert_eq!((&overview["mailboxes"][0], &overview["https"]), (&json!("otto@contoso.example"), &said["https"]));
    assert!(std::fs::read_to_string(&certificate).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
}
