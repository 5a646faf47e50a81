//! The answers of the kernel of a simulated host.

use std::time::Duration;

use collectors::host::errno::Errno;
use collectors::host::kernel::btrfs::{BtrfsDevice, Uuid};
use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::network::PARENT_ROOT;
use collectors::host::kernel::perf::{PerfEvent, PerfType};
use collectors::host::kernel::systemd::{SystemdManager, SystemdSocket, UnitQuery};
use collectors::host::kernel::{
    Address, Driver, DriverStatistic, IpNetwork, Kernel, KernelError, Link, LinkModes, LinkSettings, Neighbour,
    NtpAnswer, NtpQuery, PerfQuery, Qdisc, Question, Route, StatFs, Timex, Uname, WifiInterface, WifiNetwork,
    WifiStation, Zone, wifi,
};

use super::Host;
use crate::machine::{Btrfs, Duplex, Interface, Kind, Machine, Wireless};
use crate::moment::perf::TRACEPOINTS;

/// `NUD_` bits.
const REACHABLE: u16 = 0x02;
const FAILED: u16 = 0x20;
const TICKS_PER_SECOND: u64 = 100;
const NTP_SERVERS: [&str; 2] = ["127.0.0.1:123", "[::1]:123"];

/// The kernel of a host.
#[derive(Debug)]
pub(crate) struct Answers {
    host: Host,
}

impl Answers {
    pub(crate) fn new(host: Host) -> Self {
        Self { host }
    }
}

impl Kernel for Answers {
    fn ask(&self, question: Question<'_>) -> Result<(), KernelError> {
        match question {
            Question::Now(into) => *into = self.host.present().moment().now(),
            Question::Monotonic(into) => {
                *into = Duration::from_micros(self.host.present().moment().uptime_micros());
            }
            Question::TicksPerSecond(into) => *into = TICKS_PER_SECOND,
            Question::PageSizeBytes(into) => *into = self.host.present().moment().page_kilobytes() * 1_024,
            Question::Zone(_, into) => {
                into.name.clear();
                into.name.extend_from_slice(b"UTC");
                into.offset_seconds = 0;
            }
            Question::Timex(into) => *into = self.host.present().moment().timex(),
            Question::Uname(into) => self.uname(into),
            Question::Rootfs(visit) => visit(b""),
            Question::StatFs(mount_point, into) => *into = self.statfs(mount_point)?,
            Question::Btrfs(mount_point, visit) => self.btrfs(mount_point, visit)?,
            Question::Links(visit) => self.links(visit),
            Question::AlternativeNames(_) => return Err(KernelError::Unsupported),
            Question::Addresses(visit) => self.addresses(visit),
            Question::Neighbours(visit) => self.neighbours(visit),
            Question::LinkModes(device, into) => *into = self.link_modes(device)?,
            Question::Driver(device, visit) => self.driver(device, visit)?,
            Question::LinkSettings(device, into) => *into = self.link_settings(device)?,
            Question::DriverStatistics(device, visit) => self.driver_statistics(device, visit)?,
            Question::Ntp(query, into) => *into = self.ntp(query)?,
            Question::Perf(query, visit) => self.host.present().moment().perf(query, visit)?,
            Question::Qdiscs(visit) => self.qdiscs(visit),
            Question::Routes(visit) => self.routes(visit),
            Question::WifiInterfaces(visit) => self.wifi_interfaces(visit),
            Question::WifiNetwork(interface, visit) => self.wifi_network(interface, visit)?,
            Question::WifiStations(interface, visit) => self.wifi_stations(interface, visit)?,
            Question::SystemdManager(_, into) => self.systemd_manager(into),
            Question::Units(_, visit) => self.host.present().moment().units(visit),
        }
        Ok(())
    }
}

impl Answers {
    fn uname(&self, into: &mut Uname) {
        let present = self.host.present();
        let system = &present.moment().machine.system;
        let mut set = |field: fn(&mut Uname) -> &mut Vec<u8>, value: &str| {
            let field = field(into);
            field.clear();
            field.extend_from_slice(value.as_bytes());
        };
        set(|uname| &mut uname.sysname, "Linux");
        set(|uname| &mut uname.release, &system.release);
        set(|uname| &mut uname.version, system.version);
        set(|uname| &mut uname.machine, system.architecture.name());
        set(|uname| &mut uname.nodename, &system.hostname);
        set(|uname| &mut uname.domainname, system.domainname);
    }

    fn systemd_manager(&self, into: &mut SystemdManager) {
        let present = self.host.present();
        let moment = present.moment();
        let SystemdManager { version, virtualization, state } = into;
        for (field, value) in [
            (version, moment.systemd_version().1),
            (virtualization, moment.machine.virtualization),
            (state, moment.system_state()),
        ] {
            field.clear();
            field.extend_from_slice(value.as_bytes());
        }
    }

    /// The last mount of a mount point answers, as on a real host.
    fn statfs(&self, mount_point: &[u8]) -> Result<StatFs, KernelError> {
        let present = self.host.present();
        let moment = present.moment();
        let mounts = &moment.machine.mounts;
        let mount = mounts.iter().rfind(|mount| mount.point.as_bytes() == mount_point).ok_or(Errno::ENOENT)?;
        Ok(moment.statfs(mount.space))
    }

    /// The usage of each device, including copies.
    fn btrfs(&self, mount_point: &[u8], visit: &mut dyn FnMut(&BtrfsDevice<'_>)) -> Result<(), KernelError> {
        let present = self.host.present();
        let machine = present.moment().machine;
        let is_there =
            |mount: &&Btrfs| machine.mounts.get(mount.mount).is_some_and(|mount| mount.point.as_bytes() == mount_point);
        let btrfs = machine.storage.btrfs.iter().find(is_there).ok_or(Errno::ENOTTY)?;
        let count = (btrfs.devices.len() as u64).max(1);
        let groups = [btrfs.data, btrfs.metadata, btrfs.system];
        let used: u64 = groups.iter().map(|group| group.total_bytes * group.copies).sum();
        for (number, &device) in btrfs.devices.iter().enumerate() {
            let Some(block) = machine.block_devices.get(device) else { continue };
            let [front, back] = [0, 1].map(|half| machine.seed.of(&btrfs.uuid).at(number as u64).at(half).bits());
            visit(&BtrfsDevice {
                file_system: Uuid::parse(btrfs.uuid.as_bytes()).unwrap_or_default(),
                path: block.node().as_bytes(),
                uuid: Uuid((u128::from(front) << 64 | u128::from(back)).to_be_bytes()),
                size_bytes: block.sectors * 512,
                used_bytes: used / count,
                errors: [0; 5],
            });
        }
        Ok(())
    }

    fn links(&self, visit: &mut dyn FnMut(&Link<'_>)) {
        let present = self.host.present();
        let moment = present.moment();
        for interface in &moment.machine.interfaces {
            let (address, broadcast) = (interface.address(), interface.broadcast());
            visit(&Link {
                statistics: Some(moment.link_statistics(interface)),
                ..link(interface, &address, &broadcast)
            });
        }
    }

    fn addresses(&self, visit: &mut dyn FnMut(&Address<'_>)) {
        let present = self.host.present();
        for interface in &present.moment().machine.interfaces {
            for &(address, prefix_length) in &interface.addresses {
                let network = IpNetwork { address, prefix_length };
                visit(&Address { device: interface.name.as_bytes(), network });
            }
        }
    }

    fn neighbours(&self, visit: &mut dyn FnMut(&Neighbour<'_>)) {
        let present = self.host.present();
        let machine = present.moment().machine;
        for neighbour in &machine.neighbours {
            let Some(interface) = machine.interfaces.get(neighbour.interface) else { continue };
            let state = if neighbour.is_failed { FAILED } else { REACHABLE };
            visit(&Neighbour { device: interface.name.as_bytes(), address: neighbour.address.into(), state });
        }
    }

    fn link_modes(&self, device: &[u8]) -> Result<LinkModes, KernelError> {
        let present = self.host.present();
        let interface = interface(present.moment().machine, device)?;
        if matches!(interface.kind, Kind::Loopback | Kind::Dummy) || present.moment().refuses(interface) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let duplex = match interface.duplex {
            Duplex::Full => 1,
            Duplex::Unknown => 255,
        };
        Ok(LinkModes { speed_megabits: interface.speed_megabits, duplex })
    }

    fn driver(&self, device: &[u8], visit: &mut dyn FnMut(&Driver<'_>)) -> Result<(), KernelError> {
        let present = self.host.present();
        let moment = present.moment();
        let found = moment.driver(interface(moment.machine, device)?).ok_or(Errno::EOPNOTSUPP)?;
        visit(&Driver {
            name: found.name.as_bytes(),
            // Most drivers have the version of the kernel that they are a part of.
            version: moment.machine.system.release.as_bytes(),
            firmware_version: found.firmware.as_bytes(),
            expansion_rom_version: b"",
            bus_info: found.bus_info.as_bytes(),
        });
        Ok(())
    }

    fn link_settings(&self, device: &[u8]) -> Result<LinkSettings, KernelError> {
        let present = self.host.present();
        let moment = present.moment();
        Ok(moment.link_settings(interface(moment.machine, device)?).ok_or(Errno::EOPNOTSUPP)?)
    }

    fn driver_statistics(&self, device: &[u8], visit: &mut dyn FnMut(&DriverStatistic<'_>)) -> Result<(), KernelError> {
        let present = self.host.present();
        let moment = present.moment();
        let mut count = 0;
        moment.driver_statistics(interface(moment.machine, device)?, &mut |name, value| {
            visit(&DriverStatistic { name: name.as_bytes(), value });
            count += 1;
        });
        if count == 0 { Err(Errno::EOPNOTSUPP.into()) } else { Ok(()) }
    }

    /// A server runs on the loopback device, at its usual port.
    fn ntp(&self, query: &NtpQuery<'_>) -> Result<NtpAnswer, KernelError> {
        if !NTP_SERVERS.contains(&query.server) {
            return Err(Errno::ECONNREFUSED.into());
        }
        Ok(self.host.present().moment().ntp())
    }

    /// Virtual devices have no queue and count nothing.
    fn qdiscs(&self, visit: &mut dyn FnMut(&Qdisc<'_>)) {
        let present = self.host.present();
        let moment = present.moment();
        for interface in &moment.machine.interfaces {
            let root = Qdisc { device: interface.name.as_bytes(), parent: PARENT_ROOT, ..Qdisc::default() };
            if interface.kind.bus_device().is_none() && interface.kind != Kind::Tunnel {
                visit(&Qdisc { kind: b"noqueue", ..root });
                continue;
            }
            let sent = moment.link_statistics(interface);
            let drops = u32::try_from(sent.tx_dropped).unwrap_or(u32::MAX);
            visit(&Qdisc { kind: b"fq_codel", bytes: sent.tx_bytes, packets: sent.tx_packets, drops, ..root });
        }
    }

    fn routes(&self, visit: &mut dyn FnMut(&Route<'_>)) {
        let present = self.host.present();
        for route in present.moment().routes() {
            visit(&Route {
                device: route.link.name.as_bytes(),
                destination: route.destination,
                source: route.source,
                gateway: route.gateway,
                priority: route.priority,
                protocol: route.protocol,
                weight: None,
            });
        }
    }

    fn wifi_interfaces(&self, visit: &mut dyn FnMut(&WifiInterface<'_>)) {
        let present = self.host.present();
        for interface in &present.moment().machine.interfaces {
            let frequency_megahertz = match interface.wireless {
                Some(Wireless::Joined { frequency_megahertz, .. }) => frequency_megahertz,
                Some(Wireless::Searching) => 0,
                None => continue,
            };
            visit(&WifiInterface { name: interface.name.as_bytes(), index: interface.index, frequency_megahertz });
        }
    }

    fn wifi_network(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiNetwork<'_>),
    ) -> Result<(), KernelError> {
        let present = self.host.present();
        if let Some(Wireless::Joined { name, access_point, .. }) =
            wireless(present.moment().machine, interface)?.wireless
        {
            visit(&WifiNetwork { bssid: &access_point, ssid: name.as_bytes(), status: wifi::STATUS_ASSOCIATED });
        }
        Ok(())
    }

    /// The access point of an associated device.
    fn wifi_stations(
        &self,
        interface: &WifiInterface<'_>,
        visit: &mut dyn FnMut(&WifiStation<'_>),
    ) -> Result<(), KernelError> {
        let present = self.host.present();
        let moment = present.moment();
        let link = wireless(moment.machine, interface)?;
        let Some(Wireless::Joined { access_point, megabits, .. }) = link.wireless else { return Ok(()) };
        let station = moment.wireless_station(link, megabits);
        visit(&WifiStation { address: &access_point, ..station });
        Ok(())
    }
}

fn interface<'a>(machine: &'a Machine, device: &[u8]) -> Result<&'a Interface, KernelError> {
    Ok(machine.interfaces.iter().find(|link| link.name.as_bytes() == device).ok_or(Errno::ENODEV)?)
}

/// The device of a wireless interface.
fn wireless<'a>(machine: &'a Machine, interface: &WifiInterface<'_>) -> Result<&'a Interface, KernelError> {
    Ok(machine.interfaces.iter().find(|link| link.index == interface.index).ok_or(Errno::ENODEV)?)
}

fn link<'a>(interface: &'a Interface, address: &'a [u8], broadcast: &'a [u8]) -> Link<'a> {
    let [up, down] = interface.carrier_counts();
    Link {
        name: interface.name.as_bytes(),
        index: interface.index,
        protocol_type: interface.protocol_type(),
        flags: interface.link_flags(),
        address: Some(address).filter(|address| !address.is_empty()),
        broadcast: Some(broadcast).filter(|address| !address.is_empty()),
        alias: None,
        mtu: Some(interface.mtu),
        link: interface.peer_index,
        transmit_queue_length: Some(interface.queue_length),
        operstate: Some(interface.operstate().0),
        link_mode: Some(0),
        group: Some(0),
        promiscuity: None,
        all_multicast: None,
        carrier: Some(interface.is_up.into()),
        carrier_changes: Some(interface.carrier_changes),
        carrier_up_changes: Some(up),
        carrier_down_changes: Some(down),
        statistics: None,
    }
}

/// The answers as the entries of a `.tree` file. Questions that this host cannot answer have no entry.
pub(crate) fn entries(kernel: &dyn Kernel, machine: &Machine) -> Vec<(&'static str, Vec<u8>)> {
    let mut canned = Canned::default();
    let mut learn = |question: &Question<'_>| canned.learn(kernel, question).is_ok();
    learn(&Question::Now(&mut Duration::default()));
    learn(&Question::TicksPerSecond(&mut 0));
    learn(&Question::PageSizeBytes(&mut 0));
    learn(&Question::Zone(kernel.now(), &mut Zone::default()));
    learn(&Question::Timex(&mut Timex::default()));
    learn(&Question::Uname(&mut Uname::default()));
    for mount in &machine.mounts {
        learn(&Question::StatFs(mount.point.as_bytes(), &mut StatFs::default()));
    }
    for btrfs in &machine.storage.btrfs {
        if let Some(mount) = machine.mounts.get(btrfs.mount) {
            learn(&Question::Btrfs(mount.point.as_bytes(), &mut |_| ()));
        }
    }
    for interface in &machine.interfaces {
        let device = interface.name.as_bytes();
        learn(&Question::LinkModes(device, &mut LinkModes::default()));
        learn(&Question::Driver(device, &mut |_| ()));
        learn(&Question::LinkSettings(device, &mut LinkSettings::default()));
        learn(&Question::DriverStatistics(device, &mut |_| ()));
    }
    learn(&Question::Links(&mut |_| ()));
    learn(&Question::Addresses(&mut |_| ()));
    learn(&Question::Neighbours(&mut |_| ()));
    for server in NTP_SERVERS {
        learn(&Question::Ntp(&NtpQuery { server, version: 4, ttl: 1 }, &mut NtpAnswer::default()));
    }
    let cpus: Vec<u32> = machine.processor.online().filter_map(|cpu| u32::try_from(cpu.number()).ok()).collect();
    let tracepoints =
        TRACEPOINTS.map(|(name, config)| PerfEvent { name: name.as_bytes(), kind: PerfType::Tracepoint, config });
    for event in collectors::perf::events().chain(tracepoints) {
        learn(&Question::Perf(&PerfQuery { event, cpus: &cpus }, &mut |_| ()));
    }
    learn(&Question::Qdiscs(&mut |_| ()));
    learn(&Question::SystemdManager(SystemdSocket::Bus, &mut SystemdManager::default()));
    learn(&Question::Units(&UnitQuery::ALL, &mut |_| ()));
    learn(&Question::Routes(&mut |_| ()));
    learn(&Question::WifiInterfaces(&mut |_| ()));
    let _ = kernel.wifi_interfaces(&mut |interface| {
        learn(&Question::WifiNetwork(interface, &mut |_| ()));
        learn(&Question::WifiStations(interface, &mut |_| ()));
    });
    let mut entries = canned.entries();
    // A list without items has no entry, as if the question had not been asked.
    entries.retain(|(_, content)| !content.is_empty());
    entries
}
