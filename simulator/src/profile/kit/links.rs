//! Network devices.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::identity::hardware_address;
use crate::list::Id;
use crate::machine::{Duplex, Interface, Kind, Neighbour, Traffic};
use crate::seed::Seed;
use crate::wave::{OFFICE, Shape, Wave};

/// Addresses of the blocks reserved for documentation.
pub(crate) const OUTSIDE: [u8; 3] = [192, 0, 2];
pub(crate) const INSIDE: [u8; 3] = [198, 51, 100];

/// Last octet of the host's own addresses.
pub(in crate::profile) fn own(seed: Seed) -> u8 {
    u8::try_from(seed.of("address").between(10, 199)).unwrap_or(10)
}

pub(in crate::profile) fn address([a, b, c]: [u8; 3], last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, last))
}

/// Link-local IPv6 address derived from a MAC address.
pub(in crate::profile) fn link_local(hardware: [u8; 6]) -> (IpAddr, u8) {
    let mut bytes = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0];
    bytes[8..11].copy_from_slice(&hardware[..3]);
    bytes[13..].copy_from_slice(&hardware[3..]);
    bytes[8] ^= 2;
    (IpAddr::V6(Ipv6Addr::from(bytes)), 64)
}

/// Loopback device, the first of every host.
pub(in crate::profile) fn loopback(seed: Seed) -> Interface {
    Interface {
        kind: Kind::Loopback,
        hardware_address: [0; 6],
        permanent_address: [0; 6],
        address_assignment: 0,
        name_assignment: None,
        mtu: 65_536,
        queue_length: 1_000,
        duplex: Duplex::Unknown,
        carrier_changes: 0,
        addresses: vec![(IpAddr::V4(Ipv4Addr::LOCALHOST), 8), (IpAddr::V6(Ipv6Addr::LOCALHOST), 128)],
        traffic: Some(Traffic {
            received_bytes_milli: 41_300_000,
            received_packets_milli: 212_000,
            ..quiet(Wave::new(&OFFICE, seed, "lo"))
        }),
        ..made(seed, "lo", 1)
    }
}

/// Physical device in the directory `bus` below /sys/devices.
pub(in crate::profile) fn physical(seed: Seed, name: &str, index: u32, bus: &str, megabits: u32) -> Interface {
    let bus_device = bus.rsplit('/').next().unwrap_or(bus).to_owned();
    Interface {
        path: format!("{bus}/net/{name}"),
        kind: Kind::Physical { bus_device },
        address_assignment: 0,
        name_assignment: Some(4),
        speed_megabits: Some(megabits),
        carrier_changes: 2,
        ..made(seed, name, index)
    }
}

/// Virtual device.
pub(in crate::profile) fn made(seed: Seed, name: &str, index: u32) -> Interface {
    let own = hardware_address(seed.of(name));
    Interface {
        name: name.to_owned(),
        index,
        path: format!("virtual/net/{name}"),
        kind: Kind::Veth,
        hardware_address: own,
        permanent_address: own,
        address_assignment: 3,
        name_assignment: Some(3),
        mtu: 1_500,
        queue_length: 1_000,
        is_up: true,
        carrier_changes: 0,
        speed_megabits: None,
        duplex: Duplex::Full,
        master: None,
        peer_index: None,
        addresses: Vec::new(),
        traffic: None,
        born_micros: 0,
        wireless: None,
    }
}

/// Tunnel device.
pub(in crate::profile) fn tunnel(seed: Seed, name: &str, index: u32) -> Interface {
    Interface {
        kind: Kind::Tunnel,
        hardware_address: [0; 6],
        permanent_address: [0; 6],
        address_assignment: 0,
        name_assignment: Some(3),
        queue_length: 500,
        // Fixed value of the driver.
        speed_megabits: Some(10),
        carrier_changes: 1,
        ..made(seed, name, index)
    }
}

/// VLAN by number on another device, with part of its traffic.
pub(in crate::profile) fn vlan(
    seed: Seed,
    index: u32,
    (id, lower): (Id<Interface>, &Interface),
    number: u16,
    share_permille: u64,
) -> Interface {
    Interface {
        kind: Kind::Vlan { lower: id, number, share_permille },
        hardware_address: lower.hardware_address,
        permanent_address: lower.hardware_address,
        address_assignment: 2,
        speed_megabits: lower.speed_megabits,
        duplex: lower.duplex,
        mtu: lower.mtu,
        peer_index: Some(lower.index),
        carrier_changes: 2,
        ..made(seed, &format!("{}.{number}", lower.name), index)
    }
}

/// Host end of a veth pair, a port of a bridge. `wave` names the series of its traffic.
pub(in crate::profile) fn container(
    seed: Seed,
    name: &str,
    index: u32,
    bridge: Id<Interface>,
    waves: &str,
) -> Interface {
    let wave = || Wave::new(&OFFICE, seed, waves);
    Interface {
        kind: Kind::Veth,
        speed_megabits: Some(10_000),
        carrier_changes: 2,
        master: Some(bridge),
        peer_index: Some(2),
        traffic: Some(Traffic {
            received_bytes_milli: 74_000_000,
            received_packets_milli: 61_000,
            transmitted_bytes_milli: 28_000_000,
            transmitted_packets_milli: 58_000,
            ..quiet(wave())
        }),
        addresses: vec![link_local(hardware_address(seed.of(name)))],
        ..made(seed, name, index)
    }
}

/// Bridge with a MAC address of a container.
pub(in crate::profile) fn bridge(seed: Seed, name: &str, index: u32) -> Interface {
    Interface {
        kind: Kind::Bridge,
        queue_length: 0,
        speed_megabits: Some(10_000),
        // Bridges have no duplex setting.
        duplex: Duplex::Unknown,
        carrier_changes: 4,
        addresses: vec![(IpAddr::V4(Ipv4Addr::new(172, 17, 0, 1)), 16)],
        ..made(seed, name, index)
    }
}

pub(in crate::profile) fn quiet(wave: Wave) -> Traffic {
    Traffic {
        wave,
        received_bytes_milli: 0,
        received_packets_milli: 0,
        transmitted_bytes_milli: 0,
        transmitted_packets_milli: 0,
        multicast_milli: 0,
        received_drops_milli: 0,
        transmitted_drops_milli: 0,
    }
}

/// External traffic of a server, in thousandths.
pub(in crate::profile) fn traffic(seed: Seed, name: &str, shape: &'static Shape, permille: u64) -> Traffic {
    Traffic {
        received_bytes_milli: 312_000 * permille,
        received_packets_milli: 641 * permille,
        transmitted_bytes_milli: 894_000 * permille,
        transmitted_packets_milli: 812 * permille,
        multicast_milli: 240,
        received_drops_milli: 11,
        ..quiet(Wave::new(shape, seed, name))
    }
}

/// Neighbour on a device.
pub(in crate::profile) fn neighbour(
    seed: Seed,
    interface: Id<Interface>,
    address: Ipv4Addr,
    is_failed: bool,
) -> Neighbour {
    let hardware_address = hardware_address(seed.of("neighbour").of(&address.to_string()));
    Neighbour { interface, address, hardware_address, is_failed }
}
