//! Connectors as the pipeline calls them: each call on a fresh instance, so that mailboxes do not meet in one.

use std::sync::{Arc, Mutex, PoisonError};

use apptsync_model::outlook::{
    Account, Connection, ConnectorFailure, Push, Pushed, RemoteItem, RemotePage, RemoteVersions, Target, Window,
};
use apptsync_model::text;
use wasmtime::Store;

use crate::bindings::exports::ibus::appointments::connector as exports;
use crate::boundary::Live;
use crate::conversion::connector as conversion;
use crate::failure::LoadError;
use crate::guest::GuestState;
use crate::http::NoAuthorization;
use crate::plugin::Plugin;

/// Items that one call is asked about or given at most.
pub const CONNECTOR_BATCH: usize = 256;

/// Speaks with a calendar system. The contract stands in `wit/connector.wit`.
pub trait Connector: Send + Sync {
    /// Proves that server, credential and rights work, and lists the collections.
    ///
    /// # Errors
    /// They do not.
    fn probe(&self, account: &Account) -> Result<Connection, ConnectorFailure>;

    /// A page of what changed since the cursor, or of everything in the window.
    ///
    /// # Errors
    /// It cannot be read; `Gone` when the cursor has expired.
    fn pull(
        &self,
        account: &Account,
        target: &Target,
        window: Window,
        cursor: Option<&str>,
    ) -> Result<RemotePage, ConnectorFailure>;

    /// A page of the ids and versions of everything in the window; none where that costs as much as reading it.
    ///
    /// # Errors
    /// It cannot be listed.
    fn versions(
        &self,
        account: &Account,
        target: &Target,
        window: Window,
        next: Option<&str>,
    ) -> Result<Option<RemoteVersions>, ConnectorFailure>;

    /// Items by their remote ids, at most [`CONNECTOR_BATCH`]; one answer each, in order.
    ///
    /// # Errors
    /// None of them can be read.
    fn fetch(
        &self,
        account: &Account,
        target: &Target,
        remote_ids: &[&str],
    ) -> Result<Vec<Result<Option<RemoteItem>, ConnectorFailure>>, ConnectorFailure>;

    /// The items that carry our keys, at most [`CONNECTOR_BATCH`] keys; one list each, in order.
    ///
    /// # Errors
    /// They cannot be looked for.
    fn find(
        &self,
        account: &Account,
        target: &Target,
        our_ids: &[&str],
    ) -> Result<Vec<Vec<RemoteItem>>, ConnectorFailure>;

    /// At most [`CONNECTOR_BATCH`] writes; one outcome each, in order.
    ///
    /// # Errors
    /// The call failed as a whole; whether anything was done is known by the failure.
    fn push(&self, account: &Account, target: &Target, batch: &[Push]) -> Result<Vec<Pushed>, ConnectorFailure>;

    /// HTTP requests that it has made so far.
    fn requests(&self) -> u64 {
        0
    }
}

/// A connector in a sandbox.
pub struct ConnectorPlugin {
    plugin: Arc<Plugin>,
    indices: exports::GuestIndices,
    /// What a call writes to the state is taken back as a whole, so calls with state take turns.
    turn: Mutex<()>,
}

impl ConnectorPlugin {
    /// Takes a plugin that was loaded for this world.
    ///
    /// # Errors
    /// Its exports do not have the published shape.
    pub fn new(plugin: Plugin) -> Result<Self, LoadError> {
        let indices = exports::GuestIndices::new(&plugin.instance).map_err(|error| LoadError::Unfit {
            plugin: plugin.name().to_owned(),
            reason: format!("does not have the published shape: {error:#}"),
        })?;
        Ok(Self { plugin: Arc::new(plugin), indices, turn: Mutex::default() })
    }

    /// The plugin itself.
    #[must_use]
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// Calls a fresh instance. What it wrote to its state counts only where the call succeeds as a whole.
    fn call<R>(
        &self,
        function: &'static str,
        records: usize,
        body: impl FnOnce(&mut Store<GuestState>, exports::Guest) -> wasmtime::Result<Result<R, ConnectorFailure>>,
    ) -> Result<R, ConnectorFailure> {
        let state = self.plugin.state();
        let _turn = state.map(|_| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(state) = state {
            state.mark();
        }
        let called = Live::new(&self.plugin).and_then(|mut live| {
            live.call(&self.plugin, function, records, |store, instance| {
                let guest = self.indices.load(&mut *store, instance)?;
                let answer = body(store, guest)?;
                Ok(answer.map_err(|failure| told(store, failure)))
            })
        });
        let answer = called.unwrap_or_else(|failure| Err(ConnectorFailure::Broken(failure.to_string())));
        if let Some(state) = state.filter(|_| answer.is_err()) {
            state.go_back();
        }
        answer
    }
}

/// A failure of the credential in the host's words, which the plugin does not know.
fn told(store: &Store<GuestState>, failure: ConnectorFailure) -> ConnectorFailure {
    match (failure, store.data().http.no_authorization()) {
        (ConnectorFailure::Auth(_), Some(NoAuthorization::Refused(why))) => ConnectorFailure::Auth(text::quoted(&why)),
        (ConnectorFailure::Transient(_), Some(NoAuthorization::Unavailable(why))) => {
            ConnectorFailure::Transient(text::quoted(&why))
        }
        (failure, _) => failure,
    }
}

fn account_in(account: &Account) -> exports::Account<'_> {
    exports::Account { server: &account.server, mailbox: &account.mailbox, zone: &account.zone }
}

fn target_in(target: &Target) -> exports::Target<'_> {
    exports::Target { kind: conversion::kind_in(target.kind), collection: &target.collection }
}

impl Connector for ConnectorPlugin {
    fn probe(&self, account: &Account) -> Result<Connection, ConnectorFailure> {
        self.call("probe", 0, |store, guest| match guest.call_probe(&mut *store, account_in(account))? {
            Ok(connection) => conversion::connection(connection).map(Ok),
            Err(failure) => Ok(Err(conversion::failure(failure))),
        })
    }

    fn pull(
        &self,
        account: &Account,
        target: &Target,
        window: Window,
        cursor: Option<&str>,
    ) -> Result<RemotePage, ConnectorFailure> {
        self.call("pull", 0, |store, guest| {
            let window = exports::Window { start: window.start.0, end: window.end.0 };
            match guest.call_pull(&mut *store, account_in(account), target_in(target), window, cursor)? {
                Ok(page) => conversion::page(target.kind, page).map(Ok),
                Err(failure) => Ok(Err(conversion::failure(failure))),
            }
        })
    }

    fn versions(
        &self,
        account: &Account,
        target: &Target,
        window: Window,
        next: Option<&str>,
    ) -> Result<Option<RemoteVersions>, ConnectorFailure> {
        self.call("versions", 0, |store, guest| {
            let window = exports::Window { start: window.start.0, end: window.end.0 };
            match guest.call_versions(&mut *store, account_in(account), target_in(target), window, next)? {
                Ok(page) => page.map(conversion::versions).transpose().map(Ok),
                Err(failure) => Ok(Err(conversion::failure(failure))),
            }
        })
    }

    fn fetch(
        &self,
        account: &Account,
        target: &Target,
        remote_ids: &[&str],
    ) -> Result<Vec<Result<Option<RemoteItem>, ConnectorFailure>>, ConnectorFailure> {
        self.call("fetch", remote_ids.len(), |store, guest| {
            match guest.call_fetch(&mut *store, account_in(account), target_in(target), remote_ids)? {
                Ok(answers) => {
                    let fetched = conversion::fetched(target.kind, remote_ids, answers)?;
                    Ok(Ok(fetched.into_iter().map(|one| one.map_err(|failure| told(store, failure))).collect()))
                }
                Err(failure) => Ok(Err(conversion::failure(failure))),
            }
        })
    }

    fn find(
        &self,
        account: &Account,
        target: &Target,
        our_ids: &[&str],
    ) -> Result<Vec<Vec<RemoteItem>>, ConnectorFailure> {
        self.call("find", our_ids.len(), |store, guest| {
            match guest.call_find(&mut *store, account_in(account), target_in(target), our_ids)? {
                Ok(answers) => conversion::found(target.kind, our_ids, answers).map(Ok),
                Err(failure) => Ok(Err(conversion::failure(failure))),
            }
        })
    }

    fn push(&self, account: &Account, target: &Target, batch: &[Push]) -> Result<Vec<Pushed>, ConnectorFailure> {
        self.call("push", batch.len(), |store, guest| {
            let days: Vec<_> = batch.iter().map(conversion::lend_push).collect();
            let operations: Vec<_> =
                batch.iter().zip(&days).map(|(push, days)| conversion::operation(push, days)).collect();
            match guest.call_push(&mut *store, account_in(account), target_in(target), &operations)? {
                Ok(outcomes) => {
                    let pushed = conversion::outcomes(target.kind, batch, outcomes)?;
                    Ok(Ok(pushed.into_iter().map(|one| one.map_err(|failure| told(store, failure))).collect()))
                }
                Err(failure) => Ok(Err(conversion::failure(failure))),
            }
        })
    }

    fn requests(&self) -> u64 {
        self.plugin.statistics().requests
    }
}
