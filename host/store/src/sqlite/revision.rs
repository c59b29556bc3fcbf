//! The number that every transaction raises when it writes activities, and the instant that it writes with it.

use apptsync_model::{Instant, JobId};
use rusqlite::Connection;

use crate::Result;

/// What every activity gets that a transaction writes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stamp {
    pub(super) revision: i64,
    pub(super) changed_at: Instant,
}

impl Stamp {
    /// The next revision, as of an instant.
    pub(super) fn new(connection: &Connection, now: Instant) -> Result<Self> {
        let revision = connection
            .prepare_cached("UPDATE revision SET last = last + 1 RETURNING last")?
            .query_row([], |row| row.get(0))?;
        Ok(Self { revision, changed_at: now })
    }

    /// The next revision, as of the instant of a batch job.
    pub(super) fn of_job(connection: &Connection, job: JobId) -> Result<Self> {
        let as_of =
            connection.prepare_cached("SELECT as_of FROM job WHERE id = ?")?.query_row([job], |row| row.get(0))?;
        Self::new(connection, Instant(as_of))
    }
}
