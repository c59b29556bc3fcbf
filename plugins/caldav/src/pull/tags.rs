//! Passes where the server has no sync-collection: the calendar's tag tells that something changed, and the objects' tags,
//! compared with those that are kept, what.

use std::collections::BTreeMap;

use apptsync_plugin::connector::Page;
use apptsync_plugin::types::Failure;

use super::Pull;
use crate::address::Path;
use crate::cursor::{Cursor, Extent};
use crate::etag::Etag;
use crate::kept::Kept;
use crate::listing;
use crate::query::{self, Lengths};
use crate::sheet::Listed;
use crate::written::{Own, Written};
use crate::xml::Vocabulary;

impl Pull<'_> {
    /// Keeps no tags any more, as before a pass that tells everything; gives the digest of that.
    pub(super) fn forget_tags(&self) -> Result<String, Failure> {
        self.kept().write(&listing::Tags::new())
    }

    /// A page of what differs from the tags that are kept. Those that it tells of are kept from then on, so that the next
    /// page finds what is left.
    pub(super) fn tags(&self, ctag: Option<String>, digest: &str, under_way: Option<Extent>) -> Result<Page, Failure> {
        let kept = self.kept();
        let mut known = kept.read(digest)?;
        let (ctag, extent) = match under_way {
            Some(extent) => (ctag, extent),
            None => {
                let now = self.ctag(ctag.is_some())?;
                if now.is_some() && now == ctag {
                    let next = Cursor::Tags { ctag, digest: digest.to_owned(), under_way: None };
                    return Ok(Page { changes: Vec::new(), next: next.write()?, done: true, full: false });
                }
                (now, Extent::Differences)
            }
        };
        let listed = listing::tags(self.client, self.calendar, self.reader.kind, self.window, Lengths::Asked)?;
        let written = Written::read(self.client.host, self.calendar, self.reader.kind);
        let mut differing = differences(&known, &listed);
        if extent == Extent::Differences {
            for (path, state) in &mut differing {
                let tag = listed.get(path).and_then(|listed| Etag::parse(&listed.tag));
                if let Some(tag) = tag.filter(|tag| written.own(path, tag) == Some(Own::Known)) {
                    *state = Listed::Known(tag);
                }
            }
        }
        let mut sheet = self.sheet(extent == Extent::Everything);
        let taken = sheet.fill(&differing)?;
        for (path, state) in differing.iter().take(taken) {
            match (state, listed.get(path)) {
                (Listed::Present(_) | Listed::Known(_), Some(listed)) => known.insert(path.clone(), listed.tag.clone()),
                _ => known.remove(path),
            };
        }
        let done = taken == differing.len();
        if done {
            // Whatever was written up to here is told of now.
            written.forget();
        }
        let next = Cursor::Tags { ctag, digest: kept.write(&known)?, under_way: (!done).then_some(extent) };
        Ok(Page { changes: sheet.changes, next: next.write()?, done, full: extent == Extent::Everything })
    }

    fn kept(&self) -> Kept<'_> {
        Kept::new(self.client.host, "tags", self.calendar, self.reader.kind)
    }

    /// Not asked for where the server had none before.
    fn ctag(&self, has_one: bool) -> Result<Option<String>, Failure> {
        if !has_one {
            return Ok(None);
        }
        let (about, _) = self.about(query::ctag())?;
        Ok(about.text(Vocabulary::CalendarServer, "getctag").map(str::to_owned))
    }
}

/// In the order of the paths.
fn differences(known: &listing::Tags, listed: &listing::Listing) -> Vec<(Path, Listed)> {
    let gone = known.keys().filter(|path| !listed.contains_key(*path)).map(|path| (path.clone(), Listed::Gone));
    let differs = |(path, listed): &(&Path, &listing::Listed)| known.get(*path) != Some(&listed.tag);
    let present = listed.iter().filter(differs);
    let present = present.map(|(path, listed)| (path.clone(), Listed::Present(listed.length)));
    gone.chain(present).collect::<BTreeMap<_, _>>().into_iter().collect()
}
