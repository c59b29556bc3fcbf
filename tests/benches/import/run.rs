//! The import as the binary runs it, with plugins or with native stages.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant as Stopwatch;

use apptsync_model::{
    Application, ChangedSince, Channel, ChannelPartner, Employee, Instant, MasterData, Organization, Partner, Profile,
};
use apptsync_pipeline::{
    Control, ImportRequest, OnFailure, Silent, StageSet, StageSpec, StageSpecs, definition_plugin, import_with,
};
use apptsync_runtime::{CompileCache, Limits, Plugin, PluginOrigin, PluginSpec, RunClock, Runtime, Source, World};
use apptsync_store::{JobSettings, SqliteStore, Store, StoredDefinition};
use apptsync_tests::component;

use crate::feed::{CUSTOMERS, EMPLOYEES};
use crate::native;

/// 2026-11-23T08:00:00Z.
const NOW: Instant = Instant(1_795_420_800);

fn runtime() -> Runtime {
    let cache = std::env::temp_dir().join("apptsync-bench-cache");
    Runtime::new(Some(CompileCache::open(&cache).expect("the compile cache"))).expect("the engine")
}

fn specs(folder: &Path) -> StageSpecs {
    let plugin = |stage: &str, package: &str, world, read: Vec<_>| PluginSpec {
        name: package.to_owned(),
        stage: stage.to_owned(),
        world,
        origin: PluginOrigin::File(component(package)),
        sha256: None,
        limits: Limits::default(),
        config: Vec::new(),
        read,
        write: Vec::new(),
        http: Vec::new(),
        state: None,
    };
    let staged = |plugin| StageSpec { plugin, on_failure: OnFailure::Quarantine };
    StageSpecs {
        source: plugin("source", "ibus-feed", World::Source, vec![folder.join("feed")]),
        extensions: Vec::new(),
        status: staged(plugin("status", "status-mapping", World::StatusMapping, Vec::new())),
        definition: staged(plugin("definition", "appointment-synchronize", World::ActivityDefinition, Vec::new())),
    }
}

/// A new database with the master data that the feed speaks of.
fn new_store(path: &Path, runtime: &Runtime, specs: &StageSpecs) -> SqliteStore {
    let store = SqliteStore::create(path).expect("a database");
    let organization =
        Organization { id: "O1".into(), name: "Comfort Trade".into(), time_zone: chrono_tz::Europe::Warsaw };
    let employee = |number: u64| Employee {
        id: format!("E{number:03}"),
        name: format!("Employee {number}"),
        email: String::new(),
        organization: "O1".into(),
        manager: None,
        user: true,
        active: true,
        sales_representative: true,
        profile: Profile::Employee,
        blocked: false,
        deletion_mark: false,
        certificates: Vec::new(),
    };
    let partner = |number: u64| Partner {
        id: format!("C{number:05}"),
        name: format!("Delikatesy {number}"),
        street: "Długa 1".into(),
        postcode: "31-147".into(),
        city: "Kraków".into(),
        country: "PL".into(),
        ..Partner::default()
    };
    let connection = |number: u64| {
        let id = format!("C{number:05}");
        ChannelPartner { channel: "B2B".into(), partner: id.clone(), external_id: id }
    };
    let channel = Channel { id: "B2B".into(), description: String::new(), organization: "O1".into(), active: true };
    let data = MasterData {
        organization: vec![organization],
        partner: (0..CUSTOMERS).map(partner).collect(),
        employee: (0..EMPLOYEES).map(employee).collect(),
        channel: vec![channel],
        channel_partner: (0..CUSTOMERS).map(connection).collect(),
    };
    store.load(&data).expect("master data");
    let settings = definition_plugin(runtime, &specs.definition, NOW)
        .expect("the definition")
        .describe()
        .expect("its defaults")
        .settings;
    store
        .put_definition(&StoredDefinition { settings, active: true, changed: false, translations: Default::default() })
        .expect("the definition");
    store
}

fn request() -> ImportRequest {
    ImportRequest {
        settings: JobSettings {
            application: Application::ImportActivities,
            name: "bench".into(),
            channel: "B2B".into(),
            user: None,
            changed_since: ChangedSince::LastTransfer,
            deactivate_deleted: false,
            content_language: None,
        },
        scheduled: None,
        as_of: NOW,
    }
}

fn timed(work: impl FnOnce(&Control<'_>) -> apptsync_pipeline::JobReport) -> f64 {
    let cancel = AtomicBool::new(false);
    let begun = Stopwatch::now();
    let report = work(&Control { cancel: &cancel, progress: &Silent });
    let seconds = begun.elapsed().as_secs_f64();
    assert!(report.ledger.balance().is_ok() && report.ledger.failed + report.ledger.quarantined == 0, "{report:?}");
    seconds
}

/// A first import into a new database.
pub(crate) fn import(folder: &Path, database: &str) -> f64 {
    let (runtime, specs) = (runtime(), specs(folder));
    let store = new_store(&folder.join(database), &runtime, &specs);
    timed(|control| self::imported(&store, &runtime, &specs, control))
}

/// An import of what is new into a database that has been imported into.
pub(crate) fn again(folder: &Path, database: &str) -> f64 {
    let (runtime, specs) = (runtime(), specs(folder));
    let store = SqliteStore::open(&folder.join(database)).expect("the database");
    timed(|control| self::imported(&store, &runtime, &specs, control))
}

fn imported(
    store: &dyn Store,
    runtime: &Runtime,
    specs: &StageSpecs,
    control: &Control<'_>,
) -> apptsync_pipeline::JobReport {
    apptsync_pipeline::import(store, runtime, specs, &request(), control).expect("the import")
}

/// A first import with native stages; the source is the same plugin.
pub(crate) fn native(folder: &Path, database: &str) -> f64 {
    let (runtime, specs) = (runtime(), specs(folder));
    let store = new_store(&folder.join(database), &runtime, &specs);
    timed(|control| {
        let source =
            Plugin::load(&runtime, &specs.source, RunClock::new(NOW)).and_then(Source::new).expect("the source");
        let stages = StageSet::native(Box::new(native::Stages), Box::new(native::Stages));
        import_with(&store, &source, &stages, &request(), control).expect("the import")
    })
}
