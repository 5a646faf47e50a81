//! An NVMe disk with LVM: system on ext4, /home on btrfs, swap; zram as first swap; packages as squashfs images; a portable
//! disk with bcachefs.

use super::super::kit::disks::{
    DiskPlace, EXTENT_SECTORS, FIRST_SECTOR, GIB_SECTORS, NVME, disk, file_system_uuid, mapped, partition, rare_io,
    system_io,
};
use super::super::kit::hardware::{NOTEBOOK_NVME, PORTABLE_SSD};
use super::super::kit::mounts::{self, Fullness, MountRow};
use super::super::kit::stack::{Stack, loop_device, made};
use crate::list::List;
use crate::machine::{Bcachefs, Btrfs, BtrfsGroup, Memory, MountPoint};
use crate::seed::Seed;
use crate::wave::{OFFICE, Wave};

/// Major number of extended block devices, which NVMe uses.
const BLOCK_MAJOR: u32 = 259;
const ZRAM_MAJOR: u32 = 252;
const SCSI_MAJOR: u32 = 8;

/// Snap packages: mount point, and size of the image in sectors.
const PACKAGES: [(&str, u64); 4] = [
    ("/snap/bare/5", 8),
    ("/snap/core22/1748", 151_648),
    ("/snap/firefox/5751", 544_488),
    ("/snap/snapd/23545", 90_864),
];

const BOOT: &str = "nvme0n1p2";
const EFI: &str = "nvme0n1p1";
const ROOT: &str = "dm-0";

pub(super) fn stack(seed: Seed) -> Stack {
    let mut stack = Stack::new(seed);
    let place = DiskPlace {
        name: "nvme0n1",
        major: BLOCK_MAJOR,
        minor: 0,
        path: "pci0000:00/0000:00:06.0/0000:01:00.0/nvme/nvme0/nvme0n1".to_owned(),
        id_path: "pci-0000:01:00.0-nvme-1".to_owned(),
    };
    let system = disk(seed, place, 477 * GIB_SECTORS, NVME, Vec::new());
    let efi = partition(&system, 1, FIRST_SECTOR, GIB_SECTORS / 2 - FIRST_SECTOR);
    let boot = partition(&system, 2, GIB_SECTORS / 2, GIB_SECTORS);
    let rest = partition(&system, 3, GIB_SECTORS * 3 / 2, 475 * GIB_SECTORS);
    let system = stack.add_nvme(0, system.with_partition_table(seed), NOTEBOOK_NVME);
    stack.add_on(system, efi.with_file_system(seed, "vfat").with_io(rare_io(seed, "efi", &OFFICE)));
    stack.add_on(system, boot.with_file_system(seed, "ext4").with_io(rare_io(seed, "boot", &OFFICE)));
    let rest = stack.add_on(system, rest.with_physical_volume(seed));
    let volume = |number, name, sectors| mapped(seed, number, "laptop-vg", name, sectors);
    let root = volume(0, "root", 93 * GIB_SECTORS).with_file_system(seed, "ext4");
    stack.add_on(rest, root.with_io(system_io(seed, "root", &OFFICE, 640)));
    let swap = volume(1, "swap_1", 2 * GIB_SECTORS - EXTENT_SECTORS).with_io(rare_io(seed, "swap", &OFFICE));
    let swap = stack.add_on(rest, swap);
    let home = volume(2, "home", 380 * GIB_SECTORS).with_file_system(seed, "btrfs");
    stack.add_on(rest, home.with_io(system_io(seed, "home", &OFFICE, 310)));
    let memory = made(seed, "zram0", (ZRAM_MAJOR, 0), 8 * GIB_SECTORS);
    let memory = stack.add(memory.with_io(system_io(seed, "zram0", &OFFICE, 45)));
    stack.swap_to(memory, 100);
    stack.swap_to(swap, -2);
    for (number, (_, sectors)) in (0..).zip(PACKAGES) {
        stack.add(loop_device(seed, number, sectors));
    }
    add_portable(&mut stack, seed);
    stack
}

fn add_portable(stack: &mut Stack, seed: Seed) {
    let port = "0000:00:14.0";
    let place = DiskPlace {
        name: "sda",
        major: SCSI_MAJOR,
        minor: 0,
        path: format!("pci0000:00/{port}/usb2/2-1/2-1:1.0/host0/target0:0:0/0:0:0:0/block/sda"),
        id_path: format!("pci-{port}-usb-0:1:1.0-scsi-0:0:0:0"),
    };
    let whole = disk(seed, place, 1_863 * GIB_SECTORS, NVME, Vec::new()).with_hardware(seed, PORTABLE_SSD);
    let part = partition(&whole, 1, FIRST_SECTOR, 1_862 * GIB_SECTORS);
    let whole = stack.add(whole.with_partition_table(seed));
    let part = part.with_file_system(seed, "bcachefs");
    stack.add_on(whole, part.with_io(system_io(seed, "archive", &OFFICE, 70)));
}

pub(super) fn rows(memory: &Memory, page_bytes: u64, stack: &Stack) -> Vec<MountRow> {
    let on = |name: &str, point, fs_type, fullness| {
        let device = stack.devices.iter().find(|device| device.name == name);
        device.map(|device| mounts::on(device, point, fs_type, fullness))
    };
    let fixed = |base| Fullness { base, daily: 0, span: 0 };
    let Some(root) = on(ROOT, "/", "ext4", Fullness { base: 388, daily: 2, span: 210 }) else { return Vec::new() };
    let mut rows = mounts::base(memory, page_bytes, root);
    rows.extend(on(BOOT, "/boot", "ext4", fixed(244)));
    rows.extend(on(EFI, "/boot/efi", "vfat", fixed(12)));
    rows.push(mounts::temporary(memory, page_bytes));
    let home = on("dm-2", "/home", "btrfs", Fullness { base: 512, daily: 1, span: 160 });
    rows.extend(home.map(|row| MountRow { device: (0, 35), ..row }));
    let archive = on("sda1", "/srv/archive", "bcachefs", Fullness { base: 231, daily: 1, span: 400 });
    rows.extend(archive.map(|row| MountRow { device: (0, 36), ..row }));
    for (number, (point, _)) in PACKAGES.iter().enumerate() {
        rows.extend(on(&format!("loop{number}"), point, "squashfs", fixed(1_000)));
    }
    rows
}

/// btrfs of /home, in order of mounting.
pub(super) fn complete(seed: Seed, mut stack: Stack, mounts: &List<MountPoint>) -> Stack {
    let place = |name: &str| stack.devices.find(|device| device.name == name);
    let mounted = mounts.find(|mount| mount.fs_type == "btrfs");
    let group = |layout, copies, total_bytes, used_permille| BtrfsGroup { layout, copies, total_bytes, used_permille };
    if let (Some(device), Some(mount)) = (place("dm-2"), mounted) {
        stack.storage.btrfs.push(Btrfs {
            uuid: file_system_uuid(seed, "dm-2"),
            label: "home",
            mount,
            devices: vec![device],
            // Block groups of 1 GiB are allocated as files grow.
            data: group("single", 1, 318 << 30, 1_000),
            metadata: group("dup", 2, 4 << 30, 702),
            system: group("dup", 2, 8 << 20, 6),
            wave: Wave::new(&OFFICE, seed, "home"),
        });
    }
    if let Some(device) = place("sda1") {
        stack.storage.bcachefs.push(Bcachefs {
            uuid: file_system_uuid(seed, "sda1"),
            device,
            label: "ssd.archive",
            bucket_bytes: 512 << 10,
            age_seconds: 41_000_000,
        });
    }
    stack
}
