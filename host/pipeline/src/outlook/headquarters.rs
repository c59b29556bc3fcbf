//! The headquarters' side of a snapshot: activities as items.

use std::collections::BTreeMap;

use apptsync_model::outlook::{
    Content, Criteria, Entry, Field, HeadquartersId, ItemKind, Link, Origin, SyncSettings, Value, Window, projection,
};
use apptsync_model::{APPOINTMENT_SYNCHRONIZE, Activity, ActivityStatus, Instant};
use apptsync_store::{OutlookStore, ProfileId};
use chrono_tz::Tz;

use super::considered::{Considered, Touched};
use super::snapshot::{HeadquartersItem, MARGIN, Place};

/// The window of each kind that the settings name.
pub(super) fn windows(settings: &SyncSettings, now: Instant) -> Result<BTreeMap<ItemKind, Window>, String> {
    let mut windows = BTreeMap::new();
    for (kind, scope) in [(ItemKind::Appointment, &settings.calendar), (ItemKind::Task, &settings.tasks)] {
        if let Some(scope) = scope {
            windows.insert(kind, scope.window(now)?);
        }
    }
    Ok(windows)
}

/// The headquarters as a profile sees it.
pub(super) struct View<'a> {
    pub(super) store: &'a dyn OutlookStore,
    pub(super) profile: ProfileId,
    pub(super) employee: &'a str,
    pub(super) zone: Tz,
    pub(super) settings: &'a SyncSettings,
    pub(super) windows: &'a BTreeMap<ItemKind, Window>,
}

impl View<'_> {
    /// The links of these kinds with their activities, and the representative's activities in and near the windows that
    /// nothing is tied to: those that a plan has to look at, or all.
    pub(super) fn consider(
        &self,
        takes_part: impl Fn(ItemKind) -> bool,
        touched: Option<&Touched<'_>>,
    ) -> apptsync_store::Result<Considered> {
        let mut considered = Considered::default();
        self.store.visit_links(self.profile, &mut |link, activity| {
            if takes_part(link.kind) {
                let ours = activity.map(|activity| self.item(&activity, Some(&link)));
                considered.take(link, ours, touched);
            }
        })?;
        let all = self.windows.values().copied();
        let all = all.reduce(|one, other| Window { start: one.start.min(other.start), end: one.end.max(other.end) });
        if let Some(all) = all {
            self.store.visit_unlinked(self.profile, self.employee, all.grown(MARGIN), &mut |activity| {
                if takes_part(activity.entry) {
                    considered.take_new(self.item(&activity, None));
                }
            })?;
        }
        Ok(considered)
    }

    fn item(&self, activity: &Activity, link: Option<&Link>) -> HeadquartersItem {
        let mut item = as_item(activity, self.employee, self.zone, self.settings, self.windows);
        // What the headquarters has no place for belongs to Outlook alone; for what came from there it has one, and what it
        // had a place for it may take it away from.
        let has_place = item.origin == Origin::Outlook || link.is_some_and(had_location);
        if activity.location().is_empty() && !has_place {
            item.fields.remove(&Field::Location);
        }
        item
    }
}

/// True when the headquarters had a location when both sides last agreed.
fn had_location(link: &Link) -> bool {
    link.base.headquarters.get(&Field::Location).is_some_and(|location| !location.is_empty())
}

fn as_item(
    activity: &Activity,
    employee: &str,
    zone: Tz,
    settings: &SyncSettings,
    windows: &BTreeMap<ItemKind, Window>,
) -> HeadquartersItem {
    let kind = activity.entry;
    let closed = matches!(activity.status, ActivityStatus::Completed | ActivityStatus::CompletedUnprocessed);
    let origin = match activity.origin.as_str() {
        "outlook" => Origin::Outlook,
        "headquarters" => Origin::Headquarters,
        _ => Origin::Mobile,
    };
    let content = Content::Entry(Entry {
        subject: activity.subject.clone(),
        body: activity.description.clone(),
        location: activity.location().to_owned(),
        period: (!activity.is_undated()).then_some(activity.period),
        zone: zone.name().to_owned(),
        priority: activity.priority,
        completed: closed.then(|| activity.completed_on.unwrap_or(activity.changed_at)),
    });
    let mut fields = projection(kind, &content);
    fields.insert(Field::Completed, Value::Completed(closed));
    let moved = activity.employee != employee;
    let scope = match kind {
        ItemKind::Task => settings.tasks.as_ref(),
        ItemKind::Appointment | ItemKind::Contact => settings.calendar.as_ref(),
    };
    let place = match (windows.get(&kind), scope) {
        (Some(window), Some(scope)) => {
            let is_near = window.grown(MARGIN).overlaps(activity.start, activity.end);
            match (meets(&scope.criteria, activity, origin), window.overlaps(activity.start, activity.end)) {
                (false, _) => Place::Filtered,
                (true, true) => Place::Window,
                (true, false) if activity.is_undated() => Place::Window,
                (true, false) if is_near => Place::Margin,
                (true, false) => Place::Outside,
            }
        }
        _ => Place::Filtered,
    };
    HeadquartersItem {
        id: HeadquartersId::Activity(activity.id),
        kind,
        origin,
        revision: activity.revision,
        content,
        fields,
        place,
        withdrawn: activity.canceled || moved,
        moved,
        closed,
        delayed: activity.status == ActivityStatus::Delayed,
        start: activity.start,
        end: activity.end,
        changed_at: activity.changed_at,
    }
}

fn meets(criteria: &Criteria, activity: &Activity, origin: Origin) -> bool {
    let definition = (origin == Origin::Mobile).then_some(APPOINTMENT_SYNCHRONIZE);
    (criteria.kind.is_empty() || criteria.kind.contains(&activity.kind))
        && (criteria.status.is_empty() || criteria.status.contains(&activity.status))
        && (criteria.priority.is_empty() || criteria.priority.contains(&activity.priority))
        && (criteria.employee.is_empty() || criteria.employee.contains(&activity.employee))
        && (criteria.definition.is_empty()
            || definition.is_some_and(|name| criteria.definition.iter().any(|wanted| wanted == name)))
}
