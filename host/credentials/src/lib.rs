//! Credentials: what opens the servers that connectors talk to.
//!
//! They live in one file that only its owner can read, or in the environment. They never enter a plugin: the host adds
//! the `Authorization` header to requests that go to the origin a credential belongs to, and this room makes that header.
//!
//! * [`CredentialFile`] keeps credentials, [`Credential`] is one of them;
//! * [`KeyedCertificate`] reads certificates with their private keys;
//! * [`DeviceLogin`] logs a person in by device code;
//! * [`CredentialFile::authorizer`] gives what adds the header, with tokens that are fetched and kept in memory.
//!
//! Secrets are held in [`SecretString`]s: wiped when they are dropped, and never shown by `Debug`.

mod application;
mod assertion;
mod authorizer;
mod certificate;
mod cloud;
mod credential;
mod device_code;
mod entry;
mod environment;
mod error;
mod file;
mod private_file;
mod private_key;
mod token;
mod validity;

pub use application::Application;
pub use assertion::AssertionAlgorithm;
pub use authorizer::Unlock;
pub use certificate::{BundleError, KeyedCertificate};
pub use cloud::Cloud;
pub use credential::{CertificateLogin, ClientSecret, Credential, DeviceCode, Ibus, Kind, Password};
pub use device_code::{DeviceLogin, LoginError};
pub use environment::key_password as key_password_in_environment;
pub use error::CredentialError;
pub use file::{CredentialFile, SecretPlace, Stored};
pub use secrecy::{ExposeSecret, SecretString};
pub use validity::Validity;
