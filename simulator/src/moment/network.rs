//! What went through each network device, and its state.

use collectors::kit::kernel::LinkStatistics;

use super::Moment;
use crate::machine::{Interface, Kind, Traffic};

/// `IFF_` bits.
mod flag {
    pub(super) const UP: u32 = 0x1;
    pub(super) const BROADCAST: u32 = 0x2;
    pub(super) const LOOPBACK: u32 = 0x8;
    pub(super) const MASTER: u32 = 0x400;
    pub(super) const SLAVE: u32 = 0x800;
    pub(super) const MULTICAST: u32 = 0x1000;
    /// Seen by rtnetlink and not by the file `flags`.
    pub(super) const RUNNING: u32 = 0x40;
    pub(super) const LOWER_UP: u32 = 0x1_0000;
}

/// An Ethernet header, which a bridge does not count.
const HEADER_BYTES: u64 = 14;

impl Moment<'_> {
    /// The counters of a device, those of a bond being the sum of its slaves'.
    pub(crate) fn link_statistics(&self, interface: usize) -> LinkStatistics {
        let Some(link) = self.machine.interfaces.get(interface) else { return LinkStatistics::default() };
        let own = link.traffic.as_ref().map_or_else(LinkStatistics::default, |traffic| self.traffic(traffic));
        match &link.kind {
            Kind::Loopback => LinkStatistics { tx_bytes: own.rx_bytes, tx_packets: own.rx_packets, ..own },
            Kind::Bond(bonding) => {
                bonding.slaves.iter().fold(own, |sum, &slave| plus(sum, self.link_statistics(slave)))
            }
            Kind::Bridge => self.ports(interface).fold(own, |sum, port| {
                let mut through = self.link_statistics(port);
                through.rx_bytes -= through.rx_packets * HEADER_BYTES;
                plus(sum, through)
            }),
            Kind::Physical { .. } | Kind::Veth => own,
        }
    }

    /// The devices whose master this one is.
    pub(crate) fn ports(&self, master: usize) -> impl Iterator<Item = usize> {
        let links = self.machine.interfaces.iter().enumerate();
        links.filter(move |(_, link)| link.master == Some(master)).map(|(port, _)| port)
    }

    fn traffic(&self, traffic: &Traffic) -> LinkStatistics {
        let count = |milli| self.counter(&traffic.wave, milli);
        LinkStatistics {
            rx_packets: count(traffic.received_packets_milli),
            tx_packets: count(traffic.transmitted_packets_milli),
            rx_bytes: count(traffic.received_bytes_milli),
            tx_bytes: count(traffic.transmitted_bytes_milli),
            rx_dropped: count(traffic.received_drops_milli),
            tx_dropped: count(traffic.transmitted_drops_milli),
            multicast: count(traffic.multicast_milli),
            ..LinkStatistics::default()
        }
    }
}

fn plus(a: LinkStatistics, b: LinkStatistics) -> LinkStatistics {
    let (mut sums, others) = (a.counters(), b.counters());
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
    LinkStatistics::from_counters(sums)
}

impl Interface {
    /// The flags as the file of that name has them.
    pub(crate) fn flags(&self) -> u32 {
        let kind = match self.kind {
            Kind::Loopback => flag::LOOPBACK,
            Kind::Bond(_) => flag::BROADCAST | flag::MULTICAST | flag::MASTER,
            Kind::Physical { .. } | Kind::Bridge | Kind::Veth => flag::BROADCAST | flag::MULTICAST,
        };
        let is_slave = self.master.is_some() && matches!(self.kind, Kind::Physical { .. });
        kind | flag::UP | if is_slave { flag::SLAVE } else { 0 }
    }

    /// The flags as rtnetlink has them.
    pub(crate) fn link_flags(&self) -> u32 {
        self.flags() | if self.is_up { flag::RUNNING | flag::LOWER_UP } else { 0 }
    }

    /// `unknown` for the loopback, which has no such state.
    pub(crate) fn operstate(&self) -> (u8, &'static str) {
        match self.kind {
            Kind::Loopback => (0, "unknown"),
            _ if self.is_up => (6, "up"),
            _ => (2, "down"),
        }
    }

    /// `ARPHRD_ETHER` or `ARPHRD_LOOPBACK`.
    pub(crate) fn protocol_type(&self) -> u16 {
        if self.kind == Kind::Loopback { 772 } else { 1 }
    }

    pub(crate) fn broadcast(&self) -> [u8; 6] {
        if self.kind == Kind::Loopback { [0; 6] } else { [0xff; 6] }
    }
}
