//! Rate limit of requests: a token bucket.

use std::time::Duration;

use super::settings::Rate;

/// A token bucket, counted in time: a token is one interval.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: Option<Rate>,
    /// Time that has not been spent on tokens; at most that of a full bucket.
    saved: Duration,
    /// When `saved` was last updated.
    updated: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(rate: Option<Rate>, now: Duration) -> Self {
        Self { rate, saved: rate.map_or(Duration::ZERO, full), updated: now }
    }

    pub(super) const fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Takes a token at `now`. The error is the number of seconds until the next token, at least 1.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), u64> {
        let Some(rate) = self.rate else { return Ok(()) };
        self.saved = self.saved.saturating_add(now.saturating_sub(self.updated)).min(full(rate));
        self.updated = self.updated.max(now);
        if let Some(rest) = self.saved.checked_sub(rate.interval) {
            self.saved = rest;
            return Ok(());
        }
        let wait = rate.interval.saturating_sub(self.saved);
        Err(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)))
    }
}

const fn full(rate: Rate) -> Duration {
    rate.interval.saturating_mul(rate.burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks requests at moments in milliseconds against the seconds to wait, 0 for an allowed one.
    #[track_caller]
    fn check(interval_milliseconds: u64, burst: u32, moments: &[(u64, u64)]) {
        let rate = Rate { interval: Duration::from_millis(interval_milliseconds), burst };
        let mut bucket = Bucket::new(Some(rate), Duration::from_secs(100));
        for (moment, expected) in moments {
            let found = bucket.take(Duration::from_millis(100_000 + moment)).err().unwrap_or(0);
            assert_eq!(found, *expected, "at {moment} ms");
        }
    }

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        check(1000, 2, &[(0, 0), (0, 0), (0, 1), (999, 1), (1000, 0), (1000, 1), (2500, 0), (3000, 0)]);
        check(1000, 2, &[(0, 0), (60_000, 0), (60_000, 0), (60_000, 1)]);
        check(3500, 1, &[(0, 0), (0, 4), (600, 3), (3499, 1), (3500, 0)]);
    }

    #[test]
    fn a_burst_of_zero_allows_nothing() {
        check(1000, 0, &[(0, 1), (10_000, 1)]);
    }

    #[test]
    fn no_rate_is_no_limit() {
        let mut bucket = Bucket::new(None, Duration::ZERO);
        assert!((0..1000).all(|_| bucket.take(Duration::ZERO).is_ok()));
    }
}
