//! State of plugins: keys and values that last from run to run, a name space for each connector.
//!
//! A plugin sees one bucket of `wasi:keyvalue/store`. What it writes is there at once for itself; it is stored for good by
//! whoever gave the [`KeyValue`], together with what the run stores.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmtime::component::Resource;

use crate::bindings::wasi::keyvalue::store as wasi_keyvalue;
use crate::guest::GuestState;
use crate::limits;

/// The names of the one bucket.
const BUCKETS: [&str; 2] = ["", "default"];

/// The state of one plugin. Instances of the plugin use it side by side.
pub trait KeyValue: Send + Sync + fmt::Debug {
    /// The value of a key, if it has one.
    ///
    /// # Errors
    /// It cannot be read: why, in words for the plugin.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String>;

    /// Sets the value of a key.
    ///
    /// # Errors
    /// It cannot be written, or there is no room: why, in words for the plugin.
    fn set(&self, key: &str, value: Vec<u8>) -> Result<(), String>;

    /// Takes a key away, if it is there.
    ///
    /// # Errors
    /// It cannot be written: why, in words for the plugin.
    fn delete(&self, key: &str) -> Result<(), String>;

    /// Whether a key has a value.
    ///
    /// # Errors
    /// It cannot be read: why, in words for the plugin.
    fn exists(&self, key: &str) -> Result<bool, String>;

    /// All keys.
    ///
    /// # Errors
    /// They cannot be read: why, in words for the plugin.
    fn keys(&self) -> Result<Vec<String>, String>;

    /// From here on, what is written can be taken back.
    fn mark(&self);

    /// Takes back what was written since the last [`mark`](Self::mark).
    fn go_back(&self);
}

/// State held in memory, with quotas, that knows what was changed. Loaded from a store before a run and written back with
/// what the run stores: at most 10,000 keys and 16 MiB of keys and values.
#[derive(Default)]
pub struct MemoryState {
    /// What the keys begin with in the store, which tells the entries of one connector from those of another.
    prefix: String,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    values: BTreeMap<String, Vec<u8>>,
    /// Bytes of all keys and values.
    size: usize,
    /// By key what was written since the last look; none where the key was taken away.
    changes: BTreeMap<String, Option<Vec<u8>>>,
    /// Keys in the store that belong to another connector, and are of no use any more.
    foreign: Vec<String>,
    /// What was there before each write since the mark, in the order of the writes.
    undo: Vec<Before>,
}

/// A key before it was written: its value, and what was known as its change.
struct Before {
    key: String,
    value: Option<Vec<u8>>,
    change: Option<Option<Vec<u8>>>,
}

impl Entries {
    /// Writes one key, and remembers what was there.
    fn write(&mut self, key: &str, value: Option<Vec<u8>>) {
        let change = self.changes.insert(key.to_owned(), value.clone());
        let value = self.put(key, value);
        self.undo.push(Before { key: key.to_owned(), value, change });
    }

    /// Puts a value in place of another, which comes back.
    fn put(&mut self, key: &str, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        self.size += value.as_ref().map_or(0, |value| key.len() + value.len());
        let before = match value {
            Some(value) => self.values.insert(key.to_owned(), value),
            None => self.values.remove(key),
        };
        self.size -= before.as_ref().map_or(0, |before| key.len() + before.len());
        before
    }
}

impl MemoryState {
    /// State of a connector from the entries of a profile, none of them a change. Entries of another connector, which the
    /// profile had before, are not shown and are known as taken away.
    #[must_use]
    pub fn of(connector: &str, entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        // With its length, no name is the beginning of another one with its keys.
        let prefix = format!("{}:{connector}:", connector.len());
        let mut own = Entries::default();
        for (key, value) in entries {
            match key.strip_prefix(&prefix) {
                Some(key) => drop(own.put(key, Some(value))),
                None => own.foreign.push(key),
            }
        }
        Self { prefix, entries: Mutex::new(own) }
    }

    /// What was changed since the state was made or this was asked last, as it is stored: by key its value, or none where it
    /// was taken away.
    #[must_use]
    pub fn take_changes(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let mut entries = self.entries();
        entries.undo.clear();
        let foreign: Vec<_> = std::mem::take(&mut entries.foreign);
        let own = std::mem::take(&mut entries.changes).into_iter();
        let own = own.map(|(key, value)| (format!("{}{key}", self.prefix), value));
        foreign.into_iter().map(|key| (key, None)).chain(own).collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no content: it may be personal.
impl fmt::Debug for MemoryState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries();
        let (keys, bytes, changes) = (entries.values.len(), entries.size, entries.changes.len());
        write!(formatter, "MemoryState {{ keys: {keys}, bytes: {bytes}, changes: {changes} }}")
    }
}

impl KeyValue for MemoryState {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.entries().values.get(key).cloned())
    }

    fn set(&self, key: &str, value: Vec<u8>) -> Result<(), String> {
        let mut entries = self.entries();
        let before = entries.values.get(key).map(|old| key.len() + old.len());
        if before.is_none() && entries.values.len() >= limits::MAX_STATE_KEYS {
            return Err(format!("there are {} keys already, more are not kept", limits::MAX_STATE_KEYS));
        }
        let size = entries.size - before.unwrap_or(0) + key.len() + value.len();
        if size > limits::MAX_STATE {
            return Err(format!("keys and values would have more than {} MiB", limits::MAX_STATE >> 20));
        }
        entries.write(key, Some(value));
        Ok(())
    }

    fn delete(&self, key: &str) -> Result<(), String> {
        let mut entries = self.entries();
        if entries.values.contains_key(key) {
            entries.write(key, None);
        }
        Ok(())
    }

    fn exists(&self, key: &str) -> Result<bool, String> {
        Ok(self.entries().values.contains_key(key))
    }

    fn keys(&self) -> Result<Vec<String>, String> {
        Ok(self.entries().values.keys().cloned().collect())
    }

    fn mark(&self) {
        self.entries().undo.clear();
    }

    fn go_back(&self) {
        let mut entries = self.entries();
        while let Some(Before { key, value, change }) = entries.undo.pop() {
            entries.put(&key, value);
            match change {
                Some(change) => entries.changes.insert(key, change),
                None => entries.changes.remove(&key),
            };
        }
    }
}

/// A bucket that a guest has opened. There is one kind, so it holds nothing.
#[expect(unreachable_pub, reason = "the bindings re-export it")]
pub struct Bucket;

fn other(words: String) -> wasi_keyvalue::Error {
    wasi_keyvalue::Error::Other(words)
}

fn check_key(key: &str) -> Result<(), wasi_keyvalue::Error> {
    if key.is_empty() || key.len() > limits::MAX_STATE_KEY {
        return Err(other(format!("a key has 1 to {} bytes, not {}", limits::MAX_STATE_KEY, key.len())));
    }
    if key.contains(char::is_control) {
        return Err(other("a key has no control characters".into()));
    }
    Ok(())
}

impl GuestState {
    fn state(&self) -> Result<&dyn KeyValue, wasi_keyvalue::Error> {
        self.key_value.as_deref().ok_or(wasi_keyvalue::Error::AccessDenied)
    }

    fn state_at(&self, key: &str) -> Result<&dyn KeyValue, wasi_keyvalue::Error> {
        check_key(key)?;
        self.state()
    }
}

impl wasi_keyvalue::Host for GuestState {
    fn open(&mut self, identifier: String) -> wasmtime::Result<Result<Resource<Bucket>, wasi_keyvalue::Error>> {
        if !BUCKETS.contains(&identifier.as_str()) {
            return Ok(Err(wasi_keyvalue::Error::NoSuchStore));
        }
        if let Err(error) = self.state() {
            return Ok(Err(error));
        }
        Ok(Ok(self.table.push(Bucket)?))
    }
}

impl wasi_keyvalue::HostBucket for GuestState {
    fn get(
        &mut self,
        _: Resource<Bucket>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, wasi_keyvalue::Error>> {
        Ok(self.state_at(&key).and_then(|state| state.get(&key).map_err(other)))
    }

    fn set(
        &mut self,
        _: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), wasi_keyvalue::Error>> {
        if value.len() > limits::MAX_STATE_VALUE {
            let words = format!("a value has at most {} KiB, not {} bytes", limits::MAX_STATE_VALUE >> 10, value.len());
            return Ok(Err(other(words)));
        }
        Ok(self.state_at(&key).and_then(|state| state.set(&key, value).map_err(other)))
    }

    fn delete(&mut self, _: Resource<Bucket>, key: String) -> wasmtime::Result<Result<(), wasi_keyvalue::Error>> {
        Ok(self.state_at(&key).and_then(|state| state.delete(&key).map_err(other)))
    }

    fn exists(&mut self, _: Resource<Bucket>, key: String) -> wasmtime::Result<Result<bool, wasi_keyvalue::Error>> {
        Ok(self.state_at(&key).and_then(|state| state.exists(&key).map_err(other)))
    }

    fn list_keys(
        &mut self,
        _: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> wasmtime::Result<Result<wasi_keyvalue::KeyResponse, wasi_keyvalue::Error>> {
        // All keys fit one answer, so there is nothing behind any cursor.
        let keys =
            if cursor.is_some() { Ok(Vec::new()) } else { self.state().and_then(|state| state.keys().map_err(other)) };
        Ok(keys.map(|keys| wasi_keyvalue::KeyResponse { keys, cursor: None }))
    }

    fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
    use super::*;

    #[test]
    fn changes_are_what_was_written_last() {
        let state = MemoryState::of("dav", [("3:dav:a".to_owned(), vec![1]), ("3:dav:b".to_owned(), vec![2])]);
        assert_eq!(state.take_changes(), []);
        state.set("c", vec![3]).unwrap();
        state.set("c", vec![4]).unwrap();
        state.delete("a").unwrap();
        state.delete("unknown").unwrap();
        assert_eq!(state.get("c").unwrap(), Some(vec![4]));
        assert_eq!(state.keys().unwrap(), ["b", "c"]);
        let changes = state.take_changes();
        assert_eq!(changes, [("3:dav:a".to_owned(), None), ("3:dav:c".to_owned(), Some(vec![4]))]);
        assert_eq!(state.take_changes(), []);
    }

    #[test]
    fn what_another_connector_kept_is_not_seen_and_is_taken_away() {
        let first = MemoryState::of("dav", []);
        first.set("cursor", b"theirs".to_vec()).unwrap();
        let stored = first.take_changes().into_iter().map(|(key, value)| (key, value.unwrap()));
        let second = MemoryState::of("da", stored.chain([("cursor".to_owned(), vec![1])]));
        assert_eq!((second.get("cursor").unwrap(), second.keys().unwrap()), (None, Vec::new()));
        second.set("cursor", b"ours".to_vec()).unwrap();
        let changes = second.take_changes();
        assert_eq!(
            changes,
            [
                ("3:dav:cursor".to_owned(), None),
                ("cursor".to_owned(), None),
                ("2:da:cursor".to_owned(), Some(b"ours".to_vec()))
            ]
        );
    }

    #[test]
    fn what_was_written_since_the_mark_can_be_taken_back() {
        let state = MemoryState::of("dav", [("3:dav:a".to_owned(), vec![1]), ("3:dav:b".to_owned(), vec![2])]);
        state.set("b", vec![3]).unwrap();
        let before = format!("{state:?}");
        state.mark();
        state.set("a", vec![9; 9]).unwrap();
        state.delete("a").unwrap();
        state.set("b", vec![9]).unwrap();
        state.set("c", vec![9]).unwrap();
        state.go_back();
        assert_eq!(format!("{state:?}"), before);
        assert_eq!((state.get("a").unwrap(), state.get("c").unwrap()), (Some(vec![1]), None));
        assert_eq!(state.take_changes(), [("3:dav:b".to_owned(), Some(vec![3]))]);
    }

    #[test]
    fn quotas_are_those_of_the_whole_name_space() {
        let state = MemoryState::default();
        for number in 0..limits::MAX_STATE_KEYS {
            state.set(&number.to_string(), Vec::new()).unwrap();
        }
        let words = state.set("one more", Vec::new()).unwrap_err();
        assert_eq!(words, "there are 10000 keys already, more are not kept");
        state.set("0", vec![1]).unwrap();

        let state = MemoryState::default();
        let value = || vec![0; limits::MAX_STATE_VALUE];
        let mut number = 0;
        let words = loop {
            number += 1;
            match state.set(&number.to_string(), value()) {
                Ok(()) => {}
                Err(words) => break words,
            }
        };
        assert_eq!(words, "keys and values would have more than 16 MiB");
        assert_eq!(number, limits::MAX_STATE / limits::MAX_STATE_VALUE);
        state.set("1", value()).unwrap();
        state.delete("1").unwrap();
        state.set(&number.to_string(), value()).unwrap();
    }

    #[test]
    fn keys_are_checked() {
        for key in ["", "a\nb", "a\u{0}", "\u{7f}", &"k".repeat(257)] {
            assert!(check_key(key).is_err(), "{key:?}");
        }
        for key in ["a", "a/b:c ü", &"k".repeat(256)] {
            assert!(check_key(key).is_ok(), "{key:?}");
        }
    }
}
