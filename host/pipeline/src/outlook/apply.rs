//! What a step asks of each side, and how its link stands afterwards. Pure, so that the properties of the whole can be tested
//! without a server or a database.

use apptsync_model::outlook::{
    Base, Content, Entry, Field, FieldSet, HeadquartersId, Identity, ItemKind, Link, LinkState, Origin, Projection,
    Push, RemoteItem, Value, content, projection, with_own,
};
use apptsync_model::{Instant, Period, day_start};
use apptsync_store::{AuditAction, AuditEntry, EditedActivity, HeadquartersChange, NewActivity, Settlement, Side};
use chrono::Days;

use super::decide::Action;
use super::merge::Direction;
use super::plan::{Step, key};
use super::row::Row;
use super::snapshot::{HeadquartersItem, RemoteState, Snapshot};

const DAY: i64 = 86_400;

/// A step with both sides of it at hand.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// What both sides were when the plan was drawn up.
    pub snapshot: &'a Snapshot,
    /// The step.
    pub step: &'a Step,
}

impl<'a> Work<'a> {
    /// The object of the headquarters.
    #[must_use]
    pub fn ours(&self) -> Option<&'a HeadquartersItem> {
        self.step.headquarters.as_ref().and_then(|id| self.snapshot.headquarters.get(id))
    }

    /// The item as it was seen.
    #[must_use]
    pub fn item(&self) -> Option<&'a RemoteItem> {
        let id = self.step.remote_id.as_ref()?;
        match self.snapshot.remote.get(&(self.step.kind, id.clone()))? {
            RemoteState::Present(item) => Some(item),
            RemoteState::Gone | RemoteState::Unknown(_) => None,
        }
    }

    /// The link before the step, or a new one.
    #[must_use]
    pub fn link(&self) -> Link {
        if let Some(index) = self.step.link {
            return self.snapshot.links[index].clone();
        }
        let origin = self.ours().map_or(Origin::Outlook, |ours| ours.origin);
        let incarnation = self.next_incarnation();
        let item = self.item();
        Link {
            id: 0,
            kind: self.step.kind,
            headquarters: self.step.headquarters.clone(),
            remote_id: item.map(|item| item.remote_id.clone()),
            collection: item.map_or_else(|| self.target().to_owned(), |item| item.collection.clone()),
            occurrence: item.and_then(|item| item.occurrence.clone()),
            our_id: match (item.map(|item| &item.identity), &self.step.headquarters) {
                (Some(Identity::Ours(id)), _) => id.clone(),
                (_, Some(headquarters)) => key(&self.snapshot.profile, self.step.kind, headquarters, incarnation),
                (_, None) => String::new(),
            },
            incarnation,
            origin,
            state: LinkState::Linked,
            base: Base::default(),
            revision: 0,
            etag: String::new(),
            recreated_at: None,
            reverts: Vec::new(),
            flaps: Vec::new(),
            filtered_since: None,
            note: String::new(),
        }
    }

    /// The incarnation after all that there were of the object.
    fn next_incarnation(&self) -> u32 {
        let incarnations = &self.snapshot.incarnations;
        let object = self.step.headquarters.clone().map(|object| (self.step.kind, object));
        object.and_then(|object| incarnations.get(&object)).map_or(0, |last| last + 1)
    }

    fn target(&self) -> &'a str {
        self.snapshot.targets.get(&self.step.kind).map_or("", String::as_str)
    }

    /// What is asked of the connector, and the link as the journal keeps it before that is sent; none where nothing is
    /// written to Outlook.
    #[must_use]
    pub fn push(&self) -> Option<(Link, Push)> {
        if !self.step.writes_outlook() {
            return None;
        }
        let mut link = self.link();
        let item = self.item();
        let reference = |link: &Link| {
            let remote_id = self.step.remote_id.clone().or_else(|| link.remote_id.clone())?;
            let etag = item.map_or_else(|| link.etag.clone(), |item| item.etag.clone());
            Some((remote_id, etag))
        };
        let push = match self.step.verdict.action {
            Action::Create | Action::Recreate => {
                let ours = self.ours()?;
                if self.step.verdict.action == Action::Recreate {
                    link.incarnation = self.next_incarnation();
                    link.our_id = key(&self.snapshot.profile, link.kind, &ours.id, link.incarnation);
                    link.recreated_at = Some(self.snapshot.now);
                    link.remote_id = None;
                    link.occurrence = None;
                    link.base.is_locked = false;
                }
                link.state = LinkState::CreatingRemote;
                link.collection = self.target().to_owned();
                let our_id = link.our_id.clone();
                let writer = self.snapshot.writer.clone();
                Push::Create { key: our_id.clone(), our_id, writer, content: ours.content.clone() }
            }
            Action::Delete => {
                let (remote_id, etag) = reference(&link)?;
                Push::Delete { remote_id, etag }
            }
            Action::Disown => {
                let (remote_id, etag) = reference(&link)?;
                // Only the journal needs it: afterwards the copy counts as new in Outlook.
                link.state = LinkState::Tombstone;
                link.our_id = String::new();
                Push::Disown { remote_id, etag }
            }
            Action::Lock | Action::Unlock => {
                let (remote_id, etag) = reference(&link)?;
                Push::Mark { remote_id, etag, locked: self.step.verdict.action == Action::Lock }
            }
            _ => {
                let (remote_id, etag) = reference(&link)?;
                let fields: FieldSet = self.fields(Direction::ToOutlook).collect();
                let content = self.written(&link)?;
                let writer = self.snapshot.writer.clone();
                Push::Update { remote_id, etag, content, fields, our_id: None, writer }
            }
        };
        Some((link, push))
    }

    /// What an item says when it is written: the headquarters' version, shown in the zone that the user chose, and with what
    /// is the user's own in a contact.
    fn written(&self, link: &Link) -> Option<Content> {
        let ours = self.ours()?;
        let seen = self.item().map(|item| &item.content);
        Some(match &ours.content {
            Content::Entry(entry) => {
                let zone = match seen {
                    Some(Content::Entry(seen)) => &seen.zone,
                    _ => &link.base.zone,
                };
                let zone = if zone.is_empty() { &entry.zone } else { zone };
                Content::Entry(Entry { zone: zone.clone(), ..entry.clone() })
            }
            Content::Contact(contact) => {
                let seen = seen.map(|content| projection(link.kind, content));
                let outlook = seen.as_ref().unwrap_or(&link.base.remote);
                Content::Contact(with_own(contact, outlook, &link.base.headquarters))
            }
        })
    }

    fn fields(&self, direction: Direction) -> impl Iterator<Item = Field> {
        self.step.verdict.changes.iter().filter(move |change| change.direction == direction).map(|change| change.field)
    }

    /// What changes in the headquarters; none where nothing does.
    #[must_use]
    pub fn change(&self) -> Option<HeadquartersChange> {
        match self.step.verdict.action {
            Action::Import => self.import(),
            Action::Cancel => {
                let (activity, revision) = self.activity()?;
                Some(HeadquartersChange::Cancel { activity, revision })
            }
            Action::Update | Action::Link if self.step.goes(Direction::ToHeadquarters) => {
                let (activity, revision) = self.activity()?;
                let fields = edited(&self.taken_over()?, self.snapshot.now, self.snapshot.zone)?;
                Some(HeadquartersChange::Update { activity, revision, fields })
            }
            _ => None,
        }
    }

    fn activity(&self) -> Option<(i64, i64)> {
        let ours = self.ours()?;
        match &ours.id {
            HeadquartersId::Activity(id) => Some((*id, ours.revision)),
            HeadquartersId::Partner(_) | HeadquartersId::Employee(_) => None,
        }
    }

    /// The headquarters' version with what it takes over from Outlook.
    fn taken_over(&self) -> Option<Content> {
        let ours = self.ours()?;
        let changes = self.step.verdict.changes.iter();
        let fields: Projection = changes
            .filter(|change| change.direction == Direction::ToHeadquarters)
            .filter_map(|change| Some((change.field, change.outlook.clone()?)))
            .collect();
        let mut taken = content(&fields, &ours.content);
        if let (Content::Entry(taken), Some(Content::Entry(theirs))) =
            (&mut taken, self.item().map(|item| &item.content))
            && fields.get(&Field::Completed) == Some(&Value::Completed(true))
        {
            taken.completed = Some(theirs.completed.unwrap_or(self.snapshot.now));
        }
        Some(taken)
    }

    fn import(&self) -> Option<HeadquartersChange> {
        let item = self.item()?;
        let kind = if self.step.kind == ItemKind::Task { "Task" } else { "Appointment" };
        Some(HeadquartersChange::Create(Box::new(NewActivity {
            origin: Origin::Outlook,
            entry: self.step.kind,
            // An item may come a second time, after its first activity was canceled.
            source_id: format!("{}/{}/{}", self.snapshot.profile, self.snapshot.run, item.remote_id),
            employee: self.snapshot.employee.clone(),
            partner: None,
            kind: kind.to_owned(),
            fields: edited(&self.imported(&item.content), self.snapshot.now, self.snapshot.zone)?,
        })))
    }

    /// What an item is as an activity: of an appointment, `completed` is only ever written to Outlook.
    fn imported(&self, content: &Content) -> Content {
        match content {
            Content::Entry(entry) if self.step.kind == ItemKind::Appointment => {
                Content::Entry(Entry { completed: None, ..entry.clone() })
            }
            other => other.clone(),
        }
    }

    /// How everything stands when the step is done. `written` is the item read back after a write; `takes_over` is false
    /// when the headquarters was changed meanwhile, so that only Outlook's part counts.
    #[must_use]
    pub fn settle(&self, mut link: Link, written: Option<&RemoteItem>, takes_over: bool) -> Settlement {
        let change = self.change().filter(|_| takes_over);
        let audit = self.audit(&link, written, change.is_some());
        let now = self.snapshot.now;
        let seen = written.or_else(|| self.item());
        match (&self.step.verdict.note, self.step.verdict.action) {
            (Some(note), _) => link.note.clone_from(note),
            // Why it was put in quarantine stays known while it is there.
            (None, Action::Leave | Action::Nothing) => {}
            (None, _) => link.note.clear(),
        }
        match self.step.verdict.action {
            Action::Create | Action::Recreate | Action::Update | Action::Link | Action::Agree | Action::Import => {
                self.agree(&mut link, seen, change.is_some());
            }
            Action::Unlock => {
                self.agree(&mut link, seen, false);
                link.base.is_locked = false;
            }
            // What was edited there is not agreed on.
            Action::Lock => link.base.is_locked = true,
            Action::Delete | Action::Cancel | Action::Bury => link.state = LinkState::Tombstone,
            Action::Suppress => {
                link.state = LinkState::Suppressed;
                link.base.is_elsewhere = self.step.verdict.row == Row::R22;
            }
            Action::Ignore => link.state = LinkState::Ignored,
            Action::Unlink | Action::Release => {
                link.state = LinkState::Unlinked;
                if self.step.verdict.action == Action::Release {
                    link.remote_id = None;
                }
            }
            Action::Quarantine => link.state = LinkState::Quarantined,
            Action::Leave => {
                link.filtered_since = match self.step.verdict.row {
                    Row::R19 => link.filtered_since.or(Some(now)),
                    _ => None,
                };
            }
            Action::Nothing | Action::Hold | Action::Skip | Action::Disown => {}
        }
        if let Some(ours) = self.ours()
            && link.state == LinkState::Quarantined
        {
            link.revision = ours.revision;
        }
        Settlement { link, operation: None, change, audit, observed: self.observed(takes_over) }
    }

    /// What was seen of the item is dealt with, unless it waits.
    fn observed(&self, takes_over: bool) -> Option<String> {
        let waits = match self.step.verdict.action {
            Action::Hold | Action::Skip | Action::Release | Action::Disown | Action::Lock => true,
            // Tomorrow it is put back after all; what does not meet the criteria may meet them again; and that it is private
            // must stay known, or it would be written to.
            Action::Leave => {
                matches!(self.step.verdict.row, Row::P7 | Row::R19)
                    || self.item().is_some_and(|item| item.private && self.step.link.is_some())
            }
            _ => !takes_over,
        };
        if waits { None } else { self.step.remote_id.clone() }
    }

    /// Both sides agree on what they say now; fields that are still to be taken over keep their old base.
    fn agree(&self, link: &mut Link, seen: Option<&RemoteItem>, took_over: bool) {
        let pending: Vec<Field> = if took_over { Vec::new() } else { self.fields(Direction::ToHeadquarters).collect() };
        let ours = match (took_over, self.step.verdict.action) {
            (_, Action::Import) => self.item().map(|item| {
                let content = self.imported(&item.content);
                let mut fields = projection(link.kind, &content);
                let is_done = matches!(&content, Content::Entry(entry) if entry.completed.is_some());
                fields.insert(Field::Completed, Value::Completed(is_done));
                fields
            }),
            (true, _) => self.taken_over().map(|taken| {
                let mut fields = self.ours().map(|ours| ours.fields.clone()).unwrap_or_default();
                fields.extend(
                    projection(link.kind, &taken)
                        .into_iter()
                        .filter(|(field, _)| self.fields(Direction::ToHeadquarters).any(|taken| taken == *field)),
                );
                fields
            }),
            (false, _) => self.ours().map(|ours| ours.fields.clone()),
        };
        let theirs = seen.map(|item| projection(link.kind, &item.content));
        let before = std::mem::take(&mut link.base);
        let keep = |old: &Projection, new: Option<Projection>| {
            let mut fields = new.unwrap_or_else(|| old.clone());
            for field in &pending {
                match old.get(field) {
                    Some(value) => fields.insert(*field, value.clone()),
                    None => fields.remove(field),
                };
            }
            fields
        };
        link.base = Base {
            headquarters: keep(&before.headquarters, ours),
            remote: keep(&before.remote, theirs),
            previous: before.previous.clone(),
            has_attendees: seen.map_or(before.has_attendees, |item| item.has_attendees),
            is_foreign: seen.map_or(before.is_foreign, |item| !item.is_organizer),
            zone: match seen.map(|item| &item.content) {
                Some(Content::Entry(entry)) => entry.zone.clone(),
                _ => before.zone.clone(),
            },
            uid: seen.map_or_else(|| before.uid.clone(), |item| item.uid.clone()),
            is_locked: before.is_locked,
            is_elsewhere: false,
            writer: seen.and_then(|item| item.writer.clone()).or_else(|| before.writer.clone()),
        };
        self.watch_flaps(link, &before);
        if let Some(item) = seen {
            link.remote_id = Some(item.remote_id.clone());
            link.collection.clone_from(&item.collection);
            link.occurrence.clone_from(&item.occurrence);
            link.etag.clone_from(&item.etag);
            if let (Action::Link, Identity::Ours(key)) = (self.step.verdict.action, &item.identity) {
                link.our_id.clone_from(key);
            }
        }
        if let Some(ours) = self.ours()
            && pending.is_empty()
        {
            link.revision = ours.revision;
        }
        link.state = LinkState::Linked;
        link.filtered_since = None;
        let now = self.snapshot.now;
        link.reverts.retain(|at| now.0 - at.0 < DAY);
        if self.step.reverts() {
            link.reverts.push(now);
        }
    }

    /// Notes fields that return to a value they had before (guard G8). What is put back by rule has a budget of its own.
    fn watch_flaps(&self, link: &mut Link, before: &Base) {
        let run = self.snapshot.run;
        let mut is_flap = false;
        for (field, value) in &link.base.headquarters.clone() {
            let Some(old) = before.headquarters.get(field).filter(|old| *old != value) else { continue };
            is_flap |= link.base.previous.get(field) == Some(value);
            link.base.previous.insert(*field, old.clone());
        }
        link.flaps.retain(|flap| *flap >= self.snapshot.oldest_run);
        if is_flap && link.flaps.last() != Some(&run) {
            link.flaps.push(run);
        }
    }

    /// What is written over or deleted, with its values: nothing is lost silently.
    fn audit(&self, link: &Link, written: Option<&RemoteItem>, took_over: bool) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        let ours = self.ours().map(|ours| ours.content.clone());
        let theirs = self.item().map(|item| item.content.clone()).or_else(|| {
            let rest = ours.clone()?;
            (!link.base.remote.is_empty()).then(|| content(&link.base.remote, &rest))
        });
        let mut entry = |side, action, before, after| {
            entries.push(AuditEntry {
                sequence: 0,
                run: self.snapshot.run,
                link: link.id,
                side,
                action,
                headquarters: self.step.headquarters.clone(),
                remote_id: written.map(|item| item.remote_id.clone()).or_else(|| self.step.remote_id.clone()),
                row: self.step.verdict.row.name().to_owned(),
                before,
                after,
            });
        };
        match self.step.verdict.action {
            Action::Create | Action::Recreate => {
                entry(Side::Outlook, AuditAction::Created, None, written.map(|item| item.content.clone()));
            }
            Action::Delete => entry(Side::Outlook, AuditAction::Deleted, theirs, None),
            Action::Cancel => entry(Side::Headquarters, AuditAction::Deleted, ours, None),
            Action::Import => {
                entry(Side::Headquarters, AuditAction::Created, None, self.item().map(|item| item.content.clone()));
            }
            Action::Update | Action::Link => {
                if self.step.goes(Direction::ToOutlook) {
                    let action = if self.step.reverts() { AuditAction::Reverted } else { AuditAction::Updated };
                    entry(Side::Outlook, action, theirs.clone(), written.map(|item| item.content.clone()));
                }
                if took_over {
                    entry(Side::Headquarters, AuditAction::Updated, ours, self.taken_over());
                }
            }
            _ => {}
        }
        entries
    }
}

/// What an edit of an activity is, from the content of an item. A task without a date takes the day of the run.
#[must_use]
pub fn edited(content: &Content, now: Instant, zone: chrono_tz::Tz) -> Option<EditedActivity> {
    let Content::Entry(Entry { subject, body, location, period, priority, completed, .. }) = content else {
        return None;
    };
    let today = now.to_utc().with_timezone(&zone).date_naive();
    let tomorrow = today.checked_add_days(Days::new(1))?;
    let (period, undated) = match period {
        Some(period) => (*period, false),
        None => (Period::AllDay { start: today, end: tomorrow }, true),
    };
    let (start, end) = match period {
        Period::Timed { start, end } => (start, end),
        Period::AllDay { start, end } => (day_start(start, zone), day_start(end, zone)),
    };
    Some(EditedActivity {
        subject: subject.clone(),
        description: body.clone(),
        location: location.clone(),
        period,
        start,
        end,
        priority: *priority,
        completed: *completed,
        undated,
    })
}
