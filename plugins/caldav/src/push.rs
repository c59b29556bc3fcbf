//! Writing: each object by one request, under the condition that it is as the host knows it.
//!
//! What several operations do to the occurrences of one series goes into one request. Everything that is changed is read
//! first, all of a batch at once, so that only what is ours to write changes.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use apptsync_calendar::{Calendar, Change, Key};
use apptsync_plugin::connector::{Content, Create, Entry, Fields, Item, Operation, Outcome};
use apptsync_plugin::http::{Request, Response};
use apptsync_plugin::types::{Failure, Instant};

use crate::address::Path;
use crate::client::Client;
use crate::etag::Etag;
use crate::failure::{self, Intent};
use crate::items::RemoteId;
use crate::objects::{self, Found, Stored};
use crate::reading::Reader;
use crate::sheet::why;
use crate::xml::Vocabulary;

const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";

/// A batch under way.
struct Push<'a> {
    client: &'a Client<'a>,
    reader: &'a Reader,
    calendar: &'a Path,
    batch: &'a [Operation],
    outcomes: Vec<Option<Outcome>>,
    /// Whether the server sends mail by itself; asked once, when it matters.
    sends_mail: Option<Result<bool, Failure>>,
    now: Instant,
}

/// What one request writes.
struct Write {
    request: Request,
    path: Path,
    /// What is stored afterwards; none where it is deleted.
    data: Option<Vec<u8>>,
    creates: bool,
    operations: Vec<Applied>,
}

/// An operation that a request carries out.
#[derive(Debug, Clone, Copy)]
struct Applied {
    position: usize,
    original_start: Option<Instant>,
    /// Nothing is left of the item.
    deletes: bool,
}

/// Operations on different items; one outcome for each, in order.
pub(crate) fn push(client: &Client<'_>, reader: &Reader, calendar: &Path, batch: &[Operation]) -> Vec<Outcome> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut push = Push {
        client,
        reader,
        calendar,
        batch,
        outcomes: batch.iter().map(|_| None).collect(),
        sends_mail: None,
        now: Instant::try_from(now).unwrap_or_default(),
    };
    let mut writes = push.creations();
    writes.extend(push.changes());
    push.carry_out(&writes);
    let unanswered = || Outcome::Failed(Failure::Permanent("the operation is not known".to_owned()));
    push.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unanswered)).collect()
}

impl Push<'_> {
    fn fail(&mut self, position: usize, failure: Failure) {
        if let Some(outcome) = self.outcomes.get_mut(position) {
            *outcome = Some(Outcome::Failed(failure));
        }
    }

    fn creations(&mut self) -> Vec<Write> {
        let mut writes = Vec::new();
        for (position, operation) in self.batch.iter().enumerate() {
            let Operation::Create(create) = operation else { continue };
            match self.creation(position, create) {
                Ok(write) => writes.push(write),
                Err(failure) => self.fail(position, failure),
            }
        }
        writes
    }

    fn creation(&self, position: usize, create: &Create) -> Result<Write, Failure> {
        let mut calendar = Calendar::resource();
        let key = Key { kind: self.reader.kind, uid: &create.key, original_start: None };
        calendar.create(&key, &create.our_id, entry(&create.content)?, &self.reader.viewer, self.now)?;
        let data = calendar.to_bytes();
        let path = self.calendar.member(&format!("{}.ics", create.key));
        let request = self.client.request("PUT", &path).header("if-none-match", "*").body(MEDIA_TYPE, data.clone());
        let operations = vec![Applied { position, original_start: None, deletes: false }];
        Ok(Write { request, path, data: Some(data), creates: true, operations })
    }

    /// Everything but creations.
    fn changes(&mut self) -> Vec<Write> {
        let mut by_path: BTreeMap<Path, Vec<(usize, RemoteId)>> = BTreeMap::new();
        for (position, operation) in self.batch.iter().enumerate() {
            let Some((remote_id, _)) = reference(operation) else { continue };
            match RemoteId::parse(remote_id) {
                Ok(id) => by_path.entry(id.path.clone()).or_default().push((position, id)),
                Err(failure) => self.fail(position, failure),
            }
        }
        let mut found = self.read(by_path.keys());
        let mut writes = Vec::new();
        for (path, operations) in by_path {
            match found.remove(&path) {
                Some(Found::Stored(stored)) => writes.extend(self.change(&path, &stored, &operations)),
                Some(Found::Unsaid(failure)) => {
                    operations.iter().for_each(|(position, _)| self.fail(*position, failure.clone()));
                }
                Some(Found::Gone) | None => {
                    operations.iter().for_each(|(position, _)| self.fail(*position, Failure::Gone));
                }
            }
        }
        writes
    }

    /// The objects at these paths, whichever calendars they lie in.
    fn read<'p>(&self, paths: impl Iterator<Item = &'p Path>) -> BTreeMap<Path, Found> {
        let mut by_calendar: BTreeMap<Path, Vec<Path>> = BTreeMap::new();
        for path in paths {
            by_calendar.entry(path.parent()).or_default().push(path.clone());
        }
        let mut found = BTreeMap::new();
        for (calendar, paths) in by_calendar {
            match objects::read(self.client, &calendar, &paths) {
                Ok(objects) => found.extend(objects),
                Err(failure) => found.extend(paths.into_iter().map(|path| (path, Found::Unsaid(failure.clone())))),
            }
        }
        found
    }

    /// The request that does to one resource what was asked for; none where nothing is left to be done.
    fn change(&mut self, path: &Path, stored: &Stored, operations: &[(usize, RemoteId)]) -> Option<Write> {
        let mut calendar = match Calendar::parse(&stored.data) {
            Ok(calendar) => calendar,
            Err(error) => {
                let failure = Failure::Permanent(format!("the object cannot be read, so it is left as it is: {error}"));
                operations.iter().for_each(|(position, _)| self.fail(*position, failure.clone()));
                return None;
            }
        };
        let mut applied = Vec::new();
        let mut whole = None;
        for (position, id) in operations {
            match self.apply(&mut calendar, stored, *position, id) {
                Ok(done) if done.deletes && done.original_start.is_none() => whole = Some(done),
                Ok(done) => applied.push(done),
                Err(failure) => self.fail(*position, failure),
            }
        }
        if let Some(done) = whole {
            // What else was to be done to it goes with it.
            applied.iter().for_each(|other| self.fail(other.position, Failure::Gone));
            let request = self.client.request("DELETE", path).header("if-match", stored.etag.condition());
            return Some(Write { request, path: path.clone(), data: None, creates: false, operations: vec![done] });
        }
        if applied.is_empty() {
            return None;
        }
        let data = calendar.to_bytes();
        let request = self.client.request("PUT", path).header("if-match", stored.etag.condition());
        let request = request.body(MEDIA_TYPE, data.clone());
        Some(Write { request, path: path.clone(), data: Some(data), creates: false, operations: applied })
    }

    /// Does one operation to what was read.
    fn apply(
        &mut self,
        calendar: &mut Calendar<'_>,
        stored: &Stored,
        position: usize,
        id: &RemoteId,
    ) -> Result<Applied, Failure> {
        let batch = self.batch;
        let operation = batch.get(position).ok_or(Failure::Gone)?;
        let (_, etag) = reference(operation).ok_or(Failure::Gone)?;
        if !Etag::parse(etag).is_some_and(|etag| etag.agrees_with(&stored.etag)) {
            return Err(Failure::Conflict);
        }
        let left_alone = |why| Failure::Permanent(format!("the object cannot be read, so it is left as it is: {why}"));
        let uid = self.reader.uid(stored).map_err(left_alone)?;
        let key = Key { kind: self.reader.kind, uid: &uid, original_start: id.original_start };
        let item = self.reader.item(&id.path, stored, id.original_start).map_err(left_alone)?.ok_or(Failure::Gone)?;
        let viewer = &self.reader.viewer;
        let mut deletes = false;
        match operation {
            Operation::Update(update) => {
                if update.fields != Fields::empty() {
                    self.spare_attendees(&item)?;
                }
                let entry = entry(&update.content)?;
                let change = Change { entry, fields: update.fields, our_id: update.our_id.as_deref() };
                calendar.update(&key, &change, viewer, self.now)?;
            }
            Operation::Delete(_) => {
                self.spare_attendees(&item)?;
                deletes = true;
                if id.original_start.is_some() {
                    calendar.delete(&key, viewer, self.now)?;
                }
            }
            Operation::Disown(_) => calendar.disown(&key, viewer)?,
            Operation::Create(_) => return Err(Failure::Gone),
        }
        Ok(Applied { position, original_start: id.original_start, deletes })
    }

    /// No operation may send mail: a server that schedules by itself (RFC 6638) tells the attendees of every change.
    fn spare_attendees(&mut self, item: &Item) -> Result<(), Failure> {
        if !item.has_attendees {
            return Ok(());
        }
        let (client, calendar) = (self.client, self.calendar);
        let asked = self.sends_mail.get_or_insert_with(|| {
            let response = client.ask(client.request("OPTIONS", calendar))?;
            let mut features = response.headers.iter().filter(|(name, _)| name == "dav");
            Ok(features.any(|(_, value)| value.split(',').any(|feature| feature.trim() == "calendar-auto-schedule")))
        });
        match asked {
            Ok(false) => Ok(()),
            Ok(true) => Err(Failure::Permanent(
                "other people take part, and the server would send them mail: change it in the calendar itself"
                    .to_owned(),
            )),
            Err(failure) => Err(failure.clone()),
        }
    }

    /// Sends the requests side by side, and finds out what became of them.
    fn carry_out(&mut self, writes: &[Write]) {
        let requests: Vec<Request> = writes.iter().map(|write| write.request.clone()).collect();
        let mut known: BTreeMap<Path, Found> = BTreeMap::new();
        let mut unknown: Vec<&Path> = Vec::new();
        let mut written: Vec<&Write> = Vec::new();
        for (write, answer) in writes.iter().zip(self.client.ask_all(&requests)) {
            match answer {
                Ok(response) if response.is_success() => {
                    match (&write.data, Etag::of_write(&response)) {
                        (None, _) => {}
                        (Some(data), Some(etag)) => {
                            known.insert(write.path.clone(), Found::Stored(Stored { etag, data: data.clone() }));
                        }
                        (Some(_), None) => unknown.push(&write.path),
                    }
                    written.push(write);
                }
                Ok(response) => self.fail_all(write, &refused(&response, write.creates)),
                Err(failure) => self.fail_all(write, &failure::unanswered(&failure)),
            }
        }
        known.extend(self.read(unknown.into_iter()));
        for write in written {
            for applied in &write.operations {
                let outcome = self.outcome(&write.path, known.get(&write.path), *applied);
                if let Some(slot) = self.outcomes.get_mut(applied.position) {
                    *slot = Some(outcome);
                }
            }
        }
    }

    fn fail_all(&mut self, write: &Write, failure: &Failure) {
        write.operations.iter().for_each(|applied| self.fail(applied.position, failure.clone()));
    }

    /// What was written, as the server has it.
    fn outcome(&self, path: &Path, found: Option<&Found>, applied: Applied) -> Outcome {
        if applied.deletes {
            return Outcome::Done(None);
        }
        let read_back = match found {
            Some(Found::Stored(stored)) => self.reader.item(path, stored, applied.original_start),
            Some(Found::Unsaid(failure)) => Err(why(failure.clone())),
            Some(Found::Gone) | None => Ok(None),
        };
        match read_back {
            Ok(Some(item)) => Outcome::Done(Some(item)),
            Ok(None) => Outcome::Failed(Failure::Transient("it was written, but is no longer there".to_owned())),
            Err(why) => Outcome::Failed(Failure::Transient(format!("it was written, but cannot be read back: {why}"))),
        }
    }
}

/// The remote id and the tag that an operation names; none of a creation.
fn reference(operation: &Operation) -> Option<(&str, &str)> {
    match operation {
        Operation::Create(_) => None,
        Operation::Update(update) => Some((&update.remote_id, &update.etag)),
        Operation::Delete(reference) | Operation::Disown(reference) => Some((&reference.remote_id, &reference.etag)),
    }
}

fn entry(content: &Content) -> Result<&Entry, Failure> {
    match content {
        Content::Entry(entry) => Ok(entry),
        Content::Contact(_) => Err(Failure::Permanent("CalDAV has no contacts".to_owned())),
    }
}

/// What it means that a server did not write.
fn refused(response: &Response, creates: bool) -> Failure {
    if matches!(response.status, 403 | 409 | 412) {
        // A condition of CalDAV that does not hold (RFC 4791 5.3.2.1) is about the object, whatever the status.
        if failure::names_condition(response, Vocabulary::CalDav, "no-uid-conflict") {
            return Failure::Conflict;
        }
        if let Some(words) = failure::failed_condition(response) {
            return Failure::Permanent(words);
        }
    }
    match response.status {
        // There is no calendar to create it in (RFC 4918 9.7.1).
        409 if creates => Failure::Gone,
        _ => failure::answered(response, Intent::Write),
    }
}
