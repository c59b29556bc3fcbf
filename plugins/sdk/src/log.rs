//! Lines in the log of the run, at most 1,000 and 256 KiB a call.
//!
//! Asks the host, so these functions work in a component only. No personal data above `debug`, no secret ever.

use crate::bindings::shared::wasi::logging::logging::{Level, log};

/// For whoever develops the plugin; `about` is the id of the record that the line is about, or empty.
pub fn debug(about: &str, message: &str) {
    log(Level::Debug, about, message);
}

/// What an operator may want to know.
pub fn info(about: &str, message: &str) {
    log(Level::Info, about, message);
}

/// What an operator should look at.
pub fn warn(about: &str, message: &str) {
    log(Level::Warn, about, message);
}

/// What went wrong.
pub fn error(about: &str, message: &str) {
    log(Level::Error, about, message);
}
