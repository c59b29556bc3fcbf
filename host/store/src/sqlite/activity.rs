//! An activity with the names of its customer and employee, as queries read it.

use apptsync_model::{Activity, Instant, Period};

use crate::sqlite::columns::Columns;

/// What `activity` is joined with, to read [`COLUMNS`].
pub(super) const JOINS: &str = "LEFT JOIN task ON task.activity = activity.id
    LEFT JOIN employee ON employee.id = task.employee
    LEFT JOIN reference ON reference.activity = activity.id
    LEFT JOIN partner ON partner.id = reference.partner";

/// The columns that [`read`] reads.
pub(super) const COLUMNS: &str = "activity.id, activity.entry, activity.channel, activity.source_id, activity.number,
    activity.subject, activity.description, activity.kind, activity.priority, activity.status, activity.canceled,
    activity.start_day, activity.end_day, activity.start_at, activity.end_at, activity.completed_on,
    activity.completed_by, reference.partner, partner.name, task.employee, employee.name, activity.origin,
    activity.attributes, activity.created_by_job, activity.changed_by_job, activity.revision, activity.changed_at";

/// Reads an activity.
pub(super) fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Activity> {
    let id = columns.read()?;
    let entry = columns.named()?;
    let (channel, source_id, number) = (columns.read()?, columns.read()?, columns.read()?);
    let (subject, description, kind) = (columns.read()?, columns.read()?, columns.read()?);
    let (priority, status, canceled) = (columns.named()?, columns.named()?, columns.read()?);
    let days = columns.optional(str::parse)?.zip(columns.optional(str::parse)?);
    let (start, end) = (Instant(columns.read()?), Instant(columns.read()?));
    let text = |columns: &mut Columns<'_>| -> rusqlite::Result<String> {
        Ok(columns.read::<Option<String>>()?.unwrap_or_default())
    };
    Ok(Activity {
        id,
        entry,
        channel,
        source_id,
        number,
        subject,
        description,
        kind,
        priority,
        status,
        canceled,
        period: days.map_or(Period::Timed { start, end }, |(start, end)| Period::AllDay { start, end }),
        start,
        end,
        completed_on: columns.instant()?,
        completed_by: columns.read()?,
        customer: text(columns)?,
        customer_name: text(columns)?,
        employee: text(columns)?,
        employee_name: text(columns)?,
        origin: columns.read()?,
        attributes: columns.json()?,
        created_by_job: columns.read()?,
        changed_by_job: columns.read()?,
        revision: columns.read()?,
        changed_at: Instant(columns.read()?),
    })
}
