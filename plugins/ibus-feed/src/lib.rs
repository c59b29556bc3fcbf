//! The built-in source: appointments and customers of Mobile in files of a folder.
//!
//! The format stands in `feed.schema.json`: files `appointments*.jsonl` and `customers*.jsonl`, one JSON object a line, only
//! ever appended to. The last line of an id, files in ascending order of their names, is its newest version; a line that
//! cannot be read is no version of anything.
//!
//! Configuration: `folders`, a JSON array with the paths of the granted folders, which the host adds; `["feed"]` without it.

mod check;
mod cursor;
mod diagnose;
mod folder;
mod hash;
mod header;
pub mod instant;
mod lines;
mod pass;
mod plain;
pub mod record;
mod scan;
mod survey;
mod values;
mod walk;

pub use pass::Pass;

use std::cell::RefCell;

use apptsync_plugin::configuration;
use apptsync_plugin::source::{Collection, Page, Reader, ReaderHandle, Source};
use apptsync_plugin::types::Failure;

struct Plugin;

impl Source for Plugin {
    type Reader = PassReader;
}

struct PassReader(RefCell<Pass>);

impl Reader for PassReader {
    fn open(what: Collection, channel: String, cursor: Option<String>) -> Result<ReaderHandle, Failure> {
        let folders = configuration::get("folders").and_then(folder::configured).map_err(Failure::Permanent)?;
        let pass = Pass::open(&folders, what, channel, cursor.as_deref())?;
        Ok(ReaderHandle::new(Self(RefCell::new(pass))))
    }

    fn next(&self, at_most: u32) -> Result<Page, Failure> {
        self.0.borrow_mut().next(at_most)
    }
}

apptsync_plugin::export_source!(Plugin);
