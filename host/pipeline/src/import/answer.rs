//! What becomes of a page of appointments: triage, extensions, status mapping, definition, and the host's own rules over
//! all they say.

use apptsync_model::{
    ActivityStatus, Appointment, AppointmentContext, ChangedSince, Channel, Decision, DefinitionSettings, Draft,
    Instant, Message, Occasion, Outcome, Question, RecordError, Severity, SkipReason, Verdict,
};
use apptsync_store::{ActivityFields, Change, Known, KnownActivity, QuarantinedRecord, RecordWrite, Store};

use super::eligible::{Case, Customers, Rules, Triage, may_import};
use super::page::{Candidate, Input, Output, Work, candidates};
use crate::scope::Scope;
use crate::stages::Staged;
use crate::{ImportError, StageSet};

/// Import of activities.
pub(super) struct AppointmentWork<'a> {
    pub(super) channel: &'a Channel,
    pub(super) scope: &'a Scope,
    pub(super) stages: &'a StageSet,
    pub(super) settings: &'a DefinitionSettings,
    pub(super) stage_set: i64,
    pub(super) customers: Customers,
    pub(super) changed_since: ChangedSince,
    pub(super) now: Instant,
}

impl Work for AppointmentWork<'_> {
    fn answer(&self, input: Input, connection: &dyn Store) -> Result<Output, ImportError> {
        let mut output = Output::default();
        let is_source = matches!(input, Input::Source { .. });
        let candidates = candidates(input, &self.channel.id, self.changed_since, connection, &mut output)?;
        let cases = self.triage(candidates, is_source, connection, &mut output)?;
        let cases = self.extend(cases, &mut output)?;
        let decided = self.decide(cases, &mut output)?;
        self.render(decided, &mut output)?;
        Ok(output)
    }
}

impl AppointmentWork<'_> {
    fn rules(&self, looks_again_later: bool) -> Rules<'_> {
        let Self { channel, scope, stage_set, now, .. } = *self;
        Rules { channel, scope, stage_set, now, looks_again_later }
    }

    fn triage(
        &self,
        candidates: Vec<Candidate<Appointment>>,
        is_source: bool,
        connection: &dyn Store,
        output: &mut Output,
    ) -> Result<Vec<Case<'_>>, ImportError> {
        let external_ids = candidates.iter().map(|candidate| candidate.object.customer.as_str());
        let customers = self.customers.of_page(&self.channel.id, external_ids, connection)?;
        let rules = self.rules(is_source && self.changed_since == ChangedSince::LastTransfer);
        let mut cases = Vec::with_capacity(candidates.len());
        for Candidate { object, record, known } in candidates {
            let employee = object.employee.clone();
            let triage = rules.triage(object, record, known, &customers);
            if !matches!(triage, Triage::Later) {
                output.entered += 1;
            }
            let skipped = match triage {
                Triage::Later => None,
                Triage::Settled(outcome) => {
                    output.settled.push(outcome);
                    match outcome {
                        Outcome::Skipped(reason) => Some(reason),
                        _ => None,
                    }
                }
                Triage::Skipped(reason, write) => {
                    output.records.push(*write);
                    Some(reason)
                }
                Triage::Case(case) => {
                    cases.push(*case);
                    None
                }
            };
            if skipped == Some(SkipReason::RepNotEligible) {
                output.not_eligible.push(employee);
            }
        }
        Ok(cases)
    }

    /// The customer's extensions, in the order configured: each sees what the one before made of an appointment.
    fn extend<'a>(&self, mut cases: Vec<Case<'a>>, output: &mut Output) -> Result<Vec<Case<'a>>, ImportError> {
        for stage in &self.stages.extensions {
            let verdicts = {
                let contexts: Vec<_> = cases.iter().map(context).collect();
                stage.watch.ask(&contexts, &|batch| stage.stage.apply(batch))?
            };
            let before = cases.len() as u64;
            let (mut vetoed, mut refused) = (0, 0);
            let mut kept = Vec::with_capacity(cases.len());
            for (mut case, verdict) in cases.into_iter().zip(verdicts) {
                match verdict {
                    Ok(Verdict::Unchanged) => kept.push(case),
                    Ok(Verdict::Changed(changed)) => {
                        self.adjust(&mut case, *changed, stage.plugin_name(), output);
                        kept.push(case);
                    }
                    Ok(Verdict::Veto(reason)) => {
                        vetoed += 1;
                        let detail = format!("{} vetoed: {reason}", stage.plugin_name());
                        skip(case, SkipReason::Vetoed, detail, output);
                    }
                    Err(error) => {
                        refused += 1;
                        quarantine(case, stage, &error, output);
                    }
                }
            }
            stage.watch.count(before - vetoed - refused, vetoed, refused);
            cases = kept;
        }
        if self.stages.extensions.is_empty() {
            return Ok(cases);
        }
        // What an extension changed must still be what may be imported.
        let mut kept = Vec::with_capacity(cases.len());
        for case in cases {
            let (facts, _) = self.rules(false).facts(&case.appointment, true);
            match may_import(&case.appointment, activity(&case), &facts) {
                Ok(()) => kept.push(case),
                Err(reason) => skip(case, reason, format!("{}, after the extensions", reason.label()), output),
            }
        }
        Ok(kept)
    }

    /// Takes over what an extension made of an appointment, but never another identity.
    fn adjust(&self, case: &mut Case<'_>, mut changed: Appointment, plugin: &str, output: &mut Output) {
        let original = &case.appointment;
        let is_same = changed.id == original.id
            && changed.channel == original.channel
            && changed.customer == original.customer
            && changed.employee == original.employee
            && changed.changed_at == original.changed_at;
        if !is_same {
            let text = format!(
                "plugin `{plugin}` tried to change the identity of appointment `{}`; id, channel, customer, employee and changed-at were put back",
                original.id
            );
            output.lines.push(Message { severity: Severity::Warning, text });
            changed.id.clone_from(&original.id);
            changed.channel.clone_from(&original.channel);
            changed.customer.clone_from(&original.customer);
            changed.employee.clone_from(&original.employee);
            changed.changed_at = original.changed_at;
        }
        case.local = apptsync_model::local_period(&changed.period, case.representative.zone);
        case.appointment = changed;
    }

    /// The status mapping. Where the answer for a new version is Delayed, the status alone changes (domain 7).
    fn decide<'a>(&self, cases: Vec<Case<'a>>, output: &mut Output) -> Result<Vec<(Case<'a>, Decision)>, ImportError> {
        let stage = &self.stages.status;
        let answers = {
            let questions: Vec<_> = cases.iter().map(question).collect();
            stage.watch.ask(&questions, &|batch| stage.stage.decide(self.now, batch))?
        };
        let (mut stopped, mut refused) = (0, 0);
        let mut decided = Vec::with_capacity(cases.len());
        for (case, answer) in cases.into_iter().zip(answers) {
            match answer {
                Err(error) => {
                    refused += 1;
                    quarantine(case, stage, &error, output);
                }
                Ok(decision) => match (current(&case), activity_id(&case)) {
                    (Some(status), _) if !status.may_become(decision.status) => {
                        refused += 1;
                        let text = format!(
                            "plugin `{}` wanted to make {} of the {status} activity of appointment `{}`: a status goes one way only",
                            stage.plugin_name(),
                            decision.status,
                            case.appointment.id
                        );
                        fail(case, text, output);
                    }
                    (Some(_), Some(id)) if decision.status == ActivityStatus::Delayed => {
                        stopped += 1;
                        let imported = case.known.as_ref().and_then(|known| known.imported);
                        let change = Change::SetStatus(id, ActivityStatus::Delayed);
                        output.records.push(write(case, Outcome::Updated, imported, decision.rule, change));
                    }
                    _ => decided.push((case, decision)),
                },
            }
        }
        stage.watch.count(decided.len() as u64, stopped, refused);
        Ok(decided)
    }

    /// The definition.
    fn render(&self, decided: Vec<(Case<'_>, Decision)>, output: &mut Output) -> Result<(), ImportError> {
        let stage = &self.stages.definition;
        let answers = {
            let occasions: Vec<_> = decided.iter().map(|(case, decision)| occasion(case, decision)).collect();
            stage.watch.ask(&occasions, &|batch| stage.stage.render(self.settings, batch))?
        };
        let total = decided.len() as u64;
        let mut refused = 0;
        for ((case, decision), answer) in decided.into_iter().zip(answers) {
            match answer {
                Err(error) => {
                    refused += 1;
                    quarantine(case, stage, &error, output);
                }
                Ok(draft) => {
                    let fields = Box::new(fields(&case, decision.status, draft));
                    let version = Some(case.version);
                    let (outcome, change) = match activity_id(&case) {
                        None => (Outcome::Created, Change::CreateActivity(fields)),
                        Some(id) => (Outcome::Updated, Change::UpdateActivity(id, fields)),
                    };
                    output.records.push(write(case, outcome, version, decision.rule, change));
                }
            }
        }
        stage.watch.count(total - refused, 0, refused);
        Ok(())
    }
}

pub(crate) fn context<'a>(case: &'a Case<'_>) -> AppointmentContext<'a> {
    AppointmentContext {
        appointment: &case.appointment,
        customer: &case.connected.customer,
        employee_name: &case.representative.name,
        zone: case.representative.zone.name(),
        local_start: &case.local.0,
        local_end: &case.local.1,
    }
}

pub(crate) fn question<'a>(case: &'a Case<'_>) -> Question<'a> {
    let (start, end) = case.appointment.period.instants(case.representative.zone);
    Question { appointment: &case.appointment, start, end, current: current(case) }
}

pub(crate) fn occasion<'a>(case: &'a Case<'_>, decision: &'a Decision) -> Occasion<'a> {
    Occasion { context: context(case), status: decision.status, note: decision.note.as_deref() }
}

fn activity(case: &Case<'_>) -> Option<KnownActivity> {
    case.known.as_ref().and_then(|known| known.activity)
}

fn current(case: &Case<'_>) -> Option<ActivityStatus> {
    activity(case).map(|activity| activity.status)
}

fn activity_id(case: &Case<'_>) -> Option<i64> {
    activity(case).map(|activity| activity.id)
}

fn fields(case: &Case<'_>, status: ActivityStatus, draft: Draft) -> ActivityFields {
    let appointment = &case.appointment;
    let (start, end) = draft.period.instants(case.representative.zone);
    let is_completed = status == ActivityStatus::Completed;
    ActivityFields {
        number: appointment.number.clone(),
        subject: draft.subject,
        description: draft.description,
        kind: draft.kind,
        priority: draft.priority,
        status,
        period: draft.period,
        start,
        end,
        completed_on: is_completed.then(|| appointment.completed_on.unwrap_or(appointment.changed_at)),
        completed_by: appointment.completed_by.clone().filter(|_| is_completed),
        partner: case.connected.partner.clone(),
        employee: appointment.employee.clone(),
        attributes: draft.attributes,
    }
}

/// What is written of a case.
fn write(case: Case<'_>, outcome: Outcome, imported: Option<[u8; 16]>, detail: String, change: Change) -> RecordWrite {
    let is_same_version = case.known.as_ref().is_some_and(|known| known.seen == case.version);
    RecordWrite {
        activity: activity_id(&case),
        source_id: case.appointment.id,
        transfer: case.known.as_ref().map(|known| known.transfer),
        seen: case.version,
        imported,
        outcome,
        pending: !outcome.is_settled(),
        detail,
        changed_at: case.appointment.changed_at,
        record: (!is_same_version).then_some(case.record),
        change,
    }
}

/// Keeps a case out of the headquarters; what is known already as it is, is not written again.
fn keep_out(case: Case<'_>, outcome: Outcome, detail: String, output: &mut Output) {
    let is_as_before = case
        .known
        .as_ref()
        .is_some_and(|known| known.seen == case.version && known.outcome == outcome && known.detail == detail);
    if is_as_before {
        output.settled.push(outcome);
        return;
    }
    let imported = case.known.as_ref().and_then(|known| known.imported);
    output.records.push(write(case, outcome, imported, detail, Change::Nothing));
}

fn skip(case: Case<'_>, reason: SkipReason, detail: String, output: &mut Output) {
    keep_out(case, Outcome::Skipped(reason), detail, output);
}

fn fail(case: Case<'_>, text: String, output: &mut Output) {
    output.lines.push(Message { severity: Severity::Error, text: text.clone() });
    keep_out(case, Outcome::Failed, text, output);
}

fn quarantine<T: ?Sized>(case: Case<'_>, stage: &Staged<T>, error: &RecordError, output: &mut Output) {
    let id = &case.appointment.id;
    let reason = if error.code == "plugin-failure" {
        error.message.clone()
    } else {
        format!(
            "plugin `{}` (stage {}) gives no usable answer: {} ({})",
            stage.plugin_name(),
            stage.name,
            error.message,
            error.code
        )
    };
    let place = format!("record `{id}`");
    output.lines.push(Message { severity: Severity::Warning, text: format!("{place}: {reason}; it is quarantined") });
    output.quarantined.push(QuarantinedRecord { place, reason: reason.clone() });
    keep_out(case, Outcome::Quarantined, reason, output);
}

/// A case for `explain`: an appointment as triage sees it, with no run around it.
pub(crate) fn triage_alone<'a>(
    rules: Rules<'a>,
    appointment: Appointment,
    known: Option<Known>,
    connection: &dyn Store,
) -> Result<Triage<'a>, ImportError> {
    let external_id = std::iter::once(appointment.customer.as_str());
    let customers = Customers::default().of_page(&rules.channel.id, external_id, connection)?;
    let record = serde_json::to_string(&appointment)?;
    Ok(rules.triage(appointment, record, known, &customers))
}
