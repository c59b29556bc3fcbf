//! The status mapping: by the clock alone, unless the behaviour says otherwise.

use apptsync_plugin::status_mapping::{Decision, Question, StatusMapping};
use apptsync_plugin::types::{ActivityStatus, Instant, MobileStatus, RecordError};

use crate::{Guest, attack, behaviour, is_bad, tamper};

impl StatusMapping for Guest {
    fn decide(now: Instant, batch: Vec<Question>) -> Vec<Result<Decision, RecordError>> {
        let behaviour = behaviour();
        let has_bad = batch.iter().any(|question| is_bad(&question.appointment.name));
        if behaviour == "always-panic" {
            panic!("nothing suits this plugin");
        }
        if has_bad {
            attack::commit(&behaviour);
        }
        let mut answers: Vec<_> = batch.into_iter().map(|question| answer(&behaviour, now, question)).collect();
        if has_bad {
            tamper::with(&behaviour, &mut answers, |answer| &mut answer.id);
        }
        answers
    }
}

fn answer(behaviour: &str, now: Instant, question: Question) -> Result<Decision, RecordError> {
    let appointment = question.appointment;
    let by_the_clock = if question.end < now { ActivityStatus::Delayed } else { ActivityStatus::Planned };
    let mut decision = Decision {
        id: appointment.id,
        status: by_the_clock,
        note: None,
        rule: "the test guest looks at the clock".to_owned(),
    };
    match behaviour {
        "all-completed" => decision.status = ActivityStatus::Completed,
        "suspended-is-done" if appointment.status == MobileStatus::Suspended => {
            decision.status = ActivityStatus::CompletedUnprocessed;
            decision.note = Some("Put aside, says the test guest".to_owned());
        }
        _ if !is_bad(&appointment.name) => {}
        "long-rule" => decision.rule = "r".repeat(257),
        "no-rule" => decision.rule.clear(),
        "long-note" => decision.note = Some("n".repeat(4_097)),
        "control" => {
            decision.note = Some("a note\0 with \u{1b}[31m all sorts\r\nof things".to_owned());
            decision.rule = "a rule\nwith \u{1b}[31m".to_owned();
        }
        _ => {
            if let Some(refusal) = tamper::refusal(behaviour, &decision.id) {
                return Err(refusal);
            }
        }
    }
    Ok(decision)
}
