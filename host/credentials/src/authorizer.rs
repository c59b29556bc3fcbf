//! What adds the `Authorization` header: user and password, or a token that is fetched when it is needed and kept in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use apptsync_runtime::{Authorizer, NoAuthorization, Origin};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::RsaKeyPair;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::assertion::assertion;
use crate::device_code::scopes;
use crate::token::{Advice, Token, TokenFailure, TokenServers};
use crate::{
    Application, AssertionAlgorithm, BundleError, Credential, CredentialError, CredentialFile, Kind, environment,
};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A token is not used in its last minutes: a request may be under way longer than it lives.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// Time between two tokens that are fetched because a server refused the one before: whoever answers 401 to everything would
/// have the token server asked without end.
const BETWEEN_REPLACEMENTS: Duration = Duration::from_secs(60);

/// What the use of a credential may need besides itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlock<'a> {
    /// The user, for a password without one: that of the profile.
    pub user: Option<&'a str>,
    /// The password of a protected private key, where none is stored or in the environment.
    pub key_password: Option<&'a SecretString>,
    /// Certificates (DER) that may vouch for a token server, besides those that the machine trusts.
    pub certificates: &'a [Vec<u8>],
}

impl CredentialFile {
    /// What adds the `Authorization` header by a credential, and the one origin that it belongs to: Graph for tokens, its
    /// own server for a password that has one, and for any other the server given here. One is enough for all that use the
    /// credential there: it keeps the token, and fetches it once when many ask.
    ///
    /// # Errors
    /// There is no such credential, it belongs to another server than this one or to none, or it cannot be used: its key's
    /// password is missing or wrong, or its certificate has expired. No token is fetched yet.
    pub fn authorizer(
        &self,
        name: &str,
        server: Option<&Origin>,
        unlock: Unlock<'_>,
    ) -> Result<(Origin, Arc<dyn Authorizer>), CredentialError> {
        let credential = self.get(name)?;
        let origin = match (credential.origin()?, server) {
            (Some(own), Some(server)) if own != *server => {
                let (name, server) = (name.to_owned(), server.clone());
                return Err(CredentialError::Elsewhere { name, own, server });
            }
            (Some(own), _) => own,
            (None, Some(server)) => server.clone(),
            (None, None) => return Err(unusable(name, "it belongs to no server: name the server of the profile")),
        };
        let grant = match credential {
            Credential::Password(login) => {
                let user = login.user.as_deref().or(unlock.user);
                return Ok((origin, Arc::new(Basic::new(name, user, login.password.as_ref())?)));
            }
            Credential::ClientSecret(login) => {
                let secret = login.secret.ok_or_else(|| unusable(name, "its secret is missing"))?;
                Grant::Secret { application: login.application, secret }
            }
            Credential::Certificate(login) => {
                let now = chrono::Utc::now().into();
                if let Some(why) = login.certificate.validity().problem(now) {
                    let why = format!("{why}; replace it with `apptsync credentials add {name} --replace`");
                    return Err(CredentialError::Certificate { name: name.to_owned(), why });
                }
                let own = environment::key_password(name).or(login.key_password);
                let password = own.or_else(|| unlock.key_password.cloned());
                let key = login.certificate.unlock(password.as_ref()).map_err(|error| match error {
                    BundleError::NeedsPassword => CredentialError::KeyPassword {
                        name: name.to_owned(),
                        variable: environment::key_password_variable(name),
                    },
                    error => CredentialError::Certificate { name: name.to_owned(), why: error.to_string() },
                })?;
                let certificate = login.certificate.der().to_owned();
                let (application, algorithm) = (login.application, login.assertion);
                Grant::Certificate { application, key: Box::new(key), certificate, algorithm }
            }
            Credential::DeviceCode(_) => Grant::Person { file: self.clone() },
            Credential::Ibus(_) => return Err(unusable(name, "it holds the passwords of IBUS, and opens no server")),
        };
        let servers = TokenServers::vouched_for_by(unlock.certificates);
        Ok((origin, Arc::new(TokenAuthorizer::new(name, grant, servers))))
    }
}

fn unusable(name: &str, why: &str) -> CredentialError {
    CredentialError::Invalid(format!("the credential `{name}` cannot be used here: {why}"))
}

/// User and password in every request.
struct Basic {
    header: SecretString,
}

impl Basic {
    fn new(name: &str, user: Option<&str>, password: Option<&SecretString>) -> Result<Self, CredentialError> {
        let user = user.ok_or_else(|| unusable(name, "it has no user: add it again with --user and --replace"))?;
        let password = password.ok_or_else(|| unusable(name, "its password is missing"))?.expose_secret();
        // As of RFC 7617, the first colon ends the user.
        if user.contains(':') || user.chars().chain(password.chars()).any(char::is_control) {
            return Err(unusable(name, "a user has no colon, and neither it nor the password has control characters"));
        }
        let both = Zeroizing::new(format!("{user}:{password}"));
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(both.as_bytes()));
        Ok(Self { header: format!("Basic {}", encoded.as_str()).into() })
    }
}

impl Authorizer for Basic {
    fn authorization(&self) -> Result<SecretString, NoAuthorization> {
        Ok(self.header.clone())
    }

    fn refused(&self, _: &SecretString) {}
}

/// How a token is got.
enum Grant {
    Secret {
        application: Application,
        secret: SecretString,
    },
    Certificate {
        application: Application,
        key: Box<RsaKeyPair>,
        certificate: Vec<u8>,
        algorithm: AssertionAlgorithm,
    },
    /// The refresh token stays in the file: each use replaces it, and other processes use it too.
    Person {
        file: CredentialFile,
    },
}

/// Tokens, kept until shortly before they expire.
struct TokenAuthorizer {
    name: String,
    servers: TokenServers,
    grant: Grant,
    kept: Mutex<Kept>,
    /// Counts the fetches, so that those who waited for one take its outcome instead of trying again.
    fetches: AtomicU64,
}

#[derive(Default)]
struct Kept {
    token: Option<KeptToken>,
    /// The last fetch, if it failed, and when.
    failure: Option<(NoAuthorization, Instant)>,
    /// When a token was last taken away because a server refused it.
    replaced: Option<Instant>,
}

impl Kept {
    /// What the last fetch failed with, as long as another one can only fail again: hundreds of mailboxes may share a credential,
    /// and whoever asks an identity provider that often with a wrong secret is locked out.
    fn standing_failure(&self, now: Instant) -> Option<NoAuthorization> {
        let (failure, failed) = self.failure.as_ref()?;
        let stands =
            matches!(failure, NoAuthorization::Refused(_)) && now.duration_since(*failed) < BETWEEN_REPLACEMENTS;
        stands.then(|| failure.clone())
    }

    /// Takes the token away that a server refused, unless that was just done: another has taken its place, or will not help.
    fn refuse(&mut self, used: &SecretString, now: Instant) {
        let is_kept = |token: &KeptToken| token.header.expose_secret() == used.expose_secret();
        let is_soon = |replaced| now.duration_since(replaced) < BETWEEN_REPLACEMENTS;
        if self.token.as_ref().is_some_and(is_kept) && !self.replaced.is_some_and(is_soon) {
            self.token = None;
            self.replaced = Some(now);
        }
    }
}

struct KeptToken {
    header: SecretString,
    usable_until: Instant,
}

impl KeptToken {
    fn new(token: &Token, fetched: Instant) -> Self {
        let header = format!("Bearer {}", token.access_token.expose_secret()).into();
        // A token that lives for minutes only is used for half of them.
        let usable = token.lifetime.saturating_sub(MARGIN).max(token.lifetime / 2);
        Self { header, usable_until: fetched + usable }
    }
}

impl TokenAuthorizer {
    fn new(name: &str, grant: Grant, servers: TokenServers) -> Self {
        Self { name: name.to_owned(), servers, grant, kept: Mutex::default(), fetches: AtomicU64::new(0) }
    }

    fn fetch(&self) -> Result<Token, NoAuthorization> {
        match &self.grant {
            Grant::Secret { application, secret } => {
                let proof = [("client_secret", secret.expose_secret())];
                self.client_credentials(application, &proof, Kind::ClientSecret)
            }
            Grant::Certificate { application, key, certificate, algorithm } => {
                let now = chrono::Utc::now().timestamp();
                let endpoint = application.endpoint("token");
                let signed = assertion(key, certificate, *algorithm, &endpoint, &application.client_id, now);
                let cannot = |_| format!("the private key of the credential `{}` cannot sign", self.name);
                let signed = signed.map_err(cannot).map_err(NoAuthorization::Refused)?;
                let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", signed.expose_secret())];
                self.client_credentials(application, &proof, Kind::Certificate)
            }
            Grant::Person { file } => self.refresh(file),
        }
    }

    fn client_credentials(
        &self,
        application: &Application,
        proof: &[(&str, &str)],
        kind: Kind,
    ) -> Result<Token, NoAuthorization> {
        let scope = format!("{}/.default", application.cloud.graph_server());
        let mut form =
            vec![("grant_type", "client_credentials"), ("client_id", &application.client_id), ("scope", &scope)];
        form.extend(proof);
        let token = self.servers.token(application, &form);
        token.map_err(|failure| self.reason(&failure, application, kind))
    }

    /// Refreshes the login, and puts the new refresh token into the file before anybody else can use the old one.
    fn refresh(&self, file: &CredentialFile) -> Result<Token, NoAuthorization> {
        let mut change = file.change(&self.name).map_err(|error| NoAuthorization::Refused(error.to_string()))?;
        let Credential::DeviceCode(login) = &mut change.credential else {
            let why = format!("the credential `{}` was replaced by one of another kind: run again", self.name);
            return Err(NoAuthorization::Refused(why));
        };
        let application = &login.application;
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &*application.client_id),
            ("refresh_token", login.refresh_token.expose_secret()),
            ("scope", &scopes(application)),
        ];
        let token = self.servers.token(application, &form);
        let token = token.map_err(|failure| self.reason(&failure, application, Kind::DeviceCode))?;
        if let Some(fresh) = &token.refresh_token {
            login.refresh_token = fresh.clone();
        }
        login.refreshed_at = chrono::Utc::now().into();
        if let Err(error) = change.write() {
            // The token is good; whether the next one will be depends on the server.
            tracing::warn!("the refreshed login `{}` is not kept: {error}", self.name);
        }
        Ok(token)
    }

    fn reason(&self, failure: &TokenFailure, application: &Application, kind: Kind) -> NoAuthorization {
        let Application { tenant, client_id, cloud } = application;
        let cloud = match cloud {
            crate::Cloud::Custom { login_server, graph_server } => {
                format!("--login-server {login_server} --graph-server {graph_server}")
            }
            named => format!("--cloud {}", named.name()),
        };
        let (name, kind) = (&self.name, kind.name());
        let replace = format!(
            "apptsync credentials add {name} --kind {kind} --tenant {tenant} --client-id {client_id} {cloud} --replace"
        );
        let words = failure.sentence(Advice { name, replace: &replace });
        if failure.may_pass() { NoAuthorization::Unavailable(words) } else { NoAuthorization::Refused(words) }
    }
}

impl Authorizer for TokenAuthorizer {
    fn authorization(&self) -> Result<SecretString, NoAuthorization> {
        let seen = self.fetches.load(Ordering::SeqCst);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = kept.token.as_ref().filter(|token| Instant::now() < token.usable_until) {
            return Ok(token.header.clone());
        }
        // Whoever held the lock has just tried.
        if self.fetches.load(Ordering::SeqCst) != seen
            && let Some((failure, _)) = &kept.failure
        {
            return Err(failure.clone());
        }
        if let Some(failure) = kept.standing_failure(Instant::now()) {
            return Err(failure);
        }
        let asked = Instant::now();
        let fetched = self.fetch();
        self.fetches.fetch_add(1, Ordering::SeqCst);
        match fetched {
            Ok(token) => {
                let token = KeptToken::new(&token, asked);
                let header = token.header.clone();
                (kept.token, kept.failure) = (Some(token), None);
                Ok(header)
            }
            Err(failure) => {
                (kept.token, kept.failure) = (None, Some((failure.clone(), asked)));
                Err(failure)
            }
        }
    }

    fn refused(&self, used: &SecretString) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).refuse(used, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable(lifetime: u64) -> u64 {
        let now = Instant::now();
        let token =
            Token { access_token: "token".into(), lifetime: Duration::from_secs(lifetime), refresh_token: None };
        KeptToken::new(&token, now).usable_until.duration_since(now).as_secs()
    }

    #[test]
    fn a_token_is_not_used_in_its_last_five_minutes_and_a_short_one_for_half_its_life() {
        for (lifetime, expected) in [(3599, 3299), (86_400, 86_100), (600, 300), (60, 30), (0, 0)] {
            assert_eq!(usable(lifetime), expected, "{lifetime}");
        }
    }

    #[test]
    fn a_refused_token_is_replaced_once_a_minute_and_a_newer_one_stays() {
        let now = Instant::now();
        let token = |text: &str| {
            let lifetime = Duration::from_secs(3_600);
            let token = Token { access_token: text.into(), lifetime, refresh_token: None };
            Some(KeptToken::new(&token, now))
        };
        let [one, two, three] = ["Bearer one", "Bearer two", "Bearer three"].map(SecretString::from);
        let mut kept = Kept { token: token("one"), ..Kept::default() };
        kept.refuse(&two, now);
        assert!(kept.token.is_some(), "another one was refused");
        kept.refuse(&one, now);
        assert!(kept.token.is_none());
        kept.token = token("two");
        kept.refuse(&one, now);
        kept.refuse(&two, now + Duration::from_secs(59));
        assert!(kept.token.is_some(), "the old one, and the new one too soon");
        kept.refuse(&two, now + Duration::from_secs(60));
        assert!(kept.token.is_none());
        kept.token = token("three");
        kept.refuse(&three, now + Duration::from_secs(119));
        assert!(kept.token.is_some());
    }

    #[test]
    fn a_credential_that_was_refused_is_not_tried_again_at_once() {
        let now = Instant::now();
        let failed = |failure| Kept { failure: Some((failure, now)), ..Kept::default() };
        let refused = failed(NoAuthorization::Refused("wrong secret".to_owned()));
        assert!(refused.standing_failure(now + Duration::from_secs(59)).is_some());
        assert!(refused.standing_failure(now + Duration::from_secs(60)).is_none());
        let unavailable = failed(NoAuthorization::Unavailable("no answer".to_owned()));
        assert!(unavailable.standing_failure(now).is_none(), "that may be over already");
    }

    #[test]
    fn user_and_password_are_encoded_and_cannot_make_another_header() {
        let header = |user: Option<&str>, password: &str| Basic::new("one", user, Some(&password.into()));
        let basic = header(Some("Aladdin"), "open sesame").expect("usable");
        assert_eq!(basic.authorization().expect("a header").expose_secret(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(header(Some("zoë"), "a:b").is_ok());
        for (user, password) in [(None, "p"), (Some("a:b"), "p"), (Some("a\n"), "p"), (Some("a"), "hunter2\r\nX: y")] {
            let error = header(user, password).err().expect("refused").to_string();
            assert!(!error.contains("hunter2") && error.contains("`one`"), "{error}");
        }
    }
}
