//! A plugin never sees the credential that the host adds.

use std::sync::Arc;

use apptsync_runtime::{Authorizer, HttpGrant, SecretString};
use apptsync_tests::server::{Received, Server, answer};

use crate::guest::Guest;

/// Always the same.
struct Fixed(&'static str);

impl Authorizer for Fixed {
    fn authorization(&self) -> Result<SecretString, String> {
        Ok(self.0.to_owned().into())
    }

    fn refused(&self) {}
}

fn guest(server: &Server, authorization: &'static str) -> Guest {
    let grant = HttpGrant {
        authorizer: Some(Arc::new(Fixed(authorization))),
        ..HttpGrant::new(server.origin().parse().unwrap())
    };
    Guest::new("ask").granted(grant).with("scheme", "http").with("authority", format!("127.0.0.1:{}", server.port()))
}

fn sent(request: &Received) -> &str {
    request.header("authorization").unwrap_or_default()
}

#[test]
fn a_credential_that_comes_back_is_taken_out_everywhere() {
    let server = Server::start(|request, out| {
        let authorization = sent(request);
        let headers = [("x-echo", authorization), ("set-cookie", "session=1"), ("www-authenticate", authorization)];
        let status = request.target.trim_start_matches('/').parse().unwrap_or(200);
        out.write_all(&answer(status, &headers, format!("{authorization} or {authorization:?}")))
    });
    for status in ["200", "302", "400", "401", "500"] {
        let found = guest(&server, "Bearer s3cret-T0ken").with("path", format!("/{status}")).finds_one();
        let hidden = "*".repeat(19);
        let headers = format!("content-length=44 www-authenticate={hidden} x-echo={hidden}");
        assert_eq!(found, format!("{status} [{headers}] {hidden} or \"{hidden}\""));
    }
    assert!(server.received().iter().all(|request| sent(request) == "Bearer s3cret-T0ken"));
}

#[test]
fn a_password_that_comes_back_is_taken_out() {
    // anna:s3cret-word
    let basic = "Basic YW5uYTpzM2NyZXQtd29yZA==";
    let server = Server::start(|_, out| {
        out.write_all(&answer(
            403,
            &[("location", "/?user=anna&password=s3cret-word")],
            "anna:s3cret-word (anna%3As3cret-word)",
        ))
    });
    let found = guest(&server, basic).finds_one();
    assert!(!found.contains("s3cret"), "{found}");
    assert_eq!(sent(&server.received()[0]), basic);
}

#[test]
fn a_credential_is_not_sent_where_it_does_not_belong() {
    let honest = || Server::start(|_, out| out.write_all(&answer(200, &[], "")));
    let (server, other) = (honest(), honest());
    let grant = HttpGrant {
        authorizer: Some(Arc::new(Fixed("Bearer s3cret-T0ken"))),
        ..HttpGrant::new(server.origin().parse().unwrap())
    };
    Guest::new("ask").granted(grant).asking(&other).finds();
    assert_eq!(sent(&other.received()[0]), "");
    assert_eq!(server.connections(), 0);
}

#[test]
fn words_of_a_missing_credential_reach_the_plugin_and_no_request_the_server() {
    struct Expired;
    impl Authorizer for Expired {
        fn authorization(&self) -> Result<SecretString, String> {
            Err("the certificate of `contoso` has expired: add a new one".into())
        }
        fn refused(&self) {}
    }
    let server = Server::start(|_, out| out.write_all(&answer(200, &[], "")));
    let grant = HttpGrant { authorizer: Some(Arc::new(Expired)), ..HttpGrant::new(server.origin().parse().unwrap()) };
    let guest = Guest::new("ask").granted(grant).with("scheme", "http");
    let found = guest.with("authority", format!("127.0.0.1:{}", server.port())).finds_one();
    assert!(found.contains("the certificate of `contoso` has expired: add a new one"), "{found}");
    assert_eq!(server.connections(), 0);
}
