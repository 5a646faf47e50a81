//! The clocks of the machine that the program runs on, whatever its operating system: [`super::linux::Linux`] reads
//! them, and so does a simulated host that measures how long a real scrape takes.
#![expect(clippy::disallowed_methods, reason = "the only file that reads clocks; other code asks a `Kernel`")]

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since 1970; zero on a machine whose clock is set before it.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Time since the first call in this process, by a clock that cannot be set.
pub fn monotonic() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_of_this_century() {
        assert!(now() > Duration::from_secs(1_700_000_000), "{:?}", now());
    }

    #[test]
    fn the_other_clock_counts_what_passes() {
        let before = monotonic();
        std::thread::sleep(Duration::from_millis(2));
        let passed = monotonic().saturating_sub(before);
        assert!(passed >= Duration::from_millis(2) && passed < Duration::from_secs(60), "{passed:?}");
    }
}
