//! Tasks that get our id, or lose it: a link is a resource of its own, so these take several requests.

use apptsync_plugin::connector::{Identity, Item, Operation, Outcome, Target};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::address::encode;
use crate::batch::{self, Answer, Part};
use crate::graph::Graph;
use crate::{links, property, read};

use super::write::{entry, fields, task};

/// What is to become of a task.
struct Change<'a> {
    remote_id: &'a str,
    etag: &'a str,
    /// None takes our id off.
    our_id: Option<&'a str>,
    /// What else is written.
    body: Value,
}

/// Carries the operations out, step by step for all of them: look at the task, write its fields, change its links, read it
/// back. What fails in a step goes no further.
pub(super) fn push(graph: &Graph<'_>, target: &Target, operations: &[&Operation]) -> Vec<Outcome> {
    let mut open: Vec<Result<Change<'_>, Failure>> =
        operations.iter().map(|operation| change(graph, operation)).collect();
    let look = |change: &Change<'_>| Some(vec![Part::get(with_links(graph, target, change.remote_id))]);
    let mut tasks: Vec<Value> = vec![Value::Null; open.len()];
    step(graph, &mut open, true, look, |place, change, task| {
        let is_same = task["@odata.etag"] == *change.etag;
        tasks[place] = task;
        if is_same { Ok(()) } else { Err(Failure::Conflict) }
    });

    let patch = |change: &Change<'_>| {
        let has_fields = change.body.as_object().is_some_and(|body| !body.is_empty());
        let part = || Part::patch(task(graph, target, change.remote_id), change.etag, change.body.clone());
        has_fields.then(|| vec![part()])
    };
    step(graph, &mut open, false, patch, |_, _, _| Ok(()));

    let found: Vec<(String, Value)> = open
        .iter()
        .zip(tasks)
        .map(|(change, task)| (change.as_ref().map(|change| change.remote_id.to_owned()).unwrap_or_default(), task))
        .collect();
    let relink = |change: &Change<'_>| {
        let task = found.iter().find(|(id, _)| id == change.remote_id).map(|(_, task)| task)?;
        Some(relink(graph, target, change, task)).filter(|parts| !parts.is_empty())
    };
    step(graph, &mut open, false, relink, |_, _, _| Ok(()));

    let mut items: Vec<Option<Item>> = vec![None; open.len()];
    step(graph, &mut open, true, look, |place, change, task| {
        let item = read::item(graph, target, &task).map_err(Failure::Transient)?;
        let wanted = change.our_id.map_or(Identity::None, property::identity);
        if item.identity != wanted {
            return Err(Failure::Transient("the task does not have the link that was written".to_owned()));
        }
        items[place] = Some(item);
        Ok(())
    });
    open.into_iter()
        .zip(items)
        .map(|(change, item)| change.map_or_else(Outcome::Failed, |_| Outcome::Done(item)))
        .collect()
}

fn change<'a>(graph: &Graph<'_>, operation: &'a Operation) -> Result<Change<'a>, Failure> {
    match operation {
        Operation::Update(update) => Ok(Change {
            remote_id: &update.remote_id,
            etag: &update.etag,
            our_id: update.our_id.as_deref(),
            body: Value::Object(fields(entry(&update.content)?, update.fields, graph.zone)?),
        }),
        Operation::Disown(reference) => {
            Ok(Change { remote_id: &reference.remote_id, etag: &reference.etag, our_id: None, body: Value::Null })
        }
        Operation::Create(_) | Operation::Delete(_) => {
            Err(Failure::Permanent("this operation does not change a task's links".to_owned()))
        }
    }
}

fn with_links(graph: &Graph<'_>, target: &Target, remote_id: &str) -> String {
    format!("{}?$expand=linkedResources", task(graph, target, remote_id))
}

/// The requests that leave exactly the wanted link: a new one first, so that a task that is ours never looks foreign.
fn relink(graph: &Graph<'_>, target: &Target, change: &Change<'_>, found: &Value) -> Vec<Part> {
    let list = format!("{}/linkedResources", task(graph, target, change.remote_id));
    let is_wanted = |link: &Value| {
        let id = link["externalId"].as_str().unwrap_or_default();
        change.our_id.is_some_and(|wanted| id.eq_ignore_ascii_case(wanted))
    };
    let mut parts = Vec::new();
    if let Some(our_id) = change.our_id
        && !links::ours(found).any(is_wanted)
    {
        parts.push(Part::post(list.clone(), links::write(our_id)));
    }
    let unwanted = links::ours(found).filter(|link| !is_wanted(link)).filter_map(|link| link["id"].as_str());
    parts.extend(unwanted.map(|id| Part::delete(format!("{list}/{}", encode(id)), None)));
    parts
}

/// One step for every change that is still open and has something to do in it.
fn step<'a>(
    graph: &Graph<'_>,
    open: &mut [Result<Change<'a>, Failure>],
    reads: bool,
    parts: impl Fn(&Change<'a>) -> Option<Vec<Part>>,
    mut done: impl FnMut(usize, &Change<'a>, Value) -> Result<(), Failure>,
) {
    let wanted: Vec<(usize, Vec<Part>)> =
        open.iter().enumerate().filter_map(|(place, change)| Some((place, parts(change.as_ref().ok()?)?))).collect();
    let all: Vec<Part> = wanted.iter().flat_map(|(_, parts)| parts.iter().cloned()).collect();
    let answers = if reads { batch::read(graph, &all) } else { batch::write(graph, &all) };
    let mut answers = answers.into_iter();
    for (place, parts) in wanted {
        for answer in answers.by_ref().take(parts.len()) {
            let Ok(change) = &open[place] else { continue };
            let result = match answer {
                Answer::Done(value) => done(place, change, value),
                Answer::Refused(refusal) if reads && refusal.is_missing_item() => Err(Failure::Gone),
                Answer::Refused(refusal) if reads => Err(refusal.of_read()),
                Answer::Refused(refusal) => Err(refusal.of_write()),
                Answer::Failed(failure) => Err(failure),
            };
            if let Err(failure) = result {
                open[place] = Err(failure);
            }
        }
    }
}
