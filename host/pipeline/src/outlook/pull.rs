//! Reading Outlook: pages of changes become observations, and what is no longer listed is asked about one by one. A cursor is
//! stored together with what it stands for, so that it never runs ahead.

use std::collections::{BTreeMap, HashMap};

use apptsync_model::outlook::{
    ConnectorFailure, Identity, ItemKind, Link, LinkState, RemoteItem, SyncCursor, Target, Window,
};
use apptsync_model::{Instant, Severity};
use apptsync_runtime::CONNECTOR_BATCH;
use apptsync_store::{Observation, PullWrite, Seen};

use super::considered::Considered;
use super::pass::Pass;
use super::run::{Run, Stop, purpose, purpose_of};
use super::snapshot::{Listing, MARGIN, Place, RemoteState};

const DAY: i64 = 86_400;

/// What was read of Outlook, beside the observations that the store keeps.
#[derive(Debug, Default)]
pub(super) struct Pulled {
    pub(super) targets: BTreeMap<ItemKind, String>,
    pub(super) listings: BTreeMap<ItemKind, Listing>,
    pub(super) rebuilt: Option<String>,
    reads_own_writes: bool,
}

impl Run<'_> {
    /// Reads all collections that take part.
    pub(super) fn pull(&mut self, windows: &BTreeMap<ItemKind, Window>) -> Result<Pulled, Stop> {
        let mut pulled = Pulled::default();
        for (kind, window) in windows {
            let cursor = self.store.sync_cursor(self.profile.id, *kind)?;
            let collection = match cursor.as_ref().filter(|cursor| !cursor.collection.is_empty()) {
                Some(known) => known.collection.clone(),
                None => match self.resolve(*kind)? {
                    Some(found) => found,
                    None if *kind == ItemKind::Contact => {
                        let why = "the mailbox has no address book that can be written to; Microsoft Graph alone has some, and tells of the default one only when there is a contact in it: make one in Outlook first";
                        return Err(Stop::failed(why));
                    }
                    None => continue,
                },
            };
            pulled.reads_own_writes = match cursor.as_ref().and_then(|cursor| cursor.reads_own_writes) {
                Some(known) if self.connection.is_none() => known,
                _ => self.connect()?.reads_own_writes,
            };
            let target = Target { kind: *kind, collection: collection.clone() };
            pulled.targets.insert(*kind, collection);
            self.pull_collection(&target, *window, cursor, &mut pulled)?;
        }
        self.heard(windows)?;
        Ok(pulled)
    }

    fn heard(&self, windows: &BTreeMap<ItemKind, Window>) -> Result<(), Stop> {
        let purpose = purpose_of(windows);
        // Most runs wrote nothing, and write nothing here.
        if self.store.unheard(self.profile.id, purpose)?.is_empty() {
            return Ok(());
        }
        Ok(self.store.heard(self.profile.id, purpose)?)
    }

    /// Where the server shows at once what was written, that is read back before the run ends: the next run finds nothing
    /// new then. Whatever goes wrong here, it finds out.
    pub(super) fn read_back(&mut self, windows: &BTreeMap<ItemKind, Window>, pulled: &Pulled) -> Result<(), Stop> {
        if !pulled.reads_own_writes || self.store.unheard(self.profile.id, purpose_of(windows))?.is_empty() {
            return Ok(());
        }
        // What was seen before a write without an answer is needed until that is cleared up.
        if !self.store.unsettled(self.profile.id)?.is_empty() {
            return Ok(());
        }
        for (kind, collection) in &pulled.targets {
            let target = Target { kind: *kind, collection: collection.clone() };
            let Some(known) = self.store.sync_cursor(self.profile.id, *kind)? else { return Ok(()) };
            let Ok((mut pass, cursor)) = self.pass(&target, known.window, known.cursor.as_deref())? else {
                return Ok(());
            };
            self.expect_echoes(*kind, &mut pass)?;
            let cursor = SyncCursor { cursor: Some(cursor), ..known };
            self.store_pass(&target, pass, &cursor, &mut Pulled::default())?;
        }
        self.heard(windows)
    }

    fn pull_collection(
        &mut self,
        target: &Target,
        window: Window,
        known: Option<SyncCursor>,
        pulled: &mut Pulled,
    ) -> Result<(), Stop> {
        let now = self.request.as_of;
        let listed = known.as_ref().map_or(0, |known| known.listed);
        let mut rebuilt = known.as_ref().is_some_and(|known| known.rebuilt);
        let mut why = rebuilt.then(|| "everything had to be read anew".to_owned());
        let mut is_read = false;
        let mut is_check = false;
        if let Some(known) = known.filter(|known| known.window.covers(&window) && known.cursor.is_some()) {
            match self.pass(target, known.window, known.cursor.as_deref())? {
                Ok((mut pass, cursor)) => {
                    self.expect_echoes(target.kind, &mut pass)?;
                    let full_at = if pass.listed.is_some() { now } else { known.full_at };
                    // Once a day everything is listed, because some deletions are never told.
                    is_read = now.0 - full_at.0 < DAY;
                    is_check = true;
                    let cursor = SyncCursor {
                        cursor: Some(cursor),
                        full_at,
                        reads_own_writes: Some(pulled.reads_own_writes),
                        ..known
                    };
                    self.store_pass(target, pass, &cursor, pulled)?;
                    let checked = match if is_read { Ok(None) } else { self.check(target, window)? } {
                        // Reading everything does without a listing.
                        Err(ConnectorFailure::Permanent(why) | ConnectorFailure::Broken(why)) => {
                            let text =
                                format!("the daily check reads everything, because nothing can be listed: {why}");
                            self.notes.say(Severity::Info, text);
                            None
                        }
                        checked => checked.map_err(|failure| self.stop_at(failure, target))?,
                    };
                    if let Some(checked) = checked {
                        is_read = true;
                        if checked.misses {
                            rebuilt = true;
                            why.get_or_insert_with(missed);
                        }
                        let cursor = SyncCursor { full_at: now, rebuilt, ..cursor };
                        self.store_pass(target, checked.pass, &cursor, pulled)?;
                    }
                }
                Err(ConnectorFailure::Gone) => {
                    rebuilt = true;
                    why = Some("the cursor expired".to_owned());
                    self.notes.say(
                        Severity::Info,
                        "the server no longer knows where the last run ended: everything is read again",
                    );
                }
                Err(failure) => return Err(self.stop_at(failure, target)),
            }
        }
        if !is_read {
            let wide = window.grown(MARGIN);
            let (pass, cursor) = self.pass(target, wide, None)?.map_err(|failure| self.stop_at(failure, target))?;
            if is_check && self.misses(target.kind, &pass)? {
                // Until a plan is applied: what it may only propose today it may only propose tomorrow.
                rebuilt = true;
                why.get_or_insert_with(missed);
            }
            let cursor = SyncCursor {
                cursor: Some(cursor),
                window: wide,
                collection: target.collection.clone(),
                full_at: now,
                listed,
                rebuilt,
                reads_own_writes: Some(pulled.reads_own_writes),
            };
            self.store_pass(target, pass, &cursor, pulled)?;
        }
        pulled.rebuilt = pulled.rebuilt.take().or(why);
        Ok(())
    }

    /// A list of changes must speak of what we wrote since the last one. Servers are known to say nothing of an item that was
    /// deleted before they told that it was made: where they are silent, the item itself is asked for.
    fn expect_echoes(&self, kind: ItemKind, pass: &mut Pass) -> Result<(), Stop> {
        if pass.listed.is_some() {
            return Ok(());
        }
        for (written, remote_id) in self.store.unheard(self.profile.id, purpose(kind))? {
            if written == kind && !pass.told.contains(&remote_id) {
                pass.observed.entry(remote_id).or_insert(Seen::Removed);
            }
        }
        Ok(())
    }

    fn store_pass(
        &mut self,
        target: &Target,
        pass: Pass,
        cursor: &SyncCursor,
        pulled: &mut Pulled,
    ) -> Result<(), Stop> {
        if let Some(listed) = &pass.listed {
            let now = listed.len() as u64;
            // The cursor takes the new count when a plan is applied: a listing that shrank is judged until then.
            pulled.listings.insert(target.kind, Listing { before: cursor.listed, now });
        }
        let known: HashMap<_, _> = self
            .store
            .observations(self.profile.id)?
            .into_iter()
            .filter(|observation| observation.kind == target.kind)
            .map(|observation| (observation.remote_id.clone(), observation))
            .collect();
        let outdated = pass.outdated.into_iter().filter(|remote_id| known.contains_key(remote_id));
        self.forgotten.extend(outdated.map(|remote_id| (target.kind, remote_id)));
        let mut observations = Vec::new();
        for (remote_id, seen) in pass.observed {
            let earlier = known.get(&remote_id);
            // What is no longer in its series gets one run of grace from when that was first seen (2.10).
            let run = match (&seen, earlier) {
                (Seen::NotInSeries, Some(earlier)) if earlier.seen == Seen::NotInSeries => earlier.run,
                _ => self.id,
            };
            observations.push(Observation { kind: target.kind, remote_id, seen, run });
        }
        self.store_observations(target.kind, observations, Some(cursor))
    }

    pub(super) fn store_observations(
        &mut self,
        kind: ItemKind,
        observations: Vec<Observation>,
        cursor: Option<&SyncCursor>,
    ) -> Result<(), Stop> {
        let state = self.state.map(|state| state.take_changes()).unwrap_or_default();
        let (forgotten, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.forgotten).into_iter().partition(|(found, _)| *found == kind);
        self.forgotten = others;
        let forgotten: Vec<&str> = forgotten.iter().map(|(_, id)| id.as_str()).collect();
        if observations.is_empty() && forgotten.is_empty() && state.is_empty() {
            let stored = self.store.sync_cursor(self.profile.id, kind)?;
            if cursor.is_none_or(|cursor| stored.as_ref() == Some(cursor)) {
                return Ok(());
            }
        }
        Ok(self.store.store_pull(&PullWrite {
            profile: self.profile.id,
            kind,
            observations: &observations,
            forgotten: &forgotten,
            cursor,
            state: &state,
        })?)
    }

    /// True when something that is linked is not there in a pass.
    fn misses(&self, kind: ItemKind, pass: &Pass) -> Result<bool, Stop> {
        for (remote_id, seen) in &pass.observed {
            if *seen == Seen::Removed
                && let Some(link) = self.store.link_of_item(self.profile.id, kind, remote_id)?
                && link.state == LinkState::Linked
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was seen, with what is not listed any more asked about one by one, and the keys of strangers read (2.5).
    pub(super) fn observed(
        &mut self,
        observations: Vec<Observation>,
        pulled: &Pulled,
        considered: &Considered,
    ) -> Result<BTreeMap<(ItemKind, String), RemoteState>, Stop> {
        let (targets, links) = (&pulled.targets, &considered.links);
        let live = links.iter().filter(|link| link.state != LinkState::Tombstone);
        let linked: HashMap<(ItemKind, &str), &Link> =
            live.filter_map(|link| Some(((link.kind, link.remote_id.as_deref()?), link))).collect();
        let mut states = BTreeMap::new();
        let mut asked: BTreeMap<ItemKind, Vec<String>> = BTreeMap::new();
        for observation in observations {
            let Observation { kind, remote_id, seen, run } = observation;
            if !targets.contains_key(&kind) {
                continue;
            }
            let link = linked.get(&(kind, remote_id.as_str()));
            match seen {
                Seen::Present(item) if link.is_some_and(|link| may_go_round(link, &item, self.request.as_of)) => {
                    asked.entry(kind).or_default().push(remote_id);
                }
                Seen::Present(item) if link.is_none() && item.identity == Identity::Unread => {
                    if is_worth_asking(&item) {
                        asked.entry(kind).or_default().push(remote_id);
                    } else {
                        states.insert((kind, remote_id), RemoteState::Present(item));
                    }
                }
                Seen::Present(item) => {
                    states.insert((kind, remote_id), RemoteState::Present(item));
                }
                Seen::Gone if run == self.id => {
                    states.insert((kind, remote_id), RemoteState::Gone);
                }
                Seen::NotInSeries if run == self.id => {
                    let why =
                        "no longer in its series: looked at again in the next run, because series are split".to_owned();
                    states.insert((kind, remote_id), RemoteState::Unknown(why));
                }
                // What an earlier run found gone may have come back: nothing is made or canceled because of old news.
                Seen::NotInSeries | Seen::Removed | Seen::Gone => asked.entry(kind).or_default().push(remote_id),
            }
        }
        // What is back in the window after it was left alone is looked at once.
        for link in links.iter().filter(|link| link.state == LinkState::Unlinked) {
            let item = link.headquarters.as_ref().and_then(|id| considered.headquarters.get(id));
            if let Some(remote_id) = &link.remote_id
                && item.is_some_and(|item| item.place == Place::Window && !item.withdrawn)
                && !states.contains_key(&(link.kind, remote_id.clone()))
            {
                asked.entry(link.kind).or_default().push(remote_id.clone());
            }
        }
        for (kind, mut ids) in asked {
            ids.sort();
            ids.dedup();
            let Some(collection) = targets.get(&kind) else { continue };
            let target = Target { kind, collection: collection.clone() };
            self.ask(&target, &ids, &mut states)?;
            // That an item is gone which nothing is tied to need not be known.
            let is_forgotten = |id: &&str| {
                let state = states.get(&(kind, (*id).to_owned()));
                !linked.contains_key(&(kind, *id)) && matches!(state, Some(RemoteState::Gone))
            };
            let forgotten: Vec<&str> = ids.iter().map(String::as_str).filter(is_forgotten).collect();
            if !forgotten.is_empty() {
                self.store.forget_observations(self.profile.id, kind, &forgotten)?;
            }
        }
        Ok(states)
    }

    /// Reads items by their ids and keeps what is found out.
    pub(super) fn ask(
        &mut self,
        target: &Target,
        ids: &[String],
        states: &mut BTreeMap<(ItemKind, String), RemoteState>,
    ) -> Result<(), Stop> {
        self.ask_for(target, ids, states)?.map_err(|failure| self.stop_at(failure, target))
    }

    /// As [`ask`](Self::ask), for callers that go on without an answer.
    pub(super) fn ask_for(
        &mut self,
        target: &Target,
        ids: &[String],
        states: &mut BTreeMap<(ItemKind, String), RemoteState>,
    ) -> Result<Result<(), ConnectorFailure>, Stop> {
        let mut observations = Vec::new();
        for batch in ids.chunks(CONNECTOR_BATCH) {
            let asked: Vec<&str> = batch.iter().map(String::as_str).collect();
            let answers = match self.with_patience(|run| run.connector.fetch(&run.account, target, &asked)) {
                Ok(answers) => answers,
                Err(failure) => return Ok(Err(failure)),
            };
            for (id, answer) in batch.iter().zip(answers) {
                let state = match answer {
                    Ok(Some(item)) => RemoteState::Present(Box::new(item)),
                    Ok(None) | Err(ConnectorFailure::Gone) => RemoteState::Gone,
                    Err(ConnectorFailure::Auth(why)) => return Err(Stop::reconnect(&why)),
                    Err(failure) => RemoteState::Unknown(failure.to_string()),
                };
                let seen = match &state {
                    RemoteState::Present(item) => Some(Seen::Present(item.clone())),
                    RemoteState::Gone => Some(Seen::Gone),
                    RemoteState::Unknown(_) => None,
                };
                if let Some(seen) = seen {
                    observations.push(Observation { kind: target.kind, remote_id: id.clone(), seen, run: self.id });
                }
                states.insert((target.kind, id.clone()), state);
            }
        }
        self.store_observations(target.kind, observations, None)?;
        Ok(Ok(()))
    }
}

/// An item of which something was put back before, and of which it was not read who wrote it: that another installation did
/// is what must be known before it is put back once more (2.11). Where nothing goes round, nobody asks.
fn may_go_round(link: &Link, item: &RemoteItem, now: Instant) -> bool {
    let is_unread = item.identity == Identity::Unread && item.writer.is_none();
    is_unread && (!link.flaps.is_empty() || link.reverts.iter().any(|at| now.0 - at.0 < DAY))
}

/// Why nothing may be deleted in the first run after it (guard G3).
fn missed() -> String {
    "the daily check of everything".to_owned()
}

/// A private item is never asked about, and neither is what lies outside of everything.
fn is_worth_asking(item: &RemoteItem) -> bool {
    !item.private && !item.cancelled
}
