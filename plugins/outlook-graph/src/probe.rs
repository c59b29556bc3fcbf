//! What a mailbox has: calendars, task lists, address books.

use apptsync_plugin::connector::{Collection, Connection, Kind};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::graph::Graph;
use crate::{events, normalise};

/// Collections that the contract has room for.
const MOST: usize = 1_024;

/// Looks up all collections. Without its calendars a mailbox is of no use; tasks and contacts may be withheld.
///
/// # Errors
///
/// The calendars cannot be read, or the others cannot though they are granted.
pub(crate) fn probe(graph: &Graph<'_>) -> Result<Connection, Failure> {
    let paths = [
        "/calendars?$select=id,name,canEdit,isDefaultCalendar,owner",
        // Without a number of its own, the listing of lists ends early and does not say so.
        "/todo/lists?$top=200",
        "/contactFolders?$select=id,displayName",
        // The default folder is not listed: its contacts name it.
        "/contacts?$top=1&$select=parentFolderId",
    ];
    let [calendars, lists, folders, contacts] = paths.map(|path| graph.root.path(&graph.resource(path)));
    let mut answers = graph.get_all(&[calendars, lists, folders, contacts]).into_iter();
    let mut next = || answers.next().unwrap_or(Err(Failure::Transient("there is no answer".to_owned())));
    let (calendars, lists, folders, contacts) = (next(), next(), next(), next());

    let mut collections = Vec::new();
    add(graph, &mut collections, calendars.map_err(not_gone)?, calendar)?;
    if let Some(lists) = granted(graph, lists, "tasks")? {
        add(graph, &mut collections, lists, task_list)?;
    }
    if let (Some(folders), Some(contacts)) =
        (granted(graph, folders, "contacts")?, granted(graph, contacts, "contacts")?)
    {
        let mut books = Vec::new();
        add(graph, &mut books, folders, folder)?;
        add_default(graph, &mut books, contacts)?;
        collections.append(&mut books);
    }
    if collections.len() > MOST {
        graph.host.warn("", &format!("the mailbox has {} collections; the first {MOST} are listed", collections.len()));
        collections.truncate(MOST);
    }
    let server = format!("Microsoft Graph at {}", graph.root.origin());
    // Exchange shows what was written only after a while.
    Ok(Connection { server, reads_own_writes: false, collections })
}

fn add(
    graph: &Graph<'_>,
    collections: &mut Vec<Collection>,
    first: Value,
    read: impl Fn(&Value) -> Option<Collection>,
) -> Result<(), Failure> {
    graph.follow(first, |entities| {
        collections.extend(entities.iter().filter_map(&read));
        Ok(())
    })
}

/// The default address book, first: by its own entry where the server lists it, or else by a contact in it.
fn add_default(graph: &Graph<'_>, books: &mut Vec<Collection>, contacts: Value) -> Result<(), Failure> {
    let mut default = None;
    let Value::Array(contacts) = &contacts["value"] else {
        return Err(Failure::Transient("the server answers with what is no page of a listing".to_owned()));
    };
    if let Some(contact) = contacts.first() {
        default = contact["parentFolderId"].as_str().map(str::to_owned);
    }
    let Some(id) = default else {
        // Where there is no other, whoever wants an address book is told that there is none.
        if !books.is_empty() {
            let why = "the default address book has no contact yet, so it cannot be told and is left out: make one in Outlook";
            graph.host.warn("", why);
        }
        return Ok(());
    };
    match books.iter_mut().find(|book| book.id == id) {
        Some(book) => book.is_default = true,
        None => {
            let book =
                Collection { id, name: "Contacts".to_owned(), kind: Kind::Contact, writable: true, is_default: true };
            books.insert(0, book);
        }
    }
    Ok(())
}

/// None where the credential was granted no right to it, or the mailbox does not have it.
fn granted(graph: &Graph<'_>, answer: Result<Value, Failure>, what: &str) -> Result<Option<Value>, Failure> {
    match answer {
        Ok(page) => Ok(Some(page)),
        Err(Failure::Auth(why)) => {
            graph.host.warn("", &format!("{what} are left out: {why}"));
            Ok(None)
        }
        Err(failure) => Err(not_gone(failure)),
    }
}

/// Nothing was asked for that could be gone, but the mailbox itself.
fn not_gone(failure: Failure) -> Failure {
    match failure {
        Failure::Gone => Failure::Permanent("the server knows no such mailbox".to_owned()),
        failure => failure,
    }
}

fn calendar(entity: &Value) -> Option<Collection> {
    let is = |name: &str| entity[name].as_bool().unwrap_or(false);
    collection(entity, "name", Kind::Appointment, is("canEdit"), is("isDefaultCalendar"))
}

/// Lists of flagged mail are no tasks, and shared lists belong to somebody else.
fn task_list(entity: &Value) -> Option<Collection> {
    let known = entity["wellknownListName"].as_str().unwrap_or_default();
    let is_ours = entity["isOwner"].as_bool().unwrap_or(true);
    let is_wanted = is_ours && !known.eq_ignore_ascii_case("flaggedEmails");
    let list = collection(entity, "displayName", Kind::Task, true, known.eq_ignore_ascii_case("defaultList"));
    list.filter(|_| is_wanted)
}

fn folder(entity: &Value) -> Option<Collection> {
    collection(entity, "displayName", Kind::Contact, true, false)
}

fn collection(entity: &Value, name: &str, kind: Kind, writable: bool, is_default: bool) -> Option<Collection> {
    let id = events::id(entity).ok()?.to_owned();
    let name = Some(normalise::line(&entity[name])).filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
    Some(Collection { id, name, kind, writable, is_default })
}
