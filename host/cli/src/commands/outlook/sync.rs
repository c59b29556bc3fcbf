//! `outlook sync`: Synchronize appointments and tasks (domain 8), many mailboxes side by side.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apptsync_model::outlook::Value;
use apptsync_model::{Message, Severity};
use apptsync_pipeline::outlook::{
    FieldChange, HeldItem, Operations, Plan, Step, StepView, SyncError, SyncReport, SyncRequest, Synchronisation,
    synchronise,
};
use apptsync_store::{OutlookStore, Store, StoredProfile, SyncState};
use chrono_tz::Tz;
use clap::Args;
use serde::Serialize;

use super::connect::KeyArguments;
use super::progress::Bar;
use super::value::{shown, way};
use crate::context::{Context, Exit, UsageError, Workspace};
use crate::outlook::{Connectors, OpenConnector, profile_named, settings_of, zone_of};

/// Mailboxes that are synchronised at the same time.
const SIDE_BY_SIDE: usize = 8;

/// Arguments of `outlook sync`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  apptsync outlook sync barbara
  apptsync outlook sync --all
  apptsync outlook sync barbara --plan
  apptsync outlook sync barbara --approve 0123456789abcdef

A plan that would delete or change much is held until somebody approves it by its hash. Exit codes: 0 done, 1 a mailbox \
could not be synchronised, 2 wrong usage, 3 done with warnings, or a plan is held.")]
pub struct SyncArguments {
    /// Names of profiles
    #[arg(value_name = "PROFILE")]
    profiles: Vec<String>,
    /// All active profiles
    #[arg(long, conflicts_with = "profiles")]
    all: bool,
    /// Show what would be done and why, field by field; change nothing
    #[arg(long)]
    plan: bool,
    /// Apply the held plan with this hash
    #[arg(long, value_name = "HASH", conflicts_with_all = ["plan", "all"])]
    approve: Option<String>,
    /// How long a run may wait because a server wants a pause, such as 30s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    patience: Duration,
    /// Where the password of a protected private key comes from
    #[command(flatten)]
    key: KeyArguments,
}

/// What came of one profile.
pub(in crate::commands) struct Outcome {
    pub(in crate::commands) profile: String,
    pub(in crate::commands) report: Result<SyncReport, anyhow::Error>,
}

/// A run in JSON; the documented fields are stable.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct OutcomeView<'a> {
    profile: &'a str,
    run: Option<i64>,
    /// Hash of the plan.
    plan: String,
    state: SyncState,
    operations: Operations,
    held: Vec<HeldView<'a>>,
    requests: u64,
    messages: Vec<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepView<'a>>>,
}

/// What waits for a person: an item, or (without one) the whole plan.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct HeldView<'a> {
    reason: &'a str,
    headquarters: Option<&'a str>,
    remote_id: Option<&'a str>,
    subject: Option<&'a str>,
}

impl<'a> From<&'a HeldItem> for HeldView<'a> {
    fn from(held: &'a HeldItem) -> Self {
        Self {
            reason: &held.reason,
            headquarters: held.headquarters.as_deref(),
            remote_id: held.remote_id.as_deref(),
            subject: Some(&held.subject),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// The arguments do not fit, or the workspace cannot be used.
pub fn run(arguments: &SyncArguments, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let profiles = chosen(&workspace, arguments)?;
    if profiles.is_empty() {
        context.hint("there is no active profile: `apptsync outlook profile add` makes one");
        if context.is_json() {
            context.print_json(&Vec::<OutcomeView<'_>>::new())?;
        }
        return Ok(Exit::Done);
    }
    let bar = Bar::new(context);
    let request = SyncRequest {
        as_of: context.now(),
        plan_only: arguments.plan,
        approve: arguments.approve.clone(),
        patience: arguments.patience,
        progress: Some(bar.clone()),
    };
    let outcomes = synchronise_all(&workspace, context, &profiles, &request, &arguments.key, synchronise);
    bar.finish();
    let outcomes = outcomes?;
    show(&outcomes, arguments.plan, context)?;
    Ok(exit_of(&outcomes))
}

/// The worst of all.
pub(in crate::commands) fn exit_of(outcomes: &[Outcome]) -> Exit {
    outcomes.iter().map(Outcome::exit).max_by_key(|exit| severity(*exit)).unwrap_or(Exit::Done)
}

/// What is done with each profile.
pub(in crate::commands) type Task = fn(&Synchronisation<'_>, &SyncRequest) -> Result<SyncReport, SyncError>;

fn severity(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Warnings => 1,
        Exit::Failed => 2,
    }
}

fn chosen(workspace: &Workspace, arguments: &SyncArguments) -> anyhow::Result<Vec<StoredProfile>> {
    let store = workspace.store()?;
    if arguments.profiles.is_empty() && !arguments.all {
        return Err(UsageError("name a profile, or say --all".into()).into());
    }
    if arguments.approve.is_some() && arguments.profiles.len() != 1 {
        return Err(UsageError("--approve belongs to one profile: name it".into()).into());
    }
    if arguments.all {
        return Ok(store.profiles()?.into_iter().filter(|stored| stored.profile.active).collect());
    }
    arguments.profiles.iter().map(|name| profile_named(&store, name)).collect()
}

/// Synchronises profiles, several at the same time, each by its own runner.
///
/// # Errors
/// The workspace cannot be used.
pub(in crate::commands) fn synchronise_all(
    workspace: &Workspace,
    context: &Context,
    profiles: &[StoredProfile],
    request: &SyncRequest,
    key: &KeyArguments,
    task: Task,
) -> anyhow::Result<Vec<Outcome>> {
    let names: Vec<&str> = profiles.iter().map(|stored| stored.profile.name.as_str()).collect();
    let passwords = key.passwords(workspace, &names)?;
    let runtime = workspace.runtime()?;
    let store = workspace.store()?;
    let master_data = store.master_data()?;
    let connectors = Mutex::new(Connectors::new(workspace, &runtime, context.now(), &passwords));
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Outcome>>> = profiles.iter().map(|_| Mutex::new(None)).collect();
    let mut connections = Vec::new();
    for _ in 0..SIDE_BY_SIDE.min(profiles.len()) {
        connections.push(store.another()?);
    }
    std::thread::scope(|scope| {
        for connection in connections {
            scope.spawn(|| {
                let connection = connection;
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(stored) = profiles.get(index) else { return };
                    let open = |store: &dyn OutlookStore| {
                        connectors.lock().unwrap_or_else(std::sync::PoisonError::into_inner).open(store, stored)
                    };
                    let zone = zone_of(&master_data, &stored.profile.employee);
                    let mut report = one(&*connection, stored, zone, request, open, task);
                    if let (Ok(report), false) = (&mut report, request.plan_only) {
                        // Nobody asked to see it, and there may be hundreds.
                        report.plan = Plan::default();
                    }
                    let outcome = Outcome { profile: stored.profile.name.clone(), report };
                    *outcomes[index].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(outcome);
                }
            });
        }
    });
    Ok(outcomes
        .into_iter()
        .filter_map(|outcome| outcome.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
        .collect())
}

fn one(
    store: &dyn Store,
    stored: &StoredProfile,
    zone: Tz,
    request: &SyncRequest,
    open: impl FnOnce(&dyn OutlookStore) -> anyhow::Result<OpenConnector>,
    task: Task,
) -> anyhow::Result<SyncReport> {
    let employee = &stored.profile.employee;
    let Some(settings) = settings_of(store, employee)? else {
        return Err(UsageError(format!(
            "there are no Activity synchronization settings for user `{employee}` or for the database: nothing is synchronised; set some with `apptsync outlook settings set`"
        ))
        .into());
    };
    let Some(_lock) = store.try_lock_profile(stored.id)? else {
        anyhow::bail!("another process is synchronising this profile: nothing was done");
    };
    let connector = open(store)?;
    let with = Synchronisation {
        store,
        connector: &connector.plugin,
        state: Some(&connector.state),
        profile: stored,
        settings: &settings,
        zone,
    };
    Ok(task(&with, request)?)
}

impl Outcome {
    fn state(&self) -> SyncState {
        self.report.as_ref().map_or(SyncState::Failed, |report| report.state)
    }

    fn exit(&self) -> Exit {
        match &self.report {
            Err(_) => Exit::Failed,
            Ok(report) => match report.state {
                SyncState::Completed => Exit::Done,
                SyncState::Planned if report.reasons.is_empty() => Exit::Done,
                SyncState::Planned | SyncState::CompletedWithWarnings | SyncState::Held => Exit::Warnings,
                SyncState::Running | SyncState::Throttled | SyncState::Reconnect | SyncState::Failed => Exit::Failed,
            },
        }
    }

    /// In JSON.
    pub(in crate::commands) fn view(&self, with_steps: bool) -> OutcomeView<'_> {
        let Ok(report) = &self.report else {
            let text = self.report.as_ref().err().map_or(String::new(), |error| format!("{error:#}"));
            return OutcomeView {
                profile: &self.profile,
                run: None,
                plan: String::new(),
                state: SyncState::Failed,
                operations: Operations::default(),
                held: Vec::new(),
                requests: 0,
                messages: vec![Message { severity: Severity::Error, text }],
                steps: None,
            };
        };
        let whole =
            report.reasons.iter().map(|reason| HeldView { reason, headquarters: None, remote_id: None, subject: None });
        let items = report.held.iter().map(HeldView::from);
        OutcomeView {
            profile: &self.profile,
            run: Some(report.run),
            plan: report.hash.clone(),
            state: report.state,
            operations: report.operations,
            held: whole.chain(items).collect(),
            requests: report.requests,
            messages: report.messages.clone(),
            steps: with_steps.then(|| report.plan.steps.iter().map(Step::view).collect()),
        }
    }
}

pub(in crate::commands) fn show(outcomes: &[Outcome], with_steps: bool, context: &Context) -> anyhow::Result<()> {
    if context.is_json() {
        let views: Vec<_> = outcomes.iter().map(|outcome| outcome.view(with_steps)).collect();
        return context.print_json(&views);
    }
    let row = |outcome: &Outcome| {
        let operations = outcome.report.as_ref().map_or(Operations::default(), |report| report.operations);
        let number = |count: u64| count.to_string();
        vec![
            outcome.profile.clone(),
            outcome.state().to_string(),
            number(operations.create),
            number(operations.update),
            number(operations.delete),
            number(operations.revert),
            number(operations.import),
            number(outcome.report.as_ref().map_or(0, |report| report.held.len() as u64)),
        ]
    };
    let headings = ["Profile", "State", "Create", "Update", "Delete", "Put back", "Import", "Held"];
    context.print_table(&headings, outcomes.iter().map(row).collect())?;
    for outcome in outcomes {
        match &outcome.report {
            Err(error) => context.print_line(&format!("{}: {error:#}", outcome.profile))?,
            Ok(report) => {
                if with_steps {
                    print_plan(&outcome.profile, report, context)?;
                }
                for message in &report.messages {
                    context.print_line(&format!("{}: {}: {}", outcome.profile, message.severity, message.text))?;
                }
                for held in &report.held {
                    context.print_line(&format!("{}: held: `{}`: {}", outcome.profile, held.subject, held.reason))?;
                }
            }
        }
    }
    Ok(())
}

/// What would be done and why, field by field.
fn print_plan(profile: &str, report: &SyncReport, context: &Context) -> anyhow::Result<()> {
    context.print_line(&format!("\nPlan {} of profile {profile}", report.hash))?;
    let rows = report.plan.steps.iter().map(Step::view).flat_map(|step| rows_of(&step)).collect();
    let headings = ["Row", "Action", "Object", "Subject", "Field", "Headquarters", "Outlook", "Goes", "Note"];
    context.print_table(&headings, rows)?;
    for reason in &report.reasons {
        context.print_line(&format!("held: {reason}"))?;
    }
    Ok(())
}

/// A row for each field; what the step is stands in the first.
fn rows_of(step: &StepView<'_>) -> Vec<Vec<String>> {
    let action = serde_json::to_value(step.action).ok();
    let mut whole = vec![
        step.row.to_owned(),
        action.and_then(|action| action.as_str().map(str::to_owned)).unwrap_or_default(),
        step.headquarters.clone().unwrap_or_default(),
        step.subject.to_owned(),
    ];
    let mut note = step.note.unwrap_or_default().to_owned();
    if step.changes.is_empty() {
        whole.extend([const { String::new() }; 4]);
        whole.push(note);
        return vec![whole];
    }
    let value = |value: &Option<Value>| value.as_ref().map(shown).unwrap_or_default();
    let row = |change: &FieldChange| {
        let mut row = std::mem::replace(&mut whole, vec![String::new(); 4]);
        row.extend([
            change.field.label().to_owned(),
            value(&change.headquarters),
            value(&change.outlook),
            if change.overrules {
                format!("{}, overrules", way(change.direction))
            } else {
                way(change.direction).to_owned()
            },
            std::mem::take(&mut note),
        ]);
        row
    };
    step.changes.iter().map(row).collect()
}
