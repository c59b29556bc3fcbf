//! The clouds: where tokens come from, and which Graph they open.
//!
//! Tokens of one cloud are worth nothing in another, so both addresses belong together.

use apptsync_runtime::Origin;

use crate::CredentialError;

/// A cloud, or two servers of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cloud {
    /// Everybody's; also the US Government Community Cloud.
    Global,
    /// US Government L4 (GCC High).
    UsGovL4,
    /// US Government L5 (DoD).
    UsGovDod,
    /// China, operated by 21Vianet.
    China,
    /// Other addresses, such as those of a simulator.
    Custom {
        /// The root of the token endpoint, without a slash at its end.
        login_server: String,
        /// The root of Graph, without a slash at its end.
        graph_server: String,
    },
}

impl Cloud {
    /// The clouds that have a name.
    pub const NAMED: [Self; 4] = [Self::Global, Self::UsGovL4, Self::UsGovDod, Self::China];

    /// Servers of one's own.
    ///
    /// # Errors
    /// One is no `https` address; plain `http` is for this machine alone.
    pub fn custom(login_server: &str, graph_server: &str) -> Result<Self, CredentialError> {
        Ok(Self::Custom { login_server: root(login_server)?, graph_server: root(graph_server)? })
    }

    /// The cloud of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|cloud| cloud.name() == name)
    }

    /// The stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us-gov-l4",
            Self::UsGovDod => "us-gov-dod",
            Self::China => "china",
            Self::Custom { .. } => "custom",
        }
    }

    /// The root of the token endpoint, without a slash at its end.
    #[must_use]
    pub fn login_server(&self) -> &str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovDod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
            Self::Custom { login_server, .. } => login_server,
        }
    }

    /// The root of Graph, without a slash at its end: the origin that the tokens belong to.
    #[must_use]
    pub fn graph_server(&self) -> &str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
            Self::Custom { graph_server, .. } => graph_server,
        }
    }
}

/// The root of a server, checked: secrets are sent there.
fn root(address: &str) -> Result<String, CredentialError> {
    let origin: Result<Origin, _> = address.trim_end_matches('/').parse();
    origin.map(|origin| origin.to_string()).map_err(|error| CredentialError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_clouds_have_different_graphs_and_their_names_lead_back() {
        for cloud in Cloud::NAMED {
            assert_eq!(Cloud::named(cloud.name()), Some(cloud.clone()));
            assert!(root(cloud.login_server()).is_ok() && root(cloud.graph_server()).is_ok());
        }
        assert_eq!(Cloud::named("custom"), None);
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for (address, expected) in [
            ("http://127.0.0.1:8080/", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://localhost:1", Some("http://localhost:1")),
            ("https://Login.Example.com:443/", Some("https://login.example.com")),
            ("https://login.example.com/tenants", None),
            ("http://login.example.com", None),
            ("http://127.0.0.1.example.com", None),
            ("http://localhost.example.com", None),
            ("http://10.0.0.1", None),
            ("https://user:word@login.example.com", None),
            ("https://login.example.com/?a=b", None),
            ("https://login.example.com/#a", None),
            ("ftp://login.example.com", None),
            ("login.example.com", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(root(address).ok().as_deref(), expected, "{address}");
        }
        let refused = root("https://user:hunter2@login.example.com").expect_err("refused").to_string();
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}
