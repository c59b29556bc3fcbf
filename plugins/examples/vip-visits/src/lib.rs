//! An example of a customer's extension: it vetoes appointments marked by a word and marks visits to important customers.
//!
//! Configuration in `apptsync.toml`:
//!
//! ```toml
//! extensions = [
//!   { plugin = "vip_visits.wasm", config = { veto-word = "#no-headquarters", customers = ["C00001", "C00017"] } },
//! ]
//! ```
//!
//! * `veto-word`: an appointment whose description contains it is not imported; `#no-headquarters` unless given.
//! * `customers`: ids of customers, as a list or between commas; the names of their appointments begin with `VIP: `.

use apptsync_plugin::configuration;
use apptsync_plugin::extension::{Answer, Extension, Verdict};
use apptsync_plugin::text::{LINE, truncate};
use apptsync_plugin::types::{AppointmentContext, RecordError};

const MARK: &str = "VIP: ";

/// What the configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Vetoes an appointment whose description contains it.
    pub veto_word: String,
    /// Ids of the customers whose appointments are marked.
    pub customers: Vec<String>,
}

impl Rules {
    /// Reads the values of the two keys.
    ///
    /// # Errors
    ///
    /// A sentence that names the key and what is wrong with its value.
    pub fn read(veto_word: Option<String>, customers: Option<&str>) -> Result<Self, String> {
        let veto_word = veto_word.unwrap_or_else(|| "#no-headquarters".to_owned());
        if veto_word.trim().is_empty() {
            return Err("`veto-word` is empty: every appointment would be vetoed".to_owned());
        }
        let customers = customers.map_or_else(|| Ok(Vec::new()), configuration::list);
        Ok(Self { veto_word, customers: customers.map_err(|why| format!("`customers`: {why}"))? })
    }
}

/// The verdict on one appointment.
#[must_use]
pub fn judge(rules: &Rules, context: AppointmentContext) -> Answer {
    let mut appointment = context.appointment;
    let id = appointment.id.clone();
    let verdict = if appointment.description.contains(&rules.veto_word) {
        Verdict::Veto(format!("its description contains {}", rules.veto_word))
    } else if rules.customers.contains(&appointment.customer) && !appointment.name.starts_with(MARK) {
        appointment.name.insert_str(0, MARK);
        truncate(&mut appointment.name, LINE);
        Verdict::Changed(appointment)
    } else {
        Verdict::Unchanged
    };
    Answer { id, verdict }
}

struct Plugin;

impl Plugin {
    fn rules() -> Result<Rules, String> {
        Rules::read(configuration::get("veto-word")?, configuration::get("customers")?.as_deref())
    }
}

impl Extension for Plugin {
    fn apply(batch: Vec<AppointmentContext>) -> Vec<Result<Answer, RecordError>> {
        let rules = Self::rules();
        let answer = |context: AppointmentContext| match &rules {
            Ok(rules) => Ok(judge(rules, context)),
            Err(message) => Err(RecordError {
                id: context.appointment.id,
                code: "configuration".to_owned(),
                message: message.clone(),
            }),
        };
        batch.into_iter().map(answer).collect()
    }
}

apptsync_plugin::export_extension!(Plugin);

#[cfg(test)]
mod tests {
    use super::*;
    use apptsync_plugin::types::{Appointment, Customer, MobileStatus, Period, Priority, Timed};

    fn visit(customer: &str, name: &str, description: &str) -> AppointmentContext {
        let partner = Customer {
            id: customer.into(),
            channel: "B2B".into(),
            name: "Delikatesy Krakus".into(),
            street: String::new(),
            postcode: String::new(),
            city: String::new(),
            country: String::new(),
            email: String::new(),
            phone: String::new(),
            changed_at: 0,
            deleted: false,
            attributes: Vec::new(),
        };
        let appointment = Appointment {
            id: "a-1".into(),
            channel: "B2B".into(),
            number: "SA/2026/000001".into(),
            name: name.into(),
            visit_type: "Visit".into(),
            customer: customer.into(),
            employee: "B".into(),
            period: Period::Timed(Timed { start: 1, end: 2 }),
            priority: Priority::Normal,
            status: MobileStatus::Confirmed,
            description: description.into(),
            completed_on: None,
            completed_by: None,
            reason: None,
            changed_at: 0,
            deleted: false,
            attributes: Vec::new(),
        };
        AppointmentContext {
            appointment,
            customer: partner,
            employee_name: "Barbara Nowak".into(),
            zone: "Europe/Warsaw".into(),
            local_start: "2026-12-01 10:00".into(),
            local_end: "2026-12-01 11:00".into(),
        }
    }

    fn verdict(context: AppointmentContext) -> Verdict {
        let rules = Rules::read(None, Some(r#"["C1"]"#)).expect("rules");
        judge(&rules, context).verdict
    }

    #[test]
    fn an_appointment_with_the_word_is_vetoed() {
        let expected = Verdict::Veto("its description contains #no-headquarters".into());
        assert_eq!(verdict(visit("C1", "Autumn", "private #no-headquarters")), expected);
    }

    #[test]
    fn a_visit_to_an_important_customer_is_marked_once() {
        let Verdict::Changed(changed) = verdict(visit("C1", "Autumn", "")) else { panic!("changed") };
        assert_eq!(changed.name, "VIP: Autumn");
        assert_eq!(verdict(visit("C1", "VIP: Autumn", "")), Verdict::Unchanged);
        assert_eq!(verdict(visit("C2", "Autumn", "")), Verdict::Unchanged);
    }

    #[test]
    fn a_wrong_configuration_is_said() {
        assert!(Rules::read(Some(" ".into()), None).is_err());
        let message = Rules::read(None, Some("[1]")).expect_err("not texts");
        assert!(message.starts_with("`customers`: `[1]`"), "{message}");
    }
}
