//! The audit: a chain of entries, each with the digest of itself and the one before.

use apptsync_model::outlook::HeadquartersId;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{headquarters, json};
use crate::sqlite::SqliteStore;
use crate::sqlite::master::named;
use crate::{AuditEntry, Result};

/// A digest of the chain.
type Chained = [u8; 32];

/// An entry as it is stored and digested.
#[derive(Serialize)]
struct Stored {
    sequence: i64,
    run: i64,
    link: i64,
    side: String,
    action: String,
    headquarters: Option<String>,
    remote_id: Option<String>,
    row: String,
    before: Option<String>,
    after: Option<String>,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get("sequence")?,
            run: row.get("run")?,
            link: row.get("link")?,
            side: row.get("side")?,
            action: row.get("action")?,
            headquarters: row.get("headquarters")?,
            remote_id: row.get("remote_id")?,
            row: row.get("row")?,
            before: row.get("before")?,
            after: row.get("after")?,
        })
    }

    fn digest(&self, previous: &Chained) -> Result<Chained> {
        Ok(Sha256::new().chain_update(previous).chain_update(serde_json::to_vec(self)?).finalize().into())
    }
}

/// Adds an entry to the end of the chain.
pub(super) fn add(connection: &Connection, entry: &AuditEntry) -> Result<()> {
    let last: Option<(i64, Chained)> = connection
        .prepare_cached("SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (sequence, previous) = last.unwrap_or_default();
    let text = |content| serde_json::to_string(content).map(Some);
    let stored = Stored {
        sequence: sequence + 1,
        run: entry.run,
        link: entry.link,
        side: entry.side.name().to_owned(),
        action: entry.action.name().to_owned(),
        headquarters: entry.headquarters.as_ref().map(ToString::to_string),
        remote_id: entry.remote_id.clone(),
        row: entry.row.clone(),
        before: entry.before.as_ref().map_or(Ok(None), text)?,
        after: entry.after.as_ref().map_or(Ok(None), text)?,
    };
    let digest = stored.digest(&previous)?;
    connection
        .prepare_cached(
            "INSERT INTO audit (sequence, run, link, side, action, headquarters, remote_id, row, before, after, digest)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            stored.sequence,
            stored.run,
            stored.link,
            stored.side,
            stored.action,
            stored.headquarters,
            stored.remote_id,
            stored.row,
            stored.before,
            stored.after,
            digest
        ])?;
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let content = |column| match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => json(row, column).map(Some),
    };
    Ok(AuditEntry {
        sequence: row.get("sequence")?,
        run: row.get("run")?,
        link: row.get("link")?,
        side: named(row, "side")?,
        action: named(row, "action")?,
        headquarters: headquarters(row)?,
        remote_id: row.get("remote_id")?,
        row: row.get("row")?,
        before: content("before")?,
        after: content("after")?,
    })
}

pub(super) fn of_run(store: &SqliteStore, run: i64) -> Result<Vec<AuditEntry>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM audit WHERE run = ? ORDER BY sequence")?;
    Ok(statement.query_map([run], entry)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn of_object(store: &SqliteStore, object: &HeadquartersId) -> Result<Vec<AuditEntry>> {
    let mut statement =
        store.connection.prepare_cached("SELECT * FROM audit WHERE headquarters = ? ORDER BY sequence")?;
    Ok(statement.query_map([object.to_string()], entry)?.collect::<rusqlite::Result<_>>()?)
}

/// Follows the chain; the number of the first entry that is not what was written, or that is missing.
pub(in crate::sqlite) fn broken_at(connection: &Connection) -> Result<Option<i64>> {
    let mut statement = connection.prepare("SELECT * FROM audit ORDER BY sequence")?;
    let mut rows = statement.query([])?;
    let (mut expected, mut previous) = (1, Chained::default());
    while let Some(row) = rows.next()? {
        let stored = Stored::read(row)?;
        previous = match row.get::<_, Chained>("digest") {
            Ok(digest) if stored.sequence == expected && stored.digest(&previous)? == digest => digest,
            _ => return Ok(Some(expected)),
        };
        expected += 1;
    }
    // SQLite keeps the highest number that was ever used: entries missing at the end are noticed too.
    let highest: Option<i64> = connection
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'audit'", [], |row| row.get(0))
        .optional()?;
    Ok(Some(expected).filter(|expected| highest.is_some_and(|highest| highest >= *expected)))
}
