//! Network devices, their addresses and neighbours.

use std::net::{IpAddr, Ipv4Addr};

use crate::wave::Wave;

#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) index: u32,
    /// Where it stands below /sys/devices: `virtual/net/lo`.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) hardware_address: [u8; 6],
    /// What it had before a bond gave all its slaves the same.
    pub(crate) permanent_address: [u8; 6],
    /// How the address came to it: 0 permanent, 1 random, 2 stolen from another device, 3 set.
    pub(crate) address_assignment: u8,
    /// Where the name came from: 1 the kernel's counting, 3 chosen by a program, 4 renamed; none for `lo`.
    pub(crate) name_assignment: Option<u8>,
    pub(crate) mtu: u32,
    pub(crate) queue_length: u32,
    pub(crate) is_up: bool,
    pub(crate) carrier_changes: u32,
    pub(crate) speed_megabits: Option<u32>,
    pub(crate) duplex: Duplex,
    /// The device that it is a slave or port of.
    pub(crate) master: Option<usize>,
    /// The index of the device at the other end, where that is another one.
    pub(crate) peer_index: Option<u32>,
    pub(crate) addresses: Vec<(IpAddr, u8)>,
    pub(crate) traffic: Option<Traffic>,
    /// When it came, in microseconds since 1970, if that was after the start of the host.
    pub(crate) born_micros: u64,
    pub(crate) wireless: Option<Wireless>,
}

impl Interface {
    /// How often its link came up, and how often it went down; the last of these is how it is.
    pub(crate) fn carrier_counts(&self) -> [u32; 2] {
        let (more, less) = (self.carrier_changes.div_ceil(2), self.carrier_changes / 2);
        if self.is_up { [more, less] } else { [less, more] }
    }
}

/// The network that a wireless device has joined, if it has.
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
    /// On a bus; its `device` link leads to the folder of this name.
    Physical {
        bus_device: String,
    },
    /// A port of InfiniBand that passes on IP, on a bus.
    InfiniBand {
        bus_device: String,
        /// The port's name in the fabric, the end of the hardware address.
        guid: u64,
    },
    Bond(Bonding),
    Bridge,
    Veth,
    /// One of the virtual networks on a device, with so many thousandths of its traffic.
    Vlan {
        lower: usize,
        number: u16,
        share_permille: u64,
    },
    /// Packets go to a program and come from it.
    Tunnel,
    /// It has addresses and passes nothing.
    Dummy,
}

impl Kind {
    pub(crate) fn is_vlan(&self) -> bool {
        matches!(self, Self::Vlan { .. })
    }

    /// The folder of the device on a bus, for what is one.
    pub(crate) fn bus_device(&self) -> Option<&str> {
        match self {
            Self::Physical { bus_device } | Self::InfiniBand { bus_device, .. } => Some(bus_device),
            _ => None,
        }
    }
}

/// A bond in the mode active-backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bonding {
    pub(crate) slaves: Vec<usize>,
    pub(crate) active: usize,
}

/// What goes through it, in thousandths a second.
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
    pub(crate) interface: usize,
    pub(crate) address: Ipv4Addr,
    pub(crate) hardware_address: [u8; 6],
    /// Whether it never answered; then it has no hardware address.
    pub(crate) is_failed: bool,
}

/// How many sockets there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    /// Connections that are open whatever happens, and how many more at the mean load.
    pub(crate) always: u64,
    pub(crate) at_mean_load: u64,
    pub(crate) listening: u64,
    pub(crate) listening6: u64,
    pub(crate) datagrams: u64,
    pub(crate) datagrams6: u64,
}

impl Connections {
    /// A host of few visitors.
    pub(crate) const FEW: Self =
        Self { always: 18, at_mean_load: 25, listening: 5, listening6: 4, datagrams: 6, datagrams6: 3 };
}
