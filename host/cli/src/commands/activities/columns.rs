//! The columns of the cockpit: their stable names, their headings, and what an activity has in each of them.

use std::borrow::Cow;
use std::collections::HashMap;

use apptsync_model::{Activity, Instant, MasterData, Period, local_date_time};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use clap::ValueEnum;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A column, by its name in JSON and CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Column {
    /// Number in the headquarters
    Id,
    /// Sales channel
    Channel,
    /// Id in Mobile
    SourceId,
    /// Number of the appointment
    Number,
    /// Number and name
    Subject,
    /// Status
    Status,
    /// Start time
    Start,
    /// End time
    End,
    /// Whole days
    AllDay,
    /// Kind, from the definition
    Kind,
    /// Priority, from the definition
    Priority,
    /// Partner
    Customer,
    /// Representative
    Employee,
    /// Description
    Description,
    /// When it was completed in Mobile
    CompletedOn,
    /// The employee who completed it
    CompletedBy,
    /// Where it was made
    Origin,
    /// Canceled
    Canceled,
}

/// All columns, in the order of the documented JSON.
pub(super) const ALL: [Column; 18] = [
    Column::Id,
    Column::Channel,
    Column::SourceId,
    Column::Number,
    Column::Subject,
    Column::Status,
    Column::Start,
    Column::End,
    Column::AllDay,
    Column::Kind,
    Column::Priority,
    Column::Customer,
    Column::Employee,
    Column::Description,
    Column::CompletedOn,
    Column::CompletedBy,
    Column::Origin,
    Column::Canceled,
];

/// The columns of a table, unless others are chosen.
pub(super) const TABLE: [Column; 8] = [
    Column::Id,
    Column::Status,
    Column::Start,
    Column::End,
    Column::Subject,
    Column::Kind,
    Column::Customer,
    Column::Employee,
];

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// A value with a stable name and a label for people.
    Named { name: &'static str, label: &'static str },
    /// An id and the name that goes with it.
    Entry { id: &'a str, name: &'a str },
    /// Yes or no.
    Flag(bool),
    /// An instant.
    Instant(Instant),
    /// The first day of whole days.
    FirstDay(NaiveDate),
    /// The day after the last of whole days.
    DayAfter(NaiveDate),
}

impl Column {
    /// The stable name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Channel => "channel",
            Self::SourceId => "source_id",
            Self::Number => "number",
            Self::Subject => "subject",
            Self::Status => "status",
            Self::Start => "start",
            Self::End => "end",
            Self::AllDay => "all_day",
            Self::Kind => "kind",
            Self::Priority => "priority",
            Self::Customer => "customer",
            Self::Employee => "employee",
            Self::Description => "description",
            Self::CompletedOn => "completed_on",
            Self::CompletedBy => "completed_by",
            Self::Origin => "origin",
            Self::Canceled => "canceled",
        }
    }

    /// The heading for people.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Id => "Activity",
            Self::Channel => "Sales channel",
            Self::SourceId => "Id in Mobile",
            Self::Number => "Number",
            Self::Subject => "Subject",
            Self::Status => "Status",
            Self::Start => "Start time",
            Self::End => "End time",
            Self::AllDay => "All day",
            Self::Kind => "Kind",
            Self::Priority => "Priority",
            Self::Customer => "Customer",
            Self::Employee => "Employee",
            Self::Description => "Description",
            Self::CompletedOn => "Completed on",
            Self::CompletedBy => "Completed by",
            Self::Origin => "Origin",
            Self::Canceled => "Canceled",
        }
    }

    /// What an activity has in this column.
    pub(super) fn cell(self, activity: &Activity) -> Cell<'_> {
        let text = |text| Cell::Text(Cow::Borrowed(text));
        match self {
            Self::Id => Cell::Text(activity.id.to_string().into()),
            Self::Channel => text(&activity.channel),
            Self::SourceId => text(&activity.source_id),
            Self::Number => text(&activity.number),
            Self::Subject => text(&activity.subject),
            Self::Status => Cell::Named { name: activity.status.name(), label: activity.shown_status() },
            Self::Start => match activity.period {
                Period::Timed { start, .. } => Cell::Instant(start),
                Period::AllDay { start, .. } => Cell::FirstDay(start),
            },
            Self::End => match activity.period {
                Period::Timed { end, .. } => Cell::Instant(end),
                Period::AllDay { end, .. } => Cell::DayAfter(end),
            },
            Self::AllDay => Cell::Flag(activity.period.is_all_day()),
            Self::Kind => text(&activity.kind),
            Self::Priority => Cell::Named { name: activity.priority.name(), label: activity.priority.label() },
            Self::Customer => Cell::Entry { id: &activity.customer, name: &activity.customer_name },
            Self::Employee => Cell::Entry { id: &activity.employee, name: &activity.employee_name },
            Self::Description => text(&activity.description),
            Self::CompletedOn => activity.completed_on.map_or(Cell::Empty, Cell::Instant),
            Self::CompletedBy => activity.completed_by.as_deref().map_or(Cell::Empty, text),
            Self::Origin => text(&activity.origin),
            Self::Canceled => Cell::Flag(activity.canceled),
        }
    }
}

impl<'a> Cell<'a> {
    /// For programs: stable names, ids, UTC, the end of whole days exclusive.
    pub(super) fn for_programs(self) -> Cow<'a, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => text,
            Self::Named { name, .. } => name.into(),
            Self::Entry { id, .. } => id.into(),
            Self::Flag(flag) => if flag { "true" } else { "false" }.into(),
            Self::Instant(instant) => instant.to_string().into(),
            Self::FirstDay(day) | Self::DayAfter(day) => day.to_string().into(),
        }
    }

    /// For people: labels, names, local time, the last of whole days.
    pub(super) fn for_people(self, zone: Tz) -> Cow<'a, str> {
        match self {
            Self::Named { label, .. } => label.into(),
            Self::Entry { id, name } if !name.is_empty() => format!("{id} {name}").into(),
            Self::Flag(flag) => if flag { "yes" } else { "no" }.into(),
            Self::Instant(instant) => local_date_time(instant, zone).into(),
            Self::DayAfter(day) => last_day(day).to_string().into(),
            other => other.for_programs(),
        }
    }
}

/// The last of whole days, from the day after.
pub(super) fn last_day(day_after: NaiveDate) -> NaiveDate {
    day_after.checked_sub_days(Days::new(1)).unwrap_or(day_after)
}

/// An activity as the documented JSON shows it, with the chosen columns.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct Row<'a> {
    pub(super) activity: &'a Activity,
    pub(super) columns: &'a [Column],
}

impl<'a> Row<'a> {
    /// All columns.
    pub(in crate::commands) fn whole(activity: &'a Activity) -> Self {
        Self { activity, columns: &ALL }
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for column in self.columns {
            match column.cell(self.activity) {
                Cell::Empty => map.serialize_entry(column.name(), &())?,
                Cell::Flag(flag) => map.serialize_entry(column.name(), &flag)?,
                cell => map.serialize_entry(column.name(), &cell.for_programs())?,
            }
        }
        map.end()
    }
}

/// The time zones in which people see times: those of the organizations.
#[derive(Debug, Clone, Default)]
pub(in crate::commands) struct Zones {
    organizations: HashMap<String, Tz>,
    /// The organizations of employees and of sales channels.
    employees: HashMap<String, String>,
    channels: HashMap<String, String>,
}

impl Zones {
    /// Of the master data.
    pub(in crate::commands) fn new(data: &MasterData) -> Self {
        Self {
            organizations: data.organization.iter().map(|entry| (entry.id.clone(), entry.time_zone)).collect(),
            employees: data.employee.iter().map(|entry| (entry.id.clone(), entry.organization.clone())).collect(),
            channels: data.channel.iter().map(|entry| (entry.id.clone(), entry.organization.clone())).collect(),
        }
    }

    /// Of an activity: that of its employee, in which its whole days begin.
    pub(in crate::commands) fn of(&self, activity: &Activity) -> Tz {
        match self.employees.get(&activity.employee) {
            Some(organization) => self.of_organization(organization),
            None => self.of_channel(&activity.channel),
        }
    }

    /// Of an employee.
    pub(in crate::commands) fn of_employee(&self, employee: &str) -> Tz {
        self.employees.get(employee).map_or(Tz::UTC, |organization| self.of_organization(organization))
    }

    /// Of a sales channel.
    pub(in crate::commands) fn of_channel(&self, channel: &str) -> Tz {
        self.channels.get(channel).map_or(Tz::UTC, |organization| self.of_organization(organization))
    }

    fn of_organization(&self, organization: &str) -> Tz {
        self.organizations.get(organization).copied().unwrap_or(Tz::UTC)
    }

    /// The zone that all organizations have in common; UTC when they differ.
    pub(super) fn common(&self) -> Tz {
        let mut zones = self.organizations.values();
        zones.next().filter(|first| zones.all(|zone| zone == *first)).copied().unwrap_or(Tz::UTC)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use apptsync_model::outlook::ItemKind;
    use apptsync_model::{ActivityStatus, Priority};

    use super::*;

    /// An activity of an hour, with nothing that needs care.
    pub(in super::super) fn sample() -> Activity {
        let start: Instant = "2026-12-01T09:00:00Z".parse().expect("an instant");
        let end: Instant = "2026-12-01T10:00:00Z".parse().expect("an instant");
        Activity {
            id: 17,
            entry: ItemKind::Appointment,
            channel: "B2B".into(),
            source_id: "a-1".into(),
            number: "SA/2026/000001".into(),
            subject: "SA/2026/000001 Autumn assortment".into(),
            description: "Delikatesy Krakus\nDługa 1".into(),
            kind: "Visit".into(),
            priority: Priority::Normal,
            status: ActivityStatus::CompletedUnprocessed,
            canceled: false,
            period: Period::Timed { start, end },
            start,
            end,
            completed_on: None,
            completed_by: None,
            customer: "C00001".into(),
            customer_name: "Delikatesy Krakus".into(),
            employee: "B".into(),
            employee_name: "Barbara Nowak".into(),
            origin: "mobile".into(),
            attributes: Vec::new(),
            created_by_job: 1,
            changed_by_job: 2,
            revision: 1,
            changed_at: start,
        }
    }

    /// The same on the whole days 1 and 2 December.
    pub(in super::super) fn sample_all_day() -> Activity {
        let day = |day| NaiveDate::from_ymd_opt(2026, 12, day).expect("a date");
        Activity { period: Period::AllDay { start: day(1), end: day(3) }, ..sample() }
    }

    #[test]
    fn names_of_columns_are_those_that_the_command_line_takes() {
        for column in ALL {
            let value = column.to_possible_value().expect("no column is hidden");
            assert_eq!(value.get_name(), column.name());
        }
        assert_eq!(ALL.as_slice(), Column::value_variants(), "every column stands in the documented JSON");
    }

    #[test]
    fn the_json_of_an_activity_is_as_documented() {
        assert_eq!(
            serde_json::to_string(&Row::whole(&sample())).expect("json"),
            r#"{"id":"17","channel":"B2B","source_id":"a-1","number":"SA/2026/000001","subject":"SA/2026/000001 Autumn assortment","status":"completed-unprocessed","start":"2026-12-01T09:00:00Z","end":"2026-12-01T10:00:00Z","all_day":false,"kind":"Visit","priority":"normal","customer":"C00001","employee":"B","description":"Delikatesy Krakus\nDługa 1","completed_on":null,"completed_by":null,"origin":"mobile","canceled":false}"#
        );
        let row = Row { activity: &sample_all_day(), columns: &[Column::Start, Column::End, Column::AllDay] };
        assert_eq!(
            serde_json::to_string(&row).expect("json"),
            r#"{"start":"2026-12-01","end":"2026-12-03","all_day":true}"#
        );
    }

    #[test]
    fn people_see_labels_local_time_and_the_last_day() {
        let zone = Tz::Europe__Warsaw;
        assert_eq!(Column::Start.cell(&sample()).for_people(zone), "2026-12-01 10:00");
        assert_eq!(Column::End.cell(&sample_all_day()).for_people(zone), "2026-12-02");
        assert_eq!(Column::Status.cell(&sample()).for_people(zone), "Completed unprocessed");
        assert_eq!(Column::Customer.cell(&sample()).for_people(zone), "C00001 Delikatesy Krakus");
    }
}
