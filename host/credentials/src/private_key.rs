//! Private keys: as they are stored, protected or not, and unlocked for signing.

use std::ops::Deref;

use pem::Pem;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef};
use ring::signature::RsaKeyPair;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroize;

use crate::BundleError;

const PROTECTED: &str = "ENCRYPTED PRIVATE KEY";
const PKCS_8: &str = "PRIVATE KEY";
const PKCS_1: &str = "RSA PRIVATE KEY";

/// A private key as it is stored: PEM, which a password may protect.
#[derive(Debug, Clone)]
pub(crate) struct PrivateKey {
    pem: SecretString,
    is_protected: bool,
}

impl PrivateKey {
    /// True for a block of PEM that holds a private key of whatever kind.
    pub(crate) fn is_one(block: &Pem) -> bool {
        block.tag().ends_with("PRIVATE KEY")
    }

    /// The key of a block of PEM.
    ///
    /// # Errors
    /// It is of a kind that cannot be used.
    pub(crate) fn from_block(block: &Pem) -> Result<Self, BundleError> {
        let is_protected = match block.tag() {
            PROTECTED => true,
            PKCS_8 => false,
            PKCS_1 if block.headers().iter().next().is_none() => false,
            PKCS_1 => return Err(BundleError::Unusable(old_protection())),
            _ => return Err(BundleError::Unusable("its private key is no RSA key, and nothing else will do".into())),
        };
        Ok(Self { pem: pem::encode(block).into(), is_protected })
    }

    /// A key as it was stored.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn from_stored(pem: &SecretString) -> Result<Self, BundleError> {
        match &*blocks(pem.expose_secret())? {
            [block] if Self::is_one(block) => Self::from_block(block),
            _ => Err(BundleError::Unusable("there is no private key".into())),
        }
    }

    /// A key from a PKCS#12 file, protected by the file's password, if it had one.
    ///
    /// # Errors
    /// It is no key.
    pub(crate) fn from_pkcs8(der: &[u8], password: &str) -> Result<Self, BundleError> {
        let unusable = |_| BundleError::Unusable("its private key is damaged".to_owned());
        let key = PrivateKeyInfoRef::try_from(der).map_err(unusable)?;
        if password.is_empty() {
            let block = Blocks(vec![Pem::new(PKCS_8, der)]);
            return Ok(Self { pem: pem::encode_many(&block).into(), is_protected: false });
        }
        let document = key.encrypt(password).map_err(unusable)?;
        let pem = document.to_pem(PROTECTED, LineEnding::LF).map_err(|error| unusable(error.into()))?;
        Ok(Self { pem: pem.as_str().into(), is_protected: true })
    }

    /// True when it takes a password to use it.
    pub(crate) fn is_protected(&self) -> bool {
        self.is_protected
    }

    /// As it is stored.
    pub(crate) fn pem(&self) -> &SecretString {
        &self.pem
    }

    /// The key, ready for signing.
    ///
    /// # Errors
    /// The password is missing or wrong, or it is no key that can sign.
    pub(crate) fn unlock(&self, password: Option<&SecretString>) -> Result<RsaKeyPair, BundleError> {
        let blocks = blocks(self.pem.expose_secret())?;
        let block = blocks.first().ok_or_else(|| BundleError::Unusable("there is no private key".into()))?;
        let der = block.contents();
        let key = if self.is_protected {
            let password = password.ok_or(BundleError::NeedsPassword)?;
            RsaKeyPair::from_pkcs8(decrypt(der, password)?.as_bytes())
        } else if block.tag() == PKCS_1 {
            RsaKeyPair::from_der(der)
        } else {
            RsaKeyPair::from_pkcs8(der)
        };
        key.map_err(|rejected| BundleError::Unusable(what_is_wrong(&rejected.to_string())))
    }
}

/// Blocks of PEM, wiped when they are dropped: a private key may be among them.
pub(crate) struct Blocks(Vec<Pem>);

impl Blocks {
    /// Takes others in.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }
}

impl Deref for Blocks {
    type Target = [Pem];

    fn deref(&self) -> &[Pem] {
        &self.0
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|block| block.into_contents().zeroize());
    }
}

/// The blocks of PEM in a text.
///
/// # Errors
/// It is no PEM.
pub(crate) fn blocks(text: impl AsRef<[u8]>) -> Result<Blocks, BundleError> {
    let blocks = pem::parse_many(text);
    blocks.map(Blocks).map_err(|_| BundleError::Unusable("it is damaged: a block of PEM does not end".into()))
}

fn decrypt(der: &[u8], password: &SecretString) -> Result<pkcs8::SecretDocument, BundleError> {
    use pkcs8::Error;
    use pkcs8::pkcs5::Error as Scheme;
    let damaged = || BundleError::Unusable("its private key is damaged".to_owned());
    let key = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| damaged())?;
    key.decrypt(password.expose_secret()).map_err(|error| match error {
        Error::EncryptedPrivateKey(Scheme::NoPbes1CryptSupport | Scheme::UnsupportedAlgorithm { .. }) => {
            BundleError::Unusable(old_protection())
        }
        Error::EncryptedPrivateKey(Scheme::AlgorithmParametersInvalid { .. }) => damaged(),
        // A wrong password decrypts to noise, which seldom looks like the end of a text, and then is no key.
        _ => BundleError::WrongPassword,
    })
}

fn old_protection() -> String {
    "its private key is protected in a way that is out of date: protect it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc`"
        .to_owned()
}

/// In words, why the key was refused.
fn what_is_wrong(rejected: &str) -> String {
    match rejected {
        "TooSmall" => "its private key is too weak: make one of 2048 to 4096 bits".to_owned(),
        "TooLarge" => "its private key is too large: make one of 2048 to 4096 bits".to_owned(),
        "WrongAlgorithm" => "its private key is no RSA key, and nothing else will do".to_owned(),
        _ => "its private key is damaged, or no RSA key of 2048 to 4096 bits".to_owned(),
    }
}
