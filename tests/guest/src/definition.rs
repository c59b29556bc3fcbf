//! The definition: its own short texts, unless the behaviour says otherwise.

use apptsync_plugin::activity_definition::{
    ActivityDefinition, Description, Draft, Occasion, Settings, Texts, Variable,
};
use apptsync_plugin::types::{Period, Priority, RecordError, Timed};

use crate::{Guest, attack, behaviour, is_bad, tamper};

impl ActivityDefinition for Guest {
    fn describe() -> Description {
        let behaviour = behaviour();
        if let Some(attack) = behaviour.strip_prefix("describe-") {
            attack::commit(attack);
        }
        let variables = if behaviour == "many-variables" { 257 } else { 1 };
        Description {
            settings: Settings {
                name: "ibus.AppointmentSynchronize".to_owned(),
                kind: "Test visit".to_owned(),
                priority: Priority::Low,
                texts: Texts { subject: "the test guest's subject".to_owned(), description: String::new() },
            },
            variables: (0..variables)
                .map(|number| Variable { name: format!("variable-{number}"), meaning: "nothing".to_owned() })
                .collect(),
        }
    }

    fn check(settings: Settings) -> Vec<String> {
        let behaviour = behaviour();
        if let Some(attack) = behaviour.strip_prefix("check-") {
            attack::commit(attack);
        }
        match &*behaviour {
            "refuse-settings" => vec![format!("the test guest does not like `{}`", settings.texts.subject)],
            "refuse-at-length" => (0..200).map(|_| "\u{1b}[31mno\n".repeat(1_000)).collect(),
            _ => Vec::new(),
        }
    }

    fn render(settings: Settings, batch: Vec<Occasion>) -> Vec<Result<Draft, RecordError>> {
        let behaviour = behaviour();
        if behaviour == "always-panic" {
            panic!("nothing suits this plugin");
        }
        let has_bad = batch.iter().any(|occasion| is_bad(&occasion.context.appointment.name));
        if has_bad {
            attack::commit(&behaviour);
        }
        let mut answers: Vec<_> = batch.into_iter().map(|occasion| answer(&behaviour, &settings, occasion)).collect();
        if has_bad {
            tamper::with(&behaviour, &mut answers, |answer| &mut answer.id);
        }
        answers
    }
}

fn answer(behaviour: &str, settings: &Settings, occasion: Occasion) -> Result<Draft, RecordError> {
    let appointment = occasion.context.appointment;
    let mut draft = Draft {
        subject: format!("Swapped: {}", appointment.name),
        description: match occasion.note {
            Some(note) => format!("Note: {note}"),
            None => "No note".to_owned(),
        },
        kind: settings.kind.clone(),
        priority: settings.priority,
        period: appointment.period,
        attributes: Vec::new(),
        id: appointment.id,
    };
    if is_bad(&appointment.name) {
        match behaviour {
            "long-kind" => draft.kind = "k".repeat(1_024),
            "no-kind" => draft.kind.clear(),
            "long-subject" => draft.subject = "s".repeat(1_025),
            "long-description" => draft.description = "d".repeat(65_537),
            "backwards" => draft.period = Period::Timed(Timed { start: 2_000_000_000, end: 2_000_000_000 }),
            "control" => {
                draft.subject = "=cmd|' /C calc'!A0\0\u{1b}[31m\r\n\u{202e}end".to_owned();
                draft.description = "<script>alert(1)</script>\r\n'; drop table activity; --\0".to_owned();
                draft.kind = "Visit\u{1b}[31m".to_owned();
            }
            _ => {
                if let Some(refusal) = tamper::refusal(behaviour, &draft.id) {
                    return Err(refusal);
                }
            }
        }
    }
    Ok(draft)
}
