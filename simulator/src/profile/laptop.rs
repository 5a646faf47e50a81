//! `laptop`: notebook with an NVMe disk, wireless and docked wired network.

mod storage;

use std::net::Ipv4Addr;

use super::kit::hardware::{self, Firmware};
use super::kit::identity::hardware_address;
use super::kit::links::{INSIDE, address, link_local, loopback, neighbour, own, physical, traffic};
use super::kit::mounts;
use super::kit::{cpus, distribution, interrupts, memory, sensors};
use super::{Profile, Setting, Settings};
use crate::list::Id;
use crate::machine::{
    Architecture, Base, CoolingDevice, GraphicsCard, Interface, Interrupts, Machine, Memory, Neighbour, PowerSupply,
    SupplyKind, ThermalZone, Watchdog, Wireless,
};
use crate::seed::Seed;
use crate::wave::{OFFICE, Wave};

const CPUS: Setting = Setting::number("cpus", 8, 1..=64, "CPUs; an even number has two threads per core.");
const MEMORY: Setting = Setting::number("memory_gib", 16, 2..=256, "Memory in GiB.");
const KERNEL: Setting = Setting::word(
    "kernel",
    &["6.12", "6.18"],
    "Kernel version: the distribution's default, or its optional newer one.",
);

pub(super) const PROFILE: Profile = Profile {
    name: "laptop",
    summary: "Notebook: four cores, NVMe with LVM, wireless network, dock.",
    settings: &[CPUS, MEMORY, KERNEL],
    small: &[],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::X86_64;
const WIRELESS: Id<Interface> = Id::at(1);

fn machine(seed: Seed, settings: &Settings) -> Machine {
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 0);
    let (system, os) = distribution::system(seed, "laptop", ARCHITECTURE, settings.word(&KERNEL), "amd64");
    let stack = storage::stack(seed);
    let memory = Memory { swap_pages: stack.swap_pages(), ..memory };
    let mounts = mounts::mounts(&storage::rows(&memory, ARCHITECTURE.page_size_bytes(), &stack)).into();
    let stack = storage::complete(seed, stack, &mounts);
    Machine {
        mounts,
        interfaces: interfaces(seed).into(),
        neighbours: neighbours(seed),
        block_devices: stack.devices,
        storage: stack.storage,
        // VPN to the office.
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
            has_recovered: false,
        }],
        power_supplies: supplies(seed),
        firmware: hardware::firmware(&FIRMWARE),
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

fn interfaces(seed: Seed) -> Vec<Interface> {
    let wireless = "wlp0s20f3";
    vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(hardware_address(seed.of(wireless)))],
            carrier_changes: 46,
            // Wireless devices have no `speed` file.
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
        // Docked, without a cable.
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
