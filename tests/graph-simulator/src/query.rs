//! OData's system query options for collections: `$filter`, `$orderby`, `$skip`, `$top`, `$select`, `$expand`, `$count`.

use serde_json::{Map, Value};

use crate::error::GraphError;
use crate::extended::Extended;
use crate::http::Call;

/// What `$expand` asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expand {
    /// Ids of the extended properties.
    pub(crate) extended: Vec<String>,
    pub(crate) exceptions: bool,
    pub(crate) calendar: bool,
    pub(crate) linked_resources: bool,
}

/// Splits at commas that stand in no brackets and no quotes.
fn split_top(text: &str, separator: char) -> Vec<&str> {
    let (mut depth, mut quoted, mut start, mut parts) = (0_i32, false, 0, Vec::new());
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ if character == separator && !quoted && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

impl Expand {
    /// Reads `$expand`.
    ///
    /// # Errors
    /// 400 for what cannot be expanded, and for extended properties that no filter names.
    pub(crate) fn of(call: &Call) -> Result<Self, GraphError> {
        let mut expand = Self::default();
        for part in split_top(call.parameter("$expand").unwrap_or_default(), ',') {
            let (name, options) =
                part.split_once('(').map_or((part, ""), |(name, rest)| (name, rest.trim_end_matches(')')));
            match name.to_lowercase().as_str() {
                "singlevalueextendedproperties" => {
                    let filter = split_top(options, ';')
                        .into_iter()
                        .find_map(|option| option.trim_start_matches('$').strip_prefix("filter="));
                    let filter = filter.ok_or_else(|| {
                        GraphError::new(
                            400,
                            "ErrorInvalidUrlQueryFilter",
                            "Extended properties are expanded only with a $filter on their id.",
                        )
                    })?;
                    let condition = Condition::parse(filter)?;
                    condition.ids(&mut expand.extended);
                }
                "exceptionoccurrences" => expand.exceptions = true,
                "calendar" => expand.calendar = true,
                "linkedresources" => expand.linked_resources = true,
                "attachments" | "extensions" | "instances" | "multivalueextendedproperties" | "checklistitems" => {}
                _ => {
                    return Err(GraphError::new(
                        400,
                        "BadRequest",
                        format!("Parsing OData Select and Expand failed: Could not find a property named '{name}'."),
                    ));
                }
            }
        }
        Ok(expand)
    }
}

/// The properties that `$select` names, if it is there.
pub(crate) fn selected(call: &Call) -> Option<Vec<String>> {
    let text = call.parameter("$select")?;
    let names: Vec<String> =
        text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    (!names.is_empty()).then_some(names)
}

/// Leaves what was selected: the id, annotations and expanded properties always stay.
pub(crate) fn select(mut item: Map<String, Value>, names: Option<&[String]>, optional: &[&str]) -> Map<String, Value> {
    const EXPANDED: [&str; 4] =
        ["singleValueExtendedProperties", "exceptionOccurrences", "calendar", "linkedResources"];
    item.retain(|key, _| match names {
        None => !optional.contains(&key.as_str()),
        Some(names) => {
            key.contains('@')
                || key == "id"
                || EXPANDED.contains(&key.as_str())
                || names.iter().any(|name| name.eq_ignore_ascii_case(key))
        }
    });
    item
}

/// Where a page of a collection begins, and how long it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    pub(crate) skip: usize,
    pub(crate) size: usize,
}

impl Paging {
    /// By `$top`, else by `odata.maxpagesize`, else ten: and from `$skip` on.
    ///
    /// # Errors
    /// 400 for a `$top` out of 1 to 1000.
    pub(crate) fn of(call: &Call, preferred: Option<usize>, default: usize) -> Result<Self, GraphError> {
        let number = |name: &str| match call.parameter(name) {
            Some(text) => text.parse::<usize>().map(Some).map_err(|_| {
                GraphError::new(400, "BadRequest", format!("Invalid value '{text}' for {name} query option found."))
            }),
            None => Ok(None),
        };
        let size = number("$top")?;
        if size.is_some_and(|size| !(1..=1000).contains(&size)) {
            return Err(GraphError::new(400, "ErrorInvalidUrlQuery", "$top must lie between 1 and 1000."));
        }
        Ok(Self { skip: number("$skip")?.unwrap_or(0), size: size.or(preferred).unwrap_or(default).min(1000) })
    }
}

/// A condition of `$filter`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    /// Property path, operator, literal.
    Compare(String, String, Value),
    /// `startswith` or `contains`.
    Text(String, String, String),
    /// `singleValueExtendedProperties/any(ep: …)`
    Any(Box<Condition>),
}

impl Condition {
    /// Reads a filter.
    ///
    /// # Errors
    /// 400 where it is none that we know.
    pub(crate) fn parse(text: &str) -> Result<Self, GraphError> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let condition = parser.or()?;
        match parser.peek() {
            None => Ok(condition),
            Some(rest) => Err(invalid(&format!("unexpected '{rest}'"))),
        }
    }

    /// Whether the item, as an answer shows it, fulfils the condition.
    pub(crate) fn holds(&self, item: &Map<String, Value>, extended: &Extended) -> bool {
        match self {
            Self::And(one, other) => one.holds(item, extended) && other.holds(item, extended),
            Self::Or(one, other) => one.holds(item, extended) || other.holds(item, extended),
            Self::Not(condition) => !condition.holds(item, extended),
            Self::Compare(path, operator, literal) => compare(&lookup(item, path), operator, literal),
            Self::Text(function, path, text) => {
                let value = lookup(item, path);
                let value = value.as_str().unwrap_or_default().to_lowercase();
                if function == "contains" {
                    value.contains(&text.to_lowercase())
                } else {
                    value.starts_with(&text.to_lowercase())
                }
            }
            Self::Any(condition) => {
                let (mut ids, mut values) = (Vec::new(), Vec::new());
                condition.ids(&mut ids);
                condition.values(&mut values);
                ids.iter().any(|id| {
                    if values.is_empty() {
                        extended.has(id, None)
                    } else {
                        values.iter().any(|value| extended.has(id, Some(value)))
                    }
                })
            }
        }
    }

    fn literals(&self, property: &str, into: &mut Vec<String>) {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                one.literals(property, into);
                other.literals(property, into);
            }
            Self::Compare(path, operator, Value::String(text))
                if operator == "eq" && path.rsplit('/').next() == Some(property) =>
            {
                into.push(text.clone());
            }
            _ => {}
        }
    }

    fn ids(&self, into: &mut Vec<String>) {
        self.literals("id", into);
    }

    fn values(&self, into: &mut Vec<String>) {
        self.literals("value", into);
    }
}

fn invalid(why: &str) -> GraphError {
    GraphError::new(400, "ErrorInvalidUrlQueryFilter", format!("Invalid filter clause: {why}."))
}

fn lookup(item: &Map<String, Value>, path: &str) -> Value {
    let mut steps = path.split('/');
    let first = steps.next().unwrap_or_default();
    let start = item.iter().find(|(key, _)| key.eq_ignore_ascii_case(first)).map_or(&Value::Null, |(_, value)| value);
    steps.fold(start, |value, step| &value[step]).clone()
}

fn compare(value: &Value, operator: &str, literal: &Value) -> bool {
    use std::cmp::Ordering;
    let ordering = match (value, literal) {
        (Value::String(one), Value::String(other)) => {
            match (chrono::DateTime::parse_from_rfc3339(one), chrono::DateTime::parse_from_rfc3339(other)) {
                (Ok(one), Ok(other)) => Some(one.cmp(&other)),
                // A dateTimeTimeZone has no offset; compared as text, digit by digit, without a final Z.
                _ => Some(one.to_lowercase().as_str().cmp(other.to_lowercase().trim_end_matches('z'))),
            }
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64().partial_cmp(&other.as_f64()),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => None,
    };
    match operator {
        "eq" => ordering == Some(Ordering::Equal),
        "ne" => ordering != Some(Ordering::Equal),
        "gt" => ordering == Some(Ordering::Greater),
        "ge" => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        "lt" => ordering == Some(Ordering::Less),
        _ => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
    }
}

fn tokens(text: &str) -> Result<Vec<String>, GraphError> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' => {}
            '(' | ')' | ',' => tokens.push(character.to_string()),
            '\'' => {
                let mut literal = String::from("'");
                loop {
                    match characters.next() {
                        Some('\'') if characters.peek() == Some(&'\'') => literal.extend(characters.next()),
                        Some('\'') => break,
                        Some(character) => literal.push(character),
                        None => return Err(invalid("a quote is not closed")),
                    }
                }
                tokens.push(literal);
            }
            _ => {
                let mut word = String::from(character);
                while let Some(next) = characters.peek().filter(|next| !matches!(next, ' ' | '(' | ')' | ',' | '\'')) {
                    word.push(*next);
                    characters.next();
                }
                tokens.push(word);
            }
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Result<String, GraphError> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| invalid("it ends too early"))?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, word: &str) -> Result<(), GraphError> {
        if self.take(word) { Ok(()) } else { Err(invalid(&format!("'{word}' expected"))) }
    }

    fn or(&mut self) -> Result<Condition, GraphError> {
        let mut condition = self.and()?;
        while self.take("or") {
            condition = Condition::Or(Box::new(condition), Box::new(self.and()?));
        }
        Ok(condition)
    }

    fn and(&mut self) -> Result<Condition, GraphError> {
        let mut condition = self.one()?;
        while self.take("and") {
            condition = Condition::And(Box::new(condition), Box::new(self.one()?));
        }
        Ok(condition)
    }

    fn one(&mut self) -> Result<Condition, GraphError> {
        if self.take("not") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        if self.take("(") {
            let condition = self.or()?;
            self.need(")")?;
            return Ok(condition);
        }
        let word = self.next()?;
        let lower = word.to_lowercase();
        if lower == "startswith" || lower == "contains" {
            self.need("(")?;
            let path = self.next()?;
            self.need(",")?;
            let text = self.next()?.trim_start_matches('\'').to_owned();
            self.need(")")?;
            return Ok(Condition::Text(lower, path, text));
        }
        if lower == "singlevalueextendedproperties/any" {
            self.need("(")?;
            let variable = self.next()?;
            match variable.split_once(':') {
                None => self.need(":")?,
                Some((_, "")) => {}
                // No blank after the colon: the rest of the word belongs to the condition.
                Some((_, rest)) => {
                    self.at -= 1;
                    self.tokens[self.at] = rest.to_owned();
                }
            }
            let condition = self.or()?;
            self.need(")")?;
            return Ok(Condition::Any(Box::new(condition)));
        }
        let operator = self.next()?.to_lowercase();
        if !["eq", "ne", "gt", "ge", "lt", "le"].contains(&operator.as_str()) {
            return Err(invalid(&format!("'{operator}' is no operator")));
        }
        let literal = self.next()?;
        let literal = match literal.strip_prefix('\'') {
            Some(text) => Value::String(text.into()),
            None => serde_json::from_str(&literal).unwrap_or(Value::String(literal)),
        };
        Ok(Condition::Compare(word, operator, literal))
    }
}

/// Orders items by `$orderby`, such as `start/dateTime desc`.
pub(crate) fn order(call: &Call, items: &mut [Map<String, Value>]) {
    let Some(text) = call.parameter("$orderby") else { return };
    // The last criterion first: sorting is stable.
    for part in text.split(',').rev() {
        let mut words = part.split_whitespace();
        let path = words.next().unwrap_or_default();
        let descending = words.next().is_some_and(|word| word.eq_ignore_ascii_case("desc"));
        items.sort_by(|one, other| {
            let key = |item| match lookup(item, path) {
                Value::String(text) => text,
                value => value.to_string(),
            };
            let ordering = key(one).cmp(&key(other));
            if descending { ordering.reverse() } else { ordering }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(filter: &str, item: Value) -> bool {
        let Value::Object(item) = item else { panic!("an object is needed") };
        let mut extended = Extended::default();
        extended
            .apply(&json!([{"id": "String {00020329-0000-0000-C000-000000000046} Name erpLink", "value": "L-1"}]))
            .unwrap();
        Condition::parse(filter).unwrap().holds(&item, &extended)
    }

    #[test]
    fn filters_are_understood() {
        let item = || json!({"subject": "It's a visit", "start": {"dateTime": "2026-01-05T08:00:00.0000000"}, "isAllDay": false});
        assert!(holds("subject eq 'it''s a visit' and (isAllDay eq false or not startswith(subject,'It'))", item()));
        assert!(holds("start/dateTime ge '2026-01-05T08:00:00' and start/dateTime lt '2026-01-06T00:00:00Z'", item()));
        let property = "singleValueExtendedProperties/Any(ep: ep/id eq 'String {00020329-0000-0000-C000-000000000046} Name erpLink' and ep/value eq";
        assert!(holds(&format!("{property} 'l-1')"), item()));
        assert!(!holds(&format!("{property} 'l-2')"), item()));
        assert!(holds(&format!("{} 'l-1')", property.replace("ep: ep", "ep:ep")), item()));
        assert!(Condition::parse("subject is 'x'").is_err());
    }
}
