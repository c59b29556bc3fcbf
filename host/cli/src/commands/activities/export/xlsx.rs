//! A workbook with one sheet: dates are dates, everything else is text, and no text is ever a formula.

use std::cell::Cell as Flag;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use anyhow::{anyhow, bail};
use apptsync_model::{Activity, Instant, text};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use chrono_tz::Tz;
use rust_xlsxwriter::{Color, DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::ActivityWriter;
use crate::commands::activities::columns::{Cell, Column, last_day};

/// Rows of a sheet, the headings among them.
const SHEET_ROWS: u32 = 1_048_576;
/// Longest text of a cell, in UTF-16 units; a text has never more of them than bytes.
const CELL_TEXT: usize = 32_767;

/// An export to a workbook. Rows go to a temporary file as they come, so that memory stays flat.
pub(super) struct Xlsx<'a, W> {
    out: W,
    workbook: Workbook,
    sheet: Worksheet,
    columns: &'a [Column],
    zone: Tz,
    row: u32,
    date: Format,
    date_time: Format,
}

impl<'a, W: Write + Send> Xlsx<'a, W> {
    /// Writes the headings; instants are shown in `zone`, which the headings name.
    pub(super) fn new(out: W, columns: &'a [Column], zone: Tz, now: Instant) -> anyhow::Result<Self> {
        let mut workbook = Workbook::new();
        workbook.set_properties(
            &DocProperties::new().set_title("Activities").set_creation_datetime(&excel(now.to_utc().naive_utc())?),
        );
        let sheet = workbook.new_worksheet_with_constant_memory()?;
        let date = Format::new().set_num_format("yyyy-mm-dd");
        let date_time = Format::new().set_num_format("yyyy-mm-dd hh:mm");
        let mut export = Self { out, workbook, sheet, columns, zone, row: 1, date, date_time };
        guarded(|| export.headings())?;
        Ok(export)
    }

    fn headings(&mut self) -> anyhow::Result<()> {
        let style = Format::new().set_bold().set_background_color(Color::RGB(0x00D9_E2F3)).set_align(FormatAlign::Top);
        self.sheet.set_name("Activities")?;
        self.sheet.set_freeze_panes(1, 0)?;
        for (position, column) in (0_u16..).zip(self.columns) {
            let heading = match column {
                Column::Start | Column::End | Column::CompletedOn => format!("{} ({})", column.heading(), self.zone),
                _ => column.heading().to_owned(),
            };
            self.sheet.set_column_width(position, width(*column))?;
            self.sheet.write_string_with_format(0, position, heading, &style)?;
        }
        Ok(())
    }

    fn row(&mut self, activity: &Activity) -> anyhow::Result<()> {
        for (position, column) in (0_u16..).zip(self.columns) {
            match column.cell(activity) {
                Cell::Empty => {}
                Cell::Instant(instant) => {
                    let local = instant.to_utc().with_timezone(&self.zone).naive_local();
                    match excel(local) {
                        Ok(time) => {
                            self.sheet.write_datetime_with_format(self.row, position, &time, &self.date_time)?
                        }
                        // The last hours of 9999 are the year 10000 in some zones, which no sheet knows.
                        Err(_) => self.sheet.write_string(self.row, position, instant.to_string())?,
                    };
                }
                Cell::FirstDay(day) => self.day(position, day)?,
                Cell::DayAfter(day) => self.day(position, last_day(day))?,
                cell => {
                    let cell = cell.for_people(self.zone);
                    self.sheet.write_string(self.row, position, text::cut(&cell, CELL_TEXT))?;
                }
            }
        }
        self.row += 1;
        Ok(())
    }

    fn day(&mut self, position: u16, day: NaiveDate) -> Result<(), XlsxError> {
        self.sheet.write_datetime_with_format(self.row, position, &excel(day.and_time(NaiveTime::MIN))?, &self.date)?;
        Ok(())
    }
}

impl<W: Write + Send> ActivityWriter for Xlsx<'_, W> {
    fn add(&mut self, activity: &Activity) -> anyhow::Result<()> {
        if self.row == SHEET_ROWS {
            bail!("a sheet has room for {} activities: filter, or export to .csv", SHEET_ROWS - 1);
        }
        guarded(|| self.row(activity))
    }

    fn finish(self: Box<Self>) -> anyhow::Result<()> {
        let Self { mut out, mut workbook, mut sheet, columns, row, .. } = *self;
        guarded(|| {
            let last = u16::try_from(columns.len().saturating_sub(1))?;
            sheet.autofilter(0, 0, row - 1, last)?;
            workbook.push_worksheet(sheet);
            workbook.save_to_writer(&mut out)?;
            Ok(out.flush()?)
        })
    }
}

thread_local! {
    static IS_GUARDED: Flag<bool> = const { Flag::new(false) };
}

/// The library panics where its temporary file cannot be written, which a full disk is enough for: here that is an error.
fn guarded(write: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                previous(panic);
            }
        }));
    });
    IS_GUARDED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(write));
    IS_GUARDED.set(false);
    result.unwrap_or_else(|_| {
        let folder = std::env::temp_dir();
        Err(anyhow!("the workbook cannot be written: make room on its disk and in {}", folder.display()))
    })
}

fn excel(time: NaiveDateTime) -> Result<ExcelDateTime, XlsxError> {
    let small = |value: u32| u8::try_from(value).unwrap_or(u8::MAX);
    ExcelDateTime::from_ymd(u16::try_from(time.year()).unwrap_or(0), small(time.month()), small(time.day()))?.and_hms(
        u16::try_from(time.hour()).unwrap_or(0),
        small(time.minute()),
        time.second(),
    )
}

fn width(column: Column) -> f64 {
    match column {
        Column::Id | Column::Channel | Column::AllDay | Column::Priority | Column::Origin | Column::Canceled => 10.0,
        Column::SourceId | Column::Kind | Column::Status | Column::CompletedBy => 14.0,
        Column::Number => 18.0,
        Column::Start | Column::End | Column::CompletedOn | Column::Employee => 26.0,
        Column::Customer => 32.0,
        Column::Subject => 44.0,
        Column::Description => 60.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::activities::columns::ALL;
    use crate::commands::activities::columns::tests::{sample, sample_all_day};

    #[test]
    fn a_workbook_is_written_whatever_the_texts_and_times() {
        let mut bytes = Vec::new();
        let now = "2026-11-23T08:00:00Z".parse().expect("an instant");
        let mut xlsx = Box::new(Xlsx::new(&mut bytes, &ALL, Tz::Europe__Warsaw, now).expect("a workbook"));
        let formula = Activity { subject: "=1+1".into(), description: "ż".repeat(40_000), ..sample() };
        let late = Activity { completed_on: Some(Instant::MAX), ..sample() };
        for activity in [sample(), sample_all_day(), formula, late] {
            xlsx.add(&activity).expect("a row");
        }
        xlsx.finish().expect("a workbook");
        assert!(bytes.starts_with(b"PK\x03\x04"));
    }

    #[test]
    fn a_panic_of_the_library_is_an_error() {
        let error = guarded(|| panic!("disk full")).expect_err("a panic");
        assert!(error.to_string().starts_with("the workbook cannot be written: make room"));
    }
}
