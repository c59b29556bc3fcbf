//! Logging in by device code, and what becomes of the login afterwards.

use std::time::Duration;

use apptsync_credentials::{
    Application, Cloud, Credential, CredentialFile, DeviceLogin, ExposeSecret, LoginError, Unlock,
};
use apptsync_runtime::NoAuthorization;
use serde_json::json;

use crate::server::{Answer, Sent, Server, json_answer, refusal};

const SCOPE: &str = "offline_access https://graph.example.com/Calendars.ReadWrite https://graph.example.com/Tasks.ReadWrite https://graph.example.com/Contacts.ReadWrite https://graph.example.com/User.Read";

fn code() -> Answer {
    let answer = json!({
        "device_code": "device-1", "user_code": "ABC-DEF", "verification_uri": "https://login.example.com/device",
        "expires_in": 900, "interval": 5, "message": "open the page"
    });
    json_answer(200, &answer)
}

fn given(access: &str, refresh: &str) -> Answer {
    let answer =
        json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": access, "refresh_token": refresh });
    json_answer(200, &answer)
}

/// A server that gives a code first, and then answers the n-th question, from 0.
fn server(answer: impl Fn(usize, &Sent) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(move |number, sent| if number == 0 { code() } else { answer(number - 1, sent) })
}

fn finish(server: &Server) -> (Result<Credential, LoginError>, Vec<u64>) {
    let login = DeviceLogin::begin(server.application(), &[]).expect("a code");
    assert_eq!((login.user_code(), login.verification_uri()), ("ABC-DEF", "https://login.example.com/device"));
    let mut pauses = Vec::new();
    let finished = login.finish(|pause: Duration| pauses.push(pause.as_secs()));
    (finished.map(Credential::DeviceCode), pauses)
}

#[test]
fn the_login_waits_for_the_person_slows_down_when_asked_and_gets_over_a_hiccup() {
    let server = server(|number, _| match number {
        0 | 2 => refusal("authorization_pending", ""),
        1 => refusal("slow_down", ""),
        3 => (503, "retry-after: 100\r\n", String::new()),
        _ => given("access", "refresh-1"),
    });
    let (login, pauses) = finish(&server);
    let Ok(Credential::DeviceCode(login)) = login else { panic!("{login:?}") };
    assert_eq!(login.refresh_token.expose_secret(), "refresh-1");
    assert_eq!(pauses, [5, 5, 10, 10, 20]);
    let sent = server.sent();
    assert_eq!(sent[0].path, "/contoso.example.com/oauth2/v2.0/devicecode");
    assert_eq!((&*sent[0].form["client_id"], &*sent[0].form["scope"]), ("client-1", SCOPE));
    assert_eq!(sent[1].path, "/contoso.example.com/oauth2/v2.0/token");
    assert_eq!(sent[1].form["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!((&*sent[1].form["client_id"], &*sent[1].form["device_code"]), ("client-1", "device-1"));
}

#[test]
fn a_server_that_wants_no_pause_gets_one() {
    let server = Server::start(|number, _| match number {
        0 => json_answer(
            200,
            &json!({
                "device_code": "device-1", "user_code": "ABC-DEF", "expires_in": 900, "interval": 0,
                "verification_uri": "https://login.example.com/device",
            }),
        ),
        1 => refusal("authorization_pending", ""),
        _ => given("access", "refresh-1"),
    });
    assert_eq!(finish(&server).1, [1, 1]);
}

#[test]
fn a_server_that_the_machine_does_not_trust_is_vouched_for_by_certificates() {
    let (server, certificate) = apptsync_tests::server::Server::start_tls("localhost", |_, out| {
        out.write_all(&apptsync_tests::server::answer(200, &[], code().2))
    });
    let address = format!("https://localhost:{}", server.port());
    let cloud = Cloud::custom(&address, "https://graph.example.com").expect("a cloud");
    let application = Application::new("contoso.example.com", "client-1", cloud).expect("an application");
    let begin = |certificates: &[Vec<u8>]| DeviceLogin::begin(application.clone(), certificates).map(|_| ());
    let said = begin(&[]).expect_err("not trusted").to_string();
    assert!(said.contains("certificate is not trusted"), "{said}");
    assert_eq!(begin(&[certificate]), Ok(()));
}

#[test]
fn a_login_that_comes_to_nothing_says_why() {
    for (error, expected) in [
        ("authorization_declined", LoginError::Declined),
        ("access_denied", LoginError::Declined),
        ("expired_token", LoginError::Expired),
    ] {
        let server = server(move |_, _| refusal(error, "device-1"));
        assert_eq!(finish(&server).0.map(|_| ()), Err(expected), "{error}");
    }
    let refused = server(|_, _| refusal("invalid_client", "AADSTS7000218: device-1"));
    let said = finish(&refused).0.map(|_| ()).expect_err("refused").to_string();
    assert!(said.contains("public client") && !said.contains("device-1"), "{said}");
    let without =
        server(|_, _| json_answer(200, &json!({ "token_type": "Bearer", "expires_in": 1, "access_token": "a" })));
    let said = finish(&without).0.map(|_| ()).expect_err("refused").to_string();
    assert!(said.contains("offline_access"), "{said}");
}

struct Place {
    _folder: tempfile::TempDir,
    file: CredentialFile,
}

fn logged_in(server: &Server) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let file = CredentialFile::open(&folder.path().join("credentials.toml")).expect("no file yet");
    file.put("barbara", &finish(server).0.expect("logged in"), false).expect("put");
    Place { _folder: folder, file }
}

#[test]
fn each_refresh_replaces_the_refresh_token_in_the_file_for_every_process() {
    // A server that takes each refresh token once.
    let server = server(|number, sent| match number {
        0 => given("access-0", "refresh-0"),
        number if sent.form["refresh_token"] == format!("refresh-{}", number - 1) => {
            given(&format!("access-{number}"), &format!("refresh-{number}"))
        }
        _ => refusal("invalid_grant", "AADSTS700082: used"),
    });
    let place = logged_in(&server);
    // As six processes would, two of them at a time.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let (_, authorizer) = place.file.authorizer("barbara", None, Unlock::default()).expect("usable");
                    let _ = authorizer.authorization().expect("a token");
                }
            });
        }
    });
    let Credential::DeviceCode(login) = place.file.get("barbara").expect("there") else { panic!("of another kind") };
    assert_eq!(login.refresh_token.expose_secret(), "refresh-6");
    let sent = server.sent();
    assert_eq!(sent.len(), 8);
    assert_eq!((&*sent[2].form["grant_type"], &*sent[2].form["scope"]), ("refresh_token", SCOPE));
}

#[test]
fn a_login_that_has_expired_asks_to_log_in_again() {
    let server = server(|number, _| match number {
        0 => given("access", "refresh-1"),
        _ => refusal("invalid_grant", "AADSTS700082: The refresh token refresh-1 has expired due to inactivity."),
    });
    let place = logged_in(&server);
    let (_, authorizer) = place.file.authorizer("barbara", None, Unlock::default()).expect("usable");
    let said = authorizer.authorization().map(|_| ()).expect_err("expired");
    assert!(matches!(said, NoAuthorization::Refused(_)), "{said:?}");
    let said = said.to_string();
    for part in ["log in again", "apptsync credentials add barbara --kind device-code", "--replace", "AADSTS700082"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("refresh-1"), "{said}");
    let Credential::DeviceCode(login) = place.file.get("barbara").expect("there") else { panic!("of another kind") };
    assert_eq!(login.refresh_token.expose_secret(), "refresh-1", "what was there is kept");
}
