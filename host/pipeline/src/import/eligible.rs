//! Before any plugin is asked: what is settled already, what a rule keeps out, and what goes on (domain 5 and 7).

use std::collections::HashMap;

use apptsync_model::{
    ActivityStatus, Appointment, Channel, Customer, Facts, Instant, Outcome, Partner, SkipReason, first_import,
    local_period, new_version,
};
use apptsync_store::{Change, Hash, Known, RecordWrite};

use crate::scope::{Representative, Scope};
use crate::stages::hash;

/// An appointment on its way through the stages.
pub(crate) struct Case<'a> {
    /// As the source has it, or as an extension adjusted it.
    pub(crate) appointment: Appointment,
    pub(crate) known: Option<Known>,
    pub(crate) customer: Customer,
    /// Id of the partner in the headquarters.
    pub(crate) partner: String,
    pub(crate) representative: &'a Representative,
    pub(crate) local: (String, String),
    /// Hash of this version with all that goes into it.
    pub(crate) version: Hash,
    /// This version as JSON.
    pub(crate) record: String,
}

/// What can be said of an appointment before any plugin is asked.
pub(crate) enum Triage<'a> {
    /// It counts, and nothing is written.
    Settled(Outcome),
    /// It does not enter: it will be looked at together with what earlier runs did not import.
    Later,
    /// A rule keeps it out.
    Skipped(SkipReason, Box<RecordWrite>),
    /// The stages are asked.
    Case(Box<Case<'a>>),
}

/// What triage needs to know of a run.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) channel: &'a Channel,
    pub(crate) scope: &'a Scope,
    pub(crate) stage_set: i64,
    pub(crate) now: Instant,
    /// The appointment comes from the source, not from what earlier runs did not import, and those will be looked at.
    pub(crate) looks_again_later: bool,
}

impl<'a> Rules<'a> {
    pub(crate) fn facts(&self, appointment: &Appointment, customer_exists: bool) -> (Facts, &'a Representative) {
        let representative = self.scope.representative(&appointment.employee);
        let facts = Facts {
            in_scope: representative.in_scope,
            rep_eligible: representative.is_eligible,
            customer_exists,
            now: self.now,
            zone: representative.zone,
        };
        (facts, representative)
    }

    /// Looks at one appointment.
    pub(crate) fn triage(
        &self,
        appointment: Appointment,
        record: String,
        known: Option<Known>,
        partners: &HashMap<String, Partner>,
    ) -> Triage<'a> {
        let partner = partners.get(&appointment.customer).filter(|partner| !partner.deletion_mark);
        let (facts, representative) = self.facts(&appointment, partner.is_some());
        let version = version(&record, partner, representative);
        if let Some(known) = &known {
            if known.seen == version && known.pending && self.looks_again_later {
                return Triage::Later;
            }
            if let Some(outcome) = settled(known, &version, self.stage_set, &facts) {
                return Triage::Settled(outcome);
            }
        }
        let current = known.as_ref().and_then(|known| known.activity).map(|activity| activity.status);
        let verdict = may_import(&appointment, current, &facts);
        match (verdict, partner) {
            (Ok(()), Some(partner)) => {
                let customer = partner.as_customer(&self.channel.id, &appointment.customer);
                let local = local_period(&appointment.period, representative.zone);
                let partner = partner.id.clone();
                Triage::Case(Box::new(Case {
                    appointment,
                    known,
                    customer,
                    partner,
                    representative,
                    local,
                    version,
                    record,
                }))
            }
            (verdict, _) => {
                // The rules ask for the customer last; that it is missing is all that can be left.
                let reason = verdict.err().unwrap_or(SkipReason::CustomerMissing);
                self.skipped(&appointment, record, known.as_ref(), version, reason)
            }
        }
    }

    fn skipped(
        &self,
        appointment: &Appointment,
        record: String,
        known: Option<&Known>,
        version: Hash,
        reason: SkipReason,
    ) -> Triage<'a> {
        let outcome = Outcome::Skipped(reason);
        let is_same_version = known.is_some_and(|known| known.seen == version);
        let is_as_before = known.is_some_and(|known| known.outcome == outcome);
        // Whom a run covers says nothing about the appointment: another user's run must not overwrite what is known.
        if is_same_version && (is_as_before || reason == SkipReason::OutOfScope) {
            return Triage::Settled(outcome);
        }
        let write = RecordWrite {
            source_id: appointment.id.clone(),
            transfer: known.map(|known| known.transfer),
            activity: known.and_then(|known| known.activity).map(|activity| activity.id),
            seen: version,
            imported: known.and_then(|known| known.imported),
            outcome,
            pending: !outcome.is_settled(),
            detail: reason.label().to_owned(),
            changed_at: appointment.changed_at,
            record: (!is_same_version).then_some(record),
            change: Change::Nothing,
        };
        Triage::Skipped(reason, Box::new(write))
    }
}

/// The rules for an appointment without an activity, or for a new version of one that has one.
pub(crate) fn may_import(
    appointment: &Appointment,
    current: Option<ActivityStatus>,
    facts: &Facts,
) -> Result<(), SkipReason> {
    match current {
        None => first_import(appointment, facts),
        Some(status) => new_version(status, facts),
    }
}

/// What needs no look: this version is in the headquarters, made by the same stages, or its activity is frozen.
fn settled(known: &Known, version: &Hash, stage_set: i64, facts: &Facts) -> Option<Outcome> {
    let activity = known.activity?;
    let is_frozen = activity.status != ActivityStatus::Planned;
    if !known.pending
        && facts.in_scope
        && known.imported == Some(*version)
        && (is_frozen || known.stage_set == stage_set)
    {
        return Some(Outcome::Unchanged);
    }
    None
}

/// Hash of all that decides what becomes of a version: itself, the customer's name and address, the representative.
fn version(record: &str, partner: Option<&Partner>, representative: &Representative) -> Hash {
    let zone = representative.zone.name();
    match partner {
        None => hash(&[record.as_bytes()]),
        Some(partner) => {
            let texts = [
                record,
                &partner.id,
                &partner.name,
                &partner.street,
                &partner.postcode,
                &partner.city,
                &partner.country,
                &partner.email,
                &partner.phone,
                &representative.name,
                zone,
            ];
            let mut all = String::with_capacity(texts.iter().map(|text| text.len() + 1).sum());
            for text in texts {
                all.push_str(text);
                all.push('\u{1f}');
            }
            hash(&[all.as_bytes()])
        }
    }
}
