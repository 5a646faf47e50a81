//! The figures of the budget and their tolerances.

/// Allowed deviation of a figure from its budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tolerance {
    /// None: a higher figure is a regression, and a lower one must be recorded so that it is not lost again.
    Exact,
    /// By this percentage, up and down: the figure depends slightly on system and compiler.
    Percent(u64),
}

impl Tolerance {
    /// The range of values that pass for this budget.
    pub fn range(self, budget: u64) -> std::ops::RangeInclusive<u64> {
        match self {
            Self::Exact => budget..=budget,
            Self::Percent(percent) => {
                let slack = budget * percent / 100;
                budget - slack..=budget + slack
            }
        }
    }
}

/// One kind of figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figure {
    /// Its name in the budget; a suffix after a dot distinguishes several of a kind.
    pub name: &'static str,
    /// Its tolerance.
    pub tolerance: Tolerance,
    /// Description of the counted cost.
    pub about: &'static str,
}

const fn exact(name: &'static str, about: &'static str) -> Figure {
    Figure { name, tolerance: Tolerance::Exact, about }
}

const fn within(percent: u64, name: &'static str, about: &'static str) -> Figure {
    Figure { name, tolerance: Tolerance::Percent(percent), about }
}

/// Heap allocations of a scrape.
pub const ALLOCATIONS: Figure = exact("allocations", "heap allocations of a steady scrape");
/// Bytes of a page.
pub const PAGE_BYTES: Figure = exact("page_bytes", "bytes of the page");
/// Samples of a page.
pub const PAGE_SAMPLES: Figure = exact("page_samples", "samples on the page");
/// Peak heap usage.
pub const PEAK_BYTES: Figure =
    within(2, "peak_bytes", "peak heap bytes of a scraper and its page, construction included");
/// Bytes read.
pub const READ_BYTES: Figure = exact("read_bytes", "bytes read from files");
/// Symbolic links read.
pub const LINKS: Figure = exact("links", "symbolic links read");
/// Directories listed.
pub const LISTS: Figure = exact("lists", "directories listed");
/// Metadata accesses.
pub const METADATA: Figure = exact("metadata", "files whose metadata is read without opening them");
/// Files read.
pub const READS: Figure = exact("reads", "files opened for reading, missing ones included");
/// Repeated reads.
pub const READS_AGAIN: Figure = exact("reads_again", "reads of a file that was read before in the same scrape");
/// System calls, by name.
pub const SYSCALLS: Figure = exact("syscalls", "system calls of a scrape of a directory");
/// Instructions, by build profile.
pub const INSTRUCTIONS: Figure = within(2, "instructions", "instructions of a steady scrape in memory");
/// Median latency.
pub const LATENCY_MEDIAN: Figure =
    exact("latency_median_microseconds", "median latency of a scrape on a virtual clock where file accesses take time");
/// 99th percentile of latency.
pub const LATENCY_P99: Figure = exact("latency_p99_microseconds", "99th percentile of the same latency");

/// Every kind of figure.
pub const ALL: [Figure; 14] = [
    ALLOCATIONS,
    INSTRUCTIONS,
    LATENCY_MEDIAN,
    LATENCY_P99,
    LINKS,
    LISTS,
    METADATA,
    PAGE_BYTES,
    PAGE_SAMPLES,
    PEAK_BYTES,
    READ_BYTES,
    READS,
    READS_AGAIN,
    SYSCALLS,
];

/// Finds the kind of a figure by its name, such as `syscalls.openat2`.
pub fn of(name: &str) -> Option<Figure> {
    let kind = name.split('.').next().unwrap_or(name);
    ALL.into_iter().find(|figure| figure.name == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_apply_in_both_directions() {
        assert_eq!(Tolerance::Exact.range(7), 7..=7);
        assert_eq!(Tolerance::Percent(2).range(1_000), 980..=1_020);
        assert_eq!(Tolerance::Percent(2).range(0), 0..=0);
    }

    #[test]
    fn figures_are_found_by_the_name_before_the_dot() {
        assert_eq!(of("syscalls.openat2"), Some(SYSCALLS));
        assert_eq!(of("reads"), Some(READS));
        assert_eq!(of("reads_once"), None);
        assert!(ALL.is_sorted_by(|one, other| one.name < other.name));
    }
}
