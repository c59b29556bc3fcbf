//! The audit is a chain: what is changed or taken out of it later is noticed.

use apptsync_model::outlook::HeadquartersId;
use apptsync_store::{AuditAction, OutlookStore, Settlement, Side, Store};

use crate::{Fixture, NOW, audited, entry, link, settlement};

/// Three entries of two runs, of an activity and its link.
fn audited_fixture() -> (Fixture, HeadquartersId, [i64; 2]) {
    let fixture = Fixture::new();
    let object = HeadquartersId::Activity(fixture.add("a", NOW.0).id);
    let link = fixture.link(link(Some(object.clone()), Some("r1")));
    let runs = [fixture.begin(), fixture.begin()];
    let entries = vec![audited(Some(entry("old")), Some(entry("new"))), audited(Some(entry("new")), None)];
    fixture.settle(runs[0], Settlement { audit: entries, ..settlement(link.clone()) });
    let reverted = apptsync_store::AuditEntry {
        side: Side::Headquarters,
        action: AuditAction::Reverted,
        ..audited(None, Some(entry("old")))
    };
    fixture.settle(runs[1], Settlement { audit: vec![reverted], ..settlement(link) });
    (fixture, object, runs)
}

#[test]
fn what_a_run_changed_is_found_by_run_and_by_object() {
    let (fixture, object, runs) = audited_fixture();
    let of_run = fixture.store.audit(runs[0]).expect("read");
    assert_eq!(of_run.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((of_run[0].before.clone(), of_run[1].after.clone()), (Some(entry("old")), None));
    let all = fixture.store.audit_of(&object).expect("read");
    assert_eq!(
        all.iter().map(|entry| (entry.sequence, entry.run)).collect::<Vec<_>>(),
        [(1, runs[0]), (2, runs[0]), (3, runs[1])]
    );
    assert_eq!((all[2].side, all[2].action, all[2].link), (Side::Headquarters, AuditAction::Reverted, 1));
    assert!(fixture.store.audit_of(&HeadquartersId::Activity(99)).expect("read").is_empty());
    assert!(fixture.store.audit(99).expect("read").is_empty());
    assert_eq!(fixture.store.check().expect("checked"), [""; 0]);
}

#[test]
fn whoever_tampers_with_the_audit_is_found_out() {
    for (sql, entry) in [
        ("UPDATE audit SET before = replace(before, 'old', 'odd') WHERE sequence = 1", 1),
        ("UPDATE audit SET after = NULL WHERE sequence = 1", 1),
        ("UPDATE audit SET run = 9 WHERE sequence = 2", 2),
        ("UPDATE audit SET headquarters = 'activity/9' WHERE sequence = 2", 2),
        ("UPDATE audit SET digest = zeroblob(32) WHERE sequence = 2", 2),
        ("UPDATE audit SET digest = x'00' WHERE sequence = 3", 3),
        ("UPDATE audit SET sequence = 7 WHERE sequence = 3", 3),
        ("DELETE FROM audit WHERE sequence = 1", 1),
        ("DELETE FROM audit WHERE sequence = 2", 2),
        ("DELETE FROM audit WHERE sequence = 3", 3),
        ("DELETE FROM audit", 1),
    ] {
        let (fixture, ..) = audited_fixture();
        fixture.raw().execute_batch(sql).expect("tampered");
        let problems = fixture.store.check().expect("checked");
        let expected = format!("the audit was tampered with: entry {entry} is not as it was written, or is missing");
        assert_eq!(problems, [expected], "{sql}");
    }
}
