//! The clients in `tests/clients/` that are not ours, and what they know of Graph: Microsoft's published types.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::Exchange;

/// A program in `tests/clients/`.
pub fn script(name: &str) -> PathBuf {
    root().join("tests/clients").join(name)
}

/// Python with the packages of the clients, which are installed where they are not.
///
/// # Errors
/// They cannot be installed.
pub fn python() -> io::Result<Command> {
    Ok(Command::new(installed()?.join("python/bin/python")))
}

/// Node with the packages of the clients, which are installed where they are not.
///
/// # Errors
/// They cannot be installed.
pub fn node() -> io::Result<Command> {
    let mut node = Command::new("node");
    node.env("NODE_PATH", installed()?.join("node_modules"));
    Ok(node)
}

/// Runs a command to its end.
///
/// # Errors
/// It cannot be run, or does not succeed; the error holds what it printed.
pub fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).join("\n");
    Err(io::Error::other(format!("{command:?}\n{text}")))
}

/// Checks what was sent and answered against Microsoft's published types.
///
/// # Errors
/// A body has another shape: the error says which and where. Or it cannot be checked.
pub fn check_shapes(exchanges: &[Exchange]) -> io::Result<()> {
    let folder = root().join("target/clients");
    let mut node = node()?;
    let recording = folder.join(format!("recording-{}-{:?}.json", std::process::id(), std::thread::current().id()));
    std::fs::write(&recording, serde_json::to_vec(exchanges)?)?;
    let checked = succeed(node.arg(script("shapes.js")).arg(&recording));
    std::fs::remove_file(&recording)?;
    checked
}

/// Where the clients are. One thread installs them, and another process waits for it.
fn installed() -> io::Result<PathBuf> {
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    let mut is_installed = INSTALLED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !*is_installed {
        succeed(&mut Command::new(script("install")))?;
        *is_installed = true;
    }
    Ok(root().join("target/clients"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
