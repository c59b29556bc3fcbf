//! What a representative, the headquarters and Mobile do, and how it comes to rest.

mod check;
mod series;

use std::collections::{BTreeMap, BTreeSet};

use apptsync_model::ActivityId;
use apptsync_model::outlook::{ItemKind, TextPriority};
use apptsync_pipeline::outlook::{Action, SyncReport};
use apptsync_store::SyncState;
use apptsync_tests::dice::Dice;

use crate::bench::{Account, Bench, HOUR, Opened, period};
use crate::calendar::{Calendar, Edit, Item};
use crate::disturbed::Disturbance;

/// Runs after which it must have come to rest.
const REST: usize = 8;
/// Texts after which nothing new is made.
const ENOUGH: usize = 6;

struct History<'a> {
    bench: Bench<'a>,
    calendar: &'a dyn Calendar,
    numbers: u64,
    /// Texts by where they were written; what the same side wrote over or deleted is forgotten.
    written: BTreeMap<String, String>,
    private: BTreeMap<String, Item>,
    /// Items with local fields, as their owner left them.
    local: BTreeMap<String, Item>,
    /// The handles of all series that were made.
    series: BTreeSet<String>,
    /// What series and their occurrences say or said: several items may say the same.
    series_texts: BTreeSet<String>,
    /// Activities of occurrences that the headquarters changed.
    changed_here: BTreeSet<ActivityId>,
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
        series: BTreeSet::new(),
        series_texts: BTreeSet::new(),
        changed_here: BTreeSet::new(),
        held: BTreeSet::new(),
        log: vec![format!("{priority}")],
    };
    for _ in 0..dice.between(5, 15) {
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

/// An appointment, or in some cases of a hundred a task.
fn kind(dice: &mut Dice, tasks: usize) -> ItemKind {
    if dice.chance(tasks) { ItemKind::Task } else { ItemKind::Appointment }
}

impl History<'_> {
    fn text(&mut self) -> String {
        self.numbers += 1;
        format!("text {} of this history", self.numbers)
    }

    fn token(&mut self, place: String) -> String {
        let token = self.text();
        self.written.insert(place, token.clone());
        token
    }

    /// An activity that is open, and does not belong to a series.
    fn here(&self, dice: &mut Dice) -> Option<ActivityId> {
        let mut open = self.bench.activities();
        open.retain(|activity| !activity.canceled && !self.series_texts.contains(&activity.subject));
        (!open.is_empty()).then(|| open[dice.below(open.len())].id)
    }

    fn there(&self, dice: &mut Dice) -> Option<Item> {
        let mut items = self.calendar.items();
        items.retain(|item| !item.is_private);
        (!items.is_empty()).then(|| items.swap_remove(dice.below(items.len())))
    }

    fn happen(&mut self, dice: &mut Dice) {
        let hours = dice.between(30, 600);
        let start = self.bench.now.0 + hours * HOUR;
        // What happens to a few things meets more often than what happens to many.
        let is_full = self.written.len() >= ENOUGH;
        match dice.below(100) {
            0..12 if !is_full => self.create(hours, dice),
            12..24 if !is_full => self.add(start, dice),
            24..38 => self.edit_here(start, dice),
            38..58 => self.edit_there(start, dice),
            58..74 => self.happen_to_series(dice),
            _ => self.sync(dice),
        }
    }

    fn create(&mut self, hours: i64, dice: &mut Dice) {
        let kind = kind(dice, 35);
        let subject = self.text();
        // Mobile has no tasks.
        let is_mobile = kind == ItemKind::Appointment && dice.chance(50);
        let id = self.bench.create(kind, is_mobile, &subject, hours * HOUR);
        self.written.insert(format!("here {id}"), subject);
        self.log.push(format!("activity {id} is made for +{hours}h: {kind}, of Mobile: {is_mobile}"));
    }

    fn edit_here(&mut self, start: i64, dice: &mut Dice) {
        let Some(id) = self.here(dice) else { return };
        match dice.below(16) {
            0..6 => {
                let token = self.token(format!("here {id}"));
                self.log.push(format!("activity {id}: {token}"));
                self.bench.edit(id, |fields| fields.subject = token);
            }
            6..8 => {
                let token = self.token(format!("body here {id}"));
                self.log.push(format!("activity {id}, body: {token}"));
                self.bench.edit(id, |fields| fields.description = token);
            }
            8..11 => {
                let period = period(self.bench.activity(id).entry, start);
                self.log.push(format!("activity {id} is moved to {period:?}"));
                self.bench.edit(id, |fields| fields.period = period);
            }
            11..13 => {
                let now = self.bench.now;
                self.log.push(format!("activity {id} is completed"));
                self.bench.edit(id, |fields| fields.completed = Some(now));
            }
            _ => {
                self.log.push(format!("activity {id} is canceled"));
                self.bench.cancel(id);
            }
        }
    }

    fn add(&mut self, start: i64, dice: &mut Dice) {
        let kind = kind(dice, 40);
        let is_private = dice.chance(25) && (kind == ItemKind::Appointment || self.calendar.has_private_tasks());
        self.numbers += 1;
        let subject = format!("{} {} of this history", if is_private { "secret" } else { "text" }, self.numbers);
        let handle = self.calendar.add(kind, &subject, start, is_private);
        self.log.push(format!("{kind} {handle} is made: {subject}"));
        if is_private {
            let made = self.calendar.items().into_iter().find(|item| item.handle == handle).expect("just made");
            self.private.insert(handle, made);
        } else {
            self.written.insert(format!("there {handle}"), subject);
        }
    }

    fn edit_there(&mut self, start: i64, dice: &mut Dice) {
        let Some(Item { handle, kind, .. }) = self.there(dice) else { return };
        let edit = match dice.below(11) {
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
            8..10 if kind == ItemKind::Task => Edit::Complete,
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
            self.local.insert(handle, item);
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

    /// It comes to rest: a run without edits writes nothing, and leaves nothing to the next.
    fn settle(&mut self) {
        for _ in 0..REST {
            let report = self.quiet_run();
            let is_waiting = report.plan.steps.iter().any(|step| step.verdict.action == Action::Skip);
            if writes(&report) == 0 && !is_waiting && !matches!(report.state, SyncState::Failed | SyncState::Throttled)
            {
                return;
            }
        }
        let report = self.quiet_run();
        panic!("it never comes to rest: {:#?} {:#?}", report.messages, report.plan.steps);
    }
}

/// What a run wrote.
fn writes(report: &SyncReport) -> u64 {
    let operations = report.operations;
    operations.create + operations.update + operations.delete + operations.revert + operations.import
}
