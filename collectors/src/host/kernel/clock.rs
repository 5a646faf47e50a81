//! The clocks of the machine, on every operating system. [`super::linux::Linux`] reads them, and so does a simulated host
//! to measure the duration of scrapes.
#![expect(clippy::disallowed_methods, reason = "the only file that reads clocks; other code asks a `Kernel`")]

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::host::schedule;

/// Time since 1970; zero if the clock is set to an earlier time.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Monotonic time since the first call in this process, or that of the simulation in a simulated thread.
pub fn monotonic() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    match schedule::simulated() {
        None => FIRST.get_or_init(Instant::now).elapsed(),
        Some(schedule) => schedule.monotonic(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_in_this_century() {
        assert!(now() > Duration::from_secs(1_700_000_000), "{:?}", now());
    }

    #[test]
    fn the_monotonic_clock_advances() {
        let before = monotonic();
        std::thread::sleep(Duration::from_millis(2));
        let passed = monotonic().saturating_sub(before);
        assert!(passed >= Duration::from_millis(2) && passed < Duration::from_secs(60), "{passed:?}");
    }
}
