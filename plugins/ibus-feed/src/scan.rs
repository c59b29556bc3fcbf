//! Finding bytes, many at a time.
//!
//! The loops over whole blocks have no early end, so that the compiler makes vector instructions of them; a component needs
//! the feature named for that.

const BLOCK: usize = 64;
const SHORT_BLOCK: usize = 16;

/// The first line feed.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn line_feed(bytes: &[u8]) -> Option<usize> {
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

/// The first byte at which the plain text of a JSON string ends: a quote, a backslash or a control character.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn end_of_plain_text(bytes: &[u8]) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<SHORT_BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if block.iter().fold(false, |found, byte| found | ends_plain_text(*byte)) {
            let position = block.iter().position(|byte| ends_plain_text(*byte))?;
            return Some(index * SHORT_BLOCK + position);
        }
    }
    let position = rest.iter().position(|byte| ends_plain_text(*byte))?;
    Some(blocks.len() * SHORT_BLOCK + position)
}

const fn ends_plain_text(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_one_is_found(bytes in prop::collection::vec(prop_oneof![9 => Just(b'x'), 1 => any::<u8>()], 0..300)) {
            prop_assert_eq!(line_feed(&bytes), bytes.iter().position(|byte| *byte == b'\n'));
            prop_assert_eq!(end_of_plain_text(&bytes), bytes.iter().position(|byte| ends_plain_text(*byte)));
        }
    }
}
