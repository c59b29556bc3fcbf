//! The way to the connector: with patience, about the collection that is meant, and what a failure means for the run.

use std::time::Duration;

use apptsync_model::outlook::{Connection, ConnectorFailure, ItemKind, SyncCursor, Target};
use apptsync_store::{PullWrite, Store};

use super::report::SyncError;
use super::run::{Run, Stop};

impl Run<'_> {
    /// What the server has; asked once in a run, and only when it is needed.
    pub(super) fn connect(&mut self) -> Result<Connection, Stop> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let connection = self.with_patience(|run| run.connector.probe(&run.account));
        let connection = connection.map_err(|failure| self.stop(failure))?;
        self.connection = Some(connection.clone());
        Ok(connection)
    }

    /// The collection that the profile names, by its id or its name; the default one where it names none. None where the
    /// server has no collection of that kind and the profile names none.
    pub(super) fn resolve(&mut self, kind: ItemKind) -> Result<Option<String>, Stop> {
        let profile = &self.profile.profile;
        let wanted = match kind {
            ItemKind::Appointment => profile.calendar.clone(),
            ItemKind::Task => profile.tasks.clone(),
            ItemKind::Contact => String::new(),
        };
        let connection = self.connect()?;
        let name = &profile.name;
        choose(&connection, kind, &wanted).map_err(|why| {
            let (what, flag) = (place_of(kind), if kind == ItemKind::Task { "--tasks" } else { "--calendar" });
            Stop::failed(format!("{why}; `apptsync outlook profile set {name} {flag} NAME` chooses another {what}"))
        })
    }

    /// Why the run ends, with the server that is meant.
    fn stop(&self, failure: ConnectorFailure) -> Stop {
        let server = &self.account.server;
        match failure {
            ConnectorFailure::Transient(why) if !server.is_empty() => {
                Stop::failed(format!("{server}: {why}; run again later"))
            }
            other => Stop::from(other),
        }
    }

    /// Why the run ends, where the call was about a collection: one that is gone is looked for by its name again in the next
    /// run.
    pub(super) fn stop_at(&mut self, failure: ConnectorFailure, target: &Target) -> Stop {
        if failure != ConnectorFailure::Gone {
            return self.stop(failure);
        }
        self.forget_collection(target.kind);
        Stop::failed(format!(
            "the {} of profile `{}` is no longer there: nothing was changed; `apptsync outlook calendars {1}` shows what is, `apptsync outlook profile set {1}` chooses one",
            place_of(target.kind),
            self.profile.profile.name
        ))
    }

    fn forget_collection(&mut self, kind: ItemKind) {
        if let Ok(Some(cursor)) = self.store.sync_cursor(self.profile.id, kind) {
            let cursor = SyncCursor { cursor: None, rebuilt: true, collection: String::new(), ..cursor };
            // If this cannot be stored, the next run comes to the same.
            let _ = self.store_observations(kind, Vec::new(), Some(&cursor));
        }
    }

    /// Calls the connector, and again after a pause where the server wants one and there is patience for it.
    pub(super) fn with_patience<T>(
        &mut self,
        mut call: impl FnMut(&mut Self) -> Result<T, ConnectorFailure>,
    ) -> Result<T, ConnectorFailure> {
        loop {
            match call(self) {
                Err(ConnectorFailure::Throttled(seconds)) if self.wait(seconds.unwrap_or(1).max(1)) => {}
                other => return other,
            }
        }
    }

    /// Waits, if that is not longer than the run may.
    pub(super) fn wait(&mut self, seconds: u32) -> bool {
        let pause = Duration::from_secs(u64::from(seconds));
        let Some(left) = self.patience.checked_sub(pause) else { return false };
        self.patience = left;
        std::thread::sleep(pause);
        true
    }
}

/// After this, everything is read again and nothing is deleted without approval: for a profile whose server or calendar was
/// changed.
///
/// # Errors
/// The database cannot be written.
pub fn reconnect(store: &dyn Store, profile: i64) -> Result<(), SyncError> {
    for kind in ItemKind::ALL {
        let Some(known) = store.sync_cursor(profile, *kind)? else { continue };
        let cursor = SyncCursor { cursor: None, rebuilt: true, collection: String::new(), ..known };
        store.store_pull(&PullWrite {
            profile,
            kind: *kind,
            observations: &[],
            forgotten: &[],
            cursor: Some(&cursor),
            state: &[],
        })?;
    }
    Ok(())
}

/// What items of a kind lie in.
pub(super) fn place_of(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Appointment => "calendar",
        ItemKind::Task => "task list",
        ItemKind::Contact => "address book",
    }
}

/// Chooses a collection by its id or its name.
///
/// # Errors
/// There is none of that name, several, or it may not be written to.
pub fn choose(connection: &Connection, kind: ItemKind, wanted: &str) -> Result<Option<String>, String> {
    let all: Vec<_> = connection.collections.iter().filter(|collection| collection.kind == kind).collect();
    let names = || all.iter().map(|collection| format!("`{}`", collection.name)).collect::<Vec<_>>().join(", ");
    let found: Vec<_> = if wanted.is_empty() {
        let default = all.iter().find(|collection| collection.is_default).or(all.first());
        default.into_iter().collect()
    } else {
        let by_id: Vec<_> = all.iter().filter(|collection| collection.id == wanted).collect();
        if by_id.is_empty() { all.iter().filter(|collection| collection.name == wanted).collect() } else { by_id }
    };
    match found.as_slice() {
        [] if wanted.is_empty() => Ok(None),
        [] => Err(format!(
            "the server has no {} named `{wanted}`; it has {}",
            place_of(kind),
            if all.is_empty() { "none".to_owned() } else { names() }
        )),
        [collection] if collection.writable => Ok(Some(collection.id.clone())),
        [collection] => Err(format!("`{}` may only be read: choose another one", collection.name)),
        _ => Err(format!("several are named `{wanted}`: name it by its id")),
    }
}
