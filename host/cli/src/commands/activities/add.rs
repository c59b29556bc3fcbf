//! Making an activity in the headquarters.

use apptsync_model::outlook::{ItemKind, Origin};
use apptsync_model::text::{MAX_DESCRIPTION, MAX_LINE};
use apptsync_model::{Instant, MasterData, Period, Priority};
use apptsync_store::{EditedActivity, HeadquartersChange, NewActivity, OutlookStore, Store};
use chrono::Days;
use chrono_tz::Tz;
use clap::Args;

use super::columns::Zones;
use super::edit::report;
use super::filter::named;
use crate::commands::mobile::checked;
use crate::commands::mobile::period::{Moment, between, moment};
use crate::context::{Context, Exit, UsageError};

/// Arguments of `activities add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// The representative
    #[arg(long, value_name = "ID")]
    employee: String,
    /// Subject
    #[arg(long)]
    subject: String,
    /// Start: a local time such as 2026-12-01T10:00, an instant, or the first of whole days
    #[arg(long, value_name = "TIME|DATE", value_parser = moment, requires = "end", required_unless_present = "task")]
    start: Option<Moment>,
    /// End: a local time, an instant, or the day after the last of whole days
    #[arg(long, value_name = "TIME|DATE", value_parser = moment, requires = "start")]
    end: Option<Moment>,
    /// Whole days; --start and --end are dates
    #[arg(long, requires = "start")]
    all_day: bool,
    /// A task instead of a calendar entry
    #[arg(long)]
    task: bool,
    /// The partner that it is about
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Description
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// Priority
    #[arg(long, default_value = "normal", value_parser = named(Priority::ALL, Priority::name))]
    priority: Priority,
    /// Kind [default: Appointment, or Task]
    #[arg(long)]
    kind: Option<String>,
    /// Location
    #[arg(long, default_value = "", hide_default_value = true)]
    location: String,
}

/// Makes an activity.
pub(super) fn run(arguments: AddArguments, context: &Context) -> anyhow::Result<Exit> {
    check_texts(Some(&arguments.subject), Some(&arguments.description), Some(&arguments.location))?;
    checked("kind", arguments.kind.as_deref().unwrap_or_default(), MAX_LINE, false)?;
    let store = context.workspace()?.store()?;
    let master = store.master_data()?;
    check_master(&arguments, &master)?;
    let zone = Zones::new(&master).of_employee(&arguments.employee);
    let (period, undated) = match arguments.start.zip(arguments.end) {
        Some((start, end)) => (between(start, end, zone)?, false),
        None => (today(context.now(), zone), true),
    };
    if arguments.all_day && !period.is_all_day() {
        return Err(UsageError("--all-day needs dates: give --start and --end as 2026-12-01".into()).into());
    }
    let (start, end) = period.instants(zone);
    let entry = if arguments.task { ItemKind::Task } else { ItemKind::Appointment };
    let new = NewActivity {
        origin: Origin::Headquarters,
        entry,
        source_id: String::new(),
        employee: arguments.employee,
        partner: arguments.customer,
        kind: arguments.kind.unwrap_or_else(|| if arguments.task { "Task" } else { "Appointment" }.to_owned()),
        fields: EditedActivity {
            subject: arguments.subject,
            description: arguments.description,
            location: arguments.location,
            period,
            start,
            end,
            priority: arguments.priority,
            completed: None,
            undated,
        },
    };
    let id = store.change_activity(&HeadquartersChange::Create(Box::new(new)), context.now())?;
    report(&store, id, context)
}

/// The day on which a task without a date comes in.
fn today(now: Instant, zone: Tz) -> Period {
    let start = now.to_utc().with_timezone(&zone).date_naive();
    Period::AllDay { start, end: start.checked_add_days(Days::new(1)).unwrap_or(start) }
}

/// Employee and customer must be there; what is marked for deletion counts as not existing (domain 3).
fn check_master(arguments: &AddArguments, master: &MasterData) -> Result<(), UsageError> {
    let employee = master.employee.iter().find(|employee| employee.id == arguments.employee);
    if employee.is_none_or(|employee| employee.deletion_mark) {
        let id = arguments.employee.escape_debug();
        return Err(UsageError(format!("there is no employee `{id}`: see `apptsync employees list`")));
    }
    let Some(customer) = &arguments.customer else { return Ok(()) };
    let partner = master.partner.iter().find(|partner| partner.id == *customer);
    if partner.is_none_or(|partner| partner.deletion_mark) {
        let id = customer.escape_debug();
        return Err(UsageError(format!("there is no partner `{id}`: see `apptsync partners list`")));
    }
    Ok(())
}

/// Texts that an activity can hold.
pub(super) fn check_texts(
    subject: Option<&str>,
    description: Option<&str>,
    location: Option<&str>,
) -> Result<(), UsageError> {
    if subject.is_some_and(|subject| subject.trim().is_empty()) {
        return Err(UsageError("--subject is empty: say what it is about".into()));
    }
    checked("subject", subject.unwrap_or_default(), MAX_LINE, false)?;
    checked("description", description.unwrap_or_default(), MAX_DESCRIPTION, true)?;
    checked("location", location.unwrap_or_default(), MAX_LINE, false)
}
