//! Contacts of an address book as items. Only what the contract knows is read and written; further addresses and numbers
//! are the user's own.

pub(crate) mod write;

use apptsync_plugin::connector::{Contact, Content, Item};
use apptsync_plugin::text::NOTE;
use serde_json::Value;

use crate::etag::{self, Marks};
use crate::property::Signature;
use crate::{events, moment, normalise};

/// A contact.
///
/// # Errors
///
/// It has no id, no `ETag` or no folder.
pub(crate) fn read(contact: &Value, signature: Signature) -> Result<Item, String> {
    let folder = contact["parentFolderId"]
        .as_str()
        .filter(|id| !id.is_empty())
        .ok_or("it does not say in which folder it lies")?;
    Ok(Item {
        remote_id: events::id(contact)?.to_owned(),
        etag: etag::with_marks(etag::of(contact)?, &Marks { has_more: has_more(contact), ..Marks::default() }),
        collection: folder.to_owned(),
        identity: signature.identity,
        writer: signature.writer,
        uid: String::new(),
        content: Content::Contact(fields(contact)),
        private: false,
        cancelled: false,
        is_organizer: true,
        has_attendees: false,
        occurrence: None,
        changed_at: contact["lastModifiedDateTime"].as_str().and_then(moment::instant),
    })
}

/// Whether writing what the contract knows of it, without looking, would take something away: further addresses and numbers,
/// a name of one's own for an address, parts of the postal address.
fn has_more(contact: &Value) -> bool {
    let further = |name: &str| contact[name].as_array().is_some_and(|list| list.len() > 1);
    let address = &contact["emailAddresses"][0];
    let name = address["name"].as_str().unwrap_or_default();
    let is_plain = name.is_empty() || contact["displayName"] == name || address["address"] == name;
    let known = ["street", "postalCode", "city", "countryOrRegion"];
    let is_known = |(name, value): (&String, &Value)| value.is_null() || value == "" || known.contains(&name.as_str());
    let is_whole = contact["businessAddress"].as_object().is_none_or(|parts| parts.iter().all(is_known));
    further("emailAddresses") || further("businessPhones") || !is_plain || !is_whole
}

/// What the contract knows of a contact.
fn fields(contact: &Value) -> Contact {
    let line = normalise::line;
    let address = &contact["businessAddress"];
    Contact {
        name: line(&contact["displayName"]),
        company: line(&contact["companyName"]),
        email: line(&contact["emailAddresses"][0]["address"]),
        phone: line(&contact["businessPhones"][0]),
        street: line(&address["street"]),
        postcode: line(&address["postalCode"]),
        city: line(&address["city"]),
        country: line(&address["countryOrRegion"]),
        note: normalise::multi_line(contact["personalNotes"].as_str().unwrap_or_default(), NOTE),
    }
}
