//! Random histories through each built-in connector as the component that it is, against a real server, a file, or the
//! simulator of Microsoft Graph with its faults. `HISTORIES=n` plays n per connector; a failure names its seed, and
//! `HISTORY_SEED=n` plays from that one on (it alone, unless `HISTORIES` says how many).
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod bench;
mod calendar;
mod calendar_file;
mod dav;
mod disturbed;
mod graph;
mod history;
mod icalendar;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use apptsync_tests::dice::Dice;

const HISTORIES: u64 = 200;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Plays histories of one connector; what plays them can do something of its own for each.
fn play(name: &str, mut one: impl FnMut(u64, &mut Dice)) {
    let first = number("HISTORY_SEED");
    let count = number("HISTORIES").unwrap_or(if first.is_some() { 1 } else { HISTORIES });
    let first = first.unwrap_or(0);
    for seed in first..first + count {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| one(seed, &mut Dice::new(seed)))) {
            eprintln!("HISTORY_SEED={seed} plays this history of {name} again");
            resume_unwind(panic);
        }
    }
}
