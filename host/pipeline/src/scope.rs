//! Whom a run covers (domain 5): the running user and everybody below, and who of them is eligible.

use std::collections::HashMap;

use apptsync_model::{Channel, MasterData, team};
use chrono_tz::Tz;

use crate::ImportError;

/// What a run must know of an employee.
#[derive(Debug, Clone)]
pub(crate) struct Representative {
    pub(crate) name: String,
    pub(crate) is_eligible: bool,
    pub(crate) in_scope: bool,
    pub(crate) zone: Tz,
}

/// The employees as they were when the run began.
#[derive(Debug)]
pub(crate) struct Scope {
    representatives: HashMap<String, Representative>,
    /// The employees covered, none for everybody.
    pub(crate) covered: Option<Vec<String>>,
    unknown: Representative,
}

impl Scope {
    /// # Errors
    /// The running user is not there.
    pub(crate) fn new(master: &MasterData, channel: &Channel, user: Option<&str>) -> Result<Self, ImportError> {
        let zones: HashMap<&str, Tz> =
            master.organization.iter().map(|organization| (organization.id.as_str(), organization.time_zone)).collect();
        let zone_of = |organization: &str| zones.get(organization).copied().unwrap_or(Tz::UTC);
        if let Some(user) = user.filter(|user| !master.employee.iter().any(|employee| employee.id == *user)) {
            return Err(ImportError::Usage(format!("user `{user}` is not there: `apptsync users list` shows who is")));
        }
        let covered = user.map(|user| team(&master.employee, user));
        let is_covered = |id: &str| covered.as_ref().is_none_or(|covered| covered.contains(id));
        let representatives = master
            .employee
            .iter()
            .map(|employee| {
                let representative = Representative {
                    name: employee.name.clone(),
                    is_eligible: employee.is_eligible(),
                    in_scope: is_covered(&employee.id),
                    zone: zone_of(&employee.organization),
                };
                (employee.id.clone(), representative)
            })
            .collect();
        let covered = covered.map(|covered| {
            let mut covered: Vec<_> = covered.into_iter().map(str::to_owned).collect();
            covered.sort();
            covered
        });
        let unknown = Representative {
            name: String::new(),
            is_eligible: false,
            in_scope: covered.is_none(),
            zone: zone_of(&channel.organization),
        };
        Ok(Self { representatives, covered, unknown })
    }

    /// The employee with this id; one that the headquarters does not know is not eligible.
    pub(crate) fn representative(&self, id: &str) -> &Representative {
        self.representatives.get(id).unwrap_or(&self.unknown)
    }
}
