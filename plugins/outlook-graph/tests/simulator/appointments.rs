//! A day's work on a calendar.

use apptsync_plugin::connector::{Change, Content, Entry, Fields, Identity, Item, Kind, Operation};
use apptsync_plugin::types::{AllDay, Failure, Period, Priority, Timed};
use serde_json::json;

use crate::support::{
    Bench, HOUR, MORNING, adopt, create, entry, is_ours, mark, our_id, present, reference, update, visit,
};

fn bench() -> Bench {
    Bench::new(Kind::Appointment)
}

#[test]
fn probe_lists_calendars_tasks_and_contacts() {
    let bench = bench();
    bench.user().create_calendar("Sales").unwrap();
    let connection = bench.probe().unwrap();
    assert!(!connection.reads_own_writes);
    assert!(connection.server.contains(bench.simulator.base_url()));
    let sales = connection.collections.iter().find(|one| one.name == "Sales").unwrap();
    assert!(sales.writable && !sales.is_default && sales.kind == Kind::Appointment);
    assert!(connection.collections.iter().any(|one| one.kind == Kind::Task && one.is_default));
    assert!(!connection.collections.iter().any(|one| one.name.to_lowercase().contains("flagged")));
}

#[test]
fn what_is_created_is_read_back_fetched_pulled_and_found() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    assert!(is_ours(&made, "link-1"));
    assert!(made.is_organizer && !made.has_attendees && !made.private && made.occurrence.is_none());
    let written = entry(&made);
    assert_eq!((written.subject.as_str(), written.location.as_str()), ("Visit 0", "Długa 5, Kraków"));
    assert_eq!(written.body, "Bring the price list.\nAsk for the order.");
    assert_eq!((written.period.as_ref(), written.priority), (visit(0).period.as_ref(), Priority::High));
    assert_eq!(written.zone, "Europe/Warsaw");
    let stored = bench.user().events("Calendar").remove(0);
    assert_eq!(stored["originalStartTimeZone"], "Central European Standard Time");
    assert_eq!(stored["start"]["dateTime"], "2026-12-01T09:00:00.0000000");
    assert_eq!(stored["transactionId"], "00000000-0000-4000-8000-000000000001");
    assert!(stored["attendees"].as_array().is_none_or(Vec::is_empty));

    let fetched = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    assert_eq!(fetched, made);
    assert_eq!(bench.find(&["link-1", "link-2"]).unwrap(), [vec![made.clone()], vec![]]);
    let (changes, _, full) = bench.pass(None).unwrap();
    assert!(full);
    let pulled = present(&changes);
    assert_eq!(pulled.len(), 1);
    assert_eq!((pulled[0].identity.clone(), &pulled[0].etag), (Identity::Unread, &made.etag));
    assert_eq!(pulled[0].content, made.content);
    assert!(bench.simulator.counters().mails == graph_simulator::Mails::default());
}

#[test]
fn only_the_fields_that_are_named_are_written() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    bench
        .user()
        .edit_event(&made.remote_id, json!({"categories": ["Blue"], "location": {"displayName": "Own"}}))
        .unwrap();
    let seen = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    let changed = Content::Entry(apptsync_plugin::connector::Entry { subject: "Moved".to_owned(), ..visit(3) });
    let stale = bench.push_one(update(&made, changed.clone(), Fields::SUBJECT));
    assert_eq!(stale, Err(Failure::Conflict));
    let done = bench.push_one(update(&seen, changed, Fields::SUBJECT | Fields::PERIOD)).unwrap().unwrap();
    let now = entry(&done);
    assert_eq!((now.subject.as_str(), now.location.as_str(), now.period), ("Moved", "Own", visit(3).period));
    let stored = bench.user().events("Calendar").remove(0);
    assert_eq!(stored["categories"], json!(["Blue"]));
}

#[test]
fn a_mark_is_one_category_among_the_users_own() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    bench.user().edit_event(&made.remote_id, json!({"categories": ["Blue"]})).unwrap();
    let seen = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    let categories = || bench.user().events("Calendar").remove(0)["categories"].clone();
    assert_eq!(bench.push_one(mark(&made, true)), Err(Failure::Conflict));
    let marked = bench.push_one(mark(&seen, true)).unwrap().unwrap();
    assert_eq!(categories(), json!(["Blue", "Locked by ERP"]));
    assert_eq!((&marked.content, &marked.uid), (&seen.content, &seen.uid));
    assert_ne!(marked.etag, seen.etag);
    assert_eq!(bench.push_one(mark(&marked, true)).unwrap().unwrap().etag, marked.etag, "twice is once");
    let unmarked = bench.push_one(mark(&marked, false)).unwrap().unwrap();
    assert_eq!(categories(), json!(["Blue"]));
    assert_eq!(bench.push_one(Operation::Delete(reference(&unmarked))), Ok(None));
    assert_eq!(bench.push_one(mark(&unmarked, true)), Err(Failure::Gone));
}

#[test]
fn an_event_says_its_uid_wherever_it_is_read() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    let stored = bench.user().events("Calendar").remove(0);
    assert_eq!(made.uid, stored["iCalUId"].as_str().unwrap());
    let (changes, _, _) = bench.pass(None).unwrap();
    assert_eq!(present(&changes)[0].uid, made.uid);
    assert_eq!(bench.fetch_one(&made.remote_id).unwrap().unwrap().uid, made.uid);
    assert_eq!(bench.find(&["link-1"]).unwrap()[0][0].uid, made.uid);
}

#[test]
fn deleting_and_disowning() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    let copy = bench.made(2, Content::Entry(visit(1)));
    let disowned = bench.push_one(Operation::Disown(reference(&copy))).unwrap().unwrap();
    assert_eq!((disowned.identity, disowned.writer), (Identity::None, None));
    let disowned = bench.fetch_one(&copy.remote_id).unwrap().unwrap();
    assert_eq!((disowned.identity, disowned.writer), (Identity::None, None));
    assert_eq!(bench.find(&["link-2"]).unwrap(), [vec![]]);
    assert_eq!(bench.push_one(Operation::Delete(reference(&made))), Ok(None));
    assert_eq!(bench.push_one(Operation::Delete(reference(&made))), Err(Failure::Gone));
    assert_eq!(bench.fetch_one(&made.remote_id), Ok(None));
}

#[test]
fn adopting_an_appointment_of_the_user() {
    let bench = bench();
    let event = json!({
        "subject": "Mine",
        "start": {"dateTime": "2026-12-02T09:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-12-02T10:00:00", "timeZone": "Europe/Berlin"},
    });
    bench.user().request("POST", "events", event).unwrap();
    let (changes, cursor, _) = bench.pass(None).unwrap();
    let found = present(&changes).remove(0).clone();
    assert_eq!(bench.fetch_one(&found.remote_id).unwrap().unwrap().identity, Identity::None);
    let adopted = bench.push_one(adopt(&found, "LINK-7")).unwrap().unwrap();
    assert!(is_ours(&adopted, "link-7"));
    assert_eq!(bench.find(&["link-7"]).unwrap()[0].len(), 1);
    let (changes, _, _) = bench.pass(Some(&cursor)).unwrap();
    assert_eq!(present(&changes)[0].etag, adopted.etag);
}

#[test]
fn the_writer_is_kept_beside_our_id_and_told_to_who_asks_for_the_item() {
    let bench = bench();
    let writer_of = |item: &Item| {
        let fetched = bench.fetch_one(&item.remote_id).unwrap().unwrap();
        assert!(is_ours(&fetched, "link-1"), "{fetched:?}");
        fetched.writer
    };
    let made = bench.made(1, Content::Entry(visit(0)));
    assert_eq!((made.writer.as_deref(), writer_of(&made).as_deref()), (Some("run-1"), Some("run-1")));
    bench.simulator.reset_counters();
    let renamed = update(&made, Content::Entry(visit(7)), Fields::SUBJECT);
    let renamed = bench.push_one(renamed).unwrap().unwrap();
    let counters = bench.simulator.counters();
    assert_eq!((counters.total(), counters.batched.values().sum::<u64>()), (1, 1), "it goes along with the write");
    assert_eq!((renamed.writer.as_deref(), writer_of(&renamed).as_deref()), (Some("run-2"), Some("run-2")));
    // A delta query has no extended properties.
    assert_eq!(present(&bench.pass(None).unwrap().0)[0].writer, None);
    let mut stored = bench.user().events("Calendar").remove(0);
    let properties = stored["singleValueExtendedProperties"].as_array_mut().unwrap();
    assert_eq!(properties.len(), 2, "{properties:?}");
    let foreign = json!([{"id": properties[1]["id"], "value": "somebody else's"}]);
    bench.user().edit_event(&renamed.remote_id, json!({"singleValueExtendedProperties": foreign})).unwrap();
    assert_eq!(writer_of(&renamed), None);
}

#[test]
fn completing_shows_free_time_without_a_reminder() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    let done = apptsync_plugin::connector::Entry { completed: Some(MORNING + HOUR), ..visit(0) };
    bench.push_one(update(&made, Content::Entry(done), Fields::COMPLETED)).unwrap();
    let stored = bench.user().events("Calendar").remove(0);
    assert_eq!((&stored["showAs"], &stored["isReminderOn"]), (&json!("free"), &json!(false)));
    assert_eq!(stored["subject"], "Visit 0");
}

#[test]
fn whole_days_are_days_in_every_zone() {
    let bench = bench();
    let days = Period::AllDay(AllDay { start: "2026-12-01".to_owned(), end: "2026-12-03".to_owned() });
    let entry_of = |period| apptsync_plugin::connector::Entry { period: Some(period), ..visit(0) };
    let made = bench.made(1, Content::Entry(entry_of(days.clone())));
    assert_eq!(entry(&made).period, Some(days.clone()));
    assert_eq!(entry(&bench.fetch_one(&made.remote_id).unwrap().unwrap()).period, Some(days.clone()));
    let timed = bench.made(2, Content::Entry(visit(1)));
    let changed =
        bench.push_one(update(&timed, Content::Entry(entry_of(days.clone())), Fields::PERIOD)).unwrap().unwrap();
    assert_eq!(entry(&changed).period, Some(days));
}

#[test]
fn the_hour_that_clocks_repeat_keeps_its_instant() {
    let bench = bench();
    // 2026-10-25 01:30 UTC is the second 02:30 in Warsaw.
    let start = 1_792_891_800;
    let period = Period::Timed(Timed { start, end: start + 900 });
    let made =
        bench.made(1, Content::Entry(apptsync_plugin::connector::Entry { period: Some(period.clone()), ..visit(0) }));
    assert_eq!(entry(&made).period, Some(period));
}

#[test]
fn a_zone_that_outlook_does_not_know_is_refused() {
    let mut bench = bench();
    bench.account.zone = "Antarctica/Troll".to_owned();
    let Err(Failure::Permanent(why)) = bench.push_one(create(1, Content::Entry(visit(0)))) else { panic!() };
    assert_eq!(why, "Outlook does not know the zone Antarctica/Troll: choose one of the same region");
    bench.account.zone = "Europe/Kyiv".to_owned();
    assert_eq!(entry(&bench.made(2, Content::Entry(visit(0)))).period, visit(0).period);
}

#[test]
fn long_titles_are_cut_and_read_back_so() {
    let bench = bench();
    let long = apptsync_plugin::connector::Entry { subject: "ż".repeat(400), ..visit(0) };
    assert_eq!(entry(&bench.made(1, Content::Entry(long))).subject, "ż".repeat(255));
}

#[test]
fn private_appointments_have_no_texts() {
    let bench = bench();
    let event = json!({
        "subject": "Doctor", "body": {"contentType": "text", "content": "x"}, "location": {"displayName": "y"},
        "sensitivity": "private",
        "start": {"dateTime": "2026-12-02T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-02T10:00:00", "timeZone": "UTC"},
    });
    bench.user().request("POST", "events", event).unwrap();
    let (changes, _, _) = bench.pass(None).unwrap();
    let found = present(&changes).remove(0);
    let texts = entry(found);
    assert!(found.private && texts.subject.is_empty() && texts.body.is_empty() && texts.location.is_empty());
}

#[test]
fn meetings_with_attendees_are_not_changed_or_deleted() {
    let bench = bench();
    let event = json!({
        "subject": "Meeting",
        "attendees": [{"emailAddress": {"address": "bob@contoso.example"}, "type": "required"}],
        "start": {"dateTime": "2026-12-02T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-02T10:00:00", "timeZone": "UTC"},
    });
    bench.user().request("POST", "events", event).unwrap();
    let mails = bench.simulator.counters().mails;
    let (changes, _, _) = bench.pass(None).unwrap();
    let found = present(&changes).remove(0).clone();
    assert!(found.has_attendees && found.is_organizer);
    for operation in [Operation::Delete(reference(&found)), update(&found, Content::Entry(visit(5)), Fields::PERIOD)] {
        assert!(matches!(bench.push_one(operation), Err(Failure::Permanent(_))));
    }
    assert!(is_ours(&bench.push_one(adopt(&found, "a")).unwrap().unwrap(), "a"));
    assert!(bench.simulator.counters().mails == mails);
}

#[test]
fn the_body_of_an_online_meeting_stays() {
    let bench = bench();
    let event = json!({
        "subject": "Call", "isOnlineMeeting": true, "onlineMeetingProvider": "teamsForBusiness",
        "body": {"contentType": "html", "content": "<p>Join here</p>"},
        "start": {"dateTime": "2026-12-02T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-02T10:00:00", "timeZone": "UTC"},
    });
    bench.user().request("POST", "events", event).unwrap();
    let (changes, _, _) = bench.pass(None).unwrap();
    let found = present(&changes).remove(0).clone();
    let both =
        bench.push_one(update(&found, Content::Entry(visit(0)), Fields::BODY | Fields::SUBJECT)).unwrap().unwrap();
    assert_eq!(entry(&both).subject, "Visit 0");
    assert!(entry(&both).body.contains("Join"), "{both:?}");
    let only = bench.push_one(update(&both, Content::Entry(visit(0)), Fields::BODY)).unwrap().unwrap();
    assert_eq!(only.etag, both.etag);
    let warnings = bench.warnings();
    assert_eq!(warnings.iter().filter(|warning| warning.contains("online meeting")).count(), 2, "{warnings:?}");
}

#[test]
fn removed_may_be_moved_and_fetch_tells() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    let other = bench.user().create_calendar("Other").unwrap();
    let (_, cursor, _) = bench.pass(None).unwrap();
    bench.user().move_event(&made.remote_id, &other).unwrap();
    let (changes, _, _) = bench.pass(Some(&cursor)).unwrap();
    assert_eq!(changes, [Change::Removed(made.remote_id.clone())]);
    let moved = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    assert!(is_ours(&moved, &our_id(1)));
    assert_eq!(moved.collection, other);
}

/// The body of the last request that changed something in a batch.
fn last_patch(bench: &Bench) -> serde_json::Value {
    let parts = bench.batches().concat();
    parts.iter().rfind(|part| part["method"] == "PATCH").unwrap()["body"].clone()
}

#[test]
fn an_update_sends_times_only_for_another_period_and_in_the_zone_of_the_appointment() {
    let bench = bench();
    let found = bench.by_the_user("Pacific Standard Time");
    assert_eq!(entry(&found).zone, "America/Los_Angeles");
    // The host asks in the zone of the account.
    let wanted = |hours| Content::Entry(Entry { zone: "Europe/Warsaw".to_owned(), ..visit(hours) });
    let named = bench.push_one(update(&found, wanted(5), Fields::SUBJECT | Fields::BODY)).unwrap().unwrap();
    let sent = last_patch(&bench);
    assert!(["start", "end", "isAllDay"].iter().all(|name| sent.get(name).is_none()), "{sent}");
    assert_eq!(entry(&named).period, entry(&found).period);

    let moved = bench.push_one(update(&named, wanted(5), Fields::PERIOD)).unwrap().unwrap();
    assert_eq!(entry(&moved).period, visit(5).period);
    assert_eq!(entry(&moved).zone, "America/Los_Angeles");
    let sent = last_patch(&bench);
    assert_eq!(sent["start"], json!({"dateTime": "2026-12-01T06:00:00.0000000", "timeZone": "Pacific Standard Time"}));
    assert_eq!(sent["end"]["timeZone"], "Pacific Standard Time");
}

#[test]
fn an_appointment_in_utc_is_written_in_the_zone_of_the_account() {
    let bench = bench();
    let found = bench.by_the_user("UTC");
    let moved = bench.push_one(update(&found, Content::Entry(visit(5)), Fields::PERIOD)).unwrap().unwrap();
    assert_eq!((entry(&moved).period, entry(&moved).zone.as_str()), (visit(5).period, "Europe/Warsaw"));
    assert_eq!(last_patch(&bench)["start"]["timeZone"], "Central European Standard Time");
}
