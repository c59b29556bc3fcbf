//! Texts within the limits of the contract.

use std::borrow::Cow;

/// Longest single-line text, in bytes.
pub const LINE: usize = 1_024;
/// Longest reason or note, in bytes.
pub const NOTE: usize = 4_096;
/// Longest description, in bytes.
pub const DESCRIPTION: usize = 65_536;
/// Longest identifier, in bytes.
pub const IDENTIFIER: usize = 128;

const ELLIPSIS: char = '…';

/// Cuts a text to at most `limit` bytes between two characters; what was cut is replaced by `…`.
pub fn truncate(text: &mut String, limit: usize) {
    if text.len() <= limit {
        return;
    }
    let room = limit.saturating_sub(ELLIPSIS.len_utf8());
    text.truncate(text.floor_char_boundary(room));
    if limit >= ELLIPSIS.len_utf8() {
        text.push(ELLIPSIS);
    }
}

/// A text for a message: one line of at most some `characters`, then `…`.
#[must_use]
pub fn excerpt(text: &str, characters: usize) -> Cow<'_, str> {
    let end = text.char_indices().nth(characters).map(|(position, _)| position);
    let cut = &text[..end.unwrap_or(text.len())];
    if end.is_none() && !cut.contains(char::is_control) {
        return Cow::Borrowed(cut);
    }
    let mut line: String = cut.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    if end.is_some() {
        line.push(ELLIPSIS);
    }
    Cow::Owned(line)
}

/// The candidate that was most likely meant, if one is near: for `did you mean …?`.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let best =
        candidates.into_iter().map(|candidate| (distance(word, candidate), candidate)).min_by_key(|(far, _)| *far)?;
    let near = best.0 <= word.chars().count().max(best.1.chars().count()).div_ceil(3);
    near.then_some(best.1)
}

/// How many characters must be inserted, removed or replaced to make one word of the other, whatever their case.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, character) in left.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (column, other) in right.iter().enumerate() {
            let above = row.get(column + 1).copied().unwrap_or(usize::MAX - 1);
            let replaced = diagonal + usize::from(character != *other);
            let cost = replaced.min(above + 1).min(before + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(column) {
                *cell = before;
            }
            before = cost;
        }
        if let Some(cell) = row.last_mut() {
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        let mut text = "ąąąą".to_owned();
        truncate(&mut text, 7);
        assert_eq!(text, "ąą…");
        truncate(&mut text, 7);
        assert_eq!(text, "ąą…");
        truncate(&mut text, 2);
        assert_eq!(text, "");
    }

    #[test]
    fn an_excerpt_is_one_line() {
        assert_eq!(excerpt("short", 5), "short");
        assert_eq!(excerpt("longer", 5), "longe…");
        assert_eq!(excerpt("a\nb", 5), "a b");
    }

    #[test]
    fn the_nearest_word_is_found_only_if_it_is_near() {
        let words = ["customer", "customer-id", "city", "name"];
        assert_eq!(nearest("custmer", words), Some("customer"));
        assert_eq!(nearest("Customer-ID", words), Some("customer-id"));
        assert_eq!(nearest("xyz", words), None);
        assert_eq!(nearest("name", []), None);
    }

    #[test]
    fn the_distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
