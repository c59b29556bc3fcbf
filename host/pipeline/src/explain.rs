//! Why an appointment is as it is, or is not there: what is stored of it, what each stage answers, and what comes next.

use apptsync_model::{
    APPOINTMENT_SYNCHRONIZE, Activity, ActivityStatus, Appointment, Customer, DefinitionSettings, Instant, Outcome,
    RecordError, Verdict,
};
use apptsync_runtime::{Answers, RunClock, Runtime};
use apptsync_store::{Job, Known, KnownActivity, QuarantinedRecord, Store, Transfer};
use serde_json::Value;

use crate::import::{Case, Rules, Triage, context, occasion, question, triage_alone};
use crate::scope::Scope;
use crate::stages::Staged;
use crate::{ImportError, StageSet, StageSpecs};

/// What one stage answers when it is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageAnswer {
    /// Its name.
    pub stage: String,
    /// The plugin as configured.
    pub plugin: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// What it answers, in words.
    pub answer: String,
    /// The same component answered when the appointment was last looked at.
    pub same_plugin_as_then: bool,
}

/// Why an appointment is as it is, or is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What is known of it.
    pub transfer: Transfer,
    /// Its activity.
    pub activity: Option<Activity>,
    /// The job that last looked at it.
    pub job: Option<Job>,
    /// The last version the source gave.
    pub source_record: Value,
    /// The rule that decided.
    pub rule: String,
    /// Stage, plugin and digest in force when it was last looked at.
    pub then: Vec<(String, String, String)>,
    /// What each stage answers when it is asked again, at the instant of that run.
    pub now: Vec<StageAnswer>,
    /// What the next run will do with it.
    pub next_run: String,
}

/// A record that a job quarantined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptApart {
    /// The job.
    pub job: Job,
    /// Where it stands, and why it was quarantined.
    pub record: QuarantinedRecord,
}

/// So many of the latest jobs are looked through for quarantined records.
const LATEST_JOBS: u64 = 1_000;

/// What the latest jobs quarantined of an id in the source, the newest first, each place once.
///
/// A line that cannot be read is no version of anything, but often says of which id it should have been.
///
/// # Errors
/// The database cannot be read.
pub fn kept_apart(store: &dyn Store, id: &str) -> Result<Vec<KeptApart>, ImportError> {
    let name = format!("record `{id}`");
    let mut found: Vec<KeptApart> = Vec::new();
    for job in store.jobs(LATEST_JOBS)?.into_iter().filter(|job| job.ledger.quarantined > 0) {
        let details = store.job(job.id)?;
        for record in details.into_iter().flat_map(|details| details.quarantined) {
            let is_of_it = record.place == name || record.reason.starts_with(&name);
            if is_of_it && found.iter().all(|newer| newer.record.place != record.place) {
                found.push(KeptApart { job: job.clone(), record });
            }
        }
    }
    Ok(found)
}

/// Explains everything that goes by an activity's id, an id in the source, or a number.
///
/// # Errors
/// The database cannot be read, or a plugin cannot be used.
pub fn explain(
    store: &dyn Store,
    runtime: &Runtime,
    specs: &StageSpecs,
    text: &str,
    now: Instant,
) -> Result<Vec<Explanation>, ImportError> {
    store.find_transfers(text)?.into_iter().map(|transfer| explain_one(store, runtime, specs, transfer, now)).collect()
}

fn explain_one(
    store: &dyn Store,
    runtime: &Runtime,
    specs: &StageSpecs,
    transfer: Transfer,
    now: Instant,
) -> Result<Explanation, ImportError> {
    let activity = match transfer.activity {
        Some(id) => store.activity(id)?,
        None => None,
    };
    let job = store.job(transfer.job)?.map(|details| details.job);
    let then = match store.stage_set_description(transfer.stage_set)? {
        Some(text) => in_force(&serde_json::from_str(&text)?),
        None => Vec::new(),
    };
    let source_record = readable(&transfer)?;
    let mut explanation = Explanation {
        rule: transfer.detail.clone(),
        transfer,
        activity,
        source_record,
        then,
        now: Vec::new(),
        next_run: String::new(),
        job,
    };
    if explanation.transfer.collection == "appointments" {
        ask_again(store, runtime, specs, &mut explanation, now)?;
    } else {
        let waits =
            if explanation.transfer.pending { "looks at it again" } else { "leaves it as it is until it changes" };
        explanation.next_run = format!("the next import of customers {waits}");
    }
    Ok(explanation)
}

/// The stored version with its instants readable.
fn readable(transfer: &Transfer) -> Result<Value, ImportError> {
    let mut record: Value = serde_json::from_str(&transfer.record)?;
    let instants: &[(&str, Option<Instant>)] = if transfer.collection == "appointments" {
        let appointment: Appointment = serde_json::from_str(&transfer.record)?;
        if let apptsync_model::Period::Timed { start, end } = appointment.period {
            record["period"] = serde_json::json!({ "timed": { "start": start.to_string(), "end": end.to_string() } });
        }
        &[("changed_at", Some(appointment.changed_at)), ("completed_on", appointment.completed_on)]
    } else {
        let customer: Customer = serde_json::from_str(&transfer.record)?;
        &[("changed_at", Some(customer.changed_at))]
    };
    for (name, instant) in instants {
        record[*name] = instant.map_or(Value::Null, |instant| Value::from(instant.to_string()));
    }
    Ok(record)
}

fn in_force(description: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let stages = description["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
    stages.iter().map(|stage| (text(&stage["stage"]), text(&stage["plugin"]), text(&stage["digest"]))).collect()
}

/// Takes the last version through triage and stages once more, writing nothing.
fn ask_again(
    store: &dyn Store,
    runtime: &Runtime,
    specs: &StageSpecs,
    explanation: &mut Explanation,
    now: Instant,
) -> Result<(), ImportError> {
    let Some(channel) = store.channel(&explanation.transfer.channel)? else {
        explanation.next_run = "its sales channel is gone: no run will look at it".into();
        return Ok(());
    };
    let appointment: Appointment = serde_json::from_str(&explanation.transfer.record)?;
    let user = explanation.job.as_ref().and_then(|job| job.settings.user.as_deref());
    let master = store.master_data()?;
    let user = user.filter(|user| master.employee.iter().any(|employee| employee.id == *user));
    let scope = Scope::new(&master, &channel, user)?;
    let definitions = store.definitions()?;
    let definition = definitions.into_iter().find(|definition| definition.settings.name == APPOINTMENT_SYNCHRONIZE);
    let rules = |now| Rules { channel: &channel, scope: &scope, stage_set: -1, now, looks_again_later: false };
    let then = explanation.job.as_ref().and_then(|job| job.begin).map_or(now, |begin| begin.as_of);
    if let Some(definition) = &definition {
        let stages = StageSet::load(runtime, specs, &RunClock::new(then))?;
        // Asked as of then, with no activity yet or the one that is still planned: what would decide anew.
        let planned = KnownActivity { id: 0, status: ActivityStatus::Planned, canceled: false };
        let planned = explanation.activity.as_ref().map(|_| planned);
        let is_first = explanation.transfer.outcome == Outcome::Created;
        let known = planned.filter(|_| !is_first).map(|activity| known(explanation, activity));
        match triage_alone(rules(then), appointment.clone(), known, store)? {
            Triage::Case(case) => {
                explanation.now = answers(&stages, &definition.settings, *case, then, &explanation.then)?
            }
            Triage::Skipped(..) | Triage::Settled(_) | Triage::Later => {}
        }
    }
    let activity = explanation.activity.as_ref().map(|activity| KnownActivity {
        id: activity.id,
        status: activity.status,
        canceled: activity.canceled,
    });
    let known = activity.map(|activity| known(explanation, activity));
    explanation.next_run = if definition.is_none_or(|definition| !definition.active) {
        format!("the next run imports nothing: activity definition {APPOINTMENT_SYNCHRONIZE} is not active")
    } else if !explanation.transfer.pending {
        "the next run leaves it as it is, until the source has a newer version".into()
    } else {
        match triage_alone(rules(now), appointment, known, store)? {
            Triage::Case(_) => "the next run asks the stages about it again".into(),
            Triage::Skipped(reason, _) => format!("the next run skips it: {}", reason.label()),
            Triage::Settled(outcome) => format!("the next run counts it as {}", outcome.name()),
            Triage::Later => "the next run looks at it again".into(),
        }
    };
    Ok(())
}

fn known(explanation: &Explanation, activity: KnownActivity) -> Known {
    Known {
        transfer: 0,
        seen: [0; 16],
        imported: None,
        stage_set: explanation.transfer.stage_set,
        outcome: explanation.transfer.outcome,
        detail: explanation.transfer.detail.clone(),
        pending: explanation.transfer.pending,
        job: explanation.transfer.job,
        activity: Some(activity),
    }
}

/// The one answer to a question about one record, or why there is none.
fn alone<T>(answers: Answers<T>) -> Result<T, String> {
    let gives_none = |RecordError { code, message }| format!("gives no usable answer: {message} ({code})");
    let answers = answers.map_err(|failure| failure.to_string())?;
    answers.into_iter().next().map_or_else(|| Err("gives no answer".into()), |answer| answer.map_err(gives_none))
}

fn answers(
    stages: &StageSet,
    settings: &DefinitionSettings,
    mut case: Case<'_>,
    now: Instant,
    then: &[(String, String, String)],
) -> Result<Vec<StageAnswer>, ImportError> {
    let mut given = Vec::new();
    for stage in &stages.extensions {
        let verdict = alone(stage.stage.apply(&[context(&case)]));
        let (words, ends) = match &verdict {
            Ok(Verdict::Unchanged) => ("leaves it as it is".to_owned(), false),
            Ok(Verdict::Changed(_)) => ("changes it".to_owned(), false),
            Ok(Verdict::Veto(reason)) => (format!("vetoes it: {reason}"), true),
            Err(reason) => (reason.clone(), true),
        };
        given.push(answer(stage, words, then));
        if ends {
            return Ok(given);
        }
        if let Ok(Verdict::Changed(changed)) = verdict {
            case.appointment = *changed;
        }
    }
    let decision = match alone(stages.status.stage.decide(now, &[question(&case)])) {
        Ok(decision) => decision,
        Err(reason) => {
            given.push(answer(&stages.status, reason, then));
            return Ok(given);
        }
    };
    let note = decision.note.as_ref().map_or(String::new(), |note| format!("; note: {note}"));
    given.push(answer(&stages.status, format!("{} ({}){note}", decision.status, decision.rule), then));
    // Where a new version makes an activity Delayed, its status alone changes: the definition is not asked.
    let has_activity = case.known.as_ref().is_some_and(|known| known.activity.is_some());
    if has_activity && decision.status == ActivityStatus::Delayed {
        return Ok(given);
    }
    let words = match alone(stages.definition.stage.render(settings, &[occasion(&case, &decision)])) {
        Ok(draft) => format!("subject “{}”, kind {}, priority {}", draft.subject, draft.kind, draft.priority),
        Err(reason) => reason,
    };
    given.push(answer(&stages.definition, words, then));
    Ok(given)
}

fn answer<T: ?Sized>(stage: &Staged<T>, words: String, then: &[(String, String, String)]) -> StageAnswer {
    let same = then.iter().any(|(name, _, digest)| *name == stage.name && digest == stage.digest());
    StageAnswer {
        stage: stage.name.clone(),
        plugin: stage.plugin_name().to_owned(),
        digest: stage.digest().to_owned(),
        answer: words,
        same_plugin_as_then: same,
    }
}
