//! `apptsync.toml`: what it may say, read with errors that name file, line, column and the nearest right name.

mod connectors;
mod reader;
mod stages;

use std::path::{Path, PathBuf};

use apptsync_model::ContentLanguage;
use toml::de::DeTable;

use crate::position::{Document, FileError, shown};
pub use connectors::{ConnectorConfiguration, unknown_connector};
use reader::Section;
pub use stages::{PluginReference, StageConfiguration, unknown_plugin};

/// The processing queue of jobs that name none.
const DEFAULT_QUEUE: &str = "default";
/// Name of the configuration file.
pub const FILE_NAME: &str = "apptsync.toml";

/// The configuration of a workspace; paths are absolute or relative to the current folder.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The file.
    pub file: PathBuf,
    /// The headquarters database.
    pub database: PathBuf,
    /// What runs take where their arguments say nothing.
    pub batch: BatchConfiguration,
    /// Where appointments and customers come from.
    pub source: StageConfiguration,
    /// What the customer adds, in order.
    pub extensions: Vec<StageConfiguration>,
    /// How statuses are mapped.
    pub status: StageConfiguration,
    /// What activities look like.
    pub definition: StageConfiguration,
    /// How calendar systems are spoken to, the built-in connectors included.
    pub connectors: Vec<ConnectorConfiguration>,
}

/// Batch settings: what runs take where their arguments say nothing (domain 4).
#[derive(Debug, Clone)]
pub struct BatchConfiguration {
    /// The running user.
    pub user: Option<String>,
    /// Language of the texts.
    pub content_language: Option<ContentLanguage>,
    /// Processing queue of runs in the background.
    pub queue: String,
}

impl Default for BatchConfiguration {
    fn default() -> Self {
        Self { user: None, content_language: None, queue: DEFAULT_QUEUE.to_owned() }
    }
}

impl Configuration {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn read(file: &Path) -> Result<Self, FileError> {
        let failed = |reason: String| FileError { file: shown(file), place: None, message: reason };
        let bytes = std::fs::read(file).map_err(|error| failed(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| failed(format!("is not UTF-8: {error}")))?;
        Self::parse(file, &text)
    }

    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn parse(file: &Path, text: &str) -> Result<Self, FileError> {
        let document = Document { file: shown(file), text };
        let table = DeTable::parse(text).map_err(|error| document.toml_error(&error))?;
        let root = Section::new(&document, table.get_ref(), table.span(), String::new());
        root.allow(&["database", "pipeline", "batch", "connectors"])?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let pipeline = root.table("pipeline")?;
        if let Some(pipeline) = &pipeline {
            pipeline.allow(&["source", "extensions", "status", "definition"])?;
        }
        let stage = |kind: &stages::StageKind| stages::stage(&document, pipeline.as_ref(), kind, folder);
        Ok(Self {
            file: file.to_owned(),
            database: database(&root, folder)?,
            batch: batch(&root)?,
            source: stage(&stages::SOURCE)?,
            extensions: stages::extensions(pipeline.as_ref(), folder)?,
            status: stage(&stages::STATUS)?,
            definition: stage(&stages::DEFINITION)?,
            connectors: connectors::connectors(&document, &root, folder)?,
        })
    }
}

fn database(root: &Section<'_>, folder: &Path) -> Result<PathBuf, FileError> {
    let Some(database) = root.text("database")? else { return Ok(folder.join("headquarters.db")) };
    if database.value.is_empty() {
        return Err(root.error(database.span, "`database` is empty: name a file, such as \"headquarters.db\""));
    }
    if let Some((scheme, _)) = database.value.split_once("://") {
        let scheme = scheme.escape_debug();
        return Err(root.error(
            database.span,
            format!("`{scheme}://` databases are not supported: name an SQLite file, such as \"headquarters.db\""),
        ));
    }
    Ok(folder.join(database.value))
}

fn batch(root: &Section<'_>) -> Result<BatchConfiguration, FileError> {
    let Some(batch) = root.table("batch")? else { return Ok(BatchConfiguration::default()) };
    batch.allow(&["user", "content-language", "queue"])?;
    let language = batch.text("content-language")?;
    let language = language.map(|text| text.value.parse().map_err(|error: String| batch.error(text.span, error)));
    let queue = batch.text("queue")?.map(|queue| queue.value.to_owned());
    Ok(BatchConfiguration {
        user: batch.text("user")?.map(|user| user.value.to_owned()),
        content_language: language.transpose()?,
        queue: queue.unwrap_or_else(|| BatchConfiguration::default().queue),
    })
}

#[cfg(test)]
mod tests;
