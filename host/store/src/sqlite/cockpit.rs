//! Cockpit: Activities/OLTP database, the tabs of Activities, and what `explain` and `doctor` look up.

use std::ops::ControlFlow;

use apptsync_model::{Activity, ActivityFilter, ActivityId, ActivityOrder};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};

use crate::sqlite::SqliteStore;
use crate::sqlite::activity::{self, COLUMNS, JOINS};
use crate::sqlite::columns::Columns;
use crate::sqlite::import::outcome;
use crate::sqlite::outlook::{audit, links};
use crate::{Result, Transfer};

fn activity_row(row: &Row<'_>) -> rusqlite::Result<Activity> {
    activity::read(&mut Columns::of(row))
}

/// Conditions with their values.
struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn any_of(&mut self, column: &str, wanted: impl ExactSizeIterator<Item = String>) {
        if wanted.len() > 0 {
            self.sql.push(format!("{column} IN ({})", vec!["?"; wanted.len()].join(", ")));
            self.values.extend(wanted.map(Value::from));
        }
    }

    fn holds(&mut self, sql: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.sql.push(sql.to_owned());
            self.values.push(value.into());
        }
    }

    fn of(filter: &ActivityFilter) -> Self {
        let mut conditions = Self { sql: Vec::new(), values: Vec::new() };
        conditions.any_of("activity.status", filter.status.iter().map(|status| status.name().to_owned()));
        conditions.any_of("activity.kind", filter.kind.iter().cloned());
        conditions.any_of("activity.priority", filter.priority.iter().map(|priority| priority.name().to_owned()));
        conditions.any_of("reference.partner", filter.customer.iter().cloned());
        conditions.any_of("task.employee", filter.employee.iter().cloned());
        conditions.any_of("activity.channel", filter.channel.iter().cloned());
        conditions.holds("activity.start_at >= ?", filter.from.map(|instant| instant.0));
        conditions.holds("activity.start_at < ?", filter.to.map(|instant| instant.0));
        if let Some(text) = &filter.text {
            let columns = ["activity.number", "activity.subject", "activity.description", "partner.name"];
            let found = columns.map(|column| format!("contains_text({column}, ?)"));
            conditions.sql.push(format!("({})", found.join(" OR ")));
            conditions.values.extend(columns.map(|_| Value::from(text.to_lowercase())));
        }
        conditions
    }

    fn to_sql(&self) -> String {
        if self.sql.is_empty() { String::new() } else { format!("WHERE {}", self.sql.join(" AND ")) }
    }
}

/// Makes the text filter known to this connection: SQLite's own comparison folds the case of ASCII letters alone.
fn register_contains_text(store: &SqliteStore) -> Result<()> {
    use rusqlite::functions::FunctionFlags;
    let flags = FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_UTF8;
    store.connection.create_scalar_function("contains_text", 2, flags, |arguments| {
        let text = arguments.get_raw(0).as_str_or_null()?.unwrap_or_default();
        let wanted = arguments.get_raw(1).as_str()?;
        Ok(text.to_lowercase().contains(wanted))
    })?;
    Ok(())
}

fn order(filter: &ActivityFilter) -> String {
    let column = match filter.order {
        ActivityOrder::Start => "activity.start_at",
        ActivityOrder::End => "activity.end_at",
        ActivityOrder::Id => "activity.id",
        ActivityOrder::Number => "activity.number",
        ActivityOrder::Subject => "activity.subject",
        ActivityOrder::Status => "activity.status",
        ActivityOrder::Kind => "activity.kind",
        ActivityOrder::Priority => "CASE activity.priority WHEN 'low' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END",
        ActivityOrder::Customer => "reference.partner",
        ActivityOrder::Employee => "task.employee",
        ActivityOrder::Channel => "activity.channel",
        ActivityOrder::CompletedOn => "activity.completed_on",
    };
    let direction = if filter.descending { "DESC" } else { "ASC" };
    format!("ORDER BY {column} {direction}, activity.id {direction}")
}

pub(super) fn activities(
    store: &SqliteStore,
    filter: &ActivityFilter,
    visit: &mut dyn FnMut(Activity) -> ControlFlow<()>,
) -> Result<()> {
    register_contains_text(store)?;
    let conditions = Conditions::of(filter);
    let limit = filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let sql = format!("SELECT {COLUMNS} FROM activity {JOINS} {} {} LIMIT {limit}", conditions.to_sql(), order(filter));
    let mut statement = store.connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(&conditions.values))?;
    while let Some(row) = rows.next()? {
        if visit(activity_row(row)?).is_break() {
            break;
        }
    }
    Ok(())
}

pub(super) fn count(store: &SqliteStore, filter: &ActivityFilter) -> Result<u64> {
    register_contains_text(store)?;
    let conditions = Conditions::of(filter);
    let joins = if conditions.sql.is_empty() { "" } else { JOINS };
    let sql = format!("SELECT count(*) FROM activity {joins} {}", conditions.to_sql());
    let count: i64 = store.connection.query_row(&sql, params_from_iter(&conditions.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

pub(super) fn activity(store: &SqliteStore, id: ActivityId) -> Result<Option<Activity>> {
    let sql = format!("SELECT {COLUMNS} FROM activity {JOINS} WHERE activity.id = ?");
    Ok(store.connection.prepare_cached(&sql)?.query_row([id], activity_row).optional()?)
}

pub(super) fn find_transfers(store: &SqliteStore, text: &str) -> Result<Vec<Transfer>> {
    // By id first: both ids have an index. The number stands inside of the record and costs a look at all.
    let ways = [
        ("WHERE activity = ?1 AND collection = 'appointments'", text.parse::<ActivityId>().ok().map(Value::from)),
        ("WHERE source_id = ?1", Some(Value::from(text.to_owned()))),
        ("WHERE collection = 'appointments' AND record ->> '$.number' = ?1", Some(Value::from(text.to_owned()))),
    ];
    for (condition, value) in ways {
        let Some(value) = value else { continue };
        let sql = format!("SELECT * FROM transfer {condition} ORDER BY channel, collection, source_id LIMIT 100");
        let mut statement = store.connection.prepare_cached(&sql)?;
        let found = statement
            .query_map([value], |row| {
                let (seen, imported): (Vec<u8>, Option<Vec<u8>>) = (row.get("seen")?, row.get("imported")?);
                Ok(Transfer {
                    channel: row.get("channel")?,
                    collection: row.get("collection")?,
                    source_id: row.get("source_id")?,
                    activity: row.get("activity")?,
                    outcome: outcome(row, "outcome")?,
                    pending: row.get("pending")?,
                    detail: row.get("detail")?,
                    is_current: imported.is_some_and(|imported| imported == seen),
                    stage_set: row.get("stage_set")?,
                    job: row.get("job")?,
                    first_job: row.get("first_job")?,
                    record: row.get("record")?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

pub(super) fn check(store: &SqliteStore) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut statement = store.connection.prepare("PRAGMA quick_check(20)")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    problems.extend(lines.into_iter().filter(|line| line != "ok").map(|line| format!("damaged: {line}")));
    let dangling: i64 =
        store.connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if dangling > 0 {
        problems.push(format!("{dangling} rows refer to what is not there"));
    }
    let incomplete: i64 = store.connection.query_row(
        "SELECT count(*) FROM activity WHERE NOT EXISTS (SELECT 1 FROM task WHERE task.activity = activity.id)
           OR (origin = 'mobile' AND NOT EXISTS (SELECT 1 FROM reference WHERE reference.activity = activity.id))",
        [],
        |row| row.get(0),
    )?;
    if incomplete > 0 {
        problems.push(format!("{incomplete} activities have no task or no reference"));
    }
    let unlinked = links::dangling(&store.connection)?;
    if unlinked > 0 {
        problems.push(format!("{unlinked} links to Outlook are of activities that are not there"));
    }
    if let Some(entry) = audit::broken_at(&store.connection)? {
        problems.push(format!("the audit was tampered with: entry {entry} is not as it was written, or is missing"));
    }
    Ok(problems)
}
