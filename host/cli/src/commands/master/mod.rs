//! The master data of the headquarters by hand (domain 3). Each kind has its file; what they share stands here.

pub mod channel_partners;
pub mod channels;
pub mod employees;
mod ibus;
pub mod organizations;
pub mod partners;
pub mod users;

use apptsync_model::MasterData;
use apptsync_store::{LoadCounts, MasterKind, Store};
use serde::Serialize;

use crate::context::{Context, Exit, UsageError};
use crate::position::nearest;

/// A kind of master data as these commands show and change it.
trait Entry: Serialize + Clone {
    /// What the store calls it.
    const KIND: MasterKind;
    /// What people call it.
    const NAME: &'static str;
    /// The command that changes it.
    const COMMAND: &'static str;
    /// The fields that `list` shows, by label.
    const LISTED: &'static [&'static str];

    /// Its id.
    fn id(&self) -> &str;
    /// All entries of this kind.
    fn all(data: MasterData) -> Vec<Self>;
    /// Master data with this entry alone.
    fn alone(self) -> MasterData;
    /// All fields with their labels.
    fn fields(&self) -> Vec<(&'static str, String)>;
}

/// What a change did, as JSON.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Counts {
    created: u64,
    updated: u64,
    unchanged: u64,
}

impl From<LoadCounts> for Counts {
    fn from(counts: LoadCounts) -> Self {
        Self { created: counts.created, updated: counts.updated, unchanged: counts.unchanged }
    }
}

fn entries<E: Entry>(store: &dyn Store) -> anyhow::Result<Vec<E>> {
    Ok(E::all(store.master_data()?))
}

fn print_list<E: Entry>(context: &Context, entries: &[E]) -> anyhow::Result<Exit> {
    if context.is_json() {
        context.print_json(&entries)?;
        return Ok(Exit::Done);
    }
    if entries.is_empty() {
        context.hint(&format!("there is no {}: add one with `apptsync {} add`", E::NAME, E::COMMAND));
    }
    let row = |entry: &E| {
        let fields = entry.fields();
        let cell =
            |label: &&str| fields.iter().find(|(name, _)| name == label).map_or("", |(_, value)| value).to_owned();
        E::LISTED.iter().map(cell).collect()
    };
    context.print_table(E::LISTED, entries.iter().map(row).collect())?;
    Ok(Exit::Done)
}

fn print_entry<E: Entry>(context: &Context, entry: &E) -> anyhow::Result<Exit> {
    if context.is_json() {
        context.print_json(entry)?;
    } else {
        let rows = entry.fields().into_iter().map(|(label, value)| vec![label.to_owned(), value]).collect();
        context.print_table(&["Field", "Value"], rows)?;
    }
    Ok(Exit::Done)
}

/// The entry with this id, or an error with the nearest one.
fn find<E: Entry>(store: &dyn Store, id: &str) -> anyhow::Result<E> {
    let entries = entries::<E>(store)?;
    if let Some(entry) = entries.iter().find(|entry| entry.id() == id) {
        return Ok(entry.clone());
    }
    let near = nearest(id, entries.iter().map(Entry::id));
    Err(UsageError(unknown(E::NAME, E::COMMAND, id, near)).into())
}

fn unknown(name: &str, command: &str, id: &str, near: Option<&str>) -> String {
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`apptsync {command} list` shows what there is"),
    };
    format!("there is no {name} `{}`: {hint}", id.escape_debug())
}

/// Adds an entry; one with this id must not be there.
fn add<E: Entry>(context: &Context, store: &dyn Store, entry: E) -> anyhow::Result<Exit> {
    if entries::<E>(store)?.iter().any(|present| present.id() == entry.id()) {
        let (name, command, id) = (E::NAME, E::COMMAND, entry.id());
        let message = format!("the {name} `{id}` is there already: change it with `apptsync {command} set {id}`");
        return Err(UsageError(message).into());
    }
    put(context, store, entry)
}

/// Adds or changes an entry and says what happened.
fn put<E: Entry>(context: &Context, store: &dyn Store, entry: E) -> anyhow::Result<Exit> {
    let about = format!("{} {}", E::NAME, entry.id());
    report(context, &about, store.load(&entry.alone())?)
}

fn report(context: &Context, about: &str, counts: LoadCounts) -> anyhow::Result<Exit> {
    if context.is_json() {
        context.print_json(&Counts::from(counts))?;
    } else {
        let what = match counts {
            LoadCounts { created: 1.., .. } => "added",
            LoadCounts { updated: 1.., .. } => "changed",
            _ => "unchanged",
        };
        context.print_line(&format!("{about}: {what}"))?;
    }
    Ok(Exit::Done)
}

/// Removes an entry, which must be there.
fn remove<E: Entry>(context: &Context, store: &dyn Store, id: &str) -> anyhow::Result<Exit> {
    let entry = find::<E>(store, id)?;
    store.remove(E::KIND, entry.id(), None)?;
    report_removed(context, &format!("{} {id}", E::NAME))
}

fn report_removed(context: &Context, about: &str) -> anyhow::Result<Exit> {
    if context.is_json() {
        context.print_json(&serde_json::json!({ "removed": 1 }))?;
    } else {
        context.print_line(&format!("{about}: removed"))?;
    }
    Ok(Exit::Done)
}

/// Takes a flag over where it was given.
fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

fn yes_no(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}
