//! Items of a calendar system, and what is asked of the connector that speaks with it.

use serde::{Deserialize, Serialize};

use crate::{Instant, Period, Priority, named_enum};

named_enum! {
    /// What an item is.
    ItemKind, "a kind of item" {
        /// An entry of a calendar.
        Appointment = "appointment", "Calendar entry";
        /// An entry of a task list.
        Task = "task", "Task";
        /// An entry of an address book.
        Contact = "contact", "Contact";
    }
}

/// Whose calendar it is, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Server address; empty where the connector needs none.
    pub server: String,
    /// Mailbox or user at the server.
    pub mailbox: String,
    /// IANA zone of the representative's organization.
    pub zone: String,
}

/// A calendar, a task list or an address book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteCollection {
    /// The server's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ItemKind,
    /// May be written to.
    pub writable: bool,
    /// The one that is meant where none is named.
    pub is_default: bool,
}

/// What [Connect] finds (domain 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// What the server calls itself.
    pub server: String,
    /// What was written is seen by every later read.
    pub reads_own_writes: bool,
    /// Calendars, task lists, address books.
    pub collections: Vec<RemoteCollection>,
}

/// Which collection a call is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// What it holds.
    pub kind: ItemKind,
    /// The server's id.
    pub collection: String,
}

/// From one instant to another; `end` lies after `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// First instant.
    pub start: Instant,
    /// First instant that is no longer in it.
    pub end: Instant,
}

impl Window {
    /// True when an interval lies in the window, if only partly (domain 8). What has no length lies where it begins.
    #[must_use]
    pub fn overlaps(&self, start: Instant, end: Instant) -> bool {
        start < self.end && (end > self.start || (start == end && start >= self.start))
    }

    /// True when the other window lies in this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Larger by so many seconds on each side, within the range of instants.
    #[must_use]
    pub fn grown(&self, seconds: i64) -> Self {
        Self {
            start: Instant((self.start.0 - seconds).max(0)),
            end: Instant((self.end.0 + seconds).min(Instant::MAX.0)),
        }
    }
}

/// An appointment or a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// One line.
    pub location: String,
    /// None for a task without a date.
    pub period: Option<Period>,
    /// IANA zone that it is shown in; empty when it has none of its own.
    pub zone: String,
    /// Importance.
    pub priority: Priority,
    /// Done, and when. Of appointments this is only ever written.
    pub completed: Option<Instant>,
}

/// A person in an address book.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Company.
    pub company: String,
    /// E-mail address.
    pub email: String,
    /// Business telephone.
    pub phone: String,
    /// Street and house number.
    pub street: String,
    /// Post code.
    pub postcode: String,
    /// City.
    pub city: String,
    /// Country.
    pub country: String,
    /// Plain text.
    pub note: String,
}

impl Contact {
    /// A contact whose texts are chosen from those of three, one by one.
    #[must_use]
    pub fn join(&self, second: &Self, third: &Self, choose: impl Fn(&str, &str, &str) -> String) -> Self {
        let text = |of: fn(&Self) -> &String| choose(of(self), of(second), of(third));
        Self {
            name: text(|contact| &contact.name),
            company: text(|contact| &contact.company),
            email: text(|contact| &contact.email),
            phone: text(|contact| &contact.phone),
            street: text(|contact| &contact.street),
            postcode: text(|contact| &contact.postcode),
            city: text(|contact| &contact.city),
            country: text(|contact| &contact.country),
            note: text(|contact| &contact.note),
        }
    }
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// An appointment or a task.
    Entry(Entry),
    /// A contact.
    Contact(Contact),
}

/// Whether an item carries a key of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// What was read does not say.
    Unread,
    /// It carries none.
    None,
    /// This one.
    Ours(String),
}

/// One occurrence of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Remote id of the series.
    pub series: String,
    /// Where the pattern of the series puts it, however it was moved.
    pub original_start: Instant,
}

/// An item as it stands at the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteItem {
    /// Stable while the item lives.
    pub remote_id: String,
    /// Changes whenever the item changes.
    pub etag: String,
    /// The collection that it lies in.
    pub collection: String,
    /// Our key on it.
    pub identity: Identity,
    /// The mark of the run that wrote it last, of whichever installation; none where what was read does not say.
    #[serde(default)]
    pub writer: Option<String>,
    /// Its iCalendar UID, which it keeps when its id changes; empty where it has none.
    #[serde(default)]
    pub uid: String,
    /// What it says; empty texts when it is private.
    pub content: Content,
    /// Private or confidential: it never leaves Outlook (domain 8).
    pub private: bool,
    /// Called off by its organizer.
    pub cancelled: bool,
    /// The owner of the mailbox organizes it.
    pub is_organizer: bool,
    /// Other people take part.
    pub has_attendees: bool,
    /// Which occurrence of which series.
    pub occurrence: Option<Occurrence>,
    /// By the server's clock.
    pub changed_at: Option<Instant>,
}

/// What a pass tells of one item or series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemoteChange {
    /// The item as it stands.
    Present(Box<RemoteItem>),
    /// All occurrences of a series in the window.
    Series {
        /// Remote id of the series.
        id: String,
        /// Its occurrences in the window.
        occurrences: Vec<RemoteItem>,
    },
    /// It is there in a version that the connector itself wrote, and was not read.
    Known {
        /// Its remote id.
        remote_id: String,
        /// The version.
        etag: String,
    },
    /// No longer listed, which does not mean that it is gone.
    Removed(String),
    /// The item is there, but what it says breaks the limits of the contract.
    Unreadable {
        /// Its remote id.
        remote_id: String,
        /// Why.
        reason: String,
    },
}

/// A page of a pass over a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePage {
    /// What it tells.
    pub changes: Vec<RemoteChange>,
    /// Where the next page or the next pass goes on.
    pub next: String,
    /// The last page of the pass.
    pub done: bool,
    /// The pass lists everything in the window.
    pub full: bool,
}

/// A page of what lies in a window, by ids and versions alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteVersions {
    /// Remote ids, each with its etag.
    pub items: Vec<(String, String)>,
    /// Where the next page goes on; none when nothing is left.
    pub next: Option<String>,
}

/// Fields of an item that a write touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of flags, as the contract has it")]
pub struct FieldSet {
    /// Subject.
    pub subject: bool,
    /// Body.
    pub body: bool,
    /// Location.
    pub location: bool,
    /// Start, end, all day.
    pub period: bool,
    /// Importance.
    pub priority: bool,
    /// Done or not.
    pub completed: bool,
    /// All fields of a contact.
    pub contact: bool,
}

/// A write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// A new item.
    Create {
        /// The same for every attempt.
        key: String,
        /// Stored with the item.
        our_id: String,
        /// The mark of the run that writes, stored beside it.
        writer: String,
        /// What it says.
        content: Content,
    },
    /// Some fields of an item.
    Update {
        /// Which item.
        remote_id: String,
        /// Only if it still has it.
        etag: String,
        /// As it shall be.
        content: Content,
        /// What of it is written.
        fields: FieldSet,
        /// Stored with the item, where it is adopted.
        our_id: Option<String>,
        /// The mark of the run that writes, stored with the item.
        writer: String,
    },
    /// Deletes an item.
    Delete {
        /// Which item.
        remote_id: String,
        /// Only if it still has it.
        etag: String,
    },
    /// Takes our key off a copy.
    Disown {
        /// Which item.
        remote_id: String,
        /// Only if it still has it.
        etag: String,
    },
    /// Adds the category *Locked by ERP*, or takes it off.
    Mark {
        /// Which item.
        remote_id: String,
        /// Only if it still has it.
        etag: String,
        /// Whether it shall have the category.
        locked: bool,
    },
}

impl Push {
    /// The item that is written to; none of a new one.
    #[must_use]
    pub fn remote_id(&self) -> Option<&str> {
        match self {
            Self::Create { .. } => None,
            Self::Update { remote_id, .. }
            | Self::Delete { remote_id, .. }
            | Self::Disown { remote_id, .. }
            | Self::Mark { remote_id, .. } => Some(remote_id),
        }
    }
}

/// Why a connector did not do what it was asked, as something the host can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorFailure {
    /// Certainly not done: the server wants a pause of so many seconds.
    #[error("the server wants a pause{}", .0.map_or(String::new(), |seconds| format!(" of {seconds} s")))]
    Throttled(Option<u32>),
    /// Certainly not done: the credential is missing, wrong, expired or has not the right.
    #[error("the server refuses the credential: {0}")]
    Auth(String),
    /// What was asked about is not there.
    #[error("it is no longer there")]
    Gone,
    /// Somebody else was faster.
    #[error("it was changed meanwhile")]
    Conflict,
    /// May have been done or not; may work later.
    #[error("{0}")]
    Transient(String),
    /// Refused; will not work until somebody changes something.
    #[error("{0}")]
    Permanent(String),
    /// The plugin failed, or broke the contract. May have been done or not.
    #[error("{0}")]
    Broken(String),
}

/// What became of a write: the item as the server has it now, none after a deletion.
pub type Pushed = Result<Option<Box<RemoteItem>>, ConnectorFailure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_in_a_window_when_they_overlap() {
        let window = Window { start: Instant(100), end: Instant(200) };
        let overlaps = |start, end| window.overlaps(Instant(start), Instant(end));
        assert!(overlaps(50, 101) && overlaps(199, 300) && overlaps(0, 999) && overlaps(100, 100));
        assert!(!overlaps(50, 100) && !overlaps(200, 300) && !overlaps(200, 200));
    }
}
