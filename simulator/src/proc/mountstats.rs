//! /proc/PID/mountstats: a line for each mount, and what those of NFS count

use super::mounts::{each_process, escape};
use crate::layout::{Group, What};
use crate::machine::{KernelVersion, MountPoint, NfsMount, NfsVersion};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(super) static GROUPS: [Group; 1] =
    [Group { under: "", each: each_process, entries: &[("mountstats", What::File(mountstats))] }];

fn mountstats(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for (number, mount) in moment.machine.mounts.iter().enumerate() {
        put!(into, "device ");
        escape(&mount.source, into);
        put!(into, " mounted on ");
        escape(&mount.point, into);
        put!(into, " with fstype {}", mount.fs_type);
        if let Some(nfs) = moment.machine.storage.nfs_mounts.iter().find(|nfs| nfs.mount == number) {
            statistics(moment, mount, nfs, into);
        } else {
            put_line!(into, "");
        }
    }
}

/// Those of NFS, indented by a tab.
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
