//! The lines of a part of a file, read in large pieces, with memory bounded whatever the lines are.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use xxhash_rust::xxh64::Xxh64;

use crate::scan::line_feed;

/// Lines longer than this are not read.
pub(crate) const LONGEST_LINE: usize = 1 << 20;
/// How much before a position is kept for its fingerprint.
pub(crate) const KEPT_BEFORE: usize = 1_024;
const PIECE: usize = 256 << 10;

/// What comes next in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// A line, without its line feed: where it stands in the buffer, and whether a line feed follows it.
    Line(Range<usize>, bool),
    /// A line of so many bytes that was left out, and whether a line feed follows it.
    TooLong(u64, bool),
    /// A piece of a line that is too long; there is more of it.
    Skipped,
    /// The end of the part.
    End,
}

/// Reads the lines between two offsets of a file.
pub(crate) struct Lines {
    file: File,
    buffer: Vec<u8>,
    /// Offset in the file of the buffer's first byte.
    base: u64,
    /// The next line begins here in the buffer.
    begin: usize,
    /// No line feed stands between `begin` and here.
    searched: usize,
    /// The buffer is filled up to here.
    filled: usize,
    /// Offset at which the part ends.
    limit: u64,
    /// Bytes of a line too long that were left out so far.
    skipped: u64,
    /// Where the last line that was too long begins, and the bytes before it.
    before_skipped: (u64, Vec<u8>),
    /// Of everything in the file before `digested`, which is never behind the line under way.
    digest: Xxh64,
    /// An offset in the file.
    digested: u64,
    /// Within a line that is too long: of everything before `begin`.
    digest_ahead: Option<Xxh64>,
}

impl Lines {
    /// Begins at an offset and ends at a limit, both in bytes. `digest` is of everything before the offset.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn new(mut file: File, offset: u64, limit: u64, digest: Xxh64) -> io::Result<Self> {
        let before = offset.min(KEPT_BEFORE as u64);
        let base = offset - before;
        file.seek(SeekFrom::Start(base))?;
        let room = (limit - base).min((PIECE + KEPT_BEFORE) as u64);
        let mut buffer = vec![0; usize::try_from(room).unwrap_or(PIECE)];
        let begin = usize::try_from(before).unwrap_or(KEPT_BEFORE);
        if let Some(kept) = buffer.get_mut(..begin) {
            file.read_exact(kept)?;
        }
        Ok(Self {
            file,
            buffer,
            base,
            begin,
            searched: begin,
            filled: begin,
            limit,
            skipped: 0,
            before_skipped: (0, Vec::new()),
            digest,
            digested: offset,
            digest_ahead: None,
        })
    }

    /// Goes on to the next line.
    ///
    /// # Errors
    ///
    /// The file cannot be read; [`io::ErrorKind::UnexpectedEof`] if it became shorter than the limit.
    pub(crate) fn advance(&mut self) -> io::Result<Next> {
        loop {
            let unsearched = self.buffer.get(self.searched..self.filled).unwrap_or_default();
            if let Some(position) = line_feed(unsearched) {
                let end = self.searched + position;
                return Ok(self.take(end, end + 1, true));
            }
            self.searched = self.filled;
            if self.base + self.filled as u64 >= self.limit {
                let end = self.filled;
                let nothing = self.begin == end && self.skipped == 0;
                return Ok(if nothing { Next::End } else { self.take(end, end, false) });
            }
            if self.skipped > 0 || self.filled - self.begin > LONGEST_LINE {
                if self.skipped == 0 {
                    self.before_skipped = (self.offset(), self.before(self.offset()).to_vec());
                }
                self.skipped += (self.filled - self.begin) as u64;
                self.digest_skipped();
                self.begin = self.filled;
                self.fill()?;
                return Ok(Next::Skipped);
            }
            self.fill()?;
        }
    }

    fn take(&mut self, end: usize, next: usize, finished: bool) -> Next {
        let line = self.begin..end;
        if let Some(digest) = self.digest_ahead.take() {
            (self.digest, self.digested) = (digest, self.offset());
        }
        let length = std::mem::take(&mut self.skipped) + line.len() as u64;
        self.begin = next;
        self.searched = next;
        if length > LONGEST_LINE as u64 { Next::TooLong(length, finished) } else { Next::Line(line, finished) }
    }

    /// The text of a line, valid until the next one.
    pub(crate) fn text(&self, line: &Range<usize>) -> &[u8] {
        self.buffer.get(line.clone()).unwrap_or_default()
    }

    /// Offset at which the next line begins.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.begin as u64
    }

    /// The last bytes before an offset at which the last line or the next one begins.
    pub(crate) fn before(&self, offset: u64) -> &[u8] {
        if offset == self.before_skipped.0 && offset > 0 {
            return &self.before_skipped.1;
        }
        let end = usize::try_from(offset.saturating_sub(self.base)).unwrap_or_default();
        self.buffer.get(end.saturating_sub(KEPT_BEFORE)..end).unwrap_or_default()
    }

    /// A digest of everything in the file before an offset at which the last line or the next one begins.
    pub(crate) fn digest(&self, offset: u64) -> u64 {
        let mut digest = self.digest.clone();
        digest.update(self.between(self.digested, offset));
        digest.digest()
    }

    /// Takes what stands before the line under way into the digest.
    fn digest_lines(&mut self) {
        let mut digest = std::mem::take(&mut self.digest);
        digest.update(self.between(self.digested, self.offset()));
        (self.digest, self.digested) = (digest, self.offset());
    }

    /// Takes a piece of a line that is too long into the digest ahead; the other one stays where the line begins.
    fn digest_skipped(&mut self) {
        let mut digest = self.digest_ahead.take().unwrap_or_else(|| {
            self.digest_lines();
            self.digest.clone()
        });
        digest.update(self.buffer.get(self.begin..self.filled).unwrap_or_default());
        self.digest_ahead = Some(digest);
    }

    /// What the buffer holds between two offsets of the file.
    fn between(&self, from: u64, to: u64) -> &[u8] {
        let place = |offset: u64| usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.buffer.get(place(from)..place(to)).unwrap_or_default()
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.digest_ahead.is_none() {
            self.digest_lines();
        }
        let left = usize::try_from(self.limit - self.base).unwrap_or(usize::MAX).saturating_sub(self.filled);
        if self.buffer.len() - self.filled < left.min(PIECE) {
            let kept = self.begin.saturating_sub(KEPT_BEFORE);
            self.buffer.copy_within(kept..self.filled, 0);
            self.base += kept as u64;
            self.begin -= kept;
            self.searched -= kept;
            self.filled -= kept;
            let needed = self.filled + left.min(PIECE);
            if self.buffer.len() < needed {
                self.buffer.resize(needed, 0);
            }
        }
        let end = self.buffer.len().min(self.filled + left);
        let count = match self.buffer.get_mut(self.filled..end) {
            Some(room) => self.file.read(room)?,
            None => 0,
        };
        self.filled += count;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(content: &[u8]) -> File {
        use std::io::Write;
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(content).expect("written");
        file
    }

    fn digest_of(content: &[u8]) -> Xxh64 {
        let mut digest = Xxh64::default();
        digest.update(content);
        digest
    }

    /// Each line with what follows it and the offset behind it; lines that are too long by their length.
    fn read(content: &[u8], offset: u64, limit: u64) -> Vec<(Result<Vec<u8>, u64>, bool, u64)> {
        let mut position = usize::try_from(offset).expect("small");
        let mut lines = Lines::new(file(content), offset, limit, digest_of(&content[..position])).expect("opened");
        let mut found = Vec::new();
        loop {
            let next = lines.advance().expect("read");
            let is_skipped = next == Next::Skipped;
            match next {
                Next::Line(range, finished) => found.push((Ok(lines.text(&range).to_vec()), finished, lines.offset())),
                Next::TooLong(length, finished) => found.push((Err(length), finished, lines.offset())),
                Next::Skipped => {}
                Next::End => return found,
            }
            let offset = lines.offset();
            let end = usize::try_from(offset).expect("small");
            assert_eq!(lines.before(offset), &content[end.saturating_sub(KEPT_BEFORE)..end]);
            // Where the last line ends; within one that is too long, where it begins.
            position = if is_skipped { position } else { end };
            assert_eq!(lines.digest(position as u64), digest_of(&content[..position]).digest());
            assert!(lines.buffer.len() <= LONGEST_LINE + 2 * PIECE + KEPT_BEFORE, "{}", lines.buffer.len());
        }
    }

    #[test]
    fn a_part_of_a_file_is_split_into_lines() {
        let expected = vec![(Ok(b"b".to_vec()), true, 4), (Ok(Vec::new()), true, 5), (Ok(b"cd".to_vec()), false, 7)];
        assert_eq!(read(b"a\nb\n\ncdef", 2, 7), expected);
        assert_eq!(read(b"a\n", 2, 2), []);
        assert_eq!(read(b"", 0, 0), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_rest_goes_on() {
        let mut content = vec![b'x'; LONGEST_LINE];
        content.extend_from_slice(b"\n");
        content.extend(vec![b'y'; 10 << 20]);
        content.extend_from_slice(b"\nz\n");
        content.extend(vec![b'w'; LONGEST_LINE + 1]);
        let found = read(&content, 0, content.len() as u64);
        let shapes: Vec<_> = found.iter().map(|(line, finished, _)| (line.as_ref().map(Vec::len), *finished)).collect();
        let too_long = 10 << 20;
        let last = LONGEST_LINE as u64 + 1;
        assert_eq!(shapes, [(Ok(LONGEST_LINE), true), (Err(&too_long), true), (Ok(1), true), (Err(&last), false)]);
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let mut lines = Lines::new(file(b"a\nb"), 0, 10, Xxh64::default()).expect("opened");
        assert_eq!(lines.advance().expect("read"), Next::Line(0..1, true));
        assert_eq!(lines.advance().expect_err("shorter").kind(), io::ErrorKind::UnexpectedEof);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_lines_are_those_of_the_text(lengths in prop::collection::vec(0..40_000_usize, 0..40), last in prop::option::of(1..40_000_usize)) {
            let mut content = Vec::new();
            let mut expected = Vec::new();
            for (index, length) in lengths.iter().enumerate() {
                let line = vec![b'a' + u8::try_from(index % 26).unwrap_or(0); *length];
                content.extend_from_slice(&line);
                content.push(b'\n');
                expected.push((Ok(line), true, content.len() as u64));
            }
            if let Some(length) = last {
                content.extend(vec![b'!'; length]);
                expected.push((Ok(vec![b'!'; length]), false, content.len() as u64));
            }
            prop_assert_eq!(read(&content, 0, content.len() as u64), expected);
        }
    }
}
