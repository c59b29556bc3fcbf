//! The way through the files of a pass, line by line: taken once by the survey and once by the pass itself.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use apptsync_plugin::types::Failure;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::Xxh64;

use crate::folder::unreadable;
use crate::hash;
use crate::lines::{KEPT_BEFORE, Lines, Next};

/// How much of a file's beginning goes into its fingerprint.
const HEAD: usize = 4_096;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file as it was when the pass was opened.
pub(crate) struct FeedFile {
    /// Where it is opened: folder and name.
    pub(crate) path: String,
    /// How messages call it.
    pub(crate) shown: String,
    /// Its length in bytes: the end of the pass.
    pub(crate) limit: u64,
    /// When it was last written to, in nanoseconds since 1970; 0 where the folder does not say.
    pub(crate) modified: u64,
    /// Where the pass stands in it.
    pub(crate) position: Position,
    /// What the beginning of the file and the end of what stands before the position look like.
    pub(crate) fingerprint: u64,
    /// A digest of everything before the position; cursors of earlier versions have none.
    pub(crate) digest: Option<u64>,
    /// What stands before the position has still to be compared with the digest, and brought to `hasher`.
    pub(crate) is_unchecked: bool,
    /// Has read everything before the position, if there is more to read behind it.
    pub(crate) hasher: Xxh64,
}

/// A place between two reads of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// Bytes before it.
    pub(crate) offset: u64,
    /// Line feeds before it.
    pub(crate) line_feeds: u64,
    /// What has become of the line it stands in.
    pub(crate) line: LineState,
}

/// What has become of the line that a position stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LineState {
    /// Nothing: a record may begin here.
    #[default]
    Fresh,
    /// Its record was taken although no line feed followed it yet: only that is still to come.
    Taken,
    /// It was reported as broken: what is still to come of it is passed over.
    Reported,
}

/// One step on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A line that should be a record: where its text stands, and whether a line feed follows it.
    Text(Range<usize>, bool),
    /// A line of so many bytes that was left out.
    TooLong(u64),
    /// Something more on a line whose record was taken already.
    Trailing,
    /// Nothing to look at.
    Nothing,
    /// The end of a file.
    EndOfFile,
    /// The end of the last file.
    End,
}

/// The way through the files, from their positions to their limits.
#[derive(Default)]
pub(crate) struct Walk {
    index: usize,
    open: Option<Open>,
    /// How many steps were texts.
    pub(crate) ordinal: u32,
    /// How many bytes were read.
    pub(crate) consumed: u64,
}

struct Open {
    lines: Lines,
    head: Vec<u8>,
    before: Position,
    position: Position,
}

impl Walk {
    /// Goes on.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or became shorter.
    pub(crate) fn step(&mut self, files: &[FeedFile]) -> Result<Step, Failure> {
        let Some(file) = files.get(self.index) else {
            return Ok(Step::End);
        };
        let open = match &mut self.open {
            Some(open) => open,
            None if file.position.offset >= file.limit => return Ok(Step::EndOfFile),
            None => self.open.insert(Open::new(file).map_err(|error| unreadable(&file.path, &error))?),
        };
        let offset = open.lines.offset();
        let step = open.step().map_err(|error| unreadable(&file.path, &error))?;
        self.consumed += open.lines.offset() - offset;
        if matches!(step, Step::Text(..)) {
            self.ordinal = self.ordinal.checked_add(1).ok_or_else(|| {
                Failure::Permanent("the feed holds more than 4,294,967,295 lines: move old files elsewhere".to_owned())
            })?;
        }
        Ok(step)
    }

    /// The text of the last step.
    pub(crate) fn text(&self, range: &Range<usize>) -> &[u8] {
        self.open.as_ref().map_or(&[], |open| open.lines.text(range))
    }

    /// The file under way.
    pub(crate) const fn index(&self) -> usize {
        self.index
    }

    /// The number of the last step's line, from 1.
    pub(crate) fn line_number(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.before.line_feeds + 1)
    }

    /// The last step's line, which has no line feed yet, is a record that was taken.
    pub(crate) fn take_unfinished(&mut self) {
        if let Some(open) = &mut self.open {
            open.position.line = LineState::Taken;
        }
    }

    /// The last step's line, which has no line feed yet, shall be read again by the next pass.
    pub(crate) fn leave_unfinished(&mut self) {
        if let Some(open) = &mut self.open {
            open.position = open.before;
        }
    }

    /// Stores position and fingerprint in the file under way.
    pub(crate) fn mark(&self, files: &mut [FeedFile]) {
        if let (Some(open), Some(file)) = (&self.open, files.get_mut(self.index)) {
            file.position = open.position;
            let offset = open.position.offset;
            file.fingerprint = fingerprint(&open.head, open.lines.before(offset), offset);
            file.digest = Some(open.lines.digest(offset));
        }
    }

    /// Goes on to the next file; gives a digest of this one, as far as it was read.
    pub(crate) fn next_file(&mut self) -> u64 {
        self.index += 1;
        self.open.take().map_or(0, |open| open.lines.digest(open.lines.offset()))
    }
}

impl Open {
    fn new(file: &FeedFile) -> io::Result<Self> {
        let mut input = File::open(&file.path)?;
        let mut head = Vec::with_capacity(HEAD);
        input.by_ref().take(file.limit.min(HEAD as u64)).read_to_end(&mut head)?;
        let lines = Lines::new(input, file.position.offset, file.limit, file.hasher.clone())?;
        Ok(Self { lines, head, before: file.position, position: file.position })
    }

    fn step(&mut self) -> io::Result<Step> {
        let next = self.lines.advance()?;
        let finished = match &next {
            Next::Line(_, finished) | Next::TooLong(_, finished) => *finished,
            Next::Skipped => return Ok(Step::Nothing),
            Next::End => return Ok(Step::EndOfFile),
        };
        self.before = self.position;
        self.position = Position {
            offset: self.lines.offset(),
            line_feeds: self.before.line_feeds + u64::from(finished),
            line: if finished { LineState::Fresh } else { LineState::Reported },
        };
        let blank = match &next {
            Next::Line(range, _) => self.lines.text(range).trim_ascii().is_empty(),
            _ => false,
        };
        Ok(match (self.before.line, next) {
            (LineState::Reported, _) => Step::Nothing,
            (state, _) if blank => {
                self.position.line = if finished { LineState::Fresh } else { state };
                Step::Nothing
            }
            (LineState::Taken, _) => Step::Trailing,
            (LineState::Fresh, Next::Line(range, _)) => self.text_after_mark(range, finished),
            (LineState::Fresh, Next::TooLong(length, _)) => Step::TooLong(length),
            (LineState::Fresh, _) => Step::Nothing,
        })
    }

    fn text_after_mark(&self, mut range: Range<usize>, finished: bool) -> Step {
        if self.before.offset == 0 && self.lines.text(&range).starts_with(BYTE_ORDER_MARK) {
            range.start += BYTE_ORDER_MARK.len();
        }
        Step::Text(range, finished)
    }
}

/// The fingerprint of a file up to an offset that is at most its length.
///
/// # Errors
///
/// The file cannot be read, or is shorter.
pub(crate) fn fingerprint_of(path: &str, offset: u64) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut head = vec![0; usize::try_from(offset.min(HEAD as u64)).unwrap_or(HEAD)];
    file.read_exact(&mut head)?;
    let mut before = vec![0; usize::try_from(offset.min(KEPT_BEFORE as u64)).unwrap_or(KEPT_BEFORE)];
    file.seek(SeekFrom::Start(offset - before.len() as u64))?;
    file.read_exact(&mut before)?;
    Ok(fingerprint(&head, &before, offset))
}

fn fingerprint(head: &[u8], before: &[u8], offset: u64) -> u64 {
    let head = head.get(..usize::try_from(offset).unwrap_or(usize::MAX)).unwrap_or(head);
    hash::stable(&[head, before])
}
