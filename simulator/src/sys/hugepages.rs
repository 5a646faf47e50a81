//! /sys/kernel/mm/hugepages, and the same of each NUMA node: what is set aside as huge pages of each size

use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::moment::memory::HugePages;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 2] = [
    Group {
        under: "kernel/mm/hugepages",
        each: each_size,
        entries: &[
            ("free_hugepages", What::File(|m, i, into| put_line!(into, "{}", of_all(m, i, |huge| huge.free)))),
            ("nr_hugepages", What::File(|m, i, into| put_line!(into, "{}", of_all(m, i, |huge| huge.total)))),
            ("nr_hugepages_mempolicy", What::File(|m, i, into| put_line!(into, "{}", of_all(m, i, |huge| huge.total)))),
            ("nr_overcommit_hugepages", What::File(|_, _, into| put_line!(into, "0"))),
            ("resv_hugepages", What::File(|m, i, into| put_line!(into, "{}", of_all(m, i, |huge| huge.promised)))),
            ("surplus_hugepages", What::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
    Group {
        under: "devices/system/node",
        each: each_size_of_node,
        entries: &[
            ("free_hugepages", What::File(|m, i, into| put_line!(into, "{}", of_node(m, i, |huge| huge.free)))),
            ("nr_hugepages", What::File(|m, i, into| put_line!(into, "{}", of_node(m, i, |huge| huge.total)))),
            ("surplus_hugepages", What::File(|_, _, into| put_line!(into, "0"))),
        ],
    },
];

fn sizes(moment: &Moment<'_>) -> &'static [u64] {
    moment.machine.system.architecture.huge_page_sizes()
}

fn each_size(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (size, kilobytes) in sizes(moment).iter().enumerate() {
        visit(size, format!("hugepages-{kilobytes}kB").as_bytes());
    }
}

/// Numbered node by node.
fn each_size_of_node(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for node in 0..moment.machine.processor.nodes {
        for (size, kilobytes) in sizes(moment).iter().enumerate() {
            let number = node * sizes(moment).len() + size;
            visit(number, format!("node{node}/hugepages/hugepages-{kilobytes}kB").as_bytes());
        }
    }
}

/// All that are set aside are of the first size.
fn of_all(moment: &Moment<'_>, size: usize, part: fn(HugePages) -> u64) -> u64 {
    if size == 0 { part(moment.memory().huge) } else { 0 }
}

fn of_node(moment: &Moment<'_>, number: usize, part: fn(HugePages) -> u64) -> u64 {
    let (node, size) = (number / sizes(moment).len(), number % sizes(moment).len());
    if size == 0 { part(moment.memory_of_node(node).huge) } else { 0 }
}
