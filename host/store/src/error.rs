//! What can go wrong with the database, told apart where somebody can do something about it.

use std::path::PathBuf;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no database.
    #[error(
        "there is no database at {0}: make a workspace with `apptsync init`, or correct `database` in apptsync.toml"
    )]
    Missing(PathBuf),
    /// The file is something else, or damaged.
    #[error("the database is damaged or no database: {0}; restore it from a copy")]
    Damaged(String),
    /// Made by a newer version of the program.
    #[error("the database has schema {found}, this program knows schemas up to {known}: use a newer apptsync")]
    Newer {
        /// Of the database.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// Somebody else holds it too long.
    #[error("the database is locked by another program; nothing more was written: try again when it is done")]
    Locked,
    /// It cannot be written to.
    #[error(
        "the database cannot be written to; nothing more was written: give yourself the right to write to the file and its folder"
    )]
    ReadOnly,
    /// No room.
    #[error("the disk is full; nothing more was written: make room and run again")]
    DiskFull,
    /// Something refers to what is not there, or would.
    #[error("{0}")]
    Reference(String),
    /// A value breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// Somebody else was faster.
    #[error("the activity was changed meanwhile; nothing was written: look at it and try again")]
    Changed,
    /// Anything else.
    #[error("the database cannot be used: {0}")]
    Other(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi};
        // Without room, SQLite cannot make its shared memory, and calls that an error of input and output.
        let extended = error.sqlite_error().map(|error| error.extended_code);
        if matches!(extended, Some(ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_WRITE)) {
            return Self::DiskFull;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            Some(ErrorCode::SystemIoFailure) => Self::Other(format!(
                "{error}; what was stored before stays: is there room on its disk, and is the disk sound?"
            )),
            Some(ErrorCode::CannotOpen) => {
                Self::Other(format!("{error}; is its folder there, and may you write to it?"))
            }
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
