//! /proc/PID/mountinfo, mounts and mountstats, and the links `self` and `mounts`

use crate::layout::{Content, Group, Table};
use crate::machine::{KernelVersion, Machine, MountPoint, NfsMount, NfsVersion, Process};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<Process> {
        under: "",
        parts: Machine::first_and_own_process,
        path: |process, _| process.number.to_string().into(),
        entries: &[
            ("mountinfo", Content::File(mountinfo)),
            ("mounts", Content::File(mounts)),
            ("mountstats", Content::File(mountstats)),
        ],
    },
    &Group::of_host(
        "",
        &[
            ("mounts", Content::Link(|_, _, into| put!(into, "self/mounts"))),
            ("self", Content::Link(|machine, _, into| put!(into, "{}", own_process(machine)))),
        ],
    ),
];

/// The number of the process that reads: the last one.
pub(super) fn own_process(machine: &Machine) -> u32 {
    machine.processes.last().map_or(1, |process| process.number)
}

fn mountinfo(_: &Process, moment: &Moment<'_>, into: &mut Vec<u8>) {
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

fn mounts(_: &Process, moment: &Moment<'_>, into: &mut Vec<u8>) {
    for mount in &moment.machine.mounts {
        escape(&mount.source, into);
        put!(into, " ");
        escape(&mount.point, into);
        put!(into, " {} ", mount.fs_type);
        options(mount, into);
        put_line!(into, " 0 0");
    }
}

/// Access mode, mount options, then options of the file system.
fn options(mount: &MountPoint, into: &mut Vec<u8>) {
    let (access, own) = mount.options.split_once(',').unwrap_or((mount.options, ""));
    let of_super = mount.super_options.split_once(',').map_or("", |(_, rest)| rest);
    put!(into, "{}", access);
    for more in [own, of_super].into_iter().filter(|more| !more.is_empty()) {
        put!(into, ",{more}");
    }
}

/// Writes space, tab, newline and backslash in octal.
pub(super) fn escape(text: &str, into: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => put!(into, "\\{byte:03o}"),
            other => into.push(other),
        }
    }
}

fn mountstats(_: &Process, moment: &Moment<'_>, into: &mut Vec<u8>) {
    for (id, mount) in moment.machine.mounts.with_ids() {
        put!(into, "device ");
        escape(&mount.source, into);
        put!(into, " mounted on ");
        escape(&mount.point, into);
        put!(into, " with fstype {}", mount.fs_type);
        if let Some(nfs) = moment.machine.storage.nfs_mounts.iter().find(|nfs| nfs.mount == id) {
            statistics(moment, mount, nfs, into);
        } else {
            put_line!(into, "");
        }
    }
}

/// The statistics of an NFS mount.
fn statistics(moment: &Moment<'_>, mount: &MountPoint, nfs: &NfsMount, into: &mut Vec<u8>) {
    let is_recent = moment.kernel() >= KernelVersion::new(5, 3);
    put_line!(into, " statvers=1.1\n\topts:\t{}", mount.super_options);
    put_line!(into, "\tage:\t{}", moment.nfs_age_seconds());
    match nfs.version {
        NfsVersion::V3 => put_line!(into, "\tcaps:\tcaps=0x3fc7,wtmult=512,dtsize=1048576,bsize=0,namlen=255"),
        NfsVersion::V4 => put_line!(
            into,
            "\tcaps:\tcaps=0x3ffbffff,wtmult=512,dtsize=1048576,bsize=0,namlen=255\n\
             \tnfsv4:\tbm0=0xfdffbfff,bm1=0xf9be3e,bm2=0x68800,acl=0x3,sessions,pnfs=not configured,lease_time=90,lease_expired=0"
        ),
    }
    put_line!(into, "\tsec:\tflavor=1,pseudoflavor=1");
    row("\tevents:\t", &moment.nfs_events(nfs), into);
    row("\tbytes:\t", &moment.nfs_bytes(nfs), into);
    let number = if nfs.version == NfsVersion::V3 { 3 } else { 4 };
    put_line!(into, "\tRPC iostats version: {}  p/v: 100003/{number} (nfs)", if is_recent { "1.1" } else { "1.0" });
    let requests = moment.nfs_requests(nfs);
    let idle = requests % 3;
    put!(into, "\txprt:\ttcp {} 1 1 0 {idle} {requests} {requests} 0 {} 0", nfs.port, requests + requests / 5);
    put_line!(into, " {} {} {}", 38, requests / 12, requests);
    put_line!(into, "\tper-op statistics");
    for operation in moment.nfs_operations(nfs.version) {
        let counts = moment.nfs_counts(nfs, operation);
        put!(into, "\t{:>12}: {} {} 0", operation.name, counts.requests, counts.requests);
        put!(into, " {} {}", counts.sent_bytes, counts.received_bytes);
        put!(into, " {} {} {}", counts.queue_milliseconds, counts.response_milliseconds, counts.all_milliseconds);
        put_line!(into, "{}", if is_recent { " 0" } else { " " });
    }
    put_line!(into, "");
}

fn row(name: &str, counts: &[u64], into: &mut Vec<u8>) {
    put!(into, "{}", name);
    for (position, count) in counts.iter().enumerate() {
        put!(into, "{}{count}", if position > 0 { " " } else { "" });
    }
    put_line!(into, " ");
}
