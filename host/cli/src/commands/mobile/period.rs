//! When an appointment takes place, as flags: two points in time, or two dates for whole days.

use apptsync_model::{Instant, Period};
use chrono::{LocalResult, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use clap::Args;

use crate::context::UsageError;

/// Start and end of an appointment.
#[derive(Debug, Args)]
pub struct PeriodArguments {
    /// Start: an instant such as 2026-12-01T09:00:00Z, a local time such as 2026-12-01T10:00, or the first of whole days
    #[arg(long, value_name = "TIME|DATE", value_parser = moment)]
    start: Moment,
    /// End: an instant, a local time, or the day after the last of whole days
    #[arg(long, value_name = "TIME|DATE", value_parser = moment)]
    end: Moment,
}

/// A start or an end as people write it.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) enum Moment {
    Instant(Instant),
    /// By the clock of a zone that is still to be said.
    Local(NaiveDateTime),
    Day(NaiveDate),
}

/// Reads an instant, a local time or a date.
pub(in crate::commands) fn moment(text: &str) -> Result<Moment, String> {
    // The same years as for instants, which the import takes.
    let in_range = |day: NaiveDate| (1970..=9999).contains(&chrono::Datelike::year(&day));
    if let Ok(day) = text.parse::<NaiveDate>() {
        return if in_range(day) {
            Ok(Moment::Day(day))
        } else {
            Err(format!("`{text}` is not a date of the years 1970 to 9999"))
        };
    }
    let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let local = local.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    if let Some(local) = local.filter(|local| in_range(local.date())) {
        return Ok(Moment::Local(local));
    }
    text.parse()
        .map(Moment::Instant)
        .map_err(|error| format!("{error}, a local time as 2026-12-01T10:00, or a date as 2026-12-01 for whole days"))
}

impl Moment {
    /// With the zone said that its local time is of. Of two instants with the same local time it is the first.
    fn of_zone(self, zone: Tz) -> Result<Self, UsageError> {
        let Self::Local(local) = self else { return Ok(self) };
        match zone.from_local_datetime(&local) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
                Ok(Self::Instant(Instant(instant.timestamp())))
            }
            LocalResult::None => {
                let message =
                    format!("{} does not exist in {zone}: the clock jumps over it", local.format("%Y-%m-%d %H:%M"));
                Err(UsageError(message))
            }
        }
    }
}

/// The period between two moments, local times in the zone, if it is one.
pub(in crate::commands) fn between(start: Moment, end: Moment, zone: Tz) -> Result<Period, UsageError> {
    let (period, is_forward) = match (start.of_zone(zone)?, end.of_zone(zone)?) {
        (Moment::Instant(start), Moment::Instant(end)) => (Period::Timed { start, end }, start < end),
        (Moment::Day(start), Moment::Day(end)) => (Period::AllDay { start, end }, start < end),
        _ => {
            let message = "--start and --end are a time and a date: give two times, or two dates for whole days";
            return Err(UsageError(message.into()));
        }
    };
    if is_forward {
        return Ok(period);
    }
    Err(UsageError(match period {
        Period::Timed { .. } => "--end must lie after --start".into(),
        Period::AllDay { .. } => "--end must lie after --start: for whole days it is the day after the last".into(),
    }))
}

impl PeriodArguments {
    /// The period, local times in the zone, if it is one.
    pub(super) fn period(&self, zone: Tz) -> Result<Period, UsageError> {
        between(self.start, self.end, zone)
    }
}

/// Start and end as the feed has them.
pub(super) fn texts(period: &Period) -> (String, String) {
    match period {
        Period::Timed { start, end } => (start.to_string(), end.to_string()),
        Period::AllDay { start, end } => (start.to_string(), end.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(start: &str, end: &str) -> Result<(String, String), String> {
        let arguments = PeriodArguments { start: moment(start)?, end: moment(end)? };
        arguments.period(Tz::Europe__Warsaw).map(|period| texts(&period)).map_err(|error| error.0)
    }

    #[test]
    fn two_instants_or_two_dates_in_order() {
        let utc = ("2026-12-01T08:00:00Z".to_owned(), "2026-12-01T09:30:00Z".to_owned());
        assert_eq!(period("2026-12-01T09:00:00+01:00", "2026-12-01T09:30:00Z"), Ok(utc));
        assert_eq!(period("2026-12-01", "2026-12-02"), Ok(("2026-12-01".into(), "2026-12-02".into())));
        assert!(period("2026-12-01", "2026-12-01").is_err_and(|error| error.contains("the day after the last")));
        assert!(period("2026-12-01", "2026-12-01T09:30:00Z").is_err_and(|error| error.contains("a time and a date")));
        assert!(period("noon", "2026-12-01").is_err());
    }

    #[test]
    fn local_times_are_those_of_the_zone() {
        let utc = ("2026-12-01T08:00:00Z".to_owned(), "2026-12-01T09:30:00Z".to_owned());
        assert_eq!(period("2026-12-01T09:00", "2026-12-01T10:30:00"), Ok(utc.clone()));
        assert_eq!(period("2026-12-01T09:00", "2026-12-01T09:30:00Z"), Ok(utc));
        // The clock goes from 2 to 3 in the night to 29 March 2026, and back from 3 to 2 in that to 25 October.
        let jumped = period("2026-03-29T02:30", "2026-03-29T04:00");
        assert!(jumped.is_err_and(|error| error.contains("does not exist in Europe/Warsaw")));
        let twice = period("2026-10-25T02:30", "2026-10-25T04:00").expect("a period");
        assert_eq!(twice.0, "2026-10-25T00:30:00Z");
    }
}
