//! Synchronize address books (domain 8): partners and representatives to Outlook contacts, one way.

use apptsync_tests::Workspace;
use serde_json::{Value, json};

use super::calendar::{Calendar, Kind, connected, id};
use super::{at, counts, state};
use crate::support::feed;

fn contacts(workspace: &Workspace, minute: usize, more: &[&str]) -> Value {
    let before = feed(workspace);
    let now = at(minute);
    let command = ["outlook", "contacts", "b", "--output", "json", "--as-of", &now];
    let report = workspace.run(&[&command[..], more].concat()).json()[0].clone();
    assert_eq!(feed(workspace), before, "nothing goes to Mobile");
    report
}

/// All contacts of the mailbox, in order of their names.
fn all(calendar: &Calendar) -> Vec<Value> {
    let folders = calendar.user().contents()["contactFolders"].clone();
    let folders = folders.as_array().expect("folders").iter();
    let mut all: Vec<Value> =
        folders.flat_map(|folder| folder["contacts"].as_array().expect("contacts").clone()).collect();
    all.sort_by_key(|contact| name(contact).to_owned());
    all
}

fn name(contact: &Value) -> &str {
    contact["displayName"].as_str().expect("a name")
}

fn names(calendar: &Calendar) -> Vec<String> {
    all(calendar).iter().map(|contact| name(contact).to_owned()).collect()
}

fn named(calendar: &Calendar, wanted: &str) -> Value {
    all(calendar).into_iter().find(|contact| name(contact) == wanted).unwrap_or_else(|| panic!("no contact {wanted}"))
}

fn edit(calendar: &Calendar, contact: &Value, change: Value) {
    let _ = calendar.user().request("PATCH", &format!("contacts/{}", id(contact)), change).expect("edited");
}

/// A mailbox with a contact of its own.
fn with_own_contact() -> (Workspace, Calendar) {
    let (workspace, calendar) = connected(Kind::Graph, &[]);
    let own = json!({ "givenName": "Own", "surname": "Friend", "displayName": "Own Friend" });
    let _ = calendar.user().request("POST", "contacts", own).expect("made");
    (workspace, calendar)
}

/// A mailbox with a contact of its own, and everybody of the headquarters.
fn filled() -> (Workspace, Calendar) {
    let (workspace, calendar) = with_own_contact();
    assert_eq!(counts(&contacts(&workspace, 0, &[])), [7, 0, 0, 0, 0]);
    (workspace, calendar)
}

const EVERYBODY: [&str; 8] = [
    "Anna Kowalska",
    "Barbara Nowak",
    "Cezary Lis",
    "Delikatesy Krakus",
    "Dorota Mazur",
    "Hurtownia Smok",
    "Own Friend",
    "Sklep Wanda",
];

/// Partners with address, mail and phone, and representatives; who is no representative does not appear; a plan changes nothing.
#[test]
fn partners_and_representatives_appear() {
    let (workspace, calendar) = with_own_contact();
    let _ = workspace.run(&["employees", "set", "D", "--sales-representative", "false"]).exits(0);
    let planned = contacts(&workspace, 0, &["--plan"]);
    assert_eq!((state(&planned), counts(&planned)), ("planned", [6, 0, 0, 0, 0]), "{planned:#}");
    assert_eq!(names(&calendar), ["Own Friend"]);
    assert_eq!(counts(&contacts(&workspace, 1, &[])), [6, 0, 0, 0, 0]);
    let wanted: Vec<&str> = EVERYBODY.into_iter().filter(|name| *name != "Dorota Mazur").collect();
    assert_eq!(names(&calendar), wanted);
    let krakus = named(&calendar, "Delikatesy Krakus");
    assert_eq!(krakus["emailAddresses"][0]["address"], "krakus@example.com", "{krakus:#}");
    assert!(krakus["businessPhones"].to_string().contains("+48 12 000 00 01"), "{krakus:#}");
    assert!(krakus["businessAddress"]["city"] == "Kraków" && krakus["businessAddress"]["street"] == "Długa 1");
    assert_eq!(named(&calendar, "Barbara Nowak")["emailAddresses"][0]["address"], "b@example.com");
    let again = contacts(&workspace, 2, &[]);
    assert_eq!((state(&again), counts(&again)), ("completed", [0; 5]), "{again:#}");
}

/// What a user adds to a contact stays, also when the headquarters changes it afterwards.
#[test]
fn what_a_user_adds_stays() {
    let (workspace, calendar) = filled();
    let own = json!({
        "mobilePhone": "+48 600 000 000", "homePhones": ["+48 12 111 11 11"],
        "categories": ["Important"], "jobTitle": "Buyer", "birthday": "1980-05-01T00:00:00Z"
    });
    edit(&calendar, &named(&calendar, "Delikatesy Krakus"), own.clone());
    let has_own = || {
        let contact = named(&calendar, "Delikatesy Krakus");
        for (field, value) in own.as_object().expect("fields") {
            assert_eq!(&contact[field], value, "{field}: {contact:#}");
        }
        contact
    };
    let report = contacts(&workspace, 1, &["--plan"]);
    assert_eq!(counts(&report), [0; 5], "{report:#}");
    assert_eq!(counts(&contacts(&workspace, 1, &[])), [0; 5]);
    let _ = has_own();
    let _ = workspace.run(&["partners", "set", "C00001", "--phone", "+48 12 999 99 99"]).exits(0);
    assert_eq!(counts(&contacts(&workspace, 2, &[])), [0, 1, 0, 0, 0]);
    assert!(has_own()["businessPhones"].to_string().contains("+48 12 999 99 99"));
    assert_eq!(counts(&contacts(&workspace, 3, &[])), [0; 5]);
}

/// One way: an edit of what the headquarters says is put back and never reaches it, a deleted contact comes back once, and the
/// user's own contacts are left alone.
#[test]
fn nothing_of_an_address_book_reaches_the_headquarters() {
    let (workspace, calendar) = filled();
    let partners = || (workspace.json(&["partners", "list"]), workspace.json(&["employees", "list"]));
    let before = partners();
    edit(
        &calendar,
        &named(&calendar, "Sklep Wanda"),
        json!({ "companyName": "Sklep Wanda i Syn", "displayName": "Wanda" }),
    );
    edit(&calendar, &named(&calendar, "Own Friend"), json!({ "surname": "Foe" }));
    assert_eq!(counts(&contacts(&workspace, 1, &[])), [0, 0, 0, 1, 0]);
    assert_eq!(names(&calendar), EVERYBODY);
    assert_eq!(named(&calendar, "Own Friend")["surname"], "Foe");
    let cezary = named(&calendar, "Cezary Lis");
    let _ = calendar.user().request("DELETE", &format!("contacts/{}", id(&cezary)), Value::Null).expect("deleted");
    assert_eq!(counts(&contacts(&workspace, 2, &[])), [1, 0, 0, 0, 0]);
    assert_eq!(names(&calendar), EVERYBODY);
    let cezary = named(&calendar, "Cezary Lis");
    let _ = calendar.user().request("DELETE", &format!("contacts/{}", id(&cezary)), Value::Null).expect("deleted");
    assert_eq!(counts(&contacts(&workspace, 3, &[])), [0; 5]);
    assert!(!names(&calendar).contains(&"Cezary Lis".to_owned()), "whoever deletes it twice means it");
    let why = workspace.json(&["outlook", "why", "employee/C"]);
    assert_eq!((&why[0]["subject"], &why[0]["state"]), (&json!("Cezary Lis"), &json!("suppressed")), "{why:#}");
    assert_eq!(workspace.json(&["outlook", "why", "partner/C00002"])[0]["fields"][0]["field"], "contact");
    let _ = workspace.run(&["outlook", "resolve", "employee/C"]).exits(0);
    assert_eq!(counts(&contacts(&workspace, 4, &[])), [1, 0, 0, 0, 0]);
    assert_eq!(names(&calendar), EVERYBODY);
    assert_eq!((partners(), workspace.activities().len()), (before, 0));
}

/// A partner that is marked for deletion, and who is no representative any more: their contacts go, the user's own stay, and
/// many at once are held (guard G1). With the policy `keep`, every contact stays.
#[test]
fn who_is_gone_from_the_headquarters_goes_guarded() {
    let (workspace, calendar) = filled();
    let _ = workspace.run(&["partners", "set", "C00003", "--deletion-mark", "true"]).exits(0);
    let _ = workspace.run(&["outlook", "profile", "set", "b", "--deletion-policy", "keep"]).exits(0);
    assert_eq!(counts(&contacts(&workspace, 1, &[])), [0; 5]);
    assert_eq!(names(&calendar), EVERYBODY);
    let (workspace, calendar) = filled();
    let _ = workspace.run(&["partners", "set", "C00003", "--deletion-mark", "true"]).exits(0);
    let planned = contacts(&workspace, 1, &["--plan"]);
    assert_eq!(counts(&planned), [0, 0, 1, 0, 0], "{planned:#}");
    let report = contacts(&workspace, 1, &[]);
    assert_eq!(counts(&report), [0, 0, 1, 0, 0], "{report:#}");
    let left: Vec<&str> = EVERYBODY.into_iter().filter(|name| *name != "Hurtownia Smok").collect();
    assert_eq!(names(&calendar), left);
    for partner in ["C00001", "C00002"] {
        let _ = workspace.run(&["partners", "set", partner, "--deletion-mark", "true"]).exits(0);
    }
    for employee in ["A", "B", "C", "D"] {
        let _ = workspace.run(&["employees", "set", employee, "--sales-representative", "false"]).exits(0);
    }
    let held = contacts(&workspace, 2, &[]);
    assert_eq!((state(&held), counts(&held)), ("held", [0; 5]), "{held:#}");
    assert!(held["held"][0]["reason"].as_str().is_some_and(|reason| reason.starts_with("G1: 6 of 6")), "{held:#}");
    assert_eq!(names(&calendar), left);
}

/// Servers without address books say so, and nothing else happens.
#[test]
fn servers_without_contacts_say_so() {
    for kind in [Kind::CalDav, Kind::File] {
        let (workspace, calendar) = connected(kind, &[]);
        let ran = workspace.run(&["outlook", "contacts", "b"]);
        assert!(ran.code != 0 && ran.stdout.contains("address book"), "{kind:?}: {ran:?}");
        assert_eq!(calendar.subjects().len(), 0, "{kind:?}");
    }
}
