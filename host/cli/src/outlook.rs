//! What a profile needs to be synchronised: its connector with what it is granted, its settings, its zone.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use anyhow::Context as _;
use apptsync_credentials::{Credential, CredentialFile, Unlock};
use apptsync_model::outlook::{
    Account, Connection, ConnectorFailure, Push, Pushed, RemoteItem, RemotePage, SyncSettings, Target, Window,
};
use apptsync_model::{Instant, MasterData};
use apptsync_runtime::{
    Authorizer, Connector, ConnectorPlugin, HttpGrant, MemoryState, Origin, Plugin, RunClock, Runtime,
};
use apptsync_store::{OutlookStore, SettingsOwner, StoredProfile};
use chrono_tz::Tz;
use secrecy::SecretString;

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

/// A credential, its user, and the certificates that may vouch for its token server.
type AuthorizerKey = (String, String, Vec<Vec<u8>>);

/// Opens connectors; credentials that several profiles use are opened once.
pub struct Connectors<'a> {
    workspace: &'a Workspace,
    runtime: &'a Runtime,
    clock: RunClock,
    key_password: Option<&'a SecretString>,
    authorizers: HashMap<AuthorizerKey, Arc<dyn Authorizer>>,
}

impl<'a> Connectors<'a> {
    /// For a run at an instant. The password opens protected private keys.
    #[must_use]
    pub fn new(
        workspace: &'a Workspace,
        runtime: &'a Runtime,
        now: Instant,
        key_password: Option<&'a SecretString>,
    ) -> Self {
        Self { workspace, runtime, clock: RunClock::new(now), key_password, authorizers: HashMap::new() }
    }

    /// The connector of a profile.
    ///
    /// # Errors
    /// It is not configured, its credential cannot be used, or the plugin cannot.
    pub fn open(&mut self, store: &dyn OutlookStore, stored: &StoredProfile) -> anyhow::Result<OpenConnector> {
        let profile = &stored.profile;
        let connector = configured(self.workspace, &profile.connector)?;
        let mut spec = connector.plugin_spec();
        for folder in &spec.write {
            fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        }
        let credential = profile.credential.as_ref().or(connector.credential.as_ref());
        let certificates = certificates(connector)?;
        let authorizer = credential.map(|name| self.authorizer(name, &profile.mailbox, &certificates)).transpose()?;
        let mut origins = connector.http.clone();
        if !profile.server.is_empty() {
            let origin = origin_of(&profile.server)?;
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        spec.http = origins
            .into_iter()
            .map(|origin| HttpGrant {
                allow_private: connector.allow_private || profile.allow_private,
                authorizer: authorizer.clone(),
                certificates: certificates.clone(),
                origin,
            })
            .collect();
        let state = Arc::new(MemoryState::new(store.connector_state(stored.id)?));
        spec.state = Some(state.clone());
        let plugin = ConnectorPlugin::new(Plugin::load(self.runtime, &spec, self.clock.clone())?)?;
        Ok(OpenConnector { plugin, state })
    }

    fn authorizer(&mut self, name: &str, user: &str, certificates: &[Vec<u8>]) -> anyhow::Result<Arc<dyn Authorizer>> {
        let key = (name.to_owned(), user.to_owned(), certificates.to_vec());
        if let Some(known) = self.authorizers.get(&key) {
            return Ok(known.clone());
        }
        let file = CredentialFile::of_workspace(&self.workspace.folder)?;
        let unlock =
            Unlock { user: Some(user).filter(|user| !user.is_empty()), key_password: self.key_password, certificates };
        let authorizer = file.authorizer(name, unlock)?;
        // A token serves every mailbox; a password belongs to its user.
        self.authorizers.insert(key, authorizer.clone());
        Ok(authorizer)
    }
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
/// The credential is not there or cannot be read.
pub fn default_server(
    workspace: &Workspace,
    connector: &ConnectorConfiguration,
    credential: Option<&str>,
) -> anyhow::Result<String> {
    if connector.plugin_name != "outlook-graph" {
        return Ok(String::new());
    }
    let Some(name) = credential.or(connector.credential.as_deref()) else { return Ok(GRAPH.to_owned()) };
    let credential: Credential = CredentialFile::of_workspace(&workspace.folder)?.get(name)?;
    Ok(credential.application().map_or(GRAPH, |application| application.cloud.graph_server()).to_owned())
}

/// The origin of a server address.
///
/// # Errors
/// The address is none: a [`UsageError`].
pub fn origin_of(server: &str) -> anyhow::Result<Origin> {
    let end = server.find("://").map_or(0, |scheme| scheme + 3);
    let rest = &server[end..];
    let authority = rest.find(['/', '?', '#']).map_or(rest, |path| &rest[..path]);
    let origin = format!("{}{authority}", &server[..end]);
    origin
        .parse()
        .map_err(|error| UsageError(format!("the server address `{}`: {error}", server.escape_debug())).into())
}

fn certificates(connector: &ConnectorConfiguration) -> anyhow::Result<Vec<Vec<u8>>> {
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
pub struct NoConnector;

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
