//! How fast Outlook is synchronised, and what it needs: against Radicale beside vdirsyncer, which does the same on the same
//! server from the same machine, and against the simulator of Microsoft Graph. Prints tables, with the reach beside.
//!
//! `cargo bench -p apptsync-tests --bench outlook [-- COUNT …]`; counts are 1,000 and 5,000 events unless given. `--mailboxes N`
//! says how many mailboxes the last table has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that cannot go on must fail")]

mod graph;
mod process;
mod radicale;
mod sales;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let option = arguments.iter().position(|argument| argument == "--mailboxes");
    let mailboxes = option.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(200);
    let is_count = |at: &usize| option.is_none_or(|option| *at != option + 1);
    let counts = arguments.iter().enumerate().filter(|(at, _)| is_count(at));
    let mut counts: Vec<usize> = counts.filter_map(|(_, argument)| argument.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![1_000, 5_000];
    }
    radicale::measure(&counts);
    graph::requests(1_000);
    graph::many_mailboxes(mailboxes, 200);
}
