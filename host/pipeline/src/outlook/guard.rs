//! Guards: what a plan must not do without a person's approval. A plan that one of them stops is held whole.

use std::collections::HashMap;

use apptsync_model::outlook::{Field, Link, LinkState, Value};
use apptsync_model::{Instant, Period};

use super::decide::Action;
use super::merge::{Direction, FieldChange};
use super::plan::{Plan, Step};
use super::snapshot::{Place, RemoteState, Snapshot, new_writer};

/// Shifts that a mistaken zone makes, in seconds.
const SHIFTS: [i64; 4] = [-3_600, -1_800, 1_800, 3_600];
/// Below so many updates their share says nothing.
const FEW_UPDATES: u64 = 10;
/// Below so many items a listing says nothing when it shrinks.
const FEW_ITEMS: u64 = 5;

/// Why a plan is held, one sentence for each guard; empty when it may be applied. Guard G8 works on single links and stands
/// with the decisions.
#[must_use]
pub fn held(plan: &Plan, snapshot: &Snapshot) -> Vec<String> {
    [
        mass_deletion(plan, snapshot),
        shrunk(plan, snapshot),
        rebuilt(plan, snapshot),
        mass_update(plan, snapshot),
        shifted(plan, snapshot),
        blanked(plan, snapshot),
        mails(plan, snapshot),
        exploded(plan, snapshot),
        written_elsewhere(plan, snapshot),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn count(plan: &Plan, is_meant: impl Fn(Action) -> bool) -> u64 {
    plan.steps.iter().filter(|step| is_meant(step.verdict.action)).count() as u64
}

fn deletions(plan: &Plan) -> u64 {
    count(plan, |action| matches!(action, Action::Delete | Action::Cancel))
}

/// Linked, and in the window or near it.
fn linked(snapshot: &Snapshot) -> u64 {
    let is_in_scope = |link: &&Link| {
        link.state == LinkState::Linked
            && link
                .headquarters
                .as_ref()
                .and_then(|id| snapshot.headquarters.get(id))
                .is_some_and(|ours| matches!(ours.place, Place::Window | Place::Margin))
    };
    snapshot.links.iter().filter(is_in_scope).count() as u64 + snapshot.settled
}

/// G1: deletions on either side.
fn mass_deletion(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let (deletions, linked) = (deletions(plan), linked(snapshot));
    let allowed = snapshot.guards.deletions.max(linked * snapshot.guards.deletions_percent / 100);
    (deletions > allowed).then(|| {
        format!("G1: {deletions} of {linked} linked items would be deleted or canceled; {allowed} are allowed without approval")
    })
}

/// G2: Outlook has shrunk by more than half, or to nothing. Of a handful of items that says nothing, and it is harmless as
/// long as nothing would be deleted or made anew.
fn shrunk(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let follows =
        count(plan, |action| matches!(action, Action::Delete | Action::Cancel | Action::Recreate | Action::Suppress));
    if follows == 0 {
        return None;
    }
    let shrunk =
        snapshot.listings.iter().find(|(_, listing)| listing.before >= FEW_ITEMS && listing.now * 2 < listing.before);
    if let Some((kind, listing)) = shrunk {
        let (before, now) = (listing.before, listing.now);
        return Some(format!("G2: Outlook listed {before} items of kind {} before and lists {now} now", kind.name()));
    }
    // A server that tells only what changed says the same in other words.
    let is_missing = |link: &&Link| link.state == LinkState::Linked && is_gone(link, snapshot);
    let gone = snapshot.links.iter().filter(is_missing).count() as u64;
    let linked = linked(snapshot);
    (gone >= FEW_ITEMS && gone * 2 > linked)
        .then(|| format!("G2: {gone} of {linked} linked items are no longer in Outlook"))
}

fn is_gone(link: &Link, snapshot: &Snapshot) -> bool {
    let state = link.remote_id.as_ref().and_then(|id| snapshot.remote.get(&(link.kind, id.clone())));
    matches!(state, Some(RemoteState::Gone))
}

/// G3: deletions right after a cursor expired, a connection was made anew, a calendar was changed, or the clock jumped.
fn rebuilt(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let deletions = deletions(plan);
    let why = snapshot.rebuilt.as_ref().filter(|_| deletions > 0)?;
    Some(format!("G3: {deletions} items would be deleted or canceled in the first run after {why}"))
}

/// G4, first half: a large share of what is linked would be changed.
fn mass_update(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let (updates, linked) = (count(plan, |action| action == Action::Update), linked(snapshot));
    let allowed = FEW_UPDATES.max(linked * snapshot.guards.updates_percent / 100);
    (updates > allowed).then(|| {
        format!("G4: {updates} of {linked} linked items would be changed; {allowed} are allowed without approval")
    })
}

/// The value that a change puts in the place of another.
fn replaced(change: &FieldChange) -> Option<(&Value, &Value)> {
    let (from, to) = match change.direction {
        Direction::ToOutlook => (&change.outlook, &change.headquarters),
        Direction::ToHeadquarters => (&change.headquarters, &change.outlook),
        Direction::Held | Direction::Agreed => return None,
    };
    from.as_ref().zip(to.as_ref())
}

fn changes(plan: &Plan) -> impl Iterator<Item = &FieldChange> {
    let writes = |step: &&Step| matches!(step.verdict.action, Action::Update | Action::Link);
    plan.steps.iter().filter(writes).flat_map(|step| &step.verdict.changes)
}

fn starts(value: &Value) -> Option<Instant> {
    match value {
        Value::Period(Some(Period::Timed { start, .. })) => Some(*start),
        _ => None,
    }
}

/// G4, second half: many items are shifted by the same half hour or hour, as a mistaken zone does it.
fn shifted(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let mut shifts: HashMap<i64, u64> = HashMap::new();
    for change in changes(plan).filter(|change| change.field == Field::Period) {
        if let Some((from, to)) = replaced(change)
            && let Some((from, to)) = starts(from).zip(starts(to))
        {
            *shifts.entry(to.0 - from.0).or_default() += 1;
        }
    }
    let (shift, items) =
        SHIFTS.iter().filter_map(|shift| Some((shift, *shifts.get(shift)?))).max_by_key(|found| found.1)?;
    (items >= snapshot.guards.alike).then(|| format!("G4: {items} items would all be moved by {} minutes", shift / 60))
}

/// G5: fields become empty.
fn blanked(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let is_blanked =
        |change: &&FieldChange| replaced(change).is_some_and(|(from, to)| !from.is_empty() && to.is_empty());
    let blanked = changes(plan).filter(is_blanked).count() as u64;
    (blanked >= snapshot.guards.alike).then(|| format!("G5: {blanked} fields would become empty"))
}

/// G6: a write would mail other people.
fn mails(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    if snapshot.guards.mail_attendees {
        return None;
    }
    let mails = |step: &&Step| {
        let item = step.remote_id.as_ref().and_then(|id| snapshot.remote.get(&(step.kind, id.clone())));
        let had = step.link.is_some_and(|index| snapshot.links[index].base.has_attendees);
        step.writes_outlook()
            && match item {
                Some(RemoteState::Present(item)) => item.has_attendees,
                _ => had,
            }
    };
    let found = plan.steps.iter().filter(mails).count();
    (found > 0).then(|| format!("G6: {found} items have attendees, and writing to them would mail these people"))
}

/// G7: one series would become very many activities.
fn exploded(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let mut occurrences: HashMap<&str, u64> = HashMap::new();
    for step in plan.steps.iter().filter(|step| step.verdict.action == Action::Import) {
        let item = step.remote_id.as_ref().and_then(|id| snapshot.remote.get(&(step.kind, id.clone())));
        if let Some(RemoteState::Present(item)) = item
            && let Some(occurrence) = &item.occurrence
        {
            *occurrences.entry(&occurrence.series).or_default() += 1;
        }
    }
    let most = occurrences.into_values().max().unwrap_or(0);
    (most > snapshot.guards.occurrences).then(|| {
        format!(
            "G7: one series would become {most} activities; {} are allowed without approval",
            snapshot.guards.occurrences
        )
    })
}

/// Loops of two installations (2.11): what is written over was written by another one, which would write over this in turn.
fn written_elsewhere(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let overwrites = |step: &&Step| {
        matches!(step.verdict.action, Action::Update | Action::Recreate | Action::Delete) && step.writes_outlook()
    };
    let is_written_elsewhere = |step: &&Step| {
        let link = step.link.map(|index| &snapshot.links[index]);
        let writer = link.and_then(|link| new_writer(link, &snapshot.remote));
        writer.is_some_and(|writer| snapshot.strangers.contains(writer))
    };
    let found = plan.steps.iter().filter(overwrites).filter(is_written_elsewhere).count();
    (found > 0).then(|| {
        let items = if found == 1 { "1 item that this plan would change was" } else { &*format!("{found} items that this plan would change were") };
        format!(
            "writer: {items} last written by another installation of apptsync (a copy of this database, or this one before it was restored): let only one of them synchronize this calendar, then approve"
        )
    })
}
