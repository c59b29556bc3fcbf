//! Cleaning of text from outside: what reaches a table, a terminal or a page carries no control characters.

use std::borrow::Cow;

/// Longest identifier in bytes.
pub const MAX_ID: usize = 128;
/// Longest single-line text in bytes.
pub const MAX_LINE: usize = 1_024;
/// Longest reason or note in bytes.
pub const MAX_NOTE: usize = 4_096;
/// Longest description in bytes.
pub const MAX_DESCRIPTION: usize = 65_536;

/// True for what has no business in a text: control characters, line and paragraph separators, and the marks that make a
/// line read in another order than it is stored.
fn is_unwanted(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Fast test of the usual case: nothing to clean. All unwanted characters are below 0x20, 0x7f, or begin with 0xc2 or 0xe2.
fn may_need_cleaning(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 || byte == 0x7f || byte == 0xc2 || byte == 0xe2)
}

/// A text on one line: every unwanted character becomes a space.
#[must_use]
pub fn line(text: String) -> String {
    if !may_need_cleaning(&text) || !text.chars().any(is_unwanted) {
        return text;
    }
    text.chars().map(|character| if is_unwanted(character) { ' ' } else { character }).collect()
}

/// A text of several lines: line breaks become `\n`, tabs stay, other unwanted characters become spaces.
#[must_use]
pub fn lines(text: String) -> String {
    if !may_need_cleaning(&text) || !text.chars().any(|character| is_unwanted(character) && character != '\n') {
        return text;
    }
    let unified = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(&*text)
    };
    let clean = |character| if is_unwanted(character) && !matches!(character, '\n' | '\t') { ' ' } else { character };
    unified.chars().map(clean).collect()
}

/// True when the text can be an identifier: 1 to [`MAX_ID`] bytes without unwanted characters.
#[must_use]
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID && (!may_need_cleaning(text) || !text.chars().any(is_unwanted))
}

/// The text cut to at most so many bytes, at a character boundary, with `…` where something was cut.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(bytes.saturating_sub('…'.len_utf8()));
    Cow::Owned(format!("{}…", &text[..end]))
}

/// What an untrusted party says, made fit for one line of a protocol: cleaned and cut to [`MAX_LINE`].
#[must_use]
pub fn quoted(text: &str) -> String {
    line(cut(text, MAX_LINE).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(line("a\u{1b}[31m\tb\u{202e}c".into()), "a [31m b c");
        assert_eq!(lines("a\r\nb\rc\u{0}d\te".into()), "a\nb\nc d\te");
        assert_eq!(line("Kraków – “Długa”".into()), "Kraków – “Długa”");
    }

    #[test]
    fn cutting_respects_characters() {
        assert_eq!(cut("żżżż", 6), "ż…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
