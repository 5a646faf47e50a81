//! Memory zones and their free pages.

use super::Moment;
use crate::machine::{Architecture, NumaNode};

/// The number of block sizes: 1, 2, 4 … pages.
pub(crate) const ORDERS: usize = 11;

/// A zone of a NUMA node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Zone {
    pub(crate) node: NumaNode,
    pub(crate) name: &'static str,
    /// Managed pages.
    pub(crate) managed: u64,
    /// Managed pages of the node's earlier zones, and of the whole node.
    before: u64,
    of_node: u64,
}

impl Zone {
    /// The zone's part of a number of its node; the parts of all zones sum up to the whole.
    pub(crate) fn part(&self, of_node: u64) -> u64 {
        let up_to = |pages: u64| {
            let part = u128::from(of_node) * u128::from(pages) / u128::from(self.of_node.max(1));
            u64::try_from(part).unwrap_or_default()
        };
        up_to(self.before + self.managed) - up_to(self.before)
    }
}

impl Moment<'_> {
    /// Zones in the order of /proc/zoneinfo. Only node 0 has zones for DMA.
    pub(crate) fn zones(&self) -> Vec<Zone> {
        const MIB_KILOBYTES: u64 = 1_024;
        let page = self.page_kilobytes();
        let low: &[(&str, u64)] = match self.machine.system.architecture {
            Architecture::X86_64 => &[("DMA", 15 * MIB_KILOBYTES), ("DMA32", 2_960 * MIB_KILOBYTES)],
            Architecture::Aarch64 { .. } => &[("DMA", 944 * MIB_KILOBYTES), ("DMA32", 2_000 * MIB_KILOBYTES)],
            Architecture::S390x => &[("DMA", 2_048 * MIB_KILOBYTES)],
            Architecture::Ppc64le => &[],
        };
        let mut zones = Vec::new();
        for node in self.machine.processor.nodes() {
            let of_node = self.part_of_node(self.machine.memory.pages, node);
            let mut before = 0;
            let mut push = |name, managed| {
                zones.push(Zone { node, name, managed, before, of_node });
                before += managed;
                of_node - before
            };
            let mut rest = of_node;
            for (name, kilobytes) in low.iter().filter(|_| node.number() == 0) {
                rest = push(name, (kilobytes / page).min(rest));
            }
            push("Normal", rest);
        }
        zones.retain(|zone| zone.managed > 0);
        zones
    }

    pub(crate) fn free_of_zone(&self, zone: &Zone) -> u64 {
        zone.part(self.memory_of_node(zone.node).free)
    }

    /// The free pages of a zone as blocks of each order, mostly of the largest.
    pub(crate) fn free_blocks(&self, zone: &Zone) -> [u64; ORDERS] {
        /// The share of the remaining pages in blocks of each order, in thousandths.
        const PARTS: [u64; ORDERS] = [1_000, 700, 600, 500, 400, 350, 300, 300, 300, 400, 900];
        let mut blocks = [0; ORDERS];
        let mut rest = self.free_of_zone(zone);
        for (order, (block, part)) in blocks.iter_mut().zip(PARTS).enumerate().rev() {
            *block = (rest * part / 1_000) >> order;
            rest -= *block << order;
        }
        blocks
    }

    /// The watermarks min, low and high.
    pub(crate) fn watermarks(&self, zone: &Zone) -> [u64; 3] {
        let least = zone.part(self.part_of_node(self.scaled(4_200), zone.node));
        [least, least + least / 4, least + least / 2]
    }

    /// Allocations on a node, and those on another node than intended.
    pub(crate) fn allocations_of_node(&self, node: NumaNode) -> [u64; 2] {
        let (load, nodes) = (&self.machine.load, self.machine.processor.nodes as u64);
        let all = self.counter(load, 5_640_000 * nodes);
        let away = if nodes > 1 { self.counter(load, 21_000 * nodes) } else { 0 };
        [self.part_of_node(all, node), self.part_of_node(away, node)]
    }
}
