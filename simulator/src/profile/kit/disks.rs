//! Disks, partitions and mapped devices.

use super::identity::{hexadecimal, uuid};
use crate::list::Id;
use crate::machine::{Above, BlockDevice, Device, Flow, Io, Queue, Share};
use crate::seed::Seed;
use crate::wave::{Shape, Wave};

const MAPPER_MAJOR: u32 = 253;
pub(in crate::profile) const GIB_SECTORS: u64 = 2 * 1024 * 1024;
/// Start of the first partition: 1 MiB.
pub(in crate::profile) const FIRST_SECTOR: u64 = 2_048;
/// Space that a volume group reserves at its end.
pub(in crate::profile) const EXTENT_SECTORS: u64 = 8_192;

pub(in crate::profile) const QUIET: Flow =
    Flow { requests_milli: 0, merges_milli: 0, blocks_milli: 0, milliseconds_milli: 0 };

/// Request costs of a virtio disk, which reports itself as rotational.
pub(in crate::profile) const VIRTIO: Queue =
    Queue { is_rotational: true, scheduler: "[none] mq-deadline", requests: 256, physical_block_bytes: 4_096 };
pub(in crate::profile) const NVME: Queue =
    Queue { is_rotational: false, scheduler: "[none] mq-deadline", requests: 1_023, physical_block_bytes: 4_096 };
/// Request costs of a rotational disk.
pub(in crate::profile) const TURNING: Queue =
    Queue { is_rotational: true, scheduler: "[mq-deadline] none", requests: 256, physical_block_bytes: 4_096 };
pub(in crate::profile) const SATA_SSD: Queue =
    Queue { is_rotational: false, scheduler: "[mq-deadline] none", requests: 64, physical_block_bytes: 4_096 };
pub(in crate::profile) const SD_CARD: Queue =
    Queue { is_rotational: false, scheduler: "none [mq-deadline]", requests: 128, physical_block_bytes: 512 };

pub(in crate::profile) const DASD: Queue =
    Queue { is_rotational: true, scheduler: "[mq-deadline] none", requests: 256, physical_block_bytes: 4_096 };

/// Passes all requests of a stacked device through unchanged.
pub(in crate::profile) fn direct(device: Id<BlockDevice>) -> Above {
    Above { device, share: Share::ALL }
}

/// Name and device numbers of a SCSI disk by index: sda to sdz, then sdaa.
pub(in crate::profile) fn scsi_disk(place: u32) -> (String, u32, u32) {
    const LETTERS: u32 = 26;
    let letter = |at: u32| char::from_u32('a' as u32 + at % LETTERS).unwrap_or('a');
    let first = (place / LETTERS).checked_sub(1).map(letter);
    let name = ["sd".to_owned(), first.map(String::from).unwrap_or_default(), letter(place).to_string()].concat();
    // 16 disks per major number: 8, then 65 to 71, then 128 to 135.
    let major = match place / 16 {
        0 => 8,
        group @ 1..=7 => 64 + group,
        group => 120 + group,
    };
    (name, major, place % 16 * 16)
}

/// Name and location of a disk.
pub(in crate::profile) struct DiskPlace<'a> {
    pub(in crate::profile) name: &'a str,
    pub(in crate::profile) major: u32,
    pub(in crate::profile) minor: u32,
    /// Directory below /sys/devices.
    pub(in crate::profile) path: String,
    /// udev `ID_PATH`, such as `pci-0000:00:04.0`.
    pub(in crate::profile) id_path: String,
}

/// Whole disk with a partition table, or with the content that `properties` describe.
pub(in crate::profile) fn disk(
    seed: Seed,
    place: DiskPlace<'_>,
    sectors: u64,
    queue: Queue,
    above: Vec<Above>,
) -> BlockDevice {
    let DiskPlace { name, major, minor, path, id_path } = place;
    let tag = id_path.replace([':', '.'], "_");
    BlockDevice {
        name: name.to_owned(),
        major,
        minor,
        path,
        sectors,
        device: Device::Disk { sequence: 9 + minor / 16 },
        queue,
        io: None,
        above,
        scsi: None,
        properties: vec![
            format!("ID_SERIAL=vol{}", hexadecimal(seed.of("serial").of(name), 17)),
            format!("ID_PATH={id_path}"),
            format!("ID_PATH_TAG={tag}"),
        ],
        initialised_micros: 1_612_331 + seed.of("udev").of(name).below(300_000),
    }
}

/// UUID of the file system on a device.
pub(in crate::profile) fn file_system_uuid(seed: Seed, device: &str) -> String {
    uuid(seed.of("file system").of(device))
}

impl BlockDevice {
    /// Adds a partition table.
    pub(in crate::profile) fn with_partition_table(mut self, seed: Seed) -> Self {
        let uuid = uuid(seed.of("gpt").of(&self.name));
        self.properties.extend(["ID_PART_TABLE_TYPE=gpt".to_owned(), format!("ID_PART_TABLE_UUID={uuid}")]);
        self
    }

    /// Adds a file system.
    pub(in crate::profile) fn with_file_system(mut self, seed: Seed, fs_type: &str) -> Self {
        let uuid = file_system_uuid(seed, &self.name);
        let version = if fs_type == "ext4" { "1.0" } else { "" };
        self.properties.push(format!("ID_FS_UUID={uuid}"));
        if !version.is_empty() {
            self.properties.push(format!("ID_FS_VERSION={version}"));
        }
        self.properties.extend([format!("ID_FS_TYPE={fs_type}"), "ID_FS_USAGE=filesystem".to_owned()]);
        self
    }

    /// Makes it a physical volume.
    pub(in crate::profile) fn with_physical_volume(mut self, seed: Seed) -> Self {
        self.properties.extend([
            format!("ID_FS_UUID={}", lvm_uuid(seed.of("physical volume").of(&self.name))),
            "ID_FS_VERSION=LVM2 001".to_owned(),
            "ID_FS_TYPE=LVM2_member".to_owned(),
            "ID_FS_USAGE=raid".to_owned(),
        ]);
        self
    }

    /// Sets its usage.
    pub(in crate::profile) fn with_io(mut self, io: Io) -> Self {
        self.io = Some(io);
        self
    }
}

/// Partition of a disk by number.
pub(in crate::profile) fn partition(disk: &BlockDevice, number: u32, start: u64, sectors: u64) -> BlockDevice {
    // A `p` separates the numbers if the disk's name ends in a digit.
    let separator = if disk.name.ends_with(|last: char| last.is_ascii_digit()) { "p" } else { "" };
    let name = format!("{}{separator}{number}", disk.name);
    BlockDevice {
        minor: disk.minor + number,
        path: format!("{}/{name}", disk.path),
        sectors,
        device: Device::Partition { number, start },
        io: None,
        above: Vec::new(),
        scsi: None,
        properties: disk.properties.iter().filter(|property| property.starts_with("ID_PATH=")).cloned().collect(),
        initialised_micros: disk.initialised_micros + 321_000 + u64::from(number) * 1_733,
        name,
        ..disk.clone()
    }
}

/// Logical volume.
pub(in crate::profile) fn mapped(seed: Seed, number: u32, group: &str, volume: &str, sectors: u64) -> BlockDevice {
    let plain = |name: &str| lvm_uuid(seed.of(name)).replace('-', "");
    let uuid = format!("LVM-{}{}", plain(group), plain(volume));
    let name = format!("{}-{}", group.replace('-', "--"), volume.replace('-', "--"));
    BlockDevice {
        name: format!("dm-{number}"),
        major: MAPPER_MAJOR,
        minor: number,
        path: format!("virtual/block/dm-{number}"),
        sectors,
        queue: VIRTIO,
        io: None,
        above: Vec::new(),
        scsi: None,
        properties: vec![
            format!("DM_NAME={name}"),
            format!("DM_UUID={uuid}"),
            format!("DM_VG_NAME={group}"),
            format!("DM_LV_NAME={volume}"),
        ],
        device: Device::Mapped { name, uuid, sequence: 11 + number },
        initialised_micros: 2_401_885 + seed.of("udev").of(volume).below(300_000),
    }
}

/// LVM UUID: groups of letters and digits.
fn lvm_uuid(seed: Seed) -> String {
    let digits = hexadecimal(seed, 32);
    let widths = [6, 4, 4, 4, 4, 4, 6];
    let mut rest = digits.as_str();
    let groups = widths.map(|width| {
        let (group, after) = rest.split_at(width);
        rest = after;
        group
    });
    groups.join("-")
}

/// Disk load of an operating system, in thousandths of a server's.
pub(in crate::profile) fn system_io(seed: Seed, name: &str, shape: &'static Shape, permille: u64) -> Io {
    let part = |milli: u64| milli * permille / 1_000;
    let flow = |requests, merges, blocks, milliseconds| Flow {
        requests_milli: part(requests),
        merges_milli: part(merges),
        blocks_milli: part(blocks),
        milliseconds_milli: part(milliseconds),
    };
    Io {
        wave: Wave::new(shape, seed, name),
        reads: flow(1_140, 170, 6_900, 930),
        writes: flow(9_870, 6_200, 31_400, 14_600),
        discards: flow(14, 0, 3_100, 6),
        flushes_milli: part(1_320),
    }
}

/// Disk load of a rarely used device.
pub(in crate::profile) fn rare_io(seed: Seed, name: &str, shape: &'static Shape) -> Io {
    Io {
        wave: Wave::new(shape, seed, name),
        reads: Flow { requests_milli: 2, merges_milli: 1, blocks_milli: 9, milliseconds_milli: 3 },
        writes: QUIET,
        discards: QUIET,
        flushes_milli: 0,
    }
}

/// Disk load of batch jobs.
pub(in crate::profile) fn data_io(seed: Seed, name: &str, shape: &'static Shape, permille: u64) -> Io {
    let part = |milli: u64| milli * permille / 1_000;
    let flow = |requests, blocks, milliseconds| Flow {
        requests_milli: part(requests),
        merges_milli: 0,
        blocks_milli: part(blocks),
        milliseconds_milli: part(milliseconds),
    };
    Io {
        wave: Wave::new(shape, seed, name),
        reads: flow(7_300, 88_000, 8_800),
        writes: flow(12_100, 64_000, 19_300),
        discards: QUIET,
        flushes_milli: part(2_450),
    }
}
