//! What people do with appointments in Mobile, who may do it, and what becomes of the status (domain 2).

use crate::{Employee, MobileStatus, Profile, named_enum, team};

named_enum! {
    /// What a person does with an appointment in Mobile. The label completes "it cannot be …".
    MobileAction, "something that Mobile can do" {
        /// Adds an appointment that waits for a manager.
        Plan = "plan", "planned";
        /// Adds an appointment that is confirmed at once.
        PlanConfirmed = "plan-confirmed", "planned as confirmed";
        /// A manager agrees.
        Confirm = "confirm", "confirmed";
        /// The visit begins.
        Start = "start", "started";
        /// The visit, or the way to it, is interrupted.
        Suspend = "suspend", "suspended";
        /// The visit goes on.
        Resume = "resume", "resumed";
        /// The visit was carried out.
        Complete = "complete", "completed";
        /// It will not be carried out.
        Reject = "reject", "rejected";
        /// It takes place at another time.
        Reschedule = "reschedule", "rescheduled";
        /// It is taken out of Mobile.
        Delete = "delete", "deleted";
    }
}

/// An action that the status of an appointment does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is {} and cannot be {action}; {}", describe(*.current), choices(*.current))]
pub struct WrongTransition {
    /// What was tried.
    pub action: MobileAction,
    /// The status it has; none when there is no appointment yet.
    pub current: Option<MobileStatus>,
}

fn describe(current: Option<MobileStatus>) -> &'static str {
    current.map_or("not in Mobile", MobileStatus::label)
}

fn choices(current: Option<MobileStatus>) -> String {
    let possible: Vec<_> = MobileAction::possible(current).map(MobileAction::name).collect();
    format!("possible now: {}", possible.join(", "))
}

impl MobileAction {
    /// The status that an appointment has after the action; `current` is none for one that is not there yet.
    ///
    /// # Errors
    /// The status does not allow the action.
    pub fn apply(self, current: Option<MobileStatus>) -> Result<MobileStatus, WrongTransition> {
        use MobileStatus::{Completed, Confirmed, Pending, Rejected, Suspended, Unconfirmed};
        match (self, current) {
            (Self::Plan, None) => Ok(Unconfirmed),
            (Self::PlanConfirmed, None) | (Self::Confirm, Some(Unconfirmed)) => Ok(Confirmed),
            (Self::Start, Some(Confirmed | Suspended)) | (Self::Resume, Some(Suspended)) => Ok(Pending),
            (Self::Suspend, Some(Confirmed | Pending)) => Ok(Suspended),
            (Self::Complete, Some(Confirmed | Pending | Suspended)) => Ok(Completed),
            (Self::Reject, Some(status)) if !status.is_finished() => Ok(Rejected),
            (Self::Reschedule, Some(status)) if !status.is_finished() => Ok(status),
            (Self::Delete, Some(status)) => Ok(status),
            _ => Err(WrongTransition { action: self, current }),
        }
    }

    /// What a status allows, in the order of declaration.
    pub fn possible(current: Option<MobileStatus>) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |action| action.apply(current).is_ok())
    }

    /// True for what only managers and administrators may do. Deleting what is confirmed comes to the same as rejecting it,
    /// so it takes the same right.
    #[must_use]
    pub fn needs_manager(self, current: Option<MobileStatus>) -> bool {
        match self {
            Self::Confirm | Self::Reject | Self::PlanConfirmed => true,
            Self::Delete => current != Some(MobileStatus::Unconfirmed),
            _ => false,
        }
    }

    /// May this user do it with an appointment of this employee? Employees act for themselves, managers also for everybody
    /// below them, administrators for everybody.
    ///
    /// # Errors
    /// The first right that is missing.
    pub fn authorize(
        self,
        current: Option<MobileStatus>,
        user: &Employee,
        in_charge: &str,
        employees: &[Employee],
    ) -> Result<(), Refusal> {
        if user.deletion_mark {
            return Err(Refusal::Gone { employee: user.id.clone() });
        }
        if self.needs_manager(current) && !user.profile.may_confirm() {
            return Err(Refusal::Profile { employee: user.id.clone(), profile: user.profile, action: self });
        }
        let allowed = match user.profile {
            Profile::Employee => user.id == in_charge,
            Profile::Manager => team(employees, &user.id).contains(in_charge),
            Profile::Administrator => true,
        };
        if allowed {
            Ok(())
        } else {
            Err(Refusal::Foreign {
                employee: user.id.clone(),
                profile: user.profile,
                action: self,
                in_charge: in_charge.to_owned(),
            })
        }
    }
}

impl MobileStatus {
    /// True when nothing more happens to the appointment.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Rejected | Self::Canceled)
    }
}

/// A right that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The profile does not allow it.
    #[error("employee {employee} has the profile {profile} and cannot {}: a manager or administrator can", .action.infinitive())]
    Profile {
        /// Who tried.
        employee: String,
        /// Their profile.
        profile: Profile,
        /// What was tried.
        action: MobileAction,
    },
    /// The appointment is somebody else's.
    #[error(
        "employee {employee} has the profile {profile} and cannot {} for {in_charge}: {in_charge}, a manager above {in_charge} or an administrator can",
        .action.infinitive()
    )]
    Foreign {
        /// Who tried.
        employee: String,
        /// Their profile.
        profile: Profile,
        /// What was tried.
        action: MobileAction,
        /// Whose appointment it is.
        in_charge: String,
    },
    /// The acting employee is marked for deletion.
    #[error("employee {employee} is marked for deletion and cannot do anything: act as somebody else with --user")]
    Gone {
        /// Who tried.
        employee: String,
    },
}

impl MobileAction {
    fn infinitive(self) -> &'static str {
        match self {
            Self::PlanConfirmed => "plan an appointment as confirmed",
            other => other.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn employee(id: &str, manager: Option<&str>, profile: Profile) -> Employee {
        Employee {
            id: id.into(),
            name: id.into(),
            email: String::new(),
            organization: "O1".into(),
            manager: manager.map(Into::into),
            user: true,
            active: true,
            sales_representative: true,
            profile,
            blocked: false,
            deletion_mark: false,
            certificates: Vec::new(),
        }
    }

    #[test]
    fn every_status_allows_exactly_what_the_table_says() {
        use MobileStatus::*;
        let names = |current| MobileAction::possible(current).map(MobileAction::name).collect::<Vec<_>>().join(" ");
        assert_eq!(names(None), "plan plan-confirmed");
        assert_eq!(names(Some(Unconfirmed)), "confirm reject reschedule delete");
        assert_eq!(names(Some(Confirmed)), "start suspend complete reject reschedule delete");
        assert_eq!(names(Some(Pending)), "suspend complete reject reschedule delete");
        assert_eq!(names(Some(Suspended)), "start resume complete reject reschedule delete");
        for finished in [Completed, Rejected, Canceled] {
            assert_eq!(names(Some(finished)), "delete");
        }
    }

    #[test]
    fn actions_lead_to_their_status() {
        use MobileStatus::*;
        assert_eq!(MobileAction::Plan.apply(None), Ok(Unconfirmed));
        assert_eq!(MobileAction::PlanConfirmed.apply(None), Ok(Confirmed));
        assert_eq!(MobileAction::Resume.apply(Some(Suspended)), Ok(Pending));
        assert_eq!(MobileAction::Reschedule.apply(Some(Suspended)), Ok(Suspended));
        assert_eq!(MobileAction::Delete.apply(Some(Completed)), Ok(Completed));
    }

    #[test]
    fn a_wrong_transition_names_the_status_and_what_is_possible() {
        let error = MobileAction::Start.apply(Some(MobileStatus::Unconfirmed)).expect_err("not confirmed");
        assert_eq!(
            error.to_string(),
            "it is Unconfirmed and cannot be started; possible now: confirm, reject, reschedule, delete"
        );
    }

    #[test]
    fn profiles_and_the_manager_structure_decide_who_may() {
        let employees = [
            employee("A", None, Profile::Manager),
            employee("B", Some("A"), Profile::Employee),
            employee("C", Some("B"), Profile::Employee),
            employee("X", None, Profile::Manager),
            employee("Z", None, Profile::Administrator),
        ];
        let may = |action: MobileAction, user: usize, in_charge: &str| {
            let current = Some(MobileStatus::Confirmed);
            action.authorize(current, &employees[user], in_charge, &employees).map_err(|refusal| refusal.to_string())
        };
        assert_eq!(may(MobileAction::Start, 1, "B"), Ok(()));
        assert_eq!(
            may(MobileAction::Confirm, 1, "B"),
            Err("employee B has the profile Employee and cannot confirm: a manager or administrator can".into())
        );
        assert_eq!(
            may(MobileAction::Start, 1, "C"),
            Err("employee B has the profile Employee and cannot start for C: C, a manager above C or an administrator can"
                .into())
        );
        assert_eq!(may(MobileAction::Confirm, 0, "C"), Ok(()), "A is two levels above C");
        assert!(may(MobileAction::Confirm, 3, "C").is_err(), "X is not above C");
        assert_eq!(may(MobileAction::Reject, 4, "C"), Ok(()));
        assert!(may(MobileAction::Delete, 1, "B").is_err(), "deleting what is confirmed takes a manager");
        let unconfirmed = Some(MobileStatus::Unconfirmed);
        assert_eq!(MobileAction::Delete.authorize(unconfirmed, &employees[1], "B", &employees), Ok(()));
    }
}
