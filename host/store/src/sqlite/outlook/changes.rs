//! Changes of activities by the synchronisation or by a person (domain 7 and 8).

use apptsync_model::outlook::{ItemKind, Origin};
use apptsync_model::{ActivityId, ActivityStatus, Attributes, Instant, LOCATION, Period, UNDATED};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{json, refused};
use crate::sqlite::SqliteStore;
use crate::sqlite::master::named;
use crate::sqlite::revision::Stamp;
use crate::{EditedActivity, HeadquartersChange, NewActivity, Result, StoreError};

/// An activity after a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    pub(super) activity: ActivityId,
    pub(super) revision: i64,
}

pub(super) fn by_hand(store: &SqliteStore, change: &HeadquartersChange, now: Instant) -> Result<ActivityId> {
    let transaction = store.write()?;
    let stamp = Stamp::new(&transaction, now)?;
    let changed = apply(&transaction, stamp, change)?.ok_or(StoreError::Changed)?;
    transaction.commit()?;
    Ok(changed.activity)
}

/// Makes a change; none where the activity is not there at the revision that the change was decided on.
pub(super) fn apply(connection: &Connection, stamp: Stamp, change: &HeadquartersChange) -> Result<Option<Changed>> {
    if let HeadquartersChange::Create(new) = change {
        return create(connection, stamp, new).map(Some);
    }
    let (HeadquartersChange::Update { activity, revision, .. }
    | HeadquartersChange::Cancel { activity, revision }
    | HeadquartersChange::Reinstate { activity, revision, .. }) = change
    else {
        return Ok(None);
    };
    let Some(before) = Stored::find(connection, *activity)?.filter(|before| before.revision == *revision) else {
        return Ok(None);
    };
    let after = match change {
        HeadquartersChange::Update { fields, .. } => before.edited(fields),
        HeadquartersChange::Cancel { .. } => before.canceled(),
        HeadquartersChange::Reinstate { status, .. } => Stored { canceled: false, status: *status, ..before.clone() },
        HeadquartersChange::Create(_) => return Ok(None),
    };
    if after == before {
        return Ok(Some(Changed { activity: *activity, revision: *revision }));
    }
    after.write(connection, stamp)?;
    Ok(Some(Changed { activity: *activity, revision: stamp.revision }))
}

/// The part of an activity that a change may touch, and what decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    id: ActivityId,
    revision: i64,
    origin: Origin,
    employee: Option<String>,
    status: ActivityStatus,
    canceled: bool,
    subject: String,
    description: String,
    priority: String,
    span: Span,
    completed_on: Option<i64>,
    completed_by: Option<String>,
    attributes: Attributes,
}

/// When an activity takes place, as the columns have it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    start: i64,
    end: i64,
    days: Option<(String, String)>,
}

impl Span {
    fn of(fields: &EditedActivity) -> Self {
        let days = match &fields.period {
            Period::Timed { .. } => None,
            Period::AllDay { start, end } => Some((start.to_string(), end.to_string())),
        };
        Self { start: fields.start.0, end: fields.end.0, days }
    }

    fn first_day(&self) -> Option<&str> {
        self.days.as_ref().map(|(first, _)| first.as_str())
    }

    fn day_after(&self) -> Option<&str> {
        self.days.as_ref().map(|(_, after)| after.as_str())
    }
}

impl Stored {
    fn find(connection: &Connection, id: ActivityId) -> Result<Option<Self>> {
        let mut statement = connection.prepare_cached(
            "SELECT activity.*, task.employee FROM activity LEFT JOIN task ON task.activity = activity.id
             WHERE activity.id = ?",
        )?;
        Ok(statement.query_row([id], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let first_day: Option<String> = row.get("start_day")?;
        Ok(Self {
            id: row.get("id")?,
            revision: row.get("revision")?,
            origin: named(row, "origin")?,
            employee: row.get("employee")?,
            status: named(row, "status")?,
            canceled: row.get("canceled")?,
            subject: row.get("subject")?,
            description: row.get("description")?,
            priority: row.get("priority")?,
            span: Span {
                start: row.get("start_at")?,
                end: row.get("end_at")?,
                days: first_day.zip(row.get("end_day")?),
            },
            completed_on: row.get("completed_on")?,
            completed_by: row.get("completed_by")?,
            attributes: json(row, "attributes")?,
        })
    }

    /// With the fields of an edit. A status goes one way only, and new times do not change it (domain 7).
    fn edited(&self, fields: &EditedActivity) -> Self {
        let was_undated = self.attributes.iter().any(|(name, _)| name == UNDATED);
        let mut edited = Self {
            subject: fields.subject.clone(),
            description: fields.description.clone(),
            priority: fields.priority.name().to_owned(),
            // Without a date it keeps the day it came in.
            span: if fields.undated && was_undated { self.span.clone() } else { Span::of(fields) },
            attributes: attributes(&self.attributes, fields),
            ..self.clone()
        };
        if let (ActivityStatus::Planned, Some(completed)) = (self.status, fields.completed) {
            edited.status = ActivityStatus::Completed;
            edited.completed_on = Some(completed.0);
            edited.completed_by.clone_from(&self.employee);
        }
        edited
    }

    fn canceled(&self) -> Self {
        let status = match self.status {
            ActivityStatus::Planned => ActivityStatus::CompletedUnprocessed,
            status => status,
        };
        Self { canceled: true, status, ..self.clone() }
    }

    fn write(&self, connection: &Connection, stamp: Stamp) -> Result<()> {
        connection
            .prepare_cached(
                "UPDATE activity SET status = ?2, canceled = ?3, subject = ?4, description = ?5, priority = ?6,
                   start_at = ?7, end_at = ?8, start_day = ?9, end_day = ?10, completed_on = ?11, completed_by = ?12,
                   attributes = ?13, revision = ?14, changed_at = ?15
                 WHERE id = ?1",
            )?
            .execute(params![
                self.id,
                self.status.name(),
                self.canceled,
                self.subject,
                self.description,
                self.priority,
                self.span.start,
                self.span.end,
                self.span.first_day(),
                self.span.day_after(),
                self.completed_on,
                self.completed_by,
                serde_json::to_string(&self.attributes)?,
                stamp.revision,
                stamp.changed_at.0
            ])?;
        if self.origin == Origin::Mobile && self.status == ActivityStatus::Planned {
            look_again(connection, self.id)?;
        }
        Ok(())
    }
}

/// What was changed here is no longer what Mobile says: the next import puts it right (domain 1).
fn look_again(connection: &Connection, activity: ActivityId) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE transfer SET imported = NULL, pending = 1, detail = 'changed by hand in the headquarters'
             WHERE (channel, source_id) = (SELECT channel, source_id FROM activity WHERE id = ?1)
               AND collection = 'appointments' AND activity = ?1",
        )?
        .execute([activity])?;
    Ok(())
}

fn attributes(before: &Attributes, fields: &EditedActivity) -> Attributes {
    let mut attributes = before.clone();
    let mut put = |name: &str, value: Option<&str>| {
        let place = attributes.iter().position(|(found, _)| found == name);
        match (place, value) {
            (Some(place), Some(value)) => value.clone_into(&mut attributes[place].1),
            (Some(place), None) => drop(attributes.remove(place)),
            (None, Some(value)) => attributes.push((name.to_owned(), value.to_owned())),
            (None, None) => {}
        }
    };
    put(LOCATION, Some(&*fields.location).filter(|location| !location.is_empty()));
    put(UNDATED, fields.undated.then_some("true"));
    attributes
}

/// Makes an activity, or finds the one of the same origin and source id.
fn create(connection: &Connection, stamp: Stamp, new: &NewActivity) -> Result<Changed> {
    if new.origin == Origin::Mobile || new.entry == ItemKind::Contact {
        let (entry, origin) = (new.entry.label(), new.origin.label());
        return Err(StoreError::Invalid(format!("no activity can be made of a {entry} of origin {origin}")));
    }
    let found = connection
        .prepare_cached("SELECT id, revision FROM activity WHERE origin = ? AND source_id = ? AND origin <> 'mobile'")?
        .query_row([new.origin.name(), &new.source_id], |row| {
            Ok(Changed { activity: row.get(0)?, revision: row.get(1)? })
        })
        .optional()?;
    if let Some(found) = found {
        return Ok(found);
    }
    let fields = &new.fields;
    let span = Span::of(fields);
    let status = match fields.completed {
        Some(_) => ActivityStatus::Completed,
        None if fields.end < stamp.changed_at && !fields.undated => ActivityStatus::Delayed,
        None => ActivityStatus::Planned,
    };
    connection
        .prepare_cached(
            "INSERT INTO activity (channel, source_id, number, subject, description, kind, priority, status, start_at,
               end_at, start_day, end_day, completed_on, completed_by, origin, attributes, created_by_job,
               changed_by_job, entry, revision, changed_at)
             VALUES ('', iif(?1 = '', CAST((SELECT coalesce(max(id), 0) + 1 FROM activity) AS TEXT), ?1), '', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, 0, ?15, ?16, ?17)",
        )?
        .execute(params![
            new.source_id,
            fields.subject,
            fields.description,
            new.kind,
            fields.priority.name(),
            status.name(),
            span.start,
            span.end,
            span.first_day(),
            span.day_after(),
            fields.completed.map(|Instant(seconds)| seconds),
            fields.completed.map(|_| &new.employee),
            new.origin.name(),
            serde_json::to_string(&attributes(&Vec::new(), fields))?,
            new.entry.name(),
            stamp.revision,
            stamp.changed_at.0
        ])?;
    let activity = connection.last_insert_rowid();
    let missing =
        |what: &str, id: &str| format!("there is no {what} `{0}`: see `apptsync {what}s list`", id.escape_debug());
    connection
        .prepare_cached("INSERT INTO task (activity, employee) VALUES (?, ?)")?
        .execute(params![activity, new.employee])
        .map_err(|error| refused(error, &missing("employee", &new.employee), ""))?;
    if let Some(partner) = &new.partner {
        connection
            .prepare_cached("INSERT INTO reference (activity, partner) VALUES (?, ?)")?
            .execute(params![activity, partner])
            .map_err(|error| refused(error, &missing("partner", partner), ""))?;
    }
    Ok(Changed { activity, revision: stamp.revision })
}
