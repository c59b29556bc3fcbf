//! What an earlier run sent and heard nothing of is cleared up before anything else: an item is looked for by its key before
//! it may be made again, and then with the same key (2.6).

use std::collections::{BTreeMap, HashSet};

use apptsync_model::outlook::{
    ConnectorFailure, Contact, Content, Entry, Field, ItemKind, Link, LinkState, Projection, Push, RemoteItem, Target,
    Value, content, projection,
};
use apptsync_model::{Priority, Severity};
use apptsync_runtime::CONNECTOR_BATCH;
use apptsync_store::{
    AuditAction, AuditEntry, Observation, Operation, OperationState, Seen, Settlement, Side, StoredPush,
};

use super::connection::place_of;
use super::row::Row;
use super::run::{Run, Stop};
use super::snapshot::RemoteState;
use super::write::not_done;

/// How long a server may take until it finds what it made, in seconds.
const REPLICATION: i64 = 30;
/// How often an item is looked for in vain and sent again before a person is asked.
const ROUNDS: u32 = 3;

impl Run<'_> {
    /// Clears up; what stays unclear keeps its journal entry, and its link is left alone.
    pub(super) fn recover(&mut self) -> Result<(), Stop> {
        let unsettled = self.store.unsettled(self.profile.id)?;
        if unsettled.is_empty() {
            return Ok(());
        }
        let text = format!("{} writes of an earlier run are not confirmed: they are looked for", unsettled.len());
        self.notes.say(Severity::Info, text);
        let links: BTreeMap<i64, Link> =
            self.store.links(self.profile.id)?.into_iter().map(|link| (link.id, link)).collect();
        let taken: HashSet<(ItemKind, String)> =
            links.values().filter_map(|link| Some((link.kind, link.remote_id.clone()?))).collect();
        let reads_own_writes = self.connect()?.reads_own_writes;
        let mut creations: BTreeMap<(ItemKind, String), Vec<(Operation, Link)>> = BTreeMap::new();
        let mut others: BTreeMap<(ItemKind, String), Vec<(Operation, Link)>> = BTreeMap::new();
        let mut waiting = 0;
        for operation in unsettled {
            let Some(link) = links.get(&operation.link).cloned() else { continue };
            let key = (link.kind, link.collection.clone());
            match operation.push {
                StoredPush::Create { .. } => {
                    let age = self.request.as_of.0 - operation.sent_at.0;
                    // A clock that was put back must not make it wait for ever.
                    if reads_own_writes || !(0..REPLICATION).contains(&age) {
                        creations.entry(key).or_default().push((operation, link));
                    } else {
                        waiting += 1;
                    }
                }
                _ => others.entry(key).or_default().push((operation, link)),
            }
        }
        if waiting > 0 {
            let text = format!(
                "{waiting} of them may not be found yet: a run {REPLICATION} seconds after they were sent looks for them"
            );
            self.notes.say(Severity::Info, text);
        }
        for ((kind, collection), operations) in creations {
            let target = Target { kind, collection };
            for batch in operations.chunks(CONNECTOR_BATCH) {
                self.find_created(&target, batch, &taken)?;
            }
        }
        for ((kind, collection), operations) in others {
            let target = Target { kind, collection };
            for batch in operations.chunks(CONNECTOR_BATCH) {
                self.reread(&target, batch)?;
            }
        }
        Ok(())
    }

    /// Looks for items by their keys; those that other links name are none of them.
    fn find_created(
        &mut self,
        target: &Target,
        batch: &[(Operation, Link)],
        taken: &HashSet<(ItemKind, String)>,
    ) -> Result<(), Stop> {
        let keys: Vec<&str> = batch.iter().map(|(_, link)| link.our_id.as_str()).collect();
        let found = match self.with_patience(|run| run.connector.find(&run.account, target, &keys)) {
            Ok(found) => found,
            Err(failure) => return self.without_collection(failure, target, batch),
        };
        let mut settlements = Vec::new();
        let mut again = Vec::new();
        for ((operation, link), mut items) in batch.iter().zip(found) {
            items.retain(|item| {
                link.remote_id.as_ref() == Some(&item.remote_id)
                    || !taken.contains(&(target.kind, item.remote_id.clone()))
            });
            items.sort_by(|one, other| one.remote_id.cmp(&other.remote_id));
            match items.into_iter().next() {
                Some(item) => settlements.push(adopted(operation, link, &item)),
                None if operation.rounds < ROUNDS => again.push((operation, link)),
                None => self.notes.say(
                    Severity::Warning,
                    format!(
                        "an item was sent {ROUNDS} times and cannot be found (`{}`): look whether it is in Outlook; it is not sent again",
                        link.our_id
                    ),
                ),
            }
        }
        let observed = settlements.iter().map(|settlement| settlement.link.remote_id.clone()).collect::<Vec<_>>();
        self.store.settle(self.profile.id, self.request.as_of, settlements)?;
        let ids: Vec<String> = observed.into_iter().flatten().collect();
        self.read_anew(target, &ids)?;
        // A plan that is only shown writes nothing.
        if self.request.plan_only { Ok(()) } else { self.send_again(target, &again) }
    }

    /// When the collection is gone for good, what was to be made or changed in it is gone with it; otherwise the run stops as
    /// it would anywhere.
    fn without_collection(
        &mut self,
        failure: ConnectorFailure,
        target: &Target,
        batch: &[(Operation, Link)],
    ) -> Result<(), Stop> {
        let is_listed = |run: &mut Self| -> Result<bool, Stop> {
            Ok(run.connect()?.collections.iter().any(|found| found.id == target.collection))
        };
        if failure != ConnectorFailure::Gone || is_listed(self)? {
            return Err(self.stop_at(failure, target));
        }
        self.notes.say(
            Severity::Warning,
            format!(
                "the {} that {} unconfirmed writes went to is no longer there: they are done with",
                place_of(target.kind),
                batch.len()
            ),
        );
        let settlements = batch.iter().map(|(operation, link)| not_done(link, operation.id)).collect();
        self.store.settle(self.profile.id, self.request.as_of, settlements)?;
        Ok(())
    }

    /// The same item with the same key once more.
    fn send_again(&mut self, target: &Target, again: &[(&Operation, &Link)]) -> Result<(), Stop> {
        if again.is_empty() {
            return Ok(());
        }
        let pushes: Vec<Push> = again
            .iter()
            .filter_map(|(operation, link)| match &operation.push {
                StoredPush::Create { our_id, content } => Some(Push::Create {
                    key: link.our_id.clone(),
                    our_id: our_id.clone(),
                    writer: self.writer.clone(),
                    content: content.clone(),
                }),
                _ => None,
            })
            .collect();
        for (operation, _) in again {
            self.store.count_round(operation.id, self.request.as_of)?;
        }
        let outcomes = self.with_patience(|run| run.connector.push(&run.account, target, &pushes));
        let outcomes = outcomes.map_err(|failure| self.stop_at(failure, target))?;
        let mut settlements = Vec::new();
        let mut ids = Vec::new();
        for ((operation, link), outcome) in again.iter().zip(outcomes) {
            match outcome {
                Ok(Some(item)) => {
                    ids.push(item.remote_id.clone());
                    settlements.push(adopted(operation, link, &item));
                }
                // Whatever else came back: the next run looks for it again.
                Ok(None) => {}
                Err(why) => self.notes.say(
                    Severity::Warning,
                    format!("an item whose fate is not known could not be sent again (`{}`): {why}", link.our_id),
                ),
            }
        }
        self.store.settle(self.profile.id, self.request.as_of, settlements)?;
        self.read_anew(target, &ids)
    }

    /// Items that were to be changed or deleted: what they say now is looked at as anything that Outlook says. What they said
    /// before goes into the audit, because the write may have been done.
    fn reread(&mut self, target: &Target, batch: &[(Operation, Link)]) -> Result<(), Stop> {
        let before: BTreeMap<String, RemoteItem> = self
            .store
            .observations(self.profile.id)?
            .into_iter()
            .filter(|observation| observation.kind == target.kind)
            .filter_map(|observation| match observation.seen {
                Seen::Present(item) => Some((observation.remote_id, *item)),
                _ => None,
            })
            .collect();
        let ids: Vec<String> = batch.iter().map(|(operation, _)| remote_id(&operation.push)).collect();
        let mut states = BTreeMap::new();
        if let Err(failure) = self.ask_for(target, &ids, &mut states)? {
            return self.without_collection(failure, target, batch);
        }
        let mut settlements = Vec::new();
        for ((operation, link), id) in batch.iter().zip(&ids) {
            let now = match states.get(&(target.kind, id.clone())) {
                Some(RemoteState::Present(item)) => Some(&**item),
                Some(RemoteState::Gone) => None,
                Some(RemoteState::Unknown(_)) | None => {
                    // What is pulled now may be our own write, in the place of what it wrote over.
                    if operation.rounds == 0 {
                        self.store.count_round(operation.id, operation.sent_at)?;
                        let audit = overwritten(operation, link, before.get(id), None).into_iter().collect();
                        let link = link.clone();
                        settlements.push(Settlement { link, operation: None, change: None, audit, observed: None });
                    }
                    continue;
                }
            };
            settlements.push(Settlement {
                link: link.clone(),
                operation: Some((operation.id, OperationState::Failed)),
                change: None,
                audit: overwritten(operation, link, before.get(id), now).into_iter().collect(),
                observed: None,
            });
        }
        self.store.settle(self.profile.id, self.request.as_of, settlements)?;
        Ok(())
    }

    /// What was found is kept as seen, so that the plan compares it with both sides.
    fn read_anew(&mut self, target: &Target, ids: &[String]) -> Result<(), Stop> {
        if ids.is_empty() {
            return Ok(());
        }
        self.ask(target, ids, &mut BTreeMap::new())
    }

    /// Keeps an item as seen.
    pub(super) fn keep_seen(&mut self, kind: ItemKind, seen: Vec<(String, Seen)>) -> Result<(), Stop> {
        let observation = |(remote_id, seen)| Observation { kind, remote_id, seen, run: self.id };
        let observations = seen.into_iter().map(observation).collect();
        self.store_observations(kind, observations, None)
    }
}

/// The link to an item that was found by its key. What it says now is what the server made of what was sent, so that is no
/// edit of a person, unless it is completed; where it differs from the headquarters, the headquarters' version is written once more.
fn adopted(operation: &Operation, link: &Link, item: &RemoteItem) -> Settlement {
    let mut link = link.clone();
    let is_known = link.state == LinkState::Linked && link.remote_id.as_ref() == Some(&item.remote_id);
    let made = AuditEntry {
        sequence: 0,
        run: operation.run,
        link: link.id,
        side: Side::Outlook,
        action: AuditAction::Created,
        headquarters: link.headquarters.clone(),
        remote_id: Some(item.remote_id.clone()),
        row: Row::R1.name().to_owned(),
        before: None,
        after: Some(item.content.clone()),
    };
    let settled = |link| Settlement {
        link,
        operation: Some((operation.id, OperationState::Done)),
        change: None,
        audit: vec![made],
        observed: None,
    };
    if is_known {
        // It was seen and tied to its object before its answer was looked for.
        return settled(link);
    }
    link.base.remote = projection(link.kind, &item.content);
    if let StoredPush::Create { content, .. } = &operation.push {
        let remote = &link.base.remote;
        let is_kept = |(field, sent): &(Field, Value)| remote.get(field).is_none_or(|found| found == sent);
        let mut kept: Projection = projection(link.kind, content).into_iter().filter(is_kept).collect();
        if let Content::Entry(entry) = content {
            let sent = Value::Completed(entry.completed.is_some());
            kept.insert(Field::Completed, sent.clone());
            // No server completes a task of its own accord: that is an edit of a person after all.
            link.base.remote.entry(Field::Completed).and_modify(|found| *found = sent);
        }
        link.base.headquarters = kept;
    }
    link.remote_id = Some(item.remote_id.clone());
    link.collection.clone_from(&item.collection);
    link.occurrence.clone_from(&item.occurrence);
    // Not the item's etag: what it says is compared once more.
    link.etag = String::new();
    // An undo makes items whose activity is canceled: they are the user's own.
    link.state = if link.state == LinkState::CreatingRemote { LinkState::Linked } else { LinkState::Unlinked };
    link.revision = 0;
    settled(link)
}

/// What a write whose answer was lost has written over, if it was done.
fn overwritten(
    operation: &Operation,
    link: &Link,
    seen: Option<&RemoteItem>,
    now: Option<&RemoteItem>,
) -> Option<AuditEntry> {
    let etag = seen.map_or(link.etag.as_str(), |seen| seen.etag.as_str());
    if now.is_some_and(|now| now.etag == etag) || matches!(operation.push, StoredPush::Mark { .. }) {
        return None;
    }
    let sent = match &operation.push {
        StoredPush::Create { content, .. } | StoredPush::Update { content, .. } => Some(content),
        StoredPush::Delete { .. } | StoredPush::Disown { .. } | StoredPush::Mark { .. } => None,
    };
    let known = now.map(|now| &now.content).or(sent).cloned().unwrap_or_else(|| blank(link.kind));
    let before = seen.map_or_else(|| content(&link.base.remote, &known), |seen| seen.content.clone());
    let is_deleted = now.is_none() && matches!(operation.push, StoredPush::Delete { .. });
    Some(AuditEntry {
        sequence: 0,
        run: operation.run,
        link: link.id,
        side: Side::Outlook,
        action: if is_deleted { AuditAction::Deleted } else { AuditAction::Updated },
        headquarters: link.headquarters.clone(),
        remote_id: link.remote_id.clone(),
        row: Row::R23.name().to_owned(),
        before: Some(before),
        after: now.map(|now| now.content.clone()),
    })
}

/// An item that says nothing.
fn blank(kind: ItemKind) -> Content {
    if kind == ItemKind::Contact {
        return Content::Contact(Contact::default());
    }
    Content::Entry(Entry {
        subject: String::new(),
        body: String::new(),
        location: String::new(),
        period: None,
        zone: String::new(),
        priority: Priority::Normal,
        completed: None,
    })
}

fn remote_id(push: &StoredPush) -> String {
    match push {
        StoredPush::Create { our_id, .. } => our_id.clone(),
        StoredPush::Update { remote_id, .. }
        | StoredPush::Delete { remote_id }
        | StoredPush::Disown { remote_id }
        | StoredPush::Mark { remote_id } => remote_id.clone(),
    }
}
