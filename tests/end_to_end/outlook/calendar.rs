//! A representative's calendar behind each of the three connectors, as its owner sees and changes it.

use std::fs;
use std::path::PathBuf;

use apptsync_tests::Workspace;
use apptsync_tests::radicale::{PASSWORD, Radicale, USER};
use graph_simulator::{Options, Simulator};
use serde_json::{Value, json};

/// The mailbox of the simulator.
pub(crate) const MAILBOX: &str = "anna@contoso.example";
/// The calendar that is synchronised, where a mailbox has several.
pub(crate) const SALES: &str = "Sales";

/// What a calendar is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    CalDav,
    File,
    Graph,
}

/// A representative's calendar.
pub(crate) enum Calendar {
    CalDav { radicale: Radicale, path: String },
    File(PathBuf),
    Graph(Box<Simulator>),
}

/// A workspace whose representative B has a calendar, synchronised by the profile b.
pub(crate) fn connected(kind: Kind, more: &[&str]) -> (Workspace, Calendar) {
    let workspace = Workspace::new();
    let calendar = Calendar::start(kind, &workspace);
    settings(&workspace);
    calendar.connect(&workspace, "b", more);
    (workspace, calendar)
}

/// Activity synchronization settings for everybody: from a week ago to three months ahead.
pub(crate) fn settings(workspace: &Workspace) {
    let calendar = ["--calendar-from", "-7d", "--calendar-to", "+90d"];
    let tasks = ["--tasks-from", "-7d", "--tasks-to", "+90d"];
    let set = ["outlook", "settings", "set", "--level", "database"];
    let _ = workspace.run(&[&set[..], &calendar, &tasks].concat()).exits(0);
}

impl Calendar {
    /// Starts what it is kept in.
    pub(crate) fn start(kind: Kind, workspace: &Workspace) -> Self {
        match kind {
            Kind::CalDav => {
                let radicale = Radicale::start();
                let path = radicale.calendar(SALES);
                Self::CalDav { radicale, path }
            }
            Kind::File => Self::File(workspace.path(&format!("calendars/{USER}.ics"))),
            Kind::Graph => {
                let simulator = Simulator::start(Options::default()).expect("a simulator");
                let _ = simulator.user(MAILBOX).create_calendar(SALES).expect("a calendar");
                Self::Graph(Box::new(simulator))
            }
        }
    }

    /// Where its server is.
    pub(crate) fn origin(&self) -> String {
        match self {
            Self::CalDav { radicale, .. } => radicale.origin(),
            Self::File(_) => String::new(),
            Self::Graph(simulator) => simulator.base_url().to_owned(),
        }
    }

    /// Adds credential and profile.
    pub(crate) fn connect(&self, workspace: &Workspace, name: &str, more: &[&str]) {
        self.connect_at(workspace, name, &self.origin(), more);
    }

    /// Adds credential and profile, with another way to the server.
    pub(crate) fn connect_at(&self, workspace: &Workspace, name: &str, origin: &str, more: &[&str]) {
        let secret = workspace.path("secret");
        let secret = secret.to_str().expect("a path");
        let at = match self {
            Self::CalDav { .. } => {
                fs::write(secret, PASSWORD).expect("written");
                credential(workspace, &["dav", "--kind", "password", "--secret-file", secret]);
                let account = ["--connector", "caldav", "--server", origin, "--user", USER];
                [&account[..], &["--calendar", SALES, "--credential", "dav"]].concat()
            }
            Self::File(_) => ["--connector", "calendar-file", "--user", USER].to_vec(),
            Self::Graph(_) => {
                fs::write(secret, "simulated-secret").expect("written");
                let application =
                    ["--tenant", "contoso.example", "--client-id", "11111111-2222-4333-8444-555555555555"];
                let servers = ["--login-server", origin, "--graph-server", origin, "--secret-file", secret];
                credential(workspace, &[&["graph", "--kind", "client-secret"], &application[..], &servers].concat());
                let account = ["--connector", "outlook-graph", "--server", origin, "--user", MAILBOX];
                [&account[..], &["--calendar", SALES, "--credential", "graph"]].concat()
            }
        };
        let add = ["outlook", "profile", "add", name, "--employee", "B"];
        let _ = workspace.run(&[&add[..], &at, more].concat()).exits(0);
    }

    /// Everything in it as text: iCalendar, or what is like it. Subjects stand behind `SUMMARY:`, free time is
    /// `TRANSP:TRANSPARENT`.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Graph(simulator) => events(simulator).iter().map(shown).collect(),
            _ => self.objects().into_iter().map(|(_, text)| unfolded(&text)).collect(),
        }
    }

    /// Every object, with what its owner needs to change it.
    fn objects(&self) -> Vec<(String, String)> {
        match self {
            Self::CalDav { radicale, path } => {
                let Ok(entries) = fs::read_dir(radicale.folder(path)) else { return Vec::new() };
                let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
                let names = names.filter(|name| name.ends_with(".ics"));
                let get = |path: &str| radicale.foreign_user().ask("GET", path, &[], "").body;
                names.map(|name| format!("{path}{name}")).map(|path| (path.clone(), get(&path))).collect()
            }
            Self::File(file) => {
                fs::read_to_string(file).map_or_else(|_| Vec::new(), |text| vec![(String::new(), text)])
            }
            Self::Graph(_) => Vec::new(),
        }
    }

    /// The owner writes something else in the one object that says this.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        if let Self::Graph(simulator) = self {
            let [from, to] = [from, to].map(|text| text.trim_start_matches("SUMMARY:"));
            let event = find(simulator, from);
            let subject = event["subject"].as_str().expect("a subject").replace(from, to);
            let change = json!({ "subject": subject });
            let _ = simulator.user(MAILBOX).edit_event(id(&event), change).expect("edited");
            return;
        }
        let (path, text) =
            self.objects().into_iter().find(|(_, text)| unfolded(text).contains(from)).expect("it is there");
        self.put(&path, &unfolded(&text).replace(from, to));
    }

    fn put(&self, path: &str, text: &str) {
        match self {
            Self::CalDav { radicale, .. } => {
                let headers = [("content-type", "text/calendar")];
                let status = radicale.foreign_user().ask("PUT", path, &headers, text).status;
                assert!((200..300).contains(&status), "{status}");
            }
            Self::File(file) => fs::write(file, text).expect("written"),
            Self::Graph(_) => unreachable!("it has no objects"),
        }
    }

    /// The owner adds an appointment or a task, said as a component of iCalendar.
    pub(crate) fn add(&self, uid: &str, component: &str) {
        let lines = component.replace('\n', "\r\n");
        match self {
            Self::CalDav { path, .. } => {
                let whole =
                    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{lines}\r\nEND:VCALENDAR\r\n");
                self.put(&format!("{path}{uid}.ics"), &whole);
            }
            Self::File(file) => {
                let text = fs::read_to_string(file).expect("the calendar");
                self.put("", &text.replace("END:VCALENDAR", &format!("{lines}\r\nEND:VCALENDAR")));
            }
            Self::Graph(simulator) => add(simulator, component),
        }
    }

    /// The owner deletes the one object that says this.
    pub(crate) fn delete(&self, what: &str) {
        match self {
            Self::CalDav { radicale, .. } => {
                let (path, _) =
                    self.objects().into_iter().find(|(_, text)| unfolded(text).contains(what)).expect("it is there");
                let _ = radicale.foreign_user().ask("DELETE", &path, &[], "");
            }
            Self::File(file) => {
                let text = fs::read_to_string(file).expect("the calendar");
                let mut kept = String::new();
                let mut parts = text.split("BEGIN:VEVENT");
                kept.push_str(parts.next().unwrap_or_default());
                for part in parts {
                    let (event, rest) = part.split_once("END:VEVENT\r\n").expect("an end");
                    if !unfolded(event).contains(what) {
                        kept.push_str(&format!("BEGIN:VEVENT{event}END:VEVENT\r\n"));
                    }
                    kept.push_str(rest);
                }
                self.put("", &kept);
            }
            Self::Graph(simulator) => {
                let event = find(simulator, what.trim_start_matches("SUMMARY:"));
                simulator.user(MAILBOX).delete_event(id(&event)).expect("deleted");
            }
        }
    }

    /// The owner deletes everything.
    pub(crate) fn empty(&self) {
        match self {
            Self::CalDav { radicale, .. } => {
                for (path, _) in self.objects() {
                    let _ = radicale.foreign_user().ask("DELETE", &path, &[], "");
                }
            }
            Self::File(file) => {
                let text = fs::read_to_string(file).expect("the calendar");
                let (head, _) = text.split_once("BEGIN:VEVENT").expect("an appointment");
                self.put("", &format!("{head}END:VCALENDAR\r\n"));
            }
            Self::Graph(simulator) => {
                for event in events(simulator) {
                    simulator.user(MAILBOX).delete_event(id(&event)).expect("deleted");
                }
            }
        }
    }
}

fn credential(workspace: &Workspace, arguments: &[&str]) {
    let _ = workspace.run(&[&["credentials", "add", "--replace"], arguments].concat()).exits(0);
}

/// Long lines are written in pieces (RFC 5545 3.1).
fn unfolded(text: &str) -> String {
    text.replace("\r\n ", "")
}

fn events(simulator: &Simulator) -> Vec<Value> {
    simulator.user(MAILBOX).events(SALES)
}

fn id(event: &Value) -> &str {
    event["id"].as_str().expect("an id")
}

fn shown(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let shows = if event["showAs"] == "free" { "TRANSPARENT" } else { "OPAQUE" };
    format!("SUMMARY:{}\n{}\nTRANSP:{shows}\n", text(&event["subject"]), text(&event["text"]))
}

fn find(simulator: &Simulator, what: &str) -> Value {
    events(simulator).into_iter().find(|event| shown(event).contains(what)).expect("it is there")
}

/// Makes what a component of iCalendar says.
fn add(simulator: &Simulator, component: &str) {
    let value = |name: &str| component.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    let user = simulator.user(MAILBOX);
    let subject = value("SUMMARY").expect("a subject");
    if component.starts_with("BEGIN:VTODO") {
        let lists = user.contents()["lists"].clone();
        let list = lists[0]["id"].as_str().expect("a list");
        user.request("POST", &format!("todo/lists/{list}/tasks"), json!({ "title": subject })).expect("made");
        return;
    }
    // 20261203T100000Z
    let moment = |name: &str| {
        let text = value(name).expect("a time");
        let (date, time) = text.trim_end_matches('Z').split_once('T').expect("a time of day");
        let date = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
        json!({ "dateTime": format!("{date}T{}:{}:{}", &time[..2], &time[2..4], &time[4..]), "timeZone": "UTC" })
    };
    let sensitivity = if value("CLASS") == Some("PRIVATE") { "private" } else { "normal" };
    let event =
        json!({ "subject": subject, "start": moment("DTSTART"), "end": moment("DTEND"), "sensitivity": sensitivity });
    let path = format!("calendars/{}/events", user.calendar_id(SALES));
    user.request("POST", &path, event).expect("made");
}
