//! A plugin reaches the origins that it is granted, and nothing else.

use std::net::IpAddr;
use std::sync::Arc;

use apptsync_model::outlook::ConnectorFailure;
use apptsync_runtime::{HttpClient, HttpGrant, Resolver, World};
use apptsync_tests::server::{Server, answer};

use crate::guest::Guest;

fn honest() -> Server {
    Server::start(|request, out| out.write_all(&answer(200, &[], format!("{} {}", request.method, request.target))))
}

const DENIED: &str = "error ErrorCode::HttpRequestDenied";

#[test]
fn a_granted_server_answers() {
    let server = honest();
    let (found, statistics) = Guest::new("ask").asking(&server).with("path", "/dav?x=1").with("method", "REPORT").run();
    assert_eq!(found.unwrap(), ["200 [content-length=15] REPORT /dav?x=1"]);
    assert_eq!((statistics.requests, statistics.calls), (1, 1));
    assert!(statistics.waited <= statistics.time);
}

#[test]
fn a_plugin_without_a_grant_is_not_loaded() {
    let error = Guest::new("ask").without_grants().load().err().expect("an error").to_string();
    assert!(
        error.starts_with("plugin `connector-guest` imports wasi:http/")
            && error.ends_with(
                "the network, which is not granted: add `http = [\"https://…\"]` with the origins that it may speak to"
            ),
        "{error}"
    );
}

#[test]
fn other_plugins_than_connectors_are_not_granted_the_network() {
    let error = Guest::new("ask").in_world(World::Extension).load().err().expect("an error").to_string();
    assert_eq!(
        error,
        "plugin `connector-guest` is granted `http`, which only connectors can be, not an extension-plugin: remove it"
    );
}

#[test]
fn another_host_port_or_scheme_is_denied() {
    let (server, other) = (honest(), honest());
    let port = server.port();
    for (scheme, authority) in [
        ("http", format!("127.0.0.1:{}", other.port())),
        ("http", "127.0.0.1".to_owned()),
        ("https", format!("127.0.0.1:{port}")),
        ("http", format!("localhost:{port}")),
        ("http", format!("127.0.0.2:{port}")),
        ("http", format!("[::1]:{port}")),
        ("https", "other.example".to_owned()),
        ("http", "granted.example".to_owned()),
        ("https", "granted.example:8443".to_owned()),
        ("https", "granted.example.other.example".to_owned()),
        ("https", "169.254.169.254".to_owned()),
    ] {
        let guest = Guest::new("ask").with("scheme", scheme).with("authority", &authority);
        let grant = HttpGrant::new(server.origin().parse().unwrap());
        assert_eq!(guest.granted(grant).finds_one(), DENIED, "{scheme}://{authority}");
    }
    assert_eq!((server.connections(), other.connections()), (0, 0));
}

#[test]
fn another_spelling_of_a_granted_address_is_denied() {
    let server = honest();
    let grant = HttpGrant::new(server.origin().parse().unwrap());
    for host in [
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "127.0.0.1@127.0.0.1",
        "anna:word@127.0.0.1",
        "granted.example@127.0.0.1",
        "127.0.0.1%00",
        "127.0.0.1%2f",
    ] {
        let authority = format!("{host}:{}", server.port());
        let found =
            Guest::new("ask").with("scheme", "http").with("authority", &authority).granted(grant.clone()).finds_one();
        assert!(found == DENIED || found == "error the authority is refused", "{authority}: {found}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn other_schemes_and_no_authority_are_refused() {
    for scheme in ["ftp", "file", "ws", "unix"] {
        let found = Guest::new("ask").with("scheme", scheme).with("authority", "granted.example").finds_one();
        assert!(found.starts_with("error "), "{scheme}: {found}");
    }
    let found = Guest::new("ask").finds_one();
    assert!(found.starts_with("error "), "{found}");
}

#[test]
fn a_path_that_names_another_server_is_refused() {
    let server = honest();
    for path in ["http://other.example/", "//other.example/", "@other.example/", "x"] {
        let found = Guest::new("ask").asking(&server).with("path", path).finds_one();
        assert!(found.starts_with("error ") || found.ends_with(&format!("GET {path}")), "{path}: {found}");
    }
    assert!(server.received().iter().all(|request| request.header("host").unwrap().starts_with("127.0.0.1:")));
}

#[test]
fn a_redirect_to_another_origin_leads_nowhere() {
    let other = honest();
    let elsewhere = format!("{}/there", other.origin());
    let server = Server::start(move |_, out| out.write_all(&answer(302, &[("location", &elsewhere)], "")));
    let found = Guest::new("follow").asking(&server).finds();
    assert_eq!(found[0], format!("302 [content-length=0 location={}/there] ", other.origin()));
    assert_eq!(found[1], DENIED);
    assert_eq!(other.connections(), 0);
}

#[test]
fn a_redirect_to_a_granted_origin_can_be_followed_by_the_plugin() {
    let other = honest();
    let elsewhere = format!("{}/there", other.origin());
    let server = Server::start(move |_, out| out.write_all(&answer(302, &[("location", &elsewhere)], "")));
    let grant = HttpGrant::new(other.origin().parse().unwrap());
    assert_eq!(Guest::new("follow").asking(&server).granted(grant).finds()[1], "200 [content-length=10] GET /there");
}

/// Knows one address for every name.
struct Always(&'static str);

impl Resolver for Always {
    fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![self.0.parse().unwrap()])
    }
}

#[test]
fn a_granted_name_that_resolves_to_a_refused_address_is_prohibited() {
    for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.1", "0.0.0.0"] {
        let client = HttpClient::with_resolver(Arc::new(Always(address)));
        let found = Guest::new("ask").with("authority", "granted.example").client(client).finds_one();
        assert_eq!(found, "error ErrorCode::DestinationIpProhibited", "{address}");
    }
}

#[test]
fn headers_of_the_host_cannot_be_set() {
    let names = "host,Host,authorization,Proxy-Authorization,proxy-x,connection,transfer-encoding,upgrade,te,trailer,\
                 expect,range,accept-encoding,keep-alive,bad name,bad\nname";
    for found in Guest::new("headers").with("headers", names).finds() {
        assert!(found.ends_with("Forbidden") || found.ends_with("InvalidSyntax"), "{found}");
    }
    let found = Guest::new("headers").with("headers", "depth,prefer,if-match").finds();
    assert!(found.iter().all(|found| found.ends_with(": set")), "{found:?}");
}

#[test]
fn a_header_cannot_begin_another_request() {
    let server = honest();
    assert_eq!(Guest::new("send-headers").asking(&server).finds_one(), "refused");
    assert_eq!(server.connections(), 0);
}

#[test]
fn methods_that_repeat_the_credential_are_denied() {
    let server = honest();
    for method in ["TRACE", "CONNECT"] {
        assert_eq!(Guest::new("ask").asking(&server).with("method", method).finds_one(), DENIED);
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_behaviour_that_there_is_not_is_an_error() {
    assert!(matches!(Guest::new("unknown").run().0, Err(ConnectorFailure::Permanent(_))));
}
