//! One mailbox at one server: requests, and what every one of them carries.

use apptsync_plugin::connector::Account;
use apptsync_plugin::http::{self, Request, Response};
use apptsync_plugin::types::Failure;
use chrono_tz::Tz;
use serde_json::Value;

use crate::Host;
use crate::address::{Root, encode};
use crate::errors::Refusal;
use crate::zones;

/// Items that a page of the server shall have.
pub(crate) const PAGE_SIZE: usize = 200;
/// Pages that one listing may have before something is wrong with it.
const MOST_PAGES: usize = 500;

/// A mailbox.
pub(crate) struct Graph<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) root: Root,
    /// The zone of the account.
    pub(crate) zone: Tz,
    /// `/users/…`.
    user: String,
}

impl<'a> Graph<'a> {
    /// The mailbox of an account.
    ///
    /// # Errors
    ///
    /// The address or the zone of the account is not valid, or it names no mailbox.
    pub(crate) fn new(host: &'a dyn Host, account: &Account) -> Result<Self, Failure> {
        let root = Root::parse(&account.server)?;
        let zone = zones::account(&account.zone).map_err(Failure::Permanent)?;
        if account.mailbox.is_empty() {
            return Err(Failure::Permanent("the profile names no mailbox".to_owned()));
        }
        Ok(Self { host, root, zone, user: format!("/users/{}", encode(&account.mailbox)) })
    }

    /// A resource of the mailbox, relative to version 1.0.
    pub(crate) fn resource(&self, path: &str) -> String {
        format!("{}{path}", self.user)
    }

    /// Reads a path and query at the origin.
    ///
    /// # Errors
    ///
    /// What the server, or the way to it, says for a whole call.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.get_all(&[path.to_owned()]).pop().unwrap_or_else(|| Err(unanswered()))
    }

    /// Reads several side by side.
    pub(crate) fn get_all(&self, paths: &[String]) -> Vec<Result<Value, Failure>> {
        let request = |path: &String| with_headers(Request::new("GET", self.root.url(path)));
        let requests: Vec<_> = paths.iter().map(request).collect();
        let answers = self.host.send_all(&requests);
        answers.into_iter().map(|answer| call(answer.map_err(|why| Failure::Transient(why.to_string()))?)).collect()
    }

    /// The rest of a listing: follows `nextLink` from a page on, and hands over each further page's values.
    ///
    /// # Errors
    ///
    /// A page cannot be read, or there are too many.
    pub(crate) fn follow(
        &self,
        first: Value,
        mut each: impl FnMut(Vec<Value>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut page = first;
        for _ in 0..MOST_PAGES {
            each(values(&mut page)?)?;
            let Some(link) = page["@odata.nextLink"].as_str() else { return Ok(()) };
            page = self.get(&self.root.follow(link)?)?;
        }
        Err(Failure::Permanent(format!("a listing of the server has more than {MOST_PAGES} pages")))
    }

    /// Posts to `$batch`.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub(crate) fn post_batch(&self, body: &Value) -> Result<Response, http::Failure> {
        let url = self.root.url(&self.root.path("/$batch"));
        let request = with_headers(Request::new("POST", url)).body("application/json", body.to_string());
        let missing = || Err(http::Failure::NotSent("the request was not sent".to_owned()));
        self.host.send_all(&[request]).pop().unwrap_or_else(missing)
    }
}

/// A header that every request carries, also each of a batch. Without `IdType`, ids change when an item is moved; without the
/// body type Exchange hands out its own HTML.
pub(crate) fn preferences() -> (&'static str, String) {
    let prefer = format!(
        "IdType=\"ImmutableId\", outlook.body-content-type=\"text\", outlook.timezone=\"UTC\", odata.maxpagesize={PAGE_SIZE}"
    );
    ("Prefer", prefer)
}

fn with_headers(request: Request) -> Request {
    let (name, value) = preferences();
    request.header("Accept", "application/json").header(name, value)
}

/// The body of an answer to a request that reads.
fn call(response: Response) -> Result<Value, Failure> {
    if response.is_success() {
        return parse(&response);
    }
    let body = serde_json::from_slice(&response.body).unwrap_or_default();
    Err(Refusal::new(response.status, response.header("retry-after"), &body).of_call())
}

/// The body of an answer that must have one.
///
/// # Errors
///
/// It is no JSON.
pub(crate) fn parse(response: &Response) -> Result<Value, Failure> {
    let no_json = |error: serde_json::Error| {
        Failure::Transient(format!("the server answers {} with what is no JSON: {error}", response.status))
    };
    serde_json::from_slice(&response.body).map_err(no_json)
}

/// Takes the values out of a page of a listing.
///
/// # Errors
///
/// It is no such page.
pub(crate) fn values(page: &mut Value) -> Result<Vec<Value>, Failure> {
    match page.get_mut("value").map(Value::take) {
        Some(Value::Array(values)) => Ok(values),
        _ => Err(Failure::Transient("the server answers with what is no page of a listing".to_owned())),
    }
}

fn unanswered() -> Failure {
    Failure::Transient("there is no answer".to_owned())
}
