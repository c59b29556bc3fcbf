//! The plugin's `config` table of `apptsync.toml`.
//!
//! Asks the host, so these functions work in a component only.

use crate::bindings::shared::wasi::config::store;

/// The value of a key: a string as it is, anything else as JSON. None when the key is not there.
///
/// # Errors
///
/// The host could not read the configuration; the text says why.
pub fn get(key: &str) -> Result<Option<String>, String> {
    store::get(key).map_err(why)
}

/// All keys and values.
///
/// # Errors
///
/// The host could not read the configuration; the text says why.
pub fn all() -> Result<Vec<(String, String)>, String> {
    store::get_all().map_err(why)
}

/// A value that is a list of texts: a JSON array of strings (what a TOML array arrives as), or texts between commas.
///
/// # Errors
///
/// The value begins like a JSON array and is not one of strings.
pub fn list(value: &str) -> Result<Vec<String>, String> {
    if value.trim_start().starts_with('[') {
        return serde_json::from_str(value).map_err(|error| format!("`{value}` is not a list of texts: {error}"));
    }
    Ok(value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
}

fn why(error: store::Error) -> String {
    match error {
        store::Error::Upstream(text) | store::Error::Io(text) => format!("the configuration cannot be read: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn a_list_is_a_json_array_or_texts_between_commas() {
        let expected = vec!["C1".to_owned(), "C 2".to_owned()];
        assert_eq!(list(r#" ["C1", "C 2"]"#), Ok(expected.clone()));
        assert_eq!(list(" C1 , C 2,"), Ok(expected));
        assert_eq!(list(""), Ok(Vec::new()));
        assert!(list("[1]").is_err());
    }
}
