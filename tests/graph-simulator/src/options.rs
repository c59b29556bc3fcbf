//! What a simulator starts with.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a simulator starts with. The default has the tenant `contoso.example`, the application [`Application::default`]
/// and the mailbox `anna@contoso.example`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Port on 127.0.0.1 for http; 0 takes a free one.
    pub http_port: u16,
    /// Port on localhost for https; 0 takes a free one.
    pub https_port: u16,
    /// The tenant in the path of the token endpoint: a name or a GUID.
    pub tenant: String,
    /// Applications that may ask for tokens.
    pub applications: Vec<Application>,
    /// Mailboxes; more can be added later.
    pub mailboxes: Vec<MailboxOptions>,
    /// Where the mailboxes' clock stands; without it, it follows the machine.
    pub now: Option<DateTime<Utc>>,
    /// Seconds that an access token lives.
    pub token_seconds: u64,
    /// Seconds that a client must wait between two questions about a device code.
    pub device_code_interval: u64,
    /// Seed of whatever comes in no certain order, such as the answers in a `$batch`.
    pub seed: u64,
}

/// An application as the tenant's administrator registered it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Application {
    /// Client id.
    pub client_id: String,
    /// Client secret, if it has one.
    pub secret: Option<String>,
    /// Certificates (PEM) whose keys may sign client assertions.
    pub certificates: Vec<String>,
    /// Permissions that were granted, such as `Calendars.ReadWrite`; they are checked.
    pub permissions: Vec<String>,
    /// Mailboxes that an access policy allows; without it, all.
    pub mailboxes: Option<Vec<String>>,
}

/// A mailbox and its user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxOptions {
    /// Mail address, and the user's name in paths.
    pub address: String,
    /// The user's name.
    #[serde(default)]
    pub display_name: String,
    /// Windows or IANA zone of the mailbox settings.
    #[serde(default = "utc")]
    pub time_zone: String,
}

fn utc() -> String {
    "UTC".into()
}

impl MailboxOptions {
    /// A mailbox in a zone.
    pub fn new(address: impl Into<String>, time_zone: impl Into<String>) -> Self {
        let address = address.into();
        let display_name = address.split('@').next().unwrap_or_default().to_owned();
        Self { address, display_name, time_zone: time_zone.into() }
    }
}

impl Default for Application {
    fn default() -> Self {
        let permissions = [
            "Calendars.ReadWrite",
            "Tasks.ReadWrite.All",
            "Contacts.ReadWrite",
            "MailboxSettings.ReadWrite",
            "User.Read.All",
        ];
        Self {
            client_id: "11111111-2222-4333-8444-555555555555".into(),
            secret: Some("simulated-secret".into()),
            certificates: Vec::new(),
            permissions: permissions.map(str::to_owned).into(),
            mailboxes: None,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            http_port: 0,
            https_port: 0,
            tenant: "contoso.example".into(),
            applications: vec![Application::default()],
            mailboxes: vec![MailboxOptions::new("anna@contoso.example", "W. Europe Standard Time")],
            now: None,
            token_seconds: 3599,
            device_code_interval: 5,
            seed: 1,
        }
    }
}
