//! What a cursor remembers: for each file, how far it was read and what it looked like there.

use apptsync_plugin::types::Failure;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::Xxh64;

use crate::folder::unreadable;
use crate::walk::{FeedFile, LineState, Position, fingerprint_of};

const VERSION: u32 = 1;
/// The longest cursor that the contract allows, in bytes.
const LONGEST: usize = 65_536;
/// Numbers, hashes, punctuation and line state of an entry take less than this.
const LONGEST_ENTRY_WITHOUT_PATH: usize = 160;

#[derive(Serialize, Deserialize)]
struct Cursor<'text> {
    version: u32,
    #[serde(borrow)]
    files: Vec<Entry<'text>>,
}

/// Path, offset, line feeds, state of the line, fingerprint in hexadecimal digits, length and time of the last writing when
/// the pass was opened, digest in hexadecimal digits, which is not in cursors of earlier versions.
#[derive(Serialize, Deserialize)]
struct Entry<'text>(
    #[serde(borrow)] std::borrow::Cow<'text, str>,
    u64,
    u64,
    LineState,
    String,
    u64,
    u64,
    #[serde(default)] Option<String>,
);

/// The cursor of the files' positions.
pub(crate) fn write(files: &[FeedFile]) -> Result<String, Failure> {
    let entries = files.iter().filter(|file| file.position.offset > 0).map(|file| {
        let Position { offset, line_feeds, line } = file.position;
        let fingerprint = format!("{:x}", file.fingerprint);
        let digest = file.digest.map(|digest| format!("{digest:x}"));
        Entry(file.path.as_str().into(), offset, line_feeds, line, fingerprint, file.limit, file.modified, digest)
    });
    let cursor = Cursor { version: VERSION, files: entries.collect() };
    serde_json::to_string(&cursor).map_err(|error| Failure::Permanent(format!("the cursor cannot be written: {error}")))
}

/// Refuses more files than a cursor can hold.
pub(crate) fn check_size(files: &[FeedFile]) -> Result<(), Failure> {
    let length: usize = files.iter().map(|file| file.path.len() + LONGEST_ENTRY_WITHOUT_PATH).sum();
    if length <= LONGEST {
        return Ok(());
    }
    Err(Failure::Permanent(format!(
        "the feed has {} files, more than a cursor can hold: move files that were imported long ago out of the folder",
        files.len()
    )))
}

/// Sets the files to where the cursor says, or to their start if lines could have been missed; says why then.
///
/// A file that has something new, or was written to since, is left to be checked: its beginning and what stands just before
/// the position are looked at here, the rest takes longer.
pub(crate) fn apply(cursor: &str, files: &mut [FeedFile], notices: &mut Vec<String>) -> Result<(), Failure> {
    let stored = serde_json::from_str::<Cursor>(cursor).ok().filter(|stored| stored.version == VERSION);
    let Some(stored) = stored else {
        notices.push("the cursor is not one of this source plugin; all files are read from the start".to_owned());
        return Ok(());
    };
    let mut causes = Vec::new();
    for Entry(path, offset, line_feeds, line, fingerprint, length, modified, digest) in stored.files {
        let Some(file) = files.iter_mut().find(|file| file.path == path) else {
            let shown = path.rsplit_once('/').map_or(&*path, |(_, name)| name);
            notices.push(format!("{shown} is no longer there; what was imported from it stays"));
            continue;
        };
        file.position = Position { offset, line_feeds, line };
        file.digest = digest.and_then(|digest| u64::from_str_radix(&digest, 16).ok());
        file.is_unchecked = offset < file.limit || file.modified != modified;
        // What only grew has another length: written to and as long as before, it was changed within.
        let changed_within = file.digest.is_none() && file.limit == length && file.modified != modified;
        let same = offset <= file.limit && !changed_within && {
            let found = fingerprint_of(&file.path, offset).map_err(|error| unreadable(&file.path, &error))?;
            file.fingerprint = found;
            format!("{found:x}") == fingerprint
        };
        if !same {
            causes.push(rewritten(file));
        }
    }
    let known = files.iter().rposition(|file| file.position.offset > 0).unwrap_or(0);
    let between = files.iter().take(known).filter(|file| file.position.offset == 0 && file.limit > 0);
    causes.extend(
        between.map(|file| format!("{} is new and its name comes before files that were imported", file.shown)),
    );
    start_over(files, causes, notices);
    Ok(())
}

/// Why all files are read again when what was read of this one is no longer there.
pub(crate) fn rewritten(file: &FeedFile) -> String {
    format!("{} was rewritten or truncated since the last import", file.shown)
}

/// If there is a cause, says it and sets all files to their start: a line in any of them may be a newer version of what the
/// changed one held.
pub(crate) fn start_over(files: &mut [FeedFile], causes: Vec<String>, notices: &mut Vec<String>) {
    if causes.is_empty() {
        return;
    }
    notices.extend(causes.into_iter().map(|cause| format!("{cause}; all files are read again from the start")));
    for file in files {
        file.position = Position::default();
        (file.fingerprint, file.digest) = (0, None);
        file.is_unchecked = false;
        file.hasher = Xxh64::default();
    }
}
