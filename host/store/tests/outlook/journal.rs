//! Links, the journal of writes, and results that are stored whole or not at all.

use apptsync_model::outlook::{HeadquartersId, ItemKind, Link, LinkState};
use apptsync_model::{ActivityStatus, Instant};
use apptsync_store::{
    AuditEntry, HeadquartersChange, Observation, Operation, OperationState, OutlookStore, PullWrite, Seen, Settled,
    Settlement, Store, StoreError,
};

use crate::{Fixture, HOUR, NOW, audited, create, entry, fields, link, operation, profile, settlement};

fn activity(id: i64) -> Option<HeadquartersId> {
    Some(HeadquartersId::Activity(id))
}

#[test]
fn a_link_comes_back_as_it_was_stored() {
    let fixture = Fixture::new();
    let full = fixture.link(link(activity(fixture.add("a", NOW.0).id), Some("r1")));
    let bare = Link {
        occurrence: None,
        recreated_at: None,
        filtered_since: None,
        reverts: Vec::new(),
        ..link(Some(HeadquartersId::Employee("B/1".into())), None)
    };
    let bare = fixture.link(bare);
    assert_eq!(fixture.store.links(fixture.profile).expect("read"), [full.clone(), bare.clone()]);
    let changed = fixture.link(Link { state: LinkState::Quarantined, note: "back and forth".into(), ..full });
    assert_eq!(fixture.store.links(fixture.profile).expect("read"), [changed.clone(), bare]);
    assert_eq!(fixture.store.links(fixture.profile + 1).expect("read"), []);
    let missing = Link { id: 99, ..changed };
    let refused = fixture.store.settle(fixture.profile, NOW, vec![settlement(missing)]);
    assert!(matches!(refused, Err(StoreError::Reference(_))));
}

#[test]
fn an_object_and_an_item_have_one_link_of_a_profile_until_it_is_done_with() {
    let fixture = Fixture::new();
    let first = fixture.link(link(activity(fixture.add("a", NOW.0).id), Some("r1")));
    let refused = |link: Link| {
        let settled = fixture.store.settle(fixture.profile, NOW, vec![settlement(link)]);
        assert!(matches!(settled, Err(StoreError::Invalid(_))), "{settled:?}");
    };
    let same_object = || Link { remote_id: Some("r2".into()), id: 0, ..first.clone() };
    let same_item = || Link { headquarters: None, id: 0, ..first.clone() };
    refused(same_object());
    refused(same_item());
    for state in [LinkState::Ignored, LinkState::Suppressed, LinkState::Quarantined] {
        fixture.link(Link { state, ..first.clone() });
        refused(same_item());
    }
    fixture.link(Link { kind: ItemKind::Task, ..same_object() });
    let other = fixture.store.put_profile(&profile("anna", "a@example.com")).expect("a profile");
    fixture.store.settle(other, NOW, vec![settlement(same_item())]).expect("another mailbox");
    fixture.link(Link { state: LinkState::Tombstone, ..first.clone() });
    let second = fixture.link(Link { remote_id: Some("r1".into()), ..same_object() });
    fixture.link(Link { state: LinkState::Unlinked, ..second });
    fixture.link(same_item());
    for nothing in 0..2 {
        let link = fixture.link(link(None, None));
        assert_ne!(link.id, nothing, "what is missing is not the same");
    }
}

#[test]
fn what_is_to_be_sent_stands_in_the_journal_first() {
    let fixture = Fixture::new();
    let (store, profile) = (&fixture.store, fixture.profile);
    let run = fixture.begin();
    let known = fixture.link(link(activity(fixture.add("a", NOW.0).id), Some("r1")));
    let new = Link { state: LinkState::CreatingRemote, ..link(activity(fixture.add("b", NOW.0).id), None) };
    let asked = [(known.clone(), operation()), (new.clone(), operation())];
    let begun = store.begin_operations(profile, run, &asked).expect("begun");
    assert_eq!((&begun[0].0, &begun[1].0.state), (&known, &LinkState::CreatingRemote));
    for (link, operation) in &begun {
        assert!(operation.id > 0 && operation.run == run && operation.link == link.id && link.id > 0);
    }
    let operations: Vec<Operation> = begun.iter().map(|(_, operation)| operation.clone()).collect();
    assert_eq!(store.unsettled(profile).expect("read"), operations);
    assert_eq!(store.links(profile).expect("read"), [begun[0].0.clone(), begun[1].0.clone()]);
    store.count_round(operations[1].id, Instant(7)).expect("counted");
    assert_eq!(store.unsettled(profile).expect("read")[1].rounds, 1);

    let done = |position: usize, state| Settlement {
        operation: Some((operations[position].id, state)),
        ..settlement(begun[position].0.clone())
    };
    let settled = [done(0, OperationState::Failed), done(1, OperationState::Done)];
    store.settle(profile, NOW, settled.to_vec()).expect("settled");
    assert!(store.unsettled(profile).expect("read").is_empty());
    let unknown = Settlement { operation: Some((99, OperationState::Done)), ..settlement(known) };
    assert!(store.settle(profile, NOW, vec![unknown]).is_err());
}

#[test]
fn the_journal_keeps_what_the_next_run_must_hear_of_and_what_is_not_settled() {
    let fixture = Fixture::new();
    let (store, profile) = (&fixture.store, fixture.profile);
    let in_journal = || {
        let count = fixture.raw().query_row("SELECT count(*) FROM operation", [], |row| row.get::<_, i64>(0));
        count.expect("a count")
    };
    let run = fixture.begin();
    let known = fixture.link(link(activity(fixture.add("a", NOW.0).id), Some("r1")));
    let open = fixture.link(link(activity(fixture.add("b", NOW.0).id), Some("r2")));
    let asked = [(known.clone(), operation()), (open, operation())];
    let begun = store.begin_operations(profile, run, &asked).expect("begun");
    let done = Settlement { operation: Some((begun[0].1.id, OperationState::Done)), ..settlement(known) };
    store.settle(profile, NOW, vec![done]).expect("settled");
    assert_eq!(store.unheard(profile, "sync").expect("read"), [(ItemKind::Appointment, "r1".to_owned())]);
    assert_eq!(store.unheard(profile, "contacts").expect("read"), []);
    store.heard(profile, "contacts").expect("written");
    assert_eq!(in_journal(), 2, "address books say nothing of appointments");
    store.heard(profile, "sync").expect("written");
    assert_eq!((in_journal(), store.unheard(profile, "sync").expect("read").len()), (1, 0));
    assert_eq!(store.unsettled(profile).expect("read").len(), 1);
}

#[test]
fn a_journal_that_cannot_be_written_makes_no_links() {
    let fixture = Fixture::new();
    let twice = || (link(activity(1), None), operation());
    assert!(fixture.store.begin_operations(fixture.profile, 1, &[twice(), twice()]).is_err());
    assert!(fixture.store.links(fixture.profile).expect("read").is_empty());
    assert!(fixture.store.unsettled(fixture.profile).expect("read").is_empty());
}

/// A result with something for every table: a new activity, its link, the journal, the audit, and what was seen.
fn whole(fixture: &Fixture, run: i64, remote_id: &str) -> Settlement {
    let kind = ItemKind::Appointment;
    let observations = [Observation { kind, remote_id: remote_id.into(), seen: Seen::Removed, run }];
    let write = PullWrite {
        profile: fixture.profile,
        kind,
        observations: &observations,
        forgotten: &[],
        cursor: None,
        state: &[],
    };
    fixture.store.store_pull(&write).expect("stored");
    let asked = [(link(None, Some(remote_id)), operation())];
    let (link, operation) = fixture.store.begin_operations(fixture.profile, run, &asked).expect("begun").remove(0);
    Settlement {
        link,
        operation: Some((operation.id, OperationState::Done)),
        change: Some(create(remote_id, NOW.0)),
        audit: vec![audited(None, Some(entry("new")))],
        observed: Some(remote_id.into()),
    }
}

#[test]
fn a_result_is_stored_whole() {
    let fixture = Fixture::new();
    let run = fixture.begin();
    let settlement = whole(&fixture, run, "r1");
    let Settled::Done(link, Some((id, revision))) = fixture.settle(run, settlement) else { panic!("a conflict") };
    let stored = fixture.activity(id);
    assert_eq!((stored.revision, stored.changed_at, &*stored.subject), (revision, NOW, "r1"));
    assert_eq!((link.headquarters.clone(), link.revision), (activity(id), revision));
    assert_eq!(fixture.store.links(fixture.profile).expect("read"), [*link]);
    assert!(fixture.store.unsettled(fixture.profile).expect("read").is_empty());
    assert!(fixture.store.observations(fixture.profile).expect("read").is_empty());
    let audit = fixture.store.audit(run).expect("read");
    assert_eq!(audit[0].headquarters, activity(id));
    assert_eq!(fixture.store.check().expect("checked"), [""; 0]);
}

#[test]
fn what_fails_at_any_step_leaves_nothing_behind() {
    for step in [
        "UPDATE ON revision",
        "INSERT ON activity",
        "INSERT ON task",
        "UPDATE ON link",
        "UPDATE ON operation",
        "INSERT ON audit",
        "DELETE ON observation",
    ] {
        let fixture = Fixture::new();
        let run = fixture.begin();
        let good = whole(&fixture, run, "r1");
        let bad = whole(&fixture, run, "r2");
        let before = fixture.dump();
        let fail = format!("CREATE TRIGGER full AFTER {step} BEGIN SELECT raise(ABORT, 'full'); END");
        fixture.raw().execute_batch(&fail).expect("a trigger");
        let settled = fixture.store.settle(fixture.profile, NOW, vec![good.clone(), bad.clone()]);
        assert!(settled.is_err(), "{step}");
        assert_eq!(fixture.dump(), before, "{step}");
        fixture.raw().execute_batch("DROP TRIGGER full").expect("dropped");
        let again = fixture.store.settle(fixture.profile, NOW, vec![good, bad]).expect("settled");
        assert!(again.iter().all(|settled| matches!(settled, Settled::Done(_, Some(_)))), "{step}");
    }
}

#[test]
fn what_was_changed_meanwhile_is_a_conflict_of_its_own() {
    let fixture = Fixture::new();
    let run = fixture.begin();
    let activities = [fixture.add("a", NOW.0), fixture.add("b", NOW.0)];
    let links = activities.clone().map(|activity| {
        let remote_id = activity.source_id.clone();
        fixture.link(link(Some(HeadquartersId::Activity(activity.id)), Some(&remote_id)))
    });
    // Another connection changes the first one after both were read.
    let edit = |position: usize, subject: &str| HeadquartersChange::Update {
        activity: activities[position].id,
        revision: activities[position].revision,
        fields: fields(subject, NOW.0 + HOUR),
    };
    let other = fixture.store.another().expect("a connection");
    other.change_activity(&edit(0, "by hand"), Instant(NOW.0 + 1)).expect("changed");
    let by_sync = |position: usize| Settlement {
        change: Some(edit(position, "by Outlook")),
        audit: vec![AuditEntry { run, ..audited(None, None) }],
        ..settlement(Link { note: "settled".into(), ..links[position].clone() })
    };
    let settled = fixture.store.settle(fixture.profile, NOW, vec![by_sync(0), by_sync(1)]).expect("settled");
    assert_eq!(settled[0], Settled::Conflict);
    let Settled::Done(link, Some((id, revision))) = &settled[1] else { panic!("no conflict") };
    assert_eq!((*id, link.revision), (activities[1].id, *revision));
    assert!(*revision > activities[1].revision);
    assert_eq!(fixture.activity(activities[0].id).subject, "by hand");
    assert_eq!(fixture.activity(activities[1].id).subject, "by Outlook");
    let notes: Vec<_> = fixture.store.links(fixture.profile).expect("read").into_iter().map(|link| link.note).collect();
    assert_eq!((notes, fixture.store.audit(run).expect("read").len()), (vec!["because".into(), "settled".into()], 1));

    let stale = HeadquartersChange::Cancel { activity: activities[0].id, revision: activities[0].revision };
    assert!(matches!(fixture.store.change_activity(&stale, NOW), Err(StoreError::Changed)));
    let missing = HeadquartersChange::Reinstate { activity: 99, revision: 1, status: ActivityStatus::Planned };
    assert!(matches!(fixture.store.change_activity(&missing, NOW), Err(StoreError::Changed)));
}

#[test]
fn links_to_activities_that_are_not_there_are_noticed() {
    let fixture = Fixture::new();
    fixture.link(link(activity(fixture.add("a", NOW.0).id), Some("r1")));
    assert_eq!(fixture.store.check().expect("checked"), [""; 0]);
    fixture.link(link(activity(99), Some("r2")));
    let problems = fixture.store.check().expect("checked");
    assert_eq!(problems, ["1 links to Outlook are of activities that are not there"]);
}
