//! The boundary: everything that goes to a plugin and comes back goes through [`Live::call`].

use std::sync::PoisonError;
use std::time::{Duration, Instant as Stopwatch};

use apptsync_model::text;
use wasmtime::component::Instance;
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::engine::EPOCH;
use crate::failure::{CallFailure, FailureKind, TrapReport};
use crate::guest::GuestState;
use crate::limits::HOSTCALL_FUEL;
use crate::plugin::Plugin;

/// One instance in a store of its own. After a trap the store is poisoned: it is never called again.
pub(crate) struct Live {
    store: Store<GuestState>,
    instance: Option<Instance>,
    is_poisoned: bool,
}

impl Live {
    /// An instance that begins to live at its first call, so that its start-up is under the same watch.
    pub(crate) fn new(plugin: &Plugin) -> Result<Self, CallFailure> {
        let state = GuestState::new(&plugin.surroundings())
            .map_err(|error| failure(plugin, "(start)", FailureKind::Contract, format!("{error:#}"), Vec::new()))?;
        let mut store = Store::new(plugin.instance.engine(), state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(HOSTCALL_FUEL);
        // The time that a guest has waited for servers is given back to it.
        store.epoch_deadline_callback(|store| {
            let left = store.data().deadline.left();
            Ok(left.map_or(UpdateDeadline::Interrupt, |left| UpdateDeadline::Continue(epochs(left))))
        });
        Ok(Self { store, instance: None, is_poisoned: false })
    }

    /// Calls the plugin: sets the deadline, marks the poison before and clears it after, measures, and turns whatever goes
    /// wrong into a [`CallFailure`]. `body` converts what goes in, calls, and converts what comes out; the conversions check
    /// the limits of the contract.
    pub(crate) fn call<R>(
        &mut self,
        plugin: &Plugin,
        function: &'static str,
        records: usize,
        body: impl FnOnce(&mut Store<GuestState>, &Instance) -> wasmtime::Result<R>,
    ) -> Result<R, CallFailure> {
        if self.is_poisoned {
            let detail = "an earlier call trapped: this instance cannot be used any more".to_owned();
            return Err(failure(plugin, function, FailureKind::Trap, detail, Vec::new()));
        }
        let statistics = plugin.statistics();
        let spent = statistics.time.saturating_sub(statistics.waited);
        if spent >= plugin.limits.run {
            let kind = FailureKind::Budget(plugin.limits.run);
            return Err(failure(plugin, function, kind, String::new(), Vec::new()));
        }
        let allowed = plugin.limits.deadline.min(plugin.limits.run - spent);
        self.store.set_epoch_deadline(epochs(allowed));
        self.store.data_mut().begin_call(allowed);
        self.is_poisoned = true;
        let begun = Stopwatch::now();
        let result = match self.instance {
            Some(instance) => Ok(instance),
            None => plugin.instance.instantiate(&mut self.store).inspect(|instance| self.instance = Some(*instance)),
        }
        .and_then(|instance| body(&mut self.store, &instance));
        self.count(plugin, records, begun.elapsed());
        match result {
            Ok(value) => {
                self.is_poisoned = false;
                Ok(value)
            }
            Err(error) => Err(self.explain(plugin, function, allowed, &error)),
        }
    }

    fn count(&self, plugin: &Plugin, records: usize, time: Duration) {
        let (lines, dropped) = self.store.data().log.lock().unwrap_or_else(PoisonError::into_inner).counts();
        let mut statistics = plugin.statistics.lock().unwrap_or_else(PoisonError::into_inner);
        statistics.calls += 1;
        statistics.records += records as u64;
        statistics.time += time;
        statistics.waited += self.store.data().deadline.waited();
        statistics.requests += self.store.data().http.sent();
        statistics.memory_peak = statistics.memory_peak.max(self.store.data().limiter.peak as u64);
        statistics.log_lines += lines;
        statistics.log_lines_dropped += dropped;
    }

    fn explain(
        &self,
        plugin: &Plugin,
        function: &'static str,
        allowed: Duration,
        error: &wasmtime::Error,
    ) -> CallFailure {
        let state = self.store.data();
        let trap = error.downcast_ref::<Trap>();
        let kind = if trap == Some(&Trap::Interrupt) {
            // The last call of a run may have less time left than a call has.
            if allowed < plugin.limits.deadline {
                FailureKind::Budget(plugin.limits.run)
            } else {
                FailureKind::Deadline(plugin.limits.deadline)
            }
        } else if state.limiter.refused {
            FailureKind::Memory(plugin.limits.memory)
        } else if trap.is_some() || error.downcast_ref::<wasmtime_wasi::I32Exit>().is_some() {
            FailureKind::Trap
        } else {
            FailureKind::Contract
        };
        let detail = match trap {
            Some(trap) => trap.to_string(),
            None => error.root_cause().to_string(),
        };
        let log = state.log.lock().unwrap_or_else(PoisonError::into_inner).last_words();
        failure(plugin, function, kind, detail, log)
    }
}

fn failure(
    plugin: &Plugin,
    function: &'static str,
    kind: FailureKind,
    detail: String,
    log: Vec<String>,
) -> CallFailure {
    let detail = text::quoted(&detail);
    let (plugin, stage) = (plugin.name().to_owned(), plugin.stage().to_owned());
    CallFailure { kind, report: Box::new(TrapReport { plugin, stage, function, detail, log }) }
}

/// Ticks after which a call is stopped: one more than the time holds, because the first tick may come at once.
fn epochs(time: Duration) -> u64 {
    u64::try_from(time.as_nanos() / EPOCH.as_nanos()).unwrap_or(u64::MAX - 1).saturating_add(1)
}
