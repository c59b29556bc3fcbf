//! A plugin keeps what it may keep, in its own name space.

use std::sync::Arc;

use apptsync_model::Instant;
use apptsync_model::outlook::{Account, ConnectorFailure, ItemKind, Target, Window};
use apptsync_runtime::{Connector, KeyValue, MemoryState};

use crate::guest::Guest;

fn guest(behaviour: &str) -> (Guest, Arc<MemoryState>) {
    let state = Arc::new(MemoryState::default());
    (Guest::new(behaviour).with_state(state.clone()), state)
}

#[test]
fn what_is_written_is_there_in_the_next_call_and_known_as_a_change() {
    let (guest, state) = guest("remember");
    assert_eq!(guest.finds(), ["0 before", "set", "gone: true", "1 after", r#"["count"] None"#]);
    assert_eq!(guest.finds()[0], "1 before");
    let changes = state.take_changes();
    assert_eq!(changes, [("count".to_owned(), Some(vec![1, 1])), ("gone".to_owned(), None)]);
    assert_eq!(state.get("count").unwrap(), Some(vec![1, 1]));
}

#[test]
fn a_call_that_fails_keeps_nothing() {
    let account = Account { server: "test".into(), mailbox: "anna".into(), zone: "UTC".into() };
    let target = Target { kind: ItemKind::Appointment, collection: "calendar".into() };
    let window = Window { start: Instant(0), end: Instant(1) };
    for (behaviour, is_gone) in [("keep-then-gone", true), ("keep-then-trap", false)] {
        let (guest, state) = guest(behaviour);
        state.set("count", vec![1]).unwrap();
        let failure = guest.load().expect("a plugin").pull(&account, &target, window, None).unwrap_err();
        assert_eq!(failure == ConnectorFailure::Gone, is_gone, "{failure}");
        assert_eq!((state.get("count").unwrap(), state.keys().unwrap()), (Some(vec![1]), vec!["count".to_owned()]));
        assert_eq!(state.take_changes(), [("count".to_owned(), Some(vec![1]))]);
    }
}

#[test]
fn without_state_nothing_can_be_kept() {
    assert_eq!(Guest::new("remember").finds(), ["error Error::AccessDenied"]);
}

#[test]
fn there_is_one_bucket() {
    let (guest, _) = guest("open");
    let names = ",default,other-plugin,default/,../default,DEFAULT";
    let found = guest.with("names", names).finds();
    let none = "error Error::NoSuchStore";
    assert_eq!(found, ["opened", "opened", none, none, none, none]);
}

#[test]
fn keys_are_checked_and_have_no_structure() {
    let (guest, state) = guest("keys");
    assert_eq!(
        guest.finds(),
        [
            "error a key has 1 to 256 bytes, not 0",
            "error a key has no control characters",
            "error a key has no control characters",
            "error a key has 1 to 256 bytes, not 257",
            "set",
            "set",
        ]
    );
    assert_eq!(state.keys().unwrap(), ["a/../b", "other-plugin:key"]);
}

#[test]
fn quotas_hold() {
    let (many, _) = guest("fill");
    let found = many.with("count", 10_001).finds_one();
    assert_eq!(found, "error there are 10000 keys already, more are not kept after 10000");
    let (large, _) = guest("fill");
    let found = large.with("count", 300).with("bytes", 65_536).finds_one();
    assert_eq!(found, "error keys and values would have more than 16 MiB after 255");
    let (value, _) = guest("large-value");
    assert_eq!(value.finds_one(), "error a value has at most 64 KiB, not 65537 bytes");
}
