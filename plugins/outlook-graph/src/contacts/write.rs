//! Contacts as they are written.

use apptsync_plugin::connector::{Contact, Content, Fields, Identity, Operation, Outcome, Target, Update};
use apptsync_plugin::types::Failure;
use serde_json::{Map, Value, json};

use crate::address::encode;
use crate::batch::{self, Answer, Part};
use crate::graph::Graph;
use crate::property;
use crate::push::{self, Expected, Write, has};

/// Carries operations on contacts out. Lists and addresses are written whole, so what is to be changed is read before: what
/// else stands in them must stay.
pub(crate) fn push(graph: &Graph<'_>, target: &Target, operations: &[Operation]) -> Vec<Outcome> {
    let updated = |operation: &Operation| match operation {
        Operation::Update(update) if has(update.fields, Fields::CONTACT) => {
            Some(Part::get(contact(graph, &update.remote_id)))
        }
        _ => None,
    };
    let parts: Vec<Part> = operations.iter().filter_map(updated).collect();
    let mut found = batch::read(graph, &parts).into_iter();
    let write = |operation: &Operation| {
        let present = updated(operation).and_then(|_| found.next());
        write(graph, target, operation, present)
    };
    let writes = operations.iter().map(write).collect();
    push::run(graph, writes, |_| {}, super::read)
}

fn write(graph: &Graph<'_>, target: &Target, operation: &Operation, present: Option<Answer>) -> Result<Write, Failure> {
    match operation {
        Operation::Create(create) => {
            let mut body = changes(&Value::Null, person(&create.content)?);
            body.insert("singleValueExtendedProperties".to_owned(), property::write(&create.our_id));
            let folder = graph.resource(&format!("/contactFolders/{}/contacts", encode(&target.collection)));
            let expected = Expected::Item(Identity::Ours(create.our_id.to_lowercase()));
            Ok(Write { part: Part::post(folder, Value::Object(body)), expected })
        }
        Operation::Update(update) => self::update(graph, update, present),
        Operation::Delete(reference) => {
            let part = Part::delete(contact(graph, &reference.remote_id), Some(&reference.etag));
            Ok(Write { part, expected: Expected::Nothing })
        }
        Operation::Disown(reference) => {
            let body = json!({"singleValueExtendedProperties": property::write("")});
            let part = Part::patch(contact(graph, &reference.remote_id), &reference.etag, body);
            Ok(Write { part, expected: Expected::Item(Identity::None) })
        }
    }
}

fn update(graph: &Graph<'_>, update: &Update, present: Option<Answer>) -> Result<Write, Failure> {
    let mut body = match present {
        None => Map::new(),
        Some(Answer::Done(present)) if present["@odata.etag"] == update.etag => {
            changes(&present, person(&update.content)?)
        }
        Some(Answer::Done(_)) => return Err(Failure::Conflict),
        Some(Answer::Refused(refusal)) if refusal.is_missing_item() => return Err(Failure::Gone),
        Some(Answer::Refused(refusal)) => return Err(unwritten(refusal.of_read())),
        Some(Answer::Failed(failure)) => return Err(unwritten(failure)),
    };
    let mut identity = Identity::Unread;
    if let Some(our_id) = &update.our_id {
        body.insert("singleValueExtendedProperties".to_owned(), property::write(our_id));
        identity = Identity::Ours(our_id.to_lowercase());
    }
    let resource = contact(graph, &update.remote_id);
    if body.is_empty() {
        return Ok(Write { part: Part::get(resource), expected: Expected::Unchanged(update.etag.clone()) });
    }
    let part = Part::patch(resource, &update.etag, Value::Object(body));
    Ok(Write { part, expected: Expected::Item(identity) })
}

/// The failure of reading means that nothing was written.
fn unwritten(failure: Failure) -> Failure {
    match failure {
        Failure::Transient(_) => Failure::Throttled(None),
        failure => failure,
    }
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

/// What has to be written so that a contact is as wanted; what is the same already is left out.
fn changes(present: &Value, wanted: &Contact) -> Map<String, Value> {
    let mut body = Map::new();
    let found = super::fields(present);
    let mut text = |name: &str, found: &str, wanted: &str| {
        if found != wanted {
            body.insert(name.to_owned(), text_or_null(wanted));
        }
    };
    text("displayName", &found.name, &wanted.name);
    text("companyName", &found.company, &wanted.company);
    text("personalNotes", &found.note, &wanted.note);
    if found.email != wanted.email {
        let address = (!wanted.email.is_empty()).then(|| json!({"address": wanted.email, "name": wanted.name}));
        body.insert("emailAddresses".to_owned(), with_first(&present["emailAddresses"], address));
    }
    if found.phone != wanted.phone {
        let number = (!wanted.phone.is_empty()).then(|| wanted.phone.as_str().into());
        body.insert("businessPhones".to_owned(), with_first(&present["businessPhones"], number));
    }
    let address = [
        ("street", &found.street, &wanted.street),
        ("postalCode", &found.postcode, &wanted.postcode),
        ("city", &found.city, &wanted.city),
        ("countryOrRegion", &found.country, &wanted.country),
    ];
    if address.iter().any(|(_, found, wanted)| found != wanted) {
        let mut whole = present["businessAddress"].as_object().cloned().unwrap_or_default();
        for (name, _, wanted) in address {
            whole.insert(name.to_owned(), text_or_null(wanted));
        }
        whole.retain(|_, value| !value.is_null() || !present.is_null());
        body.insert("businessAddress".to_owned(), Value::Object(whole));
    }
    body
}

fn text_or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

/// A list with another first entry, or without its first; the others stay.
fn with_first(list: &Value, first: Option<Value>) -> Value {
    let others = list.as_array().into_iter().flatten().skip(1).cloned();
    first.into_iter().chain(others).collect()
}
