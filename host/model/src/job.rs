//! Batch applications and batch jobs (domain 4).

use serde::{Deserialize, Serialize};

use crate::{Instant, Outcome, named_enum};

/// Number of a batch job.
pub type JobId = i64;

named_enum! {
    /// A batch application (domain 4).
    Application, "a batch application" {
        /// Makes and updates partners.
        ImportCustomers = "import-customers", "Import customers";
        /// Makes and updates activities.
        ImportActivities = "import-activities", "BUS: Import activities";
        /// The collective one: runs the others in the right order.
        ImportData = "import-data", "BUS Import data";
    }
}

named_enum! {
    /// State of a batch job (domain 4).
    JobState, "a state of a batch job" {
        /// Waits for its turn.
        Scheduled = "scheduled", "Scheduled";
        /// Under way.
        Running = "running", "Running";
        /// Done.
        Completed = "completed", "Completed";
        /// Done, but something needs a look.
        CompletedWithWarnings = "completed-with-warnings", "Completed with warnings";
        /// Not done.
        Failed = "failed", "Failed";
        /// Ended by a person after the page under way.
        Canceled = "canceled", "Canceled";
    }
}

named_enum! {
    /// Severity of a message in the protocol.
    Severity, "a severity" {
        /// For information.
        Info = "info", "Information";
        /// Needs a look.
        Warning = "warning", "Warning";
        /// Something was not done.
        Error = "error", "Error";
    }
}

/// A line of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// How much it matters.
    pub severity: Severity,
    /// What it says.
    pub text: String,
}

/// Which objects a run looks at (domain 4, *Changed since*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangedSince {
    /// All that the source has.
    Anytime,
    /// What earlier runs did not import, and what changed since.
    LastTransfer,
    /// What changed at or after an instant.
    Manual(Instant),
}

/// What one stage did in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    /// `source`, `extension 1`, `status`, `definition`.
    pub stage: String,
    /// The plugin as configured.
    pub plugin: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// Calls made.
    pub calls: u64,
    /// Records that went in (for a source: that came out).
    pub records: u64,
    /// Of these: went on to the next stage.
    pub passed: u64,
    /// Of these: the stage itself ended their way (veto).
    pub stopped: u64,
    /// Of these: could not be answered.
    pub refused: u64,
    /// Time spent in calls, in microseconds.
    pub microseconds: u64,
    /// Most memory that one instance had, in bytes.
    pub memory_peak: u64,
    /// Lines the plugin logged.
    pub log_lines: u64,
}

impl StageReport {
    /// Checks that every record that went in came out again, one way or another.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.records == self.passed + self.stopped + self.refused
    }
}

impl Outcome {
    /// True when the object is done with until the source has a newer version: nothing in the headquarters can change it.
    #[must_use]
    pub fn is_settled(self) -> bool {
        use crate::SkipReason::{Closed, Delayed};
        match self {
            Self::Created | Self::Updated | Self::Unchanged | Self::Skipped(Delayed | Closed) => true,
            Self::Skipped(_) | Self::Quarantined | Self::Failed => false,
        }
    }
}
