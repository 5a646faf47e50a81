//! /sys/class/net and the devices that it leads to

use collectors::kit::errno::Errno;
use collectors::kit::kernel::LinkStatistics;

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{Duplex, Interface, Kind};
use crate::moment::Moment;
use crate::text::{HardwareAddress, put, put_line};

pub(super) static GROUPS: [Group; 4] = [
    Group {
        under: "class/net",
        each: |m, visit| each_interface(m, visit, |_, link| Some(link.name.clone())),
        entries: &[(
            "",
            What::Link(|m, i, into| link(m, i, |l| relative("class/net", &format!("devices/{}", l.path), into))),
        )],
    },
    Group {
        under: "devices",
        each: |m, visit| each_interface(m, visit, |_, link| Some(link.path.clone())),
        entries: &ATTRIBUTES,
    },
    Group {
        under: "devices",
        each: |m, visit| each_interface(m, visit, |_, link| is_physical(link).then(|| link.path.clone())),
        entries: &[("device", What::Link(device))],
    },
    Group { under: "devices", each: each_statistic, entries: &[("", What::File(statistic))] },
];

static ATTRIBUTES: [(&str, What); 29] = [
    ("addr_assign_type", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.address_assignment)))),
    ("addr_len", What::File(|_, _, into| put_line!(into, "6"))),
    ("address", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", HardwareAddress(l.hardware_address))))),
    ("broadcast", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", HardwareAddress(l.broadcast()))))),
    ("carrier", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", u8::from(l.is_up))))),
    ("carrier_changes", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.carrier_changes)))),
    ("carrier_down_count", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.carrier_changes / 2)))),
    ("carrier_up_count", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.carrier_changes.div_ceil(2))))),
    ("dev_id", What::File(|_, _, into| put_line!(into, "0x0"))),
    ("dev_port", What::File(|_, _, into| put_line!(into, "0"))),
    ("dormant", What::File(|_, _, into| put_line!(into, "0"))),
    ("duplex", What::Fallible(duplex)),
    ("flags", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{:#x}", l.flags())))),
    ("ifalias", What::File(|_, _, into| put_line!(into, ""))),
    ("ifindex", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.index)))),
    ("iflink", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.peer_index.unwrap_or(l.index))))),
    ("link_mode", What::File(|_, _, into| put_line!(into, "0"))),
    ("mtu", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.mtu)))),
    ("name_assign_type", What::Fallible(name_assignment)),
    ("netdev_group", What::File(|_, _, into| put_line!(into, "0"))),
    ("operstate", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.operstate().1)))),
    ("phys_port_id", What::Fallible(|_, _, _| Err(Errno::EOPNOTSUPP))),
    ("phys_port_name", What::Fallible(|_, _, _| Err(Errno::EOPNOTSUPP))),
    ("phys_switch_id", What::Fallible(|_, _, _| Err(Errno::EOPNOTSUPP))),
    ("speed", What::Fallible(speed)),
    ("subsystem", What::Link(|m, i, into| link(m, i, |l| relative(&format!("devices/{}", l.path), "class/net", into)))),
    ("tx_queue_len", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.queue_length)))),
    ("type", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.protocol_type())))),
    ("uevent", What::File(|m, i, into| link(m, i, |l| put_line!(into, "INTERFACE={}\nIFINDEX={}", l.name, l.index)))),
];

/// Visits the devices that have a path for this purpose.
pub(super) fn each_interface(
    moment: &Moment<'_>,
    visit: &mut dyn FnMut(usize, &[u8]),
    path: impl Fn(&Moment<'_>, &Interface) -> Option<String>,
) {
    for (index, interface) in moment.machine.interfaces.iter().enumerate() {
        if let Some(path) = path(moment, interface) {
            visit(index, path.as_bytes());
        }
    }
}

fn link(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Interface)) {
    if let Some(interface) = moment.machine.interfaces.get(index) {
        write(interface);
    }
}

fn is_physical(interface: &Interface) -> bool {
    matches!(interface.kind, Kind::Physical { .. })
}

/// The folder of the bus that the device stands in: three above it, past `net/<name>`.
fn device(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    link(moment, index, |interface| {
        if let Kind::Physical { bus_device } = &interface.kind {
            put!(into, "../../../{bus_device}");
        }
    });
}

fn duplex(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
    let interface = moment.machine.interfaces.get(index).ok_or(Errno::ENODEV)?;
    match (&interface.kind, interface.duplex) {
        // The loopback has no such setting.
        (Kind::Loopback, _) => return Err(Errno::EINVAL),
        (_, Duplex::Full) => put_line!(into, "full"),
        (_, Duplex::Unknown) => put_line!(into, "unknown"),
    }
    Ok(())
}

fn speed(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
    let interface = moment.machine.interfaces.get(index).ok_or(Errno::ENODEV)?;
    match (&interface.kind, interface.speed_megabits) {
        (Kind::Loopback, _) => return Err(Errno::EINVAL),
        (_, Some(speed)) => put_line!(into, "{speed}"),
        (_, None) => put_line!(into, "-1"),
    }
    Ok(())
}

fn name_assignment(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
    let interface = moment.machine.interfaces.get(index).ok_or(Errno::ENODEV)?;
    put_line!(into, "{}", interface.name_assignment.ok_or(Errno::EINVAL)?);
    Ok(())
}

/// Every counter of every device: the numbers of both in one.
fn each_statistic(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    let mut path = Vec::new();
    for (index, interface) in moment.machine.interfaces.iter().enumerate() {
        for (counter, name) in LinkStatistics::NAMES.into_iter().enumerate() {
            path.clear();
            put!(path, "{}/statistics/{name}", interface.path);
            visit(index * LinkStatistics::NAMES.len() + counter, &path);
        }
    }
}

fn statistic(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let width = LinkStatistics::NAMES.len();
    let counters = moment.link_statistics(index / width).counters();
    put_line!(into, "{}", counters.get(index % width).copied().unwrap_or_default());
}
