//! Temporary USB devices.

use super::{Event, EventError, EventKind, Scene, State};
use crate::machine::Machine;
use crate::profile::Setting;

const SECONDS: Setting = Setting::number("seconds", 600, 0..=315_360_000, "Seconds of presence; 0 for ever.");
const GIBIBYTES: Setting = Setting::number("gibibytes", 64, 1..=16_384, "Size in GiB.");

pub(super) const DISK: EventKind = EventKind {
    name: "usb-disk",
    summary: "A USB disk is attached and mounted, then removed.",
    settings: &[SECONDS, GIBIBYTES],
    falls: &[],
    turns: |event| event.beginning_and_end(&SECONDS),
    turn: disk,
};

fn disk(event: &Event, step: usize, state: &mut State, scene: &Scene<'_>) -> Result<(), EventError> {
    if step == 0 {
        has_ports(event, &state.machine)?;
        let seed = state.machine.seed.of("usb disk").at(scene.micros);
        let name = state.machine.with_usb_disk(seed, event.number(&GIBIBYTES));
        let is_of = |block: &&crate::machine::BlockDevice| block.name.starts_with(&name) && block.path.contains("/usb");
        let names = state.machine.block_devices.iter().filter(is_of).map(|block| (block.name.clone(), scene.micros));
        state.past.disks_since.extend(names);
        state.past.plugged.push((event.at_micros, name));
        return Ok(());
    }
    let Some(name) = state.past.unplugged(event) else { return Ok(()) };
    if let Some(place) = state.machine.block_devices.find(|block| block.name == name) {
        state.take_disk(place, scene.micros);
    }
    Ok(())
}

pub(super) const NETWORK: EventKind = EventKind {
    name: "usb-nic",
    summary: "A USB network device is attached, then removed.",
    settings: &[SECONDS],
    falls: &[],
    turns: |event| event.beginning_and_end(&SECONDS),
    turn: network,
};

fn network(event: &Event, step: usize, state: &mut State, scene: &Scene<'_>) -> Result<(), EventError> {
    if step == 0 {
        has_ports(event, &state.machine)?;
        let place = state.machine.with_usb_network(state.machine.seed.of("usb network").at(scene.micros));
        state.begin_anew(place, scene.micros);
        let name = state.machine.interfaces.get(place).map(|link| link.name.clone()).unwrap_or_default();
        state.past.plugged.push((event.at_micros, name));
        return Ok(());
    }
    let Some(name) = state.past.unplugged(event) else { return Ok(()) };
    if let Some(place) = state.machine.interfaces.find(|link| link.name == name) {
        state.take_link(place, scene.micros);
    }
    Ok(())
}

fn has_ports(event: &Event, machine: &Machine) -> Result<(), EventError> {
    if machine.pci_devices.is_empty() {
        return Err(event.impossible("the host has no PCI bus that a controller of USB could be on"));
    }
    Ok(())
}

impl super::Past {
    /// Name of a device that an event had plugged in and that was removed.
    fn unplugged(&mut self, event: &Event) -> Option<String> {
        let place = self.plugged.iter().position(|(micros, _)| *micros == event.at_micros)?;
        Some(self.plugged.remove(place).1)
    }
}
