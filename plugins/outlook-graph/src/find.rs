//! Items by our ids.

use apptsync_plugin::connector::{Identity, Item, Kind, Target};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::address::encode;
use crate::batch::{Answer, Batches, Part};
use crate::graph::{self, Graph};
use crate::{property, read};

/// One list for each id, in order.
///
/// # Errors
///
/// Not everything could be looked through: an empty list must mean that there is nothing.
pub(crate) fn find(graph: &Graph<'_>, target: &Target, our_ids: &[String]) -> Result<Vec<Vec<Item>>, Failure> {
    if target.kind == Kind::Task { among_all(graph, target, our_ids) } else { by_filter(graph, target, our_ids) }
}

/// Events and contacts are found by our property. What lies in another calendar or folder than it was made in is found too,
/// as far as the server looks there: without a collection it looks into the default one.
fn by_filter(graph: &Graph<'_>, target: &Target, our_ids: &[String]) -> Result<Vec<Vec<Item>>, Failure> {
    let collection = encode(&target.collection);
    let places = match target.kind {
        Kind::Appointment => [format!("/calendars/{collection}/events"), "/events".to_owned()],
        _ => [format!("/contactFolders/{collection}/contacts"), "/contacts".to_owned()],
    };
    let query = |place: &String, id: &String| {
        let filter = encode(&property::filter(id));
        Part::get(graph.resource(&format!("{place}?$filter={filter}&{}", read::expansion(target.kind))))
    };
    let parts: Vec<Part> = our_ids.iter().flat_map(|id| places.iter().map(move |place| query(place, id))).collect();
    let mut answers = Batches::new(graph).send(&parts).into_iter();
    let mut found = Vec::with_capacity(our_ids.len());
    for our_id in our_ids {
        let mut items = Vec::new();
        for answer in answers.by_ref().take(places.len()) {
            let page = match answer {
                Answer::Done(page) => page,
                Answer::Refused(refusal) => return Err(refusal.of_call()),
                Answer::Blocked(why) => return Err(Failure::Permanent(why)),
                Answer::Failed(failure) => return Err(failure),
            };
            graph.follow(page, |entities| {
                entities.iter().try_for_each(|entity| add(&mut items, graph, target, our_id, entity))
            })?;
        }
        found.push(items);
    }
    Ok(found)
}

fn add(items: &mut Vec<Item>, graph: &Graph<'_>, target: &Target, our_id: &str, entity: &Value) -> Result<(), Failure> {
    let item = read::item(graph, target, entity).map_err(read::unreadable)?;
    // A server that ignores a filter would have us adopt everything.
    let is_it = item.identity == property::identity(our_id) && item.identity != Identity::None;
    if is_it && !items.iter().any(|known| known.remote_id == item.remote_id) {
        items.push(item);
    }
    Ok(())
}

/// Tasks have no property to filter by: all are listed with their links, once for all ids.
///
/// Every call lists anew and to the end, whatever earlier calls or cursors have seen. So a listing that begins after a task was
/// sent shows it as soon as the server shows it at all; a server that is late shows it to a later call.
fn among_all(graph: &Graph<'_>, target: &Target, our_ids: &[String]) -> Result<Vec<Vec<Item>>, Failure> {
    let wanted: Vec<Identity> = our_ids.iter().map(|id| property::identity(id)).collect();
    let mut found = vec![Vec::new(); our_ids.len()];
    let list = graph.resource(&format!("/todo/lists/{}/tasks", encode(&target.collection)));
    let path = graph.root.path(&format!("{list}?{}&$top={}", read::expansion(Kind::Task), graph::PAGE_SIZE));
    graph.follow(graph.get(&path)?, |entities| {
        for entity in &entities {
            let item = match read::item(graph, target, entity) {
                Ok(item) if matches!(item.identity, Identity::Ours(_)) => item,
                Ok(_) => continue,
                Err(why) => return Err(read::unreadable(why)),
            };
            let places = wanted.iter().zip(&mut found).filter(|(id, _)| **id == item.identity);
            for (_, items) in places {
                items.push(item.clone());
            }
        }
        Ok(())
    })?;
    Ok(found)
}
