//! What several of these tests share: reports of batch applications, and a look into the database from outside.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use apptsync_tests::{Ran, Workspace};
use graph_simulator::Simulator;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

/// Runs a batch application on sales channel B2B, as user A unless `more` names another.
pub(crate) fn batch(workspace: &Workspace, application: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["run", application, "--channel", "B2B", "--output", "json"];
    if !more.contains(&"--user") {
        arguments.extend(["--user", "A"]);
    }
    arguments.extend(more);
    workspace.run(&arguments)
}

/// Runs BUS: Import activities like [`batch`] and gives the report.
pub(crate) fn import(workspace: &Workspace, more: &[&str]) -> Value {
    batch(workspace, "import-activities", more).json()
}

/// The whole ledger with these counts: `created`, `updated`, `unchanged`, `quarantined`, `failed`, or a reason for skipping.
/// What was read is their sum.
pub(crate) fn ledger(counts: &[(&str, u64)]) -> Value {
    let mut ledger = json!({
        "read": 0, "created": 0, "updated": 0, "unchanged": 0, "skipped": {}, "quarantined": 0, "failed": 0
    });
    for (name, count) in counts {
        match *name {
            "created" | "updated" | "unchanged" | "quarantined" | "failed" => ledger[name] = json!(count),
            reason => ledger["skipped"][reason] = json!(count),
        }
    }
    ledger["read"] = json!(counts.iter().map(|(_, count)| count).sum::<u64>());
    ledger
}

/// Fails unless the report's ledger has exactly these counts.
#[track_caller]
pub(crate) fn assert_ledger(report: &Value, counts: &[(&str, u64)]) {
    assert_eq!(report["ledger"], ledger(counts), "{report:#}");
}

/// Fails unless the report's ledger adds up.
#[track_caller]
pub(crate) fn assert_balanced(report: &Value) {
    let ledger = &report["ledger"];
    let count = |name: &str| ledger[name].as_u64().unwrap_or_else(|| panic!("no count `{name}`: {report:#}"));
    let skipped: u64 = ledger["skipped"].as_object().expect("reasons").values().filter_map(Value::as_u64).sum();
    let outcomes = ["created", "updated", "unchanged", "quarantined", "failed"].map(count);
    assert_eq!(count("read"), outcomes.iter().sum::<u64>() + skipped, "{report:#}");
}

/// All texts of a report's protocol, whatever the severity.
pub(crate) fn texts(report: &Value) -> Vec<String> {
    let messages = report["messages"].as_array().expect("messages");
    messages.iter().filter_map(|message| message["text"].as_str().map(str::to_owned)).collect()
}

/// Somebody logs in by device code, or declines: the code that `credentials add` shows is typed at the simulator. Gives the
/// exit code, and what else was said.
pub(crate) fn log_in(
    workspace: &Workspace,
    simulator: &Simulator,
    name: &str,
    user: Option<&str>,
) -> (Option<i32>, String) {
    let server = simulator.base_url();
    let add = ["credentials", "add", name, "--kind", "device-code", "--tenant", "contoso.example", "--quiet"];
    let client = ["--client-id", "11111111-2222-4333-8444-555555555555"];
    let servers = ["--login-server", server, "--graph-server", server];
    let mut command = workspace.command(&[&add[..], &client, &servers].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("its errors"));
    let _ = stderr.read_line(&mut said).expect("a line");
    assert!(said.starts_with("open https://microsoft.com/devicelogin and type the code "), "{said}");
    let code = said.trim_end().rsplit(' ').next().expect("a code");
    assert!(simulator.decide_device_code(code, user), "no such code: {said}");
    let mut rest = String::new();
    let _ = stderr.read_to_string(&mut rest).expect("its errors");
    (child.wait_with_output().expect("it ends").status.code(), rest)
}

/// Every file of the feed with its content.
pub(crate) fn feed(workspace: &Workspace) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(workspace.path("feed")).expect("the feed").map(|entry| entry.expect("an entry").path());
    files.map(|file| (file.display().to_string(), fs::read(&file).expect("a file"))).collect()
}

/// A connection to the workspace's database that only reads.
pub(crate) fn reading(workspace: &Workspace) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(workspace.path("headquarters.db"), flags).expect("the database opens");
    connection.busy_timeout(std::time::Duration::from_secs(10)).expect("a busy timeout");
    connection
}

/// The rows of a query.
pub(crate) fn rows(workspace: &Workspace, sql: &str) -> Vec<Vec<Cell>> {
    let connection = reading(workspace);
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    statement.query_map([], row).expect("a query").collect::<Result<_, _>>().expect("rows")
}

/// The one number that a query gives.
pub(crate) fn number(workspace: &Workspace, sql: &str) -> i64 {
    reading(workspace).query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Tables that hold what a batch application brings about, without its own records.
const TABLES: [&str; 10] = [
    "activity",
    "task",
    "reference",
    "transfer",
    "partner",
    "channel_partner",
    "cursor",
    "stage_set",
    "definition",
    "quarantine",
];

/// Everything that batch applications bring about, row by row.
pub(crate) fn contents(workspace: &Workspace) -> BTreeMap<&'static str, Vec<Vec<Cell>>> {
    TABLES.into_iter().map(|table| (table, rows(workspace, &format!("SELECT * FROM {table} ORDER BY 1, 2")))).collect()
}

/// From now on, [`writes`] tells every row of these tables that was written, even with the values it had.
pub(crate) fn watch_writes(workspace: &Workspace) {
    let connection = Connection::open(workspace.path("headquarters.db")).expect("the database opens");
    connection.execute_batch("CREATE TABLE written (what TEXT NOT NULL)").expect("a table");
    for table in TABLES {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            let sql = format!(
                "CREATE TRIGGER written_{table}_{event} AFTER {event} ON {table}
                 BEGIN INSERT INTO written VALUES ('{event} {table}'); END"
            );
            connection.execute_batch(&sql).expect("a trigger");
        }
    }
}

/// What was written since [`watch_writes`].
pub(crate) fn writes(workspace: &Workspace) -> Vec<Vec<Cell>> {
    rows(workspace, "SELECT what, count(*) FROM written GROUP BY what")
}
