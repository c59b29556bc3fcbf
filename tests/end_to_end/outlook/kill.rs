//! Outlook.md 2.6 and I1 to I3 through the binary: `outlook sync` killed at any request, before and after the server has done
//! it, and after it has heard of that and before it has noted it. The next run converges; nothing is lost, and nothing is
//! doubled.

use std::collections::BTreeMap;
use std::process::Stdio;

use apptsync_tests::Workspace;
use rusqlite::Connection;
use serde_json::Value;

use super::calendar::{Calendar, Kind, settings};
use super::gate::{Gate, PATIENCE, Stop};
use super::{counts, sync_at};

/// Where a run is killed: at which request, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Before the server has heard of it.
    Before,
    /// When the server has done it, and the run has not heard of that.
    After,
    /// When the run has the answer, and has not noted it.
    Uncommitted,
}

/// What both sides must have in the end.
struct Story {
    workspace: Workspace,
    calendar: Calendar,
    gate: Gate,
    /// What is there, with the number of its activity where it is known.
    subjects: BTreeMap<String, Option<String>>,
    minutes: usize,
}

impl Story {
    fn new(kind: Kind) -> Self {
        let workspace = Workspace::new();
        let calendar = Calendar::start(kind, &workspace);
        let gate = Gate::before(&calendar.origin());
        settings(&workspace);
        calendar.connect_at(&workspace, "b", &gate.origin(), &["--text-priority", "outlook"]);
        Self { workspace, calendar, gate, subjects: BTreeMap::new(), minutes: 0 }
    }

    fn activity(&self, subject: &str) -> &str {
        self.subjects.get(subject).and_then(Option::as_deref).unwrap_or_else(|| panic!("no activity {subject}"))
    }

    fn make_here(&mut self, subject: &str, hour: usize) {
        let (start, end) = (format!("2026-12-02T{hour:02}:00:00Z"), format!("2026-12-02T{hour:02}:30:00Z"));
        let times = ["--start", &start, "--end", &end, "--output", "json"];
        let add = ["activities", "add", "--employee", "B", "--subject", subject];
        let made = self.workspace.run(&[&add[..], &times].concat()).exits(0).json();
        self.subjects.insert(subject.to_owned(), Some(made["id"].as_str().expect("an id").to_owned()));
    }

    fn rename_here(&mut self, from: &str, to: &str) {
        let _ = self.workspace.run(&["activities", "set", self.activity(from), "--subject", to]).exits(0);
        self.replaced(from, Some(to));
    }

    fn cancel_here(&mut self, subject: &str) {
        let _ = self.workspace.run(&["activities", "cancel", self.activity(subject), "--yes"]).exits(0);
        self.replaced(subject, None);
    }

    fn make_there(&mut self, subject: &str) {
        let times = "DTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z";
        let event = format!("BEGIN:VEVENT\nUID:{subject}\n{times}\nSUMMARY:{subject}\nEND:VEVENT");
        self.calendar.add(subject, &event);
        self.subjects.insert(subject.to_owned(), None);
    }

    fn rename_there(&mut self, from: &str, to: &str) {
        self.calendar.edit(&format!("SUMMARY:{from}"), &format!("SUMMARY:{to}"));
        self.replaced(from, Some(to));
    }

    fn replaced(&mut self, from: &str, to: Option<&str>) {
        let activity = self.subjects.remove(from).expect("it was there");
        self.subjects.extend(to.map(|to| (to.to_owned(), activity)));
    }

    /// A minute later, so that a server has had the time to find what it made.
    fn now(&mut self) -> String {
        self.minutes += 1;
        format!("2026-11-23T{:02}:{:02}:00Z", 8 + self.minutes / 60, self.minutes % 60)
    }

    /// A run that is killed at this request; false when it was over before.
    fn is_killed_at(&mut self, request: u64, moment: Moment) -> bool {
        let now = self.now();
        self.gate.stop(match moment {
            Moment::Before => Stop::Before(request),
            Moment::After | Moment::Uncommitted => Stop::After(request),
        });
        let mut command = self.workspace.command(&["outlook", "sync", "--all", "--as-of", &now]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let is_held = self.gate.wait(&mut child);
        // Whoever else writes to the database keeps the run from noting what it hears.
        let _writer = (is_held && moment == Moment::Uncommitted).then(|| {
            let database = Connection::open(self.workspace.path("headquarters.db")).expect("the database");
            database.busy_timeout(PATIENCE).expect("patience");
            database.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
            self.gate.deliver();
            database
        });
        child.kill().expect("killed");
        let _ = child.wait().expect("a status");
        self.gate.open();
        is_held
    }

    fn comes_to_rest(&mut self, when: &str) {
        let reports: Vec<Value> = (0..3)
            .map(|_| {
                let now = self.now();
                sync_at(&self.workspace, &now)
            })
            .collect();
        let last = &reports[2];
        assert_eq!((counts(last), last["state"].as_str()), ([0; 5], Some("completed")), "{when}: {reports:#?}");
        let wanted: Vec<&String> = self.subjects.keys().collect();
        let there = self.calendar.subjects();
        assert_eq!(there.iter().collect::<Vec<_>>(), wanted, "{when}: {}", Value::from(reports));
        let mut here: Vec<(String, String)> = Vec::new();
        for activity in self.workspace.activities().iter().filter(|activity| activity["canceled"] == false) {
            let text = |name: &str| activity[name].as_str().expect("a text").to_owned();
            here.push((text("subject"), text("id")));
        }
        here.sort_unstable();
        assert_eq!(here.iter().map(|(subject, _)| subject).collect::<Vec<_>>(), wanted, "{when}");
        self.subjects = here.into_iter().map(|(subject, id)| (subject, Some(id))).collect();
    }

    /// Something new, something changed, something canceled, on both sides.
    fn goes_on(&mut self, turn: usize) {
        self.make_here(&format!("Here {turn:02} a"), 6 + turn % 12);
        self.make_here(&format!("Here {turn:02} b"), 6 + turn % 12);
        self.make_there(&format!("There-{turn:02}"));
        if turn > 0 {
            let before = turn - 1;
            self.rename_here(&format!("Here {before:02} a"), &format!("Renamed here {turn:02}"));
            self.rename_there(&format!("There-{before:02}"), &format!("Renamed there {turn:02}"));
            self.cancel_here(&format!("Here {before:02} b"));
        }
    }
}

/// Kills a run at its first request, the next at its second, and so on until one is over before.
fn killed_at_every_request(kind: Kind, moment: Moment) {
    let mut story = Story::new(kind);
    for number in 0..12 {
        story.make_here(&format!("Old {number:02}"), 6 + number);
    }
    story.comes_to_rest("at the beginning");
    let mut turn = 0;
    loop {
        story.goes_on(turn);
        let request = turn as u64 + 1;
        let is_killed = story.is_killed_at(request, moment);
        story.comes_to_rest(&format!("killed at request {request}, {moment:?}"));
        if !is_killed {
            break;
        }
        turn += 1;
        assert!(turn < 60, "runs take more and more requests");
    }
    assert!(turn >= 5, "a run was over after {turn} requests");
}

#[test]
fn killed_before_any_request_the_next_run_converges_with_caldav() {
    killed_at_every_request(Kind::CalDav, Moment::Before);
}

#[test]
fn killed_after_any_request_the_next_run_converges_with_caldav() {
    killed_at_every_request(Kind::CalDav, Moment::After);
}

#[test]
fn killed_before_any_answer_is_noted_the_next_run_converges_with_caldav() {
    killed_at_every_request(Kind::CalDav, Moment::Uncommitted);
}

#[test]
fn killed_before_any_request_the_next_run_converges_with_graph() {
    killed_at_every_request(Kind::Graph, Moment::Before);
}

#[test]
fn killed_after_any_request_the_next_run_converges_with_graph() {
    killed_at_every_request(Kind::Graph, Moment::After);
}

#[test]
fn killed_before_any_answer_is_noted_the_next_run_converges_with_graph() {
    killed_at_every_request(Kind::Graph, Moment::Uncommitted);
}
