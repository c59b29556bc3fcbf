//! Domain types and rules of apptsync: pure, without input or output, without a clock of its own.
//!
//! Section numbers in the documentation refer to the domain rules: 2 Mobile's appointment, 3 master data, 4 batch
//! applications, 5 first import, 6 activity definition, 7 status, 8 Outlook.

mod activity;
mod appointment;
mod definition;
mod eligibility;
mod job;
mod ledger;
mod master;
mod mobile;
pub mod outlook;
mod stage;
pub mod text;
mod time;

pub use activity::{Activity, ActivityFilter, ActivityId, ActivityOrder, ActivityStatus, LOCATION, UNDATED};
pub use appointment::{Appointment, Attributes, Customer, MobileStatus, Period, Priority};
pub use definition::{
    APPOINTMENT_SYNCHRONIZE, ContentLanguage, DefinitionDescription, DefinitionSettings, DefinitionTexts, Variable,
};
pub use eligibility::{Facts, SkipReason, first_import, new_version};
pub use job::{Application, ChangedSince, JobId, JobState, Message, Severity, StageReport};
pub use ledger::{Imbalance, Ledger, Outcome};
pub use master::{
    Channel, ChannelPartner, Employee, IbusSettings, InvalidId, MasterData, Organization, Partner, Profile,
    check_channel_id, team,
};
pub use mobile::{MobileAction, Refusal, WrongTransition};
pub use stage::{
    AppointmentContext, Decision, Draft, Occasion, Question, RecordError, SourceItem, SourcePage, Verdict,
};
pub use time::{Instant, InvalidInstant, day_start, local_date_time, local_period};

/// Declares an enumeration whose values have one stable name each (in configuration, JSON and the database) and one label
/// for people. The crate that uses it needs serde.
#[macro_export]
macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$case_meta:meta])* $case:ident = $text:literal, $label:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$case_meta])* #[serde(rename = $text)] $case,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$case),+];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$case => $text),+ }
            }

            /// The label that people see.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$case => $label),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.label())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> ::std::result::Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.name() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|value| value.name()).collect();
                    format!("`{}` is not {}: use one of {}", text.escape_debug(), $what, names.join(", "))
                })
            }
        }
    };
}
