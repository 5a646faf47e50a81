//! /proc/PID/statm, io, schedstat and cgroup: memory, I/O, run time and control groups of a process

use crate::layout::{Content, Group, Table, each};
use crate::machine::Process;
use crate::moment::Moment;
use crate::proc::cgroups;
use crate::text::{put, put_line};

pub(in crate::proc) const GROUPS: Table = &[&Group::<Process> {
    under: "",
    parts: |machine| each(&machine.processes),
    path: |process, _| process.number.to_string().into(),
    entries: &[
        ("cgroup", Content::File(cgroup)),
        ("io", Content::File(io)),
        ("schedstat", Content::File(schedstat)),
        ("statm", Content::File(statm)),
    ],
}];

/// Memory of a process, in pages.
pub(super) struct Pages {
    pub(super) size: u64,
    pub(super) resident: u64,
    /// Pages of files.
    pub(super) shared: u64,
    pub(super) text: u64,
    pub(super) data: u64,
    pub(super) stack: u64,
}

pub(super) fn pages(moment: &Moment<'_>, process: &Process) -> Pages {
    const STACK_KILOBYTES: u64 = 132;
    let resident = process.resident_pages;
    let stack = if process.is_kernel() { 0 } else { STACK_KILOBYTES.div_ceil(moment.page_kilobytes()) };
    Pages {
        size: resident * 9,
        resident,
        shared: resident - resident * 2 / 3,
        text: resident / 9,
        data: resident * 3 / 2,
        stack,
    }
}

/// Voluntary and involuntary context switches of a process.
pub(super) fn turns(moment: &Moment<'_>, process: &Process) -> [u64; 2] {
    let turns = moment.process_times(process).user * 7 + 41;
    [turns, turns / 30]
}

fn statm(process: &Process, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let Pages { size, resident, shared, text, data, stack } = pages(moment, process);
    put_line!(into, "{size} {resident} {shared} {text} 0 {} 0", data + stack);
}

/// Scheduler statistics: nanoseconds running, nanoseconds waiting for a CPU, and number of time slices.
fn schedstat(process: &Process, moment: &Moment<'_>, into: &mut Vec<u8>) {
    const TICK_NANOSECONDS: u64 = 10_000_000;
    let times = moment.process_times(process);
    let ran = (times.user + times.system) * TICK_NANOSECONDS;
    let [given, taken] = turns(moment, process);
    put_line!(into, "{ran} {} {}", ran / 37, given + taken);
}

/// I/O follows the CPU time; most reads hit the page cache.
fn io(process: &Process, moment: &Moment<'_>, into: &mut Vec<u8>) {
    const CALL_BYTES: u64 = 1_900;
    const SECTOR_BYTES: u64 = 4_096;
    let times = moment.process_times(process);
    let (reads, writes) = (times.system * 9, times.user * 2);
    put_line!(into, "rchar: {}\nwchar: {}", reads * CALL_BYTES, writes * CALL_BYTES / 3);
    put_line!(into, "syscr: {reads}\nsyscw: {writes}");
    put_line!(into, "read_bytes: {}\nwrite_bytes: {}", reads / 24 * SECTOR_BYTES, writes / 40 * SECTOR_BYTES);
    put_line!(into, "cancelled_write_bytes: 0");
}

/// Services have their own control group; kernel threads are in the root.
fn cgroup(process: &Process, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let mut path = Vec::new();
    match process.number {
        1 => put!(&mut path, "/init.scope"),
        _ if process.is_kernel() => put!(&mut path, "/"),
        _ => put!(&mut path, "/system.slice/{}.service", process.name),
    }
    cgroups::of_process(moment, &path, into);
}
