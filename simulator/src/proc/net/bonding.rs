//! /proc/net/bonding, one file for each bond

use super::folder;
use crate::layout::{Content, Group, Part, Table};
use crate::machine::{Bonding, Interface, Kind};
use crate::moment::Moment;
use crate::text::{HardwareAddress, put_line};

pub(in crate::proc) const GROUPS: Table = &[&Group::<Bond<'static>> {
    under: "",
    parts: |machine| {
        Box::new(machine.interfaces.iter().filter_map(|link| match &link.kind {
            Kind::Bond(bonding) => Some(Bond { link, bonding }),
            _ => None,
        }))
    },
    path: |bond, machine| format!("{}/bonding/{}", folder(machine), bond.link.name).into(),
    entries: &[("", Content::File(bond))],
}];

/// A bond as a network device.
#[derive(Clone, Copy)]
struct Bond<'a> {
    link: &'a Interface,
    bonding: &'a Bonding,
}

impl Part for Bond<'static> {
    type Of<'a> = Bond<'a>;
}

fn bond(Bond { link, bonding }: Bond<'_>, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let interfaces = &moment.machine.interfaces;
    let name = |id| interfaces.get(id).map_or("None", |interface| interface.name.as_str());
    let state = |is_up| if is_up { "up" } else { "down" };
    put_line!(into, "Ethernet Channel Bonding Driver: v{}\n", moment.machine.system.release);
    put_line!(into, "Bonding Mode: fault-tolerance (active-backup)");
    put_line!(into, "Primary Slave: None");
    put_line!(into, "Currently Active Slave: {}", name(bonding.active));
    put_line!(into, "MII Status: {}", state(link.is_up));
    put_line!(into, "MII Polling Interval (ms): 100");
    put_line!(into, "Up Delay (ms): 0");
    put_line!(into, "Down Delay (ms): 0");
    put_line!(into, "Peer Notification Delay (ms): 0");
    for slave in bonding.slaves.iter().filter_map(|&slave| interfaces.get(slave)) {
        put_line!(into, "\nSlave Interface: {}", slave.name);
        put_line!(into, "MII Status: {}", state(slave.is_up));
        if let Some(speed) = slave.speed_megabits {
            put_line!(into, "Speed: {speed} Mbps\nDuplex: full");
        } else {
            put_line!(into, "Speed: Unknown\nDuplex: Unknown");
        }
        put_line!(into, "Link Failure Count: {}", slave.carrier_counts()[1]);
        put_line!(into, "Permanent HW addr: {}", HardwareAddress(slave.permanent_address));
        put_line!(into, "Slave queue ID: 0");
    }
}
