//! Hashes: a stable one for what is stored, and a wide one for what must not collide.

use std::hash::{DefaultHasher, Hash, Hasher};

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a over several pieces: the same in every build, since fingerprints are stored in cursors.
pub(crate) fn stable(pieces: &[&[u8]]) -> u64 {
    let step = |state: u64, byte: &u8| (state ^ u64::from(*byte)).wrapping_mul(PRIME);
    pieces.iter().fold(BASIS, |state, piece| piece.iter().fold(state, step))
}

/// A quick hash whose low bits are well mixed.
pub(crate) fn quick(bytes: &[u8]) -> u64 {
    let mut state = stable(&[bytes]);
    state = (state ^ (state >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    state = (state ^ (state >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    state ^ (state >> 33)
}

/// 128 bits that stand for the bytes themselves: two different ids with the same one are not to be expected.
pub(crate) fn wide(bytes: &[u8]) -> [u32; 4] {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, bytes).hash(&mut hasher);
        hasher.finish().to_le_bytes()
    };
    let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (half(1), half(2));
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_le_bytes)
}
