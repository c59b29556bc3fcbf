//! Requests to one server.

use apptsync_plugin::connector::Account;
use apptsync_plugin::http::{self, Request, Response};
use apptsync_plugin::types::Failure;

use crate::address::{Address, Path};
use crate::failure::{self, Intent};
use crate::host::Host;
use crate::multistatus::Multistatus;

const XML: &str = "application/xml; charset=utf-8";

/// A server, through the host.
pub(crate) struct Client<'h> {
    pub(crate) host: &'h dyn Host,
    pub(crate) address: Address,
}

impl<'h> Client<'h> {
    /// The server of an account.
    ///
    /// # Errors
    ///
    /// `permanent`: its address is not valid.
    pub(crate) fn new(host: &'h dyn Host, account: &Account) -> Result<Self, Failure> {
        let address = Address::parse(&account.server).map_err(Failure::Permanent)?;
        Ok(Self { host, address })
    }

    pub(crate) fn request(&self, method: &str, path: &Path) -> Request {
        Request::new(method, self.address.url(path))
    }

    pub(crate) fn propfind(&self, path: &Path, depth: &str, body: String) -> Request {
        self.request("PROPFIND", path).header("depth", depth).body(XML, body)
    }

    /// A report about what lies in a calendar.
    pub(crate) fn report(&self, path: &Path, body: String) -> Request {
        self.request("REPORT", path).header("depth", "1").body(XML, body)
    }

    /// A sync-collection report, whose depth is always 0 (RFC 6578 3.2).
    pub(crate) fn sync(&self, path: &Path, body: String) -> Request {
        self.request("REPORT", path).header("depth", "0").body(XML, body)
    }

    pub(crate) fn ask_all(&self, requests: &[Request]) -> Vec<Result<Response, http::Failure>> {
        self.host.send_all(requests)
    }

    /// The answer to one request, whatever its status.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub(crate) fn ask(&self, request: Request) -> Result<Response, Failure> {
        let answer = self.ask_all(&[request]).pop();
        let answer = answer.unwrap_or_else(|| Err(http::Failure::NotSent("the request was not sent".to_owned())));
        answer.map_err(|failure| failure::unanswered(&failure))
    }

    /// Reads the answer about a path, which must be a multistatus.
    ///
    /// # Errors
    ///
    /// What its status means, or `permanent` where it is no multistatus.
    pub(crate) fn multistatus(&self, response: &Response, path: &Path) -> Result<Multistatus, Failure> {
        if response.status != 207 {
            return Err(match response.status {
                200..=299 => Failure::Permanent(format!(
                    "the server answers with status {} where WebDAV has a multistatus: it speaks no CalDAV at {}",
                    response.status,
                    path.as_str()
                )),
                _ => failure::answered(response, Intent::Read),
            });
        }
        let answer = Multistatus::read(&response.body, &self.address.at(path)).map_err(Failure::Permanent)?;
        if let Some((count, first)) = &answer.refused {
            self.host
                .warn(path.as_str(), &format!("{count} references of the server were left out, the first: {first}"));
        }
        Ok(answer)
    }
}
