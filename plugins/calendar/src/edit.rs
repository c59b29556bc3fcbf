//! What is written into a calendar.

use apptsync_plugin::connector::{Entry, Fields, Kind};
use apptsync_plugin::types::{Instant, Period, Priority};
use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use crate::component::{Component, OUR_ID, Section, WRITER, sections};
use crate::definition::{Years, zone_parameter};
use crate::error::{Unreadable, WriteError};
use crate::line::{LineEnd, Property, escape, is_named, listed, push, unescape, unfold};
use crate::moment::{Moment, Style};
use crate::object::Object;
use crate::patch::Patch;
use crate::zone::{Zone, named};
use crate::{Calendar, Key, Viewer, value};

/// The category of what is no longer put back.
const LOCKED: &str = "Locked by ERP";

/// What is to be written into an item.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// As it shall be.
    pub entry: &'a Entry,
    /// What of it is written.
    pub fields: Fields,
    /// Where set, stored with the item.
    pub our_id: Option<&'a str>,
    /// Stored with the item where anything is.
    pub writer: &'a str,
}

impl Calendar<'_> {
    /// Adds an object, with the definition of its time zone if the calendar has none.
    ///
    /// # Errors
    ///
    /// [`WriteError::Exists`], or [`WriteError::Refused`] where the entry cannot be expressed.
    pub fn create(
        &mut self,
        key: &Key<'_>,
        our_id: &str,
        writer: &str,
        entry: &Entry,
        viewer: &Viewer,
        now: Instant,
    ) -> Result<(), WriteError> {
        if [Kind::Appointment, Kind::Task].into_iter().any(|kind| self.object(kind, key.uid).is_some()) {
            return Err(WriteError::Exists);
        }
        let name = match key.kind {
            Kind::Appointment => "VEVENT",
            Kind::Task => "VTODO",
            Kind::Contact => return Err(WriteError::Refused("a calendar has no contacts".to_owned())),
        };
        let mut patch = Patch::default();
        patch.set("UID", "", &escape(key.uid));
        stamp(&mut patch, now);
        patch.set("CREATED", "", &value::format_utc(now));
        patch.set("SEQUENCE", "", "0");
        patch.set(OUR_ID, "", our_id);
        patch.set(WRITER, "", writer);
        if key.kind == Kind::Appointment {
            patch.set("TRANSP", "", "OPAQUE");
            patch.set("X-MICROSOFT-CDO-BUSYSTATUS", "", "BUSY");
        }
        self.put_fields(&mut patch, key.kind, entry, everything(), None, viewer)?;
        let end = self.line_end();
        let mut empty = Vec::new();
        push(&mut empty, &format!("BEGIN:{name}"), end);
        push(&mut empty, &format!("END:{name}"), end);
        let bytes = patch.apply(&empty, end);
        self.add(key.kind, key.uid, bytes);
        Ok(())
    }

    /// Changes an item; of a series, one occurrence by an exception.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSuchItem`], [`WriteError::Unreadable`], or [`WriteError::Refused`]: the period of a series as a
    /// whole, for one, is not ours to change.
    pub fn update(
        &mut self,
        key: &Key<'_>,
        change: &Change<'_>,
        viewer: &Viewer,
        now: Instant,
    ) -> Result<(), WriteError> {
        let object = self.object(key.kind, key.uid).ok_or(WriteError::NoSuchItem)?;
        object.check()?;
        let period = has(change.fields, Fields::PERIOD);
        if period && key.original_start.is_none() && object.is_series() {
            return Err(WriteError::Refused("the time of a series is changed at its occurrences".to_owned()));
        }
        let target = target(&object, key, viewer)?;
        let component = Component::parse(target.bytes());
        let zone = zone_of(&object, &component, viewer)?;
        let mut patch = Patch::default();
        if change.fields != Fields::empty() {
            stamp(&mut patch, now);
            patch.set("SEQUENCE", "", &next_sequence(&component));
        }
        if let Some(our_id) = change.our_id {
            patch.set(OUR_ID, "", our_id);
        }
        if change.our_id.is_some() || change.fields != Fields::empty() {
            patch.set(WRITER, "", change.writer);
        }
        let (target, bytes) = target.owned();
        self.put_fields(&mut patch, key.kind, change.entry, change.fields, zone, viewer)?;
        let bytes = patch.apply(&bytes, self.line_end());
        match target {
            Some(index) => self.replace(index, bytes),
            None => self.add(key.kind, key.uid, bytes),
        }
        Ok(())
    }

    /// Removes an object with all its components; of a series, one occurrence by an `EXDATE`. With the last occurrence the
    /// object goes.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSuchItem`] or, for an occurrence, [`WriteError::Unreadable`], and [`WriteError::Refused`] where another
    /// item or all occurrences that follow would change.
    pub fn delete(&mut self, key: &Key<'_>, viewer: &Viewer, now: Instant) -> Result<(), WriteError> {
        let object = self.object(key.kind, key.uid).ok_or(WriteError::NoSuchItem)?;
        let Some(original_start) = key.original_start else {
            if object.has_second_master() {
                return Err(WriteError::Refused(
                    "another item has the same UID, and would be deleted with it".to_owned(),
                ));
            }
            self.remove_all(key);
            return Ok(());
        };
        let pattern = series(&object, viewer)?;
        pattern.at(original_start)?.ok_or(WriteError::NoSuchItem)?;
        spare_following(&pattern, original_start)?;
        let exception = pattern.exception_index(original_start);
        let excluded = pattern.moment(original_start).map(|moment| written(&moment));
        let master = object.master_index();
        if let (Some(index), Some((parameters, value))) = (master, excluded)
            && let Some(piece) = self.piece(index)
        {
            let mut patch = Patch::default();
            stamp(&mut patch, now);
            patch.set("SEQUENCE", "", &next_sequence(&Component::parse(&piece.bytes)));
            patch.add("EXDATE", &parameters, &value);
            let bytes = patch.apply(&piece.bytes, self.line_end());
            self.replace(index, bytes);
        }
        if let Some(index) = exception {
            self.remove(key.kind, key.uid, index);
        }
        let object = self.object(key.kind, key.uid).filter(|object| !object.has_second_master());
        let left = object.map(|object| object.pattern(viewer).and_then(|pattern| pattern.is_empty()));
        // A series without occurrences is none, and servers refuse it.
        if left == Some(Ok(true)) {
            self.remove_all(key);
        }
        Ok(())
    }

    fn remove_all(&mut self, key: &Key<'_>) {
        let members = self.object(key.kind, key.uid).map(|object| object.group.members.clone());
        for member in members.unwrap_or_default() {
            self.remove(key.kind, key.uid, member);
        }
    }

    /// Takes our id and the writer off an item, and changes nothing else.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSuchItem`] or [`WriteError::Unreadable`].
    pub fn disown(&mut self, key: &Key<'_>, viewer: &Viewer) -> Result<(), WriteError> {
        let object = self.object(key.kind, key.uid).ok_or(WriteError::NoSuchItem)?;
        object.check()?;
        let index = match key.original_start {
            None => object.master_index().ok_or(WriteError::NoSuchItem)?,
            Some(original_start) => {
                let pattern = series(&object, viewer)?;
                pattern.at(original_start)?.ok_or(WriteError::NoSuchItem)?;
                // What the pattern alone makes has no id.
                let Some(index) = pattern.exception_index(original_start) else { return Ok(()) };
                index
            }
        };
        let Some(piece) = self.piece(index) else { return Err(WriteError::NoSuchItem) };
        let mut patch = Patch::default();
        patch.remove(OUR_ID);
        patch.remove(WRITER);
        let bytes = patch.apply(&piece.bytes, self.line_end());
        self.replace(index, bytes);
        Ok(())
    }

    /// Adds the category [`LOCKED`] to an item or takes it off; its other categories stay. Of a series, one occurrence gets it
    /// by an exception.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSuchItem`], [`WriteError::Unreadable`] or, for an occurrence, [`WriteError::Refused`].
    pub fn mark(&mut self, key: &Key<'_>, is_locked: bool, viewer: &Viewer, now: Instant) -> Result<(), WriteError> {
        let object = self.object(key.kind, key.uid).ok_or(WriteError::NoSuchItem)?;
        object.check()?;
        let target = target(&object, key, viewer)?;
        let component = Component::parse(target.bytes());
        let has_lock = component.all("CATEGORIES").flat_map(|property| listed(&property.value)).any(is_lock);
        if has_lock == is_locked {
            return Ok(());
        }
        let mut patch = Patch::default();
        stamp(&mut patch, now);
        let (target, mut bytes) = target.owned();
        if is_locked {
            patch.add("CATEGORIES", "", LOCKED);
        } else {
            bytes = unlocked(&bytes, self.line_end());
        }
        let bytes = patch.apply(&bytes, self.line_end());
        match target {
            Some(index) => self.replace(index, bytes),
            None => self.add(key.kind, key.uid, bytes),
        }
        Ok(())
    }

    fn put_fields(
        &mut self,
        patch: &mut Patch,
        kind: Kind,
        entry: &Entry,
        fields: Fields,
        zone: Option<Tz>,
        viewer: &Viewer,
    ) -> Result<(), WriteError> {
        if has(fields, Fields::SUBJECT) {
            put_text(patch, "SUMMARY", &entry.subject);
        }
        if has(fields, Fields::BODY) {
            put_text(patch, "DESCRIPTION", &entry.body);
            // Outlook would go on showing the old text.
            patch.remove("X-ALT-DESC");
        }
        if has(fields, Fields::LOCATION) {
            put_text(patch, "LOCATION", &entry.location);
        }
        if has(fields, Fields::PRIORITY) {
            put_priority(patch, kind, entry.priority);
        }
        if has(fields, Fields::COMPLETED) {
            put_completed(patch, kind, entry.completed);
        }
        if has(fields, Fields::PERIOD) {
            let zone = entry.zone.parse().ok().or(zone).unwrap_or(viewer.zone);
            match kind {
                Kind::Task => put_days(patch, entry.period.as_ref(), zone)?,
                _ => self.put_period(patch, entry.period.as_ref(), zone)?,
            }
        }
        Ok(())
    }

    fn put_period(&mut self, patch: &mut Patch, period: Option<&Period>, zone: Tz) -> Result<(), WriteError> {
        patch.remove("DURATION");
        let whole_days = match period {
            Some(Period::AllDay(days)) => {
                patch.set("DTSTART", ";VALUE=DATE", &value::format_date(date(&days.start)?));
                patch.set("DTEND", ";VALUE=DATE", &value::format_date(date(&days.end)?));
                "TRUE"
            }
            Some(Period::Timed(timed)) => {
                // The last second belongs to the year before, if it ends at New Year.
                let years = Years::between(timed.start, timed.end);
                let id = (!is_utc(zone)).then(|| self.define(zone, years));
                for (name, instant) in [("DTSTART", timed.start), ("DTEND", timed.end)] {
                    let (parameters, value) = written_in(zone, id.as_deref(), instant);
                    patch.set(name, &parameters, &value);
                }
                "FALSE"
            }
            None => return Err(WriteError::Refused("an appointment needs a start and an end".to_owned())),
        };
        patch.set("X-MICROSOFT-CDO-ALLDAYEVENT", "", whole_days);
        Ok(())
    }
}

fn is_lock(category: &str) -> bool {
    unescape(category).trim() == LOCKED
}

/// A component without the category [`LOCKED`]; every list of categories that it is not in stays as it is.
fn unlocked(component: &[u8], end: LineEnd) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(component.len());
    for (section, line) in sections(component) {
        let list = Property::parse(line).filter(|_| section == Section::Own && is_named(line, "CATEGORIES"));
        let Some(list) = list.filter(|list| listed(&list.value).into_iter().any(is_lock)) else {
            bytes.extend_from_slice(line);
            continue;
        };
        let rest: Vec<&str> = listed(&list.value).into_iter().filter(|category| !is_lock(category)).collect();
        if !rest.is_empty() {
            let whole = String::from_utf8_lossy(&unfold(line)).into_owned();
            let head = whole.strip_suffix(&list.value).unwrap_or("CATEGORIES:");
            push(&mut bytes, &format!("{head}{}", rest.join(",")), end);
        }
    }
    bytes
}

fn has(fields: Fields, field: Fields) -> bool {
    fields & field == field
}

/// What an entry is made of.
fn everything() -> Fields {
    Fields::SUBJECT | Fields::BODY | Fields::LOCATION | Fields::PERIOD | Fields::PRIORITY | Fields::COMPLETED
}

/// The component that a change is made in.
enum Target<'c> {
    /// It is there.
    Present(usize, &'c [u8]),
    /// An exception that has to be added.
    New(Vec<u8>),
}

impl Target<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Present(_, bytes) => bytes,
            Self::New(bytes) => bytes,
        }
    }

    fn owned(self) -> (Option<usize>, Vec<u8>) {
        match self {
            Self::Present(index, bytes) => (Some(index), bytes.to_vec()),
            Self::New(bytes) => (None, bytes),
        }
    }
}

fn target<'c>(object: &Object<'c>, key: &Key<'_>, viewer: &Viewer) -> Result<Target<'c>, WriteError> {
    let present = |index| {
        let piece = object.calendar.piece(index).ok_or(WriteError::NoSuchItem)?;
        Ok(Target::Present(index, &piece.bytes))
    };
    let Some(original_start) = key.original_start else {
        return present(object.master_index().ok_or(WriteError::NoSuchItem)?);
    };
    let pattern = series(object, viewer)?;
    let found = pattern.at(original_start)?.ok_or(WriteError::NoSuchItem)?;
    spare_following(&pattern, original_start)?;
    if let Some(index) = pattern.exception_index(original_start) {
        return present(index);
    }
    let start = pattern.moment(original_start).ok_or(WriteError::NoSuchItem)?;
    let master = object.master_index().and_then(|index| object.calendar.piece(index)).ok_or(WriteError::NoSuchItem)?;
    // After an exception that holds for all that follow, the pattern's own component is not what is seen.
    if found.component != &Component::parse(&master.bytes) {
        return Err(split());
    }
    let mut patch = Patch::default();
    for name in ["RRULE", "RDATE", "EXDATE", "EXRULE", OUR_ID, WRITER] {
        patch.remove(name);
    }
    let (parameters, value) = written(&start);
    patch.set("RECURRENCE-ID", &parameters, &value);
    if found.component.first("DTSTART").is_some() {
        patch.set("DTSTART", &parameters, &value);
    }
    let actual = found.times.start.at(found.local);
    for name in ["DTEND", "DUE"] {
        let Some(property) = found.component.first(name) else { continue };
        let reckoning = object.reckoning(viewer);
        let end = Moment::read(property, &property.value, &reckoning).ok_or(Unreadable::Value(name))?;
        let later = found.local - found.times.start.local();
        let end = match (name, pattern.end(&actual)) {
            // Whole days may be written as times.
            ("DTEND", Some(day @ Moment::Date(_))) if end.local().time() == NaiveTime::MIN => end.at(day.local()),
            ("DTEND", Some(end)) => end,
            _ => end.at(value::shifted(end.local(), later.num_seconds()).ok_or(Unreadable::Value(name))?),
        };
        let (parameters, value) = written(&end);
        patch.set(name, &parameters, &value);
    }
    Ok(Target::New(patch.apply(&master.bytes, object.calendar.line_end())))
}

/// What is written into an exception that holds for all that follow, or taken away with it, changes them all.
fn spare_following(pattern: &crate::series::Pattern<'_>, original_start: Instant) -> Result<(), WriteError> {
    if pattern.holds_for_following(original_start) { Err(split()) } else { Ok(()) }
}

fn split() -> WriteError {
    WriteError::Refused("the series was split in a way that is not written".to_owned())
}

fn series<'c>(object: &Object<'c>, viewer: &Viewer) -> Result<crate::series::Pattern<'c>, WriteError> {
    if !object.is_series() {
        return Err(WriteError::NoSuchItem);
    }
    Ok(object.pattern(viewer)?)
}

/// The zone that an item is written in, if it is one that has a name.
fn zone_of(object: &Object<'_>, component: &Component, viewer: &Viewer) -> Result<Option<Tz>, Unreadable> {
    let Some(start) = component.first("DTSTART") else { return Ok(None) };
    let moment = Moment::read(start, &start.value, &object.reckoning(viewer)).ok_or(Unreadable::Value("DTSTART"))?;
    Ok(match moment {
        Moment::Time { style: Style::Zoned(id), .. } => named(&id),
        _ => None,
    })
}

/// Parameters and value of a moment.
fn written(moment: &Moment) -> (String, String) {
    match moment {
        Moment::Date(date) => (";VALUE=DATE".to_owned(), value::format_date(*date)),
        Moment::Time { local, style, .. } => match style {
            Style::Utc => (String::new(), format!("{}Z", value::format_local(*local))),
            Style::Floating => (String::new(), value::format_local(*local)),
            Style::Zoned(id) => (zone_parameter(id), value::format_local(*local)),
        },
    }
}

/// Parameters and value of an instant in a zone that is defined under a name; in UTC where it has none, and where the
/// local time would be taken for another instant: in the hour that the clock shows twice.
fn written_in(tz: Tz, id: Option<&str>, instant: Instant) -> (String, String) {
    let zone = Zone::Named(tz);
    let local = zone.local(instant);
    match id {
        Some(id) if zone.instant(local) == instant => (zone_parameter(id), value::format_local(local)),
        _ => (String::new(), value::format_utc(instant)),
    }
}

fn is_utc(tz: Tz) -> bool {
    matches!(tz, Tz::UTC | Tz::Etc__UTC | Tz::Etc__UCT | Tz::UCT | Tz::Zulu | Tz::Etc__Zulu | Tz::Universal)
}

fn put_text(patch: &mut Patch, name: &'static str, text: &str) {
    if text.is_empty() { patch.remove(name) } else { patch.set(name, "", &escape(text)) }
}

fn put_priority(patch: &mut Patch, kind: Kind, priority: Priority) {
    let (number, importance) = match priority {
        Priority::High => ("1", "2"),
        Priority::Normal => ("5", "1"),
        Priority::Low => ("9", "0"),
    };
    patch.set("PRIORITY", "", number);
    if kind == Kind::Appointment {
        patch.set("X-MICROSOFT-CDO-IMPORTANCE", "", importance);
    }
}

/// A task is done or not. An appointment that is done is shown as free, without a reminder; there is no way back.
fn put_completed(patch: &mut Patch, kind: Kind, completed: Option<Instant>) {
    match (kind, completed) {
        (Kind::Task, Some(at)) => {
            patch.set("STATUS", "", "COMPLETED");
            patch.set("COMPLETED", "", &value::format_utc(at));
            patch.set("PERCENT-COMPLETE", "", "100");
        }
        (Kind::Task, None) => {
            patch.set("STATUS", "", "NEEDS-ACTION");
            patch.remove("COMPLETED");
            patch.remove("PERCENT-COMPLETE");
        }
        (_, Some(_)) => {
            patch.set("TRANSP", "", "TRANSPARENT");
            patch.set("X-MICROSOFT-CDO-BUSYSTATUS", "", "FREE");
            patch.without_alarms = true;
        }
        (_, None) => {}
    }
}

/// The days of a task. Of one that is due on the day it starts only that day is written: a due date lies after the start.
fn put_days(patch: &mut Patch, period: Option<&Period>, zone: Tz) -> Result<(), WriteError> {
    patch.remove("DURATION");
    let (first, last) = match period {
        None => {
            patch.remove("DTSTART");
            patch.remove("DUE");
            return Ok(());
        }
        Some(Period::AllDay(days)) => (date(&days.start)?, date(&days.end)? - Days::new(1)),
        Some(Period::Timed(timed)) => {
            let day = |instant| Zone::Named(zone).local(instant).date();
            (day(timed.start), day(timed.end - 1))
        }
    };
    if first < last {
        patch.set("DTSTART", ";VALUE=DATE", &value::format_date(first));
    } else {
        patch.remove("DTSTART");
    }
    patch.set("DUE", ";VALUE=DATE", &value::format_date(last));
    Ok(())
}

fn date(text: &str) -> Result<NaiveDate, WriteError> {
    value::contract_date(text).ok_or_else(|| WriteError::Refused(format!("`{text}` is no date")))
}

fn stamp(patch: &mut Patch, now: Instant) {
    patch.set("DTSTAMP", "", &value::format_utc(now));
    patch.set("LAST-MODIFIED", "", &value::format_utc(now));
}

fn next_sequence(component: &Component) -> String {
    let sequence = component.text("SEQUENCE").and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    sequence.saturating_add(1).min(i32::MAX.unsigned_abs()).to_string()
}
