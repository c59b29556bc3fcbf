//! Finding bytes, many at a time.

const BLOCK: usize = 64;
const SHORT_BLOCK: usize = 16;

/// The first line feed.
// Without an early end in its inner loop, so that vector instructions come of it; a component has to ask for them.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub(crate) fn line_feed(bytes: &[u8]) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if block.iter().fold(false, |found, byte| found | (*byte == b'\n')) {
            let position = block.iter().position(|byte| *byte == b'\n')?;
            return Some(index * BLOCK + position);
        }
    }
    let position = rest.iter().position(|byte| *byte == b'\n')?;
    Some(blocks.len() * BLOCK + position)
}

/// Writes the positions of all quotes into `quotes` and gives their number. None if there are more than fit, and if there is
/// a backslash or a control character.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub(crate) fn quotes(bytes: &[u8], quotes: &mut [u32]) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<SHORT_BLOCK>();
    let mut last = [b' '; SHORT_BLOCK];
    last.get_mut(..rest.len())?.copy_from_slice(rest);
    let mut count = 0;
    let mut begin = 0;
    for block in blocks.iter().chain([&last]) {
        let mut mask = quotes_of(block)?;
        while mask != 0 {
            *quotes.get_mut(count)? = begin + mask.trailing_zeros();
            count += 1;
            mask &= mask - 1;
        }
        begin += 16;
    }
    Some(count)
}

/// A bit for each quote; none if the block has what only the general parser understands.
#[cfg(target_arch = "wasm32")]
#[target_feature(enable = "simd128")]
#[inline]
fn quotes_of(block: &[u8; SHORT_BLOCK]) -> Option<u32> {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, u64x2, v128_any_true, v128_or};
    let ([low, high], _) = block.as_chunks::<8>() else { return None };
    let bytes = u64x2(u64::from_le_bytes(*low), u64::from_le_bytes(*high));
    let special = v128_or(u8x16_eq(bytes, u8x16_splat(b'\\')), u8x16_lt(bytes, u8x16_splat(b' ')));
    let quotes = u8x16_eq(bytes, u8x16_splat(b'"'));
    (!v128_any_true(special)).then(|| u32::from(u8x16_bitmask(quotes)))
}

/// A bit for each quote; none if the block has what only the general parser understands.
#[cfg(not(target_arch = "wasm32"))]
#[inline]
fn quotes_of(block: &[u8; SHORT_BLOCK]) -> Option<u32> {
    let special = block.iter().fold(false, |found, byte| found | (*byte == b'\\') | (*byte < b' '));
    let quotes = block.iter().rev().fold(0, |mask, byte| (mask << 1) | u32::from(*byte == b'"'));
    (!special).then_some(quotes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn positions(bytes: &[u8]) -> Option<Vec<u32>> {
        let mut found = [0; 100];
        let count = quotes(bytes, &mut found)?;
        Some(found[..count].to_vec())
    }

    #[test]
    fn backslashes_control_characters_and_too_many_quotes_are_refused() {
        for position in 0..40 {
            for byte in [b'\\', 0, b'\n', 0x1f] {
                let mut bytes = vec![b'x'; 40];
                bytes[position] = byte;
                assert_eq!(positions(&bytes), None);
            }
        }
        assert_eq!(positions(&[b'"'; 100]).map(|found| found.len()), Some(100));
        assert_eq!(positions(&[b'"'; 101]), None);
    }

    proptest! {
        #[test]
        fn every_quote_is_found(bytes in prop::collection::vec(prop_oneof![4 => b' '..=b'[', 1 => Just(b'"'), 1 => 0x7f..=0xff_u8], 0..100)) {
            let expected = bytes.iter().zip(0..).filter(|(byte, _)| **byte == b'"').map(|(_, position)| position).collect();
            prop_assert_eq!(positions(&bytes), Some(expected));
        }

        #[test]
        fn the_first_line_feed_is_found(bytes in prop::collection::vec(prop_oneof![19 => Just(b'x'), 1 => Just(b'\n')], 0..300)) {
            prop_assert_eq!(line_feed(&bytes), bytes.iter().position(|byte| *byte == b'\n'));
        }
    }
}
