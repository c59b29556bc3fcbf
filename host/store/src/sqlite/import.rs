//! What the import reads and writes. [`store_page`] is the floor of an import's speed: prepared statements, one
//! transaction a page, no reading back.

use apptsync_model::{ActivityId, ActivityStatus, ChannelPartner, Instant, JobId, Ledger, Outcome, Period, UNDATED};
use std::borrow::Cow;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Statement, ToSql, params, params_from_iter};

use crate::sqlite::SqliteStore;
use crate::sqlite::master::Put;
use crate::sqlite::revision::Stamp;
use crate::sqlite::{jobs, master};
use crate::{
    ActivityFields, Change, Hash, Known, KnownActivity, PageWrite, Pending, RecordWrite, Result, StoreError,
    TransferKey,
};

pub(super) fn stage_set(store: &SqliteStore, digest: &Hash, description: &str) -> Result<i64> {
    let find = || {
        let mut statement = store.connection.prepare_cached("SELECT id FROM stage_set WHERE digest = ?")?;
        statement.query_row([digest], |row| row.get(0)).optional()
    };
    if let Some(id) = find()? {
        return Ok(id);
    }
    let transaction = store.write()?;
    transaction.execute("INSERT INTO stage_set (digest, description) VALUES (?, ?)", params![digest, description])?;
    let id = transaction.last_insert_rowid();
    transaction.commit()?;
    Ok(id)
}

pub(super) fn stage_set_description(store: &SqliteStore, id: i64) -> Result<Option<String>> {
    let mut statement = store.connection.prepare_cached("SELECT description FROM stage_set WHERE id = ?")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

pub(super) fn imported_with_other_stages(store: &SqliteStore, channel: &str, stage_set: i64) -> Result<u64> {
    // Only when there is more than one set can any activity have another.
    let sets: i64 = store.connection.query_row("SELECT count(*) FROM stage_set", [], |row| row.get(0))?;
    if sets < 2 {
        return Ok(0);
    }
    let count: i64 = store.connection.query_row(
        "SELECT count(*) FROM transfer JOIN activity ON activity.id = transfer.activity
         WHERE transfer.channel = ? AND transfer.collection = 'appointments' AND transfer.stage_set <> ?
           AND activity.status = 'planned'",
        params![channel, stage_set],
        |row| row.get(0),
    )?;
    Ok(count.unsigned_abs())
}

pub(super) fn cursor(store: &SqliteStore, key: &TransferKey<'_>, source: &str) -> Result<Option<String>> {
    let mut statement = store
        .connection
        .prepare_cached("SELECT value FROM cursor WHERE channel = ? AND collection = ? AND source = ?")?;
    Ok(statement.query_row([key.channel, key.collection, source], |row| row.get(0)).optional()?)
}

const KNOWN_COLUMNS: &str = "transfer.id AS transfer_id, transfer.activity, transfer.seen, transfer.imported,
    transfer.stage_set, transfer.outcome, transfer.pending, transfer.job, transfer.detail, activity.canceled,
    activity.status";

/// Reads a stored outcome.
pub(super) fn outcome(row: &Row<'_>, column: &str) -> rusqlite::Result<Outcome> {
    let name: String = row.get(column)?;
    Outcome::from_name(&name).ok_or_else(|| {
        let error = format!("`{name}` is no outcome");
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

fn known_row(row: &Row<'_>) -> rusqlite::Result<Known> {
    // By position, in the order of KNOWN_COLUMNS: this runs for every record.
    let activity = match row.get::<_, Option<ActivityId>>(1)? {
        Some(id) => Some(KnownActivity { id, status: master::named(row, "status")?, canceled: row.get(9)? }),
        None => None,
    };
    Ok(Known {
        transfer: row.get(0)?,
        seen: row.get(2)?,
        imported: row.get(3)?,
        stage_set: row.get(4)?,
        outcome: outcome(row, "outcome")?,
        pending: row.get(6)?,
        job: row.get(7)?,
        detail: row.get(8)?,
        activity,
    })
}

pub(super) fn known(store: &SqliteStore, key: &TransferKey<'_>, source_ids: &[&str]) -> Result<Vec<Option<Known>>> {
    let mut statement = store.connection.prepare_cached(&format!(
        "SELECT {KNOWN_COLUMNS} FROM transfer LEFT JOIN activity ON activity.id = transfer.activity
         WHERE transfer.channel = ? AND transfer.collection = ? AND transfer.source_id = ?"
    ))?;
    let mut find = |id: &&str| Ok(statement.query_row([key.channel, key.collection, id], known_row).optional()?);
    source_ids.iter().map(&mut find).collect()
}

pub(super) fn pending(
    store: &SqliteStore,
    key: &TransferKey<'_>,
    job: JobId,
    after: i64,
    limit: usize,
) -> Result<Vec<Pending>> {
    let mut statement = store.connection.prepare_cached(&format!(
        "SELECT {KNOWN_COLUMNS}, transfer.record FROM transfer LEFT JOIN activity ON activity.id = transfer.activity
         WHERE transfer.channel = ? AND transfer.collection = ? AND transfer.pending = 1
           AND transfer.id > ? AND transfer.job <> ? ORDER BY transfer.id LIMIT ?"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![key.channel, key.collection, after, job, limit], |row| {
        Ok((known_row(row)?, row.get::<_, String>("record")?))
    })?;
    rows.map(|row| {
        let (known, record) = row?;
        Ok(Pending { record, known })
    })
    .collect()
}

/// The statements of a page, looked up once.
struct Statements<'a> {
    insert_activity: CachedStatement<'a>,
    insert_task: CachedStatement<'a>,
    insert_reference: CachedStatement<'a>,
    insert_transfer: CachedStatement<'a>,
}

const ACTIVITY_FIELDS: &str =
    "number, subject, description, kind, priority, status, start_at, end_at, start_day, end_day,
    completed_on, completed_by, attributes";

impl<'a> Statements<'a> {
    fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            insert_activity: connection.prepare_cached(&format!(
                "INSERT INTO activity
                   (channel, source_id, origin, created_by_job, changed_by_job, revision, changed_at, {ACTIVITY_FIELDS})
                 VALUES (?1, ?2, 'mobile', ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
            ))?,
            insert_task: connection.prepare_cached("INSERT INTO task (activity, employee) VALUES (?, ?)")?,
            insert_reference: connection.prepare_cached("INSERT INTO reference (activity, partner) VALUES (?, ?)")?,
            insert_transfer: connection.prepare_cached(
                "INSERT INTO transfer (channel, collection, source_id, activity, seen, imported, stage_set, outcome, pending,
                   detail, changed_at, job, first_job, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13)",
            )?,
        })
    }
}

/// Binds the values of [`ACTIVITY_FIELDS`] in their order, from a parameter on.
fn bind_fields(statement: &mut Statement<'_>, first: usize, fields: &ActivityFields) -> Result<()> {
    let (start_day, end_day) = match &fields.period {
        Period::Timed { .. } => (None, None),
        Period::AllDay { start, end } => (Some(start.to_string()), Some(end.to_string())),
    };
    let attributes: Cow<'_, str> =
        if fields.attributes.is_empty() { "[]".into() } else { serde_json::to_string(&fields.attributes)?.into() };
    let values: [&dyn ToSql; 13] = [
        &fields.number,
        &fields.subject,
        &fields.description,
        &fields.kind,
        &fields.priority.name(),
        &fields.status.name(),
        &fields.start.0,
        &fields.end.0,
        &start_day,
        &end_day,
        &fields.completed_on.map(|instant| instant.0),
        &fields.completed_by,
        &attributes,
    ];
    for (index, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(first + index, value)?;
    }
    Ok(())
}

fn create(
    connection: &Connection,
    statements: &mut Statements<'_>,
    page: &PageWrite<'_>,
    stamp: Stamp,
    record: &RecordWrite,
    fields: &ActivityFields,
) -> Result<ActivityId> {
    let insert = &mut statements.insert_activity;
    insert.raw_bind_parameter(1, page.key.channel)?;
    insert.raw_bind_parameter(2, &record.source_id)?;
    insert.raw_bind_parameter(3, page.job)?;
    insert.raw_bind_parameter(4, stamp.revision)?;
    insert.raw_bind_parameter(5, stamp.changed_at.0)?;
    bind_fields(insert, 6, fields)?;
    insert.raw_execute()?;
    Ok(connection.last_insert_rowid())
}

/// Writes all fields of an activity that is still Planned; false when they are there already.
fn update(connection: &Connection, job: JobId, stamp: Stamp, id: ActivityId, fields: &ActivityFields) -> Result<bool> {
    let mut statement = connection.prepare_cached(&format!(
        "UPDATE activity SET ({ACTIVITY_FIELDS}) = (?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17),
           changed_by_job = ?1, revision = ?3, changed_at = ?4
         WHERE id = ?2 AND status = 'planned'
           AND ({ACTIVITY_FIELDS}) IS NOT (?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
    ))?;
    statement.raw_bind_parameter(1, job)?;
    statement.raw_bind_parameter(2, id)?;
    statement.raw_bind_parameter(3, stamp.revision)?;
    statement.raw_bind_parameter(4, stamp.changed_at.0)?;
    bind_fields(&mut statement, 5, fields)?;
    let changed = statement.raw_execute()?;
    let moved = connection
        .prepare_cached("UPDATE task SET employee = ?2 WHERE activity = ?1 AND employee <> ?2")?
        .execute(params![id, fields.employee])?;
    let referred = connection
        .prepare_cached("UPDATE reference SET partner = ?2 WHERE activity = ?1 AND partner <> ?2")?
        .execute(params![id, fields.partner])?;
    if changed == 0 && moved + referred > 0 {
        connection
            .prepare_cached("UPDATE activity SET changed_by_job = ?, revision = ?, changed_at = ? WHERE id = ?")?
            .execute(params![job, stamp.revision, stamp.changed_at.0, id])?;
    }
    Ok(changed + moved + referred > 0)
}

fn set_status(
    connection: &Connection,
    job: JobId,
    stamp: Stamp,
    id: ActivityId,
    status: ActivityStatus,
) -> Result<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE activity SET status = ?1, changed_by_job = ?2, revision = ?3, changed_at = ?4
             WHERE id = ?5 AND status = 'planned' AND status <> ?1",
        )?
        .execute(params![status.name(), job, stamp.revision, stamp.changed_at.0, id])?;
    Ok(changed > 0)
}

fn put_transfer(
    connection: &Connection,
    statements: &mut Statements<'_>,
    page: &PageWrite<'_>,
    record: &RecordWrite,
    activity: Option<ActivityId>,
    outcome: Outcome,
) -> Result<()> {
    let Some(transfer) = record.transfer else {
        statements.insert_transfer.execute(params![
            page.key.channel,
            page.key.collection,
            record.source_id,
            activity,
            record.seen,
            record.imported,
            page.stage_set,
            outcome.name(),
            record.pending,
            record.detail,
            record.changed_at.0,
            page.job,
            record.record.as_deref().unwrap_or_default()
        ])?;
        return Ok(());
    };
    connection
        .prepare_cached(
            "UPDATE transfer SET activity = ?2, seen = ?3, imported = ?4, stage_set = ?5, outcome = ?6, pending = ?7,
               detail = ?8, changed_at = ?9, job = ?10, record = coalesce(?11, record) WHERE id = ?1",
        )?
        .execute(params![
            transfer,
            activity,
            record.seen,
            record.imported,
            page.stage_set,
            outcome.name(),
            record.pending,
            record.detail,
            record.changed_at.0,
            page.job,
            record.record
        ])?;
    Ok(())
}

pub(super) fn store_page(store: &SqliteStore, page: &PageWrite<'_>, ledger: &mut Ledger) -> Result<()> {
    let transaction = store.write()?;
    let mut counted = ledger.clone();
    counted.read += page.entered;
    for outcome in page.settled {
        counted.count(*outcome);
    }
    {
        let connection: &Connection = &transaction;
        let mut statements = Statements::new(connection)?;
        let writes_activities = page.records.iter().any(|record| {
            matches!(record.change, Change::CreateActivity(_) | Change::UpdateActivity(..) | Change::SetStatus(..))
        });
        let stamp = if writes_activities { Stamp::of_job(connection, page.job)? } else { Stamp::default() };
        // Table by table, not record by record: what is written next to each other stays in the processor's cache.
        let mut written = Vec::with_capacity(page.records.len());
        for record in page.records {
            let mut activity = record.activity;
            let changed = match &record.change {
                Change::Nothing => true,
                Change::CreateActivity(fields) => {
                    activity = Some(create(connection, &mut statements, page, stamp, record, fields)?);
                    true
                }
                Change::UpdateActivity(id, fields) => update(connection, page.job, stamp, *id, fields)?,
                Change::SetStatus(id, status) => set_status(connection, page.job, stamp, *id, *status)?,
                Change::PutPartner(partner) => {
                    let channel = page.key.channel.to_owned();
                    let external_id = record.source_id.clone();
                    let put = master::put_partner(connection, partner)?;
                    let connected = ChannelPartner { channel, partner: partner.id.clone(), external_id };
                    [put, master::connect(connection, &connected)?].iter().any(|put| *put != Put::Unchanged)
                }
            };
            let outcome = if changed { record.outcome } else { Outcome::Unchanged };
            counted.count(outcome);
            written.push((record, activity, outcome));
        }
        let created = || {
            written.iter().filter_map(|(record, activity, _)| match &record.change {
                Change::CreateActivity(fields) => Some((activity, fields)),
                _ => None,
            })
        };
        for (activity, fields) in created() {
            statements.insert_task.execute(params![activity, fields.employee])?;
        }
        for (activity, fields) in created() {
            statements.insert_reference.execute(params![activity, fields.partner])?;
        }
        for (record, activity, outcome) in &written {
            put_transfer(connection, &mut statements, page, record, *activity, *outcome)?;
        }
        for quarantined in page.quarantined {
            connection
                .prepare_cached("INSERT INTO quarantine (job, place, reason) VALUES (?, ?, ?)")?
                .execute(params![page.job, quarantined.place, quarantined.reason])?;
        }
        if let Some(cursor) = &page.cursor {
            connection
                .prepare_cached(
                    "INSERT INTO cursor (channel, collection, source, value) VALUES (?, ?, ?, ?)
                     ON CONFLICT (channel, collection, source) DO UPDATE SET value = excluded.value
                     WHERE value <> excluded.value",
                )?
                .execute(params![page.key.channel, page.key.collection, cursor.source, cursor.value])?;
        }
        jobs::put_part(connection, page.job, page.application, &counted)?;
    }
    counted.balance().map_err(|error| StoreError::Other(error.to_string()))?;
    transaction.commit()?;
    *ledger = counted;
    Ok(())
}

pub(super) fn delay_elapsed(
    store: &SqliteStore,
    channel: &str,
    employees: Option<&[String]>,
    now: Instant,
    job: JobId,
    at_most: usize,
) -> Result<u64> {
    let marks = employees.map(|employees| vec!["?"; employees.len()].join(", "));
    let in_scope = marks.map_or(String::new(), |marks| {
        format!("AND (SELECT employee FROM task WHERE task.activity = activity.id) IN ({marks})")
    });
    let elapsed = format!(
        "SELECT id FROM activity WHERE status = 'planned' AND channel = ? AND end_at < ? {in_scope} LIMIT {at_most}"
    );
    let values = || {
        let fixed = [rusqlite::types::Value::from(channel.to_owned()), now.0.into()];
        let employees = employees.unwrap_or_default().iter().map(|employee| employee.clone().into());
        fixed.into_iter().chain(employees).collect::<Vec<rusqlite::types::Value>>()
    };
    // Looked up before a transaction is begun: a run that changes nothing writes nothing.
    let ids = {
        let mut statement = store.connection.prepare_cached(&elapsed)?;
        let ids = statement.query_map(params_from_iter(values()), |row| row.get(0))?;
        ids.collect::<rusqlite::Result<Vec<ActivityId>>>()?
    };
    if ids.is_empty() {
        return Ok(0);
    }
    let transaction = store.write()?;
    let stamp = Stamp::new(&transaction, now)?;
    for id in &ids {
        set_status(&transaction, job, stamp, *id, ActivityStatus::Delayed)?;
    }
    transaction.commit()?;
    Ok(ids.len() as u64)
}

pub(super) fn delay_elapsed_of(
    store: &SqliteStore,
    employee: &str,
    now: Instant,
    except: &[ActivityId],
) -> Result<u64> {
    let elapsed = "status = 'planned' AND channel = '' AND end_at < ?1
        AND EXISTS (SELECT 1 FROM task WHERE task.activity = activity.id AND task.employee = ?2)
        AND NOT EXISTS (SELECT 1 FROM json_each(activity.attributes) WHERE value ->> 0 = ?3)
        AND id NOT IN (SELECT value FROM json_each(?4))";
    let except = serde_json::to_string(except)?;
    let values = params![now.0, employee, UNDATED, except];
    // Looked for before a transaction is begun: what changes nothing writes nothing.
    let sql = format!("SELECT EXISTS (SELECT 1 FROM activity WHERE {elapsed})");
    if !store.connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0))? {
        return Ok(0);
    }
    let transaction = store.write()?;
    let stamp = Stamp::new(&transaction, now)?;
    let delayed = transaction.execute(
        &format!("UPDATE activity SET status = 'delayed', revision = ?5, changed_at = ?1 WHERE {elapsed}"),
        params![now.0, employee, UNDATED, except, stamp.revision],
    )?;
    transaction.commit()?;
    Ok(delayed as u64)
}
