//! Drivers of network devices: what ethtool says of them.

use collectors::host::kernel::{LinkSettings, LinkStatistics};

use super::Moment;
use crate::machine::{Interface, Kind};

/// Description of a device's driver.
pub(crate) struct DriverOf<'a> {
    pub(crate) name: &'a str,
    pub(crate) firmware: &'static str,
    pub(crate) bus_info: &'a str,
}

/// How a driver names the counters of its queues.
#[derive(Clone, Copy)]
enum QueueNames {
    /// `rx_queue_0_packets`.
    Underscores,
    /// `rx-0.packets`.
    Dots,
    /// `rx0_packets`.
    Short,
}

/// A counter of a device.
type Total = fn(&LinkStatistics) -> u64;

/// Counters of the whole device, as most drivers name them.
const TOTALS: [(&str, Total); 8] = [
    ("rx_packets", |link| link.rx_packets),
    ("tx_packets", |link| link.tx_packets),
    ("rx_bytes", |link| link.rx_bytes),
    ("tx_bytes", |link| link.tx_bytes),
    ("rx_errors", |link| link.rx_errors),
    ("tx_errors", |link| link.tx_errors),
    ("rx_dropped", |link| link.rx_dropped),
    ("tx_dropped", |link| link.tx_dropped),
];

/// Counters of a queue.
const QUEUE_TOTALS: [(&str, &str, Total); 4] = [
    ("rx", "packets", |link| link.rx_packets),
    ("rx", "bytes", |link| link.rx_bytes),
    ("tx", "packets", |link| link.tx_packets),
    ("tx", "bytes", |link| link.tx_bytes),
];

/// Drivers make a queue for each CPU, up to this many.
const QUEUES_MAX: usize = 64;

/// Bits of `ethtool_link_mode_bit_indices`.
mod bit {
    pub(super) const ALL_1000_AND_BELOW: u32 = 0x2f;
    pub(super) const AUTONEGOTIATION: u32 = 1 << 6;
    pub(super) const TWISTED_PAIR: u32 = 1 << 7;
    pub(super) const FIBRE: u32 = 1 << 10;
    pub(super) const TEN_GIGABITS: u32 = 1 << 12;
    pub(super) const PAUSE: u32 = 1 << 13;
    pub(super) const TWENTY_FIVE_GIGABITS: u32 = 1 << 31;
}

impl<'a> Moment<'a> {
    /// The driver of a device; `None` for those that have none.
    pub(crate) fn driver(&self, link: &'a Interface) -> Option<DriverOf<'a>> {
        let own = |name| Some(DriverOf { name, firmware: "", bus_info: "" });
        match &link.kind {
            Kind::Loopback => None,
            Kind::Dummy => own("dummy"),
            Kind::Bond(_) => Some(DriverOf { name: "bonding", firmware: "2", bus_info: "" }),
            Kind::Bridge => Some(DriverOf { name: "bridge", firmware: "N/A", bus_info: "N/A" }),
            Kind::Veth => own("veth"),
            Kind::Vlan { .. } => Some(DriverOf { name: "802.1Q VLAN Support", firmware: "N/A", bus_info: "" }),
            Kind::Tunnel => Some(DriverOf { name: "tun", firmware: "", bus_info: "tun" }),
            Kind::InfiniBand { bus_device, .. } => Some(DriverOf {
                name: "mlx5_core[ib_ipoib]",
                firmware: "28.39.1002 (MT_0000000838)",
                bus_info: bus_device,
            }),
            Kind::Physical { bus_device } => Some(self.physical_driver(link, bus_device)),
        }
    }

    fn physical_driver(&self, link: &'a Interface, bus_device: &'a str) -> DriverOf<'a> {
        let (name, firmware) = match link.path.as_str() {
            path if path.contains("/virtio") => ("virtio_net", ""),
            path if path.contains("/usb") => ("r8152", ""),
            path if path.contains(".mmcnr/") => ("brcmfmac", "7.45.241"),
            path if path.starts_with("platform/") => ("bcmgenet", ""),
            path if path.starts_with("qeth/") => ("qeth_l2", "HW7.1"),
            _ => {
                let device = self.machine.pci_devices.iter().find(|device| device.place() == bus_device);
                match device.map_or("", |device| device.model.driver) {
                    "mlx5_core" => ("mlx5_core", "26.36.1010 (MT_0000000528)"),
                    "ice" => ("ice", "4.40 0x8001ba2d 1.3534.0"),
                    "iwlwifi" => ("iwlwifi", "83.e8f84e98.0"),
                    "" => ("e1000e", "0.5-4"),
                    other => (other, "3.30, 0x8000079c"),
                }
            }
        };
        DriverOf { name, firmware, bus_info: bus_device }
    }

    /// Supported and advertised settings; `None` for a device that has none, or refuses.
    pub(crate) fn link_settings(&self, link: &Interface) -> Option<LinkSettings> {
        if matches!(link.kind, Kind::Loopback | Kind::Dummy) || link.wireless.is_some() || self.refuses(link) {
            return None;
        }
        let is_wired = matches!(link.kind, Kind::Physical { .. }) && !link.path.contains("/virtio");
        let supported = match link.speed_megabits {
            _ if !is_wired => 0,
            None | Some(0..=1_000) => bit::ALL_1000_AND_BELOW | bit::AUTONEGOTIATION | bit::TWISTED_PAIR | bit::PAUSE,
            Some(1_001..=10_000) => bit::TEN_GIGABITS | bit::FIBRE,
            Some(10_001..=25_000) => bit::TWENTY_FIVE_GIGABITS | bit::TEN_GIGABITS | bit::FIBRE | bit::PAUSE,
            // The modes of faster links have bits that this command does not reach.
            Some(_) => bit::AUTONEGOTIATION | bit::FIBRE | bit::PAUSE,
        };
        let autonegotiation = u8::from(supported & bit::AUTONEGOTIATION != 0);
        // Ports are supported and not advertised.
        let advertised = supported & !(bit::TWISTED_PAIR | bit::FIBRE);
        Some(LinkSettings { supported, advertised, autonegotiation })
    }

    /// Tells of the counters of a device's driver, if it has any. Those of queues have the sums of [`TOTALS`].
    pub(crate) fn driver_statistics(&self, link: &Interface, visit: &mut dyn FnMut(&str, u64)) {
        if !matches!(link.kind, Kind::Physical { .. } | Kind::InfiniBand { .. } | Kind::Veth) {
            return;
        }
        if link.kind == Kind::Veth {
            visit("peer_ifindex", link.peer_index.unwrap_or_default().into());
            return;
        }
        let told = self.link_statistics(link);
        let driver = self.driver(link).map_or("", |driver| driver.name);
        let names = match driver {
            "ice" => QueueNames::Dots,
            "mlx5_core" | "mlx5_core[ib_ipoib]" => QueueNames::Short,
            _ => QueueNames::Underscores,
        };
        // The counters of virtio devices are those of the queues alone.
        if driver != "virtio_net" {
            for (name, total) in TOTALS {
                visit(name, total(&told));
            }
        }
        let queues = match driver {
            "r8152" | "brcmfmac" | "iwlwifi" | "qeth_l2" => 0,
            _ => self.machine.processor.cpus.min(QUEUES_MAX),
        };
        let mut name = String::new();
        for queue in 0..queues {
            for (direction, what, total) in QUEUE_TOTALS {
                name.clear();
                name.push_str(direction);
                let (before, after) = match names {
                    QueueNames::Underscores => ("_queue_", "_"),
                    QueueNames::Dots => ("-", "."),
                    QueueNames::Short => ("", "_"),
                };
                name.extend([before, &queue.to_string(), after, what]);
                // The floors of a number's shares sum up to it, and none ever falls.
                visit(&name, (total(&told) + queue as u64) / queues as u64);
            }
        }
    }
}
