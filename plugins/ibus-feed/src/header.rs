//! Id and channel of a line, without reading the rest.

use std::borrow::Cow;

use serde::Deserialize;

use crate::values::Text;
use apptsync_plugin::text::IDENTIFIER;

/// What is needed to know whether a line concerns a pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header<'line> {
    pub(crate) id: Cow<'line, [u8]>,
    pub(crate) channel: Cow<'line, [u8]>,
}

#[derive(Deserialize)]
struct Keys<'line> {
    #[serde(borrow)]
    id: Text<'line>,
    #[serde(borrow)]
    channel: Text<'line>,
}

#[derive(Deserialize)]
struct IdKey<'line> {
    #[serde(borrow)]
    id: Text<'line>,
}

#[derive(Deserialize)]
struct ChannelKey<'line> {
    #[serde(borrow)]
    channel: Text<'line>,
}

impl<'line> Header<'line> {
    /// The header of a line that [`record::read`](crate::record::read) accepts; maybe also one of a line that it does not.
    pub(crate) fn read(line: &'line [u8]) -> Option<Self> {
        if let Some((id, channel)) = leading(line) {
            return Some(Self { id: Cow::Borrowed(id), channel: Cow::Borrowed(channel) });
        }
        let keys: Keys<'line> = serde_json::from_slice(line).ok()?;
        Some(Self { id: bytes(keys.id.0), channel: bytes(keys.channel.0) })
    }
}

/// The channel of a line, even where its id cannot be read.
pub(crate) fn channel(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let key = || serde_json::from_slice::<ChannelKey>(line).ok().map(|keys| bytes(keys.channel.0));
    leading(line).map(|(_, channel)| Cow::Borrowed(channel)).or_else(key)
}

/// The id of a line that cannot be read as a whole, for those who look for it.
pub(crate) fn id(line: &[u8]) -> Option<Cow<'_, str>> {
    let key = || serde_json::from_slice::<IdKey>(line).ok().map(|keys| keys.id.0);
    let first = leading_id(line).and_then(|(id, _)| std::str::from_utf8(id).ok()).map(Cow::Borrowed);
    let is_id = |id: &Cow<'_, str>| (1..=IDENTIFIER).contains(&id.len()) && !id.contains(char::is_control);
    first.or_else(key).filter(is_id)
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Both, where they are the first keys of the line, as nearly every writer puts them: many times faster than parsing.
pub(crate) fn leading(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, rest) = leading_id(line)?;
    let rest = after(after(after(rest, b",")?, b"\"channel\"")?, b":")?;
    let (channel, _) = plain_string(rest)?;
    Some((id, channel))
}

/// The id, where it is the first key, and what follows it.
fn leading_id(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = after(line, b"{")?;
    plain_string(after(after(rest, b"\"id\"")?, b":")?)
}

fn after<'line>(line: &'line [u8], token: &[u8]) -> Option<&'line [u8]> {
    line.strip_prefix(token).or_else(|| line.trim_ascii_start().strip_prefix(token))
}

/// A string without escapes, and what follows it.
fn plain_string(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = after(line, b"\"")?;
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    let (text, behind) = rest.split_at_checked(end)?;
    Some((text, behind.strip_prefix(b"\"")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Header::read(line.as_bytes()).map(|header| (text(&header.id), text(&header.channel)))
    }

    #[test]
    fn the_header_is_found_whatever_the_order_blanks_and_escapes() {
        let expected = Some(("a-1".to_owned(), "B2B".to_owned()));
        for line in [
            r#"{"id":"a-1","channel":"B2B","name":1}"#,
            r#" { "id" : "a-1" , "channel" : "B2B" , "name" : 1 } "#,
            r#"{"name":1,"channel":"B2B","id":"a-1"}"#,
            r#"{"id":"\u0061-1","channel":"B2B"}"#,
            r#"{"id":"a-1","number":"1","channel":"B\u0032B"}"#,
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_without_both_has_no_header() {
        for line in
            ["", "[]", r#"{"id":"a-1"}"#, r#"{"id":1,"channel":"B2B"}"#, r#"{"number":"1","id":"a-1","channel":"B2B""#]
        {
            assert_eq!(read(line), None, "{line}");
        }
        assert_eq!(channel(br#"{"id":1,"channel":"B2B"}"#).as_deref(), Some(&b"B2B"[..]));
        assert_eq!(channel(br#"{"id":1}"#), None);
    }

    #[test]
    fn the_id_of_a_broken_line_is_found_where_it_can_be() {
        for line in [r#"{"id":"a-1","#, r#"{"id":"a-1"] }"#, r#"{"name":1,"id":"a-1"}"#, r#"{"id":"\u0061-1"}"#] {
            assert_eq!(id(line.as_bytes()).as_deref(), Some("a-1"), "{line}");
        }
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(129));
        for line in ["", "a-1", r#"{"id":"a-1"#, r#"{"id":""}"#, r#"{"id":1}"#, r#"{"id":"a\n"}"#, &long] {
            assert_eq!(id(line.as_bytes()), None, "{line}");
        }
        assert_eq!(id(b"{\"id\":\"a\xff\"}"), None);
    }
}
