//! A feed as the intermediary would write it: always the same pseudo-random appointments, on dates relative to now.

use apptsync_model::{Instant, MasterData, MobileStatus, Priority};
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc, Weekday};
use serde::Serialize;

use super::sample::{CHANNEL, LEAD, NEW_CUSTOMERS, USER};

/// Appointments in the feed.
const APPOINTMENTS: usize = 300;
/// One of so many is a visit to the lead.
const LEAD_EVERY: usize = 60;
/// The line in the middle that cannot be read.
const BROKEN_AFTER: usize = 150;

const NAMES: [&str; 10] = [
    "Autumn assortment",
    "Price list for the new year",
    "Shelf check",
    "Introduction of the new chocolates",
    "Complaint about the last delivery",
    "Yearly agreement",
    "Tasting for the staff",
    "Return of seasonal goods",
    "Training on the order portal",
    "Plan for the Easter campaign",
];
const TYPES: [&str; 4] = ["Visit", "Call", "Presentation", "Audit"];
const DESCRIPTIONS: [&str; 5] = [
    "",
    "Bring the samples.",
    "Ask for Ms Zawadzka at the counter.",
    "Parking behind the building.\nDeliveries until 9 o'clock.",
    "Last visit went well; offer the larger display.",
];
const REASONS: [&str; 4] =
    ["Closed for stocktaking", "Customer asked for another date", "Representative ill", "No decision maker on site"];

/// The files of the feed.
pub(super) struct Feed {
    pub(super) appointments: String,
    pub(super) customers: String,
}

/// A line of `appointments.jsonl`, with its keys in the documented order.
#[derive(Debug, Clone, Serialize)]
struct AppointmentLine {
    id: String,
    channel: &'static str,
    number: String,
    name: &'static str,
    #[serde(rename = "type")]
    visit_type: &'static str,
    customer: String,
    employee: String,
    start: String,
    end: String,
    all_day: bool,
    priority: Priority,
    status: MobileStatus,
    description: &'static str,
    completed_on: Option<String>,
    completed_by: Option<String>,
    reason: Option<&'static str>,
    changed_at: String,
    deleted: bool,
    attributes: Attributes,
}

/// No attributes.
#[derive(Debug, Clone, Serialize)]
struct Attributes {}

/// A line of `customers.jsonl`.
#[derive(Debug, Serialize)]
struct CustomerLine<'a> {
    id: &'a str,
    channel: &'a str,
    name: &'a str,
    street: &'a str,
    postcode: &'a str,
    city: &'a str,
    country: &'a str,
    email: &'a str,
    phone: &'a str,
    changed_at: String,
    deleted: bool,
}

/// Makes the feed.
pub(super) fn make(master: &MasterData, now: Instant) -> Feed {
    Feed { appointments: appointments(master, now), customers: customers(master, now) }
}

/// SplitMix64: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn of<T: Copy>(&mut self, choices: &[T], otherwise: T) -> T {
        let index = usize::try_from(self.below(choices.len() as u64)).unwrap_or(0);
        choices.get(index).copied().unwrap_or(otherwise)
    }
}

fn line(value: &impl Serialize) -> String {
    // Structures of texts and flags always have a JSON form.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

fn instant(value: DateTime<Utc>) -> String {
    Instant::from(value).to_string()
}

fn appointments(master: &MasterData, now: Instant) -> String {
    let employees: Vec<&str> = master.employee.iter().map(|employee| employee.id.as_str()).collect();
    let known = master.partner.iter().map(|partner| partner.id.as_str());
    let customers: Vec<&str> = known.chain(NEW_CUSTOMERS.iter().map(|customer| customer.0)).collect();
    let mut dice = Dice(2026);
    let mut text = String::new();
    for index in 1..=APPOINTMENTS {
        let mut appointment = appointment(index, now, &mut dice, &customers, &employees);
        // Planned by an employee, confirmed by the manager: the last line counts.
        if appointment.status == MobileStatus::Confirmed && dice.below(8) == 0 {
            let confirmed_at = appointment.changed_at.clone();
            appointment.status = MobileStatus::Unconfirmed;
            appointment.changed_at = instant(now.to_utc() - TimeDelta::days(20));
            text += &line(&appointment);
            appointment.status = MobileStatus::Confirmed;
            appointment.changed_at = confirmed_at;
        }
        text += &line(&appointment);
        if index == BROKEN_AFTER {
            appointment.id = "a-broken".to_owned();
            text += &line(&appointment).replace("\"priority\":", "\"priority\":7,\"was\":");
        }
    }
    text
}

fn appointment(index: usize, now: Instant, dice: &mut Dice, customers: &[&str], employees: &[&str]) -> AppointmentLine {
    let is_lead = index.is_multiple_of(LEAD_EVERY);
    let is_past = !is_lead && dice.below(8) == 0;
    let status = if is_lead { MobileStatus::Confirmed } else { status(dice, is_past) };
    let employee = dice.of(employees, USER).to_owned();
    let day = workday(now, dice, is_past);
    let begin = day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::minutes(15 * (28 + i64_of(dice.below(28))));
    let end = begin + TimeDelta::minutes(30 * (1 + i64_of(dice.below(4))));
    let all_day = dice.below(20) == 0;
    let (start, until) = if all_day {
        let last = day + Days::new(1 + dice.below(2));
        (day.to_string(), last.to_string())
    } else {
        (instant(begin), instant(end))
    };
    let changed = now.to_utc() - TimeDelta::minutes(5 + i64_of(dice.below(14 * 24 * 60)));
    let is_completed = status == MobileStatus::Completed;
    // What lies in the past was completed at its end, what lies ahead was completed early.
    let completed_on = is_completed.then(|| instant(end.min(changed)));
    let has_reason = matches!(status, MobileStatus::Suspended | MobileStatus::Rejected | MobileStatus::Canceled);
    AppointmentLine {
        id: format!("a-{index:04}"),
        channel: CHANNEL,
        number: format!("SA/{}/{index:06}", now.to_utc().year()),
        name: dice.of(&NAMES, "Visit"),
        visit_type: dice.of(&TYPES, "Visit"),
        customer: if is_lead { LEAD } else { dice.of(customers, LEAD) }.to_owned(),
        start,
        end: until,
        all_day,
        priority: dice.of(Priority::ALL, Priority::Normal),
        status,
        description: dice.of(&DESCRIPTIONS, ""),
        completed_on,
        completed_by: is_completed.then(|| employee.clone()),
        reason: has_reason.then(|| dice.of(&REASONS, "Customer asked for another date")),
        changed_at: instant(changed),
        deleted: dice.below(50) == 0 && !is_lead,
        attributes: Attributes {},
        employee,
    }
}

/// Mostly confirmed while ahead, mostly finished when past.
fn status(dice: &mut Dice, is_past: bool) -> MobileStatus {
    use MobileStatus::{Canceled, Completed, Confirmed, Pending, Rejected, Suspended, Unconfirmed};
    match (is_past, dice.below(20)) {
        (false, 0..=11) | (true, 0..=2) => Confirmed,
        (false, 12..=14) => Unconfirmed,
        (false, 15) => Pending,
        (false, 16) | (true, 3) => Suspended,
        (false, 17) | (true, 4..=15) => Completed,
        (false, 18) | (true, 16..=18) => Rejected,
        _ => Canceled,
    }
}

/// A day from Monday to Friday: within two months ahead, from the day after tomorrow on so that every time zone agrees, or
/// within the last month.
fn workday(now: Instant, dice: &mut Dice, is_past: bool) -> NaiveDate {
    let today = now.to_utc().date_naive();
    let (mut day, step) = if is_past {
        (today - TimeDelta::days(2 + i64_of(dice.below(28))), TimeDelta::days(-1))
    } else {
        (today + TimeDelta::days(2 + i64_of(dice.below(56))), TimeDelta::days(1))
    };
    while matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
        day += step;
    }
    day
}

fn i64_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(0)
}

fn customers(master: &MasterData, now: Instant) -> String {
    let changed_at = |days| instant(now.to_utc() - TimeDelta::days(days));
    // Some that the headquarters has, one of them moved, and some that are new.
    let known = master.partner.iter().take(6).enumerate().map(|(index, partner)| {
        let street = if index == 5 { "Targowa 44" } else { &partner.street };
        line(&CustomerLine {
            id: &partner.id,
            channel: CHANNEL,
            name: &partner.name,
            street,
            postcode: &partner.postcode,
            city: &partner.city,
            country: &partner.country,
            email: &partner.email,
            phone: &partner.phone,
            changed_at: changed_at(30),
            deleted: false,
        })
    });
    let new = NEW_CUSTOMERS.iter().map(|(id, name, street, postcode, city)| {
        line(&CustomerLine {
            id,
            channel: CHANNEL,
            name,
            street,
            postcode,
            city,
            country: "PL",
            email: &format!("{}@example.com", id.to_lowercase()),
            phone: "",
            changed_at: changed_at(3),
            deleted: false,
        })
    });
    known.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::demo::sample::MASTER_DATA;

    fn feed(now: &str) -> Feed {
        let master = toml::from_str(MASTER_DATA).expect("master data");
        make(&master, now.parse().expect("an instant"))
    }

    #[test]
    fn the_feed_is_the_same_every_time_and_has_every_status() {
        let now = "2026-11-23T10:00:00Z";
        let text = feed(now).appointments;
        assert_eq!(text, feed(now).appointments);
        let mut last = std::collections::HashMap::new();
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("json");
            last.insert(value["id"].as_str().expect("an id").to_owned(), value);
        }
        assert_eq!(last.len(), APPOINTMENTS + 1, "with the broken one");
        for status in MobileStatus::ALL {
            assert!(last.values().any(|value| value["status"] == status.name()), "no {status:?}");
        }
        let leads = last.values().filter(|value| value["customer"] == LEAD).count();
        assert_eq!(leads, APPOINTMENTS / LEAD_EVERY);
    }
}
