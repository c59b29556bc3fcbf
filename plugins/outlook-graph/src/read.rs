//! Items by their ids.

use apptsync_plugin::connector::{Item, Kind, Target};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::address::encode;
use crate::batch::{Answer, Batches, Part};
use crate::graph::Graph;
use crate::{contacts, events, property, tasks};

/// One answer for each id, in order: none only where the server says that there is no such item.
pub(crate) fn fetch(graph: &Graph<'_>, target: &Target, ids: &[String]) -> Vec<Result<Option<Item>, Failure>> {
    let parts: Vec<Part> = ids.iter().map(|id| Part::get(resource(graph, target, id))).collect();
    let read = |answer: Answer| {
        let found = answer.read()?;
        found.map(|entity| item(graph, target, &entity)).transpose().map_err(unreadable)
    };
    Batches::new(graph).send(&parts).into_iter().map(read).collect()
}

/// An item whose identity was asked for together with it.
///
/// # Errors
///
/// It cannot be read; the text says why.
pub(crate) fn item(graph: &Graph<'_>, target: &Target, entity: &Value) -> Result<Item, String> {
    match target.kind {
        Kind::Appointment => events::read_expanded(entity, graph.zone),
        Kind::Task => tasks::read(entity, graph.zone, &target.collection),
        Kind::Contact => contacts::read(entity, property::read(entity)),
    }
}

/// What is expanded of an item, so that it says who it is and where it lies; a part of a query.
pub(crate) fn expansion(kind: Kind) -> String {
    match kind {
        Kind::Appointment => {
            let expand = encode(&format!("{},calendar($select=id)", property::expand()));
            format!("$select={}&$expand={expand}", events::SELECT)
        }
        Kind::Task => "$expand=linkedResources".to_owned(),
        Kind::Contact => format!("$expand={}", encode(&property::expand())),
    }
}

fn resource(graph: &Graph<'_>, target: &Target, id: &str) -> String {
    let id = encode(id);
    let path = match target.kind {
        Kind::Appointment => format!("/events/{id}"),
        Kind::Task => format!("/todo/lists/{}/tasks/{id}", encode(&target.collection)),
        Kind::Contact => format!("/contacts/{id}"),
    };
    graph.resource(&format!("{path}?{}", expansion(target.kind)))
}

/// An item that is there and cannot be read.
pub(crate) fn unreadable(why: String) -> Failure {
    Failure::Permanent(format!("the server's answer is no item: {why}"))
}
