//! `pi4`: Raspberry Pi 4 as a home server.

use std::net::{IpAddr, Ipv4Addr};

use super::kit::disks::{DiskPlace, FIRST_SECTOR, GIB_SECTORS, SD_CARD, direct, disk, partition, rare_io, system_io};
use super::kit::identity::{hardware_address, hexadecimal};
use super::kit::links::{INSIDE, address, link_local, loopback, neighbour, own, physical, traffic, tunnel};
use super::kit::mounts::{self, Fullness, MountRow};
use super::kit::{cpus, distribution, interrupts, memory, sensors};
use super::{Profile, Setting, Settings};
use crate::list::Id;
use crate::machine::{
    Architecture, Arm, Base, BlockDevice, Board, Cache, Frequency, GraphicsCard, Interface, Machine, Memory, Model,
    Processor, SupervisedService, System, ThermalZone, Watchdog, Wireless,
};
use crate::seed::Seed;
use crate::wave::BATCH;

const MEMORY: Setting = Setting::number("memory_gib", 4, 1..=8, "Memory in GiB.");
const WATCHDOG: Setting = Setting::word(
    "watchdog",
    &["bcm2835", "aspeed"],
    "Watchdog: the board's own, or that of a management controller, which booted from its second flash chip.",
);

pub(super) const PROFILE: Profile = Profile {
    name: "pi4",
    summary: "Raspberry Pi 4: four ARM cores, SD card.",
    settings: &[MEMORY, WATCHDOG],
    small: &[],
    make: machine,
};

const ARCHITECTURE: Architecture = Architecture::AARCH64;
const CARD_MAJOR: u32 = 179;
const ETHERNET: Id<Interface> = Id::at(1);

fn machine(seed: Seed, settings: &Settings) -> Machine {
    let memory = memory::memory(ARCHITECTURE, settings.get(&MEMORY), 0);
    let (system, os) = distribution::system(seed, "pi4", ARCHITECTURE, "6.12", "rpi-v8");
    let system = System { version: "#1 SMP PREEMPT Debian 1:6.12.12-1+rpt1 (2025-02-02)", ..system };
    let block_devices = block_devices(seed);
    Machine {
        mounts: mounts::mounts(&rows(&memory, &block_devices)).into(),
        interfaces: interfaces(seed).into(),
        neighbours: vec![neighbour(seed, ETHERNET, Ipv4Addr::new(INSIDE[0], INSIDE[1], INSIDE[2], 1), false)],
        block_devices: block_devices.into(),
        graphics_cards: [(0, "v3d", "platform/v3dbus/fec00000.gpu"), (1, "vc4-drm", "platform/gpu")]
            .map(|(number, driver, device)| GraphicsCard { number, device: device.to_owned(), driver, amd: None })
            .into(),
        supervised: SUPERVISED.into(),
        interrupts: interrupts::arm()
            .with_line("GICv2", 65, "fe00b880.mailbox", 900)
            .with_line("GICv2", 158, "mmc1, mmc0", 14_000)
            .with_line("GICv2", 189, "eth0", 31_000)
            .with_line("GICv2", 190, "eth0", 27_000),
        chips: vec![sensors::chip(
            "cpu_thermal",
            "virtual/thermal/thermal_zone0",
            vec![sensors::sensor("temp1", None, (44_000, 7_000), &[("crit", 110_000)])],
        )],
        thermal_zones: vec![ThermalZone { kind: "cpu-thermal", base: 44_000, per_load: 7_000, critical: 110_000 }],
        watchdogs: vec![watchdog(settings.word(&WATCHDOG))],
        ..Machine::bare(seed, Base { system, os, processor: processor(seed), memory })
    }
}

fn watchdog(kind: &str) -> Watchdog {
    let own = Watchdog {
        device: "platform/soc/fe100000.watchdog/bcm2835-wdt".to_owned(),
        identity: "Broadcom BCM2835 Watchdog timer",
        options: "0x8180",
        firmware: 0,
        timeout_seconds: 15,
        is_active: true,
        has_recovered: false,
    };
    match kind {
        "aspeed" => Watchdog {
            device: "platform/ahb/ahb:apb/1e785000.watchdog".to_owned(),
            identity: "aspeed_wdt",
            timeout_seconds: 30,
            has_recovered: true,
            ..own
        },
        _ => own,
    }
}

/// Services under runit.
const SUPERVISED: [SupervisedService; 4] = [
    SupervisedService { name: "blinds", is_running: false, is_down_at_first: true, changed_seconds: 19 },
    SupervisedService { name: "heating", is_running: true, is_down_at_first: false, changed_seconds: 86_411 },
    SupervisedService { name: "mosquitto", is_running: true, is_down_at_first: false, changed_seconds: 18 },
    SupervisedService { name: "zigbee", is_running: true, is_down_at_first: false, changed_seconds: 20 },
];

fn processor(seed: Seed) -> Processor {
    let model = Arm {
        bogomips_hundredths: 10_800,
        features: "fp asimd evtstrm crc32 cpuid",
        implementer: 0x41,
        variant: 0,
        part: 0xd08,
        revision: 3,
        board: Some(Board {
            revision: "c03114",
            serial: format!("10000000{}", hexadecimal(seed.of("serial"), 8)),
            model: "Raspberry Pi 4 Model B Rev 1.4",
        }),
    };
    Processor {
        cores_per_socket: 4,
        threads_per_core: 1,
        caches: &[
            Cache { level: 1, kind: "Data", kilobytes: 32, ways: 2, cores: 1 },
            Cache { level: 1, kind: "Instruction", kilobytes: 48, ways: 3, cores: 1 },
            Cache { level: 2, kind: "Unified", kilobytes: 1_024, ways: 16, cores: 0 },
        ],
        frequency: Some(Frequency {
            driver: "cpufreq-dt",
            governor: "ondemand",
            governors: "conservative ondemand userspace powersave performance schedutil",
            least_kilohertz: 600_000,
            most_kilohertz: 1_800_000,
            latency_nanos: 0,
            is_common: true,
        }),
        ..cpus::layout(seed, 4, 1, Model::Arm(model))
    }
}

fn block_devices(seed: Seed) -> Vec<BlockDevice> {
    let place = DiskPlace {
        name: "mmcblk0",
        major: CARD_MAJOR,
        minor: 0,
        path: "platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0".to_owned(),
        id_path: "platform-fe340000.mmc".to_owned(),
    };
    let card = disk(seed, place, 29 * GIB_SECTORS, SD_CARD, vec![direct(Id::at(1)), direct(Id::at(2))]);
    let boot = partition(&card, 1, 4 * FIRST_SECTOR, GIB_SECTORS / 2);
    let root = partition(&card, 2, GIB_SECTORS / 2 + 4 * FIRST_SECTOR, 28 * GIB_SECTORS);
    vec![
        card.with_partition_table(seed),
        boot.with_file_system(seed, "vfat").with_io(rare_io(seed, "boot", &BATCH)),
        root.with_file_system(seed, "ext4").with_io(system_io(seed, "root", &BATCH, 90)),
    ]
}

fn rows(memory: &Memory, block_devices: &[BlockDevice]) -> Vec<MountRow> {
    let [_, boot, root] = block_devices else { return Vec::new() };
    let root = mounts::on(root, "/", "ext4", Fullness { base: 214, daily: 3, span: 300 });
    let mut rows = mounts::base(memory, ARCHITECTURE.page_size_bytes(), root);
    rows.push(mounts::on(boot, "/boot/firmware", "vfat", Fullness { base: 148, daily: 0, span: 0 }));
    rows
}

fn interfaces(seed: Seed) -> Vec<Interface> {
    vec![
        loopback(seed),
        Interface {
            addresses: vec![(address(INSIDE, own(seed)), 24), link_local(hardware_address(seed.of("eth0")))],
            traffic: Some(traffic(seed, "eth0", &BATCH, 3)),
            ..physical(seed, "eth0", 2, "platform/scb/fd580000.ethernet", 1_000)
        },
        Interface {
            is_up: false,
            speed_megabits: None,
            carrier_changes: 1,
            wireless: Some(Wireless::Searching),
            ..physical(seed, "wlan0", 3, "platform/soc/fe300000.mmcnr/mmc_host/mmc1/mmc1:0001/mmc1:0001:1", 0)
        },
        // VPN for remote access.
        Interface {
            traffic: Some(traffic(seed, "tun0", &BATCH, 1)),
            addresses: vec![(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 24)],
            ..tunnel(seed, "tun0", 4)
        },
    ]
}
