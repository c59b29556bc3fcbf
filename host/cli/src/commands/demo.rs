//! `demo`: a workspace with sample data, imported and shown.

mod feed;
mod sample;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use apptsync_model::outlook::{Criteria, EntryScope, Moment, Profile, SyncSettings};
use apptsync_model::{
    APPOINTMENT_SYNCHRONIZE, Activity, ActivityFilter, Application, ChangedSince, JobState, MasterData, local_date_time,
};
use apptsync_pipeline::ImportRequest;
use apptsync_pipeline::outlook::{self as pipeline, SyncRequest};
use apptsync_store::{JobSettings, OutlookStore, SettingsOwner, Store};
use clap::Args;
use serde::Serialize;

use super::activities::Zones;
use super::init;
use super::outlook::connect::KeyArguments;
use super::outlook::sync::{self, Outcome, OutcomeView, exit_of, synchronise_all};
use super::run::execute;
use crate::configuration::FILE_NAME;
use crate::context::{Context, Exit, UsageError, Workspace};
use crate::position::shown;
use crate::report::{JobView, print_job};

const EXAMPLES: &str = "\
Examples:
  apptsync demo
  apptsync demo ~/rehearsal --as-of 2026-12-01T08:00:00Z

The sample has warnings on purpose, a customer that is missing and a broken line; they do not change the exit code.";

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Rows of the cockpit that are shown.
const ROWS: u64 = 10;

/// Where to make the workspace.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArguments {
    /// The folder; one that `demo` made before is imported again
    #[arg(value_name = "DIR", default_value = "apptsync-demo")]
    folder: PathBuf,
}

/// The result as JSON.
#[derive(Debug, Serialize)]
struct DemoView<'a> {
    workspace: &'a Path,
    changed: bool,
    #[serde(flatten)]
    job: &'a JobView<'a>,
    /// What came of the synchronisation, profile by profile.
    outlook: Vec<OutcomeView<'a>>,
    /// The calendars that were written.
    calendars: &'a [PathBuf],
}

/// Runs the command.
///
/// # Errors
/// The workspace cannot be made, or the import cannot begin.
pub fn run(arguments: &DemoArguments, context: &Context) -> anyhow::Result<Exit> {
    let folder = std::path::absolute(&arguments.folder).context("the folder has no absolute path")?;
    let file = folder.join(FILE_NAME);
    let is_new = !file.is_file();
    if is_new {
        make(&folder, context)?;
        context.print_line(&format!("made a workspace with sample data in {}\n", shown(&folder)))?;
    }
    let workspace = context.with_config(file).workspace()?;
    check_sample(&workspace)?;
    let before = if is_new { Vec::new() } else { activities(&workspace)? };
    let request = ImportRequest {
        settings: JobSettings {
            application: Application::ImportData,
            name: "Demo".to_owned(),
            channel: sample::CHANNEL.to_owned(),
            user: Some(sample::USER.to_owned()),
            changed_since: ChangedSince::LastTransfer,
            deactivate_deleted: false,
            content_language: None,
        },
        scheduled: None,
        as_of: context.now(),
    };
    let report = execute(context, &workspace, request, false)?;
    let view = JobView::from(&report);
    let after = activities(&workspace)?;
    let changed = after.iter().filter(|activity| !before.contains(activity)).count();
    let exit = match report.state {
        JobState::Failed | JobState::Canceled => Exit::Failed,
        _ => Exit::Done,
    };
    let outcomes = if exit == Exit::Failed { Vec::new() } else { synchronise(context, &workspace)? };
    let calendars = calendars(&workspace)?;
    let exit = if outcomes.is_empty() || exit_of(&outcomes) != Exit::Failed { exit } else { Exit::Failed };
    if context.is_json() {
        let outlook = outcomes.iter().map(|outcome| outcome.view(false)).collect();
        let view = DemoView { workspace: &folder, changed: changed > 0, job: &view, outlook, calendars: &calendars };
        context.print_json(&view)?;
        return Ok(exit);
    }
    print_job(context, &view)?;
    print_cockpit(context, &workspace, &after)?;
    if exit == Exit::Failed {
        return Ok(exit);
    }
    if !is_new {
        context.print_line(&match changed {
            0 => "\nNothing changed: the feed has nothing new, and no activity was written.".to_owned(),
            1 => "\n1 activity changed since the last run.".to_owned(),
            _ => format!("\n{changed} activities changed since the last run."),
        })?;
    }
    print_calendars(context, &outcomes, &calendars)?;
    print_next(context, &folder, &after)?;
    Ok(exit)
}

/// Makes the workspace beside its place and moves it there whole, so that a broken off attempt leaves nothing half done.
fn make(folder: &Path, context: &Context) -> anyhow::Result<()> {
    let is_empty = |folder: &Path| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !is_empty(folder) {
        let message = format!("{} is there already and is no workspace: name another folder", folder.display());
        return Err(UsageError(message).into());
    }
    let parent = folder.parent().unwrap_or(folder);
    let unmade = || format!("the folder {} cannot be made", folder.display());
    fs::create_dir_all(parent).with_context(unmade)?;
    let beside = tempfile::Builder::new().prefix(".apptsync-demo-").tempdir_in(parent).with_context(unmade)?;
    fill(beside.path(), context)?;
    if folder.exists() {
        fs::remove_dir(folder).with_context(unmade)?;
    }
    fs::rename(beside.path(), folder).with_context(unmade)?;
    // It is no longer where it would be removed from.
    let _ = beside.keep();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).with_context(unmade)?;
    }
    Ok(())
}

fn fill(folder: &Path, context: &Context) -> anyhow::Result<()> {
    let workspace = init::make(folder, context)?;
    let write = |path: PathBuf, text: &str| {
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    };
    write(folder.join("master-data.toml"), sample::MASTER_DATA)?;
    let master: MasterData = toml::from_str(sample::MASTER_DATA).context("the sample master data is wrong")?;
    let store = workspace.store()?;
    store.load(&master)?;
    for mut definition in store.definitions()? {
        if definition.settings.name == APPOINTMENT_SYNCHRONIZE {
            definition.active = true;
            store.put_definition(&definition)?;
        }
    }
    prepare_outlook(&store, &master)?;
    let feed = feed::make(&master, context.now());
    write(workspace.feed_folder()?.join("customers.jsonl"), &feed.customers)?;
    write(workspace.feed_folder()?.join("appointments.jsonl"), &feed.appointments)
}

/// A calendar file for each sales representative, and windows wide enough for the sample.
fn prepare_outlook(store: &dyn Store, master: &MasterData) -> anyhow::Result<()> {
    let window = EntryScope {
        start: Moment::FromNow(-30 * DAY),
        end: Moment::FromNow(180 * DAY),
        criteria: Criteria::default(),
    };
    let settings = SyncSettings { calendar: Some(window.clone()), tasks: Some(window) };
    store.put_sync_settings(&SettingsOwner::Database, Some(&settings))?;
    for employee in master.employee.iter().filter(|employee| employee.is_eligible()) {
        let name = employee.name.split_whitespace().next().unwrap_or(&employee.id).to_lowercase();
        store.put_profile(&Profile {
            mailbox: name.clone(),
            name,
            employee: employee.id.clone(),
            connector: "calendar-file".to_owned(),
            ..Profile::default()
        })?;
    }
    Ok(())
}

/// Brings the appointments into the calendars.
fn synchronise(context: &Context, workspace: &Workspace) -> anyhow::Result<Vec<Outcome>> {
    let profiles: Vec<_> = workspace.store()?.profiles()?.into_iter().filter(|stored| stored.profile.active).collect();
    let request = SyncRequest {
        as_of: context.now(),
        plan_only: false,
        approve: None,
        patience: Duration::from_secs(30),
        progress: None,
    };
    synchronise_all(workspace, context, &profiles, &request, &KeyArguments::default(), pipeline::synchronise)
}

/// The calendar files of the workspace.
fn calendars(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let folder = workspace.folder.join("calendars");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ics"));
    files.sort();
    Ok(files)
}

fn print_calendars(context: &Context, outcomes: &[Outcome], calendars: &[PathBuf]) -> anyhow::Result<()> {
    context.print_line("\nOutlook: each representative's appointments as a calendar")?;
    sync::show(outcomes, false, context)?;
    for file in calendars {
        context.print_line(&format!("  {}", shown(file)))?;
    }
    context.print_line(
        "To see one in Outlook: File > Open & Export > Import/Export > Import an iCalendar (.ics), or double-click the file.",
    )?;
    context.print_line(
        "Edit it there or in any calendar program, and `apptsync outlook sync --all` takes the changes over.",
    )
}

/// A workspace that was not made by `demo` is left alone.
fn check_sample(workspace: &Workspace) -> anyhow::Result<()> {
    let master = workspace.store()?.master_data()?;
    let has_channel = master.channel.iter().any(|channel| channel.id == sample::CHANNEL);
    if has_channel && master.employee.iter().any(|employee| employee.id == sample::USER) {
        return Ok(());
    }
    let message = format!("{} is a workspace without the sample data: name another folder", workspace.folder.display());
    Err(UsageError(message).into())
}

fn activities(workspace: &Workspace) -> anyhow::Result<Vec<Activity>> {
    let mut activities = Vec::new();
    workspace.store()?.activities(&ActivityFilter::default(), &mut |activity| {
        activities.push(activity);
        ControlFlow::Continue(())
    })?;
    Ok(activities)
}

fn print_cockpit(context: &Context, workspace: &Workspace, activities: &[Activity]) -> anyhow::Result<()> {
    let zones = Zones::new(&workspace.store()?.master_data()?);
    let shown = activities.iter().take(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let row = |activity: &Activity| {
        let start = local_date_time(activity.start, zones.of(activity));
        vec![
            activity.id.to_string(),
            activity.status.to_string(),
            if activity.period.is_all_day() { start.chars().take(10).collect() } else { start },
            activity.subject.clone(),
            activity.customer_name.clone(),
            activity.employee_name.clone(),
        ]
    };
    let rows: Vec<_> = shown.map(row).collect();
    context.print_line(&format!("\nCockpit: the first {} of {} activities", rows.len(), activities.len()))?;
    context.print_table(&["Activity", "Status", "Start time", "Subject", "Customer", "Employee"], rows)
}

fn print_next(context: &Context, folder: &Path, activities: &[Activity]) -> anyhow::Result<()> {
    let first = activities.first().map_or("1".to_owned(), |activity| activity.id.to_string());
    let source = activities.first().map_or("a-0001", |activity| activity.source_id.as_str());
    let rows = [
        (format!("cd {}", shown(folder)), "all that follows works on this workspace"),
        (format!("apptsync activities show {first}"), "an activity with its tabs"),
        (format!("apptsync explain {source}"), "why it is as it is, stage by stage"),
        (format!("apptsync mobile complete {source} --user A"), "carry the appointment out in Mobile …"),
        (format!("apptsync run import-data --channel {} --user {}", sample::CHANNEL, sample::USER), "… and import it"),
        ("apptsync activities export week.xlsx".to_owned(), "the cockpit as a workbook"),
        ("apptsync jobs list".to_owned(), "the batch jobs and their protocols"),
    ];
    context.print_line("\nWhat to try next")?;
    let width = rows.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    for (command, meaning) in rows {
        context.print_line(&format!("  {command:width$}  {meaning}"))?;
    }
    Ok(())
}
