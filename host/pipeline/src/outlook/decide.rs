//! The decision tables: what the two sides did since they last agreed, and what follows from it. Pure: no clock, no input or
//! output.

use apptsync_model::Instant;
use apptsync_model::outlook::{
    Base, DeletionPolicy, Field, ItemKind, Link, LinkState, Origin, OverrideScope, Projection, RemoteItem,
    TextPriority, Value, projection, shared,
};
use apptsync_store::Side;
use serde::Serialize;

use super::merge::{Direction, FieldChange, Merge, Policy, merge};
use super::row::Row;
use super::snapshot::{HeadquartersItem, Place, RemoteState};

const DAY: i64 = 86_400;
/// How long an item that no longer meets the criteria stays linked, in seconds (row 19).
const GRACE: i64 = 7 * DAY;
/// A second deletion within this time is what the person wants, in seconds (row P4).
const RECREATED: i64 = 30 * DAY;
/// How often an edit of an item is put back in a day (row P7).
pub const REVERTS_A_DAY: usize = 3;
/// In how many of the last ten runs a field may go back and forth before the link is put in quarantine (guard G8).
pub(super) const FLAPS: usize = 3;

/// What a profile lays down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Text priority.
    pub priority: TextPriority,
    /// Where it overrides.
    pub scope: OverrideScope,
    /// New Outlook items become activities.
    pub transfer: bool,
    /// What becomes of items that are no longer the representative's.
    pub deletion_policy: DeletionPolicy,
    /// What a person decided about this one.
    pub answer: Option<Side>,
}

impl Rules {
    /// The rules for an object about which a person decided.
    #[must_use]
    pub fn answered(self, answer: Option<Side>) -> Self {
        let priority = match answer {
            Some(Side::Headquarters) => TextPriority::Erp,
            Some(Side::Outlook) => TextPriority::Outlook,
            None => self.priority,
        };
        Self { priority, answer, ..self }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    Nothing,
    /// What both sides say now is what they last agreed on.
    Agree,
    /// An item is made in Outlook.
    Create,
    /// An item is made in Outlook anew, because it was deleted there.
    Recreate,
    /// Fields are written, to one side or to both.
    Update,
    /// The item in Outlook is deleted.
    Delete,
    /// An activity is made.
    Import,
    /// The activity is canceled.
    Cancel,
    /// Item and object are tied together.
    Link,
    /// The person does not want it in Outlook.
    Suppress,
    /// The item of Outlook is not transferred.
    Ignore,
    /// No longer synchronised; both sides stay as they are.
    Unlink,
    /// No longer synchronised; what is in Outlook counts as new there.
    Release,
    /// Waits for a person.
    Hold,
    /// Looked at again in the next run.
    Skip,
    /// Left as it is, by a rule.
    Leave,
    /// Our key is taken off a copy.
    Disown,
    /// The item gets the category *Locked by ERP*.
    Lock,
    /// The category is taken off.
    Unlock,
    /// Left alone until a person looks.
    Quarantine,
    /// Gone on both sides.
    Bury,
}

/// What a row of the table says about one link or item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The row.
    pub row: Row,
    /// What is to be done.
    pub action: Action,
    /// Field by field.
    pub changes: Vec<FieldChange>,
    /// What a person should know.
    pub note: Option<String>,
}

impl Verdict {
    pub(super) fn new(row: Row, action: Action) -> Self {
        Self { row, action, changes: Vec::new(), note: None }
    }

    fn with(row: Row, action: Action, changes: Vec<FieldChange>) -> Self {
        Self { row, action, changes, note: None }
    }

    pub(super) fn because(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// Decides about a link whose object and item are known as far as they can be. `remote` is none when nothing was seen of the
/// item since both sides last agreed.
#[must_use]
pub(super) fn decide(
    link: &Link,
    headquarters: Option<&HeadquartersItem>,
    remote: Option<&RemoteState>,
    target: &str,
    rules: &Rules,
    now: Instant,
) -> Verdict {
    if link.flaps.len() >= FLAPS {
        return Verdict::new(Row::R23, Action::Quarantine)
            .because("the same field went back and forth in three of the last ten runs");
    }
    let Some(ours) = headquarters else {
        return Verdict::new(Row::R23, Action::Skip).because("the object of the headquarters cannot be found");
    };
    if let Some(RemoteState::Unknown(why)) = remote {
        return Verdict::new(Row::R23, Action::Skip).because(why.clone());
    }
    if ours.withdrawn {
        return withdrawn(link, ours, remote, target, rules, now);
    }
    match ours.place {
        Place::Outside => return Verdict::new(Row::R18, Action::Leave),
        Place::Filtered => return filtered(link, now),
        Place::Window | Place::Margin => {}
    }
    if ours.delayed && link.origin == Origin::Mobile {
        return Verdict::new(Row::P8, Action::Leave);
    }
    if link.state == LinkState::Suppressed && !matches!(remote, Some(RemoteState::Present(_))) {
        return Verdict::new(Row::R15, Action::Leave).because("left out of Outlook, as its user wants");
    }
    match remote {
        None => present(link, ours, None, target, rules, now),
        Some(RemoteState::Present(item)) => present(link, ours, Some(item), target, rules, now),
        Some(RemoteState::Gone) => gone(link, ours, rules, now),
        Some(RemoteState::Unknown(why)) => Verdict::new(Row::R23, Action::Skip).because(why.clone()),
    }
}

/// E = D: canceled, or now somebody else's.
fn withdrawn(
    link: &Link,
    ours: &HeadquartersItem,
    remote: Option<&RemoteState>,
    target: &str,
    rules: &Rules,
    now: Instant,
) -> Verdict {
    let item = match remote {
        Some(RemoteState::Gone) => return Verdict::new(Row::R17, Action::Bury),
        Some(RemoteState::Present(item)) => Some(item),
        _ => None,
    };
    // What was deleted or moved away in Outlook is the person's: nothing of it is deleted.
    if link.remote_id.is_none() || (link.state == LinkState::Suppressed && item.is_none()) {
        return Verdict::new(Row::R17, Action::Bury);
    }
    let row = match link.origin {
        _ if ours.moved => Row::P9,
        Origin::Mobile => Row::P5,
        Origin::Headquarters | Origin::Outlook => Row::R13,
    };
    if item.is_some_and(|item| item.collection != link.collection && item.collection != target) {
        return Verdict::new(Row::R22, Action::Unlink);
    }
    if item.map_or(link.base.is_foreign, |item| !item.is_organizer) {
        return Verdict::new(Row::R25, Action::Unlink).because("somebody else's meeting: it stays in Outlook");
    }
    // What the user of an address book added is not thrown away with what the headquarters said.
    if link.kind == ItemKind::Contact && has_own(link, item.map(|item| &**item)) {
        return Verdict::new(row, Action::Unlink).because("its user added something to it: it stays in Outlook");
    }
    let delete = |row| match rules.deletion_policy {
        DeletionPolicy::Keep => Verdict::new(row, Action::Unlink),
        DeletionPolicy::Future => Verdict::new(row, Action::Delete),
    };
    let changed = item.is_some_and(|item| {
        let seen = projection(link.kind, &item.content);
        item.etag != link.etag && link.base.remote.iter().any(|(field, value)| seen.get(field) != Some(value))
    });
    if changed && link.origin != Origin::Mobile && !ours.moved {
        let later = item.and_then(|item| item.changed_at).is_some_and(|edited| edited > ours.changed_at);
        match rules.priority {
            TextPriority::Outlook => return Verdict::new(Row::R14, Action::Release),
            TextPriority::Newest if later => return Verdict::new(Row::R14, Action::Release),
            TextPriority::Ask => {
                return Verdict::new(Row::R14, Action::Hold).because("canceled here, edited in Outlook: which counts?");
            }
            TextPriority::Erp | TextPriority::Newest => return delete(Row::R14),
        }
    }
    // What Mobile planned has happened as soon as it has begun; a task without a date never is over.
    let is_dated = ours.fields.get(&Field::Period) != Some(&Value::Period(None));
    let is_past = is_dated && if row == Row::P5 { ours.start <= now } else { ours.end <= now };
    if is_past { Verdict::new(row, Action::Unlink) } else { delete(row) }
}

/// True for a contact that says more than the headquarters does.
fn has_own(link: &Link, item: Option<&RemoteItem>) -> bool {
    let seen = item.map(|item| projection(link.kind, &item.content));
    let outlook = seen.as_ref().unwrap_or(&link.base.remote);
    shared(outlook, &link.base.headquarters, &link.base.headquarters) != *outlook
}

/// E = X by criteria (row 19).
fn filtered(link: &Link, now: Instant) -> Verdict {
    match link.filtered_since {
        Some(since) if now.0 - since.0 >= GRACE => Verdict::new(Row::R19, Action::Unlink),
        _ => Verdict::new(Row::R19, Action::Leave),
    }
}

/// R = D.
fn gone(link: &Link, ours: &HeadquartersItem, rules: &Rules, now: Instant) -> Verdict {
    let was_recreated = link.recreated_at.is_some_and(|at| now.0 - at.0 < RECREATED);
    let once = |row| {
        if was_recreated {
            return Verdict::new(row, Action::Suppress).because("deleted in Outlook a second time: left out there");
        }
        Verdict::new(row, Action::Recreate)
    };
    if link.origin == Origin::Mobile {
        return once(Row::P4);
    }
    let has_changed = ours.fields.iter().any(|(field, value)| link.base.headquarters.get(field) != Some(value));
    let row = if has_changed { Row::R16 } else { Row::R15 };
    let hold = |row| Verdict::new(row, Action::Hold).because("deleted in Outlook: shall it come back?");
    match (link.origin, has_changed, rules.priority) {
        (_, _, TextPriority::Ask) => hold(row),
        (Origin::Outlook, _, _) if rules.answer == Some(Side::Outlook) => Verdict::new(row, Action::Cancel),
        _ if rules.answer == Some(Side::Outlook) => {
            Verdict::new(row, Action::Suppress).because("deleted in Outlook: left out there")
        }
        (Origin::Outlook, false, _) => Verdict::new(row, Action::Cancel),
        (Origin::Outlook, true, TextPriority::Outlook) => hold(row),
        (Origin::Outlook, true, _) => once(row),
        // Text priority is about texts: what was made in the headquarters comes back once, whichever it is (domain 8).
        (Origin::Headquarters | Origin::Mobile, ..) => once(row),
    }
}

/// Both sides are there.
fn present(
    link: &Link,
    ours: &HeadquartersItem,
    item: Option<&RemoteItem>,
    target: &str,
    rules: &Rules,
    now: Instant,
) -> Verdict {
    if let Some(item) = item {
        if item.private {
            return Verdict::new(Row::R23, Action::Leave).because("private in Outlook: it stays there");
        }
        if item.collection != link.collection && item.collection != target {
            if link.state == LinkState::Suppressed {
                return Verdict::new(Row::R22, Action::Leave);
            }
            if rules.priority == TextPriority::Ask {
                return Verdict::new(Row::R22, Action::Hold)
                    .because("moved to a calendar that is not synchronised: shall it be left alone?");
            }
            return Verdict::new(Row::R22, Action::Suppress)
                .because("moved to a calendar that is not synchronised: left alone");
        }
        if item.cancelled && link.origin == Origin::Outlook {
            return gone(link, ours, rules, now);
        }
    }
    let seen;
    let theirs = match item {
        Some(item) => {
            seen = projection(link.kind, &item.content);
            &seen
        }
        None => &link.base.remote,
    };
    let policy = Policy {
        origin: link.origin,
        priority: rules.priority,
        scope: rules.scope,
        outlook_is_later: item.and_then(|item| item.changed_at).map(|edited| edited > ours.changed_at),
    };
    let merged = if link.kind == ItemKind::Contact {
        let part = |theirs| shared(theirs, &ours.fields, &link.base.headquarters);
        let base = Base { remote: part(&link.base.remote), ..link.base.clone() };
        merge(Some(&base), &ours.fields, &part(theirs), &policy)
    } else {
        merge(Some(&link.base), &ours.fields, theirs, &policy)
    };
    if link.origin == Origin::Mobile {
        return protected(link, item, merged, target, now);
    }
    if item.map_or(link.base.is_foreign, |item| !item.is_organizer) {
        return shadow(merged);
    }
    if ours.closed {
        return closed(merged);
    }
    two_way(link, item, merged, target, ours.delayed)
}

/// Mobile's items: the headquarters' values, always (2.9).
fn protected(link: &Link, item: Option<&RemoteItem>, merged: Merge, target: &str, now: Instant) -> Verdict {
    let row = match (merged.headquarters_changed, merged.outlook_changed) {
        (true, true) => Row::P3,
        (true, false) => Row::P1,
        (false, true) => Row::P2,
        (false, false) if has_moved(link, item, target) => Row::R21,
        (false, false) if item.is_some() => Row::P10,
        (false, false) => Row::R7,
    };
    let today = link.reverts.iter().filter(|at| now.0 - at.0 < DAY).count();
    if row == Row::P2 && today >= REVERTS_A_DAY {
        // Guests might get mail about the category.
        let is_marked = link.base.is_locked || item.is_some_and(|item| item.has_attendees);
        return Verdict::with(Row::P7, if is_marked { Action::Leave } else { Action::Lock }, merged.changes)
            .because("put back three times today: left as it is until tomorrow");
    }
    if merged.has(Direction::ToOutlook) {
        return Verdict::with(row, Action::Update, merged.changes);
    }
    if link.base.is_locked {
        return Verdict::new(Row::P7, Action::Unlock).because("no longer left as it is: edits are put back again");
    }
    if row == Row::R7 { Verdict::new(row, Action::Nothing) } else { agreed(row) }
}

/// True when the item lies in the collection that is synchronised now, and did not before (row 21).
fn has_moved(link: &Link, item: Option<&RemoteItem>, target: &str) -> bool {
    item.is_some_and(|item| item.collection != link.collection && item.collection == target)
}

fn agreed(row: Row) -> Verdict {
    Verdict::new(row, Action::Agree)
}

/// Somebody else's meeting: followed, never written to (row 25).
fn shadow(mut merged: Merge) -> Verdict {
    for change in &mut merged.changes {
        change.direction = match change.outlook {
            // A status goes one way only (domain 7).
            Some(Value::Completed(false)) => Direction::Agreed,
            Some(_) if change.outlook != change.headquarters => Direction::ToHeadquarters,
            _ => Direction::Agreed,
        };
    }
    let action = match (merged.has(Direction::ToHeadquarters), merged.changes.is_empty()) {
        (true, _) => Action::Update,
        (false, false) => Action::Agree,
        (false, true) => Action::Nothing,
    };
    Verdict::with(Row::R25, action, merged.changes)
}

/// Completed or rejected in the headquarters: what changed there is written, edits in Outlook stay there (row 24).
fn closed(merged: Merge) -> Verdict {
    let edited = merged.outlook_changed;
    let changes: Vec<_> = merged
        .changes
        .into_iter()
        .filter(|change| change.headquarters != change.base || change.base.is_none())
        .map(|change| FieldChange { direction: Direction::ToOutlook, ..change })
        .filter(|change| change.outlook != change.headquarters)
        .collect();
    match (changes.is_empty(), edited) {
        (false, _) => Verdict::with(Row::R24, Action::Update, changes),
        (true, true) => agreed(Row::R24).because("completed: edits in Outlook stay there"),
        (true, false) => Verdict::new(Row::R7, Action::Nothing),
    }
}

fn two_way(link: &Link, item: Option<&RemoteItem>, mut merged: Merge, target: &str, delayed: bool) -> Verdict {
    if delayed {
        // What is Delayed stays so (domain 7): Outlook cannot complete it any more.
        merged
            .changes
            .retain(|change| !(change.field == Field::Completed && change.direction == Direction::ToHeadquarters));
    }
    let is_held = merged.has(Direction::Held);
    let (to_outlook, to_headquarters) = (merged.has(Direction::ToOutlook), merged.has(Direction::ToHeadquarters));
    let row = match (merged.headquarters_changed, merged.outlook_changed) {
        (false, false) if has_moved(link, item, target) => Row::R21,
        (false, false) if item.is_some() => Row::P10,
        (false, false) => Row::R7,
        (true, false) => Row::R8,
        (false, true) => Row::R9,
        (true, true) if merged.conflicts => Row::R11,
        (true, true) if to_outlook || to_headquarters => Row::R10,
        (true, true) => Row::R12,
    };
    if is_held {
        return Verdict::with(row, Action::Hold, merged.changes)
            .because("both sides changed the same field: which counts?");
    }
    if to_outlook || to_headquarters {
        return Verdict::with(row, Action::Update, merged.changes);
    }
    match row {
        Row::R7 => Verdict::new(row, Action::Nothing),
        _ => Verdict::with(row, Action::Agree, merged.changes),
    }
}

/// Decides about an object and an item that were there on both sides before they were tied together (rows 5 and 6).
#[must_use]
pub(super) fn adopt(ours: &HeadquartersItem, item: &RemoteItem, rules: &Rules) -> Verdict {
    let theirs = shared(&projection(ours.kind, &item.content), &ours.fields, &Projection::new());
    let policy = Policy {
        origin: ours.origin,
        priority: rules.priority,
        scope: rules.scope,
        outlook_is_later: item.changed_at.map(|edited| edited > ours.changed_at),
    };
    let merged = merge(None, &ours.fields, &theirs, &policy);
    if merged.has(Direction::Held) {
        return Verdict::with(Row::R6, Action::Hold, merged.changes)
            .because("there on both sides, and different: which counts?");
    }
    let row = if merged.changes.is_empty() { Row::R5 } else { Row::R6 };
    Verdict::with(row, Action::Link, merged.changes)
}

/// Decides about an item of Outlook that nothing is tied to (rows 3, 4 and 25). `is_inside` says whether it lies in the
/// window.
#[must_use]
pub(super) fn discover(item: &RemoteItem, is_inside: bool, rules: &Rules) -> Verdict {
    if item.private || item.cancelled || !is_inside {
        // Not even that it is there is kept.
        return Verdict::new(Row::R4, Action::Nothing);
    }
    if !rules.transfer {
        return Verdict::new(Row::R4, Action::Ignore);
    }
    Verdict::new(if item.is_organizer { Row::R3 } else { Row::R25 }, Action::Import)
}
