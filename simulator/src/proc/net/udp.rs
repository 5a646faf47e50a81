//! /proc/net/udp and udp6: a row for each socket

use super::own;
use crate::layout::{Group, What};
use crate::moment::Moment;
use crate::text::put_line;

pub(in crate::proc) static GROUPS: [Group; 1] =
    [Group { under: "", each: own, entries: &[("udp", What::File(udp)), ("udp6", What::File(udp6))] }];

/// The ports that something listens on: a resolver, time, logs and the like.
const PORTS: [u16; 6] = [53, 68, 111, 123, 323, 514];
const HEADER: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";

fn udp(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    table(&"0".repeat(8), moment.sockets().udp, into);
}

fn udp6(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    table(&"0".repeat(32), moment.sockets().udp6, into);
}

fn table(any: &str, sockets: u64, into: &mut Vec<u8>) {
    put_line!(into, "{HEADER}");
    for (row, port) in (0..sockets).zip(PORTS.into_iter().cycle()) {
        let inode = 18_000 + row * 17;
        put_line!(
            into,
            "{row:5}: {any}:{port:04X} {any}:0000 07 00000000:00000000 00:00000000 00000000     0        0 {inode} 2 0000000000000000 0"
        );
    }
}
