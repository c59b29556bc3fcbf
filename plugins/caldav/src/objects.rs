//! Objects of a calendar as the server stores them, many at a time, but never so many that they fill the memory.

use std::collections::{BTreeMap, BTreeSet};

use apptsync_plugin::http::{self, Response};
use apptsync_plugin::types::Failure;
use xxhash_rust::xxh64::xxh64;

use crate::address::Path;
use crate::client::Client;
use crate::etag::Etag;
use crate::failure::{self, Intent};
use crate::query;
use crate::xml::Vocabulary;

/// Objects that one request asks for.
pub(crate) const BATCH: usize = 100;
/// Requests that are sent side by side.
const SIDE_BY_SIDE: usize = 4;
/// Objects that are read before they are looked at and the next ones are asked for.
pub(crate) const WAVE: usize = SIDE_BY_SIDE * BATCH;
/// Bytes that these objects should not have more of together, and one alone not at all.
pub(crate) const WAVE_BYTES: usize = 4 << 20;
/// How often a batch that fails is halved while nothing at all was answered: then it is the server that fails, not an object.
const PATIENCE: usize = 3;

/// An object as the server has it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) etag: Etag,
    /// iCalendar, with the line ends that it has to have.
    pub(crate) data: Vec<u8>,
}

impl Stored {
    /// What the host tells this version by.
    pub(crate) fn version(&self) -> String {
        let tag = self.etag.as_str();
        if self.etag.comes_back() { format!("{tag}#{:016x}", xxh64(&self.data, 0)) } else { tag.to_owned() }
    }

    /// Whether the host means this version.
    pub(crate) fn is_version(&self, known: &str) -> bool {
        if self.etag.comes_back() {
            return known == self.version();
        }
        Etag::parse(known).is_some_and(|known| known.agrees_with(&self.etag))
    }
}

/// What is known of an object after the server was asked.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    Stored(Stored),
    /// The server says that there is no such object.
    Gone,
    /// The server does not say.
    Unsaid(Failure),
}

/// Reads objects of a calendar; every path is answered.
///
/// A batch that the server fails at is halved, down to the object that it fails at, so that one object never keeps the
/// others away.
///
/// # Errors
///
/// The server cannot be reached, refuses, or has no such calendar (`gone`).
pub(crate) fn read(client: &Client<'_>, calendar: &Path, paths: &[Path]) -> Result<BTreeMap<Path, Found>, Failure> {
    let mut found = BTreeMap::new();
    let mut batches: Vec<Vec<Path>> = paths.chunks(BATCH).map(<[Path]>::to_vec).collect();
    let mut round = 0;
    let mut anything_answered = false;
    while !batches.is_empty() {
        let mut halves = Vec::new();
        for group in batches.chunks(SIDE_BY_SIDE) {
            let requests: Vec<_> = group.iter().map(|batch| client.report(calendar, query::multiget(batch))).collect();
            for (batch, answer) in group.iter().zip(client.ask_all(&requests)) {
                match understand(client, calendar, answer)? {
                    Ok(answers) => {
                        anything_answered = true;
                        found.extend(answers);
                    }
                    Err(failure) if round >= PATIENCE && !anything_answered => return Err(failure),
                    Err(failure) => match batch.as_slice() {
                        [path] => {
                            found.insert(path.clone(), Found::Unsaid(failure));
                        }
                        _ => {
                            let (first, second) = batch.split_at(batch.len() / 2);
                            halves.extend([first.to_vec(), second.to_vec()]);
                        }
                    },
                }
            }
        }
        batches = halves;
        round += 1;
    }
    if !anything_answered && let Some(Found::Unsaid(failure)) = found.values().next() {
        return Err(failure.clone());
    }
    let asked: BTreeSet<&Path> = paths.iter().collect();
    found.retain(|path, _| asked.contains(path));
    let left_out: Vec<&Path> = asked.into_iter().filter(|path| !found.contains_key(*path)).collect();
    // Only the answer about an object itself says that it is gone: no listing does.
    let answers = one_by_one(client, &left_out);
    found.extend(answers);
    Ok(found)
}

type Answers = Vec<(Path, Found)>;

/// The outer failure is one of the server as a whole, the inner one may be caused by an object.
fn understand(
    client: &Client<'_>,
    calendar: &Path,
    answer: Result<Response, http::Failure>,
) -> Result<Result<Answers, Failure>, Failure> {
    let response = match answer {
        Ok(response) => response,
        Err(failure @ http::Failure::NotSent(_)) => return Err(failure::unanswered(&failure)),
        Err(failure @ http::Failure::NoAnswer(_)) => return Ok(Err(failure::unanswered(&failure))),
    };
    let answer = match client.multistatus(&response, calendar) {
        Ok(answer) => answer,
        Err(failure @ Failure::Transient(_)) => return Ok(Err(failure)),
        Err(failure) if response.status == 207 => return Ok(Err(failure)),
        // Some servers answer so where a single object is missing: then objects are asked for one by one.
        Err(Failure::Gone) if is_there(client, calendar)? => return Ok(Ok(Answers::new())),
        Err(failure) => return Err(failure),
    };
    let known = |resource: &crate::multistatus::Resource| {
        if resource.is_gone() {
            return Some(Found::Gone);
        }
        let data = resource.property(Vocabulary::CalDav, "calendar-data")?;
        let stored = resource.etag().map(|etag| Stored { etag, data: lines(&data.text) });
        Some(stored.map_or_else(|| Found::Unsaid(untagged()), Found::Stored))
    };
    let answers = answer.resources.into_iter().filter_map(|resource| {
        let found = known(&resource)?;
        Some((resource.path, found))
    });
    Ok(Ok(answers.collect()))
}

/// Whether the server still has the calendar itself.
fn is_there(client: &Client<'_>, calendar: &Path) -> Result<bool, Failure> {
    let response = client.ask(client.propfind(calendar, "0", query::capabilities()))?;
    match client.multistatus(&response, calendar) {
        Ok(answer) => Ok(answer.resources.iter().any(|found| found.has_type(Vocabulary::CalDav, "calendar"))),
        Err(Failure::Gone) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// What a report left out, object by object.
fn one_by_one(client: &Client<'_>, paths: &[&Path]) -> Answers {
    let requests: Vec<_> = paths.iter().map(|path| client.request("GET", path)).collect();
    let answers = client.ask_all(&requests).into_iter().map(|answer| match answer {
        Ok(response) if response.status == 200 => match response.header("etag").and_then(Etag::parse) {
            Some(etag) => Found::Stored(Stored { etag, data: lines(&response.text()) }),
            None => Found::Unsaid(untagged()),
        },
        Ok(response) => match failure::answered(&response, Intent::Read) {
            Failure::Gone => Found::Gone,
            failure => Found::Unsaid(failure),
        },
        Err(failure) => Found::Unsaid(failure::unanswered(&failure)),
    });
    paths.iter().map(|path| (*path).clone()).zip(answers).collect()
}

fn untagged() -> Failure {
    Failure::Permanent("the server gives no entity tag for it, as CalDAV demands".to_owned())
}

/// XML makes every line end a line feed; iCalendar has two characters.
fn lines(text: &str) -> Vec<u8> {
    let mut data = String::with_capacity(text.len() + text.len() / 32);
    for line in text.trim().lines() {
        data.push_str(line);
        data.push_str("\r\n");
    }
    data.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_end_as_in_icalendar() {
        assert_eq!(lines("\nBEGIN:X\n a\r\nEND:X\n"), b"BEGIN:X\r\n a\r\nEND:X\r\n");
    }
}
