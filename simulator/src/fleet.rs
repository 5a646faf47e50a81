//! Fleets: many hosts of one profile, created on demand.

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::event::{Event, EventError};
use crate::host::{Clock, Host};
use crate::machine::{Interface, Machine, Neighbour};
use crate::profile::{self, INSIDE, OUTSIDE, Profile, ProfileError, Settings};
use crate::seed::Seed;

/// Cluster of hosts of one profile, numbered from 0, of which only a few are in memory.
///
/// Every value is a function of the seed, the node number, the series and the time. A dropped node is identical when it is
/// created again, and ten thousand nodes cost as much as those in memory. Names and addresses are unique per node.
///
/// ```
/// use collectors::host::root::Mount;
/// use std::time::Duration;
///
/// let fleet = simulator::Fleet::new("vm", 1, 10_000, &[], || Duration::from_secs(1_700_000_000)).unwrap();
/// let mut name = Vec::new();
/// fleet.node(9_999).unwrap().roots().get(Mount::Proc).read(b"sys/kernel/hostname", &mut name, 4096).unwrap();
/// assert_eq!(name, b"vm-9999\n");
/// assert!(fleet.node(10_000).is_none());
/// ```
pub struct Fleet {
    profile: &'static Profile,
    settings: Settings,
    seed: Seed,
    nodes: u64,
    events: Vec<Event>,
    clock: Clock,
    /// Nodes in memory, most recently used last.
    held: Mutex<VecDeque<(u64, Host)>>,
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fleet({} of {})", self.nodes, self.profile.name)
    }
}

impl Fleet {
    /// Maximum number of nodes in memory.
    pub const HELD: usize = 4;

    /// Creates a fleet of `count` hosts of a profile ([`crate::profiles`]) with settings changed from their defaults. The error
    /// is that of [`Machine::of`].
    pub fn new(
        profile: &str,
        seed: u64,
        nodes: u64,
        overrides: &[(&str, &str)],
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Result<Self, ProfileError> {
        let profile = profile::find(profile)?;
        let settings = Settings::with(profile, overrides)?;
        let (seed, events, held) = (Seed::new(seed).of("fleet"), Vec::new(), Mutex::default());
        Ok(Self { profile, settings, seed, nodes, events, clock: Arc::new(clock), held })
    }

    /// Adds events that happen to every node; events of a single one are added by [`Machine::with_events`]. The error names the
    /// part that a node does not have.
    pub fn with_events(self, events: Vec<Event>) -> Result<Self, EventError> {
        for node in 0..self.nodes.min(1) {
            self.made(node).with_events(events.clone())?;
        }
        let events = self.events.into_iter().chain(events).collect();
        Ok(Self { events, held: Mutex::default(), ..self })
    }

    /// Number of nodes.
    pub fn nodes(&self) -> u64 {
        self.nodes
    }

    /// Machine of a node, if the number is valid.
    pub fn machine(&self, node: u64) -> Option<Machine> {
        if node >= self.nodes {
            return None;
        }
        Some(self.made(node))
    }

    /// A node, if the number is valid.
    pub fn node(&self, node: u64) -> Option<Host> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let place = held.iter().position(|(number, _)| *number == node);
        let found = place.and_then(|place| held.remove(place)).map(|(_, host)| host);
        let host = if let Some(host) = found { host } else { self.host(node)? };
        while held.len() >= Self::HELD {
            held.pop_front();
        }
        held.push_back((node, host.clone()));
        Some(host)
    }

    fn host(&self, node: u64) -> Option<Host> {
        let clock = Arc::clone(&self.clock);
        let scripted = self.machine(node)?.with_events(self.events.clone());
        debug_assert!(scripted.is_ok(), "{scripted:?}: nodes differ in names and numbers only");
        Some(Host::new(scripted.unwrap_or_else(|_| self.made(node).into()), move || clock()))
    }

    fn made(&self, node: u64) -> Machine {
        let mut machine = self.profile.made(self.seed.at(node), &self.settings);
        machine.system.hostname = format!("{}-{node}", self.profile.name);
        machine.fleet_number = Some(node);
        machine.placed()
    }
}

/// Networks of a rack: two each, for the external and the internal interfaces of hosts, from the benchmarking block
/// 198.18.0.0/15.
const TRIALS: [u8; 2] = [198, 18];
/// Number of nodes per rack. Gateways and neighbours have addresses beyond these.
const RACK_NODES: u64 = 190;
/// Last octet of the first node of a rack.
const FIRST: u64 = 10;
/// Number of racks. Later nodes reuse the networks of the first.
const RACKS: u64 = 256;

impl Machine {
    /// Assigns the addresses of the node's position in its fleet, if it has one.
    #[must_use]
    pub(crate) fn placed(mut self) -> Self {
        if let Some(node) = self.fleet_number {
            self.interfaces.iter_mut().for_each(|link| link.place(node));
            self.neighbours.iter_mut().for_each(|neighbour| neighbour.place(node));
        }
        self
    }
}

impl Interface {
    fn place(&mut self, node: u64) {
        for (address, _) in &mut self.addresses {
            let IpAddr::V4(told) = address else { continue };
            if let Some([a, b, c]) = network(*told, node) {
                let last = u8::try_from(FIRST + node % RACK_NODES).unwrap_or_default();
                *told = Ipv4Addr::new(a, b, c, last);
            }
        }
    }
}

impl Neighbour {
    fn place(&mut self, node: u64) {
        if let Some([a, b, c]) = network(self.address, node) {
            let [.., last] = self.address.octets();
            self.address = Ipv4Addr::new(a, b, c, last);
        }
    }
}

/// Network of a node's rack that replaces the network of a profile's address.
fn network(address: Ipv4Addr, node: u64) -> Option<[u8; 3]> {
    let [a, b, c, _] = address.octets();
    let side = [INSIDE, OUTSIDE].iter().position(|network| *network == [a, b, c])? as u64;
    let rack = (node / RACK_NODES) % RACKS;
    let [high, low] = u16::try_from(2 * rack + side).unwrap_or_default().to_be_bytes();
    let [first, second] = TRIALS;
    Some([first, second + high, low])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fingerprint, profiles};
    use std::collections::BTreeSet;

    const AT: u64 = 1_700_000_000;

    fn fleet(profile: &str, nodes: u64, overrides: &[(&str, &str)]) -> Fleet {
        Fleet::new(profile, 7, nodes, overrides, || Duration::from_secs(AT)).unwrap()
    }

    #[test]
    fn a_node_does_not_depend_on_the_order_of_access() {
        let fleet = fleet("vm", 50, &[("cpus", "2")]);
        let print = |node| fingerprint(&fleet.node(node).unwrap().tree_at(AT));
        let forward: Vec<u64> = (0..50).map(print).collect();
        let back: Vec<u64> = (0..50).rev().map(print).collect();
        assert!(forward.iter().eq(back.iter().rev()));
        assert_eq!(forward.iter().collect::<BTreeSet<_>>().len(), 50);
        assert!(forward[7] == print(7) && print(7) == print(7));
        assert!(fleet.held.lock().unwrap().len() <= Fleet::HELD);
        assert!(fleet.node(50).is_none() && fleet.machine(50).is_none());
    }

    /// Host name, MAC addresses and IPv4 addresses of a host.
    fn names(machine: &Machine) -> Vec<String> {
        let links = machine.interfaces.iter().filter(|link| link.kind.bus_device().is_some());
        let hardware = links.map(|link| format!("{:02x?} {}", link.hardware_address, link.name));
        let inside = |address: &&(IpAddr, u8)| matches!(address.0, IpAddr::V4(v4) if v4.octets()[0] == TRIALS[0]);
        let addresses = machine.interfaces.iter().flat_map(|link| &link.addresses).filter(inside);
        let addresses = addresses.map(|(address, _)| address.to_string());
        hardware.chain(addresses).chain([machine.system.hostname.clone()]).collect()
    }

    #[test]
    fn names_and_addresses_of_ten_thousand_nodes_are_unique() {
        let fleet = fleet("pi4", 10_000, &[]);
        let mut seen = BTreeSet::new();
        for node in 0..fleet.nodes() {
            for name in names(&fleet.machine(node).unwrap()) {
                assert!(!name.starts_with("198.51.") && seen.insert(name.clone()), "{name} is there twice");
            }
        }
        assert!(seen.contains("pi4-9999") && seen.contains("198.18.104.18"), "{:?}", seen.iter().take(9));
    }

    #[test]
    fn every_profile_keeps_its_neighbours_in_its_networks() {
        for profile in profiles() {
            let fleet = fleet(profile.name, 400, profile.small);
            let churned = Event::of("pod-churn", Duration::from_secs(AT), &[("per_hour", "36000")]).unwrap();
            for machine in [200, 399].map(|node| fleet.machine(node).unwrap()) {
                let late =
                    machine.clone().with_events(vec![churned.clone()]).unwrap_or_else(|_| machine.clone().into());
                let late = Host::new(late, || Duration::from_secs(AT + 600)).present();
                for machine in [&machine, late.moment().machine] {
                    assert!(names(machine).len() > 2, "{}: {:?}", profile.name, names(machine));
                    for neighbour in &machine.neighbours {
                        let link = machine.interfaces.get(neighbour.interface).expect("its device");
                        let network = |address: Ipv4Addr| address.octets()[..3].to_vec();
                        let own = link.addresses.iter().filter_map(|(address, _)| match address {
                            IpAddr::V4(address) => Some(network(*address)),
                            IpAddr::V6(_) => None,
                        });
                        let own: Vec<_> = own.collect();
                        let is_inside = own.contains(&network(neighbour.address));
                        assert!(own.is_empty() || is_inside || neighbour.address.octets()[0] != TRIALS[0]);
                        assert!(![INSIDE.to_vec(), OUTSIDE.to_vec()].contains(&network(neighbour.address)));
                    }
                }
            }
        }
    }

    #[test]
    fn events_happen_to_every_node() {
        let event = |bond| Event::of("bond-failover", Duration::from_secs(AT), &[("bond", bond)]).unwrap();
        let fleet_of = |bond| fleet("vm", 20, &[]).with_events(vec![event(bond)]);
        let error = fleet_of("bond1").unwrap_err().to_string();
        assert_eq!(error, "event bond-failover: the host has no bond `bond1`; did you mean `bond0`?");
        let (fleet, calm) = (fleet_of("bond0").unwrap(), fleet("vm", 20, &[]));
        let print = |fleet: &Fleet, node, at| fingerprint(&fleet.node(node).unwrap().tree_at(at));
        for node in [0, 19] {
            assert_eq!(print(&fleet, node, AT - 1), print(&calm, node, AT - 1));
            assert_ne!(print(&fleet, node, AT), print(&calm, node, AT));
        }
        let error = Fleet::new("vmm", 1, 1, &[], || Duration::ZERO).unwrap_err().to_string();
        assert_eq!(error, "no profile is called `vmm`; did you mean `vm`?");
    }
}
