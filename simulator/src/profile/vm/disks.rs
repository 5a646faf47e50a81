//! vda with the system, vdb with a volume group and a logical volume.

use super::super::kit::disks::{
    EXTENT_SECTORS, FIRST_SECTOR, GIB_SECTORS, Place, VIRTIO, data_io, direct, disk, mapped, partition, rare_io,
    system_io,
};
use crate::machine::{Above, BlockDevice};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE};

const VIRTIO_MAJOR: u32 = 254;

pub(super) fn block_devices(seed: Seed) -> Vec<BlockDevice> {
    let place = |name, number: u32| {
        let slot = format!("0000:00:{:02x}.0", number + 3);
        Place {
            name,
            major: VIRTIO_MAJOR,
            minor: (number - 1) * 16,
            path: format!("pci0000:00/{slot}/virtio{number}/block/{name}"),
            id_path: format!("pci-{slot}"),
        }
    };
    let system = disk(seed, place("vda", 1), 40 * GIB_SECTORS, VIRTIO, vec![direct(1), direct(2)]);
    let boot = partition(&system, 1, FIRST_SECTOR, GIB_SECTORS - FIRST_SECTOR);
    let root = partition(&system, 2, GIB_SECTORS, 39 * GIB_SECTORS - FIRST_SECTOR);
    let data = disk(seed, place("vdb", 2), 100 * GIB_SECTORS, VIRTIO, vec![Above { merged_one_in: 9, ..direct(4) }]);
    let volume = mapped(seed, 0, "data", "srv", 100 * GIB_SECTORS - EXTENT_SECTORS);
    vec![
        system.with_partition_table(seed),
        boot.with_file_system(seed, "ext4").with_io(rare_io(seed, "vda1", &OFFICE)),
        root.with_file_system(seed, "ext4").with_io(system_io(seed, "vda2", &OFFICE, 1_000)),
        data.with_physical_volume(seed),
        volume.with_file_system(seed, "xfs").with_io(data_io(seed, "dm-0", &BATCH, 1_000)),
    ]
}
