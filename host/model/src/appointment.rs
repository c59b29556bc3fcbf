//! Mobile's side: sales appointments and customers as the intermediary hands them over (domain 2).

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{Instant, day_start, named_enum};

named_enum! {
    /// Status of an appointment in Mobile (domain 2).
    MobileStatus, "a status of Mobile" {
        /// Planned by an employee, not yet confirmed by a manager.
        Unconfirmed = "unconfirmed", "Unconfirmed";
        /// May be imported.
        Confirmed = "confirmed", "Confirmed";
        /// In progress.
        Pending = "pending", "Pending";
        /// Paused, may be resumed.
        Suspended = "suspended", "Suspended";
        /// Finished and carried out.
        Completed = "completed", "Completed";
        /// Finished but not carried out, or rejected.
        Rejected = "rejected", "Rejected";
        /// Only in data of older versions; read as Rejected.
        Canceled = "canceled", "Rejected";
    }
}

named_enum! {
    /// Priority of an appointment or an activity.
    Priority, "a priority" {
        /// Low.
        Low = "low", "Low";
        /// Normal.
        Normal = "normal", "Normal";
        /// High.
        High = "high", "High";
    }
}

/// Open extension point of records: names and values.
pub type Attributes = Vec<(String, String)>;

/// When an appointment or activity takes place. `end` lies after `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// From one instant to another.
    Timed {
        /// First instant.
        start: Instant,
        /// The instant at which it is over.
        end: Instant,
    },
    /// Whole days, without times.
    AllDay {
        /// First day.
        start: NaiveDate,
        /// The day after the last.
        end: NaiveDate,
    },
}

impl Period {
    /// Start and end as instants; days begin at midnight in the zone.
    #[must_use]
    pub fn instants(&self, zone: Tz) -> (Instant, Instant) {
        match *self {
            Self::Timed { start, end } => (start, end),
            Self::AllDay { start, end } => (day_start(start, zone), day_start(end, zone)),
        }
    }

    /// True when it lies in the future (domain 5): timed, start > now; all day, first day > today in the zone.
    #[must_use]
    pub fn is_future(&self, now: Instant, zone: Tz) -> bool {
        match *self {
            Self::Timed { start, .. } => start > now,
            Self::AllDay { start, .. } => start > now.to_utc().with_timezone(&zone).date_naive(),
        }
    }

    /// True for whole days.
    #[must_use]
    pub fn is_all_day(&self) -> bool {
        matches!(self, Self::AllDay { .. })
    }
}

/// One version of a sales appointment as Mobile has it. The key is the channel and the id; the number is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Stable id within the sales channel.
    pub id: String,
    /// Sales channel.
    pub channel: String,
    /// Number shown to people.
    pub number: String,
    /// Name.
    pub name: String,
    /// Type of visit.
    pub visit_type: String,
    /// The customer's id in the sales channel.
    pub customer: String,
    /// The employee in charge.
    pub employee: String,
    /// Planned start and end.
    pub period: Period,
    /// Priority in Mobile; the activity's comes from the definition.
    pub priority: Priority,
    /// Status in Mobile.
    pub status: MobileStatus,
    /// Description, several lines.
    pub description: String,
    /// When it was completed.
    pub completed_on: Option<Instant>,
    /// The employee who completed it.
    pub completed_by: Option<String>,
    /// Why it was rejected or suspended.
    pub reason: Option<String>,
    /// When this version came to be.
    pub changed_at: Instant,
    /// Deleted in Mobile.
    pub deleted: bool,
    /// Extension point.
    pub attributes: Attributes,
}

/// One version of a customer as Mobile has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Stable id within the sales channel.
    pub id: String,
    /// Sales channel.
    pub channel: String,
    /// Name.
    pub name: String,
    /// Street and house number.
    pub street: String,
    /// Post code.
    pub postcode: String,
    /// City.
    pub city: String,
    /// ISO 3166 code of the country, two letters, or empty.
    pub country: String,
    /// E-mail address.
    pub email: String,
    /// Telephone.
    pub phone: String,
    /// When this version came to be.
    pub changed_at: Instant,
    /// Deleted in Mobile.
    pub deleted: bool,
    /// Extension point.
    pub attributes: Attributes,
}
