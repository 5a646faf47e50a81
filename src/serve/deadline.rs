//! How long a scrape may take.

use std::time::Duration;

/// Nobody waits longer for a page, whatever the client says: its slot is needed.
const TIME_MAX: Duration = Duration::from_secs(300);

/// What the operator says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadlines {
    /// For clients who do not say how long they wait.
    pub time: Duration,
    /// So much earlier than the client gives up, the page is on its way; half of its time at most.
    pub offset: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), offset: Duration::from_millis(500) }
    }
}

impl Deadlines {
    /// The time of a scrape whose `X-Prometheus-Scrape-Timeout-Seconds` this is.
    pub(super) fn time(self, header: Option<&str>) -> Duration {
        let told = header.and_then(|seconds| seconds.parse().ok()).filter(|seconds: &f64| *seconds > 0.0);
        let told = told.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(TIME_MAX));
        let time = told.map_or(self.time, |time| time.saturating_sub(self.offset.min(time / 2)));
        time.min(TIME_MAX)
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
    fn a_page_is_on_its_way_before_its_client_gives_up() {
        check(Some("10"), 9_500);
        check(Some("1.000000"), 500);
        check(Some("0.5"), 250);
        check(Some("1e300"), 299_500);
        check(Some("300.5"), 300_000);
        check(Some("300.4"), 299_900);
    }

    #[test]
    fn who_does_not_say_how_long_it_waits_gets_the_default() {
        for header in [None, Some(""), Some("0"), Some("-1"), Some("NaN"), Some("ten")] {
            check(header, 10_000);
        }
        check(Some("inf"), 299_500);
    }
}
