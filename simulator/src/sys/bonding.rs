//! /sys/class/net/bonding_masters, and the folders `bonding` and `bonding_slave` of devices

use super::net::each_interface;
use super::relative;
use crate::layout::{Group, What, once};
use crate::machine::{Bonding, Interface, KernelVersion, Kind};
use crate::moment::Moment;
use crate::text::{HardwareAddress, put_line};

pub(super) static GROUPS: [Group; 5] = [
    Group { under: "class/net", each: once, entries: &[("bonding_masters", What::File(masters))] },
    Group {
        under: "devices",
        each: |m, visit| each_interface(m, visit, |_, link| is_bond(link)),
        entries: &[
            ("bonding/active_slave", What::File(active_slave)),
            ("bonding/miimon", What::File(|_, _, into| put_line!(into, "100"))),
            ("bonding/mii_status", What::File(mii_status)),
            ("bonding/mode", What::File(|_, _, into| put_line!(into, "active-backup 1"))),
            ("bonding/slaves", What::File(slaves)),
        ],
    },
    Group {
        under: "devices",
        each: |m, visit| each_interface(m, visit, |m, link| bond_of(m, link).is_some()),
        entries: &[
            ("bonding_slave/link_failure_count", What::File(link_failures)),
            ("bonding_slave/mii_status", What::File(mii_status)),
            ("bonding_slave/perm_hwaddr", What::File(permanent_address)),
            ("bonding_slave/state", What::File(state)),
        ],
    },
    Group { under: "devices", each: each_lower, entries: &[("", What::Link(lower))] },
    Group { under: "devices", each: each_upper, entries: &[("", What::Link(upper))] },
];

/// Before, a bond calls its slaves so.
const LOWER_SINCE: KernelVersion = KernelVersion::new(3, 13);

fn is_bond(interface: &Interface) -> bool {
    matches!(interface.kind, Kind::Bond(_))
}

fn bonding<'a>(moment: &Moment<'a>, index: usize) -> Option<&'a Bonding> {
    match &moment.machine.interfaces.get(index)?.kind {
        Kind::Bond(bonding) => Some(bonding),
        _ => None,
    }
}

fn bond_of<'a>(moment: &Moment<'a>, interface: &Interface) -> Option<&'a Bonding> {
    bonding(moment, interface.master?)
}

fn interface<'a>(moment: &Moment<'a>, index: usize) -> Option<&'a Interface> {
    moment.machine.interfaces.get(index)
}

/// Names with a space between them.
fn names<'a>(links: impl Iterator<Item = &'a Interface>, into: &mut Vec<u8>) {
    let names: Vec<&str> = links.map(|link| link.name.as_str()).collect();
    put_line!(into, "{}", names.join(" "));
}

fn masters(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    names(moment.machine.interfaces.iter().filter(|link| is_bond(link)), into);
}

fn slaves(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let slaves = bonding(moment, index).map_or(&[][..], |bonding| &bonding.slaves);
    names(slaves.iter().filter_map(|&slave| interface(moment, slave)), into);
}

fn active_slave(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let active = bonding(moment, index).and_then(|bonding| interface(moment, bonding.active));
    names(active.into_iter(), into);
}

fn mii_status(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let is_up = interface(moment, index).is_some_and(|link| link.is_up);
    put_line!(into, "{}", if is_up { "up" } else { "down" });
}

fn state(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let bond = interface(moment, index).and_then(|link| bond_of(moment, link));
    let is_active = bond.is_some_and(|bond| bond.active == index);
    put_line!(into, "{}", if is_active { "active" } else { "backup" });
}

fn link_failures(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    put_line!(into, "{}", interface(moment, index).map_or(0, |link| link.carrier_changes / 2));
}

fn permanent_address(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    put_line!(into, "{}", HardwareAddress(interface(moment, index).map_or([0; 6], |link| link.permanent_address)));
}

/// A device and the one that it is a slave or port of; it is known by the number of the lower one.
fn pair<'a>(moment: &Moment<'a>, index: usize) -> Option<(&'a Interface, &'a Interface)> {
    let lower = interface(moment, index)?;
    Some((lower, interface(moment, lower.master?)?))
}

fn each_pair(
    moment: &Moment<'_>,
    visit: &mut dyn FnMut(usize, &[u8]),
    path: impl Fn(&Interface, &Interface) -> Vec<String>,
) {
    for index in 0..moment.machine.interfaces.len() {
        let paths = pair(moment, index).map_or_else(Vec::new, |(lower, upper)| path(lower, upper));
        for path in paths {
            visit(index, path.as_bytes());
        }
    }
}

fn each_lower(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let is_old = moment.kernel() < LOWER_SINCE;
    each_pair(moment, visit, |lower, upper| {
        // Ports of bridges are not among them there.
        let kind = if is_old && is_bond(upper) { "slave" } else { "lower" };
        vec![format!("{}/{kind}_{}", upper.path, lower.name)]
    });
}

fn each_upper(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    each_pair(moment, visit, |lower, upper| {
        vec![format!("{}/master", lower.path), format!("{}/upper_{}", lower.path, upper.name)]
    });
}

fn lower(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some((lower, upper)) = pair(moment, index) {
        relative(&upper.path, &lower.path, into);
    }
}

fn upper(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    if let Some((lower, upper)) = pair(moment, index) {
        relative(&lower.path, &upper.path, into);
    }
}
