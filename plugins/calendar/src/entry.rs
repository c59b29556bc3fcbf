//! A component as an entry of the contract: what of it is normalised.

use apptsync_plugin::calendar::LAST_INSTANT;
use apptsync_plugin::connector::{Content, Entry, Identity, Item, Kind};
use apptsync_plugin::text::{DESCRIPTION, LINE, truncate};
use apptsync_plugin::types::{Instant, Period, Priority};
use mail_parser::decoders::html::html_to_text;

use crate::component::{Component, OUR_ID, WRITER};
use crate::moment::{Moment, Style, Times};
use crate::value::{self, Written};
use crate::{Place, Viewer};

/// The longest of our ids, and of the marks of writers, that the contract allows.
const LONGEST_MARK: usize = 64;

/// The item of a component at a place, with the period that it has there.
pub(crate) fn item(
    component: &Component,
    kind: Kind,
    times: Option<&Times>,
    period: Option<Period>,
    place: &Place<'_>,
    viewer: &Viewer,
) -> Item {
    // What is not known is private (RFC 5545 3.8.1.3).
    let class = component.text("CLASS").unwrap_or_default();
    let private = !class.is_empty() && !class.eq_ignore_ascii_case("PUBLIC");
    let text = |read: &dyn Fn(&Component) -> String| if private { String::new() } else { read(component) };
    let entry = Entry {
        subject: text(&|component| line(component, "SUMMARY")),
        body: text(&body),
        location: text(&|component| line(component, "LOCATION")),
        zone: times.filter(|_| matches!(period, Some(Period::Timed(_)))).map_or("", own_zone).to_owned(),
        period,
        priority: priority(component),
        completed: if kind == Kind::Task { completed(component) } else { None },
    };
    let (is_organizer, has_attendees) = people(component, viewer);
    Item {
        remote_id: place.remote_id.to_owned(),
        etag: place.etag.to_owned(),
        collection: place.collection.to_owned(),
        identity: our_id(component).map_or(Identity::None, Identity::Ours),
        writer: writer(component),
        uid: component.text("UID").filter(|uid| uid.len() <= LINE).unwrap_or_default(),
        content: Content::Entry(entry),
        private,
        cancelled: component.says("STATUS", "CANCELLED"),
        is_organizer,
        has_attendees,
        occurrence: None,
        changed_at: instant(component, "LAST-MODIFIED"),
    }
}

/// Our id, if it is one of ours.
pub(crate) fn our_id(component: &Component) -> Option<String> {
    mark(component, OUR_ID)
}

/// Who wrote it last, if it is a mark that we write.
pub(crate) fn writer(component: &Component) -> Option<String> {
    mark(component, WRITER)
}

fn mark(component: &Component, name: &str) -> Option<String> {
    let is_ours = |mark: &String| {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !mark.is_empty() && mark.len() <= LONGEST_MARK && mark.bytes().all(is_plain)
    };
    component.text(name).filter(is_ours)
}

/// The zone that it is shown in: none for UTC and for what is read in the viewer's own.
fn own_zone(times: &Times) -> &'static str {
    match &times.start {
        Moment::Time { zone, style: Style::Zoned(_), .. } => zone.name(),
        _ => "",
    }
}

fn line(component: &Component, name: &str) -> String {
    let text = component.first(name).map(|property| property.text()).unwrap_or_default();
    let mut line: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    truncate(&mut line, LINE);
    line
}

fn body(component: &Component) -> String {
    let plain = component.first("DESCRIPTION").map(|property| property.text()).unwrap_or_default();
    let text = if plain.trim().is_empty() { from_html(component).unwrap_or(plain) } else { plain };
    let kept = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_shown = |character: &char| matches!(character, '\n' | '\t') || !character.is_control();
    let mut body: String = kept.chars().filter(is_shown).collect();
    truncate(&mut body, DESCRIPTION);
    body
}

/// The body of an item that has only one of HTML, as text.
fn from_html(component: &Component) -> Option<String> {
    let html = component.all("X-ALT-DESC").find(|property| {
        property.parameter("FMTTYPE").is_some_and(|media_type| media_type.eq_ignore_ascii_case("text/html"))
    })?;
    Some(html_to_text(&html.text()).trim().to_owned())
}

fn priority(component: &Component) -> Priority {
    let number = |name| component.text(name).and_then(|text| text.parse::<u8>().ok());
    match (number("PRIORITY").unwrap_or(0), number("X-MICROSOFT-CDO-IMPORTANCE")) {
        (1..=4, _) | (0, Some(2)) => Priority::High,
        (6..=9, _) | (0, Some(0)) => Priority::Low,
        _ => Priority::Normal,
    }
}

/// When a task was completed. Where only that it was is said: when it was last changed.
fn completed(component: &Component) -> Option<Instant> {
    let is_completed = match component.text("STATUS") {
        Some(status) if !status.is_empty() => status.eq_ignore_ascii_case("COMPLETED"),
        _ => component.first("COMPLETED").is_some() || component.says("PERCENT-COMPLETE", "100"),
    };
    let when = || ["COMPLETED", "LAST-MODIFIED", "DTSTAMP"].into_iter().find_map(|name| instant(component, name));
    is_completed.then(|| when().unwrap_or(0))
}

/// An instant of a property that is always in UTC.
fn instant(component: &Component, name: &str) -> Option<Instant> {
    let moment = match value::date_or_time(&component.first(name)?.value)? {
        Written::Utc(time) | Written::Local(time) => time,
        Written::Date(date) => date.and_hms_opt(0, 0, 0)?,
    };
    Some(value::instant(moment)).filter(|instant| (0..=LAST_INSTANT).contains(instant))
}

/// Whether the viewer organizes it, and whether others take part. An organizer who invited nobody has only published it.
fn people(component: &Component, viewer: &Viewer) -> (bool, bool) {
    let mut attendees = component.all("ATTENDEE").map(|property| property.value.as_str()).peekable();
    let is_meeting = attendees.peek().is_some();
    let has_others = attendees.any(|address| !is_viewer(address, viewer));
    let organizer = component.first("ORGANIZER");
    let is_organizer = !is_meeting || organizer.is_none_or(|organizer| is_viewer(&organizer.value, viewer));
    (is_organizer, has_others)
}

/// An address without its scheme.
pub(crate) fn address(written: &str) -> &str {
    let written = written.trim();
    let scheme = written.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    &written[scheme.map_or(0, str::len)..]
}

fn is_viewer(written: &str, viewer: &Viewer) -> bool {
    let address = address(written);
    let mailbox = viewer.mailbox.as_str();
    let local_part = address.split('@').next().unwrap_or_default();
    address.eq_ignore_ascii_case(mailbox) || (!mailbox.contains('@') && local_part.eq_ignore_ascii_case(mailbox))
}
