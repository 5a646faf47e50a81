//! /sys/class/net and the devices that it links to

use collectors::host::errno::Errno;
use collectors::host::kernel::LinkStatistics;

use super::relative;
use crate::layout::{Content, ContentOf, Group, Part, Table, each};
use crate::machine::{Duplex, Interface, Kind};
use crate::moment::Moment;
use crate::text::{HardwareAddress, put, put_line};

pub(super) const GROUPS: Table = &[
    &Group::<Interface> {
        under: "class/net",
        parts: |machine| each(&machine.interfaces),
        path: |link, _| link.name.as_str().into(),
        entries: &[("", Content::Link(class))],
    },
    &Group::<Interface> {
        under: "devices",
        parts: |machine| each(&machine.interfaces),
        path: |link, _| link.path.as_str().into(),
        entries: &ATTRIBUTES,
    },
    &Group::<Interface> {
        under: "devices",
        parts: |machine| each(&machine.interfaces),
        path: |link, _| link.path.as_str().into(),
        entries: &STATISTICS,
    },
    &Group::<BusDevice<'static>> {
        under: "devices",
        parts: |machine| Box::new(machine.interfaces.iter().filter_map(BusDevice::of)),
        path: |device, _| device.link.path.as_str().into(),
        // The folder of the bus is three above, past `net/NAME`.
        entries: &[("device", Content::Link(|device, _, into| put!(into, "../../../{}", device.name)))],
    },
];

macro_rules! statistics {
    ($($counter:ident)*) => {
        static STATISTICS: [(&str, ContentOf<Interface>); LinkStatistics::NAMES.len()] = [$((
            concat!("statistics/", stringify!($counter)),
            Content::File(|link, m, into| put_line!(into, "{}", m.link_statistics(link).$counter)),
        )),*];
    };
}

statistics! {
    rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped tx_dropped multicast collisions
    rx_length_errors rx_over_errors rx_crc_errors rx_frame_errors rx_fifo_errors rx_missed_errors
    tx_aborted_errors tx_carrier_errors tx_fifo_errors tx_heartbeat_errors tx_window_errors
    rx_compressed tx_compressed rx_nohandler
}

static ATTRIBUTES: [(&str, ContentOf<Interface>); 29] = [
    ("addr_assign_type", Content::File(|l, _, into| put_line!(into, "{}", l.address_assignment))),
    ("addr_len", Content::File(|l, _, into| put_line!(into, "{}", l.address().len()))),
    ("address", Content::File(|l, _, into| put_line!(into, "{}", HardwareAddress(l.address())))),
    ("broadcast", Content::File(|l, _, into| put_line!(into, "{}", HardwareAddress(l.broadcast())))),
    ("carrier", Content::Fallible(carrier)),
    ("carrier_changes", Content::File(|l, _, into| put_line!(into, "{}", l.carrier_changes))),
    ("carrier_down_count", Content::File(|l, _, into| put_line!(into, "{}", l.carrier_counts()[1]))),
    ("carrier_up_count", Content::File(|l, _, into| put_line!(into, "{}", l.carrier_counts()[0]))),
    ("dev_id", Content::File(|_, _, into| put_line!(into, "0x0"))),
    ("dev_port", Content::File(|_, _, into| put_line!(into, "0"))),
    ("dormant", Content::File(|_, _, into| put_line!(into, "0"))),
    ("duplex", Content::Fallible(duplex)),
    ("flags", Content::File(|l, _, into| put_line!(into, "{:#x}", l.flags()))),
    ("ifalias", Content::File(|_, _, into| put_line!(into, ""))),
    ("ifindex", Content::File(|l, _, into| put_line!(into, "{}", l.index))),
    ("iflink", Content::File(|l, _, into| put_line!(into, "{}", l.peer_index.unwrap_or(l.index)))),
    ("link_mode", Content::File(|_, _, into| put_line!(into, "0"))),
    ("mtu", Content::File(|l, _, into| put_line!(into, "{}", l.mtu))),
    ("name_assign_type", Content::Fallible(name_assignment)),
    ("netdev_group", Content::File(|_, _, into| put_line!(into, "0"))),
    ("operstate", Content::File(|l, _, into| put_line!(into, "{}", l.operstate().1))),
    ("phys_port_id", Content::Fallible(|_, _, _| Err(Errno::EOPNOTSUPP))),
    ("phys_port_name", Content::Fallible(|_, _, _| Err(Errno::EOPNOTSUPP))),
    ("phys_switch_id", Content::Fallible(|_, _, _| Err(Errno::EOPNOTSUPP))),
    ("speed", Content::Fallible(speed)),
    ("subsystem", Content::Link(|l, _, into| relative(&format!("devices/{}", l.path), "class/net", into))),
    ("tx_queue_len", Content::File(|l, _, into| put_line!(into, "{}", l.queue_length))),
    ("type", Content::File(|l, _, into| put_line!(into, "{}", l.protocol_type()))),
    ("uevent", Content::File(|l, _, into| put_line!(into, "INTERFACE={}\nIFINDEX={}", l.name, l.index))),
];

/// A device on a bus.
#[derive(Clone, Copy)]
struct BusDevice<'a> {
    link: &'a Interface,
    /// The name of its folder below /sys/devices.
    name: &'a str,
}

impl Part for BusDevice<'static> {
    type Of<'a> = BusDevice<'a>;
}

impl<'a> BusDevice<'a> {
    fn of(link: &'a Interface) -> Option<Self> {
        Some(Self { link, name: link.kind.bus_device()? })
    }
}

fn class(link: &Interface, _: &Moment<'_>, into: &mut Vec<u8>) {
    relative("class/net", &format!("devices/{}", link.path), into);
}

fn carrier(link: &Interface, _: &Moment<'_>, into: &mut Vec<u8>) -> Result<(), Errno> {
    if !link.is_taken_up() {
        return Err(Errno::EINVAL);
    }
    put_line!(into, "{}", u8::from(link.is_up));
    Ok(())
}

/// Fails for a device without speed and duplex, such as the loopback.
fn check_settings(link: &Interface, moment: &Moment<'_>) -> Result<(), Errno> {
    let is_refused = link.kind == Kind::Loopback || !link.is_taken_up() || moment.refuses(link);
    if is_refused { Err(Errno::EINVAL) } else { Ok(()) }
}

fn duplex(link: &Interface, moment: &Moment<'_>, into: &mut Vec<u8>) -> Result<(), Errno> {
    check_settings(link, moment)?;
    match link.duplex {
        Duplex::Full => put_line!(into, "full"),
        Duplex::Unknown => put_line!(into, "unknown"),
    }
    Ok(())
}

fn speed(link: &Interface, moment: &Moment<'_>, into: &mut Vec<u8>) -> Result<(), Errno> {
    check_settings(link, moment)?;
    put_line!(into, "{}", link.speed_megabits.map_or("-1".to_owned(), |speed| speed.to_string()));
    Ok(())
}

fn name_assignment(link: &Interface, _: &Moment<'_>, into: &mut Vec<u8>) -> Result<(), Errno> {
    put_line!(into, "{}", link.name_assignment.ok_or(Errno::EINVAL)?);
    Ok(())
}
