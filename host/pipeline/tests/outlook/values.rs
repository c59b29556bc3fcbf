//! Both sides, links and journal as plain values, and a run over them. What decides is the product's; what reads and writes
//! is this file's, so that a history costs no database and no server, and may end between any two operations.

use std::collections::{BTreeMap, BTreeSet};

use apptsync_model::outlook::{
    Base, Content, Entry, Field, GuardSettings, HeadquartersId, Identity, ItemKind, Link, LinkState, Origin,
    Projection, Push, RemoteItem, Value, Window, content, projection,
};
use apptsync_model::{Instant, Period};
use apptsync_pipeline::outlook::{
    Action, Considered, HeadquartersItem, Listing, MARGIN, Place, Plan, RemoteState, Rules, Snapshot, Step, Touched,
    Work, held, incarnations, plan,
};
use apptsync_store::{AuditEntry, EditedActivity, HeadquartersChange, Seen, Settlement};
use chrono_tz::Tz;

use crate::server::{CALENDAR, TASKS};
use crate::world::DAY;
use apptsync_tests::dice::Dice;

const ZONE: Tz = Tz::Europe__Warsaw;
const BACK: i64 = 7 * DAY;
const AHEAD: i64 = 30 * DAY;

/// An activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) kind: ItemKind,
    pub(crate) origin: Origin,
    pub(crate) revision: i64,
    pub(crate) entry: Entry,
    /// When it takes place; of a task without a date, the hour it came in.
    pub(crate) span: (Instant, Instant),
    pub(crate) canceled: bool,
    pub(crate) moved: bool,
    pub(crate) closed: bool,
    pub(crate) delayed: bool,
    pub(crate) filtered: bool,
    pub(crate) changed_at: Instant,
}

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trouble {
    /// After so many operations the process is killed.
    pub(crate) dies_after: Option<u32>,
    /// After so many writes the answers are lost.
    pub(crate) loses_after: Option<u32>,
    /// The cursor has expired.
    pub(crate) expires: bool,
    /// What is asked for by its id gets no answer.
    pub(crate) does_not_say: bool,
    /// Changes and links come in another order, and changes twice.
    pub(crate) shuffled: bool,
}

/// The process was killed.
#[derive(Debug)]
pub(crate) struct Killed;

/// What a run did.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) plan: Plan,
    pub(crate) held: Vec<String>,
    pub(crate) done: Vec<Action>,
}

impl Ran {
    /// How much it wrote.
    pub(crate) fn writes(&self) -> usize {
        self.done.len()
    }
}

#[derive(Debug, Clone)]
struct Sent {
    link: i64,
    push: Push,
}

#[derive(Debug, Clone, Copy)]
struct Cursor {
    place: usize,
    window: Window,
    full_at: Instant,
    listed: u64,
}

/// Everything there is.
#[derive(Debug, Clone)]
pub(crate) struct Sides {
    pub(crate) now: Instant,
    pub(crate) rules: Rules,
    pub(crate) guards: GuardSettings,
    pub(crate) objects: BTreeMap<i64, Object>,
    pub(crate) items: BTreeMap<String, (ItemKind, RemoteItem)>,
    /// Items that were deleted, by whomever.
    bin: BTreeMap<String, (ItemKind, RemoteItem)>,
    pub(crate) links: Vec<Link>,
    /// Texts in the audit.
    pub(crate) audit: BTreeSet<String>,
    /// Seconds by which the server's clock is ahead.
    pub(crate) skew: i64,
    /// The server does not look at keys.
    pub(crate) ignores_keys: bool,
    seen: BTreeMap<(ItemKind, String), Seen>,
    journal: Vec<Sent>,
    cursors: BTreeMap<ItemKind, Cursor>,
    /// What we made and is still there, by its key.
    made: BTreeMap<String, String>,
    log: Vec<String>,
    number: i64,
    made_objects: i64,
    made_items: i64,
    run: i64,
    trouble: Trouble,
    operations: u32,
    writes: u32,
}

pub(crate) fn texts(content: &Content) -> [String; 2] {
    let (subject, body) = crate::world::text(content);
    [subject.to_owned(), body.to_owned()]
}

impl Sides {
    pub(crate) fn new(now: Instant, rules: Rules, guards: GuardSettings) -> Self {
        Self {
            now,
            rules,
            guards,
            objects: BTreeMap::new(),
            items: BTreeMap::new(),
            bin: BTreeMap::new(),
            links: Vec::new(),
            audit: BTreeSet::new(),
            skew: 0,
            ignores_keys: false,
            seen: BTreeMap::new(),
            journal: Vec::new(),
            cursors: BTreeMap::new(),
            made: BTreeMap::new(),
            log: Vec::new(),
            number: 0,
            made_objects: 0,
            made_items: 0,
            run: 0,
            trouble: Trouble::default(),
            operations: 0,
            writes: 0,
        }
    }

    fn next(&mut self) -> i64 {
        self.number += 1;
        self.number
    }

    // What people do.

    pub(crate) fn add_object(&mut self, kind: ItemKind, origin: Origin, entry: Entry) -> i64 {
        self.made_objects += 1;
        let (id, revision) = (self.made_objects, self.next());
        let span = span(&entry, self.now);
        let object = Object {
            kind,
            origin,
            revision,
            entry,
            span,
            canceled: false,
            moved: false,
            closed: false,
            delayed: false,
            filtered: false,
            changed_at: self.now,
        };
        self.objects.insert(id, object);
        id
    }

    pub(crate) fn edit_object(&mut self, id: i64, change: impl FnOnce(&mut Object)) {
        let (revision, now) = (self.next(), self.now);
        if let Some(object) = self.objects.get_mut(&id) {
            change(object);
            (object.revision, object.changed_at) = (revision, now);
            if object.entry.period.is_some() {
                object.span = span(&object.entry, now);
            }
        }
    }

    pub(crate) fn add_item(
        &mut self,
        kind: ItemKind,
        entry: Entry,
        identity: Identity,
        change: impl FnOnce(&mut RemoteItem),
    ) -> String {
        self.made_items += 1;
        let id = format!("item-{:03}", self.made_items);
        let mut item = RemoteItem {
            remote_id: id.clone(),
            etag: String::new(),
            collection: collection(kind).to_owned(),
            identity,
            writer: None,
            uid: format!("uid-{id}"),
            content: Content::Entry(entry),
            private: false,
            cancelled: false,
            is_organizer: true,
            has_attendees: false,
            occurrence: None,
            changed_at: None,
        };
        change(&mut item);
        self.items.insert(id.clone(), (kind, item));
        self.touch(&id);
        id
    }

    pub(crate) fn edit_item(&mut self, id: &str, change: impl FnOnce(&mut RemoteItem)) {
        if let Some((_, item)) = self.items.get_mut(id) {
            change(item);
        }
        self.touch(id);
    }

    pub(crate) fn delete_item(&mut self, id: &str) {
        if let Some(deleted) = self.items.remove(id) {
            self.bin.insert(id.to_owned(), deleted);
        }
        self.made.retain(|_, made| made != id);
        self.log.push(id.to_owned());
    }

    /// An item is taken out of the bin: it has its old id, and whatever it carried.
    pub(crate) fn restore_item(&mut self, which: usize) -> Option<String> {
        let id = self.bin.keys().nth(which % self.bin.len().max(1)).cloned()?;
        let restored = self.bin.remove(&id)?;
        self.items.insert(id.clone(), restored);
        self.touch(&id);
        Some(id)
    }

    fn touch(&mut self, id: &str) {
        let etag = format!("v{}", self.next());
        if let Some((_, item)) = self.items.get_mut(id) {
            item.etag = etag;
            item.changed_at = Some(Instant(self.now.0 + self.skew));
        }
        self.log.push(id.to_owned());
    }

    pub(crate) fn window(&self) -> Window {
        Window { start: Instant(self.now.0 - BACK), end: Instant(self.now.0 + AHEAD) }
    }

    // A run.

    /// One run. `meanwhile` happens between the plan and its application.
    pub(crate) fn run(
        &mut self,
        trouble: Trouble,
        dice: &mut Dice,
        approves: bool,
        meanwhile: &mut dyn FnMut(&mut Self, &mut Dice),
    ) -> Result<Ran, Killed> {
        (self.trouble, self.operations, self.writes) = (trouble, 0, 0);
        self.run += 1;
        self.recover()?;
        let (listings, mut rebuilt) = self.pull(dice)?;
        let mut ran = Ran::default();
        for round in 0..3 {
            let snapshot = self.snapshot(&listings, rebuilt.take());
            let drafted = plan(&snapshot);
            if trouble.shuffled {
                assert_order_does_not_matter(&snapshot, &drafted, dice);
            }
            let reasons = held(&drafted, &snapshot);
            assert_guards(&snapshot, &drafted, &reasons);
            assert_settled_links_do_not_matter(&snapshot, &drafted, &reasons);
            if round == 0 {
                ran.held.clone_from(&reasons);
                ran.plan = drafted.clone();
                meanwhile(self, dice);
                if !reasons.is_empty() && !approves {
                    return Ok(ran);
                }
            } else if !reasons.is_empty() {
                break;
            }
            if !self.apply(&snapshot, &drafted, &mut ran, dice)? {
                break;
            }
        }
        Ok(ran)
    }

    /// One operation more; the process may be killed before it.
    fn operation(&mut self) -> Result<(), Killed> {
        self.operations += 1;
        if self.trouble.dies_after.is_some_and(|after| self.operations > after) { Err(Killed) } else { Ok(()) }
    }

    fn recover(&mut self) -> Result<(), Killed> {
        for Sent { link, push } in self.journal.clone() {
            let Some(mut link) = self.links.iter().find(|known| known.id == link).cloned() else { continue };
            match &push {
                Push::Create { our_id, content, .. } => {
                    let wanted = Identity::Ours(our_id.clone());
                    let found = self.items.values().find(|(_, item)| item.identity == wanted);
                    let found = match found.map(|(_, item)| item.clone()) {
                        Some(item) => Some(item),
                        None => self.write(link.kind, &push)?.ok().flatten(),
                    };
                    let Some(item) = found else { continue };
                    let sent = projection(link.kind, content);
                    link.base = Base { headquarters: sent.clone(), remote: sent, ..Base::default() };
                    if let Content::Entry(entry) = content {
                        let done = Value::Completed(entry.completed.is_some());
                        link.base.headquarters.insert(Field::Completed, done);
                    }
                    (link.remote_id, link.collection) = (Some(item.remote_id.clone()), item.collection.clone());
                    (link.etag, link.state, link.revision) = (String::new(), LinkState::Linked, 0);
                    self.operation()?;
                    self.journal.retain(|sent| sent.link != link.id);
                    self.seen.insert((link.kind, item.remote_id.clone()), Seen::Present(Box::new(item)));
                    self.put(link);
                }
                Push::Update { remote_id, etag, .. }
                | Push::Delete { remote_id, etag }
                | Push::Disown { remote_id, etag }
                | Push::Mark { remote_id, etag, .. } => {
                    let now = self.items.get(remote_id).map(|(_, item)| item.clone());
                    if self.trouble.does_not_say || now.as_ref().is_none_or(|now| now.etag != *etag) {
                        // The write may have been done: what it wrote over is kept.
                        match self.seen.get(&(link.kind, remote_id.clone())) {
                            Some(Seen::Present(before)) => self.audit.extend(texts(&before.content)),
                            _ => self.audit.extend(said(&link.base.remote)),
                        }
                    }
                    if self.trouble.does_not_say {
                        continue;
                    }
                    self.operation()?;
                    let seen = now.map_or(Seen::Gone, |item| Seen::Present(Box::new(item)));
                    self.seen.insert((link.kind, remote_id.clone()), seen);
                    self.journal.retain(|sent| sent.link != link.id);
                }
            }
        }
        Ok(())
    }

    fn pull(&mut self, dice: &mut Dice) -> Result<(BTreeMap<ItemKind, Listing>, Option<String>), Killed> {
        let mut listings = BTreeMap::new();
        let mut rebuilt = None;
        for kind in [ItemKind::Appointment, ItemKind::Task] {
            let (window, wide) = (self.window(), self.window().grown(MARGIN));
            let known = self.cursors.get(&kind).copied().filter(|known| known.window.covers(&window));
            let usable = known.filter(|_| !self.trouble.expires);
            if known.is_some() && self.trouble.expires {
                rebuilt = Some("the cursor expired".to_owned());
            }
            let mut seen = BTreeMap::new();
            let is_due = usable.is_none_or(|usable| self.now.0 - usable.full_at.0 >= DAY);
            if let Some(usable) = usable {
                let mut ids = self.log[usable.place..].to_vec();
                if self.trouble.shuffled {
                    ids.extend(ids.clone());
                    dice.shuffle(&mut ids);
                }
                for id in ids {
                    self.look(kind, &id, usable.window, &mut seen);
                }
            }
            let mut cursor = usable.unwrap_or(Cursor { place: 0, window: wide, full_at: self.now, listed: 0 });
            if is_due {
                let ids: Vec<String> = self.items.keys().cloned().collect();
                let listed = ids.iter().filter(|id| self.look(kind, id, wide, &mut seen)).count() as u64;
                let mut is_missing = false;
                for link in self.links.iter().filter(|link| link.kind == kind && link.state != LinkState::Tombstone) {
                    let Some(id) = &link.remote_id else { continue };
                    let is_listed = self.items.get(id).is_some_and(|(kind, item)| lists(*kind, item, wide));
                    if !is_listed && !seen.contains_key(id) && lay_in(link, wide) {
                        seen.insert(id.clone(), Seen::Removed);
                        is_missing = true;
                    }
                }
                if is_missing && usable.is_some() {
                    rebuilt = rebuilt.or(Some("the daily check".to_owned()));
                }
                let before = self.cursors.get(&kind).map_or(0, |known| known.listed);
                listings.insert(kind, Listing { before, now: listed });
                cursor = Cursor { place: 0, window: wide, full_at: self.now, listed };
            }
            cursor.place = self.log.len();
            self.operation()?;
            self.seen.extend(seen.into_iter().map(|(id, seen)| ((kind, id), seen)));
            self.cursors.insert(kind, cursor);
        }
        Ok((listings, rebuilt))
    }

    /// What a connector tells of one id; true when it is listed.
    fn look(&mut self, kind: ItemKind, id: &str, window: Window, seen: &mut BTreeMap<String, Seen>) -> bool {
        let link = self.links.iter().find(|link| {
            link.kind == kind && link.state != LinkState::Tombstone && link.remote_id.as_deref() == Some(id)
        });
        let item = self.items.get(id).filter(|(of, item)| *of == kind && lists(kind, item, window));
        let Some((_, item)) = item else {
            if link.is_some() {
                seen.insert(id.to_owned(), Seen::Removed);
            } else {
                self.seen.remove(&(kind, id.to_owned()));
                seen.remove(id);
            }
            return false;
        };
        let is_known = link.is_some_and(|link| {
            link.etag == item.etag
                && link.collection == item.collection
                && matches!(link.state, LinkState::Linked | LinkState::Ignored)
        });
        let is_strangers_secret = item.private && link.is_none();
        if is_known || is_strangers_secret {
            self.seen.remove(&(kind, id.to_owned()));
        } else {
            seen.insert(id.to_owned(), Seen::Present(Box::new(item.clone())));
        }
        true
    }

    fn snapshot(&mut self, listings: &BTreeMap<ItemKind, Listing>, rebuilt: Option<String>) -> Snapshot {
        let window = self.window();
        let headquarters: BTreeMap<_, _> = self
            .objects
            .iter()
            .map(|(id, object)| (HeadquartersId::Activity(*id), as_item(*id, object, window)))
            .collect();
        // What is wanted again is asked about, as is what is no longer listed.
        for link in self.links.iter().filter(|link| link.state == LinkState::Unlinked) {
            let ours = link.headquarters.as_ref().and_then(|id| headquarters.get(id));
            if let (Some(id), Some(ours)) = (&link.remote_id, ours)
                && ours.place == Place::Window
                && !ours.withdrawn
            {
                self.seen.entry((link.kind, id.clone())).or_insert(Seen::Removed);
            }
        }
        let mut remote = BTreeMap::new();
        for ((kind, id), seen) in &mut self.seen {
            if matches!(seen, Seen::Removed | Seen::NotInSeries | Seen::Gone) && !self.trouble.does_not_say {
                *seen = match self.items.get(id) {
                    Some((_, item)) => Seen::Present(Box::new(item.clone())),
                    None => Seen::Gone,
                };
            }
            let state = match seen {
                Seen::Present(item) => RemoteState::Present(item.clone()),
                Seen::Gone => RemoteState::Gone,
                Seen::Removed | Seen::NotInSeries => RemoteState::Unknown("no answer".to_owned()),
            };
            remote.insert((*kind, id.clone()), state);
        }
        let kinds = [ItemKind::Appointment, ItemKind::Task];
        Snapshot {
            profile: "1/b".to_owned(),
            employee: "B".to_owned(),
            now: self.now,
            run: self.run,
            rules: self.rules,
            guards: self.guards.clone(),
            targets: kinds.iter().map(|kind| (*kind, collection(*kind).to_owned())).collect(),
            windows: kinds.iter().map(|kind| (*kind, window)).collect(),
            zone: ZONE,
            answers: BTreeMap::new(),
            incarnations: incarnations(&self.links),
            oldest_run: self.run - 9,
            writer: format!("run-{}", self.run),
            strangers: BTreeSet::new(),
            links: self.links.clone(),
            settled: 0,
            settled_series: BTreeSet::new(),
            headquarters,
            remote,
            unsettled: self.journal.iter().map(|sent| sent.link).collect(),
            listings: listings.clone(),
            rebuilt,
        }
    }

    fn apply(&mut self, snapshot: &Snapshot, plan: &Plan, ran: &mut Ran, dice: &mut Dice) -> Result<bool, Killed> {
        let (remote, local): (Vec<&Step>, Vec<&Step>) = plan.steps.iter().partition(|step| step.writes_outlook());
        let mut is_stale = false;
        for step in local {
            is_stale |= self.settle_locally(Work { snapshot, step }, ran)?;
        }
        // A batch is written down before it is sent, and settled when all of it came back.
        for batch in remote.chunks(dice.below(4) + 1) {
            let mut sent = Vec::new();
            self.operation()?;
            for step in batch {
                let work = Work { snapshot, step };
                let Some((link, push)) = work.push() else { continue };
                let link = self.put(link);
                self.journal.push(Sent { link: link.id, push: push.clone() });
                sent.push((work, link, push));
            }
            let mut outcomes = Vec::new();
            for (work, _, push) in &sent {
                let outcome = self.write(work.step.kind, push)?;
                let is_lost = self.trouble.loses_after.is_some_and(|after| self.writes > after);
                outcomes.push((!is_lost).then_some(outcome));
            }
            self.operation()?;
            for ((work, link, push), outcome) in sent.into_iter().zip(outcomes) {
                is_stale |= self.settle_write(work, link, &push, outcome, ran);
            }
        }
        Ok(is_stale)
    }

    fn settle_locally(&mut self, work: Work<'_>, ran: &mut Ran) -> Result<bool, Killed> {
        let step = work.step;
        match step.verdict.action {
            Action::Hold | Action::Skip => return Ok(false),
            Action::Nothing | Action::Leave if step.link.is_none() => {
                if let Some(id) = &step.remote_id {
                    self.seen.remove(&(step.kind, id.clone()));
                }
                return Ok(false);
            }
            _ => {}
        }
        self.operation()?;
        let mut settlement = work.settle(work.link(), None, true);
        if step.verdict.action == Action::Import {
            settlement.link.headquarters = None;
        }
        if !self.settle(step.kind, settlement) {
            return Ok(true);
        }
        if step.writes_headquarters() {
            ran.done.push(step.verdict.action);
        }
        Ok(step.verdict.action == Action::Release)
    }

    fn settle_write(
        &mut self,
        work: Work<'_>,
        link: Link,
        push: &Push,
        outcome: Option<Result<Option<RemoteItem>, Refused>>,
        ran: &mut Ran,
    ) -> bool {
        let step = work.step;
        let written = match outcome {
            None => return false,
            Some(Err(Refused::Gone)) if matches!(push, Push::Delete { .. }) => None,
            // The next run finds the item of this key.
            Some(Err(Refused::Conflict)) if matches!(push, Push::Create { .. }) => return true,
            Some(Err(refused)) => {
                self.journal.retain(|sent| sent.link != link.id);
                if let Some(id) = &step.remote_id {
                    let now = self.items.get(id).map(|(_, item)| Seen::Present(Box::new(item.clone())));
                    let now = now.filter(|_| refused == Refused::Conflict).unwrap_or(Seen::Gone);
                    self.seen.insert((step.kind, id.clone()), now);
                }
                return true;
            }
            Some(Ok(written)) => written,
        };
        self.journal.retain(|sent| sent.link != link.id);
        ran.done.push(step.verdict.action);
        let mut is_stale = false;
        if !self.settle(step.kind, work.settle(link.clone(), written.as_ref(), true)) {
            is_stale = true;
            self.settle(step.kind, work.settle(link, written.as_ref(), false));
        }
        let stands = matches!(push, Push::Disown { .. } | Push::Mark { locked: true, .. });
        if let (true, Some(item)) = (stands, written) {
            self.seen.insert((step.kind, item.remote_id.clone()), Seen::Present(Box::new(item)));
            is_stale |= matches!(push, Push::Disown { .. });
        }
        is_stale
    }

    /// Stores a settlement whole, or nothing of it: false where the activity was changed meanwhile.
    fn settle(&mut self, kind: ItemKind, settlement: Settlement) -> bool {
        let Settlement { mut link, change, audit, observed, .. } = settlement;
        if let Some(change) = change {
            let Some((id, revision)) = self.change(change) else { return false };
            link.headquarters.get_or_insert(HeadquartersId::Activity(id));
            link.revision = revision;
        }
        for AuditEntry { before, after, .. } in audit {
            self.audit.extend(before.iter().chain(&after).flat_map(texts));
        }
        if let Some(id) = observed {
            self.seen.remove(&(kind, id));
        }
        self.put(link);
        true
    }

    fn change(&mut self, change: HeadquartersChange) -> Option<(i64, i64)> {
        let edit = |object: &mut Object, fields: EditedActivity| {
            let period = (!fields.undated).then_some(fields.period);
            object.entry.subject = fields.subject;
            object.entry.body = fields.description;
            object.entry.location = fields.location;
            object.entry.period = period;
            object.entry.priority = fields.priority;
            if fields.completed.is_some() && !object.closed && !object.delayed {
                (object.closed, object.entry.completed) = (true, fields.completed);
            }
        };
        let id = match change {
            HeadquartersChange::Create(new) => {
                let blank = Entry {
                    subject: String::new(),
                    body: String::new(),
                    location: String::new(),
                    period: None,
                    zone: ZONE.name().to_owned(),
                    priority: new.fields.priority,
                    completed: None,
                };
                let id = self.add_object(new.entry, Origin::Outlook, blank);
                self.edit_object(id, |object| edit(object, new.fields));
                id
            }
            HeadquartersChange::Update { activity, revision, fields } => {
                let before = self.objects.get(&activity).filter(|object| object.revision == revision)?.clone();
                let mut after = before.clone();
                edit(&mut after, fields);
                if after != before {
                    self.edit_object(activity, |object| *object = after);
                }
                activity
            }
            HeadquartersChange::Cancel { activity, revision } => {
                self.objects.get(&activity).filter(|object| object.revision == revision)?;
                self.edit_object(activity, |object| object.canceled = true);
                activity
            }
            HeadquartersChange::Reinstate { .. } => return None,
        };
        Some((id, self.objects[&id].revision))
    }

    /// Stores a link, under the constraints of the database.
    fn put(&mut self, mut link: Link) -> Link {
        if link.id == 0 {
            link.id = self.next();
        }
        match self.links.iter_mut().find(|known| known.id == link.id) {
            Some(known) => known.clone_from(&link),
            None => self.links.push(link.clone()),
        }
        let is_live = |link: &&Link| !matches!(link.state, LinkState::Tombstone | LinkState::Unlinked);
        for other in self.links.iter().filter(is_live).filter(|other| other.id != link.id && is_live(&&link)) {
            let is_same_object = link.headquarters.is_some() && other.headquarters == link.headquarters;
            let is_same_item = link.remote_id.is_some() && other.remote_id == link.remote_id;
            assert!(
                other.kind != link.kind || !(is_same_object || is_same_item),
                "two links tie the same: {other:#?} {link:#?}"
            );
        }
        link
    }

    /// The server does what it is asked.
    fn write(&mut self, kind: ItemKind, push: &Push) -> Result<Result<Option<RemoteItem>, Refused>, Killed> {
        self.operation()?;
        self.writes += 1;
        Ok(self.written(kind, push).map(|id| id.and_then(|id| Some(self.items.get(&id)?.1.clone()))))
    }

    fn written(&mut self, kind: ItemKind, push: &Push) -> Result<Option<String>, Refused> {
        match push {
            Push::Create { our_id, content: Content::Entry(entry), .. } => {
                if self.made.contains_key(our_id) {
                    assert!(!self.ignores_keys, "I3: `{}` is made a second time", entry.subject);
                    return Err(Refused::Conflict);
                }
                let id = self.add_item(kind, entry.clone(), Identity::Ours(our_id.clone()), |_| {});
                self.made.insert(our_id.clone(), id.clone());
                Ok(Some(id))
            }
            Push::Create { .. } => panic!("no contacts here"),
            Push::Update { remote_id, etag, content: wanted, fields, .. } => {
                self.is_at(remote_id, etag)?;
                let mut new = projection(ItemKind::Task, wanted);
                new.retain(|field, _| fields.has(*field));
                self.edit_item(remote_id, |item| item.content = content(&new, &item.content));
                Ok(Some(remote_id.clone()))
            }
            Push::Delete { remote_id, etag } => {
                self.is_at(remote_id, etag)?;
                self.delete_item(remote_id);
                Ok(None)
            }
            Push::Disown { remote_id, .. } => {
                if !self.items.contains_key(remote_id) {
                    return Err(Refused::Gone);
                }
                self.made.retain(|_, made| made != remote_id);
                self.edit_item(remote_id, |item| item.identity = Identity::None);
                Ok(Some(remote_id.clone()))
            }
            Push::Mark { remote_id, etag, .. } => {
                self.is_at(remote_id, etag)?;
                self.edit_item(remote_id, |_| {});
                Ok(Some(remote_id.clone()))
            }
        }
    }

    fn is_at(&self, id: &str, etag: &str) -> Result<(), Refused> {
        match self.items.get(id) {
            None => Err(Refused::Gone),
            Some((_, item)) if item.etag != etag => Err(Refused::Conflict),
            Some(_) => Ok(()),
        }
    }
}

/// Why a write was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Gone,
    Conflict,
}

fn collection(kind: ItemKind) -> &'static str {
    if kind == ItemKind::Task { TASKS } else { CALENDAR }
}

fn span(entry: &Entry, now: Instant) -> (Instant, Instant) {
    entry.period.map_or((now, now), |period| period.instants(ZONE))
}

/// True when a listing of the window has the item.
pub(crate) fn lists(kind: ItemKind, item: &RemoteItem, window: Window) -> bool {
    let Content::Entry(entry) = &item.content else { return false };
    item.collection == collection(kind)
        && entry.period.is_none_or(|period| {
            let (start, end) = period.instants(ZONE);
            window.overlaps(start, end)
        })
}

fn lay_in(link: &Link, window: Window) -> bool {
    match link.base.remote.get(&Field::Period) {
        Some(Value::Period(Some(period))) => {
            let (start, end) = period.instants(ZONE);
            window.overlaps(start, end)
        }
        Some(Value::Period(None)) => true,
        _ => false,
    }
}

fn said(fields: &Projection) -> Vec<String> {
    let text = |field| match fields.get(&field) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    [text(Field::Subject), text(Field::Body)].into_iter().flatten().collect()
}

fn as_item(id: i64, object: &Object, window: Window) -> HeadquartersItem {
    let content =
        Content::Entry(Entry { completed: object.closed.then_some(object.changed_at), ..object.entry.clone() });
    let mut fields = projection(object.kind, &content);
    if object.origin != Origin::Outlook && object.entry.location.is_empty() {
        fields.remove(&Field::Location);
    }
    fields.insert(Field::Completed, Value::Completed(object.closed));
    let (start, end) = object.span;
    let place = match () {
        () if object.filtered => Place::Filtered,
        () if window.overlaps(start, end) || object.entry.period.is_none() => Place::Window,
        () if window.grown(MARGIN).overlaps(start, end) => Place::Margin,
        () => Place::Outside,
    };
    HeadquartersItem {
        id: HeadquartersId::Activity(id),
        kind: object.kind,
        origin: object.origin,
        revision: object.revision,
        content,
        fields,
        place,
        withdrawn: object.canceled || object.moved,
        moved: object.moved,
        closed: object.closed,
        delayed: object.delayed,
        start,
        end,
        changed_at: object.changed_at,
    }
}

/// I8: links in another order make the same plan.
fn assert_order_does_not_matter(snapshot: &Snapshot, drafted: &Plan, dice: &mut Dice) {
    let mut shuffled = snapshot.clone();
    dice.shuffle(&mut shuffled.links);
    let again = plan(&shuffled);
    let views = |plan: &Plan| plan.steps.iter().map(|step| format!("{:?}", step.view())).collect::<Vec<_>>();
    assert_eq!(views(drafted), views(&again), "I8: the order of links matters");
    assert_eq!(drafted.hash(), again.hash());
}

/// A plan from what a run considers is the plan from everything.
fn assert_settled_links_do_not_matter(snapshot: &Snapshot, drafted: &Plan, reasons: &[String]) {
    let mut objects = snapshot.headquarters.clone();
    let mut considered = Considered::default();
    {
        let seen = snapshot.remote.iter().map(|((kind, id), state)| (*kind, id.as_str(), state.item()));
        let touched = Touched::new(seen, &snapshot.unsettled, &snapshot.answers);
        for link in &snapshot.links {
            let ours = link.headquarters.as_ref().and_then(|id| snapshot.headquarters.get(id));
            if let Some(ours) = ours.filter(|_| link.state != LinkState::Tombstone) {
                objects.remove(&ours.id);
            }
            considered.take(link.clone(), ours.cloned(), Some(&touched));
        }
        objects.into_values().for_each(|ours| considered.take_new(ours));
    }
    let Considered { links, headquarters, settled, settled_series, incarnations } = considered;
    let considered = Snapshot { links, headquarters, settled, settled_series, incarnations, ..snapshot.clone() };
    let again = plan(&considered);
    let steps = |snapshot: &Snapshot, plan: &Plan| {
        let step = |step: &Step| format!("{:?} {:?}", step.view(), Work { snapshot, step }.push());
        plan.steps.iter().map(step).collect::<Vec<_>>()
    };
    assert_eq!(steps(snapshot, drafted), steps(&considered, &again), "what nobody touched matters");
    assert_eq!(held(&again, &considered), reasons);
}

/// What the guards must see, found out in another way.
fn assert_guards(snapshot: &Snapshot, drafted: &Plan, reasons: &[String]) {
    let says = |guard: &str| reasons.iter().any(|reason| reason.starts_with(guard));
    let deletes = |step: &&Step| matches!(step.verdict.action, Action::Delete | Action::Cancel);
    let deletions = drafted.steps.iter().filter(deletes).count() as u64;
    let live = snapshot.links.iter().filter(|link| link.state == LinkState::Linked).count() as u64;
    let is_mass = deletions > snapshot.guards.deletions && deletions * 100 > live * snapshot.guards.deletions_percent;
    assert!(!is_mass || says("G1"), "G1: {deletions} of {live}: {reasons:?}");
    assert_eq!(says("G3"), deletions > 0 && snapshot.rebuilt.is_some(), "G3: {reasons:?}");
    let mails = drafted.steps.iter().filter(|step| step.writes_outlook()).any(|step| {
        let item = step.remote_id.as_ref().and_then(|id| snapshot.remote.get(&(step.kind, id.clone())));
        matches!(item, Some(RemoteState::Present(item)) if item.has_attendees)
    });
    assert!(!mails || snapshot.guards.mail_attendees || says("G6"), "G6: {reasons:?}");
    if reasons.is_empty() {
        assert!(deletions <= snapshot.guards.deletions.max(live * snapshot.guards.deletions_percent / 100));
    }
}

pub(crate) fn timed(start: i64, hours: i64) -> Option<Period> {
    Some(Period::Timed { start: Instant(start), end: Instant(start + hours * crate::world::HOUR) })
}
