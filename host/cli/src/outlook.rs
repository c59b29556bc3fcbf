//! What a profile needs to be synchronised: its connector with what it is granted, its settings, its zone.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use anyhow::Context as _;
use apptsync_credentials::{Credential, CredentialFile, Kind, SecretString, Unlock};
use apptsync_model::outlook::{
    Account, Connection, ConnectorFailure, Profile, Push, Pushed, RemoteItem, RemotePage, RemoteVersions, SyncSettings,
    Target, Window,
};
use apptsync_model::{Instant, MasterData};
use apptsync_pipeline::outlook::Synchronisation;
use apptsync_runtime::{
    Authorizer, Connector, ConnectorPlugin, HttpGrant, MemoryState, Origin, Plugin, RunClock, Runtime,
};
use apptsync_store::{OutlookStore, SettingsOwner, Store, StoredProfile};
use chrono_tz::Tz;

use crate::configuration::{ConnectorConfiguration, unknown_connector};
use crate::context::{UsageError, Workspace};

/// The server of Microsoft Graph where neither profile nor credential names another.
const GRAPH: &str = "https://graph.microsoft.com";

/// A connector that is ready to speak for a profile.
pub struct OpenConnector {
    /// The connector.
    pub plugin: ConnectorPlugin,
    /// What it keeps.
    pub state: Arc<MemoryState>,
}

/// A credential with its user and server, and the certificates that may vouch for its token server.
type AuthorizerKey = (String, String, Option<Origin>, Vec<Vec<u8>>);

/// What adds a credential to requests, and the origin that it belongs to.
type Opened = (Origin, Arc<dyn Authorizer>);

/// Passwords of protected private keys, each for the credential of its name alone.
pub type KeyPasswords = HashMap<String, SecretString>;

/// Opens connectors; credentials that several profiles use are opened once.
pub struct Connectors<'a> {
    workspace: &'a Workspace,
    runtime: &'a Runtime,
    clock: RunClock,
    key_passwords: &'a KeyPasswords,
    authorizers: HashMap<AuthorizerKey, Opened>,
}

impl<'a> Connectors<'a> {
    /// For a run at an instant. The passwords open protected private keys.
    #[must_use]
    pub fn new(workspace: &'a Workspace, runtime: &'a Runtime, now: Instant, key_passwords: &'a KeyPasswords) -> Self {
        Self { workspace, runtime, clock: RunClock::new(now), key_passwords, authorizers: HashMap::new() }
    }

    /// The connector of a profile.
    ///
    /// # Errors
    /// It is not configured, its credential cannot be used or belongs to another server, or the plugin cannot be used.
    pub fn open(&mut self, store: &dyn OutlookStore, stored: &StoredProfile) -> anyhow::Result<OpenConnector> {
        let profile = &stored.profile;
        let connector = configured(self.workspace, &profile.connector)?;
        let mut spec = connector.plugin_spec();
        for folder in &spec.write {
            fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        }
        let certificates = certificates(connector)?;
        let server = Some(&*profile.server).filter(|server| !server.is_empty()).map(origin_of).transpose()?;
        let credential = credential_of(profile, connector);
        let opened = credential
            .map(|name| self.authorizer(name, &profile.mailbox, server.as_ref(), &certificates))
            .transpose()
            .with_context(|| format!("profile `{}` cannot use its credential", profile.name))?;
        spec.http = grants(connector, profile, server.as_ref(), opened.as_ref(), &certificates);
        let state = Arc::new(MemoryState::of(&profile.connector, store.connector_state(stored.id)?));
        spec.state = Some(state.clone());
        let plugin = ConnectorPlugin::new(Plugin::load(self.runtime, &spec, self.clock.clone())?)?;
        Ok(OpenConnector { plugin, state })
    }

    fn authorizer(
        &mut self,
        name: &str,
        user: &str,
        server: Option<&Origin>,
        certificates: &[Vec<u8>],
    ) -> anyhow::Result<Opened> {
        let file = CredentialFile::of_workspace(&self.workspace.folder)?;
        // A token serves every mailbox; a password belongs to its user.
        let user =
            Some(user).filter(|user| !user.is_empty() && file.get(name).is_ok_and(|it| it.kind() == Kind::Password));
        let key = (name.to_owned(), user.unwrap_or_default().to_owned(), server.cloned(), certificates.to_vec());
        if let Some(known) = self.authorizers.get(&key) {
            return Ok(known.clone());
        }
        let unlock = Unlock { user, key_password: self.key_passwords.get(name), certificates };
        let opened = file.authorizer(name, server, unlock)?;
        self.authorizers.insert(key, opened.clone());
        Ok(opened)
    }
}

/// What a connector may reach for a profile. The credential goes to its own origin alone, and what the profile allows holds
/// for its server alone.
fn grants(
    connector: &ConnectorConfiguration,
    profile: &Profile,
    server: Option<&Origin>,
    opened: Option<&Opened>,
    certificates: &[Vec<u8>],
) -> Vec<HttpGrant> {
    let grant = |origin: &Origin| HttpGrant {
        origin: origin.clone(),
        allow_private: connector.allow_private || (profile.allow_private && server == Some(origin)),
        authorizer: opened.filter(|(own, _)| own == origin).map(|(_, authorizer)| authorizer.clone()),
        certificates: certificates.to_vec(),
    };
    let others = connector.http.iter().filter(|origin| server != Some(*origin));
    server.into_iter().chain(others).map(grant).collect()
}

/// The credential of a profile: its own, or else that of its connector.
#[must_use]
pub fn credential_of<'a>(profile: &'a Profile, connector: &'a ConnectorConfiguration) -> Option<&'a str> {
    profile.credential.as_deref().or(connector.credential.as_deref())
}

/// The connector of that name.
///
/// # Errors
/// There is none: a [`UsageError`].
pub fn configured<'a>(workspace: &'a Workspace, name: &str) -> anyhow::Result<&'a ConnectorConfiguration> {
    let connectors = &workspace.configuration.connectors;
    let found = connectors.iter().find(|connector| connector.name == name);
    found.ok_or_else(|| UsageError(unknown_connector(name, connectors)).into())
}

/// The server address that a profile gets where none is named: that of the credential's cloud.
///
/// # Errors
/// The credential is not there or cannot be read: a [`UsageError`].
pub fn default_server(
    workspace: &Workspace,
    connector: &ConnectorConfiguration,
    credential: Option<&str>,
) -> anyhow::Result<String> {
    if connector.plugin_name != "outlook-graph" {
        return Ok(String::new());
    }
    let Some(name) = credential.or(connector.credential.as_deref()) else { return Ok(GRAPH.to_owned()) };
    let file = CredentialFile::of_workspace(&workspace.folder)?;
    let credential: Credential = file.get(name).map_err(|error| UsageError(error.to_string()))?;
    Ok(credential.application().map_or(GRAPH, |application| application.cloud.graph_server()).to_owned())
}

/// The origin of a server address.
///
/// # Errors
/// The address is none: a [`UsageError`] that does not show a password in it.
pub fn origin_of(server: &str) -> anyhow::Result<Origin> {
    Origin::of_url(server).map_err(|error| UsageError(format!("the server address {error}")).into())
}

/// Certificates (DER) that are trusted for a connector's servers, besides those that the machine trusts.
///
/// # Errors
/// A file cannot be read, or holds none.
pub fn certificates(connector: &ConnectorConfiguration) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for file in &connector.certificates {
        let text = fs::read(file).with_context(|| format!("the certificates {} cannot be read", file.display()))?;
        let mut parsed =
            pem::parse_many(text).with_context(|| format!("{} is no file of certificates (PEM)", file.display()))?;
        parsed.retain(|block| block.tag() == "CERTIFICATE");
        if parsed.is_empty() {
            let message = format!("{} holds no certificate (PEM): correct `certificates`", file.display());
            return Err(UsageError(message).into());
        }
        found.extend(parsed.into_iter().map(pem::Pem::into_contents));
    }
    Ok(found)
}

/// Activity synchronization settings in force for a representative: the user's as a whole, or else the database's.
///
/// # Errors
/// The database cannot be read.
pub fn settings_of(store: &dyn OutlookStore, employee: &str) -> anyhow::Result<Option<SyncSettings>> {
    let own = store.sync_settings(&SettingsOwner::User(employee.to_owned()))?;
    Ok(match own {
        Some(own) => Some(own),
        None => store.sync_settings(&SettingsOwner::Database)?,
    })
}

/// The zone of a representative's organization.
#[must_use]
pub fn zone_of(master: &MasterData, employee: &str) -> Tz {
    let organization = master.employee.iter().find(|found| found.id == employee).map(|found| &found.organization);
    let found = organization.and_then(|id| master.organization.iter().find(|found| found.id == *id));
    found.map_or(Tz::UTC, |organization| organization.time_zone)
}

/// The account that a connector speaks for.
#[must_use]
pub fn account(stored: &StoredProfile, zone: Tz) -> Account {
    Account {
        server: stored.profile.server.clone(),
        mailbox: stored.profile.mailbox.clone(),
        zone: zone.name().to_owned(),
    }
}

/// For what needs no server: every call is refused.
struct NoConnector;

/// A profile with all that is known of it here; its server is not asked.
#[must_use]
pub fn without_server<'a>(
    store: &'a dyn Store,
    master: &MasterData,
    profile: &'a StoredProfile,
    settings: &'a SyncSettings,
) -> Synchronisation<'a> {
    let zone = zone_of(master, &profile.profile.employee);
    Synchronisation { store, connector: &NoConnector, state: None, profile, settings, zone }
}

/// Why [`NoConnector`] does nothing.
fn not_asked() -> ConnectorFailure {
    ConnectorFailure::Permanent("the server is not asked here".to_owned())
}

impl Connector for NoConnector {
    fn probe(&self, _: &Account) -> Result<Connection, ConnectorFailure> {
        Err(not_asked())
    }

    fn pull(&self, _: &Account, _: &Target, _: Window, _: Option<&str>) -> Result<RemotePage, ConnectorFailure> {
        Err(not_asked())
    }

    fn versions(
        &self,
        _: &Account,
        _: &Target,
        _: Window,
        _: Option<&str>,
    ) -> Result<Option<RemoteVersions>, ConnectorFailure> {
        Err(not_asked())
    }

    fn fetch(&self, _: &Account, _: &Target, _: &[&str]) -> Result<Vec<Fetched>, ConnectorFailure> {
        Err(not_asked())
    }

    fn find(&self, _: &Account, _: &Target, _: &[&str]) -> Result<Vec<Vec<RemoteItem>>, ConnectorFailure> {
        Err(not_asked())
    }

    fn push(&self, _: &Account, _: &Target, _: &[Push]) -> Result<Vec<Pushed>, ConnectorFailure> {
        Err(not_asked())
    }
}

/// What `fetch` answers about one item.
type Fetched = Result<Option<RemoteItem>, ConnectorFailure>;

/// The profile of that name.
///
/// # Errors
/// There is none: a [`UsageError`].
pub fn profile_named(store: &dyn OutlookStore, name: &str) -> anyhow::Result<StoredProfile> {
    let profiles = store.profiles()?;
    let found = profiles.iter().find(|stored| stored.profile.name == name);
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = profiles.iter().map(|stored| stored.profile.name.as_str()).collect();
        let there = if names.is_empty() {
            "there is none yet: `apptsync outlook profile add` makes one".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        UsageError(format!("`{}` is no profile: {there}", name.escape_debug())).into()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
    use apptsync_runtime::NoAuthorization;

    use super::*;
    use crate::configuration::Configuration;

    struct Fixed;

    impl Authorizer for Fixed {
        fn authorization(&self) -> Result<SecretString, NoAuthorization> {
            Ok("Bearer token".into())
        }

        fn refused(&self, _: &SecretString) {}
    }

    #[test]
    fn credential_and_private_network_of_a_profile_hold_for_one_origin_each() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("apptsync.toml");
        let more = "http = [\"https://one.example\", \"https://two.example\", \"https://server.example\"]";
        fs::write(&file, format!("[connectors.caldav]\n{more}\n")).unwrap();
        let mut connector = Configuration::read(&file).unwrap().connectors.remove(0);
        let profile = Profile { allow_private: true, ..Profile::default() };
        let origin = |text: &str| text.parse::<Origin>().unwrap();
        let (server, opened) =
            (origin("https://server.example"), (origin("https://two.example"), Arc::new(Fixed) as _));
        let given = |connector: &ConnectorConfiguration| {
            let grants = grants(connector, &profile, Some(&server), Some(&opened), &[]);
            let given = grants
                .iter()
                .map(|grant| (grant.origin.host().to_owned(), grant.allow_private, grant.authorizer.is_some()));
            given.collect::<Vec<_>>()
        };
        let expected = |one: bool| {
            [("server.example", true, false), ("one.example", one, false), ("two.example", one, true)]
                .map(|(host, allow_private, has_authorizer)| (host.to_owned(), allow_private, has_authorizer))
        };
        assert_eq!(given(&connector), expected(false));
        connector.allow_private = true;
        assert_eq!(given(&connector), expected(true));
    }

    #[test]
    fn a_password_in_a_server_address_is_refused_and_not_shown() {
        for server in
            ["https://anna:hunter2@dav.example/cal", "https://anna:hunt/hunter2@dav.example", "anna:hunter2@dav"]
        {
            let said = origin_of(server).unwrap_err().to_string();
            assert!(said.starts_with("the server address `…@dav") && !said.contains("hunt"), "{said}");
        }
    }
}
