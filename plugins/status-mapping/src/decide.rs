//! The table of the status mapping.

use apptsync_plugin::calendar::push_instant;
use apptsync_plugin::status_mapping::{Decision, Question};
use apptsync_plugin::text::{NOTE, truncate};
use apptsync_plugin::types::{ActivityStatus, Appointment, Instant, MobileStatus, RecordError};

use crate::LateResults;

/// One decision for each question, in order.
///
/// `now` is the instant of the run; a period whose end is exactly `now` has not elapsed yet. Appointments that are already
/// Delayed or completed keep their status.
#[must_use]
pub fn decide(late_results: LateResults, now: Instant, batch: Vec<Question>) -> Vec<Result<Decision, RecordError>> {
    batch.into_iter().map(|question| Ok(decide_one(late_results, now, question))).collect()
}

fn decide_one(late_results: LateResults, now: Instant, question: Question) -> Decision {
    let (status, rule) = status(late_results, now, &question);
    let note = note(&question.appointment);
    Decision { id: question.appointment.id, status, note, rule: rule.to_owned() }
}

fn status(late_results: LateResults, now: Instant, question: &Question) -> (ActivityStatus, &'static str) {
    use ActivityStatus::{Completed, CompletedUnprocessed, Delayed, Planned};
    if let Some(frozen @ (Delayed | Completed | CompletedUnprocessed)) = question.current {
        return (frozen, "already delayed or completed: nothing changes any more");
    }
    let appointment = &question.appointment;
    let elapsed = question.end < now;
    match effective_status(appointment) {
        MobileStatus::Completed => match timeliness(late_results, now, question) {
            Timeliness::InPeriod => (Completed, "completed within its period"),
            Timeliness::InGrace => (Completed, "completed within the grace after its period"),
            Timeliness::Late => (Delayed, "completed too late: its period had elapsed"),
        },
        MobileStatus::Rejected | MobileStatus::Canceled => {
            let rules = if appointment.deleted {
                [
                    "deleted within its period",
                    "deleted within the grace after its period",
                    "deleted too late: its period had elapsed",
                ]
            } else {
                [
                    "rejected within its period",
                    "rejected within the grace after its period",
                    "rejected too late: its period had elapsed",
                ]
            };
            let [in_period, in_grace, late] = rules;
            match timeliness(late_results, now, question) {
                Timeliness::InPeriod => (CompletedUnprocessed, in_period),
                Timeliness::InGrace => (CompletedUnprocessed, in_grace),
                Timeliness::Late => (Delayed, late),
            }
        }
        _ if elapsed => (Delayed, "its period elapsed and it was not processed"),
        MobileStatus::Suspended => (Planned, "suspended: the status stays as it is"),
        MobileStatus::Unconfirmed | MobileStatus::Confirmed | MobileStatus::Pending => {
            (Planned, "its period is not over")
        }
    }
}

/// A deleted appointment counts as rejected.
fn effective_status(appointment: &Appointment) -> MobileStatus {
    if appointment.deleted { MobileStatus::Rejected } else { appointment.status }
}

enum Timeliness {
    InPeriod,
    InGrace,
    Late,
}

/// When the result came about, measured by the period: while it is not over at the instant of the run, always inside.
fn timeliness(late_results: LateResults, now: Instant, question: &Question) -> Timeliness {
    let finished = question.appointment.completed_on.unwrap_or(question.appointment.changed_at);
    let in_period = now <= question.end || (late_results != LateResults::Never && finished <= question.end);
    match late_results {
        _ if in_period => Timeliness::InPeriod,
        LateResults::Grace(seconds) if finished <= question.end.saturating_add(seconds) => Timeliness::InGrace,
        _ => Timeliness::Late,
    }
}

/// What the headquarters has no status for: when and why Mobile rejected, deleted or suspended it.
fn note(appointment: &Appointment) -> Option<String> {
    let reason = appointment.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let mut note = match appointment.status {
        _ if appointment.deleted => dated("Deleted", appointment.changed_at),
        MobileStatus::Rejected | MobileStatus::Canceled => {
            dated("Rejected", appointment.completed_on.unwrap_or(appointment.changed_at))
        }
        // Without a reason there is nothing to say that the status does not say.
        MobileStatus::Suspended if reason.is_some() => dated("Suspended", appointment.changed_at),
        _ => return None,
    };
    if let Some(reason) = reason {
        note.push_str(": ");
        note.push_str(reason);
    }
    truncate(&mut note, NOTE);
    Some(note)
}

fn dated(what: &str, instant: Instant) -> String {
    let mut text = format!("{what} in Mobile on ");
    push_instant(&mut text, instant);
    text
}
