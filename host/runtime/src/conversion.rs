//! Between the model and the bindings. What goes in is lent, not copied; what comes out is untrusted, and checked against
//! the limits of the contract (`wit/types.wit`).

pub(crate) mod connector;

use apptsync_model as model;
use apptsync_model::{Instant, Period, RecordError, text};
use chrono::{Datelike, NaiveDate};

use crate::bindings::exports::ibus::appointments::{activity_definition, extension, source, status_mapping};
use crate::bindings::ibus::appointments::types as wit;
use crate::failure::SourceFailure;

const MAX_ATTRIBUTES: usize = 64;
const MAX_ATTRIBUTE_NAME: usize = 64;
const MAX_CURSOR: usize = 65_536;
const MAX_NOTICES: usize = 64;
const MAX_TEMPLATE: usize = 16_384;
const MAX_VARIABLES: usize = 256;
const MAX_KIND: usize = 128;
const MAX_RULE: usize = 256;
const MAX_CODE: usize = 64;

/// What a record lends to a call and does not itself hold in the shape of the bindings.
pub(crate) struct Lent<'a> {
    attributes: Vec<(&'a str, &'a str)>,
    days: Option<(String, String)>,
}

/// Prepares what a batch lends to a call.
pub(crate) fn lend<'a>(appointments: impl Iterator<Item = &'a model::Appointment>) -> Vec<Lent<'a>> {
    let lend = |appointment: &'a model::Appointment| Lent {
        attributes: appointment.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        days: match &appointment.period {
            Period::Timed { .. } => None,
            Period::AllDay { start, end } => Some((start.to_string(), end.to_string())),
        },
    };
    appointments.map(lend).collect()
}

fn period_in<'a>(period: &Period, lent: &'a Lent<'_>) -> wit::PeriodParam<'a> {
    match (period, &lent.days) {
        (Period::AllDay { .. }, Some((start, end))) => wit::PeriodParam::AllDay(wit::AllDayParam { start, end }),
        (period, _) => {
            let (start, end) = period.instants(chrono_tz::UTC);
            wit::PeriodParam::Timed(wit::Timed { start: start.0, end: end.0 })
        }
    }
}

fn appointment_in<'a>(appointment: &'a model::Appointment, lent: &'a Lent<'a>) -> wit::AppointmentParam<'a> {
    wit::AppointmentParam {
        id: &appointment.id,
        channel: &appointment.channel,
        number: &appointment.number,
        name: &appointment.name,
        visit_type: &appointment.visit_type,
        customer: &appointment.customer,
        employee: &appointment.employee,
        period: period_in(&appointment.period, lent),
        priority: priority_in(appointment.priority),
        status: match appointment.status {
            model::MobileStatus::Unconfirmed => wit::MobileStatus::Unconfirmed,
            model::MobileStatus::Confirmed => wit::MobileStatus::Confirmed,
            model::MobileStatus::Pending => wit::MobileStatus::Pending,
            model::MobileStatus::Suspended => wit::MobileStatus::Suspended,
            model::MobileStatus::Completed => wit::MobileStatus::Completed,
            model::MobileStatus::Rejected => wit::MobileStatus::Rejected,
            model::MobileStatus::Canceled => wit::MobileStatus::Canceled,
        },
        description: &appointment.description,
        completed_on: appointment.completed_on.map(|instant| instant.0),
        completed_by: appointment.completed_by.as_deref(),
        reason: appointment.reason.as_deref(),
        changed_at: appointment.changed_at.0,
        deleted: appointment.deleted,
        attributes: &lent.attributes,
    }
}

fn priority_in(priority: model::Priority) -> wit::Priority {
    match priority {
        model::Priority::Low => wit::Priority::Low,
        model::Priority::Normal => wit::Priority::Normal,
        model::Priority::High => wit::Priority::High,
    }
}

fn priority_out(priority: wit::Priority) -> model::Priority {
    match priority {
        wit::Priority::Low => model::Priority::Low,
        wit::Priority::Normal => model::Priority::Normal,
        wit::Priority::High => model::Priority::High,
    }
}

fn status_in(status: model::ActivityStatus) -> wit::ActivityStatus {
    match status {
        model::ActivityStatus::Planned => wit::ActivityStatus::Planned,
        model::ActivityStatus::Delayed => wit::ActivityStatus::Delayed,
        model::ActivityStatus::Completed => wit::ActivityStatus::Completed,
        model::ActivityStatus::CompletedUnprocessed => wit::ActivityStatus::CompletedUnprocessed,
    }
}

fn status_out(status: wit::ActivityStatus) -> model::ActivityStatus {
    match status {
        wit::ActivityStatus::Planned => model::ActivityStatus::Planned,
        wit::ActivityStatus::Delayed => model::ActivityStatus::Delayed,
        wit::ActivityStatus::Completed => model::ActivityStatus::Completed,
        wit::ActivityStatus::CompletedUnprocessed => model::ActivityStatus::CompletedUnprocessed,
    }
}

pub(crate) fn question<'a>(question: &'a model::Question<'a>, lent: &'a Lent<'a>) -> status_mapping::Question<'a> {
    status_mapping::Question {
        appointment: appointment_in(question.appointment, lent),
        start: question.start.0,
        end: question.end.0,
        current: question.current.map(status_in),
    }
}

pub(crate) fn context<'a>(
    context: &'a model::AppointmentContext<'a>,
    lent: &'a Lent<'a>,
) -> wit::AppointmentContext<'a> {
    let customer = context.customer;
    wit::AppointmentContext {
        appointment: appointment_in(context.appointment, lent),
        customer: wit::CustomerParam {
            id: &customer.id,
            channel: &customer.channel,
            name: &customer.name,
            street: &customer.street,
            postcode: &customer.postcode,
            city: &customer.city,
            country: &customer.country,
            email: &customer.email,
            phone: &customer.phone,
            changed_at: customer.changed_at.0,
            deleted: customer.deleted,
            attributes: &[],
        },
        employee_name: context.employee_name,
        zone: context.zone,
        local_start: context.local_start,
        local_end: context.local_end,
    }
}

pub(crate) fn occasion<'a>(occasion: &'a model::Occasion<'a>, lent: &'a Lent<'a>) -> activity_definition::Occasion<'a> {
    activity_definition::Occasion {
        context: context(&occasion.context, lent),
        status: status_in(occasion.status),
        note: occasion.note,
    }
}

pub(crate) fn settings(settings: &model::DefinitionSettings) -> activity_definition::SettingsParam<'_> {
    activity_definition::SettingsParam {
        name: &settings.name,
        kind: &settings.kind,
        priority: priority_in(settings.priority),
        texts: activity_definition::TextsParam { subject: &settings.subject, description: &settings.description },
    }
}

/// A value of a plugin that breaks the contract.
struct Broken(String);

type Checked<T> = Result<T, Broken>;

fn id(what: &str, value: String) -> Checked<String> {
    if text::is_id(&value) {
        Ok(value)
    } else {
        let shown = text::quoted(text::cut(&value, 80).as_ref());
        Err(Broken(format!(
            "{what} `{shown}` is no identifier: 1 to {} bytes without control characters",
            text::MAX_ID
        )))
    }
}

fn at_most(what: &str, value: &str, bytes: usize) -> Checked<()> {
    if value.len() > bytes {
        return Err(Broken(format!("{what} has {} bytes, at most {bytes} are allowed", value.len())));
    }
    Ok(())
}

/// A short text of the contract that may not be empty.
fn word(what: &str, value: String, bytes: usize) -> Checked<String> {
    if value.is_empty() {
        return Err(Broken(format!("{what} is empty")));
    }
    at_most(what, &value, bytes)?;
    Ok(text::line(value))
}

fn line(what: &str, value: String) -> Checked<String> {
    at_most(what, &value, text::MAX_LINE)?;
    Ok(text::line(value))
}

fn lines(what: &str, value: String, bytes: usize) -> Checked<String> {
    at_most(what, &value, bytes)?;
    Ok(text::lines(value))
}

fn instant(what: &str, seconds: i64) -> Checked<Instant> {
    let instant = Instant(seconds);
    if instant.is_valid() {
        return Ok(instant);
    }
    Err(Broken(format!("{what} {seconds} is no instant between 0 and {}", Instant::MAX.0)))
}

fn date(what: &str, value: &str) -> Checked<NaiveDate> {
    let date = (value.len() == 10).then(|| value.parse::<NaiveDate>().ok()).flatten();
    date.filter(|date| (1970..=9999).contains(&date.year())).ok_or_else(|| {
        let shown = text::quoted(text::cut(value, 80).as_ref());
        Broken(format!("{what} `{shown}` is no date such as 2026-12-01 between 1970 and 9999"))
    })
}

fn period(value: wit::PeriodResult) -> Checked<Period> {
    match value {
        wit::PeriodResult::Timed(timed) => {
            let (start, end) = (instant("start", timed.start)?, instant("end", timed.end)?);
            if end <= start {
                return Err(Broken(format!("the end {end} does not lie after the start {start}")));
            }
            Ok(Period::Timed { start, end })
        }
        wit::PeriodResult::AllDay(days) => {
            let (start, end) = (date("start", &days.start)?, date("end", &days.end)?);
            if end <= start {
                return Err(Broken(format!("the end {end} does not lie after the start {start}")));
            }
            Ok(Period::AllDay { start, end })
        }
    }
}

fn named_values(values: Vec<(String, String)>) -> Checked<model::Attributes> {
    if values.len() > MAX_ATTRIBUTES {
        return Err(Broken(format!("{} attributes, at most {MAX_ATTRIBUTES} are allowed", values.len())));
    }
    let check = |(name, value): (String, String)| {
        if name.is_empty() {
            return Err(Broken("an attribute has no name".into()));
        }
        at_most("the name of an attribute", &name, MAX_ATTRIBUTE_NAME)?;
        Ok((line("the name of an attribute", name)?, lines("an attribute", value, text::MAX_NOTE)?))
    };
    values.into_iter().map(check).collect()
}

fn appointment(value: wit::AppointmentResult) -> Checked<model::Appointment> {
    let note = |what: &str, value: Option<String>| value.map(|value| lines(what, value, text::MAX_NOTE)).transpose();
    Ok(model::Appointment {
        id: id("the id", value.id)?,
        channel: id("the channel", value.channel)?,
        number: line("the number", value.number)?,
        name: line("the name", value.name)?,
        visit_type: line("the visit type", value.visit_type)?,
        customer: id("the customer", value.customer)?,
        employee: id("the employee", value.employee)?,
        period: period(value.period)?,
        priority: priority_out(value.priority),
        status: match value.status {
            wit::MobileStatus::Unconfirmed => model::MobileStatus::Unconfirmed,
            wit::MobileStatus::Confirmed => model::MobileStatus::Confirmed,
            wit::MobileStatus::Pending => model::MobileStatus::Pending,
            wit::MobileStatus::Suspended => model::MobileStatus::Suspended,
            wit::MobileStatus::Completed => model::MobileStatus::Completed,
            wit::MobileStatus::Rejected => model::MobileStatus::Rejected,
            wit::MobileStatus::Canceled => model::MobileStatus::Canceled,
        },
        description: lines("the description", value.description, text::MAX_DESCRIPTION)?,
        completed_on: value.completed_on.map(|seconds| instant("completed on", seconds)).transpose()?,
        completed_by: value.completed_by.map(|value| line("completed by", value)).transpose()?,
        reason: note("the reason", value.reason)?,
        changed_at: instant("changed at", value.changed_at)?,
        deleted: value.deleted,
        attributes: named_values(value.attributes)?,
    })
}

fn customer(value: wit::CustomerResult) -> Checked<model::Customer> {
    Ok(model::Customer {
        id: id("the id", value.id)?,
        channel: id("the channel", value.channel)?,
        name: line("the name", value.name)?,
        street: line("the street", value.street)?,
        postcode: line("the post code", value.postcode)?,
        city: line("the city", value.city)?,
        country: line("the country", value.country)?,
        email: line("the e-mail address", value.email)?,
        phone: line("the telephone", value.phone)?,
        changed_at: instant("changed at", value.changed_at)?,
        deleted: value.deleted,
        attributes: named_values(value.attributes)?,
    })
}

fn item(value: source::Item, asked: &str) -> model::SourceItem {
    let (key, channel, converted) = match value {
        source::Item::Appointment(value) => {
            let (key, channel) = (value.id.clone(), value.channel.clone());
            (key, channel, appointment(value).map(|value| model::SourceItem::Appointment(Box::new(value))))
        }
        source::Item::Customer(value) => {
            let (key, channel) = (value.id.clone(), value.channel.clone());
            (key, channel, customer(value).map(|value| model::SourceItem::Customer(Box::new(value))))
        }
        source::Item::Broken(broken) => {
            return model::SourceItem::Broken {
                place: text::quoted(&broken.place),
                reason: text::quoted(&broken.reason),
            };
        }
    };
    let foreign = || Broken(format!("it belongs to the sales channel `{}`, not `{asked}`", text::quoted(&channel)));
    match converted.and_then(|item| if channel == asked { Ok(item) } else { Err(foreign()) }) {
        Ok(item) => item,
        Err(Broken(reason)) => {
            let place = format!("record `{}`", text::quoted(text::cut(&key, text::MAX_ID).as_ref()));
            model::SourceItem::Broken { place, reason }
        }
    }
}

pub(crate) fn page(value: source::Page, channel: &str, limit: usize) -> wasmtime::Result<model::SourcePage> {
    if value.items.len() > limit {
        wasmtime::bail!("{} items came back, {limit} were asked for", value.items.len());
    }
    if value.next.len() > MAX_CURSOR {
        wasmtime::bail!("the cursor has {} bytes, at most {MAX_CURSOR} are allowed", value.next.len());
    }
    let items = value.items.into_iter().map(|value| item(value, channel)).collect();
    let notices = value.notices.iter().take(MAX_NOTICES).map(|notice| text::quoted(notice)).collect();
    Ok(model::SourcePage { items, next: value.next, done: value.done, notices })
}

pub(crate) fn failure(value: wit::Failure) -> SourceFailure {
    match value {
        wit::Failure::Throttled(seconds) => SourceFailure::Throttled(seconds),
        wit::Failure::Auth(reason) => SourceFailure::Auth(text::quoted(&reason)),
        wit::Failure::Gone => SourceFailure::Gone,
        wit::Failure::Conflict => SourceFailure::Conflict,
        wit::Failure::Transient(reason) => SourceFailure::Transient(text::quoted(&reason)),
        wit::Failure::Permanent(reason) => SourceFailure::Permanent(text::quoted(&reason)),
    }
}

/// An answer of a stage, with the id it is about.
type Answer<T> = (String, Result<T, RecordError>);

fn beyond_limits(Broken(reason): Broken) -> RecordError {
    RecordError { code: "limits".into(), message: reason }
}

pub(crate) fn record_error<T>(value: wit::RecordError) -> Answer<T> {
    let code = if value.code.is_empty() { "no-code" } else { &value.code };
    let code = text::quoted(text::cut(code, MAX_CODE).as_ref());
    (value.id, Err(RecordError { code, message: text::quoted(&value.message) }))
}

pub(crate) fn decision(value: status_mapping::Decision) -> Answer<model::Decision> {
    let convert = |note: Option<String>, rule: String| {
        let note = note.map(|note| lines("the note", note, text::MAX_NOTE)).transpose()?;
        Ok(model::Decision { status: status_out(value.status), note, rule: word("the rule", rule, MAX_RULE)? })
    };
    (value.id, convert(value.note, value.rule).map_err(beyond_limits))
}

pub(crate) fn draft(value: activity_definition::Draft) -> Answer<model::Draft> {
    let convert = || {
        Ok(model::Draft {
            subject: line("the subject", value.subject)?,
            description: lines("the description", value.description, text::MAX_DESCRIPTION)?,
            kind: word("the kind", value.kind, MAX_KIND)?,
            priority: priority_out(value.priority),
            period: period(value.period)?,
            attributes: named_values(value.attributes)?,
        })
    };
    (value.id, convert().map_err(beyond_limits))
}

pub(crate) fn verdict(value: extension::Answer) -> Answer<model::Verdict> {
    let verdict = match value.verdict {
        extension::Verdict::Unchanged => Ok(model::Verdict::Unchanged),
        extension::Verdict::Changed(value) => appointment(value).map(|value| model::Verdict::Changed(Box::new(value))),
        extension::Verdict::Veto(reason) => Ok(model::Verdict::Veto(text::quoted(&reason))),
    };
    (value.id, verdict.map_err(beyond_limits))
}

pub(crate) fn description(value: activity_definition::Description) -> wasmtime::Result<model::DefinitionDescription> {
    let convert = || -> Checked<model::DefinitionDescription> {
        let settings = value.settings;
        if value.variables.len() > MAX_VARIABLES {
            return Err(Broken(format!("{} variables, at most {MAX_VARIABLES} are allowed", value.variables.len())));
        }
        let variable = |variable: activity_definition::Variable| {
            Ok(model::Variable {
                name: line("a variable", variable.name)?,
                meaning: line("a meaning", variable.meaning)?,
            })
        };
        at_most("the template of the description", &settings.texts.description, MAX_TEMPLATE)?;
        Ok(model::DefinitionDescription {
            settings: model::DefinitionSettings {
                name: id("the name", settings.name)?,
                kind: word("the kind", settings.kind, MAX_KIND)?,
                priority: priority_out(settings.priority),
                subject: line("the template of the subject", settings.texts.subject)?,
                description: text::lines(settings.texts.description),
            },
            variables: value.variables.into_iter().map(variable).collect::<Checked<_>>()?,
        })
    };
    convert().map_err(|Broken(reason)| wasmtime::Error::msg(reason))
}

pub(crate) fn texts(values: Vec<String>) -> Vec<String> {
    values.iter().take(MAX_NOTICES).map(|value| text::quoted(value)).collect()
}
