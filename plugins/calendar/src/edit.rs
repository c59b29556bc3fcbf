//! What is written into a calendar.

use apptsync_plugin::connector::{Entry, Fields};
use apptsync_plugin::types::Instant;

use crate::error::WriteError;
use crate::{Calendar, Key, Viewer};

/// What is to be written into an item.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// As it shall be.
    pub entry: &'a Entry,
    /// What of it is written.
    pub fields: Fields,
    /// Where set, stored with the item.
    pub our_id: Option<&'a str>,
}

impl Calendar<'_> {
    /// Adds an object, with the definition of its time zone if the calendar has none.
    ///
    /// # Errors
    ///
    /// [`WriteError::Exists`], or [`WriteError::Refused`] where the entry cannot be expressed.
    pub fn create(
        &mut self,
        key: &Key<'_>,
        our_id: &str,
        entry: &Entry,
        viewer: &Viewer,
        now: Instant,
    ) -> Result<(), WriteError> {
        let _ = (key, our_id, entry, viewer, now);
        todo!()
    }

    /// Changes an item; of a series, one occurrence by an exception.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSuchItem`], [`WriteError::Unreadable`], or [`WriteError::Refused`]: the period of a series as a
    /// whole, for one, is not ours to change.
    pub fn update(
        &mut self,
        key: &Key<'_>,
        change: &Change<'_>,
        viewer: &Viewer,
        now: Instant,
    ) -> Result<(), WriteError> {
        let _ = (key, change, viewer, now);
        todo!()
    }

    /// Removes an object with all its components; of a series, one occurrence by an `EXDATE`.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSuchItem`] or, for an occurrence, [`WriteError::Unreadable`].
    pub fn delete(&mut self, key: &Key<'_>, viewer: &Viewer, now: Instant) -> Result<(), WriteError> {
        let _ = (key, viewer, now);
        todo!()
    }

    /// Takes our id off an item, and changes nothing else.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoSuchItem`] or [`WriteError::Unreadable`].
    pub fn disown(&mut self, key: &Key<'_>, viewer: &Viewer) -> Result<(), WriteError> {
        let _ = (key, viewer);
        todo!()
    }
}
