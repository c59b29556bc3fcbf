//! Origins: what a grant names, and what a request must equal.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::address::is_no_server;

/// Longest host name in bytes, and longest part of it between dots.
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

/// Scheme, host and port of a server, in one spelling each: lower case, no default port, IP addresses in their usual form.
///
/// It is `https`, or `http` where the host is this machine: `localhost`, 127.0.0.0/8, `[::1]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    is_https: bool,
    /// A name, or an address as URLs have it: IPv6 in brackets.
    host: String,
    address: Option<IpAddr>,
    port: u16,
}

/// Why a text is no origin. It does not show a user name or password that the text may have had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` {reason}")]
pub struct OriginError {
    shown: String,
    reason: &'static str,
}

impl Origin {
    /// The origin of a whole URL, whose path and query are not looked at.
    ///
    /// # Errors
    /// Scheme, host or port are not those of an origin.
    pub fn of_url(url: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = split(url)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        Self::of(scheme, authority).map_err(|reason| error(url, reason))
    }

    /// The origin of a scheme and what stands in a URL between `//` and the path.
    pub(crate) fn of(scheme: &str, authority: &str) -> Result<Self, &'static str> {
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("must begin with https:// (or http:// for this machine itself)"),
        };
        if authority.contains('@') {
            return Err("must not name a user: credentials are configured by name");
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(port) => parse_port(port)?,
            None => default_port(is_https),
        };
        let (host, address) = parse_host(host)?;
        let origin = Self { is_https, host, address, port };
        if !is_https && !origin.is_this_machine() {
            return Err("must begin with https://: http:// is for this machine itself");
        }
        Ok(origin)
    }

    /// `https` or `http`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// The name or address, in lower case; an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where it is the default one.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// True for the name that always means this machine (RFC 6761).
    pub(crate) fn is_localhost(&self) -> bool {
        self.host == "localhost"
    }

    fn is_this_machine(&self) -> bool {
        self.is_localhost() || self.address.is_some_and(|address| address.is_loopback())
    }

    /// Host and port as URLs and the header `Host` have them: without a default port.
    pub(crate) fn authority(&self) -> String {
        if self.port == default_port(self.is_https) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme(), self.authority())
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (scheme, authority) = split(text)?;
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(error(text, "must end after host and port: no path, not even `/`"));
        }
        Self::of(scheme, authority).map_err(|reason| error(text, reason))
    }
}

fn split(url: &str) -> Result<(&str, &str), OriginError> {
    url.split_once("://").ok_or_else(|| error(url, "has no scheme: write https://host or https://host:port"))
}

/// Leaves out what may be a password.
fn error(text: &str, reason: &'static str) -> OriginError {
    let shown = text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, rest)| format!("…@{rest}"));
    OriginError { shown: apptsync_model::text::quoted(&shown), reason }
}

const fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), &'static str> {
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or("has no `]` after its IPv6 address")? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    match authority.split_at(host_end) {
        (host, "") => Ok((host, None)),
        (host, rest) => Ok((host, Some(rest.strip_prefix(':').ok_or("has something behind its IPv6 address")?))),
    }
}

fn parse_port(port: &str) -> Result<u16, &'static str> {
    let is_plain = !port.is_empty() && !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = "has no port between 1 and 65535 behind the `:`; an IPv6 address stands in brackets";
    if is_plain { port.parse().map_err(|_| wrong) } else { Err(wrong) }
}

fn parse_host(host: &str) -> Result<(String, Option<IpAddr>), &'static str> {
    let host = host.to_ascii_lowercase();
    let address: Option<IpAddr> = if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let wrong = "has no IPv6 address in its usual form between the brackets";
        let address: Ipv6Addr = inner.parse().map_err(|_| wrong)?;
        if address.to_string() != inner {
            return Err(wrong);
        }
        if address.to_ipv4_mapped().is_some() {
            return Err("has an IPv4 address in the form of IPv6: write it as IPv4");
        }
        Some(address.into())
    } else if ends_in_a_number(&host) {
        // What systems take for an address in decimal, octal, hexadecimal or shortened form is none here.
        let address: Ipv4Addr =
            host.parse().map_err(|_| "has no IPv4 address in its usual form, four numbers from 0 to 255")?;
        Some(address.into())
    } else {
        check_name(&host)?;
        None
    };
    if address.is_some_and(is_no_server) {
        return Err("has an address that belongs to no server");
    }
    Ok((host, address))
}

/// Whether a host is meant as an IPv4 address: its last part is a number, decimal or hexadecimal (WHATWG URL, 3.5).
fn ends_in_a_number(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

fn check_name(host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("has no host");
    }
    if !host.is_ascii() {
        return Err("has letters outside of ASCII in its host: write it as xn--…");
    }
    if host.ends_with('.') {
        return Err("has a dot at the end of its host: leave it out");
    }
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if host.len() > MAX_HOST || !host.split('.').all(is_label) {
        return Err("has no valid host name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
    use super::*;

    fn origin(text: &str) -> String {
        text.parse::<Origin>().unwrap().to_string()
    }

    #[track_caller]
    fn refused(text: &str) {
        let found = text.parse::<Origin>();
        assert!(found.is_err(), "{text}: {found:?}");
        let of_url = Origin::of_url(&format!("{text}/path"));
        assert!(of_url.is_err() || text.contains(['/', '?', '#']) && !text.ends_with("//"), "{text}: {of_url:?}");
    }

    #[test]
    fn origins_have_one_spelling() {
        assert_eq!(origin("https://graph.microsoft.com"), "https://graph.microsoft.com");
        assert_eq!(origin("HTTPS://Graph.Microsoft.COM:443"), "https://graph.microsoft.com");
        assert_eq!(origin("https://cloud.example:8443"), "https://cloud.example:8443");
        assert_eq!(origin("https://192.0.2.1"), "https://192.0.2.1");
        assert_eq!(origin("https://[2001:DB8::1]:443"), "https://[2001:db8::1]");
        assert_eq!(origin("http://localhost:80"), "http://localhost");
        assert_eq!(origin("http://127.9.8.7:5232"), "http://127.9.8.7:5232");
        assert_eq!(origin("http://[::1]:5232"), "http://[::1]:5232");
        let port = |text: &str| text.parse::<Origin>().unwrap().port();
        assert_eq!((port("https://a.example"), port("http://localhost")), (443, 80));
    }

    #[test]
    fn origins_of_urls_leave_out_path_and_query() {
        let of_url = |url: &str| Origin::of_url(url).unwrap().to_string();
        assert_eq!(of_url("https://cloud.example/remote.php/dav?x=1#y"), "https://cloud.example");
        assert_eq!(of_url("https://cloud.example:8443?at=@"), "https://cloud.example:8443");
        assert_eq!(of_url("http://[::1]:1/"), "http://[::1]:1");
    }

    #[test]
    fn other_schemes_are_refused() {
        for text in
            ["ftp://a.example", "file:///etc/passwd", "ws://a.example", "://a.example", "a.example", "//a.example", ""]
        {
            refused(text);
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for host in
            ["a.example", "192.168.1.1", "10.0.0.1", "[fd00::1]", "128.0.0.1", "localhost.example", "a.localhost"]
        {
            refused(&format!("http://{host}"));
        }
    }

    #[test]
    fn a_user_or_password_is_refused_and_not_shown() {
        for text in
            ["https://anna@a.example", "https://anna:word@a.example", "https://granted.example@a.example", "https://@a"]
        {
            refused(text);
        }
        let error = "https://anna:word@a.example".parse::<Origin>().unwrap_err().to_string();
        assert_eq!(error, "`…@a.example` must not name a user: credentials are configured by name");
    }

    #[test]
    fn a_path_query_or_fragment_is_refused() {
        for text in [
            "https://a.example/",
            "https://a.example/dav",
            "https://a.example?x",
            "https://a.example#x",
            "https://a.example\\x",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn odd_hosts_are_refused() {
        for host in [
            "",
            ".",
            "a.example.",
            "a..example",
            ".a.example",
            "-a.example",
            "a-.example",
            "a b",
            "a%2e.example",
            "müller.example",
            "a\u{0}.example",
            "a\r\n.example",
            "a*.example",
        ] {
            refused(&format!("https://{host}"));
        }
        refused(&format!("https://{}.example", "a".repeat(64)));
        refused(&format!("https://{}example", "a.".repeat(130)));
    }

    #[test]
    fn odd_ports_are_refused() {
        for port in ["", "0", "0443", "+443", "-1", "65536", "4 43", "443:443", "http"] {
            refused(&format!("https://a.example:{port}"));
        }
    }

    #[test]
    fn ipv4_addresses_in_odd_forms_are_refused() {
        for (form, host) in [
            ("decimal", "2130706433"),
            ("octal", "0177.0.0.1"),
            ("octal throughout", "0177.0000.0000.0001"),
            ("short", "127.1"),
            ("shorter", "127.0.1"),
            ("hexadecimal", "0x7f.0.0.1"),
            ("hexadecimal whole", "0x7f000001"),
            ("hexadecimal at the end", "127.0.0.0x1"),
            ("empty hexadecimal", "127.0.0.0x"),
            ("too large", "127.0.0.256"),
            ("five parts", "127.0.0.0.1"),
            ("a dot at the end", "127.0.0.1."),
            ("zero", "0"),
            ("a name that ends in a number", "localhost.1"),
        ] {
            assert!(format!("https://{host}").parse::<Origin>().is_err(), "{form}");
            assert!(format!("http://{host}").parse::<Origin>().is_err(), "{form}");
        }
    }

    #[test]
    fn ipv6_addresses_in_odd_forms_are_refused() {
        for (form, host) in [
            ("without brackets", "::1"),
            ("long", "[0:0:0:0:0:0:0:1]"),
            ("leading zeros", "[::0001]"),
            ("IPv4-mapped", "[::ffff:127.0.0.1]"),
            ("IPv4-mapped in hexadecimal", "[::ffff:7f00:1]"),
            ("with a zone", "[fe80::1%25eth0]"),
            ("open", "[::1"),
            ("something behind", "[::1]x"),
            ("IPv4 in brackets", "[127.0.0.1]"),
        ] {
            assert!(format!("https://{host}").parse::<Origin>().is_err(), "{form}");
            assert!(format!("http://{host}").parse::<Origin>().is_err(), "{form}");
        }
    }

    #[test]
    fn addresses_of_no_server_are_refused() {
        for host in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "[::]", "[ff02::1]"] {
            refused(&format!("https://{host}"));
        }
    }
}
