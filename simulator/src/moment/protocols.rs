//! What the protocols of the network counted: parts of what went through the devices.

use collectors::host::kernel::LinkStatistics;

use super::Moment;
use crate::machine::Kind;

/// Counts of one direction.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Direction {
    /// Packets and bytes of IP, of the versions 4 and 6.
    pub(crate) packets: [u64; 2],
    pub(crate) bytes: [u64; 2],
    /// Of those that are for the host or of it, by what they carry.
    pub(crate) tcp: [u64; 2],
    pub(crate) udp: [u64; 2],
    pub(crate) icmp: [u64; 2],
}

/// What IP counted.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Protocols {
    pub(crate) received: Direction,
    pub(crate) sent: Direction,
    /// Packets of containers, passed on to others.
    pub(crate) forwarded: u64,
}

/// Of a thousand packets so many are of the versions 4 and 6; the others are of no IP.
const VERSIONS_PERMILLE: [u64; 2] = [961, 29];
/// The same for bytes: headers of frames are no part of IP.
const BYTES_PERMILLE: [u64; 2] = [948, 23];
/// Of a thousand packets so many carry TCP, UDP and ICMP.
const TCP_PERMILLE: u64 = 952;
const UDP_PERMILLE: u64 = 38;
const ICMP_PERMILLE: u64 = 3;

fn part(whole: u64, permille: u64) -> u64 {
    // In this order nothing overflows before the year 2286 and nothing falls.
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
    /// Devices that IP sees: what is part of another is seen there.
    pub(crate) fn protocols(&self) -> Protocols {
        let (mut own, mut of_containers) = (LinkStatistics::default(), LinkStatistics::default());
        for link in &self.machine.interfaces {
            let is_of_containers = matches!(link.kind, Kind::Bridge | Kind::Veth);
            // A virtual network is part of the device below.
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
        // What is gone was counted here while it was there, unless a master counts it.
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

    /// Whether it passes on what is for others: containers need that.
    pub(crate) fn is_router(&self) -> bool {
        self.machine.interfaces.iter().any(|link| matches!(link.kind, Kind::Bridge | Kind::Veth | Kind::Tunnel))
    }

    /// Packets that the CPUs took from devices, before anything is known of them.
    pub(crate) fn packets_from_devices(&self) -> u64 {
        let sources = self.machine.interfaces.iter().filter(|link| {
            matches!(link.kind, Kind::Loopback | Kind::Veth | Kind::Tunnel) || link.kind.bus_device().is_some()
        });
        let there = sources.map(|link| self.counted(link).rx_packets).sum::<u64>();
        there + self.carried_by_gone(|_| true).rx_packets
    }
}
