//! A day's work on an address book.

use apptsync_plugin::connector::{Contact, Content, Fields, Identity, Item, Kind, Operation};
use apptsync_plugin::types::Failure;
use serde_json::{Value, json};

use crate::support::{Bench, adopt, customer, is_ours, present, reference, update};

fn bench() -> Bench {
    Bench::new(Kind::Contact)
}

fn person(item: &Item) -> &Contact {
    match &item.content {
        Content::Contact(contact) => contact,
        Content::Entry(_) => panic!("a contact is needed"),
    }
}

/// What the user changes of a contact, and how it is read then.
fn edited(bench: &Bench, item: &Item, change: Value) -> Item {
    bench.user().request("PATCH", &format!("contacts/{}", item.remote_id), change).unwrap();
    bench.fetch_one(&item.remote_id).unwrap().unwrap()
}

fn stored(bench: &Bench, item: &Item) -> Value {
    bench.user().contacts("Contacts").into_iter().find(|one| one["id"] == item.remote_id.as_str()).unwrap()
}

#[test]
fn what_is_created_is_read_back_fetched_pulled_and_found() {
    let bench = bench();
    let noted = Contact { note: "Pays late.\nLikes coffee.".to_owned(), ..customer(1) };
    let made = bench.made(1, Content::Contact(noted.clone()));
    assert!(is_ours(&made, "link-1"));
    assert_eq!(made.content, Content::Contact(noted));
    assert_eq!(made.collection, bench.target.collection);
    assert_eq!(made.writer.as_deref(), Some("run-1"));
    assert_eq!(bench.fetch_one(&made.remote_id), Ok(Some(made.clone())));
    assert_eq!(bench.find(&["link-1"]).unwrap(), [vec![made.clone()]]);
    let (changes, cursor, full) = bench.pass(None).unwrap();
    assert!(full);
    assert_eq!(present(&changes).len(), 2);
    assert!(present(&changes).iter().all(|item| item.identity == Identity::Unread));
    bench.simulator.reset_counters();
    assert_eq!(bench.pass(Some(&cursor)).unwrap().0, []);
    assert_eq!(bench.simulator.counters().total(), 1);
}

#[test]
fn further_addresses_and_numbers_stay() {
    let bench = bench();
    let made = bench.made(1, Content::Contact(customer(1)));
    let own = json!({
        "emailAddresses": [{"address": "jan@kowalski.example"}, {"address": "home@jan.example"}],
        "businessPhones": ["+48 12 345 67 89", "+48 600"],
        "businessAddress": {"street": "Długa 5", "postalCode": "31-147", "city": "Kraków", "countryOrRegion": "Poland", "state": "Małopolska"},
        "mobilePhone": "+48 700",
    });
    let seen = edited(&bench, &made, own);
    let wanted = Contact {
        email: "new@kowalski.example".into(),
        phone: "+48 12".into(),
        city: "Wieliczka".into(),
        ..customer(1)
    };
    let change = |item| update(item, Content::Contact(wanted.clone()), Fields::CONTACT);
    assert_eq!(bench.push_one(change(&made)), Err(Failure::Conflict));
    let done = bench.push_one(change(&seen)).unwrap().unwrap();
    assert_eq!(person(&done), &wanted);
    let read = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    assert_eq!((read.content, read.etag), (done.content, done.etag));
    let stored = stored(&bench, &made);
    assert_eq!(stored["emailAddresses"][1]["address"], "home@jan.example");
    assert_eq!(stored["businessPhones"], json!(["+48 12", "+48 600"]));
    assert_eq!(
        (&stored["businessAddress"]["state"], &stored["mobilePhone"]),
        (&json!("Małopolska"), &json!("+48 700"))
    );
}

#[test]
fn what_an_update_empties_is_taken_away_and_what_it_does_not_know_of_stays() {
    for more in [false, true] {
        let bench = bench();
        let made = bench.made(1, Content::Contact(customer(1)));
        let own = if more {
            json!({
                "emailAddresses": [{"address": "jan@kowalski.example"}, {"address": "home@jan.example"}],
                "businessPhones": ["+48 12 345 67 89", "+48 600"],
                "businessAddress": {"street": "Długa 5", "city": "Kraków", "state": "Małopolska"},
                "personalNotes": "My own note",
            })
        } else {
            json!({"personalNotes": "My own note"})
        };
        let seen = edited(&bench, &made, own);
        let bare = Contact { name: "Jan Nowak".to_owned(), ..empty() };
        bench.push_one(update(&seen, Content::Contact(bare), Fields::CONTACT)).unwrap().unwrap();
        let stored = stored(&bench, &made);
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!((said(&stored["displayName"]), said(&stored["companyName"])), ("Jan Nowak".into(), String::new()));
        assert_eq!(said(&stored["personalNotes"]), "My own note");
        let address = &stored["businessAddress"];
        assert_eq!((said(&address["street"]), said(&address["city"])), (String::new(), String::new()));
        let expected = if more { ("home@jan.example", "+48 600", "Małopolska") } else { ("", "", "") };
        let left = (
            said(&stored["emailAddresses"][0]["address"]),
            said(&stored["businessPhones"][0]),
            said(&address["state"]),
        );
        assert_eq!((left.0.as_str(), left.1.as_str(), left.2.as_str()), expected);
    }
}

fn empty() -> Contact {
    let [name, company, email, phone, street, postcode, city, country, note] = std::array::from_fn(|_| String::new());
    Contact { name, company, email, phone, street, postcode, city, country, note }
}

#[test]
fn only_a_contact_with_more_in_it_is_read_before_it_is_written() {
    let bench = bench();
    let plain = bench.made(1, Content::Contact(customer(1)));
    let named = bench.made(2, Content::Contact(customer(2)));
    let address = json!({"emailAddresses": [{"address": "jan@kowalski.example", "name": "Jan (office)"}]});
    let named = edited(&bench, &named, address);
    for (item, methods) in [(&plain, vec!["PATCH"]), (&named, vec!["GET", "PATCH"])] {
        let sent = bench.batches().len();
        let wanted = Content::Contact(Contact { phone: "+48 1".to_owned(), ..person(item).clone() });
        let done = bench.push_one(update(item, wanted.clone(), Fields::CONTACT)).unwrap().unwrap();
        assert_eq!(done.content, wanted);
        let parts = bench.batches()[sent..].concat();
        assert_eq!(parts.iter().map(|part| part["method"].as_str().unwrap()).collect::<Vec<_>>(), methods);
    }
    assert_eq!(stored(&bench, &named)["emailAddresses"][0]["name"], "Jan (office)");
}

#[test]
fn a_default_address_book_that_cannot_be_told_is_warned_of() {
    let bench = Bench::new(Kind::Appointment);
    bench.user().request("POST", "contactFolders", json!({"displayName": "Customers"})).unwrap();
    let connection = bench.probe().unwrap();
    let books: Vec<_> = connection.collections.iter().filter(|one| one.kind == Kind::Contact).collect();
    assert!(books.len() == 1 && !books[0].is_default, "{books:?}");
    let warnings = bench.warnings();
    assert!(warnings.iter().any(|warning| warning.contains("default address book has no contact")), "{warnings:?}");
}

#[test]
fn adopting_disowning_and_deleting() {
    let bench = bench();
    let (changes, _, _) = bench.pass(None).unwrap();
    let friend = present(&changes).remove(0).clone();
    let adopted = bench.push_one(adopt(&friend, "friend")).unwrap().unwrap();
    assert!(is_ours(&adopted, "friend"));
    let disowned = bench.push_one(Operation::Disown(reference(&adopted))).unwrap().unwrap();
    assert_eq!(adopted.writer.as_deref(), Some("run-2"));
    let read = bench.fetch_one(&friend.remote_id).unwrap().unwrap();
    assert_eq!((read.identity, read.writer), (Identity::None, None));
    assert_eq!(bench.push_one(Operation::Delete(reference(&disowned))), Ok(None));
    assert_eq!(bench.push_one(update(&disowned, Content::Contact(customer(1)), Fields::CONTACT)), Err(Failure::Gone));
}
