//! vda with the system, vdb with a volume group, a logical volume on that.

use super::super::{hexadecimal, uuid};
use crate::machine::{Above, BlockDevice, Device, Flow, Io};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE, Wave};

const VIRTIO_MAJOR: u32 = 254;
const MAPPER_MAJOR: u32 = 253;
const GIB_SECTORS: u64 = 2 * 1024 * 1024;
/// The first partition begins after a mebibyte, the second after a gibibyte.
const BOOT_START: u64 = 2_048;
const BOOT_SECTORS: u64 = GIB_SECTORS - BOOT_START;
const ROOT_SECTORS: u64 = 39 * GIB_SECTORS - 2_048;
/// What the volume group keeps at the end.
const EXTENT_SECTORS: u64 = 8_192;

const QUIET: Flow = Flow { requests_milli: 0, merges_milli: 0, blocks_milli: 0, milliseconds_milli: 0 };

/// A device stands before those that are on it.
pub(super) fn block_devices(seed: Seed) -> Vec<BlockDevice> {
    let direct = |device| Above { device, merged_one_in: 0 };
    let disk = "pci0000:00/0000:00:04.0/virtio1/block/vda";
    vec![
        disk_device(seed, "vda", 0, 40 * GIB_SECTORS, vec![direct(1), direct(2)]),
        partition(seed, ("vda1", 1, disk), BOOT_START, BOOT_SECTORS, boot_io(seed)),
        partition(seed, ("vda2", 2, disk), GIB_SECTORS, ROOT_SECTORS, root_io(seed)),
        disk_device(seed, "vdb", 16, 100 * GIB_SECTORS, vec![Above { device: 4, merged_one_in: 9 }]),
        mapped(seed),
    ]
}

fn disk_device(seed: Seed, name: &'static str, minor: u32, sectors: u64, above: Vec<Above>) -> BlockDevice {
    let number = minor / 16 + 1;
    let pci_device = if minor == 0 { "0000:00:04.0" } else { "0000:00:05.0" };
    let serial = format!("vol{}", hexadecimal(seed.of("serial").of(name), 17));
    let mut properties = vec![
        format!("ID_SERIAL={serial}"),
        format!("ID_PATH=pci-{pci_device}"),
        format!("ID_PATH_TAG=pci-{}", pci_device.replace([':', '.'], "_")),
    ];
    if above.iter().any(|above| above.merged_one_in > 0) {
        properties.extend([
            format!("ID_FS_UUID={}", lvm_uuid(seed.of("physical volume"))),
            "ID_FS_VERSION=LVM2 001".to_owned(),
            "ID_FS_TYPE=LVM2_member".to_owned(),
            "ID_FS_USAGE=raid".to_owned(),
        ]);
    } else {
        properties
            .extend(["ID_PART_TABLE_TYPE=gpt".to_owned(), format!("ID_PART_TABLE_UUID={}", uuid(seed.of("gpt")))]);
    }
    BlockDevice {
        name,
        major: VIRTIO_MAJOR,
        minor,
        path: format!("pci0000:00/{pci_device}/virtio{number}/block/{name}"),
        sectors,
        device: Device::Disk { sequence: 8 + number },
        io: None,
        above,
        properties,
        initialised_micros: 1_612_331 + seed.of("udev").of(name).below(300_000),
    }
}

fn partition(
    seed: Seed,
    (name, number, disk): (&'static str, u32, &str),
    start: u64,
    sectors: u64,
    io: Io,
) -> BlockDevice {
    BlockDevice {
        name,
        major: VIRTIO_MAJOR,
        minor: number,
        path: format!("{disk}/{name}"),
        sectors,
        device: Device::Partition { number, start },
        io: Some(io),
        above: Vec::new(),
        properties: vec![
            "ID_PATH=pci-0000:00:04.0".to_owned(),
            format!("ID_FS_UUID={}", uuid(seed.of("file system").of(name))),
            "ID_FS_VERSION=1.0".to_owned(),
            "ID_FS_TYPE=ext4".to_owned(),
            "ID_FS_USAGE=filesystem".to_owned(),
        ],
        initialised_micros: 1_933_207 + seed.of("udev").of(name).below(300_000),
    }
}

fn mapped(seed: Seed) -> BlockDevice {
    let [group, volume] = ["group", "volume"].map(|name| lvm_uuid(seed.of(name)).replace('-', ""));
    let uuid_of_volume = format!("LVM-{group}{volume}");
    BlockDevice {
        name: "dm-0",
        major: MAPPER_MAJOR,
        minor: 0,
        path: "virtual/block/dm-0".to_owned(),
        sectors: 100 * GIB_SECTORS - EXTENT_SECTORS,
        io: Some(data_io(seed)),
        above: Vec::new(),
        properties: vec![
            "DM_NAME=data-srv".to_owned(),
            format!("DM_UUID={uuid_of_volume}"),
            "DM_VG_NAME=data".to_owned(),
            "DM_LV_NAME=srv".to_owned(),
            format!("ID_FS_UUID={}", uuid(seed.of("file system").of("dm-0"))),
            "ID_FS_TYPE=xfs".to_owned(),
            "ID_FS_USAGE=filesystem".to_owned(),
        ],
        device: Device::Mapped { name: "data-srv".to_owned(), uuid: uuid_of_volume, sequence: 11 },
        initialised_micros: 2_401_885 + seed.of("udev").of("dm-0").below(300_000),
    }
}

/// Six groups of letters and digits.
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

fn boot_io(seed: Seed) -> Io {
    Io {
        wave: Wave::new(&OFFICE, seed, "vda1"),
        reads: Flow { requests_milli: 2, merges_milli: 1, blocks_milli: 9, milliseconds_milli: 3 },
        writes: QUIET,
        discards: QUIET,
        flushes_milli: 0,
    }
}

fn root_io(seed: Seed) -> Io {
    Io {
        wave: Wave::new(&OFFICE, seed, "vda2"),
        reads: Flow { requests_milli: 1_140, merges_milli: 170, blocks_milli: 6_900, milliseconds_milli: 930 },
        writes: Flow { requests_milli: 9_870, merges_milli: 6_200, blocks_milli: 31_400, milliseconds_milli: 14_600 },
        discards: Flow { requests_milli: 14, merges_milli: 0, blocks_milli: 3_100, milliseconds_milli: 6 },
        flushes_milli: 1_320,
    }
}

fn data_io(seed: Seed) -> Io {
    Io {
        wave: Wave::new(&BATCH, seed, "dm-0"),
        reads: Flow { requests_milli: 7_300, merges_milli: 0, blocks_milli: 88_000, milliseconds_milli: 8_800 },
        writes: Flow { requests_milli: 12_100, merges_milli: 0, blocks_milli: 64_000, milliseconds_milli: 19_300 },
        discards: QUIET,
        flushes_milli: 2_450,
    }
}
