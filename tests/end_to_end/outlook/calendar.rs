//! A representative's calendar behind each of the three connectors, as its owner sees and changes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use apptsync_tests::Workspace;
use apptsync_tests::calendar_servers::ForeignUser;
use apptsync_tests::radicale::{PASSWORD, Radicale, USER};
use graph_simulator::{Options, Simulator, User};
use serde_json::{Value, json};

/// The mailbox of the simulator.
pub(crate) const MAILBOX: &str = "anna@contoso.example";
/// The calendar that is synchronised, where a mailbox has several.
pub(crate) const SALES: &str = "Sales";

/// The tenant and the application of the simulator.
pub(crate) const APPLICATION: [&str; 4] =
    ["--tenant", "contoso.example", "--client-id", "11111111-2222-4333-8444-555555555555"];

/// What a calendar is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    CalDav,
    File,
    Graph,
}

/// Where calendars are.
#[derive(Clone)]
pub(crate) enum Server {
    CalDav(Rc<Radicale>),
    /// The folder of the files.
    File(PathBuf),
    Graph(Rc<Simulator>),
}

/// A representative's calendar.
pub(crate) struct Calendar {
    pub(crate) server: Server,
    /// The user, or the mailbox.
    pub(crate) owner: String,
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
                let _ = radicale.calendar(SALES);
                Self { server: Server::CalDav(Rc::new(radicale)), owner: USER.to_owned() }
            }
            Kind::File => Self { server: Server::File(workspace.path("calendars")), owner: USER.to_owned() },
            Kind::Graph => Self::of_simulator(Simulator::start(Options::default()).expect("a simulator")),
        }
    }

    /// The calendar of [`MAILBOX`] in a simulator of one's own.
    pub(crate) fn of_simulator(simulator: Simulator) -> Self {
        let _ = simulator.user(MAILBOX).create_calendar(SALES).expect("a calendar");
        Self { server: Server::Graph(Rc::new(simulator)), owner: MAILBOX.to_owned() }
    }

    /// The calendar of somebody else on the same server.
    pub(crate) fn of_colleague(&self, name: &str) -> Self {
        let owner = match &self.server {
            Server::CalDav(radicale) => {
                let _ = radicale.calendar_of(name, SALES);
                name.to_owned()
            }
            Server::File(_) => name.to_owned(),
            Server::Graph(simulator) => {
                let mailbox = format!("{name}@contoso.example");
                simulator.add_mailbox(&mailbox, "W. Europe Standard Time").expect("a mailbox");
                let _ = simulator.user(&mailbox).create_calendar(SALES).expect("a calendar");
                mailbox
            }
        };
        Self { server: self.server.clone(), owner }
    }

    /// The simulator that it is kept in.
    pub(crate) fn simulator(&self) -> &Simulator {
        match &self.server {
            Server::Graph(simulator) => simulator,
            _ => panic!("it is kept elsewhere"),
        }
    }

    /// The mailbox's user.
    pub(crate) fn user(&self) -> User<'_> {
        self.simulator().user(&self.owner)
    }

    /// Where its server is.
    pub(crate) fn origin(&self) -> String {
        match &self.server {
            Server::CalDav(radicale) => radicale.origin(),
            Server::File(_) => String::new(),
            Server::Graph(simulator) => simulator.base_url().to_owned(),
        }
    }

    /// Adds credential and profile for representative B.
    pub(crate) fn connect(&self, workspace: &Workspace, name: &str, more: &[&str]) {
        self.connect_at(workspace, name, &self.origin(), more);
    }

    /// Adds credential and profile for representative B, with another way to the server.
    pub(crate) fn connect_at(&self, workspace: &Workspace, name: &str, origin: &str, more: &[&str]) {
        self.connect_for(workspace, "B", name, origin, more);
    }

    /// Adds credential and profile for a representative.
    pub(crate) fn connect_for(&self, workspace: &Workspace, employee: &str, name: &str, origin: &str, more: &[&str]) {
        let owner = self.owner.as_str();
        let connector = match self.server {
            Server::CalDav(_) => "caldav",
            Server::File(_) => "calendar-file",
            Server::Graph(_) => "outlook-graph",
        };
        let mut add = vec!["outlook", "profile", "add", name, "--employee", employee, "--connector", connector];
        add.extend(["--user", owner]);
        if !matches!(self.server, Server::File(_)) {
            add.extend(["--server", origin, "--calendar", SALES]);
            if !more.contains(&"--credential") {
                self.add_credential(workspace, "login", origin, None);
                add.extend(["--credential", "login"]);
            }
        }
        let _ = workspace.run(&[&add[..], more].concat()).exits(0);
    }

    /// Adds or replaces a credential for the server: the right one, or another secret.
    pub(crate) fn add_credential(&self, workspace: &Workspace, name: &str, origin: &str, secret: Option<&str>) {
        let file = workspace.path("secret");
        let file = file.to_str().expect("a path");
        let (right, kind) = match self.server {
            Server::Graph(_) => {
                let servers = ["--login-server", origin, "--graph-server", origin];
                ("simulated-secret", [&["--kind", "client-secret"], &APPLICATION[..], &servers].concat())
            }
            _ => (PASSWORD, vec!["--kind", "password"]),
        };
        fs::write(file, secret.unwrap_or(right)).expect("written");
        let add = ["credentials", "add", name, "--replace", "--secret-file", file];
        let _ = workspace.run(&[&add[..], &kind].concat()).exits(0);
    }

    /// The path of the calendar, or of the calendar's file.
    pub(crate) fn place(&self) -> String {
        let owner = &self.owner;
        match &self.server {
            Server::CalDav(_) => format!("/{owner}/{SALES}/"),
            Server::File(folder) => folder.join(format!("{owner}.ics")).display().to_string(),
            Server::Graph(_) => format!("calendars/{}", self.user().calendar_id(SALES)),
        }
    }

    /// Everything in it as text: iCalendar, or what is like it. Subjects stand behind `SUMMARY:`, free time is
    /// `TRANSP:TRANSPARENT`.
    pub(crate) fn text(&self) -> String {
        match self.server {
            Server::Graph(_) => self.events().iter().map(shown).collect(),
            _ => self.objects().into_iter().map(|(_, text)| unfolded(&text)).collect(),
        }
    }

    /// The subjects of everything in it, in order.
    pub(crate) fn subjects(&self) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter_map(|line| line.trim_end_matches('\r').strip_prefix("SUMMARY:"));
        let mut subjects: Vec<String> = lines.map(str::to_owned).collect();
        subjects.sort_unstable();
        subjects
    }

    /// The titles of the tasks in it, in order.
    pub(crate) fn tasks(&self) -> Vec<String> {
        let mut titles: Vec<String> = match self.server {
            Server::Graph(_) => {
                let lists = self.user().contents()["lists"].clone();
                let lists = lists.as_array().expect("lists");
                let tasks = lists.iter().flat_map(|list| list["tasks"].as_array().expect("tasks"));
                tasks.map(|task| task["title"].as_str().expect("a title").to_owned()).collect()
            }
            _ => {
                let text = self.text();
                let tasks = text.split("BEGIN:VTODO").skip(1).filter_map(|part| part.split("END:VTODO").next());
                let title = |task: &str| {
                    let line = task.lines().find_map(|line| line.strip_prefix("SUMMARY:")).expect("a subject");
                    line.trim_end().to_owned()
                };
                tasks.map(title).collect()
            }
        };
        titles.sort_unstable();
        titles
    }

    /// What changes with every write, and with nothing else: the entity tags, or when the files were written.
    pub(crate) fn versions(&self) -> Vec<String> {
        let place = self.place();
        let file = |path: &Path| {
            let written = fs::metadata(path).and_then(|data| data.modified()).expect("a file");
            format!("{} {written:?}", path.display())
        };
        let mut versions: Vec<String> = match &self.server {
            Server::CalDav(radicale) => {
                let names = self.objects().into_iter().map(|(path, _)| path.replace(&place, ""));
                names.map(|name| file(&radicale.folder(&place).join(name))).collect()
            }
            Server::File(_) => vec![file(Path::new(&place))],
            Server::Graph(_) => {
                self.events().iter().map(|event| format!("{} {}", event["id"], event["@odata.etag"])).collect()
            }
        };
        versions.sort_unstable();
        versions
    }

    fn foreign_user(&self, radicale: &Radicale) -> ForeignUser {
        ForeignUser::new(&radicale.origin(), &self.owner, PASSWORD)
    }

    /// The events in the simulator: single ones and masters.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.user().events(SALES)
    }

    /// Every object, with what its owner needs to change it.
    pub(crate) fn objects(&self) -> Vec<(String, String)> {
        let place = self.place();
        match &self.server {
            Server::CalDav(radicale) => {
                let Ok(entries) = fs::read_dir(radicale.folder(&place)) else { return Vec::new() };
                let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
                let names = names.filter(|name| name.ends_with(".ics"));
                let get = |path: &str| self.foreign_user(radicale).ask("GET", path, &[], "").body;
                names.map(|name| format!("{place}{name}")).map(|path| (path.clone(), get(&path))).collect()
            }
            Server::File(_) => {
                fs::read_to_string(place).map_or_else(|_| Vec::new(), |text| vec![(String::new(), text)])
            }
            Server::Graph(_) => Vec::new(),
        }
    }

    /// The owner writes something else in the one object that says this.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        if let Server::Graph(_) = self.server {
            let [from, to] = [from, to].map(|text| text.trim_start_matches("SUMMARY:"));
            let event = self.find(from);
            let subject = event["subject"].as_str().expect("a subject").replace(from, to);
            let change = json!({ "subject": subject });
            let _ = self.user().edit_event(id(&event), change).expect("edited");
            return;
        }
        let (path, text) =
            self.objects().into_iter().find(|(_, text)| unfolded(text).contains(from)).expect("it is there");
        self.put(&path, &unfolded(&text).replace(from, to));
    }

    /// The owner stores an object.
    pub(crate) fn put(&self, path: &str, text: &str) {
        match &self.server {
            Server::CalDav(radicale) => {
                let headers = [("content-type", "text/calendar")];
                let status = self.foreign_user(radicale).ask("PUT", path, &headers, text).status;
                assert!((200..300).contains(&status), "{status}");
            }
            Server::File(_) => fs::write(self.place(), text).expect("written"),
            Server::Graph(_) => unreachable!("it has no objects"),
        }
    }

    /// The owner adds an appointment or a task, said as a component of iCalendar.
    pub(crate) fn add(&self, uid: &str, component: &str) {
        let lines = component.replace('\n', "\r\n");
        match self.server {
            Server::CalDav(_) => {
                let whole =
                    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{lines}\r\nEND:VCALENDAR\r\n");
                self.put(&format!("{}{uid}.ics", self.place()), &whole);
            }
            Server::File(_) => {
                let text = fs::read_to_string(self.place()).expect("the calendar");
                self.put("", &text.replace("END:VCALENDAR", &format!("{lines}\r\nEND:VCALENDAR")));
            }
            Server::Graph(_) => self.make(component),
        }
    }

    /// The owner adds an item of whole days; the second day is the one after the last.
    pub(crate) fn add_days(&self, subject: &str, start: &str, end: &str) {
        if let Server::Graph(_) = self.server {
            let zone = self.user().contents()["timeZone"].clone();
            let day = |day: &str| json!({ "dateTime": format!("{day}T00:00:00"), "timeZone": zone });
            let event = json!({ "subject": subject, "isAllDay": true, "start": day(start), "end": day(end) });
            self.user().request("POST", &format!("{}/events", self.place()), event).expect("made");
            return;
        }
        let [start, end] = [start, end].map(|day| day.replace('-', ""));
        let days = format!("DTSTART;VALUE=DATE:{start}\nDTEND;VALUE=DATE:{end}");
        let head = format!("BEGIN:VEVENT\nUID:{subject}\nDTSTAMP:20261120T100000Z");
        self.add(subject, &format!("{head}\n{days}\nSUMMARY:{subject}\nEND:VEVENT"));
    }

    /// The owner makes the one item with this subject private, and gives it another subject.
    pub(crate) fn make_private(&self, from: &str, to: &str) {
        match self.server {
            Server::Graph(_) => {
                let change = json!({ "sensitivity": "private", "subject": to });
                let _ = self.user().edit_event(id(&self.find(from)), change).expect("edited");
            }
            _ => self.edit(&format!("SUMMARY:{from}"), &format!("CLASS:PRIVATE\r\nSUMMARY:{to}")),
        }
    }

    /// The owner makes another calendar.
    pub(crate) fn make_second(&self, name: &str) {
        match &self.server {
            Server::CalDav(radicale) => {
                let path = format!("/{}/{name}/", self.owner).replace(' ', "-");
                self.foreign_user(radicale).make_calendar(&path, name, &["VEVENT", "VTODO"]);
            }
            Server::File(_) => unreachable!("a file has one calendar"),
            Server::Graph(_) => {
                let _ = self.user().create_calendar(name).expect("a calendar");
            }
        }
    }

    /// The owner deletes the one object that says this.
    pub(crate) fn delete(&self, what: &str) {
        match &self.server {
            Server::CalDav(radicale) => {
                let (path, _) =
                    self.objects().into_iter().find(|(_, text)| unfolded(text).contains(what)).expect("it is there");
                let _ = self.foreign_user(radicale).ask("DELETE", &path, &[], "");
            }
            Server::File(_) => {
                let text = fs::read_to_string(self.place()).expect("the calendar");
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
            Server::Graph(_) => {
                let event = self.find(what.trim_start_matches("SUMMARY:"));
                self.user().delete_event(id(&event)).expect("deleted");
            }
        }
    }

    /// The owner deletes everything.
    pub(crate) fn empty(&self) {
        match &self.server {
            Server::CalDav(radicale) => {
                for (path, _) in self.objects() {
                    let _ = self.foreign_user(radicale).ask("DELETE", &path, &[], "");
                }
            }
            Server::File(_) => {
                let text = fs::read_to_string(self.place()).expect("the calendar");
                let (head, _) = text.split_once("BEGIN:VEVENT").expect("an appointment");
                self.put("", &format!("{head}END:VCALENDAR\r\n"));
            }
            Server::Graph(_) => {
                for event in self.events() {
                    self.user().delete_event(id(&event)).expect("deleted");
                }
            }
        }
    }

    fn find(&self, what: &str) -> Value {
        self.events().into_iter().find(|event| shown(event).contains(what)).expect("it is there")
    }

    /// Makes what a component of iCalendar says.
    fn make(&self, component: &str) {
        let value = |name: &str| component.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
        let user = self.user();
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
        let sensitivity = value("CLASS").map_or("normal".to_owned(), str::to_lowercase);
        let event = json!({
            "subject": subject, "start": moment("DTSTART"), "end": moment("DTEND"), "sensitivity": sensitivity
        });
        user.request("POST", &format!("{}/events", self.place()), event).expect("made");
    }
}

/// Long lines are written in pieces (RFC 5545 3.1).
pub(crate) fn unfolded(text: &str) -> String {
    text.replace("\r\n ", "")
}

/// The id of an event.
pub(crate) fn id(event: &Value) -> &str {
    event["id"].as_str().expect("an id")
}

fn shown(event: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let shows = if event["showAs"] == "free" { "TRANSPARENT" } else { "OPAQUE" };
    let categories: Vec<_> = event["categories"].as_array().into_iter().flatten().map(text).collect();
    let (subject, body, categories) = (text(&event["subject"]), text(&event["text"]), categories.join(","));
    format!("SUMMARY:{subject}\n{body}\nTRANSP:{shows}\nCATEGORIES:{categories}\n")
}
