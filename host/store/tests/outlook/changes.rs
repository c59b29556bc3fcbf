//! Changes of activities by the synchronisation and by people, and which activities a representative has.

use apptsync_model::outlook::{HeadquartersId, ItemKind, Link, Origin, Window};
use apptsync_model::{
    Activity, ActivityStatus, Application, ChangedSince, Channel, Instant, Ledger, MasterData, Outcome, Period,
    Priority,
};
use apptsync_store::{
    ActivityFields, Change, EditedActivity, HeadquartersChange, JobBegin, JobSettings, NewActivity, OutlookStore,
    PageWrite, RecordWrite, Store, StoreError, TransferKey,
};

use crate::{Fixture, HOUR, NOW, create, fields, link, new};

const KEY: TransferKey<'_> = TransferKey { channel: "B2B", collection: "appointments" };

/// Changes an activity by hand at its revision.
fn edit(fixture: &Fixture, activity: &Activity, fields: EditedActivity, now: Instant) -> Activity {
    let Activity { id, revision, .. } = *activity;
    let change = HeadquartersChange::Update { activity: id, revision, fields };
    fixture.store.change_activity(&change, now).expect("changed");
    fixture.activity(id)
}

fn cancel(fixture: &Fixture, activity: &Activity) -> Activity {
    let change = HeadquartersChange::Cancel { activity: activity.id, revision: activity.revision };
    fixture.store.change_activity(&change, NOW).expect("canceled");
    fixture.activity(activity.id)
}

#[test]
fn a_new_activity_has_all_its_fields() {
    let fixture = Fixture::new();
    let visit = NewActivity { partner: Some("C1".into()), origin: Origin::Headquarters, ..new("h-1", NOW.0) };
    let id = fixture.store.change_activity(&HeadquartersChange::Create(Box::new(visit)), NOW).expect("made");
    let made = fixture.activity(id);
    let (start, end) = (NOW, Instant(NOW.0 + HOUR));
    let expected = Activity {
        id,
        entry: ItemKind::Appointment,
        channel: String::new(),
        source_id: "h-1".into(),
        number: String::new(),
        subject: "h-1".into(),
        description: "line 1\nline 2".into(),
        kind: "Appointment".into(),
        priority: Priority::High,
        status: ActivityStatus::Planned,
        canceled: false,
        period: Period::Timed { start, end },
        start,
        end,
        completed_on: None,
        completed_by: None,
        customer: "C1".into(),
        customer_name: String::new(),
        employee: "B".into(),
        employee_name: "Employee B".into(),
        origin: "headquarters".into(),
        attributes: vec![("location".into(), "Kraków".into())],
        created_by_job: 0,
        changed_by_job: 0,
        revision: made.revision,
        changed_at: NOW,
    };
    assert_eq!(made, expected);
    assert_eq!((made.location(), made.is_undated()), ("Kraków", false));
    let without_customer = fixture.add("o-1", NOW.0);
    assert_eq!((&*without_customer.customer, without_customer.revision > made.revision), ("", true));
    assert_eq!(fixture.store.check().expect("checked"), [""; 0]);
}

#[test]
fn making_an_activity_again_finds_the_one_that_is_there() {
    let fixture = Fixture::new();
    let first = fixture.add("a", NOW.0);
    let again = fixture.store.change_activity(&create("a", NOW.0 + HOUR), NOW).expect("found");
    assert_eq!(fixture.activity(again), first, "as it was");
    let by_hand = NewActivity { origin: Origin::Headquarters, ..new("a", NOW.0) };
    let other = fixture.store.change_activity(&HeadquartersChange::Create(Box::new(by_hand)), NOW).expect("made");
    assert_ne!(other, first.id, "another origin");
    let [first, second] = [(), ()].map(|()| fixture.add("", NOW.0));
    assert_eq!((first.source_id, second.source_id), (first.id.to_string(), second.id.to_string()));
}

#[test]
fn what_an_activity_cannot_be_made_of_is_refused() {
    let fixture = Fixture::new();
    for (new, wrong) in [
        (NewActivity { employee: "nobody".into(), ..new("a", 0) }, "employee `nobody`"),
        (NewActivity { partner: Some("nobody".into()), ..new("a", 0) }, "partner `nobody`"),
        (NewActivity { origin: Origin::Mobile, ..new("a", 0) }, "Mobile"),
        (NewActivity { entry: ItemKind::Contact, ..new("a", 0) }, "Contact"),
    ] {
        let before = fixture.dump();
        let refused = fixture.store.change_activity(&HeadquartersChange::Create(Box::new(new)), NOW);
        let Err(StoreError::Reference(text) | StoreError::Invalid(text)) = refused else { panic!("{refused:?}") };
        assert!(text.contains(wrong), "{text}");
        assert_eq!(fixture.dump(), before);
    }
}

#[test]
fn an_edit_that_changes_nothing_is_no_change() {
    let fixture = Fixture::new();
    let made = fixture.add("a", NOW.0);
    assert_eq!(edit(&fixture, &made, fields("a", NOW.0), Instant(NOW.0 + 9)), made);
    let moved = edit(&fixture, &made, fields("a", NOW.0 + HOUR), Instant(NOW.0 + 9));
    assert_eq!((moved.start.0, moved.changed_at.0), (NOW.0 + HOUR, NOW.0 + 9));
    assert!(moved.revision > made.revision);
    let elsewhere = EditedActivity { location: String::new(), ..fields("a", NOW.0 + HOUR) };
    assert_eq!(edit(&fixture, &moved, elsewhere, NOW).attributes, []);
}

#[test]
fn a_status_goes_one_way_only() {
    let fixture = Fixture::new();
    let done = |start| EditedActivity { completed: Some(Instant(NOW.0 + 5)), ..fields("a", start) };
    let planned = fixture.add("a", NOW.0);
    let completed = edit(&fixture, &planned, done(NOW.0), NOW);
    assert_eq!(completed.status, ActivityStatus::Completed);
    assert_eq!((completed.completed_on, completed.completed_by.as_deref()), (Some(Instant(NOW.0 + 5)), Some("B")));
    let reopened = edit(&fixture, &completed, fields("b", NOW.0 + HOUR), NOW);
    assert_eq!((reopened.status, reopened.completed_on), (ActivityStatus::Completed, completed.completed_on));

    let elapsed = fixture.add("late", NOW.0 - 2 * HOUR);
    assert_eq!(elapsed.status, ActivityStatus::Delayed);
    let moved = edit(&fixture, &elapsed, done(NOW.0 + HOUR), NOW);
    assert_eq!((moved.status, moved.completed_on), (ActivityStatus::Delayed, None), "new times change nothing");
    let at_once = NewActivity { fields: done(NOW.0), ..new("done", NOW.0) };
    let id = fixture.store.change_activity(&HeadquartersChange::Create(Box::new(at_once)), NOW).expect("made");
    assert_eq!(fixture.activity(id).status, ActivityStatus::Completed);
}

#[test]
fn a_canceled_activity_is_closed_and_can_be_reinstated() {
    let fixture = Fixture::new();
    let canceled = cancel(&fixture, &fixture.add("a", NOW.0));
    assert_eq!((canceled.status, canceled.canceled), (ActivityStatus::CompletedUnprocessed, true));
    assert_eq!(canceled.shown_status(), "Canceled");
    assert_eq!(cancel(&fixture, &canceled), canceled, "once is enough");
    let delayed = cancel(&fixture, &fixture.add("late", NOW.0 - 2 * HOUR));
    assert_eq!((delayed.status, delayed.canceled), (ActivityStatus::Delayed, true));
    let Activity { id, revision, .. } = canceled;
    let back = HeadquartersChange::Reinstate { activity: id, revision, status: ActivityStatus::Planned };
    fixture.store.change_activity(&back, NOW).expect("reinstated");
    let back = fixture.activity(id);
    assert_eq!((back.status, back.canceled, back.revision > revision), (ActivityStatus::Planned, false, true));
}

fn day(day: u32) -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(1970, 1, day).expect("a date")
}

fn undated(first: u32) -> EditedActivity {
    let (start, end) = (day(first), day(first + 1));
    let period = Period::AllDay { start, end };
    let (start, end) = period.instants(chrono_tz::UTC);
    EditedActivity { period, start, end, undated: true, ..fields("call", 0) }
}

#[test]
fn a_task_without_a_date_keeps_the_day_it_came_in_and_is_never_late() {
    let fixture = Fixture::new();
    let task = NewActivity { entry: ItemKind::Task, fields: undated(3), ..new("t", 0) };
    let id = fixture.store.change_activity(&HeadquartersChange::Create(Box::new(task)), NOW).expect("made");
    let task = fixture.activity(id);
    assert!(task.is_undated() && task.entry == ItemKind::Task && task.status == ActivityStatus::Planned);
    assert_eq!(edit(&fixture, &task, undated(9), NOW), task);
    assert_eq!(fixture.store.delay_elapsed_of("B", Instant::MAX, &[]).expect("set"), 0);
    let dated = edit(&fixture, &task, fields("call", NOW.0), NOW);
    assert!(!dated.is_undated() && dated.start == NOW);
    let undated = edit(&fixture, &dated, undated(9), NOW);
    assert_eq!(undated.period, Period::AllDay { start: day(9), end: day(10) });
}

#[test]
fn what_a_representative_planned_and_elapsed_becomes_delayed() {
    let fixture = Fixture::new();
    let made = fixture.add("a", NOW.0);
    let of_a = NewActivity { employee: "A".into(), ..new("b", NOW.0) };
    fixture.store.change_activity(&HeadquartersChange::Create(Box::new(of_a)), NOW).expect("made");
    assert_eq!(fixture.store.delay_elapsed_of("B", made.end, &[]).expect("set"), 0, "at its end it is not yet elapsed");
    let later = Instant(made.end.0 + 1);
    assert_eq!(fixture.store.delay_elapsed_of("B", later, &[]).expect("set"), 1);
    assert_eq!(fixture.store.delay_elapsed_of("B", later, &[]).expect("set"), 0);
    let delayed = fixture.activity(made.id);
    assert_eq!((delayed.status, delayed.changed_at), (ActivityStatus::Delayed, later));
    assert!(delayed.revision > made.revision);
}

#[test]
fn the_activities_of_a_representative_are_linked_or_lie_in_the_window() {
    let fixture = Fixture::new();
    let window = Window { start: Instant(NOW.0), end: Instant(NOW.0 + 10 * HOUR) };
    let mut expected = Vec::new();
    for (position, start) in [-2 * HOUR, -HOUR, -1, 0, 9 * HOUR, 10 * HOUR - 1, 10 * HOUR, 20 * HOUR].iter().enumerate()
    {
        let made = fixture.add(&format!("a-{position}"), NOW.0 + start);
        if window.overlaps(made.start, made.end) {
            expected.push(made.id);
        }
    }
    let of_a = NewActivity { employee: "A".into(), ..new("b", NOW.0) };
    fixture.store.change_activity(&HeadquartersChange::Create(Box::new(of_a)), NOW).expect("made");
    cancel(&fixture, &fixture.activity(expected[0]));
    let ids = || {
        let mut found = Vec::new();
        let mut visit = |activity: Activity| found.push(activity.id);
        fixture.store.visit_unlinked(fixture.profile, "B", window, &mut visit).expect("read");
        found
    };
    assert_eq!((expected.len(), ids()), (4, expected.clone()));
    let linked = expected.remove(1);
    let _ = fixture.link(link(Some(HeadquartersId::Activity(linked)), Some("r1")));
    assert_eq!(ids(), expected);
    let mut visited = Vec::new();
    let mut visit = |link: Link, activity: Option<Activity>| visited.push((link.headquarters, activity));
    fixture.store.visit_links(fixture.profile, &mut visit).expect("read");
    let activity = fixture.activity(linked);
    assert_eq!(visited, [(Some(HeadquartersId::Activity(linked)), Some(activity))]);
    let found = fixture.store.link_of_item(fixture.profile, ItemKind::Appointment, "r1").expect("read");
    let of_series = |kind| fixture.store.links_of_series(fixture.profile, kind, "weekly").expect("read");
    assert_eq!(found.as_slice(), of_series(ItemKind::Appointment));
    assert_eq!((found.is_some(), of_series(ItemKind::Task)), (true, Vec::new()));
}

/// Imports one planned appointment of B.
fn imported(fixture: &Fixture) -> Activity {
    let master = MasterData {
        channel: vec![Channel {
            id: "B2B".into(),
            description: String::new(),
            organization: "O1".into(),
            active: true,
        }],
        ..MasterData::default()
    };
    fixture.store.load(&master).expect("loaded");
    let EditedActivity { subject, description, period, start, end, priority, .. } = fields("Autumn", NOW.0);
    let fields = ActivityFields {
        number: "7".into(),
        subject,
        description,
        kind: "Visit".into(),
        priority,
        status: ActivityStatus::Planned,
        period,
        start,
        end,
        completed_on: None,
        completed_by: None,
        partner: "C1".into(),
        employee: "B".into(),
        attributes: Vec::new(),
    };
    write(fixture, Change::CreateActivity(Box::new(fields)));
    let id = fixture.store.known(&KEY, &["m-1"]).expect("read")[0].as_ref().and_then(|known| known.activity);
    fixture.activity(id.expect("an activity").id)
}

fn write(fixture: &Fixture, change: Change) {
    let job = JobSettings {
        application: Application::ImportActivities,
        name: String::new(),
        channel: "B2B".into(),
        user: None,
        changed_since: ChangedSince::Anytime,
        deactivate_deleted: false,
        content_language: None,
    };
    let begin = JobBegin { as_of: Instant(NOW.0 + 77), started: NOW };
    let job = fixture.store.begin_job(&job, begin).expect("a job");
    let known = fixture.store.known(&KEY, &["m-1"]).expect("read").remove(0);
    let record = RecordWrite {
        source_id: "m-1".into(),
        transfer: known.as_ref().map(|known| known.transfer),
        activity: known.as_ref().and_then(|known| known.activity).map(|activity| activity.id),
        seen: [1; 16],
        imported: Some([1; 16]),
        outcome: Outcome::Created,
        pending: false,
        detail: String::new(),
        changed_at: NOW,
        record: Some("{}".into()),
        change,
    };
    let page = PageWrite {
        job,
        application: Application::ImportActivities,
        key: KEY,
        stage_set: 1,
        entered: 1,
        settled: &[],
        records: &[record],
        quarantined: &[],
        cursor: None,
    };
    fixture.store.store_page(&page, &mut Ledger::default()).expect("stored");
}

#[test]
fn every_write_of_an_activity_raises_its_revision() {
    let fixture = Fixture::new();
    let first = imported(&fixture);
    assert_eq!((first.changed_at.0, first.entry, first.canceled), (NOW.0 + 77, ItemKind::Appointment, false));
    write(&fixture, Change::SetStatus(first.id, ActivityStatus::Delayed));
    let second = fixture.activity(first.id);
    assert!(second.revision > first.revision && fixture.add("a", NOW.0).revision > second.revision);
    write(&fixture, Change::SetStatus(first.id, ActivityStatus::Completed));
    assert_eq!(fixture.activity(first.id), second, "what is Delayed stays so");
}

#[test]
fn an_edit_of_mobiles_activity_makes_the_next_import_look_again() {
    let fixture = Fixture::new();
    let mobile = imported(&fixture);
    let known = || fixture.store.known(&KEY, &["m-1"]).expect("read").remove(0).expect("known");
    assert_eq!((known().imported, known().pending), (Some([1; 16]), false));
    let edited = edit(&fixture, &mobile, fields("by hand", NOW.0), NOW);
    assert_eq!(
        (known().imported, known().pending, &*known().detail),
        (None, true, "changed by hand in the headquarters")
    );
    assert_eq!(fixture.store.pending(&KEY, 99, 0, 9).expect("read").len(), 1);

    write(&fixture, Change::Nothing);
    cancel(&fixture, &edited);
    assert_eq!((known().imported, known().pending), (Some([1; 16]), false), "what is closed stays closed");
    assert!(known().activity.is_some_and(|activity| activity.canceled));
}
