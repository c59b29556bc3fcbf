//! What the real service was seen to do, one by one.

use apptsync_plugin::connector::{Content, Fields, Kind, Operation, Outcome};
use apptsync_plugin::types::Failure;
use graph_simulator::{Fault, FaultName};

use crate::support::{Bench, create, entry, is_ours, present, reference, update, visit};

fn bench() -> Bench {
    Bench::new(Kind::Appointment)
}

/// A bench with so many appointments of ours.
fn filled(count: usize) -> Bench {
    let bench = bench();
    for outcome in bench.push(&creates(count)) {
        assert!(matches!(outcome, Outcome::Done(Some(_))), "{outcome:?}");
    }
    bench
}

fn creates(count: usize) -> Vec<Operation> {
    (0..count).map(|number| create(number, Content::Entry(visit(number as i64)))).collect()
}

#[test]
fn expired_tokens_are_gone_at_any_page() {
    for (name, on_first) in
        [(FaultName::GoneMidRound, true), (FaultName::GoneWithLocation, false), (FaultName::GoneFullSync, false)]
    {
        let bench = filled(250);
        let (_, cursor, _) = bench.pass(None).unwrap();
        bench.simulator.switch_on(Fault::new(name));
        let cursor = if on_first { None } else { Some(cursor.as_str()) };
        assert_eq!(bench.pass(cursor).unwrap_err(), Failure::Gone, "{name:?}");
        assert!(bench.simulator.struck(name) > 0);
    }
}

#[test]
fn replays_and_empty_pages_change_nothing() {
    let bench = filled(30);
    bench.simulator.switch_on(Fault::new(FaultName::ReplayedEntries));
    bench.simulator.switch_on(Fault::new(FaultName::EmptyPages));
    let (changes, _, _) = bench.pass(None).unwrap();
    let mut ids: Vec<_> = present(&changes).iter().map(|item| item.remote_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), changes.len()), (30, 30));
}

#[test]
fn a_link_to_another_host_is_not_followed() {
    let bench = filled(1);
    bench.simulator.switch_on(Fault::new(FaultName::ForeignNextLink));
    let Err(Failure::Permanent(why)) = bench.pass(None) else { panic!() };
    assert!(why.contains("https://attacker.example:443 instead of http://127.0.0.1"), "{why}");
}

#[test]
fn a_redirect_is_not_followed() {
    let bench = bench();
    bench.simulator.switch_on(Fault::new(FaultName::ForeignRedirect));
    assert!(matches!(bench.pass(None), Err(Failure::Permanent(_))));
}

#[test]
fn throttled_batches_say_so_and_nothing_was_done() {
    let bench = bench();
    bench.simulator.switch_on(Fault::new(FaultName::Throttled).value(17).on("POST"));
    let outcomes = bench.push(&creates(45));
    let is_throttled = |outcome: &Outcome| *outcome == Outcome::Failed(Failure::Throttled(Some(17)));
    assert!(outcomes.iter().all(is_throttled), "{outcomes:?}");
    assert_eq!(bench.user().events("Calendar").len(), 0);
    assert_eq!(bench.batches().len(), 1);
}

#[test]
fn a_throttled_part_stops_what_comes_after_its_batch_for_the_longest_pause() {
    let bench = bench();
    for pause in [5, 9, 7] {
        bench.simulator.switch_on(Fault::new(FaultName::Throttled).on("/events").times(1).value(pause));
    }
    let outcomes = bench.push(&creates(45));
    let throttled = |pause| Outcome::Failed(Failure::Throttled(Some(pause)));
    assert_eq!(outcomes[..3], [throttled(5), throttled(9), throttled(7)]);
    assert!(outcomes[3..20].iter().all(|outcome| matches!(outcome, Outcome::Done(Some(_)))), "{outcomes:?}");
    assert_eq!(outcomes[20..], vec![throttled(9); 25]);
    assert_eq!((bench.user().events("Calendar").len(), bench.batches().len()), (17, 1));
}

#[test]
fn reading_stops_in_a_pause_too() {
    let bench = filled(45);
    let (changes, _, _) = bench.pass(None).unwrap();
    let ids: Vec<String> = present(&changes).iter().map(|item| item.remote_id.clone()).collect();
    for (fault, pause) in [
        (Fault::new(FaultName::Throttled).value(5), Some(5)),
        (Fault::new(FaultName::ServiceUnavailable).value(6), Some(6)),
        (Fault::new(FaultName::UnknownError503), None),
    ] {
        let sent = bench.batches().len();
        bench.simulator.switch_on(fault.on("GET /v1.0/users/{user}/events/{event}").times(1));
        let answers = bench.fetch(&ids);
        assert!(answers[1..20].iter().all(|answer| matches!(answer, Ok(Some(_)))));
        assert!(answers[20..].iter().all(|answer| *answer == Err(Failure::Throttled(pause))), "{answers:?}");
        assert_eq!((&answers[0], bench.batches().len() - sent), (&Err(Failure::Throttled(pause)), 1));
    }
}

#[test]
fn what_was_throttled_is_done_when_it_is_sent_again() {
    let bench = bench();
    bench.simulator.switch_on(Fault::new(FaultName::BatchThrottled));
    let mut open = creates(60);
    for round in 0.. {
        assert!(round < 60, "it goes on and on");
        let outcomes = bench.push(&open);
        let again = |(operation, outcome): (Operation, Outcome)| match outcome {
            Outcome::Done(Some(_)) => None,
            Outcome::Failed(Failure::Throttled(_)) => Some(operation),
            other => panic!("{other:?}"),
        };
        open = open.into_iter().zip(outcomes).filter_map(again).collect();
        if open.is_empty() {
            break;
        }
    }
    assert!(bench.simulator.struck(FaultName::BatchThrottled) > 0);
    assert_eq!(bench.user().events("Calendar").len(), 60);
}

#[test]
fn no_more_than_four_requests_at_a_time() {
    let bench = filled(1);
    bench.simulator.switch_on(Fault::new(FaultName::MailboxConcurrency));
    assert!(bench.probe().is_ok());
    assert!(bench.pass(None).is_ok());
    assert_eq!(bench.simulator.struck(FaultName::Throttled), 0);
}

#[test]
fn missing_items_hold_up_no_others() {
    let bench = filled(40);
    let (changes, _, _) = bench.pass(None).unwrap();
    let items: Vec<_> = present(&changes).into_iter().cloned().collect();
    let gone = |place: usize| place.is_multiple_of(3);
    for (_, item) in items.iter().enumerate().filter(|(place, _)| gone(*place)) {
        bench.user().delete_event(&item.remote_id).unwrap();
    }
    let ids: Vec<String> = items.iter().map(|item| item.remote_id.clone()).collect();
    for (place, answer) in bench.fetch(&ids).into_iter().enumerate() {
        assert_eq!(answer.unwrap().is_none(), gone(place), "{place}");
    }
}

#[test]
fn what_may_have_been_done_is_transient_and_can_be_found() {
    for name in [FaultName::LostAnswer, FaultName::GatewayTimeoutAfter, FaultName::SavedBut503] {
        let bench = bench();
        let on = if name == FaultName::LostAnswer { "$batch" } else { "/events" };
        bench.simulator.switch_on(Fault::new(name).times(1).on(on));
        let outcome = bench.push_one(create(1, Content::Entry(visit(0))));
        assert!(matches!(outcome, Err(Failure::Transient(_))), "{name:?} {outcome:?}");
        let found = bench.find(&["link-1"]).unwrap().remove(0);
        assert_eq!(found.len(), 1, "{name:?}");
        // Asked again under the same key: no second one.
        let again = bench.push_one(create(1, Content::Entry(visit(0))));
        assert!(again.is_ok() || again == Err(Failure::Conflict), "{name:?} {again:?}");
        assert_eq!(bench.user().events("Calendar").len(), 1, "{name:?}");
    }
}

#[test]
fn a_lost_request_stops_the_push() {
    let bench = bench();
    bench.simulator.switch_on(Fault::new(FaultName::LostRequest).on("$batch"));
    let outcomes = bench.push(&creates(25));
    assert!(matches!(outcomes[19], Outcome::Failed(Failure::Transient(_))));
    assert_eq!(outcomes[20], Outcome::Failed(Failure::Throttled(None)));
}

#[test]
fn a_key_that_was_used_for_something_else_is_a_conflict() {
    let bench = filled(1);
    let Operation::Create(mut other) = create(0, Content::Entry(visit(7))) else { panic!() };
    other.our_id = "other".to_owned();
    let outcome = bench.push_one(Operation::Create(other));
    assert!(matches!(outcome, Err(Failure::Conflict)) || outcome.is_ok_and(|item| item.is_some()));
    assert_eq!(bench.user().events("Calendar").len(), 1);
}

#[test]
fn a_conflict_without_reason_is_a_conflict() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    bench.simulator.switch_on(Fault::new(FaultName::ConflictWithoutReason).times(1));
    let change = update(&made, Content::Entry(visit(1)), Fields::SUBJECT);
    assert_eq!(bench.push_one(change.clone()), Err(Failure::Conflict));
    assert!(bench.push_one(change).is_ok());
}

#[test]
fn lost_rights_and_tokens_are_never_taken_for_deletions() {
    for name in [FaultName::AccessDenied, FaultName::TokenRefused] {
        let bench = filled(1);
        let (changes, cursor, _) = bench.pass(None).unwrap();
        let item = present(&changes).remove(0).clone();
        bench.simulator.switch_on(Fault::new(name));
        assert!(matches!(bench.probe(), Err(Failure::Auth(_))), "{name:?}");
        assert!(matches!(bench.pass(Some(&cursor)), Err(Failure::Auth(_))), "{name:?}");
        assert!(matches!(bench.fetch_one(&item.remote_id), Err(Failure::Auth(_))), "{name:?}");
        assert!(matches!(bench.find(&["link-0"]), Err(Failure::Auth(_))), "{name:?}");
        assert!(matches!(bench.push_one(Operation::Delete(reference(&item))), Err(Failure::Auth(_))), "{name:?}");
    }
}

#[test]
fn a_renewed_token_goes_on() {
    let bench = filled(1);
    bench.simulator.revoke_tokens();
    assert!(matches!(bench.pass(None), Err(Failure::Auth(_))));
    bench.renew_token();
    assert!(bench.pass(None).is_ok());
}

#[test]
fn used_up_bandwidth_is_told() {
    let bench = bench();
    bench.simulator.switch_on(Fault::new(FaultName::BandwidthExceeded));
    assert!(matches!(bench.pass(None), Err(Failure::Transient(why)) if why.contains("bandwidth")));
}

#[test]
fn broken_answers_are_failures_of_the_call() {
    for name in [FaultName::TruncatedBody, FaultName::HtmlErrorPage] {
        let bench = filled(1);
        bench.simulator.switch_on(Fault::new(name));
        assert!(matches!(bench.pass(None), Err(Failure::Transient(_))), "{name:?}");
        let outcome = bench.push_one(create(9, Content::Entry(visit(0))));
        assert!(matches!(outcome, Err(Failure::Transient(_))), "{name:?} {outcome:?}");
    }
}

#[test]
fn throttling_in_disguise_is_throttling() {
    let bench = filled(1);
    for (name, pause) in [(FaultName::UnknownError503, None), (FaultName::ServiceUnavailable, Some(9))] {
        bench.simulator.switch_on(Fault::new(name).value(9));
        assert_eq!(bench.pass(None).unwrap_err(), Failure::Throttled(pause), "{name:?}");
        bench.simulator.switch_all_off();
    }
}

#[test]
fn a_deleted_calendar_is_gone() {
    let mut bench = bench();
    bench.target.collection = bench.user().create_calendar("Sales").unwrap();
    bench.made(1, Content::Entry(visit(0)));
    let (_, cursor, _) = bench.pass(None).unwrap();
    let calendar = format!("calendars/{}", bench.target.collection);
    bench.user().request("DELETE", &calendar, serde_json::Value::Null).unwrap();
    assert_eq!(bench.pass(Some(&cursor)).unwrap_err(), Failure::Gone);
}

#[test]
fn a_custom_zone_is_the_accounts() {
    let bench = bench();
    bench.simulator.switch_on(Fault::new(FaultName::CustomOriginalZone));
    let made = bench.made(1, Content::Entry(visit(0)));
    assert_eq!((entry(&made).zone.as_str(), entry(&made).period), ("Europe/Warsaw", visit(0).period));
}

#[test]
fn only_windows_names_are_written() {
    let bench = bench();
    bench.simulator.switch_on(Fault::new(FaultName::ZoneRefused));
    let made = bench.made(1, Content::Entry(visit(0)));
    assert!(is_ours(&made, "link-1"));
    assert!(bench.push_one(update(&made, Content::Entry(visit(4)), Fields::PERIOD)).is_ok());
}

#[test]
fn changes_that_a_server_only_claims_are_seen_in_its_answer() {
    let bench = bench();
    let made = bench.made(1, Content::Entry(visit(0)));
    bench.simulator.switch_on(Fault::new(FaultName::WriteIgnored));
    let done = bench.push_one(update(&made, Content::Entry(visit(4)), Fields::SUBJECT)).unwrap().unwrap();
    let now = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    assert_eq!(entry(&now).subject, "Visit 0");
    assert_eq!(done.remote_id, made.remote_id);
}
