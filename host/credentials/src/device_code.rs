//! Logging a person in by device code: the person opens a page anywhere and types a code (RFC 8628).

use std::time::{Duration, Instant};

use apptsync_model::text;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::token::{Advice, Seconds, TokenFailure, TokenServers};
use crate::{Application, DeviceCode};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What a person lets the application do: what the connector needs, and no more.
const PERMISSIONS: [&str; 4] = ["Calendars.ReadWrite", "Tasks.ReadWrite", "Contacts.ReadWrite", "User.Read"];
/// What a server that says nothing means, and what it adds to the interval when it asks to slow down (RFC 8628).
const INTERVAL: Duration = Duration::from_secs(5);
const MIN_INTERVAL: Duration = Duration::from_secs(1);
const MAX_INTERVAL: Duration = Duration::from_secs(60);

/// A login that waits for the person.
pub struct DeviceLogin {
    application: Application,
    servers: TokenServers,
    device_code: SecretString,
    user_code: String,
    verification_uri: String,
    interval: Duration,
    deadline: Instant,
}

/// Why nobody is logged in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The person said no.
    #[error("the login was declined: run the command again to log in after all")]
    Declined,
    /// The person did not come.
    #[error("nobody logged in before the code expired: run the command again")]
    Expired,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// What the server says to begin with.
#[derive(Deserialize)]
struct Begun {
    device_code: SecretString,
    user_code: String,
    verification_uri: String,
    expires_in: Seconds,
    interval: Option<Seconds>,
}

impl DeviceLogin {
    /// Asks for a code for the person. The certificates (DER) may vouch for the server, besides those that the machine trusts.
    ///
    /// # Errors
    /// The server cannot be reached, or gives none.
    pub fn begin(application: Application, certificates: &[Vec<u8>]) -> Result<Self, LoginError> {
        let servers = TokenServers::vouched_for_by(certificates);
        let form = [("client_id", &*application.client_id), ("scope", &scopes(&application))];
        let (_, body) = servers.post(&application, "devicecode", &form).map_err(|failure| failed(&failure))?;
        let begun: Option<Begun> = serde_json::from_slice(&body).ok();
        let lifetime = begun.as_ref().and_then(|begun| begun.expires_in.duration());
        let (Some(begun), Some(lifetime)) = (begun, lifetime) else {
            return Err(LoginError::Failed("what the server answers is no code: correct the server".into()));
        };
        let interval = begun.interval.as_ref().and_then(Seconds::duration).unwrap_or(INTERVAL);
        Ok(Self {
            application,
            servers,
            device_code: begun.device_code,
            user_code: text::quoted(&begun.user_code),
            verification_uri: text::quoted(&begun.verification_uri),
            interval: interval.clamp(MIN_INTERVAL, MAX_INTERVAL),
            deadline: Instant::now() + lifetime,
        })
    }

    /// The code that the person types.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// The page that the person opens.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// Waits for the person. `pause` waits between two questions to the server.
    ///
    /// # Errors
    /// The person declined or did not come, or the server refuses.
    pub fn finish(self, mut pause: impl FnMut(Duration)) -> Result<DeviceCode, LoginError> {
        let form = [
            ("grant_type", GRANT),
            ("client_id", &*self.application.client_id),
            ("device_code", self.device_code.expose_secret()),
        ];
        let mut interval = self.interval;
        while Instant::now() < self.deadline {
            pause(interval);
            let failure = match self.servers.token(&self.application, &form) {
                Ok(token) => {
                    let refresh_token = token.refresh_token.ok_or_else(|| {
                        LoginError::Failed("the server gives no refresh token: allow `offline_access`".into())
                    })?;
                    let refreshed_at = chrono::Utc::now().into();
                    return Ok(DeviceCode { application: self.application, refresh_token, refreshed_at });
                }
                Err(failure) => failure,
            };
            match failure.error() {
                "authorization_pending" => {}
                "slow_down" => interval = (interval + INTERVAL).min(MAX_INTERVAL),
                "authorization_declined" | "access_denied" => return Err(LoginError::Declined),
                "expired_token" => return Err(LoginError::Expired),
                // A connection that breaks while a person is on the way is no reason to give up.
                _ if failure.may_pass() => interval = (interval * 2).min(MAX_INTERVAL),
                _ => return Err(failed(&failure)),
            }
        }
        Err(LoginError::Expired)
    }
}

/// What tokens of a person are asked for.
pub(crate) fn scopes(application: &Application) -> String {
    let graph = application.cloud.graph_server();
    let permissions = PERMISSIONS.map(|permission| format!("{graph}/{permission}"));
    format!("offline_access {}", permissions.join(" "))
}

fn failed(failure: &TokenFailure) -> LoginError {
    LoginError::Failed(failure.sentence(Advice { name: "that is being added", replace: "apptsync credentials add" }))
}
