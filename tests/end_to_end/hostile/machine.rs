//! Attacks on the machine: traps, endless loops, memory, handles.

use super::Arena;
use crate::support::{assert_ledger, batch};
use crate::{guests, hostile::stage_of};

#[test]
fn a_panic_costs_one_record_and_the_protocol_has_the_last_words() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage(
        "panic",
        "trapped in `{}`: wasm trap: wasm `unreachable` instruction executed; its last words: this record is bad",
    );
}

#[test]
fn an_abort_costs_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage(
        "abort",
        "trapped in `{}`: wasm trap: wasm `unreachable` instruction executed",
    );
}

#[test]
fn a_guest_that_exits_costs_one_record_whatever_its_code() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("exit-0", "trapped in `{}`: Exited with i32 exit status 0");
    arena.costs_one_record_in_every_stage("exit-1", "trapped in `{}`: Exited with i32 exit status 1");
}

#[test]
fn a_wild_pointer_costs_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("wild-pointer", "trapped in `{}`: wasm trap: out of bounds memory access");
}

#[test]
fn a_deep_recursion_costs_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("recurse", "trapped in `{}`: wasm trap: call stack exhausted");
}

#[test]
fn an_endless_loop_costs_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("loop", "ran longer than its deadline of 200ms in `{}`");
}

#[test]
fn an_endless_loop_over_a_cheap_host_call_costs_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("loop-host", "ran longer than its deadline of 200ms in `{}`");
}

#[test]
fn an_endless_loop_that_logs_costs_one_record() {
    let arena = Arena::new();
    let reason = "ran longer than its deadline of 200ms in `{}`; its last words: again";
    arena.costs_one_record_in_every_stage("loop-log", reason);
}

#[test]
fn waiting_for_the_clock_to_move_costs_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage("loop-clock", "ran longer than its deadline of 200ms in `{}`");
}

#[test]
fn memory_taken_bit_by_bit_costs_one_record() {
    let arena = Arena::new();
    for (key, _, function) in guests::STAGES {
        let reason = arena.culprit(key, "memory-small", &[]);
        // Whether there is memory left for last words is up to chance.
        assert!(reason.starts_with(&format!("wanted more than its 8 MiB of memory in `{function}`")), "{reason}");
    }
}

#[test]
fn memory_taken_at_once_costs_one_record() {
    let arena = Arena::new();
    arena.costs_one_record_in_every_stage(
        "memory-huge",
        "wanted more than its 8 MiB of memory in `{}`; its last words: memory allocation of 1073741824 bytes failed",
    );
}

#[test]
fn gigabytes_of_randomness_cost_one_record() {
    let arena = Arena::new();
    let reason = "broke the contract in `{}`: requested len 4294967295 exceeds limit 65536";
    arena.costs_one_record_in_every_stage("random", reason);
}

#[test]
fn handles_that_are_never_given_back_cost_one_record() {
    let arena = Arena::new();
    let reason = "broke the contract in `{}`: resource table has no free keys";
    arena.costs_one_record_in_every_stage("handles", reason);
}

/// Time is virtual: an hour passes at once, and so does an age; both within a deadline of 200 ms.
#[test]
fn sleeping_takes_no_time_and_costs_nothing() {
    let arena = Arena::new();
    for behaviour in ["sleep", "sleep-for-ages"] {
        for (key, name, _) in guests::STAGES {
            let _ = arena.feed();
            guests::configure(&arena.workspace, key, &guests::stage(behaviour, &[], ""));
            let report = batch(&arena.workspace, "import-activities", &[]).exits(0).json();
            assert_ledger(&report, &[("created", 4)]);
            assert_eq!(stage_of(&report, name)["calls"], 1, "{report:#}");
        }
    }
}
