//! Deadlines of scrapes.

use std::time::Duration;

/// Minimum time of a scrape: within less, a page lacks healthy collectors.
const TIME_MIN: Duration = Duration::from_millis(100);

/// Maximum time of a scrape: it occupies one of a limited number of slots.
const TIME_MAX: Duration = Duration::from_secs(300);

/// The operator's settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadlines {
    /// Time of a scrape whose client sends no timeout.
    pub time: Duration,
    /// Time between sending the page and the client's timeout; at most half of the timeout.
    pub offset: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), offset: Duration::from_millis(500) }
    }
}

impl Deadlines {
    /// Time of a scrape with this `X-Prometheus-Scrape-Timeout-Seconds`.
    pub(super) fn time(self, header: Option<&str>) -> Duration {
        let named = header.and_then(|seconds| seconds.parse().ok()).filter(|seconds: &f64| *seconds > 0.0);
        let named = named.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(TIME_MAX));
        let time = named.map_or(self.time, |time| time.saturating_sub(self.offset.min(time / 2)));
        time.clamp(TIME_MIN, TIME_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: Option<&str>, expected_milliseconds: u64) {
        assert_eq!(Deadlines::default().time(header), Duration::from_millis(expected_milliseconds), "{header:?}");
    }

    #[test]
    fn pages_are_sent_before_the_client_times_out() {
        check(Some("10"), 9_500);
        check(Some("1.000000"), 500);
        check(Some("0.5"), 250);
        check(Some("0.002"), 100);
        check(Some("0.2"), 100);
        check(Some("0.202"), 101);
        check(Some("1e300"), 299_500);
        check(Some("300.5"), 300_000);
        check(Some("300.4"), 299_900);
    }

    #[test]
    fn clients_without_a_timeout_get_the_default() {
        for header in [None, Some(""), Some("0"), Some("-1"), Some("NaN"), Some("ten")] {
            check(header, 10_000);
        }
        check(Some("inf"), 299_500);
    }
}
