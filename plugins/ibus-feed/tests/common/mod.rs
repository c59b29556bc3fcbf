//! A feed in a temporary folder, and passes over it.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::expect_used, reason = "what helps tests fails as they do")]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::SystemTime;

use apptsync_plugin::source::{Broken, Collection, Item};
use apptsync_plugin::types::{Appointment, Customer, Failure};
use ibus_feed::Pass;
use tempfile::TempDir;

pub(crate) struct Feed {
    pub(crate) folder: TempDir,
}

/// What a whole pass handed out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) appointments: Vec<Appointment>,
    pub(crate) customers: Vec<Customer>,
    pub(crate) broken: Vec<Broken>,
    pub(crate) notices: Vec<String>,
    pub(crate) cursor: String,
    pub(crate) pages: usize,
}

impl Outcome {
    /// Ids and names, in the order in which they came.
    pub(crate) fn versions(&self) -> Vec<(&str, &str)> {
        self.appointments.iter().map(|appointment| (appointment.id.as_str(), appointment.name.as_str())).collect()
    }

    pub(crate) fn broken(&self) -> Vec<(&str, &str)> {
        self.broken.iter().map(|broken| (broken.place.as_str(), broken.reason.as_str())).collect()
    }

    fn add(&mut self, item: Item) {
        match item {
            Item::Appointment(appointment) => self.appointments.push(appointment),
            Item::Customer(customer) => self.customers.push(customer),
            Item::Broken(broken) => self.broken.push(broken),
        }
    }
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), content).expect("written");
    }

    pub(crate) fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        let mut file = OpenOptions::new().append(true).create(true).open(path).expect("opened");
        file.write_all(content.as_ref()).expect("appended");
    }

    /// When a file was last written to.
    pub(crate) fn modified(&self, name: &str) -> SystemTime {
        fs::metadata(self.folder.path().join(name)).and_then(|metadata| metadata.modified()).expect("a time")
    }

    pub(crate) fn set_modified(&self, name: &str, time: SystemTime) {
        let file = OpenOptions::new().append(true).open(self.folder.path().join(name)).expect("opened");
        file.set_modified(time).expect("set");
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.folder.path().join(from), self.folder.path().join(to)).expect("renamed");
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).expect("removed");
    }

    pub(crate) fn path(&self) -> String {
        self.folder.path().to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn open(&self, what: Collection, cursor: Option<&str>) -> Result<Pass, Failure> {
        Pass::open(&[self.path()], what, "B2B".to_owned(), cursor)
    }

    /// A whole pass over the appointments of channel B2B.
    pub(crate) fn pass(&self, cursor: Option<&str>) -> Outcome {
        self.pass_in_pages(cursor, 256)
    }

    pub(crate) fn pass_in_pages(&self, cursor: Option<&str>, at_most: u32) -> Outcome {
        finish(self.open(Collection::Appointments, cursor).expect("opened"), at_most)
    }

    pub(crate) fn customers(&self, cursor: Option<&str>) -> Outcome {
        finish(self.open(Collection::Customers, cursor).expect("opened"), 256)
    }
}

pub(crate) fn finish(mut pass: Pass, at_most: u32) -> Outcome {
    let mut outcome = Outcome::default();
    loop {
        let page = pass.next(at_most).expect("a page");
        assert!(page.items.len() <= usize::try_from(at_most).expect("small"));
        assert!(page.next.len() <= 65_536);
        page.items.into_iter().for_each(|item| outcome.add(item));
        outcome.notices.extend(page.notices);
        outcome.cursor = page.next;
        outcome.pages += 1;
        if page.done {
            return outcome;
        }
    }
}

/// A line with the given id and name, without its line feed.
pub(crate) fn line(id: &str, name: &str) -> String {
    format!(
        r#"{{"id":"{id}","channel":"B2B","number":"SA/2026/000001","name":"{name}","type":"Visit","customer":"C00017","employee":"B","start":"2026-12-01T09:00:00Z","end":"2026-12-01T10:00:00Z","all_day":false,"priority":"normal","status":"confirmed","description":"…","completed_on":null,"completed_by":null,"reason":null,"changed_at":"2026-11-23T08:00:00Z","deleted":false,"attributes":{{}}}}"#
    )
}

/// The same, with a piece replaced.
pub(crate) fn line_with(id: &str, from: &str, to: &str) -> String {
    let line = line(id, "n");
    assert!(line.contains(from), "{from}");
    line.replacen(from, to, 1)
}

pub(crate) fn lines(versions: &[(&str, &str)]) -> String {
    versions.iter().map(|(id, name)| line(id, name) + "\n").collect()
}
