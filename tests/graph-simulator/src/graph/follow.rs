//! The course of a delta request, the same for events, tasks and contacts: token in, page and link out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::calendars::mailbox;
use super::{context, link};
use crate::delta::{Entry, Key, Link, Place, Position, Rounds, Scope, differences, gone};
use crate::error::GraphError;
use crate::fault::FaultName;
use crate::http::{Answer, Call, Reply};
use crate::mailbox::Mailbox;
use crate::series::Window;
use crate::state::State;
use crate::view::View;

/// What is followed: how to see it, and how to write it down.
pub(super) struct Followed {
    pub(super) scope: Scope,
    /// The window of a first query.
    pub(super) window: Option<Window>,
    /// Items with their versions, as they are now.
    pub(super) current: fn(&Mailbox, &Scope, Option<Window>) -> BTreeMap<Key, u64>,
    /// An item as the answer shows it; none if it is gone by now.
    pub(super) changed: fn(&Mailbox, Key, &View, &Call) -> Option<Value>,
    /// What stands for an item that was removed; none if nothing is said.
    pub(super) removed: fn(&Mailbox, &Scope, Key, &View) -> Option<Value>,
}

/// Answers a delta request.
pub(super) fn answer(state: &mut State, call: &Call, address: &str, followed: &Followed) -> Answer {
    let view = View::of(call)?;
    let place = match (call.parameter("$skiptoken"), call.parameter("$deltatoken")) {
        (Some(token), _) => {
            if let Some(strike) = state.strikes(FaultName::GoneMidRound, call) {
                return Err(gone(&strike.text("syncStateNotFound")));
            }
            let mailbox = mailbox(state, address)?;
            let place = mailbox.rounds.place(token)?;
            let scope = mailbox.rounds.get(place.round).map(|round| &round.scope);
            if scope != Some(&followed.scope) {
                return Err(gone("syncStateNotFound"));
            }
            place
        }
        (None, Some(token)) if token != "latest" => {
            gone_by_fault(state, call, followed)?;
            let position = mailbox(state, address)?.rounds.position(token)?;
            if position.scope != followed.scope {
                return Err(gone("syncStateNotFound"));
            }
            begin(state, call, address, followed, &position, true)?
        }
        (None, token) => {
            let start = Position {
                scope: followed.scope.clone(),
                window: followed.window,
                known: Arc::default(),
                since: u64::MAX,
            };
            // The token `latest` begins with what is there, unreported.
            let latest = token.is_some();
            let mut place = begin(state, call, address, followed, &start, false)?;
            if latest {
                place.offset = usize::MAX / 2;
            }
            place
        }
    };
    let empty = !place.after_empty && state.strikes(FaultName::EmptyPages, call).is_some();
    let mailbox = mailbox(state, address)?;
    // To Do's pages are as long as $top says.
    let top = call.parameter("$top").and_then(|top| top.parse().ok());
    let size = view.page_size.or(top).unwrap_or(50).min(1000);
    let page = mailbox.rounds.page(place.round, place.offset, size).ok_or_else(|| gone("syncStateNotFound"))?;
    let incremental = mailbox.rounds.get(place.round).is_some_and(|round| round.incremental);
    let (entries, next) =
        if empty { (Vec::new(), Link::Next(Rounds::past_empty(place))) } else { (page.entries, page.link) };
    let value: Vec<Value> = entries
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Changed(key) => (followed.changed)(mailbox, key, &view, call),
            Entry::Removed(key) => (followed.removed)(mailbox, &followed.scope, key, &view),
        })
        .collect();
    debug_assert!(
        incremental || !value.iter().any(|item| item.get("@removed").is_some()),
        "first rounds remove nothing"
    );
    let mut body = json!({"@odata.context": context(call, "").replace("/delta", ""), "value": value});
    // The token stands for window and filter; what the answer is to look like goes on.
    let kept: Vec<(String, String)> = call
        .query
        .iter()
        .filter(|(name, _)| ["select", "expand", "top"].contains(&name.trim_start_matches('$').to_lowercase().as_str()))
        .cloned()
        .collect();
    let (name, parameter) = match next {
        Link::Next(token) => ("@odata.nextLink", ("$skiptoken".to_owned(), token)),
        Link::Delta(token) => ("@odata.deltaLink", ("$deltatoken".to_owned(), token)),
    };
    body[name] = json!(link(call, kept.iter().chain([&parameter])));
    Ok(view.applied(Reply::json(200, body)))
}

fn gone_by_fault(state: &mut State, call: &Call, followed: &Followed) -> Result<(), GraphError> {
    if let Some(strike) = state.strikes(FaultName::GoneFullSync, call) {
        return Err(gone(&strike.text("fullSyncRequired")));
    }
    let Some(strike) = state.strikes(FaultName::GoneWithLocation, call) else { return Ok(()) };
    let error = gone(&strike.text("resyncRequired"));
    // A link that begins anew, with the window of the old token.
    let token = call.parameter("$deltatoken").unwrap_or_default();
    let address = state.mailbox_address(call.path.name(2)).unwrap_or_default();
    let window =
        mailbox(state, &address)?.rounds.position(token).ok().and_then(|position| position.window).or(followed.window);
    let query: Vec<(String, String)> = window
        .map(|window| {
            vec![
                ("startDateTime".to_owned(), crate::clock::short_stamp(window.start)),
                ("endDateTime".to_owned(), crate::clock::short_stamp(window.end)),
            ]
        })
        .unwrap_or_default();
    Err(error.with_header("Location", link(call, &query)))
}

fn begin(
    state: &mut State,
    call: &Call,
    address: &str,
    followed: &Followed,
    from: &Position,
    incremental: bool,
) -> Result<Place, GraphError> {
    let outside = incremental && state.strikes(FaultName::RemovedOutsideWindow, call).is_some();
    let silent = incremental && state.strikes(FaultName::UnreportedDeletion, call).is_some();
    let mailbox = mailbox(state, address)?;
    let mut now = (followed.current)(mailbox, &from.scope, from.window);
    now.retain(|(number, _), _| !mailbox.unreported.contains_key(number));
    mailbox.unreported.retain(|_, left| {
        *left -= 1;
        *left > 0
    });
    let mut entries = differences(&from.known, &now);
    if silent {
        entries.retain(|entry| !matches!(entry, Entry::Removed((number, _)) if !mailbox.events.contains_key(number)));
    }
    if outside && let Scope::Calendar(calendar) = from.scope {
        let strangers = mailbox.events.values().filter(|event| event.calendar == calendar && event.change > from.since);
        let keys = strangers
            .map(|event| (event.number, None))
            .filter(|key| !now.contains_key(key) && !from.known.contains_key(key));
        let keys: Vec<Key> = keys.filter(|(number, _)| !now.keys().any(|(other, _)| other == number)).collect();
        entries.extend(keys.into_iter().map(Entry::Removed));
    }
    // What has not changed shares its memory with the token before.
    let now = if *from.known == now { Arc::clone(&from.known) } else { Arc::new(now) };
    let since = mailbox.latest_change();
    let round = mailbox.rounds.begin(from, now, since, entries, incremental);
    Ok(Place { round, offset: 0, after_empty: false })
}
