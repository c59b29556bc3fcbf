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
    /// The folder cannot be made, or others may write to it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mode = fs::metadata(folder)?.permissions().mode();
            if mode & 0o022 != 0 {
                let message = format!("others may write to {}: run `chmod 700` on it", folder.display());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
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
        let content = fs::read(&path).ok()?;
        let (stored, compiled) = content.split_at_checked(DIGEST)?;
        if seal(&path, compiled).as_slice() != stored {
            tracing::warn!(entry = %path.display(), "compile cache entry is damaged and will be replaced");
            return None;
        }
        #[expect(unsafe_code, reason = "the bytes are what this host wrote into its private folder, verified just now")]
        // SAFETY: `deserialize` trusts its input to come from `serialize`. The folder is writable by its owner alone, the
        // content is verified against the digest written with it, and the engine checks its own version and settings.
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

/// The digest that an entry begins with.
fn seal(path: &Path, compiled: &[u8]) -> [u8; DIGEST] {
    let mut hasher = Sha256::new();
    hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    hasher.update([0]);
    hasher.update(compiled);
    hasher.finalize().into()
}
