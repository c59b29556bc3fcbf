//! Settings, profiles, runs, what was seen, what connectors keep.

use apptsync_model::outlook::{
    Criteria, EntryScope, HeadquartersId, ItemKind, Moment, Profile, SyncCursor, SyncSettings, Window,
};
use apptsync_model::{ActivityStatus, Instant, Message, Severity};
use apptsync_store::{
    HeldPlan, MasterKind, NewSyncRun, Observation, OutlookStore, PullWrite, Seen, SettingsOwner, Store, StoreError,
    SyncResult, SyncRun, SyncState,
};

use crate::{Fixture, NOW, audited, item, link, operation, profile, settlement};

#[test]
fn settings_belong_to_a_user_or_to_the_database() {
    let Fixture { store, folder: _folder, .. } = Fixture::new();
    let scope = |days: i64| EntryScope {
        start: Moment::FromNow(-days * 86_400),
        end: Moment::At(Instant::MAX),
        criteria: Criteria { status: vec![ActivityStatus::Planned], kind: vec!["Visit".into()], ..Criteria::default() },
    };
    let settings = |days| SyncSettings { calendar: Some(scope(days)), tasks: None };
    let user = SettingsOwner::User("B".into());
    assert_eq!(store.sync_settings(&user).expect("read"), None);
    for (owner, days) in [(&user, 7), (&SettingsOwner::Database, 1), (&user, 9)] {
        store.put_sync_settings(owner, Some(&settings(days))).expect("set");
        assert_eq!(store.sync_settings(owner).expect("read"), Some(settings(days)));
    }
    assert_eq!(store.sync_settings(&SettingsOwner::Database).expect("read"), Some(settings(1)));
    store.put_sync_settings(&user, None).expect("taken away");
    assert_eq!(store.sync_settings(&user).expect("read"), None);
    for nobody in ["nobody", "X"] {
        let refused = store.put_sync_settings(&SettingsOwner::User(nobody.into()), Some(&settings(1)));
        assert!(matches!(refused, Err(StoreError::Reference(_))), "{nobody} is no user");
    }
}

#[test]
fn a_profile_is_found_by_its_name_and_keeps_its_number() {
    let Fixture { store, profile: number, folder: _folder } = Fixture::new();
    let changed = Profile { active: false, calendar: String::new(), ..profile("barbara", "b@example.com") };
    assert_eq!(store.put_profile(&changed).expect("changed"), number);
    let other = Profile { employee: "A".into(), ..profile("anna", "a@example.com") };
    store.put_profile(&other).expect("added");
    let profiles: Vec<_> = store.profiles().expect("read").into_iter().map(|stored| stored.profile).collect();
    assert_eq!(profiles, [other, changed]);
    let nobody = Profile { employee: "nobody".into(), ..profile("x", "x") };
    assert!(matches!(store.put_profile(&nobody), Err(StoreError::Reference(_))));
    assert!(matches!(store.remove(MasterKind::Employee, "A", None), Err(StoreError::Reference(_))));
}

#[test]
fn one_profile_synchronises_a_mailbox() {
    let Fixture { store, folder: _folder, .. } = Fixture::new();
    let again = Profile { server: "https://CALENDAR.example".into(), ..profile("again", "B@example.com") };
    assert!(matches!(store.put_profile(&again), Err(StoreError::Invalid(_))));
    store.put_profile(&Profile { server: "https://other.example".into(), ..again }).expect("another server");
    for (name, connector, mailbox) in
        [("one", "file", ""), ("two", "file", ""), ("three", "file", "b"), ("four", "x", "b")]
    {
        let without_server = Profile { connector: connector.into(), server: String::new(), ..profile(name, mailbox) };
        store.put_profile(&without_server).expect("another place");
    }
}

#[test]
fn a_removed_profile_takes_all_with_it_but_what_happened() {
    let fixture = Fixture::new();
    let Fixture { store, profile: number, .. } = &fixture;
    let run = fixture.begin();
    let begun = store.begin_operations(*number, run, &[(link(None, None), operation())]).expect("begun");
    let observation = Observation { kind: ItemKind::Appointment, remote_id: "r1".into(), seen: Seen::Removed, run };
    let write = PullWrite {
        profile: *number,
        kind: ItemKind::Appointment,
        observations: &[observation],
        forgotten: &[],
        cursor: Some(&cursor()),
        state: &[("key".into(), Some(vec![1]))],
    };
    store.store_pull(&write).expect("stored");
    store.put_held_plan(*number, Some(&held_plan(run))).expect("held");
    let entry = settlement(begun[0].0.clone());
    let audited = audited(None, None);
    fixture.settle(run, apptsync_store::Settlement { audit: vec![audited], ..entry });

    assert!(store.remove_profile("barbara").expect("removed"));
    assert!(!store.remove_profile("barbara").expect("nothing"));
    assert!(store.links(*number).expect("read").is_empty() && store.unsettled(*number).expect("read").is_empty());
    assert!(store.observations(*number).expect("read").is_empty());
    assert!(store.connector_state(*number).expect("read").is_empty());
    assert_eq!(store.sync_cursor(*number, ItemKind::Appointment).expect("read"), None);
    assert_eq!(store.held_plan(*number).expect("read"), None);
    assert_eq!((store.audit(run).expect("read").len(), store.sync_runs(*number, 9).expect("read").len()), (1, 1));
    let again = store.put_profile(&profile("barbara", "b@example.com")).expect("added");
    assert_ne!(again, *number, "what happened belongs to the old one");
    assert_eq!(store.check().expect("checked"), [""; 0]);
}

#[test]
fn runs_are_kept_with_their_result() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (first, second) = (fixture.begin(), fixture.begin());
    let result = SyncResult {
        state: SyncState::CompletedWithWarnings,
        finished: Instant(9),
        plan: "abc".into(),
        report: "{}".into(),
        messages: vec![Message { severity: Severity::Warning, text: "look".into() }],
    };
    store.finish_sync(first, &result).expect("finished");
    let new = NewSyncRun {
        profile: fixture.profile,
        purpose: "sync".into(),
        as_of: NOW,
        started: NOW,
        writer: "0a1b".into(),
    };
    let first = SyncRun { id: first, new: new.clone(), result: Some(result) };
    let second = SyncRun { id: second, new, result: None };
    assert_eq!(store.sync_run(first.id).expect("read"), Some(first.clone()));
    assert_eq!(store.sync_run(99).expect("read"), None);
    assert_eq!(store.sync_runs(fixture.profile, 1).expect("read"), std::slice::from_ref(&second));
    assert_eq!(store.sync_runs(fixture.profile, 9).expect("read"), [second, first]);
}

#[test]
fn marks_of_runs_are_told_from_those_of_other_databases() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let run = fixture.begin();
    let before_marks = NewSyncRun {
        profile: fixture.profile + 1,
        purpose: "sync".into(),
        as_of: NOW,
        started: NOW,
        writer: String::new(),
    };
    store.begin_sync(&before_marks).expect("a run");
    assert_eq!(store.unknown_writers(&["0a1b", "elsewhere", ""]).expect("read"), ["elsewhere", ""]);
    assert_eq!(store.run_of_writer("0a1b").expect("read").map(|found| found.id), Some(run));
    for unknown in ["elsewhere", ""] {
        assert_eq!(store.run_of_writer(unknown).expect("read"), None);
    }
}

fn held_plan(run: i64) -> HeldPlan {
    HeldPlan { run, hash: "abc".into(), reasons: vec!["6 deletions".into()], plan: "{}".into() }
}

#[test]
fn one_plan_of_a_profile_waits() {
    let fixture = Fixture::new();
    for run in [1, 2] {
        fixture.store.put_held_plan(fixture.profile, Some(&held_plan(run))).expect("held");
        assert_eq!(fixture.store.held_plan(fixture.profile).expect("read"), Some(held_plan(run)));
    }
    fixture.store.put_held_plan(fixture.profile, None).expect("taken away");
    assert_eq!(fixture.store.held_plan(fixture.profile).expect("read"), None);
}

fn cursor() -> SyncCursor {
    SyncCursor {
        cursor: Some("token".into()),
        window: Window { start: Instant(1), end: Instant(2) },
        collection: "sales".into(),
        full_at: Instant(3),
        listed: 4,
        rebuilt: true,
        reads_own_writes: Some(true),
    }
}

#[test]
fn a_page_is_stored_with_its_cursor_and_the_state_of_its_connector() {
    let fixture = Fixture::new();
    let (store, profile) = (&fixture.store, fixture.profile);
    let kind = ItemKind::Task;
    let seen = |remote_id: &str, seen, run| Observation { kind, remote_id: remote_id.into(), seen, run };
    let present = |subject| Seen::Present(Box::new(item("r1", subject)));
    let (first_cursor, expired) = (cursor(), SyncCursor { cursor: None, ..cursor() });
    let pull = |observations: &[Observation], cursor, state: &[(String, Option<Vec<u8>>)]| {
        store.store_pull(&PullWrite { profile, kind, observations, forgotten: &[], cursor, state }).expect("stored");
    };
    let first = [seen("r2", Seen::Removed, 1), seen("r1", Seen::Gone, 1), seen("r1", present("one"), 1)];
    let state = [("a".to_owned(), Some(vec![0, 255])), ("b".to_owned(), Some(Vec::new()))];
    pull(&first, Some(&first_cursor), &state);
    assert_eq!(store.sync_cursor(profile, kind).expect("read"), Some(cursor()));
    assert_eq!(store.sync_cursor(profile, ItemKind::Appointment).expect("read"), None);

    // What is seen again as before was seen first by the run before.
    pull(&[seen("r1", present("one"), 2), seen("r2", Seen::NotInSeries, 2)], None, &[("a".to_owned(), None)]);
    let kept = [seen("r1", present("one"), 1), seen("r2", Seen::NotInSeries, 2)];
    assert_eq!(store.observations(profile).expect("read"), kept);
    assert_eq!(store.sync_cursor(profile, kind).expect("read"), Some(cursor()), "it is left as it is");
    assert_eq!(store.connector_state(profile).expect("read"), [("b".to_owned(), Vec::new())]);

    store.forget_observations(profile, ItemKind::Appointment, &["r1"]).expect("another kind");
    store.forget_observations(profile, kind, &["r2", "r9"]).expect("forgotten");
    assert_eq!(store.observations(profile).expect("read"), kept[..1]);
    pull(&[], Some(&expired), &[]);
    assert_eq!(store.sync_cursor(profile, kind).expect("read").expect("there").cursor, None);
}

#[test]
fn a_page_that_cannot_be_stored_leaves_the_cursor_where_it_was() {
    let fixture = Fixture::new();
    fixture
        .raw()
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON connector_state BEGIN SELECT raise(ABORT, 'full'); END")
        .expect("a trigger");
    let kind = ItemKind::Appointment;
    let observations = [Observation { kind, remote_id: "r1".into(), seen: Seen::Removed, run: 1 }];
    let state = [("key".to_owned(), Some(vec![1]))];
    let write = PullWrite {
        profile: fixture.profile,
        kind,
        observations: &observations,
        forgotten: &[],
        cursor: Some(&cursor()),
        state: &state,
    };
    assert!(fixture.store.store_pull(&write).is_err());
    assert!(fixture.store.observations(fixture.profile).expect("read").is_empty());
    assert_eq!(fixture.store.sync_cursor(fixture.profile, kind).expect("read"), None);
}

#[test]
fn one_process_synchronises_a_profile_at_a_time() {
    let fixture = Fixture::new();
    let other = fixture.store.another().expect("a connection");
    let lock = fixture.store.try_lock_profile(fixture.profile).expect("tried").expect("free");
    assert!(other.try_lock_profile(fixture.profile).expect("tried").is_none());
    assert!(other.try_lock_profile(fixture.profile + 1).expect("tried").is_some());
    assert!(other.try_lock_runs().expect("tried").is_some(), "the import goes on");
    drop(lock);
    assert!(other.try_lock_profile(fixture.profile).expect("tried").is_some());
}

#[test]
fn address_books_have_partners_and_representatives() {
    let Fixture { store, folder: _folder, .. } = Fixture::new();
    let (partners, employees) = store.address_book().expect("read");
    let partners: Vec<_> = partners.iter().map(|partner| &*partner.id).collect();
    let employees: Vec<_> = employees.iter().map(|employee| &*employee.id).collect();
    assert_eq!((partners, employees), (vec!["C1"], vec!["A", "B"]));
}

#[test]
fn what_a_durable_connection_writes_is_there() {
    let fixture = Fixture::new();
    fixture.store.make_durable().expect("set");
    let stored = fixture.link(link(Some(HeadquartersId::Partner("C1".into())), Some("r1")));
    let other = fixture.store.another().expect("a connection");
    assert_eq!(other.links(fixture.profile).expect("read"), [stored]);
}
