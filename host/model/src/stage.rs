//! What goes into a stage and what comes out: the host's side of the contract with plugins.

use crate::{ActivityStatus, Appointment, Attributes, Customer, Instant, Period, Priority};

/// What the headquarters knows when it asks a stage about an appointment.
#[derive(Debug, Clone, Copy)]
pub struct AppointmentContext<'a> {
    /// The appointment.
    pub appointment: &'a Appointment,
    /// The partner connected with its customer.
    pub customer: &'a Customer,
    /// Name of the employee in charge.
    pub employee_name: &'a str,
    /// IANA zone of the organization.
    pub zone: &'a str,
    /// Start in that zone.
    pub local_start: &'a str,
    /// End in that zone.
    pub local_end: &'a str,
}

/// What the status mapping is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The appointment.
    pub appointment: &'a Appointment,
    /// Start as an instant.
    pub start: Instant,
    /// End as an instant.
    pub end: Instant,
    /// Stored status, none at the first import.
    pub current: Option<ActivityStatus>,
}

/// What the status mapping answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Status of the activity.
    pub status: ActivityStatus,
    /// What the headquarters has no status for.
    pub note: Option<String>,
    /// The rule that decided.
    pub rule: String,
}

/// What the definition is asked to render.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The appointment and what is known about it.
    pub context: AppointmentContext<'a>,
    /// What the status mapping decided.
    pub status: ActivityStatus,
    /// Its note.
    pub note: Option<&'a str>,
}

/// What the definition makes of an appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Subject of the activity.
    pub subject: String,
    /// Description of the activity.
    pub description: String,
    /// Kind of the activity.
    pub kind: String,
    /// Priority of the activity.
    pub priority: Priority,
    /// When it takes place.
    pub period: Period,
    /// Extension point.
    pub attributes: Attributes,
}

/// What an extension says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The appointment goes on as it is.
    Unchanged,
    /// It goes on like this.
    Changed(Box<Appointment>),
    /// It shall not be imported, and why.
    Veto(String),
}

/// Why one record could not be answered; the others of the batch stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// A short name.
    pub code: String,
    /// What happened.
    pub message: String,
}

/// One piece of what a source has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceItem {
    /// An appointment.
    Appointment(Box<Appointment>),
    /// A customer.
    Customer(Box<Customer>),
    /// Something that cannot be read.
    Broken {
        /// Where it stands.
        place: String,
        /// Why it cannot be read.
        reason: String,
    },
}

/// A page of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePage {
    /// What it holds.
    pub items: Vec<SourceItem>,
    /// Where the next reader goes on.
    pub next: String,
    /// Nothing is left.
    pub done: bool,
    /// What an operator should know.
    pub notices: Vec<String>,
}
