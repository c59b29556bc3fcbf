//! Later passes where the server has sync-collection (RFC 6578).

use std::collections::BTreeMap;

use apptsync_plugin::connector::Page;
use apptsync_plugin::types::Failure;

use super::validator::lengths;
use super::{Pull, Validator, last};
use crate::address::Path;
use crate::cursor::{ChangesPage, Cursor};
use crate::failure::names_condition;
use crate::multistatus::Multistatus;
use crate::query;
use crate::sheet::Listed;
use crate::written::{Own, Written};
use crate::xml::Vocabulary;

impl Pull<'_> {
    /// A page of what changed since a token.
    ///
    /// What one answer lists may fill several pages. The server is asked again for each, and goes on from the token of the
    /// first: what changes meanwhile is told twice, and never lost.
    ///
    /// Where the validator proves that nothing changed, the server is not asked for changes at all.
    pub(super) fn changes(
        &self,
        from: String,
        page: Option<ChangesPage>,
        known: Option<Validator>,
    ) -> Result<Page, Failure> {
        let validator = match &page {
            Some(_) => known,
            None => {
                let now = self.validator(&from)?;
                if let (Some(known), Some(now)) = (known, now)
                    && known.proves_unchanged(now)
                {
                    let next = Cursor::Changes { from, page: None, validator: Some(now) };
                    return Ok(Page { changes: Vec::new(), next: next.write()?, done: true, full: false });
                }
                now
            }
        };
        let answer = self.changed_since(&from)?;
        let token = answer.sync_token.clone();
        let token = token.ok_or_else(|| Failure::Permanent("the server's answer has no sync-token".to_owned()))?;
        // An answer that was cut off may list others than it did before; then it counts from its beginning.
        let page = page.filter(|page| !answer.truncated || page.to == token);
        let (after, to) = page.map_or((String::new(), token), |page| (page.after, page.to));
        if answer.truncated && to == from {
            return Err(Failure::Permanent(
                "the server cuts its list of changes off, and always at the same place".to_owned(),
            ));
        }
        let truncated = answer.truncated;
        let written = Written::read(self.client.host, self.calendar, self.reader.kind);
        let listed: Vec<(Path, Listed)> =
            self.listed(answer, &written).filter(|(path, _)| path.as_str() > after.as_str()).collect();
        let mut sheet = self.sheet(false);
        let taken = sheet.fill(&listed)?;
        let everything = taken == listed.len();
        if everything && !truncated {
            // Whatever was written up to here is told of now.
            written.forget();
        }
        let next = if everything {
            // Of a list that was cut off the rest is still to be asked for.
            Cursor::Changes { from: to, page: None, validator: validator.filter(|_| !truncated) }
        } else {
            let page = ChangesPage { after: last(&listed, taken, &after), to };
            Cursor::Changes { from, page: Some(page), validator }
        };
        Ok(Page { changes: sheet.changes, next: next.write()?, done: everything && !truncated, full: false })
    }

    fn changed_since(&self, token: &str) -> Result<Multistatus, Failure> {
        let response = self.client.ask(self.client.sync(self.calendar, query::changed_since(token, lengths(token))))?;
        let expired = names_condition(&response, Vocabulary::Dav, "valid-sync-token");
        if expired && matches!(response.status, 400 | 403 | 409 | 412) {
            return Err(Failure::Gone);
        }
        match self.client.multistatus(&response, self.calendar) {
            // Some servers name no condition; no other one can fail in this request.
            Err(Failure::Conflict) => Err(Failure::Gone),
            answer => answer,
        }
    }

    /// The members of the calendar that an answer lists, in the order of their paths.
    fn listed(&self, answer: Multistatus, written: &Written<'_>) -> impl Iterator<Item = (Path, Listed)> {
        let mut listed = BTreeMap::new();
        for resource in answer.resources {
            let own = resource.etag().and_then(|etag| Some((written.own(&resource.path, &etag)?, etag)));
            let state = match own {
                _ if resource.is_gone() => Listed::Gone,
                Some((Own::OfAnotherKind, _)) => continue,
                Some((Own::Known, etag)) => Listed::Known(etag),
                None => Listed::Present(resource.length()),
            };
            if resource.path.is_member_of(self.calendar) {
                listed.insert(resource.path, state);
            }
        }
        listed.into_iter()
    }
}
