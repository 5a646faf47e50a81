//! /sys/fs/cgroup: control groups of containers, in one hierarchy or, on older systems, one per controller

use crate::layout::{Content, Group, Part, Table, each_with};
use crate::machine::{ControlGroup, GroupLoad, Machine};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) const GROUPS: Table = &[
    &Group::<ControlGroup> {
        under: "fs/cgroup",
        parts: |machine| each_with(&machine.control_groups, |_| machine.has_one_hierarchy()),
        path: |group, _| group.path.as_str().into(),
        entries: &[
            (
                "cgroup.controllers",
                Content::File(|_, _, into| put_line!(into, "cpuset cpu io memory hugetlb pids rdma")),
            ),
            ("cgroup.type", Content::File(|_, _, into| put_line!(into, "domain"))),
            ("pids.current", Content::File(processes)),
        ],
    },
    &Group::<LoadedGroup<'static>> {
        under: "fs/cgroup",
        parts: |machine| Box::new(LoadedGroup::each(machine).filter(|_| machine.has_one_hierarchy())),
        path: |loaded, _| loaded.group.path.as_str().into(),
        entries: &[("cpu.stat", Content::File(cpu_stat)), ("memory.current", Content::File(memory))],
    },
    &Group::<ControlGroup> {
        under: "fs/cgroup",
        parts: |machine| each_with(&machine.control_groups, |_| !machine.has_one_hierarchy()),
        path: |group, _| format!("pids/{}", group.path).into(),
        entries: &[("pids.current", Content::File(processes))],
    },
    &Group::<LoadedGroup<'static>> {
        under: "fs/cgroup",
        parts: |machine| Box::new(LoadedGroup::each(machine).filter(|_| !machine.has_one_hierarchy())),
        path: |loaded, _| format!("cpu,cpuacct/{}", loaded.group.path).into(),
        entries: &[("cpuacct.usage", Content::File(cpu_nanoseconds))],
    },
    &Group::<LoadedGroup<'static>> {
        under: "fs/cgroup",
        parts: |machine| Box::new(LoadedGroup::each(machine).filter(|_| !machine.has_one_hierarchy())),
        path: |loaded, _| format!("memory/{}", loaded.group.path).into(),
        entries: &[("memory.usage_in_bytes", Content::File(memory))],
    },
    &Group::<Machine> {
        under: "fs/cgroup",
        parts: |machine| each_with([machine], has_cpu_hierarchy),
        path: |_, _| "".into(),
        entries: &[("cpu", Content::Link(cpu_hierarchy)), ("cpuacct", Content::Link(cpu_hierarchy))],
    },
];

/// A control group whose processes use CPU time and memory of their own.
#[derive(Clone, Copy)]
struct LoadedGroup<'a> {
    group: &'a ControlGroup,
    load: &'a GroupLoad,
}

impl Part for LoadedGroup<'static> {
    type Of<'a> = LoadedGroup<'a>;
}

impl<'a> LoadedGroup<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine.control_groups.iter().filter_map(|group| Some(Self { group, load: group.load.as_ref()? }))
    }
}

fn has_cpu_hierarchy(machine: &Machine) -> bool {
    !machine.has_one_hierarchy() && machine.control_groups.iter().any(|group| group.load.is_some())
}

fn cpu_hierarchy(_: &Machine, _: &Moment<'_>, into: &mut Vec<u8>) {
    into.extend_from_slice(b"cpu,cpuacct");
}

/// The processes of a group and of the groups below it.
fn processes(group: &ControlGroup, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let is_within = |other: &&ControlGroup| {
        other.path.strip_prefix(&group.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let groups = moment.machine.control_groups.iter().filter(is_within);
    put_line!(into, "{}", groups.map(|group| group.processes).sum::<u32>());
}

fn memory(LoadedGroup { load, .. }: LoadedGroup<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{}", moment.group_memory_bytes(load));
}

fn cpu_nanoseconds(LoadedGroup { group, load }: LoadedGroup<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{}", moment.group_cpu_micros(group, load) * 1_000);
}

fn cpu_stat(LoadedGroup { group, load }: LoadedGroup<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let micros = moment.group_cpu_micros(group, load);
    let system = micros / 5;
    put_line!(into, "usage_usec {micros}\nuser_usec {}\nsystem_usec {system}", micros - system);
    put_line!(into, "nr_periods 0\nnr_throttled 0\nthrottled_usec 0");
}
