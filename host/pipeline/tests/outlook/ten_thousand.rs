//! Ten thousand random histories of what decides, on values in memory. `HISTORIES=n` plays n of them; a failure names its
//! seed, and `HISTORY_SEED=n` plays from that one on (it alone, unless `HISTORIES` says how many).

use std::collections::{BTreeMap, BTreeSet};

use apptsync_model::outlook::{
    Content, DeletionPolicy, Entry, GuardSettings, HeadquartersId, Identity, ItemKind, Link, LinkState, Origin,
    OverrideScope, RemoteItem, TextPriority,
};
use apptsync_model::{Instant, Priority};
use apptsync_pipeline::outlook::{Action, Rules};

use crate::server::OTHER;
use crate::values::{Killed, Ran, Sides, Trouble, lists, texts, timed};
use crate::world::{DAY, HOUR, NOON};
use apptsync_tests::dice::Dice;

const HISTORIES: u64 = 10_000;
/// Runs after which it must have come to rest.
const REST: usize = 8;

/// Something that happens. Numbers choose among what is there.
#[derive(Debug, Clone)]
enum Event {
    CreateHere {
        kind: ItemKind,
        origin: Origin,
        hours: i64,
    },
    TextHere {
        which: usize,
        is_body: bool,
    },
    TimeHere {
        which: usize,
        hours: i64,
    },
    PriorityHere(usize),
    CancelHere(usize),
    CompleteHere(usize),
    DelayHere(usize),
    FilterHere(usize),
    ReassignHere(usize),
    /// Canceled, or given to somebody else; now it is back.
    ReturnHere(usize),
    CreateThere {
        kind: ItemKind,
        hours: i64,
        private: bool,
        is_foreign: bool,
    },
    TextThere {
        which: usize,
        is_body: bool,
    },
    TimeThere {
        which: usize,
        hours: i64,
    },
    DeleteThere(usize),
    /// Out of the bin.
    RestoreThere(usize),
    CopyThere(usize),
    MoveThere(usize),
    Purge,
    Pass(i64),
    Run {
        trouble: Trouble,
        approves: bool,
        meanwhile: Option<Box<Event>>,
    },
}

/// An event; with `is_calm`, every run is a whole one.
fn event(dice: &mut Dice, is_calm: bool) -> Event {
    let which = dice.below(8);
    let hours = dice.between(-100, 400) + if dice.chance(10) { 700 } else { 0 };
    let kind = if dice.chance(20) { ItemKind::Task } else { ItemKind::Appointment };
    match dice.below(100) {
        0..14 => {
            let origin = if dice.chance(50) { Origin::Mobile } else { Origin::Headquarters };
            let kind = if origin == Origin::Mobile { ItemKind::Appointment } else { kind };
            Event::CreateHere { kind, origin, hours }
        }
        14..22 => Event::TextHere { which, is_body: dice.chance(30) },
        22..26 => Event::TimeHere { which, hours },
        26..28 => Event::PriorityHere(which),
        28..31 => Event::CancelHere(which),
        31..33 => Event::CompleteHere(which),
        33..34 => Event::DelayHere(which),
        34..36 => Event::FilterHere(which),
        36..37 => Event::ReassignHere(which),
        37..47 => Event::CreateThere { kind, hours, private: dice.chance(15), is_foreign: dice.chance(10) },
        47..56 => Event::TextThere { which, is_body: dice.chance(30) },
        56..60 => Event::TimeThere { which, hours },
        60..66 => Event::DeleteThere(which),
        66..69 => Event::CopyThere(which),
        69..71 => Event::MoveThere(which),
        71..72 => Event::Purge,
        72..76 => Event::Pass(dice.between(1, 60)),
        76..78 => Event::ReturnHere(which),
        78..80 => Event::RestoreThere(which),
        _ if is_calm => Event::Run { trouble: Trouble::default(), approves: true, meanwhile: None },
        _ => {
            let after = |dice: &mut Dice, percent, most| dice.chance(percent).then(|| dice.below(most) as u32);
            let trouble = Trouble {
                dies_after: after(dice, 30, 25),
                loses_after: after(dice, 30, 4),
                expires: dice.chance(10),
                does_not_say: dice.chance(10),
                shuffled: dice.chance(20),
            };
            let meanwhile = dice.chance(25).then(|| Box::new(event(dice, true)));
            let meanwhile = meanwhile.filter(|event| !matches!(**event, Event::Run { .. } | Event::Pass(_)));
            Event::Run { trouble, approves: dice.chance(70), meanwhile }
        }
    }
}

/// What people wrote, and what nobody may touch.
#[derive(Debug, Default)]
struct Diary {
    numbers: u64,
    /// Texts by where they were written; what the same side wrote over or deleted is forgotten.
    written: BTreeMap<String, String>,
    /// Items that are not ours, as their owner left them.
    foreign: BTreeMap<String, RemoteItem>,
}

impl Diary {
    fn text(&mut self, place: String) -> String {
        self.numbers += 1;
        let text = format!("text {}", self.numbers);
        self.written.insert(place, text.clone());
        text
    }

    /// A person did something to an item.
    fn look(&mut self, sides: &Sides, id: &str) {
        if let Some(known) = self.foreign.get_mut(id) {
            match sides.items.get(id) {
                Some((_, item)) => known.clone_from(item),
                None => drop(self.foreign.remove(id)),
            }
        }
    }
}

fn entry(sides: &Sides, kind: ItemKind, subject: String, hours: i64) -> Entry {
    Entry {
        subject,
        body: "as agreed".to_owned(),
        location: String::new(),
        // Every other task has no date.
        period: if kind == ItemKind::Task && hours % 2 == 0 { None } else { timed(sides.now.0 + hours * HOUR, 1) },
        zone: "Europe/Warsaw".to_owned(),
        priority: Priority::Normal,
        completed: None,
    }
}

fn edit(item: &mut RemoteItem, change: impl FnOnce(&mut Entry)) {
    if let Content::Entry(entry) = &mut item.content {
        change(entry);
    }
}

/// What people do; a run is not theirs.
fn act(sides: &mut Sides, diary: &mut Diary, event: &Event) {
    let open: Vec<i64> =
        sides.objects.iter().filter(|(_, object)| !object.canceled && !object.moved).map(|(id, _)| *id).collect();
    let here = |which: usize| open.get(which % open.len().max(1)).copied();
    let visible: Vec<String> =
        sides.items.iter().filter(|(_, (_, item))| !item.private).map(|(id, _)| id.clone()).collect();
    let there = |which: usize| visible.get(which % visible.len().max(1)).cloned();
    match *event {
        Event::CreateHere { kind, origin, hours } => {
            let id = sides.objects.keys().last().map_or(1, |last| last + 1);
            let subject = diary.text(format!("here {id} subject"));
            let entry = entry(sides, kind, subject, hours);
            assert_eq!(sides.add_object(kind, origin, entry), id);
        }
        Event::TextHere { which, is_body } => {
            let Some(id) = here(which) else { return };
            let text = diary.text(format!("here {id} {}", if is_body { "body" } else { "subject" }));
            sides.edit_object(id, |object| {
                *(if is_body { &mut object.entry.body } else { &mut object.entry.subject }) = text;
            });
        }
        Event::TimeHere { which, hours } => {
            let Some(id) = here(which) else { return };
            let period = timed(sides.now.0 + hours * HOUR, 1);
            sides.edit_object(id, |object| object.entry.period = period);
        }
        Event::PriorityHere(which) => {
            let Some(id) = here(which) else { return };
            sides.edit_object(id, |object| {
                let is_high = object.entry.priority == Priority::High;
                object.entry.priority = if is_high { Priority::Low } else { Priority::High };
            });
        }
        Event::CancelHere(which) => {
            let Some(id) = here(which) else { return };
            sides.edit_object(id, |object| object.canceled = true);
        }
        Event::CompleteHere(which) => {
            let Some(id) = here(which) else { return };
            sides.edit_object(id, |object| object.closed |= !object.delayed);
        }
        Event::DelayHere(which) => {
            let Some(id) = here(which) else { return };
            sides.edit_object(id, |object| object.delayed |= !object.closed);
        }
        Event::FilterHere(which) => {
            let Some(id) = here(which) else { return };
            sides.edit_object(id, |object| object.filtered = !object.filtered);
        }
        Event::ReassignHere(which) => {
            let Some(id) = here(which) else { return };
            sides.edit_object(id, |object| object.moved = true);
        }
        Event::ReturnHere(which) => {
            let away: Vec<i64> =
                sides.objects.iter().filter(|(_, object)| object.canceled || object.moved).map(|(id, _)| *id).collect();
            let Some(id) = away.get(which % away.len().max(1)).copied() else { return };
            // Its item may live on as another activity: each text is written once.
            let text = diary.text(format!("here {id} subject"));
            sides.edit_object(id, |object| {
                (object.canceled, object.moved) = (false, false);
                object.entry.subject = text;
            });
        }
        Event::RestoreThere(which) => {
            let Some(id) = sides.restore_item(which) else { return };
            // What took its place may say the same: each text is written once.
            let text = diary.text(format!("there {id} subject"));
            sides.edit_item(&id, |item| edit(item, |entry| entry.subject = text));
        }
        Event::CreateThere { kind, hours, private, is_foreign } => {
            diary.numbers += 1;
            let text = format!("text {}", diary.numbers);
            let made = entry(sides, kind, text.clone(), hours);
            let id = sides.add_item(kind, made, Identity::None, |item| {
                item.private = private;
                item.is_organizer = !is_foreign;
                item.has_attendees = is_foreign;
            });
            if !private {
                diary.written.insert(format!("there {id} subject"), text);
            }
            if private || is_foreign || !sides.rules.transfer {
                diary.foreign.insert(id.clone(), sides.items[&id].1.clone());
            }
        }
        Event::TextThere { which, is_body } => {
            let Some(id) = there(which) else { return };
            let text = diary.text(format!("there {id} {}", if is_body { "body" } else { "subject" }));
            sides.edit_item(&id, |item| {
                edit(item, |entry| *(if is_body { &mut entry.body } else { &mut entry.subject }) = text);
            });
            diary.look(sides, &id);
        }
        Event::TimeThere { which, hours } => {
            let Some(id) = there(which) else { return };
            let period = timed(sides.now.0 + hours * HOUR, 1);
            sides.edit_item(&id, |item| edit(item, |entry| entry.period = period));
            diary.look(sides, &id);
        }
        Event::DeleteThere(which) => {
            let Some(id) = there(which) else { return };
            delete(sides, diary, &id);
        }
        Event::CopyThere(which) => {
            let Some((kind, original)) = there(which).and_then(|id| sides.items.get(&id).cloned()) else { return };
            let Content::Entry(copied) = original.content else { return };
            let id = sides.add_item(kind, copied, original.identity, |_| {});
            let text = diary.text(format!("there {id} subject"));
            sides.edit_item(&id, |item| edit(item, |entry| entry.subject = text));
        }
        Event::MoveThere(which) => {
            let Some(id) = there(which) else { return };
            let home =
                if sides.items[&id].0 == ItemKind::Task { crate::server::TASKS } else { crate::server::CALENDAR };
            sides.edit_item(&id, |item| {
                item.collection = if item.collection == OTHER { home } else { OTHER }.to_owned();
            });
            diary.look(sides, &id);
        }
        Event::Purge => visible.iter().for_each(|id| delete(sides, diary, id)),
        Event::Pass(hours) => sides.now = Instant(sides.now.0 + hours * HOUR),
        Event::Run { .. } => {}
    }
}

/// Whoever deletes an item knows what it said.
fn delete(sides: &mut Sides, diary: &mut Diary, id: &str) {
    diary.written.retain(|place, _| !place.starts_with(&format!("there {id} ")));
    sides.delete_item(id);
    diary.look(sides, id);
}

struct History {
    sides: Sides,
    diary: Diary,
    dice: Dice,
}

impl History {
    fn new(dice: &mut Dice) -> Self {
        let priorities = [TextPriority::Erp, TextPriority::Outlook, TextPriority::Newest, TextPriority::Ask];
        let scopes = [OverrideScope::HeadquartersOrigin, OverrideScope::ConflictsOnly, OverrideScope::Always];
        let rules = Rules {
            priority: priorities[dice.below(priorities.len())],
            scope: scopes[dice.below(scopes.len())],
            transfer: dice.chance(85),
            deletion_policy: if dice.chance(80) { DeletionPolicy::Future } else { DeletionPolicy::Keep },
            answer: None,
        };
        let guards = if dice.chance(30) {
            GuardSettings { deletions: 1, alike: 2, updates_percent: 10, ..GuardSettings::default() }
        } else {
            GuardSettings::default()
        };
        let mut sides = Sides::new(Instant(NOON), rules, guards);
        sides.ignores_keys = dice.chance(30);
        Self { sides, diary: Diary::default(), dice: dice.clone() }
    }

    fn happen(&mut self, event: &Event) {
        let Event::Run { trouble, approves, meanwhile } = event else {
            return act(&mut self.sides, &mut self.diary, event);
        };
        self.sides.now = Instant(self.sides.now.0 + 60);
        let Self { sides, diary, dice } = self;
        let ran = sides.run(*trouble, dice, *approves, &mut |sides, _| {
            if let Some(event) = meanwhile {
                act(sides, diary, event);
            }
        });
        match ran {
            Ok(ran) => assert!(ran.held.is_empty() || *approves || ran.writes() == 0, "what is held is not applied"),
            Err(Killed) => assert!(trouble.dies_after.is_some()),
        }
    }

    fn quiet_run(&mut self) -> Ran {
        self.sides.now = Instant(self.sides.now.0 + 60);
        self.sides.run(Trouble::default(), &mut self.dice, true, &mut |_, _| {}).expect("nobody kills it")
    }

    /// I1: it comes to rest.
    fn settle(&mut self) {
        for _ in 0..REST {
            if self.quiet_run().writes() == 0 {
                break;
            }
        }
        let ran = self.quiet_run();
        assert_eq!(ran.done, [], "I1: it never comes to rest: {:#?}", ran.plan.steps);
        assert!(ran.plan.is_empty(), "I1: a second plan is empty: {:#?}", ran.plan.steps);
    }

    /// What lay outside the window and slid into it is told by the daily listing at the latest.
    fn settle_after_a_day(&mut self) {
        self.settle();
        self.sides.now = Instant(self.sides.now.0 + DAY);
        self.settle();
    }

    fn check(&mut self) {
        self.settle();
        self.check_losses();
        self.check_doubles();
        self.check_sides();
        assert_eq!(self.changed_foreign(), Vec::<&String>::new(), "I5");
        self.check_window();
    }

    /// I2: every text that somebody wrote and did not write over or delete is on a side, or in the audit.
    fn check_losses(&self) {
        let sides = &self.sides;
        let here = sides.objects.values().flat_map(|object| [object.entry.subject.clone(), object.entry.body.clone()]);
        let there = sides.items.values().flat_map(|(_, item)| texts(&item.content));
        let found: BTreeSet<String> = here.chain(there).chain(sides.audit.iter().cloned()).collect();
        for (place, text) in &self.diary.written {
            assert!(
                found.contains(text),
                "I2: `{text}`, written {place}, is lost without a trace {:#?} {:#?}",
                sides.items,
                sides.links
            );
        }
    }

    /// I3: each text was written once, so each is the subject of one item and of one activity.
    fn check_doubles(&self) {
        let mut items = BTreeSet::new();
        for (_, item) in self.sides.items.values() {
            assert!(items.insert(texts(&item.content)[0].clone()) || item.private, "I3: {item:#?} is there twice");
        }
        let mut objects = BTreeSet::new();
        for object in self.sides.objects.values().filter(|object| !object.canceled && !object.moved) {
            assert!(objects.insert(&object.entry.subject), "I3: {object:#?} is there twice");
        }
        let mut keys = BTreeSet::new();
        // A copy that lies where nobody looks keeps its key.
        let window = self.sides.window();
        for (_, item) in self.sides.items.values().filter(|(kind, item)| lists(*kind, item, window)) {
            // What came out of the bin after another took its place is its user's, and so is a copy of it.
            let is_live = |key: &String| {
                let is_ours = |link: &&Link| link.headquarters.is_some() && link.state != LinkState::Tombstone;
                self.sides.links.iter().filter(is_ours).any(|link| link.our_id == *key)
            };
            if let Identity::Ours(key) = &item.identity
                && is_live(key)
            {
                assert!(keys.insert(key), "I3: two items carry the key {key}");
            }
        }
    }

    /// What is linked says the same on both sides; Mobile's items say what the headquarters says (I4).
    fn check_sides(&self) {
        let sides = &self.sides;
        for link in sides.links.iter().filter(|link| link.state == LinkState::Linked) {
            let Some(HeadquartersId::Activity(id)) = &link.headquarters else { continue };
            let object = &sides.objects[id];
            let Some((_, item)) = link.remote_id.as_ref().and_then(|id| sides.items.get(id)) else { continue };
            let window = sides.window().grown(apptsync_pipeline::outlook::MARGIN);
            let is_near = object.entry.period.is_none() || window.overlaps(object.span.0, object.span.1);
            let is_left = object.canceled || object.moved || object.closed || object.filtered || item.private;
            let waits = sides.rules.priority == TextPriority::Ask && link.origin != Origin::Mobile;
            let is_frozen = object.delayed && link.origin == Origin::Mobile || link.reverts.len() >= 3;
            if !is_near || is_left || waits || is_frozen || item.collection == OTHER {
                continue;
            }
            let Content::Entry(entry) = &item.content else { panic!("no contacts here") };
            assert_eq!(
                (&entry.subject, &entry.body, entry.period, entry.priority),
                (&object.entry.subject, &object.entry.body, object.entry.period, object.entry.priority),
                "I4: {link:#?}"
            );
        }
    }

    /// I5: what is not ours is as its owner left it.
    fn changed_foreign(&self) -> Vec<&String> {
        let is_same = |id: &str, known: &RemoteItem| self.sides.items.get(id).is_some_and(|(_, item)| item == known);
        self.diary.foreign.iter().filter(|(id, known)| !is_same(id, known)).map(|(id, _)| id).collect()
    }

    /// I6: time alone deletes nothing, and makes nothing anew that is there.
    fn check_window(&mut self) {
        let days = self.dice.between(1, 40);
        self.sides.now = Instant(self.sides.now.0 + days * DAY);
        let there: BTreeSet<String> = self.sides.items.keys().cloned().collect();
        let ran = self.quiet_run();
        for step in &ran.plan.steps {
            let is_there = step.remote_id.as_ref().is_some_and(|id| there.contains(id));
            let action = step.verdict.action;
            assert!(
                action != Action::Delete && !(is_there && matches!(action, Action::Recreate | Action::Cancel)),
                "I6: {step:#?}"
            );
        }
        assert!(there.iter().all(|id| self.sides.items.contains_key(id)), "I6");
    }

    /// What both sides say, for comparing two histories.
    fn picture(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let here = self.sides.objects.values();
        let here = here.map(|object| {
            let Entry { subject, body, period, priority, .. } = &object.entry;
            format!("{subject} {body} {period:?} {priority} {}", object.canceled)
        });
        let there = self.sides.items.values();
        let there = there.map(|(_, item)| {
            let Content::Entry(entry) = &item.content else { panic!("no contacts here") };
            format!("{} {} {:?} {} {}", entry.subject, entry.body, entry.period, entry.priority, item.collection)
        });
        (here.collect(), there.collect())
    }
}

/// Says how to see a failure again.
struct Replay<'a>(u64, &'a [Event]);

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:#?}\nHISTORY_SEED={} plays this history again", self.1, self.0);
        }
    }
}

fn play(seed: u64) {
    let mut dice = Dice::new(seed);
    let is_calm = dice.chance(20);
    let events: Vec<Event> = (0..dice.between(3, 14)).map(|_| event(&mut dice, is_calm)).collect();
    let _replay = Replay(seed, &events);
    let start = dice.clone();
    let mut history = History::new(&mut start.clone());
    events.iter().for_each(|event| history.happen(event));
    if is_calm {
        let disturbed = play_disturbed(&mut dice, start, &events, history.sides.rules.priority);
        history.settle_after_a_day();
        assert_eq!(history.picture(), disturbed, "I7, I8 or I9: what was disturbed comes to another end");
    }
    history.check();
}

/// The same history with expired cursors and another order (I7, I8), or with a clock that is wrong by a day (I9).
fn play_disturbed(
    dice: &mut Dice,
    start: Dice,
    events: &[Event],
    priority: TextPriority,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let is_skewed = priority != TextPriority::Newest && dice.chance(30);
    let trouble = if is_skewed {
        Trouble::default()
    } else {
        Trouble { expires: dice.chance(50), shuffled: true, ..Trouble::default() }
    };
    let mut history = History::new(&mut start.clone());
    history.sides.skew = if is_skewed { dice.between(-1, 1) * DAY } else { 0 };
    for event in events {
        match event {
            Event::Run { .. } => history.happen(&Event::Run { trouble, approves: true, meanwhile: None }),
            other => history.happen(other),
        }
    }
    history.settle_after_a_day();
    history.picture()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[test]
fn ten_thousand_histories_hold_what_is_promised() {
    let first = number("HISTORY_SEED");
    let count = number("HISTORIES").unwrap_or(if first.is_some() { 1 } else { HISTORIES });
    let first = first.unwrap_or(0);
    (first..first + count).for_each(play);
}
