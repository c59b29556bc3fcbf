//! The built-in connector that needs no server: one calendar file for each mailbox, in a folder. Outlook opens it, or
//! subscribes to it, and what a person changes in it comes back.

mod file;
mod mailbox;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use apptsync_plugin::configuration;
use apptsync_plugin::connector::{
    Account, Connection, Connector, Item, Operation, Outcome, Page, Target, VersionsPage, Window,
};
use apptsync_plugin::types::Failure;

pub use mailbox::Mailbox;

/// The connector.
struct Plugin;

/// The mailbox of an account, in the folder that the host grants.
fn mailbox(account: &Account) -> Result<Mailbox, Failure> {
    let folders = configuration::get("folders").map_err(Failure::Permanent)?;
    let folders = folders.map(|value| configuration::list(&value)).transpose().map_err(Failure::Permanent)?;
    let Some(folder) = folders.unwrap_or_default().into_iter().next() else {
        let why = "no folder is granted: add `write = [\"calendars\"]` to the connector in apptsync.toml";
        return Err(Failure::Permanent(why.to_owned()));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Mailbox::new(PathBuf::from(folder), account, i64::try_from(now).unwrap_or(0))
}

impl Connector for Plugin {
    fn probe(account: Account) -> Result<Connection, Failure> {
        mailbox(&account)?.probe()
    }

    fn pull(account: Account, target: Target, window: Window, cursor: Option<String>) -> Result<Page, Failure> {
        mailbox(&account)?.pull(target.kind, &window, cursor.as_deref())
    }

    /// The file is read as a whole in any case.
    fn versions(_: Account, _: Target, _: Window, _: Option<String>) -> Result<Option<VersionsPage>, Failure> {
        Ok(None)
    }

    fn fetch(
        account: Account,
        target: Target,
        remote_ids: Vec<String>,
    ) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        mailbox(&account)?.fetch(target.kind, &remote_ids)
    }

    fn find(account: Account, target: Target, our_ids: Vec<String>) -> Result<Vec<Vec<Item>>, Failure> {
        mailbox(&account)?.find(target.kind, &our_ids)
    }

    fn push(account: Account, target: Target, batch: Vec<Operation>) -> Result<Vec<Outcome>, Failure> {
        mailbox(&account)?.push(target.kind, &batch)
    }
}

apptsync_plugin::export_connector!(Plugin);
