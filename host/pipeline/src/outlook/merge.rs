//! Merging two versions of an item, field by field, against what both said when they last agreed.

use apptsync_model::outlook::{Base, Field, Origin, OverrideScope, Projection, TextPriority, Value};
use serde::Serialize;

/// Where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The headquarters' value is written to Outlook.
    ToOutlook,
    /// Outlook's value is taken over.
    ToHeadquarters,
    /// A person decides.
    Held,
    /// Both sides came to the same.
    Agreed,
}

/// What happens to a field, and why: all that `outlook why` and a plan show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Which.
    pub field: Field,
    /// What the headquarters said when both last agreed.
    pub base: Option<Value>,
    /// What the headquarters says.
    pub headquarters: Option<Value>,
    /// What Outlook says; none where it does not say.
    pub outlook: Option<Value>,
    /// Where it goes.
    pub direction: Direction,
    /// The other side's own edit is written over, or left behind: it goes into the audit.
    pub overrules: bool,
}

/// Whose values count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Where the object was made.
    pub origin: Origin,
    /// Text priority.
    pub priority: TextPriority,
    /// Where it overrides edits that Outlook alone has.
    pub scope: OverrideScope,
    /// The later edit is Outlook's, by the clocks of both sides; none where one of them says nothing.
    pub outlook_is_later: Option<bool>,
}

impl Policy {
    /// Who wins where both sides changed a field, or nobody knows who did.
    fn conflict(&self) -> Direction {
        match self.priority {
            _ if self.origin == Origin::Mobile => Direction::ToOutlook,
            TextPriority::Erp => Direction::ToOutlook,
            TextPriority::Outlook => Direction::ToHeadquarters,
            TextPriority::Newest if self.outlook_is_later == Some(true) => Direction::ToHeadquarters,
            TextPriority::Newest => Direction::ToOutlook,
            TextPriority::Ask => Direction::Held,
        }
    }

    /// What becomes of a field that Outlook alone changed (domain 8, Text priority; row 9).
    fn edited_in_outlook(&self, field: Field) -> Direction {
        let overrides = match self.scope {
            OverrideScope::HeadquartersOrigin => self.origin == Origin::Headquarters,
            OverrideScope::ConflictsOnly => false,
            OverrideScope::Always => true,
        };
        let is_overridden = field.is_text() && overrides && self.priority == TextPriority::Erp;
        if self.origin == Origin::Mobile || is_overridden { Direction::ToOutlook } else { Direction::ToHeadquarters }
    }
}

/// How the two versions stand to each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merge {
    /// What happens, field by field; fields in which nothing happens are left out.
    pub changes: Vec<FieldChange>,
    /// The headquarters changed something since both last agreed.
    pub headquarters_changed: bool,
    /// Outlook changed something since both last agreed.
    pub outlook_changed: bool,
    /// Both changed the same field, differently.
    pub conflicts: bool,
}

impl Merge {
    /// The changes that go one way.
    pub fn going(&self, direction: Direction) -> impl Iterator<Item = &FieldChange> {
        self.changes.iter().filter(move |change| change.direction == direction)
    }

    /// True when something goes that way.
    #[must_use]
    pub fn has(&self, direction: Direction) -> bool {
        self.going(direction).next().is_some()
    }
}

/// Merges. Fields that the headquarters does not have belong to Outlook alone; fields that Outlook does not say are only
/// written.
#[must_use]
pub fn merge(base: Option<&Base>, headquarters: &Projection, outlook: &Projection, policy: &Policy) -> Merge {
    let mut merge = Merge::default();
    for (field, value) in headquarters {
        let base_value = base.and_then(|base| base.headquarters.get(field));
        let theirs = outlook.get(field);
        let we_changed = base.is_some() && base_value != Some(value);
        let they_changed = base.is_some_and(|base| theirs.is_some() && base.remote.get(field) != theirs);
        merge.headquarters_changed |= we_changed;
        merge.outlook_changed |= they_changed;
        let (direction, overrules) = match (theirs, base) {
            (None, Some(_)) if we_changed => (Direction::ToOutlook, false),
            (None, Some(_)) => continue,
            // Without a base, what is only ever written is written when it says something.
            (None, None) if *value == Value::Completed(true) => (Direction::ToOutlook, false),
            (None, None) => continue,
            (Some(theirs), None) if theirs == value => continue,
            (Some(_), None) => {
                merge.conflicts = true;
                (policy.conflict(), true)
            }
            (Some(theirs), Some(_)) => match (we_changed, they_changed) {
                (false, false) => continue,
                (true, true) if theirs == value => (Direction::Agreed, false),
                (true, true) => {
                    merge.conflicts = true;
                    (policy.conflict(), true)
                }
                (true, false) => (Direction::ToOutlook, false),
                (false, true) if theirs == value => (Direction::Agreed, false),
                (false, true) => {
                    let direction = policy.edited_in_outlook(*field);
                    (direction, direction == Direction::ToOutlook)
                }
            },
        };
        merge.changes.push(FieldChange {
            field: *field,
            base: base_value.cloned(),
            headquarters: Some(value.clone()),
            outlook: theirs.cloned(),
            direction,
            overrules,
        });
    }
    merge
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(subject: &str, body: &str) -> Projection {
        Projection::from([
            (Field::Subject, Value::Text(subject.to_owned())),
            (Field::Body, Value::Text(body.to_owned())),
        ])
    }

    fn policy(origin: Origin, priority: TextPriority) -> Policy {
        Policy { origin, priority, scope: OverrideScope::HeadquartersOrigin, outlook_is_later: None }
    }

    fn word() -> impl Strategy<Value = String> {
        prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned)
    }

    proptest! {
        /// Once what was decided is applied, both sides say the same and nothing is left to do.
        #[test]
        fn a_merge_applied_leaves_nothing_to_merge(
            base in (word(), word()), ours in (word(), word()), theirs in (word(), word()),
            origin in prop::sample::select(Origin::ALL.to_vec()),
            priority in prop::sample::select(vec![TextPriority::Erp, TextPriority::Outlook, TextPriority::Newest]),
        ) {
            let side = fields(&base.0, &base.1);
            let base = Base { headquarters: side.clone(), remote: side, ..Base::default() };
            let (mut ours, mut theirs) = (fields(&ours.0, &ours.1), fields(&theirs.0, &theirs.1));
            let policy = policy(origin, priority);
            let merged = merge(Some(&base), &ours, &theirs, &policy);
            let lost: Vec<_> = merged.changes.iter().filter(|change| change.overrules).collect();
            for change in &merged.changes {
                match (change.direction, &change.headquarters, &change.outlook) {
                    (Direction::ToOutlook, Some(value), _) => { theirs.insert(change.field, value.clone()); }
                    (Direction::ToHeadquarters, _, Some(value)) => { ours.insert(change.field, value.clone()); }
                    _ => {}
                }
            }
            prop_assert_eq!(&ours, &theirs);
            let agreed = Base { headquarters: ours.clone(), remote: theirs.clone(), ..Base::default() };
            prop_assert!(merge(Some(&agreed), &ours, &theirs, &policy).changes.is_empty());
            // An edit that is written over is always marked as such.
            if origin == Origin::Mobile {
                prop_assert_eq!(lost.is_empty(), !merged.outlook_changed || merged.going(Direction::ToOutlook).all(|change| !change.overrules));
            }
        }
    }

    #[test]
    fn a_server_that_cuts_what_it_is_given_is_no_edit() {
        let base = Base { headquarters: fields("long subject", "b"), remote: fields("long", "b"), ..Base::default() };
        let merged = merge(
            Some(&base),
            &fields("long subject", "b"),
            &fields("long", "b"),
            &policy(Origin::Mobile, TextPriority::Erp),
        );
        assert_eq!(merged, Merge::default());
    }
}
