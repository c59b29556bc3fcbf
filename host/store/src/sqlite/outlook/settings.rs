//! Activity synchronization settings.

use apptsync_model::outlook::SyncSettings;
use rusqlite::{OptionalExtension, params};

use super::json;
use crate::sqlite::SqliteStore;
use crate::{Result, SettingsOwner, StoreError};

fn user(owner: &SettingsOwner) -> Option<&str> {
    match owner {
        SettingsOwner::User(user) => Some(user),
        SettingsOwner::Database => None,
    }
}

pub(super) fn get(store: &SqliteStore, owner: &SettingsOwner) -> Result<Option<SyncSettings>> {
    let mut statement =
        store.connection.prepare_cached("SELECT settings FROM sync_settings WHERE ifnull(user, '') = ifnull(?, '')")?;
    Ok(statement.query_row([user(owner)], |row| json(row, "settings")).optional()?)
}

pub(super) fn put(store: &SqliteStore, owner: &SettingsOwner, settings: Option<&SyncSettings>) -> Result<()> {
    let user = user(owner);
    let transaction = store.write()?;
    if let Some(user) = user {
        let sql = "SELECT EXISTS (SELECT 1 FROM employee WHERE id = ? AND user)";
        let is_there: bool = transaction.query_row(sql, [user], |row| row.get(0))?;
        if !is_there {
            let user = user.escape_debug();
            return Err(StoreError::Reference(format!("there is no user `{user}`: see `apptsync users list`")));
        }
    }
    transaction.execute("DELETE FROM sync_settings WHERE ifnull(user, '') = ifnull(?, '')", [user])?;
    if let Some(settings) = settings {
        transaction.execute(
            "INSERT INTO sync_settings (user, settings) VALUES (?, ?)",
            params![user, serde_json::to_string(settings)?],
        )?;
    }
    Ok(transaction.commit()?)
}
