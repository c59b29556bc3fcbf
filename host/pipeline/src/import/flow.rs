//! The flow of pages: one reader, some workers, one writer, with short queues between them, so that memory stays flat
//! however long the feed is. Pages are stored in the order of the source.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use apptsync_model::{Application, ChangedSince, JobId, Ledger, Message, Severity, SourceItem};
use apptsync_runtime::{Collection, Source};
use apptsync_store::{CursorWrite, PageWrite, Store, TransferKey};

use super::page::{Input, Output, Work};
use super::protocol::Protocol;
use crate::{Control, ImportError};

/// Records of a page.
const PAGE: usize = 1_024;
/// Pages that may wait between two stations.
const QUEUE: usize = 2;
/// Workers at most.
const MAX_WORKERS: usize = 4;

/// One part of a run: a collection of a source on its way into the store.
pub(super) struct Flow<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) from: Origin<'a>,
    pub(super) part: Application,
    pub(super) stage_set: i64,
}

/// Where the objects come from; shared with the reader's thread.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) source: &'a Source,
    pub(super) control: &'a Control<'a>,
    /// The job was canceled in the store: this run ends, and whoever controls it goes on.
    pub(super) canceled: &'a AtomicBool,
    pub(super) channel: &'a str,
    pub(super) collection: Collection,
    pub(super) job: JobId,
    pub(super) changed_since: ChangedSince,
}

/// What a reader hands its pages to; false when nobody wants more.
type Sink<'a> = &'a mut dyn FnMut(Input) -> bool;

impl Origin<'_> {
    fn key(&self) -> TransferKey<'_> {
        TransferKey { channel: self.channel, collection: self.collection.name() }
    }

    fn is_canceled(&self) -> bool {
        self.control.cancel.load(Ordering::Relaxed) || self.canceled.load(Ordering::Relaxed)
    }

    fn read_source(&self, cursor: Option<&str>, send: Sink<'_>) -> Result<(), ImportError> {
        let cursor = if self.changed_since == ChangedSince::LastTransfer { cursor } else { None };
        let mut reader = self.source.open(self.collection, self.channel, cursor)?;
        while !self.is_canceled() {
            let Some(page) = reader.next(PAGE)? else { break };
            if !send(Input::Source { items: page.items, next: page.next, notices: page.notices, job: self.job }) {
                break;
            }
        }
        Ok(())
    }

    fn read_pending(&self, send: Sink<'_>, connection: &dyn Store) -> Result<(), ImportError> {
        let mut after = 0;
        while !self.is_canceled() {
            let pending = connection.pending(&self.key(), self.job, after, PAGE)?;
            let Some(last) = pending.last() else { break };
            after = last.known.transfer;
            if !send(Input::Pending(pending)) {
                break;
            }
        }
        Ok(())
    }
}

/// Numbered pages between two stations.
type Numbered<T> = (u64, T);

/// How far the writer is, for a reader that must wait for it.
#[derive(Default)]
struct Stored {
    pages: Mutex<u64>,
    advanced: Condvar,
}

impl Stored {
    fn set(&self, pages: u64) {
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = pages;
        self.advanced.notify_all();
    }

    /// Waits until so many pages are stored, or the run ends.
    fn wait_for(&self, pages: u64, ends: &AtomicBool) {
        let mut stored = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        while *stored < pages && !ends.load(Ordering::Relaxed) {
            stored = self.advanced.wait(stored).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Flow<'_> {
    /// Brings everything in and gives the counts.
    pub(super) fn run(&self, work: &dyn Work, protocol: &mut Protocol) -> Result<Ledger, ImportError> {
        let mut ledger = Ledger::default();
        let from = self.from;
        let cursor = self.store.cursor(&from.key(), from.source.plugin().name())?;
        self.pages(work, protocol, &mut ledger, &|send, _| from.read_source(cursor.as_deref(), send))?;
        protocol.say_repeated(from.source.plugin().name());
        // What earlier runs did not import comes after the source: a newer version there replaces the one kept.
        if from.changed_since == ChangedSince::LastTransfer {
            self.pages(work, protocol, &mut ledger, &|send, connection| from.read_pending(send, connection))?;
        }
        Ok(ledger)
    }

    /// Sends pages through reader, workers and writer. The first error ends it; what was stored stays.
    fn pages(
        &self,
        work: &dyn Work,
        protocol: &mut Protocol,
        ledger: &mut Ledger,
        read: &(dyn Fn(Sink<'_>, &dyn Store) -> Result<(), ImportError> + Sync),
    ) -> Result<(), ImportError> {
        let workers =
            thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).clamp(1, MAX_WORKERS));
        let ends = AtomicBool::new(false);
        let stored = Stored::default();
        let (to_workers, from_reader) = sync_channel::<Numbered<Input>>(QUEUE);
        let (to_writer, from_workers) = sync_channel::<Numbered<Result<Output, ImportError>>>(QUEUE);
        let from_reader = Mutex::new(from_reader);
        let reader_connection = self.store.another()?;
        let mut connections = Vec::new();
        for _ in 0..workers {
            connections.push(self.store.another()?);
        }
        thread::scope(|scope| {
            let (ends, stored, from_reader) = (&ends, &stored, &from_reader);
            let reader_to_writer = to_writer.clone();
            spawn(scope, "reader", move || {
                let mut gate = Gate::new(stored, ends);
                let mut number = 0;
                let mut send = |input: Input| {
                    gate.wait(number, &input);
                    let sent = !ends.load(Ordering::Relaxed) && to_workers.send((number, input)).is_ok();
                    number += 1;
                    sent
                };
                if let Err(error) = read(&mut send, &*reader_connection) {
                    // Numbered behind the last page, so that all before it are stored first. Nobody listens any more when
                    // the run has ended.
                    let _ = reader_to_writer.send((number, Err(error)));
                }
            })?;
            for connection in connections {
                let to_writer = to_writer.clone();
                spawn(scope, "worker", move || work_on(work, &*connection, from_reader, &to_writer))?;
            }
            drop(to_writer);
            let result = self.write(from_workers, protocol, ledger, stored);
            ends.store(true, Ordering::Relaxed);
            stored.set(u64::MAX);
            // What still stands in the queue is taken out, so that nobody waits for a place in it.
            let receiver = from_reader.lock().unwrap_or_else(PoisonError::into_inner);
            while receiver.try_recv().is_ok() {}
            drop(receiver);
            result
        })
    }

    /// Stores pages in order as they come.
    fn write(
        &self,
        from_workers: Receiver<Numbered<Result<Output, ImportError>>>,
        protocol: &mut Protocol,
        ledger: &mut Ledger,
        stored: &Stored,
    ) -> Result<(), ImportError> {
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (number, output) in from_workers {
            waiting.insert(number, output);
            while let Some(output) = waiting.remove(&next) {
                self.store_output(output?, protocol, ledger)?;
                next += 1;
                stored.set(next);
            }
        }
        Ok(())
    }

    fn store_output(&self, output: Output, protocol: &mut Protocol, ledger: &mut Ledger) -> Result<(), ImportError> {
        protocol.source_items += output.source_items;
        protocol.source_broken += output.source_broken;
        for notice in &output.notices {
            protocol.say(Severity::Info, notice.clone());
        }
        for Message { severity, text } in output.lines {
            protocol.say_about_record(severity, text);
        }
        protocol.repeated(output.repeated);
        for employee in &output.not_eligible {
            protocol.not_eligible(employee);
        }
        // A manual run looks at a part of the source only: the cursor stays where it is.
        let next = output.next.as_deref().filter(|_| !matches!(self.from.changed_since, ChangedSince::Manual(_)));
        if output.entered > 0 || next.is_some() {
            let page = PageWrite {
                job: self.from.job,
                application: self.part,
                key: self.from.key(),
                stage_set: self.stage_set,
                entered: output.entered,
                settled: &output.settled,
                records: &output.records,
                quarantined: &output.quarantined,
                cursor: next.map(|value| CursorWrite { source: self.from.source.plugin().name(), value }),
            };
            self.store.store_page(&page, ledger)?;
            tracing::debug!(run = self.from.job, records = output.entered, read = ledger.read, "page is stored");
            self.from.control.progress.advance(self.part, ledger);
            if self.store.is_cancel_requested(self.from.job)? {
                self.from.canceled.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// Starts a thread that profilers and debuggers show by its name.
fn spawn<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), ImportError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work);
    spawned.map(|_| ()).map_err(|error| ImportError::Thread(error.to_string()))
}

fn work_on(
    work: &dyn Work,
    connection: &dyn Store,
    from_reader: &Mutex<Receiver<Numbered<Input>>>,
    to_writer: &SyncSender<Numbered<Result<Output, ImportError>>>,
) {
    loop {
        let received = from_reader.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, input)) = received else { return };
        if to_writer.send((number, work.answer(input, connection))).is_err() {
            return;
        }
    }
}

/// Holds back a page with an object that a page not yet stored has too: a worker would look up a state that is about to
/// change.
struct Gate<'a> {
    stored: &'a Stored,
    ends: &'a AtomicBool,
    under_way: VecDeque<(u64, HashSet<u64>)>,
}

impl<'a> Gate<'a> {
    fn new(stored: &'a Stored, ends: &'a AtomicBool) -> Self {
        Self { stored, ends, under_way: VecDeque::new() }
    }

    fn wait(&mut self, number: u64, input: &Input) {
        let done = *self.stored.pages.lock().unwrap_or_else(PoisonError::into_inner);
        self.under_way.retain(|(page, _)| *page >= done);
        // Pending objects are handed out once each.
        let Input::Source { items, .. } = input else { return };
        let keys: HashSet<u64> = items.iter().filter_map(key).collect();
        let shared = self.under_way.iter().rev().find(|(_, others)| !others.is_disjoint(&keys)).map(|(page, _)| *page);
        if let Some(page) = shared {
            self.stored.wait_for(page + 1, self.ends);
        }
        self.under_way.push_back((number, keys));
    }
}

fn key(item: &SourceItem) -> Option<u64> {
    let id = match item {
        SourceItem::Appointment(appointment) => &appointment.id,
        SourceItem::Customer(customer) => &customer.id,
        SourceItem::Broken { .. } => return None,
    };
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    Some(hasher.finish())
}
