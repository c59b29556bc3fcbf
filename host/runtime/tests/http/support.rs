//! Grants and requests as the tests want them.

use std::net::IpAddr;
use std::sync::Mutex;
use std::{io, time::Duration};

use apptsync_runtime::{HttpClient, HttpError, HttpGrant, HttpLimits, HttpRequest, HttpResponse, Resolver};

/// A grant for an origin and nothing else.
pub(crate) fn grant(origin: &str) -> HttpGrant {
    HttpGrant::new(origin.parse().expect("an origin"))
}

/// A request without headers and body.
pub(crate) fn get(url: &str) -> HttpRequest {
    HttpRequest { method: "GET".into(), url: url.into(), headers: Vec::new(), body: Vec::new() }
}

/// Sends by a client of its own.
pub(crate) fn send(request: &HttpRequest, grant: &HttpGrant) -> Result<HttpResponse, HttpError> {
    HttpClient::default().send(request, grant, &HttpLimits::default())
}

/// Limits under which a test need not wait.
pub(crate) fn impatient() -> HttpLimits {
    let moment = Duration::from_millis(100);
    HttpLimits { first_byte: moment, between_bytes: moment, ..HttpLimits::default() }
}

/// Gives the addresses of one round after the other, the last of them for ever.
pub(crate) struct Rounds(Mutex<Vec<Vec<IpAddr>>>);

impl Rounds {
    pub(crate) fn new(rounds: &[&[&str]]) -> Self {
        let parse = |round: &&[&str]| round.iter().map(|address| address.parse().expect("an address")).collect();
        Self(Mutex::new(rounds.iter().rev().map(parse).collect()))
    }
}

impl Resolver for Rounds {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let mut rounds = self.0.lock().expect("the rounds");
        Ok(if rounds.len() > 1 { rounds.pop().expect("a round") } else { rounds[0].clone() })
    }
}

/// The value of a header of an answer.
pub(crate) fn header<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}
