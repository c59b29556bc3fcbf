//! A day's work on an address book.

use apptsync_plugin::connector::{Contact, Content, Fields, Identity, Kind, Operation, Target};
use apptsync_plugin::types::Failure;
use serde_json::json;

use crate::support::{Bench, adopt, is_ours, present, reference, update};

/// The default address book is told by a contact in it.
fn bench() -> Bench {
    let bench = Bench::new(Kind::Appointment);
    bench.user().request("POST", "contacts", json!({"displayName": "Old friend"})).unwrap();
    let folder = bench.default(Kind::Contact).id;
    Bench { target: Target { kind: Kind::Contact, collection: folder }, ..bench }
}

fn customer() -> Contact {
    Contact {
        name: "Jan Kowalski".to_owned(),
        company: "Kowalski i Synowie".to_owned(),
        email: "jan@kowalski.example".to_owned(),
        phone: "+48 12 345 67 89".to_owned(),
        street: "Długa 5".to_owned(),
        postcode: "31-147".to_owned(),
        city: "Kraków".to_owned(),
        country: "Poland".to_owned(),
        note: "Pays late.\nLikes coffee.".to_owned(),
    }
}

#[test]
fn what_is_created_is_read_back_fetched_pulled_and_found() {
    let bench = bench();
    let made = bench.made(1, Content::Contact(customer()));
    assert!(is_ours(&made, "link-1"));
    assert_eq!(made.content, Content::Contact(customer()));
    assert_eq!(made.collection, bench.target.collection);
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
    let made = bench.made(1, Content::Contact(customer()));
    let own = json!({
        "emailAddresses": [{"address": "jan@kowalski.example"}, {"address": "home@jan.example"}],
        "businessPhones": ["+48 12 345 67 89", "+48 600"],
        "businessAddress": {"street": "Długa 5", "postalCode": "31-147", "city": "Kraków", "countryOrRegion": "Poland", "state": "Małopolska"},
        "mobilePhone": "+48 700",
    });
    bench.user().request("PATCH", &format!("contacts/{}", made.remote_id), own).unwrap();
    let seen = bench.fetch_one(&made.remote_id).unwrap().unwrap();
    let wanted =
        Contact { email: "new@kowalski.example".into(), phone: String::new(), city: "Wieliczka".into(), ..customer() };
    let change = |item| update(item, Content::Contact(wanted.clone()), Fields::CONTACT);
    assert_eq!(bench.push_one(change(&made)), Err(Failure::Conflict));
    let done = bench.push_one(change(&seen)).unwrap().unwrap();
    let Content::Contact(now) = &done.content else { panic!() };
    assert_eq!(
        (now.email.as_str(), now.city.as_str(), now.phone.as_str()),
        ("new@kowalski.example", "Wieliczka", "+48 600")
    );
    let stored =
        bench.user().contacts("Contacts").into_iter().find(|one| one["displayName"] == "Jan Kowalski").unwrap();
    assert_eq!(stored["emailAddresses"][1]["address"], "home@jan.example");
    assert_eq!(
        (&stored["businessAddress"]["state"], &stored["mobilePhone"]),
        (&json!("Małopolska"), &json!("+48 700"))
    );
}

#[test]
fn adopting_disowning_and_deleting() {
    let bench = bench();
    let (changes, _, _) = bench.pass(None).unwrap();
    let friend = present(&changes).remove(0).clone();
    let adopted = bench.push_one(adopt(&friend, "friend")).unwrap().unwrap();
    assert!(is_ours(&adopted, "friend"));
    let disowned = bench.push_one(Operation::Disown(reference(&adopted))).unwrap().unwrap();
    assert_eq!(bench.fetch_one(&friend.remote_id).unwrap().unwrap().identity, Identity::None);
    assert_eq!(bench.push_one(Operation::Delete(reference(&disowned))), Ok(None));
    assert_eq!(bench.push_one(update(&disowned, Content::Contact(customer()), Fields::CONTACT)), Err(Failure::Gone));
}
