//! Our id at an event or contact, and who wrote it last: two extended properties that people do not see.
//!
//! Names of properties are compared with their case and values without it, so our ids are written in lower case. A filter on
//! the property does not return it; to see it, it has to be expanded. Delta queries do neither.

use apptsync_plugin::connector::Identity;
use serde_json::{Value, json};

use crate::address::quote;

/// Their property set, of our own, and their names there.
const SET: &str = "String {5b1c6d1e-2f0a-4c57-9a3e-6c0f7d8a41b2}";
const OUR_ID: &str = "Name apptsyncId";
const WRITER: &str = "Name apptsyncWriter";
/// Longest value of either, in bytes.
const LONGEST: usize = 64;

/// What an item says of us.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Signature {
    pub(crate) identity: Identity,
    pub(crate) writer: Option<String>,
}

impl Signature {
    /// What was read does not say.
    pub(crate) const UNREAD: Self = Self { identity: Identity::Unread, writer: None };
    /// There is nothing of ours.
    pub(crate) const NONE: Self = Self { identity: Identity::None, writer: None };

    /// After a write that stored a writer and, where it was set, an id: the answers to writes do not say.
    pub(crate) fn written(our_id: Option<&str>, writer: &str) -> Self {
        let identity = our_id.map_or(Identity::Unread, |our_id| Identity::Ours(our_id.to_lowercase()));
        Self { identity, writer: mark(writer) }
    }
}

/// What `$expand` must say to see both; not yet percent-encoded.
pub(crate) fn expand() -> String {
    format!("singleValueExtendedProperties($filter=id eq {} or id eq {})", quote(&id(OUR_ID)), quote(&id(WRITER)))
}

/// What `$filter` must say to find an id; not yet percent-encoded.
pub(crate) fn filter(our_id: &str) -> String {
    let value = quote(&our_id.to_lowercase());
    format!("singleValueExtendedProperties/Any(ep: ep/id eq {} and ep/value eq {value})", quote(&id(OUR_ID)))
}

/// The properties as they are written: the writer and, where it is set, our id.
pub(crate) fn write(our_id: Option<&str>, writer: &str) -> Value {
    let our_id = our_id.map(|our_id| json!({"id": id(OUR_ID), "value": our_id.to_lowercase()}));
    our_id.into_iter().chain([json!({"id": id(WRITER), "value": writer.to_lowercase()})]).collect()
}

/// The properties as they are taken off: empty is as good as none.
pub(crate) fn clear() -> Value {
    write(Some(""), "")
}

/// What an entity says whose properties were expanded.
pub(crate) fn read(entity: &Value) -> Signature {
    let value = |name| {
        let properties = entity["singleValueExtendedProperties"].as_array();
        let found = properties
            .into_iter()
            .flatten()
            .find(|property| property["id"].as_str().is_some_and(|id| is_named(id, name)));
        found.and_then(|property| property["value"].as_str()).and_then(mark)
    };
    Signature { identity: value(OUR_ID).map_or(Identity::None, Identity::Ours), writer: value(WRITER) }
}

fn id(name: &str) -> String {
    format!("{SET} {name}")
}

/// Servers write the set as they like; the name has a case.
fn is_named(id: &str, name: &str) -> bool {
    let set = id.strip_suffix(name).map(str::trim_end);
    set.is_some_and(|set| set.eq_ignore_ascii_case(SET))
}

/// A text that is an id of ours, or none.
pub(crate) fn identity(text: &str) -> Identity {
    mark(text).map_or(Identity::None, Identity::Ours)
}

/// A text that has the form of what we write.
fn mark(text: &str) -> Option<String> {
    let mark = text.to_ascii_lowercase();
    let is_ours = (1..=LONGEST).contains(&mark.len())
        && mark.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    is_ours.then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_in_lower_case() {
        let entity = json!({"singleValueExtendedProperties": write(Some("AB-1"), "Run-7")});
        assert_eq!(read(&entity), Signature::written(Some("ab-1"), "run-7"));
        assert!(filter("AB-1").contains("ep/value eq 'ab-1'"));
        let entity = json!({"singleValueExtendedProperties": write(None, "run-7")});
        assert_eq!(read(&entity), Signature { identity: Identity::None, writer: Some("run-7".to_owned()) });
    }

    #[test]
    fn an_empty_or_foreign_property_is_none() {
        for properties in [
            clear(),
            write(Some("a b"), "c_d"),
            write(Some(&"a".repeat(65)), &"b".repeat(65)),
            json!([{"id": "x", "value": "a"}]),
            json!([{"id": id("Name apptsyncid"), "value": "a"}, {"id": id("Name apptsyncwriter"), "value": "a"}]),
            json!(7),
            json!(["x"]),
        ] {
            assert_eq!(read(&json!({"singleValueExtendedProperties": properties})), Signature::NONE, "{properties}");
        }
        assert_eq!(read(&json!({})), Signature::NONE);
    }
}
