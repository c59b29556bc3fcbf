//! A simulator with one mailbox, and the connector's five functions on it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use apptsync_plugin::connector::{
    Account, Change, Collection, Connection, Contact, Content, Create, Entry, Fields, Identity, Item, Kind, Mark,
    Operation, Outcome, Page, Reference, Target, Update, Window,
};
use apptsync_plugin::http::{Failure as NoResponse, Request, Response, SIDE_BY_SIDE};
use apptsync_plugin::types::{Failure, Period, Priority, Timed};
use graph_simulator::{Options, Simulator, User};
use outlook_graph::Host;
use serde_json::{Value, json};

pub(crate) const MAILBOX: &str = "anna@contoso.example";
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 86_400;
/// Tuesday 2026-12-01, 09:00 UTC.
pub(crate) const MORNING: i64 = 1_796_115_600;

/// What the host does in earnest: sends, and adds the credential.
pub(crate) struct Wire {
    agent: ureq::Agent,
    token: Mutex<String>,
    warnings: Mutex<Vec<String>>,
    sent: Mutex<Vec<Request>>,
    /// An origin that stands for the simulator's, in requests and in links.
    alias: Option<(&'static str, String)>,
}

impl Wire {
    fn send(&self, request: &Request) -> Result<Response, NoResponse> {
        let not_sent = |error: ureq::http::Error| NoResponse::NotSent(error.to_string());
        let token = self.token.lock().unwrap().clone();
        self.sent.lock().unwrap().push(request.clone());
        let url = match &self.alias {
            Some((alias, base)) => request.url.replace(alias, base),
            None => request.url.clone(),
        };
        let mut builder = ureq::http::Request::builder().method(request.method.as_str()).uri(&url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        builder = builder.header("authorization", format!("Bearer {token}"));
        let answer = if request.body.is_empty() {
            self.agent.run(builder.body(()).map_err(not_sent)?)
        } else {
            self.agent.run(builder.body(request.body.clone()).map_err(not_sent)?)
        };
        let no_answer = |error: ureq::Error| NoResponse::NoAnswer(error.to_string());
        let mut answer = answer.map_err(no_answer)?;
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let status = answer.status().as_u16();
        let mut body = answer.body_mut().with_config().limit(64 << 20).read_to_vec().map_err(no_answer)?;
        if let Some((alias, base)) = &self.alias {
            body = String::from_utf8_lossy(&body).replace(base, alias).into_bytes();
        }
        Ok(Response { status, headers, body })
    }
}

impl Host for Wire {
    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, NoResponse>> {
        let side_by_side = |requests: &[Request]| {
            std::thread::scope(|scope| {
                let threads: Vec<_> = requests.iter().map(|request| scope.spawn(|| self.send(request))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            })
        };
        requests.chunks(SIDE_BY_SIDE).flat_map(side_by_side).collect()
    }

    fn warn(&self, about: &str, message: &str) {
        self.warnings.lock().unwrap().push(format!("{about}: {message}"));
    }
}

/// A mailbox, the connector, and one of its collections.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) wire: Wire,
    pub(crate) account: Account,
    pub(crate) target: Target,
    pub(crate) window: Window,
}

impl Bench {
    pub(crate) fn new(kind: Kind) -> Self {
        let simulator = Simulator::start(Options::default()).unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let wire = Wire {
            agent: config.build().new_agent(),
            token: Mutex::new(simulator.access_token(None)),
            warnings: Mutex::default(),
            sent: Mutex::default(),
            alias: None,
        };
        let account = Account {
            server: simulator.base_url().to_owned(),
            mailbox: MAILBOX.to_owned(),
            zone: "Europe/Warsaw".to_owned(),
        };
        let target = Target { kind, collection: String::new() };
        let window = Window { start: MORNING - 7 * DAY, end: MORNING + 90 * DAY };
        let mut bench = Self { simulator, wire, account, target, window };
        if kind == Kind::Contact {
            // The default address book is told by a contact in it.
            bench.user().request("POST", "contacts", json!({"displayName": "Old friend"})).unwrap();
        }
        bench.target.collection = bench.default(kind).id;
        bench
    }

    pub(crate) fn user(&self) -> User<'_> {
        self.simulator.user(MAILBOX)
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.wire.warnings.lock().unwrap().clone()
    }

    /// All requests so far.
    pub(crate) fn sent(&self) -> Vec<Request> {
        self.wire.sent.lock().unwrap().clone()
    }

    /// The parts of all batches so far, batch by batch.
    pub(crate) fn batches(&self) -> Vec<Vec<Value>> {
        let parts = |request: &Request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["requests"].as_array().unwrap().clone()
        };
        self.sent().iter().filter(|request| request.url.ends_with("/$batch")).map(parts).collect()
    }

    /// The simulator under another address, as if it were another cloud.
    pub(crate) fn in_cloud(&mut self, origin: &'static str) {
        self.wire.alias = Some((origin, self.simulator.base_url().to_owned()));
        self.account.server = origin.to_owned();
    }

    pub(crate) fn renew_token(&self) {
        *self.wire.token.lock().unwrap() = self.simulator.access_token(None);
    }

    pub(crate) fn default(&self, kind: Kind) -> Collection {
        let found = self.probe().unwrap().collections.into_iter().find(|one| one.kind == kind && one.is_default);
        found.expect("the mailbox has a default collection")
    }

    pub(crate) fn probe(&self) -> Result<Connection, Failure> {
        outlook_graph::probe(&self.wire, &self.account)
    }

    pub(crate) fn pull(&self, cursor: Option<&str>) -> Result<Page, Failure> {
        outlook_graph::pull(&self.wire, &self.account, &self.target, &self.window, cursor)
    }

    /// The same on a calendar, a list or an address book that the user can delete; and the path by which.
    pub(crate) fn in_own_collection(mut self) -> (Self, String) {
        let (path, name) = match self.target.kind {
            Kind::Appointment => ("calendars", "name"),
            Kind::Task => ("todo/lists", "displayName"),
            Kind::Contact => ("contactFolders", "displayName"),
        };
        let made = self.user().request("POST", path, json!({name: "Own"})).unwrap();
        self.target.collection = made["id"].as_str().unwrap().to_owned();
        let path = format!("{path}/{}", self.target.collection);
        (self, path)
    }

    /// A whole pass: its changes, and where the next begins.
    pub(crate) fn pass(&self, cursor: Option<&str>) -> Result<(Vec<Change>, String, bool), Failure> {
        let mut changes = Vec::new();
        let mut cursor = cursor.map(str::to_owned);
        loop {
            let page = self.pull(cursor.as_deref())?;
            changes.extend(page.changes);
            if page.done {
                return Ok((changes, page.next, page.full));
            }
            cursor = Some(page.next);
        }
    }

    /// The ids and versions of everything in the window.
    pub(crate) fn versions(&self) -> Option<BTreeMap<String, String>> {
        let mut versions = BTreeMap::new();
        let mut next: Option<String> = None;
        loop {
            let page = outlook_graph::versions(&self.wire, &self.account, &self.target, &self.window, next.as_deref());
            let page = page.unwrap()?;
            assert!(page.items.len() <= 4_096);
            versions.extend(page.items.into_iter().map(|item| (item.remote_id, item.etag)));
            next = page.next;
            if next.is_none() {
                return Some(versions);
            }
        }
    }

    pub(crate) fn fetch(&self, ids: &[String]) -> Vec<Result<Option<Item>, Failure>> {
        outlook_graph::fetch(&self.wire, &self.account, &self.target, ids).unwrap()
    }

    pub(crate) fn fetch_one(&self, id: &str) -> Result<Option<Item>, Failure> {
        self.fetch(&[id.to_owned()]).remove(0)
    }

    pub(crate) fn find(&self, ids: &[&str]) -> Result<Vec<Vec<Item>>, Failure> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        outlook_graph::find(&self.wire, &self.account, &self.target, &ids)
    }

    pub(crate) fn try_push(&self, operations: &[Operation]) -> Result<Vec<Outcome>, Failure> {
        outlook_graph::push(&self.wire, &self.account, &self.target, operations)
    }

    pub(crate) fn push(&self, operations: &[Operation]) -> Vec<Outcome> {
        self.try_push(operations).unwrap()
    }

    pub(crate) fn push_one(&self, operation: Operation) -> Result<Option<Item>, Failure> {
        match self.push(&[operation]).remove(0) {
            Outcome::Done(item) => Ok(item),
            Outcome::Failed(failure) => Err(failure),
        }
    }

    /// The user makes an hour of the first of December, at nine in a zone.
    pub(crate) fn by_the_user(&self, zone: &str) -> Item {
        let event = json!({"subject": "Over there", "start": at(9, zone), "end": at(10, zone)});
        self.user().request("POST", "events", event).unwrap();
        present(&self.pass(None).unwrap().0).remove(0).clone()
    }

    /// The same, repeated daily so many times.
    pub(crate) fn daily_by_the_user(&self, zone: &str, count: usize) -> Value {
        let event = json!({
            "subject": "Round", "start": at(9, zone), "end": at(10, zone),
            "recurrence": {
                "pattern": {"type": "daily", "interval": 1},
                "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": count},
            },
        });
        self.user().request("POST", "events", event).unwrap()
    }

    /// Makes an item, which must work.
    pub(crate) fn made(&self, number: usize, content: Content) -> Item {
        self.push_one(create(number, content)).unwrap().unwrap()
    }
}

fn at(hour: u32, zone: &str) -> Value {
    json!({"dateTime": format!("2026-12-01T{hour:02}:00:00"), "timeZone": zone})
}

/// The key and the id of a number.
pub(crate) fn create(number: usize, content: Content) -> Operation {
    let key = format!("00000000-0000-4000-8000-{number:012}");
    Operation::Create(Create { key, our_id: our_id(number), writer: "run-1".to_owned(), content })
}

pub(crate) fn our_id(number: usize) -> String {
    format!("link-{number}")
}

pub(crate) fn update(item: &Item, content: Content, fields: Fields) -> Operation {
    Operation::Update(Update {
        remote_id: item.remote_id.clone(),
        etag: item.etag.clone(),
        content,
        fields,
        our_id: None,
        writer: "run-2".to_owned(),
    })
}

pub(crate) fn adopt(item: &Item, our_id: &str) -> Operation {
    Operation::Update(Update {
        remote_id: item.remote_id.clone(),
        etag: item.etag.clone(),
        content: item.content.clone(),
        fields: Fields::empty(),
        our_id: Some(our_id.to_owned()),
        writer: "run-2".to_owned(),
    })
}

pub(crate) fn mark(item: &Item, locked: bool) -> Operation {
    Operation::Mark(Mark { remote_id: item.remote_id.clone(), etag: item.etag.clone(), locked })
}

pub(crate) fn reference(item: &Item) -> Reference {
    Reference { remote_id: item.remote_id.clone(), etag: item.etag.clone() }
}

pub(crate) fn entry(item: &Item) -> Entry {
    match &item.content {
        Content::Entry(entry) => entry.clone(),
        Content::Contact(_) => panic!("an entry is needed"),
    }
}

/// A visit of an hour that begins so many hours after [`MORNING`].
pub(crate) fn visit(hours: i64) -> Entry {
    let start = MORNING + hours * HOUR;
    Entry {
        subject: format!("Visit {hours}"),
        body: "Bring the price list.\nAsk for the order.".to_owned(),
        location: "Długa 5, Kraków".to_owned(),
        period: Some(Period::Timed(Timed { start, end: start + HOUR })),
        zone: String::new(),
        priority: Priority::High,
        completed: None,
    }
}

/// A customer, with a number.
pub(crate) fn customer(number: usize) -> Contact {
    Contact {
        name: format!("Jan Kowalski {number}"),
        company: "Kowalski i Synowie".to_owned(),
        email: "jan@kowalski.example".to_owned(),
        phone: "+48 12 345 67 89".to_owned(),
        street: "Długa 5".to_owned(),
        postcode: "31-147".to_owned(),
        city: "Kraków".to_owned(),
        country: "Poland".to_owned(),
        note: String::new(),
    }
}

/// What fits into a collection of a kind.
pub(crate) fn content(kind: Kind, number: usize) -> Content {
    match kind {
        Kind::Contact => Content::Contact(customer(number)),
        Kind::Appointment | Kind::Task => Content::Entry(visit(number as i64)),
    }
}

/// The item of an outcome that must be good.
pub(crate) fn done(outcome: &Outcome) -> &Item {
    match outcome {
        Outcome::Done(Some(item)) => item,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn present<'a>(changes: &'a [Change]) -> Vec<&'a Item> {
    let present = |change: &'a Change| match change {
        Change::Present(item) => Some(item),
        Change::Series(_) | Change::Known(_) | Change::Removed(_) => None,
    };
    changes.iter().filter_map(present).collect()
}

pub(crate) fn is_ours(item: &Item, id: &str) -> bool {
    item.identity == Identity::Ours(id.to_owned())
}
