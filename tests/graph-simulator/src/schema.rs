//! The properties that a client may write, and what each may be. Whatever is not listed is refused, as OData does.

use serde_json::{Map, Value};

use crate::error::GraphError;

/// What a property may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Flag,
    Number,
    OneOf(&'static [&'static str]),
    Texts,
    /// An object or a list of objects, looked at where it is used.
    Object,
    Objects,
    /// An instant or a date, as text.
    Time,
    /// Given by the service: taken without a word, and ignored.
    ReadOnly,
    /// Not to be null, and otherwise as the inner one.
    NotNull(&'static Shape),
}

/// A type: its name in Graph and its properties.
pub(crate) struct Schema {
    pub(crate) name: &'static str,
    pub(crate) properties: &'static [(&'static str, Shape)],
}

use Shape::{Flag, NotNull, Number, Object, Objects, OneOf, ReadOnly, Text, Texts, Time};

const IMPORTANCE: Shape = OneOf(&["low", "normal", "high"]);

pub(crate) const EVENT: Schema = Schema {
    name: "microsoft.graph.event",
    properties: &[
        ("subject", Text),
        ("body", Object),
        ("start", NotNull(&Object)),
        ("end", NotNull(&Object)),
        ("isAllDay", Flag),
        ("importance", IMPORTANCE),
        ("sensitivity", NotNull(&OneOf(&["normal", "personal", "private", "confidential"]))),
        ("showAs", OneOf(&["unknown", "free", "tentative", "busy", "oof", "workingElsewhere"])),
        ("categories", Texts),
        ("location", Object),
        ("locations", Objects),
        ("attendees", Objects),
        ("recurrence", Object),
        ("isReminderOn", Flag),
        ("reminderMinutesBeforeStart", Number),
        ("responseRequested", Flag),
        ("allowNewTimeProposals", Flag),
        ("hideAttendees", Flag),
        ("isOnlineMeeting", Flag),
        ("onlineMeetingProvider", OneOf(&["unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"])),
        ("singleValueExtendedProperties", Objects),
        ("transactionId", Text),
        ("organizer", Object),
        ("isOrganizer", ReadOnly),
        ("isCancelled", ReadOnly),
        ("isDraft", ReadOnly),
        ("id", ReadOnly),
        ("createdDateTime", ReadOnly),
        ("lastModifiedDateTime", ReadOnly),
        ("changeKey", ReadOnly),
        ("iCalUId", ReadOnly),
        ("bodyPreview", ReadOnly),
        ("type", ReadOnly),
        ("webLink", ReadOnly),
        ("seriesMasterId", ReadOnly),
        ("hasAttachments", ReadOnly),
        ("originalStart", ReadOnly),
        ("originalStartTimeZone", ReadOnly),
        ("originalEndTimeZone", ReadOnly),
        ("responseStatus", ReadOnly),
        ("onlineMeeting", ReadOnly),
        ("onlineMeetingUrl", ReadOnly),
        ("cancelledOccurrences", ReadOnly),
    ],
};

pub(crate) const CALENDAR: Schema = Schema {
    name: "microsoft.graph.calendar",
    properties: &[
        ("name", NotNull(&Text)),
        ("color", Text),
        ("isDefaultCalendar", Flag),
        ("id", ReadOnly),
        ("changeKey", ReadOnly),
        ("hexColor", ReadOnly),
        ("owner", ReadOnly),
        ("canEdit", ReadOnly),
        ("canShare", ReadOnly),
        ("canViewPrivateItems", ReadOnly),
        ("isRemovable", ReadOnly),
        ("isTallyingResponses", ReadOnly),
        ("allowedOnlineMeetingProviders", ReadOnly),
        ("defaultOnlineMeetingProvider", ReadOnly),
    ],
};

pub(crate) const TASK_LIST: Schema = Schema {
    name: "microsoft.graph.todoTaskList",
    properties: &[
        ("displayName", NotNull(&Text)),
        ("id", ReadOnly),
        ("isOwner", ReadOnly),
        ("isShared", ReadOnly),
        ("wellknownListName", ReadOnly),
    ],
};

pub(crate) const TASK: Schema = Schema {
    name: "microsoft.graph.todoTask",
    properties: &[
        ("title", Text),
        ("body", Object),
        ("status", NotNull(&OneOf(&["notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"]))),
        ("importance", NotNull(&IMPORTANCE)),
        ("isReminderOn", Flag),
        ("dueDateTime", Object),
        ("startDateTime", Object),
        ("reminderDateTime", Object),
        ("completedDateTime", Object),
        ("categories", Texts),
        ("linkedResources", Objects),
        ("recurrence", Object),
        ("id", ReadOnly),
        ("createdDateTime", ReadOnly),
        ("lastModifiedDateTime", ReadOnly),
        ("bodyLastModifiedDateTime", ReadOnly),
        ("hasAttachments", ReadOnly),
    ],
};

pub(crate) const LINKED_RESOURCE: Schema = Schema {
    name: "microsoft.graph.linkedResource",
    properties: &[
        ("applicationName", Text),
        ("displayName", Text),
        ("externalId", Text),
        ("webUrl", Text),
        ("id", ReadOnly),
    ],
};

pub(crate) const CONTACT_FOLDER: Schema = Schema {
    name: "microsoft.graph.contactFolder",
    properties: &[("displayName", NotNull(&Text)), ("parentFolderId", ReadOnly), ("id", ReadOnly)],
};

pub(crate) const CONTACT: Schema = Schema {
    name: "microsoft.graph.contact",
    properties: &[
        ("assistantName", Text),
        ("birthday", Time),
        ("businessAddress", Object),
        ("businessHomePage", Text),
        ("businessPhones", Texts),
        ("categories", Texts),
        ("children", Texts),
        ("companyName", Text),
        ("department", Text),
        ("displayName", Text),
        ("emailAddresses", Objects),
        ("fileAs", Text),
        ("generation", Text),
        ("givenName", Text),
        ("homeAddress", Object),
        ("homePhones", Texts),
        ("imAddresses", Texts),
        ("initials", Text),
        ("jobTitle", Text),
        ("manager", Text),
        ("middleName", Text),
        ("mobilePhone", Text),
        ("nickName", Text),
        ("officeLocation", Text),
        ("otherAddress", Object),
        ("personalNotes", Text),
        ("profession", Text),
        ("spouseName", Text),
        ("surname", Text),
        ("title", Text),
        ("yomiCompanyName", Text),
        ("yomiGivenName", Text),
        ("yomiSurname", Text),
        ("singleValueExtendedProperties", Objects),
        ("parentFolderId", ReadOnly),
        ("id", ReadOnly),
        ("changeKey", ReadOnly),
        ("createdDateTime", ReadOnly),
        ("lastModifiedDateTime", ReadOnly),
    ],
};

impl Schema {
    /// What of a client's object is to be written: annotations and properties of the service are left out.
    ///
    /// # Errors
    /// 400 for a property that there is not, and a value that it cannot have.
    pub(crate) fn check(&self, object: Map<String, Value>) -> Result<Map<String, Value>, GraphError> {
        let mut written = Map::new();
        for (name, value) in object {
            if name.contains('@') {
                continue;
            }
            let Some((_, shape)) = self.properties.iter().find(|(property, _)| *property == name) else {
                return Err(GraphError::new(
                    400,
                    "RequestBodyRead",
                    format!(
                        "The property '{name}' does not exist on type '{}'. Make sure to only use property names that are \
                         defined by the type.",
                        self.name
                    ),
                ));
            };
            if matches!(shape, ReadOnly) {
                continue;
            }
            if !shape.admits(&value) {
                return Err(GraphError::new(
                    400,
                    "RequestBodyRead",
                    format!("Cannot convert the literal '{value}' of property '{name}' to the expected type."),
                ));
            }
            written.insert(name, value);
        }
        Ok(written)
    }
}

impl Shape {
    fn admits(self, value: &Value) -> bool {
        if value.is_null() {
            return !matches!(self, NotNull(_));
        }
        match self {
            NotNull(shape) => shape.admits(value),
            Text | Time => value.is_string(),
            Flag => value.is_boolean(),
            Number => value.is_i64() || value.is_u64(),
            OneOf(allowed) => {
                value.as_str().is_some_and(|text| allowed.iter().any(|one| one.eq_ignore_ascii_case(text)))
            }
            Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            Object => value.is_object(),
            Objects => value.as_array().is_some_and(|list| list.iter().all(Value::is_object)),
            ReadOnly => true,
        }
    }
}
