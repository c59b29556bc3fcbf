//! What the connector needs of its host, so that everything else is tested natively.

use apptsync_plugin::http::{self, Failure, Request, Response};
use apptsync_plugin::log;

/// Requests and lines in the log.
pub trait Host {
    /// Sends requests, at most four at a time, and gives their answers in order.
    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>>;

    /// A line that an operator should look at; `about` is the id of an item, or empty.
    fn warn(&self, about: &str, message: &str);
}

/// What the component is lent.
pub(crate) struct Lent;

impl Host for Lent {
    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        http::send_all(requests)
    }

    fn warn(&self, about: &str, message: &str) {
        log::warn(about, message);
    }
}
