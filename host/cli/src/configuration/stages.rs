//! The stages of the pipeline as the configuration names them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use apptsync_pipeline::{OnFailure, StageSpec};
use apptsync_runtime::{Limits, PluginOrigin, PluginSpec, World};
use bytesize::ByteSize;

use super::reader::{Located, Section};
use crate::built_in::{BUILT_INS, BuiltIn};
use crate::position::{Document, FileError, nearest};

/// A plugin as the configuration names it.
#[derive(Debug, Clone)]
pub enum PluginReference {
    /// Embedded in the binary.
    BuiltIn(BuiltIn),
    /// A file.
    File(PathBuf),
}

impl PluginReference {
    /// Where the component comes from.
    #[must_use]
    pub fn origin(&self) -> PluginOrigin {
        match self {
            Self::BuiltIn(built_in) => PluginOrigin::Embedded(built_in.component),
            Self::File(path) => PluginOrigin::File(path.clone()),
        }
    }
}

/// A folder that the source may read.
#[derive(Debug, Clone)]
pub struct GrantedFolder {
    /// The folder.
    pub path: PathBuf,
    /// What to say when it is not there; it has the place.
    missing: Option<FileError>,
}

/// A stage as configured.
#[derive(Debug, Clone)]
pub struct StageConfiguration {
    /// The stage, as the protocol names it.
    pub stage: String,
    /// The world its plugin must implement.
    pub world: World,
    /// The plugin as written.
    pub name: String,
    /// The plugin.
    pub plugin: PluginReference,
    /// The digest it must have.
    pub sha256: Option<String>,
    /// Folders it may read.
    pub read: Vec<GrantedFolder>,
    /// Its configuration.
    pub config: Vec<(String, String)>,
    /// What it may use.
    pub limits: Limits,
    /// What becomes of records that make it fail.
    pub on_failure: OnFailure,
    /// What to say when the plugin's file is not there; it has the place.
    missing: Option<FileError>,
}

impl StageConfiguration {
    /// The plugin for the runtime.
    #[must_use]
    pub fn plugin_spec(&self) -> PluginSpec {
        PluginSpec {
            name: self.name.clone(),
            stage: self.stage.clone(),
            world: self.world,
            origin: self.plugin.origin(),
            sha256: self.sha256.clone(),
            limits: self.limits.clone(),
            config: self.config.clone(),
            read: self.read.iter().map(|folder| folder.path.clone()).collect(),
            write: Vec::new(),
            http: Vec::new(),
            state: None,
        }
    }

    /// The stage for the pipeline.
    #[must_use]
    pub fn stage_spec(&self) -> StageSpec {
        StageSpec { plugin: self.plugin_spec(), on_failure: self.on_failure }
    }

    /// Looks whether the files and folders that it names are there.
    ///
    /// # Errors
    /// The first that is not, with its place in the configuration.
    pub fn check_files(&self) -> Result<(), FileError> {
        if let (PluginReference::File(path), Some(missing)) = (&self.plugin, &self.missing)
            && !path.is_file()
        {
            return Err(missing.clone());
        }
        let missing = self.read.iter().find(|folder| !folder.path.is_dir());
        missing.and_then(|folder| folder.missing.clone()).map_or(Ok(()), Err)
    }
}

/// What the configuration may say of a kind of stage, and what holds where it says nothing.
pub(super) struct StageKind {
    key: &'static str,
    world: World,
    built_in: &'static str,
    read: &'static [&'static str],
}

pub(super) const SOURCE: StageKind =
    StageKind { key: "source", world: World::Source, built_in: "ibus-feed", read: &["feed"] };
pub(super) const STATUS: StageKind =
    StageKind { key: "status", world: World::StatusMapping, built_in: "status-mapping", read: &[] };
pub(super) const DEFINITION: StageKind =
    StageKind { key: "definition", world: World::ActivityDefinition, built_in: "appointment-synchronize", read: &[] };

const KEYS: &[&str] = &["plugin", "sha256", "read", "config", "limits", "on-failure"];

/// A stage that is always there.
pub(super) fn stage(
    document: &Document<'_>,
    pipeline: Option<&Section<'_>>,
    kind: &StageKind,
    folder: &Path,
) -> Result<StageConfiguration, FileError> {
    let section = pipeline.map(|pipeline| pipeline.table(kind.key)).transpose()?.flatten();
    if let Some(section) = section {
        return configured(&section, kind.key.to_owned(), kind.world, kind.read, folder);
    }
    let Some(built_in) = BuiltIn::named(kind.built_in) else {
        return Err(document.error(0..0, format!("the plugin `{}` is not built in", kind.built_in)));
    };
    Ok(StageConfiguration {
        stage: kind.key.to_owned(),
        world: kind.world,
        name: kind.built_in.to_owned(),
        plugin: PluginReference::BuiltIn(built_in),
        sha256: None,
        read: default_folders(document, kind.read, folder),
        config: Vec::new(),
        limits: Limits::default(),
        on_failure: OnFailure::Quarantine,
        missing: None,
    })
}

/// The extensions, in order.
pub(super) fn extensions(pipeline: Option<&Section<'_>>, folder: &Path) -> Result<Vec<StageConfiguration>, FileError> {
    let Some(pipeline) = pipeline else { return Ok(Vec::new()) };
    let sections = pipeline.tables("extensions")?;
    let extension = |(index, section): (usize, &Section<'_>)| {
        configured(section, format!("extension {}", index + 1), World::Extension, &[], folder)
    };
    sections.iter().enumerate().map(extension).collect()
}

fn default_folders(document: &Document<'_>, names: &[&str], folder: &Path) -> Vec<GrantedFolder> {
    let granted = |name: &&str| {
        let message = format!("the folder `{name}`, which the source reads unless `read` says otherwise, is not there");
        let missing = FileError { file: document.file.clone(), place: None, message: format!("{message}: make it") };
        GrantedFolder { path: folder.join(name), missing: Some(missing) }
    };
    names.iter().map(granted).collect()
}

fn configured(
    section: &Section<'_>,
    stage: String,
    world: World,
    default_read: &[&str],
    folder: &Path,
) -> Result<StageConfiguration, FileError> {
    section.allow(KEYS)?;
    let Some(name) = section.text("plugin")? else {
        return Err(section.error(section.span.clone(), format!("the {stage} has no `plugin`: name one")));
    };
    if world == World::Source {
        let why =
            "`on-failure` is for the other stages: a source that fails stops the run, and broken lines are quarantined";
        section.refuse("on-failure", why)?;
    } else {
        section.refuse("read", "`read` is for the source alone: other plugins get no folders")?;
    }
    let plugin = reference(section, &name, world, folder)?;
    let missing = match &plugin {
        PluginReference::File(path) => {
            let message = format!("there is no file {}: correct `plugin`, or build it", path.display());
            Some(section.error(name.span.clone(), message))
        }
        PluginReference::BuiltIn(_) => None,
    };
    Ok(StageConfiguration {
        sha256: section.text("sha256")?.map(|digest| sha256(section, &digest)).transpose()?,
        read: match section.texts("read")? {
            Some(names) => names.iter().map(|name| granted(section, name, folder)).collect::<Result<_, _>>()?,
            None => default_folders(section.document(), default_read, folder),
        },
        config: section.table("config")?.map(|config| config.entries()).transpose()?.unwrap_or_default(),
        limits: limits(section)?,
        on_failure: on_failure(section)?,
        name: name.value.to_owned(),
        stage,
        world,
        plugin,
        missing,
    })
}

/// The name of a built-in plugin, or a file: what ends in `.wasm` or has a slash.
pub(super) fn reference(
    section: &Section<'_>,
    name: &Located<&str>,
    world: World,
    folder: &Path,
) -> Result<PluginReference, FileError> {
    let text = name.value;
    if text.ends_with(".wasm") || text.contains(['/', '\\']) {
        return Ok(PluginReference::File(folder.join(text)));
    }
    match BuiltIn::named(text) {
        Some(built_in) if built_in.world == world => Ok(PluginReference::BuiltIn(built_in)),
        Some(built_in) => {
            let (is, wants) = (built_in.world.with_article(), world.with_article());
            Err(section.error(name.span.clone(), format!("`{text}` is {is}, but this stage wants {wants}")))
        }
        None => Err(section.error(name.span.clone(), unknown_plugin(text))),
    }
}

/// What to say about a name that is no plugin.
#[must_use]
pub fn unknown_plugin(name: &str) -> String {
    let names = BUILT_INS.map(|built_in| built_in.name);
    let near = nearest(name, names).map_or(String::new(), |near| format!(" did you mean `{near}`?"));
    format!(
        "`{}` is no built-in plugin:{near} built in are {}; a file ends in .wasm or has a slash",
        name.escape_debug(),
        names.join(", ")
    )
}

pub(super) fn sha256(section: &Section<'_>, digest: &Located<&str>) -> Result<String, FileError> {
    if digest.value.len() == 64 && digest.value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digest.value.to_ascii_lowercase());
    }
    let message =
        "`sha256` must have 64 hexadecimal digits: `apptsync plugins inspect FILE` shows the digest of a file";
    Err(section.error(digest.span.clone(), message))
}

fn granted(section: &Section<'_>, name: &Located<&str>, folder: &Path) -> Result<GrantedFolder, FileError> {
    if name.value.is_empty() {
        return Err(section.error(name.span.clone(), "a folder of `read` is empty: name one, such as \"feed\""));
    }
    let path = folder.join(name.value);
    let message = format!("there is no folder {}: make it, or correct `read`", path.display());
    Ok(GrantedFolder { missing: Some(section.error(name.span.clone(), message)), path })
}

pub(super) fn limits(section: &Section<'_>) -> Result<Limits, FileError> {
    let mut limits = Limits::default();
    let Some(section) = section.table("limits")? else { return Ok(limits) };
    section.allow(&["memory", "deadline", "run"])?;
    if let Some(memory) = section.text("memory")? {
        let bytes = memory.value.parse::<ByteSize>().ok().and_then(|size| usize::try_from(size.as_u64()).ok());
        limits.memory = bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
            let text = memory.value.escape_debug();
            section.error(memory.span, format!("`{text}` is no amount of memory: write it as \"32MiB\""))
        })?;
    }
    let duration = |key: &str, value: &mut Duration| -> Result<(), FileError> {
        if let Some(found) = section.text(key)? {
            *value = positive(found.value).ok_or_else(|| no_duration(&section, found.value, found.span))?;
        }
        Ok(())
    };
    duration("deadline", &mut limits.deadline)?;
    duration("run", &mut limits.run)?;
    Ok(limits)
}

fn positive(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero())
}

fn no_duration(section: &Section<'_>, text: &str, span: Range<usize>) -> FileError {
    let text = text.escape_debug();
    section.error(span, format!("`{text}` is no length of time: write it as \"500ms\", \"2s\" or \"30min\""))
}

fn on_failure(section: &Section<'_>) -> Result<OnFailure, FileError> {
    let Some(found) = section.text("on-failure")? else { return Ok(OnFailure::Quarantine) };
    match found.value {
        "quarantine" => Ok(OnFailure::Quarantine),
        "stop" => Ok(OnFailure::Stop),
        other => Err(section.error(
            found.span,
            format!("`{}` is no way to go on after a failure: use \"quarantine\" or \"stop\"", other.escape_debug()),
        )),
    }
}
