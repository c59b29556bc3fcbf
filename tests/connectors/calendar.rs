//! A calendar in its owner's hands, and what is in it.

use apptsync_model::outlook::ItemKind;
use apptsync_tests::dice::Dice;

/// An item as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) handle: String,
    pub(crate) kind: ItemKind,
    pub(crate) subject: String,
    pub(crate) body: String,
    /// Of a task, where the day begins on which it is due.
    pub(crate) start: i64,
    /// Of tasks alone.
    pub(crate) is_completed: bool,
    pub(crate) is_private: bool,
    /// What belongs to the owner alone: categories, and what only another program knows.
    pub(crate) local: String,
    /// The owner's too, but an appointment that is completed in the headquarters loses it; empty for none.
    pub(crate) reminder: String,
    /// All of it.
    pub(crate) raw: String,
}

/// What an owner changes of an item.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Subject(String),
    Body(String),
    /// Of a task, the day that this instant lies on.
    Start(i64),
    /// Of tasks alone.
    Complete,
    Local(u64),
}

/// A weekly series as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// What the series itself says, whatever its occurrences do.
    pub(crate) subject: String,
    pub(crate) occurrences: Vec<Occurrence>,
}

/// An occurrence that was not deleted.
#[derive(Debug, Clone)]
pub(crate) struct Occurrence {
    /// Where the series puts it, by which it is known.
    pub(crate) original_start: i64,
    pub(crate) start: i64,
    pub(crate) subject: String,
}

/// What an owner changes of a series.
#[derive(Debug, Clone)]
pub(crate) enum SeriesEdit {
    Subject(String),
    /// One occurrence, known by its original start, says something of its own.
    SubjectOfOne(i64, String),
    /// One occurrence takes place at another time.
    StartOfOne(i64, i64),
    DeleteOne(i64),
}

/// A calendar in its owner's hands.
pub(crate) trait Calendar {
    /// Everything but the series.
    fn items(&self) -> Vec<Item>;
    /// A new appointment of an hour, or a task that is due on that day; gives its handle.
    fn add(&self, kind: ItemKind, subject: &str, start: i64, is_private: bool) -> String;
    fn edit(&self, handle: &str, edit: &Edit);
    /// Deletes an item, or a whole series.
    fn delete(&self, handle: &str);
    /// A copy with everything that is in the original, if the owner's program makes such.
    fn copy(&self, handle: &str, subject: &str) -> Option<String>;
    /// Its tasks can be private.
    fn has_private_tasks(&self) -> bool {
        true
    }
    /// A new weekly series of appointments of an hour; gives its handle.
    fn add_series(&self, subject: &str, start: i64, count: u32) -> String;
    /// None where it is no longer there.
    fn series(&self, handle: &str) -> Option<Series>;
    fn edit_series(&self, handle: &str, edit: &SeriesEdit);
    /// Something goes wrong with the next requests.
    fn misbehave(&self, _: &mut Dice) -> String {
        String::new()
    }
    fn behave(&self) {}
}
