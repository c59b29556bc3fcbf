//! What shares a UID, read as items of the contract.

use std::marker::PhantomData;

use apptsync_plugin::connector::{self, Item, Kind, Window};
use apptsync_plugin::types::Instant;

use crate::error::Unreadable;
use crate::{Effort, Place, Viewer};

/// An appointment or task: a single component, or a series with its exceptions.
#[derive(Debug, Clone)]
pub struct Object<'c> {
    calendar: PhantomData<&'c ()>,
}

/// The occurrences of a series in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrences {
    /// In the order of their original starts, at most 1,000.
    pub items: Vec<Item>,
    /// There are more.
    pub truncated: bool,
}

impl Object<'_> {
    /// The UID that its components share.
    #[must_use]
    pub fn uid(&self) -> &str {
        todo!()
    }

    /// Appointment or task.
    #[must_use]
    pub fn kind(&self) -> Kind {
        todo!()
    }

    /// Whether it recurs, or consists of single occurrences of a series that is not here.
    #[must_use]
    pub fn is_series(&self) -> bool {
        todo!()
    }

    /// Stands for its bytes: changes whenever a byte of them does.
    #[must_use]
    pub fn digest(&self) -> String {
        todo!()
    }

    /// What a pull says of it: the item, or the occurrences of a series. None when nothing of it lies in the window; a task
    /// without a date lies in every window.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn change(
        &self,
        window: &Window,
        place: &Place<'_>,
        viewer: &Viewer,
        effort: &mut Effort,
    ) -> Result<Option<connector::Change>, Unreadable> {
        let _ = (window, place, viewer, effort);
        todo!()
    }

    /// The object itself: the single item or, of a series, its pattern, without an occurrence. None of a series of which
    /// only single occurrences are here.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn item(&self, place: &Place<'_>, viewer: &Viewer) -> Result<Option<Item>, Unreadable> {
        let _ = (place, viewer);
        todo!()
    }

    /// One occurrence, by where the pattern puts it. None where the series has none there, and of what is no series.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn occurrence(
        &self,
        original_start: Instant,
        place: &Place<'_>,
        viewer: &Viewer,
    ) -> Result<Option<Item>, Unreadable> {
        let _ = (original_start, place, viewer);
        todo!()
    }

    /// The occurrences that lie in a window, wherever the pattern would put them.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn occurrences(
        &self,
        window: &Window,
        place: &Place<'_>,
        viewer: &Viewer,
        effort: &mut Effort,
    ) -> Result<Occurrences, Unreadable> {
        let _ = (window, place, viewer, effort);
        todo!()
    }

    /// The items of the object that carry one of our ids: the object itself, and exceptions of a series.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn carrying(&self, our_id: &str, place: &Place<'_>, viewer: &Viewer) -> Result<Vec<Item>, Unreadable> {
        let _ = (our_id, place, viewer);
        todo!()
    }
}
