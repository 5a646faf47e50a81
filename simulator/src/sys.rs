//! /sys, one file for each subject.

mod bcache;
mod bcachefs;
mod block;
mod bonding;
mod btrfs;
mod cgroup;
mod cpu;
mod dmi;
mod drm;
mod edac;
mod fibre_channel;
mod hwmon;
mod infiniband;
mod md;
mod memory;
mod net;
mod node;
mod nvme;
mod pci;
mod power;
pub(crate) mod selinux;
mod tape;
mod thermal;
mod tracing;
mod watchdog;
mod xfs;

use crate::layout::Table;

/// All tables of this mount.
pub(crate) const TABLES: &[Table] = &[
    bcache::GROUPS,
    bcachefs::GROUPS,
    block::GROUPS,
    bonding::GROUPS,
    cgroup::GROUPS,
    btrfs::GROUPS,
    cpu::GROUPS,
    cpu::cpufreq::GROUPS,
    cpu::device::GROUPS,
    cpu::idle::GROUPS,
    dmi::GROUPS,
    drm::GROUPS,
    edac::GROUPS,
    fibre_channel::GROUPS,
    memory::GROUPS,
    hwmon::GROUPS,
    infiniband::GROUPS,
    md::GROUPS,
    net::GROUPS,
    node::GROUPS,
    pci::GROUPS,
    nvme::GROUPS,
    power::GROUPS,
    selinux::GROUPS,
    tape::GROUPS,
    thermal::GROUPS,
    tracing::GROUPS,
    watchdog::GROUPS,
    xfs::GROUPS,
];

/// Appends the relative path from the folder `from` to `to`, both below /sys.
fn relative(from: &str, to: &str, into: &mut Vec<u8>) {
    let common = from.split('/').zip(to.split('/')).take_while(|(a, b)| a == b).count();
    let climb = from.split('/').skip(common).map(|_| "..");
    let descend = to.split('/').skip(common);
    let steps: Vec<&str> = climb.chain(descend).collect();
    into.extend_from_slice(steps.join("/").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, expected: &str) {
        let mut into = Vec::new();
        relative(from, to, &mut into);
        assert_eq!(String::from_utf8_lossy(&into), expected, "{from} {to}");
    }

    #[test]
    fn links_lead_the_shortest_way() {
        check("class/net", "devices/virtual/net/lo", "../../devices/virtual/net/lo");
        check("block", "devices/virtual/block/dm-0", "../devices/virtual/block/dm-0");
        check("devices/virtual/net/bond0", "devices/virtual/net/eth1", "../eth1");
        check("devices/virtual/net/bond0", "devices/virtual", "../..");
    }
}
