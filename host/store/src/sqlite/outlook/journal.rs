//! The journal of writes to Outlook, and their results.

use apptsync_model::Instant;
use apptsync_model::outlook::{HeadquartersId, ItemKind, Link, SyncRunId};
use rusqlite::{Connection, Row, params};

use super::changes::{self, Changed};
use super::{answers, audit, json, links, pull};
use crate::sqlite::SqliteStore;
use crate::sqlite::master::named;
use crate::sqlite::revision::Stamp;
use crate::{AuditEntry, Operation, ProfileId, Result, Settled, Settlement, StoreError};

pub(super) fn begin(
    store: &SqliteStore,
    profile: ProfileId,
    run: SyncRunId,
    operations: &[(Link, Operation)],
) -> Result<Vec<(Link, Operation)>> {
    let transaction = store.write()?;
    let mut begun = operations.to_vec();
    for (link, operation) in &mut begun {
        link.id = links::put(&transaction, profile, link)?;
        (operation.link, operation.run) = (link.id, run);
        transaction
            .prepare_cached(
                "INSERT INTO operation (profile, run, link, push, state, sent_at, rounds) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                profile,
                run,
                link.id,
                serde_json::to_string(&operation.push)?,
                operation.state.name(),
                operation.sent_at.0,
                operation.rounds
            ])?;
        operation.id = transaction.last_insert_rowid();
    }
    transaction.commit()?;
    Ok(begun)
}

pub(super) fn unsettled(store: &SqliteStore, profile: ProfileId) -> Result<Vec<Operation>> {
    let mut statement =
        store.connection.prepare_cached("SELECT * FROM operation WHERE profile = ? AND state = 'sent' ORDER BY id")?;
    let operation = |row: &Row<'_>| {
        Ok(Operation {
            id: row.get("id")?,
            run: row.get("run")?,
            link: row.get("link")?,
            push: json(row, "push")?,
            state: named(row, "state")?,
            sent_at: Instant(row.get("sent_at")?),
            rounds: row.get("rounds")?,
        })
    };
    Ok(statement.query_map([profile], operation)?.collect::<rusqlite::Result<_>>()?)
}

/// The kinds of items that a purpose is about, as a condition on the links of operations; `?1` is the profile, `?2` the purpose.
const OF_PURPOSE: &str =
    "operation.profile = ?1 AND operation.link IN (SELECT id FROM link WHERE (kind = 'contact') = (?2 = 'contacts'))";

pub(super) fn unheard(store: &SqliteStore, profile: ProfileId, purpose: &str) -> Result<Vec<(ItemKind, String)>> {
    let mut statement = store.connection.prepare_cached(&format!(
        "SELECT DISTINCT link.kind, link.remote_id FROM operation JOIN link ON link.id = operation.link
         WHERE operation.state = 'done' AND link.remote_id IS NOT NULL AND {OF_PURPOSE}"
    ))?;
    let rows =
        statement.query_map(params![profile, purpose], |row| Ok((named(row, "kind")?, row.get("remote_id")?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What was changed stands in the audit.
pub(super) fn heard(store: &SqliteStore, profile: ProfileId, purpose: &str) -> Result<()> {
    let transaction = store.write()?;
    transaction
        .prepare_cached(&format!("DELETE FROM operation WHERE state <> 'sent' AND {OF_PURPOSE}"))?
        .execute(params![profile, purpose])?;
    Ok(transaction.commit()?)
}

pub(super) fn count_round(store: &SqliteStore, operation: i64, now: Instant) -> Result<()> {
    let transaction = store.write()?;
    transaction
        .execute("UPDATE operation SET rounds = rounds + 1, sent_at = ? WHERE id = ?", params![now.0, operation])?;
    Ok(transaction.commit()?)
}

pub(super) fn settle(
    store: &SqliteStore,
    profile: ProfileId,
    now: Instant,
    settlements: Vec<Settlement>,
) -> Result<Vec<Settled>> {
    let transaction = store.write()?;
    let changes_activities = settlements.iter().any(|settlement| settlement.change.is_some());
    let stamp = if changes_activities { Stamp::new(&transaction, now)? } else { Stamp::default() };
    let settle = |settlement| settle_one(&transaction, profile, stamp, settlement);
    let settled = settlements.into_iter().map(settle).collect::<Result<_>>()?;
    transaction.commit()?;
    Ok(settled)
}

fn settle_one(connection: &Connection, profile: ProfileId, stamp: Stamp, settlement: Settlement) -> Result<Settled> {
    let Settlement { mut link, operation, change, audit, observed } = settlement;
    // First of all: where the activity was changed meanwhile, nothing else is written.
    let changed = match change.map(|change| changes::apply(connection, stamp, &change)).transpose()? {
        Some(None) => return Ok(Settled::Conflict),
        Some(Some(Changed { activity, revision })) => {
            link.headquarters.get_or_insert(HeadquartersId::Activity(activity));
            link.revision = revision;
            Some((activity, revision))
        }
        None => None,
    };
    link.id = links::put(connection, profile, &link)?;
    if let Some(headquarters) = &link.headquarters {
        answers::forget(connection, profile, headquarters)?;
    }
    if let Some((id, state)) = operation {
        let found = connection
            .prepare_cached("UPDATE operation SET state = ? WHERE id = ? AND profile = ?")?
            .execute(params![state.name(), id, profile])?;
        if found == 0 {
            return Err(StoreError::Reference(format!("operation {id} of profile {profile} is not in the journal")));
        }
    }
    for entry in audit {
        audit::add(connection, &completed(entry, &link))?;
    }
    if let Some(remote_id) = observed {
        pull::forget_one(connection, profile, link.kind, &remote_id)?;
    }
    Ok(Settled::Done(Box::new(link), changed))
}

/// An entry of the audit with what is known only now.
fn completed(mut entry: AuditEntry, link: &Link) -> AuditEntry {
    if entry.link == 0 {
        entry.link = link.id;
    }
    if entry.headquarters.is_none() {
        entry.headquarters.clone_from(&link.headquarters);
    }
    entry
}
