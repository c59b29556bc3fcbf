//! The properties of one component.

use crate::line::{Boundary, Property, boundary, lines, name};

/// What is read of a component; everything else is foreign.
const READ: [&str; 34] = [
    "UID",
    "SUMMARY",
    "DESCRIPTION",
    "X-ALT-DESC",
    "LOCATION",
    "DTSTART",
    "DTEND",
    "DUE",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "EXRULE",
    "RECURRENCE-ID",
    "PRIORITY",
    "X-MICROSOFT-CDO-IMPORTANCE",
    "X-MICROSOFT-CDO-ALLDAYEVENT",
    "STATUS",
    "COMPLETED",
    "PERCENT-COMPLETE",
    "CLASS",
    "CATEGORIES",
    "ORGANIZER",
    "ATTENDEE",
    "X-APPTSYNC-ID",
    "X-APPTSYNC-WRITER",
    "LAST-MODIFIED",
    "DTSTAMP",
    "SEQUENCE",
    "TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "X-LIC-LOCATION",
    "X-APPTSYNC-COVERS",
];

/// Where our id stands in an item.
pub(crate) const OUR_ID: &str = "X-APPTSYNC-ID";

/// Where the writer stands in an item.
pub(crate) const WRITER: &str = "X-APPTSYNC-WRITER";

/// The properties of a component itself, without those of components within it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Component {
    properties: Vec<Property>,
    size: usize,
}

impl Component {
    /// Reads a component from its `BEGIN` on.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let own = own_lines(bytes).filter(|line| is_read(line));
        let properties: Vec<Property> = own.filter_map(Property::parse).collect();
        let size = properties.iter().map(|property| property.value.len()).sum();
        Self { properties, size }
    }

    /// The bytes of its values.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The first property of a name in upper case.
    pub(crate) fn first(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// All properties of a name in upper case.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    /// The text of the first property of a name, without the space around it.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(|property| property.text().trim().to_owned())
    }

    /// Whether the text of a property is that word, whatever its case.
    pub(crate) fn says(&self, name: &str, word: &str) -> bool {
        self.first(name).is_some_and(|property| property.value.trim().eq_ignore_ascii_case(word))
    }
}

fn is_read(line: &[u8]) -> bool {
    let name = name(line);
    READ.iter().any(|read| name.eq_ignore_ascii_case(read.as_bytes()))
}

/// The lines of a component that are its own: without its `BEGIN` and `END`, and without components within it.
pub(crate) fn own_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    sections(bytes).filter(|(section, _)| *section == Section::Own).map(|(_, line)| line)
}

/// What a line of a component belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The component's `BEGIN`.
    Begin,
    /// The component itself.
    Own,
    /// A `VALARM` within it.
    Alarm,
    /// Another component within it.
    Other,
    /// The component's `END`.
    End,
}

/// The lines of a component and what they belong to.
pub(crate) fn sections(bytes: &[u8]) -> impl Iterator<Item = (Section, &[u8])> {
    let mut depth = 0_usize;
    let mut within = Section::Own;
    lines(bytes).map(move |line| {
        let section = match boundary(line) {
            Some((Boundary::Begin, name)) => {
                depth += 1;
                match depth {
                    1 => Section::Begin,
                    2 => {
                        within = if name == "VALARM" { Section::Alarm } else { Section::Other };
                        within
                    }
                    _ => within,
                }
            }
            Some((Boundary::End, _)) => {
                depth = depth.saturating_sub(1);
                if depth == 0 { Section::End } else { within }
            }
            None if depth <= 1 => Section::Own,
            None => within,
        };
        (section, line)
    })
}
