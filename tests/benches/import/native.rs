//! The built-in stages as native calls: the same code that the components are made of, linked into the bench.

use apptsync_model::{Decision, DefinitionSettings, Draft, Instant, Occasion, Period, Priority, Question, RecordError};
use apptsync_plugin::{activity_definition, status_mapping as mapping, types};
use apptsync_runtime::{Answers, Definition, StatusMapping};

/// Both stages.
pub(crate) struct Stages;

fn priority(priority: Priority) -> types::Priority {
    match priority {
        Priority::Low => types::Priority::Low,
        Priority::Normal => types::Priority::Normal,
        Priority::High => types::Priority::High,
    }
}

fn appointment(appointment: &apptsync_model::Appointment) -> types::Appointment {
    use apptsync_model::MobileStatus as Status;
    types::Appointment {
        id: appointment.id.clone(),
        channel: appointment.channel.clone(),
        number: appointment.number.clone(),
        name: appointment.name.clone(),
        visit_type: appointment.visit_type.clone(),
        customer: appointment.customer.clone(),
        employee: appointment.employee.clone(),
        period: match &appointment.period {
            Period::Timed { start, end } => types::Period::Timed(types::Timed { start: start.0, end: end.0 }),
            Period::AllDay { start, end } => {
                types::Period::AllDay(types::AllDay { start: start.to_string(), end: end.to_string() })
            }
        },
        priority: priority(appointment.priority),
        status: match appointment.status {
            Status::Unconfirmed => types::MobileStatus::Unconfirmed,
            Status::Confirmed => types::MobileStatus::Confirmed,
            Status::Pending => types::MobileStatus::Pending,
            Status::Suspended => types::MobileStatus::Suspended,
            Status::Completed => types::MobileStatus::Completed,
            Status::Rejected => types::MobileStatus::Rejected,
            Status::Canceled => types::MobileStatus::Canceled,
        },
        description: appointment.description.clone(),
        completed_on: appointment.completed_on.map(|instant| instant.0),
        completed_by: appointment.completed_by.clone(),
        reason: appointment.reason.clone(),
        changed_at: appointment.changed_at.0,
        deleted: appointment.deleted,
        attributes: appointment.attributes.clone(),
    }
}

fn status_in(status: apptsync_model::ActivityStatus) -> types::ActivityStatus {
    match status {
        apptsync_model::ActivityStatus::Planned => types::ActivityStatus::Planned,
        apptsync_model::ActivityStatus::Delayed => types::ActivityStatus::Delayed,
        apptsync_model::ActivityStatus::Completed => types::ActivityStatus::Completed,
        apptsync_model::ActivityStatus::CompletedUnprocessed => types::ActivityStatus::CompletedUnprocessed,
    }
}

fn status_out(status: types::ActivityStatus) -> apptsync_model::ActivityStatus {
    match status {
        types::ActivityStatus::Planned => apptsync_model::ActivityStatus::Planned,
        types::ActivityStatus::Delayed => apptsync_model::ActivityStatus::Delayed,
        types::ActivityStatus::Completed => apptsync_model::ActivityStatus::Completed,
        types::ActivityStatus::CompletedUnprocessed => apptsync_model::ActivityStatus::CompletedUnprocessed,
    }
}

fn error(error: types::RecordError) -> RecordError {
    RecordError { code: error.code, message: error.message }
}

impl StatusMapping for Stages {
    fn decide(&self, now: Instant, batch: &[Question<'_>]) -> Answers<Decision> {
        let question = |question: &Question<'_>| mapping::Question {
            appointment: appointment(question.appointment),
            start: question.start.0,
            end: question.end.0,
            current: question.current.map(status_in),
        };
        let questions = batch.iter().map(question).collect();
        let answers = status_mapping::decide(status_mapping::LateResults::InPeriod, now.0, questions);
        let decision = |decision: mapping::Decision| Decision {
            status: status_out(decision.status),
            note: decision.note,
            rule: decision.rule,
        };
        Ok(answers.into_iter().map(|answer| answer.map(decision).map_err(error)).collect())
    }
}

impl Definition for Stages {
    fn render(&self, settings: &DefinitionSettings, batch: &[Occasion<'_>]) -> Answers<Draft> {
        let settings = activity_definition::Settings {
            name: settings.name.clone(),
            kind: settings.kind.clone(),
            priority: priority(settings.priority),
            texts: activity_definition::Texts {
                subject: settings.subject.clone(),
                description: settings.description.clone(),
            },
        };
        let occasion = |occasion: &Occasion<'_>| {
            let (context, customer) = (&occasion.context, occasion.context.customer);
            activity_definition::Occasion {
                context: types::AppointmentContext {
                    appointment: appointment(context.appointment),
                    customer: types::Customer {
                        id: customer.id.clone(),
                        channel: customer.channel.clone(),
                        name: customer.name.clone(),
                        street: customer.street.clone(),
                        postcode: customer.postcode.clone(),
                        city: customer.city.clone(),
                        country: customer.country.clone(),
                        email: customer.email.clone(),
                        phone: customer.phone.clone(),
                        changed_at: customer.changed_at.0,
                        deleted: customer.deleted,
                        attributes: Vec::new(),
                    },
                    employee_name: context.employee_name.to_owned(),
                    zone: context.zone.to_owned(),
                    local_start: context.local_start.to_owned(),
                    local_end: context.local_end.to_owned(),
                },
                status: status_in(occasion.status),
                note: occasion.note.map(str::to_owned),
            }
        };
        let occasions = batch.iter().map(occasion).collect();
        let draft = |(draft, asked): (activity_definition::Draft, &Occasion<'_>)| Draft {
            subject: draft.subject,
            description: draft.description,
            kind: draft.kind,
            priority: match draft.priority {
                types::Priority::Low => Priority::Low,
                types::Priority::Normal => Priority::Normal,
                types::Priority::High => Priority::High,
            },
            period: match draft.period {
                types::Period::Timed(timed) => Period::Timed { start: Instant(timed.start), end: Instant(timed.end) },
                // The feed of the bench has no whole days; a definition does not make any.
                types::Period::AllDay(_) => asked.context.appointment.period,
            },
            attributes: draft.attributes,
        };
        let answers = appointment_synchronize::render(&settings, occasions);
        Ok(answers
            .into_iter()
            .zip(batch)
            .map(|(answer, asked)| answer.map(|answer| draft((answer, asked))).map_err(error))
            .collect())
    }
}
