//! `vm`: a small virtual machine of a cloud, that serves something and runs containers.

mod disks;
mod links;

use super::kit::identity::hexadecimal;
use super::kit::mounts::{self, Fullness, Row};
use super::kit::{cpus, distribution, memory};
use super::{Profile, Setting, Settings};
use crate::machine::{Architecture, Base, BlockDevice, Machine, Memory, System};
use crate::seed::Seed;

const CPUS: Setting = Setting::number("cpus", 4, 1..=256, "CPUs; an even number of them are two to a core.");
const MEMORY: Setting = Setting::number("memory_gib", 8, 2..=4_096, "Memory in GiB.");
const CONTAINERS: Setting =
    Setting::number("containers", 1, 0..=1_000, "Containers, each with a file system and a network device.");

pub(crate) const PROFILE: Profile = Profile {
    name: "vm",
    summary: "A small virtual machine of a cloud: virtio disks, LVM, a bond, a container.",
    settings: &[CPUS, MEMORY, CONTAINERS, distribution::KERNEL],
    small: &[],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::X86_64;

pub(crate) fn machine(seed: Seed, settings: &Settings) -> Machine {
    let containers = u32::try_from(settings.get(&CONTAINERS)).unwrap_or_default();
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 1);
    let (system, os) =
        distribution::system(seed, "vm", ARCHITECTURE, settings.word(&distribution::KERNEL), "cloud-amd64");
    let system = System { clocksource: "kvm-clock", clocksources: "kvm-clock tsc acpi_pm", ..system };
    let block_devices = disks::block_devices(seed);
    let mounts = mounts::mounts(&rows(seed, &memory, &block_devices, containers));
    Machine {
        mounts,
        interfaces: links::interfaces(seed, containers),
        neighbours: links::neighbours(seed, containers),
        block_devices,
        ..Machine::bare(seed, Base { system, os, processor: cpus::cloud_xeon(seed, settings.count(&CPUS)), memory })
    }
}

fn rows(seed: Seed, memory: &Memory, block_devices: &[BlockDevice], containers: u32) -> Vec<Row> {
    let page_bytes = ARCHITECTURE.page_size_bytes();
    let on = |name: &str, point, fs_type, fullness| {
        let device = block_devices.iter().find(|block| block.name == name);
        device.map(|device| mounts::on(device, point, fs_type, fullness))
    };
    let Some(root) = on("vda2", "/", "ext4", Fullness { base: 231, daily: 8, span: 154 }) else { return Vec::new() };
    let overlays = (0..containers).map(|number| {
        let name = hexadecimal(seed.of("container").at(u64::from(number)), 12);
        mounts::overlay(seed, 47 + number, &name, &root)
    });
    let overlays: Vec<Row> = overlays.collect();
    let mut rows = mounts::base(memory, page_bytes, root);
    rows.extend(on("vda1", "/boot", "ext4", Fullness { base: 88, daily: 0, span: 0 }));
    rows.extend(on("dm-0", "/srv", "xfs", Fullness { base: 210, daily: 21, span: 630 }));
    rows.push(mounts::temporary(memory, page_bytes));
    rows.extend(overlays);
    rows
}
