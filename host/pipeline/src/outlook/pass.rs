//! One pass over a collection: what a connector tells page by page, until it is done.

use std::collections::{BTreeMap, HashSet};

use apptsync_model::Severity;
use apptsync_model::outlook::{
    ConnectorFailure, Content, ItemKind, Link, LinkState, RemoteChange, RemoteItem, Target, Value, Window,
};
use apptsync_store::Seen;

use super::run::{Run, Stop};

/// Pages after which a pass is taken for one that never ends.
pub(super) const MAX_PAGES: usize = 20_000;

/// What a pass over one collection told.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// Everything that it listed, when it was a full one.
    pub(super) listed: Option<HashSet<String>>,
    /// Everything that it said to be there, when it told changes.
    pub(super) told: HashSet<String>,
    pub(super) observed: BTreeMap<String, Seen>,
    /// What was seen of these before no longer holds, and nothing takes its place.
    pub(super) outdated: HashSet<String>,
}

impl Run<'_> {
    /// One pass, to its end.
    pub(super) fn pass(
        &mut self,
        target: &Target,
        window: Window,
        cursor: Option<&str>,
    ) -> Result<Result<(Pass, String), ConnectorFailure>, Stop> {
        let mut pass = Pass::default();
        let mut listed = HashSet::new();
        let mut next = cursor.map(str::to_owned);
        for _ in 0..MAX_PAGES {
            let page = self.with_patience(|run| run.connector.pull(&run.account, target, window, next.as_deref()));
            let page = match page {
                Ok(page) => page,
                Err(failure) => return Ok(Err(failure)),
            };
            for change in page.changes {
                self.take(target.kind, window, change, &mut pass, &mut listed)?;
            }
            next = Some(page.next);
            if page.done {
                if page.full {
                    self.miss(target.kind, window, &mut pass, &listed)?;
                    pass.listed = Some(listed);
                } else {
                    pass.told = listed;
                }
                return Ok(Ok((pass, next.unwrap_or_default())));
            }
        }
        let why = format!("the connector gave {MAX_PAGES} pages and never said that it is done");
        Ok(Err(ConnectorFailure::Broken(why)))
    }

    /// What one change says.
    fn take(
        &mut self,
        kind: ItemKind,
        window: Window,
        change: RemoteChange,
        pass: &mut Pass,
        listed: &mut HashSet<String>,
    ) -> Result<(), Stop> {
        let link_of = |run: &Self, id: &str| run.store.link_of_item(run.profile.id, kind, id);
        match change {
            RemoteChange::Present(item) => pass.see(link_of(self, &item.remote_id)?.as_ref(), *item, listed),
            RemoteChange::Series { id, occurrences } => {
                let there: HashSet<_> = occurrences.iter().map(|item| item.remote_id.clone()).collect();
                for item in occurrences {
                    pass.see(link_of(self, &item.remote_id)?.as_ref(), item, listed);
                }
                for link in self.store.links_of_series(self.profile.id, kind, &id)? {
                    if let Some(id) = link.remote_id.as_ref().filter(|id| !there.contains(*id))
                        && lies_in(&link, window, self.zone)
                    {
                        listed.insert(id.clone());
                        pass.outdated.remove(id);
                        pass.observed.insert(id.clone(), Seen::NotInSeries);
                    }
                }
            }
            RemoteChange::Known { remote_id, etag } => {
                listed.insert(remote_id.clone());
                if link_of(self, &remote_id)?.is_some_and(|link| link.etag == etag) {
                    pass.forget(remote_id);
                } else {
                    pass.remove(remote_id);
                }
            }
            RemoteChange::Removed(id) => {
                listed.remove(&id);
                if link_of(self, &id)?.is_some() {
                    pass.remove(id.clone());
                } else {
                    pass.observed.remove(&id);
                    self.forgotten.push((kind, id.clone()));
                }
                for link in self.store.links_of_series(self.profile.id, kind, &id)? {
                    pass.remove(link.remote_id.unwrap_or_default());
                }
            }
            RemoteChange::Unreadable { remote_id, reason } => {
                self.notes.say(
                    Severity::Warning,
                    format!("an item of Outlook cannot be read and is left alone: `{remote_id}`: {reason}"),
                );
                listed.insert(remote_id);
            }
        }
        Ok(())
    }

    /// What is linked, lies in the window and is not in a full listing.
    fn miss(&self, kind: ItemKind, window: Window, pass: &mut Pass, listed: &HashSet<String>) -> Result<(), Stop> {
        self.store.visit_links(self.profile.id, &mut |link, _| {
            if link.kind == kind
                && must_be_listed(&link, window, self.zone)
                && let Some(id) = link.remote_id
                && !listed.contains(&id)
                && !pass.observed.contains_key(&id)
            {
                pass.remove(id);
            }
        })?;
        Ok(())
    }
}

impl Pass {
    /// It is as it was when both sides last agreed.
    fn forget(&mut self, remote_id: String) {
        self.observed.remove(&remote_id);
        self.outdated.insert(remote_id);
    }

    /// It is no longer listed, told to be removed, or there in a version that is not known: it is asked about.
    pub(super) fn remove(&mut self, remote_id: String) {
        self.outdated.remove(&remote_id);
        self.observed.insert(remote_id, Seen::Removed);
    }

    pub(super) fn see(&mut self, link: Option<&Link>, item: RemoteItem, listed: &mut HashSet<String>) {
        listed.insert(item.remote_id.clone());
        let is_known = link.is_some_and(|link| {
            link.etag == item.etag
                && link.collection == item.collection
                && matches!(link.state, LinkState::Linked | LinkState::Ignored)
        });
        // Our own write, or nothing at all (P10); and of what is private and not linked, not even that it is there is kept.
        if is_known || (item.private && link.is_none()) {
            self.forget(item.remote_id);
            return;
        }
        self.outdated.remove(&item.remote_id);
        let item = if item.private { without_texts(item) } else { item };
        self.observed.insert(item.remote_id.clone(), Seen::Present(Box::new(item)));
    }
}

/// True for what a full listing must have: people may not want it in Outlook, or it may not be synchronised, and then it may be
/// missing.
pub(super) fn must_be_listed(link: &Link, window: Window, zone: chrono_tz::Tz) -> bool {
    let is_left = matches!(link.state, LinkState::Tombstone | LinkState::Suppressed | LinkState::Unlinked);
    !is_left && lies_in(link, window, zone)
}

/// True when the item lay in the window when both sides last agreed: only then it must be listed.
fn lies_in(link: &Link, window: Window, zone: chrono_tz::Tz) -> bool {
    match link.base.remote.get(&apptsync_model::outlook::Field::Period) {
        Some(Value::Period(Some(period))) => {
            let (start, end) = period.instants(zone);
            window.overlaps(start, end)
        }
        Some(Value::Period(None)) => true,
        // Contacts have no time; of an item that nothing was read of yet, nothing is known.
        _ => link.kind == ItemKind::Contact,
    }
}

/// What is private never leaves Outlook (domain 8), not even into the database.
fn without_texts(mut item: RemoteItem) -> RemoteItem {
    if let Content::Entry(entry) = &mut item.content {
        entry.subject.clear();
        entry.body.clear();
        entry.location.clear();
    }
    item
}
