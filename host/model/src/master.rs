//! Master data of the headquarters (domain 3).

use std::collections::{HashMap, HashSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{Instant, named_enum};

/// An organization: the reps' time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// IANA zone, `Europe/Warsaw`.
    pub time_zone: Tz,
}

/// A partner: what a customer of Mobile is in the headquarters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Street and house number.
    #[serde(default)]
    pub street: String,
    /// Post code.
    #[serde(default)]
    pub postcode: String,
    /// City.
    #[serde(default)]
    pub city: String,
    /// ISO 3166 code of the country, or empty.
    #[serde(default)]
    pub country: String,
    /// E-mail address.
    #[serde(default)]
    pub email: String,
    /// Telephone.
    #[serde(default)]
    pub phone: String,
    /// No new business; appointments are still imported.
    #[serde(default)]
    pub blocked: bool,
    /// Marked for deletion: counts as not existing.
    #[serde(default)]
    pub deletion_mark: bool,
}

named_enum! {
    /// Profile of an employee in Mobile (domain 2).
    Profile, "a profile" {
        /// May add, not confirm or reject.
        Employee = "employee", "Employee";
        /// May confirm and reject, and create confirmed appointments.
        Manager = "manager", "Manager";
        /// As a manager.
        Administrator = "administrator", "Administrator";
    }
}

impl Profile {
    /// May confirm and reject appointments.
    #[must_use]
    pub fn may_confirm(self) -> bool {
        self != Self::Employee
    }
}

fn employee_profile() -> Profile {
    Profile::Employee
}

fn yes() -> bool {
    true
}

/// An employee: the partner of kind person that works for an organization, and the user, where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Employee {
    /// Id, also in Mobile.
    pub id: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    #[serde(default)]
    pub email: String,
    /// The organization.
    pub organization: String,
    /// The employee's manager.
    #[serde(default)]
    pub manager: Option<String>,
    /// May log in to the headquarters.
    #[serde(default)]
    pub user: bool,
    /// The user is active.
    #[serde(default = "yes")]
    pub active: bool,
    /// Sales representative (domain 3): without it, no appointment is imported.
    #[serde(default)]
    pub sales_representative: bool,
    /// Profile in Mobile.
    #[serde(default = "employee_profile")]
    pub profile: Profile,
    /// Blocked.
    #[serde(default)]
    pub blocked: bool,
    /// Marked for deletion.
    #[serde(default)]
    pub deletion_mark: bool,
    /// The user's certificates: names of entries of the credential file.
    #[serde(default)]
    pub certificates: Vec<String>,
}

impl Employee {
    /// Active user with Sales representative (domain 5).
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.user && self.active && self.sales_representative && !self.blocked && !self.deletion_mark
    }
}

/// A manager and everybody below in the manager structure, however far (domain 5). Circles come to an end.
#[must_use]
pub fn team<'a>(employees: &'a [Employee], manager: &'a str) -> HashSet<&'a str> {
    let mut below: HashMap<&str, Vec<&str>> = HashMap::new();
    for employee in employees {
        if let Some(above) = &employee.manager {
            below.entry(above).or_default().push(&employee.id);
        }
    }
    let mut team = HashSet::from([manager]);
    let mut to_visit = vec![manager];
    while let Some(above) = to_visit.pop() {
        let members = below.get(above).map(Vec::as_slice).unwrap_or_default();
        to_visit.extend(members.iter().filter(|member| team.insert(member)));
    }
    team
}

/// A sales channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Up to 3 of letters, digits, `_ . -`.
    pub id: String,
    /// Description.
    #[serde(default)]
    pub description: String,
    /// The organization that sells through it.
    pub organization: String,
    /// Only active channels are imported.
    #[serde(default = "yes")]
    pub active: bool,
}

/// An id that breaks the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id of a sales channel: use 1 to 3 letters, digits, or _ . -")]
pub struct InvalidId(String);

/// Checks the id of a sales channel (domain 3).
///
/// # Errors
/// The id is empty, too long or has other characters.
pub fn check_channel_id(id: &str) -> Result<(), InvalidId> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-');
    if (1..=3).contains(&id.chars().count()) && id.chars().all(allowed) {
        Ok(())
    } else {
        Err(InvalidId(id.escape_debug().to_string()))
    }
}

/// IBUS settings of Customizing for a sales channel (domain 3). Client Password and User Password stand in the credential
/// file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IbusSettings {
    /// Client ID.
    pub client_id: String,
    /// User.
    pub user: String,
    /// URL.
    pub url: String,
    /// Version.
    pub version: String,
    /// Item category for MOS.
    pub item_category: String,
    /// Entry of the credential file with both passwords.
    pub credential: Option<String>,
}

/// The connection of a customer of a sales channel with a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelPartner {
    /// The sales channel.
    pub channel: String,
    /// The partner.
    pub partner: String,
    /// The customer's id in the feed.
    pub external_id: String,
}

/// Master data as `load` takes it; every list may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterData {
    /// `[[organization]]`
    #[serde(default)]
    pub organization: Vec<Organization>,
    /// `[[partner]]`
    #[serde(default)]
    pub partner: Vec<Partner>,
    /// `[[employee]]`
    #[serde(default)]
    pub employee: Vec<Employee>,
    /// `[[channel]]`
    #[serde(default)]
    pub channel: Vec<Channel>,
    /// `[[channel_partner]]`
    #[serde(default)]
    pub channel_partner: Vec<ChannelPartner>,
}

impl Partner {
    /// The partner that a customer of Mobile becomes.
    #[must_use]
    pub fn from_customer(id: String, customer: &crate::Customer) -> Self {
        Self {
            id,
            name: customer.name.clone(),
            street: customer.street.clone(),
            postcode: customer.postcode.clone(),
            city: customer.city.clone(),
            country: customer.country.clone(),
            email: customer.email.clone(),
            phone: customer.phone.clone(),
            blocked: false,
            deletion_mark: false,
        }
    }

    /// The partner as stages see it: a customer of a sales channel.
    #[must_use]
    pub fn as_customer(&self, channel: &str, external_id: &str) -> crate::Customer {
        crate::Customer {
            id: external_id.to_owned(),
            channel: channel.to_owned(),
            name: self.name.clone(),
            street: self.street.clone(),
            postcode: self.postcode.clone(),
            city: self.city.clone(),
            country: self.country.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            changed_at: Instant::default(),
            deleted: self.deletion_mark,
            attributes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn employee(id: &str, manager: Option<&str>) -> Employee {
        let value = serde_json::json!({ "id": id, "name": id, "organization": "O1", "manager": manager });
        serde_json::from_value(value).expect("an employee")
    }

    #[test]
    fn a_team_is_the_manager_and_everybody_below() {
        let employees = [employee("A", None), employee("B", Some("A")), employee("C", Some("B")), employee("X", None)];
        assert_eq!(team(&employees, "A"), HashSet::from(["A", "B", "C"]));
        assert_eq!(team(&employees, "C"), HashSet::from(["C"]));
    }

    #[test]
    fn a_circle_of_managers_comes_to_an_end() {
        let employees = [employee("A", Some("B")), employee("B", Some("A"))];
        assert_eq!(team(&employees, "A"), HashSet::from(["A", "B"]));
    }
}
