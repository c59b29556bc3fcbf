//! What becomes of a page of customers: partners and their connection with the sales channel (domain 4).

use apptsync_model::{ChangedSince, Customer, Outcome, Partner, SkipReason};
use apptsync_store::{Change, RecordWrite, Store};

use super::page::{Candidate, Input, Output, Work, candidates};
use crate::ImportError;
use crate::stages::hash;

/// What is kept of a customer whose partner a run marked for deletion.
const MARKED: &str = "deleted in Mobile; its partner was marked for deletion";

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
        let candidates = candidates::<Customer>(input, self.channel, self.changed_since, connection, &mut output)?;
        let ids: Vec<&str> = candidates.iter().map(|candidate| candidate.object.id.as_str()).collect();
        let connected = connection.connected_partners(self.channel, &ids)?;
        for Candidate { object: customer, record, known } in candidates {
            let version = hash(&[&record]);
            let is_same_version = known.as_ref().is_some_and(|known| known.seen == version);
            let waits = known.as_ref().is_some_and(|known| known.pending);
            if is_same_version && waits && is_source && self.changed_since == ChangedSince::LastTransfer {
                continue;
            }
            output.entered += 1;
            let was_marked = known.as_ref().is_some_and(|known| known.detail == MARKED);
            let (outcome, change) = self.decide(&customer, was_marked, connected.get(&customer.id), connection)?;
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
                    _ if customer.deleted => MARKED.to_owned(),
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

impl CustomerWork<'_> {
    /// A customer becomes, or updates, the partner it is connected with; one that has the customer's id is connected.
    fn decide(
        &self,
        customer: &Customer,
        was_marked: bool,
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
                // The mark of an earlier run goes with the deletion; one set by hand stays.
                let deletion_mark = deletion_mark && !was_marked;
                let partner = Partner { blocked, deletion_mark, ..Partner::from_customer(id, customer) };
                (Outcome::Updated, Change::PutPartner(Box::new(partner)))
            }
        })
    }
}
