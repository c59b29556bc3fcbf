//! From appointments to drafts of activities.

use apptsync_plugin::activity_definition::{Draft, Occasion, Settings};
use apptsync_plugin::text::{DESCRIPTION, LINE, truncate};
use apptsync_plugin::types::RecordError;

use crate::Template;

/// One draft for each occasion, in order.
///
/// A subject is cut to 1,024 bytes and a description to 65,536, each ending with `…` then. Settings that [`check`](crate::check)
/// objects to give a record error with the code `template` for each occasion.
#[must_use]
pub fn render(settings: &Settings, batch: Vec<Occasion>) -> Vec<Result<Draft, RecordError>> {
    let templates = parse(settings);
    let (subject, description) = match templates {
        Ok(templates) => templates,
        Err(problem) => return batch.into_iter().map(|occasion| Err(error(occasion, &problem))).collect(),
    };
    // Texts grow in one buffer and are copied out at their exact size.
    let mut buffer = String::with_capacity(4_096);
    let mut fill = |template: &Template, occasion: &Occasion, finish: fn(&mut String, &Occasion)| {
        buffer.clear();
        template.push(&mut buffer, occasion);
        finish(&mut buffer, occasion);
        buffer.as_str().to_owned()
    };
    let mut draft = |occasion: Occasion| Draft {
        subject: fill(&subject, &occasion, finish_subject),
        description: fill(&description, &occasion, |text, _| truncate(text, DESCRIPTION)),
        id: occasion.context.appointment.id,
        kind: settings.kind.clone(),
        priority: settings.priority,
        period: occasion.context.appointment.period,
        attributes: occasion.context.appointment.attributes,
    };
    batch.into_iter().map(|occasion| Ok(draft(occasion))).collect()
}

fn parse(settings: &Settings) -> Result<(Template, Template), String> {
    let parse = |what: &str, source: &str| {
        Template::parse(source).map_err(|problems| format!("{what}: {}", problems.first().map_or("", String::as_str)))
    };
    Ok((parse("subject", &settings.texts.subject)?, parse("description", &settings.texts.description)?))
}

/// A subject is one line without blanks around it, and never empty: an appointment without number and name shows its id.
fn finish_subject(subject: &mut String, occasion: &Occasion) {
    if subject.chars().any(char::is_control) {
        *subject = subject.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    }
    subject.truncate(subject.trim_end().len());
    let leading = subject.len() - subject.trim_start().len();
    subject.drain(..leading);
    if subject.is_empty() {
        subject.push_str(&occasion.context.appointment.id);
    }
    truncate(subject, LINE);
}

fn error(occasion: Occasion, message: &str) -> RecordError {
    let mut message = message.to_owned();
    truncate(&mut message, LINE);
    RecordError { id: occasion.context.appointment.id, code: "template".to_owned(), message }
}
