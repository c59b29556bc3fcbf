//! A workspace: the folder with `apptsync.toml`, and what its configuration leads to.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use apptsync_pipeline::StageSpecs;
use apptsync_runtime::{CompileCache, Runtime};
use apptsync_store::SqliteStore;

use crate::configuration::{Configuration, FILE_NAME};
use crate::context::UsageError;
use crate::position::FileError;

/// The folder with `apptsync.toml`.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder.
    pub folder: PathBuf,
    /// What its `apptsync.toml` says.
    pub configuration: Configuration,
}

/// Finds the configuration file: the one named, or `apptsync.toml` from the current folder upwards.
pub(crate) fn find_file(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(file) = named {
        if file.is_dir() {
            let inside = file.join(FILE_NAME);
            let message = format!("--config {} is a folder: name the file {}", file.display(), inside.display());
            return Err(UsageError(message).into());
        }
        if !file.is_file() {
            let message = format!("there is no configuration {}: correct --config", file.display());
            return Err(UsageError(message).into());
        }
        return std::path::absolute(file).with_context(|| format!("{} has no absolute path", file.display()));
    }
    let current = std::env::current_dir().context("the current folder cannot be found")?;
    let found = current.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file());
    found.ok_or_else(|| {
        let message = format!(
            "there is no {FILE_NAME} in {} or above: make a workspace with `apptsync init DIR`, try `apptsync demo`, or name a configuration with --config",
            current.display()
        );
        UsageError(message).into()
    })
}

impl From<FileError> for UsageError {
    fn from(error: FileError) -> Self {
        Self(error.to_string())
    }
}

impl Workspace {
    /// Finds and reads the workspace.
    ///
    /// # Errors
    /// There is none, or its configuration is wrong: a [`UsageError`].
    pub fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        let file = find_file(named)?;
        let configuration = Configuration::read(&file).map_err(UsageError::from)?;
        Ok(Self { folder: file.parent().unwrap_or(Path::new("")).to_owned(), configuration })
    }

    /// The headquarters database.
    ///
    /// # Errors
    /// It is not there, or cannot be opened.
    pub fn store(&self) -> anyhow::Result<SqliteStore> {
        Ok(SqliteStore::open(&self.configuration.database)?)
    }

    /// The engine for plugins, with the compile cache where it can be opened.
    ///
    /// # Errors
    /// The engine cannot run on this machine.
    pub fn runtime(&self) -> anyhow::Result<Runtime> {
        start_runtime()
    }

    /// The stages for the pipeline.
    ///
    /// # Errors
    /// A file or folder that the configuration names is not there: a [`UsageError`] with its place.
    pub fn stage_specs(&self) -> anyhow::Result<StageSpecs> {
        let Configuration { source, extensions, status, definition, .. } = &self.configuration;
        for stage in [source, status, definition].into_iter().chain(extensions) {
            stage.check_files().map_err(UsageError::from)?;
        }
        Ok(StageSpecs {
            source: source.plugin_spec(),
            extensions: extensions.iter().map(|extension| extension.stage_spec()).collect(),
            status: status.stage_spec(),
            definition: definition.stage_spec(),
        })
    }

    /// The folder that holds the feed: the first that the source may read.
    ///
    /// # Errors
    /// The source may read none: a [`UsageError`].
    pub fn feed_folder(&self) -> anyhow::Result<PathBuf> {
        let folder = self.configuration.source.read.first().map(|folder| folder.path.clone());
        folder.ok_or_else(|| {
            UsageError("the source may read no folder: add `read = [\"feed\"]` to the source in apptsync.toml".into())
                .into()
        })
    }
}

/// The engine for plugins, without a workspace.
///
/// # Errors
/// The engine cannot run on this machine.
pub fn start_runtime() -> anyhow::Result<Runtime> {
    let cache = match open_cache() {
        Ok(cache) => Some(cache),
        Err(reason) => {
            tracing::warn!("plugins are compiled anew each time, without the compile cache: {reason}");
            None
        }
    };
    Ok(Runtime::new(cache)?)
}

/// The compile cache in `$APPTSYNC_CACHE`, else `$XDG_CACHE_HOME/apptsync`, else `~/.cache/apptsync`.
///
/// # Errors
/// Why there is none.
pub fn open_cache() -> Result<CompileCache, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("APPTSYNC_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("apptsync")))
        .or_else(|| Some(std::env::home_dir()?.join(".cache").join("apptsync")))
        .ok_or("there is no home folder: name a folder in APPTSYNC_CACHE")?;
    CompileCache::open(&folder).map_err(|error| format!("{}: {error}", folder.display()))
}
