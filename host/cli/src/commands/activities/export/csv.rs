//! CSV by RFC 4180, UTF-8, with the columns' names as the first line.

use std::borrow::Cow;
use std::io::Write;

use apptsync_model::Activity;
use csv::{Terminator, Writer, WriterBuilder};

use super::ActivityWriter;
use crate::commands::activities::columns::{Cell, Column};

/// An export to CSV.
pub(super) struct Csv<'a, W: Write> {
    writer: Writer<W>,
    columns: &'a [Column],
}

impl<'a, W: Write> Csv<'a, W> {
    /// Writes the first line.
    pub(super) fn new(out: W, columns: &'a [Column]) -> anyhow::Result<Self> {
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        writer.write_record(columns.iter().map(|column| column.name()))?;
        Ok(Self { writer, columns })
    }
}

impl<W: Write> ActivityWriter for Csv<'_, W> {
    fn add(&mut self, activity: &Activity) -> anyhow::Result<()> {
        for column in self.columns {
            let cell = match column.cell(activity) {
                cell @ (Cell::Text(_) | Cell::Entry { .. }) => harmless(cell.for_programs()),
                cell => cell.for_programs(),
            };
            self.writer.write_field(cell.as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<()> {
        Ok(self.writer.flush()?)
    }
}

/// A text that a spreadsheet would take for a formula gets an apostrophe in front: what others wrote must not compute.
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::activities::columns::tests::sample;

    fn exported(activity: &Activity, columns: &[Column]) -> String {
        let mut bytes = Vec::new();
        let mut csv = Box::new(Csv::new(&mut bytes, columns).expect("memory takes everything"));
        csv.add(activity).expect("memory takes everything");
        csv.finish().expect("memory takes everything");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn quotes_commas_and_line_breaks_are_quoted() {
        let activity = Activity { subject: "a \"b\", c".into(), description: "Kraków\nDługa 1".into(), ..sample() };
        assert_eq!(
            exported(&activity, &[Column::Id, Column::Subject, Column::Description, Column::CompletedOn]),
            "id,subject,description,completed_on\r\n17,\"a \"\"b\"\", c\",\"Kraków\nDługa 1\",\r\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_compute_gets_an_apostrophe() {
        for text in ["=1+1", "+48 12", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(harmless(text.into()), format!("'{text}"));
        }
        for text in ["", "a=1", "Krakus – Długa", "'x"] {
            assert_eq!(harmless(text.into()), text);
        }
    }

    #[test]
    fn one_column_that_is_empty_is_still_a_line() {
        assert_eq!(exported(&sample(), &[Column::CompletedBy]), "completed_by\r\n\"\"\r\n");
    }
}
