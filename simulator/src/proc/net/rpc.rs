//! /proc/net/rpc: counters of the NFS client and server

use super::folder;
use crate::layout::{Content, Group, Table, each, each_with};
use crate::machine::{KernelVersion, Machine, NfsServer, NfsVersion};
use crate::moment::Moment;
use crate::text::{put, put_line};

pub(in crate::proc) const GROUPS: Table = &[
    &Group::<Machine> {
        under: "",
        parts: |machine| each_with([machine], |machine| !machine.storage.nfs_mounts.is_empty()),
        path: |_, machine| folder(machine),
        entries: &[("rpc/nfs", Content::File(client))],
    },
    &Group::<NfsServer> {
        under: "",
        parts: |machine| each(&machine.storage.nfs_server),
        path: |_, machine| folder(machine),
        entries: &[("rpc/nfsd", Content::File(server))],
    },
];

/// A row: `proc3 22`, then 22 counters.
fn row(name: &str, counts: &[u64], into: &mut Vec<u8>) {
    put!(into, "{name} {}", counts.len());
    for count in counts {
        put!(into, " {count}");
    }
    put_line!(into, "");
}

/// NFS 2 was removed in 6.2.
fn knows_version_2(moment: &Moment<'_>) -> bool {
    moment.kernel() < KernelVersion::new(6, 2)
}

fn client(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let [third, fourth] = [NfsVersion::V3, NfsVersion::V4].map(|version| moment.nfs_calls(version).collect::<Vec<_>>());
    let calls: u64 = third.iter().chain(&fourth).sum();
    put_line!(into, "net 0 0 0 0\nrpc {calls} 0 {calls}");
    row("proc3", &third, into);
    row("proc4", &fourth, into);
}

fn server(server: &NfsServer, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let (third, fourth) =
        (moment.served_version_3(server).collect::<Vec<_>>(), moment.served_version_4(server).collect::<Vec<_>>());
    // Each NFS 4 compound begins with SEQUENCE.
    let compounds = compounds(moment, server);
    let calls = third.iter().sum::<u64>() + compounds;
    let kept = moment.served(server, 4_400);
    put_line!(into, "rc 0 {kept} {}", calls.saturating_sub(kept));
    put_line!(into, "fh 0 0 0 0 0");
    put_line!(into, "io {} {}", moment.served(server, 8_900) * 61_000, moment.served(server, 3_100) * 41_000);
    put_line!(into, "th {} 0{}", server.threads, " 0.000".repeat(10));
    put_line!(into, "ra {} 0 0 0 0 0 0 0 0 0 0 0", if moment.kernel() < KernelVersion::new(5, 4) { 128 } else { 0 });
    put_line!(into, "net {calls} 0 {calls} {}", 12 + moment.served(server, 1));
    put_line!(into, "rpc {calls} 0 0 0 0");
    if knows_version_2(moment) {
        row("proc2", &[0; 18], into);
    }
    row("proc3", &third, into);
    row("proc4", &[2, compounds], into);
    row("proc4ops", &fourth, into);
    if moment.kernel() >= KernelVersion::new(6, 9) {
        put_line!(into, "wdeleg_getattr 0");
    }
}

fn compounds(moment: &Moment<'_>, server: &NfsServer) -> u64 {
    moment.served(server, 33_900)
}
