//! What the connector needs of its host, as a trait: so that all of it can be tested natively.

use apptsync_plugin::http::{self, Request, Response};
use apptsync_plugin::{log, state};

/// The host: HTTP, state and log.
pub trait Host {
    /// Sends requests, four at a time, and gives their answers in the order of the requests.
    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, http::Failure>>;

    /// What is kept under a key.
    ///
    /// # Errors
    ///
    /// The host refused; the text says why.
    fn kept(&self, key: &str) -> Result<Option<Vec<u8>>, String>;

    /// Keeps at most 64 KiB under a key.
    ///
    /// # Errors
    ///
    /// The host refused; the text says why.
    fn keep(&self, key: &str, value: &[u8]) -> Result<(), String>;

    /// Keeps nothing under a key any more.
    ///
    /// # Errors
    ///
    /// The host refused; the text says why.
    fn forget(&self, key: &str) -> Result<(), String>;

    /// What an operator should look at, about an object of the server.
    fn warn(&self, about: &str, message: &str);
}

/// The host of a component.
pub(crate) struct Lent;

impl Host for Lent {
    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, http::Failure>> {
        http::send_all(requests)
    }

    fn kept(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        state::get(key)
    }

    fn keep(&self, key: &str, value: &[u8]) -> Result<(), String> {
        state::set(key, value)
    }

    fn forget(&self, key: &str) -> Result<(), String> {
        state::remove(key)
    }

    fn warn(&self, about: &str, message: &str) {
        log::warn(about, message);
    }
}
