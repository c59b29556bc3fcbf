//! Batch jobs and their protocols.

use apptsync_model::{
    Application, ChangedSince, ContentLanguage, Instant, JobId, JobState, Ledger, Message, Severity, StageReport,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::master::named;
use crate::{Cancellation, Job, JobBegin, JobDetails, JobSettings, QuarantinedRecord, Result, Schedule, StoreError};

/// Quarantined records that a protocol shows at most.
const SHOWN_QUARANTINE: i64 = 1_000;

pub(super) fn begin(store: &SqliteStore, job: &JobSettings, begin: JobBegin) -> Result<JobId> {
    insert(store, job, None, JobState::Running, begin)
}

pub(super) fn schedule(store: &SqliteStore, job: &JobSettings, schedule: &Schedule) -> Result<JobId> {
    let begin = JobBegin { as_of: schedule.scheduled, started: schedule.scheduled };
    insert(store, job, Some(schedule), JobState::Scheduled, begin)
}

fn insert(
    store: &SqliteStore,
    job: &JobSettings,
    schedule: Option<&Schedule>,
    state: JobState,
    begin: JobBegin,
) -> Result<JobId> {
    let transaction = store.write()?;
    transaction.execute(
        "INSERT INTO job (application, name, channel, user, changed_since, deactivate_deleted, content_language, queue,
             scheduled, fixed_as_of, as_of, state, started, begun)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            job.application.name(),
            job.name,
            job.channel,
            job.user,
            serde_json::to_string(&job.changed_since)?,
            job.deactivate_deleted,
            job.content_language.as_ref().map(ContentLanguage::as_str),
            schedule.map(|schedule| &schedule.queue),
            schedule.map(|schedule| schedule.scheduled.0),
            schedule.and_then(|schedule| schedule.as_of).map(|instant| instant.0),
            begin.as_of.0,
            state.name(),
            begin.started.0,
            schedule.is_none()
        ],
    )?;
    let id = transaction.last_insert_rowid();
    transaction.commit()?;
    Ok(id)
}

pub(super) fn scheduled(store: &SqliteStore) -> Result<Vec<Job>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM job WHERE state = 'scheduled' ORDER BY id")?;
    let found = statement.query_map([], job)?.collect::<rusqlite::Result<Vec<_>>>()?;
    found.into_iter().map(|found| complete(store, found)).collect()
}

pub(super) fn begin_scheduled(store: &SqliteStore, id: JobId, begin: JobBegin) -> Result<bool> {
    let transaction = store.write()?;
    let begun = transaction.execute(
        "UPDATE job SET state = ?, as_of = ?, started = ?, begun = 1 WHERE id = ? AND state = ?",
        params![JobState::Running.name(), begin.as_of.0, begin.started.0, id, JobState::Scheduled.name()],
    )?;
    transaction.commit()?;
    Ok(begun == 1)
}

pub(super) fn cancel(store: &SqliteStore, id: JobId, now: Instant) -> Result<Option<Cancellation>> {
    let transaction = store.write()?;
    let state = transaction
        .prepare_cached("SELECT state FROM job WHERE id = ?")?
        .query_row([id], |row| named::<JobState>(row, "state"))
        .optional()?;
    let done = match state {
        None => None,
        Some(JobState::Scheduled) => {
            transaction.execute(
                "UPDATE job SET state = ?, finished = ? WHERE id = ?",
                params![JobState::Canceled.name(), now.0, id],
            )?;
            put_message(&transaction, id, 0, Severity::Warning, "canceled before it began: nothing was run")?;
            Some(Cancellation::Canceled)
        }
        Some(JobState::Running) => {
            transaction.execute("UPDATE job SET cancel_requested = 1 WHERE id = ?", [id])?;
            Some(Cancellation::Requested)
        }
        Some(over) => Some(Cancellation::Over(over)),
    };
    transaction.commit()?;
    Ok(done)
}

pub(super) fn is_cancel_requested(store: &SqliteStore, id: JobId) -> Result<bool> {
    let mut statement = store.connection.prepare_cached("SELECT cancel_requested FROM job WHERE id = ?")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?.unwrap_or(false))
}

fn put_message(connection: &Connection, job: JobId, position: i64, severity: Severity, text: &str) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO job_message (job, position, severity, text) VALUES (?, ?, ?, ?)")?
        .execute(params![job, position, severity.name(), text])?;
    Ok(())
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
        put_message(&transaction, id, position as i64, message.severity, &message.text)?;
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
        put_message(&transaction, *id, 0, Severity::Error, text)?;
    }
    transaction.commit()?;
    Ok(ids)
}

fn job(row: &Row<'_>) -> rusqlite::Result<(Job, String)> {
    let instant = |name: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(name)?.map(Instant));
    let state: JobState = named(row, "state")?;
    let begin = JobBegin { as_of: Instant(row.get("as_of")?), started: Instant(row.get("started")?) };
    let schedule = match (row.get::<_, Option<String>>("queue")?, instant("scheduled")?) {
        (Some(queue), Some(scheduled)) => Some(Schedule { queue, scheduled, as_of: instant("fixed_as_of")? }),
        _ => None,
    };
    let job = Job {
        id: row.get("id")?,
        settings: JobSettings {
            application: named(row, "application")?,
            name: row.get("name")?,
            channel: row.get("channel")?,
            user: row.get("user")?,
            changed_since: ChangedSince::LastTransfer,
            deactivate_deleted: row.get("deactivate_deleted")?,
            content_language: match row.get_ref("content_language")? {
                ValueRef::Null => None,
                _ => Some(named(row, "content_language")?),
            },
        },
        schedule,
        begin: row.get::<_, bool>("begun")?.then_some(begin),
        state,
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
    job.settings.changed_since = serde_json::from_str(&changed_since)?;
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
