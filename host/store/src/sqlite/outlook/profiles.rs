//! Profiles: who is synchronised with which mailbox, and how.

use apptsync_model::outlook::Profile;
use rusqlite::{Row, params};

use super::{json, refused};
use crate::sqlite::SqliteStore;
use crate::sqlite::master::named;
use crate::{ProfileId, Result, StoredProfile};

fn profile(row: &Row<'_>) -> rusqlite::Result<StoredProfile> {
    Ok(StoredProfile {
        id: row.get("id")?,
        name_space: row.get("name_space")?,
        profile: Profile {
            name: row.get("name")?,
            employee: row.get("employee")?,
            connector: row.get("connector")?,
            server: row.get("server")?,
            mailbox: row.get("mailbox")?,
            calendar: row.get("calendar")?,
            tasks: row.get("tasks")?,
            credential: row.get("credential")?,
            allow_private: row.get("allow_private")?,
            transfer: row.get("transfer")?,
            text_priority: named(row, "text_priority")?,
            override_scope: named(row, "override_scope")?,
            deletion_policy: named(row, "deletion_policy")?,
            guards: json(row, "guards")?,
            active: row.get("active")?,
        },
    })
}

pub(super) fn all(store: &SqliteStore) -> Result<Vec<StoredProfile>> {
    let mut statement = store.connection.prepare_cached(
        "SELECT profile.*, identity.id || '/' || name AS name_space FROM profile, identity ORDER BY name",
    )?;
    Ok(statement.query_map([], profile)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn put(store: &SqliteStore, profile: &Profile) -> Result<ProfileId> {
    let transaction = store.write()?;
    let put = transaction.query_row(
        "INSERT INTO profile (name, employee, connector, server, mailbox, calendar, tasks, credential, allow_private,
           transfer, text_priority, override_scope, deletion_policy, guards, active)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (name) DO UPDATE SET employee = ?2, connector = ?3, server = ?4, mailbox = ?5, calendar = ?6,
           tasks = ?7, credential = ?8, allow_private = ?9, transfer = ?10, text_priority = ?11, override_scope = ?12,
           deletion_policy = ?13, guards = ?14, active = ?15
         RETURNING id",
        params![
            profile.name,
            profile.employee,
            profile.connector,
            profile.server,
            profile.mailbox,
            profile.calendar,
            profile.tasks,
            profile.credential,
            profile.allow_private,
            profile.transfer,
            profile.text_priority.name(),
            profile.override_scope.name(),
            profile.deletion_policy.name(),
            serde_json::to_string(&profile.guards)?,
            profile.active
        ],
        |row| row.get(0),
    );
    let employee = format!("there is no employee `{}`: see `apptsync employees list`", profile.employee.escape_debug());
    let mailbox = format!(
        "another profile has the mailbox `{}` at this server already: one profile synchronises a mailbox",
        profile.mailbox.escape_debug()
    );
    let id = put.map_err(|error| refused(error, &employee, &mailbox))?;
    transaction.commit()?;
    Ok(id)
}

pub(super) fn remove(store: &SqliteStore, name: &str) -> Result<bool> {
    let transaction = store.write()?;
    // All that belongs to it goes with it.
    let removed = transaction.execute("DELETE FROM profile WHERE name = ?", [name])?;
    transaction.commit()?;
    Ok(removed > 0)
}
