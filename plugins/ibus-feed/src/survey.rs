//! Which line of a pass is the last of its id, known before the first one is handed out.
//!
//! Memory stays flat: a bitmap of hashes notices the ids that may have come before, and only those get an entry with their
//! last line. An id whose bit was set by another one gets an entry too, which says what is true of it: that its line is the
//! last. An id without an entry has one line, or one readable line before lines that are not.

use std::collections::HashMap;
use std::collections::TryReserveError;
use std::hash::{BuildHasherDefault, Hasher};

use crate::hash;

const FEWEST_BITS: u64 = 1 << 13;
const MOST_BITS: u64 = 1 << 27;
/// About 20 bits for a line of the usual length, so that few bits are shared.
const BYTES_PER_BIT: u64 = 16;
/// Maps grow by doubling; many small ones do so without ever needing much at once.
const MAPS: usize = 64;

type LastLines = HashMap<[u32; 4], u32, BuildHasherDefault<AsItIs>>;

/// The last lines of the ids that have several.
pub(crate) struct Survey {
    seen: Bits,
    /// Ids that may have an entry: most have none, which is known more quickly from here.
    recorded: Bits,
    last: Vec<LastLines>,
}

impl Survey {
    /// For so many bytes of input.
    pub(crate) fn new(backlog: u64) -> Self {
        let bits = (backlog / BYTES_PER_BIT).clamp(FEWEST_BITS, MOST_BITS).next_power_of_two();
        let last = (0..MAPS).map(|_| LastLines::default()).collect();
        Self { seen: Bits::new(bits), recorded: Bits::new(bits / 8), last }
    }

    /// Notes an id; true if it may have come before, so that its line must be [recorded](Self::record).
    pub(crate) fn saw(&mut self, id: &[u8]) -> bool {
        self.seen.set(hash::quick(id))
    }

    /// Notes the last line of an id so far.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub(crate) fn record(&mut self, id: &[u8], ordinal: u32) -> Result<(), TryReserveError> {
        let key = hash::wide(id);
        self.recorded.set(hash::quick(id));
        if let Some(map) = self.last.get_mut(map_of(key)) {
            map.try_reserve(1)?;
            map.insert(key, ordinal);
        }
        Ok(())
    }

    /// How many ids have an entry.
    pub(crate) fn recorded(&self) -> usize {
        self.last.iter().map(HashMap::len).sum()
    }

    /// Frees what only the survey itself needs.
    pub(crate) fn finish(&mut self) {
        self.seen = Bits::new(64);
    }

    /// False if a later line of the same id counts.
    pub(crate) fn is_last(&self, id: &[u8], ordinal: u32) -> bool {
        if !self.recorded.has(hash::quick(id)) {
            return true;
        }
        let key = hash::wide(id);
        self.last.get(map_of(key)).and_then(|map| map.get(&key)).is_none_or(|last| *last == ordinal)
    }
}

/// Bits by hash; their number is a power of two, at least 64.
struct Bits(Vec<u64>);

impl Bits {
    fn new(bits: u64) -> Self {
        Self(vec![0; usize::try_from(bits / 64).unwrap_or(1)])
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        // Masked before it is narrowed: a component has pointers of 32 bits.
        let word = (hash >> 6) & (self.0.len() as u64 - 1);
        (usize::try_from(word).unwrap_or(0), 1 << (hash & 63))
    }

    /// Sets a bit; true if it was set.
    fn set(&mut self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.0.get_mut(word).is_some_and(|word| std::mem::replace(word, *word | bit) & bit != 0)
    }

    fn has(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

const fn map_of(key: [u32; 4]) -> usize {
    key[3] as usize % MAPS
}

/// Keys are hashes already: two of their words are taken as they are.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
