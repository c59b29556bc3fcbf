//! Addresses: the root that the account names, and links that a server hands out.

use apptsync_plugin::types::Failure;
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands unescaped in a segment of a path and in a value of a query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Longest link that is followed, in bytes: a cursor must have room for it.
pub(crate) const LONGEST_LINK: usize = 32_768;

/// Where Graph is: an origin, and what stands before the paths of version 1.0.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    origin: Origin,
    prefix: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Root {
    /// The root of a server address as configured.
    ///
    /// # Errors
    ///
    /// It is no `http` or `https` address, names a user, or has a query.
    pub(crate) fn parse(server: &str) -> Result<Self, Failure> {
        let refused = || {
            Failure::Permanent(format!(
                "the server address `{}` is not valid: write it like https://graph.microsoft.com",
                server.escape_debug()
            ))
        };
        let uri: Uri = server.trim().parse().map_err(|_| refused())?;
        let origin = Origin::of(&uri).ok_or_else(refused)?;
        if uri.query().is_some() {
            return Err(refused());
        }
        Ok(Self { origin, prefix: uri.path().trim_end_matches('/').to_owned() })
    }

    /// The origin, for people and to begin addresses with.
    pub(crate) fn origin(&self) -> String {
        let Origin { scheme, host, port } = &self.origin;
        if *port == default_port(scheme) { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") }
    }

    /// The path and query at the origin of a resource of version 1.0.
    pub(crate) fn path(&self, resource: &str) -> String {
        format!("{}/v1.0{resource}", self.prefix)
    }

    /// The address of a path and query.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// The path and query of a `nextLink` or `deltaLink`. The origin is not taken from the link but from the configuration:
    /// requests carry our credential.
    ///
    /// # Errors
    ///
    /// The link leads to another origin, is too long, or is no address.
    pub(crate) fn follow(&self, link: &str) -> Result<String, Failure> {
        if link.len() > LONGEST_LINK {
            return Err(Failure::Permanent(format!(
                "the server's link to its next page has {} bytes; at most {LONGEST_LINK} are followed",
                link.len()
            )));
        }
        let uri: Option<Uri> = link.parse().ok();
        let origin = uri.as_ref().and_then(Origin::of);
        match (uri, origin) {
            (Some(uri), Some(origin)) if origin == self.origin => {
                Ok(uri.path_and_query().map_or("/", |path| path.as_str()).to_owned())
            }
            (_, Some(origin)) => Err(Failure::Permanent(format!(
                "the server's link to its next page leads to {}://{}:{} instead of {}; it is not followed, because it would \
                 carry the credential there",
                origin.scheme,
                origin.host,
                origin.port,
                self.origin()
            ))),
            _ => Err(Failure::Permanent("the server's link to its next page is not a valid address".to_owned())),
        }
    }
}

impl Origin {
    fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        if !matches!(scheme.as_str(), "http" | "https") || authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().to_ascii_lowercase();
        let written = authority.as_str().get(host.len()..)?;
        let port = if written.is_empty() { default_port(&scheme) } else { authority.port_u16()? };
        (!host.is_empty()).then_some(Self { scheme, host, port })
    }
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// A segment of a path or a value of a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// A literal text within an OData expression, not yet percent-encoded.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(server: &str) -> Root {
        Root::parse(server).unwrap()
    }

    #[test]
    fn paths_are_put_behind_the_root() {
        let graph = root("https://graph.microsoft.com/");
        assert_eq!(graph.url(&graph.path("/users/a")), "https://graph.microsoft.com/v1.0/users/a");
        let local = root("http://127.0.0.1:4711");
        assert_eq!(local.url(&local.path("/$batch")), "http://127.0.0.1:4711/v1.0/$batch");
        assert_eq!(root("HTTPS://Graph.Microsoft.US:443").origin(), "https://graph.microsoft.us");
    }

    #[test]
    fn an_address_must_be_one() {
        for server in [
            "",
            "graph.microsoft.com",
            "ftp://a",
            "https://user@a",
            "https://a?b",
            "https://",
            "https://a:x",
            "https://a:",
        ] {
            assert!(matches!(Root::parse(server), Err(Failure::Permanent(_))), "{server}");
        }
    }

    #[test]
    fn links_are_followed_at_the_same_origin_only() {
        let graph = root("https://graph.microsoft.com");
        assert_eq!(
            graph.follow("https://graph.microsoft.com/v1.0/x?$deltatoken=a%20b"),
            Ok("/v1.0/x?$deltatoken=a%20b".into())
        );
        assert_eq!(graph.follow("https://GRAPH.microsoft.com:443/v1.0/x"), Ok("/v1.0/x".into()));
        for link in [
            "http://graph.microsoft.com/v1.0/x",
            "https://graph.microsoft.com:8443/v1.0/x",
            "https://graph.microsoft.com.evil.example/v1.0/x",
            "https://graph.microsoft.com@evil.example/v1.0/x",
            "https://evil.example/graph.microsoft.com",
            "https://graph.microsoft.com\\@evil.example/",
            "//graph.microsoft.com/v1.0/x",
            "/v1.0/x",
            "javascript:1",
            "",
        ] {
            assert!(matches!(graph.follow(link), Err(Failure::Permanent(_))), "{link}");
        }
        assert!(graph.follow(&format!("https://graph.microsoft.com/{}", "a".repeat(LONGEST_LINK))).is_err());
    }

    #[test]
    fn segments_and_literals_are_escaped() {
        assert_eq!(encode("AAMk=/+ ż"), "AAMk%3D%2F%2B%20%C5%BC");
        assert_eq!(quote("o'neil"), "'o''neil'");
    }
}
