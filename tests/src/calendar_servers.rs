//! Real calendar servers, started for one test on a free loopback port, and their users other than ours.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Seek as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::Event;
use ureq::http::Request;

/// How long to wait between two looks at whether a server answers.
const GLANCE: Duration = Duration::from_millis(10);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ports that are tried; another process may take one before the server does.
const PORTS: usize = 5;

/// The folder with the programs of the servers and clients, installed if they are not there.
///
/// # Panics
/// They cannot be installed.
#[must_use]
pub fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let status = Command::new(tests.join("servers/install")).stdin(Stdio::null()).status().expect("bash runs");
        assert!(status.success(), "the servers cannot be installed");
        tests.join("../target/servers/bin").canonicalize().expect("the servers are installed")
    })
}

/// A process that serves on a port, stopped when dropped.
pub(crate) struct Server {
    process: Child,
    /// The port, on 127.0.0.1.
    pub(crate) port: u16,
}

impl Server {
    /// Starts what the command for a port says, and waits until it answers. `is_ours` asks the server at an origin for
    /// something that no other server has: another process may have taken the port first, and answers there.
    ///
    /// # Panics
    /// It does not start.
    pub(crate) fn start(command: impl Fn(u16) -> Command, is_ours: impl Fn(&str) -> bool) -> Self {
        (0..PORTS).find_map(|_| Self::start_on(free_port(), &command, &is_ours)).expect("the server starts")
    }

    /// As [`Server::start`], on this port; none where the process ends before it answers.
    pub(crate) fn start_on(
        port: u16,
        command: impl Fn(u16) -> Command,
        is_ours: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let mut command = command(port);
        let mut log = tempfile::tempfile().expect("a temporary file");
        let errors = log.try_clone().expect("a second handle");
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn();
        let mut server = Self { process: process.expect("the server's program runs"), port };
        let origin = server.origin();
        loop {
            if server.process.try_wait().expect("the process is ours").is_some() {
                let mut said = String::new();
                log.rewind().and_then(|()| log.read_to_string(&mut said)).expect("what it said");
                eprintln!("a server ended before it answered: {said}");
                return None;
            }
            if is_ours(&origin) {
                return Some(server);
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// `http://127.0.0.1:port`
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A name that nothing else has.
pub(crate) fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A port that nobody has, and that no other test of this process gets.
fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            return port;
        }
    }
}

/// Somebody who uses the server with another program than ours.
pub struct ForeignUser {
    agent: ureq::Agent,
    origin: String,
    authorization: String,
}

/// An answer to a foreign user.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The entity tag, where there is one.
    pub etag: Option<String>,
    /// The body.
    pub body: String,
}

impl ForeignUser {
    /// A user of the server at an origin.
    #[must_use]
    pub fn new(origin: &str, user: &str, password: &str) -> Self {
        let configuration = ureq::Agent::config_builder()
            .allow_non_standard_methods(true)
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE));
        Self {
            agent: configuration.build().into(),
            origin: origin.to_owned(),
            authorization: authorization(user, password),
        }
    }

    /// True when the server is there and has something at this path for this user.
    #[must_use]
    pub fn finds(&self, path: &str) -> bool {
        let headers = [("depth", "0"), ("content-type", "application/xml")];
        let body = "<propfind xmlns='DAV:'><prop><resourcetype/></prop></propfind>";
        self.try_ask("PROPFIND", path, &headers, body)
            .is_ok_and(|answer| answer.status == 207 && !answer.body.contains(" 404 "))
    }

    /// Any request, whatever its answer.
    ///
    /// # Panics
    /// There is no answer.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_ask(method, path, headers, body).expect("the server answers with text")
    }

    fn try_ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.origin));
        request = request.header("authorization", &self.authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).expect("a request");
        let mut answer = self.agent.run(request)?;
        Ok(Answer {
            status: answer.status().as_u16(),
            etag: answer.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned),
            body: answer.body_mut().read_to_string()?,
        })
    }

    fn succeed(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self.ask(method, path, headers, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: status {}: {}", answer.status, answer.body);
        answer
    }

    /// Makes a calendar for components such as `VEVENT`.
    ///
    /// # Panics
    /// The server refuses.
    pub fn make_calendar(&self, path: &str, name: &str, components: &[&str]) {
        let components: String = components.iter().map(|name| format!("<C:comp name='{name}'/>")).collect();
        let body = format!(
            "<C:mkcalendar xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><D:set><D:prop><D:displayname>{name}\
             </D:displayname><C:supported-calendar-component-set>{components}</C:supported-calendar-component-set>\
             </D:prop></D:set></C:mkcalendar>"
        );
        self.succeed("MKCALENDAR", path, &[("content-type", "application/xml")], &body);
    }

    /// Stores an object, new or not, and gives its entity tag.
    ///
    /// # Panics
    /// The server refuses.
    pub fn put(&self, path: &str, object: &str) -> String {
        let answer = self.succeed("PUT", path, &[("content-type", "text/calendar; charset=utf-8")], object);
        answer.etag.unwrap_or_default()
    }

    /// Stores a whole calendar in place of what is in it; Radicale takes that in one request.
    ///
    /// # Panics
    /// The server refuses.
    pub fn replace_calendar(&self, path: &str, objects: &[String]) {
        let mut whole = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Another//Program//EN\r\n");
        for object in objects {
            let (start, _) = object.match_indices("BEGIN:V").nth(1).expect("a component");
            whole.push_str(object[start..].trim_end().strip_suffix("END:VCALENDAR").expect("a calendar"));
        }
        whole.push_str("END:VCALENDAR\r\n");
        self.succeed("PUT", path, &[("content-type", "text/calendar; charset=utf-8")], &whole);
    }

    /// An object as the server has it; none where it has none.
    ///
    /// # Panics
    /// The server says neither.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<String> {
        let answer = self.ask("GET", path, &[], "");
        match answer.status {
            404 => None,
            200 => Some(answer.body),
            status => panic!("GET {path}: status {status}: {}", answer.body),
        }
    }

    /// Deletes an object or a calendar.
    ///
    /// # Panics
    /// The server refuses.
    pub fn delete(&self, path: &str) {
        self.succeed("DELETE", path, &[], "");
    }

    /// The objects of a calendar, by their paths.
    ///
    /// # Panics
    /// The server does not list them.
    #[must_use]
    pub fn objects(&self, calendar: &str) -> BTreeMap<String, String> {
        let body = "<propfind xmlns='DAV:'><prop><getetag/></prop></propfind>";
        let answer = self.succeed("PROPFIND", calendar, &[("depth", "1"), ("content-type", "application/xml")], body);
        let paths = references(&answer.body).into_iter().filter(|path| !path.ends_with('/'));
        paths.filter_map(|path| self.get(&path).map(|object| (path, object))).collect()
    }
}

/// The value of the header `Authorization`.
#[must_use]
pub fn authorization(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// The texts of all `href` elements, without those of the properties.
fn references(document: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let (mut inside, mut found) = (false, Vec::new());
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => inside = start.local_name().into_inner() == "href",
            Event::Text(text) if inside => found.push(text.xml10_content().into_owned()),
            Event::End(_) => inside = false,
            Event::Eof => return found,
            _ => {}
        }
    }
}
