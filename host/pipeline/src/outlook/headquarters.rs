//! The headquarters' side of a snapshot: activities as items.

use std::collections::{BTreeMap, HashSet};

use apptsync_model::outlook::{
    Content, Criteria, Entry, Field, HeadquartersId, ItemKind, Link, Origin, SyncSettings, Value, Window, projection,
};
use apptsync_model::{APPOINTMENT_SYNCHRONIZE, Activity, ActivityId, ActivityStatus, Instant};
use apptsync_store::OutlookStore;
use chrono_tz::Tz;

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

/// The representative's activities in and near the windows, and those that are linked.
pub(super) fn items(
    store: &dyn OutlookStore,
    employee: &str,
    zone: Tz,
    settings: &SyncSettings,
    windows: &BTreeMap<ItemKind, Window>,
    links: &[Link],
) -> apptsync_store::Result<BTreeMap<HeadquartersId, HeadquartersItem>> {
    let all = windows
        .values()
        .copied()
        .reduce(|one, other| Window { start: one.start.min(other.start), end: one.end.max(other.end) });
    let linked: Vec<_> = links
        .iter()
        .filter_map(|link| match link.headquarters {
            Some(HeadquartersId::Activity(id)) => Some(id),
            _ => None,
        })
        .collect();
    let activities = store.activities_of(employee, all.map(|window| window.grown(MARGIN)), &linked)?;
    let located: HashSet<ActivityId> = links.iter().filter_map(located).collect();
    let item = |activity: Activity| {
        let mut item = as_item(&activity, employee, zone, settings, windows);
        // What the headquarters has no place for belongs to Outlook alone; for what came from there it has one, and what it
        // had a place for it may take it away from.
        let has_place = item.origin == Origin::Outlook || located.contains(&activity.id);
        if activity.location().is_empty() && !has_place {
            item.fields.remove(&Field::Location);
        }
        (item.id.clone(), item)
    };
    Ok(activities.into_iter().map(item).collect())
}

/// The activity of a link for which the headquarters had a location when both sides last agreed.
fn located(link: &Link) -> Option<ActivityId> {
    let location = link.base.headquarters.get(&Field::Location).filter(|location| !location.is_empty());
    match (&link.headquarters, location) {
        (Some(HeadquartersId::Activity(id)), Some(_)) => Some(*id),
        _ => None,
    }
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
