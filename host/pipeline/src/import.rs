//! The import: from a source to the headquarters, every stage a plugin.

mod answer;
mod customers;
mod eligible;
mod flow;
mod page;
mod protocol;

use std::sync::atomic::{AtomicBool, Ordering};

use apptsync_model::{
    APPOINTMENT_SYNCHRONIZE, Application, ChangedSince, Channel, Instant, JobState, Ledger, Severity,
};
use apptsync_runtime::{Collection, Plugin, RunClock, Runtime, Source};
use apptsync_store::{JobBegin, Store};

pub(crate) use self::answer::{context, occasion, question, triage_alone};
pub(crate) use self::eligible::{Case, Rules, Triage};

use self::answer::AppointmentWork;
use self::customers::CustomerWork;
use self::eligible::Customers;
use self::flow::{Flow, Origin};
use self::protocol::Protocol;
use crate::scope::Scope;
use crate::stages::use_of;
use crate::{Control, ImportError, ImportRequest, JobReport, StageSet, StageSpecs};

/// Activities set to Delayed in one transaction.
const DELAY_AT_ONCE: usize = 1_000;

/// Runs a batch application with the plugins configured. The caller holds the run lock of the store.
///
/// # Errors
/// The arguments do not fit, or a plugin cannot be used: nothing was begun. What goes wrong later is in the report.
pub fn import(
    store: &dyn Store,
    runtime: &Runtime,
    specs: &StageSpecs,
    request: &ImportRequest,
    control: &Control<'_>,
) -> Result<JobReport, ImportError> {
    let clock = RunClock::new(request.as_of);
    let source = Source::new(Plugin::load(runtime, &specs.source, clock.clone())?)?;
    let stages = StageSet::load(runtime, specs, &clock)?;
    import_with(store, &source, &stages, request, control)
}

/// Runs a batch application with stages at hand. The caller holds the run lock of the store.
///
/// # Errors
/// As [`import`].
pub fn import_with(
    store: &dyn Store,
    source: &Source,
    stages: &StageSet,
    request: &ImportRequest,
    control: &Control<'_>,
) -> Result<JobReport, ImportError> {
    let settings = &request.settings;
    let channel = store.channel(&settings.channel)?.ok_or_else(|| {
        let channel = &settings.channel;
        ImportError::Usage(format!("sales channel `{channel}` is not there: `apptsync channels list` shows which are"))
    })?;
    let scope = Scope::new(&store.master_data()?, &channel, settings.user.as_deref())?;
    let started = Instant::from(chrono::Utc::now());
    let interrupted = store.fail_interrupted_jobs(started)?;
    let begin = JobBegin { as_of: request.as_of, started };
    let job = match request.scheduled {
        None => store.begin_job(settings, begin)?,
        Some(scheduled) if store.begin_scheduled_job(scheduled, begin)? => scheduled,
        Some(scheduled) => {
            return Err(ImportError::Usage(format!(
                "job {scheduled} is not scheduled: `apptsync jobs show {scheduled}`"
            )));
        }
    };
    tracing::info!(run = job, application = settings.application.name(), channel = settings.channel, "run begins");
    let mut run = Run {
        store,
        source,
        stages,
        request,
        control,
        canceled: &AtomicBool::new(false),
        channel: &channel,
        scope: &scope,
        job,
        protocol: Protocol::default(),
        parts: Vec::new(),
    };
    for interrupted in interrupted {
        run.protocol
            .say(Severity::Info, format!("job {interrupted} was interrupted; this run goes on where it stopped"));
    }
    let ended = run.applications();
    run.finish(ended)
}

/// A batch job under way.
struct Run<'a> {
    store: &'a dyn Store,
    source: &'a Source,
    stages: &'a StageSet,
    request: &'a ImportRequest,
    control: &'a Control<'a>,
    /// The job was canceled in the store.
    canceled: &'a AtomicBool,
    channel: &'a Channel,
    scope: &'a Scope,
    job: i64,
    protocol: Protocol,
    parts: Vec<(Application, Ledger)>,
}

impl<'a> Run<'a> {
    /// Runs what was asked for; false when the run is refused by the headquarters' data.
    fn applications(&mut self) -> Result<bool, ImportError> {
        if !self.may_run() {
            return Ok(false);
        }
        match self.request.settings.application {
            Application::ImportCustomers => self.customers().map(|()| true),
            Application::ImportActivities => self.activities(),
            Application::ImportData => {
                self.customers()?;
                let left_out =
                    "Import sales orders and BUS Import attachments are not part of this system; they were left out";
                self.protocol.say(Severity::Info, left_out.into());
                if self.is_canceled() { Ok(true) } else { self.activities() }
            }
        }
    }

    /// The channel is active, and the running user has Sales representative (domain 5).
    fn may_run(&mut self) -> bool {
        if !self.channel.active {
            let text = format!(
                "sales channel {} is not active, nothing is imported: `apptsync channels set {} --active true`",
                self.channel.id, self.channel.id
            );
            self.protocol.say(Severity::Error, text);
            return false;
        }
        match &self.request.settings.user {
            Some(user) if !self.scope.representative(user).is_eligible => {
                let text = format!(
                    "user {user} is no active user with Sales representative, the run is refused: `apptsync employees set {user} --user true --sales-representative true`"
                );
                self.protocol.say(Severity::Error, text);
                false
            }
            Some(_) => true,
            None => {
                self.protocol
                    .say(Severity::Info, "no running user: the appointments of every employee are covered".into());
                true
            }
        }
    }

    fn customers(&mut self) -> Result<(), ImportError> {
        let work = CustomerWork {
            channel: &self.channel.id,
            changed_since: self.request.settings.changed_since,
            deactivate_deleted: self.request.settings.deactivate_deleted,
        };
        let ledger =
            self.flow(Application::ImportCustomers, Collection::Customers, 0).run(&work, &mut self.protocol)?;
        self.end_part(Application::ImportCustomers, ledger);
        Ok(())
    }

    fn activities(&mut self) -> Result<bool, ImportError> {
        let definitions = self.store.definitions()?;
        let definition = definitions.into_iter().find(|definition| definition.settings.name == APPOINTMENT_SYNCHRONIZE);
        let Some(definition) = definition.filter(|definition| definition.active) else {
            let text = format!(
                "activity definition {APPOINTMENT_SYNCHRONIZE} is not active, no activities are imported: `apptsync definitions activate`"
            );
            self.protocol.say(Severity::Error, text);
            return Ok(false);
        };
        let language = self.request.settings.content_language.as_ref();
        let settings = definition.settings.in_language(language, &definition.translations);
        let (digest, description) = self.stages.fingerprint(&settings);
        let stage_set = self.store.stage_set(&digest, &description)?;
        let work = AppointmentWork {
            channel: self.channel,
            scope: self.scope,
            stages: self.stages,
            settings: &settings,
            stage_set,
            customers: Customers::default(),
            changed_since: self.request.settings.changed_since,
            now: self.request.as_of,
        };
        let ledger = self
            .flow(Application::ImportActivities, Collection::Appointments, stage_set)
            .run(&work, &mut self.protocol)?;
        self.protocol.skipped(&self.channel.id, &ledger);
        self.end_part(Application::ImportActivities, ledger);
        if !self.is_canceled() {
            self.delay_elapsed()?;
            let others = self.store.imported_with_other_stages(&self.channel.id, stage_set)?;
            if others > 0 && self.request.settings.changed_since == ChangedSince::LastTransfer {
                let text = format!(
                    "{others} planned activities were imported with other stages or settings; --changed-since anytime imports them anew"
                );
                self.protocol.say(Severity::Info, text);
            }
        }
        Ok(true)
    }

    fn is_canceled(&self) -> bool {
        self.control.cancel.load(Ordering::Relaxed) || self.canceled.load(Ordering::Relaxed)
    }

    fn flow(&self, part: Application, collection: Collection, stage_set: i64) -> Flow<'a> {
        let from = Origin {
            source: self.source,
            control: self.control,
            canceled: self.canceled,
            channel: &self.channel.id,
            collection,
            job: self.job,
            changed_since: self.request.settings.changed_since,
        };
        Flow { store: self.store, from, part, stage_set }
    }

    fn end_part(&mut self, part: Application, ledger: Ledger) {
        self.parts.push((part, ledger));
    }

    /// What is Planned and elapsed in the scope becomes Delayed (domain 7).
    fn delay_elapsed(&mut self) -> Result<(), ImportError> {
        let covered = self.scope.covered.as_deref();
        let mut delayed = 0;
        loop {
            let now = self.request.as_of;
            let count = self.store.delay_elapsed(&self.channel.id, covered, now, self.job, DELAY_AT_ONCE)?;
            delayed += count;
            if count == 0 || self.is_canceled() {
                break;
            }
        }
        if delayed > 0 {
            let text = format!("{delayed} activities were set to Delayed: their processing period elapsed");
            self.protocol.say(Severity::Info, text);
        }
        Ok(())
    }

    /// Draws up the report, checks the sums, and stores both.
    fn finish(mut self, ended: Result<bool, ImportError>) -> Result<JobReport, ImportError> {
        let mut has_failed = match ended {
            Ok(ran) => !ran,
            Err(error) => {
                self.protocol.say(Severity::Error, error.to_string());
                true
            }
        };
        for text in self.stages.unexplained() {
            self.protocol.say(Severity::Warning, text);
        }
        let mut stages = vec![apptsync_model::StageReport { stage: "source".into(), ..Default::default() }];
        use_of(&mut stages[0], self.source.plugin());
        stages[0].records = self.protocol.source_items;
        stages[0].passed = self.protocol.source_items - self.protocol.source_broken;
        stages[0].refused = self.protocol.source_broken;
        stages.extend(self.stages.reports());
        // Of a part that broke off, what was stored counts.
        if let Some(details) = self.store.job(self.job)? {
            for (part, ledger) in details.parts {
                if !self.parts.iter().any(|(known, _)| *known == part) {
                    self.parts.push((part, ledger));
                }
            }
        }
        let mut ledger = Ledger::default();
        for (_, part) in &self.parts {
            ledger.add(part);
        }
        let is_canceled = self.is_canceled();
        if let Err(error) = ledger.balance() {
            self.protocol.say(Severity::Error, error.to_string());
            has_failed = true;
        }
        if !has_failed && !is_canceled {
            for stage in stages.iter().filter(|stage| !stage.is_balanced()) {
                self.protocol.say(Severity::Error, format!("stage {} lost records: {stage:?}", stage.stage));
                has_failed = true;
            }
        }
        let state = match (has_failed, is_canceled) {
            (true, _) => JobState::Failed,
            (false, true) => JobState::Canceled,
            (false, false) if self.protocol.has_warnings() => JobState::CompletedWithWarnings,
            (false, false) => JobState::Completed,
        };
        if is_canceled {
            self.protocol
                .say(Severity::Warning, "canceled after the page under way; the next run goes on from there".into());
        }
        tracing::info!(run = self.job, state = state.name(), read = ledger.read, "run ends");
        let messages = self.protocol.into_messages();
        let finished = Instant::from(chrono::Utc::now());
        self.store.finish_job(self.job, state, finished, &self.parts, &messages, &stages)?;
        Ok(JobReport { job: self.job, state, ledger, parts: self.parts, messages, stages })
    }
}
