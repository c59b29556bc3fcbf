//! Links between items of Outlook and objects of the headquarters.

use apptsync_model::Instant;
use apptsync_model::outlook::{Link, LinkId, Occurrence};
use rusqlite::{Connection, Row, params};

use super::refused;
use crate::sqlite::SqliteStore;
use crate::sqlite::columns::Columns;
use crate::{ProfileId, Result, StoreError};

const COLUMNS: &str =
    "id, kind, headquarters, remote_id, collection, series, original_start, our_id, incarnation, origin,
    state, base, revision, etag, recreated_at, reverts, flaps, filtered_since, note";

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    let mut columns = Columns::of(row);
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
    Ok(statement.query_map([profile], link)?.collect::<rusqlite::Result<_>>()?)
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
