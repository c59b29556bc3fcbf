//! Whom a run covers (domain 5): the running user and everybody below, and who of them is eligible.

use std::collections::{HashMap, HashSet};

use apptsync_model::{Channel, Employee, MasterData};
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
        let covered = user.map(|user| below(&master.employee, user)).transpose()?;
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

/// The user and everybody below in the manager structure.
fn below<'a>(employees: &'a [Employee], user: &str) -> Result<HashSet<&'a str>, ImportError> {
    let Some(top) = employees.iter().find(|employee| employee.id == user) else {
        return Err(ImportError::Usage(format!("user `{user}` is not there: `apptsync users list` shows who is")));
    };
    let mut covered = HashSet::from([top.id.as_str()]);
    let mut level = vec![top.id.as_str()];
    while !level.is_empty() {
        level = employees
            .iter()
            .filter(|employee| employee.manager.as_deref().is_some_and(|manager| level.contains(&manager)))
            .map(|employee| employee.id.as_str())
            .filter(|id| covered.insert(id))
            .collect();
    }
    Ok(covered)
}
