//! `laptop`: a notebook with one NVMe disk, wireless and docked wired network.

use std::net::Ipv4Addr;

use super::kit::disks::{
    EXTENT_SECTORS, FIRST_SECTOR, GIB_SECTORS, NVME, Place, direct, disk, mapped, partition, rare_io, system_io,
};
use super::kit::identity::hardware_address;
use super::kit::links::{INSIDE, address, link_local, loopback, neighbour, own, physical, traffic};
use super::kit::mounts::{self, Fullness, Row};
use super::kit::{cpus, distribution, memory};
use super::{Profile, Setting, Settings};
use crate::machine::{Architecture, Base, BlockDevice, Interface, Machine, Memory, Neighbour};
use crate::seed::Seed;
use crate::wave::OFFICE;

const CPUS: Setting = Setting::number("cpus", 8, 1..=64, "CPUs; an even number of them are two to a core.");
const MEMORY: Setting = Setting::number("memory_gib", 16, 2..=256, "Memory in GiB.");

pub(super) const PROFILE: Profile = Profile {
    name: "laptop",
    summary: "A notebook: four cores, NVMe with LVM, wireless network, a dock.",
    settings: &[CPUS, MEMORY],
    small: &[],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::X86_64;
/// Extended numbers of block devices, which NVMe uses.
const BLOCK_MAJOR: u32 = 259;
const WIRELESS: usize = 1;

fn machine(seed: Seed, settings: &Settings) -> Machine {
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 2);
    let (system, os) = distribution::system(seed, "laptop", ARCHITECTURE, "6.12", "amd64");
    let block_devices = block_devices(seed);
    Machine {
        mounts: mounts::mounts(&rows(&memory, &block_devices)),
        interfaces: interfaces(seed),
        neighbours: neighbours(seed),
        block_devices,
        ..Machine::bare(seed, Base { system, os, processor: cpus::mobile_core(seed, settings.count(&CPUS)), memory })
    }
}

fn block_devices(seed: Seed) -> Vec<BlockDevice> {
    let place = Place {
        name: "nvme0n1",
        major: BLOCK_MAJOR,
        minor: 0,
        path: "pci0000:00/0000:00:06.0/0000:01:00.0/nvme/nvme0/nvme0n1".to_owned(),
        id_path: "pci-0000:01:00.0-nvme-1".to_owned(),
    };
    let system = disk(seed, place, 477 * GIB_SECTORS, NVME, vec![direct(1), direct(2), direct(3)]);
    let efi = partition(&system, 1, FIRST_SECTOR, GIB_SECTORS / 2 - FIRST_SECTOR);
    let boot = partition(&system, 2, GIB_SECTORS / 2, GIB_SECTORS);
    let rest = partition(&system, 3, GIB_SECTORS * 3 / 2, 475 * GIB_SECTORS);
    let root = mapped(seed, 0, "laptop-vg", "root", 473 * GIB_SECTORS);
    let swap = mapped(seed, 1, "laptop-vg", "swap_1", 2 * GIB_SECTORS - EXTENT_SECTORS);
    vec![
        system.with_partition_table(seed),
        efi.with_file_system(seed, "vfat").with_io(rare_io(seed, "efi", &OFFICE)),
        boot.with_file_system(seed, "ext4").with_io(rare_io(seed, "boot", &OFFICE)),
        BlockDevice { above: vec![direct(4), direct(5)], ..rest.with_physical_volume(seed) },
        root.with_file_system(seed, "ext4").with_io(system_io(seed, "root", &OFFICE, 640)),
        swap.with_io(rare_io(seed, "swap", &OFFICE)),
    ]
}

fn rows(memory: &Memory, block_devices: &[BlockDevice]) -> Vec<Row> {
    let [_, efi, boot, _, root, ..] = block_devices else { return Vec::new() };
    let page_bytes = ARCHITECTURE.page_size_bytes();
    let root = mounts::on(root, "/", "ext4", Fullness { base: 388, daily: 2, span: 210 });
    let mut rows = mounts::base(memory, page_bytes, root);
    rows.push(mounts::on(boot, "/boot", "ext4", Fullness { base: 244, daily: 0, span: 0 }));
    rows.push(mounts::on(efi, "/boot/efi", "vfat", Fullness { base: 12, daily: 0, span: 0 }));
    rows.push(mounts::temporary(memory, page_bytes));
    rows
}

fn interfaces(seed: Seed) -> Vec<Interface> {
    let wireless = "wlp0s20f3";
    vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(hardware_address(seed.of(wireless)))],
            carrier_changes: 46,
            // Wireless devices tell their speed elsewhere.
            speed_megabits: None,
            traffic: Some(traffic(seed, wireless, &OFFICE, 41)),
            ..physical(seed, wireless, 2, "pci0000:00/0000:00:14.3", 0)
        },
        // In the dock, without a cable.
        Interface {
            is_up: false,
            carrier_changes: 1,
            speed_megabits: None,
            ..physical(seed, "enp0s13f0u1", 3, "pci0000:00/0000:00:0d.0/usb3/3-1/3-1:1.0", 0)
        },
    ]
}

fn neighbours(seed: Seed) -> Vec<Neighbour> {
    let [a, b, c] = INSIDE;
    [(1, false), (241, true)]
        .map(|(last, failed)| neighbour(seed, WIRELESS, Ipv4Addr::new(a, b, c, last), failed))
        .into()
}
