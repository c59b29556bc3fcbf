//! The application that a credential speaks for, as it is registered in Microsoft Entra.

use crate::{Cloud, CredentialError};

const MAX_ID: usize = 128;

/// A registered application in a tenant of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Directory (tenant) id, or a domain of the tenant.
    pub tenant: String,
    /// Application (client) id.
    pub client_id: String,
    /// Where both are.
    pub cloud: Cloud,
}

impl Application {
    /// An application.
    ///
    /// # Errors
    /// Tenant or client id cannot be one.
    pub fn new(tenant: &str, client_id: &str, cloud: Cloud) -> Result<Self, CredentialError> {
        // Both become parts of an address.
        if !is_plain(tenant, |character| matches!(character, '-' | '.')) {
            return Err(CredentialError::Invalid(format!(
                "`{}` is no tenant: write its id or one of its domains, such as contoso.onmicrosoft.com",
                tenant.escape_debug()
            )));
        }
        if !is_plain(client_id, |character| matches!(character, '-' | '_' | '.')) {
            return Err(CredentialError::Invalid(format!(
                "`{}` is no client id: write the application's id, such as 11111111-2222-3333-4444-555555555555",
                client_id.escape_debug()
            )));
        }
        Ok(Self { tenant: tenant.to_owned(), client_id: client_id.to_owned(), cloud })
    }

    /// The address of an endpoint of the tenant, `token` or `devicecode`.
    pub(crate) fn endpoint(&self, name: &str) -> String {
        format!("{}/{}/oauth2/v2.0/{name}", self.cloud.login_server(), self.tenant)
    }
}

fn is_plain(text: &str, is_also: impl Fn(char) -> bool) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    begins && text.len() <= MAX_ID && text.chars().all(|other| other.is_ascii_alphanumeric() || is_also(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_and_client_id_cannot_leave_their_place_in_the_address() {
        for tenant in ["contoso.onmicrosoft.com", "organizations", "11111111-2222-3333-4444-555555555555"] {
            assert!(Application::new(tenant, "client", Cloud::Global).is_ok(), "{tenant}");
        }
        for wrong in ["", "..", "a/b", "a?b", "a#b", "a b", "a@b", "a\nb", "ä", &"a".repeat(129)] {
            assert!(Application::new(wrong, "client", Cloud::Global).is_err(), "{wrong}");
            assert!(Application::new("tenant", wrong, Cloud::Global).is_err(), "{wrong}");
        }
        let application = Application::new("tenant", "client", Cloud::China).expect("an application");
        assert_eq!(application.endpoint("token"), "https://login.chinacloudapi.cn/tenant/oauth2/v2.0/token");
    }
}
