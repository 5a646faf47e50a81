//! Counters and state of network devices.

use std::time::Duration;

use collectors::host::kernel::{LinkStatistics, WifiStation};

use super::Moment;
use crate::machine::{Interface, Kind, Traffic};
use crate::past::{Stint, Wrap};
use crate::wave::MICROS;

/// `IFF_` bits.
mod flag {
    pub(super) const UP: u32 = 0x1;
    pub(super) const BROADCAST: u32 = 0x2;
    pub(super) const LOOPBACK: u32 = 0x8;
    pub(super) const POINT_TO_POINT: u32 = 0x10;
    pub(super) const NO_ARP: u32 = 0x80;
    pub(super) const MASTER: u32 = 0x400;
    pub(super) const SLAVE: u32 = 0x800;
    pub(super) const MULTICAST: u32 = 0x1000;
    /// In rtnetlink only, not in the file `flags`.
    pub(super) const RUNNING: u32 = 0x40;
    pub(super) const LOWER_UP: u32 = 0x1_0000;
}

/// The Ethernet header, which a bridge does not count.
const HEADER_BYTES: u64 = 14;

impl<'a> Moment<'a> {
    /// The counters of a device; those of a bond are the sums of its slaves.
    pub(crate) fn link_statistics(&self, link: &Interface) -> LinkStatistics {
        let mut told = self.since(link.born_micros).passed(link, &|slave| self.link_statistics(slave));
        for wrap in self.past.wraps.iter().filter(|wrap| wrap.device == link.name) {
            let then = Self { micros: wrap.at_micros.max(self.machine.boot_micros()), ..*self };
            let at_end = then.counted(link);
            told.rx_bytes = wrap.told(told.rx_bytes, at_end.rx_bytes);
            told.tx_bytes = wrap.told(told.tx_bytes, at_end.tx_bytes);
        }
        told
    }

    /// The counters without wraps.
    pub(crate) fn counted(&self, link: &Interface) -> LinkStatistics {
        self.passed(link, &|slave| self.counted(slave))
    }

    fn passed(&self, link: &Interface, of_other: &dyn Fn(&Interface) -> LinkStatistics) -> LinkStatistics {
        let own = self.carried(link);
        match &link.kind {
            Kind::Loopback => LinkStatistics { tx_bytes: own.rx_bytes, tx_packets: own.rx_packets, ..own },
            Kind::Bond(bonding) => {
                let gone = self.carried_by_gone(|stint| stint.master.as_ref() == Some(&link.name));
                let slaves = bonding.slaves.iter().filter_map(|&slave| self.machine.interfaces.get(slave));
                slaves.fold(plus(own, gone), |sum, slave| plus(sum, of_other(slave)))
            }
            // A bridge keeps the traffic of removed ports.
            Kind::Bridge => self.ports(link).fold(own, |sum, port| {
                let mut through = self.counted(port);
                through.rx_bytes -= through.rx_packets * HEADER_BYTES;
                plus(sum, through)
            }),
            Kind::Vlan { lower, share_permille, .. } => {
                let lower = self.machine.interfaces.get(*lower).map(of_other);
                share(lower.unwrap_or_default(), *share_permille)
            }
            Kind::Physical { .. } | Kind::InfiniBand { .. } | Kind::Veth | Kind::Tunnel | Kind::Dummy => own,
        }
    }

    /// Traffic of the device itself, or that it took over from another slave.
    fn carried(&self, link: &Interface) -> LinkStatistics {
        let mut stints = self.past.stints.iter().filter(|stint| !stint.has_gone && stint.link == link.name);
        let Some(first) = stints.next() else {
            return link.traffic.as_ref().map_or_else(LinkStatistics::default, |traffic| self.traffic(traffic));
        };
        stints.fold(self.stint(first), |sum, stint| plus(sum, self.stint(stint)))
    }

    /// Traffic of removed devices.
    pub(super) fn carried_by_gone(&self, is_meant: impl Fn(&Stint) -> bool) -> LinkStatistics {
        let gone = self.past.stints.iter().filter(|stint| stint.has_gone && is_meant(stint));
        gone.fold(LinkStatistics::default(), |sum, stint| plus(sum, self.stint(stint)))
    }

    fn stint(&self, stint: &Stint) -> LinkStatistics {
        let moment = self.since(stint.from_micros).at(stint.until_micros.unwrap_or(u64::MAX));
        stint.traffic.as_ref().map_or_else(LinkStatistics::default, |traffic| moment.traffic(traffic))
    }

    /// Whether a device refuses to tell its speed.
    pub(crate) fn refuses(&self, link: &Interface) -> bool {
        self.past.refusing.contains(&link.name)
    }

    /// The devices whose master is this one.
    pub(crate) fn ports(&self, master: &Interface) -> impl Iterator<Item = &'a Interface> {
        let links = &self.machine.interfaces;
        let position = links.find(|link| link.index == master.index);
        links.iter().filter(move |link| link.master.is_some() && link.master == position)
    }

    /// The access point of a wireless device, without its address.
    pub(crate) fn wireless_station(&self, link: &Interface, megabits: u32) -> WifiStation<'static> {
        /// The time from the boot to the association.
        const FOUND_MICROS: u64 = 31 * MICROS;
        let statistics = self.link_statistics(link);
        let short = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let bits = u64::from(megabits) * 1_000_000;
        let signal = u8::try_from(54 + self.flicker("signal", 9)).unwrap_or(60);
        WifiStation {
            address: &[],
            connected: Duration::from_secs(self.uptime_micros().saturating_sub(FOUND_MICROS) / MICROS),
            inactive: Duration::from_millis(self.flicker("silence", 1_200)),
            // The rate drops with the signal.
            receive_bits_per_second: bits - bits / 8 * self.flicker("rate", 3),
            transmit_bits_per_second: bits,
            signal_dbm: -i8::try_from(signal).unwrap_or(60),
            received_bytes: statistics.rx_bytes,
            transmitted_bytes: statistics.tx_bytes,
            received_packets: short(statistics.rx_packets),
            transmitted_packets: short(statistics.tx_packets),
            transmit_retries: short(statistics.tx_packets / 19),
            transmit_failures: short(statistics.tx_packets / 8_100),
            beacon_losses: short(self.uptime_micros() / (5_400 * MICROS)),
        }
    }

    fn traffic(&self, traffic: &Traffic) -> LinkStatistics {
        let area = self.area(&traffic.wave);
        let count = |milli| Self::amount(area, milli);
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

impl Wrap {
    /// The value of a counter, given its total and its total at the wrap.
    pub(super) fn told(&self, counted: u64, at_end: u64) -> u64 {
        let mask = if self.bits < u64::BITS { (1 << self.bits) - 1 } else { u64::MAX };
        counted.wrapping_sub(at_end) & mask
    }
}

/// A share in thousandths.
fn share(whole: LinkStatistics, permille: u64) -> LinkStatistics {
    LinkStatistics::from_counters(
        whole
            .counters()
            .map(|counter| u64::try_from(u128::from(counter) * u128::from(permille) / 1_000).unwrap_or(u64::MAX)),
    )
}

fn plus(a: LinkStatistics, b: LinkStatistics) -> LinkStatistics {
    let (mut sums, others) = (a.counters(), b.counters());
    for (sum, other) in sums.iter_mut().zip(others) {
        // A wrapped counter may be close to its maximum.
        *sum = sum.wrapping_add(other);
    }
    LinkStatistics::from_counters(sums)
}

impl Interface {
    /// The flags in the file `flags`.
    pub(crate) fn flags(&self) -> u32 {
        let kind = match self.kind {
            Kind::Loopback => flag::LOOPBACK,
            Kind::Bond(_) => flag::BROADCAST | flag::MULTICAST | flag::MASTER,
            Kind::Physical { .. } | Kind::InfiniBand { .. } | Kind::Bridge | Kind::Veth | Kind::Vlan { .. } => {
                flag::BROADCAST | flag::MULTICAST
            }
            Kind::Tunnel => flag::POINT_TO_POINT | flag::NO_ARP | flag::MULTICAST,
            Kind::Dummy => return flag::BROADCAST | flag::NO_ARP,
        };
        let is_slave = self.master.is_some() && matches!(self.kind, Kind::Physical { .. });
        kind | flag::UP | if is_slave { flag::SLAVE } else { 0 }
    }

    /// The flags in rtnetlink.
    pub(crate) fn link_flags(&self) -> u32 {
        self.flags() | if self.is_up { flag::RUNNING | flag::LOWER_UP } else { 0 }
    }

    /// The operational state; `unknown` for devices without one.
    pub(crate) fn operstate(&self) -> (u8, &'static str) {
        match self.kind {
            Kind::Loopback | Kind::Tunnel => (0, "unknown"),
            _ if self.is_up => (6, "up"),
            _ => (2, "down"),
        }
    }

    /// Whether the device is administratively up.
    pub(crate) fn is_taken_up(&self) -> bool {
        self.flags() & flag::UP != 0
    }

    /// An `ARPHRD_` number.
    pub(crate) fn protocol_type(&self) -> u16 {
        match self.kind {
            Kind::Loopback => 772,
            Kind::Tunnel => 65_534,
            Kind::InfiniBand { .. } => 32,
            _ => 1,
        }
    }

    /// The hardware address: empty for a tunnel; queue pair, subnet and port for InfiniBand.
    pub(crate) fn address(&self) -> Vec<u8> {
        match self.kind {
            Kind::Tunnel => Vec::new(),
            Kind::InfiniBand { guid, .. } => {
                [&[0, 0, 0x10, 0x86, 0xfe, 0x80, 0, 0, 0, 0, 0, 0][..], &guid.to_be_bytes()].concat()
            }
            _ => self.hardware_address.to_vec(),
        }
    }

    pub(crate) fn broadcast(&self) -> Vec<u8> {
        match self.kind {
            Kind::Tunnel => Vec::new(),
            Kind::Loopback => vec![0; 6],
            Kind::InfiniBand { .. } => {
                vec![0, 0xff, 0xff, 0xff, 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]
            }
            _ => vec![0xff; 6],
        }
    }
}
