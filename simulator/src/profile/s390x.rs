//! `s390x`: mainframe partition with DASD and OSA.

use std::net::Ipv4Addr;

use super::kit::disks::{DASD, DiskPlace, FIRST_SECTOR, GIB_SECTORS, data_io, direct, disk, partition, system_io};
use super::kit::identity::hardware_address;
use super::kit::links::{INSIDE, address, link_local, loopback, neighbour, own, physical, traffic};
use super::kit::mounts::{self, Fullness, MountRow};
use super::kit::{cpus, distribution, interrupts, memory};
use super::{Profile, Setting, Settings};
use crate::list::Id;
use crate::machine::{Architecture, Base, BlockDevice, Interface, Machine, Memory};
use crate::seed::Seed;
use crate::wave::BATCH;

const CPUS: Setting = Setting::number("cpus", 16, 1..=190, "CPUs; an even number has two threads per core.");
const MEMORY: Setting = Setting::number("memory_gib", 64, 2..=32_768, "Memory in GiB.");
const DISKS: Setting = Setting::number("disks", 6, 1..=26, "DASDs; the first holds the system.");

pub(super) const PROFILE: Profile = Profile {
    name: "s390x",
    summary: "Mainframe partition: 16 CPUs, DASD, OSA.",
    settings: &[CPUS, MEMORY, DISKS, distribution::KERNEL],
    small: &[("cpus", "4"), ("memory_gib", "8"), ("disks", "2"), ("kernel", "5.14")],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::S390x;
const DASD_MAJOR: u32 = 94;
/// Minor numbers per DASD, for its partitions.
const DASD_MINORS: u32 = 4;
/// Largest volume in cylinders of 15 tracks.
const VOLUME_SECTORS: u64 = 51 * GIB_SECTORS;
const CARD: &str = "encbdf0";

fn machine(seed: Seed, settings: &Settings) -> Machine {
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 0);
    let kernel = settings.word(&distribution::KERNEL);
    let (system, os) = distribution::system(seed, "lpar", ARCHITECTURE, kernel, "s390x");
    let block_devices = block_devices(seed, u32::try_from(settings.get(&DISKS)).unwrap_or(1));
    let [a, b, c] = INSIDE;
    Machine {
        mounts: mounts::mounts(&rows(&memory, &block_devices)).into(),
        interfaces: interfaces(seed).into(),
        neighbours: vec![neighbour(seed, Id::at(1), Ipv4Addr::new(a, b, c, 1), false)],
        block_devices: block_devices.into(),
        interrupts: interrupts::mainframe(),
        ..Machine::bare(seed, Base { system, os, processor: cpus::mainframe(seed, settings.count(&CPUS)), memory })
    }
}

fn block_devices(seed: Seed, disks: u32) -> Vec<BlockDevice> {
    let mut devices = Vec::new();
    for (number, letter) in (0..disks).zip('a'..='z') {
        let (name, bus) = (format!("dasd{letter}"), format!("0.0.{:04x}", 0x9600 + number));
        let place = DiskPlace {
            name: &name,
            major: DASD_MAJOR,
            minor: number * DASD_MINORS,
            path: format!("css0/0.0.{:04x}/{bus}/block/{name}", 0x20 + number),
            id_path: format!("ccw-{bus}"),
        };
        let whole = disk(seed, place, VOLUME_SECTORS, DASD, vec![direct(Id::at(devices.len() + 1))]);
        let part = partition(&whole, 1, FIRST_SECTOR, VOLUME_SECTORS - 2 * FIRST_SECTOR);
        let part = if number == 0 {
            part.with_file_system(seed, "ext4").with_io(system_io(seed, &name, &BATCH, 1_400))
        } else {
            part.with_file_system(seed, "xfs").with_io(data_io(seed, &name, &BATCH, 2_200))
        };
        devices.extend([whole, part]);
    }
    devices
}

fn rows(memory: &Memory, block_devices: &[BlockDevice]) -> Vec<MountRow> {
    let [_, root, data @ ..] = block_devices else { return Vec::new() };
    let page_bytes = ARCHITECTURE.page_size_bytes();
    let root = mounts::on(root, "/", "ext4", Fullness { base: 244, daily: 4, span: 210 });
    let mut rows = mounts::base(memory, page_bytes, root);
    rows.push(mounts::temporary(memory, page_bytes));
    let parts = data.iter().filter(|device| device.device.is_partition());
    rows.extend((1..).zip(parts).map(|(number, part)| {
        mounts::on(part, &format!("/srv/vol{number}"), "xfs", Fullness { base: 420, daily: 6, span: 160 })
    }));
    rows
}

fn interfaces(seed: Seed) -> Vec<Interface> {
    vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(hardware_address(seed.of(CARD)))],
            traffic: Some(traffic(seed, CARD, &BATCH, 1_700)),
            ..physical(seed, CARD, 2, "qeth/0.0.bdf0", 10_000)
        },
    ]
}
