//! `outlook settings`: Activity synchronization settings (domain 8).

use apptsync_model::outlook::{Criteria, EntryScope, Moment, SettingsLevel, SyncSettings};
use apptsync_model::{ActivityStatus, Priority};
use apptsync_store::{OutlookStore, SettingsOwner, SqliteStore, Store};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::context::{Context, Exit, UsageError};

const EXAMPLES: &str = "\
Examples:
  apptsync outlook settings set --level database --calendar-from -7d --calendar-to +90d
  apptsync outlook settings set --level user --employee B --tasks-from -7d --tasks-to +30d
  apptsync outlook settings set --level database --tab calendar --kind Visit --priority high
  apptsync outlook settings set --level user --employee B --remove
  apptsync outlook settings show";

/// Subcommands of `outlook settings`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum SettingsCommand {
    /// Show the settings of all levels
    Show,
    /// Set windows and criteria; a user's settings win as a whole over the database's
    Set(Box<SetArguments>),
}

/// Arguments of `outlook settings set`.
#[derive(Debug, Args)]
pub struct SetArguments {
    /// Whose settings: user or database
    #[arg(long, value_name = "LEVEL")]
    level: SettingsLevel,
    /// The user, with --level user
    #[arg(long, value_name = "ID")]
    employee: Option<String>,
    /// Calendar entries: Start time, an instant or a distance from now such as -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    calendar_from: Option<Moment>,
    /// Calendar entries: End time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    calendar_to: Option<Moment>,
    /// Tasks: Start time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    tasks_from: Option<Moment>,
    /// Tasks: End time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    tasks_to: Option<Moment>,
    /// The tab that the criteria are for: calendar or tasks [default: both]
    #[arg(long, value_enum, value_name = "TAB")]
    tab: Option<Tab>,
    /// Criterion: only these kinds; may be given several times, `all` for every kind
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Criterion: only these statuses, or `all`
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,
    /// Criterion: only these priorities, or `all`
    #[arg(long, value_name = "PRIORITY")]
    priority: Vec<String>,
    /// Criterion: only activities of these definitions, or `all`
    #[arg(long, value_name = "NAME")]
    definition: Vec<String>,
    /// Criterion: only activities of these assigned users, or `all`
    #[arg(long, value_name = "ID")]
    assigned: Vec<String>,
    /// Take the settings of this level away
    #[arg(long)]
    remove: bool,
}

/// A tab of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tab {
    /// Calendar entries.
    Calendar,
    /// Tasks.
    Tasks,
}

/// Runs a subcommand.
///
/// # Errors
/// The arguments do not fit, or the database cannot be used.
pub fn run(command: SettingsCommand, context: &Context) -> anyhow::Result<Exit> {
    let store = context.workspace()?.store()?;
    match command {
        SettingsCommand::Show => show(&store, context),
        SettingsCommand::Set(arguments) => set(&store, &arguments, context),
    }
}

fn owner(level: SettingsLevel, employee: Option<&str>) -> anyhow::Result<SettingsOwner> {
    match (level, employee) {
        (SettingsLevel::User, Some(employee)) => Ok(SettingsOwner::User(employee.to_owned())),
        (SettingsLevel::Database, None) => Ok(SettingsOwner::Database),
        (SettingsLevel::User, None) => Err(UsageError("--level user needs --employee: whose settings?".into()).into()),
        (SettingsLevel::Database, Some(_)) => {
            Err(UsageError("--employee belongs to --level user: change the level, or leave it out".into()).into())
        }
    }
}

fn set(store: &SqliteStore, arguments: &SetArguments, context: &Context) -> anyhow::Result<Exit> {
    let owner = owner(arguments.level, arguments.employee.as_deref())?;
    if arguments.remove {
        store.put_sync_settings(&owner, None)?;
        context.print_line("the settings of this level are gone")?;
        return show(store, context);
    }
    let mut settings = store.sync_settings(&owner)?.unwrap_or_default();
    let tabs = [
        ("calendar", &mut settings.calendar, arguments.calendar_from, arguments.calendar_to),
        ("tasks", &mut settings.tasks, arguments.tasks_from, arguments.tasks_to),
    ];
    for (name, tab, from, to) in tabs {
        change_window(name, tab, from, to)?;
    }
    if settings == SyncSettings::default() {
        let message = "no window is set: give --calendar-from and --calendar-to, or --tasks-from and --tasks-to";
        return Err(UsageError(message.into()).into());
    }
    for (name, tab) in [(Tab::Calendar, &mut settings.calendar), (Tab::Tasks, &mut settings.tasks)] {
        let is_meant = arguments.tab.is_none_or(|meant| meant == name);
        match tab {
            Some(tab) => {
                if is_meant {
                    change_criteria(&mut tab.criteria, arguments)?;
                }
                tab.window(context.now()).map_err(UsageError)?;
            }
            None if arguments.tab == Some(name) => {
                return Err(
                    UsageError("this tab has no window yet: give its Start time and End time too".into()).into()
                );
            }
            None => {}
        }
    }
    store.put_sync_settings(&owner, Some(&settings))?;
    show(store, context)
}

fn change_window(
    name: &str,
    tab: &mut Option<EntryScope>,
    from: Option<Moment>,
    to: Option<Moment>,
) -> anyhow::Result<()> {
    match (tab.as_mut(), from, to) {
        (_, None, None) => {}
        (Some(tab), from, to) => {
            tab.start = from.unwrap_or(tab.start);
            tab.end = to.unwrap_or(tab.end);
        }
        (None, Some(start), Some(end)) => *tab = Some(EntryScope { start, end, criteria: Criteria::default() }),
        (None, _, _) => {
            let message = format!("a window has two ends: give --{name}-from and --{name}-to");
            return Err(UsageError(message).into());
        }
    }
    Ok(())
}

fn change_criteria(criteria: &mut Criteria, arguments: &SetArguments) -> anyhow::Result<()> {
    fn list<T>(given: &[String], list: &mut Vec<T>, parse: impl Fn(&str) -> Result<T, String>) -> anyhow::Result<()> {
        if given.iter().any(|value| value == "all") {
            list.clear();
        } else if !given.is_empty() {
            *list = given.iter().map(|value| parse(value)).collect::<Result<_, _>>().map_err(UsageError)?;
        }
        Ok(())
    }
    let text = |value: &str| Ok(value.to_owned());
    list(&arguments.kind, &mut criteria.kind, text)?;
    list(&arguments.status, &mut criteria.status, str::parse::<ActivityStatus>)?;
    list(&arguments.priority, &mut criteria.priority, str::parse::<Priority>)?;
    list(&arguments.definition, &mut criteria.definition, text)?;
    list(&arguments.assigned, &mut criteria.employee, text)
}

/// The settings of one level in JSON.
#[derive(Debug, Serialize)]
struct LevelView {
    level: SettingsLevel,
    employee: Option<String>,
    #[serde(flatten)]
    settings: SyncSettings,
}

fn show(store: &SqliteStore, context: &Context) -> anyhow::Result<Exit> {
    let mut levels = Vec::new();
    let mut add = |level, owner: &SettingsOwner, employee| -> anyhow::Result<()> {
        if let Some(settings) = store.sync_settings(owner)? {
            levels.push(LevelView { level, employee, settings });
        }
        Ok(())
    };
    add(SettingsLevel::Database, &SettingsOwner::Database, None)?;
    for employee in store.master_data()?.employee {
        add(SettingsLevel::User, &SettingsOwner::User(employee.id.clone()), Some(employee.id))?;
    }
    if context.is_json() {
        context.print_json(&levels)?;
        return Ok(Exit::Done);
    }
    if levels.is_empty() {
        context.print_line(
            "there are no Activity synchronization settings: nothing is synchronised. Set some with `apptsync outlook settings set`",
        )?;
        return Ok(Exit::Done);
    }
    let mut rows = Vec::new();
    for level in &levels {
        for (tab, scope) in [("Calendar entries", &level.settings.calendar), ("Tasks", &level.settings.tasks)] {
            let Some(scope) = scope else { continue };
            rows.push(vec![
                level.level.to_string(),
                level.employee.clone().unwrap_or_default(),
                tab.to_owned(),
                scope.start.to_string(),
                scope.end.to_string(),
                described(&scope.criteria),
            ]);
        }
    }
    context.print_table(&["Level", "User", "Tab", "Start time", "End time", "Criteria"], rows)?;
    Ok(Exit::Done)
}

fn described(criteria: &Criteria) -> String {
    let statuses: Vec<String> = criteria.status.iter().map(ToString::to_string).collect();
    let priorities: Vec<String> = criteria.priority.iter().map(ToString::to_string).collect();
    let lists = [
        ("kind", &criteria.kind),
        ("status", &statuses),
        ("priority", &priorities),
        ("definition", &criteria.definition),
        ("assigned user", &criteria.employee),
    ];
    let parts: Vec<String> = lists
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {}", values.join(" or ")))
        .collect();
    if parts.is_empty() { "all".to_owned() } else { parts.join(", ") }
}
