//! Pages of what changed: delta queries.
//!
//! An entity may come several times in a round and in any order; of what is handed over as one page, the last counts. Empty
//! pages with a further link are usual. Links are followed only at our origin.

use std::collections::HashMap;

use apptsync_plugin::connector::{Change, Item, Kind, Page, Target, Window};
use apptsync_plugin::types::Failure;
use serde_json::Value;

use crate::address::encode;
use crate::cursor::Cursor;
use crate::graph::{self, Graph};
use crate::property::Signature;
use crate::series::{self, MOST_OCCURRENCES};
use crate::{contacts, events, moment, read, tasks};

/// Changes that are enough for a page; what the server sends beside them must still fit.
const ENOUGH: usize = 512;
/// Changes that the contract has room for.
const MOST_CHANGES: usize = 1_024;
/// Items that the contract has room for.
const MOST_ITEMS: usize = 4_096;
/// Pages of the server that are read for one of ours.
const MOST_PAGES: usize = 16;
/// Bytes of ids of series that a cursor has room for, beside its link.
const MOST_SERIES: usize = 24_000;
/// Where Graph has no delta query for tasks.
const CHINA: &str = "https://microsoftgraph.chinacloudapi.cn";

/// What a page of the server says of an entity.
enum Mention {
    Present(Box<Item>),
    /// It is there, but the page does not say enough of it.
    Incomplete,
    Removed,
}

/// What is gathered for a page.
#[derive(Default)]
struct Gathered {
    /// Ids in the order in which they were first mentioned.
    order: Vec<String>,
    mentions: HashMap<String, Mention>,
    /// Masters of series, in the same way.
    series: Vec<String>,
    series_bytes: usize,
}

/// A page of changes since a cursor, or of all there is.
///
/// # Errors
///
/// `gone` where a token has expired, at whatever page of a round; otherwise what the server says.
pub(crate) fn pull(graph: &Graph<'_>, target: &Target, window: &Window, cursor: Option<&str>) -> Result<Page, Failure> {
    let mut cursor = match cursor {
        Some(text) => Cursor::parse(text)?,
        None => Cursor::new(beginning(graph, target, window), true),
    };
    let mut changes = Vec::new();
    if cursor.series.is_empty() {
        let mut gathered = gather(graph, target, &mut cursor)?;
        cursor.series = std::mem::take(&mut gathered.series);
        changes = gathered.into_changes(graph, target)?;
    }
    read_series(graph, target, window, &mut cursor.series, &mut changes)?;
    let (done, full) = (cursor.last && cursor.series.is_empty(), cursor.full);
    if done {
        cursor.last = false;
        // Where there is no delta query, every pass begins anew.
        cursor.full = is_listing(graph, target);
    }
    Ok(Page { changes, next: cursor.write()?, done, full })
}

fn is_listing(graph: &Graph<'_>, target: &Target) -> bool {
    target.kind == Kind::Task && graph.root.origin() == CHINA
}

fn beginning(graph: &Graph<'_>, target: &Target, window: &Window) -> String {
    let collection = encode(&target.collection);
    let path = match target.kind {
        Kind::Appointment => {
            let (start, end) = (encode(&moment::in_query(window.start)), encode(&moment::in_query(window.end)));
            format!("/calendars/{collection}/calendarView/delta?startDateTime={start}&endDateTime={end}")
        }
        Kind::Task => {
            let delta = if is_listing(graph, target) { "" } else { "/delta" };
            format!("/todo/lists/{collection}/tasks{delta}?$expand=linkedResources")
        }
        Kind::Contact => format!("/contactFolders/{collection}/contacts/delta"),
    };
    graph.root.path(&graph.resource(&path))
}

/// Reads pages of the server until there is enough for one of ours.
fn gather(graph: &Graph<'_>, target: &Target, cursor: &mut Cursor) -> Result<Gathered, Failure> {
    let mut gathered = Gathered::default();
    for _ in 0..MOST_PAGES {
        let mut page = graph.get(&cursor.link)?;
        for entity in graph::values(&mut page)? {
            if let Err(why) = gathered.add(graph, target, &entity) {
                graph
                    .host
                    .warn(entity["id"].as_str().unwrap_or_default(), &format!("left out of a page of changes: {why}"));
            }
        }
        if gathered.order.len() + gathered.series.len() > MOST_CHANGES || gathered.series_bytes > 2 * MOST_SERIES {
            return Err(Failure::Permanent(format!(
                "the server puts more than {MOST_CHANGES} changes on a page, though it was asked for {}",
                graph::PAGE_SIZE
            )));
        }
        let (next, delta) = (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str());
        match (next, delta) {
            (Some(link), _) => {
                let link = graph.root.follow(link)?;
                if link == cursor.link {
                    return Err(Failure::Permanent("the server's next page is the same page again".to_owned()));
                }
                cursor.link = link;
            }
            (None, Some(link)) => {
                cursor.link = graph.root.follow(link)?;
                cursor.last = true;
            }
            (None, None) if is_listing(graph, target) => {
                cursor.link = beginning(graph, target, &Window { start: 0, end: 0 });
                cursor.last = true;
            }
            (None, None) => {
                return Err(Failure::Transient("the server's page of changes does not say where to go on".to_owned()));
            }
        }
        if cursor.last || gathered.order.len() >= ENOUGH || gathered.series_bytes >= MOST_SERIES {
            break;
        }
    }
    Ok(gathered)
}

impl Gathered {
    fn add(&mut self, graph: &Graph<'_>, target: &Target, entity: &Value) -> Result<(), String> {
        let id = events::id(entity)?;
        if !entity["@removed"].is_null() {
            self.mention(id, Mention::Removed);
            return Ok(());
        }
        if target.kind == Kind::Appointment
            && let Some(master) = master(entity, id)?
        {
            if !self.series.iter().any(|known| known == master) {
                self.series_bytes += master.len();
                self.series.push(master.to_owned());
            }
            return Ok(());
        }
        let item = match target.kind {
            Kind::Appointment => events::read(entity, graph.zone, &target.collection, Signature::UNREAD),
            Kind::Task => tasks::read(entity, graph.zone, &target.collection),
            Kind::Contact => contacts::read(entity, Signature::UNREAD),
        };
        self.mention(id, item.map_or(Mention::Incomplete, |item| Mention::Present(Box::new(item))));
        Ok(())
    }

    fn mention(&mut self, id: &str, mention: Mention) {
        if self.mentions.insert(id.to_owned(), mention).is_none() {
            self.order.push(id.to_owned());
        }
    }

    /// What was mentioned of single items; what a page says too little of is asked for.
    fn into_changes(mut self, graph: &Graph<'_>, target: &Target) -> Result<Vec<Change>, Failure> {
        let is_incomplete = |id: &&String| matches!(self.mentions.get(*id), Some(Mention::Incomplete));
        let incomplete: Vec<String> = self.order.iter().filter(is_incomplete).cloned().collect();
        for (id, answer) in incomplete.iter().zip(read::fetch(graph, target, &incomplete)) {
            match answer {
                Ok(Some(item)) => self.mention(id, Mention::Present(Box::new(item))),
                Ok(None) => self.mention(id, Mention::Removed),
                Err(Failure::Permanent(why)) => graph.host.warn(id, &format!("left out of a page of changes: {why}")),
                Err(failure) => return Err(failure),
            }
        }
        let change = |id: String| match self.mentions.remove(&id)? {
            Mention::Present(item) => Some(Change::Present(*item)),
            Mention::Removed => Some(Change::Removed(id)),
            Mention::Incomplete => None,
        };
        Ok(self.order.into_iter().filter_map(change).collect())
    }
}

/// The master of the series that an event belongs to; none for a single event.
fn master<'a>(event: &'a Value, id: &'a str) -> Result<Option<&'a str>, String> {
    match event["type"].as_str() {
        Some("seriesMaster") => Ok(Some(id)),
        Some("occurrence" | "exception") => {
            let master = event["seriesMasterId"].as_str().filter(|master| (1..=1_024).contains(&master.len()));
            master.map(Some).ok_or_else(|| "it is an occurrence of a series that it does not name".to_owned())
        }
        _ => Ok(None),
    }
}

/// Reads the series that are open, as long as the page has room for them; at least some. How many occurrences they have is
/// known only then: what does not fit stays open, and is read again for the next page.
fn read_series(
    graph: &Graph<'_>,
    target: &Target,
    window: &Window,
    open: &mut Vec<String>,
    changes: &mut Vec<Change>,
) -> Result<(), Failure> {
    let mut room = MOST_ITEMS.saturating_sub(changes.len());
    while !open.is_empty() && room >= MOST_OCCURRENCES && changes.len() < MOST_CHANGES {
        let most = series::AT_ONCE.min(MOST_CHANGES - changes.len());
        let masters: Vec<String> = open.drain(..open.len().min(most)).collect();
        let mut surplus = Vec::new();
        for change in series::changes(graph, target, window, &masters)? {
            match change {
                Change::Series(series) if series.occurrences.len() > room || !surplus.is_empty() => {
                    surplus.push(series.id)
                }
                Change::Series(series) => {
                    room -= series.occurrences.len();
                    changes.push(Change::Series(series));
                }
                change => changes.push(change),
            }
        }
        if !surplus.is_empty() {
            open.splice(0..0, surplus);
            break;
        }
    }
    Ok(())
}
