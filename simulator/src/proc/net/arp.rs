//! /proc/net/arp

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::{HardwareAddress, put_line};

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[("arp", Content::File(arp))])];

fn arp(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "IP address       HW type     Flags       HW address            Mask     Device");
    for neighbour in &moment.machine.neighbours {
        let Some(interface) = moment.machine.interfaces.get(neighbour.interface) else { continue };
        let flags = if neighbour.is_failed { 0 } else { 2 };
        put_line!(
            into,
            "{:<16} {:<12}{:<12}{}     *        {}",
            neighbour.address.to_string(),
            "0x1",
            format!("0x{flags:x}"),
            HardwareAddress(if neighbour.is_failed { [0; 6] } else { neighbour.hardware_address }),
            interface.name
        );
    }
}
