//! Two ZFS pools: mirrors, and two groups with double parity.

use super::super::kit::disks::{FIRST_SECTOR, partition};
use super::super::kit::mounts::MountRow;
use super::super::kit::stack::Stack;
use crate::list::Id;
use crate::machine::{BlockDevice, DataSet, Flow, Io, KernelVersion, Space, Usage, Zfs, ZfsVersion, Zpool};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE, Wave};

/// Number of disks in mirrors; the remaining ones are in double-parity groups.
const MIRRORED: usize = 6;
/// Reserved partition of ZFS at the end of a disk.
const RESERVED_SECTORS: u64 = 16_384;
const SECTOR_BYTES: u64 = 512;
/// Block size of `statfs`.
const RECORD_BYTES: u64 = 131_072;
const FAST: &str = "vault";
const LARGE: &str = "tank";

/// Data sets: pool, name, number, load and share of the pool, both in thousandths.
const DATA_SETS: [(&str, &str, u64, u64, u64); 7] = [
    (FAST, "vault", 0x36, 1, 1),
    (FAST, "vault/db", 0x183, 910, 204),
    (FAST, "vault/mail", 0x20c, 1_340, 317),
    (LARGE, "tank", 0x36, 1, 1),
    (LARGE, "tank/archive", 0x8a, 210, 402),
    (LARGE, "tank/backup", 0x41d, 3_100, 188),
    (LARGE, "tank/home", 0x92, 2_450, 119),
];

/// Assigns the disks to pools.
pub(super) fn add(stack: &mut Stack, seed: Seed, disks: &[Id<BlockDevice>]) {
    let (fast, large) = disks.split_at(MIRRORED.min(disks.len()));
    // A mirror writes everything twice, a group adds parity.
    add_disks(stack, seed, FAST, fast, 2_000);
    let data = large.len().saturating_sub(4).max(1) as u64;
    add_disks(stack, seed, LARGE, large, large.len() as u64 * 1_000 / data);
}

fn wave(seed: Seed, pool: &str) -> Wave {
    Wave::new(if pool == FAST { &OFFICE } else { &BATCH }, seed, pool)
}

fn add_disks(stack: &mut Stack, seed: Seed, pool: &str, disks: &[Id<BlockDevice>], written_permille: u64) {
    let busy: u64 = DATA_SETS.iter().filter(|set| set.0 == pool).map(|set| set.3).sum();
    let count = (disks.len() as u64).max(1);
    let share = |flow: Flow, permille: u64| {
        let part = |milli: u64| milli * busy / 1_000 * permille / 1_000 / count;
        Flow {
            requests_milli: part(flow.requests_milli),
            merges_milli: 0,
            blocks_milli: part(flow.blocks_milli),
            milliseconds_milli: part(flow.milliseconds_milli) * 6,
        }
    };
    let io = |name: &str| Io {
        wave: wave(seed, pool),
        // Most reads hit the cache; metadata is written in addition.
        reads: share(DataSet::READS, 340),
        writes: share(DataSet::WRITES, written_permille * 11 / 10),
        discards: Flow { requests_milli: 0, merges_milli: 0, blocks_milli: 0, milliseconds_milli: 0 },
        flushes_milli: 400 + seed.of(name).below(9),
    };
    for &place in disks {
        let Some(whole) = stack.devices.get(place).cloned() else { continue };
        let usable = whole.sectors - 2 * RESERVED_SECTORS;
        let data = partition(&whole, 1, FIRST_SECTOR, usable);
        let rest = partition(&whole, 9, FIRST_SECTOR + usable, RESERVED_SECTORS);
        let data = data.with_io(io(&whole.name));
        stack.change(place, |disk| labelled(disk, seed, pool).with_partition_table(seed));
        stack.add_on(place, labelled(data, seed, pool));
        stack.add_on(place, rest);
    }
}

/// udev properties of a pool member.
fn labelled(mut device: BlockDevice, seed: Seed, pool: &str) -> BlockDevice {
    device.properties.extend([
        format!("ID_FS_LABEL={pool}"),
        format!("ID_FS_UUID={}", guid(seed, pool)),
        "ID_FS_VERSION=5000".to_owned(),
        "ID_FS_TYPE=zfs_member".to_owned(),
        "ID_FS_USAGE=filesystem".to_owned(),
    ]);
    device
}

fn guid(seed: Seed, pool: &str) -> u64 {
    seed.of("pool").of(pool).bits()
}

pub(super) fn zfs(seed: Seed, kernel: KernelVersion, cache_bytes: u64) -> Zfs {
    let version = match kernel {
        kernel if kernel >= KernelVersion::new(6, 0) => ZfsVersion::V2_3,
        kernel if kernel >= KernelVersion::new(5, 0) => ZfsVersion::V2_1,
        _ => ZfsVersion::V0_8,
    };
    let pool = |name: &str| {
        let sets = DATA_SETS.iter().filter(|set| set.0 == name);
        let data_sets = sets.map(|&(_, name, number, permille, _)| DataSet { name: name.to_owned(), number, permille });
        Zpool { name: name.to_owned(), guid: guid(seed, name), data_sets: data_sets.collect(), wave: wave(seed, name) }
    };
    Zfs { version, pools: vec![pool(LARGE), pool(FAST)], cache_bytes, wave: Wave::new(&OFFICE, seed, "zfs") }
}

/// Mounts: a data set's size is its content plus the free space of its pool.
pub(super) fn rows(stack: &Stack) -> Vec<MountRow> {
    let usable = |pool: &str| {
        let label = format!("ID_FS_LABEL={pool}");
        let parts = stack.devices.iter().filter(|device| device.device.is_partition());
        let parts: Vec<_> = parts.filter(|device| device.properties.contains(&label)).collect();
        let sectors: u64 = parts.iter().map(|part| part.sectors).sum();
        let data = if pool == FAST {
            sectors / 2
        } else {
            sectors / (parts.len() as u64).max(1) * (parts.len() as u64).saturating_sub(4)
        };
        // A thirty-second of the pool is reserved.
        (data - data / 32) * SECTOR_BYTES / RECORD_BYTES
    };
    let numbered = DATA_SETS.iter().zip(60..);
    let row = |(&(pool, name, _, _, permille), minor): (&(&str, &str, u64, u64, u64), u32)| {
        let whole = usable(pool);
        let part = |permille: u64| whole / 1_000 * permille;
        let others: u64 = DATA_SETS.iter().filter(|set| set.0 == pool && set.1 != name).map(|set| part(set.4)).sum();
        MountRow {
            device: (0, minor),
            point: format!("/{name}"),
            options: "rw,relatime",
            fs_type: "zfs",
            source: name.to_owned(),
            super_options: "rw,xattr,posixacl".to_owned(),
            space: Space {
                block_size: RECORD_BYTES,
                blocks: whole - others,
                reserved: 0,
                files: (whole - others) * 64,
                usage: Usage { base: part(permille), daily: 0, span: 1 },
                blocks_per_file: 3,
            },
        }
    };
    numbered.map(row).collect()
}
