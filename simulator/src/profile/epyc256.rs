//! `epyc256`: large server with two sockets and many NUMA nodes.

mod storage;

use std::net::Ipv4Addr;

use super::kit::hardware::{self, Firmware};
use super::kit::identity::{hardware_address, hexadecimal};
use super::kit::links::{INSIDE, OUTSIDE, address, link_local, loopback, neighbour, own, physical, traffic, vlan};
use super::kit::mounts::{self};
use super::kit::{cpus, distribution, interrupts, memory, sensors};
use super::{Profile, Setting, Settings};
use crate::list::Id;
use crate::machine::{
    AmdCard, Architecture, Base, Chip, Connections, GraphicsCard, Interface, Interrupts, Machine, MemoryControllers,
    Neighbour, Storage, Watchdog,
};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE, Wave};

const CPUS: Setting = Setting::number("cpus", 256, 1..=1_024, "CPUs, with two threads per core if the number allows.");
const SOCKETS: Setting = Setting::number("sockets", 2, 1..=8, "Sockets.");
const NODES: Setting = Setting::number("nodes", 8, 1..=64, "NUMA nodes.");
const MEMORY: Setting = Setting::number("memory_gib", 1_024, 8..=16_384, "Memory in GiB.");
const HUGE: Setting =
    Setting::number("huge_gib", 256, 0..=16_384, "Memory reserved as huge pages, in GiB; at most three quarters.");
const DISKS: Setting = Setting::number("disks", 4, 1..=60, "NVMe disks; the first holds the system.");

pub(super) const PROFILE: Profile = Profile {
    name: "epyc256",
    summary: "Large server: two sockets, 256 CPUs, 8 NUMA nodes, NVMe, fast network.",
    settings: &[CPUS, SOCKETS, NODES, MEMORY, HUGE, DISKS, distribution::KERNEL],
    small: &[("cpus", "8"), ("nodes", "4"), ("memory_gib", "64"), ("huge_gib", "16"), ("disks", "4")],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::X86_64;
/// The first two network devices of the card.
const PORTS: [&str; 2] = ["ens3f0np0", "ens3f1np1"];
/// Index of the second network device.
const STORAGE: Id<Interface> = Id::at(2);

fn machine(seed: Seed, settings: &Settings) -> Machine {
    let memory = memory::memory_with(ARCHITECTURE, settings.get(&MEMORY), 0, settings.get(&HUGE));
    let kernel = settings.word(&distribution::KERNEL);
    let (system, os) = distribution::system(seed, "epyc", ARCHITECTURE, kernel, "amd64");
    let stack = storage::stack(seed, u32::try_from(settings.get(&DISKS)).unwrap_or(1));
    let mounts = mounts::mounts(&storage::rows(&memory, ARCHITECTURE.page_size_bytes(), &stack)).into();
    let nfs_mounts = storage::remote(seed, &mounts);
    let count = |setting| settings.count(setting);
    Machine {
        mounts,
        interfaces: interfaces(seed).into(),
        neighbours: neighbours(seed),
        connections: Connections { always: 140, at_mean_load: 620, listening: 11, ..Connections::FEW },
        block_devices: stack.devices,
        storage: Storage { nfs_mounts, ..stack.storage },
        graphics_cards: cards(seed),
        interrupts: devices(count(&CPUS), count(&DISKS)),
        chips: chips(count(&CPUS), count(&SOCKETS), count(&DISKS)),
        energy_meters: (0..count(&SOCKETS)).flat_map(|socket| sensors::rapl(socket, 148_000, false)).collect(),
        memory_controllers: Some(MemoryControllers {
            name: "F19h",
            controllers: count(&SOCKETS),
            rows: 4,
            channels: 8,
            row_mib: settings.get(&MEMORY) * 1_024 / settings.get(&SOCKETS) / 4,
            corrected_micro: 31,
        }),
        watchdogs: vec![Watchdog {
            device: "platform/sp5100-tco".to_owned(),
            identity: "SP5100 TCO timer",
            options: "0x8180",
            firmware: 0,
            timeout_seconds: 60,
            is_active: true,
            has_recovered: false,
        }],
        firmware: hardware::firmware(&FIRMWARE),
        ..Machine::bare(
            seed,
            Base { system, os, processor: cpus::epyc(seed, count(&CPUS), count(&SOCKETS), count(&NODES)), memory },
        )
    }
}

const FIRMWARE: Firmware<'_> = Firmware {
    vendor: "Example Servers",
    product: "Rack 2U",
    board: "R2U-2P",
    version: "2.9.1",
    date: "03/18/2024",
    chassis: "23",
};

/// Graphics device of the service processor, and two compute cards.
fn cards(seed: Seed) -> Vec<GraphicsCard> {
    let console =
        GraphicsCard { number: 0, device: "pci0000:00/0000:00:05.1/0000:02:00.0".to_owned(), driver: "ast", amd: None };
    let computing = |(number, device): (u32, &str)| GraphicsCard {
        number,
        device: device.to_owned(),
        driver: "amdgpu",
        amd: Some(AmdCard {
            unique_id: hexadecimal(seed.of("card").of(device), 16),
            memory_bytes: 68_702_699_520,
            lent_bytes: 540_977_315_840,
            memory_vendor: "hynix",
            wave: Wave::new(&BATCH, seed, device),
        }),
    };
    let slots = [(1, "pci0000:20/0000:20:01.1/0000:23:00.0"), (2, "pci0000:a0/0000:a0:01.1/0000:a3:00.0")];
    [console].into_iter().chain(slots.map(computing)).collect()
}

fn chips(cpus: usize, sockets: usize, disks: usize) -> Vec<Chip> {
    /// Cores per die.
    const DIE: usize = 8;
    let dies = cpus.div_ceil(2 * DIE * sockets).min(12);
    let mut chips: Vec<Chip> = (0..sockets).map(|socket| sensors::k10temp(socket, dies)).collect();
    chips.extend((0..disks).map(|number| {
        let slot = format!("0000:40:{:02x}.{}", number / 4 + 1, number % 4 + 1);
        sensors::nvme(&format!("pci0000:40/{slot}/0000:{:02x}:00.0/nvme/nvme{number}", 0x41 + number))
    }));
    chips.push(sensors::nct6798());
    chips
}

/// One queue per CPU, up to the number of queues of the device.
fn devices(cpus: usize, disks: usize) -> Interrupts {
    let mut interrupts = interrupts::pc();
    for disk in 0..disks {
        let queues: Vec<String> = (0..=cpus.min(128)).map(|queue| format!("nvme{disk}q{queue}")).collect();
        let chip = format!("IR-PCI-MSIX-0000:{:02x}:00.0", 0x41 + disk);
        interrupts = interrupts.with_queues(&chip, &queues, cpus, 2_300);
    }
    for (port, name) in PORTS.iter().enumerate() {
        let chip = format!("IR-PCI-MSIX-0000:c1:00.{port}");
        let queues: Vec<String> = (0..cpus.min(63)).map(|queue| format!("{name}-TxRx-{queue}")).collect();
        interrupts = interrupts.with_queues(&chip, &queues, cpus, 44_000);
    }
    interrupts
}

fn interfaces(seed: Seed) -> Vec<Interface> {
    let port = |name: &str, index: u32, permille| Interface {
        traffic: Some(traffic(seed, name, &OFFICE, permille)),
        ..physical(seed, name, index, &format!("pci0000:c0/0000:c0:01.1/0000:c1:00.{}", index - 2), 100_000)
    };
    let [first, second] = PORTS;
    let storage = port(second, 3, 2_100);
    let virtual_network = Interface {
        addresses: vec![(address(OUTSIDE, own(seed)), 24)],
        ..vlan(seed, 5, (STORAGE, &storage), 120, 830)
    };
    vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(hardware_address(seed.of(first)))],
            ..port(first, 2, 9_400)
        },
        storage,
        virtual_network,
        Interface {
            is_up: false,
            speed_megabits: None,
            carrier_changes: 1,
            ..physical(seed, "eno1", 4, "pci0000:80/0000:80:03.2/0000:83:00.0", 0)
        },
    ]
}

fn neighbours(seed: Seed) -> Vec<Neighbour> {
    let [a, b, c] = INSIDE;
    [(1, false), (2, false), (241, true)]
        .map(|(last, failed)| neighbour(seed, Id::at(1), Ipv4Addr::new(a, b, c, last), failed))
        .into()
}
