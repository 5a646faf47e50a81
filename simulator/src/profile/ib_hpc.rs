//! `ib-hpc`: compute node with many adapters of two fabrics.

use std::net::Ipv4Addr;

use super::kit::disks::{DiskPlace, FIRST_SECTOR, GIB_SECTORS, NVME, direct, disk, partition, rare_io, system_io};
use super::kit::hardware::SERVER_NVME;
use super::kit::hardware::{self, Firmware};
use super::kit::identity::hardware_address;
use super::kit::links::{
    INSIDE, OUTSIDE, address, link_local, loopback, made, neighbour, own, physical, quiet, traffic,
};
use super::kit::mounts::{self, Fullness};
use super::kit::stack::with_controllers;
use super::kit::{cpus, distribution, interrupts, memory, sensors};
use super::{Profile, Setting, Settings};
use crate::list::Id;
use crate::machine::{
    Adapter, Architecture, Base, BlockDevice, Connections, FabricLink, Interface, Interrupts, Kind, Machine, Memory,
    MountPoint, Traffic,
};
use crate::seed::Seed;
use crate::wave::{BATCH, Wave};

const CPUS: Setting = Setting::number("cpus", 192, 1..=1_024, "CPUs, with two threads per core if the number allows.");
const MEMORY: Setting = Setting::number("memory_gib", 768, 8..=16_384, "Memory in GiB.");
const ADAPTERS: Setting =
    Setting::number("adapters", 10, 0..=32, "Adapters; of five, one is RDMA over Ethernet and four are InfiniBand.");
const INTERRUPTS: Setting = Setting::number("interrupts", 1_000, 0..=8_192, "Interrupt lines of the adapters.");
/// Kernel versions of enterprise distributions come first.
const KERNEL: Setting =
    Setting::word("kernel", &["5.14", "4.18", "3.10", "6.12"], "Kernel version, which determines the distribution.");

pub(super) const PROFILE: Profile = Profile {
    name: "ib-hpc",
    summary: "Compute node: 192 CPUs, 10 InfiniBand and RDMA adapters, 1,000 interrupts.",
    settings: &[CPUS, MEMORY, ADAPTERS, INTERRUPTS, KERNEL],
    small: &[("cpus", "8"), ("memory_gib", "64"), ("adapters", "5"), ("interrupts", "20")],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::X86_64;
const BLOCK_MAJOR: u32 = 259;
const DISK_SECTORS: u64 = 894 * GIB_SECTORS;
const SOCKETS: usize = 2;
const NODES: usize = 8;

const FIRMWARE: Firmware<'_> = Firmware {
    vendor: "Example Servers",
    product: "Compute 2U",
    board: "C2U-2P",
    version: "1.7.3",
    date: "11/21/2023",
    chassis: "23",
};

fn machine(seed: Seed, settings: &Settings) -> Machine {
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 0);
    let (system, os) = distribution::system(seed, "compute", ARCHITECTURE, settings.word(&KERNEL), "amd64");
    let (block_devices, storage) = with_controllers(seed, block_devices(seed), SERVER_NVME);
    let cpus = settings.count(&CPUS);
    let adapters: Vec<Adapter> = adapters(seed, settings.count(&ADAPTERS));
    let [a, b, c] = INSIDE;
    Machine {
        mounts: mounts(&memory, block_devices.as_slice()).into(),
        interfaces: interfaces(seed, &adapters).into(),
        neighbours: [1, 240].map(|last| neighbour(seed, Id::at(1), Ipv4Addr::new(a, b, c, last), false)).into(),
        connections: Connections { always: 60, at_mean_load: 90, listening: 9, ..Connections::FEW },
        interrupts: devices(&adapters, cpus, settings.count(&INTERRUPTS)),
        adapters,
        chips: (0..SOCKETS).map(|socket| sensors::k10temp(socket, cpus.div_ceil(32).min(12))).collect(),
        energy_meters: (0..SOCKETS).flat_map(|socket| sensors::rapl(socket, 291_000, false)).collect(),
        firmware: hardware::firmware(&FIRMWARE),
        load: Wave::new(&BATCH, seed, "load"),
        block_devices,
        storage,
        ..Machine::bare(seed, Base { system, os, processor: cpus::epyc(seed, cpus, SOCKETS, NODES), memory })
    }
}

/// Adapters for messages are of the newest generation, those for storage of the one before.
fn adapters(seed: Seed, count: usize) -> Vec<Adapter> {
    let of_ethernet = count / 5;
    let adapter = |number: usize| {
        let is_ethernet = number >= count - of_ethernet;
        let name =
            if is_ethernet { format!("irdma{}", number + of_ethernet - count) } else { format!("mlx5_{number}") };
        // PCI buses of the board in order.
        let bus = 6 * number + 8;
        let own = seed.of("adapter").of(&name);
        let is_for_messages = number.is_multiple_of(2);
        let (model, board, firmware, rate) = if is_for_messages {
            ("MT4129", "MT_0000000838", "28.39.1002", "400 Gb/sec (4X NDR)")
        } else {
            ("MT4123", "MT_0000000223", "20.38.1002", "200 Gb/sec (4X HDR)")
        };
        // The last InfiniBand adapter has no cable.
        let is_up = is_ethernet || number + 1 < count - of_ethernet || number == 0;
        let share = match (is_ethernet, is_for_messages) {
            (true, _) => 9,
            (false, true) => 1_000,
            (false, false) => 310,
        };
        Adapter {
            device: format!("pci0000:{bus:02x}/0000:{bus:02x}:01.1/0000:{:02x}:00.0", bus + 1),
            board: (!is_ethernet).then_some(board),
            model: (!is_ethernet).then_some(model),
            firmware: if is_ethernet { "1.71" } else { firmware },
            guid: 0x0200_0000_0000_0000 | own.bits() >> 16,
            link: if is_ethernet { FabricLink::Ethernet } else { FabricLink::InfiniBand },
            rate: match (is_ethernet, is_up) {
                (true, _) => "25 Gb/sec (1X EDR)",
                (false, true) => rate,
                (false, false) => "10 Gb/sec (4X SDR)",
            },
            lid: if is_ethernet || !is_up { 0 } else { u32::try_from(own.of("lid").between(2, 0xbfff)).unwrap_or(2) },
            is_up,
            has_counters: !is_ethernet,
            refused: if !is_ethernet && is_for_messages { &REFUSED } else { &[] },
            traffic: Traffic {
                received_bytes_milli: 2_100_000_000 * share,
                received_packets_milli: 640_000 * share,
                transmitted_bytes_milli: 2_090_000_000 * share,
                transmitted_packets_milli: 638_000 * share,
                multicast_milli: 310,
                ..quiet(Wave::new(&BATCH, seed, &name))
            },
            name,
        }
    };
    (0..count).map(adapter).collect()
}

/// Counters that the newest adapters list but refuse to read.
const REFUSED: [&str; 3] = ["VL15_dropped", "excessive_buffer_overrun_errors", "local_link_integrity_errors"];

/// Management network card, then IP over each fabric port.
fn interfaces(seed: Seed, adapters: &[Adapter]) -> Vec<Interface> {
    let management = "eno1";
    let mut interfaces = vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(hardware_address(seed.of(management)))],
            traffic: Some(traffic(seed, management, &BATCH, 140)),
            ..physical(seed, management, 2, "pci0000:f0/0000:f0:01.1/0000:f1:00.0", 1_000)
        },
    ];
    interfaces.extend((3..).zip(adapters).map(|(index, adapter)| port(seed, index, adapter)));
    interfaces
}

fn port(seed: Seed, index: u32, adapter: &Adapter) -> Interface {
    let bus_device = adapter.device.rsplit('/').next().unwrap_or_default().to_owned();
    // Most fabric traffic is not IP.
    if adapter.link == FabricLink::Ethernet {
        let name = format!("ens{index}f0");
        let traffic = Some(traffic(seed, &name, &BATCH, 900));
        return Interface { traffic, ..physical(seed, &name, index, &adapter.device, 25_000) };
    }
    let name = format!("ib{}", index - 3);
    let of_first = if index == 3 { vec![(address(OUTSIDE, own(seed)), 24)] } else { Vec::new() };
    Interface {
        path: format!("{}/net/{name}", adapter.device),
        kind: Kind::InfiniBand { bus_device, guid: adapter.guid },
        address_assignment: 0,
        name_assignment: Some(4),
        mtu: 2_044,
        queue_length: 256,
        is_up: adapter.is_up,
        carrier_changes: if adapter.is_up { 2 } else { 1 },
        speed_megabits: adapter
            .rate
            .split(' ')
            .next()
            .and_then(|rate| rate.parse::<u32>().ok())
            .map(|rate| rate * 1_000),
        traffic: adapter.is_up.then(|| traffic(seed, &name, &BATCH, 1_700)),
        addresses: of_first,
        ..made(seed, &name, index)
    }
}

/// Interrupt lines of the adapters' queues, evenly distributed.
fn devices(adapters: &[Adapter], cpus: usize, lines: usize) -> Interrupts {
    let mut interrupts = interrupts::pc();
    for (number, adapter) in adapters.iter().enumerate() {
        let place = adapter.device.rsplit('/').next().unwrap_or_default();
        let queues = lines * number / adapters.len()..lines * (number + 1) / adapters.len();
        let name = |queue: usize| match adapter.link {
            FabricLink::InfiniBand => format!("mlx5_comp{queue}@pci:{place}"),
            FabricLink::Ethernet => format!("irdma-ceq-{queue}"),
        };
        let queues: Vec<String> = (0..queues.len()).map(name).collect();
        interrupts = interrupts.with_queues(&format!("IR-PCI-MSIX-{place}"), &queues, cpus, 2_900);
    }
    interrupts
}

fn block_devices(seed: Seed) -> Vec<BlockDevice> {
    let place = DiskPlace {
        name: "nvme0n1",
        major: BLOCK_MAJOR,
        minor: 0,
        path: "pci0000:e0/0000:e0:01.1/0000:e1:00.0/nvme/nvme0/nvme0n1".to_owned(),
        id_path: "pci-0000:e1:00.0-nvme-1".to_owned(),
    };
    let system = disk(seed, place, DISK_SECTORS, NVME, vec![direct(Id::at(1)), direct(Id::at(2))]);
    let efi = partition(&system, 1, FIRST_SECTOR, GIB_SECTORS);
    let root = partition(&system, 2, 2 * GIB_SECTORS, DISK_SECTORS - 3 * GIB_SECTORS);
    vec![
        system.with_partition_table(seed),
        efi.with_file_system(seed, "vfat").with_io(rare_io(seed, "efi", &BATCH)),
        root.with_file_system(seed, "xfs").with_io(system_io(seed, "root", &BATCH, 700)),
    ]
}

fn mounts(memory: &Memory, block_devices: &[BlockDevice]) -> Vec<MountPoint> {
    let [_, efi, root] = block_devices else { return Vec::new() };
    let page_bytes = ARCHITECTURE.page_size_bytes();
    let root = mounts::on(root, "/", "xfs", Fullness { base: 91, daily: 1, span: 50 });
    let mut rows = mounts::base(memory, page_bytes, root);
    rows.push(mounts::on(efi, "/boot/efi", "vfat", Fullness { base: 7, daily: 0, span: 0 }));
    rows.push(mounts::temporary(memory, page_bytes));
    mounts::mounts(&rows)
}
