//! A calendar server in memory, as a connector sees it, with faults that can be switched on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use apptsync_model::Instant;
use apptsync_model::outlook::{
    Account, Connection, ConnectorFailure, Content, Entry, Identity, ItemKind, Projection, Push, Pushed, RemoteChange,
    RemoteCollection, RemoteItem, RemotePage, RemoteVersions, Target, Window, content, projection,
};
use apptsync_runtime::Connector;

/// The calendar of the tests.
pub(crate) const CALENDAR: &str = "calendar";
/// The task list of the tests.
pub(crate) const TASKS: &str = "tasks";
/// The address book of the tests.
pub(crate) const CONTACTS: &str = "contacts";
/// A calendar that is not synchronised.
pub(crate) const OTHER: &str = "other";

/// What goes wrong. Counts run down; 0 is off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// After so many writes the answers are lost: done, but nobody hears of it.
    pub(crate) lose_answers_after: Option<u32>,
    /// After so many calls nothing works any more, as if this process had been killed.
    pub(crate) crash_after: Option<u32>,
    /// The next pull finds its cursor expired.
    pub(crate) expire: bool,
    /// Pages are read in this order: changes are turned around.
    pub(crate) reversed: bool,
    /// Every page is given twice.
    pub(crate) replayed: bool,
    /// Items on a page; 0 for all.
    pub(crate) page: usize,
    /// Seconds by which the server's clock is ahead.
    pub(crate) skew: i64,
    /// Every third item is left out of listings.
    pub(crate) drops_every_third: bool,
    /// Writes are said to be done, and are not.
    pub(crate) lies: bool,
    /// The etag of an item is another at each look.
    pub(crate) has_no_echo: bool,
    /// The same key makes another item each time.
    pub(crate) ignores_keys: bool,
    /// What is asked for by its id is said to be gone.
    pub(crate) denies: bool,
    /// What is asked for by its id gets no answer.
    pub(crate) does_not_say: bool,
    /// Subjects are cut to so many characters when they are written; 0 for never.
    pub(crate) cuts: usize,
    /// The credential is refused.
    pub(crate) refuses: bool,
    /// So many writes are answered with a pause of a second.
    pub(crate) throttles: u32,
    /// Everything is listed every time; there are no cursors.
    pub(crate) always_full: bool,
    /// Writes are refused as a whole, such as by a mailbox that is full.
    pub(crate) is_full: bool,
    /// Whatever is made, the answer is the first item of all.
    pub(crate) answers_with_another: bool,
    /// Nothing new is accepted.
    pub(crate) refuses_creations: bool,
    /// Items cannot be marked.
    pub(crate) has_no_categories: bool,
    /// What was written is shown at once, and told as known: it is read back before a run ends.
    pub(crate) reads_own_writes: bool,
    /// What is made never arrives, and there is no answer.
    pub(crate) loses_creations: bool,
    /// What lies in the window is listed by ids and versions.
    pub(crate) has_versions: bool,
    /// Listings by ids and versions are refused.
    pub(crate) refuses_listings: bool,
    /// Passes do not say whose items are or who wrote them, as those of Microsoft Graph.
    pub(crate) is_terse: bool,
}

/// An item of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The item, with its etag.
    pub(crate) item: RemoteItem,
    /// What it is.
    pub(crate) kind: ItemKind,
    /// The key it was made with.
    pub(crate) key: Option<String>,
    /// It has the category of what is no longer put back.
    pub(crate) is_locked: bool,
}

#[derive(Default)]
struct Inner {
    items: BTreeMap<String, Stored>,
    /// What was changed, in order.
    log: Vec<String>,
    /// Versions that were written through the connector.
    own: BTreeSet<(String, String)>,
    next: u64,
    looks: u64,
    writes: u32,
    calls: u32,
    fetched: usize,
    listed: usize,
    full_passes: usize,
    attempts: u32,
    calendar_is_gone: bool,
    faults: Faults,
    now: i64,
}

/// The server.
#[derive(Default)]
pub(crate) struct Server(Mutex<Inner>);

impl Server {
    pub(crate) fn faults(&self, change: impl FnOnce(&mut Faults)) {
        let mut inner = self.lock();
        change(&mut inner.faults);
        inner.writes = 0;
        inner.calls = 0;
    }

    pub(crate) fn set_now(&self, now: Instant) {
        self.lock().now = now.0;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("nobody panics with the lock")
    }

    pub(crate) fn items(&self) -> Vec<Stored> {
        self.lock().items.values().cloned().collect()
    }

    pub(crate) fn find(&self, subject: &str) -> Option<Stored> {
        self.items().into_iter().find(|stored| subject_of(&stored.item.content) == subject)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Stored> {
        self.lock().items.get(id).cloned()
    }

    /// A person makes an item.
    pub(crate) fn add(&self, kind: ItemKind, content: Content, change: impl FnOnce(&mut RemoteItem)) -> String {
        let mut inner = self.lock();
        let id = inner.make(kind, content, Identity::None, None);
        if let Some(stored) = inner.items.get_mut(&id) {
            change(&mut stored.item);
        }
        id
    }

    /// A person edits an item.
    pub(crate) fn edit(&self, id: &str, change: impl FnOnce(&mut Entry)) {
        let mut inner = self.lock();
        if let Some(Stored { item, .. }) = inner.items.get_mut(id)
            && let Content::Entry(entry) = &mut item.content
        {
            change(entry);
        }
        inner.touch(id);
    }

    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut RemoteItem)) {
        let mut inner = self.lock();
        if let Some(stored) = inner.items.get_mut(id) {
            change(&mut stored.item);
        }
        inner.touch(id);
    }

    /// A person deletes an item.
    pub(crate) fn delete(&self, id: &str) {
        let mut inner = self.lock();
        inner.items.remove(id);
        inner.log.push(id.to_owned());
    }

    /// An item is there again as it was, such as from a backup or out of the bin.
    pub(crate) fn put(&self, stored: Stored) {
        let mut inner = self.lock();
        let id = stored.item.remote_id.clone();
        inner.items.insert(id.clone(), stored);
        inner.log.push(id);
    }

    /// An item goes without a word in the log.
    pub(crate) fn lose(&self, id: &str) {
        self.lock().items.remove(id);
    }

    /// The mailbox is carried to another server: every item gets another id, and what was the user's own has no key.
    pub(crate) fn carry_over(&self) {
        let mut inner = self.lock();
        for (id, mut stored) in std::mem::take(&mut inner.items) {
            inner.log.push(id.clone());
            let id = format!("carried-{id}");
            stored.item.remote_id.clone_from(&id);
            inner.items.insert(id.clone(), stored);
            inner.touch(&id);
        }
    }

    /// How often a page of versions was given, and how often everything was read.
    pub(crate) fn checks(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.listed, inner.full_passes)
    }

    /// Something happens to an item without a word in the log.
    pub(crate) fn change_silently(&self, id: &str, change: impl FnOnce(&mut RemoteItem)) {
        self.change(id, change);
        self.forget_last();
    }

    /// The last that happened is no longer in the log.
    pub(crate) fn forget_last(&self) {
        self.lock().log.pop();
    }

    /// How many items were asked for by their ids.
    pub(crate) fn fetched(&self) -> usize {
        self.lock().fetched
    }

    /// How often something was to be made.
    pub(crate) fn attempts(&self) -> u32 {
        self.lock().attempts
    }

    /// The calendar is deleted with all that is in it.
    pub(crate) fn remove_calendar(&self) {
        let mut inner = self.lock();
        inner.items.clear();
        inner.calendar_is_gone = true;
    }

    /// The calendar is emptied without a word in the log.
    pub(crate) fn empty(&self) {
        self.lock().items.clear();
    }
}

fn subject_of(content: &Content) -> &str {
    match content {
        Content::Entry(entry) => &entry.subject,
        Content::Contact(contact) => &contact.name,
    }
}

impl Inner {
    fn make(&mut self, kind: ItemKind, content: Content, identity: Identity, key: Option<String>) -> String {
        self.next += 1;
        let id = format!("item-{}", self.next);
        let item = RemoteItem {
            remote_id: id.clone(),
            etag: String::new(),
            collection: match kind {
                ItemKind::Appointment => CALENDAR,
                ItemKind::Task => TASKS,
                ItemKind::Contact => CONTACTS,
            }
            .to_owned(),
            identity,
            writer: None,
            uid: format!("uid-{id}"),
            content,
            private: false,
            cancelled: false,
            is_organizer: true,
            has_attendees: false,
            occurrence: None,
            changed_at: None,
        };
        self.items.insert(id.clone(), Stored { item, kind, key, is_locked: false });
        self.touch(&id);
        id
    }

    fn touch(&mut self, id: &str) {
        self.next += 1;
        let (etag, changed) = (format!("v{}", self.next), Instant(self.now + self.faults.skew));
        if let Some(stored) = self.items.get_mut(id) {
            stored.item.etag = etag;
            stored.item.changed_at = Some(changed);
        }
        self.log.push(id.to_owned());
    }

    /// The item as it is told: a server that cannot keep an echo says another etag each time.
    fn told(&mut self, id: &str) -> Option<RemoteItem> {
        let mut item = self.items.get(id)?.item.clone();
        if self.faults.has_no_echo {
            self.looks += 1;
            item.etag = format!("{}-{}", item.etag, self.looks);
        }
        Some(item)
    }

    /// The item as a pass tells it.
    fn passed(&mut self, id: &str) -> Option<RemoteItem> {
        let item = self.told(id)?;
        if self.faults.is_terse {
            return Some(RemoteItem { identity: Identity::Unread, writer: None, ..item });
        }
        Some(item)
    }

    fn is_etag(&self, id: &str, etag: &str) -> bool {
        self.items.get(id).is_some_and(|stored| stored.item.etag == etag || self.faults.has_no_echo)
    }

    fn call(&mut self) -> Result<(), ConnectorFailure> {
        self.calls += 1;
        if self.faults.crash_after.is_some_and(|after| self.calls > after) {
            return Err(ConnectorFailure::Broken("killed".to_owned()));
        }
        if self.faults.refuses {
            return Err(ConnectorFailure::Auth("the password is wrong".to_owned()));
        }
        Ok(())
    }

    fn call_about(&mut self, target: &Target) -> Result<(), ConnectorFailure> {
        self.call()?;
        if self.calendar_is_gone && target.collection == CALENDAR { Err(ConnectorFailure::Gone) } else { Ok(()) }
    }

    fn write(&mut self, target: &Target, push: &Push) -> Pushed {
        if self.faults.throttles > 0 {
            self.faults.throttles -= 1;
            return Err(ConnectorFailure::Throttled(Some(3_600)));
        }
        if self.faults.lies {
            return Ok(match push {
                Push::Create { our_id, content, .. } => Some(Box::new(RemoteItem {
                    remote_id: format!("phantom-{our_id}"),
                    etag: "v0".to_owned(),
                    collection: target.collection.clone(),
                    identity: Identity::Ours(our_id.clone()),
                    writer: None,
                    uid: String::new(),
                    content: content.clone(),
                    private: false,
                    cancelled: false,
                    is_organizer: true,
                    has_attendees: false,
                    occurrence: None,
                    changed_at: None,
                })),
                Push::Update { remote_id, .. } | Push::Disown { remote_id, .. } | Push::Mark { remote_id, .. } => {
                    self.told(remote_id).map(Box::new)
                }
                Push::Delete { .. } => None,
            });
        }
        if matches!(push, Push::Create { .. }) {
            self.attempts += 1;
            if self.faults.refuses_creations {
                return Err(ConnectorFailure::Permanent("it is refused".to_owned()));
            }
            if self.faults.loses_creations {
                return Err(ConnectorFailure::Transient("no answer".to_owned()));
            }
        }
        self.writes += 1;
        let is_lost = self.faults.lose_answers_after.is_some_and(|after| self.writes > after);
        let done = self.do_write(target, push)?;
        if let Some(Stored { item, .. }) = done.as_ref().and_then(|id| self.items.get_mut(id))
            && let Content::Entry(entry) = &mut item.content
            && self.faults.cuts > 0
        {
            entry.subject = entry.subject.chars().take(self.faults.cuts).collect();
        }
        if is_lost {
            return Err(ConnectorFailure::Transient("no answer".to_owned()));
        }
        if let Some(stored) = done.as_ref().and_then(|id| self.items.get(id)) {
            self.own.insert((stored.item.remote_id.clone(), stored.item.etag.clone()));
        }
        Ok(done.and_then(|id| self.told(&id)).map(Box::new))
    }

    fn do_write(&mut self, target: &Target, push: &Push) -> Result<Option<String>, ConnectorFailure> {
        match push {
            Push::Create { key, our_id, writer, content } => {
                let known = self.items.values().any(|stored| stored.key.as_ref() == Some(key));
                if known && !self.faults.ignores_keys {
                    return Err(ConnectorFailure::Conflict);
                }
                let id = self.make(target.kind, content.clone(), Identity::Ours(our_id.clone()), Some(key.clone()));
                if let Some(stored) = self.items.get_mut(&id) {
                    stored.item.collection.clone_from(&target.collection);
                    stored.item.writer = Some(writer.clone());
                }
                Ok(Some(id))
            }
            Push::Update { remote_id, etag, content: wanted, fields, writer, .. } => {
                if !self.items.contains_key(remote_id) {
                    return Err(ConnectorFailure::Gone);
                }
                if !self.is_etag(remote_id, etag) {
                    return Err(ConnectorFailure::Conflict);
                }
                let mut new: Projection = projection(ItemKind::Task, wanted);
                new.retain(|field, _| fields.has(*field));
                if let Some(stored) = self.items.get_mut(remote_id) {
                    stored.item.content = content(&new, &stored.item.content);
                    stored.item.writer = Some(writer.clone());
                }
                self.touch(remote_id);
                Ok(Some(remote_id.clone()))
            }
            Push::Delete { remote_id, etag } => {
                if !self.items.contains_key(remote_id) {
                    return Err(ConnectorFailure::Gone);
                }
                if !self.is_etag(remote_id, etag) {
                    return Err(ConnectorFailure::Conflict);
                }
                self.items.remove(remote_id);
                self.log.push(remote_id.clone());
                Ok(None)
            }
            Push::Disown { remote_id, .. } => {
                match self.items.get_mut(remote_id) {
                    Some(stored) => {
                        stored.item.identity = Identity::None;
                        stored.item.writer = None;
                    }
                    None => return Err(ConnectorFailure::Gone),
                }
                self.touch(remote_id);
                Ok(Some(remote_id.clone()))
            }
            Push::Mark { remote_id, etag, locked } => {
                if !self.items.contains_key(remote_id) {
                    return Err(ConnectorFailure::Gone);
                }
                if !self.is_etag(remote_id, etag) {
                    return Err(ConnectorFailure::Conflict);
                }
                if self.faults.has_no_categories {
                    return Err(ConnectorFailure::Permanent("there are no categories".to_owned()));
                }
                if let Some(stored) = self.items.get_mut(remote_id) {
                    stored.is_locked = *locked;
                }
                self.touch(remote_id);
                Ok(Some(remote_id.clone()))
            }
        }
    }

    fn lists(&self, target: &Target, window: Window, id: &str) -> bool {
        self.items.get(id).is_some_and(|stored| {
            stored.kind == target.kind
                && stored.item.collection == target.collection
                && match &stored.item.content {
                    Content::Entry(Entry { period: Some(period), .. }) => {
                        let (start, end) = period.instants(chrono_tz::UTC);
                        window.overlaps(start, end)
                    }
                    _ => true,
                }
        })
    }
}

impl Connector for Server {
    fn probe(&self, _: &Account) -> Result<Connection, ConnectorFailure> {
        let mut inner = self.lock();
        inner.call()?;
        let collection = |id: &str, kind| RemoteCollection {
            id: id.to_owned(),
            name: id.to_owned(),
            kind,
            writable: true,
            is_default: id != OTHER,
        };
        Ok(Connection {
            server: "model".to_owned(),
            reads_own_writes: inner.faults.reads_own_writes,
            collections: [
                collection(CALENDAR, ItemKind::Appointment),
                collection(OTHER, ItemKind::Appointment),
                collection(TASKS, ItemKind::Task),
                collection(CONTACTS, ItemKind::Contact),
            ]
            .into_iter()
            .filter(|found| !inner.calendar_is_gone || found.id != CALENDAR)
            .collect(),
        })
    }

    fn pull(
        &self,
        _: &Account,
        target: &Target,
        window: Window,
        cursor: Option<&str>,
    ) -> Result<RemotePage, ConnectorFailure> {
        let mut inner = self.lock();
        inner.call_about(target)?;
        if cursor.is_some() && std::mem::take(&mut inner.faults.expire) {
            return Err(ConnectorFailure::Gone);
        }
        let cursor = cursor.filter(|cursor| !inner.faults.always_full || cursor.contains('+'));
        // `from:to+offset`; a pass over everything begins at `all`.
        let parts: Vec<&str> = cursor.unwrap_or("all").split([':', '+']).collect();
        let end = inner.log.len();
        inner.full_passes += usize::from(cursor.is_none_or(|cursor| cursor.starts_with("all")));
        let (from, to, offset) = match parts.as_slice() {
            [from, to, offset] => (from.parse().ok(), to.parse().unwrap_or(end), offset.parse().unwrap_or(0)),
            [from] => (from.parse::<usize>().ok(), end, 0_usize),
            _ => return Err(ConnectorFailure::Gone),
        };
        let mut ids: Vec<String> = match from {
            None => inner.items.keys().cloned().collect(),
            Some(from) => inner.log[from..to].to_vec(),
        };
        ids.sort();
        ids.dedup();
        if inner.faults.reversed {
            ids.reverse();
        }
        if inner.faults.drops_every_third {
            ids = ids.into_iter().enumerate().filter(|(index, _)| index % 3 != 2).map(|(_, id)| id).collect();
        }
        let size = if inner.faults.page == 0 { usize::MAX } else { inner.faults.page };
        let page: Vec<String> = ids.iter().skip(offset).take(size).cloned().collect();
        let mut changes = Vec::new();
        for id in &page {
            if inner.lists(target, window, id) {
                let own = |item: &RemoteItem| inner.own.contains(&(id.clone(), item.etag.clone()));
                let is_known = from.is_some() && inner.faults.reads_own_writes;
                match inner.items.get(id).map(|stored| &stored.item).filter(|item| is_known && own(item)) {
                    Some(item) => {
                        changes.push(RemoteChange::Known { remote_id: id.clone(), etag: item.etag.clone() });
                    }
                    None => changes.extend(inner.passed(id).map(|item| RemoteChange::Present(Box::new(item)))),
                }
            } else if from.is_some() {
                changes.push(RemoteChange::Removed(id.clone()));
            }
        }
        if inner.faults.replayed {
            changes.extend(changes.clone());
        }
        let done = offset.saturating_add(size) >= ids.len();
        let all = from.map_or("all".to_owned(), |from| from.to_string());
        let next = if done { to.to_string() } else { format!("{all}:{to}+{}", offset + size) };
        Ok(RemotePage { changes, next, done, full: from.is_none() })
    }

    fn versions(
        &self,
        _: &Account,
        target: &Target,
        window: Window,
        next: Option<&str>,
    ) -> Result<Option<RemoteVersions>, ConnectorFailure> {
        let mut inner = self.lock();
        inner.call_about(target)?;
        if inner.faults.refuses_listings {
            return Err(ConnectorFailure::Permanent("no such query".to_owned()));
        }
        if !inner.faults.has_versions {
            return Ok(None);
        }
        let ids: Vec<String> =
            inner.items.keys().filter(|id| next.is_none_or(|next| id.as_str() > next)).cloned().collect();
        let size = if inner.faults.page == 0 { usize::MAX } else { inner.faults.page };
        let next = ids.get(size - 1).filter(|_| ids.len() > size).cloned();
        let shown = ids.iter().take(size).filter(|id| inner.lists(target, window, id));
        let items: Vec<(String, String)> =
            shown.filter_map(|id| Some((id.clone(), inner.items.get(id)?.item.etag.clone()))).collect();
        inner.listed += 1;
        Ok(Some(RemoteVersions { items, next }))
    }

    fn fetch(
        &self,
        _: &Account,
        target: &Target,
        ids: &[&str],
    ) -> Result<Vec<Result<Option<RemoteItem>, ConnectorFailure>>, ConnectorFailure> {
        let mut inner = self.lock();
        inner.call_about(target)?;
        inner.fetched += ids.len();
        if inner.faults.denies {
            return Ok(ids.iter().map(|_| Ok(None)).collect());
        }
        if inner.faults.does_not_say {
            return Ok(ids.iter().map(|_| Err(ConnectorFailure::Transient("no answer".to_owned()))).collect());
        }
        Ok(ids.iter().map(|id| Ok(inner.told(id))).collect())
    }

    fn find(&self, _: &Account, target: &Target, ids: &[&str]) -> Result<Vec<Vec<RemoteItem>>, ConnectorFailure> {
        let mut inner = self.lock();
        inner.call_about(target)?;
        let mut found = Vec::new();
        for id in ids {
            let wanted = Identity::Ours((*id).to_owned());
            let keys: Vec<String> = inner
                .items
                .iter()
                .filter(|(_, stored)| stored.item.identity == wanted)
                .map(|(id, _)| id.clone())
                .collect();
            found.push(keys.iter().filter_map(|id| inner.told(id)).collect());
        }
        Ok(found)
    }

    fn push(&self, _: &Account, target: &Target, batch: &[Push]) -> Result<Vec<Pushed>, ConnectorFailure> {
        let mut inner = self.lock();
        inner.call()?;
        if inner.faults.is_full {
            return Err(ConnectorFailure::Permanent("the mailbox is full".to_owned()));
        }
        let mut outcomes = Vec::new();
        for push in batch {
            // Killed in the middle of a batch: what came before was done.
            inner.call()?;
            let mut outcome = inner.write(target, push);
            if let (true, Ok(Some(_)), Some(first)) =
                (inner.faults.answers_with_another, &outcome, inner.items.keys().next().cloned())
            {
                outcome = Ok(inner.told(&first).map(Box::new));
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}
