//! `patternedRecurrence`: the six patterns and three ranges, and the dates that they give.

use chrono::{Datelike as _, Days, Months, NaiveDate, Weekday};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::GraphError;

/// A recurrence, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recurrence {
    pattern: Pattern,
    interval: u32,
    /// As sent or defaulted, for reading back.
    week_start: Weekday,
    pub(crate) start: NaiveDate,
    end: End,
    /// Windows name of the range's zone.
    zone: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Daily,
    Weekly { days: Vec<Weekday> },
    AbsoluteMonthly { day: u32 },
    RelativeMonthly { days: Vec<Weekday>, index: Index },
    AbsoluteYearly { day: u32, month: u32 },
    RelativeYearly { days: Vec<Weekday>, index: Index, month: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Index {
    #[default]
    First,
    Second,
    Third,
    Fourth,
    Last,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Never,
    On(NaiveDate),
    After(u32),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    pattern: WrittenPattern,
    range: WrittenRange,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPattern {
    r#type: String,
    #[serde(default)]
    interval: u32,
    #[serde(default)]
    month: Option<u32>,
    #[serde(default)]
    day_of_month: Option<u32>,
    #[serde(default)]
    days_of_week: Option<Vec<String>>,
    #[serde(default)]
    first_day_of_week: Option<String>,
    #[serde(default)]
    index: Option<Index>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenRange {
    r#type: String,
    start_date: NaiveDate,
    #[serde(default)]
    end_date: Option<NaiveDate>,
    #[serde(default)]
    recurrence_time_zone: Option<String>,
    #[serde(default)]
    number_of_occurrences: Option<u32>,
}

fn weekday(text: &str) -> Result<Weekday, GraphError> {
    text.parse().map_err(|_| GraphError::invalid_property(format!("'{text}' is no day of the week.")))
}

fn weekday_name(day: Weekday) -> &'static str {
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][day.num_days_from_monday() as usize]
}

impl Recurrence {
    /// Checks what a client wrote; `zone` is the Windows name that counts where the range names none.
    ///
    /// # Errors
    /// 400 where it is no `patternedRecurrence`, or one that Exchange does not have.
    pub(crate) fn parse(value: &Value, zone: &str) -> Result<Self, GraphError> {
        let written: Written = serde_json::from_value(value.clone())
            .map_err(|error| GraphError::new(400, "RequestBodyRead", format!("recurrence: {error}")))?;
        let missing =
            |what: &str| GraphError::invalid_property(format!("recurrence.{what} is missing or out of range."));
        let WrittenPattern { r#type, interval, month, day_of_month, days_of_week, first_day_of_week, index } =
            written.pattern;
        let days = days_of_week.unwrap_or_default().iter().map(|day| weekday(day)).collect::<Result<Vec<_>, _>>()?;
        let some_days = || if days.is_empty() { Err(missing("pattern.daysOfWeek")) } else { Ok(days.clone()) };
        let day = || day_of_month.filter(|day| (1..=31).contains(day)).ok_or_else(|| missing("pattern.dayOfMonth"));
        let month = || month.filter(|month| (1..=12).contains(month)).ok_or_else(|| missing("pattern.month"));
        let pattern = match r#type.as_str() {
            "daily" => Pattern::Daily,
            "weekly" => {
                if first_day_of_week.is_none() {
                    return Err(missing("pattern.firstDayOfWeek"));
                }
                Pattern::Weekly { days: some_days()? }
            }
            "absoluteMonthly" => Pattern::AbsoluteMonthly { day: day()? },
            "relativeMonthly" => Pattern::RelativeMonthly { days: some_days()?, index: index.unwrap_or_default() },
            "absoluteYearly" => Pattern::AbsoluteYearly { day: day()?, month: month()? },
            "relativeYearly" => {
                Pattern::RelativeYearly { days: some_days()?, index: index.unwrap_or_default(), month: month()? }
            }
            other => return Err(GraphError::invalid_property(format!("'{other}' is no recurrence pattern."))),
        };
        if interval == 0 || interval > 999 {
            return Err(missing("pattern.interval"));
        }
        let range = written.range;
        let end = match range.r#type.as_str() {
            "noEnd" => End::Never,
            "endDate" => {
                let end =
                    range.end_date.filter(|end| *end >= range.start_date).ok_or_else(|| missing("range.endDate"))?;
                End::On(end)
            }
            "numbered" => {
                let number = range.number_of_occurrences.filter(|number| (1..=999).contains(number));
                End::After(number.ok_or_else(|| missing("range.numberOfOccurrences"))?)
            }
            other => return Err(GraphError::invalid_property(format!("'{other}' is no recurrence range."))),
        };
        let zone = match range.recurrence_time_zone.filter(|zone| !zone.is_empty()) {
            Some(zone) => crate::zone::Zone::parse(&zone)?.windows(),
            None => zone.into(),
        };
        // What Exchange can store; later dates would also leave the calendar of chrono.
        if !(1601..=4500).contains(&range.start_date.year()) {
            return Err(missing("range.startDate"));
        }
        let week_start = first_day_of_week.map_or(Ok(Weekday::Sun), |day| weekday(&day))?;
        let recurrence = Self { pattern, interval, week_start, start: range.start_date, end, zone };
        if recurrence.dates(range.start_date + Months::new(12 * 1000)).next().is_none() {
            return Err(GraphError::invalid_property("The recurrence has no occurrences."));
        }
        Ok(recurrence)
    }

    /// As Graph writes it: all properties, with `0001-01-01` for an end that there is not.
    pub(crate) fn json(&self) -> Value {
        let mut pattern = json!({
            "type": "", "interval": self.interval, "month": 0, "dayOfMonth": 0,
            "firstDayOfWeek": weekday_name(self.week_start), "index": "first",
        });
        let fields: Map<String, Value> = match &self.pattern {
            Pattern::Daily => object(json!({"type": "daily"})),
            Pattern::Weekly { days } => object(json!({"type": "weekly", "daysOfWeek": names(days)})),
            Pattern::AbsoluteMonthly { day } => object(json!({"type": "absoluteMonthly", "dayOfMonth": day})),
            Pattern::RelativeMonthly { days, index } => {
                object(json!({"type": "relativeMonthly", "daysOfWeek": names(days), "index": index.name()}))
            }
            Pattern::AbsoluteYearly { day, month } => {
                object(json!({"type": "absoluteYearly", "dayOfMonth": day, "month": month}))
            }
            Pattern::RelativeYearly { days, index, month } => object(
                json!({"type": "relativeYearly", "daysOfWeek": names(days), "index": index.name(), "month": month}),
            ),
        };
        for (name, value) in fields {
            pattern[name] = value;
        }
        let (kind, end, number) = match self.end {
            End::Never => ("noEnd", "0001-01-01".into(), 0),
            End::On(end) => ("endDate", end.to_string(), 0),
            End::After(number) => ("numbered", "0001-01-01".into(), number),
        };
        json!({"pattern": pattern, "range": {
            "type": kind, "startDate": self.start.to_string(), "endDate": end,
            "recurrenceTimeZone": self.zone, "numberOfOccurrences": number,
        }})
    }

    /// The dates of the series' occurrences, in order, none after `until`.
    pub(crate) fn dates(&self, until: NaiveDate) -> impl Iterator<Item = NaiveDate> + '_ {
        let until = match self.end {
            End::On(end) => end.min(until),
            _ => until,
        };
        let count = match self.end {
            End::After(number) => number as usize,
            _ => usize::MAX,
        };
        (0..)
            .map_while(move |step| self.period(step).filter(|period| *period <= until))
            .flat_map(move |period| self.in_period(period))
            .skip_while(move |date| *date < self.start)
            .take_while(move |date| *date <= until)
            .take(count)
    }

    /// The first day of the n-th day, week, month or year of the pattern.
    fn period(&self, step: u32) -> Option<NaiveDate> {
        let steps = step.checked_mul(self.interval)?;
        let months = |first: NaiveDate, by: u32| first.checked_add_months(Months::new(by));
        match &self.pattern {
            Pattern::Daily => self.start.checked_add_days(Days::new(u64::from(steps))),
            Pattern::Weekly { .. } => {
                self.start.week(self.week_start).first_day().checked_add_days(Days::new(7 * u64::from(steps)))
            }
            Pattern::AbsoluteMonthly { .. } | Pattern::RelativeMonthly { .. } => months(self.start.with_day(1)?, steps),
            Pattern::AbsoluteYearly { month, .. } | Pattern::RelativeYearly { month, .. } => {
                months(NaiveDate::from_ymd_opt(self.start.year(), *month, 1)?, steps.checked_mul(12)?)
            }
        }
    }

    fn in_period(&self, first: NaiveDate) -> Vec<NaiveDate> {
        match &self.pattern {
            Pattern::Daily => vec![first],
            Pattern::Weekly { days } => first.iter_days().take(7).filter(|day| days.contains(&day.weekday())).collect(),
            // A month without the day has the occurrence on its last day.
            Pattern::AbsoluteMonthly { day } | Pattern::AbsoluteYearly { day, .. } => {
                (28..=*day).rev().chain([*day]).find_map(|day| first.with_day(day)).into_iter().collect()
            }
            // Several days mean the first (… last) day that is one of them.
            Pattern::RelativeMonthly { days, index } | Pattern::RelativeYearly { days, index, .. } => {
                let month = first.month();
                let mut fitting = first
                    .iter_days()
                    .take_while(|day| day.month() == month)
                    .filter(|day| days.contains(&day.weekday()));
                let found = match index {
                    Index::First => fitting.next(),
                    Index::Second => fitting.nth(1),
                    Index::Third => fitting.nth(2),
                    Index::Fourth => fitting.nth(3),
                    Index::Last => fitting.last(),
                };
                found.into_iter().collect()
            }
        }
    }
}

impl Index {
    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
            Self::Fourth => "fourth",
            Self::Last => "last",
        }
    }
}

fn names(days: &[Weekday]) -> Vec<&'static str> {
    days.iter().map(|day| weekday_name(*day)).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(pattern: Value, range: Value) -> Vec<String> {
        let recurrence = Recurrence::parse(&json!({"pattern": pattern, "range": range}), "UTC").unwrap();
        recurrence.dates("2030-01-01".parse().unwrap()).take(5).map(|date| date.to_string()).collect()
    }

    #[test]
    fn each_pattern_gives_its_dates() {
        let from = |start: &str| json!({"type": "noEnd", "startDate": start});
        assert_eq!(
            dates(
                json!({"type": "daily", "interval": 2}),
                json!({"type": "numbered", "startDate": "2026-01-30", "numberOfOccurrences": 3})
            ),
            ["2026-01-30", "2026-02-01", "2026-02-03"]
        );
        let weekly =
            json!({"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "sunday"], "firstDayOfWeek": "monday"});
        assert_eq!(
            dates(weekly, from("2026-01-07")),
            ["2026-01-11", "2026-01-19", "2026-01-25", "2026-02-02", "2026-02-08"]
        );
        assert_eq!(
            dates(json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}), from("2026-01-15")),
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]
        );
        let first_weekday = json!({"type": "relativeMonthly", "interval": 1, "index": "first",
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"]});
        assert_eq!(
            dates(first_weekday, json!({"type": "endDate", "startDate": "2026-01-01", "endDate": "2026-03-15"})),
            ["2026-01-01", "2026-02-02", "2026-03-02"]
        );
        assert_eq!(
            dates(json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2}), from("2026-03-01")),
            ["2027-02-28", "2028-02-29", "2029-02-28"]
        );
        assert_eq!(
            dates(
                json!({"type": "relativeYearly", "interval": 1, "index": "last", "daysOfWeek": ["sunday"], "month": 3}),
                from("2026-01-01")
            ),
            ["2026-03-29", "2027-03-28", "2028-03-26", "2029-03-25"]
        );
    }

    #[test]
    fn ends_that_are_not_there_read_as_year_one() {
        let value = json!({"pattern": {"type": "daily", "interval": 1}, "range": {"type": "numbered", "startDate": "2026-01-30", "numberOfOccurrences": 3}});
        let read = Recurrence::parse(&value, "UTC").unwrap().json();
        assert_eq!(read["range"]["endDate"], "0001-01-01");
        assert!(
            Recurrence::parse(&json!({"pattern": {"type": "hourly", "interval": 1}, "range": value["range"]}), "UTC")
                .is_err()
        );
    }
}
