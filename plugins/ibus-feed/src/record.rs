//! One line of the feed becomes an appointment or a customer.

use std::borrow::Cow;

use apptsync_plugin::source::{Collection, Item};
use apptsync_plugin::text::{DESCRIPTION, IDENTIFIER, LINE, NOTE, excerpt};
use apptsync_plugin::types::{AllDay, Appointment, Customer, Instant, MobileStatus, Period, Priority, Timed};
use serde::Deserialize;

use crate::diagnose::diagnose;
use crate::instant::{parse_date, parse_instant};
use crate::plain::{self, Value, code};
use crate::values::{Attributes, Text};

const MOST_ATTRIBUTES: usize = 64;
const LONGEST_ATTRIBUTE_KEY: usize = 64;
const LONGEST_ATTRIBUTE: usize = 4_096;

/// Why a line is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It ends in the middle: what it is when the rest has been written is not known yet.
    Cut,
    /// It can never become one; why, for the operator.
    Broken(String),
}

/// Reads a line; `what` says which keys it must have.
///
/// # Errors
///
/// Why the line is no record, with the key and what is allowed.
pub fn read(what: Collection, line: &[u8]) -> Result<Item, Problem> {
    let line = std::str::from_utf8(line).map_err(|error| match (error.error_len(), line.get(error.valid_up_to())) {
        (Some(_), Some(byte)) => {
            Problem::Broken(format!("not UTF-8: byte {} of the line is 0x{byte:02x}", error.valid_up_to() + 1))
        }
        _ => Problem::Cut,
    })?;
    if what == Collection::Appointments
        && let Some(keys) = AppointmentLine::plain(line)
    {
        return keys.into_appointment().map(Item::Appointment).map_err(Problem::Broken);
    }
    read_generally(what, line)
}

/// Any JSON; apart from the plain lines, so that their code stays small.
#[inline(never)]
fn read_generally(what: Collection, line: &str) -> Result<Item, Problem> {
    let diagnosed = |error| diagnose(what, line, &error);
    match what {
        Collection::Appointments => {
            let keys: AppointmentLine = serde_json::from_str(line).map_err(diagnosed)?;
            keys.into_appointment().map(Item::Appointment).map_err(Problem::Broken)
        }
        Collection::Customers => {
            let keys: CustomerLine = serde_json::from_str(line).map_err(diagnosed)?;
            keys.into_customer().map(Item::Customer).map_err(Problem::Broken)
        }
    }
}

/// The keys of an appointment, in the order of the documented line.
const KEYS: [u128; 19] = [
    code("id"),
    code("channel"),
    code("number"),
    code("name"),
    code("type"),
    code("customer"),
    code("employee"),
    code("start"),
    code("end"),
    code("all_day"),
    code("priority"),
    code("status"),
    code("description"),
    code("completed_on"),
    code("completed_by"),
    code("reason"),
    code("changed_at"),
    code("deleted"),
    code("attributes"),
];

#[derive(Deserialize)]
struct AppointmentLine<'line> {
    #[serde(borrow)]
    id: Text<'line>,
    channel: Text<'line>,
    number: Text<'line>,
    name: Text<'line>,
    #[serde(rename = "type", default)]
    visit_type: Option<Text<'line>>,
    customer: Text<'line>,
    employee: Text<'line>,
    start: Text<'line>,
    end: Text<'line>,
    #[serde(default)]
    all_day: Option<bool>,
    #[serde(default)]
    priority: Option<Text<'line>>,
    status: Text<'line>,
    #[serde(default)]
    description: Option<Text<'line>>,
    #[serde(default)]
    completed_on: Option<Text<'line>>,
    #[serde(default)]
    completed_by: Option<Text<'line>>,
    #[serde(default)]
    reason: Option<Text<'line>>,
    changed_at: Text<'line>,
    #[serde(default)]
    deleted: Option<bool>,
    #[serde(default)]
    attributes: Option<Attributes<'line>>,
}

impl<'line> AppointmentLine<'line> {
    /// What the general parser makes of a plain line; none for all others.
    #[inline(never)]
    fn plain(line: &'line str) -> Option<Self> {
        let mut values = [None; KEYS.len()];
        let mut expected = 0;
        plain::object(line, |key, value| {
            // Nearly always the key that stands there in the documented line.
            let index = if KEYS.get(expected) == Some(&key) {
                expected
            } else {
                KEYS.iter().position(|known| *known == key)?
            };
            expected = index + 1;
            // Twice the same key is an error, which the general parser words.
            values.get_mut(index)?.replace(value).is_none().then_some(())
        })?;
        let [id, channel, number, name, visit_type, customer, employee, start, end, all_day, rest @ ..] = values;
        let [priority, status, description, completed_on, completed_by, reason, changed_at, deleted, attributes] = rest;
        Some(Self {
            id: id?.text()??,
            channel: channel?.text()??,
            number: number?.text()??,
            name: name?.text()??,
            visit_type: visit_type.map_or(Some(None), Value::text)?,
            customer: customer?.text()??,
            employee: employee?.text()??,
            start: start?.text()??,
            end: end?.text()??,
            all_day: all_day.map_or(Some(None), Value::flag)?,
            priority: priority.map_or(Some(None), Value::text)?,
            status: status?.text()??,
            description: description.map_or(Some(None), Value::text)?,
            completed_on: completed_on.map_or(Some(None), Value::text)?,
            completed_by: completed_by.map_or(Some(None), Value::text)?,
            reason: reason.map_or(Some(None), Value::text)?,
            changed_at: changed_at?.text()??,
            deleted: deleted.map_or(Some(None), Value::flag)?,
            attributes: match attributes {
                None | Some(Value::Null) => None,
                Some(Value::EmptyObject) => Some(Attributes(Vec::new())),
                Some(Value::Text(_) | Value::Flag(_)) => return None,
            },
        })
    }

    #[inline(never)]
    fn into_appointment(self) -> Result<Appointment, String> {
        Ok(Appointment {
            id: identifier("id", self.id)?,
            channel: identifier("channel", self.channel)?,
            number: limited("number", self.number, LINE)?,
            name: limited("name", self.name, LINE)?,
            visit_type: optional("type", self.visit_type, LINE)?.unwrap_or_default(),
            customer: identifier("customer", self.customer)?,
            employee: identifier("employee", self.employee)?,
            period: period(self.all_day.unwrap_or_default(), &self.start.0, &self.end.0)?,
            priority: self.priority.map_or(Ok(Priority::Normal), |text| priority(&text.0))?,
            status: status(&self.status.0)?,
            description: optional("description", self.description, DESCRIPTION)?.unwrap_or_default(),
            completed_on: self.completed_on.map(|text| instant("completed_on", &text.0)).transpose()?,
            completed_by: optional("completed_by", self.completed_by, LINE)?,
            reason: optional("reason", self.reason, NOTE)?,
            changed_at: instant("changed_at", &self.changed_at.0)?,
            deleted: self.deleted.unwrap_or_default(),
            attributes: attributes(self.attributes)?,
        })
    }
}

#[derive(Deserialize)]
struct CustomerLine<'line> {
    #[serde(borrow)]
    id: Text<'line>,
    channel: Text<'line>,
    name: Text<'line>,
    #[serde(default)]
    street: Option<Text<'line>>,
    #[serde(default)]
    postcode: Option<Text<'line>>,
    #[serde(default)]
    city: Option<Text<'line>>,
    #[serde(default)]
    country: Option<Text<'line>>,
    #[serde(default)]
    email: Option<Text<'line>>,
    #[serde(default)]
    phone: Option<Text<'line>>,
    changed_at: Text<'line>,
    #[serde(default)]
    deleted: Option<bool>,
    #[serde(default)]
    attributes: Option<Attributes<'line>>,
}

impl CustomerLine<'_> {
    fn into_customer(self) -> Result<Customer, String> {
        Ok(Customer {
            id: identifier("id", self.id)?,
            channel: identifier("channel", self.channel)?,
            name: limited("name", self.name, LINE)?,
            street: optional("street", self.street, LINE)?.unwrap_or_default(),
            postcode: optional("postcode", self.postcode, LINE)?.unwrap_or_default(),
            city: optional("city", self.city, LINE)?.unwrap_or_default(),
            country: optional("country", self.country, LINE)?.unwrap_or_default(),
            email: optional("email", self.email, LINE)?.unwrap_or_default(),
            phone: optional("phone", self.phone, LINE)?.unwrap_or_default(),
            changed_at: instant("changed_at", &self.changed_at.0)?,
            deleted: self.deleted.unwrap_or_default(),
            attributes: attributes(self.attributes)?,
        })
    }
}

fn identifier(key: &str, text: Text<'_>) -> Result<String, String> {
    let text = text.0;
    if text.is_empty() {
        return Err(format!("`{key}` is empty: 1 to {IDENTIFIER} bytes are needed"));
    }
    if text.len() > IDENTIFIER {
        return Err(too_long(key, &text, IDENTIFIER));
    }
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !plain && text.chars().any(char::is_control) {
        return Err(format!("`{key}` is {:?}: control characters are not allowed", excerpt_raw(&text)));
    }
    Ok(text.into_owned())
}

fn limited(key: &str, text: Text<'_>, longest: usize) -> Result<String, String> {
    if text.0.len() > longest { Err(too_long(key, &text.0, longest)) } else { Ok(text.0.into_owned()) }
}

fn optional(key: &str, text: Option<Text<'_>>, longest: usize) -> Result<Option<String>, String> {
    text.map(|text| limited(key, text, longest)).transpose()
}

fn too_long(key: &str, text: &str, longest: usize) -> String {
    format!("`{key}` has {} bytes, at most {longest} are allowed: \"{}\"", text.len(), excerpt(text, 80))
}

fn period(all_day: bool, start: &str, end: &str) -> Result<Period, String> {
    let backwards = || format!("`end` is \"{end}\" and must lie after `start`, which is \"{start}\"");
    if all_day {
        if date("end", end)? <= date("start", start)? {
            return Err(format!("{}: for all day `end` is the day after the last", backwards()));
        }
        return Ok(Period::AllDay(AllDay { start: start.to_owned(), end: end.to_owned() }));
    }
    let period = Timed { start: instant("start", start)?, end: instant("end", end)? };
    if period.end <= period.start { Err(backwards()) } else { Ok(Period::Timed(period)) }
}

fn instant(key: &str, text: &str) -> Result<Instant, String> {
    parse_instant(text).ok_or_else(|| {
        let whole_day = matches!(key, "start" | "end") && parse_date(text).is_some();
        let hint = if whole_day { "; a date alone needs \"all_day\":true" } else { "" };
        format!(
            "`{key}` is \"{}\": an instant of the years 1970 to 9999 is needed, with Z or an offset, such as 2026-12-01T09:00:00Z{hint}",
            excerpt(text, 80)
        )
    })
}

fn date(key: &str, text: &str) -> Result<i64, String> {
    parse_date(text).ok_or_else(|| {
        format!(
            "`{key}` is \"{}\": for all day a date of the years 1970 to 9999 is needed, such as 2026-12-01",
            excerpt(text, 80)
        )
    })
}

fn status(text: &str) -> Result<MobileStatus, String> {
    Ok(match text {
        "unconfirmed" => MobileStatus::Unconfirmed,
        "confirmed" => MobileStatus::Confirmed,
        "pending" => MobileStatus::Pending,
        "suspended" => MobileStatus::Suspended,
        "completed" => MobileStatus::Completed,
        "rejected" => MobileStatus::Rejected,
        "canceled" => MobileStatus::Canceled,
        other => {
            return Err(format!(
                "`status` is \"{}\": allowed are unconfirmed, confirmed, pending, suspended, completed, rejected and canceled",
                excerpt(other, 80)
            ));
        }
    })
}

fn priority(text: &str) -> Result<Priority, String> {
    Ok(match text {
        "low" => Priority::Low,
        "normal" => Priority::Normal,
        "high" => Priority::High,
        other => return Err(format!("`priority` is \"{}\": allowed are low, normal and high", excerpt(other, 80))),
    })
}

fn attributes(read: Option<Attributes<'_>>) -> Result<Vec<(String, String)>, String> {
    let Some(Attributes(pairs)) = read else {
        return Ok(Vec::new());
    };
    let mut kept: Vec<(String, String)> = Vec::with_capacity(pairs.len().min(MOST_ATTRIBUTES + 1));
    for (key, value) in pairs {
        if key.is_empty() || key.len() > LONGEST_ATTRIBUTE_KEY {
            return Err(format!(
                "`attributes` has the key \"{}\": 1 to {LONGEST_ATTRIBUTE_KEY} bytes are allowed",
                excerpt(&key, 80)
            ));
        }
        if value.len() > LONGEST_ATTRIBUTE {
            return Err(too_long(&format!("attributes.{key}"), &value, LONGEST_ATTRIBUTE));
        }
        // As JSON readers have it, the last value of a key counts.
        match kept.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value.into_owned(),
            None => kept.push((key.into_owned(), value.into_owned())),
        }
        if kept.len() > MOST_ATTRIBUTES {
            return Err(format!("`attributes` has more than {MOST_ATTRIBUTES} keys"));
        }
    }
    Ok(kept)
}

fn excerpt_raw(text: &str) -> String {
    text.chars().take(80).collect()
}

impl<'line> Value<'line> {
    /// A text or null; none for what is neither.
    fn text(self) -> Option<Option<Text<'line>>> {
        match self {
            Self::Text(text) => Some(Some(Text(Cow::Borrowed(text)))),
            Self::Null => Some(None),
            Self::Flag(_) | Self::EmptyObject => None,
        }
    }

    /// A truth value or null; none for what is neither.
    fn flag(self) -> Option<Option<bool>> {
        match self {
            Self::Flag(flag) => Some(Some(flag)),
            Self::Null => Some(None),
            Self::Text(_) | Self::EmptyObject => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNUSUAL: &[&str] = &["null", "true", "5", "{}", r#"{"a":"b"}"#, "[]", "\"\"", r#""\u0061""#, "\"", "nul"];

    fn value(key: &str) -> BoxedStrategy<String> {
        let usual = match key {
            "start" => "\"2026-12-01T09:00:00Z\"",
            "end" => "\"2026-12-01T10:00:00Z\"",
            "changed_at" | "completed_on" => "\"2026-11-23T08:00:00+01:00\"",
            "status" => "\"confirmed\"",
            "priority" => "\"high\"",
            "all_day" | "deleted" => "false",
            "attributes" => "{}",
            _ => "\"ż text\"",
        };
        prop_oneof![60 => Just(usual.to_owned()), 1 => prop::sample::select(UNUSUAL).prop_map(str::to_owned)].boxed()
    }

    fn pair(key: &'static str) -> BoxedStrategy<String> {
        let blanks = || prop_oneof![100 => Just(""), 9 => Just(" "), 1 => Just("\t")];
        (blanks(), blanks(), blanks(), value(key), blanks())
            .prop_map(move |(a, b, c, value, d)| format!("{a}\"{key}\"{b}:{c}{value}{d}"))
            .boxed()
    }

    fn line() -> impl Strategy<Value = String> {
        let names = [
            "id",
            "channel",
            "number",
            "name",
            "type",
            "customer",
            "employee",
            "start",
            "end",
            "all_day",
            "priority",
            "status",
            "description",
            "completed_on",
            "completed_by",
            "reason",
            "changed_at",
            "deleted",
            "attributes",
        ];
        let more =
            prop::collection::vec(prop::sample::select(&["id", "reason", "unknown"][..]).prop_flat_map(pair), 0..2);
        (names.map(pair).to_vec().prop_shuffle(), more, prop_oneof![9 => Just(0), 1 => 1..3_usize]).prop_map(
            |(pairs, more, without)| {
                let pairs: Vec<_> = pairs.into_iter().skip(without).chain(more).collect();
                format!("{{{}}}\r", pairs.join(","))
            },
        )
    }

    proptest! {
        #[test]
        fn a_plain_line_is_read_as_the_general_parser_reads_it(line in line()) {
            if let Some(plain) = AppointmentLine::plain(&line) {
                let general: AppointmentLine = serde_json::from_str(&line).expect("JSON");
                prop_assert_eq!(plain.into_appointment(), general.into_appointment());
            }
        }
    }

    #[test]
    fn the_documented_line_is_plain() {
        let line = r#"{"id":"a-1","channel":"B2B","number":"SA/2026/000001","name":"Autumn assortment","type":"Visit","customer":"C00017","employee":"B","start":"2026-12-01T09:00:00Z","end":"2026-12-01T10:00:00Z","all_day":false,"priority":"normal","status":"confirmed","description":"…","completed_on":null,"completed_by":null,"reason":null,"changed_at":"2026-11-23T08:00:00Z","deleted":false,"attributes":{}}"#;
        assert!(AppointmentLine::plain(line).is_some());
        assert!(AppointmentLine::plain(&line.replace(":", ": ").replace(",", ", ")).is_some());
    }
}
