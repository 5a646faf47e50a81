//! /proc/cgroups and /proc/PID/cgroup

use std::collections::BTreeMap;

use crate::layout::{Content, Group, Table};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("cgroups", Content::File(cgroups))])];

/// Controllers with their hierarchy on older systems, and the kernel that introduced them.
const CONTROLLERS: [(&str, u32, (u16, u16)); 14] = [
    ("cpuset", 9, (3, 10)),
    ("cpu", 4, (3, 10)),
    ("cpuacct", 4, (3, 10)),
    ("blkio", 7, (3, 10)),
    ("memory", 11, (3, 10)),
    ("devices", 6, (3, 10)),
    ("freezer", 5, (3, 10)),
    ("net_cls", 3, (3, 10)),
    ("perf_event", 8, (3, 10)),
    ("net_prio", 3, (3, 10)),
    ("hugetlb", 2, (3, 10)),
    ("pids", 10, (4, 3)),
    ("rdma", 12, (4, 11)),
    ("misc", 13, (5, 13)),
];
/// Control groups of systemd on a host without containers.
const GROUPS_OF_SYSTEMD: usize = 81;

fn cgroups(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "#subsys_name\thierarchy\tnum_cgroups\tenabled");
    let of_containers = moment.machine.control_groups.len();
    let (kernel, is_unified) = (moment.kernel(), moment.machine.has_one_hierarchy());
    for (name, hierarchy, (major, minor)) in CONTROLLERS {
        if kernel < KernelVersion::new(major, minor) {
            continue;
        }
        let is_whole = is_unified || matches!(name, "memory" | "pids" | "devices" | "cpu" | "cpuacct" | "blkio");
        let groups = if is_whole { GROUPS_OF_SYSTEMD } else { 1 } + of_containers;
        let hierarchy = if is_unified { 0 } else { hierarchy };
        put_line!(into, "{name}\t{hierarchy}\t{groups}\t1");
    }
}

/// /proc/PID/cgroup of a process in the group of a path, in every hierarchy.
pub(super) fn of_process(moment: &Moment<'_>, path: &[u8], into: &mut Vec<u8>) {
    let mut row = |hierarchy: u32, controllers: &str| {
        put!(into, "{hierarchy}:{controllers}:");
        into.extend_from_slice(path);
        into.push(b'\n');
    };
    if moment.machine.has_one_hierarchy() {
        return row(0, "");
    }
    let kernel = moment.kernel();
    let known = CONTROLLERS.iter().filter(|(_, _, (major, minor))| kernel >= KernelVersion::new(*major, *minor));
    let mut hierarchies: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (name, hierarchy, _) in known {
        hierarchies.entry(*hierarchy).or_default().push(name);
    }
    for (hierarchy, controllers) in hierarchies.into_iter().rev() {
        row(hierarchy, &controllers.join(","));
    }
    row(1, "name=systemd");
}
