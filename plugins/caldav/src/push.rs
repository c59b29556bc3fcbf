//! Writing: each object by one request, under the condition that it is as the host knows it.
//!
//! What several operations do to the occurrences of one series goes into one request. Everything that is changed is read
//! first, all of a batch at once, so that only what is ours to write changes.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use apptsync_calendar::{Calendar, Change, Key};
use apptsync_plugin::connector::{Content, Create, Entry, Fields, Operation, Outcome};
use apptsync_plugin::http::{Request, Response};
use apptsync_plugin::types::{Failure, Instant};

use crate::address::Path;
use crate::client::Client;
use crate::discovery;
use crate::etag::Etag;
use crate::failure::{self, Intent};
use crate::items::RemoteId;
use crate::multistatus::Resource;
use crate::objects::{self, Found, Stored};
use crate::query;
use crate::reading::Reader;
use crate::sheet::why;
use crate::written::Written;
use crate::xml::Vocabulary;

const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";

/// A batch under way.
struct Push<'a> {
    client: &'a Client<'a>,
    reader: &'a Reader,
    calendar: &'a Path,
    batch: &'a [Operation],
    outcomes: Vec<Option<Outcome>>,
    /// To whom the server would not send mail by itself; asked once, when it matters.
    spared: Option<Result<Spared, Failure>>,
    now: Instant,
}

/// Who may take part in what is changed.
enum Spared {
    /// The server sends no mail.
    Everybody,
    /// It does; only the mailbox's owner gets none, under these addresses.
    Owner(Vec<String>),
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
///
/// # Errors
///
/// The server refuses all there is to be written, for a reason that holds for the whole calendar. Nothing was written then.
pub(crate) fn push(
    client: &Client<'_>,
    reader: &Reader,
    calendar: &Path,
    batch: &[Operation],
) -> Result<Vec<Outcome>, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut push = Push {
        client,
        reader,
        calendar,
        batch,
        outcomes: batch.iter().map(|_| None).collect(),
        spared: None,
        now: Instant::try_from(now).unwrap_or_default(),
    };
    let mut writes = push.creations();
    writes.extend(push.changes());
    push.carry_out(&writes)?;
    let unanswered = || Outcome::Failed(Failure::Permanent("the operation is not known".to_owned()));
    Ok(push.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unanswered)).collect())
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
        let (our_id, writer) = (&create.our_id, &create.writer);
        calendar.create(&key, our_id, writer, entry(&create.content)?, &self.reader.viewer, self.now)?;
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
        if calendar.objects().next().is_none() {
            // The last occurrence went: servers take no object without one.
            let request = self.client.request("DELETE", path).header("if-match", stored.etag.condition());
            return Some(Write { request, path: path.clone(), data: None, creates: false, operations: applied });
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
        if !stored.is_version(etag) {
            return Err(Failure::Conflict);
        }
        let left_alone = |why| Failure::Permanent(format!("the object cannot be read, so it is left as it is: {why}"));
        let uid = self.reader.uid(stored).map_err(left_alone)?;
        let key = Key { kind: self.reader.kind, uid: &uid, original_start: id.original_start };
        self.reader.item(&id.path, stored, id.original_start).map_err(left_alone)?.ok_or(Failure::Gone)?;
        let viewer = &self.reader.viewer;
        let mut deletes = false;
        match operation {
            Operation::Update(update) => {
                if update.fields != Fields::empty() {
                    self.spare_attendees(stored)?;
                }
                let entry = entry(&update.content)?;
                let (our_id, writer) = (update.our_id.as_deref(), &update.writer);
                let change = Change { entry, fields: update.fields, our_id, writer };
                calendar.update(&key, &change, viewer, self.now)?;
            }
            Operation::Delete(_) => {
                self.spare_attendees(stored)?;
                deletes = true;
                if id.original_start.is_some() {
                    calendar.delete(&key, viewer, self.now)?;
                }
            }
            Operation::Disown(_) => calendar.disown(&key, viewer)?,
            Operation::Mark(mark) => {
                self.spare_attendees(stored)?;
                calendar.mark(&key, mark.locked, viewer, self.now)?;
            }
            Operation::Create(_) => return Err(Failure::Gone),
        }
        Ok(Applied { position, original_start: id.original_start, deletes })
    }

    /// No operation may send mail: a server that schedules by itself (RFC 6638) tells attendees and organizers of every
    /// change.
    fn spare_attendees(&mut self, stored: &Stored) -> Result<(), Failure> {
        let people = self.reader.people(stored).map_err(Failure::Permanent)?;
        if people.is_empty() {
            return Ok(());
        }
        if self.spared.is_none() {
            self.spared = Some(self.who_is_spared());
        }
        let is_owner = |owner: &[String], address: &String| owner.iter().any(|own| own.eq_ignore_ascii_case(address));
        match &self.spared {
            Some(Ok(Spared::Everybody)) => Ok(()),
            Some(Ok(Spared::Owner(own))) if people.iter().all(|address| is_owner(own, address)) => Ok(()),
            Some(Err(failure)) => Err(failure.clone()),
            _ => Err(Failure::Permanent(
                "other people take part, and the server would send them mail: change it in the calendar itself"
                    .to_owned(),
            )),
        }
    }

    /// # Errors
    ///
    /// The server does not say.
    fn who_is_spared(&self) -> Result<Spared, Failure> {
        let (client, calendar) = (self.client, self.calendar);
        let response = client.ask(client.request("OPTIONS", calendar))?;
        if matches!(response.status, 401 | 408 | 429 | 500..=599) {
            return Err(failure::answered(&response, Intent::Read));
        }
        let features: Vec<&str> =
            response.headers.iter().filter(|(name, _)| name == "dav").flat_map(|(_, value)| value.split(',')).collect();
        if !response.is_success() || features.is_empty() {
            let why = "other people take part, and the server does not say whether it would send them mail";
            return Err(Failure::Permanent(why.to_owned()));
        }
        if !features.iter().any(|feature| feature.trim() == "calendar-auto-schedule") {
            return Ok(Spared::Everybody);
        }
        Ok(Spared::Owner(self.addresses()))
    }

    /// Under which addresses the mailbox's owner is invited (RFC 6638 2.4.1); its own, where the server does not say.
    fn addresses(&self) -> Vec<String> {
        let mut own = vec![self.reader.viewer.mailbox.clone()];
        let address = self.client.address.at(self.calendar);
        let principal = self.rights().ok().flatten().and_then(|rights| {
            let reference = rights.references(Vocabulary::Dav, "current-user-principal").into_iter().next()?;
            address.resolve(reference).ok().map(Path::collection)
        });
        let Some(principal) = principal else { return own };
        let response = self.client.ask(self.client.propfind(&principal, "0", query::addresses()));
        if let Ok(answer) = response.and_then(|response| self.client.multistatus(&response, &principal)) {
            let sets =
                answer.resources.iter().map(|own| own.references(Vocabulary::CalDav, "calendar-user-address-set"));
            let mail = sets.flatten().filter_map(|address| address.get(..7).zip(address.get(7..)));
            let mail = mail.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto:"));
            own.extend(mail.map(|(_, address)| address.to_owned()));
        }
        own
    }

    /// What the server says of the calendar's rights; none where it says nothing.
    fn rights(&self) -> Result<Option<Resource>, Failure> {
        let response = self.client.ask(self.client.propfind(self.calendar, "0", query::rights()))?;
        let answer = self.client.multistatus(&response, self.calendar)?;
        Ok(answer.resources.into_iter().find(|resource| resource.path.clone().collection() == *self.calendar))
    }

    /// Sends the requests side by side, and finds out what became of them.
    ///
    /// # Errors
    ///
    /// All were refused, for a reason that holds for the whole calendar.
    fn carry_out(&mut self, writes: &[Write]) -> Result<(), Failure> {
        let requests: Vec<Request> = writes.iter().map(|write| write.request.clone()).collect();
        let mut known: BTreeMap<Path, Found> = BTreeMap::new();
        let mut unknown: Vec<&Path> = Vec::new();
        let mut written: Vec<&Write> = Vec::new();
        let mut refusals: Vec<(&Write, Response)> = Vec::new();
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
                Ok(response) => refusals.push((write, response)),
                Err(failure) => self.fail_all(write, &failure::unanswered(&failure)),
            }
        }
        if !refusals.is_empty() && refusals.len() == writes.len() {
            self.refuse_all(&refusals)?;
        }
        for (write, response) in refusals {
            self.fail_all(write, &refused(&response, write.creates));
        }
        let single = known.iter().filter_map(|(path, found)| match found {
            Found::Stored(stored) if self.reader.is_single(stored) => Some((path, &stored.etag)),
            _ => None,
        });
        Written::keep(self.client.host, self.calendar, self.reader.kind, &single.collect::<Vec<_>>());
        known.extend(self.read(unknown.into_iter()));
        for write in written {
            for applied in &write.operations {
                let outcome = self.outcome(&write.path, known.get(&write.path), *applied);
                if let Some(slot) = self.outcomes.get_mut(applied.position) {
                    *slot = Some(outcome);
                }
            }
        }
        Ok(())
    }

    /// Nothing was written. Finds out whether that is the calendar's fault, and not that of single objects.
    fn refuse_all(&self, refusals: &[(&Write, Response)]) -> Result<(), Failure> {
        let responses = || refusals.iter().map(|(_, response)| response);
        if responses().all(|response| response.status < 500 || response.status == 507)
            && let Some(response) = responses().find(|response| response.status == 507)
        {
            return Err(failure::no_room(response));
        }
        if responses().all(|response| response.status == 403 && failure::failed_condition(response).is_none())
            && let Some((_, response)) = refusals.first()
        {
            // One object may be guarded in a calendar that is not; a calendar that is refuses them all.
            let is_writable = self.rights().map(|rights| {
                rights.filter(|rights| rights.property(Vocabulary::Dav, "current-user-privilege-set").is_some())
            });
            match is_writable {
                Ok(Some(rights)) if discovery::is_writable(&rights) => {}
                Ok(None) if refusals.len() == 1 => {}
                _ => return Err(failure::answered(response, Intent::Write)),
            }
        }
        Ok(())
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
        Operation::Mark(mark) => Some((&mark.remote_id, &mark.etag)),
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
        403 => failure::refused_object(response),
        _ => failure::answered(response, Intent::Write),
    }
}
