//! Escapes of addresses, JSON and HTML, decoded as far as each is one, whatever the text around it is.

use std::ops::Range;

/// What escapes begin with.
pub(super) const BEGIN: [u8; 3] = [b'%', b'\\', b'&'];
/// Bytes of the longest escape of a byte.
pub(super) const LONGEST: usize = 12;

/// Entities of HTML that have a name for what they stand for, and that escaping functions write.
const NAMED: [(&[u8], char); 8] = [
    (b"amp", '&'),
    (b"lt", '<'),
    (b"gt", '>'),
    (b"quot", '"'),
    (b"apos", '\''),
    (b"AMP", '&'),
    (b"LT", '<'),
    (b"GT", '>'),
];

/// A text in which escapes are replaced by what they stand for.
pub(super) struct Decoded {
    bytes: Vec<u8>,
    /// Where each byte, and the end, stands in the original. A chunk is far shorter than 4 GiB.
    starts: Vec<u32>,
}

/// What an escape stands for.
enum Piece {
    Byte(u8),
    Char(char),
}

impl Decoded {
    /// The original.
    pub(super) fn of(text: &[u8]) -> Self {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { bytes: text.to_vec(), starts: (0..=end).collect() }
    }

    /// With one layer of escapes less; none when there is none.
    pub(super) fn next(&self) -> Option<Self> {
        let mut next = Self { bytes: Vec::with_capacity(self.bytes.len()), starts: Vec::new() };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let (length, piece) = escape(&self.bytes[at..]).unwrap_or((1, Piece::Byte(*byte)));
            match piece {
                Piece::Byte(byte) => next.bytes.push(byte),
                Piece::Char(character) => {
                    next.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            next.starts.resize(next.bytes.len(), self.starts[at]);
            at += length;
        }
        next.starts.extend(self.starts.last());
        (next.bytes.len() < self.bytes.len()).then_some(next)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a range stands in the original, which itself begins there.
    pub(super) fn origin(&self, range: Range<usize>, begin: usize) -> Range<usize> {
        let at = |position: usize| begin + self.starts.get(position).map_or(0, |start| *start as usize);
        at(range.start)..at(range.end)
    }
}

/// The escape that a text begins with, and its length.
fn escape(text: &[u8]) -> Option<(usize, Piece)> {
    match text {
        [b'%', rest @ ..] => byte(rest).map(|byte| (3, Piece::Byte(byte))),
        [b'\\', b'x', rest @ ..] => byte(rest).map(|byte| (4, Piece::Byte(byte))),
        [b'\\', b'u', ..] => unicode(text),
        [b'\\', same @ (b'"' | b'\'' | b'/' | b'\\'), ..] => Some((2, Piece::Byte(*same))),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(LONGEST).position(|byte| *byte == b';')?;
            entity(&rest[..end]).map(|character| (end + 2, Piece::Char(character)))
        }
        _ => None,
    }
}

fn number(digits: &[u8], base: u32) -> Option<u32> {
    let is_plain = digits.iter().all(u8::is_ascii_alphanumeric);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_plain)?;
    u32::from_str_radix(text, base).ok()
}

fn byte(text: &[u8]) -> Option<u8> {
    u8::try_from(number(text.get(..2)?, 16)?).ok()
}

/// `\uXXXX`, and two of them where they are halves of one character.
fn unicode(text: &[u8]) -> Option<(usize, Piece)> {
    let half = |text: &[u8]| number(text.strip_prefix(b"\\u")?.get(..4)?, 16);
    let first = half(text)?;
    if let Some(character) = char::from_u32(first) {
        return Some((6, Piece::Char(character)));
    }
    let second = half(&text[6..]).filter(|second| (0xdc00..0xe000).contains(second) && first < 0xdc00)?;
    let character = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
    Some((12, Piece::Char(character)))
}

/// The entity between `&` and `;`.
fn entity(name: &[u8]) -> Option<char> {
    match name {
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?),
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?),
        name => NAMED.iter().find(|(known, _)| *known == name).map(|(_, character)| *character),
    }
}
