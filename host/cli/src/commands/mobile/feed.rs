//! The feed: files of one JSON object a line, of which the last one counts for an id. Lines are only ever added.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use apptsync_model::MobileStatus;
use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::context::UsageError;

/// The file that is made where there is none.
const FIRST_FILE: &str = "appointments.jsonl";

/// The documented keys, in their order.
const KEYS: [&str; 19] = [
    "id",
    "channel",
    "number",
    "name",
    "type",
    "customer",
    "employee",
    "start",
    "end",
    "all_day",
    "priority",
    "status",
    "description",
    "completed_on",
    "completed_by",
    "reason",
    "changed_at",
    "deleted",
    "attributes",
];

/// What a line must have to be found and judged; what it has besides stays as it is.
#[derive(Debug, Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) channel: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) number: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) employee: Cow<'a, str>,
    pub(super) status: MobileStatus,
    #[serde(default)]
    deleted: Option<bool>,
}

impl Head<'_> {
    pub(super) fn is_deleted(&self) -> bool {
        self.deleted.unwrap_or_default()
    }
}

/// A version of an appointment with all its keys, those that nobody documented too.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Version(Map<String, Value>);

impl Version {
    /// A version with these keys.
    pub(super) fn new(keys: Map<String, Value>) -> Self {
        Self(keys)
    }

    /// The text of a key; empty where there is none.
    pub(super) fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// True where a key says so.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Sets a key.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Id and number, as people speak of it.
    pub(super) fn title(&self) -> String {
        match self.text("number") {
            "" => self.text("id").to_owned(),
            number => format!("{} ({number})", self.text("id")),
        }
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for key in KEYS {
            if let Some(value) = self.0.get(key) {
                map.serialize_entry(key, value)?;
            }
        }
        for (key, value) in self.0.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Looks at a line and says whether to go on.
type Visitor<'a> = dyn FnMut(&Head<'_>, &str) -> anyhow::Result<ControlFlow<()>> + 'a;

/// The files of the feed that hold appointments, in the order in which their lines count.
#[derive(Debug)]
pub(super) struct Feed {
    files: Vec<PathBuf>,
}

impl Feed {
    /// Finds the files.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("the feed folder {} cannot be read", folder.display());
        let mut names = Vec::new();
        for entry in folder.read_dir().with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let name = entry.file_name();
            let name = name.to_str().filter(|name| name.starts_with("appointments") && name.ends_with(".jsonl"));
            if let Some(name) = name.filter(|_| entry.path().is_file()) {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(Self { files: names.iter().map(|name| folder.join(name)).collect() })
    }

    /// Shows every line that is a version of an appointment, oldest first, until the visitor breaks off. What else stands there is the import's to report.
    pub(super) fn visit(&self, visit: &mut Visitor<'_>) -> anyhow::Result<()> {
        let mut line = Vec::new();
        for path in &self.files {
            let unreadable = || format!("{} cannot be read", path.display());
            let mut reader = BufReader::with_capacity(1 << 16, File::open(path).with_context(unreadable)?);
            loop {
                line.clear();
                if reader.read_until(b'\n', &mut line).with_context(unreadable)? == 0 {
                    break;
                }
                let Ok(text) = str::from_utf8(&line) else { continue };
                if let Ok(head) = serde_json::from_str::<Head<'_>>(text)
                    && visit(&head, text)?.is_break()
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The last version of an appointment.
    ///
    /// # Errors
    /// There is none, or more than one sales channel has it and none is given.
    pub(super) fn current(&self, id: &str, channel: Option<&str>) -> anyhow::Result<Version> {
        let mut found: HashMap<String, String> = HashMap::new();
        self.visit(&mut |head, line| {
            if head.id == id && channel.is_none_or(|channel| head.channel == channel) {
                found.insert(head.channel.clone().into_owned(), line.to_owned());
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let quoted = id.escape_debug();
        if found.len() > 1 {
            let mut channels: Vec<_> = found.into_keys().collect();
            channels.sort_unstable();
            bail!(
                "the sales channels {} all have an appointment `{quoted}`: say which with --channel",
                channels.join(", ")
            );
        }
        let Some(line) = found.into_values().next() else {
            return Err(
                UsageError(format!("the feed has no appointment `{quoted}`: see `apptsync mobile list`")).into()
            );
        };
        Ok(Version(serde_json::from_str(&line)?))
    }
}

/// The right to add to the feed, which one process has at a time.
#[derive(Debug)]
pub(super) struct Pen {
    path: PathBuf,
    file: File,
}

impl Pen {
    /// Opens the last file in the order of the names, made where there is none, and waits until nobody else writes.
    pub(super) fn take(folder: &Path) -> anyhow::Result<Self> {
        let path = Feed::open(folder)?.files.pop().unwrap_or_else(|| folder.join(FIRST_FILE));
        let unwritable = || format!("{} cannot be written to; nothing was written", path.display());
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path).with_context(unwritable)?;
        file.lock().with_context(unwritable)?;
        Ok(Self { file, path })
    }

    /// Adds a version as one whole line, with one write.
    pub(super) fn append(&mut self, version: &Version) -> anyhow::Result<()> {
        let length = self.file.metadata().map_err(|error| self.unwritten(&error))?.len();
        let mut line = Vec::new();
        if !self.ends_with_a_line(length).map_err(|error| self.unwritten(&error))? {
            line.push(b'\n');
        }
        serde_json::to_writer(&mut line, version)?;
        line.push(b'\n');
        self.write_whole(&line).and_then(|()| self.file.sync_all()).map_err(|error| {
            // A piece of a line would be read as a broken one. If it cannot be taken back, the next line begins a new one.
            let _ = self.file.set_len(length);
            self.unwritten(&error)
        })
    }

    fn ends_with_a_line(&mut self, length: u64) -> io::Result<bool> {
        if length == 0 {
            return Ok(true);
        }
        let mut last = [0];
        self.file.seek(SeekFrom::Start(length - 1))?;
        self.file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    }

    fn write_whole(&mut self, line: &[u8]) -> io::Result<()> {
        loop {
            match self.file.write(line) {
                Ok(written) if written == line.len() => return Ok(()),
                Ok(_) => return Err(io::ErrorKind::StorageFull.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn unwritten(&self, error: &io::Error) -> anyhow::Error {
        anyhow!("{} cannot be written to; nothing was written: {error}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version(serde_json::from_str(text).expect("json"))
    }

    fn write(folder: &Path, name: &str, text: &[u8]) {
        std::fs::write(folder.join(name), text).expect("a file");
    }

    const FIRST: &str =
        r#"{"id":"a-1","channel":"B2B","employee":"B","status":"confirmed","later":{"k":[1]},"name":"one"}"#;
    const SECOND: &str = r#"{"id":"a-1","channel":"B2B","employee":"B","status":"pending"}"#;
    const OTHER: &str = r#"{"id":"a-1","channel":"B2C","employee":"B","status":"confirmed"}"#;

    #[test]
    fn the_last_line_counts_whatever_broken_lines_stand_between() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), "appointments-2.jsonl", format!("{SECOND}\nnot json\n\u{0}").as_bytes());
        write(folder.path(), "appointments-1.jsonl", &[FIRST.as_bytes(), b"\n\xff\xff\n"].concat());
        write(folder.path(), "customers.jsonl", OTHER.as_bytes());
        let feed = Feed::open(folder.path()).expect("a feed");
        assert_eq!(feed.current("a-1", None).expect("found").text("status"), "pending");
        assert!(feed.current("a-2", None).is_err());
    }

    #[test]
    fn an_id_in_two_channels_needs_the_channel() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), "appointments.jsonl", format!("{FIRST}\n{OTHER}\n").as_bytes());
        let feed = Feed::open(folder.path()).expect("a feed");
        let error = feed.current("a-1", None).expect_err("ambiguous").to_string();
        assert_eq!(error, "the sales channels B2B, B2C all have an appointment `a-1`: say which with --channel");
        assert_eq!(feed.current("a-1", Some("B2C")).expect("found").text("channel"), "B2C");
    }

    #[test]
    fn a_line_is_added_whole_after_one_that_was_not_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        Pen::take(folder.path()).expect("a pen").append(&version(FIRST)).expect("written");
        write(folder.path(), "appointments_9.jsonl", b"half a li");
        let mut pen = Pen::take(folder.path()).expect("a pen");
        pen.append(&version(SECOND)).expect("written");
        pen.append(&version(OTHER)).expect("written");
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
        assert_eq!(read("appointments_9.jsonl"), format!("half a li\n{SECOND}\n{OTHER}\n"));
        assert_eq!(read("appointments.jsonl").lines().count(), 1);
    }

    #[test]
    fn keys_stand_in_the_documented_order_and_unknown_ones_stay() {
        let mut version = version(FIRST);
        version.set("status", "pending");
        assert_eq!(
            serde_json::to_string(&version).expect("json"),
            r#"{"id":"a-1","channel":"B2B","name":"one","employee":"B","status":"pending","later":{"k":[1]}}"#
        );
    }
}
