//! Every kind of token against the Graph simulator, which checks assertions, rights and refresh tokens as Microsoft does.

use std::sync::Arc;

use apptsync_credentials::{
    Application, AssertionAlgorithm, CertificateLogin, ClientSecret, Cloud, Credential, CredentialFile, DeviceLogin,
    KeyedCertificate, Unlock,
};
use apptsync_runtime::{Authorizer, HttpClient, HttpGrant, HttpLimits, HttpRequest, Origin};
use apptsync_tests::certificates::TestCertificate;
use graph_simulator::{Fault, FaultName, Options, Simulator};
use tempfile::TempDir;

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";

fn simulator(certificates: Vec<String>) -> Simulator {
    let application = graph_simulator::Application { certificates, ..graph_simulator::Application::default() };
    let options = Options { applications: vec![application], device_code_interval: 0, ..Options::default() };
    Simulator::start(options).expect("it starts")
}

fn application(simulator: &Simulator) -> Application {
    let cloud = Cloud::custom(simulator.base_url(), simulator.base_url()).expect("a cloud");
    Application::new("contoso.example", CLIENT, cloud).expect("an application")
}

fn with_secret(simulator: &Simulator, secret: &str) -> Credential {
    Credential::ClientSecret(ClientSecret { application: application(simulator), secret: Some(secret.into()) })
}

fn with_certificate(simulator: &Simulator, own: &TestCertificate, assertion: AssertionAlgorithm) -> Credential {
    let text = format!("{}{}", own.pem(), own.key_pem());
    let certificate = KeyedCertificate::read(text.as_bytes(), None, None).expect("readable");
    let application = application(simulator);
    Credential::Certificate(Box::new(CertificateLogin { application, certificate, key_password: None, assertion }))
}

fn logged_in(simulator: &Simulator) -> Credential {
    let login = DeviceLogin::begin(application(simulator), &[]).expect("a code");
    assert!(simulator.decide_device_code(login.user_code(), Some("anna@contoso.example")));
    Credential::DeviceCode(login.finish(|_| ()).expect("logged in"))
}

fn authorizer(credential: &Credential) -> (TempDir, Arc<dyn Authorizer>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = CredentialFile::open(&folder.path().join("credentials.toml")).expect("no file yet");
    file.put("contoso", credential, false).expect("put");
    let authorizer = file.authorizer("contoso", None, Unlock::default()).expect("usable").1;
    (folder, authorizer)
}

/// The status of a look at the calendars, as a connector would have it.
fn calendars(simulator: &Simulator, authorizer: &Arc<dyn Authorizer>) -> Result<u16, String> {
    let mut grant = HttpGrant::new(Origin::of_url(simulator.base_url()).expect("an origin"));
    grant.authorizer = Some(authorizer.clone());
    let request = HttpRequest {
        method: "GET".into(),
        url: format!("{}/v1.0/users/anna@contoso.example/calendars", simulator.base_url()),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let answer = HttpClient::default().send(&request, &grant, &HttpLimits::default());
    answer.map(|answer| answer.status).map_err(|error| error.to_string())
}

#[test]
fn every_kind_opens_graph_also_after_its_token_was_revoked() {
    let own = TestCertificate::new(2020, 2100);
    let simulator = simulator(vec![own.pem()]);
    for credential in [
        with_secret(&simulator, "simulated-secret"),
        with_certificate(&simulator, &own, AssertionAlgorithm::Ps256),
        with_certificate(&simulator, &own, AssertionAlgorithm::Rs256),
        logged_in(&simulator),
    ] {
        let (_folder, authorizer) = authorizer(&credential);
        assert_eq!(calendars(&simulator, &authorizer), Ok(200), "{credential:?}");
        simulator.revoke_tokens();
        assert_eq!(calendars(&simulator, &authorizer), Ok(200), "{credential:?}");
    }
}

#[test]
fn what_the_simulator_refuses_is_explained() {
    let own = TestCertificate::new(2020, 2100);
    let simulator = simulator(vec![TestCertificate::other().pem()]);
    let mut elsewhere = application(&simulator);
    elsewhere.tenant = "fabrikam.example".into();
    let mut another = application(&simulator);
    another.client_id = "99999999-2222-4333-8444-555555555555".into();
    let secret = Some("simulated-secret".into());
    for (credential, part) in [
        (with_secret(&simulator, "hunter2"), "the client secret is wrong"),
        (with_certificate(&simulator, &own, AssertionAlgorithm::Ps256), "upload it in Microsoft Entra"),
        (
            Credential::ClientSecret(ClientSecret { application: elsewhere, secret: Option::clone(&secret) }),
            "there is no such tenant",
        ),
        (Credential::ClientSecret(ClientSecret { application: another, secret }), "no such application"),
    ] {
        let (_folder, authorizer) = authorizer(&credential);
        let said = calendars(&simulator, &authorizer).expect_err("refused");
        assert!(said.contains(part) && said.contains("`contoso`") && !said.contains("hunter2"), "{part}: {said}");
    }
}

#[test]
fn a_dead_login_and_a_server_that_is_down_say_what_to_do() {
    let simulator = simulator(Vec::new());
    let (_folder, person) = authorizer(&logged_in(&simulator));
    simulator.switch_on(Fault::new(FaultName::RefreshTokenDead));
    let said = calendars(&simulator, &person).expect_err("refused");
    assert!(said.contains("log in again: `apptsync credentials add contoso --kind device-code"), "{said}");
    simulator.switch_all_off();
    let (_folder, person) = authorizer(&logged_in(&simulator));
    assert_eq!(calendars(&simulator, &person), Ok(200));
    simulator.switch_on(Fault::new(FaultName::IdentityUnavailable));
    let (_folder, application) = authorizer(&with_secret(&simulator, "simulated-secret"));
    let said = calendars(&simulator, &application).expect_err("down");
    assert!(said.contains("is busy (status 503)"), "{said}");
}
