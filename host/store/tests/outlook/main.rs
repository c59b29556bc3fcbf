//! What every backend of the store must keep for the synchronisation with Outlook, and how a file of an older schema is
//! brought up to date.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod audit;
mod changes;
mod journal;
mod kept;
mod migration;

use std::path::PathBuf;

use apptsync_model::outlook::{
    Base, Content, DeletionPolicy, Entry, Field, GuardSettings, HeadquartersId, Identity, ItemKind, Link, LinkState,
    Occurrence, Origin, OverrideScope, Profile, Projection, RemoteItem, TextPriority, Value,
};
use apptsync_model::{Activity, ActivityId, Employee, Instant, MasterData, Organization, Partner, Period, Priority};
use apptsync_store::{
    AuditAction, AuditEntry, EditedActivity, HeadquartersChange, NewActivity, NewSyncRun, Operation, OperationState,
    OutlookStore, ProfileId, Settled, Settlement, Side, SqliteStore, Store, StoredPush,
};
use tempfile::TempDir;

const NOW: Instant = Instant(1_000_000);
const HOUR: i64 = 3_600;

/// A database with the representatives A and B, partner C1, and a profile of B.
struct Fixture {
    store: SqliteStore,
    profile: ProfileId,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let store = SqliteStore::create(&folder.path().join("headquarters.db")).expect("a store");
        store.load(&master_data()).expect("loaded");
        let profile = store.put_profile(&profile("barbara", "b@example.com")).expect("a profile");
        Self { store, profile, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("headquarters.db")
    }

    /// The file as somebody else opens it.
    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).expect("opened")
    }

    /// All that the tables of the synchronisation hold, and the activities.
    fn dump(&self) -> Vec<String> {
        let raw = self.raw();
        let tables = ["link", "operation", "observation", "audit", "activity", "task", "reference", "sync_cursor"];
        let rows = |table: &&str| {
            let mut statement = raw.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).expect("a table");
            let columns = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| {
                let values = (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column));
                values.collect::<rusqlite::Result<Vec<_>>>().map(|values| format!("{table} {values:?}"))
            };
            statement.query_map([], row).expect("rows").collect::<rusqlite::Result<Vec<_>>>().expect("rows")
        };
        tables.iter().flat_map(rows).collect()
    }

    fn begin(&self) -> i64 {
        let run = NewSyncRun {
            profile: self.profile,
            purpose: "sync".into(),
            as_of: NOW,
            started: NOW,
            writer: "0a1b".into(),
        };
        self.store.begin_sync(&run).expect("a run")
    }

    /// Makes an activity of B by hand.
    fn add(&self, source_id: &str, start: i64) -> Activity {
        let id = self.store.change_activity(&create(source_id, start), NOW).expect("made");
        self.activity(id)
    }

    fn activity(&self, id: ActivityId) -> Activity {
        self.store.activity(id).expect("read").expect("there")
    }

    /// Settles one result.
    fn settle(&self, run: i64, mut settlement: Settlement) -> Settled {
        settlement.audit.iter_mut().for_each(|entry| entry.run = run);
        self.store.settle(self.profile, NOW, vec![settlement]).expect("settled").remove(0)
    }

    /// Stores a link.
    fn link(&self, link: Link) -> Link {
        let Settled::Done(link, None) = self.settle(0, settlement(link)) else { panic!("nothing was changed") };
        *link
    }
}

fn master_data() -> MasterData {
    let employee = |id: &str| -> Employee {
        Employee {
            id: id.into(),
            name: format!("Employee {id}"),
            email: String::new(),
            organization: "O1".into(),
            manager: None,
            user: true,
            active: true,
            sales_representative: true,
            profile: apptsync_model::Profile::Employee,
            blocked: false,
            deletion_mark: false,
            certificates: Vec::new(),
        }
    };
    let partner = |id: &str, deletion_mark| Partner { id: id.into(), deletion_mark, ..Partner::default() };
    MasterData {
        organization: vec![Organization {
            id: "O1".into(),
            name: "Trade".into(),
            time_zone: chrono_tz::Europe::Warsaw,
        }],
        partner: vec![partner("C1", false), partner("C2", true)],
        employee: vec![
            employee("A"),
            employee("B"),
            Employee { sales_representative: false, user: false, ..employee("X") },
        ],
        ..MasterData::default()
    }
}

fn profile(name: &str, mailbox: &str) -> Profile {
    Profile {
        name: name.into(),
        employee: "B".into(),
        connector: "caldav".into(),
        server: "https://calendar.example".into(),
        mailbox: mailbox.into(),
        calendar: "Sales".into(),
        tasks: String::new(),
        credential: Some("radicale".into()),
        allow_private: true,
        transfer: true,
        text_priority: TextPriority::Ask,
        override_scope: OverrideScope::Always,
        deletion_policy: DeletionPolicy::Keep,
        guards: GuardSettings { deletions: 7, ..GuardSettings::default() },
        active: true,
    }
}

fn fields(subject: &str, start: i64) -> EditedActivity {
    let (start, end) = (Instant(start), Instant(start + HOUR));
    EditedActivity {
        subject: subject.into(),
        description: "line 1\nline 2".into(),
        location: "Kraków".into(),
        period: Period::Timed { start, end },
        start,
        end,
        priority: Priority::High,
        completed: None,
        undated: false,
    }
}

fn new(source_id: &str, start: i64) -> NewActivity {
    NewActivity {
        origin: Origin::Outlook,
        entry: ItemKind::Appointment,
        source_id: source_id.into(),
        employee: "B".into(),
        partner: None,
        kind: "Appointment".into(),
        fields: fields(source_id, start),
    }
}

fn create(source_id: &str, start: i64) -> HeadquartersChange {
    HeadquartersChange::Create(Box::new(new(source_id, start)))
}

fn entry(subject: &str) -> Content {
    Content::Entry(Entry {
        subject: subject.into(),
        body: "text".into(),
        location: String::new(),
        period: Some(Period::Timed { start: NOW, end: Instant(NOW.0 + HOUR) }),
        zone: "Europe/Warsaw".into(),
        priority: Priority::Normal,
        completed: None,
    })
}

fn item(remote_id: &str, subject: &str) -> RemoteItem {
    RemoteItem {
        remote_id: remote_id.into(),
        etag: "e1".into(),
        collection: "sales".into(),
        identity: Identity::Ours("key".into()),
        writer: None,
        uid: "uid".into(),
        content: entry(subject),
        private: false,
        cancelled: false,
        is_organizer: true,
        has_attendees: false,
        occurrence: None,
        changed_at: Some(NOW),
    }
}

/// A link with something in every field.
fn link(headquarters: Option<HeadquartersId>, remote_id: Option<&str>) -> Link {
    let fields = Projection::from([(Field::Subject, Value::Text("ż".into())), (Field::Period, Value::Period(None))]);
    Link {
        id: 0,
        kind: ItemKind::Appointment,
        headquarters,
        remote_id: remote_id.map(Into::into),
        collection: "sales".into(),
        occurrence: Some(Occurrence { series: "weekly".into(), original_start: NOW }),
        our_id: "key".into(),
        incarnation: 2,
        origin: Origin::Headquarters,
        state: LinkState::Linked,
        base: Base { headquarters: fields.clone(), remote: fields, ..Base::default() },
        revision: 3,
        etag: "e1".into(),
        recreated_at: Some(NOW),
        reverts: vec![Instant(1), Instant(2)],
        flaps: vec![4, 5],
        filtered_since: Some(Instant(6)),
        note: "because".into(),
    }
}

fn settlement(link: Link) -> Settlement {
    Settlement { link, operation: None, change: None, audit: Vec::new(), observed: None }
}

fn operation() -> Operation {
    Operation {
        id: 0,
        run: 0,
        link: 0,
        push: StoredPush::Create { our_id: "key".into(), content: entry("new") },
        state: OperationState::Sent,
        sent_at: NOW,
        rounds: 0,
    }
}

fn audited(before: Option<Content>, after: Option<Content>) -> AuditEntry {
    AuditEntry {
        sequence: 0,
        run: 0,
        link: 0,
        side: Side::Outlook,
        action: AuditAction::Updated,
        headquarters: None,
        remote_id: Some("r1".into()),
        row: "8".into(),
        before,
        after,
    }
}
