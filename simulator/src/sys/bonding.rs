//! /sys/class/net/bonding_masters, and the folders `bonding` and `bonding_slave` of devices

use super::relative;
use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Bonding, Interface, KernelVersion, Kind, Machine};
use crate::moment::Moment;
use crate::text::{HardwareAddress, put_line};

pub(super) const GROUPS: Table = &[
    &Group::of_host("class/net", &[("bonding_masters", Content::File(masters))]),
    &Group::<Bond<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.interfaces.iter().filter_map(Bond::of)),
        path: |bond, _| bond.link.path.as_str().into(),
        entries: &[
            ("bonding/active_slave", Content::File(active_slave)),
            ("bonding/miimon", Content::File(|_, _, into| put_line!(into, "100"))),
            ("bonding/mii_status", Content::File(|bond, _, into| mii_status(bond.link, into))),
            ("bonding/mode", Content::File(|_, _, into| put_line!(into, "active-backup 1"))),
            ("bonding/slaves", Content::File(slaves)),
        ],
    },
    &Group::<Slave<'static>> {
        under: "devices",
        parts: |machine| Box::new(Slave::each(machine)),
        path: |slave, _| slave.link.path.as_str().into(),
        entries: &[
            (
                "bonding_slave/link_failure_count",
                Content::File(|slave, _, into| put_line!(into, "{}", slave.link.carrier_changes / 2)),
            ),
            ("bonding_slave/mii_status", Content::File(|slave, _, into| mii_status(slave.link, into))),
            (
                "bonding_slave/perm_hwaddr",
                Content::File(|slave, _, into| put_line!(into, "{}", HardwareAddress(slave.link.permanent_address))),
            ),
            (
                "bonding_slave/state",
                Content::File(|slave, _, into| {
                    put_line!(into, "{}", if slave.is_active { "active" } else { "backup" });
                }),
            ),
        ],
    },
    &Group::<Stacked<'static>> {
        under: "devices",
        parts: |machine| Box::new(Stacked::each(machine)),
        path: |pair, machine| lower_path(pair, machine).into(),
        entries: &[("", Content::Link(lower))],
    },
    &Group::<Stacked<'static>> {
        under: "devices",
        parts: |machine| Box::new(Stacked::each(machine)),
        path: |Stacked { lower, .. }, _| format!("{}/master", lower.path).into(),
        entries: &[("", Content::Link(upper))],
    },
    &Group::<Stacked<'static>> {
        under: "devices",
        parts: |machine| Box::new(Stacked::each(machine)),
        path: |Stacked { lower, upper }, _| format!("{}/upper_{}", lower.path, upper.name).into(),
        entries: &[("", Content::Link(upper))],
    },
];

/// Older kernels name the link from a bond to its slave `slave_NAME`.
const LOWER_SINCE: KernelVersion = KernelVersion::new(3, 13);

/// A bond as a network device.
#[derive(Clone, Copy)]
struct Bond<'a> {
    link: &'a Interface,
    bonding: &'a Bonding,
}

impl Part for Bond<'static> {
    type Of<'a> = Bond<'a>;
}

impl<'a> Bond<'a> {
    fn of(link: &'a Interface) -> Option<Self> {
        match &link.kind {
            Kind::Bond(bonding) => Some(Self { link, bonding }),
            _ => None,
        }
    }
}

/// A slave of a bond.
#[derive(Clone, Copy)]
struct Slave<'a> {
    link: &'a Interface,
    is_active: bool,
}

impl Part for Slave<'static> {
    type Of<'a> = Slave<'a>;
}

impl<'a> Slave<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine.interfaces.iter().filter_map(|link| {
            let Bond { bonding, .. } = Bond::of(machine.interfaces.get(link.master?)?)?;
            let active = machine.interfaces.get(bonding.active);
            Some(Self { link, is_active: active.is_some_and(|active| active.index == link.index) })
        })
    }
}

/// A network device and its master: a bond or a bridge.
#[derive(Clone, Copy)]
struct Stacked<'a> {
    lower: &'a Interface,
    upper: &'a Interface,
}

impl Part for Stacked<'static> {
    type Of<'a> = Stacked<'a>;
}

impl<'a> Stacked<'a> {
    fn each(machine: &'a Machine) -> impl Iterator<Item = Self> {
        machine
            .interfaces
            .iter()
            .filter_map(|lower| Some(Self { lower, upper: machine.interfaces.get(lower.master?)? }))
    }
}

fn lower_path(Stacked { lower, upper }: Stacked<'_>, machine: &Machine) -> String {
    let is_slave = machine.kernel() < LOWER_SINCE && Bond::of(upper).is_some();
    format!("{}/{}_{}", upper.path, if is_slave { "slave" } else { "lower" }, lower.name)
}

/// Names, separated by blanks.
fn names<'a>(links: impl Iterator<Item = &'a Interface>, into: &mut Vec<u8>) {
    let names: Vec<&str> = links.map(|link| link.name.as_str()).collect();
    put_line!(into, "{}", names.join(" "));
}

fn masters(machine: &Machine, _: &Moment<'_>, into: &mut Vec<u8>) {
    names(machine.interfaces.iter().filter(|link| Bond::of(link).is_some()), into);
}

fn slaves(bond: Bond<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    names(bond.bonding.slaves.iter().filter_map(|&slave| moment.machine.interfaces.get(slave)), into);
}

fn active_slave(bond: Bond<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    names(moment.machine.interfaces.get(bond.bonding.active).into_iter(), into);
}

fn mii_status(link: &Interface, into: &mut Vec<u8>) {
    put_line!(into, "{}", if link.is_up { "up" } else { "down" });
}

fn lower(Stacked { lower, upper }: Stacked<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative(&upper.path, &lower.path, into);
}

fn upper(Stacked { lower, upper }: Stacked<'_>, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative(&lower.path, &upper.path, into);
}
