//! The writer mark (outlook.md 2.11): two installations that write the same calendar do not write over each other for ever.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use apptsync_model::Instant;
use apptsync_model::outlook::{
    Base, Content, DeletionPolicy, Entry, GuardSettings, HeadquartersId, Identity, ItemKind, Link, LinkState, Origin,
    OverrideScope, RemoteItem, TextPriority, Window, projection,
};
use apptsync_pipeline::outlook::{
    HeadquartersItem, Place, RemoteState, Rules, Snapshot, SyncReport, Writer, held, plan, why,
};
use apptsync_store::{OutlookStore, SyncState};

use crate::world::{DAY, HOUR, World, entry, writes};

const NOW: i64 = 1_796_112_000;
const OBJECT: HeadquartersId = HeadquartersId::Activity(1);

/// One activity of the headquarters whose item somebody gave another subject; the mark on it, and the one of when both agreed.
fn edited(writer: Option<&str>, agreed: Option<&str>, strangers: &[&str]) -> Snapshot {
    let start = NOW + DAY;
    let content = entry("Visit", start);
    let Content::Entry(written) = content.clone() else { panic!("an entry") };
    let fields = projection(ItemKind::Appointment, &content);
    let link = Link {
        id: 1,
        kind: ItemKind::Appointment,
        headquarters: Some(OBJECT),
        remote_id: Some("r".to_owned()),
        collection: "calendar".to_owned(),
        occurrence: None,
        our_id: "key".to_owned(),
        incarnation: 0,
        origin: Origin::Headquarters,
        state: LinkState::Linked,
        base: Base {
            headquarters: fields.clone(),
            remote: fields.clone(),
            writer: agreed.map(str::to_owned),
            ..Base::default()
        },
        revision: 1,
        etag: "v1".to_owned(),
        recreated_at: None,
        reverts: Vec::new(),
        flaps: Vec::new(),
        filtered_since: None,
        note: String::new(),
    };
    let ours = HeadquartersItem {
        id: OBJECT,
        kind: ItemKind::Appointment,
        origin: Origin::Headquarters,
        revision: 1,
        content,
        fields,
        place: Place::Window,
        withdrawn: false,
        moved: false,
        closed: false,
        delayed: false,
        start: Instant(start),
        end: Instant(start + HOUR),
        changed_at: Instant(NOW),
    };
    let item = RemoteItem {
        remote_id: "r".to_owned(),
        etag: "v2".to_owned(),
        collection: "calendar".to_owned(),
        identity: Identity::Ours("key".to_owned()),
        writer: writer.map(str::to_owned),
        uid: String::new(),
        content: Content::Entry(Entry { subject: "Something else".to_owned(), ..written }),
        private: false,
        cancelled: false,
        is_organizer: true,
        has_attendees: false,
        occurrence: None,
        changed_at: None,
    };
    let window = Window { start: Instant(NOW - DAY), end: Instant(NOW + 30 * DAY) };
    Snapshot {
        profile: "1/b".to_owned(),
        employee: "B".to_owned(),
        now: Instant(NOW),
        run: 9,
        rules: Rules {
            priority: TextPriority::Erp,
            scope: OverrideScope::HeadquartersOrigin,
            transfer: true,
            deletion_policy: DeletionPolicy::Future,
            answer: None,
        },
        guards: GuardSettings::default(),
        targets: BTreeMap::from([(ItemKind::Appointment, "calendar".to_owned())]),
        windows: BTreeMap::from([(ItemKind::Appointment, window)]),
        zone: chrono_tz::Tz::Europe__Warsaw,
        links: vec![link],
        settled: 0,
        settled_series: BTreeSet::new(),
        answers: BTreeMap::new(),
        incarnations: HashMap::new(),
        oldest_run: 0,
        headquarters: BTreeMap::from([(OBJECT, ours)]),
        remote: BTreeMap::from([((ItemKind::Appointment, "r".to_owned()), RemoteState::Present(Box::new(item)))]),
        unsettled: BTreeSet::new(),
        writer: "this-run".to_owned(),
        strangers: strangers.iter().map(|writer| (*writer).to_owned()).collect(),
        listings: BTreeMap::new(),
        rebuilt: None,
    }
}

#[test]
fn layer_2_11_writer_holds_a_plan_that_writes_over_another_installation() {
    let reasons = |snapshot: &Snapshot| {
        let plan = plan(snapshot);
        assert!(plan.steps.iter().any(|step| step.writes_outlook()), "it would be put back");
        held(&plan, snapshot)
    };
    assert_eq!(
        reasons(&edited(Some("there"), Some("here"), &["there"])),
        [
            "writer: 1 item that this plan would change was last written by another installation of apptsync (a copy of this database, or this one before it was restored): let only one of them synchronize this calendar, then approve"
        ]
    );
    let none: [&str; 0] = [];
    // A person's edit leaves the mark as it is.
    assert_eq!(reasons(&edited(Some("here"), Some("here"), &[])), none);
    // Written by an older run of this database, such as in a calendar that was restored.
    assert_eq!(reasons(&edited(Some("earlier"), Some("here"), &[])), none);
    // Both sides agreed on what the other installation wrote; this is an edit of a person.
    assert_eq!(reasons(&edited(Some("there"), Some("there"), &["there"])), none);
    assert_eq!(reasons(&edited(None, Some("here"), &[])), none);
}

#[test]
fn layer_2_11_writer_lets_pass_what_is_taken_over() {
    let mut snapshot = edited(Some("there"), Some("here"), &["there"]);
    snapshot.rules.priority = TextPriority::Outlook;
    let plan = plan(&snapshot);
    assert!(plan.steps.iter().any(|step| step.writes_headquarters()), "{:?}", plan.steps);
    assert!(held(&plan, &snapshot).is_empty(), "nothing goes round where only one side writes");
}

/// Another installation writes an item as it wants it.
fn write_elsewhere(world: &World, remote: &str, subject: &str, run: &str) {
    world.server.edit(remote, |entry| subject.clone_into(&mut entry.subject));
    world.server.change(remote, |item| item.writer = Some(run.to_owned()));
}

fn assert_held(world: &World, report: &SyncReport) {
    assert_eq!((report.state, writes(report)), (SyncState::Held, 0), "{:#?}", report.plan.steps);
    assert!(report.reasons.iter().any(|reason| reason.starts_with("writer: 1 item")), "{:?}", report.reasons);
    assert!(world.server.find("As they want it").is_some());
}

/// The plan is approved; then nothing is left to do.
fn approve(world: &mut World) {
    let hash = world.plan().plan.hash();
    assert_eq!(writes(&world.approve(&hash)), 1);
    for _ in 0..2 {
        assert!(world.plan().plan.is_empty());
        assert_eq!(writes(&world.sync()), 0);
    }
}

#[test]
fn what_another_installation_wrote_waits_for_approval_and_is_steady_then() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    assert!(world.server.get(&remote).is_some_and(|stored| stored.item.writer.is_some()), "it bears a mark");
    write_elsewhere(&world, &remote, "As they want it", "there-1");
    let report = world.sync();
    assert_held(&world, &report);
    let found = world.with_synchronisation(|with| why(with, &id.to_string(), world.now)).expect("known");
    assert_eq!(found[0].writer, Some(Writer::AnotherInstallation));
    approve(&mut world);
    assert!(world.server.find("Visit").is_some());
    let found = world.with_synchronisation(|with| why(with, &id.to_string(), world.now)).expect("known");
    assert!(matches!(found[0].writer, Some(Writer::Run(_))), "{:?}", found[0].writer);
    // And of a person's edit from then on nobody needs to see anything.
    world.server.edit(&remote, |entry| entry.subject = "My own words".to_owned());
    assert_eq!(world.sync().operations.revert, 1);
}

#[test]
fn where_passes_do_not_say_who_wrote_it_is_asked_before_something_is_put_back_again() {
    let mut world = World::new();
    world.server.faults(|faults| faults.is_terse = true);
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    let asked = world.server.fetched();
    write_elsewhere(&world, &remote, "As they want it", "there-1");
    assert_eq!(world.sync().operations.revert, 1, "an edit, as far as is known");
    assert_eq!(world.server.fetched(), asked, "and nobody asks");
    write_elsewhere(&world, &remote, "As they want it", "there-2");
    let report = world.sync();
    assert_held(&world, &report);
    assert_eq!(world.server.fetched(), asked + 1);
    approve(&mut world);
}

#[test]
fn an_item_with_the_mark_of_an_earlier_run_is_an_edit_like_any_other() {
    let mut world = World::new();
    let id = world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let remote = world.remote_of(id);
    let backup = world.server.get(&remote).expect("there");
    world.edit(id, |fields| fields.subject = "Visit at noon".to_owned());
    world.settle(2);
    world.server.put(backup);
    world.server.change(&remote, |_| {});
    assert_eq!(world.sync().operations.revert, 1);
    assert!(world.server.find("Visit at noon").is_some());
}

#[test]
fn every_run_has_a_mark_of_its_own_that_the_database_knows() {
    let mut world = World::new();
    world.create(Origin::Headquarters, "Visit", DAY);
    world.settle(2);
    let runs = world.store.sync_runs(world.profile().id, 10).expect("runs");
    let marks: BTreeSet<&str> = runs.iter().map(|run| run.new.writer.as_str()).collect();
    assert_eq!(marks.len(), runs.len());
    assert!(marks.iter().all(|mark| mark.len() == 16 && mark.bytes().all(|byte| byte.is_ascii_hexdigit())));
    let asked: Vec<&str> = marks.iter().copied().chain(["there", ""]).collect();
    assert_eq!(world.store.unknown_writers(&asked).expect("asked"), ["there", ""]);
}
