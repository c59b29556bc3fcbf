//! One activity, as its tabs show it.

use std::collections::BTreeMap;

use anyhow::anyhow;
use apptsync_model::outlook::Origin;
use apptsync_model::{Activity, ActivityId, ActivityStatus, LOCATION, UNDATED, local_date_time, local_period};
use apptsync_store::{Store, Transfer};
use serde::Serialize;

use super::columns::{Row, Zones};
use crate::context::{Context, Exit, UsageError};

/// What stands where there is nothing.
const NOTHING: &str = "–";

/// The documented JSON of one activity: that of the list, and what only one activity has room for.
#[derive(Serialize)]
struct Details<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    customer_name: &'a str,
    employee_name: &'a str,
    entry: &'static str,
    attributes: BTreeMap<&'a str, &'a str>,
    created_by_job: i64,
    changed_by_job: i64,
    changed_at: String,
}

/// Shows the activity that a text names.
pub(super) fn run(text: &str, context: &Context) -> anyhow::Result<Exit> {
    let store = context.workspace()?.store()?;
    let activity = find(&store, text)?;
    if context.is_json() {
        context.print_json(&Details {
            row: Row::whole(&activity),
            customer_name: &activity.customer_name,
            employee_name: &activity.employee_name,
            entry: activity.entry.name(),
            attributes: activity.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            created_by_job: activity.created_by_job,
            changed_by_job: activity.changed_by_job,
            changed_at: activity.changed_at.to_string(),
        })?;
    } else {
        let zones = Zones::new(&store.master_data()?);
        print(&activity, &zones, context)?;
    }
    Ok(Exit::Done)
}

/// An activity by its id, or else by the id or number of its appointment, where that is of one activity only.
pub(super) fn find(store: &dyn Store, text: &str) -> anyhow::Result<Activity> {
    if let Ok(id) = text.parse::<ActivityId>()
        && let Some(activity) = store.activity(id)?
    {
        return Ok(activity);
    }
    let transfers = store.find_transfers(text)?;
    let with_activity: Vec<(&Transfer, ActivityId)> =
        transfers.iter().filter_map(|transfer| transfer.activity.map(|activity| (transfer, activity))).collect();
    let quoted = text.escape_debug();
    match with_activity.as_slice() {
        [(_, id)] => store
            .activity(*id)?
            .ok_or_else(|| anyhow!("activity {id} of `{quoted}` is not in the database: run `apptsync doctor`")),
        [] if transfers.is_empty() => Err(UsageError(format!(
            "there is no activity `{quoted}`, nor an appointment with this id or number: see `apptsync activities list`"
        ))
        .into()),
        [] => Err(UsageError(format!("`{quoted}` has no activity: `apptsync explain {quoted}` says why")).into()),
        several => {
            let choices: Vec<_> = several
                .iter()
                .map(|(transfer, id)| format!("{id} ({} of sales channel {})", transfer.source_id, transfer.channel))
                .collect();
            let (count, choices) = (several.len(), choices.join(", "));
            Err(UsageError(format!("`{quoted}` is the id or number of {count} activities: show one of {choices}"))
                .into())
        }
    }
}

fn print(activity: &Activity, zones: &Zones, context: &Context) -> anyhow::Result<()> {
    let zone = zones.of(activity);
    let (start, end) = local_period(&activity.period, zone);
    let time = |text: String| if activity.period.is_all_day() { text } else { format!("{text} ({zone})") };
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_owned());
    let status = match activity.canceled {
        true if activity.status != ActivityStatus::CompletedUnprocessed => format!("Canceled ({})", activity.status),
        _ => activity.shown_status().to_owned(),
    };

    context.print_line(&format!("Activity {}", activity.id))?;
    field(context, "Subject", &activity.subject)?;
    if activity.is_of_mobile() {
        field(context, "Sales channel", &activity.channel)?;
        field(context, "Id in Mobile", &activity.source_id)?;
    } else {
        let origin = activity.origin.parse::<Origin>().map_or(&*activity.origin, |origin| origin.label());
        field(context, "Origin", origin)?;
        field(context, "Entry", activity.entry.label())?;
    }
    context.print_line("\nGeneral")?;
    if activity.is_undated() {
        field(context, "Date", NOTHING)?;
    } else {
        field(context, "Start time", &time(start))?;
        field(context, "End time", &time(end))?;
    }
    if !activity.location().is_empty() {
        field(context, "Location", activity.location())?;
    }
    field(context, "Priority", activity.priority.label())?;
    field(context, "Kind", &activity.kind)?;
    field(context, "Status", &status)?;
    field(context, "Description", &activity.description)?;
    context.print_line("\nResults")?;
    let completed_on = activity.completed_on.map(|instant| format!("{} ({zone})", local_date_time(instant, zone)));
    field(context, "Completed on", &or_nothing(completed_on))?;
    field(context, "Completed by", &or_nothing(activity.completed_by.clone()))?;
    context.print_line("\nReferences")?;
    field(context, "Customer", &format!("{} {}", activity.customer, activity.customer_name))?;
    context.print_line("\nTasks")?;
    field(context, "Employee", &format!("{} {}", activity.employee, activity.employee_name))?;
    // A task goes the way of its activity.
    field(context, "Status", &status)?;
    let shown_above = |name: &str| matches!(name, LOCATION | UNDATED);
    let others = activity.attributes.iter().filter(|(name, _)| !shown_above(name));
    for (position, (name, value)) in others.enumerate() {
        if position == 0 {
            context.print_line("\nAttributes")?;
        }
        field(context, name, value)?;
    }
    Ok(())
}

/// A name and its value; further lines of the value stand below its first.
fn field(context: &Context, name: &str, value: &str) -> anyhow::Result<()> {
    let value = if value.is_empty() { NOTHING } else { value };
    context.print_line(format!("  {name:<14}{}", value.replace('\n', "\n                ")).trim_end())
}
