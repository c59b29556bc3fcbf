//! How far a run is, for people at a terminal.

use std::time::Duration;

use apptsync_model::{Application, Ledger};
use apptsync_pipeline::Progress;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::context::Context;

/// A line on stderr that follows the run; nothing where stderr is no terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(context: &Context) -> Self {
        if !context.shows_progress() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn advance(&self, part: Application, ledger: &Ledger) {
        if self.0.is_hidden() {
            return;
        }
        let [read, created, updated] = [ledger.read, ledger.created, ledger.updated].map(HumanCount);
        self.0.set_message(format!("{part}: {read} read, {created} created, {updated} updated"));
    }
}
