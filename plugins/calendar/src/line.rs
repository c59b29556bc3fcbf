//! Content lines: folded, with parameters, escaped (RFC 5545 3.1 to 3.3.11).

use std::borrow::Cow;

/// Octets of a line without its end, at which it is folded.
const FOLD: usize = 75;

/// The content lines of a stream, each with its folds and its line end, so that together they are the stream.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = 0;
        loop {
            end = rest[end..].iter().position(|byte| *byte == b'\n').map_or(rest.len(), |found| end + found + 1);
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(line)
    })
}

/// A line without its folds and its end.
pub(crate) fn unfold(line: &[u8]) -> Cow<'_, [u8]> {
    let line = without_end(line);
    if !line.contains(&b'\n') {
        return Cow::Borrowed(line);
    }
    let mut unfolded = Vec::with_capacity(line.len());
    for (index, part) in line.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let part = without_end(part);
        unfolded.extend_from_slice(if index == 0 { part } else { part.get(1..).unwrap_or_default() });
    }
    Cow::Owned(unfolded)
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The name of a line: what stands before its parameters and value. Empty for what is no content line.
pub(crate) fn name(line: &[u8]) -> Cow<'_, [u8]> {
    let is_end = |byte: &u8| matches!(byte, b':' | b';');
    let before = line.iter().position(is_end).map_or(&[][..], |end| &line[..end]);
    if !before.contains(&b'\n') {
        return Cow::Borrowed(before);
    }
    // Folded within its name.
    let unfolded = unfold(line);
    let end = unfolded.iter().position(is_end).unwrap_or(0);
    Cow::Owned(unfolded[..end].to_vec())
}

/// Whether a line has a name, whatever its case.
pub(crate) fn is_named(line: &[u8], expected: &str) -> bool {
    name(line).eq_ignore_ascii_case(expected.as_bytes())
}

/// What begins or ends at a line `BEGIN:X` or `END:X`, in upper case.
pub(crate) fn boundary(line: &[u8]) -> Option<(Boundary, String)> {
    let boundary = match name(line) {
        name if name.eq_ignore_ascii_case(b"BEGIN") => Boundary::Begin,
        name if name.eq_ignore_ascii_case(b"END") => Boundary::End,
        _ => return None,
    };
    let unfolded = unfold(line);
    let value = unfolded.iter().position(|byte| *byte == b':').map_or(&[][..], |colon| &unfolded[colon + 1..]);
    Some((boundary, String::from_utf8_lossy(value).trim().to_ascii_uppercase()))
}

/// Which boundary of a component a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boundary {
    Begin,
    End,
}

/// A content line taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    /// In upper case.
    pub(crate) name: String,
    /// Names in upper case, and values without quotes.
    parameters: Vec<(String, String)>,
    /// As it stands there, escaped.
    pub(crate) value: String,
}

impl Property {
    /// Takes a line apart; none for what is no content line. Bytes that are no UTF-8 become replacement characters.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let unfolded = unfold(line);
        let text = String::from_utf8_lossy(&unfolded);
        let name_end = text.find([':', ';'])?;
        let (name, mut rest) = text.split_at(name_end);
        if name.is_empty() {
            return None;
        }
        let mut parameters = Vec::new();
        while let Some(parameter) = rest.strip_prefix(';') {
            let end = outside_quotes(parameter)?;
            let (pair, after) = parameter.split_at(end);
            if let Some((key, value)) = pair.split_once('=') {
                parameters.push((key.to_ascii_uppercase(), value.replace('"', "")));
            }
            rest = after;
        }
        let value = rest.strip_prefix(':')?.to_owned();
        Some(Self { name: name.to_ascii_uppercase(), parameters, value })
    }

    /// The value of a parameter, whose name is given in upper case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value as a text, without escapes.
    pub(crate) fn text(&self) -> String {
        unescape(&self.value)
    }
}

/// The values of a list, as they stand there: what lies between commas that are not escaped.
pub(crate) fn listed(list: &str) -> Vec<&str> {
    let mut is_escaped = false;
    let is_end = |character: char| {
        let ends = character == ',' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        ends
    };
    list.split(is_end).collect()
}

/// Where a parameter ends: at the next `;` or `:` that stands outside of quotes.
fn outside_quotes(text: &str) -> Option<usize> {
    let mut is_quoted = false;
    text.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        !is_quoted && matches!(byte, b';' | b':')
    })
}

/// A text without escapes.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    plain
}

/// A text with the escapes of a TEXT value. Control characters that iCalendar cannot express are left out.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            control if control.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// The value of a parameter, in quotes where it needs them.
pub(crate) fn quoted(value: &str) -> Cow<'_, str> {
    if value.contains([':', ';', ',']) { Cow::Owned(format!("\"{value}\"")) } else { Cow::Borrowed(value) }
}

/// Appends a line, folded between characters.
pub(crate) fn push(stream: &mut Vec<u8>, line: &str, end: LineEnd) {
    let mut rest = line;
    let mut room = FOLD;
    while rest.len() > room {
        let (part, after) = rest.split_at(rest.floor_char_boundary(room));
        stream.extend_from_slice(part.as_bytes());
        stream.extend_from_slice(end.bytes());
        stream.push(b' ');
        rest = after;
        room = FOLD - 1;
    }
    stream.extend_from_slice(rest.as_bytes());
    stream.extend_from_slice(end.bytes());
}

/// How lines end. RFC 5545 wants CRLF; a file that has bare line feeds keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    CrLf,
    Lf,
}

impl LineEnd {
    /// As the first line of a stream ends.
    pub(crate) fn of(stream: &[u8]) -> Self {
        let feed = stream.iter().position(|byte| *byte == b'\n');
        match feed.and_then(|feed| feed.checked_sub(1)).and_then(|before| stream.get(before)) {
            Some(b'\r') | None => Self::CrLf,
            Some(_) => Self::Lf,
        }
    }

    fn bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_read_across_its_folds() {
        let stream = b"SUM\r\n MARY;X=\"a;b:c\";Y=d:Zu viel\\, zu\r\n\t fr\xc3\r\n \xbch\r\nEND:VEVENT\n";
        let lines: Vec<&[u8]> = lines(stream).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.concat(), stream);
        let property = Property::parse(lines[0]).unwrap();
        assert_eq!((property.name.as_str(), property.text().as_str()), ("SUMMARY", "Zu viel, zu früh"));
        assert_eq!((property.parameter("X"), property.parameter("Y")), (Some("a;b:c"), Some("d")));
        assert!(is_named(lines[0], "summary"));
        assert_eq!(boundary(lines[1]), Some((Boundary::End, "VEVENT".to_owned())));
    }

    #[test]
    fn what_is_no_content_line_has_no_property() {
        for line in [&b""[..], b"nothing\r\n", b":value", b";a=b:c", b"NAME;x=\"never closed:value", b"\xff\xfe\n"] {
            assert_eq!(Property::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_parameter_is_quoted_where_it_must_be() {
        assert_eq!(quoted("Europe/Warsaw"), "Europe/Warsaw");
        assert_eq!(quoted("(UTC+01:00) Sarajevo, Skopje"), "\"(UTC+01:00) Sarajevo, Skopje\"");
    }

    proptest! {
        #[test]
        fn a_text_survives_escaping_and_folding(text in "([a-zäł😀\\\\;,:\" \t\n]|\\PC){0,300}") {
            let mut stream = Vec::new();
            push(&mut stream, &format!("DESCRIPTION:{}", escape(&text)), LineEnd::CrLf);
            for line in stream.split(|byte| *byte == b'\n') {
                prop_assert!(line.len() <= FOLD + 1, "a line of {} octets", line.len());
            }
            prop_assert!(std::str::from_utf8(&stream).is_ok());
            prop_assert_eq!(lines(&stream).count(), 1);
            prop_assert_eq!(Property::parse(&stream).unwrap().text(), text);
        }

        #[test]
        fn the_lines_of_any_bytes_are_the_bytes(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), any::<u8>()], 0..200)) {
            let parts: Vec<&[u8]> = lines(&bytes).collect();
            prop_assert_eq!(parts.concat(), bytes.clone());
            for part in parts {
                let _ = (Property::parse(part), boundary(part), name(part));
            }
        }
    }
}
