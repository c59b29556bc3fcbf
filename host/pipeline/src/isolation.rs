//! A bad plugin must not cost good records: a batch that fails as a whole is halved, on fresh instances, down to the record
//! that does it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use apptsync_model::{RecordError, StageReport};
use apptsync_runtime::{Answers, CallFailure, FailureKind};

use crate::ImportError;

/// What to do when a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Find the record that does it, keep it apart, go on with the rest.
    #[default]
    Quarantine,
    /// Stop the run.
    Stop,
}

/// So many failures one after the other, without any answer ever, are taken for a plugin that fails on everything.
const FAILURES_WITHOUT_ANSWER: u64 = 8;
/// So many failures one after the other stop a run although there were answers before.
const FAILURES_IN_A_ROW: u64 = 64;

/// Watches one stage: counts what goes in and out, and when its failures are too many.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The plugin and its stage, as errors name them.
    plugin: String,
    pub(crate) on_failure: OnFailure,
    records: AtomicU64,
    passed: AtomicU64,
    stopped: AtomicU64,
    refused: AtomicU64,
    failures_in_a_row: AtomicU64,
    has_answered: AtomicBool,
    last_failure: Mutex<Option<CallFailure>>,
    /// Batches that failed although none of their records did, and how the last of them failed.
    unexplained: Mutex<(u64, String)>,
}

impl Watch {
    pub(crate) fn new(plugin: String, on_failure: OnFailure) -> Self {
        Self { plugin, on_failure, ..Self::default() }
    }

    /// Counts what became of a batch in this stage.
    pub(crate) fn count(&self, passed: u64, stopped: u64, refused: u64) {
        self.passed.fetch_add(passed, Ordering::Relaxed);
        self.stopped.fetch_add(stopped, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
    }

    /// Puts the counts into a report.
    pub(crate) fn report(&self, report: &mut StageReport) {
        report.records = self.records.load(Ordering::Relaxed);
        report.passed = self.passed.load(Ordering::Relaxed);
        report.stopped = self.stopped.load(Ordering::Relaxed);
        report.refused = self.refused.load(Ordering::Relaxed);
    }

    /// Asks about a batch and gets one answer for each record: what the plugin says, or why it says nothing.
    ///
    /// # Errors
    /// The stage stops the run: by its configuration, because its time is used up, or because it fails on everything.
    pub(crate) fn ask<Q, A>(
        &self,
        batch: &[Q],
        call: &dyn Fn(&[Q]) -> Answers<A>,
    ) -> Result<Vec<Result<A, RecordError>>, ImportError> {
        self.records.fetch_add(batch.len() as u64, Ordering::Relaxed);
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut answers = Vec::with_capacity(batch.len());
        let mut culprits = 0;
        let mut failed = None;
        self.halve(batch, call, &mut answers, &mut culprits, &mut failed)?;
        if let (0, Some(failure)) = (culprits, failed) {
            let mut unexplained = self.unexplained.lock().unwrap_or_else(PoisonError::into_inner);
            *unexplained = (unexplained.0 + 1, failure.to_string());
        }
        if let Some(message) = refuses_configuration(&answers) {
            return Err(ImportError::Misconfigured { plugin: self.plugin.clone(), message });
        }
        if culprits > 1 && !self.has_answered.load(Ordering::Relaxed) {
            return Err(self.fails_on_everything(culprits));
        }
        Ok(answers)
    }

    fn halve<Q, A>(
        &self,
        batch: &[Q],
        call: &dyn Fn(&[Q]) -> Answers<A>,
        answers: &mut Vec<Result<A, RecordError>>,
        culprits: &mut u64,
        failed: &mut Option<CallFailure>,
    ) -> Result<(), ImportError> {
        match call(batch) {
            Ok(answered) => {
                self.has_answered.store(true, Ordering::Relaxed);
                self.failures_in_a_row.store(0, Ordering::Relaxed);
                answers.extend(answered);
                Ok(())
            }
            Err(failure) if matches!(failure.kind, FailureKind::Budget(_)) => Err(ImportError::Budget(failure)),
            Err(failure) if self.on_failure == OnFailure::Stop => Err(ImportError::Stopped(failure)),
            Err(failure) if batch.len() == 1 => {
                *culprits += 1;
                let message = failure.to_string();
                *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                let in_a_row = self.failures_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
                let answered = self.has_answered.load(Ordering::Relaxed);
                if in_a_row >= FAILURES_IN_A_ROW || (!answered && in_a_row >= FAILURES_WITHOUT_ANSWER) {
                    return Err(self.fails_on_everything(in_a_row));
                }
                answers.push(Err(RecordError { code: "plugin-failure".into(), message }));
                Ok(())
            }
            Err(failure) => {
                *failed = Some(failure);
                let (left, right) = batch.split_at(batch.len() / 2);
                self.halve(left, call, answers, culprits, failed)?;
                self.halve(right, call, answers, culprits, failed)
            }
        }
    }

    /// What an operator should know of batches that failed although none of their records did.
    pub(crate) fn unexplained(&self) -> Option<String> {
        let unexplained = self.unexplained.lock().unwrap_or_else(PoisonError::into_inner);
        let (batches, failure) = &*unexplained;
        (*batches > 0).then(|| {
            format!("{batches} batches failed although each of their records alone did not; all records were answered in smaller batches. The last failure: {failure}")
        })
    }

    fn fails_on_everything(&self, records: u64) -> ImportError {
        match self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(failure) => ImportError::FailsOnEverything { failure, records },
            None => ImportError::Thread("a plugin failed without a failure".into()),
        }
    }
}

/// A plugin that answers everything with the record error `configuration` cannot work as it is configured: the run ends with
/// that one sentence instead of quarantining all there is.
fn refuses_configuration<A>(answers: &[Result<A, RecordError>]) -> Option<String> {
    let refusal =
        |answer: &Result<A, RecordError>| answer.as_ref().err().filter(|error| error.code == "configuration").cloned();
    let first = answers.first().and_then(refusal)?;
    answers.iter().all(|answer| refusal(answer).is_some()).then_some(first.message)
}

#[cfg(test)]
mod tests {
    use apptsync_runtime::TrapReport;

    use super::*;

    fn failure() -> CallFailure {
        let report = TrapReport { plugin: "bad".into(), stage: "status".into(), ..TrapReport::default() };
        CallFailure { kind: FailureKind::Trap, report: Box::new(report) }
    }

    fn fails_on(bad: impl Fn(u32) -> bool) -> impl Fn(&[u32]) -> Answers<u32> {
        move |batch: &[u32]| {
            if batch.iter().any(|number| bad(*number)) {
                Err(failure())
            } else {
                Ok(batch.iter().map(|number| Ok(*number)).collect())
            }
        }
    }

    #[test]
    fn the_culprits_are_found_and_the_rest_is_answered_in_order() {
        let batch: Vec<u32> = (0..100).collect();
        let watch = Watch::new("bad".into(), OnFailure::Quarantine);
        let answers = watch.ask(&batch, &fails_on(|number| number == 37 || number == 99)).expect("goes on");
        for (number, answer) in batch.iter().zip(&answers) {
            assert_eq!(answer.is_err(), *number == 37 || *number == 99);
            assert!(answer.as_ref().map_or(true, |answered| answered == number));
        }
    }

    #[test]
    fn a_plugin_that_fails_on_everything_stops_the_run() {
        let batch: Vec<u32> = (0..100).collect();
        let watch = Watch::new("bad".into(), OnFailure::Quarantine);
        assert!(matches!(
            watch.ask(&batch, &fails_on(|_| true)),
            Err(ImportError::FailsOnEverything { records: 8, .. })
        ));
        let watch = Watch::new("bad".into(), OnFailure::Quarantine);
        assert!(matches!(
            watch.ask(&[1, 2], &fails_on(|_| true)),
            Err(ImportError::FailsOnEverything { records: 2, .. })
        ));
    }

    #[test]
    fn one_bad_record_alone_is_quarantined() {
        let watch = Watch::new("bad".into(), OnFailure::Quarantine);
        assert!(watch.ask(&[1], &fails_on(|_| true)).expect("goes on")[0].is_err());
    }

    #[test]
    fn stop_stops_at_the_first_failure() {
        let watch = Watch::new("bad".into(), OnFailure::Stop);
        assert!(matches!(watch.ask(&[1, 2, 3], &fails_on(|number| number == 3)), Err(ImportError::Stopped(_))));
    }
}
