//! /proc/PID/attr: the label of a process in a security module

use super::mounts::first_and_own_process;
use crate::layout::{Content, Group, Table};
use crate::machine::Process;
use crate::moment::Moment;
use crate::sys::selinux::is_enforced;
use crate::text::put;

pub(super) const GROUPS: Table = &[&Group::<Process> {
    under: "",
    parts: |machine| Box::new(first_and_own_process(machine).filter(|_| is_enforced(machine))),
    path: |process, _| process.number.to_string().into(),
    entries: &[("attr/current", Content::File(current))],
}];

/// The kernel ends it with a NUL byte, not with a newline.
fn current(process: &Process, _: &Moment<'_>, into: &mut Vec<u8>) {
    let kind = if process.number == 1 { "init_t" } else { "unconfined_service_t" };
    put!(into, "system_u:system_r:{kind}:s0\0");
}
