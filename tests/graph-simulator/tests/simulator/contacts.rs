//! Contacts and their folders.

use serde_json::json;

use crate::client::{World, list, text};
use crate::delta::round;

const LINK: &str = "String {9a1f3c5e-0b2d-4c6e-8f70-123456789abc} Name erplink";

#[test]
fn contacts_are_found_by_their_property_and_followed_by_folder() {
    let World { client, .. } = World::new();
    let folder = client.post("contactFolders", json!({"displayName": "Customers"})).expect(201);
    let contacts = format!("contactFolders/{}/contacts", text(&folder["id"]));
    let made = client
        .post(
            &contacts,
            json!({"givenName": "Otto", "surname": "Berger", "companyName": "Berger Metals",
                "emailAddresses": [{"address": "otto@berger.example"}], "businessPhones": ["+49 30 1"],
                "singleValueExtendedProperties": [{"id": LINK, "value": "C-1"}]}),
        )
        .expect(201);
    assert_eq!((&made["displayName"], &made["fileAs"]), (&json!("Otto Berger"), &json!("Berger, Otto")));
    assert_eq!(made["emailAddresses"], json!([{"name": "otto@berger.example", "address": "otto@berger.example"}]));
    assert_eq!(made["parentFolderId"], folder["id"]);
    let filter = format!("$filter=singleValueExtendedProperties/any(ep:ep/id eq '{LINK}' and ep/value eq 'c-1')");
    assert_eq!(list(&client.get(&format!("{contacts}?{filter}")).expect(200)).len(), 1);
    assert!(
        list(&client.get(&format!("contacts?{filter}")).expect(200)).is_empty(),
        "the default folder is another one"
    );

    let (entries, link) = round(&client, &format!("{contacts}/delta"));
    assert_eq!(entries[0]["surname"], "Berger");
    let one = format!("contacts/{}", text(&made["id"]));
    let stale = client.with("if-match", text(&made["@odata.etag"]));
    stale.patch(&one, json!({"mobilePhone": "+49 170 1", "companyName": null})).expect(200);
    assert_eq!(stale.patch(&one, json!({"mobilePhone": "+49 170 2"})).code(), "ErrorIrresolvableConflict");
    let (entries, link) = round(&client, &link);
    assert_eq!((&entries[0]["mobilePhone"], &entries[0]["companyName"]), (&json!("+49 170 1"), &json!(null)));
    client.delete(&one).expect(204);
    let (entries, _) = round(&client, &link);
    assert_eq!(entries[0]["@removed"]["reason"], "deleted");
    assert_eq!(client.get("contacts/delta").status, 405);
}

#[test]
fn the_default_folder_is_known_only_by_its_contacts() {
    let World { client, .. } = World::new();
    assert!(list(&client.get("contactFolders").expect(200)).is_empty());
    let made = client.post("contacts", json!({"companyName": "Berger Metals"})).expect(201);
    assert_eq!(made["displayName"], "Berger Metals");
    let folder = client.get(&format!("contactFolders/{}", text(&made["parentFolderId"]))).expect(200);
    assert_eq!(folder["displayName"], "Contacts");
    let four: Vec<_> = (0..4).map(|at| json!({"address": format!("{at}@berger.example")})).collect();
    assert_eq!(client.post("contacts", json!({"emailAddresses": four})).status, 400);
}
