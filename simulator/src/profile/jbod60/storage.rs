//! Two mirrored system disks; a shelf of large disks, half in four arrays, half in pools.

use super::super::kit::disks::{
    DiskPlace, FIRST_SECTOR, GIB_SECTORS, SATA_SSD, TURNING, data_io, disk, partition, rare_io, scsi_disk, system_io,
};
use super::super::kit::hardware::{SERVER_SSD, SHELF_DISK};
use super::super::kit::identity::uuid;
use super::super::kit::mounts::{self, Fullness, MountRow};
use super::super::kit::stack::{Parts, Stack, made};
use super::{pools, san};
use crate::list::Id;
use crate::machine::{Above, Bcache, BlockDevice, Check, Level, Memory, Share};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE};

const SHELF_SECTORS: u64 = 14_902 * GIB_SECTORS;
const SYSTEM_SECTORS: u64 = 894 * GIB_SECTORS;
const BCACHE_MAJOR: u32 = 252;
/// Cache hit ratio of reads.
const HITS_PERMILLE: u64 = 830;
/// Data offset of a bcache device.
const BCACHE_SECTORS: u64 = 16;
const ARRAYS: u32 = 4;
const SPARES: usize = 2;
/// Partition sizes of the system disks in GiB: boot loader, /boot, system, swap, cache.
const PARTS_GIB: [u64; 5] = [1, 1, 120, 16, 640];

/// Monthly array checks, one after the other.
fn check(array: u32) -> Check {
    let day = 86_400;
    Check { every_seconds: 28 * day, lasts_seconds: 31 * 3_600, offset_seconds: u64::from(array * 7) * day + 40_000 }
}

pub(super) fn stack(seed: Seed, disks: u32, failed: usize) -> Stack {
    let mut stack = Stack::new(seed);
    let systems = [0, 1].map(|number| add_system(&mut stack, seed, number));
    add_mirror(&mut stack, seed, 0, [systems[0][1], systems[1][1]]);
    add_mirror(&mut stack, seed, 1, [systems[0][2], systems[1][2]]);
    stack.swap_to(systems[0][3], -2);
    let shelf: Vec<Id<BlockDevice>> = (0..disks).map(|slot| stack.add(shelf_disk(seed, slot))).collect();
    let (in_arrays, in_pools) = shelf.split_at(shelf.len() / 2);
    let (spares, members) = in_arrays.split_at(SPARES);
    let width = members.len() / ARRAYS as usize;
    for (number, members) in (2..2 + ARRAYS).zip(members.chunks_exact(width)) {
        let is_last = number == 1 + ARRAYS;
        let (members, failed) = members.split_at(members.len() - if is_last { failed.min(2) } else { 0 });
        let spares = usize::try_from(number - 2).ok().and_then(|at| spares.get(at..=at)).unwrap_or_default();
        let parts = Parts { members, failed, spares };
        let array = stack.add_array(number, Level::Raid6, parts, "files", check(number));
        if is_last {
            add_cached(&mut stack, seed, array, systems[1][4]);
        } else {
            let name = format!("md{number}");
            let io = data_io(seed, &name, &OFFICE, 2_100 + 400 * u64::from(number));
            stack.change(array, |array| array.with_file_system(seed, "xfs").with_io(io));
        }
    }
    // Disks beyond full arrays go to the pools.
    let rest = members.get(width * ARRAYS as usize..).unwrap_or_default();
    pools::add(&mut stack, seed, &[in_pools, rest].concat());
    san::add(&mut stack, seed, 2 + disks);
    stack
}

/// System disk with its partitions.
fn add_system(stack: &mut Stack, seed: Seed, number: u32) -> [Id<BlockDevice>; 5] {
    let (name, major, minor) = scsi_disk(number);
    let (port, host) = ("0000:00:17.0", number);
    let place = DiskPlace {
        name: &name,
        major,
        minor,
        path: format!("pci0000:00/{port}/ata{}/host{host}/target{host}:0:0/{host}:0:0:0/block/{name}", number + 1),
        id_path: format!("pci-{port}-ata-{}", number + 1),
    };
    let whole = disk(seed, place, SYSTEM_SECTORS, SATA_SSD, Vec::new()).with_hardware(seed, SERVER_SSD);
    let mut start = FIRST_SECTOR;
    let parts = PARTS_GIB.map(|gib| {
        let first = start;
        start += gib * GIB_SECTORS;
        (first, gib * GIB_SECTORS)
    });
    let mut place_of = 0;
    let partitions = parts.map(|(first, sectors)| {
        place_of += 1;
        partition(&whole, place_of, first, sectors)
    });
    let whole = stack.add(whole.with_partition_table(seed));
    let mut number_of = 0;
    partitions.map(|part| {
        number_of += 1;
        let io = rare_io(seed, &part.name, &OFFICE);
        let part = match number_of {
            1 => part.with_file_system(seed, "vfat").with_io(io),
            4 => part.with_io(io),
            _ => part,
        };
        stack.add_on(whole, part)
    })
}

fn add_mirror(stack: &mut Stack, seed: Seed, number: u32, members: [Id<BlockDevice>; 2]) {
    let name = format!("md{number}");
    let io = if number == 0 { rare_io(seed, &name, &OFFICE) } else { system_io(seed, &name, &OFFICE, 1_700) };
    let parts = Parts { members: &members, ..Parts::default() };
    let array = stack.add_array(number, Level::Raid1, parts, "files", check(0));
    stack.change(array, |array| array.with_file_system(seed, "xfs").with_io(io));
}

fn shelf_disk(seed: Seed, slot: u32) -> BlockDevice {
    let (name, major, minor) = scsi_disk(2 + slot);
    let (adapter, host) = ("0000:3b:00.0", 8);
    let expander = format!("host{host}/port-{host}:{}/expander-{host}:{}", slot / 30, slot / 30);
    let end = format!("port-{host}:{0}:{1}/end_device-{host}:{0}:{1}", slot / 30, slot % 30);
    let place = DiskPlace {
        name: &name,
        major,
        minor,
        path: format!(
            "pci0000:3a/0000:3a:00.0/{adapter}/{expander}/{end}/target{host}:0:{slot}/{host}:0:{slot}:0/block/{name}"
        ),
        id_path: format!("pci-{adapter}-sas-exp0x500304801f2b3c7f-phy{slot}-lun-0"),
    };
    disk(seed, place, SHELF_SECTORS, TURNING, Vec::new()).with_hardware(seed, SHELF_DISK)
}

/// bcache device on an array.
fn add_cached(stack: &mut Stack, seed: Seed, backing: Id<BlockDevice>, cache: Id<BlockDevice>) {
    let name = "bcache0";
    let device = made(seed, name, (BCACHE_MAJOR, 0), stack.sectors(backing) - BCACHE_SECTORS);
    let device = stack.add(device.with_file_system(seed, "xfs").with_io(data_io(seed, name, &BATCH, 3_300)));
    // Cached reads do not reach the array; writes go to the cache first, and to the array later in larger requests.
    stack.bear(
        backing,
        Above { device, share: Share { reads_permille: 1_000 - HITS_PERMILLE, merged_one_in: 4, ..Share::ALL } },
    );
    stack.bear(cache, Above { device, share: Share { reads_permille: HITS_PERMILLE, ..Share::ALL } });
    for place in [backing, cache] {
        let id = uuid(seed.of("bcache").at(place.position() as u64));
        stack.change(place, |mut below| {
            below.properties.extend([
                format!("ID_FS_UUID={id}"),
                "ID_FS_TYPE=bcache".to_owned(),
                "ID_FS_USAGE=other".to_owned(),
            ]);
            below
        });
    }
    let set = Bcache { uuid: uuid(seed.of("cache set")), cache, backing, device, hits_permille: HITS_PERMILLE };
    stack.storage.bcaches.push(set);
}

pub(super) fn rows(memory: &Memory, page_bytes: u64, stack: &Stack) -> Vec<MountRow> {
    let on = |name: &str, point, fs_type, fullness| {
        let device = stack.devices.iter().find(|device| device.name == name);
        device.map(|device| mounts::on(device, point, fs_type, fullness))
    };
    let fixed = |base| Fullness { base, daily: 0, span: 0 };
    let Some(root) = on("md1", "/", "xfs", Fullness { base: 143, daily: 3, span: 90 }) else { return Vec::new() };
    let mut rows = mounts::base(memory, page_bytes, root);
    rows.extend(on("md0", "/boot", "xfs", fixed(341)));
    rows.extend(on("sda1", "/boot/efi", "vfat", fixed(7)));
    rows.push(mounts::temporary(memory, page_bytes));
    rows.extend(on("md2", "/export/volume1", "xfs", Fullness { base: 611, daily: 1, span: 210 }));
    rows.extend(on("md3", "/export/volume2", "xfs", Fullness { base: 702, daily: 1, span: 140 }));
    rows.extend(on("md4", "/export/volume3", "xfs", Fullness { base: 388, daily: 2, span: 310 }));
    rows.extend(on("bcache0", "/export/scratch", "xfs", Fullness { base: 97, daily: 31, span: 640 }));
    rows.extend(on("dm-0", "/srv/catalogue", "xfs", Fullness { base: 255, daily: 2, span: 330 }));
    rows
}
