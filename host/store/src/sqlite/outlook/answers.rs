//! What people decided about items that waited for a decision.

use std::collections::BTreeMap;

use apptsync_model::outlook::HeadquartersId;
use rusqlite::{Connection, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::columns::Columns;
use crate::{ProfileId, Result, Side};

pub(super) fn all(store: &SqliteStore, profile: ProfileId) -> Result<BTreeMap<HeadquartersId, Side>> {
    let mut statement = store.connection.prepare_cached("SELECT headquarters, side FROM answer WHERE profile = ?")?;
    let answer = |row: &rusqlite::Row<'_>| {
        let mut columns = Columns::of(row);
        Ok((columns.named()?, columns.named()?))
    };
    Ok(statement.query_map([profile], answer)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn put(store: &SqliteStore, profile: ProfileId, headquarters: &HeadquartersId, side: Side) -> Result<()> {
    let transaction = store.write()?;
    transaction.execute(
        "INSERT OR REPLACE INTO answer (profile, headquarters, side) VALUES (?, ?, ?)",
        params![profile, headquarters.to_string(), side.name()],
    )?;
    Ok(transaction.commit()?)
}

/// It was followed.
pub(super) fn forget(
    connection: &Connection,
    profile: ProfileId,
    headquarters: &HeadquartersId,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("DELETE FROM answer WHERE profile = ? AND headquarters = ?")?
        .execute(params![profile, headquarters.to_string()])
}
