//! Certificates with their private keys, from PEM and PKCS#12.

use apptsync_model::Instant;
use p12_keystore::{Pkcs12Archive, error::Error as ArchiveError};
use pem::Pem;
use ring::signature::{KeyPair, RsaKeyPair};
use secrecy::{ExposeSecret, SecretString};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Validity;
use crate::private_key::{PrivateKey, blocks};

const CERTIFICATE: &str = "CERTIFICATE";

/// A certificate and the private key that belongs to it. A protected key stays protected.
#[derive(Debug, Clone)]
pub struct KeyedCertificate {
    der: Vec<u8>,
    validity: Validity,
    private_key: PrivateKey,
}

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// It is protected.
    #[error("it is protected, and its password was not given")]
    NeedsPassword,
    /// The password does not open it.
    #[error("the password is wrong")]
    WrongPassword,
    /// Anything else.
    #[error("{0}")]
    Unusable(String),
}

impl KeyedCertificate {
    /// Reads a certificate with its private key: from PKCS#12, or from PEM, where the key may stand in a text of its own.
    /// Of several certificates, the one that belongs to the key is taken.
    ///
    /// # Errors
    /// A password is missing or wrong; something is not there, or is damaged; or key and certificate do not match.
    pub fn read(
        certificate: &[u8],
        private_key: Option<&[u8]>,
        password: Option<&SecretString>,
    ) -> Result<Self, BundleError> {
        if !certificate.windows(CERTIFICATE.len()).any(|part| part == CERTIFICATE.as_bytes()) {
            return Self::from_archive(certificate, password);
        }
        let mut all = blocks(certificate)?;
        if let Some(text) = private_key {
            all.append(blocks(text)?);
        }
        let keys: Vec<_> = all.iter().filter(|block| PrivateKey::is_one(block)).collect();
        let private_key = match *keys {
            [key] => PrivateKey::from_block(key)?,
            [] => return Err(unusable("there is no private key in it: add the key's own file with --private-key")),
            _ => return Err(unusable("there are several private keys in it: leave one")),
        };
        let certificates = all.iter().filter(|block| block.tag() == CERTIFICATE);
        let ders = certificates.map(|block| block.contents().to_vec()).collect();
        Self::matching(private_key, ders, password)
    }

    fn from_archive(data: &[u8], password: Option<&SecretString>) -> Result<Self, BundleError> {
        let given = password.map_or("", ExposeSecret::expose_secret);
        let archive = Pkcs12Archive::from_pkcs12(data, given).map_err(|error| match error {
            ArchiveError::MacError(_) | ArchiveError::UnpadError | ArchiveError::Pkcs5Error(_) => match password {
                Some(_) => BundleError::WrongPassword,
                None => BundleError::NeedsPassword,
            },
            _ => unusable("it is neither PEM nor PKCS#12 that can be read here"),
        })?;
        let key = match &*archive.keys {
            [key] => PrivateKey::from_pkcs8(key.key.as_der(), given)?,
            [] => return Err(unusable("there is no private key in it: export it together with its key")),
            _ => return Err(unusable("there are several private keys in it: export the one alone")),
        };
        let ders = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect();
        Self::matching(key, ders, password)
    }

    /// The certificate of several that belongs to the key.
    fn matching(
        private_key: PrivateKey,
        ders: Vec<Vec<u8>>,
        password: Option<&SecretString>,
    ) -> Result<Self, BundleError> {
        if ders.is_empty() {
            return Err(unusable("there is no certificate in it"));
        }
        let unlocked = private_key.unlock(password)?;
        for der in ders {
            let (validity, public_key) = parse(&der)?;
            if public_key == unlocked.public_key().as_ref() {
                return Ok(Self { der, validity, private_key });
            }
        }
        Err(unusable("the private key does not belong to the certificate: take both from the same place"))
    }

    /// A certificate as it was stored, checked when it was read.
    pub(crate) fn from_stored(certificate: &str, private_key: SecretString) -> Result<Self, String> {
        let blocks = blocks(certificate).map_err(|error| error.to_string())?;
        let [block] = &*blocks else { return Err("there is no certificate".into()) };
        let der = block.contents().to_vec();
        let (validity, _) = parse(&der).map_err(|error| error.to_string())?;
        let private_key = PrivateKey::from_stored(&private_key).map_err(|error| error.to_string())?;
        Ok(Self { der, validity, private_key })
    }

    /// From when until when the certificate is valid.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// True when a password protects the private key.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.private_key.is_protected()
    }

    /// The certificate as DER.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as PEM.
    pub(crate) fn certificate_pem(&self) -> String {
        pem::encode(&Pem::new(CERTIFICATE, &*self.der))
    }

    /// The private key as PEM, protected as it came.
    pub(crate) fn private_key_pem(&self) -> &SecretString {
        self.private_key.pem()
    }

    /// The private key, ready for signing.
    pub(crate) fn unlock(&self, password: Option<&SecretString>) -> Result<RsaKeyPair, BundleError> {
        self.private_key.unlock(password)
    }
}

/// When a certificate is valid, and its public key.
fn parse(der: &[u8]) -> Result<(Validity, Vec<u8>), BundleError> {
    let (_, certificate) =
        X509Certificate::from_der(der).map_err(|_| unusable("the certificate is damaged, or no X.509 certificate"))?;
    let validity = certificate.validity();
    let validity = Validity {
        from: Instant(validity.not_before.timestamp()),
        until: Instant(validity.not_after.timestamp().min(Instant::MAX.0)),
    };
    Ok((validity, certificate.public_key().subject_public_key.data.to_vec()))
}

fn unusable(why: &str) -> BundleError {
    BundleError::Unusable(why.to_owned())
}
