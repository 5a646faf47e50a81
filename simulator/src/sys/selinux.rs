//! /sys/fs/selinux, on distributions that enforce SELinux

use crate::layout::{Content, Group, Table, each_with};
use crate::machine::Machine;

pub(super) const GROUPS: Table = &[&Group::<Machine> {
    under: "fs/selinux",
    parts: |machine| each_with([machine], is_enforced),
    path: |_, _| "".into(),
    entries: &[
        ("enforce", Content::File(|_, _, into| into.extend_from_slice(b"1"))),
        ("policyvers", Content::File(|_, _, into| into.extend_from_slice(b"33"))),
    ],
}];

pub(crate) fn is_enforced(machine: &Machine) -> bool {
    machine.os.release.iter().any(|(key, value)| *key == "ID_LIKE" && value.contains("rhel"))
}
