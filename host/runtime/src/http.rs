//! HTTP to servers: granted origins alone, addresses checked after resolution, credentials added by the host.
//!
//! [`HttpClient`] speaks for the host itself and for plugins. The rules are the same for both and stand in `client`; what
//! plugins see of it, the interface `wasi:http/outgoing-handler`, stands in `outgoing`.

mod address;
mod client;
mod connect;
mod error;
mod grant;
mod hide;
mod origin;
pub(crate) mod outgoing;

pub use client::{HttpClient, HttpRequest, HttpResponse};
pub use connect::{Resolver, SystemResolver};
pub use error::HttpError;
pub use grant::{Authorizer, HttpGrant, NoAuthorization};
pub use origin::{Origin, OriginError};
