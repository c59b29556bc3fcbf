//! `activities`: the cockpit's view of the activities (Cockpit: Activities/OLTP database), one activity, exports, and changes
//! by hand.

mod add;
mod columns;
mod edit;
mod export;
mod filter;
pub(super) mod json_array;
mod show;

use std::ops::ControlFlow;

use apptsync_model::ActivityFilter;
use apptsync_store::Store;
use clap::{Args, Subcommand};

pub(super) use columns::{Row, Zones};
pub(super) use filter::named;

use crate::context::{Context, Exit};
use add::AddArguments;
use columns::{ALL, Column, TABLE};
use edit::{CancelArguments, CompleteArguments, SetArguments};
use export::ExportArguments;
use filter::FilterArguments;
use json_array::JsonArray;

/// Rows of a table, unless told.
pub(super) const TABLE_ROWS: u64 = 50;

/// Subcommands of `activities`.
#[derive(Debug, Subcommand)]
pub enum ActivitiesCommand {
    /// List activities
    #[command(after_help = "\
Tables show times in the time zone of the employee's organization, and the last of whole days. JSON shows instants in UTC; \
for whole days, start and end are dates, and end is the day after the last.

Examples:
  apptsync activities list --status planned --employee B
  apptsync activities list --from 2026-12-01 --to 2027-01-01 --sort customer
  apptsync activities list --text krakus --columns id,subject,status,completed_on
  apptsync --output json activities list --channel B2B")]
    List(ListArguments),
    /// Show one activity with its tabs General, Results, References and Tasks
    #[command(after_help = "\
Examples:
  apptsync activities show 17
  apptsync activities show SA/2026/000001")]
    Show(ShowArguments),
    /// Export what is filtered to a file: .csv, .xlsx, .json or .ics
    #[command(after_help = "\
CSV and JSON hold names and instants as `activities list --output json` does; in CSV, a text that a spreadsheet would take \
for a formula gets an apostrophe in front. A workbook shows labels, and times in the zone that its headings name. The file is \
replaced when the export is whole, and not before.

Examples:
  apptsync activities export december.xlsx --from 2026-12-01 --to 2027-01-01
  apptsync activities export delayed.csv --status delayed --columns number,subject,employee
  apptsync activities export b.ics --employee B")]
    Export(ExportArguments),
    /// Make an activity in the headquarters: a calendar entry, or a task
    #[command(after_help = "\
Times without a zone are those of the employee's organization. A task may do without a date.

Examples:
  apptsync activities add --employee B --subject \"Team meeting\" --start 2026-12-01T10:00 --end 2026-12-01T11:00
  apptsync activities add --employee B --subject \"Trade fair\" --start 2026-12-01 --end 2026-12-03 --location Kraków
  apptsync activities add --employee B --subject \"Call back\" --task --customer C00001 --priority high")]
    Add(Box<AddArguments>),
    /// Change fields of an activity
    #[command(after_help = "\
What is not given stays as it is. Activities of Mobile origin should not be modified by hand: --force does it all the \
same, and the next import puts Mobile's version back.

Examples:
  apptsync activities set 17 --start 2026-12-01T14:00 --end 2026-12-01T15:00
  apptsync activities set 17 --subject \"Team meeting, moved\" --location \"\"")]
    Set(Box<SetArguments>),
    /// Complete a planned activity
    #[command(after_help = "\
Examples:
  apptsync activities complete 17
  apptsync activities complete 17 --on 2026-12-01T10:45:00Z")]
    Complete(CompleteArguments),
    /// Cancel an activity: it is closed, and its item in Outlook goes
    #[command(after_help = "\
A planned activity becomes Completed unprocessed; lists show it as Canceled.

Examples:
  apptsync activities cancel 17
  apptsync activities cancel 17 --yes")]
    Cancel(CancelArguments),
}

/// Arguments of `activities list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    filter: FilterArguments,
    /// Columns, in this order [default: some in tables, all in JSON]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "COLUMN,…")]
    columns: Vec<Column>,
}

/// Arguments of `activities show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The activity; the appointment's id or number will do where only one activity has it
    pub id: String,
}

/// Runs a subcommand.
///
/// # Errors
/// Something cannot be read or written, there is no such activity, or its status does not allow the change.
pub fn run(command: ActivitiesCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        ActivitiesCommand::List(arguments) => list(arguments, context),
        ActivitiesCommand::Show(arguments) => show::run(&arguments.id, context),
        ActivitiesCommand::Export(arguments) => export::run(arguments, context),
        ActivitiesCommand::Add(arguments) => add::run(*arguments, context),
        ActivitiesCommand::Set(arguments) => edit::set(*arguments, context),
        ActivitiesCommand::Complete(arguments) => edit::complete(&arguments, context),
        ActivitiesCommand::Cancel(arguments) => edit::cancel(&arguments, context),
    }
}

fn list(arguments: ListArguments, context: &Context) -> anyhow::Result<Exit> {
    let ListArguments { filter, columns } = arguments;
    let chosen = |default: &[Column]| if columns.is_empty() { default.to_vec() } else { columns.clone() };
    let store = context.workspace()?.store()?;
    if context.is_json() {
        print_json(&store, &filter.into(), &chosen(&ALL))?;
    } else {
        print_table(&store, filter.into(), &chosen(&TABLE), context)?;
    }
    Ok(Exit::Done)
}

fn print_json(store: &dyn Store, filter: &ActivityFilter, columns: &[Column]) -> anyhow::Result<()> {
    let mut array = JsonArray::printed();
    store.activities(filter, &mut |activity| array.add(&Row { activity: &activity, columns }))?;
    array.finish_printed()
}

fn print_table(
    store: &dyn Store,
    mut filter: ActivityFilter,
    columns: &[Column],
    context: &Context,
) -> anyhow::Result<()> {
    let limit = *filter.limit.get_or_insert(TABLE_ROWS);
    let zones = Zones::new(&store.master_data()?);
    let mut rows = Vec::new();
    store.activities(&filter, &mut |activity| {
        let zone = zones.of(&activity);
        rows.push(columns.iter().map(|column| column.cell(&activity).for_people(zone).into_owned()).collect());
        ControlFlow::Continue(())
    })?;
    let shown = rows.len() as u64;
    let headings: Vec<_> = columns.iter().map(|column| column.heading()).collect();
    context.print_table(&headings, rows)?;
    if shown == limit {
        let count = store.count_activities(&filter)?;
        if count > shown {
            context.hint(&format!("{shown} of {count} activities; use --limit"));
        }
    } else if shown == 0 {
        context.hint("no activities: `apptsync explain ID` says why an appointment is not there");
    }
    Ok(())
}
