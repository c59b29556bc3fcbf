//! Random histories: what people, Mobile, servers and crashes do, and what must hold when it has become quiet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use apptsync_model::outlook::{Content, Field, Identity, ItemKind, LinkState, Origin, projection};
use apptsync_model::{ActivityId, Instant, Period, Priority};
use apptsync_store::{OutlookStore, SyncState};
use proptest::prelude::*;

use crate::server::{Faults, Stored};
use crate::world::{DAY, HOUR, World, entry, text};

/// Something that happens. Numbers choose among what is there.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    CreateHere { origin: Origin, hours: i64 },
    SubjectHere(usize),
    PriorityHere(usize),
    TimeHere(usize, i64),
    CancelHere(usize),
    CompleteHere(usize),
    CreateThere { hours: i64, private: bool },
    SubjectThere(usize),
    BodyThere(usize),
    TimeThere(usize, i64),
    DeleteThere(usize),
    CopyThere(usize),
    Pass(i64),
    Sync,
    CrashedSync(u32),
    SyncWithLostAnswers(u32),
    ExpiredSync,
    DisturbedSync { reversed: bool, replayed: bool, page: usize },
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let which = 0_usize..8;
    let hours = -100_i64..600;
    prop_oneof![
        3 => (prop::sample::select(vec![Origin::Mobile, Origin::Headquarters]), hours.clone())
            .prop_map(|(origin, hours)| Event::CreateHere { origin, hours }),
        3 => which.clone().prop_map(Event::SubjectHere),
        1 => which.clone().prop_map(Event::PriorityHere),
        2 => (which.clone(), hours.clone()).prop_map(|(which, hours)| Event::TimeHere(which, hours)),
        1 => which.clone().prop_map(Event::CancelHere),
        1 => which.clone().prop_map(Event::CompleteHere),
        2 => (hours.clone(), any::<bool>()).prop_map(|(hours, private)| Event::CreateThere { hours, private }),
        3 => which.clone().prop_map(Event::SubjectThere),
        1 => which.clone().prop_map(Event::BodyThere),
        2 => (which.clone(), hours).prop_map(|(which, hours)| Event::TimeThere(which, hours)),
        2 => which.clone().prop_map(Event::DeleteThere),
        1 => which.prop_map(Event::CopyThere),
        1 => (1_i64..60).prop_map(Event::Pass),
        6 => Just(Event::Sync),
        2 => (0_u32..12).prop_map(Event::CrashedSync),
        2 => (0_u32..4).prop_map(Event::SyncWithLostAnswers),
        1 => Just(Event::ExpiredSync),
        1 => (any::<bool>(), any::<bool>(), 0_usize..3)
            .prop_map(|(reversed, replayed, page)| Event::DisturbedSync { reversed, replayed, page }),
    ]
}

/// A world with what its people wrote.
pub(crate) struct History {
    pub(crate) world: World,
    here: Vec<ActivityId>,
    numbers: u64,
    /// Texts that somebody wrote, and on what; what the same person wrote over on the same side is forgotten.
    written: BTreeMap<String, String>,
    private: BTreeMap<String, Stored>,
}

impl History {
    pub(crate) fn new(world: World) -> Self {
        Self { world, here: Vec::new(), numbers: 0, written: BTreeMap::new(), private: BTreeMap::new() }
    }

    fn token(&mut self, place: &str) -> String {
        self.numbers += 1;
        let token = format!("text {}", self.numbers);
        self.written.insert(place.to_owned(), token.clone());
        token
    }

    fn activity(&self, which: usize) -> Option<ActivityId> {
        let all = self.world.activities();
        let open: Vec<_> = all.iter().filter(|activity| !activity.canceled).map(|activity| activity.id).collect();
        open.get(which % open.len().max(1)).copied()
    }

    fn item(&self, which: usize) -> Option<String> {
        let items: Vec<_> = self.world.server.items().into_iter().filter(|stored| !stored.item.private).collect();
        items.get(which % items.len().max(1)).map(|stored| stored.item.remote_id.clone())
    }

    pub(crate) fn happen(&mut self, event: &Event) {
        let now = self.world.now.0;
        let period = |hours: i64| {
            let start = now + hours * HOUR;
            Period::Timed { start: Instant(start), end: Instant(start + HOUR) }
        };
        match *event {
            Event::CreateHere { origin, hours } => {
                self.numbers += 1;
                let subject = format!("text {}", self.numbers);
                let id = self.world.create(origin, &subject, hours * HOUR);
                self.written.insert(format!("here {id}"), subject);
                self.here.push(id);
            }
            Event::SubjectHere(which) => {
                if let Some(id) = self.activity(which) {
                    let token = self.token(&format!("here {id}"));
                    self.world.edit(id, |fields| fields.subject = token);
                }
            }
            Event::PriorityHere(which) => {
                if let Some(id) = self.activity(which) {
                    self.world.edit(id, |fields| {
                        fields.priority =
                            if fields.priority == Priority::High { Priority::Low } else { Priority::High };
                    });
                }
            }
            Event::TimeHere(which, hours) => {
                if let Some(id) = self.activity(which) {
                    self.world.edit(id, |fields| fields.period = period(hours));
                }
            }
            Event::CancelHere(which) => {
                if let Some(id) = self.activity(which) {
                    self.world.cancel(id);
                }
            }
            Event::CompleteHere(which) => {
                if let Some(id) = self.activity(which) {
                    self.world.edit(id, |fields| fields.completed = Some(Instant(now)));
                }
            }
            Event::CreateThere { hours, private } => {
                self.numbers += 1;
                let subject = format!("text {}", self.numbers);
                let content = entry(&subject, now + hours * HOUR);
                let id = self.world.server.add(ItemKind::Appointment, content, |item| item.private = private);
                if private {
                    let stored = self.world.server.get(&id).expect("just made");
                    self.private.insert(id, stored);
                } else {
                    self.written.insert(format!("there {id}"), subject);
                }
            }
            Event::SubjectThere(which) => {
                if let Some(id) = self.item(which) {
                    let token = self.token(&format!("there {id}"));
                    self.world.server.edit(&id, |entry| entry.subject = token);
                }
            }
            Event::BodyThere(which) => {
                if let Some(id) = self.item(which) {
                    let token = self.token(&format!("body there {id}"));
                    self.world.server.edit(&id, |entry| entry.body = token);
                }
            }
            Event::TimeThere(which, hours) => {
                if let Some(id) = self.item(which) {
                    self.world.server.edit(&id, |entry| entry.period = Some(period(hours)));
                }
            }
            Event::DeleteThere(which) => {
                if let Some(id) = self.item(which) {
                    // Whoever deletes an item knows what it said.
                    self.written.remove(&format!("there {id}"));
                    self.written.remove(&format!("body there {id}"));
                    self.world.server.delete(&id);
                }
            }
            Event::CopyThere(which) => {
                let original = self.item(which).and_then(|id| self.world.server.get(&id));
                if let Some(Stored { item, kind, .. }) = original {
                    let id =
                        self.world.server.add(kind, item.content.clone(), |copy| copy.identity = item.identity.clone());
                    let token = self.token(&format!("there {id}"));
                    self.world.server.edit(&id, |entry| entry.subject = token);
                }
            }
            Event::Pass(hours) => self.world.pass(hours * HOUR),
            Event::Sync => self.sync(),
            Event::CrashedSync(after) => self.with_faults(|faults| faults.crash_after = Some(after)),
            Event::SyncWithLostAnswers(after) => self.with_faults(|faults| faults.lose_answers_after = Some(after)),
            Event::ExpiredSync => self.with_faults(|faults| faults.expire = true),
            Event::DisturbedSync { reversed, replayed, page } => self.with_faults(|faults| {
                faults.reversed = reversed;
                faults.replayed = replayed;
                faults.page = page;
            }),
        }
    }

    /// A run; a person looks at a plan that is held, and approves it.
    fn sync(&mut self) {
        let report = self.world.sync();
        if report.state == SyncState::Held {
            self.world.approve(&report.plan.hash());
        }
    }

    fn with_faults(&mut self, change: impl FnOnce(&mut Faults)) {
        self.world.server.faults(change);
        self.sync();
        self.world
            .server
            .faults(|faults| *faults = Faults { reads_own_writes: faults.reads_own_writes, ..Faults::default() });
    }

    /// Lets it become quiet and looks whether everything holds.
    pub(crate) fn check(&mut self) {
        // I1: it comes to rest.
        self.world.settle(8);
        let report = self.world.sync();
        assert_eq!(
            crate::world::writes(&report),
            0,
            "I1: a run without edits writes nothing: {:#?}",
            report.plan.steps
        );
        assert_ne!(report.state, SyncState::Failed, "{:?}", report.messages);
        self.check_keys();
        self.check_sides();
        self.check_private();
        self.check_losses();
        assert_eq!(self.world.store_problems(), Vec::<String>::new());
    }

    /// I3: at most one item carries a key.
    fn check_keys(&self) {
        let mut keys: HashMap<String, u32> = HashMap::new();
        for stored in self.world.server.items() {
            if let Identity::Ours(key) = stored.item.identity {
                *keys.entry(key).or_default() += 1;
            }
        }
        assert!(keys.values().all(|count| *count == 1), "I3: {keys:?}");
    }

    /// What is linked says the same on both sides; Mobile's items say what the headquarters says (I4).
    fn check_sides(&self) {
        let mut seen = BTreeSet::new();
        for link in self.world.links().iter().filter(|link| link.state == LinkState::Linked) {
            let id = link.remote_id.clone().expect("what is linked has an item");
            assert!(seen.insert(id.clone()), "one link for an item");
            let Some(apptsync_model::outlook::HeadquartersId::Activity(number)) = link.headquarters else { continue };
            let activity = self.world.activity(number);
            let Some(stored) = self.world.server.get(&id) else { continue };
            let is_near =
                (activity.start.0 - self.world.now.0) < 30 * DAY && (activity.end.0 - self.world.now.0) > -7 * DAY;
            let is_left = link.reverts.len() >= 3 || activity.completed_on.is_some() || activity.canceled || !is_near;
            let is_delayed = activity.status == apptsync_model::ActivityStatus::Delayed;
            if is_left || (is_delayed && link.origin == Origin::Mobile) || stored.item.collection != link.collection {
                continue;
            }
            let fields = projection(ItemKind::Appointment, &stored.item.content);
            assert_eq!(text(&stored.item.content).0, activity.subject, "I4 {link:#?}");
            assert_eq!(
                fields.get(&Field::Period),
                Some(&apptsync_model::outlook::Value::Period(Some(activity.period))),
                "I4 {link:#?}"
            );
        }
    }

    /// I5: what is private is as it was.
    fn check_private(&self) {
        for (id, before) in &self.private {
            assert_eq!(self.world.server.get(id).as_ref(), Some(before), "I5");
        }
    }

    /// I2: every text that somebody wrote and did not write over or delete is somewhere: on a side, or in the audit.
    fn check_losses(&self) {
        let mut there = BTreeSet::new();
        let mut add = |content: &Content| {
            there.insert(text(content).0.to_owned());
            there.insert(text(content).1.to_owned());
        };
        for stored in self.world.server.items() {
            add(&stored.item.content);
        }
        for activity in self.world.activities() {
            there.insert(activity.subject.clone());
            there.insert(activity.description.clone());
        }
        for run in self.world.store.sync_runs(self.world.profile().id, u64::MAX).expect("runs") {
            for entry in self.world.store.audit(run.id).expect("audit") {
                for content in [entry.before, entry.after].iter().flatten() {
                    there.insert(text(content).0.to_owned());
                    there.insert(text(content).1.to_owned());
                }
            }
        }
        for (place, token) in &self.written {
            assert!(there.contains(token), "I2: `{token}`, written {place}, is lost without a trace");
        }
    }

    /// Everything that both sides say, for comparing two histories.
    pub(crate) fn picture(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let here = self.world.activities();
        let here = here.iter().map(|activity| {
            format!("{} {} {} {}", activity.subject, activity.start, activity.canceled, activity.description)
        });
        let there = self.world.server.items();
        let there = there.iter().map(|stored| {
            let fields = projection(ItemKind::Appointment, &stored.item.content);
            format!("{} {:?}", text(&stored.item.content).0, fields.get(&Field::Period))
        });
        (here.collect(), there.collect())
    }
}
