//! Removal of parts, with the references to them.

use std::collections::BTreeSet;

use super::{BlockDevice, Interface, Kind, Machine, MountPoint};
use crate::list::Id;

/// The PCI class of bridges.
const BRIDGE: u32 = 6;

impl Machine {
    /// Removes network devices, also from their bonds, with their neighbours.
    /// A VLAN on a removed device has to be removed with it.
    pub(crate) fn without_interfaces(&mut self, gone: &[Id<Interface>]) {
        let moved = self.interfaces.remove(|id| gone.contains(&id));
        for link in &mut self.interfaces {
            link.master = link.master.and_then(|master| moved.of(master));
            match &mut link.kind {
                Kind::Bond(bonding) => {
                    bonding.slaves = bonding.slaves.iter().filter_map(|&slave| moved.of(slave)).collect();
                    let active = moved.of(bonding.active).or(bonding.slaves.first().copied());
                    bonding.active = active.unwrap_or(bonding.active);
                }
                Kind::Vlan { lower, .. } => *lower = moved.of(*lower).unwrap_or(*lower),
                _ => {}
            }
        }
        self.neighbours.retain_mut(|neighbour| {
            let interface = moved.of(neighbour.interface);
            neighbour.interface = interface.unwrap_or(neighbour.interface);
            interface.is_some()
        });
    }

    /// Removes the PCI devices of a folder, except bridges and those that other devices use.
    pub(crate) fn without_pci(&mut self, path: &str) {
        let others = self.interfaces.iter().map(|link| &link.path).chain(self.block_devices.iter().map(|b| &b.path));
        let others: Vec<&String> = others.collect();
        self.pci_devices.retain(|device| {
            let is_of = |path: &str| path.strip_prefix(&device.path).is_some_and(|rest| rest.starts_with('/'));
            !is_of(path) || device.model.class >> 16 == BRIDGE || others.iter().any(|other| is_of(other))
        });
    }

    /// Adds the PCI devices above a folder as they were on another machine.
    pub(crate) fn with_pci_of(&mut self, first: &Self, path: &str) {
        let is_there = |path: &str| self.pci_devices.iter().any(|device| device.path == path);
        let is_of = |other: &str| path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
        let lost = first.pci_devices.iter().filter(|device| is_of(&device.path) && !is_there(&device.path));
        let lost: Vec<_> = lost.cloned().collect();
        self.pci_devices.extend(lost);
        self.pci_devices.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// Removes the mounts of block devices.
    pub(crate) fn without_mounts_on(&mut self, gone: &BTreeSet<Id<BlockDevice>>) {
        let numbers = gone.iter().filter_map(|&id| self.block_devices.get(id));
        let numbers: BTreeSet<(u32, u32)> = numbers.map(|block| (block.major, block.minor)).collect();
        let is_on = |mount: &MountPoint| numbers.contains(&(mount.major, mount.minor));
        let lost: BTreeSet<_> = self.mounts.with_ids().filter(|(_, mount)| is_on(mount)).map(|(id, _)| id).collect();
        let moved = self.mounts.remove(|id| lost.contains(&id));
        let of = |id| moved.of(id).unwrap_or(id);
        self.storage.btrfs.iter_mut().for_each(|btrfs| btrfs.mount = of(btrfs.mount));
        self.storage.nfs_mounts.iter_mut().for_each(|nfs| nfs.mount = of(nfs.mount));
    }

    /// Removes block devices that no remaining part uses.
    pub(crate) fn without_blocks(&mut self, gone: &BTreeSet<Id<BlockDevice>>) {
        let moved = self.block_devices.remove(|id| gone.contains(&id));
        self.storage.nvme.retain(|controller| moved.of(controller.namespace).is_some());
        self.move_blocks(&|id| moved.of(id).unwrap_or(id));
    }

    /// Appends block devices of another machine, and their mounts.
    pub(crate) fn with_blocks_of(&mut self, other: &Self, back: &BTreeSet<Id<BlockDevice>>) {
        let first = self.block_devices.len();
        let id_of = |id| Id::at(first + back.iter().take_while(|&&before| before < id).count());
        let blocks = back.iter().filter_map(|&id| other.block_devices.get(id));
        let returned: Vec<BlockDevice> = blocks
            .cloned()
            .map(|mut block| {
                block.above.iter_mut().for_each(|above| above.device = id_of(above.device));
                block
            })
            .collect();
        let is_mounted = |major, minor| returned.iter().any(|block| (block.major, block.minor) == (major, minor));
        self.mounts.extend(other.mounts.iter().filter(|mount| is_mounted(mount.major, mount.minor)).cloned());
        let controllers = other.storage.nvme.iter().filter(|controller| back.contains(&controller.namespace));
        self.storage.nvme.extend(controllers.cloned().map(|mut controller| {
            controller.namespace = id_of(controller.namespace);
            controller
        }));
        self.block_devices.extend(returned);
    }

    /// Updates all references to block devices.
    fn move_blocks(&mut self, of: &dyn Fn(Id<BlockDevice>) -> Id<BlockDevice>) {
        self.block_devices
            .iter_mut()
            .flat_map(|block| &mut block.above)
            .for_each(|above| above.device = of(above.device));
        let storage = &mut self.storage;
        for array in &mut storage.arrays {
            array.device = of(array.device);
            array.members.iter_mut().for_each(|member| member.device = of(member.device));
        }
        storage.btrfs.iter_mut().flat_map(|btrfs| &mut btrfs.devices).for_each(|device| *device = of(*device));
        for set in &mut storage.bcaches {
            [set.cache, set.backing, set.device] = [set.cache, set.backing, set.device].map(of);
        }
        storage.bcachefs.iter_mut().for_each(|fs| fs.device = of(fs.device));
        storage.nvme.iter_mut().for_each(|controller| controller.namespace = of(controller.namespace));
        storage.fibre_channel.iter_mut().flat_map(|port| &mut port.disks).for_each(|disk| *disk = of(*disk));
        storage.drbd.iter_mut().for_each(|drbd| drbd.device = of(drbd.device));
    }
}
