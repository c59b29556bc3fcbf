//! A file for its owner alone: never readable by others, not for a moment, and never half written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::CredentialError;

/// More than any credential file needs.
const MAX_BYTES: u64 = 4 << 20;

/// Reads the file; none where there is none.
///
/// # Errors
/// Others may read it, it is not the user's own, or it cannot be read.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, CredentialError> {
    let failed = |error| CredentialError::File { file: path.to_owned(), what: "read", error };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    // Of the file that is open: the one at this path may be another by now.
    check(path, &file.metadata().map_err(failed)?)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large for a credential file")));
    }
    Ok(Some(text))
}

#[cfg(unix)]
fn check(path: &Path, metadata: &fs::Metadata) -> Result<(), CredentialError> {
    use std::os::unix::fs::MetadataExt;
    let refused = |why: String| Err(CredentialError::Unsafe { file: path.to_owned(), why });
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_file() {
        return refused("is no file".into());
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return refused("belongs to another user: credentials are read from one's own file only".into());
    }
    if mode & 0o077 != 0 {
        let file = path.display();
        return refused(format!(
            "can be read or changed by others (mode {mode:04o}): give it to yourself alone with `chmod 600 {file}`, and think about replacing the secrets in it"
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check(path: &Path, metadata: &fs::Metadata) -> Result<(), CredentialError> {
    // Elsewhere the folder decides who may read.
    if metadata.is_file() {
        return Ok(());
    }
    Err(CredentialError::Unsafe { file: path.to_owned(), why: "is no file".into() })
}

/// Writes the file whole: into a new file for its owner alone, which then takes the place of the old one.
///
/// # Errors
/// It cannot be written; the old file is as it was.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), CredentialError> {
    write_whole(path, text).map_err(|error| CredentialError::File { file: path.to_owned(), what: "written", error })
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    // Where the path is a link, what it leads to is replaced, and the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder(&target);
    let mut prefix = target.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600));
    let mut file = builder.tempfile_in(&folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&target)?;
    // The name is on the disk when the folder is.
    #[cfg(unix)]
    File::open(&folder)?.sync_all()?;
    Ok(())
}

fn folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Waits for the right to change the file, and holds it until the lock is dropped.
///
/// The lock is a file of its own: the file itself is replaced by every change.
///
/// # Errors
/// The lock cannot be made.
pub(crate) fn lock(path: &Path) -> Result<File, CredentialError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let lock = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let locked = options.open(&lock).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| CredentialError::File { file: lock, what: "locked", error })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").mode() & 0o777
    }

    #[test]
    fn what_is_written_is_the_owners_alone_whole_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("credentials.toml");
        assert!(read(&path).expect("no file is fine").is_none());
        for text in ["one", "another"] {
            write(&path, text).expect("written");
            assert_eq!(read(&path).expect("read").expect("a file").as_str(), text);
            assert_eq!(mode(&path), 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, target) = (folder.path().join("link"), folder.path().join("target"));
        write(&target, "old").expect("written");
        symlink(&target, &path).expect("a link");
        write(&path, "new").expect("written");
        assert!(fs::symlink_metadata(&path).expect("a link").is_symlink());
        assert_eq!(fs::read_to_string(&target).expect("a file"), "new");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("credentials.toml");
        write(&path, "secret").expect("written");
        for open in [0o640, 0o604, 0o660, 0o601] {
            fs::set_permissions(&path, PermissionsExt::from_mode(open)).expect("changed");
            let error = read(&path).expect_err("refused").to_string();
            assert!(error.contains("chmod 600") && error.contains(&format!("{open:04o}")), "{error}");
        }
        fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).expect("changed");
        assert!(read(&path).is_ok());
        assert!(matches!(read(folder.path()), Err(CredentialError::Unsafe { .. })));
    }
}
