//! Tasks that get our id, or lose it: a link is a resource of its own, so these take several requests.

use apptsync_plugin::connector::{Identity, Item, Operation, Target};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::address::encode;
use crate::batch::{Answer, Batches, Part};
use crate::graph::Graph;
use crate::push::{Settled, Undone};
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
    /// Links of ours that it shall not have.
    unwanted: Vec<String>,
    /// It has the link that it shall have.
    is_linked: bool,
    /// Something was written.
    is_written: bool,
}

/// Carries the operations out, step by step for all of them: look at the task, write its fields, make its new link, take the
/// others off, read it back. What fails in a step goes no further.
pub(super) fn push(
    graph: &Graph<'_>,
    batches: &mut Batches<'_>,
    target: &Target,
    operations: &[&Operation],
) -> Vec<Settled> {
    let mut open: Vec<Result<Change<'_>, Undone>> =
        operations.iter().map(|operation| change(graph, operation).map_err(Undone::Alone)).collect();
    let look = |change: &Change<'_>| vec![Part::get(with_links(graph, target, change.remote_id))];
    step(batches, &mut open, look, |_, change, task| {
        if task["@odata.etag"] != *change.etag {
            return Err(Failure::Conflict);
        }
        let is_wanted = |link: &Value| {
            let id = link["externalId"].as_str().unwrap_or_default();
            change.our_id.is_some_and(|wanted| id.eq_ignore_ascii_case(wanted))
        };
        change.is_linked = links::ours(&task).any(is_wanted);
        let unwanted = links::ours(&task).filter(|link| !is_wanted(link)).filter_map(|link| link["id"].as_str());
        change.unwanted = unwanted.map(str::to_owned).collect();
        Ok(())
    });

    let patch = |change: &Change<'_>| {
        let has_fields = change.body.as_object().is_some_and(|body| !body.is_empty());
        let part = || Part::patch(task(graph, target, change.remote_id), change.etag, change.body.clone());
        has_fields.then(part).into_iter().collect()
    };
    step(batches, &mut open, patch, |_, _, _| Ok(()));

    // The new link before the old ones go, so that a task that is ours never looks foreign.
    let list = |change: &Change<'_>| format!("{}/linkedResources", task(graph, target, change.remote_id));
    let link = |change: &Change<'_>| {
        let our_id = change.our_id.filter(|_| !change.is_linked);
        our_id.map(|our_id| Part::post(list(change), links::write(our_id))).into_iter().collect()
    };
    step(batches, &mut open, link, |_, _, _| Ok(()));
    let unlink = |change: &Change<'_>| {
        let part = |id: &String| Part::delete(format!("{}/{}", list(change), encode(id)), None);
        change.unwanted.iter().map(part).collect()
    };
    step(batches, &mut open, unlink, |_, _, _| Ok(()));

    let mut items: Vec<Option<Item>> = vec![None; open.len()];
    step(batches, &mut open, look, |place, change, task| {
        let item = read::item(graph, target, &task).map_err(Failure::Transient)?;
        let wanted = change.our_id.map_or(Identity::None, property::identity);
        if item.identity != wanted {
            return Err(Failure::Transient("the task does not have the link that was written".to_owned()));
        }
        items[place] = Some(item);
        Ok(())
    });
    open.into_iter().zip(items).map(|(change, item)| change.map(|_| item)).collect()
}

fn change<'a>(graph: &Graph<'_>, operation: &'a Operation) -> Result<Change<'a>, Failure> {
    match operation {
        Operation::Update(update) => Ok(Change {
            remote_id: &update.remote_id,
            etag: &update.etag,
            our_id: update.our_id.as_deref(),
            body: Value::Object(fields(entry(&update.content)?, update.fields, graph.zone)?),
            unwanted: Vec::new(),
            is_linked: false,
            is_written: false,
        }),
        Operation::Disown(reference) => Ok(Change {
            remote_id: &reference.remote_id,
            etag: &reference.etag,
            our_id: None,
            body: Value::Null,
            unwanted: Vec::new(),
            is_linked: false,
            is_written: false,
        }),
        Operation::Create(_) | Operation::Delete(_) | Operation::Mark(_) => {
            Err(Failure::Permanent("this operation does not change a task's links".to_owned()))
        }
    }
}

fn with_links(graph: &Graph<'_>, target: &Target, remote_id: &str) -> String {
    format!("{}?$expand=linkedResources", task(graph, target, remote_id))
}

/// One step for every change that is still open: what it asks of the server, and what is made of each answer.
fn step<'a>(
    batches: &mut Batches<'_>,
    open: &mut [Result<Change<'a>, Undone>],
    parts: impl Fn(&Change<'a>) -> Vec<Part>,
    mut done: impl FnMut(usize, &mut Change<'a>, Value) -> Result<(), Failure>,
) {
    let wanted: Vec<Vec<Part>> = open.iter().map(|change| change.as_ref().map(&parts).unwrap_or_default()).collect();
    let mut answers = batches.send(&wanted.concat()).into_iter();
    for (place, parts) in wanted.into_iter().enumerate() {
        for (part, answer) in parts.into_iter().zip(answers.by_ref()) {
            let Ok(change) = &mut open[place] else { continue };
            let result = match answer {
                Answer::Done(value) => {
                    change.is_written |= part.writes();
                    done(place, change, value).map_err(Undone::Alone)
                }
                Answer::Refused(refusal) if part.writes() => Err(refusal.of_write().into()),
                Answer::Blocked(why) => Err(Undone::All(why)),
                answer => Err(answer.read().err().unwrap_or(Failure::Gone).into()),
            };
            if let Err(undone) = result {
                open[place] = Err(if change.is_written { half_done(undone) } else { undone });
            }
        }
    }
}

/// What a failure means after something was written: hardly anything is certain any more.
fn half_done(undone: Undone) -> Undone {
    let why = match undone {
        Undone::Alone(Failure::Gone) => return undone,
        Undone::Alone(Failure::Throttled(_)) => "the server wants a pause".to_owned(),
        Undone::Alone(Failure::Conflict) => "somebody else changed it meanwhile".to_owned(),
        Undone::Alone(Failure::Auth(why) | Failure::Transient(why) | Failure::Permanent(why)) | Undone::All(why) => why,
    };
    Failure::Transient(format!("it was written in part: {why}")).into()
}
