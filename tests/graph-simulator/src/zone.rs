//! Time zones as Graph knows them: Windows names, and the IANA names that CLDR maps to one of them. Newer IANA names
//! (`Europe/Kyiv`) are refused, as the real service refuses many.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::error::GraphError;

/// A zone with the name it was given by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    /// As the client wrote it.
    pub(crate) name: String,
    pub(crate) tz: Tz,
}

struct Table {
    /// Windows name in lower case → its own spelling and IANA zone.
    windows: HashMap<String, (&'static str, Tz)>,
    /// IANA name in lower case → IANA zone and Windows name.
    iana: HashMap<String, (&'static str, Tz, &'static str)>,
    /// In the order of the file: Windows name, IANA default.
    rows: Vec<(&'static str, &'static str)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { windows: HashMap::new(), iana: HashMap::new(), rows: Vec::new() };
    for line in include_str!("../data/windows-zones.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split(';');
        let (Some(windows), Some(main), Some(others)) = (columns.next(), columns.next(), columns.next()) else {
            continue;
        };
        let Ok(tz) = main.parse::<Tz>() else { continue };
        table.windows.insert(windows.to_lowercase(), (windows, tz));
        table.rows.push((windows, main));
        for name in std::iter::once(main).chain(others.split_whitespace()) {
            if let Ok(tz) = name.parse::<Tz>() {
                table.iana.entry(name.to_lowercase()).or_insert((name, tz, windows));
            }
        }
    }
    table
});

impl Zone {
    /// Coordinated universal time, as Graph calls it.
    pub(crate) fn utc() -> Self {
        Self { name: "UTC".into(), tz: Tz::UTC }
    }

    /// The zone of a Windows or IANA name.
    ///
    /// # Errors
    /// 400 `TimeZoneNotSupportedException` where Graph does not know the name.
    pub(crate) fn parse(name: &str) -> Result<Self, GraphError> {
        let lower = name.to_lowercase();
        let tz = TABLE
            .windows
            .get(&lower)
            .map(|(_, tz)| *tz)
            .or_else(|| TABLE.iana.get(&lower).map(|(_, tz, _)| *tz))
            .or_else(|| (lower == "utc" || lower == "etc/utc").then_some(Tz::UTC))
            .ok_or_else(|| Self::not_supported(name))?;
        Ok(Self { name: name.into(), tz })
    }

    /// What Graph answers for a zone that it does not know.
    pub(crate) fn not_supported(name: &str) -> GraphError {
        GraphError::new(
            400,
            "TimeZoneNotSupportedException",
            format!(
                "A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
            ),
        )
    }

    /// The Windows name: what Exchange keeps, whichever name was written.
    pub(crate) fn windows(&self) -> String {
        let lower = self.name.to_lowercase();
        if let Some((windows, _)) = TABLE.windows.get(&lower) {
            return (*windows).into();
        }
        TABLE.iana.get(&lower).map_or_else(|| "UTC".into(), |(_, _, windows)| (*windows).into())
    }

    /// The instant of a local time. Of an hour that comes twice the first counts; an hour that is skipped counts
    /// from its end.
    pub(crate) fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        match self.tz.from_local_datetime(&local) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.with_timezone(&Utc),
            LocalResult::None => {
                let later = local + TimeDelta::hours(1);
                match self.tz.from_local_datetime(&later) {
                    LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.with_timezone(&Utc),
                    LocalResult::None => later.and_utc(),
                }
            }
        }
    }

    /// The local time of an instant.
    pub(crate) fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.tz).naive_local()
    }
}

/// Every zone that `supportedTimeZones` lists: Windows names, or IANA names.
pub(crate) fn supported(iana: bool) -> Vec<(String, String)> {
    if iana {
        let mut names: Vec<&'static str> = TABLE.iana.values().map(|(name, _, _)| *name).collect();
        names.sort_unstable();
        names.into_iter().map(|name| (name.into(), name.into())).collect()
    } else {
        TABLE.rows.iter().map(|(windows, main)| ((*windows).into(), format!("({main}) {windows}"))).collect()
    }
}
