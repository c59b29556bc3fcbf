//! Why there is no token, in sentences that say what to do.
//!
//! What the server writes in words is not repeated: it may echo what it was sent.

use apptsync_runtime::HttpError;
use serde::Deserialize;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenFailure {
    /// The server says no.
    Refused {
        host: String,
        status: u16,
        /// The error by its OAuth name, such as `invalid_client`.
        error: String,
        /// The number behind AADSTS, if there is one.
        number: Option<u32>,
    },
    /// The server is busy, and was asked often enough.
    Busy { host: String, status: u16 },
    /// No answer.
    Unreachable { host: String, why: String },
    /// An answer that is none.
    NoToken(String),
}

/// What sentences about a failure name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Advice<'a> {
    /// The credential.
    pub(crate) name: &'a str,
    /// The command that replaces it.
    pub(crate) replace: &'a str,
}

#[derive(Deserialize)]
struct Said {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl TokenFailure {
    pub(super) fn refused(host: &str, status: u16, body: &[u8]) -> Self {
        let said: Option<Said> = serde_json::from_slice(body).ok();
        let is_name =
            |name: &str| name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let number = said.as_ref().and_then(|said| number(&said.error_description));
        let error = said.map(|said| said.error).filter(|name| is_name(name)).unwrap_or_default();
        Self::Refused { host: host.to_owned(), status, error, number }
    }

    pub(super) fn unreachable(host: &str, error: &HttpError) -> Self {
        Self::Unreachable { host: host.to_owned(), why: error.to_string() }
    }

    /// The OAuth name of the error, for the steps of a login.
    pub(crate) fn error(&self) -> &str {
        match self {
            Self::Refused { error, .. } => error,
            _ => "",
        }
    }

    /// True when it may pass by itself.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unreachable { .. })
    }

    /// What happened to the credential, and what to do.
    pub(crate) fn sentence(&self, advice: Advice<'_>) -> String {
        let Advice { name, replace } = advice;
        match self {
            Self::Busy { host, status } => {
                format!("no token for the credential `{name}`: {host} is busy (status {status}): run again later")
            }
            Self::Unreachable { host, why } => {
                format!(
                    "no token for the credential `{name}`: {host} gives no answer: {why}: check the network and the server"
                )
            }
            Self::NoToken(host) => {
                format!("no token for the credential `{name}`: what {host} answers is no token: correct the server")
            }
            Self::Refused { host, status, error, number } => {
                let what = what_to_do(error, *number, replace)
                    .unwrap_or_else(|| "check tenant, client id and permissions in Microsoft Entra".to_owned());
                let code = match number {
                    Some(number) => format!("AADSTS{number}"),
                    None if error.is_empty() => format!("status {status}"),
                    None => error.clone(),
                };
                format!("{host} refuses the credential `{name}` ({code}): {what}")
            }
        }
    }
}

/// By the server's number, and where it says nothing, by the name of the error.
fn what_to_do(error: &str, number: Option<u32>, replace: &str) -> Option<String> {
    let again = |why: &str| Some(format!("{why}: log in again: `{replace}`"));
    let by_number = match number.unwrap_or_default() {
        7_000_215 => Some(format!(
            "the client secret is wrong, or its id was taken for its value: make one in Microsoft Entra and replace it: `{replace}`"
        )),
        7_000_222 => Some(format!(
            "the client secret has expired: make a new one in Microsoft Entra and replace it: `{replace}`"
        )),
        700_027 | 7_000_214 => Some(
            "the certificate is not among those of the application: upload it in Microsoft Entra, or replace the credential"
                .into(),
        ),
        700_024 => Some("the assertion is not valid at this time: set this machine's clock".into()),
        700_016 => Some("the tenant has no such application: correct client id or tenant".into()),
        90_002 | 900_023 | 50_059 => Some("there is no such tenant in this cloud: correct tenant or cloud".into()),
        7_000_218 => Some(
            "the application must prove itself: allow public client flows in Microsoft Entra, or use a secret or certificate"
                .into(),
        ),
        65_001 | 65_004 | 90_094 | 900_144 => {
            Some("consent is missing: an administrator grants the permissions in Microsoft Entra".into())
        }
        70_011 | 500_011 | 650_053 => {
            Some("the permissions do not exist there: correct the cloud, both servers must belong to it".into())
        }
        700_082 | 70_008 => again("the login has expired, it was not used for long"),
        50_173 | 700_084 | 70_000 | 50_133 => again("the login was revoked, perhaps by a new password"),
        50_076 | 50_078 | 50_079 | 50_158 => again("another proof of identity is asked for"),
        53_000..=53_004 => {
            Some("a conditional access policy does not let it in: an administrator changes the policy".into())
        }
        50_057 => Some("the user's account is disabled: an administrator enables it".into()),
        _ => None,
    };
    by_number.or_else(|| by_name(error, replace))
}

fn by_name(error: &str, replace: &str) -> Option<String> {
    match error {
        "invalid_client" => Some(format!("it does not know the application by this proof: replace it: `{replace}`")),
        "invalid_grant" | "interaction_required" => Some(format!("the login is worth nothing any more: log in again: `{replace}`")),
        "unauthorized_client" => Some(
            "the application may not get tokens in this way: correct client id or tenant, or allow it in Microsoft Entra".into(),
        ),
        "invalid_scope" => Some("the permissions do not exist there: correct the cloud, both servers must belong to it".into()),
        _ => None,
    }
}

/// The number behind AADSTS in a description.
fn number(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVICE: Advice<'_> = Advice { name: "contoso", replace: "apptsync credentials add contoso --replace" };

    fn said(body: &str) -> String {
        TokenFailure::refused("login.example.com", 400, body.as_bytes()).sentence(ADVICE)
    }

    #[test]
    fn a_refusal_says_what_to_do_and_never_what_the_server_wrote() {
        for (error, description, part) in [
            ("invalid_client", "AADSTS7000215: Invalid client secret provided: hunter2", "client secret is wrong"),
            ("invalid_client", "AADSTS7000222: expired hunter2", "has expired"),
            ("invalid_client", "AADSTS700027: hunter2", "certificate is not among"),
            ("invalid_client", "AADSTS700024: hunter2", "clock"),
            ("unauthorized_client", "AADSTS700016: hunter2", "no such application"),
            ("invalid_request", "AADSTS90002: hunter2", "no such tenant"),
            ("invalid_grant", "AADSTS700082: hunter2", "log in again: `apptsync credentials add contoso --replace`"),
            ("invalid_grant", "AADSTS50076: hunter2", "log in again"),
            ("invalid_grant", "hunter2", "log in again"),
            ("invalid_grant", "AADSTS99999999999999: hunter2", "log in again"),
            ("invalid_client", "hunter2", "replace it"),
            ("unauthorized_client", "hunter2", "may not get tokens"),
            ("invalid_scope", "hunter2", "both servers"),
            ("hunter2", "hunter2", "status 400"),
            ("server_knows_best", "AADSTS1: hunter2", "check tenant"),
        ] {
            let said = said(&serde_json::json!({ "error": error, "error_description": description }).to_string());
            assert!(said.contains(part) && said.contains("contoso"), "{part}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        assert!(said("<html>hunter2").contains("(status 400)"));
    }
}
