//! The variables that the texts may use.

use apptsync_plugin::activity_definition::Occasion;
use apptsync_plugin::calendar::push_instant;
use apptsync_plugin::types::{ActivityStatus, Customer, MobileStatus, Priority};

macro_rules! variables {
    ($($variant:ident $name:literal $meaning:literal,)+) => {
        /// A variable of a template.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Variable {
            $(#[doc = $meaning] $variant,)+
        }

        impl Variable {
            /// All of them, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in templates, without braces.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it stands for.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

variables! {
    Number "number" "Number of the appointment.",
    Name "name" "Name of the appointment.",
    Type "type" "Type of the visit.",
    Customer "customer" "Name of the customer.",
    CustomerId "customer-id" "The customer's id in the sales channel.",
    Address "address" "The customer's address on one line: street, postcode city, country.",
    Street "street" "Street of the customer's address.",
    Postcode "postcode" "Postcode of the customer's address.",
    City "city" "City of the customer's address.",
    Country "country" "Country of the customer's address, two letters.",
    Email "email" "The customer's e-mail address.",
    Phone "phone" "The customer's telephone number.",
    Status "status" "Status in Mobile: Unconfirmed, Confirmed, Pending, Suspended, Completed or Rejected.",
    Note "note" "When and why Mobile rejected, deleted or suspended it.",
    Description "description" "Description of the appointment.",
    Reason "reason" "Reason of the rejection or suspension alone.",
    Employee "employee" "Name of the employee in charge.",
    EmployeeId "employee-id" "Id of the employee in charge.",
    Priority "priority" "Priority of the appointment in Mobile: Low, Normal or High.",
    Start "start" "Start in the organization's time zone.",
    End "end" "End in the organization's time zone; for all day the last day.",
    Zone "zone" "The organization's time zone.",
    CompletedOn "completed-on" "When it was completed in Mobile, in UTC.",
    CompletedBy "completed-by" "Id of the employee who completed it in Mobile.",
    Channel "channel" "The sales channel.",
    HeadquartersStatus "headquarters-status" "Status in the headquarters: Planned, Delayed, Completed or Completed unprocessed.",
}

impl Variable {
    /// The variable of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.name() == name)
    }

    /// Appends its value; nothing when it is empty.
    pub fn push(self, text: &mut String, occasion: &Occasion) {
        let context = &occasion.context;
        let appointment = &context.appointment;
        let customer = &context.customer;
        text.push_str(match self {
            Self::Number => &appointment.number,
            Self::Name => &appointment.name,
            Self::Type => &appointment.visit_type,
            Self::Customer => &customer.name,
            Self::CustomerId => &appointment.customer,
            Self::Address => return push_address(text, customer),
            Self::Street => &customer.street,
            Self::Postcode => &customer.postcode,
            Self::City => &customer.city,
            Self::Country => &customer.country,
            Self::Email => &customer.email,
            Self::Phone => &customer.phone,
            Self::Status => mobile_label(appointment.status),
            Self::Note => occasion.note.as_deref().unwrap_or_default(),
            Self::Description => &appointment.description,
            Self::Reason => appointment.reason.as_deref().unwrap_or_default(),
            Self::Employee => &context.employee_name,
            Self::EmployeeId => &appointment.employee,
            Self::Priority => priority_label(appointment.priority),
            Self::Start => &context.local_start,
            Self::End => &context.local_end,
            Self::Zone => &context.zone,
            Self::CompletedOn => {
                if let Some(instant) = appointment.completed_on {
                    push_instant(text, instant);
                }
                return;
            }
            Self::CompletedBy => appointment.completed_by.as_deref().unwrap_or_default(),
            Self::Channel => &appointment.channel,
            Self::HeadquartersStatus => headquarters_label(occasion.status),
        });
    }
}

/// `street, postcode city, country` without the parts that are empty.
fn push_address(text: &mut String, customer: &Customer) {
    let parts = [
        ("", &customer.street),
        (", ", &customer.postcode),
        (if customer.postcode.is_empty() { ", " } else { " " }, &customer.city),
        (", ", &customer.country),
    ];
    let begin = text.len();
    for (separator, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
        if text.len() > begin {
            text.push_str(separator);
        }
        text.push_str(part);
    }
}

const fn mobile_label(status: MobileStatus) -> &'static str {
    match status {
        MobileStatus::Unconfirmed => "Unconfirmed",
        MobileStatus::Confirmed => "Confirmed",
        MobileStatus::Pending => "Pending",
        MobileStatus::Suspended => "Suspended",
        MobileStatus::Completed => "Completed",
        MobileStatus::Rejected | MobileStatus::Canceled => "Rejected",
    }
}

const fn headquarters_label(status: ActivityStatus) -> &'static str {
    match status {
        ActivityStatus::Planned => "Planned",
        ActivityStatus::Delayed => "Delayed",
        ActivityStatus::Completed => "Completed",
        ActivityStatus::CompletedUnprocessed => "Completed unprocessed",
    }
}

const fn priority_label(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Normal => "Normal",
        Priority::High => "High",
    }
}
