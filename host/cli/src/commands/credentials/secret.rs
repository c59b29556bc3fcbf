//! Where secrets come from: a file, standard input, or a terminal without echo. Never an argument, which others can see.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use anyhow::Context as _;
use apptsync_credentials::{SecretString, key_password_in_environment};
use zeroize::Zeroizing;

use crate::context::UsageError;

/// More than any certificate with its chain.
const MAX_BYTES: u64 = 1 << 20;

/// What a file holds.
///
/// # Errors
/// It cannot be read, or is far too large.
pub fn bytes_of(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path).map_err(|error| UsageError(format!("{} cannot be read: {error}", path.display())))?;
    read(file).with_context(|| format!("{} cannot be read", path.display()))
}

/// The secret in a file: all of it but the end of its last line.
///
/// # Errors
/// It cannot be read, is empty, or has several lines.
pub fn from_file(path: &Path) -> anyhow::Result<SecretString> {
    one(&bytes_of(path)?, &path.display().to_string())
}

/// The secrets on standard input, one a line.
///
/// # Errors
/// There are not as many, or they cannot be read.
pub fn from_stdin(count: usize) -> anyhow::Result<Vec<SecretString>> {
    let bytes = read(io::stdin().lock()).context("standard input cannot be read")?;
    let text = text(&bytes, "standard input")?;
    let lines: Vec<_> = text.lines().collect();
    if lines.len() != count {
        let message = format!("standard input has {} lines, and {count} are needed: one secret a line", lines.len());
        return Err(UsageError(message).into());
    }
    lines.into_iter().map(|line| one(line.as_bytes(), "standard input")).collect()
}

/// Asks for a secret on a terminal, without echo.
///
/// # Errors
/// There is no terminal, and `otherwise` says how to give it; or nothing was typed.
pub fn ask(what: &str, otherwise: &str) -> anyhow::Result<SecretString> {
    if !io::stdin().is_terminal() {
        return Err(UsageError(format!("{what} is needed, and there is no terminal to ask on: {otherwise}")).into());
    }
    let typed = rpassword::prompt_password(format!("{what}: ")).context("the terminal cannot be read")?;
    one(Zeroizing::new(typed).as_bytes(), what)
}

/// The password of a credential's private key, from a file or the environment.
///
/// # Errors
/// The file cannot be read.
pub fn key_password(name: &str, file: Option<&Path>) -> anyhow::Result<Option<SecretString>> {
    match file {
        Some(path) => from_file(path).map(Some),
        None => Ok(key_password_in_environment(name)),
    }
}

fn read(source: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it, so that nothing is copied and left behind while it grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 << 10));
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is far too large"));
    }
    Ok(bytes)
}

fn text<'a>(bytes: &'a [u8], from: &str) -> anyhow::Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| UsageError(format!("{from}: the secret is no text in UTF-8")).into())
}

fn one(bytes: &[u8], from: &str) -> anyhow::Result<SecretString> {
    let text = text(bytes, from)?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(UsageError(format!("{from}: there is no secret")).into());
    }
    if line.contains(char::is_control) {
        return Err(UsageError(format!("{from}: a secret is one line without control characters")).into());
    }
    Ok(line.into())
}
