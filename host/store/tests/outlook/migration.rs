//! A database of the first schema is brought up to date with all that it holds.

use apptsync_model::outlook::{ItemKind, Origin};
use apptsync_model::{ActivityStatus, Instant};
use apptsync_store::{HeadquartersChange, NewActivity, OutlookStore, SqliteStore, Store};
use tempfile::TempDir;

use crate::{NOW, new};

#[test]
fn a_database_of_the_first_schema_keeps_what_it_holds() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("headquarters.db");
    let raw = rusqlite::Connection::open(&path).expect("opened");
    raw.execute_batch(include_str!("../../src/sqlite/schema/001.sql")).expect("the first schema");
    raw.execute_batch(
        "INSERT INTO organization VALUES ('O1', 'Trade', 'Europe/Warsaw');
         INSERT INTO partner VALUES ('C1', 'Krakus', '', '', '', '', '', '', 0, 0);
         INSERT INTO employee VALUES ('B', 'Barbara', '', 'O1', NULL, 1, 1, 1, 'employee', 0, 0);
         INSERT INTO channel VALUES ('B2B', '', 'O1', 1);
         INSERT INTO job VALUES (4, 'import-activities', '', 'B2B', 'B', '\"anytime\"', 500, 'completed', 1, 2);
         INSERT INTO activity VALUES (1, 'B2B', 'a-1', '7', 'Autumn', 'text', 'Visit', 'high', 'planned', 900, 950,
           NULL, NULL, NULL, NULL, 'mobile', '[[\"region\",\"south\"]]', 4, 4);
         INSERT INTO activity VALUES (2, 'B2B', 'a-2', '8', 'Winter', 'text', 'Visit', 'low', 'completed', 900, 950,
           '1970-01-01', '1970-01-02', 920, 'B', 'mobile', '[]', 3, 3);
         INSERT INTO task VALUES (1, 'B'), (2, 'B');
         INSERT INTO reference VALUES (1, 'C1'), (2, 'C1');
         PRAGMA user_version = 1;",
    )
    .expect("data");
    drop(raw);

    let store = SqliteStore::open(&path).expect("brought up to date");
    assert_eq!(store.check().expect("checked"), [""; 0]);
    let [first, second] = [1, 2].map(|id| store.activity(id).expect("read").expect("there"));
    assert_eq!((&*first.subject, &*first.customer_name, &*first.employee), ("Autumn", "Krakus", "B"));
    assert_eq!((first.entry, first.canceled, first.changed_at), (ItemKind::Appointment, false, Instant(500)));
    assert_eq!(first.attributes, [("region".to_owned(), "south".to_owned())]);
    assert_eq!((second.status, second.completed_on), (ActivityStatus::Completed, Some(Instant(920))));
    assert_eq!(second.changed_at, Instant(0), "its job is not known");
    assert_eq!(store.master_data().expect("read").employee.len(), 1);

    let by_hand = NewActivity { origin: Origin::Headquarters, ..new("h-1", NOW.0) };
    let made = store.change_activity(&HeadquartersChange::Create(Box::new(by_hand)), NOW).expect("made");
    let made = store.activity(made).expect("read").expect("there");
    assert!(made.revision > first.revision);
    drop(store);
    assert!(SqliteStore::open(&path).is_ok(), "once is enough");
}
