//! Every row of the table of the status mapping, and the setting for late news.

#![allow(clippy::expect_used, reason = "what helps tests fails as they do")]

use apptsync_plugin::status_mapping::{Decision, Question};
use apptsync_plugin::types::{ActivityStatus, Appointment, Instant, MobileStatus, Period, Priority, Timed};
use status_mapping::{LateResults, decide, misconfigured};

/// 2026-12-01 09:00 and 10:00 UTC.
const START: Instant = 1_796_115_600;
const END: Instant = 1_796_119_200;

fn question(status: MobileStatus) -> Question {
    let appointment = Appointment {
        id: "a-1".into(),
        channel: "B2B".into(),
        number: "SA/2026/000001".into(),
        name: "Autumn assortment".into(),
        visit_type: "Visit".into(),
        customer: "C00017".into(),
        employee: "B".into(),
        period: Period::Timed(Timed { start: START, end: END }),
        priority: Priority::Normal,
        status,
        description: String::new(),
        completed_on: None,
        completed_by: None,
        reason: None,
        changed_at: START - 86_400,
        deleted: false,
        attributes: Vec::new(),
    };
    Question { appointment, start: START, end: END, current: Some(ActivityStatus::Planned) }
}

fn answer(late_results: LateResults, now: Instant, question: Question) -> Decision {
    let mut answers = decide(late_results, now, vec![question]);
    assert_eq!(answers.len(), 1);
    let decision = answers.remove(0).expect("a decision");
    assert_eq!(decision.id, "a-1");
    assert!((1..=256).contains(&decision.rule.len()));
    decision
}

fn status(late_results: LateResults, now: Instant, question: Question) -> ActivityStatus {
    answer(late_results, now, question).status
}

#[test]
fn what_is_not_finished_stays_planned_until_its_end_and_is_delayed_after_it() {
    use MobileStatus::{Confirmed, Pending, Suspended, Unconfirmed};
    for mobile in [Unconfirmed, Confirmed, Pending, Suspended] {
        for (now, expected) in
            [(START - 1, ActivityStatus::Planned), (END, ActivityStatus::Planned), (END + 1, ActivityStatus::Delayed)]
        {
            for late_results in [LateResults::InPeriod, LateResults::Never, LateResults::Grace(3_600)] {
                assert_eq!(status(late_results, now, question(mobile)), expected, "{mobile:?} at {now}");
            }
        }
    }
}

#[test]
fn a_confirmed_future_appointment_begins_as_planned() {
    let first = Question { current: None, ..question(MobileStatus::Confirmed) };
    let decision = answer(LateResults::InPeriod, START - 60, first);
    assert_eq!((decision.status, decision.note), (ActivityStatus::Planned, None));
}

#[test]
fn finished_while_the_period_is_not_over() {
    use MobileStatus::{Canceled, Completed, Rejected};
    for now in [START - 60, END] {
        for late_results in [LateResults::InPeriod, LateResults::Never, LateResults::Grace(60)] {
            assert_eq!(status(late_results, now, question(Completed)), ActivityStatus::Completed);
            assert_eq!(status(late_results, now, question(Rejected)), ActivityStatus::CompletedUnprocessed);
            assert_eq!(status(late_results, now, question(Canceled)), ActivityStatus::CompletedUnprocessed);
            let mut deleted = question(MobileStatus::Confirmed);
            deleted.appointment.deleted = true;
            assert_eq!(status(late_results, now, deleted), ActivityStatus::CompletedUnprocessed);
        }
    }
}

#[test]
fn late_news_follow_the_setting() {
    let finished = [
        (MobileStatus::Completed, ActivityStatus::Completed),
        (MobileStatus::Rejected, ActivityStatus::CompletedUnprocessed),
        (MobileStatus::Canceled, ActivityStatus::CompletedUnprocessed),
    ];
    for (mobile, taken_over) in finished {
        for (late_results, completed_on, expected) in [
            (LateResults::InPeriod, END, taken_over),
            (LateResults::InPeriod, END + 1, ActivityStatus::Delayed),
            (LateResults::Never, END, ActivityStatus::Delayed),
            (LateResults::Grace(60), END + 60, taken_over),
            (LateResults::Grace(60), END + 61, ActivityStatus::Delayed),
        ] {
            let mut late = question(mobile);
            late.appointment.completed_on = Some(completed_on);
            assert_eq!(status(late_results, END + 7_200, late), expected, "{mobile:?} {late_results:?} {completed_on}");
        }
    }
}

#[test]
fn without_completed_on_the_change_is_the_instant() {
    let mut late = question(MobileStatus::Rejected);
    late.appointment.changed_at = END - 1;
    assert_eq!(status(LateResults::InPeriod, END + 60, late.clone()), ActivityStatus::CompletedUnprocessed);
    late.appointment.changed_at = END + 1;
    assert_eq!(status(LateResults::InPeriod, END + 60, late.clone()), ActivityStatus::Delayed);
    late.appointment.completed_on = Some(END);
    assert_eq!(status(LateResults::InPeriod, END + 60, late), ActivityStatus::CompletedUnprocessed);
}

#[test]
fn the_rule_names_what_decided() {
    let mut late = question(MobileStatus::Completed);
    late.appointment.completed_on = Some(END + 30);
    assert_eq!(answer(LateResults::Grace(60), END + 60, late).rule, "completed within the grace after its period");
    assert_eq!(
        answer(LateResults::InPeriod, START, question(MobileStatus::Completed)).rule,
        "completed within its period"
    );
}

#[test]
fn what_is_frozen_keeps_its_status() {
    for frozen in [ActivityStatus::Delayed, ActivityStatus::Completed, ActivityStatus::CompletedUnprocessed] {
        let asked = Question { current: Some(frozen), ..question(MobileStatus::Confirmed) };
        assert_eq!(status(LateResults::InPeriod, START, asked), frozen);
    }
}

#[test]
fn the_end_of_an_all_day_appointment_is_the_instant_in_the_question() {
    let mut all_day = question(MobileStatus::Confirmed);
    all_day.appointment.period =
        Period::AllDay(apptsync_plugin::types::AllDay { start: "2026-12-01".into(), end: "2026-12-02".into() });
    all_day.end = END + 50_000;
    assert_eq!(status(LateResults::InPeriod, END + 50_000, all_day.clone()), ActivityStatus::Planned);
    assert_eq!(status(LateResults::InPeriod, END + 50_001, all_day), ActivityStatus::Delayed);
}

#[test]
fn the_note_says_when_and_why() {
    let note = |status, reason: Option<&str>, deleted| {
        let mut asked = question(status);
        asked.appointment.reason = reason.map(str::to_owned);
        asked.appointment.deleted = deleted;
        asked.appointment.changed_at = END;
        answer(LateResults::InPeriod, START, asked).note
    };
    let expected = |text: &str| Some(text.to_owned());
    assert_eq!(
        note(MobileStatus::Rejected, Some(" customer ill "), false),
        expected("Rejected in Mobile on 2026-12-01 10:00 UTC: customer ill")
    );
    assert_eq!(note(MobileStatus::Canceled, None, false), expected("Rejected in Mobile on 2026-12-01 10:00 UTC"));
    assert_eq!(note(MobileStatus::Confirmed, None, true), expected("Deleted in Mobile on 2026-12-01 10:00 UTC"));
    assert_eq!(
        note(MobileStatus::Suspended, Some("waiting"), false),
        expected("Suspended in Mobile on 2026-12-01 10:00 UTC: waiting")
    );
    assert_eq!(note(MobileStatus::Suspended, Some(" "), false), None);
    assert_eq!(note(MobileStatus::Confirmed, Some("left over"), false), None);
    let long = note(MobileStatus::Rejected, Some(&"ż".repeat(2_048)), false).expect("a note");
    assert!(long.len() <= 4_096 && long.ends_with("ż…"), "{}", long.len());
}

#[test]
fn a_wrong_configuration_is_an_error_of_each_record() {
    let answers =
        misconfigured("`grace` …", vec![question(MobileStatus::Confirmed), question(MobileStatus::Completed)]);
    assert_eq!(answers.len(), 2);
    for answer in answers {
        let error = answer.expect_err("an error");
        assert_eq!(
            (error.id.as_str(), error.code.as_str(), error.message.as_str()),
            ("a-1", "configuration", "`grace` …")
        );
    }
}
