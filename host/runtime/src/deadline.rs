//! The deadline of a call: it counts the guest's own time, not the time in which the guest waits for servers.

use std::time::{Duration, Instant};

use crate::limits::MAX_WAITING;

/// The time of one call.
#[derive(Debug)]
pub(crate) struct Deadline {
    begun: Instant,
    allowed: Duration,
    waited: Duration,
}

impl Deadline {
    /// A call that begins now and may take so long.
    pub(crate) fn new(allowed: Duration) -> Self {
        Self { begun: Instant::now(), allowed, waited: Duration::ZERO }
    }

    /// The guest waited for a server.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.waited += time;
    }

    /// Time waited for servers.
    pub(crate) const fn waited(&self) -> Duration {
        self.waited
    }

    /// The guest's own time that is left; none when the call is to be stopped.
    pub(crate) fn left(&self) -> Option<Duration> {
        let allowed = self.allowed.saturating_add(self.waited.min(MAX_WAITING));
        allowed.checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero())
    }

    /// When the guest has waited for servers long enough.
    pub(crate) fn patience_ends(&self) -> Instant {
        self.begun + MAX_WAITING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_does_not_count_but_is_bounded() {
        let mut deadline = Deadline::new(Duration::ZERO);
        assert_eq!(deadline.left(), None);
        deadline.wait(MAX_WAITING / 2);
        assert!(deadline.left().is_some_and(|left| left <= MAX_WAITING / 2));
        deadline.wait(MAX_WAITING * 10);
        assert!(deadline.left().is_some_and(|left| left <= MAX_WAITING));
    }
}
