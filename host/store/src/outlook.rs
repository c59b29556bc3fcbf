//! What the synchronisation with Outlook keeps: settings, profiles, links, what was seen, what was sent, what was changed.

use std::collections::BTreeMap;

use apptsync_model::outlook::{
    Content, HeadquartersId, ItemKind, Link, LinkId, Profile, Push, RemoteItem, SyncCursor, SyncRunId, SyncSettings,
    Window,
};
use apptsync_model::{Activity, ActivityId, Employee, Instant, Message, Partner, Period, Priority, named_enum};

use crate::{Result, RunLock};

/// Number of a profile.
pub type ProfileId = i64;

/// Whose Activity synchronization settings (domain 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsOwner {
    /// Of one user.
    User(String),
    /// Of all who have none of their own.
    Database,
}

/// A profile with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProfile {
    /// Its number.
    pub id: ProfileId,
    /// Keys of its items follow from this: the same for a profile of this name in this database, also when it was removed and
    /// added again.
    pub name_space: String,
    /// What it says.
    pub profile: Profile,
}

/// What was last seen of an item and not yet dealt with. It outlives a crash, so that a cursor never runs ahead of what
/// it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What the item is.
    pub kind: ItemKind,
    /// Its remote id.
    pub remote_id: String,
    /// What was seen.
    pub seen: Seen,
    /// The run that saw it first this way.
    pub run: SyncRunId,
}

/// What was seen of an item.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// The item.
    Present(Box<RemoteItem>),
    /// It is no longer listed; whether it is gone is not known yet.
    Removed,
    /// The server says that there is no such item.
    Gone,
    /// The series that it was an occurrence of no longer has it.
    NotInSeries,
}

impl Seen {
    /// What the item says, where it is there.
    #[must_use]
    pub fn item(&self) -> Option<&RemoteItem> {
        match self {
            Self::Present(item) => Some(item),
            Self::Removed | Self::Gone | Self::NotInSeries => None,
        }
    }
}

/// What a page of a pass stores, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullWrite<'a> {
    /// Whose.
    pub profile: ProfileId,
    /// What is pulled.
    pub kind: ItemKind,
    /// What was seen; for one remote id the last counts. What was seen before of the same id is replaced.
    pub observations: &'a [Observation],
    /// Remote ids of which nothing is kept any more.
    pub forgotten: &'a [&'a str],
    /// Where the next page or pass goes on; none leaves the cursor as it is.
    pub cursor: Option<&'a SyncCursor>,
    /// What the connector keeps: keys with new values, or none where they were removed.
    pub state: &'a [(String, Option<Vec<u8>>)],
}

named_enum! {
    /// How far a write is.
    OperationState, "a state of a write" {
        /// It is about to be sent, or was: whether it was done is not known.
        Sent = "sent", "Sent";
        /// It was done.
        Done = "done", "Done";
        /// It was certainly not done.
        Failed = "failed", "Failed";
    }
}

/// A write to Outlook in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its number; 0 while it is not stored.
    pub id: i64,
    /// The run that sent it.
    pub run: SyncRunId,
    /// Its link.
    pub link: LinkId,
    /// What is asked of the connector.
    pub push: StoredPush,
    /// How far it is.
    pub state: OperationState,
    /// When it was sent.
    pub sent_at: Instant,
    /// How often it was looked for in vain.
    pub rounds: u32,
}

/// What the journal keeps of a write.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoredPush {
    /// A new item with this key of ours.
    Create {
        /// Our key.
        our_id: String,
        /// What it says.
        content: Content,
    },
    /// Fields of an item.
    Update {
        /// Which item.
        remote_id: String,
        /// As it shall be.
        content: Content,
    },
    /// A deletion.
    Delete {
        /// Which item.
        remote_id: String,
    },
    /// Our key is taken off.
    Disown {
        /// Which item.
        remote_id: String,
    },
    /// The category *Locked by ERP* is added or taken off.
    Mark {
        /// Which item.
        remote_id: String,
    },
}

impl From<&Push> for StoredPush {
    fn from(push: &Push) -> Self {
        match push {
            Push::Create { our_id, content, .. } => Self::Create { our_id: our_id.clone(), content: content.clone() },
            Push::Update { remote_id, content, .. } => {
                Self::Update { remote_id: remote_id.clone(), content: content.clone() }
            }
            Push::Delete { remote_id, .. } => Self::Delete { remote_id: remote_id.clone() },
            Push::Disown { remote_id, .. } => Self::Disown { remote_id: remote_id.clone() },
            Push::Mark { remote_id, .. } => Self::Mark { remote_id: remote_id.clone() },
        }
    }
}

named_enum! {
    /// A side.
    Side, "a side" {
        /// The headquarters.
        Headquarters = "headquarters", "Headquarters";
        /// Outlook.
        Outlook = "outlook", "Outlook";
    }
}

named_enum! {
    /// What was done to an object or item.
    AuditAction, "an action" {
        /// It was made.
        Created = "created", "Created";
        /// Fields of it were changed.
        Updated = "updated", "Updated";
        /// Edits were put back.
        Reverted = "reverted", "Put back";
        /// It was deleted, or canceled.
        Deleted = "deleted", "Deleted";
        /// A value lost against the other side's without being written over on its own side.
        Overruled = "overruled", "Overruled";
    }
}

/// What was changed, and what was there before: nothing is lost silently. The entries form a chain of digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the order of all; 0 while it is not stored.
    pub sequence: i64,
    /// The run.
    pub run: SyncRunId,
    /// The link.
    pub link: LinkId,
    /// On which side.
    pub side: Side,
    /// What was done.
    pub action: AuditAction,
    /// The object of the headquarters.
    pub headquarters: Option<HeadquartersId>,
    /// The item.
    pub remote_id: Option<String>,
    /// The row of the decision table.
    pub row: String,
    /// What was there before.
    pub before: Option<Content>,
    /// What is there now.
    pub after: Option<Content>,
}

/// A result of a write that is stored in one transaction: link, journal, audit, and what is dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The link as it stands now.
    pub link: Link,
    /// The journal's entry, and what became of it.
    pub operation: Option<(i64, OperationState)>,
    /// A change of the headquarters, tied to the revision that it was decided on.
    pub change: Option<HeadquartersChange>,
    /// Audit; run, the link's number where it is 0, and the object where it is missing are filled in.
    pub audit: Vec<AuditEntry>,
    /// What was seen of this remote id is dealt with.
    pub observed: Option<String>,
}

/// A change of an activity by the synchronisation or by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadquartersChange {
    /// A new activity.
    Create(Box<NewActivity>),
    /// Content of an activity.
    Update {
        /// Which.
        activity: ActivityId,
        /// Only at this revision.
        revision: i64,
        /// As it shall be.
        fields: EditedActivity,
    },
    /// The activity is canceled: Completed unprocessed, where it was Planned, and its item in Outlook goes.
    Cancel {
        /// Which.
        activity: ActivityId,
        /// Only at this revision.
        revision: i64,
    },
    /// A cancellation is taken back (undo): the status of before.
    Reinstate {
        /// Which.
        activity: ActivityId,
        /// Only at this revision.
        revision: i64,
        /// The status it gets.
        status: apptsync_model::ActivityStatus,
    },
}

/// What an edit may change of an activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedActivity {
    /// Subject.
    pub subject: String,
    /// Description.
    pub description: String,
    /// Location; empty for none.
    pub location: String,
    /// When it takes place.
    pub period: Period,
    /// The same as instants.
    pub start: Instant,
    /// The same as instants.
    pub end: Instant,
    /// Priority.
    pub priority: Priority,
    /// Done, and when: status Completed, Completed on; only Planned activities become Completed.
    pub completed: Option<Instant>,
    /// A task had no date: its period is the day it came in, whatever `period` says later, and it never becomes Delayed.
    pub undated: bool,
}

/// An activity that is made in the headquarters or comes from Outlook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewActivity {
    /// Where it was made: `headquarters` or `outlook`.
    pub origin: apptsync_model::outlook::Origin,
    /// A calendar entry or a task.
    pub entry: ItemKind,
    /// Unique among those of its origin; making it again finds the one that is there, and leaves it as it is.
    /// Empty for the number that the activity gets.
    pub source_id: String,
    /// The representative.
    pub employee: String,
    /// The partner, where there is one.
    pub partner: Option<String>,
    /// Kind of the activity.
    pub kind: String,
    /// The rest.
    pub fields: EditedActivity,
}

/// What became of a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Stored; the link with its number, and the activity, where one was made or changed, with its new revision. The link
    /// has that activity and that revision then.
    Done(Box<Link>, Option<(ActivityId, i64)>),
    /// The activity was changed meanwhile: nothing of this settlement was stored.
    Conflict,
}

/// A run of the synchronisation that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSyncRun {
    /// Whose.
    pub profile: ProfileId,
    /// `sync`, `contacts`, `undo`.
    pub purpose: String,
    /// The instant it takes as now.
    pub as_of: Instant,
    /// By the clock of the machine.
    pub started: Instant,
    /// What the items that it writes bear, so that every installation can tell its own writes from those of others: random,
    /// in a-z and 0-9. Empty for a run that was stored before there were such marks.
    pub writer: String,
}

named_enum! {
    /// How a run of the synchronisation ended.
    SyncState, "a state of a synchronisation" {
        /// Under way.
        Running = "running", "Running";
        /// The plan was drawn up, as was asked; nothing was applied.
        Planned = "planned", "Planned";
        /// Both sides agree.
        Completed = "completed", "Completed";
        /// Done, but something needs a look.
        CompletedWithWarnings = "completed-with-warnings", "Completed with warnings";
        /// The plan waits for a person; nothing was applied.
        Held = "held", "Held";
        /// The server wants a pause; the next run goes on.
        Throttled = "throttled", "Throttled";
        /// The credential is refused: connect again.
        Reconnect = "reconnect", "Reconnect";
        /// Not done.
        Failed = "failed", "Failed";
    }
}

/// How a run of the synchronisation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncResult {
    /// How.
    pub state: SyncState,
    /// By the clock of the machine.
    pub finished: Instant,
    /// Digest of the plan, in hexadecimal; empty where there was none.
    pub plan: String,
    /// Counts and held items as JSON, as the command prints them.
    pub report: String,
    /// Protocol.
    pub messages: Vec<Message>,
}

/// A run of the synchronisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Its number.
    pub id: SyncRunId,
    /// How it began.
    pub new: NewSyncRun,
    /// How it ended; none while it runs or when it was interrupted.
    pub result: Option<SyncResult>,
}

/// A plan that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPlan {
    /// The run that drew it up.
    pub run: SyncRunId,
    /// Its digest, in hexadecimal.
    pub hash: String,
    /// Why it is held, one sentence each.
    pub reasons: Vec<String>,
    /// The plan as JSON, for people.
    pub plan: String,
}

/// The part of the store that the synchronisation with Outlook uses. Each method that writes does so in one transaction.
pub trait OutlookStore {
    /// Activity synchronization settings of an owner.
    ///
    /// # Errors
    /// The database cannot be read.
    fn sync_settings(&self, owner: &SettingsOwner) -> Result<Option<SyncSettings>>;

    /// Sets them, or takes them away.
    ///
    /// # Errors
    /// The user is not there, or the database cannot be written.
    fn put_sync_settings(&self, owner: &SettingsOwner, settings: Option<&SyncSettings>) -> Result<()>;

    /// All profiles by name.
    ///
    /// # Errors
    /// The database cannot be read.
    fn profiles(&self) -> Result<Vec<StoredProfile>>;

    /// Adds a profile, or changes the one of this name.
    ///
    /// # Errors
    /// The employee is not there, another profile has the same mailbox at the same server, or the database cannot be
    /// written.
    fn put_profile(&self, profile: &Profile) -> Result<ProfileId>;

    /// Removes a profile with its links, cursors and held plan; audit and runs stay. False when it is not there.
    ///
    /// # Errors
    /// The database cannot be written.
    fn remove_profile(&self, name: &str) -> Result<bool>;

    /// Takes the right to synchronise a profile, which one process has at a time. `None` when another has it.
    ///
    /// # Errors
    /// The lock cannot be taken for another reason.
    fn try_lock_profile(&self, profile: ProfileId) -> Result<Option<RunLock>>;

    /// Begins a run.
    ///
    /// # Errors
    /// The database cannot be written.
    fn begin_sync(&self, run: &NewSyncRun) -> Result<SyncRunId>;

    /// Ends a run.
    ///
    /// # Errors
    /// The database cannot be written.
    fn finish_sync(&self, run: SyncRunId, result: &SyncResult) -> Result<()>;

    /// The latest runs of a profile, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    fn sync_runs(&self, profile: ProfileId, limit: u64) -> Result<Vec<SyncRun>>;

    /// A run.
    ///
    /// # Errors
    /// The database cannot be read.
    fn sync_run(&self, run: SyncRunId) -> Result<Option<SyncRun>>;

    /// Those of these marks that no run of this database has, of whichever profile: another installation wrote them, or this
    /// one before it was restored.
    ///
    /// # Errors
    /// The database cannot be read.
    fn unknown_writers(&self, writers: &[&str]) -> Result<Vec<String>>;

    /// The run that has this mark.
    ///
    /// # Errors
    /// The database cannot be read.
    fn run_of_writer(&self, writer: &str) -> Result<Option<SyncRun>>;

    /// All links of a profile, tombstones too, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    fn links(&self, profile: ProfileId) -> Result<Vec<Link>>;

    /// Visits all links of a profile, tombstones too, by number, each with its activity where it is of one.
    ///
    /// # Errors
    /// The database cannot be read.
    fn visit_links(&self, profile: ProfileId, visit: &mut dyn FnMut(Link, Option<Activity>)) -> Result<()>;

    /// The link that names an item, tombstones apart; of several the one that is synchronised.
    ///
    /// # Errors
    /// The database cannot be read.
    fn link_of_item(&self, profile: ProfileId, kind: ItemKind, remote_id: &str) -> Result<Option<Link>>;

    /// The links to occurrences of a series, tombstones apart, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    fn links_of_series(&self, profile: ProfileId, kind: ItemKind, series: &str) -> Result<Vec<Link>>;

    /// Where the next pass goes on.
    ///
    /// # Errors
    /// The database cannot be read.
    fn sync_cursor(&self, profile: ProfileId, kind: ItemKind) -> Result<Option<SyncCursor>>;

    /// What was seen and not dealt with, by kind and remote id.
    ///
    /// # Errors
    /// The database cannot be read.
    fn observations(&self, profile: ProfileId) -> Result<Vec<Observation>>;

    /// Stores a page of a pass.
    ///
    /// # Errors
    /// Nothing was written.
    fn store_pull(&self, write: &PullWrite<'_>) -> Result<()>;

    /// Forgets what was seen of these items.
    ///
    /// # Errors
    /// Nothing was written.
    fn forget_observations(&self, profile: ProfileId, kind: ItemKind, remote_ids: &[&str]) -> Result<()>;

    /// Visits the activities of a representative, canceled ones too, that overlap a window and that no link of the profile is
    /// of, tombstones apart; by number.
    ///
    /// # Errors
    /// The database cannot be read.
    fn visit_unlinked(
        &self,
        profile: ProfileId,
        employee: &str,
        window: Window,
        visit: &mut dyn FnMut(Activity),
    ) -> Result<()>;

    /// Sets the activities of a representative that were not made in Mobile, are Planned and elapsed to Delayed
    /// (domain 7), except these; tasks without a date do not elapse. Returns how many.
    ///
    /// # Errors
    /// The database cannot be written.
    fn delay_elapsed_of(&self, employee: &str, now: Instant, except: &[ActivityId]) -> Result<u64>;

    /// Partners and sales representatives for address books, by id; not those marked for deletion.
    ///
    /// # Errors
    /// The database cannot be read.
    fn address_book(&self) -> Result<(Vec<Partner>, Vec<Employee>)>;

    /// Writes the journal before anything is sent, together with the links it is about: links with number 0 are made.
    /// The links and operations come back with their numbers, in order.
    ///
    /// # Errors
    /// Nothing was written.
    fn begin_operations(
        &self,
        profile: ProfileId,
        run: SyncRunId,
        operations: &[(Link, Operation)],
    ) -> Result<Vec<(Link, Operation)>>;

    /// Operations whose outcome is not known, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    fn unsettled(&self, profile: ProfileId) -> Result<Vec<Operation>>;

    /// The ten latest runs of this purpose before this run that ended, newest first, with the instants that they took as now.
    ///
    /// # Errors
    /// The database cannot be read.
    fn runs_before(&self, profile: ProfileId, purpose: &str, run: SyncRunId) -> Result<Vec<(SyncRunId, Instant)>>;

    /// The items that were made or changed and not heard of since: what a server tells next must speak of them.
    ///
    /// # Errors
    /// The database cannot be read.
    fn unheard(&self, profile: ProfileId, purpose: &str) -> Result<Vec<(ItemKind, String)>>;

    /// What was made or changed until now was heard of: the journal keeps only what is not settled.
    ///
    /// # Errors
    /// The database cannot be written.
    fn heard(&self, profile: ProfileId, purpose: &str) -> Result<()>;

    /// Counts that an operation was looked for in vain, and is sent once more at this instant.
    ///
    /// # Errors
    /// The database cannot be written.
    fn count_round(&self, operation: i64, now: Instant) -> Result<()>;

    /// Stores results, each of them whole or not at all, all in one transaction.
    ///
    /// # Errors
    /// Nothing was written.
    fn settle(&self, profile: ProfileId, now: Instant, settlements: Vec<Settlement>) -> Result<Vec<Settled>>;

    /// Changes an activity on behalf of a person (no link, no run): `activities add|set|complete|cancel`. What changes a
    /// Planned activity of Mobile, here as in [`settle`](Self::settle), makes the next import put Mobile's version back.
    ///
    /// # Errors
    /// It was changed meanwhile or is not there ([`StoreError::Changed`](crate::StoreError::Changed)), or the database
    /// cannot be written.
    fn change_activity(&self, change: &HeadquartersChange, now: Instant) -> Result<ActivityId>;

    /// Whose version counts for objects about which a person decided, until a settlement of their links has followed it.
    ///
    /// # Errors
    /// The database cannot be read.
    fn answers(&self, profile: ProfileId) -> Result<BTreeMap<HeadquartersId, Side>>;

    /// Keeps what a person decided about an object.
    ///
    /// # Errors
    /// The database cannot be written.
    fn put_answer(&self, profile: ProfileId, headquarters: &HeadquartersId, side: Side) -> Result<()>;

    /// Keeps a plan that waits for a person; it replaces an older one of the profile. None takes it away.
    ///
    /// # Errors
    /// The database cannot be written.
    fn put_held_plan(&self, profile: ProfileId, plan: Option<&HeldPlan>) -> Result<()>;

    /// The plan that waits for a person.
    ///
    /// # Errors
    /// The database cannot be read.
    fn held_plan(&self, profile: ProfileId) -> Result<Option<HeldPlan>>;

    /// What a run changed, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    fn audit(&self, run: SyncRunId) -> Result<Vec<AuditEntry>>;

    /// What happened to an object of the headquarters, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    fn audit_of(&self, headquarters: &HeadquartersId) -> Result<Vec<AuditEntry>>;

    /// What the connector of a profile keeps.
    ///
    /// # Errors
    /// The database cannot be read.
    fn connector_state(&self, profile: ProfileId) -> Result<Vec<(String, Vec<u8>)>>;

    /// From now on what is committed on this connection survives a power failure: for the journal of what was sent.
    ///
    /// # Errors
    /// The setting cannot be made.
    fn make_durable(&self) -> Result<()>;
}
