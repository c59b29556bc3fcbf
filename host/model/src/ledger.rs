//! The ledger: every record that entered a run is exactly one of created, updated, unchanged, skipped, quarantined, failed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::SkipReason;

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It made something new in the headquarters.
    Created,
    /// It changed something there.
    Updated,
    /// It is there already, as it is.
    Unchanged,
    /// A rule keeps it out.
    Skipped(SkipReason),
    /// It cannot be read or answered; it is kept with the reason.
    Quarantined,
    /// The host refused what a plugin made of it.
    Failed,
}

impl Outcome {
    /// The stable name; for skipped records that of the reason.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Skipped(reason) => reason.name(),
            Self::Quarantined => "quarantined",
            Self::Failed => "failed",
        }
    }

    /// The outcome with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "created" => Some(Self::Created),
            "updated" => Some(Self::Updated),
            "unchanged" => Some(Self::Unchanged),
            "quarantined" => Some(Self::Quarantined),
            "failed" => Some(Self::Failed),
            reason => reason.parse().ok().map(Self::Skipped),
        }
    }
}

/// Counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Records that entered.
    pub read: u64,
    /// See [`Outcome::Created`].
    pub created: u64,
    /// See [`Outcome::Updated`].
    pub updated: u64,
    /// See [`Outcome::Unchanged`].
    pub unchanged: u64,
    /// See [`Outcome::Skipped`]; only reasons that occurred.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// See [`Outcome::Quarantined`].
    pub quarantined: u64,
    /// See [`Outcome::Failed`].
    pub failed: u64,
}

/// A ledger whose sum is off: records were lost or counted twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger is off: {read} records entered, {accounted} are accounted for")]
pub struct Imbalance {
    /// Records that entered.
    pub read: u64,
    /// Sum of the outcomes.
    pub accounted: u64,
}

impl Ledger {
    /// Counts what became of a record. [`Ledger::read`] is counted apart, where records enter.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Skipped(reason) => *self.skipped.entry(reason).or_default() += 1,
            Outcome::Quarantined => self.quarantined += 1,
            Outcome::Failed => self.failed += 1,
        }
    }

    /// Adds the counts of a part.
    pub fn add(&mut self, part: &Self) {
        self.read += part.read;
        self.created += part.created;
        self.updated += part.updated;
        self.unchanged += part.unchanged;
        for (reason, count) in &part.skipped {
            *self.skipped.entry(*reason).or_default() += count;
        }
        self.quarantined += part.quarantined;
        self.failed += part.failed;
    }

    /// Skipped records, whatever the reason.
    #[must_use]
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// How many were skipped for this reason.
    #[must_use]
    pub fn skipped_for(&self, reason: SkipReason) -> u64 {
        self.skipped.get(&reason).copied().unwrap_or(0)
    }

    /// Checks that every record that entered is exactly one of the outcomes.
    ///
    /// # Errors
    /// The two sums, when they differ.
    pub fn balance(&self) -> Result<(), Imbalance> {
        let accounted =
            self.created + self.updated + self.unchanged + self.skipped_total() + self.quarantined + self.failed;
        if accounted == self.read { Ok(()) } else { Err(Imbalance { read: self.read, accounted }) }
    }
}
