//! The usage of memory and swap, and memory leaks. The parts sum up to the whole exactly.

use super::Moment;
use crate::machine::{NumaNode, Swap};
use crate::past::Growth;
use crate::wave::MICROS;

/// In pages of the architecture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MemoryParts {
    pub(crate) free: u64,
    pub(crate) available: u64,
    pub(crate) buffers: u64,
    /// The page cache with shared memory, without buffers.
    pub(crate) cached: u64,
    pub(crate) active_anonymous: u64,
    pub(crate) inactive_anonymous: u64,
    pub(crate) active_file: u64,
    pub(crate) inactive_file: u64,
    pub(crate) unevictable: u64,
    pub(crate) anonymous: u64,
    pub(crate) mapped: u64,
    pub(crate) shared: u64,
    pub(crate) dirty: u64,
    pub(crate) slab_reclaimable: u64,
    pub(crate) slab_unreclaimable: u64,
    pub(crate) kernel_stack: u64,
    pub(crate) page_tables: u64,
    pub(crate) per_cpu: u64,
    pub(crate) virtual_used: u64,
    pub(crate) huge_anonymous: u64,
    pub(crate) swap_free: u64,
    pub(crate) swap_cached: u64,
    pub(crate) commit_limit: u64,
    pub(crate) committed: u64,
    /// Memory of the kernel that no file lists.
    pub(crate) untold: u64,
    pub(crate) huge: HugePages,
}

/// The pool of huge pages.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct HugePages {
    pub(crate) total: u64,
    /// Unallocated pages.
    pub(crate) free: u64,
    /// Unallocated pages that are reserved.
    pub(crate) promised: u64,
}

impl MemoryParts {
    /// Applies a function to every part.
    fn map(self, of: impl Fn(u64) -> u64) -> Self {
        Self {
            free: of(self.free),
            available: of(self.available),
            buffers: of(self.buffers),
            cached: of(self.cached),
            active_anonymous: of(self.active_anonymous),
            inactive_anonymous: of(self.inactive_anonymous),
            active_file: of(self.active_file),
            inactive_file: of(self.inactive_file),
            unevictable: of(self.unevictable),
            anonymous: of(self.anonymous),
            mapped: of(self.mapped),
            shared: of(self.shared),
            dirty: of(self.dirty),
            slab_reclaimable: of(self.slab_reclaimable),
            slab_unreclaimable: of(self.slab_unreclaimable),
            kernel_stack: of(self.kernel_stack),
            page_tables: of(self.page_tables),
            per_cpu: of(self.per_cpu),
            virtual_used: of(self.virtual_used),
            huge_anonymous: of(self.huge_anonymous),
            swap_free: of(self.swap_free),
            swap_cached: of(self.swap_cached),
            commit_limit: of(self.commit_limit),
            committed: of(self.committed),
            untold: of(self.untold),
            huge: HugePages { total: of(self.huge.total), free: of(self.huge.free), promised: of(self.huge.promised) },
        }
    }

    /// `MemTotal` without the pool of huge pages.
    #[cfg(test)]
    pub(crate) fn sum(self) -> u64 {
        let kernel =
            self.slab_reclaimable + self.slab_unreclaimable + self.kernel_stack + self.page_tables + self.per_cpu;
        self.free + self.buffers + self.cached + self.anonymous + self.swap_cached + kernel + self.untold
    }
}

/// The reference of the constants here: a machine of 8 GiB with pages of 4 KiB.
const USUAL_PAGES: u64 = 2_037_077;
/// The low watermark.
const LOW_WATERMARK: u64 = 16_880;

impl Moment<'_> {
    /// The part of one NUMA node; the parts of all nodes sum up to the whole.
    pub(crate) fn memory_of_node(&self, node: NumaNode) -> MemoryParts {
        self.memory().map(|pages| self.part_of_node(pages, node))
    }

    pub(crate) fn part_of_node(&self, sum: u64, node: NumaNode) -> u64 {
        (sum + node.number() as u64) / (self.machine.processor.nodes as u64).max(1)
    }

    pub(crate) fn memory(&self) -> MemoryParts {
        let grown = self.grown();
        self.memory_with(grown)
    }

    /// The usage with leaked pages.
    pub(super) fn memory_with(&self, grown: Grown) -> MemoryParts {
        let memory = self.machine.memory;
        let load = &self.machine.load;
        let scaled = |pages| self.scaled(pages);
        let low_watermark = scaled(LOW_WATERMARK);
        let unevictable = scaled(6_912);
        let shared = self.shared_pages();
        let usual = memory.anonymous_pages + memory.anonymous_pages_per_load * self.recent(load, 900) / 1_000;
        let anonymous = usual + grown.free + grown.files;
        let buffers = self.filled(scaled(18_400), 600);
        let files = self.filled(memory.cache_pages, 7_200).saturating_sub(grown.files);
        let slab_reclaimable = self.filled(scaled(39_700), 3_600);
        let slab_unreclaimable = scaled(16_300 + self.recent(load, 300) / 4);
        let kernel_stack = self.threads() * (16 / self.page_kilobytes()).max(1);
        let page_tables = usual / 180 + scaled(900);
        let per_cpu = 2_080 / self.page_kilobytes() * self.machine.processor.cpus as u64;
        let virtual_used = scaled(4_410) + kernel_stack;
        let untold = scaled(31_000) + self.flicker("untold memory", 40);
        // Some pages were swapped out early and are never used again.
        let (swapped, swap_cached) = (1_280.min(memory.swap_pages), 96.min(memory.swap_pages));
        let swapped = (swapped + grown.swap).min(memory.swap_pages);
        let cached = files + shared;
        let kernel = slab_reclaimable + slab_unreclaimable + kernel_stack + page_tables + per_cpu + untold;
        let free =
            memory.pages.saturating_sub(buffers + cached + anonymous + swap_cached + kernel + memory.reserved_pages);
        let lru_file = files + buffers - unevictable / 2;
        let lru_anonymous = anonymous + shared + swap_cached - (unevictable - unevictable / 2);
        let active_anonymous = lru_anonymous / 14;
        let active_file = lru_file * 2 / 5;
        let kept = |pages: u64| pages - (pages / 2).min(low_watermark);
        MemoryParts {
            free,
            available: (free + kept(lru_file) + kept(slab_reclaimable)).saturating_sub(low_watermark),
            buffers,
            cached,
            active_anonymous,
            inactive_anonymous: lru_anonymous - active_anonymous,
            active_file,
            inactive_file: lru_file - active_file,
            unevictable,
            anonymous,
            mapped: scaled(58_000) + anonymous / 40,
            shared,
            dirty: scaled(self.recent(load, 30) * 2 / 5),
            slab_reclaimable,
            slab_unreclaimable,
            kernel_stack,
            page_tables,
            per_cpu,
            virtual_used,
            huge_anonymous: anonymous / 4 / self.huge_pages() * self.huge_pages(),
            swap_free: memory.swap_pages - swapped,
            swap_cached,
            commit_limit: (memory.pages - memory.reserved_pages) / 2 + memory.swap_pages,
            committed: usual * 7 / 4 + grown.sum() + shared + scaled(92_000),
            untold,
            huge: self.huge_pool(),
        }
    }

    /// A program holds most of the pool from its start on, and uses its reservation under load.
    fn huge_pool(&self) -> HugePages {
        let total = self.machine.memory.reserved_pages / self.huge_pages();
        let (held, promised) = (total * 7 / 10, total / 10);
        let taken = (promised * self.recent(&self.machine.load, 900) / 2_000).min(promised);
        HugePages { total, free: total - held - taken, promised: promised - taken }
    }

    /// A number of pages scaled from the reference to this machine.
    pub(crate) fn scaled(&self, pages: u64) -> u64 {
        let scaled = u128::from(pages) * u128::from(self.machine.memory.pages) / u128::from(USUAL_PAGES);
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }

    /// Pages per huge page of the default size.
    pub(crate) fn huge_pages(&self) -> u64 {
        let sizes = self.machine.system.architecture.huge_page_sizes();
        sizes.first().map_or(1, |kilobytes| kilobytes / self.page_kilobytes())
    }

    /// The size of a cache: a quarter at the boot, filled with a time constant, varying with the load.
    fn filled(&self, pages: u64, seconds: u64) -> u64 {
        let room = pages - pages / 4;
        let micros = (seconds * MICROS).max(1);
        // Half of the rest is filled after the time constant, two thirds after twice that.
        let uptime = u128::from(self.uptime_micros());
        let part = u128::from(room) * uptime / (uptime + u128::from(micros));
        let breath = pages / 40 * (2_000_u64.saturating_sub(self.recent(&self.machine.load, 1_800))) / 2_000;
        pages / 4 + u64::try_from(part).unwrap_or_default() - breath.min(pages / 8)
    }

    /// Pages of tmpfs and of shared memory.
    fn shared_pages(&self) -> u64 {
        let tmpfs = self.machine.mounts.iter().filter(|mount| mount.fs_type == "tmpfs");
        tmpfs.map(|mount| self.used_blocks(mount.space).min(mount.space.blocks)).sum::<u64>() + self.scaled(310)
    }

    pub(crate) fn swap_pages_moved(&self) -> (u64, u64) {
        if self.machine.memory.swap_pages == 0 {
            return (0, 0);
        }
        // Swapped-out pages of leaks are never read again.
        (1_190, 1_376 + self.swapped_out())
    }
}

const HOUR_MICROS: u64 = 3_600 * MICROS;

/// Leaked pages, by their former use.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Grown {
    pub(super) free: u64,
    pub(super) files: u64,
    pub(super) swap: u64,
}

impl Grown {
    pub(super) fn sum(self) -> u64 {
        self.free + self.files + self.swap
    }

    /// The first pages of it: free memory, then page cache, then swap.
    fn first(self, pages: u64) -> Self {
        let free = pages.min(self.free);
        let files = (pages - free).min(self.files);
        Self { free, files, swap: (pages - free - files).min(self.swap) }
    }
}

impl Moment<'_> {
    /// Pages that leaks hold now.
    pub(super) fn grown(&self) -> Grown {
        let going_on = self.past.growths.iter().filter(|growth| {
            growth.from_micros <= self.micros && growth.until_micros.is_none_or(|until| self.micros < until)
        });
        let taken: u64 = going_on.map(|growth| self.taken(growth)).sum();
        if taken == 0 { Grown::default() } else { self.room().first(taken) }
    }

    /// Pages that leaks can take in total.
    fn room(&self) -> Grown {
        let parts = self.memory_with(Grown::default());
        Grown {
            // The kernel keeps a reserve.
            free: parts.free.saturating_sub(self.scaled(34_000)),
            // Frequently used files stay in the cache.
            files: (parts.cached - parts.shared) / 4 * 3,
            swap: parts.swap_free - parts.swap_free / 50,
        }
    }

    /// Pages that one leak has taken since it began, without a limit.
    fn taken(&self, growth: &Growth) -> u64 {
        let from = growth.from_micros.max(self.machine.boot_micros());
        let passed = u128::from(self.micros.saturating_sub(from));
        let (pages, over) = match (growth.pages_per_hour, growth.until_micros) {
            (Some(pages), _) => (pages, HOUR_MICROS),
            (None, Some(until)) => (self.at(from).room().sum(), until.saturating_sub(from).max(1)),
            (None, None) => return 0,
        };
        u64::try_from(passed * u128::from(pages) / u128::from(over)).unwrap_or(u64::MAX)
    }

    /// The moment at which one leak has taken a number of pages that were available when it began.
    fn taken_at_micros(&self, growth: &Growth, pages: impl Fn(Grown) -> u64) -> u64 {
        let from = growth.from_micros.max(self.machine.boot_micros());
        let room = self.at(from).room();
        let (rate, over) = match (growth.pages_per_hour, growth.until_micros) {
            (Some(rate), _) => (rate, HOUR_MICROS),
            (None, until) => (room.sum(), until.unwrap_or(u64::MAX).saturating_sub(from)),
        };
        let lasts = u128::from(pages(room)) * u128::from(over) / u128::from(rate.max(1));
        from.saturating_add(u64::try_from(lasts).unwrap_or(u64::MAX))
    }

    /// The time since the start in which tasks waited for memory: the kernel reclaims pages as soon as none is free.
    pub(super) fn thrashed_micros(&self) -> u64 {
        let growths = self.past.growths.iter().filter(|growth| growth.from_micros <= self.micros);
        let thrashed = growths.map(|growth| {
            let from = self.taken_at_micros(growth, |room| room.free);
            self.micros.min(growth.until_micros.unwrap_or(u64::MAX)).saturating_sub(from)
        });
        thrashed.max().unwrap_or_default()
    }

    /// Pages swapped out because of leaks.
    pub(super) fn swapped_out(&self) -> u64 {
        let growths = self.past.growths.iter().filter(|growth| growth.from_micros <= self.micros);
        let out = growths.map(|growth| {
            let from = growth.from_micros.max(self.machine.boot_micros());
            let end = self.at(growth.until_micros.unwrap_or(u64::MAX));
            self.at(from).room().first(end.taken(growth)).swap
        });
        out.sum()
    }
}

impl<'a> Moment<'a> {
    /// Each swap area and its used pages: areas fill in the order of priority.
    pub(crate) fn swaps(&self) -> impl Iterator<Item = (&'a Swap, u64)> {
        let mut left = self.machine.memory.swap_pages - self.memory().swap_free;
        self.machine.storage.swaps.iter().map(move |swap| {
            let used = left.min(swap.pages);
            left -= used;
            (swap, used)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::State;
    use crate::profile;
    use proptest::prelude::*;
    use std::time::Duration;

    proptest! {
        #[test]
        fn every_page_is_somewhere(seed: u64, seconds in 1_680_000_000_u64..1_900_000_000) {
            for profile in profile::profiles() {
                let state = State::from(profile.machine(seed, &[]).unwrap());
                let machine = &state.machine;
                let parts = Moment::new(&state, Duration::from_secs(seconds)).memory();
                prop_assert_eq!(parts.sum() + machine.memory.reserved_pages, machine.memory.pages, "{}", profile.name);
                prop_assert!(parts.free > machine.memory.pages / 100, "{}: {} pages are free", profile.name, parts.free);
            }
        }
    }
}
