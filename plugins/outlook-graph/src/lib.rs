//! The built-in connector for Outlook: appointments, To Do tasks and contacts of a mailbox by Microsoft Graph v1.0.
//!
//! It talks and has no opinion. Reads may be repeated within a call, writes never are. Whatever a server answers becomes an
//! item of the contract, a failure of one item, or a failure of the call.
//!
//! [`probe`], [`pull`], [`fetch`], [`find`] and [`push`] are the functions of the contract on a [`Host`]; the component puts
//! what it is lent behind that trait.

mod address;
mod batch;
mod categories;
mod contacts;
mod cursor;
mod delta;
mod errors;
mod etag;
mod events;
mod find;
mod graph;
mod host;
mod links;
mod moment;
mod normalise;
mod probe;
mod property;
mod push;
mod read;
mod series;
mod tasks;
mod versions;
mod zones;

pub use host::Host;

use apptsync_plugin::connector::{
    Account, Connection, Connector, Item, Kind, Operation, Outcome, Page, Target, VersionsPage, Window,
};
use apptsync_plugin::types::Failure;

use graph::Graph;
use host::Lent;

/// Proves that server, credential and rights work, and lists the collections.
///
/// # Errors
///
/// The account's address or zone is not valid, or the server refuses.
pub fn probe(host: &dyn Host, account: &Account) -> Result<Connection, Failure> {
    probe::probe(&Graph::new(host, account)?)
}

/// A page of what changed since a cursor, or of everything in the window.
///
/// # Errors
///
/// `gone` where the server, or this connector, no longer knows the cursor; otherwise what the server says.
pub fn pull(
    host: &dyn Host,
    account: &Account,
    target: &Target,
    window: &Window,
    cursor: Option<&str>,
) -> Result<Page, Failure> {
    delta::pull(&Graph::new(host, account)?, target, window, cursor)
}

/// A page of the ids and versions of everything in the window; none of an address book.
///
/// # Errors
///
/// What the server says.
pub fn versions(
    host: &dyn Host,
    account: &Account,
    target: &Target,
    window: &Window,
    next: Option<&str>,
) -> Result<Option<VersionsPage>, Failure> {
    versions::page(&Graph::new(host, account)?, target, window, next)
}

/// Items by their remote ids, one answer each.
///
/// # Errors
///
/// The account is not valid.
pub fn fetch(
    host: &dyn Host,
    account: &Account,
    target: &Target,
    remote_ids: &[String],
) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
    Ok(read::fetch(&Graph::new(host, account)?, target, remote_ids))
}

/// The items that carry our ids, one list for each.
///
/// # Errors
///
/// Not everything could be looked through.
pub fn find(
    host: &dyn Host,
    account: &Account,
    target: &Target,
    our_ids: &[String],
) -> Result<Vec<Vec<Item>>, Failure> {
    find::find(&Graph::new(host, account)?, target, our_ids)
}

/// Carries operations out, one outcome each.
///
/// # Errors
///
/// The account is not valid, or nothing was done for a reason that concerns all of it: the mailbox is full, or what is to be
/// written into is no longer there.
pub fn push(
    host: &dyn Host,
    account: &Account,
    target: &Target,
    operations: &[Operation],
) -> Result<Vec<Outcome>, Failure> {
    let graph = Graph::new(host, account)?;
    match target.kind {
        Kind::Appointment => events::write::push(&graph, target, operations),
        Kind::Task => tasks::write::push(&graph, target, operations),
        Kind::Contact => contacts::write::push(&graph, target, operations),
    }
}

struct Plugin;

impl Connector for Plugin {
    fn probe(account: Account) -> Result<Connection, Failure> {
        probe(&Lent, &account)
    }

    fn pull(account: Account, target: Target, window: Window, cursor: Option<String>) -> Result<Page, Failure> {
        pull(&Lent, &account, &target, &window, cursor.as_deref())
    }

    fn versions(
        account: Account,
        target: Target,
        window: Window,
        next: Option<String>,
    ) -> Result<Option<VersionsPage>, Failure> {
        versions(&Lent, &account, &target, &window, next.as_deref())
    }

    fn fetch(
        account: Account,
        target: Target,
        remote_ids: Vec<String>,
    ) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        fetch(&Lent, &account, &target, &remote_ids)
    }

    fn find(account: Account, target: Target, our_ids: Vec<String>) -> Result<Vec<Vec<Item>>, Failure> {
        find(&Lent, &account, &target, &our_ids)
    }

    fn push(account: Account, target: Target, batch: Vec<Operation>) -> Result<Vec<Outcome>, Failure> {
        push(&Lent, &account, &target, &batch)
    }
}

apptsync_plugin::export_connector!(Plugin);
