//! What the process holds, counted exactly, and the verdict about several of these counts.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::allocations::{self, Held};
use harness::load::wait;

/// Pause between two looks at a count that may still change: the server frees a response after its last byte was sent.
const PAUSE: Duration = Duration::from_millis(5);
/// Looks until a count has to be final.
const LOOKS_MAX: u32 = 200;

/// Maximum number of serving threads at rest: a leader and two standbys. How many there are depends on how often a scrape
/// took longer than 20 ms.
const SERVING_MAX: usize = 3;
const SERVING: &str = "serve";

/// Counts of a process at rest. They hold no memory themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    held: Held,
    descriptors: usize,
    /// Serving threads, at least [`SERVING_MAX`], and all others.
    threads: usize,
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("/proc").count()
}

fn threads() -> BTreeMap<String, usize> {
    let mut threads = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").expect("/proc") {
        // A thread may end meanwhile.
        let Ok(name) = std::fs::read_to_string(task.expect("a thread").path().join("comm")) else { continue };
        *threads.entry(name.trim().to_owned()).or_default() += 1;
    }
    threads
}

/// The heap, once it has been the same for three looks.
fn held() -> Held {
    let mut seen = [allocations::held(); 3];
    for look in 0..LOOKS_MAX {
        wait(PAUSE);
        seen[look as usize % 3] = allocations::held();
        if look > 2 && seen.iter().all(|one| *one == seen[0]) {
            break;
        }
    }
    seen[0]
}

impl Counts {
    /// Counts now, once nothing is above the `earlier` counts or nothing changes any more: the server closes a connection
    /// after its client did.
    pub(super) fn now(earlier: &[Self]) -> Self {
        let mut counts = Self { held: held(), descriptors: 0, threads: 0 };
        for _ in 0..LOOKS_MAX {
            counts.descriptors = descriptors();
            counts.threads = threads().iter().map(|(name, count)| beyond_serving(name, *count)).sum();
            if counts.excess(earlier).is_empty() {
                break;
            }
            wait(PAUSE);
        }
        counts
    }

    /// These counts with the heap of earlier ones.
    pub(super) fn with_heap_of(self, earlier: Self) -> Self {
        Self { held: earlier.held, ..self }
    }

    /// Descriptors and threads beyond the least that was counted before.
    pub(super) fn excess(&self, earlier: &[Self]) -> Vec<String> {
        let found = |what, of: fn(&Self) -> usize| {
            let least = earlier.iter().map(of).min()?;
            (of(self) > least).then(|| format!("{what}: {least} before, {} after", of(self)))
        };
        let descriptors = found("descriptors", |counts| counts.descriptors);
        descriptors.into_iter().chain(found("threads", |counts| counts.threads)).collect()
    }
}

fn beyond_serving(name: &str, count: usize) -> usize {
    if name == SERVING { count.max(SERVING_MAX) } else { count }
}

fn median(values: &[isize]) -> isize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// Prints counts that were taken after equally many scrapes each. Returns what leaks.
///
/// A leak adds memory in every window. What happens once, such as the growth of a buffer for a page with a digit more, adds
/// memory in few of them: the median is exact.
pub(super) fn leaks(counts: &[Counts], scrapes: usize) -> Vec<String> {
    let Some((last, earlier)) = counts.split_last() else { return Vec::new() };
    let growth = |of: fn(&Held) -> usize| -> Vec<isize> {
        counts.windows(2).map(|pair| of(&pair[1].held).cast_signed() - of(&pair[0].held).cast_signed()).collect()
    };
    let (bytes, blocks) = (growth(|held| held.size_bytes), growth(|held| held.blocks));
    println!("growth of each {scrapes} scrapes: bytes {bytes:?}, blocks {blocks:?}");
    println!("{:?}, {} descriptors, threads {:?}", last.held, last.descriptors, threads());
    let mut leaks = Vec::new();
    if median(&bytes) > 0 || median(&blocks) > 0 {
        let (bytes, blocks) = (median(&bytes), median(&blocks));
        leaks.push(format!("memory: {bytes} bytes and {blocks} blocks in {scrapes} scrapes"));
    }
    leaks.extend(last.excess(earlier));
    leaks
}
