//! `jbod60`: file server with a disk shelf, RAID, ZFS, SAN and tape library.

mod pools;
mod san;
mod storage;

use std::net::Ipv4Addr;

use super::kit::hardware::{self, Firmware};
use super::kit::identity::hardware_address;
use super::kit::links::{INSIDE, address, link_local, loopback, neighbour, own, physical, traffic};
use super::kit::mounts;
use super::kit::{cpus, distribution, interrupts, memory, sensors};
use super::{Profile, Setting, Settings};
use crate::list::Id;
use crate::machine::{Architecture, Base, Interface, Interrupts, Machine, Memory, NfsServer};
use crate::seed::Seed;
use crate::wave::{OFFICE, Wave};

const CPUS: Setting = Setting::number("cpus", 32, 1..=256, "CPUs; an even number has two threads per core.");
const MEMORY: Setting = Setting::number("memory_gib", 256, 16..=2_048, "Memory in GiB.");
const DISKS: Setting = Setting::number("disks", 60, 36..=240, "Disks in the shelf, half in RAID, half in ZFS.");
const FAILED: Setting = Setting::number("failed", 0, 0..=2, "Failed disks of the last array.");
/// This ZFS release has the most statistics.
const KERNEL: Setting = Setting::word(
    "kernel",
    &["4.18", "6.12", "5.14", "3.10"],
    "Kernel version, which determines distribution and ZFS release.",
);

pub(super) const PROFILE: Profile = Profile {
    name: "jbod60",
    summary: "File server: 60 disks, 6 arrays, ZFS, SAN on two Fibre Channel ports, tapes, NFS.",
    settings: &[CPUS, MEMORY, DISKS, FAILED, KERNEL],
    small: &[("cpus", "4"), ("memory_gib", "64"), ("disks", "36")],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::X86_64;

fn machine(seed: Seed, settings: &Settings) -> Machine {
    let kernel = settings.word(&KERNEL);
    let (system, os) = distribution::system(seed, "files", ARCHITECTURE, kernel, "amd64");
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 0);
    let disks = u32::try_from(settings.get(&DISKS)).unwrap_or_default();
    let mut stack = storage::stack(seed, disks, settings.count(&FAILED));
    let memory = Memory { swap_pages: stack.swap_pages(), ..memory };
    let page_bytes = ARCHITECTURE.page_size_bytes();
    let mut rows = storage::rows(&memory, page_bytes, &stack);
    rows.extend(pools::rows(&stack));
    // At most a sixteenth of memory: files are rarely read twice.
    stack.storage.zfs = Some(pools::zfs(seed, system.kernel(), memory.pages / 64 * page_bytes));
    stack.storage.nfs_server =
        Some(NfsServer { threads: 64, wave: Wave::new(&OFFICE, seed, "nfsd"), permille: 11_000 });
    Machine {
        mounts: mounts::mounts(&rows).into(),
        interfaces: interfaces(seed).into(),
        neighbours: [(1, false), (20, false), (21, false)]
            .map(|(last, failed)| {
                neighbour(seed, Id::at(1), Ipv4Addr::new(INSIDE[0], INSIDE[1], INSIDE[2], last), failed)
            })
            .into(),
        block_devices: stack.devices,
        interrupts: devices(settings.count(&CPUS)),
        chips: vec![sensors::k10temp(0, 2), sensors::nct6798()],
        firmware: hardware::firmware(&FIRMWARE),
        storage: stack.storage,
        ..Machine::bare(seed, Base { system, os, processor: cpus::epyc(seed, settings.count(&CPUS), 1, 1), memory })
    }
}

const FIRMWARE: Firmware<'_> = Firmware {
    vendor: "Example Servers",
    product: "Storage 2U",
    board: "S2U-1P",
    version: "3.1.4",
    date: "07/22/2023",
    chassis: "23",
};

/// One queue per CPU, up to the number of queues of the device.
fn devices(cpus: usize) -> Interrupts {
    let queues =
        |name: &str, most: usize| (0..cpus.min(most)).map(|queue| format!("{name}{queue}")).collect::<Vec<_>>();
    interrupts::pc()
        .with_queues("IR-PCI-MSI-0000:3b:00.0", &queues("mpt3sas0-msix", 64), cpus, 61_000)
        .with_queues("IR-PCI-MSI-0000:5e:00.0", &queues("qla2xxx", 16), cpus, 9_000)
        .with_queues("IR-PCI-MSI-0000:18:00.0", &queues("ens1f0np0-TxRx-", 63), cpus, 52_000)
        .with_line("IR-PCI-MSI-0000:00:17.0", 0, "ahci[0000:00:17.0]", 14_000)
}

fn interfaces(seed: Seed) -> Vec<Interface> {
    let port = |name: &str, index: u32, permille| Interface {
        traffic: Some(traffic(seed, name, &OFFICE, permille)),
        ..physical(seed, name, index, &format!("pci0000:17/0000:17:00.0/0000:18:00.{}", index - 2), 25_000)
    };
    vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(hardware_address(seed.of("ens1f0np0")))],
            ..port("ens1f0np0", 2, 6_200)
        },
        port("ens1f1np1", 3, 300),
    ]
}
