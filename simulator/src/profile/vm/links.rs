//! eth0 as external interface, a bond as internal one, docker0 with the containers.

use std::net::Ipv4Addr;

use super::super::kit::identity::{hardware_address, hexadecimal};
use super::super::kit::links::{
    INSIDE, OUTSIDE, address, bridge, container, link_local, loopback, made, neighbour, own, physical, quiet, traffic,
};
use crate::list::Id;
use crate::machine::{Bonding, Interface, Kind, Neighbour, Tenants, Traffic};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE, Wave};

const ETH0: Id<Interface> = Id::at(1);
const ETH1: Id<Interface> = Id::at(2);
const ETH2: Id<Interface> = Id::at(3);
const BOND0: Id<Interface> = Id::at(4);
const DOCKER0: Id<Interface> = Id::at(5);
const MEGABITS: u32 = 10_000;

pub(super) fn interfaces(seed: Seed, containers: u32, tenants: &Tenants) -> Vec<Interface> {
    let bonding = Bonding { slaves: vec![ETH1, ETH2], active: ETH1 };
    let bond_address = hardware_address(seed.of("eth1"));
    let mut interfaces = vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(OUTSIDE, own(seed)), 24), link_local(hardware_address(seed.of("eth0")))],
            carrier_changes: 1,
            traffic: Some(traffic(seed, "eth0", &OFFICE, 1_000)),
            ..card(seed, "eth0", 2)
        },
        Interface {
            hardware_address: bond_address,
            master: Some(BOND0),
            traffic: Some(slave_traffic(seed, "eth1", 1_000)),
            ..card(seed, "eth1", 3)
        },
        Interface {
            hardware_address: bond_address,
            // A bond's slaves share the MAC address of the first.
            address_assignment: 2,
            master: Some(BOND0),
            traffic: Some(slave_traffic(seed, "eth2", 6)),
            ..card(seed, "eth2", 4)
        },
        Interface {
            hardware_address: bond_address,
            permanent_address: bond_address,
            address_assignment: 2,
            kind: Kind::Bond(bonding),
            speed_megabits: Some(MEGABITS),
            carrier_changes: 2,
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(bond_address)],
            ..made(seed, "bond0", 5)
        },
        bridge(seed, "docker0", 6),
    ];
    interfaces.extend((0..containers).map(|number| {
        let (place, tenant) = (seed.of("veth").at(u64::from(number)), tenants.of(number as usize));
        let [name, waves] = [tenant.seed(place), place].map(|seed| format!("veth{}", hexadecimal(seed, 7)));
        let index = tenant.index(8 + 2 * number, containers as usize);
        Interface { born_micros: tenant.born_micros, ..container(seed, &name, index, DOCKER0, &waves) }
    }));
    interfaces
}

pub(super) fn neighbours(seed: Seed, containers: u32) -> Vec<Neighbour> {
    let at = |[a, b, c]: [u8; 3], last| Ipv4Addr::new(a, b, c, last);
    let mut neighbours = vec![
        neighbour(seed, ETH0, at(OUTSIDE, 1), false),
        neighbour(seed, ETH0, at(OUTSIDE, 2), false),
        neighbour(seed, BOND0, at(INSIDE, 1), false),
        neighbour(seed, BOND0, at(INSIDE, 240), false),
        neighbour(seed, BOND0, at(INSIDE, 241), true),
    ];
    // 172.17.0.2 and following, in a /16 network.
    neighbours.extend((2..).take(containers as usize).map(|last: u16| {
        let [high, low] = last.to_be_bytes();
        neighbour(seed, DOCKER0, Ipv4Addr::new(172, 17, high, low), false)
    }));
    neighbours
}

/// PCI slots after those of the disks.
fn card(seed: Seed, name: &str, index: u32) -> Interface {
    let (slot, number) = (index + 4, index + 1);
    physical(seed, name, index, &format!("pci0000:00/0000:00:{slot:02x}.0/virtio{number}"), MEGABITS)
}

/// The active slave carries all traffic; the backup receives broadcasts.
fn slave_traffic(seed: Seed, name: &str, share: u64) -> Traffic {
    let is_active = share == 1_000;
    let only = |milli| if is_active { milli } else { 0 };
    Traffic {
        received_bytes_milli: 486_000 * share,
        received_packets_milli: 540 * share,
        transmitted_bytes_milli: only(1_120_000_000),
        transmitted_packets_milli: only(905_000),
        multicast_milli: 900,
        received_drops_milli: if is_active { 0 } else { 3_200 },
        ..quiet(Wave::new(&BATCH, seed, name))
    }
}
