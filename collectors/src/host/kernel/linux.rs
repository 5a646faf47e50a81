//! The running kernel.

mod btrfs;
mod bus;
mod drivers;
mod exchange;
mod family;
mod logind;
mod ntp;
mod perf;
mod socket;
mod systemd;
mod timex;
mod zone;

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::io::retry_on_intr;
use rustix::net::netlink::GENERIC;

use self::bus::{Address as BusAddress, Bus};
use self::drivers::Drivers;
use self::exchange::Exchanges;
use self::family::Family;
use self::perf::Counters;
use self::systemd::Units;
use self::zone::Zones;
use super::btrfs::BtrfsDevice;
use super::netlink::{ethtool, fib, nl80211, qdisc, route};
use super::systemd::SystemdSocket;
use super::{
    Address, AlternativeName, IpNetwork, Kernel, KernelError, Link, LinkModes, Neighbour, Qdisc, Question, Route,
    StatFs, Uname, WifiInterface, WifiNetwork, WifiStation, clock,
};
use crate::host::errno::Errno;

/// `PATH_MAX`: the maximum length of a path with its NUL.
const PATH_CAP_BYTES: usize = 4096;

/// The running kernel.
#[derive(Debug)]
pub struct Linux {
    /// The root directory without its final slash.
    rootfs: Vec<u8>,
    zones: Zones,
    routes: Exchanges,
    generic: Exchanges,
    drivers: Drivers,
    counters: Counters,
    ethtool: Family,
    nl80211: Family,
    system_bus: Bus,
    systemd_socket: Bus,
    units: Units,
}

impl Linux {
    /// `rootfs` is the directory below which mount points are, `--path.rootfs`. Reads the time zone; sockets are opened
    /// by the first question that needs one.
    pub fn new(rootfs: &Path) -> Self {
        let mut rootfs = rootfs.as_os_str().as_bytes();
        while let Some(shorter) = rootfs.strip_suffix(b"/") {
            rootfs = shorter;
        }
        Self {
            rootfs: rootfs.to_vec(),
            zones: Zones::local(),
            routes: Exchanges::new(None),
            generic: Exchanges::new(Some(GENERIC)),
            drivers: Drivers::default(),
            counters: Counters::default(),
            ethtool: Family::new(ethtool::FAMILY),
            nl80211: Family::new(nl80211::FAMILY),
            system_bus: Bus::new(BusAddress::system_bus()),
            systemd_socket: Bus::new(BusAddress::systemd()),
            units: Units::default(),
        }
    }
}

impl Kernel for Linux {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        match question {
            Question::Now(into) => *into = clock::now(),
            Question::Monotonic(into) => *into = clock::monotonic(),
            Question::TicksPerSecond(into) => *into = rustix::param::clock_ticks_per_second(),
            Question::PageSizeBytes(into) => *into = rustix::param::page_size() as u64,
            Question::Zone(now, into) => self.zones.at(i64::try_from(now.as_secs()).unwrap_or(i64::MAX), into),
            Question::Timex(into) => *into = timex::ask()?,
            Question::Uname(into) => uname(into),
            Question::Rootfs(visit) => visit(&self.rootfs),
            Question::StatFs(mount_point, into) => *into = self.statfs(mount_point)?,
            Question::Btrfs(mount_point, visit) => self.btrfs(mount_point, visit)?,
            Question::Links(visit) => self.links(visit)?,
            Question::AlternativeNames(visit) => self.alternative_names(visit)?,
            Question::Addresses(visit) => self.addresses(visit)?,
            Question::Neighbours(visit) => self.neighbours(visit)?,
            Question::LinkModes(device, into) => *into = self.link_modes(device)?,
            Question::Driver(device, visit) => self.drivers.driver(device, visit)?,
            Question::LinkSettings(device, into) => *into = self.drivers.link_settings(device)?,
            Question::DriverStatistics(device, visit) => self.drivers.statistics(device, visit)?,
            Question::Ntp(query, into) => *into = ntp::ask(query)?,
            Question::Perf(query, visit) => self.counters.ask(query, visit)?,
            Question::Qdiscs(visit) => self.qdiscs(visit)?,
            Question::Routes(visit) => self.unicast_routes(visit)?,
            Question::WifiInterfaces(visit) => self.wifi_interfaces(visit)?,
            Question::WifiNetwork(interface, visit) => self.wifi_network(interface, visit)?,
            Question::WifiStations(interface, visit) => self.wifi_stations(interface, visit)?,
            Question::SystemdManager(socket, into) => systemd::manager(self.systemd(socket), into)?,
            Question::Seats(visit) => logind::seats(&self.system_bus, visit)?,
            Question::Sessions(visit) => logind::sessions(&self.system_bus, visit)?,
            Question::Units(query, visit) => self.units.ask(self.systemd(query.socket), query, visit)?,
        }
        Ok(())
    }
}

impl Linux {
    fn systemd(&self, socket: SystemdSocket) -> &Bus {
        match socket {
            SystemdSocket::Bus => &self.system_bus,
            SystemdSocket::Private => &self.systemd_socket,
        }
    }

    fn statfs(&self, mount_point: &[u8]) -> Result<StatFs, KernelError> {
        let mut memory = [0; PATH_CAP_BYTES];
        let path = joined(&mut memory, &self.rootfs, mount_point)?;
        let found = retry_on_intr(|| rustix::fs::statfs(path)).map_err(errno)?;
        Ok(StatFs {
            block_size: u64::try_from(found.f_bsize).unwrap_or(0),
            blocks: found.f_blocks,
            blocks_free: found.f_bfree,
            blocks_available: found.f_bavail,
            files: found.f_files,
            files_free: found.f_ffree,
        })
    }

    fn btrfs(&self, mount_point: &[u8], visit: &mut dyn FnMut(&BtrfsDevice<'_>)) -> Result<(), KernelError> {
        let mut memory = [0; PATH_CAP_BYTES];
        btrfs::devices(joined(&mut memory, &self.rootfs, mount_point)?, visit)?;
        Ok(())
    }

    fn links(&self, visit: &mut dyn FnMut(&Link<'_>)) -> Result<(), KernelError> {
        self.routes.ask(route::request_links, |answer| {
            for message in answer.messages(route::NEW_LINK) {
                visit(&route::link(message?.payload)?);
            }
            Ok(())
        })?;
        Ok(())
    }

    fn alternative_names(&self, visit: &mut dyn FnMut(&AlternativeName<'_>)) -> Result<(), KernelError> {
        self.routes.ask(route::request_links, |answer| {
            for message in answer.messages(route::NEW_LINK) {
                let payload = message?.payload;
                let device = route::link(payload)?.name;
                route::alternative_names(payload, |name| visit(&AlternativeName { device, name }))?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// An address whose device was removed in the meantime is skipped.
    fn addresses(&self, visit: &mut dyn FnMut(&Address<'_>)) -> Result<(), KernelError> {
        self.routes.ask(route::request_addresses, |answer| {
            let mut devices = answer.devices();
            for message in answer.messages(route::NEW_ADDRESS) {
                let Some(found) = route::address(message?.payload)? else { continue };
                let Some(device) = devices.name(found.index) else { continue };
                let network = IpNetwork { address: found.address, prefix_length: found.prefix_length };
                visit(&Address { device, network });
            }
            Ok(())
        })?;
        Ok(())
    }

    /// A neighbour whose device was removed in the meantime is skipped.
    fn neighbours(&self, visit: &mut dyn FnMut(&Neighbour<'_>)) -> Result<(), KernelError> {
        self.routes.ask(route::request_neighbours, |answer| {
            let mut devices = answer.devices();
            for message in answer.messages(route::NEW_NEIGHBOUR) {
                let Some(found) = route::neighbour(message?.payload)? else { continue };
                let Some(device) = devices.name(found.index) else { continue };
                visit(&Neighbour { device, address: found.address, state: found.state });
            }
            Ok(())
        })?;
        Ok(())
    }

    fn link_modes(&self, device: &[u8]) -> Result<LinkModes, KernelError> {
        self.ethtool.ask(
            &self.generic,
            |into, sequence, family| ethtool::request_link_modes(into, sequence, family, device),
            |answer, family| {
                let message = answer.messages(family).next().ok_or(Errno::ENODATA)??;
                Ok(ethtool::link_modes(message.payload)?)
            },
        )
    }

    /// A discipline whose device was removed in the meantime is skipped.
    fn qdiscs(&self, visit: &mut dyn FnMut(&Qdisc<'_>)) -> Result<(), KernelError> {
        self.routes.ask(qdisc::request_qdiscs, |answer| {
            let mut devices = answer.devices();
            for message in answer.messages(qdisc::NEW_QDISC) {
                let (index, found) = qdisc::qdisc(message?.payload)?;
                let Some(device) = devices.name(index) else { continue };
                visit(&Qdisc { device, ..found });
            }
            Ok(())
        })?;
        Ok(())
    }

    /// A next hop whose device went away meanwhile, or that has none, has no device's name.
    fn unicast_routes(&self, visit: &mut dyn FnMut(&Route<'_>)) -> Result<(), KernelError> {
        self.routes.stream(fib::request_routes, |message, devices| {
            if message.kind != fib::NEW_ROUTE {
                return Ok(());
            }
            fib::next_hops(message.payload, |index, found| {
                let device = devices.name(index).unwrap_or_default();
                visit(&Route { device, ..found });
            })?;
            Ok(())
        })?;
        Ok(())
    }

    fn wifi_interfaces(&self, visit: &mut dyn FnMut(&WifiInterface<'_>)) -> Result<(), KernelError> {
        self.nl80211.ask(&self.generic, nl80211::request_interfaces, |answer, family| {
            for message in answer.messages(family) {
                nl80211::interface(message?.payload)?.as_ref().map(&mut *visit);
            }
            Ok(())
        })
    }

    fn wifi_network(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiNetwork<'_>),
    ) -> Result<(), KernelError> {
        self.nl80211.ask(
            &self.generic,
            |into, sequence, family| nl80211::request_networks(into, sequence, family, interface.index),
            |answer, family| {
                for message in answer.messages(family) {
                    if let Some(network) = nl80211::network(message?.payload)? {
                        visit(&network);
                        break;
                    }
                }
                Ok(())
            },
        )
    }

    fn wifi_stations(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiStation<'_>),
    ) -> Result<(), KernelError> {
        self.nl80211.ask(
            &self.generic,
            |into, sequence, family| nl80211::request_stations(into, sequence, family, interface.index),
            |answer, family| {
                for message in answer.messages(family) {
                    nl80211::station(message?.payload)?.as_ref().map(&mut *visit);
                }
                Ok(())
            },
        )
    }
}

fn uname(into: &mut Uname) {
    let found = rustix::system::uname();
    for (field, value) in [
        (&mut into.sysname, found.sysname()),
        (&mut into.release, found.release()),
        (&mut into.version, found.version()),
        (&mut into.machine, found.machine()),
        (&mut into.nodename, found.nodename()),
        (&mut into.domainname, found.domainname()),
    ] {
        field.clear();
        field.extend_from_slice(value.to_bytes());
    }
}

/// Joins `prefix` and `path`, with a final NUL.
fn joined<'a>(memory: &'a mut [u8; PATH_CAP_BYTES], prefix: &[u8], path: &[u8]) -> Result<&'a CStr, Errno> {
    let length = prefix.len() + path.len();
    let room = memory.get_mut(..=length).ok_or(Errno::ENAMETOOLONG)?;
    room[..prefix.len()].copy_from_slice(prefix);
    room[prefix.len()..length].copy_from_slice(path);
    CStr::from_bytes_with_nul(room).map_err(|_| Errno::EINVAL)
}

/// The error of the call of the C library that failed last in this thread.
fn last_error() -> Errno {
    Errno::from_number(std::io::Error::last_os_error().raw_os_error().unwrap_or_default())
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_number(error.raw_os_error())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the kernel's answers are compared with its own files")]
mod tests {
    use super::*;
    use std::fs;

    fn linux() -> Linux {
        Linux::new(Path::new("/"))
    }

    fn loopback_statistics(linux: &Linux) -> super::super::LinkStatistics {
        let mut found = None;
        linux
            .links(&mut |link| {
                if link.name == b"lo" {
                    assert_eq!((link.index, link.protocol_type, link.mtu.is_some()), (1, 772, true));
                    assert_eq!(link.flags & 0x8, 0x8, "IFF_LOOPBACK");
                    found = link.statistics;
                }
            })
            .unwrap();
        found.expect("lo is there and has statistics")
    }

    /// bytes, packets, errors and drops of both directions.
    fn loopback_row() -> [u64; 8] {
        let text = fs::read_to_string("/proc/net/dev").unwrap();
        let row = text.lines().find_map(|line| line.trim().strip_prefix("lo:")).unwrap();
        let numbers: Vec<u64> = row.split_whitespace().map(|number| number.parse().unwrap()).collect();
        [0, 1, 2, 3, 8, 9, 10, 11].map(|column| numbers[column])
    }

    #[test]
    fn loopback_counters_agree_with_proc_net_dev() {
        let linux = linux();
        let before = loopback_row();
        let found = loopback_statistics(&linux);
        let after = loopback_row();
        let found = [
            (found.rx_bytes, found.rx_packets, found.rx_errors, found.rx_dropped),
            (found.tx_bytes, found.tx_packets, found.tx_errors, found.tx_dropped),
        ];
        for (column, value) in found.iter().flat_map(|&(a, b, c, d)| [a, b, c, d]).enumerate() {
            assert!((before[column]..=after[column]).contains(&value), "column {column}: {value}");
        }
    }

    #[test]
    fn links_agree_with_proc_net_dev() {
        let mut names = Vec::new();
        linux().links(&mut |link| names.push(String::from_utf8_lossy(link.name).into_owned())).unwrap();
        let text = fs::read_to_string("/proc/net/dev").unwrap();
        let mut expected: Vec<_> = text.lines().skip(2).filter_map(|line| line.trim().split(':').next()).collect();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected);
    }

    #[test]
    fn loopback_has_its_address() {
        let mut found = Vec::new();
        linux().addresses(&mut |address| found.push((address.device.to_vec(), address.network))).unwrap();
        let network = IpNetwork { address: "127.0.0.1".parse().unwrap(), prefix_length: 8 };
        assert!(found.contains(&(b"lo".to_vec(), network)), "{found:?}");
    }

    #[test]
    fn further_names_belong_to_devices() {
        let (linux, mut devices) = (linux(), Vec::new());
        linux.links(&mut |link| devices.push(link.name.to_vec())).unwrap();
        let is_known = |found: &AlternativeName<'_>| devices.iter().any(|device| device == found.device);
        linux.alternative_names(&mut |found| assert!(is_known(found), "{found:?}")).unwrap();
    }

    #[test]
    fn neighbours_include_those_of_proc_net_arp() {
        let text = fs::read_to_string("/proc/net/arp").unwrap();
        let mut found = Vec::new();
        linux()
            .neighbours(&mut |neighbour| found.push((neighbour.address.to_string(), neighbour.device.to_vec())))
            .unwrap();
        for row in text.lines().skip(1) {
            let words: Vec<_> = row.split_whitespace().collect();
            assert!(found.contains(&(words[0].to_owned(), words[5].into())), "{row} is not in {found:?}");
        }
    }

    #[test]
    fn link_modes_are_refused_for_devices_without_them() {
        let linux = linux();
        let missing = linux.link_modes(b"nodelab-none");
        if missing == Err(KernelError::Unsupported) {
            return;
        }
        assert_eq!(missing, Err(KernelError::Errno(Errno::ENODEV)));
        assert_eq!(linux.link_modes(b"lo"), Err(KernelError::Errno(Errno::EOPNOTSUPP)));
        assert_eq!(linux.link_modes(b"a name that no device can have"), Err(KernelError::Errno(Errno::ENODEV)));
    }

    #[test]
    fn every_device_that_is_up_has_a_root_discipline() {
        let (linux, mut roots) = (linux(), Vec::new());
        let visit = &mut |found: &Qdisc<'_>| {
            assert!(!found.kind.is_empty() && !found.device.is_empty(), "{found:?}");
            if found.is_root() {
                roots.push(found.device.to_vec());
            }
        };
        linux.qdiscs(visit).unwrap();
        let is_up = |link: &Link<'_>| link.flags & 0x1 == 0x1;
        let mut ups = Vec::new();
        linux
            .links(&mut |link| {
                if is_up(link) {
                    ups.push(link.name.to_vec());
                }
            })
            .unwrap();
        for up in &ups {
            assert_eq!(roots.iter().filter(|root| *root == up).count(), 1, "{}", up.escape_ascii());
        }
    }

    #[test]
    fn wireless_interfaces_are_listed_if_supported() {
        let linux = linux();
        let answer = linux.wifi_interfaces(&mut |interface| {
            assert!(fs::exists(format!("/sys/class/net/{}", interface.name.escape_ascii())).unwrap());
            linux.wifi_network(interface, &mut |network| assert_eq!(network.bssid.len(), 6)).unwrap();
            let _ = linux.wifi_stations(interface, &mut |station| assert_eq!(station.address.len(), 6));
        });
        assert!(matches!(answer, Ok(()) | Err(KernelError::Unsupported)), "{answer:?}");
    }

    #[test]
    fn a_visitor_can_ask_another_question() {
        let linux = linux();
        let mut inner = 0;
        linux.links(&mut |_| linux.links(&mut |_| inner += 1).unwrap()).unwrap();
        assert!(inner > 0);
    }

    #[test]
    fn a_socket_is_reused() {
        let linux = linux();
        for _ in 0..50 {
            loopback_statistics(&linux);
            linux.addresses(&mut |_| {}).unwrap();
        }
        assert_eq!(linux.routes.idle_count(), 1);
    }

    #[test]
    fn uname_agrees_with_proc() {
        let mut found = Uname { sysname: b"old".to_vec(), ..Uname::default() };
        (&linux() as &dyn Kernel).uname(&mut found).unwrap();
        for (file, value) in [
            ("ostype", &found.sysname),
            ("osrelease", &found.release),
            ("version", &found.version),
            ("hostname", &found.nodename),
            ("domainname", &found.domainname),
        ] {
            let expected = fs::read(format!("/proc/sys/kernel/{file}")).unwrap();
            assert_eq!(expected.trim_ascii_end(), value, "{file}");
        }
        assert!(!found.machine.is_empty());
    }

    #[test]
    fn statfs_resolves_paths_below_the_prefix() {
        let root = linux().statfs(b"/").unwrap();
        assert!(root.blocks > 0 && root.block_size > 0 && root.blocks_free >= root.blocks_available, "{root:?}");
        let proc = Linux::new(Path::new("/proc/")).statfs(b"/sys").unwrap();
        assert_eq!((proc.blocks, proc.files), (0, 0));
        for (path, expected) in [("/", &b""[..]), ("/host/", b"/host")] {
            let linux = Linux::new(Path::new(path));
            (&linux as &dyn Kernel).with_rootfs(|rootfs| assert_eq!(rootfs, expected));
        }
        let missing = Linux::new(Path::new("/proc")).statfs(b"/nodelab-none");
        assert_eq!(missing, Err(KernelError::Errno(Errno::ENOENT)));
    }

    #[test]
    fn long_paths_are_refused() {
        let of =
            |length: usize| joined(&mut [0; PATH_CAP_BYTES], b"/host", &vec![b'a'; length - 5]).map(CStr::count_bytes);
        assert_eq!(of(PATH_CAP_BYTES - 1), Ok(PATH_CAP_BYTES - 1));
        assert_eq!(of(PATH_CAP_BYTES), Err(Errno::ENAMETOOLONG));
        assert_eq!(joined(&mut [0; PATH_CAP_BYTES], b"", b"/a\0b"), Err(Errno::EINVAL));
    }

    #[test]
    fn constants_of_the_system_are_plausible() {
        let linux: &dyn Kernel = &linux();
        assert_eq!(linux.ticks_per_second(), 100);
        assert!(linux.page_size_bytes().is_power_of_two() && linux.page_size_bytes() >= 4096);
    }
}
