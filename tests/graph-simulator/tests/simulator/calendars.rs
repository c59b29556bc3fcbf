//! Calendars and events one by one.

use serde_json::{Value, json};

use crate::client::{ANNA, Client, World, list, text, visit};

const LINK: &str = "String {9a1f3c5e-0b2d-4c6e-8f70-123456789abc} Name erplink";

#[test]
fn calendars_are_listed_made_renamed_and_deleted() {
    let World { client, .. } = World::new();
    let made = client.post("calendars", json!({"name": "Sales"})).expect(201);
    let id = text(&made["id"]);
    assert_eq!(client.post("calendars", json!({"name": "Sales"})).code(), "ErrorFolderExists");
    let calendars = client.get("calendars?$select=id,name,canEdit,isDefaultCalendar,owner").expect(200);
    assert_eq!(list(&calendars).len(), 2);
    assert_eq!(list(&calendars)[0]["isDefaultCalendar"], true);
    assert_eq!(list(&calendars)[1]["owner"]["address"], ANNA);
    assert!(list(&calendars)[1].get("color").is_none());
    client.patch(&format!("calendars/{id}"), json!({"name": "Visits"})).expect(200);
    assert_eq!(client.get(&format!("calendars/{id}")).expect(200)["name"], "Visits");
    client.post(&format!("calendars/{id}/events"), visit("A", 15, 12)).expect(201);
    client.delete(&format!("calendars/{id}")).expect(204);
    assert_eq!(client.get(&format!("calendars/{id}/events")).code(), "ErrorItemNotFound");
    assert_eq!(client.delete(&format!("calendars/{}", text(&list(&calendars)[0]["id"]))).status, 400);
}

#[test]
fn times_come_back_in_utc_in_seven_digits_unless_a_zone_is_preferred() {
    let World { client, .. } = World::new();
    let made = client.post("events", visit("A", 15, 12)).expect(201);
    assert_eq!(
        made["start"],
        json!({"dateTime": "2026-04-15T12:00:00.0000000", "timeZone": "W. Europe Standard Time"})
    );
    let address = format!("events/{}", text(&made["id"]));
    let read = client.get(&address).expect(200);
    assert_eq!(read["start"], json!({"dateTime": "2026-04-15T10:00:00.0000000", "timeZone": "UTC"}));
    assert_eq!(read["originalStartTimeZone"], "W. Europe Standard Time");
    let preferred = client.with("prefer", "outlook.timezone=\"Eastern Standard Time\"").get(&address);
    assert!(preferred.header("preference-applied").unwrap().contains("outlook.timezone"));
    assert_eq!(
        preferred.body["start"],
        json!({"dateTime": "2026-04-15T06:00:00.0000000", "timeZone": "Eastern Standard Time"})
    );
    assert_eq!(
        client.with("prefer", "outlook.timezone=\"Nowhere\"").get(&address).code(),
        "TimeZoneNotSupportedException"
    );
    let mut unknown = visit("B", 15, 12);
    unknown["start"]["timeZone"] = json!("Europe/Kyiv");
    let refused = client.post("events", unknown);
    assert_eq!((refused.status, refused.code()), (400, "TimeZoneNotSupportedException"));
    let mut iana = visit("C", 15, 12);
    iana["start"]["timeZone"] = json!("Europe/Berlin");
    assert_eq!(client.post("events", iana).expect(201)["originalStartTimeZone"], "W. Europe Standard Time");
}

#[test]
fn all_day_events_are_midnights_whatever_zone_is_asked_for() {
    let World { client, .. } = World::new();
    let day = |start: &str, end: &str| {
        json!({"subject": "Fair", "isAllDay": true,
            "start": {"dateTime": start, "timeZone": "W. Europe Standard Time"},
            "end": {"dateTime": end, "timeZone": "W. Europe Standard Time"}})
    };
    assert_eq!(client.post("events", day("2026-04-15T08:00:00", "2026-04-16T00:00:00")).status, 400);
    assert_eq!(client.post("events", day("2026-04-15T00:00:00", "2026-04-15T00:00:00")).status, 400);
    let made = client.post("events", day("2026-04-15T00:00:00", "2026-04-16T00:00:00")).expect(201);
    let reader = client.with("prefer", "outlook.timezone=\"Pacific Standard Time\"");
    let read = reader.get(&format!("events/{}", text(&made["id"]))).expect(200);
    assert_eq!(read["start"], json!({"dateTime": "2026-04-15T00:00:00.0000000", "timeZone": "Pacific Standard Time"}));
}

#[test]
fn bodies_come_back_as_html_documents_unless_text_is_preferred() {
    let World { client, .. } = World::new();
    let mut event = visit("A", 15, 12);
    event["body"] = json!({"contentType": "text", "content": "Bring <samples>"});
    let made = client.post("events", event.clone()).expect(201);
    assert_eq!(made["body"]["contentType"], "html");
    assert!(text(&made["body"]["content"]).starts_with("<html>\r\n<head>"));
    assert_eq!(made["bodyPreview"], "Bring <samples>");
    let read =
        client.with("prefer", "outlook.body-content-type=\"text\"").get(&format!("events/{}", text(&made["id"])));
    assert_eq!(read.body["body"], json!({"contentType": "text", "content": "Bring <samples>\r\n"}));
    event["body"] = Value::Null;
    assert_eq!(client.post("events", event).status, 400);
}

#[test]
fn if_match_protects_what_others_changed() {
    let World { simulator, client } = World::new();
    let made = client.post("events", visit("A", 15, 12)).expect(201);
    let (id, etag) = (text(&made["id"]).to_owned(), text(&made["@odata.etag"]).to_owned());
    assert_eq!(etag, format!("W/\"{}\"", text(&made["changeKey"])));
    simulator.user(ANNA).edit_event(&id, json!({"subject": "Edited by hand"})).unwrap();
    let address = format!("events/{id}");
    let refused = client.with("if-match", &etag).patch(&address, json!({"subject": "B"}));
    assert_eq!((refused.status, refused.code()), (412, "ErrorIrresolvableConflict"));
    assert_eq!(client.with("if-match", &etag).delete(&address).status, 412);
    let fresh = client.get(&address);
    let etag = fresh.header("etag").unwrap().to_owned();
    assert_eq!(client.with("if-match", etag).patch(&address, json!({"subject": "B"})).expect(200)["subject"], "B");
    client.delete(&address).expect(204);
    let gone = client.get(&address);
    assert_eq!((gone.status, gone.code()), (404, "ErrorItemNotFound"));
    assert!(gone.body["error"]["innerError"]["request-id"].is_string());
    assert_eq!(gone.header("request-id"), gone.body["error"]["innerError"]["request-id"].as_str());
    assert_eq!(client.get("events/nonsense").code(), "ErrorInvalidIdMalformed");
}

#[test]
fn a_transaction_id_makes_one_event() {
    let World { simulator, client } = World::new();
    let mut event = visit("A", 15, 12);
    event["transactionId"] = json!("7d0c7b1e-3f5a-5d6e-9c1b-0a1b2c3d4e5f");
    let first = client.post("events", event.clone()).expect(201);
    let again = client.post("events", event.clone()).expect(201);
    assert_eq!(first["id"], again["id"]);
    event["subject"] = json!("another");
    let refused = client.post("events", event);
    assert_eq!((refused.status, refused.code()), (409, "ErrorDuplicateTransactionId"));
    let patch = client.patch(&format!("events/{}", text(&first["id"])), json!({"transactionId": "x"}));
    assert_eq!((patch.status, patch.code()), (400, "ErrorInvalidRequest"));
    assert_eq!(simulator.user(ANNA).events("Calendar").len(), 1);
}

#[test]
fn extended_properties_are_found_but_shown_only_when_expanded() {
    let World { client, .. } = World::new();
    let calendar = client.post("calendars", json!({"name": "Sales"})).expect(201);
    let events = format!("calendars/{}/events", text(&calendar["id"]));
    let mut event = visit("A", 15, 12);
    event["singleValueExtendedProperties"] = json!([{"id": LINK, "value": "L-1"}]);
    let made = client.post(&events, event).expect(201);
    assert!(made.get("singleValueExtendedProperties").is_none());
    client.post(&events, visit("B", 15, 14)).expect(201);
    let filter = |value: &str| {
        format!("{events}?$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{LINK}' and ep/value eq '{value}')")
    };
    let found = client.get(&filter("l-1")).expect(200);
    assert_eq!(list(&found).len(), 1);
    assert!(list(&found)[0].get("singleValueExtendedProperties").is_none());
    assert!(list(&client.get(&filter("L-2")).expect(200)).is_empty());
    let expand = format!("$select=id&$expand=singleValueExtendedProperties($filter=id eq '{LINK}'),calendar");
    let read = client.get(&format!("events/{}?{expand}", text(&made["id"]))).expect(200);
    assert_eq!(read["singleValueExtendedProperties"], json!([{"id": LINK, "value": "L-1"}]));
    assert_eq!(read["calendar"]["name"], "Sales");
    assert!(read.get("subject").is_none());
    assert_eq!(client.get(&format!("events/{}?$expand=singleValueExtendedProperties", text(&made["id"]))).status, 400);
}

#[test]
fn what_graph_does_not_know_is_refused() {
    let World { client, .. } = World::new();
    let with = |name: &str, value: Value| {
        let mut event = visit("A", 15, 12);
        event[name] = value;
        client.post("events", event)
    };
    assert_eq!(with("colour", json!("red")).code(), "RequestBodyRead");
    assert_eq!(with("showAs", json!("asleep")).code(), "RequestBodyRead");
    assert_eq!(with("sensitivity", Value::Null).status, 400);
    assert_eq!(with("end", json!({"dateTime": "2026-04-14T12:00:00", "timeZone": "UTC"})).status, 400);
    assert_eq!(with("sensitivity", json!("Private")).expect(201)["sensitivity"], "private");
    assert_eq!(client.get("nothing").status, 400);
}

#[test]
fn an_immutable_id_survives_a_move_and_the_ordinary_one_does_not() {
    let World { simulator, client } = World::new();
    let ordinary = client.without_preferences();
    let made = ordinary.post("events", visit("A", 15, 12)).expect(201);
    let short_lived = text(&made["id"]).to_owned();
    let lasting = text(&client.get(&format!("events/{short_lived}")).expect(200)["id"]).to_owned();
    assert_ne!(short_lived, lasting);
    let anna = simulator.user(ANNA);
    let other = anna.create_calendar("Private").unwrap();
    anna.move_event(&lasting, &other).unwrap();
    assert_eq!(ordinary.get(&format!("events/{short_lived}")).status, 404);
    let moved = client.get(&format!("events/{lasting}?$expand=calendar")).expect(200);
    assert_eq!(moved["id"], lasting.as_str());
    assert_eq!(moved["calendar"]["name"], "Private");
}

#[test]
fn mail_to_attendees_is_counted() {
    let World { simulator, client } = World::new();
    let guest = |name: &str| json!({"emailAddress": {"address": format!("{name}@example.com"), "name": name}, "type": "required"});
    client.post("events", visit("alone", 15, 9)).expect(201);
    assert_eq!(simulator.counters().mails.total(), 0);
    let mut event = visit("A", 15, 12);
    event["attendees"] = json!([guest("otto"), guest("eva")]);
    let made = client.post("events", event).expect(201);
    let address = format!("events/{}", text(&made["id"]));
    assert_eq!(simulator.counters().mails.invitations, 2);
    client.patch(&address, json!({"attendees": [guest("otto"), guest("ida")]})).expect(200);
    let mails = simulator.counters().mails;
    assert_eq!((mails.invitations, mails.updates, mails.cancellations), (3, 0, 1));
    client.patch(&address, json!({"subject": "B"})).expect(200);
    assert_eq!(simulator.counters().mails.updates, 2);
    client.delete(&address).expect(204);
    assert_eq!(simulator.counters().mails.cancellations, 3);
}

#[test]
fn collections_are_paged_by_next_links() {
    let World { client, .. } = World::new();
    for hour in 8..19 {
        client.post("events", visit(&format!("at {hour}"), 15, hour)).expect(201);
    }
    let first = client.get("events?$top=6&$select=subject&$orderby=start/dateTime desc&$count=true").expect(200);
    assert_eq!((list(&first).len(), &first["@odata.count"]), (6, &json!(11)));
    assert_eq!(list(&first)[0]["subject"], "at 18");
    let second = client.get(text(&first["@odata.nextLink"])).expect(200);
    assert_eq!(list(&second).len(), 5);
    assert!(second.get("@odata.nextLink").is_none());
    // Each end of the window has its own offset.
    let view = client
        .get("calendarView?startDateTime=2026-04-15T07:30:00&endDateTime=2026-04-15T11:00:00%2B02:00")
        .expect(200);
    let subjects: Vec<&str> = list(&view).iter().map(|event| text(&event["subject"])).collect();
    assert_eq!(subjects, ["at 9", "at 10"]);
}

#[test]
fn a_user_who_logged_in_is_me_and_nobody_else() {
    let World { simulator, client } = World::new();
    simulator.add_mailbox("bert@contoso.example", "UTC").unwrap();
    let anna = Client::new(&simulator, Some(ANNA));
    assert_eq!(anna.get("/v1.0/me").expect(200)["mail"], ANNA);
    anna.post("/v1.0/me/events", visit("A", 15, 12)).expect(201);
    assert_eq!(anna.get("/v1.0/users/bert@contoso.example/events").status, 403);
    assert_eq!(client.get("/v1.0/me").status, 400);
    assert_eq!(client.get("/v1.0/users/nobody@contoso.example/events").status, 404);
    let settings = anna.get("/v1.0/me/mailboxSettings").expect(200);
    assert_eq!(settings["timeZone"], "W. Europe Standard Time");
    let zones = anna
        .get("/v1.0/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')")
        .expect(200);
    assert!(list(&zones).iter().any(|zone| zone["alias"] == "Europe/Berlin"));
    let zones = anna.get("/v1.0/me/outlook/supportedTimeZones").expect(200);
    assert!(list(&zones).iter().any(|zone| zone["alias"] == "W. Europe Standard Time"));
}
