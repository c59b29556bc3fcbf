//! The headquarters database behind one trait, [`Store`]: SQLite today, others beside it later.

mod error;
mod outlook;
mod sqlite;
mod types;

pub use error::StoreError;
pub use outlook::{
    AuditAction, AuditEntry, EditedActivity, HeadquartersChange, HeldPlan, NewActivity, NewSyncRun, Observation,
    Operation, OperationState, OutlookStore, ProfileId, PullWrite, Seen, SettingsOwner, Settled, Settlement, Side,
    StoredProfile, StoredPush, SyncResult, SyncRun, SyncState,
};
pub use sqlite::SqliteStore;
pub use types::{
    ActivityFields, Cancellation, Change, CursorWrite, Hash, Job, JobBegin, JobDetails, JobSettings, Known,
    KnownActivity, LoadCounts, MasterKind, PageWrite, Pending, QuarantinedRecord, RecordWrite, RunLock, Schedule,
    StoredDefinition, Transfer, TransferKey,
};

use std::collections::HashMap;
use std::ops::ControlFlow;

use apptsync_model::{
    Activity, ActivityFilter, ActivityId, Application, Channel, Customer, IbusSettings, Instant, JobId, JobState,
    Ledger, MasterData, Message, Partner, StageReport,
};

/// Result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// One connection to a headquarters database. A connection belongs to one thread; [`Store::another`] opens one more.
///
/// Every method that writes does so in one transaction: all of it or nothing.
pub trait Store: OutlookStore + Send {
    /// One more connection to the same database, for another thread.
    ///
    /// # Errors
    /// The database cannot be opened.
    fn another(&self) -> Result<Box<dyn Store>>;

    /// Takes the right to run batch applications, which one process has at a time. The system gives it back when the
    /// process ends, however it ends. `None` when another process has it.
    ///
    /// # Errors
    /// The lock cannot be taken for another reason.
    fn try_lock_runs(&self) -> Result<Option<RunLock>>;

    // Master data (domain 3)

    /// All master data, each list by id.
    ///
    /// # Errors
    /// The database cannot be read.
    fn master_data(&self) -> Result<MasterData>;

    /// Adds and changes master data, all or nothing. What is there already as given counts as unchanged.
    ///
    /// # Errors
    /// Something refers to what is not there, or an id breaks the rules.
    fn load(&self, data: &MasterData) -> Result<LoadCounts>;

    /// Removes one entry; for channel partners `id` is the external id and `channel` is needed. False when it is not there.
    ///
    /// # Errors
    /// Something still refers to it.
    fn remove(&self, kind: MasterKind, id: &str, channel: Option<&str>) -> Result<bool>;

    /// A sales channel.
    ///
    /// # Errors
    /// The database cannot be read.
    fn channel(&self, id: &str) -> Result<Option<Channel>>;

    /// IBUS settings of a sales channel; none while nobody has set any.
    ///
    /// # Errors
    /// The database cannot be read.
    fn ibus_settings(&self, channel: &str) -> Result<Option<IbusSettings>>;

    /// Sets the IBUS settings of a sales channel.
    ///
    /// # Errors
    /// The sales channel is not there, or the database cannot be written.
    fn put_ibus_settings(&self, channel: &str, settings: &IbusSettings) -> Result<()>;

    /// A partner.
    ///
    /// # Errors
    /// The database cannot be read.
    fn partner(&self, id: &str) -> Result<Option<Partner>>;

    /// The partners connected with customers of a channel, by the customers' ids; those marked for deletion too.
    ///
    /// # Errors
    /// The database cannot be read.
    fn connected_partners(&self, channel: &str, external_ids: &[&str]) -> Result<HashMap<String, Partner>>;

    // Activity definitions (domain 6)

    /// All activity definitions by name.
    ///
    /// # Errors
    /// The database cannot be read.
    fn definitions(&self) -> Result<Vec<StoredDefinition>>;

    /// Adds or replaces a definition.
    ///
    /// # Errors
    /// The database cannot be written.
    fn put_definition(&self, definition: &StoredDefinition) -> Result<()>;

    // Batch jobs (domain 4)

    /// Begins a batch job at once.
    ///
    /// # Errors
    /// The database cannot be written.
    fn begin_job(&self, job: &JobSettings, begin: JobBegin) -> Result<JobId>;

    /// Puts a batch job into a queue.
    ///
    /// # Errors
    /// The database cannot be written.
    fn schedule_job(&self, job: &JobSettings, schedule: &Schedule) -> Result<JobId>;

    /// The jobs that wait in queues, whichever has waited longest first.
    ///
    /// # Errors
    /// The database cannot be read.
    fn scheduled_jobs(&self) -> Result<Vec<Job>>;

    /// Begins a job that is Scheduled; false when it no longer is.
    ///
    /// # Errors
    /// The database cannot be written.
    fn begin_scheduled_job(&self, id: JobId, begin: JobBegin) -> Result<bool>;

    /// Asks for a job to be canceled; none when there is no such job.
    ///
    /// # Errors
    /// The database cannot be written.
    fn cancel_job(&self, id: JobId, now: Instant) -> Result<Option<Cancellation>>;

    /// Somebody asked for this job to be canceled.
    ///
    /// # Errors
    /// The database cannot be read.
    fn is_cancel_requested(&self, id: JobId) -> Result<bool>;

    /// Ends a batch job with its protocol.
    ///
    /// # Errors
    /// The database cannot be written.
    fn finish_job(
        &self,
        id: JobId,
        state: JobState,
        finished: Instant,
        parts: &[(Application, Ledger)],
        messages: &[Message],
        stages: &[StageReport],
    ) -> Result<()>;

    /// Marks jobs that are Running as Failed, because the process that ran them is gone; call with the run lock held. Their
    /// numbers are returned.
    ///
    /// # Errors
    /// The database cannot be written.
    fn fail_interrupted_jobs(&self, finished: Instant) -> Result<Vec<JobId>>;

    /// The latest jobs, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    fn jobs(&self, limit: u64) -> Result<Vec<Job>>;

    /// A job with its protocol.
    ///
    /// # Errors
    /// The database cannot be read.
    fn job(&self, id: JobId) -> Result<Option<JobDetails>>;

    // The import

    /// The number of a set of stages (digests, configuration, settings of the definition), made when it is new.
    ///
    /// # Errors
    /// The database cannot be written.
    fn stage_set(&self, digest: &Hash, description: &str) -> Result<i64>;

    /// The description of a set of stages.
    ///
    /// # Errors
    /// The database cannot be read.
    fn stage_set_description(&self, id: i64) -> Result<Option<String>>;

    /// How many activities of a channel that may still change were imported with other stages.
    ///
    /// # Errors
    /// The database cannot be read.
    fn imported_with_other_stages(&self, channel: &str, stage_set: i64) -> Result<u64>;

    /// Where the last stored page of a source ended.
    ///
    /// # Errors
    /// The database cannot be read.
    fn cursor(&self, key: &TransferKey<'_>, source: &str) -> Result<Option<String>>;

    /// What is known of these objects, one entry each, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    fn known(&self, key: &TransferKey<'_>, source_ids: &[&str]) -> Result<Vec<Option<Known>>>;

    /// Objects that earlier runs did not import and that `job` has not looked at, after a transfer number, in its order.
    ///
    /// # Errors
    /// The database cannot be read.
    fn pending(&self, key: &TransferKey<'_>, job: JobId, after: i64, limit: usize) -> Result<Vec<Pending>>;

    /// Stores a page: activities, tasks, references, partners, per-object state, quarantine, cursor and ledger in one
    /// transaction. The outcomes are counted in `ledger`; an update that changes nothing counts as unchanged.
    ///
    /// # Errors
    /// Nothing was written.
    fn store_page(&self, page: &PageWrite<'_>, ledger: &mut Ledger) -> Result<()>;

    /// Sets what is Planned and elapsed to Delayed (domain 7): in a channel, for some employees or all. At most so many at
    /// once; the number is returned.
    ///
    /// # Errors
    /// The database cannot be written.
    fn delay_elapsed(
        &self,
        channel: &str,
        employees: Option<&[String]>,
        now: Instant,
        job: JobId,
        at_most: usize,
    ) -> Result<u64>;

    // Cockpit

    /// Hands out activities one by one, until there are no more or the visitor breaks off.
    ///
    /// # Errors
    /// The database cannot be read.
    fn activities(&self, filter: &ActivityFilter, visit: &mut dyn FnMut(Activity) -> ControlFlow<()>) -> Result<()>;

    /// How many activities a filter finds, whatever its limit.
    ///
    /// # Errors
    /// The database cannot be read.
    fn count_activities(&self, filter: &ActivityFilter) -> Result<u64>;

    /// An activity by its id.
    ///
    /// # Errors
    /// The database cannot be read.
    fn activity(&self, id: ActivityId) -> Result<Option<Activity>>;

    /// What is known of objects of the source: by the activity's id, by the id in the source, or by the number shown.
    ///
    /// # Errors
    /// The database cannot be read.
    fn find_transfers(&self, text: &str) -> Result<Vec<Transfer>>;

    /// The customer of the headquarters for `explain`: as the stages saw it.
    ///
    /// # Errors
    /// The database cannot be read.
    fn customer(&self, channel: &str, external_id: &str) -> Result<Option<Customer>> {
        let found = self.connected_partners(channel, &[external_id])?;
        Ok(found.get(external_id).map(|partner| partner.as_customer(channel, external_id)))
    }

    /// Checks the database; one sentence for each problem found.
    ///
    /// # Errors
    /// The database cannot be read.
    fn check(&self) -> Result<Vec<String>>;
}
