//! To Do.

use serde_json::{Value, json};

use crate::client::{ANNA, Client, World, list, text};
use crate::delta::round;

fn default_list(client: &Client) -> String {
    let lists = client.get("todo/lists").expect(200);
    let found = list(&lists).iter().find(|one| one["wellknownListName"] == "defaultList").unwrap();
    format!("todo/lists/{}/tasks", text(&found["id"]))
}

#[test]
fn due_dates_are_days_cut_off_in_utc() {
    let World { client, .. } = World::new();
    let tasks = default_list(&client);
    let due = |time: &str, zone: &str| {
        let made =
            client.post(&tasks, json!({"title": "t", "dueDateTime": {"dateTime": time, "timeZone": zone}})).expect(201);
        text(&made["dueDateTime"]["dateTime"]).to_owned()
    };
    assert_eq!(due("2026-04-15T16:30:00", "UTC"), "2026-04-15T00:00:00.0000000");
    assert_eq!(due("2026-04-15T00:00:00", "W. Europe Standard Time"), "2026-04-14T00:00:00.0000000");
}

#[test]
fn completing_sets_a_day_and_reopening_takes_it_away() {
    let World { client, .. } = World::new();
    let tasks = default_list(&client);
    let made = client
        .post(&tasks, json!({"title": "t", "reminderDateTime": {"dateTime": "2026-04-15T10:30:00", "timeZone": "UTC"}}))
        .expect(201);
    assert_eq!(made["reminderDateTime"]["dateTime"], "2026-04-15T10:30:00.0000000");
    for name in ["changeKey", "sensitivity", "singleValueExtendedProperties", "dueDateTime", "completedDateTime"] {
        assert!(made.get(name).is_none(), "{name}");
    }
    let one = format!("{tasks}/{}", text(&made["id"]));
    let done = client.patch(&one, json!({"status": "completed"})).expect(200);
    assert_eq!(done["completedDateTime"], json!({"dateTime": "2026-04-01T00:00:00.0000000", "timeZone": "UTC"}));
    assert_ne!(done["@odata.etag"], made["@odata.etag"]);
    assert!(client.patch(&one, json!({"status": "inProgress"})).expect(200).get("completedDateTime").is_none());
    let refused = client.patch(&one, json!({"singleValueExtendedProperties": []}));
    assert_eq!((refused.status, refused.code()), (400, "RequestBodyRead"));
}

#[test]
fn a_task_is_linked_when_it_is_made_and_shows_it_when_expanded() {
    let World { client, .. } = World::new();
    let tasks = default_list(&client);
    let link = |id: &str| json!({"applicationName": "ERP", "externalId": id, "displayName": id});
    let refused = client.post(&tasks, json!({"title": "t", "linkedResources": [link("1"), link("2")]}));
    assert_eq!(
        (refused.code(), &refused.body["error"]["innerError"]["code"]),
        ("invalidRequest", &json!("InvalidModel"))
    );
    let made = client.post(&tasks, json!({"title": "t", "linkedResources": [link("1")]})).expect(201);
    assert_eq!(made["linkedResources"][0]["externalId"], "1");
    let one = format!("{tasks}/{}", text(&made["id"]));
    assert!(client.get(&one).expect(200).get("linkedResources").is_none());
    assert_eq!(
        client.get(&format!("{one}?$expand=linkedResources")).expect(200)["linkedResources"][0]["externalId"],
        "1"
    );
    let resources = client.get(&format!("{one}/linkedResources")).expect(200);
    let resource = format!("{one}/linkedResources/{}", text(&list(&resources)[0]["id"]));
    assert_eq!(client.patch(&resource, json!({"displayName": "new"})).expect(200)["displayName"], "new");
    client.delete(&resource).expect(204);
    assert!(list(&client.get(&format!("{one}/linkedResources")).expect(200)).is_empty());
}

#[test]
fn delta_follows_a_list_and_keeps_its_options() {
    let World { simulator, client } = World::new();
    let tasks = default_list(&client);
    let ids: Vec<String> = (0..3)
        .map(|at| {
            let link = json!([{"applicationName": "ERP", "externalId": at.to_string()}]);
            text(&client.post(&tasks, json!({"title": at.to_string(), "linkedResources": link})).expect(201)["id"])
                .to_owned()
        })
        .collect();
    let (entries, link) = round(&client, &format!("{tasks}/delta?$expand=linkedResources&$top=2"));
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry["linkedResources"][0]["externalId"].is_string()));
    assert_eq!(simulator.counters().of("delta"), 2);
    simulator.user(ANNA).request("PATCH", &format!("{tasks}/{}", ids[0]), json!({"title": "new"})).unwrap();
    client.delete(&format!("{tasks}/{}", ids[1])).expect(204);
    let (entries, _) = round(&client, &link);
    let said: Vec<(&Value, bool)> =
        entries.iter().map(|entry| (&entry["id"], entry.get("@removed").is_some())).collect();
    assert_eq!(said, [(&json!(ids[0]), false), (&json!(ids[1]), true)]);
    assert!(entries[0]["linkedResources"].is_array());
}

#[test]
fn lists_are_made_renamed_and_deleted_and_end_after_sixteen() {
    let World { client, .. } = World::new();
    for at in 0..16 {
        client.post("todo/lists", json!({"displayName": format!("List {at}")})).expect(201);
    }
    let first = client.get("todo/lists").expect(200);
    assert_eq!(list(&first).len(), 16);
    assert!(first.get("@odata.nextLink").is_none());
    assert!(client.get("todo/lists?$top=16").expect(200)["@odata.nextLink"].is_string());
    let mine = list(&first).iter().find(|one| one["displayName"] == "List 0").unwrap();
    let address = format!("todo/lists/{}", text(&mine["id"]));
    assert_eq!(client.patch(&address, json!({"displayName": "ERP"})).expect(200)["displayName"], "ERP");
    client.delete(&address).expect(204);
    assert_eq!(client.get(&format!("{address}/tasks")).status, 404);
    let default = list(&first).iter().find(|one| one["wellknownListName"] == "defaultList").unwrap();
    assert_eq!(client.delete(&format!("todo/lists/{}", text(&default["id"]))).status, 400);
}
