//! The host adds the credential, to its origin alone, and takes it out of what comes back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use apptsync_runtime::{
    Authorizer, HttpClient, HttpError, HttpGrant, HttpLimits, HttpResponse, NoAuthorization, SecretString,
};
use apptsync_tests::server::{Server, answer};

use crate::support::{get, grant, header, send};

fn refused(words: &str) -> NoAuthorization {
    NoAuthorization::Refused(words.into())
}

/// Gives tokens one after the other; the next one only after a refusal.
struct Tokens {
    tokens: Mutex<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Tokens {
    fn new(tokens: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { tokens: Mutex::new(tokens.to_vec()), asked: AtomicUsize::new(0) })
    }
}

impl Authorizer for Tokens {
    fn authorization(&self) -> Result<SecretString, NoAuthorization> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let tokens = self.tokens.lock().unwrap();
        tokens.first().map(|token| (*token).to_owned().into()).ok_or_else(|| refused("the credential has expired"))
    }

    fn refused(&self, _: &SecretString) {
        let mut tokens = self.tokens.lock().unwrap();
        if !tokens.is_empty() {
            tokens.remove(0);
        }
    }
}

fn authorized(origin: &str, authorizer: Arc<dyn Authorizer>) -> HttpGrant {
    HttpGrant { authorizer: Some(authorizer), ..grant(origin) }
}

/// Answers 401 unless it gets this.
fn server_that_wants(wanted: &'static str) -> Server {
    Server::start(move |request, out| {
        let status = if request.header("authorization") == Some(wanted) { 200 } else { 401 };
        out.write_all(&answer(status, &[], &request.body))
    })
}

#[test]
fn a_credential_goes_to_its_origin_alone() {
    let (mine, other) = (server_that_wants("Bearer mine-0001"), server_that_wants("Bearer other-0002"));
    let client = HttpClient::default();
    let grants = [
        authorized(&mine.origin(), Tokens::new(&["Bearer mine-0001"])),
        authorized(&other.origin(), Tokens::new(&["Bearer other-0002"])),
    ];
    for (server, grant) in [&mine, &other].into_iter().zip(&grants) {
        let response = client.send(&get(&server.origin()), grant, &HttpLimits::default()).unwrap();
        assert_eq!(response.status, 200);
    }
    let plain = client.send(&get(&mine.origin()), &grant(&mine.origin()), &HttpLimits::default()).unwrap();
    assert_eq!(plain.status, 401, "another grant for the same origin has no part in it");
}

#[test]
fn an_expired_credential_is_replaced_once() {
    let server = server_that_wants("Bearer fresh-token");
    let tokens = Tokens::new(&["Bearer stale-token", "Bearer fresh-token"]);
    let mut request = get(&server.origin());
    request.method = "PUT".into();
    request.body = b"the same body".to_vec();
    let response = send(&request, &authorized(&server.origin(), tokens.clone())).unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"the same body"[..]));
    assert_eq!((server.received().len(), tokens.asked.load(Ordering::SeqCst)), (2, 2));
}

#[test]
fn a_second_refusal_is_the_answer() {
    let server = server_that_wants("Bearer never-this");
    let tokens = Tokens::new(&["Bearer stale-token", "Bearer wrong-token", "Bearer third-token"]);
    assert_eq!(send(&get(&server.origin()), &authorized(&server.origin(), tokens)).unwrap().status, 401);
    assert_eq!(server.received().len(), 2);
}

#[test]
fn a_refused_credential_that_has_no_other_is_not_tried_again() {
    struct Password;
    impl Authorizer for Password {
        fn authorization(&self) -> Result<SecretString, NoAuthorization> {
            Ok("Basic YW5uYTp3cm9uZw==".to_owned().into())
        }
        fn refused(&self, _: &SecretString) {}
    }
    let server = server_that_wants("Basic other");
    assert_eq!(send(&get(&server.origin()), &authorized(&server.origin(), Arc::new(Password))).unwrap().status, 401);
    assert_eq!(server.received().len(), 1);
    let server = server_that_wants("Bearer other");
    let tokens = Tokens::new(&["Bearer only-token"]);
    assert_eq!(send(&get(&server.origin()), &authorized(&server.origin(), tokens)).unwrap().status, 401);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn without_a_credential_nothing_is_sent() {
    struct Faulty;
    impl Authorizer for Faulty {
        fn authorization(&self) -> Result<SecretString, NoAuthorization> {
            panic!("a fault in the authorizer")
        }
        fn refused(&self, _: &SecretString) {}
    }
    let server = server_that_wants("Bearer any");
    let error = send(&get(&server.origin()), &authorized(&server.origin(), Tokens::new(&[]))).unwrap_err();
    assert_eq!(error.to_string(), "the credential has expired");
    let error = send(&get(&server.origin()), &authorized(&server.origin(), Arc::new(Faulty))).unwrap_err();
    assert_eq!(error, HttpError::Authorization(refused("the credential cannot be used")));
    let error =
        send(&get(&server.origin()), &authorized(&server.origin(), Tokens::new(&["Bearer a\r\nb"]))).unwrap_err();
    assert_eq!(error, HttpError::Authorization(refused("the credential has characters that no header may have")));
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_debug_text_of_a_request_or_an_answer_has_neither_values_nor_bodies() {
    let server = Server::start(|_, out| out.write_all(&answer(200, &[("x-token", "s3cret")], "refresh_token=s3cret")));
    let mut request = get(&format!("{}/token?secret=s3cret", server.origin()));
    request.headers.push(("x-secret".into(), "s3cret".into()));
    request.body = b"client_secret=s3cret".to_vec();
    let response = send(&request, &grant(&server.origin())).unwrap();
    assert!(shown(&response).contains("s3cret"));
    let text = format!("{request:?} {response:?}");
    assert!(text.contains("/token") && text.contains("x-secret") && text.contains("20 bytes"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

/// Everything that a caller sees of an answer.
fn shown(response: &HttpResponse) -> String {
    format!("{:?} {}", response.headers, String::from_utf8_lossy(&response.body))
}

#[test]
fn a_server_that_repeats_the_credential_is_not_repeated() {
    let server = Server::start(|request, out| {
        let authorization = request.header("authorization").unwrap_or_default();
        let token = authorization.rsplit(' ').next().unwrap_or_default();
        let status = if request.target == "/error" { 500 } else { 200 };
        let location = format!("http://127.0.0.1/?token={token}");
        let headers = [("x-echo", authorization), ("location", &location), ("set-cookie", "session=open-sesame")];
        out.write_all(&answer(status, &headers, format!("you sent <{authorization}> with {token}")))
    });
    let granted = authorized(&server.origin(), Tokens::new(&["Bearer s3cret-T0ken"]));
    for path in ["/", "/error"] {
        let response = send(&get(&format!("{}{path}", server.origin())), &granted).unwrap();
        assert!(!shown(&response).contains("s3cret"), "{response:?}");
        assert_eq!(header(&response, "location"), Some("http://127.0.0.1/?token=************"));
        assert_eq!(header(&response, "set-cookie"), None, "a session opens the server as the credential does");
        assert_eq!(header(&response, "content-length"), Some(&*response.body.len().to_string()));
        assert_eq!(response.body, format!("you sent <{}> with {}", "*".repeat(19), "*".repeat(12)).into_bytes());
    }
}

#[test]
fn both_credentials_of_a_second_try_are_taken_out() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let server = Server::start(move |request, out| {
        let mut seen = seen.lock().unwrap();
        seen.push(request.header("authorization").unwrap_or_default().to_owned());
        let status = if seen.len() == 1 { 401 } else { 200 };
        out.write_all(&answer(status, &[], seen.join(" and ")))
    });
    let granted = authorized(&server.origin(), Tokens::new(&["Bearer stale-token", "Bearer fresh-token"]));
    let response = send(&get(&server.origin()), &granted).unwrap();
    assert_eq!(String::from_utf8(response.body).unwrap(), format!("{0} and {0}", "*".repeat(18)));
}

#[test]
fn a_debug_text_of_a_grant_has_no_secret() {
    let granted = authorized("https://calendar.example", Tokens::new(&["Bearer s3cret-T0ken"]));
    let text = format!("{granted:?} {:?}", granted.authorizer.as_ref().unwrap().authorization());
    assert!(!text.contains("s3cret"), "{text}");
    assert!(text.contains("https"), "{text}");
}
