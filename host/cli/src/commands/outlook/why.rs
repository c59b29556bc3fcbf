//! `outlook why`: base, headquarters, Outlook and the row of the decision table, field by field.

use apptsync_model::outlook::{HeadquartersId, LinkState};
use apptsync_pipeline::outlook::{Action, FieldWhy, Why, Writer, why};
use apptsync_store::{AuditEntry, OutlookStore, Store};
use clap::Args;
use serde::Serialize;

use super::value::{shown, way};
use crate::context::{Context, Exit, UsageError};
use crate::outlook::{settings_of, without_server};

/// Arguments of `outlook why`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  apptsync outlook why 4711
  apptsync outlook why partner/C00001
  apptsync outlook why 4711 --output json")]
pub struct WhyArguments {
    /// The number of an activity, partner/ID or employee/ID of a contact, or the remote id of an item
    id: String,
}

#[derive(Debug, Serialize)]
struct WhyView<'a> {
    profile: &'a str,
    headquarters: Option<String>,
    remote_id: Option<&'a str>,
    subject: &'a str,
    state: Option<LinkState>,
    row: &'a str,
    meaning: &'a str,
    action: Action,
    note: Option<&'a str>,
    written_by: Option<Writer>,
    fields: &'a [FieldWhy],
    history: Vec<EventView<'a>>,
}

#[derive(Debug, Serialize)]
struct EventView<'a> {
    run: i64,
    side: apptsync_store::Side,
    action: apptsync_store::AuditAction,
    row: &'a str,
}

impl<'a> From<&'a AuditEntry> for EventView<'a> {
    fn from(entry: &'a AuditEntry) -> Self {
        Self { run: entry.run, side: entry.side, action: entry.action, row: &entry.row }
    }
}

/// Runs the command.
///
/// # Errors
/// Nothing is known of the id, or the database cannot be read.
pub fn run(arguments: &WhyArguments, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let store = workspace.store()?;
    let master = store.master_data()?;
    let mut found: Vec<(String, Why)> = Vec::new();
    for stored in store.profiles()? {
        let Some(settings) = settings_of(&store, &stored.profile.employee)? else { continue };
        let with = without_server(&store, &master, &stored, &settings);
        found.extend(
            why(&with, &arguments.id, context.now())?.into_iter().map(|why| (stored.profile.name.clone(), why)),
        );
    }
    if found.is_empty() {
        let id = arguments.id.escape_debug();
        let message =
            format!("`{id}` is no activity or item of a profile: `apptsync activities list` shows the activities");
        return Err(UsageError(message).into());
    }
    if context.is_json() {
        context.print_json(&found.iter().map(|(profile, why)| view(profile, why)).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    for (profile, why) in &found {
        print(profile, why, context)?;
    }
    Ok(Exit::Done)
}

fn view<'a>(profile: &'a str, why: &'a Why) -> WhyView<'a> {
    WhyView {
        profile,
        headquarters: why.headquarters.as_ref().map(HeadquartersId::to_string),
        remote_id: why.link.as_ref().and_then(|link| link.remote_id.as_deref()),
        subject: &why.subject,
        state: why.link.as_ref().map(|link| link.state),
        row: why.row,
        meaning: why.meaning,
        action: why.action,
        note: why.note.as_deref(),
        written_by: why.writer,
        fields: &why.fields,
        history: why.audit.iter().map(EventView::from).collect(),
    }
}

fn print(profile: &str, why: &Why, context: &Context) -> anyhow::Result<()> {
    let object = why.headquarters.as_ref().map_or(String::new(), HeadquartersId::to_string);
    let state = why.link.as_ref().map_or("not linked".to_owned(), |link| link.state.to_string());
    context.print_line(&format!("{profile}: {object} `{}`: {state}", why.subject))?;
    context.print_line(&format!("row {}: {}", why.row, why.meaning))?;
    if let Some(note) = &why.note {
        context.print_line(note)?;
    }
    match why.writer {
        Some(Writer::Run(run)) => context.print_line(&format!("last written to Outlook by run {run}"))?,
        Some(Writer::AnotherInstallation) => {
            context.print_line("last written to Outlook by another installation of apptsync")?;
        }
        None => {}
    }
    let row = |field: &FieldWhy| {
        vec![
            field.field.label().to_owned(),
            field.base.as_ref().map(shown).unwrap_or_default(),
            field.headquarters.as_ref().map(shown).unwrap_or_default(),
            field.outlook.as_ref().map(shown).unwrap_or_default(),
            field.direction.map(way).unwrap_or_default().to_owned(),
        ]
    };
    let headings = ["Field", "When both agreed", "Headquarters", "Outlook", ""];
    context.print_table(&headings, why.fields.iter().map(row).collect())?;
    for entry in &why.audit {
        context.print_line(&format!("run {}: {}: {} (row {})", entry.run, entry.side, entry.action, entry.row))?;
    }
    Ok(())
}
