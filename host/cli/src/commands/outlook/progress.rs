//! How far a synchronisation is, for people at a terminal.

use std::sync::Arc;
use std::time::Duration;

use apptsync_pipeline::outlook::SyncProgress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::context::Context;

/// A line on stderr that follows the writes of all mailboxes; nothing where stderr is no terminal.
#[derive(Debug)]
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(context: &Context) -> Arc<Self> {
        if !context.shows_progress() {
            return Arc::new(Self(ProgressBar::hidden()));
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} of {len} items written {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Arc::new(Self(bar))
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl SyncProgress for Bar {
    fn expect(&self, writes: u64) {
        self.0.inc_length(writes);
    }

    fn advance(&self, writes: u64) {
        self.0.inc(writes);
    }
}
