//! What an HTTP answer, or the lack of one, means to the host.

use apptsync_plugin::http::{self, Response};
use apptsync_plugin::text;
use apptsync_plugin::types::Failure;

use crate::xml::{self, Element, Vocabulary};

/// Longest pause that is believed, in seconds.
const LONGEST_PAUSE: u64 = 86_400;

/// Characters of a server's own words.
const WORDS: usize = 200;

const NO_ROOM: &str = "the server has no room left";

/// What was asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Nothing changes, whatever became of it.
    Read,
    /// It may have been done although the answer is an error.
    Write,
}

/// No answer to a request.
pub(crate) fn unanswered(failure: &http::Failure) -> Failure {
    match failure {
        http::Failure::NotSent(why) if is_refusal(why) => Failure::Permanent(why.clone()),
        http::Failure::NotSent(why) | http::Failure::NoAnswer(why) => Failure::Transient(why.clone()),
    }
}

/// The host tells refusals by words alone; those of an address are none of its.
fn is_refusal(why: &str) -> bool {
    let mut words = why.split_whitespace().filter(|word| !word.contains("://"));
    words.any(|word| word.starts_with("grant") || word.contains("certificate"))
}

/// An answer that is not the one hoped for.
pub(crate) fn answered(response: &Response, intent: Intent) -> Failure {
    let words = |about: &str| explain(about, response);
    match response.status {
        401 => Failure::Auth(words("it is wrong or expired")),
        403 => Failure::Auth(words("it has no right to this")),
        404 | 410 => Failure::Gone,
        409 | 412 => Failure::Conflict,
        423 => Failure::Transient(words("it is locked")),
        429 => Failure::Throttled(retry_after(response)),
        503 if intent == Intent::Read && response.header("retry-after").is_some() => {
            Failure::Throttled(retry_after(response))
        }
        507 => Failure::Transient(words(NO_ROOM)),
        408 | 500..=599 => Failure::Transient(words("the server failed")),
        413 => Failure::Permanent(words("it is too large for the server")),
        300..=399 => Failure::Permanent(words("the server sends elsewhere: use the address that it gives")),
        _ => Failure::Permanent(words("the server refuses the request")),
    }
}

/// Why nothing more can be written.
pub(crate) fn no_room(response: &Response) -> Failure {
    Failure::Permanent(explain(NO_ROOM, response))
}

/// What a server refuses about one object, and not about all of a calendar.
pub(crate) fn refused_object(response: &Response) -> Failure {
    Failure::Permanent(explain("the server refuses to have it changed", response))
}

/// How long the server wants to be left alone: seconds, or an instant, which is told by the server's own clock.
fn retry_after(response: &Response) -> Option<u32> {
    let value = response.header("retry-after")?.trim();
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let until = httpdate::parse_http_date(value).ok()?;
            let now = httpdate::parse_http_date(response.header("date")?).ok()?;
            until.duration_since(now).map_or(0, |pause| pause.as_secs())
        }
    };
    u32::try_from(seconds.min(LONGEST_PAUSE)).ok()
}

/// Whether the `DAV:error` of an answer names this condition.
pub(crate) fn names_condition(response: &Response, vocabulary: Vocabulary, name: &str) -> bool {
    conditions(response).iter().any(|element| element.is(vocabulary, name))
}

/// Words for the condition of CalDAV that an answer says does not hold; none where it names none.
pub(crate) fn failed_condition(response: &Response) -> Option<String> {
    let named = conditions(response).iter().any(|element| element.vocabulary == Vocabulary::CalDav);
    named.then(|| explain("the server does not take it", response))
}

fn conditions(response: &Response) -> Vec<Element> {
    let mut found = Vec::new();
    match xml::read(&response.body, "error", |element| found.push(element)) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

/// What failed, with the status and what the server says about it.
fn explain(about: &str, response: &Response) -> String {
    let mut message = format!("{about}: status {}", response.status);
    if let Some(location) = response.header("location").filter(|_| (300..400).contains(&response.status)) {
        message = format!("{message}, to {}", text::excerpt(location, WORDS));
    }
    let words = said(response);
    let words = words.trim();
    if !words.is_empty() {
        message = format!("{message}, it says: {}", text::excerpt(words, WORDS));
    }
    message
}

/// The server's own words: a message, else the names of the conditions that do not hold, else a plain text.
fn said(response: &Response) -> String {
    let conditions = conditions(response);
    let message = conditions
        .iter()
        .find(|element| element.is(Vocabulary::Sabre, "message") || element.is(Vocabulary::Dav, "responsedescription"));
    if let Some(message) = message {
        return message.text.clone();
    }
    let names: Vec<&str> = conditions
        .iter()
        .filter(|element| matches!(element.vocabulary, Vocabulary::Dav | Vocabulary::CalDav))
        .map(|element| element.name.as_str())
        .collect();
    if !names.is_empty() {
        return names.join(", ");
    }
    let plain = response.header("content-type").is_some_and(|value| value.starts_with("text/plain"));
    if plain { response.text() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_status_means_the_same_everywhere() {
        let of = |status, intent| answered(&answer(status, &[("retry-after", "7")], ""), intent);
        assert!(matches!(of(401, Intent::Read), Failure::Auth(_)));
        assert!(matches!(of(403, Intent::Write), Failure::Auth(_)));
        for status in [404, 410] {
            assert_eq!(of(status, Intent::Write), Failure::Gone);
        }
        for status in [409, 412] {
            assert_eq!(of(status, Intent::Write), Failure::Conflict);
        }
        assert_eq!(of(429, Intent::Write), Failure::Throttled(Some(7)));
        assert_eq!(of(503, Intent::Read), Failure::Throttled(Some(7)));
        // A write that an error answers may have been done.
        for status in [423, 500, 502, 503, 504, 507] {
            assert!(matches!(of(status, Intent::Write), Failure::Transient(_)));
        }
        for status in [301, 400, 405, 413, 415] {
            assert!(matches!(of(status, Intent::Write), Failure::Permanent(_)));
        }
        assert!(matches!(answered(&answer(503, &[], ""), Intent::Read), Failure::Transient(_)));
    }

    #[test]
    fn a_pause_is_seconds_or_an_instant_of_the_server() {
        let pause = |headers: &[(&str, &str)]| retry_after(&answer(429, headers, ""));
        assert_eq!(pause(&[("retry-after", " 120 ")]), Some(120));
        assert_eq!(pause(&[("retry-after", "99999999999")]), Some(86_400));
        let date = ("date", "Mon, 23 Nov 2026 08:00:00 GMT");
        assert_eq!(pause(&[("retry-after", "Mon, 23 Nov 2026 08:02:00 GMT"), date]), Some(120));
        assert_eq!(pause(&[("retry-after", "Mon, 23 Nov 2026 07:00:00 GMT"), date]), Some(0));
        assert_eq!(pause(&[("retry-after", "Mon, 23 Nov 2026 08:02:00 GMT")]), None);
        assert_eq!(pause(&[("retry-after", "soon"), date]), None);
        assert_eq!(pause(&[]), None);
    }

    #[test]
    fn the_server_is_quoted() {
        let sabre = r#"<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>X</s:exception><s:message>Calendar object is
            broken</s:message></d:error>"#;
        let conditions = r#"<error xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict/></error>"#;
        let words = |response: Response| match answered(&response, Intent::Write) {
            Failure::Permanent(words) | Failure::Auth(words) | Failure::Transient(words) => words,
            other => panic!("{other:?}"),
        };
        assert!(words(answer(400, &[], sabre)).ends_with("status 400, it says: Calendar object is             broken"));
        assert!(words(answer(403, &[], conditions)).ends_with("status 403, it says: no-uid-conflict"));
        assert!(
            words(answer(400, &[("content-type", "text/plain; charset=utf-8")], "Bad Request"))
                .ends_with("Bad Request")
        );
        assert!(words(answer(400, &[("content-type", "text/html")], "<html>")).ends_with("status 400"));
        assert!(words(answer(302, &[("location", "https://other.example/")], "")).ends_with("https://other.example/"));
        assert!(names_condition(&answer(403, &[], conditions), Vocabulary::CalDav, "no-uid-conflict"));
        assert!(!names_condition(&answer(403, &[], "no XML"), Vocabulary::CalDav, "no-uid-conflict"));
    }

    #[test]
    fn what_was_not_sent_is_permanent_only_where_nothing_can_work() {
        let of = |why: &str| unanswered(&http::Failure::NotSent(why.to_owned()));
        assert!(matches!(of("GET https://a/: the host does not grant this address"), Failure::Permanent(_)));
        assert!(matches!(of("the server's certificate is not trusted"), Failure::Permanent(_)));
        assert!(matches!(of("the server refuses the connection"), Failure::Transient(_)));
        let named = "GET https://grant.example.com/certificates/: the server refuses the connection";
        assert!(matches!(of(named), Failure::Transient(_)));
        let lost = http::Failure::NoAnswer("the server does not answer in time".to_owned());
        assert!(matches!(unanswered(&lost), Failure::Transient(_)));
    }
}
