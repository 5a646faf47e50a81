//! NVMe disks: the system; a DRBD volume; an array of the rest.

use super::super::kit::disks::{
    DiskPlace, FIRST_SECTOR, GIB_SECTORS, NVME, data_io, disk, partition, rare_io, system_io,
};
use super::super::kit::hardware::SERVER_NVME;
use super::super::kit::mounts::{self, Fullness, MountRow};
use super::super::kit::stack::{Parts, Stack, made};
use crate::list::{Id, List};
use crate::machine::{BlockDevice, Check, Drbd, Level, Memory, MountPoint, NfsMount, NfsVersion};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE, Wave};

const BLOCK_MAJOR: u32 = 259;
const HOME_ADDRESSES: &str = "clientaddr=198.51.100.7,local_lock=none,addr=198.51.100.20";
const SOFTWARE_ADDRESSES: &str =
    "mountaddr=198.51.100.21,mountvers=3,mountport=635,mountproto=udp,local_lock=none,addr=198.51.100.21";
const DRBD_MAJOR: u32 = 147;
const DISK_SECTORS: u64 = 3_576 * GIB_SECTORS;
/// Space of DRBD metadata at the end of a device.
const REPLICA_SECTORS: u64 = 262_144;
/// Approximately the first Sunday of the month.
const CHECK: Check = Check { every_seconds: 28 * 86_400, lasts_seconds: 5 * 3_600, offset_seconds: 9 * 86_400 };

pub(super) fn stack(seed: Seed, disks: u32) -> Stack {
    let mut stack = Stack::new(seed);
    let system = add_disk(&mut stack, seed, 0, |disk| disk.with_partition_table(seed));
    let Some(whole) = stack.devices.get(system) else { return stack };
    let efi = partition(whole, 1, FIRST_SECTOR, GIB_SECTORS);
    let root = partition(whole, 2, 2 * GIB_SECTORS, DISK_SECTORS - 3 * GIB_SECTORS);
    stack.add_on(system, efi.with_file_system(seed, "vfat").with_io(rare_io(seed, "efi", &OFFICE)));
    stack.add_on(system, root.with_file_system(seed, "ext4").with_io(system_io(seed, "root", &OFFICE, 2_400)));
    if disks > 1 {
        let below = add_disk(&mut stack, seed, 1, |disk| disk);
        let replica =
            made(seed, "drbd0", (DRBD_MAJOR, 0), DISK_SECTORS - REPLICA_SECTORS).with_file_system(seed, "xfs");
        let place = stack.add_on(below, replica.with_io(data_io(seed, "drbd0", &BATCH, 3_000)));
        stack.storage.drbd.push(Drbd { minor: 0, device: place });
    }
    let rest: Vec<Id<BlockDevice>> = (2..disks).map(|number| add_disk(&mut stack, seed, number, |disk| disk)).collect();
    let level = match rest.len() {
        0 => return stack,
        1 => Level::Raid0,
        2 => Level::Raid1,
        3 => Level::Raid5,
        count if count % 2 == 0 => Level::Raid10,
        _ => Level::Raid6,
    };
    let array = stack.add_array(0, level, Parts { members: &rest, ..Parts::default() }, "epyc", CHECK);
    stack.change(array, |device| device.with_file_system(seed, "xfs").with_io(data_io(seed, "md0", &BATCH, 9_000)));
    stack
}

fn add_disk(
    stack: &mut Stack,
    seed: Seed,
    number: u32,
    holding: impl FnOnce(BlockDevice) -> BlockDevice,
) -> Id<BlockDevice> {
    let name = format!("nvme{number}n1");
    let address = format!("0000:{:02x}:00.0", 0x41 + number);
    let port = format!("0000:40:{:02x}.{}", number / 4 + 1, number % 4 + 1);
    let place = DiskPlace {
        name: &name,
        major: BLOCK_MAJOR,
        minor: number * 16,
        path: format!("pci0000:40/{port}/{address}/nvme/nvme{number}/{name}"),
        id_path: format!("pci-{address}-nvme-1"),
    };
    stack.add_nvme(number, holding(disk(seed, place, DISK_SECTORS, NVME, Vec::new())), SERVER_NVME)
}

pub(super) fn rows(memory: &Memory, page_bytes: u64, stack: &Stack) -> Vec<MountRow> {
    let on = |name: &str, point, fs_type, fullness| {
        let device = stack.devices.iter().find(|device| device.name == name);
        device.map(|device| mounts::on(device, point, fs_type, fullness))
    };
    let root = on("nvme0n1p2", "/", "ext4", Fullness { base: 64, daily: 1, span: 40 });
    let Some(root) = root else { return Vec::new() };
    let mut rows = mounts::base(memory, page_bytes, root);
    rows.extend(on("nvme0n1p1", "/boot/efi", "vfat", Fullness { base: 7, daily: 0, span: 0 }));
    rows.push(mounts::temporary(memory, page_bytes));
    rows.extend(on("drbd0", "/srv/replica", "xfs", Fullness { base: 351, daily: 4, span: 110 }));
    rows.push(mounts::nfs(
        "filer1.example.org:/export/home",
        "/home",
        (51, 18_874_368),
        (NfsVersion::V4, HOME_ADDRESSES),
    ));
    rows.push(mounts::nfs(
        "filer2.example.org:/vol/software",
        "/opt/site",
        (52, 4_194_304),
        (NfsVersion::V3, SOFTWARE_ADDRESSES),
    ));
    rows.extend(on("md0", "/srv/scratch", "xfs", Fullness { base: 310, daily: 9, span: 240 }));
    rows
}

/// NFS operations on these mounts.
pub(super) fn remote(seed: Seed, mounts: &List<MountPoint>) -> Vec<NfsMount> {
    let of = |fs_type: &str, version, port, permille| {
        mounts.find(|mount| mount.fs_type == fs_type).map(|mount| NfsMount {
            mount,
            version,
            port,
            wave: Wave::new(&OFFICE, seed, fs_type),
            permille,
        })
    };
    let mounts = [of("nfs4", NfsVersion::V4, 876, 1_900), of("nfs", NfsVersion::V3, 0, 240)];
    mounts.into_iter().flatten().collect()
}
