//! Every fault, switched on and seen to strike.

use graph_simulator::{Fault, FaultName, catalogue};
use serde_json::{Value, json};

use crate::client::{ANNA, World, list, text, visit};
use crate::delta::round;

const WINDOW: &str = "calendarView/delta?startDateTime=2026-04-01T00:00:00Z&endDateTime=2026-05-01T00:00:00Z";

fn world_with(fault: Fault) -> World {
    let world = World::new();
    world.simulator.switch_on(fault);
    world
}

/// The faults that are an error and nothing else, with what they answer.
#[test]
fn refusals_refuse_and_change_nothing() {
    let table = [
        (FaultName::Throttled, 429, "ApplicationThrottled", Some("1")),
        (FaultName::ThrottledWithoutRetryAfter, 429, "ApplicationThrottled", None),
        (FaultName::ServiceUnavailable, 503, "ServiceUnavailable", Some("1")),
        (FaultName::UnknownError503, 503, "UnknownError", None),
        (FaultName::GatewayTimeout, 504, "GatewayTimeout", None),
        (FaultName::AccessDenied, 403, "ErrorAccessDenied", None),
        (FaultName::MailboxFull, 507, "ErrorQuotaExceeded", None),
        (FaultName::BandwidthExceeded, 509, "ErrorExceededConnectionCount", None),
        (FaultName::TokenRefused, 401, "InvalidAuthenticationToken", None),
        (FaultName::TokenExpired, 401, "InvalidAuthenticationToken", None),
    ];
    for (name, status, code, retry_after) in table {
        let World { simulator, client } = world_with(Fault::new(name).times(1).on("POST"));
        client.get("calendars").expect(200);
        let refused = client.post("events", visit("A", 15, 9));
        assert_eq!((refused.status, refused.code()), (status, code), "{}", name.text());
        assert_eq!(refused.header("retry-after"), retry_after, "{}", name.text());
        assert_eq!(simulator.struck(name), 1);
        assert!(simulator.user(ANNA).events("Calendar").is_empty(), "{}", name.text());
    }
}

#[test]
fn an_expired_token_stays_expired_and_a_new_one_works() {
    let World { simulator, mut client } = world_with(Fault::new(FaultName::TokenExpired).times(1).after(1));
    client.get("calendars").expect(200);
    assert_eq!(client.get("calendars").status, 401);
    assert_eq!(client.get("calendars").status, 401);
    client.token = simulator.access_token(None);
    client.get("calendars").expect(200);
}

#[test]
fn some_failures_come_after_the_deed() {
    for (name, status, code) in
        [(FaultName::SavedBut503, 503, "ConcurrentItemSave"), (FaultName::GatewayTimeoutAfter, 504, "GatewayTimeout")]
    {
        let World { simulator, client } = world_with(Fault::new(name).times(1));
        let answer = client.post("events", visit("A", 15, 9));
        assert_eq!((answer.status, answer.code()), (status, code));
        assert_eq!(simulator.user(ANNA).events("Calendar").len(), 1);
    }
    for (name, made) in [(FaultName::LostAnswer, 1), (FaultName::LostRequest, 0)] {
        let World { simulator, client } = world_with(Fault::new(name).times(1));
        assert!(client.try_send("POST", "events", Some(visit("A", 15, 9))).is_err());
        assert_eq!(simulator.user(ANNA).events("Calendar").len(), made);
        client.post("events", visit("B", 15, 9)).expect(201);
    }
}

#[test]
fn a_transaction_id_that_nobody_looks_at_lets_doubles_in() {
    let World { simulator, client } = world_with(Fault::new(FaultName::TransactionIdIgnored));
    let mut event = visit("A", 15, 9);
    event["transactionId"] = json!("t-1");
    let ids = [client.post("events", event.clone()).expect(201), client.post("events", event).expect(201)];
    assert_ne!(ids[0]["id"], ids[1]["id"]);
    assert_eq!(simulator.user(ANNA).events("Calendar").len(), 2);
}

#[test]
fn broken_answers_are_broken() {
    let World { client, .. } = world_with(Fault::new(FaultName::TruncatedBody).times(1));
    assert!(matches!(client.get("calendars").body, Value::String(_)));
    let World { client, .. } = world_with(Fault::new(FaultName::HtmlErrorPage).times(1));
    let page = client.get("calendars");
    assert_eq!((page.status, page.header("content-type")), (500, Some("text/html")));
    let World { simulator, client } = world_with(Fault::new(FaultName::SlowAnswers).value(1).times(1));
    client.get("calendars").expect(200);
    assert_eq!(simulator.struck(FaultName::SlowAnswers), 1);
}

#[test]
fn a_delta_round_is_gone_in_three_ways() {
    let World { simulator, client } = World::new();
    for hour in 8..12 {
        client.post("events", visit("A", 15, hour)).expect(201);
    }
    let paged = client.with("prefer", "odata.maxpagesize=2");
    simulator.switch_on(Fault::new(FaultName::GoneMidRound).times(1));
    let first = paged.get(WINDOW).expect(200);
    let gone = paged.get(text(&first["@odata.nextLink"]));
    assert_eq!((gone.status, gone.code(), gone.header("location")), (410, "syncStateNotFound", None));

    let (_, link) = round(&client, WINDOW);
    simulator.switch_on(Fault::new(FaultName::GoneFullSync).times(1));
    let gone = client.get(&link);
    assert_eq!((gone.status, gone.code()), (410, "fullSyncRequired"));
    simulator.switch_on(Fault::new(FaultName::GoneWithLocation).times(1));
    let gone = client.get(&link);
    assert_eq!((gone.status, gone.code()), (410, "resyncRequired"));
    assert_eq!(round(&client, gone.header("location").unwrap()).0.len(), 4);
}

#[test]
fn delta_says_too_much_too_little_and_too_late() {
    let World { simulator, client } = World::new();
    let ids: Vec<Value> =
        (8..10).map(|hour| client.post("events", visit("A", 15, hour)).expect(201)["id"].clone()).collect();
    let mut elsewhere = visit("June", 15, 9);
    for name in ["start", "end"] {
        elsewhere[name]["dateTime"] = json!(text(&elsewhere[name]["dateTime"]).replace("-04-", "-06-"));
    }
    let (_, link) = round(&client, WINDOW);

    simulator.switch_on(Fault::new(FaultName::RemovedOutsideWindow));
    let outside = client.post("events", elsewhere).expect(201);
    let (entries, link) = round(&client, &link);
    assert_eq!((&entries[0]["id"], &entries[0]["@removed"]["reason"]), (&outside["id"], &json!("deleted")));
    simulator.switch_all_off();

    simulator.switch_on(Fault::new(FaultName::UnreportedDeletion).times(1));
    client.delete(&format!("events/{}", text(&ids[0]))).expect(204);
    let (entries, link) = round(&client, &link);
    assert!(entries.is_empty());
    assert!(round(&client, &link).0.is_empty(), "it is never told");

    simulator.switch_on(Fault::new(FaultName::LateVisibility).value(2).times(1));
    client.post("events", visit("late", 16, 9)).expect(201);
    let (entries, link) = round(&client, &link);
    assert!(entries.is_empty());
    let (entries, link) = round(&client, &link);
    assert!(entries.is_empty());
    let (entries, link) = round(&client, &link);
    assert_eq!(entries[0]["subject"], "late");

    simulator.switch_on(Fault::new(FaultName::EmptyPages));
    simulator.switch_on(Fault::new(FaultName::ReplayedEntries));
    client.post("events", visit("B", 17, 9)).expect(201);
    client.post("events", visit("C", 17, 10)).expect(201);
    simulator.reset_counters();
    let (entries, _) = round(&client.with("prefer", "odata.maxpagesize=1"), &link);
    let subjects: Vec<&str> = entries.iter().map(|entry| text(&entry["subject"])).collect();
    assert_eq!(subjects, ["B", "B", "C", "C"]);
    assert_eq!(simulator.counters().of("delta"), 4, "an empty page before each");
}

#[test]
fn delta_with_expand_is_an_error_of_the_service() {
    let World { client, .. } = world_with(Fault::new(FaultName::ExtendedPropertyDelta));
    assert_eq!(client.get(&format!("{WINDOW}&$expand=singleValueExtendedProperties($filter=id eq 'x')")).status, 500);
}

#[test]
fn links_and_redirects_lead_to_strangers() {
    let World { simulator, client } = world_with(Fault::new(FaultName::ForeignNextLink).times(1));
    let page = client.get(WINDOW).expect(200);
    assert!(text(&page["@odata.deltaLink"]).starts_with("https://attacker.example/v1.0/users/"));
    simulator.switch_on(Fault::new(FaultName::ForeignRedirect).times(1));
    let redirect = client.get("calendars");
    assert_eq!((redirect.status, redirect.header("location")), (302, Some("https://attacker.example/collect")));
}

#[test]
fn a_filter_finds_what_is_new_only_later() {
    let World { client, .. } = world_with(Fault::new(FaultName::FilterLag).value(2).times(1));
    client.post("events", visit("A", 15, 9)).expect(201);
    let found = || list(&client.get("events?$filter=subject eq 'A'").expect(200)).len();
    assert_eq!([found(), found(), found()], [0, 0, 1]);
}

#[test]
fn a_fifth_request_at_a_time_is_throttled() {
    let World { simulator, client } = world_with(Fault::new(FaultName::MailboxConcurrency).value(300));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..12).map(|_| scope.spawn(|| client.clone().get("calendars").status)).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [200, 429].contains(status)));
    let throttled = statuses.iter().filter(|status| **status == 429).count() as u64;
    // However the threads ran: who was a fifth was refused, and nobody else.
    assert_eq!(simulator.counters().most_at_a_time > 4, throttled > 0);
    client.get("calendars").expect(200);
}

#[test]
fn conflicts_and_writes_that_are_none() {
    let World { simulator, client } = World::new();
    let made = client.post("events", visit("A", 15, 9)).expect(201);
    let address = format!("events/{}", text(&made["id"]));
    simulator.switch_on(Fault::new(FaultName::ConflictWithoutReason).times(1));
    assert_eq!(client.patch(&address, json!({"subject": "B"})).code(), "ErrorIrresolvableConflict");
    simulator.switch_on(Fault::new(FaultName::WriteIgnored).times(1));
    client.patch(&address, json!({"subject": "C"})).expect(200);
    assert_eq!(client.get(&address).expect(200)["subject"], "A");
    simulator.switch_on(Fault::new(FaultName::EtagDrift).times(1));
    let changed = client.patch(&address, json!({"subject": "D"})).expect(200);
    let read = client.get(&address).expect(200);
    assert_ne!(changed["@odata.etag"], read["@odata.etag"]);
    simulator.switch_on(Fault::new(FaultName::BodyRewritten).times(1));
    let changed = client.patch(&address, json!({"body": {"contentType": "text", "content": "words"}})).expect(200);
    let read = client.get(&address).expect(200);
    assert_ne!(changed["body"]["content"], read["body"]["content"]);
    assert_eq!(changed["bodyPreview"], read["bodyPreview"]);
}

#[test]
fn zones_are_refused_and_made_up() {
    let World { simulator, client } = world_with(Fault::new(FaultName::ZoneRefused));
    let mut event = visit("A", 15, 9);
    client.post("events", event.clone()).expect(201);
    event["start"]["timeZone"] = json!("Europe/Berlin");
    assert_eq!(client.post("events", event).code(), "TimeZoneNotSupportedException");
    simulator.switch_on(Fault::new(FaultName::CustomOriginalZone));
    assert_eq!(list(&client.get("events").expect(200))[0]["originalStartTimeZone"], "tzone://Microsoft/Custom");
}

#[test]
fn days_of_tasks_are_off_by_one() {
    let World { simulator, client } = world_with(Fault::new(FaultName::DueDateOff));
    simulator.switch_on(Fault::new(FaultName::CompletedDateOff));
    let lists = client.get("todo/lists").expect(200);
    let tasks = format!("todo/lists/{}/tasks", text(&list(&lists)[0]["id"]));
    let task = json!({"title": "t", "status": "completed", "dueDateTime": {"dateTime": "2026-04-15T00:00:00", "timeZone": "UTC"}});
    let made = client.post(&tasks, task).expect(201);
    assert_eq!(made["dueDateTime"]["dateTime"], "2026-04-14T00:00:00.0000000");
    assert_eq!(made["completedDateTime"]["dateTime"], "2026-03-31T00:00:00.0000000");
}

#[test]
fn ids_of_occurrences_do_not_last() {
    let World { client, .. } = world_with(Fault::new(FaultName::OccurrenceIdsChange));
    let mut event = visit("A", 6, 9);
    event["recurrence"] = json!({"pattern": {"type": "daily", "interval": 1}, "range": {"type": "numbered", "startDate": "2026-04-06", "numberOfOccurrences": 3}});
    let master = client.post("events", event).expect(201);
    let address = format!("events/{}", text(&master["id"]));
    let instances = format!("{address}/instances?startDateTime=2026-04-01T00:00:00Z&endDateTime=2026-05-01T00:00:00Z");
    let first = || text(&list(&client.get(&instances).expect(200))[0]["id"]).to_owned();
    let before = first();
    client.patch(&address, json!({"subject": "B"})).expect(200);
    assert_ne!(first(), before);
    assert_eq!(client.get(&format!("events/{before}")).status, 404);
}

#[test]
fn calendars_and_whole_mailboxes_disappear() {
    let World { simulator, client } = World::new();
    let sales = simulator.user(ANNA).create_calendar("Sales").unwrap();
    client.post("events", visit("A", 15, 9)).expect(201);
    simulator.switch_on(Fault::new(FaultName::CalendarDeleted).times(1));
    assert_eq!(client.get(&format!("calendars/{sales}/events")).code(), "ErrorItemNotFound");
    simulator.switch_on(Fault::new(FaultName::MailboxEmptied).times(1));
    assert!(list(&client.get("events").expect(200)).is_empty());
}

#[test]
fn a_fault_is_switched_on_by_its_name_and_limits_itself() {
    let World { simulator, client } = World::new();
    simulator.add_mailbox("bert@contoso.example", "UTC").unwrap();
    let fault = json!({"name": "throttled", "after": 1, "count": 1, "on": "GET /v1.0/users/{user}/calendars", "mailbox": ANNA, "value": "9"});
    let number = client.post("/_simulator/faults", fault).expect(201)["number"].clone();
    client.get("/v1.0/users/bert@contoso.example/calendars").expect(200);
    client.get("events").expect(200);
    client.get("calendars").expect(200);
    assert_eq!(client.get("calendars").header("retry-after"), Some("9"));
    client.get("calendars").expect(200);
    let active = client.get("/_simulator/faults").expect(200);
    assert_eq!((&active[0]["seen"], &active[0]["struck"]), (&json!(3), &json!(1)));
    client.delete(&format!("/_simulator/faults/{number}")).expect(204);
    assert_eq!(client.get("/_simulator/faults/catalogue").expect(200).as_array().unwrap().len(), catalogue().len());
    assert_eq!(client.post("/_simulator/faults", json!({"name": "no-such-fault"})).status, 400);
}
