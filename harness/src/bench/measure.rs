//! Measuring: CPU time where the system reports it, medians of several runs, and comparisons measured in turns.

use std::io;
use std::path::Path;
use std::time::Duration;

use collectors::host::kernel::clock;

use crate::load;

/// Maximum number of iterations of one measurement, for a thread that gets little CPU time.
const ROUNDS_MAX: u32 = 10_000;

/// CPU time of this thread; elapsed time where the system does not report it.
pub(super) fn cpu_time() -> Duration {
    // The kernel updates the figure when the thread yields.
    std::thread::yield_now();
    match load::bytes(Path::new("/proc/thread-self/schedstat")) {
        Ok(text) => Duration::from_nanos(super::process::first_number(&text)),
        Err(_) => clock::monotonic(),
    }
}

/// Nanoseconds per iteration, over as many iterations as fit into the time.
pub(super) fn nanoseconds(time: Duration, mut work: impl FnMut()) -> f64 {
    let (begin, begin_cpu) = (clock::monotonic(), cpu_time());
    let mut rounds = 0;
    while rounds == 0 || (rounds < ROUNDS_MAX && clock::monotonic().saturating_sub(begin) < time) {
        work();
        rounds += 1;
    }
    cpu_time().saturating_sub(begin_cpu).as_nanos() as f64 / f64::from(rounds)
}

/// The median; the lower of the two middle values if their number is even.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// Medians of several measurements taken in turns, so that a load peak affects all of them.
pub(super) fn medians<const N: usize>(
    runs: usize,
    mut run: impl FnMut() -> io::Result<[f64; N]>,
) -> io::Result<[f64; N]> {
    let runs = (0..runs.max(1)).map(|_| run()).collect::<io::Result<Vec<_>>>()?;
    Ok(std::array::from_fn(|at| median(runs.iter().map(|run| run[at]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median([3.0, 1.0, 2.0]).to_bits(), 2_f64.to_bits());
        assert_eq!(median([4.0, 1.0]).to_bits(), 1_f64.to_bits());
        assert!(median([]).is_nan());
        let mut runs = [[1.0, 30.0], [2.0, 10.0], [3.0, 20.0]].into_iter();
        let found = medians(3, || runs.next().ok_or_else(|| io::Error::other("no run"))).expect("runs");
        assert_eq!(found.map(f64::to_bits), [2.0, 20.0].map(f64::to_bits));
    }

    #[test]
    fn sleeping_uses_no_cpu_time() {
        let busy = nanoseconds(Duration::from_millis(50), || {
            std::hint::black_box((0..10_000_u32).fold(0, |sum, next| std::hint::black_box(sum ^ next)));
        });
        assert!(busy > 1_000.0, "{busy}");
        #[cfg(target_os = "linux")]
        {
            let asleep = nanoseconds(Duration::ZERO, || std::thread::sleep(Duration::from_millis(30)));
            assert!(asleep < 10_000_000.0, "{asleep}");
        }
    }
}
