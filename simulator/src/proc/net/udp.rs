//! /proc/net/udp and udp6: a row for each socket

use super::of_process;
use super::tcp::endpoints;
use crate::layout::{Content, Table};
use crate::moment::Moment;
use crate::moment::sockets::Family;
use crate::text::{put, put_line};

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[
    ("udp", Content::File(|_, moment, into| table(moment, Family::V4, into))),
    ("udp6", Content::File(|_, moment, into| table(moment, Family::V6, into))),
])];

const HEADER: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";

fn table(moment: &Moment<'_>, family: Family, into: &mut Vec<u8>) {
    put_line!(into, "{HEADER}");
    for (row, socket) in moment.udp(family).iter().enumerate() {
        let inode = 18_000 + row * 17;
        put!(into, "{row:5}: ");
        endpoints(moment, family, socket, into);
        put_line!(
            into,
            // 07 is the state of an unconnected socket.
            " 07 {:08X}:{:08X} 00:00000000 00000000     0        0 {inode} 2 0000000000000000 0",
            socket.transmit_queue_bytes,
            socket.receive_queue_bytes
        );
    }
}
