//! A person's word on an item that waits for one: whose version counts, or that it shall be tried again.

use apptsync_model::Instant;
use apptsync_model::outlook::{HeadquartersId, Link, LinkState};
use apptsync_store::{Settlement, Side};

use super::decide::Action;
use super::merge::Direction;
use super::report::SyncError;
use super::run::Synchronisation;
use super::why::{Why, why};

/// What a person's word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// The next run takes this side's version.
    Answered(Side),
    /// It is no longer in quarantine: the next run tries it again.
    Released,
}

/// Takes a person's word on the item of an activity (by its number or `activity/N`) or of a remote id. None where nothing is
/// known of the id in this profile.
///
/// # Errors
/// Nothing about it waits for a person, or the word does not fit; the database cannot be used.
pub fn resolve(
    with: &Synchronisation<'_>,
    id: &str,
    keep: Option<Side>,
    now: Instant,
) -> Result<Option<Resolved>, SyncError> {
    let all = why(with, id, now)?;
    if all.is_empty() {
        return Ok(None);
    }
    let quarantined = all.iter().filter_map(|why| why.link.as_ref()).find(|link| link.state == LinkState::Quarantined);
    if let Some(link) = quarantined {
        release(with, link, now)?;
        return Ok(Some(Resolved::Released));
    }
    let held = all.iter().find(|why| why.action == Action::Hold);
    match (held.map(|held| (&held.headquarters, &held.note)), keep) {
        (Some((Some(object), _)), Some(side)) if is_answerable(&all, object) => {
            with.store.put_answer(with.profile.id, object, side)?;
            Ok(Some(Resolved::Answered(side)))
        }
        (Some((_, note)), None) => Err(SyncError::Usage(format!(
            "`{id}` waits for a decision ({}): say --keep headquarters or --keep outlook",
            note.as_deref().unwrap_or_default()
        ))),
        (Some((_, note)), Some(_)) => Err(SyncError::Usage(format!(
            "`{id}` cannot be decided here ({}): change it in the headquarters or in Outlook",
            note.as_deref().unwrap_or_default()
        ))),
        (None, _) => Err(SyncError::Usage(format!("nothing about `{id}` waits for a decision"))),
    }
}

/// Several that look the same are told apart in Outlook alone.
fn is_answerable(all: &[Why], object: &HeadquartersId) -> bool {
    let is_held = |why: &Why| why.fields.iter().any(|field| field.direction == Some(Direction::Held));
    all.iter().any(|why| why.headquarters.as_ref() == Some(object) && (why.link.is_some() || is_held(why)))
}

fn release(with: &Synchronisation<'_>, link: &Link, now: Instant) -> Result<(), SyncError> {
    let state = if link.remote_id.is_some() { LinkState::Linked } else { LinkState::CreatingRemote };
    let link = Link { state, flaps: Vec::new(), note: String::new(), ..link.clone() };
    let settlement = Settlement { link, operation: None, change: None, audit: Vec::new(), observed: None };
    with.store.settle(with.profile.id, now, vec![settlement])?;
    Ok(())
}
