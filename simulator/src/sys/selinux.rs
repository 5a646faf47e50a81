//! /sys/fs/selinux, on distributions that have it

use crate::layout::{Group, What};
use crate::machine::Machine;
use crate::moment::Moment;

pub(super) static GROUPS: [Group; 1] = [Group {
    under: "fs/selinux",
    each: enforced,
    entries: &[
        ("enforce", What::File(|_, _, into| into.extend_from_slice(b"1"))),
        ("policyvers", What::File(|_, _, into| into.extend_from_slice(b"33"))),
    ],
}];

/// Visits the host if it has SELinux.
pub(crate) fn enforced(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    if is_enforced(moment.machine) {
        visit(0, b"");
    }
}

pub(crate) fn is_enforced(machine: &Machine) -> bool {
    machine.os.release.iter().any(|(key, value)| *key == "ID_LIKE" && value.contains("rhel"))
}
