//! /sys/kernel/mm/hugepages and /sys/devices/system/node/node*/hugepages: the pool of huge pages of each size

use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Machine, NumaNode};
use crate::moment::Moment;
use crate::moment::memory::HugePages;
use crate::text::put_line;

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
