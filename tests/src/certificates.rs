//! Certificates with private keys, as administrators have them: PEM, protected or not, and PKCS#12.

use std::sync::OnceLock;

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use pkcs8::{LineEnding, PrivateKeyInfoRef};
use rcgen::{CertificateParams, KeyPair};
use rsa::pkcs8::EncodePrivateKey;

/// A self-signed certificate and its RSA key.
pub struct TestCertificate {
    certificate: rcgen::Certificate,
    key: Vec<u8>,
}

impl TestCertificate {
    /// A certificate of one key of all tests, valid from the beginning of a year to the beginning of another.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn new(from: i32, until: i32) -> Self {
        static KEY: OnceLock<Vec<u8>> = OnceLock::new();
        Self::of_key(KEY.get_or_init(|| key(2048)).clone(), from, until)
    }

    /// A certificate of another key, valid for long.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn other() -> Self {
        static KEY: OnceLock<Vec<u8>> = OnceLock::new();
        Self::of_key(KEY.get_or_init(|| key(2048)).clone(), 2020, 2100)
    }

    fn of_key(key: Vec<u8>, from: i32, until: i32) -> Self {
        let pair = KeyPair::try_from(&*key).expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        Self { certificate: params.self_signed(&pair).expect("a certificate"), key }
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The private key as PEM.
    ///
    /// # Panics
    /// It cannot be written.
    #[must_use]
    pub fn key_pem(&self) -> String {
        let key = pkcs8::SecretDocument::try_from(&*self.key).expect("a key");
        key.to_pem("PRIVATE KEY", LineEnding::LF).expect("PEM").to_string()
    }

    /// The private key as PEM, protected by a password.
    ///
    /// # Panics
    /// It cannot be written.
    #[must_use]
    pub fn protected_key_pem(&self, password: &str) -> String {
        let key = PrivateKeyInfoRef::try_from(&*self.key).expect("a key").encrypt(password).expect("protected");
        key.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).expect("PEM").to_string()
    }

    /// Both as PKCS#12.
    ///
    /// # Panics
    /// It cannot be written.
    #[must_use]
    pub fn pkcs12(&self, password: &str) -> Vec<u8> {
        let certificate = Certificate::from_der(self.der()).expect("a certificate");
        let key = PrivateKey::from_der(&self.key).expect("a key");
        let mut store = KeyStore::new();
        store.add_entry("test", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("test", key, [certificate])));
        store.writer(password).write().expect("PKCS#12")
    }
}

/// A private key as PEM of so many bits.
///
/// # Panics
/// It cannot be made.
#[must_use]
pub fn rsa_key_pem(bits: usize) -> String {
    let key = pkcs8::SecretDocument::try_from(&*key(bits)).expect("a key");
    key.to_pem("PRIVATE KEY", LineEnding::LF).expect("PEM").to_string()
}

fn key(bits: usize) -> Vec<u8> {
    let key = rsa::PrivateKey::new(&mut p12_keystore::rand::rng(), bits).expect("a key");
    key.to_pkcs8_der().expect("PKCS#8").as_bytes().to_vec()
}
