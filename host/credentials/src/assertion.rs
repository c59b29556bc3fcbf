//! Client assertions: how an application proves that it holds the key of its certificate.
//!
//! The four parts of a signed token are put together here, and signed by ring, which serves TLS already: libraries for
//! tokens sign RSA with code that a timing attack is known for (RUSTSEC-2023-0071), or bring a second cryptographic library.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use secrecy::SecretString;
use serde_json::json;

/// Seconds that an assertion is good. Microsoft recommends five to ten minutes.
const LIFE: i64 = 8 * 60;

/// How client assertions are signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssertionAlgorithm {
    /// RSA-PSS, the certificate named by its SHA-256.
    #[default]
    Ps256,
    /// RSA as of PKCS#1, the certificate named by its SHA-1: for servers that know nothing newer.
    Rs256,
}

/// The assertion of an application towards a token endpoint.
///
/// # Errors
/// The key cannot sign.
pub(crate) fn assertion(
    key: &RsaKeyPair,
    certificate: &[u8],
    algorithm: AssertionAlgorithm,
    endpoint: &str,
    client_id: &str,
    now: i64,
) -> Result<SecretString, ring::error::Unspecified> {
    let thumbprint = |algorithm| encoded(digest::digest(algorithm, certificate).as_ref());
    let header = match algorithm {
        AssertionAlgorithm::Ps256 => json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint(&SHA256) }),
        AssertionAlgorithm::Rs256 => {
            json!({ "alg": "RS256", "typ": "JWT", "x5t": thumbprint(&SHA1_FOR_LEGACY_USE_ONLY) })
        }
    };
    let claims = json!({
        "aud": endpoint, "iss": client_id, "sub": client_id, "jti": uuid::Uuid::new_v4().to_string(),
        "nbf": now, "iat": now, "exp": now + LIFE,
    });
    let text = format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
    let mut signature = vec![0; key.public().modulus_len()];
    let padding: &dyn ring::signature::RsaEncoding = match algorithm {
        AssertionAlgorithm::Ps256 => &RSA_PSS_SHA256,
        AssertionAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
    };
    key.sign(padding, &SystemRandom::new(), text.as_bytes(), &mut signature)?;
    Ok(format!("{text}.{}", encoded(&signature)).into())
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
