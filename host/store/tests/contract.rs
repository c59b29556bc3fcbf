//! What every backend of the store must do. A backend adds a function that makes a new, empty store, and a line in
//! [`for_every_backend`].
#![allow(clippy::expect_used, reason = "a test that cannot go on must fail")]

use std::ops::ControlFlow;

use apptsync_model::{
    Activity, ActivityFilter, ActivityOrder, ActivityStatus, Application, ChangedSince, Channel, ChannelPartner,
    Employee, IbusSettings, Instant, JobState, Ledger, MasterData, Message, Organization, Outcome, Partner, Period,
    Priority, Profile, Severity, SkipReason,
};
use apptsync_store::{
    ActivityFields, Change, CursorWrite, JobBegin, JobSettings, MasterKind, PageWrite, QuarantinedRecord, RecordWrite,
    SqliteStore, Store, StoreError, TransferKey,
};
use tempfile::TempDir;

/// Runs a test with a new store of each backend.
fn for_every_backend(test: impl Fn(&dyn Store)) {
    let folder = TempDir::new().expect("a folder");
    test(&SqliteStore::create(&folder.path().join("headquarters.db")).expect("a store"));
}

const KEY: TransferKey<'_> = TransferKey { channel: "B2B", collection: "appointments" };

fn employee(id: &str, manager: Option<&str>) -> Employee {
    Employee {
        id: id.into(),
        name: format!("Employee {id}"),
        email: String::new(),
        organization: "O1".into(),
        manager: manager.map(Into::into),
        user: true,
        active: true,
        sales_representative: true,
        profile: Profile::Employee,
        blocked: false,
        deletion_mark: false,
        certificates: Vec::new(),
    }
}

fn master_data() -> MasterData {
    let partner = |id: &str| Partner { id: id.into(), name: format!("Żabka {id}"), ..Partner::default() };
    let connected =
        |id: &str| ChannelPartner { channel: "B2B".into(), partner: id.into(), external_id: format!("X{id}") };
    MasterData {
        organization: vec![Organization {
            id: "O1".into(),
            name: "Trade".into(),
            time_zone: chrono_tz::Europe::Warsaw,
        }],
        partner: vec![partner("C1"), partner("C2")],
        employee: vec![employee("A", None), employee("B", Some("A"))],
        channel: vec![Channel {
            id: "B2B".into(),
            description: String::new(),
            organization: "O1".into(),
            active: true,
        }],
        channel_partner: vec![connected("C1"), connected("C2")],
    }
}

fn fields(number: &str, start: i64) -> ActivityFields {
    let (start, end) = (Instant(start), Instant(start + 3_600));
    ActivityFields {
        number: number.into(),
        subject: format!("{number} Autumn"),
        description: "line 1\nline 2".into(),
        kind: "Visit".into(),
        priority: Priority::High,
        status: ActivityStatus::Planned,
        period: Period::Timed { start, end },
        start,
        end,
        completed_on: None,
        completed_by: None,
        partner: "C1".into(),
        employee: "B".into(),
        attributes: vec![("a".into(), "b".into())],
    }
}

fn record(source_id: &str, outcome: Outcome, change: Change) -> RecordWrite {
    RecordWrite {
        source_id: source_id.into(),
        transfer: None,
        activity: None,
        seen: [1; 16],
        imported: Some([1; 16]),
        outcome,
        pending: !outcome.is_settled(),
        detail: "because".into(),
        changed_at: Instant(1),
        record: Some(format!("{{\"number\":\"N-{source_id}\"}}")),
        change,
    }
}

const BEGIN: JobBegin = JobBegin { as_of: Instant(100), started: Instant(100) };

fn begin(store: &dyn Store) -> i64 {
    let job = JobSettings {
        application: Application::ImportActivities,
        name: "test".into(),
        channel: "B2B".into(),
        user: Some("A".into()),
        changed_since: ChangedSince::Manual(Instant(7)),
        deactivate_deleted: false,
        content_language: None,
    };
    store.begin_job(&job, BEGIN).expect("a job")
}

fn write(store: &dyn Store, job: i64, records: &[RecordWrite], cursor: &str) -> Result<Ledger, StoreError> {
    let page = PageWrite {
        job,
        application: Application::ImportActivities,
        key: KEY,
        stage_set: 1,
        entered: records.len() as u64,
        settled: &[],
        records,
        quarantined: &[],
        cursor: Some(CursorWrite { source: "feed", value: cursor }),
    };
    let mut ledger = Ledger::default();
    store.store_page(&page, &mut ledger).map(|()| ledger)
}

fn create(source_id: &str, start: i64) -> RecordWrite {
    record(source_id, Outcome::Created, Change::CreateActivity(Box::new(fields(source_id, start))))
}

fn listed(store: &dyn Store, filter: &ActivityFilter) -> Vec<Activity> {
    let mut found = Vec::new();
    let mut visit = |activity| {
        found.push(activity);
        ControlFlow::Continue(())
    };
    store.activities(filter, &mut visit).expect("activities");
    found
}

fn numbers(store: &dyn Store, filter: &ActivityFilter) -> Vec<String> {
    listed(store, filter).into_iter().map(|activity| activity.number).collect()
}

#[test]
fn loading_is_idempotent_and_all_or_nothing() {
    for_every_backend(|store| {
        let counts = store.load(&master_data()).expect("loaded");
        assert_eq!((counts.created, counts.updated, counts.unchanged), (8, 0, 0));
        let counts = store.load(&master_data()).expect("loaded");
        assert_eq!((counts.created, counts.updated, counts.unchanged), (0, 0, 8));
        let mut wrong = master_data();
        wrong.partner[0].name = "Changed".into();
        wrong.employee.push(employee("C", Some("nobody")));
        assert!(matches!(store.load(&wrong), Err(StoreError::Reference(_))));
        assert_eq!(store.master_data().expect("read"), master_data());
    });
}

#[test]
fn nobody_is_their_own_manager() {
    for_every_backend(|store| {
        let mut data = master_data();
        data.employee[0].manager = Some("B".into());
        assert!(matches!(store.load(&data), Err(StoreError::Invalid(_))));
    });
}

#[test]
fn a_sales_channel_has_ibus_settings_and_a_user_certificates() {
    for_every_backend(|store| {
        store.load(&master_data()).expect("loaded");
        assert_eq!(store.ibus_settings("B2B").expect("read"), None);
        let mut settings = IbusSettings { client_id: "7".into(), version: "2026".into(), ..IbusSettings::default() };
        store.put_ibus_settings("B2B", &settings).expect("set");
        settings.credential = Some("ibus".into());
        store.put_ibus_settings("B2B", &settings).expect("changed");
        assert_eq!(store.ibus_settings("B2B").expect("read"), Some(settings.clone()));
        assert!(matches!(store.put_ibus_settings("X", &settings), Err(StoreError::Reference(_))));
        let with_certificates = Employee { certificates: vec!["a".into(), "b".into()], ..employee("B", Some("A")) };
        let data = MasterData { employee: vec![with_certificates.clone()], ..MasterData::default() };
        assert_eq!(store.load(&data).expect("loaded").updated, 1);
        assert_eq!(store.load(&data).expect("loaded").unchanged, 1);
        assert_eq!(store.master_data().expect("read").employee[1], with_certificates);
    });
}

#[test]
fn what_is_in_use_is_not_removed() {
    for_every_backend(|store| {
        store.load(&master_data()).expect("loaded");
        assert!(matches!(store.remove(MasterKind::Partner, "C1", None), Err(StoreError::Reference(_))));
        assert!(store.remove(MasterKind::ChannelPartner, "XC1", Some("B2B")).expect("removed"));
        assert!(store.remove(MasterKind::Partner, "C1", None).expect("removed"));
        assert!(!store.remove(MasterKind::Partner, "C1", None).expect("nothing"));
    });
}

#[test]
fn a_page_is_stored_whole_with_its_cursor() {
    for_every_backend(|store| {
        store.load(&master_data()).expect("loaded");
        let job = begin(store);
        write(store, job, &[create("a", 200)], "one").expect("stored");
        let mut bad = fields("c", 300);
        bad.employee = "nobody".into();
        let bad = record("c", Outcome::Created, Change::CreateActivity(Box::new(bad)));
        assert!(write(store, job, &[create("b", 250), bad], "two").is_err());
        assert_eq!(numbers(store, &ActivityFilter::default()), ["a"]);
        assert_eq!(store.cursor(&KEY, "feed").expect("read"), Some("one".into()));
        assert_eq!(
            store.known(&KEY, &["a", "b"]).expect("read").iter().map(Option::is_some).collect::<Vec<_>>(),
            [true, false]
        );
    });
}

#[test]
fn an_update_that_changes_nothing_counts_as_unchanged() {
    for_every_backend(|store| {
        store.load(&master_data()).expect("loaded");
        let job = begin(store);
        write(store, job, &[create("a", 200)], "one").expect("stored");
        let known = store.known(&KEY, &["a"]).expect("read").remove(0).expect("known");
        let id = known.activity.expect("an activity").id;
        let again = |fields: ActivityFields| RecordWrite {
            transfer: Some(known.transfer),
            activity: Some(id),
            record: None,
            ..record("a", Outcome::Updated, Change::UpdateActivity(id, Box::new(fields)))
        };
        let later = begin(store);
        assert_eq!(write(store, later, &[again(fields("a", 200))], "one").expect("stored").unchanged, 1);
        assert_eq!(store.activity(id).expect("read").expect("there").changed_by_job, job);
        let moved = ActivityFields { employee: "A".into(), partner: "C2".into(), ..fields("a", 200) };
        assert_eq!(write(store, later, &[again(moved)], "one").expect("stored").updated, 1);
        let activity = store.activity(id).expect("read").expect("there");
        assert_eq!(
            (activity.employee.as_str(), activity.customer.as_str(), activity.changed_by_job),
            ("A", "C2", later)
        );
        assert_eq!(store.find_transfers("a").expect("read")[0].record, "{\"number\":\"N-a\"}");
    });
}

#[test]
fn pending_objects_are_handed_out_once_a_job() {
    for_every_backend(|store| {
        store.load(&master_data()).expect("loaded");
        let first = begin(store);
        let skipped = |id: &str| record(id, Outcome::Skipped(SkipReason::NotConfirmed), Change::Nothing);
        write(store, first, &[skipped("a"), create("b", 200), skipped("c")], "one").expect("stored");
        assert!(store.pending(&KEY, first, 0, 10).expect("read").is_empty());
        let second = begin(store);
        let pending = store.pending(&KEY, second, 0, 1).expect("read");
        assert_eq!(pending[0].record, "{\"number\":\"N-a\"}");
        let rest = store.pending(&KEY, second, pending[0].known.transfer, 10).expect("read");
        assert_eq!(rest.iter().map(|pending| pending.record.as_str()).collect::<Vec<_>>(), ["{\"number\":\"N-c\"}"]);
    });
}

#[test]
fn a_ledger_that_is_off_is_not_stored() {
    for_every_backend(|store| {
        store.load(&master_data()).expect("loaded");
        let job = begin(store);
        let records = [create("a", 200)];
        let page = PageWrite {
            job,
            application: Application::ImportActivities,
            key: KEY,
            stage_set: 1,
            entered: 2,
            settled: &[],
            records: &records,
            quarantined: &[],
            cursor: None,
        };
        assert!(store.store_page(&page, &mut Ledger::default()).is_err());
        assert_eq!(store.count_activities(&ActivityFilter::default()).expect("counted"), 0);
    });
}

#[test]
fn planned_and_elapsed_becomes_delayed_in_scope() {
    for_every_backend(|store| {
        store.load(&master_data()).expect("loaded");
        let job = begin(store);
        let of_a = ActivityFields { employee: "A".into(), ..fields("b", 0) };
        let of_a = record("b", Outcome::Created, Change::CreateActivity(Box::new(of_a)));
        write(store, job, &[create("a", 0), of_a, create("c", 1)], "one").expect("stored");
        let only_b = ["B".to_owned()];
        // Activity a ends at 3600: at that very instant it is not yet elapsed.
        assert_eq!(store.delay_elapsed("B2B", Some(&only_b), Instant(3_600), job, 10).expect("set"), 0);
        assert_eq!(store.delay_elapsed("B2B", Some(&only_b), Instant(3_601), job, 10).expect("set"), 1);
        assert_eq!(store.delay_elapsed("B2B", None, Instant(9_000), job, 1).expect("set"), 1);
        assert_eq!(store.delay_elapsed("B2B", None, Instant(9_000), job, 10).expect("set"), 1);
        let delayed = ActivityFilter { status: vec![ActivityStatus::Delayed], ..ActivityFilter::default() };
        assert_eq!(numbers(store, &delayed).len(), 3);
    });
}

#[test]
fn the_cockpit_filters_sorts_and_counts() {
    for_every_backend(|store| {
        store.load(&master_data()).expect("loaded");
        let job = begin(store);
        let other =
            ActivityFields { partner: "C2".into(), kind: "Call".into(), priority: Priority::Low, ..fields("b", 100) };
        let other = record("b", Outcome::Created, Change::CreateActivity(Box::new(other)));
        write(store, job, &[create("a", 300), other, create("c", 200)], "one").expect("stored");
        let all = ActivityFilter::default();
        assert_eq!(numbers(store, &all), ["b", "c", "a"]);
        assert_eq!(numbers(store, &ActivityFilter { descending: true, ..all.clone() }), ["a", "c", "b"]);
        assert_eq!(
            numbers(store, &ActivityFilter { order: ActivityOrder::Number, limit: Some(2), ..all.clone() }),
            ["a", "b"]
        );
        assert_eq!(numbers(store, &ActivityFilter { order: ActivityOrder::Priority, ..all.clone() })[0], "b");
        assert_eq!(numbers(store, &ActivityFilter { kind: vec!["Call".into()], ..all.clone() }), ["b"]);
        assert_eq!(numbers(store, &ActivityFilter { customer: vec!["C2".into()], ..all.clone() }), ["b"]);
        assert_eq!(numbers(store, &ActivityFilter { employee: vec!["A".into()], ..all.clone() }), [""; 0]);
        let window = ActivityFilter { from: Some(Instant(200)), to: Some(Instant(300)), ..all.clone() };
        assert_eq!(numbers(store, &window), ["c"]);
        assert_eq!(store.count_activities(&ActivityFilter { limit: Some(1), ..all.clone() }).expect("counted"), 3);
        for text in ["żABKA c2", "B AUTUMN"] {
            assert_eq!(numbers(store, &ActivityFilter { text: Some(text.into()), ..all.clone() }), ["b"], "{text}");
        }
        assert_eq!(listed(store, &all)[0].attributes, [("a".to_owned(), "b".to_owned())]);
        assert!(store.check().expect("checked").is_empty());
    });
}

#[test]
fn a_job_keeps_its_protocol() {
    for_every_backend(|store| {
        let job = begin(store);
        let ledger = Ledger { read: 1, quarantined: 1, ..Ledger::default() };
        let quarantined = [QuarantinedRecord { place: "file:1".into(), reason: "not JSON".into() }];
        let page = PageWrite {
            job,
            application: Application::ImportActivities,
            key: KEY,
            stage_set: 1,
            entered: 1,
            settled: &[Outcome::Quarantined],
            records: &[],
            quarantined: &quarantined,
            cursor: None,
        };
        store.store_page(&page, &mut Ledger::default()).expect("stored");
        let messages = [Message { severity: Severity::Warning, text: "look".into() }];
        let parts = [(Application::ImportActivities, ledger.clone())];
        let state = JobState::CompletedWithWarnings;
        store.finish_job(job, state, Instant(200), &parts, &messages, &[]).expect("finished");
        let details = store.job(job).expect("read").expect("there");
        assert_eq!((details.job.state, details.job.ledger), (state, ledger));
        assert_eq!(details.job.settings.changed_since, ChangedSince::Manual(Instant(7)));
        assert_eq!((details.messages.as_slice(), details.quarantined.as_slice()), (&messages[..], &quarantined[..]));
        assert!(store.fail_interrupted_jobs(Instant(300)).expect("looked").is_empty());
        let interrupted = begin(store);
        assert_eq!(store.fail_interrupted_jobs(Instant(300)).expect("looked"), [interrupted]);
        assert_eq!(store.jobs(1).expect("read")[0].state, JobState::Failed);
    });
}

#[test]
fn one_runs_at_a_time() {
    for_every_backend(|store| {
        let other = store.another().expect("a connection");
        let lock = store.try_lock_runs().expect("tried").expect("free");
        assert!(other.try_lock_runs().expect("tried").is_none());
        drop(lock);
        assert!(other.try_lock_runs().expect("tried").is_some());
    });
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("headquarters.db");
    drop(SqliteStore::create(&path).expect("a store"));
    rusqlite::Connection::open(&path).expect("opened").pragma_update(None, "user_version", 99).expect("set");
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Newer { found: 99, .. })));
}

#[test]
fn what_is_no_database_is_told_so() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("headquarters.db");
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Missing(_))));
    std::fs::write(&path, "not a database, but long enough to be looked at as one".repeat(100)).expect("written");
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Damaged(_))));
}
