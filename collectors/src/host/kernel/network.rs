//! Answers about the network: routes, queueing disciplines, drivers, and the counters of a link as a list.

use std::net::IpAddr;

use super::{IpNetwork, LinkStatistics};

/// A next hop of a unicast route from `RTM_GETROUTE`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Route<'a> {
    /// Its device; empty if it has none.
    pub device: &'a [u8],
    /// The destination; `None` for the default route.
    pub destination: Option<IpNetwork>,
    /// `RTA_PREFSRC`: the preferred source address.
    pub source: Option<IpAddr>,
    /// `RTA_GATEWAY`.
    pub gateway: Option<IpAddr>,
    /// `RTA_PRIORITY`, the metric; 0 where the kernel omits it.
    pub priority: u32,
    /// `rtm_protocol`, an `RTPROT_` number: who added the route.
    pub protocol: u8,
    /// The weight of a next hop among several, from 1; `None` for the only one.
    pub weight: Option<u16>,
}

/// `TC_H_ROOT`: the parent of a device's root discipline.
pub const PARENT_ROOT: u32 = u32::MAX;

/// A queueing discipline from `RTM_GETQDISC`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Qdisc<'a> {
    /// The name of its device.
    pub device: &'a [u8],
    /// The name of the discipline: `fq_codel`.
    pub kind: &'a [u8],
    /// The handle of the class or discipline that it belongs to; 0 or [`PARENT_ROOT`] at the root.
    pub parent: u32,
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// Packets dropped.
    pub drops: u32,
    /// Packets requeued because the device did not accept them.
    pub requeues: u32,
    /// Times that a limit delayed packets.
    pub overlimits: u32,
    /// Packets in the queue.
    pub queue_length: u32,
    /// Bytes in the queue.
    pub backlog_bytes: u32,
}

impl Qdisc<'_> {
    /// Whether it is the root discipline of its device, which all packets pass.
    pub const fn is_root(&self) -> bool {
        matches!(self.parent, 0 | PARENT_ROOT)
    }
}

/// The driver of a network device, from `ETHTOOL_GDRVINFO`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Driver<'a> {
    /// Its name: `e1000e`.
    pub name: &'a [u8],
    /// Its version.
    pub version: &'a [u8],
    /// The version of the device's firmware.
    pub firmware_version: &'a [u8],
    /// The version of the device's expansion ROM.
    pub expansion_rom_version: &'a [u8],
    /// The device's address on its bus.
    pub bus_info: &'a [u8],
}

/// Settings of a link, from `ETHTOOL_GSET`. Bits are the first 32 of `ethtool_link_mode_bit_indices` in
/// include/uapi/linux/ethtool.h.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct LinkSettings {
    /// Supported speeds, ports and features.
    pub supported: u32,
    /// Advertised speeds and features.
    pub advertised: u32,
    /// 1 while the link negotiates its speed.
    pub autonegotiation: u8,
}

/// A counter of a driver, from `ETHTOOL_GSTATS`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct DriverStatistic<'a> {
    /// Its name, as the driver spells it.
    pub name: &'a [u8],
    /// Its value.
    pub value: u64,
}

macro_rules! counters {
    ($($name:ident)*) => {
        impl LinkStatistics {
            /// The names of the counters, in the kernel's order.
            pub const NAMES: [&str; 24] = [$(stringify!($name)),*];

            /// The counters in the order of [`Self::NAMES`].
            pub fn counters(&self) -> [u64; Self::NAMES.len()] {
                [$(self.$name),*]
            }

            /// The statistics with these [`Self::counters`].
            pub fn from_counters(counters: [u64; Self::NAMES.len()]) -> Self {
                let [$($name),*] = counters;
                Self { $($name),* }
            }
        }
    };
}

counters! {
    rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped tx_dropped multicast collisions
    rx_length_errors rx_over_errors rx_crc_errors rx_frame_errors rx_fifo_errors rx_missed_errors
    tx_aborted_errors tx_carrier_errors tx_fifo_errors tx_heartbeat_errors tx_window_errors
    rx_compressed tx_compressed rx_nohandler
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_counters_have_the_same_order() {
        let counters = std::array::from_fn(|position| position as u64 + 1);
        let statistics = LinkStatistics::from_counters(counters);
        assert_eq!(statistics.counters(), counters);
        assert_eq!((LinkStatistics::NAMES[0], statistics.rx_packets), ("rx_packets", 1));
        assert_eq!((LinkStatistics::NAMES[9], statistics.collisions), ("collisions", 10));
        assert_eq!((LinkStatistics::NAMES[23], statistics.rx_nohandler), ("rx_nohandler", 24));
    }
}
