//! Contacts and their folders.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::calendars::mailbox;
use super::follow::{self, Followed};
use super::{check_match, item, page};
use crate::clock::stamp;
use crate::delta::{Key, Scope};
use crate::error::GraphError;
use crate::extended::Extended;
use crate::http::{Answer, Call, Reply};
use crate::identifier::{Identifier, Kind};
use crate::mailbox::{Contact, ContactFolder, Mailbox};
use crate::query::{Condition, Expand, Paging, order, select, selected};
use crate::schema::{CONTACT, CONTACT_FOLDER};
use crate::state::State;
use crate::view::View;

fn folder_object(mailbox: &Mailbox, folder: &ContactFolder) -> Map<String, Value> {
    let object = json!({
        "id": mailbox.folder_id(Kind::ContactFolder, folder.number),
        "parentFolderId": mailbox.folder_id(Kind::ContactFolder, 0),
        "displayName": folder.name,
    });
    object.as_object().cloned().unwrap_or_default()
}

fn contact_object(mailbox: &Mailbox, contact: &Contact, immutable: bool) -> Map<String, Value> {
    let id =
        Identifier { kind: Kind::Contact, item: contact.number, folder: contact.folder, date: None, generation: 0 };
    let mut object = contact.fields.clone();
    for (name, value) in [
        ("@odata.etag", json!(mailbox.etag(contact.change))),
        ("id", json!(id.write(mailbox.key, immutable))),
        ("changeKey", json!(mailbox.change_key(contact.change))),
        ("parentFolderId", json!(mailbox.folder_id(Kind::ContactFolder, contact.folder))),
        ("createdDateTime", json!(stamp(contact.created))),
        ("lastModifiedDateTime", json!(stamp(contact.modified))),
    ] {
        object.insert(name.into(), value);
    }
    object
}

fn empty_fields() -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, shape) in CONTACT.properties {
        use crate::schema::Shape;
        let value = match shape {
            Shape::Texts => json!([]),
            Shape::Objects if *name == "emailAddresses" => json!([]),
            Shape::Object => json!({}),
            Shape::Text if matches!(*name, "fileAs" | "displayName" | "personalNotes") => json!(""),
            Shape::Text | Shape::Time => Value::Null,
            _ => continue,
        };
        fields.insert((*name).into(), value);
    }
    fields
}

pub(super) fn answer(state: &mut State, call: &Call, address: &str, words: &[&str], names: &[String]) -> Answer {
    let mailbox = mailbox(state, address)?;
    let (folder, rest) = match words {
        ["contactfolders"] => return folders(state, call, address),
        ["contactfolders", ..] => {
            let folder = mailbox
                .folder_number(&names[1], Kind::ContactFolder)
                .filter(|number| mailbox.folders.contains_key(number));
            (Some(folder.ok_or_else(GraphError::item_not_found)?), 2)
        }
        _ => (None, 0),
    };
    let found = match words.get(rest + 1) {
        Some(&"delta") | None => None,
        Some(_) => Some(find(mailbox, folder, &names[rest + 1])?),
    };
    let place = folder.unwrap_or_else(|| mailbox.default_folder());
    match (call.method.as_str(), &words[rest..], found) {
        (_, [], _) => one_folder(state, call, address, place),
        ("GET", ["contacts"], _) => list(state, call, address, place),
        ("POST", ["contacts"], _) => create(state, call, address, place),
        // There is no delta over all contacts, only one by folder.
        ("GET", ["contacts", "delta"], _) if folder.is_some() => {
            let followed = Followed { scope: Scope::Contacts(place), window: None, current, changed, removed };
            follow::answer(state, call, address, &followed)
        }
        ("GET", ["contacts", _], Some(number)) => {
            let (view, expand) = (View::of(call)?, Expand::of(call)?);
            let contact = &mailbox.contacts[&number];
            let mut object = select(contact_object(mailbox, contact, view.immutable), selected(call).as_deref(), &[]);
            contact.extended.show(&expand.extended, &mut object);
            Ok(view.applied(item(call, 200, object)))
        }
        ("PATCH", ["contacts", _], Some(number)) => update(state, call, address, number),
        ("DELETE", ["contacts", _], Some(number)) => {
            check_match(call, &mailbox.etag(mailbox.contacts[&number].change))?;
            mailbox.contacts.remove(&number);
            Ok(Reply::empty(204))
        }
        (method, ["contacts", ..], _) => Err(GraphError::not_allowed(method)),
        (_, [other, ..], _) => Err(GraphError::unknown_segment(other)),
    }
}

fn find(mailbox: &Mailbox, folder: Option<u32>, id: &str) -> Result<u32, GraphError> {
    let (found, immutable) = Identifier::read(id, mailbox.key)
        .filter(|(found, _)| found.kind == Kind::Contact)
        .ok_or_else(|| GraphError::new(400, "ErrorInvalidIdMalformed", "Id is malformed."))?;
    let contact = mailbox.contacts.get(&found.item).ok_or_else(GraphError::item_not_found)?;
    let here = (immutable || found.folder == contact.folder) && folder.is_none_or(|folder| folder == contact.folder);
    if here { Ok(contact.number) } else { Err(GraphError::item_not_found()) }
}

fn folders(state: &mut State, call: &Call, address: &str) -> Answer {
    let mailbox = mailbox(state, address)?;
    match call.method.as_str() {
        // The default folder is not among them; a contact's parentFolderId names it.
        "GET" => {
            let condition = call.parameter("$filter").map(Condition::parse).transpose()?;
            let folders =
                mailbox.folders.values().filter(|folder| !folder.default).map(|folder| folder_object(mailbox, folder));
            let folders = folders.filter(|folder| {
                condition.as_ref().is_none_or(|condition| condition.holds(folder, &Default::default()))
            });
            Ok(page(call, folders.collect(), Paging::of(call, None, 10)?))
        }
        "POST" => {
            let written = CONTACT_FOLDER.check(call.object()?)?;
            let name = written.get("displayName").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
            let name = name.ok_or_else(|| GraphError::invalid_property("displayName is missing."))?.to_owned();
            if mailbox.folders.values().any(|folder| folder.name.eq_ignore_ascii_case(&name)) {
                return Err(GraphError::new(
                    409,
                    "ErrorFolderExists",
                    "A folder with the specified name already exists.",
                ));
            }
            let number = mailbox.add_folder(&name, false);
            Ok(item(call, 201, folder_object(mailbox, &mailbox.folders[&number])))
        }
        method => Err(GraphError::not_allowed(method)),
    }
}

fn one_folder(state: &mut State, call: &Call, address: &str, number: u32) -> Answer {
    let mailbox = mailbox(state, address)?;
    match call.method.as_str() {
        "GET" => Ok(item(call, 200, folder_object(mailbox, &mailbox.folders[&number]))),
        "PATCH" => {
            let written = CONTACT_FOLDER.check(call.object()?)?;
            if let (Some(folder), Some(name)) =
                (mailbox.folders.get_mut(&number), written.get("displayName").and_then(Value::as_str))
            {
                folder.name = name.into();
            }
            Ok(item(call, 200, folder_object(mailbox, &mailbox.folders[&number])))
        }
        "DELETE" if number == mailbox.default_folder() => {
            Err(GraphError::new(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."))
        }
        "DELETE" => {
            mailbox.folders.remove(&number);
            mailbox.contacts.retain(|_, contact| contact.folder != number);
            Ok(Reply::empty(204))
        }
        method => Err(GraphError::not_allowed(method)),
    }
}

fn list(state: &mut State, call: &Call, address: &str, folder: u32) -> Answer {
    let (view, expand) = (View::of(call)?, Expand::of(call)?);
    let condition = call.parameter("$filter").map(Condition::parse).transpose()?;
    let mailbox = mailbox(state, address)?;
    let mut contacts = Vec::new();
    for contact in mailbox.contacts.values().filter(|contact| contact.folder == folder) {
        let mut object = contact_object(mailbox, contact, view.immutable);
        if condition.as_ref().is_none_or(|condition| condition.holds(&object, &contact.extended)) {
            contact.extended.show(&expand.extended, &mut object);
            contacts.push(object);
        }
    }
    order(call, &mut contacts);
    let contacts = contacts.into_iter().map(|contact| select(contact, selected(call).as_deref(), &[])).collect();
    Ok(view.applied(page(call, contacts, Paging::of(call, view.page_size, 10)?)))
}

fn apply(contact: &mut Contact, written: &Map<String, Value>) -> Result<(), GraphError> {
    for (name, value) in written {
        let value = match name.as_str() {
            "singleValueExtendedProperties" => {
                contact.extended.apply(value)?;
                continue;
            }
            "emailAddresses" => addresses(value)?,
            _ if value.is_null() => empty_fields().get(name).cloned().unwrap_or(Value::Null),
            _ => value.clone(),
        };
        contact.fields.insert(name.clone(), value);
    }
    // What nobody wrote is made of the name.
    let text = |name: &str| contact.fields.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let (given, family, company) = (text("givenName"), text("surname"), text("companyName"));
    let joined = |first: &str, between: &str, last: &str| {
        if first.is_empty() || last.is_empty() { format!("{first}{last}") } else { format!("{first}{between}{last}") }
    };
    let unset = [text("displayName").is_empty(), text("fileAs").is_empty()];
    let made = [("displayName", joined(&given, " ", &family)), ("fileAs", joined(&family, ", ", &given))];
    for ((name, value), _) in made.into_iter().zip(unset).filter(|(_, unset)| *unset) {
        contact.fields.insert(name.into(), json!(if value.is_empty() { company.clone() } else { value }));
    }
    Ok(())
}

fn addresses(value: &Value) -> Result<Value, GraphError> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.len() > 3 {
        return Err(GraphError::invalid_property("A contact can have no more than three e-mail addresses."));
    }
    let filled = list.iter().map(|entry| {
        let address = entry["address"].as_str().unwrap_or_default();
        json!({"name": entry["name"].as_str().unwrap_or(address), "address": address})
    });
    Ok(filled.collect())
}

fn create(state: &mut State, call: &Call, address: &str, folder: u32) -> Answer {
    let view = View::of(call)?;
    let written = CONTACT.check(call.object()?)?;
    let now = state.clock.now();
    let mailbox = mailbox(state, address)?;
    let (number, change) = (mailbox.number(), mailbox.change());
    let mut contact = Contact {
        number,
        folder,
        created: now,
        modified: now,
        change,
        fields: empty_fields(),
        extended: Extended::default(),
    };
    apply(&mut contact, &written)?;
    mailbox.contacts.insert(number, contact);
    let object = contact_object(mailbox, &mailbox.contacts[&number], view.immutable);
    Ok(view.applied(item(call, 201, object)))
}

fn update(state: &mut State, call: &Call, address: &str, number: u32) -> Answer {
    let view = View::of(call)?;
    let written = CONTACT.check(call.object()?)?;
    let now = state.clock.now();
    let mailbox = mailbox(state, address)?;
    let mut contact = mailbox.contacts[&number].clone();
    check_match(call, &mailbox.etag(contact.change))?;
    apply(&mut contact, &written)?;
    contact.change = mailbox.change();
    contact.modified = now;
    mailbox.contacts.insert(number, contact);
    let object = contact_object(mailbox, &mailbox.contacts[&number], view.immutable);
    Ok(view.applied(item(call, 200, object)))
}

fn current(mailbox: &Mailbox, scope: &Scope, _: Option<crate::series::Window>) -> BTreeMap<Key, u64> {
    let contacts = mailbox.contacts.values().filter(|contact| *scope == Scope::Contacts(contact.folder));
    contacts.map(|contact| ((contact.number, None), contact.change)).collect()
}

fn changed(mailbox: &Mailbox, (number, _): Key, view: &View, call: &Call) -> Option<Value> {
    let contact = mailbox.contacts.get(&number)?;
    let mut object = select(contact_object(mailbox, contact, view.immutable), selected(call).as_deref(), &[]);
    object.insert("@odata.type".into(), json!("#microsoft.graph.contact"));
    Some(Value::Object(object))
}

fn removed(mailbox: &Mailbox, scope: &Scope, (number, _): Key, view: &View) -> Option<Value> {
    let Scope::Contacts(folder) = scope else { return None };
    let id = Identifier { kind: Kind::Contact, item: number, folder: *folder, date: None, generation: 0 };
    Some(
        json!({"@odata.type": "#microsoft.graph.contact", "id": id.write(mailbox.key, view.immutable), "@removed": {"reason": "deleted"}}),
    )
}

/// All folders with their contacts, for the tests' eyes.
pub(super) fn everything(mailbox: &Mailbox) -> Vec<Value> {
    let whole = |folder: &ContactFolder| {
        let mut object = folder_object(mailbox, folder);
        let contacts = mailbox.contacts.values().filter(|contact| contact.folder == folder.number).map(|contact| {
            let mut object = contact_object(mailbox, contact, true);
            object.insert("singleValueExtendedProperties".into(), contact.extended.all());
            Value::Object(object)
        });
        object.insert("contacts".into(), contacts.collect());
        Value::Object(object)
    };
    mailbox.folders.values().map(whole).collect()
}
