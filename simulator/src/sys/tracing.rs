//! /sys/kernel/tracing, or its place in debugfs on older kernels: the numbers of tracepoints

use crate::layout::{Content, ContentOf, Group, Table, each_with};
use crate::machine::{KernelVersion, Machine};
use crate::moment::perf::TRACEPOINTS;
use crate::text::put_line;

/// Since this version tracepoints have a file system of their own.
const OWN_SINCE: KernelVersion = KernelVersion::new(4, 1);

const NUMBERS: &[(&str, ContentOf<Machine>)] = &[
    ("sched/sched_process_fork/id", Content::File(|_, _, into| put_line!(into, "{}", TRACEPOINTS[0].1))),
    ("sched/sched_switch/id", Content::File(|_, _, into| put_line!(into, "{}", TRACEPOINTS[1].1))),
];

pub(super) const GROUPS: Table = &[
    &Group::<Machine> {
        under: "kernel/tracing/events",
        parts: |machine| each_with([machine], |machine| machine.kernel() >= OWN_SINCE),
        path: |_, _| "".into(),
        entries: NUMBERS,
    },
    &Group::<Machine> {
        under: "kernel/debug/tracing/events",
        parts: |machine| each_with([machine], |machine| machine.kernel() < OWN_SINCE),
        path: |_, _| "".into(),
        entries: NUMBERS,
    },
];
