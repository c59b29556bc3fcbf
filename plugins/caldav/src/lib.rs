//! The connector for CalDAV: Radicale, Nextcloud, SOGo and the like.
//!
//! Appointments are `VEVENT`s and tasks `VTODO`s. A remote id is the path of a resource, that of an occurrence
//! `<path>#<original start>`; a collection's id is the path of a calendar. Everything about iCalendar itself is the
//! business of `apptsync-calendar`.

mod address;
mod client;
mod cursor;
mod discovery;
mod etag;
mod failure;
mod host;
mod items;
mod kept;
mod listing;
mod multistatus;
mod objects;
mod pull;
mod push;
mod query;
mod reading;
mod sheet;
mod versions;
mod written;
mod xml;

use apptsync_plugin::connector::{
    Account, Connection, Connector, Item, Operation, Outcome, Page, Target, VersionsPage, Window,
};
use apptsync_plugin::types::Failure;

use address::Path;
use client::Client;
use host::Lent;
use pull::Pull;
use reading::Reader;

pub use host::Host;

struct Plugin;

impl Connector for Plugin {
    fn probe(account: Account) -> Result<Connection, Failure> {
        CalDav::new(&Lent).probe(&account)
    }

    fn pull(account: Account, target: Target, window: Window, cursor: Option<String>) -> Result<Page, Failure> {
        CalDav::new(&Lent).pull(&account, &target, window, cursor.as_deref())
    }

    fn versions(
        account: Account,
        target: Target,
        window: Window,
        next: Option<String>,
    ) -> Result<Option<VersionsPage>, Failure> {
        CalDav::new(&Lent).versions(&account, &target, window, next.as_deref()).map(Some)
    }

    fn fetch(
        account: Account,
        target: Target,
        remote_ids: Vec<String>,
    ) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        CalDav::new(&Lent).fetch(&account, &target, &remote_ids)
    }

    fn find(account: Account, target: Target, our_ids: Vec<String>) -> Result<Vec<Vec<Item>>, Failure> {
        CalDav::new(&Lent).find(&account, &target, &our_ids)
    }

    fn push(account: Account, target: Target, batch: Vec<Operation>) -> Result<Vec<Outcome>, Failure> {
        CalDav::new(&Lent).push(&account, &target, &batch)
    }
}

apptsync_plugin::export_connector!(Plugin);

/// The connector on any host; its functions are those of the contract.
pub struct CalDav<'h> {
    host: &'h dyn Host,
}

impl<'h> CalDav<'h> {
    /// The connector on a host.
    #[must_use]
    pub fn new(host: &'h dyn Host) -> Self {
        Self { host }
    }

    /// Proves that server, credential and rights work, and lists the calendars.
    ///
    /// # Errors
    ///
    /// What keeps it from working, in words for people.
    pub fn probe(&self, account: &Account) -> Result<Connection, Failure> {
        discovery::probe(&Client::new(self.host, account)?)
    }

    /// A page of what changed since a cursor, or of everything in the window where there is none.
    ///
    /// # Errors
    ///
    /// The server cannot be read from; `gone` where it no longer knows the calendar or the cursor.
    pub fn pull(
        &self,
        account: &Account,
        target: &Target,
        window: Window,
        cursor: Option<&str>,
    ) -> Result<Page, Failure> {
        let (client, reader, calendar) = self.at(account, target)?;
        Pull { client: &client, reader: &reader, calendar: &calendar, window: &window }.page(cursor)
    }

    /// A page of the ids and versions of everything in the window.
    ///
    /// # Errors
    ///
    /// The server cannot be read from; `gone` where it no longer has the calendar.
    pub fn versions(
        &self,
        account: &Account,
        target: &Target,
        window: Window,
        next: Option<&str>,
    ) -> Result<VersionsPage, Failure> {
        let (client, reader, calendar) = self.at(account, target)?;
        versions::page(&client, &reader, &calendar, &window, next)
    }

    /// Items by their remote ids, one answer each, in order.
    ///
    /// # Errors
    ///
    /// The server cannot be read from; `gone` where it no longer has the calendar.
    pub fn fetch(
        &self,
        account: &Account,
        target: &Target,
        remote_ids: &[String],
    ) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        let (client, reader, calendar) = self.at(account, target)?;
        items::fetch(&client, &reader, &calendar, remote_ids)
    }

    /// The items that carry our ids, one list for each, in order.
    ///
    /// # Errors
    ///
    /// The server cannot be read from; `gone` where it no longer has the calendar.
    pub fn find(&self, account: &Account, target: &Target, our_ids: &[String]) -> Result<Vec<Vec<Item>>, Failure> {
        let (client, reader, calendar) = self.at(account, target)?;
        items::find(&client, &reader, &calendar, our_ids)
    }

    /// Operations on different items, one outcome for each, in order.
    ///
    /// # Errors
    ///
    /// `permanent`: the account or the target is not valid. Otherwise the server refused everything, for a reason that holds
    /// for the whole calendar. Nothing was done then.
    pub fn push(&self, account: &Account, target: &Target, batch: &[Operation]) -> Result<Vec<Outcome>, Failure> {
        let (client, reader, calendar) = self.at(account, target)?;
        push::push(&client, &reader, &calendar, batch)
    }

    fn at(&self, account: &Account, target: &Target) -> Result<(Client<'h>, Reader, Path), Failure> {
        let calendar = Path::new(&target.collection).map(Path::collection);
        let calendar =
            calendar.map_err(|why| Failure::Permanent(format!("this is no calendar of the server: {why}")))?;
        Ok((Client::new(self.host, account)?, Reader::new(account, target.kind)?, calendar))
    }
}
