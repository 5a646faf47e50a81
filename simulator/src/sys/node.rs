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
