//! Addresses: the server's origin, and the paths of what lies at it.
//!
//! A remote id is a path in one canonical writing, because servers write the same path differently from answer to answer.
//! What points to another origin is refused: the credential belongs to one.

use fluent_uri::{Uri, UriRef};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};

/// What stands for itself in a segment of a path; everything else is percent-encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// What no URI may have; servers that write it mean the character itself.
const NOT_IN_URIS: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Longest id of the contract, in bytes.
const LONGEST: usize = 1_024;

/// A path at the server in canonical writing. That of a collection ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path(String);

impl Path {
    /// The path in canonical writing: dots are resolved, characters are encoded only where they have to be.
    ///
    /// # Errors
    ///
    /// It is none; the text says why.
    pub(crate) fn new(path: &str) -> Result<Self, String> {
        if !path.starts_with('/') {
            return Err(format!("`{path}` is no absolute path"));
        }
        let mut segments: Vec<String> = Vec::new();
        for raw in path.split('/').skip(1) {
            // Some servers write bytes that are no UTF-8.
            let decoded: Vec<u8> = percent_decode_str(raw).collect();
            if decoded == b".." || decoded == b"." {
                return Err(format!("`{path}` points elsewhere"));
            }
            segments.push(percent_encode(&decoded, SEGMENT).to_string());
        }
        let canonical = format!("/{}", segments.join("/"));
        if canonical.len() > LONGEST {
            return Err(format!("a path of {} bytes is too long", canonical.len()));
        }
        Ok(Self(canonical))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The collection at this path, whether its slash was written or not.
    pub(crate) fn collection(mut self) -> Self {
        if !self.0.ends_with('/') {
            self.0.push('/');
        }
        self
    }

    /// The collection that this lies in.
    pub(crate) fn parent(&self) -> Self {
        let path = self.0.strip_suffix('/').unwrap_or(&self.0);
        let end = path.rfind('/').map_or(0, |slash| slash + 1);
        Self(path.get(..end).filter(|parent| !parent.is_empty()).unwrap_or("/").to_owned())
    }

    /// Whether this lies directly in a collection, and is none itself.
    pub(crate) fn is_member_of(&self, collection: &Path) -> bool {
        let name = self.0.strip_prefix(collection.as_str());
        name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
    }

    /// The name in its collection, without its ending: for most objects their UID. None where it is no text.
    pub(crate) fn stem(&self) -> Option<String> {
        let name = self.0.rsplit('/').next()?;
        let name = percent_decode_str(name).decode_utf8().ok()?;
        Some(name.strip_suffix(".ics").unwrap_or(&name).to_owned())
    }

    /// The same name in another collection.
    pub(crate) fn moved_to(&self, collection: &Self) -> Self {
        Self(format!("{}{}", collection.0, self.0.rsplit('/').next().unwrap_or_default()))
    }

    /// What lies in this collection under a name.
    pub(crate) fn member(&self, name: &str) -> Self {
        Self(format!("{}{}", self.0, utf8_percent_encode(name, SEGMENT)))
    }
}

/// A server, and where at it the address points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `https://host` or `https://host:port`, in lower case, without the port that the scheme implies.
    pub(crate) origin: String,
    pub(crate) path: Path,
}

impl Address {
    /// A server address as people write it; without a scheme it is `https`.
    ///
    /// # Errors
    ///
    /// It is none; the text says why.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("there is no server address: set the address of the CalDAV server".to_owned());
        }
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let encoded = utf8_percent_encode(&whole, NOT_IN_URIS).to_string();
        let uri = Uri::parse(encoded).map_err(|(error, _)| format!("the server address is not valid: {error}"))?;
        Self::of(&uri).map_err(|why| format!("the server address {why}"))
    }

    fn of(uri: &Uri<String>) -> Result<Self, String> {
        let uri = uri.normalize();
        let scheme = uri.scheme().as_str();
        if scheme != "https" && scheme != "http" {
            return Err(format!("has the scheme `{scheme}`: it must be https (or http)"));
        }
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or("names no server")?;
        if authority.has_userinfo() {
            return Err("has a user or a password in it: they belong into the credential".to_owned());
        }
        let port = authority.port_to_u16().map_err(|_| "has a port that is none".to_owned())?;
        let implied = if scheme == "https" { 443 } else { 80 };
        let host = authority.host().to_ascii_lowercase();
        let origin = match port.filter(|port| *port != implied) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        let path = uri.path().as_str();
        Ok(Self { origin, path: Path::new(if path.is_empty() { "/" } else { path })? })
    }

    /// The path of a reference that the server wrote, in an answer about `self`.
    ///
    /// # Errors
    ///
    /// It is no reference, or points to another origin; the text says so.
    pub(crate) fn resolve(&self, reference: &str) -> Result<Path, String> {
        let encoded = utf8_percent_encode(reference.trim(), NOT_IN_URIS).to_string();
        let parsed = UriRef::parse(encoded).map_err(|(error, _)| format!("`{reference}` is no reference: {error}"))?;
        let base = Uri::parse(format!("{}{}", self.origin, self.path.as_str()));
        let base = base.map_err(|(error, _)| format!("`{}` is no address: {error}", self.origin))?;
        let resolved = parsed.resolve_against(&base).map_err(|error| format!("`{reference}`: {error}"))?;
        let resolved = Self::of(&resolved).map_err(|why| format!("`{reference}` {why}"))?;
        if resolved.origin != self.origin {
            return Err(format!("`{reference}` points to another server than {}", self.origin));
        }
        Ok(resolved.path)
    }

    /// The same server, another path.
    pub(crate) fn at(&self, path: &Path) -> Self {
        Self { origin: self.origin.clone(), path: path.clone() }
    }

    pub(crate) fn url(&self, path: &Path) -> String {
        format!("{}{}", self.origin, path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_writing() {
        for written in ["/user%40example.com/a%20b/%c5%bc.ics", "/user@example.com/a%20b/%C5%BC.ics"] {
            assert_eq!(Path::new(written).expect("a path").as_str(), "/user@example.com/a%20b/%C5%BC.ics");
        }
        assert_eq!(Path::new("/a%2Fb%23c/").expect("a path").as_str(), "/a%2Fb%23c/");
        assert_eq!(Path::new("/caf%e9.ics").expect("a path").as_str(), "/caf%E9.ics");
        for refused in ["a", "", "/a/../b", "/a/%2e%2E/b", &format!("/{}", "a".repeat(1_024))] {
            assert!(Path::new(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_path_knows_its_collection() {
        let path = Path::new("/user/work/visit.ics").expect("a path");
        assert_eq!(path.parent().as_str(), "/user/work/");
        assert_eq!(path.parent().parent().as_str(), "/user/");
        assert_eq!(Path::new("/").expect("a path").parent().as_str(), "/");
        assert!(path.is_member_of(&path.parent()));
        assert!(!path.parent().is_member_of(&path.parent()));
        assert!(!path.is_member_of(&path.parent().parent()));
        assert_eq!(path.parent().member("a/b.ics").as_str(), "/user/work/a%2Fb.ics");
    }

    #[test]
    fn an_address_is_an_origin_and_a_path() {
        for (written, origin, path) in [
            ("cloud.example.com", "https://cloud.example.com", "/"),
            ("HTTPS://Cloud.Example.com:443/remote.php/dav/", "https://cloud.example.com", "/remote.php/dav/"),
            ("http://127.0.0.1:5232", "http://127.0.0.1:5232", "/"),
            ("https://[::1]:8443/a b", "https://[::1]:8443", "/a%20b"),
        ] {
            let address = Address::parse(written).expect(written);
            assert_eq!((address.origin.as_str(), address.path.as_str()), (origin, path));
        }
        for (written, expected) in [
            ("", "there is no server address"),
            ("ftp://example.com", "scheme `ftp`"),
            ("https://user:secret@example.com", "belong into the credential"),
            ("https://", "names no server"),
            ("https://example.com:99999", "port"),
        ] {
            let error = Address::parse(written).expect_err(written);
            assert!(error.contains(expected), "{written}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_reference_to_another_server_is_refused() {
        let address = Address::parse("https://example.com/dav/work/").expect("an address");
        for (reference, path) in [
            ("/dav/work/a b.ics", "/dav/work/a%20b.ics"),
            ("https://EXAMPLE.com:443/dav/x", "/dav/x"),
            ("x.ics", "/dav/work/x.ics"),
            ("../y/", "/dav/y/"),
            ("//example.com/z", "/z"),
        ] {
            assert_eq!(address.resolve(reference).expect(reference).as_str(), path);
        }
        for reference in [
            "https://evil.example/dav/",
            "//evil.example/",
            "http://example.com/",
            "https://example.com:8443/",
            "https://u@example.com/",
        ] {
            assert!(address.resolve(reference).is_err(), "{reference}");
        }
    }
}
