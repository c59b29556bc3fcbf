//! Drawing up a plan: the step of each link, of each item that no link names, and of each object that nothing is tied to, in an
//! order that does not depend on the order of what was read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use apptsync_model::outlook::{
    Content, Field, HeadquartersId, Identity, ItemKind, Link, LinkState, Origin, Projection, RemoteItem, Value,
    projection,
};
use apptsync_model::{Instant, Period, day_start};

use super::decide::{Action, Verdict, adopt, decide, discover};
use super::merge::{Direction, FieldChange};
use super::plan::{Plan, Step, key, subject_of};
use super::row::Row;
use super::snapshot::{HeadquartersItem, MARGIN, Place, RemoteState, Snapshot};

/// Incarnations of an item that are recognised when its link was lost.
const INCARNATIONS: u32 = 4;

/// Draws up the plan.
#[must_use]
pub fn plan(snapshot: &Snapshot) -> Plan {
    let mut drafted = Draft::new(snapshot);
    drafted.discover();
    drafted.decide();
    drafted.create();
    let mut steps = drafted.steps;
    steps.sort_by(|left, right| {
        let key = |step: &Step| (step.rank(), step.kind, step.headquarters.clone(), step.remote_id.clone());
        key(left).cmp(&key(right))
    });
    Plan { steps }
}

/// The fields of what one side makes of what only the other has.
fn made(fields: Projection, direction: Direction) -> Vec<FieldChange> {
    let change = |(field, value)| {
        let (headquarters, outlook) = match direction {
            Direction::ToHeadquarters => (None, Some(value)),
            _ => (Some(value), None),
        };
        FieldChange { field, base: None, headquarters, outlook, direction, overrules: false }
    };
    let mut changes: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).map(change).collect();
    changes.shrink_to_fit();
    changes
}

/// What two items must have in common to be taken for the same (2.4 d).
type Likeness = (ItemKind, String);

fn likeness(kind: ItemKind, fields: &Projection) -> Option<Likeness> {
    let subject = fields.get(&Field::Subject)?;
    let period = fields.get(&Field::Period)?;
    Some((kind, serde_json::to_string(&(subject, period)).ok()?))
}

/// A plan being drawn up.
struct Draft<'a> {
    snapshot: &'a Snapshot,
    steps: Vec<Step>,
    by_remote: HashMap<(ItemKind, &'a str), usize>,
    by_headquarters: HashMap<(ItemKind, &'a HeadquartersId), usize>,
    by_key: HashMap<&'a str, usize>,
    by_occurrence: HashMap<(ItemKind, &'a str, Instant), usize>,
    by_uid: HashMap<(ItemKind, &'a str, Option<Instant>), usize>,
    /// Items that are series.
    series: HashSet<(ItemKind, &'a str)>,
    /// Links and objects that a step was found for already.
    decided: BTreeSet<usize>,
    claimed: BTreeSet<&'a HeadquartersId>,
    /// Objects without an item by the keys of those they had; found out when an item has an unknown key.
    lost: Option<HashMap<String, &'a HeadquartersItem>>,
}

impl<'a> Draft<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let mut draft = Self {
            snapshot,
            steps: Vec::new(),
            by_remote: HashMap::new(),
            by_headquarters: HashMap::new(),
            by_key: HashMap::new(),
            by_occurrence: HashMap::new(),
            by_uid: HashMap::new(),
            series: snapshot.settled_series.iter().map(|(kind, series)| (*kind, series.as_str())).collect(),
            decided: BTreeSet::new(),
            claimed: BTreeSet::new(),
            lost: None,
        };
        for (index, link) in snapshot.links.iter().enumerate() {
            if link.state == LinkState::Tombstone {
                continue;
            }
            if let Some(remote_id) = &link.remote_id {
                draft.by_remote.insert((link.kind, remote_id.as_str()), index);
            }
            if let Some(occurrence) = &link.occurrence {
                let place = (link.kind, occurrence.series.as_str(), occurrence.original_start);
                draft.by_occurrence.insert(place, index);
                draft.series.insert((link.kind, occurrence.series.as_str()));
            }
            if !link.base.uid.is_empty() {
                let original_start = link.occurrence.as_ref().map(|occurrence| occurrence.original_start);
                draft.by_uid.insert((link.kind, link.base.uid.as_str(), original_start), index);
            }
            if let Some(headquarters) = &link.headquarters {
                draft.by_headquarters.insert((link.kind, headquarters), index);
            }
            // An item that is not transferred may carry the key of another mailbox.
            if !link.our_id.is_empty() && link.headquarters.is_some() {
                draft.by_key.insert(&link.our_id, index);
            }
        }
        for ((kind, _), state) in &snapshot.remote {
            if let RemoteState::Present(item) = state
                && let Some(occurrence) = &item.occurrence
            {
                draft.series.insert((*kind, occurrence.series.as_str()));
            }
        }
        draft
    }

    fn step(
        &mut self,
        link: Option<usize>,
        ours: Option<&HeadquartersItem>,
        item: Option<&RemoteItem>,
        verdict: Verdict,
    ) {
        let known = link.map(|index| &self.snapshot.links[index]);
        let kind = known.map(|link| link.kind).or(ours.map(|ours| ours.kind));
        let kind = kind.unwrap_or(match item.map(|item| &item.content) {
            Some(Content::Contact(_)) => ItemKind::Contact,
            _ => ItemKind::Appointment,
        });
        self.push(kind, link, ours, item, verdict);
    }

    fn push(
        &mut self,
        kind: ItemKind,
        link: Option<usize>,
        ours: Option<&HeadquartersItem>,
        item: Option<&RemoteItem>,
        mut verdict: Verdict,
    ) {
        // What is made is shown whole, and covered by the digest.
        match verdict.action {
            Action::Create | Action::Recreate => {
                let fields = ours.map(|ours| ours.fields.clone()).unwrap_or_default();
                verdict.changes = made(fields, Direction::ToOutlook);
            }
            Action::Import => {
                let fields = item.map(|item| projection(kind, &item.content)).unwrap_or_default();
                verdict.changes = made(fields, Direction::ToHeadquarters);
            }
            _ => {}
        }
        let known = link.map(|index| &self.snapshot.links[index]);
        let remote_id = item.map(|item| item.remote_id.clone()).or_else(|| known?.remote_id.clone());
        let subject = ours.map(|ours| subject_of(&ours.content));
        let subject = subject.or_else(|| item.map(|item| subject_of(&item.content))).unwrap_or_default();
        let headquarters = ours.map(|ours| ours.id.clone()).or_else(|| known?.headquarters.clone());
        self.steps.push(Step { kind, link, headquarters, remote_id, subject, verdict });
    }

    /// Items that no link names: adopted, new, or none of ours (2.4).
    fn discover(&mut self) {
        let snapshot = self.snapshot;
        let mut strangers: BTreeMap<Likeness, Vec<&'a RemoteItem>> = BTreeMap::new();
        for ((kind, remote_id), state) in &snapshot.remote {
            let RemoteState::Present(item) = state else { continue };
            if self.by_remote.contains_key(&(*kind, remote_id.as_str()))
                || self.became_a_series(*kind, item)
                || self.has_another_id(*kind, item)
            {
                continue;
            }
            match &item.identity {
                Identity::Ours(id) => self.ours(*kind, id, item),
                Identity::None | Identity::Unread => {
                    let is_inside = is_inside(snapshot, *kind, item);
                    match likeness(*kind, &projection(*kind, &item.content)).filter(|_| is_inside && is_own(item)) {
                        Some(likeness) if *kind != ItemKind::Contact => {
                            strangers.entry(likeness).or_default().push(item);
                        }
                        _ => self.push(*kind, None, None, Some(item), discover(item, is_inside, &snapshot.rules)),
                    }
                }
            }
        }
        self.match_alike(strangers);
    }

    /// True for the occurrence that a linked item became when it was made a series: the one that takes place when the item
    /// did. Its link goes over to it; the others are new.
    fn became_a_series(&mut self, kind: ItemKind, item: &'a RemoteItem) -> bool {
        let snapshot = self.snapshot;
        let Some(occurrence) = item.occurrence.as_ref().filter(|_| is_own(item)) else { return false };
        let Some(index) = self.by_remote.get(&(kind, occurrence.series.as_str())).copied() else { return false };
        let link = &snapshot.links[index];
        let ours = link.headquarters.as_ref().and_then(|id| snapshot.headquarters.get(id));
        let start = match link.base.remote.get(&Field::Period) {
            Some(Value::Period(Some(Period::Timed { start, .. }))) => Some(*start),
            Some(Value::Period(Some(Period::AllDay { start, .. }))) => Some(day_start(*start, chrono_tz::UTC)),
            _ => None,
        };
        let (Some(ours), true) = (ours, start == Some(occurrence.original_start)) else { return false };
        if ours.withdrawn || link.state != LinkState::Linked || !self.decided.insert(index) {
            return false;
        }
        let verdict = adopt(ours, item, &snapshot.rules_of(&ours.id));
        self.push(kind, Some(index), Some(ours), Some(item), verdict);
        // The series itself is nothing of its own: what was seen of it is forgotten.
        if let Some(RemoteState::Present(series)) = snapshot.remote.get(&(kind, occurrence.series.clone())) {
            self.push(kind, None, None, Some(series), Verdict::new(Row::R4, Action::Nothing));
        }
        true
    }

    /// True for an item that is linked by an id which it no longer has. Ids of occurrences may change when their series is
    /// edited, but not where the pattern of the series puts them (2.10); all ids change when a mailbox is restored or carried
    /// to another server, but not the UIDs (2.4 c).
    fn has_another_id(&mut self, kind: ItemKind, item: &'a RemoteItem) -> bool {
        let snapshot = self.snapshot;
        if !is_own(item) {
            return false;
        }
        let state = |index: usize| {
            let remote_id = snapshot.links[index].remote_id.as_ref()?;
            snapshot.remote.get(&(kind, remote_id.clone()))
        };
        let by_place = item.occurrence.as_ref().and_then(|occurrence| {
            let found = self.by_occurrence.get(&(kind, occurrence.series.as_str(), occurrence.original_start)).copied();
            found.filter(|index| matches!(state(*index), Some(RemoteState::Gone | RemoteState::Unknown(_))))
        });
        let by_uid = || {
            let is_unmarked = !item.uid.is_empty() && !matches!(item.identity, Identity::Ours(_));
            let original_start = item.occurrence.as_ref().map(|occurrence| occurrence.original_start);
            let found = self.by_uid.get(&(kind, item.uid.as_str(), original_start)).copied();
            found.filter(|index| is_unmarked && matches!(state(*index), Some(RemoteState::Gone)))
        };
        let Some(index) = by_place.or_else(by_uid) else { return false };
        let link = &snapshot.links[index];
        if link.state != LinkState::Linked || snapshot.unsettled.contains(&link.id) {
            return false;
        }
        let Some(ours) = link.headquarters.as_ref().and_then(|id| snapshot.headquarters.get(id)) else { return false };
        if !self.decided.insert(index) {
            return false;
        }
        let target = snapshot.targets.get(&kind).map_or("", String::as_str);
        let now = RemoteState::Present(Box::new(item.clone()));
        let verdict = decide(link, Some(ours), Some(&now), target, &snapshot.rules_of(&ours.id), snapshot.now);
        self.push(kind, Some(index), Some(ours), Some(item), verdict);
        true
    }

    /// An item that carries a key of ours, without a link that names it.
    fn ours(&mut self, kind: ItemKind, id: &'a str, item: &'a RemoteItem) {
        let snapshot = self.snapshot;
        if item.private {
            self.push(kind, None, None, Some(item), private(Row::R4));
            return;
        }
        if let Some(index) = self.by_key.get(id).copied() {
            let link = &snapshot.links[index];
            let ours = link.headquarters.as_ref().and_then(|id| snapshot.headquarters.get(id));
            let is_gone = match &link.remote_id {
                None => true,
                Some(remote_id) => {
                    matches!(snapshot.remote.get(&(kind, remote_id.clone())), Some(RemoteState::Gone))
                }
            };
            match ours {
                // Of several copies of what is gone, one takes its place.
                Some(ours) if is_gone && !ours.withdrawn && !self.decided.contains(&index) => {
                    self.decided.insert(index);
                    let verdict = adopt(ours, item, &snapshot.rules_of(&ours.id));
                    self.push(kind, Some(index), Some(ours), Some(item), verdict);
                }
                _ => self.push(kind, None, None, Some(item), Verdict::new(Row::P6, Action::Disown)),
            }
            return;
        }
        // The link may have been lost, but the key follows from the object.
        if self.lost.is_none() {
            self.lost = Some(self.keys_without_item());
        }
        let link_of = |ours: &HeadquartersItem| self.by_headquarters.get(&(kind, &ours.id)).copied();
        // Of several items that carry its keys, one is taken.
        let is_open = |ours: &&HeadquartersItem| link_of(ours).is_none_or(|index| !self.decided.contains(&index));
        let lost = self.lost.as_ref().and_then(|keys| keys.get(id).copied());
        match lost.filter(|ours| ours.kind == kind).filter(is_open) {
            Some(ours) if !ours.withdrawn && self.claimed.insert(&ours.id) => {
                let link = self.by_headquarters.get(&(kind, &ours.id)).copied();
                self.decided.extend(link);
                self.push(kind, link, Some(ours), Some(item), adopt(ours, item, &snapshot.rules_of(&ours.id)));
            }
            Some(_) => self.push(kind, None, None, Some(item), Verdict::new(Row::P6, Action::Disown)),
            None => {
                let verdict = Verdict::new(Row::R4, Action::Ignore)
                    .because("it carries the key of another mailbox, or of what another item took the place of");
                self.push(kind, None, None, Some(item), verdict);
            }
        }
    }

    /// The keys that items of objects without a link, or whose item is still to be made, carry or would.
    fn keys_without_item(&self) -> HashMap<String, &'a HeadquartersItem> {
        let snapshot = self.snapshot;
        let has_no_item = |index: &usize| {
            let link = &snapshot.links[*index];
            link.state == LinkState::CreatingRemote
                && link.remote_id.is_none()
                && !snapshot.unsettled.contains(&link.id)
        };
        let unlinked = snapshot
            .headquarters
            .values()
            .filter(|ours| self.by_headquarters.get(&(ours.kind, &ours.id)).is_none_or(has_no_item));
        let keys = |ours: &'a HeadquartersItem| {
            (0..INCARNATIONS).map(move |incarnation| (key(&snapshot.profile, ours.kind, &ours.id, incarnation), ours))
        };
        unlinked.flat_map(keys).collect()
    }

    /// New items, and those that are there on both sides already: the same time and subject, one on each side.
    fn match_alike(&mut self, strangers: BTreeMap<Likeness, Vec<&'a RemoteItem>>) {
        let snapshot = self.snapshot;
        let mut unlinked: HashMap<Likeness, Vec<&'a HeadquartersItem>> = HashMap::new();
        for ours in snapshot.headquarters.values() {
            if is_new(ours)
                && !self.by_headquarters.contains_key(&(ours.kind, &ours.id))
                && !self.claimed.contains(&ours.id)
                && let Some(likeness) = likeness(ours.kind, &ours.fields)
            {
                unlinked.entry(likeness).or_default().push(ours);
            }
        }
        for (likeness, items) in strangers {
            let kind = likeness.0;
            let candidates = unlinked.get(&likeness).map(Vec::as_slice).unwrap_or_default();
            match (items.as_slice(), candidates) {
                (items, []) => {
                    for item in items {
                        self.push(kind, None, None, Some(item), discover(item, true, &snapshot.rules));
                    }
                }
                ([item], [ours]) => {
                    self.claimed.insert(&ours.id);
                    self.push(kind, None, Some(ours), Some(item), adopt(ours, item, &snapshot.rules_of(&ours.id)));
                }
                (items, candidates) => {
                    let ambiguous = || {
                        Verdict::new(Row::R6, Action::Hold)
                            .because("several with the same time and subject: which belong together?")
                    };
                    for ours in candidates {
                        self.claimed.insert(&ours.id);
                        self.push(kind, None, Some(ours), None, ambiguous());
                    }
                    for item in items {
                        self.push(kind, None, None, Some(item), ambiguous());
                    }
                }
            }
        }
    }

    /// Everything that is linked.
    fn decide(&mut self) {
        let snapshot = self.snapshot;
        for (index, link) in snapshot.links.iter().enumerate() {
            if self.decided.contains(&index) {
                continue;
            }
            let ours = link.headquarters.as_ref().and_then(|id| snapshot.headquarters.get(id));
            let remote = link.remote_id.as_ref().and_then(|id| snapshot.remote.get(&(link.kind, id.clone())));
            let item = match remote {
                Some(RemoteState::Present(item)) => Some(&**item),
                _ => None,
            };
            let Some(verdict) = self.of_link(link, ours, remote) else { continue };
            let verdict = match verdict.action {
                // The days that it did not meet the criteria no longer count.
                Action::Nothing if link.filtered_since.is_some() => Verdict::new(verdict.row, Action::Agree),
                _ => verdict,
            };
            let is_idle = verdict.action == Action::Nothing
                || (verdict.action == Action::Leave && verdict.row != Row::R19 && verdict.note.is_none());
            if !is_idle || remote.is_some() {
                self.step(Some(index), ours, item, verdict);
            }
        }
    }

    /// None where there is nothing to decide.
    fn of_link(&self, link: &Link, ours: Option<&HeadquartersItem>, remote: Option<&RemoteState>) -> Option<Verdict> {
        let snapshot = self.snapshot;
        let target = snapshot.targets.get(&link.kind).map_or("", String::as_str);
        if link.state == LinkState::Tombstone {
            return None;
        }
        if snapshot.unsettled.contains(&link.id) {
            return Some(
                Verdict::new(Row::R23, Action::Skip).because("whether its last write arrived is not known yet"),
            );
        }
        match link.state {
            LinkState::Tombstone => None,
            LinkState::Ignored => match remote {
                Some(RemoteState::Gone) => Some(Verdict::new(Row::R17, Action::Bury)),
                _ => Some(Verdict::new(Row::R4, Action::Nothing)),
            },
            // It is tried again when somebody changed it.
            LinkState::Quarantined if ours.is_none_or(|ours| ours.revision == link.revision) => {
                Some(Verdict::new(Row::R23, Action::Leave))
            }
            LinkState::Unlinked => relinked(ours?, remote, snapshot),
            LinkState::CreatingRemote | LinkState::Quarantined if link.remote_id.is_none() => {
                let ours = ours?;
                if ours.withdrawn {
                    return Some(Verdict::new(Row::R17, Action::Bury));
                }
                let row = if link.incarnation == 0 { Row::R1 } else { Row::R15 };
                Some(Verdict::new(row, if is_new(ours) { Action::Create } else { Action::Leave }))
            }
            LinkState::CreatingRemote | LinkState::Linked | LinkState::Suppressed | LinkState::Quarantined => {
                let cleared;
                let link = if link.state == LinkState::Quarantined {
                    cleared = Link { flaps: Vec::new(), ..link.clone() };
                    &cleared
                } else {
                    link
                };
                // Rescheduled out of the window here: Outlook gets the new time before it is left alone (row 18 is what the
                // window leaves behind).
                let rescheduled = ours
                    .filter(|ours| ours.place == Place::Outside && is_rescheduled(link, ours, snapshot))
                    .map(|ours| HeadquartersItem { place: Place::Margin, ..ours.clone() });
                let ours = rescheduled.as_ref().or(ours);
                let rules = link.headquarters.as_ref().map_or(snapshot.rules, |id| snapshot.rules_of(id));
                let verdict = decide(link, ours, remote, target, &rules, snapshot.now);
                let is_series = link.remote_id.as_deref().is_some_and(|id| self.series.contains(&(link.kind, id)));
                if verdict.action == Action::Delete && is_series {
                    let why = "its user made it a series: it stays in Outlook";
                    return Some(Verdict::new(verdict.row, Action::Unlink).because(why));
                }
                Some(verdict)
            }
        }
    }

    /// Objects that nothing is tied to.
    fn create(&mut self) {
        for ours in self.snapshot.headquarters.values() {
            if is_new(ours)
                && !self.by_headquarters.contains_key(&(ours.kind, &ours.id))
                && !self.claimed.contains(&ours.id)
            {
                self.step(None, Some(ours), None, Verdict::new(Row::R1, Action::Create));
            }
        }
    }
}

/// True when the headquarters gave it another time, and the one that both sides agreed on lies in or near the window.
fn is_rescheduled(link: &Link, ours: &HeadquartersItem, snapshot: &Snapshot) -> bool {
    let agreed = link.base.headquarters.get(&Field::Period);
    let Some(Value::Period(Some(period))) = agreed.filter(|agreed| ours.fields.get(&Field::Period) != Some(*agreed))
    else {
        return false;
    };
    let (start, end) = period.instants(snapshot.zone);
    snapshot.windows.get(&link.kind).is_some_and(|window| window.grown(MARGIN).overlaps(start, end))
}

/// True for what may be tied to an object: the user's own, and not private, nor called off.
fn is_own(item: &RemoteItem) -> bool {
    item.is_organizer && !item.private && !item.cancelled
}

fn private(row: Row) -> Verdict {
    Verdict::new(row, Action::Leave).because("private in Outlook: it stays there")
}

/// What was no longer synchronised is again, when it is back in the window and meets the criteria.
fn relinked(ours: &HeadquartersItem, remote: Option<&RemoteState>, snapshot: &Snapshot) -> Option<Verdict> {
    if !is_new(ours) {
        return None;
    }
    match remote? {
        RemoteState::Present(item) if item.private => Some(private(Row::R23)),
        RemoteState::Present(item) if !item.is_organizer => {
            Some(Verdict::new(Row::R25, Action::Leave).because("somebody else's meeting: never written to"))
        }
        RemoteState::Present(item) => Some(adopt(ours, item, &snapshot.rules_of(&ours.id))),
        RemoteState::Gone => Some(Verdict::new(Row::R1, Action::Recreate)),
        RemoteState::Unknown(why) => Some(Verdict::new(Row::R23, Action::Skip).because(why.clone())),
    }
}

/// True for what is made in Outlook when it is not there (row 1; row 2 is what is outside).
fn is_new(ours: &HeadquartersItem) -> bool {
    ours.place == Place::Window && !ours.withdrawn && !(ours.delayed && ours.origin == Origin::Mobile)
}

/// True when an item of Outlook lies in the window; a task without a date always does.
fn is_inside(snapshot: &Snapshot, kind: ItemKind, item: &RemoteItem) -> bool {
    let Some(window) = snapshot.windows.get(&kind) else { return false };
    match &item.content {
        Content::Contact(_) => false,
        Content::Entry(entry) => entry.period.is_none_or(|period| {
            let (start, end) = period.instants(snapshot.zone);
            window.overlaps(start, end)
        }),
    }
}
