//! Two Fibre Channel ports: a SAN unit with four paths, and four tape drives.

use super::super::kit::disks::{DiskPlace, GIB_SECTORS, QUIET, SATA_SSD, data_io, disk, mapped, scsi_disk};
use super::super::kit::hardware::SAN_UNIT;
use super::super::kit::identity::hexadecimal;
use super::super::kit::stack::Stack;
use crate::list::Id;
use crate::machine::{Above, BlockDevice, Device, FibreChannel, Flow, ScsiDevice, Share, Tape};
use crate::seed::Seed;
use crate::wave::{BATCH, OFFICE, Wave};

const ADAPTER: &str = "pci0000:5d/0000:5d:00.0";
const HOSTS: [u32; 2] = [15, 16];
const UNIT_SECTORS: u64 = 2_048 * GIB_SECTORS;
const TAPES: u32 = 4;

fn adapter(port: usize) -> String {
    format!("{ADAPTER}/0000:5e:00.{port}")
}

/// Adds ports, unit and drives. Its disks are named after the existing ones.
pub(super) fn add(stack: &mut Stack, seed: Seed, disks_before: u32) {
    let mut ways = Vec::new();
    for (number, (port, target)) in (0..).zip([(0, 0), (0, 1), (1, 0), (1, 1)]) {
        ways.push((port, add_way(stack, seed, disks_before + number, (port, target))));
    }
    add_multipath(stack, seed, &ways.iter().map(|(_, place)| *place).collect::<Vec<_>>());
    stack.storage.tapes = (0..TAPES).map(|number| tape(seed, number)).collect();
    let word = |name: &str, port: usize| seed.of(name).at(port as u64).bits();
    stack.storage.fibre_channel = (0..)
        .zip(HOSTS)
        .map(|(port, host)| FibreChannel {
            host,
            path: adapter(port),
            node_name: 0x2000_0024_ff00_0000 | word("node", port) & 0x00ff_ffff,
            port_name: 0x2100_0024_ff00_0000 | word("node", port) & 0x00ff_ffff,
            fabric_name: 0x1000_c4f5_7c00_0000 | word("fabric", port) & 0x00ff_ffff,
            port_id: 0x0001_0000 * (u32::try_from(port).unwrap_or_default() + 1) + 0x0400,
            model: "QLE2692",
            disks: ways.iter().filter(|(of, _)| *of == port).map(|(_, place)| *place).collect(),
            // Two tape drives per port.
            tapes: stack.storage.tapes.ids().filter(|tape| tape.position() % HOSTS.len() == port).collect(),
        })
        .collect();
}

fn add_way(stack: &mut Stack, seed: Seed, number: u32, (port, target): (usize, u32)) -> Id<BlockDevice> {
    let (name, major, minor) = scsi_disk(number);
    let host = HOSTS.get(port).copied().unwrap_or_default();
    let remote = format!("rport-{host}:0-{}/target{host}:0:{target}/{host}:0:{target}:0", target + 2);
    let place = DiskPlace {
        name: &name,
        major,
        minor,
        path: format!("{}/host{host}/{remote}/block/{name}", adapter(port)),
        id_path: format!("pci-0000:5e:00.{port}-fc-0x203100a098{port}{target}a7c2-lun-0"),
    };
    let mut way = disk(seed, place, UNIT_SECTORS, SATA_SSD, Vec::new()).with_hardware(seed, SAN_UNIT);
    // Every path leads to the same unit.
    let id = identity(seed);
    way.properties.retain(|line| !["ID_SERIAL", "ID_WWN", "SCSI_IDENT"].iter().any(|key| line.starts_with(key)));
    way.properties.extend([
        format!("ID_SERIAL=3{id}"),
        format!("ID_SERIAL_SHORT={id}"),
        format!("ID_WWN=0x{}", id.get(..16).unwrap_or_default()),
        "ID_FS_TYPE=mpath_member".to_owned(),
    ]);
    if let Some(scsi) = &mut way.scsi {
        scsi.wwid = format!("naa.{id}");
    }
    stack.add(way)
}

fn identity(seed: Seed) -> String {
    format!("600a0980{}", hexadecimal(seed.of("unit"), 24))
}

fn add_multipath(stack: &mut Stack, seed: Seed, ways: &[Id<BlockDevice>]) {
    let id = identity(seed);
    let mut device = mapped(seed, 0, "mpatha", "mpatha", UNIT_SECTORS);
    device.properties = vec!["DM_NAME=mpatha".to_owned(), format!("DM_UUID=mpath-3{id}"), format!("DM_SERIAL=3{id}")];
    device.device = Device::Mapped { name: "mpatha".to_owned(), uuid: format!("mpath-3{id}"), sequence: 90 };
    let place = stack.add(device.with_file_system(seed, "xfs").with_io(data_io(seed, "mpatha", &OFFICE, 900)));
    let share = 1_000 / (ways.len() as u64).max(1);
    for &way in ways {
        stack.bear(
            way,
            Above { device: place, share: Share { reads_permille: share, writes_permille: share, ..Share::ALL } },
        );
    }
}

fn tape(seed: Seed, number: u32) -> Tape {
    let port = number as usize % HOSTS.len();
    let host = HOSTS.get(port).copied().unwrap_or_default();
    let target = 2 + number / 2;
    // 256 KiB blocks at 300 MB/s for part of the night.
    let writes = 210_000 / u64::from(number + 1);
    Tape {
        number,
        scsi: ScsiDevice {
            path: format!(
                "{}/host{host}/rport-{host}:0-{}/target{host}:0:{target}/{host}:0:{target}:0",
                adapter(port),
                target + 2
            ),
            vendor: "IBM",
            model: "ULTRIUM-TD8",
            revision: "P371",
            kind: 1,
            wwid: format!("naa.5005076{}", hexadecimal(seed.of("tape").at(number.into()), 9)),
            queue_depth: 254,
        },
        wave: Wave::new(&BATCH, seed, &format!("st{number}")),
        reads: Flow { requests_milli: 900, blocks_milli: 57_600, milliseconds_milli: 740, ..QUIET },
        writes: Flow {
            requests_milli: writes,
            blocks_milli: writes * 64,
            milliseconds_milli: writes * 9 / 10,
            ..QUIET
        },
        others_milli: 14,
    }
}
