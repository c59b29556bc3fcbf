//! Device codes: the user confirms on another device, here through the control interface.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Form, OauthError, application, check_scope, check_tenant};
use crate::http::{Call, Reply};
use crate::identifier::guid;
use crate::state::State;

/// A code that was handed out.
#[derive(Debug, Clone)]
pub(crate) struct DeviceCode {
    device_code: String,
    pub(crate) user_code: String,
    client_id: String,
    scope: String,
    expires: DateTime<Utc>,
    asked: Option<DateTime<Utc>>,
    pub(crate) decision: Decision,
}

/// What the user said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Pending,
    /// With the address of who logged in.
    Approved(String),
    Declined,
    /// The token was fetched.
    Used,
}

const CODE_SECONDS: i64 = 900;

pub(super) fn begin(state: &mut State, call: &Call) -> Result<Reply, OauthError> {
    check_tenant(state, call)?;
    let form = Form::of(call);
    let client_id = application(state, form.need("client_id")?)?.client_id;
    let scope = form.need("scope")?.to_owned();
    check_scope(&scope, call, false)?;
    let number = state.identity.device_codes.len() + 1;
    let text = guid(&format!("device code {number} {}", state.options.seed));
    let user_code = text.replace('-', "").to_uppercase()[..9].to_owned();
    let answer = json!({
        "user_code": user_code,
        "device_code": text,
        "verification_uri": "https://microsoft.com/devicelogin",
        "expires_in": CODE_SECONDS,
        "interval": state.options.device_code_interval,
        "message": format!("To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code {user_code} to authenticate."),
    });
    state.identity.device_codes.push(DeviceCode {
        device_code: text,
        user_code,
        client_id,
        scope,
        expires: state.clock.identity_now() + TimeDelta::seconds(CODE_SECONDS),
        asked: None,
        decision: Decision::Pending,
    });
    Ok(Reply::json(200, answer))
}

pub(super) fn redeem(state: &mut State, text: &str, client_id: &str) -> Result<Reply, OauthError> {
    let now = state.clock.identity_now();
    let interval = TimeDelta::seconds(i64::try_from(state.options.device_code_interval).unwrap_or(5));
    let known =
        state.identity.device_codes.iter_mut().find(|code| code.device_code == text && code.client_id == client_id);
    let Some(code) = known else {
        return Err(OauthError::new(
            400,
            "bad_verification_code",
            70020,
            "The provided value for the input parameter 'device_code' is not valid.",
        ));
    };
    let early = code.asked.is_some_and(|asked| now - asked < interval);
    code.asked = Some(now);
    if now >= code.expires {
        return Err(OauthError::new(400, "expired_token", 70020, "The device code has expired. Start over."));
    }
    match code.decision.clone() {
        Decision::Pending if early => Err(OauthError::new(400, "slow_down", 70016, "The client is polling too often.")),
        Decision::Pending => Err(OauthError::new(
            400,
            "authorization_pending",
            70016,
            "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        )),
        Decision::Declined => {
            Err(OauthError::new(400, "authorization_declined", 70018, "User declined the authentication."))
        }
        Decision::Used => {
            Err(OauthError::new(400, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed."))
        }
        Decision::Approved(user) => {
            code.decision = Decision::Used;
            let scope = code.scope.clone();
            // Without offline_access nobody gets a refresh token, and the login dies with the access token.
            let refreshable = scope.split_whitespace().any(|one| one == "offline_access");
            Ok(Reply::json(200, state.issue(client_id, Some(&user), refreshable, Some(&scope))))
        }
    }
}
