//! What lies in a window by ids and tags alone.
//!
//! A path and a tag do not tell whether an object is one item or a series, nor where it lies exactly or whether it is private.
//! So what was read of a single item once is kept with its tag, and of a version that is known nothing is read again. Series
//! are read every time: which occurrences lie in the window changes although they do not. What is private or called off is left
//! out.

use std::collections::BTreeMap;

use apptsync_calendar::Effort;
use apptsync_plugin::connector::{Reference, VersionsPage, Window};
use apptsync_plugin::types::{Failure, Instant};

use crate::address::Path;
use crate::client::Client;
use crate::etag::Etag;
use crate::kept::Kept;
use crate::listing::{self, Tags};
use crate::objects::{self, Found};
use crate::query::Lengths;
use crate::reading::{Holding, Reader};
use crate::sheet::why;

/// References that the contract has room for.
const MOST: usize = 4_096;
/// Objects that are read for one page.
const READ: usize = 1_000;

/// A page, in the order of the paths; `next` is the last path of the page before.
///
/// # Errors
///
/// The server cannot be read from; `gone` where it no longer has the calendar.
pub(crate) fn page(
    client: &Client<'_>,
    reader: &Reader,
    calendar: &Path,
    window: &Window,
    next: Option<&str>,
) -> Result<VersionsPage, Failure> {
    let listed: Tags = listing::tags(client, calendar, reader.kind, window, Lengths::NotAsked)?
        .into_iter()
        .map(|(path, listed)| (path, listed.tag))
        .collect();
    let kept = Kept::new(client.host, "single", calendar, reader.kind);
    let before = kept.recall();
    let mut known: Tags = before.iter().filter(|(path, _)| listed.contains_key(*path)).map(cloned).collect();
    let rest: Vec<(&Path, &String)> =
        listed.iter().filter(|(path, _)| next.is_none_or(|next| path.as_str() > next)).collect();
    let mut page = VersionsPage { items: Vec::new(), next: None };
    let (mut effort, mut read) = (Effort::default(), 0);
    'page: for wave in rest.chunks(objects::BATCH) {
        let single = |path: &Path, tag: &str| Etag::parse(tag).and_then(|tag| Single::read(known.get(path)?, &tag));
        let singles: BTreeMap<&Path, Single> =
            wave.iter().filter_map(|(path, tag)| Some((*path, single(path, tag)?))).collect();
        let unknown: Vec<Path> =
            wave.iter().filter(|(path, _)| !singles.contains_key(path)).map(|(path, _)| (*path).clone()).collect();
        let mut found = objects::read(client, calendar, &unknown)?;
        read += unknown.len();
        for (path, _) in wave {
            let items = match singles.get(path) {
                Some(single) => single.reference(path, window).into_iter().collect(),
                None => of_object(client, reader, path, found.remove(path), window, &mut effort, &mut known),
            };
            if page.items.len() + items.len() > MOST {
                break 'page;
            }
            page.items.extend(items);
            page.next = Some(path.as_str().to_owned());
        }
        if read >= READ || effort.is_spent() {
            break;
        }
    }
    // After the last path nothing is left.
    let last = rest.last().map(|(path, _)| path.as_str());
    page.next = page.next.filter(|next| last.is_some_and(|last| last != next));
    if known != before && kept.write(&known).is_err() {
        // Then it is read again tomorrow.
        let _ = kept.forget();
    }
    Ok(page)
}

fn cloned((path, text): (&Path, &String)) -> (Path, String) {
    (path.clone(), text.clone())
}

/// What an object that was read holds; of a single item that is kept.
fn of_object(
    client: &Client<'_>,
    reader: &Reader,
    path: &Path,
    found: Option<Found>,
    window: &Window,
    effort: &mut Effort,
    known: &mut Tags,
) -> Vec<Reference> {
    let stored = match found {
        Some(Found::Stored(stored)) => stored,
        Some(Found::Unsaid(failure)) => {
            client.host.warn(path.as_str(), &format!("left out of a listing, because {}", why(failure)));
            return Vec::new();
        }
        Some(Found::Gone) | None => return Vec::new(),
    };
    match reader.holding(path, &stored, window, effort) {
        Ok(Holding::Series(occurrences)) => {
            known.remove(path);
            occurrences
        }
        Ok(Holding::Single(place)) => {
            let single = Single { etag: stored.version(), place };
            // A tag that may stand for another version one day tells nothing.
            if !stored.etag.comes_back() {
                known.insert(path.clone(), single.write());
            }
            single.reference(path, window).into_iter().collect()
        }
        Err(why) => {
            client.host.warn(path.as_str(), &format!("left out of a listing, because {why}"));
            Vec::new()
        }
    }
}

/// Where a single item lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lying {
    /// In no window: private, called off, or of another kind.
    Nowhere,
    /// In every window: it has no date.
    Anywhere,
    Between(Instant, Instant),
}

/// What is kept of a single item.
#[derive(Debug, PartialEq, Eq)]
struct Single {
    etag: String,
    place: Lying,
}

impl Single {
    /// What was kept of this version.
    fn read(text: &str, tag: &Etag) -> Option<Self> {
        let mut words = text.splitn(3, ' ');
        let (start, end, etag) = (words.next()?, words.next()?, words.next()?);
        let place = match (start, end) {
            ("-", "-") => Lying::Nowhere,
            ("*", "*") => Lying::Anywhere,
            (start, end) => Lying::Between(start.parse().ok()?, end.parse().ok()?),
        };
        (etag == tag.as_str()).then(|| Self { etag: etag.to_owned(), place })
    }

    fn write(&self) -> String {
        let etag = &self.etag;
        match self.place {
            Lying::Nowhere => format!("- - {etag}"),
            Lying::Anywhere => format!("* * {etag}"),
            Lying::Between(start, end) => format!("{start} {end} {etag}"),
        }
    }

    fn reference(&self, path: &Path, window: &Window) -> Option<Reference> {
        let lies_in = match self.place {
            Lying::Nowhere => false,
            Lying::Anywhere => true,
            Lying::Between(start, end) => start < window.end && end > window.start,
        };
        lies_in.then(|| Reference { remote_id: path.as_str().to_owned(), etag: self.etag.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_holds_for_its_version_alone() {
        let tag = Etag::parse("\"a b\"").expect("a tag");
        for place in [Lying::Nowhere, Lying::Anywhere, Lying::Between(-1, 7)] {
            let single = Single { etag: tag.as_str().to_owned(), place };
            assert_eq!(Single::read(&single.write(), &tag), Some(single));
        }
        for other in ["", "1 2", "1 x \"a b\"", "1 2 \"a\"", "- * \"a b\""] {
            assert_eq!(Single::read(other, &tag), None, "{other}");
        }
    }
}
