//! What is granted, and the credential that belongs to it.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

use super::origin::Origin;

/// Knows the credential of an origin. It is asked for each request, on a thread where it may wait for a token server.
pub trait Authorizer: Send + Sync {
    /// The value of the header `Authorization`, such as `Bearer …` or `Basic …`.
    ///
    /// # Errors
    /// There is none now.
    fn authorization(&self) -> Result<SecretString, NoAuthorization>;

    /// The server answered 401 to this value: the next one should be another, where there can be another.
    fn refused(&self, used: &SecretString);
}

/// Why there is no credential now and what to do, in words for people. A plugin never sees them: they may name a tenant, a
/// file or another credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAuthorization {
    /// It is worth nothing until somebody changes something: for the plugin as if its server had answered 401.
    #[error("{0}")]
    Refused(String),
    /// Whoever gives it cannot be asked now: for the plugin a server that cannot be reached.
    #[error("{0}")]
    Unavailable(String),
}

/// An origin that may be spoken to, and how.
#[derive(Clone)]
pub struct HttpGrant {
    /// The only origin that this grants.
    pub origin: Origin,
    /// The name may resolve to an address of this machine or of its own network. An origin that is itself such an address,
    /// or `localhost`, needs no leave.
    pub allow_private: bool,
    /// What adds the header `Authorization`; nothing else ever does.
    pub authorizer: Option<Arc<dyn Authorizer>>,
    /// Certificates in DER that are trusted for this origin besides those that the machine trusts.
    pub certificates: Vec<Vec<u8>>,
}

impl HttpGrant {
    /// A grant without credential, private addresses or further certificates.
    #[must_use]
    pub const fn new(origin: Origin) -> Self {
        Self { origin, allow_private: false, authorizer: None, certificates: Vec::new() }
    }
}

impl fmt::Debug for HttpGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpGrant")
            .field("origin", &self.origin)
            .field("allow_private", &self.allow_private)
            .field("has_authorizer", &self.authorizer.is_some())
            .field("certificates", &self.certificates.len())
            .finish()
    }
}
