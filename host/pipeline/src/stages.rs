//! The stages of a run: plugins as configured, loaded, each with its watch.

use std::sync::Arc;

use apptsync_model::{DefinitionSettings, Instant, StageReport};
use apptsync_runtime::{
    Definition, DefinitionPlugin, Extension, ExtensionPlugin, LoadError, Plugin, PluginSpec, RunClock, Runtime,
    StatusMapping, StatusMappingPlugin,
};
use apptsync_store::Hash;
use sha2::{Digest, Sha256};

use crate::isolation::{OnFailure, Watch};

/// A stage as configured.
#[derive(Debug, Clone)]
pub struct StageSpec {
    /// The plugin.
    pub plugin: PluginSpec,
    /// What to do when a call fails.
    pub on_failure: OnFailure,
}

/// All stages of an import as configured.
#[derive(Debug, Clone)]
pub struct StageSpecs {
    /// Where appointments and customers come from.
    pub source: PluginSpec,
    /// What the customer adds, in order.
    pub extensions: Vec<StageSpec>,
    /// How a mobile status becomes a headquarters status.
    pub status: StageSpec,
    /// What the activity definition makes of an appointment.
    pub definition: StageSpec,
}

/// A stage in force.
pub struct Staged<T: ?Sized> {
    pub(crate) name: String,
    pub(crate) watch: Watch,
    pub(crate) stage: Box<T>,
    /// The plugin behind it; none for a native one.
    plugin: Option<Arc<Plugin>>,
}

impl<T: ?Sized> Staged<T> {
    fn native(name: &str, stage: Box<T>) -> Self {
        Self { name: name.to_owned(), watch: Watch::default(), stage, plugin: None }
    }

    fn of(plugin: &Arc<Plugin>, on_failure: OnFailure, stage: Box<T>) -> Self {
        let name = plugin.stage().to_owned();
        tracing::info!(stage = name, plugin = plugin.name(), digest = plugin.digest(), "stage is ready");
        let watch = Watch::new(format!("plugin `{}` (stage {name})", plugin.name()), on_failure);
        Self { name, watch, stage, plugin: Some(plugin.clone()) }
    }

    /// The plugin as configured.
    pub(crate) fn plugin_name(&self) -> &str {
        self.plugin.as_ref().map_or("(native)", |plugin| plugin.name())
    }

    /// SHA-256 of the component.
    pub(crate) fn digest(&self) -> &str {
        self.plugin.as_ref().map_or("", |plugin| plugin.digest())
    }

    fn report(&self) -> StageReport {
        let mut report = StageReport { stage: self.name.clone(), ..StageReport::default() };
        if let Some(plugin) = &self.plugin {
            use_of(&mut report, plugin);
        }
        report.plugin = self.plugin_name().to_owned();
        self.watch.report(&mut report);
        report
    }

    fn description(&self) -> serde_json::Value {
        let config = self.plugin.as_ref().map(|plugin| plugin.config());
        serde_json::json!({ "stage": self.name, "plugin": self.plugin_name(), "digest": self.digest(), "config": config })
    }
}

/// The stages of an import in force, without its source.
pub struct StageSet {
    pub(crate) extensions: Vec<Staged<dyn Extension>>,
    pub(crate) status: Staged<dyn StatusMapping>,
    pub(crate) definition: Staged<dyn Definition>,
}

impl StageSet {
    /// Stages that are no plugins, to measure against.
    #[must_use]
    pub fn native(status: Box<dyn StatusMapping>, definition: Box<dyn Definition>) -> Self {
        Self {
            extensions: Vec::new(),
            status: Staged::native("status", status),
            definition: Staged::native("definition", definition),
        }
    }

    /// Loads the plugins.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn load(runtime: &Runtime, specs: &StageSpecs, clock: &RunClock) -> Result<Self, LoadError> {
        let load = |spec: &StageSpec| Plugin::load(runtime, &spec.plugin, clock.clone());
        let mut extensions: Vec<Staged<dyn Extension>> = Vec::new();
        for spec in &specs.extensions {
            let extension = ExtensionPlugin::new(load(spec)?)?;
            extensions.push(Staged::of(&extension.plugin().clone(), spec.on_failure, Box::new(extension)));
        }
        let status = StatusMappingPlugin::new(load(&specs.status)?)?;
        let definition = DefinitionPlugin::new(load(&specs.definition)?)?;
        Ok(Self {
            extensions,
            status: Staged::of(&status.plugin().clone(), specs.status.on_failure, Box::new(status)),
            definition: Staged::of(&definition.plugin().clone(), specs.definition.on_failure, Box::new(definition)),
        })
    }

    /// What each stage did, in order.
    pub(crate) fn reports(&self) -> Vec<StageReport> {
        let extensions = self.extensions.iter().map(Staged::report);
        extensions.chain([self.status.report(), self.definition.report()]).collect()
    }

    /// What an operator should know of batches that failed although none of their records did.
    pub(crate) fn unexplained(&self) -> Vec<String> {
        let extensions = self.extensions.iter().map(|stage| stage.watch.unexplained());
        extensions.chain([self.status.watch.unexplained(), self.definition.watch.unexplained()]).flatten().collect()
    }

    /// A text that names the stages, their plugins and all that decides what they answer; and its hash.
    pub(crate) fn fingerprint(&self, settings: &DefinitionSettings) -> (Hash, String) {
        let extensions = self.extensions.iter().map(Staged::description);
        let stages: Vec<_> = extensions.chain([self.status.description(), self.definition.description()]).collect();
        let text = serde_json::json!({ "stages": stages, "settings": settings }).to_string();
        (hash(&[&text]), text)
    }
}

/// Puts what a plugin is and used into a report.
pub(crate) fn use_of(report: &mut StageReport, plugin: &Plugin) {
    let statistics = plugin.statistics();
    report.plugin = plugin.name().to_owned();
    report.digest = plugin.digest().to_owned();
    report.calls = statistics.calls;
    report.microseconds = u64::try_from(statistics.time.as_micros()).unwrap_or(u64::MAX);
    report.memory_peak = statistics.memory_peak;
    report.log_lines = statistics.log_lines + statistics.log_lines_dropped;
}

/// The first 16 bytes of the SHA-256 over all parts, each ended by a unit separator.
pub(crate) fn hash(parts: &[&str]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
        hasher.update([0x1f]);
    }
    let mut hash = Hash::default();
    hash.copy_from_slice(&hasher.finalize()[..16]);
    hash
}

/// Loads the definition plugin alone, to describe itself or to check settings.
///
/// # Errors
/// It cannot be used.
pub fn definition_plugin(runtime: &Runtime, spec: &StageSpec, now: Instant) -> Result<DefinitionPlugin, LoadError> {
    DefinitionPlugin::new(Plugin::load(runtime, &spec.plugin, RunClock::new(now))?)
}
