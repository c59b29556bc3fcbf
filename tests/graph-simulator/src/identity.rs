//! The identity platform: the token endpoint with client credentials, refresh tokens and device codes.

pub(crate) mod assertion;
mod device_code;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::error::GraphError;
use crate::fault::FaultName;
use crate::http::{Call, Reply};
use crate::identifier::guid;
use crate::options::Application;
use crate::state::State;

pub(crate) use device_code::{Decision, DeviceCode};

/// What the identity platform remembers.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    access: BTreeMap<String, AccessToken>,
    refresh: BTreeMap<String, RefreshToken>,
    /// `jti` of assertions that were used.
    used: BTreeSet<String>,
    pub(crate) device_codes: Vec<DeviceCode>,
    issued: u64,
}

/// Who stands behind an access token.
#[derive(Debug, Clone)]
pub(crate) struct AccessToken {
    pub(crate) client_id: String,
    /// The address of the user who logged in; none for an application of its own right.
    pub(crate) user: Option<String>,
    expires: DateTime<Utc>,
    pub(crate) revoked: bool,
}

#[derive(Debug, Clone)]
struct RefreshToken {
    client_id: String,
    user: String,
    last_used: DateTime<Utc>,
}

/// An error in OAuth's form.
#[derive(Debug)]
pub(crate) struct OauthError {
    status: u16,
    error: &'static str,
    code: u32,
    description: String,
}

impl OauthError {
    pub(crate) fn new(status: u16, error: &'static str, code: u32, description: impl Into<String>) -> Self {
        Self { status, error, code, description: description.into() }
    }

    fn reply(&self, state: &State) -> Reply {
        let now = state.clock.identity_now().format("%Y-%m-%d %H:%M:%SZ").to_string();
        Reply::json(
            self.status,
            json!({
                "error": self.error,
                "error_description": format!("AADSTS{}: {} Timestamp: {now}", self.code, self.description),
                "error_codes": [self.code],
                "timestamp": now,
                "trace_id": guid(&format!("trace {}", state.request)),
                "correlation_id": guid(&format!("correlation {}", state.request)),
                "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
            }),
        )
    }
}

/// Refresh tokens die after so long without use.
const REFRESH_DAYS: i64 = 90;

/// Whether a path belongs to the identity platform, and the answer if so.
pub(crate) fn answer(state: &mut State, call: &Call) -> Option<Reply> {
    let words: Vec<&str> = call.path.words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [_, "oauth2", "v2.0", "token"] if call.method == "POST" => token(state, call),
        [_, "oauth2", "v2.0", "devicecode"] if call.method == "POST" => device_code::begin(state, call),
        [_, "v2.0", ".well-known", "openid-configuration"] => configuration(state, call),
        _ => return None,
    };
    Some(match result {
        Ok(reply) => reply,
        Err(error) => error.reply(state),
    })
}

fn check_tenant(state: &State, call: &Call) -> Result<(), OauthError> {
    let tenant = call.path.name(0);
    if [state.options.tenant.as_str(), "organizations", "common"].iter().any(|known| known.eq_ignore_ascii_case(tenant))
    {
        return Ok(());
    }
    Err(OauthError::new(400, "invalid_request", 90002, format!("Tenant '{tenant}' not found.")))
}

fn configuration(state: &State, call: &Call) -> Result<Reply, OauthError> {
    check_tenant(state, call)?;
    let base = format!("{}/{}", call.root, call.path.name(0));
    Ok(Reply::json(
        200,
        json!({
            "issuer": format!("{base}/v2.0"),
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        }),
    ))
}

/// The form of a request, by field.
struct Form(BTreeMap<String, String>);

impl Form {
    fn of(call: &Call) -> Self {
        Self(form_urlencoded::parse(&call.body).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn need(&self, name: &str) -> Result<&str, OauthError> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            OauthError::new(
                400,
                "invalid_request",
                900_144,
                format!("The request body must contain the following parameter: '{name}'."),
            )
        })
    }
}

fn token(state: &mut State, call: &Call) -> Result<Reply, OauthError> {
    state.counters.tokens += 1;
    if state.strikes(FaultName::IdentityUnavailable, call).is_some() {
        return Err(OauthError::new(
            503,
            "temporarily_unavailable",
            90033,
            "A transient error has occurred. Please try again.",
        ));
    }
    check_tenant(state, call)?;
    let form = Form::of(call);
    let client_id = form.need("client_id")?.to_owned();
    let application = application(state, &client_id)?;
    match form.need("grant_type")? {
        "client_credentials" => {
            check_client(state, call, &form, &application)?;
            check_scope(form.need("scope")?, call, true)?;
            Ok(Reply::json(200, state.issue(&client_id, None, false, form.get("scope"))))
        }
        "refresh_token" => {
            if form.get("client_secret").is_some() || form.get("client_assertion").is_some() {
                check_client(state, call, &form, &application)?;
            }
            refresh(state, call, &form, &client_id)
        }
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
            device_code::redeem(state, form.get("device_code").or(form.get("code")).unwrap_or_default(), &client_id)
        }
        other => Err(OauthError::new(
            400,
            "unsupported_grant_type",
            70003,
            format!("The app requested an unsupported grant type '{other}'."),
        )),
    }
}

fn application(state: &State, client_id: &str) -> Result<Application, OauthError> {
    let found =
        state.options.applications.iter().find(|application| application.client_id.eq_ignore_ascii_case(client_id));
    found.cloned().ok_or_else(|| {
        OauthError::new(
            400,
            "unauthorized_client",
            700_016,
            format!("Application with identifier '{client_id}' was not found in the directory."),
        )
    })
}

fn check_client(state: &mut State, call: &Call, form: &Form, application: &Application) -> Result<(), OauthError> {
    if let Some(assertion) = form.get("client_assertion") {
        if form.get("client_assertion_type") != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
            return Err(OauthError::new(
                400,
                "invalid_request",
                900_023,
                "client_assertion_type is missing or unsupported.",
            ));
        }
        // The audience is the endpoint that was asked, by whatever name the client knows it.
        let endpoint = format!("{}/{}", call.root, call.path.names.join("/"));
        let identifier = assertion::verify(assertion, application, &endpoint, state.clock.identity_now())?;
        if !state.identity.used.insert(identifier) {
            return Err(OauthError::new(
                401,
                "invalid_client",
                700_024,
                "The client assertion was used before: its jti must be new each time.",
            ));
        }
        return Ok(());
    }
    match (form.get("client_secret"), &application.secret) {
        (Some(given), Some(secret)) if given == secret => Ok(()),
        (Some(_), _) => Err(OauthError::new(401, "invalid_client", 7_000_215, "Invalid client secret provided.")),
        (None, _) => Err(OauthError::new(
            401,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )),
    }
}

/// Which service the token is for: Graph, here or by its public name.
fn check_scope(scope: &str, call: &Call, only_default: bool) -> Result<(), OauthError> {
    let own = |resource: &str| {
        ["https://graph.microsoft.com", call.root.as_str()].iter().any(|known| known.eq_ignore_ascii_case(resource))
            || resource.starts_with("http://127.0.0.1:")
            || resource.starts_with("https://localhost:")
    };
    for one in scope.split_whitespace() {
        match one.rsplit_once('/') {
            Some((resource, name)) if own(resource) && only_default && name != ".default" => {
                return Err(OauthError::new(
                    400,
                    "invalid_scope",
                    1_002_012,
                    format!("Client credential flows must have a scope with /.default at its end, unlike {one}."),
                ));
            }
            Some((resource, _)) if own(resource) => {}
            Some((resource, _)) => {
                return Err(OauthError::new(
                    400,
                    "invalid_resource",
                    500_011,
                    format!("The resource principal named {resource} was not found in the tenant."),
                ));
            }
            None if only_default => {
                return Err(OauthError::new(
                    400,
                    "invalid_scope",
                    70011,
                    format!("The provided value for the input parameter 'scope' is not valid: {one}."),
                ));
            }
            None => {}
        }
    }
    Ok(())
}

fn refresh(state: &mut State, call: &Call, form: &Form, client_id: &str) -> Result<Reply, OauthError> {
    let given = form.need("refresh_token")?;
    let now = state.clock.identity_now();
    let dead = state.strikes(FaultName::RefreshTokenDead, call).is_some();
    let known = state.identity.refresh.get(given).filter(|token| token.client_id == client_id).cloned();
    let Some(token) = known else {
        return Err(OauthError::new(
            400,
            "invalid_grant",
            9_002_313,
            "The refresh token is malformed or was not issued to this client.",
        ));
    };
    if dead || now - token.last_used > TimeDelta::days(REFRESH_DAYS) {
        return Err(OauthError::new(
            400,
            "invalid_grant",
            700_082,
            "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00.",
        ));
    }
    Ok(Reply::json(200, state.issue(client_id, Some(&token.user), true, form.get("scope"))))
}

impl State {
    /// Issues a token, and says so as the token endpoint does.
    pub(crate) fn issue(
        &mut self,
        client_id: &str,
        user: Option<&str>,
        refreshable: bool,
        scope: Option<&str>,
    ) -> Value {
        let now = self.clock.identity_now();
        self.identity.issued += 1;
        let number = self.identity.issued;
        let seconds = self.options.token_seconds;
        let text = format!("simulated-access-{number}-{}", guid(&format!("access {number} {}", self.options.seed)));
        let token = AccessToken {
            client_id: client_id.into(),
            user: user.map(str::to_lowercase),
            expires: now + TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000)),
            revoked: false,
        };
        self.identity.access.insert(text.clone(), token);
        let mut answer =
            json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": text});
        if let Some(user) = user {
            answer["scope"] = json!(scope.unwrap_or("https://graph.microsoft.com/.default"));
            if scope.is_some_and(|scope| scope.split_whitespace().any(|one| one == "openid")) {
                answer["id_token"] = json!(self.id_token(client_id, user, now));
            }
            if refreshable {
                let text =
                    format!("simulated-refresh-{number}-{}", guid(&format!("refresh {number} {}", self.options.seed)));
                let token = RefreshToken { client_id: client_id.into(), user: user.into(), last_used: now };
                self.identity.refresh.insert(text.clone(), token);
                answer["refresh_token"] = json!(text);
            }
        }
        answer
    }

    /// Who logged in, for clients that show it. Unsigned: none of them verifies what came over TLS.
    fn id_token(&self, client_id: &str, user: &str, now: DateTime<Utc>) -> String {
        let mailbox = self.mailboxes.get(&user.to_lowercase());
        let user_id = mailbox.map_or_else(|| guid(user), |mailbox| mailbox.user_id.clone());
        let tenant = &self.options.tenant;
        let claims = json!({
            "aud": client_id,
            "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "iat": now.timestamp(),
            "nbf": now.timestamp(),
            "exp": now.timestamp() + 3600,
            "name": mailbox.map(|mailbox| &mailbox.display_name),
            "oid": user_id,
            "sub": user_id,
            "tid": tenant,
            "preferred_username": user,
            "ver": "2.0",
        });
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(json!({"alg": "none", "typ": "JWT"})), part(claims))
    }

    /// Who stands behind a request's token.
    ///
    /// # Errors
    /// 401 without a token that counts.
    pub(crate) fn caller(&mut self, call: &Call) -> Result<AccessToken, GraphError> {
        let Some(text) = call.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::trim)
        else {
            return Err(unauthorized("Access token is empty."));
        };
        let text = text.to_owned();
        let expired = self.strikes(FaultName::TokenExpired, call).is_some();
        let refused = self.strikes(FaultName::TokenRefused, call).is_some();
        let now = self.clock.identity_now();
        let Some(token) = self.identity.access.get_mut(&text) else {
            return Err(unauthorized("IDX14100: JWT is not well formed, there are no dots (.)."));
        };
        token.revoked |= expired;
        if token.revoked || refused || token.expires <= now {
            return Err(unauthorized("Lifetime validation failed, the token is expired."));
        }
        Ok(token.clone())
    }

    /// Makes every access token that was issued so far worthless.
    pub(crate) fn revoke_access(&mut self) {
        for token in self.identity.access.values_mut() {
            token.revoked = true;
        }
    }
}

fn unauthorized(message: &str) -> GraphError {
    GraphError::new(401, "InvalidAuthenticationToken", message).with_header(
        "WWW-Authenticate",
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
         client_id=\"00000003-0000-0000-c000-000000000000\"",
    )
}
