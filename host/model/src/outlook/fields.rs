//! What two sides can say about an item, normalised so that equal things are equal: most endless loops of
//! synchronisations begin where they are not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::item::{Contact, Content, Entry, FieldSet, ItemKind};
use crate::{Period, Priority, named_enum};

named_enum! {
    /// A field that is compared and merged for itself.
    Field, "a field" {
        /// Subject: text in the sense of Text priority.
        Subject = "subject", "Subject";
        /// Body: text in the sense of Text priority.
        Body = "body", "Text";
        /// Location.
        Location = "location", "Location";
        /// Start, end and all day, as one.
        Period = "period", "Time";
        /// Importance.
        Priority = "priority", "Priority";
        /// Done or not.
        Completed = "completed", "Completed";
        /// All of a contact, as one.
        Contact = "contact", "Contact";
    }
}

impl Field {
    /// Subject and body (domain 8, Text priority).
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Subject | Self::Body)
    }
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// A text, normalised.
    Text(String),
    /// None for a task without a date.
    Period(Option<Period>),
    /// Importance.
    Priority(Priority),
    /// Done or not; when is not compared: servers round it.
    Completed(bool),
    /// A contact, each field normalised. Boxed: it is many times as large as the others, and there are few.
    Contact(Box<Contact>),
}

impl Value {
    /// Nothing is said: an empty text, no date.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Period(period) => period.is_none(),
            Self::Contact(contact) => **contact == Contact::default(),
            Self::Priority(_) | Self::Completed(_) => false,
        }
    }
}

/// The fields of an item that take part. What is missing belongs to the other side alone and is never touched.
pub type Projection = BTreeMap<Field, Value>;

/// A text in its one form: composed characters, plain line ends, no spaces at the end of lines or of the text.
#[must_use]
pub fn normalised(text: &str) -> String {
    // One more, for the end of the last line.
    let mut normal = String::with_capacity(text.len() + 1);
    for line in text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").split('\n') {
        let line = line.replace('\u{a0}', " ");
        normal.extend(line.trim_end().nfc());
        normal.push('\n');
    }
    normal.truncate(normal.trim_end().len());
    normal
}

fn text(value: &str) -> Value {
    Value::Text(normalised(value))
}

/// What an item says, field by field. Of appointments, `completed` is not compared: servers have no place for it.
#[must_use]
pub fn projection(kind: ItemKind, content: &Content) -> Projection {
    match content {
        Content::Entry(entry) => {
            let mut fields = BTreeMap::from([
                (Field::Subject, text(entry.subject.trim())),
                (Field::Body, text(&entry.body)),
                (Field::Location, text(entry.location.trim())),
                (Field::Period, Value::Period(entry.period)),
                (Field::Priority, Value::Priority(entry.priority)),
            ]);
            if kind == ItemKind::Task {
                fields.insert(Field::Completed, Value::Completed(entry.completed.is_some()));
            }
            fields
        }
        Content::Contact(contact) => {
            BTreeMap::from([(Field::Contact, Value::Contact(Box::new(normalised_contact(contact))))])
        }
    }
}

fn normalised_contact(contact: &Contact) -> Contact {
    let line = contact.join(contact, contact, |text, _, _| normalised(text.trim()));
    Contact { note: normalised(&contact.note), ..line }
}

/// Of what Outlook says of a contact, the part that the headquarters says something about, or did when both last agreed: a
/// note, a telephone number and whatever else the user of the address book added is the user's own (2.8).
#[must_use]
pub fn shared(outlook: &Projection, headquarters: &Projection, agreed: &Projection) -> Projection {
    let mut shared = outlook.clone();
    if let (Some(theirs), Some(ours)) = (contact(outlook), contact(headquarters)) {
        let part = theirs.join(ours, contact(agreed).unwrap_or(&Contact::default()), |theirs, ours, agreed| {
            if ours.is_empty() && agreed.is_empty() { String::new() } else { theirs.to_owned() }
        });
        shared.insert(Field::Contact, Value::Contact(Box::new(part)));
    }
    shared
}

/// A contact as it is written: the headquarters' values, and what is the user's own as Outlook has it.
#[must_use]
pub fn with_own(headquarters: &Contact, outlook: &Projection, agreed: &Projection) -> Contact {
    let Some(theirs) = contact(outlook) else { return headquarters.clone() };
    headquarters.join(theirs, contact(agreed).unwrap_or(&Contact::default()), |ours, theirs, agreed| {
        if ours.is_empty() && agreed.is_empty() { theirs.to_owned() } else { ours.to_owned() }
    })
}

fn contact(fields: &Projection) -> Option<&Contact> {
    match fields.get(&Field::Contact) {
        Some(Value::Contact(contact)) => Some(contact),
        _ => None,
    }
}

/// Content that says what the fields say; what they do not say is as in `rest`.
#[must_use]
pub fn content(fields: &Projection, rest: &Content) -> Content {
    let mut content = rest.clone();
    for value in fields {
        put(&mut content, value);
    }
    content
}

fn put(content: &mut Content, (field, value): (&Field, &Value)) {
    match (content, field, value) {
        (Content::Entry(Entry { subject, .. }), Field::Subject, Value::Text(text)) => subject.clone_from(text),
        (Content::Entry(Entry { body, .. }), Field::Body, Value::Text(text)) => body.clone_from(text),
        (Content::Entry(Entry { location, .. }), Field::Location, Value::Text(text)) => location.clone_from(text),
        (Content::Entry(entry), Field::Period, Value::Period(period)) => entry.period = *period,
        (Content::Entry(entry), Field::Priority, Value::Priority(priority)) => entry.priority = *priority,
        (Content::Entry(entry), Field::Completed, Value::Completed(false)) => entry.completed = None,
        (Content::Entry(entry), Field::Completed, Value::Completed(true)) => {
            entry.completed = Some(entry.completed.unwrap_or_default());
        }
        (Content::Contact(contact), Field::Contact, Value::Contact(value)) => contact.clone_from(value),
        _ => {}
    }
}

impl FieldSet {
    /// True when a field is among them.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        match field {
            Field::Subject => self.subject,
            Field::Body => self.body,
            Field::Location => self.location,
            Field::Period => self.period,
            Field::Priority => self.priority,
            Field::Completed => self.completed,
            Field::Contact => self.contact,
        }
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut set = Self::default();
        for field in fields {
            match field {
                Field::Subject => set.subject = true,
                Field::Body => set.body = true,
                Field::Location => set.location = true,
                Field::Period => set.period = true,
                Field::Priority => set.priority = true,
                Field::Completed => set.completed = true,
                Field::Contact => set.contact = true,
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn texts_that_look_the_same_are_the_same() {
        assert_eq!(normalised("Cafe\u{301} \r\nzwei\u{a0}\u{a0}\r\n\r\n"), "Caf\u{e9}\nzwei");
        assert_eq!(normalised(" \n"), "");
        let once = normalised("a\r b\u{2028}c");
        assert_eq!(normalised(&once), once);
    }
}
