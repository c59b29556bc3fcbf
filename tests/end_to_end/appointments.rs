//! Mobile's appointments as the feed hands them over (domain 2): statuses, times, versions, files, and lines that are broken.

use std::fs;

use apptsync_tests::{Workspace, appointment, customer, messages, with};
use serde_json::{Value, json};

use crate::support::{assert_ledger, batch, import, rows, texts, watch_writes, writes};

const FILE: &str = "appointments.jsonl";

fn activity(workspace: &Workspace, id: &str) -> Value {
    workspace.activity(id).unwrap_or_else(|| panic!("no activity of {id}"))
}

/// Lines of appointments that have nothing special, with ids of their own.
fn others(prefix: &str, count: usize) -> String {
    (0..count).map(|index| format!("{}\n", appointment(&format!("{prefix}-{index}")))).collect()
}

/// The quarantined records of the last job: place and reason.
fn quarantined(workspace: &Workspace) -> Vec<(String, String)> {
    let job = workspace.json(&["jobs", "list", "--limit", "1"])[0]["job"].to_string();
    let shown = workspace.json(&["jobs", "show", &job]);
    let text = |record: &Value, field: &str| record[field].as_str().expect("a text").to_owned();
    let records = shown["quarantined_records"].as_array().expect("an array");
    records.iter().map(|record| (text(record, "place"), text(record, "reason"))).collect()
}

/// Domain 2: all statuses; Canceled of 2021 versions reads as Rejected.
#[test]
fn every_status_of_mobile_is_read_and_canceled_as_rejected() {
    for (status, label) in [
        ("unconfirmed", "Unconfirmed"),
        ("confirmed", "Confirmed"),
        ("pending", "Pending"),
        ("suspended", "Suspended"),
        ("completed", "Completed"),
        ("rejected", "Rejected"),
        ("canceled", "Rejected"),
    ] {
        let workspace = Workspace::new();
        workspace.feed(&with(appointment("a-1"), &json!({ "name": "first" })));
        let _ = import(&workspace, &[]);
        workspace.feed(&with(appointment("a-1"), &json!({ "status": status })));
        assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
        let description = activity(&workspace, "a-1")["description"].as_str().expect("a description").to_owned();
        assert!(description.lines().any(|line| line == format!("Status: {label}")), "{status}: {description}");
    }
}

/// Domain 2: planned start and end, or all day: dates, the end exclusive.
#[test]
fn whole_days_have_dates_with_the_end_exclusive() {
    let workspace = Workspace::new();
    workspace.feed(&with(
        appointment("a-1"),
        &json!({ "all_day": true, "start": "2026-12-24", "end": "2026-12-27", "status": "confirmed" }),
    ));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    let activity = activity(&workspace, "a-1");
    assert_eq!(
        (&activity["all_day"], &activity["start"], &activity["end"]),
        (&json!(true), &json!("2026-12-24"), &json!("2026-12-27"))
    );
    let shown = workspace.run(&["activities", "show", "a-1"]).exits(0).stdout;
    assert!(shown.contains("2026-12-24") && shown.contains("2026-12-26"), "people see the last day: {shown}");
}

/// Issue, the feed: instants carry any UTC offset.
#[test]
fn instants_carry_any_offset() {
    let workspace = Workspace::new();
    for (id, start) in [
        ("z", "2026-12-01T09:00:00Z"),
        ("warsaw", "2026-12-01T10:00:00+01:00"),
        ("new-york", "2026-12-01T04:00:00-05:00"),
        ("kolkata", "2026-12-01T14:30:00+05:30"),
        ("kiritimati", "2026-12-01T23:00:00+14:00"),
        ("baker-island", "2026-11-30T21:00:00-12:00"),
        ("fraction", "2026-12-01T09:00:00.000Z"),
    ] {
        workspace.feed(&with(appointment(id), &json!({ "start": start, "end": "2026-12-01T11:00:00+01:00" })));
    }
    assert_ledger(&import(&workspace, &[]), &[("created", 7)]);
    for activity in workspace.activities() {
        assert_eq!(activity["start"], "2026-12-01T09:00:00Z", "{activity}");
        assert_eq!(activity["end"], "2026-12-01T10:00:00Z", "{activity}");
    }
}

/// Issue, the feed: a later line for the same id is a newer version, the last one counts.
#[test]
fn of_several_lines_of_an_id_the_last_counts() {
    let workspace = Workspace::new();
    for name in ["first", "second", "third"] {
        workspace.feed(&with(appointment("a-1"), &json!({ "name": name })));
    }
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    assert_eq!(activity(&workspace, "a-1")["subject"], "SA/2026/a-1 third");
}

/// The last line counts, whatever `changed_at` says: the feed is append-only, clocks of phones are not.
#[test]
fn the_last_line_counts_even_if_its_clock_was_slow() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "first", "changed_at": "2026-11-23T07:30:00Z" })));
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "second", "changed_at": "2026-11-23T07:00:00Z" })));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    assert_eq!(activity(&workspace, "a-1")["subject"], "SA/2026/a-1 second");
}

/// Issue, the feed: across files, which count in the order of their names.
#[test]
fn of_several_files_the_line_of_the_last_file_counts() {
    let workspace = Workspace::new();
    for (file, name) in
        [("appointments-02.jsonl", "second"), ("appointments-10.jsonl", "third"), ("appointments-01.jsonl", "first")]
    {
        workspace.feed_text(file, &format!("{}\n", with(appointment("a-1"), &json!({ "name": name }))));
        workspace.feed_text(file, &format!("{}\n", appointment(name)));
    }
    assert_ledger(&import(&workspace, &[]), &[("created", 4)]);
    assert_eq!(activity(&workspace, "a-1")["subject"], "SA/2026/a-1 third");
}

/// The last line counts although a page has 1,024 records.
#[test]
fn the_last_line_counts_although_thousands_of_lines_lie_between() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "first" })));
    workspace.feed_text(FILE, &others("b", 3_000));
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "second" })));
    workspace.feed_text(FILE, &others("c", 1_500));
    workspace.feed_text("appointments-later.jsonl", &others("d", 10));
    assert_ledger(&import(&workspace, &[]), &[("created", 4_511)]);
    assert_eq!(activity(&workspace, "a-1")["subject"], "SA/2026/a-1 second");
}

/// Domain 7 on the feed: a version that is no longer the last must not delay or close an activity.
#[test]
fn an_older_version_neither_delays_nor_closes_an_appointment_that_was_rescheduled_since() {
    let elapsed = json!({ "start": "2026-11-24T09:00:00Z", "end": "2026-11-24T10:00:00Z" });
    let later = json!({ "start": "2026-12-20T09:00:00Z", "end": "2026-12-20T10:00:00Z" });
    let now = "2026-11-25T08:00:00Z";
    for between in [0, 3_000] {
        for ends in [elapsed.clone(), json!({ "status": "rejected" }), json!({ "deleted": true })] {
            let workspace = Workspace::new();
            workspace.feed(&appointment("a-1"));
            let _ = import(&workspace, &[]);
            workspace.feed(&with(appointment("a-1"), &ends));
            workspace.feed_text(FILE, &others("b", between));
            workspace.feed(&with(appointment("a-1"), &later));
            for since in ["last-transfer", "anytime"] {
                let _ = import(&workspace, &["--as-of", now, "--changed-since", since]);
                let activity = activity(&workspace, "a-1");
                assert_eq!(activity["status"], "planned", "{ends}, {between} lines between, {since}");
                assert_eq!(activity["start"], "2026-12-20T09:00:00Z");
            }
        }
    }
}

/// The same with the first version still in the feed: its end is over when Anytime reads it again.
#[test]
fn anytime_does_not_delay_by_the_version_that_was_imported_first() {
    for files in [[FILE, FILE], ["appointments-1.jsonl", "appointments-2.jsonl"]] {
        let workspace = Workspace::new();
        let line = |fields: &Value| format!("{}\n", with(appointment("a-1"), fields));
        workspace.feed_text(files[0], &line(&json!({})));
        workspace.feed_text(files[0], &others("b", 2_000));
        let _ = import(&workspace, &[]);
        let later = json!({ "start": "2026-12-20T09:00:00Z", "end": "2026-12-20T10:00:00Z" });
        workspace.feed_text(files[1], &line(&later));
        let report = import(&workspace, &["--as-of", "2026-12-01T09:30:00Z"]);
        assert_ledger(&report, &[("updated", 1)]);
        let report = import(&workspace, &["--as-of", "2026-12-05T08:00:00Z", "--changed-since", "anytime"]);
        assert_ledger(&report, &[("unchanged", 2_001)]);
        assert_eq!(activity(&workspace, "a-1")["status"], "planned");
    }
}

/// Domain 2: the key is the id with the sales channel; the number is shown, and is no key.
#[test]
fn the_key_is_the_id_with_the_channel_and_not_the_number() {
    let workspace = Workspace::new();
    workspace.load("[[channel]]\nid = \"B2C\"\norganization = \"O1\"\n[[channel_partner]]\nchannel = \"B2C\"\npartner = \"C00001\"\nexternal_id = \"C00001\"\n");
    workspace.feed(&with(appointment("a-1"), &json!({ "number": "SA/1" })));
    workspace.feed(&with(appointment("a-2"), &json!({ "number": "SA/1" })));
    workspace.feed(&with(appointment("a-1"), &json!({ "number": "SA/1", "channel": "B2C" })));
    assert_ledger(&import(&workspace, &[]), &[("created", 2)]);
    let other = ["run", "import-activities", "--channel", "B2C", "--user", "A", "--output", "json"];
    assert_ledger(&workspace.run(&other).exits(0).json(), &[("created", 1)]);
    assert_eq!(workspace.activities().len(), 3);
}

/// Issue, the feed: the cursor is kept per file; a second run reads what was appended, and nothing else.
#[test]
fn the_second_run_reads_only_what_was_appended() {
    let workspace = Workspace::new();
    workspace.feed_text("appointments-1.jsonl", &others("a", 20));
    workspace.feed_text("appointments-2.jsonl", &others("b", 20));
    assert_ledger(&import(&workspace, &[]), &[("created", 40)]);
    let report = import(&workspace, &[]);
    assert_ledger(&report, &[]);
    assert_eq!(report["stages"][0]["records"], 0, "{report:#}");
    workspace.feed_text("appointments-2.jsonl", &others("c", 3));
    workspace.feed_text("appointments-1.jsonl", &others("d", 2));
    workspace.feed_text("appointments-3.jsonl", &others("e", 1));
    let report = import(&workspace, &[]);
    assert_ledger(&report, &[("created", 6)]);
    assert_eq!(texts(&report), Vec::<String>::new());
}

/// Issue, the feed: a rotated, truncated or rewritten file is noticed, said, and read again from its start without harm.
#[test]
fn a_rotated_rewritten_or_truncated_file_is_noticed_said_and_read_again_without_harm() {
    type Change = fn(&std::path::Path, &str);
    let changes: [(&str, Change, u64); 4] = [
        (
            "rewritten with the same lines in another order",
            |file, text| {
                let lines: Vec<_> = text.lines().rev().collect();
                fs::write(file, lines.join("\n") + "\n").expect("written");
            },
            30,
        ),
        (
            "truncated",
            |file, text| {
                let lines: Vec<_> = text.lines().take(10).collect();
                fs::write(file, lines.join("\n") + "\n").expect("written");
            },
            10,
        ),
        (
            "rotated: the old file got another name, and a new one began",
            |file, text| {
                fs::rename(file, file.with_file_name("appointments-0.jsonl")).expect("renamed");
                fs::write(file, text.lines().last().expect("a line").to_owned() + "\n").expect("written");
            },
            30,
        ),
        (
            "one line in the middle was taken out",
            |file, text| {
                let lines: Vec<_> =
                    text.lines().enumerate().filter(|(index, _)| *index != 12).map(|(_, line)| line).collect();
                fs::write(file, lines.join("\n") + "\n").expect("written");
            },
            29,
        ),
    ];
    for (what, change, read) in changes {
        let workspace = Workspace::new();
        let text = others("a", 30);
        workspace.feed_text(FILE, &text);
        assert_ledger(&import(&workspace, &[]), &[("created", 30)]);
        let before = (workspace.activities(), rows(&workspace, "SELECT * FROM transfer ORDER BY id"));
        watch_writes(&workspace);
        change(&workspace.path("feed").join(FILE), &text);
        let report = batch(&workspace, "import-activities", &[]).exits(0).json();
        assert_ledger(&report, &[("unchanged", read)]);
        let infos = messages(&report, "info");
        assert!(infos.iter().any(|text| text.contains(FILE) && text.contains("again")), "{what}: {infos:?}");
        assert_eq!((workspace.activities(), rows(&workspace, "SELECT * FROM transfer ORDER BY id")), before, "{what}");
        let written = format!("{:?}", writes(&workspace));
        for table in ["activity", "task", "reference", "transfer", "partner"] {
            assert!(!written.contains(&format!(" {table}\"")), "{what}: {written}");
        }
        let report = import(&workspace, &[]);
        assert_ledger(&report, &[]);
        assert_eq!(texts(&report), Vec::<String>::new(), "{what}: it is said once");
        workspace.feed_text(FILE, &others("new", 2));
        assert_ledger(&import(&workspace, &[]), &[("created", 2)]);
    }
}

/// Issue, the feed: what a rewritten file has new is imported.
#[test]
fn what_a_rewritten_file_has_new_is_imported() {
    let workspace = Workspace::new();
    workspace.feed_text(FILE, &others("a", 3));
    let _ = import(&workspace, &[]);
    let lines = format!(
        "{}\n{}\n{}\n",
        appointment("a-0"),
        with(appointment("a-1"), &json!({ "name": "Other name words" })),
        appointment("a-9")
    );
    fs::write(workspace.path("feed").join(FILE), lines).expect("written");
    assert_ledger(&import(&workspace, &[]), &[("created", 1), ("updated", 1), ("unchanged", 1)]);
    assert_eq!(workspace.activities().len(), 4, "what the feed no longer has stays");
}

/// Issue, the feed: a file that was changed in place is noticed wherever the change stands, although its length is the same.
#[test]
fn a_line_changed_in_place_in_the_middle_of_a_long_file_is_noticed_and_imported() {
    let workspace = Workspace::new();
    let text = others("a", 60);
    workspace.feed_text(FILE, &text);
    assert_ledger(&import(&workspace, &[]), &[("created", 60)]);
    let file = workspace.path("feed").join(FILE);
    let written = fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("a time");
    let number = |number: &str| format!("\"SA/2026/{number}\"");
    let changed = text.replace(&number("a-30"), &number("b-30"));
    assert!(changed != text && changed.len() == text.len());
    fs::write(&file, changed).expect("written");
    // Clocks of file systems are coarse: the test makes the times differ instead of waiting for them to.
    let later = written + std::time::Duration::from_millis(1);
    fs::File::options().append(true).open(&file).and_then(|file| file.set_modified(later)).expect("set");
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("updated", 1), ("unchanged", 59)]);
    assert!(messages(&report, "info").iter().any(|text| text.contains(FILE) && text.contains("again")), "{report:#}");
    assert_eq!(activity(&workspace, "a-30")["number"], "SA/2026/b-30");
}

/// A file that appears before those that were imported is old news: its lines do not replace newer versions.
#[test]
fn a_new_file_whose_name_comes_first_does_not_replace_newer_versions() {
    let workspace = Workspace::new();
    let line = |name: &str| format!("{}\n", with(appointment("a-1"), &json!({ "name": name })));
    workspace.feed_text("appointments-2.jsonl", &line("newer"));
    let _ = import(&workspace, &[]);
    workspace.feed_text("appointments-1.jsonl", &format!("{}{}\n", line("older"), appointment("a-2")));
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1), ("unchanged", 1)]);
    assert!(texts(&report).iter().any(|text| text.contains("appointments-1.jsonl")), "{report:#}");
    assert_eq!(activity(&workspace, "a-1")["subject"], "SA/2026/a-1 newer");
}

/// Issue, the feed: a file that is gone is said once; what was imported from it stays.
#[test]
fn what_was_imported_from_a_file_that_is_gone_stays() {
    let workspace = Workspace::new();
    workspace.feed_text("appointments-1.jsonl", &others("a", 5));
    workspace.feed_text("appointments-2.jsonl", &others("b", 5));
    let _ = import(&workspace, &[]);
    let before = workspace.activities();
    fs::remove_file(workspace.path("feed").join("appointments-1.jsonl")).expect("removed");
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert!(texts(&report).iter().any(|text| text.contains("appointments-1.jsonl")), "{report:#}");
    assert_eq!(workspace.activities(), before);
    assert_eq!(texts(&import(&workspace, &[])), Vec::<String>::new());
}

/// A broken line: what it is called here, its bytes, and what the reason says.
fn broken_lines() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let line = |fields: Value| with(appointment("broken"), &fields).to_string().into_bytes();
    let without = |key: &str| {
        let mut object = appointment("broken");
        object.as_object_mut().expect("an object").remove(key);
        object.to_string().into_bytes()
    };
    let not_utf8 = {
        let mut bytes = line(json!({ "name": "Zaz" }));
        let position = bytes.windows(3).position(|bytes| bytes == b"Zaz").expect("there");
        bytes[position + 1] = 0xff;
        bytes
    };
    vec![
        ("not JSON", b"this is no record".to_vec(), "not JSON"),
        ("half a record", br#"{"id":"broken","channel":"B2B","number":"#.to_vec(), "not JSON"),
        ("no object", b"[1,2,3]".to_vec(), "object"),
        ("wrong type of a text", line(json!({ "number": 7 })), "`number`"),
        ("wrong type of a flag", line(json!({ "all_day": "yes" })), "`all_day`"),
        ("wrong type of attributes", line(json!({ "attributes": [1] })), "`attributes`"),
        ("unknown status", line(json!({ "status": "paused" })), "paused"),
        ("unknown priority", line(json!({ "priority": "urgent" })), "urgent"),
        ("end before start", line(json!({ "end": "2026-12-01T08:00:00Z" })), "`end`"),
        ("end at start", line(json!({ "end": "2026-12-01T09:00:00Z" })), "`end`"),
        (
            "whole days that end where they begin",
            line(json!({ "all_day": true, "start": "2026-12-01", "end": "2026-12-01" })),
            "`end`",
        ),
        ("date where an instant is needed", line(json!({ "start": "2026-12-01" })), "`start`"),
        ("instant without an offset", line(json!({ "start": "2026-12-01T09:00:00" })), "`start`"),
        ("no such day", line(json!({ "start": "2026-11-31T09:00:00Z" })), "`start`"),
        ("missing key", without("customer"), "`customer` is missing"),
        ("missing id", without("id"), "`id` is missing"),
        ("missing change instant", without("changed_at"), "`changed_at` is missing"),
        ("empty id", line(json!({ "id": "" })), "`id` is empty"),
        ("empty customer", line(json!({ "customer": "" })), "`customer` is empty"),
        ("10 MB long", line(json!({ "description": "x".repeat(10 << 20) })), "bytes"),
        ("bad UTF-8", not_utf8, "UTF-8"),
    ]
}

/// Issue, the feed: a broken line is quarantined with file, line and reason; the rest goes on.
#[test]
fn every_kind_of_broken_line_is_quarantined_with_file_line_and_reason_and_the_rest_goes_on() {
    for (what, bytes, reason) in broken_lines() {
        let workspace = Workspace::new();
        let mut text = format!("{}\n", appointment("before")).into_bytes();
        text.extend(bytes);
        text.extend(format!("\n{}\n", appointment("after")).into_bytes());
        fs::write(workspace.path("feed").join(FILE), text).expect("written");
        let report = batch(&workspace, "import-activities", &[]).exits(3).json();
        assert_ledger(&report, &[("created", 2), ("quarantined", 1)]);
        let warnings = messages(&report, "warning");
        let place = format!("{FILE}:2");
        assert!(
            matches!(&*warnings, [one] if one.contains(&place) && one.contains(reason) && one.len() < 2_000),
            "{what}: {warnings:?}"
        );
        let records = quarantined(&workspace);
        assert!(matches!(&*records, [(at, why)] if *at == place && why.contains(reason)), "{what}: {records:?}");
        // It was read: another run does not stumble over it again, and one that looks at everything does.
        assert_ledger(&import(&workspace, &[]), &[]);
        assert_ledger(&import(&workspace, &["--changed-since", "anytime"]), &[("unchanged", 2), ("quarantined", 1)]);
    }
}

/// All of them in one file, twice over: each has its own line in the quarantine, the protocol stays short.
#[test]
fn many_broken_lines_are_all_quarantined_and_the_protocol_stays_short() {
    let workspace = Workspace::new();
    let mut text = Vec::new();
    let mut count = 0;
    for round in 0..2 {
        for (index, (_, bytes, _)) in broken_lines().into_iter().enumerate() {
            text.extend(format!("{}\n", appointment(&format!("good-{round}-{index}"))).into_bytes());
            text.extend(bytes);
            text.push(b'\n');
            count += 1;
        }
    }
    fs::write(workspace.path("feed").join(FILE), text).expect("written");
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", count), ("quarantined", count)]);
    let places: Vec<_> = quarantined(&workspace).into_iter().map(|(place, _)| place).collect();
    let expected: Vec<_> = (1..=count).map(|index| format!("{FILE}:{}", index * 2)).collect();
    assert_eq!(places, expected);
    let warnings = messages(&report, "warning");
    assert!(warnings.len() < 30, "{}", warnings.len());
    assert!(warnings.last().is_some_and(|text| text.contains("22 more lines")), "{warnings:?}");
}

/// A line that cannot be read is no version: the one before it still counts.
#[test]
fn a_broken_line_does_not_replace_the_version_before_it() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    workspace.feed(&with(appointment("a-1"), &json!({ "status": "paused" })));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 1), ("quarantined", 1)]);
}

/// A broken line that was put right by a later one does no harm.
#[test]
fn a_broken_line_that_is_written_again_correctly_is_imported() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "status": "paused" })));
    assert_ledger(&import(&workspace, &[]), &[("quarantined", 1)]);
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// Issue, the feed: the last line may lack its line feed.
#[test]
fn the_last_line_counts_without_its_line_feed() {
    let workspace = Workspace::new();
    workspace.feed_text(FILE, &format!("{}\n{}", appointment("a-1"), appointment("a-2")));
    assert_ledger(&import(&workspace, &[]), &[("created", 2)]);
    assert_ledger(&import(&workspace, &[]), &[]);
    workspace.feed_text(FILE, &format!("\n{}\n", appointment("a-3")));
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1)]);
}

/// One record a line: what is written behind a record that was imported without its line feed is quarantined.
#[test]
fn a_second_record_on_the_line_of_one_that_was_imported_is_quarantined() {
    let workspace = Workspace::new();
    workspace.feed_text(FILE, &format!("{}\n{}", appointment("a-1"), appointment("a-2")));
    assert_ledger(&import(&workspace, &[]), &[("created", 2)]);
    workspace.feed_text(FILE, &format!("{}\n{}\n", appointment("a-3"), appointment("a-4")));
    assert_ledger(&import(&workspace, &[]), &[("created", 1), ("quarantined", 1)]);
    let records = quarantined(&workspace);
    assert!(
        matches!(&*records, [(place, reason)] if place == "appointments.jsonl:2" && reason.contains("one record a line"))
    );
}

/// Issue, the feed: a record that is half written waits for the rest.
#[test]
fn a_half_written_last_line_waits_for_its_rest() {
    let line = format!("{}\n", with(appointment("a-2"), &json!({ "name": "Zażółć" })));
    // Also in the middle of a character.
    let middle = line.find('ż').expect("there") + 1;
    for cut in [1, 20, middle, line.len() - 3] {
        let workspace = Workspace::new();
        let file = workspace.path("feed").join(FILE);
        let mut bytes = format!("{}\n", appointment("a-1")).into_bytes();
        bytes.extend(&line.as_bytes()[..cut]);
        fs::write(&file, &bytes).expect("written");
        let report = batch(&workspace, "import-activities", &[]).exits(0).json();
        assert_ledger(&report, &[("created", 1)]);
        assert!(texts(&report).iter().any(|text| text.contains("appointments.jsonl:2")), "{cut}: {report:#}");
        assert_ledger(&import(&workspace, &[]), &[]);
        bytes.extend(&line.as_bytes()[cut..]);
        fs::write(&file, &bytes).expect("written");
        let report = batch(&workspace, "import-activities", &[]).exits(0).json();
        assert_ledger(&report, &[("created", 1)]);
        assert_eq!(activity(&workspace, "a-2")["subject"], "SA/2026/a-2 Zażółć");
    }
}

/// Blank lines, line ends of Windows and a byte order mark are no records and no errors.
#[test]
fn blank_lines_carriage_returns_and_a_byte_order_mark_are_harmless() {
    let workspace = Workspace::new();
    let text = format!("\u{feff}{}\r\n\r\n\n  \n{}\r\n", appointment("a-1"), appointment("a-2"));
    workspace.feed_text(FILE, &text);
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 2)]);
}

/// Domain 4: a run is about one channel; lines of others are not of this run, broken or not.
#[test]
fn lines_of_other_channels_are_not_of_this_run() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "channel": "B2C" })));
    workspace.feed(&with(appointment("a-2"), &json!({ "channel": "B2C", "status": "paused" })));
    workspace.feed_customer(&with(customer("L1"), &json!({ "channel": "B2C" })));
    workspace.feed(&appointment("a-3"));
    let report = batch(&workspace, "import-data", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1)]);
    let _ = workspace.run(&["partners", "show", "L1"]).exits(2);
}

/// Issue, the feed: a customer of the feed becomes a partner by Import customers only.
#[test]
fn a_customer_of_the_feed_becomes_a_partner_by_import_customers_only() {
    let workspace = Workspace::new();
    workspace.feed_customer(&customer("L1"));
    workspace.feed(&with(appointment("a-1"), &json!({ "customer": "L1" })));
    assert_ledger(&import(&workspace, &[]), &[("customer-missing", 1)]);
    let _ = workspace.run(&["partners", "show", "L1"]).exits(2);
    assert_ledger(&batch(&workspace, "import-customers", &[]).exits(0).json(), &[("created", 1)]);
    let _ = workspace.run(&["partners", "show", "L1"]).exits(0);
}

/// Issue, the feed: broken lines of customers are quarantined like those of appointments; of versions the last counts.
#[test]
fn customers_have_versions_and_quarantine_too() {
    let workspace = Workspace::new();
    workspace.feed_customer(&customer("L1"));
    workspace.feed_text("customers.jsonl", "{\"id\":\"L2\",\"channel\":\"B2B\"}\n");
    workspace.feed_customer(&with(customer("L1"), &json!({ "name": "The last one" })));
    let report = batch(&workspace, "import-customers", &[]).exits(3).json();
    assert_ledger(&report, &[("created", 1), ("quarantined", 1)]);
    let records = quarantined(&workspace);
    assert!(
        matches!(&*records, [(place, reason)] if place == "customers.jsonl:2" && reason.contains("`name`")),
        "{records:?}"
    );
    assert_eq!(workspace.json(&["partners", "show", "L1"])["name"], "The last one");
}

/// Issue, the feed: `appointments*.jsonl` and `customers*.jsonl` are the feed; other files and folders are not.
#[test]
fn other_files_in_the_folder_are_left_alone() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    for name in ["notes.txt", "appointments.jsonl.bak", "appointments.json", "old-appointments.jsonl"] {
        workspace.feed_text(name, "no record\n");
    }
    fs::create_dir(workspace.path("feed").join("appointments-old.jsonl")).expect("a folder");
    let report = batch(&workspace, "import-data", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1)]);
}

/// An empty feed is no error.
#[test]
fn an_empty_feed_imports_nothing_and_is_no_error() {
    let workspace = Workspace::new();
    assert_ledger(&batch(&workspace, "import-data", &[]).exits(0).json(), &[]);
    workspace.feed_text(FILE, "");
    assert_ledger(&batch(&workspace, "import-data", &[]).exits(0).json(), &[]);
}

/// Texts of the feed reach the screen without what would steer a terminal.
#[test]
fn texts_of_the_feed_reach_the_headquarters_without_control_characters() {
    let workspace = Workspace::new();
    workspace.feed(&with(
        appointment("a-1"),
        &json!({ "name": "red \u{1b}[31m alert\u{7}", "description": "one\ntwo\u{1b}[2J\u{202e}three" }),
    ));
    let _ = import(&workspace, &[]);
    let activity = activity(&workspace, "a-1");
    for field in ["subject", "description"] {
        let text = activity[field].as_str().expect("a text");
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    assert!(activity["description"].as_str().expect("a text").contains("one\ntwo"));
    let shown = workspace.run(&["activities", "show", "a-1"]).exits(0).stdout;
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}
