//! Before any plugin is asked: what is settled already, what a rule keeps out, and what goes on (domain 5 and 7).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use apptsync_model::{
    ActivityStatus, Appointment, Channel, Customer, Facts, Instant, Outcome, Partner, SkipReason, first_import,
    local_period, new_version,
};
use apptsync_store::{Change, Hash, Known, KnownActivity, RecordWrite, Store};

use crate::ImportError;
use crate::scope::{Representative, Scope};
use crate::stages::hash;

/// An appointment on its way through the stages.
pub(crate) struct Case<'a> {
    /// As the source has it, or as an extension adjusted it.
    pub(crate) appointment: Appointment,
    pub(crate) known: Option<Known>,
    pub(crate) connected: Arc<Connected>,
    pub(crate) representative: &'a Representative,
    pub(crate) local: (String, String),
    /// Hash of this version with all that goes into it.
    pub(crate) version: Hash,
    /// This version as JSON.
    pub(crate) record: String,
}

/// A customer of the sales channel that the headquarters has as a partner.
pub(crate) struct Connected {
    /// Id of the partner.
    pub(crate) partner: String,
    /// The partner as stages see it.
    pub(crate) customer: Customer,
    /// All of it that goes into an activity, for the hash of a version.
    text: String,
}

impl Connected {
    fn new(channel: &str, external_id: &str, partner: &Partner) -> Self {
        let parts = [
            &partner.id,
            &partner.name,
            &partner.street,
            &partner.postcode,
            &partner.city,
            &partner.country,
            &partner.email,
            &partner.phone,
        ];
        let text = parts.map(String::as_str).join("\u{1f}");
        Self { partner: partner.id.clone(), customer: partner.as_customer(channel, external_id), text }
    }
}

/// The connected customers of a channel, each looked up once a run.
#[derive(Default)]
pub(crate) struct Customers {
    found: RwLock<HashMap<String, Option<Arc<Connected>>>>,
}

/// Customers kept in memory; with more they are looked up again.
const KEPT_CUSTOMERS: usize = 20_000;

impl Customers {
    /// The customers of a page; those that the headquarters lacks, or marked for deletion, are not among them.
    pub(crate) fn of_page<'b>(
        &self,
        channel: &str,
        external_ids: impl Iterator<Item = &'b str>,
        connection: &dyn Store,
    ) -> Result<HashMap<String, Arc<Connected>>, ImportError> {
        let mut page: HashMap<String, Arc<Connected>> = HashMap::new();
        let mut unknown: Vec<&str> = Vec::new();
        {
            let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
            for id in external_ids {
                match found.get(id) {
                    Some(Some(_)) if page.contains_key(id) => {}
                    Some(Some(connected)) => drop(page.insert(id.to_owned(), connected.clone())),
                    Some(None) => {}
                    None => unknown.push(id),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(page);
        }
        unknown.sort_unstable();
        unknown.dedup();
        let partners = connection.connected_partners(channel, &unknown)?;
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if found.len() + unknown.len() > KEPT_CUSTOMERS {
            found.clear();
        }
        for id in unknown {
            let partner = partners.get(id).filter(|partner| !partner.deletion_mark);
            let connected = partner.map(|partner| Arc::new(Connected::new(channel, id, partner)));
            if let Some(connected) = &connected {
                page.insert(id.to_owned(), connected.clone());
            }
            found.insert(id.to_owned(), connected);
        }
        Ok(page)
    }
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
        customers: &HashMap<String, Arc<Connected>>,
    ) -> Triage<'a> {
        let connected = customers.get(&appointment.customer);
        let (facts, representative) = self.facts(&appointment, connected.is_some());
        let version = version(&record, connected, representative);
        if let Some(known) = &known {
            if known.seen == version && known.pending && self.looks_again_later {
                return Triage::Later;
            }
            if let Some(outcome) = settled(known, &version, self.stage_set, &facts) {
                return Triage::Settled(outcome);
            }
        }
        let current = known.as_ref().and_then(|known| known.activity);
        let verdict = may_import(&appointment, current, &facts);
        match (verdict, connected) {
            (Ok(()), Some(connected)) => {
                let local = local_period(&appointment.period, representative.zone);
                let connected = connected.clone();
                Triage::Case(Box::new(Case { appointment, known, connected, representative, local, version, record }))
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
        let is_silent = reason == SkipReason::OutOfScope
            // The version that delayed or closed its activity is done with: what it did is what `explain` should say.
            || (outcome.is_settled() && known.is_some_and(|known| !known.pending));
        if is_same_version && (is_as_before || is_silent) {
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
    current: Option<KnownActivity>,
    facts: &Facts,
) -> Result<(), SkipReason> {
    match current {
        None => first_import(appointment, facts),
        Some(activity) => new_version(activity.status, activity.canceled, facts),
    }
}

/// What needs no look: this version is in the headquarters, made by the same stages, or its activity is frozen.
fn settled(known: &Known, version: &Hash, stage_set: i64, facts: &Facts) -> Option<Outcome> {
    let activity = known.activity?;
    let is_frozen = activity.canceled || activity.status != ActivityStatus::Planned;
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
fn version(record: &str, connected: Option<&Arc<Connected>>, representative: &Representative) -> Hash {
    match connected {
        None => hash(&[record]),
        Some(connected) => hash(&[record, &connected.text, &representative.name, representative.zone.name()]),
    }
}
