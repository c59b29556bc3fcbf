//! Contacts as they are written.
//!
//! An update writes what the host wants, empty or not: what is the user's own is part of that. The note always is, and is
//! left alone. Lists and addresses are written whole, so a contact in which more stands than the update would write is read
//! before.

use apptsync_plugin::connector::{Contact, Content, Fields, Operation, Outcome, Target, Update};
use apptsync_plugin::types::Failure;
use serde_json::{Map, Value, json};

use crate::address::encode;
use crate::batch::{Answer, Batches, Part};
use crate::graph::Graph;
use crate::property::Signature;
use crate::push::{self, Expected, Write, has};
use crate::{categories, etag, property};

/// Carries operations on contacts out.
///
/// # Errors
///
/// Nothing was done, for a reason that concerns all of it.
pub(crate) fn push(graph: &Graph<'_>, target: &Target, operations: &[Operation]) -> Result<Vec<Outcome>, Failure> {
    let looked_at = |operation: &Operation| match operation {
        Operation::Update(update) if needs_a_look(update) => Some(Part::get(contact(graph, &update.remote_id))),
        other => categories::look(other, |remote_id| contact(graph, remote_id)),
    };
    let mut batches = Batches::new(graph);
    let mut found = batches.send(&operations.iter().filter_map(looked_at).collect::<Vec<_>>()).into_iter();
    let write = |operation: &Operation| {
        let present = looked_at(operation).and_then(|_| found.next());
        write(graph, target, operation, present)
    };
    let writes: Vec<_> = operations.iter().map(write).collect();
    let answers = batches.send(&push::parts(&writes));
    push::outcomes(push::settle(writes, answers, super::read))
}

/// Whether something would be lost that the update does not know of.
fn needs_a_look(update: &Update) -> bool {
    let Content::Contact(wanted) = &update.content else { return false };
    let empty = address(wanted).iter().filter(|(_, part)| part.is_empty()).count();
    has(update.fields, Fields::CONTACT) && (etag::split(&update.etag).0.has_more || (1..4).contains(&empty))
}

fn write(graph: &Graph<'_>, target: &Target, operation: &Operation, present: Option<Answer>) -> Result<Write, Failure> {
    match operation {
        Operation::Create(create) => {
            let wanted = person(&create.content)?;
            let mut body = changes(Some(&Value::Null), wanted);
            if !wanted.note.is_empty() {
                body.insert("personalNotes".to_owned(), wanted.note.as_str().into());
            }
            let (our_id, writer) = (Some(create.our_id.as_str()), &create.writer);
            body.insert("singleValueExtendedProperties".to_owned(), property::write(our_id, writer));
            let folder = graph.resource(&format!("/contactFolders/{}/contacts", encode(&target.collection)));
            let expected = Expected::Item(Signature::written(our_id, writer));
            Ok(Write { part: Part::create(folder, Value::Object(body)), expected })
        }
        Operation::Update(update) => self::update(graph, update, present),
        Operation::Delete(reference) => {
            let (_, etag) = etag::split(&reference.etag);
            let part = Part::delete(contact(graph, &reference.remote_id), Some(etag));
            Ok(Write { part, expected: Expected::Nothing })
        }
        Operation::Disown(reference) => {
            let (_, etag) = etag::split(&reference.etag);
            let body = json!({"singleValueExtendedProperties": property::clear()});
            let part = Part::patch(contact(graph, &reference.remote_id), etag, body);
            Ok(Write { part, expected: Expected::Item(Signature::NONE) })
        }
        Operation::Mark(mark) => categories::write(contact(graph, &mark.remote_id), mark, present),
    }
}

fn update(graph: &Graph<'_>, update: &Update, present: Option<Answer>) -> Result<Write, Failure> {
    let (_, etag) = etag::split(&update.etag);
    let mut body = match present {
        None if !has(update.fields, Fields::CONTACT) => Map::new(),
        None => changes(None, person(&update.content)?),
        Some(answer) => changes(Some(&push::looked_up(answer, etag)?), person(&update.content)?),
    };
    let our_id = update.our_id.as_deref();
    let resource = contact(graph, &update.remote_id);
    if body.is_empty() && our_id.is_none() {
        return Ok(Write { part: Part::get(resource), expected: Expected::Unchanged(update.etag.clone()) });
    }
    body.insert("singleValueExtendedProperties".to_owned(), property::write(our_id, &update.writer));
    let part = Part::patch(resource, etag, Value::Object(body));
    Ok(Write { part, expected: Expected::Item(Signature::written(our_id, &update.writer)) })
}

fn contact(graph: &Graph<'_>, remote_id: &str) -> String {
    graph.resource(&format!("/contacts/{}", encode(remote_id)))
}

fn person(content: &Content) -> Result<&Contact, Failure> {
    match content {
        Content::Contact(contact) => Ok(contact),
        Content::Entry(_) => {
            Err(Failure::Permanent("an appointment cannot be written into an address book".to_owned()))
        }
    }
}

/// The parts of the postal address by their names at the server.
fn address(contact: &Contact) -> [(&'static str, &str); 4] {
    [
        ("street", &contact.street),
        ("postalCode", &contact.postcode),
        ("city", &contact.city),
        ("countryOrRegion", &contact.country),
    ]
}

/// What has to be written so that a contact says what is wanted: what is the same already is left out, where it is known how
/// it stands.
fn changes(known: Option<&Value>, wanted: &Contact) -> Map<String, Value> {
    let mut body = Map::new();
    let present = known.unwrap_or(&Value::Null);
    let found = super::fields(present);
    let differs = |found: &str, wanted: &str| known.is_none() || found != wanted;
    for (name, found, wanted) in
        [("displayName", &found.name, &wanted.name), ("companyName", &found.company, &wanted.company)]
    {
        if differs(found, wanted) {
            body.insert(name.to_owned(), wanted.as_str().into());
        }
    }
    if differs(&found.email, &wanted.email) {
        let first = json!({"address": wanted.email, "name": wanted.name});
        let first = (!wanted.email.is_empty()).then_some(first);
        body.insert("emailAddresses".to_owned(), with_first(&present["emailAddresses"], first));
    }
    if differs(&found.phone, &wanted.phone) {
        let first = (!wanted.phone.is_empty()).then(|| wanted.phone.as_str().into());
        body.insert("businessPhones".to_owned(), with_first(&present["businessPhones"], first));
    }
    let parts = address(wanted);
    if parts.iter().zip(address(&found)).any(|((_, wanted), (_, found))| differs(found, wanted)) {
        let mut whole = present["businessAddress"].as_object().cloned().unwrap_or_default();
        for (name, wanted) in parts {
            whole.insert(name.to_owned(), if wanted.is_empty() { Value::Null } else { wanted.into() });
        }
        body.insert("businessAddress".to_owned(), Value::Object(whole));
    }
    body
}

/// A list with another first entry, or without it; the others stay.
fn with_first(list: &Value, first: Option<Value>) -> Value {
    let others = list.as_array().into_iter().flatten().skip(1).cloned();
    first.into_iter().chain(others).collect()
}
