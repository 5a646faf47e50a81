//! /proc/PID/attr: how a security module labels a process

use super::mounts::each_process;
use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::sys::selinux::is_enforced;
use crate::text::put;

pub(super) static GROUPS: [Group; 1] = [Group {
    under: "",
    each: |moment, visit| {
        if is_enforced(moment.machine) {
            each_process(moment, visit);
        }
    },
    entries: &[("attr/current", What::File(current))],
}];

/// Ended by a zero rather than a new line.
fn current(moment: &Moment<'_>, process: usize, into: &mut Vec<u8>) {
    let is_first = moment.machine.processes.get(process).is_some_and(|process| process.number == 1);
    let kind = if is_first { "init_t" } else { "unconfined_service_t" };
    put!(into, "system_u:system_r:{kind}:s0\0");
}
