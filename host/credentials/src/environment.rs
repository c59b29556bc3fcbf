//! Secrets from the environment: for containers and services, where no file is wanted.

use secrecy::SecretString;

const SECRET: &str = "APPTSYNC_CREDENTIAL_";
const KEY_PASSWORD: &str = "APPTSYNC_KEY_PASSWORD_";

/// The variable that may hold the secret of a credential.
pub(crate) fn secret_variable(name: &str) -> String {
    variable(SECRET, name)
}

/// The variable that may hold the password of a credential's private key.
pub(crate) fn key_password_variable(name: &str) -> String {
    variable(KEY_PASSWORD, name)
}

/// The secret of a credential.
pub(crate) fn secret(name: &str) -> Option<SecretString> {
    value(&secret_variable(name))
}

/// The password of a credential's private key, where the environment holds it.
pub fn key_password(name: &str) -> Option<SecretString> {
    value(&key_password_variable(name))
}

/// The names of all credentials that have a secret in the environment.
pub(crate) fn names() -> Vec<String> {
    let variables = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let names = variables.filter_map(|(key, _)| credential_name(key.to_str()?));
    names.collect()
}

/// Names have lower case and hyphens only, so each has one variable, and each variable one name.
fn variable(prefix: &str, name: &str) -> String {
    format!("{prefix}{}", name.to_ascii_uppercase().replace('-', "_"))
}

fn credential_name(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(SECRET)?.to_ascii_lowercase().replace('_', "-");
    (secret_variable(&name) == variable && crate::file::is_name(&name)).then_some(name)
}

fn value(variable: &str) -> Option<SecretString> {
    std::env::var(variable).ok().filter(|value| !value.is_empty()).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_names_lead_to_each_other() {
        assert_eq!(secret_variable("contoso-2"), "APPTSYNC_CREDENTIAL_CONTOSO_2");
        assert_eq!(key_password_variable("contoso"), "APPTSYNC_KEY_PASSWORD_CONTOSO");
        assert_eq!(credential_name("APPTSYNC_CREDENTIAL_CONTOSO_2").as_deref(), Some("contoso-2"));
        assert_eq!(credential_name("APPTSYNC_CREDENTIAL_contoso"), None);
        assert_eq!(credential_name("APPTSYNC_CREDENTIAL_"), None);
        assert_eq!(credential_name("APPTSYNC_CREDENTIALS"), None);
    }
}
