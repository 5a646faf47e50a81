//! Files of the distribution, below the root file system.

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::sys::selinux::enforced;
use crate::text::{put, put_line};

/// Every table of this mount.
pub(crate) const GROUPS: &[&[Group]] = &[&FILES, &SELINUX];

static SELINUX: [Group; 1] = [Group {
    under: "etc/selinux",
    each: enforced,
    entries: &[("config", What::File(|_, _, into| put_line!(into, "SELINUX=enforcing\nSELINUXTYPE=targeted")))],
}];

static FILES: [Group; 1] = [Group {
    under: "",
    each: once,
    entries: &[
        ("etc/hostname", What::File(|moment, _, into| put_line!(into, "{}", moment.machine.system.hostname))),
        ("etc/os-release", What::Link(|_, _, into| put!(into, "../usr/lib/os-release"))),
        ("usr/lib/os-release", What::File(os_release)),
    ],
}];

/// Values that are more than one word stand between quotes.
fn os_release(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for (key, value) in moment.machine.os.release {
        let is_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let quote = if is_word { "" } else { "\"" };
        put_line!(into, "{key}={quote}{value}{quote}");
    }
}
