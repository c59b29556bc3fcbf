//! The headquarters' side: activities and their status (domain 7).

use crate::outlook::ItemKind;
use crate::{Attributes, Instant, Period, Priority, named_enum};

/// Number of an activity in the headquarters database; never used again.
pub type ActivityId = i64;

named_enum! {
    /// Status of an activity in the headquarters (domain 7).
    ActivityStatus, "a status of the headquarters" {
        /// The processing period has not been reached or is not yet over.
        Planned = "planned", "Planned";
        /// The processing period elapsed and it was not processed.
        Delayed = "delayed", "Delayed";
        /// Finished.
        Completed = "completed", "Completed";
        /// Completed, but not processed.
        CompletedUnprocessed = "completed-unprocessed", "Completed unprocessed";
    }
}

impl ActivityStatus {
    /// Transitions run one way only: Planned → Delayed | Completed | Completed unprocessed (domain 7).
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self == next || self == Self::Planned
    }
}

/// An activity with its task and its reference, as the cockpit and the tabs of Activities show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its number in the headquarters.
    pub id: ActivityId,
    /// A calendar entry or a task.
    pub entry: ItemKind,
    /// Sales channel it came through; empty where it was not made in Mobile.
    pub channel: String,
    /// Its id in the source; unique among those of its origin, and for Mobile within its sales channel.
    pub source_id: String,
    /// Number of the appointment.
    pub number: String,
    /// Number and name.
    pub subject: String,
    /// Customer, address, Mobile's status, description.
    pub description: String,
    /// From the definition.
    pub kind: String,
    /// From the definition.
    pub priority: Priority,
    /// Stored status.
    pub status: ActivityStatus,
    /// It was canceled (domain 8): later versions of Mobile change nothing, and its item in Outlook goes.
    pub canceled: bool,
    /// When it takes place.
    pub period: Period,
    /// The same as instants, days beginning at midnight in the organization's zone.
    pub start: Instant,
    /// See `start`.
    pub end: Instant,
    /// Results: when it was completed in Mobile.
    pub completed_on: Option<Instant>,
    /// Results: the employee who completed it.
    pub completed_by: Option<String>,
    /// References: the partner; empty where there is none.
    pub customer: String,
    /// Name of the partner.
    pub customer_name: String,
    /// Tasks: the representative.
    pub employee: String,
    /// Name of the representative.
    pub employee_name: String,
    /// Where it was made, by the stable name of an [`Origin`](crate::outlook::Origin).
    pub origin: String,
    /// Extension point; [`LOCATION`] and [`UNDATED`] stand here.
    pub attributes: Attributes,
    /// The job that made it; 0 where no batch job did.
    pub created_by_job: i64,
    /// The batch job that last changed it; 0 where none did.
    pub changed_by_job: i64,
    /// Higher after every change.
    pub revision: i64,
    /// The instant of the run, or of the person, that last changed it.
    pub changed_at: Instant,
}

/// Name of the attribute that holds an activity's location.
pub const LOCATION: &str = "location";
/// Name of the attribute of a task without a date: its period is the day it came in, and it never becomes Delayed.
pub const UNDATED: &str = "undated";

impl Activity {
    /// Its location; empty for none.
    #[must_use]
    pub fn location(&self) -> &str {
        self.attributes.iter().find(|(name, _)| name == LOCATION).map_or("", |(_, value)| value)
    }

    /// It is a task without a date.
    #[must_use]
    pub fn is_undated(&self) -> bool {
        self.attributes.iter().any(|(name, _)| name == UNDATED)
    }

    /// It was made in Mobile, whose version wins (domain 1).
    #[must_use]
    pub fn is_of_mobile(&self) -> bool {
        self.origin == crate::outlook::Origin::Mobile.name()
    }

    /// What people see as its status: a canceled activity is Canceled, whatever its stored status.
    #[must_use]
    pub fn shown_status(&self) -> &'static str {
        if self.canceled { "Canceled" } else { self.status.label() }
    }
}

/// What the cockpit shows: an activity must meet all that is set; within a list any value will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Any of these statuses; empty for all.
    pub status: Vec<ActivityStatus>,
    /// Any of these kinds; empty for all.
    pub kind: Vec<String>,
    /// Any of these priorities; empty for all.
    pub priority: Vec<Priority>,
    /// Any of these partners, by id; empty for all.
    pub customer: Vec<String>,
    /// Any of these representatives, by id; empty for all.
    pub employee: Vec<String>,
    /// Any of these sales channels; empty for all.
    pub channel: Vec<String>,
    /// Starts at or after.
    pub from: Option<Instant>,
    /// Starts before.
    pub to: Option<Instant>,
    /// Text in number, subject, description or the customer's name, whatever the case.
    pub text: Option<String>,
    /// At most so many; all when not set.
    pub limit: Option<u64>,
    /// Order of the rows.
    pub order: ActivityOrder,
    /// The other way round.
    pub descending: bool,
}

named_enum! {
    /// Order of the cockpit's rows; equal rows stand by their id.
    ActivityOrder, "a column to sort by" {
        /// By start.
        Start = "start", "Start time";
        /// By end.
        End = "end", "End time";
        /// By id.
        Id = "id", "Activity";
        /// By number.
        Number = "number", "Number";
        /// By subject.
        Subject = "subject", "Subject";
        /// By status.
        Status = "status", "Status";
        /// By kind.
        Kind = "kind", "Kind";
        /// By priority.
        Priority = "priority", "Priority";
        /// By the customer's id.
        Customer = "customer", "Customer";
        /// By the representative's id.
        Employee = "employee", "Employee";
        /// By sales channel.
        Channel = "channel", "Sales channel";
        /// By completion.
        CompletedOn = "completed_on", "Completed on";
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that declares the enumeration has no place for a default")]
impl Default for ActivityOrder {
    fn default() -> Self {
        Self::Start
    }
}
