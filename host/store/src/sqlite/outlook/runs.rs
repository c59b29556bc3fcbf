//! Runs of the synchronisation, and the plan that waits for a person.

use apptsync_model::Instant;
use apptsync_model::outlook::SyncRunId;
use rusqlite::{OptionalExtension, Row, params};

use super::{instant, json};
use crate::sqlite::SqliteStore;
use crate::sqlite::master::named;
use crate::{HeldPlan, NewSyncRun, ProfileId, Result, SyncResult, SyncRun};

pub(super) fn begin(store: &SqliteStore, run: &NewSyncRun) -> Result<SyncRunId> {
    let transaction = store.write()?;
    transaction.execute(
        "INSERT INTO sync_run (profile, purpose, as_of, started, writer) VALUES (?, ?, ?, ?, ?)",
        params![run.profile, run.purpose, run.as_of.0, run.started.0, run.writer],
    )?;
    let id = transaction.last_insert_rowid();
    transaction.commit()?;
    Ok(id)
}

pub(super) fn finish(store: &SqliteStore, run: SyncRunId, result: &SyncResult) -> Result<()> {
    let transaction = store.write()?;
    transaction.execute(
        "UPDATE sync_run SET state = ?, finished = ?, plan = ?, report = ?, messages = ? WHERE id = ?",
        params![
            result.state.name(),
            result.finished.0,
            result.plan,
            result.report,
            serde_json::to_string(&result.messages)?,
            run
        ],
    )?;
    Ok(transaction.commit()?)
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<SyncRun> {
    let result = match instant(row, "finished")? {
        None => None,
        Some(finished) => Some(SyncResult {
            state: named(row, "state")?,
            finished,
            plan: row.get("plan")?,
            report: row.get("report")?,
            messages: json(row, "messages")?,
        }),
    };
    let new = NewSyncRun {
        profile: row.get("profile")?,
        purpose: row.get("purpose")?,
        as_of: Instant(row.get("as_of")?),
        started: Instant(row.get("started")?),
        writer: row.get("writer")?,
    };
    Ok(SyncRun { id: row.get("id")?, new, result })
}

pub(super) fn latest(store: &SqliteStore, profile: ProfileId, limit: u64) -> Result<Vec<SyncRun>> {
    let mut statement =
        store.connection.prepare_cached("SELECT * FROM sync_run WHERE profile = ? ORDER BY id DESC LIMIT ?")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(statement.query_map([profile, limit], run_row)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn before(
    store: &SqliteStore,
    profile: ProfileId,
    purpose: &str,
    run: SyncRunId,
) -> Result<Vec<(SyncRunId, Instant)>> {
    let mut statement = store.connection.prepare_cached(
        "SELECT id, as_of FROM sync_run
         WHERE profile = ? AND purpose = ? AND id < ? AND finished IS NOT NULL ORDER BY id DESC LIMIT 10",
    )?;
    let runs = statement.query_map(params![profile, purpose, run], |row| Ok((row.get(0)?, Instant(row.get(1)?))))?;
    Ok(runs.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn get(store: &SqliteStore, run: SyncRunId) -> Result<Option<SyncRun>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM sync_run WHERE id = ?")?;
    Ok(statement.query_row([run], run_row).optional()?)
}

pub(super) fn of_writer(store: &SqliteStore, writer: &str) -> Result<Option<SyncRun>> {
    let mut statement = store
        .connection
        .prepare_cached("SELECT * FROM sync_run WHERE writer = ? AND writer <> '' ORDER BY id LIMIT 1")?;
    Ok(statement.query_row([writer], run_row).optional()?)
}

pub(super) fn unknown_writers(store: &SqliteStore, writers: &[&str]) -> Result<Vec<String>> {
    let mut statement = store.connection.prepare_cached("SELECT 1 FROM sync_run WHERE writer = ? AND writer <> ''")?;
    let mut unknown = Vec::new();
    for writer in writers {
        if !statement.exists([writer])? {
            unknown.push((*writer).to_owned());
        }
    }
    Ok(unknown)
}

pub(super) fn put_held_plan(store: &SqliteStore, profile: ProfileId, plan: Option<&HeldPlan>) -> Result<()> {
    let transaction = store.write()?;
    transaction.execute("DELETE FROM held_plan WHERE profile = ?", [profile])?;
    if let Some(plan) = plan {
        transaction.execute(
            "INSERT INTO held_plan (profile, run, hash, reasons, plan) VALUES (?, ?, ?, ?, ?)",
            params![profile, plan.run, plan.hash, serde_json::to_string(&plan.reasons)?, plan.plan],
        )?;
    }
    Ok(transaction.commit()?)
}

pub(super) fn held_plan(store: &SqliteStore, profile: ProfileId) -> Result<Option<HeldPlan>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM held_plan WHERE profile = ?")?;
    let plan = |row: &Row<'_>| {
        Ok(HeldPlan {
            run: row.get("run")?,
            hash: row.get("hash")?,
            reasons: json(row, "reasons")?,
            plan: row.get("plan")?,
        })
    };
    Ok(statement.query_row([profile], plan).optional()?)
}
