//! Versions that this connector wrote itself, and the host therefore knows: they need not be read when the server tells of
//! them. Only what one sync-collection after the writes can tell is kept.

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

/// What is kept of one calendar and kind.
pub(crate) struct Written<'h> {
    host: &'h dyn Host,
    key: String,
    versions: BTreeSet<u64>,
    is_changed: bool,
}

impl<'h> Written<'h> {
    /// What was kept. What cannot be read is nothing: then the server is asked.
    pub(crate) fn read(host: &'h dyn Host, calendar: &Path, kind: Kind) -> Self {
        let key = format!("written/{}/{:016x}", query::component(kind), xxh64(calendar.as_str().as_bytes(), 0));
        let bytes = host.kept(&key).ok().flatten().unwrap_or_default();
        let versions = bytes.chunks_exact(BYTES).filter_map(|chunk| Some(u64::from_le_bytes(chunk.try_into().ok()?)));
        Self { host, key, versions: versions.collect(), is_changed: false }
    }

    /// True for a version that was written here.
    pub(crate) fn has(&self, path: &Path, etag: &Etag) -> bool {
        self.versions.contains(&version(path, etag))
    }

    /// One more.
    pub(crate) fn add(&mut self, path: &Path, etag: &Etag) {
        if self.versions.len() < MOST {
            self.is_changed |= self.versions.insert(version(path, etag));
        }
    }

    /// Keeps all. Where the host keeps no more, they are read one day: nothing is lost.
    pub(crate) fn keep(&self) {
        if self.is_changed {
            let bytes: Vec<u8> = self.versions.iter().flat_map(|version| version.to_le_bytes()).collect();
            let _ = self.host.keep(&self.key, &bytes);
        }
    }

    /// Keeps none any more.
    pub(crate) fn forget(&self) {
        if !self.versions.is_empty() {
            let _ = self.host.forget(&self.key);
        }
    }
}

fn version(path: &Path, etag: &Etag) -> u64 {
    xxh64(format!("{}\n{}", path.as_str(), etag.as_str()).as_bytes(), 0)
}
