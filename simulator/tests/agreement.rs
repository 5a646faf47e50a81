//! Laws: files agree on the values that they share.
#![expect(clippy::unwrap_used, reason = "what is not as it should be fails the test")]

#[path = "agreement/cpus.rs"]
mod cpus;
#[path = "agreement/devices.rs"]
mod devices;
#[path = "agreement/disks.rs"]
mod disks;
#[path = "agreement/events.rs"]
mod events;
#[path = "agreement/kernel.rs"]
mod kernel;
#[path = "agreement/links.rs"]
mod links;
#[path = "agreement/memory.rs"]
mod memory;
#[path = "agreement/network.rs"]
mod network;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use collectors::host::kernel::canned::Canned;
use collectors::host::root::Kind;
use collectors::host::root::resolve::{Last, PathBuffer, resolve};
use collectors::host::root::tree::{Tree, What};
use proptest::prelude::*;
use simulator::{Host, Machine, profiles};

#[path = "agreement/storage.rs"]
mod storage;

/// Frozen host, its clock, and the kinds of its events.
struct Frozen {
    tree: Tree,
    seconds: u64,
    events: BTreeSet<&'static str>,
}

impl Frozen {
    fn new(machine: Machine, seconds: u64) -> Self {
        let events = machine.events().iter().map(|event| event.kind().name).collect();
        Self { tree: Host::new(machine, || Duration::ZERO).tree_at(seconds), seconds, events }
    }

    /// Whether the host has an event of these kinds, which may invalidate a law.
    fn may(&self, events: &[&str]) -> bool {
        events.iter().any(|event| self.events.contains(event))
    }

    /// Parses a CPU list.
    fn cpu_list(&self, path: &str) -> BTreeSet<usize> {
        let ranges = self.text(path).trim().split(',').filter(|range| !range.is_empty());
        let number = |word: &str| word.parse::<usize>().unwrap();
        let ends = ranges.map(|range| range.split_once('-').unwrap_or((range, range)));
        ends.flat_map(|(first, last)| number(first)..=number(last)).collect()
    }

    /// Content of a file, with links followed.
    #[track_caller]
    fn text(&self, path: &str) -> &str {
        let mut resolved = PathBuffer::new();
        let (mount, rest) = path.split_once('/').expect("a path below a mount");
        resolved.append(mount.as_bytes()).unwrap();
        let found = resolve(&self.tree, rest.as_bytes(), Last::Followed, &mut resolved);
        assert_eq!(found, Ok(Kind::File), "{path}");
        std::str::from_utf8(self.tree.content(resolved.as_bytes()).unwrap()).unwrap()
    }

    #[track_caller]
    fn numbers(&self, path: &str) -> Vec<u64> {
        numbers(self.text(path))
    }

    /// Files of one name in each entry of a directory: `sys/class/net`, `mtu`.
    fn names(&self, directory: &str) -> Vec<String> {
        let below = format!("{directory}/");
        let paths = self.tree.iter().filter_map(|(path, _)| std::str::from_utf8(path).unwrap().strip_prefix(&below));
        paths.filter(|name| !name.contains('/')).map(str::to_owned).collect()
    }

    /// Parses `Name: 12 kB` and `name 12`.
    fn table(&self, path: &str) -> BTreeMap<&str, u64> {
        let lines = self.text(path).lines();
        let pairs = lines.map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap().trim_end_matches(':'), words.next().unwrap().parse().unwrap())
        });
        pairs.collect()
    }

    fn is_mainframe(&self) -> bool {
        self.text("proc/cpuinfo").starts_with("vendor_id       : IBM/S390")
    }

    /// Directory of a block device.
    fn device(&self, name: &str) -> String {
        let mut resolved = PathBuffer::new();
        resolved.append(b"sys").unwrap();
        resolve(&self.tree, format!("class/block/{name}").as_bytes(), Last::Followed, &mut resolved).unwrap();
        String::from_utf8(resolved.as_bytes().to_vec()).unwrap()
    }

    fn kernel(&self) -> Canned {
        Canned::parse(|entry| self.tree.content(entry)).unwrap()
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Checks every law on one snapshot.
fn laws(seed: u64, seconds: u64) {
    for profile in profiles() {
        laws_of(profile.machine(seed, profile.small).unwrap(), seconds);
    }
}

fn laws_of(machine: Machine, seconds: u64) {
    let host = Frozen::new(machine, seconds);
    cpus::agree(&host);
    memory::agree(&host);
    disks::agree(&host);
    storage::agree(&host);
    links::agree(&host);
    network::agree(&host);
    devices::agree(&host);
    kernel::agree(&host);
    no_link_dangles(&host);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn laws_hold_for_every_seed_at_every_moment(seed: u64, seconds in 1_680_000_000_u64..1_900_000_000) {
        laws(seed, seconds);
    }
}

#[test]
fn laws_hold_at_the_start_and_at_the_end_of_time() {
    for seconds in [
        0,
        1_690_000_000,
        Machine::vm(1).booted_seconds(),
        Machine::vm(1).booted_seconds() + 1,
        9_999_999_999,
        u64::MAX,
    ] {
        laws(1, seconds);
    }
}

#[test]
fn laws_hold_for_hosts_of_full_size_and_of_other_shapes() {
    for profile in profiles() {
        laws_of(profile.machine(1, &[]).unwrap(), 1_700_000_000);
    }
    let shapes: [(&str, &[(&str, &str)]); 18] = [
        ("vm", &[("cpus", "1"), ("memory_gib", "2"), ("containers", "0")]),
        ("vm", &[("cpus", "7"), ("containers", "40"), ("kernel", "3.10")]),
        ("vm", &[("kernel", "4.18")]),
        ("k8s-dense", &[("pods", "9"), ("veths", "9"), ("mounts", "0"), ("kernel", "4.18")]),
        ("k8s-dense", &[("pods", "0"), ("kernel", "3.10")]),
        ("ib-hpc", &[("adapters", "1"), ("kernel", "3.10")]),
        ("epyc256", &[("cpus", "9"), ("sockets", "2"), ("nodes", "3"), ("kernel", "5.14")]),
        ("epyc256", &[("cpus", "4"), ("nodes", "1"), ("disks", "1"), ("kernel", "3.10")]),
        ("epyc256", &[("cpus", "4"), ("nodes", "1"), ("disks", "7"), ("kernel", "4.18")]),
        ("pi4", &[("memory_gib", "1"), ("watchdog", "aspeed")]),
        ("laptop", &[("kernel", "6.18")]),
        ("vm", &[("architecture", "aarch64")]),
        ("vm", &[("architecture", "aarch64-64k"), ("kernel", "5.14")]),
        ("vm", &[("architecture", "ppc64le"), ("cpus", "16")]),
        ("vm", &[("architecture", "s390x"), ("cpus", "3")]),
        ("jbod60", &[("disks", "41"), ("failed", "2"), ("kernel", "6.12")]),
        ("jbod60", &[("disks", "36"), ("kernel", "5.14")]),
        ("jbod60", &[("disks", "240"), ("kernel", "3.10")]),
    ];
    for (profile, overrides) in shapes {
        laws_of(Machine::of(profile, 2, overrides).unwrap(), 1_710_000_000);
    }
}

fn no_link_dangles(host: &Frozen) {
    for (path, node) in host.tree.iter().filter(|(_, node)| matches!(node.what(), What::Link(_))) {
        let slash = path.iter().position(|&byte| byte == b'/').unwrap();
        let mut resolved = PathBuffer::new();
        resolved.append(&path[..slash]).unwrap();
        let found = resolve(&host.tree, &path[slash + 1..], Last::Followed, &mut resolved);
        // Links into `bus` and `class` lead to directories.
        let ends_at_missing_folder = path.ends_with(b"/device") || path.ends_with(b"/subsystem");
        assert!(found.is_ok() || ends_at_missing_folder, "{} -> {:?}", path.escape_ascii(), node.what());
    }
}
