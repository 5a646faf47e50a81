//! Files of the distribution, below the root file system.

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::{put, put_line};

/// All tables of this mount.
pub(crate) const TABLES: &[Table] = &[GROUPS, crate::sys::selinux::ROOTFS_GROUPS];

const GROUPS: Table = &[&Group::of_host(
    "",
    &[
        ("etc/hostname", Content::File(|machine, _, into| put_line!(into, "{}", machine.system.hostname))),
        ("etc/os-release", Content::Link(|_, _, into| put!(into, "../usr/lib/os-release"))),
        ("usr/lib/os-release", Content::File(os_release)),
    ],
)];

/// Values of more than one word are quoted.
fn os_release(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    for (key, value) in moment.machine.os.release {
        let is_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let quote = if is_word { "" } else { "\"" };
        put_line!(into, "{key}={quote}{value}{quote}");
    }
}
