//! What a cursor remembers: for each file, how far it was read and what it looked like there.

use apptsync_plugin::types::Failure;
use serde::{Deserialize, Serialize};

use crate::folder::unreadable;
use crate::walk::{FeedFile, LineState, Position, fingerprint_of};

const VERSION: u32 = 1;
/// The longest cursor that the contract allows, in bytes.
const LONGEST: usize = 65_536;
/// Numbers, hash, punctuation and line state of an entry take less than this.
const LONGEST_ENTRY_WITHOUT_PATH: usize = 128;

#[derive(Serialize, Deserialize)]
struct Cursor<'text> {
    version: u32,
    #[serde(borrow)]
    files: Vec<Entry<'text>>,
}

/// Path, offset, line feeds, state of the line, fingerprint in hexadecimal digits, length and time of the last writing when
/// the pass was opened.
#[derive(Serialize, Deserialize)]
struct Entry<'text>(#[serde(borrow)] std::borrow::Cow<'text, str>, u64, u64, LineState, String, u64, u64);

/// The cursor of the files' positions.
pub(crate) fn write(files: &[FeedFile]) -> Result<String, Failure> {
    let entries = files.iter().filter(|file| file.position.offset > 0).map(|file| {
        let Position { offset, line_feeds, line } = file.position;
        let fingerprint = format!("{:x}", file.fingerprint);
        Entry(file.path.as_str().into(), offset, line_feeds, line, fingerprint, file.limit, file.modified)
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
/// When one file was rewritten, all are read again: a line in any of them may be a newer version of what it held.
pub(crate) fn apply(cursor: &str, files: &mut [FeedFile], notices: &mut Vec<String>) -> Result<(), Failure> {
    let stored = serde_json::from_str::<Cursor>(cursor).ok().filter(|stored| stored.version == VERSION);
    let Some(stored) = stored else {
        notices.push("the cursor is not one of this source plugin; all files are read from the start".to_owned());
        return Ok(());
    };
    let mut causes = Vec::new();
    for Entry(path, offset, line_feeds, line, fingerprint, length, modified) in stored.files {
        let Some(file) = files.iter_mut().find(|file| file.path == path) else {
            let shown = path.rsplit_once('/').map_or(&*path, |(_, name)| name);
            notices.push(format!("{shown} is no longer there; what was imported from it stays"));
            continue;
        };
        file.position = Position { offset, line_feeds, line };
        // What only grew has another length: written to and as long as before, it was changed within.
        let changed_within = file.limit == length && file.modified != modified;
        let same = offset <= file.limit && !changed_within && {
            let found = fingerprint_of(&file.path, offset).map_err(|error| unreadable(&file.path, &error))?;
            file.fingerprint = found;
            format!("{found:x}") == fingerprint
        };
        if !same {
            causes.push(format!("{} was rewritten or truncated since the last import", file.shown));
        }
    }
    let known = files.iter().rposition(|file| file.position.offset > 0).unwrap_or(0);
    let between = files.iter().take(known).filter(|file| file.position.offset == 0 && file.limit > 0);
    causes.extend(
        between.map(|file| format!("{} is new and its name comes before files that were imported", file.shown)),
    );
    if !causes.is_empty() {
        notices.extend(causes.into_iter().map(|cause| format!("{cause}; all files are read again from the start")));
        for file in files {
            (file.position, file.fingerprint) = (Position::default(), 0);
        }
    }
    Ok(())
}
