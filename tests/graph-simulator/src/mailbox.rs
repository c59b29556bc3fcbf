//! A mailbox: calendars with events, To Do lists with tasks, contact folders with contacts, and what delta remembers.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::delta::Rounds;
use crate::event::{Event, Mails};
use crate::extended::Extended;
use crate::identifier::{Identifier, Kind, MailboxKey, change_key, guid};
use crate::moment::Moment;
use crate::zone::Zone;

/// A mailbox and all that is in it.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    pub(crate) key: MailboxKey,
    pub(crate) user_id: String,
    pub(crate) address: String,
    pub(crate) display_name: String,
    pub(crate) zone: Zone,
    next_number: u32,
    next_change: u64,
    pub(crate) calendars: BTreeMap<u32, Calendar>,
    pub(crate) events: BTreeMap<u32, Event>,
    pub(crate) lists: BTreeMap<u32, TaskList>,
    pub(crate) tasks: BTreeMap<u32, Task>,
    pub(crate) folders: BTreeMap<u32, ContactFolder>,
    pub(crate) contacts: BTreeMap<u32, Contact>,
    /// transactionId → the event it made, and what was asked for then.
    pub(crate) transactions: HashMap<String, (u32, Map<String, Value>)>,
    pub(crate) rounds: Rounds,
    pub(crate) mails: Mails,
    /// New items that `$filter` does not find yet, with the requests that must pass first.
    pub(crate) unfiltered: HashMap<u32, u64>,
    /// New events that delta does not report yet, with the rounds that must pass first.
    pub(crate) unreported: HashMap<u32, u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) change: u64,
    pub(crate) color: String,
    /// False for calendars that others share read-only, and for holidays.
    pub(crate) can_edit: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct TaskList {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) change: u64,
    /// `defaultList`, `flaggedEmails` or `none`.
    pub(crate) well_known: &'static str,
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) number: u32,
    pub(crate) list: u32,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) change: u64,
    /// Properties as answers show them.
    pub(crate) fields: Map<String, Value>,
    pub(crate) due: Option<Moment>,
    pub(crate) start: Option<Moment>,
    pub(crate) completed: Option<Moment>,
    pub(crate) reminder: Option<Moment>,
    /// Tasks keep the body as it was written.
    pub(crate) body_content: String,
    pub(crate) body_type: String,
    pub(crate) linked: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct ContactFolder {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) default: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) number: u32,
    pub(crate) folder: u32,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) change: u64,
    pub(crate) fields: Map<String, Value>,
    pub(crate) extended: Extended,
}

impl Mailbox {
    /// A mailbox as Exchange makes it: a calendar, two task lists, a contact folder.
    pub(crate) fn new(address: &str, display_name: &str, zone: Zone) -> Self {
        let mut mailbox = Self {
            key: MailboxKey::of(address),
            user_id: guid(&format!("user {}", address.to_lowercase())),
            address: address.into(),
            display_name: display_name.into(),
            zone,
            next_number: 0,
            next_change: 0,
            calendars: BTreeMap::new(),
            events: BTreeMap::new(),
            lists: BTreeMap::new(),
            tasks: BTreeMap::new(),
            folders: BTreeMap::new(),
            contacts: BTreeMap::new(),
            transactions: HashMap::new(),
            rounds: Rounds::default(),
            mails: Mails::default(),
            unfiltered: HashMap::new(),
            unreported: HashMap::new(),
        };
        mailbox.add_calendar("Calendar", true);
        mailbox.add_list("Tasks", "defaultList");
        mailbox.add_list("Flagged Emails", "flaggedEmails");
        mailbox.add_folder("Contacts", true);
        mailbox
    }

    /// The next number of an item.
    pub(crate) fn number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number
    }

    /// The number of the latest change.
    pub(crate) fn latest_change(&self) -> u64 {
        self.next_change
    }

    /// The next number of a change.
    pub(crate) fn change(&mut self) -> u64 {
        self.next_change += 1;
        self.next_change
    }

    pub(crate) fn add_calendar(&mut self, name: &str, can_edit: bool) -> u32 {
        let (number, change) = (self.number(), self.change());
        self.calendars.insert(number, Calendar { number, name: name.into(), change, color: "auto".into(), can_edit });
        number
    }

    pub(crate) fn add_list(&mut self, name: &str, well_known: &'static str) -> u32 {
        let (number, change) = (self.number(), self.change());
        self.lists.insert(number, TaskList { number, name: name.into(), change, well_known });
        number
    }

    pub(crate) fn add_folder(&mut self, name: &str, default: bool) -> u32 {
        let number = self.number();
        self.folders.insert(number, ContactFolder { number, name: name.into(), default });
        number
    }

    /// Number of the calendar that `/calendar` and `/events` mean: the first one.
    pub(crate) fn default_calendar(&self) -> u32 {
        self.calendars.keys().next().copied().unwrap_or_default()
    }

    pub(crate) fn default_folder(&self) -> u32 {
        self.folders.values().find(|folder| folder.default).map_or(0, |folder| folder.number)
    }

    /// The number behind the id of a folder: a calendar, a list, a contact folder.
    pub(crate) fn folder_number(&self, id: &str, kind: Kind) -> Option<u32> {
        let (found, _) = Identifier::read(id, self.key)?;
        (found.kind == kind).then_some(found.item)
    }

    /// The id of a folder. It is never immutable: it is constant anyway.
    pub(crate) fn folder_id(&self, kind: Kind, number: u32) -> String {
        Identifier { kind, item: number, folder: 0, date: None, generation: 0 }.write(self.key, false)
    }

    pub(crate) fn change_key(&self, change: u64) -> String {
        change_key(self.key, change)
    }

    pub(crate) fn etag(&self, change: u64) -> String {
        format!("W/\"{}\"", self.change_key(change))
    }

    /// What a search does not find yet; asked once a search, it counts.
    pub(crate) fn not_found_yet(&mut self) -> Vec<u32> {
        let late = self.unfiltered.keys().copied().collect();
        self.unfiltered.retain(|_, left| {
            *left -= 1;
            *left > 0
        });
        late
    }

    /// Removes a calendar with all that is in it.
    pub(crate) fn remove_calendar(&mut self, number: u32) {
        self.calendars.remove(&number);
        self.events.retain(|_, event| event.calendar != number);
    }
}
