//! Calendars: listed, made, renamed, deleted; and the way to what is in them.

use super::{calendar_view, events, item, page};
use crate::error::GraphError;
use crate::http::{Answer, Call, Reply};
use crate::identifier::Kind;
use crate::mailbox::Mailbox;
use crate::query::{Condition, Paging, select, selected};
use crate::render;
use crate::schema::CALENDAR;
use crate::state::State;

/// Answers `/calendar…`, `/calendars…`, `/events…` and `/calendarView…` of a mailbox.
pub(super) fn answer(state: &mut State, call: &Call, address: &str, words: &[&str], names: &[String]) -> Answer {
    let mailbox = mailbox(state, address)?;
    // Without a calendar in the path: the default one, but ids of events in any.
    let (calendar, named, rest) = match words {
        ["calendars"] => return all(state, call, address),
        ["calendars", ..] => {
            let number = mailbox.folder_number(&names[1], Kind::Calendar);
            let number = number.filter(|number| mailbox.calendars.contains_key(number));
            (number.ok_or_else(GraphError::item_not_found)?, true, 2)
        }
        ["calendar", ..] => (mailbox.default_calendar(), true, 1),
        _ => (mailbox.default_calendar(), false, 0),
    };
    let place = events::Place { address: address.into(), calendar, named };
    let id = names.get(rest + 1).map_or("", String::as_str);
    match (call.method.as_str(), &words[rest..]) {
        (_, []) => one(state, call, address, calendar),
        ("GET", ["calendarview", "delta"]) => calendar_view::delta(state, call, &place),
        ("GET", ["calendarview"]) => calendar_view::list(state, call, &place),
        (_, ["events", "delta"]) => Err(GraphError::invalid_request(
            "Unsupported request: Change tracking is not supported against 'microsoft.graph.event'.",
        )),
        ("GET", ["events"]) => events::list(state, call, &place),
        ("POST", ["events"]) => events::create(state, call, &place),
        ("GET", ["events", _]) => events::get(state, call, &place, id),
        ("PATCH", ["events", _]) => events::update(state, call, &place, id),
        ("DELETE", ["events", _]) => events::delete(state, call, &place, id),
        ("GET", ["events", _, "instances"]) => calendar_view::instances(state, call, &place, id),
        ("POST", ["events", _, "cancel"]) => events::cancel(state, call, &place, id),
        ("POST", ["events", _, "move"]) if call.by_hand => events::relocate(state, call, &place, id),
        (method, ["events" | "calendarview", ..]) => Err(GraphError::not_allowed(method)),
        (_, [other, ..]) => Err(GraphError::unknown_segment(other)),
    }
}

/// A mailbox that is there.
pub(super) fn mailbox<'a>(state: &'a mut State, address: &str) -> Result<&'a mut Mailbox, GraphError> {
    state.mailboxes.get_mut(address).ok_or_else(GraphError::item_not_found)
}

fn all(state: &mut State, call: &Call, address: &str) -> Answer {
    match call.method.as_str() {
        "GET" => {
            let mailbox = mailbox(state, address)?;
            let condition = call.parameter("$filter").map(Condition::parse).transpose()?;
            let names = selected(call);
            let calendars = mailbox.calendars.values().map(|calendar| render::calendar(mailbox, calendar));
            let calendars = calendars.filter(|calendar| {
                condition.as_ref().is_none_or(|condition| condition.holds(calendar, &Default::default()))
            });
            let calendars = calendars.map(|calendar| select(calendar, names.as_deref(), &[])).collect();
            Ok(page(call, calendars, Paging::of(call, None, 10)?))
        }
        "POST" => {
            let written = CALENDAR.check(call.object()?)?;
            let name = written.get("name").and_then(|name| name.as_str()).unwrap_or_default().trim().to_owned();
            let mailbox = mailbox(state, address)?;
            check_name(mailbox, &name, None)?;
            let number = mailbox.add_calendar(&name, true);
            Ok(item(call, 201, render::calendar(mailbox, &mailbox.calendars[&number])))
        }
        method => Err(GraphError::not_allowed(method)),
    }
}

fn check_name(mailbox: &Mailbox, name: &str, but: Option<u32>) -> Result<(), GraphError> {
    if name.is_empty() {
        return Err(GraphError::invalid_property("name is missing."));
    }
    let mut others = mailbox.calendars.values().filter(|calendar| Some(calendar.number) != but);
    if others.any(|calendar| calendar.name.eq_ignore_ascii_case(name)) {
        return Err(GraphError::new(409, "ErrorFolderExists", "A folder with the specified name already exists."));
    }
    Ok(())
}

fn one(state: &mut State, call: &Call, address: &str, number: u32) -> Answer {
    let mailbox = mailbox(state, address)?;
    match call.method.as_str() {
        "GET" => {
            let calendar =
                select(render::calendar(mailbox, &mailbox.calendars[&number]), selected(call).as_deref(), &[]);
            Ok(item(call, 200, calendar))
        }
        "PATCH" => {
            let written = CALENDAR.check(call.object()?)?;
            let name = written.get("name").and_then(|name| name.as_str()).map(|name| name.trim().to_owned());
            if let Some(name) = &name {
                check_name(mailbox, name, Some(number))?;
            }
            let change = mailbox.change();
            if let Some(calendar) = mailbox.calendars.get_mut(&number) {
                calendar.change = change;
                calendar.name = name.unwrap_or_else(|| calendar.name.clone());
                if let Some(color) = written.get("color").and_then(|color| color.as_str()) {
                    calendar.color = color.into();
                }
                if call.by_hand
                    && let Some(can_edit) = call.object()?.get("canEdit").and_then(serde_json::Value::as_bool)
                {
                    calendar.can_edit = can_edit;
                }
            }
            Ok(item(call, 200, render::calendar(mailbox, &mailbox.calendars[&number])))
        }
        "DELETE" => {
            if number == mailbox.default_calendar() {
                return Err(GraphError::new(
                    400,
                    "ErrorDeleteDistinguishedFolder",
                    "Distinguished folders cannot be deleted.",
                ));
            }
            mailbox.remove_calendar(number);
            Ok(Reply::empty(204))
        }
        method => Err(GraphError::not_allowed(method)),
    }
}
