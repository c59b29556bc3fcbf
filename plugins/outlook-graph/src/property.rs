//! Our id at an event or contact: an extended property that people do not see.
//!
//! Names of properties are compared with their case and values without it, so our ids are written in lower case. A filter on
//! the property does not return it; to see it, it has to be expanded. Delta queries do neither.

use apptsync_plugin::connector::Identity;
use serde_json::{Value, json};

use crate::address::quote;

/// Its property set, of our own, and its name there.
const SET: &str = "String {5b1c6d1e-2f0a-4c57-9a3e-6c0f7d8a41b2}";
const NAME: &str = "Name apptsyncId";
/// Longest our-id, in bytes.
const LONGEST: usize = 64;

/// What `$expand` must say to see the property; not yet percent-encoded.
pub(crate) fn expand() -> String {
    format!("singleValueExtendedProperties($filter=id eq {})", quote(&id()))
}

/// What `$filter` must say to find an id; not yet percent-encoded.
pub(crate) fn filter(our_id: &str) -> String {
    let value = quote(&our_id.to_lowercase());
    format!("singleValueExtendedProperties/Any(ep: ep/id eq {} and ep/value eq {value})", quote(&id()))
}

/// The property as it is written; empty takes the id off.
pub(crate) fn write(our_id: &str) -> Value {
    json!([{"id": id(), "value": our_id.to_lowercase()}])
}

/// What an entity says whose property was expanded.
pub(crate) fn read(entity: &Value) -> Identity {
    let properties = entity["singleValueExtendedProperties"].as_array();
    let ours = properties.into_iter().flatten().find(|property| property["id"].as_str().is_some_and(is_ours));
    ours.and_then(|property| property["value"].as_str()).map_or(Identity::None, identity)
}

fn id() -> String {
    format!("{SET} {NAME}")
}

/// Servers write the set as they like; the name has a case.
fn is_ours(id: &str) -> bool {
    let set = id.strip_suffix(NAME).map(str::trim_end);
    set.is_some_and(|set| set.eq_ignore_ascii_case(SET))
}

/// A text that is an id of ours, or none.
pub(crate) fn identity(text: &str) -> Identity {
    let id = text.to_ascii_lowercase();
    let is_ours = (1..=LONGEST).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_ours { Identity::Ours(id) } else { Identity::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_in_lower_case() {
        let entity = json!({"singleValueExtendedProperties": write("AB-1")});
        assert_eq!(read(&entity), Identity::Ours("ab-1".to_owned()));
        assert!(filter("AB-1").contains("ep/value eq 'ab-1'"));
    }

    #[test]
    fn an_empty_or_foreign_property_is_none() {
        for properties in [
            write(""),
            write("a b"),
            write(&"a".repeat(65)),
            json!([{"id": "x", "value": "a"}]),
            json!(7),
            json!(["x"]),
        ] {
            assert_eq!(read(&json!({"singleValueExtendedProperties": properties})), Identity::None, "{properties}");
        }
        assert_eq!(read(&json!({})), Identity::None);
    }
}
