//! A plan: every step of a run before anything is done, with its digest, and what of it one run may do.

use apptsync_model::outlook::{Content, GuardSettings, HeadquartersId, ItemKind, Link};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::decide::{Action, Verdict};
use super::merge::{Direction, FieldChange};
use super::row::Row;
use super::snapshot::HeadquartersItem;

/// Name space of the keys of items.
const KEYS: Uuid = Uuid::from_u128(0x2f6b_4a0e_9d1c_5e7a_8b33_6c41_d0f2_97e5);

/// The key of an item: it follows from profile, object and incarnation, so that it can be found again whatever was lost.
#[must_use]
pub fn key(profile: &str, kind: ItemKind, headquarters: &HeadquartersId, incarnation: u32) -> String {
    Uuid::new_v5(&KEYS, format!("{profile}\n{kind}\n{headquarters}\n{incarnation}").as_bytes()).to_string()
}

/// One step: what is to be done about one link, object or item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the item is.
    pub kind: ItemKind,
    /// The link's place in the snapshot.
    pub link: Option<usize>,
    /// The object of the headquarters.
    pub headquarters: Option<HeadquartersId>,
    /// The item.
    pub remote_id: Option<String>,
    /// For people: the subject or name.
    pub subject: String,
    /// What, and why.
    pub verdict: Verdict,
}

/// A step as plans show it and as their digest covers it.
#[derive(Debug, Clone, Serialize)]
pub struct StepView<'a> {
    /// What the item is.
    pub kind: ItemKind,
    /// The row of the decision table.
    pub row: &'static str,
    /// What is to be done.
    pub action: Action,
    /// The object of the headquarters.
    pub headquarters: Option<String>,
    /// The item.
    pub remote_id: Option<&'a str>,
    /// For people.
    pub subject: &'a str,
    /// Field by field.
    pub changes: &'a [FieldChange],
    /// What a person should know.
    pub note: Option<&'a str>,
}

impl Step {
    /// For plans and digests.
    #[must_use]
    pub fn view(&self) -> StepView<'_> {
        StepView {
            kind: self.kind,
            row: self.verdict.row.name(),
            action: self.verdict.action,
            headquarters: self.headquarters.as_ref().map(ToString::to_string),
            remote_id: self.remote_id.as_deref(),
            subject: &self.subject,
            changes: &self.verdict.changes,
            note: self.verdict.note.as_deref(),
        }
    }

    /// True when fields go that way.
    #[must_use]
    pub fn goes(&self, direction: Direction) -> bool {
        self.verdict.changes.iter().any(|change| change.direction == direction)
    }

    /// True when it is written to Outlook.
    #[must_use]
    pub fn writes_outlook(&self) -> bool {
        match self.verdict.action {
            Action::Create | Action::Recreate | Action::Delete | Action::Disown | Action::Lock | Action::Unlock => true,
            Action::Update | Action::Link => self.goes(Direction::ToOutlook),
            _ => false,
        }
    }

    /// True when it changes the headquarters.
    #[must_use]
    pub fn writes_headquarters(&self) -> bool {
        match self.verdict.action {
            Action::Import | Action::Cancel => true,
            Action::Update | Action::Link => self.goes(Direction::ToHeadquarters),
            _ => false,
        }
    }

    /// True when it puts edits in Outlook back.
    #[must_use]
    pub fn reverts(&self) -> bool {
        self.verdict.action == Action::Update
            && self.verdict.changes.iter().any(|change| change.overrules && change.direction == Direction::ToOutlook)
    }

    /// A link that nothing happens to.
    pub(super) fn idle(index: usize, link: &Link, ours: Option<&HeadquartersItem>) -> Self {
        Self {
            kind: link.kind,
            link: Some(index),
            headquarters: link.headquarters.clone(),
            remote_id: link.remote_id.clone(),
            subject: ours.map(|ours| subject_of(&ours.content)).unwrap_or_default(),
            verdict: Verdict::new(Row::R7, Action::Nothing),
        }
    }

    /// Creations first, deletions last.
    pub(super) fn rank(&self) -> u8 {
        match self.verdict.action {
            Action::Delete | Action::Cancel | Action::Disown => 2,
            Action::Create | Action::Recreate | Action::Import => 0,
            _ => 1,
        }
    }
}

/// A plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Its steps in the order in which they are done.
    pub steps: Vec<Step>,
}

impl Plan {
    /// True when nothing would be written on either side.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(|step| step.writes_outlook() || step.writes_headquarters())
    }

    /// Its digest in hexadecimal: the same steps for the same reasons give the same digest.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for step in self.steps.iter().filter(|step| step.writes_outlook() || step.writes_headquarters()) {
            // A view consists of texts, numbers and lists: it can always be written as JSON.
            hasher.update(serde_json::to_vec(&step.view()).unwrap_or_default());
            hasher.update(b"\n");
        }
        hasher.finalize().iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Lets go of the fields of what is made: they were shown and are in the digest, and applying needs the object alone. A first
    /// plan has thousands.
    pub(super) fn drop_fields_of_new(&mut self) {
        let makes =
            |step: &&mut Step| matches!(step.verdict.action, Action::Create | Action::Recreate | Action::Import);
        self.steps.iter_mut().filter(makes).for_each(|step| step.verdict.changes = Vec::new());
    }
}

/// What a run may still do. Guards judge a plan before this takes anything off it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    creations: u64,
    updates: u64,
    deletions: u64,
}

impl Allowance {
    /// What a profile lets one run do.
    pub(super) fn of(guards: &GuardSettings) -> Self {
        Self { creations: guards.creations_a_run, updates: guards.updates_a_run, deletions: guards.deletions_a_run }
    }

    /// For a plan that a person approved: it is applied as it was shown.
    pub(super) fn unlimited() -> Self {
        Self { creations: u64::MAX, updates: u64::MAX, deletions: u64::MAX }
    }

    /// The steps that this run may do, and those that wait for the next.
    pub(super) fn take<'p>(&mut self, plan: &'p Plan) -> (Vec<&'p Step>, Vec<&'p Step>) {
        plan.steps.iter().partition(|step| {
            let left = match step.verdict.action {
                Action::Create | Action::Recreate | Action::Import => &mut self.creations,
                Action::Delete | Action::Cancel => &mut self.deletions,
                _ if step.writes_outlook() || step.writes_headquarters() => &mut self.updates,
                _ => return true,
            };
            let is_allowed = *left > 0;
            *left = left.saturating_sub(1);
            is_allowed
        })
    }
}

/// For people: a subject or a name.
pub(super) fn subject_of(content: &Content) -> String {
    match content {
        Content::Entry(entry) => entry.subject.clone(),
        Content::Contact(contact) => contact.name.clone(),
    }
}
