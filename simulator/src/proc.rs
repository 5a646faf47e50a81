//! /proc, one file for each kernel path or family of paths.

mod cpuinfo;
mod diskstats;
mod loadavg;
mod meminfo;
mod mounts;
mod net;
mod pressure;
mod schedstat;
mod softirqs;
mod stat;
mod swaps;
mod system;
mod uptime;
mod version;
mod vmstat;

use crate::layout::Group;

/// Every table of this mount.
pub(crate) const GROUPS: &[&[Group]] = &[
    &cpuinfo::GROUPS,
    &diskstats::GROUPS,
    &loadavg::GROUPS,
    &meminfo::GROUPS,
    &mounts::GROUPS,
    &net::GROUPS,
    &net::arp::GROUPS,
    &net::bonding::GROUPS,
    &net::conntrack::GROUPS,
    &net::dev::GROUPS,
    &net::snmp::GROUPS,
    &net::sockstat::GROUPS,
    &net::softnet_stat::GROUPS,
    &net::udp::GROUPS,
    &pressure::GROUPS,
    &schedstat::GROUPS,
    &softirqs::GROUPS,
    &stat::GROUPS,
    &swaps::GROUPS,
    &system::GROUPS,
    &uptime::GROUPS,
    &version::GROUPS,
    &vmstat::GROUPS,
];
