//! The token endpoint: what is sent there, and what comes back.

mod failure;

use std::thread::sleep;
use std::time::Duration;

use apptsync_runtime::{HttpClient, HttpGrant, HttpLimits, HttpRequest, HttpResponse, Origin};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use crate::{Application, Cloud};

pub(crate) use failure::{Advice, TokenFailure};

/// How often a busy server is asked again, and how long it may let us wait.
const RETRIES: usize = 2;
const MAX_WAIT: Duration = Duration::from_secs(10);
const USUAL_WAIT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ANSWER: usize = 256 << 10;
const MAX_TOKEN: usize = 64 << 10;
const TOO_MANY_REQUESTS: u16 = 429;

/// A token, and what came with it.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) access_token: SecretString,
    pub(crate) lifetime: Duration,
    pub(crate) refresh_token: Option<SecretString>,
}

/// The servers that give tokens: connections to them, and the rules for these.
#[derive(Clone)]
pub(crate) struct TokenServers {
    client: HttpClient,
    /// Trusted besides those of the machine (DER).
    certificates: Vec<Vec<u8>>,
}

impl TokenServers {
    /// Servers that these certificates may vouch for, besides those that the machine trusts.
    pub(crate) fn vouched_for_by(certificates: &[Vec<u8>]) -> Self {
        Self { certificates: certificates.to_vec(), client: HttpClient::default() }
    }
}

/// What the token endpoint says when it gives a token.
#[derive(Deserialize)]
struct Given {
    token_type: String,
    access_token: SecretString,
    expires_in: Seconds,
    refresh_token: Option<SecretString>,
}

/// Seconds, which some servers write as text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Seconds {
    Number(u64),
    Text(String),
}

impl Seconds {
    /// At most a year.
    pub(crate) fn duration(&self) -> Option<Duration> {
        const YEAR: u64 = 366 * 86_400;
        let seconds = match self {
            Self::Number(seconds) => *seconds,
            Self::Text(text) => text.parse().ok()?,
        };
        Some(Duration::from_secs(seconds.min(YEAR)))
    }
}

impl TokenServers {
    /// Asks an application's token endpoint for a token.
    pub(crate) fn token(&self, application: &Application, form: &[(&str, &str)]) -> Result<Token, TokenFailure> {
        let (host, body) = self.post(application, "token", form)?;
        let Ok(given) = serde_json::from_slice::<Given>(&body) else { return Err(TokenFailure::NoToken(host)) };
        let is_token = |token: &str| {
            !token.is_empty() && token.len() <= MAX_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let is_usable = given.token_type.eq_ignore_ascii_case("bearer") && is_token(given.access_token.expose_secret());
        match given.expires_in.duration() {
            Some(lifetime) if is_usable => {
                Ok(Token { access_token: given.access_token, lifetime, refresh_token: given.refresh_token })
            }
            _ => Err(TokenFailure::NoToken(host)),
        }
    }

    /// Sends a form to an endpoint, and again while the server is busy and does not let us wait long. Gives the host, and
    /// what a success says.
    pub(crate) fn post(
        &self,
        application: &Application,
        endpoint: &str,
        form: &[(&str, &str)],
    ) -> Result<(String, Zeroizing<Vec<u8>>), TokenFailure> {
        let url = application.endpoint(endpoint);
        let origin =
            Origin::of_url(&url).map_err(|error| TokenFailure::unreachable("the token server", &error.into()))?;
        let host = origin.host().to_owned();
        let mut grant = HttpGrant::new(origin);
        // Whoever names a server may have it in his own network.
        grant.allow_private = matches!(application.cloud, Cloud::Custom { .. });
        grant.certificates.clone_from(&self.certificates);
        let mut request = request(url, form);
        let answer = self.exchange(&request, &grant);
        request.body.zeroize();
        answer.map(|body| (host, body))
    }

    fn exchange(&self, request: &HttpRequest, grant: &HttpGrant) -> Result<Zeroizing<Vec<u8>>, TokenFailure> {
        let host = grant.origin.host().to_owned();
        let limits = HttpLimits { total: TIMEOUT, response_body: MAX_ANSWER, ..HttpLimits::default() };
        let mut retries = 0;
        loop {
            let response = self.client.send(request, grant, &limits);
            let response = response.map_err(|error| TokenFailure::unreachable(&host, &error))?;
            let (status, wait) = (response.status, wait(&response));
            let body = Zeroizing::new(response.body);
            match status {
                200..=299 => return Ok(body),
                TOO_MANY_REQUESTS | 500..=599 if retries < RETRIES && wait <= MAX_WAIT => sleep(wait),
                TOO_MANY_REQUESTS | 500..=599 => return Err(TokenFailure::Busy { host, status }),
                _ => return Err(TokenFailure::refused(&host, status, &body)),
            }
            retries += 1;
        }
    }
}

fn request(url: String, form: &[(&str, &str)]) -> HttpRequest {
    // Room for all of it, so that nothing is copied and left behind while it grows.
    let room = form.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let body = form_urlencoded::Serializer::new(String::with_capacity(room)).extend_pairs(form).finish();
    let headers = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
    HttpRequest {
        method: "POST".into(),
        url,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: body.into_bytes(),
    }
}

/// How long a busy server asks to wait.
fn wait(response: &HttpResponse) -> Duration {
    let header = response.headers.iter().find(|(name, _)| name == "retry-after");
    let seconds = header.and_then(|(_, value)| value.trim().parse().ok());
    seconds.map_or(USUAL_WAIT, Duration::from_secs)
}
