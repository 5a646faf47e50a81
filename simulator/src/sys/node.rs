//! /sys/devices/system/node, a folder for each NUMA node

use crate::layout::{Content, Group, Table};
use crate::machine::{Cpu, Machine, NumaNode};
use crate::moment::Moment;
use crate::text::{BitMask, RangeList, put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::of_host(
        "devices/system/node",
        &[
            ("has_cpu", Content::File(all)),
            ("has_memory", Content::File(all)),
            ("has_normal_memory", Content::File(all)),
            ("online", Content::File(all)),
            ("possible", Content::File(all)),
        ],
    ),
    &Group::<NumaNode> {
        under: "devices/system/node",
        parts: |machine| Box::new(machine.processor.nodes()),
        path: |node, _| format!("node{node}").into(),
        entries: &[
            (
                "cpulist",
                Content::File(|node, m, into| put_line!(into, "{}", RangeList(&m.machine.processor.node_cpus(node)))),
            ),
            ("cpumap", Content::File(cpumap)),
            ("distance", Content::File(distance)),
            ("meminfo", Content::File(meminfo)),
            ("numastat", Content::File(numastat)),
        ],
    },
    &Group::<Cpu> {
        under: "devices/system/node",
        parts: |machine| Box::new(machine.processor.all()),
        path: |cpu, machine| format!("node{}/cpu{cpu}", machine.processor.node(cpu)).into(),
        entries: &[("", Content::Link(|cpu, _, into| put!(into, "../../cpu/cpu{cpu}")))],
    },
    &Group::<Cpu> {
        under: "devices/system/cpu",
        parts: |machine| Box::new(machine.processor.all()),
        path: |cpu, machine| format!("cpu{cpu}/node{}", machine.processor.node(cpu)).into(),
        entries: &[("", Content::Link(|cpu, m, into| put!(into, "../../node/node{}", m.machine.processor.node(cpu))))],
    },
];

fn all(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let nodes: Vec<NumaNode> = moment.machine.processor.nodes().collect();
    put_line!(into, "{}", RangeList(&nodes));
}

fn cpumap(node: NumaNode, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    put_line!(into, "{}", BitMask { set: &processor.node_cpus(node), width: processor.cpus });
}

/// 10 to the node itself, 12 within a socket, 32 to another socket.
fn distance(node: NumaNode, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let socket = |node: NumaNode| node.number() * processor.sockets / processor.nodes.max(1);
    let distances = processor.nodes().map(|other| match () {
        () if other == node => "10",
        () if socket(other) == socket(node) => "12",
        () => "32",
    });
    put_line!(into, "{}", distances.collect::<Vec<_>>().join(" "));
}

fn meminfo(node: NumaNode, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let page = moment.page_kilobytes();
    let parts = moment.memory_of_node(node);
    let total = moment.part_of_node(moment.machine.memory.pages, node);
    let lines = [
        ("MemTotal", total),
        ("MemFree", parts.free),
        ("MemUsed", total - parts.free),
        ("SwapCached", parts.swap_cached),
        ("Active", parts.active_anonymous + parts.active_file),
        ("Inactive", parts.inactive_anonymous + parts.inactive_file),
        ("Active(anon)", parts.active_anonymous),
        ("Inactive(anon)", parts.inactive_anonymous),
        ("Active(file)", parts.active_file),
        ("Inactive(file)", parts.inactive_file),
        ("Unevictable", parts.unevictable),
        ("Mlocked", parts.unevictable),
        ("Dirty", parts.dirty),
        ("Writeback", 0),
        ("FilePages", parts.cached + parts.buffers + parts.swap_cached),
        ("Mapped", parts.mapped),
        ("AnonPages", parts.anonymous),
        ("Shmem", parts.shared),
        ("KernelStack", parts.kernel_stack),
        ("PageTables", parts.page_tables),
        ("NFS_Unstable", 0),
        ("Bounce", 0),
        ("WritebackTmp", 0),
        ("KReclaimable", parts.slab_reclaimable),
        ("Slab", parts.slab_reclaimable + parts.slab_unreclaimable),
        ("SReclaimable", parts.slab_reclaimable),
        ("SUnreclaim", parts.slab_unreclaimable),
        ("AnonHugePages", parts.huge_anonymous),
        ("ShmemHugePages", 0),
        ("ShmemPmdMapped", 0),
    ];
    for (name, pages) in lines {
        put_line!(into, "Node {node} {:<16}{:>8} kB", format!("{name}:"), pages * page);
    }
    for (name, count) in [("Total", parts.huge.total), ("Free", parts.huge.free), ("Surp", 0)] {
        put_line!(into, "Node {node} HugePages_{name}: {count:>5}");
    }
}

fn numastat(node: NumaNode, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let [hits, away] = moment.allocations_of_node(node);
    let rows = [
        ("numa_hit", hits),
        ("numa_miss", away),
        ("numa_foreign", away),
        ("interleave_hit", 3_318),
        ("local_node", hits - away),
        ("other_node", 2 * away),
    ];
    for (name, count) in rows {
        put_line!(into, "{name} {count}");
    }
}
