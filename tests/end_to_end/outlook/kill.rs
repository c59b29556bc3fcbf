//! Outlook.md 2.6 and I1 to I3 through the binary: `outlook sync` killed at any request, before and after the server has done
//! it. The next run converges; nothing is lost, and nothing is doubled.

use std::process::Stdio;

use apptsync_tests::Workspace;
use serde_json::Value;

use super::calendar::{Calendar, Kind, settings};
use super::gate::{Gate, Stop};
use super::{counts, sync_at};

/// What both sides must have in the end.
struct Story {
    workspace: Workspace,
    calendar: Calendar,
    gate: Gate,
    subjects: Vec<String>,
    minutes: usize,
}

impl Story {
    fn new(kind: Kind) -> Self {
        let workspace = Workspace::new();
        let calendar = Calendar::start(kind, &workspace);
        let gate = Gate::before(&calendar.origin());
        settings(&workspace);
        calendar.connect_at(&workspace, "b", &gate.origin(), &["--text-priority", "outlook"]);
        Self { workspace, calendar, gate, subjects: Vec::new(), minutes: 0 }
    }

    fn activity(&self, subject: &str) -> String {
        let all = self.workspace.activities();
        let mut found = all.iter().filter(|activity| activity["subject"] == subject);
        let id = found.next().unwrap_or_else(|| panic!("no {subject}"))["id"].as_str().expect("an id").to_owned();
        assert!(found.next().is_none(), "{subject} is there twice");
        id
    }

    fn make_here(&mut self, subject: &str, hour: usize) {
        let (start, end) = (format!("2026-12-02T{hour:02}:00:00Z"), format!("2026-12-02T{hour:02}:30:00Z"));
        let times = ["--start", &start, "--end", &end];
        let add = ["activities", "add", "--employee", "B", "--subject", subject];
        let _ = self.workspace.run(&[&add[..], &times].concat()).exits(0);
        self.subjects.push(subject.to_owned());
    }

    fn rename_here(&mut self, from: &str, to: &str) {
        let id = self.activity(from);
        let _ = self.workspace.run(&["activities", "set", &id, "--subject", to]).exits(0);
        self.replaced(from, Some(to));
    }

    fn cancel_here(&mut self, subject: &str) {
        let id = self.activity(subject);
        let _ = self.workspace.run(&["activities", "cancel", &id, "--yes"]).exits(0);
        self.replaced(subject, None);
    }

    fn make_there(&mut self, subject: &str) {
        let times = "DTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z";
        let event = format!("BEGIN:VEVENT\nUID:{subject}\n{times}\nSUMMARY:{subject}\nEND:VEVENT");
        self.calendar.add(subject, &event);
        self.subjects.push(subject.to_owned());
    }

    fn rename_there(&mut self, from: &str, to: &str) {
        self.calendar.edit(&format!("SUMMARY:{from}"), &format!("SUMMARY:{to}"));
        self.replaced(from, Some(to));
    }

    fn replaced(&mut self, from: &str, to: Option<&str>) {
        self.subjects.retain(|subject| subject != from);
        self.subjects.extend(to.map(str::to_owned));
    }

    /// A minute later, so that a server has had the time to find what it made.
    fn now(&mut self) -> String {
        self.minutes += 1;
        format!("2026-11-23T{:02}:{:02}:00Z", 8 + self.minutes / 60, self.minutes % 60)
    }

    /// A run that is killed at this request; false when it was over before.
    fn killed_at(&mut self, stop: Stop) -> bool {
        let now = self.now();
        self.gate.stop(stop);
        let mut command = self.workspace.command(&["outlook", "sync", "--all", "--as-of", &now]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let is_held = self.gate.wait(&mut child);
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
        self.subjects.sort();
        let text = self.calendar.text();
        let mut there: Vec<&str> =
            text.lines().filter_map(|line| line.trim_end_matches('\r').strip_prefix("SUMMARY:")).collect();
        there.sort_unstable();
        assert_eq!(there, self.subjects, "{when}: {}", Value::from(reports));
        for subject in &self.subjects {
            let _ = self.activity(subject);
        }
    }
}

fn killed_at_every_request(kind: Kind, stops: impl IntoIterator<Item = Stop>) {
    let mut story = Story::new(kind);
    for number in 0..12 {
        story.make_here(&format!("Old {number:02}"), 6 + number);
    }
    story.comes_to_rest("at the beginning");
    let (mut killed, mut all) = (0, 0);
    for (turn, stop) in stops.into_iter().enumerate() {
        story.make_here(&format!("Here {turn:02} a"), 6 + turn % 12);
        story.make_here(&format!("Here {turn:02} b"), 6 + turn % 12);
        story.make_there(&format!("There-{turn:02}"));
        let old = |turn: usize| if turn < 12 { format!("Old {turn:02}") } else { format!("Here {:02} a", turn - 12) };
        story.rename_here(&old(turn), &format!("Renamed here {turn:02}"));
        if turn > 0 {
            story.rename_there(&format!("There-{:02}", turn - 1), &format!("Renamed there {turn:02}"));
            story.cancel_here(&format!("Here {:02} b", turn - 1));
        }
        killed += usize::from(story.killed_at(stop));
        all += 1;
        story.comes_to_rest(&format!("killed at {stop:?}"));
    }
    assert!(killed * 3 >= all * 2, "only {killed} of {all} runs came as far as they were to be killed");
}

fn both(requests: impl IntoIterator<Item = u64>) -> impl Iterator<Item = Stop> {
    requests.into_iter().flat_map(|request| [Stop::Before(request), Stop::After(request)])
}

#[test]
fn killed_at_any_request_the_next_run_converges_with_caldav() {
    killed_at_every_request(Kind::CalDav, both(1..=8));
}

#[test]
fn killed_at_any_request_the_next_run_converges_with_graph() {
    killed_at_every_request(Kind::Graph, both(1..=7));
}
