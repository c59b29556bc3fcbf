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
    /// There is none now: why and what to do, in words that people and the plugin may see.
    fn authorization(&self) -> Result<SecretString, String>;

    /// The server answered 401 to what was given last: the next one should be a fresh one.
    fn refused(&self);
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
