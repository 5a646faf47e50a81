//! Disk failure, removal, return and array rebuild.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Event, EventError, EventKind, Failing, Fall, FallsAt, Rebuild, Scene, State};
use crate::list::Id;
use crate::machine::{Array, BlockDevice, Level, Machine, Role, Swap};
use crate::moment::Moment;
use crate::profile::Setting;

const FAILING: Setting =
    Setting::name("device", "Disk. Default: a member of the last array with redundancy, or else the last disk.");
const SLOW_SECONDS: Setting =
    Setting::number("seconds", 600, 1..=315_360_000, "Seconds of slow operation before it stops.");

pub(super) const FAILS: EventKind = EventKind {
    name: "disk-failing",
    summary: "A disk becomes slow and returns errors until it stops; its array continues degraded.",
    settings: &[FAILING, SLOW_SECONDS],
    falls: &[],
    turns: |event| event.beginning_and_end(&SLOW_SECONDS),
    turn: fail,
};

fn fail(event: &Event, step: usize, state: &mut State, scene: &Scene<'_>) -> Result<(), EventError> {
    let State { machine, past } = state;
    let disk = failing_disk(event, scene.first)?;
    let Some(place) = machine.block_devices.find(|block| block.name == disk) else { return Ok(()) };
    let failing = &mut past.failing;
    if step == 0 {
        if failing.iter().all(|failing| failing.disk != disk) {
            let names = machine.goes_with(place);
            let names = names.iter().filter_map(|&place| machine.block_devices.get(place));
            let parts = names.map(|block| block.name.clone()).collect();
            let from_micros = scene.micros;
            past.failing.push(Failing { disk, parts, from_micros, until_micros: None, back_micros: None });
        }
        return Ok(());
    }
    for failing in failing.iter_mut().filter(|failing| failing.disk == disk && failing.until_micros.is_none()) {
        failing.until_micros = Some(scene.micros);
    }
    let parts = machine.with_what_is_on(place);
    for array in machine.storage.arrays.iter_mut().filter(|array| array.can_lose(&parts)) {
        array.members.iter_mut().filter(|member| parts.contains(&member.device)).for_each(|member| {
            member.role = Role::Failed;
        });
    }
    Ok(())
}

fn failing_disk(event: &Event, first: &Machine) -> Result<String, EventError> {
    let disks = || first.block_devices.with_ids().filter(|(_, block)| block.device.is_disk());
    if let Some(name) = event.name(&FAILING) {
        let known = || disks().map(|(_, block)| block.name.clone()).collect::<Vec<_>>();
        let found = disks().find(|(_, block)| block.name == name);
        return found.map(|(_, block)| block.name.clone()).ok_or_else(|| event.no_such("disk", name, &known()));
    }
    let mut spared = disks().filter(|(place, _)| {
        let parts = first.with_what_is_on(*place);
        first.storage.arrays.iter().any(|array| array.can_lose(&parts))
    });
    let last = spared.next_back().or_else(|| disks().next_back());
    last.map(|(_, block)| block.name.clone()).ok_or_else(|| event.impossible("the host has no disk"))
}

impl Array {
    /// Whether an array works without these active members.
    fn can_lose(&self, devices: &BTreeSet<Id<BlockDevice>>) -> bool {
        let lost = self.members.iter().filter(|m| m.role == Role::Active && devices.contains(&m.device)).count() as u64;
        let (left, width) = (self.active().saturating_sub(lost), self.width());
        let least = match self.level {
            Level::Raid0 => width,
            Level::Raid1 => 1,
            Level::Raid5 | Level::Raid10 => width - 1,
            Level::Raid6 => width - 2,
        };
        lost > 0 && left >= least
    }
}

const ARRAY: Setting = Setting::name("array", "Array. Default: the last one with redundancy.");
const REBUILT_SECONDS: Setting =
    Setting::number("seconds", 7_200, 1..=31_536_000, "Duration of the rebuild in seconds.");

pub(super) const REBUILD: EventKind = EventKind {
    name: "md-rebuild",
    summary: "An array member is rebuilt: a failed one, or else the last.",
    settings: &[ARRAY, REBUILT_SECONDS],
    falls: &[],
    turns: |event| event.beginning_and_end(&REBUILT_SECONDS),
    turn: rebuild,
};

fn rebuild(event: &Event, step: usize, state: &mut State, scene: &Scene<'_>) -> Result<(), EventError> {
    let State { machine, past } = state;
    let Machine { storage, block_devices, .. } = machine;
    let name_of = |device: Id<BlockDevice>| block_devices.get(device).map_or("", |block| block.name.as_str());
    let arrays = || storage.arrays.iter().filter(|array| array.level != Level::Raid0);
    let found = match event.name(&ARRAY) {
        Some(name) => arrays().find(|array| name_of(array.device) == name),
        None => arrays().next_back(),
    };
    let known = || arrays().map(|array| name_of(array.device).to_owned()).collect::<Vec<_>>();
    let device = found.map(|array| array.device);
    let device = device.ok_or_else(|| event.no_such("array", event.name(&ARRAY).unwrap_or_default(), &known()))?;
    let name = name_of(device).to_owned();
    let Some(array) = storage.arrays.iter_mut().find(|array| array.device == device) else { return Ok(()) };
    let is_going_on = array.members.iter().any(|member| member.role == Role::Recovering);
    if step == 1 {
        let ended = past.rebuilds.iter_mut().filter(|rebuild| rebuild.array == name);
        ended.filter(|rebuild| rebuild.until_micros == scene.micros).for_each(|rebuild| rebuild.is_done = true);
        let recovering = array.members.iter_mut().filter(|member| member.role == Role::Recovering);
        recovering.for_each(|member| member.role = Role::Active);
        return Ok(());
    }
    if is_going_on {
        return Err(event.impossible(format!("{name} is being rebuilt already")));
    }
    let place = array.members.iter().position(|member| member.role == Role::Failed);
    let place = place.or_else(|| array.members.iter().rposition(|member| member.role == Role::Active));
    let Some(member) = place.and_then(|place| array.members.get_mut(place)) else { return Ok(()) };
    member.role = Role::Recovering;
    let member = name_of(member.device).to_owned();
    // The replacement continues the counters of the old disk.
    for failing in past.failing.iter_mut().filter(|failing| failing.parts.contains(&member)) {
        failing.until_micros.get_or_insert(scene.micros);
        failing.back_micros.get_or_insert(scene.micros);
    }
    let until_micros = event.end_micros(&REBUILT_SECONDS).unwrap_or(scene.micros);
    past.rebuilds.push(Rebuild { array: name, member, from_micros: scene.micros, until_micros, is_done: false });
    Ok(())
}

const DISK: Setting = Setting::name("device", "Disk. Default: the last one that the system does not need.");
const AWAY_SECONDS: Setting = Setting::number("seconds", 300, 0..=315_360_000, "Seconds of absence; 0 for ever.");

pub(super) const HOTPLUG: EventKind = EventKind {
    name: "disk-hotplug",
    summary: "A disk is removed with its partitions, volumes and mounts, and returns as a new one.",
    settings: &[DISK, AWAY_SECONDS],
    falls: &[
        Fall { counters: "proc/diskstats * *", at: FallsAt::Return },
        Fall { counters: "sys/devices/*/stat * *", at: FallsAt::Return },
    ],
    turns: |event| event.beginning_and_end(&AWAY_SECONDS),
    turn: hotplug,
};

fn hotplug(event: &Event, step: usize, state: &mut State, scene: &Scene<'_>) -> Result<(), EventError> {
    let disks = || scene.first.block_devices.with_ids().filter(|(_, block)| block.device.is_disk());
    let found = match event.name(&DISK) {
        Some(name) => disks().find(|(_, block)| block.name == name),
        None => disks().rfind(|(place, _)| scene.first.needs(*place).is_none()),
    };
    let Some((first_place, disk)) = found else {
        let known: Vec<String> = disks().map(|(_, block)| block.name.clone()).collect();
        return Err(match event.name(&DISK) {
            Some(name) => event.no_such("disk", name, &known),
            None => event.impossible("the host has no disk that can be spared"),
        });
    };
    let place = state.machine.block_devices.find(|block| block.name == disk.name);
    match (step, place) {
        (0, Some(place)) => {
            if let Some(who) = state.machine.needs(place) {
                return Err(event.impossible(format!("{} cannot be spared: {who} needs it", disk.name)));
            }
            state.take_disk(place, scene.micros);
        }
        (1, None) => {
            let State { machine, past } = state;
            let back = scene.first.with_what_is_on(first_place);
            machine.with_blocks_of(scene.first, &back);
            machine.with_pci_of(scene.first, &disk.path);
            let names = back.iter().filter_map(|&place| scene.first.block_devices.get(place));
            let names: Vec<String> = names.map(|block| block.name.clone()).collect();
            past.disks_since.retain(|(name, _)| !names.contains(name));
            past.disks_since.extend(names.into_iter().map(|name| (name, scene.micros)));
        }
        _ => {}
    }
    Ok(())
}

impl State {
    /// Removes a disk and everything on it.
    pub(super) fn take_disk(&mut self, place: Id<BlockDevice>, micros: u64) {
        let Some(disk) = self.machine.block_devices.get(place) else { return };
        let [read, written] = Moment::new(self, Duration::from_micros(micros)).sectors_of_disk(disk);
        let [all_read, all_written] = &mut self.past.gone_sectors;
        *all_read += read;
        *all_written += written;
        let gone = self.machine.with_what_is_on(place);
        let path = self.machine.block_devices.get(place).map(|block| block.path.clone()).unwrap_or_default();
        self.machine.without_mounts_on(&gone);
        self.machine.without_blocks(&gone);
        self.machine.without_pci(&path);
    }
}

impl Machine {
    /// A device and all devices stacked on it.
    pub(crate) fn with_what_is_on(&self, place: Id<BlockDevice>) -> BTreeSet<Id<BlockDevice>> {
        let mut found = BTreeSet::from([place]);
        // A device precedes those stacked on it.
        for (place, block) in self.block_devices.with_ids() {
            if found.contains(&place) {
                found.extend(block.above.iter().map(|above| above.device));
            }
        }
        found
    }

    /// A device and those stacked on it alone.
    fn goes_with(&self, place: Id<BlockDevice>) -> BTreeSet<Id<BlockDevice>> {
        let mut found = BTreeSet::from([place]);
        for above in self.block_devices.ids().filter(|&above| above > place) {
            let below = self.block_devices.with_ids();
            let mut below = below.filter(|(_, block)| block.above.iter().any(|on| on.device == above)).peekable();
            if below.peek().is_some() && below.all(|(below, _)| found.contains(&below)) {
                found.insert(above);
            }
        }
        found
    }

    /// Why a disk cannot be removed.
    fn needs(&self, place: Id<BlockDevice>) -> Option<String> {
        let on_it = self.with_what_is_on(place);
        let parts = || on_it.iter().filter_map(|&place| self.block_devices.get(place));
        // A device on several disks survives the loss of one.
        if let Some(shared) = on_it.difference(&self.goes_with(place)).next() {
            return self.block_devices.get(*shared).map(|block| block.name.clone());
        }
        let is_swap = |swap: &&Swap| parts().any(|block| swap.is_partition && block.node() == swap.path);
        if let Some(swap) = self.storage.swaps.iter().find(is_swap) {
            return Some(swap.path.clone());
        }
        if parts().any(|block| block.properties.iter().any(|property| property == "ID_FS_TYPE=zfs_member")) {
            return Some("a pool".to_owned());
        }
        let storage = &self.storage;
        let is_of = |devices: &[Id<BlockDevice>]| devices.iter().any(|device| on_it.contains(device));
        let arrays = storage.arrays.iter().map(|array| array.device);
        let others = arrays.chain(storage.bcaches.iter().flat_map(|set| [set.cache, set.backing, set.device]));
        let others = others.chain(storage.bcachefs.iter().map(|fs| fs.device));
        let others = others.chain(storage.drbd.iter().map(|drbd| drbd.device));
        let others = others.chain(storage.btrfs.iter().flat_map(|btrfs| btrfs.devices.iter().copied()));
        let others: Vec<Id<BlockDevice>> =
            others.chain(storage.fibre_channel.iter().flat_map(|p| p.disks.iter().copied())).collect();
        if is_of(&others) {
            return Some("a device on it".to_owned());
        }
        let is_on_it = |major, minor| parts().any(|block| (block.major, block.minor) == (major, minor));
        let mounted = self.mounts.iter().filter(|mount| is_on_it(mount.major, mount.minor));
        let within = mounted.filter(|mount| {
            let below = format!("{}/", mount.point.trim_end_matches('/'));
            self.mounts.iter().any(|other| other.point.starts_with(&below) && !is_on_it(other.major, other.minor))
                || mount.point == "/"
        });
        within.map(|mount| mount.point.clone()).next()
    }
}
