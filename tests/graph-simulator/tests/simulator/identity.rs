//! The token endpoint, as far as no certificate is needed: that part is in `tests/clients/identity.py`.

use std::sync::Arc;

use chrono::TimeDelta;
use graph_simulator::{Application, Fault, FaultName, MailboxOptions, Options, Simulator};
use serde_json::Value;

use crate::client::{ANNA, Client};

const CLIENT_ID: &str = "11111111-2222-4333-8444-555555555555";

struct Login {
    simulator: Arc<Simulator>,
}

impl Login {
    fn new(options: Options) -> Self {
        let mailboxes = vec![MailboxOptions::new(ANNA, "UTC"), MailboxOptions::new("bert@contoso.example", "UTC")];
        Self { simulator: Arc::new(Simulator::start(Options { mailboxes, ..options }).unwrap()) }
    }

    /// Sends a form; gives status and body.
    fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
        let address = format!("{}/contoso.example/oauth2/v2.0/{path}", self.simulator.base_url());
        let mut response = agent.post(address).send_form(form.iter().copied()).unwrap();
        let body = response.body_mut().read_json().unwrap();
        (response.status().as_u16(), body)
    }

    fn secret(&self, secret: &str, scope: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", secret),
            ("scope", scope),
        ];
        self.post("token", &form)
    }

    fn code(&self, device_code: &str) -> (u16, Value) {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        self.post("token", &[("grant_type", grant), ("client_id", CLIENT_ID), ("device_code", device_code)])
    }

    fn refresh(&self, token: &str) -> (u16, Value) {
        self.post("token", &[("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", token)])
    }

    fn client(&self, answer: &Value) -> Client {
        let mut client = Client::new(&self.simulator, None);
        client.token = answer["access_token"].as_str().unwrap().to_owned();
        client
    }
}

#[test]
fn a_secret_gives_a_token_that_ends() {
    let login = Login::new(Options { token_seconds: 60, ..Options::default() });
    let (status, answer) = login.secret("simulated-secret", "https://graph.microsoft.com/.default");
    assert_eq!((status, &answer["expires_in"]), (200, &Value::from(60)));
    assert!(answer.get("refresh_token").is_none());
    let client = login.client(&answer);
    client.get("calendars").expect(200);
    login.simulator.advance_clock(TimeDelta::seconds(61));
    let refused = client.get("calendars");
    assert_eq!((refused.status, refused.code()), (401, "InvalidAuthenticationToken"));
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer"));
}

#[test]
fn what_is_no_right_request_gets_no_token() {
    let login = Login::new(Options::default());
    let error = |answer: (u16, Value)| (answer.0, answer.1["error"].as_str().unwrap().to_owned());
    let default = "https://graph.microsoft.com/.default";
    assert_eq!(error(login.secret("wrong", default)), (401, "invalid_client".into()));
    assert_eq!(
        error(login.secret("simulated-secret", "https://graph.microsoft.com/Calendars.Read")),
        (400, "invalid_scope".into())
    );
    assert_eq!(
        error(login.secret("simulated-secret", "https://graph.microsoft.us/.default")),
        (400, "invalid_resource".into())
    );
    assert_eq!(
        error(login.post("token", &[("grant_type", "client_credentials"), ("client_id", "nobody")])),
        (400, "unauthorized_client".into())
    );
    assert_eq!(
        error(login.post("token", &[("grant_type", "password"), ("client_id", CLIENT_ID)])),
        (400, "unsupported_grant_type".into())
    );
    assert_eq!(error(login.refresh("invented")), (400, "invalid_grant".into()));
    login.simulator.switch_on(Fault::new(FaultName::IdentityUnavailable).times(1));
    assert_eq!(login.secret("simulated-secret", default).0, 503);
}

#[test]
fn a_device_code_waits_for_the_user() {
    let login = Login::new(Options { device_code_interval: 5, ..Options::default() });
    let begin = |scope: &str| login.post("devicecode", &[("client_id", CLIENT_ID), ("scope", scope)]).1;
    let error = |answer: (u16, Value)| answer.1["error"].as_str().unwrap_or_default().to_owned();
    let wait = || login.simulator.advance_clock(TimeDelta::seconds(6));

    let begun = begin("Calendars.ReadWrite offline_access");
    let (device, user) = (begun["device_code"].as_str().unwrap(), begun["user_code"].as_str().unwrap());
    assert_eq!(error(login.code(device)), "authorization_pending");
    assert_eq!(error(login.code(device)), "slow_down");
    wait();
    assert!(login.simulator.decide_device_code(user, Some(ANNA)));
    let (status, answer) = login.code(device);
    assert_eq!(status, 200);
    assert_eq!(login.client(&answer).get("/v1.0/me").expect(200)["mail"], ANNA);
    assert_eq!(error(login.code(device)), "invalid_grant");
    let refreshed = login.refresh(answer["refresh_token"].as_str().unwrap()).1;
    login.client(&refreshed).get("/v1.0/me").expect(200);
    login.simulator.switch_on(Fault::new(FaultName::RefreshTokenDead).times(1));
    let dead = login.refresh(refreshed["refresh_token"].as_str().unwrap()).1;
    assert!(dead["error_description"].as_str().unwrap().starts_with("AADSTS700082"));
    login.simulator.advance_clock(TimeDelta::days(91));
    assert_eq!(error(login.refresh(refreshed["refresh_token"].as_str().unwrap())), "invalid_grant");

    let declined = begin("Calendars.ReadWrite");
    assert!(login.simulator.decide_device_code(declined["user_code"].as_str().unwrap(), None));
    assert_eq!(error(login.code(declined["device_code"].as_str().unwrap())), "authorization_declined");
    let late = begin("Calendars.ReadWrite");
    login.simulator.advance_clock(TimeDelta::minutes(16));
    assert_eq!(error(login.code(late["device_code"].as_str().unwrap())), "expired_token");
    let short = begin("Calendars.ReadWrite");
    login.simulator.decide_device_code(short["user_code"].as_str().unwrap(), Some(ANNA));
    assert!(
        login.code(short["device_code"].as_str().unwrap()).1.get("refresh_token").is_none(),
        "nobody asked for offline_access"
    );
}

#[test]
fn rights_and_the_access_policy_count() {
    let application = Application {
        permissions: vec!["Calendars.Read".into()],
        mailboxes: Some(vec![ANNA.into()]),
        ..Application::default()
    };
    let login = Login::new(Options { applications: vec![application], ..Options::default() });
    let client = Client::new(&login.simulator, None);
    client.get("calendars").expect(200);
    let refused = client.post("calendars", serde_json::json!({"name": "Sales"}));
    assert_eq!((refused.status, refused.code()), (403, "ErrorAccessDenied"));
    assert_eq!(client.get("todo/lists").status, 403);
    let other = client.get("/v1.0/users/bert@contoso.example/calendars");
    assert!(other.body["error"]["message"].as_str().unwrap().contains("Access to OData is disabled"));
    assert_eq!(other.status, 403);
}
