//! `laptop`: a notebook with one NVMe disk, wireless and docked wired network.

use std::net::Ipv4Addr;

use super::kit::disks::{
    EXTENT_SECTORS, FIRST_SECTOR, GIB_SECTORS, NVME, Place, direct, disk, mapped, partition, rare_io, system_io,
};
use super::kit::firmware::{self, Firmware};
use super::kit::identity::hardware_address;
use super::kit::links::{INSIDE, address, link_local, loopback, neighbour, own, physical, traffic};
use super::kit::mounts::{self, Fullness, Row};
use super::kit::{cpus, distribution, interrupts, memory, sensors};
use super::{Profile, Setting, Settings};
use crate::machine::{
    Architecture, Base, BlockDevice, CoolingDevice, GraphicsCard, Interface, Interrupts, Machine, Memory, Neighbour,
    PowerSupply, SupplyKind, ThermalZone, Watchdog, Wireless,
};
use crate::seed::Seed;
use crate::wave::{OFFICE, Wave};

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
        // To the office, as soon as there is a network.
        ipsec: Some(Wave::new(&OFFICE, seed, "ipsec")),
        graphics_cards: vec![GraphicsCard {
            number: 1,
            device: "pci0000:00/0000:00:02.0".to_owned(),
            driver: "i915",
            amd: None,
        }],
        interrupts: devices(settings.count(&CPUS)),
        chips: vec![
            sensors::chip("AC", AC, Vec::new()),
            sensors::chip("acpitz", "", vec![sensors::sensor("temp1", None, (41_000, 6_000), &[("crit", 128_000)])]),
            sensors::nvme("pci0000:00/0000:00:06.0/0000:01:00.0/nvme/nvme0"),
            sensors::coretemp(0, settings.count(&CPUS).div_ceil(2)),
            sensors::chip(
                "thinkpad",
                "platform/thinkpad_hwmon",
                vec![
                    sensors::sensor("fan1", None, (0, 2_400), &[]),
                    sensors::sensor("temp1", Some("CPU"), (42_000, 9_000), &[]),
                ],
            ),
            sensors::chip("iwlwifi_1", "", vec![sensors::sensor("temp1", None, (38_000, 3_000), &[])]),
        ],
        thermal_zones: vec![
            ThermalZone { kind: "acpitz", base: 41_000, per_load: 6_000, critical: 128_000 },
            ThermalZone { kind: "x86_pkg_temp", base: 36_000, per_load: 9_000, critical: 100_000 },
            ThermalZone { kind: "iwlwifi_1", base: 38_000, per_load: 3_000, critical: 115_000 },
        ],
        cooling_devices: (0..settings.count(&CPUS)).map(|_| CoolingDevice { kind: "Processor", states: 3 }).collect(),
        energy_meters: sensors::rapl(0, 6_400, false),
        watchdogs: vec![Watchdog {
            device: "platform/iTCO_wdt".to_owned(),
            identity: "iTCO_wdt",
            options: "0x8180",
            firmware: 6,
            timeout_seconds: 30,
            is_active: false,
        }],
        power_supplies: supplies(seed),
        firmware: firmware::words(&FIRMWARE),
        ..Machine::bare(seed, Base { system, os, processor: cpus::mobile_core(seed, settings.count(&CPUS)), memory })
    }
}

const FIRMWARE: Firmware<'_> = Firmware {
    vendor: "Example Computers",
    product: "Notebook 14",
    board: "NB14-MB",
    version: "1.31.0",
    date: "09/11/2024",
    chassis: "10",
};

const AC: &str = "pci0000:00/0000:00:1f.0/PNP0C09:00/ACPI0003:00";

fn supplies(seed: Seed) -> Vec<PowerSupply> {
    let battery = SupplyKind::Battery {
        manufacturer: "Example",
        model: "EX-57",
        serial: seed.of("battery").between(1_000, 9_999).to_string(),
        full_microwatthours: 54_170_000,
        cycles: 211,
    };
    vec![
        PowerSupply { name: "AC", device: AC, kind: SupplyKind::Mains },
        PowerSupply { name: "BAT0", device: "pci0000:00/0000:00:1f.0/PNP0C09:00/PNP0C0A:00", kind: battery },
    ]
}

fn devices(cpus: usize) -> Interrupts {
    let queues: Vec<String> = (0..=cpus).map(|queue| format!("nvme0q{queue}")).collect();
    interrupts::pc()
        .with_queues("IR-PCI-MSIX-0000:01:00.0", &queues, cpus, 4_100)
        .with_line("IR-PCI-MSI-0000:00:0d.0", 0, "xhci_hcd", 21_000)
        .with_line("IR-PCI-MSI-0000:00:02.0", 0, "i915", 58_000)
        .with_line("IR-PCI-MSIX-0000:00:14.3", 0, "iwlwifi: default queue", 19_000)
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
            wireless: Some(Wireless::Joined {
                frequency_megahertz: 5_180,
                name: "example-home",
                access_point: hardware_address(seed.of("access point")),
                megabits: 866,
            }),
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
