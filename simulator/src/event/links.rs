//! Link failure, bond failover and removal of network devices.

use super::{Event, EventError, EventKind, Fall, FallsAt, Scene, State, Stint};
use crate::list::Id;
use crate::machine::{Duplex, Interface, Kind, Machine};
use crate::profile::Setting;

const BOND: Setting = Setting::name("bond", "Bond. Default: the first.");
const DOWN_SECONDS: Setting = Setting::number("seconds", 120, 0..=315_360_000, "Seconds without link; 0 for ever.");

pub(super) const FAILOVER: EventKind = EventKind {
    name: "bond-failover",
    summary: "The active slave of a bond loses its link, and another takes over its traffic.",
    settings: &[BOND, DOWN_SECONDS],
    falls: &[],
    turns: |event| event.beginning_and_end(&DOWN_SECONDS),
    turn: failover,
};

/// Link loss of the active slave. The slave that takes over stays active when the link returns.
fn failover(event: &Event, step: usize, state: &mut State, scene: &Scene<'_>) -> Result<(), EventError> {
    let is_bond = |link: &&Interface| matches!(link.kind, Kind::Bond(_));
    let found = match event.name(&BOND) {
        Some(name) => state.machine.interfaces.iter().filter(is_bond).find(|link| link.name == name),
        None => state.machine.interfaces.iter().find(is_bond),
    };
    let Some(Interface { kind: Kind::Bond(bonding), name, .. }) = found else {
        let known: Vec<String> =
            state.machine.interfaces.iter().filter(is_bond).map(|link| link.name.clone()).collect();
        return Err(event.no_such("bond", event.name(&BOND).unwrap_or_default(), &known));
    };
    let (bond, slaves, active) = (name.clone(), bonding.slaves.clone(), bonding.active);
    if step == 0 {
        hand_over(state, &slaves, active, scene.micros)
            .ok_or_else(|| event.impossible(format!("no other slave of {bond} has a link")))?;
        set_link(state, active, false, scene);
    } else if let Some(&down) =
        slaves.iter().find(|&&slave| state.machine.interfaces.get(slave).is_some_and(|l| !l.is_up))
    {
        set_link(state, down, true, scene);
        // It receives the broadcast traffic of a backup slave from now on.
        let other =
            slaves.iter().filter(|&&slave| slave != down).find_map(|&slave| scene.traffic(&state.machine, slave));
        begin(state, down, other, scene.micros);
    }
    Ok(())
}

/// Makes the first other slave with a link active, and returns it.
fn hand_over(state: &mut State, slaves: &[Id<Interface>], active: Id<Interface>, micros: u64) -> Option<Id<Interface>> {
    let is_fit =
        |slave: Id<Interface>| slave != active && state.machine.interfaces.get(slave).is_some_and(|link| link.is_up);
    let next = slaves.iter().copied().find(|&slave| is_fit(slave))?;
    let carried = state.past.carried_now(state.machine.interfaces.get(active)?);
    begin(state, active, None, micros);
    begin(state, next, carried, micros);
    for link in &mut state.machine.interfaces {
        if let Kind::Bond(bonding) = &mut link.kind
            && bonding.slaves == slaves
        {
            bonding.active = next;
        }
    }
    Some(next)
}

fn set_link(state: &mut State, link: Id<Interface>, is_up: bool, scene: &Scene<'_>) {
    let Some(link) = state.machine.interfaces.get_mut(link) else { return };
    let first = scene.first.interfaces.iter().find(|first| first.name == link.name);
    link.carrier_changes += u32::from(link.is_up != is_up);
    link.is_up = is_up;
    link.speed_megabits = first.and_then(|first| first.speed_megabits).filter(|_| is_up);
    link.duplex = first.map_or(Duplex::Unknown, |first| if is_up { first.duplex } else { Duplex::Unknown });
}

/// Sets the traffic that a device carries from now on.
fn begin(state: &mut State, link: Id<Interface>, traffic: Option<crate::machine::Traffic>, micros: u64) {
    let Some(link) = state.machine.interfaces.get(link) else { return };
    let stints = &mut state.past.stints;
    let own = || stints.iter().filter(|stint| !stint.has_gone && stint.link == link.name);
    let stint = |traffic, from_micros| Stint {
        link: link.name.clone(),
        traffic,
        from_micros,
        until_micros: None,
        has_gone: false,
        master: None,
    };
    if own().next().is_none() {
        stints.push(stint(link.traffic.clone(), 0));
    }
    let open = stints.iter_mut().filter(|stint| !stint.has_gone && stint.link == link.name);
    open.filter(|stint| stint.until_micros.is_none()).for_each(|stint| stint.until_micros = Some(micros));
    stints.push(stint(traffic, micros));
}

impl super::Past {
    /// Traffic that a device carries.
    fn carried_now(&self, link: &Interface) -> Option<crate::machine::Traffic> {
        let mut stints = self.stints.iter().rev().filter(|stint| !stint.has_gone && stint.link == link.name);
        stints.next().map_or_else(|| link.traffic.clone(), |stint| stint.traffic.clone())
    }
}

impl Scene<'_> {
    /// Traffic that a device carried before all events.
    fn traffic(&self, machine: &Machine, link: Id<Interface>) -> Option<crate::machine::Traffic> {
        let name = &machine.interfaces.get(link)?.name;
        self.first.interfaces.iter().find(|first| first.name == *name)?.traffic.clone()
    }
}

const DEVICE: Setting = Setting::name("device", "Physical network device. Default: the last.");
const AWAY_SECONDS: Setting = Setting::number("seconds", 300, 0..=315_360_000, "Seconds of absence; 0 for ever.");

pub(super) const HOTPLUG: EventKind = EventKind {
    name: "nic-hotplug",
    summary: "A network device is removed with its addresses and neighbours, and returns as a new one.",
    settings: &[DEVICE, AWAY_SECONDS],
    falls: &[
        Fall { counters: "proc/*/net/dev * *", at: FallsAt::Return },
        Fall { counters: "sys/devices/*/statistics/* * *", at: FallsAt::Return },
    ],
    turns: |event| event.beginning_and_end(&AWAY_SECONDS),
    turn: hotplug,
};

fn hotplug(event: &Event, step: usize, state: &mut State, scene: &Scene<'_>) -> Result<(), EventError> {
    let is_card = |link: &&Interface| matches!(link.kind, Kind::Physical { .. });
    let cards = || scene.first.interfaces.iter().filter(is_card);
    let card = match event.name(&DEVICE) {
        Some(name) => cards().find(|link| link.name == name),
        None => cards().next_back(),
    };
    let Some(card) = card else {
        let known: Vec<String> = cards().map(|link| link.name.clone()).collect();
        return Err(event.no_such("network device", event.name(&DEVICE).unwrap_or_default(), &known));
    };
    let place = state.machine.interfaces.find(|link| link.name == card.name);
    match (step, place) {
        (0, Some(place)) => unplug(event, state, place, scene),
        (1, None) => {
            plug(state, card, scene);
            Ok(())
        }
        // Another event has removed it already, or still holds it.
        _ => Ok(()),
    }
}

fn unplug(event: &Event, state: &mut State, place: Id<Interface>, scene: &Scene<'_>) -> Result<(), EventError> {
    let Some(link) = state.machine.interfaces.get(place).cloned() else { return Ok(()) };
    if state.machine.adapters.iter().any(|adapter| link.path.starts_with(&adapter.device)) {
        return Err(event.impossible(format!("{} is a port of a fabric, too", link.name)));
    }
    let bonding = link.master.and_then(|master| match &state.machine.interfaces.get(master)?.kind {
        Kind::Bond(bonding) => Some((bonding.slaves.clone(), bonding.active)),
        _ => None,
    });
    if let Some((slaves, active)) = bonding
        && active == place
    {
        hand_over(state, &slaves, active, scene.micros)
            .ok_or_else(|| event.impossible(format!("{} is the only device of its bond", link.name)))?;
    }
    state.take_link(place, scene.micros);
    Ok(())
}

impl State {
    /// Removes a network device and the virtual devices on it.
    pub(super) fn take_link(&mut self, place: Id<Interface>, micros: u64) {
        begin(self, place, None, micros);
        let Some(link) = self.machine.interfaces.get(place).cloned() else { return };
        let master =
            link.master.and_then(|master| self.machine.interfaces.get(master)).map(|master| master.name.clone());
        for stint in self.past.stints.iter_mut().filter(|stint| stint.link == link.name && !stint.has_gone) {
            (stint.has_gone, stint.master) = (true, master.clone());
        }
        let is_on_it = |other: &Interface| matches!(other.kind, Kind::Vlan { lower, .. } if lower == place);
        let links = self.machine.interfaces.with_ids();
        let gone: Vec<Id<Interface>> =
            links.filter(|(at, link)| *at == place || is_on_it(link)).map(|(at, _)| at).collect();
        self.machine.without_interfaces(&gone);
        self.machine.without_pci(&link.path);
    }

    /// Gives a new network device traffic of its own.
    pub(super) fn begin_anew(&mut self, place: Id<Interface>, micros: u64) {
        let Some(link) = self.machine.interfaces.get(place).cloned() else { return };
        begin(self, place, None, micros);
        begin(self, place, link.traffic, micros);
        // Earlier traffic under this name belonged to another device.
        let is_of_it = |stint: &Stint| stint.link == link.name && !stint.has_gone;
        self.past.stints.retain(|stint| !is_of_it(stint) || stint.from_micros >= micros);
    }
}

/// Assigns the next interface index and resets the counters.
fn plug(state: &mut State, card: &Interface, scene: &Scene<'_>) {
    let place_of = |machine: &Machine, first: Id<Interface>| {
        let name = &scene.first.interfaces.get(first)?.name;
        machine.interfaces.find(|link| link.name == *name)
    };
    let first_place = scene.first.interfaces.find(|link| link.name == card.name);
    let on_it = scene
        .first
        .interfaces
        .iter()
        .filter(|link| matches!(link.kind, Kind::Vlan { lower, .. } if Some(lower) == first_place));
    let place = state.machine.interfaces.next_id();
    for link in std::iter::once(card).chain(on_it) {
        let index = state.machine.interfaces.iter().map(|link| link.index).max().unwrap_or_default() + 1;
        let master = link.master.and_then(|master| place_of(&state.machine, master));
        let mut plugged = Interface { index, master, ..link.clone() };
        if let Kind::Vlan { lower, .. } = &mut plugged.kind {
            *lower = place;
            plugged.peer_index = state.machine.interfaces.get(place).map(|lower| lower.index);
        }
        state.machine.interfaces.push(plugged);
    }
    // In a bond it receives the broadcast traffic of a backup slave.
    let backup = card.master.and_then(|master| match &scene.first.interfaces.get(master)?.kind {
        Kind::Bond(bonding) => bonding.slaves.iter().find(|&&slave| slave != bonding.active),
        _ => None,
    });
    let backup = backup.and_then(|&slave| scene.first.interfaces.get(slave)?.traffic.clone());
    state.begin_anew(place, scene.micros);
    if backup.is_some() {
        begin(state, place, backup, scene.micros);
    }
    let master = state.machine.interfaces.get(place).and_then(|link| link.master);
    if let Some(Interface { kind: Kind::Bond(bonding), .. }) =
        master.and_then(|master| state.machine.interfaces.get_mut(master))
    {
        bonding.slaves.push(place);
    }
    let neighbours = scene.first.neighbours.iter().filter(|neighbour| Some(neighbour.interface) == first_place);
    state
        .machine
        .neighbours
        .extend(neighbours.map(|neighbour| crate::machine::Neighbour { interface: place, ..*neighbour }));
    state.machine.with_pci_of(scene.first, &card.path);
}
