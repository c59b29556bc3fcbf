//! Below the bindings: what the host is handed when an allocator, a list or a start function is not what a toolchain makes.

use std::fs;

use apptsync_tests::{Workspace, component, messages};

use crate::guests::{self, GUEST, named, stage};
use crate::support::{assert_ledger, batch};

/// A workspace with the raw guest in the place of the test guest, behaving as named.
fn workspace(behaviour: &str) -> Workspace {
    const MARK: &[u8] = b"behaviour:";
    let mut bytes = fs::read(component("raw-guest")).expect("the raw guest");
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(MARK)).collect();
    let [mark] = *places else { panic!("the mark is there once: {places:?}") };
    let name = mark + MARK.len();
    bytes[name..name + 22].fill(b' ');
    bytes[name..name + behaviour.len()].copy_from_slice(behaviour.as_bytes());
    let workspace = guests::workspace();
    fs::write(workspace.path(GUEST), bytes).expect("written");
    workspace
}

/// Imports four records with the guest: it fails on each of them, so the run stops and says what the last one met with.
/// Without the guest, all of them arrive.
#[track_caller]
fn fails_on_everything(behaviour: &str, expected: &str) {
    let workspace = workspace(behaviour);
    for id in ["a-0", "a-1", "a-2", "a-3"] {
        workspace.feed(&named(id, "Good"));
    }
    guests::configure(&workspace, "extensions", &stage("", &[], ""));
    let report = batch(&workspace, "import-activities", &[]).exits(1).json();
    let error = format!(
        "plugin `{GUEST}` (stage extension 1) {expected}; it failed on 4 records one after the other, so the run was stopped: repair or replace the plugin"
    );
    assert_eq!(messages(&report, "error"), [error], "{behaviour}");
    assert_ledger(&report, &[]);
    workspace.configure("");
    assert_ledger(&batch(&workspace, "import-activities", &[]).exits(0).json(), &[("created", 4)]);
}

#[test]
fn an_allocator_that_gives_no_room_for_the_arguments_harms_nobody_but_its_plugin() {
    for (behaviour, expected) in [
        ("room-misaligned", "broke the contract in `apply`: realloc return: result not aligned"),
        ("room-outside", "broke the contract in `apply`: realloc return: beyond end of memory"),
        ("room-beyond-the-end", "broke the contract in `apply`: realloc return: beyond end of memory"),
        ("room-for-ever", "ran longer than its deadline of 200ms in `apply`"),
        ("no-room", "trapped in `apply`: wasm trap: wasm `unreachable` instruction executed"),
    ] {
        fails_on_everything(behaviour, expected);
    }
}

#[test]
fn a_result_that_is_not_where_it_says_harms_nobody_but_its_plugin() {
    for (behaviour, expected) in [
        ("result-misaligned", "return pointer not aligned"),
        ("result-outside", "pointer out of bounds of memory"),
        ("list-misaligned", "list pointer is not aligned"),
        ("list-outside", "list pointer/length out of bounds of memory"),
        ("list-without-end", "list pointer/length out of bounds of memory"),
        ("answers-of-zeros", "the answer for record `a-3` is about ``, without being asked about it"),
        ("answers-of-no-kind", "invalid expected discriminant"),
    ] {
        fails_on_everything(behaviour, &format!("broke the contract in `apply`: {expected}"));
    }
}

/// What runs when a component is instantiated has the deadline and the memory of the call that it is instantiated for.
#[test]
fn a_start_function_has_the_limits_of_a_call() {
    for (behaviour, expected) in [
        ("start-for-ever", "ran longer than its deadline of 200ms in `apply`"),
        ("start-trap", "trapped in `apply`: wasm trap: wasm `unreachable` instruction executed"),
        ("start-greedy", "wanted more than its 8 MiB of memory in `apply`"),
    ] {
        fails_on_everything(behaviour, expected);
    }
}
