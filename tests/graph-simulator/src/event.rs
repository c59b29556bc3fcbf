//! Events: single ones, masters of series, and the exceptions of a series, with the rules of writing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::body::ItemBody;
use crate::error::GraphError;
use crate::extended::Extended;
use crate::moment::Moment;
use crate::recurrence::Recurrence;

/// An event of a calendar.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) number: u32,
    /// Number of its calendar.
    pub(crate) calendar: u32,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
    /// Changes with every write to the event or one of its occurrences: `changeKey`.
    pub(crate) change: u64,
    /// Changes with writes to the event itself: occurrences without own values are then new.
    pub(crate) own_change: u64,
    pub(crate) content: Content,
    pub(crate) times: Times,
    pub(crate) recurrence: Option<Recurrence>,
    pub(crate) exceptions: BTreeMap<NaiveDate, Exception>,
    pub(crate) cancelled: BTreeSet<NaiveDate>,
    pub(crate) extended: Extended,
    pub(crate) transaction_id: Option<String>,
    /// How often the ids of its occurrences were replaced.
    pub(crate) generation: u8,
    /// Someone else's meeting, which this mailbox was invited to.
    pub(crate) organizer: Option<Value>,
}

/// An occurrence with values of its own.
#[derive(Debug, Clone)]
pub(crate) struct Exception {
    pub(crate) change: u64,
    pub(crate) content: Content,
    pub(crate) times: Times,
    pub(crate) extended: Extended,
}

/// What an event says, apart from when.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    /// Properties as answers show them.
    pub(crate) fields: Map<String, Value>,
    pub(crate) body: ItemBody,
}

/// When an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) all_day: bool,
}

/// Mail that a write would have sent to attendees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Mails {
    /// Invitations to attendees that were added.
    pub invitations: u64,
    /// Updates to attendees that were there before.
    pub updates: u64,
    /// Cancellations to attendees that were taken away, or whose meeting was.
    pub cancellations: u64,
}

impl Default for Content {
    fn default() -> Self {
        let fields = json!({
            "subject": "", "importance": "normal", "sensitivity": "normal", "showAs": "busy", "categories": [],
            "isReminderOn": true, "reminderMinutesBeforeStart": 15, "responseRequested": true,
            "allowNewTimeProposals": true, "hideAttendees": false, "isOnlineMeeting": false,
            "onlineMeetingProvider": "unknown", "location": place(""), "locations": [], "attendees": [],
        });
        let Value::Object(fields) = fields else { return Self { fields: Map::new(), body: ItemBody::default() } };
        Self { fields, body: ItemBody::default() }
    }
}

fn place(name: &str) -> Value {
    json!({
        "displayName": name, "locationType": "default", "uniqueIdType": if name.is_empty() { "unknown" } else { "private" },
        "address": {}, "coordinates": {},
    })
}

impl Content {
    /// Takes the properties over that say something but no time.
    ///
    /// # Errors
    /// 400 for values that Exchange refuses.
    pub(crate) fn apply(&mut self, object: &Map<String, Value>) -> Result<(), GraphError> {
        for (name, value) in object {
            match name.as_str() {
                "body" => self.body = ItemBody::parse(value)?,
                "subject" => {
                    let text = value.as_str().unwrap_or_default();
                    if text.chars().count() > 255 {
                        return Err(GraphError::invalid_property("subject is longer than 255 characters."));
                    }
                    self.set(name, json!(text));
                }
                "location" => {
                    let location = filled_place(value);
                    // The list follows the single location.
                    let list = if location["displayName"] == "" { json!([]) } else { json!([location]) };
                    self.set("locations", list);
                    self.set("location", location);
                }
                "locations" => {
                    let list: Vec<Value> = value.as_array().into_iter().flatten().map(filled_place).collect();
                    let names: Vec<&str> = list.iter().filter_map(|place| place["displayName"].as_str()).collect();
                    self.set("location", place(&names.join("; ")));
                    self.set("locations", Value::Array(list));
                }
                "attendees" => {
                    let list = value.as_array().into_iter().flatten().map(attendee).collect::<Result<Vec<_>, _>>()?;
                    if list.len() > 500 {
                        return Err(GraphError::invalid_property("An event can have no more than 500 attendees."));
                    }
                    self.set("attendees", Value::Array(list));
                }
                "reminderMinutesBeforeStart" if value.is_null() => self.set(name, json!(15)),
                "categories" if value.is_null() => self.set(name, json!([])),
                "importance" | "sensitivity" | "showAs" | "onlineMeetingProvider" => {
                    // Enumerations are read in any case and written in Graph's own.
                    let text = value.as_str().unwrap_or("normal");
                    self.set(name, json!(first_lower(text)));
                }
                "start"
                | "end"
                | "isAllDay"
                | "recurrence"
                | "transactionId"
                | "singleValueExtendedProperties"
                | "organizer" => {}
                _ if value.is_null() => {}
                _ => self.set(name, value.clone()),
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Value) {
        self.fields.insert(name.into(), value);
    }

    /// Addresses of the attendees, in lower case.
    pub(crate) fn attendees(&self) -> BTreeSet<String> {
        let list = self.fields.get("attendees").and_then(Value::as_array);
        let address = |attendee: &Value| attendee["emailAddress"]["address"].as_str().map(str::to_lowercase);
        list.into_iter().flatten().filter_map(address).collect()
    }
}

fn first_lower(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

fn filled_place(value: &Value) -> Value {
    let mut location = place(value["displayName"].as_str().unwrap_or_default());
    for name in
        ["locationType", "uniqueId", "uniqueIdType", "address", "coordinates", "locationUri", "locationEmailAddress"]
    {
        if !value[name].is_null() {
            location[name] = value[name].clone();
        }
    }
    location
}

fn attendee(value: &Value) -> Result<Value, GraphError> {
    let address = value["emailAddress"]["address"].as_str().filter(|address| address.contains('@'));
    let address =
        address.ok_or_else(|| GraphError::new(400, "ErrorInvalidRecipients", "At least one recipient isn't valid."))?;
    Ok(json!({
        "type": value["type"].as_str().unwrap_or("required"),
        "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
        "emailAddress": {"name": value["emailAddress"]["name"].as_str().unwrap_or(address), "address": address},
    }))
}

impl Times {
    /// The times of a new event.
    ///
    /// # Errors
    /// 400 where start or end is missing, and as [`Self::apply`].
    pub(crate) fn parse(object: &Map<String, Value>) -> Result<Self, GraphError> {
        let needed = |name: &str| {
            let value = object.get(name).ok_or_else(|| {
                GraphError::invalid_property(format!("At least one property failed validation: {name} is required."))
            })?;
            Moment::parse(value, name)
        };
        let times = Self {
            start: needed("start")?,
            end: needed("end")?,
            all_day: object.get("isAllDay").and_then(Value::as_bool).unwrap_or(false),
        };
        times.check()?;
        Ok(times)
    }

    /// Takes `start`, `end` and `isAllDay` over, as far as they are there.
    ///
    /// # Errors
    /// 400 for an end before the start, and for all-day times that are no midnights of one zone.
    pub(crate) fn apply(&mut self, object: &Map<String, Value>) -> Result<(), GraphError> {
        if let Some(start) = object.get("start") {
            self.start = Moment::parse(start, "start")?;
        }
        if let Some(end) = object.get("end") {
            self.end = Moment::parse(end, "end")?;
        }
        if let Some(all_day) = object.get("isAllDay").and_then(Value::as_bool) {
            self.all_day = all_day;
        }
        self.check()
    }

    fn check(&self) -> Result<(), GraphError> {
        if self.end.instant() < self.start.instant() {
            return Err(GraphError::invalid_property(
                "At least one property failed validation: end lies before start.",
            ));
        }
        if self.all_day {
            let midnight = |moment: &Moment| moment.local.time() == NaiveTime::MIN;
            if !midnight(&self.start) || !midnight(&self.end) {
                return Err(GraphError::invalid_property(
                    "The Event.Start and Event.End properties of an all-day event need to be set to midnight.",
                ));
            }
            if self.start.zone.tz != self.end.zone.tz {
                return Err(GraphError::invalid_property(
                    "Start and end of an all-day event must be in the same time zone.",
                ));
            }
            if self.end.local <= self.start.local {
                return Err(GraphError::invalid_property(
                    "The duration of an all-day event must be at least 24 hours.",
                ));
            }
        }
        Ok(())
    }

    /// The same times on another day of the series.
    pub(crate) fn on(&self, date: NaiveDate) -> Self {
        let start = date.and_time(self.start.local.time());
        let length: TimeDelta = self.end.zone.local(self.end.instant()) - self.start.local;
        // Start and end may be written in two zones: the length is then that of the instants.
        let end = if self.start.zone.tz == self.end.zone.tz {
            Moment { local: start + length, zone: self.end.zone.clone() }
        } else {
            let instant = self.start.zone.instant(start) + (self.end.instant() - self.start.instant());
            Moment { local: self.end.zone.local(instant), zone: self.end.zone.clone() }
        };
        Self { start: Moment { local: start, zone: self.start.zone.clone() }, end, all_day: self.all_day }
    }
}

impl Mails {
    /// What the organiser's change from one list of attendees to another sends. Changing the list alone mails only
    /// those whom it concerns.
    pub(crate) fn between(before: &BTreeSet<String>, after: &BTreeSet<String>, only_attendees: bool) -> Self {
        let kept = before.intersection(after).count() as u64;
        Self {
            invitations: after.difference(before).count() as u64,
            updates: if only_attendees { 0 } else { kept },
            cancellations: before.difference(after).count() as u64,
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.invitations += other.invitations;
        self.updates += other.updates;
        self.cancellations += other.cancellations;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.invitations + self.updates + self.cancellations
    }
}
