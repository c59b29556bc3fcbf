//! When an appointment takes place, as flags: two instants, or two dates for whole days.

use apptsync_model::{Instant, Period};
use chrono::NaiveDate;
use clap::Args;

use crate::context::UsageError;

/// Start and end of an appointment.
#[derive(Debug, Args)]
pub struct PeriodArguments {
    /// Start: an instant such as 2026-12-01T09:00:00Z, or the first of whole days
    #[arg(long, value_name = "INSTANT|DATE", value_parser = moment)]
    start: Moment,
    /// End: an instant, or the day after the last of whole days
    #[arg(long, value_name = "INSTANT|DATE", value_parser = moment)]
    end: Moment,
}

#[derive(Debug, Clone, Copy)]
enum Moment {
    Instant(Instant),
    Day(NaiveDate),
}

fn moment(text: &str) -> Result<Moment, String> {
    match text.parse::<NaiveDate>() {
        // The same years as for instants, which the import takes.
        Ok(day) if (1970..=9999).contains(&chrono::Datelike::year(&day)) => Ok(Moment::Day(day)),
        Ok(_) => Err(format!("`{text}` is not a date of the years 1970 to 9999")),
        Err(_) => text
            .parse()
            .map(Moment::Instant)
            .map_err(|error| format!("{error}, or a date as 2026-12-01 for whole days")),
    }
}

impl PeriodArguments {
    /// The period, if it is one.
    pub(super) fn period(&self) -> Result<Period, UsageError> {
        let (period, is_forward) = match (self.start, self.end) {
            (Moment::Instant(start), Moment::Instant(end)) => (Period::Timed { start, end }, start < end),
            (Moment::Day(start), Moment::Day(end)) => (Period::AllDay { start, end }, start < end),
            _ => {
                let message =
                    "--start and --end are an instant and a date: give two instants, or two dates for whole days";
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
        arguments.period().map(|period| texts(&period)).map_err(|error| error.0)
    }

    #[test]
    fn two_instants_or_two_dates_in_order() {
        let utc = ("2026-12-01T08:00:00Z".to_owned(), "2026-12-01T09:30:00Z".to_owned());
        assert_eq!(period("2026-12-01T09:00:00+01:00", "2026-12-01T09:30:00Z"), Ok(utc));
        assert_eq!(period("2026-12-01", "2026-12-02"), Ok(("2026-12-01".into(), "2026-12-02".into())));
        assert!(period("2026-12-01", "2026-12-01").is_err_and(|error| error.contains("the day after the last")));
        assert!(
            period("2026-12-01", "2026-12-01T09:30:00Z").is_err_and(|error| error.contains("an instant and a date"))
        );
        assert!(period("noon", "2026-12-01").is_err());
    }
}
