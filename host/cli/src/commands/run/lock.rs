//! One run at a time on a database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use apptsync_store::{RunLock, Store};

use crate::context::to_stderr;

const POLL: Duration = Duration::from_millis(100);
/// A run that is this short is not worth a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Waits for the right to run; none when the wait was canceled.
pub(super) fn take(store: &dyn Store, cancel: &AtomicBool, no_wait: bool) -> anyhow::Result<Option<RunLock>> {
    let begun = Instant::now();
    let mut is_told = false;
    loop {
        if let Some(lock) = store.try_lock_runs()? {
            return Ok(Some(lock));
        }
        if no_wait {
            anyhow::bail!("another run is under way on this database: run again when it is done, or without --no-wait");
        }
        if cancel.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if !is_told && begun.elapsed() >= PATIENCE {
            is_told = true;
            to_stderr("another run is under way on this database; waiting (Ctrl-C ends the wait)");
        }
        sleep(POLL);
    }
}
