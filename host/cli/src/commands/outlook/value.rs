//! Values of fields as plans and `outlook why` show them: each on one line.

use apptsync_model::Period;
use apptsync_model::outlook::Value;
use apptsync_pipeline::outlook::Direction;

/// Characters of a text that a table shows; `--output json` has all of it.
const SHOWN: usize = 60;

/// A value.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => shortened(&text.replace('\n', " / ")),
        Value::Period(None) => "no date".to_owned(),
        Value::Period(Some(Period::Timed { start, end })) => format!("{start} to {end}"),
        Value::Period(Some(Period::AllDay { start, end })) => format!("{start} to {end} (all day)"),
        Value::Priority(priority) => priority.to_string(),
        Value::Completed(done) => if *done { "done" } else { "open" }.to_owned(),
        Value::Contact(contact) => {
            let texts = [&contact.name, &contact.company, &contact.phone, &contact.email, &contact.city];
            shortened(&texts.into_iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(", "))
        }
    }
}

/// Where a value goes.
pub(super) fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::ToOutlook => "to Outlook",
        Direction::ToHeadquarters => "to the headquarters",
        Direction::Held => "held",
        Direction::Agreed => "agreed",
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
