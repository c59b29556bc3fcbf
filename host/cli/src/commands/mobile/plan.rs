//! Planning an appointment.

use std::ops::ControlFlow;

use anyhow::bail;
use apptsync_model::text::{MAX_DESCRIPTION, MAX_LINE};
use apptsync_model::{MobileAction, Priority};
use chrono::Datelike;
use clap::Args;
use serde_json::{Map, Value, json};

use super::feed::{Feed, Pen, Version};
use super::period::{PeriodArguments, texts};
use super::{checked, checked_id, employee, master_data};
use crate::commands::activities::{Zones, named};
use crate::context::{Context, Exit, UsageError};

/// Arguments of `mobile plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// The employee who acts
    #[arg(long)]
    user: String,
    /// Sales channel
    #[arg(long)]
    channel: String,
    /// The customer's id in the sales channel
    #[arg(long)]
    customer: String,
    /// The employee in charge [default: the one who acts]
    #[arg(long)]
    employee: Option<String>,
    /// Name
    #[arg(long)]
    name: String,
    #[command(flatten)]
    period: PeriodArguments,
    /// Whole days; --start and --end are dates
    #[arg(long)]
    all_day: bool,
    /// Type of visit
    #[arg(long = "type", value_name = "TYPE", default_value = "Visit")]
    visit_type: String,
    /// Priority
    #[arg(long, default_value = "normal", value_parser = named(Priority::ALL, Priority::name))]
    priority: Priority,
    /// Description
    #[arg(long)]
    description: Option<String>,
    /// Id [default: a- and the next number]
    #[arg(long)]
    id: Option<String>,
    /// Number [default: SA/, the year, and the next number]
    #[arg(long)]
    number: Option<String>,
    /// Confirmed at once; managers and administrators may
    #[arg(long)]
    confirmed: bool,
}

/// Writes the first version of an appointment.
pub(super) fn run(arguments: PlanArguments, context: &Context) -> anyhow::Result<Exit> {
    check(&arguments)?;
    let workspace = context.workspace()?;
    let master = master_data(&workspace)?;
    let user = employee(&master, &arguments.user)?;
    let period = arguments.period.period(Zones::new(&master).of_employee(&user.id))?;
    if arguments.all_day && !period.is_all_day() {
        return Err(UsageError("--all-day needs dates: give --start and --end as 2026-12-01".into()).into());
    }
    let in_charge = employee(&master, arguments.employee.as_deref().unwrap_or(&arguments.user))?;
    if !master.channel.iter().any(|channel| channel.id == arguments.channel) {
        let channel = arguments.channel.escape_debug();
        return Err(UsageError(format!("there is no sales channel `{channel}`: see `apptsync channels list`")).into());
    }
    let action = if arguments.confirmed { MobileAction::PlanConfirmed } else { MobileAction::Plan };
    action.authorize(None, user, &in_charge.id, &master.employee)?;
    let status = action.apply(None)?;

    let folder = workspace.feed_folder()?;
    // Nobody writes between the numbers that are read here and what is written.
    let mut pen = Pen::take(&folder)?;
    let numbers = Numbers::of(&Feed::open(&folder)?, &arguments, context.now().to_utc().year())?;
    let (start, end) = texts(&period);
    let mut keys = Map::new();
    let values: [(&str, Value); 19] = [
        ("id", numbers.id.into()),
        ("channel", arguments.channel.into()),
        ("number", numbers.number.into()),
        ("name", arguments.name.into()),
        ("type", arguments.visit_type.into()),
        ("customer", arguments.customer.into()),
        ("employee", in_charge.id.clone().into()),
        ("start", start.clone().into()),
        ("end", end.clone().into()),
        ("all_day", period.is_all_day().into()),
        ("priority", arguments.priority.name().into()),
        ("status", status.name().into()),
        ("description", arguments.description.unwrap_or_default().into()),
        ("completed_on", Value::Null),
        ("completed_by", Value::Null),
        ("reason", Value::Null),
        ("changed_at", context.now().to_string().into()),
        ("deleted", false.into()),
        ("attributes", json!({})),
    ];
    keys.extend(values.map(|(key, value)| (key.to_owned(), value)));
    let version = Version::new(keys);
    pen.append(&version)?;
    if context.is_json() {
        context.print_json(&version)?;
        return Ok(Exit::Done);
    }
    context.print_line(&format!("{}: {status}, for {}, {start} to {end}", version.title(), in_charge.id))?;
    if action == MobileAction::Plan {
        let id = version.text("id");
        context.hint(&format!("a manager confirms it: `apptsync mobile confirm {id} --user MANAGER`"));
    }
    Ok(Exit::Done)
}

fn check(arguments: &PlanArguments) -> Result<(), UsageError> {
    checked_id("customer", &arguments.customer)?;
    if let Some(id) = &arguments.id {
        checked_id("id", id)?;
    }
    if arguments.name.trim().is_empty() {
        return Err(UsageError("--name is empty: say what the visit is about".into()));
    }
    checked("name", &arguments.name, MAX_LINE, false)?;
    checked("number", arguments.number.as_deref().unwrap_or_default(), MAX_LINE, false)?;
    checked("type", &arguments.visit_type, MAX_LINE, false)?;
    checked("description", arguments.description.as_deref().unwrap_or_default(), MAX_DESCRIPTION, true)
}

/// Id and number of a new appointment.
#[derive(Debug, PartialEq, Eq)]
struct Numbers {
    id: String,
    number: String,
}

impl Numbers {
    /// As given, or else one higher than the highest in the feed.
    fn of(feed: &Feed, arguments: &PlanArguments, year: i32) -> anyhow::Result<Self> {
        let prefix = format!("SA/{year}/");
        let (mut last_id, mut last_number) = (0, 0);
        let wanted = arguments.id.as_deref();
        feed.visit(&mut |head, _| {
            if wanted == Some(&*head.id) && head.channel == arguments.channel {
                bail!("appointment `{}` is there already: give another --id, or none", head.id.escape_debug());
            }
            last_id = last_id.max(counted(&head.id, "a-"));
            last_number = last_number.max(counted(&head.number, &prefix));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Self {
            id: arguments.id.clone().unwrap_or_else(|| format!("a-{}", last_id.saturating_add(1))),
            number: arguments.number.clone().unwrap_or_else(|| format!("{prefix}{:06}", last_number.saturating_add(1))),
        })
    }
}

/// The number after a prefix; 0 where there is none.
fn counted(text: &str, prefix: &str) -> u64 {
    text.strip_prefix(prefix).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: PlanArguments,
    }

    fn numbers(feed: &str, more: &[&str]) -> anyhow::Result<Numbers> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("appointments.jsonl"), feed)?;
        let fixed = [
            "plan",
            "--user",
            "B",
            "--channel",
            "B2B",
            "--customer",
            "C1",
            "--name",
            "x",
            "--start",
            "2026-12-01",
            "--end",
            "2026-12-02",
        ];
        let line = Line::try_parse_from(fixed.iter().chain(more))?;
        Numbers::of(&Feed::open(folder.path())?, &line.arguments, 2026)
    }

    #[test]
    fn ids_and_numbers_count_on() {
        let feed = r#"{"id":"a-9","channel":"B2B","number":"SA/2026/000123","employee":"B","status":"confirmed"}
{"id":"a-10","channel":"B2C","number":"SA/2025/000900","employee":"B","status":"confirmed"}
{"id":"visit","channel":"B2B","number":"7","employee":"B","status":"confirmed"}
"#;
        let numbers = |more: &[&str]| numbers(feed, more);
        let made = numbers(&[]).expect("numbers");
        assert_eq!(made, Numbers { id: "a-11".into(), number: "SA/2026/000124".into() });
        let given = numbers(&["--id", "visit-2", "--number", "8"]).expect("numbers");
        assert_eq!(given, Numbers { id: "visit-2".into(), number: "8".into() });
        assert!(numbers(&["--id", "visit"]).is_err_and(|error| error.to_string().contains("is there already")));
        assert!(numbers(&["--id", "a-10"]).is_ok(), "the other channel's");
    }

    #[test]
    fn an_empty_feed_begins_with_one() {
        let made = numbers("", &[]).expect("numbers");
        assert_eq!(made, Numbers { id: "a-1".into(), number: "SA/2026/000001".into() });
    }
}
