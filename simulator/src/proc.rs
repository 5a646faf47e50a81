//! /proc, one file for each subject.

mod cgroups;
mod cpuinfo;
mod disks;
mod interrupts;
mod meminfo;
mod mounts;
mod net;
mod process;
mod scheduling;
mod slabinfo;
mod system;
mod vmstat;
mod zfs;
mod zones;

use crate::layout::Table;

/// All tables of this mount.
pub(crate) const TABLES: &[Table] = &[
    cgroups::GROUPS,
    cpuinfo::GROUPS,
    interrupts::GROUPS,
    disks::GROUPS,
    meminfo::GROUPS,
    mounts::GROUPS,
    net::GROUPS,
    net::bonding::GROUPS,
    net::dev::GROUPS,
    net::netfilter::GROUPS,
    net::neighbours::GROUPS,
    net::route::GROUPS,
    net::rpc::GROUPS,
    net::snmp::GROUPS,
    net::sockets::GROUPS,
    process::GROUPS,
    process::account::GROUPS,
    slabinfo::GROUPS,
    crate::sys::selinux::PROC_GROUPS,
    scheduling::GROUPS,
    system::GROUPS,
    vmstat::GROUPS,
    zones::GROUPS,
    zfs::GROUPS,
];
