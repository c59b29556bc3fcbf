//! Files that were rotated, truncated, rewritten or removed between two passes.

mod common;

use apptsync_plugin::source::Collection;
use apptsync_plugin::types::Failure;
use common::{Feed, Outcome, finish, line, lines};

const REWRITTEN: &str =
    "appointments.jsonl was rewritten or truncated since the last import; all files are read again from the start";

fn two_files() -> (Feed, Outcome) {
    let feed = Feed::new();
    feed.write("appointments.jsonl", lines(&[("a", "1"), ("b", "1")]));
    feed.write("appointments.x.jsonl", lines(&[("b", "2"), ("c", "1")]));
    let first = feed.pass(None);
    assert_eq!(first.versions(), [("a", "1"), ("b", "2"), ("c", "1")]);
    (feed, first)
}

#[test]
fn a_truncated_file_is_said_and_all_are_read_again() {
    let (feed, first) = two_files();
    feed.write("appointments.jsonl", lines(&[("b", "0")]));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!(second.notices, [REWRITTEN]);
    assert_eq!(second.versions(), [("b", "2"), ("c", "1")], "the version of the other file is still the newest");
    assert_eq!(feed.pass(Some(&second.cursor)).notices, Vec::<String>::new());
}

#[test]
fn a_file_rewritten_with_the_same_or_a_greater_length_is_noticed() {
    for (content, versions) in [
        (lines(&[("a", "9"), ("b", "1")]), vec![("a", "9"), ("b", "2"), ("c", "1")]),
        (lines(&[("a", "1"), ("b", "9")]), vec![("a", "1"), ("b", "2"), ("c", "1")]),
        (
            lines(&[("d", "1"), ("e", "1"), ("f", "1")]),
            vec![("d", "1"), ("e", "1"), ("f", "1"), ("b", "2"), ("c", "1")],
        ),
    ] {
        let (feed, first) = two_files();
        feed.write("appointments.jsonl", content);
        let second = feed.pass(Some(&first.cursor));
        assert_eq!(second.notices, [REWRITTEN]);
        assert_eq!(second.versions(), versions);
    }
}

#[test]
fn a_change_in_the_beginning_or_the_end_of_a_long_file_is_noticed() {
    let feed = Feed::new();
    let versions: Vec<_> = (0..100).map(|index| format!("a-{index:03}")).collect();
    let content: String = versions.iter().map(|id| line(id, "1") + "\n").collect();
    feed.write("appointments.jsonl", &content);
    let written = feed.modified("appointments.jsonl");
    let first = feed.pass_in_pages(None, 7);
    assert_eq!(first.appointments.len(), 100);
    for id in ["a-000", "a-099"] {
        feed.write("appointments.jsonl", content.replace(id, "b-000") + "\n");
        assert_eq!(feed.pass(Some(&first.cursor)).notices, [REWRITTEN]);
    }
    feed.write("appointments.jsonl", &content);
    feed.set_modified("appointments.jsonl", written);
    assert_eq!(feed.pass(Some(&first.cursor)).notices, Vec::<String>::new());
}

#[test]
fn a_change_of_the_same_length_anywhere_in_a_long_file_is_noticed() {
    let feed = Feed::new();
    let content: String = (0..100).map(|index| line(&format!("a-{index:03}"), "1") + "\n").collect();
    feed.write("appointments.jsonl", &content);
    let written = feed.modified("appointments.jsonl");
    let first = feed.pass(None);
    feed.write("appointments.jsonl", content.replace("a-050", "b-050"));
    // Clocks of file systems are coarse: the test makes the times differ instead of waiting for them to.
    feed.set_modified("appointments.jsonl", written + std::time::Duration::from_millis(1));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!(second.notices, [REWRITTEN]);
    assert!(second.versions().contains(&("b-050", "1")));
    assert_eq!(feed.pass(Some(&second.cursor)).notices, Vec::<String>::new());
}

#[test]
fn a_change_of_any_byte_in_a_file_that_was_appended_to_is_noticed() {
    let feed = Feed::new();
    let content: String = (0..100).map(|index| line(&format!("a-{index:03}"), "1") + "\n").collect();
    feed.write("appointments.jsonl", &content);
    let first = feed.pass_in_pages(None, 7);
    for position in (0..content.len()).step_by(997) {
        let mut changed = content.clone().into_bytes();
        changed[position] ^= 1;
        feed.write("appointments.jsonl", [&changed, lines(&[("b", "1")]).as_bytes()].concat());
        let second = feed.pass(Some(&first.cursor));
        assert_eq!(second.notices, [REWRITTEN], "byte {position}");
        assert_eq!(second.appointments.len() + second.broken.len(), 101, "byte {position}");
        assert_eq!(feed.pass(Some(&second.cursor)).notices, Vec::<String>::new());
    }
    feed.write("appointments.jsonl", content + &lines(&[("b", "1")]));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!((second.versions(), second.notices.len()), (vec![("b", "1")], 0));
}

#[test]
fn a_file_that_was_written_to_and_is_as_it_was_is_not_read_again() {
    let (feed, first) = two_files();
    let written = feed.modified("appointments.jsonl");
    feed.set_modified("appointments.jsonl", written + std::time::Duration::from_secs(1));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!((second.versions(), second.notices.len()), (vec![], 0));
    assert_ne!(second.cursor, first.cursor, "the next pass has nothing to check");
}

#[test]
fn a_long_check_goes_on_over_several_calls_and_is_done_again_when_it_was_broken_off() {
    let feed = Feed::new();
    let content = |letter: &str| letter.repeat(70 << 20) + "\n";
    feed.write("appointments.jsonl", content("x"));
    let first = feed.pass(None);
    assert_eq!(first.broken.len(), 1);
    feed.append("appointments.jsonl", lines(&[("a", "1")]));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!((second.versions(), second.notices.len()), (vec![("a", "1")], 0));

    let mut changed = content("x").into_bytes();
    changed[35 << 20] = b'y';
    feed.write("appointments.jsonl", [&changed, lines(&[("a", "1"), ("b", "1")]).as_bytes()].concat());
    let mut pass = feed.open(Collection::Appointments, Some(&second.cursor)).expect("opened");
    let page = pass.next(10).expect("a page of the check");
    assert_eq!((page.items.len(), page.done, &page.next), (0, false, &second.cursor));
    let third = feed.pass(Some(&page.next));
    assert_eq!(third.notices, [REWRITTEN]);
    assert_eq!(third.versions(), [("a", "1"), ("b", "1")]);
}

/// Cursors of earlier versions have no digest.
#[test]
fn a_cursor_without_digest_is_taken_and_gets_one() {
    let (feed, first) = two_files();
    let mut old: serde_json::Value = serde_json::from_str(&first.cursor).expect("JSON");
    for file in old["files"].as_array_mut().expect("files") {
        assert!(file.as_array_mut().expect("an entry").pop().is_some_and(|digest| digest.is_string()));
    }
    feed.append("appointments.jsonl", lines(&[("d", "1")]));
    let second = feed.pass(Some(&old.to_string()));
    assert_eq!((second.versions(), second.notices.len()), (vec![("d", "1")], 0));
    let digests = |cursor: &str| cursor.matches("null").count();
    assert_eq!(digests(&second.cursor), 1, "the other file was not looked at: {}", second.cursor);
}

#[test]
fn a_rotated_file_is_read_again_without_harm() {
    let (feed, first) = two_files();
    feed.rename("appointments.jsonl", "appointments-2026-11.jsonl");
    feed.write("appointments.jsonl", lines(&[("a", "2")]));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!(second.notices.first().map(String::as_str), Some(REWRITTEN));
    assert_eq!(second.versions(), [("a", "2"), ("b", "2"), ("c", "1")]);
    assert_eq!(feed.pass(Some(&second.cursor)).versions(), []);
}

#[test]
fn a_removed_file_is_said_and_nothing_else_happens() {
    let (feed, first) = two_files();
    feed.remove("appointments.x.jsonl");
    feed.append("appointments.jsonl", lines(&[("d", "1")]));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!(second.notices, ["appointments.x.jsonl is no longer there; what was imported from it stays"]);
    assert_eq!(second.versions(), [("d", "1")]);
    assert_eq!(feed.pass(Some(&second.cursor)).notices, Vec::<String>::new());
}

#[test]
fn a_file_that_comes_before_those_imported_makes_all_be_read_again() {
    let (feed, first) = two_files();
    feed.write("appointments-old.jsonl", lines(&[("a", "0"), ("e", "1")]));
    let second = feed.pass(Some(&first.cursor));
    assert_eq!(
        second.notices,
        [
            "appointments-old.jsonl is new and its name comes before files that were imported; all files are read again from the start"
        ]
    );
    assert_eq!(second.versions(), [("e", "1"), ("a", "1"), ("b", "2"), ("c", "1")]);
}

#[test]
fn a_foreign_cursor_is_said_and_everything_is_read() {
    let (feed, _) = two_files();
    for cursor in ["", "17", "{}", r#"{"version":2,"files":[]}"#] {
        let outcome = feed.pass(Some(cursor));
        assert_eq!(outcome.notices, ["the cursor is not one of this source plugin; all files are read from the start"]);
        assert_eq!(outcome.appointments.len(), 3);
    }
}

#[test]
fn a_file_that_becomes_shorter_during_a_pass_is_a_passing_failure() {
    let (feed, _) = two_files();
    let mut pass = feed.open(Collection::Appointments, None).expect("opened");
    feed.write("appointments.jsonl", "");
    let failure = pass.next(10).expect_err("a failure");
    assert!(matches!(&failure, Failure::Transient(message) if message.contains("became shorter")), "{failure:?}");
}

#[test]
fn a_file_rewritten_between_survey_and_reading_is_a_passing_failure() {
    let feed = Feed::new();
    let long = "d".repeat(60_000);
    let records = |letter: &str| -> String {
        (0..300).map(|index| line(&format!("{letter}-{index}"), "1").replace('…', &long) + "\n").collect()
    };
    feed.write("appointments.jsonl", records("a"));
    let mut pass = feed.open(Collection::Appointments, None).expect("opened");
    assert!(pass.next(10).expect("a page of the survey").items.is_empty());
    let first = std::iter::repeat_with(|| pass.next(10).expect("a page")).find(|page| !page.items.is_empty());
    assert_eq!(first.map(|page| page.items.len()), Some(10));
    let shifted = "\n".to_owned() + &records("a");
    feed.write("appointments.jsonl", shifted);
    let failure = std::iter::repeat_with(|| pass.next(1_024)).find_map(Result::err).expect("a failure");
    assert!(matches!(&failure, Failure::Transient(message) if message.contains("rewritten while")), "{failure:?}");
}

#[test]
fn more_files_than_a_cursor_can_hold_are_refused_before_anything_is_read() {
    let feed = Feed::new();
    for index in 0..700 {
        feed.write(&format!("appointments-{index}.jsonl"), "");
    }
    let Some(Failure::Permanent(message)) = feed.open(Collection::Appointments, None).err() else {
        panic!("a permanent failure")
    };
    assert!(message.starts_with("the feed has 700 files"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_a_failure_that_names_it() {
    let feed = Feed::new();
    std::os::unix::fs::symlink("nowhere", feed.folder.path().join("appointments.jsonl")).expect("linked");
    let failure = feed.open(Collection::Appointments, None).err().expect("a failure");
    assert!(format!("{failure:?}").contains("appointments.jsonl"), "{failure:?}");
}

#[test]
fn pages_of_any_size_hand_out_the_same() {
    let (feed, first) = two_files();
    for at_most in 1..=4 {
        let outcome = finish(feed.open(Collection::Appointments, None).expect("opened"), at_most);
        assert_eq!(outcome.versions(), first.versions());
        assert_eq!(outcome.cursor, first.cursor);
    }
}
