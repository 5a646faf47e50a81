//! Pauses between attempts: exponential backoff with jitter and a maximum, or the time that the target requests.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const MAX: Duration = Duration::from_secs(60);
/// Maximum pause that a target can request, which may exceed [`MAX`].
const ASKED_MAX: Duration = Duration::from_secs(600);

/// The pause after some failures in a row.
#[derive(Debug)]
pub struct Backoff {
    failures: u32,
    random: u64,
}

impl Backoff {
    /// `seed` should differ between targets and hosts.
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, random: seed | 1 }
    }

    /// Resets the pause after a successful delivery.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after another failure: between half and all of the doubled pause, or the time that the target requests.
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        let whole = FIRST.saturating_mul(1_u32.checked_shl(self.failures.min(16)).unwrap_or(u32::MAX)).min(MAX);
        self.failures = self.failures.saturating_add(1);
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let share = u32::try_from(self.random % 1_000).unwrap_or_default();
        let pause = whole / 2 + whole / 2 * share / 1_000;
        asked.map_or(pause, |asked| asked.min(ASKED_MAX).max(pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_maximum_and_are_reset() {
        let mut backoff = Backoff::new(7);
        let mut whole = FIRST;
        for _ in 0..100 {
            let pause = backoff.next(None);
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
            whole = (whole * 2).min(MAX);
        }
        backoff.reset();
        assert!(backoff.next(None) <= FIRST);
    }

    #[test]
    fn a_target_may_ask_for_a_longer_pause_within_bounds() {
        let mut backoff = Backoff::new(7);
        assert_eq!(backoff.next(Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(backoff.next(Some(Duration::from_secs(90_000))), ASKED_MAX);
        assert!(backoff.next(Some(Duration::ZERO)) >= FIRST);
    }

    #[test]
    fn hosts_that_fail_together_retry_at_different_times() {
        let pauses: std::collections::BTreeSet<Duration> =
            (1..100).map(|seed| Backoff::new(seed * 7_919).next(None)).collect();
        assert!(pauses.len() > 50, "{}", pauses.len());
    }
}
