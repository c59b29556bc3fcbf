//! Applying a plan: each write is in the journal before it is sent, and its result is stored before the next is.

use std::collections::{BTreeMap, HashSet};

use apptsync_model::Severity;
use apptsync_model::outlook::{
    ConnectorFailure, Field, ItemKind, Link, LinkState, Push, Pushed, RemoteItem, Target, projection,
};
use apptsync_runtime::CONNECTOR_BATCH;
use apptsync_store::{Operation, OperationState, Seen, Settled, Settlement, StoredPush};

use super::apply::Work;
use super::decide::Action;
use super::plan::Step;
use super::run::{Run, Stop};
use super::snapshot::Snapshot;

/// Settlements in one transaction.
const SETTLED_AT_ONCE: usize = 500;
/// Writes without an answer, one after the other, after which the server is taken for down.
const UNANSWERED: usize = 20;

impl Run<'_> {
    /// Applies the steps of a plan. True when something was changed under us, so that a new plan is worth drawing up at once.
    pub(super) fn apply(&mut self, snapshot: &Snapshot, steps: &[&Step]) -> Result<bool, Stop> {
        let (remote, local): (Vec<&Step>, Vec<&Step>) = steps.iter().partition(|step| step.writes_outlook());
        if !remote.is_empty() {
            // From the first entry of the journal on; what was only read is read again.
            self.store.make_durable()?;
        }
        if let Some(progress) = &self.request.progress {
            progress.expect(remote.len() as u64);
        }
        let (cancels, local): (Vec<&Step>, Vec<&Step>) =
            local.into_iter().partition(|step| step.verdict.action == Action::Cancel);
        let mut is_stale = self.settle_locally(snapshot, &local)?;
        let mut groups: BTreeMap<(u8, Target), Vec<&Step>> = BTreeMap::new();
        for step in remote {
            let work = Work { snapshot, step };
            let Some((link, _)) = work.push() else { continue };
            let rank = u8::from(matches!(step.verdict.action, Action::Delete | Action::Disown));
            let target = Target { kind: step.kind, collection: link.collection };
            groups.entry((rank, target)).or_default().push(step);
        }
        for ((_, target), steps) in groups {
            for batch in steps.chunks(CONNECTOR_BATCH) {
                is_stale |= self.send(snapshot, &target, batch)?;
            }
        }
        // Deletions on either side come last.
        is_stale |= self.settle_locally(snapshot, &cancels)?;
        Ok(is_stale)
    }

    fn settle_locally(&mut self, snapshot: &Snapshot, steps: &[&Step]) -> Result<bool, Stop> {
        let mut is_stale = false;
        for batch in steps.chunks(SETTLED_AT_ONCE) {
            let mut settlements = Vec::new();
            let mut settled = Vec::new();
            let mut forgotten = Vec::new();
            for step in batch {
                let work = Work { snapshot, step };
                match step.verdict.action {
                    Action::Hold | Action::Skip => continue,
                    // Nothing ties it to the headquarters and nothing will: what was seen of it is all there is to forget.
                    Action::Nothing | Action::Leave if step.link.is_none() => {
                        forgotten.extend(step.remote_id.as_ref().map(|id| (step.kind, id.as_str())));
                        continue;
                    }
                    _ => {}
                }
                let link = work.link();
                let mut settlement = work.settle(link.clone(), None, true);
                if settlement.link == link && settlement.change.is_none() && settlement.observed.is_none() {
                    continue;
                }
                if step.verdict.action == Action::Import {
                    settlement.link.headquarters = None;
                }
                settlements.push(settlement);
                settled.push(*step);
            }
            for (kind, id) in forgotten {
                self.store.forget_observations(self.profile.id, kind, &[id])?;
            }
            if settlements.is_empty() {
                continue;
            }
            let results = self.store.settle(self.profile.id, self.request.as_of, settlements)?;
            for (step, result) in settled.iter().zip(results) {
                match result {
                    Settled::Done(..) => {
                        // What is released counts as new in Outlook, at once.
                        is_stale |= step.verdict.action == Action::Release;
                        self.done(step);
                    }
                    Settled::Conflict => is_stale = true,
                }
            }
        }
        Ok(is_stale)
    }

    fn done(&mut self, step: &Step) {
        self.operations.count(step);
        if matches!(step.verdict.action, Action::Suppress | Action::Lock) {
            let why = step.verdict.note.clone().unwrap_or_default();
            self.notes.say(Severity::Warning, format!("`{}`: {why}", step.subject));
        }
        if step.reverts() {
            let is_mobile = step.kind != ItemKind::Contact && step.verdict.row.name().starts_with('P');
            let whose = if is_mobile { "Mobile" } else { "the headquarters" };
            let text = format!("`{}`: an edit in Outlook was put back: it is changed in {whose}", step.subject);
            self.notes.say(Severity::Info, text);
        }
        if step.verdict.row == super::row::Row::R11 || step.verdict.row == super::row::Row::R6 {
            for change in step.verdict.changes.iter().filter(|change| change.overrules) {
                let winner = match change.direction {
                    super::merge::Direction::ToOutlook => "the headquarters'",
                    _ => "Outlook's",
                };
                let field = change.field.label();
                self.notes.say(
                    Severity::Info,
                    format!(
                        "`{}`: both sides changed {field}; {winner} version counts, the other is in the audit",
                        step.subject
                    ),
                );
            }
        }
    }

    /// Journals, sends and settles one batch.
    fn send(&mut self, snapshot: &Snapshot, target: &Target, steps: &[&Step]) -> Result<bool, Stop> {
        let mut prepared: Vec<(&Step, Link, Push)> = Vec::new();
        for step in steps {
            if let Some((link, push)) = (Work { snapshot, step }).push() {
                prepared.push((step, link, push));
            }
        }
        let journal: Vec<_> = prepared.iter().map(|(_, link, push)| self.journaled(link, push)).collect();
        let journal = self.store.begin_operations(self.profile.id, self.id, &journal)?;
        let pushes: Vec<Push> = prepared.iter().map(|(_, _, push)| push.clone()).collect();
        let mut batch = Batch::default();
        let mut outcomes = self.push(target, &pushes, &mut batch);
        self.retry_throttled(target, &pushes, &mut outcomes, &mut batch);
        let mut named = HashSet::new();
        for (((step, _, push), (link, operation)), outcome) in prepared.iter().zip(&journal).zip(outcomes) {
            let work = Work { snapshot, step };
            let outcome = self.believed(push, outcome, target.kind, &mut named)?;
            self.settled(work, link, operation.id, push, outcome, &mut batch);
        }
        if let Some(progress) = &self.request.progress {
            progress.advance(steps.len() as u64);
        }
        let results = self.store.settle(self.profile.id, self.request.as_of, batch.settlements.clone())?;
        let (mut alone, mut reread) = (Vec::new(), Vec::new());
        for (index, result) in results.into_iter().enumerate() {
            let Some(step) = batch.done[index] else { continue };
            match result {
                Settled::Done(..) => self.done(step),
                // The headquarters changed meanwhile: what was written to Outlook counts all the same, and what Outlook said
                // before it no longer does.
                Settled::Conflict => {
                    batch.is_stale = true;
                    alone.push(batch.remote_only[index].clone());
                    let written = batch.written[index].take();
                    reread.extend(written.map(|item| (item.remote_id.clone(), Seen::Present(item))));
                }
            }
        }
        reread.append(&mut batch.marked);
        self.keep_seen(target.kind, reread)?;
        let alone: Vec<Settlement> = alone.into_iter().flatten().collect();
        if !alone.is_empty() {
            self.store.settle(self.profile.id, self.request.as_of, alone)?;
        }
        if !batch.conflicts.is_empty() {
            self.ask(target, &batch.conflicts, &mut BTreeMap::new())?;
        }
        self.keep_seen(target.kind, batch.gone.into_iter().map(|id| (id, Seen::Gone)).collect())?;
        match batch.stop {
            Some(stop) => Err(stop),
            None => Ok(batch.is_stale),
        }
    }

    /// A write as the journal has it before it is sent, with its link.
    pub(super) fn journaled(&self, link: &Link, push: &Push) -> (Link, Operation) {
        let operation = Operation {
            id: 0,
            run: self.id,
            link: link.id,
            push: StoredPush::from(push),
            state: OperationState::Sent,
            sent_at: self.request.as_of,
            rounds: 0,
        };
        (link.clone(), operation)
    }

    /// One outcome for each write. What a connector refuses as a whole was certainly not done: nothing more is sent then.
    fn push(&mut self, target: &Target, pushes: &[Push], batch: &mut Batch<'_>) -> Vec<Pushed> {
        let failure = match self.connector.push(&self.account, target, pushes) {
            Ok(outcomes) => return outcomes,
            Err(ConnectorFailure::Permanent(why)) => {
                batch.stop.get_or_insert(Stop::failed(why));
                ConnectorFailure::Throttled(None)
            }
            Err(ConnectorFailure::Gone) => {
                batch.stop.get_or_insert(self.stop_at(ConnectorFailure::Gone, target));
                ConnectorFailure::Throttled(None)
            }
            Err(failure) => failure,
        };
        pushes.iter().map(|_| Err(failure.clone())).collect()
    }

    /// Sends again, once, what a server certainly did not do because it wanted a pause, when there is patience for it.
    fn retry_throttled(&mut self, target: &Target, pushes: &[Push], outcomes: &mut [Pushed], batch: &mut Batch<'_>) {
        while batch.stop.is_none() {
            let waiting: Vec<usize> = (0..outcomes.len())
                .filter(|index| matches!(outcomes[*index], Err(ConnectorFailure::Throttled(_))))
                .collect();
            let pause = waiting
                .iter()
                .filter_map(|index| match &outcomes[*index] {
                    Err(ConnectorFailure::Throttled(seconds)) => Some(seconds.unwrap_or(1).max(1)),
                    _ => None,
                })
                .max();
            let Some(pause) = pause else { return };
            if !self.wait(pause) {
                return;
            }
            let again: Vec<Push> = waiting.iter().map(|index| pushes[*index].clone()).collect();
            let answered = self.push(target, &again, batch);
            for (index, outcome) in waiting.into_iter().zip(answered) {
                outcomes[index] = outcome;
            }
        }
    }

    /// An outcome that names the item of another link, or one that was `named` in this batch already, cannot be true, and
    /// neither can one that shows nothing of what was written: what became of the write is found out later.
    fn believed(
        &self,
        push: &Push,
        outcome: Pushed,
        kind: ItemKind,
        named: &mut HashSet<String>,
    ) -> Result<Pushed, Stop> {
        let Ok(Some(item)) = &outcome else { return Ok(outcome) };
        if let Push::Update { etag, content, fields, .. } = push
            && item.etag == *etag
        {
            let [found, wanted] = [&item.content, content].map(|content| projection(kind, content));
            // A body may be left as it is, as that of an online meeting.
            let is_left = |field: &&Field| fields.has(**field) && **field != Field::Body;
            if Field::ALL.iter().filter(is_left).any(|field| found.get(field) != wanted.get(field)) {
                let why = "the connector says that it wrote, and shows the item as it was before";
                return Ok(Err(ConnectorFailure::Transient(why.to_owned())));
            }
        }
        if push.remote_id() == Some(&item.remote_id) {
            return Ok(outcome);
        }
        let is_synchronised = |link: &Link| link.state != LinkState::Unlinked;
        let link = self.store.link_of_item(self.profile.id, kind, &item.remote_id)?;
        if !link.is_some_and(|link| is_synchronised(&link)) && named.insert(item.remote_id.clone()) {
            return Ok(outcome);
        }
        let why = format!("the connector answers with another item, `{}`", item.remote_id);
        Ok(Err(ConnectorFailure::Transient(why)))
    }

    /// What one outcome means for its link.
    fn settled<'a>(
        &mut self,
        work: Work<'a>,
        link: &Link,
        operation: i64,
        push: &Push,
        outcome: Pushed,
        batch: &mut Batch<'a>,
    ) {
        let deletes = matches!(push, Push::Delete { .. });
        let marks = matches!(push, Push::Mark { .. });
        let outcome = match outcome {
            // What is to be deleted and is not there is deleted.
            Err(ConnectorFailure::Gone) if deletes => Ok(None),
            // The category is for people; where it cannot be, nothing else changes.
            Err(ConnectorFailure::Permanent(_)) if marks => Ok(None),
            other => other,
        };
        match outcome {
            Ok(None) if !deletes && !marks && !matches!(push, Push::Disown { .. }) => {
                // Said to be done, but nothing to show for it: looked at again before it is believed.
                batch.unanswered += 1;
            }
            Ok(item) => {
                batch.unanswered = 0;
                if let Push::Disown { remote_id, .. } = push {
                    // From now on it is an item like any other.
                    batch.is_stale = true;
                    batch.conflicts.push(remote_id.clone());
                }
                // It was put back: the category that said that it is not can go, at once.
                batch.is_stale |= link.base.is_locked && matches!(push, Push::Update { .. });
                if let (Push::Mark { remote_id, .. }, Action::Lock, Some(item)) =
                    (push, work.step.verdict.action, &item)
                {
                    batch.marked.push((remote_id.clone(), Seen::Present(item.clone())));
                }
                let settle = |takes_over| {
                    let mut settlement = work.settle(link.clone(), item.as_deref(), takes_over);
                    settlement.operation = Some((operation, OperationState::Done));
                    settlement
                };
                let (whole, remote_only) = (settle(true), settle(false));
                batch.push(whole, Some(work.step), Some(remote_only));
                if let Some(last) = batch.written.last_mut() {
                    *last = item;
                }
            }
            Err(ConnectorFailure::Conflict) if matches!(push, Push::Create { .. }) => {
                // An item with this key is there: the next run finds it and takes it.
                batch.is_stale = true;
            }
            Err(failure @ (ConnectorFailure::Conflict | ConnectorFailure::Gone)) => {
                batch.is_stale = true;
                if let Some(remote_id) = &work.step.remote_id {
                    match failure {
                        ConnectorFailure::Gone => batch.gone.push(remote_id.clone()),
                        _ => batch.conflicts.push(remote_id.clone()),
                    }
                }
                batch.push(not_done(link, operation), None, None);
            }
            Err(ConnectorFailure::Permanent(why)) => {
                self.notes
                    .say(Severity::Warning, format!("`{}` cannot be written to Outlook: {why}", work.step.subject));
                let mut settlement = not_done(link, operation);
                settlement.link.state = LinkState::Quarantined;
                settlement.link.note = why;
                if let Some(ours) = work.ours() {
                    settlement.link.revision = ours.revision;
                }
                batch.push(settlement, None, None);
            }
            Err(failure @ (ConnectorFailure::Throttled(_) | ConnectorFailure::Auth(_))) => {
                batch.push(not_done(link, operation), None, None);
                batch.stop.get_or_insert(Stop::from(failure));
            }
            Err(ConnectorFailure::Transient(why)) => {
                batch.unanswered += 1;
                if batch.unanswered == 1 {
                    self.notes.say(
                        Severity::Warning,
                        format!(
                            "whether `{}` was written to Outlook is not known and is found out later: {why}",
                            work.step.subject
                        ),
                    );
                }
                if batch.unanswered >= UNANSWERED {
                    batch
                        .stop
                        .get_or_insert(Stop::failed(format!("the server does not answer: {why}; run again later")));
                }
            }
            Err(ConnectorFailure::Broken(why)) => {
                batch.stop.get_or_insert(Stop::failed(why));
            }
        }
    }
}

/// The journal's entry is closed; the link is as before, or waits to be made.
pub(super) fn not_done(link: &Link, operation: i64) -> Settlement {
    Settlement {
        link: link.clone(),
        operation: Some((operation, OperationState::Failed)),
        change: None,
        audit: Vec::new(),
        observed: None,
    }
}

/// The results of one batch.
#[derive(Default)]
struct Batch<'a> {
    settlements: Vec<Settlement>,
    /// The steps that are done when their settlement is stored.
    done: Vec<Option<&'a Step>>,
    /// What is stored instead when the headquarters changed meanwhile.
    remote_only: Vec<Option<Settlement>>,
    /// The items as they were read back.
    written: Vec<Option<Box<RemoteItem>>>,
    conflicts: Vec<String>,
    gone: Vec<String>,
    /// Items as they are with the category, and with edits that still stand.
    marked: Vec<(String, Seen)>,
    is_stale: bool,
    unanswered: usize,
    stop: Option<Stop>,
}

impl<'a> Batch<'a> {
    fn push(&mut self, settlement: Settlement, done: Option<&'a Step>, remote_only: Option<Settlement>) {
        self.settlements.push(settlement);
        self.done.push(done);
        self.remote_only.push(remote_only);
        self.written.push(None);
    }
}
