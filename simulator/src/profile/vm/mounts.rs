//! What a systemd host with one container has mounted.

use super::super::hexadecimal;
use crate::machine::{BlockDevice, MountPoint, Space, Usage};
use crate::seed::Seed;

const GIB_BLOCKS: u64 = 262_144;
const MIB_BLOCKS: u64 = 256;

/// What differs from mount to mount.
struct Row<'a> {
    device: (u32, u32),
    parent: u32,
    point: &'a str,
    options: &'static str,
    fs_type: &'static str,
    source: &'a str,
    super_options: &'a str,
    space: Space,
}

pub(super) fn mounts(seed: Seed, block_devices: &[BlockDevice]) -> Vec<MountPoint> {
    let device = |name: &str| {
        let found = block_devices.iter().find(|block| block.name == name);
        found.map_or((0, 0), |block| (block.major, block.minor))
    };
    let merged = format!("/var/lib/docker/overlay2/{}/merged", hexadecimal(seed.of("overlay"), 64));
    let layers = |name: &str| format!("/var/lib/docker/overlay2/{}", hexadecimal(seed.of(name), 26));
    let overlay =
        format!("rw,lowerdir={0}/l:{1}/diff,upperdir={2}/diff,workdir={2}/work", layers("l"), layers("d"), layers("u"));
    let secure = "rw,nosuid,nodev,noexec,relatime";
    let kernel = |minor, parent, point, fs_type, super_options| Row {
        device: (0, minor),
        parent,
        point,
        options: secure,
        fs_type,
        source: fs_type,
        super_options,
        space: Space::NONE,
    };
    let tmpfs = |minor, point, options, super_options, space| Row {
        device: (0, minor),
        parent: 28,
        point,
        options,
        fs_type: "tmpfs",
        source: "tmpfs",
        super_options,
        space,
    };
    let rows = [
        kernel(22, 28, "/sys", "sysfs", "rw"),
        kernel(23, 28, "/proc", "proc", "rw"),
        Row {
            options: "rw,nosuid,relatime",
            source: "udev",
            space: memory_space(1_013_281, 0),
            ..kernel(5, 28, "/dev", "devtmpfs", "rw,size=4053124k,nr_inodes=1013281,mode=755,inode64")
        },
        Row {
            options: "rw,nosuid,noexec,relatime",
            ..kernel(24, 26, "/dev/pts", "devpts", "rw,gid=5,mode=620,ptmxmode=000")
        },
        Row {
            device: device("vda2"),
            parent: 1,
            point: "/",
            options: "rw,relatime",
            fs_type: "ext4",
            source: "/dev/vda2",
            super_options: "rw,discard,errors=remount-ro",
            space: ROOT,
        },
        tmpfs(25, "/run", "rw,nosuid,nodev,noexec,relatime", "rw,size=814832k,mode=755,inode64", RUN),
        Row {
            parent: 26,
            ..tmpfs(26, "/dev/shm", "rw,nosuid,nodev", "rw,inode64", memory_space(MEMORY_BLOCKS / 2, 12))
        },
        Row {
            parent: 29,
            ..tmpfs(27, "/run/lock", "rw,nosuid,nodev,noexec,relatime", "rw,size=5120k,inode64", memory_space(1_280, 1))
        },
        kernel(28, 24, "/sys/fs/cgroup", "cgroup2", "rw,nsdelegate,memory_recursiveprot"),
        Row {
            device: device("vda1"),
            point: "/boot",
            source: "/dev/vda1",
            super_options: "rw",
            options: "rw,relatime",
            parent: 28,
            fs_type: "ext4",
            space: BOOT,
        },
        Row {
            device: device("dm-0"),
            point: "/srv",
            source: "/dev/mapper/data-srv",
            super_options: "rw,attr2,inode64,logbufs=8,logbsize=32k,noquota",
            options: "rw,noatime",
            parent: 28,
            fs_type: "xfs",
            space: DATA,
        },
        tmpfs(33, "/tmp", "rw,nosuid,nodev", "rw,size=4074156k,nr_inodes=1048576,inode64", TEMPORARY),
        Row {
            device: (0, 47),
            parent: 28,
            point: &merged,
            options: "rw,relatime",
            fs_type: "overlay",
            source: "overlay",
            super_options: &overlay,
            // It is as large and as full as what it stands on.
            space: ROOT,
        },
    ];
    rows.iter().zip(0_u32..).map(|(row, number)| mount(row, 24 + number, number + 1)).collect()
}

fn mount(row: &Row<'_>, id: u32, peer_group: u32) -> MountPoint {
    MountPoint {
        id,
        parent: row.parent,
        major: row.device.0,
        minor: row.device.1,
        root: "/".to_owned(),
        point: row.point.to_owned(),
        options: row.options,
        propagation: format!("shared:{peer_group} "),
        fs_type: row.fs_type,
        source: row.source.to_owned(),
        super_options: row.super_options.to_owned(),
        space: row.space,
    }
}

/// Half of it is the most that a tmpfs takes by itself.
const MEMORY_BLOCKS: u64 = 2_037_077;

const fn memory_space(blocks: u64, used: u64) -> Space {
    Space {
        block_size: 4096,
        blocks,
        reserved: 0,
        files: MEMORY_BLOCKS / 2,
        usage: Usage { base: used, daily: 0, span: 1 },
        blocks_per_file: 1,
    }
}

const RUN: Space = memory_space(203_708, 268);

/// It is cleared away after ten days.
const TEMPORARY: Space = Space { usage: Usage { base: 37, daily: 240, span: 2_400 }, ..memory_space(1_018_539, 0) };

/// Some of the partition is taken by the file system itself.
const ROOT: Space = Space {
    block_size: 4096,
    blocks: 39 * GIB_BLOCKS - 163_072,
    reserved: 508_000,
    files: 2_555_904,
    usage: Usage { base: 9 * GIB_BLOCKS, daily: 310 * MIB_BLOCKS, span: 6 * GIB_BLOCKS },
    blocks_per_file: 17,
};

const BOOT: Space = Space {
    block_size: 4096,
    blocks: GIB_BLOCKS - 8_448,
    reserved: 16_384,
    files: 65_408,
    usage: Usage { base: 88 * MIB_BLOCKS, daily: 0, span: 1 },
    blocks_per_file: 66,
};

const DATA: Space = Space {
    block_size: 4096,
    blocks: 100 * GIB_BLOCKS - 13_824,
    reserved: 0,
    files: 52_426_752,
    usage: Usage { base: 21 * GIB_BLOCKS, daily: 2 * GIB_BLOCKS + 77_000, span: 63 * GIB_BLOCKS },
    blocks_per_file: 240,
};
