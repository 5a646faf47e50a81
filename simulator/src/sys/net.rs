//! /sys/class/net and the devices that it leads to

use collectors::host::errno::Errno;
use collectors::host::kernel::LinkStatistics;

use super::relative;
use crate::layout::{Group, What};
use crate::machine::{Duplex, Interface, Kind};
use crate::moment::Moment;
use crate::text::{HardwareAddress, put, put_line};

pub(super) static GROUPS: [Group; 4] = [
    Group { under: "class/net", each: each_name, entries: &[("", What::Link(class))] },
    Group { under: "devices", each: |m, visit| each_interface(m, visit, |_, _| true), entries: &ATTRIBUTES },
    Group { under: "devices", each: |m, visit| each_interface(m, visit, |_, _| true), entries: &STATISTICS },
    Group {
        under: "devices",
        each: |m, visit| each_interface(m, visit, |_, link| link.kind.bus_device().is_some()),
        entries: &[("device", What::Link(device))],
    },
];

macro_rules! statistics {
    ($($counter:ident)*) => {
        static STATISTICS: [(&str, What); LinkStatistics::NAMES.len()] = [$((
            concat!("statistics/", stringify!($counter)),
            What::File(|m, i, into| put_line!(into, "{}", m.link_statistics(i).$counter)),
        )),*];
    };
}

statistics! {
    rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped tx_dropped multicast collisions
    rx_length_errors rx_over_errors rx_crc_errors rx_frame_errors rx_fifo_errors rx_missed_errors
    tx_aborted_errors tx_carrier_errors tx_fifo_errors tx_heartbeat_errors tx_window_errors
    rx_compressed tx_compressed rx_nohandler
}

static ATTRIBUTES: [(&str, What); 29] = [
    ("addr_assign_type", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.address_assignment)))),
    ("addr_len", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.address().len())))),
    ("address", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", HardwareAddress(l.address()))))),
    ("broadcast", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", HardwareAddress(l.broadcast()))))),
    ("carrier", What::Fallible(carrier)),
    ("carrier_changes", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.carrier_changes)))),
    ("carrier_down_count", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.carrier_counts()[1])))),
    ("carrier_up_count", What::File(|m, i, into| link(m, i, |l| put_line!(into, "{}", l.carrier_counts()[0])))),
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

/// Visits the devices that this is so of.
pub(super) fn each_interface(
    moment: &Moment<'_>,
    visit: &mut dyn FnMut(usize, &[u8]),
    is_meant: impl Fn(&Moment<'_>, &Interface) -> bool,
) {
    for (index, interface) in moment.machine.interfaces.iter().enumerate() {
        if is_meant(moment, interface) {
            visit(index, interface.path.as_bytes());
        }
    }
}

fn each_name(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, interface) in moment.machine.interfaces.iter().enumerate() {
        visit(index, interface.name.as_bytes());
    }
}

fn class(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    link(moment, index, |link| relative("class/net", &format!("devices/{}", link.path), into));
}

fn link(moment: &Moment<'_>, index: usize, write: impl FnOnce(&Interface)) {
    if let Some(interface) = moment.machine.interfaces.get(index) {
        write(interface);
    }
}

/// The folder of the bus that the device stands in: three above it, past `net/<name>`.
fn device(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    link(moment, index, |interface| {
        if let Some(bus_device) = interface.kind.bus_device() {
            put!(into, "../../../{bus_device}");
        }
    });
}

fn carrier(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
    let interface = moment.machine.interfaces.get(index).filter(|link| link.is_taken_up()).ok_or(Errno::EINVAL)?;
    put_line!(into, "{}", u8::from(interface.is_up));
    Ok(())
}

/// The device, if it is one that can be asked for speed and duplex.
fn asked<'a>(moment: &Moment<'a>, index: usize) -> Result<&'a Interface, Errno> {
    let interface = moment.machine.interfaces.get(index).ok_or(Errno::ENODEV)?;
    // The loopback has no such settings.
    let is_refused = interface.kind == Kind::Loopback || !interface.is_taken_up() || moment.refuses(interface);
    if is_refused { Err(Errno::EINVAL) } else { Ok(interface) }
}

fn duplex(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
    match asked(moment, index)?.duplex {
        Duplex::Full => put_line!(into, "full"),
        Duplex::Unknown => put_line!(into, "unknown"),
    }
    Ok(())
}

fn speed(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
    let speed = asked(moment, index)?.speed_megabits;
    put_line!(into, "{}", speed.map_or("-1".to_owned(), |speed| speed.to_string()));
    Ok(())
}

fn name_assignment(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
    let interface = moment.machine.interfaces.get(index).ok_or(Errno::ENODEV)?;
    put_line!(into, "{}", interface.name_assignment.ok_or(Errno::EINVAL)?);
    Ok(())
}
