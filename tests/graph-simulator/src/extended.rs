//! Single-value extended properties: what tells our items from others.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::GraphError;

/// The extended properties of an item, by their id as first written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extended(BTreeMap<String, String>);

/// An id that compares as Exchange does: type and GUID in any case, the name as it is.
fn comparable(id: &str) -> String {
    match id.find(" Name ") {
        Some(at) => format!("{}{}", id[..at].to_lowercase(), &id[at..]),
        None => id.to_lowercase(),
    }
}

fn is_id(id: &str) -> bool {
    let words: Vec<&str> = id.splitn(4, ' ').collect();
    let guid = |text: &str| text.len() == 38 && text.starts_with('{') && text.ends_with('}');
    match words.as_slice() {
        [_, tag] => tag.starts_with("0x"),
        [_, set, "Name", name] => guid(set) && !name.is_empty(),
        [_, set, "Id", id] => guid(set) && id.starts_with("0x"),
        _ => false,
    }
}

impl Extended {
    /// Takes `[{"id", "value"}]` over; a value of null removes.
    ///
    /// # Errors
    /// 400 for an id that is none.
    pub(crate) fn apply(&mut self, list: &Value) -> Result<(), GraphError> {
        for property in list.as_array().into_iter().flatten() {
            let id = property["id"].as_str().unwrap_or_default();
            if !is_id(id) {
                return Err(GraphError::new(
                    400,
                    "ErrorInvalidProperty",
                    format!("'{id}' is no id of an extended property."),
                ));
            }
            self.0.retain(|known, _| comparable(known) != comparable(id));
            if let Some(value) = property["value"].as_str() {
                self.0.insert(id.into(), value.into());
            }
        }
        Ok(())
    }

    /// Whether the item has the property with the value. Values compare in any case.
    pub(crate) fn has(&self, id: &str, value: Option<&str>) -> bool {
        let mut found = self.0.iter().filter(|(known, _)| comparable(known) == comparable(id));
        found.any(|(_, known)| value.is_none_or(|value| known.to_lowercase() == value.to_lowercase()))
    }

    /// Puts the named properties into an answer. Without any of them the answer says nothing.
    pub(crate) fn show(&self, ids: &[String], into: &mut Map<String, Value>) {
        let shown: Vec<Value> = self
            .0
            .iter()
            .filter(|(known, _)| ids.iter().any(|id| comparable(id) == comparable(known)))
            .map(|(id, value)| json!({"id": id, "value": value}))
            .collect();
        if !shown.is_empty() {
            into.insert("singleValueExtendedProperties".into(), Value::Array(shown));
        }
    }

    /// All of them, for the tests' eyes.
    pub(crate) fn all(&self) -> Value {
        self.0.iter().map(|(id, value)| json!({"id": id, "value": value})).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_as_written_and_values_do_not() {
        let id = "String {00020329-0000-0000-C000-000000000046} Name erpLink";
        let mut extended = Extended::default();
        extended.apply(&json!([{"id": id, "value": "AbC"}])).unwrap();
        assert!(extended.has(&id.replace("-C000-", "-c000-"), Some("aBc")));
        assert!(!extended.has(&id.replace("erpLink", "erplink"), Some("AbC")));
        assert!(extended.apply(&json!([{"id": "erpLink", "value": "x"}])).is_err());
        extended.apply(&json!([{"id": id, "value": null}])).unwrap();
        assert!(!extended.has(id, None));
    }
}
