//! `k8s-dense`: Kubernetes node with many pods.

mod links;
mod pods;

use std::sync::Arc;

use super::kit::disks::{
    DiskPlace, FIRST_SECTOR, GIB_SECTORS, NVME, data_io, direct, disk, partition, rare_io, system_io,
};
use super::kit::hardware::SERVER_NVME;
use super::kit::hardware::{self, Firmware};
use super::kit::mounts::{self, Fullness, MountRow};
use super::kit::stack::with_controllers;
use super::kit::{cpus, distribution, interrupts, memory, sensors};
use super::{Profile, Setting, Settings, Template};
use crate::list::Id;
use crate::machine::{
    Architecture, Base, BlockDevice, Connections, Interrupts, KernelVersion, Machine, Memory, Pods, Tenants,
};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE};
use pods::Pod;

const CPUS: Setting = Setting::number("cpus", 64, 1..=512, "CPUs, with two threads per core if the number allows.");
const MEMORY: Setting = Setting::number("memory_gib", 512, 16..=8_192, "Memory in GiB.");
const PODS: Setting = Setting::number("pods", 380, 0..=2_000, "Pods.");
const VETHS: Setting =
    Setting::number("veths", 250, 0..=2_000, "Pods with a network namespace of their own; others use the host's.");
const MOUNTS: Setting = Setting::number("mounts", 3_000, 0..=20_000, "Mounts; at least as many as pods and host need.");

pub(super) const PROFILE: Profile = Profile {
    name: "k8s-dense",
    summary: "Kubernetes node: 64 CPUs, 380 pods, 250 veths, 3,000 mounts, IPVS.",
    settings: &[CPUS, MEMORY, PODS, VETHS, MOUNTS, distribution::KERNEL],
    small: &[("cpus", "4"), ("memory_gib", "16"), ("pods", "7"), ("veths", "4"), ("mounts", "60")],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::X86_64;
const BLOCK_MAJOR: u32 = 259;
const DISK_SECTORS: u64 = 1_788 * GIB_SECTORS;

const FIRMWARE: Firmware<'_> = Firmware {
    vendor: "Example Servers",
    product: "Blade 1U",
    board: "B1U-1P",
    version: "1.14.2",
    date: "06/02/2024",
    chassis: "23",
};

fn machine(seed: Seed, settings: &Settings) -> Machine {
    machine_with(seed, settings, &Tenants::default())
}

fn machine_with(seed: Seed, settings: &Settings, tenants: &Tenants) -> Machine {
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 0);
    let kernel = settings.word(&distribution::KERNEL);
    let (system, os) = distribution::system(seed, "node", ARCHITECTURE, kernel, "amd64");
    let (block_devices, storage) = with_controllers(seed, block_devices(seed), SERVER_NVME);
    let rows = rows(&memory, block_devices.as_slice(), system.kernel());
    let own = rows.len();
    let pods = pods::pods(seed, [&PODS, &VETHS, &MOUNTS].map(|setting| settings.count(setting)), own, tenants);
    let cpus = settings.count(&CPUS);
    Machine {
        mounts: pods::mounts(&memory, rows, &pods).into(),
        interfaces: links::interfaces(seed, &pods).into(),
        neighbours: links::neighbours(seed, &pods),
        connections: Connections {
            always: 900,
            at_mean_load: 1_400,
            listening: 38,
            listening6: 22,
            datagrams: 14,
            datagrams6: 6,
        },
        balancer: Some(links::balancer(seed, &pods)),
        control_groups: pods::control_groups(seed, &pods),
        pods: Some(Pods {
            count: pods.len(),
            template: Arc::new(Template { settings: settings.clone(), make: machine_with }),
        }),
        interrupts: devices(cpus),
        chips: vec![sensors::k10temp(0, cpus.div_ceil(16).min(12))],
        energy_meters: sensors::rapl(0, 171_000, false),
        firmware: hardware::firmware(&FIRMWARE),
        block_devices,
        storage,
        ..Machine::bare(seed, Base { system, os, processor: cpus::epyc(seed, cpus, 1, 1), memory })
    }
}

/// System disk, and a disk for images and writable layers.
fn block_devices(seed: Seed) -> Vec<BlockDevice> {
    let place = |name, number: u32| DiskPlace {
        name,
        major: BLOCK_MAJOR,
        minor: number * 16,
        path: format!("pci0000:20/0000:20:01.{}/0000:{:02x}:00.0/nvme/nvme{number}/{name}", number + 1, 0x21 + number),
        id_path: format!("pci-0000:{:02x}:00.0-nvme-1", 0x21 + number),
    };
    let system = disk(seed, place("nvme0n1", 0), DISK_SECTORS, NVME, vec![direct(Id::at(1)), direct(Id::at(2))]);
    let efi = partition(&system, 1, FIRST_SECTOR, GIB_SECTORS);
    let root = partition(&system, 2, 2 * GIB_SECTORS, DISK_SECTORS - 3 * GIB_SECTORS);
    let images = disk(seed, place("nvme1n1", 1), DISK_SECTORS, NVME, Vec::new());
    vec![
        system.with_partition_table(seed),
        efi.with_file_system(seed, "vfat").with_io(rare_io(seed, "efi", &OFFICE)),
        root.with_file_system(seed, "ext4").with_io(system_io(seed, "root", &OFFICE, 3_100)),
        images.with_file_system(seed, "xfs").with_io(data_io(seed, "images", &BATCH, 2_200)),
    ]
}

fn rows(memory: &Memory, block_devices: &[BlockDevice], kernel: KernelVersion) -> Vec<MountRow> {
    let [_, efi, root, images] = block_devices else { return Vec::new() };
    let page_bytes = ARCHITECTURE.page_size_bytes();
    let root = mounts::on(root, "/", "ext4", Fullness { base: 84, daily: 2, span: 60 });
    let mut rows = mounts::base(memory, page_bytes, root);
    if !kernel.has_one_hierarchy() {
        mounts::separate_hierarchies(memory, page_bytes, &mut rows);
    }
    rows.push(mounts::on(efi, "/boot/efi", "vfat", Fullness { base: 7, daily: 0, span: 0 }));
    rows.push(mounts::on(images, "/var/lib/containerd", "xfs", Fullness { base: 410, daily: 14, span: 280 }));
    rows.push(mounts::temporary(memory, page_bytes));
    rows
}

fn devices(cpus: usize) -> Interrupts {
    let mut interrupts = interrupts::pc();
    for disk in 0..2 {
        let queues: Vec<String> = (0..=cpus).map(|queue| format!("nvme{disk}q{queue}")).collect();
        interrupts =
            interrupts.with_queues(&format!("IR-PCI-MSIX-0000:{:02x}:00.0", 0x21 + disk), &queues, cpus, 3_700);
    }
    for (port, name) in links::PORTS.iter().enumerate() {
        let queues: Vec<String> = (0..cpus.min(63)).map(|queue| format!("ice-{name}-TxRx-{queue}")).collect();
        interrupts = interrupts.with_queues(&format!("IR-PCI-MSIX-0000:c1:00.{port}"), &queues, cpus, 91_000);
    }
    interrupts
}

impl Pod {
    /// Pods with a network namespace of their own, with their indices.
    fn networked(pods: &[Self]) -> impl Iterator<Item = &Self> {
        pods.iter().filter(|pod| pod.network.is_some())
    }
}
