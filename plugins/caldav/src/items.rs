//! Single items: by their remote ids, and by ours.

use std::collections::BTreeMap;

use apptsync_calendar::split_occurrence_id;
use apptsync_plugin::connector::Item;
use apptsync_plugin::types::{Failure, Instant};

use crate::address::Path;
use crate::client::Client;
use crate::discovery;
use crate::listing;
use crate::multistatus::Resource;
use crate::objects::{self, Found, Stored};
use crate::query;
use crate::reading::Reader;
use crate::sheet;

/// Ids that are looked for one by one; above, all that carry any are read.
const ONE_BY_ONE: usize = 8;

/// What a remote id says: a resource, and which occurrence of the series in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteId {
    pub(crate) path: Path,
    pub(crate) original_start: Option<Instant>,
}

impl RemoteId {
    /// # Errors
    ///
    /// `permanent`: it was not made by this connector.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        // Canonical paths have no `#` of their own.
        let (path, original_start) = match split_occurrence_id(text) {
            Some((series, start)) => (series, Some(start)),
            None => (text, None),
        };
        let refused = |why: String| Failure::Permanent(format!("`{text}` is no id of this server: {why}"));
        let path = Path::new(path).map_err(refused)?;
        if path.as_str().ends_with('/') || path.as_str().contains('#') {
            return Err(refused("it is the path of no object".to_owned()));
        }
        Ok(Self { path, original_start })
    }
}

/// Items by their remote ids, one answer each, in order.
///
/// # Errors
///
/// The server cannot be reached or refuses; `gone` where it no longer has the calendar.
pub(crate) fn fetch(
    client: &Client<'_>,
    reader: &Reader,
    calendar: &Path,
    remote_ids: &[String],
) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
    let ids: Vec<Result<RemoteId, Failure>> = remote_ids.iter().map(|id| RemoteId::parse(id)).collect();
    let mut by_calendar: BTreeMap<Path, Vec<Path>> = BTreeMap::new();
    for id in ids.iter().flatten() {
        let paths = by_calendar.entry(id.path.parent()).or_default();
        if !paths.contains(&id.path) {
            paths.push(id.path.clone());
        }
    }
    let mut found: BTreeMap<Path, Found> = BTreeMap::new();
    for (parent, paths) in by_calendar {
        match objects::read(client, &parent, &paths) {
            Ok(objects) => found.extend(objects),
            // An item that lay in another calendar went with it.
            Err(Failure::Gone) if parent != *calendar => {
                found.extend(paths.into_iter().map(|path| (path, Found::Gone)));
            }
            Err(failure) if parent == *calendar => return Err(failure),
            Err(failure) => found.extend(paths.into_iter().map(|path| (path, Found::Unsaid(failure.clone())))),
        }
    }
    let is_gone = |path: &&Path| !matches!(found.get(*path), Some(Found::Stored(_) | Found::Unsaid(_)));
    let mut gone: Vec<&Path> = ids.iter().flatten().map(|id| &id.path).filter(is_gone).collect();
    gone.sort();
    gone.dedup();
    let elsewhere = if gone.is_empty() { Ok(BTreeMap::new()) } else { elsewhere(client, reader, calendar, &gone) };
    let answer = |id: &Result<RemoteId, Failure>| {
        let id = id.as_ref().map_err(Clone::clone)?;
        let unreadable = |why| Failure::Permanent(format!("the object cannot be read: {why}"));
        match found.get(&id.path) {
            Some(Found::Stored(stored)) => reader.item(&id.path, stored, id.original_start).map_err(unreadable),
            Some(Found::Unsaid(failure)) => Err(failure.clone()),
            Some(Found::Gone) | None => match &elsewhere {
                Ok(elsewhere) => match elsewhere.get(&id.path) {
                    Some((collection, stored)) => {
                        reader.item_in(collection, &id.path, stored, id.original_start).map_err(unreadable)
                    }
                    None => Ok(None),
                },
                Err(failure) => Err(failure.clone()),
            },
        }
    };
    Ok(ids.iter().map(answer).collect())
}

/// What is no longer where it was and lies in another calendar of the same home now. Who moves an object keeps its name;
/// that it is the same is proved by its UID, which most objects are named after.
///
/// # Errors
///
/// `transient` or `throttled`: whether it lies elsewhere is not known. Calendars that cannot be read for another reason are
/// none to look in.
fn elsewhere(
    client: &Client<'_>,
    reader: &Reader,
    calendar: &Path,
    gone: &[&Path],
) -> Result<BTreeMap<Path, (Path, Stored)>, Failure> {
    let passing = |failure: &Failure| matches!(failure, Failure::Transient(_) | Failure::Throttled(_));
    let home = calendar.parent();
    let listed = client.ask(client.propfind(&home, "1", query::calendars()));
    let calendars = match listed.and_then(|response| client.multistatus(&response, &home)) {
        Ok(listed) => listed.resources,
        Err(failure) if passing(&failure) => return Err(failure),
        Err(_) => return Ok(BTreeMap::new()),
    };
    let holds = |resource: &Resource| {
        discovery::is_calendar(resource) && discovery::holds(resource, query::component(reader.kind))
    };
    let others = calendars.into_iter().filter(holds).map(|resource| resource.path.collection());
    let mut found = BTreeMap::new();
    for other in others {
        let there = |path: &&&Path| path.parent() != other && !found.contains_key(**path);
        let by_path: BTreeMap<Path, &Path> =
            gone.iter().filter(there).map(|path| (path.moved_to(&other), *path)).collect();
        let paths: Vec<Path> = by_path.keys().cloned().collect();
        let objects = match objects::read(client, &other, &paths) {
            Ok(objects) => objects,
            Err(failure) if passing(&failure) => return Err(failure),
            Err(_) => continue,
        };
        for (path, object) in objects {
            let Found::Stored(stored) = object else { continue };
            let is_it = reader.uid(&stored).is_ok_and(|uid| Some(uid) == path.stem());
            if let Some(before) = by_path.get(&path).filter(|_| is_it) {
                found.insert((*before).clone(), (other.clone(), stored));
            }
        }
    }
    Ok(found)
}

/// The items that carry our ids, one list for each, in order.
///
/// What the server's query finds is only where to look: what an object carries is read from the object.
///
/// # Errors
///
/// The server cannot be reached or refuses, or an object that may carry an id cannot be read; `gone` where the server no longer
/// has the calendar.
pub(crate) fn find(
    client: &Client<'_>,
    reader: &Reader,
    calendar: &Path,
    our_ids: &[String],
) -> Result<Vec<Vec<Item>>, Failure> {
    if our_ids.is_empty() {
        return Ok(Vec::new());
    }
    let queries =
        if our_ids.len() <= ONE_BY_ONE { our_ids.iter().map(|id| Some(id.as_str())).collect() } else { vec![None] };
    let candidates = match listing::carrying(client, calendar, reader.kind, &queries)? {
        Some(candidates) => candidates,
        None => listing::all(client, calendar)?,
    };
    let paths: Vec<Path> = candidates.into_keys().collect();
    let mut answers: Vec<Vec<Item>> = our_ids.iter().map(|_| Vec::new()).collect();
    for wave in paths.chunks(objects::BATCH) {
        for (path, found) in objects::read(client, calendar, wave)? {
            // What is not found is made again, so "none" is only said where all that might carry an id was read.
            let unsure =
                |why: String| Failure::Transient(format!("whether {} is ours is not known: {why}", path.as_str()));
            let stored = match found {
                Found::Stored(stored) => stored,
                Found::Gone => continue,
                Found::Unsaid(failure) => return Err(unsure(sheet::why(failure))),
            };
            for (position, item) in reader.carrying(&path, &stored, our_ids).map_err(unsure)? {
                if let Some(answer) = answers.get_mut(position) {
                    answer.push(item);
                }
            }
        }
    }
    Ok(answers)
}
