//! Views of a calendar: all instances in a window, once or by delta, and the instances of one series.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::calendars::mailbox;
use super::events::{Place, find};
use super::follow::{self, Followed};
use super::page;
use crate::delta::{Key, Scope};
use crate::error::GraphError;
use crate::fault::FaultName;
use crate::http::{Answer, Call};
use crate::identifier::{Identifier, Kind};
use crate::mailbox::Mailbox;
use crate::moment::parameter;
use crate::query::{Condition, Expand, Paging, order, select, selected};
use crate::render::{self, ON_DEMAND};
use crate::series::Window;
use crate::state::State;
use crate::view::View;

/// The window that a request names.
fn window(call: &Call) -> Result<Option<Window>, GraphError> {
    let given =
        |name| call.parameter(name).filter(|text| !text.is_empty()).map(|text| parameter(text, name)).transpose();
    match (given("startDateTime")?, given("endDateTime")?) {
        (Some(start), Some(end)) if start <= end => Ok(Some(Window { start, end })),
        (Some(_), Some(_)) => {
            Err(GraphError::new(400, "ErrorInvalidParameter", "The end of the window lies before its start."))
        }
        _ => Ok(None),
    }
}

fn needed_window(call: &Call) -> Result<Window, GraphError> {
    window(call)?.ok_or_else(|| {
        GraphError::new(
            400,
            "ErrorInvalidParameter",
            "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.",
        )
    })
}

/// All instances in the window, with their properties.
pub(super) fn list(state: &mut State, call: &Call, place: &Place) -> Answer {
    let window = needed_window(call)?;
    let mailbox = mailbox(state, &place.address)?;
    let mut found = Vec::new();
    for event in mailbox.events.values().filter(|event| event.calendar == place.calendar) {
        found.extend(
            event.instances(window, &mailbox.zone).into_iter().map(|instance| (instance.start, event, instance.date)),
        );
    }
    found.sort_by_key(|(start, event, date)| (*start, event.number, *date));
    // These two cannot be asked for here.
    let hidden = ["createdDateTime", "lastModifiedDateTime"];
    answer(call, mailbox, found.into_iter().map(|(_, event, date)| (event, date)), &hidden)
}

/// The instances of a series in the window.
pub(super) fn instances(state: &mut State, call: &Call, place: &Place, id: &str) -> Answer {
    let window = needed_window(call)?;
    let mailbox = mailbox(state, &place.address)?;
    let (number, date) = find(mailbox, place, id)?;
    let event = &mailbox.events[&number];
    if date.is_some() || !event.is_master() {
        return Err(GraphError::invalid_request(
            "Your request can't be completed. The id is not that of a series master.",
        ));
    }
    let found = event.instances(window, &mailbox.zone);
    answer(call, mailbox, found.into_iter().map(|instance| (event, instance.date)), &[])
}

fn answer<'a>(
    call: &Call,
    mailbox: &Mailbox,
    found: impl Iterator<Item = (&'a crate::event::Event, Option<chrono::NaiveDate>)>,
    hidden: &[&str],
) -> Answer {
    let view = View::of(call)?;
    let (expand, names) = (Expand::of(call)?, selected(call));
    let condition = call.parameter("$filter").map(Condition::parse).transpose()?;
    let mut items: Vec<Map<String, Value>> = Vec::new();
    for (event, date) in found {
        let mut item = render::event(mailbox, event, date, &view);
        if condition.as_ref().is_none_or(|condition| condition.holds(&item, &event.extended)) {
            render::expand(mailbox, event, date, &view, &expand, &mut item);
            item.retain(|name, _| names.is_none() || !hidden.contains(&name.as_str()));
            items.push(item);
        }
    }
    order(call, &mut items);
    let items = items.into_iter().map(|item| select(item, names.as_deref(), &ON_DEMAND)).collect();
    Ok(view.applied(page(call, items, Paging::of(call, view.page_size, 10)?)))
}

/// Changes of a window since a token.
pub(super) fn delta(state: &mut State, call: &Call, place: &Place) -> Answer {
    if call.parameter("$expand").is_some() && state.strikes(FaultName::ExtendedPropertyDelta, call).is_some() {
        return Err(GraphError::new(
            500,
            "ErrorInternalServerError",
            "An internal server error occurred. The operation failed.",
        ));
    }
    if ["$select", "$expand", "$filter", "$orderby", "$search"].iter().any(|name| call.parameter(name).is_some()) {
        return Err(GraphError::new(
            400,
            "ErrorInvalidUrlQuery",
            "The following parameters are not supported with change tracking over the 'CalendarView' resource: \
             '$orderby, $filter, $select, $expand, $search'.",
        ));
    }
    let token = call.parameter("$skiptoken").or(call.parameter("$deltatoken"));
    let window = if token.is_some() { window(call)? } else { Some(needed_window(call)?) };
    follow::answer(
        state,
        call,
        &place.address,
        &Followed { scope: Scope::Calendar(place.calendar), window, current, changed, removed },
    )
}

fn current(mailbox: &Mailbox, scope: &Scope, window: Option<Window>) -> BTreeMap<Key, u64> {
    let (Scope::Calendar(calendar), Some(window)) = (scope, window) else { return BTreeMap::new() };
    let mut now = BTreeMap::new();
    for event in mailbox.events.values().filter(|event| event.calendar == *calendar) {
        let instances = event.instances(window, &mailbox.zone);
        if event.is_master() && !instances.is_empty() {
            now.insert((event.number, None), event.change);
        }
        now.extend(instances.into_iter().map(|instance| ((event.number, instance.date), instance.version)));
    }
    now
}

fn changed(mailbox: &Mailbox, (number, date): Key, view: &View, _call: &Call) -> Option<Value> {
    let event = mailbox.events.get(&number)?;
    // Series can have changed between two pages of a round.
    if date.is_some_and(|date| !event.has_date(date)) {
        return None;
    }
    Some(Value::Object(render::delta_entry(mailbox, event, date, view)))
}

fn removed(mailbox: &Mailbox, scope: &Scope, (number, date): Key, view: &View) -> Option<Value> {
    let Scope::Calendar(folder) = scope else { return None };
    let event = mailbox.events.get(&number);
    // A deleted occurrence is not announced; the master's cancelledOccurrences tell.
    if let (Some(event), Some(date)) = (event, date)
        && event.cancelled.contains(&date)
    {
        return None;
    }
    let generation = event.filter(|_| date.is_some()).map_or(0, |event| event.generation);
    let id = Identifier { kind: Kind::Event, item: number, folder: *folder, date, generation };
    Some(json!({
        "@odata.type": "#microsoft.graph.event",
        "id": id.write(mailbox.key, view.immutable),
        "@removed": {"reason": "deleted"},
    }))
}
