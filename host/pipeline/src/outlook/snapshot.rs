//! What a plan is made from: both sides as they stand, and what ties them together.

use std::collections::{BTreeMap, BTreeSet};

use apptsync_model::Instant;
use apptsync_model::outlook::{
    Content, GuardSettings, HeadquartersId, ItemKind, Link, LinkId, Origin, Projection, RemoteItem, SyncRunId, Window,
};

use apptsync_store::Side;

use super::considered::Incarnations;
use super::decide::Rules;

/// Seconds by which the window is grown on each side before an item that is linked leaves it (2.10).
pub const MARGIN: i64 = 7 * 86_400;

/// Where an object of the headquarters stands to the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the window, and it meets the criteria.
    Window,
    /// Within seven days of the window: what is linked stays so, what is not is not made.
    Margin,
    /// Farther away.
    Outside,
    /// It does not meet the criteria.
    Filtered,
}

/// An object of the headquarters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadquartersItem {
    /// Which.
    pub id: HeadquartersId,
    /// What it becomes in Outlook.
    pub kind: ItemKind,
    /// Where it was made.
    pub origin: Origin,
    /// Changes whenever it changes.
    pub revision: i64,
    /// What it says, in the shape of an item.
    pub content: Content,
    /// The fields that take part.
    pub fields: Projection,
    /// Where it stands to the settings.
    pub place: Place,
    /// Canceled, or no longer this representative's.
    pub withdrawn: bool,
    /// No longer this representative's.
    pub moved: bool,
    /// Completed or Completed unprocessed.
    pub closed: bool,
    /// Delayed.
    pub delayed: bool,
    /// When it begins.
    pub start: Instant,
    /// When it is over.
    pub end: Instant,
    /// When it was last changed.
    pub changed_at: Instant,
}

/// What is known of an item since both sides last agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteState {
    /// The item as it stands.
    Present(Box<RemoteItem>),
    /// The server says that there is none.
    Gone,
    /// The server does not say; why, in words.
    Unknown(String),
}

impl RemoteState {
    /// What the item says, where it is there.
    #[must_use]
    pub fn item(&self) -> Option<&RemoteItem> {
        match self {
            Self::Present(item) => Some(item),
            Self::Gone | Self::Unknown(_) => None,
        }
    }
}

/// What the last full listing of a collection found, and what this one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Items then.
    pub before: u64,
    /// Items now.
    pub now: u64,
}

/// Both sides of one profile.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Name of the profile: keys of items follow from it.
    pub profile: String,
    /// The representative.
    pub employee: String,
    /// The instant of the run.
    pub now: Instant,
    /// The run.
    pub run: SyncRunId,
    /// What the profile lays down.
    pub rules: Rules,
    /// Its guards.
    pub guards: GuardSettings,
    /// The collection of each kind that takes part.
    pub targets: BTreeMap<ItemKind, String>,
    /// The window of each kind.
    pub windows: BTreeMap<ItemKind, Window>,
    /// The representative's zone, for whole days.
    pub zone: chrono_tz::Tz,
    /// The links that a plan has to look at: all, or those that [`Considered`](super::considered::Considered) kept.
    pub links: Vec<Link>,
    /// How many more links are in the window or near it.
    pub settled: u64,
    /// The series whose occurrences these are.
    pub settled_series: BTreeSet<(ItemKind, String)>,
    /// What a person decided about objects.
    pub answers: BTreeMap<HeadquartersId, Side>,
    /// The last incarnation of the items of each object.
    pub incarnations: Incarnations,
    /// The first of the last ten runs of the profile: those that count for guard G8.
    pub oldest_run: SyncRunId,
    /// The objects of the headquarters that these links are of, and those that lie in a window and have none.
    pub headquarters: BTreeMap<HeadquartersId, HeadquartersItem>,
    /// What was seen of items since both sides last agreed.
    pub remote: BTreeMap<(ItemKind, String), RemoteState>,
    /// Links whose last write is not confirmed yet.
    pub unsettled: BTreeSet<LinkId>,
    /// The mark that the items bear which this run writes; empty where nothing is written.
    pub writer: String,
    /// Those of the marks on items that no run of this database has: another installation wrote them (2.11).
    pub strangers: BTreeSet<String>,
    /// Full listings.
    pub listings: BTreeMap<ItemKind, Listing>,
    /// A cursor had expired, the connection is new, a calendar was changed, or the clock jumped: why nothing may be deleted
    /// without a person's approval.
    pub rebuilt: Option<String>,
}

impl Snapshot {
    /// What the profile lays down or, where somebody decided about the object, that.
    #[must_use]
    pub fn rules_of(&self, object: &HeadquartersId) -> Rules {
        self.rules.answered(self.answers.get(object).copied())
    }
}

/// The mark on a linked item that was written by another run than when both sides last agreed; none where nothing changed, or
/// where what was read does not say.
#[must_use]
pub(super) fn new_writer<'a>(link: &Link, remote: &'a BTreeMap<(ItemKind, String), RemoteState>) -> Option<&'a str> {
    match remote.get(&(link.kind, link.remote_id.clone()?))? {
        RemoteState::Present(item) if item.etag != link.etag && item.writer != link.base.writer => {
            item.writer.as_deref()
        }
        _ => None,
    }
}
