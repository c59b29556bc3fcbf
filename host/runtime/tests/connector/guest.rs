//! The guest `tests/guest-connector` in a runtime of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use apptsync_model::Instant;
use apptsync_model::outlook::{Account, ConnectorFailure};
use apptsync_runtime::{
    CompileCache, Connector, ConnectorPlugin, HttpClient, HttpGrant, KeyValue, Limits, LoadError, Plugin, PluginOrigin,
    PluginSpec, RunClock, Runtime, Statistics, World,
};
use apptsync_tests::component;
use apptsync_tests::server::Server;

/// A guest with what it is granted.
pub(crate) struct Guest {
    spec: PluginSpec,
    client: HttpClient,
}

fn binary() -> &'static Path {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| component("connector-guest"))
}

impl Guest {
    pub(crate) fn new(behaviour: &str) -> Self {
        let spec = PluginSpec {
            name: "connector-guest".into(),
            stage: "connector".into(),
            world: World::Connector,
            origin: PluginOrigin::File(binary().to_owned()),
            sha256: None,
            limits: Limits::default(),
            config: vec![("behaviour".into(), behaviour.into())],
            read: Vec::new(),
            write: Vec::new(),
            // An origin that nobody asks, so that there is one.
            http: vec![HttpGrant::new("https://granted.example".parse().expect("an origin"))],
            state: None,
        };
        Self { spec, client: HttpClient::default() }
    }

    /// With one more key of its configuration.
    pub(crate) fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.spec.config.push((key.into(), value.to_string()));
        self
    }

    /// Granted this server, and asking it.
    pub(crate) fn asking(self, server: &Server) -> Self {
        let grant = HttpGrant::new(server.origin().parse().expect("an origin"));
        self.granted(grant).with("scheme", "http").with("authority", format!("127.0.0.1:{}", server.port()))
    }

    pub(crate) fn granted(mut self, grant: HttpGrant) -> Self {
        self.spec.http.push(grant);
        self
    }

    pub(crate) fn without_grants(mut self) -> Self {
        self.spec.http.clear();
        self
    }

    pub(crate) fn in_world(mut self, world: World) -> Self {
        self.spec.world = world;
        self
    }

    pub(crate) fn with_state(mut self, state: Arc<dyn KeyValue>) -> Self {
        self.spec.state = Some(state);
        self
    }

    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.spec.limits.deadline = deadline;
        self
    }

    pub(crate) fn client(mut self, client: HttpClient) -> Self {
        self.client = client;
        self
    }

    pub(crate) fn load(&self) -> Result<ConnectorPlugin, LoadError> {
        let cache = component_cache();
        let runtime = Runtime::new(Some(cache)).expect("the engine").with_http(self.client.clone());
        ConnectorPlugin::new(Plugin::load(&runtime, &self.spec, RunClock::new(Instant(1_800_000_000)))?)
    }

    /// What the guest found, and what it used.
    pub(crate) fn run(&self) -> (Result<Vec<String>, ConnectorFailure>, Statistics) {
        let plugin = self.load().expect("a plugin");
        let account = Account { server: "test".into(), mailbox: "anna".into(), zone: "UTC".into() };
        let found = plugin.probe(&account);
        let names = found.map(|connection| connection.collections.into_iter().map(|found| found.name).collect());
        (names, plugin.plugin().statistics())
    }

    /// What the guest found.
    pub(crate) fn finds(&self) -> Vec<String> {
        self.run().0.expect("findings")
    }

    /// The one thing that the guest found.
    pub(crate) fn finds_one(&self) -> String {
        let mut findings = self.finds();
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0)
    }
}

/// One compile cache for all tests, beside the components.
fn component_cache() -> CompileCache {
    let folder = binary().ancestors().nth(3).expect("the folder of the components").join("runtime-tests-cache");
    CompileCache::open(&folder).expect("a cache")
}
