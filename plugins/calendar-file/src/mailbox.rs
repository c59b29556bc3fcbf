//! What is asked of a connector, answered from the file of a mailbox.

use std::hash::Hasher;
use std::path::{Path, PathBuf};

use apptsync_calendar::{Calendar, Change, Effort, Key, Object, Place, Viewer, WriteError, size, split_occurrence_id};
use apptsync_plugin::connector::{
    Account, Change as Seen, Collection, Connection, Content, Entry, Item, Kind, Operation, Outcome, Page, Window,
};
use apptsync_plugin::types::{Failure, Instant};
use xxhash_rust::xxh64::Xxh64;

use crate::file::CalendarFile;

/// Changes on a page, as the contract limits them.
const PAGE: usize = 1_024;
/// Items on a page: a series has up to 1,000, and the contract allows 4,096.
const ITEMS: usize = 3_000;
/// Bytes of a page: together with the largest series below the 16 MiB of the contract.
const BYTES: usize = 4 << 20;

/// One mailbox.
#[derive(Debug)]
pub struct Mailbox {
    file: CalendarFile,
    folder: PathBuf,
    viewer: Viewer,
    now: Instant,
}

/// The id of the collection of a kind; the file holds both.
fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::Appointment => "calendar",
        Kind::Task => "tasks",
        Kind::Contact => "contacts",
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut hasher = Xxh64::default();
    hasher.write(bytes);
    format!("{:016x}-{:x}", hasher.finish(), bytes.len())
}

impl Mailbox {
    /// The mailbox of an account in a folder; what is written bears this instant.
    ///
    /// # Errors
    ///
    /// The account's zone is unknown, or no file can be named after the mailbox.
    pub fn new(folder: PathBuf, account: &Account, now: Instant) -> Result<Self, Failure> {
        let viewer = Viewer::of(account).map_err(Failure::Permanent)?;
        Ok(Self { file: CalendarFile::of(&folder, &account.mailbox)?, folder, viewer, now })
    }

    /// A calendar and a task list, both in the one file.
    ///
    /// # Errors
    ///
    /// The file is there and is no calendar, or cannot be read.
    pub fn probe(&self) -> Result<Connection, Failure> {
        self.file.parse(&self.file.read()?)?;
        let collection = |kind, name: &str| Collection {
            id: collection(kind).to_owned(),
            name: name.to_owned(),
            kind,
            writable: true,
            is_default: true,
        };
        Ok(Connection {
            server: format!("the folder {}", Path::new(&self.folder).display()),
            reads_own_writes: true,
            collections: vec![collection(Kind::Appointment, "Calendar"), collection(Kind::Task, "Tasks")],
        })
    }

    /// Everything in the window, page by page, every time: a file that is again as it was at the last pull may have held more
    /// in between.
    ///
    /// # Errors
    ///
    /// The file is no calendar, cannot be read, or was saved between two pages; `gone` for a cursor of somebody else.
    pub fn pull(&self, kind: Kind, window: &Window, cursor: Option<&str>) -> Result<Page, Failure> {
        let bytes = self.file.read()?;
        let digest = digest(&bytes);
        let start = match cursor.map(|cursor| cursor.split_once('+').unwrap_or((cursor, ""))) {
            None => 0,
            Some((_, "")) => 0,
            Some((known, offset)) => match offset.parse::<usize>() {
                Ok(offset) if known == digest => offset,
                Ok(_) => return Err(Failure::Transient("the file was saved while it was read".to_owned())),
                Err(_) => return Err(Failure::Gone),
            },
        };
        let calendar = self.file.parse(&bytes)?;
        let mut effort = Effort::default();
        let (mut changes, mut items, mut bytes_given, mut read) = (Vec::new(), 0, 0, start);
        let mut objects = calendar.objects().filter(|object| object.kind() == kind).skip(start);
        loop {
            if changes.len() >= PAGE || items >= ITEMS || bytes_given >= BYTES || effort.is_spent() {
                let next = format!("{digest}+{read}");
                return Ok(Page { changes, next, done: false, full: true });
            }
            let Some(object) = objects.next() else { break };
            read += 1;
            let etag = object.digest();
            match object.change(window, &self.place(&object, &etag), &self.viewer, &mut effort) {
                Ok(Some(change)) => {
                    let given = match &change {
                        Seen::Series(series) => series.occurrences.as_slice(),
                        Seen::Present(item) => std::slice::from_ref(item),
                        Seen::Known(_) | Seen::Removed(_) => &[],
                    };
                    items += given.len();
                    bytes_given += given.iter().map(size).sum::<usize>();
                    changes.push(change);
                }
                Ok(None) => {}
                // It is there, but what it says cannot be read: it is neither taken over nor taken for deleted.
                Err(why) => warn(object.uid(), &why.to_string()),
            }
        }
        Ok(Page { changes, next: digest, done: true, full: true })
    }

    fn place<'a>(&self, object: &Object<'a>, etag: &'a str) -> Place<'a> {
        Place { remote_id: object.uid(), etag, collection: collection(object.kind()) }
    }

    /// Items by their ids.
    ///
    /// # Errors
    ///
    /// The file is no calendar, or cannot be read.
    pub fn fetch(&self, kind: Kind, ids: &[String]) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        let bytes = self.file.read()?;
        let calendar = self.file.parse(&bytes)?;
        Ok(ids.iter().map(|id| self.one(&calendar, kind, id)).collect())
    }

    fn one(&self, calendar: &Calendar<'_>, kind: Kind, id: &str) -> Result<Option<Item>, Failure> {
        let unreadable = |why: apptsync_calendar::Unreadable| Failure::Permanent(format!("it cannot be read: {why}"));
        let (uid, original_start) = address(calendar, kind, id);
        let Some(object) = calendar.object(kind, uid) else {
            if calendar.has_unidentified() {
                let why = "a part of the file cannot be read: whether it is this item is not known";
                return Err(Failure::Transient(why.to_owned()));
            }
            return Ok(None);
        };
        let etag = object.digest();
        let place = self.place(&object, &etag);
        match original_start {
            Some(start) => object.occurrence(start, &place, &self.viewer),
            None => object.item(&place, &self.viewer),
        }
        .map_err(unreadable)
    }

    /// The items that carry our ids.
    ///
    /// # Errors
    ///
    /// The file is no calendar, cannot be read, or a broken part of it carries one of the ids.
    pub fn find(&self, kind: Kind, our_ids: &[String]) -> Result<Vec<Vec<Item>>, Failure> {
        let bytes = self.file.read()?;
        let calendar = self.file.parse(&bytes)?;
        // That nothing carries an id is only said where all that might is read: what is not found is made again.
        let unreadable = || {
            let why = "a part of the file that carries our key cannot be read: put the file right";
            Failure::Transient(why.to_owned())
        };
        let find = |our_id: &String| {
            if calendar.unidentified_carries(our_id) {
                return Err(unreadable());
            }
            let mut found = Vec::new();
            for object in calendar.carrying(kind, our_id) {
                let etag = object.digest();
                let items = object.carrying(our_id, &self.place(&object, &etag), &self.viewer);
                found.extend(items.map_err(|_| unreadable())?);
            }
            Ok(found)
        };
        our_ids.iter().map(find).collect()
    }

    /// Writes all that can be written, in one replacement of the file.
    ///
    /// # Errors
    ///
    /// The file is no calendar, cannot be read or written, or was saved by another program meanwhile: then nothing was
    /// written.
    pub fn push(&self, kind: Kind, batch: &[Operation]) -> Result<Vec<Outcome>, Failure> {
        let bytes = self.file.read()?;
        let mut calendar = self.file.parse(&bytes)?;
        let before: Vec<_> = batch.iter().map(|operation| self.etag_of(&calendar, kind, operation)).collect();
        let mut results = Vec::with_capacity(batch.len());
        for (operation, etag) in batch.iter().zip(before) {
            results.push(self.write(&mut calendar, kind, operation, etag));
        }
        if results.iter().any(Result::is_ok) {
            let written = calendar.to_bytes();
            if written != bytes {
                // What could not be read again is not written.
                self.file.parse(&written)?;
                self.file.replace(&bytes, &written)?;
            }
        }
        let outcome = |result: Result<Option<String>, Failure>| match result {
            Err(failure) => Outcome::Failed(failure),
            Ok(None) => Outcome::Done(None),
            Ok(Some(id)) => match self.one(&calendar, kind, &id) {
                Ok(item) => Outcome::Done(item),
                Err(failure) => Outcome::Failed(failure),
            },
        };
        Ok(results.into_iter().map(outcome).collect())
    }

    /// The etag of what an operation is about, before the batch changes anything: two occurrences of one series share it.
    fn etag_of(&self, calendar: &Calendar<'_>, kind: Kind, operation: &Operation) -> Option<String> {
        let id = match operation {
            Operation::Create(_) => return None,
            Operation::Update(update) => &update.remote_id,
            Operation::Delete(reference) | Operation::Disown(reference) => &reference.remote_id,
            Operation::Mark(mark) => &mark.remote_id,
        };
        let (uid, _) = address(calendar, kind, id);
        calendar.object(kind, uid).map(|object| object.digest())
    }

    /// One operation; the id of the item afterwards, none when it is gone.
    fn write(
        &self,
        calendar: &mut Calendar<'_>,
        kind: Kind,
        operation: &Operation,
        etag: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let (id, wanted) = match operation {
            Operation::Create(create) => {
                let key = Key { kind, uid: &create.key, original_start: None };
                calendar.create(
                    &key,
                    &create.our_id,
                    &create.writer,
                    entry(&create.content)?,
                    &self.viewer,
                    self.now,
                )?;
                return Ok(Some(create.key.clone()));
            }
            Operation::Update(update) => (&update.remote_id, &update.etag),
            Operation::Delete(reference) | Operation::Disown(reference) => (&reference.remote_id, &reference.etag),
            Operation::Mark(mark) => (&mark.remote_id, &mark.etag),
        };
        match etag {
            None => return Err(Failure::Gone),
            Some(found) if found != *wanted => return Err(Failure::Conflict),
            Some(_) => {}
        }
        let (uid, original_start) = address(calendar, kind, id);
        let uid = uid.to_owned();
        let key = Key { kind, uid: &uid, original_start };
        let written: Result<(), WriteError> = match operation {
            Operation::Update(update) => {
                let entry = entry(&update.content)?;
                let (our_id, writer) = (update.our_id.as_deref(), &update.writer);
                let change = Change { entry, fields: update.fields, our_id, writer };
                calendar.update(&key, &change, &self.viewer, self.now)
            }
            Operation::Delete(_) => calendar.delete(&key, &self.viewer, self.now),
            Operation::Mark(mark) => calendar.mark(&key, mark.locked, &self.viewer, self.now),
            _ => calendar.disown(&key, &self.viewer),
        };
        written?;
        Ok((!matches!(operation, Operation::Delete(_))).then(|| id.clone()))
    }
}

/// The object and, of a series, the occurrence that an id names. A UID that looks like the id of an occurrence is a UID.
fn address<'a>(calendar: &Calendar<'_>, kind: Kind, id: &'a str) -> (&'a str, Option<Instant>) {
    if calendar.object(kind, id).is_some() {
        return (id, None);
    }
    match split_occurrence_id(id) {
        Some((uid, start)) => (uid, Some(start)),
        None => (id, None),
    }
}

fn entry(content: &Content) -> Result<&Entry, Failure> {
    match content {
        Content::Entry(entry) => Ok(entry),
        Content::Contact(_) => Err(Failure::Permanent("a calendar file has no contacts".to_owned())),
    }
}

/// For the operator; a native build has no log.
fn warn(about: &str, why: &str) {
    #[cfg(target_family = "wasm")]
    apptsync_plugin::log::warn(about, why);
    #[cfg(not(target_family = "wasm"))]
    let _ = (about, why);
}
