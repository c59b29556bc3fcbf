//! Series: their pattern, what is taken out of it, and what was moved or changed within it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use apptsync_plugin::calendar::LAST_INSTANT;
use apptsync_plugin::connector::{Kind, Window};
use apptsync_plugin::types::{Instant, Period};
use chrono::NaiveDateTime;

use crate::component::Component;
use crate::error::Unreadable;
use crate::line::Property;
use crate::moment::{Length, Moment, Reckoning, Times, task_days};
use crate::rule::Rule;
use crate::value::{self, Written};
use crate::zone::Zone;
use crate::{Effort, entry};

const DAY: i64 = 86_400;
/// The most dates of `RDATE` or `EXDATE` of a series that can be read.
const MOST_DATES: usize = 20_000;
/// The most rules of a series that can be read; it should have one.
const MOST_RULES: usize = 16;

/// What a series is made of.
#[derive(Debug)]
pub(crate) struct Pattern<'a> {
    kind: Kind,
    reckoning: Reckoning<'a>,
    master: Option<Master>,
    /// By their original starts.
    exceptions: BTreeMap<Instant, Exception>,
    /// Those of them that hold for all that follow.
    following: BTreeSet<Instant>,
}

/// The component that has the rules.
#[derive(Debug)]
struct Master {
    component: Component,
    times: Times,
    /// Its start as it is written, which may be a time where whole days are meant.
    written: Option<Moment>,
    rules: Vec<Rule>,
    excluding: Vec<Rule>,
    /// In local time, with how long they take where they say so themselves.
    dates: BTreeMap<NaiveDateTime, Option<Times>>,
    excluded: BTreeSet<Instant>,
}

/// A component with a `RECURRENCE-ID`.
#[derive(Debug)]
struct Exception {
    /// Where it stands in the calendar.
    index: usize,
    component: Component,
    times: Times,
    original: Moment,
    /// It holds for all that follow, too.
    is_for_following: bool,
}

/// An occurrence.
#[derive(Debug)]
pub(crate) struct Found<'p> {
    pub(crate) component: &'p Component,
    pub(crate) times: &'p Times,
    pub(crate) original_start: Instant,
    /// Where it begins, in the local time of its component.
    pub(crate) local: NaiveDateTime,
    pub(crate) is_exception: bool,
}

impl<'a> Pattern<'a> {
    /// Puts a series together of its component with rules and its exceptions with where they stand.
    ///
    /// # Errors
    ///
    /// A date or rule cannot be read.
    pub(crate) fn read(
        master: Option<Component>,
        exceptions: Vec<(usize, Component)>,
        kind: Kind,
        reckoning: Reckoning<'a>,
    ) -> Result<Self, Unreadable> {
        let master = match master {
            Some(component) => Some(Master::read(component, kind, &reckoning)?),
            None => None,
        };
        let mut pattern = Self { kind, reckoning, master, exceptions: BTreeMap::new(), following: BTreeSet::new() };
        for (index, component) in exceptions {
            let exception = pattern.exception(index, component)?;
            let at = pattern.original_start(&exception.original);
            // Of several the first counts.
            pattern.exceptions.entry(at).or_insert(exception);
        }
        let following = pattern.exceptions.iter().filter(|(_, exception)| exception.is_for_following);
        pattern.following = following.map(|(at, _)| *at).collect();
        Ok(pattern)
    }

    fn exception(&self, index: usize, component: Component) -> Result<Exception, Unreadable> {
        let unreadable = || Unreadable::Value("RECURRENCE-ID");
        let id = component.first("RECURRENCE-ID").ok_or_else(unreadable)?;
        let original = Moment::read(id, &id.value, &self.reckoning).ok_or_else(unreadable)?;
        let is_for_following = id.parameter("RANGE").is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
        let times = Times::read(&component, self.kind, &self.reckoning)?;
        // A task without a date takes place where the pattern puts it.
        let length = self.master.as_ref().map_or(Length::Days(1), |master| master.times.length);
        let times = times.unwrap_or_else(|| Times { start: original.clone(), length });
        Ok(Exception { index, component, times, original, is_for_following })
    }

    /// The instant of a `RECURRENCE-ID`, which need not be written the way the pattern is.
    fn original_start(&self, id: &Moment) -> Instant {
        match &self.master {
            Some(master) => master.times.start.at(id.local_as(&master.times.start)).instant(),
            None => id.instant(),
        }
    }

    /// Our id in the pattern.
    pub(crate) fn our_id(&self) -> Option<String> {
        self.master.as_ref().and_then(|master| entry::our_id(&master.component))
    }

    /// Who wrote the pattern last.
    pub(crate) fn writer(&self) -> Option<String> {
        self.master.as_ref().and_then(|master| entry::writer(&master.component))
    }

    /// When an occurrence takes place.
    pub(crate) fn period(&self, found: &Found<'_>) -> Result<Period, Unreadable> {
        match self.kind {
            Kind::Task => task_days(found.times, found.local, &self.reckoning),
            _ => found.times.period(found.local),
        }
    }

    /// How the pattern writes where it puts an occurrence. None where there is no pattern here.
    pub(crate) fn moment(&self, original_start: Instant) -> Option<Moment> {
        let master = self.master.as_ref()?;
        let start = &master.times.start;
        let local = local_of(start, original_start);
        Some(match (start, &master.written) {
            (Moment::Date(_), Some(written @ Moment::Time { local: first, .. })) => {
                written.at(local.date().and_time(first.time()))
            }
            _ => start.at(local),
        })
    }

    /// How the pattern writes where an occurrence ends that begins at a moment.
    pub(crate) fn end(&self, start: &Moment) -> Option<Moment> {
        self.master.as_ref()?.times.end(start.local())
    }

    /// Where the exception for an occurrence stands in the calendar.
    pub(crate) fn exception_index(&self, original_start: Instant) -> Option<usize> {
        self.exceptions.get(&original_start).map(|exception| exception.index)
    }

    /// Whether an occurrence is an exception that holds for all that follow, too.
    pub(crate) fn holds_for_following(&self, original_start: Instant) -> bool {
        self.following.contains(&original_start)
    }

    /// Whether the series has no occurrence at all.
    ///
    /// # Errors
    ///
    /// It takes too many steps to find out.
    pub(crate) fn is_empty(&self) -> Result<bool, Unreadable> {
        let Some(master) = self.master.as_ref().filter(|_| self.exceptions.is_empty()) else {
            return Ok(self.exceptions.is_empty());
        };
        if !master.rules.iter().all(Rule::ends) {
            return Ok(false);
        }
        let start = master.times.start.local().min(master.dates.keys().next().copied().unwrap_or(NaiveDateTime::MAX));
        let starts = master.starts(&(start..=NaiveDateTime::MAX), &mut Effort::new(Effort::SERIES))?;
        Ok(starts.is_empty())
    }

    /// All exceptions.
    pub(crate) fn exceptions(&self) -> impl Iterator<Item = Found<'_>> {
        self.exceptions.iter().map(|(original_start, exception)| exception.found(*original_start))
    }

    /// The occurrence that the pattern puts at an instant.
    pub(crate) fn at(&self, original_start: Instant) -> Result<Option<Found<'_>>, Unreadable> {
        if let Some(exception) = self.exceptions.get(&original_start) {
            return Ok(Some(exception.found(original_start)));
        }
        let Some(master) = &self.master else { return Ok(None) };
        let start = &master.times.start;
        let local = local_of(start, original_start);
        // What the clock jumps over is found before its instant's local time.
        let nearby = |seconds| value::shifted(local, seconds).unwrap_or(local);
        let starts = master.starts(&(nearby(-26 * 3_600)..=nearby(0)), &mut Effort::new(Effort::SERIES))?;
        let there = starts.into_iter().find(|local| start.at(*local).instant() == original_start);
        Ok(there.map(|local| self.generated(master, local, original_start)))
    }

    /// What may take place in a window, ascending by original start: exceptions wherever they lie, and what the pattern
    /// puts there. A little more than the window, and not much more than the contract allows.
    pub(crate) fn within(&self, window: &Window, effort: &mut Effort) -> Result<Vec<Found<'_>>, Unreadable> {
        let mut found: BTreeMap<Instant, Found<'_>> =
            self.exceptions().map(|found| (found.original_start, found)).collect();
        if let Some(master) = &self.master {
            let start = &master.times.start;
            // What follows an exception may be shifted against the pattern, and days are days in another zone.
            let margin = 2 * DAY + self.largest_shift();
            let longest = self.exceptions.values().map(|exception| exception.times.at_most_seconds());
            let length = longest.chain([master.times.at_most_seconds()]).max().unwrap_or(0);
            let first = local_of(start, (window.start - length - margin).max(0));
            let last = local_of(start, (window.end + margin).min(LAST_INSTANT));
            let mut own = Effort::new(Effort::SERIES);
            let starts = master.starts(&(first..=last), &mut own);
            effort.spend(Effort::SERIES - own.left());
            for local in starts? {
                let at = start.at(local).instant();
                found.entry(at).or_insert_with(|| self.generated(master, local, at));
            }
        }
        Ok(found.into_values().collect())
    }

    fn largest_shift(&self) -> i64 {
        let following = self.following.iter().filter_map(|at| self.exceptions.get(at));
        following.map(|exception| exception.shift().abs()).max().unwrap_or(0)
    }

    /// An occurrence by the pattern, or by the last exception before it that holds for all that follow.
    fn generated<'p>(&'p self, master: &'p Master, local: NaiveDateTime, original_start: Instant) -> Found<'p> {
        let before = self.following.range(..original_start).next_back();
        match before.and_then(|at| self.exceptions.get(at)) {
            Some(exception) => {
                let unshifted = master.times.start.at(local).local_as(&exception.times.start);
                let local = value::shifted(unshifted, exception.shift()).unwrap_or(unshifted);
                Found { local, original_start, ..exception.found(original_start) }.into_generated()
            }
            None => {
                Found { component: &master.component, times: &master.times, original_start, local, is_exception: false }
                    .with_own_times(master)
            }
        }
    }
}

impl<'p> Found<'p> {
    fn into_generated(self) -> Self {
        Self { is_exception: false, ..self }
    }

    /// A date of `RDATE` may say how long it takes.
    fn with_own_times(self, master: &'p Master) -> Self {
        match master.dates.get(&self.local) {
            Some(Some(times)) => Self { times, ..self },
            _ => self,
        }
    }
}

impl Exception {
    fn found(&self, original_start: Instant) -> Found<'_> {
        Found {
            component: &self.component,
            times: &self.times,
            original_start,
            local: self.times.start.local(),
            is_exception: true,
        }
    }

    /// By how many seconds it was moved.
    fn shift(&self) -> i64 {
        (self.times.start.local() - self.original.local_as(&self.times.start)).num_seconds()
    }
}

impl Master {
    fn read(component: Component, kind: Kind, reckoning: &Reckoning<'_>) -> Result<Self, Unreadable> {
        let times = Times::read(&component, kind, reckoning)?.ok_or(Unreadable::NoStart)?;
        let written = component.first("DTSTART").and_then(|start| Moment::read(start, &start.value, reckoning));
        let rules = |name: &'static str| {
            let read = |property: &Property| Rule::parse(&property.value).ok_or(Unreadable::Value(name));
            let rules = component.all(name).take(MOST_RULES + 1).map(read).collect::<Result<Vec<_>, _>>()?;
            if rules.len() > MOST_RULES { Err(Unreadable::Endless) } else { Ok(rules) }
        };
        let (rules, excluding) = (rules("RRULE")?, rules("EXRULE")?);
        let mut dates = BTreeMap::new();
        for_each_date(&component, "RDATE", |property, text| {
            let (start, end) = text.split_once('/').unwrap_or((text, ""));
            let start = Moment::read(property, start, reckoning)?;
            let length = length_of_period(&start, end, property, reckoning);
            let own = length.map(|length| Times { start: times.start.clone(), length });
            dates.insert(start.local_as(&times.start), own);
            Some(())
        })?;
        let mut excluded = BTreeSet::new();
        for_each_date(&component, "EXDATE", |property, text| {
            let local = Moment::read(property, text, reckoning)?.local_as(&times.start);
            excluded.insert(times.start.at(local).instant());
            Some(())
        })?;
        Ok(Self { component, times, written, rules, excluding, dates, excluded })
    }

    /// The local times in a range at which the series has an occurrence, ascending.
    fn starts(
        &self,
        range: &RangeInclusive<NaiveDateTime>,
        effort: &mut Effort,
    ) -> Result<BTreeSet<NaiveDateTime>, Unreadable> {
        let start = self.times.start.local();
        let mut starts: BTreeSet<NaiveDateTime> = self.dates.range(range.clone()).map(|(date, _)| *date).collect();
        if range.contains(&start) {
            starts.insert(start);
        }
        for rule in &self.rules {
            starts.extend(rule.starts(start, self.until(rule), range, effort)?);
        }
        for rule in &self.excluding {
            for excluded in rule.starts(start, self.until(rule), range, effort)? {
                starts.remove(&excluded);
            }
        }
        starts.retain(|start| !self.excluded.contains(&self.times.start.at(*start).instant()));
        Ok(starts)
    }

    /// Where a rule ends, in the local time of the series.
    fn until(&self, rule: &Rule) -> Option<NaiveDateTime> {
        rule.until.map(|until| match (until, &self.times.start) {
            (Written::Utc(utc), Moment::Time { zone, .. }) => zone.local(value::instant(utc)),
            (Written::Utc(time) | Written::Local(time), _) => time,
            (Written::Date(date), _) => date.and_hms_opt(23, 59, 59).unwrap_or_default(),
        })
    }
}

/// How long an `RDATE` takes that is a period, by its end or duration; none where it is a plain date.
fn length_of_period(start: &Moment, end: &str, property: &Property, reckoning: &Reckoning<'_>) -> Option<Length> {
    if let Some(span) = value::duration(end) {
        return Some(Length::Nominal(span));
    }
    let end = Moment::read(property, end, reckoning)?;
    Some(Length::Seconds((end.instant() - start.instant()).max(0)))
}

fn for_each_date(
    component: &Component,
    name: &'static str,
    mut read: impl FnMut(&Property, &str) -> Option<()>,
) -> Result<(), Unreadable> {
    let dates = component.all(name).flat_map(|property| property.value.split(',').map(move |date| (property, date)));
    for (count, (property, date)) in dates.filter(|(_, date)| !date.trim().is_empty()).enumerate() {
        if count == MOST_DATES {
            return Err(Unreadable::TooMany);
        }
        read(property, date).ok_or(Unreadable::Value(name))?;
    }
    Ok(())
}

/// The local time of an instant in the zone of a moment; of a date, that of UTC.
fn local_of(moment: &Moment, instant: Instant) -> NaiveDateTime {
    match moment {
        Moment::Date(_) => {
            Zone::Named(chrono_tz::Tz::UTC).local(instant).date().and_hms_opt(0, 0, 0).unwrap_or_default()
        }
        Moment::Time { zone, .. } => zone.local(instant),
    }
}
