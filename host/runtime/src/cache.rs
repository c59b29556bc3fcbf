//! The compile cache: what a component was compiled to, kept on disk in a private folder.
//!
//! The name of an entry holds the digest of the component and the engine's compatibility hash; its content begins with a
//! digest over that name and the rest, so that an entry counts only whole and only under its own name. An entry that does not verify is compiled again and replaced. Entries are written whole: temporary file,
//! fsync, rename.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// A private folder with compiled components.
#[derive(Debug, Clone)]
pub struct CompileCache {
    folder: PathBuf,
}

const DIGEST: usize = 32;

impl CompileCache {
    /// Opens the folder, making it where needed. Others must not be able to write there: what lies in it is run.
    ///
    /// # Errors
    /// The folder cannot be made, belongs to another user, or others may write to it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, MetadataExt};
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let metadata = fs::metadata(folder)?;
            let refused = |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
            if !is_own(&metadata) {
                let folder = folder.display();
                return refused(format!("{folder} belongs to another user: name a folder of your own"));
            }
            if metadata.mode() & 0o022 != 0 {
                return refused(format!("others may write to {}: run `chmod 700` on it", folder.display()));
            }
        }
        #[cfg(not(unix))]
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Number and total size in bytes of the entries.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn usage(&self) -> io::Result<(u64, u64)> {
        let mut usage = (0, 0);
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|ending| ending == "compiled") {
                usage.0 += 1;
                usage.1 += entry.metadata()?.len();
            }
        }
        Ok(usage)
    }

    fn entry(&self, engine: &Engine, digest: &str) -> PathBuf {
        let mut hasher = std::hash::DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder.join(format!("{digest}-{:016x}.compiled", hasher.finish()))
    }

    /// The compiled component, when the cache has it whole.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let path = self.entry(engine, digest);
        let content = read(&path).ok()?;
        let (stored, compiled) = content.split_at_checked(DIGEST)?;
        if seal(&path, compiled).as_slice() != stored {
            tracing::warn!(entry = %path.display(), "compile cache entry is damaged and will be replaced");
            return None;
        }
        #[expect(unsafe_code, reason = "the bytes are what this host wrote into its private folder, verified just now")]
        // SAFETY: `deserialize` trusts its input to come from `serialize`. Folder and entry belong to the user of this process,
        // nobody else may write to the folder, the content is verified against the digest written with it, and the engine
        // checks its own version and settings.
        let component = unsafe { Component::deserialize(engine, compiled) };
        component.inspect_err(|error| tracing::warn!(%error, "compile cache entry does not load")).ok()
    }

    /// Keeps a compiled component. A cache that cannot be written is slow, not wrong: the error is only logged.
    pub(crate) fn store(&self, engine: &Engine, digest: &str, component: &Component) {
        let written = component
            .serialize()
            .map_err(|error| error.to_string())
            .and_then(|compiled| self.write(&self.entry(engine, digest), &compiled).map_err(|error| error.to_string()));
        if let Err(error) = written {
            tracing::warn!(%error, folder = %self.folder.display(), "the compile cache cannot be written");
        }
    }

    fn write(&self, path: &Path, compiled: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&seal(path, compiled))?;
        file.write_all(compiled)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}

/// What an entry holds: a file of one's own, not what a link leads to.
#[cfg(unix)]
fn read(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;
    use std::os::unix::fs::OpenOptionsExt;
    let no_link = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(no_link.bits()).map_err(io::Error::other)?;
    let mut file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || !is_own(&metadata) {
        tracing::warn!(entry = %path.display(), "compile cache entry belongs to another user and is not used");
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(not(unix))]
fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

#[cfg(unix)]
fn is_own(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

/// The digest that an entry begins with.
fn seal(path: &Path, compiled: &[u8]) -> [u8; DIGEST] {
    let mut hasher = Sha256::new();
    hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    hasher.update([0]);
    hasher.update(compiled);
    hasher.finalize().into()
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    /// The super-user can give a file away; for everybody else, the root of the file system is somebody else's.
    fn foreign(own: PathBuf) -> PathBuf {
        if rustix::process::geteuid().is_root() {
            chown(&own, Some(1), None).unwrap();
            return own;
        }
        PathBuf::from("/")
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        assert!(CompileCache::open(&cache).is_ok());
        let cache = foreign(cache);
        let said = CompileCache::open(&cache).unwrap_err().to_string();
        assert_eq!(said, format!("{} belongs to another user: name a folder of your own", cache.display()));
    }

    #[test]
    fn an_entry_that_is_a_link_or_of_another_user_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let [own, link] = ["own", "link"].map(|name| folder.path().join(name));
        fs::write(&own, "compiled").unwrap();
        symlink(&own, &link).unwrap();
        assert_eq!(read(&own).unwrap(), b"compiled");
        assert!(read(&link).is_err());
        assert!(read(&foreign(own)).is_err());
    }
}
