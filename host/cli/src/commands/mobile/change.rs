//! What people do with an appointment that is there: each makes a new version.

use anyhow::bail;
use apptsync_model::text::MAX_NOTE;
use apptsync_model::{Instant, MobileAction, MobileStatus};
use serde_json::Value;

use super::feed::{Feed, Pen, Version};
use super::period::{PeriodArguments, texts};
use super::{TargetArguments, checked, employee, master_data};
use crate::commands::activities::Zones;
use crate::context::{Context, Exit, UsageError};

/// A manager agrees.
pub(super) fn confirm(target: &TargetArguments, context: &Context) -> anyhow::Result<Exit> {
    change(MobileAction::Confirm, target, context, |_| {})
}

/// The visit begins.
pub(super) fn start(target: &TargetArguments, context: &Context) -> anyhow::Result<Exit> {
    change(MobileAction::Start, target, context, |version| version.set("reason", Value::Null))
}

/// The visit is interrupted.
pub(super) fn suspend(target: &TargetArguments, reason: Option<String>, context: &Context) -> anyhow::Result<Exit> {
    checked("reason", reason.as_deref().unwrap_or_default(), MAX_NOTE, true)?;
    change(MobileAction::Suspend, target, context, |version| version.set("reason", reason))
}

/// The visit goes on.
pub(super) fn resume(target: &TargetArguments, context: &Context) -> anyhow::Result<Exit> {
    change(MobileAction::Resume, target, context, |version| version.set("reason", Value::Null))
}

/// The visit was carried out.
pub(super) fn complete(target: &TargetArguments, on: Option<Instant>, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let on = on.unwrap_or(now);
    if on > now {
        return Err(
            UsageError(format!("--on is {on}, which lies after now, {now}: give an instant that is over")).into()
        );
    }
    change(MobileAction::Complete, target, context, |version| {
        version.set("reason", Value::Null);
        version.set("completed_on", on.to_string());
        version.set("completed_by", target.user.as_str());
    })
}

/// It will not be carried out.
pub(super) fn reject(target: &TargetArguments, reason: String, context: &Context) -> anyhow::Result<Exit> {
    checked("reason", &reason, MAX_NOTE, true)?;
    change(MobileAction::Reject, target, context, |version| version.set("reason", reason))
}

/// It takes place at another time.
pub(super) fn reschedule(
    target: &TargetArguments,
    period: &PeriodArguments,
    context: &Context,
) -> anyhow::Result<Exit> {
    let master = master_data(&context.workspace()?)?;
    let period = period.period(Zones::new(&master).of_employee(&target.user))?;
    change(MobileAction::Reschedule, target, context, |version| {
        let (start, end) = texts(&period);
        version.set("start", start);
        version.set("end", end);
        version.set("all_day", period.is_all_day());
    })
}

/// It is taken out of Mobile.
pub(super) fn delete(target: &TargetArguments, context: &Context) -> anyhow::Result<Exit> {
    change(MobileAction::Delete, target, context, |version| version.set("deleted", true))
}

/// Writes a new version of an appointment, if the user may and the status allows it.
fn change(
    action: MobileAction,
    target: &TargetArguments,
    context: &Context,
    edit: impl FnOnce(&mut Version),
) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let master = master_data(&workspace)?;
    let user = employee(&master, &target.user)?;
    let folder = workspace.feed_folder()?;
    // Looked for before the pen is taken, which would make a file.
    Feed::open(&folder)?.current(&target.id, target.channel.as_deref())?;
    // Nobody writes between what is read here and what is written.
    let mut pen = Pen::take(&folder)?;
    let mut version = Feed::open(&folder)?.current(&target.id, target.channel.as_deref())?;
    if version.flag("deleted") {
        bail!("appointment {} is deleted: nothing can be done with it any more", version.title());
    }
    let before: MobileStatus = version.text("status").parse().map_err(anyhow::Error::msg)?;
    action.authorize(Some(before), user, version.text("employee"), &master.employee)?;
    let after =
        action.apply(Some(before)).map_err(|error| anyhow::anyhow!("appointment {}: {error}", version.title()))?;
    edit(&mut version);
    version.set("status", after.name());
    version.set("changed_at", context.now().to_string());
    pen.append(&version)?;
    report(action, &version, before, after, context)
}

fn report(
    action: MobileAction,
    version: &Version,
    before: MobileStatus,
    after: MobileStatus,
    context: &Context,
) -> anyhow::Result<Exit> {
    if context.is_json() {
        context.print_json(version)?;
        return Ok(Exit::Done);
    }
    let what = match action {
        MobileAction::Reschedule => format!("{after}, {} to {}", version.text("start"), version.text("end")),
        MobileAction::Delete => "deleted".to_owned(),
        _ => format!("{before} → {after}"),
    };
    context.print_line(&format!("{}: {what}", version.title()))?;
    Ok(Exit::Done)
}
