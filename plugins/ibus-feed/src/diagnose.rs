//! Why a line is no record, said so that whoever wrote it can put it right.

use apptsync_plugin::source::Collection;
use apptsync_plugin::text::excerpt;
use serde_json::error::Category;
use serde_json::{Error, Value};

use crate::record::Problem;

enum Shape {
    Text,
    TrueOrFalse,
    Attributes,
}

use Shape::{Attributes, Text, TrueOrFalse};

/// Key, what it must be, and whether it must be there.
type Key = (&'static str, Shape, bool);

const APPOINTMENT: &[Key] = &[
    ("id", Text, true),
    ("channel", Text, true),
    ("number", Text, true),
    ("name", Text, true),
    ("type", Text, false),
    ("customer", Text, true),
    ("employee", Text, true),
    ("start", Text, true),
    ("end", Text, true),
    ("all_day", TrueOrFalse, false),
    ("priority", Text, false),
    ("status", Text, true),
    ("description", Text, false),
    ("completed_on", Text, false),
    ("completed_by", Text, false),
    ("reason", Text, false),
    ("changed_at", Text, true),
    ("deleted", TrueOrFalse, false),
    ("attributes", Attributes, false),
];

const CUSTOMER: &[Key] = &[
    ("id", Text, true),
    ("channel", Text, true),
    ("name", Text, true),
    ("street", Text, false),
    ("postcode", Text, false),
    ("city", Text, false),
    ("country", Text, false),
    ("email", Text, false),
    ("phone", Text, false),
    ("changed_at", Text, true),
    ("deleted", TrueOrFalse, false),
    ("attributes", Attributes, false),
];

/// The problem of a line that the parser refused with an error.
#[cold]
pub(crate) fn diagnose(what: Collection, line: &str, error: &Error) -> Problem {
    let value: Value = match serde_json::from_str(line) {
        Ok(value) => value,
        Err(error) if error.classify() == Category::Eof => return Problem::Cut,
        Err(error) => return Problem::Broken(format!("not JSON: {}", reason(&error))),
    };
    let Value::Object(object) = &value else {
        return Problem::Broken(format!("not a JSON object: {}", shown(&value)));
    };
    let keys = match what {
        Collection::Appointments => APPOINTMENT,
        Collection::Customers => CUSTOMER,
    };
    let problem = keys.iter().find_map(|(key, shape, required)| match object.get(*key) {
        None if *required => Some(format!("`{key}` is missing")),
        None => None,
        Some(Value::Null) if !required => None,
        Some(value) => misshapen(key, shape, value),
    });
    Problem::Broken(problem.unwrap_or_else(|| reason(error)))
}

fn misshapen(key: &str, shape: &Shape, value: &Value) -> Option<String> {
    let expected = match (shape, value) {
        (Text, Value::String(_)) | (TrueOrFalse, Value::Bool(_)) => return None,
        (Attributes, Value::Object(attributes)) => {
            let nested = |value: &&Value| value.is_array() || value.is_object();
            let (key, value) = attributes.iter().find(|(_, value)| nested(value))?;
            let shown = shown(value);
            return Some(format!(
                "`attributes.{}` is {shown}: text, a number, true or false is needed",
                excerpt(key, 64)
            ));
        }
        (Text, _) => "text in quotes",
        (TrueOrFalse, _) => "true or false",
        (Attributes, _) => "an object such as {\"region\":\"south\"}",
    };
    Some(format!("`{key}` is {}: {expected} is needed", shown(value)))
}

fn shown(value: &Value) -> String {
    excerpt(&value.to_string(), 80).into_owned()
}

/// The parser's words without the line number, which is always 1.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    let words = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    format!("{} at byte {}", excerpt(words, 200), error.column())
}
