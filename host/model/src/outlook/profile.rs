//! Settings of the synchronisation with Outlook (domain 8).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::item::Window;
use crate::{ActivityStatus, Instant, Priority, named_enum};

named_enum! {
    /// Which side's text counts (domain 8).
    TextPriority, "a text priority" {
        /// Headquarters text replaces manual changes in Outlook.
        Erp = "erp", "Comarch ERP";
        /// The other way.
        Outlook = "outlook", "Microsoft Outlook";
        /// The later edit, by the clocks of both sides.
        Newest = "newest", "The later edit";
        /// What both sides changed waits for a person.
        Ask = "ask", "Ask";
    }
}

named_enum! {
    /// Where Text priority *Comarch ERP* overrides edits that were made in Outlook alone.
    OverrideScope, "an override scope" {
        /// In items made in the headquarters.
        HeadquartersOrigin = "headquarters-origin", "Items of the headquarters";
        /// Only where both sides changed the same.
        ConflictsOnly = "conflicts-only", "Conflicts only";
        /// In every item.
        Always = "always", "All items";
    }
}

named_enum! {
    /// What becomes of a representative's item in Outlook when the representative changes or the activity is canceled.
    DeletionPolicy, "a deletion policy" {
        /// It is deleted, if it lies in the future.
        Future = "future", "Delete what lies in the future";
        /// It is left, and no longer synchronised.
        Keep = "keep", "Leave";
    }
}

named_enum! {
    /// Level of Activity synchronization settings: the user's win as a whole over the database's (domain 8).
    SettingsLevel, "a level of settings" {
        /// For one user.
        User = "user", "User";
        /// For all who have none of their own.
        Database = "database", "Database";
    }
}

/// An end of a window: an instant, or so many seconds from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// This instant.
    At(Instant),
    /// So many seconds after now; negative for before.
    FromNow(i64),
}

impl Moment {
    /// The instant it means.
    #[must_use]
    pub fn at(self, now: Instant) -> Instant {
        match self {
            Self::At(instant) => instant,
            Self::FromNow(seconds) => Instant(now.0.saturating_add(seconds).clamp(0, Instant::MAX.0)),
        }
    }
}

/// Units of relative moments, largest first.
const UNITS: [(char, i64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{}` is no moment: write an instant such as 2026-12-01T09:00:00Z, or a distance from now such as -7d, +90d, +12h or 0d",
                text.escape_debug()
            )
        };
        if let Ok(instant) = text.parse() {
            return Ok(Self::At(instant));
        }
        let unit = text.chars().last().and_then(|last| UNITS.iter().find(|(name, _)| *name == last));
        let (name, seconds) = unit.ok_or_else(wrong)?;
        let number = text.strip_suffix(*name).unwrap_or(text);
        let number: i64 = number.strip_prefix('+').unwrap_or(number).parse().map_err(|_| wrong())?;
        number.checked_mul(*seconds).map(Self::FromNow).ok_or_else(wrong)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(instant) => instant.fmt(formatter),
            Self::FromNow(seconds) => {
                let unit = UNITS.iter().skip(1).find(|(_, unit)| seconds % unit == 0);
                let (name, unit) = unit.copied().unwrap_or(('s', 1));
                write!(formatter, "{:+}{name}", seconds / unit)
            }
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

/// Which activities take part; empty lists for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criteria {
    /// Any of these kinds.
    #[serde(default)]
    pub kind: Vec<String>,
    /// Any of these statuses.
    #[serde(default)]
    pub status: Vec<ActivityStatus>,
    /// Any of these priorities.
    #[serde(default)]
    pub priority: Vec<Priority>,
    /// Any of these activity definitions; what comes from none meets only an empty list.
    #[serde(default)]
    pub definition: Vec<String>,
    /// Any of these assigned users.
    #[serde(default)]
    pub employee: Vec<String>,
}

/// One of the tabs *Calendar entries* and *Tasks*: the window and the criteria.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryScope {
    /// Start time.
    pub start: Moment,
    /// End time.
    pub end: Moment,
    /// Optional criteria.
    #[serde(default)]
    pub criteria: Criteria,
}

impl EntryScope {
    /// The window as it stands now.
    ///
    /// # Errors
    /// It ends before it begins.
    pub fn window(&self, now: Instant) -> Result<Window, String> {
        let window = Window { start: self.start.at(now), end: self.end.at(now) };
        if window.start < window.end {
            return Ok(window);
        }
        Err(format!(
            "the window from {} to {} ends before it begins: correct Start time or End time",
            self.start, self.end
        ))
    }
}

/// Activity synchronization settings of one level. A tab that is not set synchronises nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncSettings {
    /// The tab *Calendar entries*.
    pub calendar: Option<EntryScope>,
    /// The tab *Tasks*.
    pub tasks: Option<EntryScope>,
}

/// When a plan is held until a person approves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardSettings {
    /// Deletions on either side: so many are always allowed …
    pub deletions: u64,
    /// … or this share of what is linked, in percent.
    pub deletions_percent: u64,
    /// Updates: this share of what is linked, in percent.
    pub updates_percent: u64,
    /// Items with one and the same shift of time, and items whose fields become empty.
    pub alike: u64,
    /// Occurrences of one series.
    pub occurrences: u64,
    /// Writes that would mail other people are allowed.
    pub mail_attendees: bool,
    /// At most so many items are made in a run; what is more waits for the next.
    pub creations_a_run: u64,
    /// At most so many items are changed in a run.
    pub updates_a_run: u64,
    /// At most so many items are deleted in a run.
    pub deletions_a_run: u64,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self {
            deletions: 5,
            deletions_percent: 10,
            updates_percent: 30,
            alike: 5,
            occurrences: 400,
            mail_attendees: false,
            creations_a_run: 10_000,
            updates_a_run: 10_000,
            deletions_a_run: 1_000,
        }
    }
}

/// Synchronization settings of the add-in for one representative (domain 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The representative.
    pub employee: String,
    /// The connector: a name of `[connectors.NAME]` or of a built-in connector.
    pub connector: String,
    /// Server address; empty where the connector needs none.
    pub server: String,
    /// The mailbox or user.
    pub mailbox: String,
    /// The calendar, by name or id; empty for the default one.
    pub calendar: String,
    /// The task list, by name or id; empty for the default one.
    pub tasks: String,
    /// Entry of the credential file.
    pub credential: Option<String>,
    /// The server's address may lie in a private network.
    pub allow_private: bool,
    /// Transfer to Comarch ERP Enterprise: new Outlook items become activities.
    pub transfer: bool,
    /// Text priority.
    pub text_priority: TextPriority,
    /// Where it overrides.
    pub override_scope: OverrideScope,
    /// What becomes of items that are no longer the representative's.
    pub deletion_policy: DeletionPolicy,
    /// Guards.
    pub guards: GuardSettings,
    /// Not synchronised while false.
    pub active: bool,
}

impl Default for Profile {
    /// As a new profile is: transfer on, Text priority Comarch ERP, guards on; without a name, a representative, a connector.
    fn default() -> Self {
        Self {
            name: String::new(),
            employee: String::new(),
            connector: String::new(),
            server: String::new(),
            mailbox: String::new(),
            calendar: String::new(),
            tasks: String::new(),
            credential: None,
            allow_private: false,
            transfer: true,
            text_priority: TextPriority::Erp,
            override_scope: OverrideScope::HeadquartersOrigin,
            deletion_policy: DeletionPolicy::Future,
            guards: GuardSettings::default(),
            active: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;
    use crate::Instant;

    #[test]
    fn moments_are_instants_or_distances_from_now() {
        let now = Instant(1_000_000);
        for (text, expected, shown) in [
            ("-7d", 1_000_000 - 7 * 86_400, "-7d"),
            ("+2w", 1_000_000 + 14 * 86_400, "+14d"),
            ("12h", 1_000_000 + 12 * 3_600, "+12h"),
            ("0d", 1_000_000, "+0d"),
            ("1970-01-02T00:00:00Z", 86_400, "1970-01-02T00:00:00Z"),
        ] {
            let moment: Moment = text.parse().expect("a moment");
            assert_eq!((moment.at(now).0, moment.to_string().as_str()), (expected, shown), "{text}");
            assert_eq!(moment.to_string().parse::<Moment>().map(|again| again.at(now)), Ok(moment.at(now)));
        }
        assert!(
            "7".parse::<Moment>().is_err()
                && "d".parse::<Moment>().is_err()
                && "9999999999999999d".parse::<Moment>().is_err()
        );
    }
}
