//! Whether anything changed in a calendar of Radicale, without having it look at every object.
//!
//! Radicale reads all objects of a calendar for each sync-collection, even where nothing changed. `getlastmodified` of the
//! calendar costs it a tenth: the newest time of the folder and of the files in it. Every write and every deletion renames
//! or unlinks something in that folder and so sets its time to the clock's, as far as whole seconds tell.
//!
//! That the time is the same proves that nothing changed only where nothing can have been written in the same second after
//! the changes were asked for. So what is remembered is read *before* they are, and counts only as a strong validator (RFC
//! 9110 8.8.2.2): the `Date` of the answer that it came with is at least two seconds later. All that was written up to
//! then is among the changes that were asked for after, and all that is written later has a later time. What is read next
//! must not be dated before: a clock that was put back proves nothing. Where any of it is missing, the changes are asked
//! for.
//!
//! Only Radicale is asked, known by its tokens: what other servers mean by the property is not known. What is written past
//! Radicale with an old time, or by a clock that differs from the server's by more than that, is found by the host's daily
//! check of everything.

use std::time::UNIX_EPOCH;

use apptsync_plugin::types::Failure;
use serde::{Deserialize, Serialize};

use super::Pull;
use crate::query::{self, Lengths};
use crate::xml::Vocabulary;

/// What the tokens of Radicale begin with.
const RADICALE: &str = "http://radicale.org/ns/sync/";
/// Seconds after a time before it is sure that nothing more is written at it.
const STRONG: u64 = 2;

/// The reports of Radicale and SOGo do not tell how long objects are; one says so of each, the other in its log.
pub(super) fn lengths(token: &str) -> Lengths {
    let is_of_sogo = super::seconds(token).is_some();
    if token.starts_with(RADICALE) || is_of_sogo { Lengths::NotAsked } else { Lengths::Asked }
}

/// When a calendar last changed, in seconds since 1970 by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Validator {
    pub(crate) last_modified: u64,
    /// The `Date` of the answer that said so.
    pub(crate) read_at: u64,
}

impl Validator {
    /// Whether nothing changed between the changes that were asked for after this was read, and another reading.
    pub(super) fn proves_unchanged(self, now: Self) -> bool {
        let is_strong = self.read_at.checked_sub(self.last_modified).is_some_and(|later| later >= STRONG);
        is_strong && now.last_modified == self.last_modified && now.read_at >= self.read_at
    }
}

impl Pull<'_> {
    /// When the calendar last changed; none where the server is not known to say so.
    ///
    /// # Errors
    ///
    /// The server cannot be read from; `gone` where it no longer has the calendar.
    pub(super) fn validator(&self, token: &str) -> Result<Option<Validator>, Failure> {
        if !token.starts_with(RADICALE) {
            return Ok(None);
        }
        let (about, response) = self.about(query::last_modified())?;
        if !about.has_type(Vocabulary::CalDav, "calendar") {
            return Ok(None);
        }
        let read = || {
            let last_modified = seconds(about.text(Vocabulary::Dav, "getlastmodified")?)?;
            Some(Validator { last_modified, read_at: seconds(response.header("date")?)? })
        };
        Ok(read())
    }
}

fn seconds(date: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(date).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
