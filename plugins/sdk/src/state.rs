//! What a connector keeps from call to call: keys and values in the headquarters database, a name space for each plugin
//! and profile, stored together with what the run stores. What a call wrote that failed as a whole is taken back.
//!
//! Asks the host, so these functions work in a component only.

use crate::bindings::lent::wasi::keyvalue::store;

/// The one bucket there is.
const BUCKET: &str = "default";

/// The value of a key, at most 64 KiB; none when the key is not there.
///
/// # Errors
///
/// The host refused; the text says why.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, String> {
    open()?.get(key).map_err(why)
}

/// Sets a key (1 to 256 bytes) to a value (at most 64 KiB).
///
/// # Errors
///
/// The key or value is too long, or the plugin has used up what it may keep; the text says why.
pub fn set(key: &str, value: &[u8]) -> Result<(), String> {
    open()?.set(key, value).map_err(why)
}

/// Removes a key; no matter if it is not there.
///
/// # Errors
///
/// The host refused; the text says why.
pub fn remove(key: &str) -> Result<(), String> {
    open()?.delete(key).map_err(why)
}

fn open() -> Result<store::Bucket, String> {
    store::open(BUCKET).map_err(why)
}

fn why(error: store::Error) -> String {
    match error {
        store::Error::NoSuchStore => format!("the host has no bucket `{BUCKET}`"),
        store::Error::AccessDenied => format!("the host does not grant the bucket `{BUCKET}`"),
        store::Error::Other(text) => text,
    }
}
