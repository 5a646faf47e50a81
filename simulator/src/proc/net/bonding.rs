//! /proc/net/bonding, one file for each bond

use super::super::mounts::own_process;
use crate::layout::{Group, What};
use crate::machine::{Interface, Kind};
use crate::moment::Moment;
use crate::text::{HardwareAddress, put_line};

pub(in crate::proc) static GROUPS: [Group; 1] =
    [Group { under: "", each: each_bond, entries: &[("", What::File(bond))] }];

fn each_bond(moment: &Moment<'_>, visit: &mut dyn FnMut(usize, &[u8])) {
    for (index, interface) in moment.machine.interfaces.iter().enumerate() {
        if matches!(interface.kind, Kind::Bond(_)) {
            visit(index, format!("{}/net/bonding/{}", own_process(moment), interface.name).as_bytes());
        }
    }
}

fn bond(moment: &Moment<'_>, index: usize, into: &mut Vec<u8>) {
    let interfaces = &moment.machine.interfaces;
    let Some(Interface { kind: Kind::Bond(bonding), is_up, .. }) = interfaces.get(index) else { return };
    let name = |index: usize| interfaces.get(index).map_or("None", |interface| interface.name.as_str());
    let state = |is_up| if is_up { "up" } else { "down" };
    put_line!(into, "Ethernet Channel Bonding Driver: v{}\n", moment.machine.system.release);
    put_line!(into, "Bonding Mode: fault-tolerance (active-backup)");
    put_line!(into, "Primary Slave: None");
    put_line!(into, "Currently Active Slave: {}", name(bonding.active));
    put_line!(into, "MII Status: {}", state(*is_up));
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
