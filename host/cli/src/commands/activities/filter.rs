//! What the cockpit shows, as flags.

use std::str::FromStr;

use apptsync_model::{ActivityFilter, ActivityOrder, ActivityStatus, Instant, Priority};
use chrono::{NaiveDate, NaiveTime};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Which activities, and in which order. An activity must meet all flags; of a flag given more than once, any value will do.
#[derive(Debug, Clone, Default, Args)]
pub struct FilterArguments {
    /// Status; may be given more than once
    #[arg(long, value_parser = named(ActivityStatus::ALL, ActivityStatus::name))]
    pub status: Vec<ActivityStatus>,
    /// Kind; may be given more than once
    #[arg(long)]
    pub kind: Vec<String>,
    /// Priority; may be given more than once
    #[arg(long, value_parser = named(Priority::ALL, Priority::name))]
    pub priority: Vec<Priority>,
    /// Id of the customer (partner); may be given more than once
    #[arg(long)]
    pub customer: Vec<String>,
    /// Id of the representative; may be given more than once
    #[arg(long)]
    pub employee: Vec<String>,
    /// Sales channel; may be given more than once
    #[arg(long)]
    pub channel: Vec<String>,
    /// Starts at or after this: an instant such as 2026-12-01T09:00:00Z, or a date, which is its midnight in UTC
    #[arg(long, value_name = "INSTANT", value_parser = instant_or_date)]
    pub from: Option<Instant>,
    /// Starts before this: an instant or a date, as for --from
    #[arg(long, value_name = "INSTANT", value_parser = instant_or_date)]
    pub to: Option<Instant>,
    /// Text in number, subject, description or the customer's name, whatever the case
    #[arg(long)]
    pub text: Option<String>,
    /// Column to sort by
    #[arg(long, value_name = "COLUMN", default_value = "start", value_parser = named(ActivityOrder::ALL, ActivityOrder::name))]
    pub sort: ActivityOrder,
    /// The other way round
    #[arg(long)]
    pub descending: bool,
    /// At most so many; tables show 50 unless told, other outputs all
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

impl From<FilterArguments> for ActivityFilter {
    fn from(arguments: FilterArguments) -> Self {
        let FilterArguments {
            status,
            kind,
            priority,
            customer,
            employee,
            channel,
            from,
            to,
            text,
            sort: order,
            descending,
            limit,
        } = arguments;
        Self { status, kind, priority, customer, employee, channel, from, to, text, limit, order, descending }
    }
}

/// Takes the stable names of an enumeration of the model, and lists them in the help.
pub(in crate::commands) fn named<T>(
    values: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = String> + Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(values.iter().map(|value| name(*value))).try_map(|text| text.parse::<T>())
}

fn instant_or_date(text: &str) -> Result<Instant, String> {
    match text.parse::<NaiveDate>() {
        Ok(date) => Ok(Instant(date.and_time(NaiveTime::MIN).and_utc().timestamp())),
        Err(_) => text.parse::<Instant>().map_err(|error| format!("{error}, or a date as 2026-12-01")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_midnight_in_utc() {
        assert_eq!(instant_or_date("2026-12-01").map(|instant| instant.to_string()), Ok("2026-12-01T00:00:00Z".into()));
        assert_eq!(instant_or_date("2026-12-01T01:00:00+01:00"), instant_or_date("2026-12-01"));
        assert!(instant_or_date("tomorrow").is_err());
    }
}
