//! The check that files still hold what was read of them by earlier passes.

use std::fs::File;
use std::io::{self, Read};

use apptsync_plugin::types::Failure;

use crate::cursor::rewritten;
use crate::folder::unreadable;
use crate::walk::FeedFile;

/// Input read in one call: keeps a call far below its deadline, on a slow disk too.
const BYTES_A_CALL: u64 = 64 << 20;
const PIECE: usize = 256 << 10;

/// The way through what was read before, in the files that have something new or were written to since.
pub(crate) struct Check {
    /// Where the pass began.
    pub(crate) cursor: String,
    /// Files that do not hold it any more.
    pub(crate) causes: Vec<String>,
    index: usize,
    open: Option<Open>,
    buffer: Vec<u8>,
}

struct Open {
    input: File,
    /// Bytes still to be read.
    left: u64,
}

impl Check {
    /// Of a pass that begins at this cursor.
    pub(crate) fn new(cursor: String) -> Self {
        Self { cursor, causes: Vec::new(), index: 0, open: None, buffer: Vec::new() }
    }

    /// Goes on for as long as one call may take; true when all files were checked.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or became shorter.
    pub(crate) fn go_on(&mut self, files: &mut [FeedFile]) -> Result<bool, Failure> {
        let mut budget = BYTES_A_CALL;
        while let Some(file) = files.get_mut(self.index) {
            if file.is_unchecked {
                let is_through = self.read(file, &mut budget).map_err(|error| unreadable(&file.path, &error))?;
                if !is_through {
                    return Ok(false);
                }
                if file.digest.is_some_and(|digest| digest != file.hasher.digest()) {
                    self.causes.push(rewritten(file));
                }
                file.is_unchecked = false;
            }
            self.open = None;
            self.index += 1;
        }
        Ok(true)
    }

    /// Reads on in a file; true when everything before the position was read.
    fn read(&mut self, file: &mut FeedFile, budget: &mut u64) -> io::Result<bool> {
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(Open { input: File::open(&file.path)?, left: file.position.offset }),
        };
        while open.left > 0 && *budget > 0 {
            let wanted = usize::try_from(open.left).unwrap_or(PIECE).min(PIECE);
            self.buffer.resize(wanted, 0);
            let count = open.input.read(&mut self.buffer)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            file.hasher.update(self.buffer.get(..count).unwrap_or_default());
            open.left -= count as u64;
            *budget = budget.saturating_sub(count as u64);
        }
        Ok(open.left == 0)
    }
}
