//! Synchronize address books (domain 8): partners and sales representatives become contacts, one way.

use std::collections::BTreeMap;

use apptsync_model::outlook::{Contact, Content, HeadquartersId, ItemKind, Origin, Window, projection};
use apptsync_model::{Employee, Instant, Partner};
use apptsync_store::{OutlookStore, ProfileId};
use sha2::{Digest, Sha256};

use super::considered::Considered;
use super::snapshot::{HeadquartersItem, Place};

/// Contacts have no time: their window is all there is.
pub(super) fn windows() -> BTreeMap<ItemKind, Window> {
    BTreeMap::from([(ItemKind::Contact, Window { start: Instant(0), end: Instant::MAX })])
}

/// All links of contacts, with partners, sales representatives, and those that are linked and no longer among them.
pub(super) fn consider(store: &dyn OutlookStore, profile: ProfileId) -> apptsync_store::Result<Considered> {
    let (partners, employees) = store.address_book()?;
    let partners = partners.iter().map(|partner| (HeadquartersId::Partner(partner.id.clone()), of_partner(partner)));
    let employees = employees.iter().map(|found| (HeadquartersId::Employee(found.id.clone()), of_employee(found)));
    let mut considered = Considered::default();
    for (id, contact) in partners.chain(employees) {
        considered.take_new(item(id, contact, false));
    }
    for link in store.links(profile)?.into_iter().filter(|link| link.kind == ItemKind::Contact) {
        let known = link.headquarters.as_ref().filter(|id| considered.headquarters.contains_key(*id));
        let gone = link.headquarters.clone().filter(|_| known.is_none());
        considered.take(link, gone.map(|id| item(id, Contact::default(), true)), None);
    }
    Ok(considered)
}

/// As a mobile appointment, a contact is the headquarters' alone: what Outlook changes of it is put back.
fn item(id: HeadquartersId, contact: Contact, withdrawn: bool) -> HeadquartersItem {
    let content = Content::Contact(contact);
    let digest = Sha256::digest(serde_json::to_vec(&content).unwrap_or_default());
    let revision = digest.iter().take(7).fold(0, |number, byte| number << 8 | i64::from(*byte));
    HeadquartersItem {
        id,
        kind: ItemKind::Contact,
        origin: Origin::Mobile,
        revision,
        fields: projection(ItemKind::Contact, &content),
        content,
        place: Place::Window,
        withdrawn,
        moved: false,
        closed: false,
        delayed: false,
        start: Instant::MAX,
        end: Instant::MAX,
        changed_at: Instant(0),
    }
}

fn of_partner(partner: &Partner) -> Contact {
    Contact {
        name: partner.name.clone(),
        company: partner.name.clone(),
        email: partner.email.clone(),
        phone: partner.phone.clone(),
        street: partner.street.clone(),
        postcode: partner.postcode.clone(),
        city: partner.city.clone(),
        country: partner.country.clone(),
        note: String::new(),
    }
}

fn of_employee(employee: &Employee) -> Contact {
    Contact { name: employee.name.clone(), email: employee.email.clone(), ..Contact::default() }
}
