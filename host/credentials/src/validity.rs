//! How long something is good.

use apptsync_model::Instant;

/// From when until when something is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first instant.
    pub from: Instant,
    /// The last instant.
    pub until: Instant,
}

impl Validity {
    /// Seconds of a day.
    pub(crate) const DAY: i64 = 86_400;

    /// Whole days that are left, negative once it is over.
    #[must_use]
    pub fn days_left(self, now: Instant) -> i64 {
        self.until.0.saturating_sub(now.0).div_euclid(Self::DAY)
    }

    /// What is wrong with it now, if anything.
    #[must_use]
    pub fn problem(self, now: Instant) -> Option<String> {
        if now > self.until {
            return Some(format!("it expired on {}", self.until));
        }
        (now < self.from).then(|| format!("it is valid from {} on only: is this machine's clock right?", self.from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_negative_once_it_is_over() {
        let validity = Validity { from: Instant(0), until: Instant(10 * Validity::DAY) };
        for (now, days, is_good) in [(0, 10, true), (1, 9, true), (10 * Validity::DAY, 0, true)] {
            assert_eq!(validity.days_left(Instant(now)), days);
            assert_eq!(validity.problem(Instant(now)).is_none(), is_good);
        }
        assert_eq!(validity.days_left(Instant(10 * Validity::DAY + 1)), -1);
        assert!(validity.problem(Instant(10 * Validity::DAY + 1)).is_some_and(|why| why.contains("expired")));
        assert!(validity.problem(Instant(-1)).is_some_and(|why| why.contains("from")));
    }
}
