//! `dateTimeTimeZone`: a local time and the zone it is meant in.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::{Value, json};

use crate::error::GraphError;
use crate::zone::Zone;

/// A local time in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) local: NaiveDateTime,
    pub(crate) zone: Zone,
}

/// The zone in which an answer shows times.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    /// The default of every answer.
    Utc,
    /// `Prefer: outlook.timezone`, which only reading heeds.
    In(Zone),
    /// The answer to a creation shows times as they were sent.
    AsWritten,
}

impl Moment {
    /// Reads `{"dateTime", "timeZone"}`. A time with an offset or `Z` is put into the zone.
    ///
    /// # Errors
    /// 400 where the time or the zone is none.
    pub(crate) fn parse(value: &Value, what: &str) -> Result<Self, GraphError> {
        let text = value["dateTime"]
            .as_str()
            .ok_or_else(|| GraphError::invalid_property(format!("{what}.dateTime is missing.")))?;
        let zone = match value["timeZone"].as_str() {
            Some(name) => Zone::parse(name)?,
            None => Zone::utc(),
        };
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self { local: zone.local(instant.with_timezone(&Utc)), zone });
        }
        let local = text
            .parse::<NaiveDateTime>()
            .or_else(|_| text.parse::<NaiveDate>().map(|date| date.and_time(NaiveTime::MIN)))
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M"))
            .map_err(|_| {
                GraphError::new(
                    400,
                    "RequestBodyRead",
                    format!("Cannot convert the literal '{text}' of {what} to the expected type 'Edm.DateTime'."),
                )
            })?;
        Ok(Self { local, zone })
    }

    pub(crate) fn instant(&self) -> DateTime<Utc> {
        self.zone.instant(self.local)
    }

    /// As an answer shows it. All-day times are midnights, whatever zone is shown.
    pub(crate) fn json(&self, all_day: bool, shown: &Shown) -> Value {
        let zone = match shown {
            Shown::Utc => &Zone::utc(),
            Shown::In(zone) => zone,
            Shown::AsWritten => &self.zone,
        };
        let local = if all_day { self.local } else { zone.local(self.instant()) };
        json!({"dateTime": seven_digits(local), "timeZone": zone.name})
    }
}

/// A local time with the seven digits of a second that Exchange writes.
pub(crate) fn seven_digits(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M:%S%.6f0").to_string()
}

/// A parameter such as `startDateTime`: with its own offset, or UTC.
///
/// # Errors
/// 400 where it is no time.
pub(crate) fn parameter(text: &str, name: &str) -> Result<DateTime<Utc>, GraphError> {
    // A plus sign that was not encoded has become a space.
    let text = text.trim().replace(' ', "+");
    DateTime::parse_from_rfc3339(&text)
        .map(|instant| instant.with_timezone(&Utc))
        .or_else(|_| text.parse::<NaiveDateTime>().map(|local| local.and_utc()))
        .or_else(|_| text.parse::<NaiveDate>().map(|date| date.and_time(NaiveTime::MIN).and_utc()))
        .map_err(|_| {
            GraphError::new(
                400,
                "ErrorInvalidParameter",
                format!("The value '{text}' of parameter '{name}' is invalid."),
            )
        })
}
