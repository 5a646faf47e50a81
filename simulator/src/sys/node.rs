//! /sys/devices/system/node, a folder for each NUMA node

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::{CpuList, CpuMask, put, put_line};

pub(super) static GROUPS: [Group; 4] = [
    Group {
        under: "devices/system/node",
        each: once,
        entries: &[
            ("has_cpu", What::File(all)),
            ("has_memory", What::File(all)),
            ("has_normal_memory", What::File(all)),
            ("online", What::File(all)),
            ("possible", What::File(all)),
        ],
    },
    Group {
        under: "devices/system/node",
        each: each_node,
        entries: &[
            ("cpulist", What::File(|m, i, into| put_line!(into, "{}", CpuList(&m.machine.processor.node_cpus(i))))),
            ("cpumap", What::File(cpumap)),
            ("distance", What::File(distance)),
            ("meminfo", What::File(meminfo)),
            ("numastat", What::File(numastat)),
        ],
    },
    Group {
        under: "devices/system/node",
        each: each_cpu_of_node,
        entries: &[("", What::Link(|_, i, into| put!(into, "../../cpu/cpu{i}")))],
    },
    Group {
        under: "devices/system/cpu",
        each: each_node_of_cpu,
        entries: &[("", What::Link(|m, i, into| put!(into, "../../node/node{}", m.machine.processor.node(i))))],
    },
];

fn each_node(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for node in 0..moment.machine.processor.nodes {
        visit(node, format!("node{node}").as_bytes());
    }
}

fn each_cpu_of_node(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let processor = &moment.machine.processor;
    for cpu in 0..processor.cpus {
        visit(cpu, format!("node{}/cpu{cpu}", processor.node(cpu)).as_bytes());
    }
}

fn each_node_of_cpu(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let processor = &moment.machine.processor;
    for cpu in 0..processor.cpus {
        visit(cpu, format!("cpu{cpu}/node{}", processor.node(cpu)).as_bytes());
    }
}

fn all(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    let nodes: Vec<usize> = (0..moment.machine.processor.nodes).collect();
    put_line!(into, "{}", CpuList(&nodes));
}

fn cpumap(moment: &Moment<'_>, node: usize, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    put_line!(into, "{}", CpuMask { cpus: &processor.node_cpus(node), possible: processor.cpus });
}

/// 10 to itself, a little more within a socket, much more to another.
fn distance(moment: &Moment<'_>, node: usize, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let socket = |node: usize| node * processor.sockets / processor.nodes.max(1);
    let distances = (0..processor.nodes).map(|other| match () {
        () if other == node => "10",
        () if socket(other) == socket(node) => "12",
        () => "32",
    });
    put_line!(into, "{}", distances.collect::<Vec<_>>().join(" "));
}

fn meminfo(moment: &Moment<'_>, node: usize, into: &mut Vec<u8>) {
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

fn numastat(moment: &Moment<'_>, node: usize, into: &mut Vec<u8>) {
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
