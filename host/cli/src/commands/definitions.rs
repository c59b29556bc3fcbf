//! `definitions`: what activities are made of (domain 6).

use std::collections::BTreeMap;

use apptsync_model::{
    APPOINTMENT_SYNCHRONIZE, ContentLanguage, DefinitionSettings, DefinitionTexts, Priority, Variable,
};
use apptsync_pipeline::definition_plugin;
use apptsync_runtime::DefinitionPlugin;
use apptsync_store::{Store, StoredDefinition};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::context::{Context, Exit, UsageError, Workspace};
use crate::position::nearest;

const EXAMPLES: &str = "\
Examples:
  apptsync definitions activate
  apptsync definitions show
  apptsync definitions set --priority high --subject \"{number} {name} ({city})\"
  apptsync definitions set --language de --subject \"{number} {name}\" --description \"Kunde: {customer}\"
  apptsync definitions set --defaults";

/// What to do with activity definitions.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum DefinitionsCommand {
    /// Show all activity definitions
    List,
    /// Show a definition with the variables that its texts may use
    Show(Name),
    /// Let a definition import
    Activate(Name),
    /// Stop a definition from importing
    Deactivate(Name),
    /// Change what a definition lays down
    Set(SetArguments),
}

/// Which definition.
#[derive(Debug, Args)]
pub struct Name {
    /// Name of the definition
    #[arg(default_value = APPOINTMENT_SYNCHRONIZE)]
    name: String,
}

/// What to change.
#[derive(Debug, Args)]
pub struct SetArguments {
    /// Name of the definition
    #[arg(default_value = APPOINTMENT_SYNCHRONIZE)]
    name: String,
    /// Set the texts of a further content language, such as de or de-AT; runs name theirs with --content-language
    #[arg(long, conflicts_with_all = ["priority", "kind"])]
    language: Option<ContentLanguage>,
    /// What to set
    #[command(flatten)]
    changes: Changes,
}

/// The changes; at least one is needed.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Changes {
    /// Put the delivered defaults back, before the other changes; with --language, take its texts away
    #[arg(long)]
    defaults: bool,
    /// Priority of the activities, whatever the appointment's: low, normal or high
    #[arg(long, value_parser = str::parse::<Priority>)]
    priority: Option<Priority>,
    /// Kind of the activities
    #[arg(long)]
    kind: Option<String>,
    /// Template of the subject, such as "{number} {name}"
    #[arg(long, value_name = "TEMPLATE")]
    subject: Option<String>,
    /// Template of the description; \n is a line break
    #[arg(long, value_name = "TEMPLATE")]
    description: Option<String>,
}

/// A definition as JSON.
#[derive(Debug, Serialize)]
struct View<'a> {
    #[serde(flatten)]
    settings: &'a DefinitionSettings,
    active: bool,
    changed: bool,
    /// Its texts by content language.
    translations: &'a BTreeMap<ContentLanguage, DefinitionTexts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<&'a [Variable]>,
}

impl<'a> View<'a> {
    fn new(definition: &'a StoredDefinition, variables: Option<&'a [Variable]>) -> Self {
        let StoredDefinition { settings, active, changed, translations } = definition;
        Self { settings, active: *active, changed: *changed, translations, variables }
    }
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: DefinitionsCommand, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let store = &workspace.store()?;
    match command {
        DefinitionsCommand::List => list(context, store),
        DefinitionsCommand::Show(Name { name }) => {
            let definition = find(store, &name)?;
            let described = plugin(&workspace, context)?.describe()?;
            show(context, &definition, &described.variables)
        }
        DefinitionsCommand::Activate(Name { name }) => {
            let definition = find(store, &name)?;
            check(&plugin(&workspace, context)?, &definition.settings)?;
            save(context, store, &definition, StoredDefinition { active: true, ..definition.clone() })
        }
        DefinitionsCommand::Deactivate(Name { name }) => {
            let definition = find(store, &name)?;
            save(context, store, &definition, StoredDefinition { active: false, ..definition.clone() })
        }
        DefinitionsCommand::Set(SetArguments { name, language, changes }) => {
            let definition = find(store, &name)?;
            let plugin = plugin(&workspace, context)?;
            if let Some(language) = language {
                let translated = translated(&plugin, &definition, language, changes)?;
                return save(context, store, &definition, translated);
            }
            let described = plugin.describe()?;
            let settings = changed(&definition.settings, changes, &described.settings);
            check(&plugin, &settings)?;
            let changed = !same_texts(&settings, &described.settings);
            if changed && settings != definition.settings {
                context.warn(&format!(
                    "{name} no longer has its delivered defaults; `apptsync definitions set --defaults` puts them back"
                ));
            }
            save(context, store, &definition, StoredDefinition { settings, changed, ..definition.clone() })
        }
    }
}

/// The definition plugin as configured.
fn plugin(workspace: &Workspace, context: &Context) -> anyhow::Result<DefinitionPlugin> {
    let stage = &workspace.configuration.definition;
    stage.check_files().map_err(UsageError::from)?;
    Ok(definition_plugin(&workspace.runtime()?, &stage.stage_spec(), context.now())?)
}

fn find(store: &dyn Store, name: &str) -> anyhow::Result<StoredDefinition> {
    let definitions = store.definitions()?;
    if let Some(found) = definitions.iter().find(|definition| definition.settings.name == name) {
        return Ok(found.clone());
    }
    let near = nearest(name, definitions.iter().map(|definition| definition.settings.name.as_str()));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`apptsync definitions list` shows what there is".to_owned(),
    };
    Err(UsageError(format!("there is no activity definition `{}`: {hint}", name.escape_debug())).into())
}

/// Two definitions lay down the same, whatever their names.
fn same_texts(left: &DefinitionSettings, right: &DefinitionSettings) -> bool {
    let name = String::new();
    DefinitionSettings { name: name.clone(), ..left.clone() } == DefinitionSettings { name, ..right.clone() }
}

fn changed(settings: &DefinitionSettings, changes: Changes, delivered: &DefinitionSettings) -> DefinitionSettings {
    let begin = if changes.defaults { delivered } else { settings };
    DefinitionSettings {
        name: settings.name.clone(),
        kind: changes.kind.unwrap_or_else(|| begin.kind.clone()),
        priority: changes.priority.unwrap_or(begin.priority),
        subject: changes.subject.unwrap_or_else(|| begin.subject.clone()),
        // A shell makes line breaks hard to write.
        description: changes.description.map_or_else(|| begin.description.clone(), |text| text.replace("\\n", "\n")),
    }
}

/// The definition with other texts in a content language.
fn translated(
    plugin: &DefinitionPlugin,
    definition: &StoredDefinition,
    language: ContentLanguage,
    changes: Changes,
) -> anyhow::Result<StoredDefinition> {
    let mut translations = definition.translations.clone();
    let earlier = translations.remove(&language).filter(|_| !changes.defaults);
    if changes.subject.is_some() || changes.description.is_some() {
        let begin = definition.settings.clone();
        let begin = match earlier {
            Some(DefinitionTexts { subject, description }) => DefinitionSettings { subject, description, ..begin },
            None => begin,
        };
        let settings = changed(&begin, changes, &begin);
        check(plugin, &settings)?;
        let DefinitionSettings { subject, description, .. } = settings;
        translations.insert(language, DefinitionTexts { subject, description });
    }
    Ok(StoredDefinition { translations, ..definition.clone() })
}

fn check(plugin: &DefinitionPlugin, settings: &DefinitionSettings) -> anyhow::Result<()> {
    let problems = plugin.check(settings)?;
    if problems.is_empty() {
        return Ok(());
    }
    let message = format!("{} cannot be like this:\n  {}", settings.name, problems.join("\n  "));
    Err(UsageError(message).into())
}

fn save(
    context: &Context,
    store: &dyn Store,
    before: &StoredDefinition,
    after: StoredDefinition,
) -> anyhow::Result<Exit> {
    if after != *before {
        store.put_definition(&after)?;
    }
    if context.is_json() {
        context.print_json(&View::new(&after, None))?;
        return Ok(Exit::Done);
    }
    let saved = if after == *before { "unchanged" } else { "saved" };
    context.print_line(&format!("{}: {saved}, {}", after.settings.name, state(&after)))?;
    if !after.active {
        context.hint("an inactive definition imports nothing: `apptsync definitions activate`");
    }
    Ok(Exit::Done)
}

fn state(definition: &StoredDefinition) -> &'static str {
    if definition.active { "active" } else { "inactive" }
}

fn origin(definition: &StoredDefinition) -> &'static str {
    if definition.changed { "changed" } else { "as delivered" }
}

fn list(context: &Context, store: &dyn Store) -> anyhow::Result<Exit> {
    let definitions = store.definitions()?;
    if context.is_json() {
        let views: Vec<_> = definitions.iter().map(|definition| View::new(definition, None)).collect();
        context.print_json(&views)?;
        return Ok(Exit::Done);
    }
    let row = |definition: &StoredDefinition| {
        let settings = &definition.settings;
        vec![
            settings.name.clone(),
            state(definition).to_owned(),
            settings.kind.clone(),
            settings.priority.to_string(),
            origin(definition).to_owned(),
        ]
    };
    let headings = ["Activity definition", "State", "Kind", "Priority", "Defaults"];
    context.print_table(&headings, definitions.iter().map(row).collect())?;
    Ok(Exit::Done)
}

fn show(context: &Context, definition: &StoredDefinition, variables: &[Variable]) -> anyhow::Result<Exit> {
    if context.is_json() {
        context.print_json(&View::new(definition, Some(variables)))?;
        return Ok(Exit::Done);
    }
    let settings = &definition.settings;
    let rows = [
        ("Activity definition", settings.name.as_str()),
        ("State", state(definition)),
        ("Defaults", origin(definition)),
        ("Kind", &settings.kind),
        ("Priority", settings.priority.label()),
        ("Subject", &settings.subject),
        ("Description", &settings.description),
    ];
    let mut rows: Vec<_> = rows.iter().map(|(label, value)| vec![(*label).to_owned(), (*value).to_owned()]).collect();
    for (language, texts) in &definition.translations {
        rows.push(vec![format!("Subject ({language})"), texts.subject.clone()]);
        rows.push(vec![format!("Description ({language})"), texts.description.clone()]);
    }
    context.print_table(&["Field", "Value"], rows)?;
    context.print_line("\nVariables of subject and description")?;
    let variable = |variable: &Variable| vec![format!("{{{}}}", variable.name), variable.meaning.clone()];
    context.print_table(&["Variable", "Meaning"], variables.iter().map(variable).collect())?;
    Ok(Exit::Done)
}
