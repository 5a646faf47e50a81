//! /proc, one file for each kernel path or family of paths.

mod cgroups;
mod cpuinfo;
mod diskstats;
mod drbd;
mod interrupts;
mod loadavg;
mod mdstat;
mod meminfo;
mod mounts;
mod net;
mod pressure;
mod process;
mod schedstat;
mod security;
mod slabinfo;
mod softirqs;
mod stat;
mod swaps;
mod system;
mod uptime;
mod version;
mod vmstat;
mod zfs;
mod zones;

use crate::layout::Table;

/// All tables of this mount.
pub(crate) const TABLES: &[Table] = &[
    cgroups::GROUPS,
    cpuinfo::GROUPS,
    diskstats::GROUPS,
    interrupts::GROUPS,
    drbd::GROUPS,
    loadavg::GROUPS,
    mdstat::GROUPS,
    meminfo::GROUPS,
    mounts::GROUPS,
    net::GROUPS,
    net::arp::GROUPS,
    net::bonding::GROUPS,
    net::conntrack::GROUPS,
    net::dev::GROUPS,
    net::ip_vs::GROUPS,
    net::neighbours::GROUPS,
    net::route::GROUPS,
    net::rpc::GROUPS,
    net::snmp::GROUPS,
    net::sockstat::GROUPS,
    net::softnet_stat::GROUPS,
    net::tcp::GROUPS,
    net::udp::GROUPS,
    net::unix::GROUPS,
    net::xfrm_stat::GROUPS,
    pressure::GROUPS,
    process::GROUPS,
    process::account::GROUPS,
    schedstat::GROUPS,
    slabinfo::GROUPS,
    security::GROUPS,
    softirqs::GROUPS,
    stat::GROUPS,
    swaps::GROUPS,
    system::GROUPS,
    uptime::GROUPS,
    version::GROUPS,
    vmstat::GROUPS,
    zones::GROUPS,
    zfs::GROUPS,
];
