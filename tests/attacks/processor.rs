//! How long something takes, whatever else the machine has to do.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::exporter::Exporter;

/// What this takes, less the time that the exporter's threads and this one stand in line for a processor meanwhile: on a
/// machine that has other things to do, that is most of it. Threads that stand there at the same time count each, so that
/// little is left on a machine that is very busy; on one that is not, all of it is.
pub(crate) fn time(exporter: &Exporter, ask: impl FnOnce()) -> Duration {
    let (queued, begin) = (queued(exporter), Instant::now());
    ask();
    let took = begin.elapsed();
    took.saturating_sub(self::queued(exporter).saturating_sub(queued))
}

/// So far, by the kernel's account. A kernel that keeps none says 0, so that all that passes counts.
fn queued(exporter: &Exporter) -> Duration {
    let of_thread = |folder: PathBuf| -> Option<Duration> {
        let account = std::fs::read_to_string(folder.join("schedstat")).ok()?;
        account.split(' ').nth(1)?.parse().ok().map(Duration::from_nanos)
    };
    let threads = std::fs::read_dir(format!("/proc/{}/task", exporter.child.id())).unwrap();
    threads.filter_map(|thread| of_thread(thread.ok()?.path())).chain(of_thread("/proc/thread-self".into())).sum()
}
