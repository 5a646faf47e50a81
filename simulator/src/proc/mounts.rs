//! /proc/PID/mountinfo and mounts, and the links `self` and `mounts`

use crate::layout::{Group, What, once};
use crate::machine::MountPoint;
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) static GROUPS: [Group; 2] = [
    Group {
        under: "",
        each: each_process,
        entries: &[("mountinfo", What::File(mountinfo)), ("mounts", What::File(mounts))],
    },
    Group {
        under: "",
        each: once,
        entries: &[
            ("mounts", What::Link(|_, _, into| put!(into, "self/mounts"))),
            ("self", What::Link(|moment, _, into| put!(into, "{}", own_process(moment)))),
        ],
    },
];

pub(super) fn each_process(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let processes = &moment.machine.processes;
    // All others would say the same: the first and the one that asks speak for them.
    for (index, process) in processes.iter().enumerate().filter(|(index, _)| [0, processes.len() - 1].contains(index)) {
        visit(index, process.number.to_string().as_bytes());
    }
}

/// The process that asks: the last of the list.
pub(super) fn own_process(moment: &Moment<'_>) -> u32 {
    moment.machine.processes.last().map_or(1, |process| process.number)
}

fn mountinfo(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for mount in &moment.machine.mounts {
        put!(into, "{} {} {}:{} ", mount.id, mount.parent, mount.major, mount.minor);
        escape(&mount.root, into);
        put!(into, " ");
        escape(&mount.point, into);
        put!(into, " {} {}- {} ", mount.options, mount.propagation, mount.fs_type);
        escape(&mount.source, into);
        put_line!(into, " {}", mount.super_options);
    }
}

fn mounts(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for mount in &moment.machine.mounts {
        escape(&mount.source, into);
        put!(into, " ");
        escape(&mount.point, into);
        put!(into, " {} ", mount.fs_type);
        options(mount, into);
        put_line!(into, " 0 0");
    }
}

/// First whether it is read-only, then what the mount does, then what the file system says.
fn options(mount: &MountPoint, into: &mut Vec<u8>) {
    let (access, own) = mount.options.split_once(',').unwrap_or((mount.options, ""));
    let of_super = mount.super_options.split_once(',').map_or("", |(_, rest)| rest);
    put!(into, "{}", access);
    for more in [own, of_super].into_iter().filter(|more| !more.is_empty()) {
        put!(into, ",{more}");
    }
}

/// Space, tab, newline and backslash in octal.
pub(super) fn escape(text: &str, into: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => put!(into, "\\{byte:03o}"),
            other => into.push(other),
        }
    }
}
