//! Links between items of Outlook and objects of the headquarters.

use apptsync_model::outlook::{ItemKind, Link, LinkId, Occurrence, Window};
use apptsync_model::{Activity, Instant};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::refused;
use crate::sqlite::SqliteStore;
use crate::sqlite::activity;
use crate::sqlite::columns::Columns;
use crate::{ProfileId, Result, StoreError};

const COLUMNS: &str = "link.id, link.kind, link.headquarters, link.remote_id, link.collection, link.series,
    link.original_start, link.our_id, link.incarnation, link.origin, link.state, link.base, link.revision, link.etag,
    link.recreated_at, link.reverts, link.flaps, link.filtered_since, link.note";

fn row(row: &Row<'_>) -> rusqlite::Result<Link> {
    read(&mut Columns::of(row))
}

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        id: columns.read()?,
        kind: columns.named()?,
        headquarters: columns.optional(str::parse)?,
        remote_id: columns.read()?,
        collection: columns.read()?,
        occurrence: {
            let occurrence = columns.read::<Option<String>>()?.zip(columns.instant()?);
            occurrence.map(|(series, original_start)| Occurrence { series, original_start })
        },
        our_id: columns.read()?,
        incarnation: columns.read()?,
        origin: columns.named()?,
        state: columns.named()?,
        base: columns.json()?,
        revision: columns.read()?,
        etag: columns.read()?,
        recreated_at: columns.instant()?,
        reverts: columns.json()?,
        flaps: columns.json()?,
        filtered_since: columns.instant()?,
        note: columns.read()?,
    })
}

pub(super) fn all(store: &SqliteStore, profile: ProfileId) -> Result<Vec<Link>> {
    let sql = format!("SELECT {COLUMNS} FROM link WHERE profile = ? ORDER BY id");
    let mut statement = store.connection.prepare_cached(&sql)?;
    Ok(statement.query_map([profile], row)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn visit(
    store: &SqliteStore,
    profile: ProfileId,
    visit: &mut dyn FnMut(Link, Option<Activity>),
) -> Result<()> {
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM link LEFT JOIN activity
           ON link.headquarters LIKE 'activity/%' AND activity.id = CAST(substr(link.headquarters, 10) AS INTEGER) {}
         WHERE link.profile = ? ORDER BY link.id",
        activity::COLUMNS,
        activity::JOINS
    );
    let mut statement = store.connection.prepare_cached(&sql)?;
    let mut rows = statement.query([profile])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let link = read(&mut columns)?;
        let activity = if columns.is_null()? { None } else { Some(activity::read(&mut columns)?) };
        visit(link, activity);
    }
    Ok(())
}

pub(super) fn of_item(
    store: &SqliteStore,
    profile: ProfileId,
    kind: ItemKind,
    remote_id: &str,
) -> Result<Option<Link>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM link WHERE profile = ? AND kind = ? AND remote_id = ? AND state <> 'tombstone'
         ORDER BY state = 'unlinked', id DESC LIMIT 1"
    );
    let mut statement = store.connection.prepare_cached(&sql)?;
    Ok(statement.query_row(params![profile, kind.name(), remote_id], row).optional()?)
}

pub(super) fn of_series(store: &SqliteStore, profile: ProfileId, kind: ItemKind, series: &str) -> Result<Vec<Link>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM link WHERE profile = ? AND kind = ? AND series = ? AND state <> 'tombstone' ORDER BY id"
    );
    let mut statement = store.connection.prepare_cached(&sql)?;
    Ok(statement.query_map(params![profile, kind.name(), series], row)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn visit_unlinked(
    store: &SqliteStore,
    profile: ProfileId,
    employee: &str,
    window: Window,
    visit: &mut dyn FnMut(Activity),
) -> Result<()> {
    // The same as `Window::overlaps`.
    let sql = format!(
        "SELECT {} FROM activity {} WHERE task.employee = ?2
           AND start_at < ?4 AND (end_at > ?3 OR (start_at = end_at AND start_at >= ?3))
           AND NOT EXISTS (SELECT 1 FROM link WHERE link.profile = ?1 AND link.kind = activity.entry
             AND link.headquarters = 'activity/' || activity.id AND link.state <> 'tombstone')
         ORDER BY task.activity",
        activity::COLUMNS,
        activity::JOINS
    );
    let mut statement = store.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![profile, employee, window.start.0, window.end.0])?;
    while let Some(row) = rows.next()? {
        visit(activity::read(&mut Columns::of(row))?);
    }
    Ok(())
}

/// Writes a link, a new one where its number is 0; the number it has then.
pub(super) fn put(connection: &Connection, profile: ProfileId, link: &Link) -> Result<LinkId> {
    let occurrence = link.occurrence.as_ref();
    let values = params![
        profile,
        link.kind.name(),
        link.headquarters.as_ref().map(ToString::to_string),
        link.remote_id,
        link.collection,
        occurrence.map(|occurrence| &occurrence.series),
        occurrence.map(|occurrence| occurrence.original_start.0),
        link.our_id,
        link.incarnation,
        link.origin.name(),
        link.state.name(),
        serde_json::to_string(&link.base)?,
        link.revision,
        link.etag,
        link.recreated_at.map(|Instant(seconds)| seconds),
        serde_json::to_string(&link.reverts)?,
        serde_json::to_string(&link.flaps)?,
        link.filtered_since.map(|Instant(seconds)| seconds),
        link.note,
        link.id
    ];
    let written = if link.id == 0 {
        // The last value is a new link's number: the next one.
        connection
            .prepare_cached(
                "INSERT INTO link (profile, kind, headquarters, remote_id, collection, series, original_start, our_id,
                   incarnation, origin, state, base, revision, etag, recreated_at, reverts, flaps, filtered_since, note,
                   id)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))",
            )?
            .execute(values)
    } else {
        connection
            .prepare_cached(
                "UPDATE link SET kind = ?2, headquarters = ?3, remote_id = ?4, collection = ?5, series = ?6,
                   original_start = ?7, our_id = ?8, incarnation = ?9, origin = ?10, state = ?11, base = ?12,
                   revision = ?13, etag = ?14, recreated_at = ?15, reverts = ?16, flaps = ?17, filtered_since = ?18,
                   note = ?19
                 WHERE id = ?20 AND profile = ?1",
            )?
            .execute(values)
    };
    let missing = format!("profile {profile} is not there");
    let doubled = "another link of the profile has the same object or the same item already";
    match (written.map_err(|error| refused(error, &missing, doubled))?, link.id) {
        (0, id) => Err(StoreError::Reference(format!("link {id} of profile {profile} is not there"))),
        (_, 0) => Ok(connection.last_insert_rowid()),
        (_, id) => Ok(id),
    }
}

/// Links to activities that are not there.
pub(in crate::sqlite) fn dangling(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row(
        "SELECT count(*) FROM link WHERE headquarters LIKE 'activity/%'
           AND NOT EXISTS (SELECT 1 FROM activity WHERE activity.id = CAST(substr(headquarters, 10) AS INTEGER))",
        [],
        |row| row.get(0),
    )?)
}
