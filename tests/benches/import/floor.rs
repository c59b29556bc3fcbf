//! The floor: the rows of a finished import, written into the same tables and indexes by prepared statements, in
//! transactions of the same size. No plugins, no feed; the rows are in memory before the clock starts.

use std::path::Path;
use std::time::Instant as Stopwatch;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Records of a transaction, as in the import.
const PAGE: usize = 1_024;

/// The tables that an import fills, with the column that orders them.
const TABLES: [(&str, &str); 4] =
    [("activity", "id"), ("task", "activity"), ("reference", "activity"), ("transfer", "id")];

/// What a row needs besides to be allowed.
const REFERRED: [&str; 5] = ["organization", "partner", "employee", "channel", "job"];

/// Writes the rows of `headquarters.db` into a new database and gives the seconds it took.
pub(crate) fn write_same_rows(folder: &Path) -> f64 {
    let path = folder.join("floor.db");
    drop(apptsync_store::SqliteStore::create(&path).expect("a database"));
    let mut target = Connection::open(&path).expect("the database");
    for (name, value) in [("foreign_keys", 1), ("cache_size", -16 * 1024), ("wal_autocheckpoint", 8_000)] {
        target.pragma_update(None, name, value).expect("a setting");
    }
    target.pragma_update(None, "synchronous", "NORMAL").expect("a setting");
    let source = Connection::open(folder.join("headquarters.db")).expect("the import's database");
    for table in REFERRED {
        let rows = rows(&source, table, "rowid");
        insert(&mut target, &[(table, &rows)]);
    }
    let rows = TABLES.map(|(table, order)| (table, rows(&source, table, order)));
    let begun = Stopwatch::now();
    let longest = rows.iter().map(|(_, rows)| rows.len()).max().unwrap_or_default();
    for first in (0..longest).step_by(PAGE) {
        let page =
            rows.each_ref().map(|(table, rows)| (*table, &rows[first.min(rows.len())..(first + PAGE).min(rows.len())]));
        insert(&mut target, &page);
    }
    begun.elapsed().as_secs_f64()
}

fn rows(source: &Connection, table: &str, order: &str) -> Vec<Vec<Value>> {
    let order = if order == "rowid" { String::new() } else { format!("ORDER BY {order}") };
    let mut statement = source.prepare(&format!("SELECT * FROM {table} {order}")).expect("a statement");
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    statement.query_map([], row).expect("rows").map(|row| row.expect("a row")).collect()
}

fn insert(target: &mut Connection, tables: &[(&str, impl AsRef<[Vec<Value>]>)]) {
    let transaction =
        target.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("a transaction");
    for (table, rows) in tables {
        let rows = rows.as_ref();
        let Some(first) = rows.first() else { continue };
        let marks = vec!["?"; first.len()].join(", ");
        let mut statement =
            transaction.prepare_cached(&format!("INSERT INTO {table} VALUES ({marks})")).expect("a statement");
        for row in rows {
            statement.execute(params_from_iter(row)).expect("inserted");
        }
    }
    transaction.commit().expect("committed");
}
