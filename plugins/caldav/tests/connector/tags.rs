//! A server without sync-collection: Radicale, disguised.

use apptsync_plugin::connector::Change;
use apptsync_plugin::http::{Request, Response};
use apptsync_plugin::types::Failure;
use apptsync_tests::radicale::{PASSWORD, Radicale};

use crate::hosts::{Calendar, Real, answer, entry, id, meeting};

/// Takes sync-collection from what the server can.
fn without_sync(request: &Request, mut response: Response) -> Response {
    if request.method == "REPORT" && String::from_utf8_lossy(&request.body).contains("sync-collection") {
        return answer(501, &[], "");
    }
    response.body = response.text().replace("<sync-collection />", "<other />").into_bytes();
    response
}

/// As [`without_sync`], and without a tag of the calendar, and without queries.
fn with_listings_alone(request: &Request, response: Response) -> Response {
    if request.method == "REPORT" && String::from_utf8_lossy(&request.body).contains("calendar-query") {
        return answer(
            403,
            &[],
            r#"<error xmlns="DAV:"><supported-filter xmlns="urn:ietf:params:xml:ns:caldav"/></error>"#,
        );
    }
    let mut response = without_sync(request, response);
    response.body = response.text().replace("CS:getctag", "CS:other").into_bytes();
    response
}

#[test]
fn changes_are_found_by_comparing_tags() {
    for (disguise, unchanged) in [(without_sync as fn(&Request, Response) -> Response, 1), (with_listings_alone, 2)] {
        let radicale = Radicale::start();
        let (foreign, path) = (radicale.foreign_user(), radicale.calendar("work"));
        let mut host = Real::new(PASSWORD);
        host.disguise = disguise;
        let calendar = Calendar::new(&host, &radicale.origin(), &path);
        let at = |name: &str| format!("{path}{name}.ics");
        for name in ["a", "b", "c"] {
            foreign.put(&at(name), &meeting(name, 1, 9));
        }
        let (changes, cursor) = calendar.pass(None);
        assert_eq!(changes.into_keys().collect::<Vec<_>>(), [at("a"), at("b"), at("c")]);

        host.memory.count();
        let (changes, cursor) = calendar.pass(Some(&cursor));
        assert!(changes.is_empty());
        assert_eq!(host.memory.count(), unchanged);

        foreign.put(&at("b"), &meeting("b", 2, 9));
        foreign.delete(&at("c"));
        foreign.put(&at("d"), &meeting("d", 3, 9));
        let (changes, later) = calendar.pass(Some(&cursor));
        let found: Vec<(String, bool)> =
            changes.values().map(|change| (id(change), matches!(change, Change::Removed(_)))).collect();
        assert_eq!(found, [(at("b"), false), (at("c"), true), (at("d"), false)]);
        let Change::Present(moved) = &changes[&at("b")] else { panic!("{changes:?}") };
        assert_eq!(entry(moved).subject, "Meeting b");
        assert!(calendar.pass(Some(&later)).0.is_empty());
        // The tags that are kept are those of the later pass.
        assert_eq!(calendar.page(Some(&cursor)), Err(Failure::Gone));
        // A new pass tells everything again.
        assert_eq!(calendar.pass(None).0.len(), 3);
        foreign.delete(&path);
        assert_eq!(calendar.page(None), Err(Failure::Gone));
    }
}

#[test]
fn tags_of_many_objects_are_kept_in_pieces_and_told_in_pages() {
    let radicale = Radicale::start();
    let (foreign, path) = (radicale.foreign_user(), radicale.calendar("work"));
    let mut host = Real::new(PASSWORD);
    host.disguise = without_sync;
    let calendar = Calendar::new(&host, &radicale.origin(), &path);
    let meetings = (0..1_500).map(|number| meeting(&format!("meeting-{number:04}"), number % 28 + 1, 9));
    foreign.replace_calendar(&path, &meetings.collect::<Vec<_>>());
    let first = calendar.page(None).expect("a page");
    assert_eq!((first.changes.len(), first.done), (1_024, false));
    assert!(host.memory.kept.borrow().len() > 1, "several pieces");
    // What changes while a pass is under way is not lost, whether it was told already or not.
    let told = id(&first.changes[0]);
    foreign.put(&told, &meeting("meeting-0000", 5, 15));
    let second = calendar.page(Some(&first.next)).expect("a page");
    assert_eq!((second.changes.len(), second.done, second.full), (477, true, true));
    foreign.replace_calendar(&path, &[meeting("meeting-0001", 1, 9)]);
    let (changes, cursor) = calendar.pass(Some(&second.next));
    assert_eq!(changes.len(), 1_500);
    assert_eq!(changes.values().filter(|change| matches!(change, Change::Removed(_))).count(), 1_499);
    assert_eq!(host.memory.kept.borrow().len(), 1, "what is no longer needed is not kept");
    assert!(calendar.pass(Some(&cursor)).0.is_empty());
}
