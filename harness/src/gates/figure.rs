//! What is measured, and how exactly it has to be what the budget says.

/// How far a figure may be from its budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tolerance {
    /// Not at all: more is a loss, and less has to be written down, so that nobody gives it back unseen.
    Exact,
    /// By so many percent, up and down: it depends a little on system and compiler.
    Percent(u64),
}

impl Tolerance {
    /// The least and the most that passes for this budget.
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
    /// What it is called in the budget. What follows a dot there tells several of one kind apart.
    pub name: &'static str,
    /// How exact it is.
    pub tolerance: Tolerance,
    /// What it counts.
    pub about: &'static str,
}

const fn exact(name: &'static str, about: &'static str) -> Figure {
    Figure { name, tolerance: Tolerance::Exact, about }
}

const fn within(percent: u64, name: &'static str, about: &'static str) -> Figure {
    Figure { name, tolerance: Tolerance::Percent(percent), about }
}

/// Heap allocations of a scrape.
pub const ALLOCATIONS: Figure = exact("allocations", "times that a steady scrape takes memory from the heap");
/// Bytes of a page.
pub const PAGE_BYTES: Figure = exact("page_bytes", "bytes of the page");
/// Samples of a page.
pub const PAGE_SAMPLES: Figure = exact("page_samples", "samples on the page");
/// Memory.
pub const PEAK_BYTES: Figure =
    within(2, "peak_bytes", "bytes of heap that a scraper and its page hold at most, from its making on");
/// Content of files.
pub const READ_BYTES: Figure = exact("read_bytes", "bytes of all files that are read");
/// Questions for the text of a link.
pub const LINKS: Figure = exact("links", "symbolic links whose text is read");
/// Questions for a directory.
pub const LISTS: Figure = exact("lists", "directories that are listed");
/// Questions for a file's kind, size or time.
pub const METADATA: Figure = exact("metadata", "files that are asked about and not opened");
/// Questions for a file.
pub const READS: Figure = exact("reads", "files that are opened to be read, those that are not there included");
/// Questions for a file that was read before.
pub const READS_AGAIN: Figure = exact("reads_again", "of these, how many were read before in the same scrape");
/// System calls by their names.
pub const SYSCALLS: Figure = exact("syscalls", "system calls of a scrape of a directory");
/// Instructions, by how the program was built.
pub const INSTRUCTIONS: Figure = within(2, "instructions", "instructions of a steady scrape in memory");
/// Latency of half of all scrapes.
pub const LATENCY_MEDIAN: Figure =
    exact("latency_median_microseconds", "what half of all scrapes take on a virtual clock where files cost time");
/// Latency of nearly all scrapes.
pub const LATENCY_P99: Figure = exact("latency_p99_microseconds", "what 99 of 100 scrapes take there");

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

/// The kind of a figure of this name, such as `syscalls.openat2`.
pub fn of(name: &str) -> Option<Figure> {
    let kind = name.split('.').next().unwrap_or(name);
    ALL.into_iter().find(|figure| figure.name == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_hold_on_both_sides() {
        assert_eq!(Tolerance::Exact.range(7), 7..=7);
        assert_eq!(Tolerance::Percent(2).range(1_000), 980..=1_020);
        assert_eq!(Tolerance::Percent(2).range(0), 0..=0);
    }

    #[test]
    fn figures_are_found_by_what_is_before_the_dot() {
        assert_eq!(of("syscalls.openat2"), Some(SYSCALLS));
        assert_eq!(of("reads"), Some(READS));
        assert_eq!(of("reads_once"), None);
        assert!(ALL.is_sorted_by(|one, other| one.name < other.name));
    }
}
