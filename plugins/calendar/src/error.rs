//! What can be wrong with a calendar.

use apptsync_plugin::types::Failure;
use thiserror::Error;

/// Why a stream is no calendar that can be worked with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotACalendar {
    /// There is no `BEGIN:VCALENDAR`.
    #[error("it is no iCalendar stream: there is no line `BEGIN:VCALENDAR`")]
    NoCalendar,
    /// There is no `END:VCALENDAR` at the end: it may be under way, and must not be taken for all there is.
    #[error("it ends in the middle of a calendar: the line `END:VCALENDAR` is missing")]
    CutOff,
    /// More components than [`Calendar::MOST_COMPONENTS`](crate::Calendar::MOST_COMPONENTS).
    #[error("it has more than the {limit} components that are read", limit = crate::Calendar::MOST_COMPONENTS)]
    TooMany,
    /// More bytes than [`Calendar::LONGEST`](crate::Calendar::LONGEST).
    #[error("it has {0} bytes, which is more than the {limit} that are read", limit = crate::Calendar::LONGEST)]
    TooLong(usize),
}

/// Why one object cannot be read as an item. Its bytes are kept in any case.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// Components that are not closed, or closed in the wrong order.
    #[error("its BEGIN and END lines do not match")]
    Broken,
    /// An appointment without `DTSTART`.
    #[error("it has no DTSTART")]
    NoStart,
    /// The value of a property is not what it has to be.
    #[error("its {0} cannot be read")]
    Value(&'static str),
    /// More occurrences in a window than [`Occurrences::MOST`](crate::Occurrences::MOST), or with too long texts.
    #[error("it has more occurrences than can be listed")]
    TooMany,
    /// A rule that needs more than [`Effort::SERIES`](crate::Effort::SERIES) steps.
    #[error("its recurrence rule takes too many steps")]
    Endless,
}

/// Why something was not written. Nothing was changed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// An object with this UID is there already.
    #[error("an object with this UID is there already")]
    Exists,
    /// There is no such object, or its series has no such occurrence.
    #[error("there is no such item")]
    NoSuchItem,
    /// The object cannot be read, so it is not touched.
    #[error("the item cannot be read, so it is left as it is: {0}")]
    Unreadable(#[from] Unreadable),
    /// It cannot be expressed, or must not be written this way.
    #[error("{0}")]
    Refused(String),
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Exists => Self::Conflict,
            WriteError::NoSuchItem => Self::Gone,
            WriteError::Unreadable(_) | WriteError::Refused(_) => Self::Permanent(error.to_string()),
        }
    }
}
