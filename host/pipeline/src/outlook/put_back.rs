//! What an undo puts back, each write in the journal before it is sent.

use std::collections::BTreeMap;

use apptsync_model::outlook::{
    Base, ConnectorFailure, Content, FieldSet, ItemKind, Link, LinkState, Projection, Push, RemoteItem, Target,
    projection,
};
use apptsync_model::{ActivityStatus, Severity};
use apptsync_runtime::CONNECTOR_BATCH;
use apptsync_store::{AuditAction, AuditEntry, HeadquartersChange, OperationState, Settled, Settlement, Side};

use super::apply::edited;
use super::considered::Incarnations;
use super::plan::key;
use super::run::Stop;
use super::snapshot::RemoteState;
use super::undo::Undo;
use super::write;

/// A write that undoes one.
struct Sending {
    entry: AuditEntry,
    /// Before the write.
    before: Link,
    /// As the journal keeps it before the write.
    link: Link,
    push: Push,
}

impl Undo<'_> {
    /// Puts back what these entries did, in their order as far as one link is concerned. Writes to Outlook go together.
    pub(super) fn put_back(
        &mut self,
        entries: Vec<AuditEntry>,
        links: &mut BTreeMap<i64, Link>,
        remote: &BTreeMap<(ItemKind, String), RemoteState>,
        last: &mut Incarnations,
    ) -> Result<(), Stop> {
        let mut batch: Vec<Sending> = Vec::new();
        let mut target = None;
        for entry in entries {
            if batch.len() == CONNECTOR_BATCH || batch.iter().any(|sending| sending.link.id == entry.link) {
                self.send(target.as_ref(), &mut batch, links)?;
            }
            let Some(link) = links.get(&entry.link).cloned() else { continue };
            if entry.side == Side::Headquarters {
                let settlement = self.put_back_activity(&entry, link)?;
                for link in self.settle(settlement.into_iter().collect())? {
                    links.insert(link.id, link);
                }
                continue;
            }
            let state = entry.remote_id.as_ref().and_then(|id| remote.get(&(link.kind, id.clone())));
            let place = Some(Target { kind: link.kind, collection: link.collection.clone() });
            if place != target {
                self.send(target.as_ref(), &mut batch, links)?;
                target = place;
            }
            batch.extend(self.prepared(entry, link, state.and_then(RemoteState::item), last));
        }
        self.send(target.as_ref(), &mut batch, links)
    }

    fn put_back_activity(&self, entry: &AuditEntry, mut link: Link) -> Result<Option<Settlement>, Stop> {
        let Some(activity) = self.activity(entry)? else { return Ok(None) };
        let revision = activity.revision;
        let change = match (entry.action, &entry.before) {
            (AuditAction::Created, _) => {
                // The item stays in Outlook, and is not transferred again.
                link.state = LinkState::Ignored;
                HeadquartersChange::Cancel { activity: activity.id, revision }
            }
            (AuditAction::Deleted, _) => {
                link.state = LinkState::Suppressed;
                let status = match activity.status {
                    ActivityStatus::CompletedUnprocessed => ActivityStatus::Planned,
                    status => status,
                };
                HeadquartersChange::Reinstate { activity: activity.id, revision, status }
            }
            (_, Some(before)) => {
                let Some(fields) = edited(before, self.run.request.as_of, self.run.zone) else { return Ok(None) };
                link.base.headquarters.extend(projection(link.kind, before));
                HeadquartersChange::Update { activity: activity.id, revision, fields }
            }
            (_, None) => return Ok(None),
        };
        link.note = "put back by an undo".to_owned();
        let audit = vec![self.entry(entry, &link, entry.after.clone(), entry.before.clone())];
        Ok(Some(Settlement { link, operation: None, change: Some(change), audit, observed: None }))
    }

    /// What is written to Outlook to undo an entry.
    fn prepared(
        &self,
        entry: AuditEntry,
        mut link: Link,
        item: Option<&RemoteItem>,
        last: &mut Incarnations,
    ) -> Option<Sending> {
        let before = link.clone();
        let push = match (entry.action, &entry.before, item) {
            (AuditAction::Created, _, Some(item)) => {
                // Whatever becomes of the answer: that it is gone is no deletion by its user.
                link.state = LinkState::Suppressed;
                Push::Delete { remote_id: item.remote_id.clone(), etag: item.etag.clone() }
            }
            (AuditAction::Deleted, Some(before), _) => {
                let object = link.headquarters.clone()?;
                let incarnation = last.entry((link.kind, object.clone())).or_default();
                *incarnation += 1;
                link.incarnation = *incarnation;
                link.our_id = key(&self.run.profile.name_space, link.kind, &object, link.incarnation);
                Push::Create {
                    key: link.our_id.clone(),
                    our_id: link.our_id.clone(),
                    writer: self.run.writer.clone(),
                    content: before.clone(),
                }
            }
            (_, Some(before), Some(item)) => Push::Update {
                remote_id: item.remote_id.clone(),
                etag: item.etag.clone(),
                content: before.clone(),
                fields: differing(&item.content, before, link.kind),
                our_id: None,
                writer: self.run.writer.clone(),
            },
            _ => return None,
        };
        Some(Sending { entry, before, link, push })
    }

    /// Journals, sends and settles a batch, which is empty then.
    fn send(
        &mut self,
        target: Option<&Target>,
        batch: &mut Vec<Sending>,
        links: &mut BTreeMap<i64, Link>,
    ) -> Result<(), Stop> {
        let batch = std::mem::take(batch);
        let Some(target) = target.filter(|_| !batch.is_empty()) else { return Ok(()) };
        let journal: Vec<_> = batch.iter().map(|sending| self.run.journaled(&sending.link, &sending.push)).collect();
        let journal = self.run.store.begin_operations(self.run.profile.id, self.run.id, &journal)?;
        let pushes: Vec<Push> = batch.iter().map(|sending| sending.push.clone()).collect();
        let pushed = self.run.connector.push(&self.run.account, target, &pushes);
        let outcomes = pushed.unwrap_or_else(|failure| pushes.iter().map(|_| Err(failure.clone())).collect());
        let mut stop = None;
        let (mut done, mut not_done) = (Vec::new(), Vec::new());
        for ((sending, (_, operation)), outcome) in batch.into_iter().zip(journal).zip(outcomes) {
            match outcome {
                Ok(None) if !matches!(sending.push, Push::Delete { .. }) => {
                    let text = "the connector does not show what it wrote: the next run looks for it";
                    self.run.notes.say(Severity::Warning, text);
                }
                Ok(written) => done.push(self.written(sending, operation.id, written)),
                Err(failure) => {
                    self.run.notes.say(Severity::Warning, format!("an item was not put back: {failure}"));
                    if !matches!(failure, ConnectorFailure::Transient(_) | ConnectorFailure::Broken(_)) {
                        not_done.push(write::not_done(&sending.before, operation.id));
                    }
                    if matches!(failure, ConnectorFailure::Auth(_) | ConnectorFailure::Throttled(_)) {
                        stop.get_or_insert(Stop::from(failure));
                    }
                }
            }
        }
        self.run.store.settle(self.run.profile.id, self.run.request.as_of, not_done)?;
        for link in self.settle(done)? {
            links.insert(link.id, link);
        }
        stop.map_or(Ok(()), Err)
    }

    /// What a write that was done means for its link.
    fn written(&self, sending: Sending, operation: i64, written: Option<Box<RemoteItem>>) -> Settlement {
        let Sending { entry, mut link, .. } = sending;
        link.note = "put back by an undo".to_owned();
        match entry.action {
            // The activity stays; its item is not made again.
            AuditAction::Created => link.remote_id = None,
            // The activity is canceled and stays so; the item is the person's alone.
            AuditAction::Deleted => {
                link.state = LinkState::Unlinked;
                link.remote_id = written.as_ref().map(|item| item.remote_id.clone());
            }
            _ => {
                if let Some(item) = &written {
                    let remote = projection(link.kind, &item.content);
                    link.base = Base { remote, writer: item.writer.clone(), ..link.base };
                    link.etag.clone_from(&item.etag);
                }
            }
        }
        let audit = vec![self.entry(&entry, &link, entry.after.clone(), written.map(|item| item.content))];
        let operation = Some((operation, OperationState::Done));
        Settlement { link, operation, change: None, audit, observed: entry.remote_id }
    }

    fn entry(&self, undone: &AuditEntry, link: &Link, before: Option<Content>, after: Option<Content>) -> AuditEntry {
        let action = match undone.action {
            AuditAction::Created => AuditAction::Deleted,
            AuditAction::Deleted => AuditAction::Created,
            _ => AuditAction::Updated,
        };
        AuditEntry {
            sequence: 0,
            run: self.run.id,
            link: link.id,
            side: undone.side,
            action,
            headquarters: undone.headquarters.clone(),
            remote_id: link.remote_id.clone().or_else(|| undone.remote_id.clone()),
            row: "undo".to_owned(),
            before,
            after,
        }
    }

    /// Stores results; the links as they stand then.
    fn settle(&mut self, settlements: Vec<Settlement>) -> Result<Vec<Link>, Stop> {
        let mut links = Vec::new();
        for settled in self.run.store.settle(self.run.profile.id, self.run.request.as_of, settlements)? {
            if let Settled::Done(link, _) = settled {
                self.done += 1;
                links.push(*link);
            } else {
                let text = "an activity was changed meanwhile: it was left as it is";
                self.run.notes.say(Severity::Warning, text);
            }
        }
        Ok(links)
    }
}

fn differing(now: &Content, before: &Content, kind: ItemKind) -> FieldSet {
    let (now, before): (Projection, Projection) = (projection(kind, now), projection(kind, before));
    before.iter().filter(|(field, value)| now.get(field) != Some(value)).map(|(field, _)| *field).collect()
}
