//! Radicale is asked when anything last changed before it is asked what did.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use apptsync_plugin::http::{Request, Response};
use apptsync_tests::radicale::{PASSWORD, Radicale};

use crate::hosts::{Calendar, Real, Scripted, answer, meeting};

const ORIGIN: &str = "http://radicale.example.com";
const CALENDAR: &str = "/user/sales/";
const NINE: &str = "Tue, 01 Dec 2026 09:00:00 GMT";

/// Nothing changed: the property with this value, in an answer with this date, and a list of changes without any.
fn unchanged(modified: &str, date: Option<&str>) -> Scripted {
    let (modified, date) = (modified.to_owned(), date.map(str::to_owned));
    Scripted::new(move |request| {
        let body = if request.method == "PROPFIND" {
            format!(
                "<response><href>{}</href><propstat><prop><resourcetype><collection/>\
                 <calendar xmlns=\"urn:ietf:params:xml:ns:caldav\"/></resourcetype><getlastmodified>{modified}\
                 </getlastmodified></prop><status>HTTP/1.1 200 OK</status></propstat></response>",
                // Some servers write it without its slash.
                CALENDAR.trim_end_matches('/')
            )
        } else {
            "<sync-token>http://radicale.org/ns/sync/2</sync-token>".to_owned()
        };
        let headers: Vec<(&str, &str)> = date.iter().map(|date| ("date", date.as_str())).collect();
        Ok(answer(207, &headers, &format!("<multistatus xmlns=\"DAV:\">{body}</multistatus>")))
    })
}

/// What the server is asked for in a pass, and the cursor of the next one.
fn asked(host: &Scripted, cursor: &str) -> (Vec<String>, String) {
    let (changes, next) = Calendar::new(host, ORIGIN, CALENDAR).pass(Some(cursor));
    assert!(changes.is_empty());
    let requests = host.memory.requests.take();
    (requests.iter().filter_map(|request| request.split(' ').next()).map(str::to_owned).collect(), next)
}

fn cursor(token: &str) -> String {
    format!(r#"{{"changes":{{"from":"{token}","page":null}}}}"#)
}

fn of_radicale() -> String {
    cursor("http://radicale.org/ns/sync/1")
}

const BOTH: [&str; 2] = ["PROPFIND", "REPORT"];

#[test]
fn what_did_not_change_for_two_seconds_is_known_by_one_request() {
    let host = unchanged(NINE, Some("Tue, 01 Dec 2026 09:00:02 GMT"));
    let (first, next) = asked(&host, &of_radicale());
    assert_eq!(first, BOTH, "nothing is known yet");
    let (second, next) = asked(&host, &next);
    assert_eq!(second, ["PROPFIND"]);
    assert!(next.contains("http://radicale.org/ns/sync/2"), "{next}");
    assert_eq!(asked(&host, &next).0, ["PROPFIND"]);
}

#[test]
fn what_proves_nothing_is_not_believed() {
    let later = "Tue, 01 Dec 2026 09:00:10 GMT";
    let (_, strong) = asked(&unchanged(NINE, Some(later)), &of_radicale());
    for (why, host) in [
        ("it changed", unchanged("Tue, 01 Dec 2026 09:00:09 GMT", Some("Tue, 01 Dec 2026 10:00:00 GMT"))),
        ("it was put back", unchanged("Tue, 01 Dec 2026 08:00:00 GMT", Some("Tue, 01 Dec 2026 10:00:00 GMT"))),
        ("the clock was put back", unchanged(NINE, Some("Tue, 01 Dec 2026 09:00:09 GMT"))),
        ("there is no date", unchanged(NINE, None)),
        ("there is no date in the date", unchanged(NINE, Some("now"))),
        ("there is no time", unchanged("", Some(later))),
        ("there is no time in the time", unchanged("yesterday", Some(later))),
    ] {
        assert_eq!(asked(&host, &strong).0, BOTH, "{why}");
    }
    // What was read in the second of the last change, or the one after, or without a date, is asked for again.
    for date in [Some(NINE), Some("Tue, 01 Dec 2026 09:00:01 GMT"), Some("Tue, 01 Dec 2026 08:59:00 GMT"), None] {
        let (_, weak) = asked(&unchanged(NINE, date), &of_radicale());
        assert_eq!(asked(&unchanged(NINE, Some(later)), &weak).0, BOTH, "{date:?}");
    }
}

#[test]
fn a_clock_that_was_put_back_is_noticed_by_the_last_date() {
    let (_, next) = asked(&unchanged(NINE, Some("Tue, 01 Dec 2026 09:00:10 GMT")), &of_radicale());
    let (requests, next) = asked(&unchanged(NINE, Some("Tue, 01 Dec 2026 12:00:00 GMT")), &next);
    assert_eq!(requests, ["PROPFIND"]);
    assert_eq!(asked(&unchanged(NINE, Some("Tue, 01 Dec 2026 11:00:00 GMT")), &next).0, BOTH);
}

#[test]
fn other_servers_are_not_asked() {
    for token in ["http://sabre.io/ns/sync/1", "https://radicale.org/ns/sync/1", "1"] {
        let host = unchanged(NINE, Some("Tue, 01 Dec 2026 10:00:00 GMT"));
        assert_eq!(asked(&host, &cursor(token)).0, ["REPORT"], "{token}");
    }
}

/// Makes what lies in a folder look an hour old.
fn age(folder: &Path) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3_600);
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    for path in files.chain([folder.to_owned()]) {
        File::open(path).expect("there").set_modified(hour_ago).expect("allowed");
    }
}

#[test]
fn of_a_real_radicale_nothing_new_costs_one_request_and_everything_new_is_found() {
    let radicale = Radicale::start();
    let (host, foreign, path) = (Real::new(PASSWORD), radicale.foreign_user(), radicale.calendar("work"));
    let calendar = Calendar::new(&host, &radicale.origin(), &path);
    let at = |name: &str| format!("{path}{name}.ics");
    foreign.put(&at("a"), &meeting("a", 1, 9));
    foreign.put(&at("b"), &meeting("b", 1, 9));
    age(&radicale.folder(&path));
    let (_, cursor) = calendar.pass(None);
    let (changes, mut cursor) = calendar.pass(Some(&cursor));
    assert!(changes.is_empty());
    host.memory.count();
    for _ in 0..3 {
        let (changes, next) = calendar.pass(Some(&cursor));
        assert!(changes.is_empty());
        assert_eq!(host.memory.requests.take(), [format!("PROPFIND {path}")]);
        cursor = next;
    }
    let found = |cursor: &str| {
        let (changes, next) = calendar.pass(Some(cursor));
        (changes.into_keys().collect::<Vec<_>>(), next)
    };
    foreign.put(&at("a"), &meeting("a", 2, 9));
    let (changed, next) = found(&cursor);
    assert_eq!(changed, [at("a")]);
    // Most likely within the same second, in which the time does not tell.
    foreign.put(&at("a"), &meeting("a", 3, 9));
    let (changed, next) = found(&next);
    assert_eq!(changed, [at("a")]);
    foreign.delete(&at("b"));
    let (changed, next) = found(&next);
    assert_eq!(changed, [at("b")]);
    assert!(found(&next).0.is_empty());
}

/// An edit in the second of the last write, told with a time that does not differ.
#[test]
fn an_edit_within_the_second_of_the_last_write_is_found() {
    /// Every answer is given in the second of the last change.
    fn at_once(request: &Request, mut response: Response) -> Response {
        if request.method == "PROPFIND" {
            response.headers.retain(|(name, _)| name != "date");
            response.headers.push(("date".to_owned(), NINE.to_owned()));
            let body = response.text();
            let modified = body.split_once("getlastmodified>").and_then(|(_, rest)| rest.split_once('<'));
            if let Some((time, _)) = modified {
                response.body = body.replace(time, NINE).into_bytes();
            }
        }
        response
    }
    let radicale = Radicale::start();
    let (mut host, foreign, path) = (Real::new(PASSWORD), radicale.foreign_user(), radicale.calendar("work"));
    host.disguise = at_once;
    let calendar = Calendar::new(&host, &radicale.origin(), &path);
    let id = format!("{path}a.ics");
    foreign.put(&id, &meeting("a", 1, 9));
    let mut cursor = calendar.pass(None).1;
    for day in 2..5 {
        foreign.put(&id, &meeting("a", day, 9));
        let (changes, next) = calendar.pass(Some(&cursor));
        assert_eq!(changes.into_keys().collect::<Vec<_>>(), std::slice::from_ref(&id));
        cursor = next;
    }
}
