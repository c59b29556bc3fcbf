//! Which objects a calendar has, and the tag of each.

use std::collections::BTreeMap;

use apptsync_plugin::connector::{Kind, Window};
use apptsync_plugin::http::Request;
use apptsync_plugin::types::Failure;

use crate::address::Path;
use crate::client::Client;
use crate::multistatus::Multistatus;
use crate::query::{self, Lengths};
use crate::xml::Vocabulary;

/// Paths and tags, in the order of the paths; the tag is empty where the server gives none.
pub(crate) type Tags = BTreeMap<Path, String>;

/// What is listed, in the order of the paths.
pub(crate) type Listing = BTreeMap<Path, Listed>;

/// What a listing says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Empty where the server gives none.
    pub(crate) tag: String,
    /// In bytes.
    pub(crate) length: Option<usize>,
}

/// The objects of a kind that may lie in a window.
///
/// # Errors
///
/// The server cannot be read from; `permanent` where it does not list everything.
pub(crate) fn tags(
    client: &Client<'_>,
    calendar: &Path,
    kind: Kind,
    window: &Window,
    lengths: Lengths,
) -> Result<Listing, Failure> {
    match query(client, calendar, query::in_window(kind, window, lengths))? {
        Some(tags) => Ok(tags),
        None => all(client, calendar),
    }
}

/// The objects of a kind that carry one of our ids or, without one, any. None when the server cannot tell.
///
/// # Errors
///
/// The server cannot be read from.
pub(crate) fn carrying(
    client: &Client<'_>,
    calendar: &Path,
    kind: Kind,
    our_ids: &[Option<&str>],
) -> Result<Option<Listing>, Failure> {
    let requests: Vec<Request> =
        our_ids.iter().map(|our_id| client.report(calendar, query::carrying(kind, *our_id))).collect();
    let mut tags = Listing::new();
    for answer in client.ask_all(&requests) {
        let response = answer.map_err(|failure| crate::failure::unanswered(&failure))?;
        match understand(client, calendar, client.multistatus(&response, calendar), response.status)? {
            Some(found) => tags.extend(found),
            None => return Ok(None),
        }
    }
    Ok(Some(tags))
}

/// Everything that lies in a calendar.
///
/// # Errors
///
/// As [`tags`].
pub(crate) fn all(client: &Client<'_>, calendar: &Path) -> Result<Listing, Failure> {
    let response = client.ask(client.propfind(calendar, "1", query::tags()))?;
    let answer = client.multistatus(&response, calendar)?;
    if answer.truncated {
        return Err(Failure::Permanent(
            "the server does not list all of the calendar: it has too many objects".to_owned(),
        ));
    }
    Ok(members(calendar, answer))
}

/// None when the server does not answer such a query, or not in full.
fn query(client: &Client<'_>, calendar: &Path, body: String) -> Result<Option<Listing>, Failure> {
    let response = client.ask(client.report(calendar, body))?;
    understand(client, calendar, client.multistatus(&response, calendar), response.status)
}

fn understand(
    client: &Client<'_>,
    calendar: &Path,
    answer: Result<Multistatus, Failure>,
    status: u16,
) -> Result<Option<Listing>, Failure> {
    match answer {
        Ok(answer) if answer.truncated => Ok(None),
        Ok(answer) => Ok(Some(members(calendar, answer))),
        // A filter that is not supported, or too many matches (RFC 4791 7.8); some servers fail instead.
        Err(_) if matches!(status, 400 | 403 | 405 | 409 | 412 | 415 | 422 | 500 | 501 | 507) => {
            client.host.warn(
                calendar.as_str(),
                &format!("the server does not answer a query (status {status}), so all is listed"),
            );
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn members(calendar: &Path, answer: Multistatus) -> Listing {
    let members = answer.resources.into_iter().filter(|resource| {
        let is_collection = resource.has_type(Vocabulary::Dav, "collection");
        !resource.is_gone() && !is_collection && resource.path.is_member_of(calendar)
    });
    members
        .map(|resource| {
            let tag = resource.etag().map(|etag| etag.as_str().to_owned()).unwrap_or_default();
            let length = resource.length();
            (resource.path, Listed { tag, length })
        })
        .collect()
}
