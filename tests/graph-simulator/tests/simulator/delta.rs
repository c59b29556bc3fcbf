//! Delta over a calendar's window, and series in it.

use serde_json::{Value, json};

use crate::client::{ANNA, Client, World, list, text, visit};

const WINDOW: &str = "startDateTime=2026-04-01T00:00:00Z&endDateTime=2026-05-01T00:00:00Z";

/// Follows a round to its end: all entries, and the deltaLink.
pub(crate) fn round(client: &Client, address: &str) -> (Vec<Value>, String) {
    let mut entries = Vec::new();
    let mut next = address.to_owned();
    loop {
        let page = client.get(&next).expect(200);
        entries.extend(list(&page).iter().cloned());
        match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
            (Some(link), None) => next = link.to_owned(),
            (None, Some(link)) => return (entries, link.to_owned()),
            _ => panic!("a page has one link: {page}"),
        }
    }
}

fn start() -> String {
    format!("calendarView/delta?{WINDOW}")
}

#[test]
fn rounds_report_what_changed_and_what_went() {
    let World { simulator, client } = World::new();
    let ids: Vec<String> = (8..13)
        .map(|hour| text(&client.post("events", visit(&format!("at {hour}"), 15, hour)).expect(201)["id"]).to_owned())
        .collect();
    let paged = client.with("prefer", "odata.maxpagesize=2");
    let (entries, link) = round(&paged, &start());
    assert_eq!(entries.len(), 5);
    assert!(
        entries.iter().all(|entry| entry["@odata.type"] == "#microsoft.graph.event" && entry["subject"].is_string())
    );
    assert_eq!(simulator.counters().of("delta"), 3);
    assert!(link.starts_with(simulator.base_url()));
    assert!(round(&client, &link).0.is_empty());

    let anna = simulator.user(ANNA);
    anna.edit_event(&ids[0], json!({"subject": "new"})).unwrap();
    anna.delete_event(&ids[1]).unwrap();
    let out = json!({"start": {"dateTime": "2026-06-15T08:00:00", "timeZone": "UTC"}, "end": {"dateTime": "2026-06-15T09:00:00", "timeZone": "UTC"}});
    anna.edit_event(&ids[2], out).unwrap();
    let other = anna.create_calendar("Private").unwrap();
    anna.move_event(&ids[3], &other).unwrap();
    let (entries, later) = round(&client, &link);
    let removed: Vec<&str> = entries
        .iter()
        .filter(|entry| entry["@removed"]["reason"] == "deleted")
        .map(|entry| text(&entry["id"]))
        .collect();
    assert_eq!(removed, [&ids[1], &ids[2], &ids[3]]);
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[0]["subject"], "new");
    assert!(round(&client, &later).0.is_empty());
    // An old token goes on working, and tells the same again.
    assert_eq!(round(&client, &link).0.len(), 4);
    assert_eq!(client.get("calendarView/delta?$deltatoken=AAAA").status, 410);
}

#[test]
fn parentheses_are_taken_and_options_are_refused() {
    let World { client, .. } = World::new();
    let calendar = text(&list(&client.get("calendars").expect(200))[0]["id"]).to_owned();
    client.get(&format!("calendars/{calendar}/calendarView/delta()?{WINDOW}")).expect(200);
    client.get(&format!("calendars/{calendar}/calendarView/microsoft.graph.delta()?{WINDOW}")).expect(200);
    assert_eq!(client.get("calendarView/delta()?startDateTime=&endDateTime=").status, 400);
    for option in ["$select=subject", "$expand=calendar", "$filter=isAllDay eq true", "$orderby=subject"] {
        assert_eq!(client.get(&format!("{}&{option}", start())).code(), "ErrorInvalidUrlQuery");
    }
    assert_eq!(client.get("events/delta").status, 400);
}

fn weekly(number: u32) -> Value {
    let mut event = visit("Weekly", 6, 9);
    event["recurrence"] = json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
        "range": {"type": "numbered", "startDate": "2026-04-06", "numberOfOccurrences": number},
    });
    event
}

#[test]
fn series_come_as_master_and_bare_occurrences() {
    let World { client, .. } = World::new();
    let master = client.post("events", weekly(10)).expect(201);
    assert_eq!(master["type"], "seriesMaster");
    assert_eq!(master["recurrence"]["range"]["endDate"], "0001-01-01");
    assert_eq!(master["recurrence"]["range"]["recurrenceTimeZone"], "W. Europe Standard Time");
    let (entries, link) = round(&client.with("prefer", "odata.maxpagesize=2"), &start());
    assert_eq!(entries.len(), 5, "the master and four Mondays of April, on one page");
    assert_eq!(entries[0]["recurrence"]["pattern"]["type"], "weekly");
    let mut names: Vec<&String> = entries[1].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["@odata.etag", "@odata.type", "end", "id", "seriesMasterId", "start", "type"]);
    assert_eq!(entries[1]["seriesMasterId"], master["id"]);

    // An occurrence that is changed is an exception, and is reported with its master.
    let second = text(&entries[2]["id"]);
    let changed = client.patch(&format!("events/{second}"), json!({"subject": "Other"})).expect(200);
    assert_eq!(changed["type"], "exception");
    let (entries, link) = round(&client, &link);
    let kinds: Vec<&str> = entries.iter().map(|entry| text(&entry["type"])).collect();
    assert_eq!(kinds, ["seriesMaster", "exception"]);

    // One that is deleted is not announced: the master's list tells.
    client.delete(&format!("events/{second}")).expect(204);
    let (entries, _) = round(&client, &link);
    assert_eq!(entries.len(), 1);
    assert_eq!(client.get(&format!("events/{second}")).status, 404);
    let address =
        format!("events/{}?$select=subject,cancelledOccurrences&$expand=exceptionOccurrences", text(&master["id"]));
    let read = client.get(&address).expect(200);
    assert_eq!(read["cancelledOccurrences"], json!([format!("OID.{}.2026-04-13", text(&master["id"]))]));
    assert_eq!(read["exceptionOccurrences"], json!([]));
    assert!(client.get(&format!("events/{}", text(&master["id"]))).expect(200).get("cancelledOccurrences").is_none());
}

#[test]
fn instances_keep_their_local_time_over_daylight_saving_and_know_their_original_start() {
    let World { client, .. } = World::new();
    let mut event = visit("Weekly", 6, 9);
    for name in ["start", "end"] {
        event[name]["dateTime"] = json!(text(&event[name]["dateTime"]).replace("2026-04-06", "2026-03-23"));
    }
    event["recurrence"] = json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
        "range": {"type": "noEnd", "startDate": "2026-03-23"},
    });
    let master = client.post("events", event).expect(201);
    let instances = format!(
        "events/{}/instances?startDateTime=2026-03-20T00:00:00Z&endDateTime=2026-04-04T00:00:00Z&$select=start,originalStart",
        text(&master["id"])
    );
    let found = client.get(&instances).expect(200);
    let starts: Vec<&str> = list(&found).iter().map(|instance| text(&instance["start"]["dateTime"])).collect();
    assert_eq!(starts, ["2026-03-23T08:00:00.0000000", "2026-03-30T07:00:00.0000000"]);
    assert_eq!(list(&found)[1]["originalStart"], "2026-03-30T07:00:00Z");
    let second = text(&list(&found)[1]["id"]).to_owned();
    let moved = |day: &str| json!({"start": {"dateTime": format!("{day}T15:00:00"), "timeZone": "Europe/Berlin"}, "end": {"dateTime": format!("{day}T16:00:00"), "timeZone": "Europe/Berlin"}});
    assert_eq!(
        client.patch(&format!("events/{second}"), moved("2026-04-06")).code(),
        "ErrorOccurrenceCrossingBoundary"
    );
    client.patch(&format!("events/{second}"), moved("2026-03-31")).expect(200);
    let found = client.get(&instances).expect(200);
    assert_eq!(list(&found)[1]["start"]["dateTime"], "2026-03-31T13:00:00.0000000");
    assert_eq!(list(&found)[1]["originalStart"], "2026-03-30T07:00:00Z");
    let uid = |address: &str| text(&client.get(&format!("events/{address}")).expect(200)["iCalUId"]).to_owned();
    assert_ne!(uid(&second), uid(text(&master["id"])));
}

#[test]
fn the_original_start_of_an_all_day_occurrence_is_no_midnight_in_utc() {
    let World { client, .. } = World::new();
    let made = client
        .post(
            "events",
            json!({"subject": "Fair", "isAllDay": true,
                "start": {"dateTime": "2026-04-14T00:00:00", "timeZone": "UTC"},
                "end": {"dateTime": "2026-04-15T00:00:00", "timeZone": "UTC"},
                "recurrence": {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "numbered", "startDate": "2026-04-14", "numberOfOccurrences": 2}}}),
        )
        .expect(201);
    let found =
        client.get(&format!("events/{}/instances?{WINDOW}&$select=originalStart,start", text(&made["id"]))).expect(200);
    assert_eq!(list(&found)[0]["start"]["dateTime"], "2026-04-14T00:00:00.0000000");
    assert_eq!(list(&found)[0]["originalStart"], "2026-04-13T22:00:00Z");
}

#[test]
fn a_series_older_than_the_window_is_in_it_by_its_instances() {
    let World { client, .. } = World::new();
    let mut event = weekly(100);
    for name in ["start", "end"] {
        event[name]["dateTime"] = json!(text(&event[name]["dateTime"]).replace("2026-04-06", "2025-01-06"));
    }
    event["recurrence"]["range"]["startDate"] = json!("2025-01-06");
    client.post("events", event).expect(201);
    let (entries, link) = round(&client, &start());
    assert_eq!(entries.len(), 5);
    let master = text(&entries[0]["id"]);
    client.delete(&format!("events/{master}")).expect(204);
    let (entries, _) = round(&client, &link);
    assert_eq!(entries.iter().filter(|entry| entry["@removed"].is_object()).count(), 5);
}
