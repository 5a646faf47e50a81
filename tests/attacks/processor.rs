//! Elapsed time without the time spent waiting for a CPU.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::exporter::Exporter;

/// Elapsed time of a call, without the time that threads of the exporter and this one wait for a CPU. Threads that wait
/// in parallel each count, so on a busy machine the result is too small; on an idle one it is exact.
pub(crate) fn time(exporter: &Exporter, ask: impl FnOnce()) -> Duration {
    let (queued, begin) = (queued(exporter), Instant::now());
    ask();
    let took = begin.elapsed();
    took.saturating_sub(self::queued(exporter).saturating_sub(queued))
}

/// Time spent in run queues so far. A kernel without schedstat reports 0, so all elapsed time counts.
fn queued(exporter: &Exporter) -> Duration {
    let of_thread = |folder: PathBuf| -> Option<Duration> {
        let account = std::fs::read_to_string(folder.join("schedstat")).ok()?;
        account.split(' ').nth(1)?.parse().ok().map(Duration::from_nanos)
    };
    let threads = std::fs::read_dir(format!("/proc/{}/task", exporter.child.id())).unwrap();
    threads.filter_map(|thread| of_thread(thread.ok()?.path())).chain(of_thread("/proc/thread-self".into())).sum()
}
