//! Hosts for the connector: one with real HTTP, one that answers what a test says.

use std::cell::RefCell;
use std::collections::BTreeMap;

use apptsync_plugin::connector::{
    Account, Change, Content, Create, Entry, Identity, Item, Kind, Operation, Page, Reference, Target, Window,
};
use apptsync_plugin::http::{Failure as NoResponse, Request, Response};
use apptsync_plugin::types::{Failure, Period, Priority, Timed};
use apptsync_tests::calendar_servers::authorization;
use caldav::{CalDav, Host};

/// 2026-12-01T00:00:00Z, the beginning of the window of the tests.
pub(crate) const DAY: i64 = 1_796_083_200;
/// All of December 2026.
pub(crate) const WINDOW: Window = Window { start: DAY, end: DAY + 31 * 86_400 };

/// What a host has besides HTTP, and what it saw.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) kept: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) warnings: RefCell<Vec<String>>,
    /// `METHOD path` of every request.
    pub(crate) requests: RefCell<Vec<String>>,
}

impl Memory {
    fn note(&self, request: &Request) {
        let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
        self.requests.borrow_mut().push(format!("{} /{path}", request.method));
    }

    /// How many requests there were since the last time.
    pub(crate) fn count(&self) -> usize {
        self.requests.take().len()
    }
}

/// Sends requests as the program does, with the credential of the tests' user.
pub(crate) struct Real {
    pub(crate) memory: Memory,
    agent: ureq::Agent,
    authorization: String,
    /// Changes an answer on its way, to make the server less able than it is.
    pub(crate) disguise: fn(&Request, Response) -> Response,
}

impl Real {
    pub(crate) fn new(password: &str) -> Self {
        let configuration = ureq::Agent::config_builder()
            .allow_non_standard_methods(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false);
        Self {
            memory: Memory::default(),
            agent: configuration.build().into(),
            authorization: authorization("user", password),
            disguise: |_, response| response,
        }
    }

    fn send(&self, request: &Request) -> Result<Response, NoResponse> {
        let no_answer = |error: &dyn std::fmt::Display| NoResponse::NoAnswer(error.to_string());
        let mut sent = ureq::http::Request::builder().method(request.method.as_str()).uri(&request.url);
        sent = sent.header("authorization", &self.authorization);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        let sent = sent.body(request.body.clone()).map_err(|error| no_answer(&error))?;
        let mut answer = self.agent.run(sent).map_err(|error| match error {
            ureq::Error::ConnectionFailed | ureq::Error::Io(_) => {
                NoResponse::NotSent("the server refuses the connection".to_owned())
            }
            other => no_answer(&other),
        })?;
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(Response {
            status: answer.status().as_u16(),
            headers: answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: answer.body_mut().read_to_vec().map_err(|error| no_answer(&error))?,
        })
    }
}

impl Host for Real {
    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, NoResponse>> {
        requests.iter().for_each(|request| self.memory.note(request));
        requests.iter().map(|request| self.send(request).map(|answer| (self.disguise)(request, answer))).collect()
    }

    fn kept(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.memory.kept.borrow().get(key).cloned())
    }

    fn keep(&self, key: &str, value: &[u8]) -> Result<(), String> {
        assert!(key.len() <= 256 && value.len() <= 65_536);
        self.memory.kept.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn forget(&self, key: &str) -> Result<(), String> {
        self.memory.kept.borrow_mut().remove(key);
        Ok(())
    }

    fn warn(&self, about: &str, message: &str) {
        self.memory.warnings.borrow_mut().push(format!("{about}: {message}"));
    }
}

type Answers = dyn Fn(&Request) -> Result<Response, NoResponse>;

/// Answers what a test says.
pub(crate) struct Scripted {
    pub(crate) memory: Memory,
    answers: Box<Answers>,
}

impl Scripted {
    pub(crate) fn new(answers: impl Fn(&Request) -> Result<Response, NoResponse> + 'static) -> Self {
        Self { memory: Memory::default(), answers: Box::new(answers) }
    }

    /// The same answer to everything.
    pub(crate) fn always(status: u16, headers: &'static [(&'static str, &'static str)], body: &str) -> Self {
        let body = body.to_owned();
        Self::new(move |_| Ok(answer(status, headers, &body)))
    }
}

impl Host for Scripted {
    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, NoResponse>> {
        requests.iter().for_each(|request| self.memory.note(request));
        requests.iter().map(|request| (self.answers)(request)).collect()
    }

    fn kept(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.memory.kept.borrow().get(key).cloned())
    }

    fn keep(&self, key: &str, value: &[u8]) -> Result<(), String> {
        self.memory.kept.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn forget(&self, key: &str) -> Result<(), String> {
        self.memory.kept.borrow_mut().remove(key);
        Ok(())
    }

    fn warn(&self, about: &str, message: &str) {
        self.memory.warnings.borrow_mut().push(format!("{about}: {message}"));
    }
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status, headers, body: body.as_bytes().to_vec() }
}

/// A calendar at a server, through the connector.
pub(crate) struct Calendar<'h> {
    connector: CalDav<'h>,
    account: Account,
    target: Target,
}

impl<'h> Calendar<'h> {
    pub(crate) fn new(host: &'h dyn Host, origin: &str, path: &str) -> Self {
        Self::of_kind(host, origin, path, Kind::Appointment)
    }

    pub(crate) fn of_kind(host: &'h dyn Host, origin: &str, path: &str, kind: Kind) -> Self {
        Self {
            connector: CalDav::new(host),
            account: account(origin),
            target: Target { kind, collection: path.to_owned() },
        }
    }

    pub(crate) fn page(&self, cursor: Option<&str>) -> Result<Page, Failure> {
        self.connector.pull(&self.account, &self.target, WINDOW, cursor)
    }

    /// A whole pass: what changed, by id, and the cursor of the next one.
    pub(crate) fn pass(&self, cursor: Option<&str>) -> (BTreeMap<String, Change>, String) {
        let mut page = self.page(cursor).expect("a page");
        let mut changes = BTreeMap::new();
        loop {
            assert_eq!(page.full, cursor.is_none());
            assert!(page.changes.len() <= 1_024);
            changes.extend(page.changes.into_iter().map(|change| (id(&change), change)));
            if page.done {
                return (changes, page.next);
            }
            page = self.page(Some(&page.next)).expect("a page");
        }
    }

    /// The ids and versions of everything in the window.
    pub(crate) fn versions(&self) -> BTreeMap<String, String> {
        let mut versions = BTreeMap::new();
        let mut next: Option<String> = None;
        loop {
            let page =
                self.connector.versions(&self.account, &self.target, WINDOW, next.as_deref()).expect("a listing");
            assert!(page.items.len() <= 4_096);
            versions.extend(page.items.into_iter().map(|item| (item.remote_id, item.etag)));
            next = page.next;
            if next.is_none() {
                return versions;
            }
        }
    }

    pub(crate) fn fetch(&self, ids: &[&str]) -> Vec<Result<Option<Item>, Failure>> {
        self.try_fetch(ids).expect("answers")
    }

    pub(crate) fn try_fetch(&self, ids: &[&str]) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.connector.fetch(&self.account, &self.target, &ids)
    }

    pub(crate) fn find(&self, ids: &[&str]) -> Vec<Vec<Item>> {
        self.try_find(ids).expect("answers")
    }

    pub(crate) fn try_find(&self, ids: &[&str]) -> Result<Vec<Vec<Item>>, Failure> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.connector.find(&self.account, &self.target, &ids)
    }

    /// The items that were written, or none after a deletion, or why not.
    pub(crate) fn push(&self, batch: &[Operation]) -> Vec<Result<Option<Item>, Failure>> {
        self.try_push(batch).expect("outcomes")
    }

    pub(crate) fn try_push(&self, batch: &[Operation]) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        use apptsync_plugin::connector::Outcome;
        let outcomes = self.connector.push(&self.account, &self.target, batch)?;
        assert_eq!(outcomes.len(), batch.len());
        let result = |outcome| match outcome {
            Outcome::Done(item) => Ok(item),
            Outcome::Failed(failure) => Err(failure),
        };
        Ok(outcomes.into_iter().map(result).collect())
    }

    /// Creates one item.
    pub(crate) fn create(&self, number: u32, entry: Entry) -> Item {
        let outcome = self.push(&[create(number, entry)]).remove(0);
        outcome.expect("done").expect("an item")
    }
}

pub(crate) fn account(server: &str) -> Account {
    Account { server: server.to_owned(), mailbox: "user".to_owned(), zone: "Europe/Warsaw".to_owned() }
}

/// The id of what changed.
pub(crate) fn id(change: &Change) -> String {
    match change {
        Change::Present(item) => item.remote_id.clone(),
        Change::Series(series) => series.id.clone(),
        Change::Known(known) => known.remote_id.clone(),
        Change::Removed(id) => id.clone(),
    }
}

/// An hour on the first of December, at `hour` o'clock UTC.
pub(crate) fn visit(subject: &str, hour: i64) -> Entry {
    Entry {
        subject: subject.to_owned(),
        body: "Show the new range".to_owned(),
        location: "Długa 1, Kraków".to_owned(),
        period: Some(Period::Timed(Timed { start: DAY + hour * 3_600, end: DAY + (hour + 1) * 3_600 })),
        zone: "Europe/Warsaw".to_owned(),
        priority: Priority::Normal,
        completed: None,
    }
}

pub(crate) fn key(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

pub(crate) fn create(number: u32, entry: Entry) -> Operation {
    Operation::Create(Create {
        key: key(number),
        our_id: format!("our-{number}"),
        writer: "run-1".to_owned(),
        content: Content::Entry(entry),
    })
}

pub(crate) fn reference(item: &Item) -> Reference {
    Reference { remote_id: item.remote_id.clone(), etag: item.etag.clone() }
}

pub(crate) fn entry(item: &Item) -> &Entry {
    match &item.content {
        Content::Entry(entry) => entry,
        Content::Contact(_) => panic!("a contact: {item:?}"),
    }
}

pub(crate) fn ours(item: &Item) -> Option<&str> {
    match &item.identity {
        Identity::Ours(id) => Some(id),
        Identity::None | Identity::Unread => None,
    }
}

/// An object with these lines, as another program writes it.
pub(crate) fn object(uid: &str, lines: &[&str]) -> String {
    let head = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Another//Program//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\n"
    );
    format!("{head}{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", lines.join("\r\n"))
}

/// An hour of another program, at `hour` o'clock UTC on a day of December.
pub(crate) fn meeting(uid: &str, day: u32, hour: u32) -> String {
    let start = format!("DTSTART:202612{day:02}T{hour:02}0000Z");
    let end = format!("DTEND:202612{day:02}T{:02}0000Z", hour + 1);
    object(uid, &[&start, &end, &format!("SUMMARY:Meeting {uid}")])
}
