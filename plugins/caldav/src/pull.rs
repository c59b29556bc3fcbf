//! Pulling: everything in a window first, then what changed.
//!
//! | the server has | the first pass | later passes |
//! |---|---|---|
//! | sync-collection | a listing of the window, with the token that was valid before | what changed since the token; of Radicale, when anything last changed first |
//! | only tags | a listing, compared with nothing | the calendar's tag and, where it changed, a listing compared with the tags that are kept |

use apptsync_plugin::connector::{Page, Window};
use apptsync_plugin::http::Response;
use apptsync_plugin::types::Failure;

use crate::address::Path;
use crate::client::Client;
use crate::cursor::{Cursor, Extent};
use crate::kept::Kept;
use crate::listing;
use crate::multistatus::Resource;
use crate::query;
use crate::reading::Reader;
use crate::sheet::{Listed, Sheet};
use crate::xml::Vocabulary;

mod changes;
mod tags;
mod validator;

pub(crate) use validator::Validator;

/// A pass over one calendar.
pub(crate) struct Pull<'a> {
    pub(crate) client: &'a Client<'a>,
    pub(crate) reader: &'a Reader,
    pub(crate) calendar: &'a Path,
    pub(crate) window: &'a Window,
}

impl Pull<'_> {
    /// The next page.
    ///
    /// # Errors
    ///
    /// The server cannot be read from; `gone` where the calendar or the cursor is no longer known to it.
    pub(crate) fn page(&self, cursor: Option<&str>) -> Result<Page, Failure> {
        match cursor.map(Cursor::read).transpose()? {
            None => self.first_page(),
            Some(Cursor::Listing { token, after, kept }) => self.listing(token, Some((&after, kept))),
            Some(Cursor::Changes { from, page, validator }) => self.changes(from, page, validator),
            Some(Cursor::Tags { ctag, digest, under_way }) => self.tags(ctag, &digest, under_way),
        }
    }

    fn first_page(&self) -> Result<Page, Failure> {
        let capabilities = self.capabilities()?;
        match capabilities.token {
            Some(token) => self.listing(beginning(token), None),
            None => {
                let digest = self.forget_tags()?;
                self.tags(capabilities.ctag, &digest, Some(Extent::Everything))
            }
        }
    }

    /// A page of everything in the window, in the order of the paths, so that the next page needs no more than the last
    /// path of this one. The listing is kept for it; where that fails, the server is asked again.
    fn listing(&self, token: String, page: Option<(&str, Option<String>)>) -> Result<Page, Failure> {
        let store = Kept::new(self.client.host, "listing", self.calendar, self.reader.kind);
        let (after, kept) = page.unwrap_or_default();
        let (rest, kept) = match kept.and_then(|kept| Some((store.read(&kept).ok()?, kept))) {
            Some((lengths, kept)) => {
                (lengths.into_iter().map(|(path, length)| (path, length.parse().ok())).collect(), Some(kept))
            }
            None => {
                let lengths = validator::lengths(&token);
                let all = listing::tags(self.client, self.calendar, self.reader.kind, self.window, lengths)?;
                (all.into_iter().map(|(path, listed)| (path, listed.length)).collect::<Vec<_>>(), None)
            }
        };
        let rest = rest.into_iter().filter(|(path, _)| path.as_str() > after);
        let listed: Vec<(Path, Listed)> = rest.map(|(path, length)| (path, Listed::Present(length))).collect();
        let mut sheet = self.sheet(true);
        let taken = sheet.fill(&listed)?;
        let done = taken == listed.len();
        let next = if done {
            store.forget()?;
            Cursor::Changes { from: token, page: None, validator: None }
        } else {
            let length = |state: &Listed| match state {
                Listed::Present(Some(length)) => length.to_string(),
                _ => String::new(),
            };
            let lengths = || listed.iter().map(|(path, state)| (path.clone(), length(state))).collect();
            let kept = kept.or_else(|| store.write(&lengths()).ok());
            Cursor::Listing { token, after: last(&listed, taken, after), kept }
        };
        Ok(Page { changes: sheet.changes, next: next.write()?, done, full: true })
    }

    fn sheet(&self, full: bool) -> Sheet<'_> {
        Sheet::new(self.client, self.reader, self.calendar, self.window, full)
    }

    /// What the server says of the calendar itself, and the answer that says so.
    fn about(&self, properties: String) -> Result<(Resource, Response), Failure> {
        let response = self.client.ask(self.client.propfind(self.calendar, "0", properties))?;
        let answer = self.client.multistatus(&response, self.calendar)?;
        // Some servers write it without its slash.
        let is_asked = |resource: &Resource| resource.path.clone().collection() == *self.calendar;
        let about = answer.resources.into_iter().find(is_asked);
        Ok((about.filter(|resource| !resource.is_gone()).ok_or(Failure::Gone)?, response))
    }

    fn capabilities(&self) -> Result<Capabilities, Failure> {
        let (about, _) = self.about(query::capabilities())?;
        if !about.has_type(Vocabulary::CalDav, "calendar") {
            return Err(Failure::Permanent(format!("{} is no calendar any more", self.calendar.as_str())));
        }
        let reports = about.property(Vocabulary::Dav, "supported-report-set");
        let synchronises = reports.is_some_and(|reports| {
            reports.descendants().iter().any(|element| element.is(Vocabulary::Dav, "sync-collection"))
        });
        let text = |vocabulary, name| about.text(vocabulary, name).map(str::to_owned);
        let ctag = text(Vocabulary::CalendarServer, "getctag");
        Ok(Capabilities { token: text(Vocabulary::Dav, "sync-token").filter(|_| synchronises), ctag })
    }
}

/// The token to go on with after everything was listed. SOGo's are seconds, and tell only what changed after the second: what
/// changes in the second of the listing is told by the second before.
fn beginning(token: String) -> String {
    seconds(&token).map_or(token, |seconds| (seconds - 1).to_string())
}

/// The seconds since 1970 that a token of SOGo is; other servers count from one.
fn seconds(token: &str) -> Option<u64> {
    token.parse().ok().filter(|seconds| *seconds > 1_000_000_000)
}

/// How changes of a calendar can be followed.
struct Capabilities {
    /// Where the server has sync-collection.
    token: Option<String>,
    ctag: Option<String>,
}

/// The path that the next page goes on after.
fn last(listed: &[(Path, Listed)], taken: usize, before: &str) -> String {
    let last = taken.checked_sub(1).and_then(|position| listed.get(position));
    last.map_or_else(|| before.to_owned(), |(path, _)| path.as_str().to_owned())
}
