//! One run of the synchronisation of one profile: clear up, read both sides, plan, guard, apply, look again.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use apptsync_model::outlook::{
    Account, Connection, ConnectorFailure, HeadquartersId, ItemKind, Link, LinkState, Profile, SyncCursor, SyncRunId,
    SyncSettings, Window,
};
use apptsync_model::{ActivityId, Instant, Severity};
use apptsync_runtime::{Connector, MemoryState};
use apptsync_store::{HeldPlan, NewSyncRun, Store, StoreError, StoredProfile, SyncResult, SyncState};
use chrono_tz::Tz;

use super::considered::{Considered, Touched};
use super::contacts;
use super::decide::{Action, Rules};
use super::draft::plan;
use super::guard::held;
use super::headquarters::{self, View};
use super::plan::{Allowance, Plan, Step};
use super::pull::Pulled;
use super::report::{HeldItem, Notes, Operations, SyncError, SyncReport, SyncRequest};
use super::snapshot::{RemoteState, Snapshot, new_writer};

/// How often a new plan is drawn up in one run because something changed under the old one.
const ROUNDS: usize = 3;
/// Runs that count for guard G8.
const RUNS: usize = 10;
/// How many of the 32 digits of a random number the mark of a run leaves out.
const WRITER: usize = 16;
const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

/// What a run works with.
pub struct Synchronisation<'a> {
    /// The headquarters. The caller holds the profile's lock.
    pub store: &'a dyn Store,
    /// Outlook.
    pub connector: &'a dyn Connector,
    /// What the connector keeps.
    pub state: Option<&'a MemoryState>,
    /// The profile.
    pub profile: &'a StoredProfile,
    /// Activity synchronization settings in force for the representative.
    pub settings: &'a SyncSettings,
    /// Zone of the representative's organization.
    pub zone: Tz,
}

/// Why a run ends before its end.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) state: SyncState,
    pub(super) why: String,
}

impl Stop {
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self { state: SyncState::Failed, why: why.into() }
    }

    pub(super) fn reconnect(why: &str) -> Self {
        Self {
            state: SyncState::Reconnect,
            why: format!("the server refuses the credential: {why}; nothing was taken for deleted"),
        }
    }
}

impl From<ConnectorFailure> for Stop {
    fn from(failure: ConnectorFailure) -> Self {
        match failure {
            ConnectorFailure::Auth(why) => Self::reconnect(&why),
            ConnectorFailure::Throttled(_) => {
                Self { state: SyncState::Throttled, why: format!("{failure}; the next run goes on from here") }
            }
            ConnectorFailure::Transient(why) => Self::failed(format!("{why}; run again later")),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) id: SyncRunId,
    /// What the items that it writes bear (2.11).
    pub(super) writer: String,
    pub(super) store: &'a dyn Store,
    pub(super) connector: &'a dyn Connector,
    pub(super) state: Option<&'a MemoryState>,
    pub(super) profile: &'a StoredProfile,
    pub(super) settings: &'a SyncSettings,
    pub(super) zone: Tz,
    pub(super) account: Account,
    pub(super) request: &'a SyncRequest,
    pub(super) notes: Notes,
    pub(super) operations: Operations,
    /// What was seen and is not worth keeping.
    pub(super) forgotten: Vec<(ItemKind, String)>,
    pub(super) patience: Duration,
    pub(super) connection: Option<Connection>,
    oldest_run: SyncRunId,
}

/// What a run came to before it ended.
#[derive(Default)]
struct Ended {
    plan: Rc<Plan>,
    /// Digest of the plan.
    hash: Option<String>,
    reasons: Vec<String>,
    is_held: bool,
    /// Steps that are more than this run may do.
    deferred: usize,
    /// Activities that wait for a person, for Outlook or for the next run.
    open: BTreeSet<ActivityId>,
}

/// Synchronize appointments and tasks of one profile (domain 8).
///
/// # Errors
/// The settings do not fit, or the database cannot be used. What goes wrong with Outlook is in the report.
pub fn synchronise(with: &Synchronisation<'_>, request: &SyncRequest) -> Result<SyncReport, SyncError> {
    let windows = headquarters::windows(with.settings, request.as_of).map_err(SyncError::Usage)?;
    begin(with, request, &windows)
}

/// Synchronize address books of one profile (domain 8).
///
/// # Errors
/// The database cannot be used. What goes wrong with Outlook is in the report.
pub fn synchronise_contacts(with: &Synchronisation<'_>, request: &SyncRequest) -> Result<SyncReport, SyncError> {
    begin(with, request, &contacts::windows())
}

fn begin(
    with: &Synchronisation<'_>,
    request: &SyncRequest,
    windows: &BTreeMap<ItemKind, Window>,
) -> Result<SyncReport, SyncError> {
    let mut run = Run::begin(with, request, if request.plan_only { "plan" } else { purpose_of(windows) })?;
    let id = run.id;
    let requests = with.connector.requests();
    let mut ended = Ended::default();
    let stopped = run.whole(windows, &mut ended).and_then(|()| run.delay_elapsed(windows, &ended)).err();
    let report = run.report(ended, stopped, with.connector.requests() - requests);
    let result = SyncResult {
        state: report.state,
        finished: Instant::from(chrono::Utc::now()),
        plan: report.hash.clone(),
        report: serde_json::json!({
            "operations": report.operations,
            "held": report.held,
            "reasons": report.reasons,
            "requests": report.requests,
        })
        .to_string(),
        messages: report.messages.clone(),
    };
    with.store.finish_sync(id, &result)?;
    Ok(report)
}

impl<'a> Run<'a> {
    /// Begins a run and gives it the mark that what it writes bears.
    pub(super) fn begin(
        with: &Synchronisation<'a>,
        request: &'a SyncRequest,
        purpose: &str,
    ) -> Result<Self, StoreError> {
        let writer = uuid::Uuid::new_v4().simple().to_string().split_off(WRITER);
        let id = with.store.begin_sync(&NewSyncRun {
            profile: with.profile.id,
            purpose: purpose.to_owned(),
            as_of: request.as_of,
            started: Instant::from(chrono::Utc::now()),
            writer: writer.clone(),
        })?;
        let profile = &with.profile.profile;
        Ok(Self {
            id,
            writer,
            store: with.store,
            connector: with.connector,
            state: with.state,
            profile: with.profile,
            settings: with.settings,
            zone: with.zone,
            account: Account {
                server: profile.server.clone(),
                mailbox: profile.mailbox.clone(),
                zone: with.zone.name().to_owned(),
            },
            request,
            notes: Notes::default(),
            operations: Operations::default(),
            forgotten: Vec::new(),
            patience: request.patience,
            connection: None,
            oldest_run: id,
        })
    }

    fn whole(&mut self, windows: &BTreeMap<ItemKind, Window>, ended: &mut Ended) -> Result<(), Stop> {
        self.recover()?;
        self.expect_steady_clock(windows)?;
        let mut pulled = self.pull(windows)?;
        let mut allowance = Allowance::of(&self.profile.profile.guards);
        for round in 0..ROUNDS {
            let snapshot = self.snapshot(windows, &pulled)?;
            let mut drafted = plan(&snapshot);
            if self.request.plan_only {
                ended.reasons = held(&drafted, &snapshot);
                self.operations = Operations::of(&drafted);
                ended.deferred = allowance.take(&drafted).1.len();
                ended.plan = Rc::new(drafted);
                return Ok(());
            }
            if round == 0 {
                let hash = drafted.hash();
                let reasons = self.judge(&drafted, &snapshot, &hash)?;
                ended.hash = Some(hash.clone());
                ended.is_held = !reasons.is_empty();
                ended.reasons = reasons;
                if ended.is_held {
                    ended.plan = Rc::new(drafted);
                    return Ok(());
                }
                if self.request.approve.as_ref() == Some(&hash) {
                    allowance = Allowance::unlimited();
                }
                self.trust(&pulled)?;
                pulled.rebuilt = None;
            } else if !held(&drafted, &snapshot).is_empty() {
                // Something changed under the plan that was judged: the next run judges anew.
                break;
            }
            if round == 0 && drafted.steps.is_empty() {
                // Nothing was written, so a second plan would be this one.
                return Ok(());
            }
            drafted.drop_fields_of_new();
            let drafted = Rc::new(drafted);
            if round == 0 {
                ended.plan = Rc::clone(&drafted);
            }
            let (allowed, deferred) = allowance.take(&drafted);
            ended.deferred = deferred.len();
            let waits = |step: &&&Step| matches!(step.verdict.action, Action::Hold | Action::Skip);
            let open = deferred.iter().chain(allowed.iter().filter(waits));
            ended.open.extend(open.filter_map(|step| activity_of(step)));
            if !self.apply(&snapshot, &allowed)? {
                break;
            }
        }
        self.converge(windows, &pulled)
    }

    /// A clock that was put back by more than a day, or forward by more than a year: until a plan is applied, nothing is
    /// deleted without approval (guard G3).
    fn expect_steady_clock(&mut self, windows: &BTreeMap<ItemKind, Window>) -> Result<(), Stop> {
        let before = self.store.runs_before(self.profile.id, purpose_of(windows), self.id)?;
        // This run is the tenth.
        self.oldest_run = before.iter().take(RUNS - 1).next_back().map_or(self.id, |(run, _)| *run);
        let jump = before.first().map_or(0, |(_, last)| self.request.as_of.0 - last.0);
        if (-DAY..=YEAR).contains(&jump) {
            return Ok(());
        }
        let days = jump.abs() / DAY;
        let way = if jump < 0 { "back" } else { "forward" };
        self.notes.say(
            Severity::Info,
            format!("since the last run the clock went {way} by {days} days: nothing is deleted without approval"),
        );
        for kind in windows.keys() {
            if let Some(cursor) = self.store.sync_cursor(self.profile.id, *kind)? {
                self.store_observations(*kind, Vec::new(), Some(&SyncCursor { rebuilt: true, ..cursor }))?;
            }
        }
        Ok(())
    }

    /// What was planned here or in Outlook and has elapsed becomes Delayed (domain 7), after what Outlook says of it was taken
    /// over: it may have been completed there in time. Where that waits, so does this. Appointments of Mobile are left to the
    /// import, for the same reason.
    fn delay_elapsed(&mut self, windows: &BTreeMap<ItemKind, Window>, ended: &Ended) -> Result<(), Stop> {
        if self.request.plan_only || ended.is_held || windows.contains_key(&ItemKind::Contact) {
            return Ok(());
        }
        let open: Vec<ActivityId> = ended.open.iter().copied().collect();
        let delayed = self.store.delay_elapsed_of(&self.profile.profile.employee, self.request.as_of, &open)?;
        if delayed > 0 {
            let text = format!("{delayed} activities were set to Delayed: their processing period elapsed");
            self.notes.say(Severity::Info, text);
        }
        Ok(())
    }

    /// Guards, and a person's approval. Empty when the plan may be applied.
    fn judge(&mut self, drafted: &Plan, snapshot: &Snapshot, hash: &str) -> Result<Vec<String>, Stop> {
        let mut reasons = held(drafted, snapshot);
        match &self.request.approve {
            Some(approved) if approved == hash => {
                self.store.put_held_plan(self.profile.id, None)?;
                return Ok(Vec::new());
            }
            Some(_) if drafted.is_empty() => {
                self.notes.say(Severity::Warning, "nothing is left to do of the plan that was approved");
            }
            // What was approved is not this, however harmless it is.
            Some(_) => {
                let text = format!(
                    "the plan is no longer the one that was approved; it is {hash} now: look at it and approve that"
                );
                reasons.insert(0, text);
            }
            None => {}
        }
        if reasons.is_empty() {
            if self.store.held_plan(self.profile.id)?.is_some() {
                self.store.put_held_plan(self.profile.id, None)?;
            }
            return Ok(reasons);
        }
        let steps: Vec<_> = drafted.steps.iter().map(Step::view).collect();
        let plan = serde_json::to_string(&steps).unwrap_or_default();
        let held = HeldPlan { run: self.id, hash: hash.to_owned(), reasons: reasons.clone(), plan };
        self.store.put_held_plan(self.profile.id, Some(&held))?;
        Ok(reasons)
    }

    /// From here on the connection counts as known again.
    fn trust(&mut self, pulled: &Pulled) -> Result<(), Stop> {
        for kind in pulled.targets.keys() {
            let Some(known) = self.store.sync_cursor(self.profile.id, *kind)? else { continue };
            let listed = pulled.listings.get(kind).map_or(known.listed, |listing| listing.now);
            if known.rebuilt || known.listed != listed {
                let cursor = SyncCursor { rebuilt: false, listed, ..known };
                self.store_observations(*kind, Vec::new(), Some(&cursor))?;
            }
        }
        Ok(())
    }

    /// Both sides as they stand, joined by the links as they stand: what a plan has to look at.
    fn snapshot(&mut self, windows: &BTreeMap<ItemKind, Window>, pulled: &Pulled) -> Result<Snapshot, Stop> {
        let profile = &self.profile.profile;
        let unsettled = self.store.unsettled(self.profile.id)?.into_iter().map(|operation| operation.link).collect();
        let answers = self.store.answers(self.profile.id)?;
        let observations = self.store.observations(self.profile.id)?;
        let seen = observations.iter().map(|seen| (seen.kind, seen.remote_id.as_str(), seen.seen.item()));
        let mut considered = self.considered(windows, pulled, &Touched::new(seen, &unsettled, &answers))?;
        let remote = self.observed(observations, pulled, &considered)?;
        let live = considered.links.iter().filter(|link| link.state != LinkState::Tombstone);
        let linked: BTreeSet<_> = live.filter_map(|link| Some((link.kind, link.remote_id.as_deref()?))).collect();
        if remote.keys().any(|(kind, id)| !linked.contains(&(*kind, id.as_str()))) {
            // What items say that are not linked may be about links that nothing else touched.
            let seen = remote.iter().map(|((kind, id), state)| (*kind, id.as_str(), state.item()));
            considered = self.considered(windows, pulled, &Touched::new(seen, &unsettled, &answers))?;
        }
        let strangers = self.strangers(&considered.links, &remote)?;
        Ok(Snapshot {
            profile: self.profile.name_space.clone(),
            employee: profile.employee.clone(),
            now: self.request.as_of,
            run: self.id,
            rules: rules(profile),
            guards: profile.guards.clone(),
            targets: pulled.targets.clone(),
            windows: windows
                .iter()
                .filter(|(kind, _)| pulled.targets.contains_key(kind))
                .map(|(kind, window)| (*kind, *window))
                .collect(),
            zone: self.zone,
            answers,
            incarnations: considered.incarnations,
            oldest_run: self.oldest_run,
            links: considered.links,
            settled: considered.settled,
            settled_series: considered.settled_series,
            headquarters: considered.headquarters,
            remote,
            unsettled,
            writer: self.writer.clone(),
            strangers,
            listings: pulled.listings.clone(),
            rebuilt: pulled.rebuilt.clone(),
        })
    }

    /// Of the kinds that the server has a place for.
    fn considered(
        &self,
        windows: &BTreeMap<ItemKind, Window>,
        pulled: &Pulled,
        touched: &Touched<'_>,
    ) -> Result<Considered, Stop> {
        if windows.contains_key(&ItemKind::Contact) {
            return Ok(contacts::consider(self.store, self.profile.id)?);
        }
        let view = View {
            store: self.store,
            profile: self.profile.id,
            employee: &self.profile.profile.employee,
            zone: self.zone,
            settings: self.settings,
            windows,
        };
        Ok(view.consider(|kind| pulled.targets.contains_key(&kind), Some(touched))?)
    }

    /// The marks of other installations on linked items that were changed since both sides last agreed (2.11).
    fn strangers(
        &self,
        links: &[Link],
        remote: &BTreeMap<(ItemKind, String), RemoteState>,
    ) -> Result<BTreeSet<String>, Stop> {
        let found: BTreeSet<&str> = links.iter().filter_map(|link| new_writer(link, remote)).collect();
        if found.is_empty() {
            return Ok(BTreeSet::new());
        }
        Ok(self.store.unknown_writers(&Vec::from_iter(found))?.into_iter().collect())
    }

    /// After a run, a new plan must have nothing left to write.
    fn converge(&mut self, windows: &BTreeMap<ItemKind, Window>, pulled: &Pulled) -> Result<(), Stop> {
        self.read_back(windows, pulled)?;
        let snapshot = self.snapshot(windows, pulled)?;
        let left =
            plan(&snapshot).steps.iter().filter(|step| step.writes_outlook() || step.writes_headquarters()).count();
        if left > 0 {
            let steps = if left == 1 { "step is" } else { "steps are" };
            self.notes.say(Severity::Info, format!("{left} {steps} left for the next run"));
        }
        Ok(())
    }

    fn report(mut self, ended: Ended, stopped: Option<Stop>, requests: u64) -> SyncReport {
        let mut items = Vec::new();
        for step in ended.plan.steps.iter().filter(|step| step.verdict.action == Action::Hold) {
            items.push(HeldItem {
                headquarters: step.headquarters.as_ref().map(ToString::to_string),
                remote_id: step.remote_id.clone(),
                subject: step.subject.clone(),
                reason: step.verdict.note.clone().unwrap_or_default(),
            });
        }
        if ended.deferred > 0 {
            let text = format!("{} steps are more than one run may do: the next run does them", ended.deferred);
            self.notes.say(Severity::Warning, text);
        }
        let hash = ended.hash.unwrap_or_else(|| ended.plan.hash());
        let state = match &stopped {
            Some(stop) => {
                self.notes.say(Severity::Error, stop.why.clone());
                stop.state
            }
            None if self.request.plan_only => SyncState::Planned,
            None if ended.is_held => {
                for reason in &ended.reasons {
                    self.notes.say(Severity::Warning, reason.clone());
                }
                let name = &self.profile.profile.name;
                self.notes.say(
                    Severity::Warning,
                    format!("the plan is held and nothing was applied: `apptsync outlook sync {name} --plan` shows it, `--approve {hash}` applies it"),
                );
                SyncState::Held
            }
            None if !items.is_empty() || self.notes.needs_a_look() => SyncState::CompletedWithWarnings,
            None => SyncState::Completed,
        };
        SyncReport {
            run: self.id,
            state,
            plan: Rc::unwrap_or_clone(ended.plan),
            hash,
            operations: self.operations,
            reasons: ended.reasons,
            held: items,
            requests,
            messages: self.notes.messages,
        }
    }
}

/// What a run about this kind is stored as.
pub(super) fn purpose(kind: ItemKind) -> &'static str {
    if kind == ItemKind::Contact { "contacts" } else { "sync" }
}

/// What a run about these windows is stored as.
pub(super) fn purpose_of(windows: &BTreeMap<ItemKind, Window>) -> &'static str {
    windows.keys().next().copied().map_or("sync", purpose)
}

fn activity_of(step: &Step) -> Option<ActivityId> {
    match step.headquarters {
        Some(HeadquartersId::Activity(id)) => Some(id),
        _ => None,
    }
}

/// What a profile lays down for decisions.
pub(super) fn rules(profile: &Profile) -> Rules {
    Rules {
        priority: profile.text_priority,
        scope: profile.override_scope,
        transfer: profile.transfer,
        deletion_policy: profile.deletion_policy,
        answer: None,
    }
}
