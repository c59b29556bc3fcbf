//! What a pass over a collection leaves behind: what was seen, where the next page goes on, what the connector keeps.

use apptsync_model::Instant;
use apptsync_model::outlook::{ItemKind, SyncCursor, Window};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::json;
use crate::sqlite::SqliteStore;
use crate::sqlite::master::named;
use crate::{Observation, ProfileId, PullWrite, Result, StoreError};

pub(super) fn cursor(store: &SqliteStore, profile: ProfileId, kind: ItemKind) -> Result<Option<SyncCursor>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM sync_cursor WHERE profile = ? AND kind = ?")?;
    let cursor = |row: &Row<'_>| {
        Ok(SyncCursor {
            cursor: row.get("cursor")?,
            window: Window { start: Instant(row.get("window_start")?), end: Instant(row.get("window_end")?) },
            collection: row.get("collection")?,
            full_at: Instant(row.get("full_at")?),
            listed: row.get::<_, i64>("listed")?.unsigned_abs(),
            rebuilt: row.get("rebuilt")?,
            reads_own_writes: row.get("reads_own_writes")?,
        })
    };
    Ok(statement.query_row(params![profile, kind.name()], cursor).optional()?)
}

pub(super) fn observations(store: &SqliteStore, profile: ProfileId) -> Result<Vec<Observation>> {
    let mut statement =
        store.connection.prepare_cached("SELECT * FROM observation WHERE profile = ? ORDER BY kind, remote_id")?;
    let observation = |row: &Row<'_>| {
        Ok(Observation {
            kind: named(row, "kind")?,
            remote_id: row.get("remote_id")?,
            seen: json(row, "seen")?,
            run: row.get("run")?,
        })
    };
    Ok(statement.query_map([profile], observation)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn store(store: &SqliteStore, write: &PullWrite<'_>) -> Result<()> {
    let transaction = store.write()?;
    observe(&transaction, write)?;
    for remote_id in write.forgotten {
        forget_one(&transaction, write.profile, write.kind, remote_id)?;
    }
    if let Some(cursor) = write.cursor {
        put_cursor(&transaction, write.profile, write.kind, cursor)?;
    }
    for (key, value) in write.state {
        match value {
            Some(value) => transaction
                .prepare_cached(
                    "INSERT INTO connector_state (profile, key, value) VALUES (?, ?, ?)
                     ON CONFLICT (profile, key) DO UPDATE SET value = excluded.value",
                )?
                .execute(params![write.profile, key, value])?,
            None => transaction
                .prepare_cached("DELETE FROM connector_state WHERE profile = ? AND key = ?")?
                .execute(params![write.profile, key])?,
        };
    }
    Ok(transaction.commit()?)
}

fn observe(connection: &Connection, write: &PullWrite<'_>) -> Result<()> {
    // What is seen again as before keeps the run that saw it first.
    let mut statement = connection.prepare_cached(
        "INSERT INTO observation (profile, kind, remote_id, seen, run) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (profile, kind, remote_id) DO UPDATE SET seen = excluded.seen, run = excluded.run
         WHERE seen <> excluded.seen",
    )?;
    for Observation { kind, remote_id, seen, run } in write.observations {
        statement.execute(params![write.profile, kind.name(), remote_id, serde_json::to_string(seen)?, run])?;
    }
    Ok(())
}

fn put_cursor(connection: &Connection, profile: ProfileId, kind: ItemKind, cursor: &SyncCursor) -> Result<()> {
    let listed = i64::try_from(cursor.listed)
        .map_err(|_| StoreError::Invalid(format!("{} listed items are too many", cursor.listed)))?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO sync_cursor
               (profile, kind, cursor, window_start, window_end, collection, full_at, listed, rebuilt, reads_own_writes)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            profile,
            kind.name(),
            cursor.cursor,
            cursor.window.start.0,
            cursor.window.end.0,
            cursor.collection,
            cursor.full_at.0,
            listed,
            cursor.rebuilt,
            cursor.reads_own_writes
        ])?;
    Ok(())
}

/// Forgets what was seen of one item.
pub(super) fn forget_one(
    connection: &Connection,
    profile: ProfileId,
    kind: ItemKind,
    remote_id: &str,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("DELETE FROM observation WHERE profile = ? AND kind = ? AND remote_id = ?")?
        .execute(params![profile, kind.name(), remote_id])
}

pub(super) fn forget(store: &SqliteStore, profile: ProfileId, kind: ItemKind, remote_ids: &[&str]) -> Result<()> {
    let transaction = store.write()?;
    for remote_id in remote_ids {
        forget_one(&transaction, profile, kind, remote_id)?;
    }
    Ok(transaction.commit()?)
}

pub(super) fn connector_state(store: &SqliteStore, profile: ProfileId) -> Result<Vec<(String, Vec<u8>)>> {
    let mut statement =
        store.connection.prepare_cached("SELECT key, value FROM connector_state WHERE profile = ? ORDER BY key")?;
    let entries = statement.query_map([profile], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(entries.collect::<rusqlite::Result<_>>()?)
}
