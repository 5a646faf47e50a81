//! /sys/fs/cgroup: the groups of containers, in one hierarchy or, on old systems, in one for each controller

use crate::layout::{Group, What};
use crate::machine::{ControlGroup, GroupLoad};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 6] = [
    Group {
        under: "fs/cgroup",
        each: |m, visit| each(m, visit, true, "", |_| true),
        entries: &[
            ("cgroup.controllers", What::File(|_, _, into| put_line!(into, "cpuset cpu io memory hugetlb pids rdma"))),
            ("cgroup.type", What::File(|_, _, into| put_line!(into, "domain"))),
            ("pids.current", What::File(processes)),
        ],
    },
    Group {
        under: "fs/cgroup",
        each: |m, visit| each(m, visit, true, "", |group| group.load.is_some()),
        entries: &[
            ("cpu.stat", What::File(|m, i, into| load(m, i, |g, l| cpu_stat(m.group_cpu_micros(g, l), into)))),
            ("memory.current", What::File(memory)),
        ],
    },
    Group {
        under: "fs/cgroup",
        each: |m, visit| each(m, visit, false, "pids/", |_| true),
        entries: &[("pids.current", What::File(processes))],
    },
    Group {
        under: "fs/cgroup",
        each: |m, visit| each(m, visit, false, "cpu,cpuacct/", |group| group.load.is_some()),
        entries: &[("cpuacct.usage", What::File(cpu_nanoseconds))],
    },
    Group {
        under: "fs/cgroup",
        each: |m, visit| each(m, visit, false, "memory/", |group| group.load.is_some()),
        entries: &[("memory.usage_in_bytes", What::File(memory))],
    },
    Group {
        under: "fs/cgroup",
        each: |m, visit| {
            if !m.has_one_hierarchy() && m.machine.control_groups.iter().any(|group| group.load.is_some()) {
                for name in ["cpu", "cpuacct"] {
                    visit(0, name.as_bytes());
                }
            }
        },
        entries: &[("", What::Link(|_, _, into| into.extend_from_slice(b"cpu,cpuacct")))],
    },
];

fn each(
    moment: &Moment<'_>,
    visit: &mut dyn FnMut(usize, &[u8]),
    in_one_hierarchy: bool,
    hierarchy: &str,
    is_meant: impl Fn(&ControlGroup) -> bool,
) {
    if moment.has_one_hierarchy() != in_one_hierarchy {
        return;
    }
    for (index, group) in moment.machine.control_groups.iter().enumerate() {
        if is_meant(group) {
            visit(index, format!("{hierarchy}{}", group.path).as_bytes());
        }
    }
}

fn load(moment: &Moment<'_>, index: usize, write: impl FnOnce(&ControlGroup, &GroupLoad)) {
    if let Some((group, load)) =
        moment.machine.control_groups.get(index).and_then(|group| Some((group, group.load.as_ref()?)))
    {
        write(group, load);
    }
}

/// With those of the groups below.
fn processes(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let groups = &moment.machine.control_groups;
    let Some(group) = groups.get(index) else { return };
    let is_within = |other: &&ControlGroup| {
        other.path.strip_prefix(&group.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    put_line!(into, "{}", groups.iter().filter(is_within).map(|group| group.processes).sum::<u32>());
}

fn memory(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    load(moment, index, |_, load| put_line!(into, "{}", moment.group_memory_bytes(load)));
}

fn cpu_nanoseconds(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    load(moment, index, |group, load| put_line!(into, "{}", moment.group_cpu_micros(group, load) * 1_000));
}

fn cpu_stat(micros: u64, into: &mut Vec<u8>) {
    let system = micros / 5;
    put_line!(into, "usage_usec {micros}\nuser_usec {}\nsystem_usec {system}", micros - system);
    put_line!(into, "nr_periods 0\nnr_throttled 0\nthrottled_usec 0");
}
