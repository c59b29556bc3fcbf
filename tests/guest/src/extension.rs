//! The extension: unchanged, unless the behaviour says otherwise.

use apptsync_plugin::extension::{Answer, Extension, Verdict};
use apptsync_plugin::types::{AllDay, Appointment, AppointmentContext, MobileStatus, Period, RecordError, Timed};

use crate::{Guest, attack, behaviour, is_bad, number, probe, setting, tamper};

/// Seconds of a day.
const DAY: i64 = 86_400;

impl Extension for Guest {
    fn apply(batch: Vec<AppointmentContext>) -> Vec<Result<Answer, RecordError>> {
        let behaviour = behaviour();
        let calls = probe::calls();
        let has_bad = batch.iter().any(|context| is_bad(&context.appointment.name));
        match &*behaviour {
            "always-panic" => panic!("nothing suits this plugin"),
            "spare-good" if batch.iter().any(|context| !context.appointment.name.contains("GOOD")) => {
                panic!("only GOOD suits this plugin")
            }
            _ if has_bad => attack::commit(&behaviour),
            _ => {}
        }
        let mut answers: Vec<_> = batch.into_iter().map(|context| answer(&behaviour, calls, context)).collect();
        if has_bad {
            tamper::with(&behaviour, &mut answers, |answer| &mut answer.id);
        }
        answers
    }
}

fn answer(behaviour: &str, calls: u32, context: AppointmentContext) -> Result<Answer, RecordError> {
    let mut appointment = context.appointment;
    let id = appointment.id.clone();
    let verdict = match behaviour {
        "mark" => {
            appointment.description.push_str(&setting("mark").unwrap_or_default());
            Verdict::Changed(appointment)
        }
        "look-around" => {
            appointment.description = probe::everything();
            Verdict::Changed(appointment)
        }
        "tell-time" => {
            appointment.description = format!("{} {}", probe::clock(), probe::randomness());
            Verdict::Changed(appointment)
        }
        "count" => {
            appointment.description = format!("call {calls} of this instance");
            Verdict::Changed(appointment)
        }
        _ if !is_bad(&appointment.name) => Verdict::Unchanged,
        "veto" => Verdict::Veto("it is too far away".to_owned()),
        "veto-hostile" => Verdict::Veto(format!("\u{1b}[2Jerror:\n\u{202e}{}", "no".repeat(1 << 19))),
        _ => {
            if let Some(refusal) = tamper::refusal(behaviour, &id) {
                return Err(refusal);
            }
            if distort(behaviour, &mut appointment) { Verdict::Changed(appointment) } else { Verdict::Unchanged }
        }
    };
    Ok(Answer { id, verdict })
}

/// Makes of an appointment what no appointment may be, or may not be imported.
fn distort(behaviour: &str, appointment: &mut Appointment) -> bool {
    match behaviour {
        "long-description" => appointment.description = "d".repeat(10 << 20),
        "longer-than-a-call" => appointment.description = "d".repeat(number("bytes").unwrap_or(20 << 20)),
        "long-name" => appointment.name = "n".repeat(2_000),
        "long-reason" => appointment.reason = Some("r".repeat(5_000)),
        "attributes" => appointment.attributes = (0..100).map(|key| (format!("key-{key}"), "v".into())).collect(),
        "attribute-name" => appointment.attributes = vec![("k".repeat(65), "v".into())],
        "nameless-attribute" => appointment.attributes = vec![(String::new(), "v".into())],
        "year-0" => appointment.period = all_day("0000-01-01", "0000-01-02"),
        "year-10000" => appointment.period = all_day("9999-12-31", "10000-01-01"),
        "no-date" => appointment.period = all_day("2026-02-30", "tomorrow\u{1b}[31m"),
        "end-before-start" => appointment.period = Period::Timed(Timed { start: 1_900_000_000, end: 1_800_000_000 }),
        "before-1970" => appointment.period = Period::Timed(Timed { start: -1, end: 1_900_000_000 }),
        "after-9999" => appointment.period = Period::Timed(Timed { start: 1_900_000_000, end: i64::MAX }),
        "control" => {
            appointment.name = "BAD\0 \u{1b}[31mred\u{1b}[0m \u{202e}backwards\nsecond line".to_owned();
            appointment.description = "one\r\ntwo\rthree\0\u{1b}]0;title\u{7}\u{2028}\u{2066}end\ttab".to_owned();
        }
        "identity" => {
            appointment.id.push_str("-stolen");
            appointment.channel = "XYZ".to_owned();
            appointment.customer = "C00002".to_owned();
            appointment.employee = "C".to_owned();
            appointment.changed_at += DAY;
            appointment.name.push_str(" adjusted");
        }
        "no-id" => appointment.id.clear(),
        "into-the-past" => appointment.period = Period::Timed(Timed { start: 1_000, end: 2_000 }),
        "unconfirm" => appointment.status = MobileStatus::Unconfirmed,
        "delete" => appointment.deleted = true,
        "a-day-later" => {
            if let Period::Timed(Timed { start, end }) = &mut appointment.period {
                *start += DAY;
                *end += DAY;
            }
        }
        _ => return false,
    }
    true
}

fn all_day(start: &str, end: &str) -> Period {
    Period::AllDay(AllDay { start: start.to_owned(), end: end.to_owned() })
}
