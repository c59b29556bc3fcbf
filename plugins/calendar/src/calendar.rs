//! A stream of iCalendar, divided into components without losing a byte.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use apptsync_plugin::connector::Kind;

use crate::component::OUR_ID;
use crate::definition::Years;
use crate::error::NotACalendar;
use crate::line::{Boundary, LineEnd, Property, boundary, escape, is_named, lines, push};
use crate::object::Object;
use crate::zone::Definitions;

/// What wrote a calendar, for people who wonder.
const PRODUCT: &str = "-//apptsync//apptsync//EN";
/// The longest UID: a remote id made of it fits into the contract's 1,024 bytes.
const LONGEST_UID: usize = 1_000;
/// The most components within each other.
const DEEPEST: usize = 32;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A stream of iCalendar: usually one `VCALENDAR`, whatever stands in it.
#[derive(Debug, Clone, Default)]
pub struct Calendar<'a> {
    /// Together the stream.
    pieces: Vec<Piece<'a>>,
    /// Components that were added, by which they are counted on from the pieces; they stand before the end of the calendar.
    added: Vec<Piece<'a>>,
    /// Definitions of time zones that were added; they stand before the first component.
    added_zones: BTreeMap<&'static str, (Years, Vec<u8>)>,
    line_end: Option<LineEnd>,
    /// In the order of their first components.
    groups: Vec<Group>,
    index: HashMap<(u8, String), usize>,
    definitions: OnceCell<Definitions>,
}

/// The components that share a UID.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) kind: Kind,
    pub(crate) uid: String,
    /// In the order of the stream; none when all were removed.
    pub(crate) members: Vec<usize>,
}

/// A part of the stream.
#[derive(Debug, Clone)]
pub(crate) struct Piece<'a> {
    pub(crate) role: Role,
    pub(crate) bytes: Cow<'a, [u8]>,
    uid: Option<String>,
    pub(crate) our_id: Option<String>,
    /// It has a `RECURRENCE-ID`.
    pub(crate) is_exception: bool,
    /// It has an `RRULE` or `RDATE`.
    pub(crate) recurs: bool,
    /// Its `BEGIN` and `END` do not match.
    pub(crate) is_broken: bool,
}

/// What a part of the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Lines of the calendar itself, and components that are nothing to us.
    Foreign,
    /// `END:VCALENDAR`.
    End,
    Zone,
    Item(Kind),
}

impl<'a> Piece<'a> {
    fn new(role: Role, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            role,
            bytes: bytes.into(),
            uid: None,
            our_id: None,
            is_exception: false,
            recurs: false,
            is_broken: false,
        }
    }

    /// Notes what has to be known of a component without reading it.
    fn note(&mut self, line: &[u8]) {
        let text = || Property::parse(line).map(|property| property.text().trim().to_owned());
        if is_named(line, "UID") {
            self.uid = self.uid.take().or_else(text);
        } else if is_named(line, OUR_ID) {
            self.our_id = self.our_id.take().or_else(text);
        } else if is_named(line, "RECURRENCE-ID") {
            self.is_exception = true;
        } else if is_named(line, "RRULE") || is_named(line, "RDATE") {
            self.recurs = true;
        }
    }

    /// A UID that can be a remote id.
    fn usable_uid(&self) -> Option<&str> {
        self.uid.as_deref().filter(|uid| !uid.is_empty() && uid.len() <= LONGEST_UID && !uid.contains(char::is_control))
    }
}

impl<'a> Calendar<'a> {
    /// The longest stream that is read, in bytes.
    pub const LONGEST: usize = 16 << 20;
    /// The most components that are read.
    pub const MOST_COMPONENTS: usize = 50_000;

    /// Divides a stream. Components that are broken are kept, see [`Object::item`].
    ///
    /// # Errors
    ///
    /// It is no calendar, cut off, too long or too large.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotACalendar> {
        if bytes.len() > Self::LONGEST {
            return Err(NotACalendar::TooLong(bytes.len()));
        }
        let pieces = divide(bytes)?;
        let mut calendar = Self { line_end: Some(LineEnd::of(bytes)), pieces, ..Self::default() };
        calendar.group();
        Ok(calendar)
    }

    /// A calendar without components that is published under a name, as Outlook subscribes to.
    #[must_use]
    pub fn feed(name: &str) -> Self {
        let name = escape(name);
        // Outlook looks again after so long, as far as it listens to the calendar at all.
        let lines = [
            "METHOD:PUBLISH",
            &format!("X-WR-CALNAME:{name}"),
            &format!("NAME:{name}"),
            "X-PUBLISHED-TTL:PT15M",
            "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        ];
        Self::empty(&lines)
    }

    /// A calendar without components, as a CalDAV server stores one for each object: without a method.
    #[must_use]
    pub fn resource() -> Self {
        Self::empty(&[])
    }

    fn empty(more: &[&str]) -> Self {
        let mut head = Vec::new();
        let product = format!("PRODID:{PRODUCT}");
        for line in ["BEGIN:VCALENDAR", "VERSION:2.0", &product, "CALSCALE:GREGORIAN"].iter().chain(more) {
            push(&mut head, line, LineEnd::CrLf);
        }
        let mut end = Vec::new();
        push(&mut end, "END:VCALENDAR", LineEnd::CrLf);
        Self { pieces: vec![Piece::new(Role::Foreign, head), Piece::new(Role::End, end)], ..Self::default() }
    }

    /// The stream as it is now: what was not written is as it was read, byte for byte.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = |pieces: &[Piece<'_>]| pieces.iter().map(|piece| piece.bytes.len()).sum::<usize>();
        let mut bytes = Vec::with_capacity(length(&self.pieces) + length(&self.added) + 1_024);
        let zones_before = self.pieces.iter().position(|piece| matches!(piece.role, Role::Item(_) | Role::End));
        let end = self.pieces.iter().position(|piece| piece.role == Role::End);
        for (index, piece) in self.pieces.iter().enumerate() {
            if Some(index) == zones_before {
                self.added_zones.values().for_each(|(_, definition)| bytes.extend_from_slice(definition));
            }
            if Some(index) == end {
                self.added.iter().for_each(|piece| bytes.extend_from_slice(&piece.bytes));
            }
            bytes.extend_from_slice(&piece.bytes);
        }
        bytes
    }

    /// The appointments and tasks, each with what belongs to it, in the order of their first components. What has no UID
    /// is not among them.
    pub fn objects(&self) -> impl Iterator<Item = Object<'_>> {
        let groups = self.groups.iter().filter(|group| !group.members.is_empty());
        groups.map(|group| Object { calendar: self, group })
    }

    /// The object of a UID.
    #[must_use]
    pub fn object(&self, kind: Kind, uid: &str) -> Option<Object<'_>> {
        let group = self.group_of(kind, uid).and_then(|at| self.groups.get(at))?;
        (!group.members.is_empty()).then_some(Object { calendar: self, group })
    }

    /// The objects of a kind in which something carries one of our ids, whether they can be read or not.
    pub fn carrying<'s>(&'s self, kind: Kind, our_id: &'s str) -> impl Iterator<Item = Object<'s>> {
        self.objects().filter(move |object| object.kind() == kind && object.carries(our_id))
    }

    /// Whether some component is so broken that its UID is not known: then that an object is not found does not prove
    /// that it is not there.
    #[must_use]
    pub fn has_unidentified(&self) -> bool {
        self.pieces.iter().any(|piece| piece.is_broken && piece.usable_uid().is_none())
    }

    /// Whether a component that [`Calendar::has_unidentified`] speaks of carries one of our ids.
    #[must_use]
    pub fn unidentified_carries(&self, our_id: &str) -> bool {
        let is_unidentified = |piece: &&Piece<'_>| piece.is_broken && piece.usable_uid().is_none();
        self.pieces.iter().filter(is_unidentified).any(|piece| piece.our_id.as_deref() == Some(our_id))
    }

    pub(crate) fn piece(&self, index: usize) -> Option<&Piece<'a>> {
        self.pieces.get(index).or_else(|| self.added.get(index.checked_sub(self.pieces.len())?))
    }

    pub(crate) fn piece_mut(&mut self, index: usize) -> Option<&mut Piece<'a>> {
        let pieces = self.pieces.len();
        self.pieces.get_mut(index).or_else(|| self.added.get_mut(index.checked_sub(pieces)?))
    }

    pub(crate) fn line_end(&self) -> LineEnd {
        self.line_end.unwrap_or(LineEnd::CrLf)
    }

    /// The time zones that the calendar defines under names of its own.
    pub(crate) fn definitions(&self) -> &Definitions {
        self.definitions.get_or_init(|| Definitions::read(self.zones().map(|(_, bytes)| bytes)))
    }

    /// The definitions of time zones, with where they stand.
    pub(crate) fn zones(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let zones = self.pieces.iter().enumerate().filter(|(_, piece)| piece.role == Role::Zone && !piece.is_broken);
        zones.map(|(index, piece)| (index, piece.bytes.as_ref()))
    }

    /// The definitions of time zones that were added since the stream was read, by name, with what they hold for.
    pub(crate) fn added_zones(&mut self) -> &mut BTreeMap<&'static str, (Years, Vec<u8>)> {
        &mut self.added_zones
    }

    /// Adds a component, to its object if that is there.
    pub(crate) fn add(&mut self, kind: Kind, uid: &str, bytes: Vec<u8>) {
        let mut piece = Piece::new(Role::Item(kind), bytes);
        reread(&mut piece);
        let index = self.pieces.len() + self.added.len();
        self.added.push(piece);
        self.assign(kind, uid, index);
    }

    /// Replaces the bytes of a component.
    pub(crate) fn replace(&mut self, index: usize, bytes: Vec<u8>) {
        if let Some(piece) = self.piece_mut(index) {
            piece.bytes = Cow::Owned(bytes);
            reread(piece);
        }
    }

    /// Removes a component from its object.
    pub(crate) fn remove(&mut self, kind: Kind, uid: &str, index: usize) {
        if let Some(piece) = self.piece_mut(index) {
            *piece = Piece::new(Role::Foreign, Vec::new());
        }
        if let Some(group) = self.group_of(kind, uid).and_then(|at| self.groups.get_mut(at)) {
            group.members.retain(|member| *member != index);
        }
    }

    fn group(&mut self) {
        for index in 0..self.pieces.len() {
            let Some(piece) = self.pieces.get(index) else { continue };
            let Role::Item(kind) = piece.role else { continue };
            if let Some(uid) = piece.usable_uid().map(str::to_owned) {
                self.assign(kind, &uid, index);
            }
        }
    }

    fn assign(&mut self, kind: Kind, uid: &str, index: usize) {
        let at = *self.index.entry((kind as u8, uid.to_owned())).or_insert(self.groups.len());
        if at == self.groups.len() {
            self.groups.push(Group { kind, uid: uid.to_owned(), members: Vec::new() });
        }
        if let Some(group) = self.groups.get_mut(at) {
            group.members.push(index);
        }
    }

    fn group_of(&self, kind: Kind, uid: &str) -> Option<usize> {
        self.index.get(&(kind as u8, uid.to_owned())).copied()
    }
}

fn reread(piece: &mut Piece<'_>) {
    let bytes = std::mem::take(&mut piece.bytes);
    let mut fresh = Piece::new(piece.role, &[][..]);
    crate::component::own_lines(&bytes).for_each(|line| fresh.note(line));
    *piece = Piece {
        bytes,
        uid: fresh.uid,
        our_id: fresh.our_id,
        is_exception: fresh.is_exception,
        recurs: fresh.recurs,
        ..*piece
    };
}

/// A component under way.
struct Open<'a> {
    name: String,
    start: usize,
    /// The components within it that are not closed yet.
    inner: Vec<String>,
    piece: Piece<'a>,
}

/// Divides a stream into pieces, which together are its bytes.
fn divide(bytes: &[u8]) -> Result<Vec<Piece<'_>>, NotACalendar> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let mut open: Option<Open<'_>> = None;
    let mut components = 0;
    // Where the lines begin that are in no piece yet, and where the next line does.
    let mut foreign = 0;
    let mut position = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let (mut is_calendar, mut has_calendar) = (false, false);
    for line in lines(&bytes[position..]) {
        let start = position;
        position += line.len();
        let boundary = boundary(line);
        if let Some(mut component) = open.take() {
            match component.take(line, boundary.as_ref()) {
                Taken::Within => {
                    open = Some(component);
                    continue;
                }
                Taken::Last => {
                    foreign = position;
                    component.close(bytes, position, &mut pieces);
                    continue;
                }
                Taken::Not => {
                    foreign = start;
                    component.piece.is_broken = true;
                    component.close(bytes, start, &mut pieces);
                }
            }
        }
        match boundary {
            Some((Boundary::Begin, name)) if name == "VCALENDAR" => (is_calendar, has_calendar) = (true, true),
            Some((Boundary::End, name)) if name == "VCALENDAR" && is_calendar => {
                is_calendar = false;
                pieces.push(Piece::new(Role::Foreign, &bytes[foreign..start]));
                pieces.push(Piece::new(Role::End, line));
                foreign = position;
            }
            Some((Boundary::Begin, name)) if is_calendar => {
                components += 1;
                if components > Calendar::MOST_COMPONENTS {
                    return Err(NotACalendar::TooMany);
                }
                pieces.push(Piece::new(Role::Foreign, &bytes[foreign..start]));
                open = Some(Open::new(name, start));
            }
            _ => {}
        }
    }
    if !has_calendar {
        return Err(NotACalendar::NoCalendar);
    }
    if is_calendar {
        return Err(NotACalendar::CutOff);
    }
    pieces.push(Piece::new(Role::Foreign, &bytes[foreign..]));
    pieces.retain(|piece| !piece.bytes.is_empty());
    Ok(pieces)
}

/// Whether a line belongs to the component that is open.
enum Taken {
    Within,
    Last,
    Not,
}

impl<'a> Open<'a> {
    fn new(name: String, start: usize) -> Self {
        let role = match name.as_str() {
            "VEVENT" => Role::Item(Kind::Appointment),
            "VTODO" => Role::Item(Kind::Task),
            "VTIMEZONE" => Role::Zone,
            _ => Role::Foreign,
        };
        Self { name, start, inner: Vec::new(), piece: Piece::new(role, &[][..]) }
    }

    fn take(&mut self, line: &[u8], boundary: Option<&(Boundary, String)>) -> Taken {
        match boundary {
            None if self.inner.is_empty() => self.piece.note(line),
            None => {}
            Some((Boundary::Begin, name)) if is_outermost(name) => return Taken::Not,
            Some((Boundary::Begin, _)) if self.inner.len() >= DEEPEST => self.piece.is_broken = true,
            Some((Boundary::Begin, name)) => self.inner.push(name.clone()),
            Some((Boundary::End, name)) if name == "VCALENDAR" => return Taken::Not,
            Some((Boundary::End, name)) if self.inner.last() == Some(name) => drop(self.inner.pop()),
            Some((Boundary::End, name)) if *name == self.name => {
                self.piece.is_broken |= !self.inner.is_empty();
                return Taken::Last;
            }
            Some((Boundary::End, _)) => self.piece.is_broken = true,
        }
        Taken::Within
    }

    fn close(mut self, bytes: &'a [u8], end: usize, pieces: &mut Vec<Piece<'a>>) {
        self.piece.bytes = Cow::Borrowed(&bytes[self.start..end]);
        pieces.push(self.piece);
    }
}

/// What never stands within another component.
fn is_outermost(name: &str) -> bool {
    matches!(name, "VCALENDAR" | "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY" | "VTIMEZONE")
}
