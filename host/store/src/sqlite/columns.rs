//! Columns of a row, read one after the other in the order of the query. To find a column by its name takes longer than to
//! read it, which counts where thousands of wide rows are read.

use std::str::FromStr;

use apptsync_model::Instant;
use rusqlite::Row;
use rusqlite::types::{FromSql, Type, ValueRef};
use serde::de::DeserializeOwned;

/// The columns of a row that were not read yet.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    /// True when nothing stands in the next one, which stays the next.
    pub(super) fn is_null(&self) -> rusqlite::Result<bool> {
        Ok(self.row.get_ref(self.next)? == ValueRef::Null)
    }

    /// The next one.
    pub(super) fn read<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// The next one, with the stable name of a value.
    pub(super) fn named<T: FromStr<Err = String>>(&mut self) -> rusqlite::Result<T> {
        self.parsed(|text| text.parse())
    }

    /// The next one, with JSON.
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        self.parsed(|text| serde_json::from_str(text))
    }

    /// The next one, with a text that says something else; none where there is none.
    pub(super) fn optional<T, E>(&mut self, parse: impl Fn(&str) -> Result<T, E>) -> rusqlite::Result<Option<T>>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if self.is_null()? {
            self.next += 1;
            return Ok(None);
        }
        self.parsed(parse).map(Some)
    }

    /// The next one, with an instant.
    pub(super) fn instant(&mut self) -> rusqlite::Result<Option<Instant>> {
        Ok(self.read::<Option<i64>>()?.map(Instant))
    }

    fn parsed<T, E>(&mut self, parse: impl Fn(&str) -> Result<T, E>) -> rusqlite::Result<T>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let index = self.next;
        self.next += 1;
        let text = self.row.get_ref(index)?.as_str()?;
        parse(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.into()))
    }
}
