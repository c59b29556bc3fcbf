//! Client assertions: JWTs that an application signs with the key of a registered certificate.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::identity::OauthError;
use crate::options::Application;

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(rename = "x5t#S256")]
    sha256: Option<String>,
    /// Of older clients.
    x5t: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    jti: String,
    /// Seconds; a fraction is allowed (RFC 7519, NumericDate).
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    iat: Option<f64>,
}

/// Longest life of an assertion, and how far two clocks may be apart.
const LONGEST_SECONDS: f64 = 600.0;
const SKEW_SECONDS: f64 = 300.0;

fn refused(code: u32, why: impl Into<String>) -> OauthError {
    OauthError::new(401, "invalid_client", code, why)
}

/// Checks an assertion, and gives its `jti`.
///
/// # Errors
/// `invalid_client` with the reason.
pub(crate) fn verify(
    text: &str,
    application: &Application,
    endpoint: &str,
    now: DateTime<Utc>,
) -> Result<String, OauthError> {
    let malformed = || refused(50027, "JWT token is invalid or malformed.");
    let parts: Vec<&str> = text.split('.').collect();
    let [header_text, claims_text, signature] = parts.as_slice() else { return Err(malformed()) };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
    let header: Header = serde_json::from_slice(&decode(header_text)?).map_err(|_| malformed())?;
    let claims: Claims = serde_json::from_slice(&decode(claims_text)?).map_err(|_| malformed())?;

    let der = certificate(application, &header)?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der)
        .map_err(|_| refused(700_027, "The registered certificate is unreadable."))?;
    if !certificate
        .validity()
        .is_valid_at(x509_parser::time::ASN1Time::from_timestamp(now.timestamp()).map_err(|_| malformed())?)
    {
        return Err(refused(
            700_027,
            "The certificate with identifier used to sign the client assertion is expired on application.",
        ));
    }
    let key = &certificate.public_key().subject_public_key.data;
    let signed = format!("{header_text}.{claims_text}");
    let algorithm = match header.alg.as_str() {
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        other => {
            return Err(refused(
                5_002_738,
                format!(
                    "Invalid JWT token. '{other}' is not a supported signature algorithm. Supported signing algorithms are: 'RS256, PS256'."
                ),
            ));
        }
    };
    UnparsedPublicKey::new(algorithm, key)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| refused(700_027, "Client assertion failed signature validation."))?;

    if claims.iss != application.client_id || claims.sub != application.client_id {
        return Err(refused(
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter: iss and sub must be the client id.",
        ));
    }
    if claims.aud.trim_end_matches('/') != endpoint {
        return Err(refused(
            50013,
            format!(
                "Assertion audience claim does not match the Realm issuer: '{}' instead of '{endpoint}'.",
                claims.aud
            ),
        ));
    }
    let now = now.timestamp_millis() as f64 / 1000.0;
    let begins = claims.nbf.or(claims.iat).unwrap_or(now);
    if claims.exp < now - SKEW_SECONDS || begins > now + SKEW_SECONDS {
        return Err(refused(700_024, "Client assertion is not within its valid time range."));
    }
    if claims.exp - begins > LONGEST_SECONDS {
        return Err(refused(700_023, "Client assertion lives longer than ten minutes."));
    }
    if claims.jti.is_empty() {
        return Err(refused(700_024, "Client assertion has no jti."));
    }
    Ok(claims.jti)
}

/// The registered certificate that the header's thumbprint names.
fn certificate(application: &Application, header: &Header) -> Result<Vec<u8>, OauthError> {
    let registered = application.certificates.iter().filter_map(|pem| {
        x509_parser::pem::Pem::iter_from_buffer(pem.as_bytes()).flatten().find(|pem| pem.label == "CERTIFICATE")
    });
    let mut registered = registered.map(|pem| pem.contents);
    let unknown = || {
        refused(
            700_027,
            "The certificate used to sign the client assertion is not registered on application: the thumbprint x5t#S256 is unknown.",
        )
    };
    match (&header.sha256, &header.x5t) {
        (Some(thumbprint), _) => registered
            .find(|der| URL_SAFE_NO_PAD.encode(Sha256::digest(der)) == thumbprint.trim_end_matches('='))
            .ok_or_else(unknown),
        (None, Some(thumbprint)) => registered
            .find(|der| {
                let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
                URL_SAFE_NO_PAD.encode(digest) == thumbprint.trim_end_matches('=')
            })
            .ok_or_else(unknown),
        (None, None) => Err(refused(5_002_730, "The header of the client assertion has neither x5t#S256 nor x5t.")),
    }
}
