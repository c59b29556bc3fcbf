//! The bodies of requests: PROPFIND, calendar-query, calendar-multiget (RFC 4791) and sync-collection (RFC 6578).

use apptsync_plugin::connector::{Kind, Window};
use apptsync_plugin::types::Instant;

use crate::address::Path;
use crate::xml::escape;

const NAMESPACES: &str =
    r#"xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/""#;

/// Seconds that a time range is widened by on each side: what has no zone of its own lies where the server thinks it does.
const FLOATING: Instant = 86_400;

/// The property of iCalendar under which our id stands.
const OUR_ID: &str = "X-APPTSYNC-ID";

/// Whether a report asks how long objects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lengths {
    Asked,
    NotAsked,
}

impl Lengths {
    fn property(self) -> &'static str {
        if self == Self::Asked { "<d:getcontentlength/>" } else { "" }
    }
}

/// The component of iCalendar that a kind is.
pub(crate) fn component(kind: Kind) -> &'static str {
    match kind {
        Kind::Task => "VTODO",
        Kind::Appointment | Kind::Contact => "VEVENT",
    }
}

/// What an account or a calendar is asked for when it is found out.
pub(crate) fn about() -> String {
    propfind(
        "<d:resourcetype/><d:displayname/><d:current-user-principal/><d:current-user-privilege-set/>\
         <c:calendar-home-set/><c:schedule-inbox-URL/><c:schedule-default-calendar-URL/>\
         <c:supported-calendar-component-set/>",
    )
}

/// The calendars in a home, and what they hold.
pub(crate) fn calendars() -> String {
    propfind("<d:resourcetype/><c:supported-calendar-component-set/>")
}

/// Whether a calendar may be written to, and by whom.
pub(crate) fn rights() -> String {
    propfind("<d:current-user-privilege-set/><d:current-user-principal/>")
}

/// Under which addresses somebody is invited.
pub(crate) fn addresses() -> String {
    propfind("<c:calendar-user-address-set/>")
}

/// What tells how changes of a calendar can be followed.
pub(crate) fn capabilities() -> String {
    propfind("<d:resourcetype/><d:sync-token/><d:supported-report-set/><s:getctag/>")
}

/// When anything in a calendar last changed.
pub(crate) fn last_modified() -> String {
    propfind("<d:resourcetype/><d:getlastmodified/>")
}

/// What changes whenever anything in a calendar changes.
pub(crate) fn ctag() -> String {
    propfind("<s:getctag/>")
}

/// Every resource and its tag.
pub(crate) fn tags() -> String {
    propfind("<d:resourcetype/><d:getetag/><d:getcontentlength/>")
}

fn propfind(properties: &str) -> String {
    document("d:propfind", &format!("<d:prop>{properties}</d:prop>"))
}

/// The tags of what lies in a window. A task without a date lies in none and in all, so tasks are not restricted.
pub(crate) fn in_window(kind: Kind, window: &Window, lengths: Lengths) -> String {
    let range = match kind {
        Kind::Task => String::new(),
        Kind::Appointment | Kind::Contact => {
            let (start, end) = (instant(window.start - FLOATING), instant(window.end + FLOATING));
            format!(r#"<c:time-range start="{start}" end="{end}"/>"#)
        }
    };
    filtered(kind, &range, lengths)
}

/// The tags of what carries this id of ours or, without one, any.
pub(crate) fn carrying(kind: Kind, our_id: Option<&str>) -> String {
    let matches = our_id.map_or_else(String::new, |our_id| {
        format!(r#"<c:text-match collation="i;octet">{}</c:text-match>"#, escape(our_id))
    });
    filtered(kind, &format!(r#"<c:prop-filter name="{OUR_ID}">{matches}</c:prop-filter>"#), Lengths::NotAsked)
}

fn filtered(kind: Kind, filter: &str, lengths: Lengths) -> String {
    let (component, length) = (component(kind), lengths.property());
    document(
        "c:calendar-query",
        &format!(
            r#"<d:prop><d:getetag/>{length}</d:prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="{component}">{filter}</c:comp-filter></c:comp-filter></c:filter>"#
        ),
    )
}

/// Objects with their tags.
pub(crate) fn multiget(paths: &[Path]) -> String {
    let mut content = "<d:prop><d:getetag/><c:calendar-data/></d:prop>".to_owned();
    for path in paths {
        content.push_str("<d:href>");
        content.push_str(&escape(path.as_str()));
        content.push_str("</d:href>");
    }
    document("c:calendar-multiget", &content)
}

/// What changed since a token.
pub(crate) fn changed_since(token: &str, lengths: Lengths) -> String {
    let (token, length) = (escape(token), lengths.property());
    document(
        "d:sync-collection",
        &format!(
            "<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/>{length}</d:prop>"
        ),
    )
}

fn document(root: &str, content: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="utf-8"?><{root} {NAMESPACES}>{content}</{root}>"#)
}

/// An instant as iCalendar writes it in UTC.
fn instant(instant: Instant) -> String {
    use apptsync_plugin::calendar::{DAY, LAST_INSTANT, civil_from_days};
    let instant = instant.clamp(0, LAST_INSTANT);
    let (year, month, day) = civil_from_days(instant.div_euclid(DAY));
    let second = instant.rem_euclid(DAY);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appointments_are_asked_for_by_a_window_that_is_a_day_wider() {
        let window = Window { start: 1_796_119_200, end: 1_796_122_859 };
        let body = in_window(Kind::Appointment, &window, Lengths::Asked);
        assert!(body.contains(r#"<c:time-range start="20261130T100000Z" end="20261202T110059Z"/>"#), "{body}");
        assert!(!in_window(Kind::Task, &window, Lengths::Asked).contains("time-range"));
        let ends = Window { start: i64::MIN + FLOATING, end: 253_402_300_799 };
        assert!(
            in_window(Kind::Appointment, &ends, Lengths::NotAsked)
                .contains(r#"start="19700101T000000Z" end="99991231T235959Z""#)
        );
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        assert!(changed_since("a<b>&", Lengths::Asked).contains("<d:sync-token>a&lt;b&gt;&amp;</d:sync-token>"));
        assert!(carrying(Kind::Task, Some("<x>")).contains("&lt;x&gt;</c:text-match>"));
        let path = Path::new("/a&b/<c>.ics").expect("a path");
        assert!(multiget(&[path]).contains("<d:href>/a&amp;b/%3Cc%3E.ics</d:href>"));
    }
}
