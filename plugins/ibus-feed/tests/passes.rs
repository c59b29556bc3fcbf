//! What a pass hands out, and where the next one goes on.

mod common;

use apptsync_plugin::source::Collection;
use apptsync_plugin::types::Failure;
use common::{Feed, finish, line, lines};
use ibus_feed::Pass;

#[test]
fn an_empty_folder_is_a_pass_without_items() {
    let feed = Feed::new();
    feed.write("customers.jsonl", "");
    feed.write("other.jsonl", "not looked at\n");
    feed.write("appointments.json", "not looked at\n");
    let outcome = feed.pass(None);
    assert_eq!((outcome.pages, outcome.appointments.len(), outcome.broken.len()), (1, 0, 0));
    assert_eq!(outcome.notices, Vec::<String>::new());
}

#[test]
fn a_missing_folder_is_a_failure_that_says_what_to_do() {
    let folder = Feed::new().path();
    let failure = Pass::open(std::slice::from_ref(&folder), Collection::Appointments, "B2B".to_owned(), None).err();
    let Some(Failure::Permanent(message)) = failure else { panic!("a permanent failure") };
    assert!(message.contains(&folder) && message.contains("read = ["), "{message}");
}

#[test]
fn an_id_comes_once_in_its_last_version() {
    let feed = Feed::new();
    feed.write("appointments.jsonl", lines(&[("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("a", "3"), ("b", "2")]));
    assert_eq!(feed.pass(None).versions(), [("c", "1"), ("a", "3"), ("b", "2")]);
}

#[test]
fn files_count_in_ascending_order_of_their_names() {
    let feed = Feed::new();
    feed.write("appointments.jsonl", lines(&[("a", "newest"), ("b", "only")]));
    feed.write("appointments-2026-11.jsonl", lines(&[("a", "older"), ("c", "only")]));
    feed.write("appointments-2026-10.jsonl", lines(&[("a", "oldest"), ("c", "older")]));
    assert_eq!(feed.pass(None).versions(), [("c", "only"), ("a", "newest"), ("b", "only")]);
}

#[test]
fn several_folders_are_read_and_named() {
    let (first, second) = (Feed::new(), Feed::new());
    first.write("appointments.jsonl", lines(&[("a", "older")]));
    second.write("appointments.jsonl", lines(&[("a", "newer")]) + "oops\n");
    let folders = [first.path(), second.path()];
    let outcome = finish(Pass::open(&folders, Collection::Appointments, "B2B".to_owned(), None).expect("opened"), 10);
    assert_eq!(outcome.versions(), [("a", "newer")]);
    assert_eq!(outcome.broken[0].place, format!("{}/appointments.jsonl:2", second.path()));
}

#[test]
fn the_next_pass_reads_only_what_was_appended() {
    let feed = Feed::new();
    feed.write("appointments.jsonl", lines(&[("a", "1"), ("b", "1")]));
    let first = feed.pass(None);
    let second = feed.pass(Some(&first.cursor));
    assert_eq!((second.versions(), second.notices.len()), (vec![], 0));
    assert_eq!(second.cursor, first.cursor);
    feed.append("appointments.jsonl", lines(&[("a", "2")]) + "oops\n");
    feed.write("appointments.new.jsonl", lines(&[("d", "1")]));
    let third = feed.pass(Some(&second.cursor));
    assert_eq!(third.versions(), [("a", "2"), ("d", "1")]);
    assert_eq!(third.broken(), [("appointments.jsonl:4", "not JSON: expected value at byte 1")]);
    assert_eq!(third.notices, Vec::<String>::new());
}

#[test]
fn what_is_appended_during_a_pass_is_left_to_the_next_one() {
    let feed = Feed::new();
    feed.write("appointments.jsonl", lines(&[("a", "1")]));
    let pass = feed.open(Collection::Appointments, None).expect("opened");
    feed.append("appointments.jsonl", lines(&[("a", "2")]));
    let first = finish(pass, 10);
    assert_eq!(first.versions(), [("a", "1")]);
    assert_eq!(feed.pass(Some(&first.cursor)).versions(), [("a", "2")]);
}

#[test]
fn a_pass_that_was_broken_off_goes_on_after_its_last_page() {
    let feed = Feed::new();
    feed.write("appointments-1.jsonl", lines(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")]));
    feed.write("appointments-2.jsonl", lines(&[("e", "1"), ("b", "2"), ("f", "1")]));
    let mut pass = feed.open(Collection::Appointments, None).expect("opened");
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = pass.next(1).expect("a page");
        seen.extend(page.items);
        cursor.replace(page.next);
        if page.done {
            break;
        }
        // Every page is followed by a crash.
        pass = feed.open(Collection::Appointments, cursor.as_deref()).expect("opened");
    }
    let whole = feed.pass(None);
    let whole: Vec<_> = whole.appointments.into_iter().map(apptsync_plugin::source::Item::Appointment).collect();
    assert_eq!(seen, whole);
}

#[test]
fn other_channels_are_left_out_together_with_their_broken_lines() {
    let feed = Feed::new();
    let foreign = |id: &str| line(id, "n").replace("B2B", "WEB");
    let content = [
        line("a", "1"),
        foreign("a"),
        foreign("b").replace("confirmed", "done"),
        r#"{"channel":"WEB","id":5}"#.to_owned(),
        r#"{"channel":"B2B","id":5}"#.to_owned(),
        r#"{"id":5}"#.to_owned(),
    ];
    feed.write("appointments.jsonl", content.join("\n"));
    let outcome = feed.pass(None);
    assert_eq!(outcome.versions(), [("a", "1")]);
    let text = "`id` is 5: text in quotes is needed";
    assert_eq!(outcome.broken(), [("appointments.jsonl:5", text), ("appointments.jsonl:6", text)]);
}

#[test]
fn a_broken_line_is_no_version_of_its_id() {
    let feed = Feed::new();
    let broken = |id: &str| line(id, "broken").replace("confirmed", "done") + "\n";
    feed.write(
        "appointments.jsonl",
        [lines(&[("a", "1")]), broken("a"), broken("b"), lines(&[("b", "2"), ("c", "1"), ("c", "2")]), broken("c")]
            .concat(),
    );
    let outcome = feed.pass(None);
    assert_eq!(outcome.versions(), [("a", "1"), ("b", "2"), ("c", "2")]);
    let places: Vec<_> = outcome.broken.iter().map(|broken| broken.place.as_str()).collect();
    assert_eq!(places, ["appointments.jsonl:2", "appointments.jsonl:3", "appointments.jsonl:7"]);
}

#[test]
fn mark_carriage_returns_and_blank_lines_are_tolerated() {
    let feed = Feed::new();
    let content = format!("\u{feff}{}\r\n\r\n  \n{}\r\noops\r\n", line("a", "1"), line("b", "1"));
    feed.write("appointments.jsonl", content);
    let outcome = feed.pass(None);
    assert_eq!(outcome.versions(), [("a", "1"), ("b", "1")]);
    assert_eq!(outcome.broken(), [("appointments.jsonl:5", "not JSON: expected value at byte 1")]);
}

#[test]
fn a_last_record_without_line_feed_is_taken_once() {
    let feed = Feed::new();
    feed.write("appointments.jsonl", line("a", "1"));
    let first = feed.pass(None);
    assert_eq!((first.versions(), first.notices.len()), (vec![("a", "1")], 0));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!((second.versions(), second.cursor.as_str()), (vec![], first.cursor.as_str()));
    feed.append("appointments.jsonl", " \r\n".to_owned() + &lines(&[("b", "1")]) + "oops\n");
    let third = feed.pass(Some(&second.cursor));
    assert_eq!(third.versions(), [("b", "1")]);
    assert_eq!(third.broken[0].place, "appointments.jsonl:3");
}

#[test]
fn more_text_after_a_record_that_was_taken_is_broken() {
    let feed = Feed::new();
    feed.write("appointments.jsonl", line("a", "1"));
    let first = feed.pass(None);
    feed.append("appointments.jsonl", lines(&[("b", "1"), ("c", "1")]));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!(second.versions(), [("c", "1")]);
    let reason = "more text follows on a line whose record was imported already: write one record a line";
    assert_eq!(second.broken(), [("appointments.jsonl:1", reason)]);
}

#[test]
fn a_record_that_is_still_being_written_is_left_for_the_next_pass() {
    let record = line("b", "größer");
    for cut in 1..record.len() {
        let feed = Feed::new();
        let (begin, rest) = record.as_bytes().split_at(cut);
        feed.write("appointments.jsonl", [lines(&[("a", "1")]).as_bytes(), begin].concat());
        let first = feed.pass(None);
        assert_eq!((first.versions(), first.broken()), (vec![("a", "1")], vec![]), "cut at {cut}");
        let notice = "appointments.jsonl:2 ends in the middle of a record; it is left for the next import";
        assert_eq!(first.notices, [notice]);
        feed.append("appointments.jsonl", [rest, b"\n"].concat());
        let second = feed.pass(Some(&first.cursor));
        assert_eq!((second.versions(), second.notices.len()), (vec![("b", "größer")], 0), "cut at {cut}");
    }
}

#[test]
fn a_broken_last_line_without_line_feed_is_reported_once() {
    let feed = Feed::new();
    feed.write("appointments.jsonl", "oops");
    let first = feed.pass(None);
    assert_eq!(first.broken(), [("appointments.jsonl:1", "not JSON: expected value at byte 1")]);
    feed.append("appointments.jsonl", " and more");
    let second = feed.pass(Some(&first.cursor));
    assert_eq!(second.broken(), []);
    feed.append("appointments.jsonl", " of it\n".to_owned() + &lines(&[("a", "1")]));
    let third = feed.pass(Some(&second.cursor));
    assert_eq!((third.broken(), third.versions()), (vec![], vec![("a", "1")]));
}

#[test]
fn a_line_of_ten_megabytes_is_broken_and_the_rest_goes_on() {
    let feed = Feed::new();
    let long = line("long", &"x".repeat(10 << 20));
    feed.write("appointments.jsonl", format!("{}{long}\n{}", lines(&[("a", "1")]), lines(&[("b", "1")])));
    // Pages end inside the line too; the cursor of each of them must be good.
    let mut pass = feed.open(Collection::Appointments, None).expect("opened");
    let mut outcome = Vec::new();
    let mut pages = 0;
    loop {
        let page = pass.next(1_024).expect("a page");
        pages += 1;
        outcome.extend(page.items);
        let again = feed.pass(Some(&page.next));
        assert_eq!(again.notices, Vec::<String>::new());
        assert_eq!(outcome.len() + again.appointments.len() + again.broken.len(), 3);
        if page.done {
            break;
        }
    }
    assert!(pages >= 3, "{pages}");
    let reason = format!("the line has {} bytes, at most 1048576 are allowed", long.len());
    let whole = feed.pass(None);
    assert_eq!(whole.broken(), [("appointments.jsonl:2", reason.as_str())]);
    assert_eq!(whole.versions(), [("a", "1"), ("b", "1")]);
}

#[test]
fn a_survey_over_several_calls_gives_empty_pages_first() {
    let feed = Feed::new();
    let description = "d".repeat(60_000);
    let records: String = (0..600)
        .map(|index| line(&format!("a-{}", index % 500), &index.to_string()).replace('…', &description) + "\n")
        .collect();
    feed.write("appointments.jsonl", &records);
    let mut pass = feed.open(Collection::Appointments, None).expect("opened");
    let page = pass.next(1_024).expect("a page");
    assert_eq!((page.items.len(), page.done), (0, false));
    assert_eq!(feed.pass(Some(&page.next)).appointments.len(), 500);
    let outcome = finish(pass, 1_024);
    let names: Vec<_> = outcome.appointments.iter().map(|appointment| appointment.name.clone()).collect();
    assert_eq!(names, (100..600).map(|index| index.to_string()).collect::<Vec<_>>());
}

#[test]
fn many_ids_with_many_versions_come_once_each() {
    let feed = Feed::new();
    // Few bytes a line, so that ids share bits of the survey's filter.
    let records: String =
        (0..20_000).map(|index| line(&format!("a-{}", index * 7_919 % 13_000), &index.to_string()) + "\n").collect();
    feed.write("appointments.jsonl", &records);
    let mut expected = std::collections::BTreeMap::new();
    for index in 0..20_000 {
        expected.insert(format!("a-{}", index * 7_919 % 13_000), index.to_string());
    }
    let outcome = feed.pass_in_pages(None, 1_000);
    assert_eq!(outcome.appointments.len(), expected.len());
    for appointment in &outcome.appointments {
        assert_eq!(expected.get(&appointment.id), Some(&appointment.name));
    }
}
