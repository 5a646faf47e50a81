//! /sys/kernel/mm and /sys/devices/system/node/node*/hugepages: the pool of huge pages of each size, and the deduplication
//! of equal pages, which is disabled

use crate::layout::{Content, Group, Part, Table, each_with};
use crate::machine::{KernelVersion, Machine, NumaNode};
use crate::moment::Moment;
use crate::moment::memory::HugePages;
use crate::text::put_line;

macro_rules! fixed {
    ($name:literal, $value:literal) => {
        ($name, Content::File(|_, _, into| put_line!(into, $value)))
    };
}

pub(super) const GROUPS: Table = &[
    &Group::<PageSize> {
        under: "kernel/mm/hugepages",
        parts: |machine| Box::new(PageSize::each(machine)),
        path: |size, _| size.folder().into(),
        entries: &[
            ("free_hugepages", Content::File(|size, m, into| put_line!(into, "{}", size.pool(m).free))),
            ("nr_hugepages", Content::File(|size, m, into| put_line!(into, "{}", size.pool(m).total))),
            ("nr_hugepages_mempolicy", Content::File(|size, m, into| put_line!(into, "{}", size.pool(m).total))),
            ("nr_overcommit_hugepages", Content::File(|_, _, into| put_line!(into, "0"))),
            ("resv_hugepages", Content::File(|size, m, into| put_line!(into, "{}", size.pool(m).promised))),
            ("surplus_hugepages", Content::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
    &Group::<NodePageSize> {
        under: "devices/system/node",
        parts: |machine| Box::new(NodePageSize::each(machine)),
        path: |of, _| format!("node{}/hugepages/{}", of.node, of.size.folder()).into(),
        entries: &[
            ("free_hugepages", Content::File(|of, m, into| put_line!(into, "{}", of.pool(m).free))),
            ("nr_hugepages", Content::File(|of, m, into| put_line!(into, "{}", of.pool(m).total))),
            ("surplus_hugepages", Content::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
    &Group::of_host(
        "kernel/mm/ksm",
        &[
            fixed!("full_scans", "0"),
            fixed!("max_page_sharing", "256"),
            fixed!("merge_across_nodes", "1"),
            fixed!("pages_shared", "0"),
            fixed!("pages_sharing", "0"),
            fixed!("pages_to_scan", "100"),
            fixed!("pages_unshared", "0"),
            fixed!("pages_volatile", "0"),
            fixed!("run", "0"),
            fixed!("sleep_millisecs", "20"),
            fixed!("stable_node_chains", "0"),
            fixed!("stable_node_dups", "0"),
            fixed!("use_zero_pages", "0"),
        ],
    ),
    &Group::<Machine> {
        under: "kernel/mm/ksm",
        parts: |machine| each_with([machine], |machine| machine.kernel() >= KernelVersion::new(6, 4)),
        path: |_, _| "".into(),
        entries: &[fixed!("general_profit", "0"), fixed!("ksm_zero_pages", "0"), fixed!("pages_scanned", "0")],
    },
];

/// A size of huge pages.
#[derive(Clone, Copy)]
struct PageSize {
    kilobytes: u64,
    /// Whether the reserved pages have this size.
    is_reserved: bool,
}

impl Part for PageSize {
    type Of<'a> = Self;
}

impl PageSize {
    fn each(machine: &Machine) -> impl Iterator<Item = Self> + use<> {
        let sizes = machine.system.architecture.huge_page_sizes().iter().enumerate();
        sizes.map(|(position, &kilobytes)| Self { kilobytes, is_reserved: position == 0 })
    }

    fn folder(self) -> String {
        format!("hugepages-{}kB", self.kilobytes)
    }

    fn pool(self, moment: &Moment<'_>) -> HugePages {
        if self.is_reserved { moment.memory().huge } else { HugePages::default() }
    }
}

/// A size of huge pages on a NUMA node.
#[derive(Clone, Copy)]
struct NodePageSize {
    node: NumaNode,
    size: PageSize,
}

impl Part for NodePageSize {
    type Of<'a> = Self;
}

impl NodePageSize {
    fn each(machine: &Machine) -> impl Iterator<Item = Self> {
        machine.processor.nodes().flat_map(|node| PageSize::each(machine).map(move |size| Self { node, size }))
    }

    fn pool(self, moment: &Moment<'_>) -> HugePages {
        if self.size.is_reserved { moment.memory_of_node(self.node).huge } else { HugePages::default() }
    }
}
