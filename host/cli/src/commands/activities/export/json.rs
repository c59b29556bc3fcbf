//! The documented JSON, as `activities list --output json` prints it.

use std::io::Write;

use apptsync_model::Activity;

use super::ActivityWriter;
use crate::commands::activities::columns::{Column, Row};
use crate::commands::activities::json_array::JsonArray;

/// An export to JSON.
pub(super) struct Json<'a, W> {
    array: JsonArray<W>,
    columns: &'a [Column],
}

impl<'a, W: Write> Json<'a, W> {
    /// Begins the array.
    pub(super) fn new(out: W, columns: &'a [Column]) -> Self {
        Self { array: JsonArray::new(out), columns }
    }
}

impl<W: Write> ActivityWriter for Json<'_, W> {
    fn add(&mut self, activity: &Activity) -> anyhow::Result<()> {
        // Told when it is finished.
        let _ = self.array.add(&Row { activity, columns: self.columns });
        Ok(())
    }

    fn finish(self: Box<Self>) -> anyhow::Result<()> {
        Ok(self.array.finish()?)
    }
}
