//! `outlook status`: what an operator should know of each profile.

use apptsync_credentials::CredentialFile;
use apptsync_model::Instant;
use apptsync_model::outlook::{Field, Link, LinkState, Value};
use apptsync_pipeline::outlook::REVERTS_A_DAY;
use apptsync_store::{OutlookStore, StoredProfile, SyncState};
use serde::Serialize;

use crate::context::{Context, Exit, Workspace};
use crate::outlook::{configured, settings_of};

/// A day in seconds.
const DAY: i64 = 86_400;
/// From so many days on, a credential that ends needs a look.
const SOON: i64 = 30;

/// What is known of a profile, in JSON.
#[derive(Debug, Serialize)]
struct StatusView {
    profile: String,
    active: bool,
    /// How the last run ended; none when there was none.
    state: Option<SyncState>,
    /// When the last run that went through ended.
    synchronised: Option<String>,
    /// Seconds since then.
    age: Option<i64>,
    linked: u64,
    /// Hash of the plan that waits for a person.
    held_plan: Option<String>,
    reasons: Vec<String>,
    /// Writes whose outcome is not known.
    unconfirmed: u64,
    /// Items in which edits were put back today.
    put_back: u64,
    /// Items left out of Outlook because they were deleted there.
    left_out: u64,
    quarantined: u64,
    /// Days until the credential ends.
    days_left: Option<i64>,
    /// What needs a look.
    problems: Vec<String>,
    /// The items behind the counts.
    items: Vec<ItemView>,
}

/// An item that is not as others are.
#[derive(Debug, Serialize)]
struct ItemView {
    /// `quarantined`, `suppressed` (left out), or `put-back-no-more` (until tomorrow).
    state: &'static str,
    headquarters: Option<String>,
    remote_id: Option<String>,
    subject: String,
    /// Why, in words.
    note: String,
}

impl ItemView {
    /// None for an item that is as all others.
    fn of(link: &Link, now: Instant) -> Option<Self> {
        let state = match link.state {
            LinkState::Quarantined | LinkState::Suppressed => link.state.name(),
            LinkState::Linked if put_back(link, now) >= REVERTS_A_DAY => "put-back-no-more",
            _ => return None,
        };
        let subject = match link.base.headquarters.get(&Field::Subject) {
            Some(Value::Text(subject)) => subject.clone(),
            _ => String::new(),
        };
        Some(Self {
            state,
            headquarters: link.headquarters.as_ref().map(ToString::to_string),
            remote_id: link.remote_id.clone(),
            subject,
            note: link.note.clone(),
        })
    }
}

/// How often an edit was put back within a day.
fn put_back(link: &Link, now: Instant) -> usize {
    link.reverts.iter().filter(|at| now.0 - at.0 < DAY).count()
}

/// Runs the command.
///
/// # Errors
/// The database cannot be read.
pub fn run(context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let store = workspace.store()?;
    let now = context.now();
    let mut views = Vec::new();
    for stored in store.profiles()? {
        views.push(status(&workspace, &store, &stored, now)?);
    }
    let needs_a_look = views.iter().any(|view| view.active && !view.problems.is_empty());
    show(&views, context)?;
    Ok(if needs_a_look { Exit::Warnings } else { Exit::Done })
}

fn status(
    workspace: &Workspace,
    store: &dyn OutlookStore,
    stored: &StoredProfile,
    now: Instant,
) -> anyhow::Result<StatusView> {
    let profile = &stored.profile;
    let runs = store.sync_runs(stored.id, 50)?;
    let last = runs.iter().find_map(|run| run.result.as_ref());
    let went_through = |state: SyncState| matches!(state, SyncState::Completed | SyncState::CompletedWithWarnings);
    let synchronised = runs
        .iter()
        .find(|run| run.new.purpose == "sync" && run.result.as_ref().is_some_and(|result| went_through(result.state)))
        .map(|run| run.new.as_of);
    let links = store.links(stored.id)?;
    let count = |state: LinkState| links.iter().filter(|link| link.state == state).count() as u64;
    let put_back = links.iter().filter(|link| put_back(link, now) > 0).count() as u64;
    let items: Vec<ItemView> = links.iter().filter_map(|link| ItemView::of(link, now)).collect();
    let held = store.held_plan(stored.id)?;
    let mut problems = Vec::new();
    if settings_of(store, &profile.employee)?.is_none() {
        problems.push("no Activity synchronization settings: nothing is synchronised".to_owned());
    }
    let days_left = match configured(workspace, &profile.connector) {
        Err(error) => {
            problems.push(error.to_string());
            None
        }
        Ok(connector) => match profile.credential.as_ref().or(connector.credential.as_ref()) {
            None => None,
            Some(name) => match CredentialFile::of_workspace(&workspace.folder).and_then(|file| file.get(name)) {
                Ok(credential) => credential.validity().map(|validity| validity.days_left(now)),
                Err(error) => {
                    problems.push(error.to_string());
                    None
                }
            },
        },
    };
    if let Some(days) = days_left.filter(|days| *days < SOON) {
        problems.push(if days < 0 {
            "its credential has ended".to_owned()
        } else {
            format!("its credential ends in {days} days")
        });
    }
    if let Some(result) = last
        && matches!(result.state, SyncState::Failed | SyncState::Reconnect | SyncState::Throttled)
    {
        let why = result.messages.last().map_or(String::new(), |message| format!(": {}", message.text));
        problems.push(format!("the last run ended as {}{why}", result.state));
    }
    if held.is_some() {
        problems.push("a plan waits for approval".to_owned());
    }
    let unconfirmed = store.unsettled(stored.id)?.len() as u64;
    let quarantined = count(LinkState::Quarantined);
    if unconfirmed > 0 {
        problems.push(format!("{unconfirmed} writes are not confirmed"));
    }
    if quarantined > 0 {
        problems.push(format!("{quarantined} items are in quarantine: `apptsync outlook resolve ID` tries one again"));
    }
    Ok(StatusView {
        profile: profile.name.clone(),
        active: profile.active,
        state: last.map(|result| result.state),
        synchronised: synchronised.map(|instant| instant.to_string()),
        age: synchronised.map(|instant| now.0 - instant.0),
        linked: count(LinkState::Linked),
        reasons: held.as_ref().map(|held| held.reasons.clone()).unwrap_or_default(),
        held_plan: held.map(|held| held.hash),
        unconfirmed,
        put_back,
        left_out: count(LinkState::Suppressed),
        quarantined,
        days_left,
        problems,
        items,
    })
}

fn show(views: &[StatusView], context: &Context) -> anyhow::Result<()> {
    if context.is_json() {
        return context.print_json(&views);
    }
    if views.is_empty() {
        return context.print_line("there is no profile: `apptsync outlook profile add` makes one");
    }
    let row = |view: &StatusView| {
        vec![
            view.profile.clone(),
            view.state.map_or("never run".to_owned(), |state| state.to_string()),
            view.synchronised.clone().unwrap_or_default(),
            view.linked.to_string(),
            view.held_plan.clone().unwrap_or_default(),
            view.put_back.to_string(),
            view.left_out.to_string(),
            view.quarantined.to_string(),
            view.days_left.map_or(String::new(), |days| days.to_string()),
        ]
    };
    let headings = [
        "Profile",
        "Last run",
        "Synchronised",
        "Linked",
        "Held plan",
        "Put back",
        "Left out",
        "Quarantined",
        "Days left",
    ];
    context.print_table(&headings, views.iter().map(row).collect())?;
    for view in views {
        for problem in view.problems.iter().chain(&view.reasons) {
            context.print_line(&format!("{}: {problem}", view.profile))?;
        }
        if let Some(hash) = &view.held_plan {
            let name = &view.profile;
            context.print_line(&format!(
                "{name}: `apptsync outlook sync {name} --plan` shows the plan, `--approve {hash}` applies it"
            ))?;
        }
    }
    let row = |view: &StatusView, item: &ItemView| {
        vec![
            view.profile.clone(),
            match item.state {
                "put-back-no-more" => "put back three times today".to_owned(),
                "suppressed" => "left out".to_owned(),
                state => state.to_owned(),
            },
            item.headquarters.clone().or_else(|| item.remote_id.clone()).unwrap_or_default(),
            item.subject.clone(),
            item.note.clone(),
        ]
    };
    let rows: Vec<_> = views.iter().flat_map(|view| view.items.iter().map(move |item| row(view, item))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    context.print_line("")?;
    context.print_table(&["Profile", "Item", "Object", "Subject", "Why"], rows)
}
