//! What goes into the store and comes out, where the model has no type for it.

use std::collections::BTreeMap;
use std::fs::File;

use apptsync_model::{
    ActivityId, ActivityStatus, Application, Attributes, ChangedSince, ContentLanguage, DefinitionSettings,
    DefinitionTexts, Instant, JobId, JobState, Ledger, Message, Outcome, Partner, Period, Priority, StageReport,
};

/// The first 16 bytes of a SHA-256.
pub type Hash = [u8; 16];

/// The right to run batch applications; dropping it gives it back.
#[derive(Debug)]
pub struct RunLock(pub(crate) File);

impl Drop for RunLock {
    fn drop(&mut self) {
        // Closing the file gives the lock back anyway.
        let _ = self.0.unlock();
    }
}

/// Kinds of master data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MasterKind {
    /// Organizations.
    Organization,
    /// Partners.
    Partner,
    /// Employees.
    Employee,
    /// Sales channels.
    Channel,
    /// Connections of customers with partners.
    ChannelPartner,
}

/// What loading master data did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadCounts {
    /// Entries added.
    pub created: u64,
    /// Entries changed.
    pub updated: u64,
    /// Entries that were there as given.
    pub unchanged: u64,
}

/// An activity definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDefinition {
    /// What it lays down.
    pub settings: DefinitionSettings,
    /// Only an active definition imports.
    pub active: bool,
    /// Somebody changed the delivered defaults.
    pub changed: bool,
    /// Its texts in further content languages.
    pub translations: BTreeMap<ContentLanguage, DefinitionTexts>,
}

/// What a batch job is asked to do (domain 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSettings {
    /// What it runs.
    pub application: Application,
    /// Name given by the operator.
    pub name: String,
    /// Sales channel.
    pub channel: String,
    /// Running user.
    pub user: Option<String>,
    /// Which objects it looks at.
    pub changed_since: ChangedSince,
    /// Import customers: mark the partners of deleted customers for deletion.
    pub deactivate_deleted: bool,
    /// Content language of the texts; without one, those the definition has itself.
    pub content_language: Option<ContentLanguage>,
}

/// Where a job that was not run at once waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Processing queue: its jobs are carried out one after another.
    pub queue: String,
    /// By the clock of the machine.
    pub scheduled: Instant,
    /// The instant the run shall take as now, where one was given.
    pub as_of: Option<Instant>,
}

/// When a job began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobBegin {
    /// The instant the run takes as now; its randomness follows from it.
    pub as_of: Instant,
    /// By the clock of the machine.
    pub started: Instant,
}

/// What became of the wish to cancel a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// It had not begun, and will not.
    Canceled,
    /// It ends after the page under way.
    Requested,
    /// It had ended before.
    Over(JobState),
}

/// A batch job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What it was asked to do.
    pub settings: JobSettings,
    /// Where it waited, if it was not run at once.
    pub schedule: Option<Schedule>,
    /// When it began, if it has.
    pub begin: Option<JobBegin>,
    /// Its state.
    pub state: JobState,
    /// By the clock of the machine.
    pub finished: Option<Instant>,
    /// Counts over all parts.
    pub ledger: Ledger,
}

/// A batch job with its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDetails {
    /// The job.
    pub job: Job,
    /// Counts of each part, in the order they ran.
    pub parts: Vec<(Application, Ledger)>,
    /// Protocol.
    pub messages: Vec<Message>,
    /// What each stage did.
    pub stages: Vec<StageReport>,
    /// What could not be read or answered.
    pub quarantined: Vec<QuarantinedRecord>,
}

/// A record that could not be read or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedRecord {
    /// Where it stands: a place in the source or the id of a record.
    pub place: String,
    /// Why.
    pub reason: String,
}

/// Which objects of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferKey<'a> {
    /// Sales channel.
    pub channel: &'a str,
    /// `appointments` or `customers`.
    pub collection: &'a str,
}

/// What the import needs to know of an object before it looks at a version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Number of its state.
    pub transfer: i64,
    /// Hash of the last version seen, with all that went into it.
    pub seen: Hash,
    /// Hash of the version that the headquarters has.
    pub imported: Option<Hash>,
    /// The stages it was imported with.
    pub stage_set: i64,
    /// What became of the last version.
    pub outcome: Outcome,
    /// Why, in words.
    pub detail: String,
    /// Not done with: later runs look again.
    pub pending: bool,
    /// The job that last looked.
    pub job: JobId,
    /// Its activity.
    pub activity: Option<KnownActivity>,
}

/// What the import needs to know of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownActivity {
    /// Its id.
    pub id: ActivityId,
    /// Stored status.
    pub status: ActivityStatus,
    /// It was canceled, and is closed whatever its status.
    pub canceled: bool,
}

/// An object that earlier runs did not import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its last version as JSON.
    pub record: String,
    /// What is known of it.
    pub known: Known,
}

/// The fields of an activity that the import writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityFields {
    /// Number of the appointment.
    pub number: String,
    /// Subject.
    pub subject: String,
    /// Description.
    pub description: String,
    /// Kind.
    pub kind: String,
    /// Priority.
    pub priority: Priority,
    /// Status.
    pub status: ActivityStatus,
    /// When it takes place.
    pub period: Period,
    /// The same as instants.
    pub start: Instant,
    /// The same as instants.
    pub end: Instant,
    /// Completed on.
    pub completed_on: Option<Instant>,
    /// Completed by.
    pub completed_by: Option<String>,
    /// Reference: the partner's id.
    pub partner: String,
    /// Task: the employee's id.
    pub employee: String,
    /// Extension point.
    pub attributes: Attributes,
}

/// What a record changes in the headquarters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// A new activity with its task and reference.
    CreateActivity(Box<ActivityFields>),
    /// All fields of an activity follow.
    UpdateActivity(ActivityId, Box<ActivityFields>),
    /// The status alone changes.
    SetStatus(ActivityId, ActivityStatus),
    /// A partner, made or changed, and its connection with the customer.
    PutPartner(Box<Partner>),
}

/// One record of a page: what it changes, and what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordWrite {
    /// Its id in the source.
    pub source_id: String,
    /// Number of its state, where there is one.
    pub transfer: Option<i64>,
    /// Its activity, where there is one.
    pub activity: Option<ActivityId>,
    /// Hash of this version.
    pub seen: Hash,
    /// Hash of the version that the headquarters has afterwards.
    pub imported: Option<Hash>,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether later runs look again.
    pub pending: bool,
    /// Why, in words: the rule that decided, a veto, an error.
    pub detail: String,
    /// When this version came to be.
    pub changed_at: Instant,
    /// This version as JSON, or none when it is stored already.
    pub record: Option<String>,
    /// What changes in the headquarters.
    pub change: Change,
}

/// Where the source goes on after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorWrite<'a> {
    /// The source plugin as configured.
    pub source: &'a str,
    /// Its cursor.
    pub value: &'a str,
}

/// A page to be stored.
#[derive(Debug)]
pub struct PageWrite<'a> {
    /// The job.
    pub job: JobId,
    /// The part of the job.
    pub application: Application,
    /// Which objects.
    pub key: TransferKey<'a>,
    /// The stages in force.
    pub stage_set: i64,
    /// Records that entered with this page, those that need no write included.
    pub entered: u64,
    /// How many of them are as they were, without any write.
    pub settled: &'a [Outcome],
    /// Records to write.
    pub records: &'a [RecordWrite],
    /// Pieces of the source that could not be read.
    pub quarantined: &'a [QuarantinedRecord],
    /// Where the source goes on.
    pub cursor: Option<CursorWrite<'a>>,
}

/// All that is known of an object of a source, for `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Sales channel.
    pub channel: String,
    /// `appointments` or `customers`.
    pub collection: String,
    /// Id in the source.
    pub source_id: String,
    /// Its activity.
    pub activity: Option<ActivityId>,
    /// What became of the last version.
    pub outcome: Outcome,
    /// Later runs look again.
    pub pending: bool,
    /// Why, in words.
    pub detail: String,
    /// The headquarters has the last version.
    pub is_current: bool,
    /// Number of the stages in force then.
    pub stage_set: i64,
    /// The job that last looked.
    pub job: JobId,
    /// The job that saw it first.
    pub first_job: JobId,
    /// The last version as JSON.
    pub record: String,
}
