//! Series: their occurrences are not told reliably by a delta query (deleted ones not at all), so each series that is
//! mentioned is read anew.

use apptsync_plugin::connector::{Change, Item, Series, Target, Window};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::address::encode;
use crate::batch::{Answer, Batches, Part};
use crate::graph::Graph;
use crate::property::Signature;
use crate::{events, moment, property};

/// Occurrences of a series that the contract has room for.
pub(crate) const MOST_OCCURRENCES: usize = 1_000;
/// Masters that are read in one batch, by two requests each.
pub(crate) const AT_ONCE: usize = 10;

/// The changes of series, by the ids of their masters. What cannot be read for good is left out and logged, so that one
/// broken series does not hold up a calendar: what is not told is never taken for deleted without being asked for.
///
/// # Errors
///
/// Something could not be read that may be read later.
pub(crate) fn changes(
    graph: &Graph<'_>,
    target: &Target,
    window: &Window,
    masters: &[String],
) -> Result<Vec<Change>, Failure> {
    let parts: Vec<Part> =
        masters.iter().flat_map(|master| [detail(graph, master), instances(graph, window, master)]).collect();
    let mut answers = Batches::new(graph).send(&parts).into_iter();
    let mut changes = Vec::new();
    for master in masters {
        let (Some(detail), Some(instances)) = (answers.next(), answers.next()) else { break };
        match change(graph, target, master, detail, instances) {
            Ok(change) => changes.push(change),
            Err(Failure::Permanent(why)) => graph.host.warn(master, &format!("the series is left out: {why}")),
            Err(failure) => return Err(failure),
        }
    }
    Ok(changes)
}

fn change(
    graph: &Graph<'_>,
    target: &Target,
    master: &str,
    detail: Answer,
    instances: Answer,
) -> Result<Change, Failure> {
    let (detail, first) = match (detail.read()?, instances.read()?) {
        (Some(detail), Some(first)) => (detail, first),
        _ => return Ok(Change::Removed(master.to_owned())),
    };
    let collection = events::id(&detail["calendar"]).unwrap_or(&target.collection);
    let mut occurrences = Vec::new();
    graph.follow(first, |entities| {
        for entity in &entities {
            match occurrence(graph, master, collection, entity) {
                Ok(item) => occurrences.push(item),
                Err(why) => graph.host.warn(master, &format!("an occurrence is left out: {why}")),
            }
        }
        if occurrences.len() > MOST_OCCURRENCES {
            return Err(Failure::Permanent(format!("it has more than {MOST_OCCURRENCES} occurrences in the window")));
        }
        Ok(())
    })?;
    Ok(Change::Series(Series { id: master.to_owned(), occurrences }))
}

fn occurrence(graph: &Graph<'_>, master: &str, collection: &str, entity: &Value) -> Result<Item, String> {
    let item = events::read(entity, graph.zone, collection, signature(entity))?;
    match &item.occurrence {
        Some(occurrence) if occurrence.series == master => Ok(item),
        _ => Err("it belongs to another series".to_owned()),
    }
}

/// A server that leaves the properties out says nothing about them.
fn signature(entity: &Value) -> Signature {
    if entity["singleValueExtendedProperties"].is_array() { property::read(entity) } else { Signature::UNREAD }
}

fn detail(graph: &Graph<'_>, master: &str) -> Part {
    let query = "$select=id,type&$expand=calendar($select%3Did)";
    Part::get(graph.resource(&format!("/events/{}?{query}", encode(master))))
}

fn instances(graph: &Graph<'_>, window: &Window, master: &str) -> Part {
    // A view of a calendar does not give out when something was changed.
    let select = events::SELECT.replace(",lastModifiedDateTime", "");
    let (start, end) = (moment::in_query(window.start), moment::in_query(window.end));
    let query = format!(
        "startDateTime={}&endDateTime={}&$select={select}&$expand={}",
        encode(&start),
        encode(&end),
        encode(&property::expand())
    );
    Part::get(graph.resource(&format!("/events/{}/instances?{query}", encode(master))))
}
