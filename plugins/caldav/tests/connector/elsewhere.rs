//! Servers that are built otherwise than those that the tests can start: discovery as Nextcloud answers it, lists of changes
//! that are cut off, objects that a server fails at, and references that lead away.

use apptsync_plugin::connector::{Change, Kind, Operation};
use apptsync_plugin::http::{Failure as NoResponse, Request, Response};
use apptsync_plugin::types::Failure;
use caldav::CalDav;

use crate::hosts::{Calendar, Scripted, account, answer, create, id, meeting, reference, visit};

const ORIGIN: &str = "https://cloud.example.com";
const CALENDAR: &str = "/user/sales/";

const ROOT: &str = include_str!("recorded/nextcloud-root.xml");
const PRINCIPAL: &str = include_str!("recorded/nextcloud-principal.xml");
const HOME: &str = include_str!("recorded/nextcloud-home.xml");
const INBOX: &str = include_str!("recorded/nextcloud-inbox.xml");

fn path(request: &Request) -> String {
    request.url.strip_prefix(ORIGIN).expect("only this server is asked").to_owned()
}

fn body(request: &Request) -> String {
    String::from_utf8_lossy(&request.body).into_owned()
}

fn multistatus(content: &str) -> Response {
    let head = r#"<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">"#;
    answer(207, &[], &format!("{head}{content}</d:multistatus>"))
}

/// What is said of an object; the tag is made of its path.
fn resource(path: &str, property: &str) -> String {
    format!(
        "<d:response><d:href>{path}</d:href><d:propstat><d:prop><d:getetag>\"{path}\"</d:getetag>{property}</d:prop>\
         <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
}

/// The paths that a multiget asks for.
fn asked(request: &Request) -> Vec<String> {
    let body = body(request);
    let references = body.split("<d:href>").skip(1);
    references.filter_map(|rest| rest.split("</d:href>").next()).map(str::to_owned).collect()
}

/// Objects, each a meeting whose UID is its path.
fn objects(paths: &[String]) -> Response {
    let stored = |path: &String| resource(path, &format!("<c:calendar-data>{}</c:calendar-data>", meeting(path, 1, 9)));
    multistatus(&paths.iter().map(stored).collect::<String>())
}

#[test]
fn nextcloud_is_found_behind_its_redirect() {
    let host = Scripted::new(|request| {
        Ok(match path(request).as_str() {
            "/.well-known/caldav" => answer(301, &[("location", "https://cloud.example.com/remote.php/dav/")], ""),
            "/remote.php/dav/" => answer(207, &[("server", "nginx")], ROOT),
            "/remote.php/dav/principals/users/anna@example.com/" => answer(207, &[], PRINCIPAL),
            "/remote.php/dav/calendars/anna@example.com/" => answer(207, &[], HOME),
            "/remote.php/dav/calendars/anna@example.com/inbox/" => answer(207, &[], INBOX),
            other => panic!("{other} is asked for"),
        })
    });
    let connection = CalDav::new(&host).probe(&account("cloud.example.com")).expect("found");
    assert_eq!(connection.server, "https://cloud.example.com (nginx)");
    let home = "/remote.php/dav/calendars/anna@example.com/";
    let found: Vec<_> = connection
        .collections
        .into_iter()
        .map(|found| (found.id.replace(home, ""), found.name, found.kind, found.writable, found.is_default))
        .collect();
    let entry =
        |id: &str, name: &str, kind, writable, default| (id.to_owned(), name.to_owned(), kind, writable, default);
    assert_eq!(
        found,
        [
            entry("personal/", "Personal", Kind::Appointment, true, false),
            entry("sales/", "Sales & visits", Kind::Appointment, true, true),
            entry("team_shared_by_boss/", "Team", Kind::Appointment, false, false),
            entry("personal/", "Personal", Kind::Task, true, true),
        ]
    );
}

#[test]
fn what_is_no_calendar_server_is_named() {
    let probe = |host: &Scripted| CalDav::new(host).probe(&account(ORIGIN)).expect_err("a failure");
    let words = |host: &Scripted| match probe(host) {
        Failure::Permanent(words) => words,
        other => panic!("{other:?}"),
    };
    let page = words(&Scripted::always(200, &[("content-type", "text/html")], "<!DOCTYPE html><html></html>"));
    assert!(page.contains("no CalDAV was found at https://cloud.example.com") && page.contains("text/html"), "{page}");
    let elsewhere = words(&Scripted::always(302, &[("location", "https://login.example.net/")], ""));
    assert!(elsewhere.contains("login.example.net") && elsewhere.contains("another server"), "{elsewhere}");
    let circle = words(&Scripted::always(301, &[("location", "/again/")], ""));
    assert!(circle.contains("redirects more than 5 times"), "{circle}");
    let nobody = r#"<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop><current-user-principal>
        <unauthenticated/></current-user-principal></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"#;
    let host = Scripted::new(move |request| Ok(answer(if path(request) == "/" { 207 } else { 404 }, &[], nobody)));
    assert!(matches!(probe(&host), Failure::Auth(_)));
    let untrusted = Scripted::new(|_| Err(NoResponse::NotSent("the server's certificate is not trusted".to_owned())));
    assert!(matches!(probe(&untrusted), Failure::Permanent(words) if words.contains("certificate")));
}

/// A server whose list of changes since `1` is cut off after `a` and `b`, and goes on since `2` with `c`.
fn cut_off(request: &Request) -> Result<Response, NoResponse> {
    let body = body(request);
    if body.contains("calendar-multiget") {
        return Ok(objects(&asked(request)));
    }
    let member = |name: &str| resource(&format!("{CALENDAR}{name}.ics"), "");
    let full = format!(
        "<d:response><d:href>{CALENDAR}</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>"
    );
    let content = if body.contains("<d:sync-token>1<") {
        format!("{}{}{full}<d:sync-token>2</d:sync-token>", member("a"), member("b"))
    } else {
        format!("{}<d:sync-token>3</d:sync-token>", member("c"))
    };
    Ok(multistatus(&content))
}

#[test]
fn a_list_of_changes_that_is_cut_off_goes_on_with_the_next_page() {
    let host = Scripted::new(cut_off);
    let calendar = Calendar::new(&host, ORIGIN, CALENDAR);
    let (changes, cursor) = calendar.pass(Some(r#"{"changes":{"from":"1","page":null}}"#));
    assert_eq!(changes.into_keys().collect::<Vec<_>>(), ["a", "b", "c"].map(|name| format!("{CALENDAR}{name}.ics")));
    assert_eq!(cursor, r#"{"changes":{"from":"3","page":null}}"#);
    let stuck = Scripted::new(|_| {
        let full = format!("<d:response><d:href>{CALENDAR}</d:href><d:status>HTTP/1.1 507 X</d:status></d:response>");
        Ok(multistatus(&format!("{full}<d:sync-token>1</d:sync-token>")))
    });
    let page = Calendar::new(&stuck, ORIGIN, CALENDAR).page(Some(r#"{"changes":{"from":"1","page":null}}"#));
    assert!(matches!(page, Err(Failure::Permanent(_))), "{page:?}");
}

/// A server with many changes, which is asked for objects in a way that the test says.
fn many_changes(multiget: fn(&[String]) -> Response) -> Scripted {
    Scripted::new(move |request| {
        if request.method == "GET" {
            return Ok(answer(404, &[], ""));
        }
        if body(request).contains("calendar-multiget") {
            return Ok(multiget(&asked(request)));
        }
        let members: String = (100..350).map(|number| resource(&format!("{CALENDAR}{number}.ics"), "")).collect();
        Ok(multistatus(&format!("{members}<d:sync-token>2</d:sync-token>")))
    })
}

#[test]
fn an_object_that_the_server_fails_at_keeps_no_other_away() {
    let host = many_changes(|paths| {
        if paths.iter().any(|path| path.ends_with("/123.ics")) { answer(500, &[], "") } else { objects(paths) }
    });
    let (changes, _) = Calendar::new(&host, ORIGIN, CALENDAR).pass(Some(r#"{"changes":{"from":"1","page":null}}"#));
    assert_eq!(changes.len(), 249);
    assert!(changes.values().all(|change| matches!(change, Change::Present(_))));
    assert!(host.memory.warnings.borrow().iter().any(|warning| warning.starts_with("/user/sales/123.ics: left out")));
    let down = many_changes(|_| answer(500, &[], ""));
    let page = Calendar::new(&down, ORIGIN, CALENDAR).page(Some(r#"{"changes":{"from":"1","page":null}}"#));
    assert!(matches!(page, Err(Failure::Transient(_))), "{page:?}");
    assert!(down.memory.count() < 50, "a server that fails is left alone soon");
}

#[test]
fn what_a_report_leaves_out_is_asked_for_by_itself() {
    let host = many_changes(|paths| {
        let told: Vec<String> = paths.iter().filter(|path| !path.ends_with("/200.ics")).cloned().collect();
        objects(&told)
    });
    let (changes, _) = Calendar::new(&host, ORIGIN, CALENDAR).pass(Some(r#"{"changes":{"from":"1","page":null}}"#));
    let removed: Vec<String> = changes.values().filter(|change| matches!(change, Change::Removed(_))).map(id).collect();
    assert_eq!(removed, ["/user/sales/200.ics"]);
}

#[test]
fn references_that_lead_away_are_left_out() {
    let host = Scripted::new(|request| {
        if body(request).contains("calendar-multiget") {
            return Ok(objects(&asked(request)));
        }
        let away = [
            "https://evil.example/user/sales/a.ics",
            "/user/other/b.ics",
            "/user/sales/../other/c.ics",
            "/user/sales/d.ics",
        ];
        let members: String = away.into_iter().map(|path| resource(path, "")).collect();
        Ok(multistatus(&format!("{members}<d:sync-token>2</d:sync-token>")))
    });
    let (changes, _) = Calendar::new(&host, ORIGIN, CALENDAR).pass(Some(r#"{"changes":{"from":"1","page":null}}"#));
    assert_eq!(changes.into_keys().collect::<Vec<_>>(), ["/user/sales/d.ics"]);
}

#[test]
fn a_write_that_was_refused_says_what_the_host_can_act_on() {
    let refused = |status: u16, headers: &'static [(&'static str, &'static str)], condition: &str| {
        let error = format!(r#"<error xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">{condition}</error>"#);
        let host = Scripted::always(status, headers, &error);
        Calendar::new(&host, ORIGIN, CALENDAR).push(&[create(1, visit("Visit", 9))]).remove(0).expect_err("a failure")
    };
    assert_eq!(refused(412, &[], ""), Failure::Conflict);
    assert_eq!(refused(409, &[], "<c:no-uid-conflict/>"), Failure::Conflict);
    assert_eq!(refused(403, &[], "<c:no-uid-conflict/>"), Failure::Conflict);
    assert_eq!(refused(409, &[], ""), Failure::Gone);
    assert_eq!(refused(429, &[("retry-after", "3")], ""), Failure::Throttled(Some(3)));
    for (status, condition) in [(403, "<c:valid-calendar-data/>"), (413, ""), (415, "")] {
        assert!(matches!(refused(status, &[], condition), Failure::Permanent(_)), "{status}");
    }
    assert!(matches!(refused(423, &[], ""), Failure::Transient(_)));
    assert!(matches!(refused(503, &[("retry-after", "3")], ""), Failure::Transient(_)));
    let lost = Scripted::new(|_| Err(NoResponse::NoAnswer("the server does not answer in time".to_owned())));
    let outcome = Calendar::new(&lost, ORIGIN, CALENDAR).push(&[create(1, visit("Visit", 9))]).remove(0);
    assert!(matches!(outcome, Err(Failure::Transient(_))), "{outcome:?}");
}

/// A calendar with these rights, in which writing `00…1.ics` is answered so, and everything else is written.
fn guarded(status: u16, rights: &'static str) -> Scripted {
    Scripted::new(move |request| {
        Ok(match request.method.as_str() {
            "PUT" if path(request).ends_with("1.ics") => answer(status, &[], ""),
            "PUT" => answer(201, &[("etag", "\"1\"")], ""),
            _ => multistatus(&resource(CALENDAR, rights)),
        })
    })
}

const WRITABLE: &str =
    "<d:current-user-privilege-set><d:privilege><d:all/></d:privilege></d:current-user-privilege-set>";
const READABLE: &str =
    "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege></d:current-user-privilege-set>";

#[test]
fn what_is_forbidden_is_one_object_or_the_whole_calendar() {
    let push = |host: &Scripted, numbers: &[u32]| {
        let batch: Vec<_> = numbers.iter().map(|number| create(*number, visit("Visit", 9))).collect();
        Calendar::new(host, ORIGIN, CALENDAR).try_push(&batch)
    };
    for rights in [WRITABLE, READABLE] {
        let outcomes = push(&guarded(403, rights), &[1, 2]).expect("outcomes");
        assert!(matches!(outcomes[0], Err(Failure::Permanent(_))) && outcomes[1].is_ok(), "{outcomes:?}");
    }
    for rights in [WRITABLE, ""] {
        let outcomes = push(&guarded(403, rights), &[1]).expect("outcomes");
        assert!(matches!(outcomes[0], Err(Failure::Permanent(_))), "{outcomes:?}");
    }
    assert!(matches!(push(&guarded(403, READABLE), &[1]), Err(Failure::Auth(_))));
    assert!(matches!(push(&guarded(403, READABLE), &[1, 11]), Err(Failure::Auth(_))));
    assert!(matches!(push(&guarded(403, ""), &[1, 11]), Err(Failure::Auth(_))));
    assert!(matches!(push(&Scripted::always(403, &[], ""), &[1]), Err(Failure::Auth(_))));
    // A full server takes nothing; one that took something may take more later.
    assert!(matches!(push(&guarded(507, WRITABLE), &[1, 11]), Err(Failure::Permanent(_))));
    let outcomes = push(&guarded(507, WRITABLE), &[1, 2]).expect("outcomes");
    assert!(matches!(outcomes[0], Err(Failure::Transient(_))) && outcomes[1].is_ok(), "{outcomes:?}");
}

#[test]
fn what_guards_the_well_known_address_keeps_nobody_from_the_server() {
    let probe = |status: u16, root: u16| {
        let host = Scripted::new(move |request| {
            Ok(match path(request).as_str() {
                "/.well-known/caldav" => answer(status, &[], ""),
                "/" if root != 207 => answer(root, &[], ""),
                _ => multistatus(&format!(
                    "<d:response><d:href>/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/><c:calendar/>\
                     </d:resourcetype><c:schedule-default-calendar-URL><d:href>https://other.example/</d:href>\
                     </c:schedule-default-calendar-URL></d:prop><d:status>HTTP/1.1 {root} OK</d:status></d:propstat></d:response>",
                    root = 200
                )),
            })
        });
        CalDav::new(&host).probe(&account(ORIGIN))
    };
    for status in [401, 403, 429, 500, 503] {
        assert_eq!(probe(status, 207).expect("found").collections.len(), 2, "{status}");
    }
    // Where nothing is found, what was guarded is what there is to say.
    assert!(matches!(probe(403, 404), Err(Failure::Auth(_))));
    assert!(matches!(probe(500, 404), Err(Failure::Transient(_))));
    assert!(matches!(probe(404, 403), Err(Failure::Auth(_))));
}

#[test]
fn large_objects_are_read_a_few_at_a_time() {
    const LARGE: usize = 1 << 20;
    let served = |lengths: bool| {
        Scripted::new(move |request| {
            let text = body(request);
            if text.contains("calendar-multiget") {
                let paths = asked(request);
                assert!(paths.iter().all(|path| !path.ends_with("/199.ics")), "it is too large");
                assert!(!lengths || paths.len() <= 4, "{} megabytes at a time", paths.len());
                let summary = format!("SUMMARY:{}", "x".repeat(if lengths { 10 } else { LARGE / 4 }));
                let stored = |path: &String| {
                    let object = meeting(path, 1, 9).replace("SUMMARY:Meeting", &summary);
                    resource(path, &format!("<c:calendar-data>{object}</c:calendar-data>"))
                };
                return Ok(multistatus(&paths.iter().map(stored).collect::<String>()));
            }
            assert!(text.contains("getcontentlength"));
            let member = |number: usize| {
                let length = if number == 199 { 5 * LARGE } else { LARGE };
                let length =
                    if lengths { format!("<d:getcontentlength>{length}</d:getcontentlength>") } else { String::new() };
                resource(&format!("{CALENDAR}{number}.ics"), &length)
            };
            let last = if lengths { 200 } else { 199 };
            Ok(multistatus(&format!("{}<d:sync-token>2</d:sync-token>", (100..last).map(member).collect::<String>())))
        })
    };
    let host = served(true);
    let cursor = r#"{"changes":{"from":"1","page":null}}"#;
    let (changes, _) = Calendar::new(&host, ORIGIN, CALENDAR).pass(Some(cursor));
    assert_eq!(changes.len(), 99);
    assert!(
        host.memory
            .warnings
            .borrow()
            .iter()
            .any(|warning| warning.contains("199.ics: left out, because it is too large"))
    );
    let host = served(false);
    let (changes, _) = Calendar::new(&host, ORIGIN, CALENDAR).pass(Some(cursor));
    assert_eq!(changes.len(), 99);
}

#[test]
fn a_single_item_says_first_that_it_is_no_series_any_more_and_a_series_that_it_is_no_single_item() {
    let told = |lines: &'static str| {
        let host = Scripted::new(move |request| {
            let id = format!("{CALENDAR}a.ics");
            if body(request).contains("calendar-multiget") {
                let object = meeting("a", 1, 9).replace("SUMMARY:", &format!("{lines}SUMMARY:"));
                return Ok(multistatus(&resource(&id, &format!("<c:calendar-data>{object}</c:calendar-data>"))));
            }
            Ok(multistatus(&format!("{}<d:sync-token>2</d:sync-token>", resource(&id, ""))))
        });
        let page = Calendar::new(&host, ORIGIN, CALENDAR).page(Some(r#"{"changes":{"from":"1","page":null}}"#));
        page.expect("a page").changes
    };
    let id = format!("{CALENDAR}a.ics");
    let single = told("");
    assert!(
        matches!(&single[..], [Change::Series(series), Change::Present(item)]
            if series.id == id && series.occurrences.is_empty() && item.remote_id == id),
        "{single:?}"
    );
    let ours = told("RRULE:FREQ=DAILY;COUNT=3\r\nX-APPTSYNC-ID:our-1\r\n");
    assert!(
        matches!(&ours[..], [Change::Removed(removed), Change::Series(series)]
            if *removed == id && series.id == id && series.occurrences.len() == 3),
        "{ours:?}"
    );
    let theirs = told("RRULE:FREQ=DAILY;COUNT=3\r\n");
    assert!(matches!(&theirs[..], [Change::Series(series)] if series.occurrences.len() == 3), "{theirs:?}");
}

#[test]
fn whom_the_server_would_send_mail_is_asked_for() {
    let people = "ORGANIZER:mailto:anna@example.com\r\nATTENDEE:mailto:ANNA@example.com\r\nSUMMARY:";
    let push = |options: &'static [(&'static str, &'static str)], status: u16, addresses: &'static str| {
        let host = Scripted::new(move |request| {
            let id = format!("{CALENDAR}a.ics");
            Ok(match (request.method.as_str(), path(request).as_str()) {
                ("OPTIONS", _) => answer(status, options, ""),
                ("PUT", _) => answer(204, &[("etag", "\"2\"")], ""),
                ("REPORT", _) => {
                    let object = meeting("a", 1, 9).replace("SUMMARY:", people);
                    multistatus(&resource(&id, &format!("<c:calendar-data>{object}</c:calendar-data>")))
                }
                (_, "/anna/") => multistatus(&resource(
                    "/anna/",
                    &format!("<c:calendar-user-address-set>{addresses}</c:calendar-user-address-set>"),
                )),
                _ => multistatus(&resource(
                    CALENDAR,
                    "<d:current-user-principal><d:href>/anna/</d:href></d:current-user-principal>",
                )),
            })
        });
        let calendar = Calendar::new(&host, ORIGIN, CALENDAR);
        let item = calendar.fetch(&[&format!("{CALENDAR}a.ics")]).remove(0).expect("there").expect("an item");
        calendar.push(&[Operation::Delete(reference(&item))]).remove(0)
    };
    let auto: &[(&str, &str)] = &[("dav", "1, calendar-access, calendar-auto-schedule")];
    let anna = "<d:href>/anna/</d:href><d:href>mailto:anna@example.com</d:href>";
    assert_eq!(push(auto, 200, anna), Ok(None));
    for (headers, status, addresses) in
        [(auto, 200, ""), (auto, 200, "<d:href>mailto:user@example.com</d:href>"), (auto, 405, anna), (&[], 200, anna)]
    {
        let outcome = push(headers, status, addresses);
        assert!(matches!(&outcome, Err(Failure::Permanent(why)) if why.contains("mail")), "{outcome:?}");
    }
    assert!(matches!(push(auto, 503, anna), Err(Failure::Transient(_))));
    assert_eq!(push(&[("dav", "1, calendar-access")], 200, ""), Ok(None));
}

/// As sabre/dav 1.8 does: where one object is missing, it answers to all of them that there is none.
#[test]
fn a_missing_object_is_not_taken_for_a_missing_calendar() {
    let server = |has_calendar: bool| {
        Scripted::new(move |request| {
            let path = path(request);
            Ok(match request.method.as_str() {
                "REPORT" => answer(404, &[], r#"<error xmlns="DAV:"/>"#),
                "PROPFIND" if has_calendar => {
                    multistatus(&resource(CALENDAR, "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"))
                }
                "GET" if path.ends_with("there.ics") => answer(200, &[("etag", "\"1\"")], &meeting("there", 1, 9)),
                _ => answer(404, &[], ""),
            })
        })
    };
    let [there, missing] = ["there", "missing"].map(|name| format!("{CALENDAR}{name}.ics"));
    let host = server(true);
    let calendar = Calendar::new(&host, ORIGIN, CALENDAR);
    let found = calendar.fetch(&[&there, &missing]);
    assert_eq!(found[0].clone().expect("said").expect("there").remote_id, there);
    assert_eq!(found[1], Ok(None));
    let host = server(false);
    let calendar = Calendar::new(&host, ORIGIN, CALENDAR);
    assert_eq!(calendar.try_fetch(&[&there, &missing]), Err(Failure::Gone));
}

/// SOGo's tokens are seconds, its tags count the versions of an object and begin again when it is made anew.
#[test]
fn seconds_and_counters_of_sogo_hide_nothing() {
    let object = |subject: &str| {
        let data = format!("<c:calendar-data>{}</c:calendar-data>", meeting(subject, 1, 9));
        resource("/user/sales/a.ics", &data).replace("\"/user/sales/a.ics\"", "\"gcs00000000\"")
    };
    let (before, after) = (object("before"), object("after"));
    let now = std::rc::Rc::new(std::cell::RefCell::new(before));
    let stored = now.clone();
    let host = Scripted::new(move |request| {
        let body = body(request);
        Ok(match request.method.as_str() {
            "PUT" => answer(204, &[("etag", "\"gcs00000001\"")], ""),
            "PROPFIND" => multistatus(&resource(
                CALENDAR,
                "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype><d:sync-token>1796022044</d:sync-token>\
                 <d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report>\
                 </d:supported-report-set>",
            )),
            _ if body.contains("sync-collection") => {
                assert!(body.contains("<d:sync-token>1796022043<"), "from the second before: {body}");
                multistatus(&format!("{}<d:sync-token>1796022044</d:sync-token>", stored.borrow()))
            }
            _ => multistatus(&stored.borrow()),
        })
    });
    let calendar = Calendar::new(&host, ORIGIN, CALENDAR);
    let (first, token) = calendar.pass(None);
    let Some(Change::Present(first)) = first.values().next() else { panic!("{first:?}") };
    now.replace(after);
    let (second, _) = calendar.pass(Some(&token));
    let present = second.values().find_map(|change| match change {
        Change::Present(item) => Some(item.clone()),
        _ => None,
    });
    let second = present.expect("told");
    assert_ne!(second.etag, first.etag, "another version, whatever the server's tag");
    assert_eq!(calendar.push(&[Operation::Delete(reference(first))]), [Err(Failure::Conflict)]);
    host.memory.count();
    assert!(calendar.push(&[Operation::Disown(reference(&second))])[0].is_ok());
    assert_eq!(host.memory.count(), 3, "read, written, and read back: what SOGo stores is not what it is given");
}
