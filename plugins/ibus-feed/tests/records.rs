//! What a line may say, and what is said about a line that cannot be read.

#![allow(clippy::expect_used, reason = "what helps tests fails as they do")]

mod common;

use apptsync_plugin::types::{AllDay, Appointment, Customer, MobileStatus, Period, Priority, Timed};
use common::{Feed, line, line_with};

fn appointment(line: &str) -> Appointment {
    let feed = Feed::new();
    feed.write("appointments.jsonl", format!("{line}\n"));
    let outcome = feed.pass(None);
    assert_eq!(outcome.broken(), []);
    outcome.appointments.into_iter().next().expect("an appointment")
}

fn reason(line: impl AsRef<[u8]>) -> String {
    let feed = Feed::new();
    feed.write("appointments.jsonl", [line.as_ref(), b"\n"].concat());
    feed.append("appointments.jsonl", common::line("good", "goes on") + "\n");
    let outcome = feed.pass(None);
    assert_eq!(outcome.versions(), [("good", "goes on")], "the rest goes on");
    assert_eq!(outcome.broken.len(), 1);
    assert_eq!(outcome.broken[0].place, "appointments.jsonl:1");
    let reason = &outcome.broken[0].reason;
    reason.strip_prefix("record `a`: ").unwrap_or(reason).to_owned()
}

#[test]
fn every_key_of_the_documented_line_is_read() {
    let expected = Appointment {
        id: "a-1".into(),
        channel: "B2B".into(),
        number: "SA/2026/000001".into(),
        name: "Autumn assortment".into(),
        visit_type: "Visit".into(),
        customer: "C00017".into(),
        employee: "B".into(),
        period: Period::Timed(Timed { start: 1_796_115_600, end: 1_796_119_200 }),
        priority: Priority::Normal,
        status: MobileStatus::Confirmed,
        description: "…".into(),
        completed_on: None,
        completed_by: None,
        reason: None,
        changed_at: 1_795_420_800,
        deleted: false,
        attributes: Vec::new(),
    };
    assert_eq!(appointment(&line("a-1", "Autumn assortment")), expected);

    let full = r#"{"unknown":[{"deep":1}],"attributes":{"region":"south","weight":1.5,"count":7,"below":-7,"vip":true,"gone":null},"deleted":true,
        "changed_at":"2026-11-23T09:00:00.5+01:00","reason":"customer \"ill\"\nsince today","completed_by":"C","completed_on":"2026-12-01T09:30:00Z",
        "description":"a\u0105","status":"canceled","priority":"high","all_day":true,"end":"2026-12-03","start":"2026-12-01","employee":"B",
        "customer":"C00017","type":"Call","name":"n","number":"2","channel":"B2B","id":"a\u002d2"}"#.replace('\n', "");
    let expected = Appointment {
        id: "a-2".into(),
        number: "2".into(),
        name: "n".into(),
        visit_type: "Call".into(),
        period: Period::AllDay(AllDay { start: "2026-12-01".into(), end: "2026-12-03".into() }),
        priority: Priority::High,
        status: MobileStatus::Canceled,
        description: "aą".into(),
        completed_on: Some(1_796_117_400),
        completed_by: Some("C".into()),
        reason: Some("customer \"ill\"\nsince today".into()),
        deleted: true,
        attributes: [("region", "south"), ("weight", "1.5"), ("count", "7"), ("below", "-7"), ("vip", "true")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        ..expected
    };
    assert_eq!(appointment(&full), expected);
}

#[test]
fn optional_keys_have_defaults_and_null_means_the_default() {
    let required = r#"{"id":"a-1","channel":"B2B","number":"","name":"","customer":"C","employee":"B","start":"2026-12-01T09:00:00Z","end":"2026-12-01T10:00:00Z","status":"pending","changed_at":"2026-11-23T08:00:00Z"}"#;
    let bare = appointment(required);
    assert_eq!((bare.visit_type.as_str(), bare.description.as_str(), bare.priority), ("", "", Priority::Normal));
    assert_eq!((bare.completed_on, bare.completed_by.clone(), bare.reason.clone()), (None, None, None));
    assert!(!bare.deleted && bare.attributes.is_empty());
    let nulls = required.replace(
        '}',
        r#","type":null,"all_day":null,"priority":null,"description":null,"deleted":null,"attributes":null}"#,
    );
    assert_eq!(appointment(&nulls), bare);
}

#[test]
fn every_status_and_priority_is_known() {
    for (text, status) in [
        ("unconfirmed", MobileStatus::Unconfirmed),
        ("confirmed", MobileStatus::Confirmed),
        ("pending", MobileStatus::Pending),
        ("suspended", MobileStatus::Suspended),
        ("completed", MobileStatus::Completed),
        ("rejected", MobileStatus::Rejected),
        ("canceled", MobileStatus::Canceled),
    ] {
        assert_eq!(appointment(&line_with("a", "confirmed", text)).status, status);
    }
    for (text, priority) in [("low", Priority::Low), ("normal", Priority::Normal), ("high", Priority::High)] {
        assert_eq!(appointment(&line_with("a", "normal", text)).priority, priority);
    }
}

#[test]
fn a_customer_is_read() {
    let feed = Feed::new();
    feed.write(
        "customers.jsonl",
        concat!(
            r#"{"id":"C1","channel":"B2B","name":"Krakus","street":"Długa 1","postcode":"31-147","city":"Kraków","country":"PL","email":"k@example.com","phone":"+48","changed_at":"2026-11-23T08:00:00Z","deleted":true,"attributes":{"size":3}}"#,
            "\n",
            r#"{"id":"C2","channel":"B2B","name":"Bare","changed_at":"2026-11-23T08:00:00Z"}"#,
            "\n",
            r#"{"id":"C3","channel":"B2B","changed_at":"2026-11-23T08:00:00Z"}"#,
            "\n",
            r#"{"id":"C4","channel":"WEB","name":"Elsewhere","changed_at":"2026-11-23T08:00:00Z"}"#,
            "\n",
        ),
    );
    feed.write("appointments.jsonl", line("a-1", "not asked for"));
    let outcome = feed.customers(None);
    let bare = Customer {
        id: "C2".into(),
        channel: "B2B".into(),
        name: "Bare".into(),
        street: String::new(),
        postcode: String::new(),
        city: String::new(),
        country: String::new(),
        email: String::new(),
        phone: String::new(),
        changed_at: 1_795_420_800,
        deleted: false,
        attributes: Vec::new(),
    };
    let full = Customer {
        id: "C1".into(),
        name: "Krakus".into(),
        street: "Długa 1".into(),
        postcode: "31-147".into(),
        city: "Kraków".into(),
        country: "PL".into(),
        email: "k@example.com".into(),
        phone: "+48".into(),
        deleted: true,
        attributes: vec![("size".into(), "3".into())],
        ..bare.clone()
    };
    assert_eq!(outcome.customers, [full, bare]);
    assert_eq!(outcome.broken(), [("customers.jsonl:3", "record `C3`: `name` is missing")]);
    assert_eq!(outcome.appointments, []);
}

#[test]
fn what_is_not_json_is_said() {
    assert_eq!(reason("hello"), "not JSON: expected value at byte 1");
    assert_eq!(reason(r#"{"id":"a","#), "not JSON: the line ends in the middle of the record");
    assert_eq!(reason("[1]"), "not a JSON object: [1]");
    assert_eq!(reason("{}"), "`id` is missing");
    assert_eq!(
        reason(line("a", "n") + "}"),
        format!("not JSON: trailing characters at byte {}", line("a", "n").len() + 1)
    );
    let twice = line_with("a", r#""number""#, r#""name":"x","number""#);
    assert!(reason(&twice).starts_with("duplicate field `name`"), "{}", reason(&twice));
    let deep = format!(r#"{{"x":{}"#, "[".repeat(100_000));
    assert!(reason(deep).starts_with("not JSON: recursion limit exceeded"));
}

#[test]
fn what_is_not_utf_8_is_said() {
    let mut bytes = line("a", "n").into_bytes();
    let position = bytes.len() - 3;
    bytes[position] = 0xff;
    assert_eq!(reason(&bytes), format!("not UTF-8: byte {} of the line is 0xff", position + 1));
}

#[test]
fn a_missing_key_and_a_wrong_type_are_named() {
    for key in ["number", "name", "customer", "employee", "start", "end", "status", "changed_at"] {
        let without = line_with("a", &format!(r#""{key}":"#), r#""other":"#);
        assert_eq!(reason(without), format!("`{key}` is missing"));
    }
    assert_eq!(reason(line_with("a", r#""name":"n""#, r#""name":5"#)), "`name` is 5: text in quotes is needed");
    assert_eq!(reason(line_with("a", r#""name":"n""#, r#""name":null"#)), "`name` is null: text in quotes is needed");
    assert_eq!(
        reason(line_with("a", r#""all_day":false"#, r#""all_day":"no""#)),
        "`all_day` is \"no\": true or false is needed"
    );
    assert_eq!(
        reason(line_with("a", r#""deleted":false"#, r#""deleted":0"#)),
        "`deleted` is 0: true or false is needed"
    );
    assert_eq!(
        reason(line_with("a", r#""reason":null"#, r#""reason":[]"#)),
        "`reason` is []: text in quotes is needed"
    );
    assert_eq!(
        reason(line_with("a", r#""attributes":{}"#, r#""attributes":[]"#)),
        "`attributes` is []: an object such as {\"region\":\"south\"} is needed"
    );
    assert_eq!(
        reason(line_with("a", r#""attributes":{}"#, r#""attributes":{"a":"b","x":{"y":1}}"#)),
        "`attributes.x` is {\"y\":1}: text, a number, true or false is needed"
    );
}

#[test]
fn a_wrong_value_is_shown_with_what_is_allowed() {
    assert_eq!(
        reason(line_with("a", "confirmed", "done")),
        "`status` is \"done\": allowed are unconfirmed, confirmed, pending, suspended, completed, rejected and canceled"
    );
    assert_eq!(
        reason(line_with("a", "confirmed", "Confirmed")),
        "`status` is \"Confirmed\": allowed are unconfirmed, confirmed, pending, suspended, completed, rejected and canceled"
    );
    assert_eq!(
        reason(line_with("a", "\"normal\"", "\"urgent\"")),
        "`priority` is \"urgent\": allowed are low, normal and high"
    );
    let instant = "an instant of the years 1970 to 9999 is needed, with Z or an offset, such as 2026-12-01T09:00:00Z";
    assert_eq!(
        reason(line_with("a", "2026-12-01T09:00:00Z", "2026-12-01T09:00:00")),
        format!("`start` is \"2026-12-01T09:00:00\": {instant}")
    );
    assert_eq!(
        reason(line_with("a", "2026-12-01T09:00:00Z", "2026-12-01")),
        format!("`start` is \"2026-12-01\": {instant}; a date alone needs \"all_day\":true")
    );
    assert_eq!(
        reason(line_with("a", "2026-11-23T08:00:00Z", "yesterday")),
        format!("`changed_at` is \"yesterday\": {instant}")
    );
    assert_eq!(
        reason(line_with("a", r#""completed_on":null"#, r#""completed_on":"""#)),
        format!("`completed_on` is \"\": {instant}")
    );
    assert_eq!(
        reason(line_with("a", r#""all_day":false"#, r#""all_day":true"#)),
        "`end` is \"2026-12-01T10:00:00Z\": for all day a date of the years 1970 to 9999 is needed, such as 2026-12-01"
    );
    let long = reason(line_with("a", "confirmed", &"x".repeat(5_000)));
    assert!(long.starts_with(&format!("`status` is \"{}…\"", "x".repeat(80))), "{long}");
}

#[test]
fn an_end_that_is_not_after_the_start_is_broken() {
    let words = "must lie after `start`, which is \"2026-12-01T09:00:00Z\"";
    for end in ["2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z", "2026-12-01T10:00:00+01:00"] {
        assert_eq!(reason(line_with("a", "2026-12-01T10:00:00Z", end)), format!("`end` is \"{end}\" and {words}"));
    }
    let all_day = line_with("a", r#""all_day":false"#, r#""all_day":true"#)
        .replace("2026-12-01T09:00:00Z", "2026-12-01")
        .replace("2026-12-01T10:00:00Z", "2026-12-01");
    assert_eq!(
        reason(&all_day),
        "`end` is \"2026-12-01\" and must lie after `start`, which is \"2026-12-01\": for all day `end` is the day after the last"
    );
}

#[test]
fn the_limits_of_the_contract_are_kept() {
    let longest = "i".repeat(128);
    assert_eq!(appointment(&line(&longest, "n")).id, longest);
    assert!(reason(line(&"i".repeat(129), "n")).starts_with("`id` has 129 bytes, at most 128 are allowed: \"iii"));
    assert_eq!(reason(line("", "n")), "`id` is empty: 1 to 128 bytes are needed");
    assert_eq!(reason(line("a\\tb", "n")), "`id` is \"a\\tb\": control characters are not allowed");
    assert_eq!(reason(line("a\u{85}", "n")), "`id` is \"a\\u{85}\": control characters are not allowed");
    assert_eq!(reason(line_with("a", "C00017", "")), "`customer` is empty: 1 to 128 bytes are needed");
    assert_eq!(appointment(&line("a", &"n".repeat(1_024))).name.len(), 1_024);
    assert!(reason(line("a", &"n".repeat(1_025))).starts_with("`name` has 1025 bytes, at most 1024 are allowed"));
    assert_eq!(appointment(&line_with("a", "…", &"d".repeat(65_536))).description.len(), 65_536);
    assert!(reason(line_with("a", "…", &"d".repeat(65_537))).starts_with("`description` has 65537 bytes"));
    let attributes = |count: usize, key: usize, value: usize| {
        let pairs: Vec<_> = (0..count).map(|index| format!(r#""{index:0key$}":"{}""#, "v".repeat(value))).collect();
        line_with("a", r#""attributes":{}"#, &format!(r#""attributes":{{{}}}"#, pairs.join(",")))
    };
    assert_eq!(appointment(&attributes(64, 64, 4_096)).attributes.len(), 64);
    assert_eq!(reason(attributes(65, 2, 1)), "`attributes` has more than 64 keys");
    assert!(reason(attributes(1, 65, 1)).starts_with("`attributes` has the key \"000"));
    assert!(reason(attributes(1, 1, 4_097)).starts_with("`attributes.0` has 4097 bytes, at most 4096 are allowed"));
}
