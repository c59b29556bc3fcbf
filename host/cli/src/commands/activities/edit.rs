//! Changing an activity by hand. Activities of Mobile origin should not be (domain 1).

use anyhow::bail;
use apptsync_model::{Activity, ActivityId, ActivityStatus, Instant, Period, Priority, local_period};
use apptsync_store::{EditedActivity, HeadquartersChange, OutlookStore, SqliteStore, Store};
use chrono_tz::Tz;
use clap::Args;

use super::add::check_texts;
use super::columns::{Row, Zones};
use super::filter::named;
use super::show::find;
use crate::commands::mobile::period::{Moment, between, moment};
use crate::context::{Context, Exit, UsageError};

/// Which activity.
#[derive(Debug, Args)]
pub struct Target {
    /// The activity; the appointment's id or number will do where only one activity has it
    id: String,
    /// Even an activity of Mobile origin
    #[arg(long)]
    force: bool,
}

/// Arguments of `activities set`.
#[derive(Debug, Args)]
pub struct SetArguments {
    #[command(flatten)]
    target: Target,
    /// Subject
    #[arg(long)]
    subject: Option<String>,
    /// Start: a local time such as 2026-12-01T10:00, an instant, or the first of whole days
    #[arg(long, value_name = "TIME|DATE", value_parser = moment)]
    start: Option<Moment>,
    /// End: a local time, an instant, or the day after the last of whole days
    #[arg(long, value_name = "TIME|DATE", value_parser = moment)]
    end: Option<Moment>,
    /// Description
    #[arg(long)]
    description: Option<String>,
    /// Priority
    #[arg(long, value_parser = named(Priority::ALL, Priority::name))]
    priority: Option<Priority>,
    /// Location; an empty text takes it away
    #[arg(long)]
    location: Option<String>,
}

/// Arguments of `activities complete`.
#[derive(Debug, Args)]
pub struct CompleteArguments {
    #[command(flatten)]
    target: Target,
    /// When it was completed [default: now]
    #[arg(long, value_name = "INSTANT")]
    on: Option<Instant>,
}

/// Arguments of `activities cancel`.
#[derive(Debug, Args)]
pub struct CancelArguments {
    #[command(flatten)]
    target: Target,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Changes the fields that are given.
pub(super) fn set(arguments: SetArguments, context: &Context) -> anyhow::Result<Exit> {
    let SetArguments { target, subject, start, end, description, priority, location } = arguments;
    check_texts(subject.as_deref(), description.as_deref(), location.as_deref())?;
    let texts = [&subject, &description, &location];
    if texts.iter().all(|text| text.is_none()) && start.is_none() && end.is_none() && priority.is_none() {
        let message = "nothing to change: give --subject, --start, --end, --description, --priority or --location";
        return Err(UsageError(message.into()).into());
    }
    let store = context.workspace()?.store()?;
    let activity = open(&store, &target)?;
    let zone = Zones::new(&store.master_data()?).of(&activity);
    let before = fields(&activity);
    let (period, undated) = match (start, end) {
        (None, None) => (before.period, before.undated),
        (start, end) => {
            let (first, last) = moments(&before.period);
            (between(start.unwrap_or(first), end.unwrap_or(last), zone)?, false)
        }
    };
    let (start, end) = period.instants(zone);
    let fields = EditedActivity {
        subject: subject.unwrap_or(before.subject),
        description: description.unwrap_or(before.description),
        location: location.unwrap_or(before.location),
        priority: priority.unwrap_or(before.priority),
        period,
        start,
        end,
        undated,
        ..before
    };
    let Activity { id, revision, .. } = activity;
    apply(&store, &activity, HeadquartersChange::Update { activity: id, revision, fields }, context)
}

/// Completes an activity that is Planned.
pub(super) fn complete(arguments: &CompleteArguments, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let on = arguments.on.unwrap_or(now);
    if on > now {
        let message = format!("--on is {on}, which lies after now, {now}: give an instant that is over");
        return Err(UsageError(message).into());
    }
    let store = context.workspace()?.store()?;
    let activity = open(&store, &arguments.target)?;
    if activity.status != ActivityStatus::Planned {
        let Activity { id, status, .. } = activity;
        bail!("activity {id} is {status}: a status goes one way only, and only a planned activity can be completed");
    }
    let Activity { id, revision, .. } = activity;
    let fields = EditedActivity { completed: Some(on), ..fields(&activity) };
    apply(&store, &activity, HeadquartersChange::Update { activity: id, revision, fields }, context)
}

/// Cancels an activity.
pub(super) fn cancel(arguments: &CancelArguments, context: &Context) -> anyhow::Result<Exit> {
    let store = context.workspace()?.store()?;
    let activity = open(&store, &arguments.target)?;
    let Activity { id, revision, .. } = activity;
    if !arguments.yes {
        let question =
            format!("Cancel activity {id}, {}? It is closed for good, and its item in Outlook goes.", activity.subject);
        if !context.confirm(&question)? {
            context.hint("nothing was changed");
            return Ok(Exit::Failed);
        }
    }
    apply(&store, &activity, HeadquartersChange::Cancel { activity: id, revision }, context)
}

/// The activity, if it may be changed.
fn open(store: &SqliteStore, target: &Target) -> anyhow::Result<Activity> {
    let activity = find(store, &target.id)?;
    if activity.is_of_mobile() && !target.force {
        let message = format!(
            "activity {} comes from Mobile: appointments of Mobile origin should not be modified by hand, and Mobile wins at the next run; change it in Mobile, or say --force",
            activity.id
        );
        return Err(UsageError(message).into());
    }
    if activity.canceled {
        bail!("activity {} is canceled: nothing can be done with it any more", activity.id);
    }
    Ok(activity)
}

fn apply(
    store: &SqliteStore,
    before: &Activity,
    change: HeadquartersChange,
    context: &Context,
) -> anyhow::Result<Exit> {
    let id = store.change_activity(&change, context.now())?;
    if before.is_of_mobile() {
        let after = store.activity(id)?;
        let consequence = if after.is_some_and(|after| after.status == ActivityStatus::Planned) {
            "Mobile wins at the next run"
        } else {
            "this one is closed or delayed, and nothing that Mobile says is imported any more"
        };
        context.warn(&format!("appointments of Mobile origin should not be modified by hand: {consequence}"));
    }
    report(store, id, context)
}

/// Shows an activity that was made or changed.
pub(super) fn report(store: &SqliteStore, id: ActivityId, context: &Context) -> anyhow::Result<Exit> {
    let Some(activity) = store.activity(id)? else { bail!("activity {id} is gone: run `apptsync doctor`") };
    if context.is_json() {
        context.print_json(&Row::whole(&activity))?;
        return Ok(Exit::Done);
    }
    let zone = Zones::new(&store.master_data()?).of(&activity);
    let Activity { subject, employee, .. } = &activity;
    let (status, when) = (activity.shown_status(), when(&activity, zone));
    context.print_line(&format!("Activity {id}: {status}, {when}, for {employee}: {subject}"))?;
    Ok(Exit::Done)
}

fn when(activity: &Activity, zone: Tz) -> String {
    let (start, end) = local_period(&activity.period, zone);
    match activity.period {
        _ if activity.is_undated() => "without a date".to_owned(),
        Period::AllDay { .. } if start == end => start,
        Period::AllDay { .. } => format!("{start} to {end}"),
        Period::Timed { .. } => format!("{start} to {end} ({zone})"),
    }
}

/// An activity as an edit that changes nothing.
fn fields(activity: &Activity) -> EditedActivity {
    EditedActivity {
        subject: activity.subject.clone(),
        description: activity.description.clone(),
        location: activity.location().to_owned(),
        period: activity.period,
        start: activity.start,
        end: activity.end,
        priority: activity.priority,
        completed: None,
        undated: activity.is_undated(),
    }
}

fn moments(period: &Period) -> (Moment, Moment) {
    match *period {
        Period::Timed { start, end } => (Moment::Instant(start), Moment::Instant(end)),
        Period::AllDay { start, end } => (Moment::Day(start), Moment::Day(end)),
    }
}
