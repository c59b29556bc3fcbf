//! Versions that this connector wrote itself, and the host therefore knows: they need not be read when the server tells of
//! them. Only what the next list of changes can tell is kept.
//!
//! A calendar may hold appointments and tasks, and a pass is about one kind: each has a list of its own, with the versions of
//! both kinds.

use std::collections::BTreeSet;

use apptsync_plugin::connector::Kind;
use xxhash_rust::xxh64::xxh64;

use crate::address::Path;
use crate::etag::Etag;
use crate::host::Host;
use crate::query;

/// Versions that are kept at most; the others are read. A value of the host's has room for 64 KiB.
const MOST: usize = 8_000;
const BYTES: usize = size_of::<u64>();
const KINDS: [Kind; 2] = [Kind::Appointment, Kind::Task];

/// What is kept of a calendar for the passes of one kind.
pub(crate) struct Written<'h> {
    host: &'h dyn Host,
    kind: Kind,
    key: String,
    versions: BTreeSet<u64>,
}

/// What a listed version is to a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// Of the kind that the pass is about.
    Known,
    /// Of another kind: it need not be told.
    OfAnotherKind,
}

impl<'h> Written<'h> {
    /// What was kept. What cannot be read is nothing: then the server is asked.
    pub(crate) fn read(host: &'h dyn Host, calendar: &Path, kind: Kind) -> Self {
        let key = format!("written/{}/{:016x}", query::component(kind), xxh64(calendar.as_str().as_bytes(), 0));
        let bytes = host.kept(&key).ok().flatten().unwrap_or_default();
        let versions = bytes.chunks_exact(BYTES).filter_map(|chunk| Some(u64::from_le_bytes(chunk.try_into().ok()?)));
        Self { host, kind, key, versions: versions.collect() }
    }

    /// Whether a version was written here.
    pub(crate) fn own(&self, path: &Path, etag: &Etag) -> Option<Own> {
        let kind = KINDS.into_iter().find(|kind| self.versions.contains(&version(path, etag, *kind)))?;
        Some(if kind == self.kind { Own::Known } else { Own::OfAnotherKind })
    }

    /// Keeps versions of one kind, for the passes of every kind. Where the host keeps no more, they are read one day: nothing
    /// is lost.
    pub(crate) fn keep(host: &dyn Host, calendar: &Path, kind: Kind, versions: &[(&Path, &Etag)]) {
        if versions.is_empty() {
            return;
        }
        for list in KINDS {
            let mut known = Written::read(host, calendar, list);
            let room = MOST.saturating_sub(known.versions.len());
            known.versions.extend(versions.iter().take(room).map(|(path, etag)| version(path, etag, kind)));
            let bytes: Vec<u8> = known.versions.iter().flat_map(|version| version.to_le_bytes()).collect();
            let _ = host.keep(&known.key, &bytes);
        }
    }

    /// Keeps none any more.
    pub(crate) fn forget(&self) {
        if !self.versions.is_empty() {
            let _ = self.host.forget(&self.key);
        }
    }
}

fn version(path: &Path, etag: &Etag, kind: Kind) -> u64 {
    xxh64(format!("{}\n{}\n{}", path.as_str(), etag.as_str(), query::component(kind)).as_bytes(), 0)
}
