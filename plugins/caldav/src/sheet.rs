//! A page under way: what changed, within the limits of the contract.

use apptsync_calendar::Effort;
use apptsync_plugin::connector::{Change, Content, Item, Reference, Window};
use apptsync_plugin::types::Failure;

use crate::address::Path;
use crate::client::Client;
use crate::etag::Etag;
use crate::objects::{self, Found};
use crate::reading::Reader;

/// Most changes of a page.
const CHANGES: usize = 1_024;
/// Most items of a page.
const ITEMS: usize = 4_096;
/// Bytes of text that end a page; a call may return 16 MiB.
const BYTES: usize = 8 << 20;
/// Bytes that an item takes besides its texts.
const ITEM: usize = 256;

/// What a listing says of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed {
    /// With so many bytes, where the server says so.
    Present(Option<usize>),
    /// In the version that was written here.
    Known(Etag),
    Gone,
}

impl Listed {
    /// It would fill the memory.
    fn is_too_large(&self) -> bool {
        matches!(self, Self::Present(Some(length)) if *length > objects::WAVE_BYTES)
    }
}

/// Changes of one page.
pub(crate) struct Sheet<'a> {
    client: &'a Client<'a>,
    reader: &'a Reader,
    calendar: &'a Path,
    window: &'a Window,
    /// The pass lists everything, so that what is not there needs no word.
    full: bool,
    pub(crate) changes: Vec<Change>,
    items: usize,
    bytes: usize,
    /// Objects that were read, and their bytes.
    read: (usize, usize),
    effort: Effort,
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(
        client: &'a Client<'a>,
        reader: &'a Reader,
        calendar: &'a Path,
        window: &'a Window,
        full: bool,
    ) -> Self {
        Self {
            client,
            reader,
            calendar,
            window,
            full,
            changes: Vec::new(),
            items: 0,
            bytes: 0,
            read: (0, 0),
            effort: Effort::default(),
        }
    }

    /// Reads what is listed, in order, until the page is full; gives how many were dealt with.
    ///
    /// What cannot be read is left out with a line in the log: that is neither a failure of the pass nor a removal.
    ///
    /// # Errors
    ///
    /// The server cannot be read from.
    pub(crate) fn fill(&mut self, listed: &[(Path, Listed)]) -> Result<usize, Failure> {
        let mut taken = 0;
        while taken < listed.len() && self.has_room() {
            let rest = listed.get(taken..).unwrap_or_default();
            let wave = rest.get(..self.wave(rest)).unwrap_or(rest);
            let is_read = |state: &Listed| matches!(state, Listed::Present(_)) && !state.is_too_large();
            let paths: Vec<Path> =
                wave.iter().filter(|(_, state)| is_read(state)).map(|(path, _)| path.clone()).collect();
            let mut found = objects::read(self.client, self.calendar, &paths)?;
            for (path, state) in wave {
                if let Listed::Known(etag) = state {
                    if !self.has_room() {
                        return Ok(taken);
                    }
                    let (remote_id, etag) = (path.as_str().to_owned(), etag.as_str().to_owned());
                    self.items += 1;
                    self.bytes += ITEM + remote_id.len() + etag.len();
                    self.changes.push(Change::Known(Reference { remote_id, etag }));
                    taken += 1;
                    continue;
                }
                let found = match found.remove(path) {
                    _ if state.is_too_large() => Found::Unsaid(Failure::Permanent("it is too large".to_owned())),
                    found => found.unwrap_or(Found::Gone),
                };
                if !self.has_room() || !self.take(path, found) {
                    return Ok(taken);
                }
                taken += 1;
            }
        }
        Ok(taken)
    }

    /// How many of what is listed are read at once: what has long texts, in small numbers.
    fn wave(&self, listed: &[(Path, Listed)]) -> usize {
        let (objects, bytes) = self.read;
        let average = bytes.checked_div(objects).unwrap_or(objects::WAVE_BYTES / objects::BATCH);
        let mut together = 0;
        let fit = listed.iter().take(objects::WAVE.min(CHANGES - self.changes.len())).take_while(|(_, state)| {
            together += match state {
                Listed::Present(length) if !state.is_too_large() => length.unwrap_or(average),
                _ => 0,
            };
            together <= objects::WAVE_BYTES
        });
        fit.count().max(1)
    }

    fn has_room(&self) -> bool {
        self.changes.len() < CHANGES && self.items < ITEMS && self.bytes < BYTES && !self.effort.is_spent()
    }

    /// False when it is left to the next page.
    fn take(&mut self, path: &Path, found: Found) -> bool {
        let changes = match found {
            Found::Gone if self.full => return true,
            Found::Gone => Ok(vec![Change::Removed(path.as_str().to_owned())]),
            Found::Unsaid(failure) => Err(why(failure)),
            Found::Stored(stored) => {
                self.read = (self.read.0 + 1, self.read.1 + stored.data.len());
                self.reader.changes(path, &stored, self.window, self.full, &mut self.effort)
            }
        };
        let changes = match changes {
            Ok(changes) => changes,
            Err(why) => return self.leave_out(path, &why),
        };
        let (mut items, mut bytes) = (0, 0);
        for change in &changes {
            let (more, larger) = match change {
                Change::Series(series) => (series.occurrences.len(), series.occurrences.iter().map(size).sum()),
                Change::Present(item) => (1, size(item)),
                Change::Known(known) => (1, known.remote_id.len() + known.etag.len()),
                Change::Removed(id) => (0, id.len()),
            };
            items += more;
            bytes += larger;
        }
        if bytes > BYTES {
            return self.leave_out(path, "its occurrences in the window are too large for a page");
        }
        let is_full =
            self.changes.len() + changes.len() > CHANGES || self.items + items > ITEMS || self.bytes + bytes > BYTES;
        if !self.changes.is_empty() && is_full {
            return false;
        }
        self.items += items;
        self.bytes += bytes;
        self.changes.extend(changes);
        true
    }

    fn leave_out(&self, path: &Path, why: &str) -> bool {
        self.client.host.warn(path.as_str(), &format!("left out, because {why}"));
        true
    }
}

/// Words for a failure that concerns one object.
pub(crate) fn why(failure: Failure) -> String {
    match failure {
        Failure::Auth(text) | Failure::Transient(text) | Failure::Permanent(text) => text,
        Failure::Throttled(_) => "the server wants a pause".to_owned(),
        Failure::Gone => "the server no longer has it".to_owned(),
        Failure::Conflict => "somebody else changed it".to_owned(),
    }
}

/// About how much an item takes of what a call may return.
fn size(item: &Item) -> usize {
    let texts = match &item.content {
        Content::Entry(entry) => entry.subject.len() + entry.body.len() + entry.location.len() + entry.zone.len(),
        Content::Contact(contact) => contact.note.len(),
    };
    ITEM + item.remote_id.len() + item.etag.len() + item.collection.len() + texts
}
