//! What may be imported (domain 5 and 7): the host's own rules, whatever a plugin says.

use chrono_tz::Tz;

use crate::{ActivityStatus, Appointment, Instant, MobileStatus, named_enum};

named_enum! {
    /// Why an appointment was skipped, everywhere by these names (domain 7). The order is that of the checks.
    SkipReason, "a reason for skipping" {
        /// The employee in charge is neither the running user nor below them.
        OutOfScope = "out-of-scope", "out of scope";
        /// Deleted in Mobile before it was ever imported.
        Deleted = "deleted", "deleted";
        /// Not Confirmed.
        NotConfirmed = "not-confirmed", "not confirmed";
        /// Does not start in the future.
        NotFuture = "not-future", "not in the future";
        /// The employee in charge is no active user with Sales representative.
        RepNotEligible = "rep-not-eligible", "employee not eligible";
        /// The headquarters has no partner connected with the customer.
        CustomerMissing = "customer-missing", "customer missing";
        /// An extension vetoed it.
        Vetoed = "vetoed", "vetoed by an extension";
        /// The activity is Delayed: nothing is imported any more.
        Delayed = "delayed", "activity delayed (frozen)";
        /// The activity is Completed, Completed unprocessed or canceled.
        Closed = "closed", "activity closed";
    }
}

/// What must be known about an appointment to decide whether it may be imported.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The employee in charge is the running user or below them.
    pub in_scope: bool,
    /// The employee in charge is an active user with Sales representative.
    pub rep_eligible: bool,
    /// A partner is connected with the customer.
    pub customer_exists: bool,
    /// The instant of the run.
    pub now: Instant,
    /// The organization's zone.
    pub zone: Tz,
}

/// May an appointment without an activity be imported? Checked in the order of domain 5, so that each count holds only
/// what would otherwise have been imported.
///
/// # Errors
/// The first check that does not hold.
pub fn first_import(appointment: &Appointment, facts: &Facts) -> Result<(), SkipReason> {
    let checks = [
        (facts.in_scope, SkipReason::OutOfScope),
        (!appointment.deleted, SkipReason::Deleted),
        (appointment.status == MobileStatus::Confirmed, SkipReason::NotConfirmed),
        (appointment.period.is_future(facts.now, facts.zone), SkipReason::NotFuture),
        (facts.rep_eligible, SkipReason::RepNotEligible),
        (facts.customer_exists, SkipReason::CustomerMissing),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, reason)| Err(reason))
}

/// May a new version change an activity that has this stored status, or was canceled (domain 7)?
///
/// # Errors
/// The first check that does not hold.
pub fn new_version(current: ActivityStatus, canceled: bool, facts: &Facts) -> Result<(), SkipReason> {
    let checks = [
        (facts.in_scope, SkipReason::OutOfScope),
        (canceled || current != ActivityStatus::Delayed, SkipReason::Delayed),
        (!canceled && current == ActivityStatus::Planned, SkipReason::Closed),
        (facts.rep_eligible, SkipReason::RepNotEligible),
        (facts.customer_exists, SkipReason::CustomerMissing),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, reason)| Err(reason))
}
