//! The tags that are kept from pass to pass, in pieces that the host takes.

use apptsync_plugin::connector::Kind;
use apptsync_plugin::types::Failure;
use xxhash_rust::xxh64::xxh64;

use crate::address::Path;
use crate::host::Host;
use crate::listing::Tags;
use crate::query;

/// Bytes of a piece; a value has at most 64 KiB.
const PIECE: usize = 60_000;

/// What is kept of one calendar and kind.
pub(crate) struct Kept<'h> {
    host: &'h dyn Host,
    calendar: &'h Path,
    prefix: String,
}

impl<'h> Kept<'h> {
    /// What is kept under a name of a calendar and kind.
    pub(crate) fn new(host: &'h dyn Host, name: &str, calendar: &'h Path, kind: Kind) -> Self {
        let of_calendar = xxh64(calendar.as_str().as_bytes(), 0);
        Self { host, calendar, prefix: format!("{name}/{}/{of_calendar:016x}", query::component(kind)) }
    }

    /// Reads what was written with this digest.
    ///
    /// # Errors
    ///
    /// `gone`: something else is kept. `transient`: the host refused.
    pub(crate) fn read(&self, digest: &str) -> Result<Tags, Failure> {
        let mut text = Vec::new();
        let mut piece = 0;
        while let Some(bytes) = self.host.kept(&self.key(piece)).map_err(refused)? {
            text.extend_from_slice(&bytes);
            piece += 1;
        }
        if digest_of(&text) != digest {
            return Err(Failure::Gone);
        }
        let text = String::from_utf8(text).map_err(|_| Failure::Gone)?;
        let mut tags = Tags::new();
        for line in text.lines() {
            let (name, tag) = line.split_once(' ').ok_or(Failure::Gone)?;
            let path = Path::new(&format!("{}{name}", self.calendar.as_str())).map_err(|_| Failure::Gone)?;
            tags.insert(path, tag.to_owned());
        }
        Ok(tags)
    }

    /// Reads whatever is kept, of which a caller knows itself what still holds. What cannot be read is nothing.
    pub(crate) fn recall(&self) -> Tags {
        let mut text = Vec::new();
        for piece in 0.. {
            let Ok(Some(bytes)) = self.host.kept(&self.key(piece)) else { break };
            text.extend_from_slice(&bytes);
        }
        let text = String::from_utf8(text).unwrap_or_default();
        let line = |line: &str| {
            let (name, tag) = line.split_once(' ')?;
            Some((Path::new(&format!("{}{name}", self.calendar.as_str())).ok()?, tag.to_owned()))
        };
        text.lines().filter_map(line).collect()
    }

    /// Keeps these tags in place of others, and gives their digest.
    ///
    /// # Errors
    ///
    /// `permanent`: the host keeps no more.
    pub(crate) fn write(&self, tags: &Tags) -> Result<String, Failure> {
        let mut text = String::new();
        for (path, tag) in tags {
            // Canonical paths have no spaces, and a tag no line ends.
            let name = path.as_str().strip_prefix(self.calendar.as_str()).unwrap_or(path.as_str());
            text.push_str(name);
            text.push(' ');
            text.push_str(tag);
            text.push('\n');
        }
        let mut piece = 0;
        for bytes in text.as_bytes().chunks(PIECE) {
            self.host.keep(&self.key(piece), bytes).map_err(Failure::Permanent)?;
            piece += 1;
        }
        self.forget_from(piece)?;
        Ok(digest_of(text.as_bytes()))
    }

    /// Keeps nothing any more.
    ///
    /// # Errors
    ///
    /// `transient`: the host refused.
    pub(crate) fn forget(&self) -> Result<(), Failure> {
        self.forget_from(0)
    }

    fn forget_from(&self, mut piece: usize) -> Result<(), Failure> {
        while self.host.kept(&self.key(piece)).map_err(refused)?.is_some() {
            self.host.forget(&self.key(piece)).map_err(refused)?;
            piece += 1;
        }
        Ok(())
    }

    fn key(&self, piece: usize) -> String {
        format!("{}/{piece}", self.prefix)
    }
}

fn digest_of(text: &[u8]) -> String {
    format!("{:016x}", xxh64(text, 0))
}

fn refused(why: String) -> Failure {
    Failure::Transient(format!("what was kept of the calendar cannot be read: {why}"))
}
