//! A connector whose process is killed, or whose answers are lost on the way.

use std::sync::Mutex;

use apptsync_model::outlook::{
    Account, Connection, ConnectorFailure, Push, Pushed, RemoteItem, RemotePage, RemoteVersions, Target, Window,
};
use apptsync_runtime::Connector;

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disturbance {
    /// After so many calls nothing works any more.
    pub(crate) dies_after: Option<u32>,
    /// The next call that writes is done, and nobody hears of it.
    pub(crate) loses: bool,
}

/// The connector, disturbed.
pub(crate) struct Disturbed<'a> {
    connector: &'a dyn Connector,
    left: Mutex<Disturbance>,
}

impl<'a> Disturbed<'a> {
    pub(crate) fn new(connector: &'a dyn Connector, disturbance: Disturbance) -> Self {
        Self { connector, left: Mutex::new(disturbance) }
    }

    fn call(&self) -> Result<(), ConnectorFailure> {
        let mut left = self.left.lock().expect("nobody panics with the lock");
        match &mut left.dies_after {
            Some(0) => Err(ConnectorFailure::Broken("killed".to_owned())),
            Some(calls) => {
                *calls -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Connector for Disturbed<'_> {
    fn probe(&self, account: &Account) -> Result<Connection, ConnectorFailure> {
        self.call()?;
        self.connector.probe(account)
    }

    fn pull(
        &self,
        account: &Account,
        target: &Target,
        window: Window,
        cursor: Option<&str>,
    ) -> Result<RemotePage, ConnectorFailure> {
        self.call()?;
        self.connector.pull(account, target, window, cursor)
    }

    fn versions(
        &self,
        account: &Account,
        target: &Target,
        window: Window,
        next: Option<&str>,
    ) -> Result<Option<RemoteVersions>, ConnectorFailure> {
        self.call()?;
        self.connector.versions(account, target, window, next)
    }

    fn fetch(
        &self,
        account: &Account,
        target: &Target,
        remote_ids: &[&str],
    ) -> Result<Vec<Result<Option<RemoteItem>, ConnectorFailure>>, ConnectorFailure> {
        self.call()?;
        self.connector.fetch(account, target, remote_ids)
    }

    fn find(
        &self,
        account: &Account,
        target: &Target,
        our_ids: &[&str],
    ) -> Result<Vec<Vec<RemoteItem>>, ConnectorFailure> {
        self.call()?;
        self.connector.find(account, target, our_ids)
    }

    fn push(&self, account: &Account, target: &Target, batch: &[Push]) -> Result<Vec<Pushed>, ConnectorFailure> {
        self.call()?;
        let outcomes = self.connector.push(account, target, batch)?;
        if std::mem::take(&mut self.left.lock().expect("nobody panics with the lock").loses) {
            return Err(ConnectorFailure::Transient("no answer".to_owned()));
        }
        Ok(outcomes)
    }
}
