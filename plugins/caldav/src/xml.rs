//! XML as a small tree, read from servers that are not trusted.
//!
//! Namespaces are resolved, so that prefixes mean nothing. A document type is refused: WebDAV has none, and what it could
//! declare is only good for attacks.

use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

/// Elements within each other; WebDAV needs about ten.
const DEEPEST: usize = 64;

/// The namespaces that the connector speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    /// `DAV:`
    Dav,
    /// `urn:ietf:params:xml:ns:caldav`
    CalDav,
    /// `http://calendarserver.org/ns/`
    CalendarServer,
    /// `http://nextcloud.com/ns`
    Nextcloud,
    /// `http://sabredav.org/ns`
    Sabre,
    /// Any other, or none.
    Foreign,
}

impl Vocabulary {
    fn of(namespace: &ResolveResult<'_>) -> Self {
        let ResolveResult::Bound(Namespace(name)) = namespace else { return Self::Foreign };
        match *name {
            "DAV:" => Self::Dav,
            "urn:ietf:params:xml:ns:caldav" => Self::CalDav,
            "http://calendarserver.org/ns/" => Self::CalendarServer,
            "http://nextcloud.com/ns" => Self::Nextcloud,
            "http://sabredav.org/ns" => Self::Sabre,
            _ => Self::Foreign,
        }
    }
}

/// An element with what stands in it.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) name: String,
    /// The attribute `name`, the only one that is looked at.
    pub(crate) label: Option<String>,
    /// Text directly in it.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn is(&self, vocabulary: Vocabulary, name: &str) -> bool {
        self.vocabulary == vocabulary && self.name == name
    }

    pub(crate) fn child(&self, vocabulary: Vocabulary, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(vocabulary, name))
    }

    pub(crate) fn children<'a>(&'a self, vocabulary: Vocabulary, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.is(vocabulary, name))
    }

    /// This element and all below it.
    pub(crate) fn descendants(&self) -> Vec<&Element> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(element) = all.get(next).copied() {
            all.extend(&element.children);
            next += 1;
        }
        all
    }
}

/// Reads a document whose root is `DAV:` and of this name, and hands out the root's children one by one, so that a long
/// answer is never a tree as a whole.
///
/// # Errors
///
/// It is no such document; the text says what it is instead.
pub(crate) fn read(document: &[u8], root: &str, mut take: impl FnMut(Element)) -> Result<(), String> {
    let text = String::from_utf8_lossy(document);
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut inside = false;
    let mut high = None;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| format!("no XML: {error}"))?;
        match event {
            Event::DocType(_) => return Err("a document with a document type, which WebDAV does not have".to_owned()),
            Event::Start(start) => {
                let element = begin(&namespace, &start);
                if inside {
                    if open.len() >= DEEPEST {
                        return Err(format!("elements more than {DEEPEST} deep"));
                    }
                    open.push(element);
                } else if element.is(Vocabulary::Dav, root) {
                    inside = true;
                } else {
                    return Err(format!("the element `{}` in place of `{root}`", element.name));
                }
            }
            Event::Empty(start) => {
                let element = begin(&namespace, &start);
                if !inside {
                    return if element.is(Vocabulary::Dav, root) {
                        Ok(())
                    } else {
                        Err(format!("the element `{}` in place of `{root}`", element.name))
                    };
                }
                close(&mut open, element, &mut take);
            }
            Event::End(_) => match open.pop() {
                Some(element) => close(&mut open, element, &mut take),
                None => return Ok(()),
            },
            Event::Text(text) => append(&mut open, &text.xml10_content()),
            Event::CData(text) => append(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                high = refer(&mut open, &reference, high)?;
                continue;
            }
            Event::Eof if inside => return Err("a document that breaks off".to_owned()),
            Event::Eof => return Err("no XML: there is no element".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
        high = None;
    }
}

fn begin(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Element {
    let label = start.try_get_attribute("name").ok().flatten();
    Element {
        vocabulary: Vocabulary::of(namespace),
        name: start.local_name().into_inner().to_owned(),
        label: label.map(|attribute| attribute.value.into_owned()),
        text: String::new(),
        children: Vec::new(),
    }
}

fn close(open: &mut [Element], element: Element, take: &mut impl FnMut(Element)) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => take(element),
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Appends what a reference stands for. SOGo writes one character beyond the first plane as two references, as UTF-16 would:
/// the first half is given back, and joined with the second where that follows at once. A number that stands for no character
/// is shown as one that cannot be read.
fn refer(open: &mut [Element], reference: &BytesRef<'_>, high: Option<u16>) -> Result<Option<u16>, String> {
    let Some(number) = reference.strip_prefix('#') else {
        let unknown = || format!("an entity that WebDAV does not have: `&{};`", &**reference);
        append(open, resolve_predefined_entity(reference).ok_or_else(unknown)?);
        return Ok(None);
    };
    let number = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => number.parse(),
    };
    let number = number.unwrap_or(u32::from(char::REPLACEMENT_CHARACTER));
    let half = u16::try_from(number).ok();
    let joined = high.zip(half).and_then(|(high, low)| char::decode_utf16([high, low]).next()?.ok());
    if let (Some(joined), Some(element)) = (joined.filter(|joined| *joined > '\u{ffff}'), open.last_mut()) {
        element.text.pop();
        element.text.push(joined);
        return Ok(None);
    }
    let character = char::from_u32(number).filter(|character| *character != '\0');
    append(open, character.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]));
    Ok(half.filter(|half| (0xd800..0xdc00).contains(half)))
}

/// Text as it may stand in an element or an attribute. Characters that XML does not have are left out.
pub(crate) fn escape(text: &str) -> String {
    let allowed = |character: &char| {
        matches!(character, '\t' | '\n' | '\r') || (*character >= ' ' && !matches!(character, '\u{fffe}' | '\u{ffff}'))
    };
    quick_xml::escape::escape(text.chars().filter(allowed).collect::<String>()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn children(document: &str) -> Result<Vec<Element>, String> {
        let mut all = Vec::new();
        read(document.as_bytes(), "multistatus", |element| all.push(element)).map(|()| all)
    }

    #[test]
    fn prefixes_mean_nothing_and_namespaces_everything() {
        for document in [
            r#"<multistatus xmlns="DAV:"><response><href>/a &amp; b&#x21;</href></response></multistatus>"#,
            r#"<?xml version="1.0"?><x:multistatus xmlns:x="DAV:"><x:response><y:href xmlns:y="DAV:"><![CDATA[/a & b!]]></y:href></x:response></x:multistatus>"#,
        ] {
            let found = children(document).expect("well-formed");
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].child(Vocabulary::Dav, "href").expect("an href").text, "/a & b!");
        }
        let other = r#"<multistatus xmlns="DAV:"><response xmlns="urn:x"/></multistatus>"#;
        assert_eq!(children(other).expect("well-formed")[0].vocabulary, Vocabulary::Foreign);
    }

    #[test]
    fn what_is_no_such_document_is_refused_with_what_it_is() {
        let billion = r#"<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><multistatus xmlns="DAV:">&b;</multistatus>"#;
        let deep = format!(r#"<multistatus xmlns="DAV:">{}"#, "<a>".repeat(1_000));
        for (document, expected) in [
            (billion, "document type"),
            (r#"<multistatus xmlns="DAV:">&b;</multistatus>"#, "entity"),
            (r#"<multistatus xmlns="DAV:"><response>"#, "breaks off"),
            (r#"<multistatus xmlns="DAV:"><a></b></multistatus>"#, "no XML"),
            (r#"<multistatus/>"#, "in place of"),
            (r#"<error xmlns="DAV:"/>"#, "the element `error`"),
            ("<!DOCTYPE html><html>", "document type"),
            ("<html><body>", "the element `html`"),
            ("It works!", "there is no element"),
            ("", "there is no element"),
            (deep.as_str(), "deep"),
        ] {
            let error = children(document).expect_err(document);
            assert!(error.contains(expected), "{document}: {error}");
        }
    }

    #[test]
    fn characters_that_are_written_as_numbers_are_read() {
        for (written, read) in [
            ("Au&#223;endienst &#55356;&#57225;", "Außendienst 🎉"),
            ("&#xD83C;&#xDF89;&#x21;", "🎉!"),
            ("&#127881;", "🎉"),
            ("&#55356; &#57225;", "\u{fffd} \u{fffd}"),
            ("&#57225;&#55356;", "\u{fffd}\u{fffd}"),
            ("&#55356;&#55356;&#57225;", "\u{fffd}🎉"),
            ("&#0;&#x110000;&#99999999999;&#;", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        ] {
            let all = children(&format!(r#"<multistatus xmlns="DAV:"><name>{written}</name></multistatus>"#));
            assert_eq!(all.expect(written)[0].text, read, "{written}");
        }
    }

    #[test]
    fn what_is_written_is_escaped() {
        assert_eq!(escape("a<b>&\"'\u{0}\u{b}ż"), "a&lt;b&gt;&amp;&quot;&apos;ż");
    }
}
