//! Tokens: what is sent for them, how long they are kept, and what a refusal says.

use std::sync::{Arc, Barrier};

use apptsync_credentials::{
    AssertionAlgorithm, CertificateLogin, ClientSecret, Credential, CredentialFile, ExposeSecret, KeyedCertificate,
    Password, SecretString, Unlock,
};
use apptsync_runtime::{Authorizer, NoAuthorization};
use apptsync_tests::certificates::TestCertificate;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::{Value, json};
use tempfile::TempDir;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::server::{Answer, Sent, Server, json_answer, refusal, token};

struct Place {
    _folder: TempDir,
    file: CredentialFile,
}

fn new_place(credential: &Credential) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let file = CredentialFile::open(&folder.path().join("credentials.toml")).expect("no file yet");
    file.put("contoso", credential, false).expect("put");
    Place { _folder: folder, file }
}

fn secret_of(server: &Server) -> Place {
    let secret = Some(SecretString::from("s3cret&=+ value"));
    new_place(&Credential::ClientSecret(ClientSecret { application: server.application(), secret }))
}

impl Place {
    fn authorizer(&self) -> Arc<dyn Authorizer> {
        self.file.authorizer("contoso", None, Unlock::default()).expect("usable").1
    }
}

fn header(authorizer: &dyn Authorizer) -> String {
    authorizer.authorization().expect("a token").expose_secret().to_owned()
}

fn failure(authorizer: &dyn Authorizer) -> String {
    authorizer.authorization().map(|_| ()).expect_err("refused").to_string()
}

#[test]
fn a_client_secret_gets_a_token_that_is_kept_until_it_is_refused() {
    let server = Server::start(|number, _| token(&format!("token-{number}")));
    let place = secret_of(&server);
    let authorizer = place.authorizer();
    assert!(server.sent().is_empty(), "no token is fetched before it is needed");
    assert_eq!(header(&*authorizer), "Bearer token-0");
    assert_eq!(header(&*authorizer), "Bearer token-0");
    authorizer.refused(&"Bearer another".to_owned().into());
    assert_eq!(header(&*authorizer), "Bearer token-0");
    authorizer.refused(&"Bearer token-0".to_owned().into());
    assert_eq!(header(&*authorizer), "Bearer token-1");
    for _ in 0..3 {
        authorizer.refused(&"Bearer token-1".to_owned().into());
        assert_eq!(header(&*authorizer), "Bearer token-1", "whoever refuses everything causes no fetch each time");
    }
    assert_eq!(server.sent().len(), 2);
    let sent = &server.sent()[0];
    assert_eq!(sent.path, "/contoso.example.com/oauth2/v2.0/token");
    let mut form: Vec<_> = sent.form.iter().map(|(name, value)| (&**name, &**value)).collect();
    form.sort_unstable();
    assert_eq!(
        form,
        [
            ("client_id", "client-1"),
            ("client_secret", "s3cret&=+ value"),
            ("grant_type", "client_credentials"),
            ("scope", "https://graph.example.com/.default"),
        ]
    );
}

#[test]
fn many_who_ask_at_once_cause_one_request() {
    let server = Server::start(|number, _| token(&format!("token-{number}")));
    let place = secret_of(&server);
    let authorizer = place.authorizer();
    let arrived = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                arrived.wait();
                assert_eq!(header(&*authorizer), "Bearer token-0");
            });
        }
    });
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn a_refusal_stands_for_a_minute_and_what_may_pass_does_not() {
    let server = Server::start(|number, _| if number == 0 { refusal("invalid_client", "") } else { token("token") });
    let place = secret_of(&server);
    let authorizer = place.authorizer();
    for _ in 0..3 {
        assert!(failure(&*authorizer).contains("invalid_client"));
    }
    assert_eq!(server.sent().len(), 1, "hundreds of mailboxes may share it: it is tried once");
    assert_eq!(header(&*place.authorizer()), "Bearer token", "opened anew, it is tried at once");
    let busy = (503, "retry-after: 100\r\n", String::new());
    let server = Server::start(move |number, _| if number == 0 { busy.clone() } else { token("token") });
    let place = secret_of(&server);
    let authorizer = place.authorizer();
    assert!(failure(&*authorizer).contains("503"));
    assert_eq!(header(&*authorizer), "Bearer token");
}

/// The parts of an assertion, its signature checked by the certificate's public key.
fn checked(sent: &Sent, certificate: &[u8], algorithm: &'static dyn VerificationAlgorithm) -> (Value, Value) {
    let assertion = &sent.form["client_assertion"];
    let (text, signature) = assertion.rsplit_once('.').expect("a signature");
    let (_, parsed) = X509Certificate::from_der(certificate).expect("a certificate");
    let key = UnparsedPublicKey::new(algorithm, parsed.public_key().subject_public_key.data.to_vec());
    let decoded = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url without padding");
    key.verify(text.as_bytes(), &decoded(signature)).expect("signed by the certificate's key");
    let (header, claims) = text.split_once('.').expect("header and claims");
    let json = |part: &str| serde_json::from_slice(&decoded(part)).expect("JSON");
    (json(header), json(claims))
}

fn certificate_of(server: &Server, own: &TestCertificate, assertion: AssertionAlgorithm) -> Credential {
    let text = format!("{}{}", own.pem(), own.protected_key_pem("correct horse"));
    let password = SecretString::from("correct horse");
    let certificate = KeyedCertificate::read(text.as_bytes(), None, Some(&password)).expect("readable");
    let application = server.application();
    Credential::Certificate(Box::new(CertificateLogin { application, certificate, key_password: None, assertion }))
}

#[test]
fn a_certificate_signs_an_assertion_that_the_server_can_check() {
    let own = TestCertificate::new(2020, 2100);
    let encoded = |algorithm| BASE64_URL_SAFE_NO_PAD.encode(digest::digest(algorithm, own.der()));
    let cases: [(_, &'static dyn VerificationAlgorithm, _); 2] = [
        (
            AssertionAlgorithm::Ps256,
            &RSA_PSS_2048_8192_SHA256,
            json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": encoded(&digest::SHA256) }),
        ),
        (
            AssertionAlgorithm::Rs256,
            &RSA_PKCS1_2048_8192_SHA256,
            json!({ "alg": "RS256", "typ": "JWT", "x5t": encoded(&digest::SHA1_FOR_LEGACY_USE_ONLY) }),
        ),
    ];
    for (assertion, algorithm, expected) in cases {
        let server = Server::start(|_, _| token("token"));
        let place = new_place(&certificate_of(&server, &own, assertion));
        let password = SecretString::from("correct horse");
        let unlock = Unlock { key_password: Some(&password), ..Unlock::default() };
        let (origin, authorizer) = place.file.authorizer("contoso", None, unlock).expect("usable");
        assert_eq!(origin.to_string(), "https://graph.example.com");
        assert_eq!(header(&*authorizer), "Bearer token");
        authorizer.refused(&"Bearer token".to_owned().into());
        assert_eq!(header(&*authorizer), "Bearer token");
        let sent = server.sent();
        let form = &sent[0].form;
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert_eq!(form["grant_type"], "client_credentials");
        assert_eq!(form["scope"], "https://graph.example.com/.default");
        let (header, claims) = checked(&sent[0], own.der(), algorithm);
        assert_eq!(header, expected);
        let endpoint = format!("{}/contoso.example.com/oauth2/v2.0/token", server.address);
        assert_eq!(
            (&claims["aud"], &claims["iss"], &claims["sub"]),
            (&json!(endpoint), &json!("client-1"), &json!("client-1"))
        );
        let number = |name: &str| claims[name].as_i64().expect("a number");
        assert_eq!(number("nbf"), number("iat"));
        assert!((300..=600).contains(&(number("exp") - number("nbf"))), "{claims}");
        let (_, again) = checked(&sent[1], own.der(), algorithm);
        assert_ne!(claims["jti"], again["jti"], "each assertion has an id of its own");
    }
}

#[test]
fn a_key_without_its_password_and_a_certificate_out_of_date_are_refused_before_anything_is_sent() {
    let server = Server::start(|_, _| token("token"));
    let place = new_place(&certificate_of(&server, &TestCertificate::new(2020, 2100), AssertionAlgorithm::Ps256));
    let refused = |place: &Place, password: Option<&str>| {
        let password = password.map(SecretString::from);
        let unlock = Unlock { key_password: password.as_ref(), ..Unlock::default() };
        place.file.authorizer("contoso", None, unlock).map(|_| ()).expect_err("refused").to_string()
    };
    let needed = refused(&place, None);
    assert!(needed.contains("--key-password-file") && needed.contains("APPTSYNC_KEY_PASSWORD_CONTOSO"), "{needed}");
    let wrong = refused(&place, Some("hunter2"));
    assert!(wrong.contains("password is wrong") && !wrong.contains("hunter2"), "{wrong}");
    for (from, until, part) in [(2020, 2021, "expired on 2021-01-01"), (2099, 2100, "valid from 2099-01-01")] {
        let own = TestCertificate::new(from, until);
        let place = new_place(&certificate_of(&server, &own, AssertionAlgorithm::Ps256));
        let refused = refused(&place, Some("correct horse"));
        assert!(refused.contains(part) && refused.contains("--replace"), "{refused}");
    }
    assert!(server.sent().is_empty());
}

#[test]
fn a_busy_server_is_asked_again_twice_and_not_if_it_lets_wait_long() {
    fn busy(status: u16, headers: &'static str) -> Answer {
        (status, headers, String::new())
    }
    for (answers, expected, requests) in [
        (vec![busy(503, "retry-after: 0\r\n"), busy(429, "retry-after: 0\r\n")], "Bearer token", 3),
        (vec![busy(500, "retry-after: 0\r\n"); 3], "status 500", 3),
        (vec![busy(429, "retry-after: 11\r\n")], "status 429", 1),
    ] {
        let server = Server::start(move |number, _| answers.get(number).cloned().unwrap_or_else(|| token("token")));
        let place = secret_of(&server);
        let said = match place.authorizer().authorization() {
            Ok(header) => header.expose_secret().to_owned(),
            Err(failure @ NoAuthorization::Unavailable(_)) => failure.to_string(),
            Err(failure) => panic!("{failure:?}"),
        };
        assert!(said.contains(expected), "{expected}: {said}");
        assert_eq!(server.sent().len(), requests, "{expected}");
    }
}

#[test]
fn a_failure_says_what_to_do_and_holds_no_secret() {
    let echoed = "AADSTS7000215: Invalid client secret provided: s3cret&=+ value";
    let server = Server::start(move |_, _| refusal("invalid_client", echoed));
    let said = failure(&*secret_of(&server).authorizer());
    for part in ["`contoso`", "AADSTS7000215", "client secret is wrong", "--kind client-secret", "--replace"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("s3cret"), "{said}");
    for answer in [
        (200, "", "s3cret".to_owned()),
        json_answer(200, &json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "a\r\nb" })),
        json_answer(200, &json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "" })),
        json_answer(200, &json!({ "token_type": "mac", "expires_in": 3599, "access_token": "s3cret" })),
        json_answer(200, &json!({ "token_type": "Bearer", "expires_in": "soon", "access_token": "s3cret" })),
    ] {
        let server = Server::start(move |_, _| answer.clone());
        let said = failure(&*secret_of(&server).authorizer());
        assert!(said.contains("is no token") && !said.contains("s3cret"), "{said}");
    }
    let server = Server::start(|_, _| (302, "location: http://127.0.0.1:1/\r\n", String::new()));
    assert!(failure(&*secret_of(&server).authorizer()).contains("status 302"));
}

#[test]
fn a_refusal_is_told_from_a_server_that_cannot_be_asked() {
    let server = Server::start(|_, _| refusal("invalid_client", "AADSTS7000222: expired"));
    let refused = secret_of(&server).authorizer().authorization().map(|_| ());
    assert!(matches!(refused, Err(NoAuthorization::Refused(_))), "{refused:?}");
    let server = Server::start(|_, _| (503, "retry-after: 100\r\n", String::new()));
    let busy = secret_of(&server).authorizer().authorization().map(|_| ());
    assert!(matches!(busy, Err(NoAuthorization::Unavailable(_))), "{busy:?}");
}

#[test]
fn a_token_is_for_its_cloud_and_a_bound_password_for_its_server() {
    let server = Server::start(|_, _| token("token"));
    let place = secret_of(&server);
    let password = |server: Option<&str>| {
        let server = server.map(|server| server.parse().expect("an origin"));
        Credential::Password(Password { user: Some("anna".into()), password: Some("hunter2".into()), server })
    };
    place.file.put("bound", &password(Some("https://dav.example.com")), false).expect("put");
    place.file.put("free", &password(None), false).expect("put");
    let opened = |name: &str, server: &str| {
        let server = server.parse().expect("an origin");
        place.file.authorizer(name, Some(&server), Unlock::default()).map(|(origin, _)| origin.to_string())
    };
    let own = "https://graph.example.com";
    assert_eq!(opened("contoso", own).expect("its own"), own);
    assert_eq!(opened("bound", "https://dav.example.com").expect("its own"), "https://dav.example.com");
    assert_eq!(opened("free", "https://other.example.com").expect("any"), "https://other.example.com");
    for (name, own) in [("contoso", own), ("bound", "https://dav.example.com")] {
        for other in ["https://other.example.com", "https://dav.example.com:8443", "http://localhost"] {
            let said = opened(name, other).expect_err("another server").to_string();
            for part in
                [&format!("`{name}` belongs to {own}"), &format!("server is {other}"), "--server", "--credential"]
            {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
    }
    let nowhere = place.file.authorizer("free", None, Unlock::default()).map(|_| ()).expect_err("no server");
    assert!(nowhere.to_string().contains("belongs to no server"), "{nowhere}");
    assert!(server.sent().is_empty());
}

#[test]
fn the_password_of_a_key_that_is_stored_goes_before_the_one_that_is_given() {
    let server = Server::start(|_, _| token("token"));
    let mut credential = certificate_of(&server, &TestCertificate::new(2020, 2100), AssertionAlgorithm::Ps256);
    if let Credential::Certificate(login) = &mut credential {
        login.key_password = Some("correct horse".into());
    }
    let place = new_place(&credential);
    let another = SecretString::from("of another key");
    let unlock = Unlock { key_password: Some(&another), ..Unlock::default() };
    let (_, authorizer) = place.file.authorizer("contoso", None, unlock).expect("usable");
    assert_eq!(header(&*authorizer), "Bearer token");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let server = Server::start(|_, _| token("token"));
    let mut place = secret_of(&server);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let cloud = apptsync_credentials::Cloud::custom(&address, "https://graph.example.com").expect("a cloud");
    let application = apptsync_credentials::Application::new("tenant", "client", cloud).expect("an application");
    let credential = Credential::ClientSecret(ClientSecret { application, secret: Some("s3cret".into()) });
    place.file.put("contoso", &credential, true).expect("replaced");
    place.file = CredentialFile::open(place.file.path()).expect("readable");
    let said = failure(&*place.authorizer());
    assert!(said.contains("127.0.0.1 gives no answer") && said.contains("check the network"), "{said}");
}
