//! eth0 to the outside, a bond to the inside, docker0 with one container.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::{hardware_address, hexadecimal};
use crate::machine::{Bonding, Duplex, Interface, Kind, Neighbour, Traffic};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE, Wave};

const ETH0: usize = 1;
const ETH1: usize = 2;
const ETH2: usize = 3;
const BOND0: usize = 4;
const DOCKER0: usize = 5;

/// Addresses of the blocks that are set aside for documentation.
const OUTSIDE: [u8; 3] = [192, 0, 2];
const INSIDE: [u8; 3] = [198, 51, 100];

pub(super) fn interfaces(seed: Seed) -> Vec<Interface> {
    let bonding = Bonding { slaves: vec![ETH1, ETH2], active: ETH1 };
    let bond_address = hardware_address(seed.of("eth1"));
    let veth = format!("veth{}", hexadecimal(seed.of("veth"), 7));
    vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(OUTSIDE, own(seed)), 24), link_local(hardware_address(seed.of("eth0")))],
            carrier_changes: 1,
            traffic: Some(eth0_traffic(seed)),
            ..physical(seed, "eth0", 2)
        },
        Interface {
            hardware_address: bond_address,
            master: Some(BOND0),
            traffic: Some(slave_traffic(seed, "eth1", 1_000)),
            ..physical(seed, "eth1", 3)
        },
        Interface {
            hardware_address: bond_address,
            // Stolen from the other slave.
            address_assignment: 2,
            master: Some(BOND0),
            traffic: Some(slave_traffic(seed, "eth2", 6)),
            ..physical(seed, "eth2", 4)
        },
        Interface {
            hardware_address: bond_address,
            permanent_address: bond_address,
            address_assignment: 2,
            kind: Kind::Bond(bonding),
            queue_length: 1_000,
            speed_megabits: Some(10_000),
            carrier_changes: 2,
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(bond_address)],
            ..made(seed, "bond0", 5)
        },
        Interface {
            kind: Kind::Bridge,
            queue_length: 0,
            speed_megabits: Some(10_000),
            // A bridge has no setting for it.
            duplex: Duplex::Unknown,
            carrier_changes: 4,
            addresses: vec![(IpAddr::V4(Ipv4Addr::new(172, 17, 0, 1)), 16)],
            ..made(seed, "docker0", 6)
        },
        Interface {
            kind: Kind::Veth,
            speed_megabits: Some(10_000),
            carrier_changes: 2,
            master: Some(DOCKER0),
            peer_index: Some(2),
            traffic: Some(container_traffic(seed)),
            addresses: vec![link_local(hardware_address(seed.of(&veth)))],
            ..made(seed, &veth, 8)
        },
    ]
}

pub(super) fn neighbours(seed: Seed) -> Vec<Neighbour> {
    let neighbour = |interface, address: Ipv4Addr, is_failed| Neighbour {
        interface,
        address,
        hardware_address: hardware_address(seed.of("neighbour").of(&address.to_string())),
        is_failed,
    };
    let outside = |last| Ipv4Addr::new(OUTSIDE[0], OUTSIDE[1], OUTSIDE[2], last);
    let inside = |last| Ipv4Addr::new(INSIDE[0], INSIDE[1], INSIDE[2], last);
    vec![
        neighbour(ETH0, outside(1), false),
        neighbour(ETH0, outside(2), false),
        neighbour(BOND0, inside(1), false),
        neighbour(BOND0, inside(240), false),
        neighbour(BOND0, inside(241), true),
        neighbour(DOCKER0, Ipv4Addr::new(172, 17, 0, 2), false),
    ]
}

/// The last byte of the host's own addresses.
fn own(seed: Seed) -> u8 {
    u8::try_from(seed.of("address").between(10, 199)).unwrap_or(10)
}

fn address([a, b, c]: [u8; 3], last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, last))
}

/// The address that a host gives itself out of the hardware address.
fn link_local(hardware: [u8; 6]) -> (IpAddr, u8) {
    let mut bytes = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0];
    bytes[8..11].copy_from_slice(&hardware[..3]);
    bytes[13..].copy_from_slice(&hardware[3..]);
    bytes[8] ^= 2;
    (IpAddr::V6(Ipv6Addr::from(bytes)), 64)
}

fn loopback(seed: Seed) -> Interface {
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
            transmitted_bytes_milli: 0,
            transmitted_packets_milli: 0,
            ..quiet(Wave::new(&OFFICE, seed, "lo"))
        }),
        ..made(seed, "lo", 1)
    }
}

/// On the bus: three slots after the disks.
fn physical(seed: Seed, name: &str, index: u32) -> Interface {
    let slot = index + 4;
    let bus_device = format!("virtio{}", index + 1);
    Interface {
        path: format!("pci0000:00/0000:00:{slot:02x}.0/{bus_device}/net/{name}"),
        kind: Kind::Physical { bus_device },
        address_assignment: 0,
        name_assignment: Some(4),
        speed_megabits: Some(10_000),
        carrier_changes: 2,
        ..made(seed, name, index)
    }
}

/// A device that a program made.
fn made(seed: Seed, name: &str, index: u32) -> Interface {
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
    }
}

fn quiet(wave: Wave) -> Traffic {
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

fn eth0_traffic(seed: Seed) -> Traffic {
    Traffic {
        wave: Wave::new(&OFFICE, seed, "eth0"),
        received_bytes_milli: 312_000_000,
        received_packets_milli: 641_000,
        transmitted_bytes_milli: 894_000_000,
        transmitted_packets_milli: 812_000,
        multicast_milli: 240,
        received_drops_milli: 11,
        transmitted_drops_milli: 0,
    }
}

/// Of the active slave a thousand thousandths; the other hears what is for everybody.
fn slave_traffic(seed: Seed, name: &str, share: u64) -> Traffic {
    Traffic {
        wave: Wave::new(&BATCH, seed, name),
        received_bytes_milli: 486_000 * share,
        received_packets_milli: 540 * share,
        transmitted_bytes_milli: if share == 1_000 { 1_120_000_000 } else { 0 },
        transmitted_packets_milli: if share == 1_000 { 905_000 } else { 0 },
        multicast_milli: 900,
        received_drops_milli: if share == 1_000 { 0 } else { 3_200 },
        transmitted_drops_milli: 0,
    }
}

fn container_traffic(seed: Seed) -> Traffic {
    Traffic {
        wave: Wave::new(&OFFICE, seed, "container"),
        received_bytes_milli: 74_000_000,
        received_packets_milli: 61_000,
        transmitted_bytes_milli: 28_000_000,
        transmitted_packets_milli: 58_000,
        ..quiet(Wave::new(&OFFICE, seed, "container"))
    }
}
