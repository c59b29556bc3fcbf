//! `plugins`: what is configured or embedded, and what a file holds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use apptsync_runtime::{Inspection, Limits, PluginOrigin, World};
use bytesize::ByteSize;
use clap::Subcommand;
use humantime::format_duration;
use serde::Serialize;

use crate::built_in::{BUILT_INS, BuiltIn};
use crate::configuration::{Configuration, ConnectorConfiguration, StageConfiguration, unknown_plugin};
use crate::context::{Context, Exit, UsageError};
use crate::report::short_digest;
use crate::workspace::start_runtime;

const EXAMPLES: &str = "\
Examples:
  apptsync plugins list
  apptsync plugins inspect plugins/vip.wasm
  apptsync plugins inspect status-mapping";

/// What to show of plugins.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum PluginsCommand {
    /// Show the plugins of the stages, and what else is built in
    List,
    /// Show what a component holds: world, version, imports, digest, and whether it fits this host
    Inspect {
        /// A file, or the name of a built-in plugin
        #[arg(value_name = "FILE")]
        plugin: String,
    },
}

/// A plugin of a stage.
#[derive(Debug, Serialize)]
struct Configured {
    /// The stage; none for a built-in plugin that is not in use.
    stage: Option<String>,
    plugin: String,
    built_in: bool,
    world: String,
    sha256: Option<String>,
    version: Option<String>,
    imports: Vec<String>,
    grants: Grants,
    limits: Option<LimitsView>,
    config: BTreeMap<String, String>,
    problem: Option<String>,
}

/// What a plugin is granted.
#[derive(Debug, Default, Serialize)]
struct Grants {
    read: Vec<PathBuf>,
    /// Folders that a connector may read and write.
    write: Vec<PathBuf>,
    /// Origins that a connector may speak to, besides the server address of a profile.
    http: Vec<String>,
}

/// What a plugin may use.
#[derive(Debug, Serialize)]
struct LimitsView {
    memory: usize,
    deadline_milliseconds: u64,
    run_milliseconds: u64,
}

impl From<&Limits> for LimitsView {
    fn from(limits: &Limits) -> Self {
        Self {
            memory: limits.memory,
            deadline_milliseconds: milliseconds(limits.deadline),
            run_milliseconds: milliseconds(limits.run),
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: PluginsCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        PluginsCommand::List => list(context),
        PluginsCommand::Inspect { plugin } => inspect(context, &plugin),
    }
}

fn list(context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let runtime = workspace.runtime()?;
    let Configuration { source, extensions, status, definition, .. } = &workspace.configuration;
    let stages: Vec<_> = std::iter::once(source).chain(extensions).chain([status, definition]).collect();
    let mut plugins: Vec<_> = stages
        .iter()
        .map(|stage| configured(stage, Inspection::of(&runtime, &stage.name, &stage.plugin.origin())))
        .collect();
    for connector in &workspace.configuration.connectors {
        let inspected = Inspection::of(&runtime, &connector.plugin_name, &connector.plugin.origin());
        plugins.push(connecting(connector, inspected));
    }
    let is_unused = |built_in: &&BuiltIn| plugins.iter().all(|plugin| plugin.plugin != built_in.name);
    for built_in in BUILT_INS.iter().filter(is_unused).collect::<Vec<_>>() {
        let origin = PluginOrigin::Embedded(built_in.component);
        plugins.push(unused(built_in, Inspection::of(&runtime, built_in.name, &origin)));
    }
    let is_fine = plugins.iter().all(|plugin| plugin.problem.is_none());
    if context.is_json() {
        context.print_json(&plugins)?;
    } else {
        print(context, &plugins)?;
    }
    Ok(if is_fine { Exit::Done } else { Exit::Failed })
}

type Inspected = Result<Inspection, apptsync_runtime::LoadError>;

fn configured(stage: &StageConfiguration, inspected: Inspected) -> Configured {
    let mut plugin = described(stage.name.clone(), stage.world.interface(), inspected);
    plugin.stage = Some(stage.stage.clone());
    plugin.built_in = BuiltIn::named(&stage.name).is_some();
    plugin.grants.read = stage.read.iter().map(|folder| folder.path.clone()).collect();
    plugin.limits = Some(LimitsView::from(&stage.limits));
    plugin.config = stage.config.iter().cloned().collect();
    if let (Some(expected), Some(found)) = (&stage.sha256, &plugin.sha256)
        && expected != found
    {
        plugin.problem =
            Some(format!("plugin `{}` has SHA-256 {found}, the configuration expects {expected}", plugin.plugin));
    }
    plugin
}

fn connecting(connector: &ConnectorConfiguration, inspected: Inspected) -> Configured {
    let mut plugin = described(connector.plugin_name.clone(), World::Connector.interface(), inspected);
    plugin.stage = Some(format!("connector {}", connector.name));
    plugin.built_in = BuiltIn::named(&connector.plugin_name).is_some();
    plugin.grants.write.clone_from(&connector.write);
    plugin.grants.http = connector.http.iter().map(ToString::to_string).collect();
    plugin.limits = Some(LimitsView::from(&connector.limits));
    plugin.config = connector.config.iter().cloned().collect();
    plugin
}

fn unused(built_in: &BuiltIn, inspected: Inspected) -> Configured {
    Configured { built_in: true, ..described(built_in.name.to_owned(), built_in.world.interface(), inspected) }
}

fn described(plugin: String, world: &str, inspected: Inspected) -> Configured {
    let (inspection, error) = match inspected {
        Ok(inspection) => (Some(inspection), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let implemented = inspection.as_ref().and_then(|found| found.worlds.iter().find(|(name, _)| name == world));
    let missing = inspection.is_some() && implemented.is_none();
    let about = |problem: &str| format!("plugin `{plugin}` {problem}");
    let problem = error
        .or_else(|| inspection.as_ref().and_then(|found| found.problem.as_ref().map(|problem| about(problem))))
        .or_else(|| missing.then(|| about(&format!("does not implement the world {world}"))));
    Configured {
        stage: None,
        built_in: false,
        world: world.to_owned(),
        version: implemented.and_then(|(_, version)| version.clone()),
        sha256: inspection.as_ref().map(|found| found.digest.clone()),
        imports: inspection.map(|found| found.imports).unwrap_or_default(),
        grants: Grants::default(),
        limits: None,
        config: BTreeMap::new(),
        problem,
        plugin,
    }
}

fn print(context: &Context, plugins: &[Configured]) -> anyhow::Result<()> {
    let row = |plugin: &Configured| {
        let limits = plugin.limits.as_ref().map_or(String::new(), |limits| {
            let memory = ByteSize::b(limits.memory as u64).display().iec();
            format!("{memory}, {} a call", format_duration(Duration::from_millis(limits.deadline_milliseconds)))
        });
        let granted = plugin.grants.read.iter().chain(&plugin.grants.write);
        let folders: Vec<_> = granted.map(|folder| crate::position::shown(folder)).collect();
        vec![
            plugin.stage.clone().unwrap_or_else(|| "(not in use)".into()),
            plugin.plugin.clone(),
            if plugin.built_in { "built in" } else { "file" }.to_owned(),
            format!("{}@{}", plugin.world, plugin.version.as_deref().unwrap_or("?")),
            plugin.sha256.as_deref().map_or(String::new(), |digest| short_digest(digest).to_owned()),
            folders.join(", "),
            limits,
        ]
    };
    let headings = ["Stage", "Plugin", "From", "World", "Digest", "Folders", "Limits"];
    context.print_table(&headings, plugins.iter().map(row).collect())?;
    plugins.iter().filter_map(|plugin| plugin.problem.as_deref()).try_for_each(|problem| context.print_line(problem))
}

/// A component as `plugins inspect` shows it.
#[derive(Debug, Serialize)]
struct InspectionView {
    plugin: String,
    sha256: String,
    size: u64,
    worlds: Vec<WorldView>,
    imports: Vec<String>,
    problem: Option<String>,
}

/// A world that a component implements.
#[derive(Debug, Serialize)]
struct WorldView {
    world: String,
    version: Option<String>,
}

fn inspect(context: &Context, plugin: &str) -> anyhow::Result<Exit> {
    let path = PathBuf::from(plugin);
    let origin = match BuiltIn::named(plugin) {
        Some(built_in) => PluginOrigin::Embedded(built_in.component),
        None if path.is_file() => PluginOrigin::File(path),
        None if plugin.ends_with(".wasm") || plugin.contains(['/', '\\']) => {
            return Err(UsageError(format!("there is no file {}", path.display())).into());
        }
        None => return Err(UsageError(unknown_plugin(plugin)).into()),
    };
    let inspection = Inspection::of(&start_runtime()?, plugin, &origin)?;
    let worlds = inspection.worlds.into_iter().map(|(world, version)| WorldView { world, version });
    let view = InspectionView {
        plugin: plugin.to_owned(),
        sha256: inspection.digest,
        size: inspection.size,
        worlds: worlds.collect(),
        imports: inspection.imports,
        problem: inspection.problem,
    };
    if context.is_json() {
        context.print_json(&view)?;
    } else {
        print_inspection(context, &view)?;
    }
    Ok(if view.problem.is_none() { Exit::Done } else { Exit::Failed })
}

fn print_inspection(context: &Context, view: &InspectionView) -> anyhow::Result<()> {
    let world = |world: &WorldView| format!("{}@{}", world.world, world.version.as_deref().unwrap_or("?"));
    let worlds: Vec<_> = view.worlds.iter().map(world).collect();
    let limits = Limits::default();
    let memory = ByteSize::b(limits.memory as u64).display().iec();
    let rows = [
        ("Plugin", view.plugin.clone()),
        ("SHA-256", view.sha256.clone()),
        ("Size", ByteSize::b(view.size).display().iec().to_string()),
        ("Worlds", if worlds.is_empty() { "none".to_owned() } else { worlds.join("\n") }),
        ("Imports", if view.imports.is_empty() { "none".to_owned() } else { view.imports.join("\n") }),
        ("Granted unless configured", "nothing".to_owned()),
        (
            "Limits unless configured",
            format!(
                "{memory} of memory, {} a call, {} a run",
                format_duration(limits.deadline),
                format_duration(limits.run)
            ),
        ),
        ("Fits this host", view.problem.as_ref().map_or("yes".to_owned(), |problem| format!("no: it {problem}"))),
    ];
    context.print_table(&["Field", "Value"], rows.map(|(label, value)| vec![label.to_owned(), value]).to_vec())
}
