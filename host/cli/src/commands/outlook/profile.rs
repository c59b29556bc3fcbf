//! `outlook profile`: synchronization settings of the add-in, per representative (domain 8).

use apptsync_model::outlook::{DeletionPolicy, GuardSettings, OverrideScope, Profile, TextPriority};
use apptsync_pipeline::outlook::reconnect;
use apptsync_store::{OutlookStore, SqliteStore, Store, StoredProfile};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::context::{Context, Exit, UsageError, Workspace};
use crate::outlook::{configured, default_server, origin_of, profile_named};

const EXAMPLES: &str = "\
Examples:
  apptsync outlook profile add barbara --employee B --connector calendar-file --user barbara
  apptsync outlook profile add barbara --employee B --connector caldav --server https://dav.example.com \\
    --user barbara --calendar Sales --credential dav --text-priority erp --transfer on
  apptsync outlook profile add barbara --employee B --connector outlook-graph --user barbara@example.com --credential contoso
  apptsync outlook profile set barbara --text-priority outlook
  apptsync outlook profile list";

/// Subcommands of `outlook profile`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum ProfileCommand {
    /// Add a profile
    Add(Box<AddArguments>),
    /// List the profiles
    List,
    /// Show a profile
    Show {
        /// Name of the profile
        name: String,
    },
    /// Change a profile
    Set(Box<SetArguments>),
    /// Remove a profile: nothing is deleted in Outlook or in the headquarters
    Remove {
        /// Name of the profile
        name: String,
    },
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// Arguments of `outlook profile add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// Name of the profile
    name: String,
    /// The representative
    #[arg(long, value_name = "ID")]
    employee: String,
    /// How the calendar is spoken to: calendar-file, caldav, outlook-graph, or a name of [connectors.NAME]
    #[arg(long, value_name = "NAME")]
    connector: String,
    /// What else it says
    #[command(flatten)]
    options: Options,
}

/// Arguments of `outlook profile set`.
#[derive(Debug, Args)]
pub struct SetArguments {
    /// Name of the profile
    name: String,
    /// The representative
    #[arg(long, value_name = "ID")]
    employee: Option<String>,
    /// How the calendar is spoken to
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    /// Synchronise it, or not
    #[arg(long, value_enum, value_name = "SWITCH")]
    active: Option<Switch>,
    /// What else it says
    #[command(flatten)]
    options: Options,
}

/// What a profile says besides whose and by what.
#[derive(Debug, Args)]
pub struct Options {
    /// Server address; it grants the connector exactly this origin
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Mailbox or user at the server [default: the representative's e-mail address, or id]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The calendar, by name or id [default: the server's default calendar]
    #[arg(long, value_name = "NAME")]
    calendar: Option<String>,
    /// The task list, by name or id [default: the server's default list]
    #[arg(long, value_name = "NAME")]
    tasks: Option<String>,
    /// Entry of the credential file
    #[arg(long, value_name = "NAME")]
    credential: Option<String>,
    /// The server's name may resolve to an address in a private network
    #[arg(long, value_enum, value_name = "SWITCH")]
    private_network: Option<Switch>,
    /// Transfer to Comarch ERP Enterprise: new Outlook items become activities
    #[arg(long, value_enum, value_name = "SWITCH")]
    transfer: Option<Switch>,
    /// Text priority: erp, outlook, newest or ask
    #[arg(long, value_name = "WHICH")]
    text_priority: Option<TextPriority>,
    /// Where Text priority erp overrides edits made in Outlook alone: headquarters-origin, conflicts-only or always
    #[arg(long, value_name = "SCOPE")]
    override_scope: Option<OverrideScope>,
    /// What becomes of items that are no longer the representative's: future (those are deleted) or keep
    #[arg(long, value_name = "POLICY")]
    deletion_policy: Option<DeletionPolicy>,
    /// Guard: so many deletions are always allowed in a run
    #[arg(long, value_name = "N")]
    guard_deletions: Option<u64>,
    /// Guard: deletions up to this share of what is linked, in percent
    #[arg(long, value_name = "PERCENT")]
    guard_deletions_percent: Option<u64>,
    /// Guard: updates up to this share of what is linked, in percent
    #[arg(long, value_name = "PERCENT")]
    guard_updates_percent: Option<u64>,
    /// Guard: so many items with the same shift of time, or fields that become empty, hold the plan
    #[arg(long, value_name = "N")]
    guard_alike: Option<u64>,
    /// Guard: at most so many occurrences of one series
    #[arg(long, value_name = "N")]
    guard_occurrences: Option<u64>,
    /// Writes that would mail attendees are allowed
    #[arg(long, value_enum, value_name = "SWITCH")]
    mail_attendees: Option<Switch>,
    /// At most so many items are made in a run
    #[arg(long, value_name = "N")]
    max_creations: Option<u64>,
    /// At most so many items are changed in a run
    #[arg(long, value_name = "N")]
    max_updates: Option<u64>,
    /// At most so many items are deleted in a run
    #[arg(long, value_name = "N")]
    max_deletions: Option<u64>,
}

impl Options {
    fn apply(&self, profile: &mut Profile) {
        fn text(given: Option<&String>, value: &mut String) {
            if let Some(given) = given {
                value.clone_from(given);
            }
        }
        fn value<T: Copy>(given: Option<T>, value: &mut T) {
            if let Some(given) = given {
                *value = given;
            }
        }
        let on = |switch: Option<Switch>| switch.map(|switch| switch == Switch::On);
        text(self.server.as_ref(), &mut profile.server);
        text(self.user.as_ref(), &mut profile.mailbox);
        text(self.calendar.as_ref(), &mut profile.calendar);
        text(self.tasks.as_ref(), &mut profile.tasks);
        if let Some(credential) = &self.credential {
            profile.credential = Some(credential.clone()).filter(|name| !name.is_empty());
        }
        value(on(self.private_network), &mut profile.allow_private);
        value(on(self.transfer), &mut profile.transfer);
        value(self.text_priority, &mut profile.text_priority);
        value(self.override_scope, &mut profile.override_scope);
        value(self.deletion_policy, &mut profile.deletion_policy);
        let guards = &mut profile.guards;
        value(self.guard_deletions, &mut guards.deletions);
        value(self.guard_deletions_percent, &mut guards.deletions_percent);
        value(self.guard_updates_percent, &mut guards.updates_percent);
        value(self.guard_alike, &mut guards.alike);
        value(self.guard_occurrences, &mut guards.occurrences);
        value(on(self.mail_attendees), &mut guards.mail_attendees);
        value(self.max_creations, &mut guards.creations_a_run);
        value(self.max_updates, &mut guards.updates_a_run);
        value(self.max_deletions, &mut guards.deletions_a_run);
    }
}

/// Runs a subcommand.
///
/// # Errors
/// The arguments do not fit, or the database cannot be used.
pub fn run(command: ProfileCommand, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let store = workspace.store()?;
    match command {
        ProfileCommand::Add(arguments) => add(&workspace, &store, &arguments, context)?,
        ProfileCommand::List => list(&store, context)?,
        ProfileCommand::Show { name } => show(&profile_named(&store, &name)?, context)?,
        ProfileCommand::Set(arguments) => set(&workspace, &store, &arguments, context)?,
        ProfileCommand::Remove { name } => {
            profile_named(&store, &name)?;
            store.remove_profile(&name)?;
            context.print_line(&format!(
                "profile `{name}` is removed; what stands in Outlook and in the headquarters stays there"
            ))?;
        }
    }
    Ok(Exit::Done)
}

fn add(workspace: &Workspace, store: &SqliteStore, arguments: &AddArguments, context: &Context) -> anyhow::Result<()> {
    let name = &arguments.name;
    if store.profiles()?.iter().any(|stored| stored.profile.name == *name) {
        let message = format!("profile `{name}` is there already: change it with `apptsync outlook profile set`");
        return Err(UsageError(message).into());
    }
    let connector = configured(workspace, &arguments.connector)?;
    let employee = store.master_data()?.employee.into_iter().find(|employee| employee.id == arguments.employee);
    let Some(employee) = employee else {
        let message = format!("employee `{}` is not there: `apptsync employees list` shows who is", arguments.employee);
        return Err(UsageError(message).into());
    };
    let mut profile = Profile {
        name: name.clone(),
        mailbox: if employee.email.is_empty() { employee.id.clone() } else { employee.email.clone() },
        employee: employee.id,
        connector: arguments.connector.clone(),
        server: default_server(workspace, connector, arguments.options.credential.as_deref())?,
        ..Profile::default()
    };
    arguments.options.apply(&mut profile);
    check(&profile)?;
    store.put_profile(&profile)?;
    let shown = profile_named(store, name)?;
    show(&shown, context)?;
    context.hint(&format!("`apptsync outlook connect {name}` proves that it works"));
    Ok(())
}

fn check(profile: &Profile) -> anyhow::Result<()> {
    if profile.name.is_empty() || profile.name.len() > 64 || profile.name.chars().any(char::is_control) {
        return Err(UsageError("the name of a profile has 1 to 64 bytes without control characters".into()).into());
    }
    if !profile.server.is_empty() {
        origin_of(&profile.server)?;
    }
    Ok(())
}

fn set(workspace: &Workspace, store: &SqliteStore, arguments: &SetArguments, context: &Context) -> anyhow::Result<()> {
    let stored = profile_named(store, &arguments.name)?;
    let mut profile = stored.profile.clone();
    if let Some(connector) = &arguments.connector {
        let found = configured(workspace, connector)?;
        profile.connector.clone_from(connector);
        if *connector != stored.profile.connector {
            let options = &arguments.options;
            let credential = options.credential.as_deref().or(stored.profile.credential.as_deref());
            let server = default_server(workspace, found, credential)?;
            if !server.is_empty() {
                profile.server = server;
            }
        }
    }
    if let Some(employee) = &arguments.employee {
        profile.employee.clone_from(employee);
    }
    if let Some(active) = arguments.active {
        profile.active = active == Switch::On;
    }
    arguments.options.apply(&mut profile);
    check(&profile)?;
    store.put_profile(&profile)?;
    let place = |profile: &Profile| {
        let Profile { connector, server, mailbox, calendar, tasks, employee, .. } = profile.clone();
        (connector, server, mailbox, calendar, tasks, employee)
    };
    if place(&profile) != place(&stored.profile) {
        reconnect(store, stored.id)?;
        context.hint("the next run reads everything anew, and deletes nothing without approval");
    }
    show(&profile_named(store, &arguments.name)?, context)
}

/// A profile in JSON.
#[derive(Debug, Serialize)]
struct ProfileView<'a> {
    profile: &'a str,
    employee: &'a str,
    connector: &'a str,
    server: &'a str,
    user: &'a str,
    calendar: &'a str,
    tasks: &'a str,
    credential: Option<&'a str>,
    private_network: bool,
    transfer: bool,
    text_priority: TextPriority,
    override_scope: OverrideScope,
    deletion_policy: DeletionPolicy,
    guards: &'a GuardSettings,
    active: bool,
}

impl<'a> From<&'a StoredProfile> for ProfileView<'a> {
    fn from(stored: &'a StoredProfile) -> Self {
        let profile = &stored.profile;
        Self {
            profile: &profile.name,
            employee: &profile.employee,
            connector: &profile.connector,
            server: &profile.server,
            user: &profile.mailbox,
            calendar: &profile.calendar,
            tasks: &profile.tasks,
            credential: profile.credential.as_deref(),
            private_network: profile.allow_private,
            transfer: profile.transfer,
            text_priority: profile.text_priority,
            override_scope: profile.override_scope,
            deletion_policy: profile.deletion_policy,
            guards: &profile.guards,
            active: profile.active,
        }
    }
}

fn list(store: &SqliteStore, context: &Context) -> anyhow::Result<()> {
    let profiles = store.profiles()?;
    if context.is_json() {
        return context.print_json(&profiles.iter().map(ProfileView::from).collect::<Vec<_>>());
    }
    let row = |stored: &StoredProfile| {
        let profile = &stored.profile;
        vec![
            profile.name.clone(),
            profile.employee.clone(),
            profile.connector.clone(),
            profile.mailbox.clone(),
            if profile.calendar.is_empty() { "(default)".to_owned() } else { profile.calendar.clone() },
            if profile.transfer { "on" } else { "off" }.to_owned(),
            profile.text_priority.to_string(),
            if profile.active { "" } else { "not active" }.to_owned(),
        ]
    };
    let headings = ["Profile", "Employee", "Connector", "Mailbox", "Calendar", "Transfer", "Text priority", ""];
    context.print_table(&headings, profiles.iter().map(row).collect())
}

fn show(stored: &StoredProfile, context: &Context) -> anyhow::Result<()> {
    if context.is_json() {
        return context.print_json(&ProfileView::from(stored));
    }
    let profile = &stored.profile;
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    let on = |value: bool| if value { "on" } else { "off" }.to_owned();
    let guards = &profile.guards;
    let rows = [
        ("Profile", profile.name.clone()),
        ("Employee", profile.employee.clone()),
        ("Connector", profile.connector.clone()),
        ("Server address", or(&profile.server, "(none)")),
        ("Mailbox", profile.mailbox.clone()),
        ("Calendar", or(&profile.calendar, "(default)")),
        ("Tasks", or(&profile.tasks, "(default)")),
        ("Credential", or(profile.credential.as_deref().unwrap_or_default(), "(none)")),
        ("Transfer to Comarch ERP Enterprise", on(profile.transfer)),
        ("Text priority", profile.text_priority.to_string()),
        ("Override scope", profile.override_scope.to_string()),
        ("Deletion policy", profile.deletion_policy.to_string()),
        (
            "Guards",
            format!(
                "{} deletions or {} %, {} % updates, {} alike, {} occurrences, mail to attendees {}",
                guards.deletions,
                guards.deletions_percent,
                guards.updates_percent,
                guards.alike,
                guards.occurrences,
                on(guards.mail_attendees)
            ),
        ),
        ("Active", on(profile.active)),
    ];
    context.print_table(
        &["Setting", "Value"],
        rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect(),
    )
}
