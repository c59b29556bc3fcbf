//! What a representative, the headquarters and Mobile do, and what must hold when it has become quiet.

use std::collections::{BTreeMap, BTreeSet};

use apptsync_model::outlook::{Content, HeadquartersId, LinkState, Origin, TextPriority};
use apptsync_model::{ActivityId, Instant, Period};
use apptsync_pipeline::outlook::SyncReport;
use apptsync_store::{OutlookStore, Store, SyncState};

use crate::bench::{Account, Bench, DAY, HOUR, Opened};
use crate::disturbed::Disturbance;
use apptsync_tests::dice::Dice;

/// Runs after which it must have come to rest.
const REST: usize = 8;

/// An item as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) handle: String,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) start: i64,
    pub(crate) is_private: bool,
    /// What belongs to the owner alone: categories and the reminder.
    pub(crate) local: String,
    /// All of it.
    pub(crate) raw: String,
}

/// What an owner changes of an item.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Subject(String),
    Body(String),
    Start(i64),
    Local(u64),
}

/// A calendar in its owner's hands.
pub(crate) trait Calendar {
    fn items(&self) -> Vec<Item>;
    /// A new item of an hour; gives its handle.
    fn add(&self, subject: &str, start: i64, is_private: bool) -> String;
    fn edit(&self, handle: &str, edit: &Edit);
    fn delete(&self, handle: &str);
    /// A copy with everything that is in the original, if the owner's program makes such.
    fn copy(&self, handle: &str, subject: &str) -> Option<String>;
    /// Something goes wrong with the next requests.
    fn misbehave(&self, _: &mut Dice) -> String {
        String::new()
    }
    fn behave(&self) {}
}

struct History<'a> {
    bench: Bench<'a>,
    calendar: &'a dyn Calendar,
    numbers: u64,
    /// Texts by where they were written; what the same side wrote over or deleted is forgotten.
    written: BTreeMap<String, String>,
    private: BTreeMap<String, Item>,
    local: BTreeMap<String, String>,
    /// Activities about which a person is asked.
    held: BTreeSet<String>,
    /// What happened, for whoever looks at a failure.
    log: Vec<String>,
}

/// Plays one history and looks whether everything holds.
pub(crate) fn play(connector: &Opened, account: &Account, calendar: &dyn Calendar, dice: &mut Dice) {
    let priority = if dice.chance(50) { TextPriority::Erp } else { TextPriority::Outlook };
    let mut history = History {
        bench: Bench::new(connector, account, priority),
        calendar,
        numbers: 0,
        written: BTreeMap::new(),
        private: BTreeMap::new(),
        local: BTreeMap::new(),
        held: BTreeSet::new(),
        log: vec![format!("{priority}")],
    };
    for _ in 0..dice.between(3, 9) {
        history.happen(dice);
    }
    history.check();
    history.log.clear();
}

impl Drop for History<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:#?}", self.log);
        }
    }
}

impl History<'_> {
    fn token(&mut self, place: String) -> String {
        self.numbers += 1;
        let token = format!("text {} of this history", self.numbers);
        self.written.insert(place, token.clone());
        token
    }

    fn here(&self, dice: &mut Dice) -> Option<ActivityId> {
        let open: Vec<_> = self.bench.activities().into_iter().filter(|activity| !activity.canceled).collect();
        (!open.is_empty()).then(|| open[dice.below(open.len())].id)
    }

    fn there(&self, dice: &mut Dice) -> Option<String> {
        let items: Vec<_> = self.calendar.items().into_iter().filter(|item| !item.is_private).collect();
        (!items.is_empty()).then(|| items[dice.below(items.len())].handle.clone())
    }

    fn happen(&mut self, dice: &mut Dice) {
        let hours = dice.between(30, 600);
        let start = self.bench.now.0 + hours * HOUR;
        let what = dice.below(100);
        match what {
            0..18 => {
                self.numbers += 1;
                let subject = format!("text {} of this history", self.numbers);
                let id = self.bench.create(dice.chance(50), &subject, hours * HOUR);
                self.written.insert(format!("here {id}"), subject);
                self.log.push(format!("activity {id} is made for +{hours}h"));
            }
            18..28 => {
                let Some(id) = self.here(dice) else { return };
                let token = self.token(format!("here {id}"));
                self.log.push(format!("activity {id}: {token}"));
                self.bench.edit(id, |fields| fields.subject = token);
            }
            28..33 => {
                let Some(id) = self.here(dice) else { return };
                let period = Period::Timed { start: Instant(start), end: Instant(start + HOUR) };
                self.log.push(format!("activity {id} is moved to +{hours}h"));
                self.bench.edit(id, |fields| fields.period = period);
            }
            33..37 => {
                let Some(id) = self.here(dice) else { return };
                self.log.push(format!("activity {id} is canceled"));
                self.bench.cancel(id);
            }
            37..50 => self.add(start, dice.chance(25)),
            50..74 => self.edit_there(start, dice),
            _ => self.sync(dice),
        }
    }

    fn add(&mut self, start: i64, is_private: bool) {
        self.numbers += 1;
        let subject = format!("{} {} of this history", if is_private { "secret" } else { "text" }, self.numbers);
        let handle = self.calendar.add(&subject, start, is_private);
        self.log.push(format!("item {handle} is made: {subject}"));
        if is_private {
            let made = self.calendar.items().into_iter().find(|item| item.handle == handle).expect("just made");
            self.private.insert(handle, made);
        } else {
            self.written.insert(format!("there {handle}"), subject);
        }
    }

    fn edit_there(&mut self, start: i64, dice: &mut Dice) {
        let Some(handle) = self.there(dice) else { return };
        let edit = match dice.below(10) {
            0..3 => Edit::Subject(self.token(format!("there {handle}"))),
            3 => Edit::Body(self.token(format!("body there {handle}"))),
            4..6 => Edit::Start(start),
            6 => {
                self.numbers += 1;
                Edit::Local(self.numbers)
            }
            7 => {
                let subject = format!("text {} of this history", self.numbers + 1);
                if let Some(copy) = self.calendar.copy(&handle, &subject) {
                    self.numbers += 1;
                    self.log.push(format!("item {handle} is copied to {copy}: {subject}"));
                    self.written.insert(format!("there {copy}"), subject);
                }
                return;
            }
            _ => {
                // Whoever deletes an item knows what it said.
                self.written.remove(&format!("there {handle}"));
                self.written.remove(&format!("body there {handle}"));
                self.local.remove(&handle);
                self.log.push(format!("item {handle} is deleted"));
                self.calendar.delete(&handle);
                return;
            }
        };
        self.log.push(format!("item {handle}: {edit:?}"));
        self.calendar.edit(&handle, &edit);
        if let Edit::Local(_) = edit {
            let item = self.calendar.items().into_iter().find(|item| item.handle == handle).expect("there");
            self.local.insert(handle, item.local);
        }
    }

    fn sync(&mut self, dice: &mut Dice) {
        let disturbance =
            Disturbance { dies_after: dice.chance(25).then(|| dice.below(6) as u32), loses: dice.chance(25) };
        let faults = if dice.chance(60) { self.calendar.misbehave(dice) } else { String::new() };
        let report = self.bench.sync(disturbance);
        self.calendar.behave();
        let did = format!("{:?} {}", report.operations, report.state);
        self.log.push(format!("run with {disturbance:?} {faults}: {did}"));
    }

    fn quiet_run(&mut self) -> SyncReport {
        let report = self.bench.sync(Disturbance::default());
        let messages: Vec<_> = report.messages.iter().map(|message| &message.text).collect();
        self.held = report.held.iter().filter_map(|item| item.headquarters.clone()).collect();
        self.log.push(format!("quiet run: {:?} {} {messages:?}", report.operations, report.state));
        report
    }

    /// It comes to rest: a run without edits writes nothing.
    fn settle(&mut self) {
        for _ in 0..REST {
            let report = self.quiet_run();
            if writes(&report) == 0 && !matches!(report.state, SyncState::Failed | SyncState::Throttled) {
                return;
            }
        }
        let report = self.quiet_run();
        panic!("it never comes to rest: {:#?} {:#?}", report.messages, report.plan.steps);
    }

    fn check(&mut self) {
        self.settle();
        // Some deletions are told by the daily listing alone.
        self.bench.now = Instant(self.bench.now.0 + DAY);
        self.settle();
        let items = self.calendar.items();
        self.check_losses(&items);
        self.check_doubles(&items);
        self.check_sides(&items);
        for (handle, before) in &self.private {
            let now = items.iter().find(|item| item.handle == *handle);
            assert_eq!(now, Some(before), "a private item is as its owner left it");
        }
        for (handle, local) in &self.local {
            if let Some(item) = items.iter().find(|item| item.handle == *handle) {
                assert_eq!(&item.local, local, "local fields of {handle} are their owner's");
            }
        }
        self.check_secrets();
        assert_eq!(self.bench.store.check().expect("a check"), Vec::<String>::new());
    }

    /// Every text that somebody wrote and did not write over or delete is on a side, or in the audit.
    fn check_losses(&self, items: &[Item]) {
        let mut found: BTreeSet<String> = BTreeSet::new();
        found.extend(items.iter().flat_map(|item| [item.subject.clone(), item.body.clone()]));
        found.extend(self.bench.activities().into_iter().flat_map(|activity| [activity.subject, activity.description]));
        for run in self.bench.store.sync_runs(self.bench.profile().id, u64::MAX).expect("runs") {
            for entry in self.bench.store.audit(run.id).expect("audit") {
                for content in [entry.before, entry.after].into_iter().flatten() {
                    if let Content::Entry(entry) = content {
                        found.extend([entry.subject, entry.body]);
                    }
                }
            }
        }
        for (place, token) in &self.written {
            assert!(found.contains(token), "`{token}`, written {place}, is lost without a trace");
        }
    }

    /// Each text was written once, so each is the subject of one item and of one activity.
    fn check_doubles(&self, items: &[Item]) {
        let mut subjects = BTreeSet::new();
        for item in items {
            assert!(subjects.insert(&item.subject), "two items say `{}`: {items:#?}", item.subject);
        }
        let mut subjects = BTreeSet::new();
        for activity in self.bench.activities().into_iter().filter(|activity| !activity.canceled) {
            assert!(subjects.insert(activity.subject.clone()), "two activities say `{}`", activity.subject);
        }
    }

    /// What is linked says the same on both sides; Mobile's items say what the headquarters says.
    fn check_sides(&self, items: &[Item]) {
        let by_subject: BTreeMap<&str, &Item> = items.iter().map(|item| (item.subject.as_str(), item)).collect();
        for link in self.bench.store.links(self.bench.profile().id).expect("links") {
            let Some(HeadquartersId::Activity(id)) = link.headquarters else { continue };
            let activity = self.bench.activity(id);
            let is_put_back_no_more = link.origin == Origin::Mobile && link.reverts.len() >= 3;
            let is_held = self.held.contains(&format!("activity/{id}"));
            if link.state != LinkState::Linked || activity.canceled || is_put_back_no_more || is_held {
                continue;
            }
            let item = by_subject.get(activity.subject.as_str());
            let item = item.unwrap_or_else(|| panic!("no item says `{}`: {link:#?} {items:#?}", activity.subject));
            assert_eq!(item.start, activity.start.0, "`{}` begins elsewhere on each side", activity.subject);
            assert_eq!(item.body, activity.description, "`{}` says something else on each side", activity.subject);
        }
    }

    /// What is private never leaves the calendar, not even into the database's files.
    fn check_secrets(&self) {
        let bytes = self.bench.bytes();
        for item in self.private.values() {
            let secret = item.subject.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|found| found == secret), "`{}` has left", item.subject);
        }
    }
}

/// What a run wrote.
fn writes(report: &SyncReport) -> u64 {
    let operations = report.operations;
    operations.create + operations.update + operations.delete + operations.revert + operations.import
}
