//! A link: what ties an item of Outlook to an object of the headquarters, and what both said when they last agreed.

use serde::{Deserialize, Serialize};

use super::fields::Projection;
use super::item::{ItemKind, Window};
use crate::{ActivityId, Instant, named_enum};

/// Number of a link.
pub type LinkId = i64;
/// Number of a run of the synchronisation.
pub type SyncRunId = i64;

named_enum! {
    /// Where an object was made.
    Origin, "an origin" {
        /// In Mobile: the headquarters' version always wins (domain 8).
        Mobile = "mobile", "Mobile";
        /// In the headquarters.
        Headquarters = "headquarters", "Headquarters";
        /// In Outlook.
        Outlook = "outlook", "Microsoft Outlook";
    }
}

named_enum! {
    /// How a link stands.
    LinkState, "a state of a link" {
        /// Its item is to be made, or was sent and not yet heard of.
        CreatingRemote = "creating-remote", "Being made in Outlook";
        /// Both sides are there.
        Linked = "linked", "Linked";
        /// The person does not want it in Outlook: it was deleted there twice, or moved away. It is left alone.
        Suppressed = "suppressed", "Left out";
        /// An item of Outlook that is not transferred.
        Ignored = "ignored", "Not transferred";
        /// It goes back and forth, or cannot be written: left alone until a person looks.
        Quarantined = "quarantined", "Quarantined";
        /// Not synchronised any more; the items of both sides stay as they are.
        Unlinked = "unlinked", "No longer synchronised";
        /// Deleted on a side, and done with.
        Tombstone = "tombstone", "Deleted";
    }
}

impl LinkState {
    /// True where runs still look at it.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::CreatingRemote | Self::Linked | Self::Suppressed)
    }
}

/// An object of the headquarters that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadquartersId {
    /// An activity.
    Activity(ActivityId),
    /// A partner, for address books.
    Partner(String),
    /// An employee, for address books.
    Employee(String),
}

impl std::fmt::Display for HeadquartersId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Activity(id) => write!(formatter, "activity/{id}"),
            Self::Partner(id) => write!(formatter, "partner/{id}"),
            Self::Employee(id) => write!(formatter, "employee/{id}"),
        }
    }
}

impl std::str::FromStr for HeadquartersId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{}` is no object of the headquarters", text.escape_debug());
        match text.split_once('/').ok_or_else(wrong)? {
            ("activity", id) => id.parse().map(Self::Activity).map_err(|_| wrong()),
            ("partner", id) => Ok(Self::Partner(id.to_owned())),
            ("employee", id) => Ok(Self::Employee(id.to_owned())),
            _ => Err(wrong()),
        }
    }
}

/// What both sides said when they last agreed. Each side has a version of its own, because a server may cut or rewrite
/// what it is given: Outlook's is what was read back after the last write, never what was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The headquarters' version.
    pub headquarters: Projection,
    /// Outlook's version.
    pub remote: Projection,
    /// The values that the last change of each field replaced: what returns to them goes back and forth.
    #[serde(default)]
    pub previous: Projection,
    /// Other people took part in it then.
    #[serde(default)]
    pub has_attendees: bool,
    /// It was somebody else's meeting then.
    #[serde(default)]
    pub is_foreign: bool,
    /// IANA zone that Outlook showed it in then; empty when it had none of its own.
    #[serde(default)]
    pub zone: String,
    /// The iCalendar UID of the item; empty where it has none.
    #[serde(default)]
    pub uid: String,
    /// The item has the category *Locked by ERP* (row P7).
    #[serde(default)]
    pub is_locked: bool,
    /// The item was moved to a calendar that is not synchronised, and is left out for that (row 22).
    #[serde(default)]
    pub is_elsewhere: bool,
    /// The mark of the run that had written the item last by then, as far as it is known.
    #[serde(default)]
    pub writer: Option<String>,
}

/// What ties an item of Outlook to an object of the headquarters. One for each profile, object and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number; 0 while it is not stored.
    pub id: LinkId,
    /// What the item is.
    pub kind: ItemKind,
    /// The object; none for an ignored item.
    pub headquarters: Option<HeadquartersId>,
    /// The item; none before it is made.
    pub remote_id: Option<String>,
    /// The collection that it lies in.
    pub collection: String,
    /// The series that it is an occurrence of, and its place there.
    pub occurrence: Option<super::item::Occurrence>,
    /// The key that our item carries: it follows from profile, object and incarnation.
    pub our_id: String,
    /// How often the item was made anew.
    pub incarnation: u32,
    /// Where the object was made.
    pub origin: Origin,
    /// How it stands.
    pub state: LinkState,
    /// When both last agreed.
    pub base: Base,
    /// Revision of the object in `base`.
    pub revision: i64,
    /// Of the item in `base`.
    pub etag: String,
    /// When the item was last made anew because it had been deleted in Outlook.
    pub recreated_at: Option<Instant>,
    /// When edits in Outlook were put back, latest last; those older than a day are dropped.
    pub reverts: Vec<Instant>,
    /// The runs (latest last, at most 10) in which something of it went back and forth.
    pub flaps: Vec<SyncRunId>,
    /// Since when the object no longer meets the criteria.
    pub filtered_since: Option<Instant>,
    /// Why it stands as it does, in words.
    pub note: String,
}

/// Where the next pass over a collection goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncCursor {
    /// The connector's cursor; none after it expired.
    pub cursor: Option<String>,
    /// The window that it was made with.
    pub window: Window,
    /// The collection that it is of.
    pub collection: String,
    /// When everything was last listed.
    pub full_at: Instant,
    /// How many items that listed.
    pub listed: u64,
    /// The pass is a first one after the cursor expired or the connection was made anew: nothing is deleted because of it
    /// without a person's approval.
    pub rebuilt: bool,
    /// The server shows at once what was written to it; none where it was not asked yet.
    pub reads_own_writes: Option<bool>,
}
