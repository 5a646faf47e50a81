//! `absurd1152`: a host with the largest supported number of CPUs.

use std::net::Ipv4Addr;

use super::kit::disks::{DiskPlace, FIRST_SECTOR, GIB_SECTORS, NVME, disk, partition, system_io};
use super::kit::hardware::SERVER_NVME;
use super::kit::hardware::{self, Firmware};
use super::kit::identity::hardware_address;
use super::kit::links::{INSIDE, address, link_local, loopback, neighbour, own, physical, traffic};
use super::kit::mounts::{self, Fullness};
use super::kit::stack::Stack;
use super::kit::{cpus, distribution, interrupts, memory, sensors};
use super::{Profile, Setting, Settings};
use crate::list::{Id, List};
use crate::machine::{Architecture, Base, Interface, Interrupts, Machine};
use crate::seed::Seed;
use crate::wave::BATCH;

const CPUS: Setting =
    Setting::number("cpus", 1_152, 1..=8_192, "CPUs, with two threads per core if the number allows.");
const SOCKETS: Setting = Setting::number("sockets", 16, 1..=64, "Sockets, each a NUMA node.");
const MEMORY: Setting = Setting::number("memory_gib", 12_288, 8..=65_536, "Memory in GiB.");
const INTERRUPTS: Setting = Setting::number("interrupts", 1_020, 8..=8_192, "Interrupt lines of devices.");

pub(super) const PROFILE: Profile = Profile {
    name: "absurd1152",
    summary: "Sixteen linked sockets: 1,152 CPUs, 13 MB of /proc/interrupts.",
    settings: &[CPUS, SOCKETS, MEMORY, INTERRUPTS, distribution::KERNEL],
    small: &[("cpus", "16"), ("sockets", "4"), ("memory_gib", "64"), ("interrupts", "12")],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::X86_64;
const BLOCK_MAJOR: u32 = 259;
const DISK_SECTORS: u64 = 1_788 * GIB_SECTORS;
const CARD: &str = "ens3f0np0";

const FIRMWARE: Firmware<'_> = Firmware {
    vendor: "Example Servers",
    product: "Linked Chassis 5U",
    board: "L5U-4P",
    version: "4.0.12",
    date: "11/08/2023",
    chassis: "23",
};

fn machine(seed: Seed, settings: &Settings) -> Machine {
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 0);
    let kernel = settings.word(&distribution::KERNEL);
    let (system, os) = distribution::system(seed, "absurd", ARCHITECTURE, kernel, "amd64");
    let stack = stack(seed);
    let root = stack.devices.as_slice().last().map(|root| {
        let page_bytes = ARCHITECTURE.page_size_bytes();
        let root = mounts::on(root, "/", "xfs", Fullness { base: 120, daily: 3, span: 100 });
        let mut rows = mounts::base(&memory, page_bytes, root);
        rows.push(mounts::temporary(&memory, page_bytes));
        mounts::mounts(&rows)
    });
    let [a, b, c] = INSIDE;
    let (cpus, sockets) = (settings.count(&CPUS), settings.count(&SOCKETS));
    Machine {
        mounts: root.unwrap_or_default().into(),
        interfaces: List::from(vec![
            loopback(seed),
            Interface {
                addresses: vec![(address(INSIDE, own(seed)), 24), link_local(hardware_address(seed.of(CARD)))],
                traffic: Some(traffic(seed, CARD, &BATCH, 4_000)),
                ..physical(seed, CARD, 2, "pci0000:40/0000:40:01.0/0000:41:00.0", 100_000)
            },
        ]),
        neighbours: vec![neighbour(seed, Id::at(1), Ipv4Addr::new(a, b, c, 1), false)],
        block_devices: stack.devices,
        storage: stack.storage,
        interrupts: devices(cpus, settings.count(&INTERRUPTS)),
        chips: (0..sockets).map(|socket| sensors::coretemp(socket, cpus.div_ceil(2 * sockets))).collect(),
        firmware: hardware::firmware(&FIRMWARE),
        energy_meters: (0..sockets).flat_map(|socket| sensors::rapl(socket, 121_000, true)).collect(),
        ..Machine::bare(seed, Base { system, os, processor: cpus::linked_xeon(seed, cpus, sockets), memory })
    }
}

/// Cards of 64 queues each, enough for a number of interrupt lines.
fn devices(cpus: usize, lines: usize) -> Interrupts {
    const QUEUES: usize = 64;
    let mut interrupts = interrupts::pc();
    for (card, first) in (0..lines).step_by(QUEUES).enumerate() {
        let queues: Vec<String> = (first..lines.min(first + QUEUES))
            .map(|queue| format!("mlx5_comp{queue}@pci:0000:{:02x}:00.0", 0x41 + card))
            .collect();
        let chip = format!("IR-PCI-MSIX-0000:{:02x}:00.0", 0x41 + card);
        interrupts = interrupts.with_queues(&chip, &queues, cpus, 3_100);
    }
    interrupts
}

fn stack(seed: Seed) -> Stack {
    let mut stack = Stack::new(seed);
    let place = DiskPlace {
        name: "nvme0n1",
        major: BLOCK_MAJOR,
        minor: 0,
        path: "pci0000:20/0000:20:01.1/0000:21:00.0/nvme/nvme0/nvme0n1".to_owned(),
        id_path: "pci-0000:21:00.0-nvme-1".to_owned(),
    };
    let system = disk(seed, place, DISK_SECTORS, NVME, Vec::new());
    let root = partition(&system, 1, FIRST_SECTOR, DISK_SECTORS - 2 * FIRST_SECTOR);
    let system = stack.add_nvme(0, system.with_partition_table(seed), SERVER_NVME);
    // The drive is dual-ported.
    stack.storage.nvme.iter_mut().for_each(|controller| controller.access_state = Some("optimized"));
    let root = root.with_file_system(seed, "xfs");
    stack.add_on(system, root.with_io(system_io(seed, "root", &BATCH, 3_000)));
    stack
}
