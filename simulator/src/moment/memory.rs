//! Where the memory is. All parts add up to the whole, page by page.

use super::Moment;
use super::growth::Grown;
use crate::machine::NumaNode;
use crate::wave::MICROS;

/// In pages of the architecture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MemoryParts {
    pub(crate) free: u64,
    pub(crate) available: u64,
    pub(crate) buffers: u64,
    /// The page cache without buffers, with shared memory.
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
    /// What the kernel keeps for itself and tells nowhere.
    pub(crate) untold: u64,
    pub(crate) huge: HugePages,
}

/// The huge pages that are set aside, counted as such.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct HugePages {
    pub(crate) total: u64,
    /// Nobody has them.
    pub(crate) free: u64,
    /// Of those, somebody was promised these.
    pub(crate) promised: u64,
}

impl MemoryParts {
    /// The same of every part.
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

    /// What `MemTotal` is made of, but for huge pages that are set aside.
    #[cfg(test)]
    pub(crate) fn sum(self) -> u64 {
        let kernel =
            self.slab_reclaimable + self.slab_unreclaimable + self.kernel_stack + self.page_tables + self.per_cpu;
        self.free + self.buffers + self.cached + self.anonymous + self.swap_cached + kernel + self.untold
    }
}

/// What the numbers here are for: a machine of 8 GiB with pages of 4 KiB.
const USUAL_PAGES: u64 = 2_037_077;
/// The pages below which the kernel begins to look for memory.
const LOW_WATERMARK: u64 = 16_880;

impl Moment<'_> {
    /// The part of one NUMA node; those of all nodes are the whole.
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

    /// With so much more that somebody holds than programs usually do.
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
        // A little of the swap was used at some time and never came back.
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

    /// Who asked for them has most from its start on, and takes what it was promised when there is more to do.
    fn huge_pool(&self) -> HugePages {
        let total = self.machine.memory.reserved_pages / self.huge_pages();
        let (held, promised) = (total * 7 / 10, total / 10);
        let taken = (promised * self.recent(&self.machine.load, 900) / 2_000).min(promised);
        HugePages { total, free: total - held - taken, promised: promised - taken }
    }

    /// As many pages on this machine as so many on one of 8 GiB.
    pub(crate) fn scaled(&self, pages: u64) -> u64 {
        let scaled = u128::from(pages) * u128::from(self.machine.memory.pages) / u128::from(USUAL_PAGES);
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }

    /// How many pages a huge one of the usual size has.
    pub(crate) fn huge_pages(&self) -> u64 {
        let sizes = self.machine.system.architecture.huge_page_sizes();
        sizes.first().map_or(1, |kilobytes| kilobytes / self.page_kilobytes())
    }

    /// A cache that has a quarter of its size from the start and fills within about so many seconds; then it breathes.
    fn filled(&self, pages: u64, seconds: u64) -> u64 {
        let room = pages - pages / 4;
        let micros = (seconds * MICROS).max(1);
        // Half of the room is full after that time, two thirds after twice of it.
        let uptime = u128::from(self.uptime_micros());
        let part = u128::from(room) * uptime / (uptime + u128::from(micros));
        let breath = pages / 40 * (2_000_u64.saturating_sub(self.recent(&self.machine.load, 1_800))) / 2_000;
        pages / 4 + u64::try_from(part).unwrap_or_default() - breath.min(pages / 8)
    }

    /// What is in tmpfs, and what programs share besides.
    fn shared_pages(&self) -> u64 {
        let tmpfs = self.machine.mounts.iter().filter(|mount| mount.fs_type == "tmpfs");
        tmpfs.map(|mount| self.used_blocks(mount.space).min(mount.space.blocks)).sum::<u64>() + self.scaled(310)
    }

    pub(crate) fn swap_pages_moved(&self) -> (u64, u64) {
        if self.machine.memory.swap_pages == 0 {
            return (0, 0);
        }
        // What went out comes back only if somebody asks for it.
        (1_190, 1_376 + self.swapped_out())
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
