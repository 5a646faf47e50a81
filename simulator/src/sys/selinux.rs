//! SELinux: /sys/fs/selinux, /proc/PID/attr and /etc/selinux, on distributions that enforce it

use crate::layout::{Content, Group, Table, each_with};
use crate::machine::{Machine, Process};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[&Group::<Machine> {
    under: "fs/selinux",
    parts: |machine| each_with([machine], is_enforced),
    path: |_, _| "".into(),
    entries: &[
        ("enforce", Content::File(|_, _, into| into.extend_from_slice(b"1"))),
        ("policyvers", Content::File(|_, _, into| into.extend_from_slice(b"33"))),
    ],
}];

pub(crate) const ROOTFS_GROUPS: Table = &[&Group::<Machine> {
    under: "etc/selinux",
    parts: |machine| each_with([machine], is_enforced),
    path: |_, _| "".into(),
    entries: &[("config", Content::File(|_, _, into| put_line!(into, "SELINUX=enforcing\nSELINUXTYPE=targeted")))],
}];

pub(crate) fn is_enforced(machine: &Machine) -> bool {
    machine.os.release.iter().any(|(key, value)| *key == "ID_LIKE" && value.contains("rhel"))
}

/// The label of a process.
pub(crate) const PROC_GROUPS: Table = &[&Group::<Process> {
    under: "",
    parts: |machine| Box::new(machine.first_and_own_process().filter(|_| is_enforced(machine))),
    path: |process, _| process.number.to_string().into(),
    entries: &[("attr/current", Content::File(current))],
}];

/// The kernel ends it with a NUL byte, not with a newline.
fn current(process: &Process, _: &Moment<'_>, into: &mut Vec<u8>) {
    let kind = if process.number == 1 { "init_t" } else { "unconfined_service_t" };
    put!(into, "system_u:system_r:{kind}:s0\0");
}
