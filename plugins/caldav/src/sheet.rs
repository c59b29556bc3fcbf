//! A page under way: what changed, within the limits of the contract.

use apptsync_calendar::Effort;
use apptsync_plugin::connector::{Change, Content, Item, Window};
use apptsync_plugin::types::Failure;

use crate::address::Path;
use crate::client::Client;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    Present,
    Gone,
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
            let end = listed.len().min(taken + objects::WAVE.min(CHANGES - self.changes.len()));
            let wave = listed.get(taken..end).unwrap_or_default();
            let present = wave.iter().filter(|(_, state)| *state == Listed::Present);
            let paths: Vec<Path> = present.map(|(path, _)| path.clone()).collect();
            let mut found = objects::read(self.client, self.calendar, &paths)?;
            for (path, _) in wave {
                if !self.has_room() || !self.take(path, found.remove(path).unwrap_or(Found::Gone)) {
                    return Ok(taken);
                }
                taken += 1;
            }
        }
        Ok(taken)
    }

    fn has_room(&self) -> bool {
        self.changes.len() < CHANGES && self.items < ITEMS && self.bytes < BYTES && !self.effort.is_spent()
    }

    /// False when it is left to the next page.
    fn take(&mut self, path: &Path, found: Found) -> bool {
        let change = match found {
            Found::Gone if self.full => return true,
            Found::Gone => Ok(Some(Change::Removed(path.as_str().to_owned()))),
            Found::Unsaid(failure) => Err(why(failure)),
            Found::Stored(stored) => self.reader.change(path, &stored, self.window, &mut self.effort),
        };
        let change = match change {
            Ok(Some(change)) => change,
            Ok(None) => return true,
            Err(why) => return self.leave_out(path, &why),
        };
        let (items, bytes) = match &change {
            Change::Series(series) if self.full && series.occurrences.is_empty() => return true,
            Change::Series(series) => (series.occurrences.len(), series.occurrences.iter().map(size).sum()),
            Change::Present(item) => (1, size(item)),
            Change::Removed(id) => (0, id.len()),
        };
        if bytes > BYTES {
            return self.leave_out(path, "its occurrences in the window are too large for a page");
        }
        if !self.changes.is_empty() && (self.items + items > ITEMS || self.bytes + bytes > BYTES) {
            return false;
        }
        self.items += items;
        self.bytes += bytes;
        self.changes.push(change);
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
