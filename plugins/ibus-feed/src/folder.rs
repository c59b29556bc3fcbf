//! The files of the granted folders.

use std::fs;
use std::io;
use std::time::UNIX_EPOCH;

use apptsync_plugin::configuration;
use apptsync_plugin::source::Collection;
use apptsync_plugin::types::Failure;
use xxhash_rust::xxh64::Xxh64;

use crate::walk::{FeedFile, Position};

/// The folders of the configuration key `folders`.
pub(crate) fn configured(value: Option<String>) -> Result<Vec<String>, String> {
    let folders = value.map_or_else(|| Ok(vec!["feed".to_owned()]), |value| configuration::list(&value));
    let folders = folders.map_err(|why| format!("`folders`: {why}"))?;
    if folders.is_empty() {
        return Err("no folder is granted: add `read = [\"feed\"]` to the source in apptsync.toml".to_owned());
    }
    Ok(folders)
}

/// The files of a collection, in the order in which their lines count: folders as configured, names ascending.
pub(crate) fn files(folders: &[String], what: Collection) -> Result<Vec<FeedFile>, Failure> {
    let mut files = Vec::new();
    for folder in folders {
        let mut names = names(folder, what).map_err(|error| {
            Failure::Permanent(format!(
                "the feed folder `{folder}` cannot be read ({error}): create it, allow this account to read it, and grant it with \
                 `read = [\"{folder}\"]` of the source in apptsync.toml"
            ))
        })?;
        names.sort_unstable();
        for name in names {
            let path = format!("{folder}/{name}");
            let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
            if metadata.is_file() {
                let shown = if folders.len() == 1 { name } else { path.clone() };
                files.push(FeedFile {
                    path,
                    shown,
                    limit: metadata.len(),
                    modified: modified(&metadata),
                    position: Position::default(),
                    fingerprint: 0,
                    digest: None,
                    is_unchecked: false,
                    hasher: Xxh64::default(),
                });
            }
        }
    }
    Ok(files)
}

fn modified(metadata: &fs::Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

fn names(folder: &str, what: Collection) -> io::Result<Vec<String>> {
    let prefix = match what {
        Collection::Appointments => "appointments",
        Collection::Customers => "customers",
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().filter(|name| name.starts_with(prefix) && name.ends_with(".jsonl"));
        names.extend(name.map(str::to_owned));
    }
    Ok(names)
}

/// What an error on a file means for the import.
pub(crate) fn unreadable(path: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Failure::Transient(format!("`{path}` became shorter while it was read: run the import again"))
        }
        io::ErrorKind::NotFound => {
            Failure::Transient(format!("`{path}` disappeared while it was read: run the import again"))
        }
        io::ErrorKind::PermissionDenied => Failure::Permanent(format!(
            "`{path}` cannot be read ({error}): allow this account to read it; a link that leads out of the granted folder is not followed"
        )),
        _ => Failure::Transient(format!("`{path}` cannot be read: {error}")),
    }
}
