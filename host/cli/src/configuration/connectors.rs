//! The connectors that the configuration names, and the built-in ones as they are without it.

use std::path::{Path, PathBuf};

use apptsync_runtime::{Limits, Origin, PluginSpec, World};

use super::reader::{Located, Section};
use super::stages::{self, PluginReference};
use crate::built_in::{BUILT_INS, BuiltIn};
use crate::position::{Document, FileError, nearest};

/// The folder that calendar files are written to, unless the configuration names another.
const CALENDARS: &str = "calendars";
/// The built-in connector that writes files.
const CALENDAR_FILE: &str = "calendar-file";

/// A connector as configured.
#[derive(Debug, Clone)]
pub struct ConnectorConfiguration {
    /// Its name: what a profile says.
    pub name: String,
    /// The plugin as written.
    pub plugin_name: String,
    /// The plugin.
    pub plugin: PluginReference,
    /// The digest it must have.
    pub sha256: Option<String>,
    /// Origins that it may speak to, besides the server address of a profile.
    pub http: Vec<Origin>,
    /// Names in these origins and in server addresses may resolve to private addresses.
    pub allow_private: bool,
    /// Entry of the credential file, unless a profile names another.
    pub credential: Option<String>,
    /// Files with further certificates (PEM) that are trusted.
    pub certificates: Vec<PathBuf>,
    /// Folders that it may read and write; they are made when they are not there.
    pub write: Vec<PathBuf>,
    /// Its configuration.
    pub config: Vec<(String, String)>,
    /// What it may use.
    pub limits: Limits,
}

impl ConnectorConfiguration {
    /// The plugin for the runtime, without what a profile adds: origins, credentials and state.
    #[must_use]
    pub fn plugin_spec(&self) -> PluginSpec {
        PluginSpec {
            name: self.plugin_name.clone(),
            stage: format!("connector {}", self.name),
            world: World::Connector,
            origin: self.plugin.origin(),
            sha256: self.sha256.clone(),
            limits: self.limits.clone(),
            config: self.config.clone(),
            read: Vec::new(),
            write: self.write.clone(),
            http: Vec::new(),
            state: None,
        }
    }

    /// A built-in connector as it is where the configuration says nothing about it.
    fn built_in(built_in: BuiltIn, folder: &Path) -> Self {
        Self {
            name: built_in.name.to_owned(),
            plugin_name: built_in.name.to_owned(),
            plugin: PluginReference::BuiltIn(built_in),
            sha256: None,
            http: Vec::new(),
            allow_private: false,
            credential: None,
            certificates: Vec::new(),
            write: default_folders(built_in.name, folder),
            config: Vec::new(),
            limits: Limits::default(),
        }
    }
}

fn default_folders(plugin: &str, folder: &Path) -> Vec<PathBuf> {
    if plugin == CALENDAR_FILE { vec![folder.join(CALENDARS)] } else { Vec::new() }
}

const KEYS: &[&str] =
    &["plugin", "sha256", "http", "private-network", "credential", "certificates", "write", "config", "limits"];

/// `[connectors.NAME]`, and the built-in connectors that it does not name.
pub(super) fn connectors(
    document: &Document<'_>,
    root: &Section<'_>,
    folder: &Path,
) -> Result<Vec<ConnectorConfiguration>, FileError> {
    let mut connectors = Vec::new();
    if let Some(section) = root.table("connectors")? {
        for name in section.names() {
            let Some(connector) = section.table(&name)? else { continue };
            connectors.push(configured(document, &connector, name, folder)?);
        }
    }
    for built_in in BUILT_INS.into_iter().filter(|built_in| built_in.world == World::Connector) {
        if !connectors.iter().any(|connector| connector.name == built_in.name) {
            connectors.push(ConnectorConfiguration::built_in(built_in, folder));
        }
    }
    Ok(connectors)
}

fn configured(
    document: &Document<'_>,
    section: &Section<'_>,
    name: String,
    folder: &Path,
) -> Result<ConnectorConfiguration, FileError> {
    section.allow(KEYS)?;
    let is_built_in = |built_in: BuiltIn| built_in.world == World::Connector && built_in.name == name;
    let plugin = match section.text("plugin")? {
        Some(plugin) => plugin,
        None if BUILT_INS.into_iter().any(is_built_in) => Located { value: name.as_str(), span: section.span.clone() },
        None => {
            let message = format!("the connector `{name}` has no `plugin`: name one, such as \"caldav\"");
            return Err(document.error(section.span.clone(), message));
        }
    };
    let path = |found: &Located<&str>| folder.join(found.value);
    let paths = |key: &str| -> Result<Option<Vec<PathBuf>>, FileError> {
        Ok(section.texts(key)?.map(|found| found.iter().map(path).collect()))
    };
    let origin = |found: &Located<&str>| {
        found.value.parse::<Origin>().map_err(|error| section.error(found.span.clone(), error.to_string()))
    };
    Ok(ConnectorConfiguration {
        plugin_name: plugin.value.to_owned(),
        plugin: stages::reference(section, &plugin, World::Connector, folder)?,
        sha256: section.text("sha256")?.map(|digest| stages::sha256(section, &digest)).transpose()?,
        http: section.texts("http")?.unwrap_or_default().iter().map(origin).collect::<Result<_, _>>()?,
        allow_private: section.flag("private-network")?.unwrap_or(false),
        credential: section.text("credential")?.map(|found| found.value.to_owned()),
        certificates: paths("certificates")?.unwrap_or_default(),
        write: paths("write")?.unwrap_or_else(|| default_folders(plugin.value, folder)),
        config: section.table("config")?.map(|config| config.entries()).transpose()?.unwrap_or_default(),
        limits: stages::limits(section)?,
        name: name.clone(),
    })
}

/// What to say about a name that is no connector.
#[must_use]
pub fn unknown_connector(name: &str, connectors: &[ConnectorConfiguration]) -> String {
    let names: Vec<&str> = connectors.iter().map(|connector| connector.name.as_str()).collect();
    let near = nearest(name, names.iter().copied()).map_or(String::new(), |near| format!(" did you mean `{near}`?"));
    format!(
        "`{}` is no connector:{near} there are {}; others are configured as [connectors.NAME] in apptsync.toml",
        name.escape_debug(),
        names.join(", ")
    )
}
