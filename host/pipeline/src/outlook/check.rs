//! The daily check: what a server forgot to tell is found by ids and versions alone, and asked for one by one (2.3).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use apptsync_model::outlook::{ConnectorFailure, LinkState, Target, Window};
use apptsync_runtime::CONNECTOR_BATCH;
use apptsync_store::{Observation, Seen};

use super::pass::{MAX_PAGES, Pass, must_be_listed};
use super::run::{Run, Stop};

/// What a check found.
pub(super) struct Checked {
    /// Of what differs from what is known, everything that there is to see.
    pub(super) pass: Pass,
    /// Something that is linked is gone, though no pass said so.
    pub(super) misses: bool,
}

impl Run<'_> {
    /// Lists what lies in the window and looks at what differs from what is known. The window is the present one: what slides
    /// into it is new then, and what nothing is known of outside of it is not asked for. None where the connector cannot list
    /// without reading.
    pub(super) fn check(
        &mut self,
        target: &Target,
        window: Window,
    ) -> Result<Result<Option<Checked>, ConnectorFailure>, Stop> {
        let listed = match self.listed(target, window) {
            Ok(Some(listed)) => listed,
            Ok(None) => return Ok(Ok(None)),
            Err(failure) => return Ok(Err(failure)),
        };
        let mut asked: BTreeSet<String> = listed.keys().cloned().collect();
        self.store.visit_links(self.profile.id, &mut |link, _| {
            let is_meant = link.kind == target.kind && link.state != LinkState::Tombstone;
            let Some(id) = link.remote_id.as_ref().filter(|_| is_meant) else { return };
            match listed.get(id) {
                Some(etag) if *etag == link.etag && link.collection == target.collection => {
                    asked.remove(id);
                }
                None if must_be_listed(&link, window, self.zone) => {
                    asked.insert(id.clone());
                }
                _ => {}
            }
        })?;
        for Observation { kind, remote_id, seen, .. } in self.store.observations(self.profile.id)? {
            // What was seen in this version is known, and what is asked about in any case, is.
            let is_known = match &seen {
                Seen::Present(item) => listed.get(&remote_id) == Some(&item.etag),
                Seen::Removed | Seen::Gone | Seen::NotInSeries => true,
            };
            if kind == target.kind && is_known {
                asked.remove(&remote_id);
            }
        }
        Ok(self.look(target, &asked)?.map(Some))
    }

    /// Everything that is listed.
    fn listed(
        &mut self,
        target: &Target,
        window: Window,
    ) -> Result<Option<BTreeMap<String, String>>, ConnectorFailure> {
        let mut listed = BTreeMap::new();
        let mut next: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page =
                self.with_patience(|run| run.connector.versions(&run.account, target, window, next.as_deref()))?;
            let Some(page) = page else { return Ok(None) };
            listed.extend(page.items);
            next = page.next;
            if next.is_none() {
                return Ok(Some(listed));
            }
        }
        Err(ConnectorFailure::Broken(format!("the connector listed {MAX_PAGES} pages and never said that it is done")))
    }

    /// Reads items by their ids, as a pass would tell them.
    fn look(&mut self, target: &Target, asked: &BTreeSet<String>) -> Result<Result<Checked, ConnectorFailure>, Stop> {
        let mut checked = Checked { pass: Pass::default(), misses: false };
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        for batch in asked.chunks(CONNECTOR_BATCH) {
            let answers = match self.with_patience(|run| run.connector.fetch(&run.account, target, batch)) {
                Ok(answers) => answers,
                Err(failure) => return Ok(Err(failure)),
            };
            for (id, answer) in batch.iter().zip(answers) {
                let link = self.store.link_of_item(self.profile.id, target.kind, id)?;
                match (answer, &link) {
                    (Ok(Some(item)), link) => checked.pass.see(link.as_ref(), item, &mut HashSet::new()),
                    (Ok(None) | Err(ConnectorFailure::Gone), Some(link)) => {
                        checked.misses |= link.state == LinkState::Linked;
                        checked.pass.observed.insert((*id).to_owned(), Seen::Gone);
                    }
                    (Err(failure @ ConnectorFailure::Auth(_)), _) => return Ok(Err(failure)),
                    (Ok(None) | Err(ConnectorFailure::Gone), None) => {}
                    // The next runs ask again.
                    (Err(_), _) => checked.pass.remove((*id).to_owned()),
                }
            }
        }
        Ok(Ok(checked))
    }
}
