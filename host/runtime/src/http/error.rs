//! Why there is no answer.

use std::net::IpAddr;
use std::time::Duration;

use super::grant::NoAuthorization;
use super::origin::{Origin, OriginError};

/// Why a request has no answer. No text holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The address is none that may be asked at all.
    #[error(transparent)]
    Url(#[from] OriginError),
    /// The address belongs to another origin than the granted one.
    #[error("{asked} is not granted")]
    NotGranted {
        /// What was to be asked.
        asked: String,
    },
    /// Method, path or headers are not those of a request.
    #[error("this is no valid request: {0}")]
    Request(String),
    /// More was to be sent than may be, in bytes.
    #[error("the request is larger than {0} bytes")]
    RequestTooLarge(usize),
    /// The name is unknown, or cannot be resolved now.
    #[error("the name of {origin} cannot be resolved: {reason}")]
    Resolve {
        /// The server.
        origin: Origin,
        /// What the system says.
        reason: String,
    },
    /// The name resolves to an address that is not for it.
    #[error("{origin} lies at {address}, {what}, which is not granted")]
    AddressRefused {
        /// The server.
        origin: Origin,
        /// What its name resolves to.
        address: IpAddr,
        /// What kind of address that is.
        what: &'static str,
    },
    /// No connection in time; the request was not sent.
    #[error("there is no connection after {0:?}")]
    ConnectTimeout(Duration),
    /// No connection; the request was not sent.
    #[error("the server cannot be reached: {0}")]
    Connect(String),
    /// The server's certificate is not trusted; the request was not sent.
    #[error("the server's certificate is not trusted: {0}")]
    Certificate(String),
    /// The connection cannot be secured; the request was not sent.
    #[error("the connection cannot be secured: {0}")]
    Tls(String),
    /// No answer in time; the request may have been done.
    #[error("there is no answer after {0:?}")]
    Timeout(Duration),
    /// The connection broke, or what came is not HTTP; the request may have been done.
    #[error("the answer broke off: {0}")]
    Interrupted(String),
    /// The answer's headers are more than may be.
    #[error("the answer has more than {0} bytes or too many of headers")]
    HeadersTooLarge(usize),
    /// The answer's body is longer than it may be, in bytes.
    #[error("the answer is larger than {0} bytes")]
    ResponseTooLarge(usize),
    /// The answer is compressed or transferred in another way than was asked for.
    #[error("the answer is encoded as `{0}`, which was not asked for")]
    Encoded(String),
    /// There is no credential now; the request was not sent.
    #[error(transparent)]
    Authorization(#[from] NoAuthorization),
}
