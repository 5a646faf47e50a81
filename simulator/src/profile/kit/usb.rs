//! USB devices.

use super::disks::SATA_SSD;
use super::disks::{DiskPlace, FIRST_SECTOR, GIB_SECTORS, direct, disk, partition, rare_io, scsi_disk};
use super::hardware::PORTABLE_SSD;
use super::links::{link_local, physical, traffic};
use super::mounts::{self, Fullness, MountRow};
use super::pci;
use crate::list::Id;
use crate::machine::{Interface, Machine, MountPoint};
use crate::seed::Seed;
use crate::text::HardwareAddress;
use crate::wave::OFFICE;

/// USB controller of hosts with a PCI bus.
const CONTROLLER: &str = "0000:00:14.0";
const MEGABITS: u32 = 1_000;

/// Directory below /sys/devices by port number.
fn port(number: usize) -> String {
    format!("pci0000:00/{CONTROLLER}/usb2/2-{number}/2-{number}:1.0")
}

impl Machine {
    /// Adds a disk with a mounted partition, and returns its name.
    pub(crate) fn with_usb_disk(&mut self, seed: Seed, gibibytes: u64) -> String {
        let is_free = |name: &str| self.block_devices.iter().all(|block| block.name != name);
        let most = u32::try_from(self.block_devices.len()).unwrap_or(u32::MAX);
        let place = (0..=most).find(|&place| is_free(&scsi_disk(place).0)).unwrap_or_default();
        let (name, major, minor) = scsi_disk(place);
        let (number, host) = (4 + place, 20 + place);
        let place = DiskPlace {
            name: &name,
            major,
            minor,
            path: format!("{}/host{host}/target{host}:0:0/{host}:0:0:0/block/{name}", port(number as usize)),
            id_path: format!("pci-{CONTROLLER}-usb-0:{number}:1.0-scsi-0:0:0:0"),
        };
        let sectors = gibibytes * GIB_SECTORS;
        let mut whole = disk(seed, place, sectors, SATA_SSD, Vec::new()).with_hardware(seed, PORTABLE_SSD);
        let part = partition(&whole, 1, FIRST_SECTOR, sectors - 2 * FIRST_SECTOR);
        let part = part.with_file_system(seed, "vfat").with_io(rare_io(seed, &name, &OFFICE));
        let row = mounts::on(&part, &format!("/media/{name}"), "vfat", Fullness { base: 420, daily: 0, span: 0 });
        let mount = self.mounted(row);
        self.mounts.push(mount);
        whole = whole.with_partition_table(seed);
        let whole = self.block_devices.push(whole);
        let part = self.block_devices.push(part);
        if let Some(whole) = self.block_devices.get_mut(whole) {
            whole.above.push(direct(part));
        }
        pci::add_missing(self);
        name
    }

    /// Adds a network device.
    pub(crate) fn with_usb_network(&mut self, seed: Seed) -> Id<Interface> {
        let address = super::identity::hardware_address(seed);
        let digits = HardwareAddress(address).to_string().replace(':', "");
        let name = format!("enx{digits}");
        let index = self.interfaces.iter().map(|link| link.index).max().unwrap_or_default() + 1;
        let id = self.interfaces.push(Interface {
            hardware_address: address,
            permanent_address: address,
            addresses: vec![link_local(address)],
            traffic: Some(traffic(seed, &name, &OFFICE, 40)),
            carrier_changes: 1,
            ..physical(seed, &name, index, &port(self.interfaces.len() + 20), MEGABITS)
        });
        pci::add_missing(self);
        id
    }

    /// Appends a mount.
    fn mounted(&self, row: MountRow) -> MountPoint {
        let root = self.mounts.iter().find(|mount| mount.point == "/").map_or(1, |root| root.id);
        let [mount] = &mut mounts::mounts(&[row])[..] else { unreachable!("a row is a mount") };
        let last = self.mounts.iter().map(|mount| mount.id).max().unwrap_or_default();
        MountPoint { id: last + 1, parent: root, propagation: format!("shared:{} ", last + 1), ..mount.clone() }
    }
}
