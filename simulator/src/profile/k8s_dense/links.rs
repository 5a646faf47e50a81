//! A bond with a VLAN as external interface, a bridge with a veth per pod, and the load balancer's addresses.

use std::net::{IpAddr, Ipv4Addr};

use super::super::kit::identity::{hardware_address, hexadecimal};
use super::super::kit::links::{
    INSIDE, OUTSIDE, address, bridge, container, link_local, loopback, made, neighbour, own, physical, quiet, traffic,
    vlan,
};
use super::pods::Pod;
use crate::list::Id;
use crate::machine::{BalancedService, Balancer, Bonding, Duplex, Interface, Kind, Neighbour, Traffic};
use crate::seed::Seed;
use crate::wave::{OFFICE, Wave};

pub(super) const PORTS: [&str; 2] = ["ens1f0np0", "ens1f1np1"];
const BOND: Id<Interface> = Id::at(3);
const PODS: Id<Interface> = Id::at(6);
const MEGABITS: u32 = 25_000;
/// Pods per pod network.
const PODS_OF_A_NETWORK: usize = 250;
/// One of four pods is the backend of a service.
const PODS_OF_A_SERVICE: usize = 4;

/// Address of a pod: 10.244.7.2 and following.
fn of_pod(number: usize) -> Ipv4Addr {
    let [network, host] = [number / PODS_OF_A_NETWORK + 7, number % PODS_OF_A_NETWORK + 2];
    Ipv4Addr::new(10, 244, u8::try_from(network).unwrap_or(255), u8::try_from(host).unwrap_or(255))
}

pub(super) fn interfaces(seed: Seed, pods: &[Pod]) -> Vec<Interface> {
    let [first, second] = PORTS;
    let bond_address = hardware_address(seed.of(first));
    let port = |name: &str, index: u32, traffic: Traffic| Interface {
        hardware_address: bond_address,
        master: Some(BOND),
        traffic: Some(traffic),
        ..physical(seed, name, index, &format!("pci0000:c0/0000:c0:01.1/0000:c1:00.{}", index - 2), MEGABITS)
    };
    let idle = Traffic {
        received_bytes_milli: 3_900_000,
        received_packets_milli: 21_000,
        multicast_milli: 19_000,
        received_drops_milli: 3_100,
        ..quiet(Wave::new(&OFFICE, seed, second))
    };
    let bond = Interface {
        hardware_address: bond_address,
        permanent_address: bond_address,
        address_assignment: 2,
        kind: Kind::Bond(Bonding { slaves: [1, 2].map(Id::at).into(), active: Id::at(1) }),
        speed_megabits: Some(MEGABITS),
        carrier_changes: 2,
        addresses: vec![(address(INSIDE, own(seed)), 24), link_local(bond_address)],
        ..made(seed, "bond0", 4)
    };
    let storage =
        Interface { addresses: vec![(address(OUTSIDE, own(seed)), 24)], ..vlan(seed, 5, (BOND, &bond), 100, 310) };
    let mut interfaces = vec![
        loopback(seed),
        port(first, 2, traffic(seed, first, &OFFICE, 71_000)),
        Interface { address_assignment: 2, ..port(second, 3, idle) },
        bond,
        storage,
        Interface {
            kind: Kind::Dummy,
            is_up: false,
            duplex: Duplex::Unknown,
            queue_length: 0,
            addresses: services(pods).map(|(address, _)| (IpAddr::V4(address), 32)).collect(),
            ..made(seed, "kube-ipvs0", 6)
        },
        Interface { addresses: vec![(IpAddr::V4(Ipv4Addr::new(10, 244, 7, 1)), 24)], ..bridge(seed, "cni0", 7) },
    ];
    interfaces.extend((8..).zip(Pod::networked(pods)).map(|(index, pod)| {
        let [name, waves] = [pod.seed, pod.place].map(|seed| format!("veth{}", hexadecimal(seed.of("veth"), 8)));
        let index = pod.tenant.index(index, pods.len());
        Interface { born_micros: pod.tenant.born_micros, ..container(seed, &name, index, PODS, &waves) }
    }));
    interfaces
}

pub(super) fn neighbours(seed: Seed, pods: &[Pod]) -> Vec<Neighbour> {
    let [a, b, c] = INSIDE;
    let nodes = (201..=212).map(|last| neighbour(seed, BOND, Ipv4Addr::new(a, b, c, last), last == 207));
    let gateway = neighbour(seed, BOND, Ipv4Addr::new(a, b, c, 1), false);
    let of_pods = (0..Pod::networked(pods).count()).map(|number| neighbour(seed, PODS, of_pod(number), false));
    [gateway].into_iter().chain(nodes).chain(of_pods).collect()
}

/// Service addresses and the index of the first backend pod.
fn services(pods: &[Pod]) -> impl Iterator<Item = (Ipv4Addr, usize)> {
    let networks = Pod::networked(pods).count();
    (0..networks).step_by(PODS_OF_A_SERVICE).map(|first| {
        let [high, low] = u16::try_from(1 + first / PODS_OF_A_SERVICE * 3).unwrap_or(u16::MAX).to_be_bytes();
        (Ipv4Addr::new(10, 96, high, low), first)
    })
}

pub(super) fn balancer(seed: Seed, pods: &[Pod]) -> Balancer {
    let networks = Pod::networked(pods).count();
    let service = |(address, first): (Ipv4Addr, usize)| {
        let (protocol, port) = if first == 0 { ("UDP", 53) } else { ("TCP", 443) };
        let servers = (first..networks.min(first + PODS_OF_A_SERVICE)).map(|pod| (of_pod(pod), port + 8_000)).collect();
        BalancedService { protocol, address, port, servers }
    };
    Balancer {
        wave: Wave::new(&OFFICE, seed, "balancer"),
        connections_milli: 410 * networks as u64,
        services: services(pods).map(service).collect(),
    }
}
