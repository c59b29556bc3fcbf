//! Events one by one: found, made, changed, deleted.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::calendars::mailbox;
use super::{check_match, item, page};
use crate::error::GraphError;
use crate::event::{Content, Event, Mails, Times};
use crate::fault::FaultName;
use crate::http::{Answer, Call, Reply};
use crate::identifier::{Identifier, Kind};
use crate::mailbox::Mailbox;
use crate::query::{Condition, Expand, Paging, order, select, selected};
use crate::recurrence::Recurrence;
use crate::render::{self, ON_DEMAND};
use crate::schema::EVENT;
use crate::state::State;
use crate::view::View;

/// Where a path leads before it says `events`.
pub(super) struct Place {
    pub(super) address: String,
    pub(super) calendar: u32,
    /// Whether the path names the calendar.
    pub(super) named: bool,
}

/// The event behind an id, and the date of an instance.
///
/// # Errors
/// 400 for what is no id, 404 where nothing is there (any more).
pub(super) fn find(mailbox: &Mailbox, place: &Place, id: &str) -> Result<(u32, Option<NaiveDate>), GraphError> {
    let Some((found, immutable)) = Identifier::read(id, mailbox.key).filter(|(found, _)| found.kind == Kind::Event)
    else {
        return Err(GraphError::new(400, "ErrorInvalidIdMalformed", "Id is malformed."));
    };
    let event = mailbox.events.get(&found.item).ok_or_else(GraphError::item_not_found)?;
    let here = (immutable || found.folder == event.calendar) && (!place.named || event.calendar == place.calendar);
    let alive = found.date.is_none_or(|date| event.has_date(date) && found.generation == event.generation);
    if here && alive { Ok((found.item, found.date)) } else { Err(GraphError::item_not_found()) }
}

fn shown(
    mailbox: &Mailbox,
    event: &Event,
    date: Option<NaiveDate>,
    view: &View,
    call: &Call,
) -> Result<Map<String, Value>, GraphError> {
    let mut item = select(render::event(mailbox, event, date, view), selected(call).as_deref(), &ON_DEMAND);
    render::expand(mailbox, event, date, view, &Expand::of(call)?, &mut item);
    Ok(item)
}

pub(super) fn get(state: &mut State, call: &Call, place: &Place, id: &str) -> Answer {
    let view = View::of(call)?;
    let mailbox = mailbox(state, &place.address)?;
    let (number, date) = find(mailbox, place, id)?;
    let event = shown(mailbox, &mailbox.events[&number], date, &view, call)?;
    Ok(view.applied(item(call, 200, event)))
}

/// Single events and masters of one calendar.
pub(super) fn list(state: &mut State, call: &Call, place: &Place) -> Answer {
    let view = View::of(call)?;
    let condition = call.parameter("$filter").map(Condition::parse).transpose()?;
    let (expand, names) = (Expand::of(call)?, selected(call));
    let mailbox = mailbox(state, &place.address)?;
    let late = if condition.is_some() { mailbox.not_found_yet() } else { Vec::new() };
    let mut found = Vec::new();
    for event in
        mailbox.events.values().filter(|event| event.calendar == place.calendar && !late.contains(&event.number))
    {
        let whole = render::event(mailbox, event, None, &view);
        if condition.as_ref().is_none_or(|condition| condition.holds(&whole, &event.extended)) {
            found.push((whole, event));
        }
    }
    let paging = Paging::of(call, view.page_size, 10)?;
    let mut items: Vec<Map<String, Value>> = found
        .into_iter()
        .map(|(whole, event)| {
            let mut item = whole;
            render::expand(mailbox, event, None, &view, &expand, &mut item);
            item
        })
        .collect();
    order(call, &mut items);
    let items = items.into_iter().map(|item| select(item, names.as_deref(), &ON_DEMAND)).collect();
    Ok(view.applied(page(call, items, paging)))
}

pub(super) fn create(state: &mut State, call: &Call, place: &Place) -> Answer {
    let view = View::of(call)?;
    let asked = call.object()?;
    let written = EVENT.check(asked.clone())?;
    let look_at_transaction = state.strikes(FaultName::TransactionIdIgnored, call).is_none();
    let now = state.clock.now();
    let mailbox = mailbox(state, &place.address)?;
    check_editable(mailbox, place.calendar, call)?;
    let transaction = written.get("transactionId").and_then(Value::as_str).map(str::to_owned);
    if look_at_transaction
        && let Some((number, earlier)) =
            transaction.as_ref().and_then(|transaction| mailbox.transactions.get(transaction))
        && let Some(event) = mailbox.events.get(number)
    {
        if *earlier != asked {
            return Err(GraphError::new(
                409,
                "ErrorDuplicateTransactionId",
                "Your request can't be completed. The transaction id of the request was used for another event.",
            ));
        }
        let existing = shown(mailbox, event, None, &view, call)?;
        return Ok(view.applied(item(call, 201, existing)));
    }
    let mut content = Content::default();
    content.apply(&written)?;
    let times = Times::parse(&written)?;
    let recurrence = match written.get("recurrence").filter(|value| !value.is_null()) {
        Some(value) => Some(Recurrence::parse(value, &times.start.zone.windows())?),
        None => None,
    };
    let mut extended = crate::extended::Extended::default();
    extended.apply(written.get("singleValueExtendedProperties").unwrap_or(&Value::Null))?;
    // Only the user's side of a test can make a meeting of someone else's.
    let organizer = written.get("organizer").filter(|organizer| call.by_hand && organizer.is_object()).cloned();
    let (number, change) = (mailbox.number(), mailbox.change());
    let mut event = Event {
        number,
        calendar: place.calendar,
        created: now,
        modified: now,
        change,
        own_change: change,
        content,
        times,
        recurrence,
        exceptions: Default::default(),
        cancelled: Default::default(),
        extended,
        transaction_id: transaction.clone(),
        generation: 0,
        organizer,
    };
    event.reset_series();
    if event.organizer.is_none() {
        let mails = Mails::between(&Default::default(), &event.content.attendees(), false);
        mailbox.mails.add(mails);
    }
    if let Some(transaction) = transaction {
        mailbox.transactions.insert(transaction, (number, asked));
    }
    mailbox.events.insert(number, event);
    let answer = shown(mailbox, &mailbox.events[&number], None, &view, call)?;
    lag(state, call, &place.address, number);
    drift(state, call, &place.address, number);
    Ok(view.applied(item(call, 201, answer)))
}

/// New items that are found or reported only later, where such a fault is on.
pub(super) fn lag(state: &mut State, call: &Call, address: &str, number: u32) {
    let filter = state.strikes(FaultName::FilterLag, call).map(|strike| strike.number(3));
    let delta = state.strikes(FaultName::LateVisibility, call).map(|strike| strike.number(1));
    if let Some(mailbox) = state.mailboxes.get_mut(address) {
        mailbox.unfiltered.extend(filter.filter(|left| *left > 0).map(|left| (number, left)));
        mailbox.unreported.extend(delta.filter(|left| *left > 0).map(|left| (number, left)));
    }
}

/// What Exchange does to an event after it was saved, where such a fault is on.
fn drift(state: &mut State, call: &Call, address: &str, number: u32) {
    let rewrites = state.strikes(FaultName::BodyRewritten, call).is_some();
    let drifts = state.strikes(FaultName::EtagDrift, call).is_some();
    if (rewrites || drifts)
        && let Some(mailbox) = state.mailboxes.get_mut(address)
    {
        let change = mailbox.change();
        if let Some(event) = mailbox.events.get_mut(&number) {
            event.change = change;
            if rewrites {
                event.content.body.rewrite();
            }
        }
    }
}

fn check_editable(mailbox: &Mailbox, calendar: u32, call: &Call) -> Result<(), GraphError> {
    let can_edit = mailbox.calendars.get(&calendar).is_some_and(|calendar| calendar.can_edit);
    if can_edit || call.by_hand { Ok(()) } else { Err(GraphError::access_denied()) }
}

pub(super) fn update(state: &mut State, call: &Call, place: &Place, id: &str) -> Answer {
    let view = View::of(call)?;
    let ignored = state.strikes(FaultName::WriteIgnored, call).is_some();
    let new_ids = state.strikes(FaultName::OccurrenceIdsChange, call).is_some();
    let now = state.clock.now();
    let mailbox = mailbox(state, &place.address)?;
    let (number, date) = find(mailbox, place, id)?;
    let event = &mailbox.events[&number];
    check_editable(mailbox, event.calendar, call)?;
    check_match(call, &mailbox.etag(event.change))?;
    let written = EVENT.check(call.object()?)?;
    if written.contains_key("transactionId") {
        return Err(GraphError::invalid_request("The property 'transactionId' is read-only and cannot be set."));
    }
    let before = date
        .and_then(|date| event.exceptions.get(&date))
        .map_or(&event.content, |exception| &exception.content)
        .attendees();
    let mut changed = event.clone();
    match date {
        Some(date) => update_instance(&mut changed, date, &written)?,
        None => update_whole(&mut changed, &written)?,
    }
    let after = date
        .and_then(|date| changed.exceptions.get(&date))
        .map_or(&changed.content, |exception| &exception.content)
        .attendees();
    if !ignored {
        // Attendees have no copy of what is kept with the item for programs: nobody is told.
        let is_silent = written.keys().all(|name| name == "singleValueExtendedProperties");
        if changed.organizer.is_none() && !is_silent {
            let only_attendees = written.keys().all(|name| name == "attendees");
            mailbox.mails.add(Mails::between(&before, &after, only_attendees));
        }
        let change = mailbox.change();
        changed.change = change;
        changed.modified = now;
        match date.and_then(|date| changed.exceptions.get_mut(&date)) {
            Some(exception) => exception.change = change,
            None => {
                changed.own_change = change;
                changed.generation = changed.generation.wrapping_add(u8::from(new_ids && changed.is_master()));
            }
        }
        mailbox.events.insert(number, changed);
    }
    let answer = shown(mailbox, &mailbox.events[&number], date, &view, call)?;
    if !ignored {
        drift(state, call, &place.address, number);
    }
    Ok(view.applied(item(call, 200, answer)))
}

fn update_whole(event: &mut Event, written: &Map<String, Value>) -> Result<(), GraphError> {
    let earlier = event.content.clone();
    event.content.apply(written)?;
    let start = event.times.start.local;
    event.times.apply(written)?;
    event.extended.apply(written.get("singleValueExtendedProperties").unwrap_or(&Value::Null))?;
    match written.get("recurrence") {
        Some(Value::Null) => {
            event.recurrence = None;
            event.reset_series();
        }
        Some(value) => {
            event.recurrence = Some(Recurrence::parse(value, &event.times.start.zone.windows())?);
            event.reset_series();
        }
        // A series whose time changes loses its exceptions; one that moves to another day begins there.
        None if event.is_master() && event.times.start.local != start => {
            if let Some(recurrence) = &mut event.recurrence {
                recurrence.start = event.times.start.local.date();
            }
            event.reset_series();
        }
        None => {}
    }
    // Exceptions follow the master in what they have not got of their own.
    for exception in event.exceptions.values_mut() {
        for (name, value) in &event.content.fields {
            if exception.content.fields.get(name) == earlier.fields.get(name) {
                exception.content.fields.insert(name.clone(), value.clone());
            }
        }
        if exception.content.body == earlier.body {
            exception.content.body = event.content.body.clone();
        }
    }
    Ok(())
}

fn update_instance(event: &mut Event, date: NaiveDate, written: &Map<String, Value>) -> Result<(), GraphError> {
    if written.get("recurrence").is_some_and(|recurrence| !recurrence.is_null()) {
        return Err(GraphError::invalid_request("The recurrence of an occurrence cannot be set."));
    }
    let mut times = event.times_on(Some(date));
    times.apply(written)?;
    event.check_boundaries(date, &times)?;
    let exception = event.exception(date);
    exception.content.apply(written)?;
    exception.times = times;
    exception.extended.apply(written.get("singleValueExtendedProperties").unwrap_or(&Value::Null))
}

pub(super) fn delete(state: &mut State, call: &Call, place: &Place, id: &str) -> Answer {
    remove(state, call, place, id)?;
    Ok(Reply::empty(204))
}

/// `POST …/cancel`: as deleting, for meetings that one has organised.
pub(super) fn cancel(state: &mut State, call: &Call, place: &Place, id: &str) -> Answer {
    let mailbox = mailbox(state, &place.address)?;
    let (number, _) = find(mailbox, place, id)?;
    if mailbox.events[&number].organizer.is_some() {
        return Err(GraphError::invalid_request(
            "Your request can't be completed. You need to be an organizer to cancel a meeting.",
        ));
    }
    remove(state, call, place, id)?;
    Ok(Reply::empty(202))
}

fn remove(state: &mut State, call: &Call, place: &Place, id: &str) -> Result<(), GraphError> {
    let now = state.clock.now();
    let mailbox = mailbox(state, &place.address)?;
    let (number, date) = find(mailbox, place, id)?;
    let event = &mailbox.events[&number];
    check_editable(mailbox, event.calendar, call)?;
    check_match(call, &mailbox.etag(event.change))?;
    if event.organizer.is_none() {
        let content =
            date.and_then(|date| event.exceptions.get(&date)).map_or(&event.content, |exception| &exception.content);
        let mails = Mails::between(&content.attendees(), &Default::default(), false);
        mailbox.mails.add(mails);
    }
    let change = mailbox.change();
    match date {
        Some(date) => {
            if let Some(event) = mailbox.events.get_mut(&number) {
                event.exceptions.remove(&date);
                event.cancelled.insert(date);
                event.change = change;
                event.modified = now;
            }
        }
        None => {
            mailbox.events.remove(&number);
        }
    }
    Ok(())
}

/// Moves an event to another calendar, as a user does by drag and drop: `{"destinationId": …}`.
pub(super) fn relocate(state: &mut State, call: &Call, place: &Place, id: &str) -> Answer {
    let view = View::of(call)?;
    let now = state.clock.now();
    let mailbox = mailbox(state, &place.address)?;
    let (number, _) = find(mailbox, place, id)?;
    let destination = call.object()?;
    let destination = destination.get("destinationId").and_then(Value::as_str).unwrap_or_default();
    let calendar =
        mailbox.folder_number(destination, Kind::Calendar).filter(|number| mailbox.calendars.contains_key(number));
    let calendar = calendar.ok_or_else(GraphError::item_not_found)?;
    let change = mailbox.change();
    if let Some(event) = mailbox.events.get_mut(&number) {
        event.calendar = calendar;
        event.change = change;
        event.own_change = change;
        event.modified = now;
    }
    let answer = shown(mailbox, &mailbox.events[&number], None, &view, call)?;
    Ok(item(call, 201, answer))
}
