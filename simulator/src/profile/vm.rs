//! `vm`: small cloud instance that runs a service and containers.

mod links;

use std::sync::Arc;

use super::kit::disks::{
    DiskPlace, EXTENT_SECTORS, FIRST_SECTOR, GIB_SECTORS, VIRTIO, data_io, direct, disk, mapped, partition, rare_io,
    system_io,
};
use super::kit::hardware::{self, Firmware};
use super::kit::identity::hexadecimal;
use super::kit::mounts::{self, Fullness, MountRow};
use super::kit::{cpus, distribution, interrupts, memory, stack};
use super::{Profile, Setting, Settings, Template};
use crate::list::Id;
use crate::machine::{
    Above, Architecture, Base, BlockDevice, ControlGroup, GroupLoad, Interrupts, Machine, Memory, Pods, Share, Storage,
    System, Tenants,
};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE, Wave};

const CPUS: Setting = Setting::number("cpus", 4, 1..=256, "CPUs; an even number has two threads per core.");
const MEMORY: Setting = Setting::number("memory_gib", 8, 2..=4_096, "Memory in GiB.");
const CONTAINERS: Setting =
    Setting::number("containers", 1, 0..=1_000, "Containers, each with a file system and a network device.");

pub(crate) const PROFILE: Profile = Profile {
    name: "vm",
    summary: "Small cloud instance: virtio disks, LVM, bond, container.",
    settings: &[CPUS, MEMORY, CONTAINERS, ARCHITECTURE, distribution::KERNEL],
    small: &[],
    make: machine,
};

const ARCHITECTURE: Setting = Setting::word(
    "architecture",
    &["x86-64", "aarch64", "aarch64-64k", "ppc64le", "s390x"],
    "CPU architecture; 64k means 64 KiB pages.",
);

const FIRMWARE: Firmware<'_> = Firmware {
    vendor: "Example Cloud",
    product: "Virtual Machine",
    board: "Virtual Board",
    version: "1.2.0",
    date: "04/01/2023",
    chassis: "1",
};

pub(crate) fn machine(seed: Seed, settings: &Settings) -> Machine {
    machine_with(seed, settings, &Tenants::default())
}

fn machine_with(seed: Seed, settings: &Settings, tenants: &Tenants) -> Machine {
    let containers = u32::try_from(settings.get(&CONTAINERS)).unwrap_or_default();
    let architecture = match settings.word(&ARCHITECTURE) {
        "aarch64" => Architecture::AARCH64,
        "aarch64-64k" => Architecture::Aarch64 { page_size_bytes: 65_536 },
        "ppc64le" => Architecture::Ppc64le,
        "s390x" => Architecture::S390x,
        _ => Architecture::X86_64,
    };
    let cpus = settings.count(&CPUS);
    let (processor, interrupts) = match architecture {
        Architecture::X86_64 => (cpus::cloud_xeon(seed, cpus), interrupts::pc()),
        Architecture::Aarch64 { .. } => (cpus::cloud_arm(seed, cpus), interrupts::arm()),
        Architecture::Ppc64le => (cpus::power(seed, cpus), interrupts::power()),
        Architecture::S390x => (cpus::mainframe(seed, cpus), interrupts::mainframe()),
    };
    let memory = memory::memory(architecture, settings.get(&MEMORY), 1);
    let (system, os) =
        distribution::system(seed, "vm", architecture, settings.word(&distribution::KERNEL), "cloud-amd64");
    let system = if architecture == Architecture::X86_64 {
        System { clocksource: "kvm-clock", clocksources: "kvm-clock tsc acpi_pm", ..system }
    } else {
        system
    };
    let block_devices = block_devices(seed);
    let overlays = (containers, tenants);
    let mounts = mounts::mounts(&rows(seed, &memory, architecture.page_size_bytes(), &block_devices, overlays));
    Machine {
        mounts: mounts.into(),
        interfaces: links::interfaces(seed, containers, tenants).into(),
        neighbours: links::neighbours(seed, containers),
        control_groups: containers_of(seed, containers, tenants),
        pods: Some(Pods {
            count: containers as usize,
            template: Arc::new(Template { settings: settings.clone(), make: machine_with }),
        }),
        block_devices: block_devices.into(),
        storage: Storage { swaps: stack::swap_file(memory.swap_pages), ..Storage::default() },
        virtualization: "kvm",
        firmware: if architecture == Architecture::X86_64 { hardware::firmware(&FIRMWARE) } else { Vec::new() },
        interrupts: devices(interrupts, architecture, cpus),
        ..Machine::bare(seed, Base { system, os, processor, memory })
    }
}

/// systemd scope of each container.
fn containers_of(seed: Seed, containers: u32, tenants: &Tenants) -> Vec<ControlGroup> {
    let scope = |number: u32| {
        let tenant = tenants.of(number as usize);
        let name = hexadecimal(tenant.seed(seed.of("container").at(u64::from(number))), 64);
        ControlGroup {
            path: format!("system.slice/docker-{name}.scope"),
            processes: 4,
            load: Some(GroupLoad { wave: Wave::new(&OFFICE, seed, &name), cpu_permille: 60, memory_bytes: 190 << 20 }),
            born_micros: tenant.born_micros,
        }
    };
    (0..containers).map(scope).collect()
}

/// virtio devices have a line for configuration changes and one per queue.
fn devices(mut interrupts: Interrupts, architecture: Architecture, cpus: usize) -> Interrupts {
    if architecture == Architecture::S390x {
        return interrupts;
    }
    let names = |device: &str, kinds: &[&str]| -> Vec<String> {
        let queues = 0..cpus.min(4);
        queues.flat_map(|queue| kinds.iter().map(move |kind| format!("{device}-{kind}.{queue}"))).collect()
    };
    for (number, slot) in [(1, 4), (2, 5), (3, 6), (4, 7), (5, 8)] {
        let (device, chip) = (format!("virtio{number}"), format!("PCI-MSIX-0000:00:{slot:02x}.0"));
        interrupts = interrupts.with_line(&chip, 0, &format!("{device}-config"), 0);
        let (kinds, milli): (&[&str], u64) =
            if number < 3 { (&["req"], 11_000) } else { (&["input", "output"], 61_000) };
        interrupts = interrupts.with_queues(&chip, &names(&device, kinds), cpus, milli);
    }
    interrupts
}

fn rows(
    seed: Seed,
    memory: &Memory,
    page_bytes: u64,
    block_devices: &[BlockDevice],
    overlays: (u32, &Tenants),
) -> Vec<MountRow> {
    let on = |name: &str, point, fs_type, fullness| {
        let device = block_devices.iter().find(|block| block.name == name);
        device.map(|device| mounts::on(device, point, fs_type, fullness))
    };
    let Some(root) = on("vda2", "/", "ext4", Fullness { base: 231, daily: 8, span: 154 }) else { return Vec::new() };
    let (containers, tenants) = overlays;
    let overlays = (0..containers).map(|number| {
        let place = seed.of("container").at(u64::from(number));
        let name = hexadecimal(tenants.of(number as usize).seed(place), 12);
        mounts::overlay(seed, 47 + number, &name, &root)
    });
    let overlays: Vec<MountRow> = overlays.collect();
    let mut rows = mounts::base(memory, page_bytes, root);
    rows.extend(on("vda1", "/boot", "ext4", Fullness { base: 88, daily: 0, span: 0 }));
    rows.extend(on("dm-0", "/srv", "xfs", Fullness { base: 210, daily: 21, span: 630 }));
    rows.push(mounts::temporary(memory, page_bytes));
    rows.extend(overlays);
    rows
}

const VIRTIO_MAJOR: u32 = 254;

fn block_devices(seed: Seed) -> Vec<BlockDevice> {
    let place = |name, number: u32| {
        let slot = format!("0000:00:{:02x}.0", number + 3);
        DiskPlace {
            name,
            major: VIRTIO_MAJOR,
            minor: (number - 1) * 16,
            path: format!("pci0000:00/{slot}/virtio{number}/block/{name}"),
            id_path: format!("pci-{slot}"),
        }
    };
    let system = disk(seed, place("vda", 1), 40 * GIB_SECTORS, VIRTIO, vec![direct(Id::at(1)), direct(Id::at(2))]);
    let boot = partition(&system, 1, FIRST_SECTOR, GIB_SECTORS - FIRST_SECTOR);
    let root = partition(&system, 2, GIB_SECTORS, 39 * GIB_SECTORS - FIRST_SECTOR);
    let data = disk(
        seed,
        place("vdb", 2),
        100 * GIB_SECTORS,
        VIRTIO,
        vec![Above { device: Id::at(4), share: Share { merged_one_in: 9, ..Share::ALL } }],
    );
    let volume = mapped(seed, 0, "data", "srv", 100 * GIB_SECTORS - EXTENT_SECTORS);
    vec![
        system.with_partition_table(seed),
        boot.with_file_system(seed, "ext4").with_io(rare_io(seed, "vda1", &OFFICE)),
        root.with_file_system(seed, "ext4").with_io(system_io(seed, "vda2", &OFFICE, 1_000)),
        data.with_physical_volume(seed),
        volume.with_file_system(seed, "xfs").with_io(data_io(seed, "dm-0", &BATCH, 1_000)),
    ]
}
