//! Stacks of block devices; a device follows those that it consists of.

use super::disks::{QUIET, VIRTIO, direct};
use super::hardware::{self, Hardware};
use super::identity::{hexadecimal, uuid};
use crate::list::{Id, List};
use crate::machine::{
    Above, Array, BlockDevice, Check, Device, Flow, Io, Level, Member, Queue, Role, Share, Storage, Swap,
};
use crate::seed::Seed;

/// Request costs of a device without a disk.
const VIRTUAL: Queue = Queue { is_rotational: false, scheduler: "none", requests: 128, ..VIRTIO };
/// Data offset of an array member.
const MEMBER_OFFSET_SECTORS: u64 = 264_192;
const CHUNK_SECTORS: u64 = 1_024;
const PAGE_SECTORS: u64 = 8;

/// Members and layout of an array.
#[derive(Clone, Copy, Default, Debug)]
pub(in crate::profile) struct Parts<'a> {
    pub(in crate::profile) members: &'a [Id<BlockDevice>],
    pub(in crate::profile) failed: &'a [Id<BlockDevice>],
    pub(in crate::profile) spares: &'a [Id<BlockDevice>],
}

/// Block devices of a machine under construction.
#[derive(Debug)]
pub(in crate::profile) struct Stack {
    seed: Seed,
    pub(in crate::profile) devices: List<BlockDevice>,
    pub(in crate::profile) storage: Storage,
}

impl Stack {
    pub(in crate::profile) fn new(seed: Seed) -> Self {
        Self { seed, devices: List::new(), storage: Storage::default() }
    }

    /// Adds a device that is on no other.
    pub(in crate::profile) fn add(&mut self, device: BlockDevice) -> Id<BlockDevice> {
        self.devices.push(device)
    }

    /// Adds a device on a single other one.
    pub(in crate::profile) fn add_on(&mut self, below: Id<BlockDevice>, device: BlockDevice) -> Id<BlockDevice> {
        let place = self.add(device);
        self.bear(below, direct(place));
        place
    }

    /// Records that a device is on another.
    pub(in crate::profile) fn bear(&mut self, below: Id<BlockDevice>, above: Above) {
        if let Some(device) = self.devices.get_mut(below) {
            device.above.push(above);
        }
    }

    /// Changes a device.
    pub(in crate::profile) fn change(
        &mut self,
        place: Id<BlockDevice>,
        change: impl FnOnce(BlockDevice) -> BlockDevice,
    ) {
        if let Some(device) = self.devices.get_mut(place) {
            *device = change(device.clone());
        }
    }

    /// Adds an NVMe disk and its controller.
    pub(in crate::profile) fn add_nvme(
        &mut self,
        number: u32,
        disk: BlockDevice,
        hardware: Hardware,
    ) -> Id<BlockDevice> {
        let disk = disk.with_hardware(self.seed, hardware);
        let namespace = self.add(disk.clone());
        self.storage.nvme.push(hardware::controller(self.seed, number, namespace, &disk, hardware));
        namespace
    }

    pub(in crate::profile) fn sectors(&self, place: Id<BlockDevice>) -> u64 {
        self.devices.get(place).map_or(0, |device| device.sectors)
    }

    fn turns(&self, place: Id<BlockDevice>) -> bool {
        self.devices.get(place).is_some_and(|device| device.queue.is_rotational)
    }

    /// Adds an array; its load is spread evenly over the members.
    pub(in crate::profile) fn add_array(
        &mut self,
        number: u32,
        level: Level,
        parts: Parts<'_>,
        host: &str,
        check: Check,
    ) -> Id<BlockDevice> {
        let Parts { members, failed, spares } = parts;
        let name = format!("md{number}");
        let id = hexadecimal(self.seed.of("array").of(&name), 32);
        let least = members.iter().map(|&member| self.sectors(member)).min().unwrap_or_default();
        let member_sectors = least.saturating_sub(MEMBER_OFFSET_SECTORS) / CHUNK_SECTORS * CHUNK_SECTORS;
        let width = (members.len() + failed.len()) as u64;
        let groups = [0, 8, 16, 24].map(|at| id.get(at..at + 8).unwrap_or_default().to_owned());
        let mut device = made(self.seed, &name, (9, number), member_sectors * level.data_members(width));
        device.properties = vec![
            format!("MD_LEVEL={}", level.name()),
            format!("MD_DEVICES={width}"),
            "MD_METADATA=1.2".to_owned(),
            format!("MD_UUID={}", groups.join(":")),
            format!("MD_NAME={host}:{number}"),
        ];
        device.queue.is_rotational = members.iter().any(|&member| self.turns(member));
        let place = self.add(device);
        let shares = (1_000_u64.checked_div(width), level.written_permille(width).checked_div(width));
        let (reads_permille, writes_permille) = (shares.0.unwrap_or(0), shares.1.unwrap_or(0));
        let above = Above { device: place, share: Share { reads_permille, writes_permille, ..Share::ALL } };
        for &member in members {
            self.become_member(member, above, host, number, &dashed(&id));
        }
        for &idle_member in failed.iter().chain(spares) {
            let idle = Above { share: Share { reads_permille: 0, writes_permille: 0, ..above.share }, ..above };
            self.become_member(idle_member, idle, host, number, &dashed(&id));
        }
        let all = |places: &[Id<BlockDevice>], role| {
            places.iter().map(move |&device| Member { device, role }).collect::<Vec<_>>()
        };
        self.storage.arrays.push(Array {
            device: place,
            level,
            members: [all(members, Role::Active), all(failed, Role::Failed), all(spares, Role::Spare)].concat(),
            member_sectors,
            uuid: dashed(&id),
            has_bitmap: level != Level::Raid0 && member_sectors > 200_000_000,
            check,
        });
        place
    }

    fn become_member(&mut self, place: Id<BlockDevice>, above: Above, host: &str, number: u32, id: &str) {
        self.bear(place, above);
        if let Some(device) = self.devices.get_mut(place) {
            device.properties.extend([
                format!("ID_FS_UUID={id}"),
                "ID_FS_VERSION=1.2".to_owned(),
                format!("ID_FS_LABEL={host}:{number}"),
                "ID_FS_TYPE=linux_raid_member".to_owned(),
                "ID_FS_USAGE=raid".to_owned(),
            ]);
        }
    }

    /// Adds a swap device.
    pub(in crate::profile) fn swap_to(&mut self, place: Id<BlockDevice>, priority: i32) {
        if let Some(device) = self.devices.get_mut(place) {
            // The first page is the header.
            let pages = (device.sectors / PAGE_SECTORS).saturating_sub(1);
            device.properties.extend([
                format!("ID_FS_UUID={}", uuid(self.seed.of("swap").of(&device.name))),
                "ID_FS_VERSION=1".to_owned(),
                "ID_FS_TYPE=swap".to_owned(),
                "ID_FS_USAGE=other".to_owned(),
            ]);
            let path = format!("/dev/{}", device.name);
            self.storage.swaps.push(Swap { path, is_partition: true, pages, priority });
        }
    }

    /// Total swap space.
    pub(in crate::profile) fn swap_pages(&self) -> u64 {
        self.storage.swaps.iter().map(|swap| swap.pages).sum()
    }
}

/// Adds the controllers of NVMe disks.
pub(in crate::profile) fn with_controllers(
    seed: Seed,
    devices: Vec<BlockDevice>,
    hardware: Hardware,
) -> (List<BlockDevice>, Storage) {
    let mut stack = Stack::new(seed);
    for device in devices {
        if device.device.is_disk() && device.path.contains("/nvme/") {
            let number = stack.storage.nvme.len();
            stack.add_nvme(u32::try_from(number).unwrap_or_default(), device, hardware);
        } else {
            stack.add(device);
        }
    }
    (stack.devices, stack.storage)
}

/// Swap file on the root file system.
pub(in crate::profile) fn swap_file(pages: u64) -> Vec<Swap> {
    vec![Swap { path: "/swapfile".to_owned(), is_partition: false, pages, priority: -2 }]
}

fn dashed(digits: &str) -> String {
    let part = |first: usize, last: usize| digits.get(first..last).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// Virtual block device.
pub(in crate::profile) fn made(seed: Seed, name: &str, (major, minor): (u32, u32), sectors: u64) -> BlockDevice {
    BlockDevice {
        name: name.to_owned(),
        major,
        minor,
        path: format!("virtual/block/{name}"),
        sectors,
        device: Device::Virtual { sequence: 2 + minor },
        queue: VIRTUAL,
        io: None,
        above: Vec::new(),
        scsi: None,
        properties: Vec::new(),
        initialised_micros: 1_312_331 + seed.of("udev").of(name).below(300_000),
    }
}

/// Loop device.
pub(in crate::profile) fn loop_device(seed: Seed, number: u32, sectors: u64) -> BlockDevice {
    let name = format!("loop{number}");
    let io = Io {
        wave: crate::wave::Wave::new(&crate::wave::OFFICE, seed, &name),
        reads: Flow { requests_milli: 3, merges_milli: 0, blocks_milli: 11, milliseconds_milli: 2 },
        writes: QUIET,
        discards: QUIET,
        flushes_milli: 0,
    };
    made(seed, &name, (7, number), sectors).with_io(io)
}
