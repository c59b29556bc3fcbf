//! What shares a UID, read as items of the contract.

use apptsync_plugin::connector::{self, Item, Kind, Occurrence, Series, Window};
use apptsync_plugin::types::Instant;
use xxhash_rust::xxh64::Xxh64;

use crate::calendar::{Calendar, Group, Piece};
use crate::component::Component;
use crate::entry;
use crate::error::Unreadable;
use crate::moment::{Reckoning, Times, intersects, task_days};
use crate::series::{Found, Pattern};
use crate::{Effort, Place, Viewer, occurrence_id};

/// An appointment or task: a single component, or a series with its exceptions.
#[derive(Debug, Clone, Copy)]
pub struct Object<'c> {
    pub(crate) calendar: &'c Calendar<'c>,
    pub(crate) group: &'c Group,
}

/// The occurrences of a series in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrences {
    /// In the order of their original starts, at most [`Occurrences::MOST`] and [`Occurrences::LARGEST`].
    pub items: Vec<Item>,
    /// There are more.
    pub truncated: bool,
}

impl Occurrences {
    /// The most occurrences of one series, as the contract says.
    pub const MOST: usize = 1_000;
    /// The most bytes that they take, as [`size`] counts them: half of what one answer may have.
    pub const LARGEST: usize = 8 << 20;
    /// The most bytes that are read for them: each reads what its component says anew, of which little may be kept.
    const MOST_READ: usize = 32 << 20;
}

/// About how many bytes an item takes in an answer.
#[must_use]
pub fn size(item: &Item) -> usize {
    let texts = match &item.content {
        connector::Content::Entry(entry) => entry.subject.len() + entry.body.len() + entry.location.len(),
        connector::Content::Contact(_) => 0,
    };
    512 + item.remote_id.len() + item.etag.len() + texts
}

impl<'c> Object<'c> {
    /// The UID that its components share.
    #[must_use]
    pub fn uid(&self) -> &'c str {
        &self.group.uid
    }

    /// Appointment or task.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.group.kind
    }

    /// Whether it recurs, or consists of single occurrences of a series that is not here.
    #[must_use]
    pub fn is_series(&self) -> bool {
        self.pieces().any(|piece| piece.recurs || piece.is_exception)
    }

    /// Stands for its bytes, and for the time zones that the calendar defines under names of its own: changes whenever a
    /// byte of them does.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Xxh64::new(self.calendar.definitions().digest());
        let mut length = 0;
        for piece in self.pieces() {
            hasher.update(&piece.bytes);
            length += piece.bytes.len();
        }
        format!("{:016x}-{length:x}", hasher.digest())
    }

    /// What a pull says of it: the item, or the occurrences of a series. None when nothing of it lies in the window; a task
    /// without a date lies in every window.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has too many occurrences to list them all.
    pub fn change(
        &self,
        window: &Window,
        place: &Place<'_>,
        viewer: &Viewer,
        effort: &mut Effort,
    ) -> Result<Option<connector::Change>, Unreadable> {
        if self.is_series() {
            let Occurrences { items: occurrences, truncated } = self.occurrences(window, place, viewer, effort)?;
            if truncated {
                return Err(Unreadable::TooMany);
            }
            let series = Series { id: place.remote_id.to_owned(), occurrences };
            return Ok((!series.occurrences.is_empty()).then_some(connector::Change::Series(series)));
        }
        let is_in_window = |item: &Item| match &item.content {
            connector::Content::Entry(entry) => {
                entry.period.as_ref().is_none_or(|period| intersects(period, window, viewer.zone))
            }
            connector::Content::Contact(_) => false,
        };
        Ok(self.item(place, viewer)?.filter(is_in_window).map(connector::Change::Present))
    }

    /// The object itself: the single item or, of a series, its pattern, without an occurrence. None of a series of which
    /// only single occurrences are here.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn item(&self, place: &Place<'_>, viewer: &Viewer) -> Result<Option<Item>, Unreadable> {
        self.check()?;
        let Some(master) = self.master() else { return Ok(None) };
        let component = Component::parse(&master.bytes);
        let reckoning = self.reckoning(viewer);
        let times = Times::read(&component, self.kind(), &reckoning)?;
        let period = match &times {
            Some(times) if self.kind() == Kind::Task => Some(task_days(times, times.start.local(), &reckoning)?),
            Some(times) => Some(times.period(times.start.local())?),
            None => None,
        };
        Ok(Some(entry::item(&component, self.kind(), times.as_ref(), period, place, viewer)))
    }

    /// One occurrence, by where the pattern puts it. None where the series has none there, and of what is no series.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn occurrence(
        &self,
        original_start: Instant,
        place: &Place<'_>,
        viewer: &Viewer,
    ) -> Result<Option<Item>, Unreadable> {
        if !self.is_series() {
            return Ok(None);
        }
        let pattern = self.pattern(viewer)?;
        let found = pattern.at(original_start)?;
        found.map(|found| self.occurring(&pattern, &found, place, viewer)).transpose()
    }

    /// The occurrences that lie in a window, wherever the pattern would put them.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn occurrences(
        &self,
        window: &Window,
        place: &Place<'_>,
        viewer: &Viewer,
        effort: &mut Effort,
    ) -> Result<Occurrences, Unreadable> {
        let pattern = self.pattern(viewer)?;
        let (mut items, mut bytes, mut read, mut truncated) = (Vec::new(), 0, 0, false);
        for found in pattern.within(window, effort)? {
            // Far more may be near the window than in it, and their texts may be long.
            if intersects(&pattern.period(&found)?, window, viewer.zone) {
                read += found.component.size();
                effort.spend(u32::try_from(found.component.size() / Effort::BYTES).unwrap_or(u32::MAX));
                if read > Occurrences::MOST_READ {
                    truncated = true;
                    break;
                }
                let item = self.occurring(&pattern, &found, place, viewer)?;
                bytes += size(&item);
                truncated = items.len() >= Occurrences::MOST || bytes > Occurrences::LARGEST;
                if truncated {
                    break;
                }
                items.push(item);
            }
        }
        Ok(Occurrences { items, truncated })
    }

    /// The items of the object that carry one of our ids: the object itself, and exceptions of a series.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn carrying(&self, our_id: &str, place: &Place<'_>, viewer: &Viewer) -> Result<Vec<Item>, Unreadable> {
        if !self.carries(our_id) {
            return Ok(Vec::new());
        }
        self.check()?;
        if self.master().is_some_and(|piece| piece.our_id.as_deref() == Some(our_id)) {
            return Ok(self.item(place, viewer)?.into_iter().collect());
        }
        let pattern = self.pattern(viewer)?;
        let exceptions = pattern.exceptions().filter(|found| entry::our_id(found.component).as_deref() == Some(our_id));
        exceptions.map(|found| self.occurring(&pattern, &found, place, viewer)).collect()
    }

    /// Whether something of it carries one of our ids.
    pub(crate) fn carries(&self, our_id: &str) -> bool {
        self.pieces().any(|piece| piece.our_id.as_deref() == Some(our_id))
    }

    /// The addresses of all who take part in any of it, its organizers too; none where nobody is invited.
    #[must_use]
    pub fn people(&self) -> Vec<String> {
        let components: Vec<Component> = self.pieces().map(|piece| Component::parse(&piece.bytes)).collect();
        if components.iter().all(|component| component.first("ATTENDEE").is_none()) {
            return Vec::new();
        }
        let people = |component: &Component| {
            let people = component.all("ATTENDEE").chain(component.all("ORGANIZER"));
            people.map(|property| entry::address(&property.value).to_owned()).collect::<Vec<_>>()
        };
        components.iter().flat_map(people).collect()
    }

    /// What the object's series is made of.
    pub(crate) fn pattern(&self, viewer: &Viewer) -> Result<Pattern<'c>, Unreadable> {
        self.check()?;
        let master = self.master().map(|piece| Component::parse(&piece.bytes));
        let members = self.group.members.iter().copied();
        let exceptions = members.filter_map(|index| {
            let piece = self.calendar.piece(index).filter(|piece| piece.is_exception)?;
            Some((index, Component::parse(&piece.bytes)))
        });
        Pattern::read(master, exceptions.collect(), self.kind(), self.reckoning(viewer))
    }

    /// Where the component stands that is the item or the pattern of the series. Of several the first counts.
    pub(crate) fn master_index(&self) -> Option<usize> {
        let is_master = |index: &usize| self.calendar.piece(*index).is_some_and(|piece| !piece.is_exception);
        self.group.members.iter().copied().find(is_master)
    }

    /// Whether somebody made a copy and left it its UID.
    pub(crate) fn has_second_master(&self) -> bool {
        self.pieces().filter(|piece| !piece.is_exception).count() > 1
    }

    fn master(&self) -> Option<&'c Piece<'c>> {
        self.master_index().and_then(|index| self.calendar.piece(index))
    }

    fn pieces(&self) -> impl Iterator<Item = &'c Piece<'c>> {
        let calendar = self.calendar;
        self.group.members.iter().filter_map(move |index| calendar.piece(*index))
    }

    pub(crate) fn check(&self) -> Result<(), Unreadable> {
        if self.pieces().any(|piece| piece.is_broken) { Err(Unreadable::Broken) } else { Ok(()) }
    }

    pub(crate) fn reckoning(&self, viewer: &Viewer) -> Reckoning<'c> {
        Reckoning { definitions: self.calendar.definitions(), zone: viewer.zone }
    }

    fn occurring(
        &self,
        pattern: &Pattern<'_>,
        found: &Found<'_>,
        place: &Place<'_>,
        viewer: &Viewer,
    ) -> Result<Item, Unreadable> {
        let remote_id = occurrence_id(place.remote_id, found.original_start);
        let here = Place { remote_id: &remote_id, ..*place };
        let period = Some(pattern.period(found)?);
        let mut item = entry::item(found.component, self.kind(), Some(found.times), period, &here, viewer);
        // Who copies the pattern into an exception copies our id with it.
        if !found.is_exception || entry::our_id(found.component) == pattern.our_id() {
            item.identity = connector::Identity::None;
        }
        if !found.is_exception || item.writer == pattern.writer() {
            item.writer = None;
        }
        item.occurrence = Some(Occurrence { series: place.remote_id.to_owned(), original_start: found.original_start });
        Ok(item)
    }
}
