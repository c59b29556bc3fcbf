//! Certificates as administrators have them.

use apptsync_credentials::{BundleError, KeyedCertificate, SecretString};
use apptsync_tests::certificates::{TestCertificate, rsa_key_pem};

fn password(text: &str) -> SecretString {
    text.into()
}

fn read(certificate: &[u8], key: Option<&str>, password: Option<&str>) -> Result<KeyedCertificate, BundleError> {
    let password = password.map(SecretString::from);
    KeyedCertificate::read(certificate, key.map(str::as_bytes), password.as_ref())
}

#[track_caller]
fn unusable(result: Result<KeyedCertificate, BundleError>, part: &str) {
    match result.map(|_| ()) {
        Err(BundleError::Unusable(why)) => assert!(why.contains(part), "{part}: {why}"),
        other => panic!("not refused: {other:?}"),
    }
}

/// PEM with both in one file or in two, in any order, with a chain; the key protected or not.
#[test]
fn pem_is_read_however_it_is_laid_out() {
    let (own, other) = (TestCertificate::new(2020, 2100), TestCertificate::other());
    for text in [
        format!("{}{}", own.pem(), own.key_pem()),
        format!("{}{}", own.key_pem(), own.pem()),
        format!("Bag Attributes\n  friendlyName: x\n{}{}{}", own.key_pem(), other.pem(), own.pem()),
        format!("{}{}", own.pem(), own.key_pem()).replace('\n', "\r\n"),
    ] {
        let certificate = read(text.as_bytes(), None, None).expect("readable");
        assert!(!certificate.is_protected());
        assert_eq!(certificate.validity().until.to_string(), "2100-01-01T00:00:00Z");
    }
    assert!(read(own.pem().as_bytes(), Some(&own.key_pem()), None).is_ok());
    let protected = own.protected_key_pem("correct horse");
    assert_eq!(read(own.pem().as_bytes(), Some(&protected), None).err(), Some(BundleError::NeedsPassword));
    for wrong in ["wrong", "", "correct horse "] {
        let error = read(own.pem().as_bytes(), Some(&protected), Some(wrong)).err();
        assert_eq!(error, Some(BundleError::WrongPassword), "{wrong}");
    }
    let certificate = read(own.pem().as_bytes(), Some(&protected), Some("correct horse")).expect("readable");
    assert!(certificate.is_protected());
}

/// PKCS#12 with and without password; a key that a password protected stays protected by it.
#[test]
fn pkcs12_is_read_and_its_key_stays_protected() {
    let own = TestCertificate::new(2020, 2100);
    let archive = own.pkcs12("correct horse");
    assert_eq!(read(&archive, None, None).err(), Some(BundleError::NeedsPassword));
    assert_eq!(read(&archive, None, Some("wrong")).err(), Some(BundleError::WrongPassword));
    let certificate = read(&archive, None, Some("correct horse")).expect("readable");
    assert!(certificate.is_protected());
    let certificate = read(&own.pkcs12(""), None, None).expect("readable");
    assert!(!certificate.is_protected());
}

#[test]
fn what_cannot_be_used_is_refused_with_the_reason() {
    let (own, other) = (TestCertificate::new(2020, 2100), TestCertificate::other());
    unusable(read(own.pem().as_bytes(), None, None), "no private key");
    unusable(read(own.pem().as_bytes(), Some(&other.key_pem()), None), "does not belong");
    unusable(read(format!("{}{}", own.key_pem(), other.pem()).as_bytes(), None, None), "does not belong");
    unusable(read(own.pem().as_bytes(), Some(&format!("{}{}", own.key_pem(), other.key_pem())), None), "several");
    unusable(read(own.pem().as_bytes(), Some(&rsa_key_pem(1024)), None), "too weak");
    unusable(read(own.der(), None, None), "neither PEM nor PKCS#12");
    unusable(read(b"", None, None), "neither PEM nor PKCS#12");
    unusable(read(b"a letter", None, Some("password")), "neither PEM nor PKCS#12");
    let archive = own.pkcs12("correct horse");
    unusable(read(&archive[..archive.len() / 2], None, Some("correct horse")), "neither PEM nor PKCS#12");
    let elliptic = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    unusable(read(own.pem().as_bytes(), Some(elliptic), None), "no RSA key");
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    unusable(read(own.pem().as_bytes(), Some(old), None), "openssl pkcs8");
    let damaged = own.key_pem().replacen("MII", "AAA", 1);
    unusable(read(own.pem().as_bytes(), Some(&damaged), None), "damaged");
    let damaged = own.pem().replacen("MII", "AAA", 1);
    unusable(read(damaged.as_bytes(), Some(&own.key_pem()), None), "damaged");
    let cut = own.pem().replace("-----END CERTIFICATE-----", "");
    unusable(read(cut.as_bytes(), Some(&own.key_pem()), None), "");
}

#[test]
fn nothing_shows_a_key_or_its_password() {
    let own = TestCertificate::new(2020, 2100);
    let certificate = KeyedCertificate::read(&own.pkcs12("hunter2"), None, Some(&password("hunter2")));
    let certificate = certificate.expect("readable");
    let shown = format!("{certificate:?}");
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("hunter2"), "{shown}");
}
