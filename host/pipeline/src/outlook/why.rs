//! Why an item is as it is: base, headquarters, Outlook and the row of the decision table, without asking Outlook.

use std::collections::{BTreeMap, BTreeSet};

use apptsync_model::Instant;
use apptsync_model::outlook::{
    Field, HeadquartersId, ItemKind, Link, RemoteItem, SyncRunId, Value, Window, projection,
};
use apptsync_store::{AuditEntry, Seen};
use serde::Serialize;

use super::apply::Work;
use super::considered::Considered;
use super::contacts;
use super::draft::plan;
use super::headquarters::{self, View};
use super::merge::{Direction, FieldChange};
use super::report::SyncError;
use super::run::{Synchronisation, rules};
use super::snapshot::{RemoteState, Snapshot};

/// What is known of one item.
#[derive(Debug)]
pub struct Why {
    /// The link; none for an object that has no item yet, or an item that has no object.
    pub link: Option<Link>,
    /// The object.
    pub headquarters: Option<HeadquartersId>,
    /// Subject or name.
    pub subject: String,
    /// The row of the decision table that the next run would follow, and what it says.
    pub row: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// What would be done.
    pub action: super::decide::Action,
    /// What a person should know.
    pub note: Option<String>,
    /// Who wrote the item last, as far as it is known.
    pub writer: Option<Writer>,
    /// Each field.
    pub fields: Vec<FieldWhy>,
    /// What was done so far.
    pub audit: Vec<AuditEntry>,
}

/// Who wrote an item last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writer {
    /// This run.
    Run(SyncRunId),
    /// A run that this database does not know.
    AnotherInstallation,
}

/// One field on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldWhy {
    /// Which.
    pub field: Field,
    /// What the headquarters said when both last agreed.
    pub base: Option<Value>,
    /// What Outlook said then, where it says it in other words.
    pub base_outlook: Option<Value>,
    /// What the headquarters says now.
    pub headquarters: Option<Value>,
    /// What Outlook was last seen to say.
    pub outlook: Option<Value>,
    /// Where it would go; none where nothing happens to it.
    pub direction: Option<Direction>,
}

/// Finds what is known of an activity (by its number or `activity/N`), of a partner or employee whose contact is synchronised
/// (`partner/ID`, `employee/ID`), or of an item (by its remote id).
///
/// # Errors
/// The settings do not fit, or the database cannot be read.
pub fn why(with: &Synchronisation<'_>, id: &str, now: Instant) -> Result<Vec<Why>, SyncError> {
    let windows = headquarters::windows(with.settings, now).map_err(SyncError::Usage)?;
    let view = View {
        store: with.store,
        profile: with.profile.id,
        employee: &with.profile.profile.employee,
        zone: with.zone,
        settings: with.settings,
        windows: &windows,
    };
    let considered = view.consider(|kind| windows.contains_key(&kind), None)?;
    let found = explain(with, &snapshot(with, windows, considered, now)?, id)?;
    if !found.is_empty() || with.store.sync_cursor(with.profile.id, ItemKind::Contact)?.is_none() {
        return Ok(found);
    }
    let considered = contacts::consider(with.store, with.profile.id)?;
    explain(with, &snapshot(with, contacts::windows(), considered, now)?, id)
}

/// Both sides as they were last seen.
fn snapshot(
    with: &Synchronisation<'_>,
    windows: BTreeMap<ItemKind, Window>,
    considered: Considered,
    now: Instant,
) -> Result<Snapshot, SyncError> {
    let store = with.store;
    let mut remote = BTreeMap::new();
    for observation in store.observations(with.profile.id)? {
        if !windows.contains_key(&observation.kind) {
            continue;
        }
        let state = match observation.seen {
            Seen::Present(item) => RemoteState::Present(item),
            Seen::Gone => RemoteState::Gone,
            Seen::Removed | Seen::NotInSeries => {
                RemoteState::Unknown("it is no longer listed: the next run asks whether it is gone".to_owned())
            }
        };
        remote.insert((observation.kind, observation.remote_id), state);
    }
    let mut targets = BTreeMap::new();
    for kind in windows.keys() {
        if let Some(cursor) = store.sync_cursor(with.profile.id, *kind)? {
            targets.insert(*kind, cursor.collection);
        }
    }
    Ok(Snapshot {
        profile: with.profile.name_space.clone(),
        employee: with.profile.profile.employee.clone(),
        now,
        run: 0,
        rules: rules(&with.profile.profile),
        guards: with.profile.profile.guards.clone(),
        targets,
        windows,
        zone: with.zone,
        unsettled: store.unsettled(with.profile.id)?.into_iter().map(|operation| operation.link).collect(),
        answers: store.answers(with.profile.id)?,
        incarnations: considered.incarnations,
        oldest_run: 0,
        writer: String::new(),
        strangers: BTreeSet::new(),
        links: considered.links,
        settled: considered.settled,
        settled_series: considered.settled_series,
        headquarters: considered.headquarters,
        remote,
        listings: BTreeMap::new(),
        rebuilt: None,
    })
}

fn is_meant(id: &str, headquarters: Option<&HeadquartersId>, remote_id: Option<&str>) -> bool {
    headquarters.is_some_and(|object| match object {
        HeadquartersId::Activity(number) => id == number.to_string() || id == object.to_string(),
        other => id == other.to_string(),
    }) || remote_id == Some(id)
}

fn explain(with: &Synchronisation<'_>, snapshot: &Snapshot, id: &str) -> Result<Vec<Why>, SyncError> {
    let mut found = Vec::new();
    let steps = plan(snapshot).steps;
    for step in &steps {
        if is_meant(id, step.headquarters.as_ref(), step.remote_id.as_deref()) {
            let work = Work { snapshot, step };
            let link = step.link.map(|index| snapshot.links[index].clone());
            let fields = fields(link.as_ref(), work, &step.verdict.changes);
            found.push(Why {
                headquarters: step.headquarters.clone(),
                subject: step.subject.clone(),
                row: step.verdict.row.name(),
                meaning: step.verdict.row.meaning(),
                action: step.verdict.action,
                note: step.verdict.note.clone(),
                writer: writer(with, work, link.as_ref())?,
                fields,
                audit: audit(with, step.headquarters.as_ref())?,
                link,
            });
        }
    }
    // What nothing happens to has no step.
    for (index, link) in snapshot.links.iter().enumerate() {
        if is_meant(id, link.headquarters.as_ref(), link.remote_id.as_deref())
            && !steps.iter().any(|step| step.link == Some(index))
        {
            let ours = link.headquarters.as_ref().and_then(|id| snapshot.headquarters.get(id));
            let step = super::plan::Step::idle(index, link, ours);
            let work = Work { snapshot, step: &step };
            let fields = fields(Some(link), work, &[]);
            found.push(Why {
                headquarters: link.headquarters.clone(),
                subject: step.subject.clone(),
                row: step.verdict.row.name(),
                meaning: step.verdict.row.meaning(),
                action: step.verdict.action,
                note: Some(link.note.clone()).filter(|note| !note.is_empty()),
                writer: writer(with, work, Some(link))?,
                fields,
                audit: audit(with, link.headquarters.as_ref())?,
                link: Some(link.clone()),
            });
        }
    }
    if found.is_empty() {
        found.extend(outside(with, snapshot, id)?);
    }
    Ok(found)
}

/// An activity of the representative that is not linked and that no step is about: row 2.
fn outside(with: &Synchronisation<'_>, snapshot: &Snapshot, id: &str) -> Result<Option<Why>, SyncError> {
    let ours = snapshot.headquarters.values().find(|ours| is_meant(id, Some(&ours.id), None));
    let Some(ours) = ours else { return Ok(None) };
    let row = super::row::Row::R2;
    Ok(Some(Why {
        link: None,
        headquarters: Some(ours.id.clone()),
        subject: super::plan::subject_of(&ours.content),
        row: row.name(),
        meaning: row.meaning(),
        action: super::decide::Action::Nothing,
        note: (ours.place == super::snapshot::Place::Filtered).then(|| "it does not meet the criteria".to_owned()),
        writer: None,
        fields: Vec::new(),
        audit: audit(with, Some(&ours.id))?,
    }))
}

/// By the mark that the item bears or, of an item that was not seen since both sides last agreed, bore then.
fn writer(with: &Synchronisation<'_>, work: Work<'_>, link: Option<&Link>) -> Result<Option<Writer>, SyncError> {
    let seen = work.item().and_then(|item| item.writer.as_deref());
    let Some(writer) = seen.or_else(|| link?.base.writer.as_deref()) else { return Ok(None) };
    let run = with.store.run_of_writer(writer)?;
    Ok(Some(run.map_or(Writer::AnotherInstallation, |run| Writer::Run(run.id))))
}

fn audit(with: &Synchronisation<'_>, headquarters: Option<&HeadquartersId>) -> Result<Vec<AuditEntry>, SyncError> {
    Ok(headquarters.map(|id| with.store.audit_of(id)).transpose()?.unwrap_or_default())
}

fn fields(link: Option<&Link>, work: Work<'_>, changes: &[FieldChange]) -> Vec<FieldWhy> {
    let ours = work.ours().map(|ours| ours.fields.clone()).unwrap_or_default();
    let seen = work.item().map(|item: &RemoteItem| projection(work.step.kind, &item.content));
    let base = link.map(|link| link.base.clone()).unwrap_or_default();
    Field::ALL
        .iter()
        .filter_map(|field| {
            let outlook = seen.as_ref().map_or_else(|| base.remote.get(field), |seen| seen.get(field));
            let base_outlook = base.remote.get(field).filter(|value| base.headquarters.get(field) != Some(*value));
            let found = FieldWhy {
                field: *field,
                base: base.headquarters.get(field).cloned(),
                base_outlook: base_outlook.cloned(),
                headquarters: ours.get(field).cloned(),
                outlook: outlook.cloned(),
                direction: changes.iter().find(|change| change.field == *field).map(|change| change.direction),
            };
            (found.base.is_some() || found.headquarters.is_some() || found.outlook.is_some()).then_some(found)
        })
        .collect()
}
