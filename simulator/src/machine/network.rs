//! Network devices, addresses, neighbours, sockets, and adapters of RDMA fabrics.

use std::net::{IpAddr, Ipv4Addr};

use crate::list::Id;
use crate::wave::Wave;

#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) index: u32,
    /// Its folder below /sys/devices: `virtual/net/lo`.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) hardware_address: [u8; 6],
    /// The address before a bond replaced it.
    pub(crate) permanent_address: [u8; 6],
    /// The origin of the address: 0 permanent, 1 random, 2 copied from another device, 3 set.
    pub(crate) address_assignment: u8,
    /// The origin of the name: 1 numbered by the kernel, 3 chosen by a program, 4 renamed; none for `lo`.
    pub(crate) name_assignment: Option<u8>,
    pub(crate) mtu: u32,
    pub(crate) queue_length: u32,
    pub(crate) is_up: bool,
    pub(crate) carrier_changes: u32,
    pub(crate) speed_megabits: Option<u32>,
    pub(crate) duplex: Duplex,
    /// The bond or bridge that it belongs to.
    pub(crate) master: Option<Id<Interface>>,
    /// The index of the peer or of the device below, if there is one.
    pub(crate) peer_index: Option<u32>,
    pub(crate) addresses: Vec<(IpAddr, u8)>,
    pub(crate) traffic: Option<Traffic>,
    /// The time of its creation in microseconds since 1970; 0 if it is older than the boot.
    pub(crate) born_micros: u64,
    pub(crate) wireless: Option<Wireless>,
}

impl Interface {
    /// The numbers of transitions to up and to down; the last transition led to the current state.
    pub(crate) fn carrier_counts(&self) -> [u32; 2] {
        let (more, less) = (self.carrier_changes.div_ceil(2), self.carrier_changes / 2);
        if self.is_up { [more, less] } else { [less, more] }
    }
}

/// The state of a wireless device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wireless {
    Searching,
    Joined { frequency_megahertz: u32, name: &'static str, access_point: [u8; 6], megabits: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Duplex {
    Full,
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Loopback,
    /// A device on a bus; its link `device` leads to the folder of this name.
    Physical {
        bus_device: String,
    },
    /// IP over InfiniBand, on a bus.
    InfiniBand {
        bus_device: String,
        /// The GUID of the port, which is the end of the hardware address.
        guid: u64,
    },
    Bond(Bonding),
    Bridge,
    Veth,
    /// A VLAN on a device, with a share of its traffic.
    Vlan {
        lower: Id<Interface>,
        number: u16,
        share_permille: u64,
    },
    /// A tunnel device: packets are exchanged with a program.
    Tunnel,
    /// A device with addresses and without traffic.
    Dummy,
}

impl Kind {
    pub(crate) fn is_vlan(&self) -> bool {
        matches!(self, Self::Vlan { .. })
    }

    /// The folder of its device on a bus, if it has one.
    pub(crate) fn bus_device(&self) -> Option<&str> {
        match self {
            Self::Physical { bus_device } | Self::InfiniBand { bus_device, .. } => Some(bus_device),
            _ => None,
        }
    }
}

/// The slaves of a bond in mode active-backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bonding {
    pub(crate) slaves: Vec<Id<Interface>>,
    pub(crate) active: Id<Interface>,
}

/// Rates of traffic, in thousandths per second.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    pub(crate) wave: Wave,
    pub(crate) received_bytes_milli: u64,
    pub(crate) received_packets_milli: u64,
    pub(crate) transmitted_bytes_milli: u64,
    pub(crate) transmitted_packets_milli: u64,
    pub(crate) multicast_milli: u64,
    pub(crate) received_drops_milli: u64,
    pub(crate) transmitted_drops_milli: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Neighbour {
    pub(crate) interface: Id<Interface>,
    pub(crate) address: Ipv4Addr,
    pub(crate) hardware_address: [u8; 6],
    /// Whether address resolution failed; then the hardware address is unknown.
    pub(crate) is_failed: bool,
}

/// Numbers of sockets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    /// Connections without load, and additional ones at the mean load.
    pub(crate) always: u64,
    pub(crate) at_mean_load: u64,
    pub(crate) listening: u64,
    pub(crate) listening6: u64,
    pub(crate) datagrams: u64,
    pub(crate) datagrams6: u64,
}

impl Connections {
    /// A host with few connections.
    pub(crate) const FEW: Self =
        Self { always: 18, at_mean_load: 25, listening: 5, listening6: 4, datagrams: 6, datagrams6: 3 };
}

/// /sys/class/infiniband: an adapter with one port.
#[derive(Clone, Debug)]
pub(crate) struct Adapter {
    pub(crate) name: String,
    /// Its parent device, below /sys/devices.
    pub(crate) device: String,
    /// Set by some drivers only.
    pub(crate) board: Option<&'static str>,
    pub(crate) model: Option<&'static str>,
    pub(crate) firmware: &'static str,
    pub(crate) guid: u64,
    pub(crate) link: FabricLink,
    /// As the kernel writes it: `400 Gb/sec (4X NDR)`.
    pub(crate) rate: &'static str,
    /// Its local identifier in the fabric.
    pub(crate) lid: u32,
    pub(crate) is_up: bool,
    /// Whether it implements the standard counters.
    pub(crate) has_counters: bool,
    /// Counters whose files exist and whose reads fail.
    pub(crate) refused: &'static [&'static str],
    pub(crate) traffic: Traffic,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FabricLink {
    InfiniBand,
    Ethernet,
}
