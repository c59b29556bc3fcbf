//! iCalendar objects (RFC 5545) as items of the contract, for connectors that speak iCalendar.
//!
//! A [`Calendar`] is a stream as its bytes, divided into components. [`Object`]s are what shares a UID: a single item, or a
//! series with its exceptions. Objects are read as items of the contract; a calendar is written by [`Calendar::create`],
//! [`Calendar::update`], [`Calendar::delete`], [`Calendar::disown`] and [`Calendar::mark`], which replace the properties that
//! are ours to write and leave every other byte as it is.
//!
//! ```
//! use apptsync_calendar::{Calendar, Effort, Place, Viewer};
//! use apptsync_plugin::connector::Window;
//!
//! let file = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Visit\r\nDTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n\
//!     END:VEVENT\r\nEND:VCALENDAR\r\n";
//! let calendar = Calendar::parse(file).unwrap();
//! let viewer = Viewer::new("Europe/Warsaw", "anna@example.com").unwrap();
//! let window = Window { start: 1_796_000_000, end: 1_797_000_000 };
//! for object in calendar.objects() {
//!     let etag = object.digest();
//!     let place = Place { remote_id: object.uid(), etag: &etag, collection: "calendar" };
//!     let change = object.change(&window, &place, &viewer, &mut Effort::default());
//!     assert!(change.unwrap().is_some());
//! }
//! ```

mod calendar;
mod component;
mod definition;
mod edit;
mod entry;
mod error;
mod line;
mod moment;
mod object;
mod patch;
mod rule;
mod series;
mod value;
mod zone;

pub use calendar::Calendar;
pub use edit::Change;
pub use error::{NotACalendar, Unreadable, WriteError};
pub use moment::instants;
pub use object::{Object, Occurrences, size};

use apptsync_plugin::connector::{Account, Kind};
use apptsync_plugin::types::Instant;
use chrono_tz::Tz;

/// Through whose eyes a calendar is read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// What items without a zone of their own are read in, and what items without one are written in.
    pub zone: Tz,
    /// The owner's address or name: who is not among an item's other people.
    pub mailbox: String,
}

impl Viewer {
    /// The owner of a mailbox, in an IANA zone.
    ///
    /// # Errors
    ///
    /// There is no such zone; the text says so.
    pub fn new(zone: &str, mailbox: &str) -> Result<Self, String> {
        let found = zone.parse().map_err(|_| format!("`{zone}` is no IANA time zone"))?;
        Ok(Self { zone: found, mailbox: mailbox.to_owned() })
    }

    /// The owner of an account.
    ///
    /// # Errors
    ///
    /// As in [`Viewer::new`].
    pub fn of(account: &Account) -> Result<Self, String> {
        Self::new(&account.zone, &account.mailbox)
    }
}

/// What a connector knows of an object that the object itself does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The remote id of the object; its occurrences get ids made of it by [`occurrence_id`].
    pub remote_id: &'a str,
    /// Goes into every item of the object.
    pub etag: &'a str,
    /// The id of the collection.
    pub collection: &'a str,
}

/// Which item of a calendar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// Appointment or task.
    pub kind: Kind,
    /// The UID of its object.
    pub uid: &'a str,
    /// Of one occurrence of a series: where the pattern puts it, midnight in UTC for whole days.
    pub original_start: Option<Instant>,
}

/// How much work may still go into series: each step of a recurrence rule costs one.
///
/// A connector that pages ends the page when [`Effort::is_spent`]. One series costs at most [`Effort::SERIES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    left: u32,
}

impl Effort {
    /// The most that goes into one series; what needs more is unreadable.
    pub const SERIES: u32 = 100_000;
    /// Bytes of a component that are read by one step.
    pub(crate) const BYTES: usize = 256;

    /// So many steps.
    #[must_use]
    pub fn new(steps: u32) -> Self {
        Self { left: steps }
    }

    pub(crate) fn spend(&mut self, steps: u32) {
        self.left = self.left.saturating_sub(steps);
    }

    pub(crate) fn left(&self) -> u32 {
        self.left
    }

    /// Nothing is left.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }
}

impl Default for Effort {
    /// What a call can do far within its deadline.
    fn default() -> Self {
        Self::new(500_000)
    }
}

/// The remote id of an occurrence: `<id of the series>#<original start in UTC>`, `visit#20261201T090000Z`.
#[must_use]
pub fn occurrence_id(series: &str, original_start: Instant) -> String {
    format!("{series}#{}", value::format_utc(original_start))
}

/// The id of the series and the original start in the remote id of an occurrence; none where it is not that of one.
///
/// A UID may look like one: ask first whether an object has the whole id.
#[must_use]
pub fn split_occurrence_id(remote_id: &str) -> Option<(&str, Instant)> {
    let (series, start) = remote_id.rsplit_once('#')?;
    match value::date_or_time(start)? {
        value::Written::Utc(time) if !series.is_empty() && start.len() == 16 => Some((series, value::instant(time))),
        _ => None,
    }
}
