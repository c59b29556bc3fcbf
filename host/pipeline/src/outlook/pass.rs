//! One pass over a collection: what a connector tells page by page, until it is done.

use std::collections::{BTreeMap, HashMap, HashSet};

use apptsync_model::Severity;
use apptsync_model::outlook::{
    ConnectorFailure, Content, ItemKind, Link, LinkState, RemoteChange, RemoteItem, Target, Value, Window,
};
use apptsync_store::Seen;

use super::run::Run;

/// Pages after which a pass is taken for one that never ends.
const MAX_PAGES: usize = 20_000;

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
        links: &[&Link],
    ) -> Result<(Pass, String), ConnectorFailure> {
        let by_id: HashMap<&str, &Link> =
            links.iter().filter_map(|link| Some((link.remote_id.as_deref()?, *link))).collect();
        let mut by_series: HashMap<&str, Vec<&Link>> = HashMap::new();
        for link in links {
            if let Some(occurrence) = &link.occurrence {
                by_series.entry(&occurrence.series).or_default().push(link);
            }
        }
        let of_series = |id: &str| by_series.get(id).into_iter().flatten().copied();
        let mut pass = Pass::default();
        let mut listed = HashSet::new();
        let mut next = cursor.map(str::to_owned);
        for _ in 0..MAX_PAGES {
            let page = self.with_patience(|run| run.connector.pull(&run.account, target, window, next.as_deref()))?;
            for change in page.changes {
                match change {
                    RemoteChange::Present(item) => pass.see(&by_id, *item, &mut listed),
                    RemoteChange::Series { id, occurrences } => {
                        let there: HashSet<_> = occurrences.iter().map(|item| item.remote_id.clone()).collect();
                        for item in occurrences {
                            pass.see(&by_id, item, &mut listed);
                        }
                        for link in of_series(&id).filter(|link| lies_in(link, window, self.zone)) {
                            if let Some(id) = link.remote_id.as_ref().filter(|id| !there.contains(*id)) {
                                listed.insert(id.clone());
                                pass.outdated.remove(id);
                                pass.observed.insert(id.clone(), Seen::NotInSeries);
                            }
                        }
                    }
                    RemoteChange::Known { remote_id, etag } => {
                        listed.insert(remote_id.clone());
                        if by_id.get(remote_id.as_str()).is_some_and(|link| link.etag == etag) {
                            pass.forget(remote_id);
                        } else {
                            pass.remove(remote_id);
                        }
                    }
                    RemoteChange::Removed(id) => {
                        listed.remove(&id);
                        for link in by_id.get(id.as_str()).into_iter().copied().chain(of_series(&id)) {
                            pass.remove(link.remote_id.clone().unwrap_or_default());
                        }
                        if !by_id.contains_key(id.as_str()) {
                            pass.observed.remove(&id);
                            self.forgotten.push((target.kind, id));
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
            }
            next = Some(page.next);
            if page.done {
                if page.full {
                    // What people do not want in Outlook, and what is not synchronised, may be missing.
                    let is_left = |link: &&&Link| matches!(link.state, LinkState::Suppressed | LinkState::Unlinked);
                    for link in links.iter().filter(|link| !is_left(link)) {
                        let Some(id) = &link.remote_id else { continue };
                        if !listed.contains(id) && !pass.observed.contains_key(id) && lies_in(link, window, self.zone) {
                            pass.remove(id.clone());
                        }
                    }
                    pass.listed = Some(listed);
                } else {
                    pass.told = listed;
                }
                return Ok((pass, next.unwrap_or_default()));
            }
        }
        Err(ConnectorFailure::Broken(format!("the connector gave {MAX_PAGES} pages and never said that it is done")))
    }
}

impl Pass {
    /// True when something that is linked is not listed.
    pub(super) fn misses(&self, links: &[&Link]) -> bool {
        links.iter().any(|link| {
            let seen = link.remote_id.as_ref().and_then(|id| self.observed.get(id));
            link.state == LinkState::Linked && seen == Some(&Seen::Removed)
        })
    }

    /// It is as it was when both sides last agreed.
    fn forget(&mut self, remote_id: String) {
        self.observed.remove(&remote_id);
        self.outdated.insert(remote_id);
    }

    /// It is no longer listed, told to be removed, or there in a version that is not known: it is asked about.
    fn remove(&mut self, remote_id: String) {
        self.outdated.remove(&remote_id);
        self.observed.insert(remote_id, Seen::Removed);
    }

    fn see(&mut self, links: &HashMap<&str, &Link>, item: RemoteItem, listed: &mut HashSet<String>) {
        listed.insert(item.remote_id.clone());
        let is_known = links.get(item.remote_id.as_str()).is_some_and(|link| {
            link.etag == item.etag
                && link.collection == item.collection
                && matches!(link.state, LinkState::Linked | LinkState::Ignored)
        });
        // Our own write, or nothing at all (P10); and of what is private and not linked, not even that it is there is kept.
        if is_known || (item.private && !links.contains_key(item.remote_id.as_str())) {
            self.forget(item.remote_id);
            return;
        }
        self.outdated.remove(&item.remote_id);
        let item = if item.private { without_texts(item) } else { item };
        self.observed.insert(item.remote_id.clone(), Seen::Present(Box::new(item)));
    }
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
