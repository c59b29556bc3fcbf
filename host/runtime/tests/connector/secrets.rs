//! A plugin never sees the credential that the host adds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use apptsync_model::outlook::ConnectorFailure;

use apptsync_runtime::{Authorizer, HttpGrant, NoAuthorization, SecretString};
use apptsync_tests::server::{Received, Server, answer};

use crate::guest::Guest;

/// Always the same.
struct Fixed(&'static str);

impl Authorizer for Fixed {
    fn authorization(&self) -> Result<SecretString, NoAuthorization> {
        Ok(self.0.to_owned().into())
    }

    fn refused(&self, _: &SecretString) {}
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

/// Has no credential, for this reason.
struct Without(NoAuthorization);

impl Authorizer for Without {
    fn authorization(&self) -> Result<SecretString, NoAuthorization> {
        Err(self.0.clone())
    }

    fn refused(&self, _: &SecretString) {}
}

const WORDS: &str = "login.example refuses the credential `contoso` (AADSTS7000222): the client secret has expired";

/// A guest whose server has no credential for it, for this reason.
fn guest_without(why: NoAuthorization, behaviour: &str, server: &Server) -> Guest {
    let authorizer: Arc<dyn Authorizer> = Arc::new(Without(why));
    let grant = HttpGrant { authorizer: Some(authorizer), ..HttpGrant::new(server.origin().parse().unwrap()) };
    let guest = Guest::new(behaviour).granted(grant).with("scheme", "http");
    guest.with("authority", format!("127.0.0.1:{}", server.port()))
}

#[test]
fn a_credential_that_is_refused_is_a_401_for_the_plugin_and_words_for_the_operator() {
    let server = Server::start(|_, out| out.write_all(&answer(200, &[], "")));
    let refused = || NoAuthorization::Refused(WORDS.into());
    assert_eq!(guest_without(refused(), "ask", &server).finds_one(), "401 [] ");
    let failure = guest_without(refused(), "sdk-send", &server).run().0;
    assert_eq!(failure, Err(ConnectorFailure::Auth(WORDS.into())));
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_token_server_that_cannot_be_asked_means_that_nothing_was_sent() {
    let server = Server::start(|_, out| out.write_all(&answer(200, &[], "")));
    let unavailable = || NoAuthorization::Unavailable("login.example is busy".into());
    let found = guest_without(unavailable(), "ask", &server).finds_one();
    assert_eq!(found, "error ErrorCode::DestinationUnavailable");
    let failure = guest_without(unavailable(), "sdk-send", &server).run().0;
    assert_eq!(failure, Err(ConnectorFailure::Transient("login.example is busy".into())));
    let found = guest_without(unavailable(), "sdk-failure", &server).finds_one();
    assert_eq!(found, "not sent: the server, or the one that lets into it, cannot be reached");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_refusal_while_a_credential_is_replaced_is_told_to_the_operator() {
    struct Once;
    impl Authorizer for Once {
        fn authorization(&self) -> Result<SecretString, NoAuthorization> {
            static FIRST: AtomicBool = AtomicBool::new(true);
            let is_first = FIRST.swap(false, Ordering::SeqCst);
            if is_first { Ok("Bearer stale".to_owned().into()) } else { Err(NoAuthorization::Refused(WORDS.into())) }
        }
        fn refused(&self, _: &SecretString) {}
    }
    let server = Server::start(|_, out| out.write_all(&answer(401, &[], "")));
    let grant = HttpGrant { authorizer: Some(Arc::new(Once)), ..HttpGrant::new(server.origin().parse().unwrap()) };
    let guest = Guest::new("sdk-send").granted(grant).with("scheme", "http");
    let failure = guest.with("authority", format!("127.0.0.1:{}", server.port())).run().0;
    assert_eq!(failure, Err(ConnectorFailure::Auth(WORDS.into())));
}

#[test]
fn words_of_a_server_do_not_reach_the_plugin_with_its_encoding() {
    let server = Server::start(|_, out| out.write_all(&answer(200, &[("content-encoding", "s3cret-T0ken")], "")));
    let found = guest(&server, "Bearer s3cret-T0ken").finds_one();
    assert_eq!(found, "error ErrorCode::HttpResponseContentCoding(None)");
}

#[test]
fn a_request_with_a_token_gets_an_id_of_the_host_and_one_with_a_password_keeps_its_own() {
    let server = Server::start(|_, out| out.write_all(&answer(200, &[], "")));
    for authorization in ["Bearer s3cret-T0ken", "Bearer s3cret-T0ken", "Basic YW5uYTpzM2NyZXQtd29yZA=="] {
        let _ = guest(&server, authorization).with("client-request-id", "mine").finds_one();
    }
    let received = server.received();
    let ids: Vec<_> = received.iter().map(|request| request.header("client-request-id").unwrap()).collect();
    assert!(ids[0].len() == 36 && ids[1].len() == 36 && ids[0] != ids[1], "{ids:?}");
    assert_eq!(ids[2], "mine");
    let count = |request: &Received| request.headers.iter().filter(|(name, _)| name == "client-request-id").count();
    assert!(received.iter().all(|request| count(request) == 1));
}
