//! Contacts of an address book as items. Only what the contract knows is read and written; further addresses and numbers
//! are the user's own.

pub(crate) mod write;

use apptsync_plugin::connector::{Contact, Content, Identity, Item};
use apptsync_plugin::text::NOTE;
use serde_json::Value;

use crate::{etag, events, moment, normalise};

/// A contact.
///
/// # Errors
///
/// It has no id, no `ETag` or no folder.
pub(crate) fn read(contact: &Value, identity: Identity) -> Result<Item, String> {
    let folder = contact["parentFolderId"]
        .as_str()
        .filter(|id| !id.is_empty())
        .ok_or("it does not say in which folder it lies")?;
    Ok(Item {
        remote_id: events::id(contact)?.to_owned(),
        etag: etag::of(contact)?.to_owned(),
        collection: folder.to_owned(),
        identity,
        content: Content::Contact(fields(contact)),
        private: false,
        cancelled: false,
        is_organizer: true,
        has_attendees: false,
        occurrence: None,
        changed_at: contact["lastModifiedDateTime"].as_str().and_then(moment::instant),
    })
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
