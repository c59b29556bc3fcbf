//! A person's word on an item that waits for one: whose version counts, that it shall be tried again, or that it shall come
//! back to Outlook.

use apptsync_model::Instant;
use apptsync_model::outlook::{Base, HeadquartersId, Link, LinkState};
use apptsync_store::{Settlement, Side};

use super::considered::incarnations;
use super::decide::Action;
use super::merge::Direction;
use super::plan::key;
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
    /// It is no longer left out: the next run makes it in Outlook again.
    BroughtBack,
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
    let left_out = all.iter().filter_map(|why| why.link.as_ref()).find(|link| link.state == LinkState::Suppressed);
    if let Some(link) = left_out {
        if keep == Some(Side::Outlook) {
            return Err(SyncError::Usage(format!("`{id}` is left out of Outlook already")));
        }
        if link.base.is_elsewhere {
            let text = format!("`{id}` was moved to a calendar that is not synchronised: move it back in Outlook");
            return Err(SyncError::Usage(text));
        }
        bring_back(with, link, now)?;
        return Ok(Some(Resolved::BroughtBack));
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

/// Deleted in Outlook, it is another item now: it has another key, and may be deleted once again before it is left out again.
fn bring_back(with: &Synchronisation<'_>, link: &Link, now: Instant) -> Result<(), SyncError> {
    let Some(object) = &link.headquarters else { return Ok(()) };
    let known = incarnations(&with.store.links(with.profile.id)?);
    let incarnation = known.get(&(link.kind, object.clone())).map_or(0, |last| last + 1);
    let link = Link {
        state: LinkState::CreatingRemote,
        incarnation,
        our_id: key(&with.profile.name_space, link.kind, object, incarnation),
        remote_id: None,
        occurrence: None,
        recreated_at: None,
        base: Base::default(),
        etag: String::new(),
        note: String::new(),
        ..link.clone()
    };
    settle(with, link, now)
}

fn release(with: &Synchronisation<'_>, link: &Link, now: Instant) -> Result<(), SyncError> {
    let state = if link.remote_id.is_some() { LinkState::Linked } else { LinkState::CreatingRemote };
    let link = Link { state, flaps: Vec::new(), note: String::new(), ..link.clone() };
    settle(with, link, now)
}

fn settle(with: &Synchronisation<'_>, link: Link, now: Instant) -> Result<(), SyncError> {
    let settlement = Settlement { link, operation: None, change: None, audit: Vec::new(), observed: None };
    with.store.settle(with.profile.id, now, vec![settlement])?;
    Ok(())
}
