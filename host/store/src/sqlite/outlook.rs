//! What the synchronisation with Outlook keeps, in SQLite.

mod answers;
pub(super) mod audit;
mod changes;
mod journal;
pub(super) mod links;
mod profiles;
mod pull;
mod runs;
mod settings;

use std::collections::BTreeMap;

use apptsync_model::outlook::{HeadquartersId, ItemKind, Link, Profile, SyncCursor, SyncRunId, SyncSettings, Window};
use apptsync_model::{Activity, ActivityId, Employee, Instant, Partner};
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::DeserializeOwned;

use crate::sqlite::{SqliteStore, import, master};
use crate::{
    AuditEntry, HeadquartersChange, HeldPlan, NewSyncRun, Observation, Operation, OutlookStore, ProfileId, PullWrite,
    Result, RunLock, SettingsOwner, Settled, Settlement, Side, StoreError, StoredProfile, SyncResult, SyncRun,
};

/// Reads a text column that holds JSON.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(row, column, error))
}

/// Reads a text column that holds an object of the headquarters, where there is one.
fn headquarters(row: &Row<'_>) -> rusqlite::Result<Option<HeadquartersId>> {
    let text: Option<String> = row.get("headquarters")?;
    let parse = |text: String| text.parse().map_err(|error: String| unreadable(row, "headquarters", error));
    text.map(parse).transpose()
}

fn instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Instant>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Instant))
}

fn unreadable(
    row: &Row<'_>,
    column: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    let index = row.as_ref().column_index(column).unwrap_or(0);
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.into())
}

/// Says what a refused row refers to, or what it is a second one of.
fn refused(error: rusqlite::Error, missing: &str, doubled: &str) -> StoreError {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_UNIQUE};
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(SQLITE_CONSTRAINT_FOREIGNKEY) => StoreError::Reference(missing.to_owned()),
        Some(SQLITE_CONSTRAINT_UNIQUE) => StoreError::Invalid(doubled.to_owned()),
        _ => error.into(),
    }
}

impl OutlookStore for SqliteStore {
    fn sync_settings(&self, owner: &SettingsOwner) -> Result<Option<SyncSettings>> {
        settings::get(self, owner)
    }

    fn put_sync_settings(&self, owner: &SettingsOwner, settings: Option<&SyncSettings>) -> Result<()> {
        settings::put(self, owner, settings)
    }

    fn profiles(&self) -> Result<Vec<StoredProfile>> {
        profiles::all(self)
    }

    fn put_profile(&self, profile: &Profile) -> Result<ProfileId> {
        profiles::put(self, profile)
    }

    fn remove_profile(&self, name: &str) -> Result<bool> {
        profiles::remove(self, name)
    }

    fn try_lock_profile(&self, profile: ProfileId) -> Result<Option<RunLock>> {
        self.try_lock(&format!("-sync-{profile}"))
    }

    fn begin_sync(&self, run: &NewSyncRun) -> Result<SyncRunId> {
        runs::begin(self, run)
    }

    fn finish_sync(&self, run: SyncRunId, result: &SyncResult) -> Result<()> {
        runs::finish(self, run, result)
    }

    fn sync_runs(&self, profile: ProfileId, limit: u64) -> Result<Vec<SyncRun>> {
        runs::latest(self, profile, limit)
    }

    fn sync_run(&self, run: SyncRunId) -> Result<Option<SyncRun>> {
        runs::get(self, run)
    }

    fn unknown_writers(&self, writers: &[&str]) -> Result<Vec<String>> {
        runs::unknown_writers(self, writers)
    }

    fn run_of_writer(&self, writer: &str) -> Result<Option<SyncRun>> {
        runs::of_writer(self, writer)
    }

    fn links(&self, profile: ProfileId) -> Result<Vec<Link>> {
        links::all(self, profile)
    }

    fn visit_links(&self, profile: ProfileId, visit: &mut dyn FnMut(Link, Option<Activity>)) -> Result<()> {
        links::visit(self, profile, visit)
    }

    fn link_of_item(&self, profile: ProfileId, kind: ItemKind, remote_id: &str) -> Result<Option<Link>> {
        links::of_item(self, profile, kind, remote_id)
    }

    fn links_of_series(&self, profile: ProfileId, kind: ItemKind, series: &str) -> Result<Vec<Link>> {
        links::of_series(self, profile, kind, series)
    }

    fn sync_cursor(&self, profile: ProfileId, kind: ItemKind) -> Result<Option<SyncCursor>> {
        pull::cursor(self, profile, kind)
    }

    fn observations(&self, profile: ProfileId) -> Result<Vec<Observation>> {
        pull::observations(self, profile)
    }

    fn store_pull(&self, write: &PullWrite<'_>) -> Result<()> {
        pull::store(self, write)
    }

    fn forget_observations(&self, profile: ProfileId, kind: ItemKind, remote_ids: &[&str]) -> Result<()> {
        pull::forget(self, profile, kind, remote_ids)
    }

    fn visit_unlinked(
        &self,
        profile: ProfileId,
        employee: &str,
        window: Window,
        visit: &mut dyn FnMut(Activity),
    ) -> Result<()> {
        links::visit_unlinked(self, profile, employee, window, visit)
    }

    fn delay_elapsed_of(&self, employee: &str, now: Instant, except: &[ActivityId]) -> Result<u64> {
        import::delay_elapsed_of(self, employee, now, except)
    }

    fn address_book(&self) -> Result<(Vec<Partner>, Vec<Employee>)> {
        master::address_book(self)
    }

    fn begin_operations(
        &self,
        profile: ProfileId,
        run: SyncRunId,
        operations: &[(Link, Operation)],
    ) -> Result<Vec<(Link, Operation)>> {
        journal::begin(self, profile, run, operations)
    }

    fn unsettled(&self, profile: ProfileId) -> Result<Vec<Operation>> {
        journal::unsettled(self, profile)
    }

    fn runs_before(&self, profile: ProfileId, purpose: &str, run: SyncRunId) -> Result<Vec<(SyncRunId, Instant)>> {
        runs::before(self, profile, purpose, run)
    }

    fn unheard(&self, profile: ProfileId, purpose: &str) -> Result<Vec<(ItemKind, String)>> {
        journal::unheard(self, profile, purpose)
    }

    fn heard(&self, profile: ProfileId, purpose: &str) -> Result<()> {
        journal::heard(self, profile, purpose)
    }

    fn count_round(&self, operation: i64, now: Instant) -> Result<()> {
        journal::count_round(self, operation, now)
    }

    fn settle(&self, profile: ProfileId, now: Instant, settlements: Vec<Settlement>) -> Result<Vec<Settled>> {
        journal::settle(self, profile, now, settlements)
    }

    fn change_activity(&self, change: &HeadquartersChange, now: Instant) -> Result<ActivityId> {
        changes::by_hand(self, change, now)
    }

    fn answers(&self, profile: ProfileId) -> Result<BTreeMap<HeadquartersId, Side>> {
        answers::all(self, profile)
    }

    fn put_answer(&self, profile: ProfileId, headquarters: &HeadquartersId, side: Side) -> Result<()> {
        answers::put(self, profile, headquarters, side)
    }

    fn put_held_plan(&self, profile: ProfileId, plan: Option<&HeldPlan>) -> Result<()> {
        runs::put_held_plan(self, profile, plan)
    }

    fn held_plan(&self, profile: ProfileId) -> Result<Option<HeldPlan>> {
        runs::held_plan(self, profile)
    }

    fn audit(&self, run: SyncRunId) -> Result<Vec<AuditEntry>> {
        audit::of_run(self, run)
    }

    fn audit_of(&self, headquarters: &HeadquartersId) -> Result<Vec<AuditEntry>> {
        audit::of_object(self, headquarters)
    }

    fn connector_state(&self, profile: ProfileId) -> Result<Vec<(String, Vec<u8>)>> {
        pull::connector_state(self, profile)
    }

    fn make_durable(&self) -> Result<()> {
        Ok(self.connection.pragma_update(None, "synchronous", "FULL")?)
    }
}
