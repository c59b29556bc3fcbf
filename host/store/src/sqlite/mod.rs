//! The headquarters database in SQLite.

mod activity;
mod cockpit;
mod columns;
mod import;
mod jobs;
mod master;
mod migrations;
mod outlook;
mod revision;

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use apptsync_model::{
    Activity, ActivityFilter, ActivityId, Application, Channel, IbusSettings, Instant, JobId, JobState, Ledger,
    MasterData, Message, Partner, StageReport,
};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{
    Cancellation, Hash, Job, JobBegin, JobDetails, JobSettings, Known, LoadCounts, MasterKind, PageWrite, Pending,
    Result, RunLock, Schedule, Store, StoreError, StoredDefinition, Transfer, TransferKey,
};

/// How long to wait for another writer.
const BUSY: Duration = Duration::from_secs(10);
/// Memory for cached pages of the first connection, which writes, in KiB.
const CACHE_KIB: i64 = 16 * 1024;
/// The same for one more connection: those of a run mostly look for what is not there.
const ANOTHER_CACHE_KIB: i64 = 4 * 1024;

/// Pages in the write-ahead log before they are carried over into the file. With more of them, a page of an index that
/// changes again and again is carried over once; the log stays below some 40 MB.
const CHECKPOINT_PAGES: i64 = 8_000;

/// One connection to a headquarters database in a file.
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
}

impl SqliteStore {
    /// Makes a new, empty database.
    ///
    /// # Errors
    /// The file is there already, or cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        if path.exists() {
            return Err(StoreError::Invalid(format!("{} is there already", path.display())));
        }
        Self::connect(path, OpenFlags::SQLITE_OPEN_CREATE, CACHE_KIB)
    }

    /// Opens a database and brings its schema up to date.
    ///
    /// # Errors
    /// It is not there, damaged, locked, or made by a newer version of the program.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        Self::connect(path, OpenFlags::empty(), CACHE_KIB)
    }

    fn connect(path: &Path, more: OpenFlags, cache_kib: i64) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        let store = Self { connection, path: path.to_owned() };
        migrations::migrate(&store)?;
        Ok(store)
    }

    /// A transaction that writes: it has the lock from its beginning, so that it cannot fail half way for want of it.
    fn write(&self) -> Result<Transaction<'_>> {
        Ok(Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?)
    }

    /// Locks a file beside the database, whose name goes on like this; none when another process has it.
    fn try_lock(&self, ending: &str) -> Result<Option<RunLock>> {
        let mut path = self.path.clone().into_os_string();
        path.push(ending);
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
            _ => StoreError::Other(format!("{}: {error}", Path::new(&path).display())),
        };
        let file: File = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(RunLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl Store for SqliteStore {
    fn another(&self) -> Result<Box<dyn Store>> {
        Ok(Box::new(Self::connect(&self.path, OpenFlags::empty(), ANOTHER_CACHE_KIB)?))
    }

    fn try_lock_runs(&self) -> Result<Option<RunLock>> {
        self.try_lock("-run")
    }

    fn master_data(&self) -> Result<MasterData> {
        master::all(self)
    }

    fn load(&self, data: &MasterData) -> Result<LoadCounts> {
        master::load(self, data)
    }

    fn remove(&self, kind: MasterKind, id: &str, channel: Option<&str>) -> Result<bool> {
        master::remove(self, kind, id, channel)
    }

    fn channel(&self, id: &str) -> Result<Option<Channel>> {
        master::channel(self, id)
    }

    fn ibus_settings(&self, channel: &str) -> Result<Option<IbusSettings>> {
        master::ibus_settings(self, channel)
    }

    fn put_ibus_settings(&self, channel: &str, settings: &IbusSettings) -> Result<()> {
        master::put_ibus_settings(self, channel, settings)
    }

    fn partner(&self, id: &str) -> Result<Option<Partner>> {
        master::partner(self, id)
    }

    fn connected_partners(&self, channel: &str, external_ids: &[&str]) -> Result<HashMap<String, Partner>> {
        master::connected_partners(self, channel, external_ids)
    }

    fn definitions(&self) -> Result<Vec<StoredDefinition>> {
        master::definitions(self)
    }

    fn put_definition(&self, definition: &StoredDefinition) -> Result<()> {
        master::put_definition(self, definition)
    }

    fn begin_job(&self, job: &JobSettings, begin: JobBegin) -> Result<JobId> {
        jobs::begin(self, job, begin)
    }

    fn schedule_job(&self, job: &JobSettings, schedule: &Schedule) -> Result<JobId> {
        jobs::schedule(self, job, schedule)
    }

    fn scheduled_jobs(&self) -> Result<Vec<Job>> {
        jobs::scheduled(self)
    }

    fn begin_scheduled_job(&self, id: JobId, begin: JobBegin) -> Result<bool> {
        jobs::begin_scheduled(self, id, begin)
    }

    fn cancel_job(&self, id: JobId, now: Instant) -> Result<Option<Cancellation>> {
        jobs::cancel(self, id, now)
    }

    fn is_cancel_requested(&self, id: JobId) -> Result<bool> {
        jobs::is_cancel_requested(self, id)
    }

    fn finish_job(
        &self,
        id: JobId,
        state: JobState,
        finished: Instant,
        parts: &[(Application, Ledger)],
        messages: &[Message],
        stages: &[StageReport],
    ) -> Result<()> {
        jobs::finish(self, id, state, finished, parts, messages, stages)
    }

    fn fail_interrupted_jobs(&self, finished: Instant) -> Result<Vec<JobId>> {
        jobs::fail_interrupted(self, finished)
    }

    fn jobs(&self, limit: u64) -> Result<Vec<Job>> {
        jobs::list(self, limit)
    }

    fn job(&self, id: JobId) -> Result<Option<JobDetails>> {
        jobs::details(self, id)
    }

    fn stage_set(&self, digest: &Hash, description: &str) -> Result<i64> {
        import::stage_set(self, digest, description)
    }

    fn stage_set_description(&self, id: i64) -> Result<Option<String>> {
        import::stage_set_description(self, id)
    }

    fn imported_with_other_stages(&self, channel: &str, stage_set: i64) -> Result<u64> {
        import::imported_with_other_stages(self, channel, stage_set)
    }

    fn cursor(&self, key: &TransferKey<'_>, source: &str) -> Result<Option<String>> {
        import::cursor(self, key, source)
    }

    fn known(&self, key: &TransferKey<'_>, source_ids: &[&str]) -> Result<Vec<Option<Known>>> {
        import::known(self, key, source_ids)
    }

    fn pending(&self, key: &TransferKey<'_>, job: JobId, after: i64, limit: usize) -> Result<Vec<Pending>> {
        import::pending(self, key, job, after, limit)
    }

    fn store_page(&self, page: &PageWrite<'_>, ledger: &mut Ledger) -> Result<()> {
        import::store_page(self, page, ledger)
    }

    fn delay_elapsed(
        &self,
        channel: &str,
        employees: Option<&[String]>,
        now: Instant,
        job: JobId,
        at_most: usize,
    ) -> Result<u64> {
        import::delay_elapsed(self, channel, employees, now, job, at_most)
    }

    fn activities(&self, filter: &ActivityFilter, visit: &mut dyn FnMut(Activity) -> ControlFlow<()>) -> Result<()> {
        cockpit::activities(self, filter, visit)
    }

    fn count_activities(&self, filter: &ActivityFilter) -> Result<u64> {
        cockpit::count(self, filter)
    }

    fn activity(&self, id: ActivityId) -> Result<Option<Activity>> {
        cockpit::activity(self, id)
    }

    fn find_transfers(&self, text: &str) -> Result<Vec<Transfer>> {
        cockpit::find_transfers(self, text)
    }

    fn check(&self) -> Result<Vec<String>> {
        cockpit::check(self)
    }
}
