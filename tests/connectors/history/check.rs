//! What must hold when it has become quiet.

use std::collections::{BTreeMap, BTreeSet};

use apptsync_model::outlook::{Content, HeadquartersId, ItemKind, LinkState, Origin};
use apptsync_model::{ActivityStatus, Instant};
use apptsync_store::{OutlookStore, Store};

use super::History;
use crate::bench::DAY;
use crate::calendar::Item;

impl History<'_> {
    pub(super) fn check(&mut self) {
        self.settle();
        // Some deletions are told by the daily listing alone.
        self.bench.now = Instant(self.bench.now.0 + DAY);
        self.settle();
        let items = self.calendar.items();
        self.check_losses(&items);
        self.check_doubles(&items);
        self.check_sides(&items);
        self.check_series(&items);
        for (handle, before) in &self.private {
            let now = items.iter().find(|item| item.handle == *handle);
            assert_eq!(now, Some(before), "a private item is as its owner left it");
        }
        self.check_local_fields(&items);
        self.check_secrets();
        assert_eq!(self.bench.store.check().expect("a check"), Vec::<String>::new());
    }

    fn check_local_fields(&self, items: &[Item]) {
        let links = self.bench.store.links(self.bench.profile().id).expect("links");
        let is_completed_here = |handle: &String| {
            let mut own = links.iter().filter(|link| link.remote_id.as_ref() == Some(handle));
            own.any(|link| match link.headquarters {
                Some(HeadquartersId::Activity(id)) => self.bench.activity(id).status == ActivityStatus::Completed,
                _ => false,
            })
        };
        for (handle, before) in &self.local {
            let Some(item) = items.iter().find(|item| item.handle == *handle) else { continue };
            assert_eq!(item.local, before.local, "local fields of {handle} are their owner's");
            if item.kind == ItemKind::Task || !item.reminder.is_empty() || !is_completed_here(handle) {
                assert_eq!(item.reminder, before.reminder, "the reminder of {handle} is its owner's");
            }
        }
    }

    /// Every text that somebody wrote and did not write over or delete is on a side, or in the audit.
    fn check_losses(&self, items: &[Item]) {
        let mut found: BTreeSet<String> = self.texts_of_series().collect();
        found.extend(items.iter().flat_map(|item| [item.subject.clone(), item.body.clone()]));
        found.extend(self.bench.activities().into_iter().flat_map(|activity| [activity.subject, activity.description]));
        for run in self.bench.store.sync_runs(self.bench.profile().id, u64::MAX).expect("runs") {
            for entry in self.bench.store.audit(run.id).expect("audit") {
                for content in [entry.before, entry.after].into_iter().flatten() {
                    if let Content::Entry(entry) = content {
                        found.extend([entry.subject, entry.body]);
                    }
                }
            }
        }
        for (place, token) in &self.written {
            assert!(found.contains(token), "`{token}`, written {place}, is lost without a trace");
        }
    }

    /// Each text was written once, so each is the subject of one item and of one activity; occurrences share theirs.
    fn check_doubles(&self, items: &[Item]) {
        let mut subjects = BTreeSet::new();
        for item in items.iter().filter(|item| !self.series_texts.contains(&item.subject)) {
            assert!(subjects.insert(&item.subject), "two items say `{}`: {items:#?}", item.subject);
        }
        let mut subjects = BTreeSet::new();
        for activity in self.bench.activities() {
            if !activity.canceled && !self.series_texts.contains(&activity.subject) {
                assert!(subjects.insert(activity.subject.clone()), "two activities say `{}`", activity.subject);
            }
        }
    }

    /// What is linked says the same on both sides; Mobile's items say what the headquarters says.
    fn check_sides(&self, items: &[Item]) {
        let by_subject: BTreeMap<&str, &Item> = items.iter().map(|item| (item.subject.as_str(), item)).collect();
        for link in self.bench.store.links(self.bench.profile().id).expect("links") {
            let Some(HeadquartersId::Activity(id)) = link.headquarters else { continue };
            let activity = self.bench.activity(id);
            let is_put_back_no_more = link.origin == Origin::Mobile && link.reverts.len() >= 3;
            let is_held = self.held.contains(&format!("activity/{id}"));
            let is_left = link.state != LinkState::Linked || activity.canceled || is_put_back_no_more || is_held;
            if is_left || self.series_texts.contains(&activity.subject) {
                continue;
            }
            let is_completed = activity.status == ActivityStatus::Completed;
            // Of what is completed here, edits in the calendar stay there.
            let is_closed = is_completed && link.origin != Origin::Mobile;
            let by_handle = || items.iter().find(|item| is_closed && link.remote_id.as_ref() == Some(&item.handle));
            let item = by_subject.get(activity.subject.as_str()).copied().or_else(by_handle);
            let item = item.unwrap_or_else(|| panic!("no item says `{}`: {link:#?} {items:#?}", activity.subject));
            assert_eq!(item.kind, activity.entry, "`{}` is something else on each side", activity.subject);
            if item.kind == ItemKind::Task {
                assert_eq!(item.is_completed, is_completed, "`{}` is completed on one side", activity.subject);
            }
            if is_closed {
                continue;
            }
            assert_eq!(item.start, activity.start.0, "`{}` begins elsewhere on each side", activity.subject);
            assert_eq!(item.body, activity.description, "`{}` says something else on each side", activity.subject);
        }
    }

    /// What is private never leaves the calendar, not even into the database's files.
    fn check_secrets(&self) {
        let bytes = self.bench.bytes();
        for item in self.private.values() {
            let secret = item.subject.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|found| found == secret), "`{}` has left", item.subject);
        }
    }
}
