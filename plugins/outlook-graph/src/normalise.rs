//! Texts within the contract, and within what Graph accepts.

use std::borrow::Cow;

use apptsync_plugin::text::{DESCRIPTION, LINE, truncate};
use serde_json::Value;

/// Longest subject or title that Graph accepts, in UTF-16 units.
const LONGEST_TITLE: usize = 255;
/// Bytes of HTML that are looked at.
const MOST_HTML: usize = 262_144;

/// A single line; empty where the value is no text.
pub(crate) fn line(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let head = &text[..text.floor_char_boundary(LINE + 4)];
    let mut line: String = head.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    truncate(&mut line, LINE);
    line.truncate(line.trim_end().len());
    line
}

/// The text of an `itemBody`. We ask for plain text; HTML that comes all the same is reduced to it.
pub(crate) fn body(value: &Value) -> String {
    let content = value["content"].as_str().unwrap_or_default();
    let is_html = value["contentType"].as_str().is_some_and(|found| found.eq_ignore_ascii_case("html"));
    let content = if is_html {
        let head = &content[..content.floor_char_boundary(MOST_HTML)];
        Cow::Owned(nanohtml2text::html2text(head).replace('\u{a0}', " "))
    } else {
        Cow::Borrowed(content)
    };
    multi_line(&content, DESCRIPTION)
}

/// A text of several lines with at most so many bytes.
pub(crate) fn multi_line(text: &str, limit: usize) -> String {
    let head = &text[..text.floor_char_boundary(2 * limit)];
    let mut lines = head.replace("\r\n", "\n").replace('\r', "\n");
    lines.retain(|character| !character.is_control() || matches!(character, '\n' | '\t'));
    truncate(&mut lines, limit);
    lines.truncate(lines.trim_end().len());
    lines
}

/// A subject or title as Graph accepts it. What does not fit is left out; what is read back shows it.
pub(crate) fn title(text: &str) -> &str {
    let mut units = 0;
    let mut fits = |character: char| {
        units += character.len_utf16();
        units <= LONGEST_TITLE
    };
    let end = text.chars().take_while(|character| fits(*character)).map(char::len_utf8).sum();
    &text[..end]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_have_no_breaks_and_an_end() {
        assert_eq!(line(&json!("a\r\nb\u{7} ")), "a  b");
        assert_eq!(line(&json!(["a"])), "");
        let long = line(&json!("ż".repeat(5_000)));
        assert!(long.len() <= LINE && long.ends_with('…'));
    }

    #[test]
    fn bodies_are_plain_text() {
        assert_eq!(body(&json!({"contentType": "text", "content": "a\r\nb \r\n\r\n"})), "a\nb");
        let html = "<html><head><style>p{}</style></head><body><p>One &amp; two</p><script>x()</script><div>three<br>four</div></body></html>";
        let text = body(&json!({"contentType": "HTML", "content": html}));
        assert!(text.starts_with("One & two"), "{text:?}");
        assert!(text.ends_with("three\nfour"), "{text:?}");
        assert!(!text.contains('<') && !text.contains("x()"), "{text:?}");
        assert!(body(&json!({"content": "x".repeat(100_000)})).len() <= DESCRIPTION);
        assert_eq!(body(&json!({"content": 7})), "");
        assert_eq!(body(&json!(null)), "");
    }

    #[test]
    fn hostile_html_is_reduced_all_the_same() {
        for html in [
            "<a href=x>".repeat(30_000),
            "<".repeat(300_000),
            "&#x".repeat(100_000),
            "<!--".repeat(80_000),
            "<p>".repeat(99_999),
        ] {
            assert!(body(&json!({"contentType": "html", "content": html})).len() <= DESCRIPTION);
        }
    }

    #[test]
    fn titles_are_cut_between_characters() {
        assert_eq!(title("short"), "short");
        assert_eq!(title(&"x".repeat(300)).len(), 255);
        assert_eq!(title(&"😀".repeat(200)), "😀".repeat(127));
    }
}
