//! What becomes of a page of customers: partners and their connection with the sales channel (domain 4).

use apptsync_model::{ChangedSince, Customer, Outcome, Partner, SkipReason, SourceItem};
use apptsync_store::{Change, Known, RecordWrite, Store, TransferKey};

use super::page::{Input, Output, Work, split_repeated};
use crate::ImportError;
use crate::stages::hash;

/// Import of customers.
pub(super) struct CustomerWork<'a> {
    pub(super) channel: &'a str,
    pub(super) changed_since: ChangedSince,
    pub(super) deactivate_deleted: bool,
}

impl Work for CustomerWork<'_> {
    fn answer(&self, input: Input, connection: &dyn Store) -> Result<Output, ImportError> {
        let mut output = Output::default();
        let is_source = matches!(input, Input::Source { .. });
        let candidates = match input {
            Input::Source { items, next, notices } => {
                output.next = Some(next);
                output.notices = notices;
                self.from_source(items, connection, &mut output)?
            }
            Input::Pending(pending) => pending
                .into_iter()
                .map(|pending| Ok((serde_json::from_str(&pending.record)?, pending.record, Some(pending.known))))
                .collect::<Result<Vec<_>, ImportError>>()?,
        };
        let ids: Vec<&str> = candidates.iter().map(|(customer, ..)| customer.id.as_str()).collect();
        let connected = connection.connected_partners(self.channel, &ids)?;
        for (customer, record, known) in candidates {
            let version = hash(&[&record]);
            let is_same_version = known.as_ref().is_some_and(|known| known.seen == version);
            let waits = known.as_ref().is_some_and(|known| known.pending);
            if is_same_version && waits && is_source && self.changed_since == ChangedSince::LastTransfer {
                continue;
            }
            output.entered += 1;
            let (outcome, change) = self.decide(&customer, connected.get(&customer.id), connection)?;
            let is_imported = known.as_ref().is_some_and(|known| known.imported == Some(version));
            let is_as_before = is_same_version && known.as_ref().is_some_and(|known| known.outcome == outcome);
            if matches!(change, Change::PutPartner(_)) && is_imported {
                output.settled.push(Outcome::Unchanged);
                continue;
            }
            if matches!(change, Change::Nothing) && is_as_before {
                output.settled.push(outcome);
                continue;
            }
            let imported = match change {
                Change::PutPartner(_) => Some(version),
                _ => known.as_ref().and_then(|known| known.imported),
            };
            output.records.push(RecordWrite {
                source_id: customer.id,
                transfer: known.map(|known| known.transfer),
                activity: None,
                seen: version,
                imported,
                outcome,
                pending: !outcome.is_settled(),
                detail: match outcome {
                    Outcome::Skipped(reason) => reason.label().to_owned(),
                    _ => "taken over as a partner".to_owned(),
                },
                changed_at: customer.changed_at,
                record: (!is_same_version).then_some(record),
                change,
            });
        }
        Ok(output)
    }
}

/// A customer, its JSON, and what is known of it.
type Candidate = (Customer, String, Option<Known>);

impl CustomerWork<'_> {
    fn from_source(
        &self,
        items: Vec<SourceItem>,
        connection: &dyn Store,
        output: &mut Output,
    ) -> Result<Vec<Candidate>, ImportError> {
        output.source_items += items.len() as u64;
        let mut customers = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SourceItem::Customer(customer) => customers.push(*customer),
                SourceItem::Broken { place, reason } => output.quarantine_source(place, reason),
                SourceItem::Appointment(appointment) => {
                    let reason = "the source gave an appointment where a customer was asked for".to_owned();
                    output.quarantine_source(format!("record `{}`", appointment.id), reason);
                }
            }
        }
        if let ChangedSince::Manual(since) = self.changed_since {
            customers.retain(|customer| customer.changed_at >= since);
        }
        let (customers, repeated) = split_repeated(customers, |customer| &customer.id);
        for customer in repeated {
            let reason = "the source gave it more than once in a page; the last one counts".to_owned();
            output.quarantine_source(format!("record `{}`", customer.id), reason);
        }
        let ids: Vec<&str> = customers.iter().map(|customer| customer.id.as_str()).collect();
        let known = connection.known(&TransferKey { channel: self.channel, collection: "customers" }, &ids)?;
        customers
            .into_iter()
            .zip(known)
            .map(|(customer, known)| {
                let record = serde_json::to_string(&customer)?;
                Ok((customer, record, known))
            })
            .collect()
    }

    /// A customer becomes, or updates, the partner it is connected with; one that has the customer's id is connected.
    fn decide(
        &self,
        customer: &Customer,
        connected: Option<&Partner>,
        connection: &dyn Store,
    ) -> Result<(Outcome, Change), ImportError> {
        if customer.deleted {
            return Ok(match connected {
                Some(partner) if self.deactivate_deleted => {
                    let partner = Partner { deletion_mark: true, ..partner.clone() };
                    (Outcome::Updated, Change::PutPartner(Box::new(partner)))
                }
                _ => (Outcome::Skipped(SkipReason::Deleted), Change::Nothing),
            });
        }
        let existing = match connected {
            Some(partner) => Some(partner.clone()),
            None => connection.partner(&customer.id)?,
        };
        Ok(match existing {
            None => {
                let partner = Partner::from_customer(customer.id.clone(), customer);
                (Outcome::Created, Change::PutPartner(Box::new(partner)))
            }
            Some(existing) => {
                let Partner { id, blocked, deletion_mark, .. } = existing;
                let partner = Partner { blocked, deletion_mark, ..Partner::from_customer(id, customer) };
                (Outcome::Updated, Change::PutPartner(Box::new(partner)))
            }
        })
    }
}
