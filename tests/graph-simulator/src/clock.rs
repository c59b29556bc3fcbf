//! Two clocks. That of the mailboxes can be stopped at an instant, so that what they stamp is repeatable; that of the
//! identity service follows the machine, because the clients' signed assertions do. Both can be advanced.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    stopped: Option<DateTime<Utc>>,
    advanced: TimeDelta,
}

impl Clock {
    pub(crate) fn new(stopped: Option<DateTime<Utc>>) -> Self {
        Self { stopped, advanced: TimeDelta::zero() }
    }

    /// The instant in the mailboxes.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.stopped.unwrap_or_else(Utc::now) + self.advanced
    }

    /// The instant for tokens, assertions and codes.
    pub(crate) fn identity_now(&self) -> DateTime<Utc> {
        Utc::now() + self.advanced
    }

    /// Stops the mailboxes' clock at an instant, or lets it follow the machine again.
    pub(crate) fn set(&mut self, instant: Option<DateTime<Utc>>) {
        *self = Self::new(instant);
    }

    /// Moves both clocks on.
    pub(crate) fn advance(&mut self, by: TimeDelta) {
        self.advanced += by;
    }
}

/// An instant as Graph writes it, in seven digits.
pub(crate) fn stamp(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%dT%H:%M:%S%.6f0Z").to_string()
}

/// An instant to the second.
pub(crate) fn short_stamp(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}
