//! Exports of the cockpit to files: .csv, .xlsx, .json and .ics.

mod csv;
mod ics;
mod json;
mod xlsx;

use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use apptsync_model::{Activity, ActivityFilter};
use apptsync_store::Store;
use clap::ValueEnum;
use indicatif::ProgressBar;
use serde::Serialize;
use tempfile::NamedTempFile;

use super::columns::{ALL, Column, Zones};
use super::filter::FilterArguments;
use crate::context::{Context, Exit, UsageError};

/// Arguments of `activities export`.
#[derive(Debug, clap::Args)]
pub struct ExportArguments {
    /// The file; its ending says which format: .csv, .xlsx, .json or .ics
    pub file: PathBuf,
    #[command(flatten)]
    filter: FilterArguments,
    /// Columns, in this order; not for .ics [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "COLUMN,…")]
    columns: Vec<Column>,
}

/// A format of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Xlsx,
    Json,
    Ics,
}

impl Format {
    /// The format that a file's ending names.
    fn of(file: &Path) -> Result<Self, UsageError> {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        Self::from_str(ending, true).map_err(|_| {
            UsageError(format!("the ending of {} names no format: use .csv, .xlsx, .json or .ics", file.display()))
        })
    }
}

/// Takes activities one by one and writes them in its format.
trait ActivityWriter {
    /// Adds one.
    fn add(&mut self, activity: &Activity) -> anyhow::Result<()>;

    /// Writes what is left.
    fn finish(self: Box<Self>) -> anyhow::Result<()>;
}

/// Exports exactly what the filter finds.
pub(super) fn run(arguments: ExportArguments, context: &Context) -> anyhow::Result<Exit> {
    let ExportArguments { file, filter, columns } = arguments;
    let format = Format::of(&file)?;
    if format == Format::Ics && !columns.is_empty() {
        return Err(UsageError(
            "a calendar has no columns: leave out --columns, or export to .csv, .xlsx or .json".into(),
        )
        .into());
    }
    let columns = if columns.is_empty() { ALL.to_vec() } else { columns };
    let store = context.workspace()?.store()?;
    let part = Part::beside(&file)?;
    let filter = filter.into();
    let bar = progress(&store, &filter, context)?;
    let count = write_all(&store, &filter, part.writer(format, &columns, &store, context)?, &bar)
        .with_context(|| format!("{} cannot be exported; nothing was written", file.display()))?;
    part.put_in_place()?;
    if context.is_json() {
        #[derive(Serialize)]
        struct Exported<'a> {
            exported: u64,
            file: &'a Path,
        }
        context.print_json(&Exported { exported: count, file: &file })?;
    }
    context.print_line(&format!("exported {count} activities to {}", file.display()))?;
    Ok(Exit::Done)
}

fn write_all(
    store: &dyn Store,
    filter: &ActivityFilter,
    mut writer: Box<dyn ActivityWriter + '_>,
    bar: &ProgressBar,
) -> anyhow::Result<u64> {
    let mut count = 0;
    let mut failure = None;
    store.activities(filter, &mut |activity| match writer.add(&activity) {
        Ok(()) => {
            count += 1;
            bar.inc(1);
            ControlFlow::Continue(())
        }
        Err(error) => {
            failure = Some(error);
            ControlFlow::Break(())
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    writer.finish()?;
    bar.finish_and_clear();
    Ok(count)
}

/// A bar for people, where they look on.
fn progress(store: &dyn Store, filter: &ActivityFilter, context: &Context) -> anyhow::Result<ProgressBar> {
    if !context.shows_progress() {
        return Ok(ProgressBar::hidden());
    }
    let count = store.count_activities(filter)?;
    Ok(ProgressBar::new(filter.limit.map_or(count, |limit| limit.min(count))))
}

/// The export while it is written: a file beside its place that nobody sees until it is whole, and that is gone when it
/// does not become so.
struct Part<'a> {
    file: NamedTempFile,
    place: &'a Path,
}

impl<'a> Part<'a> {
    fn beside(place: &'a Path) -> anyhow::Result<Self> {
        let folder = match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            anyhow::bail!("there is no folder {}: make it, or export to another", folder.display());
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".apptsync-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As for any new file: the process's mask takes away what nobody else may do.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(folder)
            .with_context(|| format!("the folder {} cannot be written to: export to another", folder.display()))?;
        Ok(Self { file, place })
    }

    fn writer<'b>(
        &'b self,
        format: Format,
        columns: &'b [Column],
        store: &dyn Store,
        context: &Context,
    ) -> anyhow::Result<Box<dyn ActivityWriter + 'b>> {
        let out: BufWriter<&'b File> = BufWriter::with_capacity(1 << 16, self.file.as_file());
        Ok(match format {
            Format::Csv => Box::new(csv::Csv::new(out, columns)?),
            Format::Json => Box::new(json::Json::new(out, columns)),
            Format::Ics => Box::new(ics::Ics::new(out, context.now())?),
            Format::Xlsx => {
                let zone = Zones::new(&store.master_data()?).common();
                Box::new(xlsx::Xlsx::new(out, columns, zone, context.now())?)
            }
        })
    }

    fn put_in_place(self) -> anyhow::Result<()> {
        self.file.as_file().sync_all().with_context(|| format!("{} cannot be written", self.place.display()))?;
        self.file.persist(self.place).with_context(|| format!("{} cannot be replaced", self.place.display()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_names_the_format() {
        assert_eq!(Format::of(Path::new("a.b/c.XLSX")), Ok(Format::Xlsx));
        let error = Format::of(Path::new("activities.pdf")).expect_err("no such format");
        assert_eq!(error.0, "the ending of activities.pdf names no format: use .csv, .xlsx, .json or .ics");
        assert!(Format::of(Path::new("csv")).is_err());
    }

    #[test]
    fn an_export_that_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("activities.csv");
        drop(Part::beside(&place).expect("a part"));
        assert_eq!(folder.path().read_dir().expect("a folder").count(), 0);
        Part::beside(&place).expect("a part").put_in_place().expect("in place");
        assert!(place.is_file());
    }
}
