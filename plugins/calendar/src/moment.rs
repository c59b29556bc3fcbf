//! When something takes place: dates, times in zones, and how long.

use apptsync_plugin::calendar::LAST_INSTANT;
use apptsync_plugin::connector::{Kind, Window};
use apptsync_plugin::types::{AllDay, Instant, Period, Timed};
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use crate::component::Component;
use crate::error::Unreadable;
use crate::line::Property;
use crate::value::{self, Span, Written};
use crate::zone::{Definitions, Zone};

const DAY: i64 = 86_400;
/// What has no length gets a minute: a period of the contract ends after it starts.
const SHORTEST: i64 = 60;

/// How times that do not say their zone are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reckoning<'a> {
    pub(crate) definitions: &'a Definitions,
    /// Of what has no zone, and of zones that nobody knows.
    pub(crate) zone: Tz,
}

/// A point in time as an item writes it.
#[derive(Debug, Clone)]
pub(crate) enum Moment {
    Date(NaiveDate),
    Time { local: NaiveDateTime, zone: Zone, style: Style },
}

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Style {
    Utc,
    Floating,
    /// With this `TZID`.
    Zoned(String),
}

impl Moment {
    /// Reads one of the values of a property.
    pub(crate) fn read(property: &Property, value: &str, reckoning: &Reckoning<'_>) -> Option<Self> {
        Some(match value::date_or_time(value)? {
            Written::Date(date) => Self::Date(date),
            Written::Utc(local) => Self::Time { local, zone: Zone::Named(Tz::UTC), style: Style::Utc },
            Written::Local(local) => {
                let id = property.parameter("TZID").filter(|id| !id.is_empty());
                let zone = id.and_then(|id| reckoning.definitions.zone(id));
                let style = id.map_or(Style::Floating, |id| Style::Zoned(id.to_owned()));
                Self::Time { local, zone: zone.unwrap_or(Zone::Named(reckoning.zone)), style }
            }
        })
    }

    /// Its local time; midnight of a date.
    pub(crate) fn local(&self) -> NaiveDateTime {
        match self {
            Self::Date(date) => date.and_time(NaiveTime::MIN),
            Self::Time { local, .. } => *local,
        }
    }

    /// The same way of writing for another local time.
    pub(crate) fn at(&self, local: NaiveDateTime) -> Self {
        match self {
            Self::Date(_) => Self::Date(local.date()),
            Self::Time { zone, style, .. } => Self::Time { local, zone: zone.clone(), style: style.clone() },
        }
    }

    /// The same way of writing for some seconds after a local time; in UTC where the local time would be taken for another
    /// instant: in the hour that the clock shows twice.
    fn later(&self, local: NaiveDateTime, seconds: i64) -> Option<Self> {
        let Self::Time { zone, .. } = self else { return Some(self.at(value::shifted(local, seconds)?)) };
        let instant = zone.instant(local).checked_add(seconds)?;
        let later = self.at(zone.local(instant));
        if later.instant() == instant {
            return Some(later);
        }
        let utc = Zone::Named(Tz::UTC);
        Some(Self::Time { local: utc.local(instant), zone: utc, style: Style::Utc })
    }

    /// Its instant; midnight in UTC of a date.
    pub(crate) fn instant(&self) -> Instant {
        match self {
            Self::Date(date) => value::instant(date.and_time(NaiveTime::MIN)),
            Self::Time { local, zone, .. } => zone.instant(*local),
        }
    }

    /// Where the series of another moment would put what this one says, in that one's local time.
    pub(crate) fn local_as(&self, other: &Self) -> NaiveDateTime {
        match (self, other) {
            (Self::Date(date), Self::Date(_)) => date.and_time(NaiveTime::MIN),
            // A whole day of a series with times: what takes place on that day.
            (Self::Date(date), Self::Time { local, .. }) => date.and_time(local.time()),
            (Self::Time { local, .. }, Self::Date(_)) => local.date().and_time(NaiveTime::MIN),
            (Self::Time { .. }, Self::Time { zone, .. }) => zone.local(self.instant()),
        }
    }

    /// The day that it lies on: in its own zone or, of UTC, in the reader's.
    fn day(&self, reckoning: &Reckoning<'_>) -> NaiveDate {
        match self {
            Self::Date(date) => *date,
            Self::Time { style: Style::Utc, .. } => Zone::Named(reckoning.zone).local(self.instant()).date(),
            Self::Time { local, .. } => local.date(),
        }
    }
}

/// How long something takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// Whole days, at least one.
    Days(u64),
    Seconds(i64),
    /// As a `DURATION` says: days that are as long as the calendar makes them, and seconds.
    Nominal(Span),
}

/// When a component takes place.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    pub(crate) start: Moment,
    pub(crate) length: Length,
}

impl Times {
    /// Reads the times of a component. None of a task without a date.
    ///
    /// # Errors
    ///
    /// An appointment without a start, or a date that cannot be read.
    pub(crate) fn read(
        component: &Component,
        kind: Kind,
        reckoning: &Reckoning<'_>,
    ) -> Result<Option<Self>, Unreadable> {
        let moment = |name: &'static str| match component.first(name) {
            Some(property) => {
                Moment::read(property, &property.value, reckoning).map(Some).ok_or(Unreadable::Value(name))
            }
            None => Ok(None),
        };
        let duration = match component.first("DURATION") {
            Some(property) => Some(value::duration(&property.value).ok_or(Unreadable::Value("DURATION"))?),
            None => None,
        };
        if kind == Kind::Task {
            return Ok(task_times(moment("DTSTART")?, moment("DUE")?, duration, reckoning));
        }
        let start = moment("DTSTART")?.ok_or(Unreadable::NoStart)?;
        let end = moment("DTEND")?;
        if component.says("X-MICROSOFT-CDO-ALLDAYEVENT", "TRUE")
            && let Some(days) = whole_days(&start, end.as_ref())
        {
            return Ok(Some(days));
        }
        let length = length(&start, end.as_ref(), duration);
        Ok(Some(Self { start, length }))
    }

    /// When an occurrence takes place that begins at that local time.
    ///
    /// # Errors
    ///
    /// It lies outside of the contract's years.
    pub(crate) fn period(&self, local: NaiveDateTime) -> Result<Period, Unreadable> {
        let outside = || Unreadable::Value("DTSTART");
        match &self.start {
            Moment::Date(_) => {
                let end = self.end(local).ok_or_else(outside)?.local().date();
                let in_range =
                    |date: NaiveDate| (0..=LAST_INSTANT).contains(&value::instant(date.and_time(NaiveTime::MIN)));
                if !in_range(local.date()) || !in_range(end) {
                    return Err(outside());
                }
                let date = value::format_contract_date;
                Ok(Period::AllDay(AllDay { start: date(local.date()), end: date(end) }))
            }
            Moment::Time { .. } => {
                let (start, end) = (self.start.at(local).instant(), self.end(local).ok_or_else(outside)?.instant());
                let end = end.max(start + SHORTEST);
                if start < 0 || end > LAST_INSTANT {
                    return Err(outside());
                }
                Ok(Period::Timed(Timed { start, end }))
            }
        }
    }

    /// Where an occurrence ends that begins at that local time.
    pub(crate) fn end(&self, local: NaiveDateTime) -> Option<Moment> {
        match (self.length, &self.start) {
            (Length::Days(days), start) => Some(start.at(local.checked_add_days(Days::new(days))?)),
            (Length::Seconds(seconds), start) => start.later(local, seconds),
            (Length::Nominal(span), start) => start.later(span.days_after(local)?, span.seconds),
        }
    }

    /// At least as long, in seconds.
    pub(crate) fn at_most_seconds(&self) -> i64 {
        match self.length {
            Length::Days(days) => i64::try_from(days).unwrap_or(i64::MAX / DAY).saturating_mul(DAY),
            Length::Seconds(seconds) => seconds,
            Length::Nominal(span) => span.days * DAY + span.seconds + DAY,
        }
        .clamp(0, LAST_INSTANT)
    }
}

fn length(start: &Moment, end: Option<&Moment>, duration: Option<Span>) -> Length {
    let days = |days: i64| Length::Days(u64::try_from(days).unwrap_or(0).max(1));
    match (start, end, duration) {
        (Moment::Date(start), Some(end), _) => {
            let last = end.local();
            // What ends within a day takes that day too.
            let end = last.date() + Days::new(u64::from(last.time() > NaiveTime::MIN));
            days((end - *start).num_days())
        }
        (Moment::Date(_), None, Some(span)) => days(span.days + span.seconds.div_euclid(DAY)),
        (Moment::Date(_), None, None) => Length::Days(1),
        (Moment::Time { .. }, Some(end @ Moment::Time { .. }), _) => {
            Length::Seconds((end.instant() - start.instant()).max(0))
        }
        (Moment::Time { zone, .. }, Some(Moment::Date(end)), _) => {
            Length::Seconds((zone.instant(end.and_time(NaiveTime::MIN)) - start.instant()).max(0))
        }
        (Moment::Time { .. }, None, Some(span)) if span.days >= 0 && span.seconds >= 0 => Length::Nominal(span),
        (Moment::Time { .. }, None, _) => Length::Seconds(0),
    }
}

/// What Exchange writes for whole days where it does not write dates: from midnight to midnight.
fn whole_days(start: &Moment, end: Option<&Moment>) -> Option<Times> {
    let midnight = |moment: &Moment| match moment {
        Moment::Time { local, style, .. } => {
            (local.time() == NaiveTime::MIN && *style != Style::Utc).then_some(local.date())
        }
        Moment::Date(_) => None,
    };
    let (first, after) = (midnight(start)?, midnight(end?)?);
    let days = u64::try_from((after - first).num_days()).ok().filter(|days| *days > 0)?;
    Some(Times { start: Moment::Date(first), length: Length::Days(days) })
}

/// A task takes whole days: from the day it starts to the day it is due.
fn task_times(
    start: Option<Moment>,
    due: Option<Moment>,
    duration: Option<Span>,
    reckoning: &Reckoning<'_>,
) -> Option<Times> {
    let first = start.as_ref().or(due.as_ref())?.clone();
    let last = match (&due, duration) {
        (Some(due), _) => due.day(reckoning),
        (None, Some(span)) => {
            let end = Times { start: first.clone(), length: Length::Nominal(span) }.end(first.local());
            end.map_or(first.day(reckoning), |end| end.day(reckoning))
        }
        (None, None) => first.day(reckoning),
    };
    let days = (last - first.day(reckoning)).num_days() + 1;
    // Due before it starts: the day that it is due is what counts.
    let first = if days < 1 { due.unwrap_or(first) } else { first };
    Some(Times { start: first, length: Length::Days(u64::try_from(days).unwrap_or(0).max(1)) })
}

/// The whole days of a task's occurrence that begins at that local time.
///
/// # Errors
///
/// It lies outside of the contract's years.
pub(crate) fn task_days(times: &Times, local: NaiveDateTime, reckoning: &Reckoning<'_>) -> Result<Period, Unreadable> {
    let start = Moment::Date(times.start.at(local).day(reckoning));
    let first = start.local();
    Times { start, length: times.length }.period(first)
}

/// Whether something takes place in a window, as seen in a zone.
pub(crate) fn intersects(period: &Period, window: &Window, zone: Tz) -> bool {
    instants(period, zone).is_some_and(|(start, end)| start < window.end && end > window.start)
}

/// When a period starts and ends, its days taken in a zone. None for days that are none.
#[must_use]
pub fn instants(period: &Period, zone: Tz) -> Option<(Instant, Instant)> {
    let midnight =
        |date: &str| value::contract_date(date).map(|date| Zone::Named(zone).instant(date.and_time(NaiveTime::MIN)));
    match period {
        Period::Timed(timed) => Some((timed.start, timed.end)),
        Period::AllDay(days) => midnight(&days.start).zip(midnight(&days.end)),
    }
}
