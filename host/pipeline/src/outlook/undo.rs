//! Undo: what a run changed is put back from the audit, itself planned, guarded and journaled. What somebody changed since
//! is left as it is.

use std::collections::BTreeMap;

use apptsync_model::outlook::{
    Content, Field, HeadquartersId, ItemKind, Link, LinkState, RemoteItem, SyncRunId, Target, Value, normalised,
    projection,
};
use apptsync_model::{Activity, ActivityStatus, Instant, Severity};
use apptsync_runtime::CONNECTOR_BATCH;
use apptsync_store::{AuditAction, AuditEntry, Side, SyncResult, SyncState};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::considered::incarnations;
use super::report::{SyncError, SyncRequest};
use super::run::{Run, Stop, Synchronisation};
use super::snapshot::RemoteState;

/// What is put back.
#[derive(Debug, Clone, Serialize)]
pub struct UndoStep {
    /// The side that changes.
    pub side: Side,
    /// What the run had done.
    pub undoes: AuditAction,
    /// The object of the headquarters.
    pub headquarters: Option<String>,
    /// The item.
    pub remote_id: Option<String>,
    /// Subject or name.
    pub subject: String,
    /// Why it is not put back; none when it is.
    pub left: Option<String>,
    #[serde(skip)]
    entry: AuditEntry,
}

/// What an undo did, or would do.
#[derive(Debug, Clone)]
pub struct UndoReport {
    /// Its own run.
    pub run: SyncRunId,
    /// How it ended.
    pub state: SyncState,
    /// Digest of its plan.
    pub hash: String,
    /// Its steps.
    pub steps: Vec<UndoStep>,
    /// Steps that were done.
    pub done: u64,
    /// Protocol.
    pub messages: Vec<apptsync_model::Message>,
}

/// Puts back what a run changed: all of it, or one item (by activity number or remote id).
///
/// # Errors
/// The run is not one of this profile, or the database cannot be used. What goes wrong with Outlook is in the report.
pub fn undo(
    with: &Synchronisation<'_>,
    run: SyncRunId,
    item: Option<&str>,
    request: &SyncRequest,
) -> Result<UndoReport, SyncError> {
    let known = with.store.sync_run(run)?.filter(|found| found.new.profile == with.profile.id);
    if known.is_none() {
        let name = &with.profile.profile.name;
        return Err(SyncError::Usage(format!(
            "run {run} is none of profile `{name}`: `apptsync outlook status` shows which are"
        )));
    }
    with.store.make_durable()?;
    let mut undoing = Undo { run: Run::begin(with, request, "undo")?, steps: Vec::new(), done: 0 };
    let id = undoing.run.id;
    let mut state = SyncState::Completed;
    let mut hash = String::new();
    match undoing.whole(run, item, &mut hash) {
        Ok(ended) => state = ended,
        Err(stop) => {
            undoing.run.notes.say(Severity::Error, stop.why);
            state = if state == SyncState::Completed { stop.state } else { state };
        }
    }
    let Undo { run: ended, steps, done } = undoing;
    let messages = ended.notes.messages;
    with.store.finish_sync(
        id,
        &SyncResult {
            state,
            finished: Instant::from(chrono::Utc::now()),
            plan: hash.clone(),
            report: serde_json::json!({ "undone": done, "of": run }).to_string(),
            messages: messages.clone(),
        },
    )?;
    Ok(UndoReport { run: id, state, hash, steps, done, messages })
}

/// An undo under way.
pub(super) struct Undo<'a> {
    pub(super) run: Run<'a>,
    steps: Vec<UndoStep>,
    pub(super) done: u64,
}

impl Undo<'_> {
    fn whole(&mut self, run: SyncRunId, item: Option<&str>, hash: &mut String) -> Result<SyncState, Stop> {
        self.run.recover()?;
        let links = self.run.store.links(self.run.profile.id)?;
        let mut last = incarnations(&links);
        let mut links: BTreeMap<i64, Link> = links.into_iter().map(|link| (link.id, link)).collect();
        let mut entries = self.run.store.audit(run)?;
        entries.retain(|entry| item.is_none_or(|item| is_meant(item, entry)));
        let mut entries = joined(entries);
        // The latest first: each change goes back to what was there before it.
        entries.reverse();
        let remote = self.remote(&entries, &links)?;
        for entry in entries {
            let left = self.obstacle(&entry, &links, &remote)?;
            let content = entry.before.as_ref().or(entry.after.as_ref());
            self.steps.push(UndoStep {
                side: entry.side,
                undoes: entry.action,
                headquarters: entry.headquarters.as_ref().map(ToString::to_string),
                remote_id: entry.remote_id.clone(),
                subject: content.map(super::plan::subject_of).unwrap_or_default(),
                left,
                entry,
            });
        }
        *hash = digest(&self.steps);
        if self.run.request.plan_only {
            return Ok(SyncState::Planned);
        }
        if let Some(reason) = self.held(&links).filter(|_| self.run.request.approve.as_ref() != Some(&*hash)) {
            self.run.notes.say(Severity::Warning, reason);
            self.run
                .notes
                .say(Severity::Warning, format!("nothing was put back: `--approve {hash}` does it all the same"));
            return Ok(SyncState::Held);
        }
        let entries = self.steps.iter().filter(|step| step.left.is_none()).map(|step| step.entry.clone()).collect();
        self.put_back(entries, &mut links, &remote, &mut last)?;
        let left = self.steps.iter().filter(|step| step.left.is_some()).count();
        if left > 0 {
            self.run.notes.say(Severity::Warning, format!("{left} changes were left as they are"));
        }
        let is_clean = left == 0 && !self.run.notes.needs_a_look();
        Ok(if is_clean { SyncState::Completed } else { SyncState::CompletedWithWarnings })
    }

    /// The same share of deletions that holds a plan holds an undo (guard G1).
    fn held(&self, links: &BTreeMap<i64, Link>) -> Option<String> {
        let deletes = |step: &&UndoStep| step.left.is_none() && step.undoes == AuditAction::Created;
        let deletions = self.steps.iter().filter(deletes).count() as u64;
        let linked = links.values().filter(|link| link.state == LinkState::Linked).count() as u64;
        let guards = &self.run.profile.profile.guards;
        let allowed = guards.deletions.max(linked * guards.deletions_percent / 100);
        (deletions > allowed).then(|| {
            format!("G1: {deletions} of {linked} linked items would be deleted or canceled; {allowed} are allowed without approval")
        })
    }

    /// The items as they stand now.
    fn remote(
        &mut self,
        entries: &[AuditEntry],
        links: &BTreeMap<i64, Link>,
    ) -> Result<BTreeMap<(ItemKind, String), RemoteState>, Stop> {
        let mut asked: BTreeMap<Target, Vec<String>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.side == Side::Outlook) {
            if let (Some(link), Some(remote_id)) = (links.get(&entry.link), &entry.remote_id) {
                let target = Target { kind: link.kind, collection: link.collection.clone() };
                asked.entry(target).or_default().push(remote_id.clone());
            }
        }
        let mut states = BTreeMap::new();
        for (target, mut ids) in asked {
            ids.sort();
            ids.dedup();
            for batch in ids.chunks(CONNECTOR_BATCH) {
                self.run.ask(&target, batch, &mut states)?;
            }
        }
        Ok(states)
    }

    /// Why an entry cannot be put back: what it made is no longer as it made it.
    fn obstacle(
        &self,
        entry: &AuditEntry,
        links: &BTreeMap<i64, Link>,
        remote: &BTreeMap<(ItemKind, String), RemoteState>,
    ) -> Result<Option<String>, Stop> {
        let Some(link) = links.get(&entry.link) else { return Ok(Some("its link is no longer there".to_owned())) };
        if entry.side == Side::Headquarters {
            let Some(activity) = self.activity(entry)? else {
                return Ok(Some("the activity is no longer there".to_owned()));
            };
            let is_changed = match (&entry.action, &entry.after) {
                (AuditAction::Updated | AuditAction::Created, Some(after)) => {
                    activity.canceled || !says(&activity, after, link.kind)
                }
                (AuditAction::Deleted, _) => !activity.canceled,
                _ => activity.canceled,
            };
            return Ok(is_changed.then(|| "the activity was changed since".to_owned()));
        }
        let state = entry.remote_id.as_ref().and_then(|id| remote.get(&(link.kind, id.clone())));
        Ok(match (entry.action, state) {
            (AuditAction::Deleted, Some(RemoteState::Present(_))) => Some("the item is there again".to_owned()),
            (AuditAction::Deleted, _) if entry.before.is_none() => Some("what the item said is not known".to_owned()),
            (AuditAction::Deleted, _) if is_there_again(link, links) => Some("it is in Outlook again".to_owned()),
            (AuditAction::Deleted, _) => None,
            (_, Some(RemoteState::Present(item))) => match &entry.after {
                Some(after) if !is_same(item, after, link.kind) => Some("the item was changed since".to_owned()),
                Some(_) => None,
                None => Some("what was written is not known".to_owned()),
            },
            (_, Some(RemoteState::Gone)) => Some("the item is no longer there".to_owned()),
            (_, Some(RemoteState::Unknown(why))) => Some(why.clone()),
            (_, None) => Some("the item cannot be found".to_owned()),
        })
    }

    pub(super) fn activity(&self, entry: &AuditEntry) -> Result<Option<Activity>, Stop> {
        match entry.headquarters {
            Some(HeadquartersId::Activity(id)) => Ok(self.run.store.activity(id)?),
            _ => Ok(None),
        }
    }
}

fn is_meant(item: &str, entry: &AuditEntry) -> bool {
    let is_object = entry.headquarters.as_ref().is_some_and(|object| match object {
        HeadquartersId::Activity(number) => item == number.to_string() || item == object.to_string(),
        other => item == other.to_string(),
    });
    is_object || entry.remote_id.as_deref() == Some(item)
}

fn is_same(item: &RemoteItem, content: &Content, kind: ItemKind) -> bool {
    projection(kind, &item.content) == projection(kind, content)
}

/// True when the activity still says what an entry left.
fn says(activity: &Activity, content: &Content, kind: ItemKind) -> bool {
    let Content::Entry(entry) = content else { return false };
    let left = projection(kind, content);
    let is_text = |field, value: &str| left.get(&field) == Some(&Value::Text(normalised(value.trim())));
    is_text(Field::Subject, &activity.subject)
        && is_text(Field::Body, &activity.description)
        && is_text(Field::Location, activity.location())
        && entry.period.is_none_or(|period| period == activity.period)
        && entry.priority == activity.priority
        && entry.completed.is_some() == (activity.status == ActivityStatus::Completed)
}

/// What a run did to each side of an item, as one: from what was there before its first change to what its last one left.
fn joined(entries: Vec<AuditEntry>) -> Vec<AuditEntry> {
    let mut joined: Vec<AuditEntry> = Vec::new();
    for entry in entries {
        let earlier = joined.iter().rposition(|earlier| earlier.side == entry.side && earlier.link == entry.link);
        let Some(earlier) = earlier.map(|index| &mut joined[index]) else {
            joined.push(entry);
            continue;
        };
        match (earlier.action, entry.action) {
            // Deleted, and made anew as another item: two changes.
            (AuditAction::Deleted, _) => joined.push(entry),
            (AuditAction::Created, AuditAction::Deleted) => {
                // Nothing is left of it.
                let link = entry.link;
                joined.retain(|found| found.side != entry.side || found.link != link);
            }
            (first, last) => {
                earlier.action = match (first, last) {
                    (AuditAction::Created, _) => AuditAction::Created,
                    (_, AuditAction::Deleted) => AuditAction::Deleted,
                    (_, last) => last,
                };
                earlier.after = entry.after;
                earlier.remote_id = entry.remote_id.or(earlier.remote_id.take());
            }
        }
    }
    joined
}

/// True when the object of a link has another item by now.
fn is_there_again(link: &Link, links: &BTreeMap<i64, Link>) -> bool {
    links.values().any(|other| {
        other.id != link.id
            && other.kind == link.kind
            && other.headquarters.is_some()
            && other.headquarters == link.headquarters
            && !matches!(other.state, LinkState::Tombstone | LinkState::Unlinked)
    })
}

fn digest(steps: &[UndoStep]) -> String {
    let text = serde_json::to_vec(steps).unwrap_or_default();
    Sha256::digest(text).iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
