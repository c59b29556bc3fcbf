//! Numbered steps from an empty file to the newest schema. A published step is never changed.

use crate::sqlite::SqliteStore;
use crate::{Result, StoreError};

const STEPS: &[&str] = &[
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
    include_str!("schema/004.sql"),
    include_str!("schema/005.sql"),
    include_str!("schema/006.sql"),
    include_str!("schema/007.sql"),
];

/// Brings the schema up to date, each step in a transaction of its own.
pub(super) fn migrate(store: &SqliteStore) -> Result<()> {
    let known = STEPS.len() as i64;
    let version =
        || -> Result<i64> { Ok(store.connection.pragma_query_value(None, "user_version", |row| row.get(0))?) };
    if version()? == known {
        return Ok(());
    }
    // Write-ahead log: readers go on while a run writes. The setting stays with the file.
    store.connection.pragma_update(None, "journal_mode", "WAL")?;
    loop {
        let transaction = store.write()?;
        let found = version()?;
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        let Some(step) = usize::try_from(found).ok().and_then(|index| STEPS.get(index)) else { return Ok(()) };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
        transaction.commit()?;
    }
}
