//! A headquarters and a server, and what people do to both.

use std::time::Duration;

use apptsync_model::outlook::{
    Content, Criteria, Entry, EntryScope, HeadquartersId, ItemKind, Link, LinkState, Moment, Origin, Profile,
    SyncSettings,
};
use apptsync_model::{
    Activity, ActivityId, Employee, Instant, MasterData, Organization, Partner, Period, Priority,
    Profile as MobileProfile,
};
use apptsync_pipeline::outlook::{
    SyncReport, SyncRequest, Synchronisation, UndoReport, synchronise, synchronise_contacts, undo,
};
use apptsync_store::{
    EditedActivity, HeadquartersChange, NewActivity, OutlookStore, SqliteStore, Store, StoredProfile, SyncState,
};
use chrono_tz::Tz;
use tempfile::TempDir;

use crate::server::Server;

/// 2026-12-01T08:00:00Z.
pub(crate) const NOON: i64 = 1_796_112_000;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;

/// Both sides of one representative.
pub(crate) struct World {
    pub(crate) store: SqliteStore,
    pub(crate) server: Server,
    pub(crate) settings: SyncSettings,
    pub(crate) now: Instant,
    name: String,
    numbers: u64,
    folder: TempDir,
}

/// A folder in memory where there is one: these databases live for moments.
fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder")
}

fn employee(id: &str) -> Employee {
    Employee {
        id: id.to_owned(),
        name: format!("Employee {id}"),
        email: String::new(),
        organization: "O".to_owned(),
        manager: None,
        user: true,
        active: true,
        sales_representative: true,
        profile: MobileProfile::Employee,
        blocked: false,
        deletion_mark: false,
        ..serde_json::from_value(serde_json::json!({ "id": id, "name": id, "organization": "O" })).expect("an employee")
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Profile)) -> Self {
        let folder = folder();
        let store = SqliteStore::create(&folder.path().join("test.db")).expect("a database");
        let master = MasterData {
            organization: vec![Organization { id: "O".into(), name: "O".into(), time_zone: Tz::Europe__Warsaw }],
            employee: vec![employee("A"), employee("B")],
            partner: vec![Partner { id: "C".into(), name: "Customer".into(), ..Partner::default() }],
            ..MasterData::default()
        };
        store.load(&master).expect("master data");
        let mut profile = Profile {
            name: "b".into(),
            employee: "B".into(),
            connector: "model".into(),
            mailbox: "b".into(),
            ..Profile::default()
        };
        change(&mut profile);
        store.put_profile(&profile).expect("a profile");
        let scope = EntryScope {
            start: Moment::FromNow(-7 * DAY),
            end: Moment::FromNow(30 * DAY),
            criteria: Criteria::default(),
        };
        Self {
            store,
            server: Server::default(),
            settings: SyncSettings { calendar: Some(scope.clone()), tasks: Some(scope) },
            now: Instant(NOON),
            name: profile.name,
            numbers: 0,
            folder,
        }
    }

    pub(crate) fn profile(&self) -> StoredProfile {
        let profiles = self.store.profiles().expect("profiles");
        profiles.into_iter().find(|stored| stored.profile.name == self.name).expect("the profile")
    }

    /// The profile is removed, and added again as it was.
    pub(crate) fn add_profile_again(&self) {
        let profile = self.profile().profile;
        assert!(self.store.remove_profile(&profile.name).expect("removed"));
        self.store.put_profile(&profile).expect("a profile");
    }

    /// Synchronize address books.
    pub(crate) fn contacts(&self) -> SyncReport {
        self.with_synchronisation(|with| synchronise_contacts(with, &self.request())).expect("a run")
    }

    pub(crate) fn undo(&self, run: i64) -> UndoReport {
        self.with_synchronisation(|with| undo(with, run, None, &self.request())).expect("an undo")
    }

    pub(crate) fn change_profile(&self, change: impl FnOnce(&mut Profile)) {
        let mut profile = self.profile().profile;
        change(&mut profile);
        self.store.put_profile(&profile).expect("the profile");
    }

    pub(crate) fn request(&self) -> SyncRequest {
        SyncRequest { as_of: self.now, plan_only: false, approve: None, patience: Duration::ZERO, progress: None }
    }

    pub(crate) fn with_synchronisation<T>(&self, task: impl FnOnce(&Synchronisation<'_>) -> T) -> T {
        let profile = self.profile();
        task(&Synchronisation {
            store: &self.store,
            connector: &self.server,
            state: None,
            profile: &profile,
            settings: &self.settings,
            zone: Tz::Europe__Warsaw,
        })
    }

    /// A run, a minute after the last thing that happened.
    pub(crate) fn sync(&mut self) -> SyncReport {
        self.pass(60);
        let request = self.request();
        self.with_synchronisation(|with| synchronise(with, &request)).expect("a run")
    }

    pub(crate) fn plan(&self) -> SyncReport {
        let request = SyncRequest { plan_only: true, ..self.request() };
        self.with_synchronisation(|with| synchronise(with, &request)).expect("a plan")
    }

    pub(crate) fn approve(&mut self, hash: &str) -> SyncReport {
        let request = SyncRequest { approve: Some(hash.to_owned()), ..self.request() };
        self.with_synchronisation(|with| synchronise(with, &request)).expect("a run")
    }

    /// Runs until nothing is left to do, at most so often; held plans are approved.
    pub(crate) fn settle(&mut self, at_most: usize) {
        for _ in 0..at_most {
            let report = self.sync();
            if report.state == SyncState::Held {
                let hash = report.plan.hash();
                self.approve(&hash);
                continue;
            }
            if writes(&report) == 0 && report.state != SyncState::Failed {
                return;
            }
        }
        let report = self.sync();
        assert_eq!(writes(&report), 0, "it never comes to rest: {:#?}", report.plan.steps);
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now = Instant(self.now.0 + seconds);
        self.server.set_now(self.now);
    }

    fn edited(subject: &str, start: i64) -> EditedActivity {
        let (start, end) = (Instant(start), Instant(start + HOUR));
        EditedActivity {
            subject: subject.to_owned(),
            description: "as agreed".to_owned(),
            location: String::new(),
            period: Period::Timed { start, end },
            start,
            end,
            priority: Priority::Normal,
            completed: None,
            undated: false,
        }
    }

    /// A new activity, `start` seconds from now.
    pub(crate) fn create(&mut self, origin: Origin, subject: &str, start: i64) -> ActivityId {
        self.numbers += 1;
        let is_mobile = origin == Origin::Mobile;
        let new = NewActivity {
            // Only an import makes activities of Mobile; what counts here is where it says that it comes from.
            origin: if is_mobile { Origin::Headquarters } else { origin },
            entry: ItemKind::Appointment,
            source_id: format!("s-{}", self.numbers),
            employee: "B".to_owned(),
            partner: Some("C".to_owned()),
            kind: "Visit".to_owned(),
            fields: Self::edited(subject, self.now.0 + start),
        };
        let made =
            self.store.change_activity(&HeadquartersChange::Create(Box::new(new)), self.now).expect("an activity");
        if is_mobile {
            let database = rusqlite::Connection::open(self.folder.path().join("test.db")).expect("the database");
            database
                .execute("UPDATE activity SET origin = 'mobile', channel = 'B2B' WHERE id = ?", [made])
                .expect("an activity of Mobile");
        }
        made
    }

    /// A new task without a date.
    pub(crate) fn create_task(&self, subject: &str) -> ActivityId {
        let new = NewActivity {
            origin: Origin::Headquarters,
            entry: ItemKind::Task,
            source_id: subject.to_owned(),
            employee: "B".to_owned(),
            partner: None,
            kind: "Task".to_owned(),
            fields: EditedActivity { undated: true, ..Self::edited(subject, self.now.0) },
        };
        self.store.change_activity(&HeadquartersChange::Create(Box::new(new)), self.now).expect("a task")
    }

    /// A partner is changed in the master data.
    pub(crate) fn load_partner(&self, partner: Partner) {
        self.store.load(&MasterData { partner: vec![partner], ..MasterData::default() }).expect("loaded");
    }

    pub(crate) fn activity(&self, id: ActivityId) -> Activity {
        self.store.activity(id).expect("the database").expect("the activity")
    }

    /// Somebody edits an activity in the headquarters, or Mobile's new version arrives.
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
        let (fields_start, fields_end) = fields.period.instants(Tz::Europe__Warsaw);
        (fields.start, fields.end) = (fields_start, fields_end);
        let change = HeadquartersChange::Update { activity: id, revision: activity.revision, fields };
        self.store.change_activity(&change, self.now).expect("an edit");
    }

    /// An import run finds that its period elapsed.
    pub(crate) fn delay(&self, id: ActivityId) {
        let database = rusqlite::Connection::open(self.folder.path().join("test.db")).expect("the database");
        let delayed = database.execute("UPDATE activity SET status = 'delayed' WHERE id = ?", [id]).expect("a change");
        assert_eq!(delayed, 1);
    }

    /// The database was restored from before anything was synchronised; what was read of Outlook is read again.
    pub(crate) fn forget_links(&self) {
        let database = rusqlite::Connection::open(self.folder.path().join("test.db")).expect("the database");
        database.execute_batch("DELETE FROM link; DELETE FROM sync_cursor;").expect("forgotten");
    }

    /// Mobile rejects it: the status mapping closes it and says why.
    pub(crate) fn reject(&self, id: ActivityId, why: &str) {
        let database = rusqlite::Connection::open(self.folder.path().join("test.db")).expect("the database");
        let closed = "UPDATE activity SET status = 'completed-unprocessed', description = ?2, revision = revision + 1 WHERE id = ?1";
        assert_eq!(database.execute(closed, rusqlite::params![id, why]).expect("a change"), 1);
    }

    pub(crate) fn cancel(&self, id: ActivityId) {
        let revision = self.activity(id).revision;
        self.store
            .change_activity(&HeadquartersChange::Cancel { activity: id, revision }, self.now)
            .expect("a cancellation");
    }

    pub(crate) fn links(&self) -> Vec<Link> {
        self.store.links(self.profile().id).expect("links")
    }

    pub(crate) fn link_of(&self, id: ActivityId) -> Option<Link> {
        let meant = Some(HeadquartersId::Activity(id));
        self.links()
            .into_iter()
            .filter(|link| link.state != LinkState::Tombstone)
            .find(|link| link.headquarters == meant)
    }

    /// The remote id of an activity's item.
    pub(crate) fn remote_of(&self, id: ActivityId) -> String {
        self.link_of(id).and_then(|link| link.remote_id).expect("an item")
    }

    pub(crate) fn activities(&self) -> Vec<Activity> {
        let mut all = Vec::new();
        self.store
            .activities(&apptsync_model::ActivityFilter::default(), &mut |activity| {
                all.push(activity);
                std::ops::ControlFlow::Continue(())
            })
            .expect("activities");
        all
    }
}

impl World {
    /// What the database itself finds wrong.
    pub(crate) fn store_problems(&self) -> Vec<String> {
        self.store.check().expect("a check")
    }
}

/// What a run wrote.
pub(crate) fn writes(report: &SyncReport) -> u64 {
    let operations = report.operations;
    operations.create + operations.update + operations.delete + operations.revert + operations.import
}

/// An entry of a calendar.
pub(crate) fn entry(subject: &str, start: i64) -> Content {
    Content::Entry(Entry {
        subject: subject.to_owned(),
        body: "mine".to_owned(),
        location: "Kraków".to_owned(),
        period: Some(Period::Timed { start: Instant(start), end: Instant(start + HOUR) }),
        zone: "Europe/Warsaw".to_owned(),
        priority: Priority::Normal,
        completed: None,
    })
}

pub(crate) fn text(content: &Content) -> (&str, &str) {
    match content {
        Content::Entry(entry) => (&entry.subject, &entry.body),
        Content::Contact(contact) => (&contact.name, &contact.note),
    }
}
