//! What lies in a window by ids and versions alone: listings that select little more than what makes an `ETag` of ours.
//!
//! What is private or called off is left out, because the host keeps nothing of it and would ask for it every time. An address
//! book is not listed: most of it is the user's own, of which the host keeps nothing either.

use apptsync_plugin::connector::{Kind, Reference, Target, VersionsPage, Window};
use apptsync_plugin::types::{Failure, Period};
use chrono::NaiveTime;
use serde_json::Value;

use crate::address::encode;
use crate::graph::{self, Graph};
use crate::{etag, events, moment, tasks, zones};

/// What tells the version of an event, and whether it is listed.
const EVENT: &str = "id,isAllDay,attendees,isOrganizer,isOnlineMeeting,type,seriesMasterId,originalStartTimeZone,\
     sensitivity,isCancelled";
/// What tells where a task lies.
const TASK: &str = "id,startDateTime,dueDateTime";
/// Items that a page of the server shall have, at most.
const TOP: usize = 1_000;
/// Items that the contract has room for.
const MOST: usize = 4_096;
/// Pages of the server that are read for one of ours.
const MOST_PAGES: usize = 16;

/// A page; none of an address book.
///
/// # Errors
///
/// What the server says; `permanent` for a place to go on that was not given out here.
pub(crate) fn page(
    graph: &Graph<'_>,
    target: &Target,
    window: &Window,
    next: Option<&str>,
) -> Result<Option<VersionsPage>, Failure> {
    let Some(first) = first(graph, target, window) else { return Ok(None) };
    let mut link = match next {
        None => first,
        Some(next) if next.starts_with('/') => next.to_owned(),
        Some(_) => return Err(Failure::Permanent("a listing cannot go on from there".to_owned())),
    };
    let mut items = Vec::new();
    for _ in 0..MOST_PAGES {
        let mut page = graph.get(&link)?;
        for entity in graph::values(&mut page)? {
            match version(graph, target, window, &entity) {
                Ok(version) => items.extend(version),
                Err(why) => {
                    graph.host.warn(entity["id"].as_str().unwrap_or_default(), &format!("left out of a listing: {why}"))
                }
            }
        }
        if items.len() > MOST {
            return Err(Failure::Permanent(format!("the server puts more than {TOP} items on a page")));
        }
        let Some(following) = page["@odata.nextLink"].as_str() else {
            return Ok(Some(VersionsPage { items, next: None }));
        };
        let following = graph.root.follow(following)?;
        if following == link {
            return Err(Failure::Permanent("the server's next page is the same page again".to_owned()));
        }
        link = following;
        if items.len() + TOP > MOST {
            break;
        }
    }
    Ok(Some(VersionsPage { items, next: Some(link) }))
}

fn first(graph: &Graph<'_>, target: &Target, window: &Window) -> Option<String> {
    let collection = encode(&target.collection);
    let resource = match target.kind {
        Kind::Appointment => {
            let (start, end) = (encode(&moment::in_query(window.start)), encode(&moment::in_query(window.end)));
            format!("/calendars/{collection}/calendarView?startDateTime={start}&endDateTime={end}&$select={EVENT}")
        }
        Kind::Task => format!("/todo/lists/{collection}/tasks?$select={TASK}"),
        Kind::Contact => return None,
    };
    Some(graph.root.path(&graph.resource(&format!("{resource}&$top={TOP}"))))
}

/// Id and version of what the host may know; none of what it does not.
fn version(graph: &Graph<'_>, target: &Target, window: &Window, entity: &Value) -> Result<Option<Reference>, String> {
    let (etag, is_meant) = match target.kind {
        Kind::Task => {
            let period = tasks::period(entity, graph.zone)?;
            (etag::of(entity)?.to_owned(), period.is_none_or(|period| lies_in(&period, window, graph)))
        }
        _ => {
            let is_hidden = events::is_private(&entity["sensitivity"]) || entity["isCancelled"] == true;
            (events::version(entity, graph.zone)?, !is_hidden)
        }
    };
    Ok(is_meant.then_some(Reference { remote_id: events::id(entity)?.to_owned(), etag }))
}

/// Whether the days of a task lie in the window, if only partly.
fn lies_in(period: &Period, window: &Window, graph: &Graph<'_>) -> bool {
    let midnight = |day: &str| moment::date(day).map(|day| zones::instant(day.and_time(NaiveTime::MIN), graph.zone));
    let (start, end) = match period {
        Period::AllDay(days) => (midnight(&days.start), midnight(&days.end)),
        Period::Timed(times) => (Some(times.start), Some(times.end)),
    };
    start.is_none_or(|start| start < window.end) && end.is_none_or(|end| end > window.start)
}
