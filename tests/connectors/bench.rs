//! A headquarters with one representative, and a connector as the program loads it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use apptsync_model::outlook::{Criteria, EntryScope, ItemKind, Moment, Origin, Profile, SyncSettings, TextPriority};
use apptsync_model::{Activity, ActivityId, Employee, Instant, MasterData, Organization, Partner, Period, Priority};
use apptsync_pipeline::outlook::{SyncReport, SyncRequest, Synchronisation, synchronise};
use apptsync_runtime::{
    Authorizer, CompileCache, ConnectorPlugin, HttpGrant, KeyValue, Limits, MemoryState, NoAuthorization, Plugin,
    PluginOrigin, PluginSpec, RunClock, Runtime, SecretString, World,
};
use apptsync_store::{
    EditedActivity, HeadquartersChange, NewActivity, OutlookStore, SqliteStore, Store, StoredProfile, SyncState,
};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use tempfile::TempDir;

use crate::disturbed::{Disturbance, Disturbed};

/// 2026-12-01T08:00:00Z.
pub(crate) const START: i64 = 1_796_112_000;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;
pub(crate) const ZONE: Tz = Tz::Europe__Warsaw;

/// What a connector is granted.
#[derive(Debug, Default)]
pub(crate) struct Grant {
    pub(crate) server: String,
    pub(crate) authorization: String,
    pub(crate) folder: Option<PathBuf>,
}

/// A connector, loaded once for many histories.
pub(crate) struct Opened {
    name: &'static str,
    server: String,
    plugin: ConnectorPlugin,
    state: Arc<MemoryState>,
}

/// Whose calendar a history is about: each has one of its own.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) mailbox: String,
    pub(crate) calendar: String,
}

/// The credential, as it is.
struct Fixed(String);

impl Authorizer for Fixed {
    fn authorization(&self) -> Result<SecretString, NoAuthorization> {
        Ok(SecretString::from(self.0.clone()))
    }

    fn refused(&self, _: &SecretString) {}
}

/// One engine for all; what is compiled is kept for the next start.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let own = std::env::current_exe().expect("the path of this test");
        let folder = own.ancestors().nth(2).expect("target above this test").join("test-compile-cache");
        let cache = CompileCache::open(&folder).expect("a compile cache");
        Runtime::new(Some(cache)).expect("an engine")
    })
}

impl Opened {
    /// Loads the built-in connector of that name.
    pub(crate) fn new(name: &'static str, grant: Grant) -> Self {
        let Grant { server, authorization, folder } = grant;
        let state = Arc::new(MemoryState::default());
        let http = (!server.is_empty()).then(|| HttpGrant {
            authorizer: Some(Arc::new(Fixed(authorization))),
            ..HttpGrant::new(server.parse().expect("an origin"))
        });
        let spec = PluginSpec {
            name: name.to_owned(),
            stage: format!("connector {name}"),
            world: World::Connector,
            origin: PluginOrigin::File(apptsync_tests::component(name)),
            sha256: None,
            limits: Limits::default(),
            config: Vec::new(),
            read: Vec::new(),
            write: folder.into_iter().collect(),
            http: http.into_iter().collect(),
            state: Some(state.clone()),
        };
        let plugin = Plugin::load(runtime(), &spec, RunClock::new(Instant(START))).expect("it loads");
        Self { name, server, plugin: ConnectorPlugin::new(plugin).expect("it is a connector"), state }
    }

    /// What it kept of another history is forgotten.
    fn forget(&self) {
        for key in self.state.keys().expect("the keys") {
            self.state.delete(&key).expect("a key less");
        }
        drop(self.state.take_changes());
    }
}

/// The headquarters, the connector and the clock.
pub(crate) struct Bench<'a> {
    pub(crate) store: SqliteStore,
    pub(crate) now: Instant,
    connector: &'a Opened,
    settings: SyncSettings,
    numbers: u64,
    folder: TempDir,
}

/// The day that an instant lies on.
pub(crate) fn day(instant: i64) -> NaiveDate {
    Instant(instant).to_utc().with_timezone(&ZONE).date_naive()
}

/// An hour from then on, or of a task that day.
pub(crate) fn period(kind: ItemKind, start: i64) -> Period {
    if kind == ItemKind::Task {
        let day = day(start);
        return Period::AllDay { start: day, end: day + Days::new(1) };
    }
    Period::Timed { start: Instant(start), end: Instant(start + HOUR) }
}

fn employee(id: &str) -> Employee {
    let employee = serde_json::json!({
        "id": id, "name": id, "organization": "O", "user": true, "sales_representative": true
    });
    serde_json::from_value(employee).expect("an employee")
}

impl<'a> Bench<'a> {
    pub(crate) fn new(connector: &'a Opened, account: &Account, text_priority: TextPriority) -> Self {
        connector.forget();
        // These databases live for moments.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a temporary folder");
        let store = SqliteStore::create(&folder.path().join("test.db")).expect("a database");
        let master = MasterData {
            organization: vec![Organization { id: "O".into(), name: "O".into(), time_zone: ZONE }],
            employee: vec![employee("B")],
            partner: vec![Partner { id: "C".into(), name: "Customer".into(), ..Partner::default() }],
            ..MasterData::default()
        };
        store.load(&master).expect("master data");
        let profile = Profile {
            name: "b".into(),
            employee: "B".into(),
            connector: connector.name.into(),
            server: connector.server.clone(),
            mailbox: account.mailbox.clone(),
            calendar: account.calendar.clone(),
            text_priority,
            ..Profile::default()
        };
        store.put_profile(&profile).expect("a profile");
        let scope = EntryScope {
            start: Moment::FromNow(-7 * DAY),
            end: Moment::FromNow(30 * DAY),
            criteria: Criteria::default(),
        };
        Self {
            connector,
            store,
            now: Instant(START),
            settings: SyncSettings { calendar: Some(scope.clone()), tasks: Some(scope) },
            numbers: 0,
            folder,
        }
    }

    pub(crate) fn profile(&self) -> StoredProfile {
        self.store.profiles().expect("profiles").remove(0)
    }

    /// A run, a minute after the last thing that happened; a person approves what is held.
    pub(crate) fn sync(&mut self, disturbance: Disturbance) -> SyncReport {
        self.now = Instant(self.now.0 + 60);
        let connector = Disturbed::new(&self.connector.plugin, disturbance);
        let profile = self.profile();
        let with = Synchronisation {
            store: &self.store,
            connector: &connector,
            state: Some(&self.connector.state),
            profile: &profile,
            settings: &self.settings,
            zone: ZONE,
        };
        let request =
            SyncRequest { as_of: self.now, plan_only: false, approve: None, patience: Duration::ZERO, progress: None };
        let report = synchronise(&with, &request).expect("a run");
        if report.state != SyncState::Held {
            return report;
        }
        let request = SyncRequest { approve: Some(report.plan.hash()), ..request };
        synchronise(&with, &request).expect("a run")
    }

    fn edited(subject: &str, period: Period) -> EditedActivity {
        let (start, end) = period.instants(ZONE);
        EditedActivity {
            subject: subject.to_owned(),
            description: "as agreed".to_owned(),
            location: String::new(),
            period,
            start,
            end,
            priority: Priority::Normal,
            completed: None,
            undated: false,
        }
    }

    /// A new activity, `start` seconds from now.
    pub(crate) fn create(&mut self, kind: ItemKind, is_mobile: bool, subject: &str, start: i64) -> ActivityId {
        self.numbers += 1;
        let new = NewActivity {
            origin: Origin::Headquarters,
            entry: kind,
            source_id: format!("s-{}", self.numbers),
            employee: "B".to_owned(),
            partner: Some("C".to_owned()),
            kind: if kind == ItemKind::Task { "Task" } else { "Visit" }.to_owned(),
            fields: Self::edited(subject, period(kind, self.now.0 + start)),
        };
        let made = self.store.change_activity(&HeadquartersChange::Create(Box::new(new)), self.now);
        let made = made.expect("an activity");
        if is_mobile {
            // Only an import makes activities of Mobile; what counts here is where it says that it comes from.
            let database = rusqlite::Connection::open(self.folder.path().join("test.db")).expect("the database");
            let changed = "UPDATE activity SET origin = 'mobile', channel = 'B2B' WHERE id = ?";
            database.execute(changed, [made]).expect("an activity of Mobile");
        }
        made
    }

    pub(crate) fn activity(&self, id: ActivityId) -> Activity {
        self.store.activity(id).expect("the database").expect("the activity")
    }

    pub(crate) fn edit(&self, id: ActivityId, change: impl FnOnce(&mut EditedActivity)) {
        let activity = self.activity(id);
        let mut fields = EditedActivity {
            subject: activity.subject.clone(),
            description: activity.description.clone(),
            location: activity.location().to_owned(),
            period: activity.period,
            start: activity.start,
            end: activity.end,
            priority: activity.priority,
            completed: activity.completed_on,
            undated: activity.is_undated(),
        };
        change(&mut fields);
        (fields.start, fields.end) = fields.period.instants(ZONE);
        let change = HeadquartersChange::Update { activity: id, revision: activity.revision, fields };
        self.store.change_activity(&change, self.now).expect("an edit");
    }

    pub(crate) fn cancel(&self, id: ActivityId) {
        let revision = self.activity(id).revision;
        let change = HeadquartersChange::Cancel { activity: id, revision };
        self.store.change_activity(&change, self.now).expect("a cancellation");
    }

    pub(crate) fn activities(&self) -> Vec<Activity> {
        let mut all = Vec::new();
        let mut keep = |activity| {
            all.push(activity);
            std::ops::ControlFlow::Continue(())
        };
        self.store.activities(&apptsync_model::ActivityFilter::default(), &mut keep).expect("activities");
        all
    }

    /// Everything that is in the database's files.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = fs::read_dir(self.folder.path()).expect("the folder");
        files.flat_map(|file| fs::read(file.expect("a file").path()).expect("read")).collect()
    }
}
