//! The collectors of node_exporter, over an injectable root.
//!
//! Each collector has a file named after its flag. [`kit`] is the common code of collectors.

pub mod arp;
pub mod bcache;
pub mod bcachefs;
pub mod bonding;
pub mod btrfs;
pub mod buddyinfo;
pub mod cgroups;
pub mod conntrack;
pub mod cpu;
pub mod cpu_vulnerabilities;
pub mod cpufreq;
pub mod diskstats;
pub mod dmi;
pub mod dmmultipath;
pub mod drbd;
pub mod drm;
pub mod edac;
pub mod entropy;
pub mod ethtool;
pub mod fibrechannel;
pub mod filefd;
pub mod filesystem;
pub mod host;
pub mod hwmon;
pub mod infiniband;
pub mod interrupts;
pub mod ipvs;
pub mod kernel_hung;
pub mod kit;
pub mod ksmd;
pub mod lnstat;
pub mod loadavg;
pub mod logind;
pub mod mdadm;
pub mod meminfo;
pub mod meminfo_numa;
pub mod mountstats;
pub mod netclass;
pub mod netdev;
pub mod netstat;
pub mod network_route;
pub mod nfs;
pub mod nfsd;
pub mod ntp;
pub mod nvme;
pub mod nvmesubsystem;
pub mod os;
pub mod pcidevice;
pub mod perf;
pub mod powersupplyclass;
pub mod pressure;
pub mod processes;
pub mod qdisc;
pub mod rapl;
pub mod runit;
pub mod schedstat;
pub mod selinux;
pub mod slabinfo;
pub mod sockstat;
pub mod softirqs;
pub mod softnet;
pub mod stat;
pub mod swap;
pub mod sysctl;
pub mod systemd;
pub mod tapestats;
pub mod tcpstat;
pub mod textfile;
pub mod thermal_zone;
pub mod time;
pub mod timex;
pub mod udp_queues;
pub mod uname;
pub mod vmstat;
pub mod watchdog;
pub mod wifi;
pub mod xfrm;
pub mod xfs;
pub mod zfs;
pub mod zoneinfo;

use kit::declare::Registration;

/// Every collector, by name.
pub const ALL: &[Registration] = &[
    Registration::of::<arp::Arp>(),
    Registration::of::<bcache::Bcache>(),
    Registration::of::<bcachefs::Bcachefs>(),
    Registration::of::<bonding::Bonding>(),
    Registration::of::<btrfs::Btrfs>(),
    Registration::of::<buddyinfo::Buddyinfo>(),
    Registration::of::<cgroups::Cgroups>(),
    Registration::of::<conntrack::Conntrack>(),
    Registration::of::<cpu::Cpu>(),
    Registration::of::<cpu_vulnerabilities::CpuVulnerabilities>(),
    Registration::of::<cpufreq::Cpufreq>(),
    Registration::of::<diskstats::Diskstats>(),
    Registration::of::<dmi::Dmi>(),
    Registration::of::<dmmultipath::Dmmultipath>(),
    Registration::of::<drbd::Drbd>(),
    Registration::of::<drm::Drm>(),
    Registration::of::<edac::Edac>(),
    Registration::of::<entropy::Entropy>(),
    Registration::of::<ethtool::Ethtool>(),
    Registration::of::<fibrechannel::Fibrechannel>(),
    Registration::of::<filefd::Filefd>(),
    Registration::of::<filesystem::Filesystem>(),
    Registration::of::<hwmon::Hwmon>(),
    Registration::of::<infiniband::Infiniband>(),
    Registration::of::<interrupts::Interrupts>(),
    Registration::of::<ipvs::Ipvs>(),
    Registration::of::<kernel_hung::KernelHung>(),
    Registration::of::<ksmd::Ksmd>(),
    Registration::of::<lnstat::Lnstat>(),
    Registration::of::<loadavg::Loadavg>(),
    Registration::of::<logind::Logind>(),
    Registration::of::<mdadm::Mdadm>(),
    Registration::of::<meminfo::Meminfo>(),
    Registration::of::<meminfo_numa::MeminfoNuma>(),
    Registration::of::<mountstats::Mountstats>(),
    Registration::of::<netclass::Netclass>(),
    Registration::of::<netdev::Netdev>(),
    Registration::of::<netstat::Netstat>(),
    Registration::of::<network_route::NetworkRoute>(),
    Registration::of::<nfs::Nfs>(),
    Registration::of::<nfsd::Nfsd>(),
    Registration::of::<ntp::Ntp>(),
    Registration::of::<nvme::Nvme>(),
    Registration::of::<nvmesubsystem::Nvmesubsystem>(),
    Registration::of::<os::Os>(),
    Registration::of::<pcidevice::Pcidevice>(),
    Registration::of::<perf::Perf>(),
    Registration::of::<powersupplyclass::Powersupplyclass>(),
    Registration::of::<pressure::Pressure>(),
    Registration::of::<processes::Processes>(),
    Registration::of::<qdisc::Qdisc>(),
    Registration::of::<rapl::Rapl>(),
    Registration::of::<runit::Runit>(),
    Registration::of::<schedstat::Schedstat>(),
    Registration::of::<selinux::Selinux>(),
    Registration::of::<slabinfo::Slabinfo>(),
    Registration::of::<sockstat::Sockstat>(),
    Registration::of::<softirqs::Softirqs>(),
    Registration::of::<softnet::Softnet>(),
    Registration::of::<stat::Stat>(),
    Registration::of::<swap::Swap>(),
    Registration::of::<sysctl::Sysctl>(),
    Registration::of::<systemd::Systemd>(),
    Registration::of::<tapestats::Tapestats>(),
    Registration::of::<tcpstat::Tcpstat>(),
    Registration::of::<textfile::Textfile>(),
    Registration::of::<thermal_zone::ThermalZone>(),
    Registration::of::<time::Time>(),
    Registration::of::<timex::Timex>(),
    Registration::of::<udp_queues::UdpQueues>(),
    Registration::of::<uname::Uname>(),
    Registration::of::<vmstat::Vmstat>(),
    Registration::of::<watchdog::Watchdog>(),
    Registration::of::<wifi::Wifi>(),
    Registration::of::<xfrm::Xfrm>(),
    Registration::of::<xfs::Xfs>(),
    Registration::of::<zfs::Zfs>(),
    Registration::of::<zoneinfo::Zoneinfo>(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use kit::options::FlagValues;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn collectors_are_sorted_without_duplicates() {
        let names: Vec<_> = ALL.iter().map(|registration| registration.declaration.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    /// Collectors with a flag to emit families of another collector in its place.
    const STAND_INS: [(&str, &str); 2] = [("cpu", "cpufreq"), ("netclass", "netdev")];

    /// Families and prefixes of all collectors, which must not overlap.
    #[test]
    fn family_names_are_unique_among_collectors() {
        let declarations = ALL.iter().map(|registration| registration.declaration);
        let mut owners = BTreeMap::new();
        for declaration in declarations.clone() {
            for family in declaration.families {
                let Some(owner) = owners.insert(family.name, declaration.name) else { continue };
                let pair = (owner, declaration.name);
                assert!(STAND_INS.contains(&pair), "{} is declared by {pair:?}", family.name);
            }
        }
        for (declaration, prefix) in
            declarations.flat_map(|found| found.prefixes.iter().map(move |prefix| (found, prefix)))
        {
            let mut taken = owners.range(prefix.name..).take_while(|(name, _)| name.starts_with(prefix.name));
            // A collector may have a declared family with the prefix of its kernel-named ones.
            let taken = taken.find(|(_, owner)| **owner != declaration.name);
            assert_eq!(taken, None, "a declared family has the prefix {}", prefix.name);
        }
    }

    /// Collectors whose flags have another prefix, as in node_exporter.
    const FLAGS_OF_OTHER_NAMES: [(&str, &str); 1] = [("powersupplyclass", "collector.powersupply.")];

    #[test]
    fn flag_names_begin_with_their_collector_and_are_unique() {
        let mut names = BTreeSet::new();
        for declaration in ALL.iter().map(|registration| registration.declaration) {
            for flag in declaration.flags {
                let other = FLAGS_OF_OTHER_NAMES.iter().find(|(collector, _)| *collector == declaration.name);
                let prefix =
                    other.map_or(format!("collector.{}", declaration.name), |(_, prefix)| (*prefix).to_owned());
                assert!(flag.name.starts_with(&prefix), "--{} is a flag of {}", flag.name, declaration.name);
                assert!(names.insert(flag.name), "--{} is declared twice", flag.name);
            }
        }
    }

    /// [`FlagValues::defaults`] panics if a default is not of the kind of its flag.
    #[test]
    fn defaults_have_the_kind_of_their_flags() {
        let values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
        for flag in ALL.iter().flat_map(|registration| registration.declaration.flags) {
            assert!(!values.is_given(flag));
        }
    }
}
