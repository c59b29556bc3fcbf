//! Typed access to a table of the configuration, with errors that name the place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::position::{Document, FileError, suggestion};

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    /// The value.
    pub(super) value: T,
    /// Its place in the text.
    pub(super) span: Range<usize>,
}

/// A table of the configuration.
#[derive(Debug, Clone)]
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    table: &'a DeTable<'a>,
    /// Where it begins.
    pub(super) span: Range<usize>,
    /// Its name with a dot, as messages put it before a key: `pipeline.`; empty for the file itself.
    prefix: String,
}

impl<'a> Section<'a> {
    pub(super) fn new(document: &'a Document<'a>, table: &'a DeTable<'a>, span: Range<usize>, prefix: String) -> Self {
        Self { document, table, span, prefix }
    }

    /// An error at a place of this file.
    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> FileError {
        self.document.error(span, message)
    }

    /// The document it belongs to.
    pub(super) fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// Refuses every other key.
    pub(super) fn allow(&self, keys: &[&str]) -> Result<(), FileError> {
        let unknown = self.table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref()));
        let Some(first) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let name = first.get_ref().escape_debug().to_string();
        Err(self.error(first.span(), format!("unknown key `{name}`{}", suggestion(&name, keys))))
    }

    /// Refuses a key that other sections may have.
    pub(super) fn refuse(&self, key: &str, why: &str) -> Result<(), FileError> {
        match self.table.get_key_value(key) {
            Some((key, _)) => Err(self.error(key.span(), why)),
            None => Ok(()),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    fn mismatch(&self, key: &str, found: &Spanned<DeValue<'_>>, wanted: &str) -> FileError {
        let kind = found.get_ref().type_str();
        self.error(found.span(), format!("`{}{key}` is of type {kind}: it must be {wanted}", self.prefix))
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<Option<Located<&'a str>>, FileError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        match found.get_ref().as_str() {
            Some(value) => Ok(Some(Located { value, span: found.span() })),
            None => Err(self.mismatch(key, found, "a text in quotes")),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<Located<&'a str>>>, FileError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        let wanted = "a list of texts, such as [\"feed\"]";
        let Some(items) = found.get_ref().as_array() else { return Err(self.mismatch(key, found, wanted)) };
        let texts = items.iter().map(|item| match item.get_ref().as_str() {
            Some(value) => Ok(Located { value, span: item.span() }),
            None => Err(self.mismatch(key, item, wanted)),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// Yes or no.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, FileError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        match found.get_ref().as_bool() {
            Some(value) => Ok(Some(value)),
            None => Err(self.mismatch(key, found, "true or false")),
        }
    }

    /// The names of all entries.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// A table.
    pub(super) fn table(&self, key: &str) -> Result<Option<Self>, FileError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        match found.get_ref().as_table() {
            Some(table) => Ok(Some(self.below(key, table, found.span()))),
            None => Err(self.mismatch(key, found, "a table, such as { … }")),
        }
    }

    /// A list of tables.
    pub(super) fn tables(&self, key: &str) -> Result<Vec<Self>, FileError> {
        let Some(found) = self.get(key) else { return Ok(Vec::new()) };
        let wanted = "a list of tables, such as [ { plugin = \"…\" } ]";
        let Some(items) = found.get_ref().as_array() else { return Err(self.mismatch(key, found, wanted)) };
        let tables = items.iter().map(|item| match item.get_ref().as_table() {
            Some(table) => Ok(self.below(key, table, item.span())),
            None => Err(self.mismatch(key, item, wanted)),
        });
        tables.collect()
    }

    fn below(&self, key: &str, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self::new(self.document, table, span, format!("{}{key}.", self.prefix))
    }

    /// All entries: texts as they are, anything else as JSON.
    pub(super) fn entries(&self) -> Result<Vec<(String, String)>, FileError> {
        let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                _ => json(value)
                    .ok_or_else(|| self.error(value.span(), "this number cannot be written as JSON: put it in quotes"))?
                    .to_string(),
            };
            Ok((key.get_ref().to_string(), text))
        };
        self.table.iter().map(entry).collect()
    }
}

/// A TOML value as JSON; none for numbers that JSON does not have.
fn json(value: &Spanned<DeValue<'_>>) -> Option<serde_json::Value> {
    use serde_json::Value;
    Some(match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => Value::from(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Float(number) => Value::Number(serde_json::Number::from_f64(number.as_str().parse().ok()?)?),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(instant) => Value::String(instant.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(json).collect::<Option<_>>()?),
        DeValue::Table(table) => {
            let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                Some((key.get_ref().to_string(), json(value)?))
            };
            Value::Object(table.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}
