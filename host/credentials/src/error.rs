//! What can go wrong with credentials. No message ever holds a secret.

use std::path::PathBuf;

use apptsync_runtime::Origin;

/// An error with a credential or its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// There is no credential of that name.
    #[error("there is no credential `{name}` in {}{}: add it with `apptsync credentials add {name}`", file.display(), others(known))]
    Missing {
        /// Its name.
        name: String,
        /// Where it was looked for.
        file: PathBuf,
        /// The names there are.
        known: Vec<String>,
    },
    /// There is one of that name already.
    #[error("there is a credential `{0}` already: name another, or replace it with --replace")]
    Exists(String),
    /// The file lets others in, or belongs to somebody else.
    #[error("{} {why}", file.display())]
    Unsafe {
        /// The file.
        file: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// The file does not hold what it should. What stands there is not repeated: it may be a secret.
    #[error("{}{}: {why}", file.display(), place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default())]
    Content {
        /// The file.
        file: PathBuf,
        /// Line and column, from 1.
        place: Option<(usize, usize)>,
        /// What is wrong and what to do.
        why: String,
    },
    /// The file cannot be read or written.
    #[error("{} cannot be {what}: {error}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// "read" or "written".
        what: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// A value that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// The credential belongs to another server than it is to be used for.
    #[error(
        "the profile's server is {server}, but the credential `{name}` belongs to {own} and is sent nowhere else: give the profile that server with --server, or another credential with --credential"
    )]
    Elsewhere {
        /// The credential.
        name: String,
        /// Where it belongs.
        own: Origin,
        /// The server of the profile.
        server: Origin,
    },
    /// The private key is protected, and its password was not given.
    #[error(
        "the private key of the credential `{name}` is protected: its password is needed, from a terminal, from --key-password-file, or from {variable}"
    )]
    KeyPassword {
        /// The credential.
        name: String,
        /// The variable of the environment that may hold the password.
        variable: String,
    },
    /// The certificate, or its key, cannot be used.
    #[error("the certificate of the credential `{name}` cannot be used: {why}")]
    Certificate {
        /// The credential.
        name: String,
        /// Why.
        why: String,
    },
}

fn others(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(", only {}", known.join(", ")) }
}
