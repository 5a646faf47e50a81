//! Counters of network protocols, derived from the traffic of devices.

use collectors::host::kernel::LinkStatistics;

use super::Moment;
use crate::machine::Kind;

/// Counts of one direction.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Direction {
    /// Packets and bytes of IPv4 and IPv6.
    pub(crate) packets: [u64; 2],
    pub(crate) bytes: [u64; 2],
    /// Packets of the host itself, by transport protocol.
    pub(crate) tcp: [u64; 2],
    pub(crate) udp: [u64; 2],
    pub(crate) icmp: [u64; 2],
}

/// Counters of IP.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Protocols {
    pub(crate) received: Direction,
    pub(crate) sent: Direction,
    /// Forwarded packets of containers.
    pub(crate) forwarded: u64,
}

/// Shares of packets of IPv4 and IPv6, in thousandths; the rest is not IP.
const VERSIONS_PERMILLE: [u64; 2] = [961, 29];
/// Shares of bytes of IPv4 and IPv6, in thousandths, without frame headers.
const BYTES_PERMILLE: [u64; 2] = [948, 23];
/// Shares of packets of TCP, UDP and ICMP, in thousandths.
const TCP_PERMILLE: u64 = 952;
const UDP_PERMILLE: u64 = 38;
const ICMP_PERMILLE: u64 = 3;

fn part(whole: u64, permille: u64) -> u64 {
    // In this order, no product overflows before the year 2286 and no counter falls.
    u64::try_from(u128::from(whole) * u128::from(permille) / 1_000).unwrap_or(u64::MAX)
}

impl Direction {
    fn new(packets: u64, bytes: u64) -> Self {
        let packets = VERSIONS_PERMILLE.map(|permille| part(packets, permille));
        Self {
            bytes: BYTES_PERMILLE.map(|permille| part(bytes, permille)),
            tcp: packets.map(|packets| part(packets, TCP_PERMILLE)),
            udp: packets.map(|packets| part(packets, UDP_PERMILLE)),
            icmp: packets.map(|packets| part(packets, ICMP_PERMILLE)),
            packets,
        }
    }

    fn with_forwarded(mut self, packets: u64, bytes: u64) -> Self {
        self.packets[0] += packets;
        self.bytes[0] += bytes;
        self
    }
}

impl Moment<'_> {
    /// The traffic of devices that IP uses: slaves, ports and VLANs count at their master or lower device.
    pub(crate) fn protocols(&self) -> Protocols {
        let (mut own, mut of_containers) = (LinkStatistics::default(), LinkStatistics::default());
        for link in &self.machine.interfaces {
            let is_of_containers = matches!(link.kind, Kind::Bridge | Kind::Veth);
            // The traffic of a VLAN is part of the device below.
            if link.master.is_some() || matches!(link.kind, Kind::Vlan { .. }) {
                continue;
            }
            let sum = if is_of_containers { &mut of_containers } else { &mut own };
            let statistics = self.counted(link);
            sum.rx_packets += statistics.rx_packets;
            sum.rx_bytes += statistics.rx_bytes;
            sum.tx_packets += statistics.tx_packets;
            sum.tx_bytes += statistics.tx_bytes;
        }
        // Removed devices still count, unless their master counts them.
        let gone = self.carried_by_gone(|stint| stint.master.is_none());
        own.rx_packets += gone.rx_packets;
        own.rx_bytes += gone.rx_bytes;
        own.tx_packets += gone.tx_packets;
        own.tx_bytes += gone.tx_bytes;
        let forwarded = part(of_containers.rx_packets, 960);
        let forwarded_bytes = part(of_containers.rx_bytes, 940);
        Protocols {
            received: Direction::new(own.rx_packets, own.rx_bytes).with_forwarded(forwarded, forwarded_bytes),
            sent: Direction::new(own.tx_packets, own.tx_bytes).with_forwarded(0, forwarded_bytes),
            forwarded,
        }
    }

    /// Whether the host forwards packets, as hosts of containers do.
    pub(crate) fn is_router(&self) -> bool {
        self.machine.interfaces.iter().any(|link| matches!(link.kind, Kind::Bridge | Kind::Veth | Kind::Tunnel))
    }

    /// Packets that CPUs received from devices.
    pub(crate) fn packets_from_devices(&self) -> u64 {
        let sources = self.machine.interfaces.iter().filter(|link| {
            matches!(link.kind, Kind::Loopback | Kind::Veth | Kind::Tunnel) || link.kind.bus_device().is_some()
        });
        let there = sources.map(|link| self.counted(link).rx_packets).sum::<u64>();
        there + self.carried_by_gone(|_| true).rx_packets
    }
}
