//! The instances of an event in a window: the event itself, or the occurrences and exceptions of a series.

use chrono::{DateTime, Days, NaiveDate, Utc};

use crate::error::GraphError;
use crate::event::{Event, Exception, Times};
use crate::zone::Zone;

/// Instants from the first (inclusive) to the second (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
}

/// An instance: a single event, or one day of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instance {
    /// When it begins.
    pub(crate) start: DateTime<Utc>,
    /// Its original date, for an instance of a series.
    pub(crate) date: Option<NaiveDate>,
    /// Changes when the instance does.
    pub(crate) version: u64,
}

impl Times {
    /// Begin and end as instants. All-day events are days in the mailbox's zone.
    pub(crate) fn span(&self, mailbox_zone: &Zone) -> Window {
        if self.all_day {
            Window { start: mailbox_zone.instant(self.start.local), end: mailbox_zone.instant(self.end.local) }
        } else {
            Window { start: self.start.instant(), end: self.end.instant() }
        }
    }
}

impl Window {
    /// Whether something lies in the window, at least in part; what has no length, at its instant.
    pub(crate) fn holds(&self, span: Window) -> bool {
        span.start < self.end && (span.end > self.start || (span.start == span.end && span.start >= self.start))
    }
}

impl Event {
    /// Whether it is the master of a series.
    pub(crate) fn is_master(&self) -> bool {
        self.recurrence.is_some()
    }

    /// The times of an instance.
    pub(crate) fn times_on(&self, date: Option<NaiveDate>) -> Times {
        match date {
            Some(date) => {
                self.exceptions.get(&date).map_or_else(|| self.times.on(date), |exception| exception.times.clone())
            }
            None => self.times.clone(),
        }
    }

    /// The instances that lie in the window, by their beginning.
    pub(crate) fn instances(&self, window: Window, mailbox_zone: &Zone) -> Vec<Instance> {
        let Some(recurrence) = &self.recurrence else {
            let span = self.times.span(mailbox_zone);
            let instance = Instance { start: span.start, date: None, version: self.change };
            return window.holds(span).then_some(instance).into_iter().collect();
        };
        // No zone is more than a day ahead.
        let last = window.end.date_naive() + Days::new(1);
        let regular = recurrence
            .dates(last)
            .filter(|date| !self.cancelled.contains(date) && !self.exceptions.contains_key(date))
            .map(|date| (date, self.times.on(date).span(mailbox_zone), self.own_change));
        let moved = self.exceptions.iter().map(|(date, exception)| {
            (*date, exception.times.span(mailbox_zone), exception.change.max(self.own_change))
        });
        let mut found: Vec<Instance> = regular
            .chain(moved)
            .filter(|(_, span, _)| window.holds(*span))
            .map(|(date, span, version)| Instance { start: span.start, date: Some(date), version })
            .collect();
        found.sort_unstable();
        found
    }

    /// Whether the series has an instance with this original date.
    pub(crate) fn has_date(&self, date: NaiveDate) -> bool {
        let recurs = self.recurrence.as_ref().is_some_and(|recurrence| recurrence.dates(date).last() == Some(date));
        recurs && !self.cancelled.contains(&date)
    }

    /// The exception of a date, made of the occurrence if it is not one yet.
    pub(crate) fn exception(&mut self, date: NaiveDate) -> &mut Exception {
        let times = self.times.on(date);
        let (content, extended) = (&self.content, &self.extended);
        self.exceptions.entry(date).or_insert_with(|| Exception {
            change: 0,
            content: content.clone(),
            times,
            extended: extended.clone(),
        })
    }

    /// Refuses to move an instance to the day of a neighbour, or past one.
    ///
    /// # Errors
    /// 400 `ErrorOccurrenceCrossingBoundary`.
    pub(crate) fn check_boundaries(&self, date: NaiveDate, moved: &Times) -> Result<(), GraphError> {
        let Some(recurrence) = &self.recurrence else { return Ok(()) };
        let far = date + Days::new(370 * 999);
        let alive = |other: &NaiveDate| !self.cancelled.contains(other);
        let before = recurrence.dates(date).filter(|other| *other < date).filter(alive).last();
        let after = recurrence.dates(far).find(|other| *other > date && alive(other));
        let day = moved.start.local.date();
        let day_of = |other: NaiveDate| self.times_on(Some(other)).start.local.date();
        if before.is_some_and(|other| day <= day_of(other)) || after.is_some_and(|other| day >= day_of(other)) {
            return Err(GraphError::new(
                400,
                "ErrorOccurrenceCrossingBoundary",
                "Modified occurrence is crossing or overlapping adjacent occurrence.",
            ));
        }
        Ok(())
    }

    /// Forgets what no longer belongs to the series, after its pattern changed.
    pub(crate) fn reset_series(&mut self) {
        self.exceptions.clear();
        self.cancelled.clear();
        if let Some(first) = self.recurrence.as_ref().and_then(|recurrence| recurrence.dates(NaiveDate::MAX).next()) {
            self.times = self.times.on(first);
        }
    }
}
