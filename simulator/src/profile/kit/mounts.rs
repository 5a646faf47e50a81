//! Mounts of a host with systemd.

use std::collections::BTreeMap;

use super::identity::hexadecimal;
use crate::machine::{BlockDevice, Memory, MountPoint, NfsVersion, Space, Usage};
use crate::seed::Seed;

const SECTOR_BYTES: u64 = 512;
const BLOCK_BYTES: u64 = 4_096;
/// Transfer sizes of NFS mounts.
const REMOTE_BLOCK_BYTES: u64 = 1_048_576;
/// 1, in thousandths.
const FULL: u64 = 1_000;
const SECURE: &str = "rw,nosuid,nodev,noexec,relatime";

/// Fields that differ between mounts.
#[derive(Clone, Debug)]
pub(in crate::profile) struct MountRow {
    pub(in crate::profile) device: (u32, u32),
    pub(in crate::profile) point: String,
    pub(in crate::profile) options: &'static str,
    pub(in crate::profile) fs_type: &'static str,
    pub(in crate::profile) source: String,
    pub(in crate::profile) super_options: String,
    pub(in crate::profile) space: Space,
}

/// Assigns mount IDs in order and finds each mount's parent.
pub(in crate::profile) fn mounts(rows: &[MountRow]) -> Vec<MountPoint> {
    const FIRST: u32 = 24;
    let mut mounts: Vec<MountPoint> = Vec::with_capacity(rows.len());
    // Of several mounts on one point the last is the parent of others.
    let by_point: BTreeMap<&str, u32> = rows.iter().zip(FIRST..).map(|(row, id)| (row.point.as_str(), id)).collect();
    for (row, number) in rows.iter().zip(0_u32..) {
        let mut above = above(&row.point);
        let parent = above.find_map(|point| by_point.get(point)).copied().unwrap_or(1);
        mounts.push(MountPoint {
            id: FIRST + number,
            parent,
            major: row.device.0,
            minor: row.device.1,
            root: "/".to_owned(),
            point: row.point.clone(),
            options: row.options,
            propagation: format!("shared:{} ", number + 1),
            fs_type: row.fs_type,
            source: row.source.clone(),
            super_options: row.super_options.clone(),
            space: row.space,
        });
    }
    mounts
}

/// Parent directories of a path, nearest first.
fn above(point: &str) -> impl Iterator<Item = &str> {
    fn next<'a>(point: &&'a str) -> Option<&'a str> {
        match point.rsplit_once('/')? {
            ("", "") => None,
            ("", _) => Some("/"),
            (above, _) => Some(above),
        }
    }
    std::iter::successors(Some(point), next).skip(1)
}

/// Replaces the unified cgroup hierarchy by one per controller.
pub(in crate::profile) fn separate_hierarchies(memory: &Memory, page_bytes: u64, rows: &mut Vec<MountRow>) {
    const FOLDER: &str = "/sys/fs/cgroup";
    const CONTROLLERS: [&str; 10] = [
        "systemd",
        "hugetlb",
        "net_cls,net_prio",
        "cpu,cpuacct",
        "freezer",
        "devices",
        "blkio",
        "perf_event",
        "cpuset",
        "memory",
    ];
    rows.retain(|row| row.fs_type != "cgroup2");
    let folder = tmpfs(memory, page_bytes, (34, FOLDER), "ro,nosuid,nodev,noexec", None, 0);
    rows.push(MountRow { super_options: "ro,mode=755".to_owned(), ..folder });
    rows.extend((35..).zip(CONTROLLERS.into_iter().chain(["pids"])).map(|(minor, controllers)| {
        let options = if controllers == "systemd" { "xattr,name=systemd" } else { controllers };
        MountRow {
            device: (0, minor),
            point: format!("{FOLDER}/{controllers}"),
            options: SECURE,
            fs_type: "cgroup",
            source: "cgroup".to_owned(),
            super_options: format!("rw,{options}"),
            space: Space::NONE,
        }
    }));
}

/// Mounts of kernel and systemd, with `root` as root file system.
pub(in crate::profile) fn base(memory: &Memory, page_bytes: u64, root: MountRow) -> Vec<MountRow> {
    let kernel = |minor, point: &str, fs_type: &'static str, super_options: &str| MountRow {
        device: (0, minor),
        point: point.to_owned(),
        options: SECURE,
        fs_type,
        source: fs_type.to_owned(),
        super_options: super_options.to_owned(),
        space: Space::NONE,
    };
    let device_pages = memory.pages / 2 - 5_257;
    let devices = format!("rw,size={}k,nr_inodes={device_pages},mode=755,inode64", device_pages * page_bytes / 1_024);
    vec![
        kernel(22, "/sys", "sysfs", "rw"),
        kernel(23, "/proc", "proc", "rw"),
        MountRow {
            options: "rw,nosuid,relatime",
            source: "udev".to_owned(),
            space: memory_space(memory, page_bytes, device_pages, 0),
            ..kernel(5, "/dev", "devtmpfs", &devices)
        },
        MountRow {
            options: "rw,nosuid,noexec,relatime",
            ..kernel(24, "/dev/pts", "devpts", "rw,gid=5,mode=620,ptmxmode=000")
        },
        root,
        tmpfs(memory, page_bytes, (25, "/run"), SECURE, Some(memory.pages / 10), 268),
        tmpfs(memory, page_bytes, (26, "/dev/shm"), "rw,nosuid,nodev", None, 12),
        tmpfs(memory, page_bytes, (27, "/run/lock"), SECURE, Some(5 * 1_024 * 1_024 / page_bytes), 1),
        kernel(28, "/sys/fs/cgroup", "cgroup2", "rw,nsdelegate,memory_recursiveprot"),
    ]
}

/// /tmp as tmpfs, cleaned after ten days.
pub(in crate::profile) fn temporary(memory: &Memory, page_bytes: u64) -> MountRow {
    let row = tmpfs(memory, page_bytes, (33, "/tmp"), "rw,nosuid,nodev", Some(memory.pages / 2), 37);
    let daily = (memory.pages / 8_000).max(1);
    MountRow { space: Space { usage: Usage { base: 37, daily, span: daily * 10 }, ..row.space }, ..row }
}

/// tmpfs with a number of used pages.
pub(in crate::profile) fn tmpfs(
    memory: &Memory,
    page_bytes: u64,
    (minor, point): (u32, &str),
    options: &'static str,
    pages: Option<u64>,
    used: u64,
) -> MountRow {
    let size = pages.map(|pages| format!(",size={}k", pages * page_bytes / 1_024)).unwrap_or_default();
    MountRow {
        device: (0, minor),
        point: point.to_owned(),
        options,
        fs_type: "tmpfs",
        source: "tmpfs".to_owned(),
        super_options: format!("rw{size},inode64"),
        space: memory_space(memory, page_bytes, pages.unwrap_or(memory.pages / 2), used),
    }
}

fn memory_space(memory: &Memory, page_bytes: u64, pages: u64, used: u64) -> Space {
    Space {
        block_size: page_bytes,
        blocks: pages,
        reserved: 0,
        files: memory.pages / 2,
        usage: Usage { base: used, daily: 0, span: 1 },
        blocks_per_file: 1,
    }
}

/// Usage of a file system, in thousandths: constant part, daily growth, and maximum growth before cleanup.
#[derive(Clone, Copy, Debug)]
pub(in crate::profile) struct Fullness {
    pub(in crate::profile) base: u64,
    pub(in crate::profile) daily: u64,
    pub(in crate::profile) span: u64,
}

/// File system on a device.
pub(in crate::profile) fn on(device: &BlockDevice, point: &str, fs_type: &'static str, fullness: Fullness) -> MountRow {
    let blocks = device.sectors * SECTOR_BYTES / BLOCK_BYTES;
    let is_ext4 = fs_type == "ext4";
    // Overhead of the file system.
    let usable = match fs_type {
        "ext4" => blocks - blocks / 61 - 64,
        // These report the size of the whole device.
        "btrfs" | "squashfs" => blocks,
        "bcachefs" => blocks - blocks / 13,
        _ => blocks - blocks / 1_900 - 64,
    };
    let part = |permille: u64| if permille == FULL { usable } else { usable / FULL * permille };
    let (options, super_options) = match fs_type {
        "ext4" => ("rw,relatime", "rw,discard,errors=remount-ro"),
        "xfs" => ("rw,noatime", "rw,attr2,inode64,logbufs=8,logbsize=32k,noquota"),
        "btrfs" => ("rw,relatime", "rw,compress=zstd:1,ssd,discard=async,space_cache=v2,subvolid=5,subvol=/"),
        "squashfs" => ("ro,nodev,relatime", "ro,errors=continue"),
        "vfat" => ("rw,relatime", "rw,fmask=0077,dmask=0077,codepage=437,iocharset=ascii,shortname=mixed"),
        _ => ("rw,relatime", "rw"),
    };
    MountRow {
        device: (device.major, device.minor),
        point: point.to_owned(),
        options,
        fs_type,
        source: device.node(),
        super_options: super_options.to_owned(),
        space: Space {
            block_size: BLOCK_BYTES,
            blocks: usable,
            reserved: if is_ext4 { usable / 20 } else { 0 },
            // FAT has no inodes.
            files: match fs_type {
                "vfat" | "btrfs" | "bcachefs" => 0,
                // A read-only image has a fixed number of inodes.
                "squashfs" => blocks / 17,
                "ext4" => blocks / 4,
                _ => blocks * 2,
            },
            usage: Usage { base: part(fullness.base), daily: part(fullness.daily), span: part(fullness.span).max(1) },
            blocks_per_file: 17,
        },
    }
}

/// NFS mount.
pub(in crate::profile) fn nfs(
    source: &str,
    point: &str,
    (minor, blocks): (u32, u64),
    options: (NfsVersion, &str),
) -> MountRow {
    let (version, addresses) = options;
    let (fs_type, version) = match version {
        NfsVersion::V3 => ("nfs", "vers=3"),
        NfsVersion::V4 => ("nfs4", "vers=4.2"),
    };
    let sizes = "rsize=1048576,wsize=1048576,namlen=255,hard,proto=tcp,timeo=600,retrans=2,sec=sys";
    MountRow {
        device: (0, minor),
        point: point.to_owned(),
        options: "rw,relatime",
        fs_type,
        source: source.to_owned(),
        super_options: format!("rw,{version},{sizes},{addresses}"),
        space: Space {
            block_size: REMOTE_BLOCK_BYTES,
            blocks,
            reserved: 0,
            files: blocks * 16,
            usage: Usage { base: blocks / 100 * 63, daily: blocks / 2_000, span: blocks / 6 },
            blocks_per_file: 1,
        },
    }
}

/// overlayfs of a container, with size and usage of the file system below.
pub(in crate::profile) fn overlay(seed: Seed, minor: u32, name: &str, below: &MountRow) -> MountRow {
    let seed = seed.of(name);
    let layer = |part: &str| format!("/var/lib/docker/overlay2/{}", hexadecimal(seed.of(part), 26));
    MountRow {
        device: (0, minor),
        point: format!("/var/lib/docker/overlay2/{}/merged", hexadecimal(seed.of("merged"), 64)),
        options: "rw,relatime",
        fs_type: "overlay",
        source: "overlay".to_owned(),
        super_options: format!(
            "rw,lowerdir={0}/l:{1}/diff,upperdir={2}/diff,workdir={2}/work",
            layer("l"),
            layer("d"),
            layer("u")
        ),
        space: below.space,
    }
}
