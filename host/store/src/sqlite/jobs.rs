//! Batch jobs and their protocols.

use apptsync_model::{Application, ChangedSince, Instant, JobId, JobState, Ledger, Message, Severity, StageReport};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::master::named;
use crate::{Job, JobDetails, NewJob, QuarantinedRecord, Result, StoreError};

/// Quarantined records that a protocol shows at most.
const SHOWN_QUARANTINE: i64 = 1_000;

pub(super) fn begin(store: &SqliteStore, job: &NewJob) -> Result<JobId> {
    let transaction = store.write()?;
    transaction.execute(
        "INSERT INTO job (application, name, channel, user, changed_since, as_of, state, started)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            job.application.name(),
            job.name,
            job.channel,
            job.user,
            serde_json::to_string(&job.changed_since)?,
            job.as_of.0,
            JobState::Running.name(),
            job.started.0
        ],
    )?;
    let id = transaction.last_insert_rowid();
    transaction.commit()?;
    Ok(id)
}

/// Keeps the counts of a part as they are after a page.
pub(super) fn put_part(connection: &Connection, job: JobId, part: Application, ledger: &Ledger) -> Result<()> {
    let position = Application::ALL.iter().position(|application| *application == part).unwrap_or(0) as i64;
    connection
        .prepare_cached(
            "INSERT INTO job_part (job, application, position, ledger) VALUES (?, ?, ?, ?)
             ON CONFLICT (job, application) DO UPDATE SET ledger = excluded.ledger",
        )?
        .execute(params![job, part.name(), position, serde_json::to_string(ledger)?])?;
    Ok(())
}

pub(super) fn finish(
    store: &SqliteStore,
    id: JobId,
    state: JobState,
    finished: Instant,
    parts: &[(Application, Ledger)],
    messages: &[Message],
    stages: &[StageReport],
) -> Result<()> {
    let transaction = store.write()?;
    transaction
        .execute("UPDATE job SET state = ?, finished = ? WHERE id = ?", params![state.name(), finished.0, id])?;
    for (part, ledger) in parts {
        put_part(&transaction, id, *part, ledger)?;
    }
    for (position, message) in messages.iter().enumerate() {
        transaction.execute(
            "INSERT INTO job_message (job, position, severity, text) VALUES (?, ?, ?, ?)",
            params![id, position as i64, message.severity.name(), message.text],
        )?;
    }
    for (position, stage) in stages.iter().enumerate() {
        transaction.execute(
            "INSERT INTO job_stage (job, position, report) VALUES (?, ?, ?)",
            params![id, position as i64, serde_json::to_string(stage)?],
        )?;
    }
    Ok(transaction.commit()?)
}

pub(super) fn fail_interrupted(store: &SqliteStore, finished: Instant) -> Result<Vec<JobId>> {
    let transaction = store.write()?;
    let ids = {
        let mut statement = transaction.prepare("SELECT id FROM job WHERE state = ?")?;
        let ids = statement.query_map([JobState::Running.name()], |row| row.get(0))?;
        ids.collect::<rusqlite::Result<Vec<JobId>>>()?
    };
    for id in &ids {
        let text =
            "the program was ended while the job ran; what was stored stays, and the next run goes on from there";
        transaction.execute(
            "UPDATE job SET state = ?, finished = ? WHERE id = ?",
            params![JobState::Failed.name(), finished.0, id],
        )?;
        transaction.execute(
            "INSERT INTO job_message (job, position, severity, text) VALUES (?, 0, ?, ?)",
            params![id, Severity::Error.name(), text],
        )?;
    }
    transaction.commit()?;
    Ok(ids)
}

fn job(row: &Row<'_>) -> rusqlite::Result<(Job, String)> {
    let job = Job {
        id: row.get("id")?,
        new: NewJob {
            application: named(row, "application")?,
            name: row.get("name")?,
            channel: row.get("channel")?,
            user: row.get("user")?,
            changed_since: ChangedSince::LastTransfer,
            as_of: Instant(row.get("as_of")?),
            started: Instant(row.get("started")?),
        },
        state: named(row, "state")?,
        finished: row.get::<_, Option<i64>>("finished")?.map(Instant),
        ledger: Ledger::default(),
    };
    Ok((job, row.get("changed_since")?))
}

fn parts(store: &SqliteStore, id: JobId) -> Result<Vec<(Application, Ledger)>> {
    let mut statement =
        store.connection.prepare_cached("SELECT application, ledger FROM job_part WHERE job = ? ORDER BY position")?;
    let rows = statement.query_map([id], |row| Ok((named(row, "application")?, row.get::<_, String>("ledger")?)))?;
    rows.map(|row| {
        let (application, ledger) = row?;
        Ok((application, serde_json::from_str(&ledger)?))
    })
    .collect()
}

fn complete(store: &SqliteStore, (mut job, changed_since): (Job, String)) -> Result<Job> {
    job.new.changed_since = serde_json::from_str(&changed_since)?;
    for (_, ledger) in parts(store, job.id)? {
        job.ledger.add(&ledger);
    }
    Ok(job)
}

pub(super) fn list(store: &SqliteStore, limit: u64) -> Result<Vec<Job>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM job ORDER BY id DESC LIMIT ?")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = statement.query_map([limit], job)?.collect::<rusqlite::Result<Vec<_>>>()?;
    found.into_iter().map(|found| complete(store, found)).collect()
}

pub(super) fn details(store: &SqliteStore, id: JobId) -> Result<Option<JobDetails>> {
    let connection = &store.connection;
    let found = connection.prepare_cached("SELECT * FROM job WHERE id = ?")?.query_row([id], job).optional()?;
    let Some(found) = found else { return Ok(None) };
    let message = |row: &Row<'_>| Ok(Message { severity: named(row, "severity")?, text: row.get("text")? });
    let messages = connection
        .prepare_cached("SELECT severity, text FROM job_message WHERE job = ? ORDER BY position")?
        .query_map([id], message)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let reports = connection
        .prepare_cached("SELECT report FROM job_stage WHERE job = ? ORDER BY position")?
        .query_map([id], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let stages =
        reports.iter().map(|report| serde_json::from_str(report).map_err(StoreError::from)).collect::<Result<_>>()?;
    let quarantined = connection
        .prepare_cached("SELECT place, reason FROM quarantine WHERE job = ? ORDER BY id LIMIT ?")?
        .query_map(params![id, SHOWN_QUARANTINE], |row| {
            Ok(QuarantinedRecord { place: row.get("place")?, reason: row.get("reason")? })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Some(JobDetails { parts: parts(store, id)?, job: complete(store, found)?, messages, stages, quarantined }))
}
