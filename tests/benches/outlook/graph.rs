//! Against the simulator of Microsoft Graph: requests, and many mailboxes.

use std::fs;

use apptsync_tests::Workspace;
use graph_simulator::{Options, Simulator};
use serde_json::json;

use crate::process::Taken;
use crate::sales;

const MAILBOX: &str = "anna@contoso.example";

/// Requests for so many creations, changes and deletions, and where nothing is new.
pub(crate) fn requests(count: usize) {
    let simulator = Simulator::start(Options::default()).expect("a simulator");
    let workspace = sales::workspace(0);
    connect(&workspace, &simulator);
    profile(&workspace, &simulator, "b", "B", MAILBOX);
    let _ = workspace.run(&["outlook", "connect", "b"]).exits(0);
    simulator.reset_counters();
    println!("{count:>7} {:<24} {:>10} {:>9} {:>9}", "Graph", "time", "requests", "reach");
    let row = |what: &str, taken: Taken, requests: u64, reach: &str| {
        println!("{count:>7} {what:<24} {:>9.3}s {requests:>9} {reach:>9}", taken.seconds);
    };
    sales::visits(&workspace, "B", 0..count, "Autumn assortment");
    sales::import(&workspace);
    let (taken, reports) = sales::sync(&workspace);
    assert_eq!(sales::sum(&reports, "create"), count as u64);
    row("creations", taken, simulator.counters().total(), "60");
    let echoes = sales::sync(&workspace);
    row("second", echoes.0, sales::requests(&echoes.1), "");
    simulator.reset_counters();
    let (taken, _) = sales::sync(&workspace);
    row("nothing new", taken, simulator.counters().total(), "2");
    sales::visits(&workspace, "B", 0..count, "Winter assortment");
    sales::import(&workspace);
    simulator.reset_counters();
    let (taken, reports) = sales::sync(&workspace);
    row("changes", taken, simulator.counters().total(), "60");
    assert_eq!(sales::sum(&reports, "update"), count as u64, "{reports:?}");
    println!();
}

/// Many representatives at once.
pub(crate) fn many_mailboxes(mailboxes: usize, each: usize) {
    let simulator = Simulator::start(Options::default()).expect("a simulator");
    let workspace = sales::workspace(mailboxes);
    connect(&workspace, &simulator);
    for number in 0..mailboxes {
        let (employee, address) = (format!("R{number:03}"), format!("r{number:03}@contoso.example"));
        simulator.add_mailbox(&address, "Europe/Warsaw").expect("a mailbox");
        profile(&workspace, &simulator, &format!("r{number:03}"), &employee, &address);
        sales::visits(&workspace, &employee, 0..each, "Autumn assortment");
    }
    sales::import(&workspace);
    println!(
        "{mailboxes} mailboxes of {each:<12} {:>10} {:>10} {:>9} {:>9} {:>8}",
        "time", "requests", "a mailbox", "waiting", "peak"
    );
    for what in ["first", "second", "nothing new"] {
        simulator.reset_counters();
        let (taken, reports) = sales::sync(&workspace);
        let requests = simulator.counters().total();
        if what == "first" {
            assert_eq!(sales::sum(&reports, "create"), (mailboxes * each) as u64);
        }
        println!(
            "{what:<26} {:>9.2}s {requests:>10} {:>9.1} {:>8.0}% {:>4} MiB",
            taken.seconds,
            requests as f64 / mailboxes as f64,
            taken.waiting(),
            taken.peak >> 20
        );
    }
    println!("reach: nothing new at most 2 requests a mailbox");
}

fn connect(workspace: &Workspace, simulator: &Simulator) {
    let secret = workspace.path("secret");
    fs::write(&secret, "simulated-secret").expect("written");
    let address = simulator.base_url();
    let add = ["credentials", "add", "graph", "--kind", "client-secret", "--tenant", "contoso.example"];
    let client = ["--client-id", "11111111-2222-4333-8444-555555555555", "--login-server", address];
    let more = ["--graph-server", address, "--secret-file", secret.to_str().expect("a path")];
    let _ = workspace.run(&[&add[..], &client, &more].concat()).exits(0);
}

fn profile(workspace: &Workspace, simulator: &Simulator, name: &str, employee: &str, mailbox: &str) {
    let user = simulator.user(mailbox);
    // As in real mailboxes, an address book is known by what is in it.
    let _ = user.request("POST", "contacts", json!({ "givenName": "Own", "surname": "Friend" })).expect("made");
    let add = ["outlook", "profile", "add", name, "--employee", employee, "--connector", "outlook-graph"];
    let account = ["--server", simulator.base_url(), "--user", mailbox, "--credential", "graph"];
    let limits = ["--max-creations", "1000000", "--max-updates", "1000000", "--guard-updates-percent", "100"];
    let _ = workspace.run(&[&add[..], &account, &limits].concat()).exits(0);
}
